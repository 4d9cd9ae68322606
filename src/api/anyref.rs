//! References of the `any` hierarchy (section 2.3.4): structures, arrays, `i31` numbers, and what of the host's was converted.

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::Handle;
use super::store::Core;
use super::val::Val;
use crate::runtime;
use crate::runtime::gc::access::{self, Extension};
use crate::runtime::gc::{GcBox, boxes};
use crate::runtime::object::Object;
use crate::runtime::val::kind;
use crate::runtime::wide::WideVal;
use crate::types::{DefType, HeapType, RefType, ValType};

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
/// assert_eq!(pair.field(&mut store, 1)?, Val::I32(4));
///
/// let ty = pair.ty(&mut store)?.heap;
/// let other = AnyRef::new_struct(&mut store, ty, &[Val::I32(5), Val::I32(6)])?;
/// assert_eq!(other.set_field(&mut store, 0, &Val::I32(1)).unwrap_err().to_string(), "the field is constant");
///
/// let sum = instance.func(&mut store, "sum")?;
/// assert_eq!(sum.call(&mut store, &[pair.into()])?, [Val::I32(7)]);
/// assert_eq!(sum.call(&mut store, &[other.into()])?, [Val::I32(11)]);
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

    /// A structure with these fields. `ty` is a defined type, as a module's types mention it.
    pub fn new_struct(mut store: impl AsContextMut, ty: HeapType, fields: &[Val]) -> Result<AnyRef, Error> {
        let store = store.as_context_mut();
        AnyRef::make(store.core(), ty, fields, "field", |core, ty, fields| {
            access::struct_new(core.store(), ty, Some(fields))
        })
    }

    /// An array of these elements. `ty` is a defined type, as a module's types mention it.
    pub fn new_array(mut store: impl AsContextMut, ty: HeapType, elements: &[Val]) -> Result<AnyRef, Error> {
        let store = store.as_context_mut();
        AnyRef::make(store.core(), ty, elements, "element", |core, ty, elements| {
            access::array_new_fixed(core.store(), ty, elements)
        })
    }

    fn make(
        core: &Core,
        ty: HeapType,
        values: &[Val],
        what: &str,
        make: impl FnOnce(&Core, &DefType, &[WideVal]) -> Result<*mut GcBox, runtime::error::Error>,
    ) -> Result<AnyRef, Error> {
        core.enter()?;
        let wide = |(i, value): (usize, &Val)| value.wide(core, &|| format!("{what} {i}"));
        let values = values.iter().enumerate().map(wide).collect::<Result<Vec<_>, _>>()?;
        let HeapType::Concrete(id) = ty else {
            return Err(Error::argument("the type is not a defined one"));
        };
        let ty = id.resolve().ok_or_else(|| Error::argument("the type's module is gone"))?;
        let made = make(core, &ty, &values)?;
        // SAFETY: a new object comes with a count.
        Ok(AnyRef(unsafe { Handle::owning(core, made.cast_const().cast()) }))
    }

    /// A field of a structure; a packed one with zeros above.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val, Error> {
        let store = store.as_context_mut();
        self.read(store.core(), |object| access::struct_get(object, index, Extension::Zero))
    }

    /// Replaces a field of a structure.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: &Val) -> Result<(), Error> {
        let store = store.as_context_mut();
        self.write(store.core(), value, |object, value| access::struct_set(object, index, value))
    }

    /// The length, if it is an array.
    pub fn len(&self, mut store: impl AsContextMut) -> Result<u32, Error> {
        let store = store.as_context_mut();
        Ok(access::array_len(self.0.get(store.core())?)?)
    }

    /// An element of an array; a packed one with zeros above.
    pub fn element(&self, mut store: impl AsContextMut, index: u32) -> Result<Val, Error> {
        let store = store.as_context_mut();
        self.read(store.core(), |object| access::array_get(object, index, Extension::Zero))
    }

    /// Replaces an element of an array.
    pub fn set_element(&self, mut store: impl AsContextMut, index: u32, value: &Val) -> Result<(), Error> {
        let store = store.as_context_mut();
        self.write(store.core(), value, |object, value| access::array_set(object, index, value))
    }

    fn read(
        &self,
        core: &Core,
        read: impl FnOnce(&Object) -> Result<WideVal, runtime::error::Error>,
    ) -> Result<Val, Error> {
        let object = self.0.get(core)?;
        core.enter()?;
        let value = read(object)?;
        // SAFETY: the bits are those of the kind; a reference comes with a count.
        Ok(unsafe { Val::lift(core, type_of_kind(value.kind), value.bits, true) })
    }

    fn write(
        &self,
        core: &Core,
        value: &Val,
        write: impl FnOnce(&Object, WideVal) -> Result<(), runtime::error::Error>,
    ) -> Result<(), Error> {
        let object = self.0.get(core)?;
        core.enter()?;
        Ok(write(object, value.wide(core, &|| "the value".into())?)?)
    }

    /// Whether it belongs to a heap type (`ref.test`).
    pub fn is_of(&self, mut store: impl AsContextMut, heap: HeapType) -> Result<bool, Error> {
        let store = store.as_context_mut();
        Ok(access::is_of_type(Some(self.0.get(store.core())?), RefType { nullable: false, heap }))
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

/// The most general type of values of a kind.
fn type_of_kind(kind: u8) -> ValType {
    match kind {
        kind::I32 => ValType::I32,
        kind::I64 => ValType::I64,
        kind::F32 => ValType::F32,
        kind::F64 => ValType::F64,
        kind::V128 => ValType::V128,
        kind::FUNCREF => ValType::FUNCREF,
        kind::EXNREF => ValType::EXNREF,
        kind::ANYREF => ValType::ANYREF,
        _ => ValType::EXTERNREF,
    }
}
