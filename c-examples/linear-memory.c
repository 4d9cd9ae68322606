// Linear memory in three parts: text, numbers, growth.
//
// 1. A data segment puts a text into the guest's memory. The host reads it as bytes and as UTF-8.
// 2. The host creates a memory and gives it to a second module as the import "js" "mem". It writes
//    numbers into it; the guest adds them up.
// 3. The guest grows that memory. A pointer that the host took before the growth must not be used any
//    more, so the host keeps an offset and makes a pointer of it each time that it needs one.

#include "example_util.h"

// A position in a memory, as a number of 32-bit values from its start. Unlike a pointer it outlives
// growth. Each access checks the bounds and asks for the address anew.
static char* u32_at(wasm_memory_t* memory, size_t index) {
  if (index >= wasm_memory_data_size(memory) / sizeof(uint32_t)) {
    fprintf(stderr, "u32 number %zu is outside the memory\n", index);
    exit(1);
  }
  return wasm_memory_data(memory) + index * sizeof(uint32_t);
}

// memcpy, because nothing promises the host that a guest's number is aligned. WebAssembly is
// little-endian, as every machine that this engine runs on.
static uint32_t read_u32(wasm_memory_t* memory, size_t index) {
  uint32_t value;
  memcpy(&value, u32_at(memory, index), sizeof(value));
  return value;
}

static void write_u32(wasm_memory_t* memory, size_t index, uint32_t value) {
  memcpy(u32_at(memory, index), &value, sizeof(value));
}

// Characters of a UTF-8 text: each byte counts that does not continue a character.
static size_t count_characters(const char* text, size_t bytes) {
  size_t characters = 0;
  for (size_t i = 0; i < bytes; ++i) {
    if (((unsigned char)text[i] & 0xC0) != 0x80) ++characters;
  }
  return characters;
}

static int32_t call_with_i32(const wasm_func_t* func, int32_t arg) {
  wasm_val_t arg_values[] = {WASM_I32_VAL(arg)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg_values);
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(result_values);
  fail_if_trapped(wasm_func_call(func, &args, &results));
  return result_values[0].of.i32;
}

// Part 1: a text that the module brings along.
static void show_text(wasm_store_t* store, const char* path) {
  own wasm_module_t* module = load_module(store, path);
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_memory_t* memory = find_memory(module, &exports, "memory");

  wasm_val_vec_t no_args = WASM_EMPTY_VEC;
  wasm_val_t values[] = {WASM_INIT_VAL, WASM_INIT_VAL};
  wasm_val_vec_t results = WASM_ARRAY_VEC(values);
  fail_if_trapped(wasm_func_call(find_func(module, &exports, "text"), &no_args, &results));
  size_t offset = (uint32_t)values[0].of.i32;
  size_t length = (uint32_t)values[1].of.i32;
  size_t size = wasm_memory_data_size(memory);
  if (offset > size || length > size - offset) {
    fprintf(stderr, "the text is outside the memory\n");
    exit(1);
  }

  const char* text = wasm_memory_data(memory) + offset;
  printf("Bytes:");
  for (size_t i = 0; i < length; ++i) printf(" %02x", (unsigned)(unsigned char)text[i]);
  printf("\n");
  printf("%zu bytes, %zu characters: %.*s\n", length, count_characters(text, length), (int)length,
         text);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
}

// Parts 2 and 3: a memory that the host creates.
static void share_numbers(wasm_store_t* store, const char* path) {
  // One page now, ten at most.
  wasm_limits_t limits = {1, 10};
  own wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  own wasm_memory_t* memory = wasm_memory_new(store, type);
  wasm_memorytype_delete(type);
  if (memory == NULL) fail("creating the memory");

  // The module has a single import: "js" "mem".
  own wasm_module_t* module = load_module(store, path);
  wasm_extern_t* externs[] = {wasm_memory_as_extern(memory)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* sum = find_func(module, &exports, "sum");
  const wasm_func_t* grow = find_func(module, &exports, "grow");

  write_u32(memory, 0, 7);
  write_u32(memory, 1, 4);
  printf("%" PRIu32 " + %" PRIu32 " = %" PRId32 "\n", read_u32(memory, 0), read_u32(memory, 1),
         call_with_i32(sum, 2));

  // What wasm_memory_data returned before the growth, and the size that belonged to it, are stale
  // afterwards, whoever caused the growth. Offsets stay valid.
  int32_t before = call_with_i32(grow, 2);
  printf("Grown from %" PRId32 " to %" PRIu32 " pages\n", before, wasm_memory_size(memory));
  printf("After growth: %" PRIu32 " and %" PRIu32 "\n", read_u32(memory, 0), read_u32(memory, 1));

  // The first number of the new pages: zero until somebody writes it.
  size_t first_new = (size_t)before * MEMORY_PAGE_SIZE / sizeof(uint32_t);
  printf("New number at 0x%zx: %" PRIu32, first_new * sizeof(uint32_t),
         read_u32(memory, first_new));
  write_u32(memory, first_new, 5);
  printf(", then %" PRIu32 "\n", read_u32(memory, first_new));

  // Beyond the maximum there is no growth: the guest gets -1, the host false, and nothing changes.
  printf("Growing beyond the maximum: guest %" PRId32 ", host %s, still %" PRIu32 " pages\n",
         call_with_i32(grow, 8), wasm_memory_grow(memory, 8) ? "true" : "false",
         wasm_memory_size(memory));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_memory_delete(memory);
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);

  show_text(store, argc > 2 ? argv[1] : "linear-memory.wasm");
  share_numbers(store, argc > 2 ? argv[2] : "linear-memory-sum.wasm");

  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
