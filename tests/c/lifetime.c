// Who lives how long: deletion in every order, copies and identity, host info, finalizers exactly once.

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"f\" (func $f))\n"
  "  (memory (export \"memory\") 1)\n"
  "  (table (export \"table\") 2 externref)\n"
  "  (global (export \"global\") (mut externref) (ref.null extern))\n"
  "  (func (export \"run\") (call $f))\n"
  "  (func (export \"fail\") unreachable))\n";

enum { ENGINE, STORE, MODULE, INSTANCE, EXPORTS, TRAP, KINDS };

static own wasm_trap_t* host_env(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)env;
  (void)args;
  (void)results;
  return NULL;
}

// Makes one of everything and deletes it in the order given. Four finalizers are counted: of a host
// function's environment, and of the host info of an instance, of a memory and of a foreign object that
// only a table of the guest holds.
static void delete_in_order(const int order[KINDS]) {
  int finalized = 0;
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store, text);
  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* func =
    wasm_func_new_with_env(store, type, host_env, &finalized, count_finalization);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  REQUIRE(instance != NULL);
  wasm_func_delete(func);
  wasm_instance_set_host_info_with_finalizer(instance, &finalized, count_finalization);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  REQUIRE(exports.size == 5);
  wasm_memory_set_host_info_with_finalizer(
    wasm_extern_as_memory(exports.data[0]), &finalized, count_finalization);
  own wasm_foreign_t* object = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(object, &finalized, count_finalization);
  CHECK(wasm_table_set(wasm_extern_as_table(exports.data[1]), 0, wasm_foreign_as_ref(object)));
  wasm_foreign_delete(object);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  CHECK(wasm_func_call(wasm_extern_as_func(exports.data[3]), &none, &none) == NULL);
  own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func(exports.data[4]), &none, &none);
  REQUIRE(trap != NULL);
  CHECK(finalized == 0);

  for (int i = 0; i < KINDS; ++i) {
    switch (order[i]) {
      case ENGINE: wasm_engine_delete(engine); break;
      case STORE: wasm_store_delete(store); break;
      case MODULE: wasm_module_delete(module); break;
      case INSTANCE: wasm_instance_delete(instance); break;
      case EXPORTS: wasm_extern_vec_delete(&exports); break;
      case TRAP: wasm_trap_delete(trap); break;
    }
  }
  CHECK(finalized == 4);
}

static void test_orders(void) {
  // All 720 orders, or each 24th of them.
  int order[KINDS], count = 0, step = rounds(1, 24);
  for (int number = 0; number < 720; number += step) {
    int left[KINDS] = {ENGINE, STORE, MODULE, INSTANCE, EXPORTS, TRAP}, rest = number;
    for (int i = 0; i < KINDS; ++i) {
      int choice = rest % (KINDS - i);
      rest /= KINDS - i;
      order[i] = left[choice];
      memmove(&left[choice], &left[choice + 1], (size_t)(KINDS - i - choice - 1) * sizeof(int));
    }
    delete_in_order(order);
    ++count;
  }
  CHECK(count == 720 / step);
}

// What is left when the store is gone may still be asked and called, with an answer that is no crash.
static void test_use_after_store(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_instance_t* instance = instance_of(store,
    "(module (memory (export \"m\") 1) (func (export \"f\") (result i32) (i32.const 3)))");
  own wasm_extern_t* memory = export_of(instance, 0);
  own wasm_func_t* func = func_of(instance, 1);
  wasm_store_delete(store);
  wasm_engine_delete(engine);

  int32_t result = 0;
  own wasm_trap_t* trap = call_i32s(func, 0, NULL, &result);
  CHECK(trap != NULL || result == 3);
  if (trap != NULL) wasm_trap_delete(trap);
  (void)wasm_memory_grow(wasm_extern_as_memory(memory), 1);
  (void)wasm_memory_data(wasm_extern_as_memory(memory));
  own wasm_functype_t* type = wasm_func_type(func);
  wasm_functype_delete(type);
  wasm_func_delete(func);
  wasm_extern_delete(memory);
  wasm_instance_delete(instance);
}

// Exports keep what they need alive.
static void test_exports_keep_their_instance(wasm_store_t* store) {
  own wasm_instance_t* instance = instance_of(store,
    "(module (memory (export \"m\") 1) (global $g (mut i32) (i32.const 40))\n"
    "  (func (export \"next\") (result i32)\n"
    "    (global.set $g (i32.add (global.get $g) (i32.const 1)))\n"
    "    (i32.store (i32.const 0) (global.get $g)) (global.get $g)))");
  own wasm_func_t* next = func_of(instance, 1);
  own wasm_extern_t* memory = export_of(instance, 0);
  wasm_instance_delete(instance);
  CHECK(returns(next, 41));
  CHECK(returns(next, 42));
  int32_t word;
  memcpy(&word, wasm_memory_data(wasm_extern_as_memory(memory)), sizeof(word));
  CHECK(word == 42);
  wasm_func_delete(next);
  memcpy(&word, wasm_memory_data(wasm_extern_as_memory(memory)), sizeof(word));
  CHECK(word == 42);
  wasm_extern_delete(memory);
}

// Copies and conversions are the same object; other objects are not.
static void test_identity(wasm_store_t* store) {
  own wasm_func_t* nothing = new_nothing(store);
  own wasm_instance_t* one =
    instance_with(store, text, 1, (wasm_extern_t*[]){wasm_func_as_extern(nothing)});
  wasm_func_delete(nothing);
  own wasm_instance_t* two = wasm_instance_copy(one);
  CHECK(wasm_instance_same(one, two));
  own wasm_extern_vec_t first, second;
  wasm_instance_exports(one, &first);
  wasm_instance_exports(two, &second);
  for (size_t i = 0; i < first.size; ++i) {
    CHECK(wasm_extern_same(first.data[i], second.data[i]));
    for (size_t j = 0; j < first.size; ++j) {
      CHECK(wasm_extern_same(first.data[i], first.data[j]) == (i == j));
    }
  }
  wasm_memory_t* memory = wasm_extern_as_memory(first.data[0]);
  CHECK(wasm_memory_same(memory, wasm_extern_as_memory(second.data[0])));
  CHECK(wasm_extern_as_table(first.data[0]) == NULL);
  CHECK(wasm_extern_as_func(first.data[0]) == NULL);
  CHECK(wasm_ref_same(wasm_memory_as_ref(memory), wasm_extern_as_ref(second.data[0])));
  CHECK(wasm_ref_as_memory(wasm_memory_as_ref(memory)) != NULL);
  CHECK(wasm_memory_same(wasm_ref_as_memory(wasm_extern_as_ref(first.data[0])), memory));
  CHECK(wasm_ref_as_func(wasm_memory_as_ref(memory)) == NULL);
  CHECK(wasm_ref_as_instance(wasm_memory_as_ref(memory)) == NULL);

  // Host info belongs to the object, not to the handle.
  int here = 0, there = 0;
  wasm_memory_set_host_info(memory, &here);
  CHECK(wasm_memory_get_host_info(wasm_extern_as_memory(second.data[0])) == &here);
  CHECK(wasm_extern_get_host_info(second.data[0]) == &here);
  CHECK(wasm_ref_get_host_info(wasm_memory_as_ref(memory)) == &here);
  CHECK(wasm_instance_get_host_info(one) == NULL);
  wasm_instance_set_host_info(two, &there);
  CHECK(wasm_instance_get_host_info(one) == &there);
  wasm_extern_vec_delete(&first);
  wasm_extern_vec_delete(&second);
  wasm_instance_delete(one);
  wasm_instance_delete(two);
}

// A finalizer runs once: for the host info that is replaced, and for the last one with its object.
static void test_host_info(wasm_engine_t* engine) {
  int replaced = 0, last = 0, trap_info = 0, module_info = 0;
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_foreign_t* object = wasm_foreign_new(store);
  own wasm_foreign_t* copy = wasm_foreign_copy(object);
  wasm_foreign_set_host_info_with_finalizer(object, &replaced, count_finalization);
  CHECK(wasm_foreign_get_host_info(copy) == &replaced);
  wasm_foreign_set_host_info_with_finalizer(copy, &last, count_finalization);
  CHECK(replaced == 1 && last == 0);
  CHECK(wasm_foreign_get_host_info(object) == &last);
  wasm_foreign_delete(object);
  CHECK(last == 0);
  wasm_foreign_delete(copy);

  own wasm_trap_t* trap = new_trap(store, "message");
  wasm_trap_set_host_info_with_finalizer(trap, &trap_info, count_finalization);
  own wasm_trap_t* second = wasm_trap_copy(trap);
  CHECK(wasm_trap_same(trap, second));
  wasm_trap_delete(trap);
  CHECK(trap_says(second, "message"));

  own wasm_module_t* module = module_of(store, "(module)");
  wasm_module_set_host_info_with_finalizer(module, &module_info, count_finalization);
  wasm_module_delete(module);

  wasm_store_delete(store);
  CHECK(replaced == 1 && last == 1 && trap_info == 1 && module_info == 1);
}

// A finalizer may use the API of another store, and delete handles of its own.
typedef struct {
  wasm_store_t* other;
  wasm_foreign_t* held;
  int calls;
} tidy_t;

static void tidy(void* data) {
  tidy_t* work = data;
  ++work->calls;
  wasm_foreign_delete(work->held);
  own wasm_foreign_t* fresh = wasm_foreign_new(work->other);
  CHECK(fresh != NULL);
  wasm_foreign_delete(fresh);
}

static void test_busy_finalizer(wasm_engine_t* engine) {
  int finalized = 0;
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_store_t* other = wasm_store_new(engine);
  tidy_t work = {.other = other, .held = wasm_foreign_new(store), .calls = 0};
  wasm_foreign_set_host_info_with_finalizer(work.held, &finalized, count_finalization);
  own wasm_foreign_t* owner = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(owner, &work, tidy);
  wasm_foreign_delete(owner);
  wasm_store_delete(store);
  CHECK(work.calls == 1 && finalized == 1);
  wasm_store_delete(other);
}

enum { THREADS = 4, HELD = 16 };

static atomic_int released;
static pthread_barrier_t barrier;

static void count_release(void* data) {
  (void)data;
  atomic_fetch_add(&released, 1);
}

static void* release_all(void* data) {
  wasm_foreign_t** held = data;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < HELD; ++i) wasm_foreign_delete(held[i]);
  return NULL;
}

// What is left of a store that is deleted may be released by several threads at once.
static void test_release_by_threads(wasm_engine_t* engine) {
  int count = rounds(300, 10);
  REQUIRE(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
  for (int round = 1; round <= count; ++round) {
    own wasm_store_t* store = wasm_store_new(engine);
    wasm_foreign_t* held[THREADS][HELD];
    for (int i = 0; i < THREADS * HELD; ++i) {
      own wasm_foreign_t* foreign = wasm_foreign_new(store);
      REQUIRE(foreign != NULL);
      wasm_foreign_set_host_info_with_finalizer(foreign, NULL, count_release);
      held[i / HELD][i % HELD] = foreign;
    }
    wasm_store_delete(store);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) REQUIRE(pthread_create(&threads[i], NULL, release_all, held[i]) == 0);
    for (int i = 0; i < THREADS; ++i) REQUIRE(pthread_join(threads[i], NULL) == 0);
    CHECK(atomic_load(&released) == round * THREADS * HELD);
  }
  pthread_barrier_destroy(&barrier);
}

typedef struct {
  own wasm_func_t* func;
  wasm_foreign_t** held;
  wasm_func_t* inner;
} caller_t;

// Calls back into the store, and gives up something of it, while other threads do the same.
static own wasm_trap_t* call_inside(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  caller_t* caller = env;
  (void)args;
  results->data[0] = (wasm_val_t)WASM_I32_VAL(7);
  CHECK(returns(caller->inner, 5));
  return NULL;
}

static void* call_all(void* data) {
  caller_t* caller = data;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < HELD; ++i) {
    CHECK(returns(caller->func, 7));
    // A trap is a new object of the store, and goes again.
    own wasm_trap_t* trap = call_i32s(caller->func, 1, (int32_t[]){1}, NULL);
    CHECK(trap != NULL);
    wasm_trap_delete(trap);
    wasm_foreign_delete(caller->held[i]);
  }
  return NULL;
}

// A function of a store that is deleted is called by one thread, while others release what is left of it.
static void test_calls_and_releases(wasm_engine_t* engine) {
  int count = rounds(300, 10);
  REQUIRE(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
  for (int round = 0; round < count; ++round) {
    int before = atomic_load(&released);
    own wasm_store_t* store = wasm_store_new(engine);
    caller_t caller = {0};
    own wasm_instance_t* instance = instance_of(store, "(module (func (export \"f\") (result i32) (i32.const 5)))");
    caller.inner = func_of(instance, 0);
    wasm_instance_delete(instance);
    own wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    own wasm_func_t* host = wasm_func_new_with_env(store, type, call_inside, &caller, count_release);
    wasm_functype_delete(type);
    wasm_extern_t* imports[] = {wasm_func_as_extern(host)};
    instance = instance_with(store,
      "(module (import \"\" \"\" (func $host (result i32))) (func (export \"f\") (result i32) (call $host)))", 1, imports);
    caller.func = func_of(instance, 0);
    wasm_instance_delete(instance);
    wasm_func_delete(host);
    wasm_foreign_t* held[THREADS][HELD];
    for (int i = 0; i < THREADS * HELD; ++i) {
      held[i / HELD][i % HELD] = wasm_foreign_new(store);
      wasm_foreign_set_host_info_with_finalizer(held[i / HELD][i % HELD], NULL, count_release);
    }
    caller.held = held[0];
    wasm_store_delete(store);
    pthread_t threads[THREADS];
    REQUIRE(pthread_create(&threads[0], NULL, call_all, &caller) == 0);
    for (int i = 1; i < THREADS; ++i) REQUIRE(pthread_create(&threads[i], NULL, release_all, held[i]) == 0);
    for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
    CHECK(returns(caller.func, 7));
    CHECK(atomic_load(&released) == before + THREADS * HELD);
    wasm_func_delete(caller.func);
    wasm_func_delete(caller.inner);
    // The end of all, and of the host function.
    CHECK(atomic_load(&released) == before + THREADS * HELD + 1);
  }
  pthread_barrier_destroy(&barrier);
}

static atomic_int finalizing, overlaps;

static void finalize_slowly(void* data) {
  (void)data;
  atomic_store(&finalizing, 1);
  nanosleep(&(struct timespec){0, 30000000}, NULL);
  atomic_store(&finalizing, 0);
}

static own wasm_trap_t* note_overlap(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args, (void)results;
  if (atomic_load(&finalizing)) atomic_fetch_add(&overlaps, 1);
  return NULL;
}

static void* release_one(void* data) {
  wasm_foreign_delete(data);
  return NULL;
}

// Who calls a function of a deleted store waits for whoever is busy with its end.
static void test_call_waits(wasm_engine_t* engine) {
  for (int i = 0; i < 3; ++i) {
    own wasm_store_t* store = wasm_store_new(engine);
    own wasm_functype_t* type = wasm_functype_new_0_0();
    own wasm_func_t* func = wasm_func_new(store, type, note_overlap);
    wasm_functype_delete(type);
    own wasm_foreign_t* foreign = wasm_foreign_new(store);
    wasm_foreign_set_host_info_with_finalizer(foreign, NULL, finalize_slowly);
    CHECK(call_i32s(func, 0, NULL, NULL) == NULL);
    wasm_store_delete(store);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, release_one, foreign) == 0);
    while (atomic_load(&finalizing) == 0) sched_yield();
    CHECK(call_i32s(func, 0, NULL, NULL) == NULL);
    CHECK(atomic_load(&overlaps) == 0);
    pthread_join(thread, NULL);
    wasm_func_delete(func);
  }
}

int main(void) {
  test_orders();
  test_use_after_store();
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_exports_keep_their_instance(store);
  test_identity(store);
  test_host_info(engine);
  test_busy_finalizer(engine);
  test_release_by_threads(engine);
  test_calls_and_releases(engine);
  test_call_waits(engine);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
