// Two engines in one process: calls that go back and forth between them, and traps of every kind in each, on this thread
// and on another at the same time, in children, and with engines that come and go. Prints how many checks it made.

#include "engine.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] =
    "(module"
    "  (import \"\" \"ask\" (func $ask (param i32) (result i32)))"
    "  (memory 1)"
    "  (func (export \"load\") (param i32 i32) (result i32)"
    "    (i32.add (i32.load (local.get 0)) (local.get 1)))"
    "  (func (export \"divide\") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))"
    "  (func $deep (export \"deep\") (param i32 i32) (result i32)"
    "    (i32.add (call $deep (local.get 0) (local.get 1)) (i32.const 1)))"
    "  (func (export \"ask\") (param i32 i32) (result i32)"
    "    (i32.add (call $ask (local.get 0)) (local.get 1)))"
    "  (func (export \"ask_and_load\") (param i32 i32) (result i32)"
    "    (i32.add (call $ask (local.get 0)) (i32.load (local.get 1)))))";
enum { LOAD, DIVIDE, DEEP, ASK, ASK_AND_LOAD };
enum { OUTSIDE = 0x20000 };

static const char *module;
static size_t module_size;
static _Atomic int checks, failures;

#define CHECK(condition) \
  do { \
    ++checks; \
    if (!(condition)) { \
      ++failures; \
      printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
    } \
  } while (0)

// Both engines of a thread.
static _Thread_local running *here, *there;

static bool gives(const engine *of, running *on, size_t export, int32_t a, int32_t b, int32_t expected) {
  int32_t result = -77;
  return of->call(on, export, a, b, &result) == 0 && result == expected;
}

static bool traps(const engine *of, running *on, size_t export, int32_t a, int32_t b) {
  int32_t result;
  return of->call(on, export, a, b, &result) == 1;
}

// All that a call of one engine can come to.
static void exercise(const engine *of, running *on, bool deep) {
  CHECK(gives(of, on, LOAD, 0, 5, 5));
  CHECK(traps(of, on, LOAD, OUTSIDE, 0));
  CHECK(gives(of, on, DIVIDE, 12, 4, 3));
  CHECK(traps(of, on, DIVIDE, 12, 0));
  CHECK(traps(of, on, DIVIDE, INT32_MIN, -1));
  if (deep) CHECK(traps(of, on, DEEP, 0, 0));
}

// What code of one engine asks of the host: code of the other, which asks in turn, and traps on the way.
static int32_t ask_there(int32_t depth);

static int32_t ask_here(int32_t depth) {
  exercise(&engine_here, here, false);
  int32_t result = 0;
  if (depth > 0) CHECK(engine_here.call(here, ASK, depth - 1, 1, &result) == 0);
  CHECK(traps(&engine_here, here, ASK_AND_LOAD, 0, OUTSIDE));
  return result;
}

static int32_t ask_there(int32_t depth) {
  exercise(&engine_there, there, false);
  int32_t result = 0;
  if (depth > 0) CHECK(engine_there.call(there, ASK, depth - 1, 1, &result) == 0);
  return result;
}

// Code here asks for what is there, and the other way round.
static bool start_both(bool here_first) {
  if (here_first) here = engine_here.start(module, module_size, ask_there);
  there = engine_there.start(module, module_size, ask_here);
  if (!here_first) here = engine_here.start(module, module_size, ask_there);
  CHECK(here != NULL);
  CHECK(there != NULL);
  return here != NULL && there != NULL;
}

static void stop_both(void) {
  if (here != NULL) engine_here.stop(here);
  if (there != NULL) engine_there.stop(there);
}

static void *run(void *rounds) {
  for (int i = 0; i < *(int *)rounds; ++i) {
    if (start_both(i % 2 == 0)) {
      for (int j = 0; j < 10; ++j) {
        exercise(&engine_here, here, j == 0);
        exercise(&engine_there, there, j == 0);
      }
      CHECK(gives(&engine_here, here, ASK, 6, 0, 6));
      CHECK(gives(&engine_there, there, ASK, 6, 0, 6));
    }
    stop_both();
  }
  return NULL;
}

int main(void) {
  module = assemble(text, &module_size);
  CHECK(module != NULL);

  int few = 2, many = 16;
  run(&few);
  pthread_t other;
  CHECK(pthread_create(&other, NULL, run, &many) == 0);
  run(&many);
  CHECK(pthread_join(other, NULL) == 0);

  // What a child inherits serves, and so does what it makes here. (Not every library has threads after a fork to compile with.)
  CHECK(start_both(true));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    exercise(&engine_here, here, true);
    exercise(&engine_there, there, true);
    engine_here.stop(here);
    here = engine_here.start(module, module_size, ask_there);
    CHECK(here != NULL && gives(&engine_here, here, ASK, 0, 3, 3));
    exercise(&engine_here, here, true);
    fflush(stdout);
    _exit(failures != 0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  stop_both();

  printf("%d checks, %d failed\n", checks, failures);
  return failures != 0;
}
