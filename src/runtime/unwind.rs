//! The frames of a store's WebAssembly, found by following frame pointers.
//!
//! ```text
//!  host ... entry stub <- wasm <- wasm <- host stub <- host ... entry stub <- wasm <- wasm, here: a fault
//!              |  activation: previous,                            |              or a builtin's trampoline
//!              |  the store's exit_fp before it                    |
//! ```
//! Each stretch of WebAssembly ends at an entry stub, whose activation record tells the frame through which the next outer
//! stretch was left. Frames of the host lie in between and are not followed: they need not have frame pointers.

use crate::runtime::code_memory::{self, CodeKind, CodeMeta};
use crate::runtime::vmctx::{Activation, StoreContext, Vmctx};
use std::cell::Cell;
use std::ptr;

/// Where a walk begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// At the frame through which the store's WebAssembly was left: a host stub or a builtin's trampoline.
    Exit,
    /// At an instruction of WebAssembly that trapped.
    Fault {
        /// Its address.
        pc: usize,
        /// The frame pointer at it.
        fp: usize,
        /// The function's vmctx, if the fault was in the prologue, before the frame could keep it; else null.
        vmctx: *mut Vmctx,
    },
}

/// A frame of WebAssembly.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// An address in the instruction that the frame is at: the one that trapped, or the call.
    pub pc: usize,
    /// Its frame pointer.
    pub fp: usize,
    /// Its function. Valid while the frame is there.
    pub meta: &'static CodeMeta,
    /// Its vmctx, where the frame does not keep it, or not yet; else null.
    early_vmctx: *mut Vmctx,
}

impl Frame {
    /// Where in the module's bytes the instruction stands; if it is of an inlined function, then where the call of that stands, and so
    /// on to the function that the frame was made for.
    pub fn places(&self) -> impl Iterator<Item = u32> {
        self.meta.places(self.pc)
    }

    /// The vmctx that the function was called with, if its frame keeps it.
    ///
    /// # Safety
    /// The frame is still there.
    pub unsafe fn vmctx(&self) -> Option<*mut Vmctx> {
        if !self.early_vmctx.is_null() {
            return Some(self.early_vmctx);
        }
        let below = self.meta.vmctx_below_fp?;
        // SAFETY: the compiler says that the frame keeps its vmctx there.
        Some(unsafe { *((self.fp - below as usize) as *const *mut Vmctx) })
    }
}

/// The WebAssembly function that holds the instruction at `pc`. May be asked in a signal handler.
///
/// # Safety
/// If there is code at the address, it is alive while the result is in use.
pub unsafe fn wasm_at(pc: usize) -> Option<&'static CodeMeta> {
    // SAFETY: as the caller says.
    let meta = unsafe { code_memory::lookup(pc) }?;
    matches!(meta.kind, CodeKind::Wasm { .. }).then_some(meta)
}

/// Calls `each` with all frames of the store, the innermost first, until it returns false.
///
/// # Safety
/// This thread is running the store: its `activation` and `exit_fp`, or the fault, are frames of this thread that are
/// still there.
pub unsafe fn walk(store: *const StoreContext, start: Start, each: &mut dyn FnMut(Frame) -> bool) {
    // SAFETY: the caller says that the store is valid, and that it is being run.
    let (activation, exit_fp) = unsafe { ((*store).activation, (*store).exit_fp) };
    if activation.is_null() {
        return;
    }
    // A frame that only calls functions of its own module does not keep its vmctx: it is that of the frame it called.
    let callee = Cell::new(ptr::null_mut());
    let each = &mut |mut frame: Frame| {
        if frame.meta.vmctx_below_fp.is_none() && frame.early_vmctx.is_null() {
            frame.early_vmctx = callee.get();
        }
        // SAFETY: the frame is there.
        callee.set(unsafe { frame.vmctx() }.unwrap_or(ptr::null_mut()));
        each(frame)
    };
    let mut start = match start {
        // SAFETY: WebAssembly was left through this frame.
        Start::Exit => unsafe { leave(exit_fp) },
        Start::Fault { pc, fp, vmctx } => Position { pc, fp, early_vmctx: vmctx },
    };
    loop {
        // SAFETY: the frames up to the next entry stub are of generated code.
        let Some(activation) = (unsafe { stretch(start, each) }) else { return };
        // SAFETY: the activation record is in a frame that is there.
        let (previous, exit_fp) = unsafe { ((*activation).previous, (*activation).saved_exit_fp) };
        if previous.is_null() {
            return;
        }
        callee.set(ptr::null_mut());
        // SAFETY: the outer activation was left through this frame.
        start = unsafe { leave(exit_fp) };
    }
}

/// The innermost activation, found from the frames alone, without knowing the store. May be asked in a signal handler.
///
/// # Safety
/// The start is in WebAssembly that this thread is running.
pub unsafe fn activation_from(pc: usize, fp: usize) -> Option<*mut Activation> {
    // SAFETY: as the caller says.
    unsafe { stretch(Position { pc, fp, early_vmctx: ptr::null_mut() }, &mut |_| true) }
}

/// The vmctx of the function that called the host function which is running. None if the host called that itself.
///
/// # Safety
/// A host function of the store is running on this thread, and all that it called has returned.
pub unsafe fn caller(store: *const StoreContext) -> Option<*mut Vmctx> {
    // SAFETY: the host stub is the frame through which WebAssembly was left; from there to the entry stub, all are frames of
    // generated code. A frame that calls a function of another module keeps its vmctx.
    unsafe {
        if (*store).activation.is_null() {
            return None;
        }
        let mut vmctx = None;
        stretch(leave((*store).exit_fp), &mut |frame| {
            vmctx = frame.vmctx();
            false
        });
        vmctx
    }
}

/// A place in generated code, and its frame.
#[derive(Clone, Copy)]
struct Position {
    /// An address in the instruction.
    pc: usize,
    /// The frame pointer.
    fp: usize,
    /// As in [`Frame`].
    early_vmctx: *mut Vmctx,
}

/// The caller of the frame at `fp`.
///
/// # Safety
/// It is a frame with a frame pointer.
unsafe fn leave(fp: usize) -> Position {
    let frame = fp as *const [usize; 2];
    // SAFETY: a frame begins with the caller's frame pointer and the return address.
    let [fp, return_address] = unsafe { *frame };
    Position { pc: return_address.wrapping_sub(1), fp, early_vmctx: ptr::null_mut() }
}

/// Calls `each` with the frames up to the next entry stub, whose activation it returns. None if `each` wants no more,
/// or if something is met that is not generated code.
///
/// # Safety
/// The position is in code that is being run, and the frames from there to the entry stub are there.
unsafe fn stretch(mut at: Position, each: &mut dyn FnMut(Frame) -> bool) -> Option<*mut Activation> {
    loop {
        // SAFETY: code that is being run is alive.
        let meta = unsafe { code_memory::lookup(at.pc) }?;
        match meta.kind {
            CodeKind::Wasm { .. } => {
                if !each(Frame { pc: at.pc, fp: at.fp, meta, early_vmctx: at.early_vmctx }) {
                    return None;
                }
            }
            CodeKind::EntryStub { activation_below_fp } => {
                return Some((at.fp - activation_below_fp as usize) as *mut Activation);
            }
            CodeKind::HostStub | CodeKind::Other => {}
        }
        // SAFETY: all generated code keeps frame pointers.
        at = unsafe { leave(at.fp) };
    }
}
