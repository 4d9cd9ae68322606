//! References to anything that lives in a store. The type itself is declared in the header's template, because values
//! mention it.

use super::handle::{self, Handle, Lent, noun};
use crate::runtime::gc::boxes;
use crate::runtime::object::Object;
use std::ffi::c_void;

/// A reference to an object of any kind.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_ref_t(pub(super) Object);
noun!(wasm_ref_t, _);

/// Gives up a reference to an object; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_delete(reference: Handle<wasm_ref_t>) {
    drop(reference);
}

/// Makes another reference to the same object. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_copy(reference: Option<&wasm_ref_t>) -> Handle<wasm_ref_t> {
    handle::copy(reference)
}

/// Whether two references are to the same object, or both to the same value that WebAssembly made. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_same(reference: Option<&wasm_ref_t>, other: Option<&wasm_ref_t>) -> bool {
    handle::same(reference, other) || reference.zip(other).is_some_and(|(one, other)| boxes::same(&one.0, &other.0))
}

/// The host's information about the object: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_get_host_info(reference: Option<&wasm_ref_t>) -> *mut c_void {
    handle::get_host_info(reference, "wasm_ref_get_host_info")
}

/// Attaches information of the host to the object. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_set_host_info(reference: Lent<wasm_ref_t>, info: *mut c_void) {
    handle::set_host_info(reference, info, None, "wasm_ref_set_host_info");
}

/// Attaches information of the host to the object. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the object dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_set_host_info_with_finalizer(
    reference: Lent<wasm_ref_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(reference, info, finalizer, "wasm_ref_set_host_info_with_finalizer");
}
