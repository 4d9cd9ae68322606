//! Tags (section 4.2.8): those that instances define, and those of the host. A tag is what exceptions are told apart by: its
//! address is its identity.

use crate::module::limits;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::store::Store;
use crate::types::{FuncType, TagType, ValType};

/// What a `wasm_tag_t` points to.
#[repr(C)]
#[derive(Debug)]
pub struct Tag {
    /// The header.
    pub object: Object,
    /// The type.
    pub ty: TagType,
}

impl Tag {
    /// A tag of the host's, with one handle.
    pub fn new(store: &Store, ty: &TagType) -> Result<*mut Tag, Error> {
        if !ty.func.results().is_empty() {
            return Err(Error::argument(format!("a tag has no results, but the type is {}", ty.func)));
        }
        let count = ty.func.params().len();
        if count > limits::MAX_PARAMS {
            let message = format!("a tag has {count} parameters; at most {} are allowed", limits::MAX_PARAMS);
            return Err(Error::new(ErrorKind::Limit, message));
        }
        // Mentioned types must outlive the tag's module.
        store.engine().signature(&ty.func)?;
        store.reserve_payload(count);
        Ok(Standalone::allocate(Some(store), ObjectKind::Tag, |object| Tag { object, ty: ty.clone() }))
    }

    /// A tag of an instance.
    pub(in crate::runtime) fn new_in(object: Object, ty: &FuncType) -> Tag {
        Tag { object, ty: TagType { func: ty.clone() } }
    }

    /// The types of the values that exceptions with this tag carry.
    pub fn params(&self) -> &[ValType] {
        self.ty.func.params()
    }
}
