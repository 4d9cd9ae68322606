//! Locals: values, as long as that is affordable.
//!
//! The builder makes values of them and passes these between blocks. For that it keeps, for each local, a place for
//! each block, and makes a value for each local that is used behind each join: what many locals take in many
//! blocks has no bound but their product. Where that gets too large the function is translated again with its
//! locals in the frame. Such functions exist only to try a compiler's patience.
//!
//! The locals of bodies that are inlined (`inline.rs`) are values as well. When such a body is done, the next one uses the builder's
//! variables again.

use super::POINTER;
use super::env::{REGION_LOCALS, clif_type, region};
use super::heap::is_traced;
use crate::compile::CompileError;
use crate::types::ValType;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::{FunctionBuilder, Variable};

/// Places for locals in blocks, of 4 bytes each.
const MAX_PLACES: usize = 48 << 20;
/// Values, of some 40 bytes each with all that belongs to them.
const MAX_VALUES: usize = 4 << 20;
/// References in locals, times blocks: some 30 bytes for each that lives in a block.
const MAX_LIVE_LOCALS: usize = 8 << 20;
/// References on the operand stack, times blocks, likewise.
pub(super) const MAX_LIVE_OPERANDS: usize = 32 << 20;
/// References in the frame, over all calls.
const MAX_ROOTS: usize = 4 << 20;
/// Bytes of a local in the frame, if it is no vector.
const SIZE: u32 = 8;

/// The locals of a function.
pub(super) enum Locals {
    /// Values.
    Values {
        /// The builder's variables.
        vars: Vec<Var>,
        /// The variable of each local.
        locals: Vec<usize>,
        /// Variables of bodies that are done.
        free: Vec<usize>,
        /// Places that the builder has for them.
        places: usize,
        /// How many are references that a collection may change.
        traced: usize,
        /// Whether it is too much.
        too_large: bool,
    },
    /// In the frame: a slot for each, made in order, hence one behind the other.
    Memory(Vec<(StackSlot, ValType)>),
}

/// A variable of the builder.
pub(super) struct Var {
    var: Variable,
    ty: ValType,
    /// The last block in which it was used.
    last: u32,
}

impl Locals {
    /// None yet, to be values.
    pub(super) fn as_values() -> Locals {
        Locals::Values {
            vars: Vec::new(),
            locals: Vec::new(),
            free: Vec::new(),
            places: 0,
            traced: 0,
            too_large: false,
        }
    }

    /// None yet, to be in the frame.
    pub(super) fn in_memory() -> Locals {
        Locals::Memory(Vec::new())
    }

    /// How many are values.
    pub(super) fn values(&self) -> usize {
        match self {
            Locals::Values { vars, .. } => vars.len(),
            Locals::Memory(_) => 0,
        }
    }

    /// The type of one.
    pub(super) fn ty(&self, local: u32) -> ValType {
        match self {
            Locals::Values { vars, locals, .. } => vars[locals[local as usize]].ty,
            Locals::Memory(slots) => slots[local as usize].1,
        }
    }

    /// Whether it takes too much to have them as values in a function of so many blocks. The builder finds out which references
    /// live in which block.
    pub(super) fn is_too_large(&self, blocks: usize) -> bool {
        match self {
            Locals::Values { too_large, traced, .. } => *too_large || traced * blocks > MAX_LIVE_LOCALS,
            Locals::Memory(_) => false,
        }
    }

    /// Tells of the references in the frame at every call, once the whole function is there.
    pub(super) fn root(&self, func: &mut ir::Function) -> Result<(), CompileError> {
        let Locals::Memory(slots) = self else { return Ok(()) };
        let traced = || slots.iter().filter(|(_, ty)| is_traced(*ty));
        let count = traced().count();
        if count == 0 {
            return Ok(());
        }
        let blocks: Vec<ir::Block> = func.layout.blocks().collect();
        let calls = blocks.into_iter().flat_map(|block| func.layout.block_insts(block).collect::<Vec<_>>());
        let calls: Vec<ir::Inst> = calls.filter(|inst| func.dfg.insts[*inst].opcode().is_safepoint()).collect();
        if calls.len().saturating_mul(count) > MAX_ROOTS {
            let message = "the function has too many calls for its many references in locals";
            return Err(CompileError::TooLarge(message.into()));
        }
        for call in calls {
            for (slot, ty) in traced() {
                let entry = ir::UserStackMapEntry { ty: clif_type(*ty), slot: *slot, offset: 0 };
                func.dfg.append_user_stack_map_entry(call, entry);
            }
        }
        Ok(())
    }

    /// Whether they are values. Only then can a body be inlined, which needs locals of its own.
    pub(super) fn are_values(&self) -> bool {
        matches!(self, Locals::Values { .. })
    }

    /// Puts the locals aside, for those of an inlined body.
    pub(super) fn put_aside(&mut self) -> Vec<usize> {
        match self {
            Locals::Values { locals, .. } => std::mem::take(locals),
            Locals::Memory(_) => Vec::new(),
        }
    }

    /// The end of an inlined body: the locals are again what they were.
    pub(super) fn take_back(&mut self, aside: Vec<usize>) {
        if let Locals::Values { locals, free, .. } = self {
            free.append(locals);
            *locals = aside;
        }
    }

    /// Adds one.
    pub(super) fn declare(&mut self, b: &mut FunctionBuilder<'_>, ty: ValType, value: Value) {
        match self {
            Locals::Values { vars, locals, free, traced, .. } => {
                let again = free.iter().position(|at| vars[*at].ty == ty).map(|at| free.swap_remove(at));
                let at = again.unwrap_or_else(|| {
                    let var = b.declare_var(clif_type(ty));
                    *traced += usize::from(is_traced(ty));
                    vars.push(Var { var, ty, last: 0 });
                    vars.len() - 1
                });
                locals.push(at);
                let local = locals.len() as u32 - 1;
                self.set(b, local, value);
            }
            Locals::Memory(slots) => {
                let size = if ty == ValType::V128 { 2 * SIZE } else { SIZE };
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, size.trailing_zeros() as u8);
                slots.push((b.create_sized_stack_slot(data), ty));
                let local = slots.len() as u32 - 1;
                self.set(b, local, value);
            }
        }
    }

    /// `local.get`. The value must be declared if it is a reference.
    pub(super) fn get(&mut self, b: &mut FunctionBuilder<'_>, local: u32) -> Value {
        match self {
            Locals::Values { .. } => {
                let var = self.touch(b, local);
                b.use_var(var)
            }
            Locals::Memory(slots) => {
                let (slot, ty) = slots[local as usize];
                let address = b.ins().stack_addr(POINTER, slot, 0);
                let flags = flags(b);
                b.ins().load(clif_type(ty), flags, address, 0)
            }
        }
    }

    /// `local.set`
    pub(super) fn set(&mut self, b: &mut FunctionBuilder<'_>, local: u32, value: Value) {
        match self {
            Locals::Values { .. } => {
                let var = self.touch(b, local);
                b.def_var(var, value);
            }
            Locals::Memory(slots) => {
                let (slot, _) = slots[local as usize];
                let address = b.ins().stack_addr(POINTER, slot, 0);
                let flags = flags(b);
                b.ins().store(flags, value, address, 0);
            }
        }
    }

    /// Counts what the use of a variable in the current block takes.
    fn touch(&mut self, b: &FunctionBuilder<'_>, local: u32) -> Variable {
        let Locals::Values { vars, locals, places, too_large, .. } = self else {
            unreachable!("locals are values here")
        };
        let Var { var, last, .. } = &mut vars[locals[local as usize]];
        let block = b.current_block().map_or(0, |block| block.as_u32());
        if block > *last {
            *places += (block - *last) as usize;
            *last = block;
        }
        *too_large = *places > MAX_PLACES || b.func.dfg.num_values() > MAX_VALUES;
        *var
    }
}

fn flags(b: &mut FunctionBuilder<'_>) -> MemFlagsData {
    MemFlagsData::trusted().with_alias_region(Some(region(b.func, REGION_LOCALS)))
}
