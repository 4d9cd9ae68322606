// Random operations on a memory, beside an array that says what it must hold.
#ifndef MEMORY_MODEL_H
#define MEMORY_MODEL_H

#include "test_util.h"

enum { PAGE = 65536 };

static inline own wasm_memory_t* make_memory(wasm_store_t* store, uint64_t min, uint64_t max, bool is64, uint8_t page) {
  own wasm_memorytype_t* type = NULL;
  REQUIRE(tenon_memorytype_new(min, true, max, is64, false, page, &type) == NULL);
  own wasm_memory_t* memory = NULL;
  REQUIRE(tenon_memory_new(store, type, &memory) == NULL);
  wasm_memorytype_delete(type);
  return memory;
}

// Does them in a memory of the store with pages of this size.
static inline void model(wasm_store_t* store, uint8_t page, bool is64) {
  enum { MOST = 5 * PAGE };
  static uint8_t expected[MOST];
  static uint8_t found[MOST];
  memset(expected, 0, MOST);
  uint64_t unit = 1ull << page, most = MOST / unit;
  own wasm_memory_t* memory = make_memory(store, PAGE / unit, most, is64, page);
  uint64_t size = PAGE, seed = 1 + page;
  for (int round = 0; round < rounds(20000, 300); ++round) {
    uint64_t numbers[4];
    for (int i = 0; i < 4; ++i) numbers[i] = (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 20;
    uint64_t offset = numbers[0] % (size + 2), length = numbers[1] % (numbers[2] % 9 == 0 ? size : 300);
    uint64_t from = numbers[3] % (size + 2);
    bool fits = offset + length <= size;
    own tenon_error_t* error = NULL;
    switch (numbers[2] % 7) {
      case 0:
        error = tenon_memory_fill(memory, offset, (uint8_t)round, length);
        if (fits) memset(expected + offset, (uint8_t)round, length);
        break;
      case 1:
        fits = fits && from + length <= size;
        error = tenon_memory_copy(memory, offset, memory, from, length);
        if (fits) memmove(expected + offset, expected + from, length);
        break;
      case 2:
        fits = offset + 8 <= size;
        error = tenon_memory_store_i64(memory, offset, (int64_t)numbers[3]);
        for (int i = 0; fits && i < 8; ++i) expected[offset + i] = (uint8_t)(numbers[3] >> 8 * i);
        break;
      case 3:
        error = tenon_memory_discard(memory, offset, length);
        if (fits) memset(expected + offset, 0, length);
        break;
      case 4:
        if (numbers[3] % 50 == 0) {
          uint64_t delta = page == 0 ? numbers[1] % 5000 : 1;
          fits = size / unit + delta <= most;
          error = tenon_memory_grow(memory, delta, NULL);
          if (fits) size += delta * unit;
        } else {
          fits = true;
        }
        break;
      case 5:
        error = tenon_memory_read(memory, offset, found, length);
        if (fits) CHECK(memcmp(found, expected + offset, length) == 0);
        break;
      default:
        fits = from + length <= size;
        error = tenon_memory_write(memory, from, expected + MOST - length, length);
        if (fits) memmove(expected + from, expected + MOST - length, length);
    }
    CHECK((error == NULL) == fits);
    tenon_error_delete(error);
    if (round % 100 == 0) {
      CHECK(wasm_memory_data_size(memory) == size && memcmp(wasm_memory_data(memory), expected, size) == 0);
    }
  }
  CHECK(wasm_memory_data_size(memory) == size && memcmp(wasm_memory_data(memory), expected, size) == 0);
  wasm_memory_delete(memory);
}

#endif
