// Calls that do not fit the function: wrong counts and kinds of arguments and results, callbacks that
// return the wrong kind or nothing, values of another store. Each is a trap that says what was
// expected; the function does not run, or its results do not arrive. And what fits in other ways than usual:
// callbacks that put a vector of their own in the place of the results, arrays on the stack that are deleted as vectors.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"one\" (func $one (result i32)))\n"
  "  (import \"env\" \"ref\" (func $ref (result externref)))\n"
  "  (global $ran (mut i32) (i32.const 0))\n"
  "  (func (export \"mixed\") (param i32 f64) (result f32 i64)\n"
  "    (global.set $ran (i32.add (global.get $ran) (i32.const 1)))\n"
  "    (f32.convert_i32_s (local.get 0)) (i64.trunc_f64_s (local.get 1)))\n"
  "  (func (export \"ran\") (result i32) (global.get $ran))\n"
  "  (func (export \"one\") (result i32) (call $one))\n"
  "  (func (export \"ref\") (result externref) (call $ref))\n"
  "  (func (export \"take\") (param externref funcref)\n"
  "    (global.set $ran (i32.add (global.get $ran) (i32.const 1)))))\n";

// What the callbacks do: set by the tests.
typedef struct {
  wasm_store_t* store;
  wasm_store_t* other;
  enum { RIGHT, NOTHING, WRONG_KIND, BAD_KIND, FOREIGN_REF, FOREIGN_TRAP, OWN_TRAP } answer;
} script_t;

static own wasm_trap_t* answer(
  script_t* script, wasm_val_t right, wasm_val_t wrong, wasm_val_vec_t* results
) {
  CHECK(results->size == 1);
  switch (script->answer) {
    case RIGHT: results->data[0] = right; return NULL;
    case NOTHING: return NULL;
    case WRONG_KIND: results->data[0] = wrong; return NULL;
    case BAD_KIND: results->data[0] = right; results->data[0].kind = 77; return NULL;
    case FOREIGN_REF: {
      own wasm_foreign_t* object = wasm_foreign_new(script->other);
      results->data[0].kind = WASM_EXTERNREF;
      results->data[0].of.ref = wasm_foreign_as_ref(object);
      return NULL;
    }
    case FOREIGN_TRAP: return new_trap(script->other, "from the other store");
    case OWN_TRAP: return new_trap(script->store, "as asked");
  }
  return NULL;
}

static own wasm_trap_t* host_one(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  CHECK(args->size == 0);
  return answer(env, (wasm_val_t)WASM_I32_VAL(11), (wasm_val_t)WASM_F32_VAL(11), results);
}

static own wasm_trap_t* host_ref(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  CHECK(args->size == 0);
  return answer(env, (wasm_val_t)WASM_INIT_VAL, (wasm_val_t)WASM_I32_VAL(11), results);
}

static own wasm_trap_t* call(
  const wasm_func_t* func, size_t arg_count, wasm_val_t args[], size_t result_count,
  wasm_val_t results[]
) {
  wasm_val_vec_t arg_vec = {arg_count, args};
  wasm_val_vec_t result_vec = {result_count, results};
  return wasm_func_call(func, &arg_vec, &result_vec);
}

static void test_arguments(const wasm_func_t* mixed, const wasm_func_t* ran) {
  wasm_val_t args[3] = {WASM_I32_VAL(5), WASM_F64_VAL(6.5), WASM_I32_VAL(0)};
  wasm_val_t results[3] = {WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL};

  own wasm_trap_t* trap = call(mixed, 2, args, 2, results);
  CHECK(trap == NULL);
  CHECK(results[0].kind == WASM_F32 && results[0].of.f32 == 5);
  CHECK(results[1].kind == WASM_I64 && results[1].of.i64 == 6);
  CHECK(returns(ran, 1));

  // Counts.
  CHECK(trap_says(call(mixed, 0, args, 2, results), "2"));
  CHECK(trap_says(call(mixed, 1, args, 2, results), "2"));
  CHECK(trap_says(call(mixed, 3, args, 2, results), "3"));
  CHECK(trap_says(call(mixed, 2, args, 1, results), "2"));
  CHECK(trap_says(call(mixed, 2, NULL, 2, results), "argument"));
  CHECK(trap_says(wasm_func_call(mixed, NULL, NULL), "argument"));

  // Kinds: every wrong one in every place.
  static const wasm_valkind_t kinds[] = {WASM_I32, WASM_I64,       WASM_F32,     WASM_F64, 4,
                                         77,       WASM_EXTERNREF, WASM_FUNCREF, 255};
  for (size_t place = 0; place < 2; ++place) {
    wasm_val_t right = args[place];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); ++i) {
      if (kinds[i] == right.kind) continue;
      // Whatever a reference would point to must not be looked at.
      args[place].kind = kinds[i];
      args[place].of.i64 = 0x10;
      own wasm_trap_t* refused = call(mixed, 2, args, 2, results);
      CHECK(trap_says(refused, place == 0 ? "i32" : "f64"));
    }
    args[place] = right;
  }
  CHECK(returns(ran, 1));
}

static void test_callbacks(
  script_t* script, const wasm_func_t* one, const wasm_func_t* ref, const wasm_func_t* host
) {
  int32_t result;
  // Through wasm, and the host function called directly.
  const wasm_func_t* const ways[] = {one, host};
  for (size_t i = 0; i < 2; ++i) {
    const wasm_func_t* func = ways[i];
    script->answer = RIGHT;
    CHECK(returns(func, 11));
    script->answer = WRONG_KIND;
    CHECK(trap_says(call_i32s(func, 0, NULL, &result), "f32"));
    script->answer = WRONG_KIND;
    CHECK(trap_says(call_i32s(func, 0, NULL, &result), "i32"));
    script->answer = NOTHING;
    CHECK(trap_says(call_i32s(func, 0, NULL, &result), "i32"));
    script->answer = BAD_KIND;
    CHECK(trap_says(call_i32s(func, 0, NULL, &result), "i32"));
    script->answer = FOREIGN_REF;
    CHECK(trap_says(call_i32s(func, 0, NULL, &result), "i32"));
    script->answer = OWN_TRAP;
    CHECK(trap_says(call_i32s(func, 0, NULL, &result), "as asked"));
    script->answer = FOREIGN_TRAP;
    own wasm_trap_t* trap = call_i32s(func, 0, NULL, &result);
    CHECK(trap != NULL);
    if (trap != NULL) wasm_trap_delete(trap);
    script->answer = RIGHT;
    CHECK(returns(func, 11));
  }

  wasm_val_t results[1] = {WASM_INIT_VAL};
  script->answer = RIGHT;
  own wasm_trap_t* trap = call(ref, 0, NULL, 1, results);
  CHECK(trap == NULL);
  CHECK(results[0].kind == WASM_EXTERNREF && results[0].of.ref == NULL);
  script->answer = WRONG_KIND;
  CHECK(trap_says(call(ref, 0, NULL, 1, results), "externref"));
  script->answer = FOREIGN_REF;
  CHECK(trap_says(call(ref, 0, NULL, 1, results), "store"));
}

// Callbacks that give results in a vector of their own: made, made after the given one was deleted, or copied; the last two
// are wrong.
typedef enum { MADE, DELETED_BEFORE, SET_BEFORE, COPIED, TOO_MANY, ONLY_DELETED } replacement_t;

typedef struct {
  replacement_t how;
  wasm_val_t values[3];
} replacing_t;

static own wasm_trap_t* host_replacing(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  replacing_t* replacing = env;
  size_t count = results->size + (replacing->how == TOO_MANY);
  CHECK(args->size == 0);
  if (replacing->how == SET_BEFORE) {
    for (size_t i = 0; i < results->size; ++i) wasm_val_copy(&results->data[i], &replacing->values[2]);
  }
  if (replacing->how == DELETED_BEFORE || replacing->how == SET_BEFORE || replacing->how == ONLY_DELETED) {
    wasm_val_vec_delete(results);
    CHECK(results->size == 0 && results->data == NULL);
  }
  if (replacing->how == ONLY_DELETED) return NULL;
  own wasm_val_vec_t copy;
  wasm_val_vec_copy(&copy, &(wasm_val_vec_t){count, replacing->values});
  if (replacing->how == COPIED) {
    wasm_val_vec_copy(results, &copy);
    wasm_val_vec_delete(&copy);
  } else {
    *results = copy;
  }
  return NULL;
}

static void test_replaced_results(wasm_store_t* store) {
  int finalized = 0;
  own wasm_foreign_t* objects[2];
  for (int i = 0; i < 2; ++i) {
    objects[i] = wasm_foreign_new(store);
    wasm_foreign_set_host_info_with_finalizer(objects[i], &finalized, count_finalization);
  }
  replacing_t numbers = {.values = {WASM_I32_VAL(7), WASM_F64_VAL(2.5), WASM_I32_VAL(99)}};
  replacing_t refs = {.values = {
    WASM_REF_VAL(wasm_foreign_as_ref(objects[0])), WASM_I64_VAL(8), WASM_REF_VAL(wasm_foreign_as_ref(objects[1]))}};
  own wasm_functype_t* number_type = wasm_functype_new_0_2(wasm_valtype_new_i32(), wasm_valtype_new_f64());
  own wasm_functype_t* ref_type = wasm_functype_new_0_2(wasm_valtype_new_externref(), wasm_valtype_new_i64());
  own wasm_func_t* number_func = wasm_func_new_with_env(store, number_type, host_replacing, &numbers, NULL);
  own wasm_func_t* ref_func = wasm_func_new_with_env(store, ref_type, host_replacing, &refs, NULL);
  for (replacement_t how = MADE; how <= ONLY_DELETED; ++how) {
    numbers.how = refs.how = how;
    wasm_val_t out[2] = {WASM_INIT_VAL, WASM_INIT_VAL};
    own wasm_trap_t* trap = call(number_func, 0, NULL, 2, out);
    bool wrong = how >= TOO_MANY;
    const char* part = how == TOO_MANY ? "returned a vector of 3 results, expected 2" : "returned a vector of 0 results, expected 2";
    CHECK(wrong ? trap_says(trap, part) : trap == NULL && out[0].of.i32 == 7 && out[1].of.f64 == 2.5);
    trap = call(ref_func, 0, NULL, 2, out);
    CHECK(wrong ? trap_says(trap, part) : trap == NULL && wasm_ref_same(out[0].of.ref, refs.values[0].of.ref) && out[1].of.i64 == 8);
    if (!wrong) wasm_val_delete(&out[0]);
  }
  // A vector of the right size, but the wrong kinds.
  numbers.how = MADE;
  numbers.values[0].kind = WASM_F32;
  wasm_val_t out[2] = {WASM_INIT_VAL, WASM_INIT_VAL};
  CHECK(trap_says(call(number_func, 0, NULL, 2, out), "returned f32 for result 0, expected i32"));
  refs.how = MADE;
  refs.values[1].kind = WASM_I32;
  CHECK(trap_says(call(ref_func, 0, NULL, 2, out), "returned i32 for result 1, expected i64"));
  wasm_func_delete(number_func);
  wasm_func_delete(ref_func);
  wasm_functype_delete(number_type);
  wasm_functype_delete(ref_type);

  // Every reference that a callback gave was given up.
  for (int i = 0; i < 2; ++i) wasm_foreign_delete(objects[i]);
  tenon_store_gc(store);
  CHECK(finalized == 2);

  // Arrays on the stack.
  wasm_val_t values[2] = {WASM_I32_VAL(1), WASM_I64_VAL(2)};
  wasm_val_vec_t vector = WASM_ARRAY_VEC(values);
  wasm_val_vec_delete(&vector);
  CHECK(vector.size == 0 && vector.data == NULL);
  char letters[] = "text";
  wasm_byte_vec_t bytes = WASM_ARRAY_VEC(letters);
  wasm_byte_vec_delete(&bytes);
  CHECK(bytes.data == NULL);
  wasm_valtype_t* types[2] = {wasm_valtype_new_i32(), wasm_valtype_new_f32()};
  wasm_valtype_vec_t lent = WASM_ARRAY_VEC(types);
  wasm_valtype_vec_delete(&lent);
  CHECK(types[0] == NULL && types[1] == NULL);
}

static void test_references(
  wasm_store_t* store, wasm_store_t* other, const wasm_func_t* take, const wasm_func_t* ran
) {
  own wasm_foreign_t* here = wasm_foreign_new(store);
  own wasm_foreign_t* there = wasm_foreign_new(other);
  own wasm_func_t* func_here = new_nothing(store);
  own wasm_func_t* func_there = new_nothing(other);
  wasm_val_t args[2] = {WASM_REF_VAL(wasm_foreign_as_ref(here)),
                        WASM_REF_VAL(wasm_func_as_ref(func_here))};
  args[1].kind = WASM_FUNCREF;

  own wasm_trap_t* trap = call(take, 2, args, 0, NULL);
  CHECK(trap == NULL);
  CHECK(returns(ran, 2));

  args[0].of.ref = wasm_foreign_as_ref(there);
  CHECK(trap_says(call(take, 2, args, 0, NULL), "store"));
  args[0].of.ref = NULL;
  args[1].of.ref = wasm_func_as_ref(func_there);
  CHECK(trap_says(call(take, 2, args, 0, NULL), "store"));

  // A reference that is no function, as a funcref.
  args[1].of.ref = wasm_foreign_as_ref(here);
  CHECK(trap_says(call(take, 2, args, 0, NULL), "func"));
  // A funcref where an externref is expected, by its kind.
  args[1].of.ref = NULL;
  args[0].kind = WASM_FUNCREF;
  CHECK(trap_says(call(take, 2, args, 0, NULL), "externref"));
  CHECK(returns(ran, 2));

  wasm_foreign_delete(here);
  wasm_foreign_delete(there);
  wasm_func_delete(func_here);
  wasm_func_delete(func_there);
}

// Tables and globals refuse what does not fit, and stay as they are.
static void test_tables_and_globals(wasm_store_t* store, wasm_store_t* other) {
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 2, 4);
  own wasm_func_t* here = new_nothing(store);
  own wasm_func_t* there = new_nothing(other);
  own wasm_foreign_t* object = wasm_foreign_new(store);
  CHECK(wasm_table_set(table, 0, wasm_func_as_ref(here)));
  CHECK(!wasm_table_set(table, 0, wasm_func_as_ref(there)));
  CHECK(error_says("store"));
  CHECK(!wasm_table_set(table, 0, wasm_foreign_as_ref(object)));
  CHECK(error_says("func"));
  CHECK(!wasm_table_set(table, 2, wasm_func_as_ref(here)));
  CHECK(error_says("2"));
  CHECK(!wasm_table_set(table, UINT32_MAX, NULL));
  CHECK(wasm_table_get(table, 2) == NULL);
  CHECK(!wasm_table_grow(table, 1, wasm_func_as_ref(there)));
  CHECK(!wasm_table_grow(table, 3, NULL));
  CHECK(error_says("4"));
  CHECK(!wasm_table_grow(table, UINT32_MAX, NULL));
  CHECK(wasm_table_size(table) == 2);
  own wasm_ref_t* element = wasm_table_get(table, 0);
  CHECK(element != NULL && wasm_ref_same(element, wasm_func_as_ref(here)));
  if (element != NULL) wasm_ref_delete(element);

  wasm_limits_t limits = {1, 1};
  own wasm_tabletype_t* type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  CHECK(wasm_table_new(store, type, wasm_func_as_ref(there)) == NULL);
  CHECK(error_says("store"));
  CHECK(wasm_table_new(store, type, wasm_foreign_as_ref(object)) == NULL);
  wasm_tabletype_delete(type);

  own wasm_global_t* constant =
    new_global(store, WASM_I32, WASM_CONST, (wasm_val_t)WASM_I32_VAL(1));
  own wasm_global_t* variable =
    new_global(store, WASM_I32, WASM_VAR, (wasm_val_t)WASM_I32_VAL(2));
  wasm_val_t three = WASM_I32_VAL(3), wide = WASM_I64_VAL(4), got;
  tenon_last_error_clear();
  wasm_global_set(constant, &three);
  CHECK(tenon_last_error() != NULL);
  wasm_global_get(constant, &got);
  CHECK(got.kind == WASM_I32 && got.of.i32 == 1);
  wasm_global_set(variable, &wide);
  CHECK(error_says("i64"));
  wasm_global_get(variable, &got);
  CHECK(got.kind == WASM_I32 && got.of.i32 == 2);
  wasm_global_set(variable, &three);
  wasm_global_get(variable, &got);
  CHECK(got.of.i32 == 3);

  own wasm_globaltype_t* i64 = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_CONST);
  CHECK(wasm_global_new(store, i64, &three) == NULL);
  CHECK(error_says("i64"));
  wasm_globaltype_delete(i64);
  own wasm_globaltype_t* ref = wasm_globaltype_new(wasm_valtype_new_externref(), WASM_VAR);
  own wasm_foreign_t* elsewhere = wasm_foreign_new(other);
  wasm_val_t value = WASM_REF_VAL(wasm_foreign_as_ref(elsewhere));
  CHECK(wasm_global_new(store, ref, &value) == NULL);
  CHECK(error_says("store"));
  wasm_globaltype_delete(ref);

  wasm_foreign_delete(elsewhere);
  wasm_global_delete(constant);
  wasm_global_delete(variable);
  wasm_foreign_delete(object);
  wasm_func_delete(here);
  wasm_func_delete(there);
  wasm_table_delete(table);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_store_t* other = wasm_store_new(engine);
  script_t script = {.store = store, .other = other, .answer = RIGHT};
  own wasm_functype_t* one_type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  own wasm_functype_t* ref_type = wasm_functype_new_0_1(wasm_valtype_new_externref());
  own wasm_func_t* host = wasm_func_new_with_env(store, one_type, host_one, &script, NULL);
  own wasm_func_t* host_refs = wasm_func_new_with_env(store, ref_type, host_ref, &script, NULL);
  wasm_functype_delete(one_type);
  wasm_functype_delete(ref_type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(host), wasm_func_as_extern(host_refs)};
  own wasm_instance_t* instance = instance_with(store, text, 2, imports);
  own wasm_func_t* mixed = func_of(instance, 0);
  own wasm_func_t* ran = func_of(instance, 1);
  own wasm_func_t* one = func_of(instance, 2);
  own wasm_func_t* ref = func_of(instance, 3);
  own wasm_func_t* take = func_of(instance, 4);

  test_arguments(mixed, ran);
  test_callbacks(&script, one, ref, host);
  test_replaced_results(store);
  test_references(store, other, take, ran);
  test_tables_and_globals(store, other);

  wasm_func_delete(mixed);
  wasm_func_delete(ran);
  wasm_func_delete(one);
  wasm_func_delete(ref);
  wasm_func_delete(take);
  wasm_func_delete(host);
  wasm_func_delete(host_refs);
  wasm_instance_delete(instance);
  wasm_store_delete(other);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
