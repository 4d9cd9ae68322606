// The other source of the program twice.cc.

#include <wasm.h>
#include <wasm.hh>
#include <wasm.hh>

static wasm::own<wasm::Trap> answer(
    const wasm::vec<wasm::Val> &, wasm::vec<wasm::Val> &results) {
  results[0] = wasm::Val::i32(42);
  return nullptr;
}

int other_answer(wasm::Store *store) {
  auto type = wasm::FuncType::make(
      wasm::ownvec<wasm::ValType>::make(),
      wasm::ownvec<wasm::ValType>::make(wasm::ValType::make(wasm::ValKind::I32)));
  auto func = wasm::Func::make(store, type.get(), answer);
  auto args = wasm::vec<wasm::Val>::make();
  auto results = wasm::vec<wasm::Val>::make_uninitialized(1);
  return func->call(args, results) ? 0 : results[0].i32();
}
