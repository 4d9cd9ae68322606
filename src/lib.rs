//! Tenon: a WebAssembly engine. This is its API for Rust; the same engine stands behind the standard `wasm.h` for C.
//!
//! An [`Engine`] compiles [`Module`]s. A [`Store`] holds [`Instance`]s of them and all that these define: [`Func`]s, a
//! [`Memory`], [`Table`]s, [`Global`]s. Functions of the host are closures ([`Func::wrap`], or [`Linker::func_wrap`] for any
//! number of stores); functions of WebAssembly are called with their types in Rust ([`TypedFunc`]) or without
//! ([`Func::call`]).
//!
//! ```
//! use tenon::{Engine, Linker, Module, Store};
//!
//! let engine = Engine::default();
//! let module = Module::new(&engine, r#"(module
//!     (import "host" "log" (func $log (param i32)))
//!     (func (export "square") (param i32) (result i32)
//!         (call $log (local.get 0))
//!         (i32.mul (local.get 0) (local.get 0))))"#)?;
//!
//! let mut linker = Linker::new(&engine);
//! linker.func_wrap("host", "log", |mut caller: tenon::Caller<'_, Vec<i32>>, n: i32| caller.data_mut().push(n))?;
//!
//! let mut store = Store::new(&engine, Vec::new());
//! let instance = linker.instantiate(&mut store, &module)?;
//! let square = instance.typed_func::<i32, i32>(&mut store, "square")?;
//! assert_eq!(square.call(&mut store, 7)?, 49);
//! assert_eq!(store.data(), &[7]);
//! # Ok::<(), tenon::Error>(())
//! ```
//!
//! Whatever can go wrong is an [`Error`]: it says what was expected, what came and where, and has the [`Trap`] with its frames
//! if one ended a call. Something of one store that is used with another is an error, too. A closure that panics does so at the
//! call that led to it.
//!
//! # Rooms
//!
//! The rest of the crate is for itself and for C:
//!
//! ```text
//! api, capi -> runtime -> compile -> module, text -> types, trap, config
//! ```
//! Each room may use those to its right, never those to its left; `compile` never sees `runtime`, and the two APIs never see
//! each other. Only what is listed on this page is the API.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("tenon runs on x86-64 Linux only, as yet");

mod api;
#[cfg_attr(doc, doc(hidden))]
pub mod capi;
#[cfg_attr(doc, doc(hidden))]
pub mod compile;
#[cfg_attr(doc, doc(hidden))]
pub mod config;
#[cfg_attr(doc, doc(hidden))]
pub mod module;
#[cfg_attr(doc, doc(hidden))]
pub mod runtime;
#[cfg_attr(doc, doc(hidden))]
pub mod text;
#[cfg_attr(doc, doc(hidden))]
pub mod trap;
#[cfg_attr(doc, doc(hidden))]
pub mod types;

pub use api::*;
#[doc(inline)]
pub use trap::TrapCode;
#[doc(inline)]
pub use types::{
    ArrayType, DefType, ExportType, ExternType, FieldType, FuncType, GlobalType, HeapType, ImportType, Limits,
    MemoryType, RefType, StorageType, StructType, TableType, TagType, ValType,
};
