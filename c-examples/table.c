// A table: references that guest and host can both read, write and call through.
//
// The host puts functions into the guest's table, one of the guest's and one of its own, and the guest
// calls them by their index. An empty element or an index out of bounds is a trap.

#include "example_util.h"

static own wasm_trap_t* negate(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0] = (wasm_val_t)WASM_I32_VAL(-args->data[0].of.i32);
  return NULL;
}

// Calls apply(index, 7) and prints the result or the trap.
static void apply(const wasm_func_t* func, int32_t index) {
  wasm_val_t arg_values[] = {WASM_I32_VAL(index), WASM_I32_VAL(7)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  own wasm_trap_t* trap = wasm_func_call(func, &args, &results);
  if (trap == NULL) {
    printf("  element %" PRId32 " makes 7 into %" PRId32 "\n", index, result_values[0].of.i32);
  } else {
    printf("  element %" PRId32 " traps\n", index);
    wasm_trap_delete(trap);
  }
}

static void apply_all(const wasm_func_t* func, const wasm_table_t* table) {
  for (wasm_table_size_t i = 0; i < wasm_table_size(table); ++i) apply(func, (int32_t)i);
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "table.wasm"));
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_table_t* table = wasm_extern_as_table(find_export(module, &exports, "operations"));
  wasm_func_t* square = find_func(module, &exports, "square");
  const wasm_func_t* apply_func = find_func(module, &exports, "apply");

  printf("At first, %" PRIu32 " elements:\n", wasm_table_size(table));
  apply_all(apply_func, table);

  // A reference is obtained from a function by a conversion that costs nothing. The table takes its
  // own hold of what is put into it.
  if (!wasm_table_set(table, 0, wasm_func_as_ref(square))) fail("setting element 0");
  printf("With square in element 0:\n");
  apply_all(apply_func, table);

  // A function of the host is as good as one of the guest. Growth gives it to the new elements.
  own wasm_functype_t* type =
    wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* negate_func = wasm_func_new(store, type, negate);
  wasm_functype_delete(type);
  if (!wasm_table_grow(table, 2, wasm_func_as_ref(negate_func))) fail("growing the table");
  if (!wasm_table_set(table, 1, NULL)) fail("clearing element 1");
  wasm_func_delete(negate_func);
  printf("Grown by 2 with negate, element 1 cleared:\n");
  apply_all(apply_func, table);

  // What comes out of a table is a new reference, which the host must delete.
  own wasm_ref_t* ref = wasm_table_get(table, 0);
  printf("Element 0 is square: %s\n",
         wasm_ref_same(ref, wasm_func_as_ref(square)) ? "yes" : "no");
  wasm_ref_delete(ref);

  // Out of bounds and beyond the maximum, the functions say no.
  printf("Setting element 4: %s\n", wasm_table_set(table, 4, NULL) ? "done" : "refused");
  printf("Growing by 5: %s\n", wasm_table_grow(table, 5, NULL) ? "done" : "refused");
  apply(apply_func, 4);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
