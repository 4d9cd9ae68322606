//! The garbage-collected objects of a store.

pub mod builtins;

use crate::compile::layout::GC_DISPLAY;
use crate::runtime::object::Object;
use std::cell::Cell;

/// A reference of the `any` hierarchy as the host sees it.
#[repr(C)]
#[derive(Debug)]
pub struct GcBox {
    /// The header.
    pub object: Object,
    /// The reference.
    pub reference: Cell<u32>,
}

/// What generated code knows of a structure or array type.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct GcType {
    /// Canonical id.
    pub id: u32,
    /// How many types are above it.
    pub depth: u32,
    /// `GC_KIND_STRUCT` or `GC_KIND_ARRAY`.
    pub kind: u32,
    reserved: u32,
    /// The beginning of the display.
    pub display: [u32; GC_DISPLAY as usize],
}
