// Objects of WebAssembly's garbage collector, made, read and written by the host.
//
// The types of structures and arrays come from the module: a function's type mentions a reference type, that points to
// a structure type, and that has fields. An object that the host has is a wasm_ref_t like any other; it lives as long
// as the host, or WebAssembly, holds a reference to it.

#include "example_util.h"

static void check(own tenon_error_t* error, const char* what) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", tenon_error_message(error));
  tenon_error_delete(error);
  fail(what);
}

static tenon_val_t i32_val(int32_t value) {
  return (tenon_val_t){.kind = WASM_I32, .of = {.i32 = value}};
}

static tenon_val_t ref_val(wasm_ref_t* ref) {
  return (tenon_val_t){.kind = TENON_ANYREF, .of = {.ref = ref}};
}

// The defined type that a field of a structure refers to.
static own tenon_deftype_t* type_of_field(const tenon_deftype_t* type, size_t index) {
  tenon_field_t field;
  if (!tenon_deftype_field(type, index, &field)) fail("reading a field's type");
  own tenon_deftype_t* found = tenon_valtype_deftype(field.type);
  wasm_valtype_delete(field.type);
  return found;
}

// An array of bytes that holds a text.
static own wasm_ref_t* new_name(wasm_store_t* store, const tenon_deftype_t* type, const char* text) {
  own wasm_ref_t* name = NULL;
  check(tenon_array_new(store, type, NULL, (uint32_t)strlen(text), &name), "making an array");
  for (uint32_t i = 0; i < tenon_array_len(name); ++i) {
    tenon_val_t letter = i32_val(text[i]);
    check(tenon_array_set(name, i, &letter), "writing an element");
  }
  return name;
}

static void print_name(const wasm_ref_t* name) {
  for (uint32_t i = 0; i < tenon_array_len(name); ++i) {
    tenon_val_t letter;
    check(tenon_array_get(name, i, &letter), "reading an element");
    putchar(letter.of.i32);
  }
}

static void call(const wasm_func_t* func, tenon_val_t* arg, tenon_val_t* result) {
  fail_if_trapped(tenon_func_call_val(func, arg, arg != NULL ? 1 : 0, result, result != NULL ? 1 : 0));
}

int main(int argc, char* argv[]) {
  own wasm_engine_t* engine = wasm_engine_new();
  own wasm_store_t* store = wasm_store_new(engine);
  own wasm_module_t* module = load_module(store, example_file(argc, argv, "gc-objects.wasm"));
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  own wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  if (instance == NULL) fail("instantiating");
  own wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  const wasm_func_t* add = wasm_extern_as_func(find_export(module, &exports, "add"));
  const wasm_func_t* bill = wasm_extern_as_func(find_export(module, &exports, "bill"));
  const wasm_func_t* clear = wasm_extern_as_func(find_export(module, &exports, "clear"));

  // The types: what `add` takes, and what its first field refers to.
  own wasm_functype_t* add_type = wasm_func_type(add);
  own tenon_deftype_t* item_type = tenon_valtype_deftype(wasm_functype_params(add_type)->data[0]);
  wasm_functype_delete(add_type);
  own tenon_deftype_t* name_type = type_of_field(item_type, 0);
  printf("an item has %zu fields\n", tenon_deftype_field_count(item_type));

  static const struct {
    const char* name;
    int32_t price, count;
  } goods[] = {{"apple", 2, 30}, {"lamp", 49, 2}, {"book", 12, 5}};
  for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); ++i) {
    own wasm_ref_t* name = new_name(store, name_type, goods[i].name);
    tenon_val_t fields[] = {
      ref_val(name), i32_val(goods[i].price), i32_val(goods[i].count), ref_val(NULL)};
    own wasm_ref_t* item = NULL;
    check(tenon_struct_new(store, item_type, fields, 4, &item), "making a structure");
    call(add, &(tenon_val_t){.kind = TENON_ANYREF, .of = {.ref = item}}, NULL);
    // WebAssembly holds them now.
    wasm_ref_delete(item);
    wasm_ref_delete(name);
  }

  own tenon_val_t result, total, count, dearest, name;
  call(bill, NULL, &result);
  check(tenon_struct_get(result.of.ref, 0, &total), "reading the total");
  check(tenon_struct_get(result.of.ref, 1, &count), "reading the count");
  check(tenon_struct_get(result.of.ref, 2, &dearest), "reading the dearest item");
  check(tenon_struct_get(dearest.of.ref, 0, &name), "reading a name");
  printf("%d items cost %" PRId64 "; the dearest is the ", count.of.i32, total.of.i64);
  print_name(name.of.ref);
  printf("\n");

  // The host changes an object that WebAssembly uses.
  tenon_val_t more = i32_val(10);
  check(tenon_struct_set(dearest.of.ref, 2, &more), "writing a field");
  tenon_val_delete(&result);
  call(bill, NULL, &result);
  check(tenon_struct_get(result.of.ref, 0, &total), "reading the total");
  printf("with 10 of them: %" PRId64 "\n", total.of.i64);

  // Tests and casts, as WebAssembly has them.
  own wasm_valtype_t* array = tenon_valtype_new_ref(false, TENON_HEAP_ARRAY);
  printf("the name is an array: %s; the bill is one: %s\n",
    tenon_ref_test(name.of.ref, array) ? "yes" : "no",
    tenon_ref_test(result.of.ref, array) ? "yes" : "no");
  wasm_valtype_delete(array);
  own tenon_error_t* error = tenon_struct_set(dearest.of.ref, 1, &more);
  printf("%s\n", tenon_error_message(error));
  tenon_error_delete(error);

  tenon_val_delete(&name);
  tenon_val_delete(&dearest);
  tenon_val_delete(&result);
  call(clear, NULL, NULL);
  tenon_store_gc(store);
  tenon_gc_statistics_t figures;
  tenon_store_gc_statistics(store, &figures);
  printf("%" PRIu64 " bytes of objects are left\n", figures.used);

  tenon_deftype_delete(name_type);
  tenon_deftype_delete(item_type);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
