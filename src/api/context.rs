//! What stands for a store in the methods of its objects: the store, a reference to it, or a host function's caller.

use super::engine::Engine;
use super::store::{Core, Inner};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What a store can be read through: [`Store`](super::Store), [`Caller`](super::Caller), and references to them.
pub trait AsContext {
    /// The data that the store holds.
    type Data: 'static;

    /// The store, for reading.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What a store can be used through, without restriction.
pub trait AsContextMut: AsContext {
    /// The store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

/// Says that no other type will do for `T`: the data is read and written through raw pointers.
pub(super) type Invariant<T> = PhantomData<fn(T) -> T>;

/// A borrowed store, for reading.
pub struct StoreContext<'a, T: 'static> {
    inner: NonNull<Inner<T>>,
    borrow: PhantomData<&'a Inner<T>>,
    of: Invariant<T>,
}

/// A borrowed store.
pub struct StoreContextMut<'a, T: 'static> {
    inner: NonNull<Inner<T>>,
    borrow: PhantomData<&'a mut Inner<T>>,
}

impl<'a, T> StoreContext<'a, T> {
    /// # Safety
    /// The store is there, and borrowed for `'a`.
    pub(super) unsafe fn new(inner: NonNull<Inner<T>>) -> StoreContext<'a, T> {
        StoreContext { inner, borrow: PhantomData, of: PhantomData }
    }

    pub(super) fn into_core(self) -> &'a Core {
        // SAFETY: borrowed for `'a`.
        unsafe { Inner::core(self.inner) }
    }

    pub(super) fn into_data(self) -> &'a T {
        // SAFETY: borrowed for `'a`.
        unsafe { &*Inner::data(self.inner) }
    }

    /// The engine.
    pub fn engine(&self) -> &'a Engine {
        self.into_core().engine()
    }

    /// The store's data.
    pub fn data(&self) -> &'a T {
        self.into_data()
    }
}

impl<'a, T> StoreContextMut<'a, T> {
    /// # Safety
    /// The store is there, and exclusively borrowed for `'a`.
    pub(super) unsafe fn new(inner: NonNull<Inner<T>>) -> StoreContextMut<'a, T> {
        StoreContextMut { inner, borrow: PhantomData }
    }

    pub(super) fn inner(&self) -> NonNull<Inner<T>> {
        self.inner
    }

    #[inline(always)]
    pub(super) fn core(&self) -> &Core {
        // SAFETY: borrowed.
        unsafe { Inner::core(self.inner) }
    }

    /// Both parts of the store.
    pub(super) fn into_parts(self) -> (&'a Core, &'a mut T) {
        // SAFETY: exclusively borrowed for `'a`; the data is no part of the core.
        unsafe { (Inner::core(self.inner), &mut *Inner::data(self.inner)) }
    }

    pub(super) fn into_data_mut(self) -> &'a mut T {
        self.into_parts().1
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.core().engine()
    }

    /// The store's data.
    pub fn data(&self) -> &T {
        self.as_context().into_data()
    }

    /// The store's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.as_context_mut().into_data_mut()
    }

    /// See [`Store::collect`](super::Store::collect).
    pub fn collect(&mut self) {
        self.core().collect();
    }
}

impl<T> Clone for StoreContext<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StoreContext<'_, T> {}

impl<T> fmt::Debug for StoreContext<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreContext")
    }
}

impl<T> fmt::Debug for StoreContextMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreContextMut")
    }
}

impl<T> AsContext for StoreContext<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        *self
    }
}

impl<T> AsContext for StoreContextMut<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, borrow: PhantomData, of: PhantomData }
    }
}

impl<T> AsContextMut for StoreContextMut<'_, T> {
    #[inline(always)]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner, borrow: PhantomData }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    #[inline(always)]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

macro_rules! into_context {
    ($($holder:ty),*) => {
        $(
            impl<'a, T> From<&'a $holder> for StoreContext<'a, T> {
                fn from(store: &'a $holder) -> StoreContext<'a, T> {
                    store.as_context()
                }
            }

            impl<'a, T> From<&'a mut $holder> for StoreContext<'a, T> {
                fn from(store: &'a mut $holder) -> StoreContext<'a, T> {
                    let store: &'a $holder = store;
                    store.as_context()
                }
            }

            impl<'a, T> From<&'a mut $holder> for StoreContextMut<'a, T> {
                fn from(store: &'a mut $holder) -> StoreContextMut<'a, T> {
                    store.as_context_mut()
                }
            }
        )*
    };
}

into_context!(super::Store<T>, super::Caller<'_, T>, StoreContextMut<'_, T>);
