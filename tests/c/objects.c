// Garbage-collected objects between WebAssembly and the host: collections while code runs, in every place where a reference
// can be; cycles through objects of the host; limits; misuse. Run as it is, and with a collection at each allocation.

#include "test_util.h"

// In two parts, as a string literal has no room for the whole.
static const char first_part[] =
  "(module\n"
  "  (type $node (struct (field $v (mut i32)) (field $next (mut (ref null $node)))\n"
  "                      (field $host (mut externref))))\n"
  "  (type $tree (struct (field (ref null $tree)) (field (ref null $tree))))\n"
  "  (type $nodes (array (mut (ref null $node))))\n"
  "  (import \"env\" \"look\" (func $look (param i32 anyref anyref) (result anyref)))\n"
  "  (tag $e (param (ref null $node) i32 (ref null $node)))\n"
  "  (global $g (export \"global\") (mut anyref) (ref.null any))\n"
  "  (table $t (export \"table\") 8 anyref)\n"
  // 2: list: a list of n numbers, summed
  "  (func (export \"list\") (param $n i32) (result i32)\n"
  "    (local $list (ref null $node)) (local $sum i32)\n"
  "    (loop $more\n"
  "      (local.set $list (struct.new $node (local.get $n) (local.get $list) (ref.null extern)))\n"
  "      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
  "    (loop $add\n"
  "      (local.set $sum (i32.add (local.get $sum) (struct.get $node $v (local.get $list))))\n"
  "      (br_if $add (i32.eqz (ref.is_null (local.tee $list (struct.get $node $next (local.get $list)))))))\n"
  "    (local.get $sum))\n"
  // 3: churn: n structures that nobody keeps
  "  (func $churn (export \"churn\") (param $n i32)\n"
  "    (loop $more\n"
  "      (drop (struct.new $node (local.get $n) (ref.null $node) (ref.null extern)))\n"
  "      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))\n";

static const char second_part[] =
  // 4: tree: a tree of some depth, and how many nodes it has
  "  (func $grow (param $d i32) (result (ref $tree))\n"
  "    (if (result (ref $tree)) (i32.eqz (local.get $d))\n"
  "      (then (struct.new $tree (ref.null $tree) (ref.null $tree)))\n"
  "      (else (struct.new $tree (call $grow (i32.sub (local.get $d) (i32.const 1)))\n"
  "                              (call $grow (i32.sub (local.get $d) (i32.const 1)))))))\n"
  "  (func $count (param $t (ref null $tree)) (result i32)\n"
  "    (if (result i32) (ref.is_null (local.get $t)) (then (i32.const 0))\n"
  "      (else (i32.add (i32.const 1)\n"
  "        (i32.add (call $count (struct.get $tree 0 (local.get $t)))\n"
  "                 (call $count (struct.get $tree 1 (local.get $t))))))))\n"
  "  (func (export \"tree\") (param $d i32) (result i32) (call $count (call $grow (local.get $d))))\n"
  // 5: keep: puts a node with an object of the host's into the global, before what is there
  "  (func (export \"keep\") (param $v i32) (param $host externref)\n"
  "    (global.set $g (struct.new $node (local.get $v) (ref.cast (ref null $node) (global.get $g))\n"
  "                                     (local.get $host))))\n"
  // 6: ask: the host sees a node and a number, and gives one of them back; its number
  "  (func (export \"ask\") (param $v i32) (result i32)\n"
  "    (local $node (ref null $node)) (local $got anyref)\n"
  "    (local.set $node (struct.new $node (local.get $v) (ref.null $node) (ref.null extern)))\n"
  "    (local.set $got (call $look (local.get $v) (local.get $node) (ref.i31 (local.get $v))))\n"
  "    (if (ref.test (ref i31) (local.get $got)) (then\n"
  "      (return (i32.add (i32.const 1000) (i31.get_s (ref.cast (ref i31) (local.get $got)))))))\n"
  "    (if (i32.eqz (ref.eq (local.get $node) (ref.cast eqref (local.get $got)))) (then (unreachable)))\n"
  "    (struct.get $node $v (local.get $node)))\n"
  // 7: toss: references through an exception, by value and by reference
  "  (func $throw (param $v i32)\n"
  "    (throw $e (struct.new $node (local.get $v) (ref.null $node) (ref.null extern)) (local.get $v)\n"
  "              (struct.new $node (i32.const 5) (ref.null $node) (ref.null extern))))\n"
  "  (func (export \"toss\") (param $v i32) (result i32)\n"
  "    (local $x exnref) (local $a (ref null $node)) (local $b (ref null $node)) (local $i i32)\n"
  "    (block $out (result exnref)\n"
  "      (try_table (catch_all_ref $out) (call $throw (local.get $v)))\n"
  "      (unreachable))\n"
  "    (local.set $x)\n"
  "    (call $churn (i32.const 100))\n"
  "    (block $again (result (ref null $node) i32 (ref null $node))\n"
  "      (try_table (catch $e $again) (throw_ref (local.get $x)))\n"
  "      (unreachable))\n"
  "    (local.set $b) (local.set $i) (local.set $a)\n"
  "    (call $churn (i32.const 100))\n"
  "    (i32.add (local.get $i)\n"
  "      (i32.add (struct.get $node $v (local.get $a)) (struct.get $node $v (local.get $b)))))\n"
  // 8: hoard: keeps nodes until there is no room
  "  (func (export \"hoard\") (local $list (ref null $node))\n"
  "    (loop $more\n"
  "      (local.set $list (struct.new $node (i32.const 1) (local.get $list) (ref.null extern)))\n"
  "      (br $more)))\n"
  // 9: uncaught
  "  (func (export \"uncaught\") (param i32) (call $throw (local.get 0)))\n"
  // 10: array: an array of n nodes, of which every other is replaced, summed
  "  (func (export \"array\") (param $n i32) (result i32)\n"
  "    (local $a (ref null $nodes)) (local $i i32) (local $sum i32)\n"
  "    (local.set $a (array.new_default $nodes (local.get $n)))\n"
  "    (loop $more\n"
  "      (array.set $nodes (local.get $a) (local.get $i)\n"
  "        (struct.new $node (local.get $i) (ref.null $node) (ref.null extern)))\n"
  "      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))\n"
  "    (local.set $i (i32.const 0))\n"
  "    (loop $more\n"
  "      (local.set $sum (i32.add (local.get $sum)\n"
  "        (struct.get $node $v (array.get $nodes (local.get $a) (local.get $i)))))\n"
  "      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))\n"
  "    (local.get $sum))\n"
  // 11, 12: conversions: what comes back is what was given
  "  (func (export \"there\") (param externref) (result anyref) (any.convert_extern (local.get 0)))\n"
  "  (func (export \"back\") (param anyref) (result externref) (extern.convert_any (local.get 0)))\n"
  // 13: swap: several references at once
  "  (func (export \"swap\") (param anyref externref anyref) (result anyref externref anyref)\n"
  "    (call $churn (i32.const 50)) (local.get 2) (local.get 1) (local.get 0))\n"
  ")\n";

enum { GLOBAL, TABLE, LIST, CHURN, TREE, KEEP, ASK, TOSS, HOARD, UNCAUGHT, ARRAY, THERE, BACK, SWAP, EXPORTS };

// Whether each allocation collects.
static bool slow;

typedef struct {
  wasm_store_t* store;
  own wasm_instance_t* instance;
  own wasm_func_t* funcs[EXPORTS];
  own wasm_ref_t* kept;
  int looks;
} world_t;

static bool ok(own tenon_error_t* error) {
  if (error == NULL) return true;
  printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  return false;
}

static bool fails(own tenon_error_t* error, const char* with) {
  if (error == NULL) return false;
  bool found = strstr(tenon_error_message(error), with) != NULL;
  if (!found) printf("error \"%s\" should say \"%s\"\n", tenon_error_message(error), with);
  tenon_error_delete(error);
  return found;
}

static own wasm_trap_t* look(
  void* env, const wasm_func_t* caller, const tenon_val_t* args, size_t arg_count, tenon_val_t* results,
  size_t result_count
) {
  world_t* world = env;
  (void)caller;
  CHECK(arg_count == 3 && result_count == 1);
  CHECK(args[1].kind == TENON_ANYREF && args[2].kind == TENON_ANYREF);
  ++world->looks;
  // Collections happen here, too, and inside of calls that come back.
  int32_t count[] = {2000};
  CHECK(call_i32s(world->funcs[CHURN], 1, count, NULL) == NULL);
  tenon_store_gc(world->store);
  tenon_val_t number;
  CHECK(ok(tenon_struct_get(args[1].of.ref, 0, &number)) && number.of.i32 == args[0].of.i32);
  CHECK(tenon_i31_get_s(args[2].of.ref) == args[0].of.i32);
  if (world->kept != NULL) wasm_ref_delete(world->kept);
  world->kept = wasm_ref_copy(args[1].of.ref);
  tenon_val_copy(&results[0], &args[args[0].of.i32 % 2 == 0 ? 1 : 2]);
  return NULL;
}

static void start(world_t* world, wasm_engine_t* engine) {
  *world = (world_t){.store = wasm_store_new(engine)};
  char text[sizeof(first_part) + sizeof(second_part)];
  snprintf(text, sizeof(text), "%s%s", first_part, second_part);
  own wasm_module_t* module = module_of(world->store, text);
  own wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  own wasm_func_t* host = NULL;
  REQUIRE(ok(tenon_func_new_val(
    world->store, wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[0])), look, world, NULL,
    &host)));
  wasm_importtype_vec_delete(&imports);
  wasm_extern_t* externs[] = {wasm_func_as_extern(host)};
  wasm_extern_vec_t vec = WASM_ARRAY_VEC(externs);
  world->instance = wasm_instance_new(world->store, module, &vec, NULL);
  if (world->instance == NULL) printf("%s\n", tenon_last_error());
  REQUIRE(world->instance != NULL);
  wasm_func_delete(host);
  wasm_module_delete(module);
  for (size_t i = LIST; i < EXPORTS; ++i) world->funcs[i] = func_of(world->instance, i);
}

static void stop(world_t* world) {
  for (size_t i = LIST; i < EXPORTS; ++i) wasm_func_delete(world->funcs[i]);
  if (world->kept != NULL) wasm_ref_delete(world->kept);
  wasm_instance_delete(world->instance);
  wasm_store_delete(world->store);
}

static int32_t call1(world_t* world, int func, int32_t arg) {
  int32_t args[] = {arg}, result = -1;
  own wasm_trap_t* trap = call_i32s(world->funcs[func], 1, args, &result);
  if (!CHECK(trap == NULL)) trap_says(trap, "no trap");
  return result;
}

static uint64_t used(world_t* world) {
  tenon_store_gc(world->store);
  tenon_gc_statistics_t figures;
  tenon_store_gc_statistics(world->store, &figures);
  CHECK(figures.used == figures.survived && figures.used <= figures.capacity);
  return figures.used;
}

static void run_code(world_t* world) {
  // So many that collections happen by themselves.
  int64_t n = slow ? 300 : rounds(200000, 300);
  CHECK(call1(world, LIST, (int32_t)n) == (int32_t)(uint32_t)(n * (n + 1) / 2));
  CHECK(call1(world, ARRAY, (int32_t)n) == (int32_t)(uint32_t)(n * (n - 1) / 2));
  tenon_gc_statistics_t figures;
  tenon_store_gc_statistics(world->store, &figures);
  CHECK(figures.collections >= (n > 1000 ? 3 : 0));
  CHECK(call1(world, TREE, 10) == 2047);
  CHECK(call1(world, TOSS, 30) == 65);
  int32_t count[] = {(int32_t)n};
  CHECK(call_i32s(world->funcs[CHURN], 1, count, NULL) == NULL);
  CHECK(used(world) == 0);
  CHECK(call1(world, ASK, 4) == 4);
  CHECK(call1(world, ASK, 5) == 1005);
  CHECK(call1(world, ASK, -7) == 993);
  CHECK(world->looks == 3);
  CHECK(used(world) == 24);
  for (int i = 0; i < (slow ? 10 : rounds(2000, 10)); ++i) call1(world, ASK, 2 * i);
  CHECK(used(world) == 24);
}

static void run_exceptions(world_t* world) {
  int32_t arg[] = {77};
  own wasm_trap_t* trap = call_i32s(world->funcs[UNCAUGHT], 1, arg, NULL);
  REQUIRE(trap != NULL);
  own tenon_exception_t* exception = tenon_trap_exception(trap);
  REQUIRE(exception != NULL);
  wasm_trap_delete(trap);
  CHECK(used(world) >= 48);
  own wasm_val_t value;
  CHECK(ok(tenon_exception_arg(exception, 0, &value)) && value.kind == WASM_EXTERNREF);
  tenon_val_t number;
  CHECK(ok(tenon_struct_get(value.of.ref, 0, &number)) && number.of.i32 == 77);
  // It is thrown again, by the host, with the same values.
  own wasm_tag_t* tag = tenon_exception_tag(exception);
  wasm_val_t values[] = {value, WASM_I32_VAL(1), WASM_INIT_VAL};
  values[2].kind = WASM_EXTERNREF;
  wasm_val_vec_t vec = WASM_ARRAY_VEC(values);
  own tenon_exception_t* other = NULL;
  CHECK(ok(tenon_exception_new(world->store, tag, &vec, &other)));
  tenon_exception_delete(exception);
  wasm_val_delete(&value);
  used(world);
  tenon_raw_t raw[3];
  CHECK(ok(tenon_exception_args_raw(other, raw)) && raw[2].ref == NULL && raw[1].i32 == 1);
  CHECK(ok(tenon_struct_get(raw[0].ref, 0, &number)) && number.of.i32 == 77);
  wasm_ref_delete(raw[0].ref);
  wasm_tag_delete(tag);
  tenon_exception_delete(other);
}

// An object of the host's that only an object of WebAssembly's refers to, and the other way round.
static void run_cycles(world_t* world) {
  uint64_t before = used(world);
  int finalized = 0;
  own wasm_foreign_t* foreign = wasm_foreign_new(world->store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_finalization);
  tenon_val_t args[] = {
    {.kind = WASM_I32, .of = {.i32 = 3}}, {.kind = WASM_EXTERNREF, .of = {.ref = wasm_foreign_as_ref(foreign)}}};
  own wasm_trap_t* trap = tenon_func_call_val(world->funcs[KEEP], args, 2, NULL, 0);
  CHECK(trap == NULL);
  wasm_foreign_delete(foreign);
  CHECK(used(world) > before && finalized == 0);
  own wasm_extern_t* global = export_of(world->instance, GLOBAL);
  own wasm_val_t node;
  wasm_global_get(wasm_extern_as_global(global), &node);
  CHECK(node.kind == WASM_EXTERNREF && node.of.ref != NULL);
  // A table of the host's that holds the node, and the node the table.
  own wasm_tabletype_t* type = wasm_tabletype_new(tenon_valtype_new_ref(true, TENON_HEAP_ANY), &(wasm_limits_t){1, 1});
  own wasm_table_t* table = wasm_table_new(world->store, type, node.of.ref);
  wasm_tabletype_delete(type);
  REQUIRE(table != NULL);
  int table_finalized = 0;
  wasm_table_set_host_info_with_finalizer(table, &table_finalized, count_finalization);
  own wasm_ref_t* element = wasm_table_get(table, 0);
  CHECK(wasm_ref_same(element, node.of.ref));
  wasm_ref_delete(element);
  tenon_val_t hold = {.kind = WASM_EXTERNREF, .of = {.ref = wasm_table_as_ref(table)}};
  CHECK(ok(tenon_struct_set(node.of.ref, 2, &hold)));
  CHECK(used(world) > before && finalized == 1);
  wasm_table_delete(table);
  wasm_val_delete(&node);
  CHECK(used(world) > before && table_finalized == 0);
  wasm_val_t null = {.kind = WASM_EXTERNREF};
  wasm_global_set(wasm_extern_as_global(global), &null);
  CHECK(used(world) == before && table_finalized == 1);
  wasm_extern_delete(global);
}

// A number, and an object of the host's, as any and extern.
static void run_conversions(world_t* world) {
  own wasm_foreign_t* foreign = wasm_foreign_new(world->store);
  own wasm_ref_t* number = NULL;
  CHECK(ok(tenon_i31_new(world->store, 12, &number)));
  own wasm_valtype_t* i31 = tenon_valtype_new_ref(false, TENON_HEAP_I31);
  wasm_ref_t* refs[] = {wasm_foreign_as_ref(foreign), number};
  for (int i = 0; i < 2; ++i) {
    tenon_val_t arg = {.kind = WASM_EXTERNREF, .of = {.ref = refs[i]}}, there, back;
    CHECK(tenon_func_call_val(world->funcs[THERE], &arg, 1, &there, 1) == NULL);
    CHECK(there.kind == TENON_ANYREF && wasm_ref_same(there.of.ref, refs[i]));
    CHECK(tenon_ref_test(there.of.ref, i31) == (i == 1));
    CHECK(tenon_func_call_val(world->funcs[BACK], &there, 1, &back, 1) == NULL);
    CHECK(back.kind == WASM_EXTERNREF && wasm_ref_same(back.of.ref, refs[i]));
    tenon_val_t args[] = {there, back, back}, swapped[3];
    CHECK(tenon_func_call_val(world->funcs[SWAP], args, 3, swapped, 3) == NULL);
    for (int j = 0; j < 3; ++j) {
      CHECK(wasm_ref_same(swapped[j].of.ref, refs[i]));
      tenon_val_delete(&swapped[j]);
    }
    tenon_raw_t raw[] = {{.ref = there.of.ref}, {.ref = back.of.ref}, {.ref = NULL}};
    CHECK(tenon_func_call_raw(world->funcs[SWAP], raw) == NULL);
    CHECK(raw[0].ref == NULL && wasm_ref_same(raw[1].ref, refs[i]) && wasm_ref_same(raw[2].ref, refs[i]));
    wasm_ref_delete(raw[1].ref);
    wasm_ref_delete(raw[2].ref);
    tenon_val_delete(&there);
    tenon_val_delete(&back);
  }
  wasm_valtype_delete(i31);
  wasm_ref_delete(number);
  wasm_foreign_delete(foreign);
  CHECK(!tenon_ref_test(NULL, NULL) && error_says("the type is NULL"));
}

static void run_misuse(world_t* world, wasm_engine_t* engine) {
  own wasm_store_t* other = wasm_store_new(engine);
  own wasm_ref_t* number = NULL;
  CHECK(ok(tenon_i31_new(other, 1, &number)));
  tenon_val_t arg = {.kind = TENON_ANYREF, .of = {.ref = number}}, out;
  CHECK(trap_says(tenon_func_call_val(world->funcs[BACK], &arg, 1, &out, 1), "belongs to another store"));
  CHECK(fails(tenon_struct_get(number, 0, &out), "expected a structure, found an i31"));
  CHECK(fails(tenon_struct_get(NULL, 0, &out), "the reference is NULL"));
  CHECK(tenon_array_len(number) == 0 && error_says("expected an array"));
  CHECK(tenon_struct_field_count(NULL) == 0 && error_says("is NULL"));
  wasm_ref_delete(number);
  wasm_store_delete(other);
  CHECK(call1(world, ASK, 2) == 2);
  tenon_val_t wrong = {.kind = WASM_I64, .of = {.i64 = 1}};
  CHECK(fails(tenon_struct_set(world->kept, 0, &wrong), "expected i32, found i64"));
  CHECK(fails(tenon_struct_set(world->kept, 0, NULL), "the value is NULL"));
  CHECK(fails(tenon_struct_set(world->kept, 3, &wrong), "no field 3"));
  tenon_val_t self = {.kind = TENON_ANYREF, .of = {.ref = world->kept}};
  CHECK(ok(tenon_struct_set(world->kept, 1, &self)) && ok(tenon_struct_get(world->kept, 1, &out)));
  CHECK(wasm_ref_same(out.of.ref, world->kept));
  tenon_val_delete(&out);
  self.of.ref = wasm_instance_as_ref(world->instance);
  CHECK(fails(tenon_struct_set(world->kept, 1, &self), "found a instance"));
  CHECK(fails(tenon_struct_new(world->store, NULL, NULL, 0, NULL), "the type is NULL"));
}

// NULL everywhere: an error, or nothing.
static void run_nulls(world_t* world) {
  wasm_store_t* store = world->store;
  tenon_val_t out;
  own wasm_ref_t* made = NULL;
  own wasm_valtype_t* i32 = wasm_valtype_new_i32();
  CHECK(fails(tenon_struct_new(NULL, NULL, NULL, 0, &made), "the store is NULL"));
  CHECK(fails(tenon_struct_new_default(store, NULL, &made), "the type is NULL"));
  CHECK(fails(tenon_struct_get_s(NULL, 0, &out), "is NULL") && out.of.ref == NULL);
  CHECK(fails(tenon_struct_set(NULL, 0, &out), "is NULL"));
  CHECK(fails(tenon_array_new(store, NULL, NULL, 1, &made), "the type is NULL"));
  CHECK(fails(tenon_array_new_fixed(store, NULL, NULL, 1, &made), "the type is NULL"));
  CHECK(fails(tenon_array_get(NULL, 0, &out), "is NULL"));
  CHECK(fails(tenon_array_get_s(NULL, 0, NULL), "is NULL"));
  CHECK(fails(tenon_array_set(NULL, 0, NULL), "is NULL"));
  CHECK(fails(tenon_array_fill(NULL, 0, NULL, 0), "is NULL"));
  CHECK(fails(tenon_array_copy(NULL, 0, NULL, 0, 0), "is NULL"));
  CHECK(fails(tenon_i31_new(NULL, 0, &made), "the store is NULL"));
  CHECK(tenon_i31_get_u(NULL) == 0 && tenon_i31_get_s(NULL) == 0 && tenon_array_len(NULL) == 0);
  CHECK(!tenon_ref_test(NULL, i32) && error_says("i32 is not a reference type"));
  CHECK(fails(tenon_ref_cast(NULL, NULL, &made), "the type is NULL"));
  CHECK(fails(tenon_ref_cast(world->kept, i32, &made), "not a reference type"));
  CHECK(tenon_ref_type(NULL) == NULL && error_says("is NULL"));
  CHECK(made == NULL);
  tenon_gc_statistics_t figures;
  tenon_store_gc_statistics(NULL, &figures);
  CHECK(figures.used == 0 && figures.collections == 0);
  tenon_store_gc_statistics(store, NULL);
  // Types of the wrong kind, too many values, and what has no default.
  own wasm_valtype_t* type = tenon_ref_type(world->kept);
  own tenon_deftype_t* node = tenon_valtype_deftype(type);
  REQUIRE(node != NULL);
  CHECK(fails(tenon_array_new(store, node, NULL, 1, &made), "not one of arrays"));
  CHECK(fails(tenon_array_new_fixed(store, node, NULL, 0, &made), "not one of arrays"));
  CHECK(fails(tenon_struct_new(store, node, NULL, 3, &made), "the array of values is NULL"));
  CHECK(fails(tenon_struct_new(store, node, &out, 1, &made), "1 values are given for a structure of 3 fields"));
  tenon_val_t wrong[] = {{.kind = WASM_I32}, {.kind = TENON_ANYREF, .of = {.ref = wasm_instance_as_ref(world->instance)}},
    {.kind = WASM_EXTERNREF}};
  CHECK(fails(tenon_struct_new(store, node, wrong, 3, &made), "field 1: expected"));
  wrong[0].kind = WASM_F32;
  CHECK(fails(tenon_struct_new(store, node, wrong, 3, &made), "field 0: expected i32, found f32"));
  tenon_field_t strict = {.type = tenon_valtype_new_ref_to(false, node)};
  tenon_subtype_t types[] = {
    {.kind = TENON_DEF_STRUCT, .is_final = true, .fields = &strict, .field_count = 1},
    {.kind = TENON_DEF_ARRAY, .is_final = true, .fields = &strict, .field_count = 1}};
  own tenon_deftype_t* strictly[2];
  REQUIRE(ok(tenon_deftype_new_group(types, 2, strictly)));
  CHECK(fails(tenon_struct_new_default(store, strictly[0], &made), "field 0 has no default"));
  CHECK(fails(tenon_array_new(store, strictly[1], NULL, 1, &made), "no default"));
  tenon_val_t null = {.kind = TENON_ANYREF}, kept = {.kind = TENON_ANYREF, .of = {.ref = world->kept}};
  CHECK(fails(tenon_array_new(store, strictly[1], &null, 1, &made), "found a null reference"));
  CHECK(made == NULL && ok(tenon_array_new(store, strictly[1], &kept, 5, &made)) && tenon_array_len(made) == 5);
  CHECK(fails(tenon_array_set(made, 0, &kept), "the elements are constant"));
  CHECK(fails(tenon_array_copy(made, 0, made, 1, 1), "its elements are constant"));
  used(world);
  CHECK(ok(tenon_array_get(made, 4, &out)) && wasm_ref_same(out.of.ref, world->kept));
  tenon_val_delete(&out);
  wasm_ref_delete(made);
  for (int i = 0; i < 2; ++i) tenon_deftype_delete(strictly[i]);
  wasm_valtype_delete(strict.type);
  wasm_valtype_delete(type);
  tenon_deftype_delete(node);
  wasm_valtype_delete(i32);
}

// A heap of one megabyte, because of the engine's configuration or of the store's limit.
static void run_limit(bool by_store) {
  own wasm_config_t* config = wasm_config_new();
  if (!by_store) tenon_config_set_gc_heap_limit(config, 1 << 20);
  own wasm_engine_t* engine = wasm_engine_new_with_config(config);
  world_t world;
  start(&world, engine);
  const char* reason = by_store ? "the store may have 1048576 bytes of objects" : "heap of objects is full";
  CHECK(tenon_store_limit(world.store, TENON_LIMIT_HEAP_BYTES) == UINT64_MAX);
  if (by_store) CHECK(ok(tenon_store_set_limit(world.store, TENON_LIMIT_HEAP_BYTES, 1 << 20)));
  for (int i = 0; i < 3; ++i) {
    own wasm_trap_t* trap = call_i32s(world.funcs[HOARD], 0, NULL, NULL);
    REQUIRE(trap != NULL);
    CHECK(tenon_trap_code(trap) == TENON_TRAP_ALLOCATION_FAILURE);
    CHECK(trap_says(trap, reason));
    CHECK(used(&world) == 0);
  }
  CHECK(call1(&world, LIST, 1000) == 500500);
  own tenon_deftype_t* bytes = NULL;
  tenon_field_t byte = {.type = wasm_valtype_new_i32(), .packing = TENON_I8, .is_mutable = true};
  tenon_subtype_t type = {.kind = TENON_DEF_ARRAY, .is_final = true, .fields = &byte, .field_count = 1};
  CHECK(ok(tenon_deftype_new_group(&type, 1, &bytes)));
  own wasm_ref_t* array = NULL;
  CHECK(fails(tenon_array_new(world.store, bytes, NULL, 1 << 20, &array), reason));
  CHECK(ok(tenon_array_new(world.store, bytes, NULL, 1 << 19, &array)));
  CHECK(fails(tenon_array_new(world.store, bytes, NULL, 1 << 19, NULL), reason));
  wasm_ref_delete(array);
  CHECK(ok(tenon_array_new(world.store, bytes, NULL, 1 << 19, &array)));
  CHECK(tenon_store_usage(world.store, TENON_LIMIT_HEAP_BYTES) >= 1 << 19);
  if (by_store) {
    // What is there stays; nothing new is made. A limit that is lifted is none.
    CHECK(ok(tenon_store_set_limit(world.store, TENON_LIMIT_HEAP_BYTES, 1000)) && tenon_array_len(array) == 1 << 19);
    own tenon_error_t* error = tenon_array_new(world.store, bytes, NULL, 100, NULL);
    CHECK(tenon_error_kind(error) == TENON_ERROR_STORE_LIMIT);
    CHECK(fails(error, "1000 bytes of objects"));
    own wasm_trap_t* trap = call_i32s(world.funcs[LIST], 1, (int32_t[]){1}, &(int32_t){0});
    CHECK(tenon_trap_code(trap) == TENON_TRAP_ALLOCATION_FAILURE);
    CHECK(trap_says(trap, "1000 bytes of objects"));
    wasm_ref_delete(array);
    CHECK(call1(&world, LIST, 10) == 55);
    CHECK(ok(tenon_store_set_limit(world.store, TENON_LIMIT_HEAP_BYTES, UINT64_MAX)));
    CHECK(ok(tenon_array_new(world.store, bytes, NULL, 3 << 20, &array)));
    // A store that has a limit before it has a heap.
    own wasm_store_t* other = wasm_store_new(engine);
    CHECK(ok(tenon_store_set_limit(other, TENON_LIMIT_HEAP_BYTES, 1 << 12)) && tenon_store_usage(other, TENON_LIMIT_HEAP_BYTES) == 0);
    CHECK(fails(tenon_array_new(other, bytes, NULL, 1 << 12, NULL), "4096 bytes of objects"));
    CHECK(ok(tenon_array_new(other, bytes, NULL, 1 << 11, NULL)));
    wasm_store_delete(other);
  }
  wasm_ref_delete(array);
  wasm_valtype_delete(byte.type);
  tenon_deftype_delete(bytes);
  stop(&world);
  wasm_engine_delete(engine);
}

int main(void) {
  own wasm_engine_t* engines[] = {new_engine(), NULL};
  own wasm_config_t* config = wasm_config_new();
  tenon_config_set_collect_always(config, true);
  engines[1] = wasm_engine_new_with_config(config);
  for (int i = 0; i < 2; ++i) {
    const char* engine = getenv("TENON_TEST_ENGINE");
    slow = i == 1 || (engine != NULL && strcmp(engine, "collecting") == 0);
    world_t world;
    start(&world, engines[i]);
    run_code(&world);
    run_exceptions(&world);
    run_cycles(&world);
    run_conversions(&world);
    run_misuse(&world, engines[i]);
    run_nulls(&world);
    stop(&world);
    wasm_engine_delete(engines[i]);
  }
  run_limit(false);
  run_limit(true);
  return check_done();
}
