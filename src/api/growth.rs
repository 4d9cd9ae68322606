//! Limits of what a store may have, and the host's say in how it grows.

use super::error::Error;
use super::store::{Core, Inner, Pending, Store};
use super::trap::Trap;
use crate::runtime::growth::{self, Observer};
use crate::runtime::trap;
use crate::trap::TrapCode;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

pub use crate::runtime::growth::Growing;
pub use crate::runtime::store_limits::Resource;

/// A memory or a table that is to grow, or to be made: then it grows from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Growth {
    /// What grows.
    pub kind: Growing,
    /// Pages or elements before.
    pub old_size: u64,
    /// Pages or elements afterwards.
    pub new_size: u64,
    /// How many the type allows, if it sets a bound.
    pub maximum: Option<u64>,
}

impl<T> Store<T> {
    /// Sets how much of something the store may have; `u64::MAX`, which holds at first, is no limit. What would exceed it fails
    /// with [`ErrorKind::StoreLimit`](super::ErrorKind::StoreLimit), after what nothing reaches was given up; growth that
    /// WebAssembly asks for gives -1, or traps ([`Store::set_growth_traps`]). What there is already stays.
    ///
    /// ```
    /// use tenon::{Engine, ErrorKind, Limits, Memory, MemoryType, Resource, Store};
    ///
    /// let mut store = Store::new(&Engine::default(), ());
    /// store.set_limit(Resource::MemoryBytes, 2 << 16)?;
    /// let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: None }))?;
    /// assert!(memory.grow(&mut store, 1).is_ok());
    /// assert_eq!(memory.grow(&mut store, 1).unwrap_err().kind(), ErrorKind::StoreLimit);
    /// assert_eq!(store.usage(Resource::MemoryBytes), 2 << 16);
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub fn set_limit(&mut self, resource: Resource, most: u64) -> Result<(), Error> {
        let core = self.core_mut();
        core.enter()?;
        core.store().set_limit(resource, most);
        Ok(())
    }

    /// How much of something the store may have.
    pub fn limit(&self, resource: Resource) -> u64 {
        self.core().store().limits().most(resource)
    }

    /// How much of something the store has.
    pub fn usage(&self, resource: Resource) -> u64 {
        self.core().store().usage(resource)
    }

    /// Whether `memory.grow` and `table.grow` trap ([`TrapCode::AllocationFailure`]) where a limit of the store, its limiter or
    /// the system refuses; off at first, so that they give -1. They give -1 at the type's maximum in any case.
    pub fn set_growth_traps(&mut self, on: bool) -> Result<(), Error> {
        let core = self.core_mut();
        core.enter()?;
        core.store().limits().traps.set(on);
        Ok(())
    }

    /// Sets who is asked before each growth of a memory or table of the store, and before one is made, if neither the type nor a
    /// limit forbids it. `Ok(false)` refuses; a trap traps, in WebAssembly, or is the error that the host gets.
    ///
    /// ```
    /// use tenon::{Engine, Growing, Instance, Module, Store};
    ///
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module (memory 1)
    ///     (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#)?;
    /// let mut store = Store::new(&engine, Vec::new());
    /// store.set_limiter(|seen: &mut Vec<u64>, growth| {
    ///     assert_eq!(growth.kind, Growing::Memory);
    ///     seen.push(growth.new_size);
    ///     Ok(growth.new_size <= 3)
    /// })?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let grow = instance.typed_func::<i32, i32>(&mut store, "grow")?;
    /// assert_eq!(grow.call(&mut store, 2)?, 1);
    /// assert_eq!(grow.call(&mut store, 1)?, -1);
    /// assert_eq!(*store.data(), [1, 3, 4]);
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub fn set_limiter<F>(&mut self, limiter: F) -> Result<(), Error>
    where
        F: Fn(&mut T, &Growth) -> Result<bool, Trap> + Send + Sync + 'static,
    {
        let inner = self.inner();
        let core = self.core_mut();
        core.enter()?;
        let env = Box::into_raw(Box::new(Env { inner, limiter })).cast();
        let before: growth::Before = ask::<T, F>;
        let observer = Observer { before: Some(before), after: None, env, finalizer: Some(drop_env::<T, F>) };
        core.store().growth().set(Some(observer));
        Ok(())
    }
}

/// What the runtime keeps for a limiter.
struct Env<T, F> {
    inner: NonNull<Inner<T>>,
    limiter: F,
}

unsafe extern "C" fn ask<T, F>(env: *mut c_void, growth: *const growth::Growth, trap: *mut *mut trap::Trap) -> bool
where
    F: Fn(&mut T, &Growth) -> Result<bool, Trap>,
{
    // SAFETY: called by the runtime with what `set_limiter` gave it, and a growth.
    let (env, growth) = unsafe { (&*env.cast::<Env<T, F>>(), &*growth) };
    let told = Growth {
        kind: growth.kind,
        old_size: growth.old_size,
        new_size: growth.new_size,
        maximum: (growth.maximum != u64::MAX).then_some(growth.maximum),
    };
    // SAFETY: whoever makes something grow has borrowed the store exclusively, its data included, and waits.
    let work = || unsafe { (env.limiter)(&mut *Inner::data(env.inner), &told) };
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(allowed)) => return allowed,
        Ok(Err(trap)) => Pending::Error(trap.into()),
        Err(panic) => Pending::Panic(panic),
    };
    // SAFETY: the store is there.
    let raised = fail(unsafe { Inner::core(env.inner) }, failure);
    // SAFETY: a variable that receives a trap.
    unsafe { *trap = raised };
    false
}

fn fail(core: &Core, failure: Pending) -> *mut trap::Trap {
    let (code, message) = match &failure {
        Pending::Panic(_) => (TrapCode::Host, "a limiter panicked"),
        Pending::Error(error) => (error.trap().map_or(TrapCode::Host, Trap::code), error.message()),
    };
    let trap = trap::Trap::new(Some(core.store()), code, message);
    core.set_pending(trap, failure);
    trap
}

unsafe extern "C" fn drop_env<T, F>(env: *mut c_void) {
    // SAFETY: called once, with what `set_limiter` gave to the runtime.
    let Env { inner, limiter } = *unsafe { Box::from_raw(env.cast::<Env<T, F>>()) };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(limiter))) {
        // SAFETY: the runtime's store goes before its core.
        unsafe { Inner::core(inner) }.set_panic(panic);
    }
}
