/* What the types and vectors of wasm.h do, checked from C. Compiled against our header and against the published
 * one; prints how many checks held. */
#include <stdio.h>
#include <wasm.h>

static int checks = 0, failures = 0;
#define CHECK(what) \
  do { \
    checks++; \
    if (!(what)) failures++, printf("line %d: %s\n", __LINE__, #what); \
  } while (0)

static bool name_is(const wasm_name_t *name, const char *text) {
  return name && name->size == strlen(text) && memcmp(name->data, text, name->size) == 0;
}

static void bytes(void) {
  wasm_byte_vec_t a, b;
  wasm_byte_vec_new_uninitialized(&a, SIZE_MAX);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_new_uninitialized(&a, SIZE_MAX / 2);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_new_uninitialized(&a, 0);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_new(&a, 3, "abc");
  wasm_byte_vec_copy(&b, &a);
  CHECK(a.data != b.data && name_is(&b, "abc"));
  a.data[0] = 'x';
  CHECK(name_is(&b, "abc"));
  wasm_byte_vec_delete(&a);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_delete(&a);
  b.size = 1; /* a program may shorten what it reads */
  wasm_byte_vec_delete(&b);
  wasm_byte_vec_new(&a, 5, NULL);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_copy(&a, NULL);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_byte_vec_new_empty(NULL);
  wasm_byte_vec_new_uninitialized(NULL, 7);
  wasm_byte_vec_new(NULL, 3, "abc");
  wasm_byte_vec_copy(NULL, &a);
  wasm_byte_vec_delete(NULL);
}

static void valtypes(void) {
  static const wasm_valkind_t kinds[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, 4, WASM_EXTERNREF, WASM_FUNCREF};
  wasm_valtype_vec_t a, b;
  unsigned kind;
  size_t i, known = 0;
  for (kind = 0; kind < 256; kind++) {
    wasm_valtype_t *ty = wasm_valtype_new((wasm_valkind_t)kind), *copy = wasm_valtype_copy(ty);
    if (ty) {
      known++;
      CHECK(wasm_valtype_kind(ty) == kind && copy && copy != ty && wasm_valtype_kind(copy) == kind);
      CHECK(wasm_valtype_is_ref(ty) == (kind >= 128) && wasm_valtype_is_num(ty) == (kind < 128));
    } else {
      CHECK(copy == NULL);
    }
    wasm_valtype_delete(ty);
    wasm_valtype_delete(copy);
  }
  CHECK(known == sizeof kinds / sizeof *kinds);
  wasm_valtype_vec_new_uninitialized(&a, SIZE_MAX / 8);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_valtype_vec_new_uninitialized(&a, SIZE_MAX);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_valtype_vec_new_uninitialized(&a, 8);
  CHECK(a.size == 8 && a.data[0] == NULL && a.data[7] == NULL);
  for (i = 0; i < sizeof kinds / sizeof *kinds; i++) a.data[i] = wasm_valtype_new(kinds[i]);
  wasm_valtype_vec_copy(&b, &a);
  CHECK(b.size == 8 && b.data[7] == NULL);
  for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
    CHECK(b.data[i] != a.data[i] && wasm_valtype_kind(b.data[i]) == kinds[i]);
  wasm_valtype_vec_delete(&a);
  CHECK(a.size == 0 && a.data == NULL);
  wasm_valtype_vec_delete(&a);
  wasm_valtype_vec_delete(&b);
}

static void functypes(void) {
  wasm_valtype_t *types[] = {wasm_valtype_new_i32(), wasm_valtype_new_funcref()};
  wasm_valtype_vec_t params, results, hole;
  wasm_functype_t *ty, *copy;
  wasm_valtype_vec_new(&params, 2, types);
  wasm_valtype_vec_new_empty(&results);
  ty = wasm_functype_new(&params, &results);
  CHECK(ty && wasm_functype_params(ty)->size == 2 && wasm_functype_results(ty)->size == 0);
  CHECK(wasm_functype_params(ty)->data[0] == types[0] && wasm_functype_params(ty)->data[1] == types[1]);
  copy = wasm_functype_copy(ty);
  wasm_functype_delete(ty);
  CHECK(copy && wasm_valtype_kind(wasm_functype_params(copy)->data[1]) == WASM_FUNCREF);
  wasm_functype_delete(copy);
  wasm_valtype_vec_new_uninitialized(&hole, 1);
  wasm_valtype_vec_new_empty(&results);
  CHECK(wasm_functype_new(&hole, &results) == NULL);
  ty = wasm_functype_new(NULL, NULL);
  CHECK(ty && wasm_functype_params(ty)->size == 0 && wasm_functype_results(ty)->size == 0);
  wasm_functype_delete(ty);
  CHECK(wasm_functype_params(NULL) == NULL && wasm_functype_results(NULL) == NULL && wasm_functype_copy(NULL) == NULL);
}

static void others(void) {
  wasm_limits_t limits = {5, 3}, open = {1, 0};
  wasm_globaltype_t *global = wasm_globaltype_new(wasm_valtype_new_f64(), WASM_VAR), *global_copy;
  wasm_tabletype_t *table = wasm_tabletype_new(wasm_valtype_new_externref(), &limits), *table_copy;
  wasm_memorytype_t *memory, *memory_copy;
  wasm_tagtype_t *tag = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i64())), *tag_copy;
  open.max = wasm_limits_max_default;
  memory = wasm_memorytype_new(&open);
  global_copy = wasm_globaltype_copy(global);
  table_copy = wasm_tabletype_copy(table);
  memory_copy = wasm_memorytype_copy(memory);
  tag_copy = wasm_tagtype_copy(tag);
  CHECK(wasm_valtype_kind(wasm_globaltype_content(global_copy)) == WASM_F64);
  CHECK(wasm_globaltype_mutability(global_copy) == WASM_VAR);
  CHECK(wasm_valtype_kind(wasm_tabletype_element(table_copy)) == WASM_EXTERNREF);
  CHECK(wasm_tabletype_limits(table_copy)->min == 5 && wasm_tabletype_limits(table_copy)->max == 3);
  CHECK(wasm_memorytype_limits(memory_copy)->min == 1);
  CHECK(wasm_memorytype_limits(memory_copy)->max == wasm_limits_max_default);
  CHECK(wasm_functype_params(wasm_tagtype_functype(tag_copy))->size == 1);
  wasm_globaltype_delete(global);
  wasm_globaltype_delete(global_copy);
  wasm_tabletype_delete(table);
  wasm_tabletype_delete(table_copy);
  wasm_memorytype_delete(memory);
  wasm_memorytype_delete(memory_copy);
  wasm_tagtype_delete(tag);
  wasm_tagtype_delete(tag_copy);
  CHECK(wasm_globaltype_new(NULL, WASM_CONST) == NULL && wasm_globaltype_new(wasm_valtype_new_i32(), 2) == NULL);
  CHECK(wasm_tabletype_new(NULL, &limits) == NULL && wasm_tabletype_new(wasm_valtype_new_funcref(), NULL) == NULL);
  CHECK(wasm_tabletype_new(wasm_valtype_new_i32(), &limits) == NULL);
  CHECK(wasm_memorytype_new(NULL) == NULL && wasm_tagtype_new(NULL) == NULL);
  CHECK(wasm_globaltype_content(NULL) == NULL && wasm_tabletype_element(NULL) == NULL);
  CHECK(wasm_tabletype_limits(NULL) == NULL && wasm_memorytype_limits(NULL) == NULL);
  CHECK(wasm_tagtype_functype(NULL) == NULL && wasm_globaltype_mutability(NULL) == WASM_CONST);
}

static void externtypes(void) {
  wasm_limits_t limits = {1, 2};
  wasm_externtype_vec_t all, copy;
  size_t i;
  wasm_externtype_vec_new_uninitialized(&all, 5);
  all.data[WASM_EXTERN_FUNC] = wasm_functype_as_externtype(wasm_functype_new_0_0());
  all.data[WASM_EXTERN_GLOBAL] = wasm_globaltype_as_externtype(wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST));
  all.data[WASM_EXTERN_TABLE] = wasm_tabletype_as_externtype(wasm_tabletype_new(wasm_valtype_new_funcref(), &limits));
  all.data[WASM_EXTERN_MEMORY] = wasm_memorytype_as_externtype(wasm_memorytype_new(&limits));
  all.data[WASM_EXTERN_TAG] = wasm_tagtype_as_externtype(wasm_tagtype_new(wasm_functype_new_0_0()));
  wasm_externtype_vec_copy(&copy, &all);
  for (i = 0; i < 5; i++) {
    wasm_externtype_t *ty = copy.data[i];
    CHECK(ty != all.data[i] && wasm_externtype_kind(ty) == i);
    CHECK((wasm_externtype_as_functype(ty) != NULL) == (i == WASM_EXTERN_FUNC));
    CHECK((wasm_externtype_as_globaltype(ty) != NULL) == (i == WASM_EXTERN_GLOBAL));
    CHECK((wasm_externtype_as_tabletype(ty) != NULL) == (i == WASM_EXTERN_TABLE));
    CHECK((wasm_externtype_as_memorytype(ty) != NULL) == (i == WASM_EXTERN_MEMORY));
    CHECK((wasm_externtype_as_tagtype(ty) != NULL) == (i == WASM_EXTERN_TAG));
    CHECK((wasm_externtype_as_functype_const(ty) != NULL) == (i == WASM_EXTERN_FUNC));
    CHECK((wasm_externtype_as_globaltype_const(ty) != NULL) == (i == WASM_EXTERN_GLOBAL));
    CHECK((wasm_externtype_as_tabletype_const(ty) != NULL) == (i == WASM_EXTERN_TABLE));
    CHECK((wasm_externtype_as_memorytype_const(ty) != NULL) == (i == WASM_EXTERN_MEMORY));
    CHECK((wasm_externtype_as_tagtype_const(ty) != NULL) == (i == WASM_EXTERN_TAG));
  }
  CHECK(wasm_functype_as_externtype_const(wasm_externtype_as_functype_const(copy.data[0])) == copy.data[0]);
  CHECK(wasm_globaltype_as_externtype_const(wasm_externtype_as_globaltype_const(copy.data[1])) == copy.data[1]);
  CHECK(wasm_tabletype_as_externtype_const(wasm_externtype_as_tabletype_const(copy.data[2])) == copy.data[2]);
  CHECK(wasm_memorytype_as_externtype_const(wasm_externtype_as_memorytype_const(copy.data[3])) == copy.data[3]);
  CHECK(wasm_tagtype_as_externtype_const(wasm_externtype_as_tagtype_const(copy.data[4])) == copy.data[4]);
  CHECK(wasm_functype_as_externtype(NULL) == NULL && wasm_externtype_as_functype(NULL) == NULL);
  CHECK(wasm_externtype_kind(NULL) == WASM_EXTERN_FUNC && wasm_externtype_copy(NULL) == NULL);
  wasm_externtype_vec_delete(&all);
  wasm_externtype_vec_delete(&copy);
}

static void imports_and_exports(void) {
  wasm_name_t module, name;
  wasm_importtype_t *import, *import_copy;
  wasm_exporttype_t *export_, *export_copy;
  wasm_name_new_from_string(&module, "env");
  wasm_name_new_from_string(&name, "f");
  import = wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  CHECK(module.data == NULL && name.data == NULL);
  import_copy = wasm_importtype_copy(import);
  wasm_importtype_delete(import);
  CHECK(name_is(wasm_importtype_module(import_copy), "env") && name_is(wasm_importtype_name(import_copy), "f"));
  CHECK(wasm_externtype_kind(wasm_importtype_type(import_copy)) == WASM_EXTERN_FUNC);
  wasm_importtype_delete(import_copy);
  wasm_name_new_from_string(&name, "g");
  export_ = wasm_exporttype_new(&name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  export_copy = wasm_exporttype_copy(export_);
  wasm_exporttype_delete(export_);
  CHECK(name_is(wasm_exporttype_name(export_copy), "g"));
  CHECK(wasm_externtype_as_functype_const(wasm_exporttype_type(export_copy)) != NULL);
  wasm_exporttype_delete(export_copy);
  wasm_name_new_from_string(&module, "env");
  wasm_name_new_from_string(&name, "f");
  CHECK(wasm_importtype_new(&module, &name, NULL) == NULL && module.data == NULL && name.data == NULL);
  CHECK(wasm_exporttype_new(NULL, NULL) == NULL && wasm_importtype_module(NULL) == NULL);
  CHECK(wasm_importtype_name(NULL) == NULL && wasm_importtype_type(NULL) == NULL);
  CHECK(wasm_exporttype_name(NULL) == NULL && wasm_exporttype_type(NULL) == NULL);
}

static void deletes(void) {
  wasm_valtype_delete(NULL);
  wasm_functype_delete(NULL);
  wasm_globaltype_delete(NULL);
  wasm_tabletype_delete(NULL);
  wasm_memorytype_delete(NULL);
  wasm_tagtype_delete(NULL);
  wasm_externtype_delete(NULL);
  wasm_importtype_delete(NULL);
  wasm_exporttype_delete(NULL);
  wasm_valtype_vec_delete(NULL);
  wasm_importtype_vec_delete(NULL);
}

int main(void) {
  bytes();
  valtypes();
  functypes();
  others();
  externtypes();
  imports_and_exports();
  deletes();
  printf("%d checks, %d failures\n", checks, failures);
  return failures != 0;
}
