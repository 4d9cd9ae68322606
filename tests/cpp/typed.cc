// tenon.hh: typed functions, functions of the host from callables, spans, linkers, exceptions and results.

#include "tenon_test.hh"

using namespace test;

static void test_funcs(const tenon::Store &store) {
  auto module = tenon::Module::from_text(store, R"((module $numbers
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
      (local.get 3) (local.get 2) (local.get 1) (local.get 0))
    (func (export "nothing"))
    (func $divide (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))))");
  tenon::Instance instance(store, module);
  CHECK(instance.export_count() == 4);
  auto add = instance.func<int32_t(int32_t, int32_t)>("add");
  CHECK(add(2, 3) == 5 && add(INT32_MAX, 1) == INT32_MIN);
  CHECK(instance.func<uint32_t(uint32_t, uint32_t)>("add")(UINT32_MAX, 0) == UINT32_MAX);
  auto all = instance.func<std::tuple<double, float, int64_t, int32_t>(int32_t, int64_t, float, double)>("all");
  CHECK(all(-1, 1LL << 40, 0.5f, 2.5) == std::make_tuple(2.5, 0.5f, int64_t(1) << 40, -1));
  instance.func<void()>("nothing")();
  CHECK(throws<tenon::Error>([&] { instance.func<int64_t(int32_t)>("add"); },
                             "export \"add\": the function is of type (i32, i32) -> (i32), expected (i32) -> (i64)"));
  CHECK(throws<tenon::Error>([&] { instance.func<void()>("none"); }, "no export \"none\""));
  CHECK(throws<tenon::Error>([&] { instance.memory("add"); }, "\"add\" is no memory"));

  auto divide = instance.func<int32_t(int32_t, int32_t)>("divide");
  CHECK(throws<tenon::TrapError>([&] { divide(1, 0); }, "integer divide by zero"));
  try {
    divide(1, 0);
  } catch (const tenon::TrapError &trap) {
    CHECK(trap.code() == TENON_TRAP_INTEGER_DIVIDE_BY_ZERO && trap.kind() == TENON_ERROR_TRAP);
    REQUIRE(trap.frames().size() == 1);
    CHECK(trap.frames()[0].func_name == "divide" && trap.frames()[0].module_name == "numbers");
    CHECK(trap.frames()[0].func_index == 3 && trap.frames()[0].func_offset > 0);
  }
  auto good = divide.try_call(6, 3);
  CHECK(good && *good == 2 && good.value() == 2);
  auto bad = divide.try_call(6, 0);
  REQUIRE(!bad);
  CHECK(bad.trap() != nullptr && bad.trap()->code() == TENON_TRAP_INTEGER_DIVIDE_BY_ZERO);
  CHECK(throws<tenon::TrapError>([&] { bad.value(); }, "integer divide by zero"));

  // A copy is another reference, which keeps the instance.
  auto copy = add;
  add = instance.func<int32_t(int32_t, int32_t)>("divide");
  CHECK(copy(1, 1) == 2 && add(4, 2) == 2);
}

static void test_host_funcs(const tenon::Store &store) {
  int calls = 0;
  auto alive = std::make_shared<int>(0);
  {
    tenon::Linker linker(store);
    linker.define_func("env", "mul", [&calls, alive](int32_t a, int64_t b) -> int64_t {
      ++calls;
      if (a < 0) throw std::invalid_argument("negative");
      return a * b;
    });
    linker.define_func("env", "both", [](int32_t a) { return std::make_tuple(a + 1, double(a)); });
    auto module = tenon::Module::from_text(store, R"((module
      (import "env" "mul" (func $mul (param i32 i64) (result i64)))
      (import "env" "both" (func $both (param i32) (result i32 f64)))
      (func (export "mul") (param i32 i64) (result i64) (call $mul (local.get 0) (local.get 1)))
      (func (export "both") (param i32) (result i32 f64) (call $both (local.get 0)))))");
    tenon::Instance instance = linker.instantiate(module);
    auto mul = instance.func<int64_t(int32_t, int64_t)>("mul");
    CHECK(mul(3, 1LL << 33) == 3 * (1LL << 33) && calls == 1);
    CHECK(throws<std::invalid_argument>([&] { mul(-1, 1); }, "negative"));
    CHECK(throws<std::invalid_argument>([&] { mul.try_call(-1, 1); }, "negative"));
    CHECK(mul(0, 1) == 0 && calls == 4);
    CHECK(instance.func<std::tuple<int32_t, double>(int32_t)>("both")(6) == std::make_tuple(7, 6.0));
    CHECK(linker.get("env", "mul")->func() != nullptr && !linker.get("env", "none") && !linker.get("none", "mul"));
    CHECK(throws<tenon::Error>([&] { linker.define_func("env", "mul", [] {}); }, "mul"));
    auto missing = tenon::Module::from_text(store, R"((module (import "env" "gone" (func))))");
    CHECK(throws<tenon::Error>([&] { linker.instantiate(missing); }, "gone"));
    CHECK(alive.use_count() == 2);
  }
  store.collect();
  CHECK(alive.use_count() == 1);
}

static void test_memory(const tenon::Store &store) {
  tenon::Memory memory(store, 1, 3);
  CHECK(memory.pages() == 1 && memory.size() == tenon::Memory::page_size);
  memory.write<uint32_t>(65532, 7);
  CHECK(memory.read<uint32_t>(65532) == 7 && memory.read<uint8_t>(65532) == 7);
  CHECK(throws<tenon::Error>([&] { memory.read<uint32_t>(65533); }, "at offset 65533 are outside of the memory"));
  CHECK(throws<tenon::Error>([&] { memory.read<char>(UINT64_MAX); }, "outside"));
  CHECK(throws<tenon::Error>([&] { memory.span<uint64_t>(8, UINT64_MAX / 8 + 1); }, "outside"));
  CHECK(throws<tenon::Error>([&] { memory.write_string(65530, "too long"); }, "outside"));
  memory.write_string(10, "text");
  CHECK(memory.read_string(10, 4) == "text" && memory.read_string(65536, 0).empty());

  tenon::Span<uint16_t> span = memory.span<uint16_t>(65535 - 8, 4);
  span.set(3, 500);
  CHECK(memory.grow(1) == 1 && memory.pages() == 2);
  CHECK(span[3] == 500 && span.size() == 4 && span.slice(3, 1)[0] == 500);
  CHECK(throws<tenon::Error>([&] { span[4]; }, "1 elements at 4 are outside of the span's 4"));
  CHECK(throws<tenon::Error>([&] { span.slice(3, 2); }, "outside"));
  const uint16_t numbers[] = {1, 2, 3, 4, 5};
  CHECK(throws<tenon::Error>([&] { span.assign(numbers, 5); }, "outside"));
  span.assign(numbers, 3);
  CHECK(span.to_vector() == std::vector<uint16_t>({1, 2, 3, 500}));
  CHECK(throws<tenon::Error>([&] { memory.grow(2); }, "cannot grow by 2"));
  auto result = tenon::attempt([&] { return memory.grow(2); });
  CHECK(!result && result.error().kind() == TENON_ERROR_LIMIT && result.trap() == nullptr && memory.pages() == 2);
  CHECK(tenon::attempt([&] { return memory.grow(1); }).value() == 2);
  CHECK(tenon::attempt([&] { memory.write<char>(0, 'x'); }));

  // A span keeps its memory.
  auto kept = std::make_unique<tenon::Memory>(store, 1);
  tenon::Span<char> last = kept->span<char>(0, 2);
  kept.reset();
  store.collect();
  last.set(0, 'a');
  CHECK(last[0] == 'a' && last[1] == 0);
}

static void test_contents(const tenon::Store &store) {
  tenon::Memory memory(store, 1, 3), other(store, 1);
  tenon_memory_view_t view = memory.view(4, 4);
  CHECK(memory.is_valid(view) && !other.is_valid(view) && view.size == 4);
  memory.write_string(4, "text");
  CHECK(std::string_view(view.data, view.size) == "text" && memory.read_cstring(4, 5) == "text");
  CHECK(throws<tenon::Error>([&] { memory.read_cstring(4, 4); }, "no NUL"));
  tenon::Snapshot snapshot = memory.snapshot();
  uint64_t generation = memory.generation();
  CHECK(memory.grow_at_least(1) == 1 && memory.is_valid(view) && memory.generation() == generation);
  CHECK(memory.grow_at_least(2) == 1 && !memory.is_valid(view) && memory.generation() != generation);
  CHECK(throws<tenon::Error>([&] { memory.grow_at_least(4); }, "cannot grow by 2"));
  memory.fill(0, 7, 2 * tenon::Memory::page_size);
  other.copy_from(1, memory, 65536, 3);
  CHECK(other.read<uint32_t>(0) == 0x07070700 && other.read<uint8_t>(4) == 0);
  memory.discard(65536, 65535);
  CHECK(memory.read<uint8_t>(131071) == 7 && memory.read<uint8_t>(131070) == 0 && memory.read<uint8_t>(65535) == 7);
  memory.restore(snapshot);
  CHECK(snapshot.size() == 65536 && tenon::Snapshot(snapshot).get() == snapshot.get());
  CHECK(memory.read_cstring(4, 100) == "text" && memory.read<uint8_t>(131071) == 0 && memory.read<uint8_t>(0) == 0);
  CHECK(throws<tenon::Error>([&] { other.restore(memory.snapshot()); }, "grow it first"));
  CHECK(throws<tenon::Error>([&] { memory.fill(131072, 1, 1); }, "131072"));
  CHECK(throws<tenon::Error>([&] { memory.view(131071, 2); }, "131071"));
  CHECK(throws<tenon::Error>([&] { memory.copy_from(0, other, UINT64_MAX, 1); }, "65536"));
}

static void test_errors(const tenon::Store &store) {
  try {
    tenon::Module::from_text(store, "(module\n  (funk))");
    CHECK(false);
  } catch (const tenon::Error &error) {
    CHECK(error.kind() == TENON_ERROR_TEXT && error.line() && error.line()->first == 2);
  }
  try {
    tenon::Module(store, std::string_view("\0asm\1\0\0\0\x4d", 9));
    CHECK(false);
  } catch (const tenon::Error &error) {
    CHECK(error.kind() == TENON_ERROR_MALFORMED && error.offset());
  }
  auto starts = tenon::Module::from_text(store, "(module (func $s unreachable) (start $s))");
  CHECK(throws<tenon::TrapError>([&] { tenon::Instance(store, starts); }, "unreachable"));
  auto imports = tenon::Module::from_text(store, R"((module (import "env" "m" (memory 2))))");
  tenon::Memory small(store, 1);
  CHECK(throws<tenon::Error>([&] { tenon::Instance(store, imports, {small.get()}); }, "\"m\""));
  CHECK(throws<tenon::Error>([&] { tenon::Instance(store, imports); }, "import"));
  tenon::Memory large(store, 2);
  tenon::Instance(store, imports, {large.get()});
  tenon::Instance(store, imports, std::vector<wasm::Extern *>{large.get()});
}

int main() {
  tenon::Store store(test_engine());
  test_funcs(store);
  test_host_funcs(store);
  test_memory(store);
  test_contents(store);
  test_errors(store);
  return done();
}
