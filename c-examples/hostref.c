// Things of the host in the hands of the guest.
//
// `wasm_foreign_new` creates an object that means nothing to the engine. The host attaches a pointer
// to it, the host info, with a finalizer that runs once, when neither host nor guest can reach the
// object any more. As an externref the object goes through calls, tables and globals.

#include "example_util.h"

typedef struct {
  const char* title;
  int pages;
  int* forgotten;  // How many books have been finalized.
} book_t;

static void forget_book(void* data) {
  book_t* book = data;
  ++*book->forgotten;
  free(book);
}

static own wasm_foreign_t* new_book(
  wasm_store_t* store, const char* title, int pages, int* forgotten
) {
  book_t* book = malloc(sizeof(*book));
  if (book == NULL) exit(1);
  *book = (book_t){.title = title, .pages = pages, .forgotten = forgotten};
  own wasm_foreign_t* object = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(object, book, forget_book);
  return object;
}

// What the guest passes is a reference again; its host info is the pointer that the host attached.
static own wasm_trap_t* describe(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  wasm_ref_t* ref = args->data[0].of.ref;
  if (ref == NULL) {
    printf("The guest has no favourite\n");
    return NULL;
  }
  const book_t* book = wasm_ref_get_host_info(ref);
  printf("The favourite is \"%s\" with %d pages\n", book->title, book->pages);
  return NULL;
}

static void call(const wasm_func_t* func, wasm_val_vec_t args, wasm_val_vec_t results) {
  fail_if_trapped(wasm_func_call(func, &args, &results));
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "hostref.wasm"));

  own wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_externref());
  own wasm_func_t* describe_func = wasm_func_new(store, type, describe);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(describe_func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  wasm_func_delete(describe_func);

  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* put = find_func(module, &exports, "put");
  const wasm_func_t* take = find_func(module, &exports, "take");
  const wasm_func_t* prefer = find_func(module, &exports, "prefer");
  const wasm_func_t* describe_favourite = find_func(module, &exports, "describe_favourite");
  const wasm_val_vec_t none = WASM_EMPTY_VEC;

  int forgotten = 0;
  own wasm_foreign_t* novel = new_book(store, "A Novel", 320, &forgotten);
  own wasm_foreign_t* atlas = new_book(store, "An Atlas", 96, &forgotten);

  // Into a table of the guest. A value holds the reference without taking it over: the handle
  // `novel` stays the host's.
  wasm_val_t put_values[] = {WASM_I32_VAL(2), WASM_REF_VAL(wasm_foreign_as_ref(novel))};
  call(put, (wasm_val_vec_t)WASM_ARRAY_VEC(put_values), none);

  // And out again: a result is owned, so it is deleted. It is the same object.
  wasm_val_t take_values[] = {WASM_I32_VAL(2)};
  wasm_val_t taken[] = {WASM_INIT_VAL};
  call(take, (wasm_val_vec_t)WASM_ARRAY_VEC(take_values), (wasm_val_vec_t)WASM_ARRAY_VEC(taken));
  printf("Taken what was put: %s\n",
         wasm_ref_same(taken[0].of.ref, wasm_foreign_as_ref(novel)) ? "yes" : "no");
  wasm_val_delete(&taken[0]);

  // Into a global of the guest, and from there into a callback.
  call(describe_favourite, none, none);
  wasm_val_t prefer_values[] = {WASM_REF_VAL(wasm_foreign_as_ref(atlas))};
  call(prefer, (wasm_val_vec_t)WASM_ARRAY_VEC(prefer_values), none);
  call(describe_favourite, none, none);

  // The host lets go of both books. The guest still holds the atlas.
  wasm_foreign_delete(novel);
  wasm_foreign_delete(atlas);
  call(describe_favourite, none, none);

  // Every finalizer runs once: when the object is found to be unreachable, at the latest with the
  // store.
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  printf("Books forgotten: %d\n", forgotten);
  return 0;
}
