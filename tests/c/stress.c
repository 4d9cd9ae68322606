// Shared memories under stress: stores on threads of the system, one memory, and counters, locks, queues and growth in it.

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <sched.h>

#include "test_util.h"

enum { THREADS = 4 };

// Where things lie in the shared memory.
enum { COUNTER = 0, NARROW = 8, LOCK = 64, GUARDED = 128, TURN = 256, HEAD = 320, READY = 384, NODES = 65536 };

// All functions take numbers and give one.
static const char text[] =
  "(module\n"
  "  (import \"env\" \"memory\" (memory 4 64 shared))\n"
  "  (func (export \"count\") (param $n i32) (result i32)\n"
  "    (loop $again\n"
  "      (drop (i64.atomic.rmw.add (i32.const 0) (i64.const 1)))\n"
  "      (drop (i32.atomic.rmw8.add_u (i32.const 8) (i32.const 1)))\n"
  "      (drop (i32.atomic.rmw16.add_u (i32.const 10) (i32.const 1)))\n"
  "      (drop (i64.atomic.rmw32.sub_u (i32.const 12) (i64.const 1)))\n"
  "      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (i32.const 0))\n"
  // A lock of three states: free, held, held with others that wait. Behind it, sums that are not atomic.
  "  (func $lock\n"
  "    (local $was i32)\n"
  "    (block $mine\n"
  "      (br_if $mine (i32.eqz (local.tee $was\n"
  "        (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 0) (i32.const 1)))))\n"
  "      (loop $again\n"
  "        (if (i32.or (i32.eq (local.get $was) (i32.const 2))\n"
  "                    (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 1) (i32.const 2)))\n"
  "          (then (drop (memory.atomic.wait32 (i32.const 64) (i32.const 2) (i64.const -1)))))\n"
  "        (br_if $again (local.tee $was\n"
  "          (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 0) (i32.const 2)))))))\n"
  "  (func $unlock\n"
  "    (if (i32.ne (i32.atomic.rmw.sub (i32.const 64) (i32.const 1)) (i32.const 1))\n"
  "      (then\n"
  "        (i32.atomic.store (i32.const 64) (i32.const 0))\n"
  "        (drop (memory.atomic.notify (i32.const 64) (i32.const 1))))))\n"
  "  (func (export \"guarded\") (param $n i32) (result i32)\n"
  "    (loop $again\n"
  "      (call $lock)\n"
  "      (i32.store (i32.const 128) (i32.add (i32.load (i32.const 128)) (i32.const 1)))\n"
  "      (i64.store (i32.const 136) (i64.add (i64.load (i32.const 136)) (i64.extend_i32_u (local.get $n))))\n"
  "      (call $unlock)\n"
  "      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (i32.const 0))\n"
  // Each thread waits for its turn, and gives the turn to the next. Gives how often a wait ended without a notice.
  "  (func (export \"turns\") (param $me i32) (param $all i32) (param $n i32) (result i32)\n"
  "    (local $turn i32) (local $odd i32)\n"
  "    (loop $next\n"
  "      (block $mine\n"
  "        (loop $wait\n"
  "          (local.set $turn (i32.atomic.load (i32.const 256)))\n"
  "          (br_if $mine (i32.eq (i32.rem_u (local.get $turn) (local.get $all)) (local.get $me)))\n"
  "          (local.set $odd (i32.add (local.get $odd) (i32.eq (i32.const 2)\n"
  "            (memory.atomic.wait32 (i32.const 256) (local.get $turn) (i64.const 60000000000)))))\n"
  "          (br $wait)))\n"
  "      (i32.atomic.store (i32.const 256) (i32.add (local.get $turn) (i32.const 1)))\n"
  "      (drop (memory.atomic.notify (i32.const 256) (i32.const -1)))\n"
  "      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (local.get $odd))\n"
  // A stack without locks: each of $n nodes from $first on is pushed, its number in it.
  "  (func (export \"push\") (param $first i32) (param $n i32) (result i32)\n"
  "    (local $node i32) (local $head i32)\n"
  "    (loop $next\n"
  "      (local.set $node (i32.add (i32.const 65536) (i32.shl (local.get $first) (i32.const 3))))\n"
  "      (i32.store offset=4 (local.get $node) (local.get $first))\n"
  "      (loop $retry\n"
  "        (local.set $head (i32.atomic.load (i32.const 320)))\n"
  "        (i32.store (local.get $node) (local.get $head))\n"
  "        (br_if $retry (i32.ne (local.get $head)\n"
  "          (i32.atomic.rmw.cmpxchg (i32.const 320) (local.get $head) (local.get $node)))))\n"
  "      (local.set $first (i32.add (local.get $first) (i32.const 1)))\n"
  "      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (i32.const 0))\n"
  // Grows by a page, writes to it, and gives the old size, or -1.
  "  (func (export \"grow\") (result i32)\n"
  "    (local $old i32)\n"
  "    (if (i32.ne (local.tee $old (memory.grow (i32.const 1))) (i32.const -1))\n"
  "      (then (i32.atomic.store (i32.shl (local.get $old) (i32.const 16)) (local.get $old))))\n"
  "    (local.get $old))\n"
  "  (func (export \"wait\") (param $timeout_ms i32) (result i32)\n"
  "    (drop (i32.atomic.rmw.add (i32.const 388) (i32.const 1)))\n"
  "    (memory.atomic.wait32 (i32.const 384) (i32.const 0)\n"
  "      (i64.mul (i64.extend_i32_s (local.get $timeout_ms)) (i64.const 1000000))))\n"
  "  (func (export \"notify\") (param i32) (result i32)\n"
  "    (memory.atomic.notify (i32.const 384) (local.get 0)))\n"
  "  (func (export \"unaligned\") (result i32) (i32.atomic.load offset=2 (i32.const 0)))\n"
  "  (func (export \"outside\") (result i32) (memory.atomic.notify (i32.const -4) (i32.const 0))))\n";

enum { COUNT, GUARD, TURNS, PUSH, GROW, WAIT, NOTIFY, UNALIGNED, OUTSIDE };

typedef struct {
  wasm_engine_t* engine;
  const tenon_shared_memory_t* memory;
  const wasm_shared_module_t* module;
  pthread_barrier_t* together;
  int id;
  int function;
  int arg_count;
  int32_t args[3];
  int times;
  int32_t result;  // the sum of all results
} work_t;

static void* work_on(void* arg) {
  work_t* work = arg;
  own wasm_store_t* store = wasm_store_new(work->engine);
  own wasm_memory_t* memory = tenon_memory_obtain(store, work->memory);
  own wasm_module_t* module = wasm_module_obtain(store, work->module);
  REQUIRE(memory != NULL && module != NULL);
  wasm_extern_t* externs[] = {wasm_memory_as_extern(memory)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  REQUIRE(instance != NULL);
  own wasm_func_t* func = func_of(instance, (size_t)work->function);
  if (work->together != NULL) pthread_barrier_wait(work->together);
  for (int i = 0; i < work->times; ++i) {
    int32_t result = 0;
    own wasm_trap_t* trap = call_i32s(func, (size_t)work->arg_count, work->args, &result);
    if (trap != NULL) {
      CHECK(trap == NULL);
      wasm_trap_delete(trap);
    }
    work->result += result;
  }
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  return NULL;
}

typedef struct {
  wasm_engine_t* engine;
  wasm_store_t* store;
  wasm_module_t* module;
  wasm_shared_module_t* shared;
  tenon_shared_memory_t* memory;
} world_t;

static void begin(world_t* w) {
  w->engine = new_engine();
  w->store = wasm_store_new(w->engine);
  w->module = module_of(w->store, text);
  w->shared = wasm_module_share(w->module);
  own wasm_memorytype_t* type = NULL;
  REQUIRE(tenon_memorytype_new(4, true, 64, false, true, 16, &type) == NULL);
  REQUIRE(tenon_shared_memory_new(w->engine, type, &w->memory) == NULL);
  wasm_memorytype_delete(type);
}

static void end(world_t* w) {
  tenon_shared_memory_delete(w->memory);
  wasm_shared_module_delete(w->shared);
  wasm_module_delete(w->module);
  wasm_store_delete(w->store);
  wasm_engine_delete(w->engine);
}

static work_t new_work(const world_t* w, int function) {
  return (work_t){.engine = w->engine, .memory = w->memory, .module = w->shared, .function = function, .times = 1};
}

// Runs all at once, each on a thread and in a store of its own.
static void run_together(work_t* works, int count) {
  pthread_barrier_t together;
  pthread_t threads[THREADS];
  pthread_barrier_init(&together, NULL, (unsigned)count);
  for (int i = 0; i < count; ++i) {
    works[i].together = &together;
    works[i].id = i;
    REQUIRE(pthread_create(&threads[i], NULL, work_on, &works[i]) == 0);
  }
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&together);
}

static uint64_t read_u64(const world_t* w, size_t at) {
  uint64_t value;
  memcpy(&value, tenon_shared_memory_data(w->memory) + at, sizeof(value));
  return value;
}

static uint32_t read_u32(const world_t* w, size_t at) { return (uint32_t)read_u64(w, at); }

static void test_counters(void) {
  world_t w;
  begin(&w);
  uint32_t each = (uint32_t)rounds(100000, 500), all = each * THREADS;
  work_t works[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    works[i] = new_work(&w, COUNT);
    works[i].arg_count = 1;
    works[i].args[0] = (int32_t)each;
  }
  run_together(works, THREADS);
  CHECK(read_u64(&w, COUNTER) == all);
  // The narrow ones wrap, each for itself.
  CHECK(read_u64(&w, NARROW) == ((all & 0xff) | (uint64_t)(all & 0xffff) << 16 | (uint64_t)(uint32_t)(0 - all) << 32));
  end(&w);
}

static void test_lock(void) {
  world_t w;
  begin(&w);
  uint64_t each = (uint64_t)rounds(20000, 100);
  work_t works[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    works[i] = new_work(&w, GUARD);
    works[i].arg_count = 1;
    works[i].args[0] = (int32_t)each;
  }
  run_together(works, THREADS);
  CHECK(read_u32(&w, GUARDED) == each * THREADS);
  CHECK(read_u64(&w, GUARDED + 8) == THREADS * each * (each + 1) / 2);
  CHECK(read_u32(&w, LOCK) == 0);
  end(&w);
}

static void test_turns(void) {
  world_t w;
  begin(&w);
  int each = rounds(2000, 50);
  work_t works[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    works[i] = new_work(&w, TURNS);
    works[i].arg_count = 3;
    works[i].args[0] = i;
    works[i].args[1] = THREADS;
    works[i].args[2] = each;
  }
  run_together(works, THREADS);
  CHECK(read_u32(&w, TURN) == (uint32_t)each * THREADS);
  // Nobody waited until its time was over: every notice came through.
  for (int i = 0; i < THREADS; ++i) CHECK(works[i].result == 0);
  end(&w);
}

static void test_stack(void) {
  world_t w;
  begin(&w);
  int each = rounds(5000, 100);
  work_t works[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    works[i] = new_work(&w, PUSH);
    works[i].arg_count = 2;
    works[i].args[0] = i * each;
    works[i].args[1] = each;
  }
  run_together(works, THREADS);
  int count = each * THREADS, found = 0;
  char* seen = calloc((size_t)count, 1);
  for (uint32_t node = read_u32(&w, HEAD); node != 0 && found <= count; node = read_u32(&w, node)) {
    uint32_t number = read_u32(&w, node + 4);
    if (number < (uint32_t)count && !seen[number]) seen[number] = 1;
    else CHECK(false);
    ++found;
  }
  CHECK(found == count);
  free(seen);
  end(&w);
}

// Growth from all sides: each page is given to one only, up to the maximum, and all see all of them.
static void test_growth(void) {
  world_t w;
  begin(&w);
  work_t works[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    works[i] = new_work(&w, GROW);
    // Together just the sixty that there are.
    works[i].times = 60 / THREADS;
  }
  byte_t* before = tenon_shared_memory_data(w.memory);
  run_together(works, THREADS);
  CHECK(tenon_shared_memory_size(w.memory) == 64);
  CHECK(tenon_shared_memory_data_size(w.memory) == 64 << 16);
  CHECK(tenon_shared_memory_data(w.memory) == before);
  int32_t sum = 0;
  for (int i = 0; i < THREADS; ++i) sum += works[i].result;
  CHECK(sum == (4 + 63) * 60 / 2);
  for (uint32_t page = 4; page < 64; ++page) CHECK(read_u32(&w, (size_t)page << 16) == page);
  works[0] = new_work(&w, GROW);
  work_on(&works[0]);
  CHECK(works[0].result == -1);
  end(&w);
}

// A notice wakes as many as it says, and no more; what it does not wake goes on waiting. The host wakes the guest.
static void test_notices(void) {
  world_t w;
  begin(&w);
  pthread_t threads[THREADS];
  work_t works[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    works[i] = new_work(&w, WAIT);
    works[i].arg_count = 1;
    works[i].args[0] = -1;
    REQUIRE(pthread_create(&threads[i], NULL, work_on, &works[i]) == 0);
  }
  // Notices until all have been woken: one at a time by the guest, then the rest by the host.
  work_t notify = new_work(&w, NOTIFY);
  notify.arg_count = 1;
  notify.args[0] = 1;
  while (notify.result < 2) {
    int32_t before = notify.result;
    work_on(&notify);
    // As often as it takes: only a failure counts as a check.
    if (notify.result - before > 1) CHECK(false);
    sched_yield();
  }
  uint32_t woken = 0;
  while (woken < THREADS - 2) {
    uint32_t now = 0;
    REQUIRE(tenon_shared_memory_notify(w.memory, READY, UINT32_MAX, &now) == NULL);
    woken += now;
    sched_yield();
  }
  CHECK(woken == THREADS - 2);
  for (int i = 0; i < THREADS; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(works[i].result == 0);
  }
  // Nobody is left; a wait ends when its time is over, or does not begin where the value is another.
  notify.result = 0;
  work_on(&notify);
  CHECK(notify.result == 0);
  work_t late = new_work(&w, WAIT);
  late.arg_count = 1;
  late.args[0] = 5;
  work_on(&late);
  CHECK(late.result == 2);
  tenon_shared_memory_data(w.memory)[READY] = 1;
  late.result = 0;
  late.args[0] = -1;
  work_on(&late);
  CHECK(late.result == 1);
  end(&w);
}

static void test_traps(void) {
  world_t w;
  begin(&w);
  own wasm_memory_t* memory = tenon_memory_obtain(w.store, w.memory);
  wasm_extern_t* externs[] = {wasm_memory_as_extern(memory)};
  own wasm_instance_t* instance = instance_with(w.store, text, 1, externs);
  int32_t result;
  own wasm_func_t* func = func_of(instance, UNALIGNED);
  CHECK(trap_says(call_i32s(func, 0, NULL, &result), "unaligned atomic"));
  wasm_func_delete(func);
  func = func_of(instance, OUTSIDE);
  CHECK(trap_says(call_i32s(func, 0, NULL, &result), "out of bounds memory access"));
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  wasm_memory_delete(memory);
  // A memory that is not shared can be notified, as nobody waits, but not waited on.
  instance = instance_of(
    w.store,
    "(module (memory 1)\n"
    "  (func (export \"n\") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1)))\n"
    "  (func (export \"w\") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0))))\n");
  func = func_of(instance, 0);
  CHECK(returns(func, 0));
  wasm_func_delete(func);
  func = func_of(instance, 1);
  own wasm_trap_t* trap = call_i32s(func, 0, NULL, &result);
  REQUIRE(trap != NULL);
  CHECK(tenon_trap_code(trap) == TENON_TRAP_ATOMIC_WAIT_NON_SHARED);
  CHECK(trap_says(trap, "expected shared memory"));
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  end(&w);
}

int main(void) {
  test_counters();
  test_lock();
  test_turns();
  test_stack();
  test_growth();
  test_notices();
  test_traps();
  return check_done();
}
