// The functions of wasm.h that the bench program uses, as pointers into a library that was loaded by
// its path; and those of tenon.h, which are NULL in other libraries.
#ifndef API_H
#define API_H

#include <wasm.h>

#include <tenon.h>

#define EACH_FUNCTION(X) \
  X(wasm_byte_vec_delete) \
  X(wasm_config_new) \
  X(wasm_engine_new) \
  X(wasm_engine_new_with_config) \
  X(wasm_engine_delete) \
  X(wasm_store_new) \
  X(wasm_store_delete) \
  X(wasm_module_new) \
  X(wasm_module_delete) \
  X(wasm_module_share) \
  X(wasm_module_obtain) \
  X(wasm_module_serialize) \
  X(wasm_module_deserialize) \
  X(wasm_module_imports) \
  X(wasm_module_exports) \
  X(wasm_importtype_type) \
  X(wasm_importtype_module) \
  X(wasm_importtype_name) \
  X(wasm_importtype_vec_delete) \
  X(wasm_exporttype_name) \
  X(wasm_exporttype_type) \
  X(wasm_exporttype_vec_delete) \
  X(wasm_externtype_kind) \
  X(wasm_externtype_as_functype_const) \
  X(wasm_externtype_as_globaltype_const) \
  X(wasm_externtype_as_tabletype_const) \
  X(wasm_externtype_as_memorytype_const) \
  X(wasm_functype_new) \
  X(wasm_functype_delete) \
  X(wasm_functype_params) \
  X(wasm_functype_results) \
  X(wasm_globaltype_content) \
  X(wasm_valtype_new) \
  X(wasm_valtype_kind) \
  X(wasm_valtype_vec_new) \
  X(wasm_valtype_vec_new_empty) \
  X(wasm_func_new) \
  X(wasm_func_new_with_env) \
  X(wasm_func_delete) \
  X(wasm_func_call) \
  X(wasm_func_param_arity) \
  X(wasm_func_result_arity) \
  X(wasm_func_as_extern) \
  X(wasm_extern_as_func) \
  X(wasm_extern_as_memory) \
  X(wasm_extern_vec_delete) \
  X(wasm_global_new) \
  X(wasm_global_as_extern) \
  X(wasm_table_new) \
  X(wasm_table_as_extern) \
  X(wasm_memorytype_new) \
  X(wasm_memorytype_delete) \
  X(wasm_memory_new) \
  X(wasm_memory_delete) \
  X(wasm_memory_grow) \
  X(wasm_memory_as_extern) \
  X(wasm_memory_data) \
  X(wasm_memory_data_size) \
  X(wasm_instance_new) \
  X(wasm_instance_delete) \
  X(wasm_instance_exports) \
  X(wasm_trap_message) \
  X(wasm_trap_delete)

#define EACH_EXTENSION(X) \
  X(tenon_config_set_dense_memories) \
  X(tenon_module_deserialize_file)

typedef struct {
#define X(name) __typeof__(name)* name;
  EACH_FUNCTION(X)
  EACH_EXTENSION(X)
#undef X
} api_t;

extern api_t api;

#endif
