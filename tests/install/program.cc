// The same in C++, once with tenon.hh and once with wasm.hh, and an exception that comes out through WebAssembly code.

#include <iostream>
#include <stdexcept>
#include <tenon.hh>
#include <wasm.hh>

static bool with_tenon(const tenon::Store &store) {
  tenon::Linker linker(store);
  linker.define_func("env", "check", [](int32_t divisor) {
    if (divisor == 0) throw std::domain_error("divisor is zero");
  });
  tenon::Instance instance = linker.instantiate(tenon::Module::from_text(store, R"((module
    (import "env" "check" (func $check (param i32)))
    (func (export "divide") (param i32 i32) (result i32)
      (call $check (local.get 1)) (i32.div_s (local.get 0) (local.get 1)))))"));
  auto divide = instance.func<int32_t(int32_t, int32_t)>("divide");
  if (divide(42, 6) != 7) return false;
  try {
    divide(42, 0);
    return false;
  } catch (const std::domain_error &) {
    return true;
  }
}

static bool with_wasm() {
  auto engine = wasm::Engine::make();
  auto store = wasm::Store::make(engine.get());
  const char empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  auto binary = wasm::vec<byte_t>::make_uninitialized(sizeof empty);
  for (size_t i = 0; i < sizeof empty; ++i) binary[i] = empty[i];
  auto module = wasm::Module::make(store.get(), binary);
  return module && wasm::Instance::make(store.get(), module.get(), wasm::vec<wasm::Extern *>::make());
}

int main() {
  bool good = with_tenon(tenon::Store()) && with_wasm();
  std::cout << (good ? "C++ works\n" : "C++ does not work\n");
  return good ? 0 : 1;
}
