// Finalizers at scale: 200,000 instances in a store, each with host info, deleted at once by the host;
// two stores at work in turn. When a store is gone, each finalizer of its instances has run once.

#include "test_util.h"

typedef struct {
  int live;
  unsigned char* seen;  // how often each finalizer has run
} ledger_t;

typedef struct {
  ledger_t* ledger;
  int number;
} entry_t;

static void finalize(void* data) {
  entry_t* entry = data;
  --entry->ledger->live;
  ++entry->ledger->seen[entry->number];
}

static void make_instances(
  wasm_store_t* store, ledger_t* ledger, entry_t* entries, int first, int count
) {
  own wasm_module_t* module = module_of(store,
    "(module (func (export \"f\")) (func (export \"g\") (param i32) (result i32) (local.get 0)))");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  for (int i = first; i < first + count; ++i) {
    own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    REQUIRE(instance != NULL);
    entries[i] = (entry_t){ledger, i};
    wasm_instance_set_host_info_with_finalizer(instance, &entries[i], finalize);
    ++ledger->live;
    wasm_instance_delete(instance);
  }
  wasm_module_delete(module);
}

static bool each_once(const ledger_t* ledger, int count) {
  for (int i = 0; i < count; ++i) {
    if (ledger->seen[i] != 1) return false;
  }
  return true;
}

int main(void) {
  int half = rounds(100000, 1000);
  ledger_t first = {0, calloc((size_t)half * 2, 1)}, second = {0, calloc((size_t)half, 1)};
  entry_t* entries = calloc((size_t)half * 2, sizeof(*entries));
  entry_t* others = calloc((size_t)half, sizeof(*others));
  REQUIRE(first.seen != NULL && second.seen != NULL && entries != NULL && others != NULL);

  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store1 = wasm_store_new(engine);
  make_instances(store1, &first, entries, 0, half);
  own wasm_store_t* store2 = wasm_store_new(engine);
  make_instances(store2, &second, others, 0, half);
  wasm_store_delete(store2);
  CHECK(second.live == 0);
  CHECK(each_once(&second, half));
  make_instances(store1, &first, entries, half, half);
  CHECK(first.live >= 0);
  wasm_store_delete(store1);
  CHECK(first.live == 0);
  CHECK(each_once(&first, 2 * half));
  wasm_engine_delete(engine);

  free(first.seen);
  free(second.seen);
  free(entries);
  free(others);
  return check_done();
}
