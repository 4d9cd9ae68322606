// Globals: single values that guest and host share.
//
// The host creates two globals and gives them to the module, a constant and a variable; the module
// exports two of its own. A write on one side is seen on the other at once.

#include "example_util.h"

static own wasm_global_t* new_global(
  wasm_store_t* store, wasm_valkind_t kind, wasm_mutability_t mutability, wasm_val_t value
) {
  own wasm_globaltype_t* type = wasm_globaltype_new(wasm_valtype_new(kind), mutability);
  own wasm_global_t* global = wasm_global_new(store, type, &value);
  wasm_globaltype_delete(type);
  if (global == NULL) fail("creating a global");
  return global;
}

// Values of numbers need not be deleted; a reference would have to be.
static wasm_val_t get(const wasm_global_t* global) {
  wasm_val_t value;
  wasm_global_get(global, &value);
  return value;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "global.wasm"));

  own wasm_global_t* step =
    new_global(store, WASM_I32, WASM_CONST, (wasm_val_t)WASM_I32_VAL(5));
  own wasm_global_t* counter =
    new_global(store, WASM_I64, WASM_VAR, (wasm_val_t)WASM_I64_VAL(INT64_C(1) << 40));
  wasm_extern_t* externs[] = {wasm_global_as_extern(step), wasm_global_as_extern(counter)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");

  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_global_t* calls = wasm_extern_as_global(find_export(module, &exports, "calls"));
  wasm_global_t* ratio = wasm_extern_as_global(find_export(module, &exports, "ratio"));
  const wasm_func_t* advance = find_func(module, &exports, "advance");

  // The type of a global tells what may be done with it.
  own wasm_globaltype_t* type = wasm_global_type(ratio);
  printf("ratio is %s, value %.2f\n",
         wasm_globaltype_mutability(type) == WASM_VAR ? "variable" : "constant",
         get(ratio).of.f64);
  wasm_globaltype_delete(type);

  wasm_val_vec_t none = WASM_EMPTY_VEC;
  for (int i = 0; i < 3; ++i) fail_if_trapped(wasm_func_call(advance, &none, &none));
  printf("counter %" PRId64 " after %" PRId32 " calls\n", get(counter).of.i64, get(calls).of.i32);

  // Written by the host, used by the guest.
  wasm_val_t back_to_zero = WASM_I64_VAL(0);
  wasm_global_set(counter, &back_to_zero);
  fail_if_trapped(wasm_func_call(advance, &none, &none));
  printf("counter %" PRId64 " after %" PRId32 " calls\n", get(counter).of.i64, get(calls).of.i32);

  // Setting a constant changes nothing; setting with a value of another type does not either. The
  // function has no result, but the reason can be asked for.
  wasm_val_t six = WASM_I32_VAL(6);
  wasm_global_set(step, &six);
  wasm_global_set(counter, &six);
  printf("step %" PRId32 ", counter %" PRId64 "\n", get(step).of.i32, get(counter).of.i64);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_global_delete(step);
  wasm_global_delete(counter);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
