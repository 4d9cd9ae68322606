//! Global types (specification: Types, Global Types).

use super::error;
use super::externtype::{self, wasm_externtype_t};
use super::own::{Out, Own, Take};
use super::valtype::wasm_valtype_t;
use super::vec::{self, Copied, vector};
use crate::types::{ExternType, GlobalType};

/// A global type.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_globaltype_t(wasm_externtype_t);
externtype::noun!(wasm_globaltype_t, Global);

/// What a global type holds: the type, and the value type that the C functions lend out.
pub(crate) struct Parts {
    pub(crate) ty: GlobalType,
    content: wasm_valtype_t,
}

impl Parts {
    /// The parts for a type.
    pub(crate) fn new(ty: &GlobalType) -> Parts {
        Parts { ty: *ty, content: wasm_valtype_t::inline(ty.content) }
    }
}

impl wasm_globaltype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: &GlobalType) -> Own<wasm_globaltype_t> {
        wasm_globaltype_t::from_extern(&ExternType::Global(*ty))
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> Option<&GlobalType> {
        Some(&self.parts()?.ty)
    }
}

/// Deletes a global type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_delete(ty: Own<wasm_globaltype_t>) {
    drop(ty);
}

/// A vector of global types.
#[repr(C)]
pub struct wasm_globaltype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The global types; NULL if there are none.
    pub data: *mut Own<wasm_globaltype_t>,
}
vector!(wasm_globaltype_vec_t of Own<wasm_globaltype_t>);

/// Makes an empty vector of global types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_vec_new_empty(out: Out<wasm_globaltype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` global types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_vec_new_uninitialized(out: Out<wasm_globaltype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` global types that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_vec_new(
    out: Out<wasm_globaltype_vec_t>,
    size: usize,
    data: *const Own<wasm_globaltype_t>,
) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of global types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_vec_copy(out: Out<wasm_globaltype_vec_t>, vec: Option<&wasm_globaltype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the global types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_vec_delete(vec: Take<wasm_globaltype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a global type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_copy(ty: Option<&wasm_globaltype_t>) -> Own<wasm_globaltype_t> {
    ty?.copied()
}

/// Whether a global may be set: one of the constants of `wasm_mutability_enum`.
pub type wasm_mutability_t = u8;

/// Whether a global may be set.
#[repr(C)]
pub enum wasm_mutability_enum {
    /// The value never changes.
    WASM_CONST,
    /// The value may be set.
    WASM_VAR,
}

/// Makes a global type. Takes over the value type, also where it gives NULL: for a value type of NULL, a mutability
/// that is neither `WASM_CONST` nor `WASM_VAR`, or where memory has run out.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_new(
    content: Own<wasm_valtype_t>,
    mutability: wasm_mutability_t,
) -> Own<wasm_globaltype_t> {
    let Some(content) = content else {
        error::null("wasm_globaltype_new", "the value type");
        return None;
    };
    if mutability > wasm_mutability_enum::WASM_VAR as wasm_mutability_t {
        error::fail(
            error::Kind::TENON_ERROR_ARGUMENT,
            format_args!("wasm_globaltype_new: {mutability} is not a mutability"),
        );
        return None;
    }
    let mutable = mutability == wasm_mutability_enum::WASM_VAR as wasm_mutability_t;
    let content = error::keep(content.alone("wasm_globaltype_new"))?;
    wasm_globaltype_t::from_ty(&GlobalType { content, mutable })
}

/// The type of the value. It belongs to the global type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_content(ty: Option<&wasm_globaltype_t>) -> Option<&wasm_valtype_t> {
    Some(&ty?.parts()?.content)
}

/// Whether the global may be set. With NULL: `WASM_CONST`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_mutability(ty: Option<&wasm_globaltype_t>) -> wasm_mutability_t {
    ty.and_then(wasm_globaltype_t::to_ty).is_some_and(|ty| ty.mutable) as wasm_mutability_t
}
