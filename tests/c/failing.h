// What is asked of the system fails once: the first request of each part of the library's use (everything.h), the second, ...;
// alone, with the fifty that follow, and with all that follow. Whatever a function answers then, the process lives, and
// afterwards everything works again. A program that includes this says with `fails` which requests these are.
//
// What a process asks for once, when the library is first used, is asked for by a child of `fork` each time.
#ifndef FAILING_H
#define FAILING_H

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "everything.h"

#define ENDLESS (1L << 40)

// Requests that succeed before some fail, and how many fail then. Negative: none fails, none is counted.
static atomic_long before = -1;
static atomic_long failing;

// Whether the request that is made now is to fail.
static bool fails(void) {
  if (before < 0) return false;
  // Other threads may ask meanwhile: then one more or less fails.
  if (before > 0) {
    --before;
    return false;
  }
  if (failing <= 0) return false;
  --failing;
  return true;
}

// Does a part while nothing fails. How many requests it makes; negative if it does not work.
static long count_requests(const part_t* part) {
  failing = 0;
  before = ENDLESS;
  bool worked = do_part(part);
  long count = ENDLESS - before;
  before = -1;
  return worked ? count : -1;
}

// Does a part in a new process while requests fail, and once more while none does. How many there were, if it lived and worked.
static long in_child(const part_t* part, long first, long length) {
  static atomic_long* count = NULL;
  if (count == NULL) {
    count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(count != MAP_FAILED);
  }
  *count = -1;
  fflush(stdout);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    failing = length;
    before = first;
    bool worked = do_part(part);
    long requests = ENDLESS - before;
    before = -1;
    if ((length > 0 || worked) && do_part(part)) *count = requests;
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) printf("%s: request %ld, %ld in a row: signal %d\n", part->name, first, length, WTERMSIG(status));
  return status == 0 ? *count : -1;
}

// The same of what happens when the library is first used.
static void let_fail_at_first(void) {
  static const char* const names[] = {"small", "images", "objects"};
  for (size_t i = 0; i < PARTS; ++i) {
    bool is_chosen = false;
    for (size_t j = 0; j < sizeof(names) / sizeof(*names); ++j) is_chosen |= strcmp(parts[i].name, names[j]) == 0;
    if (!is_chosen) continue;
    long requests = in_child(&parts[i], ENDLESS, 0);
    printf("%s, used first: %ld requests\n", parts[i].name, requests);
    CHECK(requests > 0);
    for (long n = 0; n < requests; ++n) {
      // Each failure would be followed by hundreds of the same.
      if (!CHECK(in_child(&parts[i], n, 1) >= 0 && in_child(&parts[i], n, ENDLESS) >= 0)) break;
    }
  }
}

// Lets the requests of all parts fail. `always`: a request that fails alone is always made up for, but for one in ten.
static int let_fail(bool made_up_for) {
  prepare_binaries();
  if (getenv("TENON_TEST_PART") == NULL) let_fail_at_first();
  prepare_serialized();
  const long lengths[] = {1, 50, ENDLESS};
  long all = 0, refused[3] = {0};
  const char* only = getenv("TENON_TEST_PART");
  for (size_t p = 0; p < PARTS; ++p) {
    const part_t* part = &parts[p];
    if (only != NULL && strcmp(only, part->name) != 0) continue;
    // What is made once in a process is made first.
    REQUIRE(do_part(part));
    long count = count_requests(part);
    printf("%s: %ld requests\n", part->name, count);
    fflush(stdout);
    CHECK(count >= 0);
    all += count;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); ++i) {
      for (long n = 0; n < count; ++n) {
        failing = lengths[i];
        before = n;
        if (!do_part(part)) ++refused[i];
        before = -1;
      }
      if (!CHECK(do_part(part))) printf("%s does not work any more after %ld failed in a row\n", part->name, lengths[i]);
    }
  }
  printf("%ld requests; parts that ended early after one failed: %ld, after fifty: %ld, after all: %ld\n", all, refused[0], refused[1],
         refused[2]);
  CHECK(all > 300 || only != NULL);
  CHECK(!made_up_for || refused[0] * 10 < all);
  CHECK(refused[2] > 0);
  forget();
  return check_done();
}

#endif
