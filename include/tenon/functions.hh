// tenon/functions.hh: functions whose type is known at compile time.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_FUNCTIONS_HH)
#define TENON_FUNCTIONS_HH

namespace tenon {

////////////////////////////////////////////////////////////////////////////////////////////////
// Types of values

/// A vector of 128 bits, little-endian.
using V128 = std::array<uint8_t, 16>;

namespace detail {

// The kind of a C++ type, and its member of a raw value. Only the types below cross the boundary.
template <class T>
struct Crossing;

template <>
struct Crossing<int32_t> {
  static constexpr wasm::ValKind kind = wasm::ValKind::I32;
  static void put(tenon_raw_t &raw, int32_t value) { raw.i32 = value; }
  static int32_t get(const tenon_raw_t &raw) { return raw.i32; }
};
template <>
struct Crossing<uint32_t> {
  static constexpr wasm::ValKind kind = wasm::ValKind::I32;
  static void put(tenon_raw_t &raw, uint32_t value) { raw.i32 = static_cast<int32_t>(value); }
  static uint32_t get(const tenon_raw_t &raw) { return static_cast<uint32_t>(raw.i32); }
};
template <>
struct Crossing<int64_t> {
  static constexpr wasm::ValKind kind = wasm::ValKind::I64;
  static void put(tenon_raw_t &raw, int64_t value) { raw.i64 = value; }
  static int64_t get(const tenon_raw_t &raw) { return raw.i64; }
};
template <>
struct Crossing<uint64_t> {
  static constexpr wasm::ValKind kind = wasm::ValKind::I64;
  static void put(tenon_raw_t &raw, uint64_t value) { raw.i64 = static_cast<int64_t>(value); }
  static uint64_t get(const tenon_raw_t &raw) { return static_cast<uint64_t>(raw.i64); }
};
template <>
struct Crossing<float> {
  static constexpr wasm::ValKind kind = wasm::ValKind::F32;
  static void put(tenon_raw_t &raw, float value) { raw.f32 = value; }
  static float get(const tenon_raw_t &raw) { return raw.f32; }
};
template <>
struct Crossing<double> {
  static constexpr wasm::ValKind kind = wasm::ValKind::F64;
  static void put(tenon_raw_t &raw, double value) { raw.f64 = value; }
  static double get(const tenon_raw_t &raw) { return raw.f64; }
};

template <>
struct Crossing<V128> {
  static constexpr wasm::ValKind kind = static_cast<wasm::ValKind>(TENON_V128);
  static void put(tenon_raw_t &raw, const V128 &value) { std::copy(value.begin(), value.end(), raw.v128); }
  static V128 get(const tenon_raw_t &raw) {
    V128 value;
    std::copy(raw.v128, raw.v128 + value.size(), value.begin());
    return value;
  }
};

template <class... Ts>
wasm::ownvec<wasm::ValType> types_of() {
  wasm::ownvec<wasm::ValType> types = wasm::ownvec<wasm::ValType>::make_uninitialized(sizeof...(Ts));
  size_t i = 0;
  ((types[i++] = wasm::ValType::make(Crossing<Ts>::kind)), ...);
  return types;
}

// What a function returns: nothing, one value, or several as a tuple.
template <class R>
struct Results {
  static constexpr size_t count = 1;
  static wasm::ownvec<wasm::ValType> types() { return types_of<R>(); }
  static void put(tenon_raw_t *raw, R value) { Crossing<R>::put(raw[0], value); }
  static R get(const tenon_raw_t *raw) { return Crossing<R>::get(raw[0]); }
};
template <>
struct Results<void> {
  static constexpr size_t count = 0;
  static wasm::ownvec<wasm::ValType> types() { return types_of<>(); }
  static void get(const tenon_raw_t *) {}
};
template <class... Rs>
struct Results<std::tuple<Rs...>> {
  static constexpr size_t count = sizeof...(Rs);
  static wasm::ownvec<wasm::ValType> types() { return types_of<Rs...>(); }
  static void put(tenon_raw_t *raw, const std::tuple<Rs...> &values) {
    std::apply([&](const Rs &...each) { ((Crossing<Rs>::put(*raw++, each)), ...); }, values);
  }
  static std::tuple<Rs...> get(const tenon_raw_t *raw) { return get(raw, std::index_sequence_for<Rs...>()); }

private:
  template <size_t... I>
  static std::tuple<Rs...> get(const tenon_raw_t *raw, std::index_sequence<I...>) {
    return std::tuple<Rs...>(Crossing<Rs>::get(raw[I])...);
  }
};

// The name of a type in the text format.
inline std::string name_of(const wasm_valtype_t *type) {
  if (!tenon_valtype_is_ref(type)) {
    static const char *const numbers[] = {"i32", "i64", "f32", "f64", "v128"};
    return numbers[std::min<wasm_valkind_t>(tenon_valtype_kind(type), TENON_V128)];
  }
  static const char *const heaps[] = {"func", "nofunc", "extern", "noextern", "any", "eq", "i31",
                                      "struct", "array", "none", "exn", "noexn", "$type"};
  std::string heap = heaps[std::min<tenon_heaptype_t>(tenon_valtype_heap(type), TENON_HEAP_DEFINED)];
  if (!tenon_valtype_is_nullable(type)) return "(ref " + heap + ")";
  bool top = heap == "func" || heap == "extern" || heap == "any" || heap == "exn";
  return top ? heap + "ref" : "(ref null " + heap + ")";
}

inline std::string text_of(const wasm::FuncType *type) {
  auto list = [](const wasm::ownvec<wasm::ValType> &types) {
    std::string text = "(";
    for (size_t i = 0; i < types.size(); ++i) {
      const wasm::ValType *each = types[i].get();
      text += std::string(i != 0 ? ", " : "") + name_of(wasm::detail::c(each));
    }
    return text + ")";
  };
  return list(type->params()) + " -> " + list(type->results());
}

// The parts of a signature, and how a callable is called with raw values.
template <class Signature>
struct Signed;
template <class R, class... Args>
struct Signed<R(Args...)> {
  static constexpr size_t room = std::max<size_t>({sizeof...(Args), Results<R>::count, 1});

  static wasm::own<wasm::FuncType> type() { return wasm::FuncType::make(types_of<Args...>(), Results<R>::types()); }

  template <class F>
  static void invoke(F &f, tenon_raw_t *raw) {
    invoke(f, raw, std::index_sequence_for<Args...>());
  }

private:
  template <class F, size_t... I>
  static void invoke(F &f, [[maybe_unused]] tenon_raw_t *raw, std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) {
      f(Crossing<Args>::get(raw[I])...);
    } else {
      Results<R>::put(raw, f(Crossing<Args>::get(raw[I])...));
    }
  }
};

// The signature of a callable.
template <class F>
struct SignatureOf : SignatureOf<decltype(&F::operator())> {};
template <class R, class... Args>
struct SignatureOf<R (*)(Args...)> {
  using type = R(Args...);
};
template <class C, class R, class... Args>
struct SignatureOf<R (C::*)(Args...)> {
  using type = R(Args...);
};
template <class C, class R, class... Args>
struct SignatureOf<R (C::*)(Args...) const> {
  using type = R(Args...);
};

}  // namespace detail

////////////////////////////////////////////////////////////////////////////////////////////////
// Functions

template <class Signature>
class TypedFunc;

/// A function whose type is known at compile time: values cross without being looked at. Parameters are `int32_t`,
/// `uint32_t`, `int64_t`, `uint64_t`, `float`, `double` and `V128`; several results are a `std::tuple`.
template <class R, class... Args>
class TypedFunc<R(Args...)> {
  using Signed = detail::Signed<R(Args...)>;

public:
  /// A function of exactly this type. Throws if it is of another; the error has both.
  explicit TypedFunc(const wasm::Func *func) {
    if (func == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no function");
    std::string actual = detail::text_of(func->type().get()), expected = detail::text_of(Signed::type().get());
    if (actual != expected) {
      throw Error(TENON_ERROR_ARGUMENT, "the function is of type " + actual + ", expected " + expected);
    }
    func_ = func->copy();
  }

  TypedFunc(const TypedFunc &that) : func_(detail::again(that.func_)) {}
  TypedFunc(TypedFunc &&) = default;
  TypedFunc &operator=(TypedFunc that) noexcept {
    func_ = std::move(that.func_);
    return *this;
  }

  /// Calls the function. Throws `TrapError`, or what a function of the host threw.
  R operator()(Args... args) const {
    tenon_raw_t raw[Signed::room];
    if (auto trap = run(raw, args...)) detail::fail(trap);
    return detail::Results<R>::get(raw);
  }

  /// Calls the function; a trap is a result. What a function of the host threw is thrown.
  auto try_call(Args... args) const {
    using T = std::conditional_t<std::is_void_v<R>, Unit, R>;
    tenon_raw_t raw[Signed::room];
    if (auto trap = run(raw, args...)) {
      wasm::detail::rethrow(trap);
      return Result<T>(detail::error_of(trap.get()));
    }
    if constexpr (std::is_void_v<R>) {
      return Result<T>(Unit());
    } else {
      return Result<T>(detail::Results<R>::get(raw));
    }
  }

  /// The object below.
  wasm::Func *get() const noexcept { return func_.get(); }

private:
  wasm::own<wasm::Func> func_;

  wasm::own<wasm::Trap> run(tenon_raw_t *raw, Args... args) const {
    [[maybe_unused]] tenon_raw_t *place = raw;
    ((detail::Crossing<Args>::put(*place++, args)), ...);
    const wasm::Func *func = func_.get();
    return wasm::make_own(wasm::detail::cc(tenon_func_call_raw(wasm::detail::c(func), raw)));
  }
};

/// A function of the host from anything that can be called: its type is that of the callable, whose copy lives as
/// long as the function. What it throws comes out at the caller of the WebAssembly code that called it, except that a
/// `WasmException` is thrown in that code.
template <class F>
auto make_func(const Store &store, F callable) {
  using Signature = typename detail::SignatureOf<F>::type;
  struct Kept {
    F callable;
    wasm_store_t *store;
  };
  auto kept = std::make_unique<Kept>(Kept{std::move(callable), store.c()});
  tenon_raw_callback_t enter = [](void *env, const wasm_func_t *, tenon_raw_t *values) -> wasm_trap_t * {
    Kept *own = static_cast<Kept *>(env);
    try {
      detail::Signed<Signature>::invoke(own->callable, values);
      return nullptr;
    } catch (...) {
      return detail::thrown(own->store);
    }
  };
  wasm::own<wasm::FuncType> type = detail::Signed<Signature>::type();
  const wasm::FuncType *lent = type.get();
  wasm_func_t *made;
  detail::check(tenon_func_new_raw(
      store.c(), wasm::detail::c(lent), enter, kept.get(), [](void *env) { delete static_cast<Kept *>(env); }, &made));
  kept.release();
  wasm::own<wasm::Func> owned = wasm::make_own(wasm::detail::cc(made));
  return TypedFunc<Signature>(owned.get());
}

}  // namespace tenon

#endif  // TENON_FUNCTIONS_HH
