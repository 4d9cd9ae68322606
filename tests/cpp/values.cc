// Values: numbers with their bits, references that are owned, moved, copied and given away.

#include "test_util.hh"

using namespace test;
using wasm::ValKind;

static void test_numbers() {
  CHECK(Val::i32(-7).i32() == -7 && Val::i32(-7).kind() == ValKind::I32);
  CHECK(Val::i64(INT64_MIN).i64() == INT64_MIN && Val::i64(0).kind() == ValKind::I64);
  CHECK(Val::f32(1.5f).f32() == 1.5f && Val::f32(0).kind() == ValKind::F32);
  CHECK(Val::f64(-0.25).f64() == -0.25 && Val::f64(0).kind() == ValKind::F64);
  CHECK(Val(int32_t(3)).get<int32_t>() == 3 && Val(int64_t(3)).get<int64_t>() == 3);
  CHECK(Val(2.5f).get<float>() == 2.5f && Val(2.5).get<double>() == 2.5);
  CHECK(Val::make(UINT32_MAX).i32() == -1 && Val::make(UINT32_MAX).get<uint32_t>() == UINT32_MAX);
  CHECK(Val::make(UINT64_MAX).i64() == -1 && Val::make(UINT64_MAX).get<uint64_t>() == UINT64_MAX);
  CHECK(Val::i32(1).is_num() && !Val::i32(1).is_ref());

  Val value = Val::i32(1);
  Val moved = std::move(value);
  CHECK(moved.i32() == 1);
  value = Val::f64(2);
  CHECK(value.copy().f64() == 2 && value.f64() == 2);
}

static void test_references() {
  own<wasm::Engine> engine = new_engine();
  own<wasm::Store> store = wasm::Store::make(engine.get());
  int finalized = 0;
  own<wasm::Foreign> object = wasm::Foreign::make(store.get());
  object->set_host_info(&finalized, count);

  Val null;
  CHECK(null.is_ref() && null.ref() == nullptr && null.kind() == ValKind::EXTERNREF);
  CHECK(null.copy().ref() == nullptr && null.get<wasm::Ref *>() == nullptr && !null.release_ref());

  Val value = Val::ref(object->copy());
  CHECK(value.ref()->same(object.get()) && value.ref()->get_host_info() == &finalized);
  Val copy = value.copy();
  Val moved = std::move(value);
  CHECK(value.ref() == nullptr && moved.ref()->same(copy.ref()));
  own<wasm::Ref> released = moved.release_ref();
  CHECK(moved.ref() == nullptr && released->same(object.get()));
  moved = Val::make(object->copy());
  CHECK(moved.ref()->same(object.get()));
  moved.reset(moved);
  CHECK(moved.ref()->same(object.get()));
  moved.reset(copy);
  CHECK(copy.ref() == nullptr && moved.ref()->same(object.get()));
  moved = Val::i32(1);

  vec<Val> values = vec<Val>::make(Val::ref(std::move(released)), Val::i64(5), Val());
  vec<Val> copies = values.deep_copy();
  CHECK(copies[0].ref()->same(object.get()) && copies[1].i64() == 5 && copies[2].ref() == nullptr);
  values.reset();
  CHECK(copies[0].ref()->get_host_info() == &finalized);
  copies[0].reset();

  object.reset();
  tenon_store_gc(reinterpret_cast<wasm_store_t *>(store.get()));
  CHECK(finalized == 1);
}

int main() {
  test_numbers();
  test_references();
  return done();
}
