// What all measurements use: modules and instances in the library that is measured, and repetition.
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"
#include "rows.h"

// An instance with what is needed to use it. Mostly never deleted: the process ends first.
typedef struct {
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_module_t* module;
  wasm_instance_t* instance;
  wasm_extern_vec_t exports;
} world_t;

// Nanoseconds of a clock that only goes forward.
double now(void);

// A sample with a value, and one that says why there is none.
sample_t value(double v, long check);
sample_t refuse(const char* format, ...);

// The bytes of a file, or of a kernel; the caller frees them.
bool read_bytes(const char* path, wasm_byte_vec_t* out);
bool read_kernel(const char* name, wasm_byte_vec_t* out);

// Engine, unless there is one, store and module; and an instance with its exports.
bool make_module_of(world_t* world, const wasm_byte_vec_t* binary);
bool make_module(world_t* world, const char* kernel);
bool make_world(world_t* world, const char* kernel, wasm_extern_vec_t imports);

// An export by its name, or NULL.
wasm_extern_t* find(const world_t* world, const char* name);
wasm_func_t* find_func(const world_t* world, const char* name);

// Calls a function that takes an i32, and ends the process if that traps.
long call_i32(const wasm_func_t* func, int32_t arg, bool has_result);

// Something of the type that an import asks for, which does nothing.
wasm_extern_t* stub(wasm_store_t* store, const wasm_externtype_t* type);

typedef void (*repeat_t)(size_t count);

// Nanoseconds for one of what `repeat` repeats. `*count` is kept between samples; 0 before the first.
double per_repetition(repeat_t repeat, size_t* count);

#endif
