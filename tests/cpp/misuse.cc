// Bad input is a failure with a reason: null, wrong counts and kinds, other stores, invalid vectors.

#include "test_util.hh"

using namespace test;
using wasm::Limits;
using wasm::ValKind;

static own<wasm::Trap> nothing(const vec<Val> &, vec<Val> &) { return nullptr; }

static own<wasm::Trap> nothing_with_env(void *, const vec<Val> &, vec<Val> &) { return nullptr; }

static void test_nulls(wasm::Store *store) {
  CHECK(!wasm::Store::make(nullptr));
  CHECK(wasm::Engine::make(nullptr));
  CHECK(!wasm::Module::make(nullptr, vec<byte_t>::make()));
  CHECK(!wasm::Module::make(store, vec<byte_t>::make()));
  CHECK(!wasm::Module::make(store, vec<byte_t>::invalid()));
  CHECK(!wasm::Module::validate(store, vec<byte_t>::invalid()));
  CHECK(!wasm::Module::obtain(store, nullptr));
  CHECK(!wasm::Module::deserialize(store, vec<byte_t>::invalid()));
  CHECK(!wasm::Foreign::make(nullptr));
  CHECK(!wasm::Trap::make(nullptr, wasm::Message::make()));
  CHECK(!wasm::GlobalType::make(nullptr, wasm::Mutability::VAR));
  CHECK(!wasm::TableType::make(nullptr, Limits(1)));
  CHECK(!wasm::TableType::make(type_of(ValKind::I32), Limits(1)));
  CHECK(!wasm::FuncType::make(ownvec<wasm::ValType>::make(own<wasm::ValType>())));
  CHECK(!wasm::FuncType::make(ownvec<wasm::ValType>::invalid()));
  CHECK(!wasm::ImportType::make(wasm::Name::make(), wasm::Name::make(), nullptr));
  CHECK(!wasm::ExportType::make(wasm::Name::invalid(), nullptr));
  CHECK(!wasm::Instance::make(store, nullptr, vec<wasm::Extern *>::make()));
  CHECK(!wasm::Global::make(store, nullptr, Val::i32(1)));
  CHECK(!wasm::Table::make(store, nullptr));
  CHECK(!wasm::Memory::make(store, nullptr));
}

static void test_functions(wasm::Store *store) {
  own<wasm::FuncType> type = wasm::FuncType::make(ownvec<wasm::ValType>::make(type_of(ValKind::I32)));
  int finalized = 0;
  CHECK(!wasm::Func::make(nullptr, type.get(), nothing));
  CHECK(!wasm::Func::make(store, nullptr, nothing));
  CHECK(!wasm::Func::make(store, type.get(), static_cast<wasm::Func::callback>(nullptr)));
  CHECK(!wasm::Func::make(store, nullptr, nothing_with_env, &finalized, count));
  CHECK(finalized == 0);

  own<wasm::Func> func = wasm::Func::make(store, type.get(), nothing_with_env, &finalized, count);
  vec<Val> none = vec<Val>::make(), one = vec<Val>::make(Val::i32(1)), wrong = vec<Val>::make(Val::f32(1));
  vec<Val> invalid = vec<Val>::invalid();
  CHECK(!func->call(one, none));
  CHECK(says(message_of(func->call(none, none)), "argument"));
  CHECK(says(message_of(func->call(invalid, invalid)), "argument"));
  vec<Val> result = vec<Val>::make_uninitialized(1);
  CHECK(says(message_of(func->call(one, result)), "result"));
  CHECK(says(message_of(func->call(wrong, none)), "expected i32"));
  func.reset();
  tenon_store_gc(reinterpret_cast<wasm_store_t *>(store));
  CHECK(finalized == 1);
}

static void test_instances(wasm::Store *store, wasm::Store *other) {
  own<wasm::Module> module = module_of(store, "(module (import \"env\" \"f\" (func (param i32))))");
  own<wasm::Trap> trap;
  CHECK(!wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make(), &trap));
  CHECK(says(message_of(trap), "env"));
  own<wasm::FuncType> type = wasm::FuncType::make();
  own<wasm::Func> func = wasm::Func::make(store, type.get(), nothing);
  CHECK(!wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make(func.get()), &trap));
  CHECK(trap && error_says("env"));
  CHECK(!wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make(nullptr), &trap) && trap);
  type = wasm::FuncType::make(ownvec<wasm::ValType>::make(type_of(ValKind::I32)));
  func = wasm::Func::make(other, type.get(), nothing);
  CHECK(!wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make(func.get()), &trap));
  CHECK(error_says("store"));
  func = wasm::Func::make(store, type.get(), nothing);
  CHECK(wasm::Instance::make(store, module.get(), vec<wasm::Extern *>::make(func.get()), &trap) && !trap);
}

static void test_objects(wasm::Store *store, wasm::Store *other) {
  own<wasm::GlobalType> global = wasm::GlobalType::make(type_of(ValKind::EXTERNREF), wasm::Mutability::VAR);
  own<wasm::Foreign> foreign = wasm::Foreign::make(other);
  CHECK(!wasm::Global::make(store, global.get(), Val::ref(foreign->copy())) && error_says("store"));
  CHECK(!wasm::Global::make(store, global.get(), Val::i32(1)) && error_says("i32"));
  own<wasm::TableType> table = wasm::TableType::make(type_of(ValKind::EXTERNREF), Limits(1));
  CHECK(!wasm::Table::make(store, table.get(), foreign.get()) && error_says("store"));
  table = wasm::TableType::make(type_of(ValKind::EXTERNREF), Limits(3, 2));
  CHECK(!wasm::Table::make(store, table.get()));
  own<wasm::MemoryType> memory = wasm::MemoryType::make(Limits(3, 2));
  CHECK(!wasm::Memory::make(store, memory.get()));
  memory = wasm::MemoryType::make(Limits(65537));
  CHECK(!wasm::Memory::make(store, memory.get()));
}

int main() {
  own<wasm::Engine> engine = new_engine();
  own<wasm::Store> store = wasm::Store::make(engine.get());
  own<wasm::Store> other = wasm::Store::make(engine.get());
  test_nulls(store.get());
  test_functions(store.get());
  test_instances(store.get(), other.get());
  test_objects(store.get(), other.get());
  return done();
}
