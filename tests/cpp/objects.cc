// Globals, tables, memories: made, read, written, grown, shared with WebAssembly code.

#include "test_util.hh"

using namespace test;
using wasm::Limits;
using wasm::Mutability;
using wasm::ValKind;

static void test_globals(wasm::Store *store) {
  own<wasm::GlobalType> type = wasm::GlobalType::make(type_of(ValKind::I64), Mutability::VAR);
  own<wasm::Global> global = wasm::Global::make(store, type.get(), Val::i64(5));
  REQUIRE(global);
  ownvec<wasm::Extern> exports = exports_of(store,
      "(module (import \"\" \"g\" (global $g (mut i64)))"
      "  (func (export \"get\") (result i64) (global.get $g))"
      "  (func (export \"set\") (param i64) (result i64) (global.set $g (local.get 0)) (global.get $g)))",
      vec<wasm::Extern *>::make(global.get()));
  CHECK(call1(exports[0]->func()).i64() == 5);
  global->set(Val::i64(6));
  CHECK(call1(exports[0]->func()).i64() == 6 && global->get().i64() == 6);
  call1(exports[1]->func(), int64_t(-1));
  CHECK(global->copy()->get().i64() == -1);
  CHECK(global->type()->mutability() == Mutability::VAR && global->type()->content()->kind() == ValKind::I64);
  global->set(Val::i32(1));
  CHECK(error_says("i32") && global->get().i64() == -1);

  type = wasm::GlobalType::make(type_of(ValKind::EXTERNREF), Mutability::VAR);
  own<wasm::Foreign> object = wasm::Foreign::make(store);
  int finalized = 0;
  object->set_host_info(&finalized, count);
  global = wasm::Global::make(store, type.get(), Val::ref(object->copy()));
  CHECK(global->get().ref()->same(object.get()));
  object.reset();
  CHECK(global->get().ref()->get_host_info() == &finalized && finalized == 0);
  global->set(Val());
  CHECK(global->get().ref() == nullptr);
  tenon_store_gc(reinterpret_cast<wasm_store_t *>(store));
  CHECK(finalized == 1);

  type = wasm::GlobalType::make(type_of(ValKind::F32), Mutability::CONST);
  global = wasm::Global::make(store, type.get(), Val::f32(1.5f));
  global->set(Val::f32(2.5f));
  CHECK(global->get().f32() == 1.5f);
}

static void test_tables(wasm::Store *store) {
  own<wasm::TableType> type = wasm::TableType::make(type_of(ValKind::FUNCREF), Limits(2, 6));
  ownvec<wasm::Extern> funcs = exports_of(store,
      "(module (func (export \"one\") (result i32) (i32.const 1))"
      "  (func (export \"two\") (result i32) (i32.const 2)))");
  own<wasm::Table> table = wasm::Table::make(store, type.get(), funcs[0].get());
  REQUIRE(table);
  ownvec<wasm::Extern> exports = exports_of(store,
      "(module (import \"\" \"t\" (table $t 2 6 funcref))"
      "  (func (export \"call\") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))",
      vec<wasm::Extern *>::make(table.get()));
  const wasm::Func *call = exports[0]->func();
  CHECK(table->size() == 2 && table->get(1)->same(funcs[0].get()));
  CHECK(call1(call, int32_t(1)).i32() == 1);
  CHECK(table->set(1, funcs[1]->func()) && call1(call, int32_t(1)).i32() == 2);
  CHECK(table->set(0, nullptr) && !table->get(0));
  CHECK(!table->set(2, nullptr) && !table->get(2));
  CHECK(table->grow(2, funcs[1].get()) && table->size() == 4 && call1(call, int32_t(3)).i32() == 2);
  CHECK(table->grow(1) && !table->get(4));
  CHECK(!table->grow(2) && table->size() == 5 && table->grow(0));
  CHECK(table->type()->limits().min == 5 && table->type()->limits().max == 6);
  CHECK(table->copy()->same(table.get()));
  vec<Val> args = vec<Val>::make(Val::i32(0)), results = vec<Val>::make_uninitialized(1);
  CHECK(says(message_of(call->call(args, results)), "uninitialized element"));

  own<wasm::Foreign> object = wasm::Foreign::make(store);
  CHECK(!table->set(0, object.get()) && error_says("func"));
  CHECK(!table->grow(1, object.get()) && table->size() == 5);
}

static void test_memories(wasm::Store *store) {
  own<wasm::MemoryType> type = wasm::MemoryType::make(Limits(1, 3));
  own<wasm::Memory> memory = wasm::Memory::make(store, type.get());
  REQUIRE(memory);
  ownvec<wasm::Extern> exports = exports_of(store,
      "(module (import \"\" \"m\" (memory 1))"
      "  (func (export \"get\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
      "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))",
      vec<wasm::Extern *>::make(memory.get()));
  CHECK(memory->size() == 1 && memory->data_size() == wasm::Memory::page_size);
  memory->data()[65535] = 42;
  CHECK(call1(exports[0]->func(), int32_t(65535)).i32() == 42);
  CHECK(memory->grow(1) && memory->size() == 2 && memory->data()[65535] == 42 && memory->data()[65536] == 0);
  CHECK(call1(exports[1]->func(), int32_t(1)).i32() == 2);
  CHECK(memory->copy()->size() == 3 && memory->data_size() == 3 * 65536u);
  CHECK(!memory->grow(1) && memory->size() == 3 && memory->grow(0));
  CHECK(memory->type()->limits().min == 3 && memory->type()->limits().max == 3);
  vec<Val> args = vec<Val>::make(Val::i32(3 * 65536)), results = vec<Val>::make_uninitialized(1);
  const wasm::Func *get = exports[0]->func();
  own<wasm::Trap> trap = get->call(args, results);
  CHECK(says(message_of(trap), "out of bounds memory access"));
  own<wasm::Frame> frame = trap->origin();
  REQUIRE(frame);
  CHECK(frame->func_index() == 0 && frame->func_offset() > 0 && frame->module_offset() > frame->func_offset());
  CHECK(frame->copy()->module_offset() == frame->module_offset());
  CHECK(frame->instance()->exports()[0]->same(exports[0].get()));
  CHECK(trap->trace().size() == 1 && trap->trace()[0]->func_index() == 0);
}

int main() {
  own<wasm::Engine> engine = new_engine();
  own<wasm::Store> store = wasm::Store::make(engine.get());
  test_globals(store.get());
  test_tables(store.get());
  test_memories(store.get());
  return done();
}
