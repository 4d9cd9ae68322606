// What rows have in common: modules, instances and samples. Defined in rows.c.
#ifndef WORLD_H
#define WORLD_H

#include <wasm.h>

#include "rows.h"

// An instance with what is needed to use it. Never deleted: the process ends first.
typedef struct {
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_module_t* module;
  wasm_instance_t* instance;
  wasm_extern_vec_t exports;
} world_t;

// Nanoseconds since some moment.
double now(void);

// A sample, and the lack of one.
sample_t value(double v, long check);
sample_t refuse(const char* format, ...);

// The contents of a file, which the caller frees; false if it cannot be read.
bool read_bytes(const char* path, wasm_byte_vec_t* out);

// The export of this name, or NULL.
wasm_extern_t* find(const world_t* world, const char* name);
wasm_func_t* find_func(const world_t* world, const char* name);

// Something of the type that an import asks for, which does nothing.
wasm_extern_t* stub(wasm_store_t* store, const wasm_externtype_t* type);

#endif
