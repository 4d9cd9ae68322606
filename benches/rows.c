// The measurements of calls, kernels and a large module, and the table of all. Everything here runs in a child process
// that has loaded one library.
//
// What a row needs (engine, store, instance) is made once and kept, so that a library may take its time to get warm
// before the first sample counts.

#define _GNU_SOURCE
#include "rows.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guests.h"
#include "instances.h"
#include "world.h"

// --- Crossings ------------------------------------------------------------------------------------

static wasm_trap_t* host_nothing(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return NULL;
}

static wasm_trap_t* host_add(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0].kind = WASM_I32;
  results->data[0].of.i32 =
    (int32_t)((uint32_t)args->data[0].of.i32 + (uint32_t)args->data[1].of.i32);
  return NULL;
}

static wasm_functype_t* functype_i32(size_t params, size_t results) {
  wasm_valtype_t* kinds[2][2] = {{NULL}};
  wasm_valtype_vec_t vecs[2];
  size_t counts[2] = {params, results};
  for (int side = 0; side < 2; ++side) {
    for (size_t i = 0; i < counts[side]; ++i) kinds[side][i] = api.wasm_valtype_new(WASM_I32);
    if (counts[side] == 0) api.wasm_valtype_vec_new_empty(&vecs[side]);
    else api.wasm_valtype_vec_new(&vecs[side], counts[side], kinds[side]);
  }
  return api.wasm_functype_new(&vecs[0], &vecs[1]);
}

static struct {
  bool made;
  world_t world;
  wasm_func_t *nothing, *add, *loop, *loop_nothing, *loop_add;
  wasm_memory_t* memory;
} calls;

static bool make_calls(void) {
  if (calls.made) return true;
  // The types are needed before there is a store with the module in it.
  calls.world.engine = api.wasm_engine_new();
  calls.world.store = api.wasm_store_new(calls.world.engine);
  wasm_byte_vec_t binary;
  if (!read_kernel("calls", &binary)) return false;
  calls.world.module = api.wasm_module_new(calls.world.store, &binary);
  free(binary.data);
  if (calls.world.module == NULL) return false;
  wasm_functype_t* nothing_type = functype_i32(0, 0);
  wasm_functype_t* add_type = functype_i32(2, 1);
  wasm_extern_t* externs[] = {
    api.wasm_func_as_extern(api.wasm_func_new(calls.world.store, nothing_type, host_nothing)),
    api.wasm_func_as_extern(api.wasm_func_new(calls.world.store, add_type, host_add)),
  };
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  calls.world.instance =
    api.wasm_instance_new(calls.world.store, calls.world.module, &imports, NULL);
  if (calls.world.instance == NULL) return false;
  api.wasm_instance_exports(calls.world.instance, &calls.world.exports);
  calls.nothing = find_func(&calls.world, "nothing");
  calls.add = find_func(&calls.world, "add");
  calls.loop = find_func(&calls.world, "loop");
  calls.loop_nothing = find_func(&calls.world, "loop_nothing");
  calls.loop_add = find_func(&calls.world, "loop_add");
  wasm_extern_t* memory = find(&calls.world, "memory");
  calls.memory = memory != NULL ? api.wasm_extern_as_memory(memory) : NULL;
  calls.made = calls.nothing != NULL && calls.add != NULL && calls.loop != NULL &&
    calls.loop_nothing != NULL && calls.loop_add != NULL && calls.memory != NULL;
  return calls.made;
}

static void repeat_call_nothing(size_t count) {
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  for (size_t i = 0; i < count; ++i) {
    if (api.wasm_func_call(calls.nothing, &none, &none) != NULL) _exit(4);
  }
}

static void repeat_call_add(size_t count) {
  wasm_val_t arg_values[] = {WASM_I32_VAL(3), WASM_I32_VAL(4)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  for (size_t i = 0; i < count; ++i) {
    if (api.wasm_func_call(calls.add, &args, &results) != NULL) _exit(4);
  }
  if (result_values[0].of.i32 != 7) _exit(5);
}

static void repeat_loop(size_t count) { call_i32(calls.loop, (int32_t)count, false); }
static void repeat_loop_nothing(size_t count) { call_i32(calls.loop_nothing, (int32_t)count, false); }
static void repeat_loop_add(size_t count) { call_i32(calls.loop_add, (int32_t)count, false); }

static volatile uintptr_t sink;

static void repeat_data(size_t count) {
  for (size_t i = 0; i < count; ++i) sink = (uintptr_t)api.wasm_memory_data(calls.memory);
}

static void repeat_data_size(size_t count) {
  for (size_t i = 0; i < count; ++i) sink = api.wasm_memory_data_size(calls.memory);
}

static sample_t repeated(repeat_t repeat, size_t* count) {
  if (!make_calls()) return refuse("calls.wasm cannot be instantiated");
  return value(per_repetition(repeat, count), 0);
}

static sample_t run_call_nothing(void) {
  static size_t count;
  return repeated(repeat_call_nothing, &count);
}

static sample_t run_call_add(void) {
  static size_t count;
  return repeated(repeat_call_add, &count);
}

// A callback: the loop that calls the host, less the loop that does not.
static sample_t callback(repeat_t repeat, size_t* count) {
  static size_t loop_count;
  sample_t with = repeated(repeat, count);
  if (!with.ok) return with;
  with.value -= per_repetition(repeat_loop, &loop_count);
  return with;
}

static sample_t run_callback_nothing(void) {
  static size_t count;
  return callback(repeat_loop_nothing, &count);
}

static sample_t run_callback_add(void) {
  static size_t count;
  return callback(repeat_loop_add, &count);
}

static sample_t run_data(void) {
  static size_t count;
  return repeated(repeat_data, &count);
}

static sample_t run_data_size(void) {
  static size_t count;
  return repeated(repeat_data_size, &count);
}

// --- Kernels --------------------------------------------------------------------------------------

typedef struct {
  world_t world;
  wasm_func_t* run;
} kernel_t;

static sample_t kernel(kernel_t* kernel, const char* name, int32_t arg) {
  if (kernel->run == NULL) {
    if (!make_world(&kernel->world, name, (wasm_extern_vec_t)WASM_EMPTY_VEC)) {
      return refuse("%s.wasm cannot be instantiated", name);
    }
    kernel->run = find_func(&kernel->world, "run");
    if (kernel->run == NULL) return refuse("%s.wasm has no function run", name);
    call_i32(kernel->run, arg, true);
  }
  double start = now();
  long check = call_i32(kernel->run, arg, true);
  return value(now() - start, check);
}

static sample_t run_fib(void) {
  static kernel_t k;
  return kernel(&k, "fib", 32);
}

static sample_t run_matmul(void) {
  static kernel_t k;
  return kernel(&k, "matmul", 200);
}

static sample_t run_mix(void) {
  static kernel_t k;
  return kernel(&k, "mix", 5000000);
}

static sample_t run_sweep(void) {
  static kernel_t k;
  return kernel(&k, "sweep", 1000000);
}

static sample_t run_indirect(void) {
  static kernel_t k;
  return kernel(&k, "indirect", 2000000);
}

static sample_t run_heapsort(void) {
  static kernel_t k;
  return kernel(&k, "heapsort", 100000);
}

static sample_t run_nbody(void) {
  static kernel_t k;
  return kernel(&k, "nbody", 100000);
}

static sample_t run_spectral(void) {
  static kernel_t k;
  return kernel(&k, "spectral", 500);
}

static sample_t run_json(void) {
  static kernel_t k;
  return kernel(&k, "json", 4);
}

static sample_t run_stack(void) {
  static kernel_t k;
  return kernel(&k, "stack", 100000);
}

static sample_t run_shapes(void) {
  static kernel_t k;
  return kernel(&k, "shapes", 1000);
}

static sample_t run_matmul_vector(void) {
  static kernel_t k;
  return kernel(&k, "matmul_vector", 256);
}

static sample_t run_ascii(void) {
  static kernel_t k;
  return kernel(&k, "ascii", 500);
}

static sample_t run_chacha(void) {
  static kernel_t k;
  return kernel(&k, "chacha", 50000);
}

static sample_t run_dot(void) {
  static kernel_t k;
  return kernel(&k, "dot", 2000);
}

static sample_t run_blend(void) {
  static kernel_t k;
  return kernel(&k, "blend", 1000);
}

static sample_t run_mandelbrot(void) {
  static kernel_t k;
  return kernel(&k, "mandelbrot", 500);
}

static sample_t run_lookup(void) {
  static kernel_t k;
  return kernel(&k, "lookup", 1000);
}

static sample_t run_throw(void) {
  static kernel_t k;
  return kernel(&k, "throw", 100000);
}

static sample_t run_rethrow(void) {
  static kernel_t k;
  return kernel(&k, "rethrow", 20000);
}

static sample_t run_trees(void) {
  static kernel_t k;
  return kernel(&k, "trees", 12);
}

static sample_t run_links(void) {
  static kernel_t k;
  return kernel(&k, "links", 10000);
}

static sample_t run_search(void) {
  static kernel_t k;
  return kernel(&k, "search", 10000);
}

static sample_t run_hash(void) {
  static kernel_t k;
  return kernel(&k, "hash", 200000);
}

static sample_t run_eval(void) {
  static kernel_t k;
  return kernel(&k, "eval", 1500);
}

static sample_t run_closures(void) {
  static kernel_t k;
  return kernel(&k, "closures", 5000);
}

// --- A large module -------------------------------------------------------------------------------

static wasm_trap_t* host_zeros(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  const wasm_valkind_t* kinds = env;
  for (size_t i = 0; i < results->size; ++i) {
    memset(&results->data[i], 0, sizeof(results->data[i]));
    results->data[i].kind = kinds[i];
  }
  return NULL;
}

// Something of the type that an import asks for, which does nothing.
wasm_extern_t* stub(wasm_store_t* store, const wasm_externtype_t* type) {
  switch (api.wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC: {
      const wasm_functype_t* functype = api.wasm_externtype_as_functype_const(type);
      const wasm_valtype_vec_t* results = api.wasm_functype_results(functype);
      wasm_valkind_t* kinds = calloc(results->size + 1, sizeof(*kinds));
      for (size_t i = 0; i < results->size; ++i) kinds[i] = api.wasm_valtype_kind(results->data[i]);
      return api.wasm_func_as_extern(
        api.wasm_func_new_with_env(store, functype, host_zeros, kinds, free));
    }
    case WASM_EXTERN_GLOBAL: {
      const wasm_globaltype_t* globaltype = api.wasm_externtype_as_globaltype_const(type);
      wasm_val_t zero = WASM_I64_VAL(0);
      zero.kind = api.wasm_valtype_kind(api.wasm_globaltype_content(globaltype));
      return api.wasm_global_as_extern(api.wasm_global_new(store, globaltype, &zero));
    }
    case WASM_EXTERN_TABLE:
      return api.wasm_table_as_extern(
        api.wasm_table_new(store, api.wasm_externtype_as_tabletype_const(type), NULL));
    case WASM_EXTERN_MEMORY:
      return api.wasm_memory_as_extern(
        api.wasm_memory_new(store, api.wasm_externtype_as_memorytype_const(type)));
    default: return NULL;
  }
}

// An exported function that can be called without arguments; better one that has a result, which is
// more likely to return soon.
static wasm_func_t* callable(const world_t* world, size_t* result_count) {
  wasm_exporttype_vec_t types;
  api.wasm_module_exports(world->module, &types);
  wasm_func_t* found = NULL;
  *result_count = 0;
  for (size_t i = 0; i < types.size; ++i) {
    const wasm_externtype_t* type = api.wasm_exporttype_type(types.data[i]);
    if (api.wasm_externtype_kind(type) != WASM_EXTERN_FUNC) continue;
    const wasm_functype_t* functype = api.wasm_externtype_as_functype_const(type);
    if (api.wasm_functype_params(functype)->size != 0) continue;
    size_t count = api.wasm_functype_results(functype)->size;
    if (found != NULL && (count == 0 || *result_count != 0)) continue;
    found = api.wasm_extern_as_func(world->exports.data[i]);
    *result_count = count;
  }
  api.wasm_exporttype_vec_delete(&types);
  return found;
}

static bool read_large(wasm_byte_vec_t* binary) {
  return binary->data != NULL || (large_module != NULL && read_bytes(large_module, binary));
}

static wasm_module_t* from_binary(wasm_store_t* store, const void* binary) {
  return api.wasm_module_new(store, binary);
}

static wasm_module_t* from_serialized(wasm_store_t* store, const void* bytes) {
  return api.wasm_module_deserialize(store, bytes);
}

static wasm_module_t* from_file(wasm_store_t* store, const void* path) {
  wasm_module_t* module = NULL;
  return api.tenon_module_deserialize_file(store, path, &module) == NULL ? module : NULL;
}

// From the making of the large module to the return of a first call.
static sample_t first_call(wasm_module_t* (*make)(wasm_store_t*, const void*), const void* source) {
  world_t world = {0};
  world.engine = api.wasm_engine_new();
  world.store = api.wasm_store_new(world.engine);

  double start = now();
  world.module = make(world.store, source);
  if (world.module == NULL) return refuse("the large module is refused");
  wasm_importtype_vec_t types;
  api.wasm_module_imports(world.module, &types);
  wasm_extern_t** externs = calloc(types.size + 1, sizeof(*externs));
  for (size_t i = 0; i < types.size; ++i) {
    externs[i] = stub(world.store, api.wasm_importtype_type(types.data[i]));
  }
  wasm_extern_vec_t imports = {types.size, externs};
  world.instance = api.wasm_instance_new(world.store, world.module, &imports, NULL);
  if (world.instance == NULL) return refuse("the large module cannot be instantiated");
  api.wasm_instance_exports(world.instance, &world.exports);
  size_t result_count;
  wasm_func_t* func = callable(&world, &result_count);
  if (func == NULL || result_count > 4) return refuse("the large module exports nothing to call");
  wasm_val_t result_values[4] = {WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL};
  wasm_val_vec_t no_args = WASM_EMPTY_VEC;
  wasm_val_vec_t results = {result_count, result_values};
  wasm_trap_t* trap = api.wasm_func_call(func, &no_args, &results);
  double taken = now() - start;
  if (trap != NULL) api.wasm_trap_delete(trap);

  free(externs);
  api.wasm_importtype_vec_delete(&types);
  api.wasm_extern_vec_delete(&world.exports);
  api.wasm_instance_delete(world.instance);
  api.wasm_module_delete(world.module);
  api.wasm_store_delete(world.store);
  api.wasm_engine_delete(world.engine);
  return value(taken, result_values[0].of.i32);
}

static sample_t run_large(void) {
  static wasm_byte_vec_t binary;
  if (!read_large(&binary)) return refuse("the large module cannot be read");
  return first_call(from_binary, &binary);
}

// The large module with its machine code; NULL if it cannot be had.
static const wasm_byte_vec_t* serialized_large(void) {
  static wasm_byte_vec_t binary, serialized;
  if (serialized.data == NULL) {
    world_t world = {0};
    if (!read_large(&binary) || !make_module_of(&world, &binary)) return NULL;
    api.wasm_module_serialize(world.module, &serialized);
    api.wasm_module_delete(world.module);
    api.wasm_store_delete(world.store);
    api.wasm_engine_delete(world.engine);
  }
  return serialized.data != NULL ? &serialized : NULL;
}

static sample_t run_large_serialized(void) {
  const wasm_byte_vec_t* serialized = serialized_large();
  if (serialized == NULL) return refuse("the large module cannot be serialized");
  return first_call(from_serialized, serialized);
}

// Loaded for the first time, its hash is checked: the first sample does not count.
static sample_t run_large_file(void) {
  static char path[] = "/tmp/tenon-bench-XXXXXX";
  static bool written;
  if (api.tenon_module_deserialize_file == NULL) return refuse("cannot be chosen");
  if (!written) {
    const wasm_byte_vec_t* serialized = serialized_large();
    int file = serialized != NULL ? mkstemp(path) : -1;
    if (file < 0) return refuse("the large module cannot be serialized");
    written = write(file, serialized->data, serialized->size) == (ssize_t)serialized->size;
    close(file);
    usleep(200000);
    first_call(from_file, path);
  }
  return first_call(from_file, path);
}

const row_t rows[] = {
  {"`wasm_func_call`, () -> ()", UNIT_NS, TARGET_RATIO, 1.0 / 25, 15, run_call_nothing},
  {"`wasm_func_call`, (i32, i32) -> i32", UNIT_NS, TARGET_RATIO, 1.0 / 25, 15, run_call_add},
  {"host callback, () -> ()", UNIT_NS, TARGET_RATIO, 1.0 / 6, 15, run_callback_nothing},
  {"host callback, (i32, i32) -> i32", UNIT_NS, TARGET_RATIO, 1.0 / 6, 15, run_callback_add},
  {"`wasm_memory_data`", UNIT_NS, TARGET_ABSOLUTE, 2, 15, run_data},
  {"`wasm_memory_data_size`", UNIT_NS, TARGET_ABSOLUTE, 2, 15, run_data_size},
  {"kernel: recursive Fibonacci", UNIT_MS, TARGET_RATIO, 1.03, 25, run_fib},
  {"kernel: matrix product", UNIT_MS, TARGET_RATIO, 1.03, 25, run_matmul},
  {"kernel: integer mixing", UNIT_MS, TARGET_RATIO, 1.03, 25, run_mix},
  {"kernel: memory sieve", UNIT_MS, TARGET_RATIO, 1.03, 25, run_sweep},
  {"kernel: calls through a table", UNIT_MS, TARGET_RATIO, 1.03, 25, run_indirect},
  {"kernel: objects with methods in a table", UNIT_MS, TARGET_RATIO, 1.03, 25, run_shapes},
  {"kernel: a stack machine of small functions", UNIT_MS, TARGET_RATIO, 1.03, 25, run_stack},
  {"kernel: heap sort", UNIT_MS, TARGET_RATIO, 1.03, 25, run_heapsort},
  {"kernel: five bodies in doubles", UNIT_MS, TARGET_RATIO, 1.03, 25, run_nbody},
  {"kernel: spectral norm", UNIT_MS, TARGET_RATIO, 1.03, 25, run_spectral},
  {"kernel: reading JSON", UNIT_MS, TARGET_RATIO, 1.03, 25, run_json},
  {"vector kernel: dot product of floats", UNIT_MS, TARGET_RATIO, 1.03, 25, run_dot},
  {"vector kernel: blending of bytes", UNIT_MS, TARGET_RATIO, 1.03, 25, run_blend},
  {"vector kernel: Mandelbrot set in doubles", UNIT_MS, TARGET_RATIO, 1.03, 25, run_mandelbrot},
  {"vector kernel: digits by lookup", UNIT_MS, TARGET_RATIO, 1.03, 25, run_lookup},
  {"vector kernel: matrix product", UNIT_MS, TARGET_RATIO, 1.03, 25, run_matmul_vector},
  {"vector kernel: scanning text", UNIT_MS, TARGET_RATIO, 1.03, 25, run_ascii},
  {"vector kernel: ChaCha20", UNIT_MS, TARGET_RATIO, 1.03, 25, run_chacha},
  {"100,000 exceptions thrown and caught", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_throw},
  {"20,000 exceptions thrown on by four functions", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_rethrow},
  {"objects: binary trees", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_trees},
  {"objects: linked lists", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_links},
  {"objects: a search tree and a list", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_search},
  {"objects: a hash map", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_hash},
  {"objects: expressions, by casts", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_eval},
  {"objects: closures over small numbers", UNIT_MS, TARGET_RATIO, 1.0 / 2, 15, run_closures},
  {"guest: SQLite fills a table and sums it", UNIT_MS, TARGET_RATIO, 1.03, 11, run_sqlite},
  {"guest: resvg renders a picture", UNIT_MS, TARGET_RATIO, 1.03, 11, run_resvg},
  {"guest: resvg, bytes to the first picture", UNIT_MS, TARGET_RATIO, 1.0, 3, run_resvg_cold},
  {"guest: tree-sitter's heap and tables of letters", UNIT_MS, TARGET_RATIO, 1.03, 11, run_tree_sitter},
  {"guest: esbuild starts until it needs its host", UNIT_MS, TARGET_RATIO, 1.0, 3, run_esbuild},
  {"store, 1-page instance, first call, delete", UNIT_US, TARGET_RATIO, 1.0 / 4, 15, run_page},
  {"store, instance without memory, call, delete", UNIT_US, TARGET_ABSOLUTE, 600, 15, run_bare},
  {"the same with a page and 4 KiB of data", UNIT_US, TARGET_ABSOLUTE, 2000, 15, run_small_data},
  {"the same with 16 MiB and 1 MiB of data, a page touched", UNIT_US, TARGET_ABSOLUTE, 4000, 15, run_large_data},
  {"the same with a table of 1000 functions", UNIT_US, TARGET_ABSOLUTE, 1000, 15, run_table},
  {"two threads with 1-page instances, times one thread", UNIT_TIMES, TARGET_AT_LEAST, 1.9, 15, run_two_threads},
  {"growth by a page, by the host", UNIT_NS, TARGET_ABSOLUTE, 150, 15, run_grow_host},
  {"growth by a page, by the guest", UNIT_NS, TARGET_ABSOLUTE, 150, 15, run_grow_guest},
  {"growth by a page, each touched", UNIT_NS, TARGET_RATIO, 1.03, 15, run_grow_touched},
  {"growth by a page, by the guest, accesses checked", UNIT_NS, TARGET_ABSOLUTE, 150, 15, run_grow_checked},
  {"resident for a live instance without memory", UNIT_BYTES, TARGET_ABSOLUTE, 256, 3, run_live_bare},
  {"resident for a live instance, a page touched", UNIT_BYTES, TARGET_ABSOLUTE, 4700, 3, run_live_page},
  {"growth over ten million instances in a store", UNIT_KIB, TARGET_ABSOLUTE, 256, 1, run_rounds},
  {"what 3,000 deleted memories of 1 MiB leave resident", UNIT_KIB, TARGET_ABSOLUTE, 50 << 10, 1, run_memories},
  {"14 MB module: bytes to first call", UNIT_MS, TARGET_RATIO, 1.0 / 100, 5, run_large},
  {"14 MB module, serialized: bytes to first call", UNIT_MS, TARGET_NONE, 0, 5, run_large_serialized},
  {"14 MB module, serialized: file to first call", UNIT_MS, TARGET_ABSOLUTE, 1e6, 9, run_large_file},
};
const size_t row_count = sizeof(rows) / sizeof(rows[0]);
