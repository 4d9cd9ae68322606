//! Ownership in signatures. The header marks what changes hands with `own`; here the same word is a type,
//! so that a Rust signature says what the C declaration says, and the header's generator can turn one into
//! the other: `Own<T>`, `Out<T>` and `Take<T>` are all printed as `own T *`.
//!
//! None of them trusts the caller more than it must: each may be NULL.

use std::alloc::{Layout, alloc};
use std::mem;

/// A thing that changes hands: as a parameter the callee owns it, as a result the caller does. `None` is NULL.
pub type Own<T> = Option<Box<T>>;

/// A caller's variable that receives an owned value. It holds nothing yet, so it is never read.
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Hands `value` to the caller. With NULL for the variable there is nobody to hand it to: the value is
    /// given back, for whoever knows how to dispose of it.
    pub(crate) fn write(self, value: T) -> Result<(), T> {
        if self.0.is_null() {
            return Err(value);
        }
        // SAFETY: by the header's contract a non-null out parameter points to a variable of type T that the
        // callee alone uses during the call; `write` does not read or drop what was there.
        unsafe { self.0.write(value) };
        Ok(())
    }

    /// The variable at an address, which may be NULL.
    pub(crate) fn at(variable: *mut T) -> Out<T> {
        Out(variable)
    }

    /// Whether the caller gave NULL.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

/// A caller's variable whose contents are taken over: afterwards it holds the empty value, so that a second
/// take, or a delete by the caller, finds nothing.
#[repr(transparent)]
pub struct Take<T>(*mut T);

impl<T: Empty> Take<T> {
    /// Takes the contents, leaving the empty value behind; NULL has empty contents.
    pub(crate) fn take(self) -> T {
        if self.0.is_null() {
            return T::EMPTY;
        }
        // SAFETY: by the header's contract a non-null parameter points to an initialised T that nothing else
        // uses during the call.
        unsafe { mem::replace(&mut *self.0, T::EMPTY) }
    }
}

impl<T> Take<T> {
    /// Gives the contents to `edit`, which takes over what it wants; nothing happens with NULL.
    pub(crate) fn edit(self, edit: impl FnOnce(&mut T)) {
        // SAFETY: as in `take`.
        if let Some(contents) = unsafe { self.0.as_mut() } {
            edit(contents);
        }
    }
}

/// Types with a value that owns nothing.
pub trait Empty {
    /// That value.
    const EMPTY: Self;
}

/// Boxes `value`, or gives `None` where memory has run out (`Box::new` would end the process).
pub(crate) fn boxed<T>(value: T) -> Own<T> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Some(Box::new(value));
    }
    // SAFETY: the layout's size is not zero.
    let at = unsafe { alloc(layout) }.cast::<T>();
    if at.is_null() {
        super::error::out_of_memory(layout.size());
        return None;
    }
    // SAFETY: `at` is fresh memory of the global allocator with T's layout, which is what a Box owns; it is
    // initialised before the Box exists.
    unsafe {
        at.write(value);
        Some(Box::from_raw(at))
    }
}
