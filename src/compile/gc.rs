//! What the operators of garbage-collected objects mean, in families: structures, arrays, `i31`, casts, conversions.

use super::op::Op;
use wasmparser::{HeapType, Operator, RefType};

/// An operator on structures, arrays or references of the `any` hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GcOp {
    /// `struct.new` of the type with this index.
    StructNew(u32),
    /// `struct.new_default`
    StructNewDefault(u32),
    /// `struct.get`, `struct.get_s`, `struct.get_u`
    StructGet {
        /// The structure type.
        ty: u32,
        /// The field.
        field: u32,
        /// Whether a packed field is extended by the sign.
        signed: bool,
    },
    /// `struct.set`
    StructSet {
        /// The structure type.
        ty: u32,
        /// The field.
        field: u32,
    },
    /// `array.new`
    ArrayNew(u32),
    /// `array.new_default`
    ArrayNewDefault(u32),
    /// `array.new_fixed`
    ArrayNewFixed {
        /// The array type.
        ty: u32,
        /// How many elements.
        len: u32,
    },
    /// `array.new_data`
    ArrayNewData {
        /// The array type.
        ty: u32,
        /// The data segment.
        segment: u32,
    },
    /// `array.new_elem`
    ArrayNewElem {
        /// The array type.
        ty: u32,
        /// The element segment.
        segment: u32,
    },
    /// `array.get`, `array.get_s`, `array.get_u`
    ArrayGet {
        /// The array type.
        ty: u32,
        /// Whether a packed element is extended by the sign.
        signed: bool,
    },
    /// `array.set`
    ArraySet(u32),
    /// `array.len`
    ArrayLen,
    /// `array.fill`
    ArrayFill(u32),
    /// `array.copy`
    ArrayCopy {
        /// The type of the array that is written.
        dst: u32,
        /// The type of the array that is read.
        src: u32,
    },
    /// `array.init_data`
    ArrayInitData {
        /// The array type.
        ty: u32,
        /// The data segment.
        segment: u32,
    },
    /// `array.init_elem`
    ArrayInitElem {
        /// The array type.
        ty: u32,
        /// The element segment.
        segment: u32,
    },
    /// `ref.i31`: the lower 31 bits.
    RefI31,
    /// `i31.get_s`, `i31.get_u`
    I31Get {
        /// Whether it is extended by the sign.
        signed: bool,
    },
    /// `ref.eq`
    RefEq,
    /// `ref.test`: whether the reference belongs to a type.
    RefTest(Target),
    /// `ref.cast`: traps unless it does.
    RefCast(Target),
    /// `br_on_cast`: branches if it does, the reference stays on the stack. `br_on_cast_fail`: branches if it does not.
    BrOnCast {
        /// The label.
        depth: u32,
        /// The type that it has in any case.
        from: Target,
        /// The type.
        to: Target,
        /// Whether it is the failure that branches.
        on_fail: bool,
    },
    /// `any.convert_extern`
    AnyConvertExtern,
    /// `extern.convert_any`
    ExternConvertAny,
}

/// The type that a reference is tested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether null belongs to it.
    pub nullable: bool,
    /// What else does.
    pub heap: HeapType,
}

impl From<RefType> for Target {
    fn from(ty: RefType) -> Target {
        Target { nullable: ty.is_nullable(), heap: ty.heap_type() }
    }
}

/// The family of an operator, if it is one of these.
pub(super) fn family<'a>(operator: &Operator<'_>) -> Option<Op<'a>> {
    use Operator as O;
    let nullable = |heap: &HeapType| Target { nullable: true, heap: *heap };
    let non_null = |heap: &HeapType| Target { nullable: false, heap: *heap };
    let struct_get = |ty: &u32, field: &u32, signed| GcOp::StructGet { ty: *ty, field: *field, signed };
    let array_get = |ty: &u32, signed| GcOp::ArrayGet { ty: *ty, signed };
    let on_cast = |depth: &u32, from: &RefType, to: &RefType, on_fail| {
        let (from, to) = ((*from).into(), (*to).into());
        GcOp::BrOnCast { depth: *depth, from, to, on_fail }
    };
    Some(Op::Gc(match operator {
        O::StructNew { struct_type_index: ty } => GcOp::StructNew(*ty),
        O::StructNewDefault { struct_type_index: ty } => GcOp::StructNewDefault(*ty),
        O::StructGet { struct_type_index: ty, field_index } => struct_get(ty, field_index, false),
        O::StructGetS { struct_type_index: ty, field_index } => struct_get(ty, field_index, true),
        O::StructGetU { struct_type_index: ty, field_index } => struct_get(ty, field_index, false),
        O::StructSet { struct_type_index: ty, field_index } => GcOp::StructSet { ty: *ty, field: *field_index },
        O::ArrayNew { array_type_index: ty } => GcOp::ArrayNew(*ty),
        O::ArrayNewDefault { array_type_index: ty } => GcOp::ArrayNewDefault(*ty),
        O::ArrayNewFixed { array_type_index: ty, array_size } => GcOp::ArrayNewFixed { ty: *ty, len: *array_size },
        O::ArrayNewData { array_type_index: ty, array_data_index: segment } => {
            GcOp::ArrayNewData { ty: *ty, segment: *segment }
        }
        O::ArrayNewElem { array_type_index: ty, array_elem_index: segment } => {
            GcOp::ArrayNewElem { ty: *ty, segment: *segment }
        }
        O::ArrayGet { array_type_index: ty } => array_get(ty, false),
        O::ArrayGetS { array_type_index: ty } => array_get(ty, true),
        O::ArrayGetU { array_type_index: ty } => array_get(ty, false),
        O::ArraySet { array_type_index: ty } => GcOp::ArraySet(*ty),
        O::ArrayLen => GcOp::ArrayLen,
        O::ArrayFill { array_type_index: ty } => GcOp::ArrayFill(*ty),
        O::ArrayCopy { array_type_index_dst: dst, array_type_index_src: src } => {
            GcOp::ArrayCopy { dst: *dst, src: *src }
        }
        O::ArrayInitData { array_type_index: ty, array_data_index: segment } => {
            GcOp::ArrayInitData { ty: *ty, segment: *segment }
        }
        O::ArrayInitElem { array_type_index: ty, array_elem_index: segment } => {
            GcOp::ArrayInitElem { ty: *ty, segment: *segment }
        }
        O::RefI31 => GcOp::RefI31,
        O::I31GetS => GcOp::I31Get { signed: true },
        O::I31GetU => GcOp::I31Get { signed: false },
        O::RefEq => GcOp::RefEq,
        O::RefTestNonNull { hty } => GcOp::RefTest(non_null(hty)),
        O::RefTestNullable { hty } => GcOp::RefTest(nullable(hty)),
        O::RefCastNonNull { hty } => GcOp::RefCast(non_null(hty)),
        O::RefCastNullable { hty } => GcOp::RefCast(nullable(hty)),
        O::BrOnCast { relative_depth, from_ref_type, to_ref_type } => {
            on_cast(relative_depth, from_ref_type, to_ref_type, false)
        }
        O::BrOnCastFail { relative_depth, from_ref_type, to_ref_type } => {
            on_cast(relative_depth, from_ref_type, to_ref_type, true)
        }
        O::AnyConvertExtern => GcOp::AnyConvertExtern,
        O::ExternConvertAny => GcOp::ExternConvertAny,
        _ => return None,
    }))
}
