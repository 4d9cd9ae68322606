//! Traps (section 4.2.1): why execution stopped, and where.

use super::exception::Exception;
use super::store::Core;
use crate::runtime::module::CompiledModule;
use crate::runtime::trap;
use crate::trap::TrapCode;
use std::fmt;
use std::sync::Arc;

/// Why WebAssembly stopped. Cheap to clone; belongs to no store, and may go to another thread.
///
/// A host function stops WebAssembly by returning one:
///
/// ```
/// use tenon::{Engine, Func, Store, Trap, TrapCode};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let refuse = Func::wrap(&mut store, |n: i32| -> Result<i32, Trap> {
///     if n < 0 { Err(Trap::new("no negative numbers")) } else { Ok(n) }
/// });
/// let refuse = refuse.typed::<i32, i32>(&store)?;
/// assert_eq!(refuse.call(&mut store, 1)?, 1);
/// let error = refuse.call(&mut store, -1).unwrap_err();
/// assert_eq!(error.trap().map(|trap| trap.code()), Some(TrapCode::Host));
/// assert_eq!(error.to_string(), "no negative numbers");
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trap(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    code: TrapCode,
    message: String,
    frames: Vec<Frame>,
    exception: Option<Exception>,
}

impl Trap {
    /// A trap of the host's, for a reason of its own.
    pub fn new(message: impl Into<String>) -> Trap {
        Trap::made(TrapCode::Host, message.into(), None)
    }

    fn made(code: TrapCode, message: String, exception: Option<Exception>) -> Trap {
        Trap(Arc::new(Inner { code, message, frames: Vec::new(), exception }))
    }

    pub(super) fn throwing(message: String, exception: Exception) -> Trap {
        Trap::made(TrapCode::UncaughtException, message, Some(exception))
    }

    /// What a trap of the runtime says.
    ///
    /// # Safety
    /// The trap came out of a call in the store, which is exclusively borrowed.
    pub(super) unsafe fn of(core: &Core, trap: &trap::Trap) -> Trap {
        let frame = |frame: trap::Frame| {
            let &trap::Frame { func_index, module_offset, func_offset, .. } = &frame;
            // SAFETY: the frame holds a handle to the instance.
            let module = unsafe { (*frame.instance()).module().clone() };
            Frame { module, func_index, module_offset, func_offset }
        };
        // SAFETY: a trap keeps its exception, if it has one, which is of the store; the caller's promise.
        let exception = unsafe { trap.exception().as_ref().map(|exception| Exception::of(core, exception)) };
        Trap(Arc::new(Inner {
            code: trap.code,
            message: String::from_utf8_lossy(&trap.message).into_owned(),
            frames: trap.frames().into_iter().map(frame).collect(),
            exception,
        }))
    }

    /// Why execution stopped.
    pub fn code(&self) -> TrapCode {
        self.0.code
    }

    /// The same in words: those of the specification, or the host's own.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The functions that were running, the innermost first. At most 128.
    pub fn frames(&self) -> &[Frame] {
        &self.0.frames
    }

    /// The exception that nobody caught, if the trap is about one.
    pub fn exception(&self) -> Option<&Exception> {
        self.0.exception.as_ref()
    }
}

impl From<TrapCode> for Trap {
    /// A trap with this code, in the specification's words.
    fn from(code: TrapCode) -> Trap {
        Trap::made(code, code.message().into(), None)
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Trap {}

/// A function of WebAssembly that was running when a trap was raised, and where in it.
#[derive(Clone)]
pub struct Frame {
    module: Arc<CompiledModule>,
    func_index: u32,
    module_offset: usize,
    func_offset: usize,
}

impl Frame {
    /// The function's index in its module.
    pub fn func_index(&self) -> u32 {
        self.func_index
    }

    /// The function's name, if the module has a name section that gives one.
    pub fn func_name(&self) -> Option<&str> {
        self.module.module.name_of_function(self.func_index)
    }

    /// The module's name, if it has a name section that gives one.
    pub fn module_name(&self) -> Option<&str> {
        self.module.module.name()
    }

    /// Where the instruction is, in bytes from the beginning of the module.
    pub fn module_offset(&self) -> usize {
        self.module_offset
    }

    /// Where the instruction is, in bytes from the beginning of the function's body.
    pub fn func_offset(&self) -> usize {
        self.func_offset
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = self.module_name() {
            write!(f, "{module}!")?;
        }
        match self.func_name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "function {}", self.func_index)?,
        }
        write!(f, " (offset {:#x})", self.module_offset)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({self})")
    }
}
