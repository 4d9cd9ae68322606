// shim.c: see shim.h.

#include "shim.h"

#include "_cgo_export.h"

void tenon_go_config_switch(wasm_config_t *config, int setting, bool on) {
  static void (*const switches[])(wasm_config_t *, bool) = {
    tenon_config_set_signals,       tenon_config_set_eager,         tenon_config_set_simd,
    tenon_config_set_multi_memory,  tenon_config_set_memory64,      tenon_config_set_threads,
    tenon_config_set_exceptions,    tenon_config_set_tail_calls,    tenon_config_set_collect_always,
  };
  if (setting >= 0 && (size_t)setting < sizeof(switches) / sizeof(switches[0])) switches[setting](config, on);
}

wasm_functype_t *tenon_go_functype(const uint8_t *kinds, size_t params, size_t results) {
  wasm_valtype_vec_t types[2];
  size_t counts[2] = {params, results};
  for (int side = 0; side < 2; ++side) {
    wasm_valtype_vec_new_uninitialized(&types[side], counts[side]);
    for (size_t i = 0; i < types[side].size; ++i) types[side].data[i] = wasm_valtype_new(*kinds++);
  }
  return wasm_functype_new(&types[0], &types[1]);
}

uint8_t *tenon_go_kinds(const wasm_functype_t *type, size_t *params, size_t *results) {
  const wasm_valtype_vec_t *from = wasm_functype_params(type), *to = wasm_functype_results(type);
  *params = from->size;
  *results = to->size;
  uint8_t *kinds = malloc(from->size + to->size + 1);
  if (kinds == NULL) return NULL;
  for (size_t i = 0; i < from->size; ++i) kinds[i] = tenon_valtype_kind(from->data[i]);
  for (size_t i = 0; i < to->size; ++i) kinds[from->size + i] = tenon_valtype_kind(to->data[i]);
  return kinds;
}

// What a host function knows of itself.
typedef struct host_t {
  uintptr_t use;
  uint32_t place, index;
} host_t;

static wasm_trap_t *callback(void *env, const wasm_func_t *caller, tenon_raw_t *values) {
  const host_t *host = env;
  (void)caller;
  tenon_go_set(host->use, TENON_GO_IN_HOST);
  uintptr_t trap = tenonGoCall(host->place, host->index, values);
  tenon_go_set(host->use, TENON_GO_IN_USE);
  return (wasm_trap_t *)trap;
}

tenon_error_t *tenon_go_func_new(wasm_store_t *store, const wasm_functype_t *type, uintptr_t use, uint32_t place, uint32_t index,
    wasm_func_t **out) {
  host_t *host = malloc(sizeof *host);
  *out = NULL;
  if (host == NULL) abort();  // as Go does where memory has run out
  *host = (host_t){use, place, index};
  tenon_error_t *error = tenon_func_new_raw(store, type, callback, host, free, out);
  if (error != NULL) free(host);
  return error;
}
