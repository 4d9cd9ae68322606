// tenon.hh: limits, growth callbacks, views of numbers, texts, memories by index, shared memories.

#include "tenon_test.hh"

using namespace test;

static const char *text = R"((module
  (memory (export "memory") 1 10)
  (memory 2)
  (table (export "table") 1 10 funcref)
  (data (i32.const 8) "text")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))))";

static void test_limits() {
  tenon::Store store(test_engine());
  tenon::Instance instance(store, tenon::Module::from_text(store, text));
  tenon::Memory memory = instance.memory("memory");
  CHECK(store.usage(TENON_LIMIT_MEMORY_BYTES) == 3 * 65536 && store.limit(TENON_LIMIT_MEMORIES) == UINT64_MAX);
  store.set_limit(TENON_LIMIT_MEMORY_BYTES, 4 * 65536);
  CHECK(throws([&] { memory.grow(2); }, "the store may have 262144 bytes", TENON_ERROR_STORE_LIMIT));
  CHECK(throws([&] { memory.grow(20); }, "cannot grow by 20", TENON_ERROR_LIMIT));
  auto grow = instance.func<int32_t(int32_t)>("grow");
  CHECK(grow(2) == -1 && grow(1) == 1 && store.limit(TENON_LIMIT_MEMORY_BYTES) == 4 * 65536);
  store.set_growth_traps(true);
  try {
    grow(1);
    CHECK(false);
  } catch (const tenon::TrapError &trap) {
    CHECK(trap.code() == TENON_TRAP_ALLOCATION_FAILURE && says(trap.what(), "memory.grow: the store may have"));
  }
  CHECK(throws([&] { store.set_limit(99, 0); }, "99 is no kind of limit"));
  CHECK(throws([&] { tenon::Memory(store, 1); }, "the store may have"));
}

static void test_growth() {
  auto alive = std::make_shared<int>(0);
  {
    tenon::Store store(test_engine());
    tenon::Instance instance(store, tenon::Module::from_text(store, text));
    tenon::Memory memory = instance.memory("memory");
    auto grow = instance.func<int32_t(int32_t)>("grow"), grow_table = instance.func<int32_t(int32_t)>("grow_table");
    std::vector<tenon::Growth> asked, told;
    store.on_growth(
        [&, alive](const tenon::Growth &growth) {
          asked.push_back(growth);
          if (growth.new_size == 7) throw std::invalid_argument("never seven");
          return growth.new_size < 5;
        },
        [&](const tenon::Growth &growth) {
          told.push_back(growth);
          CHECK(!growth.is_memory || growth.item->memory()->size() == growth.new_size);
        });
    tenon::View<int32_t> view = memory.view_of<int32_t>(8, 2);
    CHECK(grow(2) == 1 && asked.size() == 1 && told.size() == 1 && told[0].is_memory && told[0].old_size == 1);
    CHECK(told[0].new_size == 3 && told[0].maximum == 10 && !view.is_valid());
    CHECK(grow_table(1) == 1 && told.size() == 2 && !told[1].is_memory && told[1].new_size == 2);
    CHECK(grow(2) == -1 && asked.size() == 3 && told.size() == 2);
    CHECK(throws([&] { memory.grow(2); }, "the host refuses it", TENON_ERROR_STORE_LIMIT));
    CHECK(throws<std::invalid_argument>([&] { grow(4); }, "never seven"));
    CHECK(throws([&] { memory.grow(4); }, "never seven", TENON_ERROR_TRAP));
    CHECK(memory.pages() == 3 && alive.use_count() == 2);
    tenon::Memory made(store, 1);
    CHECK(asked.back().item == nullptr && !asked.back().maximum && told.size() == 2);
    store.on_growth(nullptr, [&](const tenon::Growth &growth) { told.push_back(growth); });
    CHECK(alive.use_count() == 1 && grow(4) == 3 && told.size() == 3);
    store.on_growth(nullptr);
    CHECK(grow(1) == 7 && told.size() == 3);
    store.on_growth([alive](const tenon::Growth &) { return true; });
    CHECK(alive.use_count() == 2);
  }
  CHECK(alive.use_count() == 1);
}

static void test_views() {
  tenon::Store store(test_engine());
  tenon::Memory memory(store, 1, 3);
  tenon::View<uint16_t> view = memory.view_of<uint16_t>(4, 3);
  CHECK(view.size() == 3 && view.offset() == 4 && view.is_valid());
  uint16_t next = 500;
  for (uint16_t &each : view) each = next++;
  CHECK(memory.read<uint16_t>(8) == 502 && view[2] == 502);
  view[0] = 7;
  CHECK(memory.read<uint8_t>(4) == 7);
  CHECK(throws([&] { view[3]; }, "no element 3 in a view of 3"));
  CHECK(throws([&] { memory.view_of<uint32_t>(2, 1); }, "not a multiple of the element's 4 bytes"));
  CHECK(throws([&] { memory.view_of<double>(65536 - 8, 2); }, "outside"));
  CHECK(throws([&] { memory.view_of<int64_t>(0, UINT64_MAX / 8 + 1); }, "outside"));
  CHECK(memory.view_of<float>(65536, 0).size() == 0 && memory.view_of<char>(65535, 1).size() == 1);
  memory.grow(1);
  CHECK(!view.is_valid() && throws([&] { view[0]; }, "stale") && throws([&] { view.begin(); }, "stale"));
  view.refresh();
  CHECK(view.is_valid() && view[1] == 501 && memory.offset_of(view.data(), 6) == 4);
  CHECK(throws([&] { memory.offset_of(&next, 2); }, "outside"));
  CHECK(memory.element(16, 3, 8) == 40 && memory.element(131064, 1, 4) == 131068);
  CHECK(throws([&] { memory.element(16, UINT64_MAX, 8); }, "outside") && throws([&] { memory.element(131064, 2, 4); }, "outside"));
  // It keeps the memory.
  auto kept = std::make_unique<tenon::Memory>(store, 1);
  tenon::View<char> last = kept->view_of<char>(0, 2);
  kept.reset();
  store.collect();
  last[0] = 'a';
  CHECK(last[0] == 'a' && last[1] == 0);
}

static void test_texts() {
  tenon::Store store(test_engine());
  tenon::Memory memory(store, 1);
  memory.write_cstring(100, 7, "gr\xc3\xbc\xc3\x9f");
  CHECK(memory.cstring_length(100, 7) == 6 && memory.read_text(100, 6) == "gr\xc3\xbc\xc3\x9f");
  CHECK(throws([&] { memory.read_text(100, 5); }, "are not UTF-8: see offset 104"));
  CHECK(memory.read_text(100, 5, tenon::Utf8::lossy) == "gr\xc3\xbc\xef\xbf\xbd" && memory.read_text(65536, 0).empty());
  memory.write<uint8_t>(105, 0);
  CHECK(throws([&] { memory.read_cstring(100, 7); }, "are not UTF-8"));
  CHECK(memory.read_cstring(100, 7, tenon::Utf8::lossy) == "gr\xc3\xbc\xef\xbf\xbd");
  CHECK(throws([&] { memory.write_cstring(100, 3, "abc"); }, "room for 3"));
  CHECK(throws([&] { memory.cstring_length(100, 2); }, "no NUL"));
}

static void test_indices() {
  tenon::Store store(test_engine());
  tenon::Instance instance(store, tenon::Module::from_text(store, text));
  tenon::Memory first = instance.memory(0), second = instance.memory(1);
  CHECK(first.pages() == 1 && second.pages() == 2 && first.read_cstring(8, 9) == "text");
  CHECK(throws([&] { instance.memory(2); }, "there is no memory 2"));
  first.fill(0, 0xff, 65536);
  instance.reset_memory();
  CHECK(first.read_cstring(8, 9) == "text" && first.read<int64_t>(0) == 0 && first.read<uint8_t>(65535) == 0);
  CHECK(throws([&] { instance.reset_memory(2); }, "memory 2 is not one that the instance defines"));
}

static void test_types() {
  tenon::Store store(test_engine());
  tenon::MemoryType type;
  type.min = 100;
  type.max = 1000;
  type.page_size_log2 = 0;
  tenon::Memory bytes(store, type);
  CHECK(bytes.pages() == 100 && bytes.page_bytes() == 1 && bytes.size() == 100 && bytes.grow(50) == 100 && bytes.size() == 150);
  CHECK(throws([&] { bytes.read<uint16_t>(149); }, "outside"));
  tenon::MemoryType now = bytes.type();
  CHECK(now.min == 150 && now.max == 1000 && !now.is64 && !now.shared && now.page_size_log2 == 0);
  now = tenon::Memory(store, tenon::MemoryType{1, std::nullopt, true}).type();
  CHECK(now.min == 1 && !now.max && now.is64 && now.page_size_log2 == 16);
}

static void test_shared() {
  tenon::Engine engine = test_engine();
  tenon::SharedMemory memory(engine, {1, 2, false, true, 16});
  memory.atomic<int16_t>(16) = -2;
  CHECK(memory.atomic<uint8_t>(17) == 0xff && memory.atomic<uint8_t>(18) == 0 && memory.atomic<uint8_t>(65535) == 0);
  CHECK(throws([&] { memory.atomic<uint16_t>(17); }, "there is no integer of 2 bytes at address 17"));
  CHECK(throws([&] { memory.atomic<uint8_t>(65536); }, "there is no integer"));
  tenon::SharedMemory other(engine, memory.type()), same(memory);
  CHECK(memory == same && memory != other && other.type().shared && other.type().max == 2 && other.pages() == 1);
  tenon::Store store(engine);
  CHECK(tenon::SharedMemory(memory.obtain(store)) == same && memory.obtain(store).type().shared);
}

// A creator over new, which moves whatever grows.
class Creator : public tenon::MemoryCreator {
public:
  int made = 0, live = 0;

  bool allocate(const tenon_memory_request_t &request, tenon_host_memory_t &out) noexcept override {
    if (request.size > 10 * 65536) return false;
    ++made, ++live;
    return place(out, request.size);
  }

  bool grow(tenon_host_memory_t &memory, uint64_t old_size, uint64_t new_size) noexcept override {
    tenon_host_memory_t old = memory;
    if (new_size > 10 * 65536 || !place(memory, new_size)) return false;
    std::memcpy(memory.data, old.data, old_size);
    std::free(old.handle);
    return true;
  }

  void free(tenon_host_memory_t &memory, uint64_t) noexcept override {
    --live;
    std::free(memory.handle);
  }

private:
  static bool place(tenon_host_memory_t &out, uint64_t size) noexcept {
    out.handle = std::calloc(1, size + 16);
    out.data = static_cast<uint8_t *>(out.handle) + (16 - reinterpret_cast<uintptr_t>(out.handle) % 16);
    return out.handle != nullptr;
  }
};

static void test_creator() {
  auto creator = std::make_shared<Creator>();
  {
    tenon::Engine engine([&](wasm_config_t *config) { tenon::set_memory_creator(config, creator); });
    tenon::Store store(engine);
    tenon::Instance instance(store, tenon::Module::from_text(store, text));
    CHECK(creator->made == 2 && creator->live == 2 && creator.use_count() == 2);
    tenon::Memory memory = instance.memory(0);
    auto grow = instance.func<int32_t(int32_t)>("grow");
    CHECK(!memory.is_pinned() && grow(3) == 1 && memory.read_cstring(8, 9) == "text" && memory.size() == 4 * 65536);
    CHECK(throws([&] { tenon::Memory(store, 11); }, "the memory's creator has none", TENON_ERROR_MEMORY));
    tenon::Memory more(store, 5);
    CHECK(throws([&] { more.grow(6); }, "the memory's creator has no more", TENON_ERROR_MEMORY) && more.grow(5) == 5);
  }
  CHECK(creator->live == 0 && creator->made == 3 && creator.use_count() == 1);
  CHECK(throws([&] { tenon::Engine([](wasm_config_t *config) { tenon::set_memory_creator(config, nullptr); }); }, "no creator"));
  tenon::Engine pins([](wasm_config_t *config) { tenon_config_set_pinned_memories(config, true); });
  tenon::Store store(pins);
  CHECK(tenon::Memory(store, 1, 3).is_pinned());
  tenon::MemoryType wide;
  wide.is64 = true;
  CHECK(throws([&] { tenon::Memory(store, wide); }, "cannot be pinned without a maximum", TENON_ERROR_UNSUPPORTED));
}

int main() {
  test_limits();
  test_growth();
  test_views();
  test_texts();
  test_indices();
  test_types();
  test_shared();
  test_creator();
  return done();
}
