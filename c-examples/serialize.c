// Saving a module and loading it again, here through memory as it could be through a file.
//
// A serialized module is for the same version of the library on the same kind of machine. Anything
// else, and any damage, is noticed: the module is then made from its original bytes again, or refused
// with NULL. It is never run damaged.

#include "example_util.h"

static int32_t gcd(wasm_store_t* store, const wasm_module_t* module, int32_t a, int32_t b) {
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  wasm_val_t arg_values[] = {WASM_I32_VAL(a), WASM_I32_VAL(b)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  fail_if_trapped(wasm_func_call(find_func(module, &exports, "gcd"), &args, &results));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  return result_values[0].of.i32;
}

// Makes a module, uses it and serializes it, in an engine that is gone afterwards.
static own wasm_byte_vec_t save(const char* path) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, path);
  printf("Original: gcd(1071, 462) = %" PRId32 "\n", gcd(store, module, 1071, 462));

  own wasm_byte_vec_t saved;
  wasm_module_serialize(module, &saved);
  if (saved.data == NULL) fail("serializing");

  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return saved;
}

int main(int argc, char* argv[]) {
  own wasm_byte_vec_t saved = save(example_file(argc, argv, "serialize.wasm"));

  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = wasm_module_deserialize(store, &saved);
  if (module == NULL) fail("deserializing");
  printf("Loaded: gcd(1071, 462) = %" PRId32 "\n", gcd(store, module, 1071, 462));
  wasm_module_delete(module);

  // Only half of the bytes: refused.
  wasm_byte_vec_t half = {saved.size / 2, saved.data};
  own wasm_module_t* damaged = wasm_module_deserialize(store, &half);
  printf("Half of it: %s\n", damaged == NULL ? "refused" : "accepted");
  if (damaged != NULL) wasm_module_delete(damaged);

  wasm_byte_vec_delete(&saved);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
