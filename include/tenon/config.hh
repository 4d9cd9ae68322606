// tenon/config.hh: the settings of an engine.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
//   tenon::Config config;
//   config.dense_memories = true;
//   tenon::Engine engine(config);

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_CONFIG_HH)
#define TENON_CONFIG_HH

namespace tenon {

/// The version of the library, which may be another than that of the headers, `TENON_VERSION`.
inline std::string_view version() noexcept { return tenon_version(); }

/// What the library was built from and for, in a line for people.
inline std::string_view build_info() noexcept { return tenon_build_info(); }

/// How much time the compiler takes for better code: as much as makes it fast, for registers only, or as little as can be.
enum class Optimization : tenon_optimization_t {
  speed = TENON_OPTIMIZE_SPEED,
  little = TENON_OPTIMIZE_LITTLE,
  none = TENON_OPTIMIZE_NONE,
};

/// The settings of an engine. What is not set has the library's default, which `tenon.h` tells, function by function:
/// each setting has the name of its `tenon_config_set_...`.
struct Config {
  /// Whether traps may be found by hardware faults.
  std::optional<bool> signals;
  /// Whether all functions are compiled when a module is made.
  std::optional<bool> eager;
  /// How well functions are compiled.
  std::optional<Optimization> optimization;
  /// The most stack that WebAssembly code may use in one thread, in bytes.
  std::optional<size_t> max_stack;
  /// Whether a store looks for unreachable objects whenever it makes a new one. Slow: for tests.
  std::optional<bool> collect_always;

  /// What modules may use. A module that uses what is off is refused.
  std::optional<bool> simd, relaxed_simd, reference_types, multi_memory, memory64, custom_page_sizes, wide_arithmetic, threads,
      exceptions, legacy_exceptions, tail_calls, function_references, gc;

  /// The most bytes that the structures and arrays of a store may take.
  std::optional<uint64_t> gc_heap_limit;
  /// How much address space is reserved for each memory, and how much follows that nobody may access, in bytes.
  std::optional<uint64_t> memory_reservation, memory_guard;
  /// Whether memories take up no more address space than they have bytes.
  std::optional<bool> dense_memories;
  /// Whether every memory is made so that its address never changes.
  std::optional<bool> pinned_memories;
  /// How many memories that are no longer used the engine keeps for others, and how many bytes each may take up.
  std::optional<size_t> pooled_memories, pooled_bytes;
  /// Who provides the bytes of memories; the engine itself if there is none.
  std::shared_ptr<MemoryCreator> memory_creator;

  /// Makes these settings in a configuration of `wasm.h`. Throws if one is not possible.
  void apply(wasm_config_t *config) const {
    set(config, tenon_config_set_signals, signals);
    set(config, tenon_config_set_eager, eager);
    if (optimization) tenon_config_set_optimization(config, static_cast<tenon_optimization_t>(*optimization));
    set(config, tenon_config_set_max_stack, max_stack);
    set(config, tenon_config_set_collect_always, collect_always);
    set(config, tenon_config_set_simd, simd);
    set(config, tenon_config_set_relaxed_simd, relaxed_simd);
    set(config, tenon_config_set_reference_types, reference_types);
    set(config, tenon_config_set_multi_memory, multi_memory);
    set(config, tenon_config_set_memory64, memory64);
    set(config, tenon_config_set_custom_page_sizes, custom_page_sizes);
    set(config, tenon_config_set_wide_arithmetic, wide_arithmetic);
    set(config, tenon_config_set_threads, threads);
    set(config, tenon_config_set_exceptions, exceptions);
    set(config, tenon_config_set_legacy_exceptions, legacy_exceptions);
    set(config, tenon_config_set_tail_calls, tail_calls);
    set(config, tenon_config_set_function_references, function_references);
    set(config, tenon_config_set_gc, gc);
    set(config, tenon_config_set_gc_heap_limit, gc_heap_limit);
    // Dense memories are those with a certain reservation and guard, which can be set further.
    set(config, tenon_config_set_dense_memories, dense_memories);
    set(config, tenon_config_set_memory_reservation, memory_reservation);
    set(config, tenon_config_set_memory_guard, memory_guard);
    set(config, tenon_config_set_pinned_memories, pinned_memories);
    set(config, tenon_config_set_pooled_memories, pooled_memories);
    set(config, tenon_config_set_pooled_bytes, pooled_bytes);
    if (memory_creator) set_memory_creator(config, memory_creator);
  }

private:
  template <class T>
  static void set(wasm_config_t *config, void (*setter)(wasm_config_t *, T), const std::optional<T> &value) {
    if (value) setter(config, *value);
  }
};

}  // namespace tenon

#endif  // TENON_CONFIG_HH
