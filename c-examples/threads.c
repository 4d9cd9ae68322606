// One module on several threads.
//
// Engines may be used by all threads at once. A store, and everything that belongs to it, belongs to
// one thread at a time. A module is compiled once, shared, and obtained by each thread for its store.

#include <pthread.h>

#include "example_util.h"

enum { THREADS = 4, NUMBERS_EACH = 5000 };

typedef struct {
  wasm_engine_t* engine;
  const wasm_shared_module_t* shared;
  int32_t first;
  int32_t primes;
} work_t;

// The environment is the thread's own work: no lock is needed.
static own wasm_trap_t* report(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  work_t* work = env;
  work->primes = args->data[0].of.i32;
  return NULL;
}

static void* run(void* arg) {
  work_t* work = arg;
  own wasm_store_t* store = wasm_store_new(work->engine);
  own wasm_module_t* module = wasm_module_obtain(store, work->shared);
  if (module == NULL) fail("obtaining the module");

  own wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  own wasm_func_t* report_func = wasm_func_new_with_env(store, type, report, work, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(report_func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  wasm_func_delete(report_func);

  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_val_t values[] = {WASM_I32_VAL(work->first), WASM_I32_VAL(work->first + NUMBERS_EACH)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(values);
  wasm_val_vec_t no_results = WASM_EMPTY_VEC;
  fail_if_trapped(
    wasm_func_call(find_func(module, &exports, "count_primes"), &args, &no_results));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return NULL;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();

  // The store in which the module is compiled can go once the module is shared.
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "threads.wasm"));
  own wasm_shared_module_t* shared = wasm_module_share(module);
  wasm_module_delete(module);
  wasm_store_delete(store);

  pthread_t threads[THREADS];
  work_t work[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    work[i] = (work_t){.engine = engine, .shared = shared, .first = i * NUMBERS_EACH, .primes = 0};
    if (pthread_create(&threads[i], NULL, run, &work[i]) != 0) exit(1);
  }

  int32_t total = 0;
  for (int i = 0; i < THREADS; ++i) {
    pthread_join(threads[i], NULL);
    printf("%" PRId32 " primes from %" PRId32 " to %" PRId32 "\n", work[i].primes, work[i].first,
           work[i].first + NUMBERS_EACH - 1);
    total += work[i].primes;
  }
  printf("%" PRId32 " primes in all\n", total);

  wasm_shared_module_delete(shared);
  wasm_engine_delete(engine);
  return 0;
}
