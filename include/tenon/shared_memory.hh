// tenon/shared_memory.hh: memories that stores on several threads use at the same time.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_SHARED_MEMORY_HH)
#define TENON_SHARED_MEMORY_HH

namespace tenon {

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

  /// Whether both are the same memory.
  bool operator==(const SharedMemory &other) const noexcept { return tenon_shared_memory_same(get(), other.get()); }
  bool operator!=(const SharedMemory &other) const noexcept { return !(*this == other); }

  /// The type, with the size that the memory has now as its minimum.
  MemoryType type() const { return MemoryType::own(tenon_shared_memory_type(get())); }

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

}  // namespace tenon

#endif  // TENON_SHARED_MEMORY_HH
