// tenon/errors.hh: failures, as exceptions or as results.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_ERRORS_HH)
#define TENON_ERRORS_HH

namespace tenon {

namespace detail {

// The bytes of a vector, which is taken over.
inline std::string text_in(wasm_byte_vec_t &bytes) {
  std::unique_ptr<wasm_byte_vec_t, void (*)(wasm_byte_vec_t *)> owned(&bytes, wasm_byte_vec_delete);
  return bytes.size != 0 ? std::string(bytes.data, bytes.size) : std::string();
}

}  // namespace detail

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
    return detail::text_in(name);
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

}  // namespace tenon

#endif  // TENON_ERRORS_HH
