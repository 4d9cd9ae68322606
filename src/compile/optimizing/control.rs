//! Blocks and branches.
//!
//! Each WebAssembly block has an IR block that goes on behind it and takes its results as parameters; a loop has one
//! at its head besides, which takes its parameters. IR blocks are sealed as soon as all branches to them are known.
//!
//! Where the module says that a branch goes one way as a rule (`module/hints.rs`), what lies the other way is cold: its code
//! goes behind all other, and the usual way falls through.

use super::choice::Choice;
use super::env::clif_type;
use super::exception::Try;
use super::global::KnownGlobals;
use super::translate::Translator;
use crate::compile::CompileError;
use crate::trap::TrapCode;
use crate::types::ValType;
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Value};
use std::collections::HashMap;
use wasmparser::{BlockType, BrTable};

/// A WebAssembly block that is being translated.
pub(super) struct Frame {
    kind: Kind,
    /// What comes behind the block; takes its results.
    next: Block,
    /// Whether `next` can be reached.
    next_reachable: bool,
    /// Whether something branches there.
    branched: bool,
    /// What was known of globals at the end of an `if`'s first half, if that goes on behind the block.
    known: Option<KnownGlobals>,
    /// Number of parameters.
    params: usize,
    /// Number of results.
    results: usize,
    /// Height of the operand stack below the parameters.
    height: usize,
    /// How many references were known not to be null before it.
    not_null: usize,
}

enum Kind {
    Block,
    Loop {
        head: Block,
    },
    /// A `try_table`, or a `try`.
    Try(Box<Try>),
    /// Until its `else`: the block for it, the parameters, which it needs again, and what is known of globals.
    If {
        otherwise: Block,
        params: Vec<Value>,
        known: KnownGlobals,
    },
    /// An `if` without branches.
    Choice(Box<Choice>),
}

impl Frame {
    /// The frame of a choice, which has no label and lies in the block `here`.
    pub(super) fn of_choice(choice: Choice, here: Block, height: usize) -> Frame {
        let kind = Kind::Choice(choice.into());
        Frame {
            kind,
            next: here,
            next_reachable: false,
            branched: false,
            known: None,
            params: 0,
            results: 0,
            height,
            not_null: 0,
        }
    }

    /// The choice that it is of.
    pub(super) fn choice(&self) -> &Choice {
        let Kind::Choice(choice) = &self.kind else { unreachable!("only choices are asked") };
        choice
    }

    /// As [`Frame::choice`].
    pub(super) fn choice_mut(&mut self) -> &mut Choice {
        let Kind::Choice(choice) = &mut self.kind else { unreachable!("only choices are asked") };
        choice
    }

    /// Height of the operand stack below the parameters.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// How many references were known not to be null before it.
    pub(super) fn not_null(&self) -> usize {
        self.not_null
    }

    /// The clauses, of a block that has some.
    pub(super) fn clauses(&self) -> &Try {
        let Kind::Try(clauses) = &self.kind else { unreachable!("only blocks with clauses are asked") };
        clauses
    }

    /// As [`Frame::clauses`].
    pub(super) fn clauses_mut(&mut self) -> &mut Try {
        let Kind::Try(clauses) = &mut self.kind else { unreachable!("only blocks with clauses are asked") };
        clauses
    }

    /// Where branches to the block go, and with how many values.
    fn label(&self) -> (Block, usize) {
        match self.kind {
            Kind::Loop { head } => (head, self.params),
            _ => (self.next, self.results),
        }
    }
}

fn args(values: &[Value]) -> Vec<BlockArg> {
    values.iter().map(|v| BlockArg::Value(*v)).collect()
}

impl<'a> Translator<'a> {
    /// The body of a function as a block.
    pub(super) fn begin_body(&mut self, func: u32) {
        let results = self.module.func_type(func).results();
        self.begin(Kind::Block, 0, results);
    }

    /// Types of a block's parameters and results.
    fn block_types(&self, ty: BlockType) -> Result<(&'a [ValType], Vec<ValType>), CompileError> {
        Ok(match ty {
            BlockType::Empty => (&[], Vec::new()),
            BlockType::Type(ty) => (&[], vec![self.val_type(ty)?]),
            BlockType::FuncType(index) => {
                let ty = self.module.type_of_funcs(index);
                (ty.params(), ty.results().to_vec())
            }
        })
    }

    /// A block with parameters of these types.
    pub(super) fn block_with(&mut self, params: &[ValType]) -> Block {
        let block = self.b.create_block();
        for ty in params {
            let param = self.b.append_block_param(block, clif_type(*ty));
            self.declare(param, *ty);
        }
        block
    }

    fn begin(&mut self, kind: Kind, params: usize, results: &[ValType]) {
        let next = self.block_with(results);
        let height = self.stack.len() - params;
        let (results, not_null) = (results.len(), self.not_null.len());
        self.control.push(Frame {
            kind,
            next,
            next_reachable: false,
            branched: false,
            known: None,
            params,
            results,
            height,
            not_null,
        });
    }

    pub(super) fn block(&mut self, ty: BlockType) -> Result<(), CompileError> {
        let (params, results) = self.block_types(ty)?;
        self.begin(Kind::Block, params.len(), &results);
        Ok(())
    }

    /// `try_table` and `try`
    pub(super) fn begin_try(&mut self, ty: BlockType, clauses: Try) -> Result<(), CompileError> {
        let (params, results) = self.block_types(ty)?;
        self.begin(Kind::Try(Box::new(clauses)), params.len(), &results);
        Ok(())
    }

    pub(super) fn loop_(&mut self, ty: BlockType) -> Result<(), CompileError> {
        let (params, results) = self.block_types(ty)?;
        let head = self.block_with(params);
        let count = params.len();
        self.begin(Kind::Loop { head }, count, &results);
        let at = self.stack.len() - count;
        let values = args(&self.stack[at..]);
        self.b.ins().jump(head, &values);
        self.stack.truncate(at);
        self.stack.extend_from_slice(self.b.block_params(head));
        self.b.switch_to_block(head);
        self.loops += 1;
        self.known_globals.clear();
        Ok(())
    }

    pub(super) fn if_(&mut self, ty: BlockType) -> Result<(), CompileError> {
        if self.begin_choice(ty)? {
            return Ok(());
        }
        let (params, results) = self.block_types(ty)?;
        let condition = self.pop();
        let then = self.b.create_block();
        let otherwise = self.b.create_block();
        match self.module.branch_hint(self.at) {
            Some(true) => self.b.set_cold_block(otherwise),
            Some(false) => self.b.set_cold_block(then),
            None => {}
        }
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.b.seal_block(then);
        self.b.seal_block(otherwise);
        let at = self.stack.len() - params.len();
        let saved = self.stack[at..].to_vec();
        let known = self.known_globals.clone();
        self.begin(Kind::If { otherwise, params: saved, known }, params.len(), &results);
        self.b.switch_to_block(then);
        Ok(())
    }

    /// The end of an `if`'s first half.
    pub(super) fn else_(&mut self) {
        if matches!(self.control.last(), Some(Frame { kind: Kind::Choice(_), .. })) {
            return self.else_of_choice();
        }
        if self.reachable {
            self.jump_next();
        }
        let frame = self.control.last_mut().expect("an else has its if");
        let Kind::If { otherwise, params, known } = std::mem::replace(&mut frame.kind, Kind::Block) else {
            unreachable!("an else has its if")
        };
        let known = std::mem::replace(&mut self.known_globals, known);
        frame.known = self.reachable.then_some(known);
        self.stack.truncate(frame.height);
        self.stack.extend_from_slice(&params);
        self.not_null.truncate(frame.not_null);
        self.b.switch_to_block(otherwise);
        self.reachable = true;
    }

    /// Says that ways lead behind the innermost block that know nothing of each other.
    pub(super) fn join(&mut self) {
        self.control.last_mut().expect("there is a block").branched = true;
    }

    /// Jumps behind the innermost block with its results.
    pub(super) fn jump_next(&mut self) {
        let frame = self.control.last_mut().expect("there is a block");
        frame.next_reachable = true;
        let next = frame.next;
        let values = args(&self.stack[self.stack.len() - frame.results..]);
        self.b.ins().jump(next, &values);
    }

    pub(super) fn end(&mut self) -> Result<(), CompileError> {
        if matches!(self.control.last(), Some(Frame { kind: Kind::Choice(_), .. })) {
            self.end_choice();
            return Ok(());
        }
        if self.reachable {
            self.jump_next();
        }
        let mut frame = self.control.pop().expect("an end has its block");
        match frame.kind {
            Kind::Choice(_) => unreachable!("it has ended above"),
            Kind::Block => {}
            Kind::Loop { head } => {
                self.b.seal_block(head);
                self.loops -= 1;
            }
            Kind::Try(clauses) => self.end_try(*clauses)?,
            Kind::If { otherwise, params, known } => {
                // Without an else the parameters are the results.
                self.b.switch_to_block(otherwise);
                self.b.ins().jump(frame.next, &args(&params));
                frame.next_reachable = true;
                frame.known = Some(known);
            }
        }
        match (frame.known, self.reachable) {
            _ if frame.branched => self.known_globals.clear(),
            (Some(known), true) => self.known_globals.meet(&known),
            (Some(known), false) => self.known_globals = known,
            (None, _) => {}
        }
        self.stack.truncate(frame.height);
        self.not_null.truncate(frame.not_null);
        self.reachable = frame.next_reachable;
        self.b.seal_block(frame.next);
        if !self.reachable {
            return Ok(());
        }
        self.b.switch_to_block(frame.next);
        if self.control.is_empty() {
            let results = self.b.block_params(frame.next).to_vec();
            self.b.ins().return_(&results);
            self.reachable = false;
        } else {
            self.stack.extend_from_slice(self.b.block_params(frame.next));
        }
        Ok(())
    }

    /// The label at a depth, and how many values a branch to it takes.
    fn label(&mut self, depth: u32) -> (Block, usize) {
        self.label_of(self.control.len() - 1 - depth as usize)
    }

    /// The label of a block around.
    fn label_of(&mut self, block: usize) -> (Block, usize) {
        let frame = &mut self.control[block];
        if !matches!(frame.kind, Kind::Loop { .. }) {
            frame.next_reachable = true;
            frame.branched = true;
        }
        frame.label()
    }

    /// Branches to the label of a block around.
    pub(super) fn branch(&mut self, block: usize, values: &[Value]) {
        let (label, _) = self.label_of(block);
        self.b.ins().jump(label, &args(values));
    }

    pub(super) fn br(&mut self, depth: u32) {
        let (label, count) = self.label(depth);
        let values = args(&self.stack[self.stack.len() - count..]);
        self.b.ins().jump(label, &values);
        self.reachable = false;
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let condition = self.pop();
        let (label, count) = self.label(depth);
        let values = args(&self.stack[self.stack.len() - count..]);
        let next = self.b.create_block();
        match self.module.branch_hint(self.at) {
            Some(false) => {
                // The label may be reached in other ways, which need not be cold.
                let rare = self.b.create_block();
                self.b.set_cold_block(rare);
                self.b.ins().brif(condition, rare, &[], next, &[]);
                self.b.seal_block(rare);
                self.b.switch_to_block(rare);
                self.b.ins().jump(label, &values);
            }
            hint => {
                if hint == Some(true) {
                    self.b.set_cold_block(next);
                }
                self.b.ins().brif(condition, label, &values, next, &[]);
            }
        }
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    /// `br_on_null`
    pub(super) fn br_on_null(&mut self, depth: u32) {
        let reference = self.pop();
        let (label, count) = self.label(depth);
        let values = args(&self.stack[self.stack.len() - count..]);
        let next = self.b.create_block();
        self.b.ins().brif(reference, next, &[], label, &values);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.is_not_null(reference);
        self.push(reference);
    }

    /// `br_on_non_null`
    pub(super) fn br_on_non_null(&mut self, depth: u32) {
        let reference = *self.stack.last().expect("validation has counted the operands");
        let (label, count) = self.label(depth);
        let values = args(&self.stack[self.stack.len() - count..]);
        let next = self.b.create_block();
        self.b.ins().brif(reference, label, &values, next, &[]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.pop();
    }

    pub(super) fn br_table(&mut self, targets: &BrTable<'_>) -> Result<(), wasmparser::Error> {
        let index = self.pop();
        // Values for a target go by a block of its own, which all entries for it share. In large tables every target
        // has one: else the builder would look through the whole table for each local that reaches each target.
        let is_large = targets.len() > 64;
        let mut blocks: HashMap<u32, Block> = HashMap::new();
        let mut labels = Vec::new();
        let mut target = |this: &mut Self, depth: u32| {
            let block = *blocks.entry(depth).or_insert_with(|| {
                let (label, count) = this.label(depth);
                if count == 0 && !is_large {
                    return label;
                }
                let block = this.b.create_block();
                labels.push((block, label, count));
                block
            });
            BlockCall::new(block, [], &mut this.b.func.dfg.value_lists)
        };
        let mut table = Vec::with_capacity(targets.len() as usize);
        for depth in targets.targets() {
            table.push(target(self, depth?));
        }
        let default = target(self, targets.default());
        let table = self.b.create_jump_table(JumpTableData::new(default, &table));
        self.b.ins().br_table(index, table);
        for (block, label, count) in labels {
            self.b.seal_block(block);
            self.b.switch_to_block(block);
            let values = args(&self.stack[self.stack.len() - count..]);
            self.b.ins().jump(label, &values);
        }
        self.reachable = false;
        Ok(())
    }

    pub(super) fn return_(&mut self) {
        if let Some(body) = self.inlined_body() {
            self.br((self.control.len() - 1 - body) as u32);
            return;
        }
        let count = self.control[0].results;
        let at = self.stack.len() - count;
        let values = self.stack[at..].to_vec();
        self.b.ins().return_(&values);
        self.reachable = false;
    }

    pub(super) fn unreachable(&mut self) {
        self.trap(TrapCode::Unreachable);
        self.reachable = false;
    }
}
