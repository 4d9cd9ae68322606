// Functions with more results than registers hold: they return through memory. Calls in every direction,
// traps in the middle, and stacks that are full in the very function. And the widest types there are.

#include <pthread.h>

#include "test_util.h"

enum { WIDE = 20 };

static const char text[] =
  "(module\n"
  "  (type $wide (func (param i64) (result\n"
  "    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64)))\n"
  "  (type $thin (func (param i64)))\n"
  "  (import \"env\" \"wide\" (func $host (type $wide)))\n"
  "  (import \"env\" \"back\" (func $back (param i64)))\n"
  "  (table 3 funcref) (elem (i32.const 0) $straight $host)\n"
  "  (memory 1)\n"
  // 0: straight
  "  (func $straight (export \"straight\") (type $wide)\n"
  "    (local.get 0) (i64.add (local.get 0) (i64.const 1)) (i64.add (local.get 0) (i64.const 2))\n"
  "    (i64.add (local.get 0) (i64.const 3)) (i64.add (local.get 0) (i64.const 4))\n"
  "    (i64.add (local.get 0) (i64.const 5)) (i64.add (local.get 0) (i64.const 6))\n"
  "    (i64.add (local.get 0) (i64.const 7)) (i64.add (local.get 0) (i64.const 8))\n"
  "    (i64.add (local.get 0) (i64.const 9))\n"
  "    (f64.const 10) (f64.const 11) (f64.const 12) (f64.const 13) (f64.const 14)\n"
  "    (f64.const 15) (f64.const 16) (f64.const 17) (f64.const 18) (f64.const 19))\n"
  // 1, 2: through a table, and the host's
  "  (func (export \"indirect\") (type $wide) (call_indirect (type $wide) (local.get 0) (i32.const 0)))\n"
  "  (func (export \"host\") (type $wide) (call $host (local.get 0)))\n"
  // 3..6: traps: nothing there, outside of memory, a division, a host function far inside
  "  (func (export \"null\") (type $wide) (call_indirect (type $wide) (local.get 0) (i32.const 2)))\n"
  "  (func (export \"load\") (type $wide)\n"
  "    (call $straight (i64.load (i32.const -8))))\n"
  "  (func (export \"divide\") (type $wide)\n"
  "    (call $straight (i64.div_u (local.get 0) (i64.const 0))))\n"
  "  (func (export \"inside\") (type $wide) (call $back (i64.const -1)) unreachable)\n"
  // 7..9: full stacks: straight, in turn with a function without results, and through the host
  "  (func $plain (export \"plain\") (type $wide) (call $plain (i64.add (local.get 0) (i64.const 1))))\n"
  "  (func $turn (export \"turn\") (type $wide)\n"
  "    (call $thin (local.get 0)) (call $straight (local.get 0)))\n"
  "  (func $thin (type $thin) (call $turn (local.get 0))\n"
  "    drop drop drop drop drop drop drop drop drop drop\n"
  "    drop drop drop drop drop drop drop drop drop drop)\n"
  "  (func (export \"around\") (type $wide) (call $back (i64.const 9)) (call $straight (local.get 0))))\n";

enum { STRAIGHT, INDIRECT, HOST, NOTHING_THERE, LOAD, DIVIDE, INSIDE, PLAIN, TURN, AROUND, FUNCS };

typedef struct {
  wasm_store_t* store;
  own wasm_func_t* funcs[FUNCS];
  int calls;
} world_t;

static own wasm_trap_t* host_wide(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  ++((world_t*)env)->calls;
  CHECK(args->size == 1 && results->size == WIDE);
  for (int i = 0; i < WIDE; ++i) {
    results->data[i] = i < 10 ? (wasm_val_t)WASM_I64_VAL(args->data[0].of.i64 + i)
                              : (wasm_val_t)WASM_F64_VAL(i);
  }
  return NULL;
}

static own wasm_trap_t* call_wide(const wasm_func_t* func, int64_t arg, wasm_val_t results[WIDE]) {
  wasm_val_t args[] = {WASM_I64_VAL(arg)};
  wasm_val_vec_t arg_vec = WASM_ARRAY_VEC(args);
  wasm_val_vec_t result_vec = {WIDE, results};
  return wasm_func_call(func, &arg_vec, &result_vec);
}

static own wasm_trap_t* host_back(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  world_t* world = env;
  ++world->calls;
  int64_t which = args->data[0].of.i64;
  if (which < 0) return new_trap(world->store, "back from the host");
  wasm_val_t wide[WIDE];
  return call_wide(world->funcs[which], 1, wide);
}

static bool is_wide(const wasm_func_t* func, int64_t arg) {
  wasm_val_t results[WIDE] = {WASM_INIT_VAL};
  own wasm_trap_t* trap = call_wide(func, arg, results);
  if (trap != NULL) return !trap_says(trap, "no trap at all");
  bool right = true;
  for (int i = 0; i < WIDE; ++i) {
    right = right && (i < 10 ? results[i].kind == WASM_I64 && results[i].of.i64 == arg + i
                             : results[i].kind == WASM_F64 && results[i].of.f64 == i);
  }
  return right;
}

static void run(wasm_engine_t* engine) {
  world_t world = {.store = wasm_store_new(engine), .calls = 0};
  own wasm_module_t* module = module_of(world.store, text);
  own wasm_importtype_vec_t import_types;
  wasm_module_imports(module, &import_types);
  wasm_extern_t* imports[2];
  wasm_func_callback_with_env_t callbacks[] = {host_wide, host_back};
  for (size_t i = 0; i < 2; ++i) {
    const wasm_externtype_t* type = wasm_importtype_type(import_types.data[i]);
    imports[i] = wasm_func_as_extern(wasm_func_new_with_env(
      world.store, wasm_externtype_as_functype_const(type), callbacks[i], &world, NULL));
    REQUIRE(imports[i] != NULL);
  }
  wasm_importtype_vec_delete(&import_types);
  wasm_extern_vec_t import_vec = WASM_ARRAY_VEC(imports);
  own wasm_instance_t* instance = wasm_instance_new(world.store, module, &import_vec, NULL);
  REQUIRE(instance != NULL);
  wasm_module_delete(module);
  for (size_t i = 0; i < FUNCS; ++i) world.funcs[i] = func_of(instance, i);

  wasm_val_t results[WIDE];
  // What exhausts the stack comes first: then its first call, too, is on a path that traps.
  for (int round = 0; round < 3; ++round) {
    static const char full[] = "call stack exhausted";
    CHECK(trap_says(call_wide(world.funcs[PLAIN], 1, results), full));
    CHECK(trap_says(call_wide(world.funcs[TURN], 1, results), full));
    world.calls = 0;
    CHECK(trap_says(call_wide(world.funcs[AROUND], 1, results), full));
    CHECK(world.calls > 10);
    CHECK(trap_says(call_wide(world.funcs[NOTHING_THERE], 1, results), "uninitialized element"));
    CHECK(trap_says(call_wide(world.funcs[LOAD], 1, results), "out of bounds memory access"));
    CHECK(trap_says(call_wide(world.funcs[DIVIDE], 1, results), "integer divide by zero"));
    CHECK(trap_says(call_wide(world.funcs[INSIDE], 1, results), "back from the host"));
    CHECK(is_wide(world.funcs[STRAIGHT], 5));
    CHECK(is_wide(world.funcs[INDIRECT], INT64_MAX - 9));
    CHECK(is_wide(world.funcs[HOST], -3));
    CHECK(is_wide(wasm_extern_as_func(imports[0]), 77));
    // Without room for results: nothing is written where there is no room.
    wasm_val_t args[] = {WASM_I64_VAL(1)};
    wasm_val_vec_t arg_vec = WASM_ARRAY_VEC(args), short_vec = {WIDE - 1, results};
    CHECK(trap_says(wasm_func_call(world.funcs[STRAIGHT], &arg_vec, &short_vec), "19"));
  }

  // The frames of a full stack are those of the function that filled it.
  own wasm_trap_t* trap = call_wide(world.funcs[PLAIN], 1, results);
  REQUIRE(trap != NULL);
  own wasm_frame_t* origin = wasm_trap_origin(trap);
  REQUIRE(origin != NULL);
  CHECK(wasm_instance_same(wasm_frame_instance(origin), instance));
  CHECK(wasm_frame_func_index(origin) == 2 + PLAIN);
  wasm_frame_delete(origin);
  wasm_trap_delete(trap);

  for (size_t i = 0; i < FUNCS; ++i) wasm_func_delete(world.funcs[i]);
  for (size_t i = 0; i < 2; ++i) wasm_extern_delete(imports[i]);
  wasm_instance_delete(instance);
  wasm_store_delete(world.store);
}

static void* run_on_thread(void* engine) {
  run(engine);
  return NULL;
}

static own wasm_trap_t* host_many(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  ++*(int*)env;
  int64_t sum = 0;
  for (size_t i = 0; i < args->size; ++i) sum += args->data[i].of.i64;
  for (size_t i = 0; i < results->size; ++i) {
    results->data[i] = (wasm_val_t)WASM_I64_VAL(sum + (int64_t)i);
  }
  return NULL;
}

// Types of the host's with very many parameters and results. Modules may have up to 1000 of both, and so
// may the host; more are refused with a reason.
static void* test_widest(void* engine) {
  static const size_t counts[] = {17, 1000, 1001, 65535, 65536, 200000};
  own wasm_store_t* store = wasm_store_new(engine);
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); ++i) {
    for (int which = 0; which < 3; ++which) {
      size_t arg_count = which != 1 ? counts[i] : 1, result_count = which != 0 ? counts[i] : 1;
      own wasm_valtype_vec_t params, results;
      wasm_valtype_vec_new_uninitialized(&params, arg_count);
      wasm_valtype_vec_new_uninitialized(&results, result_count);
      for (size_t j = 0; j < arg_count; ++j) params.data[j] = wasm_valtype_new_i64();
      for (size_t j = 0; j < result_count; ++j) results.data[j] = wasm_valtype_new_i64();
      own wasm_functype_t* type = wasm_functype_new(&params, &results);
      REQUIRE(type != NULL);
      int calls = 0;
      tenon_last_error_clear();
      own wasm_func_t* func = wasm_func_new_with_env(store, type, host_many, &calls, NULL);
      wasm_functype_delete(type);
      CHECK((func != NULL) == (counts[i] <= 1000));
      if (func == NULL) CHECK(error_says("at most 1000"));
      if (func == NULL) continue;
      own wasm_val_vec_t arg_vec, result_vec;
      wasm_val_vec_new_uninitialized(&arg_vec, arg_count);
      wasm_val_vec_new_uninitialized(&result_vec, result_count);
      for (size_t j = 0; j < arg_count; ++j) arg_vec.data[j] = (wasm_val_t)WASM_I64_VAL(2);
      for (size_t j = 0; j < result_count; ++j) result_vec.data[j] = (wasm_val_t)WASM_I64_VAL(0);
      own wasm_trap_t* trap = wasm_func_call(func, &arg_vec, &result_vec);
      if (trap == NULL) {
        CHECK(calls == 1);
        CHECK(result_vec.data[result_count - 1].of.i64 == (int64_t)(2 * arg_count + result_count - 1));
      } else {
        CHECK(calls == 0);
        CHECK(trap_says(trap, "stack"));
      }
      wasm_val_vec_delete(&arg_vec);
      wasm_val_vec_delete(&result_vec);
      wasm_func_delete(func);
    }
  }
  wasm_store_delete(store);
  return NULL;
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  run(engine);
  test_widest(engine);
  pthread_attr_t small;
  pthread_attr_init(&small);
  REQUIRE(pthread_attr_setstacksize(&small, 256 * 1024) == 0);
  void* (*const works[])(void*) = {run_on_thread, test_widest};
  for (size_t i = 0; i < 2; ++i) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, &small, works[i], engine) == 0);
    pthread_join(thread, NULL);
  }
  pthread_attr_destroy(&small);
  wasm_engine_delete(engine);
  return check_done();
}
