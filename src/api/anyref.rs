//! References of the `any` hierarchy (section 2.3.4): structures, arrays, `i31` numbers, and what of the host's was converted.

use super::arrayref::ArrayRef;
use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::externref::ExternRef;
use super::handle::Handle;
use super::structref::StructRef;
use crate::runtime::gc::access::{self, Extension};
use crate::runtime::gc::boxes;
use crate::runtime::object::Object;
use crate::types::{HeapType, RefType};

/// A reference to a structure, an array or a number of 31 bits. It keeps what it refers to alive.
///
/// Two of them are equal if one is a clone of the other; [`AnyRef::same`] tells whether they refer to the same.
///
/// ```
/// use tenon::{AnyRef, Engine, HeapType, Instance, Module, Store, Val};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (type $pair (struct (field i32) (field i32)))
///     (func (export "pair") (result (ref $pair)) (struct.new $pair (i32.const 3) (i32.const 4)))
///     (func (export "sum") (param (ref $pair)) (result i32)
///       (i32.add (struct.get $pair 0 (local.get 0)) (struct.get $pair 1 (local.get 0)))))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
///
/// let results = instance.func(&mut store, "pair")?.call(&mut store, &[])?;
/// let Val::AnyRef(Some(pair)) = results[0].clone() else { panic!("a reference") };
/// assert!(pair.is_of(&mut store, HeapType::Struct)?);
///
/// let sum = instance.func(&mut store, "sum")?;
/// assert_eq!(sum.call(&mut store, &[pair.into()])?, [Val::I32(7)]);
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AnyRef(pub(super) Handle<Object>);

impl AnyRef {
    /// A number of 31 bits: the lower ones of `value`.
    pub fn new_i31(mut store: impl AsContextMut, value: i32) -> Result<AnyRef, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let made = access::i31_new(core.store(), value as u32)?;
        // SAFETY: a new object comes with a count.
        Ok(AnyRef(unsafe { Handle::owning(core, made.cast_const().cast()) }))
    }

    /// The number, its sign extended, if it is one of 31 bits.
    pub fn i31(&self, mut store: impl AsContextMut) -> Result<Option<i32>, Error> {
        let store = store.as_context_mut();
        let object = self.0.get(store.core())?;
        if !access::is_of_type(Some(object), RefType { nullable: false, heap: HeapType::I31 }) {
            return Ok(None);
        }
        Ok(Some(access::i31_get(object, Extension::Sign)? as i32))
    }

    /// Whether it belongs to a heap type (`ref.test`).
    pub fn is_of(&self, mut store: impl AsContextMut, heap: HeapType) -> Result<bool, Error> {
        let store = store.as_context_mut();
        Ok(access::is_of_type(Some(self.0.get(store.core())?), RefType { nullable: false, heap }))
    }

    /// The structure, if it is one.
    pub fn as_struct(&self, store: impl AsContextMut) -> Result<Option<StructRef>, Error> {
        Ok(self.is_of(store, HeapType::Struct)?.then(|| StructRef(self.0.clone())))
    }

    /// The array, if it is one.
    pub fn as_array(&self, store: impl AsContextMut) -> Result<Option<ArrayRef>, Error> {
        Ok(self.is_of(store, HeapType::Array)?.then(|| ArrayRef(self.0.clone())))
    }

    /// The same as a reference of the host's (`extern.convert_any`).
    pub fn to_extern(&self) -> ExternRef {
        ExternRef(self.0.clone())
    }

    /// The most precise type that it belongs to.
    pub fn ty(&self, mut store: impl AsContextMut) -> Result<RefType, Error> {
        let store = store.as_context_mut();
        Ok(access::type_of(self.0.get(store.core())?))
    }

    /// Whether both refer to the same (`ref.eq`).
    pub fn same(&self, store: impl AsContext, other: &AnyRef) -> Result<bool, Error> {
        let core = store.as_context().into_core();
        Ok(boxes::same(self.0.get(core)?, other.0.get(core)?))
    }
}
