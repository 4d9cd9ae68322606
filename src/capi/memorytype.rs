//! Memory types (specification: Types, Memory Types).

use super::error;
use super::externtype::{self, wasm_externtype_t};
use super::limits::wasm_limits_t;
use super::own::{Out, Own, Take};
use super::vec::{self, Copied, vector};
use crate::types::{ExternType, MemoryType};

/// A memory type.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_memorytype_t(wasm_externtype_t);
externtype::noun!(wasm_memorytype_t, Memory);

/// What a memory type holds: the type, and the limits that the C functions lend out.
pub(crate) struct Parts {
    pub(crate) ty: MemoryType,
    limits: wasm_limits_t,
}

impl Parts {
    /// The parts for a type.
    pub(crate) fn new(ty: &MemoryType) -> Parts {
        Parts { ty: *ty, limits: wasm_limits_t::from_ty(&ty.limits) }
    }
}

impl wasm_memorytype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: &MemoryType) -> Own<wasm_memorytype_t> {
        wasm_memorytype_t::from_extern(&ExternType::Memory(*ty))
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> Option<&MemoryType> {
        Some(&self.parts()?.ty)
    }
}

/// Deletes a memory type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_delete(ty: Own<wasm_memorytype_t>) {
    drop(ty);
}

/// A vector of memory types.
#[repr(C)]
pub struct wasm_memorytype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The memory types; NULL if there are none.
    pub data: *mut Own<wasm_memorytype_t>,
}
vector!(wasm_memorytype_vec_t of Own<wasm_memorytype_t>);

/// Makes an empty vector of memory types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_vec_new_empty(out: Out<wasm_memorytype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` memory types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_vec_new_uninitialized(out: Out<wasm_memorytype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` memory types that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_vec_new(
    out: Out<wasm_memorytype_vec_t>,
    size: usize,
    data: *const Own<wasm_memorytype_t>,
) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of memory types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_vec_copy(out: Out<wasm_memorytype_vec_t>, vec: Option<&wasm_memorytype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the memory types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_vec_delete(vec: Take<wasm_memorytype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a memory type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_copy(ty: Option<&wasm_memorytype_t>) -> Own<wasm_memorytype_t> {
    ty?.copied()
}

/// Makes the type of a memory with 32-bit addresses, limits in pages of 65536 bytes. Limits of NULL, or memory
/// running out, give NULL. Limits whose minimum is above the maximum, or above the 65536 pages that 32 bits can
/// address, are data like any other here; it is `wasm_memory_new` that refuses them.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_new(limits: Option<&wasm_limits_t>) -> Own<wasm_memorytype_t> {
    let Some(limits) = limits else {
        error::null("wasm_memorytype_new", "limits");
        return None;
    };
    wasm_memorytype_t::from_ty(&MemoryType::new32(limits.to_ty()))
}

/// The limits, in pages. They belong to the memory type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_limits(ty: Option<&wasm_memorytype_t>) -> Option<&wasm_limits_t> {
    let parts = ty?.parts()?;
    wasm_limits_t::report("wasm_memorytype_limits", &parts.ty.limits);
    Some(&parts.limits)
}
