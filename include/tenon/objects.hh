// tenon/objects.hh: tables and globals of every type for C++.
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

/// The type of a table. Sizes are in elements.
struct TableType {
  /// What its elements are.
  ValType element;
  /// The least size, and the greatest.
  uint64_t min = 0;
  std::optional<uint64_t> max = std::nullopt;
  /// Whether indices have 64 bits, else 32.
  bool is64 = false;
};

/// A table of references. Copies are references to the same table.
class Table {
public:
  /// A table of a type, whose elements are all the same.
  Table(const Store &store, const TableType &type, const Ref &init = Ref())
      : Table(store, type.element, type.min, type.max, init, type.is64) {}

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

  /// The type, with the size that the table has now as its minimum.
  TableType type() const {
    std::unique_ptr<wasm_tabletype_t, void (*)(wasm_tabletype_t *)> type(wasm_table_type(c()), wasm_tabletype_delete);
    TableType made{ValType(wasm_tabletype_element(type.get())), tenon_tabletype_minimum(type.get()), std::nullopt,
                   tenon_tabletype_is64(type.get())};
    uint64_t max;
    if (tenon_tabletype_maximum(type.get(), &max)) made.max = max;
    return made;
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

  /// The type of its value.
  ValType type() const { return ValType(wasm_globaltype_content(globaltype().get())); }

  /// Whether it may be set.
  bool is_mutable() const { return wasm_globaltype_mutability(globaltype().get()) == WASM_VAR; }

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

  std::unique_ptr<wasm_globaltype_t, void (*)(wasm_globaltype_t *)> globaltype() const {
    return {wasm_global_type(c()), wasm_globaltype_delete};
  }
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
