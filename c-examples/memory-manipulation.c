// Modules as text, and one instance importing from another by name.
//
// The first module is read as text (the .wat file beside this program), translated with
// `tenon_wat2wasm` and instantiated; its instance is registered under the name "extern". The second
// module, whose text stands below, imports memory and functions from "extern". `wasm.h` takes imports by
// position; the linker of `tenon.h` looks each of them up by its two names.

#include "example_util.h"

// Imports from the registered instance and uses what it got.
static const char user_text[] =
  "(module\n"
  "  (import \"extern\" \"memory\" (memory 1))\n"
  "  (import \"extern\" \"mem_size\" (func $size (result i32)))\n"
  "  (import \"extern\" \"get_at\" (func $get (param i32) (result i32)))\n"
  "  (import \"extern\" \"set_at\" (func $set (param i32 i32)))\n"
  "  (func (export \"size\") (result i32) call $size)\n"
  "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))\n"
  "  (func (export \"write\") (param i32 i32) (call $set (local.get 0) (local.get 1)))\n"
  "  (func (export \"read\") (param i32) (result i32) (call $get (local.get 0))))\n";

// Ends the program if there is an error, saying what it says.
static void check(own tenon_error_t* error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  exit(1);
}

static own wasm_module_t* module_from_text(wasm_store_t* store, const char* text, size_t length) {
  own wasm_byte_vec_t binary;
  // An error's message says at which line and column the text is wrong.
  check(tenon_wat2wasm(text, length, &binary));
  own wasm_module_t* module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (module == NULL) fail("compiling");
  return module;
}

// Instantiates a module; its imports are what the linker has under their names.
static own wasm_instance_t* instantiate(tenon_linker_t* linker, const wasm_module_t* module) {
  own wasm_instance_t* instance = NULL;
  // A missing import is an error that names it.
  check(tenon_linker_instantiate(linker, module, &instance, NULL));
  return instance;
}

static int32_t call(const wasm_func_t* func, wasm_val_vec_t args) {
  wasm_val_t values[] = {WASM_I32_VAL(0)};
  wasm_val_vec_t results = {wasm_func_result_arity(func), values};
  fail_if_trapped(wasm_func_call(func, &args, &results));
  return values[0].of.i32;
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);

  own tenon_linker_t* linker = tenon_linker_new(store);
  if (linker == NULL) fail("making a linker");

  // The first module, from a file of text, registered as "extern".
  own wasm_byte_vec_t text = read_file(example_file(argc, argv, "memory-manipulation.wat"));
  own wasm_module_t* owner = module_from_text(store, text.data, text.size);
  wasm_byte_vec_delete(&text);
  own wasm_instance_t* owner_instance = instantiate(linker, owner);
  check(tenon_linker_define_instance(linker, "extern", strlen("extern"), owner_instance));
  own wasm_extern_vec_t owner_exports;
  wasm_instance_exports(owner_instance, &owner_exports);
  printf("Registered \"extern\" with %zu exports\n", owner_exports.size);

  // The second module, which imports from it.
  own wasm_module_t* user = module_from_text(store, user_text, strlen(user_text));
  own wasm_instance_t* user_instance = instantiate(linker, user);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(user_instance, &exports);
  const wasm_func_t* size = find_func(user, &exports, "size");
  const wasm_func_t* grow = find_func(user, &exports, "grow");
  const wasm_func_t* write = find_func(user, &exports, "write");
  const wasm_func_t* read = find_func(user, &exports, "read");

  // Three views of one memory: the owner's export, the user's functions, the host's pointer.
  wasm_memory_t* memory = find_memory(owner, &owner_exports, "memory");
  wasm_val_vec_t no_args = WASM_EMPTY_VEC;
  printf("Size: %" PRIu32 " page, %" PRId32 " for the importing module\n",
         wasm_memory_size(memory), call(size, no_args));
  printf("Data size: %zu bytes\n", wasm_memory_data_size(memory));

  // The importing module grows what it imported; memory.grow returns the size before.
  wasm_val_t delta[] = {WASM_I32_VAL(2)};
  int32_t before = call(grow, (wasm_val_vec_t)WASM_ARRAY_VEC(delta));
  printf("Grown by 2 from %" PRId32 "\n", before);
  printf("Size: %" PRIu32 " pages, %" PRId32 " for the importing module\n",
         wasm_memory_size(memory), call(size, no_args));

  // Two values: one in the first page, one in the last four bytes of the second.
  const uint32_t addresses[] = {0x2220, 0x20000 - 4};
  const int32_t values[] = {0xFEFEFFE, 0xFEA09};
  for (size_t i = 0; i < 2; ++i) {
    wasm_val_t cell[] = {WASM_I32_VAL((int32_t)addresses[i]), WASM_I32_VAL(values[i])};
    call(write, (wasm_val_vec_t)WASM_ARRAY_VEC(cell));
  }
  for (size_t i = 0; i < 2; ++i) {
    wasm_val_t address[] = {WASM_I32_VAL((int32_t)addresses[i])};
    int32_t guest = call(read, (wasm_val_vec_t)WASM_ARRAY_VEC(address));

    // A guest's numbers are little-endian and need not be aligned: the host copies the bytes.
    int32_t host;
    memcpy(&host, wasm_memory_data(memory) + addresses[i], sizeof(host));
    printf("Value at 0x%" PRIx32 ": %" PRId32 ", host reads %" PRId32 "\n", addresses[i], guest, host);
  }

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(user_instance);
  wasm_module_delete(user);
  wasm_extern_vec_delete(&owner_exports);
  wasm_instance_delete(owner_instance);
  wasm_module_delete(owner);
  tenon_linker_delete(linker);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
