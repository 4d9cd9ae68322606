// Engines, their settings, and stores. What a setting turns off is refused with a reason.
#include "example.h"

static wasm_engine_t *checked_engine(void) {
  wasm_config_t *config = wasm_config_new();
  tenon_config_set_signals(config, false);  // no signal handlers in this process
  tenon_config_set_eager(config, true);
  tenon_config_set_optimization(config, TENON_OPTIMIZE_LITTLE);  // compiled fast, not for speed
  tenon_config_set_simd(config, false);
  tenon_config_set_relaxed_simd(config, false);
  tenon_config_set_reference_types(config, true);
  tenon_config_set_multi_memory(config, false);
  tenon_config_set_memory64(config, false);
  tenon_config_set_custom_page_sizes(config, false);
  tenon_config_set_wide_arithmetic(config, false);
  tenon_config_set_threads(config, false);
  tenon_config_set_exceptions(config, false);
  tenon_config_set_legacy_exceptions(config, false);
  tenon_config_set_tail_calls(config, false);
  tenon_config_set_function_references(config, false);
  tenon_config_set_dense_memories(config, true);           // no reservation, no guard
  tenon_config_set_memory_reservation(config, 1 << 20);  // or a small one
  tenon_config_set_memory_guard(config, 0);
  tenon_config_set_max_stack(config, 256 * 1024);
  tenon_config_set_pooled_memories(config, 8);
  tenon_config_set_pooled_bytes(config, 64 * 1024);
  tenon_config_set_collect_always(config, true);
  return wasm_engine_new_with_config(config);  // takes the configuration over
}

static void expect_refused(wasm_store_t *store, const char *text) {
  wasm_byte_vec_t binary;
  succeed(tenon_wat2wasm(text, strlen(text), &binary));
  expect(wasm_module_new(store, &binary) == NULL);
  expect(tenon_last_error() != NULL);
  wasm_byte_vec_delete(&binary);
}

int main(void) {
  wasm_config_delete(wasm_config_new());
  wasm_engine_t *engine = checked_engine();
  expect(engine != NULL);
  wasm_store_t *store = wasm_store_new(engine);
  expect(store != NULL);
  wasm_engine_delete(engine);  // the store goes on

  expect_refused(store, "(module (func (param v128)))");
  expect_refused(store, "(module (memory 1) (memory 1))");
  expect_refused(store, "(module (memory i64 1))");
  expect_refused(store, "(module (memory 1 1 shared))");
  expect_refused(store, "(module (tag))");
  expect_refused(store, "(module (func return_call 0))");

  // Traps are found without signals too.
  wasm_instance_t *instance = instance_of_text(store,
    "(module (memory 1) (func (export \"f\") (drop (i32.load (i32.const 65536)))))");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL);
  expect(tenon_trap_code(trap) == TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
  wasm_trap_delete(trap);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);

  expect(wasm_store_new(NULL) == NULL);
  succeed(tenon_engine_new(NULL, &engine));
  tenon_engine_trim(engine);  // nothing is in use: all memory goes back to the system
  wasm_engine_delete(engine);
  engine = wasm_engine_new();
  wasm_engine_delete(engine);
  printf("%s: %s\n", tenon_version(), tenon_build_info());
  expect(strcmp(tenon_version(), TENON_VERSION) == 0);
  return 0;
}
