//! Exports of a module (specification: Modules, Exports): a name and the type of what is given.

use super::byte::{wasm_byte_vec_t, wasm_name_t};
use super::error;
use super::externtype::wasm_externtype_t;
use super::own::{Out, Own, Take, boxed};
use super::vec::{self, Copied, Owned, vector};
use crate::types::ExportType;

/// What a module exports: a name and a type.
pub struct wasm_exporttype_t {
    name: Owned<wasm_byte_vec_t>,
    ty: Box<wasm_externtype_t>,
}

impl wasm_exporttype_t {
    /// The C object for an export.
    pub(crate) fn from_ty(export: &ExportType) -> Own<wasm_exporttype_t> {
        boxed(wasm_exporttype_t {
            name: wasm_byte_vec_t::from_bytes(export.name.as_bytes())?,
            ty: wasm_externtype_t::from_ty(&export.ty)?,
        })
    }
}

impl Copied for wasm_exporttype_t {
    fn copied(&self) -> Own<wasm_exporttype_t> {
        boxed(wasm_exporttype_t { name: wasm_byte_vec_t::from_bytes(self.name.as_bytes())?, ty: self.ty.copied()? })
    }
}

/// Deletes an export; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_delete(ty: Own<wasm_exporttype_t>) {
    drop(ty);
}

/// A vector of exports.
#[repr(C)]
pub struct wasm_exporttype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The exports; NULL if there are none.
    pub data: *mut Own<wasm_exporttype_t>,
}
vector!(wasm_exporttype_vec_t of Own<wasm_exporttype_t>);

/// Makes an empty vector of exports.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_vec_new_empty(out: Out<wasm_exporttype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` exports, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_vec_new_uninitialized(out: Out<wasm_exporttype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` exports that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_vec_new(
    out: Out<wasm_exporttype_vec_t>,
    size: usize,
    data: *const Own<wasm_exporttype_t>,
) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of exports, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_vec_copy(out: Out<wasm_exporttype_vec_t>, vec: Option<&wasm_exporttype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the exports in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_vec_delete(vec: Take<wasm_exporttype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of an export. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_copy(ty: Option<&wasm_exporttype_t>) -> Own<wasm_exporttype_t> {
    ty?.copied()
}

/// Makes an export of this name and type. Takes over both, and leaves the name empty, also where it gives NULL: for a
/// type of NULL, or where memory has run out. A name of NULL stands for the empty name.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_new(name: Take<wasm_name_t>, ty: Own<wasm_externtype_t>) -> Own<wasm_exporttype_t> {
    let name = Owned::new(name.take());
    let Some(ty) = ty else {
        error::null("wasm_exporttype_new", "the type");
        return None;
    };
    boxed(wasm_exporttype_t { name, ty })
}

/// The name. It belongs to the export. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_name(ty: Option<&wasm_exporttype_t>) -> Option<&wasm_name_t> {
    Some(&ty?.name)
}

/// The type of what is given. It belongs to the export. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_type(ty: Option<&wasm_exporttype_t>) -> Option<&wasm_externtype_t> {
    Some(&ty?.ty)
}
