/* Objects of the host's that the guest holds: in a global, in a table, as arguments
 * and results. The guest cannot look into them.
 *
 * run: hostref
 * expect: through a function: first
 * expect: in a global: nothing, then second
 * expect: in a table: first, and nothing
 * expect: the host prints second
 * expect: freed second
 * expect: freed first */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"print\" (func $print (param externref)))"
    "  (global $kept (export \"kept\") (mut externref) (ref.null extern))"
    "  (table $table (export \"table\") 2 externref)"
    "  (func (export \"same\") (param externref) (result externref) (local.get 0))"
    "  (func (export \"keep\") (param externref)"
    "    (global.set $kept (local.get 0)))"
    "  (func (export \"print\") (call $print (global.get $kept))))";

static void freed(void* name) { printf("freed %s\n", (const char*)name); }

static own wasm_ref_t* named(wasm_store_t* store, const char* name) {
  wasm_foreign_t* object = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(object, (void*)name, freed);
  /* The cast gives the same pointer, and its owner is who owned that. */
  return wasm_foreign_as_ref(object);
}

static const char* name_of(const wasm_ref_t* reference) {
  return reference ? wasm_ref_get_host_info(reference) : "nothing";
}

static own wasm_trap_t* print(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  printf("the host prints %s\n", name_of(args->data[0].of.ref));
  return NULL;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_externref());
  wasm_func_t* func = wasm_func_new(store, type, print);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_func_delete(func);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_global_t* kept = wasm_extern_as_global(exports.data[0]);
  wasm_table_t* table = wasm_extern_as_table(exports.data[1]);

  wasm_ref_t* first = named(store, "first");
  wasm_ref_t* second = named(store, "second");

  wasm_val_t arg[1] = {WASM_REF_VAL(first)}, result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
  check_trap(wasm_func_call(func_at(&exports, 2), &args, &results), "the call trapped");
  check(wasm_ref_same(result[0].of.ref, first), "another object came back");
  printf("through a function: %s\n", name_of(result[0].of.ref));
  wasm_val_delete(&result[0]);

  wasm_val_t before, after;
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  wasm_global_get(kept, &before);
  arg[0].of.ref = second;
  check_trap(wasm_func_call(func_at(&exports, 3), &args, &none), "the call trapped");
  wasm_global_get(kept, &after);
  printf("in a global: %s, then %s\n", name_of(before.of.ref), name_of(after.of.ref));
  wasm_val_delete(&after);

  check(wasm_table_set(table, 0, first), "the element is not written");
  wasm_ref_t* elements[2] = {wasm_table_get(table, 0), wasm_table_get(table, 1)};
  printf("in a table: %s, and %s\n", name_of(elements[0]), name_of(elements[1]));
  wasm_ref_delete(elements[0]);
  check(wasm_table_set(table, 0, NULL), "the element is not cleared");

  check_trap(wasm_func_call(func_at(&exports, 4), &none, &none), "the call trapped");

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_ref_delete(second);
  /* Now only the guest has the second, which goes with the store. */
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  wasm_ref_delete(first);
  return 0;
}
