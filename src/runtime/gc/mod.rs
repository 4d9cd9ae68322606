//! The garbage-collected objects of WebAssembly: structures and arrays, in a heap of their store's.
//!
//! ```text
//!  heap.rs      the memory: two semispaces in one region of address space
//!  types.rs     what generated code and the collector know of each type
//!  object.rs    objects, read and written
//!  collect.rs   the copying of what is reachable
//!  roots.rs     references in running frames and in Rust's hands
//!  boxes.rs     references as the host sees them, and the host's objects as WebAssembly sees them
//!  state.rs     what a store has of all this; allocation
//!  access.rs    what the host does with objects
//!  builtins.rs  what generated code calls
//! ```
//! Which objects are reachable is found together with the groups of the store, by `runtime/collect.rs`: each side refers to the
//! other.

pub mod access;
pub mod boxes;
pub mod builtins;
pub mod collect;
pub mod heap;
pub mod object;
pub mod roots;
pub mod shape;
pub mod state;
pub mod types;

pub use boxes::GcBox;
pub use types::GcType;
