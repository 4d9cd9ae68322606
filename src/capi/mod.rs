//! The C API: `wasm.h` and `tenon.h`, one file per noun. The headers in `include/` are generated from these files, doc
//! comments included, around the texts in `header/`; `cargo test --test headers` compares them, and rewrites them
//! when TENON_BLESS is set.
//!
//! The contract of ownership, which every function here keeps:
//!
//! - What changes hands says so in its signature: [`own::Own`] for a pointer, [`handle::Handle`] for a reference to what
//!   lives in a store, [`own::Out`] for a variable that receives,
//!   [`own::Take`] for a vector whose contents are taken over. Everything else is lent for the call.
//! - What is taken over is taken over on every path, failures included.
//! - NULL is never dereferenced: it deletes nothing, reads as empty, and elsewhere is a failure with a message.
//! - A failure is an answer (NULL, false, an empty vector, a trap) and a reason, kept by [`error`].
//! - No panic crosses: a body either cannot panic, or runs inside `error::guard`.
//!
//! Two habits follow from the headers being generated. Exported functions are written out, never made by a
//! macro. And a type that is opaque in C but has a layout to rely on here hides its `repr` from the generator
//! behind a `cfg_attr` that always holds.

#![allow(non_camel_case_types, reason = "the names are those of the header")]

pub mod byte;
pub mod checked;
pub mod collect;
pub mod config;
pub mod deftype;
pub mod engine;
pub mod error;
pub mod exception;
pub mod exporttype;
pub mod external;
pub mod externtype;
pub mod foreign;
pub mod frame;
pub mod framename;
pub mod func;
pub mod functype;
pub mod gc;
pub mod global;
pub mod globaltype;
pub mod growth;
pub mod handle;
pub mod importtype;
pub mod instance;
mod last_error;
pub mod limits;
pub mod linker;
pub mod memory;
pub mod memory64;
pub mod memory_access;
pub mod memory_creator;
pub mod memory_scalar;
pub mod memory_snapshot;
pub mod memory_string;
pub mod memory_view;
pub mod memorytype;
pub mod module;
pub mod own;
pub mod raw;
pub mod refcast;
pub mod reference;
pub mod reftype;
pub mod reserve;
pub mod settings;
pub mod shared_atomic;
pub mod sharedmemory;
pub mod store;
pub mod store_limits;
pub mod table;
pub mod table64;
pub mod tabletype;
pub mod tag;
pub mod tagtype;
pub mod trap;
pub mod trapcode;
pub mod val;
pub mod valtype;
pub mod value;
pub mod vec;
pub mod version;
pub mod wat;
