// Modules: validated, made, asked for imports and exports, serialized, shared, instantiated.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  const char *text = "(module (import \"env\" \"add\" (func (param i32 i32) (result i32)))"
                     " (memory (export \"memory\") 1) (func (export \"run\")))";
  wasm_byte_vec_t binary, garbage;
  succeed(tenon_wat2wasm(text, strlen(text), &binary));
  wasm_byte_vec_new(&garbage, 4, "wasm");

  // With and without a reason.
  expect(wasm_module_validate(store, &binary));
  expect(!wasm_module_validate(store, &garbage));
  succeed(tenon_module_validate(store, &binary));
  expect_error(tenon_module_validate(store, &garbage), TENON_ERROR_MALFORMED);
  expect(wasm_module_new(store, &garbage) == NULL);
  wasm_module_t *module = wasm_module_new(store, &binary), *again, *none = (wasm_module_t *)&garbage;
  expect(module != NULL);
  succeed(tenon_module_new(store, &binary, &again));
  wasm_module_delete(again);
  expect_error(tenon_module_new(store, &garbage, &none), TENON_ERROR_MALFORMED);
  expect(none == NULL);

  // In the order of the declarations.
  wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  expect(imports.size == 1 && wasm_importtype_name(imports.data[0])->size == 3);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_t exports;
  wasm_module_exports(module, &exports);
  expect(exports.size == 2);
  expect(wasm_externtype_kind(wasm_exporttype_type(exports.data[0])) == WASM_EXTERN_MEMORY);
  wasm_exporttype_vec_delete(&exports);

  // An import that is missing: a trap says which, and an error does.
  wasm_trap_t *trap = NULL;
  expect(wasm_instance_new(store, module, NULL, &trap) == NULL && trap != NULL);
  wasm_trap_delete(trap);
  wasm_instance_t *instance;
  expect_error(tenon_instance_new(store, module, NULL, &instance, NULL), TENON_ERROR_LINK);
  expect(instance == NULL);

  // Compiled once, loaded elsewhere.
  wasm_byte_vec_t serialized, same;
  wasm_module_serialize(module, &serialized);
  expect(serialized.size > binary.size);
  succeed(tenon_module_serialize(module, &same));
  wasm_module_t *loaded = wasm_module_deserialize(store, &serialized);
  expect(loaded != NULL);
  wasm_module_delete(loaded);
  succeed(tenon_module_deserialize(store, &same, &loaded));
  wasm_module_delete(loaded);
  // From a file, which is mapped, not read.
  FILE *file = fopen("modules-example.tenon", "wb");
  expect(file != NULL && fwrite(same.data, 1, same.size, file) == same.size && fclose(file) == 0);
  succeed(tenon_module_deserialize_file(store, "modules-example.tenon", &loaded));
  remove("modules-example.tenon");  // the module keeps what it needs
  wasm_module_delete(loaded);
  same.data[same.size / 2] ^= 1;
  expect_error(tenon_module_deserialize(store, &same, &loaded), TENON_ERROR_DAMAGED);
  wasm_byte_vec_delete(&same);
  wasm_byte_vec_delete(&serialized);

  // For the store of another thread, of the same engine.
  wasm_shared_module_t *shared = wasm_module_share(module);
  wasm_store_t *other = wasm_store_new(engine);
  wasm_module_t *obtained = wasm_module_obtain(other, shared);
  expect(obtained != NULL);
  wasm_shared_module_delete(shared);
  wasm_module_delete(obtained);
  wasm_store_delete(other);

  wasm_module_delete(module);
  wasm_byte_vec_delete(&garbage);
  wasm_byte_vec_delete(&binary);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
