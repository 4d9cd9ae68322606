//! Why an operation of the API failed: a kind that a program can test, and a message for the person who must act.

use std::fmt;

/// The kinds of failure. The numbers are part of `tenon.h` and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ErrorKind {
    /// An argument is null, out of range, or of the wrong kind.
    Argument = 1,
    /// The bytes are not a module.
    Malformed = 2,
    /// The module breaks a rule of validation.
    Invalid = 3,
    /// The module uses what this engine or its configuration does not support.
    Unsupported = 4,
    /// An import is missing or of the wrong type.
    Link = 5,
    /// WebAssembly code trapped.
    Trap = 6,
    /// A limit of the implementation or the configuration.
    Limit = 7,
    /// The system is out of memory or address space.
    Memory = 8,
    /// An object of another store.
    Store = 9,
    /// The store is in use on another thread.
    Thread = 10,
    /// The call stack is exhausted.
    StackExhausted = 11,
    /// A serialized module that is damaged, or not one.
    Damaged = 12,
    /// A serialized module of another version, machine or configuration.
    Incompatible = 13,
    /// A mistake in the engine, caught before it could do harm.
    Internal = 14,
    /// A limit that the host has set for a store, or its refusal.
    StoreLimit = 16,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Its kind.
    pub kind: ErrorKind,
    /// What was expected, what came, and where.
    pub message: String,
    /// Byte offset in the module, where one is meant.
    pub offset: Option<usize>,
}

impl Error {
    /// A failure without an offset.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), offset: None }
    }

    /// A mistake in an argument.
    pub fn argument(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Argument, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
