//! Stores (section 4.2.3): where instances and all that they define live.

use super::context::{AsContext, AsContextMut, Invariant, StoreContext, StoreContextMut};
use super::engine::Engine;
use super::error::Error;
use super::handle::Home;
use super::trap::Trap;
use crate::runtime::object::release;
use crate::runtime::sys::thread_number::thread_number;
use crate::runtime::{collect, error, store, trap};
use crate::trap::TrapCode;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::thread;

/// The home of instances, functions, memories and so on, with data of the host's beside them, which host functions reach through
/// their [`Caller`](super::Caller).
///
/// What nothing reaches any more, no handle and nothing in the store, is given up while the store lives: handles that were
/// dropped are noticed when the store is used next. The rest goes with the store.
///
/// A store can move to another thread, and be shared, if its data can.
///
/// ```
/// use tenon::{Engine, Func, Instance, Module, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (import "host" "count" (func $count))
///     (func (export "run") (call $count) (call $count)))"#)?;
///
/// let mut store = Store::new(&engine, 0);
/// let count = Func::wrap(&mut store, |mut caller: tenon::Caller<'_, i32>| *caller.data_mut() += 1);
/// let instance = Instance::new(&mut store, &module, &[count.into()])?;
/// instance.typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(*store.data(), 2);
/// # Ok::<(), tenon::Error>(())
/// ```
pub struct Store<T: 'static> {
    inner: NonNull<Inner<T>>,
    owns: PhantomData<T>,
    of: Invariant<T>,
}

/// What a [`Store`] owns. At one address, which its host functions know.
pub struct Inner<T> {
    core: Core,
    data: T,
}

// SAFETY: what host functions own, and what external references hold, can go to any thread; the runtime's store is told
// that it moved before anything of it runs (`Core::enter`).
unsafe impl<T: Send> Send for Store<T> {}
// SAFETY: what needs no more than a shared reference to a store only reads (`StoreContext`), and the data can be shared.
unsafe impl<T: Sync> Sync for Store<T> {}

/// The part of a store that does not depend on its data.
pub struct Core {
    store: NonNull<store::Store>,
    engine: Engine,
    home: Arc<Home>,
    /// The number of the thread that last entered.
    thread: Cell<u64>,
    /// What goes on as soon as WebAssembly is left, and the trap as which it crosses.
    pending: RefCell<Option<(*const trap::Trap, Pending)>>,
    /// A panic of a destructor, which goes on at the next occasion.
    panic: RefCell<Option<Box<dyn Any + Send>>>,
}

/// What crosses WebAssembly as a trap.
pub enum Pending {
    /// A host function panicked.
    Panic(Box<dyn Any + Send>),
    /// A host function failed.
    Error(Error),
}

impl<T> Store<T> {
    /// A store of `engine` that holds `data`.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        // SAFETY: a new store is its maker's.
        let store = unsafe { NonNull::new_unchecked(store::Store::new(&engine.0)) };
        let core = Core {
            store,
            engine: engine.clone(),
            home: Arc::default(),
            thread: Cell::new(0),
            pending: RefCell::default(),
            panic: RefCell::default(),
        };
        let inner = Box::into_raw(Box::new(Inner { core, data }));
        // SAFETY: a box is not null.
        Store { inner: unsafe { NonNull::new_unchecked(inner) }, owns: PhantomData, of: PhantomData }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.core().engine()
    }

    /// The data.
    pub fn data(&self) -> &T {
        self.as_context().into_data()
    }

    /// The data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.as_context_mut().into_data_mut()
    }

    /// Gives up everything in the store that nothing reaches any more. Happens by itself, sooner or later.
    pub fn collect(&mut self) {
        self.as_context_mut().collect();
    }

    pub(super) fn inner(&self) -> NonNull<Inner<T>> {
        self.inner
    }

    pub(super) fn core(&self) -> &Core {
        self.as_context().into_core()
    }

    /// The part of the store that does not depend on its data, to be used without restriction.
    pub(super) fn core_mut(&mut self) -> &Core {
        self.as_context_mut().into_parts().0
    }

    /// Drops the store and gives back its data.
    pub fn into_data(self) -> T {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: the store is not dropped again.
        unsafe { Inner::end(this.inner) }
    }
}

impl<T> Inner<T> {
    /// Ends the store that `inner` is of.
    ///
    /// # Safety
    /// Nothing of the store is in use, and it is not used again.
    unsafe fn end(inner: NonNull<Inner<T>>) -> T {
        // SAFETY: the store's own box, for the last time. Destructors that run now have no way to the store.
        let Inner { core, data } = unsafe {
            let core = &(*inner.as_ptr()).core;
            core.home.close();
            store::Store::destroy(core.store.as_ptr());
            *Box::from_raw(inner.as_ptr())
        };
        if let Some(panic) = core.panic.take().filter(|_| !thread::panicking()) {
            drop(data);
            resume_unwind(panic);
        }
        data
    }
}

impl<T> Drop for Store<T> {
    fn drop(&mut self) {
        // SAFETY: dropped once, and borrowed by nobody.
        drop(unsafe { Inner::end(self.inner) });
    }
}

impl<T> AsContext for Store<T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        // SAFETY: alive, and borrowed as long as the context.
        unsafe { StoreContext::new(self.inner) }
    }
}

impl<T> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        // SAFETY: alive, and exclusively borrowed as long as the context.
        unsafe { StoreContextMut::new(self.inner) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("data", self.data()).finish_non_exhaustive()
    }
}

impl<T> Inner<T> {
    /// The part that does not depend on the data.
    ///
    /// # Safety
    /// The store is there for `'a`.
    #[inline(always)]
    pub unsafe fn core<'a>(this: NonNull<Inner<T>>) -> &'a Core {
        // SAFETY: the caller's promise; nobody has an exclusive reference to that part.
        unsafe { &(*this.as_ptr()).core }
    }

    /// Where the data is.
    pub fn data(this: NonNull<Inner<T>>) -> *mut T {
        // SAFETY: within the box, whose address is that of a live store.
        unsafe { &raw mut (*this.as_ptr()).data }
    }
}

impl Core {
    /// The runtime's store.
    pub fn store(&self) -> &store::Store {
        // SAFETY: destroyed when the core is.
        unsafe { self.store.as_ref() }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What outlives the store.
    #[inline(always)]
    pub fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Tells the runtime's store that it has moved, if it has. To be called where the store is borrowed exclusively.
    #[inline(always)]
    pub fn on_this_thread(&self) {
        let number = thread_number();
        if self.thread.get() != number {
            self.move_to(number);
        }
    }

    #[cold]
    #[inline(never)]
    fn move_to(&self, number: u64) {
        self.thread.set(number);
        self.store().forget_stack();
    }

    /// Makes the store ready for use on this thread, and gives up what was dropped since. To be called first by whatever
    /// borrows the store exclusively and makes or changes something.
    pub fn enter(&self) -> Result<(), Error> {
        self.on_this_thread();
        self.store().enter().map_err(|error| match error.kind {
            error::ErrorKind::StackExhausted => Trap::from(TrapCode::CallStackExhausted).into(),
            _ => Error::from(error),
        })?;
        self.give_up_dropped();
        self.go_on();
        Ok(())
    }

    /// Gives up what handles were dropped of. To be called where the store is used by this thread.
    pub fn give_up_dropped(&self) {
        for object in self.home.take() {
            // SAFETY: each is a count that a handle of this store had. The store is open, so that it is not freed.
            unsafe { release(object) };
        }
    }

    /// See [`Store::collect`].
    pub fn collect(&self) {
        if self.enter().is_ok() {
            collect::collect(self.store());
            self.go_on();
        }
    }

    /// Notes what is to go on where WebAssembly is left by `trap`.
    pub fn set_pending(&self, trap: *const trap::Trap, what: Pending) {
        let before = self.pending.replace(Some((trap, what)));
        drop(before);
    }

    /// Notes the panic of a destructor that the runtime called.
    pub fn set_panic(&self, panic: Box<dyn Any + Send>) {
        let mut place = self.panic.borrow_mut();
        if place.is_none() {
            *place = Some(panic);
        } else {
            // A payload could panic again when dropped.
            std::mem::forget(panic);
        }
    }

    /// Goes on with the panic of a destructor.
    fn go_on(&self) {
        let panic = self.panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// A failure of the runtime as one of the API. If the host's limiter had a hand in it, what that failed with.
    pub fn failed(&self, error: error::Error) -> Error {
        match self.pending.take() {
            Some((_, Pending::Panic(panic))) => resume_unwind(panic),
            Some((_, Pending::Error(error))) => error,
            None => error.into(),
        }
    }

    /// The failure that a trap is about; goes on with a panic if that is what it is about.
    ///
    /// # Safety
    /// `trap` comes from a call in this store, with a count that the caller gives up.
    #[cold]
    pub unsafe fn raised(&self, trap: *mut trap::Trap) -> Error {
        let pending = self.pending.take().filter(|(cause, _)| ptr::eq(*cause, trap));
        // SAFETY: the caller's promise.
        let told = unsafe {
            let told = Trap::of(self, &*trap);
            release(trap.cast());
            told
        };
        match pending {
            Some((_, Pending::Panic(panic))) => resume_unwind(panic),
            Some((_, Pending::Error(error))) => error.crossed(told),
            None => told.into(),
        }
    }
}
