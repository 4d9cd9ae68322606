// shim.h: what is simpler to say in C than through cgo. Pointers travel as numbers where Go need not look at them: cgo then has
// nothing to check, and nothing of Go's escapes.

#ifndef TENON_GO_SHIM_H
#define TENON_GO_SHIM_H

#include <stdlib.h>
#include <string.h>
#include <tenon.h>

// One of the settings of a configuration that are switches, by its number; config.go has the numbers.
void tenon_go_config_switch(wasm_config_t *config, int setting, bool on);

// A host function whose calls arrive in Go's tenonGoCall with a place and an index, and whose end in tenonGoRelease with a number; `plain` if no references are among its values, which
// are tenon_raw_t then and otherwise tenon_val_t.
tenon_error_t *tenon_go_func_new(wasm_store_t *store, const wasm_functype_t *type, bool plain, uintptr_t use, uint32_t place,
    uint32_t index, uintptr_t number, wasm_func_t **out);

// Has the growth of a store arrive in Go's tenonGoBefore and tenonGoAfter.
tenon_error_t *tenon_go_on_growth(wasm_store_t *store, uintptr_t use, uint32_t place, bool asks, bool tells);

// Has the memories of an engine made by Go's tenonGoAllocate and its siblings. The handle, of a MemoryCreator, ends in
// tenonGoForgetCreator, unless there is an error.
tenon_error_t *tenon_go_set_creator(wasm_config_t *config, uintptr_t handle);

// Reads the numbers of an array, from one on, to as many of `size` bytes. The array must have such numbers, and as many.
tenon_error_t *tenon_go_array_read(const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, void *out);

// Writes numbers of `size` bytes to an array, as tenon_go_array_read reads them; they are of a kind.
tenon_error_t *tenon_go_array_write(
    const wasm_ref_t *array, uint32_t start, uint32_t count, size_t size, wasm_valkind_t kind, const void *from);

// Lets an object stand for the Go value of a number, until tenonGoRelease is called with it.
void tenon_go_set_foreign(wasm_foreign_t *foreign, uintptr_t number);

// What of the store's heap a reference is to: TENON_HEAP_STRUCT, TENON_HEAP_ARRAY or TENON_HEAP_I31; TENON_HEAP_NONE for all else.
tenon_heaptype_t tenon_go_heap(const wasm_ref_t *ref);

// A trap with a message that need not end in NUL.
static inline uintptr_t tenon_go_trap_new(uintptr_t store, const char *text, size_t size) {
  wasm_message_t message = {size, (char *)text};
  return (uintptr_t)wasm_trap_new((wasm_store_t *)store, &message);
}

// Who uses a store: the constants of store.go. Both languages write it, Go with atomics; see use.go. The address 0 stands for one
// that only Go writes.
typedef struct tenon_go_use_t { uint32_t state; } tenon_go_use_t;

enum { TENON_GO_IN_USE = 1, TENON_GO_IN_HOST = 2 };

static inline void tenon_go_set(uintptr_t use, uint32_t state) {
  if (use != 0) __atomic_store_n(&((tenon_go_use_t *)use)->state, state, __ATOMIC_RELEASE);
}

// Calls a function with values that lie in C's memory.
static inline uintptr_t tenon_go_call(uintptr_t func, uintptr_t values) {
  return (uintptr_t)tenon_func_call_raw((const wasm_func_t *)func, (tenon_raw_t *)values);
}

// Calls a function with values of any type.
static inline uintptr_t tenon_go_call_val(uintptr_t func, const void *args, size_t arg_count, void *results, size_t result_count) {
  return (uintptr_t)tenon_func_call_val((const wasm_func_t *)func, args, arg_count, results, result_count);
}

// What a call of a function of few numbers gave: a trap, or results. Go keeps a structure of so few words in registers.
typedef struct tenon_go_outcome_t {
  uintptr_t trap;
  uint64_t first, second;
} tenon_go_outcome_t;

// Calls a function of at most four numbers that returns at most two: they travel on the stacks of the two languages, and nothing is
// shared with other calls. If it returns, the store's use becomes `after`: here a plain store, in Go it would be an exchange.
// After a trap it stays in use.
static inline tenon_go_outcome_t tenon_go_call_few(
    uintptr_t func, uintptr_t use, uint32_t after, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  tenon_raw_t values[4];
  values[0].i64 = (int64_t)a;
  values[1].i64 = (int64_t)b;
  values[2].i64 = (int64_t)c;
  values[3].i64 = (int64_t)d;
  wasm_trap_t *trap = tenon_func_call_raw((const wasm_func_t *)func, values);
  if (trap == NULL) tenon_go_set(use, after);
  return (tenon_go_outcome_t){(uintptr_t)trap, (uint64_t)values[0].i64, (uint64_t)values[1].i64};
}

// The bare call that the benchmark compares with.
static inline uintptr_t tenon_go_nothing(uintptr_t a, uintptr_t b) { return a ^ b; }

// Copies between a memory and the host, after a check of the bounds.
static inline bool tenon_go_memory_read(uintptr_t memory, uint64_t address, void *to, size_t size) {
  size_t have = wasm_memory_data_size((const wasm_memory_t *)memory);
  if (address > have || size > have - address) return false;
  if (size != 0) memcpy(to, wasm_memory_data((wasm_memory_t *)memory) + address, size);
  return true;
}
static inline bool tenon_go_memory_write(uintptr_t memory, uint64_t address, const void *from, size_t size) {
  size_t have = wasm_memory_data_size((const wasm_memory_t *)memory);
  if (address > have || size > have - address) return false;
  if (size != 0) memcpy(wasm_memory_data((wasm_memory_t *)memory) + address, from, size);
  return true;
}

#endif
