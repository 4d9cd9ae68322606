// What the programs here share: a check that is never compiled away, and a module made of text.
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon.h>

// Ends the program unless a condition holds.
#define expect(condition)                                                                     \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      const char *reason = tenon_last_error();                                                \
      fprintf(stderr, "%s:%d: not true: %s (last failure: %s)\n", __FILE__, __LINE__, #condition, \
              reason ? reason : "none");                                                      \
      exit(1);                                                                                \
    }                                                                                         \
  } while (0)

// Ends the program unless a function of tenon.h succeeded.
static inline void succeed(tenon_error_t *error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", tenon_error_message(error));
  exit(1);
}

// Ends the program unless a function of tenon.h failed in this way.
static inline void expect_error(tenon_error_t *error, int kind) {
  expect(error != NULL);
  if (tenon_error_kind(error) != kind) {
    fprintf(stderr, "kind %d instead of %d: %s\n", tenon_error_kind(error), kind, tenon_error_message(error));
    exit(1);
  }
  expect(strlen(tenon_error_message(error)) > 0);
  tenon_error_delete(error);
}

static inline wasm_module_t *module_of_text(wasm_store_t *store, const char *text) {
  wasm_byte_vec_t binary;
  succeed(tenon_wat2wasm(text, strlen(text), &binary));
  wasm_module_t *module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  expect(module != NULL);
  return module;
}

// An instance of a module that imports nothing.
static inline wasm_instance_t *instance_of_text(wasm_store_t *store, const char *text) {
  wasm_module_t *module = module_of_text(store, text);
  wasm_instance_t *instance = wasm_instance_new(store, module, NULL, NULL);
  wasm_module_delete(module);
  expect(instance != NULL);
  return instance;
}

#endif
