// tenon/heap.hh: what WebAssembly's collector manages, for C++: structures, arrays, numbers of 31 bits.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
//   auto point = tenon::DefType::structure({{tenon::ValType::f64(), true}, {tenon::ValType::f64(), true}});
//   tenon::Struct origin(store, point, {0.0, 0.0});
//   origin.set(0, 1.5);

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_HEAP_HH)
#define TENON_HEAP_HH

namespace tenon {

/// A field of a structure, or what the elements of an array are like.
struct Field {
  /// The type of its value: `i32` if it is packed.
  ValType type;
  /// Whether it may be set.
  bool is_mutable = false;
  /// How it is kept: one of `TENON_UNPACKED`, `TENON_I8`, `TENON_I16`.
  uint8_t packing = TENON_UNPACKED;
};

/// A type of structures or arrays.
class DefType {
public:
  /// A type of structures with these fields, below another type, if there is one.
  static DefType structure(const std::vector<Field> &fields, const DefType *supertype = nullptr, bool is_final = true) {
    return declare(TENON_DEF_STRUCT, fields, supertype, is_final);
  }

  /// A type of arrays with such elements.
  static DefType array(const Field &element, const DefType *supertype = nullptr, bool is_final = true) {
    return declare(TENON_DEF_ARRAY, {element}, supertype, is_final);
  }

  /// The type of what references of a type are to. Throws if it is not that precise.
  explicit DefType(const ValType &type) : DefType(tenon_valtype_deftype(type.get())) {}

  DefType(const DefType &that) : DefType(tenon_deftype_copy(that.get())) {}
  DefType(DefType &&) = default;
  DefType &operator=(DefType that) noexcept {
    type_ = std::move(that.type_);
    return *this;
  }

  /// What it defines: one of `TENON_DEF_...`.
  tenon_defkind_t kind() const noexcept { return tenon_deftype_kind(get()); }

  /// The fields of a structure; of an array one, for the elements.
  std::vector<Field> fields() const {
    std::vector<Field> fields;
    tenon_field_t field;
    for (size_t i = 0; tenon_deftype_field(get(), i, &field); ++i) {
      std::unique_ptr<wasm_valtype_t, void (*)(wasm_valtype_t *)> owned(field.type, wasm_valtype_delete);
      fields.push_back({ValType(static_cast<const wasm_valtype_t *>(field.type)), field.is_mutable, field.packing});
    }
    return fields;
  }

  /// Whether what has this type has the other, too.
  bool matches(const DefType &other) const noexcept { return tenon_deftype_matches(get(), other.get()); }

  bool operator==(const DefType &other) const noexcept { return tenon_deftype_same(get(), other.get()); }
  bool operator!=(const DefType &other) const noexcept { return !(*this == other); }

  /// The type of references to what has the type.
  ValType ref(bool nullable = true) const {
    std::unique_ptr<wasm_valtype_t, void (*)(wasm_valtype_t *)> made(tenon_valtype_new_ref_to(nullable, get()), wasm_valtype_delete);
    return ValType(static_cast<const wasm_valtype_t *>(made.get()));
  }

  /// The object below.
  const tenon_deftype_t *get() const noexcept { return type_.get(); }

private:
  std::unique_ptr<tenon_deftype_t, void (*)(tenon_deftype_t *)> type_;

  explicit DefType(tenon_deftype_t *owned) : type_(owned, tenon_deftype_delete) {
    if (owned == nullptr) throw Error(TENON_ERROR_ARGUMENT, "the type is not that of a function, structure or array");
  }

  static DefType declare(tenon_defkind_t kind, const std::vector<Field> &fields, const DefType *supertype, bool is_final) {
    std::vector<tenon_field_t> lent;
    for (const Field &field : fields) lent.push_back({const_cast<wasm_valtype_t *>(field.type.get()), field.packing, field.is_mutable});
    tenon_subtype_t type = {kind, is_final, supertype != nullptr ? supertype->get() : nullptr, nullptr, lent.data(), lent.size()};
    tenon_deftype_t *made;
    detail::check(tenon_deftype_new_group(&type, 1, &made));
    return DefType(made);
  }
};

/// Whether a reference is of a reference type: what `ref.test` answers.
inline bool is_a(const Ref &ref, const ValType &type) noexcept { return tenon_ref_test(ref.get(), type.get()); }

/// A reference to a number of 31 bits: the lowest ones.
inline Ref make_i31(const Store &store, int32_t value) {
  wasm_ref_t *made;
  detail::check(tenon_i31_new(store.c(), value, &made));
  return Ref::own(made);
}

/// The number of 31 bits that a reference is to, with its sign. Throws if it is to something else.
inline int32_t i31_of(const Ref &ref) {
  if (!is_a(ref, ValType::ref(TENON_HEAP_I31, false))) throw Error(TENON_ERROR_ARGUMENT, "the reference is to no number of 31 bits");
  return tenon_i31_get_s(ref.get());
}

namespace detail {

// A reference to an object of a heap type.
class Object {
public:
  /// The reference.
  const Ref &ref() const noexcept { return ref_; }

  /// The reference as a value.
  operator Value() const noexcept { return Value(ref_); }

  /// Whether both refer to the same object.
  bool same(const Object &other) const noexcept { return ref_.same(other.ref_); }

  /// The type.
  DefType type() const {
    std::unique_ptr<wasm_valtype_t, void (*)(wasm_valtype_t *)> type(tenon_ref_type(ref_.get()), wasm_valtype_delete);
    return DefType(ValType(static_cast<const wasm_valtype_t *>(type.get())));
  }

protected:
  Object(const Ref &ref, tenon_heaptype_t heap, const char *what) : ref_(ref) {
    if (!is_a(ref, ValType::ref(heap, false))) throw Error(TENON_ERROR_ARGUMENT, std::string("the reference is to no ") + what);
  }

  wasm_ref_t *get() const noexcept { return ref_.get(); }

  static const tenon_val_t *array(const std::vector<Value> &values) { return reinterpret_cast<const tenon_val_t *>(values.data()); }

  static Ref made(tenon_error_t *error, wasm_ref_t *const &out) {
    check(error);
    return Ref::own(out);
  }

  static Value read(tenon_error_t *error, const tenon_val_t &value) {
    check(error);
    return Value::own(value);
  }

private:
  Ref ref_;
};

}  // namespace detail

/// A structure. Copies are references to the same one.
class Struct : public detail::Object {
public:
  /// A structure with these values of its fields, or with zero and null in all of them.
  Struct(const Store &store, const DefType &type, const std::vector<Value> &fields) : Struct(make(store, type, &fields)) {}
  Struct(const Store &store, const DefType &type) : Struct(make(store, type, nullptr)) {}

  /// The structure that a reference is to. Throws if it is to something else.
  explicit Struct(const Ref &ref) : Object(ref, TENON_HEAP_STRUCT, "structure") {}

  /// The number of fields.
  size_t size() const noexcept { return tenon_struct_field_count(Object::get()); }

  /// The value of a field; a packed one with zeros above. Throws if there are fewer.
  Value get(size_t index) const {
    tenon_val_t value;
    tenon_error_t *error = tenon_struct_get(Object::get(), index, &value);
    return read(error, value);
  }

  /// A packed field as a signed number.
  int32_t get_signed(size_t index) const {
    tenon_val_t value;
    tenon_error_t *error = tenon_struct_get_s(Object::get(), index, &value);
    return read(error, value).get<int32_t>();
  }

  /// Replaces the value of a field. Throws if it is constant, or the value of another type.
  void set(size_t index, const Value &value) const { detail::check(tenon_struct_set(Object::get(), index, value.c())); }

private:
  static Ref make(const Store &store, const DefType &type, const std::vector<Value> *fields) {
    wasm_ref_t *out;
    tenon_error_t *error = fields != nullptr
                               ? tenon_struct_new(store.c(), type.get(), array(*fields), fields->size(), &out)
                               : tenon_struct_new_default(store.c(), type.get(), &out);
    return made(error, out);
  }
};

/// An array. Copies are references to the same one.
class Array : public detail::Object {
public:
  /// An array of these elements.
  Array(const Store &store, const DefType &type, const std::vector<Value> &elements) : Array(make(store, type, elements)) {}

  /// An array of so many elements, all the same.
  Array(const Store &store, const DefType &type, uint32_t length, const Value &element)
      : Array(make(store, type, length, element)) {}

  /// The array that a reference is to. Throws if it is to something else.
  explicit Array(const Ref &ref) : Object(ref, TENON_HEAP_ARRAY, "array") {}

  /// The number of elements.
  uint32_t size() const noexcept { return tenon_array_len(Object::get()); }

  /// An element; a packed one with zeros above. Throws if there are fewer.
  Value get(uint32_t index) const {
    tenon_val_t value;
    tenon_error_t *error = tenon_array_get(Object::get(), index, &value);
    return read(error, value);
  }

  /// A packed element as a signed number.
  int32_t get_signed(uint32_t index) const {
    tenon_val_t value;
    tenon_error_t *error = tenon_array_get_s(Object::get(), index, &value);
    return read(error, value).get<int32_t>();
  }

  /// Replaces an element. Throws if there are fewer, elements are constant, or the value of another type.
  void set(uint32_t index, const Value &value) const { detail::check(tenon_array_set(Object::get(), index, value.c())); }

  /// Replaces elements by a value. Throws, and replaces none, if there are fewer.
  void fill(uint32_t start, const Value &value, uint32_t count) const {
    detail::check(tenon_array_fill(Object::get(), start, value.c(), count));
  }

  /// Copies elements of an array, which may be this one, to here. Throws, and copies none, if there are fewer.
  void copy_from(uint32_t start, const Array &source, uint32_t source_start, uint32_t count) const {
    detail::check(tenon_array_copy(Object::get(), start, source.ref().get(), source_start, count));
  }

private:
  static Ref make(const Store &store, const DefType &type, const std::vector<Value> &elements) {
    wasm_ref_t *out;
    tenon_error_t *error = tenon_array_new_fixed(store.c(), type.get(), array(elements), elements.size(), &out);
    return made(error, out);
  }

  static Ref make(const Store &store, const DefType &type, uint32_t length, const Value &element) {
    wasm_ref_t *out;
    tenon_error_t *error = tenon_array_new(store.c(), type.get(), element.c(), length, &out);
    return made(error, out);
  }
};

}  // namespace tenon

#endif  // TENON_HEAP_HH
