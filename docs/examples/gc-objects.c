// Structures and arrays made, read and written by the host; what a reference refers to; the heap.
#include "example.h"

static wasm_ref_t *ref_of(tenon_val_t val) { return val.of.ref; }

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);

  // A structure { mut i32, mut i8, externref }, and an array of mut i16.
  tenon_field_t fields[] = {
    {.type = wasm_valtype_new_i32(), .is_mutable = true},
    {.type = wasm_valtype_new_i32(), .packing = TENON_I8, .is_mutable = true},
    {.type = tenon_valtype_new_ref(true, TENON_HEAP_EXTERN)},
  };
  tenon_field_t element = {.type = wasm_valtype_new_i32(), .packing = TENON_I16, .is_mutable = true};
  tenon_subtype_t types[] = {
    {.kind = TENON_DEF_STRUCT, .is_final = true, .fields = fields, .field_count = 3},
    {.kind = TENON_DEF_ARRAY, .is_final = true, .fields = &element, .field_count = 1},
  };
  tenon_deftype_t *made[2];
  succeed(tenon_deftype_new_group(types, 2, made));

  wasm_foreign_t *foreign = wasm_foreign_new(store);
  tenon_val_t values[] = {
    {.kind = WASM_I32, .of = {.i32 = 7}},
    {.kind = WASM_I32, .of = {.i32 = 0x1ff}},
    {.kind = WASM_EXTERNREF, .of = {.ref = wasm_foreign_as_ref(foreign)}},
  };
  wasm_ref_t *object = NULL, *empty = NULL;
  succeed(tenon_struct_new(store, made[0], values, 3, &object));
  succeed(tenon_struct_new_default(store, made[0], &empty));
  expect(tenon_struct_field_count(object) == 3 && !wasm_ref_same(object, empty));

  tenon_val_t out;
  succeed(tenon_struct_get(object, 1, &out));
  expect(out.kind == WASM_I32 && out.of.i32 == 0xff);
  succeed(tenon_struct_get_s(object, 1, &out));
  expect(out.of.i32 == -1);
  succeed(tenon_struct_get(object, 2, &out));
  expect(wasm_ref_same(ref_of(out), wasm_foreign_as_ref(foreign)));
  tenon_val_delete(&out);
  values[0].of.i32 = 8;
  succeed(tenon_struct_set(object, 0, &values[0]));
  succeed(tenon_struct_get(object, 0, &out));
  expect(out.of.i32 == 8);
  expect_error(tenon_struct_set(object, 2, &values[2]), TENON_ERROR_ARGUMENT);
  expect_error(tenon_struct_get(object, 3, &out), TENON_ERROR_ARGUMENT);

  // Arrays.
  wasm_ref_t *zeros = NULL, *pair = NULL;
  succeed(tenon_array_new(store, made[1], NULL, 10, &zeros));
  succeed(tenon_array_new_fixed(store, made[1], values, 2, &pair));
  expect(tenon_array_len(zeros) == 10 && tenon_array_len(pair) == 2);
  tenon_val_t minus = {.kind = WASM_I32, .of = {.i32 = -2}};
  succeed(tenon_array_fill(zeros, 2, &minus, 3));
  succeed(tenon_array_set(zeros, 0, &minus));
  succeed(tenon_array_copy(zeros, 8, pair, 0, 2));
  succeed(tenon_array_get(zeros, 4, &out));
  expect(out.of.i32 == 0xfffe);
  succeed(tenon_array_get_s(zeros, 4, &out));
  expect(out.of.i32 == -2);
  succeed(tenon_array_get(zeros, 9, &out));
  expect(out.of.i32 == 0x1ff);
  expect_error(tenon_array_get(zeros, 10, &out), TENON_ERROR_ARGUMENT);
  expect_error(tenon_array_fill(zeros, 9, &minus, 2), TENON_ERROR_ARGUMENT);

  // Numbers of 31 bits.
  wasm_ref_t *number = NULL;
  succeed(tenon_i31_new(store, -5, &number));
  expect(tenon_i31_get_s(number) == -5 && tenon_i31_get_u(number) == 0x7ffffffb);
  expect(tenon_i31_get_s(object) == 0 && tenon_last_error() != NULL);

  // Tests and casts.
  wasm_valtype_t *array = tenon_valtype_new_ref(false, TENON_HEAP_ARRAY), *exact = tenon_ref_type(object);
  expect(tenon_ref_test(zeros, array) && !tenon_ref_test(object, array) && !tenon_ref_test(NULL, array));
  tenon_deftype_t *type = tenon_valtype_deftype(exact);
  expect(tenon_deftype_same(type, made[0]));
  wasm_ref_t *cast = NULL;
  succeed(tenon_ref_cast(object, exact, &cast));
  expect(wasm_ref_same(cast, object));
  wasm_ref_delete(cast);
  expect_error(tenon_ref_cast(object, array, &cast), TENON_ERROR_ARGUMENT);
  tenon_deftype_delete(type);
  wasm_valtype_delete(array);
  wasm_valtype_delete(exact);

  // What nothing refers to is reclaimed.
  wasm_ref_delete(zeros);
  wasm_ref_delete(empty);
  wasm_ref_delete(pair);
  tenon_gc_statistics_t before, after;
  tenon_store_gc_statistics(store, &before);
  tenon_store_gc(store);
  tenon_store_gc_statistics(store, &after);
  expect(after.used < before.used && after.collections == before.collections + 1 && after.survived == after.used);

  wasm_ref_delete(number);
  wasm_ref_delete(object);
  wasm_foreign_delete(foreign);
  for (int i = 0; i < 3; ++i) wasm_valtype_delete(fields[i].type);
  wasm_valtype_delete(element.type);
  for (int i = 0; i < 2; ++i) tenon_deftype_delete(made[i]);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
