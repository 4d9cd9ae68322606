//! Everything that lives while code runs: engines, stores, instances and their parts.

pub mod builtins;
pub mod call;
pub mod code_memory;
pub mod collect;
pub mod engine;
pub mod error;
pub mod foreign;
pub mod func;
pub mod global;
pub mod instance;
pub mod instantiate;
pub mod linker;
pub mod memory;
pub mod memory_pool;
pub mod module;
pub mod object;
pub mod serialize;
pub mod signature;
pub mod store;
pub mod sys;
pub mod table;
pub mod tier;
pub mod trap;
pub mod unwind;
pub mod val;
pub mod vmctx;
