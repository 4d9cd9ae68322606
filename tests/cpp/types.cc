// Vectors, ownership and types: made, copied, seen as what they are, taken apart.

#include "test_util.hh"

using namespace test;
using wasm::ExternKind;
using wasm::Limits;
using wasm::Mutability;
using wasm::Name;
using wasm::ValKind;
using wasm::ValType;

static void test_vectors() {
  vec<byte_t> empty = vec<byte_t>::make();
  CHECK(empty && empty.size() == 0 && empty.get() == nullptr);
  CHECK(vec<byte_t>::make_uninitialized() && vec<byte_t>::make_uninitialized().size() == 0);
  vec<byte_t> invalid = vec<byte_t>::invalid();
  CHECK(!invalid);
  CHECK(!invalid.copy());
  CHECK(!vec<int64_t>::make_uninitialized(SIZE_MAX / 2));

  Name name = Name::make(std::string("name"));
  CHECK(name.size() == 4 && text_of(name) == "name");
  Name zero = Name::make(std::string("a\0b", 3));
  CHECK(zero.size() == 3 && zero[1] == 0 && zero[2] == 'b');
  wasm::Message message = wasm::Message::make_nt(std::string("text"));
  CHECK(message.size() == 5 && std::strcmp(message.get(), "text") == 0);

  Name moved = std::move(name);
  CHECK(!name && moved && text_of(moved) == "name");
  name = moved.copy();
  CHECK(name && text_of(name) == "name" && name.get() != moved.get());
  name[0] = 'g';
  CHECK(text_of(name) == "game" && text_of(moved) == "name");
  moved.reset(name);
  CHECK(!name && text_of(moved) == "game");
  moved.reset(moved);
  CHECK(text_of(moved) == "game");
  moved.reset();
  CHECK(!moved);

  byte_t *bytes = new byte_t[2]{'h', 'i'};
  vec<byte_t> adopted = vec<byte_t>::adopt(2, bytes);
  CHECK(adopted.get() == bytes && adopted.size() == 2);
  byte_t *released = adopted.release();
  CHECK(released == bytes && !adopted);
  delete[] released;

  int32_t numbers[] = {1, 2, 3};
  vec<int32_t> made = vec<int32_t>::make(3, numbers);
  CHECK(made.size() == 3 && made[0] == 1 && made[2] == 3);
  vec<int32_t> listed = vec<int32_t>::make(4, 5);
  CHECK(listed.size() == 2 && listed[0] == 4 && listed[1] == 5);

  ownvec<ValType> types = ownvec<ValType>::make(type_of(ValKind::I32), own<ValType>(), type_of(ValKind::F64));
  ownvec<ValType> copies = types.deep_copy();
  CHECK(copies.size() == 3 && copies[0].get() != types[0].get() && copies[0]->kind() == ValKind::I32);
  CHECK(copies[1] == nullptr && copies[2]->kind() == ValKind::F64);
}

static void test_value_types() {
  const ValKind kinds[] = {ValKind::I32, ValKind::I64, ValKind::F32, ValKind::F64, ValKind::EXTERNREF, ValKind::FUNCREF};
  for (ValKind kind : kinds) {
    own<ValType> type = ValType::make(kind);
    REQUIRE(type);
    bool is_ref = kind == ValKind::EXTERNREF || kind == ValKind::FUNCREF;
    CHECK(type->kind() == kind && type->is_ref() == is_ref && type->is_num() == !is_ref);
    CHECK(wasm::is_ref(kind) == is_ref && wasm::is_num(kind) == !is_ref);
    own<ValType> copy = type->copy();
    type.reset();
    CHECK(copy->kind() == kind);
  }
  CHECK(!ValType::make(static_cast<ValKind>(77)));
}

static void test_extern_types() {
  own<wasm::FuncType> func = wasm::FuncType::make(
      ownvec<ValType>::make(type_of(ValKind::I32), type_of(ValKind::EXTERNREF)),
      ownvec<ValType>::make(type_of(ValKind::F32)));
  REQUIRE(func);
  CHECK(func->params().size() == 2 && func->results().size() == 1);
  CHECK(func->params()[0]->kind() == ValKind::I32 && func->params()[1]->kind() == ValKind::EXTERNREF);
  CHECK(func->results()[0]->kind() == ValKind::F32);
  own<wasm::FuncType> nothing = wasm::FuncType::make();
  CHECK(nothing->params().size() == 0 && nothing->results() && nothing->results().size() == 0);
  own<wasm::FuncType> func_copy = func->copy();
  func.reset();
  CHECK(func_copy->params().deep_copy()[1]->kind() == ValKind::EXTERNREF);

  own<wasm::GlobalType> global = wasm::GlobalType::make(type_of(ValKind::I64), Mutability::VAR);
  CHECK(global->content()->kind() == ValKind::I64 && global->mutability() == Mutability::VAR);
  CHECK(wasm::GlobalType::make(type_of(ValKind::I64), Mutability::CONST)->copy()->mutability() == Mutability::CONST);

  own<wasm::TableType> table = wasm::TableType::make(type_of(ValKind::FUNCREF), Limits(3, 9));
  CHECK(table->element()->kind() == ValKind::FUNCREF && table->limits().min == 3 && table->limits().max == 9);

  own<wasm::MemoryType> memory = wasm::MemoryType::make(Limits(2));
  CHECK(memory->limits().min == 2 && memory->limits().max == Limits(0).max);
  CHECK(memory->limits().max == wasm_limits_max_default);

  // Seen as what they are in general, and back: the same object.
  wasm::ExternType *externs[] = {func_copy.get(), global.get(), table.get(), memory.get()};
  const ExternKind kinds[] = {ExternKind::FUNC, ExternKind::GLOBAL, ExternKind::TABLE, ExternKind::MEMORY};
  for (size_t i = 0; i < 4; ++i) {
    wasm::ExternType *type = externs[i];
    const wasm::ExternType *constant = type;
    CHECK(type->kind() == kinds[i]);
    CHECK((type->func() != nullptr) == (i == 0) && (constant->func() != nullptr) == (i == 0));
    CHECK((type->global() != nullptr) == (i == 1) && (constant->global() != nullptr) == (i == 1));
    CHECK((type->table() != nullptr) == (i == 2) && (constant->table() != nullptr) == (i == 2));
    CHECK((type->memory() != nullptr) == (i == 3) && (constant->memory() != nullptr) == (i == 3));
    CHECK(type->copy()->kind() == kinds[i]);
  }
  CHECK(externs[0]->func() == func_copy.get() && externs[1]->global() == global.get());
  CHECK(externs[2]->table() == table.get() && externs[3]->memory() == memory.get());

  // Deleted as what they are in general.
  own<wasm::ExternType> general = std::move(table);
  CHECK(general->table()->limits().max == 9);
}

static void test_import_and_export_types() {
  own<wasm::ImportType> import = wasm::ImportType::make(
      Name::make(std::string("env")), Name::make(std::string("mem")), wasm::MemoryType::make(Limits(1, 2)));
  REQUIRE(import);
  own<wasm::ImportType> copy = import->copy();
  import.reset();
  CHECK(text_of(copy->module()) == "env" && text_of(copy->name()) == "mem");
  CHECK(copy->type()->kind() == ExternKind::MEMORY && copy->type()->memory()->limits().max == 2);

  own<wasm::ExportType> exported = wasm::ExportType::make(Name::make(), wasm::FuncType::make());
  REQUIRE(exported);
  CHECK(exported->name() && exported->name().size() == 0 && exported->type()->func() != nullptr);
  CHECK(exported->copy()->type()->kind() == ExternKind::FUNC);
}

int main() {
  test_vectors();
  test_value_types();
  test_extern_types();
  test_import_and_export_types();
  return done();
}
