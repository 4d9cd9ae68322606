// Tail calls that leave an instance: to another one, to the host, through tables and references, and back. What
// stands on the stack must stay alive, and traps must tell the right instances.

#include "test_util.h"

static const char outer_text[] =
  "(module $outer\n"
  "  (type $t (func (param i32) (result i32)))\n"
  "  (import \"env\" \"next\" (func $next (type $t)))\n"
  "  (table (export \"table\") 1 funcref)\n"
  "  (global $calls (mut i32) (i32.const 0))\n"
  // A frame that called a function of its own module, which left by a tail call.
  "  (func $caller (export \"caller\") (param i32) (result i32)\n"
  "    (i32.add (call $leaver (local.get 0)) (i32.const 1000)))\n"
  "  (func $leaver (param i32) (result i32) (return_call $next (local.get 0)))\n"
  "  (func (export \"by_table\") (param i32) (result i32)\n"
  "    (i32.add (call $table_leaver (local.get 0)) (i32.const 2000)))\n"
  "  (func $table_leaver (param i32) (result i32)\n"
  "    (return_call_indirect (type $t) (local.get 0) (i32.const 0)))\n"
  "  (func (export \"by_ref\") (param i32) (result i32)\n"
  "    (i32.add (call $ref_leaver (local.get 0)) (i32.const 3000)))\n"
  "  (func $ref_leaver (param i32) (result i32)\n"
  "    (return_call_ref $t (local.get 0) (ref.func $next)))\n"
  "  (elem declare func $next))\n";

static const char inner_text[] =
  "(module $inner\n"
  "  (import \"env\" \"gc\" (func $gc))\n"
  "  (func $deep (export \"next\") (param i32) (result i32)\n"
  "    (call $gc)\n"
  "    (if (i32.eqz (local.get 0)) (then unreachable))\n"
  "    (i32.mul (local.get 0) (i32.const 2))))\n";

static wasm_store_t* the_store;
static int collections;
// The last handle to what is being called, to be given up in the middle.
static own wasm_func_t* last_handle;

static own wasm_trap_t* collect(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  wasm_func_delete(last_handle);
  last_handle = NULL;
  tenon_store_gc(the_store);
  ++collections;
  return NULL;
}

static int32_t call_one(const wasm_func_t* func, int32_t arg) {
  int32_t result = -1;
  own wasm_trap_t* trap = call_i32s(func, 1, &arg, &result);
  REQUIRE(trap == NULL);
  return result;
}

// The instances of a trap's frames.
static void check_frames(
  own wasm_trap_t* trap, size_t count, const wasm_instance_t* const instances[]
) {
  REQUIRE(trap != NULL);
  CHECK(tenon_trap_code(trap) == TENON_TRAP_UNREACHABLE);
  own wasm_frame_vec_t frames;
  wasm_trap_trace(trap, &frames);
  REQUIRE(frames.size == count);
  for (size_t i = 0; i < count; ++i) {
    CHECK(wasm_instance_same(wasm_frame_instance(frames.data[i]), instances[i]));
  }
  wasm_frame_vec_delete(&frames);
  wasm_trap_delete(trap);
}

// Stack arguments: the callee has more of them than the caller, and fewer; results in memory.
static const char many_text[] =
  "(module\n"
  "  (func $many (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)\n"
  "    (i64.sub (i64.add (local.get 0) (local.get 11)) (local.get 6)))\n"
  "  (func (export \"more\") (param i32) (result i32)\n"
  "    (i32.wrap_i64 (call $few (i64.extend_i32_s (local.get 0)))))\n"
  "  (func $few (param i64) (result i64)\n"
  "    (return_call $many (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)\n"
  "      (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9) (i64.const 10)\n"
  "      (i64.const 1000)))\n"
  "  (func $wide (param i32)\n"
  "    (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)\n"
  "    (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)\n"
  "    (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10) (i32.const 11))\n"
  "  (func $to_wide (param i32 i32)\n"
  "    (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)\n"
  "    (if (local.get 1)\n"
  "      (then (return_call $to_wide (i32.add (local.get 0) (i32.const 1))\n"
  "        (i32.sub (local.get 1) (i32.const 1)))))\n"
  "    (return_call $wide (local.get 0)))\n"
  "  (func (export \"wide\") (param i32) (result i32)\n"
  "    (call $to_wide (local.get 0) (i32.const 100000))\n"
  "    i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add))\n";

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  the_store = store;

  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* gc = wasm_func_new(store, type, collect);
  wasm_functype_delete(type);
  wasm_extern_t* inner_imports[] = {wasm_func_as_extern(gc)};
  own wasm_instance_t* inner = instance_with(store, inner_text, 1, inner_imports);
  own wasm_func_t* next = func_of(inner, 0);

  wasm_extern_t* outer_imports[] = {wasm_func_as_extern(next)};
  own wasm_instance_t* outer = instance_with(store, outer_text, 1, outer_imports);
  own wasm_extern_t* table = export_of(outer, 0);
  CHECK(wasm_table_set(wasm_extern_as_table(table), 0, wasm_func_as_ref(next)));
  wasm_extern_delete(table);
  own wasm_func_t* funcs[3];
  for (size_t i = 0; i < 3; ++i) funcs[i] = func_of(outer, 1 + i);

  // The frames of both instances are the only ones to know them: the collection in the middle must see that.
  const wasm_instance_t* const instances[2] = {inner, outer};
  for (int32_t i = 0; i < 3; ++i) {
    CHECK(call_one(funcs[i], 21) == 42 + 1000 * (i + 1));
    int32_t zero = 0;
    check_frames(call_i32s(funcs[i], 1, &zero, NULL), 2, instances);
  }
  CHECK(collections == 6);

  // The frames are all that keeps what runs.
  wasm_instance_delete(outer);
  wasm_instance_delete(inner);
  wasm_func_delete(next);
  wasm_func_delete(gc);
  wasm_func_delete(funcs[1]);
  wasm_func_delete(funcs[2]);
  int32_t four = 4, result = -1;
  last_handle = funcs[0];
  CHECK(call_i32s(last_handle, 1, &four, &result) == NULL && result == 1008);
  CHECK(last_handle == NULL);

  own wasm_instance_t* many = instance_of(store, many_text);
  own wasm_func_t* more = func_of(many, 0);
  own wasm_func_t* wide = func_of(many, 1);
  CHECK(call_one(more, 7) == 7 + 1000 - 6);
  CHECK(call_one(wide, 5) == 100005 + 66);
  wasm_func_delete(more);
  wasm_func_delete(wide);
  wasm_instance_delete(many);

  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
