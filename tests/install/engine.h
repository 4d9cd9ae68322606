// What the program of two engines asks of each. engine.c is compiled once for each library, with its header.

#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>
#include <stdint.h>

// What an engine is asked through a function of the host, while it runs.
typedef int32_t ask_t(int32_t argument);

typedef struct running running;

// An engine of one of the libraries.
typedef struct engine {
  const char *name;
  // An engine, a store and an instance of the module, whose import is `ask`; NULL if that fails.
  running *(*start)(const char *module, size_t size, ask_t *ask);
  // Calls an export of two numbers. 0 if it returned a number, 1 if it trapped; -1 if there is none.
  int (*call)(running *, size_t export, int32_t a, int32_t b, int32_t *result);
  // Deletes all of it.
  void (*stop)(running *);
} engine;

extern const engine engine_here, engine_there;

// The text of a module as its binary, which lives until the process ends.
const char *assemble(const char *text, size_t *size);

#endif
