//! References that are neither in an object of the heap nor of the store: in running frames of WebAssembly, where the
//! compiler's maps say, and in Rust's hands.
//!
//! Rust code that holds a reference while something is allocated roots it, and asks the root again afterwards:
//!
//! ```text
//!  let scope = store.gc.roots.scope();
//!  let array = scope.root(array);
//!  let new = store.gc_allocate(...)?;        array.get() is where the array is now
//! ```

use crate::runtime::store::Store;
use crate::runtime::unwind::{self, Start};
use std::cell::UnsafeCell;

/// The references in Rust's hands.
#[derive(Debug, Default)]
pub struct Roots {
    slots: UnsafeCell<Vec<u32>>,
}

/// Keeps references rooted up to its end. Scopes end in the reverse of their order.
#[derive(Debug)]
pub struct RootScope<'a> {
    roots: &'a Roots,
    begin: usize,
}

/// A reference that is rooted.
#[derive(Clone, Copy, Debug)]
pub struct Rooted<'a> {
    roots: &'a Roots,
    index: usize,
}

impl Roots {
    /// A scope to root references in.
    pub fn scope(&self) -> RootScope<'_> {
        // SAFETY: only the store's thread is here, and no reference to the vector is kept.
        RootScope { roots: self, begin: unsafe { (*self.slots.get()).len() } }
    }

    /// Visits the places of the references.
    pub(in crate::runtime) fn each(&self, visit: &mut dyn FnMut(*mut u32)) {
        // SAFETY: as in `scope`; the visitor roots nothing.
        for slot in unsafe { &mut *self.slots.get() } {
            visit(slot);
        }
    }
}

impl<'a> RootScope<'a> {
    /// Roots a reference.
    pub fn root(&self, reference: u32) -> Rooted<'a> {
        // SAFETY: as in `Roots::scope`.
        let slots = unsafe { &mut *self.roots.slots.get() };
        slots.push(reference);
        Rooted { roots: self.roots, index: slots.len() - 1 }
    }
}

impl Drop for RootScope<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `Roots::scope`.
        unsafe { (*self.roots.slots.get()).truncate(self.begin) };
    }
}

impl Rooted<'_> {
    /// The reference, as it is now. Must not be asked after the scope's end.
    pub fn get(&self) -> u32 {
        // SAFETY: as in `Roots::scope`.
        unsafe { (&(*self.roots.slots.get()))[self.index] }
    }
}

/// Visits the places of the references in the frames of WebAssembly that run in the store.
///
/// # Safety
/// WebAssembly of the store was left on this thread, through `exit_fp`.
pub(in crate::runtime) unsafe fn each_in_frames(store: &Store, visit: &mut dyn FnMut(*mut u32)) {
    // SAFETY: the caller's promise; every frame is at a call, since one at a fault is never left for here.
    unsafe {
        unwind::walk(store.context(), Start::Exit, &mut |frame| {
            for below in frame.meta.roots_at(frame.pc + 1) {
                visit((frame.fp - below as usize) as *mut u32);
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_nest_and_roots_move() {
        let roots = Roots::default();
        let outer = roots.scope();
        let a = outer.root(8);
        {
            let inner = roots.scope();
            let b = inner.root(16);
            roots.each(&mut |place| {
                // SAFETY: a place of a root.
                unsafe { *place += 800 }
            });
            assert_eq!((a.get(), b.get()), (808, 816));
        }
        let mut seen = Vec::new();
        // SAFETY: a place of a root.
        roots.each(&mut |place| seen.push(unsafe { *place }));
        assert_eq!(seen, [808]);
        drop(outer);
        roots.each(&mut |_| panic!("nothing is rooted any more"));
    }
}
