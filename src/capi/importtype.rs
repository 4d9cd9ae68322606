//! Imports of a module (specification: Modules, Imports): two names and the type that is asked for.

use super::byte::{wasm_byte_vec_t, wasm_name_t};
use super::error;
use super::externtype::wasm_externtype_t;
use super::own::{Out, Own, Take, boxed};
use super::vec::{self, Copied, Owned, vector};
use crate::types::ImportType;

/// What a module imports: two names and a type.
pub struct wasm_importtype_t {
    module: Owned<wasm_byte_vec_t>,
    name: Owned<wasm_byte_vec_t>,
    ty: Box<wasm_externtype_t>,
}

impl wasm_importtype_t {
    /// The C object for an import.
    pub(crate) fn from_ty(import: &ImportType) -> Own<wasm_importtype_t> {
        boxed(wasm_importtype_t {
            module: wasm_byte_vec_t::from_bytes(import.module.as_bytes())?,
            name: wasm_byte_vec_t::from_bytes(import.name.as_bytes())?,
            ty: wasm_externtype_t::from_ty(&import.ty)?,
        })
    }
}

impl Copied for wasm_importtype_t {
    fn copied(&self) -> Own<wasm_importtype_t> {
        boxed(wasm_importtype_t {
            module: wasm_byte_vec_t::from_bytes(self.module.as_bytes())?,
            name: wasm_byte_vec_t::from_bytes(self.name.as_bytes())?,
            ty: self.ty.copied()?,
        })
    }
}

/// Deletes an import; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_delete(ty: Own<wasm_importtype_t>) {
    drop(ty);
}

/// A vector of imports.
#[repr(C)]
pub struct wasm_importtype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The imports; NULL if there are none.
    pub data: *mut Own<wasm_importtype_t>,
}
vector!(wasm_importtype_vec_t of Own<wasm_importtype_t>);

/// Makes an empty vector of imports.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_vec_new_empty(out: Out<wasm_importtype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` imports, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_vec_new_uninitialized(out: Out<wasm_importtype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` imports that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_vec_new(
    out: Out<wasm_importtype_vec_t>,
    size: usize,
    data: *const Own<wasm_importtype_t>,
) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of imports, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_vec_copy(out: Out<wasm_importtype_vec_t>, vec: Option<&wasm_importtype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the imports in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_vec_delete(vec: Take<wasm_importtype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of an import. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_copy(ty: Option<&wasm_importtype_t>) -> Own<wasm_importtype_t> {
    ty?.copied()
}

/// Makes an import of these two names and this type. Takes over all three, and leaves the names empty, also where it
/// gives NULL: for a type of NULL, or where memory has run out. A name of NULL stands for the empty name.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_new(
    module: Take<wasm_name_t>,
    name: Take<wasm_name_t>,
    ty: Own<wasm_externtype_t>,
) -> Own<wasm_importtype_t> {
    let (module, name) = (Owned::new(module.take()), Owned::new(name.take()));
    let Some(ty) = ty else {
        error::null("wasm_importtype_new", "the type");
        return None;
    };
    boxed(wasm_importtype_t { module, name, ty })
}

/// The first name: that of the module to import from. It belongs to the import. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_module(ty: Option<&wasm_importtype_t>) -> Option<&wasm_name_t> {
    Some(&ty?.module)
}

/// The second name: that of the thing to import. It belongs to the import. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_name(ty: Option<&wasm_importtype_t>) -> Option<&wasm_name_t> {
    Some(&ty?.name)
}

/// The type that is asked for. It belongs to the import. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_type(ty: Option<&wasm_importtype_t>) -> Option<&wasm_externtype_t> {
    Some(&ty?.ty)
}
