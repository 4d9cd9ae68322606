//! Tenon: a WebAssembly engine behind the standard `wasm.h` C API.
//!
//! ```text
//! capi -> runtime -> compile -> module -> types, trap, config
//! ```
//! Each room may use those to its right, never those to its left; `compile` never sees `runtime`.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("tenon runs on x86-64 Linux only, as yet");

pub mod capi;
pub mod compile;
pub mod config;
pub mod module;
pub mod runtime;
pub mod trap;
pub mod types;
