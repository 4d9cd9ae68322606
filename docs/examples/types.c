// Types: made, looked at, copied, deleted. What a constructor takes over belongs to it.
#include "example.h"

static void value_types(void) {
  wasm_valtype_t *types[] = {wasm_valtype_new_i32(), wasm_valtype_new_i64(),       wasm_valtype_new_f32(),
                             wasm_valtype_new_f64(), wasm_valtype_new_externref(), wasm_valtype_new_funcref()};
  int kinds[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_EXTERNREF, WASM_FUNCREF};
  for (int i = 0; i < 6; i++) {
    expect(wasm_valtype_kind(types[i]) == kinds[i]);
    expect(wasm_valtype_is_num(types[i]) == (i < 4));
    expect(wasm_valtype_is_ref(types[i]) == (i >= 4));
    wasm_valtype_t *copy = wasm_valtype_copy(types[i]);
    wasm_valtype_delete(types[i]);
    expect(wasm_valtype_kind(copy) == kinds[i]);
    wasm_valtype_delete(copy);
  }
  expect(wasm_valkind_is_num(WASM_F64) && !wasm_valkind_is_num(WASM_FUNCREF));
  expect(wasm_valkind_is_ref(WASM_EXTERNREF) && !wasm_valkind_is_ref(WASM_I32));
  expect(wasm_valtype_new(77) == NULL);  // no such kind
  wasm_valtype_delete(NULL);
}

// A function type of the short-hands, as its numbers of parameters and results.
static void expect_arity(wasm_functype_t *type, size_t params, size_t results) {
  expect(wasm_functype_params(type)->size == params);
  expect(wasm_functype_results(type)->size == results);
  wasm_functype_t *copy = wasm_functype_copy(type);
  wasm_functype_delete(type);
  expect(wasm_functype_params(copy)->size == params);
  wasm_functype_delete(copy);
}

static wasm_valtype_t *i32(void) { return wasm_valtype_new(WASM_I32); }

static void function_types(void) {
  expect_arity(wasm_functype_new_0_0(), 0, 0);
  expect_arity(wasm_functype_new_1_0(i32()), 1, 0);
  expect_arity(wasm_functype_new_2_0(i32(), i32()), 2, 0);
  expect_arity(wasm_functype_new_3_0(i32(), i32(), i32()), 3, 0);
  expect_arity(wasm_functype_new_0_1(i32()), 0, 1);
  expect_arity(wasm_functype_new_1_1(i32(), i32()), 1, 1);
  expect_arity(wasm_functype_new_2_1(i32(), i32(), i32()), 2, 1);
  expect_arity(wasm_functype_new_3_1(i32(), i32(), i32(), i32()), 3, 1);
  expect_arity(wasm_functype_new_0_2(i32(), i32()), 0, 2);
  expect_arity(wasm_functype_new_1_2(i32(), i32(), i32()), 1, 2);
  expect_arity(wasm_functype_new_2_2(i32(), i32(), i32(), i32()), 2, 2);
  expect_arity(wasm_functype_new_3_2(i32(), i32(), i32(), i32(), i32()), 3, 2);

  wasm_valtype_t *four[] = {i32(), i32(), i32(), i32()};
  wasm_valtype_vec_t params, results = WASM_EMPTY_VEC;
  wasm_valtype_vec_new(&params, 4, four);
  wasm_functype_t *type = wasm_functype_new(&params, &results);
  expect(params.size == 0);  // taken over
  expect_arity(type, 4, 0);
}

static void other_types(void) {
  wasm_globaltype_t *global = wasm_globaltype_new(wasm_valtype_new(WASM_F32), WASM_VAR);
  wasm_globaltype_t *global_copy = wasm_globaltype_copy(global);
  wasm_globaltype_delete(global);
  expect(wasm_globaltype_mutability(global_copy) == WASM_VAR);
  expect(wasm_valtype_kind(wasm_globaltype_content(global_copy)) == WASM_F32);
  wasm_globaltype_delete(global_copy);
  expect(wasm_globaltype_new(i32(), 9) == NULL);  // the value type is taken over all the same

  wasm_limits_t limits = {2, wasm_limits_max_default};
  wasm_tabletype_t *table = wasm_tabletype_new(wasm_valtype_new(WASM_FUNCREF), &limits);
  wasm_tabletype_t *table_copy = wasm_tabletype_copy(table);
  wasm_tabletype_delete(table);
  expect(wasm_valtype_kind(wasm_tabletype_element(table_copy)) == WASM_FUNCREF);
  expect(wasm_tabletype_limits(table_copy)->min == 2);
  expect(wasm_tabletype_limits(table_copy)->max == wasm_limits_max_default);
  wasm_tabletype_delete(table_copy);
  expect(wasm_tabletype_new(i32(), &limits) == NULL);  // no reference type

  wasm_memorytype_t *memory = wasm_memorytype_new(&limits);
  wasm_memorytype_t *memory_copy = wasm_memorytype_copy(memory);
  wasm_memorytype_delete(memory);
  expect(wasm_memorytype_limits(memory_copy)->min == 2);
  wasm_memorytype_delete(memory_copy);

  wasm_tagtype_t *tag = wasm_tagtype_new(wasm_functype_new_1_0(i32()));
  wasm_tagtype_t *tag_copy = wasm_tagtype_copy(tag);
  wasm_tagtype_delete(tag);
  expect(wasm_functype_params(wasm_tagtype_functype(tag_copy))->size == 1);
  wasm_tagtype_delete(tag_copy);
}

static void imports_and_exports(void) {
  wasm_name_t module, name;
  wasm_name_new_from_string(&module, "env");
  wasm_name_new_from_string(&name, "log");
  wasm_importtype_t *import =
    wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_1_0(i32())));
  expect(module.size == 0 && name.size == 0);
  wasm_importtype_t *import_copy = wasm_importtype_copy(import);
  wasm_importtype_delete(import);
  expect(memcmp(wasm_importtype_module(import_copy)->data, "env", 3) == 0);
  expect(wasm_importtype_name(import_copy)->size == 3);
  expect(wasm_externtype_kind(wasm_importtype_type(import_copy)) == WASM_EXTERN_FUNC);
  wasm_importtype_delete(import_copy);

  wasm_name_new_from_string(&name, "main");
  wasm_exporttype_t *exported = wasm_exporttype_new(&name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  wasm_exporttype_t *export_copy = wasm_exporttype_copy(exported);
  wasm_exporttype_delete(exported);
  expect(memcmp(wasm_exporttype_name(export_copy)->data, "main", 4) == 0);
  expect(wasm_externtype_kind(wasm_exporttype_type(export_copy)) == WASM_EXTERN_FUNC);
  wasm_exporttype_delete(export_copy);
}

int main(void) {
  value_types();
  function_types();
  other_types();
  imports_and_exports();
  return 0;
}
