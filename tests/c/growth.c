// What a store may have, and the host's say in growth: limits, callbacks before and after.

#include "test_util.h"

enum { PAGE = 65536 };

// Grow by an argument; tell the size; call the host; grow the table by an argument.
static const char text[] =
  "(module\n"
  "  (import \"env\" \"back\" (func $back))\n"
  "  (memory (export \"memory\") 1 10)\n"
  "  (table (export \"table\") 2 100 funcref)\n"
  "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))\n"
  "  (func (export \"size\") (result i32) (memory.size))\n"
  "  (func (export \"call\") (call $back))\n"
  "  (func (export \"grow_table\") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))\n";

static bool fails_as(own tenon_error_t* error, tenon_error_kind_t kind, const char* first, const char* second) {
  if (error == NULL) return false;
  const char* message = tenon_error_message(error);
  bool right = tenon_error_kind(error) == kind && strstr(message, first) != NULL && strstr(message, second) != NULL;
  if (!right) printf("%u: %s\n", tenon_error_kind(error), message);
  tenon_error_delete(error);
  return right;
}

static bool succeeds(own tenon_error_t* error) {
  if (error == NULL) return true;
  printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  return false;
}

static bool gives(const wasm_func_t* func, int32_t arg, int32_t expected) {
  int32_t result = ~expected;
  own wasm_trap_t* trap = call_i32s(func, 1, &arg, &result);
  bool right = trap == NULL && result == expected;
  if (!right) printf("%d: %d, expected %d\n", arg, result, expected);
  wasm_trap_delete(trap);
  return right;
}

// Deletes the trap; whether it has this code and says this.
static bool traps(const wasm_func_t* func, int32_t arg, tenon_trap_code_t code, const char* message) {
  int32_t result = 0;
  own wasm_trap_t* trap = call_i32s(func, 1, &arg, &result);
  return trap != NULL && tenon_trap_code(trap) == code && trap_says(trap, message);
}

typedef struct {
  own wasm_func_t* host;
  own wasm_instance_t* instance;
  own wasm_memory_t* memory;
  own wasm_table_t* table;
  own wasm_func_t *grow, *size, *call, *grow_table;
} guest_t;

static guest_t new_guest(wasm_store_t* store) {
  guest_t guest = {.host = new_nothing(store)};
  wasm_extern_t* imports[] = {wasm_func_as_extern(guest.host)};
  guest.instance = instance_with(store, text, 1, imports);
  guest.memory = wasm_extern_as_memory(export_of(guest.instance, 0));
  guest.table = wasm_extern_as_table(export_of(guest.instance, 1));
  guest.grow = func_of(guest.instance, 2);
  guest.size = func_of(guest.instance, 3);
  guest.call = func_of(guest.instance, 4);
  guest.grow_table = func_of(guest.instance, 5);
  return guest;
}

static void delete_guest(guest_t* guest) {
  wasm_func_delete(guest->grow_table);
  wasm_func_delete(guest->call);
  wasm_func_delete(guest->size);
  wasm_func_delete(guest->grow);
  wasm_table_delete(guest->table);
  wasm_memory_delete(guest->memory);
  wasm_instance_delete(guest->instance);
  wasm_func_delete(guest->host);
}

static bool has(wasm_store_t* store, uint64_t bytes, uint64_t elements, uint64_t memories, uint64_t tables, uint64_t instances) {
  const uint64_t expected[] = {bytes, elements, memories, tables, instances};
  bool right = true;
  for (tenon_limit_t limit = 0; limit < 5; ++limit) {
    uint64_t found = tenon_store_usage(store, limit);
    if (found == expected[limit]) continue;
    printf("limit %u: %llu in use, expected %llu\n", limit, (unsigned long long)found, (unsigned long long)expected[limit]);
    right = false;
  }
  return right;
}

// What is made is charged, and given back when it dies.
static void usage(wasm_engine_t* engine) {
  own wasm_store_t* store = wasm_store_new(engine);
  for (tenon_limit_t limit = 0; limit < 5; ++limit) CHECK(tenon_store_limit(store, limit) == UINT64_MAX);
  CHECK(has(store, 0, 0, 0, 0, 0));
  guest_t guest = new_guest(store);
  CHECK(has(store, PAGE, 2, 1, 1, 1));
  CHECK(gives(guest.grow, 2, 1) && wasm_memory_grow(guest.memory, 1) && gives(guest.grow, 100, -1) && gives(guest.grow, 0, 4));
  CHECK(gives(guest.grow_table, 5, 2) && wasm_table_grow(guest.table, 3, NULL) && gives(guest.grow_table, 100, -1));
  CHECK(has(store, 4 * PAGE, 10, 1, 1, 1));
  own wasm_memory_t* memory = new_memory(store, 3, 5);
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 20, wasm_limits_max_default);
  CHECK(has(store, 7 * PAGE, 30, 2, 2, 1));
  CHECK(new_memory(store, 3, 2) == NULL && new_table(store, WASM_FUNCREF, 3, 2) == NULL);
  CHECK(has(store, 7 * PAGE, 30, 2, 2, 1));
  wasm_memory_delete(memory);
  CHECK(has(store, 4 * PAGE, 30, 1, 2, 1));
  wasm_table_delete(table);
  CHECK(has(store, 4 * PAGE, 10, 1, 1, 1));
  delete_guest(&guest);
  tenon_store_gc(store);
  CHECK(has(store, 0, 0, 0, 0, 0));
  CHECK(tenon_store_usage(NULL, 0) == 0 && error_says("the store is NULL"));
  CHECK(tenon_store_limit(store, 6) == 0 && error_says("6 is no kind of limit"));
  CHECK(fails_as(tenon_store_set_limit(store, 6, 1), TENON_ERROR_ARGUMENT, "6 is no kind of limit", ""));
  CHECK(fails_as(tenon_store_set_limit(NULL, 0, 1), TENON_ERROR_ARGUMENT, "the store is NULL", ""));
  CHECK(fails_as(tenon_store_set_growth_traps(NULL, true), TENON_ERROR_ARGUMENT, "the store is NULL", ""));
  wasm_store_delete(store);
}

// Each limit at its edge: the last that fits, the first that does not.
static void limits(wasm_engine_t* engine) {
  own wasm_store_t* store = wasm_store_new(engine);
  guest_t guest = new_guest(store);
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 3 * PAGE + 1)));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_TABLE_ELEMENTS, 10)));
  CHECK(tenon_store_limit(store, TENON_LIMIT_MEMORY_BYTES) == 3 * PAGE + 1);
  CHECK(gives(guest.grow, 3, -1) && returns(guest.size, 1) && has(store, PAGE, 2, 1, 1, 1));
  CHECK(gives(guest.grow, 2, 1) && gives(guest.grow, 1, -1) && gives(guest.grow, 0, 3));
  CHECK(gives(guest.grow_table, 9, -1) && gives(guest.grow_table, 8, 2) && gives(guest.grow_table, 1, -1));
  CHECK(has(store, 3 * PAGE, 10, 1, 1, 1));
  // Three reasons, three kinds.
  uint64_t old = 7;
  CHECK(fails_as(tenon_memory_grow(guest.memory, 1, &old), TENON_ERROR_STORE_LIMIT, "the store may have 196609 bytes of memory",
                 "65536 more would be too many, as 196608 are in use"));
  CHECK(fails_as(tenon_memory_grow(guest.memory, 8, &old), TENON_ERROR_LIMIT, "which may have 10, cannot grow by 8", "maximum"));
  CHECK(old == 7 && !wasm_memory_grow(guest.memory, 1) && error_says("wasm_memory_grow: a memory of 3 pages"));
  CHECK(fails_as(tenon_memory_grow_at_least(guest.memory, 4, &old), TENON_ERROR_STORE_LIMIT, "the store may have", ""));
  CHECK(fails_as(tenon_table_grow(guest.table, 1, NULL, &old), TENON_ERROR_STORE_LIMIT, "the store may have 10 elements of tables", ""));
  CHECK(fails_as(tenon_table_grow(guest.table, 91, NULL, &old), TENON_ERROR_LIMIT, "cannot grow by 91", ""));
  CHECK(!wasm_table_grow(guest.table, 1, NULL) && error_says("the store may have 10 elements of tables"));
  // A refusal as a trap; the type's maximum gives -1 as ever.
  CHECK(succeeds(tenon_store_set_growth_traps(store, true)));
  CHECK(traps(guest.grow, 1, TENON_TRAP_ALLOCATION_FAILURE, "allocation failure: memory.grow: the store may have 196609 bytes"));
  CHECK(traps(guest.grow_table, 1, TENON_TRAP_ALLOCATION_FAILURE, "allocation failure: table.grow: the store may have 10 elements"));
  CHECK(gives(guest.grow, 8, -1) && gives(guest.grow, 0, 3) && gives(guest.grow_table, 91, -1));
  CHECK(fails_as(tenon_memory_grow(guest.memory, 1, &old), TENON_ERROR_STORE_LIMIT, "the store may have", ""));
  CHECK(succeeds(tenon_store_set_growth_traps(store, false)) && gives(guest.grow, 1, -1));
  // A lower limit leaves what there is; a higher one lets it grow on.
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 0)) && gives(guest.grow, 1, -1) && gives(guest.grow, 0, 3));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 4 * PAGE)) && gives(guest.grow, 1, 3));

  // What cannot be made.
  CHECK(new_memory(store, 1, 1) == NULL && error_says("the store may have 262144 bytes of memory"));
  own wasm_memory_t* empty = new_memory(store, 0, 1);
  CHECK(empty != NULL && has(store, 4 * PAGE, 10, 2, 1, 1));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORIES, 2)));
  CHECK(new_memory(store, 0, 1) == NULL && error_says("the store may have 2 memories"));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_TABLES, 1)));
  CHECK(new_table(store, WASM_FUNCREF, 0, 1) == NULL && error_says("the store may have 1 tables"));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_TABLES, 2)));
  CHECK(new_table(store, WASM_FUNCREF, 1, 1) == NULL && error_says("the store may have 10 elements of tables"));
  // Instances, and those whose memories or tables would be too many. Nothing stays charged.
  const struct {
    const char *text, *message;
  } too_much[] = {
    {"(module (memory 0))", "the store may have 2 memories"},
    {"(module (table 0 funcref) (table 0 funcref))", "the store may have 2 tables"},
    {"(module (table 1 funcref))", "the store may have 10 elements of tables"},
  };
  for (size_t i = 0; i < sizeof too_much / sizeof *too_much; ++i) {
    own wasm_module_t* module = module_of(store, too_much[i].text);
    own wasm_trap_t* trap = NULL;
    own wasm_instance_t* instance = NULL;
    CHECK(fails_as(tenon_instance_new(store, module, NULL, &instance, &trap), TENON_ERROR_STORE_LIMIT, too_much[i].message, ""));
    CHECK(instance == NULL && trap_says(trap, too_much[i].message));
    wasm_module_delete(module);
    CHECK(has(store, 4 * PAGE, 10, 2, 1, 1));
  }
  own wasm_module_t* plain = module_of(store, "(module (func (export \"f\")))");
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_INSTANCES, 3)));
  own wasm_instance_t* second = wasm_instance_new(store, plain, NULL, NULL);
  own wasm_instance_t* third = wasm_instance_new(store, plain, NULL, NULL);
  CHECK(second != NULL && third != NULL && has(store, 4 * PAGE, 10, 2, 1, 3));
  CHECK(wasm_instance_new(store, plain, NULL, NULL) == NULL && error_says("the store may have 3 instances: 1 more would be too many, as 3"));
  wasm_instance_delete(third);
  // A hundred at most one at a time: what died makes room, at once.
  for (int i = 0; i < 100; ++i) {
    third = wasm_instance_new(store, plain, NULL, NULL);
    CHECK(third != NULL);
    wasm_instance_delete(third);
  }
  wasm_instance_delete(second);
  wasm_module_delete(plain);
  wasm_memory_delete(empty);
  delete_guest(&guest);
  wasm_store_delete(store);
}

// What only a trace can find is reclaimed before a limit refuses: instances whose functions lie in a table.
static void reclaimed(wasm_engine_t* engine) {
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 1, 1);
  own wasm_module_t* module = module_of(store,
    "(module (import \"env\" \"t\" (table 1 funcref)) (memory 1) (elem (i32.const 0) $f) (func $f))");
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_INSTANCES, 5)));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 5 * PAGE)));
  wasm_extern_t* imports[] = {wasm_table_as_extern(table)};
  wasm_extern_vec_t vec = WASM_ARRAY_VEC(imports);
  for (int i = 0; i < rounds(300, 30); ++i) {
    // The last one stays alive in the table, without a handle.
    own wasm_instance_t* instance = wasm_instance_new(store, module, &vec, NULL);
    if (!CHECK(instance != NULL)) printf("%s\n", tenon_last_error());
    wasm_instance_delete(instance);
  }
  own wasm_memory_t* memory = new_memory(store, 4, 5);
  CHECK(memory != NULL && tenon_store_usage(store, TENON_LIMIT_INSTANCES) == 1);
  CHECK(new_memory(store, 1, 1) == NULL && !wasm_memory_grow(memory, 1));
  // Out of the table, it makes room for a growth.
  CHECK(wasm_table_set(table, 0, NULL) && wasm_memory_grow(memory, 1));
  CHECK(has(store, 5 * PAGE, 1, 1, 1, 0));
  wasm_memory_delete(memory);
  wasm_module_delete(module);
  wasm_table_delete(table);
  wasm_store_delete(store);
}

// A shared memory is charged to the store that asked for it.
static void shared(wasm_engine_t* engine) {
  own wasm_store_t *store = wasm_store_new(engine), *other = wasm_store_new(engine);
  own wasm_instance_t* instance = instance_of(store,
    "(module (memory (export \"m\") 2 5 shared) (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))");
  own wasm_memory_t* memory = wasm_extern_as_memory(export_of(instance, 0));
  own wasm_func_t* grow = func_of(instance, 1);
  own tenon_shared_memory_t* shared = tenon_memory_share(memory);
  own wasm_memory_t* elsewhere = tenon_memory_obtain(other, shared);
  CHECK(has(store, 2 * PAGE, 0, 1, 0, 1) && has(other, 0, 0, 1, 0, 0));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 3 * PAGE)));
  CHECK(gives(grow, 1, 2) && gives(grow, 1, -1) && wasm_memory_grow(elsewhere, 1) && gives(grow, 0, 4));
  CHECK(has(store, 3 * PAGE, 0, 1, 0, 1) && has(other, PAGE, 0, 1, 0, 0));
  CHECK(succeeds(tenon_shared_memory_grow(shared, 1, NULL)) && has(store, 3 * PAGE, 0, 1, 0, 1));
  CHECK(fails_as(tenon_shared_memory_grow(shared, 1, NULL), TENON_ERROR_LIMIT, "maximum", ""));
  CHECK(succeeds(tenon_store_set_limit(other, TENON_LIMIT_MEMORIES, 1)));
  CHECK(tenon_memory_obtain(other, shared) == NULL && error_says("the store may have 1 memories"));
  wasm_memory_delete(elsewhere);
  CHECK(has(other, 0, 0, 0, 0, 0));
  tenon_shared_memory_delete(shared);
  wasm_func_delete(grow);
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_store_delete(other);
}

typedef struct {
  wasm_store_t* store;
  guest_t* guest;
  // What `before` answers: true, false, or false and a trap.
  enum { ALLOW, REFUSE, TRAP } answer;
  tenon_memory_view_t view;
  uint64_t old_size, new_size, maximum;
  wasm_externkind_t kind;
  bool has_item;
  int asked, told, moved, finalized;
} watch_t;

static bool before(void* env, const tenon_growth_t* growth, own wasm_trap_t** trap) {
  watch_t* watch = env;
  ++watch->asked;
  watch->old_size = growth->old_size;
  watch->new_size = growth->new_size;
  watch->maximum = growth->maximum;
  watch->kind = growth->kind;
  watch->has_item = growth->item != NULL;
  CHECK(!growth->moved);
  if (growth->item != NULL) {
    CHECK(wasm_extern_kind(growth->item) == growth->kind);
    const wasm_memory_t* memory = wasm_extern_as_memory_const(growth->item);
    if (memory != NULL) CHECK(tenon_memory_size(memory) == growth->old_size);
  }
  if (watch->guest != NULL) {
    // The store can be used, WebAssembly too; but nothing grows, however it is asked for.
    CHECK(fails_as(tenon_memory_grow(watch->guest->memory, 1, NULL), TENON_ERROR_STORE_LIMIT, "within a callback about a growth", ""));
    CHECK(gives(watch->guest->grow, 1, -1) && gives(watch->guest->grow_table, 1, -1) && gives(watch->guest->grow, 0, (int32_t)tenon_memory_size(watch->guest->memory)));
    CHECK(new_memory(watch->store, 0, 1) == NULL && error_says("within a callback about a growth"));
    CHECK(new_table(watch->store, WASM_FUNCREF, 0, 1) == NULL && error_says("within a callback about a growth"));
    CHECK(fails_as(tenon_store_set_growth_callbacks(watch->store, NULL, NULL, NULL, NULL), TENON_ERROR_ARGUMENT, "are running", ""));
    tenon_store_gc(watch->store);
  }
  if (watch->answer == TRAP) *trap = new_trap(watch->store, "no more!");
  return watch->answer == ALLOW;
}

static void after(void* env, const tenon_growth_t* growth) {
  watch_t* watch = env;
  ++watch->told;
  watch->moved += growth->moved;
  CHECK(growth->old_size == watch->old_size && growth->new_size == watch->new_size && growth->item != NULL);
  const wasm_memory_t* memory = wasm_extern_as_memory_const(growth->item);
  if (memory != NULL && watch->guest != NULL) {
    CHECK(wasm_memory_same(memory, watch->guest->memory) && tenon_memory_size(memory) == growth->new_size);
    CHECK(!tenon_memory_view_is_valid(memory, &watch->view));
    CHECK(growth->moved == (wasm_memory_data(watch->guest->memory) + 8 != watch->view.data));
    CHECK(tenon_memory_view_refresh(watch->guest->memory, &watch->view) == NULL && returns(watch->guest->size, (int32_t)growth->new_size));
    CHECK(fails_as(tenon_memory_grow(watch->guest->memory, 1, NULL), TENON_ERROR_STORE_LIMIT, "within a callback", ""));
  }
}

static void finalize(void* env) { ++((watch_t*)env)->finalized; }

static void callbacks(wasm_engine_t* engine) {
  watch_t watch = {0}, next = {0};
  own wasm_store_t* store = wasm_store_new(engine);
  guest_t guest = new_guest(store);
  watch.store = next.store = store;
  watch.guest = &guest;
  CHECK(tenon_memory_view(guest.memory, 8, 16, &watch.view) == NULL);
  CHECK(succeeds(tenon_store_set_growth_callbacks(store, before, after, &watch, finalize)));

  // By the guest and by the host, of memories and tables.
  CHECK(gives(guest.grow, 2, 1) && watch.asked == 1 && watch.told == 1 && watch.has_item && watch.kind == WASM_EXTERN_MEMORY);
  CHECK(watch.old_size == 1 && watch.new_size == 3 && watch.maximum == 10 && tenon_memory_view_is_valid(guest.memory, &watch.view));
  CHECK(wasm_memory_grow(guest.memory, 1) && watch.asked == 2 && watch.told == 2);
  CHECK(gives(guest.grow_table, 3, 2) && watch.asked == 3 && watch.told == 3 && watch.kind == WASM_EXTERN_TABLE && watch.maximum == 100);
  CHECK(wasm_table_grow(guest.table, 1, NULL) && watch.asked == 4 && watch.told == 4 && watch.new_size == 6);
  // Not about what does not happen: by nothing, above the maximum, above a limit.
  CHECK(gives(guest.grow, 0, 4) && gives(guest.grow, 7, -1) && gives(guest.grow_table, 0, 6) && gives(guest.grow_table, 99, -1));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 5 * PAGE)) && gives(guest.grow, 2, -1));
  CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, UINT64_MAX)));
  CHECK(watch.asked == 4 && watch.told == 4);

  // Refused.
  watch.answer = REFUSE;
  CHECK(gives(guest.grow, 1, -1) && gives(guest.grow_table, 1, -1) && watch.asked == 6 && watch.told == 4 && returns(guest.size, 4));
  CHECK(fails_as(tenon_memory_grow(guest.memory, 1, NULL), TENON_ERROR_STORE_LIMIT, "cannot grow by 1: the host refuses it", ""));
  CHECK(fails_as(tenon_table_grow(guest.table, 1, NULL, NULL), TENON_ERROR_STORE_LIMIT, "the host refuses it", ""));
  // A trap where it gave -1: for the growth within the callback, too.
  watch.guest = NULL;
  CHECK(succeeds(tenon_store_set_growth_traps(store, true)));
  CHECK(traps(guest.grow, 1, TENON_TRAP_ALLOCATION_FAILURE, "memory.grow: the host refuses it"));
  CHECK(traps(guest.grow_table, 1, TENON_TRAP_ALLOCATION_FAILURE, "table.grow: the host refuses it"));
  CHECK(succeeds(tenon_store_set_growth_traps(store, false)));
  watch.guest = &guest;
  // With a trap of the host's.
  watch.answer = TRAP;
  CHECK(traps(guest.grow, 1, TENON_TRAP_HOST, "no more!") && traps(guest.grow_table, 1, TENON_TRAP_HOST, "no more!"));
  CHECK(fails_as(tenon_memory_grow(guest.memory, 1, NULL), TENON_ERROR_TRAP, "cannot grow by 1: no more!", ""));
  CHECK(fails_as(tenon_table_grow(guest.table, 1, NULL, NULL), TENON_ERROR_TRAP, "no more!", "") && returns(guest.size, 4));
  int32_t one = 1, result = 0;
  own wasm_trap_t* trap = call_i32s(guest.grow, 1, &one, &result);
  own wasm_frame_t* frame = wasm_trap_origin(trap);
  CHECK(frame != NULL && wasm_frame_func_index(frame) == 1);
  wasm_frame_delete(frame);
  wasm_trap_delete(trap);
  CHECK(has(store, 4 * PAGE, 6, 1, 1, 1));

  // What is made: asked about, never told. Then `before` uses the store as it likes, which the first one checks.
  watch.answer = ALLOW;
  int asked = watch.asked, told = watch.told;
  own wasm_memory_t* memory = new_memory(store, 2, 6);
  CHECK(memory != NULL && watch.asked == asked + 1 && watch.told == told && !watch.has_item);
  CHECK(watch.kind == WASM_EXTERN_MEMORY && watch.old_size == 0 && watch.new_size == 2 && watch.maximum == 6);
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 3, wasm_limits_max_default);
  CHECK(table != NULL && watch.asked == asked + 2 && watch.kind == WASM_EXTERN_TABLE && watch.new_size == 3 && watch.maximum == UINT64_MAX);
  own wasm_module_t* module = module_of(store, "(module (memory 7 9) (table 8 11 funcref))");
  own wasm_instance_t* instance = wasm_instance_new(store, module, NULL, NULL);
  CHECK(instance != NULL && watch.asked == asked + 4 && watch.new_size == 8 && watch.maximum == 11);
  wasm_instance_delete(instance);
  watch.answer = REFUSE;
  CHECK(new_memory(store, 2, 6) == NULL && error_says("no memory of 2 pages: the host refuses it"));
  CHECK(new_table(store, WASM_FUNCREF, 3, 4) == NULL && error_says("no table of 3 elements: the host refuses it"));
  CHECK(wasm_instance_new(store, module, NULL, &trap) == NULL && trap_says(trap, "no instance: memory 0 of 7 pages: the host refuses it"));
  watch.answer = TRAP;
  CHECK(new_memory(store, 2, 6) == NULL && error_says("no memory of 2 pages: no more!"));
  CHECK(wasm_instance_new(store, module, NULL, &trap) == NULL && trap_says(trap, "no more!"));
  wasm_memory_delete(memory);
  wasm_table_delete(table);
  tenon_store_gc(store);
  CHECK(has(store, 4 * PAGE, 6, 1, 1, 1));
  wasm_module_delete(module);

  // Others take their place, and none.
  CHECK(watch.finalized == 0 && succeeds(tenon_store_set_growth_callbacks(store, NULL, after, &next, finalize)) && watch.finalized == 1);
  asked = watch.asked;
  next.old_size = 4, next.new_size = 5;
  CHECK(gives(guest.grow, 1, 4) && watch.asked == asked && next.told == 1);
  CHECK(succeeds(tenon_store_set_growth_callbacks(store, NULL, NULL, NULL, NULL)) && next.finalized == 1);
  CHECK(gives(guest.grow, 1, 5) && next.told == 1);
  CHECK(fails_as(tenon_store_set_growth_callbacks(NULL, NULL, NULL, &next, finalize), TENON_ERROR_ARGUMENT, "the store is NULL", ""));
  CHECK(succeeds(tenon_store_set_growth_callbacks(store, before, NULL, &next, finalize)) && next.finalized == 1);
  delete_guest(&guest);
  wasm_store_delete(store);
  CHECK(watch.finalized == 1 && next.finalized == 2);
}

// A callback that gives up the last reference to what grows, and the store itself.
typedef struct {
  own wasm_memory_t* memory;
  own wasm_table_t* table;
  own wasm_store_t* store;
  int finalized;
} careless_t;

static bool careless(void* env, const tenon_growth_t* growth, own wasm_trap_t** trap) {
  careless_t* all = env;
  (void)growth, (void)trap;
  wasm_memory_delete(all->memory);
  wasm_table_delete(all->table);
  wasm_store_delete(all->store);
  all->memory = NULL;
  all->table = NULL;
  all->store = NULL;
  return true;
}

static void finalize_careless(void* env) { ++((careless_t*)env)->finalized; }

static void last_references(wasm_engine_t* engine) {
  for (int round = 0; round < 3; ++round) {
    careless_t all = {.store = wasm_store_new(engine)};
    if (round == 0) all.memory = new_memory(all.store, 1, 3);
    if (round == 1) all.table = new_table(all.store, WASM_FUNCREF, 1, 3);
    CHECK(succeeds(tenon_store_set_growth_callbacks(all.store, careless, NULL, &all, finalize_careless)));
    if (round == 0) CHECK(wasm_memory_grow(all.memory, 1));
    if (round == 1) CHECK(wasm_table_grow(all.table, 1, NULL));
    if (round == 2) {
      own wasm_memory_t* memory = new_memory(all.store, 1, 3);
      CHECK(memory != NULL && all.finalized == 0 && wasm_memory_data(memory)[65535] == 0);
      wasm_memory_delete(memory);
    }
    CHECK(all.store == NULL && all.finalized == 1);
  }
}

// Random growths of memories and tables under random limits, beside sums that say what must come of them.
static void model(wasm_engine_t* engine) {
  enum { COUNT = 4 };
  own wasm_store_t* store = wasm_store_new(engine);
  guest_t guest = new_guest(store);
  own wasm_memory_t* memories[COUNT] = {NULL};
  uint64_t sizes[COUNT] = {0}, guest_size = 1, most = UINT64_MAX, seed = 7, refused = 0, done = 0;
  for (int round = 0; round < rounds(5000, 200); ++round) {
    uint64_t numbers[3];
    for (int i = 0; i < 3; ++i) numbers[i] = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33;
    size_t which = numbers[0] % COUNT;
    uint64_t used = guest_size;
    for (int i = 0; i < COUNT; ++i) used += sizes[i];
    uint64_t delta = numbers[1] % 4;
    bool fits = delta == 0 || (used + delta <= most);
    bool right = true;
    switch (numbers[2] % 6) {
      case 0:
        most = numbers[1] % 30;
        right = succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, most * PAGE + numbers[0] % PAGE));
        break;
      case 1:
        wasm_memory_delete(memories[which]);
        memories[which] = NULL;
        sizes[which] = 0;
        break;
      case 2:
        if (memories[which] != NULL) break;
        memories[which] = new_memory(store, (uint32_t)delta, 8);
        right = (memories[which] != NULL) == fits;
        if (fits) sizes[which] = delta;
        refused += !fits;
        break;
      case 3:
        if (memories[which] == NULL) break;
        fits = fits && sizes[which] + delta <= 8;
        right = wasm_memory_grow(memories[which], (uint32_t)delta) == fits;
        if (fits) sizes[which] += delta;
        refused += !fits;
        break;
      default:
        fits = fits && guest_size + delta <= 10;
        right = gives(guest.grow, (int32_t)delta, fits ? (int32_t)guest_size : -1);
        if (fits) guest_size += delta;
        refused += !fits;
        if (guest_size == 10) {
          delete_guest(&guest);
          tenon_store_gc(store);
          guest_size = 0;
          CHECK(succeeds(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, UINT64_MAX)));
          guest = new_guest(store);
          guest_size = 1;
          most = UINT64_MAX;
          ++done;
        }
    }
    used = guest_size;
    for (int i = 0; i < COUNT; ++i) used += sizes[i];
    CHECK(right && tenon_store_usage(store, TENON_LIMIT_MEMORY_BYTES) == used * PAGE);
  }
  printf("%llu refusals, %llu guests\n", (unsigned long long)refused, (unsigned long long)done);
  CHECK(refused > 20);
  for (int i = 0; i < COUNT; ++i) wasm_memory_delete(memories[i]);
  delete_guest(&guest);
  tenon_store_gc(store);
  CHECK(has(store, 0, 0, 0, 0, 0));
  wasm_store_delete(store);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  usage(engine);
  limits(engine);
  reclaimed(engine);
  shared(engine);
  callbacks(engine);
  last_references(engine);
  model(engine);
  wasm_engine_delete(engine);
  return check_done();
}
