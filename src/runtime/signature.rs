//! Function types made canonical for an engine: an id that `call_indirect` compares, and the stubs that cross
//! the boundary for the type, each made when it is first needed.

use crate::compile::code::{Code, EntryCode};
use crate::compile::{CompileError, Compiler, stubs};
use crate::runtime::code_memory::{self, CodeBlock, CodeKind};
use crate::runtime::engine::Engine;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::vmctx::EntryStub;
use crate::types::FuncType;
use std::ptr;
use std::sync::OnceLock;

/// A canonical function type of an engine.
#[derive(Debug)]
pub struct Signature {
    /// Equal for equal types, and only for those.
    pub id: u32,
    /// The type.
    pub ty: FuncType,
    /// Whether values of the type need checks and counting at the boundary.
    pub has_refs: bool,
    entry: OnceLock<Result<Placed, Error>>,
    raw_entry: OnceLock<Result<Placed, Error>>,
    host: OnceLock<Result<CodeBlock, Error>>,
    host_env: OnceLock<Result<CodeBlock, Error>>,
    raw_host: OnceLock<Result<CodeBlock, Error>>,
}

#[derive(Debug)]
struct Placed {
    stub: EntryStub,
    _code: CodeBlock,
}

// SAFETY: the pointers in `EntryStub` are into code, which may be run by any thread.
unsafe impl Send for Placed {}
// SAFETY: as above; nothing is changed after it is made.
unsafe impl Sync for Placed {}

impl Signature {
    /// A signature without stubs.
    pub fn new(ty: FuncType) -> Signature {
        let has_refs = ty.has_refs();
        Signature {
            id: ty.id().index(),
            ty,
            has_refs,
            entry: OnceLock::new(),
            raw_entry: OnceLock::new(),
            host: OnceLock::new(),
            host_env: OnceLock::new(),
            raw_host: OnceLock::new(),
        }
    }

    /// The entry stub if it exists already and calls may use it directly, else null.
    pub fn fast_entry(&self) -> *const EntryStub {
        match self.entry.get() {
            Some(Ok(placed)) if !self.has_refs => &placed.stub,
            _ => ptr::null(),
        }
    }

    /// [`Signature::fast_entry`] for arrays of raw values.
    #[inline]
    pub fn fast_raw_entry(&self) -> *const EntryStub {
        match self.raw_entry.get() {
            Some(Ok(placed)) if !self.has_refs => &placed.stub,
            _ => ptr::null(),
        }
    }

    /// The entry stub for arrays of `wasm_val_t`.
    pub fn entry(&self, engine: &Engine) -> Result<*const EntryStub, Error> {
        entry(&self.entry, engine, |compiler| stubs::entry_stub(compiler, &self.ty))
    }

    /// The entry stub for arrays of raw values.
    pub fn raw_entry(&self, engine: &Engine) -> Result<*const EntryStub, Error> {
        entry(&self.raw_entry, engine, |compiler| stubs::raw_entry_stub(compiler, &self.ty))
    }

    /// Code of a host function with a plain callback.
    pub fn host_stub(&self, engine: &Engine) -> Result<*const u8, Error> {
        host(&self.host, engine, |compiler| stubs::host_stub(compiler, &self.ty, false))
    }

    /// Code of a host function whose callback has an environment.
    pub fn host_env_stub(&self, engine: &Engine) -> Result<*const u8, Error> {
        host(&self.host_env, engine, |compiler| stubs::host_stub(compiler, &self.ty, true))
    }

    /// Code of a host function whose callback gets raw values.
    pub fn raw_host_stub(&self, engine: &Engine) -> Result<*const u8, Error> {
        host(&self.raw_host, engine, |compiler| stubs::raw_host_stub(compiler, &self.ty))
    }
}

fn entry(
    place: &OnceLock<Result<Placed, Error>>,
    engine: &Engine,
    make: impl FnOnce(&mut Compiler) -> Result<EntryCode, CompileError> + Send,
) -> Result<*const EntryStub, Error> {
    let made = place.get_or_init(|| {
        let made = engine.compile(make)?;
        let kind = CodeKind::EntryStub { activation_below_fp: made.activation_below_fp };
        let block = code_memory::place(made.code, kind).map_err(no_code_memory)?;
        let code = block.address();
        let stub = EntryStub {
            code,
            landing: code.wrapping_add(made.landing as usize),
            frame_below_fp: made.frame_below_fp,
            activation_below_fp: made.activation_below_fp,
        };
        Ok(Placed { stub, _code: block })
    });
    made.as_ref().map(|placed| &raw const placed.stub).map_err(Error::clone)
}

fn host(
    place: &OnceLock<Result<CodeBlock, Error>>,
    engine: &Engine,
    make: impl FnOnce(&mut Compiler) -> Result<Code, CompileError> + Send,
) -> Result<*const u8, Error> {
    let made = place.get_or_init(|| {
        let code = engine.compile(make)?;
        code_memory::place(code, CodeKind::HostStub).map_err(no_code_memory)
    });
    made.as_ref().map(CodeBlock::address).map_err(Error::clone)
}

/// The failure to place code.
pub fn no_code_memory(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Memory, format!("no memory for machine code: {error}"))
}
