// Many requests, each served by an instance of its own: what one request leaves behind, no other can see.
//
// The module is compiled once. A request gets a store, an instance, one call, and is over: the store goes, and its memory
// is clean again when the next request finds it. The number of requests is the second argument; a million take seconds.
// How fast it went is printed to the standard error stream.

#define _POSIX_C_SOURCE 200809L
#include <time.h>
#include <unistd.h>

#include "example_util.h"

// Where the exports stand, so that no request looks for them by name.
enum { MEMORY, REQUEST, ANSWER, SERVED, HANDLE };

static double microseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int32_t call(const wasm_func_t* func, size_t arg_count, int32_t arg) {
  wasm_val_t arg_values[] = {WASM_I32_VAL(arg)};
  wasm_val_vec_t args = {arg_count, arg_values};
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  fail_if_trapped(wasm_func_call(func, &args, &results));
  return result_values[0].of.i32;
}

static int32_t address(const wasm_extern_t* global) {
  wasm_val_t value = WASM_INIT_VAL;
  wasm_global_get(wasm_extern_as_global_const(global), &value);
  return value.of.i32;
}

// Serves one request. The answer is copied to `answer`; its size is returned.
static size_t serve(
  wasm_engine_t* engine, const wasm_shared_module_t* shared, const char* request, char* answer, size_t room
) {
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = wasm_module_obtain(store, shared);
  if (module == NULL) fail("obtaining the module");
  own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  char* data = wasm_memory_data(wasm_extern_as_memory(exports.data[MEMORY]));
  size_t length = strlen(request);
  memcpy(data + address(exports.data[REQUEST]), request, length);
  size_t size = (size_t)call(wasm_extern_as_func(exports.data[HANDLE]), 1, (int32_t)length);
  if (size > room) size = room;
  memcpy(answer, data + address(exports.data[ANSWER]), size);
  if (call(wasm_extern_as_func(exports.data[SERVED]), 0, 0) != 1) {
    fprintf(stderr, "this instance has served others before\n");
    exit(1);
  }

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return size;
}

static int by_value(const void* a, const void* b) {
  float x = *(const float*)a, y = *(const float*)b;
  return (x > y) - (x < y);
}

static long resident_kib(void) {
  FILE* file = fopen("/proc/self/statm", "r");
  long total = 0, resident = 0;
  if (file == NULL) return 0;
  if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char* argv[]) {
  size_t count = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 20000;
  if (count == 0) count = 1;
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "requests.wasm"));
  own wasm_shared_module_t* shared = wasm_module_share(module);
  wasm_module_delete(module);
  wasm_store_delete(store);

  float* latencies = malloc(count * sizeof(*latencies));
  if (latencies == NULL) {
    perror("malloc");
    return 1;
  }
  for (size_t i = 0; i < count; ++i) latencies[i] = 1;  // so that it is resident from now on
  const char* requests[] = {"hello", "how are you?", "good bye"};
  char answer[64];
  // The first requests find nothing that is ready.
  for (int i = 0; i < 3; ++i) {
    size_t size = serve(engine, shared, requests[i], answer, sizeof(answer));
    printf("%s -> %.*s\n", requests[i], (int)size, answer);
  }
  long before = resident_kib();
  double start = microseconds(), last = start;
  for (size_t i = 0; i < count; ++i) {
    const char* request = requests[i % 3];
    size_t size = serve(engine, shared, request, answer, sizeof(answer));
    if (size != strlen(request) + 10) return 1;
    double now = microseconds();
    latencies[i] = (float)(now - last);
    last = now;
  }
  double seconds = (last - start) / 1e6;
  long after = resident_kib();

  printf("%zu requests, each with a memory that nobody had used\n", count);
  qsort(latencies, count, sizeof(*latencies), by_value);
  fprintf(stderr, "%.0f requests a second\n", (double)count / seconds);
  const double parts[] = {0.5, 0.9, 0.99, 0.999};
  for (int i = 0; i < 4; ++i) {
    fprintf(stderr, "%5.1f %% took at most %.2f microseconds\n", parts[i] * 100,
      latencies[(size_t)((double)(count - 1) * parts[i])]);
  }
  fprintf(stderr, "resident: %ld KiB before, %ld KiB after\n", before, after);
  free(latencies);
  wasm_shared_module_delete(shared);
  wasm_engine_delete(engine);
  return 0;
}
