// A small program for the installed library: a module from text, a call, a trap. Succeeds if all is as it should be.

#include <stdio.h>
#include <string.h>
#include <tenon.h>
#include <wasm.h>

static const char text[] =
    "(module (func (export \"divide\") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))";

int main(void) {
  if (strcmp(tenon_version(), TENON_VERSION) != 0) {
    fprintf(stderr, "the header is of version %s, the library of %s\n", TENON_VERSION, tenon_version());
    return 1;
  }
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_byte_vec_t binary;
  wasm_module_t *module = NULL;
  if (tenon_wat2wasm(text, strlen(text), &binary) == NULL) {
    module = wasm_module_new(store, &binary);
    wasm_byte_vec_delete(&binary);
  }
  wasm_extern_vec_t imports = WASM_EMPTY_VEC, exports;
  wasm_instance_t *instance = module != NULL ? wasm_instance_new(store, module, &imports, NULL) : NULL;
  if (instance == NULL) {
    fprintf(stderr, "%s\n", tenon_last_error());
    return 1;
  }
  wasm_instance_exports(instance, &exports);
  wasm_func_t *divide = wasm_extern_as_func(exports.data[0]);

  wasm_val_t values[] = {WASM_I32_VAL(42), WASM_I32_VAL(6)}, quotient = WASM_INIT_VAL;
  wasm_val_vec_t args = WASM_ARRAY_VEC(values), results = {1, &quotient};
  int failed = wasm_func_call(divide, &args, &results) != NULL || quotient.of.i32 != 7;
  values[1].of.i32 = 0;
  wasm_trap_t *trap = wasm_func_call(divide, &args, &results);
  failed |= trap == NULL || tenon_trap_code(trap) != TENON_TRAP_INTEGER_DIVIDE_BY_ZERO;
  printf("42 / 6 = %d; 42 / 0 %s\n", quotient.of.i32, trap != NULL ? "traps" : "does not trap");

  wasm_trap_delete(trap);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return failed;
}
