//! References to what lives in a store. A `wasm_func_t *` and the like points to the runtime's own object, and owning
//! one means owning a count of it. As in `own.rs`, a signature says which it is: `Handle<T>` changes hands and is
//! printed as `own T *`; `Lent<T>` does not and is printed as `T *`; `Option<&T>` is `const T *`.

use super::error::{self, Kind, guard, tenon_error_t};
use super::vec::Element;
use crate::runtime::error::Error;
use crate::runtime::object::{self, Object, ObjectKind};
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// What can be held.
///
/// # Safety
/// `give_up` ends one hold, and may be called where a hold exists, on any thread.
pub unsafe trait Held {
    /// Gives up a hold. The thing may be gone afterwards.
    ///
    /// # Safety
    /// The caller owns a hold on `this`.
    unsafe fn give_up(this: *const Self);
}

/// A type of the header for objects of the runtime of some kinds.
///
/// # Safety
/// A pointer to one is a pointer to an [`Object`] of a kind that `is` accepts, with what belongs to that kind behind it.
pub unsafe trait Noun {
    /// Whether objects of this kind are of this type.
    fn is(kind: ObjectKind) -> bool;

    /// The object.
    fn object(&self) -> &Object {
        // SAFETY: the trait's promise.
        unsafe { &*ptr::from_ref(self).cast::<Object>().cast_mut() }
    }

    /// Makes sure that the calling thread may use the object's store. A trap about a busy store has none.
    fn enter(&self) -> Result<(), Error>
    where
        Self: Sized,
    {
        // SAFETY: a store lives as long as its objects.
        unsafe { self.object().store.as_ref() }.map_or(Ok(()), |store| store.enter())
    }
}

// SAFETY: an object's handles are counted.
unsafe impl<T: Noun> Held for T {
    unsafe fn give_up(this: *const T) {
        // SAFETY: the caller's promise.
        unsafe { object::release(this.cast()) };
    }
}

/// A hold on a thing, given up when dropped. Never NULL: see [`Handle`].
#[repr(transparent)]
pub struct Counted<T: Held>(NonNull<T>);

/// A thing that changes hands: as a parameter the callee owns it, as a result the caller does. `None` is NULL.
pub type Handle<T> = Option<Counted<T>>;

impl<T: Held> Counted<T> {
    /// Takes over a hold, of a pointer from the runtime; none of NULL.
    ///
    /// # Safety
    /// `thing` is NULL, or the caller owns a hold on it, and `T` is the type of it.
    pub(crate) unsafe fn take<S>(thing: *const S) -> Handle<T> {
        NonNull::new(thing.cast_mut().cast::<T>()).map(Counted)
    }
}

impl<T: Noun> Counted<T> {
    /// One more hold on a thing.
    pub(crate) fn of(thing: &T) -> Counted<T> {
        object::acquire(thing.object());
        Counted(NonNull::from(thing))
    }

    /// One more hold on an object, if it is of this type; NULL is of none.
    ///
    /// # Safety
    /// `object` is NULL or alive.
    pub(crate) unsafe fn of_object(object: *const Object) -> Handle<T> {
        // SAFETY: the caller's promise; the kind says what the object is.
        let thing = unsafe { cast::<T>(object).as_ref() }?;
        Some(Counted::of(thing))
    }
}

impl<T: Held> Deref for Counted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: alive while the hold exists.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Held> Drop for Counted<T> {
    fn drop(&mut self) {
        let thing = self.0.as_ptr();
        // SAFETY: the hold is owned, and ends here.
        guard("deleting a reference", (), || unsafe { T::give_up(thing) });
    }
}

impl<T: Noun> Element for Handle<T> {
    fn copy(&self) -> Option<Handle<T>> {
        Some(self.as_deref().map(Counted::of))
    }
}

/// A pointer that is lent for the call, or for as long as what it was asked of; it may be NULL. What lives in a
/// store is reached by many pointers at once, so that there is never a `&mut` to it.
#[repr(transparent)]
pub struct Lent<T>(*mut T);

impl<T> Clone for Lent<T> {
    fn clone(&self) -> Lent<T> {
        *self
    }
}

impl<T> Copy for Lent<T> {}

impl<T> Lent<T> {
    /// Lends what is at an address, which may be NULL.
    pub(crate) fn new(thing: *const T) -> Lent<T> {
        Lent(thing.cast_mut())
    }

    /// The thing.
    pub(crate) fn get<'a>(self) -> Option<&'a T> {
        // SAFETY: by the header's contract a pointer that is not NULL is to a live thing of its type; it lives at least as
        // long as the call, whose end no reference survives.
        unsafe { self.0.as_ref() }
    }

    /// The address.
    pub(crate) fn as_ptr(self) -> *mut T {
        self.0
    }
}

/// The same object as another type of the header, if it is of that type; else NULL.
///
/// # Safety
/// `object` is NULL or alive.
pub(crate) unsafe fn cast<T: Noun>(object: *const Object) -> *const T {
    // SAFETY: the caller's promise.
    match unsafe { object.as_ref() } {
        Some(header) if T::is(header.kind) => object.cast(),
        _ => ptr::null(),
    }
}

/// Body of the functions that see an object as another type.
pub(crate) fn see<S: Noun, T: Noun>(thing: Lent<S>) -> Lent<T> {
    // SAFETY: by the header's contract the pointer is NULL or to a live object.
    Lent::new(unsafe { cast::<T>(thing.as_ptr().cast()) })
}

/// Body of the functions that see a const object as another type.
pub(crate) fn see_const<S: Noun, T: Noun>(thing: Option<&S>) -> Option<&T> {
    // SAFETY: alive as long as what it was seen from.
    unsafe { cast::<T>(ptr::from_ref(thing?).cast()).as_ref() }
}

/// Body of `wasm_x_copy`.
pub(crate) fn copy<T: Noun>(thing: Option<&T>) -> Handle<T> {
    thing.map(Counted::of)
}

/// Body of `wasm_x_same`.
pub(crate) fn same<T: Noun>(one: Option<&T>, other: Option<&T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// Gives a lent thing, or the failure that it is NULL.
pub(crate) fn required<T>(thing: Option<T>, function: &str, parameter: &str) -> Result<T, tenon_error_t> {
    thing.ok_or_else(|| tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("{function}: {parameter} is NULL")))
}

/// A thing whose store the calling thread may use, or the failure that it may not, or that it is NULL.
pub(crate) fn entered<'a, T: Noun>(
    thing: Option<&'a T>,
    function: &str,
    parameter: &str,
) -> Result<&'a T, tenon_error_t> {
    let thing = required(thing, function, parameter)?;
    thing.enter().map_err(|error| tenon_error_t::from(error).within(function))?;
    Ok(thing)
}

/// The host's pointer for a finalizer, and the finalizer.
pub(crate) type Finalizer = Option<unsafe extern "C" fn(*mut std::ffi::c_void)>;

/// Body of `wasm_x_get_host_info`.
pub(crate) fn get_host_info<T: Noun>(thing: Option<&T>, function: &str) -> *mut std::ffi::c_void {
    if thing.is_none() {
        return ptr::null_mut();
    }
    let info = error::attempt(function, || Ok(entered(thing, function, "the reference")?.object().host_info()));
    error::keep(info).unwrap_or(ptr::null_mut())
}

/// Body of `wasm_x_set_host_info_with_finalizer`.
pub(crate) fn set_host_info<T: Noun>(
    thing: Lent<T>,
    info: *mut std::ffi::c_void,
    finalizer: Finalizer,
    function: &str,
) {
    let done = error::attempt(function, || {
        let thing = entered(thing.get(), function, "the reference")?;
        thing.object().set_host_info(info, finalizer);
        Ok(())
    });
    error::keep(done);
}

/// Says which kinds of objects a transparent wrapper of a runtime's object is for. (No exported function comes out of
/// this: those are all written out.)
macro_rules! noun {
    ($noun:ident, $kinds:pat) => {
        // SAFETY: the wrapper is transparent, and what it wraps begins with the header of an object of these kinds.
        unsafe impl $crate::capi::handle::Noun for $noun {
            fn is(kind: $crate::runtime::object::ObjectKind) -> bool {
                matches!(kind, $kinds)
            }
        }
    };
}
pub(crate) use noun;
