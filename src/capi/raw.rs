//! Calls with raw values: arguments and results in one array, without kinds. For bindings, which know the types.

use super::error::{self, tenon_error_t};
use super::func::{self, wasm_func_t};
use super::functype::wasm_functype_t;
use super::handle::{Counted, Handle, Lent};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::trap::wasm_trap_t;
use crate::compile::layout::RAW_SIZE;
use crate::runtime::call;
use crate::runtime::func::{Func, HostCallback, RawCallback};
use std::ffi::c_void;
use std::mem::transmute;

/// A value without its kind: whoever uses it knows which member holds it.
#[repr(C)]
#[derive(Clone, Copy)]
pub union tenon_raw_t {
    /// An `i32`.
    pub i32: i32,
    /// An `i64`.
    pub i64: i64,
    /// An `f32`.
    pub f32: f32,
    /// An `f64`.
    pub f64: f64,
    /// A `v128`, little-endian.
    pub v128: [u8; 16],
    /// A reference; NULL for the null reference.
    pub r#ref: Lent<wasm_ref_t>,
}

const _: () = assert!(size_of::<tenon_raw_t>() == RAW_SIZE as usize);

/// A function of the host that takes raw values. `values` has room for the arguments or the results, whichever are more: it
/// holds the arguments, which are lent, and is to receive the results. `caller` is the host function itself. NULL is
/// success; a trap that it returns is given away.
pub type tenon_raw_callback_t = Option<
    unsafe extern "C" fn(env: *mut c_void, caller: *const wasm_func_t, values: *mut tenon_raw_t) -> Handle<wasm_trap_t>,
>;

type RawInC = unsafe extern "C" fn(*mut c_void, *const wasm_func_t, *mut tenon_raw_t) -> Handle<wasm_trap_t>;

/// Makes a function of the host that takes raw values. The finalizer, which may be NULL, is called once with the environment
/// when the function dies; not if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_func_new_raw(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_functype_t>,
    callback: tenon_raw_callback_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
    out: Out<Handle<wasm_func_t>>,
) -> Own<tenon_error_t> {
    // SAFETY: a wrapper is transparent, a handle is a pointer that may be NULL, and a raw value has 16 bytes.
    let callback = callback.map(|callback| HostCallback::Raw(unsafe { transmute::<RawInC, RawCallback>(callback) }));
    error::answer(out, func::new("tenon_func_new_raw", store, ty, callback, env, finalizer))
}

/// Calls a function with raw values. `values` has room for the arguments or the results, whichever are more: it holds the
/// arguments, and afterwards the results. Nothing is checked: members that do not fit the function's type, or references to
/// objects that are gone or of another store, are not noticed. References among the results are the caller's. NULL if the
/// function returned, else the trap that ended it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_func_call_raw(func: *const wasm_func_t, values: *mut tenon_raw_t) -> Handle<wasm_trap_t> {
    // SAFETY: by the header's contract what is not NULL points to a live function and to as many values as its type needs.
    let arity = unsafe { func.cast::<Func>().as_ref() }.map(|func| func.params.max(func.results));
    let missing = match arity {
        None => "the function",
        Some(1..) if values.is_null() => "the array of values",
        // SAFETY: as above; the wrapper is transparent, and a raw value has 16 bytes.
        Some(_) => return unsafe { Counted::take(call::call_raw(func.cast(), values.cast())) },
    };
    func::null_trap("tenon_func_call_raw", missing)
}
