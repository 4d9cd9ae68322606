// Reference types: to functions, structures and arrays, defined alone or in a group; which matches which.
#include "example.h"

int main(void) {
  wasm_functype_t *function = wasm_functype_new_1_0(wasm_valtype_new_i32()), *again;
  tenon_deftype_t *type = tenon_deftype_of_functype(function), *copy = tenon_deftype_copy(type);
  expect(tenon_deftype_same(type, copy) && tenon_deftype_kind(type) == TENON_DEF_FUNC);
  expect(tenon_deftype_is_final(type) && tenon_deftype_supertype(type) == NULL);
  again = tenon_deftype_functype(type);
  expect(wasm_functype_params(again)->size == 1);
  wasm_functype_delete(again);
  wasm_functype_delete(function);
  tenon_deftype_delete(copy);

  wasm_valtype_t *reference = tenon_valtype_new_ref_to(true, type), *any = tenon_valtype_new_ref(true, TENON_HEAP_FUNC);
  expect(tenon_valtype_is_ref(reference) && tenon_valtype_is_nullable(reference));
  expect(tenon_valtype_heap(reference) == TENON_HEAP_DEFINED && tenon_valtype_kind(reference) == WASM_FUNCREF);
  expect(tenon_valtype_matches(reference, any) && !tenon_valtype_matches(any, reference));
  tenon_deftype_t *pointed = tenon_valtype_deftype(reference);
  expect(tenon_deftype_same(pointed, type));
  tenon_deftype_delete(pointed);
  tenon_deftype_delete(type);
  wasm_valtype_delete(reference);
  wasm_valtype_delete(any);
  expect(tenon_valtype_new_ref(true, TENON_HEAP_DEFINED) == NULL);

  // A list: a structure with a number of 8 bits and a reference to the next one, itself in the group.
  tenon_field_t fields[] = {
    {.type = wasm_valtype_new_i32(), .packing = TENON_I8, .is_mutable = true},
    {.type = tenon_valtype_new_ref_in_group(true, 0, TENON_DEF_STRUCT)},
  };
  tenon_subtype_t list = {.kind = TENON_DEF_STRUCT, .fields = fields, .field_count = 2};
  tenon_deftype_t *node = NULL, *longer = NULL;
  succeed(tenon_deftype_new_group(&list, 1, &node));
  expect(tenon_deftype_kind(node) == TENON_DEF_STRUCT && tenon_deftype_field_count(node) == 2);
  expect(!tenon_deftype_is_final(node));
  tenon_field_t field;
  expect(tenon_deftype_field(node, 0, &field) && field.packing == TENON_I8 && field.is_mutable);
  wasm_valtype_delete(field.type);
  expect(!tenon_deftype_field(node, 2, &field));

  // Declared below it. A field that may be set must have the same type there; the second one cannot be set.
  list.supertype = node;
  list.is_final = true;
  succeed(tenon_deftype_new_group(&list, 1, &longer));
  expect(tenon_deftype_matches(longer, node) && !tenon_deftype_matches(node, longer));
  tenon_deftype_t *super = tenon_deftype_supertype(longer);
  expect(tenon_deftype_same(super, node));
  tenon_deftype_delete(super);
  tenon_deftype_delete(longer);
  tenon_deftype_delete(node);
  wasm_valtype_delete(fields[0].type);
  wasm_valtype_delete(fields[1].type);
  return 0;
}
