// Threads: modules shared between stores that run at the same time, engines and modules deleted
// elsewhere, and a store that is used by a second thread while the first is inside of it.

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <semaphore.h>

#include "test_util.h"

enum { THREADS = 8 };

static const char text[] =
  "(module\n"
  "  (import \"env\" \"id\" (func $id (result i32)))\n"
  "  (memory 1)\n"
  "  (func $fib (param i32) (result i32)\n"
  "    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))\n"
  "      (then (local.get 0))\n"
  "      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))\n"
  "                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))\n"
  "  (func (export \"run\") (result i32)\n"
  "    (i32.store (i32.const 64) (call $fib (i32.const 15)))\n"
  "    (i32.add (i32.load (i32.const 64)) (call $id)))\n"
  "  (func (export \"fail\") (drop (i32.load (i32.const -4)))))\n";

typedef struct {
  wasm_engine_t* engine;
  const wasm_shared_module_t* shared;
  pthread_barrier_t* together;
  int32_t id;
} work_t;

static own wasm_trap_t* host_id(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  results->data[0] = (wasm_val_t)WASM_I32_VAL(((work_t*)env)->id);
  return NULL;
}

static void* run(void* arg) {
  work_t* work = arg;
  // All at once, so that functions are called for the first time on several threads.
  pthread_barrier_wait(work->together);
  for (int i = 0; i < rounds(50, 3); ++i) {
    own wasm_store_t* store = wasm_store_new(work->engine);
    own wasm_module_t* module = wasm_module_obtain(store, work->shared);
    REQUIRE(module != NULL);
    own wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    own wasm_func_t* id = wasm_func_new_with_env(store, type, host_id, work, NULL);
    wasm_functype_delete(type);
    wasm_extern_t* externs[] = {wasm_func_as_extern(id)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
    own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    REQUIRE(instance != NULL);
    own wasm_func_t* func = func_of(instance, 0);
    own wasm_func_t* fail = func_of(instance, 1);
    CHECK(returns(func, 610 + work->id));
    CHECK(trap_says(call_i32s(fail, 0, NULL, NULL), "out of bounds"));
    wasm_func_delete(func);
    wasm_func_delete(fail);
    wasm_func_delete(id);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
    wasm_store_delete(store);
  }
  return NULL;
}

static void test_shared_module(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store, text);
  own wasm_shared_module_t* shared = wasm_module_share(module);
  REQUIRE(shared != NULL);
  wasm_module_delete(module);
  wasm_store_delete(store);

  pthread_barrier_t together;
  pthread_barrier_init(&together, NULL, THREADS);
  pthread_t threads[THREADS];
  work_t work[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    work[i] = (work_t){engine, shared, &together, i};
    REQUIRE(pthread_create(&threads[i], NULL, run, &work[i]) == 0);
  }
  for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&together);
  wasm_shared_module_delete(shared);
  wasm_engine_delete(engine);
}

// A shared module is of its engine: another one refuses it, or takes it as its own.
static void test_other_engine(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_engine_t* other = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_store_t* foreign = wasm_store_new(other);
  own wasm_module_t* module = module_of(store, "(module)");
  own wasm_shared_module_t* shared = wasm_module_share(module);
  tenon_last_error_clear();
  own wasm_module_t* obtained = wasm_module_obtain(foreign, shared);
  if (obtained != NULL) {
    wasm_extern_vec_t imports = WASM_EMPTY_VEC;
    own wasm_instance_t* instance = wasm_instance_new(foreign, obtained, &imports, NULL);
    CHECK(instance != NULL);
    wasm_instance_delete(instance);
    wasm_module_delete(obtained);
  } else {
    CHECK(error_says("engine"));
  }
  wasm_shared_module_delete(shared);
  wasm_module_delete(module);
  wasm_store_delete(foreign);
  wasm_store_delete(store);
  wasm_engine_delete(other);
  wasm_engine_delete(engine);
}

// One thread waits inside a callback; meanwhile another one tries to use the same store.
typedef struct {
  wasm_store_t* store;
  wasm_func_t* func;
  wasm_module_t* module;
  sem_t inside, leave;
} busy_t;

static own wasm_trap_t* host_wait(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  busy_t* busy = env;
  sem_post(&busy->inside);
  sem_wait(&busy->leave);
  return NULL;
}

static void* intrude(void* arg) {
  busy_t* busy = arg;
  sem_wait(&busy->inside);
  CHECK(trap_says(call_i32s(busy->func, 0, NULL, NULL), "thread"));
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  tenon_last_error_clear();
  CHECK(wasm_instance_new(busy->store, busy->module, &imports, NULL) == NULL);
  CHECK(error_says("thread"));
  sem_post(&busy->leave);
  return NULL;
}

static void test_busy_store(void) {
  busy_t busy;
  own wasm_engine_t* engine = new_engine();
  busy.store = wasm_store_new(engine);
  sem_init(&busy.inside, 0, 0);
  sem_init(&busy.leave, 0, 0);
  busy.module = module_of(busy.store, "(module)");
  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* wait = wasm_func_new_with_env(busy.store, type, host_wait, &busy, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(wait)};
  own wasm_instance_t* instance = instance_with(busy.store,
    "(module (import \"env\" \"wait\" (func $wait)) (func (export \"f\") (call $wait)))", 1, imports);
  busy.func = func_of(instance, 0);

  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, intrude, &busy) == 0);
  CHECK(call_i32s(busy.func, 0, NULL, NULL) == NULL);
  pthread_join(thread, NULL);

  // When the first thread is out, the store may be used again.
  sem_post(&busy.leave);
  CHECK(call_i32s(busy.func, 0, NULL, NULL) == NULL);
  wasm_func_delete(busy.func);
  wasm_func_delete(wait);
  wasm_instance_delete(instance);
  wasm_module_delete(busy.module);
  wasm_store_delete(busy.store);
  wasm_engine_delete(engine);
  sem_destroy(&busy.inside);
  sem_destroy(&busy.leave);
}

// A store moves from thread to thread, one after the other; the last one deletes it.
static void* use_and_delete(void* arg) {
  busy_t* busy = arg;
  CHECK(returns(busy->func, 5));
  CHECK(trap_says(new_trap(busy->store, "moved"), "moved"));
  wasm_func_delete(busy->func);
  wasm_store_delete(busy->store);
  return NULL;
}

static void test_moved_store(void) {
  busy_t busy;
  own wasm_engine_t* engine = new_engine();
  busy.store = wasm_store_new(engine);
  own wasm_instance_t* instance =
    instance_of(busy.store, "(module (func (export \"f\") (result i32) (i32.const 5)))");
  busy.func = func_of(instance, 0);
  wasm_instance_delete(instance);
  CHECK(returns(busy.func, 5));
  wasm_engine_delete(engine);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, use_and_delete, &busy) == 0);
  pthread_join(thread, NULL);
}

int main(void) {
  test_shared_module();
  test_other_engine();
  test_busy_store();
  test_moved_store();
  return check_done();
}
