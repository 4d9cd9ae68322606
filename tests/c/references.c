// References: host objects, functions and nothing at all through calls, tables and globals; values
// that own their reference; memories seen from both sides.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"echo\" (func $echo (param externref) (result externref)))\n"
  "  (table $refs (export \"refs\") 4 20 externref)\n"
  "  (table $funcs (export \"funcs\") 2 10 funcref)\n"
  "  (global $ref (export \"ref\") (mut externref) (ref.null extern))\n"
  "  (global $func (export \"func\") (mut funcref) (ref.null func))\n"
  "  (func (export \"echo\") (param externref) (result externref) (call $echo (local.get 0)))\n"
  "  (func (export \"put\") (param i32 externref) (table.set $refs (local.get 0) (local.get 1)))\n"
  "  (func (export \"take\") (param i32) (result externref) (table.get $refs (local.get 0)))\n"
  "  (func (export \"set\") (param externref funcref)\n"
  "    (global.set $ref (local.get 0)) (global.set $func (local.get 1)))\n"
  "  (func (export \"is_null\") (param externref funcref) (result i32)\n"
  "    (i32.add (ref.is_null (local.get 0)) (i32.mul (i32.const 2) (ref.is_null (local.get 1)))))\n"
  "  (func (export \"call\") (param i32) (result i32)\n"
  "    (call_indirect $funcs (param i32) (result i32) (i32.const 10) (local.get 0)))\n"
  "  (func (export \"grow\") (param externref i32) (result i32)\n"
  "    (table.grow $refs (local.get 0) (local.get 1)))\n"
  "  (func (export \"half\") (param i32) (result i32) (i32.shr_u (local.get 0) (i32.const 1))))\n";

enum { REFS, FUNCS, REF, FUNC, ECHO, PUT, TAKE, SET, IS_NULL, CALL, GROW, HALF, EXPORTS };

static own wasm_trap_t* host_echo(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  // The argument is borrowed, the result is owned.
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}

static own wasm_trap_t* host_negate(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0] = (wasm_val_t)WASM_I32_VAL(-args->data[0].of.i32);
  return NULL;
}

static bool call(
  wasm_extern_vec_t* exports, size_t which, size_t arg_count, wasm_val_t args[], wasm_val_t* result
) {
  wasm_val_vec_t arg_vec = {arg_count, args};
  wasm_val_vec_t result_vec = {result != NULL ? 1 : 0, result};
  own wasm_trap_t* trap =
    wasm_func_call(wasm_extern_as_func(exports->data[which]), &arg_vec, &result_vec);
  if (trap != NULL) wasm_trap_delete(trap);
  return trap == NULL;
}

static wasm_val_t externref(wasm_ref_t* ref) { return (wasm_val_t)WASM_REF_VAL(ref); }

static wasm_val_t funcref(wasm_func_t* func) {
  wasm_val_t value = WASM_REF_VAL(wasm_func_as_ref(func));
  value.kind = WASM_FUNCREF;
  return value;
}

int main(void) {
  int finalized = 0;
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_functype_t* type =
    wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
  own wasm_func_t* echo = wasm_func_new(store, type, host_echo);
  wasm_functype_delete(type);
  type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* negate = wasm_func_new(store, type, host_negate);
  wasm_functype_delete(type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(echo)};
  own wasm_instance_t* instance = instance_with(store, text, 1, imports);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  REQUIRE(exports.size == EXPORTS);

  // Anything can be an externref: foreign objects, and every other object of the store.
  own wasm_foreign_t* object = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(object, &finalized, count_finalization);
  wasm_ref_t* const things[] = {
    NULL, wasm_foreign_as_ref(object), wasm_func_as_ref(negate), wasm_instance_as_ref(instance),
    wasm_extern_as_ref(exports.data[REFS])};
  for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); ++i) {
    wasm_val_t arg = externref(things[i]), result = WASM_INIT_VAL;
    CHECK(call(&exports, ECHO, 1, &arg, &result));
    CHECK(result.kind == WASM_EXTERNREF);
    CHECK((result.of.ref == NULL) == (things[i] == NULL));
    if (things[i] != NULL) CHECK(wasm_ref_same(result.of.ref, things[i]));
    wasm_val_delete(&result);

    wasm_val_t put[] = {WASM_I32_VAL(2), arg}, take[] = {WASM_I32_VAL(2)};
    CHECK(call(&exports, PUT, 2, put, NULL));
    CHECK(call(&exports, TAKE, 1, take, &result));
    if (things[i] != NULL) CHECK(wasm_ref_same(result.of.ref, things[i]));
    wasm_val_delete(&result);
    own wasm_ref_t* element = wasm_table_get(wasm_extern_as_table(exports.data[REFS]), 2);
    CHECK((element == NULL) == (things[i] == NULL));
    wasm_ref_delete(element);
  }

  // Globals of both kinds, from both sides.
  wasm_val_t both[] = {externref(wasm_foreign_as_ref(object)), funcref(negate)};
  wasm_val_t result = WASM_INIT_VAL;
  CHECK(call(&exports, SET, 2, both, NULL));
  CHECK(call(&exports, IS_NULL, 2, both, &result) && result.of.i32 == 0);
  own wasm_val_t value;
  wasm_global_get(wasm_extern_as_global(exports.data[REF]), &value);
  CHECK(value.kind == WASM_EXTERNREF && wasm_ref_same(value.of.ref, wasm_foreign_as_ref(object)));
  CHECK(wasm_ref_get_host_info(value.of.ref) == &finalized);
  own wasm_val_t copy;
  wasm_val_copy(&copy, &value);
  CHECK(wasm_ref_same(copy.of.ref, value.of.ref));
  wasm_val_delete(&copy);
  wasm_val_delete(&value);
  wasm_global_get(wasm_extern_as_global(exports.data[FUNC]), &value);
  CHECK(value.kind == WASM_FUNCREF && wasm_ref_same(value.of.ref, wasm_func_as_ref(negate)));
  wasm_val_delete(&value);
  wasm_val_t nulls[] = {WASM_INIT_VAL, WASM_INIT_VAL};
  nulls[1].kind = WASM_FUNCREF;
  wasm_global_set(wasm_extern_as_global(exports.data[REF]), &nulls[0]);
  wasm_global_set(wasm_extern_as_global(exports.data[FUNC]), &nulls[1]);
  CHECK(call(&exports, IS_NULL, 2, nulls, &result) && result.of.i32 == 3);

  // Functions of host and guest in a table that the guest calls through.
  wasm_table_t* funcs = wasm_extern_as_table(exports.data[FUNCS]);
  CHECK(wasm_table_set(funcs, 0, wasm_func_as_ref(negate)));
  CHECK(wasm_table_set(funcs, 1, wasm_extern_as_ref(exports.data[HALF])));
  wasm_val_t index[] = {WASM_I32_VAL(0)};
  CHECK(call(&exports, CALL, 1, index, &result) && result.of.i32 == -10);
  index[0].of.i32 = 1;
  CHECK(call(&exports, CALL, 1, index, &result) && result.of.i32 == 5);
  CHECK(wasm_table_grow(funcs, 3, wasm_func_as_ref(negate)));
  index[0].of.i32 = 4;
  CHECK(call(&exports, CALL, 1, index, &result) && result.of.i32 == -10);
  CHECK(wasm_table_size(funcs) == 5);
  own wasm_tabletype_t* table_type = wasm_table_type(funcs);
  CHECK(wasm_tabletype_limits(table_type)->max == 10);
  wasm_tabletype_delete(table_type);

  // A reference of a function is a function again.
  own wasm_ref_t* element = wasm_table_get(funcs, 1);
  REQUIRE(element != NULL && wasm_ref_as_func(element) != NULL);
  int32_t arg = 8, halved = 0;
  CHECK(call_i32s(wasm_ref_as_func(element), 1, &arg, &halved) == NULL && halved == 4);
  CHECK(wasm_ref_as_foreign(element) == NULL);
  wasm_ref_delete(element);

  // The guest grows a table with an object that then only the table holds.
  wasm_val_t grow[] = {externref(wasm_foreign_as_ref(object)), WASM_I32_VAL(6)};
  CHECK(call(&exports, GROW, 2, grow, &result) && result.of.i32 == 4);
  wasm_foreign_delete(object);
  CHECK(finalized == 0);
  element = wasm_table_get(wasm_extern_as_table(exports.data[REFS]), 9);
  REQUIRE(element != NULL);
  CHECK(wasm_ref_get_host_info(element) == &finalized);
  CHECK(wasm_ref_as_foreign(element) != NULL);
  wasm_ref_delete(element);

  wasm_extern_vec_delete(&exports);
  wasm_func_delete(echo);
  wasm_func_delete(negate);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  CHECK(finalized == 1);
  wasm_engine_delete(engine);
  return check_done();
}
