// The measurements themselves. Everything here runs in a child process that has loaded one library.
//
// A sample of something short repeats it as often as makes some twenty milliseconds; how often that
// is, is found out once. What a row needs (engine, store, instance) is made once and kept, so that a
// library may take its time to get warm before the first sample counts.

#define _GNU_SOURCE
#include "rows.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "guests.h"
#include "world.h"

api_t api;
const char* kernel_directory = ".";
const char* large_module;
const char* guest_directory;

// Missing functions end up here. What a row that needs one of them says is written by the parent,
// which sees the exit status.
static void missing(void) { _exit(3); }

const char* load_library(const char* path) {
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return dlerror();
  void* symbol;
  void (*stub)(void) = missing;
#define X(name) \
  symbol = dlsym(handle, #name); \
  if (symbol != NULL) memcpy(&api.name, &symbol, sizeof(symbol)); \
  else memcpy(&api.name, &stub, sizeof(stub));
  EACH_FUNCTION(X)
#undef X
  return NULL;
}

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

sample_t value(double v, long check) { return (sample_t){.value = v, .check = check, .ok = true}; }

sample_t refuse(const char* format, ...) {
  sample_t sample = {.ok = false};
  va_list args;
  va_start(args, format);
  vsnprintf(sample.note, sizeof(sample.note), format, args);
  va_end(args);
  return sample;
}

// --- Modules and instances ------------------------------------------------------------------------

bool read_bytes(const char* path, wasm_byte_vec_t* out) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return false;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  out->size = size > 0 ? (size_t)size : 0;
  out->data = malloc(out->size + 1);
  bool whole = out->data != NULL && fread(out->data, 1, out->size, file) == out->size;
  fclose(file);
  return whole;
}

static bool read_kernel(const char* name, wasm_byte_vec_t* out) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s.wasm", kernel_directory, name);
  return read_bytes(path, out);
}

static bool make_module(world_t* world, const char* kernel) {
  wasm_byte_vec_t binary;
  if (!read_kernel(kernel, &binary)) return false;
  world->engine = api.wasm_engine_new();
  world->store = api.wasm_store_new(world->engine);
  world->module = api.wasm_module_new(world->store, &binary);
  free(binary.data);
  return world->module != NULL;
}

static bool make_world(world_t* world, const char* kernel, wasm_extern_vec_t imports) {
  if (!make_module(world, kernel)) return false;
  world->instance = api.wasm_instance_new(world->store, world->module, &imports, NULL);
  if (world->instance == NULL) return false;
  api.wasm_instance_exports(world->instance, &world->exports);
  return true;
}

wasm_extern_t* find(const world_t* world, const char* name) {
  wasm_exporttype_vec_t types;
  api.wasm_module_exports(world->module, &types);
  wasm_extern_t* found = NULL;
  for (size_t i = 0; i < types.size && i < world->exports.size; ++i) {
    const wasm_name_t* here = api.wasm_exporttype_name(types.data[i]);
    // Some libraries count the zero byte at the end of a name.
    size_t length = here->size > 0 && here->data[here->size - 1] == 0 ? here->size - 1 : here->size;
    if (length == strlen(name) && memcmp(here->data, name, length) == 0) found = world->exports.data[i];
  }
  api.wasm_exporttype_vec_delete(&types);
  return found;
}

wasm_func_t* find_func(const world_t* world, const char* name) {
  wasm_extern_t* found = find(world, name);
  return found != NULL ? api.wasm_extern_as_func(found) : NULL;
}

static long call_i32(const wasm_func_t* func, int32_t arg, bool has_result) {
  wasm_val_t arg_values[] = {WASM_I32_VAL(arg)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = {has_result ? 1 : 0, result_values};
  wasm_trap_t* trap = api.wasm_func_call(func, &args, &results);
  if (trap != NULL) _exit(4);
  return has_result ? result_values[0].of.i32 : 0;
}

// --- Repeating ------------------------------------------------------------------------------------

typedef void (*repeat_t)(size_t count);

// Nanoseconds for one of what `repeat` repeats. `*count` is kept between samples.
static double per_repetition(repeat_t repeat, size_t* count) {
  if (*count == 0) {
    for (*count = 64;; *count *= 4) {
      double start = now();
      repeat(*count);
      double taken = now() - start;
      if (taken < 2e6) continue;
      *count = (size_t)((double)*count * 2e7 / taken) + 1;
      repeat(*count);
      break;
    }
  }
  double start = now();
  repeat(*count);
  return (now() - start) / (double)*count;
}

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

static sample_t run_large(void) {
  static wasm_byte_vec_t binary;
  if (large_module == NULL) return refuse("no large module was given");
  if (binary.data == NULL && !read_bytes(large_module, &binary)) {
    return refuse("%s cannot be read", large_module);
  }
  world_t world = {0};
  world.engine = api.wasm_engine_new();
  world.store = api.wasm_store_new(world.engine);

  double start = now();
  world.module = api.wasm_module_new(world.store, &binary);
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

// --- Instances ------------------------------------------------------------------------------------

static struct {
  world_t world;
  wasm_shared_module_t* shared;
  const char* refusal;
} page;

// A store and an instance of one page, its first call, and the deletion of both.
static void repeat_page(size_t count) {
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  for (size_t i = 0; i < count; ++i) {
    wasm_store_t* store = api.wasm_store_new(page.world.engine);
    wasm_module_t* module = api.wasm_module_obtain(store, page.shared);
    wasm_instance_t* instance =
      module != NULL ? api.wasm_instance_new(store, module, &imports, NULL) : NULL;
    if (instance == NULL) _exit(6);
    wasm_extern_vec_t exports;
    api.wasm_instance_exports(instance, &exports);
    if (call_i32(api.wasm_extern_as_func(exports.data[1]), 42, true) != 42) _exit(5);
    api.wasm_extern_vec_delete(&exports);
    api.wasm_instance_delete(instance);
    api.wasm_module_delete(module);
    api.wasm_store_delete(store);
  }
}

static sample_t run_page(void) {
  static size_t count;
  if (page.shared == NULL) {
    if (!make_module(&page.world, "page")) return refuse("page.wasm is refused");
    page.shared = api.wasm_module_share(page.world.module);
    if (page.shared == NULL) return refuse("modules cannot be shared");
  }
  return value(per_repetition(repeat_page, &count), 0);
}

static long resident_kib(void) {
  FILE* file = fopen("/proc/self/statm", "r");
  long total = 0, resident = 0;
  if (file == NULL) return 0;
  if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

// How resident memory grows over a million instances in one store, none of which is kept.
static sample_t run_million(void) {
  enum { FIRST = 1000, ALL = 1000000 };
  world_t world = {0};
  if (!make_module(&world, "page")) return refuse("page.wasm is refused");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  long before = 0;
  int i = 0;
  double start = now();
  for (; i < ALL; ++i) {
    if (i == FIRST) before = resident_kib();
    wasm_instance_t* instance = api.wasm_instance_new(world.store, world.module, &imports, NULL);
    if (instance == NULL) break;
    wasm_extern_vec_t exports;
    api.wasm_instance_exports(instance, &exports);
    call_i32(api.wasm_extern_as_func(exports.data[1]), 42, true);
    api.wasm_extern_vec_delete(&exports);
    api.wasm_instance_delete(instance);
  }
  double each = (now() - start) / 1e3 / (i > 0 ? i : 1);
  sample_t sample = value((double)(resident_kib() - before), 0);
  snprintf(sample.note, sizeof(sample.note), i < ALL ? "stops after %d instances" : "%d instances, %.2f us each", i,
           each);
  api.wasm_module_delete(world.module);
  api.wasm_store_delete(world.store);
  api.wasm_engine_delete(world.engine);
  return sample;
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
  {"guest: SQLite fills a table and sums it", UNIT_MS, TARGET_RATIO, 1.03, 11, run_sqlite},
  {"guest: resvg renders a picture", UNIT_MS, TARGET_RATIO, 1.03, 11, run_resvg},
  {"guest: resvg, bytes to the first picture", UNIT_MS, TARGET_RATIO, 1.0, 3, run_resvg_cold},
  {"guest: tree-sitter's heap and tables of letters", UNIT_MS, TARGET_RATIO, 1.03, 11, run_tree_sitter},
  {"guest: esbuild starts until it needs its host", UNIT_MS, TARGET_RATIO, 1.0, 3, run_esbuild},
  {"store, 1-page instance, first call, delete", UNIT_US, TARGET_RATIO, 1.0 / 4, 15, run_page},
  {"growth over a million instances in a store", UNIT_KIB, TARGET_ABSOLUTE, 256, 1, run_million},
  {"14 MB module: bytes to first call", UNIT_MS, TARGET_RATIO, 1.0 / 100, 5, run_large},
};
const size_t row_count = sizeof(rows) / sizeof(rows[0]);
