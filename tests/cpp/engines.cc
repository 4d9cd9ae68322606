// tenon.hh: the settings of engines, nearly each of which can be seen to have an effect; modules as bytes and in files.

#include <csignal>
#include <fstream>

#include "tenon_test.hh"

using namespace test;
using tenon::Config;
using tenon::Engine;
using tenon::Module;
using tenon::Store;

// The address of what handles faults of memory accesses now.
static void *fault_handler() {
  struct sigaction action;
  sigaction(SIGSEGV, nullptr, &action);
  return reinterpret_cast<void *>(action.sa_sigaction);
}

static void test_signals() {
  void *before = fault_handler();
  Config config;
  config.signals = false;
  {
    Store store{Engine(config)};
    auto module = Module::from_text(store, R"((module (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))))");
    auto load = tenon::Instance(store, module).func<int32_t(int32_t)>("load");
    CHECK(load(0) == 0 && throws<tenon::TrapError>([&] { load(65533); }, "out of bounds"));
    CHECK(fault_handler() == before);
  }
}

// At the end: a handler stays, and valgrind cannot grow the stack where there is one.
static void test_handler() {
  void *before = fault_handler();
  Config config;
  config.signals = true;
  Store store{Engine(config)};
  CHECK(fault_handler() != before || !(test_config().signals == false));
}

// A feature that is off is refused, by its name.
static void test_feature(std::optional<bool> Config::*feature, const char *use, const char *name) {
  std::string text = "(module " + std::string(use) + ")", part = "feature not enabled: " + std::string(name);
  Config config = test_config();
  config.*feature = true;
  CHECK(tenon::attempt([&] { Module::from_text(Store{Engine(config)}, text); }));
  config.*feature = false;
  CHECK(throws([&] { Module::from_text(Store{Engine(config)}, text); }, part.c_str(), TENON_ERROR_UNSUPPORTED));
}

static void test_features() {
  test_feature(&Config::simd, "(func (param v128))", "SIMD");
  test_feature(&Config::relaxed_simd, "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))", "relaxed SIMD");
  test_feature(&Config::reference_types, "(func (param externref))", "reference types");
  test_feature(&Config::multi_memory, "(memory 1) (memory 1)", "multiple memories");
  test_feature(&Config::memory64, "(memory i64 1)", "memory64");
  test_feature(&Config::custom_page_sizes, "(memory 1 (pagesize 1))", "custom page sizes");
  test_feature(&Config::wide_arithmetic, "(func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0)))", "wide arithmetic");
  test_feature(&Config::threads, "(memory 1 1 shared)", "threads");
  test_feature(&Config::exceptions, "(tag)", "exceptions");
  test_feature(&Config::legacy_exceptions, "(func try catch_all end)", "legacy exceptions");
  test_feature(&Config::tail_calls, "(func return_call 0)", "tail calls");
  test_feature(&Config::function_references, "(func (param (ref func)))", "function references");
  test_feature(&Config::gc, "(type (struct))", "garbage collection");
}

static void test_limits() {
  const char *text = R"((module (func $down (export "down") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))))";
  for (auto level : {tenon::Optimization::speed, tenon::Optimization::little, tenon::Optimization::none}) {
    Config config = test_config();
    config.optimization = level;
    config.eager = true;
    config.max_stack = 16 << 10;
    Store small{Engine(config)};
    auto down = tenon::Instance(small, Module::from_text(small, text)).func<int32_t(int32_t)>("down");
    CHECK(down(100) == 100 && throws<tenon::TrapError>([&] { down(3000); }, "stack exhausted"));
    config.max_stack.reset();
    Store usual{Engine(config)};
    CHECK(tenon::Instance(usual, Module::from_text(usual, text)).func<int32_t(int32_t)>("down")(3000) == 3000);
  }

  Config config = test_config();
  config.gc_heap_limit = 1 << 20;
  Store store{Engine(config)};
  tenon::DefType bytes = tenon::DefType::array({tenon::ValType::i32(), true, tenon::Packing::i8});
  CHECK(tenon::Array::zeros(store, bytes, 1000).size() == 1000);
  CHECK(throws([&] { tenon::Array::zeros(store, bytes, 2 << 20); }, "heap of objects is full"));
}

static void test_collect_always() {
  auto alive = std::make_shared<int>(0);
  for (bool always : {true, false}) {
    Config config = test_config();
    config.collect_always = always;
    Store store{Engine(config)};
    tenon::Table table(store, tenon::ValType::externref(), 1, std::nullopt, tenon::Ref::of(store, alive));
    table.set(0, tenon::Ref());
    tenon::Memory memory(store, 1);
    CHECK(alive.use_count() == (always ? 1 : 2));
    store.collect();
    CHECK(alive.use_count() == 1);
  }
}

static void test_memories() {
  Config config = test_config();
  config.memory_reservation = uint64_t(4) << 30;
  CHECK(tenon::Memory(Store{Engine(config)}, 1, 3).is_pinned());
  config = test_config();
  config.memory_reservation.reset();
  config.memory_guard.reset();
  config.dense_memories = true;
  config.pooled_memories = 3;
  config.pooled_bytes = 1 << 12;
  CHECK(!tenon::Memory(Store{Engine(config)}, 1, 3).is_pinned());
  config.pinned_memories = true;
  Engine engine(config);
  CHECK(tenon::Memory(Store(engine), 1, 3).is_pinned());
  engine.trim();
  // What is set is added to what dense memories stand for, wherever it stands.
  config = test_config();
  config.dense_memories = true;
  config.memory_reservation = 1 << 20;
  config.memory_guard = 1 << 16;
  Store store{Engine(config)};
  CHECK(tenon::Memory(store, 1, 3).is_pinned() && !tenon::Memory(store, 1, 300).is_pinned());
}

static void test_modules() {
  const char *text = R"((module (func (export "answer") (result i32) (i32.const 42))))";
  Store store(test_engine());
  Module module = Module::from_text(store, text);
  auto answers = [&](const Module &each) { return tenon::Instance(store, each).func<int32_t()>("answer")() == 42; };
  CHECK(answers(module) && answers(Module(module.get())));
  CHECK(throws([] { (void)Module(static_cast<const wasm::Module *>(nullptr)); }, "no module"));

  std::string bytes = module.serialize();
  CHECK(bytes.size() > 8 && answers(Module::deserialize(store, bytes)));
  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  CHECK(throws([&] { Module::deserialize(store, damaged); }, "", TENON_ERROR_DAMAGED));
  CHECK(throws([&] { Module::deserialize(store, ""); }, "", TENON_ERROR_DAMAGED));
  std::string path = "cpp-engines.module";
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK(answers(Module::deserialize_file(store, path)));
  std::remove(path.c_str());
  CHECK(throws([&] { Module::deserialize_file(store, path); }, path.c_str()));

  vec<byte_t> binary = binary_of(text);
  std::string_view whole(binary.get(), binary.size());
  Module::validate(store, whole);
  CHECK(throws([&] { Module::validate(store, whole.substr(0, whole.size() - 1)); }, "", TENON_ERROR_MALFORMED));
  CHECK(throws([&] { Module::validate(store, std::string_view("\0asm\1\0\0\0\3\2\1\0", 12)); }, ""));
  CHECK(throws([&] { Module::validate(store, std::string_view()); }, ""));
}

int main() {
  // First, before another engine has a handler for faults.
  test_signals();
  CHECK(tenon::version() == TENON_VERSION && !tenon::build_info().empty());
  test_features();
  test_limits();
  test_collect_always();
  test_memories();
  test_modules();
  test_handler();
  return done();
}
