// Tables: made, read, set, grown, by 32 bits and by 64.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_limits_t limits = {2, 4};
  wasm_tabletype_t *type = wasm_tabletype_new(wasm_valtype_new_externref(), &limits), *asked;
  wasm_foreign_t *foreign = wasm_foreign_new(store);
  wasm_ref_t *thing = wasm_foreign_as_ref(foreign);

  wasm_table_t *table = wasm_table_new(store, type, NULL), *filled;
  expect(table != NULL && wasm_table_size(table) == 2);
  expect(wasm_table_get(table, 0) == NULL);
  expect(wasm_table_set(table, 1, thing));  // borrowed: the table has a reference of its own
  wasm_ref_t *got = wasm_table_get(table, 1);
  expect(wasm_ref_same(got, thing));
  wasm_ref_delete(got);
  expect(!wasm_table_set(table, 2, thing));
  expect(wasm_table_grow(table, 1, thing) && wasm_table_size(table) == 3);
  expect(!wasm_table_grow(table, 2, NULL));  // more than the maximum
  asked = wasm_table_type(table);
  expect(wasm_tabletype_limits(asked)->min == 3 && wasm_tabletype_limits(asked)->max == 4);
  wasm_tabletype_delete(asked);

  // With reasons.
  uint64_t old = 0;
  succeed(tenon_table_grow(table, 1, NULL, &old));
  expect(old == 3 && tenon_table_size(table) == 4);
  expect_error(tenon_table_grow(table, 1, NULL, NULL), TENON_ERROR_LIMIT);
  succeed(tenon_table_set(table, 3, thing));
  succeed(tenon_table_get(table, 3, &got));
  expect(wasm_ref_same(got, thing));
  wasm_ref_delete(got);
  tenon_error_t *error = tenon_table_get(table, 4, &got);
  expect(error != NULL && got == NULL);
  tenon_error_delete(error);
  succeed(tenon_table_new(store, type, thing, &filled));
  wasm_table_delete(filled);
  wasm_tabletype_delete(type);
  wasm_table_delete(table);

  // Indices of 64 bits.
  succeed(tenon_tabletype_new(wasm_valtype_new_funcref(), 1, false, 0, true, &type));
  uint64_t max = 77;
  expect(tenon_tabletype_minimum(type) == 1 && tenon_tabletype_is64(type));
  expect(!tenon_tabletype_maximum(type, &max) && max == 77);
  wasm_tabletype_delete(type);

  wasm_foreign_delete(foreign);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
