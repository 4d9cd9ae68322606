//! Functions (specification: Runtime Structure, Function Instances).

use super::error::{self, Kind, tenon_error_t};
use super::functype::wasm_functype_t;
use super::handle::{self, Counted, Handle, Lent, noun, required};
use super::own::Own;
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::trap::wasm_trap_t;
use super::val::wasm_val_vec_t;
use crate::runtime::call;
use crate::runtime::func::{Callback, CallbackWithEnv, Func, HostCallback, ValVec};
use crate::runtime::object::ObjectKind;
use crate::runtime::trap::Trap;
use crate::runtime::val::Val;
use crate::trap::TrapCode;
use std::ffi::c_void;
use std::mem::{offset_of, transmute};
use std::ptr;

/// A function, of an instance or of the host.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_func_t(Func);
noun!(wasm_func_t, ObjectKind::Func);

/// Gives up a reference to a function; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_delete(func: Handle<wasm_func_t>) {
    drop(func);
}

/// Makes another reference to the same function. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_copy(func: Option<&wasm_func_t>) -> Handle<wasm_func_t> {
    handle::copy(func)
}

/// Whether two references are to the same function. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_same(func: Option<&wasm_func_t>, other: Option<&wasm_func_t>) -> bool {
    handle::same(func, other)
}

/// The host's information about the function: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_get_host_info(func: Option<&wasm_func_t>) -> *mut c_void {
    handle::get_host_info(func, "wasm_func_get_host_info")
}

/// Attaches information of the host to the function. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_set_host_info(func: Lent<wasm_func_t>, info: *mut c_void) {
    handle::set_host_info(func, info, None, "wasm_func_set_host_info");
}

/// Attaches information of the host to the function. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the function dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_set_host_info_with_finalizer(
    func: Lent<wasm_func_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(func, info, finalizer, "wasm_func_set_host_info_with_finalizer");
}

/// Sees a function as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_as_ref(func: Lent<wasm_func_t>) -> Lent<wasm_ref_t> {
    handle::see(func)
}

/// Sees a reference as a function. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_func(reference: Lent<wasm_ref_t>) -> Lent<wasm_func_t> {
    handle::see(reference)
}

/// `wasm_func_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_as_ref_const(func: Option<&wasm_func_t>) -> Option<&wasm_ref_t> {
    handle::see_const(func)
}

/// `wasm_ref_as_func` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_func_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_func_t> {
    handle::see_const(reference)
}

/// A function of the host. It gets the arguments, which are lent to it, and fills in the results; references among
/// those it gives away. The results come with a kind that no value has: one that is not filled in is noticed. It may also put
/// another vector of as many results in the place of the one that it gets, which it may delete before. NULL is
/// success; a trap that it returns is given away.
pub type wasm_func_callback_t =
    Option<unsafe extern "C" fn(args: *const wasm_val_vec_t, results: *mut wasm_val_vec_t) -> Handle<wasm_trap_t>>;

/// The same, with an environment before the arguments.
pub type wasm_func_callback_with_env_t = Option<
    unsafe extern "C" fn(
        env: *mut c_void,
        args: *const wasm_val_vec_t,
        results: *mut wasm_val_vec_t,
    ) -> Handle<wasm_trap_t>,
>;

// A callback is called with the runtime's vectors, which are the header's.
const _: () = assert!(
    size_of::<wasm_val_vec_t>() == size_of::<ValVec>()
        && offset_of!(wasm_val_vec_t, size) == offset_of!(ValVec, size)
        && offset_of!(wasm_val_vec_t, data) == offset_of!(ValVec, data)
);

/// Makes a function of the host.
pub(crate) fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_functype_t>,
    callback: Option<HostCallback>,
    env: *mut c_void,
    finalizer: handle::Finalizer,
) -> Result<Counted<wasm_func_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let Some(ty) = required(ty, function, "the type")?.to_ty() else {
            let message = format_args!("{function}: the type is not one of a function");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        let callback = required(callback, function, "the callback")?;
        let func = Func::new_host(store, ty, callback, env, finalizer)?;
        // SAFETY: a new function comes with a handle.
        unsafe { Counted::take(func) }.ok_or_else(error::last)
    })
}

type PlainInC = unsafe extern "C" fn(*const wasm_val_vec_t, *mut wasm_val_vec_t) -> Handle<wasm_trap_t>;
type WithEnvInC = unsafe extern "C" fn(*mut c_void, *const wasm_val_vec_t, *mut wasm_val_vec_t) -> Handle<wasm_trap_t>;

/// A callback as the runtime takes it.
pub(crate) fn plain(callback: wasm_func_callback_t) -> Option<HostCallback> {
    // SAFETY: the vectors are laid out the same, as asserted above, and a handle is a pointer that may be NULL.
    callback.map(|callback| HostCallback::Plain(unsafe { transmute::<PlainInC, Callback>(callback) }))
}

/// A callback with an environment as the runtime takes it.
pub(crate) fn with_env(callback: wasm_func_callback_with_env_t) -> Option<HostCallback> {
    // SAFETY: as in `plain`.
    callback.map(|callback| HostCallback::WithEnv(unsafe { transmute::<WithEnvInC, CallbackWithEnv>(callback) }))
}

/// Makes a function of the host. With NULL, or for a type that values of this API cannot express (v128): NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_functype_t>,
    callback: wasm_func_callback_t,
) -> Handle<wasm_func_t> {
    error::keep(new("wasm_func_new", store, ty, plain(callback), ptr::null_mut(), None))
}

/// Makes a function of the host with an environment. The finalizer, which may be NULL, is called once with the
/// environment when the function dies. If no function is made (see `wasm_func_new`), it is not called, and the environment
/// stays the caller's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_new_with_env(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_functype_t>,
    callback: wasm_func_callback_with_env_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) -> Handle<wasm_func_t> {
    error::keep(new("wasm_func_new_with_env", store, ty, with_env(callback), env, finalizer))
}

/// The type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_type(func: Option<&wasm_func_t>) -> Own<wasm_functype_t> {
    wasm_functype_t::from_ty(func?.0.ty())
}

/// The number of parameters. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_param_arity(func: Option<&wasm_func_t>) -> usize {
    func.map_or(0, |func| func.0.params.into())
}

/// The number of results. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_result_arity(func: Option<&wasm_func_t>) -> usize {
    func.map_or(0, |func| func.0.results.into())
}

/// Calls a function. The arguments are lent to it; the results are written to the vector, which must have room for just
/// as many, and its references are the caller's. NULL stands for an empty vector. NULL if it returned; else the trap that
/// ended it, or that says what was wrong with the arguments, and the results are not to be looked at.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "no reference may claim that the function outlives its call")]
pub extern "C" fn wasm_func_call(
    func: *const wasm_func_t,
    args: *const wasm_val_vec_t,
    results: *mut wasm_val_vec_t,
) -> Handle<wasm_trap_t> {
    if func.is_null() {
        return null_trap("wasm_func_call", "the function");
    }
    // SAFETY: by the header's contract what is not NULL points to a live function and to vectors of as many values as
    // they say. Nothing here panics, and the runtime keeps panics to itself.
    unsafe {
        let (args, arg_count) = parts(args);
        let (results, result_count) = parts(results);
        Counted::take(call::call_parts(func.cast(), args, arg_count, results, result_count))
    }
}

/// Address and number of the values of a vector that may be NULL, or whose data may be.
#[inline(always)]
unsafe fn parts(vec: *const wasm_val_vec_t) -> (*mut Val, usize) {
    if vec.is_null() {
        return (ptr::null_mut(), 0);
    }
    // SAFETY: not NULL, and so a vector.
    let (data, size) = unsafe { ((*vec).data, (*vec).size) };
    (data.cast(), if data.is_null() { 0 } else { size })
}

/// A trap that says which parameter of a call is NULL; it belongs to no store.
#[cold]
#[inline(never)]
pub(crate) fn null_trap(function: &str, parameter: &str) -> Handle<wasm_trap_t> {
    error::null(function, parameter);
    error::guard(function, None, || {
        // SAFETY: a new trap comes with a handle.
        unsafe { Counted::take(Trap::new(None, TrapCode::Host, format!("{function}: {parameter} is NULL"))) }
    })
}
