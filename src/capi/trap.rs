//! Traps: how WebAssembly code, or a host function, ends without a result.

use super::byte::{wasm_byte_vec_t, wasm_name_t};
use super::error::{self, tenon_error_t};
use super::frame::{wasm_frame_t, wasm_frame_vec_t};
use super::handle::{self, Counted, Handle, Lent, entered, noun, required};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::vec;
use crate::runtime::error::ErrorKind;
use crate::runtime::object::ObjectKind;
use crate::runtime::store::Store;
use crate::runtime::trap::{Frame, Trap};
use crate::trap::TrapCode;
use std::ffi::c_void;

/// The message of a trap. It ends in NUL, which is part of its size.
pub type wasm_message_t = wasm_name_t;

/// A trap.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_trap_t(Trap);
noun!(wasm_trap_t, ObjectKind::Trap);

impl wasm_trap_t {
    /// The trap.
    pub(crate) fn trap(&self) -> &Trap {
        &self.0
    }

    /// A trap that only serves to keep a store alive.
    pub(crate) fn keeper(store: &Store) -> Result<Counted<wasm_trap_t>, tenon_error_t> {
        // SAFETY: a new trap comes with a handle.
        unsafe { Counted::take(Trap::new(Some(store), TrapCode::Host, "")) }.ok_or_else(error::last)
    }

    /// The trap as a failure.
    pub(crate) fn to_error(&self) -> tenon_error_t {
        let message = String::from_utf8_lossy(&self.0.message);
        tenon_error_t::new(error::Kind::TENON_ERROR_TRAP, format_args!("{message}"))
    }
}

/// Gives up a reference to a trap; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_delete(trap: Handle<wasm_trap_t>) {
    drop(trap);
}

/// Makes another reference to the same trap. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_copy(trap: Option<&wasm_trap_t>) -> Handle<wasm_trap_t> {
    handle::copy(trap)
}

/// Whether two references are to the same trap. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_same(trap: Option<&wasm_trap_t>, other: Option<&wasm_trap_t>) -> bool {
    handle::same(trap, other)
}

/// The host's information about the trap: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_get_host_info(trap: Option<&wasm_trap_t>) -> *mut c_void {
    handle::get_host_info(trap, "wasm_trap_get_host_info")
}

/// Attaches information of the host to the trap. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_set_host_info(trap: Lent<wasm_trap_t>, info: *mut c_void) {
    handle::set_host_info(trap, info, None, "wasm_trap_set_host_info");
}

/// Attaches information of the host to the trap. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the trap dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_set_host_info_with_finalizer(
    trap: Lent<wasm_trap_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(trap, info, finalizer, "wasm_trap_set_host_info_with_finalizer");
}

/// Sees a trap as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_as_ref(trap: Lent<wasm_trap_t>) -> Lent<wasm_ref_t> {
    handle::see(trap)
}

/// Sees a reference as a trap. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_trap(reference: Lent<wasm_ref_t>) -> Lent<wasm_trap_t> {
    handle::see(reference)
}

/// `wasm_trap_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_as_ref_const(trap: Option<&wasm_trap_t>) -> Option<&wasm_ref_t> {
    handle::see_const(trap)
}

/// `wasm_ref_as_trap` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_trap_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_trap_t> {
    handle::see_const(reference)
}

/// Makes a trap, for a host function to return. The message is copied; the NUL at its end, if it has one, does not
/// count. NULL stands for an empty message. Frames are recorded when a host function returns the trap.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_new(store: Lent<wasm_store_t>, message: Option<&wasm_message_t>) -> Handle<wasm_trap_t> {
    let function = "wasm_trap_new";
    error::keep(error::attempt(function, || {
        let store = required(store.get(), function, "the store")?.store();
        let text = message.map_or(&[][..], |message| message.as_bytes());
        let text = text.strip_suffix(&[0]).unwrap_or(text);
        // A NULL would let a host function succeed by mistake: where the store is another thread's, the trap is
        // none of its objects.
        let trap = match store.enter().err().filter(|error| error.kind == ErrorKind::Thread) {
            Some(_) => Trap::new(None, TrapCode::Host, text),
            None => Trap::new(Some(store), TrapCode::Host, text),
        };
        // SAFETY: a new trap comes with a handle.
        Ok(unsafe { Counted::take(trap) })
    }))?
}

/// The message, with a NUL at its end that is part of its size. With NULL, or where memory has run out: empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_message(trap: Option<&wasm_trap_t>, out: Out<wasm_message_t>) {
    let made = trap.and_then(|trap| {
        let text = &trap.0.message;
        let vec = vec::allocate::<wasm_byte_vec_t>(text.len() + 1)?;
        // SAFETY: there is room for one more byte than the text has, and that one is zero.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr().cast(), vec.data, text.len()) };
        Some(vec::Owned::new(vec))
    });
    match made {
        Some(message) => vec::give(out, message),
        None => vec::new_empty(out),
    }
}

/// The frames of a trap. Those of a trap that nothing raised are none.
fn frames(function: &str, trap: Option<&wasm_trap_t>) -> Option<Vec<Frame>> {
    error::keep(error::attempt(function, || Ok(entered(trap, function, "the trap")?.0.frames())))
}

/// The innermost frame; NULL if the trap did not happen in WebAssembly code, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_origin(trap: Option<&wasm_trap_t>) -> Own<wasm_frame_t> {
    wasm_frame_t::new(frames("wasm_trap_origin", trap)?.into_iter().next()?)
}

/// All frames, the innermost first; at most 128, the innermost ones. With NULL: none.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_trace(trap: Option<&wasm_trap_t>, out: Out<wasm_frame_vec_t>) {
    match frames("wasm_trap_trace", trap).and_then(wasm_frame_t::vec) {
        Some(frames) => vec::give(out, frames),
        None => vec::new_empty(out),
    }
}
