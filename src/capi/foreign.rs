//! Foreign objects: things of the host that WebAssembly can hold as `externref`. They are nothing but an
//! identity and the information that the host attaches.

use super::error;
use super::handle::{self, Counted, Handle, Lent, noun};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use crate::runtime::foreign::Foreign;
use crate::runtime::object::ObjectKind;
use std::ffi::c_void;

/// A foreign object.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_foreign_t(Foreign);
noun!(wasm_foreign_t, ObjectKind::Foreign);

/// Gives up a reference to a foreign object; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_delete(foreign: Handle<wasm_foreign_t>) {
    drop(foreign);
}

/// Makes another reference to the same object. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_copy(foreign: Option<&wasm_foreign_t>) -> Handle<wasm_foreign_t> {
    handle::copy(foreign)
}

/// Whether two references are to the same object. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_same(foreign: Option<&wasm_foreign_t>, other: Option<&wasm_foreign_t>) -> bool {
    handle::same(foreign, other)
}

/// The host's information about the object: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_get_host_info(foreign: Option<&wasm_foreign_t>) -> *mut c_void {
    handle::get_host_info(foreign, "wasm_foreign_get_host_info")
}

/// Attaches information of the host to the object. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_set_host_info(foreign: Lent<wasm_foreign_t>, info: *mut c_void) {
    handle::set_host_info(foreign, info, None, "wasm_foreign_set_host_info");
}

/// Attaches information of the host to the object. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the object dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_set_host_info_with_finalizer(
    foreign: Lent<wasm_foreign_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(foreign, info, finalizer, "wasm_foreign_set_host_info_with_finalizer");
}

/// Sees a foreign object as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_as_ref(foreign: Lent<wasm_foreign_t>) -> Lent<wasm_ref_t> {
    handle::see(foreign)
}

/// Sees a reference as a foreign object. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_foreign(reference: Lent<wasm_ref_t>) -> Lent<wasm_foreign_t> {
    handle::see(reference)
}

/// `wasm_foreign_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_as_ref_const(foreign: Option<&wasm_foreign_t>) -> Option<&wasm_ref_t> {
    handle::see_const(foreign)
}

/// `wasm_ref_as_foreign` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_foreign_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_foreign_t> {
    handle::see_const(reference)
}

/// Makes a foreign object. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_foreign_new(store: Lent<wasm_store_t>) -> Handle<wasm_foreign_t> {
    let function = "wasm_foreign_new";
    error::keep(error::attempt(function, || {
        // SAFETY: a new object comes with a handle.
        Ok(unsafe { Counted::take(Foreign::new(store.entered(function)?)) })
    }))?
}
