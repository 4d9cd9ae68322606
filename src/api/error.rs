//! Failures: a kind that a program can test, and a message for the person who must act.

use super::trap::Trap;
use crate::runtime::error;
use std::fmt;

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is out of range, of the wrong type, or one of too many or too few.
    Argument,
    /// The bytes are not a module.
    Malformed,
    /// The module breaks a rule of validation.
    Invalid,
    /// The module uses what this engine or its configuration does not support.
    Unsupported,
    /// An import is missing or of the wrong type.
    Link,
    /// WebAssembly trapped: [`Error::trap`] says how.
    Trap,
    /// A limit of the implementation, the configuration or a type.
    Limit,
    /// A limit of the store, or the host's say in its growth.
    StoreLimit,
    /// The system is out of memory or address space.
    Memory,
    /// An object of another store, or of another engine.
    Store,
    /// The store is in use on another thread.
    Thread,
    /// The call stack is exhausted.
    StackExhausted,
    /// A serialized module that is damaged, or not one.
    Damaged,
    /// A serialized module of another version, machine or configuration.
    Incompatible,
    /// A mistake in the engine, caught before it could do harm.
    Internal,
    /// The text of a module is wrong.
    Text,
    /// A host function failed with an error of its own: see [`Error::host`].
    Host,
}

impl From<error::ErrorKind> for ErrorKind {
    fn from(kind: error::ErrorKind) -> ErrorKind {
        use error::ErrorKind as Kind;
        match kind {
            Kind::Argument => ErrorKind::Argument,
            Kind::Malformed => ErrorKind::Malformed,
            Kind::Invalid => ErrorKind::Invalid,
            Kind::Unsupported => ErrorKind::Unsupported,
            Kind::Link => ErrorKind::Link,
            Kind::Trap => ErrorKind::Trap,
            Kind::Limit => ErrorKind::Limit,
            Kind::Memory => ErrorKind::Memory,
            Kind::Store => ErrorKind::Store,
            Kind::Thread => ErrorKind::Thread,
            Kind::StackExhausted => ErrorKind::StackExhausted,
            Kind::Damaged => ErrorKind::Damaged,
            Kind::Incompatible => ErrorKind::Incompatible,
            Kind::Internal => ErrorKind::Internal,
            Kind::StoreLimit => ErrorKind::StoreLimit,
        }
    }
}

type HostError = Box<dyn std::error::Error + Send + Sync>;

/// A failure of whatever this crate does. Belongs to no store, and may go to another thread.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    offset: Option<usize>,
    trap: Option<Trap>,
    host: Option<HostError>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, message: message.into(), offset: None, trap: None, host: None }))
    }

    pub(super) fn argument(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Argument, message)
    }

    pub(super) fn store(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Store, message)
    }

    /// An error of the host, to be returned by a host function. It comes out at the call that led there, with the
    /// frames of WebAssembly in between ([`Error::trap`]), and can be told by its type ([`Error::downcast_ref`]).
    ///
    /// ```
    /// use tenon::{Engine, Error, Func, Store};
    ///
    /// let mut store = Store::new(&Engine::default(), ());
    /// let parse = Func::wrap(&mut store, || -> Result<i32, Error> { "x".parse().map_err(Error::host) });
    /// let error = parse.call(&mut store, &[]).unwrap_err();
    /// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
    /// ```
    pub fn host(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let error = error.into();
        let mut made = Error::new(ErrorKind::Host, error.to_string());
        made.0.host = Some(error);
        made
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was expected, what came, and where.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The byte of the module, or of its text, that is meant, if one is.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }

    /// The trap, if one ended a call or an instantiation: its code and its frames.
    pub fn trap(&self) -> Option<&Trap> {
        self.0.trap.as_ref()
    }

    /// The error that was given to [`Error::host`], if it is an `E`.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.host.as_ref()?.downcast_ref()
    }

    /// The same error with the trap as which it crossed WebAssembly, unless it has one already.
    pub(super) fn crossed(mut self, trap: Trap) -> Error {
        if self.0.trap.as_ref().is_none_or(|own| own.frames().is_empty()) {
            self.0.trap = Some(trap);
        }
        self
    }
}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Error {
        let mut made = Error::new(ErrorKind::Trap, trap.message());
        made.0.trap = Some(trap);
        made
    }
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Error {
        let mut made = Error::new(error.kind.into(), error.message);
        made.0.offset = error.offset;
        made
    }
}

impl From<crate::text::TextError> for Error {
    fn from(error: crate::text::TextError) -> Error {
        let mut made = Error::new(ErrorKind::Text, error.to_string());
        made.0.offset = Some(error.offset);
        made
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)?;
        let frames = self.0.trap.iter().flat_map(|trap| trap.frames());
        frames.into_iter().try_for_each(|frame| write!(f, "\n  at {frame}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.host {
            Some(error) => Some(&**error),
            None => None,
        }
    }
}
