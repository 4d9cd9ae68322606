// Snapshots of memories: against a model, with images and without, small and sparse ones.

#include "test_util.h"

enum { PAGE = 65536, DATA = 100000, PAGES = 4, MOST = 9 };

static uint32_t state = 12345;

static uint32_t random_below(uint32_t bound) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % bound;
}

// An instance whose memory begins with data that is mapped, from the third page of the system's on.
static own wasm_instance_t* new_instance(wasm_store_t* store) {
  char* text = malloc(4 * DATA + 200);
  REQUIRE(text != NULL);
  char* at = text + sprintf(text, "(module (memory (export \"m\") %d) (data (i32.const 8200) \"", PAGES);
  for (int i = 0; i < DATA; ++i) at += sprintf(at, "\\%02x", i % 200 < 100 ? i % 100 : 0);
  sprintf(at, "\"))");
  own wasm_instance_t* instance = instance_of(store, text);
  free(text);
  return instance;
}

typedef struct {
  own wasm_memory_t* memory;
  uint8_t* model;  // what it should hold
} pair_t;

static bool is_right(const pair_t* pair) {
  return memcmp(wasm_memory_data(pair->memory), pair->model, wasm_memory_data_size(pair->memory)) == 0;
}

// Writes somewhere, of some length: a few bytes, or zeros over many pages.
static void change(pair_t* pair) {
  size_t size = wasm_memory_data_size(pair->memory);
  size_t start = random_below((uint32_t)size), length = random_below(3) == 0 ? random_below(150000) : random_below(50);
  if (length > size - start) length = size - start;
  int value = random_below(2) == 0 ? 0 : (int)random_below(256);
  memset(wasm_memory_data(pair->memory) + start, value, length);
  memset(pair->model + start, value, length);
}

// Memories of one engine, of which snapshots are taken and brought back, to themselves and to each other.
static void test_model(wasm_store_t* store) {
  enum { MEMORIES = 4, SNAPSHOTS = 5 };
  own wasm_instance_t* instances[2] = {new_instance(store), new_instance(store)};
  pair_t pairs[MEMORIES];
  struct { own tenon_memory_snapshot_t* snapshot; uint8_t* model; size_t size; } taken[SNAPSHOTS] = {0};
  for (int i = 0; i < MEMORIES; ++i) {
    own tenon_error_t* error = NULL;
    if (i < 2) error = tenon_instance_memory(instances[i], 0, &pairs[i].memory);
    else pairs[i].memory = new_memory(store, i == 2 ? PAGES : 2, MOST);
    REQUIRE(error == NULL && pairs[i].memory != NULL);
    pairs[i].model = calloc(MOST, PAGE);
    REQUIRE(pairs[i].model != NULL);
    memcpy(pairs[i].model, wasm_memory_data(pairs[i].memory), wasm_memory_data_size(pairs[i].memory));
  }
  int restored = 0, refused = 0;
  for (int round = 0; round < rounds(3000, 200); ++round) {
    pair_t* pair = &pairs[random_below(MEMORIES)];
    int which = (int)random_below(SNAPSHOTS);
    switch (random_below(8)) {
      case 0:
        tenon_memory_snapshot_delete(taken[which].snapshot);
        free(taken[which].model);
        REQUIRE(tenon_memory_snapshot(pair->memory, &taken[which].snapshot) == NULL);
        taken[which].size = wasm_memory_data_size(pair->memory);
        CHECK(tenon_memory_snapshot_size(taken[which].snapshot) == taken[which].size);
        taken[which].model = malloc(taken[which].size);
        REQUIRE(taken[which].model != NULL);
        memcpy(taken[which].model, pair->model, taken[which].size);
        break;
      case 1:
      case 2: {
        if (taken[which].snapshot == NULL) break;
        size_t size = wasm_memory_data_size(pair->memory);
        own tenon_error_t* error = tenon_memory_restore(pair->memory, taken[which].snapshot);
        CHECK((error == NULL) == (size >= taken[which].size));
        if (error == NULL) {
          memset(pair->model, 0, size);
          memcpy(pair->model, taken[which].model, taken[which].size);
          ++restored;
        } else {
          ++refused;
        }
        tenon_error_delete(error);
        CHECK(is_right(pair));
        break;
      }
      case 3:
        if (random_below(20) == 0 && wasm_memory_size(pair->memory) < MOST) CHECK(wasm_memory_grow(pair->memory, 1));
        break;
      default: change(pair);
    }
  }
  for (int i = 0; i < MEMORIES; ++i) {
    CHECK(is_right(&pairs[i]));
    free(pairs[i].model);
    wasm_memory_delete(pairs[i].memory);
  }
  for (int i = 0; i < SNAPSHOTS; ++i) {
    tenon_memory_snapshot_delete(taken[i].snapshot);
    free(taken[i].model);
  }
  for (int i = 0; i < 2; ++i) wasm_instance_delete(instances[i]);
  printf("%d snapshots brought back, %d refused\n", restored, refused);
  CHECK(restored > 10);
}

static void put(wasm_memory_t* memory, uint64_t offset, uint8_t value) {
  own tenon_error_t* error = tenon_memory_write(memory, offset, &value, 1);
  if (!CHECK(error == NULL)) printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
}

static bool holds(wasm_memory_t* memory, uint64_t offset, uint8_t value) {
  uint8_t held = (uint8_t)~value;
  own tenon_error_t* error = tenon_memory_read(memory, offset, &held, 1);
  tenon_error_delete(error);
  return error == NULL && held == value;
}

// A memory of gigabytes, of which little is touched: what a snapshot takes up is that.
static void test_sparse(wasm_store_t* store) {
  const uint64_t pages = (uint64_t)rounds(6 << 14, 1 << 10), size = pages * PAGE;
  own wasm_memorytype_t* type = NULL;
  own wasm_memory_t* memory = NULL;
  own tenon_memory_snapshot_t* snapshot = NULL;
  REQUIRE(tenon_memorytype_new(pages, true, pages + 100, true, false, 16, &type) == NULL);
  own tenon_error_t* error = tenon_memory_new(store, type, &memory);
  if (error != NULL) printf("%s\n", tenon_error_message(error));
  REQUIRE(error == NULL);
  wasm_memorytype_delete(type);
  const uint64_t places[] = {0, 4095, size / 2, size / 2 + 4096 * 3, size - 1};
  enum { PLACES = sizeof(places) / sizeof(*places) };
  for (int i = 0; i < PLACES; ++i) put(memory, places[i], (uint8_t)(i + 1));
  long before = resident_kib();
  REQUIRE(tenon_memory_snapshot(memory, &snapshot) == NULL);
  CHECK(tenon_memory_snapshot_size(snapshot) == size);
  for (int i = 0; i < PLACES; ++i) put(memory, places[i], 99);
  // Much that is new, and some beyond what there was.
  REQUIRE(tenon_memory_fill(memory, size / 4, 7, 10 << 20) == NULL);
  CHECK(tenon_memory_grow(memory, 1, NULL) == NULL);
  put(memory, size + 5, 5);
  CHECK(tenon_memory_restore(memory, snapshot) == NULL);
  for (int i = 0; i < PLACES; ++i) CHECK(holds(memory, places[i], (uint8_t)(i + 1)));
  CHECK(holds(memory, size / 4, 0) && holds(memory, size / 4 + (10 << 20) - 1, 0) && holds(memory, size + 5, 0));
  CHECK(holds(memory, size / 2 - 1, 0) && holds(memory, 4096, 0));
  long more = resident_kib() - before;
  printf("%+ld KiB for a snapshot of %" PRIu64 " MiB, and its return\n", more, size >> 20);
  CHECK(more < 1024 || getenv("TENON_TEST_SLOW") != NULL);
  // Twice is as good, and what is discarded is gone without the rest being looked at.
  CHECK(tenon_memory_discard(memory, 0, size) == NULL && holds(memory, size - 1, 0));
  CHECK(tenon_memory_restore(memory, snapshot) == NULL && holds(memory, size - 1, PLACES));
  tenon_memory_snapshot_delete(snapshot);
  wasm_memory_delete(memory);
}

// Pages of one byte: the memory ends within a page of the system's.
static void test_small_pages(wasm_store_t* store) {
  own wasm_memorytype_t* type = NULL;
  own wasm_memory_t* memory = NULL;
  own tenon_memory_snapshot_t* snapshot = NULL;
  REQUIRE(tenon_memorytype_new(5000, true, 20000, false, false, 0, &type) == NULL);
  REQUIRE(tenon_memory_new(store, type, &memory) == NULL);
  wasm_memorytype_delete(type);
  put(memory, 4999, 1);
  REQUIRE(tenon_memory_snapshot(memory, &snapshot) == NULL);
  CHECK(tenon_memory_grow(memory, 7000, NULL) == NULL);
  put(memory, 4999, 2);
  put(memory, 5000, 3);
  put(memory, 11999, 4);
  CHECK(tenon_memory_restore(memory, snapshot) == NULL);
  CHECK(holds(memory, 4999, 1) && holds(memory, 5000, 0) && holds(memory, 11999, 0));
  tenon_memory_snapshot_delete(snapshot);
  wasm_memory_delete(memory);
}

// What a snapshot holds outlives all that it was taken of.
static void test_lifetime(void) {
  own tenon_memory_snapshot_t* snapshot = NULL;
  {
    own wasm_engine_t* engine = new_engine();
    own wasm_store_t* store = wasm_store_new(engine);
    own wasm_instance_t* instance = new_instance(store);
    own wasm_memory_t* memory = NULL;
    REQUIRE(tenon_instance_memory(instance, 0, &memory) == NULL);
    put(memory, 3, 4);
    REQUIRE(tenon_memory_snapshot(memory, &snapshot) == NULL);
    wasm_memory_delete(memory);
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
  }
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_memory_t* memory = new_memory(store, PAGES, PAGES);
  CHECK(tenon_memory_restore(memory, snapshot) == NULL && holds(memory, 3, 4) && holds(memory, 8201, 1) && holds(memory, 8299, 99));
  tenon_memory_snapshot_delete(snapshot);
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

// What a restored memory leaves behind is as clean for the next instance as any other.
static void test_next_instance(wasm_store_t* store) {
  own wasm_module_t* module = module_of(store, "(module (memory (export \"m\") 8) (data (i32.const 5000) \"initial\"))");
  own wasm_memory_t* empty = new_memory(store, 8, 8);
  own tenon_memory_snapshot_t* zeros = NULL;
  REQUIRE(tenon_memory_snapshot(empty, &zeros) == NULL);
  for (int i = 0; i < 3; ++i) {
    own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
    own wasm_memory_t* memory = NULL;
    REQUIRE(tenon_instance_memory(instance, 0, &memory) == NULL);
    CHECK(memcmp(wasm_memory_data(memory) + 4999, "\0initial", 9) == 0 && holds(memory, 300000, 0));
    REQUIRE(tenon_memory_fill(memory, 0, 7, 8 * PAGE) == NULL);
    CHECK(tenon_memory_restore(memory, zeros) == NULL);
    CHECK(holds(memory, 5000, 0) && holds(memory, 300000, 0));
    put(memory, 300000, 1);
    wasm_memory_delete(memory);
    wasm_instance_delete(instance);
  }
  tenon_memory_snapshot_delete(zeros);
  wasm_memory_delete(empty);
  wasm_module_delete(module);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_model(store);
  test_next_instance(store);
  test_small_pages(store);
  test_sparse(store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  test_lifetime();
  return check_done();
}
