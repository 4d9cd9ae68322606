//! Globals (specification: Runtime Structure, Global Instances).

use super::error::{self, Kind, tenon_error_t};
use super::globaltype::wasm_globaltype_t;
use super::handle::{self, Counted, Handle, Lent, entered, noun, required};
use super::own::{Empty, Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::val::wasm_val_t;
use crate::runtime::error::Error;
use crate::runtime::global::Global;
use crate::runtime::object::ObjectKind;
use crate::runtime::store::Store;
use crate::types::{GlobalType, ValType};
use std::ffi::c_void;

/// A global.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_global_t(Global);
noun!(wasm_global_t, ObjectKind::Global);

/// Gives up a reference to a global; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_delete(global: Handle<wasm_global_t>) {
    drop(global);
}

/// Makes another reference to the same global. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_copy(global: Option<&wasm_global_t>) -> Handle<wasm_global_t> {
    handle::copy(global)
}

/// Whether two references are to the same global. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_same(global: Option<&wasm_global_t>, other: Option<&wasm_global_t>) -> bool {
    handle::same(global, other)
}

/// The host's information about the global: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_get_host_info(global: Option<&wasm_global_t>) -> *mut c_void {
    handle::get_host_info(global, "wasm_global_get_host_info")
}

/// Attaches information of the host to the global. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_set_host_info(global: Lent<wasm_global_t>, info: *mut c_void) {
    handle::set_host_info(global, info, None, "wasm_global_set_host_info");
}

/// Attaches information of the host to the global. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the global dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_set_host_info_with_finalizer(
    global: Lent<wasm_global_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(global, info, finalizer, "wasm_global_set_host_info_with_finalizer");
}

/// Sees a global as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_as_ref(global: Lent<wasm_global_t>) -> Lent<wasm_ref_t> {
    handle::see(global)
}

/// Sees a reference as a global. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_global(reference: Lent<wasm_ref_t>) -> Lent<wasm_global_t> {
    handle::see(reference)
}

/// `wasm_global_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_as_ref_const(global: Option<&wasm_global_t>) -> Option<&wasm_ref_t> {
    handle::see_const(global)
}

/// `wasm_ref_as_global` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_global_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_global_t> {
    handle::see_const(reference)
}

/// Makes a global of the host.
pub(crate) fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_globaltype_t>,
    value: Option<&wasm_val_t>,
) -> Result<Counted<wasm_global_t>, tenon_error_t> {
    let value = required(value, function, "the value")?;
    new_with(function, store, ty, |store, ty| Global::new(store, ty, value.val()))
}

/// The runtime's global, which the thread may use.
pub(crate) fn checked<'a>(function: &str, global: Option<&'a wasm_global_t>) -> Result<&'a Global, tenon_error_t> {
    Ok(&entered(global, function, "the global")?.0)
}

/// Makes a global of the host with `make`.
pub(crate) fn new_with(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_globaltype_t>,
    make: impl FnOnce(&Store, GlobalType) -> Result<*mut Global, Error>,
) -> Result<Counted<wasm_global_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let Some(ty) = required(ty, function, "the type")?.to_ty() else {
            let message = format_args!("{function}: the type is not one of a global");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        // SAFETY: a new global comes with a handle.
        unsafe { Counted::take(make(store, *ty)?) }.ok_or_else(error::last)
    })
}

/// Replaces the value of a global.
pub(crate) fn set(
    function: &str,
    global: Option<&wasm_global_t>,
    value: Option<&wasm_val_t>,
) -> Result<(), tenon_error_t> {
    error::attempt(function, || {
        let global = entered(global, function, "the global")?;
        let value = required(value, function, "the value")?;
        Ok(global.0.set(value.val())?)
    })
}

/// Makes a global with this value at first. NULL if the value is not of the type or of another store, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_globaltype_t>,
    value: Option<&wasm_val_t>,
) -> Handle<wasm_global_t> {
    error::keep(new("wasm_global_new", store, ty, value))
}

/// The type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_type(global: Option<&wasm_global_t>) -> Own<wasm_globaltype_t> {
    wasm_globaltype_t::from_ty(&global?.0.ty)
}

/// The value. A reference in it is the caller's. With NULL, or where it cannot be had: a null reference.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_get(global: Option<&wasm_global_t>, out: Out<wasm_val_t>) {
    let function = "wasm_global_get";
    let value = error::attempt(function, || {
        let global = &entered(global, function, "the global")?.0;
        if global.ty.content == ValType::V128 {
            let message = format_args!("{function}: a v128 does not fit in a wasm_val_t");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_UNSUPPORTED, message));
        }
        Ok(wasm_val_t::owning(global.get()))
    });
    // Without a variable the value is not wanted.
    drop(out.write(error::keep(value).unwrap_or(wasm_val_t::EMPTY)));
}

/// Replaces the value. Nothing happens, but a failure is kept, if the global is constant, or the value not of its type or of
/// another store, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_set(global: Lent<wasm_global_t>, value: Option<&wasm_val_t>) {
    error::keep(set("wasm_global_set", global.get(), value));
}
