//! Value types (specification: Types, Value Types). `wasm.h` has a number for each type that existed when it was
//! written; a value type here holds any type of the specification, so that a module's types can be read whatever they
//! are.

use super::error::{self, Kind, tenon_error_t};
use super::own::{Out, Own, Take, boxed};
use super::vec::{self, Copied, Owned, Vector, vector};
use crate::types::{DefType, HeapType, Hierarchy, RefType, ValType};

/// A value type.
pub struct wasm_valtype_t {
    ty: ValType,
    /// The defined type that it mentions.
    _owned: Option<DefType>,
}

impl wasm_valtype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: ValType) -> Own<wasm_valtype_t> {
        boxed(wasm_valtype_t::inline(ty))
    }

    /// The same as part of another object.
    pub(crate) fn inline(ty: ValType) -> wasm_valtype_t {
        wasm_valtype_t { ty, _owned: ty.def_type() }
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> ValType {
        self.ty
    }

    /// The type, where it is to mean something outside of the declaration of a group.
    pub(crate) fn alone(&self, function: &str) -> Result<ValType, tenon_error_t> {
        match self.ty {
            ValType::Ref(RefType { heap: HeapType::Concrete(id), .. }) if id.is_in_group() => {
                let message = "a type of tenon_valtype_new_ref_in_group means nothing outside of a declaration";
                Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("{function}: {message}")))
            }
            ty => Ok(ty),
        }
    }
}

impl Copied for wasm_valtype_t {
    fn copied(&self) -> Own<wasm_valtype_t> {
        wasm_valtype_t::from_ty(self.ty)
    }
}

/// Deletes a value type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_delete(ty: Own<wasm_valtype_t>) {
    drop(ty);
}

/// A vector of value types.
#[repr(C)]
pub struct wasm_valtype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The value types; NULL if there are none.
    pub data: *mut Own<wasm_valtype_t>,
}
vector!(wasm_valtype_vec_t of Own<wasm_valtype_t>);

/// Makes an empty vector of value types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_vec_new_empty(out: Out<wasm_valtype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` value types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_vec_new_uninitialized(out: Out<wasm_valtype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` value types that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_vec_new(out: Out<wasm_valtype_vec_t>, size: usize, data: *const Own<wasm_valtype_t>) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of value types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_vec_copy(out: Out<wasm_valtype_vec_t>, vec: Option<&wasm_valtype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the value types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_vec_delete(vec: Take<wasm_valtype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a value type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_copy(ty: Option<&wasm_valtype_t>) -> Own<wasm_valtype_t> {
    ty?.copied()
}

impl wasm_valtype_vec_t {
    /// The vector of these types; `None` where memory has run out.
    pub(crate) fn from_tys(types: &[ValType]) -> Option<Owned<wasm_valtype_vec_t>> {
        Owned::collect(types.iter().map(|&ty| wasm_valtype_t::from_ty(ty).map(Some)))
    }

    /// The types; `None` if one of them is NULL.
    pub(crate) fn to_tys(&self) -> Option<Vec<ValType>> {
        self.elements().iter().map(|ty| ty.as_deref().map(wasm_valtype_t::to_ty)).collect()
    }
}

/// What kind of value it is: one of the constants of `wasm_valkind_enum`.
pub type wasm_valkind_t = u8;

/// The kinds of values. Kinds below `WASM_EXTERNREF` are numbers, the others references. (`tenon.h` adds kinds.)
#[repr(C)]
pub enum wasm_valkind_enum {
    /// 32-bit integer, signed or not as each instruction takes it.
    WASM_I32,
    /// 64-bit integer, signed or not as each instruction takes it.
    WASM_I64,
    /// 32-bit IEEE 754 float.
    WASM_F32,
    /// 64-bit IEEE 754 float.
    WASM_F64,
    /// Any object of the host, or null.
    WASM_EXTERNREF = 128,
    /// Any function, or null.
    WASM_FUNCREF,
}
pub(crate) use wasm_valkind_enum as ValKind;

/// The kind of 128-bit vectors, for which `wasm.h` has no name.
pub(crate) const V128_KIND: wasm_valkind_t = 4;

/// The number that stands for a type; for a reference type that has none of its own, that of the type it belongs to.
pub(crate) fn kind_of(ty: ValType) -> wasm_valkind_t {
    match ty {
        ValType::I32 => ValKind::WASM_I32 as wasm_valkind_t,
        ValType::I64 => ValKind::WASM_I64 as wasm_valkind_t,
        ValType::F32 => ValKind::WASM_F32 as wasm_valkind_t,
        ValType::F64 => ValKind::WASM_F64 as wasm_valkind_t,
        ValType::V128 => V128_KIND,
        ValType::Ref(ty) if ty.heap.hierarchy() == Hierarchy::Func => ValKind::WASM_FUNCREF as wasm_valkind_t,
        ValType::Ref(_) => ValKind::WASM_EXTERNREF as wasm_valkind_t,
    }
}

/// The type that a number stands for, if it does for any.
pub(crate) fn of_kind(kind: wasm_valkind_t) -> Option<ValType> {
    [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::EXTERNREF, ValType::FUNCREF]
        .into_iter()
        .find(|&ty| kind_of(ty) == kind)
}

/// Makes the value type of a kind. A number that is no kind gives NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_new(kind: wasm_valkind_t) -> Own<wasm_valtype_t> {
    let Some(ty) = of_kind(kind) else {
        error::fail(Kind::TENON_ERROR_ARGUMENT, format_args!("wasm_valtype_new: {kind} is not a kind of value"));
        return None;
    };
    wasm_valtype_t::from_ty(ty)
}

/// The kind of a value type: 4 for `v128`; for a reference type newer than `wasm.h`, the nearest of the two
/// that it knows. With NULL: `WASM_I32`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_kind(ty: Option<&wasm_valtype_t>) -> wasm_valkind_t {
    kind_of(ty.map_or(ValType::I32, wasm_valtype_t::to_ty))
}
