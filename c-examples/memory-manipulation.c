// Modules as text, and one instance importing from another by name.
//
// The first module is read as text (the .wat file beside this program), translated with
// `tenon_wat2wasm` and instantiated; its instance is registered under the name "extern". The second
// module, whose text stands below, imports memory and functions from "extern". Names mean nothing to
// the engine: the host looks each import up and hands over the object. That is all that a linker does.

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

// An instance under a name: the module knows the names of the exports, the vector holds the objects.
typedef struct {
  const char* name;
  wasm_module_t* module;
  wasm_extern_vec_t exports;
} registered_t;

static own wasm_module_t* module_from_text(wasm_store_t* store, const char* text, size_t length) {
  own wasm_byte_vec_t binary;
  own tenon_error_t* error = tenon_wat2wasm(text, length, &binary);
  if (error != NULL) {
    // The message says at which line and column the text is wrong.
    fprintf(stderr, "%s\n", tenon_error_message(error));
    tenon_error_delete(error);
    exit(1);
  }
  own wasm_module_t* module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (module == NULL) fail("compiling");
  return module;
}

static bool name_is(const wasm_name_t* name, const char* wanted) {
  return name->size == strlen(wanted) && memcmp(name->data, wanted, name->size) == 0;
}

// Instantiates a module; its imports must all come from the one registered instance.
static own wasm_instance_t* instantiate(
  wasm_store_t* store, const wasm_module_t* module, const registered_t* from
) {
  own wasm_importtype_vec_t wanted;
  wasm_module_imports(module, &wanted);

  // The externs are borrowed from the registered instance, hence a plain array and no `own` vector.
  wasm_extern_t* found[8];
  size_t count = wanted.size;
  if (count > sizeof(found) / sizeof(found[0])) fail("importing that much");
  for (size_t i = 0; i < count; ++i) {
    const wasm_name_t* field = wasm_importtype_name(wanted.data[i]);
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)field->size, field->data);
    if (from == NULL || !name_is(wasm_importtype_module(wanted.data[i]), from->name)) {
      fprintf(stderr, "nothing is registered for the import \"%s\"\n", name);
      exit(1);
    }
    found[i] = find_export(from->module, &from->exports, name);
  }
  wasm_importtype_vec_delete(&wanted);

  wasm_extern_vec_t imports = {count, found};
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
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

  // The first module, from a file of text, registered as "extern".
  own wasm_byte_vec_t text = read_file(example_file(argc, argv, "memory-manipulation.wat"));
  registered_t owner = {.name = "extern"};
  owner.module = module_from_text(store, text.data, text.size);
  wasm_byte_vec_delete(&text);
  own wasm_instance_t* owner_instance = instantiate(store, owner.module, NULL);
  wasm_instance_exports(owner_instance, &owner.exports);
  printf("Registered \"%s\" with %zu exports\n", owner.name, owner.exports.size);

  // The second module, which imports from it.
  own wasm_module_t* user = module_from_text(store, user_text, strlen(user_text));
  own wasm_instance_t* user_instance = instantiate(store, user, &owner);
  own wasm_extern_vec_t exports;
  wasm_instance_exports(user_instance, &exports);
  const wasm_func_t* size = find_func(user, &exports, "size");
  const wasm_func_t* grow = find_func(user, &exports, "grow");
  const wasm_func_t* write = find_func(user, &exports, "write");
  const wasm_func_t* read = find_func(user, &exports, "read");

  // Three views of one memory: the owner's export, the user's functions, the host's pointer.
  wasm_memory_t* memory = find_memory(owner.module, &owner.exports, "memory");
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
  wasm_extern_vec_delete(&owner.exports);
  wasm_instance_delete(owner_instance);
  wasm_module_delete(owner.module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
