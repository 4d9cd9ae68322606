//! The Rust API: one file per noun. Everything in it can be used without `unsafe`, and nothing that can be written without
//! `unsafe` does harm: this page says why.
//!
//! ```text
//!   Store<T> --owns--> Inner<T> { core: Core { runtime store, home }, data: T }
//!                                                               |
//!   Func, Memory, ... = Handle --Arc--> Root { object, home } --+--> Home: is the store there? what was given up?
//! ```
//!
//! **Borrows.** Whoever may change a store, or let its code run, borrows it exclusively ([`AsContextMut`]); a view of a memory
//! borrows it too. So no view is left when a memory grows or code runs.
//!
//! **Handles** own nothing of the store but a count. They are used with the store, never without, and are compared with it
//! first: one of another store is an error. A handle that is dropped, on whatever thread, is only noted in the
//! store's home; the store gives the object up when it is used next. When the store is dropped, so is all that it
//! holds; handles that are left lead nowhere then, and no store would take them.
//!
//! **Threads.** A store moves between threads if its data can. Calls must know the stack that they run on: each compares the
//! thread's number with the last one, since a move cannot be noticed otherwise. What can be done with a shared reference
//! to a store only reads, so stores can be shared like their data.
//!
//! **Panics and errors** of host functions cross WebAssembly as traps. The payload waits in the core and goes on
//! in the frame of Rust that called WebAssembly.

//!
//! What must not compile does not. Views end where a call may begin:
//!
//! ```compile_fail,E0502
//! # fn f(store: &mut tenon::Store<()>, memory: tenon::Memory, run: tenon::TypedFunc<(), ()>) -> Result<(), tenon::Error> {
//! let view = memory.data(&*store)?;
//! run.call(&mut *store, ())?;
//! assert_eq!(view[0], 0);
//! # Ok(())
//! # }
//! ```
//! A caller, and what is borrowed through it, ends with the call:
//!
//! ```compile_fail,E0521
//! use std::cell::Cell;
//! use tenon::{Caller, Func, Store};
//!
//! thread_local! {
//!     static KEPT: Cell<Option<Caller<'static, ()>>> = const { Cell::new(None) };
//! }
//! # fn f(store: &mut Store<()>) {
//! Func::wrap(store, |caller: Caller<'_, ()>| KEPT.set(Some(caller)));
//! # }
//! ```
//! A store is no more `Send` than its data:
//!
//! ```compile_fail,E0277
//! # fn f(store: tenon::Store<std::rc::Rc<()>>) {
//! std::thread::spawn(move || drop(store));
//! # }
//! ```
//! Nor is what stands for it in a call, whatever its data:
//!
//! ```compile_fail,E0277
//! # fn f(mut store: tenon::Caller<'_, ()>, run: tenon::TypedFunc<(), ()>) {
//! std::thread::scope(|scope| { scope.spawn(|| run.call(&mut store, ()).unwrap()); });
//! # }
//! ```
//! Its data is of one type, and not of one that is less:
//!
//! ```compile_fail
//! fn less(store: tenon::Store<for<'a> fn(&'a u8)>) -> tenon::Store<fn(&'static u8)> { store }
//! ```

#![deny(missing_docs)]

mod anyref;
mod arrayref;
mod caller;
mod config;
mod context;
mod data;
mod engine;
mod error;
mod exception;
mod external;
mod externref;
mod func;
mod global;
mod growth;
mod handle;
mod host;
mod instance;
mod linker;
mod memory;
mod memory_creator;
mod module;
mod pointer;
mod shared_memory;
mod store;
mod structref;
mod table;
mod tag;
mod trap;
mod typed;
mod typegroup;
mod val;
mod wasm_ty;

pub use anyref::AnyRef;
pub use arrayref::ArrayRef;
pub use caller::Caller;
pub use config::{Config, Optimization};
pub use context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
pub use data::WasmData;
pub use engine::Engine;
pub use error::{Error, ErrorKind};
pub use exception::Exception;
pub use external::Extern;
pub use externref::ExternRef;
pub use func::Func;
pub use global::Global;
pub use growth::{Growing, Growth, Resource};
pub use host::{IntoFunc, WasmRet};
pub use instance::Instance;
pub use linker::Linker;
pub use memory::Memory;
pub use memory_creator::{CreatedMemory, MemoryCreator, WantedMemory};
pub use module::Module;
pub use pointer::{Offset, WasmPtr, WasmSlice};
pub use shared_memory::{SharedMemory, Waited};
pub use store::Store;
pub use structref::StructRef;
pub use table::Table;
pub use tag::Tag;
pub use trap::{Frame, Trap};
pub use typed::{TypedFunc, WasmParams, WasmResults};
pub use typegroup::TypeGroup;
pub use val::Val;
pub use wasm_ty::WasmTy;
