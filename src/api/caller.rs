//! Who called a host function.

use super::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::engine::Engine;
use super::error::Error;
use super::external::Extern;
use super::instance::Instance;
use super::memory::Memory;
use super::store::Inner;
use crate::runtime::unwind;
use std::fmt;
use std::ptr::NonNull;

/// What a host function gets of the store and of the instance that called it. Stands for the store wherever one is wanted, so
/// that a host function can call back into WebAssembly.
///
/// ```
/// use tenon::{Caller, Engine, Error, Instance, Linker, Module, Store};
///
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("host", "print", |mut caller: Caller<'_, String>, at: u32, len: u32| -> Result<(), Error> {
///     let text = caller.memory()?.read_string(&caller, at.into(), len.into())?;
///     caller.data_mut().push_str(&text);
///     Ok(())
/// })?;
/// let module = Module::new(&engine, r#"(module
///     (import "host" "print" (func $print (param i32 i32)))
///     (memory (export "memory") 1)
///     (data (i32.const 8) "hello")
///     (func (export "run") (call $print (i32.const 8) (i32.const 5))))"#)?;
/// let mut store = Store::new(&engine, String::new());
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data(), "hello");
/// # Ok::<(), Error>(())
/// ```
pub struct Caller<'a, T: 'static>(StoreContextMut<'a, T>);

impl<'a, T> Caller<'a, T> {
    /// # Safety
    /// A host function of the store is being called, for `'a`.
    pub(super) unsafe fn new(inner: NonNull<Inner<T>>) -> Caller<'a, T> {
        // SAFETY: whoever called WebAssembly borrowed the store exclusively and waits.
        Caller(unsafe { StoreContextMut::new(inner) })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.0.engine()
    }

    /// The store's data.
    pub fn data(&self) -> &T {
        self.0.as_context().into_data()
    }

    /// The store's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.0.as_context_mut().into_data_mut()
    }

    /// The instance whose function called. None if the host called the function itself.
    pub fn instance(&mut self) -> Option<Instance> {
        let core = self.0.core();
        // SAFETY: a host function of the store is running, and everything that it called has returned.
        let vmctx = unsafe { unwind::caller(core.store().context()) }?;
        // SAFETY: the frame is there, and so is the instance whose context it has.
        Some(unsafe { Instance::of(core, (*vmctx).instance) })
    }

    /// What the instance that called exports under this name.
    pub fn export(&mut self, name: &str) -> Option<Extern> {
        let instance = self.instance()?;
        instance.find(self.0.core(), name).ok().flatten()
    }

    /// The memory that the instance that called exports as `memory`.
    pub fn memory(&mut self) -> Result<Memory, Error> {
        match self.export("memory") {
            Some(Extern::Memory(memory)) => Ok(memory),
            Some(other) => {
                Err(Error::argument(format!("the caller's export \"memory\" is a {}, not a memory", other.kind_name())))
            }
            None => Err(Error::argument("the caller exports no \"memory\"")),
        }
    }
}

impl<T> AsContext for Caller<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.0.as_context()
    }
}

impl<T> AsContextMut for Caller<'_, T> {
    #[inline(always)]
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.0.as_context_mut()
    }
}

impl<T> fmt::Debug for Caller<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller")
    }
}
