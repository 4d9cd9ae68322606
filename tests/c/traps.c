// Traps: their messages in the words of the specification, their frames, and that the engine goes on
// working after each.

#include "test_util.h"

static const char text[] =
  "(module $failing\n"
  "  (import \"env\" \"fail\" (func $fail (result i32)))\n"
  "  (memory 1 1) (table 2 funcref) (elem (i32.const 0) $inner)\n"
  "  (func $inner (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))\n"
  "  (func $middle (param i32 i32) (result i32)\n"
  "    (i32.add (call $inner (local.get 0) (local.get 1)) (i32.const 1)))\n"
  "  (func (export \"divide\") (result i32) (call $middle (i32.const 1) (i32.const 0)))\n"
  "  (func (export \"overflow\") (result i32)\n"
  "    (call $middle (i32.const 0x80000000) (i32.const -1)))\n"
  "  (func (export \"remainder\") (result i32) (i32.rem_u (i32.const 1) (i32.const 0)))\n"
  "  (func (export \"unreachable\") (result i32) unreachable)\n"
  "  (func (export \"load\") (result i32) (i32.load (i32.const 65533)))\n"
  "  (func (export \"load far\") (result i32) (i32.load offset=0xffffffff (i32.const -1)))\n"
  "  (func (export \"store\") (result i32) (i64.store (i32.const -8) (i64.const 1)) (i32.const 0))\n"
  "  (func (export \"fill\") (result i32)\n"
  "    (memory.fill (i32.const 1) (i32.const 0) (i32.const 65536)) (i32.const 0))\n"
  "  (func (export \"convert\") (result i32) (i32.trunc_f64_s (f64.const 3e9)))\n"
  "  (func (export \"nan\") (result i32) (i32.trunc_f32_u (f32.const nan)))\n"
  "  (func (export \"null\") (result i32)\n"
  "    (call_indirect (param i32 i32) (result i32) (i32.const 1) (i32.const 2) (i32.const 1)))\n"
  "  (func (export \"outside\") (result i32)\n"
  "    (call_indirect (param i32 i32) (result i32) (i32.const 1) (i32.const 2) (i32.const 2)))\n"
  "  (func (export \"mismatch\") (result i32) (call_indirect (result i32) (i32.const 0)))\n"
  "  (func (export \"table\") (result i32)\n"
  "    (ref.is_null (table.get (i32.const 7))))\n"
  "  (func (export \"host\") (result i32) (call $fail))\n"
  "  (func (export \"fine\") (result i32) (call $middle (i32.const 12) (i32.const 4))))\n";

static const char* const messages[] = {
  "integer divide by zero", "integer overflow", "integer divide by zero", "unreachable",
  "out of bounds memory access", "out of bounds memory access", "out of bounds memory access",
  "out of bounds memory access", "integer overflow", "invalid conversion to integer",
  "uninitialized element", "undefined element", "indirect call type mismatch",
  "out of bounds table access", "the host says no",
};
enum { FAILING = sizeof(messages) / sizeof(messages[0]), FINE = FAILING };

static own wasm_trap_t* host_fail(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return new_trap(env, "the host says no");
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  own wasm_func_t* fail = wasm_func_new_with_env(store, type, host_fail, store, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* imports[] = {wasm_func_as_extern(fail)};
  own wasm_instance_t* instance = instance_with(store, text, 1, imports);
  own wasm_func_t* fine = func_of(instance, FINE);

  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < FAILING; ++i) {
      own wasm_func_t* func = func_of(instance, i);
      int32_t result = 77;
      CHECK(trap_says(call_i32s(func, 0, NULL, &result), messages[i]));
      CHECK(result == 77);
      CHECK(returns(fine, 4));
      wasm_func_delete(func);
    }
  }

  // The frames of the first one, from the inside out: $inner, $middle, the export. Function indices
  // count the import.
  own wasm_func_t* divide = func_of(instance, 0);
  int32_t result;
  own wasm_trap_t* trap = call_i32s(divide, 0, NULL, &result);
  REQUIRE(trap != NULL);
  own wasm_frame_t* origin = wasm_trap_origin(trap);
  own wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  REQUIRE(origin != NULL && trace.size == 3);
  CHECK(wasm_frame_func_index(origin) == 1);
  CHECK(wasm_frame_instance(origin) != NULL && wasm_instance_same(wasm_frame_instance(origin), instance));
  for (uint32_t i = 0; i < 3; ++i) {
    CHECK(wasm_frame_func_index(trace.data[i]) == i + 1);
    CHECK(wasm_instance_same(wasm_frame_instance(trace.data[i]), instance));
    CHECK(wasm_frame_func_offset(trace.data[i]) > 0);
    CHECK(wasm_frame_module_offset(trace.data[i]) > wasm_frame_func_offset(trace.data[i]));
    if (i > 0) {
      CHECK(wasm_frame_module_offset(trace.data[i]) > wasm_frame_module_offset(trace.data[i - 1]));
    }
  }
  CHECK(wasm_frame_module_offset(origin) == wasm_frame_module_offset(trace.data[0]));
  own wasm_frame_t* copy = wasm_frame_copy(origin);
  CHECK(wasm_frame_func_offset(copy) == wasm_frame_func_offset(origin));
  wasm_frame_delete(copy);
  wasm_frame_delete(origin);

  // Frames and trap outlive everything else.
  wasm_func_delete(divide);
  wasm_func_delete(fine);
  wasm_func_delete(fail);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  CHECK(wasm_frame_func_index(trace.data[2]) == 3);
  wasm_frame_vec_delete(&trace);
  CHECK(trap_says(trap, messages[0]));
  return check_done();
}
