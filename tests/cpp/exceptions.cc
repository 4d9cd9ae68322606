// What a callback throws comes out at the caller, through WebAssembly code, and nothing is lost on the way.

#include <stdexcept>

#include "test_util.hh"

using namespace test;
using wasm::Func;
using wasm::Trap;

// Something to throw that is no std::exception and counts those that live.
struct Thing {
  static int alive;
  int number;
  explicit Thing(int number) : number(number) { ++alive; }
  Thing(const Thing &that) : number(that.number) { ++alive; }
  ~Thing() { --alive; }
};
int Thing::alive = 0;

static own<Trap> throws(const vec<Val> &args, vec<Val> &results) {
  if (args[0].i32() == 0) throw std::runtime_error("thrown by the host");
  if (args[0].i32() < 0) throw Thing(args[0].i32());
  results[0] = args[0].copy();
  return nullptr;
}

// Calls WebAssembly code again, and lets everything pass or catches it.
static const Func *inner;

static own<Trap> calls_again(void *catching, const vec<Val> &args, vec<Val> &results) {
  vec<Val> in = args.deep_copy();
  if (catching == nullptr) return inner->call(in, results);
  try {
    return inner->call(in, results);
  } catch (const Thing &thing) {
    results[0] = Val::i32(100 - thing.number);
    return nullptr;
  }
}

static const char caller[] =
    "(module (import \"\" \"f\" (func $f (param i32) (result i32)))"
    "  (func $middle (param i32) (result i32) (call $f (local.get 0)))"
    "  (func (export \"run\") (param i32) (result i32) (call $middle (local.get 0))))";

static int what_thing(const Func *func, int32_t arg) {
  vec<Val> args = vec<Val>::make(Val::i32(arg)), results = vec<Val>::make_uninitialized(1);
  try {
    own<Trap> trap = func->call(args, results);
    CHECK(!trap);
    return results[0].i32();
  } catch (const Thing &thing) {
    return thing.number;
  } catch (const std::runtime_error &error) {
    CHECK(std::string(error.what()) == "thrown by the host");
    return 1000;
  }
}

int main() {
  own<wasm::Engine> engine = new_engine();
  own<wasm::Store> store = wasm::Store::make(engine.get());
  own<wasm::FuncType> type = wasm::FuncType::make(
      ownvec<wasm::ValType>::make(type_of(wasm::ValKind::I32)),
      ownvec<wasm::ValType>::make(type_of(wasm::ValKind::I32)));
  own<Func> func = Func::make(store.get(), type.get(), throws);
  ownvec<wasm::Extern> exports = exports_of(store.get(), caller, vec<wasm::Extern *>::make(func.get()));
  inner = exports[0]->func();

  const Func *ways[] = {func.get(), inner};
  for (const Func *way : ways) {
    for (int round = 0; round < 3; ++round) {
      CHECK(what_thing(way, 5) == 5);
      CHECK(what_thing(way, 0) == 1000);
      CHECK(what_thing(way, -3) == -3);
    }
  }

  // Through two layers of WebAssembly code and two calls.
  own<Func> passing = Func::make(store.get(), type.get(), calls_again, nullptr);
  ownvec<wasm::Extern> outer = exports_of(store.get(), caller, vec<wasm::Extern *>::make(passing.get()));
  CHECK(what_thing(outer[0]->func(), -4) == -4);
  CHECK(what_thing(outer[0]->func(), 0) == 1000);
  CHECK(what_thing(outer[0]->func(), 9) == 9);

  // Caught on the way.
  int yes = 1;
  own<Func> catching = Func::make(store.get(), type.get(), calls_again, &yes);
  ownvec<wasm::Extern> caught = exports_of(store.get(), caller, vec<wasm::Extern *>::make(catching.get()));
  CHECK(what_thing(caught[0]->func(), -4) == 104);
  CHECK(what_thing(caught[0]->func(), 0) == 1000);

  // To a caller in C it is a trap, with the exception's text and the frames.
  wasm_val_t arg, result;
  arg.kind = WASM_I32;
  arg.of.i32 = 0;
  result.kind = WASM_I32;
  wasm_val_vec_t args = {1, &arg}, results = {1, &result};
  {
    own<Trap> trap = wasm::make_own(reinterpret_cast<Trap *>(
        wasm_func_call(reinterpret_cast<const wasm_func_t *>(inner), &args, &results)));
    CHECK(message_of(trap) == "thrown by the host" && trap->trace().size() == 2);
    arg.of.i32 = -1;
    trap = wasm::make_own(reinterpret_cast<Trap *>(
        wasm_func_call(reinterpret_cast<const wasm_func_t *>(inner), &args, &results)));
    CHECK(says(message_of(trap), "threw an exception") && Thing::alive == 1);
  }

  // A trap of the host's own with information of its own is no exception.
  int info = 0;
  own<Trap> plain = Trap::make(store.get(), wasm::Message::make_nt(std::string("plain")));
  plain->set_host_info(&info);
  own<Func> trapping = Func::make(
      store.get(), type.get(),
      [](void *trap, const vec<Val> &, vec<Val> &) -> own<Trap> { return static_cast<Trap *>(trap)->copy(); },
      plain.get());
  vec<Val> in = vec<Val>::make(Val::i32(1)), out = vec<Val>::make_uninitialized(1);
  own<Trap> trap = trapping->call(in, out);
  CHECK(trap && trap->same(plain.get()) && trap->get_host_info() == &info);

  // Out of a start function.
  own<wasm::Module> module = module_of(store.get(),
      "(module (import \"\" \"f\" (func $f (param i32) (result i32)))"
      "  (func $s (drop (call $f (i32.const -8)))) (start $s))");
  bool came_out = false;
  try {
    wasm::Instance::make(store.get(), module.get(), vec<wasm::Extern *>::make(func.get()));
  } catch (const Thing &thing) {
    came_out = thing.number == -8;
  }
  CHECK(came_out);

  trap.reset();
  tenon_store_gc(reinterpret_cast<wasm_store_t *>(store.get()));
  CHECK(Thing::alive == 0);
  return done();
}
