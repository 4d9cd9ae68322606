// Traps: made by the host, found in WebAssembly; their message, code, and frames.
#include "example.h"

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);

  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "no such file");
  wasm_trap_t *trap = wasm_trap_new(store, &message);
  wasm_byte_vec_delete(&message);
  wasm_trap_message(trap, &message);
  expect(strcmp(message.data, "no such file") == 0 && message.size == strlen(message.data) + 1);
  wasm_byte_vec_delete(&message);
  expect(tenon_trap_code(trap) == TENON_TRAP_HOST && wasm_trap_origin(trap) == NULL);
  wasm_trap_delete(trap);

  wasm_instance_t *instance = instance_of_text(store,
    "(module $calculator (func $divide (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))"
    " (func $main (export \"main\") (call $divide (i32.const 0))))");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL);
  expect(tenon_trap_code(trap) == TENON_TRAP_INTEGER_DIVIDE_BY_ZERO);

  wasm_frame_t *origin = wasm_trap_origin(trap);
  expect(wasm_frame_func_index(origin) == 0);
  expect(wasm_frame_func_offset(origin) > 0);
  expect(wasm_frame_module_offset(origin) > wasm_frame_func_offset(origin));
  wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  expect(trace.size == 2 && wasm_frame_func_index(trace.data[1]) == 1);
  expect(wasm_instance_same(wasm_frame_instance(trace.data[1]), instance));
  wasm_name_t function, module;
  expect(tenon_frame_func_name(trace.data[1], &function));
  expect(function.size == 4 && memcmp(function.data, "main", 4) == 0);
  expect(tenon_frame_module_name(origin, &module));
  expect(module.size == 10 && memcmp(module.data, "calculator", 10) == 0);
  wasm_byte_vec_delete(&function);
  wasm_byte_vec_delete(&module);
  wasm_frame_t *copy = wasm_frame_copy(origin);
  wasm_frame_delete(origin);
  expect(wasm_frame_func_index(copy) == 0);
  wasm_frame_delete(copy);
  wasm_frame_vec_delete(&trace);
  wasm_trap_delete(trap);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
