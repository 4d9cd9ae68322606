//! Values of every type, and what takes and gives them. `tenon_val_t` itself is written in the header's template, as
//! `wasm_val_t` is; its layout is that of the runtime's `WideVal`.

use super::error::{self, tenon_error_t};
use super::func::{self, wasm_func_t};
use super::functype::wasm_functype_t;
use super::global::{self, wasm_global_t};
use super::globaltype::wasm_globaltype_t;
use super::handle::{Counted, Handle, Lent, required};
use super::own::{Out, Own, Take, boxed};
use super::store::wasm_store_t;
use super::trap::wasm_trap_t;
use crate::runtime::func::{Func, HostCallback, RawCallback};
use crate::runtime::global::Global;
use crate::runtime::object;
use crate::runtime::store::Store;
use crate::runtime::trap::Trap;
use crate::runtime::val::kind;
use crate::runtime::wide::{self, WideVal, wide_kind};
use crate::trap::TrapCode;
use crate::types::ValType;
use std::ffi::c_void;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

/// The kinds that `tenon_val_t` has besides those of `wasm_valkind_enum`.
#[repr(C)]
pub enum tenon_valkind_enum {
    /// A 128-bit vector.
    TENON_V128 = 4,
    /// Anything that WebAssembly makes, or null: `anyref` and what belongs to it.
    TENON_ANYREF = 130,
    /// An exception, or null.
    TENON_EXNREF,
}

const _: () = assert!(tenon_valkind_enum::TENON_V128 as u8 == kind::V128);
const _: () = assert!(tenon_valkind_enum::TENON_ANYREF as u8 == kind::ANYREF);
const _: () = assert!(tenon_valkind_enum::TENON_EXNREF as u8 == kind::EXNREF);

/// A value that owns its reference.
#[repr(transparent)]
pub struct tenon_val_t(WideVal);

impl tenon_val_t {
    /// A null reference.
    pub(crate) const NULL: tenon_val_t = tenon_val_t(WideVal { kind: kind::EXTERNREF, bits: [0; 2] });

    /// Takes over a value, and the handle of a reference in it.
    pub(crate) fn owning(value: WideVal) -> tenon_val_t {
        tenon_val_t(value)
    }

    /// The value, as the runtime has it. A reference in it stays this one's.
    pub(crate) fn wide(&self) -> WideVal {
        self.0
    }
}

impl Drop for tenon_val_t {
    fn drop(&mut self) {
        let object = self.0.object();
        if !object.is_null() {
            // SAFETY: a reference in a value that is owned comes with a handle, which ends here.
            error::guard("tenon_val_delete", (), || unsafe { object::release(object) });
        }
    }
}

/// Deletes a value: gives up the reference in it, if there is one, and leaves a null reference there. Numbers stay as they
/// are. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_val_delete(val: Take<tenon_val_t>) {
    val.edit(|val| {
        if !val.0.object().is_null() {
            let null = tenon_val_t(WideVal { kind: val.0.kind, bits: [0; 2] });
            drop(mem::replace(val, null));
        }
    });
}

/// Makes a copy of a value, with a reference of its own if it has one. With NULL: a null reference.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_val_copy(out: Out<tenon_val_t>, val: Option<&tenon_val_t>) {
    let copy = val.map_or(tenon_val_t::NULL, |val| {
        // SAFETY: references in values are null or alive.
        if let Some(object) = unsafe { val.0.object().as_ref() } {
            object::acquire(object);
        }
        tenon_val_t(val.0)
    });
    // Without a variable the copy is not wanted.
    drop(out.write(copy));
}

/// Calls a function with values of any type: the arguments are lent to it, and `results`, of as many as the function has,
/// receive what the caller then owns. NULL if it returned; else the trap that ended it, or that says what was wrong with the
/// arguments, and the results are not to be looked at.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "no reference may claim that the function outlives its call")]
pub extern "C" fn tenon_func_call_val(
    func: *const wasm_func_t,
    args: *const tenon_val_t,
    arg_count: usize,
    results: *mut tenon_val_t,
    result_count: usize,
) -> Handle<wasm_trap_t> {
    let missing = match () {
        () if func.is_null() => "the function",
        () if args.is_null() && arg_count > 0 => "the array of arguments",
        () if results.is_null() && result_count > 0 => "the array of results",
        () => {
            // SAFETY: by the header's contract the pointers are to a live function and to as many values as are said.
            return unsafe {
                let args = array(args.cast_mut().cast::<WideVal>(), arg_count);
                let results = array(results.cast::<WideVal>(), result_count);
                Counted::take(wide::call_wide(func.cast::<Func>(), args, results))
            };
        }
    };
    func::null_trap("tenon_func_call_val", missing)
}

/// The values of an array of C.
///
/// # Safety
/// `values` has so many, or the count is 0.
unsafe fn array<'a>(values: *mut WideVal, count: usize) -> &'a mut [WideVal] {
    // SAFETY: the caller's promise.
    if count == 0 { &mut [] } else { unsafe { slice::from_raw_parts_mut(values, count) } }
}

/// A function of the host that takes values of any type. The arguments are lent to it; the results, which come with a kind
/// that no value has, it fills in, and gives away the references among them. `caller` is the host function itself.
/// NULL is success; a trap that it returns is given away.
pub type tenon_val_callback_t = Option<
    unsafe extern "C" fn(
        env: *mut c_void,
        caller: *const wasm_func_t,
        args: *const tenon_val_t,
        arg_count: usize,
        results: *mut tenon_val_t,
        result_count: usize,
    ) -> Handle<wasm_trap_t>,
>;

type ValCallback = unsafe extern "C" fn(
    *mut c_void,
    *const wasm_func_t,
    *const tenon_val_t,
    usize,
    *mut tenon_val_t,
    usize,
) -> Handle<wasm_trap_t>;

/// What stands behind a host function with values: its environment as the runtime sees it.
struct Env {
    callback: ValCallback,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// Makes a function of the host that takes values of any type. The finalizer, which may be NULL, is called once with the
/// environment when the function dies; not if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_func_new_val(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_functype_t>,
    callback: tenon_val_callback_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
    out: Out<Handle<wasm_func_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_func_new_val";
    let made = error::attempt(function, || {
        let callback = required(callback, function, "the callback")?;
        let boxed = Box::into_raw(boxed(Env { callback, env, finalizer }).ok_or_else(error::last)?);
        let raw: RawCallback = call_host;
        let made = func::new(function, store, ty, Some(HostCallback::Raw(raw)), boxed.cast(), Some(finalize));
        if made.is_err() {
            // SAFETY: made above, and not given away.
            drop(unsafe { Box::from_raw(boxed) });
        }
        made
    });
    error::answer(out, made)
}

unsafe extern "C" fn finalize(env: *mut c_void) {
    // SAFETY: called once with what `tenon_func_new_val` gave.
    let env = unsafe { Box::from_raw(env.cast::<Env>()) };
    if let Some(finalizer) = env.finalizer {
        // SAFETY: the host promised that it may be called once with its environment.
        unsafe { finalizer(env.env) };
    }
}

/// More values than this are put on the heap for a call.
const FEW: usize = 16;

/// Between raw values and the callback.
unsafe extern "C" fn call_host(env: *mut c_void, caller: *const Func, values: *mut [u8; 16]) -> *mut Trap {
    // SAFETY: called by the runtime with a live function of ours and its values.
    let work = || unsafe { call_with_values(&*env.cast::<Env>(), &*caller, values.cast()) };
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(trap) => trap,
        Err(panic) => {
            // A payload could panic again when dropped.
            mem::forget(panic);
            Trap::new(None, TrapCode::Host, "internal error: a call of the host panicked in the engine")
        }
    }
}

unsafe fn call_with_values(env: &Env, caller: &Func, values: *mut [u64; 2]) -> *mut Trap {
    let ty = caller.ty();
    let (params, result_types) = (ty.params(), ty.results());
    let unset = WideVal { kind: crate::compile::layout::VAL_KIND_UNSET, bits: [0; 2] };
    let (mut few, mut many);
    let all = match params.len() + result_types.len() {
        count @ 0..=FEW => {
            few = [unset; FEW];
            &mut few[..count]
        }
        count => {
            many = vec![unset; count];
            &mut many[..]
        }
    };
    let (args, results) = all.split_at_mut(params.len());
    for (i, ty) in params.iter().enumerate() {
        // SAFETY: there is a place for each argument.
        args[i] = WideVal { kind: wide_kind(*ty), bits: unsafe { *values.add(i) } };
    }
    // SAFETY: the host's callback, with what it was promised.
    let trap = unsafe {
        (env.callback)(
            env.env,
            std::ptr::from_ref(caller).cast(),
            args.as_ptr().cast(),
            args.len(),
            results.as_mut_ptr().cast(),
            results.len(),
        )
    };
    if let Some(trap) = trap {
        let given_away = std::ptr::from_ref::<wasm_trap_t>(&*trap).cast_mut().cast();
        mem::forget(trap);
        return given_away;
    }
    let mut wrong = None;
    for (i, (result, ty)) in results.iter().zip(result_types).enumerate() {
        if result.kind != wide_kind(*ty) && !(ty.is_ref() && result.is_ref()) && wrong.is_none() {
            wrong = Some(i);
        }
    }
    let Some(i) = wrong else {
        for (i, (result, ty)) in results.iter().zip(result_types).enumerate() {
            let bits = if *ty == ValType::V128 { result.bits } else { [result.bits[0], 0] };
            // SAFETY: there is a place for each result. The host stub checks references and takes over their handles.
            unsafe { *values.add(i) = bits };
        }
        return std::ptr::null_mut();
    };
    let expected = result_types[i];
    let message = if results[i].kind == crate::compile::layout::VAL_KIND_UNSET {
        format!("host function returned nothing for result {i}, expected {expected}")
    } else {
        let found = crate::runtime::val::kind_name(results[i].kind);
        format!("host function returned {found} for result {i}, expected {expected}")
    };
    for result in results.iter() {
        drop(tenon_val_t(*result));
    }
    // SAFETY: a function's store is alive.
    let store: &Store = unsafe { &*caller.object.store };
    Trap::new(Some(store), TrapCode::Host, message)
}

/// `wasm_global_new` for a value of any type, with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_global_new_val(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_globaltype_t>,
    value: Option<&tenon_val_t>,
    out: Out<Handle<wasm_global_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_global_new_val";
    let value = required(value, function, "the value");
    let made =
        value.and_then(|value| global::new_with(function, store, ty, |store, ty| Global::new_wide(store, ty, value.0)));
    error::answer(out, made)
}

/// The value of a global, of whatever type: `out` receives it, and a reference in it is the caller's. With a failure: a null
/// reference.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_global_get_val(global: Option<&wasm_global_t>, out: Out<tenon_val_t>) -> Own<tenon_error_t> {
    let function = "tenon_global_get_val";
    let value = error::attempt(function, || Ok(tenon_val_t(global::checked(function, global)?.get_wide())));
    let (value, failure) = match value {
        Ok(value) => (value, Ok(())),
        Err(error) => (tenon_val_t::NULL, Err(error)),
    };
    // Without a variable the value is not wanted.
    drop(out.write(value));
    error::report(failure)
}

/// `wasm_global_set` for a value of any type, with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_global_set_val(global: Lent<wasm_global_t>, value: Option<&tenon_val_t>) -> Own<tenon_error_t> {
    let function = "tenon_global_set_val";
    error::report(error::attempt(function, || {
        let global = global::checked(function, global.get())?;
        Ok(global.set_wide(required(value, function, "the value")?.0)?)
    }))
}
