//! Definitions by name: what a module imports is looked up by its two names (the specification leaves that to the
//! embedder; others call it a linker, too).

use crate::module::Module;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::instance::Instance;
use crate::runtime::instantiate::extern_type;
use crate::runtime::object::{Object, acquire, release};
use crate::runtime::store::Store;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ptr;

/// Things of one store under pairs of names. Holds a handle to each.
#[derive(Debug)]
pub struct Linker {
    store: *const Store,
    modules: BTreeMap<String, BTreeMap<String, Handle>>,
}

/// A handle to an object that can be imported.
#[derive(Debug)]
struct Handle(*const Object);

impl Handle {
    fn of(object: &Object) -> Handle {
        acquire(object);
        Handle(object)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is owned.
        unsafe { release(self.0) };
    }
}

impl Linker {
    /// A linker without definitions, for things of `store`, which must live as long as the linker is used without any.
    pub fn new(store: &Store) -> Linker {
        Linker { store, modules: BTreeMap::new() }
    }

    /// The store. It is alive if there is a definition, or if the caller knows so.
    pub fn store(&self) -> *const Store {
        self.store
    }

    /// Defines `object` under two names, which must be free.
    pub fn define(&mut self, module: &str, name: &str, object: &Object) -> Result<(), Error> {
        let kind = object.kind.name();
        if !ptr::eq(object.store, self.store) {
            let message = format!("definition \"{module}\" \"{name}\": the {kind} belongs to another store");
            return Err(Error::new(ErrorKind::Store, message));
        }
        if extern_type(object).is_none() {
            let message = format!("definition \"{module}\" \"{name}\": a {kind} cannot be imported");
            return Err(Error::argument(message));
        }
        match self.modules.entry(module.into()).or_default().entry(name.into()) {
            Entry::Occupied(_) => Err(Error::argument(format!("\"{module}\" \"{name}\" is defined already"))),
            Entry::Vacant(place) => {
                place.insert(Handle::of(object));
                Ok(())
            }
        }
    }

    /// Defines all exports of an instance under `module` and their own names. If one of these is not free, none is defined.
    pub fn define_instance(&mut self, module: &str, instance: &Instance) -> Result<(), Error> {
        if !ptr::eq(instance.object.store, self.store) {
            let message = format!("definition \"{module}\": the instance belongs to another store");
            return Err(Error::new(ErrorKind::Store, message));
        }
        let names = || instance.module().module.exports.iter().map(|export| &export.name);
        if let Some(taken) = names().find(|name| self.get(module, name).is_some()) {
            return Err(Error::argument(format!("\"{module}\" \"{taken}\" is defined already")));
        }
        let defined = self.modules.entry(module.into()).or_default();
        for (name, object) in names().zip(instance.exports()) {
            // SAFETY: exports of an instance that is alive are alive.
            defined.insert(name.clone(), Handle::of(unsafe { &*object }));
        }
        Ok(())
    }

    /// What is defined under two names.
    pub fn get(&self, module: &str, name: &str) -> Option<&Object> {
        // SAFETY: held.
        self.modules.get(module)?.get(name).map(|handle| unsafe { &*handle.0 })
    }

    /// What `module` imports, in order.
    pub fn resolve(&self, module: &Module) -> Result<Vec<*const Object>, Error> {
        let count = module.imports.len();
        let mut resolved = Vec::with_capacity(count);
        for (i, import) in module.imports.iter().enumerate() {
            let Some(object) = self.get(&import.module, &import.name) else {
                let ty = module.import_types().swap_remove(i).ty;
                let what = match self.modules.contains_key(&import.module) {
                    true => "the first name is defined, the second is not",
                    false => "nothing is defined under the first name",
                };
                let (module, name) = (&import.module, &import.name);
                let message = format!(
                    "unknown import \"{module}\" \"{name}\" (import {i} of {count}): expected {ty}, but {what}"
                );
                return Err(Error::new(ErrorKind::Link, message));
            };
            resolved.push(ptr::from_ref(object));
        }
        Ok(resolved)
    }
}
