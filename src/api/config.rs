//! Configurations: what an engine is told at its creation.

pub use crate::config::Optimization;

use super::memory_creator::{self, MemoryCreator};
use crate::config;
use std::sync::Arc;

/// The settings of an engine. Each method changes one and gives the configuration back.
///
/// ```
/// use tenon::{Config, Engine, Module};
///
/// let engine = Engine::new(&Config::new().signals(false).simd(false))?;
/// let error = Module::new(&engine, "(module (func (param v128)))").unwrap_err();
/// assert!(error.to_string().contains("SIMD"));
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config(config::Config);

impl Config {
    /// The default settings.
    pub fn new() -> Config {
        Config::default()
    }

    /// The settings as the runtime takes them.
    pub(super) fn settings(&self) -> &config::Config {
        &self.0
    }

    fn set(mut self, set: impl FnOnce(&mut config::Config)) -> Config {
        set(&mut self.0);
        self
    }

    /// Whether traps may be found by hardware faults; on by default. Without, every check is compiled as code, and the
    /// process's signal handlers are left alone.
    pub fn signals(self, on: bool) -> Config {
        self.set(|config| config.signals = on)
    }

    /// Whether all functions are compiled when a module is made, on all processors, instead of each when it is first called;
    /// off by default.
    pub fn eager(self, on: bool) -> Config {
        self.set(|config| config.eager = on)
    }

    /// How well functions are compiled; for speed by default. Very large ones are compiled with less care in any case.
    pub fn optimization(self, level: Optimization) -> Config {
        self.set(|config| config.optimization = level)
    }

    /// How much address space is reserved for each memory, not counting the guard, in bytes; 4 GiB by default. With that much,
    /// and signals, accesses need no checks and a memory never moves.
    pub fn memory_reservation(self, bytes: u64) -> Config {
        self.set(|config| config.memory_reservation = bytes)
    }

    /// How much inaccessible address space follows each memory's reservation, in bytes; 64 MiB by default.
    pub fn memory_guard(self, bytes: u64) -> Config {
        self.set(|config| config.memory_guard = bytes)
    }

    /// Whether memories take up no more address space than they have bytes; off by default. The same as a reservation and a guard of
    /// 0: for tens of thousands of small memories at the same time.
    pub fn dense_memories(self, on: bool) -> Config {
        let usual = config::Config::default();
        self.set(|config| {
            config.memory_reservation = if on { 0 } else { usual.memory_reservation };
            config.memory_guard = if on { 0 } else { usual.memory_guard };
        })
    }

    /// Whether every memory is made so that its address never changes, whatever the other settings are; off by default. All that
    /// it may ever have is reserved then; a memory for which that cannot be done is refused.
    pub fn pinned_memories(self, on: bool) -> Config {
        self.set(|config| config.pinned_memories = on)
    }

    /// Who provides the bytes of memories. Accesses are checked then.
    pub fn memory_creator(self, creator: Arc<dyn MemoryCreator>) -> Config {
        self.set(|config| config.memory_creator = Some(memory_creator::functions(creator)))
    }

    /// The most stack that WebAssembly may use in one thread, in bytes; 1 MiB by default. A thread with less stack has less.
    pub fn max_stack(self, bytes: usize) -> Config {
        self.set(|config| config.max_stack = bytes)
    }

    /// How many memories that are no longer used the engine keeps for others; 128 by default.
    pub fn pooled_memories(self, count: usize) -> Config {
        self.set(|config| config.pooled_memories = count)
    }

    /// How much memory each of those may take up, in bytes; 256 KiB by default. What goes beyond that is given to the system.
    pub fn pooled_bytes(self, bytes: usize) -> Config {
        self.set(|config| config.pooled_bytes = bytes)
    }

    /// Whether a store looks for unreachable objects whenever it makes a new one; off by default. Slow: for tests.
    pub fn collect_always(self, on: bool) -> Config {
        self.set(|config| config.collect_always = on)
    }

    /// Whether modules may use `v128` and its instructions; on by default.
    pub fn simd(self, on: bool) -> Config {
        self.set(|config| config.features.simd = on)
    }

    /// Whether modules may use the relaxed vector instructions; on by default, but off whenever [`Config::simd`] is.
    pub fn relaxed_simd(self, on: bool) -> Config {
        self.set(|config| config.features.relaxed_simd = on)
    }

    /// Whether modules may use tail calls; on by default.
    pub fn tail_calls(self, on: bool) -> Config {
        self.set(|config| config.features.tail_calls = on)
    }

    /// Whether modules may have references as values and more than one table; on by default.
    pub fn reference_types(self, on: bool) -> Config {
        self.set(|config| config.features.reference_types = on)
    }

    /// Whether modules may use references to functions of a certain type, and references that are never null; on by default.
    pub fn function_references(self, on: bool) -> Config {
        self.set(|config| config.features.function_references = on)
    }

    /// Whether modules may use structures, arrays, `i31` and casts; on by default, but off whenever
    /// [`Config::function_references`] are.
    pub fn gc(self, on: bool) -> Config {
        self.set(|config| config.features.gc = on)
    }

    /// The most bytes that the garbage-collected objects of a store may take; 1 GiB by default, and at most 2 GiB.
    pub fn gc_heap_limit(self, bytes: u64) -> Config {
        self.set(|config| config.gc_heap_limit = bytes)
    }

    /// Whether modules may have more than one memory; on by default.
    pub fn multi_memory(self, on: bool) -> Config {
        self.set(|config| config.features.multi_memory = on)
    }

    /// Whether modules may have memories and tables with 64-bit addresses; on by default.
    pub fn memory64(self, on: bool) -> Config {
        self.set(|config| config.features.memory64 = on)
    }

    /// Whether modules may have memories whose pages have another size than 64 KiB; on by default.
    pub fn custom_page_sizes(self, on: bool) -> Config {
        self.set(|config| config.features.custom_page_sizes = on)
    }

    /// Whether modules may use the instructions for 128-bit integer arithmetic; on by default.
    pub fn wide_arithmetic(self, on: bool) -> Config {
        self.set(|config| config.features.wide_arithmetic = on)
    }

    /// Whether modules may have shared memories and use atomic instructions; on by default.
    pub fn threads(self, on: bool) -> Config {
        self.set(|config| config.features.threads = on)
    }

    /// Whether modules may use exceptions; on by default.
    pub fn exceptions(self, on: bool) -> Config {
        self.set(|config| config.features.exceptions = on)
    }

    /// Whether modules may also use the exceptions of before WebAssembly 3.0; off by default, and off whenever exceptions are.
    pub fn legacy_exceptions(self, on: bool) -> Config {
        self.set(|config| config.features.legacy_exceptions = on)
    }
}
