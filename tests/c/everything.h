// What there is to do with the library, in parts: each begins with an engine and ends with its end, whatever fails meanwhile, and
// says whether all of it worked. Programs that let something fail (allocation.c, system.c) go over all parts, once for
// each place where that can happen.
#ifndef EVERYTHING_H
#define EVERYTHING_H

#include <unistd.h>

#include "test_util.h"

// The modules of the parts, made before anything fails; the serialized one also as a file.
static wasm_byte_vec_t small_binary, data_binary, sparse_binary, many_binary, objects_binary, exceptions_binary, shared_binary;
static wasm_byte_vec_t serialized;
static char serialized_path[64];

static const char small_text[] =
  "(module\n"
  "  (memory (export \"m\") 1)\n"
  "  (table (export \"t\") 4 funcref)\n"
  "  (global (export \"g\") (mut i32) (i32.const 1))\n"
  "  (elem (i32.const 0) $add)\n"
  "  (func $add (export \"add\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))\n"
  "  (func (export \"trap\") unreachable)\n"
  "  (data (i32.const 0) \"hello\"))";

// Memories of several kinds and sizes; one of them begins with data that is mapped.
static const char data_text[] =
  "(module\n"
  "  (memory (export \"m\") 8) (memory i64 1 100) (memory 5000 10000 (pagesize 1))\n"
  "  (func (export \"run\") (param i32) (result i32)\n"
  "    (i32.store offset=131072 (local.get 0) (i32.const 7))\n"
  "    (i32.store8 1 (i64.const 8) (local.get 0))\n"
  "    (if (i64.eq (memory.grow 1 (i64.const 9)) (i64.const -1)) (then (return (i32.const -1))))\n"
  "    (i32.store8 2 (i32.const 8) (local.get 0))\n"
  "    (if (i32.eq (memory.grow 2 (i32.const 4000)) (i32.const -1)) (then (return (i32.const -1))))\n"
  "    (if (i32.eq (memory.grow 0 (i32.const 3)) (i32.const -1)) (then (return (i32.const -1))))\n"
  "    (i32.add (i32.load8_u (local.get 0)) (i32.add (i32.load8_u 1 (i64.const 8)) (i32.load8_u 2 (i32.const 8)))))\n"
  "  (data (i32.const 4096) \"";

// Data that no image stands for: it lies too far apart, and the last of it where a global says.
static const char sparse_text[] =
  "(module\n"
  "  (import \"e\" \"g\" (global i32)) (import \"e\" \"f\" (func $f (param i32) (result i32)))\n"
  "  (memory (export \"m\") 200) (table (export \"t\") 3 funcref) (table 2 externref)\n"
  "  (data (i32.const 8) \"near\") (data (i32.const 13000000) \"far\") (data (global.get 0) \"there\") (data $p \"passive\")\n"
  "  (elem (global.get 0) $run) (elem $q funcref (ref.func $run) (ref.null func))\n"
  "  (func $run (export \"run\") (param i32) (result i32)\n"
  "    (memory.init $p (i32.const 0) (i32.const 0) (i32.const 7)) (data.drop $p)\n"
  "    (table.init $q (i32.const 1) (i32.const 0) (i32.const 2)) (elem.drop $q)\n"
  "    (if (i32.eq (table.grow 1 (ref.null extern) (i32.const 50)) (i32.const -1)) (then (return (i32.const -1))))\n"
  "    (i32.add (call $f (local.get 0)) (i32.load8_u (i32.const 0)))))";

static const char objects_text[] =
  "(module\n"
  "  (type $pair (struct (field (mut i32)) (field (mut anyref)) (field (mut externref))))\n"
  "  (type $bytes (array (mut i8)))\n"
  "  (type $pairs (array (mut (ref null $pair))))\n"
  "  (global $kept (export \"kept\") (mut anyref) (ref.null any))\n"
  "  (global (export \"first\") (ref $pair) (struct.new $pair (i32.const 1) (ref.null any) (ref.null extern)))\n"
  "  (table $t (export \"table\") 2 anyref)\n"
  "  (elem $e (ref null $pair) (struct.new $pair (i32.const 2) (ref.null any) (ref.null extern)))\n"
  "  (func $list (export \"list\") (param $n i32) (param $host externref) (result anyref)\n"
  "    (local $list anyref)\n"
  "    (loop $more\n"
  "      (local.set $list (struct.new $pair (local.get $n) (local.get $list) (local.get $host)))\n"
  "      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (global.set $kept (local.get $list))\n"
  "    (table.set $t (i32.const 1) (array.new_elem $pairs $e (i32.const 0) (i32.const 1)))\n"
  "    (drop (table.grow $t (any.convert_extern (local.get $host)) (i32.const 20)))\n"
  "    (local.get $list))\n"
  "  (func (export \"churn\") (param $n i32) (result i32)\n"
  "    (loop $more\n"
  "      (drop (array.new $bytes (i32.const 5) (i32.const 3000)))\n"
  "      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (struct.get $pair 0 (ref.cast (ref $pair) (global.get $kept))))\n"
  "  (func (export \"hoard\") (param $n i32) (result i32)\n"
  "    (local $a (ref $pairs))\n"
  "    (local.set $a (array.new_default $pairs (i32.const 2000)))\n"
  "    (loop $more\n"
  "      (array.set $pairs (local.get $a) (local.get $n)\n"
  "        (struct.new $pair (local.get $n) (array.new_default $bytes (i32.const 200)) (ref.null extern)))\n"
  "      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (array.len (local.get $a))))";

static const char exceptions_text[] =
  "(module\n"
  "  (import \"e\" \"f\" (func $f (param i32) (result i32)))\n"
  "  (tag $t (export \"tag\") (param i32 externref))\n"
  "  (func (export \"throw\") (param i32) (result i32) (throw $t (local.get 0) (ref.null extern)))\n"
  "  (func (export \"catch\") (param i32) (result i32)\n"
  "    (block $h (result i32 externref exnref)\n"
  "      (try_table (result i32) (catch_ref $t $h) (call $f (local.get 0)))\n"
  "      (return))\n"
  "    (drop) (drop) (i32.add (i32.const 100)))\n"
  "  (func $deep (export \"deep\") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))";

static const char shared_text[] =
  "(module\n"
  "  (memory (export \"m\") 1 3 shared)\n"
  "  (func (export \"run\") (param i32) (result i32)\n"
  "    (drop (memory.grow (i32.const 1)))\n"
  "    (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const 1000)))\n"
  "    (drop (memory.atomic.notify (i32.const 8) (i32.const 1)))\n"
  "    (i32.add (local.get 0) (i32.atomic.rmw.add (i32.const 16) (i32.const 1)))))";

// --- What the parts are made of ---------------------------------------------------------------------

// Forgets the failure of a call that may fail; whether it did not.
static bool done(own tenon_error_t* error) {
  bool none = error == NULL;
  tenon_error_delete(error);
  return none;
}

static own wasm_trap_t* echo(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0] = args->data[0];
  return NULL;
}

static own wasm_functype_t* i32_to_i32(void) {
  return wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
}

// Whether a call of (i32) -> i32 gives what is expected.
static bool gives(const wasm_extern_t* item, int32_t argument, int32_t expected) {
  wasm_val_t args[] = {WASM_I32_VAL(argument)}, results[] = {WASM_INIT_VAL};
  wasm_val_vec_t args_vec = WASM_ARRAY_VEC(args), results_vec = WASM_ARRAY_VEC(results);
  own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func_const(item), &args_vec, &results_vec);
  bool right = trap == NULL && results[0].of.i32 == expected;
  wasm_trap_delete(trap);
  return right;
}

// Whether a call of (i32) -> i32 traps. The trap is looked at from all sides.
static bool traps(const wasm_extern_t* item) {
  wasm_val_t args[] = {WASM_I32_VAL(1)}, results[] = {WASM_INIT_VAL};
  wasm_val_vec_t args_vec = WASM_ARRAY_VEC(args), results_vec = WASM_ARRAY_VEC(results);
  own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func_const(item), &args_vec, &results_vec);
  bool trapped = trap != NULL;
  own wasm_message_t message;
  wasm_trap_message(trap, &message);
  wasm_byte_vec_delete(&message);
  own wasm_frame_t* origin = wasm_trap_origin(trap);
  own wasm_name_t name = WASM_EMPTY_VEC;
  tenon_frame_func_name(origin, &name);
  wasm_byte_vec_delete(&name);
  wasm_frame_delete(origin);
  own wasm_frame_vec_t frames;
  wasm_trap_trace(trap, &frames);
  wasm_frame_vec_delete(&frames);
  wasm_trap_delete(trap);
  return trapped;
}

// What an instance of the small module can do.
static bool use_instance(wasm_instance_t* instance) {
  bool worked = false;
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  if (exports.size == 5) {
    wasm_memory_t* memory = wasm_extern_as_memory(exports.data[0]);
    wasm_table_t* table = wasm_extern_as_table(exports.data[1]);
    worked = wasm_memory_grow(memory, 1);
    own wasm_ref_t* first = wasm_table_get(table, 0);
    worked &= first != NULL && wasm_table_grow(table, 100, first) && wasm_table_size(table) == 104;
    wasm_ref_delete(first);
    worked &= gives(exports.data[3], 41, 42);
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func(exports.data[4]), &none, &none);
    worked &= trap != NULL;
    wasm_trap_delete(trap);
  }
  wasm_extern_vec_delete(&exports);
  return worked;
}

// An instance of a binary, without or with imports.
static own wasm_instance_t* new_instance(wasm_store_t* store, const wasm_byte_vec_t* binary, const wasm_extern_vec_t* imports) {
  own wasm_module_t* module = wasm_module_new(store, binary);
  own wasm_instance_t* instance = wasm_instance_new(store, module, imports, NULL);
  wasm_module_delete(module);
  return instance;
}

// The export of an instance, without counting, so that nothing is checked where something may fail.
static own wasm_extern_t* find_export(const wasm_instance_t* instance, size_t index) {
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  own wasm_extern_t* found = index < exports.size ? wasm_extern_copy(exports.data[index]) : NULL;
  wasm_extern_vec_delete(&exports);
  return found;
}

static bool export_gives(const wasm_instance_t* instance, size_t index, int32_t argument, int32_t expected) {
  own wasm_extern_t* item = find_export(instance, index);
  bool right = gives(item, argument, expected);
  wasm_extern_delete(item);
  return right;
}

// --- The parts ----------------------------------------------------------------------------------------

static bool use_small(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  own wasm_instance_t* instance = new_instance(store, &small_binary, NULL);
  bool worked = use_instance(instance);
  wasm_instance_delete(instance);
  return worked;
}

// Text, types, and what a module tells of itself.
static bool use_types(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  own wasm_byte_vec_t binary = WASM_EMPTY_VEC;
  bool worked = done(tenon_wat2wasm(sparse_text, strlen(sparse_text), &binary));
  // Nonsense is refused, with a place.
  own wasm_byte_vec_t nonsense = WASM_EMPTY_VEC;
  worked &= !done(tenon_wat2wasm("(module (func (i32.const)))", 27, &nonsense));
  worked &= !done(tenon_module_validate(store, &nonsense));
  own wasm_module_t* module = wasm_module_new(store, &binary);
  own wasm_importtype_vec_t imports;
  own wasm_exporttype_vec_t exports;
  wasm_module_imports(module, &imports);
  wasm_module_exports(module, &exports);
  worked &= imports.size == 2 && exports.size == 3;
  own wasm_importtype_vec_t imports_copy;
  own wasm_exporttype_vec_t exports_copy;
  wasm_importtype_vec_copy(&imports_copy, &imports);
  wasm_exporttype_vec_copy(&exports_copy, &exports);
  worked &= imports_copy.size == 2 && exports_copy.size == 3;
  wasm_importtype_vec_delete(&imports_copy);
  wasm_exporttype_vec_delete(&exports_copy);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&binary);
  return worked;
}

static void count_up(void* count) { ++*(int*)count; }

// What the host makes and what hangs on it.
static bool use_host(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  int finalized = 0;
  own wasm_functype_t* type = i32_to_i32();
  own wasm_func_t* func = wasm_func_new(store, type, echo);
  bool worked = func != NULL && gives(wasm_func_as_extern(func), 5, 5);
  own wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_up);
  own wasm_table_t* table = new_table(store, WASM_EXTERNREF, 3, 10);
  worked &= wasm_table_set(table, 1, wasm_foreign_as_ref(foreign));
  worked &= wasm_table_grow(table, 5, wasm_foreign_as_ref(foreign)) && !wasm_table_grow(table, 5, NULL);
  wasm_foreign_delete(foreign);
  wasm_table_delete(table);
  tenon_store_gc(store);
  worked &= finalized == 1;
  own wasm_globaltype_t* global_type = wasm_globaltype_new(wasm_valtype_new(WASM_FUNCREF), WASM_VAR);
  wasm_val_t value = WASM_REF_VAL(wasm_func_as_ref(func));
  own wasm_global_t* global = wasm_global_new(store, global_type, &value);
  wasm_val_t got = WASM_INIT_VAL;
  if (global != NULL) wasm_global_get(global, &got);
  worked &= global != NULL && got.of.ref != NULL;
  if (global != NULL) wasm_val_delete(&got);
  wasm_global_delete(global);
  wasm_globaltype_delete(global_type);
  wasm_func_delete(func);
  wasm_functype_delete(type);
  return worked;
}

typedef struct {
  wasm_store_t* store;
  int count;
} asked_t;

static bool before_growth(void* env, const tenon_growth_t* growth, own wasm_trap_t** trap) {
  asked_t* asked = env;
  ++asked->count;
  if (growth->new_size == 3) *trap = new_trap(asked->store, "three");
  return growth->new_size != 4;
}

static void after_growth(void* env, const tenon_growth_t* growth) {
  (void)growth;
  ++((asked_t*)env)->count;
}

// Contents, limits, growth, snapshots.
static bool use_memory(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  asked_t asked = {store, 0};
  bool worked = true;
  own wasm_memorytype_t* type = NULL;
  own wasm_memory_t* memory = NULL;
  own tenon_memory_snapshot_t* snapshot = NULL;
  own wasm_byte_vec_t string = WASM_EMPTY_VEC;
  tenon_memory_view_t view;
  uint64_t value = 0;
  worked &= done(tenon_memorytype_new(1, true, 5, false, false, 16, &type));
  worked &= done(tenon_store_set_growth_callbacks(store, before_growth, after_growth, &asked, NULL));
  worked &= done(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 10 * 65536));
  worked &= done(tenon_memory_new(store, type, &memory));
  if (memory != NULL) {
    worked &= done(tenon_memory_write(memory, 7, "text", 5)) && done(tenon_memory_view(memory, 7, 4, &view));
    worked &= done(tenon_memory_snapshot(memory, &snapshot)) && done(tenon_memory_fill(memory, 0, 1, 65536));
    if (snapshot != NULL) worked &= done(tenon_memory_restore(memory, snapshot));
    worked &= done(tenon_memory_read_string(memory, 7, 4, true, &string));
    wasm_byte_vec_delete(&string);
    worked &= done(tenon_memory_read_cstring(memory, 7, 9, false, &string)) && string.size == 4;
    wasm_byte_vec_delete(&string);
    worked &= done(tenon_memory_grow(memory, 1, NULL));
    // Refused, with a trap and without one; outside; beyond the limit.
    worked &= !done(tenon_memory_grow(memory, 1, NULL)) && !done(tenon_memory_grow(memory, 2, NULL));
    worked &= !done(tenon_memory_read(memory, 1ull << 40, &value, 8));
    worked &= done(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, 65536)) && !done(tenon_memory_grow(memory, 3, NULL));
    worked &= done(tenon_store_set_limit(store, TENON_LIMIT_MEMORY_BYTES, UINT64_MAX));
    worked &= done(tenon_memory_discard(memory, 0, 65536));
  }
  worked &= done(tenon_store_set_growth_callbacks(store, NULL, NULL, NULL, NULL));
  tenon_memory_snapshot_delete(snapshot);
  wasm_memory_delete(memory);
  wasm_memorytype_delete(type);
  return worked && asked.count == 5;
}

// Instances of a module with mapped data, of which several live at once; all goes back to the system in between.
static bool use_images(wasm_engine_t* engine, wasm_store_t* store) {
  bool worked = true;
  own wasm_module_t* module = wasm_module_new(store, &data_binary);
  enum { AT_ONCE = 3 };
  for (int round = 0; round < 2; ++round) {
    own wasm_instance_t* instances[AT_ONCE];
    for (int i = 0; i < AT_ONCE; ++i) {
      instances[i] = wasm_instance_new(store, module, NULL, NULL);
      worked &= export_gives(instances[i], 1, 4096 + i, 1 + i + 2 * ((4096 + i) & 255));
    }
    worked &= done(tenon_instance_reset_memory(instances[0], 0));
    for (int i = 0; i < AT_ONCE; ++i) wasm_instance_delete(instances[i]);
    if (round == 0) tenon_engine_trim(engine);
  }
  wasm_module_delete(module);
  return worked;
}

// A snapshot and a reset of memories whose contents have moved.
static bool use_moving(wasm_engine_t* engine, wasm_store_t* store) {
  bool worked = use_images(engine, store);
  own wasm_instance_t* instance = new_instance(store, &data_binary, NULL);
  own wasm_memory_t* memory = NULL;
  worked &= done(tenon_instance_memory(instance, 0, &memory));
  own tenon_memory_snapshot_t* snapshot = NULL;
  worked &= wasm_memory_grow(memory, 30) && done(tenon_memory_snapshot(memory, &snapshot));
  worked &= wasm_memory_grow(memory, 40) && done(tenon_memory_restore(memory, snapshot));
  worked &= done(tenon_instance_reset_memory(instance, 0));
  tenon_memory_snapshot_delete(snapshot);
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
  return worked;
}

// Segments that are run one by one, and imports by name.
static bool use_linker(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  bool worked = true;
  own wasm_functype_t* type = i32_to_i32();
  own wasm_func_t* func = wasm_func_new(store, type, echo);
  own wasm_global_t* global = new_global(store, WASM_I32, WASM_CONST, (wasm_val_t)WASM_I32_VAL(2));
  own tenon_linker_t* linker = tenon_linker_new(store);
  worked &= linker != NULL;
  worked &= done(tenon_linker_define(linker, "e", 1, "g", 1, wasm_global_as_extern(global)));
  worked &= done(tenon_linker_define(linker, "e", 1, "f", 1, wasm_func_as_extern(func)));
  own wasm_module_t* module = wasm_module_new(store, &sparse_binary);
  own wasm_instance_t *instance = NULL, *small = new_instance(store, &small_binary, NULL);
  own wasm_trap_t* trap = NULL;
  worked &= done(tenon_linker_instantiate(linker, module, &instance, &trap)) && trap == NULL;
  worked &= export_gives(instance, 2, 3, 3 + 'p');
  worked &= done(tenon_linker_define_instance(linker, "small", 5, small));
  own wasm_extern_t* found = tenon_linker_get(linker, "small", 5, "add", 3);
  worked &= gives(found, 1, 2);
  wasm_extern_delete(found);
  wasm_trap_delete(trap);
  wasm_instance_delete(instance);
  wasm_instance_delete(small);
  wasm_module_delete(module);
  tenon_linker_delete(linker);
  wasm_global_delete(global);
  wasm_func_delete(func);
  wasm_functype_delete(type);
  return worked;
}

// Modules written down, and read back from bytes and from a file; modules that go to another store.
static bool use_serialized(wasm_engine_t* engine, wasm_store_t* store) {
  own wasm_module_t *module = wasm_module_new(store, &many_binary), *again = NULL, *mapped = NULL;
  own wasm_byte_vec_t bytes = WASM_EMPTY_VEC;
  bool worked = done(tenon_module_serialize(module, &bytes));
  worked &= done(tenon_module_deserialize(store, &bytes, &again));
  worked &= done(tenon_module_deserialize_file(store, serialized_path, &mapped));
  own wasm_instance_t* instance = wasm_instance_new(store, again, NULL, NULL);
  own wasm_instance_t* other = wasm_instance_new(store, mapped, NULL, NULL);
  worked &= export_gives(instance, 39, 1, 40) && export_gives(other, 38, 1, 39) && export_gives(other, 39, 1, 40);
  // Damage is refused.
  if (bytes.size > 0) bytes.data[bytes.size / 2] ^= 1;
  own wasm_module_t* damaged = NULL;
  worked &= !done(tenon_module_deserialize(store, &bytes, &damaged)) && damaged == NULL;
  own wasm_shared_module_t* shared = wasm_module_share(mapped);
  own wasm_store_t* elsewhere = wasm_store_new(engine);
  own wasm_module_t* obtained = wasm_module_obtain(elsewhere, shared);
  own wasm_instance_t* there = wasm_instance_new(elsewhere, obtained, NULL, NULL);
  worked &= export_gives(there, 37, 1, 38);
  wasm_instance_delete(there);
  wasm_module_delete(obtained);
  wasm_store_delete(elsewhere);
  wasm_shared_module_delete(shared);
  wasm_instance_delete(other);
  wasm_instance_delete(instance);
  wasm_module_delete(mapped);
  wasm_module_delete(again);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&bytes);
  return worked;
}

// Structures, arrays and objects of the host's, made on both sides, with collections in between.
static bool use_objects(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  int finalized = 0;
  own wasm_instance_t* instance = new_instance(store, &objects_binary, NULL);
  own wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_up);
  own wasm_extern_t *list = find_export(instance, 3), *churn = find_export(instance, 4), *hoard = find_export(instance, 5);
  tenon_val_t args[] = {{.kind = WASM_I32, .of.i32 = 40}, {.kind = WASM_EXTERNREF, .of.ref = wasm_foreign_as_ref(foreign)}};
  tenon_val_t result = {.kind = TENON_ANYREF, .of.ref = NULL}, field;
  own wasm_trap_t* trap = tenon_func_call_val(wasm_extern_as_func(list), args, 2, &result, 1);
  bool worked = trap == NULL && result.of.ref != NULL;
  wasm_trap_delete(trap);
  if (worked) {
    worked &= gives(churn, 400, 1) && done(tenon_struct_get(result.of.ref, 0, &field)) && field.of.i32 == 1;
    own wasm_valtype_t* type = tenon_ref_type(result.of.ref);
    own tenon_deftype_t* deftype = tenon_valtype_deftype(type);
    own wasm_ref_t* made = NULL;
    worked &= done(tenon_struct_new_default(store, deftype, &made));
    tenon_val_t value = {.kind = TENON_ANYREF, .of.ref = result.of.ref};
    if (made != NULL) {
      worked &= done(tenon_struct_set(made, 1, &value)) && done(tenon_struct_get(made, 1, &field));
      if (field.kind == TENON_ANYREF) tenon_val_delete(&field);
    }
    wasm_ref_delete(made);
    tenon_deftype_delete(deftype);
    wasm_valtype_delete(type);
    wasm_ref_delete(result.of.ref);
  }
  own wasm_ref_t* number = NULL;
  worked &= done(tenon_i31_new(store, 5, &number)) && tenon_i31_get_s(number) == 5;
  wasm_ref_delete(number);
  // A type of the host's own, and an array of it.
  own wasm_valtype_t* i32 = wasm_valtype_new_i32();
  tenon_field_t element = {i32, TENON_I16, true};
  tenon_subtype_t subtype = {.kind = TENON_DEF_ARRAY, .is_final = true, .fields = &element, .field_count = 1};
  own tenon_deftype_t* array_type = NULL;
  own wasm_ref_t* array = NULL;
  tenon_val_t three = {.kind = WASM_I32, .of.i32 = 3};
  worked &= done(tenon_deftype_new_group(&subtype, 1, &array_type));
  worked &= done(tenon_array_new(store, array_type, &three, 1000, &array)) && tenon_array_len(array) == 1000;
  wasm_ref_delete(array);
  tenon_deftype_delete(array_type);
  wasm_valtype_delete(i32);
  worked &= gives(hoard, 1999, 2000) && traps(hoard) == false;
  wasm_extern_delete(list);
  wasm_extern_delete(churn);
  wasm_extern_delete(hoard);
  wasm_foreign_delete(foreign);
  wasm_instance_delete(instance);
  tenon_store_gc(store);
  return worked && finalized == 1;
}

typedef struct {
  wasm_store_t* store;
  wasm_tag_t* tag;
} thrower_t;

static own wasm_trap_t* throw_it(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  thrower_t* thrower = env;
  wasm_val_t values[] = {args->data[0], WASM_REF_VAL(NULL)};
  values[1].kind = WASM_EXTERNREF;
  wasm_val_vec_t carried = WASM_ARRAY_VEC(values);
  own tenon_exception_t* exception = NULL;
  results->data[0] = (wasm_val_t)WASM_I32_VAL(0);
  if (!done(tenon_exception_new(thrower->store, thrower->tag, &carried, &exception))) return NULL;
  own wasm_trap_t* trap = tenon_trap_from_exception(exception);
  tenon_exception_delete(exception);
  return trap;
}

// Exceptions of the guest's and the host's; a stack that is too deep.
static bool use_exceptions(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  thrower_t thrower = {store, NULL};
  own wasm_functype_t* type = i32_to_i32();
  own wasm_func_t* func = wasm_func_new_with_env(store, type, throw_it, &thrower, NULL);
  wasm_extern_t* items[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
  own wasm_instance_t* instance = new_instance(store, &exceptions_binary, &imports);
  own wasm_extern_t *tag = find_export(instance, 0), *throw = find_export(instance, 1), *deep = find_export(instance, 3);
  thrower.tag = wasm_extern_as_tag(tag);
  bool worked = export_gives(instance, 2, 5, 105);
  wasm_val_t args[] = {WASM_I32_VAL(7)}, results[] = {WASM_INIT_VAL};
  wasm_val_vec_t args_vec = WASM_ARRAY_VEC(args), results_vec = WASM_ARRAY_VEC(results);
  own wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func(throw), &args_vec, &results_vec);
  own tenon_exception_t* exception = tenon_trap_exception(trap);
  own wasm_val_vec_t carried = WASM_EMPTY_VEC;
  worked &= exception != NULL && done(tenon_exception_args(exception, &carried)) && carried.data[0].of.i32 == 7;
  wasm_val_vec_delete(&carried);
  tenon_exception_delete(exception);
  wasm_trap_delete(trap);
  worked &= traps(deep);
  wasm_extern_delete(tag);
  wasm_extern_delete(throw);
  wasm_extern_delete(deep);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_functype_delete(type);
  return worked;
}

// A memory that two stores have.
static bool use_shared(wasm_engine_t* engine, wasm_store_t* store) {
  own wasm_memorytype_t* type = NULL;
  own tenon_shared_memory_t *shared = NULL, *again = NULL;
  uint64_t value = 0;
  bool worked = done(tenon_memorytype_new(1, true, 2, false, true, 16, &type));
  worked &= done(tenon_shared_memory_new(engine, type, &shared));
  own wasm_memory_t* obtained = tenon_memory_obtain(store, shared);
  worked &= obtained != NULL && done(tenon_shared_memory_atomic_rmw(shared, 8, 4, TENON_ATOMIC_ADD, 1, &value));
  worked &= done(tenon_shared_memory_grow(shared, 1, NULL)) && !done(tenon_shared_memory_grow(shared, 1, NULL));
  own wasm_instance_t* instance = new_instance(store, &shared_binary, NULL);
  worked &= export_gives(instance, 1, 4, 4) && export_gives(instance, 1, 4, 5);
  own wasm_memory_t* its = NULL;
  worked &= done(tenon_instance_memory(instance, 0, &its));
  again = tenon_memory_share(its);
  worked &= tenon_shared_memory_size(again) == 3;
  tenon_shared_memory_delete(again);
  wasm_memory_delete(its);
  wasm_instance_delete(instance);
  wasm_memory_delete(obtained);
  tenon_shared_memory_delete(shared);
  wasm_memorytype_delete(type);
  return worked;
}

// Everything that a store may have is at its limit.
static bool use_limits(wasm_engine_t* engine, wasm_store_t* store) {
  (void)engine;
  bool worked = true;
  worked &= done(tenon_store_set_limit(store, TENON_LIMIT_INSTANCES, 1));
  worked &= done(tenon_store_set_limit(store, TENON_LIMIT_MEMORIES, 2)) && done(tenon_store_set_limit(store, TENON_LIMIT_TABLES, 2));
  worked &= done(tenon_store_set_limit(store, TENON_LIMIT_TABLE_ELEMENTS, 200));
  own wasm_instance_t* one = new_instance(store, &small_binary, NULL);
  own wasm_instance_t* two = new_instance(store, &small_binary, NULL);
  worked &= one != NULL && two == NULL && use_instance(one);
  wasm_instance_delete(two);
  wasm_instance_delete(one);
  own wasm_table_t* table = new_table(store, WASM_FUNCREF, 150, wasm_limits_max_default);
  worked &= table != NULL && !wasm_table_grow(table, 51, NULL) && wasm_table_grow(table, 50, NULL);
  wasm_table_delete(table);
  return worked && tenon_store_usage(store, TENON_LIMIT_TABLE_ELEMENTS) == 0;
}

// A creator whose memories are the system's.
static bool allocate(void* env, const tenon_memory_request_t* request, tenon_host_memory_t* out) {
  (void)env;
  out->handle = calloc(1, (size_t)request->size + 16);
  out->data = (uint8_t*)out->handle + (16 - (uintptr_t)out->handle % 16);
  return out->handle != NULL;
}

static bool grow(void* env, tenon_host_memory_t* memory, uint64_t old_size, uint64_t new_size) {
  (void)env;
  uint8_t* place = calloc(1, (size_t)new_size + 16);
  if (place == NULL) return false;
  uint8_t* data = place + (16 - (uintptr_t)place % 16);
  memcpy(data, memory->data, (size_t)old_size);
  free(memory->handle);
  *memory = (tenon_host_memory_t){data, place};
  return true;
}

static void give_back(void* env, tenon_host_memory_t* memory, uint64_t size) {
  (void)env, (void)size;
  free(memory->handle);
}

// What is set of an engine.
static void set_nothing(wasm_config_t* config) { (void)config; }
static void set_eager(wasm_config_t* config) { tenon_config_set_eager(config, true); }
static void set_checked(wasm_config_t* config) { tenon_config_set_signals(config, false); }
static void set_dense(wasm_config_t* config) { tenon_config_set_dense_memories(config, true); }
static void set_pinned(wasm_config_t* config) {
  tenon_config_set_pinned_memories(config, true);
  tenon_config_set_memory_reservation(config, 0);
}
static void set_moving(wasm_config_t* config) {
  tenon_config_set_memory_reservation(config, 0);
  tenon_config_set_memory_guard(config, 0);
}
static void set_small_heap(wasm_config_t* config) { tenon_config_set_gc_heap_limit(config, 8 << 20); }
static void set_collecting(wasm_config_t* config) { tenon_config_set_collect_always(config, true); }
static void set_creator(wasm_config_t* config) {
  tenon_memory_creator_t creator = {allocate, grow, give_back, NULL, NULL};
  done(tenon_config_set_memory_creator(config, &creator));
}

typedef struct {
  const char* name;
  void (*set)(wasm_config_t*);
  bool (*use)(wasm_engine_t*, wasm_store_t*);
} part_t;

static const part_t parts[] = {
  {"small", set_nothing, use_small},
  {"small, eager", set_eager, use_small},
  {"small, collecting", set_collecting, use_small},
  {"types", set_nothing, use_types},
  {"host", set_nothing, use_host},
  {"memory", set_nothing, use_memory},
  {"memory, pinned", set_pinned, use_memory},
  {"memory, of a creator", set_creator, use_memory},
  {"small, memories of a creator", set_creator, use_small},
  {"images", set_nothing, use_images},
  {"images, checked", set_checked, use_images},
  {"images, dense", set_dense, use_moving},
  {"images, moving", set_moving, use_moving},
  {"images, of a creator", set_creator, use_moving},
  {"linker", set_nothing, use_linker},
  {"serialized", set_nothing, use_serialized},
  {"objects", set_small_heap, use_objects},
  {"exceptions", set_nothing, use_exceptions},
  {"shared", set_nothing, use_shared},
  {"limits", set_nothing, use_limits},
};

enum { PARTS = sizeof(parts) / sizeof(*parts) };

// Does a part, from the engine's making to its end. Whether all of it worked.
static bool do_part(const part_t* part) {
  own wasm_config_t* config = wasm_config_new();
  if (config != NULL) part->set(config);
  own wasm_engine_t* engine = config != NULL ? wasm_engine_new_with_config(config) : NULL;
  own wasm_store_t* store = wasm_store_new(engine);
  // The parts ask nothing of what is not there.
  bool worked = store != NULL && part->use(engine, store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return worked;
}

// --- Over all parts --------------------------------------------------------------------------------

static own wasm_byte_vec_t repeated(const char* begin, const char* piece, int count, const char* end) {
  size_t size = strlen(begin) + strlen(piece) * (size_t)count + strlen(end) + 1;
  char* text = malloc(size);
  REQUIRE(text != NULL);
  char* at = text + sprintf(text, "%s", begin);
  for (int i = 0; i < count; ++i) at += sprintf(at, "%s", piece);
  sprintf(at, "%s", end);
  own wasm_byte_vec_t binary = binary_of(text);
  free(text);
  return binary;
}

// The binaries of the parts; no engine is made for them.
static void prepare_binaries(void) {
  small_binary = binary_of(small_text);
  sparse_binary = binary_of(sparse_text);
  objects_binary = binary_of(objects_text);
  exceptions_binary = binary_of(exceptions_text);
  shared_binary = binary_of(shared_text);
  data_binary = repeated(data_text, "\\01\\02\\03\\04\\05\\06\\07\\08", 10000, "\"))");
  // Functions, each of which adds its number; so many that several threads compile them.
  char* text = malloc(40 * 200);
  REQUIRE(text != NULL);
  char* at = text + sprintf(text, "(module");
  for (int i = 0; i < 40; ++i) {
    at += sprintf(at, "(func (export \"f%d\") (param i32) (result i32) (i32.add (local.get 0) (i32.const %d)))", i, i);
  }
  sprintf(at, "(memory 1) (data (i32.const 0) \"data\"))");
  many_binary = binary_of(text);
  free(text);
}

// The serialized module, and its file.
static void prepare_serialized(void) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = wasm_module_new(store, &many_binary);
  wasm_module_serialize(module, &serialized);
  REQUIRE(serialized.size > 0);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  snprintf(serialized_path, sizeof(serialized_path), "/tmp/tenon-everything-%ld", (long)getpid());
  FILE* file = fopen(serialized_path, "wb");
  REQUIRE(file != NULL && fwrite(serialized.data, 1, serialized.size, file) == serialized.size && fclose(file) == 0);
}

static void forget(void) {
  remove(serialized_path);
  wasm_byte_vec_t* all[] = {&small_binary, &data_binary, &sparse_binary, &many_binary, &objects_binary, &exceptions_binary, &shared_binary, &serialized};
  for (size_t i = 0; i < sizeof(all) / sizeof(*all); ++i) wasm_byte_vec_delete(all[i]);
}

#endif
