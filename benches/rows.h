// What is measured: the rows of the table. Each row runs in a child process that has loaded one
// library, and answers each request with one sample.
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stddef.h>

// How a sample is to be read.
typedef enum {
  UNIT_NS,
  UNIT_US,
  UNIT_MS,
  UNIT_KIB,
  UNIT_BYTES,
  UNIT_TIMES,
} unit_t;

// What a row's target is compared with.
typedef enum {
  TARGET_NONE,
  TARGET_RATIO,     // ours / the first peer's, at most
  TARGET_ABSOLUTE,  // ours, at most, in the unit of samples
  TARGET_AT_LEAST,  // ours, at least
} target_kind_t;

typedef struct {
  double value;    // in nanoseconds, KiB, bytes, or times
  long check;      // what was computed: must be the same in all libraries
  char note[160];  // why there is no value, or what has to be said about it
  bool ok;
} sample_t;

typedef struct {
  const char* name;
  unit_t unit;
  target_kind_t target_kind;
  double target;
  int rounds;  // how many samples to take, at most
  sample_t (*run)(void);
} row_t;

extern const row_t rows[];
extern const size_t row_count;

// Where the .wasm files lie, and the large module (NULL: none).
extern const char* kernel_directory;
extern const char* large_module;

// Where the modules of published packages lie (NULL: nowhere).
extern const char* guest_directory;

// Loads a library; NULL or why it cannot be loaded.
const char* load_library(const char* path);

#endif
