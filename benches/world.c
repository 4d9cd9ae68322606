// What all measurements use: the library's functions, modules and instances of it, and repetition.
//
// A sample of something short repeats it as often as makes some twenty milliseconds; how often that
// is, is found out once.

#define _GNU_SOURCE
#include "world.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
#define X(name) \
  symbol = dlsym(handle, #name); \
  memcpy(&api.name, &symbol, sizeof(symbol));
  EACH_EXTENSION(X)
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

bool read_kernel(const char* name, wasm_byte_vec_t* out) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s.wasm", kernel_directory, name);
  return read_bytes(path, out);
}

bool make_module_of(world_t* world, const wasm_byte_vec_t* binary) {
  if (world->engine == NULL) world->engine = api.wasm_engine_new();
  world->store = api.wasm_store_new(world->engine);
  world->module = api.wasm_module_new(world->store, binary);
  return world->module != NULL;
}

bool make_module(world_t* world, const char* kernel) {
  wasm_byte_vec_t binary;
  if (!read_kernel(kernel, &binary)) return false;
  bool made = make_module_of(world, &binary);
  free(binary.data);
  return made;
}

bool make_world(world_t* world, const char* kernel, wasm_extern_vec_t imports) {
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

long call_i32(const wasm_func_t* func, int32_t arg, bool has_result) {
  wasm_val_t arg_values[] = {WASM_I32_VAL(arg)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = {has_result ? 1 : 0, result_values};
  wasm_trap_t* trap = api.wasm_func_call(func, &args, &results);
  if (trap != NULL) _exit(4);
  return has_result ? result_values[0].of.i32 : 0;
}

// --- Repeating ------------------------------------------------------------------------------------

double per_repetition(repeat_t repeat, size_t* count) {
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
