// Functions that the compiler puts in place of calls: traps in them have the frames that calls would have, whatever is
// optimized, from serialized modules as well, and what they compute is the same.

#define _POSIX_C_SOURCE 200809L
#include "test_util.h"

#include <stdlib.h>
#include <unistd.h>

// All of them small, each called by the next one.
static const char text[] =
  "(module $nest\n"
  "  (import \"env\" \"fail\" (func $fail (param i32) (result i32)))\n"
  "  (memory 1 1) (tag $tag (param i32)) (global $g (mut i32) (i32.const 0))\n"
  "  (func $load (param i32) (result i32) (i32.load offset=65532 (local.get 0)))\n"
  "  (func $twice (param i32) (result i32) (i32.add (call $load (i32.const 0)) (call $load (local.get 0))))\n"
  "  (func $divide (param i32) (result i32) (i32.div_u (i32.const 7) (call $twice (local.get 0))))\n"
  "  (func $host (param i32) (result i32) (i32.add (call $fail (local.get 0)) (i32.const 1)))\n"
  "  (func $throw (param i32) (result i32) (throw $tag (local.get 0)))\n"
  "  (func $never (param i32) (result i32) (unreachable))\n"
  "  (func $pick (param i32) (result i32)\n"
  "    (block $4 (block $3 (block $2 (block $1 (br_table $1 $2 $3 $4 (i32.and (local.get 0) (i32.const 3))))\n"
  "      (return (call $never (local.get 0)))) (return (call $throw (local.get 0))))\n"
  "      (return (call $host (local.get 0)))) (call $divide (i32.sub (local.get 0) (i32.const 3))))\n"
  "  (func (export \"load\") (param i32) (result i32) (call $divide (local.get 0)))\n"
  "  (func (export \"pick\") (param i32) (result i32) (local i32)\n"
  "    (loop $again (result i32)\n"
  "      (drop (call $load (i32.const 0)))\n"
  "      (br_if $again (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 5)))\n"
  "      (i32.xor (call $pick (local.get 0)) (i32.const 1))))\n"
  "  (func $deep (export \"deep\") (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))\n"
  "  (func (export \"count\") (param i32) (result i32)\n"
  "    (loop $again (call $step) (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))\n"
  "    (global.get $g))\n"
  "  (func $step (global.set $g (i32.add (i32.mul (global.get $g) (i32.const 3)) (i32.const 1)))))\n";

enum { LOAD, PICK, DEEP, COUNT };

static const struct {
  size_t func;
  int32_t arg;
  // How many functions are on the stack.
  size_t depth;
} traps[] = {{LOAD, 0, 2}, {LOAD, 1, 4}, {LOAD, -1, 4}, {PICK, 0, 3}, {PICK, 1, 3}, {PICK, 2, 3}, {PICK, 3, 3}, {PICK, 4, 3},
             {PICK, 7, 5},  {DEEP, 0, 128}};
enum { TRAPS = sizeof(traps) / sizeof(traps[0]) };

static own wasm_trap_t* host_fail(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return new_trap(env, "the host says no");
}

// A trap's message and frames as text.
static void describe(own wasm_trap_t* trap, char* out, size_t size, size_t depth) {
  own wasm_message_t message;
  wasm_trap_message(trap, &message);
  size_t end = (size_t)snprintf(out, size, "%s", message.data);
  wasm_byte_vec_delete(&message);
  own wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  CHECK(trace.size == depth);
  for (size_t i = 0; i < trace.size && end < size; ++i) {
    own wasm_name_t name = WASM_EMPTY_VEC;
    tenon_frame_func_name(trace.data[i], &name);
    end += (size_t)snprintf(out + end, size - end, "; %u %zu %zu %.*s", wasm_frame_func_index(trace.data[i]),
      wasm_frame_func_offset(trace.data[i]), wasm_frame_module_offset(trace.data[i]), (int)name.size,
      name.size > 0 ? name.data : "");
    wasm_byte_vec_delete(&name);
  }
  own wasm_frame_t* origin = wasm_trap_origin(trap);
  REQUIRE(origin != NULL);
  CHECK(wasm_frame_module_offset(origin) == wasm_frame_module_offset(trace.data[0]));
  wasm_frame_delete(origin);
  wasm_frame_vec_delete(&trace);
  wasm_trap_delete(trap);
}

typedef char description_t[8192];

// All traps of a module, and what it computes.
static void run(wasm_store_t* store, const wasm_module_t* module, description_t found[TRAPS]) {
  own wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* fail = wasm_func_new_with_env(store, type, host_fail, store, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(fail)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  REQUIRE(instance != NULL);
  for (size_t i = 0; i < TRAPS; ++i) {
    own wasm_func_t* func = func_of(instance, traps[i].func);
    int32_t result;
    own wasm_trap_t* trap = call_i32s(func, 1, &traps[i].arg, &result);
    REQUIRE(trap != NULL);
    describe(trap, found[i], sizeof(description_t), traps[i].depth);
    wasm_func_delete(func);
  }
  own wasm_func_t* count = func_of(instance, COUNT);
  int32_t arg = 10, result = 0;
  CHECK(call_i32s(count, 1, &arg, &result) == NULL && result == 29524);
  wasm_func_delete(count);
  wasm_func_delete(fail);
  wasm_instance_delete(instance);
}

static description_t expected[TRAPS], found[TRAPS];

static void compare(const char* how) {
  for (size_t i = 0; i < TRAPS; ++i) {
    bool same = strcmp(found[i], expected[i]) == 0;
    if (!same) printf("%s:\n  %s\ninstead of\n  %s\n", how, found[i], expected[i]);
    CHECK(same);
  }
}

int main(void) {
  own wasm_byte_vec_t binary = binary_of(text);
  // Without optimization every call is one.
  for (int level = TENON_OPTIMIZE_NONE; level >= TENON_OPTIMIZE_SPEED; --level) {
    own wasm_config_t* config = new_config();
    tenon_config_set_optimization(config, (tenon_optimization_t)level);
    own wasm_engine_t* engine = wasm_engine_new_with_config(config);
    own wasm_store_t* store = wasm_store_new(engine);
    own wasm_module_t* module = wasm_module_new(store, &binary);
    REQUIRE(module != NULL);
    run(store, module, level == TENON_OPTIMIZE_NONE ? expected : found);
    if (level != TENON_OPTIMIZE_NONE) compare("compiled");

    own wasm_byte_vec_t bytes;
    wasm_module_serialize(module, &bytes);
    REQUIRE(bytes.size > 0);
    wasm_module_delete(module);
    module = wasm_module_deserialize(store, &bytes);
    REQUIRE(module != NULL);
    run(store, module, found);
    compare("serialized");
    wasm_module_delete(module);

    char path[] = "/tmp/tenon-inlining-XXXXXX";
    int file = mkstemp(path);
    REQUIRE(file >= 0);
    CHECK(write(file, bytes.data, bytes.size) == (ssize_t)bytes.size);
    close(file);
    REQUIRE(tenon_module_deserialize_file(store, path, &module) == NULL);
    run(store, module, found);
    compare("from a file");
    wasm_module_delete(module);
    CHECK(remove(path) == 0);
    wasm_byte_vec_delete(&bytes);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
  }
  wasm_byte_vec_delete(&binary);
  CHECK(strstr(expected[2], "out of bounds memory access; 1 ") == expected[2]);
  CHECK(strstr(expected[2], " load; ") != NULL && strstr(expected[2], " twice; ") != NULL);
  return check_done();
}
