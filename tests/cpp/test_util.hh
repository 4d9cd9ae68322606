// What the C++ tests share: checks, engines of each kind, modules from text, instances and calls.
#ifndef TEST_UTIL_HH
#define TEST_UTIL_HH

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <tenon.h>
#include <wasm.hh>

namespace test {

using wasm::own;
using wasm::ownvec;
using wasm::Val;
using wasm::vec;

inline std::atomic<int> &checks() {
  static std::atomic<int> count(0);
  return count;
}

inline std::atomic<int> &failures() {
  static std::atomic<int> count(0);
  return count;
}

inline bool check(bool holds, const char *statement, const char *file, int line) {
  ++checks();
  if (!holds && ++failures() <= 20) {
    std::printf("%s:%d: does not hold: %s\n", file, line, statement);
    std::fflush(stdout);
  }
  return holds;
}

// Counts and tests one statement; a false one is printed and the program goes on.
#define CHECK(...) test::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// A check without which the rest makes no sense.
#define REQUIRE(...) \
  do { \
    if (!CHECK(__VA_ARGS__)) std::exit(1); \
  } while (0)

// Prints how many checks there were; the program's exit status.
inline int done() {
  std::printf("%d checks, %d failed\n", checks().load(), failures().load());
  return failures() != 0;
}

// The engine that a test uses; tests/c/test_util.h says what TENON_TEST_ENGINE means.
inline own<wasm::Engine> new_engine() {
  const char *kind = std::getenv("TENON_TEST_ENGINE");
  if (kind == nullptr) return wasm::Engine::make();
  own<wasm::Config> config = wasm::Config::make();
  wasm_config_t *c_config = reinterpret_cast<wasm_config_t *>(config.get());
  if (std::strcmp(kind, "checked") == 0) {
    tenon_config_set_signals(c_config, false);
  } else if (std::strcmp(kind, "moving") == 0) {
    tenon_config_set_memory_reservation(c_config, 0);
    tenon_config_set_memory_guard(c_config, 0);
  } else if (std::strcmp(kind, "eager") == 0) {
    tenon_config_set_eager(c_config, true);
  } else if (std::strcmp(kind, "collecting") == 0) {
    tenon_config_set_collect_always(c_config, true);
  } else {
    std::printf("TENON_TEST_ENGINE: %s is not known\n", kind);
    std::exit(1);
  }
  return wasm::Engine::make(std::move(config));
}

inline vec<byte_t> binary_of(const std::string &text) {
  wasm_byte_vec_t binary;
  tenon_error_t *error = tenon_wat2wasm(text.data(), text.size(), &binary);
  if (error != nullptr) {
    std::printf("%s\nin\n%s\n", tenon_error_message(error), text.c_str());
    std::exit(1);
  }
  vec<byte_t> made = vec<byte_t>::make(binary.size, binary.data);
  wasm_byte_vec_delete(&binary);
  return made;
}

inline own<wasm::Module> module_of(wasm::Store *store, const std::string &text) {
  own<wasm::Module> module = wasm::Module::make(store, binary_of(text));
  if (!module) {
    std::printf("%s\nin\n%s\n", tenon_last_error(), text.c_str());
    std::exit(1);
  }
  return module;
}

// The exports of an instance, which they keep alive.
inline ownvec<wasm::Extern> exports_of(
    wasm::Store *store, const std::string &text,
    const vec<wasm::Extern *> &imports = vec<wasm::Extern *>::make()) {
  own<wasm::Module> module = module_of(store, text);
  own<wasm::Instance> instance = wasm::Instance::make(store, module.get(), imports);
  if (!instance) {
    std::printf("%s\nin\n%s\n", tenon_last_error(), text.c_str());
    std::exit(1);
  }
  return instance->exports();
}

inline own<wasm::ValType> type_of(wasm::ValKind kind) { return wasm::ValType::make(kind); }

inline std::string text_of(const vec<byte_t> &bytes) { return std::string(bytes.get(), bytes.size()); }

// The message of a trap without its NUL.
inline std::string message_of(const own<wasm::Trap> &trap) {
  if (!trap) return "(no trap)";
  wasm::Message message = trap->message();
  if (!CHECK(message.size() > 0 && message[message.size() - 1] == 0)) return "";
  return std::string(message.get());
}

inline bool says(const std::string &text, const char *part) {
  bool found = text.find(part) != std::string::npos;
  if (!found) std::printf("\"%s\" should say \"%s\"\n", text.c_str(), part);
  return found;
}

inline bool error_says(const char *part) {
  const char *error = tenon_last_error();
  return says(error != nullptr ? error : "(no error)", part);
}

// Calls a function with these arguments that has one result.
template <class... Ts>
Val call1(const wasm::Func *func, Ts... args) {
  vec<Val> in = vec<Val>::make(Val::make(args)...);
  vec<Val> out = vec<Val>::make_uninitialized(1);
  own<wasm::Trap> trap = func->call(in, out);
  if (!CHECK(!trap)) std::printf("%s\n", message_of(trap).c_str());
  return std::move(out[0]);
}

// Counts finalizations: takes a pointer to an int.
inline void count(void *counter) { ++*static_cast<int *>(counter); }

}  // namespace test

#endif
