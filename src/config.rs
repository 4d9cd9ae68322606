//! What an engine is told at its creation: features, how code is compiled, limits, who makes its memories.

use std::ffi::c_void;
use std::sync::Arc;

/// The language features that can be switched. All of the language are on unless switched off; a module that uses what
/// is off is refused with a message that names the feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Features {
    /// `v128` and its instructions.
    pub simd: bool,
    /// The relaxed ones among them; off whenever `simd` is.
    pub relaxed_simd: bool,
    /// `return_call` and its kin.
    pub tail_calls: bool,
    /// References to functions of a certain type, and references that are never null.
    pub function_references: bool,
    /// References as values, and several tables.
    pub reference_types: bool,
    /// More than one memory in a module.
    pub multi_memory: bool,
    /// Memories and tables with 64-bit addresses.
    pub memory64: bool,
    /// Memories whose pages have another size than 64 KiB.
    pub custom_page_sizes: bool,
    /// Arithmetic on 128 bits.
    pub wide_arithmetic: bool,
    /// Shared memories and atomic accesses.
    pub threads: bool,
    /// Tags, `throw`, `throw_ref`, `try_table` and `exnref`.
    pub exceptions: bool,
    /// Their predecessors, which are not of the language: `try`, `catch`, `catch_all`, `delegate` and `rethrow`.
    pub legacy_exceptions: bool,
}

impl Features {
    /// All of the language.
    pub const ALL: Features = Features {
        simd: true,
        relaxed_simd: true,
        tail_calls: true,
        function_references: true,
        reference_types: true,
        multi_memory: true,
        memory64: true,
        custom_page_sizes: true,
        wide_arithmetic: true,
        threads: true,
        exceptions: true,
        legacy_exceptions: false,
    };
    /// None of them: the language without what can be switched.
    pub const NONE: Features = Features {
        simd: false,
        relaxed_simd: false,
        tail_calls: false,
        function_references: false,
        reference_types: false,
        multi_memory: false,
        memory64: false,
        custom_page_sizes: false,
        wide_arithmetic: false,
        threads: false,
        exceptions: false,
        legacy_exceptions: false,
    };
}

/// How much time the compiler takes for better code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Optimization {
    /// As much as makes the code fast.
    #[default]
    Speed = 0,
    /// Registers are chosen well, but nothing else is improved.
    Little = 1,
    /// As little as can be.
    None = 2,
}

impl Optimization {
    /// The level with this number.
    pub fn from_u8(number: u8) -> Option<Optimization> {
        [Optimization::Speed, Optimization::Little, Optimization::None].into_iter().find(|level| *level as u8 == number)
    }
}

/// What a creator of memories is asked for: `tenon_memory_request_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryRequest {
    /// Bytes at first.
    pub size: u64,
    /// Bytes at most.
    pub maximum: u64,
    /// What the address must be a multiple of.
    pub alignment: u64,
    /// Whether the address must never change.
    pub pinned: bool,
}

/// What a creator of memories gives: `tenon_host_memory_t`.
#[derive(Debug)]
#[repr(C)]
pub struct HostMemory {
    /// The address of the first byte.
    pub data: *mut u8,
    /// The creator's own.
    pub handle: *mut c_void,
}

/// The host's functions that make, grow and take back memories: `tenon_memory_creator_t`, which says what they must do.
#[derive(Debug)]
pub struct MemoryCreator {
    /// Makes a memory.
    pub allocate: unsafe extern "C" fn(*mut c_void, *const MemoryRequest, *mut HostMemory) -> bool,
    /// Makes one larger, from the first size to the second.
    pub grow: unsafe extern "C" fn(*mut c_void, *mut HostMemory, u64, u64) -> bool,
    /// Takes one back.
    pub free: unsafe extern "C" fn(*mut c_void, *mut HostMemory, u64),
    /// What they get.
    pub env: *mut c_void,
    /// Called once with `env` in the end.
    pub finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: by the contract of `tenon_memory_creator_t` any thread may call the functions.
unsafe impl Send for MemoryCreator {}
// SAFETY: as above, several at a time.
unsafe impl Sync for MemoryCreator {}

impl Drop for MemoryCreator {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the host promised that the finalizer may be called once with its data.
            unsafe { finalizer(self.env) };
        }
    }
}

/// The settings of an engine. They do not change once it exists.
#[derive(Clone, Debug)]
pub struct Config {
    /// Language features.
    pub features: Features,
    /// Whether traps may be found by hardware faults (SIGSEGV, SIGILL, SIGFPE). Without, every
    /// check is compiled as code and the process's signal handlers stay untouched.
    pub signals: bool,
    /// Whether all functions are compiled when the module is made, on all processors, instead of each at its
    /// first call.
    pub eager: bool,
    /// How well functions are compiled. Very large ones are compiled with less care in any case.
    pub optimization: Optimization,
    /// Address space reserved for each memory, in bytes, not counting the guard. At 4 GiB and more, with
    /// signals on, 32-bit memories need no bounds checks and their base never moves. Smaller: explicit checks.
    pub memory_reservation: u64,
    /// Inaccessible bytes behind each memory's reservation.
    pub memory_guard: u64,
    /// The most stack that one activation of WebAssembly may use, in bytes. Threads with less have less.
    pub max_stack: usize,
    /// Debug switch: a store traces its objects at every allocation.
    pub collect_always: bool,
    /// Memory slots kept for reuse by the engine.
    pub pooled_memories: usize,
    /// The most memory that a kept slot takes up, in bytes. What goes beyond it is given to the system.
    pub pooled_bytes: usize,
    /// Whether every memory is made so that its base never moves: all that it may ever need is reserved.
    pub pinned_memories: bool,
    /// Who makes memories that are not shared, if not the engine.
    pub memory_creator: Option<Arc<MemoryCreator>>,
}

impl Config {
    /// 4 GiB.
    pub const FULL_RESERVATION: u64 = 1 << 32;
}

impl Default for Config {
    fn default() -> Config {
        Config {
            features: Features::ALL,
            signals: true,
            eager: false,
            optimization: Optimization::Speed,
            memory_reservation: Config::FULL_RESERVATION,
            memory_guard: 64 << 20,
            max_stack: 1 << 20,
            collect_always: false,
            pooled_memories: 128,
            pooled_bytes: 256 << 10,
            pinned_memories: false,
            memory_creator: None,
        }
    }
}
