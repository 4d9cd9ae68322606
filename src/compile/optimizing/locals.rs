//! Locals: values, as long as that is affordable.
//!
//! The builder makes values of them and passes these between blocks. For that it keeps, for each local, a place for
//! each block, and makes a value for each local that is used behind each join: what many locals take in many
//! blocks has no bound but their product. Where that gets too large the function is translated again with its
//! locals in the frame. Such functions exist only to try a compiler's patience.

use super::POINTER;
use super::env::{REGION_LOCALS, region};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::{FunctionBuilder, Variable};

/// Places for locals in blocks, of 4 bytes each.
const MAX_PLACES: usize = 48 << 20;
/// Values, of some 40 bytes each with all that belongs to them.
const MAX_VALUES: usize = 4 << 20;
/// Bytes of a local in the frame.
const SIZE: u32 = 8;

/// The locals of a function.
pub(super) enum Locals {
    /// Values.
    Values {
        /// The builder's variable for each, and the last block in which it was used.
        vars: Vec<(Variable, u32)>,
        /// Places that the builder has for them.
        places: usize,
        /// Whether it is too much.
        too_large: bool,
    },
    /// In the frame: a slot for each, made in order, hence one behind the other.
    Memory(Vec<(StackSlot, ir::Type)>),
}

impl Locals {
    /// None yet, to be values.
    pub(super) fn as_values() -> Locals {
        Locals::Values { vars: Vec::new(), places: 0, too_large: false }
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

    /// Whether it takes too much to have them as values.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(self, Locals::Values { too_large: true, .. })
    }

    /// Adds one.
    pub(super) fn declare(&mut self, b: &mut FunctionBuilder<'_>, ty: ir::Type, value: Value) {
        match self {
            Locals::Values { vars, .. } => {
                let var = b.declare_var(ty);
                b.def_var(var, value);
                vars.push((var, 0));
            }
            Locals::Memory(slots) => {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, SIZE, 3);
                slots.push((b.create_sized_stack_slot(data), ty));
                let local = slots.len() as u32 - 1;
                self.set(b, local, value);
            }
        }
    }

    /// `local.get`
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
                b.ins().load(ty, flags, address, 0)
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
        let Locals::Values { vars, places, too_large } = self else { unreachable!("locals are values here") };
        let (var, last) = &mut vars[local as usize];
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
