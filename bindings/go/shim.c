// shim.c: see shim.h.

#include "shim.h"

#include "_cgo_export.h"

void tenon_go_config_switch(wasm_config_t *config, int setting, bool on) {
  static void (*const switches[])(wasm_config_t *, bool) = {
    tenon_config_set_signals,            tenon_config_set_eager,
    tenon_config_set_simd,               tenon_config_set_relaxed_simd,
    tenon_config_set_reference_types,    tenon_config_set_multi_memory,
    tenon_config_set_memory64,           tenon_config_set_custom_page_sizes,
    tenon_config_set_wide_arithmetic,    tenon_config_set_threads,
    tenon_config_set_exceptions,         tenon_config_set_tail_calls,
    tenon_config_set_function_references, tenon_config_set_legacy_exceptions,
    tenon_config_set_collect_always,     tenon_config_set_gc,
    tenon_config_set_pinned_memories,
  };
  if (setting >= 0 && (size_t)setting < sizeof(switches) / sizeof(switches[0])) switches[setting](config, on);
}

// What a host function knows of itself.
typedef struct host_t {
  uintptr_t use;
  uint32_t place, index;
  uintptr_t number;
} host_t;

static void forget(void *env) {
  tenonGoRelease(((host_t *)env)->number);
  free(env);
}

static wasm_trap_t *call(const host_t *host, const void *args, void *results) {
  tenon_go_set(host->use, TENON_GO_IN_HOST);
  uintptr_t trap = tenonGoCall(host->place, host->index, (void *)args, results);
  tenon_go_set(host->use, TENON_GO_IN_USE);
  return (wasm_trap_t *)trap;
}

static wasm_trap_t *call_raw(void *env, const wasm_func_t *caller, tenon_raw_t *values) {
  (void)caller;
  return call(env, values, values);
}

static wasm_trap_t *call_val(void *env, const wasm_func_t *caller, const tenon_val_t *args, size_t arg_count,
    tenon_val_t *results, size_t result_count) {
  (void)caller, (void)arg_count, (void)result_count;
  return call(env, args, results);
}

tenon_error_t *tenon_go_func_new(wasm_store_t *store, const wasm_functype_t *type, bool plain, uintptr_t use, uint32_t place,
    uint32_t index, uintptr_t number, wasm_func_t **out) {
  host_t *host = malloc(sizeof *host);
  if (host == NULL) abort();  // as Go does where memory has run out
  *host = (host_t){use, place, index, number};
  tenon_error_t *error = plain ? tenon_func_new_raw(store, type, call_raw, host, forget, out)
                               : tenon_func_new_val(store, type, call_val, host, forget, out);
  if (error != NULL) free(host);
  return error;
}

static bool before(void *env, const tenon_growth_t *growth, wasm_trap_t **trap) {
  const host_t *host = env;
  tenon_go_set(host->use, TENON_GO_IN_HOST);
  uintptr_t answer = tenonGoBefore(host->place, (tenon_growth_t *)growth);
  tenon_go_set(host->use, TENON_GO_IN_USE);
  if (answer > 1) *trap = (wasm_trap_t *)answer;
  return answer == 1;
}

static void after(void *env, const tenon_growth_t *growth) {
  const host_t *host = env;
  tenon_go_set(host->use, TENON_GO_IN_HOST);
  tenonGoAfter(host->place, (tenon_growth_t *)growth);
  tenon_go_set(host->use, TENON_GO_IN_USE);
}

tenon_error_t *tenon_go_on_growth(wasm_store_t *store, uintptr_t use, uint32_t place, bool asks, bool tells) {
  host_t *host = malloc(sizeof *host);
  if (host == NULL) abort();  // as Go does where memory has run out
  *host = (host_t){use, place, 0};
  tenon_error_t *error =
      tenon_store_set_growth_callbacks(store, asks ? before : NULL, tells ? after : NULL, host, free);
  if (error != NULL) free(host);
  return error;
}

static bool allocate(void *env, const tenon_memory_request_t *request, tenon_host_memory_t *out) {
  return tenonGoAllocate((uintptr_t)env, (tenon_memory_request_t *)request, out);
}

static bool grow(void *env, tenon_host_memory_t *memory, uint64_t old_size, uint64_t new_size) {
  (void)env, (void)old_size;
  return tenonGoGrow(memory, new_size);
}

static void give_back(void *env, tenon_host_memory_t *memory, uint64_t size) {
  (void)env, (void)size;
  tenonGoFree(memory);
}

static void forget_creator(void *env) { tenonGoForgetCreator((uintptr_t)env); }

tenon_error_t *tenon_go_set_creator(wasm_config_t *config, uintptr_t handle) {
  tenon_memory_creator_t creator = {allocate, grow, give_back, (void *)handle, forget_creator};
  return tenon_config_set_memory_creator(config, &creator);
}

tenon_error_t *tenon_go_array_read(const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, void *out) {
  for (uint32_t i = 0; i < count; ++i) {
    tenon_val_t val;
    tenon_error_t *error = tenon_array_get(array, start + i, &val);
    if (error != NULL) return error;
    // Little-endian, as WebAssembly's numbers are: the lowest bytes come first.
    memcpy((char *)out + i * size, &val.of, size);
  }
  return NULL;
}

tenon_error_t *tenon_go_array_write(
    const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, wasm_valkind_t kind, const void *from) {
  for (uint32_t i = 0; i < count; ++i) {
    tenon_val_t val = {.kind = kind};
    memcpy(&val.of, (const char *)from + i * size, size);
    tenon_error_t *error = tenon_array_set(array, start + i, &val);
    if (error != NULL) return error;
  }
  return NULL;
}

static void release(void *number) { tenonGoRelease((uintptr_t)number); }

void tenon_go_set_foreign(wasm_foreign_t *foreign, uintptr_t number) {
  wasm_foreign_set_host_info_with_finalizer(foreign, (void *)number, release);
}

tenon_heaptype_t tenon_go_heap(const wasm_ref_t *ref) {
  wasm_valtype_t *type = tenon_ref_type(ref);
  tenon_heaptype_t heap = tenon_valtype_heap(type);
  if (heap == TENON_HEAP_DEFINED) {
    tenon_deftype_t *defined = tenon_valtype_deftype(type);
    tenon_defkind_t kind = tenon_deftype_kind(defined);
    heap = kind == TENON_DEF_STRUCT ? TENON_HEAP_STRUCT : kind == TENON_DEF_ARRAY ? TENON_HEAP_ARRAY : TENON_HEAP_NONE;
    tenon_deftype_delete(defined);
  }
  wasm_valtype_delete(type);
  return heap == TENON_HEAP_STRUCT || heap == TENON_HEAP_ARRAY || heap == TENON_HEAP_I31 ? heap : TENON_HEAP_NONE;
}
