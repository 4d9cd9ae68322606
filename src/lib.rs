//! Tenon: a WebAssembly engine behind the standard `wasm.h` C API.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

pub mod capi;
pub mod types;
