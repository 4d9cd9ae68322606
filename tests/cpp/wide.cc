// tenon.hh beyond numbers: vectors, references, exceptions; tables, globals and memories of every type; shared memories.

#include <thread>

#include "tenon_test.hh"

using namespace test;
using tenon::Ref;
using tenon::V128;
using tenon::Value;
using tenon::ValType;

// Counts how many of it there are.
struct Thing {
  static int alive;
  int number;
  explicit Thing(int n) : number(n) { ++alive; }
  Thing(const Thing &that) : number(that.number) { ++alive; }
  ~Thing() { --alive; }
};
int Thing::alive = 0;

static void test_vectors(const tenon::Store &store) {
  auto module = tenon::Module::from_text(store, R"((module (import "h" "f" (func $f (param v128) (result v128 i32)))
    (func (export "run") (param v128) (result v128 i32) (call $f (local.get 0)))
    (global (export "g") (mut v128) (v128.const i64x2 1 2))))");
  auto host = tenon::make_func(store, [](V128 v) {
    v[0] += 1;
    return std::make_tuple(v, int32_t(v[1]));
  });
  tenon::Instance instance(store, module, {host.get()});
  V128 given = {1, 2, 3}, wanted = {2, 2, 3};
  CHECK(instance.func<std::tuple<V128, int32_t>(V128)>("run")(given) == std::make_tuple(wanted, 2));
  auto results = tenon::Func(instance.get_export("run")->func())({given});
  CHECK(results.size() == 2 && results[0].get<V128>() == wanted && results[1].get<int32_t>() == 2);
  tenon::Global global = instance.global("g");
  CHECK(global.get<V128>() == V128{1, 0, 0, 0, 0, 0, 0, 0, 2});
  CHECK(global.type() == ValType::v128() && global.is_mutable() && !tenon::Global(store, ValType::i32(), false, 1).is_mutable());
  global.set(given);
  CHECK(global.get<V128>() == given);
  CHECK(throws<tenon::Error>([&] { global.get<int64_t>(); }, "another kind"));
  CHECK(throws<tenon::Error>([&] { global.set(7); }, "v128"));
  CHECK(throws<tenon::Error>([&] { instance.func<int32_t(V128)>("run"); }, "(v128) -> (v128, i32), expected (v128) -> (i32)"));
}

static void test_references(const tenon::Store &store) {
  auto module = tenon::Module::from_text(store, R"((module (type $t (func (param i32) (result i32)))
    (import "h" "f" (func $f (param externref funcref) (result funcref externref)))
    (func (export "run") (param externref funcref) (result funcref externref) (call $f (local.get 0) (local.get 1)))
    (func (export "double") (type $t) (i32.mul (local.get 0) (i32.const 2)))
    (func (export "typed") (param (ref null $t)) (result (ref null $t)) (local.get 0))
    (table (export "things") 1 9 externref)))");
  {
    tenon::Func host(store, {ValType::externref(), ValType::funcref()}, {ValType::funcref(), ValType::externref()},
                     [](const std::vector<Value> &args) { return std::vector<Value>{args[1], args[0]}; });
    CHECK(host.params().size() == 2 && host.params()[0] == ValType::externref() && host.results()[1].name() == "externref");
    tenon::Instance instance(store, module, {host.get()});
    tenon::Func run(instance.get_export("run")->func());
    auto twice = instance.func<int32_t(int32_t)>("double");
    auto results = run({Ref::of(store, Thing(5)), twice});
    CHECK(results.size() == 2 && results[1].ref().value<Thing>()->number == 5 && Thing::alive == 1);
    CHECK(results[1].ref().value<int>() == nullptr && results[0].ref().value<Thing>() == nullptr && Ref().value<Thing>() == nullptr);
    CHECK(tenon::Func(results[0].ref())({21})[0].get<int32_t>() == 42);
    results = run({Value(), Ref()});
    CHECK(!results[0].ref() && !results[1].ref());
    CHECK(throws<tenon::TrapError>([&] { run({1, Ref()}); }, "argument 0: expected externref"));
    CHECK(throws<tenon::TrapError>([&] { run({Ref()}); }, "1 arguments"));
    CHECK(throws<tenon::Error>([&] { Value(7).ref(); }, "no reference"));
    CHECK(throws<tenon::Error>([&] { tenon::Func(Ref::of(store, 7)); }, "no function"));
    {
      tenon::Store other(store.engine());
      CHECK(throws<tenon::TrapError>([&] { run({Ref::of(other, 1), Ref()}); }, "store"));
    }
    // Of a type that a module defines.
    tenon::Func typed(instance.get_export("typed")->func());
    CHECK(typed.params()[0].name() == "(ref null $type)" && typed.params()[0].matches(ValType::funcref()));
    CHECK(tenon::Func(typed({twice})[0].ref())({4})[0].get<int32_t>() == 8);
    CHECK(throws<tenon::TrapError>([&] { typed({Value(run.get())}); }, "argument 0"));

    tenon::Table table = instance.table("things");
    Ref thing = Ref::of(store, std::string("thing"));
    CHECK(table.grow(2, thing) == 1 && table.size() == 3 && !table.get(0) && table.get(2).same(thing));
    table.set(0, table.get(1));
    CHECK(*table.get(0).value<std::string>() == "thing");
    CHECK(throws<tenon::Error>([&] { table.get(3); }, "3"));
    CHECK(throws<tenon::Error>([&] { table.grow(7); }, "which may have 9"));
    tenon::Table mine(store, ValType::funcref(), 2, 4, run.ref(), true);
    CHECK(throws<tenon::Error>([&] { mine.set(0, thing); }, "func"));
    tenon::TableType type = mine.type();
    CHECK(mine.get(1).same(run.ref()) && type.element == ValType::funcref() && type.min == 2 && type.max == 4 && type.is64);
    CHECK(table.type().max == 9 && !table.type().is64 && !tenon::Table(store, {ValType::externref(), 1}, thing).type().max);
    CHECK(tenon::Table(store, type).size() == 2 && throws([&] { tenon::Table(store, type, thing); }, "func"));
  }
  store.collect();
  CHECK(Thing::alive == 0);
}

static void test_exceptions(const tenon::Store &store) {
  auto module = tenon::Module::from_text(store, R"((module (import "h" "t" (tag $t (param i32 externref)))
    (import "h" "f" (func $f (param i32)))
    (tag $mine (export "mine") (param i64 v128))
    (func (export "catch") (param i32) (result i32 externref)
      (block $caught (result i32 externref)
        (try_table (catch $t $caught) (call $f (local.get 0)))
        (i32.const -1) (ref.null extern)))
    (func (export "pass") (param i32) (call $f (local.get 0)))
    (func (export "throw") (param i64) (throw $mine (local.get 0) (i64x2.splat (local.get 0))))
    (func (export "ref") (param i64) (result exnref)
      (block $caught (result exnref)
        (try_table (catch_all_ref $caught) (throw $mine (local.get 0) (i64x2.splat (local.get 0))))
        unreachable))
    (func (export "again") (param exnref) (throw_ref (local.get 0)))))");
  {
    tenon::Tag tag(store, {ValType::i32(), ValType::externref()});
    auto host = tenon::make_func(store, [&](int32_t n) {
      if (n != 0) throw tenon::WasmException(tag, {n, Ref::of(store, Thing(n))});
    });
    tenon::Instance instance(store, module, {tag.get_extern(), host.get()});
    tenon::Func caught(instance.get_export("catch")->func());
    for (int round = 0; round < 3; ++round) {
      auto results = caught({5});
      CHECK(results[0].get<int32_t>() == 5 && results[1].ref().value<Thing>()->number == 5);
    }
    CHECK(caught({0})[0].get<int32_t>() == -1);
    auto pass = instance.func<void(int32_t)>("pass");
    try {
      pass(6);
      CHECK(!"thrown");
    } catch (const tenon::WasmException &error) {
      CHECK(error.tag() == tag && error.values()[0].get<int32_t>() == 6 && error.code() == TENON_TRAP_UNCAUGHT_EXCEPTION);
      CHECK(error.frames().size() == 1 && error.tag().params()[1] == ValType::externref());
    }
    // As a result.
    auto result = pass.try_call(7);
    auto uncaught = dynamic_cast<const tenon::WasmException *>(result.trap());
    REQUIRE(uncaught != nullptr);
    CHECK(!result && uncaught->values()[0].get<int32_t>() == 7);
    CHECK(throws<tenon::WasmException>([&] { result.value(); }, ""));
    auto attempted = tenon::attempt([&] { pass(8); });
    CHECK(dynamic_cast<const tenon::WasmException *>(attempted.trap()) != nullptr);
    // Thrown by the guest.
    tenon::Tag mine = instance.tag("mine");
    CHECK(mine != tag && mine == instance.tag("mine"));
    try {
      instance.func<void(int64_t)>("throw")(9);
      CHECK(!"thrown");
    } catch (const tenon::WasmException &error) {
      CHECK(error.tag() == mine && error.values()[0].get<int64_t>() == 9 && error.values()[1].get<V128>() == V128{9, 0, 0, 0, 0, 0, 0, 0, 9});
    }
    // As a value, and thrown again.
    Ref value = tenon::Func(instance.get_export("ref")->func())({int64_t(10)})[0].ref();
    tenon::WasmException exception(store, value);
    CHECK(exception.ref().same(value) && exception.values()[0].get<int64_t>() == 10);
    try {
      tenon::Func(instance.get_export("again")->func())({value});
      CHECK(!"thrown");
    } catch (const tenon::WasmException &error) {
      CHECK(error.same(exception));
    }
    // A function that takes values throws, too.
    tenon::Func thrower(store, {ValType::exnref()}, {}, [&](const std::vector<Value> &args) -> std::vector<Value> {
      throw tenon::WasmException(store, args[0].ref());
    });
    CHECK(throws<tenon::WasmException>([&] { thrower({value}); }, ""));
    CHECK(throws<tenon::Error>([&] { tenon::WasmException(tag, {1}); }, "1 values, expected 2"));
    CHECK(throws<tenon::Error>([&] { tenon::WasmException(tag, {int64_t(1), Ref()}); }, "value 0 of an exception is of another kind than i32"));
    CHECK(throws<tenon::Error>([&] { tenon::WasmException(store, Ref()); }, "no exception"));
    CHECK(throws<tenon::Error>([&] { instance.tag("pass"); }, "\"pass\" is no tag"));
    CHECK(throws<tenon::Error>([&] { instance.table("pass"); }, "\"pass\" is no table"));
    CHECK(throws<tenon::Error>([&] { instance.global("pass"); }, "\"pass\" is no global"));
  }
  store.collect();
  CHECK(Thing::alive == 0);
}

// A function that returns too few results, or of the wrong kind, gives up what it did return.
static void test_wrong_results(const tenon::Store &store) {
  {
    std::vector<Value> results;
    tenon::Func host(store, {}, {ValType::externref(), ValType::i32()}, [&](const std::vector<Value> &) { return results; });
    results = {Ref::of(store, Thing(1))};
    CHECK(throws<tenon::Error>([&] { host({}); }, "returned 1 results, expected 2"));
    results = {Ref::of(store, Thing(2)), 0.5};
    CHECK(throws<tenon::TrapError>([&] { host({}); }, "result 1"));
  }
  store.collect();
  CHECK(Thing::alive == 0);
}

static void test_memories(const tenon::Store &store) {
  tenon::Memory bytes(store, tenon::MemoryType{3, 9, false, false, 0});
  bytes.write<uint8_t>(2, 7);
  CHECK(bytes.size() == 3 && bytes.grow(2) == 3 && bytes.pages() == 5);
  CHECK(throws<tenon::Error>([&] { bytes.write<uint8_t>(5, 7); }, "outside"));
  tenon::Memory wide(store, tenon::MemoryType{1 << 17, std::nullopt, true});
  wide.write<uint64_t>((1ULL << 33) - 8, 77);
  CHECK(wide.size() == 1ULL << 33 && wide.read<uint64_t>((1ULL << 33) - 8) == 77);
  CHECK(throws<tenon::Error>([&] { tenon::Memory(store, tenon::MemoryType{1, std::nullopt, false, true}); }, "maximum"));
}

static void test_shared_memories(const tenon::Engine &engine, const tenon::Store &store) {
  const tenon::MemoryType type{1, 4, false, true};
  const char *text = R"((module (import "h" "m" (memory 1 4 shared))
    (func (export "add") (param $n i32)
      (loop $again
        (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "wake") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 100)))))";
  tenon::SharedMemory shared(engine, type);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([=] {
      tenon::Store mine(engine);
      tenon::Memory memory = shared.obtain(mine);
      tenon::Instance instance(mine, tenon::Module::from_text(mine, text), {memory.get()});
      instance.func<void(int32_t)>("add")(1000);
      shared.atomic<uint32_t>(8) += 1000;
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK(shared.atomic<uint32_t>(8) == 8000);
  using Wait = tenon::SharedMemory::Wait;
  std::atomic<int> ended(-1);
  std::thread waiter([&] { ended = static_cast<int>(shared.wait(0, uint32_t(0))); });
  tenon::Memory memory = shared.obtain(store);
  tenon::Instance instance(store, tenon::Module::from_text(store, text), {memory.get()});
  auto wake = instance.func<int32_t()>("wake");
  while (wake() == 0) std::this_thread::yield();
  waiter.join();
  CHECK(ended == static_cast<int>(Wait::notified) && shared.notify(0) == 0);
  CHECK(shared.wait(0, uint32_t(1)) == Wait::not_equal && shared.wait(16, uint64_t(0), std::chrono::milliseconds(1)) == Wait::timed_out);
  CHECK(tenon::SharedMemory(memory).grow(2) == 1 && shared.pages() == 3 && shared.size() == 3 * 65536 && memory.pages() == 3);
  CHECK(throws<tenon::Error>([&] { shared.grow(2); }, "which may have 4"));
  CHECK(throws<tenon::Error>([&] { shared.atomic<uint64_t>(4); }, "at address 4"));
  CHECK(throws<tenon::Error>([&] { shared.atomic<uint32_t>(3 * 65536); }, "at address"));
  CHECK(throws<tenon::Error>([&] { shared.wait(2, uint32_t(0)); }, ""));
  CHECK(throws<tenon::Error>([&] { tenon::SharedMemory(tenon::Memory(store, 1)); }, "not shared"));
  CHECK(throws<tenon::Error>([&] { tenon::SharedMemory(engine, tenon::MemoryType{1}); }, ""));
  CHECK(throws<tenon::Error>([&] { shared.obtain(tenon::Store()); }, ""));
}

int main() {
  tenon::Engine engine = test_engine();
  tenon::Store store(engine);
  test_vectors(store);
  test_references(store);
  test_exceptions(store);
  test_wrong_results(store);
  test_memories(store);
  test_shared_memories(engine, store);
  return done();
}
