// Tags and exceptions: thrown by the host and caught by it, with the values that they carry.
#include "example.h"

static wasm_trap_t *throw_it(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  return tenon_trap_from_exception(env);
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_tagtype_t *type = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32())), *asked;
  wasm_tag_t *tag = wasm_tag_new(store, type), *other;
  succeed(tenon_tag_new(store, type, &other));
  expect(!wasm_tag_same(tag, other));  // every tag is one of its own
  wasm_tag_delete(other);
  asked = wasm_tag_type(tag);
  expect(wasm_functype_params(wasm_tagtype_functype(asked))->size == 1);
  wasm_tagtype_delete(asked);
  wasm_tagtype_delete(type);

  wasm_val_t five[] = {WASM_I32_VAL(5)}, value;
  wasm_val_vec_t values = WASM_ARRAY_VEC(five), all;
  tenon_exception_t *exception, *raw_made;
  succeed(tenon_exception_new(store, tag, &values, &exception));
  expect(tenon_exception_arity(exception) == 1);
  succeed(tenon_exception_arg(exception, 0, &value));
  expect(value.kind == WASM_I32 && value.of.i32 == 5);
  tenon_error_t *error = tenon_exception_arg(exception, 1, &value);
  expect(error != NULL);
  tenon_error_delete(error);
  succeed(tenon_exception_args(exception, &all));
  expect(all.size == 1 && all.data[0].of.i32 == 5);
  wasm_val_vec_delete(&all);
  tenon_raw_t raw = {.i32 = 6};
  succeed(tenon_exception_new_raw(store, tag, &raw, &raw_made));
  raw.i32 = 0;
  succeed(tenon_exception_args_raw(raw_made, &raw));
  expect(raw.i32 == 6);
  tenon_exception_delete(raw_made);

  // Thrown by a host function, through WebAssembly that does not catch it, to the caller.
  wasm_functype_t *nothing = wasm_functype_new_0_0();
  wasm_func_t *thrower = wasm_func_new_with_env(store, nothing, throw_it, exception, NULL);
  wasm_functype_delete(nothing);
  wasm_trap_t *trap = wasm_func_call(thrower, NULL, NULL);
  tenon_exception_t *caught = tenon_trap_exception(trap);
  expect(tenon_exception_same(caught, exception));
  wasm_tag_t *of = tenon_exception_tag(caught);
  expect(wasm_tag_same(of, tag));
  wasm_tag_delete(of);
  tenon_exception_delete(caught);
  wasm_trap_delete(trap);

  wasm_func_delete(thrower);
  tenon_exception_delete(exception);
  wasm_tag_delete(tag);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
