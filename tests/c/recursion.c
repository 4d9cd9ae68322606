// Recursion without end, inside wasm and through the host again and again, on the main thread and on
// threads with a stack of 256 KiB: a trap each time, and everything works afterwards.

#include <pthread.h>

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"again\" (func $again (param i32)))\n"
  "  (global $depth (mut i32) (i32.const 0))\n"
  "  (table 1 funcref) (elem (i32.const 0) $indirect)\n"
  // 0: straight
  "  (func $plain (export \"plain\")\n"
  "    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))\n"
  "    (call $plain))\n"
  // 1: through a table
  "  (func $indirect (export \"indirect\") (call_indirect (i32.const 0)))\n"
  // 2: through the host
  "  (func $host (export \"host\") (call $again (i32.const 2)))\n"
  // 3: with large frames
  "  (func $large (export \"large\") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)\n"
  "    (call $large (local.get 9) (local.get 8) (local.get 7) (local.get 6) (local.get 5)\n"
  "      (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0))\n"
  "    (i64.add (i64.mul (local.get 0) (local.get 1)) (i64.mul (local.get 2) (local.get 3)))\n"
  "    (i64.add (i64.mul (local.get 4) (local.get 5)) (i64.mul (local.get 6) (local.get 7)))\n"
  "    (i64.add (local.get 8) (local.get 9)) i64.add i64.add i64.add)\n"
  // 4: straight and through the host in turn
  "  (func $both (export \"both\") (param i32)\n"
  "    (if (i32.and (local.get 0) (i32.const 7))\n"
  "      (then (call $both (i32.add (local.get 0) (i32.const 1))))\n"
  "      (else (call $again (i32.const 4)))))\n"
  // 5, 6: what still has to work
  "  (func (export \"depth\") (result i32) (global.get $depth))\n"
  "  (func (export \"three\") (result i32) (i32.const 3)))\n";

typedef struct {
  wasm_store_t* store;
  own wasm_func_t* funcs[7];
  int host_calls;
} world_t;

static own wasm_trap_t* again(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  world_t* world = env;
  ++world->host_calls;
  int which = args->data[0].of.i32;
  wasm_val_t arg_values[] = {WASM_I32_VAL(1)};
  wasm_val_vec_t vec = {which == 4 ? 1 : 0, arg_values};
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  return wasm_func_call(world->funcs[which], &vec, &none);
}

static void test_all_ways(world_t* world) {
  static const char exhausted[] = "call stack exhausted";
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  for (int repeat = 0; repeat < 3; ++repeat) {
    CHECK(trap_says(wasm_func_call(world->funcs[0], &none, &none), exhausted));
    CHECK(trap_says(wasm_func_call(world->funcs[1], &none, &none), exhausted));
    world->host_calls = 0;
    CHECK(trap_says(wasm_func_call(world->funcs[2], &none, &none), exhausted));
    CHECK(world->host_calls > 10);

    wasm_val_t wide[10];
    for (int i = 0; i < 10; ++i) wide[i] = (wasm_val_t)WASM_I64_VAL(i);
    wasm_val_t wide_result[1] = {WASM_INIT_VAL};
    wasm_val_vec_t wide_args = WASM_ARRAY_VEC(wide);
    wasm_val_vec_t wide_results = WASM_ARRAY_VEC(wide_result);
    CHECK(trap_says(wasm_func_call(world->funcs[3], &wide_args, &wide_results), exhausted));

    wasm_val_t one[] = {WASM_I32_VAL(1)};
    wasm_val_vec_t one_arg = WASM_ARRAY_VEC(one);
    CHECK(trap_says(wasm_func_call(world->funcs[4], &one_arg, &none), exhausted));
    CHECK(returns(world->funcs[6], 3));
  }
  int32_t depth = 0;
  CHECK(call_i32s(world->funcs[5], 0, NULL, &depth) == NULL);
  CHECK(depth > 1000);
}

// A function that is called, hence compiled, for the first time when little stack is left.
static void test_first_call_when_deep(wasm_store_t* store, int32_t deepest) {
  own wasm_module_t* module = NULL;
  static const char deep[] =
    "(module\n"
    "  (func $down (export \"down\") (param i32) (result i32)\n"
    "    (if (result i32) (local.get 0)\n"
    "      (then (call $down (i32.sub (local.get 0) (i32.const 1))))\n"
    "      (else (call $work (i32.const 10)))))\n"
    "  (func $work (param $n i32) (result i32) (local $sum i32) (local $i i32)\n"
    "    (loop $outer\n"
    "      (local.set $i (local.get $n))\n"
    "      (loop $inner\n"
    "        (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $i) (local.get $n))))\n"
    "        (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))\n"
    "      (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
    "    (local.get $sum)))\n";
  int worked = 0, trapped = 0;
  int steps = rounds(32, 6);
  for (int i = 0; i <= steps; ++i) {
    // A module of its own each time: its code is not there yet.
    module = module_of(store, deep);
    wasm_extern_vec_t imports = WASM_EMPTY_VEC;
    own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    REQUIRE(instance != NULL);
    own wasm_func_t* down = func_of(instance, 0);
    int32_t arg = (int32_t)((int64_t)deepest * 2 * i / steps), result = 0;
    own wasm_trap_t* trap = call_i32s(down, 1, &arg, &result);
    if (trap == NULL) {
      ++worked;
      CHECK(result == 1705);
    } else {
      ++trapped;
      CHECK(trap_says(trap, "call stack exhausted"));
    }
    wasm_func_delete(down);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
  }
  CHECK(worked > 0 && trapped > 0);
}

static void run(wasm_engine_t* engine) {
  world_t world = {0};
  world.store = wasm_store_new(engine);
  own wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  own wasm_func_t* func = wasm_func_new_with_env(world.store, type, again, &world, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(func)};
  own wasm_instance_t* instance = instance_with(world.store, text, 1, imports);
  wasm_func_delete(func);
  for (size_t i = 0; i < 7; ++i) world.funcs[i] = func_of(instance, i);

  test_all_ways(&world);
  int32_t before = 0, after = 0;
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  CHECK(call_i32s(world.funcs[5], 0, NULL, &before) == NULL);
  wasm_trap_delete(wasm_func_call(world.funcs[0], &none, &none));
  CHECK(call_i32s(world.funcs[5], 0, NULL, &after) == NULL);
  test_first_call_when_deep(world.store, after - before);

  for (size_t i = 0; i < 7; ++i) wasm_func_delete(world.funcs[i]);
  wasm_instance_delete(instance);
  wasm_store_delete(world.store);
}

static void* run_on_thread(void* engine) {
  run(engine);
  return NULL;
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  run(engine);
  pthread_attr_t small;
  pthread_attr_init(&small);
  REQUIRE(pthread_attr_setstacksize(&small, 256 * 1024) == 0);
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) REQUIRE(pthread_create(&threads[i], &small, run_on_thread, engine) == 0);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  pthread_attr_destroy(&small);
  run(engine);
  wasm_engine_delete(engine);
  return check_done();
}
