// A memory beyond 4 GiB: 64-bit addresses, on both sides.
//
// `wasm_limits_t` has no room for the sizes of such memories in general; `tenon.h` asks for them in 64 bits. The memory
// is sparse: the system provides those of its pages that are used.

#include "example_util.h"

static const uint64_t FAR_AWAY = UINT64_C(5) << 30;

static own wasm_trap_t* call(
  const wasm_func_t* func, size_t arg_count, int64_t first, int64_t second, int64_t* result
) {
  wasm_val_t values[] = {WASM_I64_VAL(first), WASM_I64_VAL(second)};
  wasm_val_t room[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = {arg_count, values};
  wasm_val_vec_t results = {result != NULL ? 1 : 0, room};
  own wasm_trap_t* trap = wasm_func_call(func, &args, &results);
  if (trap == NULL && result != NULL) *result = room[0].of.i64;
  return trap;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "memory64.wasm"));
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_memory_t* memory = find_memory(module, &exports, "memory");
  const wasm_func_t* load = find_func(module, &exports, "load");

  own wasm_memorytype_t* type = wasm_memory_type(memory);
  uint64_t max = 0;
  tenon_memorytype_maximum(type, &max);
  printf("64-bit addresses: %s, %" PRIu64 " pages of at most %" PRIu64 ", %zu bytes\n",
         tenon_memorytype_is64(type) ? "yes" : "no", tenon_memory_size(memory), max,
         wasm_memory_data_size(memory));
  wasm_memorytype_delete(type);

  // The guest writes 5 GiB from the beginning, and the host reads there, and the other way round.
  fail_if_trapped(call(find_func(module, &exports, "store"), 2, (int64_t)FAR_AWAY, 42, NULL));
  int64_t value = 0;
  memcpy(&value, wasm_memory_data(memory) + FAR_AWAY, sizeof(value));
  printf("the host reads %" PRId64 "\n", value);
  value = 43;
  memcpy(wasm_memory_data(memory) + FAR_AWAY + 8, &value, sizeof(value));
  int64_t loaded = 0;
  fail_if_trapped(call(load, 1, (int64_t)FAR_AWAY + 8, 0, &loaded));
  printf("the guest reads %" PRId64 "\n", loaded);

  // The last eight bytes are there; one further is a trap.
  int64_t last = (int64_t)wasm_memory_data_size(memory) - 8;
  fail_if_trapped(call(load, 1, last, 0, &loaded));
  own wasm_trap_t* trap = call(load, 1, last + 1, 0, &loaded);
  printf("beyond the end: %s\n",
         tenon_trap_code(trap) == TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS ? "a trap" : "no trap");
  wasm_trap_delete(trap);

  const wasm_func_t* grow = find_func(module, &exports, "grow");
  fail_if_trapped(call(grow, 1, 1, 0, &loaded));
  printf("grown from %" PRId64 " to %" PRIu64 " pages\n", loaded, tenon_memory_size(memory));
  fail_if_trapped(call(grow, 1, 1, 0, &loaded));
  printf("beyond the maximum: %" PRId64 "\n", loaded);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
