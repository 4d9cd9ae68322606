// tenon.hh: Tenon for C++ as a program of today would have it: values that clean up after themselves, functions with
// types, memory that is checked, failures as exceptions or as results.
//
// All header, over wasm.hh and tenon.h, with which it can be mixed: `get()` of every class gives the object below. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
// A first program:
//
//   tenon::Store store;
//   auto module = tenon::Module::from_text(store, R"((module
//     (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))))");
//   tenon::Instance instance(store, module);
//   auto add = instance.func<int32_t(int32_t, int32_t)>("add");
//   int32_t five = add(2, 3);
//
// Ownership. Every object owns what it stands for, can be moved, and is copied as another reference to the
// same thing. Objects may die in any order.
//
// Failure. What fails throws `Error`, or `TrapError` if WebAssembly code trapped. `attempt` makes a `Result` of that, and
// `TypedFunc::try_call` gives one without throwing. What a function of the host throws comes out at its caller.
// An object that was moved from must only be assigned or destroyed.
//
// Beyond numbers. Vectors, references, exceptions, and tables, globals and memories of every type are in tenon/values.hh,
// tenon/exceptions.hh and tenon/objects.hh, structures and arrays in tenon/heap.hh, memories whose bytes the host provides in
// tenon/creators.hh, which come with this header.
//
// Threads. As in wasm.h: a store and what lives in it belong to one thread at a time.

#ifndef TENON_HH
#define TENON_HH

#include "tenon.h"
#include "wasm.hh"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon {

////////////////////////////////////////////////////////////////////////////////////////////////
// Errors

/// A failure: a kind, a message, and a place in the input where there is one.
class Error : public std::runtime_error {
public:
  /// An error of this kind, one of `TENON_ERROR_...`.
  Error(tenon_error_kind_t kind, const std::string &message) : std::runtime_error(message), kind_(kind) {}

  /// What `tenon.h` says; the C object is deleted.
  explicit Error(tenon_error_t *error)
      : std::runtime_error(tenon_error_message(error)), kind_(tenon_error_kind(error)) {
    uint64_t offset;
    uint32_t line, column;
    if (tenon_error_offset(error, &offset)) offset_ = offset;
    if (tenon_error_line(error, &line, &column)) line_ = std::make_pair(line, column);
    tenon_error_delete(error);
  }

  /// The kind: one of `TENON_ERROR_...`.
  tenon_error_kind_t kind() const noexcept { return kind_; }

  /// Where in the bytes of a module the failure lies.
  std::optional<uint64_t> offset() const noexcept { return offset_; }

  /// In which line and column of a text the failure lies, both from one.
  std::optional<std::pair<uint32_t, uint32_t>> line() const noexcept { return line_; }

private:
  tenon_error_kind_t kind_;
  std::optional<uint64_t> offset_;
  std::optional<std::pair<uint32_t, uint32_t>> line_;
};

/// A function that was running when a trap happened.
struct Frame {
  /// The name of the function; empty if the module does not tell it.
  std::string func_name;
  /// The name of the module; empty if it does not tell it.
  std::string module_name;
  /// The function's index in its module.
  uint32_t func_index;
  /// How far from the beginning of the function's body the instruction stands, in bytes.
  size_t func_offset;
  /// How far from the beginning of the module the instruction stands, in bytes.
  size_t module_offset;
};

/// WebAssembly code, or a function of the host that it called, trapped.
class TrapError : public Error {
public:
  /// What a trap says.
  explicit TrapError(const wasm::Trap *trap)
      : Error(TENON_ERROR_TRAP, message_of(trap)), code_(tenon_trap_code(wasm::detail::c(trap))) {
    wasm::ownvec<wasm::Frame> trace = trap->trace();
    for (size_t i = 0; trace && i < trace.size(); ++i) {
      const wasm_frame_t *frame = wasm::detail::c(static_cast<const wasm::Frame *>(trace[i].get()));
      frames_.push_back({name_of(frame, tenon_frame_func_name), name_of(frame, tenon_frame_module_name),
                         trace[i]->func_index(), trace[i]->func_offset(), trace[i]->module_offset()});
    }
  }

  /// Why: one of `TENON_TRAP_...`.
  tenon_trap_code_t code() const noexcept { return code_; }

  /// The functions that were running, the innermost first; at most 128.
  const std::vector<Frame> &frames() const noexcept { return frames_; }

  /// A copy, whatever more it is than a trap.
  virtual std::shared_ptr<TrapError> clone() const { return std::make_shared<TrapError>(*this); }

  /// Throws a copy, whatever more it is than a trap.
  [[noreturn]] virtual void raise() const { throw *this; }

protected:
  // An error for something that may become a trap.
  TrapError(tenon_trap_code_t code, const std::string &message) : Error(TENON_ERROR_TRAP, message), code_(code) {}

private:
  tenon_trap_code_t code_;
  std::vector<Frame> frames_;

  static std::string message_of(const wasm::Trap *trap) {
    wasm::Message message = trap->message();
    return message && message.size() != 0 ? std::string(message.get()) : std::string();
  }

  static std::string name_of(const wasm_frame_t *frame, bool (*ask)(const wasm_frame_t *, wasm_name_t *)) {
    wasm_name_t name;
    ask(frame, &name);
    std::string text = name.size != 0 ? std::string(name.data, name.size) : std::string();
    wasm_byte_vec_delete(&name);
    return text;
  }
};

namespace detail {

// Throws a failure, if it is one.
inline void check(tenon_error_t *error) {
  if (error != nullptr) throw Error(error);
}

// Throws the reason of what just failed on this thread.
[[noreturn]] inline void fail(const char *what) {
  tenon_error_t *error = tenon_last_error_take();
  if (error != nullptr) throw Error(error);
  throw Error(TENON_ERROR_ARGUMENT, what);
}

// The error for a trap: a `WasmException` if it carries one.
std::shared_ptr<TrapError> error_of(const wasm::Trap *trap);

// The trap for the C++ exception that is being handled.
wasm_trap_t *thrown(wasm_store_t *store) noexcept;

// Throws a trap, or what a function of the host threw.
[[noreturn]] void fail(const wasm::own<wasm::Trap> &trap);

// What is owned, once more.
template <class T>
wasm::own<T> again(const wasm::own<T> &object) {
  if (!object) return nullptr;
  return object->copy();
}

}  // namespace detail

/// A value, or the failure in its place.
template <class T>
class Result {
public:
  /// Success.
  Result(T value) : value_(std::move(value)) {}
  /// Failure.
  Result(std::shared_ptr<const Error> error) : error_(std::move(error)) {}

  /// Whether there is a value.
  explicit operator bool() const noexcept { return value_.has_value(); }

  /// The value; throws the error if there is none.
  T &value() {
    if (!value_) raise();
    return *value_;
  }

  /// The value; there must be one.
  T &operator*() { return *value_; }

  /// The error; there must be one. A `TrapError` can be told with `trap`.
  const Error &error() const { return *error_; }

  /// The error if it is a trap, else null.
  const TrapError *trap() const { return dynamic_cast<const TrapError *>(error_.get()); }

private:
  std::optional<T> value_;
  std::shared_ptr<const Error> error_;

  [[noreturn]] void raise() const {
    if (trap() != nullptr) trap()->raise();
    throw *error_;
  }
};

/// Nothing, as the value of a `Result` of what returns nothing.
struct Unit {};

/// Does something that may throw `Error`, and makes a result of it. Other exceptions pass.
template <class F>
auto attempt(F &&f) {
  using R = decltype(f());
  using T = std::conditional_t<std::is_void_v<R>, Unit, R>;
  try {
    if constexpr (std::is_void_v<R>) {
      f();
      return Result<T>(Unit());
    } else {
      return Result<T>(f());
    }
  } catch (const TrapError &error) {
    return Result<T>(error.clone());
  } catch (const Error &error) {
    return Result<T>(std::make_shared<Error>(error));
  }
}

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
// Engines, stores, modules

/// An engine, shared by all copies of this object. Any thread may use it.
class Engine {
public:
  /// An engine; `configure` may change settings with the functions of `tenon.h` before it is made.
  explicit Engine(const std::function<void(wasm_config_t *)> &configure = nullptr) {
    std::unique_ptr<wasm_config_t, void (*)(wasm_config_t *)> config(wasm_config_new(), wasm_config_delete);
    if (configure) configure(config.get());
    wasm_engine_t *engine;
    detail::check(tenon_engine_new(config.release(), &engine));
    engine_ = std::shared_ptr<wasm::Engine>(wasm::detail::cc(engine), wasm::destroyer());
  }

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
    wasm_byte_vec_t bytes = {binary.size(), const_cast<char *>(binary.data())};
    wasm_module_t *module;
    detail::check(tenon_module_new(store.c(), &bytes, &module));
    module_ = wasm::make_own(wasm::detail::cc(module));
  }

  /// A module of its text, or of its binary.
  static Module from_text(const Store &store, std::string_view text) {
    wasm_byte_vec_t binary;
    detail::check(tenon_wat2wasm(text.data(), text.size(), &binary));
    std::unique_ptr<wasm_byte_vec_t, void (*)(wasm_byte_vec_t *)> owned(&binary, wasm_byte_vec_delete);
    return Module(store, std::string_view(binary.data, binary.size));
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
};

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

////////////////////////////////////////////////////////////////////////////////////////////////
// Memories

class Memory;

/// A part of a memory as elements of a type. It was checked to lie inside, and stays usable whatever grows: it keeps the
/// memory alive and asks for its address at each access. Elements are little-endian and need not be aligned.
template <class T>
class Span {
  static_assert(std::is_trivially_copyable_v<T>, "elements are copied as bytes");

public:
  /// The number of elements.
  size_t size() const noexcept { return size_; }

  /// An element. Throws if there are fewer.
  T operator[](size_t index) const {
    T value;
    std::memcpy(&value, at(index, 1), sizeof(T));
    return value;
  }

  /// Replaces an element. Throws if there are fewer.
  void set(size_t index, T value) const { std::memcpy(at(index, 1), &value, sizeof(T)); }

  /// A part of this part. Throws if it does not lie inside.
  Span slice(size_t first, size_t count) const {
    at(first, count);
    return Span(memory_, offset_ + first * sizeof(T), count);
  }

  /// All elements, copied.
  std::vector<T> to_vector() const {
    std::vector<T> values(size_);
    if (size_ != 0) std::memcpy(values.data(), at(0, size_), size_ * sizeof(T));
    return values;
  }

  /// Writes elements over the first ones here. Throws, and writes nothing, if there are fewer here.
  void assign(const T *values, size_t count) const {
    char *place = at(0, count);
    if (count != 0) std::memcpy(place, values, count * sizeof(T));
  }

private:
  friend class Memory;
  std::shared_ptr<wasm::Memory> memory_;
  size_t offset_;
  size_t size_;

  Span(std::shared_ptr<wasm::Memory> memory, size_t offset, size_t size)
      : memory_(std::move(memory)), offset_(offset), size_(size) {}

  char *at(size_t index, size_t count) const {
    if (index > size_ || count > size_ - index) {
      throw Error(TENON_ERROR_ARGUMENT, std::to_string(count) + " elements at " + std::to_string(index) +
                                            " are outside of the span's " + std::to_string(size_));
    }
    return memory_->data() + offset_ + index * sizeof(T);
  }
};

namespace detail {

// The kind of elements of a type.
template <class T>
constexpr tenon_element_t element_of() {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "elements are integers or floats of at most 64 bits");
  if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? TENON_ELEMENT_F32 : TENON_ELEMENT_F64;
  return sizeof(T) == 1   ? TENON_ELEMENT_I8
         : sizeof(T) == 2 ? TENON_ELEMENT_I16
         : sizeof(T) == 4 ? TENON_ELEMENT_I32
                          : TENON_ELEMENT_I64;
}

}  // namespace detail

/// A part of a memory as an array of numbers, at the address where it is: for loops that should cost nothing. It keeps the memory
/// alive, and knows when it is stale: after any growth, also one that WebAssembly asked for. Elements are aligned.
template <class T>
class View {
public:
  /// Whether the memory has not grown since the view was made or renewed.
  bool is_valid() const noexcept { return tenon_memory_view_is_valid(wasm::detail::c(memory_.get()), &view_); }

  /// Makes the view good again: the same offset and number of elements.
  void refresh() { detail::check(tenon_memory_view_refresh(wasm::detail::c(memory_.get()), &view_)); }

  /// The address of the first element. Throws if the view is stale.
  T *data() const {
    if (!is_valid()) throw Error(TENON_ERROR_ARGUMENT, "the view is stale: its memory has grown");
    return reinterpret_cast<T *>(view_.data);
  }

  /// The number of elements.
  size_t size() const noexcept { return static_cast<size_t>(view_.size / sizeof(T)); }

  /// Where it begins in the memory, in bytes.
  uint64_t offset() const noexcept { return view_.offset; }

  /// The first element, and the place behind the last one. They throw if the view is stale.
  T *begin() const { return data(); }
  T *end() const { return data() + size(); }

  /// An element. Throws if there are fewer, or the view is stale.
  T &operator[](size_t index) const {
    if (index >= size()) {
      throw Error(TENON_ERROR_ARGUMENT,
                  "there is no element " + std::to_string(index) + " in a view of " + std::to_string(size()));
    }
    return data()[index];
  }

private:
  friend class Memory;
  std::shared_ptr<wasm::Memory> memory_;
  tenon_memory_view_t view_;

  View(std::shared_ptr<wasm::Memory> memory, const tenon_memory_view_t &view) : memory_(std::move(memory)), view_(view) {}
};

/// What becomes of bytes that are not UTF-8: an error, or the character U+FFFD.
enum class Utf8 { strict, lossy };

/// The type of a memory. Sizes are in pages.
struct MemoryType {
  /// The least size, and the greatest.
  uint64_t min = 0;
  std::optional<uint64_t> max = std::nullopt;
  /// Whether addresses have 64 bits, else 32.
  bool is64 = false;
  /// Whether it can be used by stores on several threads.
  bool shared = false;
  /// The binary logarithm of the bytes of a page: 16 or 0.
  uint8_t page_size_log2 = 16;

  /// The type as an object of wasm.h. Throws if there is no such type.
  std::unique_ptr<wasm_memorytype_t, void (*)(wasm_memorytype_t *)> make() const {
    wasm_memorytype_t *made;
    detail::check(tenon_memorytype_new(min, max.has_value(), max.value_or(0), is64, shared, page_size_log2, &made));
    return {made, wasm_memorytype_delete};
  }
};

/// A linear memory. Every access is checked.
class Memory {
public:
  /// A memory of a type.
  Memory(const Store &store, const MemoryType &type) {
    auto made_type = type.make();
    wasm_memory_t *made;
    detail::check(tenon_memory_new(store.c(), made_type.get(), &made));
    memory_ = std::shared_ptr<wasm::Memory>(wasm::detail::cc(made), wasm::destroyer());
  }

  /// A memory of so many pages at first, and at most.
  Memory(const Store &store, uint32_t pages, uint32_t max_pages = wasm_limits_max_default) {
    wasm::own<wasm::MemoryType> type = wasm::MemoryType::make(wasm::Limits(pages, max_pages));
    wasm::own<wasm::Memory> memory = wasm::Memory::make(store.get(), type.get());
    if (!memory) detail::fail("no memory could be made");
    memory_ = std::shared_ptr<wasm::Memory>(memory.release(), wasm::destroyer());
  }

  /// Another reference to a memory.
  explicit Memory(const wasm::Memory *memory) {
    if (memory == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no memory");
    memory_ = std::shared_ptr<wasm::Memory>(memory->copy().release(), wasm::destroyer());
  }

  /// Bytes of a page.
  static constexpr size_t page_size = 0x10000;

  /// The size in pages.
  uint64_t pages() const { return tenon_memory_size(wasm::detail::c(memory_.get())); }

  /// Bytes of a page of this memory.
  uint64_t page_bytes() const { return tenon_memory_page_size(wasm::detail::c(memory_.get())); }

  /// The size in bytes.
  size_t size() const { return memory_->data_size(); }

  /// Adds pages, filled with zeros; how many there were. Throws, and nothing changes, if that are too many.
  uint64_t grow(uint64_t delta) const {
    uint64_t old = 0;
    detail::check(tenon_memory_grow(wasm::detail::c(memory_.get()), delta, &old));
    return old;
  }

  /// Adds as many pages as are missing to so many; how many there were. Throws, and nothing changes, if that are too many.
  uint64_t grow_at_least(uint64_t pages) const {
    uint64_t old = 0;
    detail::check(tenon_memory_grow_at_least(wasm::detail::c(memory_.get()), pages, &old));
    return old;
  }

  /// Whether its address never changes, so that addresses within it stay good however it grows.
  bool is_pinned() const noexcept { return tenon_memory_is_pinned(wasm::detail::c(memory_.get())); }

  /// A number that changes whenever the memory grows, by the host or by WebAssembly code.
  uint64_t generation() const noexcept { return tenon_memory_generation(wasm::detail::c(memory_.get())); }

  /// The address of a part, with what `is_valid` needs to tell whether it is still good. Throws if it does not lie inside.
  tenon_memory_view_t view(uint64_t offset, uint64_t length) const {
    tenon_memory_view_t made;
    detail::check(tenon_memory_view(wasm::detail::c(memory_.get()), offset, length, &made));
    return made;
  }

  /// Whether a view is of this memory, which has not grown since.
  bool is_valid(const tenon_memory_view_t &view) const noexcept {
    return tenon_memory_view_is_valid(wasm::detail::c(memory_.get()), &view);
  }

  /// A part as an array of so many numbers. Throws if it does not lie inside, or the offset is not a multiple of an element's
  /// size.
  template <class T>
  View<T> view_of(uint64_t offset, uint64_t count) const {
    tenon_memory_view_t made;
    detail::check(
        tenon_memory_view_of(wasm::detail::c(memory_.get()), detail::element_of<T>(), offset, count, &made));
    return View<T>(memory_, made);
  }

  /// The offset of an address of the host, from which on so many bytes lie inside of the memory. Throws if they do not.
  uint64_t offset_of(const void *address, uint64_t length) const {
    uint64_t offset = 0;
    detail::check(tenon_memory_offset(wasm::detail::c(memory_.get()), address, length, &offset));
    return offset;
  }

  /// Fills a part with a byte. Throws if it does not lie inside.
  void fill(uint64_t offset, uint8_t value, uint64_t length) const {
    detail::check(tenon_memory_fill(wasm::detail::c(memory_.get()), offset, value, length));
  }

  /// Copies bytes of a memory, which may be this one, to here. Throws, and copies nothing, if a part does not lie inside.
  void copy_from(uint64_t offset, const Memory &from, uint64_t from_offset, uint64_t length) const {
    wasm_memory_t *source = wasm::detail::c(from.memory_.get());
    detail::check(tenon_memory_copy(wasm::detail::c(memory_.get()), offset, source, from_offset, length));
  }

  /// Fills a part with zeros and gives the system back what it took up. Throws if it does not lie inside.
  void discard(uint64_t offset, uint64_t length) const {
    detail::check(tenon_memory_discard(wasm::detail::c(memory_.get()), offset, length));
  }

  /// A text that ends before the first NUL, among the first `most` bytes. Throws if there is none, or if it is not UTF-8.
  std::string read_cstring(uint64_t offset, uint64_t most, Utf8 utf8 = Utf8::strict) const {
    wasm_byte_vec_t bytes;
    wasm_memory_t *memory = wasm::detail::c(memory_.get());
    detail::check(tenon_memory_read_cstring(memory, offset, most, utf8 == Utf8::lossy, &bytes));
    return taken(bytes);
  }

  /// The bytes before the first NUL, of which there must be one among the first `most` bytes.
  uint64_t cstring_length(uint64_t offset, uint64_t most) const {
    uint64_t length = 0;
    detail::check(tenon_memory_cstring_length(wasm::detail::c(memory_.get()), offset, most, &length));
    return length;
  }

  /// Writes a text and a NUL, of at most `room` bytes together. Throws, and writes nothing, if there is no room or it has a NUL.
  void write_cstring(uint64_t offset, uint64_t room, std::string_view text) const {
    wasm_memory_t *memory = wasm::detail::c(memory_.get());
    detail::check(tenon_memory_write_cstring(memory, offset, room, text.data(), text.size()));
  }

  /// A text of so many bytes. Throws if they do not lie inside, or are not UTF-8.
  std::string read_text(uint64_t offset, uint64_t length, Utf8 utf8 = Utf8::strict) const {
    wasm_byte_vec_t bytes;
    wasm_memory_t *memory = wasm::detail::c(memory_.get());
    detail::check(tenon_memory_read_string(memory, offset, length, utf8 == Utf8::lossy, &bytes));
    return taken(bytes);
  }

  /// What a memory held at some time.
  using Snapshot = std::unique_ptr<tenon_memory_snapshot_t, void (*)(tenon_memory_snapshot_t *)>;

  /// Copies what the memory holds.
  Snapshot snapshot() const {
    tenon_memory_snapshot_t *made = nullptr;
    detail::check(tenon_memory_snapshot(wasm::detail::c(memory_.get()), &made));
    return Snapshot(made, tenon_memory_snapshot_delete);
  }

  /// Brings back what the memory held; what was added since becomes zero. Throws if the memory is smaller.
  void restore(const Snapshot &snapshot) const {
    detail::check(tenon_memory_restore(wasm::detail::c(memory_.get()), snapshot.get()));
  }

  /// A part of the memory, from an offset in bytes, of so many elements. Throws if it does not lie inside.
  template <class T = char>
  Span<T> span(uint64_t offset, uint64_t count) const {
    if (offset > size() || count > (size() - offset) / sizeof(T)) {
      throw Error(TENON_ERROR_ARGUMENT,
                  std::to_string(count) + " elements of " + std::to_string(sizeof(T)) + " bytes at offset " +
                      std::to_string(offset) + " are outside of the memory of " + std::to_string(size()) + " bytes");
    }
    return Span<T>(memory_, static_cast<size_t>(offset), static_cast<size_t>(count));
  }

  /// The value at an offset in bytes. Throws if it does not lie inside.
  template <class T>
  T read(uint64_t offset) const {
    return span<T>(offset, 1)[0];
  }

  /// Writes a value at an offset in bytes. Throws if it does not lie inside.
  template <class T>
  void write(uint64_t offset, T value) const {
    span<T>(offset, 1).set(0, value);
  }

  /// The bytes of a text, whatever they are. Throws if they do not lie inside.
  std::string read_string(uint64_t offset, uint64_t length) const {
    std::vector<char> bytes = span<char>(offset, length).to_vector();
    return std::string(bytes.begin(), bytes.end());
  }

  /// Writes the bytes of a text. Throws, and writes nothing, if they do not lie inside.
  void write_string(uint64_t offset, std::string_view text) const {
    span<char>(offset, text.size()).assign(text.data(), text.size());
  }

  /// The object below.
  wasm::Memory *get() const noexcept { return memory_.get(); }

private:
  std::shared_ptr<wasm::Memory> memory_;

  static std::string taken(wasm_byte_vec_t &bytes) {
    std::string text = bytes.size != 0 ? std::string(bytes.data, bytes.size) : std::string();
    wasm_byte_vec_delete(&bytes);
    return text;
  }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Instances and linkers

class Tag;
class Table;
class Global;

/// An instance of a module, with its exports by name.
class Instance {
public:
  /// An instance; the imports are lent, in the order of the module's. Throws `Error` if they do not fit, `TrapError` if the
  /// start function traps.
  Instance(const Store &store, const Module &module, std::initializer_list<wasm::Extern *> imports = {}) {
    wasm_extern_vec_t lent = {
        imports.size(), reinterpret_cast<wasm_extern_t **>(const_cast<wasm::Extern **>(imports.begin()))};
    wasm_instance_t *made;
    wasm_trap_t *trap;
    tenon_error_t *error = tenon_instance_new(store.c(), c(module), &lent, &made, &trap);
    *this = Instance(store, module, made, trap, error);
  }

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

#include "tenon/values.hh"

#include "tenon/exceptions.hh"

#include "tenon/objects.hh"

#include "tenon/creators.hh"

#include "tenon/heap.hh"

#endif  // TENON_HH
