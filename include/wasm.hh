// Tenon's wasm.hh: the standard C++ API for embedding WebAssembly, as defined by the
// WebAssembly/wasm-c-api project. Programs written for that project's own header compile with this one.
//
// It is all header: every class is a view of the C object of the same name in wasm.h, every function a
// call of its C function, so that C and C++ can be mixed. C++11; later standards will do as well.
//
// Licensed under Apache-2.0 WITH LLVM-exception.
//
// A first program:
//
//   auto engine = wasm::Engine::make();
//   auto store = wasm::Store::make(engine.get());
//   auto module = wasm::Module::make(store.get(), binary);
//   auto instance = wasm::Instance::make(store.get(), module.get(), wasm::vec<wasm::Extern*>::make());
//   auto exports = instance->exports();
//   auto args = wasm::vec<wasm::Val>::make(wasm::Val::i32(1));
//   auto results = wasm::vec<wasm::Val>::make_uninitialized(1);
//   if (auto trap = exports[0]->func()->call(args, results)) std::cerr << trap->message().get();
//
// Ownership. `own<T>` owns an object and deletes it; `T*` is lent for the duration of a call, or belongs to
// the object that it was asked of. Objects may be deleted in any order.
//
// Failure. A function that makes something gives null, or an invalid vector; `tenon_last_error()` of tenon.h
// tells the reason. A null pointer where an object is asked for, as an argument, is such a failure, too;
// calling a method of null is a mistake that nothing can catch.
//
// Exceptions. Nothing here throws of itself. What a callback throws comes out of the `Func::call` or the
// `Instance::make` that led to it, through the WebAssembly code in between; to callers that are not C++ it is a trap.
//
// Threads. As in wasm.h: engines, types, vectors and shared modules may be used by any thread, a store and what
// lives in it by one thread at a time.

#ifndef WASM_HH
#define WASM_HH

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "wasm.h"

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define WASM_HH_EXCEPTIONS
#include <exception>
#endif

namespace wasm {

////////////////////////////////////////////////////////////////////////////////////////////////
// Vectors

namespace detail {
struct Access;

// Whether every one of some types converts to T by itself.
template <class T, class... Us>
struct all_convertible : std::true_type {};
template <class T, class U, class... Us>
struct all_convertible<T, U, Us...>
    : std::integral_constant<bool, std::is_convertible<U, T>::value && all_convertible<T, Us...>::value> {};
}  // namespace detail

/// A vector of fixed size that owns its elements. One that could not be made, or was moved from, is invalid.
template <class T>
class vec {
  // Same layout as the vectors of wasm.h, so that those of a type can be seen as these.
  size_t size_;
  T *data_;

  static const size_t invalid_size = SIZE_MAX;
  // Marks in `size_` elements that belong to the engine: a callback's arguments and results.
  static const size_t lent_bit = ~(SIZE_MAX >> 1);

  friend struct detail::Access;

  vec(size_t size, T *data) : size_(size), data_(data) {}

  bool is_lent() const { return size_ != invalid_size && (size_ & lent_bit) != 0; }

  void free_data() {
    if (!is_lent()) delete[] data_;
  }

  // Elements that belong to nobody else, for whoever takes them away.
  T *take_data() {
    T *data = data_;
    if (is_lent()) {
      size_t count = size();
      data = count != 0 ? new (std::nothrow) T[count] : nullptr;
      if (data != nullptr) {
        for (size_t i = 0; i < count; ++i) data[i] = std::move(data_[i]);
      }
    }
    size_ = invalid_size;
    data_ = nullptr;
    return data;
  }

  template <class U, class D>
  static std::unique_ptr<U, D> deep(const std::unique_ptr<U, D> &element) {
    if (!element) return nullptr;
    return element->copy();
  }
  template <class U>
  static U deep(const U &element) {
    return element.copy();
  }

public:
  using elem_type = T;

  /// Takes over the elements of another vector, which is invalid afterwards.
  vec(vec &&that) : size_(invalid_size), data_(nullptr) { reset(that); }

  vec(const vec &) = delete;
  vec &operator=(const vec &) = delete;

  ~vec() { free_data(); }

  /// Whether the vector is valid; an empty one is.
  operator bool() const { return size_ != invalid_size; }

  /// The number of elements.
  auto size() const -> size_t { return size_ == invalid_size ? size_ : size_ & ~lent_bit; }

  /// The elements, which stay the vector's; null if there are none.
  auto get() const -> const T * { return data_; }

  /// The same, to be changed.
  auto get() -> T * { return data_; }

  /// Gives the elements away: they are to be deleted with `delete[]`. The vector is invalid afterwards.
  auto release() -> T * { return take_data(); }

  /// Deletes the elements. The vector is invalid afterwards.
  void reset() {
    free_data();
    size_ = invalid_size;
    data_ = nullptr;
  }

  /// Deletes the elements and takes over those of another vector, which is invalid afterwards.
  void reset(vec &that) {
    if (this == &that) return;
    free_data();
    size_t size = that.size();
    data_ = that.take_data();
    size_ = size != 0 && data_ == nullptr ? invalid_size : size;
  }

  /// The same as `reset(that)`.
  auto operator=(vec &&that) -> vec & {
    reset(that);
    return *this;
  }

  /// An element. The index must be less than the size.
  auto operator[](size_t i) -> T & {
    assert(i < size());
    return data_[i];
  }

  /// The same, not to be changed.
  auto operator[](size_t i) const -> const T & {
    assert(i < size());
    return data_[i];
  }

  /// A vector with the same elements, for elements that can be assigned. Invalid if this one is, or where memory has run out.
  auto copy() const -> vec {
    vec made = *this ? make_uninitialized(size()) : invalid();
    if (made) {
      for (size_t i = 0; i < size(); ++i) made.data_[i] = data_[i];
    }
    return made;
  }

  /// A vector of copies of the elements, made with their `copy()`; null stays null. Invalid if this one is, or where
  /// memory has run out.
  auto deep_copy() const -> vec {
    vec made = *this ? make_uninitialized(size()) : invalid();
    if (made) {
      for (size_t i = 0; i < size(); ++i) made.data_[i] = deep(data_[i]);
    }
    return made;
  }

  /// A vector of as many elements as their default constructor makes them: bytes are undefined, pointers of `own`
  /// and values are null. Invalid where memory has run out.
  static auto make_uninitialized(size_t size = 0) -> vec {
    if (size == 0) return vec(0, nullptr);
    if (size > (SIZE_MAX >> 1) / sizeof(T)) return invalid();
    T *data = new (std::nothrow) T[size];
    return data != nullptr ? vec(size, data) : invalid();
  }

  /// A vector of elements that are moved out of an array. Invalid where memory has run out.
  static auto make(size_t size, T init[]) -> vec {
    vec made = make_uninitialized(size);
    if (made) {
      for (size_t i = 0; i < size; ++i) made.data_[i] = std::move(init[i]);
    }
    return made;
  }

  /// A vector of the bytes of a string, without a NUL at its end: a name.
  static auto make(std::string s) -> vec<char> {
    vec<char> made = vec<char>::make_uninitialized(s.length());
    if (made && !s.empty()) std::memcpy(made.get(), s.data(), s.length());
    return made;
  }

  /// A vector of the bytes of a string and a NUL: a message.
  static auto make_nt(std::string s) -> vec<char> {
    vec<char> made = vec<char>::make_uninitialized(s.length() + 1);
    if (made) std::memcpy(made.get(), s.c_str(), s.length() + 1);
    return made;
  }

  /// An empty vector.
  static auto make() -> vec { return vec(0, nullptr); }

  /// A vector of these elements. Invalid where memory has run out.
  template <class... Ts, class = typename std::enable_if<detail::all_convertible<T, Ts &&...>::value>::type>
  static auto make(Ts &&...args) -> vec {
    T data[] = {std::forward<Ts>(args)...};
    return make(sizeof...(Ts), data);
  }

  /// A vector that takes over an array made with `new[]`.
  static auto adopt(size_t size, T data[]) -> vec {
    assert((size != 0) == (data != nullptr) || size == invalid_size);
    return vec(size, data);
  }

  /// An invalid vector.
  static auto invalid() -> vec { return vec(invalid_size, nullptr); }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Ownership

/// Deletes objects of this API.
class destroyer {
public:
  /// Deletes an object, which must not be null.
  template <typename T>
  void operator()(T *ptr) {
    ptr->destroy();
  }
};

/// A pointer that owns its object.
template <class T>
using own = std::unique_ptr<T, destroyer>;

/// A vector that owns its objects.
template <class T>
using ownvec = vec<own<T>>;

/// Owns a pointer.
template <class T>
own<T> make_own(T *ptr) {
  return own<T>(ptr);
}

class Config;
class Engine;
class Store;
class ValType;
class ExternType;
class FuncType;
class GlobalType;
class TableType;
class MemoryType;
class ImportType;
class ExportType;
class Ref;
class Val;
class Frame;
class Trap;
class Module;
template <class T>
class Shared;
class Foreign;
class Extern;
class Func;
class Global;
class Table;
class Memory;
class Instance;

// From objects of this API to those of wasm.h and back: the address is the same.
namespace detail {

#define WASM_HH_SEEN_FROM_C(Class, type) \
  inline type *c(Class *object) { return reinterpret_cast<type *>(object); } \
  inline const type *c(const Class *object) { return reinterpret_cast<const type *>(object); } \
  inline Class *cc(type *object) { return reinterpret_cast<Class *>(object); } \
  inline const Class *cc(const type *object) { return reinterpret_cast<const Class *>(object); }

WASM_HH_SEEN_FROM_C(Config, wasm_config_t)
WASM_HH_SEEN_FROM_C(Engine, wasm_engine_t)
WASM_HH_SEEN_FROM_C(Store, wasm_store_t)
WASM_HH_SEEN_FROM_C(ValType, wasm_valtype_t)
WASM_HH_SEEN_FROM_C(ExternType, wasm_externtype_t)
WASM_HH_SEEN_FROM_C(FuncType, wasm_functype_t)
WASM_HH_SEEN_FROM_C(GlobalType, wasm_globaltype_t)
WASM_HH_SEEN_FROM_C(TableType, wasm_tabletype_t)
WASM_HH_SEEN_FROM_C(MemoryType, wasm_memorytype_t)
WASM_HH_SEEN_FROM_C(ImportType, wasm_importtype_t)
WASM_HH_SEEN_FROM_C(ExportType, wasm_exporttype_t)
WASM_HH_SEEN_FROM_C(Ref, wasm_ref_t)
WASM_HH_SEEN_FROM_C(Val, wasm_val_t)
WASM_HH_SEEN_FROM_C(Frame, wasm_frame_t)
WASM_HH_SEEN_FROM_C(Trap, wasm_trap_t)
WASM_HH_SEEN_FROM_C(Module, wasm_module_t)
WASM_HH_SEEN_FROM_C(Shared<Module>, wasm_shared_module_t)
WASM_HH_SEEN_FROM_C(Foreign, wasm_foreign_t)
WASM_HH_SEEN_FROM_C(Extern, wasm_extern_t)
WASM_HH_SEEN_FROM_C(Func, wasm_func_t)
WASM_HH_SEEN_FROM_C(Global, wasm_global_t)
WASM_HH_SEEN_FROM_C(Table, wasm_table_t)
WASM_HH_SEEN_FROM_C(Memory, wasm_memory_t)
WASM_HH_SEEN_FROM_C(Instance, wasm_instance_t)

#undef WASM_HH_SEEN_FROM_C

// Owns what a C function gave away.
template <class T, class C>
own<T> taken(C *object) {
  return own<T>(reinterpret_cast<T *>(object));
}

// Vectors, between here and wasm.h.
struct Access {
  // A vector that belongs to an object of wasm.h, seen as one of this API.
  template <class T, class C>
  static const vec<T> &seen(const C *vector) {
    static_assert(std::is_standard_layout<vec<T>>::value && sizeof(vec<T>) == sizeof(C) &&
                      sizeof(T) == sizeof(*vector->data) && offsetof(vec<T>, data_) == offsetof(C, data),
                  "vectors must be laid out as those of wasm.h are");
    return *reinterpret_cast<const vec<T> *>(vector);
  }

  // A vector of elements that stay the engine's.
  template <class T>
  static vec<T> lent(size_t size, T *data) {
    return vec<T>(size | vec<T>::lent_bit, size != 0 ? data : nullptr);
  }
  template <class T>
  static bool is_lent(const vec<T> &vector) {
    return vector.is_lent();
  }

  // The elements of a vector, lent to C.
  template <class C, class T>
  static C to_c(const vec<T> &vector) {
    C view;
    view.size = vector ? vector.size() : 0;
    view.data = reinterpret_cast<decltype(view.data)>(const_cast<T *>(vector.get()));
    return view;
  }

  // The objects of a vector, given to C; `fill` makes the C vector.
  template <class C, class T>
  static C give(ownvec<T> &&vector, void (*fill)(C *, size_t)) {
    C made;
    fill(&made, vector ? vector.size() : 0);
    for (size_t i = 0; i < made.size; ++i) {
      made.data[i] = reinterpret_cast<typename std::remove_reference<decltype(*made.data)>::type>(vector[i].release());
    }
    vector.reset();
    return made;
  }

  // The objects of a vector that C gave away; `free` deletes what is left of it.
  template <class T, class C>
  static ownvec<T> take(C *vector, void (*free)(C *)) {
    ownvec<T> made = ownvec<T>::make_uninitialized(vector->size);
    if (made) {
      for (size_t i = 0; i < vector->size; ++i) {
        made[i] = taken<T>(vector->data[i]);
        vector->data[i] = nullptr;
      }
    }
    free(vector);
    return made;
  }

  // The bytes of a vector that C gave away.
  static vec<byte_t> take_bytes(wasm_byte_vec_t *vector) {
    vec<byte_t> made = vec<byte_t>::make_uninitialized(vector->size);
    if (made && vector->size != 0) std::memcpy(made.get(), vector->data, vector->size);
    wasm_byte_vec_delete(vector);
    return made;
  }

  // A name, given to C.
  static wasm_name_t give_name(vec<byte_t> &&name) {
    wasm_name_t made;
    wasm_name_new(&made, name ? name.size() : 0, name.get());
    name.reset();
    return made;
  }
};

}  // namespace detail

// What every class has whose objects are those of C: they are neither made nor copied as C++ objects.
#define WASM_HH_OBJECT(Class) \
  friend class destroyer; \
\
protected: \
  Class() = default; \
  ~Class() = default; \
\
public: \
  Class(const Class &) = delete; \
  Class &operator=(const Class &) = delete; \
\
private:

////////////////////////////////////////////////////////////////////////////////////////////////
// Configurations, engines, stores

/// The configuration of an engine. `tenon.h` has functions that change it.
class WASM_API_EXTERN Config {
  WASM_HH_OBJECT(Config)
  void destroy() { wasm_config_delete(detail::c(this)); }

public:
  /// A configuration with the default settings.
  static auto make() -> own<Config> { return detail::taken<Config>(wasm_config_new()); }
};

/// An engine: a configuration, compilers and pooled memory, shared by its stores. Any thread may use it.
class WASM_API_EXTERN Engine {
  WASM_HH_OBJECT(Engine)
  void destroy() { wasm_engine_delete(detail::c(this)); }

public:
  /// An engine with this configuration, which is taken over; null stands for the default one. Null if the system denies
  /// something that it needs.
  static auto make(own<Config> &&config = Config::make()) -> own<Engine> {
    return detail::taken<Engine>(wasm_engine_new_with_config(detail::c(config.release())));
  }
};

/// A store: the home of instances and everything else that runs. One thread at a time may use it.
class WASM_API_EXTERN Store {
  WASM_HH_OBJECT(Store)
  void destroy() { wasm_store_delete(detail::c(this)); }

public:
  /// A store of an engine; null for null.
  static auto make(Engine *engine) -> own<Store> { return detail::taken<Store>(wasm_store_new(detail::c(engine))); }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Types

/// Whether a global may be set.
enum class Mutability : uint8_t { CONST, VAR };

/// The limits of a table (in elements) or a memory (in pages). Without a maximum, `max` is the largest number there is.
struct Limits {
  uint32_t min;
  uint32_t max;

  /// Limits of these sizes.
  Limits(uint32_t least, uint32_t most = std::numeric_limits<uint32_t>::max()) : min(least), max(most) {}
};

static_assert(std::is_standard_layout<Limits>::value && sizeof(Limits) == sizeof(wasm_limits_t),
              "limits must be laid out as those of wasm.h are");

/// The kinds of values.
enum class ValKind : uint8_t {
  I32 = WASM_I32,
  I64 = WASM_I64,
  F32 = WASM_F32,
  F64 = WASM_F64,
  EXTERNREF = WASM_EXTERNREF,
  FUNCREF = WASM_FUNCREF,
};

/// Whether values of the kind are numbers.
inline bool is_num(ValKind k) { return k < ValKind::EXTERNREF; }

/// Whether values of the kind are references.
inline bool is_ref(ValKind k) { return k >= ValKind::EXTERNREF; }

/// A value type.
class WASM_API_EXTERN ValType {
  WASM_HH_OBJECT(ValType)
  void destroy() { wasm_valtype_delete(detail::c(this)); }

public:
  /// The type of a kind; null for a number that is none.
  static auto make(ValKind kind) -> own<ValType> {
    return detail::taken<ValType>(wasm_valtype_new(static_cast<wasm_valkind_t>(kind)));
  }

  /// A copy.
  auto copy() const -> own<ValType> { return detail::taken<ValType>(wasm_valtype_copy(detail::c(this))); }

  /// The kind.
  auto kind() const -> ValKind { return static_cast<ValKind>(wasm_valtype_kind(detail::c(this))); }

  /// Whether values of the type are numbers.
  auto is_num() const -> bool { return wasm::is_num(kind()); }

  /// Whether values of the type are references.
  auto is_ref() const -> bool { return wasm::is_ref(kind()); }
};

/// The kinds of things that can be imported and exported. (A tag has the number 4, for which this API has no name.)
enum class ExternKind : uint8_t {
  FUNC = WASM_EXTERN_FUNC,
  GLOBAL = WASM_EXTERN_GLOBAL,
  TABLE = WASM_EXTERN_TABLE,
  MEMORY = WASM_EXTERN_MEMORY,
};

/// The type of a function, a global, a table or a memory.
class WASM_API_EXTERN ExternType {
  WASM_HH_OBJECT(ExternType)
  void destroy() { wasm_externtype_delete(detail::c(this)); }

public:
  /// A copy.
  auto copy() const -> own<ExternType> { return detail::taken<ExternType>(wasm_externtype_copy(detail::c(this))); }

  /// The kind.
  auto kind() const -> ExternKind { return static_cast<ExternKind>(wasm_externtype_kind(detail::c(this))); }

  /// The same object seen as a function type; null if it is of another kind.
  auto func() -> FuncType * { return detail::cc(wasm_externtype_as_functype(detail::c(this))); }

  /// The same object seen as a global type; null if it is of another kind.
  auto global() -> GlobalType * { return detail::cc(wasm_externtype_as_globaltype(detail::c(this))); }

  /// The same object seen as a table type; null if it is of another kind.
  auto table() -> TableType * { return detail::cc(wasm_externtype_as_tabletype(detail::c(this))); }

  /// The same object seen as a memory type; null if it is of another kind.
  auto memory() -> MemoryType * { return detail::cc(wasm_externtype_as_memorytype(detail::c(this))); }

  /// `func` for a const object.
  auto func() const -> const FuncType * { return detail::cc(wasm_externtype_as_functype_const(detail::c(this))); }

  /// `global` for a const object.
  auto global() const -> const GlobalType * { return detail::cc(wasm_externtype_as_globaltype_const(detail::c(this))); }

  /// `table` for a const object.
  auto table() const -> const TableType * { return detail::cc(wasm_externtype_as_tabletype_const(detail::c(this))); }

  /// `memory` for a const object.
  auto memory() const -> const MemoryType * { return detail::cc(wasm_externtype_as_memorytype_const(detail::c(this))); }
};

/// A function type.
class WASM_API_EXTERN FuncType : public ExternType {
  WASM_HH_OBJECT(FuncType)
  void destroy() { wasm_functype_delete(detail::c(this)); }

public:
  /// A function type of these parameters and results, which are taken over. Null if one of them is null, or where
  /// memory has run out.
  static auto make(ownvec<ValType> &&params = ownvec<ValType>::make(),
                   ownvec<ValType> &&results = ownvec<ValType>::make()) -> own<FuncType> {
    bool valid = params && results;
    size_t wanted = valid ? params.size() + results.size() : 0;
    wasm_valtype_vec_t ps = detail::Access::give(std::move(params), &wasm_valtype_vec_new_uninitialized);
    wasm_valtype_vec_t rs = detail::Access::give(std::move(results), &wasm_valtype_vec_new_uninitialized);
    if (!valid || ps.size + rs.size != wanted) {
      wasm_valtype_vec_delete(&ps);
      wasm_valtype_vec_delete(&rs);
      return nullptr;
    }
    return detail::taken<FuncType>(wasm_functype_new(&ps, &rs));
  }

  /// A copy.
  auto copy() const -> own<FuncType> { return detail::taken<FuncType>(wasm_functype_copy(detail::c(this))); }

  /// The parameter types, which belong to this type.
  auto params() const -> const ownvec<ValType> & {
    return detail::Access::seen<own<ValType>>(wasm_functype_params(detail::c(this)));
  }

  /// The result types, which belong to this type.
  auto results() const -> const ownvec<ValType> & {
    return detail::Access::seen<own<ValType>>(wasm_functype_results(detail::c(this)));
  }
};

/// A global type.
class WASM_API_EXTERN GlobalType : public ExternType {
  WASM_HH_OBJECT(GlobalType)
  void destroy() { wasm_globaltype_delete(detail::c(this)); }

public:
  /// A global type; the value type is taken over. Null if that is null.
  static auto make(own<ValType> &&content, Mutability mutability) -> own<GlobalType> {
    return detail::taken<GlobalType>(
        wasm_globaltype_new(detail::c(content.release()), static_cast<wasm_mutability_t>(mutability)));
  }

  /// A copy.
  auto copy() const -> own<GlobalType> { return detail::taken<GlobalType>(wasm_globaltype_copy(detail::c(this))); }

  /// The type of the value. It belongs to this type.
  auto content() const -> const ValType * { return detail::cc(wasm_globaltype_content(detail::c(this))); }

  /// Whether the global may be set.
  auto mutability() const -> Mutability {
    return static_cast<Mutability>(wasm_globaltype_mutability(detail::c(this)));
  }
};

/// A table type.
class WASM_API_EXTERN TableType : public ExternType {
  WASM_HH_OBJECT(TableType)
  void destroy() { wasm_tabletype_delete(detail::c(this)); }

public:
  /// A table type; the element type is taken over. Null if that is null or no reference type.
  static auto make(own<ValType> &&element, Limits limits) -> own<TableType> {
    wasm_limits_t c_limits = {limits.min, limits.max};
    return detail::taken<TableType>(wasm_tabletype_new(detail::c(element.release()), &c_limits));
  }

  /// A copy.
  auto copy() const -> own<TableType> { return detail::taken<TableType>(wasm_tabletype_copy(detail::c(this))); }

  /// The type of the elements. It belongs to this type.
  auto element() const -> const ValType * { return detail::cc(wasm_tabletype_element(detail::c(this))); }

  /// The limits, in elements. They belong to this type.
  auto limits() const -> const Limits & {
    return *reinterpret_cast<const Limits *>(wasm_tabletype_limits(detail::c(this)));
  }
};

/// A memory type.
class WASM_API_EXTERN MemoryType : public ExternType {
  WASM_HH_OBJECT(MemoryType)
  void destroy() { wasm_memorytype_delete(detail::c(this)); }

public:
  /// A memory type with these limits, in pages of 65536 bytes. Impossible limits are refused by `Memory::make`.
  static auto make(Limits limits) -> own<MemoryType> {
    wasm_limits_t c_limits = {limits.min, limits.max};
    return detail::taken<MemoryType>(wasm_memorytype_new(&c_limits));
  }

  /// A copy.
  auto copy() const -> own<MemoryType> { return detail::taken<MemoryType>(wasm_memorytype_copy(detail::c(this))); }

  /// The limits, in pages. They belong to this type.
  auto limits() const -> const Limits & {
    return *reinterpret_cast<const Limits *>(wasm_memorytype_limits(detail::c(this)));
  }
};

/// A name: UTF-8, without a NUL at its end.
using Name = vec<byte_t>;

/// What a module imports: two names and a type.
class WASM_API_EXTERN ImportType {
  WASM_HH_OBJECT(ImportType)
  void destroy() { wasm_importtype_delete(detail::c(this)); }

public:
  /// An import of these names and this type, which are taken over. Null if the type is null.
  static auto make(Name &&module, Name &&name, own<ExternType> &&type) -> own<ImportType> {
    wasm_name_t c_module = detail::Access::give_name(std::move(module));
    wasm_name_t c_name = detail::Access::give_name(std::move(name));
    return detail::taken<ImportType>(wasm_importtype_new(&c_module, &c_name, detail::c(type.release())));
  }

  /// A copy.
  auto copy() const -> own<ImportType> { return detail::taken<ImportType>(wasm_importtype_copy(detail::c(this))); }

  /// The name of the module to import from. It belongs to the import.
  auto module() const -> const Name & {
    return detail::Access::seen<byte_t>(wasm_importtype_module(detail::c(this)));
  }

  /// The name of the thing to import. It belongs to the import.
  auto name() const -> const Name & { return detail::Access::seen<byte_t>(wasm_importtype_name(detail::c(this))); }

  /// The type that is asked for. It belongs to the import.
  auto type() const -> const ExternType * { return detail::cc(wasm_importtype_type(detail::c(this))); }
};

/// What a module exports: a name and a type.
class WASM_API_EXTERN ExportType {
  WASM_HH_OBJECT(ExportType)
  void destroy() { wasm_exporttype_delete(detail::c(this)); }

public:
  /// An export of this name and type, which are taken over. Null if the type is null.
  static auto make(Name &&name, own<ExternType> &&type) -> own<ExportType> {
    wasm_name_t c_name = detail::Access::give_name(std::move(name));
    return detail::taken<ExportType>(wasm_exporttype_new(&c_name, detail::c(type.release())));
  }

  /// A copy.
  auto copy() const -> own<ExportType> { return detail::taken<ExportType>(wasm_exporttype_copy(detail::c(this))); }

  /// The name. It belongs to the export.
  auto name() const -> const Name & { return detail::Access::seen<byte_t>(wasm_exporttype_name(detail::c(this))); }

  /// The type of what is given. It belongs to the export.
  auto type() const -> const ExternType * { return detail::cc(wasm_exporttype_type(detail::c(this))); }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// References

/// A reference to an object of a store. It is counted: the object lives as long as somebody owns a reference.
class WASM_API_EXTERN Ref {
  WASM_HH_OBJECT(Ref)
  void destroy() { wasm_ref_delete(detail::c(this)); }

public:
  /// Another reference to the same object.
  auto copy() const -> own<Ref> { return detail::taken<Ref>(wasm_ref_copy(detail::c(this))); }

  /// Whether two references are to the same object; with null: false.
  auto same(const Ref *that) const -> bool { return wasm_ref_same(detail::c(this), detail::c(that)); }

  /// The host's information about the object: what was set last, through whichever reference; null if nothing was.
  auto get_host_info() const -> void * { return wasm_ref_get_host_info(detail::c(this)); }

  /// Attaches information of the host to the object. The finalizer, which may be null, is called once with it: when it
  /// is replaced or the object dies.
  void set_host_info(void *info, void (*finalizer)(void *) = nullptr) {
    wasm_ref_set_host_info_with_finalizer(detail::c(this), info, finalizer);
  }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Values

/// A value: a number, or a reference that it owns and that may be null.
class Val {
  // The layout is that of `wasm_val_t`.
  ValKind kind_;
  union impl {
    int32_t i32;
    int64_t i64;
    float32_t f32;
    float64_t f64;
    Ref *ref;
  } impl_;

  Val(ValKind kind, impl bits) : kind_(kind), impl_(bits) {}

public:
  /// A null reference.
  Val() : kind_(ValKind::EXTERNREF) { impl_.ref = nullptr; }

  /// An `i32`.
  explicit Val(int32_t i) : kind_(ValKind::I32) { impl_.i32 = i; }

  /// An `i64`.
  explicit Val(int64_t i) : kind_(ValKind::I64) { impl_.i64 = i; }

  /// An `f32`.
  explicit Val(float32_t z) : kind_(ValKind::F32) { impl_.f32 = z; }

  /// An `f64`.
  explicit Val(float64_t z) : kind_(ValKind::F64) { impl_.f64 = z; }

  /// A reference, which is taken over. Functions, too, are given in this way.
  explicit Val(own<Ref> &&r) : kind_(ValKind::EXTERNREF) { impl_.ref = r.release(); }

  /// Takes over a value; a reference there is null afterwards.
  Val(Val &&that) noexcept : kind_(that.kind_), impl_(that.impl_) {
    if (is_ref()) that.impl_.ref = nullptr;
  }

  ~Val() { reset(); }

  /// Whether it is a number.
  auto is_num() const -> bool { return wasm::is_num(kind_); }

  /// Whether it is a reference.
  auto is_ref() const -> bool { return wasm::is_ref(kind_); }

  /// An `i32`.
  static auto i32(int32_t x) -> Val { return Val(x); }

  /// An `i64`.
  static auto i64(int64_t x) -> Val { return Val(x); }

  /// An `f32`.
  static auto f32(float32_t x) -> Val { return Val(x); }

  /// An `f64`.
  static auto f64(float64_t x) -> Val { return Val(x); }

  /// A reference, which is taken over.
  static auto ref(own<Ref> &&x) -> Val { return Val(std::move(x)); }

  /// The value of a number: `int32_t`, `int64_t`, `uint32_t`, `uint64_t`, `float32_t` or `float64_t`.
  template <class T>
  inline static auto make(T x) -> Val;

  /// A reference to anything, which is taken over.
  template <class T>
  inline static auto make(own<T> &&x) -> Val {
    return Val(own<Ref>(std::move(x)));
  }

  /// Gives up the reference, if it is one; it is null afterwards.
  void reset() {
    if (is_ref() && impl_.ref != nullptr) {
      destroyer()(impl_.ref);
      impl_.ref = nullptr;
    }
  }

  /// Takes over a value in the place of this one; a reference there is null afterwards.
  void reset(Val &that) {
    if (this == &that) return;
    reset();
    kind_ = that.kind_;
    impl_ = that.impl_;
    if (is_ref()) that.impl_.ref = nullptr;
  }

  /// The same as `reset(that)`.
  auto operator=(Val &&that) noexcept -> Val & {
    reset(that);
    return *this;
  }

  /// The kind.
  auto kind() const -> ValKind { return kind_; }

  /// The number of an `i32`; the value must be one, and so below.
  auto i32() const -> int32_t {
    assert(kind_ == ValKind::I32);
    return impl_.i32;
  }

  /// The number of an `i64`.
  auto i64() const -> int64_t {
    assert(kind_ == ValKind::I64);
    return impl_.i64;
  }

  /// The number of an `f32`.
  auto f32() const -> float32_t {
    assert(kind_ == ValKind::F32);
    return impl_.f32;
  }

  /// The number of an `f64`.
  auto f64() const -> float64_t {
    assert(kind_ == ValKind::F64);
    return impl_.f64;
  }

  /// The reference, which stays the value's; it may be null.
  auto ref() const -> Ref * {
    assert(is_ref());
    return impl_.ref;
  }

  /// The number or reference, by its C++ type.
  template <class T>
  inline auto get() const -> T;

  /// Gives the reference away; it is null afterwards.
  auto release_ref() -> own<Ref> {
    assert(is_ref());
    Ref *ref = impl_.ref;
    impl_.ref = nullptr;
    return own<Ref>(ref);
  }

  /// A copy, with a reference of its own if it has one.
  auto copy() const -> Val {
    impl copied = impl_;
    if (is_ref() && impl_.ref != nullptr) copied.ref = impl_.ref->copy().release();
    return Val(kind_, copied);
  }
};

static_assert(std::is_standard_layout<Val>::value && sizeof(Val) == sizeof(wasm_val_t) &&
                  alignof(Val) == alignof(wasm_val_t),
              "values must be laid out as those of wasm.h are");

template <>
inline auto Val::make<int32_t>(int32_t x) -> Val {
  return Val(x);
}
template <>
inline auto Val::make<int64_t>(int64_t x) -> Val {
  return Val(x);
}
template <>
inline auto Val::make<float32_t>(float32_t x) -> Val {
  return Val(x);
}
template <>
inline auto Val::make<float64_t>(float64_t x) -> Val {
  return Val(x);
}
template <>
inline auto Val::make<uint32_t>(uint32_t x) -> Val {
  return Val(static_cast<int32_t>(x));
}
template <>
inline auto Val::make<uint64_t>(uint64_t x) -> Val {
  return Val(static_cast<int64_t>(x));
}

template <>
inline auto Val::get<int32_t>() const -> int32_t {
  return i32();
}
template <>
inline auto Val::get<int64_t>() const -> int64_t {
  return i64();
}
template <>
inline auto Val::get<float32_t>() const -> float32_t {
  return f32();
}
template <>
inline auto Val::get<float64_t>() const -> float64_t {
  return f64();
}
template <>
inline auto Val::get<Ref *>() const -> Ref * {
  return ref();
}
template <>
inline auto Val::get<uint32_t>() const -> uint32_t {
  return static_cast<uint32_t>(i32());
}
template <>
inline auto Val::get<uint64_t>() const -> uint64_t {
  return static_cast<uint64_t>(i64());
}

////////////////////////////////////////////////////////////////////////////////////////////////
// Frames and traps

/// The message of a trap. It ends in NUL, which is part of its size.
using Message = vec<byte_t>;

/// A function that was running when a trap happened. It keeps its instance alive.
class WASM_API_EXTERN Frame {
  WASM_HH_OBJECT(Frame)
  void destroy() { wasm_frame_delete(detail::c(this)); }

public:
  /// A copy.
  auto copy() const -> own<Frame> { return detail::taken<Frame>(wasm_frame_copy(detail::c(this))); }

  /// The instance whose function it is. It belongs to the frame.
  auto instance() const -> Instance * { return detail::cc(wasm_frame_instance(detail::c(this))); }

  /// The function's index in its module, imported functions counted.
  auto func_index() const -> uint32_t { return wasm_frame_func_index(detail::c(this)); }

  /// How far from the beginning of the function's body the instruction stands, in bytes.
  auto func_offset() const -> size_t { return wasm_frame_func_offset(detail::c(this)); }

  /// How far from the beginning of the module the instruction stands, in bytes.
  auto module_offset() const -> size_t { return wasm_frame_module_offset(detail::c(this)); }
};

/// A trap: why a call did not return.
class WASM_API_EXTERN Trap : public Ref {
  WASM_HH_OBJECT(Trap)
  void destroy() { wasm_trap_delete(detail::c(this)); }

public:
  /// A trap, for a callback to return. The message is copied; the NUL at its end does not count. Null without a store.
  static auto make(Store *store, const Message &msg) -> own<Trap> {
    wasm_message_t message = detail::Access::to_c<wasm_message_t>(msg);
    return detail::taken<Trap>(wasm_trap_new(detail::c(store), &message));
  }

  /// Another reference to the same trap.
  auto copy() const -> own<Trap> { return detail::taken<Trap>(wasm_trap_copy(detail::c(this))); }

  /// The message, with a NUL at its end.
  auto message() const -> Message {
    wasm_message_t message;
    wasm_trap_message(detail::c(this), &message);
    return detail::Access::take_bytes(&message);
  }

  /// The innermost frame; null if the trap did not happen in WebAssembly code.
  auto origin() const -> own<Frame> { return detail::taken<Frame>(wasm_trap_origin(detail::c(this))); }

  /// The frames, the innermost first; at most 128.
  auto trace() const -> ownvec<Frame> {
    wasm_frame_vec_t frames;
    wasm_trap_trace(detail::c(this), &frames);
    return detail::Access::take<Frame>(&frames, &wasm_frame_vec_delete);
  }
};

#ifdef WASM_HH_EXCEPTIONS
namespace detail {

// What a callback threw, on its way to the caller as the host information of a trap. All of them are in a list,
// so that they can be told from information that others have attached.
class Thrown {
  std::exception_ptr exception_;
  Thrown *next_;

  struct List {
    std::mutex mutex;
    Thrown *first;
    List() : first(nullptr) {}
  };

  // Never deleted: traps may die after everything else has.
  static List &list() {
    static List *list = new List;
    return *list;
  }

  explicit Thrown(std::exception_ptr exception) : exception_(exception), next_(nullptr) {
    std::lock_guard<std::mutex> lock(list().mutex);
    next_ = list().first;
    list().first = this;
  }

  static void forget(void *thrown) {
    {
      std::lock_guard<std::mutex> lock(list().mutex);
      Thrown **link = &list().first;
      while (*link != thrown) link = &(*link)->next_;
      *link = (*link)->next_;
    }
    delete static_cast<Thrown *>(thrown);
  }

public:
  // A trap that carries the exception which is being handled.
  static wasm_trap_t *trap(wasm_store_t *store) noexcept {
    std::string text = "a function of the host threw an exception";
    try {
      throw;
    } catch (const std::exception &exception) {
      text = exception.what();
    } catch (...) {
    }
    wasm_message_t message = {text.size(), &text[0]};
    wasm_trap_t *trap = wasm_trap_new(store, &message);
    wasm_trap_set_host_info_with_finalizer(trap, new Thrown(std::current_exception()), forget);
    return trap;
  }

  // Throws what a callback threw, if that is why there is a trap.
  static void rethrow(const own<Trap> &trap) {
    void *info = trap ? trap->get_host_info() : nullptr;
    if (info == nullptr) return;
    std::exception_ptr exception;
    {
      std::lock_guard<std::mutex> lock(list().mutex);
      Thrown *thrown = list().first;
      while (thrown != nullptr && thrown != info) thrown = thrown->next_;
      if (thrown != nullptr) exception = thrown->exception_;
    }
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail
#endif

namespace detail {
inline void rethrow(const own<Trap> &trap) {
#ifdef WASM_HH_EXCEPTIONS
  Thrown::rethrow(trap);
#else
  (void)trap;
#endif
}
}  // namespace detail

////////////////////////////////////////////////////////////////////////////////////////////////
// Modules

/// A module that belongs to no store. Any thread may use it.
template <>
class WASM_API_EXTERN Shared<Module> {
  WASM_HH_OBJECT(Shared)
  void destroy() { wasm_shared_module_delete(detail::c(this)); }
};

/// A module: valid, and ready to be instantiated in its store.
class WASM_API_EXTERN Module : public Ref {
  WASM_HH_OBJECT(Module)
  void destroy() { wasm_module_delete(detail::c(this)); }

public:
  /// Whether a binary is a valid module.
  static auto validate(Store *store, const vec<byte_t> &binary) -> bool {
    wasm_byte_vec_t bytes = detail::Access::to_c<wasm_byte_vec_t>(binary);
    return wasm_module_validate(detail::c(store), &bytes);
  }

  /// A module of its binary, which is copied. Null if it is malformed or invalid.
  static auto make(Store *store, const vec<byte_t> &binary) -> own<Module> {
    wasm_byte_vec_t bytes = detail::Access::to_c<wasm_byte_vec_t>(binary);
    return detail::taken<Module>(wasm_module_new(detail::c(store), &bytes));
  }

  /// Another reference to the same module.
  auto copy() const -> own<Module> { return detail::taken<Module>(wasm_module_copy(detail::c(this))); }

  /// What the module imports, in the order of its declarations.
  auto imports() const -> ownvec<ImportType> {
    wasm_importtype_vec_t imports;
    wasm_module_imports(detail::c(this), &imports);
    return detail::Access::take<ImportType>(&imports, &wasm_importtype_vec_delete);
  }

  /// What the module exports, in the order of its declarations.
  auto exports() const -> ownvec<ExportType> {
    wasm_exporttype_vec_t exports;
    wasm_module_exports(detail::c(this), &exports);
    return detail::Access::take<ExportType>(&exports, &wasm_exporttype_vec_delete);
  }

  /// The module without its store, so that another thread can obtain it. Nothing is compiled again.
  auto share() const -> own<Shared<Module>> {
    return detail::taken<Shared<Module>>(wasm_module_share(detail::c(this)));
  }

  /// A module of a store from a shared one. Null if the store is of another engine.
  static auto obtain(Store *store, const Shared<Module> *shared) -> own<Module> {
    return detail::taken<Module>(wasm_module_obtain(detail::c(store), detail::c(shared)));
  }

  /// The module and its machine code as bytes. Invalid where something fails.
  auto serialize() const -> vec<byte_t> {
    wasm_byte_vec_t bytes;
    wasm_module_serialize(detail::c(this), &bytes);
    if (bytes.size == 0) return vec<byte_t>::invalid();
    return detail::Access::take_bytes(&bytes);
  }

  /// A module of what `serialize` gave. Null if the bytes are damaged or something else. Only accidents are found: bytes from
  /// somebody who is not trusted must not be given to this function.
  static auto deserialize(Store *store, const vec<byte_t> &serialized) -> own<Module> {
    wasm_byte_vec_t bytes = detail::Access::to_c<wasm_byte_vec_t>(serialized);
    return detail::taken<Module>(wasm_module_deserialize(detail::c(store), &bytes));
  }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Foreign objects

/// An object of the host that WebAssembly code can hold as an `externref`. Its meaning is its host information.
class WASM_API_EXTERN Foreign : public Ref {
  WASM_HH_OBJECT(Foreign)
  void destroy() { wasm_foreign_delete(detail::c(this)); }

public:
  /// A foreign object of a store; null for null.
  static auto make(Store *store) -> own<Foreign> {
    return detail::taken<Foreign>(wasm_foreign_new(detail::c(store)));
  }

  /// Another reference to the same object.
  auto copy() const -> own<Foreign> { return detail::taken<Foreign>(wasm_foreign_copy(detail::c(this))); }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Externals

/// A function, a global, a table or a memory.
class WASM_API_EXTERN Extern : public Ref {
  WASM_HH_OBJECT(Extern)
  void destroy() { wasm_extern_delete(detail::c(this)); }

public:
  /// Another reference to the same external.
  auto copy() const -> own<Extern> { return detail::taken<Extern>(wasm_extern_copy(detail::c(this))); }

  /// What kind of thing it is.
  auto kind() const -> ExternKind { return static_cast<ExternKind>(wasm_extern_kind(detail::c(this))); }

  /// The type; that of a table or memory has the size it has now as its minimum.
  auto type() const -> own<ExternType> { return detail::taken<ExternType>(wasm_extern_type(detail::c(this))); }

  /// The same object seen as a function; null if it is of another kind.
  auto func() -> Func * { return detail::cc(wasm_extern_as_func(detail::c(this))); }

  /// The same object seen as a global; null if it is of another kind.
  auto global() -> Global * { return detail::cc(wasm_extern_as_global(detail::c(this))); }

  /// The same object seen as a table; null if it is of another kind.
  auto table() -> Table * { return detail::cc(wasm_extern_as_table(detail::c(this))); }

  /// The same object seen as a memory; null if it is of another kind.
  auto memory() -> Memory * { return detail::cc(wasm_extern_as_memory(detail::c(this))); }

  /// `func` for a const object.
  auto func() const -> const Func * { return detail::cc(wasm_extern_as_func_const(detail::c(this))); }

  /// `global` for a const object.
  auto global() const -> const Global * { return detail::cc(wasm_extern_as_global_const(detail::c(this))); }

  /// `table` for a const object.
  auto table() const -> const Table * { return detail::cc(wasm_extern_as_table_const(detail::c(this))); }

  /// `memory` for a const object.
  auto memory() const -> const Memory * { return detail::cc(wasm_extern_as_memory_const(detail::c(this))); }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Functions

/// A function, of an instance or of the host.
class WASM_API_EXTERN Func : public Extern {
  WASM_HH_OBJECT(Func)
  void destroy() { wasm_func_delete(detail::c(this)); }

public:
  /// A function of the host. The arguments are lent to it; it fills in the results, which are null references at first. Null
  /// is success; a trap ends the call that led here, and so does an exception.
  using callback = auto (*)(const vec<Val> &, vec<Val> &) -> own<Trap>;

  /// The same, with an environment before the arguments.
  using callback_with_env = auto (*)(void *, const vec<Val> &, vec<Val> &) -> own<Trap>;

private:
  // What the engine keeps for a function of the host. The store is alive whenever one of its functions runs.
  struct Closure {
    wasm_store_t *store;
    callback plain;
    callback_with_env with_env;
    void *env;
    void (*finalizer)(void *);

    own<Trap> call(const vec<Val> &args, vec<Val> &results) const {
      return plain != nullptr ? plain(args, results) : with_env(env, args, results);
    }
  };

  static void finalize(void *closure) {
    std::unique_ptr<Closure> dying(static_cast<Closure *>(closure));
    if (dying->finalizer != nullptr) dying->finalizer(dying->env);
  }

  // What the engine calls.
  static wasm_trap_t *enter(void *env, const wasm_val_vec_t *c_args, wasm_val_vec_t *c_results) {
    const Closure *closure = static_cast<const Closure *>(env);
    const vec<Val> args = detail::Access::lent(c_args->size, detail::cc(c_args->data));
    Val *places = detail::cc(c_results->data);
    for (size_t i = 0; i < c_results->size; ++i) new (&places[i]) Val();
    vec<Val> results = detail::Access::lent(c_results->size, places);
    wasm_trap_t *trap;
#ifdef WASM_HH_EXCEPTIONS
    try {
      trap = detail::c(closure->call(args, results).release());
    } catch (...) {
      trap = detail::Thrown::trap(closure->store);
    }
#else
    trap = detail::c(closure->call(args, results).release());
#endif
    // The callback may have put another vector in the place of the one that it was given.
    if (trap == nullptr && !detail::Access::is_lent(results)) {
      if (results && results.size() == c_results->size) {
        for (size_t i = 0; i < c_results->size; ++i) places[i] = std::move(results[i]);
      } else {
        std::string text = "host function returned a vector of " + std::to_string(results ? results.size() : 0) +
                           " results, expected " + std::to_string(c_results->size);
        wasm_message_t message = {text.size(), &text[0]};
        trap = wasm_trap_new(closure->store, &message);
      }
    }
    if (trap != nullptr) {
      for (size_t i = 0; i < c_results->size; ++i) places[i].reset();
    }
    return trap;
  }

  static own<Func> make(const FuncType *type, const Closure &closure) {
    if (closure.plain == nullptr && closure.with_env == nullptr) return nullptr;
    std::unique_ptr<Closure> kept(new (std::nothrow) Closure(closure));
    if (!kept) return nullptr;
    own<Func> made = detail::taken<Func>(
        wasm_func_new_with_env(closure.store, detail::c(type), &Func::enter, kept.get(), &Func::finalize));
    if (made) kept.release();
    return made;
  }

public:
  /// A function of the host. Null for null.
  static auto make(Store *store, const FuncType *type, callback function) -> own<Func> {
    return make(type, Closure{detail::c(store), function, nullptr, nullptr, nullptr});
  }

  /// A function of the host with an environment. The finalizer, which may be null, is called once with the environment
  /// when the function dies; if no function is made, it is not called, and the environment stays the caller's.
  static auto make(Store *store, const FuncType *type, callback_with_env function, void *env,
                   void (*finalizer)(void *) = nullptr) -> own<Func> {
    return make(type, Closure{detail::c(store), nullptr, function, env, finalizer});
  }

  /// Another reference to the same function.
  auto copy() const -> own<Func> { return detail::taken<Func>(wasm_func_copy(detail::c(this))); }

  /// The type.
  auto type() const -> own<FuncType> { return detail::taken<FuncType>(wasm_func_type(detail::c(this))); }

  /// The number of parameters.
  auto param_arity() const -> size_t { return wasm_func_param_arity(detail::c(this)); }

  /// The number of results.
  auto result_arity() const -> size_t { return wasm_func_result_arity(detail::c(this)); }

  /// Calls the function. The arguments are lent to it; the vector of results must have room for just as many, and what was
  /// in it is given up. Null if it returned; else the trap that ended it, or that says what was wrong with
  /// the arguments. Throws what a callback has thrown.
  auto call(const vec<Val> &args, vec<Val> &results) const -> own<Trap> {
    if (args.get() == results.get() && args.get() != nullptr) {
      size_t count = results.size();
      vec<Val> others = vec<Val>::make_uninitialized(count);
      own<Trap> trap = call(args, others);
      for (size_t i = 0; !trap && i < count; ++i) results[i] = std::move(others[i]);
      return trap;
    }
    wasm_val_vec_t c_args = detail::Access::to_c<wasm_val_vec_t>(args);
    wasm_val_vec_t c_results = detail::Access::to_c<wasm_val_vec_t>(results);
    for (size_t i = 0; i < c_results.size; ++i) results[i].reset();
    wasm_trap_t *trap = wasm_func_call(detail::c(this), &c_args, &c_results);
    if (trap == nullptr) return nullptr;
    own<Trap> owned = detail::taken<Trap>(trap);
    detail::rethrow(owned);
    return owned;
  }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Globals, tables, memories

/// A global.
class WASM_API_EXTERN Global : public Extern {
  WASM_HH_OBJECT(Global)
  void destroy() { wasm_global_delete(detail::c(this)); }

public:
  /// A global with this value at first. Null if the value is not of the type or of another store.
  static auto make(Store *store, const GlobalType *type, const Val &value) -> own<Global> {
    return detail::taken<Global>(wasm_global_new(detail::c(store), detail::c(type), detail::c(&value)));
  }

  /// Another reference to the same global.
  auto copy() const -> own<Global> { return detail::taken<Global>(wasm_global_copy(detail::c(this))); }

  /// The type.
  auto type() const -> own<GlobalType> { return detail::taken<GlobalType>(wasm_global_type(detail::c(this))); }

  /// The value.
  auto get() const -> Val {
    Val value;
    wasm_global_get(detail::c(this), detail::c(&value));
    return value;
  }

  /// Replaces the value. Nothing happens if the global is constant, or the value not of its type or of another store.
  void set(const Val &value) { wasm_global_set(detail::c(this), detail::c(&value)); }
};

/// A table.
class WASM_API_EXTERN Table : public Extern {
  WASM_HH_OBJECT(Table)
  void destroy() { wasm_table_delete(detail::c(this)); }

public:
  /// A number of elements, or an index.
  using size_t = uint32_t;

  /// A table whose elements are all `init`; null stands for the null reference. Null if the limits are impossible, `init`
  /// is not of the element type or of another store, or where memory has run out.
  static auto make(Store *store, const TableType *type, const Ref *init = nullptr) -> own<Table> {
    return detail::taken<Table>(
        wasm_table_new(detail::c(store), detail::c(type), detail::c(const_cast<Ref *>(init))));
  }

  /// Another reference to the same table.
  auto copy() const -> own<Table> { return detail::taken<Table>(wasm_table_copy(detail::c(this))); }

  /// The type, with the size that the table has now as its minimum.
  auto type() const -> own<TableType> { return detail::taken<TableType>(wasm_table_type(detail::c(this))); }

  /// The element at an index; null if it is the null reference, or the index is outside of the table.
  auto get(size_t index) const -> own<Ref> { return detail::taken<Ref>(wasm_table_get(detail::c(this), index)); }

  /// Replaces the element at an index; null stands for the null reference. False if the index is outside of the table, or
  /// the reference not of the element type or of another store.
  auto set(size_t index, const Ref *ref) -> bool {
    return wasm_table_set(detail::c(this), index, detail::c(const_cast<Ref *>(ref)));
  }

  /// The number of elements.
  auto size() const -> size_t { return wasm_table_size(detail::c(this)); }

  /// Adds `delta` elements that are all `init`. False, and nothing changes, if the maximum would be exceeded, `init` is
  /// not of the element type or of another store, or where memory has run out.
  auto grow(size_t delta, const Ref *init = nullptr) -> bool {
    return wasm_table_grow(detail::c(this), delta, detail::c(const_cast<Ref *>(init)));
  }
};

/// A linear memory.
class WASM_API_EXTERN Memory : public Extern {
  WASM_HH_OBJECT(Memory)
  void destroy() { wasm_memory_delete(detail::c(this)); }

public:
  /// A memory, filled with zeros. Null if the limits are impossible, or where memory has run out.
  static auto make(Store *store, const MemoryType *type) -> own<Memory> {
    return detail::taken<Memory>(wasm_memory_new(detail::c(store), detail::c(type)));
  }

  /// Another reference to the same memory.
  auto copy() const -> own<Memory> { return detail::taken<Memory>(wasm_memory_copy(detail::c(this))); }

  /// A number of pages.
  using pages_t = uint32_t;

  /// Bytes of a page.
  static const size_t page_size = 0x10000;

  /// The type, with the size that the memory has now as its minimum.
  auto type() const -> own<MemoryType> { return detail::taken<MemoryType>(wasm_memory_type(detail::c(this))); }

  /// The address of the first byte. A growth, by the host or by WebAssembly code, may move the memory: ask again after
  /// each call.
  auto data() const -> byte_t * { return wasm_memory_data(const_cast<wasm_memory_t *>(detail::c(this))); }

  /// The size in bytes.
  auto data_size() const -> size_t { return wasm_memory_data_size(detail::c(this)); }

  /// The size in pages.
  auto size() const -> pages_t { return wasm_memory_size(detail::c(this)); }

  /// Adds `delta` pages, filled with zeros. False, and nothing changes, if the maximum would be exceeded, or where memory
  /// has run out.
  auto grow(pages_t delta) -> bool { return wasm_memory_grow(detail::c(this), delta); }
};

////////////////////////////////////////////////////////////////////////////////////////////////
// Instances

/// An instance of a module.
class WASM_API_EXTERN Instance : public Ref {
  WASM_HH_OBJECT(Instance)
  void destroy() { wasm_instance_delete(detail::c(this)); }

public:
  /// An instance of a module of the store. The imports are lent, one for each import of the module, in the same order. The
  /// start function runs, if there is one.
  ///
  /// Null if an import is missing or of the wrong type or store, if an active segment does not fit, or if the start
  /// function traps. Then `trap`, if it is not null, receives a trap with the reason; else it receives null. Throws what a
  /// callback has thrown.
  static auto make(Store *store, const Module *module, const vec<Extern *> &imports, own<Trap> *trap = nullptr)
      -> own<Instance> {
    wasm_extern_vec_t c_imports = detail::Access::to_c<wasm_extern_vec_t>(imports);
    wasm_trap_t *c_trap = nullptr;
    own<Instance> made =
        detail::taken<Instance>(wasm_instance_new(detail::c(store), detail::c(module), &c_imports, &c_trap));
    own<Trap> reason = detail::taken<Trap>(c_trap);
    detail::rethrow(reason);
    if (trap != nullptr) *trap = std::move(reason);
    return made;
  }

  /// Another reference to the same instance.
  auto copy() const -> own<Instance> { return detail::taken<Instance>(wasm_instance_copy(detail::c(this))); }

  /// The exports, in the order of the module's declarations.
  auto exports() const -> ownvec<Extern> {
    wasm_extern_vec_t exports;
    wasm_instance_exports(detail::c(this), &exports);
    return detail::Access::take<Extern>(&exports, &wasm_extern_vec_delete);
  }
};

#undef WASM_HH_OBJECT

}  // namespace wasm

#endif  // WASM_HH
