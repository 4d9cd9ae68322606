// The header twice in one source, and in two sources of one program; beside the C header, in this order.

#include <wasm.hh>
#include <wasm.h>
#include <wasm.hh>

#include <cstdio>

int other_answer(wasm::Store *store);

int main() {
  wasm::own<wasm::Engine> engine = wasm::Engine::make();
  wasm::own<wasm::Store> store = wasm::Store::make(engine.get());
  int answer = other_answer(store.get());
  std::printf("%d\n", answer);
  return answer == 42 ? 0 : 1;
}
