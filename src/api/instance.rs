//! Instances (section 4.2.5).

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::external::Extern;
use super::func::Func;
use super::global::Global;
use super::handle::Handle;
use super::memory::Memory;
use super::module::Module;
use super::store::Core;
use super::table::Table;
use super::tag::Tag;
use super::typed::{TypedFunc, WasmParams, WasmResults};
use crate::module::ExternKind;
use crate::runtime::instance;
use crate::runtime::instantiate::{InstantiateError, instantiate};
use crate::runtime::memory_reset;
use crate::runtime::object::Object;

/// An instance of a module in a store. Lives as long as a handle to it or to one of its exports.
///
/// ```
/// use tenon::{Engine, ErrorKind, Instance, Module, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let add = instance.typed_func::<(i32, i32), i32>(&mut store, "add")?;
/// assert_eq!(add.call(&mut store, (2, 3))?, 5);
///
/// let error = instance.func(&mut store, "sub").unwrap_err();
/// assert_eq!(error.to_string(), "the instance exports no \"sub\"");
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Instance(pub(super) Handle<instance::Instance>);

impl Instance {
    /// A new instance of `module`. The imports are those of the module, in order; the message of a failure names the one that
    /// is missing or does not fit. The start function runs, if there is one. [`Linker`](super::Linker) finds imports by
    /// name.
    pub fn new(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let object = |(i, import): (usize, &Extern)| {
            import.object(core).map_err(|_| {
                let kind = import.kind_name();
                match module.imports().get(i) {
                    Some(ty) => {
                        let (module, name) = (&ty.module, &ty.name);
                        Error::store(format!("import \"{module}\" \"{name}\": the {kind} belongs to another store"))
                    }
                    None => Error::store(format!("import {i}: the {kind} belongs to another store")),
                }
            })
        };
        let objects = imports.iter().enumerate().map(object).collect::<Result<Vec<*const Object>, Error>>()?;
        match instantiate(core.store(), &module.0, &objects) {
            // SAFETY: a new instance comes with a count.
            Ok(instance) => Ok(Instance(unsafe { Handle::owning(core, instance) })),
            Err(InstantiateError::Error(error)) => Err(core.failed(error)),
            // SAFETY: the trap comes with a count.
            Err(InstantiateError::Trap(trap)) => Err(unsafe { core.raised(trap) }),
        }
    }

    /// # Safety
    /// `instance` is a live one of the store, which is exclusively borrowed.
    pub(super) unsafe fn of(core: &Core, instance: *const instance::Instance) -> Instance {
        // SAFETY: the caller's promise.
        Instance(unsafe { Handle::of(core, instance) })
    }

    /// The module.
    pub fn module(&self, store: impl AsContext) -> Result<Module, Error> {
        Ok(Module(self.0.get(store.as_context().into_core())?.module().clone()))
    }

    /// Makes a memory that the module defines hold what it held at first: its data segments, and zeros elsewhere. Its size stays.
    /// `name` is one of its exports.
    ///
    /// ```
    /// # use tenon::{Engine, Instance, Module, Store};
    /// # let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module (memory (export "memory") 1) (data (i32.const 0) "abc"))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let memory = instance.memory(&mut store, "memory")?;
    /// memory.write(&mut store, 0, b"xyz!")?;
    /// instance.reset_memory(&mut store, "memory")?;
    /// assert_eq!(memory.data(&store)?[..4], *b"abc\0");
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub fn reset_memory(&self, mut store: impl AsContextMut, name: &str) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let instance = self.0.get(core)?;
        core.enter()?;
        let module = &instance.module().module;
        match module.export(name) {
            Some(export) if export.kind == ExternKind::Memory && export.index >= module.imported_memories => {
                if instance.memory(export.index).shared().is_some() {
                    return Err(Error::argument(format!(
                        "the memory {name:?} is shared: other threads may be using it"
                    )));
                }
                memory_reset::reset(instance, export.index);
                Ok(())
            }
            Some(export) if export.kind == ExternKind::Memory => Err(Error::argument(format!(
                "the memory {name:?} is imported: its first contents are not the instance's"
            ))),
            _ => Err(Error::argument(format!("the instance exports no memory {name:?}"))),
        }
    }

    /// All exports with their names, in the order of the module.
    pub fn exports(&self, mut store: impl AsContextMut) -> Result<Vec<(String, Extern)>, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let instance = self.0.get(core)?;
        core.enter()?;
        let names = instance.module().module.exports.iter().map(|export| export.name.clone());
        let objects: Vec<*const Object> = instance.exports().collect();
        // SAFETY: what an instance that is alive exports is alive.
        let exports =
            names.zip(objects).filter_map(|(name, object)| Some((name, unsafe { Extern::of(core, object) }?)));
        Ok(exports.collect())
    }

    /// What it exports under this name, if anything.
    pub fn get(&self, mut store: impl AsContextMut, name: &str) -> Result<Option<Extern>, Error> {
        let store = store.as_context_mut();
        store.core().enter()?;
        self.find(store.core(), name)
    }

    /// [`Instance::get`] in a store that is borrowed exclusively, and ready.
    pub(super) fn find(&self, core: &Core, name: &str) -> Result<Option<Extern>, Error> {
        let instance = self.0.get(core)?;
        let Some(export) = instance.module().module.export(name) else { return Ok(None) };
        // SAFETY: what an instance that is alive exports is alive.
        Ok(unsafe { Extern::of(core, instance.get_extern(export.kind, export.index)) })
    }

    /// What it exports under this name.
    pub fn export(&self, store: impl AsContextMut, name: &str) -> Result<Extern, Error> {
        let missing = || Error::argument(format!("the instance exports no {name:?}"));
        self.get(store, name)?.ok_or_else(missing)
    }

    fn export_as<T>(
        &self,
        store: impl AsContextMut,
        name: &str,
        wanted: &str,
        cast: impl FnOnce(Extern) -> Option<T>,
    ) -> Result<T, Error> {
        let found = self.export(store, name)?;
        let kind = found.kind_name();
        cast(found).ok_or_else(|| Error::argument(format!("the export {name:?} is a {kind}, not a {wanted}")))
    }

    /// The function that it exports under this name.
    pub fn func(&self, store: impl AsContextMut, name: &str) -> Result<Func, Error> {
        self.export_as(store, name, "function", Extern::into_func)
    }

    /// The function that it exports under this name, with its type in Rust.
    pub fn typed_func<P: WasmParams, R: WasmResults>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<P, R>, Error> {
        self.func(&mut store, name)?.typed_named(&store, &|| format!("the export {name:?}"))
    }

    /// The memory that it exports under this name.
    pub fn memory(&self, store: impl AsContextMut, name: &str) -> Result<Memory, Error> {
        self.export_as(store, name, "memory", Extern::into_memory)
    }

    /// The table that it exports under this name.
    pub fn table(&self, store: impl AsContextMut, name: &str) -> Result<Table, Error> {
        self.export_as(store, name, "table", Extern::into_table)
    }

    /// The global that it exports under this name.
    pub fn global(&self, store: impl AsContextMut, name: &str) -> Result<Global, Error> {
        self.export_as(store, name, "global", Extern::into_global)
    }

    /// The tag that it exports under this name.
    pub fn tag(&self, store: impl AsContextMut, name: &str) -> Result<Tag, Error> {
        self.export_as(store, name, "tag", Extern::into_tag)
    }
}
