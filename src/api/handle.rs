//! What a function, a memory and so on are to Rust: a counted reference to an object of a store.
//!
//! ```text
//!   Handle --+
//!   Handle --+--> Root { object, home }    one count of the object's group, which is the store's to give up
//!                           |
//!   Store ------------------+--> Home { open, released: [object] }
//! ```
//! A root that goes does not touch the object: it writes the address down in the home, on whatever thread that is, and the store
//! subtracts the count when it is used next. When a store goes, it closes its home first: from then on nothing is
//! written down, and objects that handles still name are gone. No handle is followed without its store at hand.

use super::error::Error;
use super::store::Core;
use crate::runtime::object::{Object, acquire};
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What outlives a store: the knowledge whether it is there, and the objects that it is to give up.
#[derive(Debug, Default)]
pub struct Home {
    state: Mutex<State>,
    /// Whether `released` has something.
    waiting: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    released: Vec<*const Object>,
}

// SAFETY: the addresses are not followed here, only kept for the store.
unsafe impl Send for Home {}
// SAFETY: as above; they are behind a lock.
unsafe impl Sync for Home {}

impl Home {
    fn release(&self, object: *const Object) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.closed {
            state.released.push(object);
            self.waiting.store(true, Ordering::Release);
        }
    }

    /// The objects that one count each is to be subtracted from.
    pub fn take(&self) -> Vec<*const Object> {
        if !self.waiting.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.store(false, Ordering::Release);
        mem::take(&mut state.released)
    }

    /// Says that the store is no more.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { closed: true, released: Vec::new() };
    }
}

/// One count of an object.
#[derive(Debug)]
struct Root {
    object: NonNull<Object>,
    home: Arc<Home>,
}

// SAFETY: the object is touched only with its store at hand.
unsafe impl Send for Root {}
// SAFETY: as above.
unsafe impl Sync for Root {}

impl Drop for Root {
    fn drop(&mut self) {
        self.home.release(self.object.as_ptr());
    }
}

/// A runtime structure that begins with the header of an object, or is one.
///
/// # Safety
/// It does.
pub unsafe trait IsObject {
    /// What it is called in messages.
    const NAME: &'static str;
}

macro_rules! is_object {
    ($($name:literal $ty:ty;)*) => {
        $(
            // SAFETY: `repr(C)`, beginning with an `Object`.
            unsafe impl IsObject for $ty {
                const NAME: &'static str = $name;
            }
        )*
    };
}

is_object! {
    "function" crate::runtime::func::Func;
    "memory" crate::runtime::memory::Memory;
    "table" crate::runtime::table::Table;
    "global" crate::runtime::global::Global;
    "tag" crate::runtime::tag::Tag;
    "exception" crate::runtime::exception::Exception;
    "instance" crate::runtime::instance::Instance;
    "reference" Object;
}

/// A reference to an object that is a `T`.
pub struct Handle<T> {
    root: Arc<Root>,
    of: PhantomData<*const T>,
}

// SAFETY: the object is touched only with its store at hand, which is borrowed in a way that allows it.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Handle { root: self.root.clone(), of: PhantomData }
    }
}

impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        // An address means one object as long as the store is there, and nothing is new in a store that is gone.
        self.root.object == other.root.object && Arc::ptr_eq(&self.root.home, &other.root.home)
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}", self.root.object)
    }
}

impl<T: IsObject> Handle<T> {
    /// A reference that takes over a count.
    ///
    /// # Safety
    /// `object` is a live object of the store, and the caller owns a count of it.
    pub unsafe fn owning(core: &Core, object: *const T) -> Handle<T> {
        // SAFETY: the caller's promise; every `T` begins with the header.
        let object = unsafe { NonNull::new_unchecked(object.cast_mut().cast::<Object>()) };
        Handle { root: Arc::new(Root { object, home: core.home().clone() }), of: PhantomData }
    }

    /// A reference to an object that is alive. Only where the store is borrowed exclusively.
    ///
    /// # Safety
    /// `object` is a live object of the store.
    pub unsafe fn of(core: &Core, object: *const T) -> Handle<T> {
        // SAFETY: the caller's promise.
        unsafe {
            acquire(&*object.cast::<Object>());
            Handle::owning(core, object)
        }
    }

    /// Whether the object belongs to the store.
    #[inline(always)]
    pub fn is_of(&self, core: &Core) -> bool {
        ptr::eq(Arc::as_ptr(&self.root.home), Arc::as_ptr(core.home()))
    }

    /// The object, if it belongs to the store.
    #[inline(always)]
    pub fn get<'a>(&'a self, core: &'a Core) -> Result<&'a T, Error> {
        if !self.is_of(core) {
            return Err(wrong_store(T::NAME));
        }
        // SAFETY: the root counts, so that the object lives as long as its store, which is this one. Every root of a
        // `Handle<T>` is of a `T`.
        Ok(unsafe { self.root.object.cast::<T>().as_ref() })
    }

    /// The address of the object. It may be gone, unless the handle is known to be of a store that is there.
    #[inline(always)]
    pub fn address(&self) -> *const T {
        self.root.object.as_ptr().cast::<T>()
    }
}

/// Something of one store was used with another.
#[cold]
pub fn wrong_store(what: &str) -> Error {
    Error::store(format!("the {what} belongs to another store"))
}
