// Functions of the host: with and without environment, finalizers, all kinds of values, traps, calls back and forth,
// results that are not filled in or put in another vector.

#include "test_util.hh"

using namespace test;
using wasm::Func;
using wasm::FuncType;
using wasm::Trap;
using wasm::ValKind;

namespace {

wasm::Engine *engine;

own<FuncType> type_of_kinds(std::initializer_list<ValKind> params, std::initializer_list<ValKind> results) {
  ownvec<wasm::ValType> ps = ownvec<wasm::ValType>::make_uninitialized(params.size());
  ownvec<wasm::ValType> rs = ownvec<wasm::ValType>::make_uninitialized(results.size());
  size_t i = 0;
  for (ValKind kind : params) ps[i++] = type_of(kind);
  i = 0;
  for (ValKind kind : results) rs[i++] = type_of(kind);
  return FuncType::make(std::move(ps), std::move(rs));
}

own<Trap> swap(const vec<Val> &args, vec<Val> &results) {
  CHECK(args.size() == 5 && results.size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    CHECK(results[i].is_ref() && results[i].ref() == nullptr);
    results[i] = args[4 - i].copy();
  }
  return nullptr;
}

void test_values() {
  own<wasm::Store> store = wasm::Store::make(engine);
  own<FuncType> type = type_of_kinds(
      {ValKind::I32, ValKind::I64, ValKind::F32, ValKind::F64, ValKind::EXTERNREF},
      {ValKind::EXTERNREF, ValKind::F64, ValKind::F32, ValKind::I64, ValKind::I32});
  own<Func> func = Func::make(store.get(), type.get(), swap);
  REQUIRE(func);
  CHECK(func->param_arity() == 5 && func->result_arity() == 5);
  CHECK(func->type()->params().size() == 5 && func->type()->results()[0]->kind() == ValKind::EXTERNREF);
  ownvec<wasm::Extern> exports = exports_of(store.get(),
      "(module (type $t (func (param i32 i64 f32 f64 externref) (result externref f64 f32 i64 i32)))"
      "  (import \"\" \"swap\" (func $swap (type $t)))"
      "  (func (export \"run\") (type $t)"
      "    (call $swap (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))))",
      vec<wasm::Extern *>::make(func.get()));
  own<wasm::Foreign> object = wasm::Foreign::make(store.get());
  int finalized = 0;
  object->set_host_info(&finalized, count);
  const Func *ways[] = {func.get(), exports[0]->func()};
  for (const Func *way : ways) {
    vec<Val> args = vec<Val>::make(
        Val::i32(-1), Val::i64(1LL << 40), Val::f32(0.5f), Val::f64(-2.5), Val::ref(object->copy()));
    vec<Val> results = vec<Val>::make_uninitialized(5);
    CHECK(!way->call(args, results));
    CHECK(results[0].ref()->same(object.get()) && results[1].f64() == -2.5 && results[2].f32() == 0.5f);
    CHECK(results[3].i64() == 1LL << 40 && results[4].i32() == -1);
    // Once more into the same results: what was in them is given up.
    CHECK(!way->call(args, results));
    CHECK(results[0].ref()->same(object.get()));
  }
  object.reset();
  tenon_store_gc(reinterpret_cast<wasm_store_t *>(store.get()));
  CHECK(finalized == 1);
}

struct Counter {
  int calls;
  int finalized;
};

own<Trap> tick(void *env, const vec<Val> &args, vec<Val> &results) {
  Counter *counter = static_cast<Counter *>(env);
  counter->calls += args[0].i32();
  results[0] = Val::i32(counter->calls);
  return nullptr;
}

void finalize_counter(void *env) { ++static_cast<Counter *>(env)->finalized; }

void test_environments() {
  Counter counter = {0, 0};
  own<wasm::Store> store = wasm::Store::make(engine);
  own<FuncType> type = type_of_kinds({ValKind::I32}, {ValKind::I32});
  own<Func> func = Func::make(store.get(), type.get(), tick, &counter, finalize_counter);
  CHECK(call1(func.get(), int32_t(2)).i32() == 2);
  own<Func> copy = func->copy();
  CHECK(copy->same(func.get()));
  func.reset();
  CHECK(call1(copy.get(), int32_t(3)).i32() == 5 && counter.finalized == 0);

  // The store's own handle goes first: what is still referred to stays usable.
  store.reset();
  CHECK(call1(copy.get(), int32_t(4)).i32() == 9 && counter.finalized == 0);
  copy.reset();
  CHECK(counter.finalized == 1 && counter.calls == 9);

  // Without finalizer; with the arguments and the results in the same vector.
  store = wasm::Store::make(engine);
  func = Func::make(store.get(), type.get(), tick, &counter);
  vec<Val> both = vec<Val>::make(Val::i32(1));
  CHECK(!func->call(both, both));
  CHECK(both[0].i32() == 10);
}

own<Trap> trap_after_reference(void *env, const vec<Val> &args, vec<Val> &results) {
  results[0] = args[0].copy();
  return Trap::make(static_cast<wasm::Store *>(env), wasm::Message::make_nt(std::string("no way")));
}

void test_traps() {
  own<wasm::Store> store = wasm::Store::make(engine);
  own<FuncType> type = type_of_kinds({ValKind::EXTERNREF}, {ValKind::EXTERNREF});
  own<Func> func = Func::make(store.get(), type.get(), trap_after_reference, store.get());
  ownvec<wasm::Extern> exports = exports_of(store.get(),
      "(module (import \"\" \"f\" (func $f (param externref) (result externref)))"
      "  (func (export \"run\") (param externref) (result externref) (call $f (local.get 0))))",
      vec<wasm::Extern *>::make(func.get()));
  own<wasm::Foreign> object = wasm::Foreign::make(store.get());
  int finalized = 0;
  object->set_host_info(&finalized, count);
  vec<Val> args = vec<Val>::make(Val::ref(object->copy()));
  vec<Val> results = vec<Val>::make_uninitialized(1);
  own<Trap> trap = exports[0]->func()->call(args, results);
  CHECK(message_of(trap) == "no way");
  CHECK(trap->origin() && trap->origin()->func_index() == 1 && trap->trace().size() == 1);
  CHECK(results[0].ref() == nullptr);
  // The reference that was given away beside the trap is given up.
  args.reset();
  object.reset();
  trap.reset();
  tenon_store_gc(reinterpret_cast<wasm_store_t *>(store.get()));
  CHECK(finalized == 1);
}

own<Trap> in_another_vector(void *size, const vec<Val> &args, vec<Val> &results) {
  vec<Val> others = vec<Val>::make_uninitialized(*static_cast<size_t *>(size));
  for (size_t i = 0; i < others.size(); ++i) others[i] = args[0].copy();
  results = std::move(others);
  return nullptr;
}

own<Trap> taken_away(const vec<Val> &, vec<Val> &results) {
  results[0] = Val::i32(4);
  vec<Val> mine = std::move(results);
  CHECK(mine.size() == 1 && mine[0].i32() == 4 && !results);
  if (mine[0].i32() == 4) results = std::move(mine);
  return nullptr;
}

own<Trap> leaves_out(const vec<Val> &, vec<Val> &) { return nullptr; }

own<Trap> wrong_kind(const vec<Val> &, vec<Val> &results) {
  results[0] = Val::f64(1);
  return nullptr;
}

void test_results() {
  own<wasm::Store> store = wasm::Store::make(engine);
  own<FuncType> type = type_of_kinds({ValKind::I32}, {ValKind::I32});
  vec<Val> args = vec<Val>::make(Val::i32(11));
  vec<Val> results = vec<Val>::make_uninitialized(1);
  size_t size = 1;
  own<Func> func = Func::make(store.get(), type.get(), in_another_vector, &size);
  CHECK(!func->call(args, results));
  CHECK(results[0].i32() == 11);
  size = 2;
  CHECK(says(message_of(func->call(args, results)), "a vector of 2 results, expected 1"));
  size = 0;
  CHECK(says(message_of(func->call(args, results)), "a vector of 0 results, expected 1"));
  func = Func::make(store.get(), type.get(), taken_away);
  CHECK(!func->call(args, results));
  CHECK(results[0].i32() == 4);
  func = Func::make(store.get(), type.get(), leaves_out);
  CHECK(says(message_of(func->call(args, results)), "result 0, expected i32"));
  func = Func::make(store.get(), type.get(), wrong_kind);
  CHECK(says(message_of(func->call(args, results)), "returned f64 for result 0, expected i32"));

  // A reference that is not filled in is null.
  type = type_of_kinds({}, {ValKind::FUNCREF});
  func = Func::make(store.get(), type.get(), leaves_out);
  vec<Val> none = vec<Val>::make();
  CHECK(!func->call(none, results));
  CHECK(results[0].ref() == nullptr);
}

// Calls itself through WebAssembly code as deep as its argument says.
const Func *down;

own<Trap> deeper(const vec<Val> &args, vec<Val> &results) {
  results[0] = args[0].i32() == 0 ? Val::i32(0) : call1(down, int32_t(args[0].i32() - 1));
  return nullptr;
}

void test_recursion() {
  own<wasm::Store> store = wasm::Store::make(engine);
  own<FuncType> type = type_of_kinds({ValKind::I32}, {ValKind::I32});
  own<Func> func = Func::make(store.get(), type.get(), deeper);
  ownvec<wasm::Extern> exports = exports_of(store.get(),
      "(module (import \"\" \"f\" (func $f (param i32) (result i32)))"
      "  (func (export \"run\") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))",
      vec<wasm::Extern *>::make(func.get()));
  down = exports[0]->func();
  CHECK(call1(down, int32_t(20)).i32() == 21);
}

}  // namespace

int main() {
  own<wasm::Engine> owned = new_engine();
  engine = owned.get();
  test_values();
  test_environments();
  test_traps();
  test_results();
  test_recursion();
  return done();
}
