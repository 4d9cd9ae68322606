// Imports that do not fit: too few, too many, null, of another kind, of another type, of another
// store. Instantiation answers NULL, and the reason names the import.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"log\" (func (param i32)))\n"
  "  (import \"env\" \"limit\" (global i64))\n"
  "  (import \"env\" \"counter\" (global (mut i32)))\n"
  "  (import \"env\" \"table\" (table 2 5 funcref))\n"
  "  (import \"env\" \"memory\" (memory 2 4))\n"
  "  (func (export \"run\") (result i32) (global.get 1)))\n";

enum { LOG, LIMIT, COUNTER, TABLE, MEMORY, COUNT };
static const char* const names[COUNT] = {"log", "limit", "counter", "table", "memory"};

static own wasm_trap_t* host_log(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return NULL;
}

static own wasm_extern_t* new_log(wasm_store_t* store, wasm_valkind_t kind) {
  own wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new(kind));
  own wasm_func_t* func = wasm_func_new(store, type, host_log);
  wasm_functype_delete(type);
  return wasm_func_as_extern(func);
}

static void make_imports(wasm_store_t* store, own wasm_extern_t* imports[COUNT]) {
  imports[LOG] = new_log(store, WASM_I32);
  imports[LIMIT] = wasm_global_as_extern(
    new_global(store, WASM_I64, WASM_CONST, (wasm_val_t)WASM_I64_VAL(9)));
  imports[COUNTER] = wasm_global_as_extern(
    new_global(store, WASM_I32, WASM_VAR, (wasm_val_t)WASM_I32_VAL(7)));
  imports[TABLE] = wasm_table_as_extern(new_table(store, WASM_FUNCREF, 2, 5));
  imports[MEMORY] = wasm_memory_as_extern(new_memory(store, 2, 4));
}

static own wasm_instance_t* instantiate(
  wasm_store_t* store, const wasm_module_t* module, size_t count, wasm_extern_t* imports[]
) {
  wasm_extern_vec_t vec = {count, imports};
  own wasm_trap_t* trap = NULL;
  tenon_last_error_clear();
  own wasm_instance_t* instance = wasm_instance_new(store, module, &vec, &trap);
  // A trap may say the reason too, where the caller asks for one.
  if (trap != NULL) wasm_trap_delete(trap);
  return instance;
}

// Replaces one import, expects a refusal that names it, and puts the right one back.
static void refuses(
  wasm_store_t* store, const wasm_module_t* module, wasm_extern_t* imports[COUNT], size_t which,
  own wasm_extern_t* wrong, const char* expected, const char* found
) {
  wasm_extern_t* right = imports[which];
  imports[which] = wrong;
  own wasm_instance_t* instance = instantiate(store, module, COUNT, imports);
  CHECK(instance == NULL);
  CHECK(error_says("env"));
  CHECK(error_says(names[which]));
  if (expected != NULL) CHECK(error_says(expected));
  if (found != NULL) CHECK(error_says(found));
  if (instance != NULL) wasm_instance_delete(instance);

  // Without a place for a trap the answer is the same.
  wasm_extern_vec_t vec = {COUNT, imports};
  instance = wasm_instance_new(store, module, &vec, NULL);
  CHECK(instance == NULL);
  if (instance != NULL) wasm_instance_delete(instance);
  imports[which] = right;
  if (wrong != NULL) wasm_extern_delete(wrong);
}

static own wasm_extern_t* global(wasm_store_t* store, wasm_mutability_t mutability, wasm_val_t v) {
  return wasm_global_as_extern(new_global(store, v.kind, mutability, v));
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_store_t* other = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store, text);
  own wasm_extern_t* imports[COUNT + 1];
  own wasm_extern_t* foreign[COUNT];
  make_imports(store, imports);
  make_imports(other, foreign);
  imports[COUNT] = imports[LOG];

  // All right to begin with.
  own wasm_instance_t* instance = instantiate(store, module, COUNT, imports);
  REQUIRE(instance != NULL);
  own wasm_func_t* run = func_of(instance, 0);
  CHECK(returns(run, 7));

  // Too few and too many. What is missing is named.
  for (size_t count = 0; count < COUNT; ++count) {
    own wasm_instance_t* refused = instantiate(store, module, count, imports);
    CHECK(refused == NULL);
    CHECK(error_says("5"));
    if (refused != NULL) wasm_instance_delete(refused);
  }
  own wasm_instance_t* refused = instantiate(store, module, COUNT + 1, imports);
  CHECK(refused == NULL);
  CHECK(error_says("5") && error_says("6"));
  if (refused != NULL) wasm_instance_delete(refused);

  // No vector at all, and a vector without data.
  CHECK(wasm_instance_new(store, module, NULL, NULL) == NULL);
  CHECK(error_says("import"));
  wasm_extern_vec_t hollow = {COUNT, NULL};
  CHECK(wasm_instance_new(store, module, &hollow, NULL) == NULL);

  // Null.
  for (size_t i = 0; i < COUNT; ++i) refuses(store, module, imports, i, NULL, NULL, NULL);

  // Another kind: each in the place of each other.
  static const char* const kinds[COUNT] = {"func", "global", "global", "table", "memory"};
  for (size_t i = 0; i < COUNT; ++i) {
    for (size_t j = 0; j < COUNT; ++j) {
      if (strcmp(kinds[i], kinds[j]) == 0) continue;
      refuses(store, module, imports, i, wasm_extern_copy(imports[j]), kinds[i], kinds[j]);
    }
  }

  // Another type.
  refuses(store, module, imports, LOG, new_log(store, WASM_F32), "i32", "f32");
  refuses(store, module, imports, LOG, wasm_func_as_extern(new_nothing(store)), "i32", NULL);
  refuses(store, module, imports, LIMIT,
          global(store, WASM_CONST, (wasm_val_t)WASM_I32_VAL(1)), "i64", "i32");
  refuses(store, module, imports, LIMIT,
          global(store, WASM_VAR, (wasm_val_t)WASM_I64_VAL(1)), "i64", "mut");
  refuses(store, module, imports, COUNTER,
          global(store, WASM_CONST, (wasm_val_t)WASM_I32_VAL(1)), "mut", "i32");
  refuses(store, module, imports, COUNTER,
          global(store, WASM_VAR, (wasm_val_t)WASM_I64_VAL(1)), "i32", "i64");
  refuses(store, module, imports, TABLE,
          wasm_table_as_extern(new_table(store, WASM_EXTERNREF, 2, 5)), "funcref", "externref");
  refuses(store, module, imports, TABLE,
          wasm_table_as_extern(new_table(store, WASM_FUNCREF, 1, 5)), "2", "1");
  refuses(store, module, imports, TABLE,
          wasm_table_as_extern(new_table(store, WASM_FUNCREF, 2, 6)), "5", "6");
  refuses(store, module, imports, TABLE,
          wasm_table_as_extern(new_table(store, WASM_FUNCREF, 2, wasm_limits_max_default)), "5",
          NULL);
  refuses(store, module, imports, MEMORY, wasm_memory_as_extern(new_memory(store, 1, 4)), "2", "1");
  refuses(store, module, imports, MEMORY, wasm_memory_as_extern(new_memory(store, 2, 5)), "4", "5");
  refuses(store, module, imports, MEMORY,
          wasm_memory_as_extern(new_memory(store, 2, wasm_limits_max_default)), "4", NULL);

  // Another store.
  for (size_t i = 0; i < COUNT; ++i) {
    refuses(store, module, imports, i, wasm_extern_copy(foreign[i]), "store", NULL);
  }
  // Nor does a module of this store go into the other one without being shared.
  own wasm_instance_t* misplaced = instantiate(other, module, COUNT, foreign);
  if (misplaced != NULL) {
    wasm_instance_delete(misplaced);
  } else {
    CHECK(error_says("store"));
  }

  // A memory that has grown enough since it was created fits by its size, not by its type's minimum.
  own wasm_extern_t* grown = wasm_memory_as_extern(new_memory(store, 1, 4));
  CHECK(wasm_memory_grow(wasm_extern_as_memory(grown), 1));
  wasm_extern_t* original = imports[MEMORY];
  imports[MEMORY] = grown;
  own wasm_instance_t* second = instantiate(store, module, COUNT, imports);
  CHECK(second != NULL);
  imports[MEMORY] = original;
  if (second != NULL) wasm_instance_delete(second);
  wasm_extern_delete(grown);

  // After all this the first instance is as it was.
  CHECK(returns(run, 7));

  wasm_func_delete(run);
  wasm_instance_delete(instance);
  for (size_t i = 0; i < COUNT; ++i) {
    wasm_extern_delete(imports[i]);
    wasm_extern_delete(foreign[i]);
  }
  wasm_module_delete(module);
  wasm_store_delete(other);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
