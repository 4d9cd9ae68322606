// The five functions of each kind of vector: made empty, of a size, of an array; copied; deleted.
#include "example.h"

// Elements that are pointers: a vector owns them, and a copy has copies of its own.
#define VECTORS(name)                                                     \
  static void name##_vectors(wasm_##name##_t *element) {                  \
    wasm_##name##_vec_t empty, room, made, copied;                        \
    wasm_##name##_vec_new_empty(&empty);                                  \
    expect(empty.size == 0 && empty.data == NULL);                        \
    wasm_##name##_vec_new_uninitialized(&room, 3);                        \
    expect(room.size == 3 && room.data[0] == NULL && room.data[2] == NULL); \
    wasm_##name##_t *elements[] = {element};                              \
    wasm_##name##_vec_new(&made, 1, elements);                            \
    expect(made.size == 1 && made.data[0] == element);                    \
    wasm_##name##_vec_copy(&copied, &made);                               \
    expect(copied.size == 1 && copied.data[0] != NULL);                   \
    wasm_##name##_vec_delete(&made);                                      \
    expect(made.size == 0 && made.data == NULL);                          \
    wasm_##name##_vec_delete(&made);                                      \
    wasm_##name##_vec_delete(&copied);                                    \
    wasm_##name##_vec_delete(&room);                                      \
    wasm_##name##_vec_delete(&empty);                                     \
  }

VECTORS(valtype)
VECTORS(functype)
VECTORS(globaltype)
VECTORS(tabletype)
VECTORS(memorytype)
VECTORS(tagtype)
VECTORS(externtype)
VECTORS(importtype)
VECTORS(exporttype)
VECTORS(frame)
VECTORS(extern)

static void bytes(void) {
  wasm_byte_vec_t empty, room, made, copied;
  wasm_byte_vec_new_empty(&empty);
  expect(empty.size == 0);
  wasm_byte_vec_new_uninitialized(&room, 4);
  expect(room.size == 4);
  memcpy(room.data, "wasm", 4);
  wasm_byte_vec_new(&made, 4, "wasm");
  wasm_byte_vec_copy(&copied, &made);
  expect(copied.data != made.data && memcmp(copied.data, room.data, 4) == 0);
  wasm_byte_vec_delete(&made);
  wasm_byte_vec_delete(&copied);
  wasm_byte_vec_delete(&room);
  wasm_byte_vec_delete(&empty);

  wasm_name_t name, message;
  wasm_name_new_from_string(&name, "add");
  wasm_name_new_from_string_nt(&message, "add");
  expect(name.size == 3 && message.size == 4 && message.data[3] == 0);
  wasm_name_delete(&name);
  wasm_name_delete(&message);
}

static void values(void) {
  wasm_val_vec_t empty, room, made, copied;
  wasm_val_vec_new_empty(&empty);
  expect(empty.size == 0);
  wasm_val_vec_new_uninitialized(&room, 2);
  expect(room.size == 2 && room.data[0].kind == WASM_I32 && room.data[0].of.i32 == 0);
  wasm_val_t both[] = {WASM_I32_VAL(7), WASM_F64_VAL(0.5)};
  wasm_val_vec_new(&made, 2, both);
  wasm_val_vec_copy(&copied, &made);
  expect(copied.size == 2 && copied.data[1].of.f64 == 0.5);
  wasm_val_vec_delete(&made);
  wasm_val_vec_delete(&copied);
  wasm_val_vec_delete(&room);
  wasm_val_vec_delete(&empty);
}

int main(void) {
  wasm_limits_t limits = {1, 2};
  wasm_name_t module, name, exported;
  wasm_name_new_from_string(&module, "env");
  wasm_name_new_from_string(&name, "f");
  wasm_name_new_from_string(&exported, "g");
  bytes();
  values();
  valtype_vectors(wasm_valtype_new_i32());
  functype_vectors(wasm_functype_new_0_0());
  globaltype_vectors(wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR));
  tabletype_vectors(wasm_tabletype_new(wasm_valtype_new_funcref(), &limits));
  memorytype_vectors(wasm_memorytype_new(&limits));
  tagtype_vectors(wasm_tagtype_new(wasm_functype_new_0_0()));
  externtype_vectors(wasm_memorytype_as_externtype(wasm_memorytype_new(&limits)));
  importtype_vectors(wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_0_0())));
  exporttype_vectors(wasm_exporttype_new(&exported, wasm_functype_as_externtype(wasm_functype_new_0_0())));

  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = wasm_store_new(engine);
  wasm_memorytype_t *type = wasm_memorytype_new(&limits);
  extern_vectors(wasm_memory_as_extern(wasm_memory_new(store, type)));
  wasm_memorytype_delete(type);

  wasm_instance_t *instance = instance_of_text(store, "(module (func (export \"f\") unreachable))");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL);
  expect(trap != NULL);
  frame_vectors(wasm_trap_origin(trap));
  wasm_trap_delete(trap);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
