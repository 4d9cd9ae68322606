// Limits at and beyond what is possible: a minimum above the maximum, 65537 pages, 2^32-1 table
// entries, growth past the end, vectors of absurd sizes.

#include "test_util.h"

static void refuses_module(wasm_store_t* store, const char* bytes, size_t size) {
  own wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, size, bytes);
  tenon_last_error_clear();
  CHECK(wasm_module_new(store, &binary) == NULL);
  CHECK(tenon_last_error() != NULL);
  wasm_byte_vec_delete(&binary);
}

// A type with impossible limits may be refused, or what is made of it.
static void refuses_memory(wasm_store_t* store, uint32_t min, uint32_t max, const char* says) {
  tenon_last_error_clear();
  own wasm_memory_t* memory = new_memory(store, min, max);
  CHECK(memory == NULL);
  if (memory != NULL) wasm_memory_delete(memory);
  else CHECK(error_says(says));
}

static void refuses_table(wasm_store_t* store, uint32_t min, uint32_t max, const char* says) {
  tenon_last_error_clear();
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, min, max);
  CHECK(table == NULL);
  if (table != NULL) wasm_table_delete(table);
  else CHECK(error_says(says));
}

static void test_memories(wasm_store_t* store) {
  refuses_memory(store, 2, 1, "2");
  refuses_memory(store, 65537, 65537, "65537");
  refuses_memory(store, 65537, wasm_limits_max_default, "65537");
  refuses_memory(store, 1, 65537, "65537");
  refuses_memory(store, UINT32_MAX, UINT32_MAX, "4294967295");

  own wasm_memory_t* memory = new_memory(store, 0, 3);
  REQUIRE(memory != NULL);
  CHECK(wasm_memory_size(memory) == 0);
  CHECK(wasm_memory_data_size(memory) == 0);
  CHECK(wasm_memory_grow(memory, 0));
  CHECK(wasm_memory_grow(memory, 3));
  CHECK(wasm_memory_data_size(memory) == 3 * MEMORY_PAGE_SIZE);
  wasm_memory_data(memory)[3 * MEMORY_PAGE_SIZE - 1] = 1;
  CHECK(!wasm_memory_grow(memory, 1));
  CHECK(error_says("3"));
  CHECK(!wasm_memory_grow(memory, 65536));
  CHECK(!wasm_memory_grow(memory, UINT32_MAX));
  CHECK(wasm_memory_grow(memory, 0));
  CHECK(wasm_memory_size(memory) == 3);
  own wasm_memorytype_t* type = wasm_memory_type(memory);
  CHECK(wasm_memorytype_limits(type)->min == 3);
  CHECK(wasm_memorytype_limits(type)->max == 3);
  wasm_memorytype_delete(type);
  wasm_memory_delete(memory);

  // Without a maximum, the maximum is what 32 bits can address.
  memory = new_memory(store, 1, wasm_limits_max_default);
  REQUIRE(memory != NULL);
  CHECK(!wasm_memory_grow(memory, 65536));
  CHECK(!wasm_memory_grow(memory, UINT32_MAX));
  CHECK(wasm_memory_size(memory) == 1);
  type = wasm_memory_type(memory);
  CHECK(wasm_memorytype_limits(type)->max == wasm_limits_max_default);
  wasm_memorytype_delete(type);
  wasm_memory_delete(memory);
}

static void test_tables(wasm_store_t* store) {
  refuses_table(store, 2, 1, "2");
  refuses_table(store, UINT32_MAX, UINT32_MAX, "4294967295");

  own wasm_table_t* table = new_table(store, WASM_EXTERNREF, 0, UINT32_MAX);
  REQUIRE(table != NULL);
  CHECK(!wasm_table_grow(table, UINT32_MAX, NULL));
  CHECK(wasm_table_grow(table, 0, NULL));
  CHECK(wasm_table_grow(table, 1, NULL));
  CHECK(!wasm_table_grow(table, UINT32_MAX, NULL));
  CHECK(wasm_table_size(table) == 1);
  CHECK(wasm_table_get(table, 1) == NULL);
  CHECK(wasm_table_get(table, UINT32_MAX) == NULL);
  wasm_table_delete(table);

  // Elements are references, and nothing else.
  wasm_limits_t limits = {1, 1};
  own wasm_tabletype_t* type = wasm_tabletype_new(wasm_valtype_new_i32(), &limits);
  if (type != NULL) {
    CHECK(wasm_table_new(store, type, NULL) == NULL);
    wasm_tabletype_delete(type);
  }
  CHECK(wasm_tabletype_new(NULL, &limits) == NULL);
}

static void test_modules(wasm_store_t* store) {
  // Memories of 2..1 and of 65537 pages, a table of 2..1 entries.
  refuses_module(store, "\0asm\1\0\0\0\5\4\1\1\2\1", 14);
  refuses_module(store, "\0asm\1\0\0\0\5\5\1\0\x81\x80\4", 15);
  refuses_module(store, "\0asm\1\0\0\0\4\5\1\x70\1\2\1", 15);

  // Valid, but too large for any machine: refused when it is instantiated, with the reason.
  static const char* const huge[] = {
    "(module (table 4294967295 funcref))",
    "(module (table 4294967295 4294967295 externref))",
    "(module (table 4294967295 funcref) (func $f) (elem (i32.const 4294967280) $f))",
  };
  for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); ++i) {
    own wasm_byte_vec_t binary = binary_of(huge[i]);
    tenon_last_error_clear();
    own wasm_module_t* module = wasm_module_new(store, &binary);
    if (module != NULL) {
      wasm_extern_vec_t imports = WASM_EMPTY_VEC;
      own wasm_trap_t* trap = NULL;
      CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL);
      if (trap != NULL) wasm_trap_delete(trap);
      wasm_module_delete(module);
    }
    CHECK(error_says("table"));
    wasm_byte_vec_delete(&binary);
  }

  // From inside, growth that is impossible is -1.
  own wasm_instance_t* instance = instance_of(store,
    "(module (table $t 1 funcref) (memory 1)"
    "  (func (export \"memory\") (result i32) (memory.grow (i32.const -1)))"
    "  (func (export \"table\") (result i32) (table.grow $t (ref.null func) (i32.const -1))))");
  for (size_t i = 0; i < 2; ++i) {
    own wasm_func_t* grow = func_of(instance, i);
    CHECK(returns(grow, -1));
    wasm_func_delete(grow);
  }
  wasm_instance_delete(instance);
}

// Vectors that no machine has room for are empty afterwards.
static void test_vectors(void) {
  own wasm_byte_vec_t bytes = {1, NULL};
  wasm_byte_vec_new_uninitialized(&bytes, SIZE_MAX);
  CHECK(bytes.size == 0 && bytes.data == NULL);
  wasm_byte_vec_delete(&bytes);
  own wasm_val_vec_t values = {1, NULL};
  wasm_val_vec_new_uninitialized(&values, SIZE_MAX / 8);
  CHECK(values.size == 0 && values.data == NULL);
  wasm_val_vec_delete(&values);
  own wasm_extern_vec_t externs = {1, NULL};
  wasm_extern_vec_new_uninitialized(&externs, SIZE_MAX / 2);
  CHECK(externs.size == 0 && externs.data == NULL);
  wasm_extern_vec_delete(&externs);
  own wasm_valtype_vec_t types = {1, NULL};
  wasm_valtype_vec_new_uninitialized(&types, 0);
  CHECK(types.size == 0);
  wasm_valtype_vec_delete(&types);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_memories(store);
  test_tables(store);
  test_modules(store);
  test_vectors();
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
