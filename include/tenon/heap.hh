// tenon/heap.hh: structures, arrays and numbers of 31 bits for C++, as WebAssembly's garbage collection has them.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
//   tenon::DefType pair_type = tenon::DefType::structure({{tenon::ValType::i32(), true}, {tenon::ValType::f64()}});
//   tenon::Struct pair(store, pair_type, {int32_t(1), 2.5});
//   pair.set(0, int32_t(7));
//   func({pair.ref()});

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_HEAP_HH)
#define TENON_HEAP_HH

namespace tenon {

namespace detail {

inline const tenon_val_t *array_of(const std::vector<Value> &values) {
  return reinterpret_cast<const tenon_val_t *>(values.data());
}

inline const Ref &of_heap(const Ref &ref, tenon_heaptype_t heap, const char *message) {
  if (!tenon_ref_test(ref.get(), ValType::ref(heap, false).get())) throw Error(TENON_ERROR_ARGUMENT, message);
  return ref;
}

}  // namespace detail

/// Whether a reference is of a reference type (`ref.test`).
inline bool is_of(const Ref &ref, const ValType &type) { return tenon_ref_test(ref.get(), type.get()); }

/// Casts a reference to a reference type (`ref.cast`): another reference to the same. Throws if it is not of the type.
inline Ref cast(const Ref &ref, const ValType &type) {
  wasm_ref_t *made;
  detail::check(tenon_ref_cast(ref.get(), type.get(), &made));
  return Ref::own(made);
}

/// The most precise type of a reference that is not null.
inline ValType type_of(const Ref &ref) {
  std::unique_ptr<wasm_valtype_t, void (*)(wasm_valtype_t *)> type(tenon_ref_type(ref.get()), wasm_valtype_delete);
  if (!type) detail::fail("a null reference has no type");
  return ValType(static_cast<const wasm_valtype_t *>(type.get()));
}

/// A structure. Copies are references to the same one.
class Struct {
public:
  /// A structure of a type of structures, or of the one that references of a type point to. Throws if the values are not those of
  /// its fields.
  Struct(const Store &store, const DefType &type, const std::vector<Value> &fields) {
    wasm_ref_t *made;
    detail::check(tenon_struct_new(store.c(), type.get(), detail::array_of(fields), fields.size(), &made));
    ref_ = Ref::own(made);
  }

  /// A structure whose fields are all zero or null. Throws if the type of one has no null.
  Struct(const Store &store, const DefType &type) {
    wasm_ref_t *made;
    detail::check(tenon_struct_new_default(store.c(), type.get(), &made));
    ref_ = Ref::own(made);
  }

  /// The structure that a reference is to. Throws if it is to something else.
  explicit Struct(const Ref &ref) : ref_(detail::of_heap(ref, TENON_HEAP_STRUCT, "the reference is not to a structure")) {}

  /// How many fields it has.
  size_t size() const noexcept { return tenon_struct_field_count(ref_.get()); }

  /// A field; a packed one with zeros above. Throws if there is none.
  Value get(size_t index) const {
    tenon_val_t value;
    detail::check(tenon_struct_get(ref_.get(), index, &value));
    return Value::own(value);
  }

  /// The number or vector in a field. Throws if it is of another kind than T's.
  template <class T>
  T get(size_t index) const {
    return get(index).template get<T>();
  }

  /// A packed field as a signed number.
  int32_t get_s(size_t index) const {
    tenon_val_t value;
    detail::check(tenon_struct_get_s(ref_.get(), index, &value));
    return Value::own(value).get<int32_t>();
  }

  /// Replaces a field. Throws if it is constant, or the value of another type.
  void set(size_t index, const Value &value) const { detail::check(tenon_struct_set(ref_.get(), index, value.c())); }

  /// The reference to it.
  const Ref &ref() const noexcept { return ref_; }

private:
  Ref ref_;
};

/// An array. Copies are references to the same one.
class Array {
public:
  /// An array of a type of arrays, or of the one that references of a type point to: so many elements, all the same.
  Array(const Store &store, const DefType &type, uint32_t size, const Value &init)
      : ref_(made(store, type, init.c(), size)) {}

  /// An array of so many elements, all zero or null. Throws if their type has no null.
  static Array zeros(const Store &store, const DefType &type, uint32_t size) {
    return Array(made(store, type, nullptr, size));
  }

  /// An array of these elements.
  Array(const Store &store, const DefType &type, const std::vector<Value> &elements) {
    wasm_ref_t *made;
    detail::check(tenon_array_new_fixed(store.c(), type.get(), detail::array_of(elements), elements.size(), &made));
    ref_ = Ref::own(made);
  }

  /// The array that a reference is to. Throws if it is to something else.
  explicit Array(const Ref &ref) : ref_(detail::of_heap(ref, TENON_HEAP_ARRAY, "the reference is not to an array")) {}

  /// How many elements it has.
  uint32_t size() const noexcept { return tenon_array_len(ref_.get()); }

  /// An element; a packed one with zeros above. Throws if there is none.
  Value get(uint32_t index) const {
    tenon_val_t value;
    detail::check(tenon_array_get(ref_.get(), index, &value));
    return Value::own(value);
  }

  /// The number or vector in an element. Throws if it is of another kind than T's.
  template <class T>
  T get(uint32_t index) const {
    return get(index).template get<T>();
  }

  /// A packed element as a signed number.
  int32_t get_s(uint32_t index) const {
    tenon_val_t value;
    detail::check(tenon_array_get_s(ref_.get(), index, &value));
    return Value::own(value).get<int32_t>();
  }

  /// Replaces an element. Throws if elements are constant, or the value is of another type.
  void set(uint32_t index, const Value &value) const { detail::check(tenon_array_set(ref_.get(), index, value.c())); }

  /// Replaces `count` elements from `start` on. Throws, and replaces none, if there are not as many.
  void fill(uint32_t start, const Value &value, uint32_t count) const {
    detail::check(tenon_array_fill(ref_.get(), start, value.c(), count));
  }

  /// Copies elements from another array, or within this one. Throws, and copies none, if either has not as many.
  void copy(uint32_t start, const Array &source, uint32_t source_start, uint32_t count) const {
    detail::check(tenon_array_copy(ref_.get(), start, source.ref_.get(), source_start, count));
  }

  /// The reference to it.
  const Ref &ref() const noexcept { return ref_; }

private:
  Ref ref_;

  static Ref made(const Store &store, const DefType &type, const tenon_val_t *init, uint32_t size) {
    wasm_ref_t *made;
    detail::check(tenon_array_new(store.c(), type.get(), init, size, &made));
    return Ref::own(made);
  }
};

/// A number of 31 bits as a reference: the lowest ones of a value.
inline Ref make_i31(const Store &store, int32_t value) {
  wasm_ref_t *made;
  detail::check(tenon_i31_new(store.c(), value, &made));
  return Ref::own(made);
}

/// The number that a reference is, as a signed one. Throws if it is to something else.
inline int32_t get_i31(const Ref &ref) {
  return tenon_i31_get_s(detail::of_heap(ref, TENON_HEAP_I31, "the reference is not a number of 31 bits").get());
}

/// `get_i31` with a zero above the 31 bits.
inline uint32_t get_i31_u(const Ref &ref) {
  return tenon_i31_get_u(detail::of_heap(ref, TENON_HEAP_I31, "the reference is not a number of 31 bits").get());
}

}  // namespace tenon

#endif  // TENON_HEAP_HH
