/* What a module imports and exports, told before it is instantiated.
 *
 * run: reflect
 * expect: import host.callback: func i32 funcref -> f64
 * expect: import host.limit: global i64
 * expect: export run: func i32 externref -> f32 i64
 * expect: export flag: global mut f64
 * expect: export table: table funcref 1..5
 * expect: export memory: memory 2..
 * expect: export failed: tag func i32 ->
 * expect: the exports of the instance have the same types */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"callback\" (func (param i32 funcref) (result f64)))"
    "  (import \"host\" \"limit\" (global i64))"
    "  (func (export \"run\") (param i32 externref) (result f32 i64)"
    "    (f32.const 1) (i64.const 2))"
    "  (global (export \"flag\") (mut f64) (f64.const 0))"
    "  (table (export \"table\") 1 5 funcref)"
    "  (memory (export \"memory\") 2)"
    "  (tag (export \"failed\") (param i32)))";

static void print_valtype(const wasm_valtype_t* type) {
  switch (wasm_valtype_kind(type)) {
    case WASM_I32: printf(" i32"); break;
    case WASM_I64: printf(" i64"); break;
    case WASM_F32: printf(" f32"); break;
    case WASM_F64: printf(" f64"); break;
    case WASM_EXTERNREF: printf(" externref"); break;
    case WASM_FUNCREF: printf(" funcref"); break;
    default: printf(" ?"); break;
  }
}

static void print_func(const wasm_functype_t* type) {
  const wasm_valtype_vec_t* params = wasm_functype_params(type);
  const wasm_valtype_vec_t* results = wasm_functype_results(type);
  printf(" func");
  for (size_t i = 0; i < params->size; i++) print_valtype(params->data[i]);
  printf(" ->");
  for (size_t i = 0; i < results->size; i++) print_valtype(results->data[i]);
}

static void print_limits(const wasm_limits_t* limits) {
  printf(" %" PRIu32 "..", limits->min);
  if (limits->max != wasm_limits_max_default) printf("%" PRIu32, limits->max);
}

static void print_externtype(const wasm_externtype_t* type) {
  switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC:
      print_func(wasm_externtype_as_functype_const(type));
      break;
    case WASM_EXTERN_GLOBAL: {
      const wasm_globaltype_t* global = wasm_externtype_as_globaltype_const(type);
      printf(" global%s", wasm_globaltype_mutability(global) == WASM_VAR ? " mut" : "");
      print_valtype(wasm_globaltype_content(global));
      break;
    }
    case WASM_EXTERN_TABLE: {
      const wasm_tabletype_t* table = wasm_externtype_as_tabletype_const(type);
      printf(" table");
      print_valtype(wasm_tabletype_element(table));
      print_limits(wasm_tabletype_limits(table));
      break;
    }
    case WASM_EXTERN_MEMORY:
      printf(" memory");
      print_limits(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(type)));
      break;
    case WASM_EXTERN_TAG:
      printf(" tag");
      print_func(wasm_tagtype_functype(wasm_externtype_as_tagtype_const(type)));
      break;
  }
  printf("\n");
}

static void print_name(const wasm_name_t* name) {
  printf("%.*s", (int)name->size, name->data);
}

static own wasm_trap_t* callback(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  return NULL;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = compile(store, TEXT);

  wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  for (size_t i = 0; i < imports.size; i++) {
    printf("import ");
    print_name(wasm_importtype_module(imports.data[i]));
    printf(".");
    print_name(wasm_importtype_name(imports.data[i]));
    printf(":");
    print_externtype(wasm_importtype_type(imports.data[i]));
  }

  wasm_exporttype_vec_t exports;
  wasm_module_exports(module, &exports);
  for (size_t i = 0; i < exports.size; i++) {
    printf("export ");
    print_name(wasm_exporttype_name(exports.data[i]));
    printf(":");
    print_externtype(wasm_exporttype_type(exports.data[i]));
  }

  /* The types that the imports are declared with make what is imported. */
  const wasm_externtype_t* types[2] = {
      wasm_importtype_type(imports.data[0]), wasm_importtype_type(imports.data[1])};
  wasm_func_t* func =
      wasm_func_new(store, wasm_externtype_as_functype_const(types[0]), callback);
  wasm_val_t limit = WASM_I64_VAL(100);
  wasm_global_t* global =
      wasm_global_new(store, wasm_externtype_as_globaltype_const(types[1]), &limit);
  wasm_extern_t* given[] = {wasm_func_as_extern(func), wasm_global_as_extern(global)};
  wasm_extern_vec_t given_vec = WASM_ARRAY_VEC(given);
  wasm_instance_t* instance = wasm_instance_new(store, module, &given_vec, NULL);
  check(instance != NULL, "the module cannot be instantiated");
  wasm_extern_vec_t items;
  wasm_instance_exports(instance, &items);
  for (size_t i = 0; i < items.size; i++) {
    wasm_externkind_t kind = wasm_externtype_kind(wasm_exporttype_type(exports.data[i]));
    wasm_externtype_t* type = wasm_extern_type(items.data[i]);
    check(wasm_extern_kind(items.data[i]) == kind, "another kind");
    check(wasm_externtype_kind(type) == kind, "another kind of type");
    wasm_externtype_delete(type);
  }
  printf("the exports of the instance have the same types\n");

  wasm_extern_vec_delete(&items);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_global_delete(global);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
