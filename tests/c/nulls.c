// NULL where an object is expected: deleting nothing is always allowed, and every other function
// answers with nothing instead of crashing.

#include "test_util.h"

#define EACH_OWN(X) \
  X(config) X(engine) X(store) X(valtype) X(functype) X(globaltype) X(tabletype) X(memorytype) \
  X(tagtype) X(externtype) X(importtype) X(exporttype) X(ref) X(frame) X(trap) X(foreign) \
  X(module) X(shared_module) X(func) X(global) X(table) X(memory) X(extern) X(instance) X(val)

#define EACH_COPY(X) \
  X(valtype) X(functype) X(globaltype) X(tabletype) X(memorytype) X(tagtype) X(externtype) \
  X(importtype) X(exporttype) X(ref) X(frame) X(trap) X(foreign) X(module) X(func) X(global) \
  X(table) X(memory) X(extern) X(instance)

#define EACH_REF(X) \
  X(ref) X(trap) X(foreign) X(module) X(func) X(global) X(table) X(memory) X(extern) X(instance)

#define EACH_AS_REF(X) \
  X(trap) X(foreign) X(module) X(func) X(global) X(table) X(memory) X(extern) X(instance)

#define EACH_VEC(X) \
  X(byte) X(valtype) X(functype) X(globaltype) X(tabletype) X(memorytype) X(tagtype) \
  X(externtype) X(importtype) X(exporttype) X(frame) X(extern) X(val)

#define EACH_EXTERN(X) X(func) X(global) X(table) X(memory)
#define EACH_EXTERNTYPE(X) X(functype) X(globaltype) X(tabletype) X(memorytype) X(tagtype)

static void test_delete(void) {
#define X(name) \
  wasm_##name##_delete(NULL); \
  CHECK(true);
  EACH_OWN(X)
#undef X
  tenon_error_delete(NULL);
}

static void test_vectors(void) {
  // Without a vector, with an empty one, and twice the same.
#define X(name) \
  { \
    wasm_##name##_vec_delete(NULL); \
    wasm_##name##_vec_new_empty(NULL); \
    wasm_##name##_vec_new_uninitialized(NULL, 3); \
    wasm_##name##_vec_new(NULL, 0, NULL); \
    wasm_##name##_vec_copy(NULL, NULL); \
    wasm_##name##_vec_t vec = WASM_EMPTY_VEC; \
    wasm_##name##_vec_delete(&vec); \
    CHECK(vec.size == 0 && vec.data == NULL); \
    wasm_##name##_vec_new_empty(&vec); \
    CHECK(vec.size == 0); \
    wasm_##name##_vec_delete(&vec); \
    wasm_##name##_vec_new(&vec, 0, NULL); \
    CHECK(vec.size == 0); \
    wasm_##name##_vec_t copy = {9, NULL}; \
    wasm_##name##_vec_copy(&copy, &vec); \
    CHECK(copy.size == 0); \
    wasm_##name##_vec_delete(&copy); \
    copy.size = 9; \
    wasm_##name##_vec_copy(&copy, NULL); \
    CHECK(copy.size == 0); \
    wasm_##name##_vec_delete(&vec); \
    wasm_##name##_vec_delete(&vec); \
    CHECK(vec.size == 0); \
  }
  EACH_VEC(X)
#undef X

  // Vectors of pointers may hold nothing at some places.
  own wasm_extern_vec_t externs;
  wasm_extern_vec_new_uninitialized(&externs, 3);
  for (size_t i = 0; i < externs.size; ++i) CHECK(externs.data[i] == NULL);
  own wasm_extern_vec_t copies;
  wasm_extern_vec_copy(&copies, &externs);
  CHECK(copies.size == 3);
  wasm_extern_vec_delete(&copies);
  wasm_extern_vec_delete(&externs);
  own wasm_valtype_t* types[2] = {NULL, wasm_valtype_new_i32()};
  own wasm_valtype_vec_t valtypes;
  wasm_valtype_vec_new(&valtypes, 2, types);
  wasm_valtype_vec_delete(&valtypes);
}

static void test_references(void) {
  int counter = 0;
#define X(name) \
  CHECK(wasm_##name##_copy(NULL) == NULL);
  EACH_COPY(X)
#undef X
#define X(name) \
  CHECK(wasm_##name##_get_host_info(NULL) == NULL); \
  wasm_##name##_set_host_info(NULL, &counter); \
  wasm_##name##_set_host_info_with_finalizer(NULL, &counter, NULL); \
  (void)wasm_##name##_same(NULL, NULL); \
  CHECK(true);
  EACH_REF(X)
#undef X
#define X(name) \
  CHECK(wasm_##name##_as_ref(NULL) == NULL); \
  CHECK(wasm_##name##_as_ref_const(NULL) == NULL); \
  CHECK(wasm_ref_as_##name(NULL) == NULL); \
  CHECK(wasm_ref_as_##name##_const(NULL) == NULL);
  EACH_AS_REF(X)
#undef X
#define X(name) \
  CHECK(wasm_##name##_as_extern(NULL) == NULL); \
  CHECK(wasm_##name##_as_extern_const(NULL) == NULL); \
  CHECK(wasm_extern_as_##name(NULL) == NULL); \
  CHECK(wasm_extern_as_##name##_const(NULL) == NULL);
  EACH_EXTERN(X)
#undef X
#define X(name) \
  CHECK(wasm_##name##_as_externtype(NULL) == NULL); \
  CHECK(wasm_##name##_as_externtype_const(NULL) == NULL); \
  CHECK(wasm_externtype_as_##name(NULL) == NULL); \
  CHECK(wasm_externtype_as_##name##_const(NULL) == NULL);
  EACH_EXTERNTYPE(X)
#undef X
}

static void test_types(void) {
  CHECK(wasm_globaltype_new(NULL, WASM_CONST) == NULL);
  CHECK(error_says("NULL"));
  CHECK(wasm_tabletype_new(NULL, NULL) == NULL);
  CHECK(wasm_memorytype_new(NULL) == NULL);
  CHECK(wasm_tagtype_new(NULL) == NULL);
  CHECK(wasm_importtype_new(NULL, NULL, NULL) == NULL);
  CHECK(wasm_exporttype_new(NULL, NULL) == NULL);
  // A function type without parameters or results is a function type still, or refused: as it likes.
  wasm_functype_delete(wasm_functype_new(NULL, NULL));
  // What is owned by a call that fails is deleted by it.
  CHECK(wasm_tabletype_new(wasm_valtype_new_funcref(), NULL) == NULL);
  own wasm_name_t name;
  wasm_name_new_from_string(&name, "name");
  CHECK(wasm_exporttype_new(&name, NULL) == NULL);

  (void)wasm_valtype_kind(NULL);
  (void)wasm_externtype_kind(NULL);
  (void)wasm_globaltype_mutability(NULL);
  CHECK(wasm_functype_params(NULL) == NULL || wasm_functype_params(NULL)->size == 0);
  CHECK(wasm_functype_results(NULL) == NULL || wasm_functype_results(NULL)->size == 0);
  CHECK(wasm_globaltype_content(NULL) == NULL);
  CHECK(wasm_tabletype_element(NULL) == NULL);
  (void)wasm_tabletype_limits(NULL);
  (void)wasm_memorytype_limits(NULL);
  CHECK(wasm_tagtype_functype(NULL) == NULL);
  (void)wasm_importtype_module(NULL);
  (void)wasm_importtype_name(NULL);
  CHECK(wasm_importtype_type(NULL) == NULL);
  (void)wasm_exporttype_name(NULL);
  CHECK(wasm_exporttype_type(NULL) == NULL);

  // Kinds that do not exist.
  static const wasm_valkind_t kinds[] = {77, 127, 200, 255};
  for (size_t i = 0; i < sizeof(kinds); ++i) CHECK(wasm_valtype_new(kinds[i]) == NULL);
}

static void test_objects(wasm_store_t* store) {
  wasm_byte_vec_t bytes = WASM_EMPTY_VEC;
  wasm_val_t value = WASM_I32_VAL(1);
  own wasm_functype_t* functype = wasm_functype_new_0_0();
  own wasm_module_t* module = module_of(store, "(module)");

  // An engine with default configuration; a store without engine.
  wasm_engine_delete(wasm_engine_new_with_config(NULL));
  CHECK(wasm_store_new(NULL) == NULL);
  CHECK(error_says("NULL"));

  CHECK(wasm_module_new(NULL, NULL) == NULL);
  CHECK(wasm_module_new(store, NULL) == NULL);
  CHECK(error_says("NULL"));
  CHECK(wasm_module_new(NULL, &bytes) == NULL);
  CHECK(!wasm_module_validate(store, NULL));
  CHECK(!wasm_module_validate(NULL, &bytes));
  CHECK(wasm_module_deserialize(store, NULL) == NULL);
  CHECK(wasm_module_deserialize(NULL, &bytes) == NULL);
  CHECK(wasm_module_share(NULL) == NULL);
  CHECK(wasm_module_obtain(store, NULL) == NULL);
  CHECK(wasm_module_obtain(NULL, NULL) == NULL);
  own wasm_importtype_vec_t imports = {5, NULL};
  wasm_module_imports(NULL, &imports);
  CHECK(imports.size == 0);
  own wasm_exporttype_vec_t exports = {5, NULL};
  wasm_module_exports(NULL, &exports);
  CHECK(exports.size == 0);
  own wasm_byte_vec_t serialized = {5, NULL};
  wasm_module_serialize(NULL, &serialized);
  CHECK(serialized.size == 0);
  wasm_module_imports(module, NULL);
  wasm_module_exports(module, NULL);
  wasm_module_serialize(module, NULL);

  CHECK(wasm_instance_new(store, NULL, NULL, NULL) == NULL);
  CHECK(wasm_instance_new(NULL, module, NULL, NULL) == NULL);
  own wasm_extern_vec_t externs = {5, NULL};
  wasm_instance_exports(NULL, &externs);
  CHECK(externs.size == 0);
  // Nothing to import: no vector is needed.
  own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  CHECK(instance != NULL);
  wasm_instance_exports(instance, NULL);
  wasm_instance_delete(instance);

  CHECK(wasm_func_new(store, NULL, host_nothing) == NULL);
  CHECK(wasm_func_new(NULL, functype, host_nothing) == NULL);
  CHECK(wasm_func_new(store, functype, NULL) == NULL);
  CHECK(wasm_func_new_with_env(store, functype, NULL, NULL, NULL) == NULL);
  CHECK(wasm_func_type(NULL) == NULL);
  CHECK(wasm_func_param_arity(NULL) == 0);
  CHECK(wasm_func_result_arity(NULL) == 0);
  wasm_trap_delete(wasm_func_call(NULL, NULL, NULL));
  own wasm_func_t* nothing = new_nothing(store);
  CHECK(wasm_func_call(nothing, NULL, NULL) == NULL);
  wasm_func_delete(nothing);

  own wasm_globaltype_t* globaltype = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
  CHECK(wasm_global_new(store, NULL, &value) == NULL);
  CHECK(wasm_global_new(store, globaltype, NULL) == NULL);
  CHECK(wasm_global_new(NULL, globaltype, &value) == NULL);
  CHECK(wasm_global_type(NULL) == NULL);
  wasm_global_get(NULL, &value);
  wasm_global_set(NULL, &value);
  own wasm_global_t* global = new_global(store, WASM_I32, WASM_VAR, (wasm_val_t)WASM_I32_VAL(1));
  wasm_global_get(global, NULL);
  wasm_global_set(global, NULL);
  wasm_global_delete(global);
  wasm_globaltype_delete(globaltype);

  CHECK(wasm_table_new(store, NULL, NULL) == NULL);
  CHECK(wasm_table_type(NULL) == NULL);
  CHECK(wasm_table_get(NULL, 0) == NULL);
  CHECK(!wasm_table_set(NULL, 0, NULL));
  CHECK(wasm_table_size(NULL) == 0);
  CHECK(!wasm_table_grow(NULL, 0, NULL));

  CHECK(wasm_memory_new(store, NULL) == NULL);
  CHECK(wasm_memory_type(NULL) == NULL);
  CHECK(wasm_memory_data(NULL) == NULL);
  CHECK(wasm_memory_data_size(NULL) == 0);
  CHECK(wasm_memory_size(NULL) == 0);
  CHECK(!wasm_memory_grow(NULL, 0));

  CHECK(wasm_extern_type(NULL) == NULL);
  (void)wasm_extern_kind(NULL);
  CHECK(wasm_foreign_new(NULL) == NULL);

  // A trap without a message is a trap.
  own wasm_trap_t* trap = wasm_trap_new(store, NULL);
  wasm_trap_delete(trap);
  CHECK(wasm_trap_new(NULL, NULL) == NULL);
  own wasm_message_t message = {5, NULL};
  wasm_trap_message(NULL, &message);
  wasm_byte_vec_delete(&message);
  CHECK(wasm_trap_origin(NULL) == NULL);
  own wasm_frame_vec_t frames = {5, NULL};
  wasm_trap_trace(NULL, &frames);
  CHECK(frames.size == 0);
  CHECK(wasm_frame_instance(NULL) == NULL);
  (void)wasm_frame_func_index(NULL);
  (void)wasm_frame_func_offset(NULL);
  (void)wasm_frame_module_offset(NULL);

  wasm_val_copy(&value, NULL);
  wasm_val_copy(NULL, &value);
  own tenon_error_t* error = tenon_wat2wasm(NULL, 3, &bytes);
  CHECK(error != NULL);
  tenon_error_delete(error);
  error = tenon_wat2wasm("(module)", 8, NULL);
  CHECK(error != NULL);
  tenon_error_delete(error);

  wasm_functype_delete(functype);
  wasm_module_delete(module);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  test_delete();
  test_vectors();
  test_references();
  test_types();
  test_objects(store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
