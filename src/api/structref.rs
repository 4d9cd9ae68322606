//! References to structures (section 4.2.10).

use super::anyref::AnyRef;
use super::context::AsContextMut;
use super::error::Error;
use super::handle::Handle;
use super::val::Val;
use crate::runtime::gc::access::{self, Extension};
use crate::runtime::object::Object;
use crate::types::{DefType, StructType};

/// A reference to a structure.
///
/// ```
/// use tenon::{Engine, FieldType, StorageType, Store, StructRef, StructType, Val, ValType};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let field = |storage| FieldType { storage, mutable: true };
/// let ty = StructType::new([field(StorageType::I8), field(StorageType::Val(ValType::F64))]);
/// let pair = StructRef::new(&mut store, &ty, &[Val::I32(-1), Val::F64(0.5)])?;
/// pair.set_field(&mut store, 1, &Val::F64(1.5))?;
/// assert_eq!(pair.field(&mut store, 0)?, Val::I32(255));
/// assert_eq!(pair.field_signed(&mut store, 0)?, Val::I32(-1));
/// assert_eq!(pair.field(&mut store, 1)?, Val::F64(1.5));
/// assert!(pair.field(&mut store, 2).is_err());
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StructRef(pub(super) Handle<Object>);

impl StructRef {
    /// A structure of a type, with a value for each field; of packed ones, the lowest bits of an `i32` are kept.
    pub fn new(mut store: impl AsContextMut, ty: &StructType, fields: &[Val]) -> Result<StructRef, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let fields = Val::all_wide(core, fields, "field")?;
        let made = access::struct_new(core.store(), &DefType::Struct(ty.clone()), Some(&fields))?;
        // SAFETY: a new box comes with a count.
        Ok(StructRef(unsafe { Handle::owning(core, made.cast_const().cast()) }))
    }

    /// A structure whose fields are all zero or null. Fails if one has a type without null.
    pub fn new_default(mut store: impl AsContextMut, ty: &StructType) -> Result<StructRef, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let made = access::struct_new(core.store(), &DefType::Struct(ty.clone()), None)?;
        // SAFETY: a new box comes with a count.
        Ok(StructRef(unsafe { Handle::owning(core, made.cast_const().cast()) }))
    }

    /// How many fields it has.
    pub fn field_count(&self, mut store: impl AsContextMut) -> Result<usize, Error> {
        let store = store.as_context_mut();
        Ok(access::struct_len(self.0.get(store.core())?)?)
    }

    fn read(&self, mut store: impl AsContextMut, index: usize, extension: Extension) -> Result<Val, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let object = self.0.get(core)?;
        core.enter()?;
        // SAFETY: of this store; a reference comes with a count.
        Ok(unsafe { Val::of_wide(core, access::struct_get(object, index, extension)?) })
    }

    /// The value of a field; of a packed one, with zeros above.
    pub fn field(&self, store: impl AsContextMut, index: usize) -> Result<Val, Error> {
        self.read(store, index, Extension::Zero)
    }

    /// The value of a field; of a packed one, with its sign.
    pub fn field_signed(&self, store: impl AsContextMut, index: usize) -> Result<Val, Error> {
        self.read(store, index, Extension::Sign)
    }

    /// Replaces the value of a field. Fails if the field is constant, or the value not of its type.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: &Val) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let object = self.0.get(core)?;
        core.enter()?;
        Ok(access::struct_set(object, index, value.wide(core, &|| format!("field {index}"))?)?)
    }

    /// The same without saying that it is a structure.
    pub fn to_any(&self) -> AnyRef {
        AnyRef(self.0.clone())
    }
}

impl From<StructRef> for AnyRef {
    fn from(it: StructRef) -> AnyRef {
        AnyRef(it.0)
    }
}

impl From<StructRef> for Val {
    fn from(it: StructRef) -> Val {
        AnyRef::from(it).into()
    }
}
