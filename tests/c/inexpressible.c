// What wasm.h has no room for, in the hands of each of its functions that could meet it: vectors, 64-bit limits, tags, exceptions.
// Each fails and says so, or gives what it can; none ends the process, and tenon.h's counterpart works.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (func (export \"vector\") (param v128) (result v128) (local.get 0))\n"
  "  (global (export \"g\") (mut v128) (v128.const i64x2 1 2))\n"
  "  (memory (export \"m\") i64 1 0x10000000000)\n"
  "  (table (export \"t\") i64 1 0x10000000000 funcref)\n"
  "  (tag (export \"e\") (param v128))\n"
  "  (func (export \"throw\") (throw 0 (v128.const i64x2 3 4)))\n"
  "  (func (export \"result\") (result v128) (v128.const i64x2 5 6)))\n";

enum { VECTOR, GLOBAL, MEMORY, TABLE, TAG, THROW, RESULT, EXPORTS };

static own wasm_trap_t* host_vector(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args, (void)results;
  ++*(int*)env;
  return NULL;
}

// Functions that take or give vectors.
static void test_functions(wasm_store_t* store, wasm_extern_t* const exports[]) {
  wasm_func_t* vector = wasm_extern_as_func(exports[VECTOR]);
  wasm_val_t values[] = {WASM_I64_VAL(1)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(values), none = WASM_EMPTY_VEC;
  wasm_val_t room[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(room);
  CHECK(trap_says(wasm_func_call(vector, &args, &results), "v128"));
  CHECK(trap_says(wasm_func_call(wasm_extern_as_func(exports[RESULT]), &none, &results), "v128"));
  values[0].kind = TENON_V128;
  CHECK(trap_says(wasm_func_call(vector, &args, &results), "v128"));

  // A host function of such a type cannot be had with this callback, or is never called.
  int calls = 0;
  own wasm_functype_t* type = wasm_func_type(vector);
  CHECK(wasm_valtype_kind(wasm_functype_params(type)->data[0]) == TENON_V128);
  tenon_last_error_clear();
  own wasm_func_t* func = wasm_func_new_with_env(store, type, host_vector, &calls, NULL);
  if (func == NULL) CHECK(error_says("v128"));
  if (func != NULL) CHECK(trap_says(wasm_func_call(func, &args, &results), "v128"));
  CHECK(calls == 0);
  wasm_func_delete(func);
  wasm_functype_delete(type);

  tenon_val_t given = {.kind = TENON_V128, .of = {.bits = {7, 8}}}, got = {.kind = TENON_V128};
  CHECK(tenon_func_call_val(vector, &given, 1, &got, 1) == NULL);
  CHECK(got.of.bits[0] == 7 && got.of.bits[1] == 8);
}

static void test_global(wasm_store_t* store, wasm_extern_t* const exports[]) {
  wasm_global_t* global = wasm_extern_as_global(exports[GLOBAL]);
  wasm_val_t val = WASM_I64_VAL(1);
  tenon_last_error_clear();
  wasm_global_get(global, &val);
  CHECK(error_says("v128"));
  CHECK(val.kind == WASM_EXTERNREF && val.of.ref == NULL);
  wasm_val_t wrong = WASM_I64_VAL(1);
  tenon_last_error_clear();
  wasm_global_set(global, &wrong);
  CHECK(error_says("v128"));
  own wasm_globaltype_t* type = wasm_global_type(global);
  tenon_last_error_clear();
  CHECK(wasm_global_new(store, type, &wrong) == NULL);
  CHECK(error_says("v128"));
  wasm_globaltype_delete(type);

  // Nothing was changed.
  tenon_val_t now;
  CHECK(tenon_global_get_val(global, &now) == NULL);
  CHECK(now.kind == TENON_V128 && now.of.bits[0] == 1 && now.of.bits[1] == 2);
}

// 64-bit limits: what does not fit is no bound, and sizes are right as long as they fit.
static void test_limits(wasm_extern_t* const exports[]) {
  wasm_memory_t* memory = wasm_extern_as_memory(exports[MEMORY]);
  own wasm_memorytype_t* type = wasm_memory_type(memory);
  const wasm_limits_t* limits = wasm_memorytype_limits(type);
  CHECK(limits->min == 1 && limits->max == wasm_limits_max_default);
  uint64_t max = 0;
  CHECK(tenon_memorytype_maximum(type, &max) && max == UINT64_C(0x10000000000));
  wasm_memorytype_delete(type);
  CHECK(wasm_memory_size(memory) == 1);
  CHECK(wasm_memory_grow(memory, 1) && wasm_memory_size(memory) == 2);
  tenon_last_error_clear();
  CHECK(!wasm_memory_grow(memory, UINT32_MAX) && tenon_last_error() != NULL);
  CHECK(wasm_memory_size(memory) == 2);

  wasm_table_t* table = wasm_extern_as_table(exports[TABLE]);
  own wasm_tabletype_t* table_type = wasm_table_type(table);
  const wasm_limits_t* table_limits = wasm_tabletype_limits(table_type);
  CHECK(table_limits->min == 1 && table_limits->max == wasm_limits_max_default);
  CHECK(tenon_tabletype_maximum(table_type, &max) && max == UINT64_C(0x10000000000));
  wasm_tabletype_delete(table_type);
  CHECK(wasm_table_size(table) == 1);
  tenon_last_error_clear();
  CHECK(!wasm_table_grow(table, UINT32_MAX, NULL) && tenon_last_error() != NULL);
  CHECK(wasm_table_size(table) == 1);
  CHECK(wasm_table_get(table, 0) == NULL);
}

// Tags are none of the four kinds of externals, and an exception can carry what wasm_val_t cannot.
static void test_tag(wasm_store_t* store, wasm_extern_t* const exports[]) {
  wasm_extern_t* tag = exports[TAG];
  CHECK(wasm_extern_kind(tag) == WASM_EXTERN_TAG);
  CHECK(wasm_extern_as_func(tag) == NULL && wasm_extern_as_global(tag) == NULL);
  CHECK(wasm_extern_as_table(tag) == NULL && wasm_extern_as_memory(tag) == NULL);
  own wasm_externtype_t* type = wasm_extern_type(tag);
  REQUIRE(type != NULL);
  CHECK(wasm_externtype_kind(type) == WASM_EXTERN_TAG);
  CHECK(wasm_externtype_as_functype(type) == NULL && wasm_externtype_as_globaltype(type) == NULL);
  CHECK(wasm_externtype_as_tabletype(type) == NULL && wasm_externtype_as_memorytype(type) == NULL);
  wasm_externtype_delete(type);

  wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_EMPTY_VEC;
  own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func(exports[THROW]), &none, &results);
  own tenon_exception_t* exception = tenon_trap_exception(trap);
  REQUIRE(exception != NULL);
  wasm_val_t val = WASM_I64_VAL(1);
  own tenon_error_t* error = tenon_exception_arg(exception, 0, &val);
  CHECK(error != NULL && strstr(tenon_error_message(error), "v128") != NULL);
  tenon_error_delete(error);
  own wasm_val_vec_t values;
  error = tenon_exception_args(exception, &values);
  CHECK(error != NULL && values.size == 0);
  tenon_error_delete(error);
  tenon_raw_t raw;
  CHECK(tenon_exception_args_raw(exception, &raw) == NULL);
  uint64_t halves[2];
  memcpy(halves, raw.v128, sizeof(halves));
  CHECK(halves[0] == 3 && halves[1] == 4);
  wasm_val_t given[] = {WASM_I64_VAL(1)};
  wasm_val_vec_t given_vec = WASM_ARRAY_VEC(given);
  own tenon_exception_t* made = NULL;
  error = tenon_exception_new(store, wasm_extern_as_tag(tag), &given_vec, &made);
  CHECK(error != NULL && made == NULL);
  tenon_error_delete(error);
  tenon_exception_delete(exception);
  wasm_trap_delete(trap);
}

// Kinds that no type has.
static void test_kinds(void) {
  for (int kind = 0; kind < 256; ++kind) {
    tenon_last_error_clear();
    own wasm_valtype_t* type = wasm_valtype_new((wasm_valkind_t)kind);
    if (type == NULL) CHECK(tenon_last_error() != NULL);
    if (type != NULL) CHECK(wasm_valtype_kind(type) == kind);
    wasm_valtype_delete(type);
  }
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_instance_t* instance = instance_of(store, text);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  REQUIRE(exports.size == EXPORTS);
  test_functions(store, exports.data);
  test_global(store, exports.data);
  test_limits(exports.data);
  test_tag(store, exports.data);
  test_kinds();
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
