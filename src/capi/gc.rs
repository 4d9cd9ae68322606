//! Garbage-collected objects (specification: Runtime Structure, Structure and Array Instances) made, read and written by the
//! host: structures, arrays and numbers of 31 bits.
//!
//! The host has them as references like any other: a `wasm_ref_t`, also in a `tenon_val_t` of kind `TENON_ANYREF`. An object
//! may move in memory; a reference follows it. Any reference can be given where WebAssembly expects `anyref` or
//! `externref`: it is converted as `any.convert_extern` and `extern.convert_any` do.

use super::deftype::tenon_deftype_t;
use super::error::{self, tenon_error_t};
use super::handle::{Counted, Handle, Lent, entered, required};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::value::tenon_val_t;
use crate::runtime::error::Error;
use crate::runtime::gc::GcBox;
use crate::runtime::gc::access::{self, Extension};
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::runtime::wide::WideVal;
use crate::types::DefType;
use std::slice;

/// Makes an object of a type.
fn make(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&tenon_deftype_t>,
    out: Out<Handle<wasm_ref_t>>,
    make: impl FnOnce(&Store, &DefType) -> Result<*mut GcBox, Error>,
) -> Own<tenon_error_t> {
    let made = error::attempt(function, || {
        let store = store.entered(function)?;
        let ty = required(ty, function, "the type")?.ty();
        let made = make(store, ty).map_err(|error| tenon_error_t::from(error).within(function))?;
        // SAFETY: a new object comes with a handle.
        unsafe { Counted::take(made) }.ok_or_else(error::last)
    });
    error::answer(out, made)
}

/// Does something with an object.
fn with<T>(
    function: &str,
    object: Option<&wasm_ref_t>,
    work: impl FnOnce(&Object) -> Result<T, Error>,
) -> Result<T, tenon_error_t> {
    error::attempt(function, || {
        let object = &entered(object, function, "the reference")?.0;
        work(object).map_err(|error| tenon_error_t::from(error).within(function))
    })
}

/// Gives a value that was read.
fn give(out: Out<tenon_val_t>, value: Result<WideVal, tenon_error_t>) -> Own<tenon_error_t> {
    error::answer_or(out, tenon_val_t::NULL, value.map(tenon_val_t::owning))
}

fn value(value: Option<&tenon_val_t>) -> Result<WideVal, Error> {
    value.map(tenon_val_t::wide).ok_or_else(|| Error::argument("the value is NULL"))
}

/// The values of an array of C.
///
/// # Safety
/// `values` has so many, or is NULL.
unsafe fn values<'a>(values: *const tenon_val_t, count: usize) -> Result<&'a [WideVal], Error> {
    match count {
        0 => Ok(&[]),
        _ if values.is_null() => Err(Error::argument("the array of values is NULL")),
        // SAFETY: the caller's promise; a `tenon_val_t` is a `WideVal`.
        _ => Ok(unsafe { slice::from_raw_parts(values.cast::<WideVal>(), count) }),
    }
}

/// Makes a structure of a type of structures: `values`, which are lent, are as many as it has fields.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "an array of C: the header says what it must hold")]
pub extern "C" fn tenon_struct_new(
    store: Lent<wasm_store_t>,
    ty: Option<&tenon_deftype_t>,
    fields: *const tenon_val_t,
    count: usize,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    make("tenon_struct_new", store, ty, out, |store, ty| {
        // SAFETY: by the header's contract there are as many values as are said.
        access::struct_new(store, ty, Some(unsafe { values(fields, count) }?))
    })
}

/// Makes a structure whose fields are all zero or null. It is an error if a field's type has no null.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_struct_new_default(
    store: Lent<wasm_store_t>,
    ty: Option<&tenon_deftype_t>,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    make("tenon_struct_new_default", store, ty, out, |store, ty| access::struct_new(store, ty, None))
}

/// The value of a field of a structure; a packed one with zeros above. A reference in it is the caller's. Without success: a null
/// reference.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_struct_get(
    object: Option<&wasm_ref_t>,
    index: usize,
    out: Out<tenon_val_t>,
) -> Own<tenon_error_t> {
    give(out, with("tenon_struct_get", object, |object| access::struct_get(object, index, Extension::Zero)))
}

/// `tenon_struct_get` that takes a packed field as a signed number.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_struct_get_s(
    object: Option<&wasm_ref_t>,
    index: usize,
    out: Out<tenon_val_t>,
) -> Own<tenon_error_t> {
    give(out, with("tenon_struct_get_s", object, |object| access::struct_get(object, index, Extension::Sign)))
}

/// Replaces the value of a field of a structure; of a packed one, by the lowest bits of an `i32`. The value is lent. It is an
/// error if the field is constant, or the value not of its type.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_struct_set(
    object: Option<&wasm_ref_t>,
    index: usize,
    field: Option<&tenon_val_t>,
) -> Own<tenon_error_t> {
    error::report(with("tenon_struct_set", object, |object| access::struct_set(object, index, value(field)?)))
}

/// How many fields a structure has. With NULL, or a reference to something else: 0, and a failure is kept.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_struct_field_count(object: Option<&wasm_ref_t>) -> usize {
    error::keep(with("tenon_struct_field_count", object, access::struct_len)).unwrap_or(0)
}

/// Makes an array of a type of arrays, of `length` elements that are all `init`, which is lent; with NULL for it, zero or null. It
/// is an error if the store's heap has no room.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_new(
    store: Lent<wasm_store_t>,
    ty: Option<&tenon_deftype_t>,
    init: Option<&tenon_val_t>,
    length: u32,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    let init = init.map(tenon_val_t::wide);
    make("tenon_array_new", store, ty, out, |store, ty| access::array_new(store, ty, init, length))
}

/// Makes an array of `count` elements, which are lent.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "an array of C: the header says what it must hold")]
pub extern "C" fn tenon_array_new_fixed(
    store: Lent<wasm_store_t>,
    ty: Option<&tenon_deftype_t>,
    elements: *const tenon_val_t,
    count: usize,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    make("tenon_array_new_fixed", store, ty, out, |store, ty| {
        // SAFETY: by the header's contract there are as many values as are said.
        access::array_new_fixed(store, ty, unsafe { values(elements, count) }?)
    })
}

/// How many elements an array has. With NULL, or a reference to something else: 0, and a failure is kept.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_len(object: Option<&wasm_ref_t>) -> u32 {
    error::keep(with("tenon_array_len", object, access::array_len)).unwrap_or(0)
}

/// The value of an element of an array; a packed one with zeros above. A reference in it is the caller's. Without success: a
/// null reference.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_get(
    object: Option<&wasm_ref_t>,
    index: u32,
    out: Out<tenon_val_t>,
) -> Own<tenon_error_t> {
    give(out, with("tenon_array_get", object, |object| access::array_get(object, index, Extension::Zero)))
}

/// `tenon_array_get` that takes a packed element as a signed number.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_get_s(
    object: Option<&wasm_ref_t>,
    index: u32,
    out: Out<tenon_val_t>,
) -> Own<tenon_error_t> {
    give(out, with("tenon_array_get_s", object, |object| access::array_get(object, index, Extension::Sign)))
}

/// Replaces the value of an element of an array; of a packed one, by the lowest bits of an `i32`. The value is lent. It is an
/// error if elements are constant, or the value not of their type.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_set(
    object: Option<&wasm_ref_t>,
    index: u32,
    element: Option<&tenon_val_t>,
) -> Own<tenon_error_t> {
    error::report(with("tenon_array_set", object, |object| access::array_set(object, index, value(element)?)))
}

/// Replaces `count` elements of an array, from `start` on, by a value, which is lent. It is an error if there are not as many, and
/// then none is replaced.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_fill(
    object: Option<&wasm_ref_t>,
    start: u32,
    element: Option<&tenon_val_t>,
    count: u32,
) -> Own<tenon_error_t> {
    error::report(with("tenon_array_fill", object, |object| access::array_fill(object, start, value(element)?, count)))
}

/// Copies `count` elements of an array, from `source_start` on, to another or to another part of itself. It is an error if either
/// has not as many, or the elements are of another type, and then nothing is copied.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_array_copy(
    object: Option<&wasm_ref_t>,
    start: u32,
    source: Option<&wasm_ref_t>,
    source_start: u32,
    count: u32,
) -> Own<tenon_error_t> {
    let function = "tenon_array_copy";
    error::report(with(function, object, |object| {
        let source = source.ok_or_else(|| Error::argument("the array that is read is NULL"))?;
        access::array_copy(object, start, &source.0, source_start, count)
    }))
}

/// Makes a number of 31 bits: the lowest ones of `value`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_i31_new(
    store: Lent<wasm_store_t>,
    value: i32,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_i31_new";
    let made = error::attempt(function, || {
        let made = access::i31_new(store.entered(function)?, value as u32)?;
        // SAFETY: a new object comes with a handle.
        unsafe { Counted::take(made) }.ok_or_else(error::last)
    });
    error::answer(out, made)
}

/// The number that a reference to a number of 31 bits is, as a signed one. With NULL, or a reference to something else: 0, and a
/// failure is kept.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_i31_get_s(object: Option<&wasm_ref_t>) -> i32 {
    let number = with("tenon_i31_get_s", object, |object| access::i31_get(object, Extension::Sign));
    error::keep(number).unwrap_or(0) as i32
}

/// The number that a reference to a number of 31 bits is, with a zero above. With NULL, or a reference to something else: 0, and
/// a failure is kept.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_i31_get_u(object: Option<&wasm_ref_t>) -> u32 {
    error::keep(with("tenon_i31_get_u", object, |object| access::i31_get(object, Extension::Zero))).unwrap_or(0)
}
