// Traps: what went wrong, and where.
//
// A call that fails gives back a trap instead of results. The trap has a message in the words of the
// WebAssembly specification and a list of frames, the innermost first. Each frame knows its instance, the
// index of its function and two byte offsets; <tenon.h> adds the function's name, if the module carries
// one. The store is as usable afterwards as it was before.

#include "example_util.h"

// A check of the host's, which the guest calls. Only even numbers pass.
static own wasm_trap_t* check(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  if (args->data[0].of.i32 % 2 == 0) return NULL;
  char text[64];
  snprintf(text, sizeof(text), "the host does not like %" PRId32, args->data[0].of.i32);
  own wasm_message_t message;
  wasm_name_new_from_string_nt(&message, text);
  own wasm_trap_t* trap = wasm_trap_new((wasm_store_t*)env, &message);
  wasm_byte_vec_delete(&message);
  return trap;
}

static void print_frame(const wasm_frame_t* frame) {
  own wasm_name_t name;
  tenon_frame_func_name(frame, &name);
  printf("  function %" PRIu32 " (%.*s)\n", wasm_frame_func_index(frame),
         name.size > 0 ? (int)name.size : 7, name.size > 0 ? name.data : "unnamed");
  wasm_byte_vec_delete(&name);
}

static void print_trap(const char* what, own wasm_trap_t* trap) {
  if (trap == NULL) {
    printf("%s: no trap\n", what);
    return;
  }
  own wasm_message_t message;
  wasm_trap_message(trap, &message);
  printf("%s: %s\n", what, message.data);
  wasm_byte_vec_delete(&message);

  // Recursion that does not end leaves very many frames: the first three say enough.
  own wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  for (size_t i = 0; i < trace.size && i < 3; ++i) print_frame(trace.data[i]);
  if (trace.size > 3) printf("  and so on\n");
  wasm_frame_vec_delete(&trace);
  wasm_trap_delete(trap);
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "trap.wasm"));

  own wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  own wasm_func_t* check_func = wasm_func_new_with_env(store, type, check, store, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(check_func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  wasm_func_delete(check_func);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  static const char* const names[] = {"average_of_nothing", "read_outside", "recurse", "ask_host"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
    const wasm_func_t* func = find_func(module, &exports, names[i]);
    wasm_val_t value = WASM_INIT_VAL;
    wasm_val_vec_t args = WASM_EMPTY_VEC;
    wasm_val_vec_t results = {wasm_func_result_arity(func), &value};
    print_trap(names[i], wasm_func_call(func, &args, &results));
  }

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
