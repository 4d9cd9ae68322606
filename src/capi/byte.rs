//! Bytes and names (specification: Values, Bytes and Names): the vector that carries modules, serialized modules,
//! names and messages.

use super::own::{Out, Take};
use super::vec::{self, Element, Owned, Vector, vector};
use std::ffi::c_char;
use std::ptr;

/// A byte, as C writes it.
pub type byte_t = c_char;

/// A byte, as an element of a vector.
pub type wasm_byte_t = byte_t;

/// A vector of bytes: a module, a name or a message.
#[repr(C)]
pub struct wasm_byte_vec_t {
    /// How many bytes there are.
    pub size: usize,
    /// The bytes; NULL if there are none.
    pub data: *mut wasm_byte_t,
}
vector!(wasm_byte_vec_t of wasm_byte_t);

impl Element for wasm_byte_t {
    const PLAIN: bool = true;
    fn copy(&self) -> Option<wasm_byte_t> {
        Some(*self)
    }
}

/// A name: a byte vector in UTF-8, without a NUL at its end.
pub type wasm_name_t = wasm_byte_vec_t;

impl wasm_byte_vec_t {
    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        let bytes = self.elements();
        // SAFETY: `c_char` and `u8` have the same size, alignment and validity.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
    }

    /// A vector of these bytes; `None` where memory has run out.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Owned<wasm_byte_vec_t>> {
        let vec = vec::allocate::<wasm_byte_vec_t>(bytes.len())?;
        if !vec.data.is_null() {
            // SAFETY: the fresh storage has room for as many bytes and overlaps nothing.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), vec.data, bytes.len()) };
        }
        Some(Owned::new(vec))
    }
}

/// Makes an empty vector of bytes.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_byte_vec_new_empty(out: Out<wasm_byte_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` bytes, to be filled in by the caller. They are zero at first. Where memory has run out,
/// the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_byte_vec_new_uninitialized(out: Out<wasm_byte_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of `size` bytes copied from `data`. Where memory has run out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_byte_vec_new(out: Out<wasm_byte_vec_t>, size: usize, data: *const wasm_byte_t) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of bytes.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_byte_vec_copy(out: Out<wasm_byte_vec_t>, vec: Option<&wasm_byte_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector of bytes. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_byte_vec_delete(vec: Take<wasm_byte_vec_t>) {
    vec::delete(vec);
}
