// Bytes that are no module: garbage, modules cut off at every length, and modules with every single
// bit turned over. Each is refused with a reason, or is another valid module; nothing crashes.

#include "test_util.h"

// Has every kind of section and a bit of everything in them.
static const char everything[] =
  "(module $everything\n"
  "  (type $binary (func (param i32 i32) (result i32)))\n"
  "  (import \"host\" \"f\" (func $f (param i64) (result f64)))\n"
  "  (import \"host\" \"g\" (global $g i32))\n"
  "  (import \"host\" \"m\" (memory 1 4))\n"
  "  (import \"host\" \"t\" (table $t 3 9 funcref))\n"
  "  (table $e 2 externref)\n"
  "  (global $v (mut i64) (i64.const -5))\n"
  "  (global $r (mut funcref) (ref.func $add))\n"
  "  (export \"add\" (func $add))\n"
  "  (export \"v\" (global $v))\n"
  "  (start $init)\n"
  "  (elem (table $t) (global.get $g) func $add $init)\n"
  "  (elem $passive funcref (ref.func $add) (ref.null func))\n"
  "  (elem declare func $init)\n"
  "  (data (i32.const 8) \"text\")\n"
  "  (data $later \"more\")\n"
  "  (func $add (type $binary) (param $x i32) (param $y i32) (result i32)\n"
  "    (local $z i64) (local f32 f32)\n"
  "    (block $out (result i32)\n"
  "      (br_table $out $out (i32.add (local.get $x) (local.get $y)) (local.get $x))))\n"
  "  (func $init\n"
  "    (drop (call $f (global.get $v)))\n"
  "    (memory.init $later (i32.const 0) (i32.const 0) (i32.const 4))\n"
  "    (data.drop $later)\n"
  "    (table.init $t $passive (i32.const 0) (i32.const 0) (i32.const 1))\n"
  "    (if (i32.eqz (memory.size)) (then unreachable) (else nop))\n"
  "    (drop (call_indirect $t (type $binary) (i32.const 1) (i32.const 2) (i32.const 1)))))\n";

static void test_garbage(wasm_store_t* store) {
  static const struct {
    const char* bytes;
    size_t size;
    const char* says;
  } cases[] = {
    {"", 0, "end"},
    {"garbage, and enough of it", 25, "magic"},
    {"\0asm", 4, "end"},
    {"\0asm\2\0\0\0", 8, "version"},
    {"\0asm\1\0\0\0\x7f\1\0", 11, "section"},
    {"\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f", 14, ""},
    {"\0asm\1\0\0\0\3\2\1\0", 12, "function and code section have inconsistent lengths"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
    // An exact copy on the heap, so that valgrind sees any byte that is read beyond the end.
    own wasm_byte_vec_t bytes;
    wasm_byte_vec_new(&bytes, cases[i].size, cases[i].bytes);
    tenon_last_error_clear();
    CHECK(wasm_module_new(store, &bytes) == NULL);
    CHECK(error_says(cases[i].says));
    CHECK(!wasm_module_validate(store, &bytes));
    wasm_byte_vec_delete(&bytes);
  }
}

static void test_offset_is_named(wasm_store_t* store) {
  // The i64.add of two i32 stands at the end of the only body.
  own wasm_byte_vec_t binary = binary_of(
    "(module (func (drop (i64.add (i32.const 1) (i32.const 2)))))");
  CHECK(wasm_module_new(store, &binary) == NULL);
  CHECK(error_says("i64"));
  CHECK(error_says("i32"));
  wasm_byte_vec_delete(&binary);
}

static void test_truncated(wasm_store_t* store, const wasm_byte_vec_t* whole) {
  int valid = 0;
  for (size_t length = 0; length < whole->size; ++length) {
    own wasm_byte_vec_t part;
    wasm_byte_vec_new(&part, length, whole->data);
    tenon_last_error_clear();
    own wasm_module_t* module = wasm_module_new(store, &part);
    CHECK(wasm_module_validate(store, &part) == (module != NULL));
    if (module != NULL) {
      ++valid;
      wasm_module_delete(module);
    } else {
      CHECK(tenon_last_error() != NULL && tenon_last_error()[0] != 0);
    }
    wasm_byte_vec_delete(&part);
  }
  // Cut off between two sections, a module can be valid; but the header alone and little more.
  CHECK(valid >= 1 && valid < 12);
}

static void test_bit_flips(wasm_store_t* store, const wasm_byte_vec_t* whole) {
  own wasm_byte_vec_t bytes;
  wasm_byte_vec_copy(&bytes, whole);
  int refused = 0, accepted = 0, compiled = 0;
  int compile_each = rounds(8, 32);
  size_t step = (size_t)rounds(1, 7);
  for (size_t bit = 0; bit < bytes.size * 8; bit += step) {
    bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << (bit % 8)));
    tenon_last_error_clear();
    own wasm_module_t* module = wasm_module_new(store, &bytes);
    CHECK(wasm_module_validate(store, &bytes) == (module != NULL));
    if (module == NULL) {
      ++refused;
      CHECK(tenon_last_error() != NULL && tenon_last_error()[0] != 0);
    } else {
      ++accepted;
      // Serializing compiles every function, which an accepted module must survive as well.
      if (accepted % compile_each == 0) {
        own wasm_byte_vec_t serialized;
        wasm_module_serialize(module, &serialized);
        CHECK(serialized.size > 0);
        wasm_byte_vec_delete(&serialized);
        ++compiled;
      }
      own wasm_importtype_vec_t imports;
      own wasm_exporttype_vec_t exports;
      wasm_module_imports(module, &imports);
      wasm_module_exports(module, &exports);
      wasm_importtype_vec_delete(&imports);
      wasm_exporttype_vec_delete(&exports);
      wasm_module_delete(module);
    }
    bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << (bit % 8)));
  }
  wasm_byte_vec_delete(&bytes);
  printf("bits turned over: %d refused, %d accepted, %d of these compiled\n", refused, accepted,
         compiled);
  CHECK(refused > 0 && accepted > 0 && compiled > 0);
}

static void test_text_errors(void) {
  own wasm_byte_vec_t binary;
  const char* text = "(module\n  (func (i32.addd)))";
  own tenon_error_t* error = tenon_wat2wasm(text, strlen(text), &binary);
  REQUIRE(error != NULL);
  CHECK(binary.size == 0);
  CHECK(strstr(tenon_error_message(error), "line 2, column 10") != NULL);
  CHECK(error_says("i32.addd"));
  tenon_error_delete(error);
  wasm_byte_vec_delete(&binary);
}

int main(void) {
  own wasm_engine_t* engine = new_engine();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_byte_vec_t whole = binary_of(everything);
  own wasm_module_t* module = wasm_module_new(store, &whole);
  CHECK(module != NULL);
  if (module != NULL) wasm_module_delete(module);

  test_garbage(store);
  test_offset_is_named(store);
  test_truncated(store, &whole);
  test_bit_flips(store, &whole);
  test_text_errors();

  wasm_byte_vec_delete(&whole);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return check_done();
}
