// Every allocation fails once: the first, the second, ... of a program that uses every part of the library; alone, with
// the fifty that follow, and with all that follow. Whatever a function answers then, the process lives, and
// afterwards everything works again.
//
// The allocator is interposed, so this is not run under valgrind, which interposes its own.

#include <errno.h>

#include "test_util.h"

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t align, size_t size);

// Allocations that succeed before some fail, and how many fail then. Negative: none fails.
static long before = -1;
static long failing;

static bool fails(void) {
  if (before < 0) return false;
  if (before > 0) {
    --before;
    return false;
  }
  if (failing == 0) return false;
  --failing;
  errno = ENOMEM;
  return true;
}

void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
void* aligned_alloc(size_t align, size_t size) { return fails() ? NULL : __libc_memalign(align, size); }

int posix_memalign(void** out, size_t align, size_t size) {
  if (fails()) return ENOMEM;
  *out = __libc_memalign(align, size);
  return *out == NULL ? ENOMEM : 0;
}

static const char* const text =
  "(module\n"
  "  (memory (export \"m\") 1)\n"
  "  (table (export \"t\") 4 funcref)\n"
  "  (global (export \"g\") (mut i32) (i32.const 1))\n"
  "  (elem (i32.const 0) $add)\n"
  "  (func $add (export \"add\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))\n"
  "  (func (export \"trap\") unreachable)\n"
  "  (data (i32.const 0) \"hello\"))";

static own wasm_trap_t* echo(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0] = args->data[0];
  return NULL;
}

// What an instance can do. Whether the addition came out right.
static bool use_instance(wasm_instance_t* instance) {
  bool right = false;
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  if (exports.size == 5) {
    wasm_memory_grow(wasm_extern_as_memory(exports.data[0]), 1);
    wasm_ref_delete(wasm_table_get(wasm_extern_as_table(exports.data[1]), 0));
    wasm_table_grow(wasm_extern_as_table(exports.data[1]), 100, NULL);
    wasm_val_t args[] = {WASM_I32_VAL(41)}, results[] = {WASM_INIT_VAL};
    wasm_val_vec_t args_vec = WASM_ARRAY_VEC(args), results_vec = WASM_ARRAY_VEC(results);
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func(exports.data[3]), &args_vec, &results_vec);
    right = trap == NULL && results[0].of.i32 == 42;
    wasm_trap_delete(trap);
    trap = wasm_func_call(wasm_extern_as_func(exports.data[4]), &none, &none);
    wasm_trap_delete(trap);
  }
  wasm_extern_vec_delete(&exports);
  return right;
}

// Uses the library from the engine's creation to its end. Whether all of it worked.
static bool use_everything(const wasm_byte_vec_t* binary) {
  bool worked = false;
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = wasm_module_new(store, binary);
  own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  if (instance != NULL) worked = use_instance(instance);
  wasm_instance_delete(instance);

  wasm_byte_vec_t bytes = WASM_EMPTY_VEC;
  wasm_module_serialize(module, &bytes);
  own wasm_module_t* again = wasm_module_deserialize(store, &bytes);
  worked = worked && again != NULL;
  wasm_module_delete(again);
  wasm_byte_vec_delete(&bytes);
  wasm_module_delete(module);

  own wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* func = wasm_func_new(store, type, echo);
  worked = worked && func != NULL;
  wasm_func_delete(func);
  wasm_functype_delete(type);
  own wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_foreign_delete(foreign);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return worked;
}

int main(void) {
  own wasm_byte_vec_t binary = binary_of(text);
  // What is made once in a process is made first.
  REQUIRE(use_everything(&binary));
  failing = 0;
  before = 1L << 40;
  REQUIRE(use_everything(&binary));
  long count = (1L << 40) - before;
  before = -1;
  printf("%ld allocations\n", count);
  CHECK(count > 300);

  const long lengths[] = {1, 50, 1L << 40};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); ++i) {
    long refused = 0;
    for (long n = 0; n < count; ++n) {
      before = n;
      failing = lengths[i];
      if (!use_everything(&binary)) ++refused;
      before = -1;
    }
    printf("%ld failing in a row: %ld of %ld runs ended early\n", lengths[i], refused, count);
    // A single one is always made up for; without any more memory, what begins later is refused.
    CHECK(i == 0 ? refused * 10 < count : i == 1 || refused > 0);
    CHECK(use_everything(&binary));
  }
  wasm_byte_vec_delete(&binary);
  return check_done();
}
