//! One function of a module to machine code.
//!
//! This room never sees the runtime: it knows where things lie (`layout`), which helpers exist (`builtin`),
//! and what a module declares. What it makes (`code`) does not depend on an instance, an engine or an address.

pub mod atomic;
pub mod builtin;
pub mod code;
pub mod gc;
pub mod image;
pub mod layout;
pub mod op;
mod optimizing;
pub mod stubs;
pub mod vector;

#[cfg(test)]
mod tests;

pub use optimizing::{Compiler, isa_identity};

use crate::config::Optimization;
use crate::types::{FuncType, MemoryType, ValType};
use std::fmt;

/// The settings that change the code that is made for a module. Part of a serialized module's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tunables {
    /// Traps by `ud2` and faulting accesses; else by explicit checks that call the `raise_trap` builtin.
    pub signals: bool,
    /// 32-bit memories of 64 KiB pages lie in reservations of 4 GiB and a guard, so that accesses whose
    /// constant offset and size stay within `guard` need no check. Only with `signals`.
    pub guarded_memories: bool,
    /// Bytes of guard behind a reservation.
    pub guard: u64,
    /// The base of a 32-bit memory never changes while it lives: it may be read from the vmctx and kept in a register.
    pub fixed_bases: bool,
    /// How well functions are compiled, at most.
    pub optimization: Optimization,
}

impl Tunables {
    /// Whether any access of a 32-bit address in such a memory ends within its reservation and guard, or faults.
    pub fn is_guarded(&self, ty: &MemoryType) -> bool {
        let is_plain = !ty.is64 && ty.page_size_log2 == MemoryType::PAGE_SIZE_LOG2;
        self.signals && self.guarded_memories && is_plain
    }

    /// Whether the base of such a memory never changes. That of a shared one cannot, as others use it meanwhile.
    pub fn has_fixed_base(&self, ty: &MemoryType) -> bool {
        ty.shared || self.fixed_bases && !ty.is64
    }
}

/// Whether functions of this type get the address of a place for their results, as there are more than registers. It goes
/// where the vmctx would be otherwise, and the vmctx where the first parameter would be.
pub fn returns_in_memory(ty: &FuncType) -> bool {
    const REGISTERS: usize = 8;
    let in_vectors = |ty: &&ValType| matches!(ty, ValType::F32 | ValType::F64 | ValType::V128);
    let vectors = ty.results().iter().filter(in_vectors).count();
    vectors > REGISTERS || ty.results().len() - vectors > REGISTERS
}

/// Why something was not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// It uses something outside of the language that is compiled.
    NotSupported {
        /// What, by its name in the text format.
        what: String,
        /// Where it stands in the module, if it stands in one.
        module_offset: Option<u32>,
    },
    /// This processor lacks something.
    Host(String),
    /// It is larger than the compiler can take.
    TooLarge(String),
    /// The bytes are not a function body, though they were validated, or the code generator failed.
    Internal(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::NotSupported { what, module_offset: Some(offset) } => {
                write!(f, "not supported: {what} (at offset {offset:#x})")
            }
            CompileError::NotSupported { what, module_offset: None } => write!(f, "not supported: {what}"),
            CompileError::Host(message) | CompileError::TooLarge(message) => f.write_str(message),
            CompileError::Internal(message) => write!(f, "internal error of the compiler: {message}"),
        }
    }
}

impl std::error::Error for CompileError {}
