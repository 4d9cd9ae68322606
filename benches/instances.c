// The measurements of instances: made, called and deleted; growth; how much memory they take up.
//
// The modules are put together here, so that one program can say how many pages, bytes of data and functions
// they have.

#define _GNU_SOURCE
#include "instances.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

// --- Modules --------------------------------------------------------------------------------------

// What a module has besides the function "run", which gives back its argument, by way of a memory if there is one.
typedef struct {
  uint32_t pages;      // of its memory at first; 0: no memory
  uint32_t data;       // bytes of data at the memory's beginning
  uint32_t functions;  // in a table of so many elements; 0: no table
} shape_t;

typedef struct {
  uint8_t* bytes;
  size_t size, room;
} buffer_t;

static void put(buffer_t* buffer, const void* bytes, size_t size) {
  if (buffer->size + size > buffer->room) {
    buffer->room = 2 * (buffer->size + size);
    buffer->bytes = realloc(buffer->bytes, buffer->room);
    if (buffer->bytes == NULL) _exit(1);
  }
  if (size > 0) memcpy(buffer->bytes + buffer->size, bytes, size);
  buffer->size += size;
}

static void put_byte(buffer_t* buffer, uint8_t byte) { put(buffer, &byte, 1); }

static void put_leb(buffer_t* buffer, uint32_t value) {
  for (; value >= 0x80; value >>= 7) put_byte(buffer, (uint8_t)(value | 0x80));
  put_byte(buffer, (uint8_t)value);
}

#define PUT(buffer, ...) put(buffer, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

// Ends a section whose contents are in `contents`, and empties that.
static void put_section(buffer_t* module, uint8_t id, buffer_t* contents) {
  put_byte(module, id);
  put_leb(module, (uint32_t)contents->size);
  put(module, contents->bytes, contents->size);
  contents->size = 0;
}

static void put_export(buffer_t* section, const char* name, uint8_t kind, uint32_t index) {
  put_leb(section, (uint32_t)strlen(name));
  put(section, name, strlen(name));
  put_byte(section, kind);
  put_leb(section, index);
}

// Functions: "run"; "grow", which grows the memory by a page as often as its argument says; "push", which also writes to each
// page; then those of the table.
static wasm_byte_vec_t module_of(shape_t shape) {
  buffer_t module = {0}, part = {0};
  PUT(&module, 0, 'a', 's', 'm', 1, 0, 0, 0);
  PUT(&part, 1, 0x60, 1, 0x7f, 1, 0x7f);  // (i32) -> i32
  put_section(&module, 1, &part);
  put_leb(&part, 3 + shape.functions);
  for (uint32_t i = 0; i < 3 + shape.functions; ++i) put_byte(&part, 0);
  put_section(&module, 3, &part);
  if (shape.functions > 0) {
    PUT(&part, 1, 0x70, 0);
    put_leb(&part, shape.functions);
    put_section(&module, 4, &part);
  }
  if (shape.pages > 0) {
    PUT(&part, 1, 0);
    put_leb(&part, shape.pages);
    put_section(&module, 5, &part);
  }
  put_leb(&part, shape.pages > 0 ? 4 : 3);
  put_export(&part, "run", 0, 0);
  put_export(&part, "grow", 0, 1);
  put_export(&part, "push", 0, 2);
  if (shape.pages > 0) put_export(&part, "memory", 2, 0);
  put_section(&module, 7, &part);
  if (shape.functions > 0) {
    PUT(&part, 1, 0, 0x41, 0, 0x0b);  // into table 0, from element 0 on
    put_leb(&part, shape.functions);
    for (uint32_t i = 0; i < shape.functions; ++i) put_leb(&part, 3 + i);
    put_section(&module, 9, &part);
  }
  put_leb(&part, 3 + shape.functions);
  if (shape.pages > 0) {
    // i32.store (i32.const 16) (local.get 0); i32.load (i32.const 16)
    PUT(&part, 14, 0, 0x41, 16, 0x20, 0, 0x36, 2, 0, 0x41, 16, 0x28, 2, 0, 0x0b);
    // loop: drop (memory.grow (i32.const 1)); br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))); end; memory.size
    PUT(&part, 21, 0, 0x03, 0x40, 0x41, 1, 0x40, 0, 0x1a, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x3f, 0, 0x0b);
    // The same, with i32.store (i32.shl (memory.grow (i32.const 1)) (i32.const 16)) (local.get 0)
    PUT(&part, 28, 0, 0x03, 0x40, 0x41, 1, 0x40, 0, 0x41, 16, 0x74, 0x20, 0, 0x36, 2, 0, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b,
        0x3f, 0, 0x0b);
  } else {
    PUT(&part, 4, 0, 0x20, 0, 0x0b);
    PUT(&part, 4, 0, 0x20, 0, 0x0b);
    PUT(&part, 4, 0, 0x20, 0, 0x0b);
  }
  for (uint32_t i = 0; i < shape.functions; ++i) PUT(&part, 4, 0, 0x20, 0, 0x0b);
  put_section(&module, 10, &part);
  if (shape.data > 0) {
    PUT(&part, 1, 0, 0x41, 0, 0x0b);
    put_leb(&part, shape.data);
    for (uint32_t i = 0; i < shape.data; ++i) put_byte(&part, (uint8_t)(i * 7 + 1));
    put_section(&module, 11, &part);
  }
  free(part.bytes);
  return (wasm_byte_vec_t){module.size, (char*)module.bytes};
}

static bool make_shape(world_t* world, shape_t shape) {
  wasm_byte_vec_t binary = module_of(shape);
  bool made = make_module_of(world, &binary);
  free(binary.data);
  return made;
}

// --- Made, called, deleted --------------------------------------------------------------------------

// A store and an instance, its first call, and the deletion of both.
static void round_of(wasm_engine_t* engine, const wasm_shared_module_t* shared, size_t run) {
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  wasm_store_t* store = api.wasm_store_new(engine);
  wasm_module_t* module = api.wasm_module_obtain(store, shared);
  wasm_instance_t* instance =
    module != NULL ? api.wasm_instance_new(store, module, &imports, NULL) : NULL;
  if (instance == NULL) _exit(6);
  wasm_extern_vec_t exports;
  api.wasm_instance_exports(instance, &exports);
  if (call_i32(api.wasm_extern_as_func(exports.data[run]), 42, true) != 42) _exit(5);
  api.wasm_extern_vec_delete(&exports);
  api.wasm_instance_delete(instance);
  api.wasm_module_delete(module);
  api.wasm_store_delete(store);
}

// What is repeated at the moment. Libraries that sort exports by name have "run" at another place.
static struct {
  wasm_engine_t* engine;
  const wasm_shared_module_t* shared;
  size_t run;
} current;

static void repeat_rounds(size_t count) {
  for (size_t i = 0; i < count; ++i) round_of(current.engine, current.shared, current.run);
}

typedef struct {
  world_t world;
  wasm_shared_module_t* shared;
  size_t run, count;
} subject_t;

static size_t place_of_run(world_t* world) {
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  world->instance = api.wasm_instance_new(world->store, world->module, &imports, NULL);
  if (world->instance == NULL) _exit(6);
  api.wasm_instance_exports(world->instance, &world->exports);
  wasm_extern_t* run = find(world, "run");
  size_t place = 0;
  while (place < world->exports.size && world->exports.data[place] != run) ++place;
  api.wasm_extern_vec_delete(&world->exports);
  api.wasm_instance_delete(world->instance);
  return place;
}

static const char* prepare(subject_t* subject, shape_t shape) {
  if (subject->shared == NULL) {
    if (!make_shape(&subject->world, shape)) return "the module is refused";
    subject->run = place_of_run(&subject->world);
    subject->shared = api.wasm_module_share(subject->world.module);
    if (subject->shared == NULL) return "modules cannot be shared";
  }
  current.engine = subject->world.engine;
  current.shared = subject->shared;
  current.run = subject->run;
  return NULL;
}

static sample_t rounds_of(subject_t* subject, shape_t shape) {
  const char* refusal = prepare(subject, shape);
  if (refusal != NULL) return refuse("%s", refusal);
  return value(per_repetition(repeat_rounds, &subject->count), 0);
}

sample_t run_page(void) {
  static subject_t subject;
  return rounds_of(&subject, (shape_t){.pages = 1});
}

sample_t run_bare(void) {
  static subject_t subject;
  return rounds_of(&subject, (shape_t){0});
}

sample_t run_small_data(void) {
  static subject_t subject;
  return rounds_of(&subject, (shape_t){.pages = 1, .data = 4096});
}

sample_t run_large_data(void) {
  static subject_t subject;
  return rounds_of(&subject, (shape_t){.pages = 256, .data = 1 << 20});
}

sample_t run_table(void) {
  static subject_t subject;
  return rounds_of(&subject, (shape_t){.functions = 1000});
}

// --- Two threads ------------------------------------------------------------------------------------

static void* repeat_in_thread(void* count) {
  repeat_rounds(*(size_t*)count);
  return NULL;
}

// How much more two threads do than one, in the same time.
sample_t run_two_threads(void) {
  static subject_t subject;
  sample_t alone = rounds_of(&subject, (shape_t){.pages = 1});
  if (!alone.ok) return alone;
  pthread_t threads[2];
  double start = now();
  for (int i = 0; i < 2; ++i) {
    if (pthread_create(&threads[i], NULL, repeat_in_thread, &subject.count) != 0) return refuse("no thread");
  }
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  double each = (now() - start) / 2 / (double)subject.count;
  return value(alone.value / each, 0);
}

// --- Growth -----------------------------------------------------------------------------------------

enum { GROWTHS = 1000 };

// An instance whose memory grows by a page a thousand times, by the guest's function or, without one, by the host. Its making and its
// end are not counted.
static sample_t grow(world_t* world, const char* function) {
  if (world->module == NULL && !make_shape(world, (shape_t){.pages = 1})) return refuse("the module is refused");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  enum { TIMES = 20 };
  double taken = 0;
  for (int i = 0; i < TIMES; ++i) {
    world->instance = api.wasm_instance_new(world->store, world->module, &imports, NULL);
    if (world->instance == NULL) _exit(6);
    api.wasm_instance_exports(world->instance, &world->exports);
    wasm_memory_t* memory = api.wasm_extern_as_memory(find(world, "memory"));
    wasm_func_t* func = function != NULL ? find_func(world, function) : NULL;
    double start = now();
    if (func != NULL) {
      call_i32(func, GROWTHS, true);
    } else {
      for (int j = 0; j < GROWTHS; ++j) {
        if (!api.wasm_memory_grow(memory, 1)) return refuse("growth by the host is refused");
      }
    }
    taken += now() - start;
    if (api.wasm_memory_data_size(memory) != (GROWTHS + 1) * (size_t)65536) _exit(5);
    api.wasm_extern_vec_delete(&world->exports);
    api.wasm_instance_delete(world->instance);
  }
  return value(taken / TIMES / GROWTHS, 0);
}

// The same where accesses are checked, so that more than the memory has may be accessible.
sample_t run_grow_checked(void) {
  static world_t world;
  if (api.tenon_config_set_dense_memories == NULL) return refuse("cannot be chosen");
  if (world.engine == NULL) {
    wasm_config_t* config = api.wasm_config_new();
    api.tenon_config_set_dense_memories(config, true);
    world.engine = api.wasm_engine_new_with_config(config);
  }
  return grow(&world, "grow");
}

sample_t run_grow_host(void) {
  static world_t world;
  return grow(&world, NULL);
}

sample_t run_grow_guest(void) {
  static world_t world;
  return grow(&world, "grow");
}

// What it costs a program that uses each page at once: to find memory for the page costs the system more than the growth.
sample_t run_grow_touched(void) {
  static world_t world;
  return grow(&world, "push");
}

// --- Resident memory ----------------------------------------------------------------------------------

static long resident_bytes(void) {
  FILE* file = fopen("/proc/self/statm", "r");
  long total = 0, resident = 0;
  if (file == NULL) return 0;
  if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

// What each of many instances takes up while it lives. `touch`: the first bytes of its memory are written to.
static sample_t live(shape_t shape, bool touch) {
  enum { FIRST = 500, ALL = 9500 };
  static wasm_instance_t* instances[ALL];
  world_t world = {0};
  if (!make_shape(&world, shape)) return refuse("the module is refused");
  size_t run = place_of_run(&world);
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  // What rows before this one have freed must not be there to be used again.
  malloc_trim(0);
  long before = 0;
  int count = 0;
  for (; count < ALL; ++count) {
    if (count == FIRST) before = resident_bytes();
    instances[count] = api.wasm_instance_new(world.store, world.module, &imports, NULL);
    if (instances[count] == NULL) break;
    if (touch) {
      api.wasm_instance_exports(instances[count], &world.exports);
      if (call_i32(api.wasm_extern_as_func(world.exports.data[run]), 42, true) != 42) _exit(5);
      api.wasm_extern_vec_delete(&world.exports);
    }
  }
  double each = count == ALL ? (double)(resident_bytes() - before) / (ALL - FIRST) : 0;
  for (int i = 0; i < count; ++i) api.wasm_instance_delete(instances[i]);
  api.wasm_module_delete(world.module);
  api.wasm_store_delete(world.store);
  api.wasm_engine_delete(world.engine);
  return count == ALL ? value(each, 0) : refuse("stops after %d instances", count);
}

sample_t run_live_bare(void) { return live((shape_t){0}, false); }
sample_t run_live_page(void) { return live((shape_t){.pages = 1}, true); }

// How resident memory grows over ten million instances in one store, none of which is kept.
sample_t run_rounds(void) {
  enum { FIRST = 1000, ALL = 10000000 };
  world_t world = {0};
  if (!make_shape(&world, (shape_t){.pages = 1})) return refuse("the module is refused");
  size_t run = place_of_run(&world);
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  long before = 0;
  int i = 0;
  double start = now();
  for (; i < ALL; ++i) {
    if (i == FIRST) before = resident_bytes();
    wasm_instance_t* instance = api.wasm_instance_new(world.store, world.module, &imports, NULL);
    if (instance == NULL) break;
    wasm_extern_vec_t exports;
    api.wasm_instance_exports(instance, &exports);
    call_i32(api.wasm_extern_as_func(exports.data[run]), 42, true);
    api.wasm_extern_vec_delete(&exports);
    api.wasm_instance_delete(instance);
  }
  double each = (now() - start) / 1e3 / (i > 0 ? i : 1);
  sample_t sample = value((double)(resident_bytes() - before) / 1024, 0);
  snprintf(sample.note, sizeof(sample.note), i < ALL ? "stops after %d instances" : "%d instances, %.2f us each", i,
           each);
  api.wasm_module_delete(world.module);
  api.wasm_store_delete(world.store);
  api.wasm_engine_delete(world.engine);
  return sample;
}

// How much of 3,000 memories of 1 MiB, all of it written to, stays resident after each has been deleted.
sample_t run_memories(void) {
  enum { ALL = 3000 };
  wasm_engine_t* engine = api.wasm_engine_new();
  wasm_store_t* store = api.wasm_store_new(engine);
  long before = resident_bytes();
  wasm_limits_t limits = {16, 16};
  wasm_memorytype_t* type = api.wasm_memorytype_new(&limits);
  int i = 0;
  for (; i < ALL; ++i) {
    wasm_memory_t* memory = api.wasm_memory_new(store, type);
    if (memory == NULL) break;
    memset(api.wasm_memory_data(memory), 1, api.wasm_memory_data_size(memory));
    api.wasm_memory_delete(memory);
  }
  sample_t sample = value((double)(resident_bytes() - before) / 1024, 0);
  if (i < ALL) snprintf(sample.note, sizeof(sample.note), "stops after %d memories", i);
  api.wasm_memorytype_delete(type);
  api.wasm_store_delete(store);
  api.wasm_engine_delete(engine);
  return sample;
}
