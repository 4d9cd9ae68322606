// A linker: definitions by name, from which modules take their imports.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  tenon_linker_t *linker = tenon_linker_new(store);
  wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST);
  wasm_val_t six = WASM_I32_VAL(6);
  wasm_global_t *global = wasm_global_new(store, type, &six);
  wasm_globaltype_delete(type);
  succeed(tenon_linker_define(linker, "env", 3, "six", 3, wasm_global_as_extern(global)));
  tenon_error_t *error = tenon_linker_define(linker, "env", 3, "six", 3, wasm_global_as_extern(global));
  expect(error != NULL);  // there is one already
  tenon_error_delete(error);
  wasm_global_delete(global);

  wasm_instance_t *library =
    instance_of_text(store, "(module (func (export \"twice\") (param i32) (result i32)"
                            " (i32.mul (local.get 0) (i32.const 2))))");
  succeed(tenon_linker_define_instance(linker, "library", 7, library));
  wasm_extern_t *found = tenon_linker_get(linker, "library", 7, "twice", 5);
  expect(wasm_extern_kind(found) == WASM_EXTERN_FUNC);
  wasm_extern_delete(found);
  expect(tenon_linker_get(linker, "library", 7, "thrice", 6) == NULL);

  wasm_module_t *module = module_of_text(store,
    "(module (import \"env\" \"six\" (global $six i32))"
    " (import \"library\" \"twice\" (func $twice (param i32) (result i32)))"
    " (func (export \"run\") (result i32) (call $twice (global.get $six))))");
  wasm_instance_t *instance;
  succeed(tenon_linker_instantiate(linker, module, &instance, NULL));
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_val_t result[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result);
  expect(wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, &results) == NULL);
  expect(result[0].of.i32 == 12);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);

  // An import that nobody defines is named by the error.
  module = module_of_text(store, "(module (import \"env\" \"seven\" (func)))");
  error = tenon_linker_instantiate(linker, module, &instance, NULL);
  expect(tenon_error_kind(error) == TENON_ERROR_LINK && strstr(tenon_error_message(error), "seven") != NULL);
  tenon_error_delete(error);
  wasm_module_delete(module);

  wasm_instance_delete(library);
  tenon_linker_delete(linker);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
