// What the C tests share: modules from text, instances, calls, and questions about messages.
#ifndef TEST_UTIL_H
#define TEST_UTIL_H

#include <inttypes.h>
#include <string.h>

#include <wasm.h>

#include <tenon.h>

#include "check.h"

#define own

// The engine that a test uses. TENON_TEST_ENGINE chooses what code is compiled for: "checked" finds every
// trap by a check, as is necessary under valgrind, which reports accesses that fault; "moving" has memories
// that move when they grow; "eager" compiles all functions at once; "collecting" looks for garbage at each
// allocation. By default, what engines do by default.
static inline own wasm_config_t* new_config(void) {
  const char* kind = getenv("TENON_TEST_ENGINE");
  own wasm_config_t* config = wasm_config_new();
  if (kind == NULL) return config;
  if (strcmp(kind, "checked") == 0) {
    tenon_config_set_signals(config, false);
  } else if (strcmp(kind, "moving") == 0) {
    tenon_config_set_memory_reservation(config, 0);
    tenon_config_set_memory_guard(config, 0);
  } else if (strcmp(kind, "eager") == 0) {
    tenon_config_set_eager(config, true);
  } else if (strcmp(kind, "collecting") == 0) {
    tenon_config_set_collect_always(config, true);
  } else {
    printf("TENON_TEST_ENGINE: %s is not known\n", kind);
    exit(1);
  }
  return config;
}

static inline own wasm_engine_t* new_engine(void) { return wasm_engine_new_with_config(new_config()); }

static inline own wasm_byte_vec_t binary_of(const char* text) {
  own wasm_byte_vec_t binary = WASM_EMPTY_VEC;
  own tenon_error_t* error = tenon_wat2wasm(text, strlen(text), &binary);
  if (error != NULL) {
    printf("%s\nin\n%s\n", tenon_error_message(error), text);
    exit(1);
  }
  return binary;
}

static inline own wasm_module_t* module_of(wasm_store_t* store, const char* text) {
  own wasm_byte_vec_t binary = binary_of(text);
  own wasm_module_t* module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (module == NULL) {
    printf("%s\nin\n%s\n", tenon_last_error(), text);
    exit(1);
  }
  return module;
}

// The imports are borrowed, as in wasm_instance_new.
static inline own wasm_instance_t* instance_with(
  wasm_store_t* store, const char* text, size_t import_count, wasm_extern_t* imports[]
) {
  own wasm_module_t* module = module_of(store, text);
  wasm_extern_vec_t vec = {import_count, imports};
  own wasm_instance_t* instance = wasm_instance_new(store, module, &vec, NULL);
  wasm_module_delete(module);
  if (instance == NULL) {
    printf("%s\nin\n%s\n", tenon_last_error(), text);
    exit(1);
  }
  return instance;
}

static inline own wasm_instance_t* instance_of(wasm_store_t* store, const char* text) {
  return instance_with(store, text, 0, NULL);
}

// An owned handle of one export.
static inline own wasm_extern_t* export_of(const wasm_instance_t* instance, size_t index) {
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  REQUIRE(index < exports.size);
  own wasm_extern_t* found = wasm_extern_copy(exports.data[index]);
  wasm_extern_vec_delete(&exports);
  return found;
}

static inline own wasm_func_t* func_of(const wasm_instance_t* instance, size_t index) {
  own wasm_extern_t* found = export_of(instance, index);
  REQUIRE(wasm_extern_kind(found) == WASM_EXTERN_FUNC);
  return wasm_extern_as_func(found);
}

// Calls with up to four i32 arguments and at most one i32 result.
static inline own wasm_trap_t* call_i32s(
  const wasm_func_t* func, size_t arg_count, const int32_t args[], int32_t* result
) {
  wasm_val_t arg_values[4];
  for (size_t i = 0; i < arg_count; ++i) arg_values[i] = (wasm_val_t)WASM_I32_VAL(args[i]);
  wasm_val_t result_values[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arg_vec = {arg_count, arg_values};
  wasm_val_vec_t result_vec = {result != NULL ? 1 : 0, result_values};
  own wasm_trap_t* trap = wasm_func_call(func, &arg_vec, &result_vec);
  if (trap == NULL && result != NULL) *result = result_values[0].of.i32;
  return trap;
}

// Whether a call of ()->i32 succeeds with this result.
static inline bool returns(const wasm_func_t* func, int32_t expected) {
  int32_t result = ~expected;
  own wasm_trap_t* trap = call_i32s(func, 0, NULL, &result);
  if (trap != NULL) wasm_trap_delete(trap);
  return trap == NULL && result == expected;
}

// Whether the message of a trap, which is deleted, contains a text.
static inline bool trap_says(own wasm_trap_t* trap, const char* text) {
  if (trap == NULL) {
    printf("no trap where one should say \"%s\"\n", text);
    return false;
  }
  own wasm_message_t message;
  wasm_trap_message(trap, &message);
  bool terminated = message.size > 0 && message.data[message.size - 1] == 0;
  bool found = terminated && strstr(message.data, text) != NULL;
  if (!found) printf("trap \"%.*s\" should say \"%s\"\n", (int)message.size, message.data, text);
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
  return found;
}

// Whether the reason of the last failure on this thread contains a text.
static inline bool error_says(const char* text) {
  const char* error = tenon_last_error();
  bool found = error != NULL && strstr(error, text) != NULL;
  if (!found) printf("error \"%s\" should say \"%s\"\n", error != NULL ? error : "(none)", text);
  return found;
}

static inline own wasm_trap_t* new_trap(wasm_store_t* store, const char* text) {
  own wasm_message_t message;
  wasm_name_new_from_string_nt(&message, text);
  own wasm_trap_t* trap = wasm_trap_new(store, &message);
  wasm_byte_vec_delete(&message);
  return trap;
}

static inline own wasm_memory_t* new_memory(wasm_store_t* store, uint32_t min, uint32_t max) {
  wasm_limits_t limits = {min, max};
  own wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  if (type == NULL) return NULL;
  own wasm_memory_t* memory = wasm_memory_new(store, type);
  wasm_memorytype_delete(type);
  return memory;
}

static inline own wasm_table_t* new_table(
  wasm_store_t* store, wasm_valkind_t kind, uint32_t min, uint32_t max
) {
  wasm_limits_t limits = {min, max};
  own wasm_tabletype_t* type = wasm_tabletype_new(wasm_valtype_new(kind), &limits);
  if (type == NULL) return NULL;
  own wasm_table_t* table = wasm_table_new(store, type, NULL);
  wasm_tabletype_delete(type);
  return table;
}

static inline own wasm_global_t* new_global(
  wasm_store_t* store, wasm_valkind_t kind, wasm_mutability_t mutability, wasm_val_t value
) {
  own wasm_globaltype_t* type = wasm_globaltype_new(wasm_valtype_new(kind), mutability);
  own wasm_global_t* global = wasm_global_new(store, type, &value);
  wasm_globaltype_delete(type);
  return global;
}

static inline own wasm_trap_t* host_nothing(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return NULL;
}

// A host function of type () -> ().
static inline own wasm_func_t* new_nothing(wasm_store_t* store) {
  own wasm_functype_t* type = wasm_functype_new_0_0();
  own wasm_func_t* func = wasm_func_new(store, type, host_nothing);
  wasm_functype_delete(type);
  return func;
}

// Counts finalizations: give a pointer to an int as host info.
static inline void count_finalization(void* counter) { ++*(int*)counter; }

static inline long resident_kib(void) {
  long total = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  fclose(file);
  return resident * 4;
}

#endif
