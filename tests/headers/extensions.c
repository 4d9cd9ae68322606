/* What tenon.h offers beyond failures and texts, checked from C. */
#include <stdio.h>
#include <stdlib.h>
#include <tenon.h>

static int checks = 0, failures = 0;
#define CHECK(what) \
  do { \
    checks++; \
    if (!(what)) failures++, printf("line %d: %s\n", __LINE__, #what); \
  } while (0)

/* Deletes the error; whether it is of this kind and its message has this text. */
static bool fails(tenon_error_t *error, tenon_error_kind_t kind, const char *text) {
  bool as_expected = error && tenon_error_kind(error) == kind && strstr(tenon_error_message(error), text);
  if (!as_expected && error) printf("%u: %s\n", tenon_error_kind(error), tenon_error_message(error));
  tenon_error_delete(error);
  return as_expected;
}

static wasm_module_t *module_of(wasm_store_t *store, const char *text) {
  wasm_byte_vec_t binary;
  wasm_module_t *module = NULL;
  tenon_error_t *error = tenon_wat2wasm(text, strlen(text), &binary);
  if (!error) error = tenon_module_new(store, &binary, &module);
  if (error) printf("%s\n", tenon_error_message(error)), exit(1);
  wasm_byte_vec_delete(&binary);
  return module;
}

static wasm_instance_t *instance_of(wasm_store_t *store, const char *text) {
  wasm_module_t *module = module_of(store, text);
  wasm_instance_t *instance = NULL;
  wasm_trap_t *trap = (wasm_trap_t *)store;
  tenon_error_t *error = tenon_instance_new(store, module, NULL, &instance, &trap);
  if (error) printf("%s\n", tenon_error_message(error)), exit(1);
  CHECK(instance && trap == NULL);
  wasm_module_delete(module);
  return instance;
}

static wasm_func_t *func_of(const wasm_instance_t *instance, size_t index) {
  wasm_extern_vec_t exports;
  wasm_func_t *func;
  wasm_instance_exports(instance, &exports);
  func = wasm_func_copy(wasm_extern_as_func(exports.data[index]));
  wasm_extern_vec_delete(&exports);
  return func;
}

static int finalized = 0;
static void finalize(void *env) {
  (void)env;
  finalized++;
}

static wasm_trap_t *nothing(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)env, (void)args, (void)results;
  return NULL;
}

/* Engines of every setting run the same program. */
static void settings(void) {
  static const char text[] =
      "(module (memory (export \"m\") 1 20) (func (export \"f\") (param i32) (result i32)"
      "  (drop (memory.grow (i32.const 10))) (i32.store (local.get 0) (i32.const 7)) (i32.load (local.get 0))))";
  wasm_byte_vec_t serialized = WASM_EMPTY_VEC;
  int i;
  for (i = 0; i < 16; i++) {
    wasm_config_t *config = wasm_config_new();
    wasm_engine_t *engine = NULL;
    wasm_store_t *store;
    wasm_module_t *module;
    wasm_instance_t *instance;
    wasm_func_t *func;
    wasm_val_t arg = WASM_I32_VAL(65536 * 11 - 4), result = WASM_INIT_VAL;
    wasm_val_vec_t args = {1, &arg}, results = {1, &result};
    wasm_trap_t *trap;
    tenon_config_set_signals(config, i & 1);
    tenon_config_set_eager(config, i & 2);
    /* The last of four is none: it changes nothing. */
    tenon_config_set_optimization(config, (tenon_optimization_t)(i % 4));
    CHECK((tenon_last_error() != NULL) == (i % 4 == 3));
    tenon_last_error_clear();
    if (i & 4) tenon_config_set_memory_reservation(config, 1 << 20);
    if (i & 4) tenon_config_set_memory_guard(config, 1 << 16);
    if (i & 8) tenon_config_set_max_stack(config, 1 << 18);
    tenon_config_set_pooled_memories(config, i);
    tenon_config_set_pooled_bytes(config, i << 14);
    CHECK(tenon_engine_new(config, &engine) == NULL && engine);
    store = wasm_store_new(engine);
    if (i == 0) {
      module = module_of(store, text);
      CHECK(tenon_module_serialize(module, &serialized) == NULL && serialized.size > 0);
    } else {
      /* Written by another configuration, or by the same. */
      CHECK(tenon_module_deserialize(store, &serialized, &module) == NULL && module);
      if (i & 1) wasm_byte_vec_delete(&serialized), wasm_module_serialize(module, &serialized);
    }
    CHECK(tenon_instance_new(store, module, NULL, &instance, NULL) == NULL);
    func = func_of(instance, 1);
    CHECK(wasm_func_call(func, &args, &results) == NULL && result.of.i32 == 7);
    arg.of.i32 = -4;
    trap = wasm_func_call(func, &args, &results);
    CHECK(tenon_trap_code(trap) == TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
    wasm_trap_delete(trap);
    wasm_func_delete(func);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
  }
  wasm_byte_vec_delete(&serialized);
  tenon_config_set_eager(NULL, true);
}

static void reasons(wasm_store_t *store) {
  static const wasm_limits_t limits = {1, 3}, upside_down = {2, 1};
  wasm_memorytype_t *memory_type = wasm_memorytype_new(&limits);
  wasm_tabletype_t *table_type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_globaltype_t *global_type = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
  wasm_functype_t *func_type = wasm_functype_new_0_0();
  wasm_byte_vec_t bytes = {8, (char *)"\0asm\7\0\0\0"}, empty = WASM_EMPTY_VEC;
  wasm_val_t i32 = WASM_I32_VAL(1), i64 = WASM_I64_VAL(2), got;
  wasm_module_t *module = (wasm_module_t *)store;
  wasm_memory_t *memory;
  wasm_table_t *table;
  wasm_global_t *global;
  wasm_func_t *func;
  wasm_trap_t *trap;
  wasm_instance_t *instance = (wasm_instance_t *)store;
  wasm_message_t message;
  tenon_error_t *error;
  uint64_t offset = 0, old = 9;

  error = tenon_module_new(store, &bytes, &module);
  CHECK(error && module == NULL && tenon_error_offset(error, &offset) && offset == 4);
  CHECK(fails(error, TENON_ERROR_MALFORMED, "version"));
  CHECK(fails(tenon_module_new(store, NULL, NULL), TENON_ERROR_ARGUMENT, "NULL"));
  CHECK(fails(tenon_module_validate(store, &empty), TENON_ERROR_MALFORMED, ""));
  CHECK(fails(tenon_module_deserialize(store, &bytes, &module), TENON_ERROR_DAMAGED, "serialized"));

  CHECK(tenon_memory_new(store, memory_type, &memory) == NULL);
  CHECK(tenon_memory_grow(memory, 1, &old) == NULL && old == 1);
  CHECK(fails(tenon_memory_grow(memory, 2, &old), TENON_ERROR_LIMIT, "3") && old == 1);
  CHECK(fails(tenon_memory_grow(memory, UINT64_MAX, NULL), TENON_ERROR_LIMIT, "grow"));
  CHECK(fails(tenon_memory_grow(NULL, 0, NULL), TENON_ERROR_ARGUMENT, "NULL"));
  wasm_memory_delete(memory);
  wasm_memorytype_delete(memory_type);
  memory_type = wasm_memorytype_new(&upside_down);
  CHECK(memory_type == NULL || fails(tenon_memory_new(store, memory_type, &memory), TENON_ERROR_ARGUMENT, "minimum"));

  CHECK(tenon_table_new(store, table_type, NULL, &table) == NULL && wasm_table_size(table) == 1);
  CHECK(tenon_table_grow(table, 2, NULL, &old) == NULL && old == 1);
  CHECK(fails(tenon_table_grow(table, 1, NULL, &old), TENON_ERROR_LIMIT, "3"));
  wasm_table_delete(table);

  CHECK(fails(tenon_global_new(store, global_type, &i32, &global), TENON_ERROR_ARGUMENT, "i64") && global == NULL);
  CHECK(tenon_global_new(store, global_type, &i64, &global) == NULL);
  CHECK(fails(tenon_global_set(global, &i32), TENON_ERROR_ARGUMENT, "i64"));
  i64.of.i64 = 3;
  CHECK(tenon_global_set(global, &i64) == NULL);
  wasm_global_get(global, &got);
  CHECK(got.kind == WASM_I64 && got.of.i64 == 3);
  wasm_global_delete(global);

  CHECK(tenon_func_new(store, func_type, nothing, NULL, finalize, &func) == NULL);
  wasm_func_delete(func);
  CHECK(finalized == 1);
  CHECK(fails(tenon_func_new(store, func_type, NULL, NULL, finalize, &func), TENON_ERROR_ARGUMENT, "callback"));
  CHECK(func == NULL && finalized == 1);

  module = module_of(store, "(module (import \"env\" \"f\" (func (param i32))))");
  error = tenon_instance_new(store, module, NULL, &instance, &trap);
  CHECK(instance == NULL && trap && fails(error, TENON_ERROR_LINK, "\"env\" \"f\""));
  wasm_trap_message(trap, &message);
  CHECK(strstr(message.data, "\"env\" \"f\"") && strlen(message.data) + 1 == message.size);
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
  wasm_module_delete(module);
  module = module_of(store, "(module $m (func $s unreachable) (start $s))");
  error = tenon_instance_new(store, module, &(wasm_extern_vec_t)WASM_EMPTY_VEC, &instance, &trap);
  CHECK(instance == NULL && trap && fails(error, TENON_ERROR_TRAP, "unreachable"));
  CHECK(tenon_trap_code(trap) == TENON_TRAP_UNREACHABLE && tenon_trap_code(NULL) == TENON_TRAP_HOST);
  {
    wasm_frame_t *frame = wasm_trap_origin(trap);
    CHECK(tenon_frame_func_name(frame, &message) && message.size == 1 && message.data[0] == 's');
    wasm_byte_vec_delete(&message);
    CHECK(tenon_frame_module_name(frame, &message) && message.size == 1 && message.data[0] == 'm');
    wasm_byte_vec_delete(&message);
    CHECK(!tenon_frame_func_name(NULL, &message) && message.size == 0);
    wasm_frame_delete(frame);
  }
  wasm_trap_delete(trap);
  wasm_module_delete(module);
  wasm_memorytype_delete(memory_type);
  wasm_tabletype_delete(table_type);
  wasm_globaltype_delete(global_type);
  wasm_functype_delete(func_type);
}

static wasm_trap_t *swap(void *env, const wasm_func_t *caller, tenon_raw_t *values) {
  tenon_raw_t first = values[0];
  wasm_message_t message;
  wasm_trap_t *trap;
  CHECK(wasm_func_param_arity(caller) == 2);
  if (values[1].f64 >= 0) {
    values[0] = values[1];
    values[1].i32 = first.i32 * 2;
    return NULL;
  }
  wasm_name_new_from_string_nt(&message, "negative");
  trap = wasm_trap_new(env, &message);
  wasm_byte_vec_delete(&message);
  return trap;
}

static void raw(wasm_store_t *store) {
  wasm_functype_t *type = wasm_functype_new_2_2(wasm_valtype_new_i32(), wasm_valtype_new_f64(),
                                                wasm_valtype_new_f64(), wasm_valtype_new_i32());
  wasm_instance_t *instance;
  wasm_module_t *module = module_of(store,
      "(module (import \"\" \"swap\" (func $swap (param i32 f64) (result f64 i32)))"
      "  (func (export \"f\") (param i32 f64) (result f64 i32) (call $swap (local.get 0) (local.get 1)))"
      "  (func (export \"id\") (param externref) (result externref) (local.get 0)))");
  wasm_func_t *host, *func;
  wasm_extern_t *import;
  wasm_extern_vec_t imports = {1, &import};
  wasm_foreign_t *object = wasm_foreign_new(store);
  tenon_raw_t values[2];
  wasm_trap_t *trap;
  int i;
  CHECK(tenon_func_new_raw(store, type, swap, store, finalize, &host) == NULL);
  import = wasm_func_as_extern(host);
  instance = wasm_instance_new(store, module, &imports, NULL);
  func = func_of(instance, 0);
  for (i = 0; i < 3; i++) {
    values[0].i32 = 21 + i;
    values[1].f64 = 1.5;
    CHECK(tenon_func_call_raw(i == 1 ? host : func, values) == NULL);
    CHECK(values[0].f64 == 1.5 && values[1].i32 == 42 + 2 * i);
  }
  values[1].f64 = -1;
  trap = tenon_func_call_raw(func, values);
  CHECK(trap && tenon_trap_code(trap) == TENON_TRAP_HOST);
  wasm_trap_delete(trap);
  trap = tenon_func_call_raw(NULL, values);
  CHECK(trap != NULL);
  wasm_trap_delete(trap);
  trap = tenon_func_call_raw(func, NULL);
  CHECK(trap != NULL);
  wasm_trap_delete(trap);
  wasm_func_delete(func);
  func = func_of(instance, 1);
  values[0].ref = wasm_foreign_as_ref(object);
  CHECK(tenon_func_call_raw(func, values) == NULL && wasm_ref_same(values[0].ref, wasm_foreign_as_ref(object)));
  wasm_ref_delete(values[0].ref);
  wasm_foreign_delete(object);
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  wasm_func_delete(host);
  wasm_module_delete(module);
  wasm_functype_delete(type);
  tenon_store_gc(store);
  CHECK(finalized == 2);
}

static void linkers(wasm_engine_t *engine) {
  wasm_store_t *store = wasm_store_new(engine), *other = wasm_store_new(engine);
  tenon_linker_t *linker = tenon_linker_new(store);
  wasm_instance_t *first = instance_of(store,
      "(module (memory (export \"memory\") 1 2) (func (export \"seven\") (result i32) (i32.const 7)))");
  wasm_instance_t *stranger = instance_of(other, "(module (func (export \"f\")))"), *second = NULL;
  wasm_module_t *module = module_of(store,
      "(module (import \"extern\" \"seven\" (func (result i32))) (import \"extern\" \"memory\" (memory 1))"
      "  (export \"again\" (func 0)))");
  wasm_module_t *needy = module_of(store, "(module (import \"extern\" \"eight\" (func)))");
  wasm_module_t *lost = module_of(store, "(module (import \"intern\" \"seven\" (global i32)))");
  wasm_extern_t *item;
  wasm_func_t *func;
  wasm_trap_t *trap = NULL;
  wasm_val_t result = WASM_INIT_VAL;
  wasm_val_vec_t args = WASM_EMPTY_VEC, results = {1, &result};

  CHECK(tenon_linker_new(NULL) == NULL);
  CHECK(fails(tenon_linker_instantiate(linker, module, &second, &trap), TENON_ERROR_LINK, "\"extern\" \"seven\""));
  CHECK(second == NULL && trap == NULL);
  CHECK(tenon_linker_define_instance(linker, "extern", 6, first) == NULL);
  CHECK(fails(tenon_linker_define_instance(linker, "extern", 6, first), TENON_ERROR_ARGUMENT, "already"));
  CHECK(fails(tenon_linker_define_instance(linker, "other", 5, stranger), TENON_ERROR_STORE, "store"));
  CHECK(fails(tenon_linker_define_instance(linker, "\xff", 1, first), TENON_ERROR_ARGUMENT, "UTF-8"));
  CHECK(fails(tenon_linker_define(linker, "a", 1, NULL, 1, NULL), TENON_ERROR_ARGUMENT, "the name"));
  CHECK(tenon_linker_instantiate(linker, module, &second, NULL) == NULL && second);
  CHECK(fails(tenon_linker_instantiate(linker, needy, NULL, NULL), TENON_ERROR_LINK, "\"extern\" \"eight\""));
  CHECK(fails(tenon_linker_instantiate(linker, lost, NULL, NULL), TENON_ERROR_LINK, "constant global i32"));
  func = func_of(second, 0);
  CHECK(wasm_func_call(func, &args, &results) == NULL && result.of.i32 == 7);
  CHECK(tenon_linker_get(linker, "extern", 6, "eight", 5) == NULL);
  item = tenon_linker_get(linker, "extern", 6, "seven", 5);
  CHECK(item && wasm_func_same(wasm_extern_as_func(item), func));
  CHECK(tenon_linker_define(linker, "extern", 6, "eight", 5, item) == NULL);
  CHECK(fails(tenon_linker_define(linker, "extern", 6, "eight", 5, item), TENON_ERROR_ARGUMENT, "already"));
  CHECK(fails(tenon_linker_instantiate(linker, needy, NULL, NULL), TENON_ERROR_LINK, "incompatible"));
  wasm_extern_delete(item);
  wasm_func_delete(func);

  /* The linker keeps alive what it holds, the store included. */
  wasm_instance_delete(first);
  wasm_instance_delete(second);
  wasm_module_delete(module);
  wasm_module_delete(needy);
  wasm_module_delete(lost);
  wasm_instance_delete(stranger);
  wasm_store_delete(other);
  wasm_store_delete(store);
  item = tenon_linker_get(linker, "extern", 6, "seven", 5);
  CHECK(wasm_func_call(wasm_extern_as_func(item), &args, &results) == NULL && result.of.i32 == 7);
  wasm_extern_delete(item);
  tenon_linker_delete(linker);
  tenon_linker_delete(NULL);
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  settings();
  reasons(store);
  raw(store);
  linkers(engine);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  tenon_last_error_clear();
  printf("%d checks, %d failures\n", checks, failures);
  return failures != 0;
}
