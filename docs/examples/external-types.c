// External types: the five kinds, each seen as an external type and back. Nothing is copied by that.
#include "example.h"

#define VIEWS(name, KIND)                                                                   \
  static void name##_views(wasm_##name##_t *type) {                                         \
    wasm_externtype_t *external = wasm_##name##_as_externtype(type);                        \
    expect(wasm_externtype_kind(external) == KIND);                                         \
    expect(wasm_externtype_as_##name(external) == type);                                    \
    expect(wasm_##name##_as_externtype_const(type) == external);                            \
    expect(wasm_externtype_as_##name##_const(external) == type);                            \
    expect((wasm_externtype_as_functype(external) != NULL) == (KIND == WASM_EXTERN_FUNC));  \
    wasm_externtype_t *copy = wasm_externtype_copy(external);                               \
    wasm_externtype_delete(external); /* the type itself: not once more */                  \
    expect(wasm_externtype_as_##name(copy) != NULL);                                        \
    wasm_externtype_delete(copy);                                                           \
    expect(wasm_##name##_as_externtype(NULL) == NULL);                                      \
  }

VIEWS(functype, WASM_EXTERN_FUNC)
VIEWS(globaltype, WASM_EXTERN_GLOBAL)
VIEWS(tabletype, WASM_EXTERN_TABLE)
VIEWS(memorytype, WASM_EXTERN_MEMORY)
VIEWS(tagtype, WASM_EXTERN_TAG)

int main(void) {
  wasm_limits_t limits = {1, 1};
  functype_views(wasm_functype_new_0_0());
  globaltype_views(wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST));
  tabletype_views(wasm_tabletype_new(wasm_valtype_new_externref(), &limits));
  memorytype_views(wasm_memorytype_new(&limits));
  tagtype_views(wasm_tagtype_new(wasm_functype_new_0_0()));
  return 0;
}
