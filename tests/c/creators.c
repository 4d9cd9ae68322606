// Memories whose bytes the host provides, and memories that never move.

#include <pthread.h>

#include "memory_model.h"

static const char text[] =
  "(module\n"
  "  (memory (export \"memory\") 1 20)\n"
  "  (data (i32.const 10) \"hello\")\n"
  "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))\n"
  "  (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))\n"
  "  (func (export \"store_grown\") (param i32) (result i32)\n"
  "    (i32.store (i32.const 100) (i32.const 5))\n"
  "    (drop (memory.grow (local.get 0)))\n"
  "    (i32.store (i32.const 104) (i32.const 6))\n"
  "    (i32.add (i32.load (i32.const 100)) (i32.load (i32.const 104)))))\n";

static bool fails_as(own tenon_error_t* error, tenon_error_kind_t kind, const char* first, const char* second) {
  if (error == NULL) return false;
  const char* message = tenon_error_message(error);
  bool right = tenon_error_kind(error) == kind && strstr(message, first) != NULL && strstr(message, second) != NULL;
  if (!right) printf("%u: %s\n", tenon_error_kind(error), message);
  tenon_error_delete(error);
  return right;
}

static bool gives(const wasm_func_t* func, int32_t arg, int32_t expected) {
  int32_t result = ~expected;
  own wasm_trap_t* trap = call_i32s(func, 1, &arg, &result);
  bool right = trap == NULL && result == expected;
  if (!right) printf("%d: %d, expected %d\n", arg, result, expected);
  wasm_trap_delete(trap);
  return right;
}

// A creator over malloc, which moves whatever grows, and knows each of its memories.
typedef struct {
  pthread_mutex_t mutex;
  uint64_t live, allocated, grown, freed, finalized, bytes;
  uint64_t size, maximum;
  bool pinned;
  // What it does wrong.
  enum {
    NOTHING, NONE, NOT_ALIGNED, NOT_ZERO, AT_NULL, NO_MORE, GROWN_NOT_ZERO, GROWN_AT_NULL, GROWN_MOVED, GROWN_NOT_ALIGNED
  } wrong;
} creator_t;

typedef struct {
  void* place;
  uint64_t size;
} block_t;

static bool allocate(void* env, const tenon_memory_request_t* request, tenon_host_memory_t* out) {
  creator_t* creator = env;
  if (creator->wrong == NONE) return false;
  pthread_mutex_lock(&creator->mutex);
  ++creator->allocated, ++creator->live;
  creator->bytes += request->size;
  creator->size = request->size;
  creator->maximum = request->maximum;
  creator->pinned = request->pinned;
  pthread_mutex_unlock(&creator->mutex);
  CHECK(request->alignment == 16);
  block_t* block = malloc(sizeof *block);
  // One that is pinned gets all it may ever need; it must not move.
  uint64_t room = request->pinned ? request->maximum : request->size;
  *block = (block_t){calloc(1, (size_t)room + 32), request->size};
  out->handle = block;
  out->data = (uint8_t*)block->place + (16 - (uintptr_t)block->place % 16);
  if (creator->wrong == NOT_ALIGNED) out->data += 8;
  if (creator->wrong == NOT_ZERO) out->data[request->size - 1] = 1;
  if (creator->wrong == AT_NULL) out->data = NULL;
  return true;
}

static bool grow(void* env, tenon_host_memory_t* memory, uint64_t old_size, uint64_t new_size) {
  creator_t* creator = env;
  block_t* block = memory->handle;
  CHECK(block->size == old_size && new_size > old_size);
  if (creator->wrong == NO_MORE) return false;
  if (creator->wrong == GROWN_AT_NULL) {
    memory->data = NULL;
    return true;
  }
  pthread_mutex_lock(&creator->mutex);
  ++creator->grown;
  creator->bytes += new_size - old_size;
  pthread_mutex_unlock(&creator->mutex);
  block->size = new_size;
  if (creator->pinned && creator->wrong != GROWN_MOVED) return true;
  void* place = calloc(1, (size_t)new_size + 32);
  uint8_t* data = (uint8_t*)place + (16 - (uintptr_t)place % 16);
  if (creator->wrong == GROWN_NOT_ALIGNED) data += 1;
  memcpy(data, memory->data, (size_t)old_size);
  // Whoever still used the old place would see this.
  memset(memory->data, 0xee, (size_t)old_size);
  free(block->place);
  if (creator->wrong == GROWN_NOT_ZERO) data[old_size] = 1;
  block->place = place;
  memory->data = data;
  return true;
}

static void give_back(void* env, tenon_host_memory_t* memory, uint64_t size) {
  creator_t* creator = env;
  block_t* block = memory->handle;
  CHECK(block->size == size);
  pthread_mutex_lock(&creator->mutex);
  ++creator->freed, --creator->live;
  pthread_mutex_unlock(&creator->mutex);
  free(block->place);
  free(block);
}

static void finalize(void* env) { ++((creator_t*)env)->finalized; }

static own wasm_engine_t* engine_with(creator_t* creator, bool pinned) {
  own wasm_config_t* config = new_config();
  tenon_config_set_pinned_memories(config, pinned);
  if (creator != NULL) {
    pthread_mutex_init(&creator->mutex, NULL);
    tenon_memory_creator_t functions = {allocate, grow, give_back, creator, finalize};
    CHECK(tenon_config_set_memory_creator(config, &functions) == NULL);
  }
  return wasm_engine_new_with_config(config);
}

static own wasm_memory_t* memory_of(wasm_store_t* store, uint64_t min, bool has_max, uint64_t max, bool is64, uint8_t page, const char* message) {
  own wasm_memorytype_t* type = NULL;
  own wasm_memory_t* memory = NULL;
  REQUIRE(tenon_memorytype_new(min, has_max, max, is64, false, page, &type) == NULL);
  own tenon_error_t* error = tenon_memory_new(store, type, &memory);
  CHECK((error == NULL) == (message == NULL));
  if (error != NULL) {
    if (!CHECK(message != NULL && strstr(tenon_error_message(error), message) != NULL)) printf("%s\n", tenon_error_message(error));
    tenon_error_delete(error);
  }
  wasm_memorytype_delete(type);
  return memory;
}

// All of the memory API over the host's bytes, which move at every growth.
static void created(void) {
  creator_t creator = {0};
  own wasm_engine_t* engine = engine_with(&creator, false);
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_instance_t* instance = instance_of(store, text);
  own wasm_memory_t* memory = NULL;
  CHECK(tenon_instance_memory(instance, 0, &memory) == NULL);
  own wasm_func_t *grow_func = func_of(instance, 1), *load = func_of(instance, 2), *store_grown = func_of(instance, 3);
  CHECK(creator.allocated == 1 && creator.size == PAGE && creator.maximum == 20 * PAGE && !creator.pinned);
  CHECK(!tenon_memory_is_pinned(memory) && memcmp(wasm_memory_data(memory) + 10, "hello", 5) == 0);
  tenon_memory_view_t view;
  CHECK(tenon_memory_view(memory, 10, 5, &view) == NULL);
  CHECK(gives(grow_func, 2, 1) && creator.grown == 1 && !tenon_memory_view_is_valid(memory, &view));
  CHECK(tenon_memory_view_refresh(memory, &view) == NULL && memcmp(view.data, "hello", 5) == 0);
  CHECK(gives(store_grown, 1, 11) && creator.grown == 2 && creator.bytes == 4 * PAGE);
  CHECK(gives(load, 100, 5) && gives(load, 104, 6) && gives(load, 4 * PAGE - 4, 0));
  int32_t outside = 4 * PAGE - 3, result = 0;
  own wasm_trap_t* trap = call_i32s(load, 1, &outside, &result);
  CHECK(trap != NULL && tenon_trap_code(trap) == TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
  wasm_trap_delete(trap);
  // The last bytes, and the first behind them.
  CHECK(tenon_memory_store_i32(memory, 4 * PAGE - 4, -1) == NULL && gives(load, 4 * PAGE - 4, -1));
  CHECK(fails_as(tenon_memory_store_i32(memory, 4 * PAGE - 3, -1), TENON_ERROR_ARGUMENT, "are outside", ""));
  // Given up, back to the start.
  own tenon_memory_snapshot_t* snapshot = NULL;
  CHECK(tenon_memory_snapshot(memory, &snapshot) == NULL && tenon_memory_discard(memory, 5, 3 * PAGE) == NULL);
  CHECK(gives(load, 100, 0) && gives(load, 4 * PAGE - 4, -1));
  CHECK(tenon_memory_restore(memory, snapshot) == NULL && gives(load, 100, 5));
  tenon_memory_snapshot_delete(snapshot);
  CHECK(tenon_instance_reset_memory(instance, 0) == NULL && gives(load, 100, 0) && gives(load, 4 * PAGE - 4, 0));
  CHECK(memcmp(wasm_memory_data(memory) + 10, "hello", 5) == 0);
  CHECK(gives(grow_func, 17, -1) && fails_as(tenon_memory_grow(memory, 17, NULL), TENON_ERROR_LIMIT, "maximum", ""));

  // Of every type.
  own wasm_memory_t* bytes = memory_of(store, 100, true, 200, false, 0, NULL);
  CHECK(creator.size == 100 && creator.maximum == 200 && wasm_memory_data_size(bytes) == 100);
  CHECK(tenon_memory_grow(bytes, 7, NULL) == NULL && tenon_memory_store_i8(bytes, 106, 1) == NULL);
  CHECK(fails_as(tenon_memory_store_i8(bytes, 107, 1), TENON_ERROR_ARGUMENT, "are outside", "107 bytes"));
  wasm_memory_delete(bytes);
  own wasm_memory_t* empty = memory_of(store, 0, false, 0, true, 16, NULL);
  CHECK(creator.size == 0 && creator.maximum >= 1ull << 40 && wasm_memory_grow(empty, 1) && tenon_memory_store_i8(empty, PAGE - 1, 1) == NULL);
  wasm_memory_delete(empty);
  // Limits hold here, too.
  CHECK(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 4 * PAGE) == NULL && gives(grow_func, 1, -1));
  CHECK(memory_of(store, 1, false, 0, false, 16, "the store may have 262144 bytes") == NULL);
  CHECK(creator.allocated == 3 && creator.live == 1 && creator.freed == 2);

  wasm_func_delete(store_grown);
  wasm_func_delete(load);
  wasm_func_delete(grow_func);
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
  CHECK(creator.live == 0 && creator.finalized == 0);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  CHECK(creator.finalized == 1);
}

// What a creator does wrong, and that what there was can still be used.
static void wrong(void) {
  creator_t creator = {0};
  own wasm_engine_t* engine = engine_with(&creator, false);
  own wasm_store_t* store = wasm_store_new(engine);
  const struct {
    int wrong;
    const char* message;
  } made[] = {
    {NONE, "no memory of 65536 bytes: the memory's creator has none"},
    {NOT_ALIGNED, "the memory's creator gave an address that is not a multiple of 16"},
    {AT_NULL, "the memory's creator gave an address that is not a multiple of 16, or NULL"},
    {NOT_ZERO, "the memory's creator gave bytes that are not zero"},
  };
  for (size_t i = 0; i < sizeof made / sizeof *made; ++i) {
    creator.wrong = made[i].wrong;
    CHECK(memory_of(store, 1, false, 0, false, 16, made[i].message) == NULL && creator.live == 0);
    own wasm_module_t* module = module_of(store, text);
    CHECK(wasm_instance_new(store, module, NULL, NULL) == NULL && error_says(made[i].message) && creator.live == 0);
    wasm_module_delete(module);
    CHECK(tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == 0 && tenon_store_usage(store, TENON_LIMIT_INSTANCES) == 0);
  }
  const struct {
    int wrong;
    const char* message;
  } grown[] = {
    {NO_MORE, "the memory's creator has no more"},
    {GROWN_AT_NULL, "the memory's creator gave NULL"},
    {GROWN_NOT_ZERO, "the memory's creator gave bytes that are not zero"},
    {GROWN_NOT_ALIGNED, "not a multiple of 16"},
  };
  for (size_t i = 0; i < sizeof grown / sizeof *grown; ++i) {
    creator.wrong = NOTHING;
    own wasm_instance_t* instance = instance_of(store, text);
    own wasm_memory_t* memory = NULL;
    CHECK(tenon_instance_memory(instance, 0, &memory) == NULL);
    own wasm_func_t *grow_func = func_of(instance, 1), *load = func_of(instance, 2);
    CHECK(tenon_memory_store_i32(memory, PAGE - 4, 77) == NULL);
    creator.wrong = grown[i].wrong;
    CHECK(fails_as(tenon_memory_grow(memory, 2, NULL), TENON_ERROR_MEMORY, grown[i].message, "cannot grow by 2"));
    CHECK(wasm_memory_size(memory) == 1 && gives(load, PAGE - 4, 77) && tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == PAGE);
    int32_t outside = PAGE - 3, result = 0;
    CHECK(trap_says(call_i32s(load, 1, &outside, &result), "out of bounds memory access"));
    CHECK(gives(grow_func, 1, -1) && gives(load, PAGE - 4, 77));
    CHECK(tenon_store_set_growth_traps(store, true) == NULL);
    int32_t delta = 3;
    CHECK(trap_says(call_i32s(grow_func, 1, &delta, &result), grown[i].message));
    CHECK(tenon_store_set_growth_traps(store, false) == NULL);
    // What was not zero stays refused; what was only not there comes.
    creator.wrong = NOTHING;
    bool spoilt = grown[i].wrong == GROWN_NOT_ZERO;
    CHECK(gives(grow_func, 5, spoilt ? -1 : 1) && gives(load, PAGE - 4, 77));
    if (!spoilt) CHECK(gives(load, 6 * PAGE - 4, 0));
    wasm_func_delete(load);
    wasm_func_delete(grow_func);
    wasm_memory_delete(memory);
    wasm_instance_delete(instance);
    CHECK(creator.live == 0);
  }
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  CHECK(creator.finalized == 1 && creator.allocated == creator.freed);

  // A configuration that no engine is made of; and one without the functions.
  own wasm_config_t* config = wasm_config_new();
  tenon_memory_creator_t functions = {allocate, grow, give_back, &creator, finalize};
  CHECK(fails_as(tenon_config_set_memory_creator(NULL, &functions), TENON_ERROR_ARGUMENT, "the configuration is NULL", ""));
  CHECK(fails_as(tenon_config_set_memory_creator(config, NULL), TENON_ERROR_ARGUMENT, "the creator is NULL", ""));
  functions.grow = NULL;
  CHECK(fails_as(tenon_config_set_memory_creator(config, &functions), TENON_ERROR_ARGUMENT, "are all needed", ""));
  CHECK(creator.finalized == 1);
  functions.grow = grow;
  CHECK(tenon_config_set_memory_creator(config, &functions) == NULL);
  wasm_config_delete(config);
  CHECK(creator.finalized == 2);
}

typedef struct {
  creator_t creator;
  tenon_shared_memory_t* memory;
  bool asks, moves;
  int refused;
} asking_t;

// Asks for growth of the memory that is growing, which could only wait for itself; or gives another address.
static bool grow_and_ask(void* env, tenon_host_memory_t* memory, uint64_t old_size, uint64_t new_size) {
  asking_t* asking = env;
  if (asking->asks) {
    asking->refused += fails_as(tenon_shared_memory_grow(asking->memory, 1, NULL), TENON_ERROR_STORE_LIMIT, "within a callback", "");
  }
  if (asking->moves) memory->data += 16;
  return grow(&asking->creator, memory, old_size, new_size);
}

static void* grow_often(void* of) {
  for (int i = 0; i < 20; ++i) CHECK(tenon_shared_memory_grow(of, 1, NULL) == NULL);
  return NULL;
}

// Shared memories of a creator: pinned, made once for all stores, grown by one thread after the other, given back in the end.
static void shared(void) {
  static const char user[] =
    "(module (import \"env\" \"m\" (memory 1 100 shared))\n"
    "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))\n"
    "  (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0))))\n";
  asking_t asking = {0};
  creator_t* creator = &asking.creator;
  pthread_mutex_init(&creator->mutex, NULL);
  own wasm_config_t* config = new_config();
  tenon_memory_creator_t functions = {allocate, grow_and_ask, give_back, &asking, NULL};
  CHECK(tenon_config_set_memory_creator(config, &functions) == NULL);
  own wasm_engine_t* engine = wasm_engine_new_with_config(config);
  own wasm_memorytype_t* type = NULL;
  REQUIRE(tenon_memorytype_new(2, true, 100, false, true, 16, &type) == NULL);
  creator->wrong = NONE;
  own tenon_shared_memory_t* memory = NULL;
  CHECK(fails_as(tenon_shared_memory_new(engine, type, &memory), TENON_ERROR_MEMORY, "the memory's creator has none", ""));
  creator->wrong = NOTHING;
  REQUIRE(tenon_shared_memory_new(engine, type, &memory) == NULL);
  CHECK(creator->allocated == 1 && creator->size == 2 * PAGE && creator->maximum == 100 * PAGE && creator->pinned);
  char* data = tenon_shared_memory_data(memory);

  own wasm_store_t *store = wasm_store_new(engine), *other = wasm_store_new(engine);
  own wasm_memory_t *first = tenon_memory_obtain(store, memory), *second = tenon_memory_obtain(other, memory);
  wasm_extern_t *imports[] = {wasm_memory_as_extern(first)}, *others[] = {wasm_memory_as_extern(second)};
  own wasm_instance_t *instance = instance_with(store, user, 1, imports), *neighbour = instance_with(other, user, 1, others);
  own wasm_func_t *grow_func = func_of(instance, 0), *load = func_of(neighbour, 1);
  CHECK(creator->allocated == 1 && wasm_memory_data(first) == data && wasm_memory_data(second) == data);
  CHECK(gives(grow_func, 3, 2) && creator->grown == 1 && wasm_memory_size(second) == 5);
  data[5 * PAGE - 4] = 7;
  CHECK(gives(load, 5 * PAGE - 4, 7) && tenon_memory_is_pinned(first));
  CHECK(tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == 3 * PAGE && tenon_store_usage(other, TENON_LIMIT_MEMORY_BYTES) == 0);
  int32_t outside = 5 * PAGE - 3, result = 0;
  CHECK(trap_says(call_i32s(load, 1, &outside, &result), "out of bounds memory access"));
  CHECK(tenon_memory_discard(first, 5, 5 * PAGE - 5) == NULL && gives(load, 5 * PAGE - 4, 0));
  // Refused, by the creator and because it is being asked already.
  creator->wrong = NO_MORE;
  CHECK(gives(grow_func, 1, -1) && fails_as(tenon_shared_memory_grow(memory, 1, NULL), TENON_ERROR_MEMORY, "creator has no more", ""));
  CHECK(tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == 3 * PAGE && tenon_shared_memory_size(memory) == 5);
  creator->wrong = NOTHING;
  asking.memory = memory;
  asking.asks = true;
  CHECK(gives(grow_func, 1, 5) && tenon_shared_memory_grow(memory, 1, NULL) == NULL && asking.refused == 2);
  asking.asks = false;
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) REQUIRE(pthread_create(&threads[i], NULL, grow_often, memory) == 0);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  CHECK(tenon_shared_memory_size(memory) == 67 && wasm_memory_data(first) == data && gives(load, 67 * PAGE - 4, 0));
  // One that moved does not grow any more, even if the creator says no more of it: what is used stays where it was.
  asking.moves = true;
  CHECK(fails_as(tenon_shared_memory_grow(memory, 1, NULL), TENON_ERROR_MEMORY, "moved it, although it is pinned", ""));
  asking.moves = false;
  CHECK(fails_as(tenon_shared_memory_grow(memory, 1, NULL), TENON_ERROR_MEMORY, "moved it, although it is pinned", ""));
  CHECK(gives(grow_func, 1, -1) && gives(load, 67 * PAGE - 4, 0) && tenon_shared_memory_data(memory) == data);

  wasm_func_delete(load);
  wasm_func_delete(grow_func);
  wasm_instance_delete(instance);
  wasm_instance_delete(neighbour);
  wasm_memory_delete(first);
  wasm_memory_delete(second);
  wasm_store_delete(store);
  wasm_store_delete(other);
  CHECK(creator->live == 1);
  tenon_shared_memory_delete(memory);
  CHECK(creator->live == 0 && creator->freed == 1);

  // One that a module defines.
  store = wasm_store_new(engine);
  instance = instance_of(store, "(module (memory (export \"m\") 1 3 shared) (data (i32.const 9) \"hello\"))");
  first = wasm_extern_as_memory(export_of(instance, 0));
  CHECK(creator->allocated == 2 && creator->pinned && memcmp(wasm_memory_data(first) + 9, "hello", 5) == 0);
  wasm_memory_delete(first);
  wasm_instance_delete(instance);
  CHECK(creator->live == 0);
  wasm_store_delete(store);
  wasm_memorytype_delete(type);
  wasm_engine_delete(engine);
}

// Memories that never move, of the engine or of a creator.
static void pinned(void) {
  creator_t creator = {0};
  for (int round = 0; round < 2; ++round) {
    own wasm_engine_t* engine = engine_with(round == 0 ? NULL : &creator, true);
    own wasm_store_t* store = wasm_store_new(engine);
    own wasm_instance_t* instance = instance_of(store, text);
    own wasm_memory_t* memory = NULL;
    CHECK(tenon_instance_memory(instance, 0, &memory) == NULL && tenon_memory_is_pinned(memory));
    own wasm_func_t* grow_func = func_of(instance, 1);
    char* data = wasm_memory_data(memory);
    tenon_memory_view_t view;
    CHECK(tenon_memory_view(memory, 10, 5, &view) == NULL);
    for (int i = 1; i < 20; ++i) {
      CHECK(i % 2 == 0 ? gives(grow_func, 1, i) : wasm_memory_grow(memory, 1));
      // The address stays; the view is stale all the same, and is renewed with the same address.
      CHECK(wasm_memory_data(memory) == data && !tenon_memory_view_is_valid(memory, &view));
      CHECK(tenon_memory_view_refresh(memory, &view) == NULL && view.data == data + 10 && memcmp(data + 10, "hello", 5) == 0);
      data[(i + 1) * PAGE - 1] = 1;
    }
    CHECK(wasm_memory_size(memory) == 20 && gives(grow_func, 1, -1));
    if (round == 1) CHECK(creator.pinned && creator.maximum == 20 * PAGE);
    own wasm_memory_t* wide = memory_of(store, 1, true, 100, true, 16, NULL);
    data = wasm_memory_data(wide);
    CHECK(tenon_memory_is_pinned(wide) && wasm_memory_grow(wide, 99) && wasm_memory_data(wide) == data);
    wasm_memory_delete(wide);
    own wasm_memory_t* small = memory_of(store, 1, true, 100000, false, 0, NULL);
    data = wasm_memory_data(small);
    CHECK(tenon_memory_is_pinned(small) && wasm_memory_grow(small, 99999) && wasm_memory_data(small) == data);
    wasm_memory_delete(small);
    // What cannot be promised is refused.
    CHECK(memory_of(store, 1, false, 0, true, 16, "cannot be pinned without a maximum") == NULL);
    CHECK(error_says("64-bit addresses"));
    if (round == 0) CHECK(memory_of(store, 1, true, 1ull << 40, true, 16, "no memory of 1 pages") == NULL);
    wasm_func_delete(grow_func);
    wasm_memory_delete(memory);
    wasm_instance_delete(instance);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
  }
  CHECK(creator.finalized == 1 && creator.live == 0);
  // Moved although it is pinned: the growth fails, and the new address is what counts.
  own wasm_engine_t* engine = engine_with(&creator, true);
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_memory_t* memory = memory_of(store, 1, true, 5, false, 16, NULL);
  CHECK(tenon_memory_store_i32(memory, 8, 77) == NULL);
  creator.wrong = GROWN_MOVED;
  CHECK(fails_as(tenon_memory_grow(memory, 1, NULL), TENON_ERROR_MEMORY, "the memory's creator moved it, although it is pinned", ""));
  int32_t found = 0;
  CHECK(wasm_memory_size(memory) == 1 && tenon_memory_load_i32(memory, 8, &found) == NULL && found == 77);
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  CHECK(creator.finalized == 2 && creator.live == 0 && !tenon_memory_is_pinned(NULL));

  // Without the setting: where all of it is reserved, or cannot grow.
  own wasm_config_t* config = wasm_config_new();
  tenon_config_set_memory_reservation(config, 2 * PAGE);
  engine = wasm_engine_new_with_config(config);
  store = wasm_store_new(engine);
  memory = memory_of(store, 1, true, 2, false, 16, NULL);
  own wasm_memory_t* other = memory_of(store, 1, true, 30, false, 16, NULL);
  CHECK(tenon_memory_is_pinned(memory) && !tenon_memory_is_pinned(other));
  wasm_memory_delete(other);
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

typedef struct {
  wasm_engine_t* engine;
  int count;
} worker_t;

static void* work(void* arg) {
  worker_t* worker = arg;
  own wasm_store_t* store = wasm_store_new(worker->engine);
  own wasm_module_t* module = module_of(store, text);
  for (int i = 0; i < worker->count; ++i) {
    own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
    own wasm_func_t* store_grown = func_of(instance, 3);
    CHECK(gives(store_grown, i % 20, 11));
    wasm_func_delete(store_grown);
    wasm_instance_delete(instance);
  }
  wasm_module_delete(module);
  wasm_store_delete(store);
  return NULL;
}

// Stores on several threads ask at the same time.
static void threads(void) {
  enum { THREADS = 3 };
  creator_t creator = {0};
  own wasm_engine_t* engine = engine_with(&creator, false);
  worker_t worker = {engine, rounds(200, 5)};
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; ++i) REQUIRE(pthread_create(&threads[i], NULL, work, &worker) == 0);
  for (int i = 0; i < THREADS; ++i) REQUIRE(pthread_join(threads[i], NULL) == 0);
  wasm_engine_delete(engine);
  CHECK(creator.live == 0 && creator.allocated == (uint64_t)(THREADS * worker.count) && creator.finalized == 1);
}

// Random operations on memories of each kind.
static void models(void) {
  for (int round = 0; round < 4; ++round) {
    creator_t creator = {0};
    own wasm_engine_t* engine = engine_with(round % 2 == 0 ? NULL : &creator, round >= 2);
    own wasm_store_t* store = wasm_store_new(engine);
    model(store, 16, false);
    model(store, 16, true);
    model(store, 0, false);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    CHECK(creator.live == 0 && creator.finalized == (uint64_t)(round % 2) && (round % 2 == 0 || creator.allocated == 3));
  }
}

int main(void) {
  created();
  wrong();
  shared();
  pinned();
  threads();
  models();
  return check_done();
}
