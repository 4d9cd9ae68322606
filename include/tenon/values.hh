// tenon/values.hh: values of every type for C++: vectors, references, exceptions, and functions that take any of them.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
//   tenon::Tag tag(store, {tenon::ValType::i32()});
//   auto fail = tenon::make_func(store, [tag](int32_t n) { throw tenon::WasmException(tag, {n}); });

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_VALUES_HH)
#define TENON_VALUES_HH

namespace tenon {

////////////////////////////////////////////////////////////////////////////////////////////////
// Types

class DefType;

/// The type of a value, references of every kind among them.
class ValType {
public:
  /// The type of numbers or of vectors.
  static ValType i32() { return ValType(wasm_valtype_new(WASM_I32)); }
  static ValType i64() { return ValType(wasm_valtype_new(WASM_I64)); }
  static ValType f32() { return ValType(wasm_valtype_new(WASM_F32)); }
  static ValType f64() { return ValType(wasm_valtype_new(WASM_F64)); }
  static ValType v128() { return ValType(wasm_valtype_new(TENON_V128)); }
  /// The type of references to anything of a hierarchy, and null.
  static ValType funcref() { return ref(TENON_HEAP_FUNC); }
  static ValType externref() { return ref(TENON_HEAP_EXTERN); }
  static ValType anyref() { return ref(TENON_HEAP_ANY); }
  static ValType exnref() { return ref(TENON_HEAP_EXN); }

  /// The type of references to a heap type, one of `TENON_HEAP_...` but `TENON_HEAP_DEFINED`.
  static ValType ref(tenon_heaptype_t heap, bool nullable = true) { return ValType(tenon_valtype_new_ref(nullable, heap)); }

  /// The type of references to what has a defined type.
  static ValType ref(const DefType &type, bool nullable = true);

  /// The type of references to a type that is still being declared: the one at this place, of this kind, one of `TENON_DEF_...`, in
  /// the group to which the new type is given (`DefType::declare`). It has no meaning elsewhere.
  static ValType in_group(uint32_t place, tenon_defkind_t kind, bool nullable = true) {
    return ValType(tenon_valtype_new_ref_in_group(nullable, place, kind));
  }

  /// A type of wasm.h, which is copied.
  explicit ValType(const wasm_valtype_t *type) : ValType(wasm_valtype_copy(type)) {}

  ValType(const ValType &that) : ValType(that.get()) {}
  ValType(ValType &&) = default;
  ValType &operator=(ValType that) noexcept {
    type_ = std::move(that.type_);
    return *this;
  }

  /// The kind of its values: one of `WASM_...` and `TENON_V128`, `TENON_ANYREF`, `TENON_EXNREF`.
  wasm_valkind_t kind() const noexcept { return tenon_valtype_kind(get()); }

  /// Whether it is a type of references, and whether null is one of them.
  bool is_ref() const noexcept { return tenon_valtype_is_ref(get()); }
  bool is_nullable() const noexcept { return tenon_valtype_is_nullable(get()); }

  /// What references of the type point to: one of `TENON_HEAP_...`; `DefType` tells which defined type it is.
  tenon_heaptype_t heap() const noexcept { return tenon_valtype_heap(get()); }

  /// Whether values of this type are values of the other, too.
  bool matches(const ValType &other) const noexcept { return tenon_valtype_matches(get(), other.get()); }

  bool operator==(const ValType &other) const noexcept { return matches(other) && other.matches(*this); }
  bool operator!=(const ValType &other) const noexcept { return !(*this == other); }

  /// The name in the text format.
  std::string name() const { return detail::name_of(get()); }

  /// The object below.
  const wasm_valtype_t *get() const noexcept { return type_.get(); }

private:
  std::unique_ptr<wasm_valtype_t, void (*)(wasm_valtype_t *)> type_;

  explicit ValType(wasm_valtype_t *owned) : type_(owned, wasm_valtype_delete) {
    if (owned == nullptr) throw Error(TENON_ERROR_ARGUMENT, "no type of values is of this kind");
  }
};

namespace detail {

inline wasm_valtype_vec_t vec_of(const std::vector<ValType> &types) {
  wasm_valtype_vec_t vec;
  wasm_valtype_vec_new_uninitialized(&vec, types.size());
  for (size_t i = 0; i < vec.size; ++i) vec.data[i] = wasm_valtype_copy(types[i].get());
  return vec;
}

inline std::vector<ValType> types_in(const wasm_valtype_vec_t *vec) {
  std::vector<ValType> types;
  for (size_t i = 0; i < vec->size; ++i) types.emplace_back(static_cast<const wasm_valtype_t *>(vec->data[i]));
  return types;
}

using OwnFuncType = std::unique_ptr<wasm_functype_t, void (*)(wasm_functype_t *)>;

inline OwnFuncType functype_of(const std::vector<ValType> &params, const std::vector<ValType> &results) {
  wasm_valtype_vec_t from = vec_of(params), to = vec_of(results);
  return OwnFuncType(wasm_functype_new(&from, &to), wasm_functype_delete);
}

}  // namespace detail

////////////////////////////////////////////////////////////////////////////////////////////////
// References

/// A reference to an object of a store, or null. Copies are references to the same object.
class Ref {
public:
  /// Null.
  Ref() noexcept = default;

  /// Takes over a reference of `wasm.h`.
  static Ref own(wasm_ref_t *ref) { return Ref(ref); }

  /// Another reference to what an object of `wasm.hh` is or refers to.
  explicit Ref(const wasm::Ref *ref) : ref_(wasm_ref_copy(wasm::detail::c(ref)), Delete()) {}

  Ref(const Ref &that) : ref_(wasm_ref_copy(that.get()), Delete()) {}
  Ref(Ref &&) = default;
  Ref &operator=(Ref that) noexcept {
    ref_ = std::move(that.ref_);
    return *this;
  }

  /// Whether it is not null.
  explicit operator bool() const noexcept { return ref_ != nullptr; }

  /// Whether both refer to the same object, or are null.
  bool same(const Ref &other) const noexcept { return wasm_ref_same(get(), other.get()); }

  /// The object below, which stays this reference's.
  wasm_ref_t *get() const noexcept { return ref_.get(); }

  /// A C++ value as an externref: the value lives as long as somebody refers to it.
  template <class T>
  static Ref of(const Store &store, T value) {
    wasm_foreign_t *foreign = wasm_foreign_new(store.c());
    if (foreign == nullptr) detail::fail("no reference could be made");
    auto *box = new Box<T>(std::move(value));
    boxes().add(box, &Box<T>::tag);
    wasm_foreign_set_host_info_with_finalizer(foreign, box, [](void *info) {
      boxes().remove(info);
      delete static_cast<Box<T> *>(info);
    });
    return Ref(wasm_foreign_as_ref(foreign));
  }

  /// The C++ value that it refers to; null if it was not made by `of` from a value of this type.
  template <class T>
  T *value() const noexcept {
    void *info = wasm_foreign_get_host_info(wasm_ref_as_foreign(get()));
    return boxes().has(info, &Box<T>::tag) ? &static_cast<Box<T> *>(info)->value : nullptr;
  }

private:
  struct Delete {
    void operator()(wasm_ref_t *ref) const noexcept { wasm_ref_delete(ref); }
  };
  std::unique_ptr<wasm_ref_t, Delete> ref_;

  explicit Ref(wasm_ref_t *owned) : ref_(owned) {}

  template <class T>
  struct Box {
    T value;
    explicit Box(T given) : value(std::move(given)) {}
    // Its address tells types apart.
    static inline const char tag = 0;
  };

  // The boxes there are: host information of others is never taken for one.
  class Boxes {
  public:
    void add(void *box, const void *tag) {
      std::lock_guard<std::mutex> lock(mutex_);
      tags_[box] = tag;
    }
    void remove(void *box) {
      std::lock_guard<std::mutex> lock(mutex_);
      tags_.erase(box);
    }
    bool has(void *box, const void *tag) {
      std::lock_guard<std::mutex> lock(mutex_);
      auto found = tags_.find(box);
      return found != tags_.end() && found->second == tag;
    }

  private:
    std::mutex mutex_;
    std::unordered_map<void *, const void *> tags_;
  };

  // Never deleted: objects may die after everything else has.
  static Boxes &boxes() {
    static Boxes *boxes = new Boxes;
    return *boxes;
  }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Values

/// A value of any type. It owns its reference, if it has one.
class Value {
public:
  /// The null reference.
  Value() noexcept : Value(Ref()) {}

  Value(int32_t value) noexcept { put(WASM_I32).i32 = value; }
  Value(uint32_t value) noexcept { put(WASM_I32).i32 = static_cast<int32_t>(value); }
  Value(int64_t value) noexcept { put(WASM_I64).i64 = value; }
  Value(uint64_t value) noexcept { put(WASM_I64).i64 = static_cast<int64_t>(value); }
  Value(float value) noexcept { put(WASM_F32).f32 = value; }
  Value(double value) noexcept { put(WASM_F64).f64 = value; }
  Value(const V128 &value) noexcept { std::copy(value.begin(), value.end(), put(TENON_V128).v128); }
  /// A reference of whatever type.
  Value(const Ref &ref) noexcept { put(WASM_EXTERNREF).ref = wasm_ref_copy(ref.get()); }
  /// A function as a reference.
  Value(const wasm::Func *func) noexcept : Value(Ref(static_cast<const wasm::Ref *>(func))) {}
  template <class Signature>
  Value(const TypedFunc<Signature> &func) noexcept : Value(static_cast<const wasm::Func *>(func.get())) {}
  /// A reference to what has one: a `Func`, a `Struct`, an `Array`, a `WasmException`.
  template <class T, class = std::enable_if_t<std::is_convertible_v<decltype(std::declval<const T &>().ref()), Ref> &&
                                              !std::is_same_v<T, Value>>>
  Value(const T &object) : Value(Ref(object.ref())) {}

  Value(const Value &that) noexcept { tenon_val_copy(&val_, &that.val_); }
  Value(Value &&that) noexcept : val_(that.val_) { that.put(WASM_EXTERNREF).ref = nullptr; }
  Value &operator=(Value that) noexcept {
    std::swap(val_, that.val_);
    return *this;
  }
  ~Value() { tenon_val_delete(&val_); }

  /// The kind: one of `WASM_...` and `TENON_V128`, `TENON_ANYREF`, `TENON_EXNREF`.
  wasm_valkind_t kind() const noexcept { return val_.kind; }

  /// The number or vector. Throws if it is of another kind than T's.
  template <class T>
  T get() const {
    tenon_raw_t raw;
    static_assert(sizeof raw == sizeof val_.of, "values are alike with and without their kind");
    if (val_.kind != static_cast<wasm_valkind_t>(detail::Crossing<T>::kind)) throw Error(TENON_ERROR_ARGUMENT, "the value is of another kind");
    std::memcpy(&raw, &val_.of, sizeof raw);
    return detail::Crossing<T>::get(raw);
  }

  /// The reference. Throws if it is a number or a vector.
  Ref ref() const {
    if (val_.kind <= TENON_V128) throw Error(TENON_ERROR_ARGUMENT, "the value is no reference");
    return Ref::own(wasm_ref_copy(val_.of.ref));
  }

  /// The object below.
  const tenon_val_t *c() const noexcept { return &val_; }

  /// Takes over a value of `tenon.h`.
  static Value own(const tenon_val_t &val) noexcept {
    Value value;
    value.val_ = val;
    return value;
  }

  /// Gives the value below away.
  tenon_val_t release() noexcept {
    tenon_val_t val = val_;
    put(WASM_EXTERNREF).ref = nullptr;
    return val;
  }

private:
  tenon_val_t val_ = {};

  decltype(tenon_val_t::of) &put(wasm_valkind_t kind) noexcept {
    val_.kind = kind;
    return val_.of;
  }
};

static_assert(sizeof(Value) == sizeof(tenon_val_t), "an array of values is one of tenon_val_t");

////////////////////////////////////////////////////////////////////////////////////////////////
// Functions of any type

/// A function that takes and gives values of any type, all of which are checked. `TypedFunc` is much faster.
class Func {
public:
  /// What a function of the host does: as many results as its type has.
  using Callable = std::function<std::vector<Value>(const std::vector<Value> &)>;

  /// Another reference to a function.
  explicit Func(const wasm::Func *func) {
    if (func == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no function");
    func_ = std::shared_ptr<wasm::Func>(func->copy().release(), wasm::destroyer());
  }

  /// The function that a reference is to. Throws if it is to something else.
  explicit Func(const Ref &ref) : Func(static_cast<const wasm::Func *>(wasm::detail::cc(wasm_ref_as_func(ref.get())))) {}

  /// A function of the host. What the callable throws comes out at the caller of the WebAssembly code that called it; a
  /// `WasmException` is thrown there.
  Func(const Store &store, const std::vector<ValType> &params, const std::vector<ValType> &results, Callable callable) {
    auto type = detail::functype_of(params, results);
    auto kept = std::make_unique<Kept>(Kept{std::move(callable), store.c()});
    wasm_func_t *made;
    detail::check(tenon_func_new_val(
        store.c(), type.get(), enter, kept.get(), [](void *env) { delete static_cast<Kept *>(env); }, &made));
    kept.release();
    func_ = std::shared_ptr<wasm::Func>(wasm::detail::cc(made), wasm::destroyer());
  }

  /// The types of the parameters, and of the results.
  std::vector<ValType> params() const { return detail::types_in(wasm_functype_params(wasm::detail::c(func_->type().get()))); }
  std::vector<ValType> results() const { return detail::types_in(wasm_functype_results(wasm::detail::c(func_->type().get()))); }

  /// Calls the function. Throws `TrapError`, a `WasmException` among them, or what a function of the host threw.
  std::vector<Value> operator()(const std::vector<Value> &args) const {
    std::vector<tenon_val_t> results(func_->result_arity());
    const wasm::Func *func = func_.get();
    auto trap = wasm::make_own(wasm::detail::cc(tenon_func_call_val(wasm::detail::c(func),
        reinterpret_cast<const tenon_val_t *>(args.data()), args.size(), results.data(), results.size())));
    if (trap) detail::fail(trap);
    std::vector<Value> values;
    values.reserve(results.size());
    for (const tenon_val_t &result : results) values.push_back(Value::own(result));
    return values;
  }

  /// The object below.
  wasm::Func *get() const noexcept { return func_.get(); }

  /// A reference to it.
  Ref ref() const { return Ref(static_cast<const wasm::Ref *>(func_.get())); }

private:
  struct Kept {
    Callable callable;
    wasm_store_t *store;
  };
  std::shared_ptr<wasm::Func> func_;

  static wasm_trap_t *enter(void *env, const wasm_func_t *, const tenon_val_t *args, size_t arg_count, tenon_val_t *results,
                            size_t result_count) {
    Kept *kept = static_cast<Kept *>(env);
    try {
      std::vector<Value> given;
      given.reserve(arg_count);
      for (size_t i = 0; i < arg_count; ++i) {
        tenon_val_t copy;
        tenon_val_copy(&copy, &args[i]);
        given.push_back(Value::own(copy));
      }
      std::vector<Value> made = kept->callable(given);
      if (made.size() != result_count) {
        throw Error(TENON_ERROR_ARGUMENT, "a function of the host returned " + std::to_string(made.size()) +
                                              " results, expected " + std::to_string(result_count));
      }
      for (size_t i = 0; i < result_count; ++i) results[i] = made[i].release();
      return nullptr;
    } catch (...) {
      return detail::thrown(kept->store);
    }
  }
};

}  // namespace tenon

#endif  // TENON_VALUES_HH
