//! References to arrays (section 4.2.10).

use super::anyref::AnyRef;
use super::context::AsContextMut;
use super::error::Error;
use super::handle::Handle;
use super::store::Core;
use super::val::Val;
use crate::runtime::gc::access::{self, Extension};
use crate::runtime::gc::boxes::GcBox;
use crate::runtime::object::Object;
use crate::types::{ArrayType, DefType};

/// A reference to an array.
///
/// ```
/// use tenon::{ArrayRef, ArrayType, Engine, FieldType, StorageType, Store, Val, ValType};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = ArrayType::new(FieldType { storage: StorageType::Val(ValType::I64), mutable: true });
/// let array = ArrayRef::new(&mut store, &ty, &Val::I64(7), 3)?;
/// array.set(&mut store, 1, &Val::I64(8))?;
/// assert_eq!(array.len(&mut store)?, 3);
/// assert_eq!([0, 1].map(|i| array.get(&mut store, i).unwrap()), [Val::I64(7), Val::I64(8)]);
/// assert!(array.set(&mut store, 3, &Val::I64(0)).is_err());
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayRef(pub(super) Handle<Object>);

impl ArrayRef {
    fn make(
        mut store: impl AsContextMut,
        make: impl FnOnce(&Core) -> Result<*mut GcBox, Error>,
    ) -> Result<ArrayRef, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        // SAFETY: a new box comes with a count.
        Ok(ArrayRef(unsafe { Handle::owning(core, make(core)?.cast_const().cast()) }))
    }

    /// An array of `len` elements that are all `value`; of packed ones, the lowest bits of an `i32` are kept.
    pub fn new(store: impl AsContextMut, ty: &ArrayType, value: &Val, len: u32) -> Result<ArrayRef, Error> {
        ArrayRef::make(store, |core| {
            let value = value.wide(core, &|| "the value of the elements".into())?;
            Ok(access::array_new(core.store(), &DefType::Array(ty.clone()), Some(value), len)?)
        })
    }

    /// An array of `len` elements that are all zero or null. Fails if their type has no null.
    pub fn new_default(store: impl AsContextMut, ty: &ArrayType, len: u32) -> Result<ArrayRef, Error> {
        ArrayRef::make(store, |core| Ok(access::array_new(core.store(), &DefType::Array(ty.clone()), None, len)?))
    }

    /// An array of these elements.
    pub fn of(store: impl AsContextMut, ty: &ArrayType, elements: &[Val]) -> Result<ArrayRef, Error> {
        ArrayRef::make(store, |core| {
            let elements = Val::all_wide(core, elements, "element")?;
            Ok(access::array_new_fixed(core.store(), &DefType::Array(ty.clone()), &elements)?)
        })
    }

    /// How many elements it has.
    pub fn len(&self, mut store: impl AsContextMut) -> Result<u32, Error> {
        let store = store.as_context_mut();
        Ok(access::array_len(self.0.get(store.core())?)?)
    }

    fn read(&self, mut store: impl AsContextMut, index: u32, extension: Extension) -> Result<Val, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let object = self.0.get(core)?;
        core.enter()?;
        // SAFETY: of this store; a reference comes with a count.
        Ok(unsafe { Val::of_wide(core, access::array_get(object, index, extension)?) })
    }

    /// An element; of packed ones, with zeros above.
    pub fn get(&self, store: impl AsContextMut, index: u32) -> Result<Val, Error> {
        self.read(store, index, Extension::Zero)
    }

    /// An element; of packed ones, with its sign.
    pub fn get_signed(&self, store: impl AsContextMut, index: u32) -> Result<Val, Error> {
        self.read(store, index, Extension::Sign)
    }

    /// Replaces an element. Fails if elements are constant, or the value not of their type.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: &Val) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let object = self.0.get(core)?;
        core.enter()?;
        Ok(access::array_set(object, index, value.wide(core, &|| format!("element {index}"))?)?)
    }

    /// Replaces `count` elements from `start` on.
    pub fn fill(&self, mut store: impl AsContextMut, start: u32, value: &Val, count: u32) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let object = self.0.get(core)?;
        core.enter()?;
        let value = value.wide(core, &|| "the value of the elements".into())?;
        Ok(access::array_fill(object, start, value, count)?)
    }

    /// Copies `count` elements of `from`, from `start` on, to this array, from `at` on.
    pub fn copy_from(
        &self,
        mut store: impl AsContextMut,
        at: u32,
        from: &ArrayRef,
        start: u32,
        count: u32,
    ) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let (to, from) = (self.0.get(core)?, from.0.get(core)?);
        core.enter()?;
        Ok(access::array_copy(to, at, from, start, count)?)
    }

    /// The same without saying that it is an array.
    pub fn to_any(&self) -> AnyRef {
        AnyRef(self.0.clone())
    }
}

impl From<ArrayRef> for AnyRef {
    fn from(it: ArrayRef) -> AnyRef {
        AnyRef(it.0)
    }
}

impl From<ArrayRef> for Val {
    fn from(it: ArrayRef) -> Val {
        AnyRef::from(it).into()
    }
}
