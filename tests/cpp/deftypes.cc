// tenon.hh: types of structures, arrays and functions that C++ declares, alone, in groups and below others, beside those of modules.

#include "tenon_test.hh"

using namespace test;
using tenon::Array;
using tenon::DefType;
using tenon::Field;
using tenon::Packing;
using tenon::Ref;
using tenon::Struct;
using tenon::SubType;
using tenon::ValType;

// The module declares the types that `test_groups` declares; equal groups are equal types.
static const char *text = R"((module
  (rec
    (type $animal (sub (struct (field $legs i32) (field $next (mut (ref null $dog))))))
    (type $dog (sub final $animal (struct (field i32) (field (mut (ref null $dog))) (field (mut i16)))))
    (type $feed (func (param (ref $animal)) (result i32))))
  (func $legs (export "legs") (type $feed) (struct.get $animal 0 (local.get 0)))
  (elem declare func $legs)
  (func (export "bark") (param anyref) (result i32) (struct.get_s $dog 2 (ref.cast (ref $dog) (local.get 0))))
  (func (export "call") (param (ref $feed) (ref $animal)) (result i32) (call_ref $feed (local.get 1) (local.get 0)))))";

static void test_alone() {
  DefType pair = DefType::structure({{ValType::i32(), true}, {ValType::i32(), false, Packing::i8}, {ValType::externref()}});
  CHECK(pair.kind() == TENON_DEF_STRUCT && pair.is_final() && !pair.supertype() && pair.fields().size() == 3);
  std::vector<Field> fields = pair.fields();
  CHECK(fields[0].is_mutable && fields[0].packing == Packing::none && fields[1].packing == Packing::i8 && !fields[1].is_mutable);
  CHECK(fields[1].type == ValType::i32() && fields[2].type == ValType::externref());
  CHECK(pair == DefType::structure(fields) && pair != DefType::structure({fields[0]}));
  DefType bytes = DefType::array({ValType::i32(), true, Packing::i8});
  CHECK(bytes.kind() == TENON_DEF_ARRAY && bytes.fields().size() == 1 && !bytes.matches(pair));
  DefType func = DefType::func({ValType::i32(), ValType::ref(pair)}, {ValType::f64()});
  CHECK(func.kind() == TENON_DEF_FUNC && func.fields().empty() && func.params().size() == 2 && func.results()[0] == ValType::f64());
  CHECK(DefType(func.params()[1]) == pair && throws([&] { pair.params(); }, "not one of functions"));
  CHECK(func == DefType(SubType::func({ValType::i32(), ValType::ref(pair)}, {ValType::f64()})));

  ValType reference = ValType::ref(pair, false);
  CHECK(reference.is_ref() && !reference.is_nullable() && reference.heap() == TENON_HEAP_DEFINED && DefType(reference) == pair);
  CHECK(reference.matches(ValType::ref(pair)) && ValType::ref(pair).matches(ValType::ref(TENON_HEAP_STRUCT)));
  CHECK(!ValType::i32().is_ref() && ValType::externref().is_nullable() && ValType::anyref().heap() == TENON_HEAP_ANY);
  CHECK(throws([] { DefType(ValType::anyref()); }, "not one of references to a defined type"));

  CHECK(throws([] { DefType::structure({{ValType::i64(), true, Packing::i16}}); }, "field 0: it is packed"));
  CHECK(throws([] { DefType(SubType{7, {}, {}, {}}); }, "7 is not a kind"));
  CHECK(throws([] { DefType(SubType{TENON_DEF_ARRAY, {}, {}, {}}); }, "one field for its elements, not 0"));
  CHECK(throws([] { ValType::in_group(0, 9); }, "no type"));
  CHECK(DefType::declare({}).empty());
}

static void test_below() {
  DefType base(SubType::structure({{ValType::anyref()}}).open());
  CHECK(!base.is_final());
  DefType precise(SubType::structure({{ValType::ref(TENON_HEAP_I31)}, {ValType::i64(), true}}).below(base));
  CHECK(precise.matches(base) && !base.matches(precise) && precise.supertype() == base && precise.is_final());
  CHECK(throws([&] { DefType(SubType::structure({{ValType::anyref()}}).below(precise)); }, "does not match its supertype, or that is final"));
  CHECK(throws([&] { DefType(SubType::structure({{ValType::i32()}}).below(base)); }, "does not match its supertype"));
  CHECK(throws([&] { DefType(SubType::array({ValType::anyref()}).below(base)); }, "does not match its supertype"));
  CHECK(throws([&] { DefType(SubType::structure({}).below(0)); }, "its supertype, at place 0, is not before it"));
  CHECK(throws([&] { DefType::declare({SubType::structure({}).below(1), SubType::structure({}).open()}); }, "at place 1, is not before it"));
  CHECK(throws([&] { DefType(SubType::structure({}).below(base).below(0)); }, "two supertypes"));
  CHECK(throws([&] { DefType::declare({SubType::structure({}), SubType::structure({}).below(0)}); }, "type 1 does not match its supertype, or that is final"));

  // As deep as a module may declare them, and no deeper.
  DefType last(SubType::structure({}).open());
  for (int depth = 1; depth <= 63; ++depth) last = DefType(SubType::structure({}).open().below(last));
  CHECK(throws([&] { DefType(SubType::structure({}).below(last)); }, "does not match its supertype"));
}

static void test_groups(const tenon::Store &store) {
  auto in = [](uint32_t place, tenon_defkind_t kind, bool nullable = true) { return ValType::in_group(place, kind, nullable); };
  const std::vector<SubType> group = {
      SubType::structure({{ValType::i32()}, {in(1, TENON_DEF_STRUCT), true}}).open(),
      SubType::structure({{ValType::i32()}, {in(1, TENON_DEF_STRUCT), true}, {ValType::i32(), true, Packing::i16}}).below(0),
      SubType::func({in(0, TENON_DEF_STRUCT, false)}, {ValType::i32()}),
  };
  std::vector<DefType> types = DefType::declare(group), again = DefType::declare(group);
  REQUIRE(types.size() == 3);
  DefType animal = types[0], dog = types[1], feed = types[2];
  CHECK(animal == again[0] && dog == again[1] && feed == again[2] && dog.supertype() == animal && dog.matches(animal));
  CHECK(DefType(animal.fields()[1].type) == dog && DefType(feed.params()[0]) == animal && feed.results()[0] == ValType::i32());

  tenon::Instance instance(store, tenon::Module::from_text(store, text));
  tenon::Func legs(instance.get_export("legs")->func()), bark(instance.get_export("bark")->func()), call(instance.get_export("call")->func());
  CHECK(DefType(legs.params()[0]) == animal && DefType(call.params()[0]) == feed && DefType(tenon::type_of(legs.ref())) == feed);
  Struct rex(store, dog, {int32_t(4), Ref(), int32_t(-2)}), any(store, animal, {int32_t(6), rex.ref()});
  CHECK(legs({rex})[0].get<int32_t>() == 4 && legs({any.ref()})[0].get<int32_t>() == 6);
  CHECK(bark({rex.ref()})[0].get<int32_t>() == -2 && throws<tenon::TrapError>([&] { bark({any.ref()}); }, "cast"));
  CHECK(call({legs, any.ref()})[0].get<int32_t>() == 6);
  CHECK(throws([&] { any.set(1, any.ref()); }, "expected"));
  any.set(1, Ref());
  CHECK(tenon::is_of(rex.ref(), ValType::ref(animal)) && !tenon::is_of(any.ref(), ValType::ref(dog)));

  // A function of the host of a type of the group: called through its reference.
  auto host = tenon::Func(store, feed.params(), feed.results(), [](const std::vector<tenon::Value> &args) {
    return std::vector<tenon::Value>{Struct(args[0].ref()).get<int32_t>(0) * 10};
  });
  CHECK(host({any.ref()})[0].get<int32_t>() == 60);

  // References to places have no meaning outside of a declaration.
  const char *nothing = "means nothing outside of a declaration";
  CHECK(throws([&] { DefType::func({in(0, TENON_DEF_STRUCT)}, {}); }, nothing));
  CHECK(throws([&] { tenon::Func(store, {}, {in(0, TENON_DEF_FUNC)}, nullptr); }, ""));
  CHECK(throws([&] { tenon::Global(store, in(0, TENON_DEF_ARRAY), true, Ref()); }, ""));
  CHECK(throws([&] { tenon::Table(store, in(5, TENON_DEF_STRUCT), 1); }, nothing));
  CHECK(throws([&] { tenon::cast(any.ref(), in(0, TENON_DEF_STRUCT)); }, nothing));
  CHECK(!tenon::is_of(any.ref(), in(0, TENON_DEF_STRUCT)) && throws([&] { DefType(in(0, TENON_DEF_STRUCT)); }, "not one of references"));
  CHECK(throws([&] { DefType::declare({SubType::structure({{in(1, TENON_DEF_STRUCT)}})}); }, "a place or a kind that is not there"));
  CHECK(throws([&] { DefType::declare({SubType::structure({{in(0, TENON_DEF_ARRAY)}})}); }, "a place or a kind that is not there"));
}

int main() {
  tenon::Store store(test_engine());
  test_alone();
  test_below();
  test_groups(store);
  return done();
}
