//! The settings of a configuration.

use super::config::wasm_config_t;
use super::error::{self, Kind};
use crate::config::{Config, Optimization};

fn set(function: &str, config: Option<&mut wasm_config_t>, set: impl FnOnce(&mut Config)) {
    match config {
        Some(config) => set(config.settings_mut()),
        None => error::null(function, "the configuration"),
    }
}

/// Whether traps may be found by hardware faults; on by default. Without, every check is compiled as code, and the
/// process's signal handlers are left alone. Such a check of a linear memory is a branch: a processor that guesses it wrong may
/// read beyond the memory, without effect on what the code computes.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_signals(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_signals", config, |config| config.signals = on);
}

/// Whether all functions are compiled when a module is made, on all processors, instead of each when it is first
/// called; off by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_eager(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_eager", config, |config| config.eager = on);
}

/// How much time the compiler takes for better code: one of the constants of `tenon_optimization_enum`.
pub type tenon_optimization_t = u8;

/// How much time the compiler takes for better code.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum tenon_optimization_enum {
    /// As much as makes the code fast.
    TENON_OPTIMIZE_SPEED = 0,
    /// Registers are chosen well, but nothing else is improved.
    TENON_OPTIMIZE_LITTLE = 1,
    /// As little as can be.
    TENON_OPTIMIZE_NONE = 2,
}

const _: () = assert!(tenon_optimization_enum::TENON_OPTIMIZE_SPEED as u8 == Optimization::Speed as u8);
const _: () = assert!(tenon_optimization_enum::TENON_OPTIMIZE_LITTLE as u8 == Optimization::Little as u8);
const _: () = assert!(tenon_optimization_enum::TENON_OPTIMIZE_NONE as u8 == Optimization::None as u8);

/// How well functions are compiled; `TENON_OPTIMIZE_SPEED` by default. Less is for code that runs once, and for who looks for
/// a mistake. Very large functions are compiled with less care in any case. Another number changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_optimization(config: Option<&mut wasm_config_t>, level: tenon_optimization_t) {
    let function = "tenon_config_set_optimization";
    set(function, config, |config| match Optimization::from_u8(level) {
        Some(level) => config.optimization = level,
        None => error::fail(
            Kind::TENON_ERROR_ARGUMENT,
            format_args!("{function}: {level} is no constant of tenon_optimization_enum"),
        ),
    });
}

/// Whether modules may use `v128` and its instructions; on by default. A module that uses what is off is refused.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_simd(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_simd", config, |config| config.features.simd = on);
}

/// Whether modules may use the relaxed vector instructions; on by default, but off whenever `v128` is.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_relaxed_simd(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_relaxed_simd", config, |config| config.features.relaxed_simd = on);
}

/// Whether modules may have references as values and more than one table; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_reference_types(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_reference_types", config, |config| config.features.reference_types = on);
}

/// Whether modules may have more than one memory; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_multi_memory(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_multi_memory", config, |config| config.features.multi_memory = on);
}

/// Whether modules may have memories and tables with 64-bit addresses; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_memory64(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_memory64", config, |config| config.features.memory64 = on);
}

/// Whether modules may have memories whose pages have another size than 64 KiB; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_custom_page_sizes(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_custom_page_sizes", config, |config| config.features.custom_page_sizes = on);
}

/// Whether modules may use the instructions for 128-bit integer arithmetic; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_wide_arithmetic(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_wide_arithmetic", config, |config| config.features.wide_arithmetic = on);
}

/// Whether modules may have shared memories and use atomic instructions; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_threads(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_threads", config, |config| config.features.threads = on);
}

/// Whether modules may use exceptions: tags, `throw`, `throw_ref`, `try_table` and `exnref`; on by default. A module that uses
/// what is off is refused.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_exceptions(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_exceptions", config, |config| config.features.exceptions = on);
}

/// Whether modules may also use the exceptions of before WebAssembly 3.0: `try`, `catch`, `catch_all`, `delegate` and
/// `rethrow`; off by default, and off whenever exceptions are.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_legacy_exceptions(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_legacy_exceptions", config, |config| config.features.legacy_exceptions = on);
}

/// Whether modules may use tail calls; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_tail_calls(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_tail_calls", config, |config| config.features.tail_calls = on);
}

/// Whether modules may use references to functions of a certain type, and references that are never null; on by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_function_references(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_function_references", config, |config| config.features.function_references = on);
}

/// Whether modules may use structures, arrays, `i31` and casts; on by default, but off whenever references to functions of a
/// certain type are.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_gc(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_gc", config, |config| config.features.gc = on);
}

/// The most bytes that the garbage-collected objects of a store may take; 1 GiB by default, and at most 2 GiB. WebAssembly that
/// needs more traps.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_gc_heap_limit(config: Option<&mut wasm_config_t>, bytes: u64) {
    set("tenon_config_set_gc_heap_limit", config, |config| config.gc_heap_limit = bytes);
}

/// How much address space is reserved for each memory, not counting the guard; 4 GiB by default. With that much, and signals,
/// accesses need no checks and a memory never moves; with less, a memory is checked, and may move when it grows.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_memory_reservation(config: Option<&mut wasm_config_t>, bytes: u64) {
    set("tenon_config_set_memory_reservation", config, |config| config.memory_reservation = bytes);
}

/// How much inaccessible address space follows each memory's reservation; 64 MiB by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_memory_guard(config: Option<&mut wasm_config_t>, bytes: u64) {
    set("tenon_config_set_memory_guard", config, |config| config.memory_guard = bytes);
}

/// Whether memories take up no more address space than they have bytes, rounded up to pages of the system; off by default. It is
/// the same as a reservation and a guard of 0. Tens of thousands of small memories can then live at the same time; accesses
/// are checked, and a memory may move when it grows.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_dense_memories(config: Option<&mut wasm_config_t>, on: bool) {
    let from =
        if on { Config { memory_reservation: 0, memory_guard: 0, ..Config::default() } } else { Config::default() };
    set("tenon_config_set_dense_memories", config, |config| {
        config.memory_reservation = from.memory_reservation;
        config.memory_guard = from.memory_guard;
    });
}

/// Whether every memory is made so that its address never changes, whatever the other settings are; off by default. All that it
/// may ever have is reserved then, up to its type's maximum; a memory for which that cannot be done is refused, as is one with
/// 64-bit addresses and no maximum. `tenon_memory_is_pinned` tells it of any memory.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_pinned_memories(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_pinned_memories", config, |config| config.pinned_memories = on);
}

/// The most stack that WebAssembly code may use in one thread; 1 MiB by default. A thread with less stack has less.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_max_stack(config: Option<&mut wasm_config_t>, bytes: usize) {
    set("tenon_config_set_max_stack", config, |config| config.max_stack = bytes);
}

/// How many memories that are no longer used the engine keeps for others; 128 by default.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_pooled_memories(config: Option<&mut wasm_config_t>, count: usize) {
    set("tenon_config_set_pooled_memories", config, |config| config.pooled_memories = count);
}

/// How much memory each of the memories that the engine keeps may take up, in bytes; 256 KiB by default. What a memory
/// took up beyond that goes back to the system when it is no longer used.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_pooled_bytes(config: Option<&mut wasm_config_t>, bytes: usize) {
    set("tenon_config_set_pooled_bytes", config, |config| config.pooled_bytes = bytes);
}

/// Whether a store looks for unreachable objects whenever it makes a new one; off by default. Slow: for tests, so that
/// what is reclaimed too early is noticed.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_collect_always(config: Option<&mut wasm_config_t>, on: bool) {
    set("tenon_config_set_collect_always", config, |config| config.collect_always = on);
}
