// Values of every type, and the types that wasm.h has no names for: vectors and references across the boundary in both
// directions, globals of them, reference types and defined types made by the host; wrong kinds, counts and stores.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"mix\" (func $mix (param v128 externref i32) (result externref v128 f64)))\n"
  "  (global (export \"vector\") (mut v128) (v128.const i32x4 1 2 3 4))\n"
  "  (func (export \"add\") (param v128 v128) (result v128)\n"
  "    (i32x4.add (local.get 0) (local.get 1)))\n"
  "  (func (export \"call_mix\") (param v128 externref i32) (result externref v128 f64)\n"
  "    (call $mix (local.get 0) (local.get 1) (local.get 2)))\n"
  "  (func (export \"swap\") (param i32 i64 f32 f64 funcref) (result funcref f64 f32 i64 i32)\n"
  "    (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))\n";

static tenon_val_t vector_of(int32_t a, int32_t b, int32_t c, int32_t d) {
  tenon_val_t val;
  const int32_t lanes[4] = {a, b, c, d};
  val.kind = TENON_V128;
  memcpy(val.of.v128, lanes, 16);
  return val;
}

static bool is_vector(const tenon_val_t* val, int32_t a, int32_t b, int32_t c, int32_t d) {
  const int32_t lanes[4] = {a, b, c, d};
  return val->kind == TENON_V128 && memcmp(val->of.v128, lanes, 16) == 0;
}

static tenon_val_t ref_val(wasm_valkind_t kind, wasm_ref_t* ref) {
  tenon_val_t val;
  memset(&val, 0, sizeof(val));
  val.kind = kind;
  val.of.ref = ref;
  return val;
}

static tenon_val_t i32_val(int32_t i32) {
  tenon_val_t val;
  val.kind = WASM_I32;
  val.of.i32 = i32;
  return val;
}

// What the callback does: set by the tests.
static struct {
  wasm_store_t* store;
  wasm_store_t* other;
  enum { RIGHT, NOTHING, WRONG_KIND, FOREIGN_REF, TRAP } answer;
  int finalized;
} script;

static own wasm_trap_t* mix(
  void* env, const wasm_func_t* caller, const tenon_val_t* args, size_t arg_count,
  tenon_val_t* results, size_t result_count
) {
  CHECK(env == &script && arg_count == 3 && result_count == 3);
  CHECK(wasm_func_param_arity(caller) == 3);
  CHECK(args[0].kind == TENON_V128 && args[1].kind == WASM_EXTERNREF && args[2].kind == WASM_I32);
  if (script.answer == TRAP) return new_trap(script.store, "as asked");
  if (script.answer == NOTHING) return NULL;
  results[0] = args[1];
  if (results[0].of.ref != NULL) results[0].of.ref = wasm_ref_copy(args[1].of.ref);
  results[1] = args[0];
  results[1].of.v128[0] = (uint8_t)args[2].of.i32;
  results[2].kind = WASM_F64;
  results[2].of.f64 = 2.5;
  if (script.answer == WRONG_KIND) results[2].kind = WASM_F32;
  if (script.answer == FOREIGN_REF) {
    tenon_val_delete(&results[0]);
    own wasm_foreign_t* foreign = wasm_foreign_new(script.other);
    results[0] = ref_val(WASM_EXTERNREF, wasm_foreign_as_ref(foreign));
  }
  return NULL;
}

static void finalize_script(void* env) {
  CHECK(env == &script);
  ++script.finalized;
}

static own wasm_trap_t* call(
  const wasm_func_t* func, size_t arg_count, const tenon_val_t args[], size_t result_count,
  tenon_val_t results[]
) {
  return tenon_func_call_val(func, args, arg_count, results, result_count);
}

static bool fails(own tenon_error_t* error, const char* part) {
  bool holds = error != NULL && strstr(tenon_error_message(error), part) != NULL;
  if (!holds && error != NULL) printf("the error says: %s\n", tenon_error_message(error));
  tenon_error_delete(error);
  return holds;
}

static void test_calls(const wasm_func_t* add, const wasm_func_t* call_mix, const wasm_func_t* swap) {
  tenon_val_t args[5] = {vector_of(1, 2, 3, 4), vector_of(10, 20, 30, -40)};
  tenon_val_t results[5];
  REQUIRE(call(add, 2, args, 1, results) == NULL);
  CHECK(is_vector(&results[0], 11, 22, 33, -36));
  CHECK(trap_says(call(add, 1, args, 1, results), "1 arguments"));
  CHECK(trap_says(call(add, 2, args, 0, results), "room for 0 results"));
  args[1].kind = WASM_I64;
  CHECK(trap_says(call(add, 2, args, 1, results), "argument 1: expected v128, found i64"));
  CHECK(trap_says(tenon_func_call_val(NULL, args, 2, results, 1), "NULL"));
  CHECK(trap_says(tenon_func_call_val(add, NULL, 2, results, 1), "NULL"));
  CHECK(trap_says(tenon_func_call_val(add, args, 2, NULL, 1), "NULL"));

  // By way of the host.
  own wasm_foreign_t* foreign = wasm_foreign_new(script.store);
  args[1] = ref_val(WASM_EXTERNREF, wasm_foreign_as_ref(foreign));
  args[2] = i32_val(77);
  script.answer = RIGHT;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(call(call_mix, 3, args, 3, results) == NULL);
    CHECK(results[0].kind == WASM_EXTERNREF);
    CHECK(wasm_ref_same(results[0].of.ref, wasm_foreign_as_ref(foreign)));
    CHECK(is_vector(&results[1], 77, 2, 3, 4));
    CHECK(results[2].kind == WASM_F64 && results[2].of.f64 == 2.5);
    tenon_val_t copy;
    tenon_val_copy(&copy, &results[0]);
    tenon_val_delete(&results[0]);
    CHECK(results[0].of.ref == NULL);
    CHECK(wasm_ref_same(copy.of.ref, wasm_foreign_as_ref(foreign)));
    tenon_val_delete(&copy);
  }
  script.answer = NOTHING;
  CHECK(trap_says(call(call_mix, 3, args, 3, results), "returned nothing for result 0, expected externref"));
  script.answer = WRONG_KIND;
  CHECK(trap_says(call(call_mix, 3, args, 3, results), "returned f32 for result 2, expected f64"));
  script.answer = FOREIGN_REF;
  CHECK(trap_says(call(call_mix, 3, args, 3, results), "another store"));
  script.answer = TRAP;
  CHECK(trap_says(call(call_mix, 3, args, 3, results), "as asked"));
  script.answer = RIGHT;
  own wasm_foreign_t* other = wasm_foreign_new(script.other);
  args[1] = ref_val(WASM_EXTERNREF, wasm_foreign_as_ref(other));
  CHECK(trap_says(call(call_mix, 3, args, 3, results), "argument 1: the foreign object belongs to another store"));
  wasm_foreign_delete(other);

  // All the old kinds, and a null reference.
  tenon_val_t old[5];
  memset(old, 0, sizeof(old));
  old[0] = i32_val(-5);
  old[1].kind = WASM_I64, old[1].of.i64 = INT64_C(1) << 40;
  old[2].kind = WASM_F32, old[2].of.f32 = 1.5f;
  old[3].kind = WASM_F64, old[3].of.f64 = -2.25;
  old[4] = ref_val(WASM_FUNCREF, NULL);
  REQUIRE(call(swap, 5, old, 5, results) == NULL);
  CHECK(results[0].kind == WASM_FUNCREF && results[0].of.ref == NULL);
  CHECK(results[1].of.f64 == -2.25 && results[2].of.f32 == 1.5f);
  CHECK(results[3].of.i64 == INT64_C(1) << 40 && results[4].of.i32 == -5);
  old[4] = ref_val(WASM_FUNCREF, wasm_func_as_ref((wasm_func_t*)swap));
  REQUIRE(call(swap, 5, old, 5, results) == NULL);
  CHECK(wasm_func_same(wasm_ref_as_func(results[0].of.ref), swap));
  tenon_val_delete(&results[0]);
  old[4] = ref_val(WASM_FUNCREF, wasm_foreign_as_ref(foreign));
  CHECK(trap_says(call(swap, 5, old, 5, results), "argument 4: expected funcref, found a foreign object"));
  wasm_foreign_delete(foreign);
}

static void test_globals(wasm_store_t* store, wasm_global_t* vector) {
  tenon_val_t val;
  CHECK(tenon_global_get_val(vector, &val) == NULL);
  CHECK(is_vector(&val, 1, 2, 3, 4));
  val = vector_of(5, 6, 7, 8);
  CHECK(tenon_global_set_val(vector, &val) == NULL);
  CHECK(tenon_global_get_val(vector, &val) == NULL);
  CHECK(is_vector(&val, 5, 6, 7, 8));
  val = i32_val(1);
  CHECK(fails(tenon_global_set_val(vector, &val), "expected v128, found i32"));
  CHECK(fails(tenon_global_set_val(vector, NULL), "NULL"));
  CHECK(fails(tenon_global_set_val(NULL, &val), "NULL"));
  CHECK(fails(tenon_global_get_val(NULL, &val), "NULL"));
  CHECK(val.of.ref == NULL);

  own wasm_globaltype_t* type = wasm_globaltype_new(wasm_valtype_new(TENON_V128), WASM_CONST);
  own wasm_global_t* global = NULL;
  val = vector_of(-1, 0, 1, 2);
  REQUIRE(tenon_global_new_val(store, type, &val, &global) == NULL);
  CHECK(tenon_global_get_val(global, &val) == NULL);
  CHECK(is_vector(&val, -1, 0, 1, 2));
  CHECK(fails(tenon_global_set_val(global, &val), "constant"));
  val = i32_val(1);
  own wasm_global_t* none = global;
  CHECK(fails(tenon_global_new_val(store, type, &val, &none), "expected v128, found i32"));
  CHECK(none == NULL);
  wasm_global_delete(global);
  wasm_globaltype_delete(type);
}

static void test_reference_types(void) {
  CHECK(tenon_valtype_new_ref(true, TENON_HEAP_DEFINED) == NULL);
  CHECK(tenon_valtype_new_ref(true, 200) == NULL);
  CHECK(tenon_valtype_new_ref_to(true, NULL) == NULL);
  CHECK(tenon_valtype_new_ref_in_group(true, 0, 77) == NULL);
  own wasm_valtype_t* types[2 * TENON_HEAP_DEFINED];
  for (tenon_heaptype_t heap = 0; heap < TENON_HEAP_DEFINED; ++heap) {
    for (int nullable = 0; nullable < 2; ++nullable) {
      own wasm_valtype_t* type = tenon_valtype_new_ref(nullable, heap);
      REQUIRE(type != NULL);
      CHECK(tenon_valtype_is_ref(type) && tenon_valtype_heap(type) == heap);
      CHECK(tenon_valtype_is_nullable(type) == (bool)nullable);
      CHECK(tenon_valtype_deftype(type) == NULL);
      types[heap * 2 + nullable] = type;
    }
  }
  CHECK(wasm_valtype_kind(types[2 * TENON_HEAP_FUNC + 1]) == WASM_FUNCREF);
  CHECK(wasm_valtype_kind(types[2 * TENON_HEAP_EXTERN + 1]) == WASM_EXTERNREF);
  CHECK(tenon_valtype_kind(types[2 * TENON_HEAP_NOFUNC]) == WASM_FUNCREF);
  CHECK(tenon_valtype_kind(types[2 * TENON_HEAP_STRUCT]) == TENON_ANYREF);
  CHECK(tenon_valtype_kind(types[2 * TENON_HEAP_EXN]) == TENON_EXNREF);
  // Every pair, against the drawing of the hierarchies: 27 pairs of heap types match.
  static const tenon_heaptype_t above[TENON_HEAP_DEFINED][5] = {
    [TENON_HEAP_FUNC] = {TENON_HEAP_FUNC, 99},
    [TENON_HEAP_NOFUNC] = {TENON_HEAP_FUNC, TENON_HEAP_NOFUNC, 99},
    [TENON_HEAP_EXTERN] = {TENON_HEAP_EXTERN, 99},
    [TENON_HEAP_NOEXTERN] = {TENON_HEAP_EXTERN, TENON_HEAP_NOEXTERN, 99},
    [TENON_HEAP_ANY] = {TENON_HEAP_ANY, 99},
    [TENON_HEAP_EQ] = {TENON_HEAP_ANY, TENON_HEAP_EQ, 99},
    [TENON_HEAP_I31] = {TENON_HEAP_ANY, TENON_HEAP_EQ, TENON_HEAP_I31, 99},
    [TENON_HEAP_STRUCT] = {TENON_HEAP_ANY, TENON_HEAP_EQ, TENON_HEAP_STRUCT, 99},
    [TENON_HEAP_ARRAY] = {TENON_HEAP_ANY, TENON_HEAP_EQ, TENON_HEAP_ARRAY, 99},
    // Of the bottom, all others of the hierarchy; the top is looked at apart.
    [TENON_HEAP_NONE] = {TENON_HEAP_EQ, TENON_HEAP_I31, TENON_HEAP_STRUCT, TENON_HEAP_ARRAY, 99},
    [TENON_HEAP_EXN] = {TENON_HEAP_EXN, 99},
    [TENON_HEAP_NOEXN] = {TENON_HEAP_EXN, TENON_HEAP_NOEXN, 99},
  };
  int matching = 0;
  for (int sub = 0; sub < TENON_HEAP_DEFINED; ++sub) {
    for (int super = 0; super < TENON_HEAP_DEFINED; ++super) {
      bool expected = sub == TENON_HEAP_NONE && (super == TENON_HEAP_ANY || super == TENON_HEAP_NONE);
      for (int i = 0; i < 4 && above[sub][i] != 99; ++i) expected |= above[sub][i] == super;
      for (int n = 0; n < 4; ++n) {
        bool null_fits = (n & 1) == 0 || (n & 2) != 0;
        CHECK(tenon_valtype_matches(types[2 * sub + (n & 1)], types[2 * super + (n >> 1)]) ==
              (expected && null_fits));
      }
      matching += expected;
    }
  }
  CHECK(matching == 27);
  for (int i = 0; i < 2 * TENON_HEAP_DEFINED; ++i) wasm_valtype_delete(types[i]);
  own wasm_valtype_t* number = wasm_valtype_new(WASM_I64);
  CHECK(!tenon_valtype_is_ref(number) && !tenon_valtype_is_nullable(number));
  CHECK(tenon_valtype_kind(number) == WASM_I64);
  CHECK(!tenon_valtype_matches(number, NULL) && tenon_valtype_matches(number, number));
  wasm_valtype_delete(number);
}

static void test_defined_types(void) {
  // A list and a tree that mention each other, and a longer list below the list.
  own wasm_valtype_t* i64 = wasm_valtype_new(WASM_I64);
  own wasm_valtype_t* i32 = wasm_valtype_new(WASM_I32);
  own wasm_valtype_t* to_list = tenon_valtype_new_ref_in_group(true, 0, TENON_DEF_STRUCT);
  own wasm_valtype_t* to_tree = tenon_valtype_new_ref_in_group(true, 1, TENON_DEF_ARRAY);
  tenon_field_t list_fields[2] = {{i64, TENON_UNPACKED, true}, {to_tree, TENON_UNPACKED, false}};
  tenon_field_t tree_field = {to_list, TENON_UNPACKED, true};
  tenon_subtype_t group[2] = {
    {.kind = TENON_DEF_STRUCT, .fields = list_fields, .field_count = 2},
    {.kind = TENON_DEF_ARRAY, .is_final = true, .fields = &tree_field, .field_count = 1},
  };
  own tenon_deftype_t* types[2];
  own tenon_deftype_t* again[2];
  REQUIRE(tenon_deftype_new_group(group, 2, types) == NULL);
  REQUIRE(tenon_deftype_new_group(group, 2, again) == NULL);
  for (int i = 0; i < 2; ++i) {
    CHECK(tenon_deftype_same(types[i], again[i]));
    tenon_deftype_delete(again[i]);
  }
  CHECK(!tenon_deftype_same(types[0], types[1]));
  CHECK(tenon_deftype_kind(types[0]) == TENON_DEF_STRUCT && tenon_deftype_kind(types[1]) == TENON_DEF_ARRAY);
  CHECK(!tenon_deftype_is_final(types[0]) && tenon_deftype_is_final(types[1]));
  CHECK(tenon_deftype_field_count(types[0]) == 2 && tenon_deftype_field_count(types[1]) == 1);
  tenon_field_t field;
  REQUIRE(tenon_deftype_field(types[0], 1, &field));
  CHECK(!field.is_mutable && field.packing == TENON_UNPACKED);
  own tenon_deftype_t* pointed = tenon_valtype_deftype(field.type);
  CHECK(tenon_deftype_same(pointed, types[1]));
  tenon_deftype_delete(pointed);
  wasm_valtype_delete(field.type);
  CHECK(!tenon_deftype_field(types[0], 2, &field));

  // Below the list: one more field, packed.
  own wasm_valtype_t* real_tree = tenon_valtype_new_ref_to(true, types[1]);
  own wasm_valtype_t* real_list = tenon_valtype_new_ref_to(false, types[0]);
  CHECK(tenon_valtype_heap(real_list) == TENON_HEAP_DEFINED);
  tenon_field_t long_fields[3] = {
    {i64, TENON_UNPACKED, true}, {real_tree, TENON_UNPACKED, false}, {i32, TENON_I8, true}};
  tenon_subtype_t longer = {
    .kind = TENON_DEF_STRUCT, .is_final = true, .supertype = types[0], .fields = long_fields, .field_count = 3};
  own tenon_deftype_t* below;
  REQUIRE(tenon_deftype_new_group(&longer, 1, &below) == NULL);
  own tenon_deftype_t* supertype = tenon_deftype_supertype(below);
  CHECK(tenon_deftype_same(supertype, types[0]));
  CHECK(tenon_deftype_matches(below, types[0]) && !tenon_deftype_matches(types[0], below));
  REQUIRE(tenon_deftype_field(below, 2, &field));
  CHECK(field.packing == TENON_I8 && wasm_valtype_kind(field.type) == WASM_I32);
  wasm_valtype_delete(field.type);
  own wasm_valtype_t* to_below = tenon_valtype_new_ref_to(false, below);
  CHECK(tenon_valtype_matches(to_below, real_list) && !tenon_valtype_matches(real_list, to_below));

  // What is not allowed.
  own tenon_deftype_t* none = NULL;
  longer.supertype = below;
  CHECK(fails(tenon_deftype_new_group(&longer, 1, &none), "does not match its supertype, or that is final"));
  longer.supertype = types[0];
  long_fields[0].is_mutable = false;
  CHECK(fails(tenon_deftype_new_group(&longer, 1, &none), "does not match its supertype"));
  long_fields[0].is_mutable = true;
  long_fields[2].type = i64;
  CHECK(fails(tenon_deftype_new_group(&longer, 1, &none), "field 2: it is packed"));
  long_fields[2].packing = 3;
  CHECK(fails(tenon_deftype_new_group(&longer, 1, &none), "3 is not a packing"));
  long_fields[2].type = NULL;
  CHECK(fails(tenon_deftype_new_group(&longer, 1, &none), "field 2: its type is NULL"));
  CHECK(fails(tenon_deftype_new_group(group, 1, &none), "not there"));
  group[0].kind = 9;
  CHECK(fails(tenon_deftype_new_group(group, 2, types), "9 is not a kind"));
  group[0].kind = TENON_DEF_FUNC;
  CHECK(fails(tenon_deftype_new_group(group, 2, types), "function type is NULL"));
  CHECK(fails(tenon_deftype_new_group(NULL, 2, types), "NULL"));
  CHECK(none == NULL);

  // Below another of the same group, and functions that mention it.
  own wasm_valtype_t* to_first = tenon_valtype_new_ref_in_group(false, 0, TENON_DEF_STRUCT);
  own wasm_valtype_vec_t params;
  wasm_valtype_vec_new(&params, 1, (wasm_valtype_t* []){to_first});
  tenon_field_t number = {.type = i64};
  tenon_subtype_t family[3] = {
    {.kind = TENON_DEF_STRUCT, .fields = &number, .field_count = 1},
    {.kind = TENON_DEF_STRUCT, .fields = &number, .field_count = 1, .supertype_in_group = true},
    {.kind = TENON_DEF_FUNC, .is_final = true, .params = &params},
  };
  own tenon_deftype_t* members[3];
  REQUIRE(tenon_deftype_new_group(family, 3, members) == NULL);
  CHECK(tenon_deftype_matches(members[1], members[0]) && !tenon_deftype_matches(members[0], members[1]));
  own wasm_functype_t* taking = tenon_deftype_functype(members[2]);
  CHECK(wasm_functype_params(taking)->size == 1 && wasm_functype_results(taking)->size == 0);
  pointed = tenon_valtype_deftype(wasm_functype_params(taking)->data[0]);
  CHECK(tenon_deftype_same(pointed, members[0]));
  tenon_deftype_delete(pointed);
  wasm_functype_delete(taking);
  for (int i = 0; i < 3; ++i) tenon_deftype_delete(members[i]);
  family[1].supertype_place = 1;
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "type 1: its supertype, at place 1, is not before it"));
  family[1].supertype_place = UINT32_MAX;
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "is not before it"));
  family[1].supertype_place = 0;
  family[1].supertype = types[0];
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "type 1: it has two supertypes"));
  family[1].supertype = NULL;
  family[0].is_final = true;
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "type 1 does not match its supertype, or that is final"));
  family[0].is_final = false;
  family[2].params = NULL;
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "type 2: its function type is NULL"));
  family[2].params = &(wasm_valtype_vec_t){1, (wasm_valtype_t* []){NULL}};
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "a parameter or result type is NULL"));
  family[2].func = wasm_functype_new_0_0();
  CHECK(fails(tenon_deftype_new_group(family, 3, &none), "type 2: it has two function types"));
  wasm_functype_delete((wasm_functype_t*)family[2].func);

  // Outside of declarations such references mean nothing.
  CHECK(wasm_functype_new_1_0(wasm_valtype_copy(to_first)) == NULL && error_says("means nothing outside of a declaration"));
  CHECK(wasm_functype_new_0_1(wasm_valtype_copy(to_first)) == NULL && error_says("wasm_functype_new: a type of"));
  CHECK(wasm_globaltype_new(wasm_valtype_copy(to_first), WASM_VAR) == NULL && error_says("wasm_globaltype_new: a type of"));
  wasm_limits_t limits = {0, 1};
  CHECK(wasm_tabletype_new(wasm_valtype_copy(to_first), &limits) == NULL && error_says("wasm_tabletype_new: a type of"));
  own wasm_tabletype_t* no_table;
  CHECK(fails(tenon_tabletype_new(wasm_valtype_copy(to_first), 0, false, 0, true, &no_table), "means nothing"));
  CHECK(!tenon_ref_test(NULL, to_first) && error_says("tenon_ref_test: a type of"));
  CHECK(no_table == NULL && tenon_valtype_deftype(to_first) == NULL && !tenon_valtype_matches(to_first, real_list));
  wasm_valtype_vec_delete(&params);

  // Functions: a function type is a defined type that stands alone.
  own wasm_functype_t* func = wasm_functype_new_1_0(wasm_valtype_copy(real_list));
  own tenon_deftype_t* func_type = tenon_deftype_of_functype(func);
  CHECK(tenon_deftype_kind(func_type) == TENON_DEF_FUNC && tenon_deftype_is_final(func_type));
  own wasm_functype_t* back = tenon_deftype_functype(func_type);
  own tenon_deftype_t* list = tenon_valtype_deftype(wasm_functype_params(back)->data[0]);
  CHECK(tenon_deftype_same(list, types[0]));
  CHECK(tenon_deftype_functype(list) == NULL);
  tenon_deftype_delete(list);
  wasm_functype_delete(back);
  wasm_functype_delete(func);
  tenon_deftype_delete(func_type);
  tenon_deftype_delete(supertype);
  tenon_deftype_delete(below);
  tenon_deftype_delete(types[0]);
  tenon_deftype_delete(types[1]);
  wasm_valtype_delete(to_below);
  wasm_valtype_delete(real_list);
  wasm_valtype_delete(real_tree);
  wasm_valtype_delete(to_list);
  wasm_valtype_delete(to_tree);
  wasm_valtype_delete(i32);
  wasm_valtype_delete(i64);
}

int main(void) {
  test_reference_types();
  test_defined_types();

  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_store_t* other = wasm_store_new(engine);
  script.store = store;
  script.other = other;

  wasm_valtype_t* param_types[3] = {
    wasm_valtype_new(TENON_V128), wasm_valtype_new_externref(), wasm_valtype_new_i32()};
  wasm_valtype_t* result_types[3] = {
    wasm_valtype_new_externref(), wasm_valtype_new(TENON_V128), wasm_valtype_new_f64()};
  own wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 3, param_types);
  wasm_valtype_vec_new(&results, 3, result_types);
  own wasm_functype_t* type = wasm_functype_new(&params, &results);
  own wasm_func_t* host = NULL;
  CHECK(fails(tenon_func_new_val(store, type, NULL, NULL, NULL, &host), "the callback is NULL"));
  CHECK(fails(tenon_func_new_val(NULL, type, mix, NULL, NULL, &host), "NULL"));
  REQUIRE(tenon_func_new_val(store, type, mix, &script, finalize_script, &host) == NULL);
  wasm_functype_delete(type);

  wasm_extern_t* imports[] = {wasm_func_as_extern(host)};
  own wasm_instance_t* instance = instance_with(store, text, 1, imports);
  own wasm_extern_t* vector = export_of(instance, 0);
  own wasm_func_t* funcs[3];
  for (size_t i = 0; i < 3; ++i) funcs[i] = func_of(instance, 1 + i);
  test_calls(funcs[0], funcs[1], funcs[2]);
  // The host's function directly, without WebAssembly in between.
  tenon_val_t args[3] = {vector_of(9, 9, 9, 9), ref_val(WASM_EXTERNREF, NULL), i32_val(1)};
  tenon_val_t answers[3];
  script.answer = RIGHT;
  REQUIRE(call(host, 3, args, 3, answers) == NULL);
  CHECK(is_vector(&answers[1], 1, 9, 9, 9) && answers[0].of.ref == NULL);
  test_globals(store, wasm_extern_as_global(vector));

  for (size_t i = 0; i < 3; ++i) wasm_func_delete(funcs[i]);
  wasm_extern_delete(vector);
  wasm_func_delete(host);
  CHECK(script.finalized == 0);
  wasm_instance_delete(instance);
  CHECK(script.finalized == 1);
  wasm_store_delete(other);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  CHECK(script.finalized == 1);
  return check_done();
}
