// tenon/instance.hh: instances, and linkers, which find imports by name.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_INSTANCE_HH)
#define TENON_INSTANCE_HH

namespace tenon {

class Tag;
class Table;
class Global;

/// An instance of a module, with its exports by name.
class Instance {
public:
  /// An instance; the imports are lent, in the order of the module's. Throws `Error` if they do not fit, `TrapError` if the
  /// start function traps.
  Instance(const Store &store, const Module &module, std::initializer_list<wasm::Extern *> imports = {})
      : Instance(store, module, imports.begin(), imports.size()) {}
  Instance(const Store &store, const Module &module, const std::vector<wasm::Extern *> &imports)
      : Instance(store, module, imports.data(), imports.size()) {}

  /// An export. Throws if there is none of the name.
  wasm::Extern *get_export(std::string_view name) const {
    for (const auto &each : parts_->exports) {
      if (each.first == name) return each.second.get();
    }
    throw Error(TENON_ERROR_ARGUMENT, "the module has no export \"" + std::string(name) + "\"");
  }

  /// An exported function of this type. Throws if there is none of the name and type.
  template <class Signature>
  TypedFunc<Signature> func(std::string_view name) const {
    try {
      return TypedFunc<Signature>(get_export(name)->func());
    } catch (const Error &error) {
      throw Error(error.kind(), "export \"" + std::string(name) + "\": " + error.what());
    }
  }

  /// An exported memory. Throws if there is none of the name.
  Memory memory(std::string_view name) const {
    const wasm::Memory *found = get_export(name)->memory();
    if (found == nullptr) throw Error(TENON_ERROR_ARGUMENT, "export \"" + std::string(name) + "\" is no memory");
    return Memory(found);
  }

  /// A memory by its index, imported ones first, exported or not. Throws if there are fewer.
  Memory memory(uint32_t index) const {
    wasm_memory_t *found;
    detail::check(tenon_instance_memory(c(), index, &found));
    wasm::own<wasm::Memory> owned = wasm::make_own(wasm::detail::cc(found));
    return Memory(owned.get());
  }

  /// Makes a memory that the instance defines hold what it held before the start function ran. It keeps its size. Throws if
  /// there is none of the index, or it is imported.
  void reset_memory(uint32_t index = 0) const { detail::check(tenon_instance_reset_memory(c(), index)); }

  /// An exported tag, table or global. Throws if there is none of the name.
  Tag tag(std::string_view name) const;
  Table table(std::string_view name) const;
  Global global(std::string_view name) const;

  /// The number of exports.
  size_t export_count() const noexcept { return parts_->exports.size(); }

  /// The object below.
  wasm::Instance *get() const noexcept { return parts_->instance.get(); }

private:
  friend class Linker;

  struct Parts {
    Store store;
    wasm::own<wasm::Instance> instance;
    std::vector<std::pair<std::string, wasm::own<wasm::Extern>>> exports;
  };
  std::shared_ptr<Parts> parts_;

  const wasm_instance_t *c() const {
    const wasm::Instance *below = parts_->instance.get();
    return wasm::detail::c(below);
  }

  static const wasm_module_t *c(const Module &module) {
    const wasm::Module *below = module.get();
    return wasm::detail::c(below);
  }

  Instance(const Store &store, const Module &module, wasm::Extern *const *imports, size_t count) {
    wasm_extern_vec_t lent = {count, reinterpret_cast<wasm_extern_t **>(const_cast<wasm::Extern **>(imports))};
    wasm_instance_t *made;
    wasm_trap_t *trap;
    tenon_error_t *error = tenon_instance_new(store.c(), c(module), &lent, &made, &trap);
    *this = Instance(store, module, made, trap, error);
  }

  // What an instantiation gave.
  Instance(const Store &store, const Module &module, wasm_instance_t *made, wasm_trap_t *trap, tenon_error_t *error)
      : parts_(std::make_shared<Parts>(Parts{store, nullptr, {}})) {
    parts_->instance = wasm::make_own(wasm::detail::cc(made));
    wasm::own<wasm::Trap> reason = wasm::make_own(wasm::detail::cc(trap));
    if (error != nullptr) {
      if (reason && tenon_error_kind(error) == TENON_ERROR_TRAP) {
        tenon_error_delete(error);
        detail::fail(reason);
      }
      throw Error(error);
    }
    wasm::ownvec<wasm::ExportType> types = module.get()->exports();
    wasm::ownvec<wasm::Extern> exports = parts_->instance->exports();
    for (size_t i = 0; i < types.size() && i < exports.size(); ++i) {
      const wasm::Name &name = types[i]->name();
      parts_->exports.emplace_back(std::string(name.get(), name.size()), std::move(exports[i]));
    }
  }
};

/// Definitions by name, from which imports are taken.
class Linker {
public:
  /// A linker without definitions, for things of this store.
  explicit Linker(const Store &store) : store_(store), linker_(tenon_linker_new(store.c()), tenon_linker_delete) {
    if (!linker_) detail::fail("no linker could be made");
  }

  /// Defines a thing under two names. Throws if there is such a definition, or the thing is of another store.
  void define(std::string_view module, std::string_view name, const wasm::Extern *item) {
    detail::check(tenon_linker_define(
        linker_.get(), module.data(), module.size(), name.data(), name.size(), wasm::detail::c(item)));
  }

  /// Defines a function of the host; see `make_func`.
  template <class F>
  void define_func(std::string_view module, std::string_view name, F callable) {
    define(module, name, make_func(store_, std::move(callable)).get());
  }

  /// Defines each export of an instance under a name and the export's own. Throws if there is such a definition.
  void define_instance(std::string_view name, const Instance &instance) {
    const wasm::Instance *below = instance.get();
    detail::check(tenon_linker_define_instance(linker_.get(), name.data(), name.size(), wasm::detail::c(below)));
  }

  /// What is defined under two names; null if nothing is.
  wasm::own<wasm::Extern> get(std::string_view module, std::string_view name) const {
    return wasm::make_own(
        wasm::detail::cc(tenon_linker_get(linker_.get(), module.data(), module.size(), name.data(), name.size())));
  }

  /// An instance whose imports are the definitions here. Throws as `Instance` does; the error names what is missing.
  Instance instantiate(const Module &module) const {
    wasm_instance_t *made;
    wasm_trap_t *trap;
    tenon_error_t *error = tenon_linker_instantiate(linker_.get(), Instance::c(module), &made, &trap);
    return Instance(store_, module, made, trap, error);
  }

private:
  Store store_;
  std::unique_ptr<tenon_linker_t, void (*)(tenon_linker_t *)> linker_;
};

}  // namespace tenon

#endif  // TENON_INSTANCE_HH
