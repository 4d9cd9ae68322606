//! Exceptions: what catches them, and throwing.
//!
//! A call inside of a `try_table` is a `try_call`: it ends its block, and its exceptional edges lead to a *landing* for each
//! clause that may catch what comes out of it. Landings get the address of the payload, and the exception if the clause
//! wants a reference; whoever unwinds the stack chooses among them by the call's table (`code.rs`), which has the
//! clauses of all blocks around the call, the innermost first.
//!
//! What is thrown inside of a `try_table` of the same function needs no unwinding: it is a branch.

use super::POINTER;
use super::call::Code;
use super::env::{REGION_PAYLOAD, clif_type, region};
use super::translate::{Translator, body_of, unreadable};
use super::trap::clif_trap;
use crate::compile::CompileError;
use crate::compile::builtin::Builtin;
use crate::compile::code::Clause;
use crate::compile::layout::*;
use crate::trap::TrapCode;
use crate::types::ValType;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder, MemFlagsData,
    SigRef, Value,
};
use std::collections::HashSet;
use std::rc::Rc;
use wasmparser::{BlockType, FunctionBody, Operator};

/// Entries of all lists of clauses of a function: in deep nests they grow with the product of calls and blocks.
const MAX_ENTRIES: usize = 1 << 20;

/// A clause of a block that is being translated.
pub(super) struct Catch {
    /// The tag that it catches, if not all.
    tag: Option<u32>,
    /// Whether it wants a reference to the exception.
    by_ref: bool,
    /// For `try_table`: whose label it branches to, as an index into the blocks around.
    target: usize,
    /// Where exceptions arrive, once something can throw.
    landing: Option<Block>,
}

/// A `try_table`, or a `try` of the legacy exceptions.
pub(super) struct Try {
    catches: Vec<Catch>,
    /// The next outer block whose clauses are asked.
    outer: Option<usize>,
    /// The clauses that may catch what comes out of the block, in the order in which they are asked: each by its block
    /// and its place there. Those behind one that catches the same, or everything, are left out.
    asked: Rc<[(usize, usize)]>,
    /// The exception that the clause which is being translated has caught. Only in a `try`.
    caught: Option<Value>,
    /// Clauses that are done. Only in a `try`.
    done: usize,
    legacy: bool,
}

/// What a `try` turns out to be at its end.
#[derive(Default)]
pub(super) struct Shape {
    /// The tags of its clauses, `None` for `catch_all`.
    clauses: Vec<Option<u32>>,
    delegate: Option<u32>,
    /// Whether what it catches is thrown again.
    rethrown: bool,
}

/// What is thrown.
enum Thrown {
    /// By `throw`: nobody has a reference to it.
    New { tag: u32, args: Vec<Value> },
    /// By `throw_ref`; not null.
    Known(Value),
}

impl Translator<'_> {
    /// Calls code inside of a block with clauses, and pushes its results.
    pub(super) fn call_caught(
        &mut self,
        ty: u32,
        sig: SigRef,
        code: Code,
        args: &[Value],
        scope: usize,
    ) -> Result<(), CompileError> {
        // The unwinder reads tags from the vmctx.
        self.visible = true;
        let types = self.module.type_of_funcs(ty).results();
        let next = self.block_with(types);
        let mut items = Vec::new();
        let asked = self.asked(Some(scope));
        for &(block, at) in &*asked {
            let landing = self.landing(block, at);
            let catch = &self.control[block].clauses().catches[at];
            let clause = Clause { tag: catch.tag.map(|tag| self.layout.tag(tag)), by_ref: catch.by_ref };
            let caught = [BlockArg::TryCallExn(0), BlockArg::TryCallExn(1)];
            let call = BlockCall::new(landing, caught, &mut self.b.func.dfg.value_lists);
            items.push(ExceptionTableItem::Tag(ExceptionTag::from_u32(clause.to_u32()), call));
        }
        self.count_entries(items.len())?;
        let results = (0..types.len() as u32).map(BlockArg::TryCallRet);
        let normal = BlockCall::new(next, results, &mut self.b.func.dfg.value_lists);
        let table = self.b.func.dfg.exception_tables.push(ExceptionTableData::new(sig, normal, items));
        match code {
            Code::This(func) => self.b.ins().try_call(func, args, table),
            Code::At(code) => self.b.ins().try_call_indirect(code, args, table),
        };
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.known_globals.clear();
        self.stack.extend_from_slice(self.b.block_params(next));
        Ok(())
    }

    fn count_entries(&mut self, count: usize) -> Result<(), CompileError> {
        self.handler_entries += count;
        if self.handler_entries > MAX_ENTRIES {
            let message = "the function has too many calls in nested blocks that catch exceptions";
            return Err(CompileError::TooLarge(message.into()));
        }
        Ok(())
    }

    /// The clauses that may catch what comes out of a block.
    fn asked(&self, scope: Option<usize>) -> Rc<[(usize, usize)]> {
        scope.map_or_else(|| Rc::from([]), |block| self.control[block].clauses().asked.clone())
    }

    /// Begins a block with clauses.
    fn begin_clauses(&mut self, ty: BlockType, catches: Vec<Catch>, legacy: bool) -> Result<(), CompileError> {
        let (here, outer) = (self.control.len(), self.handlers);
        let mut seen = HashSet::new();
        let mut asked = Vec::new();
        let own = catches.iter().enumerate().map(|(at, catch)| (here, at, catch.tag));
        let around = self.asked(outer);
        let tag_of = |block: usize, at: usize| self.control[block].clauses().catches[at].tag;
        let around = around.iter().map(|&(block, at)| (block, at, tag_of(block, at)));
        for (block, at, tag) in own.chain(around) {
            if seen.insert(tag) {
                asked.push((block, at));
            }
            if tag.is_none() {
                break;
            }
        }
        self.count_entries(asked.len())?;
        self.begin_try(ty, Try { catches, outer, asked: asked.into(), caught: None, done: 0, legacy })?;
        self.handlers = Some(here);
        Ok(())
    }

    /// Where exceptions for a clause arrive.
    fn landing(&mut self, block: usize, at: usize) -> Block {
        if let Some(landing) = self.control[block].clauses().catches[at].landing {
            return landing;
        }
        let landing = self.b.create_block();
        self.b.set_cold_block(landing);
        self.b.append_block_param(landing, POINTER);
        self.b.append_block_param(landing, POINTER);
        self.control[block].clauses_mut().catches[at].landing = Some(landing);
        landing
    }

    /// `try_table`
    pub(super) fn try_table(&mut self, table: &wasmparser::TryTable) -> Result<(), CompileError> {
        let here = self.control.len();
        let catch = |tag, by_ref, label: u32| Catch { tag, by_ref, target: here - 1 - label as usize, landing: None };
        let catches = table.catches.iter().map(|clause| match *clause {
            wasmparser::Catch::One { tag, label } => catch(Some(tag), false, label),
            wasmparser::Catch::OneRef { tag, label } => catch(Some(tag), true, label),
            wasmparser::Catch::All { label } => catch(None, false, label),
            wasmparser::Catch::AllRef { label } => catch(None, true, label),
        });
        self.begin_clauses(table.ty, catches.collect(), false)
    }

    /// The end of a `try_table`, or of a `try` and all its clauses: what was caught goes on to the labels.
    pub(super) fn end_try(&mut self, clauses: Try) -> Result<(), CompileError> {
        self.handlers = clauses.outer;
        if clauses.legacy {
            return Ok(());
        }
        for catch in clauses.catches {
            let Some(landing) = catch.landing else { continue };
            let (payload, exception) = self.land(landing);
            let mut values = self.payload_values(catch.tag, payload);
            values.extend(catch.by_ref.then_some(exception));
            self.branch(catch.target, &values);
        }
        Ok(())
    }

    /// Goes on in a landing. Gives the payload's address and the exception.
    fn land(&mut self, landing: Block) -> (Value, Value) {
        self.b.switch_to_block(landing);
        self.b.seal_block(landing);
        let params = self.b.block_params(landing);
        (params[0], params[1])
    }

    fn payload_flags(&mut self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(region(self.b.func, REGION_PAYLOAD)))
    }

    /// Flags of a load from an exception. It never changes, but may be null where nothing is thrown: the load must stay where it is.
    fn exception_flags(&mut self) -> MemFlagsData {
        self.changing().with_readonly()
    }

    /// The values that an exception carries to a clause.
    fn payload_values(&mut self, tag: Option<u32>, payload: Value) -> Vec<Value> {
        let Some(tag) = tag else { return Vec::new() };
        let flags = self.payload_flags();
        let types = self.module.tag_type(tag).params();
        let load = |(i, ty): (usize, &ValType)| {
            let value = self.b.ins().load(clif_type(*ty), flags, payload, i as i32 * PAYLOAD_CELL as i32);
            self.declare(value, *ty);
            value
        };
        types.iter().enumerate().map(load).collect()
    }

    /// Writes the values of an exception where they are when it is thrown; gives the address.
    fn store_payload(&mut self, tag: u32, values: &[Value]) -> Value {
        let flags = self.changing();
        let store = self.b.ins().load(POINTER, flags, self.vmctx, VMCTX_STORE as i32);
        let payload = self.b.ins().load(POINTER, flags, store, STORE_PAYLOAD as i32);
        let flags = self.payload_flags();
        let types = self.module.tag_type(tag).params();
        for (i, (value, ty)) in values.iter().zip(types).enumerate() {
            let value = self.cell_of(*value, *ty);
            self.b.ins().store(flags, value, payload, i as i32 * PAYLOAD_CELL as i32);
        }
        payload
    }

    /// A tag's address, which is its identity.
    fn tag(&mut self, tag: u32) -> Value {
        self.vmctx_pointer(self.layout.tag(tag))
    }

    /// `throw`
    pub(super) fn throw(&mut self, tag: u32) -> Result<(), CompileError> {
        let count = self.module.tag_type(tag).params().len();
        let args = self.stack.split_off(self.stack.len() - count);
        self.throw_to_clauses(&Thrown::New { tag, args })
    }

    /// `throw_ref`
    pub(super) fn throw_ref(&mut self) -> Result<(), CompileError> {
        let exception = self.pop();
        self.trap_unless(exception, TrapCode::NullExceptionReference);
        self.throw_to_clauses(&Thrown::Known(exception))
    }

    /// Branches to the clause of this function that catches what is thrown, or leaves the function.
    fn throw_to_clauses(&mut self, thrown: &Thrown) -> Result<(), CompileError> {
        self.reachable = false;
        let asked = self.asked(self.handlers);
        for &(block, at) in &*asked {
            let thrown_tag = match (self.control[block].clauses().catches[at].tag, thrown) {
                (None, _) => None,
                (Some(tag), Thrown::New { tag: thrown, .. }) if tag == *thrown => None,
                (Some(tag), Thrown::New { tag: thrown, .. }) if !self.may_be_same(tag, *thrown) => continue,
                (Some(tag), Thrown::New { tag: thrown, .. }) => Some((tag, self.tag(*thrown))),
                (Some(tag), Thrown::Known(exception)) => {
                    let flags = self.exception_flags();
                    Some((tag, self.b.ins().load(POINTER, flags, *exception, EXCEPTION_TAG as i32)))
                }
            };
            let Some((tag, thrown_tag)) = thrown_tag else { return self.enter_clause(block, at, thrown) };
            let tag = self.tag(tag);
            let same = self.b.ins().icmp(IntCC::Equal, tag, thrown_tag);
            let (caught, next) = (self.b.create_block(), self.b.create_block());
            self.b.ins().brif(same, caught, &[], next, &[]);
            self.b.seal_block(caught);
            self.b.seal_block(next);
            self.b.switch_to_block(caught);
            self.enter_clause(block, at, thrown)?;
            self.b.switch_to_block(next);
        }
        match thrown {
            Thrown::New { tag, args } => {
                self.store_payload(*tag, args);
                let tag = self.tag(*tag);
                self.builtin(Builtin::throw, &[tag]);
            }
            Thrown::Known(exception) => drop(self.builtin(Builtin::throw_ref, &[*exception])),
        }
        self.b.ins().trap(clif_trap(TrapCode::UncaughtException));
        Ok(())
    }

    /// Whether two different tags of the module may be one: only imported ones may.
    fn may_be_same(&self, a: u32, b: u32) -> bool {
        let imported = self.module.imported_tags;
        a < imported && b < imported && self.module.tag_type(a) == self.module.tag_type(b)
    }

    /// Branches to a clause, without unwinding.
    fn enter_clause(&mut self, block: usize, at: usize, thrown: &Thrown) -> Result<(), CompileError> {
        let clauses = self.control[block].clauses();
        let (catch, legacy) = (&clauses.catches[at], clauses.legacy);
        let (tag, by_ref, target) = (catch.tag, catch.by_ref, catch.target);
        let (payload, exception) = match thrown {
            Thrown::New { tag, args } if legacy || by_ref => {
                let payload = self.store_payload(*tag, args);
                let exception = if by_ref {
                    let tag = self.tag(*tag);
                    self.builtin(Builtin::exception_new, &[tag])
                } else {
                    None
                };
                (Some(payload), exception)
            }
            Thrown::New { .. } => (None, None),
            Thrown::Known(exception) => {
                let flags = self.exception_flags();
                let payload = self.b.ins().load(POINTER, flags, *exception, EXCEPTION_PAYLOAD as i32);
                (Some(payload), Some(*exception))
            }
        };
        if legacy {
            let landing = self.landing(block, at);
            let none = self.b.ins().iconst(POINTER, 0);
            let args = [payload.unwrap_or(none), exception.unwrap_or(none)].map(BlockArg::Value);
            self.b.ins().jump(landing, &args);
            return Ok(());
        }
        let mut values = match (tag, thrown, payload) {
            (None, ..) => Vec::new(),
            (_, Thrown::New { args, .. }, _) => args.clone(),
            (_, Thrown::Known(_), payload) => self.payload_values(tag, payload.expect("it is loaded")),
        };
        values.extend(exception.filter(|_| by_ref));
        self.branch(target, &values);
        Ok(())
    }

    /// What the next `try` turns out to be.
    fn next_shape(&mut self) -> Result<Shape, CompileError> {
        if self.shapes.is_none() {
            let range = &self.module.bodies[(self.func_index - self.module.imported_functions) as usize];
            self.shapes = Some(shapes(&body_of(self.module, range)).map_err(unreadable)?.into_iter());
        }
        Ok(self.shapes.as_mut().and_then(Iterator::next).unwrap_or_default())
    }

    /// A `try` that cannot be reached.
    pub(super) fn skip_try(&mut self) -> Result<(), CompileError> {
        self.next_shape().map(drop)
    }

    /// `try`
    pub(super) fn try_(&mut self, ty: BlockType) -> Result<(), CompileError> {
        let shape = self.next_shape()?;
        let here = self.control.len();
        let catch = |tag| Catch { tag, by_ref: shape.rethrown, target: here, landing: None };
        let catches = shape.clauses.iter().map(|tag| catch(*tag)).collect();
        let outer = self.handlers;
        self.begin_clauses(ty, catches, true)?;
        if let Some(depth) = shape.delegate {
            // What is thrown in it counts as thrown inside of the block at that depth, which may itself catch it.
            let target = here - 1 - depth as usize;
            let mut scope = outer;
            while let Some(block) = scope.filter(|block| *block > target) {
                scope = self.control[block].clauses().outer;
            }
            self.handlers = scope;
        }
        Ok(())
    }

    /// `catch` and `catch_all` of a `try`
    pub(super) fn catch(&mut self) -> Result<(), CompileError> {
        if self.reachable {
            self.jump_next();
        }
        self.join();
        self.known_globals.clear();
        let here = self.control.len() - 1;
        let clauses = self.control[here].clauses_mut();
        let catch = &mut clauses.catches[clauses.done];
        clauses.done += 1;
        let (tag, landing) = (catch.tag, catch.landing.take());
        self.handlers = clauses.outer;
        self.stack.truncate(self.control[here].height());
        self.not_null.truncate(self.control[here].not_null());
        self.reachable = landing.is_some();
        if let Some(landing) = landing {
            let (payload, exception) = self.land(landing);
            let values = self.payload_values(tag, payload);
            self.stack.extend(values);
            self.control[here].clauses_mut().caught = Some(exception);
        }
        Ok(())
    }

    /// `rethrow`
    pub(super) fn rethrow(&mut self, depth: u32) -> Result<(), CompileError> {
        let block = self.control.len() - 1 - depth as usize;
        let exception = self.control[block].clauses().caught;
        let exception = exception.ok_or_else(|| CompileError::Internal("rethrow outside of a handler".into()))?;
        self.throw_to_clauses(&Thrown::Known(exception))
    }
}

/// What each `try` of a function turns out to be, in the order in which they begin.
fn shapes(body: &FunctionBody<'_>) -> Result<Vec<Shape>, wasmparser::Error> {
    let mut shapes: Vec<Shape> = Vec::new();
    // The blocks around the current operator: which `try` each is, if it is one.
    let mut around: Vec<Option<usize>> = vec![None];
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        match operators.read()? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                around.push(None);
            }
            Operator::Try { .. } => {
                around.push(Some(shapes.len()));
                shapes.push(Shape::default());
            }
            Operator::Catch { tag_index } => {
                if let Some(Some(at)) = around.last() {
                    shapes[*at].clauses.push(Some(tag_index));
                }
            }
            Operator::CatchAll => {
                if let Some(Some(at)) = around.last() {
                    shapes[*at].clauses.push(None);
                }
            }
            Operator::Rethrow { relative_depth } => {
                let block = around.len().checked_sub(1 + relative_depth as usize);
                if let Some(at) = block.and_then(|block| around[block]) {
                    shapes[at].rethrown = true;
                }
            }
            Operator::Delegate { relative_depth } => {
                if let Some(Some(at)) = around.pop() {
                    shapes[at].delegate = Some(relative_depth);
                }
            }
            Operator::End => drop(around.pop()),
            _ => {}
        }
    }
    Ok(shapes)
}
