//! The bindings that `build.rs` generates from `wasm.h` and `tenon.h`.
//!
//! Nothing is written by hand here: what a header does not declare cannot be tested.

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
