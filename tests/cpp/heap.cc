// tenon.hh: structures, arrays and numbers of 31 bits between C++ and WebAssembly.

#include "tenon_test.hh"

using namespace test;
using tenon::Array;
using tenon::Ref;
using tenon::Struct;
using tenon::Value;
using tenon::ValType;

static const char *text = R"((module
  (type $bytes (array (mut i8)))
  (type $node (struct (field (mut i32)) (field (mut (ref null $node))) (field (mut externref)) (field (ref null $bytes))))
  (func (export "sum") (param (ref null $node)) (result i32) (local $sum i32)
    (block $end (loop $more
      (br_if $end (ref.is_null (local.get 0)))
      (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get 0))))
      (local.set 0 (struct.get $node 1 (local.get 0)))
      (br $more)))
    (local.get $sum))
  (func (export "bytes") (param i32) (result (ref $bytes)) (array.new $bytes (i32.const 255) (local.get 0)))
  (func (export "twice") (param (ref i31)) (result i31ref)
    (ref.i31 (i32.mul (i31.get_s (local.get 0)) (i32.const 2))))))";

int main() {
  tenon::Store store(test_engine());
  tenon::Instance instance(store, tenon::Module::from_text(store, text));
  tenon::Func sum(instance.get_export("sum")->func()), bytes(instance.get_export("bytes")->func()), twice(instance.get_export("twice")->func());
  ValType node_type = sum.params()[0], bytes_type = bytes.results()[0];

  Array array(bytes({int32_t(5)})[0].ref());
  CHECK(array.size() == 5 && array.get<int32_t>(4) == 255 && array.get_s(4) == -1);
  array.set(0, int32_t(7));
  array.fill(1, int32_t(8), 2);
  Array other(store, bytes_type, {int32_t(1), int32_t(2), int32_t(3)}), zeros(store, bytes_type, 2, int32_t(0));
  array.copy(3, other, 1, 2);
  int32_t wanted[] = {7, 8, 8, 2, 3};
  for (uint32_t i = 0; i < 5; ++i) CHECK(array.get<int32_t>(i) == wanted[i]);
  CHECK(zeros.size() == 2 && zeros.get<int32_t>(1) == 0);
  CHECK(throws([&] { array.get(5); }, "there is no element 5 in an array of 5"));
  CHECK(throws([&] { array.copy(4, other, 0, 2); }, "there are no elements"));

  Struct last(store, node_type, {int32_t(1), Ref(), Ref(), Ref()});
  Struct first(store, node_type, {int32_t(20), last.ref(), Ref::of(store, std::string("kept")), array.ref()});
  last.set(0, int32_t(300));
  tenon_store_gc(store.c());
  CHECK(sum({first.ref()})[0].get<int32_t>() == 320);
  CHECK(first.size() == 4 && first.get(1).ref().same(last.ref()) && !first.get(1).ref().same(first.ref()));
  CHECK(*first.get(2).ref().value<std::string>() == "kept");
  CHECK(Array(first.get(3).ref()).get<int32_t>(0) == 7);
  CHECK(throws([&] { first.set(3, Ref()); }, "the field is constant"));
  CHECK(throws([&] { first.set(1, array.ref()); }, "expected"));
  CHECK(throws([&] { first.get(4); }, "there is no field 4"));
  CHECK(throws([&] { Struct(store, node_type, {int32_t(1)}); }, "1 values are given for a structure of 4 fields"));
  CHECK(throws([&] { Struct(store, ValType::i32(), {}); }, "not one of references to a defined type"));
  CHECK(throws([&] { (void)Struct(array.ref()); }, "not to a structure"));
  CHECK(throws([&] { (void)Array(first.ref()); }, "not to an array"));

  Struct zero(store, node_type);
  Array none = Array::zeros(store, bytes_type, 3);
  CHECK(zero.get<int32_t>(0) == 0 && !zero.get(3).ref() && none.size() == 3 && none.get<int32_t>(2) == 0);
  tenon::DefType strict = tenon::DefType::structure({{ValType::ref(tenon::DefType(node_type), false)}});
  CHECK(throws([&] { (void)Struct(store, strict); }, "field 0 has no default"));
  CHECK(Struct(store, strict, {zero.ref()}).get(0).ref().same(zero.ref()));
  CHECK(throws([&] { (void)Struct(store, strict, {Ref()}); }, "null"));

  Ref number = tenon::make_i31(store, -21);
  CHECK(tenon::get_i31(number) == -21 && tenon::get_i31(twice({number})[0].ref()) == -42);
  CHECK(throws([&] { tenon::get_i31(Ref()); }, "not a number of 31 bits"));
  CHECK(tenon::is_of(number, ValType::ref(TENON_HEAP_EQ)) && !tenon::is_of(number, ValType::ref(TENON_HEAP_STRUCT)));
  CHECK(tenon::is_of(Ref(), ValType::ref(TENON_HEAP_STRUCT)) && !tenon::is_of(Ref(), ValType::ref(TENON_HEAP_STRUCT, false)));
  CHECK(tenon::type_of(first.ref()).matches(node_type));
  CHECK(tenon::get_i31_u(number) == 0x7fffffeb && throws([&] { tenon::get_i31_u(first.ref()); }, "not a number of 31 bits"));
  CHECK(tenon::cast(first.ref(), node_type).same(first.ref()) && !tenon::cast(Ref(), node_type));
  CHECK(throws([&] { tenon::cast(number, node_type); }, "cast failure") && throws([&] { tenon::cast(number, ValType::i32()); }, "not a reference type"));
  uint64_t before = store.gc_statistics().collections;
  store.collect();
  CHECK(store.gc_statistics().collections > before && store.gc_statistics().used > 0 && store.gc_statistics().survived > 0);
  CHECK(throws([&] { tenon::type_of(Ref()); }, "NULL"));
  return done();
}
