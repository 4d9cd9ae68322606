//! An `if` that only chooses between values, without a branch: both arms are computed, and `select` takes of one.
//!
//! ```text
//! (if (i32.lt_u (local.get $key) (local.get $here))                  left  = load at+16
//!   (then (local.set $at (struct.get $node $left (local.get $at))))  right = load at+20
//!   (else (local.set $at (struct.get $node $right (local.get $at)))))  at = select key < here, left, right
//! ```
//! That pays where nobody can predict the way, and costs where the way is always the same: what comes next must wait for the
//! comparison and for both arms. Hence only if one number is *less* than another (what is equal, zero or null is as a rule known),
//! the module has no hint, and both arms read the same object, or do hardly anything.
//!
//! Both arms must be safe to compute. A field is read early only from a local that the arm has not set, so that its declared type
//! says what it refers to, and that is known not to be null.

use super::control::Frame;
use super::env::clif_type;
use super::translate::{Translator, unreadable};
use crate::compile::CompileError;
use crate::compile::gc::GcOp;
use crate::compile::op::{Convert, IntBinary, Op};
use crate::types::ValType;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Value, types};
use wasmparser::{BinaryReader, BlockType, OperatorsReader};

/// Operators in an arm at most.
const MAX_OPERATORS: usize = 8;
/// What both arms may compute, in instructions, if they read no object.
const MAX_COST: usize = 1;
/// Values to choose, at most.
const MAX_VALUES: usize = 2;
/// How many of the references that were found not to be null last are remembered.
const MAX_REMEMBERED: usize = 64;

/// An `if` that is being translated as a choice.
pub(super) struct Choice {
    condition: Value,
    /// The locals that an arm sets, and their values before.
    locals: Vec<(u32, Value)>,
    results: Vec<ValType>,
    /// What the first arm makes of the locals, and its results, once it has ended.
    first: Option<Vec<Value>>,
}

/// What an arm does.
#[derive(Default)]
struct Arm {
    sets: Vec<u32>,
    /// The local that refers to the object of which it reads a field.
    reads: Option<u32>,
    cost: usize,
}

impl<'a> Translator<'a> {
    /// Remembers that a reference is not null from here on, in all that comes behind.
    pub(super) fn is_not_null(&mut self, reference: Value) {
        if self.not_null.last() != Some(&reference) {
            self.not_null.push(reference);
        }
    }

    fn is_known_not_null(&self, local: u32, reference: Value) -> bool {
        if matches!(self.locals.ty(local), ValType::Ref(ty) if !ty.nullable) {
            return true;
        }
        let dfg = &self.b.func.dfg;
        let reference = dfg.resolve_aliases(reference);
        self.not_null.iter().rev().take(MAX_REMEMBERED).any(|known| dfg.resolve_aliases(*known) == reference)
    }

    /// Begins the `if` at the current place as a choice, if it is one that pays. The condition is on the stack.
    pub(super) fn begin_choice(&mut self, ty: BlockType) -> Result<bool, CompileError> {
        let results = match ty {
            BlockType::Empty => Vec::new(),
            BlockType::Type(ty) => vec![self.val_type(ty)?],
            BlockType::FuncType(_) => return Ok(false),
        };
        let condition = *self.stack.last().expect("validation has counted the operands");
        if !self.locals.are_values() || !self.is_open(condition) || self.module.branch_hint(self.at).is_some() {
            return Ok(false);
        }
        let Some((first, second)) = self.arms()? else { return Ok(false) };
        let mut sets = first.sets;
        sets.extend(second.sets);
        sets.sort_unstable();
        sets.dedup();
        let pays = match (first.reads, second.reads) {
            (Some(a), Some(b)) => a == b,
            (None, None) => first.cost + second.cost <= MAX_COST,
            _ => false,
        };
        let chosen = results.len() + sets.len();
        if !pays || !(1..=MAX_VALUES).contains(&chosen) {
            return Ok(false);
        }
        if let Some(local) = first.reads {
            let reference = self.locals.get(&mut self.b, local);
            if !self.is_known_not_null(local, reference) {
                return Ok(false);
            }
        }
        let types = results.iter().copied().chain(sets.iter().map(|local| self.locals.ty(*local)));
        // Others have no conditional move.
        if !types.map(clif_type).all(|ty| matches!(ty, types::I32 | types::I64)) {
            return Ok(false);
        }
        self.pop();
        let locals = sets.into_iter().map(|local| (local, self.locals.get(&mut self.b, local))).collect();
        let choice = Choice { condition, locals, results, first: None };
        let here = self.b.current_block().expect("a block is being filled");
        self.control.push(Frame::of_choice(choice, here, self.stack.len()));
        Ok(true)
    }

    /// Whether both outcomes of a condition are to be expected: it says that one number is less than another.
    fn is_open(&self, condition: Value) -> bool {
        let dfg = &self.b.func.dfg;
        let data = |value| Some(dfg.insts[dfg.value_def(dfg.resolve_aliases(value)).inst()?]);
        let Some(InstructionData::Unary { opcode: Opcode::Uextend, arg }) = data(condition) else { return false };
        match data(arg) {
            Some(InstructionData::IntCompare { cond, .. }) => !matches!(cond, IntCC::Equal | IntCC::NotEqual),
            Some(InstructionData::FloatCompare { cond, .. }) => !matches!(cond, FloatCC::Equal | FloatCC::NotEqual),
            _ => false,
        }
    }

    /// What the arms of the `if` at the current place do, if both may be computed.
    fn arms(&mut self) -> Result<Option<(Arm, Arm)>, CompileError> {
        let bytes = &self.module.bytes[self.at as usize..self.body_end as usize];
        let allocations = std::mem::take(&mut self.ahead);
        let mut operators = OperatorsReader::new_with_allocs(BinaryReader::new(bytes, u64::from(self.at)), allocations);
        let mut read = || operators.read().map_err(unreadable);
        read()?;
        let mut arms = [Arm::default(), Arm::default()];
        let mut current = 0;
        let mut last = None;
        for _ in 0..2 * MAX_OPERATORS {
            // What is not supported is found when it is translated.
            let Ok(op) = Op::new(&read()?) else { break };
            match op {
                Op::Else => current = 1,
                Op::End => {
                    self.ahead = operators.into_allocations();
                    let [first, second] = arms;
                    return Ok(Some((first, second)));
                }
                ref op => {
                    if !arms[current].add(op, last) {
                        break;
                    }
                }
            }
            last = Some(op);
        }
        self.ahead = operators.into_allocations();
        Ok(None)
    }

    /// The end of an arm of the innermost block: the locals and results as it leaves them.
    fn end_arm(&mut self) -> Vec<Value> {
        let frame = self.control.last().expect("there is a block");
        let locals = frame.choice().locals.iter();
        let mut values: Vec<Value> = locals.map(|(local, _)| self.locals.get(&mut self.b, *local)).collect();
        values.extend(self.stack.drain(frame.height()..));
        values
    }

    /// The end of the first arm of the innermost block.
    pub(super) fn else_of_choice(&mut self) {
        let first = self.end_arm();
        let choice = self.control.last_mut().expect("there is a block").choice_mut();
        choice.first = Some(first);
        for (local, before) in &choice.locals {
            self.locals.set(&mut self.b, *local, *before);
        }
    }

    /// The end of both arms: the choice.
    pub(super) fn end_choice(&mut self) {
        let last = self.end_arm();
        let frame = self.control.pop().expect("there is a block");
        let Choice { condition, locals, results, first } = frame.choice();
        let (first, second) = match first {
            Some(first) => (first.clone(), last),
            None => (last, locals.iter().map(|(_, before)| *before).collect()),
        };
        for (i, (a, b)) in first.into_iter().zip(second).enumerate() {
            let value = self.b.ins().select(*condition, a, b);
            match locals.get(i) {
                Some((local, _)) => {
                    self.declare(value, self.locals.ty(*local));
                    self.locals.set(&mut self.b, *local, value);
                }
                None => {
                    self.declare(value, results[i - locals.len()]);
                    self.push(value);
                }
            }
        }
    }
}

impl Arm {
    /// Adds an operator, behind the `last` one. Gives whether it may be computed though the other arm is taken.
    fn add(&mut self, op: &Op<'_>, last: Option<Op<'_>>) -> bool {
        match op {
            Op::LocalSet(local) | Op::LocalTee(local) => self.sets.push(*local),
            Op::Nop | Op::Drop | Op::LocalGet(_) | Op::I32Const(_) | Op::I64Const(_) | Op::RefNull(_) => {}
            Op::IntBinary(
                _,
                IntBinary::Add
                | IntBinary::Sub
                | IntBinary::And
                | IntBinary::Or
                | IntBinary::Xor
                | IntBinary::Shl
                | IntBinary::ShrS
                | IntBinary::ShrU,
            ) => self.cost += 1,
            Op::Convert(Convert::Wrap | Convert::Extend { .. }) | Op::Gc(GcOp::RefI31) => self.cost += 1,
            Op::Gc(GcOp::StructGet { .. }) => match last {
                Some(Op::LocalGet(local)) if self.reads.is_none() && !self.sets.contains(&local) => {
                    self.reads = Some(local);
                }
                _ => return false,
            },
            _ => return false,
        }
        true
    }
}
