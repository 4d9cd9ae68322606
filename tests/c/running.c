// While code runs: handles, modules, stores and engines are deleted in the middle of a call, objects that only
// a frame knows survive every collection, finalizers call back, handles are dropped by other threads.

#include <pthread.h>

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"give\" (func $give (result externref)))\n"
  "  (import \"env\" \"work\" (func $work))\n"
  "  (import \"env\" \"take\" (func $take (param externref i32)))\n"
  "  (import \"env\" \"func\" (func $func (result funcref)))\n"
  "  (table $t 1 funcref) (table $objects 1 externref)\n"
  "  (global $held (mut externref) (ref.null extern))\n"
  // 0: five objects that nobody but this frame knows, alive while the host works, in the right order.
  "  (func (export \"hold\")\n"
  "    (local $a externref) (local $b externref) (local $c externref) (local $d externref)\n"
  "    (local.set $a (call $give)) (local.set $b (call $give)) (local.set $c (call $give))\n"
  "    (local.set $d (call $give))\n"
  "    (call $give) (i32.const 4)\n"
  "    (call $work)\n"
  "    (call $take)\n"
  "    (call $take (local.get $d) (i32.const 3))\n"
  "    (call $work)\n"
  "    (call $take (local.get $c) (i32.const 2)) (call $take (local.get $b) (i32.const 1))\n"
  "    (call $take (local.get $a) (i32.const 0)))\n"
  // 1: a function that only the stack knows is called after the work.
  "  (func (export \"call\") (local $f funcref)\n"
  "    (local.set $f (call $func))\n"
  "    (call $work)\n"
  "    (table.set $t (i32.const 0) (local.get $f))\n"
  "    (call_indirect $t (i32.const 0))\n"
  "    (table.set $t (i32.const 0) (ref.null func)))\n"
  // 2: through a table and a global of the guest
  "  (func (export \"store\")\n"
  "    (table.set $objects (i32.const 0) (call $give)) (global.set $held (call $give))\n"
  "    (call $work)\n"
  "    (call $take (global.get $held) (i32.const 1))\n"
  "    (call $take (table.get $objects (i32.const 0)) (i32.const 0))\n"
  "    (global.set $held (ref.null extern)) (table.set $objects (i32.const 0) (ref.null extern)))\n"
  // 3: just work; 4: an answer
  "  (func (export \"work\") (call $work))\n"
  "  (func (export \"seven\") (result i32) (i32.const 7)))\n";

enum { HOLD, CALL, STORE, WORK, SEVEN, FUNCS };

typedef struct {
  own wasm_engine_t* engine;
  own wasm_store_t* store;
  own wasm_module_t* module;
  own wasm_instance_t* instance;
  own wasm_func_t* funcs[FUNCS];
  own wasm_func_t* imports[4];
  int given, taken, finalized, env_finalized, called;
  void (*job)(void*);
} world_t;

// The host info of an object that is given to the guest: which of its call it is; -1 when finalized.
static int numbers[128];

static void finalize_number(void* number) {
  CHECK(*(int*)number >= 0);
  *(int*)number = -1;
}

static own wasm_trap_t* host_give(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  world_t* world = env;
  int* number = &numbers[world->given % 128];
  *number = world->given++;
  own wasm_foreign_t* object = wasm_foreign_new(world->store);
  wasm_foreign_set_host_info_with_finalizer(object, number, finalize_number);
  results->data[0] = (wasm_val_t)WASM_REF_VAL(wasm_foreign_as_ref(object));
  return NULL;
}

static own wasm_trap_t* host_take(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  ++((world_t*)env)->taken;
  const wasm_ref_t* ref = args->data[0].of.ref;
  CHECK(ref != NULL);
  if (ref == NULL) return NULL;
  const int* number = wasm_ref_get_host_info(ref);
  CHECK(number != NULL && *number == args->data[1].of.i32);
  return NULL;
}

static own wasm_trap_t* host_work(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  world_t* world = env;
  world->job(world);
  return NULL;
}

static own wasm_trap_t* host_called(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  ++((world_t*)env)->called;
  return NULL;
}

static void env_finalizer(void* env) { ++((world_t*)env)->env_finalized; }

static own wasm_trap_t* host_func(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  world_t* world = env;
  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* func =
    wasm_func_new_with_env(world->store, type, host_called, world, env_finalizer);
  wasm_functype_delete(type);
  results->data[0].kind = WASM_FUNCREF;
  results->data[0].of.ref = wasm_func_as_ref(func);
  return NULL;
}

static void make_world(world_t* world) {
  *world = (world_t){.engine = new_engine()};
  world->store = wasm_store_new(world->engine);
  world->module = module_of(world->store, text);
  own wasm_importtype_vec_t types;
  wasm_module_imports(world->module, &types);
  wasm_func_callback_with_env_t callbacks[] = {host_give, host_work, host_take, host_func};
  wasm_extern_t* externs[4];
  for (size_t i = 0; i < 4; ++i) {
    world->imports[i] = wasm_func_new_with_env(world->store,
      wasm_externtype_as_functype_const(wasm_importtype_type(types.data[i])), callbacks[i], world, NULL);
    externs[i] = wasm_func_as_extern(world->imports[i]);
  }
  wasm_importtype_vec_delete(&types);
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  world->instance = wasm_instance_new(world->store, world->module, &imports, NULL);
  REQUIRE(world->instance != NULL);
  for (size_t i = 0; i < FUNCS; ++i) world->funcs[i] = func_of(world->instance, i);
}

static void drop_funcs(world_t* world) {
  for (size_t i = 0; i < FUNCS; ++i) {
    if (world->funcs[i] != NULL) wasm_func_delete(world->funcs[i]);
    world->funcs[i] = NULL;
  }
}

// Deletes whatever is left of a world.
static void drop_world(world_t* world) {
  drop_funcs(world);
  for (size_t i = 0; i < 4; ++i) {
    if (world->imports[i] != NULL) wasm_func_delete(world->imports[i]);
    world->imports[i] = NULL;
  }
  if (world->instance != NULL) wasm_instance_delete(world->instance);
  if (world->module != NULL) wasm_module_delete(world->module);
  if (world->store != NULL) wasm_store_delete(world->store);
  if (world->engine != NULL) wasm_engine_delete(world->engine);
  world->instance = NULL;
  world->module = NULL;
  world->store = NULL;
  world->engine = NULL;
}

static own wasm_trap_t* call(const wasm_func_t* func) { return call_i32s(func, 0, NULL, NULL); }

// So much garbage that every policy of collecting has reason to.
static void job_garbage(void* data) {
  world_t* world = data;
  own wasm_table_t* table = new_table(world->store, WASM_EXTERNREF, 1, 1);
  for (int i = 0; i < rounds(3000, 300); ++i) {
    own wasm_foreign_t* object = wasm_foreign_new(world->store);
    CHECK(wasm_table_set(table, 0, wasm_foreign_as_ref(object)));
    wasm_foreign_delete(object);
  }
  wasm_table_delete(table);
  tenon_store_gc(world->store);
}

static void test_frames_hold(void) {
  world_t world;
  make_world(&world);
  world.job = job_garbage;
  for (int i = 0; i < rounds(20, 3); ++i) {
    world.given = world.taken = 0;
    CHECK(call(world.funcs[HOLD]) == NULL);
    CHECK(world.taken == 5);
    // So that the numbers can be used again.
    tenon_store_gc(world.store);
    CHECK(call(world.funcs[CALL]) == NULL);
    CHECK(world.called == i + 1);
    world.given = 0;
    CHECK(call(world.funcs[STORE]) == NULL);
    CHECK(world.taken == 7);
    tenon_store_gc(world.store);
    for (int j = 0; j < 5; ++j) CHECK(numbers[j] == -1);
  }
  tenon_store_gc(world.store);
  CHECK(world.env_finalized == world.called);
  drop_world(&world);
  CHECK(world.env_finalized == world.called);
}

// Everything that can be deleted is deleted by a callback of the very instance.
static void job_delete_all(void* data) {
  world_t* world = data;
  drop_world(world);
}

static void job_delete_handles(void* data) {
  world_t* world = data;
  drop_funcs(world);
  wasm_instance_delete(world->instance);
  wasm_module_delete(world->module);
  world->instance = NULL;
  world->module = NULL;
  job_garbage(world);
}

static void test_deleted_inside(void) {
  static void (*const jobs[])(void*) = {job_delete_all, job_delete_handles};
  for (size_t i = 0; i < 2; ++i) {
    world_t world;
    make_world(&world);
    int finalized = 0;
    wasm_instance_set_host_info_with_finalizer(world.instance, &finalized, count_finalization);
    world.job = jobs[i];
    // The callee's own handle may be deleted while it runs.
    CHECK(call(world.funcs[WORK]) == NULL);
    drop_world(&world);
    CHECK(finalized == 1);
  }
}

// Finalizers run code of their own store.
typedef struct {
  own wasm_func_t* func;
  int calls;
} late_t;

static void call_late(void* data) {
  late_t* late = data;
  ++late->calls;
  CHECK(returns(late->func, 7));
  wasm_func_delete(late->func);
}

static void job_drop_late(void* data) {
  world_t* world = data;
  static late_t late[50];
  for (int i = 0; i < 50; ++i) {
    own wasm_foreign_t* object = wasm_foreign_new(world->store);
    late[i] = (late_t){.func = wasm_func_copy(world->funcs[SEVEN]), .calls = 0};
    wasm_foreign_set_host_info_with_finalizer(object, &late[i], call_late);
    wasm_foreign_delete(object);
  }
  tenon_store_gc(world->store);
  world->taken = 0;
  for (int i = 0; i < 50; ++i) world->taken += late[i].calls;
  CHECK(world->taken <= 50);
}

static void test_finalizers_call(void) {
  world_t world;
  make_world(&world);
  world.job = job_drop_late;
  CHECK(call(world.funcs[WORK]) == NULL);
  job_drop_late(&world);
  CHECK(world.taken == 50);
  drop_world(&world);
}

// Other threads drop handles while the store's thread runs.
typedef struct {
  own wasm_foreign_t* objects[200];
  pthread_t thread;
} drops_t;

static void* drop_all(void* data) {
  drops_t* drops = data;
  for (size_t i = 0; i < 200; ++i) wasm_foreign_delete(drops->objects[i]);
  return NULL;
}

static void job_drop_elsewhere(void* data) {
  world_t* world = data;
  drops_t drops[4];
  for (size_t t = 0; t < 4; ++t) {
    for (size_t i = 0; i < 200; ++i) {
      // Every second thread drops another handle to the same objects.
      drops[t].objects[i] = t % 2 == 1 ? wasm_foreign_copy(drops[t - 1].objects[i])
                                       : wasm_foreign_new(world->store);
      if (t % 2 == 0) {
        wasm_foreign_set_host_info_with_finalizer(
          drops[t].objects[i], &world->finalized, count_finalization);
      }
    }
  }
  for (size_t t = 0; t < 4; ++t) {
    REQUIRE(pthread_create(&drops[t].thread, NULL, drop_all, &drops[t]) == 0);
  }
  for (int i = 0; i < 200; ++i) CHECK(returns(world->funcs[SEVEN], 7));
  for (size_t t = 0; t < 4; ++t) pthread_join(drops[t].thread, NULL);
}

static void test_dropped_elsewhere(void) {
  world_t world;
  make_world(&world);
  world.job = job_drop_elsewhere;
  for (int i = 0; i < rounds(20, 3); ++i) {
    world.finalized = 0;
    CHECK(call(world.funcs[WORK]) == NULL);
    tenon_store_gc(world.store);
    CHECK(world.finalized == 400);
  }
  world.finalized = 0;
  job_drop_elsewhere(&world);
  drop_world(&world);
  CHECK(world.finalized == 400);
}

int main(void) {
  test_frames_hold();
  test_deleted_inside();
  test_finalizers_call();
  test_dropped_elsewhere();
  return check_done();
}
