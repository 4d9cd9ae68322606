// Allocation that fails: memories and tables until there is no more address space, and with little of it
// from the start. NULL, false or a trap with a reason; afterwards everything works again.
//
// Not run under valgrind, which needs the address space itself.

#include <sys/resource.h>

#include "test_util.h"

static bool engine_works(wasm_store_t* store) {
  own wasm_instance_t* instance = instance_of(store,
    "(module (memory 1) (func (export \"f\") (result i32)\n"
    "  (i32.store (i32.const 8) (i32.const 12)) (i32.load (i32.const 8))))");
  own wasm_func_t* func = func_of(instance, 0);
  bool works = returns(func, 12);
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  return works;
}

// Memories that are kept, until no more can be had.
static void test_many_memories(wasm_engine_t* engine) {
  enum { MANY = 100000 };
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_memory_t** memories = calloc(MANY, sizeof(*memories));
  REQUIRE(memories != NULL);
  int made = 0;
  tenon_last_error_clear();
  for (; made < MANY; ++made) {
    memories[made] = new_memory(store, 1, wasm_limits_max_default);
    if (memories[made] == NULL) break;
    wasm_memory_data(memories[made])[0] = 1;
  }
  printf("%d memories at once\n", made);
  CHECK(made > 100);
  if (made < MANY) {
    CHECK(error_says("memory"));
    // An instance that needs a memory gets the same answer.
    own wasm_module_t* module = module_of(store, "(module (memory 1))");
    wasm_extern_vec_t imports = WASM_EMPTY_VEC;
    tenon_last_error_clear();
    own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    if (instance == NULL) CHECK(error_says("memory"));
    else wasm_instance_delete(instance);
    wasm_module_delete(module);
  }
  for (int i = 0; i < made; ++i) wasm_memory_delete(memories[i]);
  free(memories);
  CHECK(engine_works(store));
  wasm_store_delete(store);
}

static long address_space_kib(void) {
  long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  REQUIRE(file != NULL);
  REQUIRE(fscanf(file, "%ld", &pages) == 1);
  fclose(file);
  return pages * 4;
}

// With 256 MiB more than there is now. `before_engine`: an engine made then knows that address space is
// rationed and reserves little; one made before finds out at each memory.
static void test_little_address_space(bool before_engine) {
  own wasm_engine_t* engine = before_engine ? NULL : new_engine();
  struct rlimit before, little;
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  little = before;
  little.rlim_cur = (rlim_t)(address_space_kib() + 256 * 1024) * 1024;
  REQUIRE(setrlimit(RLIMIT_AS, &little) == 0);
  if (engine == NULL) engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  if (before_engine) CHECK(engine_works(store));

  // A large memory cannot be had.
  tenon_last_error_clear();
  own wasm_memory_t* large = new_memory(store, 16384, 16384);
  CHECK(large == NULL);
  CHECK(error_says("memory"));
  if (large != NULL) wasm_memory_delete(large);

  // A small one can or cannot; growing it by a gigabyte fails or works, and says so.
  own wasm_memory_t* small = new_memory(store, 1, wasm_limits_max_default);
  CHECK(small != NULL || !before_engine);
  if (small != NULL) {
    bool grown = wasm_memory_grow(small, 16384);
    CHECK(wasm_memory_size(small) == (grown ? 16385 : 1));
    wasm_memory_data(small)[MEMORY_PAGE_SIZE - 1] = 1;
    wasm_memory_delete(small);
  } else {
    CHECK(error_says("memory"));
  }

  // A table of 800 MB.
  tenon_last_error_clear();
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 100000000, 100000000);
  CHECK(table == NULL);
  CHECK(error_says("table"));
  if (table != NULL) wasm_table_delete(table);
  table = new_table(store, WASM_EXTERNREF, 1, wasm_limits_max_default);
  REQUIRE(table != NULL);
  CHECK(!wasm_table_grow(table, 100000000, NULL));
  CHECK(wasm_table_size(table) == 1);
  wasm_table_delete(table);

  // Vectors too.
  own wasm_byte_vec_t bytes;
  wasm_byte_vec_new_uninitialized(&bytes, (size_t)1 << 30);
  CHECK(bytes.size == 0 && bytes.data == NULL);
  wasm_byte_vec_delete(&bytes);

  REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(engine_works(store));
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  test_many_memories(engine);
  // What it keeps for reuse would serve below.
  wasm_engine_delete(engine);
  test_little_address_space(false);
  test_little_address_space(true);
  return check_done();
}
