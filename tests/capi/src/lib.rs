//! What the tests that speak C share: owned handles over the generated bindings, and the runner of specification scripts.
//!
//! - [`sys`]: the bindings, generated from `wasm.h` and `tenon.h`
//! - [`types`], [`val`], [`object`]: the handles of the C API with Rust's ownership
//! - [`error`]: the errors of `tenon.h`, and its text format
//! - [`spectest`]: the host module that the specification suite imports from
//! - [`script`]: runs the directives of a `.wast` file
//! - [`count`]: counts directives without the parser that the runner uses
//! - [`child`]: runs this program again in a process of its own
//! - [`mode`]: the configurations that a suite runs under

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

pub mod child;
pub mod count;
pub mod error;
pub mod mode;
pub mod object;
pub mod script;
pub mod spectest;
#[allow(missing_docs, non_camel_case_types, non_snake_case, non_upper_case_globals, clippy::all)]
pub mod sys;
pub mod types;
pub mod val;
pub mod vector;
