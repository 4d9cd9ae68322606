// What a module says about itself: names, kinds and types of imports and exports, in the order of
// declaration, the same from the module and from the objects; and types built by the host.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"zoo\" \"zebra\" (func (param i32 i64 f32 f64 externref funcref)))\n"
  "  (import \"zoo\" \"ape\" (global (mut f64)))\n"
  "  (import \"\" \"\" (table 3 funcref))\n"
  "  (import \"ark\" \"na\\00me \\e2\\82\\ac\" (memory 1 7))\n"
  "  (func (export \"z\") (result i64 f32) (i64.const 1) (f32.const 2))\n"
  "  (export \"a\" (global 1))\n"
  "  (global i32 (i32.const 3))\n"
  "  (export \"memory\" (memory 0))\n"
  "  (export \"b\" (table 1)) (table 2 20 externref)\n"
  "  (export \"again\" (memory 0)))\n";

static bool name_is(const wasm_name_t* name, const char* expected, size_t size) {
  return name != NULL && name->size == size && memcmp(name->data, expected, size) == 0;
}

static bool kinds_are(const wasm_valtype_vec_t* types, const char* kinds) {
  // One letter a kind: i I f F e r for i32 i64 f32 f64 externref funcref.
  static const char letters[] = "iIfFer";
  static const wasm_valkind_t values[] = {WASM_I32, WASM_I64, WASM_F32,
                                          WASM_F64, WASM_EXTERNREF, WASM_FUNCREF};
  if (types == NULL || types->size != strlen(kinds)) return false;
  for (size_t i = 0; i < types->size; ++i) {
    wasm_valkind_t expected = values[strchr(letters, kinds[i]) - letters];
    if (wasm_valtype_kind(types->data[i]) != expected) return false;
  }
  return true;
}

static bool func_is(const wasm_externtype_t* type, const char* params, const char* results) {
  const wasm_functype_t* func = wasm_externtype_as_functype_const(type);
  return wasm_externtype_kind(type) == WASM_EXTERN_FUNC && func != NULL &&
    kinds_are(wasm_functype_params(func), params) && kinds_are(wasm_functype_results(func), results);
}

static bool global_is(const wasm_externtype_t* type, wasm_valkind_t kind, wasm_mutability_t mut) {
  const wasm_globaltype_t* global = wasm_externtype_as_globaltype_const(type);
  return wasm_externtype_kind(type) == WASM_EXTERN_GLOBAL && global != NULL &&
    wasm_valtype_kind(wasm_globaltype_content(global)) == kind &&
    wasm_globaltype_mutability(global) == mut;
}

static bool table_is(const wasm_externtype_t* type, wasm_valkind_t kind, uint32_t min, uint32_t max) {
  const wasm_tabletype_t* table = wasm_externtype_as_tabletype_const(type);
  return wasm_externtype_kind(type) == WASM_EXTERN_TABLE && table != NULL &&
    wasm_valtype_kind(wasm_tabletype_element(table)) == kind &&
    wasm_tabletype_limits(table)->min == min && wasm_tabletype_limits(table)->max == max;
}

static bool memory_is(const wasm_externtype_t* type, uint32_t min, uint32_t max) {
  const wasm_memorytype_t* memory = wasm_externtype_as_memorytype_const(type);
  return wasm_externtype_kind(type) == WASM_EXTERN_MEMORY && memory != NULL &&
    wasm_memorytype_limits(memory)->min == min && wasm_memorytype_limits(memory)->max == max;
}

static void check_exports(const wasm_externtype_t* const types[5]) {
  CHECK(func_is(types[0], "", "If"));
  CHECK(global_is(types[1], WASM_I32, WASM_CONST));
  CHECK(memory_is(types[2], 1, 7));
  CHECK(table_is(types[3], WASM_EXTERNREF, 2, 20));
  CHECK(memory_is(types[4], 1, 7));
  CHECK(wasm_externtype_as_functype_const(types[1]) == NULL);
  CHECK(wasm_externtype_as_globaltype_const(types[0]) == NULL);
  CHECK(wasm_externtype_as_tagtype_const(types[0]) == NULL);
}

static own wasm_trap_t* unused(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return NULL;
}

static void test_module(wasm_store_t* store) {
  own wasm_module_t* module = module_of(store, text);
  own wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  REQUIRE(imports.size == 4);
  CHECK(name_is(wasm_importtype_module(imports.data[0]), "zoo", 3));
  CHECK(name_is(wasm_importtype_name(imports.data[0]), "zebra", 5));
  CHECK(func_is(wasm_importtype_type(imports.data[0]), "iIfFer", ""));
  CHECK(name_is(wasm_importtype_name(imports.data[1]), "ape", 3));
  CHECK(global_is(wasm_importtype_type(imports.data[1]), WASM_F64, WASM_VAR));
  CHECK(name_is(wasm_importtype_module(imports.data[2]), "", 0));
  CHECK(name_is(wasm_importtype_name(imports.data[2]), "", 0));
  CHECK(table_is(wasm_importtype_type(imports.data[2]), WASM_FUNCREF, 3, wasm_limits_max_default));
  CHECK(name_is(wasm_importtype_name(imports.data[3]), "na\0me \xe2\x82\xac", 9));
  CHECK(memory_is(wasm_importtype_type(imports.data[3]), 1, 7));

  static const char* const names[] = {"z", "a", "memory", "b", "again"};
  own wasm_exporttype_vec_t exports, copies;
  wasm_module_exports(module, &exports);
  wasm_exporttype_vec_copy(&copies, &exports);
  REQUIRE(exports.size == 5 && copies.size == 5);
  const wasm_externtype_t* types[5];
  for (size_t i = 0; i < 5; ++i) {
    CHECK(name_is(wasm_exporttype_name(exports.data[i]), names[i], strlen(names[i])));
    CHECK(name_is(wasm_exporttype_name(copies.data[i]), names[i], strlen(names[i])));
    types[i] = wasm_exporttype_type(exports.data[i]);
  }
  check_exports(types);
  for (size_t i = 0; i < 5; ++i) types[i] = wasm_exporttype_type(copies.data[i]);
  wasm_exporttype_vec_delete(&exports);
  check_exports(types);
  wasm_exporttype_vec_delete(&copies);

  // The same from the objects. Import types are good for making what is imported.
  own wasm_func_t* func = wasm_func_new(
    store, wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[0])), unused);
  wasm_val_t number = WASM_F64_VAL(1);
  own wasm_global_t* global = wasm_global_new(
    store, wasm_externtype_as_globaltype_const(wasm_importtype_type(imports.data[1])), &number);
  own wasm_table_t* table = wasm_table_new(
    store, wasm_externtype_as_tabletype_const(wasm_importtype_type(imports.data[2])), NULL);
  own wasm_memory_t* memory = wasm_memory_new(
    store, wasm_externtype_as_memorytype_const(wasm_importtype_type(imports.data[3])));
  wasm_extern_t* externs[] = {wasm_func_as_extern(func), wasm_global_as_extern(global),
                              wasm_table_as_extern(table), wasm_memory_as_extern(memory)};
  wasm_extern_vec_t import_vec = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &import_vec, NULL);
  REQUIRE(instance != NULL);
  own wasm_extern_vec_t objects;
  wasm_instance_exports(instance, &objects);
  REQUIRE(objects.size == 5);
  own wasm_externtype_t* object_types[5];
  for (size_t i = 0; i < 5; ++i) {
    object_types[i] = wasm_extern_type(objects.data[i]);
    types[i] = object_types[i];
    CHECK(wasm_extern_kind(objects.data[i]) == wasm_externtype_kind(types[i]));
  }
  check_exports(types);
  CHECK(wasm_extern_same(objects.data[2], objects.data[4]));
  CHECK(wasm_extern_same(objects.data[2], wasm_memory_as_extern(memory)));
  for (size_t i = 0; i < 5; ++i) wasm_externtype_delete(object_types[i]);

  wasm_extern_vec_delete(&objects);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_global_delete(global);
  wasm_table_delete(table);
  wasm_memory_delete(memory);
  wasm_importtype_vec_delete(&imports);
  wasm_module_delete(module);
}

// Types that the host builds, takes apart and copies.
static void test_types(void) {
  own wasm_functype_t* func = wasm_functype_new_3_2(
    wasm_valtype_new_i32(), wasm_valtype_new_f64(), wasm_valtype_new_externref(),
    wasm_valtype_new_funcref(), wasm_valtype_new_i64());
  own wasm_functype_t* copy = wasm_functype_copy(func);
  wasm_functype_delete(func);
  CHECK(kinds_are(wasm_functype_params(copy), "iFe"));
  CHECK(kinds_are(wasm_functype_results(copy), "rI"));
  wasm_externtype_t* as_extern = wasm_functype_as_externtype(copy);
  CHECK(wasm_externtype_kind(as_extern) == WASM_EXTERN_FUNC);
  CHECK(wasm_externtype_as_functype(as_extern) == copy);
  CHECK(wasm_externtype_as_memorytype(as_extern) == NULL);
  own wasm_externtype_t* extern_copy = wasm_externtype_copy(as_extern);
  wasm_functype_delete(copy);
  CHECK(func_is(extern_copy, "iFe", "rI"));

  own wasm_name_t module, name;
  wasm_name_new_from_string(&module, "module");
  wasm_name_new_from_string(&name, "name");
  own wasm_importtype_t* import = wasm_importtype_new(&module, &name, extern_copy);
  CHECK(name_is(wasm_importtype_module(import), "module", 6));
  CHECK(name_is(wasm_importtype_name(import), "name", 4));
  CHECK(func_is(wasm_importtype_type(import), "iFe", "rI"));
  own wasm_importtype_t* import_copy = wasm_importtype_copy(import);
  wasm_importtype_delete(import);
  CHECK(func_is(wasm_importtype_type(import_copy), "iFe", "rI"));
  wasm_importtype_delete(import_copy);

  own wasm_tagtype_t* tag = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i64()));
  CHECK(kinds_are(wasm_functype_params(wasm_tagtype_functype(tag)), "I"));
  own wasm_tagtype_t* tag_copy = wasm_tagtype_copy(tag);
  CHECK(wasm_externtype_kind(wasm_tagtype_as_externtype(tag_copy)) == WASM_EXTERN_TAG);
  CHECK(wasm_externtype_as_tagtype(wasm_tagtype_as_externtype(tag_copy)) == tag_copy);
  wasm_tagtype_delete(tag);
  wasm_tagtype_delete(tag_copy);

  // A vector owns its elements, and so does its copy.
  own wasm_valtype_t* elements[] = {wasm_valtype_new_i32(), wasm_valtype_new_f32()};
  own wasm_valtype_vec_t first, second;
  wasm_valtype_vec_new(&first, 2, elements);
  wasm_valtype_vec_copy(&second, &first);
  wasm_valtype_vec_delete(&first);
  CHECK(kinds_are(&second, "if"));
  wasm_valtype_vec_delete(&second);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_module(store);
  test_types();
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
