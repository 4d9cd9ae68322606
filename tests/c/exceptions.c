// Exceptions that cross frames of the host: thrown, caught, passed on and replaced, in both directions and through many frames.

#include "test_util.h"

// What the host function of this program does with what comes out of the guest that it calls.
typedef enum { PASS_ON, REPLACE, SWALLOW, TRAP, THROW, RETURN } answer_t;

typedef struct {
  wasm_store_t* store;
  wasm_tag_t* tag;
  wasm_func_t* inner;            // called first, if it is there
  answer_t answer;
  int calls;
  tenon_exception_t* seen;       // owned: what came out last
} host_t;

static own wasm_trap_t* throw_i32(wasm_store_t* store, const wasm_tag_t* tag, int32_t value) {
  wasm_val_t values[] = {WASM_I32_VAL(value)};
  wasm_val_vec_t carried = WASM_ARRAY_VEC(values);
  own tenon_exception_t* exception = NULL;
  REQUIRE(tenon_exception_new(store, tag, &carried, &exception) == NULL);
  own wasm_trap_t* trap = tenon_trap_from_exception(exception);
  tenon_exception_delete(exception);
  return trap;
}

// (i32) -> i32
static own wasm_trap_t* host(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  host_t* host = env;
  int32_t value = args->data[0].of.i32;
  ++host->calls;
  own wasm_trap_t* trap = NULL;
  int32_t result = value;
  if (host->inner != NULL) trap = call_i32s(host->inner, 1, &value, &result);
  if (trap != NULL) {
    if (host->seen != NULL) tenon_exception_delete(host->seen);
    host->seen = tenon_trap_exception(trap);
  }
  if (trap != NULL && host->answer == PASS_ON) return trap;
  if (trap != NULL) wasm_trap_delete(trap);
  switch (host->answer) {
    case REPLACE:
    case THROW: return throw_i32(host->store, host->tag, value + 1000);
    case TRAP: return new_trap(host->store, "the host gives up");
    case SWALLOW: result = -1; break;
    default: break;
  }
  results->data[0] = (wasm_val_t)WASM_I32_VAL(result);
  return NULL;
}

static own wasm_tag_t* new_tag(wasm_store_t* store) {
  own wasm_tagtype_t* type = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
  own wasm_tag_t* tag = wasm_tag_new(store, type);
  wasm_tagtype_delete(type);
  REQUIRE(tag != NULL);
  return tag;
}

static own wasm_func_t* new_host(wasm_store_t* store, host_t* env) {
  own wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* func = wasm_func_new_with_env(store, type, host, env, NULL);
  wasm_functype_delete(type);
  return func;
}

// What a trap carries must be an exception of the tag with this value.
static bool carries(own wasm_trap_t* trap, const wasm_tag_t* tag, int32_t value) {
  if (trap == NULL) return false;
  own tenon_exception_t* exception = tenon_trap_exception(trap);
  bool good = exception != NULL && tenon_trap_code(trap) == TENON_TRAP_UNCAUGHT_EXCEPTION;
  if (exception != NULL) {
    own wasm_tag_t* its_tag = tenon_exception_tag(exception);
    wasm_val_t carried = WASM_INIT_VAL;
    good = good && wasm_tag_same(its_tag, tag) && tenon_exception_arity(exception) == 1 &&
      tenon_exception_arg(exception, 0, &carried) == NULL && carried.kind == WASM_I32 && carried.of.i32 == value;
    wasm_tag_delete(its_tag);
    tenon_exception_delete(exception);
  }
  if (good) return trap_says(trap, "uncaught exception");
  wasm_trap_delete(trap);
  return false;
}

// Exports: 0 call: calls the host and lets everything pass. 1 by_tag, 2 by_ref, 3 by_all, 4 all_ref: catch what the host throws.
// 5 throw. 6 again: catches with a reference, and throws that. 7 other: catches only another tag of the same type.
static const char guest[] =
  "(module\n"
  "  (import \"h\" \"tag\" (tag $t (param i32)))\n"
  "  (import \"h\" \"host\" (func $host (param i32) (result i32)))\n"
  "  (tag $other (param i32))\n"
  "  (func (export \"call\") (param i32) (result i32) (call $host (local.get 0)))\n"
  "  (func (export \"by_tag\") (param i32) (result i32)\n"
  "    (block $h (result i32)\n"
  "      (try_table (result i32) (catch $other $h) (catch $t $h) (call $host (local.get 0)))\n"
  "      (return))\n"
  "    (i32.add (i32.const 10000)))\n"
  "  (func (export \"by_ref\") (param i32) (result i32)\n"
  "    (block $h (result i32 exnref)\n"
  "      (try_table (result i32) (catch_ref $t $h) (call $host (local.get 0)))\n"
  "      (return))\n"
  "    (drop) (i32.add (i32.const 20000)))\n"
  "  (func (export \"by_all\") (param i32) (result i32)\n"
  "    (block $h\n"
  "      (try_table (result i32) (catch_all $h) (call $host (local.get 0)))\n"
  "      (return))\n"
  "    (i32.const 30000))\n"
  "  (func (export \"all_ref\") (param i32) (result i32)\n"
  "    (block $h (result exnref)\n"
  "      (try_table (result i32) (catch_all_ref $h) (call $host (local.get 0)))\n"
  "      (return))\n"
  "    (drop) (i32.const 40000))\n"
  "  (func (export \"throw\") (param i32) (result i32) (throw $t (local.get 0)))\n"
  "  (func (export \"again\") (param i32) (result i32)\n"
  "    (block $h (result exnref)\n"
  "      (try_table (result i32) (catch_all_ref $h) (call $host (local.get 0)))\n"
  "      (return))\n"
  "    (throw_ref))\n"
  "  (func (export \"other\") (param i32) (result i32)\n"
  "    (block $h (result i32)\n"
  "      (try_table (result i32) (catch $other $h) (call $host (local.get 0)))\n"
  "      (return))\n"
  "    (drop) (i32.const 50000))\n"
  "  (func (export \"throw_other\") (param i32) (result i32) (throw $other (local.get 0))))\n";

enum { CALL, BY_TAG, BY_REF, BY_ALL, ALL_REF, THROW_IT, AGAIN, OTHER, THROW_OTHER };

typedef struct {
  wasm_engine_t* engine;
  wasm_store_t* store;
  host_t host;
  wasm_func_t* host_func;
  wasm_instance_t* instance;
} world_t;

static void begin(world_t* w) {
  w->engine = new_engine();
  w->store = wasm_store_new(w->engine);
  w->host = (host_t){w->store, new_tag(w->store), NULL, RETURN, 0, NULL};
  w->host_func = new_host(w->store, &w->host);
  wasm_extern_t* imports[] = {wasm_tag_as_extern(w->host.tag), wasm_func_as_extern(w->host_func)};
  w->instance = instance_with(w->store, guest, 2, imports);
}

static void end(world_t* w) {
  if (w->host.seen != NULL) tenon_exception_delete(w->host.seen);
  wasm_instance_delete(w->instance);
  wasm_func_delete(w->host_func);
  wasm_tag_delete(w->host.tag);
  wasm_store_delete(w->store);
  wasm_engine_delete(w->engine);
}

static own wasm_trap_t* enter(const world_t* w, int export, int32_t arg, int32_t* result) {
  own wasm_func_t* func = func_of(w->instance, (size_t)export);
  own wasm_trap_t* trap = call_i32s(func, 1, &arg, result);
  wasm_func_delete(func);
  return trap;
}

static bool gives(const world_t* w, int export, int32_t arg, int32_t expected) {
  int32_t result = ~expected;
  own wasm_trap_t* trap = enter(w, export, arg, &result);
  if (trap != NULL) wasm_trap_delete(trap);
  return trap == NULL && result == expected;
}

// The host throws into the guest.
static void test_host_throws(void) {
  world_t w;
  begin(&w);
  CHECK(gives(&w, CALL, 5, 5));
  CHECK(gives(&w, BY_TAG, 5, 5));
  w.host.answer = THROW;
  CHECK(gives(&w, BY_TAG, 5, 11005));
  CHECK(gives(&w, BY_REF, 5, 21005));
  CHECK(gives(&w, BY_ALL, 5, 30000));
  CHECK(gives(&w, ALL_REF, 5, 40000));
  int32_t result;
  CHECK(carries(enter(&w, CALL, 6, &result), w.host.tag, 1006));
  CHECK(carries(enter(&w, AGAIN, 7, &result), w.host.tag, 1007));
  CHECK(carries(enter(&w, OTHER, 8, &result), w.host.tag, 1008));
  CHECK(w.host.calls == 9);
  end(&w);
}

// Nothing but an exception is caught: not the host's trap, and not one of the guest's.
static void test_traps_pass(void) {
  world_t w;
  begin(&w);
  w.host.answer = TRAP;
  for (int export = CALL; export <= ALL_REF; ++export) {
    int32_t result;
    own wasm_trap_t* trap = enter(&w, export, 1, &result);
    REQUIRE(trap != NULL);
    CHECK(tenon_trap_exception(trap) == NULL);
    CHECK(tenon_trap_code(trap) == TENON_TRAP_HOST);
    CHECK(trap_says(trap, "the host gives up"));
  }
  end(&w);
}

// guest -> host -> guest, which throws: the host in between lets it pass, replaces it, or swallows it.
static void test_through_the_host(void) {
  world_t w;
  begin(&w);
  w.host.inner = func_of(w.instance, THROW_IT);
  int32_t result;
  w.host.answer = PASS_ON;
  CHECK(gives(&w, BY_TAG, 3, 10003));
  CHECK(gives(&w, BY_REF, 3, 20003));
  CHECK(gives(&w, BY_ALL, 3, 30000));
  own wasm_trap_t* trap = enter(&w, AGAIN, 4, &result);
  REQUIRE(trap != NULL);
  // It is the same exception all the way.
  own tenon_exception_t* outside = tenon_trap_exception(trap);
  CHECK(tenon_exception_same(outside, w.host.seen));
  tenon_exception_delete(outside);
  CHECK(carries(trap, w.host.tag, 4));
  w.host.answer = REPLACE;
  CHECK(gives(&w, BY_TAG, 3, 11003));
  CHECK(carries(enter(&w, CALL, 3, &result), w.host.tag, 1003));
  w.host.answer = SWALLOW;
  CHECK(gives(&w, BY_TAG, 3, -1));
  CHECK(gives(&w, CALL, 3, -1));
  w.host.answer = TRAP;
  CHECK(trap_says(enter(&w, BY_ALL, 3, &result), "the host gives up"));
  wasm_func_delete(w.host.inner);
  // A tag that the host does not know.
  w.host.inner = func_of(w.instance, THROW_OTHER);
  w.host.answer = PASS_ON;
  CHECK(gives(&w, OTHER, 9, 50000));
  CHECK(gives(&w, BY_TAG, 9, 10009));
  trap = enter(&w, CALL, 9, &result);
  REQUIRE(trap != NULL);
  CHECK(!carries(trap, w.host.tag, 9));
  wasm_func_delete(w.host.inner);
  end(&w);
}

// A chain of instances, each of which calls the one before through a frame of the host.
static void test_many_frames(void) {
  enum { DEPTH = 40 };
  world_t w;
  begin(&w);
  host_t hosts[DEPTH];
  wasm_instance_t* instances[DEPTH];
  wasm_func_t* funcs[DEPTH];
  wasm_func_t* inner = func_of(w.instance, THROW_IT);
  for (int i = 0; i < DEPTH; ++i) {
    hosts[i] = (host_t){w.store, w.host.tag, inner, PASS_ON, 0, NULL};
    funcs[i] = new_host(w.store, &hosts[i]);
    wasm_extern_t* imports[] = {wasm_tag_as_extern(w.host.tag), wasm_func_as_extern(funcs[i])};
    instances[i] = instance_with(w.store, guest, 2, imports);
    // Some let it pass, some catch it and throw it again.
    inner = func_of(instances[i], i % 2 == 0 ? CALL : AGAIN);
  }
  int32_t arg = 77, result;
  CHECK(carries(call_i32s(inner, 1, &arg, &result), w.host.tag, 77));
  own wasm_func_t* outermost = func_of(instances[DEPTH - 1], BY_TAG);
  own wasm_trap_t* trap = call_i32s(outermost, 1, &arg, &result);
  CHECK(trap == NULL && result == 10077);
  if (trap != NULL) wasm_trap_delete(trap);
  wasm_func_delete(outermost);
  wasm_func_delete(inner);
  for (int i = 0; i < DEPTH; ++i) {
    CHECK(hosts[i].calls == 2);
    CHECK(i == 0 || tenon_exception_same(hosts[i].seen, hosts[0].seen));
    if (i > 0) wasm_func_delete(hosts[i].inner);
  }
  wasm_func_delete(hosts[0].inner);
  for (int i = 0; i < DEPTH; ++i) {
    tenon_exception_delete(hosts[i].seen);
    wasm_func_delete(funcs[i]);
    wasm_instance_delete(instances[i]);
  }
  end(&w);
}

// Exceptions that nobody holds any more go away, with what they carry, though the store stays.
static void test_nothing_is_kept(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_instance_t* instance = instance_of(
    store,
    "(module (tag $t (export \"t\") (param externref i64 f32))\n"
    "  (func (export \"throw\") (param externref)\n"
    "    (throw $t (local.get 0) (i64.const -7) (f32.const 1.5)))\n"
    "  (func (export \"catch\") (param externref) (result externref)\n"
    "    (block $h (result externref i64 f32)\n"
    "      (try_table (catch $t $h) (call 0 (local.get 0)))\n"
    "      (unreachable))\n"
    "    (drop) (drop)))\n");
  own wasm_func_t* throw = func_of(instance, 1);
  own wasm_func_t* catch = func_of(instance, 2);
  int finalized = 0;
  int count = rounds(20000, 200);
  long before = 0;
  for (int i = 0; i < count; ++i) {
    if (i == count / 10) before = resident_kib();
    own wasm_foreign_t* object = wasm_foreign_new(store);
    wasm_foreign_set_host_info_with_finalizer(object, &finalized, count_finalization);
    wasm_val_t arg[] = {{.kind = WASM_EXTERNREF, .of = {.ref = wasm_foreign_as_ref(object)}}};
    wasm_val_vec_t args = WASM_ARRAY_VEC(arg);
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    own wasm_trap_t* trap = wasm_func_call(throw, &args, &none);
    REQUIRE(trap != NULL);
    own tenon_exception_t* exception = tenon_trap_exception(trap);
    REQUIRE(exception != NULL);
    own wasm_val_vec_t values = WASM_EMPTY_VEC;
    REQUIRE(tenon_exception_args(exception, &values) == NULL && values.size == 3);
    bool good = wasm_ref_same(values.data[0].of.ref, wasm_foreign_as_ref(object)) &&
      values.data[1].of.i64 == -7 && values.data[2].of.f32 == 1.5F;
    if (!good) CHECK(good);
    wasm_val_vec_delete(&values);
    // In any order.
    if (i % 2 == 0) tenon_exception_delete(exception);
    wasm_trap_delete(trap);
    if (i % 2 == 1) tenon_exception_delete(exception);
    wasm_val_t caught[] = {WASM_INIT_VAL};
    wasm_val_vec_t results = WASM_ARRAY_VEC(caught);
    REQUIRE(wasm_func_call(catch, &args, &results) == NULL);
    if (!wasm_ref_same(caught[0].of.ref, wasm_foreign_as_ref(object))) CHECK(false);
    wasm_ref_delete(caught[0].of.ref);
    wasm_foreign_delete(object);
  }
  long grown = resident_kib() - before;
  printf("%d exceptions: %d objects finalized before the end, %+ld KiB\n", 2 * count, finalized, grown);
  CHECK(grown < 2048);
  wasm_func_delete(throw);
  wasm_func_delete(catch);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  CHECK(finalized == count);
  wasm_engine_delete(engine);
}

// Wrong values, wrong stores.
static void test_misuse(void) {
  world_t w, v;
  begin(&w);
  begin(&v);
  own tenon_exception_t* exception = (tenon_exception_t*)&w;
  wasm_val_t wrong[] = {WASM_I64_VAL(1)};
  wasm_val_vec_t values = WASM_ARRAY_VEC(wrong);
  own tenon_error_t* error = tenon_exception_new(w.store, w.host.tag, &values, &exception);
  CHECK(error != NULL && exception == NULL);
  tenon_error_delete(error);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  error = tenon_exception_new(w.store, w.host.tag, &none, &exception);
  CHECK(error != NULL && exception == NULL);
  tenon_error_delete(error);
  wrong[0] = (wasm_val_t)WASM_I32_VAL(1);
  error = tenon_exception_new(v.store, w.host.tag, &values, &exception);
  CHECK(error != NULL && tenon_error_kind(error) == TENON_ERROR_STORE && exception == NULL);
  tenon_error_delete(error);
  CHECK(tenon_trap_from_exception(NULL) == NULL);
  CHECK(tenon_trap_exception(NULL) == NULL);
  // A host function that throws another store's exception: the guest must not get it.
  own wasm_tag_t* its_own = w.host.tag;
  w.host.answer = THROW;
  w.host.store = v.store;
  w.host.tag = v.host.tag;
  int32_t result;
  own wasm_trap_t* trap = enter(&w, BY_ALL, 1, &result);
  CHECK(trap != NULL);
  if (trap != NULL) wasm_trap_delete(trap);
  w.host.tag = its_own;
  end(&v);
  end(&w);
}

int main(void) {
  test_host_throws();
  test_traps_pass();
  test_through_the_host();
  test_many_frames();
  test_nothing_is_kept();
  test_misuse();
  return check_done();
}
