// References of every kind: copied, compared, seen as references and back, with information of the host.
#include "example.h"

static int finalized;
static void finalize(void *info) { finalized += *(int *)info; }

// What each kind of reference has. `finalized` counts how often the finalizer ran.
#define BASE(prefix, name)                                                                         \
  static void name##_base(prefix##_##name##_t *object) {                                           \
    int one = 1;                                                                                   \
    prefix##_##name##_t *copy = prefix##_##name##_copy(object);                                    \
    expect(prefix##_##name##_same(object, copy));                                                  \
    expect(!prefix##_##name##_same(object, NULL));                                                 \
    expect(prefix##_##name##_get_host_info(object) == NULL);                                       \
    finalized = 0;                                                                                 \
    prefix##_##name##_set_host_info_with_finalizer(object, &one, finalize);                        \
    expect(prefix##_##name##_get_host_info(copy) == &one); /* of the object, not of the pointer */ \
    prefix##_##name##_set_host_info(copy, NULL);                                                   \
    expect(finalized == 1 && prefix##_##name##_get_host_info(object) == NULL);                     \
    prefix##_##name##_delete(copy);                                                                \
    prefix##_##name##_delete(NULL);                                                                \
  }

#define VIEWS(prefix, name)                                                       \
  BASE(prefix, name)                                                              \
  static void name##_views(prefix##_##name##_t *object) {                         \
    name##_base(object);                                                          \
    wasm_ref_t *ref = prefix##_##name##_as_ref(object);                           \
    expect(prefix##_ref_as_##name(ref) != NULL);                                  \
    expect(wasm_ref_same(ref, prefix##_##name##_as_ref(object)));                 \
    const wasm_ref_t *constant = prefix##_##name##_as_ref_const(object);          \
    expect(prefix##_ref_as_##name##_const(constant) != NULL);                     \
    expect(prefix##_ref_as_##name(NULL) == NULL);                                 \
    prefix##_##name##_delete(object);                                             \
  }

BASE(wasm, ref)
VIEWS(wasm, func)
VIEWS(wasm, global)
VIEWS(wasm, table)
VIEWS(wasm, memory)
VIEWS(wasm, extern)
VIEWS(wasm, instance)
VIEWS(wasm, module)
VIEWS(wasm, trap)
VIEWS(wasm, foreign)
VIEWS(wasm, tag)
VIEWS(tenon, exception)

#define EXTERNAL(name, KIND)                                               \
  static void name##_external(wasm_##name##_t *object) {                   \
    wasm_extern_t *external = wasm_##name##_as_extern(object);             \
    expect(wasm_extern_kind(external) == KIND);                            \
    expect(wasm_extern_as_##name(external) == object);                     \
    const wasm_extern_t *constant = wasm_##name##_as_extern_const(object); \
    expect(wasm_extern_as_##name##_const(constant) == object);             \
    expect(wasm_extern_as_##name(NULL) == NULL);                           \
  }

EXTERNAL(func, WASM_EXTERN_FUNC)
EXTERNAL(global, WASM_EXTERN_GLOBAL)
EXTERNAL(table, WASM_EXTERN_TABLE)
EXTERNAL(memory, WASM_EXTERN_MEMORY)
EXTERNAL(tag, WASM_EXTERN_TAG)

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_instance_t *instance = instance_of_text(store,
    "(module (func (export \"f\") unreachable) (global (export \"g\") i32 (i32.const 1))"
    " (table (export \"t\") 1 funcref) (memory (export \"m\") 1) (tag (export \"e\")))");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  func_external(wasm_extern_as_func(exports.data[0]));
  global_external(wasm_extern_as_global(exports.data[1]));
  table_external(wasm_extern_as_table(exports.data[2]));
  memory_external(wasm_extern_as_memory(exports.data[3]));
  tag_external(wasm_extern_as_tag(exports.data[4]));
  expect(wasm_extern_as_memory(exports.data[0]) == NULL);

  wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL);
  expect(trap != NULL);
  trap_views(trap);
  tenon_exception_t *exception;
  succeed(tenon_exception_new(store, wasm_extern_as_tag(exports.data[4]), NULL, &exception));
  exception_views(exception);

  func_views(wasm_func_copy(wasm_extern_as_func(exports.data[0])));
  global_views(wasm_global_copy(wasm_extern_as_global(exports.data[1])));
  table_views(wasm_table_copy(wasm_extern_as_table(exports.data[2])));
  memory_views(wasm_memory_copy(wasm_extern_as_memory(exports.data[3])));
  tag_views(wasm_tag_copy(wasm_extern_as_tag(exports.data[4])));
  extern_views(wasm_extern_copy(exports.data[0]));
  ref_base(wasm_extern_as_ref(exports.data[1]));
  module_views(module_of_text(store, "(module)"));
  foreign_views(wasm_foreign_new(store));

  // An object dies with its last reference, and its information with it; a module and its text's instance may go first.
  int two = 2;
  finalized = 0;
  wasm_foreign_t *foreign = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &two, finalize);
  wasm_foreign_t *other = wasm_foreign_copy(foreign);
  wasm_foreign_delete(foreign);
  tenon_store_gc(store);
  expect(finalized == 0);
  wasm_foreign_delete(other);
  tenon_store_gc(store);
  expect(finalized == 2);

  wasm_extern_vec_delete(&exports);
  instance_views(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
