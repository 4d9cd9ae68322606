//! Exceptions (specification: Runtime Structure, Exception Instances): made, thrown, caught and looked at by the host.
//!
//! An exception that no WebAssembly catches reaches the host in a trap; a host function throws by returning such a trap.

use super::error::{self, Kind, tenon_error_t};
use super::handle::{self, Counted, Handle, Lent, entered, noun, required};
use super::own::{Empty, Out, Own};
use super::raw::tenon_raw_t;
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::tag::wasm_tag_t;
use super::trap::wasm_trap_t;
use super::val::{wasm_val_t, wasm_val_vec_t};
use super::vec::{self, Owned, Vector};
use crate::runtime::exception::Exception;
use crate::runtime::object::ObjectKind;
use crate::runtime::trap::Trap;
use std::ffi::c_void;

/// An exception: a tag, and a value for each parameter of the tag's type.
#[cfg_attr(all(), repr(transparent))]
pub struct tenon_exception_t(Exception);
noun!(tenon_exception_t, ObjectKind::Exception);

/// Gives up a reference to an exception; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_delete(exception: Handle<tenon_exception_t>) {
    drop(exception);
}

/// Makes another reference to the same exception. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_copy(exception: Option<&tenon_exception_t>) -> Handle<tenon_exception_t> {
    handle::copy(exception)
}

/// Whether two references are to the same exception. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_same(
    exception: Option<&tenon_exception_t>,
    other: Option<&tenon_exception_t>,
) -> bool {
    handle::same(exception, other)
}

/// The host's information about the exception: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_get_host_info(exception: Option<&tenon_exception_t>) -> *mut c_void {
    handle::get_host_info(exception, "tenon_exception_get_host_info")
}

/// Attaches information of the host to the exception. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_set_host_info(exception: Lent<tenon_exception_t>, info: *mut c_void) {
    handle::set_host_info(exception, info, None, "tenon_exception_set_host_info");
}

/// Attaches information of the host to the exception. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the exception dies.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_set_host_info_with_finalizer(
    exception: Lent<tenon_exception_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(exception, info, finalizer, "tenon_exception_set_host_info_with_finalizer");
}

/// Sees an exception as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_as_ref(exception: Lent<tenon_exception_t>) -> Lent<wasm_ref_t> {
    handle::see(exception)
}

/// Sees a reference as an exception. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_ref_as_exception(reference: Lent<wasm_ref_t>) -> Lent<tenon_exception_t> {
    handle::see(reference)
}

/// `tenon_exception_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_as_ref_const(exception: Option<&tenon_exception_t>) -> Option<&wasm_ref_t> {
    handle::see_const(exception)
}

/// `tenon_ref_as_exception` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_ref_as_exception_const(reference: Option<&wasm_ref_t>) -> Option<&tenon_exception_t> {
    handle::see_const(reference)
}

/// Makes an exception. Nothing is thrown by that. The values, which are lent, are those that the tag's type says; NULL
/// stands for none.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_new(
    store: Lent<wasm_store_t>,
    tag: Option<&wasm_tag_t>,
    values: Option<&wasm_val_vec_t>,
    out: Out<Handle<tenon_exception_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_exception_new";
    let made = error::attempt(function, || {
        let store = store.entered(function)?;
        let tag = required(tag, function, "the tag")?.tag();
        let values: Vec<_> = values.map_or(&[][..], Vector::elements).iter().map(wasm_val_t::val).collect();
        let made = Exception::of_values(store, tag, &values);
        // SAFETY: a new exception comes with a handle.
        unsafe { Counted::take(made.map_err(|error| tenon_error_t::from(error).within(function))?) }
            .ok_or_else(error::last)
    });
    error::answer(out, made)
}

/// Makes an exception of raw values: an array of as many as the tag's type has parameters, which may be NULL for none.
/// The references among them are lent, and are checked.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "how many values there are is not known before")]
pub extern "C" fn tenon_exception_new_raw(
    store: Lent<wasm_store_t>,
    tag: Option<&wasm_tag_t>,
    values: *const tenon_raw_t,
    out: Out<Handle<tenon_exception_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_exception_new_raw";
    let made = error::attempt(function, || {
        let store = store.entered(function)?;
        let tag = required(tag, function, "the tag")?.tag();
        let count = tag.params().len();
        if count > 0 && values.is_null() {
            let message = format_args!("{function}: the array of values is NULL");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        // SAFETY: by the header's contract the array has as many values.
        let made = unsafe { Exception::of_raw(store, tag, values.cast()) };
        // SAFETY: a new exception comes with a handle.
        unsafe { Counted::take(made.map_err(|error| tenon_error_t::from(error).within(function))?) }
            .ok_or_else(error::last)
    });
    error::answer(out, made)
}

/// The tag. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_tag(exception: Option<&tenon_exception_t>) -> Handle<wasm_tag_t> {
    let function = "tenon_exception_tag";
    error::keep(error::attempt(function, || {
        let exception = &entered(exception, function, "the exception")?.0;
        // SAFETY: an exception keeps its tag alive.
        unsafe { Counted::of_object(exception.tag.cast()) }.ok_or_else(error::last)
    }))
}

/// How many values it carries. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_arity(exception: Option<&tenon_exception_t>) -> usize {
    exception.map_or(0, |exception| exception.0.types().len())
}

/// A value that it carries. A reference in it is the caller's. Without success: a null reference.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_arg(
    exception: Option<&tenon_exception_t>,
    index: usize,
    out: Out<wasm_val_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_exception_arg";
    let value = error::attempt(function, || value(function, &entered(exception, function, "the exception")?.0, index));
    error::answer_or(out, wasm_val_t::EMPTY, value)
}

/// All values that it carries. References among them are the caller's. Without success: an empty vector.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_exception_args(
    exception: Option<&tenon_exception_t>,
    out: Out<wasm_val_vec_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_exception_args";
    let values = error::attempt(function, || {
        let exception = &entered(exception, function, "the exception")?.0;
        let values = (0..exception.types().len()).map(|i| value(function, exception, i));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        Owned::<wasm_val_vec_t>::collect(values.into_iter().map(Some)).ok_or_else(error::last)
    });
    match values {
        Ok(values) => {
            vec::give(out, values);
            None
        }
        Err(error) => {
            vec::new_empty(out);
            error::report(Err(error))
        }
    }
}

/// All values that it carries, raw, to an array of as many. References among them are the caller's.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "how many values there are is not known before")]
pub extern "C" fn tenon_exception_args_raw(
    exception: Option<&tenon_exception_t>,
    values: *mut tenon_raw_t,
) -> Own<tenon_error_t> {
    let function = "tenon_exception_args_raw";
    error::report(error::attempt(function, || {
        let exception = &entered(exception, function, "the exception")?.0;
        if !exception.types().is_empty() && values.is_null() {
            let message = format_args!("{function}: the array of values is NULL");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        // SAFETY: by the header's contract the array has room for as many values.
        unsafe { exception.raw_values(values.cast()) };
        Ok(())
    }))
}

fn value(function: &str, exception: &Exception, index: usize) -> Result<wasm_val_t, tenon_error_t> {
    let value = exception.value(index).map_err(|error| tenon_error_t::from(error).within(function))?;
    Ok(wasm_val_t::owning(value))
}

/// Throws an exception: makes a trap that carries it. A host function that returns the trap throws the exception in the
/// WebAssembly that called it, where it can be caught. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_trap_from_exception(exception: Option<&tenon_exception_t>) -> Handle<wasm_trap_t> {
    let function = "tenon_trap_from_exception";
    error::keep(error::attempt(function, || {
        let exception = &entered(exception, function, "the exception")?.0;
        // SAFETY: a new trap comes with a handle.
        unsafe { Counted::take(Trap::of_exception(exception)) }.ok_or_else(error::last)
    }))
}

/// Catches an exception: the one that a trap carries. NULL if the trap is about something else, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_trap_exception(trap: Option<&wasm_trap_t>) -> Handle<tenon_exception_t> {
    let trap = trap?;
    let function = "tenon_trap_exception";
    error::keep(error::attempt(function, || {
        let exception = entered(Some(trap), function, "the trap")?.trap().exception();
        // SAFETY: a trap keeps its exception alive.
        Ok(unsafe { Counted::of_object(exception.cast()) })
    }))?
}
