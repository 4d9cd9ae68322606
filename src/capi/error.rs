//! Why a call failed. The functions of `wasm.h` answer NULL, false or nothing; the reason is kept here, one for
//! each thread, until the next failure on that thread takes its place. The functions of `tenon.h` that can
//! fail return the same reason as an object.

use super::last_error;
use super::own::{Out, Own, boxed};
use super::reserve;
use crate::runtime::error::{Error, ErrorKind};
use std::borrow::Cow;
use std::ffi::{CStr, c_char};
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// What kind of failure it was: one of the constants of `tenon_error_kind_enum`.
pub type tenon_error_kind_t = u8;

/// The kinds of failure. The numbers never change.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum tenon_error_kind_enum {
    /// An argument is NULL, out of range, or not what the function takes.
    TENON_ERROR_ARGUMENT = 1,
    /// The bytes are not a module; the error knows the offset.
    TENON_ERROR_MALFORMED = 2,
    /// The module breaks a rule of validation; the error knows the offset.
    TENON_ERROR_INVALID = 3,
    /// The module needs something that this engine, or its configuration, does not offer.
    TENON_ERROR_UNSUPPORTED = 4,
    /// An import is missing, or is not of the type that the module asks for.
    TENON_ERROR_LINK = 5,
    /// WebAssembly code, or a host function that it called, trapped.
    TENON_ERROR_TRAP = 6,
    /// A limit was reached: of the engine or of its configuration.
    TENON_ERROR_LIMIT = 7,
    /// Memory, or address space, has run out.
    TENON_ERROR_MEMORY = 8,
    /// An object was used with a store that it does not belong to.
    TENON_ERROR_STORE = 9,
    /// The store is in use on another thread.
    TENON_ERROR_THREAD = 10,
    /// The call stack is exhausted.
    TENON_ERROR_STACK_EXHAUSTED = 11,
    /// The bytes given to deserialize are damaged, or no serialized module.
    TENON_ERROR_DAMAGED = 12,
    /// The serialized module is of another version, machine or configuration.
    TENON_ERROR_INCOMPATIBLE = 13,
    /// A mistake inside the engine, which the host survives. Please report it.
    TENON_ERROR_INTERNAL = 14,
    /// The text of a module does not parse; the error knows line and column.
    TENON_ERROR_TEXT = 15,
    /// A limit that the host has set for the store was reached, or its callback about growth refused.
    TENON_ERROR_STORE_LIMIT = 16,
}
pub(crate) use tenon_error_kind_enum as Kind;

/// A failure: its kind, a message for people, and the position in the input where there is one. Immutable; any
/// thread may use it.
#[derive(Clone, Debug)]
pub struct tenon_error_t {
    kind: Kind,
    message: Cow<'static, CStr>,
    offset: Option<u64>,
    line_column: Option<(u32, u32)>,
}

impl tenon_error_t {
    /// An error of this kind with this message, made even when little memory is left.
    pub(crate) fn new(kind: Kind, message: fmt::Arguments<'_>) -> tenon_error_t {
        tenon_error_t { kind, message: c_message(message), offset: None, line_column: None }
    }

    /// The same, at this byte of the binary.
    pub(crate) fn at_offset(self, offset: u64) -> tenon_error_t {
        tenon_error_t { offset: Some(offset), ..self }
    }

    /// The same, at this line and column of the text, both counted from one.
    pub(crate) fn at_line(self, line: u32, column: u32) -> tenon_error_t {
        tenon_error_t { line_column: Some((line, column)), ..self }
    }

    /// The same, with the name of the function that failed before the message.
    pub(crate) fn within(self, function: &str) -> tenon_error_t {
        let message = c_message(format_args!("{function}: {}", self.message.to_string_lossy()));
        tenon_error_t { message, ..self }
    }

    /// The message without its NUL.
    pub(crate) fn message(&self) -> &CStr {
        &self.message
    }
}

impl From<Error> for tenon_error_t {
    fn from(error: Error) -> tenon_error_t {
        let made = tenon_error_t::new(error.kind.into(), format_args!("{}", error.message));
        match error.offset {
            Some(offset) => made.at_offset(offset as u64),
            None => made,
        }
    }
}

impl From<ErrorKind> for Kind {
    fn from(kind: ErrorKind) -> Kind {
        match kind {
            ErrorKind::Argument => Kind::TENON_ERROR_ARGUMENT,
            ErrorKind::Malformed => Kind::TENON_ERROR_MALFORMED,
            ErrorKind::Invalid => Kind::TENON_ERROR_INVALID,
            ErrorKind::Unsupported => Kind::TENON_ERROR_UNSUPPORTED,
            ErrorKind::Link => Kind::TENON_ERROR_LINK,
            ErrorKind::Trap => Kind::TENON_ERROR_TRAP,
            ErrorKind::Limit => Kind::TENON_ERROR_LIMIT,
            ErrorKind::Memory => Kind::TENON_ERROR_MEMORY,
            ErrorKind::Store => Kind::TENON_ERROR_STORE,
            ErrorKind::Thread => Kind::TENON_ERROR_THREAD,
            ErrorKind::StackExhausted => Kind::TENON_ERROR_STACK_EXHAUSTED,
            ErrorKind::Damaged => Kind::TENON_ERROR_DAMAGED,
            ErrorKind::Incompatible => Kind::TENON_ERROR_INCOMPATIBLE,
            ErrorKind::Internal => Kind::TENON_ERROR_INTERNAL,
            ErrorKind::StoreLimit => Kind::TENON_ERROR_STORE_LIMIT,
        }
    }
}

// The numbers of the runtime's kinds are those of the header.
const _: () = assert!(ErrorKind::Argument as u32 == Kind::TENON_ERROR_ARGUMENT as u32);
const _: () = assert!(ErrorKind::Internal as u32 == Kind::TENON_ERROR_INTERNAL as u32);
const _: () = assert!(ErrorKind::StoreLimit as u32 == Kind::TENON_ERROR_STORE_LIMIT as u32);

/// Text that stops growing, instead of ending the process, when memory has run out. NUL cannot be part of it.
struct Patient(Vec<u8>);

impl Write for Patient {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // One more than the text, for the NUL that ends it.
        self.0.try_reserve(text.len() + 1).map_err(|_| fmt::Error)?;
        self.0.extend(text.bytes().map(|b| if b == 0 { b'?' } else { b }));
        Ok(())
    }
}

fn c_message(message: fmt::Arguments<'_>) -> Cow<'static, CStr> {
    let mut text = Patient(Vec::new());
    let whole = text.write_fmt(message).is_ok() && text.0.try_reserve(1).is_ok();
    match std::ffi::CString::new(text.0) {
        Ok(text) if whole => Cow::Owned(text),
        _ => Cow::Borrowed(c"out of memory, even for the message that would tell why"),
    }
}

/// Keeps `error` as this thread's last failure.
pub(crate) fn set(error: tenon_error_t) {
    drop(last_error::replace(Some(error)));
}

/// This thread's last failure, which something just reported by answering `None`.
pub(crate) fn last() -> tenon_error_t {
    last_error::current()
        .cloned()
        .unwrap_or_else(|| tenon_error_t::new(Kind::TENON_ERROR_INTERNAL, format_args!("no reason was kept")))
}

/// Keeps a failure of this kind and message as the last one.
pub(crate) fn fail(kind: Kind, message: fmt::Arguments<'_>) {
    set(tenon_error_t::new(kind, message));
}

/// Keeps as the last failure that a function was given NULL for this parameter.
pub(crate) fn null(function: &str, parameter: &str) {
    fail(Kind::TENON_ERROR_ARGUMENT, format_args!("{function}: {parameter} is NULL"));
}

/// Keeps as the last failure that `bytes` bytes could not be had.
pub(crate) fn out_of_memory(bytes: usize) {
    fail(Kind::TENON_ERROR_MEMORY, format_args!("out of memory: {bytes} bytes could not be allocated"));
}

/// Keeps a failure as this thread's last one, and gives what there is if it is none.
pub(crate) fn keep<T>(result: Result<T, tenon_error_t>) -> Option<T> {
    result.map_err(set).ok()
}

/// Ends an error-returning function: the caller's variable receives what was made, or NULL with a failure, which is
/// kept as this thread's last one too.
pub(crate) fn answer<T>(out: Out<Option<T>>, result: Result<T, tenon_error_t>) -> Own<tenon_error_t> {
    let (value, failure) = match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, give(error)),
    };
    // Without a variable nobody wants it.
    drop(out.write(value));
    failure
}

/// As [`answer`], for what is no pointer: with a failure, the caller's variable receives `nothing`.
pub(crate) fn answer_or<T>(out: Out<T>, nothing: T, result: Result<T, tenon_error_t>) -> Own<tenon_error_t> {
    let (value, failure) = match result {
        Ok(value) => (value, None),
        Err(error) => (nothing, give(error)),
    };
    // Without a variable nobody wants it.
    drop(out.write(value));
    failure
}

/// Ends an error-returning function that makes nothing.
pub(crate) fn report(result: Result<(), tenon_error_t>) -> Own<tenon_error_t> {
    give(result.err()?)
}

/// Runs a fallible body as [`guard`] does, unless memory is short.
pub(crate) fn attempt<T>(function: &str, body: impl FnOnce() -> Result<T, tenon_error_t>) -> Result<T, tenon_error_t> {
    if reserve::is_short() {
        let message = format_args!("{function}: out of memory");
        return Err(tenon_error_t::new(Kind::TENON_ERROR_MEMORY, message));
    }
    guard(function, None, || Some(body())).unwrap_or_else(|| Err(last()))
}

/// Runs the body of an exported function. A panic, which would be a mistake of ours, ends here: it becomes the
/// last failure, and the function answers `failed`.
pub(crate) fn guard<T>(function: &str, failed: T, body: impl FnOnce() -> T) -> T {
    // Whatever the body left half done is as safe to look at as after any early return: the runtime's own
    // invariants hold between its steps.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(answer) => answer,
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            fail(Kind::TENON_ERROR_INTERNAL, format_args!("{function}: internal error: {text}"));
            // A payload could panic again when dropped.
            std::mem::forget(panic);
            failed
        }
    }
}

/// Hands `error` to the caller, and keeps it as this thread's last failure too.
pub(crate) fn give(error: tenon_error_t) -> Own<tenon_error_t> {
    set(error.clone());
    boxed(error)
}

/// The message of the last call that failed on this thread, NUL-terminated, or NULL if none has. Like `errno`,
/// it is set by failures only: a call that succeeds leaves it alone. The text belongs to Tenon and is valid until
/// the next call on this thread that fails, `tenon_last_error_take` or `tenon_last_error_clear`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_last_error() -> *const c_char {
    last_error::current().map_or(ptr::null(), |error| error.message.as_ptr())
}

/// Takes the last failure of this thread away from it, as an object of the caller's; NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_last_error_take() -> Own<tenon_error_t> {
    boxed(last_error::replace(None)?)
}

/// Forgets the last failure of this thread.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_last_error_clear() {
    drop(tenon_last_error_take());
}

/// Deletes an error; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_error_delete(error: Own<tenon_error_t>) {
    drop(error);
}

/// What kind of failure it was. With NULL: `TENON_ERROR_ARGUMENT`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_error_kind(error: Option<&tenon_error_t>) -> tenon_error_kind_t {
    error.map_or(Kind::TENON_ERROR_ARGUMENT, |e| e.kind) as tenon_error_kind_t
}

/// The message, NUL-terminated; it belongs to the error and lives as long. With NULL: an empty string.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_error_message(error: Option<&tenon_error_t>) -> *const c_char {
    error.map_or(c"", tenon_error_t::message).as_ptr()
}

/// Where in the bytes or the text of a module the failure lies, counted from zero: stores it in `offset` and answers true. Answers
/// false, and stores nothing, for a failure that has no such place. `offset` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_error_offset(error: Option<&tenon_error_t>, offset: Out<u64>) -> bool {
    let Some(at) = error.and_then(|e| e.offset) else { return false };
    let _not_asked_for = offset.write(at);
    true
}

/// Where in the text of a module the failure lies, both counted from one: stores line and column and answers true.
/// Answers false, and stores nothing, for a failure that has no such place. Either pointer may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_error_line(error: Option<&tenon_error_t>, line: Out<u32>, column: Out<u32>) -> bool {
    let Some(at) = error.and_then(|e| e.line_column) else { return false };
    let _not_asked_for = line.write(at.0);
    let _not_asked_for = column.write(at.1);
    true
}
