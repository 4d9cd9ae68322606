// Modules: validated, reflected, serialized, shared among threads, instantiated.

#include <thread>

#include "test_util.hh"

using namespace test;
using wasm::Module;

static const char text[] =
    "(module"
    "  (import \"env\" \"add\" (func $add (param i32 i32) (result i32)))"
    "  (import \"env\" \"memory\" (memory 1 4))"
    "  (func (export \"twice\") (param i32) (result i32) (call $add (local.get 0) (local.get 0)))"
    "  (global (export \"answer\") i32 (i32.const 42)))";

static own<wasm::Trap> add(void *env, const vec<Val> &args, vec<Val> &results) {
  ++*static_cast<int *>(env);
  results[0] = Val::i32(args[0].i32() + args[1].i32());
  return nullptr;
}

static int32_t run(wasm::Store *store, const Module *module, int32_t arg, int *calls) {
  own<wasm::FuncType> type = wasm::FuncType::make(
      ownvec<wasm::ValType>::make(type_of(wasm::ValKind::I32), type_of(wasm::ValKind::I32)),
      ownvec<wasm::ValType>::make(type_of(wasm::ValKind::I32)));
  own<wasm::Func> func = wasm::Func::make(store, type.get(), add, calls);
  own<wasm::MemoryType> memory_type = wasm::MemoryType::make(wasm::Limits(1, 4));
  own<wasm::Memory> memory = wasm::Memory::make(store, memory_type.get());
  own<wasm::Instance> instance =
      wasm::Instance::make(store, module, vec<wasm::Extern *>::make(func.get(), memory.get()));
  REQUIRE(instance);
  return call1(instance->exports()[0]->func(), arg).i32();
}

static void test_reflection(const Module *module) {
  ownvec<wasm::ImportType> imports = module->imports();
  ownvec<wasm::ExportType> exports = module->exports();
  REQUIRE(imports.size() == 2 && exports.size() == 2);
  CHECK(text_of(imports[0]->module()) == "env" && text_of(imports[0]->name()) == "add");
  CHECK(imports[0]->type()->func()->params().size() == 2);
  CHECK(text_of(imports[1]->name()) == "memory" && imports[1]->type()->memory()->limits().max == 4);
  CHECK(text_of(exports[0]->name()) == "twice" && exports[0]->type()->kind() == wasm::ExternKind::FUNC);
  CHECK(text_of(exports[1]->name()) == "answer");
  CHECK(exports[1]->type()->global()->mutability() == wasm::Mutability::CONST);
}

static void test_serialization(wasm::Engine *engine, const Module *module) {
  vec<byte_t> bytes = module->serialize();
  REQUIRE(bytes && bytes.size() > 0);
  own<wasm::Store> store = wasm::Store::make(engine);
  own<Module> again = Module::deserialize(store.get(), bytes);
  REQUIRE(again);
  test_reflection(again.get());
  int calls = 0;
  CHECK(run(store.get(), again.get(), 4, &calls) == 8 && calls == 1);
  bytes[bytes.size() / 2] ^= 1;
  CHECK(!Module::deserialize(store.get(), bytes));
  CHECK(!Module::deserialize(store.get(), vec<byte_t>::make()));
}

static void test_threads(wasm::Engine *engine, const Module *module) {
  own<wasm::Shared<Module>> shared = module->share();
  REQUIRE(shared);
  const int count = 4;
  std::thread threads[count];
  int32_t sums[count] = {0};
  int calls[count] = {0};
  for (int i = 0; i < count; ++i) {
    threads[i] = std::thread([&, i] {
      for (int32_t round = 0; round < 20; ++round) {
        own<wasm::Store> store = wasm::Store::make(engine);
        own<Module> mine = Module::obtain(store.get(), shared.get());
        REQUIRE(mine);
        sums[i] += run(store.get(), mine.get(), round + i, &calls[i]);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  for (int i = 0; i < count; ++i) CHECK(sums[i] == 2 * (190 + 20 * i) && calls[i] == 20);

  own<wasm::Engine> other = new_engine();
  own<wasm::Store> store = wasm::Store::make(other.get());
  CHECK(!Module::obtain(store.get(), shared.get()) && error_says("engine"));
}

static void test_start(wasm::Store *store) {
  own<Module> module = module_of(store, "(module (func $s unreachable) (start $s))");
  own<wasm::Trap> trap;
  CHECK(!wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make(), &trap));
  CHECK(message_of(trap) == "unreachable" && trap->origin());
  CHECK(!wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make()));
}

int main() {
  own<wasm::Engine> engine = new_engine();
  own<wasm::Store> store = wasm::Store::make(engine.get());
  vec<byte_t> binary = binary_of(text);
  CHECK(Module::validate(store.get(), binary));
  own<Module> module = Module::make(store.get(), binary);
  REQUIRE(module);
  binary[8] = 77;
  CHECK(!Module::validate(store.get(), binary));
  CHECK(!Module::make(store.get(), binary));
  test_reflection(module.get());
  int calls = 0;
  CHECK(run(store.get(), module.get(), 21, &calls) == 42 && calls == 1);
  test_serialization(engine.get(), module.get());
  test_threads(engine.get(), module.get());
  test_start(store.get());
  return done();
}
