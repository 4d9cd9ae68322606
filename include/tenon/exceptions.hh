// tenon/exceptions.hh: tags and exceptions of WebAssembly for C++: thrown and caught on both sides.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_EXCEPTIONS_HH)
#define TENON_EXCEPTIONS_HH

namespace tenon {

/// What tells exceptions apart, and says what they carry. Copies are references to the same tag.
class Tag {
public:
  /// A tag, which differs from all others, of exceptions with these values.
  explicit Tag(const Store &store, const std::vector<ValType> &params = {}) : store_(store.c()) {
    std::unique_ptr<wasm_tagtype_t, void (*)(wasm_tagtype_t *)> type(
        wasm_tagtype_new(detail::functype_of(params, {}).release()), wasm_tagtype_delete);
    wasm_tag_t *made;
    detail::check(tenon_tag_new(store.c(), type.get(), &made));
    tag_ = std::shared_ptr<wasm_tag_t>(made, wasm_tag_delete);
  }

  /// The types of what its exceptions carry.
  std::vector<ValType> params() const {
    std::unique_ptr<wasm_tagtype_t, void (*)(wasm_tagtype_t *)> type(wasm_tag_type(get()), wasm_tagtype_delete);
    return detail::types_in(wasm_functype_params(wasm_tagtype_functype(type.get())));
  }

  /// Whether both are the same tag.
  bool operator==(const Tag &other) const noexcept { return wasm_tag_same(get(), other.get()); }
  bool operator!=(const Tag &other) const noexcept { return !(*this == other); }

  /// The tag as a reference.
  Ref ref() const { return Ref::own(wasm_tag_as_ref(wasm_tag_copy(get()))); }

  /// The object below.
  wasm_tag_t *get() const noexcept { return tag_.get(); }

  /// The tag as an import.
  wasm::Extern *get_extern() const noexcept { return wasm::detail::cc(wasm_tag_as_extern(get())); }

private:
  friend class Instance;
  friend class WasmException;
  std::shared_ptr<wasm_tag_t> tag_;
  wasm_store_t *store_;

  Tag(wasm_store_t *store, wasm_tag_t *owned) : tag_(owned, wasm_tag_delete), store_(store) {}
};

/// An exception of WebAssembly: a tag and values. A function of the host throws it in the WebAssembly code that called it; where no
/// such code catches it, it comes out at the caller. Copies are the same exception.
class WasmException : public TrapError {
public:
  /// An exception, to be thrown. Throws `Error` if the values are not those that the tag's type says.
  WasmException(const Tag &tag, const std::vector<Value> &values)
      : WasmException(made(tag, values), tag.store_, "an exception of WebAssembly") {}

  /// The exception that a reference is to. Throws `Error` if it is to something else.
  WasmException(const Store &store, const Ref &ref)
      : WasmException(tenon_exception_copy(tenon_ref_as_exception(ref.get())), store.c(), "an exception of WebAssembly") {}

  /// The tag.
  Tag tag() const { return Tag(store_, tenon_exception_tag(get())); }

  /// The values that it carries.
  std::vector<Value> values() const {
    std::vector<ValType> types = tag().params();
    std::vector<tenon_raw_t> raw(types.size() + 1);
    detail::check(tenon_exception_args_raw(get(), raw.data()));
    std::vector<Value> values;
    for (size_t i = 0; i < types.size(); ++i) {
      tenon_val_t val;
      val.kind = types[i].kind();
      std::memcpy(&val.of, &raw[i], sizeof val.of);
      values.push_back(Value::own(val));
    }
    return values;
  }

  /// Whether both are the same exception, and not only alike.
  bool same(const WasmException &other) const noexcept { return tenon_exception_same(get(), other.get()); }

  /// The exception as a reference.
  Ref ref() const { return Ref::own(tenon_exception_as_ref(tenon_exception_copy(get()))); }

  /// The object below.
  tenon_exception_t *get() const noexcept { return exception_.get(); }

  std::shared_ptr<TrapError> clone() const override { return std::make_shared<WasmException>(*this); }
  [[noreturn]] void raise() const override { throw *this; }

private:
  friend std::shared_ptr<TrapError> detail::error_of(const wasm::Trap *trap);
  std::shared_ptr<tenon_exception_t> exception_;
  wasm_store_t *store_;

  WasmException(tenon_exception_t *owned, wasm_store_t *store, const std::string &message)
      : TrapError(TENON_TRAP_UNCAUGHT_EXCEPTION, message), exception_(owned, tenon_exception_delete), store_(store) {
    if (owned == nullptr) throw Error(TENON_ERROR_ARGUMENT, "the reference is to no exception");
  }

  // What a trap carries, which is taken over.
  WasmException(tenon_exception_t *owned, const wasm::Trap *trap)
      : TrapError(trap), exception_(owned, tenon_exception_delete), store_(nullptr) {}

  static tenon_exception_t *made(const Tag &tag, const std::vector<Value> &values) {
    std::vector<ValType> types = tag.params();
    if (values.size() != types.size()) {
      throw Error(TENON_ERROR_ARGUMENT, "an exception of " + std::to_string(values.size()) + " values, expected " +
                                            std::to_string(types.size()));
    }
    std::vector<tenon_raw_t> raw(types.size() + 1);
    for (size_t i = 0; i < types.size(); ++i) {
      wasm_valkind_t kind = types[i].kind(), found = values[i].kind();
      if (kind > TENON_V128 ? found <= TENON_V128 : found != kind) {
        throw Error(TENON_ERROR_ARGUMENT, "value " + std::to_string(i) + " of an exception is of another kind than " + types[i].name());
      }
      std::memcpy(&raw[i], &values[i].c()->of, sizeof raw[i]);
    }
    tenon_exception_t *made;
    detail::check(tenon_exception_new_raw(tag.store_, tag.get(), raw.data(), &made));
    return made;
  }
};

namespace detail {

inline std::shared_ptr<TrapError> error_of(const wasm::Trap *trap) {
  tenon_exception_t *exception = tenon_trap_exception(wasm::detail::c(trap));
  if (exception == nullptr) return std::make_shared<TrapError>(trap);
  return std::shared_ptr<TrapError>(new WasmException(exception, trap));
}

[[noreturn]] inline void fail(const wasm::own<wasm::Trap> &trap) {
  wasm::detail::rethrow(trap);
  std::shared_ptr<TrapError> error = error_of(trap.get());
  if (auto exception = dynamic_cast<const WasmException *>(error.get())) throw *exception;
  throw *error;
}

inline wasm_trap_t *thrown(wasm_store_t *store) noexcept {
  try {
    throw;
  } catch (const WasmException &exception) {
    wasm_trap_t *trap = tenon_trap_from_exception(exception.get());
    return trap != nullptr ? trap : wasm::detail::Thrown::trap(store);
  } catch (...) {
    return wasm::detail::Thrown::trap(store);
  }
}

}  // namespace detail

inline Tag Instance::tag(std::string_view name) const {
  wasm_tag_t *found = wasm_extern_as_tag(wasm::detail::c(get_export(name)));
  if (found == nullptr) throw Error(TENON_ERROR_ARGUMENT, "export \"" + std::string(name) + "\" is no tag");
  return Tag(parts_->store.c(), wasm_tag_copy(found));
}

}  // namespace tenon

#endif  // TENON_EXCEPTIONS_HH
