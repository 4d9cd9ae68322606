// What nobody can reach any more is given back while the store lives: instances, memories, functions,
// host references, cycles between instances. Resident memory stays flat, finalizers run.

#include "test_util.h"

static void test_instances(wasm_store_t* store) {
  own wasm_module_t* module = module_of(store,
    "(module (memory (export \"memory\") 1) (table 4 funcref) (global (mut i32) (i32.const 1))\n"
    "  (func (export \"run\") (result i32) (i32.store (i32.const 0) (i32.const 7))\n"
    "    (i32.load (i32.const 0))))");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  int total = rounds(1000000, 2000), finalized = 0, wrong = 0;
  long before = 0;
  for (int i = 0; i < total; ++i) {
    if (i == total / 10) before = resident_kib();
    own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    REQUIRE(instance != NULL);
    wasm_instance_set_host_info_with_finalizer(instance, &finalized, count_finalization);
    own wasm_extern_vec_t exports;
    wasm_instance_exports(instance, &exports);
    wrong += !returns(wasm_extern_as_func(exports.data[1]), 7);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
  }
  long grown = resident_kib() - before;
  printf("%d instances: %d finalized, resident memory %+ld KiB\n", total, finalized, grown);
  CHECK(wrong == 0);
  CHECK(finalized > total / 10 * 9 && finalized <= total);
  CHECK(grown < 1024 || rounds(0, 1));
  wasm_module_delete(module);
}

static void test_memories(wasm_store_t* store) {
  int total = rounds(3000, 30);
  long before = 0;
  for (int i = 0; i < total; ++i) {
    if (i == 10) before = resident_kib();
    own wasm_memory_t* memory = new_memory(store, 16, 32);
    REQUIRE(memory != NULL);
    // New memory is zero, also where an older one lay.
    CHECK(wasm_memory_data(memory)[0] == 0);
    CHECK(wasm_memory_data(memory)[wasm_memory_data_size(memory) - 1] == 0);
    memset(wasm_memory_data(memory), 1, wasm_memory_data_size(memory));
    CHECK(wasm_memory_grow(memory, 1));
    CHECK(wasm_memory_data(memory)[16 * MEMORY_PAGE_SIZE] == 0);
    memset(wasm_memory_data(memory), 2, wasm_memory_data_size(memory));
    wasm_memory_delete(memory);
  }
  long grown = resident_kib() - before;
  printf("%d memories of 1 MiB: resident memory %+ld KiB\n", total, grown);
  CHECK(grown < 65536 || rounds(0, 1));
}

static void test_host_functions(wasm_store_t* store) {
  int total = rounds(200000, 2000), finalized = 0;
  long before = 0;
  for (int i = 0; i < total; ++i) {
    if (i == total / 10) before = resident_kib();
    own wasm_foreign_t* object = wasm_foreign_new(store);
    wasm_foreign_set_host_info_with_finalizer(object, &finalized, count_finalization);
    own wasm_func_t* func = new_nothing(store);
    wasm_func_set_host_info_with_finalizer(func, &finalized, count_finalization);
    own wasm_trap_t* trap = new_trap(store, "nothing");
    wasm_trap_set_host_info_with_finalizer(trap, &finalized, count_finalization);
    wasm_foreign_delete(object);
    wasm_func_delete(func);
    wasm_trap_delete(trap);
  }
  long grown = resident_kib() - before;
  printf("%d host objects: %d finalized, resident memory %+ld KiB\n", 3 * total, finalized, grown);
  CHECK(finalized > 3 * (total / 10) * 9 && finalized <= 3 * total);
  CHECK(grown < 1024 || rounds(0, 1));
}

// Two instances that hold each other's function in their tables, and an object in a global.
static void test_cycles(wasm_store_t* store) {
  own wasm_module_t* module = module_of(store,
    "(module (table (export \"t\") 2 funcref)\n"
    "  (global (export \"g\") (mut externref) (ref.null extern))\n"
    "  (func (export \"f\") (result i32) (call_indirect (result i32) (i32.const 1)))\n"
    "  (func (export \"h\") (result i32) (i32.const 6)))");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  int total = rounds(50000, 500), finalized = 0, wrong = 0;
  long before = 0;
  for (int i = 0; i < total; ++i) {
    if (i == total / 2) before = resident_kib();
    own wasm_instance_t* pair[2];
    own wasm_extern_vec_t exports[2];
    for (int j = 0; j < 2; ++j) {
      pair[j] = wasm_instance_new(store, module, &imports, NULL);
      REQUIRE(pair[j] != NULL);
      wasm_instance_set_host_info_with_finalizer(pair[j], &finalized, count_finalization);
      wasm_instance_exports(pair[j], &exports[j]);
    }
    for (int j = 0; j < 2; ++j) {
      wasm_table_t* table = wasm_extern_as_table(exports[j].data[0]);
      wrong += !wasm_table_set(table, 0, wasm_extern_as_ref(exports[1 - j].data[2]));
      wrong += !wasm_table_set(table, 1, wasm_extern_as_ref(exports[1 - j].data[3]));
      own wasm_foreign_t* object = wasm_foreign_new(store);
      wasm_foreign_set_host_info_with_finalizer(object, &finalized, count_finalization);
      wasm_val_t value = WASM_REF_VAL(wasm_foreign_as_ref(object));
      wasm_global_set(wasm_extern_as_global(exports[j].data[1]), &value);
      wasm_foreign_delete(object);
      wrong += !returns(wasm_extern_as_func(exports[j].data[2]), 6);
    }
    for (int j = 0; j < 2; ++j) {
      wasm_extern_vec_delete(&exports[j]);
      wasm_instance_delete(pair[j]);
    }
  }
  long grown = resident_kib() - before;
  printf("%d cycles: %d of %d finalized, resident memory %+ld KiB\n", total, finalized, 4 * total,
         grown);
  CHECK(wrong == 0);
  CHECK(finalized > 4 * (total / 10) * 8 && finalized <= 4 * total);
  CHECK(grown < 8192 || rounds(0, 1));
  wasm_module_delete(module);
}

// An instance whose only remaining trace is a function in the table of another one stays alive.
static void test_reachable_stays(wasm_store_t* store) {
  int finalized = 0;
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 1, 1);
  own wasm_instance_t* hidden = instance_of(store,
    "(module (memory 1) (data (i32.const 0) \"\\2a\")\n"
    "  (func (export \"f\") (result i32) (i32.load8_u (i32.const 0))))");
  wasm_instance_set_host_info_with_finalizer(hidden, &finalized, count_finalization);
  own wasm_func_t* func = func_of(hidden, 0);
  CHECK(wasm_table_set(table, 0, wasm_func_as_ref(func)));
  wasm_func_delete(func);
  wasm_instance_delete(hidden);

  // Enough garbage that any reclaiming would have happened.
  test_host_functions(store);
  CHECK(finalized == 0);
  own wasm_ref_t* ref = wasm_table_get(table, 0);
  REQUIRE(ref != NULL);
  CHECK(returns(wasm_ref_as_func(ref), 42));
  wasm_ref_delete(ref);
  CHECK(wasm_table_set(table, 0, NULL));
  wasm_table_delete(table);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_instances(store);
  test_memories(store);
  test_host_functions(store);
  test_cycles(store);
  test_reachable_stays(store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
