// Exceptions across the boundary, in both directions.
//
// A host function throws by returning a trap made of an exception; the guest can catch it. An exception that no guest
// catches ends the host's call with a trap, and the trap carries it: the host asks for its tag and its values.

#include "example_util.h"

enum { BALANCE = 100, TOO_MUCH = 7 };

typedef struct {
  wasm_store_t* store;
  wasm_tag_t* refused;
} bank_t;

// Throws `refused` with a reason if there is not enough money.
static own wasm_trap_t* withdraw(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  bank_t* bank = env;
  int32_t amount = args->data[0].of.i32;
  if (amount <= BALANCE) {
    results->data[0] = (wasm_val_t)WASM_I32_VAL(BALANCE - amount);
    return NULL;
  }
  printf("  the host throws\n");
  wasm_val_t values[] = {WASM_I32_VAL(TOO_MUCH)};
  wasm_val_vec_t carried = WASM_ARRAY_VEC(values);
  own tenon_exception_t* exception = NULL;
  own tenon_error_t* error = tenon_exception_new(bank->store, bank->refused, &carried, &exception);
  if (error != NULL) fail("making an exception");
  own wasm_trap_t* thrown = tenon_trap_from_exception(exception);
  tenon_exception_delete(exception);
  return thrown;
}

// What a trap carries, if it is an exception with this tag: its values, which the caller must delete.
static own wasm_val_vec_t catch_tag(own wasm_trap_t* trap, const wasm_tag_t* tag) {
  own tenon_exception_t* exception = tenon_trap_exception(trap);
  if (exception == NULL) fail_if_trapped(trap);
  own wasm_tag_t* its_tag = tenon_exception_tag(exception);
  if (!wasm_tag_same(its_tag, tag)) fail("finding the tag");
  wasm_tag_delete(its_tag);
  own wasm_val_vec_t values = WASM_EMPTY_VEC;
  if (tenon_exception_args(exception, &values) != NULL) fail("reading an exception");
  tenon_exception_delete(exception);
  wasm_trap_delete(trap);
  return values;
}

static own wasm_trap_t* call(const wasm_func_t* func, int32_t amount, int32_t* result) {
  wasm_val_t arg[] = {WASM_I32_VAL(amount)};
  wasm_val_t room[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg);
  wasm_val_vec_t results = {result != NULL ? 1 : 0, room};
  own wasm_trap_t* trap = wasm_func_call(func, &args, &results);
  if (trap == NULL && result != NULL) *result = room[0].of.i32;
  return trap;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "exceptions.wasm"));

  // A tag of the host: exceptions of it carry an i32.
  own wasm_tagtype_t* tag_type = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
  own wasm_tag_t* refused = wasm_tag_new(store, tag_type);
  wasm_tagtype_delete(tag_type);
  if (refused == NULL) fail("making a tag");

  bank_t bank = {store, refused};
  own wasm_functype_t* type =
    wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  own wasm_func_t* withdraw_func = wasm_func_new_with_env(store, type, withdraw, &bank, NULL);
  wasm_functype_delete(type);

  wasm_extern_t* externs[] = {wasm_tag_as_extern(refused), wasm_func_as_extern(withdraw_func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  wasm_func_delete(withdraw_func);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* try_to_withdraw = find_func(module, &exports, "try_to_withdraw");
  const wasm_tag_t* negative = wasm_extern_as_tag(find_export(module, &exports, "negative"));

  int32_t result = 0;
  fail_if_trapped(call(try_to_withdraw, 30, &result));
  printf("nothing is thrown: %" PRId32 "\n", result);
  fail_if_trapped(call(try_to_withdraw, 300, &result));
  printf("the guest caught it: %" PRId32 "\n", result);

  own wasm_val_vec_t values =
    catch_tag(call(find_func(module, &exports, "withdraw"), 300, &result), refused);
  printf("it came through the guest: %" PRId32 "\n", values.data[0].of.i32);
  wasm_val_vec_delete(&values);

  values = catch_tag(call(find_func(module, &exports, "deposit"), -5, NULL), negative);
  printf("the host caught the guest's: %" PRId32 ", %g\n", values.data[0].of.i32, values.data[1].of.f64);
  wasm_val_vec_delete(&values);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_tag_delete(refused);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
