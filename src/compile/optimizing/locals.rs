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
use super::roots::{Area, ROOT_SIZE};
use crate::types::ValType;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::{FunctionBuilder, Variable};

/// Places for locals in blocks, of 4 bytes each.
const MAX_PLACES: usize = 48 << 20;
/// Values, of some 40 bytes each with all that belongs to them.
const MAX_VALUES: usize = 4 << 20;
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
        /// Whether it is too much.
        too_large: bool,
    },
    /// In the frame.
    Memory {
        /// Where each is. Slots are made in order, hence lie one behind the other.
        places: Vec<Place>,
        /// The slot of all that are references which a collection may change: roots during every call.
        roots: Option<StackSlot>,
    },
}

/// Where a local is in the frame.
#[derive(Clone, Copy)]
pub(super) struct Place {
    slot: StackSlot,
    offset: u32,
    ty: ValType,
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
        Locals::Values { vars: Vec::new(), locals: Vec::new(), free: Vec::new(), places: 0, too_large: false }
    }

    /// None yet, to be in the frame.
    pub(super) fn in_memory() -> Locals {
        Locals::Memory { places: Vec::new(), roots: None }
    }

    /// How many are values.
    pub(super) fn values(&self) -> usize {
        match self {
            Locals::Values { vars, .. } => vars.len(),
            Locals::Memory { .. } => 0,
        }
    }

    /// The type of one.
    pub(super) fn ty(&self, local: u32) -> ValType {
        match self {
            Locals::Values { vars, locals, .. } => vars[locals[local as usize]].ty,
            Locals::Memory { places, .. } => places[local as usize].ty,
        }
    }

    /// Whether it takes too much to have them as values.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(self, Locals::Values { too_large: true, .. })
    }

    /// Tells of the references in the frame at every call, once the whole function is there.
    pub(super) fn root(&self, func: &mut ir::Function) -> Option<Area> {
        let Locals::Memory { roots: Some(slot), .. } = *self else { return None };
        let area = Area { slot, count: func.sized_stack_slots[slot].size / ROOT_SIZE };
        area.root_everywhere(func);
        Some(area)
    }

    /// Whether they are values. Only then can a body be inlined, which needs locals of its own.
    pub(super) fn are_values(&self) -> bool {
        matches!(self, Locals::Values { .. })
    }

    /// Puts the locals aside, for those of an inlined body.
    pub(super) fn put_aside(&mut self) -> Vec<usize> {
        match self {
            Locals::Values { locals, .. } => std::mem::take(locals),
            Locals::Memory { .. } => Vec::new(),
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
            Locals::Values { vars, locals, free, .. } => {
                let again = free.iter().position(|at| vars[*at].ty == ty).map(|at| free.swap_remove(at));
                let at = again.unwrap_or_else(|| {
                    let var = b.declare_var(clif_type(ty));
                    vars.push(Var { var, ty, last: 0 });
                    vars.len() - 1
                });
                locals.push(at);
                let local = locals.len() as u32 - 1;
                self.set(b, local, value);
            }
            Locals::Memory { places, roots } => {
                let mut slot_of = |size: u32, align: u32| {
                    let align = align.trailing_zeros() as u8;
                    b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, align))
                };
                let (slot, offset) = if is_traced(ty) {
                    let slot = *roots.get_or_insert_with(|| slot_of(0, ROOT_SIZE));
                    let size = &mut b.func.sized_stack_slots[slot].size;
                    *size += ROOT_SIZE;
                    (slot, *size - ROOT_SIZE)
                } else {
                    let size = if ty == ValType::V128 { 2 * SIZE } else { SIZE };
                    (slot_of(size, size), 0)
                };
                places.push(Place { slot, offset, ty });
                let local = places.len() as u32 - 1;
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
            Locals::Memory { places, .. } => {
                let Place { slot, offset, ty } = places[local as usize];
                let address = b.ins().stack_addr(POINTER, slot, offset as i32);
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
            Locals::Memory { places, .. } => {
                let Place { slot, offset, .. } = places[local as usize];
                let address = b.ins().stack_addr(POINTER, slot, offset as i32);
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
