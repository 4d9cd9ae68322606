// Atomic accesses of the host to a shared memory: every size and operation, their edges, and threads that count together
// with WebAssembly.

#include <pthread.h>

#include "test_util.h"

enum { PAGE = 65536, THREADS = 4 };

static bool fails_as(own tenon_error_t* error, const char* first, const char* second) {
  if (error == NULL) return false;
  const char* message = tenon_error_message(error);
  bool right = tenon_error_kind(error) == TENON_ERROR_ARGUMENT && strstr(message, first) != NULL && strstr(message, second) != NULL;
  if (!right) printf("%u: %s\n", tenon_error_kind(error), message);
  tenon_error_delete(error);
  return right;
}

static uint64_t at(const tenon_shared_memory_t* memory, uint64_t address, uint8_t size) {
  uint64_t value = 0;
  CHECK(tenon_shared_memory_atomic_load(memory, address, size, &value) == NULL);
  return value;
}

static void sizes(const tenon_shared_memory_t* memory) {
  static const uint8_t all[] = {1, 2, 4, 8};
  const uint64_t value = 0x8182838485868788;
  for (size_t i = 0; i < 4; ++i) {
    uint8_t size = all[i];
    uint64_t mask = size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1, old = 1;
    // The neighbours stay as they are.
    memset(tenon_shared_memory_data(memory), 0x55, 64);
    CHECK(tenon_shared_memory_atomic_store(memory, 16, size, value) == NULL && at(memory, 16, size) == (value & mask));
    CHECK((uint8_t)tenon_shared_memory_data(memory)[16] == 0x88);
    CHECK(tenon_shared_memory_data(memory)[15] == 0x55 && tenon_shared_memory_data(memory)[16 + size] == 0x55);
    // Operands are wrapped; the sum, too.
    const uint64_t operand = 0xfffffffffffffff0;
    const uint64_t expected[] = {value + operand, value - operand, value & operand, value | operand, value ^ operand, operand};
    for (tenon_atomic_t operation = 0; operation < 6; ++operation) {
      CHECK(tenon_shared_memory_atomic_store(memory, 16, size, value) == NULL);
      CHECK(tenon_shared_memory_atomic_rmw(memory, 16, size, operation, operand, &old) == NULL && old == (value & mask));
      if (!CHECK(at(memory, 16, size) == (expected[operation] & mask))) printf("operation %u of %u bytes\n", operation, size);
      CHECK(tenon_shared_memory_data(memory)[15] == 0x55 && tenon_shared_memory_data(memory)[16 + size] == 0x55);
    }
    CHECK(tenon_shared_memory_atomic_store(memory, 16, size, 5) == NULL);
    CHECK(tenon_shared_memory_atomic_cmpxchg(memory, 16, size, 6, 7, &old) == NULL && old == 5 && at(memory, 16, size) == 5);
    CHECK(tenon_shared_memory_atomic_cmpxchg(memory, 16, size, 5, value, NULL) == NULL && at(memory, 16, size) == (value & mask));
    CHECK(tenon_shared_memory_atomic_cmpxchg(memory, 16, size, value, 9, &old) == NULL && old == (value & mask) && at(memory, 16, size) == 9);

    // The last place, and one behind it; every address that is not aligned.
    CHECK(tenon_shared_memory_atomic_store(memory, PAGE - size, size, 1) == NULL);
    CHECK(fails_as(tenon_shared_memory_atomic_load(memory, PAGE, size, &old), "outside of the memory's 65536 bytes", "") && old == 0);
    for (uint64_t address = 1; address < size; ++address) {
      CHECK(fails_as(tenon_shared_memory_atomic_store(memory, address, size, 1), "is not a multiple of", ""));
    }
  }
  static const uint64_t far[] = {1ull << 32, UINT64_MAX - 7, 1ull << 63};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(fails_as(tenon_shared_memory_atomic_rmw(memory, far[i], 8, TENON_ATOMIC_ADD, 1, NULL), "is outside of the memory", ""));
    CHECK(fails_as(tenon_shared_memory_atomic_cmpxchg(memory, far[i], 8, 1, 1, NULL), "is outside of the memory", ""));
  }
  static const uint8_t none[] = {0, 3, 5, 16, 255};
  for (size_t i = 0; i < sizeof none; ++i) {
    CHECK(fails_as(tenon_shared_memory_atomic_load(memory, 0, none[i], NULL), "it can have 1, 2, 4 or 8", ""));
  }
  CHECK(fails_as(tenon_shared_memory_atomic_rmw(memory, 0, 4, 6, 1, NULL), "6 is no kind of operation", ""));
  CHECK(fails_as(tenon_shared_memory_atomic_load(NULL, 0, 4, NULL), "the memory is NULL", ""));
  CHECK(tenon_shared_memory_atomic_load(memory, 0, 4, NULL) == NULL);
}

typedef struct {
  wasm_engine_t* engine;
  const tenon_shared_memory_t* memory;
  const wasm_byte_vec_t* binary;
  int count;
  bool in_wasm;
} counter_t;

// Adds one, often: half of the threads in WebAssembly, half here.
static void* count(void* arg) {
  const counter_t* counter = arg;
  if (!counter->in_wasm) {
    for (int i = 0; i < counter->count; ++i) {
      uint64_t old = 0, found = 0;
      if (i % 2 == 0) {
        CHECK(tenon_shared_memory_atomic_rmw(counter->memory, 8, 4, TENON_ATOMIC_ADD, 1, NULL) == NULL);
        continue;
      }
      do {
        old = at(counter->memory, 8, 4);
        CHECK(tenon_shared_memory_atomic_cmpxchg(counter->memory, 8, 4, old, old + 1, &found) == NULL);
      } while (found != old);
    }
    return NULL;
  }
  own wasm_store_t* store = wasm_store_new(counter->engine);
  own wasm_module_t* module = wasm_module_new(store, counter->binary);
  own wasm_memory_t* memory = tenon_memory_obtain(store, counter->memory);
  wasm_extern_t* imports[] = {wasm_memory_as_extern(memory)};
  wasm_extern_vec_t vec = WASM_ARRAY_VEC(imports);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &vec, NULL);
  own wasm_func_t* add = func_of(instance, 0);
  int32_t number = counter->count;
  own wasm_trap_t* trap = call_i32s(add, 1, &number, NULL);
  CHECK(trap == NULL);
  wasm_func_delete(add);
  wasm_instance_delete(instance);
  wasm_memory_delete(memory);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return NULL;
}

static void threads(wasm_engine_t* engine, const tenon_shared_memory_t* memory) {
  own wasm_byte_vec_t binary = binary_of(
    "(module (import \"env\" \"m\" (memory 1 1 shared))\n"
    "  (func (export \"add\") (param i32)\n"
    "    (loop $again\n"
    "      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))\n"
    "      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))");
  CHECK(tenon_shared_memory_atomic_store(memory, 8, 4, 0) == NULL);
  const int each = rounds(100000, 500);
  pthread_t threads[THREADS];
  counter_t counters[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    counters[i] = (counter_t){engine, memory, &binary, each, i % 2 == 0};
    REQUIRE(pthread_create(&threads[i], NULL, count, &counters[i]) == 0);
  }
  for (int i = 0; i < THREADS; ++i) REQUIRE(pthread_join(threads[i], NULL) == 0);
  CHECK(at(memory, 8, 4) == (uint64_t)each * THREADS);
  wasm_byte_vec_delete(&binary);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_memorytype_t* type = NULL;
  own tenon_shared_memory_t* memory = NULL;
  REQUIRE(tenon_memorytype_new(1, true, 1, false, true, 16, &type) == NULL);
  REQUIRE(tenon_shared_memory_new(engine, type, &memory) == NULL);
  sizes(memory);
  threads(engine, memory);
  tenon_shared_memory_delete(memory);
  wasm_memorytype_delete(type);
  wasm_engine_delete(engine);
  return check_done();
}
