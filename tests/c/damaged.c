// Serialized modules that are cut off or have a bit turned over: refused with a reason, or made again
// from the original bytes and then working as before. Never a crash, and never another result.

#include "test_util.h"

static const char text[] =
  "(module\n"
  "  (memory (export \"memory\") 1) (data (i32.const 0) \"\\2a\")\n"
  "  (table 2 funcref) (elem (i32.const 0) $double $square)\n"
  "  (type $unary (func (param i32) (result i32)))\n"
  "  (func $double (type $unary) (i32.add (local.get 0) (local.get 0)))\n"
  "  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))\n"
  "  (func (export \"run\") (result i32)\n"
  "    (i32.add\n"
  "      (call_indirect (type $unary) (i32.load8_u (i32.const 0)) (i32.const 0))\n"
  "      (call_indirect (type $unary) (i32.const 9) (i32.const 1)))))\n";

static bool works(wasm_store_t* store, const wasm_module_t* module) {
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) return false;
  own wasm_func_t* run = func_of(instance, 1);
  bool right = returns(run, 2 * 42 + 81);
  wasm_func_delete(run);
  wasm_instance_delete(instance);
  return right;
}

// Loads exactly these bytes, copied so that valgrind sees what is read beyond them.
static bool refused_or_right(wasm_store_t* store, const char* data, size_t size, int* accepted) {
  own wasm_byte_vec_t bytes;
  wasm_byte_vec_new(&bytes, size, data);
  tenon_last_error_clear();
  own wasm_module_t* module = wasm_module_deserialize(store, &bytes);
  wasm_byte_vec_delete(&bytes);
  if (module == NULL) return tenon_last_error() != NULL && tenon_last_error()[0] != 0;
  ++*accepted;
  bool right = works(store, module);
  wasm_module_delete(module);
  return right;
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = module_of(store, text);
  CHECK(works(store, module));
  own wasm_byte_vec_t whole;
  wasm_module_serialize(module, &whole);
  wasm_module_delete(module);
  REQUIRE(whole.size > 0);

  // As it is, it loads: in another engine too, and more than once.
  own wasm_engine_t* engine2 = new_engine();
  own wasm_store_t* store2 = wasm_store_new(engine2);
  for (int i = 0; i < 2; ++i) {
    own wasm_module_t* loaded = wasm_module_deserialize(store2, &whole);
    REQUIRE(loaded != NULL);
    CHECK(works(store2, loaded));
    own wasm_byte_vec_t again;
    wasm_module_serialize(loaded, &again);
    CHECK(again.size == whole.size);
    wasm_byte_vec_delete(&again);
    wasm_module_delete(loaded);
  }
  wasm_store_delete(store2);
  wasm_engine_delete(engine2);

  // Every bit of the first bytes, where the header lies, and then so many that it takes some seconds.
  size_t bits = whole.size * 8, dense = 512 * 8, tested = 0;
  size_t step = bits <= 64 * 1024 && rounds(1, 0) ? 1 : bits / (size_t)rounds(60000, 1500) + 1;
  int accepted = 0;
  for (size_t bit = 0; bit < bits; bit += bit < dense && rounds(1, 0) ? 1 : step | 1) {
    whole.data[bit / 8] = (char)(whole.data[bit / 8] ^ (1 << (bit % 8)));
    CHECK(refused_or_right(store, whole.data, whole.size, &accepted));
    whole.data[bit / 8] = (char)(whole.data[bit / 8] ^ (1 << (bit % 8)));
    ++tested;
  }
  printf("%zu of %zu bits turned over, %d accepted\n", tested, bits, accepted);

  // Every length up to a page and then some; and with something behind the end.
  for (size_t length = 0; length < whole.size; length += length < 4096 && rounds(1, 0) ? 1 : 97) {
    CHECK(refused_or_right(store, whole.data, length, &accepted));
  }
  own wasm_byte_vec_t longer;
  wasm_byte_vec_new_uninitialized(&longer, whole.size + 16);
  memset(longer.data, 0, longer.size);
  memcpy(longer.data, whole.data, whole.size);
  CHECK(refused_or_right(store, longer.data, longer.size, &accepted));
  wasm_byte_vec_delete(&longer);

  // What was never serialized: a plain module, garbage, nothing.
  own wasm_byte_vec_t plain = binary_of(text);
  CHECK(refused_or_right(store, plain.data, plain.size, &accepted));
  wasm_byte_vec_delete(&plain);
  CHECK(refused_or_right(store, "garbage", 7, &accepted));
  CHECK(refused_or_right(store, "", 0, &accepted));

  wasm_byte_vec_delete(&whole);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
