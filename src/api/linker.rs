//! Definitions by name, which imports are looked up in.

use super::caller::Caller;
use super::context::AsContextMut;
use super::engine::Engine;
use super::error::{Error, ErrorKind};
use super::external::Extern;
use super::func::Func;
use super::host::{Callable, IntoFunc, Typed};
use super::instance::Instance;
use super::module::Module;
use super::store::Inner;
use super::val::Val;
use crate::types::FuncType;
use std::collections::BTreeMap;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// Things under two names each, for modules to import. Host functions that are defined as closures belong to no store: a
/// linker that has only such can be used for any number of stores.
///
/// ```
/// use tenon::{Engine, ErrorKind, Linker, Module, Store};
///
/// let engine = Engine::default();
/// let mut linker: Linker<()> = Linker::new(&engine);
/// linker.func_wrap("math", "double", |n: i32| n * 2)?;
/// let module = Module::new(&engine, r#"(module
///     (import "math" "double" (func $double (param i32) (result i32)))
///     (func (export "f") (param i32) (result i32) (call $double (local.get 0))))"#)?;
/// for n in 0..3 {
///     let mut store = Store::new(&engine, ());
///     let instance = linker.instantiate(&mut store, &module)?;
///     assert_eq!(instance.typed_func::<i32, i32>(&mut store, "f")?.call(&mut store, n)?, n * 2);
/// }
///
/// let other = Module::new(&engine, r#"(module (import "math" "half" (func)))"#)?;
/// let error = linker.instantiate(&mut Store::new(&engine, ()), &other).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Link);
/// assert!(error.to_string().starts_with(r#"unknown import "math" "half" (import 0 of 1)"#), "{error}");
/// # Ok::<(), tenon::Error>(())
/// ```
pub struct Linker<T: 'static> {
    engine: Engine,
    modules: BTreeMap<String, BTreeMap<String, Definition<T>>>,
}

enum Definition<T: 'static> {
    Extern(Extern),
    Func(Arc<dyn MakeFunc<T>>),
}

impl<T> Clone for Definition<T> {
    fn clone(&self) -> Self {
        match self {
            Definition::Extern(it) => Definition::Extern(it.clone()),
            Definition::Func(make) => Definition::Func(make.clone()),
        }
    }
}

/// A host function that belongs to no store yet.
trait MakeFunc<T>: Send + Sync {
    fn make(self: Arc<Self>, inner: NonNull<Inner<T>>) -> Result<Func, Error>;
}

/// A type, and what can be called as a function of it in any number of stores.
struct Template<C> {
    ty: FuncType,
    callable: C,
}

impl<T: 'static, C: Callable<T> + Send + Sync + 'static> MakeFunc<T> for Template<C> {
    fn make(self: Arc<Self>, inner: NonNull<Inner<T>>) -> Result<Func, Error> {
        let ty = self.ty.clone();
        Func::make(inner, &ty, self)
    }
}

impl<T, C: Callable<T>> Callable<T> for Arc<Template<C>> {
    unsafe fn call(&self, inner: NonNull<Inner<T>>, ty: &FuncType, values: *mut [u64; 2]) -> Result<(), Error> {
        // SAFETY: the caller's promise.
        unsafe { self.callable.call(inner, ty, values) }
    }
}

impl<T> Linker<T> {
    /// A linker without definitions, for modules of `engine`.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker { engine: engine.clone(), modules: BTreeMap::new() }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Linker<T>, Error> {
        let names = self.modules.entry(module.into()).or_default();
        if names.contains_key(name) {
            return Err(Error::argument(format!("\"{module}\" \"{name}\" is defined already")));
        }
        names.insert(name.into(), definition);
        Ok(self)
    }

    /// Defines something of a store, which can be imported in that store only. The names must be free.
    pub fn define(&mut self, module: &str, name: &str, it: impl Into<Extern>) -> Result<&mut Linker<T>, Error> {
        self.insert(module, name, Definition::Extern(it.into()))
    }

    /// Defines a host function for any store: see [`Func::wrap`]. The names must be free.
    pub fn func_wrap<P, R, F>(&mut self, module: &str, name: &str, function: F) -> Result<&mut Linker<T>, Error>
    where
        F: IntoFunc<T, P, R>,
        P: 'static,
        R: 'static,
    {
        let template = Template { ty: F::ty(), callable: Typed::<F, F, P, R>::new(function) };
        self.insert(module, name, Definition::Func(Arc::new(template)))
    }

    /// Defines a host function for any store, whose type is known only when the program runs: see [`Func::new`]. The names must
    /// be free.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: &FuncType,
        function: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<&mut Linker<T>, Error> {
        let template = Template { ty: ty.clone(), callable: super::func::Dynamic(function) };
        self.insert(module, name, Definition::Func(Arc::new(template)))
    }

    /// Defines all exports of an instance under `module` and their own names. If one of these is not free, none is defined.
    pub fn define_instance(
        &mut self,
        store: impl AsContextMut<Data = T>,
        module: &str,
        instance: &Instance,
    ) -> Result<&mut Linker<T>, Error> {
        let exports = instance.exports(store)?;
        let names = self.modules.entry(module.into()).or_default();
        if let Some((taken, _)) = exports.iter().find(|(name, _)| names.contains_key(name)) {
            return Err(Error::argument(format!("\"{module}\" \"{taken}\" is defined already")));
        }
        names.extend(exports.into_iter().map(|(name, it)| (name, Definition::Extern(it))));
        Ok(self)
    }

    /// What is defined under two names. Of a host function that belongs to no store, a new one for this store.
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Result<Option<Extern>, Error> {
        Ok(match self.modules.get(module).and_then(|names| names.get(name)) {
            Some(Definition::Extern(it)) => Some(it.clone()),
            Some(Definition::Func(make)) => Some(make.clone().make(store.as_context_mut().inner())?.into()),
            None => None,
        })
    }

    /// A new instance of `module`, whose imports are looked up. The message of a failure names the import that is missing or
    /// does not fit.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance, Error> {
        let wanted = module.imports();
        let count = wanted.len();
        let mut imports = Vec::with_capacity(count);
        for (i, import) in wanted.iter().enumerate() {
            let Some(found) = self.get(&mut store, &import.module, &import.name)? else {
                let (module, name, ty) = (&import.module, &import.name, &import.ty);
                let what = match self.modules.contains_key(module) {
                    true => "the first name is defined, the second is not",
                    false => "nothing is defined under the first name",
                };
                let place = format!("unknown import \"{module}\" \"{name}\" (import {i} of {count})");
                return Err(Error::new(ErrorKind::Link, format!("{place}: expected {ty}, but {what}")));
            };
            imports.push(found);
        }
        Instance::new(store, module, &imports)
    }
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker { engine: self.engine.clone(), modules: self.modules.clone() }
    }
}

impl<T> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.modules.iter().flat_map(|(module, names)| names.keys().map(move |name| (module, name)));
        f.debug_set().entries(names).finish()
    }
}
