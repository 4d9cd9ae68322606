//! An engine: configuration, canonical types, compilers and pooled memories, shared by stores on any thread.

use crate::compile::{CompileError, Compiler, Tunables};
use crate::config::Config;
use crate::module::limits;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::lease::{Leased, Leases};
use crate::runtime::memory_pool::MemoryPool;
use crate::runtime::signals;
use crate::runtime::signature::Signature;
use crate::runtime::sys::{compile_stack, valgrind, vm};
use crate::types::{DefType, FuncType, TypeId, ValType};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An engine. Stores and modules keep it alive.
pub struct Engine {
    config: Config,
    tunables: Tunables,
    defers_growth: bool,
    signatures: Mutex<Signatures>,
    compilers: Mutex<Vec<Compiler>>,
    pool: MemoryPool,
    leases: Leases,
}

impl Leased for Engine {
    fn leases(&self) -> &Leases {
        &self.leases
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Signatures {
    /// Boxed: their addresses are kept by functions.
    by_type: HashMap<FuncType, Box<Signature>>,
    /// Other types, kept for as long as the engine: their ids lie in its stores.
    kept: HashSet<DefType>,
}

impl Engine {
    /// An engine with this configuration.
    pub fn new(mut config: Config) -> Result<Arc<Engine>, Error> {
        if config.memory_creator.is_some() {
            // What the host provides ends where it ends, and may move.
            config.memory_reservation = 0;
        }
        if config.memory_reservation > 0 && vm::address_space_limit().is_some_and(|limit| limit < 64 << 30) {
            // Where address space is rationed, reservations of gigabytes would fail one after the other.
            config.memory_reservation = 0;
        }
        if config.signals && signals::install().is_err() {
            // Somebody keeps replacing the handlers. Explicit checks need none.
            config.signals = false;
        }
        let full = config.memory_reservation >= Config::FULL_RESERVATION;
        let tunables = Tunables {
            signals: config.signals,
            guarded_memories: config.signals && full,
            guard: config.memory_guard,
            fixed_bases: full,
            optimization: config.optimization,
        };
        // What is deferred cannot be refused any more; and of pinned memories the system is given addresses, for which it
        // raises no signals. Valgrind calls the first access a mistake.
        let may_defer = tunables.guarded_memories && !config.pinned_memories;
        let defers_growth = may_defer && !vm::counts_accessible() && !valgrind::is_running();
        let compiler = Compiler::new(&tunables).map_err(from_compile)?;
        let pool = MemoryPool::new(config.pooled_memories, config.pooled_bytes);
        Ok(Arc::new(Engine {
            config,
            tunables,
            defers_growth,
            signatures: Mutex::default(),
            compilers: Mutex::new(vec![compiler]),
            pool,
            leases: Leases::default(),
        }))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What code is compiled for.
    pub fn tunables(&self) -> &Tunables {
        &self.tunables
    }

    /// Whether what memories grow by may become accessible when it is first used (`owed_pages.rs`).
    pub fn defers_growth(&self) -> bool {
        self.defers_growth
    }

    /// The pool of memories.
    pub fn pool(&self) -> &MemoryPool {
        &self.pool
    }

    /// The canonical form of a type. It lives as long as the engine.
    pub fn signature(&self, ty: &FuncType) -> Result<*const Signature, Error> {
        let mut all = self.signatures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.by_type.get(ty) {
            return Ok(&raw const **known);
        }
        let (params, results) = (ty.params().len(), ty.results().len());
        if params > limits::MAX_PARAMS || results > limits::MAX_RESULTS {
            let message = format!(
                "a function type has {params} parameters and {results} results; at most {} and {} are allowed",
                limits::MAX_PARAMS,
                limits::MAX_RESULTS,
            );
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let made = all.by_type.entry(ty.clone()).or_insert_with(|| Box::new(Signature::new(ty.clone())));
        Ok(&raw const **made)
    }

    /// Whether functions whose type has the first id may be called as functions whose type has the second. Both are types
    /// of the engine.
    pub fn is_subtype(&self, sub: u32, of: u32) -> bool {
        TypeId::func(sub).is_subtype_of(TypeId::func(of))
    }

    /// Keeps the types of a module for as long as the engine.
    pub fn keep_types(&self, types: &[DefType]) {
        let mut all = self.signatures.lock().unwrap_or_else(PoisonError::into_inner);
        for ty in types {
            if ty.as_func().is_none() && !all.kept.contains(ty) {
                all.kept.insert(ty.clone());
            }
        }
    }

    /// Keeps the type that references of type `ty` point to, if it is a defined one, for as long as the engine.
    pub fn keep_type_in(&self, ty: ValType) {
        if let Some(ty) = ty.def_type() {
            self.signatures.lock().unwrap_or_else(PoisonError::into_inner).kept.insert(ty);
        }
    }

    /// Runs `work` with a compiler, on a stack that is large enough wherever the caller stands.
    pub fn compile<T>(&self, work: impl FnOnce(&mut Compiler) -> Result<T, CompileError>) -> Result<T, Error> {
        compile_stack::on_compile_stack(|| self.compile_here(work)).map_err(no_compile_stack)?
    }

    /// Runs `work` with a compiler, on the calling thread's stack.
    pub fn compile_here<T>(&self, work: impl FnOnce(&mut Compiler) -> Result<T, CompileError>) -> Result<T, Error> {
        let pooled = self.compilers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut compiler = match pooled {
            Some(compiler) => compiler,
            None => Compiler::new(&self.tunables).map_err(from_compile)?,
        };
        let made = work(&mut compiler);
        self.compilers.lock().unwrap_or_else(PoisonError::into_inner).push(compiler);
        made.map_err(from_compile)
    }
}

/// The failure to run on a compile stack, or to come back from it.
pub fn no_compile_stack(error: compile_stack::StackError) -> Error {
    match error {
        compile_stack::StackError::Memory(error) => {
            Error::new(ErrorKind::Memory, format!("no stack to compile on: {error}"))
        }
        compile_stack::StackError::Panic(message) => {
            Error::new(ErrorKind::Internal, format!("the compiler panicked: {message}"))
        }
    }
}

/// A failure of the compiler as a failure of the API.
pub fn from_compile(error: CompileError) -> Error {
    let kind = match error {
        CompileError::NotSupported { .. } | CompileError::Host(_) => ErrorKind::Unsupported,
        CompileError::TooLarge(_) => ErrorKind::Limit,
        CompileError::Internal(_) => ErrorKind::Internal,
    };
    Error::new(kind, error.to_string())
}
