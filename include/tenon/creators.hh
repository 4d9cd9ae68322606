// tenon/creators.hh: memories whose bytes the host provides, for C++.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_CREATORS_HH)
#define TENON_CREATORS_HH

namespace tenon {

/// Who provides the bytes of an engine's memories. Any thread that uses a store of the engine may be in its functions, several at a
/// time for different memories; they must not use the store.
class MemoryCreator {
public:
  virtual ~MemoryCreator() = default;

  /// Makes a memory: as many bytes as the request says, all zero, at an address that is aligned as it says. False if there is none.
  virtual bool allocate(const tenon_memory_request_t &request, tenon_host_memory_t &out) noexcept = 0;

  /// Makes a memory larger, with zeros; the address may change unless the request said that it is pinned. False if it cannot; then
  /// nothing has changed.
  virtual bool grow(tenon_host_memory_t &memory, uint64_t old_size, uint64_t new_size) noexcept = 0;

  /// Takes a memory back.
  virtual void free(tenon_host_memory_t &memory, uint64_t size) noexcept = 0;
};

/// Has the memories of an engine made by a creator, which lives as long as one of them: to be called where an `Engine` is
/// configured.
inline void set_memory_creator(wasm_config_t *config, std::shared_ptr<MemoryCreator> creator) {
  using Kept = std::shared_ptr<MemoryCreator>;
  if (!creator) throw Error(TENON_ERROR_ARGUMENT, "there is no creator");
  auto kept = std::make_unique<Kept>(std::move(creator));
  tenon_memory_creator_t functions = {};
  functions.allocate = [](void *env, const tenon_memory_request_t *request, tenon_host_memory_t *out) {
    return (*static_cast<Kept *>(env))->allocate(*request, *out);
  };
  functions.grow = [](void *env, tenon_host_memory_t *memory, uint64_t old_size, uint64_t new_size) {
    return (*static_cast<Kept *>(env))->grow(*memory, old_size, new_size);
  };
  functions.free = [](void *env, tenon_host_memory_t *memory, uint64_t size) {
    (*static_cast<Kept *>(env))->free(*memory, size);
  };
  functions.env = kept.get();
  functions.finalizer = [](void *env) { delete static_cast<Kept *>(env); };
  detail::check(tenon_config_set_memory_creator(config, &functions));
  kept.release();
}

}  // namespace tenon

#endif  // TENON_CREATORS_HH
