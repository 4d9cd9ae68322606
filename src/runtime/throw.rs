//! Throwing: from the frame that throws outwards to the first whose call has a clause for the exception.
//!
//! ```text
//!  host ... entry stub <- wasm: try_call, landing <- wasm <- wasm: throw <- trampoline, here
//! ```
//! The values wait in the store's payload cells while the frames are searched; if the clause wants a reference, they go into an
//! object now. Nothing is unwound before it is known where to: an exception that nobody in this stretch of WebAssembly
//! catches becomes a trap with all its frames, which the entry stub returns to the host. A host function that returns the
//! trap throws the exception on in the stretch that called it. Other traps are not caught.
//!
//! The trampolines of these helpers do not return but continue at `StoreContext::unwind`, or raise the store's trap.

use crate::runtime::builtins::guarded;
use crate::runtime::code_memory::{self, CodeKind};
use crate::runtime::collect;
use crate::runtime::exception::Exception;
use crate::runtime::object::{acquire, release};
use crate::runtime::store::Store;
use crate::runtime::tag::Tag;
use crate::runtime::trap::{Trap, raise_uncaught, store_of};
use crate::runtime::vmctx::{StoreContext, Unwind, Vmctx};
use std::ptr;

/// `throw`: the values are in the store's payload cells.
///
/// # Safety
/// Called by generated code, with its vmctx and one of its tags.
pub unsafe extern "C" fn throw(vmctx: *mut Vmctx, tag: *const Tag) {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*vmctx).store;
        guarded(context, || {
            let Some(handler) = find(context, tag) else {
                let exception = from_payload(context, tag);
                raise_uncaught(context, exception);
                release(exception.cast());
                return;
            };
            let exception = if handler.by_ref { caught_by_ref(context, tag) } else { ptr::null() };
            (*context).unwind = handler.unwind((*context).payload, exception);
        });
    }
}

/// `throw_ref`
///
/// # Safety
/// Called by generated code, with its vmctx and a reference that is not null.
pub unsafe extern "C" fn throw_ref(vmctx: *mut Vmctx, exception: *const Exception) {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*vmctx).store;
        guarded(context, || match find(context, (*exception).tag) {
            Some(handler) => (*context).unwind = handler.unwind((*exception).payload, exception),
            None => raise_uncaught(context, exception),
        });
    }
}

/// The exception whose values are in the store's payload cells, as an object: for a clause that wants a reference, in the
/// function that throws.
///
/// # Safety
/// As [`throw`].
pub unsafe extern "C" fn exception_new(vmctx: *mut Vmctx, tag: *const Tag) -> *const Exception {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*vmctx).store;
        let mut made = ptr::null();
        guarded(context, || made = caught_by_ref(context, tag));
        made
    }
}

/// Throws the exception of a trap that a host function returned in the WebAssembly that called it. Gives the trap back if
/// it carries none, or nobody there catches it.
///
/// # Safety
/// Called on behalf of a host stub of the store; the caller owns a handle to `trap`.
pub unsafe fn throw_from_host(context: *mut StoreContext, trap: *mut Trap) -> Option<*mut Trap> {
    // SAFETY: the caller's promise.
    unsafe {
        let exception = (*trap).exception();
        let Some(thrown) = exception.as_ref().filter(|e| ptr::eq(e.object.store, store_of(context))) else {
            return Some(trap);
        };
        let Some(handler) = find(context, thrown.tag) else { return Some(trap) };
        // The trap may be all that keeps the exception.
        acquire(&thrown.object);
        release(trap.cast());
        if handler.by_ref {
            thrown.object.group().leak();
            (*context).unwind = handler.unwind(thrown.payload, exception);
        } else {
            ptr::copy_nonoverlapping(thrown.payload, (*context).payload, thrown.values().len());
            (*context).unwind = handler.unwind((*context).payload, ptr::null());
        }
        store_of(context).unroot(thrown.object.group());
        None
    }
}

/// A clause of a running frame.
struct Handler {
    pc: usize,
    fp: usize,
    sp: usize,
    by_ref: bool,
}

impl Handler {
    fn unwind(&self, payload: *const crate::runtime::vmctx::GlobalCell, exception: *const Exception) -> Unwind {
        Unwind { pc: self.pc, fp: self.fp, sp: self.sp, payload, exception }
    }
}

/// The clause that catches exceptions with this tag, in the innermost stretch of WebAssembly.
///
/// # Safety
/// The store's WebAssembly was left on this thread, through `exit_fp`.
unsafe fn find(context: *mut StoreContext, tag: *const Tag) -> Option<Handler> {
    // SAFETY: up to the entry stub there are only frames of generated code, which is alive while it runs. Frames of functions
    // with handlers keep their vmctx.
    unsafe {
        let mut fp = (*context).exit_fp;
        loop {
            let [caller, return_address] = *(fp as *const [usize; 2]);
            fp = caller;
            let meta = code_memory::lookup(return_address.wrapping_sub(1))?;
            if let CodeKind::EntryStub { .. } = meta.kind {
                return None;
            }
            if meta.handlers.is_empty() {
                continue;
            }
            let vmctx = *((fp - meta.vmctx_below_fp? as usize) as *const *const u8);
            let call = (return_address - meta.start) as u32;
            let first = meta.handlers.partition_point(|handler| handler.call < call);
            for handler in meta.handlers[first..].iter().take_while(|handler| handler.call == call) {
                let same = |offset: u32| ptr::eq(*vmctx.add(offset as usize).cast::<*const Tag>(), tag);
                if handler.clause.tag.is_none_or(same) {
                    return Some(Handler {
                        pc: meta.start + handler.landing as usize,
                        fp,
                        sp: fp - meta.frame_below_fp as usize,
                        by_ref: handler.clause.by_ref,
                    });
                }
            }
        }
    }
}

/// An exception with the values that are in the store's payload cells, and one handle.
///
/// # Safety
/// `context` is that of a live store, and there are values of the tag's types.
unsafe fn from_payload(context: *mut StoreContext, tag: *const Tag) -> *const Exception {
    // SAFETY: the caller's promise.
    unsafe {
        let store = store_of(context);
        store.throwing.set(tag);
        // Exceptions that are dropped again and again must not gather.
        collect::settle(store);
        let made = Exception::new(store, &*tag, |i| *(*context).payload.add(i));
        store.throwing.set(ptr::null());
        made
    }
}

/// As [`from_payload`], for WebAssembly: with no handle, found where it is used.
///
/// # Safety
/// As [`from_payload`].
unsafe fn caught_by_ref(context: *mut StoreContext, tag: *const Tag) -> *const Exception {
    // SAFETY: the caller's promise; until the reference is in a frame nothing is collected.
    unsafe {
        let exception = from_payload(context, tag);
        let group = (*exception).object.group();
        group.leak();
        let store: &Store = store_of(context);
        store.unroot(group);
        exception
    }
}
