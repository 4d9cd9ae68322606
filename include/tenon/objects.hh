// tenon/objects.hh: tables, globals and shared memories of every type for C++.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_OBJECTS_HH)
#define TENON_OBJECTS_HH

namespace tenon {

////////////////////////////////////////////////////////////////////////////////////////////////
// Tables

/// A table of references. Copies are references to the same table.
class Table {
public:
  /// A table of so many elements at first, all the same, and at most.
  Table(const Store &store, const ValType &element, uint64_t size, std::optional<uint64_t> max = std::nullopt,
        const Ref &init = Ref(), bool is64 = false) {
    wasm_tabletype_t *type;
    detail::check(tenon_tabletype_new(wasm_valtype_copy(element.get()), size, max.has_value(), max.value_or(0), is64, &type));
    std::unique_ptr<wasm_tabletype_t, void (*)(wasm_tabletype_t *)> owned(type, wasm_tabletype_delete);
    wasm_table_t *made;
    detail::check(tenon_table_new(store.c(), type, init.get(), &made));
    table_ = std::shared_ptr<wasm_table_t>(made, wasm_table_delete);
  }

  /// Another reference to a table.
  explicit Table(const wasm::Table *table) {
    if (table == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no table");
    table_ = std::shared_ptr<wasm_table_t>(wasm_table_copy(wasm::detail::c(table)), wasm_table_delete);
  }

  /// The number of elements.
  uint64_t size() const noexcept { return tenon_table_size(table_.get()); }

  /// An element. Throws if there are fewer.
  Ref get(uint64_t index) const {
    wasm_ref_t *found;
    detail::check(tenon_table_get(table_.get(), index, &found));
    return Ref::own(found);
  }

  /// Replaces an element. Throws if there are fewer, or the reference is not of the element type.
  void set(uint64_t index, const Ref &element) const { detail::check(tenon_table_set(table_.get(), index, element.get())); }

  /// Adds elements, all the same; how many there were. Throws, and nothing changes, if that are too many.
  uint64_t grow(uint64_t delta, const Ref &init = Ref()) const {
    uint64_t old = 0;
    detail::check(tenon_table_grow(table_.get(), delta, init.get(), &old));
    return old;
  }

  /// The object below.
  wasm_table_t *c() const noexcept { return table_.get(); }

  /// The table as an import.
  wasm::Extern *get_extern() const noexcept { return wasm::detail::cc(wasm_table_as_extern(c())); }

private:
  std::shared_ptr<wasm_table_t> table_;
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Globals

/// A global variable or constant. Copies are references to the same one.
class Global {
public:
  /// A global of a type, with its first value. Throws if the value is of another type.
  Global(const Store &store, const ValType &content, bool is_mutable, const Value &value) {
    std::unique_ptr<wasm_globaltype_t, void (*)(wasm_globaltype_t *)> type(
        wasm_globaltype_new(wasm_valtype_copy(content.get()), is_mutable ? WASM_VAR : WASM_CONST), wasm_globaltype_delete);
    wasm_global_t *made;
    detail::check(tenon_global_new_val(store.c(), type.get(), value.c(), &made));
    global_ = std::shared_ptr<wasm_global_t>(made, wasm_global_delete);
  }

  /// Another reference to a global.
  explicit Global(const wasm::Global *global) {
    if (global == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no global");
    global_ = std::shared_ptr<wasm_global_t>(wasm_global_copy(wasm::detail::c(global)), wasm_global_delete);
  }

  /// The value.
  Value get() const {
    tenon_val_t value;
    detail::check(tenon_global_get_val(global_.get(), &value));
    return Value::own(value);
  }

  /// The number or vector. Throws if it is of another kind than T's.
  template <class T>
  T get() const {
    return get().template get<T>();
  }

  /// Replaces the value. Throws if it is a constant, or of another type.
  void set(const Value &value) const { detail::check(tenon_global_set_val(global_.get(), value.c())); }

  /// The object below.
  wasm_global_t *c() const noexcept { return global_.get(); }

  /// The global as an import.
  wasm::Extern *get_extern() const noexcept { return wasm::detail::cc(wasm_global_as_extern(c())); }

private:
  std::shared_ptr<wasm_global_t> global_;
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Shared memories

/// A memory that belongs to no store: any thread may use it, and stores of the same engine obtain it as a memory of theirs. Copies
/// are references to the same memory.
class SharedMemory {
public:
  /// A shared memory. The type must be shared, and have a maximum.
  SharedMemory(const Engine &engine, const MemoryType &type) {
    auto made_type = type.make();
    tenon_shared_memory_t *made;
    detail::check(tenon_shared_memory_new(wasm::detail::c(engine.get()), made_type.get(), &made));
    memory_ = std::shared_ptr<tenon_shared_memory_t>(made, tenon_shared_memory_delete);
  }

  /// The shared memory that a store's memory is. Throws if its type is not that of one.
  explicit SharedMemory(const Memory &memory)
      : memory_(tenon_memory_share(wasm::detail::c(memory.get())), tenon_shared_memory_delete) {
    if (!memory_) throw Error(TENON_ERROR_ARGUMENT, "the memory is not shared");
  }

  /// A memory of a store, to be imported by its instances. Throws if the store is of another engine.
  Memory obtain(const Store &store) const {
    std::unique_ptr<wasm_memory_t, void (*)(wasm_memory_t *)> made(tenon_memory_obtain(store.c(), memory_.get()), wasm_memory_delete);
    if (!made) detail::fail("the shared memory could not be obtained");
    return Memory(static_cast<const wasm::Memory *>(wasm::detail::cc(made.get())));
  }

  /// The address of the first byte, which never changes. Others write meanwhile.
  char *data() const noexcept { return tenon_shared_memory_data(memory_.get()); }

  /// The size in bytes; it may be more by the time that the caller looks at it, but never less.
  size_t size() const noexcept { return tenon_shared_memory_data_size(memory_.get()); }

  /// The size in pages.
  uint64_t pages() const noexcept { return tenon_shared_memory_size(memory_.get()); }

  /// Adds pages, filled with zeros; how many there were. Throws, and nothing changes, if that are too many.
  uint64_t grow(uint64_t delta) const {
    uint64_t old = 0;
    detail::check(tenon_shared_memory_grow(memory_.get(), delta, &old));
    return old;
  }

  /// An integer of 8, 16, 32 or 64 bits at an address that is a multiple of its size, for atomic operations: those of WebAssembly code work
  /// on it, too. Throws if it does not lie inside.
  template <class T>
  std::atomic<T> &atomic(uint64_t address) const {
    static_assert(std::is_integral_v<T> && sizeof(T) <= 8, "at most 64 bits");
    static_assert(sizeof(std::atomic<T>) == sizeof(T) && std::atomic<T>::is_always_lock_free, "as WebAssembly has them");
    size_t have = size();
    if (address % sizeof(T) != 0 || address >= have || sizeof(T) > have - address) {
      throw Error(TENON_ERROR_ARGUMENT, "there is no integer of " + std::to_string(sizeof(T)) + " bytes at address " + std::to_string(address));
    }
    return *reinterpret_cast<std::atomic<T> *>(data() + address);
  }

  /// How a wait ended.
  enum class Wait : uint8_t { notified = TENON_WAIT_NOTIFIED, not_equal = TENON_WAIT_NOT_EQUAL, timed_out = TENON_WAIT_TIMED_OUT };

  /// Waits at an address, a multiple of 4, if the expected number is there, until somebody notifies, or for so long; a negative time
  /// stands for ever.
  Wait wait(uint64_t address, uint32_t expected, std::chrono::nanoseconds timeout = std::chrono::nanoseconds(-1)) const {
    uint8_t result = 0;
    detail::check(tenon_shared_memory_wait32(memory_.get(), address, expected, timeout.count(), &result));
    return static_cast<Wait>(result);
  }

  /// `wait` for 64 bits: the address is a multiple of 8.
  Wait wait(uint64_t address, uint64_t expected, std::chrono::nanoseconds timeout = std::chrono::nanoseconds(-1)) const {
    uint8_t result = 0;
    detail::check(tenon_shared_memory_wait64(memory_.get(), address, expected, timeout.count(), &result));
    return static_cast<Wait>(result);
  }

  /// Wakes up to so many waits at an address, a multiple of 4; how many.
  uint32_t notify(uint64_t address, uint32_t count = UINT32_MAX) const {
    uint32_t woken = 0;
    detail::check(tenon_shared_memory_notify(memory_.get(), address, count, &woken));
    return woken;
  }

  /// The object below.
  tenon_shared_memory_t *get() const noexcept { return memory_.get(); }

private:
  std::shared_ptr<tenon_shared_memory_t> memory_;
};

inline Table Instance::table(std::string_view name) const {
  const wasm::Table *found = get_export(name)->table();
  if (found == nullptr) throw Error(TENON_ERROR_ARGUMENT, "export \"" + std::string(name) + "\" is no table");
  return Table(found);
}

inline Global Instance::global(std::string_view name) const {
  const wasm::Global *found = get_export(name)->global();
  if (found == nullptr) throw Error(TENON_ERROR_ARGUMENT, "export \"" + std::string(name) + "\" is no global");
  return Global(found);
}

}  // namespace tenon

#endif  // TENON_OBJECTS_HH
