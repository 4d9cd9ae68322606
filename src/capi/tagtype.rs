//! Tag types (specification: Types, Tag Types).

use super::error;
use super::externtype::{self, wasm_externtype_t};
use super::functype::wasm_functype_t;
use super::own::{Out, Own, Take};
use super::vec::{self, Copied, vector};
use crate::types::{ExternType, TagType};

/// A tag type.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_tagtype_t(wasm_externtype_t);
externtype::noun!(wasm_tagtype_t, Tag);

/// What a tag type holds: the type, and the function type that the C functions lend out.
pub(crate) struct Parts {
    pub(crate) ty: TagType,
    func: Box<wasm_functype_t>,
}

impl Parts {
    /// The parts for a type; `None` where memory has run out.
    pub(crate) fn new(ty: &TagType) -> Option<Parts> {
        Some(Parts { ty: ty.clone(), func: wasm_functype_t::from_ty(&ty.func)? })
    }
}

impl wasm_tagtype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: &TagType) -> Own<wasm_tagtype_t> {
        wasm_tagtype_t::from_extern(&ExternType::Tag(ty.clone()))
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> Option<&TagType> {
        Some(&self.parts()?.ty)
    }
}

/// Deletes a tag type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_delete(ty: Own<wasm_tagtype_t>) {
    drop(ty);
}

/// A vector of tag types.
#[repr(C)]
pub struct wasm_tagtype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The tag types; NULL if there are none.
    pub data: *mut Own<wasm_tagtype_t>,
}
vector!(wasm_tagtype_vec_t of Own<wasm_tagtype_t>);

/// Makes an empty vector of tag types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_vec_new_empty(out: Out<wasm_tagtype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` tag types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_vec_new_uninitialized(out: Out<wasm_tagtype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` tag types that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_vec_new(out: Out<wasm_tagtype_vec_t>, size: usize, data: *const Own<wasm_tagtype_t>) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of tag types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_vec_copy(out: Out<wasm_tagtype_vec_t>, vec: Option<&wasm_tagtype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the tag types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_vec_delete(vec: Take<wasm_tagtype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a tag type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_copy(ty: Option<&wasm_tagtype_t>) -> Own<wasm_tagtype_t> {
    ty?.copied()
}

/// Makes a tag type: the parameters of the function type are what an exception carries. Takes over the function type,
/// also where it gives NULL: for NULL, or where memory has run out.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_new(func: Own<wasm_functype_t>) -> Own<wasm_tagtype_t> {
    let Some(func) = func else {
        error::null("wasm_tagtype_new", "the function type");
        return None;
    };
    let ty = TagType { func: func.to_ty()?.clone() };
    wasm_tagtype_t::from_parts(externtype::Parts::Tag(Parts { ty, func }))
}

/// The function type. It belongs to the tag type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_functype(ty: Option<&wasm_tagtype_t>) -> Option<&wasm_functype_t> {
    Some(&ty?.parts()?.func)
}
