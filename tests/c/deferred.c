// Growth whose pages become accessible when they are first used: by WebAssembly, by the host, by the system.

#define _GNU_SOURCE

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory_model.h"

static const char text[] =
  "(module\n"
  "  (import \"env\" \"show\" (func $show (param i32 i32) (result i32)))\n"
  "  (memory (export \"memory\") 2 300)\n"
  "  (data (i32.const 100) \"initial\")\n"
  "  (data $more \"passive segment\")\n"
  "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))\n"
  "  (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0)))\n"
  "  (func (export \"store\") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))\n"
  "  (func (export \"fill\") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))\n"
  "  (func (export \"copy\") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))\n"
  "  (func (export \"init\") (param i32 i32 i32)\n"
  "    (memory.init $more (local.get 0) (local.get 1) (local.get 2)))\n"
  "  (func (export \"size\") (result i32) (memory.size))\n"
  // Grows, and writes a number to the beginning of what is new.
  "  (func (export \"push\") (param i32) (result i32) (local i32)\n"
  "    (local.set 1 (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))\n"
  "    (i32.store (local.get 1) (local.get 0)) (local.get 1))\n"
  // Grows, and has the host look at the end.
  "  (func (export \"grow_and_show\") (param i32) (result i32)\n"
  "    (drop (memory.grow (local.get 0)))\n"
  "    (call $show (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 16)) (i32.const 16)))\n"
  "  (func (export \"copy_16\") (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 16))))\n";

enum { GROW, LOAD, STORE, FILL, COPY, INIT, SIZE, PUSH, GROW_AND_SHOW, COPY_16, FUNCS };

typedef struct {
  own wasm_instance_t* instance;
  own wasm_memory_t* memory;
  own wasm_func_t* funcs[FUNCS];
} guest_t;

// Whether growth is deferred by the engine of the test: not where accesses are checked in code.
static bool is_deferring;
// A pipe for questions about what the system may read.
static int ends[2];

// Whether the system finds the byte accessible. It raises no signal: what is owed stays so.
static bool is_accessible(const void* address) {
  char byte;
  if (write(ends[1], address, 1) == 1) {
    REQUIRE(read(ends[0], &byte, 1) == 1);
    return true;
  }
  CHECK(errno == EFAULT);
  return false;
}

static own wasm_trap_t* show(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  // The memory whose end is shown. Its address is asked for, and the system gets it.
  guest_t* guest = *(guest_t**)env;
  char* end = wasm_memory_data(guest->memory) + (uint32_t)args->data[0].of.i32;
  int size = args->data[1].of.i32;
  char bytes[16] = {1};
  CHECK(write(ends[1], end, size) == size && read(ends[0], bytes, size) == size && bytes[0] == 0 && bytes[15] == 0);
  CHECK(write(ends[1], "from the system!", 16) == 16 && read(ends[0], end, 16) == 16);
  results->data[0] = (wasm_val_t)WASM_I32_VAL(end[15]);
  return NULL;
}

static bool succeeds(own tenon_error_t* error) {
  if (error == NULL) return true;
  printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  return false;
}

// The guest whose memory `show` looks at.
static guest_t* shown;
static own wasm_shared_module_t* shared;

static own wasm_func_t* new_show(wasm_store_t* store) {
  own wasm_functype_t* type = wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* func = wasm_func_new_with_env(store, type, show, &shown, NULL);
  wasm_functype_delete(type);
  return func;
}

static guest_t new_guest(wasm_store_t* store) {
  guest_t guest;
  own wasm_func_t* host = new_show(store);
  wasm_extern_t* imports[] = {wasm_func_as_extern(host)};
  wasm_extern_vec_t vec = WASM_ARRAY_VEC(imports);
  own wasm_module_t* module = wasm_module_obtain(store, shared);
  guest.instance = wasm_instance_new(store, module, &vec, NULL);
  wasm_module_delete(module);
  REQUIRE(guest.instance != NULL);
  wasm_func_delete(host);
  guest.memory = wasm_extern_as_memory(export_of(guest.instance, 0));
  for (int i = 0; i < FUNCS; ++i) guest.funcs[i] = func_of(guest.instance, 1 + i);
  return guest;
}

// A store whose memories know nothing of what others did in the same place.
static own wasm_store_t* new_store(wasm_engine_t* engine) {
  tenon_engine_trim(engine);
  return wasm_store_new(engine);
}

static void delete_guest(guest_t* guest) {
  for (int i = 0; i < FUNCS; ++i) wasm_func_delete(guest->funcs[i]);
  wasm_memory_delete(guest->memory);
  wasm_instance_delete(guest->instance);
}

// The result of a call; what nothing else gives if it traps.
enum { TRAPPED = -77 };

static int32_t call(const guest_t* guest, int which, int32_t a, int32_t b, int32_t c) {
  static const int counts[FUNCS] = {1, 1, 2, 3, 3, 3, 0, 1, 1, 2};
  bool has_result = which != STORE && which != FILL && which != COPY && which != INIT && which != COPY_16;
  int32_t args[] = {a, b, c}, result = 0;
  own wasm_trap_t* trap = call_i32s(guest->funcs[which], (size_t)counts[which], args, has_result ? &result : NULL);
  if (trap == NULL) return result;
  CHECK(tenon_trap_code(trap) == TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
  wasm_trap_delete(trap);
  return TRAPPED;
}

// Adds pages by the guest or by the host, which must be owed if growth is deferred and nothing was learned before.
static void grow(const guest_t* guest, int delta, bool by_host) {
  int32_t old = call(guest, SIZE, 0, 0, 0);
  if (by_host) {
    CHECK(wasm_memory_grow(guest->memory, (uint32_t)delta));
  } else {
    CHECK(call(guest, GROW, delta, 0, 0) == old);
  }
  CHECK(call(guest, SIZE, 0, 0, 0) == old + delta && wasm_memory_size(guest->memory) == (uint32_t)(old + delta));
}

// The first access of each kind to each end of what is new, and one beyond.
static void edges(wasm_engine_t* engine) {
  static const int deltas[] = {1, 2, 7, 200};
  for (int i = 0; i < 4 * 4 * 2; ++i) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    char* data = wasm_memory_data(guest.memory);
    int32_t old = 2 * PAGE, new = (2 + deltas[i % 4]) * PAGE;
    grow(&guest, deltas[i % 4], i >= 16);
    if (is_deferring) CHECK(is_accessible(data + old - 1) && !is_accessible(data + old) && !is_accessible(data + new - 1));
    CHECK(call(&guest, LOAD, new, 0, 0) == TRAPPED && call(&guest, STORE, new, 1, 0) == TRAPPED);
    if (is_deferring) CHECK(!is_accessible(data + old) && !is_accessible(data + new));
    int32_t at = i & 4 ? old : new - 1;
    if (i & 8) {
      CHECK(call(&guest, STORE, at, 5, 0) == 0 && call(&guest, LOAD, at, 0, 0) == 5);
    } else {
      CHECK(call(&guest, LOAD, at, 0, 0) == 0);
    }
    // One fault makes all of it accessible, and nothing behind it.
    if (is_deferring) CHECK(is_accessible(data + old) && is_accessible(data + new - 1) && !is_accessible(data + new));
    CHECK(call(&guest, LOAD, new, 0, 0) == TRAPPED && call(&guest, LOAD, -1, 0, 0) == TRAPPED);
    CHECK(call(&guest, LOAD, old - 1, 0, 0) == 0 && call(&guest, LOAD, 100, 0, 0) == 'i');
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

// Operators on many bytes across the end of what is accessible, in both directions, and past the end of all.
static void bulk(wasm_engine_t* engine) {
  for (int i = 0; i < 8; ++i) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    int32_t edge = 2 * PAGE;
    CHECK(call(&guest, FILL, edge - 20, 'x', 20) == 0);
    grow(&guest, 3, i % 2 == 0);
    int32_t end = 5 * PAGE;
    // Nothing is written by what does not fit.
    CHECK(call(&guest, FILL, edge - 10, 'y', 3 * PAGE + 11) == TRAPPED && call(&guest, COPY, end - 5, 0, 6) == TRAPPED);
    CHECK(call(&guest, COPY, 0, end - 5, 6) == TRAPPED && call(&guest, INIT, end - 3, 0, 4) == TRAPPED);
    CHECK(call(&guest, COPY_16, end - 15, 0, 0) == TRAPPED && call(&guest, COPY_16, 0, end - 15, 0) == TRAPPED);
    if (i < 2) {
      CHECK(call(&guest, FILL, edge - 10, 'z', 20) == 0);
      CHECK(call(&guest, LOAD, edge - 11, 0, 0) == 'x' && call(&guest, LOAD, edge + 9, 0, 0) == 'z');
    } else if (i < 4) {
      CHECK(call(&guest, COPY, edge - 10, edge - 20, 20) == 0);
      CHECK(call(&guest, LOAD, edge + 9, 0, 0) == 'x' && call(&guest, LOAD, edge + 10, 0, 0) == 0);
    } else if (i < 6) {
      CHECK(call(&guest, COPY, edge - 20, edge - 10, 20) == 0);
      CHECK(call(&guest, LOAD, edge - 11, 0, 0) == 'x' && call(&guest, LOAD, edge - 10, 0, 0) == 0);
      CHECK(call(&guest, INIT, edge - 4, 0, 9) == 0 && call(&guest, LOAD, edge + 4, 0, 0) == 's');
    } else {
      CHECK(call(&guest, COPY_16, edge + 8, edge - 16, 0) == 0 && call(&guest, LOAD, edge + 23, 0, 0) == 'x');
      CHECK(call(&guest, COPY_16, end - 16, edge - 16, 0) == 0 && call(&guest, LOAD, end - 1, 0, 0) == 'x');
    }
    CHECK(call(&guest, FILL, end, 1, 0) == 0 && call(&guest, COPY, end, end, 0) == 0);
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

// An address that the host kept, of a memory that does not move, is good for the host's own code.
static void kept(wasm_engine_t* engine) {
  for (int i = 0; i < 6; ++i) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    volatile char* data = wasm_memory_data(guest.memory);
    if (tenon_memory_is_pinned(guest.memory)) {
      grow(&guest, 2, i % 2 == 0);
      errno = 123;
      if (i < 2) {
        CHECK(data[4 * PAGE - 1] == 0);
      } else if (i < 4) {
        data[2 * PAGE] = 9;
      } else {
        memset((char*)data + 2 * PAGE - 3, 9, 6);
      }
      CHECK(errno == 123);
      CHECK(call(&guest, LOAD, 2 * PAGE, 0, 0) == (i < 2 ? 0 : 9));
      grow(&guest, 1, true);
      data[5 * PAGE - 1] = 7;
      CHECK(call(&guest, LOAD, 5 * PAGE - 1, 0, 0) == 7 && data == wasm_memory_data(guest.memory));
    }
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

// Whoever asks for an address may give it to the system: it gets no signal, but an error, where a page is missing.
static void system_calls(wasm_engine_t* engine) {
  enum { DATA, DATA_SIZE, POINTER, VIEW, VIEW_OF, REFRESH, SNAPSHOT, RESTORE, WAYS };
  for (int i = 0; i < 2 * WAYS; ++i) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    wasm_memory_t* memory = guest.memory;
    tenon_memory_view_t view;
    CHECK(succeeds(tenon_memory_view(memory, 2 * PAGE - 8, 8, &view)));
    own tenon_memory_snapshot_t* snapshot = NULL;
    CHECK(succeeds(tenon_memory_snapshot(memory, &snapshot)));
    char* base = wasm_memory_data(memory);
    for (int round = 0; round < 3; ++round) {
      uint64_t at = wasm_memory_data_size(memory);
      grow(&guest, 1 + round, i < WAYS);
      bool has_moved = !tenon_memory_is_pinned(memory);
      char* place = base + at;
      switch (i % WAYS) {
        case DATA: place = wasm_memory_data(memory) + at; break;
        case DATA_SIZE:
          CHECK(wasm_memory_data_size(memory) == at + (uint64_t)(1 + round) * PAGE);
          if (has_moved) place = wasm_memory_data(memory) + at;
          break;
        case POINTER: place = tenon_memory_pointer(memory, at, PAGE); break;
        case VIEW:
          CHECK(succeeds(tenon_memory_view(memory, at, PAGE, &view)));
          place = view.data;
          break;
        case VIEW_OF:
          CHECK(succeeds(tenon_memory_view_of(memory, TENON_ELEMENT_I64, at, PAGE / 8, &view)));
          place = view.data;
          break;
        case REFRESH:
          view.offset = at;
          CHECK(!tenon_memory_view_is_valid(memory, &view));
          CHECK(succeeds(tenon_memory_view_refresh(memory, &view)));
          place = view.data;
          break;
        case SNAPSHOT:
          tenon_memory_snapshot_delete(snapshot);
          CHECK(succeeds(tenon_memory_snapshot(memory, &snapshot)));
          // Taken of what was written to only.
          place = wasm_memory_data(memory) + at;
          break;
        default:
          CHECK(succeeds(tenon_memory_restore(memory, snapshot)));
          place = wasm_memory_data(memory) + at;
      }
      char bytes[8] = {0};
      CHECK(write(ends[1], place, 8) == 8 && read(ends[0], bytes, 8) == 8 && bytes[0] == 0 && bytes[7] == 0);
      CHECK(write(ends[1], "8 bytes!", 8) == 8 && read(ends[0], place, 8) == 8);
      CHECK(call(&guest, LOAD, (int32_t)at + 7, 0, 0) == '!');
      CHECK(call(&guest, LOAD, (int32_t)wasm_memory_size(memory) * PAGE, 0, 0) == TRAPPED);
    }
    tenon_memory_snapshot_delete(snapshot);
    delete_guest(&guest);
    wasm_store_delete(store);
  }
  // During a callback of the guest that has just grown.
  own wasm_store_t* store = new_store(engine);
  guest_t guest = new_guest(store);
  shown = &guest;
  for (int i = 1; i < 10; ++i) {
    CHECK(call(&guest, GROW_AND_SHOW, i, 0, 0) == '!');
    CHECK(call(&guest, LOAD, call(&guest, SIZE, 0, 0, 0) * PAGE - 16, 0, 0) == 'f');
  }
  delete_guest(&guest);
  wasm_store_delete(store);
}

// What reads and writes by offsets needs no address.
static void accessors(wasm_engine_t* engine) {
  for (int i = 0; i < 6; ++i) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    wasm_memory_t* memory = guest.memory;
    const char* data = wasm_memory_data(memory);
    grow(&guest, 2, i % 2 == 0);
    char bytes[20] = {1};
    // The beginning needs nothing of what is new.
    CHECK(succeeds(tenon_memory_read(memory, 2 * PAGE - 20, bytes, 20)) && bytes[0] == 0);
    if (is_deferring) CHECK(!is_accessible(data + 2 * PAGE));
    bytes[0] = 1;
    CHECK(tenon_memory_pointer(memory, 4 * PAGE, 1) == NULL && tenon_memory_pointer(memory, 2 * PAGE, 2 * PAGE + 1) == NULL);
    int64_t number = 1;
    uint64_t length = 0;
    switch (i) {
      case 0: CHECK(succeeds(tenon_memory_read(memory, 2 * PAGE - 10, bytes, 20)) && bytes[0] == 0); break;
      case 1: CHECK(succeeds(tenon_memory_write(memory, 4 * PAGE - 20, bytes, 20))); break;
      case 2: CHECK(succeeds(tenon_memory_fill(memory, 2 * PAGE - 1, 0, 2))); break;
      case 3: CHECK(succeeds(tenon_memory_load_i64(memory, 4 * PAGE - 8, &number)) && number == 0); break;
      case 4: CHECK(succeeds(tenon_memory_cstring_length(memory, 2 * PAGE, 10, &length)) && length == 0); break;
      default: CHECK(succeeds(tenon_memory_copy(memory, 3 * PAGE, memory, 2 * PAGE - 10, 20)));
    }
    CHECK(call(&guest, LOAD, 4 * PAGE - 1, 0, 0) == 0 && call(&guest, LOAD, 4 * PAGE, 0, 0) == TRAPPED);
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

// What the memory held at first, while pages are owed and after.
static void resets(wasm_engine_t* engine) {
  for (int i = 0; i < 4; ++i) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    const char* data = wasm_memory_data(guest.memory);
    CHECK(call(&guest, FILL, 90, 'x', 50) == 0);
    grow(&guest, 5, i % 2 == 0);
    if (i < 2) CHECK(call(&guest, STORE, 5 * PAGE, 1, 0) == 0);
    CHECK(succeeds(tenon_instance_reset_memory(guest.instance, 0)));
    CHECK(call(&guest, SIZE, 0, 0, 0) == 7 && call(&guest, LOAD, 7 * PAGE, 0, 0) == TRAPPED);
    // Nothing was written to what is owed, so nothing is to be done about it.
    if (is_deferring && i >= 2) CHECK(!is_accessible(data + 2 * PAGE));
    CHECK(call(&guest, LOAD, 90, 0, 0) == 0 && call(&guest, LOAD, 100, 0, 0) == 'i' && call(&guest, LOAD, 5 * PAGE, 0, 0) == 0);
    CHECK(succeeds(tenon_memory_discard(guest.memory, 0, 7 * PAGE)) && call(&guest, LOAD, 100, 0, 0) == 0);
    grow(&guest, 1, i % 2 == 0);
    CHECK(succeeds(tenon_memory_discard(guest.memory, PAGE, 7 * PAGE)) && call(&guest, LOAD, 8 * PAGE - 1, 0, 0) == 0);
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

// The next instance gets the place of one that owed pages: as large as it should be, and zero.
static void reuse(wasm_engine_t* engine) {
  own wasm_store_t* store = wasm_store_new(engine);
  for (int i = 0; i < rounds(300, 30); ++i) {
    guest_t guest = new_guest(store);
    int delta = 1 + i % 5;
    CHECK(call(&guest, SIZE, 0, 0, 0) == 2 && call(&guest, LOAD, 2 * PAGE, 0, 0) == TRAPPED);
    CHECK(call(&guest, LOAD, 100, 0, 0) == 'i' && call(&guest, STORE, 100, 0, 0) == 0);
    grow(&guest, delta, i % 2 == 0);
    int32_t end = (2 + delta) * PAGE;
    switch (i / 5 % 4) {
      case 0: break;
      case 1: CHECK(call(&guest, FILL, 2 * PAGE, 0xff, delta * PAGE) == 0); break;
      case 2:
        CHECK(call(&guest, LOAD, end - 1, 0, 0) == 0 && call(&guest, STORE, end - 1, 1, 0) == 0);
        grow(&guest, 1, true);
        break;
      default: wasm_memory_data(guest.memory)[end - 1] = 1;
    }
    if (i % 7 == 0) CHECK(call(&guest, LOAD, end - 1, 0, 0) != TRAPPED && call(&guest, LOAD, 300 * PAGE, 0, 0) == TRAPPED);
    delete_guest(&guest);
    if (i % 50 == 49) tenon_engine_trim(engine);
  }
  wasm_store_delete(store);
}

// Many memories that owe pages at the same time: each fault finds its own.
static void many(wasm_engine_t* engine) {
  enum { COUNT = 100 };
  static guest_t guests[COUNT];
  // Valgrind has little address space.
  int count = rounds(COUNT, 15);
  own wasm_store_t* store = wasm_store_new(engine);
  for (int i = 0; i < count; ++i) guests[i] = new_guest(store);
  for (int i = 0; i < count; ++i) grow(&guests[i], 1 + i % 4, i % 2 == 0);
  for (int i = 0; i < count; ++i) {
    int which = i * 37 % count, end = (3 + which % 4) * PAGE;
    CHECK(call(&guests[which], STORE, end - 1, which, 0) == 0 && call(&guests[which], LOAD, end, 0, 0) == TRAPPED);
  }
  for (int i = 0; i < count; ++i) CHECK(call(&guests[i], LOAD, (3 + i % 4) * PAGE - 1, 0, 0) == i);
  for (int i = 0; i < count; ++i) delete_guest(&guests[i]);
  wasm_store_delete(store);
}

// A program that uses what it gets at once does not fault each time; one that does not is never made to pay again.
static void habits(wasm_engine_t* engine) {
  own wasm_store_t* store = new_store(engine);
  own wasm_memory_t* memory = new_memory(store, 1, 65536);
  char* data = wasm_memory_data(memory);
  bool is_fixed = tenon_memory_is_pinned(memory);
  int deferred = 0;
  for (int i = 0; i < 2000; ++i) {
    CHECK(wasm_memory_grow(memory, 1));
    if (!is_fixed) data = wasm_memory_data(memory);
    char* new = data + (size_t)(i + 1) * PAGE;
    deferred += !is_accessible(new);
    *new = 1;
  }
  // 8 + 16 + ... + 256 + 256 + ...
  if (is_deferring) CHECK(deferred > 5 && deferred < 15);
  for (int i = 0; i < 1000; ++i) CHECK(wasm_memory_grow(memory, 1));
  deferred = 0;
  for (int i = 0; i < 100; ++i) {
    CHECK(wasm_memory_grow(memory, 1));
    deferred += is_fixed && !is_accessible(data + (size_t)(3001 + i) * PAGE);
  }
  if (is_deferring) CHECK(deferred == 100);
  CHECK(wasm_memory_data(memory)[(size_t)3101 * PAGE - 1] == 0);
  wasm_memory_delete(memory);
  wasm_store_delete(store);
}

// Two instances use one memory; whichever makes it grow, the other finds the pages.
static void imported(wasm_engine_t* engine) {
  static const char user[] =
    "(module (import \"env\" \"memory\" (memory 1))\n"
    "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))\n"
    "  (func (export \"load\") (param i32) (result i32) (i32.load8_u (local.get 0))))\n";
  own wasm_store_t* store = new_store(engine);
  guest_t guest = new_guest(store);
  wasm_extern_t* imports[] = {wasm_memory_as_extern(guest.memory)};
  grow(&guest, 1, false);
  own wasm_instance_t* other = instance_with(store, user, 1, imports);
  own wasm_func_t *grow_it = func_of(other, 0), *load = func_of(other, 1);
  int32_t at = 3 * PAGE - 1, delta = 2, result = -1;
  CHECK(call_i32s(load, 1, &at, &result) == NULL && result == 0);
  CHECK(call_i32s(grow_it, 1, &delta, &result) == NULL && result == 3);
  CHECK(call(&guest, STORE, 5 * PAGE - 1, 3, 0) == 0 && call(&guest, LOAD, 5 * PAGE, 0, 0) == TRAPPED);
  at = 5 * PAGE - 1;
  CHECK(call_i32s(load, 1, &at, &result) == NULL && result == 3);
  wasm_func_delete(load);
  wasm_func_delete(grow_it);
  wasm_instance_delete(other);
  delete_guest(&guest);
  wasm_store_delete(store);
}

static void after_growth(void* env, const tenon_growth_t* growth) {
  const wasm_memory_t* memory = wasm_extern_as_memory_const(growth->item);
  char* data = wasm_memory_data((wasm_memory_t*)memory);
  CHECK(is_accessible(data + growth->new_size * PAGE - 1) && data[growth->old_size * PAGE] == 0);
  ++*(int*)env;
}

// Limits and the host's say are as with any growth.
static void limits(wasm_engine_t* engine) {
  own wasm_store_t* store = new_store(engine);
  guest_t guest = new_guest(store);
  const char* data = wasm_memory_data(guest.memory);
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 4 * PAGE)));
  grow(&guest, 1, false);
  CHECK(call(&guest, GROW, 2, 0, 0) == -1 && !wasm_memory_grow(guest.memory, 2) && !wasm_memory_grow(guest.memory, 300));
  CHECK(call(&guest, SIZE, 0, 0, 0) == 3 && call(&guest, LOAD, 3 * PAGE, 0, 0) == TRAPPED);
  grow(&guest, 1, false);
  if (is_deferring) CHECK(!is_accessible(data + 2 * PAGE));
  CHECK(tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == 4 * PAGE);
  CHECK(call(&guest, LOAD, 4 * PAGE - 1, 0, 0) == 0 && call(&guest, LOAD, 4 * PAGE, 0, 0) == TRAPPED);
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 400 * PAGE)));
  int told = 0;
  CHECK(succeeds(tenon_store_set_growth_callbacks(store, NULL, after_growth, &told, NULL)));
  grow(&guest, 1, false);
  grow(&guest, 2, true);
  CHECK(told == 2);
  delete_guest(&guest);
  wasm_store_delete(store);
}

// Pinned memories promise addresses that the system may get.
static void pinned(void) {
  own wasm_config_t* config = new_config();
  tenon_config_set_pinned_memories(config, true);
  own wasm_engine_t* engine = wasm_engine_new_with_config(config);
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_memory_t* memory = new_memory(store, 1, 100);
  const char* data = wasm_memory_data(memory);
  for (int i = 1; i < 50; ++i) CHECK(wasm_memory_grow(memory, 1) && is_accessible(data + (i + 1) * PAGE - 1));
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
}

// --- Threads ----------------------------------------------------------------------------------------

static void* use_store(void* engine) {
  own wasm_store_t* store = wasm_store_new(engine);
  for (int i = 0; i < rounds(100, 5); ++i) {
    own wasm_memory_t* memory = new_memory(store, 1, 200);
    char* data = wasm_memory_data(memory);
    for (int j = 1; j < 60; ++j) {
      CHECK(wasm_memory_grow(memory, 1));
      if (!tenon_memory_is_pinned(memory)) data = wasm_memory_data(memory);
      if (j % (1 + i % 4) == 0) data[(j + 1) * PAGE - 1] = (char)j;
    }
    for (int j = 1; j < 60; ++j) CHECK(data[(j + 1) * PAGE - 1] == (j % (1 + i % 4) == 0 ? j : 0));
    wasm_memory_delete(memory);
  }
  wasm_store_delete(store);
  return NULL;
}

typedef struct {
  char* volatile address;
  atomic_int told, seen;
} post_t;

// Reads what another thread's memory has grown by, without having asked for an address.
static void* look(void* of) {
  post_t* post = of;
  for (int i = 1; i <= 100; ++i) {
    while (atomic_load(&post->told) < i) {}
    CHECK(post->address[0] == 0);
    post->address[1] = (char)i;
    atomic_store(&post->seen, i);
  }
  return NULL;
}

static void threads(wasm_engine_t* engine) {
  pthread_t all[4];
  for (int i = 0; i < 4; ++i) REQUIRE(pthread_create(&all[i], NULL, use_store, engine) == 0);
  for (int i = 0; i < 4; ++i) pthread_join(all[i], NULL);

  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_memory_t* memory = new_memory(store, 1, 65536);
  char* data = wasm_memory_data(memory);
  if (tenon_memory_is_pinned(memory)) {
    // Both touch the same pages, at about the same time, and it grows on meanwhile.
    static post_t post;
    pthread_t other;
    REQUIRE(pthread_create(&other, NULL, look, &post) == 0);
    for (int i = 1; i <= 100; ++i) {
      CHECK(wasm_memory_grow(memory, 3));
      post.address = data + (3 * i - 2) * PAGE;
      atomic_store(&post.told, i);
      if (i % 2 == 0) CHECK(data[3 * i * PAGE] == 0);
      if (i % 3 == 0) CHECK(wasm_memory_data(memory) == data);
      while (atomic_load(&post.seen) < i) {}
      CHECK(post.address[1] == i);
    }
    pthread_join(other, NULL);
  }
  wasm_memory_delete(memory);
  wasm_store_delete(store);
}

// A child has its own copy of all, what is owed included.
static void forks(wasm_engine_t* engine) {
  own wasm_store_t* store = new_store(engine);
  guest_t guest = new_guest(store);
  const char* data = wasm_memory_data(guest.memory);
  grow(&guest, 2, false);
  pid_t child = fork();
  if (child == 0) {
    bool right = call(&guest, STORE, 4 * PAGE - 1, 5, 0) == 0 && call(&guest, LOAD, 4 * PAGE - 1, 0, 0) == 5 &&
                 call(&guest, LOAD, 4 * PAGE, 0, 0) == TRAPPED && call(&guest, GROW, 1, 0, 0) == 4;
    _exit(right ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  if (is_deferring) CHECK(!is_accessible(data + 2 * PAGE));
  CHECK(call(&guest, SIZE, 0, 0, 0) == 4 && call(&guest, LOAD, 4 * PAGE - 1, 0, 0) == 0);
  delete_guest(&guest);
  wasm_store_delete(store);
}

// --- Faults that are somebody else's ------------------------------------------------------------------

static struct sigaction ours;
static sigjmp_buf escape;
static void* volatile expected_at;
static volatile int passed, received;

// A handler that was there before the library's: gets what is neither a trap nor an owed page.
static void behind(int signal, siginfo_t* info, void* context) {
  (void)context;
  ++received;
  if (info->si_addr == expected_at) siglongjmp(escape, 1);
  struct sigaction usual = {.sa_handler = SIG_DFL};
  sigaction(signal, &usual, NULL);
}

// One that came later, and asks the library's.
static void in_front(int signal, siginfo_t* info, void* context) {
  ++passed;
  ours.sa_sigaction(signal, info, context);
}

static bool faults_at(volatile char* address) {
  expected_at = (void*)(uintptr_t)address;
  if (sigsetjmp(escape, 1) != 0) return true;
  *address = 1;
  return false;
}

static void others(wasm_engine_t* engine) {
  if (!is_deferring) return;
  own wasm_store_t* store = new_store(engine);
  guest_t guest = new_guest(store);
  volatile char* data = wasm_memory_data(guest.memory);
  grow(&guest, 1, false);
  CHECK(faults_at(data + 3 * PAGE) && faults_at(data + (4ull << 30)) && faults_at(NULL) && received == 3);
  CHECK(!is_accessible((char*)data + 3 * PAGE - 1) && !faults_at(data + 3 * PAGE - 1) && received == 3);

  tenon_engine_trim(engine);
  guest_t second = new_guest(store);
  grow(&second, 1, false);
  struct sigaction later = {.sa_sigaction = in_front, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  REQUIRE(sigaction(SIGSEGV, &later, &ours) == 0);
  CHECK(call(&second, STORE, 3 * PAGE - 1, 1, 0) == 0 && passed == 1);
  CHECK(call(&second, LOAD, 3 * PAGE, 0, 0) == TRAPPED && passed == 2 && received == 3);
  REQUIRE(sigaction(SIGSEGV, &ours, NULL) == 0);
  delete_guest(&second);
  delete_guest(&guest);
  wasm_store_delete(store);
}

typedef void code_t(void);

// What a child that does this dies of.
enum { BEYOND, GUARD, EXECUTE, EXECUTE_OWED, AFTERWARDS, DEATHS };

static void die(wasm_store_t* store, guest_t* guest, int how) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // Of a fault that is taken for one of an owed page again and again.
  alarm(20);
  volatile char* data = wasm_memory_data(guest->memory);
  call(guest, GROW, 2, 0, 0);
  switch (how) {
    case BEYOND: data[4 * PAGE] = 1; break;
    case GUARD: data[4ull << 30] = 1; break;
    case EXECUTE_OWED: ((code_t*)(uintptr_t)(data + 3 * PAGE))(); break;
    case EXECUTE:
      data[3 * PAGE] = (char)0xc3;
      ((code_t*)(uintptr_t)(data + 3 * PAGE))();
      break;
    default:
      delete_guest(guest);
      wasm_store_delete(store);
      data[3 * PAGE] = 1;
  }
}

static void deaths(wasm_engine_t* engine) {
  for (int how = 0; is_deferring && how < DEATHS; ++how) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      die(store, &guest, how);
      _exit(0);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (!CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)) printf("way %d: status %x\n", how, (unsigned)status);
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

// --- Threads whose faults would not get there -----------------------------------------------------------

typedef struct {
  wasm_engine_t* engine;
  guest_t* guest;
  bool blocks;
} lost_t;

// Uses a store that owes pages, and makes others grow.
static void* use_lost(void* of) {
  lost_t* lost = of;
  sigset_t all;
  sigfillset(&all);
  if (lost->blocks) pthread_sigmask(SIG_BLOCK, &all, NULL);
  if (call(lost->guest, STORE, 4 * PAGE - 1, 5, 0) != 0 || call(lost->guest, LOAD, 3 * PAGE, 0, 0) != 0) return "a fault";
  own wasm_store_t* store = wasm_store_new(lost->engine);
  own wasm_memory_t* memory = new_memory(store, 1, 200);
  char* data = wasm_memory_data(memory);
  for (int i = 1; i < 100; ++i) {
    if (!wasm_memory_grow(memory, 1) || !is_accessible(data + i * PAGE)) return "owed all the same";
    data[i * PAGE] = 1;
  }
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  return NULL;
}

// In children: nothing is owed afterwards.
static void lost(wasm_engine_t* engine) {
  for (int way = 0; is_deferring && way < 2; ++way) {
    own wasm_store_t* store = new_store(engine);
    guest_t guest = new_guest(store);
    const char* data = wasm_memory_data(guest.memory);
    grow(&guest, 2, false);
    CHECK(!is_accessible(data + 2 * PAGE));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      struct sigaction usual = {.sa_handler = SIG_DFL};
      if (way == 0) sigaction(SIGSEGV, &usual, NULL);
      lost_t all = {engine, &guest, way == 1};
      pthread_t thread;
      void* failure = "no thread";
      if (pthread_create(&thread, NULL, use_lost, &all) == 0) pthread_join(thread, &failure);
      if (failure != NULL) printf("way %d: %s\n", way, (const char*)failure);
      fflush(stdout);
      _exit(failure != NULL);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0)) printf("way %d: status %x\n", way, (unsigned)status);
    delete_guest(&guest);
    wasm_store_delete(store);
  }
}

int main(void) {
  const char* kind = getenv("TENON_TEST_ENGINE");
  struct rlimit data_limit;
  REQUIRE(getrlimit(RLIMIT_DATA, &data_limit) == 0 && pipe(ends) == 0);
  is_deferring = (kind == NULL || (strcmp(kind, "checked") != 0 && strcmp(kind, "moving") != 0)) &&
                 data_limit.rlim_cur == RLIM_INFINITY;
  const struct sigaction first = {.sa_sigaction = behind, .sa_flags = SA_SIGINFO};
  REQUIRE(sigaction(SIGSEGV, &first, NULL) == 0);
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store, text);
  shared = wasm_module_share(module);
  edges(engine);
  bulk(engine);
  kept(engine);
  system_calls(engine);
  accessors(engine);
  resets(engine);
  reuse(engine);
  many(engine);
  habits(engine);
  imported(engine);
  limits(engine);
  pinned();
  threads(engine);
  // Valgrind finds leaks in a child that ends at once.
  if (rounds(1, 0)) forks(engine);
  others(engine);
  deaths(engine);
  lost(engine);
  wasm_shared_module_delete(shared);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
