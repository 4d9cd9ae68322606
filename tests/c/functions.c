// Functions in both directions: a host function called from wasm, calls back and forth, environments,
// several results, every kind of number, start functions.

#include "test_util.h"

static int greetings;

static own wasm_trap_t* greet(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  CHECK(args->size == 0 && results->size == 0);
  ++greetings;
  return NULL;
}

static void test_hello(wasm_store_t* store) {
  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* func = wasm_func_new(store, type, greet);
  wasm_functype_delete(type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(func)};
  own wasm_instance_t* instance = instance_with(store,
    "(module (import \"\" \"hello\" (func $hello)) (func (export \"run\") (call $hello)))", 1, imports);
  own wasm_func_t* run = func_of(instance, 0);
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  CHECK(call_i32s(run, 0, NULL, NULL) == NULL);
  CHECK(call_i32s(run, 0, NULL, NULL) == NULL);
  CHECK(greetings == 2);
  wasm_func_delete(run);
}

// All kinds of numbers through wasm and host, in another order and with their exact bits.
static own wasm_trap_t* rotate(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  int* calls = env;
  ++*calls;
  CHECK(args->size == 4 && results->size == 4);
  for (size_t i = 0; i < 4; ++i) results->data[(i + 1) % 4] = args->data[i];
  return NULL;
}

static void test_numbers(wasm_store_t* store) {
  int calls = 0;
  own wasm_valtype_vec_t params, results;
  own wasm_valtype_t* in[] = {wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                              wasm_valtype_new_f32(), wasm_valtype_new_f64()};
  own wasm_valtype_t* out[] = {wasm_valtype_new_f64(), wasm_valtype_new_i32(),
                               wasm_valtype_new_i64(), wasm_valtype_new_f32()};
  wasm_valtype_vec_new(&params, 4, in);
  wasm_valtype_vec_new(&results, 4, out);
  own wasm_functype_t* type = wasm_functype_new(&params, &results);
  own wasm_func_t* func = wasm_func_new_with_env(store, type, rotate, &calls, NULL);
  wasm_functype_delete(type);
  CHECK(wasm_func_param_arity(func) == 4 && wasm_func_result_arity(func) == 4);
  wasm_extern_t* imports[] = {wasm_func_as_extern(func)};
  own wasm_instance_t* instance = instance_with(store,
    "(module (import \"\" \"r\" (func $r (param i32 i64 f32 f64) (result f64 i32 i64 f32)))\n"
    "  (func (export \"through\") (param i32 i64 f32 f64) (result f64 i32 i64 f32)\n"
    "    (call $r (local.get 0) (local.get 1) (local.get 2) (local.get 3))))", 1, imports);
  own wasm_func_t* through = func_of(instance, 0);

  const wasm_func_t* const ways[] = {through, func};
  for (int way = 0; way < 2; ++way) {
    static const struct {
      int32_t i32;
      int64_t i64;
      uint32_t f32;
      uint64_t f64;
    } cases[] = {
      {0, 0, 0, 0},
      {-1, -1, UINT32_MAX, UINT64_MAX},
      {INT32_MIN, INT64_MIN, 0x80000000, UINT64_C(0x8000000000000000)},
      // Signalling NaNs keep their payload: nothing computes with them.
      {INT32_MAX, INT64_MAX, 0x7f800001, UINT64_C(0x7ff0000000000001)},
      {12345, INT64_C(1234567890123), 0x3f800000, UINT64_C(0x400921fb54442d18)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
      wasm_val_t args[4] = {WASM_I32_VAL(cases[i].i32), WASM_I64_VAL(cases[i].i64),
                            WASM_F32_VAL(0), WASM_F64_VAL(0)};
      memcpy(&args[2].of, &cases[i].f32, 4);
      memcpy(&args[3].of, &cases[i].f64, 8);
      wasm_val_t got[4] = {WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL};
      wasm_val_vec_t arg_vec = WASM_ARRAY_VEC(args), got_vec = WASM_ARRAY_VEC(got);
      CHECK(wasm_func_call(ways[way], &arg_vec, &got_vec) == NULL);
      CHECK(got[0].kind == WASM_F64 && memcmp(&got[0].of, &cases[i].f64, 8) == 0);
      CHECK(got[1].kind == WASM_I32 && got[1].of.i32 == cases[i].i32);
      CHECK(got[2].kind == WASM_I64 && got[2].of.i64 == cases[i].i64);
      CHECK(got[3].kind == WASM_F32 && memcmp(&got[3].of, &cases[i].f32, 4) == 0);
    }
  }
  CHECK(calls == 10);
  wasm_func_delete(through);
  wasm_func_delete(func);
  wasm_instance_delete(instance);
}

// Twenty arguments and results: more than there are registers.
static void test_many(wasm_store_t* store) {
  enum { MANY = 20 };
  own wasm_instance_t* instance = instance_of(store,
    "(module (func (export \"f\")\n"
    "  (param i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64)\n"
    "  (result f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32 f64 i32)\n"
    "  (local.get 19) (local.get 18) (local.get 17) (local.get 16) (local.get 15) (local.get 14)\n"
    "  (local.get 13) (local.get 12) (local.get 11) (local.get 10) (local.get 9) (local.get 8)\n"
    "  (local.get 7) (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2)\n"
    "  (local.get 1) (local.get 0)))");
  own wasm_func_t* func = func_of(instance, 0);
  wasm_val_t args[MANY], results[MANY];
  for (int i = 0; i < MANY; ++i) {
    args[i] = i % 2 == 0 ? (wasm_val_t)WASM_I32_VAL(i) : (wasm_val_t)WASM_F64_VAL(i);
    results[i] = (wasm_val_t)WASM_INIT_VAL;
  }
  wasm_val_vec_t arg_vec = WASM_ARRAY_VEC(args), result_vec = WASM_ARRAY_VEC(results);
  CHECK(wasm_func_call(func, &arg_vec, &result_vec) == NULL);
  for (int i = 0; i < MANY; ++i) {
    int from = MANY - 1 - i;
    if (from % 2 == 0) CHECK(results[i].kind == WASM_I32 && results[i].of.i32 == from);
    else CHECK(results[i].kind == WASM_F64 && results[i].of.f64 == from);
  }
  wasm_func_delete(func);
  wasm_instance_delete(instance);
}

// Host and guest call each other to a depth; the guest's state is seen at each level.
typedef struct {
  wasm_func_t* down;
  int deepest;
} ladder_t;

static own wasm_trap_t* step(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  ladder_t* ladder = env;
  int32_t left = args->data[0].of.i32, result = 0;
  if (left > 0) {
    int32_t next = left - 1;
    own wasm_trap_t* trap = call_i32s(ladder->down, 1, &next, &result);
    if (trap != NULL) return trap;
  } else {
    ++ladder->deepest;
  }
  results->data[0] = (wasm_val_t)WASM_I32_VAL(result + left);
  return NULL;
}

static void test_reentry(wasm_store_t* store) {
  ladder_t ladder = {NULL, 0};
  own wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* func = wasm_func_new_with_env(store, type, step, &ladder, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(func)};
  own wasm_instance_t* instance = instance_with(store,
    "(module (import \"\" \"step\" (func $step (param i32) (result i32)))\n"
    "  (func (export \"down\") (param i32) (result i32) (local i32)\n"
    "    (if (i32.eq (local.get 0) (i32.const 1000)) (then unreachable))\n"
    "    (local.set 1 (call $step (local.get 0)))\n"
    "    (i32.add (local.get 1) (i32.const 1))))", 1, imports);
  ladder.down = func_of(instance, 0);
  int32_t arg = 50, result = 0;
  CHECK(call_i32s(ladder.down, 1, &arg, &result) == NULL);
  CHECK(result == 50 * 51 / 2 + 51 && ladder.deepest == 1);

  // A trap at the bottom comes all the way up, with frames of every level.
  arg = 1001;
  own wasm_trap_t* trap = call_i32s(ladder.down, 1, &arg, &result);
  REQUIRE(trap != NULL);
  own wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  CHECK(trace.size >= 1);
  wasm_frame_vec_delete(&trace);
  CHECK(trap_says(trap, "unreachable"));
  wasm_func_delete(ladder.down);
  wasm_func_delete(func);
  wasm_instance_delete(instance);
}

// A start function runs before the instance is there; when it traps there is none.
static own wasm_trap_t* refuse_start(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return new_trap(env, "not today");
}

static void test_start(wasm_store_t* store) {
  own wasm_instance_t* instance = instance_of(store,
    "(module (global $g (mut i32) (i32.const 1)) (start $s) (func $s (global.set $g (i32.const 2)))\n"
    "  (func (export \"g\") (result i32) (global.get $g)))");
  own wasm_func_t* g = func_of(instance, 0);
  CHECK(returns(g, 2));
  wasm_func_delete(g);
  wasm_instance_delete(instance);

  static const struct {
    const char* text;
    const char* says;
  } cases[] = {
    {"(module $stop (start $s) (func $s unreachable))", "unreachable"},
    {"(module (memory 1) (data (i32.const 65536) \"x\"))", "out of bounds memory access"},
    {"(module (table 1 funcref) (elem (i32.const 1) $f) (func $f))", "out of bounds table access"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
    own wasm_module_t* module = module_of(store, cases[i].text);
    wasm_extern_vec_t imports = WASM_EMPTY_VEC;
    own wasm_trap_t* trap = NULL;
    CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL);
    if (i == 0 && trap != NULL) {
      own wasm_frame_t* origin = wasm_trap_origin(trap);
      CHECK(origin != NULL && wasm_frame_func_index(origin) == 0);
      wasm_frame_delete(origin);
    }
    CHECK(trap_says(trap, cases[i].says));
    // Without a place for the trap.
    CHECK(wasm_instance_new(store, module, &imports, NULL) == NULL);
    wasm_module_delete(module);
  }

  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* func = wasm_func_new_with_env(store, type, refuse_start, store, NULL);
  wasm_functype_delete(type);
  own wasm_module_t* module =
    module_of(store, "(module (import \"\" \"f\" (func $f)) (start $f))");
  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_trap_t* trap = NULL;
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL);
  CHECK(trap_says(trap, "not today"));
  wasm_module_delete(module);
  wasm_func_delete(func);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_hello(store);
  test_numbers(store);
  test_many(store);
  test_reentry(store);
  test_start(store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
