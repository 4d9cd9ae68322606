// An engine behind wasm.h, whichever library that is: ENGINE is the name of the object that stands for it.

#include "engine.h"

#include <stdlib.h>
#include <wasm.h>

#ifdef ASSEMBLES
#include <tenon.h>

const char *assemble(const char *text, size_t *size) {
  static wasm_byte_vec_t binary;
  tenon_error_t *error = tenon_wat2wasm(text, strlen(text), &binary);
  *size = binary.size;
  return error == NULL ? binary.data : NULL;
}
#endif

struct running {
  wasm_engine_t *engine;
  wasm_store_t *store;
  wasm_instance_t *instance;
  wasm_extern_vec_t exports;
};

static wasm_trap_t *enter(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  ask_t **ask = env;
  results->data[0].kind = WASM_I32;
  results->data[0].of.i32 = (*ask)(args->data[0].of.i32);
  return NULL;
}

static void stop(running *all) {
  wasm_extern_vec_delete(&all->exports);
  if (all->instance != NULL) wasm_instance_delete(all->instance);
  if (all->store != NULL) wasm_store_delete(all->store);
  if (all->engine != NULL) wasm_engine_delete(all->engine);
  free(all);
}

static running *start(const char *bytes, size_t size, ask_t *ask) {
  running *all = calloc(1, sizeof *all);
  wasm_extern_vec_new_empty(&all->exports);
  all->engine = wasm_engine_new();
  if (all->engine != NULL) all->store = wasm_store_new(all->engine);
  if (all->store == NULL) {
    stop(all);
    return NULL;
  }

  wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, size, bytes);
  wasm_module_t *module = wasm_module_new(all->store, &binary);
  wasm_byte_vec_delete(&binary);
  ask_t **kept = malloc(sizeof *kept);
  *kept = ask;
  wasm_functype_t *type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_func_t *func = wasm_func_new_with_env(all->store, type, enter, kept, free);
  wasm_functype_delete(type);
  wasm_extern_t *import = wasm_func_as_extern(func);
  wasm_extern_vec_t imports = {1, &import};
  if (module != NULL) {
    all->instance = wasm_instance_new(all->store, module, &imports, NULL);
    wasm_module_delete(module);
  }
  wasm_func_delete(func);
  if (all->instance == NULL) {
    stop(all);
    return NULL;
  }
  wasm_instance_exports(all->instance, &all->exports);
  return all;
}

static int call(running *all, size_t export, int32_t a, int32_t b, int32_t *result) {
  if (export >= all->exports.size) return -1;
  wasm_func_t *func = wasm_extern_as_func(all->exports.data[export]);
  wasm_val_t values[] = {WASM_I32_VAL(a), WASM_I32_VAL(b)};
  wasm_val_t value = WASM_INIT_VAL;
  wasm_val_vec_t args = {2, values}, results = {1, &value};
  wasm_trap_t *trap = wasm_func_call(func, &args, &results);
  if (trap != NULL) {
    wasm_trap_delete(trap);
    return 1;
  }
  *result = value.of.i32;
  return 0;
}

#define TEXT(name) #name
#define NAME(name) TEXT(name)

const engine ENGINE = {NAME(ENGINE), start, call, stop};
