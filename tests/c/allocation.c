// Every allocation fails once (failing.h). The library has a reserve, by which it makes up for most of them.
//
// The allocator is interposed, so this is not run under valgrind, which interposes its own.

#define _GNU_SOURCE
#include <errno.h>

#include "failing.h"

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t align, size_t size);

static bool refuses(void) {
  if (!fails()) return false;
  errno = ENOMEM;
  return true;
}

void* malloc(size_t size) { return refuses() ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return refuses() ? NULL : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return refuses() ? NULL : __libc_realloc(old, size); }
void* aligned_alloc(size_t align, size_t size) { return refuses() ? NULL : __libc_memalign(align, size); }

int posix_memalign(void** out, size_t align, size_t size) {
  if (refuses()) return ENOMEM;
  *out = __libc_memalign(align, size);
  return *out == NULL ? ENOMEM : 0;
}

int main(void) { return let_fail(true); }
