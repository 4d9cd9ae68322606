// Functions of the host that the guest calls.
//
// A callback receives its arguments in an array and writes its results into another one. With an
// environment it also receives a pointer that the host has chosen, so that it needs no global
// variables; a finalizer says when the environment is no longer needed. A callback that returns a trap
// instead of NULL ends the guest's call.

#include "example_util.h"

// The environment of `accumulate`.
typedef struct {
  int64_t total;
  int64_t limit;
  wasm_store_t* store;
} account_t;

// Without environment. The engine has checked the arguments against the function's type.
static own wasm_trap_t* print(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  printf("Guest says %" PRId32 "\n", args->data[0].of.i32);
  return NULL;
}

// With environment.
static own wasm_trap_t* accumulate(
  void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results
) {
  account_t* account = env;
  int64_t total = account->total + args->data[0].of.i32;
  if (total > account->limit) {
    // The message of a trap ends with a zero byte, which `_nt` includes.
    own wasm_message_t message;
    wasm_name_new_from_string_nt(&message, "the account is full");
    own wasm_trap_t* trap = wasm_trap_new(account->store, &message);
    wasm_name_delete(&message);
    return trap;
  }
  account->total = total;
  results->data[0] = (wasm_val_t)WASM_I64_VAL(total);
  return NULL;
}

static void close_account(void* env) {
  account_t* account = env;
  printf("Account closed at %" PRId64 "\n", account->total);
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "callback.wasm"));

  own wasm_functype_t* print_type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  own wasm_func_t* print_func = wasm_func_new(store, print_type, print);
  wasm_functype_delete(print_type);

  account_t account = {.total = 0, .limit = 100, .store = store};
  own wasm_functype_t* accumulate_type =
    wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i64());
  own wasm_func_t* accumulate_func =
    wasm_func_new_with_env(store, accumulate_type, accumulate, &account, close_account);
  wasm_functype_delete(accumulate_type);

  // The imports, in the order in which the module declares them.
  wasm_extern_t* externs[] = {
    wasm_func_as_extern(print_func),
    wasm_func_as_extern(accumulate_func),
  };
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");

  // The instance keeps what it imports: the host's own handles can go.
  wasm_func_delete(print_func);
  wasm_func_delete(accumulate_func);

  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* run = find_func(module, &exports, "run");

  const int32_t pairs[][2] = {{3, 4}, {20, 22}, {50, 2}};
  for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); ++i) {
    wasm_val_t arg_values[] = {WASM_I32_VAL(pairs[i][0]), WASM_I32_VAL(pairs[i][1])};
    wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
    wasm_val_t result_values[] = {WASM_INIT_VAL};
    wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
    own wasm_trap_t* trap = wasm_func_call(run, &args, &results);
    if (trap == NULL) {
      printf("Accumulated %" PRId64 "\n", result_values[0].of.i64);
      continue;
    }
    own wasm_message_t message;
    wasm_trap_message(trap, &message);
    printf("Trap: %s\n", message.data);
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
  }

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);  // The finalizer has run when this returns.
  wasm_engine_delete(engine);
  return 0;
}
