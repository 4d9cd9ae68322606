// Switches: each feature of the language that is off is refused by its name, with the byte at which it was found, and taken
// when it is on.

#include "test_util.h"

typedef void (*switch_t)(wasm_config_t*, bool);

// How messages call a feature, its switch, whether it is on by default, and modules that use it.
typedef struct {
  const char* name;
  switch_t set;
  bool by_default;
  const char* uses[6];
} feature_t;

static const feature_t features[] = {
  {"SIMD", tenon_config_set_simd, true,
   {"(func (param v128))", "(func (drop (i32x4.splat (i32.const 1))))", "(global v128 (v128.const i64x2 1 2))",
    "(memory 1) (func (drop (v128.load (i32.const 0))))"}},
  {"relaxed SIMD", tenon_config_set_relaxed_simd, true,
   {"(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))"}},
  {"tail calls", tenon_config_set_tail_calls, true,
   {"(func return_call 0)", "(table 1 funcref) (func (return_call_indirect (i32.const 0)))"}},
  {"multiple memories", tenon_config_set_multi_memory, true,
   {"(memory 1) (memory 1)", "(import \"a\" \"b\" (memory 1)) (memory 1)"}},
  {"memory64", tenon_config_set_memory64, true,
   {"(memory i64 1)", "(table i64 1 funcref)", "(import \"a\" \"b\" (memory i64 1))"}},
  {"custom page sizes", tenon_config_set_custom_page_sizes, true, {"(memory 1 (pagesize 1))"}},
  {"wide arithmetic", tenon_config_set_wide_arithmetic, true,
   {"(func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0)))"}},
  {"threads", tenon_config_set_threads, true,
   {"(memory 1 1 shared)", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))", "(func atomic.fence)"}},
  {"exceptions", tenon_config_set_exceptions, true,
   {"(tag)", "(import \"a\" \"b\" (tag))", "(func (block (try_table (catch_all 0))))", "(func (param exnref))"}},
  {"legacy exceptions", tenon_config_set_legacy_exceptions, false, {"(func try catch_all end)"}},
  {"function references", tenon_config_set_function_references, true,
   {"(type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0)))", "(func (param (ref func)))"}},
  {"reference types", tenon_config_set_reference_types, true,
   {"(func (param externref))", "(table 1 funcref) (table 1 funcref)"}},
};
enum { FEATURES = sizeof(features) / sizeof(features[0]) };

// Whether a module is taken where a switch is so. A refusal must say why, and where.
static bool is_taken(const feature_t* feature, bool on, const char* use) {
  own wasm_config_t* config = wasm_config_new();
  feature->set(config, on);
  own wasm_engine_t* engine = wasm_engine_new_with_config(config);
  own wasm_store_t* store = wasm_store_new(engine);
  char text[512];
  snprintf(text, sizeof(text), "(module %s)", use);
  own wasm_byte_vec_t binary = binary_of(text);
  own wasm_module_t* module = wasm_module_new(store, &binary);
  bool taken = module != NULL;
  if (!taken) {
    own tenon_error_t* error = tenon_last_error_take();
    REQUIRE(error != NULL);
    uint64_t offset = 0;
    char named[64];
    snprintf(named, sizeof(named), "feature not enabled: %s", feature->name);
    if (!CHECK(strstr(tenon_error_message(error), named) != NULL)) {
      printf("%s: \"%s\" should say \"%s\"\n", text, tenon_error_message(error), named);
    }
    CHECK(tenon_error_kind(error) == TENON_ERROR_UNSUPPORTED);
    CHECK(tenon_error_offset(error, &offset) && offset >= 8 && offset <= binary.size);
    tenon_error_delete(error);
  }
  CHECK(wasm_module_validate(store, &binary) == taken);
  wasm_byte_vec_delete(&binary);
  if (module != NULL) wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return taken;
}

// The same by default.
static bool is_taken_by_default(const char* use) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  char text[512];
  snprintf(text, sizeof(text), "(module %s)", use);
  own wasm_byte_vec_t binary = binary_of(text);
  bool taken = wasm_module_validate(store, &binary);
  wasm_byte_vec_delete(&binary);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return taken;
}

// A serialized module is of an engine's language, too: another engine refuses it, or what it cannot have.
static void test_serialized(void) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store, "(module (tag))");
  own wasm_byte_vec_t serialized;
  wasm_module_serialize(module, &serialized);
  CHECK(serialized.size > 0);
  own wasm_config_t* config = wasm_config_new();
  tenon_config_set_exceptions(config, false);
  own wasm_engine_t* other = wasm_engine_new_with_config(config);
  own wasm_store_t* other_store = wasm_store_new(other);
  CHECK(wasm_module_deserialize(other_store, &serialized) == NULL);
  CHECK(tenon_last_error() != NULL);
  wasm_byte_vec_delete(&serialized);
  wasm_module_delete(module);
  wasm_store_delete(other_store);
  wasm_engine_delete(other);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

int main(void) {
  int uses = 0;
  for (int i = 0; i < FEATURES; ++i) {
    for (int j = 0; j < 6 && features[i].uses[j] != NULL; ++j) {
      const char* use = features[i].uses[j];
      ++uses;
      if (!CHECK(!is_taken(&features[i], false, use)) || !CHECK(is_taken(&features[i], true, use)) ||
          !CHECK(is_taken_by_default(use) == features[i].by_default)) {
        printf("%s: %s\n", features[i].name, use);
      }
    }
  }
  printf("%d uses of %d features\n", uses, (int)FEATURES);
  CHECK(uses == 26);
  test_serialized();
  return check_done();
}
