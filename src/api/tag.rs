//! Tags (section 4.2.8): what exceptions are told apart by.

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::Handle;
use crate::runtime::tag;
use crate::types::TagType;

/// A tag. Two tags are different even if their types are the same. See [`Exception`](super::Exception).
#[derive(Clone, Debug, PartialEq)]
pub struct Tag(pub(super) Handle<tag::Tag>);

impl Tag {
    /// A tag of the host's. The type's function type has the types of the values that an exception carries as parameters, and
    /// no results.
    pub fn new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        // SAFETY: a new tag comes with a count.
        Ok(Tag(unsafe { Handle::owning(core, tag::Tag::new(core.store(), ty)?) }))
    }

    /// The type.
    pub fn ty(&self, store: impl AsContext) -> Result<TagType, Error> {
        Ok(self.0.get(store.as_context().into_core())?.ty.clone())
    }
}
