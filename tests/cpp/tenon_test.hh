// What the tests of tenon.hh share: the engine that the environment names, and what something throws.
#ifndef TENON_TEST_HH
#define TENON_TEST_HH

#include <tenon.hh>

#include <type_traits>

#include "test_util.hh"

namespace test {

// The settings of the engine that TENON_TEST_ENGINE asks for, as in the tests in C.
inline tenon::Config test_config() {
  const char *kind = std::getenv("TENON_TEST_ENGINE");
  std::string name = kind != nullptr ? kind : "";
  tenon::Config config;
  if (name == "checked") config.signals = false;
  if (name == "eager") config.eager = true;
  if (name == "collecting") config.collect_always = true;
  if (name == "moving") config.memory_reservation = config.memory_guard = 0;
  return config;
}

inline tenon::Engine test_engine() { return tenon::Engine(test_config()); }

// Whether something throws an E whose text contains a part; an `Error` of this kind, if one is given.
template <class E = tenon::Error, class F>
bool throws(F &&f, const char *part, int kind = -1) {
  try {
    f();
  } catch (const E &error) {
    if constexpr (std::is_base_of_v<tenon::Error, E>) {
      if (kind >= 0 && error.kind() != kind) {
        std::printf("kind %d instead of %d\n", error.kind(), kind);
        return false;
      }
    }
    return says(error.what(), part);
  } catch (const std::exception &other) {
    std::printf("another exception: %s\n", other.what());
    return false;
  }
  std::printf("no exception where one should say \"%s\"\n", part);
  return false;
}

}  // namespace test

#endif
