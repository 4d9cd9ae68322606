//! A foreign object: nothing but an identity and the host's information (`wasm_foreign_t`).

use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::store::Store;

/// A foreign object.
#[repr(C)]
#[derive(Debug)]
pub struct Foreign {
    /// The header.
    pub object: Object,
}

impl Foreign {
    /// A new one, with one handle.
    pub fn new(store: &Store) -> *mut Foreign {
        Standalone::allocate(Some(store), ObjectKind::Foreign, |object| Foreign { object })
    }
}
