// Globals: made with a value, read, set; values with references, and pointers of the host as numbers.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR), *asked;
  wasm_val_t value, wrong = WASM_I32_VAL(1), nine = WASM_I64_VAL(9);
  int here = 0;
  wasm_val_init_ptr(&value, &here);
  expect(wasm_val_ptr(&value) == &here);

  wasm_global_t *global = wasm_global_new(store, type, &value), *another;
  expect(global != NULL);
  wasm_val_t got;
  wasm_global_get(global, &got);
  expect(wasm_val_ptr(&got) == &here);
  wasm_global_set(global, &nine);
  wasm_global_get(global, &got);
  expect(got.kind == WASM_I64 && got.of.i64 == 9);
  asked = wasm_global_type(global);
  expect(wasm_globaltype_mutability(asked) == WASM_VAR);
  wasm_globaltype_delete(asked);

  // What does not fit changes nothing. The functions of tenon.h say why.
  tenon_last_error_clear();
  wasm_global_set(global, &wrong);
  expect(tenon_last_error() != NULL);
  wasm_global_get(global, &got);
  expect(got.of.i64 == 9);
  tenon_error_t *error = tenon_global_set(global, &wrong);
  expect(error != NULL);
  tenon_error_delete(error);
  succeed(tenon_global_set(global, &nine));
  expect(wasm_global_new(store, type, &wrong) == NULL);
  succeed(tenon_global_new(store, type, &nine, &another));
  wasm_global_delete(another);
  wasm_global_delete(global);
  wasm_globaltype_delete(type);

  // A value owns its reference; a copy has its own.
  wasm_foreign_t *foreign = wasm_foreign_new(store);
  wasm_val_t reference = WASM_REF_VAL(wasm_foreign_as_ref(foreign)), copy;
  wasm_val_copy(&copy, &reference);
  expect(wasm_ref_same(copy.of.ref, reference.of.ref));
  wasm_val_delete(&copy);
  expect(copy.of.ref == NULL);
  wasm_val_delete(&reference);

  // v128, which wasm_val_t has no room for. 4 is its kind.
  type = wasm_globaltype_new(wasm_valtype_new(TENON_V128), WASM_VAR);
  tenon_val_t vector = {.kind = TENON_V128, .of = {.bits = {1, 2}}}, read, kept;
  succeed(tenon_global_new_val(store, type, &vector, &global));
  vector.of.bits[0] = 3;
  succeed(tenon_global_set_val(global, &vector));
  succeed(tenon_global_get_val(global, &read));
  expect(read.kind == TENON_V128 && read.of.bits[0] == 3 && read.of.bits[1] == 2);
  tenon_val_copy(&kept, &read);
  tenon_val_delete(&read);
  expect(kept.of.v128[0] == 3);
  tenon_val_delete(&kept);
  wasm_global_delete(global);
  wasm_globaltype_delete(type);

  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
