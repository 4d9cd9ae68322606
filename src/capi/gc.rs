//! Garbage-collected objects (specification: Runtime Structure, Structure and Array Instances) made, read and written by the
//! host: structures, arrays and numbers of 31 bits; and what a reference refers to.
//!
//! The host has them as references like any other: a `wasm_ref_t`, also in a `tenon_val_t` of kind `TENON_ANYREF`. The object
//! may move; the reference follows it.

use super::deftype::tenon_deftype_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::{Counted, Handle, Lent, entered, required};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::value::tenon_val_t;
use super::valtype::wasm_valtype_t;
use crate::runtime::gc::access::{self, Extension};
use crate::runtime::gc::boxes;
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::runtime::wide::WideVal;
use crate::types::{DefType, ValType};
use std::slice;

/// Makes a structure; its type is one of structures. The values, which are lent, are as many as it has fields.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "an array of C: the header says what it must hold")]
pub extern "C" fn tenon_struct_new(
    store: Lent<wasm_store_t>,
    ty: Option<&tenon_deftype_t>,
    values: *const tenon_val_t,
    count: usize,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    // SAFETY: by the header's contract there are as many values as are said.
    make("tenon_struct_new", store, ty, out, |store, ty| unsafe {
        access::struct_new(store, ty, Some(values_of("tenon_struct_new", values, count)?)).map_err(Into::into)
    })
}
