// Tail calls: functions that call each other a hundred million times and need one frame.
//
// A call in tail position (`return_call` and its kin) gives its frame to the callee. Languages without loops live
// by it; so do interpreters whose instructions are functions. The stack of this program's thread would be
// exhausted after some ten thousand ordinary calls.

#include "example_util.h"

enum { DEEP = 100000000 };

static int32_t ask(const wasm_func_t* func, size_t arg_count, wasm_val_t args[]) {
  wasm_val_vec_t arg_vec = {arg_count, args};
  wasm_val_t result = WASM_INIT_VAL;
  wasm_val_vec_t results = {1, &result};
  own wasm_trap_t* trap = wasm_func_call(func, &arg_vec, &results);
  if (trap != NULL) fail("calling");
  return result.of.i32;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "tail-calls.wasm"));
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  for (int64_t n = DEEP; n <= DEEP + 1; ++n) {
    wasm_val_t args[] = {WASM_I64_VAL(n), WASM_I32_VAL(0)};
    int32_t direct = ask(find_func(module, &exports, "is_even"), 1, args);
    int32_t by_table = ask(find_func(module, &exports, "is_even_by_table"), 2, args);
    int32_t by_ref = ask(find_func(module, &exports, "is_even_by_ref"), 1, args);
    printf("%" PRId64 ": %s, %s, %s\n", n, direct ? "even" : "odd", by_table ? "even" : "odd",
      by_ref ? "even" : "odd");
  }

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
