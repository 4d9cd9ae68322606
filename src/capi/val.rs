//! Values that cross the boundary. `wasm_val_t` itself is written in the header's template: it holds a union
//! without a name, which the generator cannot print. Its layout is that of the runtime's `Val`.

use super::own::{Empty, Out, Take};
use super::vec::{self, Element, vector};
use crate::compile::layout::VAL_KIND_UNSET;
use crate::runtime::object::{self, Object};
use crate::runtime::val::{Val, kind};
use std::mem;

/// A value that owns its reference.
#[repr(transparent)]
pub struct wasm_val_t(Val);

impl wasm_val_t {
    /// The value of the runtime that owns a handle, if it is a reference.
    pub(crate) fn owning(val: Val) -> wasm_val_t {
        wasm_val_t(val)
    }

    /// The value as the runtime has it, for as long as this one lives.
    pub(crate) fn val(&self) -> Val {
        self.0
    }

    /// The object that it refers to. A kind that does not exist is none of a reference.
    fn object(&self) -> *const Object {
        match self.0.kind {
            kind::EXTERNREF | kind::FUNCREF => self.0.object(),
            _ => std::ptr::null(),
        }
    }
}

impl Empty for wasm_val_t {
    const EMPTY: wasm_val_t = wasm_val_t(Val { kind: kind::EXTERNREF, bits: 0 });
}

impl Drop for wasm_val_t {
    fn drop(&mut self) {
        let object = self.object();
        if !object.is_null() {
            // SAFETY: a reference in a value that is owned comes with a handle, which ends here.
            super::error::guard("wasm_val_delete", (), || unsafe { object::release(object) });
        }
    }
}

impl Element for wasm_val_t {
    const DELETED: u8 = VAL_KIND_UNSET;

    fn copy(&self) -> Option<wasm_val_t> {
        // SAFETY: references in values are null or alive.
        if let Some(object) = unsafe { self.object().as_ref() } {
            object::acquire(object);
        }
        Some(wasm_val_t(self.0))
    }
}

/// Deletes a value: gives up the reference in it, if there is one, and leaves a null reference there. Numbers stay as they
/// are. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_delete(v: Take<wasm_val_t>) {
    v.edit(|v| {
        if !v.object().is_null() {
            let empty = wasm_val_t(Val { kind: v.0.kind, bits: 0 });
            drop(mem::replace(v, empty));
        }
    });
}

/// Makes a copy of a value, with a reference of its own if it has one. With NULL: a null reference.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_copy(out: Out<wasm_val_t>, v: Option<&wasm_val_t>) {
    let copy = v.and_then(Element::copy).unwrap_or(wasm_val_t::EMPTY);
    // Without a variable the copy is not wanted.
    drop(out.write(copy));
}

/// A vector of values.
#[repr(C)]
pub struct wasm_val_vec_t {
    /// How many there are.
    pub size: usize,
    /// The values; NULL if there are none.
    pub data: *mut wasm_val_t,
}
vector!(wasm_val_vec_t of wasm_val_t);

/// Makes an empty vector of values.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_vec_new_empty(out: Out<wasm_val_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` values, to be filled in by the caller. They are `i32` zeros at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_vec_new_uninitialized(out: Out<wasm_val_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` values that `data` points to, and takes them over. Where memory has run out,
/// the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_vec_new(out: Out<wasm_val_vec_t>, size: usize, data: *const wasm_val_t) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of values, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_vec_copy(out: Out<wasm_val_vec_t>, vec: Option<&wasm_val_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the values in it, with the references that they own. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_vec_delete(vec: Take<wasm_val_vec_t>) {
    vec::delete(vec);
}
