// Vectors: values of 128 bits as arguments and results, in both directions.
//
// `wasm_val_t` has no room for them. `tenon_val_t` holds values of every type, and `tenon_func_call_val` and
// `tenon_func_new_val` are the calls that take it.

#include "example_util.h"

static tenon_val_t vector_of(float a, float b, float c, float d) {
  tenon_val_t val = {.kind = TENON_V128};
  float lanes[4] = {a, b, c, d};
  memcpy(val.of.v128, lanes, sizeof(lanes));
  return val;
}

static void print_vector(const char* name, const tenon_val_t* val) {
  float lanes[4];
  memcpy(lanes, val->of.v128, sizeof(lanes));
  printf("%s: %g %g %g %g\n", name, lanes[0], lanes[1], lanes[2], lanes[3]);
}

// Prints a vector and gives back its lanes in reverse.
static own wasm_trap_t* trace(
  void* env, const wasm_func_t* caller, const tenon_val_t* args, size_t arg_count,
  tenon_val_t* results, size_t result_count
) {
  (void)env, (void)caller, (void)arg_count, (void)result_count;
  print_vector("  the host sees", &args[0]);
  float lanes[4];
  memcpy(lanes, args[0].of.v128, sizeof(lanes));
  results[0] = vector_of(lanes[3], lanes[2], lanes[1], lanes[0]);
  return NULL;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "vectors.wasm"));

  own wasm_functype_t* type =
    wasm_functype_new_1_1(wasm_valtype_new(TENON_V128), wasm_valtype_new(TENON_V128));
  own wasm_func_t* trace_func = NULL;
  own tenon_error_t* error = tenon_func_new_val(store, type, trace, NULL, NULL, &trace_func);
  if (error != NULL) fail(tenon_error_message(error));
  wasm_functype_delete(type);

  wasm_extern_t* externs[] = {wasm_func_as_extern(trace_func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  wasm_func_delete(trace_func);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  tenon_val_t args[] = {vector_of(1, 2, 3, 4), vector_of(0.5f, 1, 2, 10)};
  tenon_val_t scaled, sum;
  if (tenon_func_call_val(find_func(module, &exports, "scale"), args, 2, &scaled, 1) != NULL) {
    fail("calling scale");
  }
  print_vector("scaled, in reverse", &scaled);
  if (tenon_func_call_val(find_func(module, &exports, "sum"), &scaled, 1, &sum, 1) != NULL) {
    fail("calling sum");
  }
  printf("their sum: %g\n", sum.of.f32);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
