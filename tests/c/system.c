// Every request to the system for mappings, files and threads fails once (failing.h).
//
// The functions of the C library are interposed, which valgrind does not expect.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failing.h"

static bool refuses(int error) {
  if (!fails()) return false;
  errno = error;
  return true;
}

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  if (refuses(ENOMEM)) return MAP_FAILED;
  return (void*)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

int mprotect(void* address, size_t size, int protection) {
  return refuses(ENOMEM) ? -1 : (int)syscall(SYS_mprotect, address, size, protection);
}

int munmap(void* address, size_t size) {
  // It splits mappings, of which there may be too many.
  return refuses(ENOMEM) ? -1 : (int)syscall(SYS_munmap, address, size);
}

int madvise(void* address, size_t size, int advice) {
  return refuses(ENOMEM) ? -1 : (int)syscall(SYS_madvise, address, size, advice);
}

void* mremap(void* address, size_t size, size_t new_size, int flags, ...) {
  if (refuses(ENOMEM)) return MAP_FAILED;
  va_list rest;
  va_start(rest, flags);
  void* to = va_arg(rest, void*);
  va_end(rest);
  return (void*)syscall(SYS_mremap, address, size, new_size, flags, to);
}

int memfd_create(const char* name, unsigned flags) {
  return refuses(EMFILE) ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

int ftruncate(int file, off_t size) { return refuses(ENOSPC) ? -1 : (int)syscall(SYS_ftruncate, file, size); }

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return refuses(ENOSPC) ? -1 : (ssize_t)syscall(SYS_pwrite64, file, bytes, size, offset);
}

int open(const char* path, int flags, ...) {
  if (refuses(EMFILE)) return -1;
  va_list rest;
  va_start(rest, flags);
  int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fcntl(int file, int command, ...) {
  if (refuses(EINVAL)) return -1;
  va_list rest;
  va_start(rest, command);
  long argument = va_arg(rest, long);
  va_end(rest);
  return (int)syscall(SYS_fcntl, file, command, argument);
}

int ioctl(int file, unsigned long request, ...) {
  if (refuses(ENOTTY)) return -1;
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  return (int)syscall(SYS_ioctl, file, request, argument);
}

int main(void) { return let_fail(false); }
