// Programs as their users publish them, as guests. What they import does nothing and gives zeros, but for what a few of them cannot do
// without. What they compute, and what is in their memory at the end, must be the same in all libraries.

#define _GNU_SOURCE
#include "guests.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "world.h"

static bool is_name(const wasm_name_t* name, const char* text) {
  // Some libraries count the zero byte at the end of a name.
  size_t length = name->size > 0 && name->data[name->size - 1] == 0 ? name->size - 1 : name->size;
  return length == strlen(text) && memcmp(name->data, text, length) == 0;
}

// An import that is more than a stub.
typedef struct {
  const char* name;
  wasm_func_callback_with_env_t callback;  // NULL: a global with this value
  int32_t value;
} special_t;

static wasm_extern_t* make_special(wasm_store_t* store, const wasm_externtype_t* type, const special_t* special,
                                   void* env) {
  if (special->callback != NULL) {
    return api.wasm_func_as_extern(api.wasm_func_new_with_env(
      store, api.wasm_externtype_as_functype_const(type), special->callback, env, NULL));
  }
  wasm_val_t value = WASM_I32_VAL(special->value);
  return api.wasm_global_as_extern(
    api.wasm_global_new(store, api.wasm_externtype_as_globaltype_const(type), &value));
}

// Why there is no guest, or NULL. `specials` ends with a NULL name. The memory is the one that the module exports, or imports.
static const char* make_guest(world_t* world, wasm_memory_t** memory, const char* file, const special_t* specials,
                              void* env) {
  static wasm_byte_vec_t binary;
  static char loaded[256];
  if (strcmp(loaded, file) != 0) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", guest_directory, file);
    if (!read_bytes(path, &binary)) return "the module could not be fetched";
    snprintf(loaded, sizeof(loaded), "%s", file);
  }
  world->engine = api.wasm_engine_new();
  world->store = api.wasm_store_new(world->engine);
  world->module = api.wasm_module_new(world->store, &binary);
  if (world->module == NULL) return "the module is refused";
  wasm_importtype_vec_t types;
  api.wasm_module_imports(world->module, &types);
  wasm_extern_t** externs = calloc(types.size + 1, sizeof(*externs));
  *memory = NULL;
  for (size_t i = 0; i < types.size; ++i) {
    const wasm_externtype_t* type = api.wasm_importtype_type(types.data[i]);
    const special_t* special = specials;
    while (special->name != NULL && !is_name(api.wasm_importtype_name(types.data[i]), special->name)) ++special;
    externs[i] = special->name != NULL ? make_special(world->store, type, special, env) : stub(world->store, type);
    if (api.wasm_externtype_kind(type) == WASM_EXTERN_MEMORY) *memory = api.wasm_extern_as_memory(externs[i]);
  }
  wasm_extern_vec_t imports = {types.size, externs};
  wasm_trap_t* trap = NULL;
  world->instance = api.wasm_instance_new(world->store, world->module, &imports, &trap);
  if (world->instance == NULL) {
    static char reason[128];
    wasm_message_t message = WASM_EMPTY_VEC;
    if (trap != NULL) api.wasm_trap_message(trap, &message);
    snprintf(reason, sizeof(reason), "not instantiated: %.*s", (int)message.size, message.data);
    return reason;
  }
  api.wasm_instance_exports(world->instance, &world->exports);
  wasm_extern_t* exported = find(world, "memory");
  if (exported == NULL) exported = find(world, "mem");
  if (exported != NULL) *memory = api.wasm_extern_as_memory(exported);
  return *memory != NULL ? NULL : "the module has no memory";
}

static void delete_guest(world_t* world) {
  api.wasm_extern_vec_delete(&world->exports);
  api.wasm_instance_delete(world->instance);
  api.wasm_module_delete(world->module);
  api.wasm_store_delete(world->store);
  api.wasm_engine_delete(world->engine);
}

// Whether the last call of `call` trapped.
static bool trapped;

// Calls a function with i32 arguments; gives its i32 result, or 0.
static int32_t call(wasm_func_t* func, size_t count, const int32_t* values) {
  if (func == NULL) _exit(3);
  wasm_val_t arg_values[8];
  memset(arg_values, 0, sizeof(arg_values));
  for (size_t i = 0; i < count; ++i) {
    arg_values[i].kind = WASM_I32;
    arg_values[i].of.i32 = values[i];
  }
  wasm_val_vec_t args = {count, arg_values};
  wasm_val_t result_values[] = {WASM_INIT_VAL};
  wasm_val_vec_t results = {api.wasm_func_result_arity(func), result_values};
  wasm_trap_t* trap = api.wasm_func_call(func, &args, &results);
  trapped = trap != NULL;
  if (trap != NULL) api.wasm_trap_delete(trap);
  return trap == NULL && results.size == 1 ? result_values[0].of.i32 : 0;
}

#define CALL_FUNC(func, ...) call(func, sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), (int32_t[]){__VA_ARGS__})
#define CALL(world, name, ...) CALL_FUNC(find_func(world, name), __VA_ARGS__)
#define CALL_WITHOUT(world, name) call(find_func(world, name), 0, NULL)

static uint8_t* at(wasm_memory_t* memory, int32_t address) {
  return (uint8_t*)api.wasm_memory_data(memory) + (uint32_t)address;
}

static int32_t read_i32(wasm_memory_t* memory, int32_t address) {
  int32_t value;
  memcpy(&value, at(memory, address), sizeof(value));
  return value;
}

// FNV-1a over a part of the memory.
static long hash(wasm_memory_t* memory, int32_t start, size_t size) {
  uint64_t value = 0xcbf29ce484222325;
  const uint8_t* bytes = at(memory, start);
  for (size_t i = 0; i < size; ++i) value = (value ^ bytes[i]) * 0x100000001b3;
  return (long)(value >> 1);
}

// --- SQLite ---------------------------------------------------------------------------------------

static int32_t put_text(const world_t* world, wasm_memory_t* memory, const char* text) {
  int32_t address = CALL(world, "malloc", (int32_t)strlen(text) + 1);
  memcpy(at(memory, address), text, strlen(text) + 1);
  return address;
}

sample_t run_sqlite(void) {
  static const special_t specials[] = {{NULL, NULL, 0}};
  static world_t world;
  static wasm_memory_t* memory;
  static int32_t place, database, fill, query;
  if (memory == NULL) {
    const char* failure = make_guest(&world, &memory, "sql.wasm", specials, NULL);
    if (failure != NULL) return refuse("%s", failure);
    CALL_WITHOUT(&world, "emscripten_stack_init");
    int32_t base = CALL_WITHOUT(&world, "emscripten_stack_get_base"), end = CALL_WITHOUT(&world, "emscripten_stack_get_end");
    CALL(&world, "__set_stack_limits", base, end);
    CALL_WITHOUT(&world, "__wasm_call_ctors");
    place = CALL(&world, "malloc", 8);
    int32_t file = put_text(&world, memory, ":memory:");
    if (CALL(&world, "sqlite3_open", file, place) != 0 || trapped) {
      return refuse("the database cannot be opened");
    }
    database = read_i32(memory, place);
    fill = put_text(&world, memory,
                    "DROP TABLE IF EXISTS t; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);"
                    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000)"
                    " INSERT INTO t SELECT x, 'row ' || x * 7919 % 5003, x / 3.0 FROM n;"
                    "CREATE INDEX i ON t(b);");
    query = put_text(&world, memory,
                     "SELECT sum(length(p.b) * q.c) + count(*) FROM t p JOIN t q ON q.a = p.a % 97 + 1 WHERE p.b > 'row 2'");
    if (CALL(&world, "sqlite3_exec", database, fill, 0, 0, 0) != 0) return refuse("SQLite fails");
  }
  double start = now();
  int32_t failed = CALL(&world, "sqlite3_exec", database, fill, 0, 0, 0);
  failed |= CALL(&world, "sqlite3_prepare_v2", database, query, -1, place, 0);
  int32_t statement = read_i32(memory, place);
  bool row = CALL(&world, "sqlite3_step", statement) == 100;
  int32_t text = CALL(&world, "sqlite3_column_text", statement, 0);
  double taken = now() - start;
  if (failed != 0 || trapped || !row) return refuse("SQLite fails");
  long check = hash(memory, text, strlen((const char*)at(memory, text)));
  CALL(&world, "sqlite3_finalize", statement);
  return value(taken, check);
}

// --- resvg ----------------------------------------------------------------------------------------

static const char picture[] =
  "<svg xmlns='http://www.w3.org/2000/svg' width='512' height='512'><defs><linearGradient id='g'>"
  "<stop offset='0' stop-color='#e63'/><stop offset='1' stop-color='#36e'/></linearGradient>"
  "<filter id='f'><feGaussianBlur stdDeviation='6'/></filter></defs>"
  "<rect width='512' height='512' fill='url(#g)'/><g stroke='#fff' stroke-width='3' fill='none'>"
  "<path d='M20 256C120 20 400 20 492 256S120 492 20 256z'/><circle cx='256' cy='256' r='180'/></g>"
  "<circle cx='200' cy='300' r='90' fill='#0a0' fill-opacity='.5' filter='url(#f)'/>"
  "<path d='M100 100L400 130 300 420 90 380z' fill='#fd0' fill-rule='evenodd' transform='rotate(12 256 256)'/></svg>";

typedef struct {
  world_t world;
  wasm_memory_t* memory;
  int32_t text;              // where the picture stands
  int32_t pixels, length;    // what was last given out
} resvg_t;

// (place, object): the text of an object of the host, of which there is but one.
static wasm_trap_t* host_string(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  resvg_t* resvg = env;
  int32_t parts[2] = {resvg->text, (int32_t)strlen(picture)};
  memcpy(at(resvg->memory, args->data[0].of.i32), parts, sizeof(parts));
  return NULL;
}

// (buffer, offset, length): a view of the memory.
static wasm_trap_t* host_view(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  resvg_t* resvg = env;
  resvg->pixels = args->data[1].of.i32;
  resvg->length = args->data[2].of.i32;
  results->data[0] = (wasm_val_t)WASM_I32_VAL(9);
  return NULL;
}

static const char* make_resvg(resvg_t* resvg) {
  static const special_t specials[] = {
    {"__wbindgen_string_get", host_string, 0},
    {"__wbg_newwithbyteoffsetandlength_aa4a17c33a06e5cb", host_view, 0},
    {NULL, NULL, 0},
  };
  return make_guest(&resvg->world, &resvg->memory, "resvg.wasm", specials, resvg);
}

// Renders the picture; whether that went well.
static bool render(resvg_t* resvg) {
  const world_t* world = &resvg->world;
  resvg->length = 0;
  // The guest frees the text.
  resvg->text = CALL(world, "__wbindgen_malloc", (int32_t)strlen(picture), 1);
  memcpy(at(resvg->memory, resvg->text), picture, strlen(picture));
  int32_t place = CALL(world, "__wbindgen_add_to_stack_pointer", -16);
  CALL(world, "resvg_new", place, 8, 0, 0, 0);
  int32_t tree = read_i32(resvg->memory, place);
  bool failed = trapped || read_i32(resvg->memory, place + 8) != 0;
  if (!failed) {
    CALL(world, "resvg_render", place, tree);
    int32_t image = read_i32(resvg->memory, place);
    failed = trapped || read_i32(resvg->memory, place + 8) != 0;
    if (!failed) {
      CALL(world, "renderedimage_pixels", image);
      failed = trapped;
      CALL(world, "__wbg_renderedimage_free", image);
    }
    CALL(world, "__wbg_resvg_free", tree);
  }
  CALL(world, "__wbindgen_add_to_stack_pointer", 16);
  return !failed && resvg->length == 512 * 512 * 4;
}

sample_t run_resvg(void) {
  static resvg_t resvg;
  if (resvg.memory == NULL) {
    const char* failure = make_resvg(&resvg);
    if (failure != NULL) return refuse("%s", failure);
    if (!render(&resvg)) return refuse("resvg fails");
  }
  double start = now();
  if (!render(&resvg)) return refuse("resvg fails");
  return value(now() - start, hash(resvg.memory, resvg.pixels, (size_t)resvg.length));
}

sample_t run_resvg_cold(void) {
  resvg_t resvg = {.length = 0};
  double start = now();
  const char* failure = make_resvg(&resvg);
  if (failure != NULL) return refuse("%s", failure);
  if (!render(&resvg)) return refuse("resvg fails");
  double taken = now() - start;
  long check = hash(resvg.memory, resvg.pixels, (size_t)resvg.length);
  delete_guest(&resvg.world);
  return value(taken, check);
}

// --- tree-sitter ----------------------------------------------------------------------------------

sample_t run_tree_sitter(void) {
  enum { MEGABYTE = 1 << 20 };
  static const special_t specials[] = {
    {"__memory_base", NULL, 1024},
    {"__table_base", NULL, 0},
    {"__stack_pointer", NULL, 8 * MEGABYTE},
    {"__stack_low", NULL, 4 * MEGABYTE},
    {"__stack_high", NULL, 8 * MEGABYTE},
    {"__heap_base", NULL, 8 * MEGABYTE},
    {NULL, NULL, 0},
  };
  static world_t world;
  static wasm_memory_t* memory;
  if (memory == NULL) {
    const char* failure = make_guest(&world, &memory, "tree-sitter.wasm", specials, NULL);
    if (failure != NULL) return refuse("%s", failure);
    CALL_WITHOUT(&world, "__wasm_call_ctors");
    CALL_WITHOUT(&world, "ts_init");
    if (trapped) return refuse("tree-sitter traps");
  }
  static wasm_func_t *allocate, *release, *is_letter, *is_space;
  if (allocate == NULL) {
    allocate = find_func(&world, "malloc");
    release = find_func(&world, "free");
    is_letter = find_func(&world, "iswalnum");
    is_space = find_func(&world, "iswspace");
  }
  double start = now();
  long check = 0;
  int32_t blocks[64] = {0};
  for (int32_t i = 0; i < 50000; ++i) {
    int32_t* block = &blocks[i % 64];
    if (*block != 0) CALL_FUNC(release, *block);
    *block = CALL_FUNC(allocate, 16 + i * 37 % 4000);
    check = check * 31 + CALL_FUNC(is_letter, i % 0x3000);
    check = check * 31 + CALL_FUNC(is_space, i % 0x3000);
  }
  for (int i = 0; i < 64; ++i) CALL_FUNC(release, blocks[i]);
  CALL_WITHOUT(&world, "ts_parser_new_wasm");
  double taken = now() - start;
  return trapped ? refuse("tree-sitter traps") : value(taken, check);
}

// --- esbuild --------------------------------------------------------------------------------------

sample_t run_esbuild(void) {
  static const special_t specials[] = {{NULL, NULL, 0}};
  world_t world = {0};
  wasm_memory_t* memory;
  double start = now();
  const char* failure = make_guest(&world, &memory, "esbuild.wasm", specials, NULL);
  if (failure != NULL) return refuse("%s", failure);
  // One argument, its name, and no environment.
  int32_t name = 4096, arguments = 4104;
  memcpy(at(memory, name), "js", 3);
  memcpy(at(memory, arguments), &name, sizeof(name));
  CALL(&world, "run", 1, arguments);
  double taken = now() - start;
  long check = hash(memory, 0, 1 << 20) * 2 + trapped;
  delete_guest(&world);
  return value(taken, check);
}
