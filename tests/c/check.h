// CHECK counts and tests one statement; a false one is printed and the program goes on. `check_done`
// prints how many checks there were and gives the program's exit status.
#ifndef CHECK_H
#define CHECK_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int check_count;
static atomic_int check_failures;

#define CHECK(statement) check_that((statement), #statement, __FILE__, __LINE__)

static inline int check_that(int holds, const char* statement, const char* file, int line) {
  atomic_fetch_add(&check_count, 1);
  if (!holds) {
    // A loop over thousands of inputs should not bury its first failures.
    if (atomic_fetch_add(&check_failures, 1) < 20) {
      printf("%s:%d: does not hold: %s\n", file, line, statement);
      fflush(stdout);
    }
  }
  return holds;
}

// A check without which the rest makes no sense.
#define REQUIRE(statement) \
  do { \
    if (!CHECK(statement)) { \
      printf("giving up\n"); \
      exit(1); \
    } \
  } while (0)

// How often something is to be done: less often under valgrind.
static inline int rounds(int usually, int slow) {
  return getenv("TENON_TEST_SLOW") != NULL ? slow : usually;
}

static inline int check_done(void) {
  int failures = atomic_load(&check_failures);
  printf("%d checks, %d failed\n", atomic_load(&check_count), failures);
  return failures != 0;
}

#endif
