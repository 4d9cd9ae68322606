//! The garbage-collected objects of WebAssembly: structures and arrays, in a heap of their store's.

pub mod collect;
pub mod heap;
pub mod object;
pub mod shape;
