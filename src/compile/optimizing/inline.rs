//! Inlining: the body of a small function of the module in place of a call of it.
//!
//! The body is one more block, whose results are those of the call and to whose end a `return` branches. It has operands
//! above the caller's, blocks inside of the caller's, and locals of its own:
//!
//! ```text
//!  control   blocks around the call ... | the callee's body | its blocks ...
//!  stack     the caller's operands  ... | its operands ...
//!  locals    (the caller's are aside)   | parameters, then its own
//! ```
//! Nobody can see it: exceptions find the clauses around the call, as a branch or from a call in the body, and frames are told
//! from each other by their positions. An operator of an inlined body has a position beyond the end of the module's
//! bytes, in a stretch that belongs to this one copy of the body (`code.rs`).
//!
//! What is worth it was measured: a call costs some 5 ns with all that belongs to it, and hides from the caller what the
//! callee does to memory and globals, and from the callee what its arguments are. Loops may take larger bodies. A function that
//! calls itself gets copies of itself, so that most of its calls are gone.

use super::translate::{Translator, body_of, unreadable};
use crate::compile::code::Inlined;
use crate::compile::op::Op;
use crate::compile::{CompileError, Tunables};
use crate::config::Optimization;
use crate::module::Module;
use std::collections::HashMap;
use std::ops::Range;
use wasmparser::FunctionBody;

/// Bytes of a body that may be inlined anywhere.
const MAX_BODY: u32 = 40;
/// Bytes of a body that may be inlined in a loop, or in itself.
const MAX_HOT_BODY: u32 = 100;
/// Parameters, locals and results of such a body.
const MAX_VALUES: usize = 24;
/// How many bodies may be inside of each other, not counting the function that is compiled.
const MAX_DEPTH: usize = 4;
/// How often the same function may be among those, the one that is compiled included.
const MAX_SAME: usize = 3;
/// Bytes of all bodies inlined in a function: so many, and as many as it has itself, but no more than the last.
const BUDGET: u32 = 200;
const MAX_BUDGET: u32 = 4000;

/// What is inlined in the function that is being compiled.
pub(super) struct Inlining {
    /// Bytes that may still be inlined.
    budget: u32,
    /// The position at which the next body begins.
    next: u32,
    /// All bodies so far.
    bodies: Vec<Inlined>,
    /// Those around the current operator, the outermost first.
    around: Vec<Around>,
    /// Which functions may be inlined, as far as they were asked for.
    inlinable: HashMap<u32, bool>,
}

/// An inlined body around the current operator.
struct Around {
    func: u32,
    /// Its block, as an index into `control`.
    block: usize,
    /// What to add to the place of an operator of it in the module for its position.
    shift: u32,
}

impl Inlining {
    /// Nothing yet, in the function whose body stands at `range`.
    pub(super) fn new(module: &Module, range: &Range<u32>, tunables: &Tunables) -> Inlining {
        let wanted = tunables.optimization == Optimization::Speed;
        let budget = if wanted { (BUDGET + range.end - range.start).min(MAX_BUDGET) } else { 0 };
        let next = u32::try_from(module.bytes.len()).unwrap_or(u32::MAX);
        Inlining { budget, next, bodies: Vec::new(), around: Vec::new(), inlinable: HashMap::new() }
    }

    /// The position of the operator at this place in the module, in the innermost body.
    pub(super) fn position(&self, module_offset: u32) -> u32 {
        self.around.last().map_or(module_offset, |body| module_offset.wrapping_add(body.shift))
    }

    /// All that was inlined, by ascending position.
    pub(super) fn bodies(self) -> Vec<Inlined> {
        self.bodies
    }

    /// Whether so many bytes may still be inlined.
    fn has_room(&self, len: u32) -> bool {
        // The last number is no position.
        len <= self.budget && len < u32::MAX - self.next
    }
}

impl Translator<'_> {
    /// The block of the innermost inlined body around, if there is one.
    pub(super) fn inlined_body(&self) -> Option<usize> {
        self.inlining.around.last().map(|body| body.block)
    }

    /// Whether a call of the function should be replaced by its body.
    pub(super) fn is_worth_inlining(&mut self, func: u32) -> bool {
        let Some(defined) = self.module.defined_func(func) else { return false };
        let range = &self.module.bodies[defined as usize];
        let len = range.end - range.start;
        let around = &self.inlining.around;
        let is_possible = around.len() < MAX_DEPTH && self.inlining.has_room(len) && self.locals.are_values();
        if len > MAX_HOT_BODY || !is_possible {
            return false;
        }
        let same = around.iter().filter(|body| body.func == func).count() + usize::from(func == self.func_index);
        let is_hot = same > 0 || self.loops > 0;
        if same >= MAX_SAME || !is_hot && len > MAX_BODY {
            return false;
        }
        let module = self.module;
        *self.inlining.inlinable.entry(func).or_insert_with(|| is_inlinable(module, func, range).unwrap_or(false))
    }

    /// Translates the body of a function in place of a call, for which [`Translator::is_worth_inlining`] was asked.
    pub(super) fn inline(&mut self, func: u32) -> Result<(), CompileError> {
        let range = &self.module.bodies[(func - self.module.imported_functions) as usize];
        let call = self.inlining.position(self.at);
        let start = self.inlining.next;
        self.inlining.next += range.end - range.start;
        self.inlining.budget -= range.end - range.start;
        self.inlining.bodies.push(Inlined { start, body: range.start, call });
        let shift = start.wrapping_sub(range.start);
        self.inlining.around.push(Around { func, block: self.control.len(), shift });

        let params = self.module.func_type(func).params().len();
        let args = self.stack.split_off(self.stack.len() - params);
        let (at, locals) = (self.at, self.locals.put_aside());
        if self.body(func, &body_of(self.module, range), &args)? {
            self.locals.take_back(locals);
            self.inlining.around.pop();
            self.at = at;
        }
        Ok(())
    }
}

/// Whether a function may be inlined: not if it ends with a call that takes its frame, nor if it has blocks of the legacy
/// exceptions. Nor if its bytes are damaged, which is for its own call to say.
fn is_inlinable(module: &Module, func: u32, range: &Range<u32>) -> Result<bool, CompileError> {
    if !module.bytes.check(range.start as usize..range.end as usize) {
        return Ok(false);
    }
    let body = body_of(module, range);
    let ty = module.func_type(func);
    let values = ty.params().len() + ty.results().len() + local_count(&body)?;
    if values > MAX_VALUES {
        return Ok(false);
    }
    let mut operators = body.get_operators_reader().map_err(unreadable)?;
    while !operators.eof() {
        let operator = operators.read().map_err(unreadable)?;
        // What is not supported is for its own call to say.
        if matches!(Op::new(&operator), Err(_) | Ok(Op::ReturnCall(_) | Op::Try(_))) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many locals are declared, parameters not counted.
fn local_count(body: &FunctionBody<'_>) -> Result<usize, CompileError> {
    let mut locals = body.get_locals_reader().map_err(unreadable)?;
    let mut count = 0;
    for _ in 0..locals.get_count() {
        count += locals.read().map_err(unreadable)?.0 as usize;
    }
    Ok(count)
}
