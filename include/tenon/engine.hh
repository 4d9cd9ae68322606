// tenon/engine.hh: engines, stores and modules.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_ENGINE_HH)
#define TENON_ENGINE_HH

namespace tenon {

/// An engine, shared by all copies of this object. Any thread may use it.
class Engine {
public:
  /// An engine with the default settings.
  Engine() : Engine(Config()) {}

  /// An engine with these settings. Throws if they are not possible, or the system denies something that it needs.
  explicit Engine(const Config &settings) : Engine([&](wasm_config_t *config) { settings.apply(config); }) {}

  /// An engine; `configure` may change settings with the functions of `tenon.h` before it is made.
  explicit Engine(const std::function<void(wasm_config_t *)> &configure) {
    std::unique_ptr<wasm_config_t, void (*)(wasm_config_t *)> config(wasm_config_new(), wasm_config_delete);
    if (configure) configure(config.get());
    wasm_engine_t *engine;
    detail::check(tenon_engine_new(config.release(), &engine));
    engine_ = std::shared_ptr<wasm::Engine>(wasm::detail::cc(engine), wasm::destroyer());
  }

  /// Gives the memories that the engine keeps for others back to the system, now. What is in use stays.
  void trim() const noexcept { tenon_engine_trim(wasm::detail::c(get())); }

  /// The object below.
  wasm::Engine *get() const noexcept { return engine_.get(); }

private:
  std::shared_ptr<wasm::Engine> engine_;
};

/// A memory or table that grows, or is made: it grows from nothing then.
struct Growth {
  /// The memory or table, lent for the call; null as long as it is only being made.
  const wasm::Extern *item;
  /// Whether it is a memory, or else a table.
  bool is_memory;
  /// Whether what it holds is at another address now. Only told afterwards.
  bool moved;
  /// How many pages or elements it has before.
  uint64_t old_size;
  /// How many it has afterwards.
  uint64_t new_size;
  /// How many its type allows, if that sets a bound.
  std::optional<uint64_t> maximum;
};

/// A store, shared by all copies of this object. One thread at a time may use it.
class Store {
public:
  /// A store of an engine, or of one of its own.
  explicit Store(const Engine &engine = Engine())
      : engine_(engine), store_(wasm_store_new(wasm::detail::c(engine.get())), wasm_store_delete) {
    if (!store_) detail::fail("no store could be made");
  }

  /// The engine.
  const Engine &engine() const noexcept { return engine_; }

  /// Reclaims everything in the store that cannot be reached any more, now.
  void collect() const { tenon_store_gc(store_.get()); }

  /// Figures about the heap of the store's structures and arrays.
  tenon_gc_statistics_t gc_statistics() const noexcept {
    tenon_gc_statistics_t statistics;
    tenon_store_gc_statistics(store_.get(), &statistics);
    return statistics;
  }

  /// Sets how much of something, one of `TENON_LIMIT_...`, the store may have; UINT64_MAX is no limit. What would exceed it
  /// throws an error of kind `TENON_ERROR_STORE_LIMIT`; a growth that WebAssembly asks for gives -1.
  void set_limit(tenon_limit_t limit, uint64_t most) const {
    detail::check(tenon_store_set_limit(store_.get(), limit, most));
  }

  /// How much of something the store may have.
  uint64_t limit(tenon_limit_t limit) const noexcept { return tenon_store_limit(store_.get(), limit); }

  /// How much of something the store has.
  uint64_t usage(tenon_limit_t limit) const noexcept { return tenon_store_usage(store_.get(), limit); }

  /// Whether a growth that WebAssembly asks for traps where a limit, `before` or the system refuses.
  void set_growth_traps(bool on) const { detail::check(tenon_store_set_growth_traps(store_.get(), on)); }

  /// Has `before` asked before each growth of a memory or table, and before one is made: false refuses. `after` is told after
  /// each growth, and must not throw. Either may be empty. As long as they run, nothing else grows in the store. What
  /// `before` throws comes out at the caller of the WebAssembly code that asked for the growth; where the host did, an
  /// `Error` with its message.
  void on_growth(std::function<bool(const Growth &)> before, std::function<void(const Growth &)> after = nullptr) const {
    struct Kept {
      std::function<bool(const Growth &)> before;
      std::function<void(const Growth &)> after;
      wasm_store_t *store;
    };
    auto kept = std::make_unique<Kept>(Kept{std::move(before), std::move(after), store_.get()});
    tenon_growth_before_t ask = [](void *env, const tenon_growth_t *growth, wasm_trap_t **trap) -> bool {
      Kept *own = static_cast<Kept *>(env);
      try {
        return own->before(growth_of(*growth));
      } catch (...) {
        *trap = detail::thrown(own->store);
        return false;
      }
    };
    tenon_growth_after_t tell = [](void *env, const tenon_growth_t *growth) noexcept {
      static_cast<Kept *>(env)->after(growth_of(*growth));
    };
    detail::check(tenon_store_set_growth_callbacks(
        store_.get(), kept->before ? ask : nullptr, kept->after ? tell : nullptr, kept.get(),
        [](void *env) { delete static_cast<Kept *>(env); }));
    kept.release();
  }

  /// The object below.
  wasm::Store *get() const noexcept { return wasm::detail::cc(store_.get()); }

  /// The object below, for functions of C.
  wasm_store_t *c() const noexcept { return store_.get(); }

private:
  Engine engine_;
  std::shared_ptr<wasm_store_t> store_;

  static Growth growth_of(const tenon_growth_t &growth) {
    std::optional<uint64_t> maximum;
    if (growth.maximum != UINT64_MAX) maximum = growth.maximum;
    return Growth{wasm::detail::cc(growth.item), growth.kind == WASM_EXTERN_MEMORY, growth.moved,
                  growth.old_size, growth.new_size, maximum};
  }
};

/// A module: valid, and ready to be instantiated in its store.
class Module {
public:
  /// A module of its binary, which is copied.
  Module(const Store &store, std::string_view binary) {
    wasm_byte_vec_t bytes = lent(binary);
    wasm_module_t *module;
    detail::check(tenon_module_new(store.c(), &bytes, &module));
    module_ = wasm::make_own(wasm::detail::cc(module));
  }

  /// Another reference to a module.
  explicit Module(const wasm::Module *module) {
    if (module == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no module");
    module_ = module->copy();
  }

  /// A module of its text, or of its binary.
  static Module from_text(const Store &store, std::string_view text) {
    wasm_byte_vec_t binary;
    detail::check(tenon_wat2wasm(text.data(), text.size(), &binary));
    std::unique_ptr<wasm_byte_vec_t, void (*)(wasm_byte_vec_t *)> owned(&binary, wasm_byte_vec_delete);
    return Module(store, std::string_view(binary.data, binary.size));
  }

  /// Throws the reason if a binary is not a valid module.
  static void validate(const Store &store, std::string_view binary) {
    wasm_byte_vec_t bytes = lent(binary);
    detail::check(tenon_module_validate(store.c(), &bytes));
  }

  /// The module and its machine code as bytes, for `deserialize`.
  std::string serialize() const {
    wasm_byte_vec_t bytes;
    detail::check(tenon_module_serialize(wasm::detail::c(static_cast<const wasm::Module *>(get())), &bytes));
    return detail::text_in(bytes);
  }

  /// A module of what `serialize` gave. Throws if the bytes are damaged, or of another version, machine or configuration. Only
  /// accidents are found: bytes from somebody who is not trusted must not be given to this function.
  static Module deserialize(const Store &store, std::string_view serialized) {
    wasm_byte_vec_t bytes = lent(serialized);
    wasm_module_t *module;
    detail::check(tenon_module_deserialize(store.c(), &bytes, &module));
    return Module(module);
  }

  /// `deserialize` for a file, which is mapped: nothing is read before it is needed, and processes share its memory. As long as
  /// the module lives, the file must not be written to or made shorter; it may be deleted, or replaced by another.
  static Module deserialize_file(const Store &store, const std::string &path) {
    wasm_module_t *module;
    detail::check(tenon_module_deserialize_file(store.c(), path.c_str(), &module));
    return Module(module);
  }

  Module(const Module &that) : module_(detail::again(that.module_)) {}
  Module(Module &&) = default;
  Module &operator=(Module that) noexcept {
    module_ = std::move(that.module_);
    return *this;
  }

  /// The object below.
  wasm::Module *get() const noexcept { return module_.get(); }

private:
  wasm::own<wasm::Module> module_;

  explicit Module(wasm_module_t *owned) : module_(wasm::make_own(wasm::detail::cc(owned))) {}

  static wasm_byte_vec_t lent(std::string_view bytes) { return {bytes.size(), const_cast<char *>(bytes.data())}; }
};

}  // namespace tenon

#endif  // TENON_ENGINE_HH
