// Functions of the host and of WebAssembly: made, called, with values of wasm.h, of every type, and raw.
#include "example.h"

static int finalized;
static void finalize(void *env) { finalized++; }

static wasm_trap_t *answer(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  results->data[0] = (wasm_val_t)WASM_I32_VAL(42);
  return NULL;
}

static wasm_trap_t *count(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  *(int *)env += args->data[0].of.i32;
  return NULL;
}

static wasm_trap_t *twice(
    void *env, const wasm_func_t *caller, const tenon_val_t *args, size_t arg_count, tenon_val_t *results,
    size_t result_count) {
  expect(caller != NULL && arg_count == 1 && result_count == 1);
  results[0] = args[0];
  results[0].of.i32 *= 2;
  return NULL;
}

static wasm_trap_t *halve(void *env, const wasm_func_t *caller, tenon_raw_t *values) {
  values[0].i32 /= 2;
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);

  wasm_functype_t *constant = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t *func = wasm_func_new(store, constant, answer);  // the type is borrowed
  wasm_functype_delete(constant);
  expect(wasm_func_param_arity(func) == 0 && wasm_func_result_arity(func) == 1);
  wasm_functype_t *type = wasm_func_type(func);
  expect(wasm_functype_results(type)->size == 1);
  wasm_functype_delete(type);
  wasm_val_t result[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result), nothing = WASM_EMPTY_VEC;
  expect(wasm_func_call(func, &nothing, &results) == NULL);
  expect(result[0].kind == WASM_I32 && result[0].of.i32 == 42);

  // Arguments that do not fit are a trap that says so.
  wasm_trap_t *trap = wasm_func_call(func, &results, &results);
  expect(trap != NULL);
  wasm_trap_delete(trap);
  wasm_func_delete(func);

  int sum = 0;
  wasm_functype_t *sink = wasm_functype_new_1_0(wasm_valtype_new_i32());
  func = wasm_func_new_with_env(store, sink, count, &sum, finalize);
  wasm_val_t seven[] = {WASM_I32_VAL(7)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(seven);
  expect(wasm_func_call(func, &args, NULL) == NULL && sum == 7);
  wasm_func_delete(func);
  tenon_store_gc(store);
  expect(finalized == 1);
  succeed(tenon_func_new(store, sink, count, &sum, NULL, &func));
  expect(wasm_func_call(func, &args, &nothing) == NULL && sum == 14);
  wasm_func_delete(func);
  wasm_functype_delete(sink);

  wasm_functype_t *unary = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  succeed(tenon_func_new_val(store, unary, twice, NULL, NULL, &func));
  tenon_val_t in = {.kind = WASM_I32, .of = {.i32 = 21}}, out;
  expect(tenon_func_call_val(func, &in, 1, &out, 1) == NULL && out.of.i32 == 42);
  wasm_func_delete(func);
  succeed(tenon_func_new_raw(store, unary, halve, NULL, NULL, &func));
  tenon_raw_t raw[] = {{.i32 = 84}};
  expect(tenon_func_call_raw(func, raw) == NULL && raw[0].i32 == 42);
  wasm_func_delete(func);
  wasm_functype_delete(unary);

  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
