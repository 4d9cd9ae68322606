// tenon.hh: structures, arrays and numbers of 31 bits, on both sides.

#include <tenon.hh>

#include "test_util.hh"

using namespace test;
using tenon::Array;
using tenon::DefType;
using tenon::Ref;
using tenon::Struct;
using tenon::Value;
using tenon::ValType;

// Whether something throws an `Error` whose text contains a part.
template <class F>
static bool throws(F &&f, const char *part) {
  try {
    f();
  } catch (const tenon::Error &error) {
    return says(error.what(), part);
  }
  std::printf("no exception where one should say \"%s\"\n", part);
  return false;
}

static void test_objects_of_a_module(const tenon::Store &store) {
  auto module = tenon::Module::from_text(store, R"((module
    (type $name (array (mut i8)))
    (type $item (struct (field $name (ref $name)) (field $price i32) (field $count (mut i32)) (field $next (mut (ref null $item)))))
    (global $stock (mut (ref null $item)) (ref.null $item))
    (func (export "add") (param $item (ref $item))
      (struct.set $item $next (local.get $item) (global.get $stock))
      (global.set $stock (local.get $item)))
    (func (export "first") (result (ref null $item)) (global.get $stock))))");
  tenon::Instance instance(store, module);
  tenon::Func add(instance.get_export("add")->func()), first(instance.get_export("first")->func());
  DefType item(add.params()[0]);
  REQUIRE(item.kind() == TENON_DEF_STRUCT && item.fields().size() == 4 && item.fields()[2].is_mutable);
  DefType name(item.fields()[0].type);
  CHECK(name == DefType::array({ValType::i32(), true, TENON_I8}) && name != item && item.fields()[0].type == name.ref(false));
  Array text(store, name, {int32_t('l'), int32_t('a')});
  for (int32_t price : {2, 49}) add({Struct(store, item, {text, price, 10, Ref()})});
  Struct lamp(first({})[0].ref());
  CHECK(lamp.get(1).get<int32_t>() == 49 && lamp.size() == 4 && lamp.type() == item && Array(lamp.get(0).ref()).same(text));
  CHECK(Struct(lamp.get(3).ref()).get(1).get<int32_t>() == 2 && !Struct(lamp.get(3).ref()).get(3).ref());
  lamp.set(2, 3);
  CHECK(Struct(first({})[0].ref()).get(2).get<int32_t>() == 3 && first({})[0].ref().same(lamp.ref()));
  CHECK(throws([&] { lamp.set(1, 5); }, "constant"));
  CHECK(throws([&] { lamp.set(2, 0.5); }, "i32"));
  CHECK(throws([&] { lamp.get(4); }, "field"));
  CHECK(throws([&] { Struct(store, item, {text}); }, "4"));
  CHECK(throws([&] { Struct(store, item); }, ""));
  CHECK(throws([&] { Struct(text.ref()); }, "no structure"));
  CHECK(throws([&] { Array(lamp.ref()); }, "no array"));
  CHECK(throws([&] { DefType(ValType::i32()); }, "not that of"));
  CHECK(throws([&] { add({Struct(store, DefType::structure({}))}); }, "argument 0"));
}

static void test_arrays(const tenon::Store &store) {
  DefType bytes = DefType::array({ValType::i32(), true, TENON_I8});
  Array three(store, bytes, {1, 2, 255}), five(store, bytes, 5, 4);
  CHECK(three.size() == 3 && three.get(2).get<int32_t>() == 255 && three.get_signed(2) == -1);
  three.set(0, 77);
  three.fill(1, 9, 2);
  five.copy_from(0, three, 0, 2);
  five.copy_from(1, five, 0, 2);
  const int32_t wanted[] = {77, 77, 9, 4, 4};
  for (uint32_t i = 0; i < 5; ++i) CHECK(five.get(i).get<int32_t>() == wanted[i]);
  CHECK(throws([&] { three.fill(2, 1, 2); }, ""));
  CHECK(throws([&] { three.set(3, 1); }, ""));
  CHECK(throws([&] { five.copy_from(4, three, 0, 2); }, ""));
  tenon::V128 vector = {7};
  CHECK(Array(store, DefType::array({ValType::v128()}), {vector}).get(0).get<tenon::V128>() == vector);
}

static void test_types_and_numbers(const tenon::Store &store) {
  DefType base = DefType::structure({{ValType::i32(), true, TENON_I16}}, nullptr, false);
  DefType derived = DefType::structure({{ValType::i32(), true, TENON_I16}, {ValType::anyref(), true}}, &base);
  CHECK(derived.matches(base) && !base.matches(derived));
  Struct object(store, derived, {0xfffe, tenon::make_i31(store, -5)});
  CHECK(object.get(0).get<int32_t>() == 0xfffe && object.get_signed(0) == -2 && tenon::i31_of(object.get(1).ref()) == -5);
  CHECK(is_a(object.ref(), base.ref()) && !is_a(object.ref(), ValType::ref(TENON_HEAP_ARRAY)) && is_a(Ref(), base.ref()));
  object.set(1, object);
  CHECK(object.get(1).ref().same(object.ref()) && Struct(store, derived).get(0).get<int32_t>() == 0);
  CHECK(throws([&] { tenon::i31_of(object.ref()); }, "31 bits"));
  CHECK(throws([&] { DefType::structure({{ValType::i64()}}, &base); }, ""));
}

int main() {
  const char *kind = std::getenv("TENON_TEST_ENGINE");
  std::string name = kind != nullptr ? kind : "";
  tenon::Store store(tenon::Engine([&](wasm_config_t *config) {
    if (name == "checked") tenon_config_set_signals(config, false);
    if (name == "eager") tenon_config_set_eager(config, true);
    if (name == "collecting") tenon_config_set_collect_always(config, true);
  }));
  test_objects_of_a_module(store);
  test_arrays(store);
  test_types_and_numbers(store);
  return done();
}
