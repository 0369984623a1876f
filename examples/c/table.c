/* A table of functions: elements of the guest's and of the host's, growth, and a
 * table that the host makes and two instances share.
 *
 * run: table
 * expect: the table has 2 of at most 10 elements
 * expect: element 0 is null, element 1 is a function
 * expect: element 1 of 5 gives 25
 * expect: with the host's function it gives -5
 * expect: grown by 3: yes, by 6 more: no
 * expect: element 4 of 5 gives 25
 * expect: an index of 5 traps: undefined element */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (type $f (func (param i32) (result i32)))"
    "  (import \"host\" \"table\" (table $t 2 10 funcref))"
    "  (func $square (type $f) (i32.mul (local.get 0) (local.get 0)))"
    "  (elem (table $t) (i32.const 1) func $square)"
    "  (func (export \"call\") (param i32 i32) (result i32)"
    "    (call_indirect $t (type $f) (local.get 1) (local.get 0))))";

static own wasm_trap_t* negate(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  results->data[0] = (wasm_val_t)WASM_I32_VAL(-args->data[0].of.i32);
  return NULL;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_limits_t limits = {2, 10};
  wasm_tabletype_t* type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_table_t* table = wasm_table_new(store, type, NULL);
  wasm_tabletype_delete(type);
  check(table != NULL, "no table can be made");

  wasm_extern_t* externs[] = {wasm_table_as_extern(table)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_func_t* through = func_at(&exports, 0);

  wasm_tabletype_t* has = wasm_table_type(table);
  printf("the table has %" PRIu32 " of at most %" PRIu32 " elements\n",
         wasm_table_size(table), wasm_tabletype_limits(has)->max);
  wasm_tabletype_delete(has);

  wasm_ref_t* nothing = wasm_table_get(table, 0);
  wasm_ref_t* square = wasm_table_get(table, 1);
  printf("element 0 is %s, element 1 is %s\n", nothing ? "not null" : "null",
         wasm_ref_as_func(square) ? "a function" : "something else");
  printf("element 1 of 5 gives %" PRId32 "\n", call(through, 1, 5));

  wasm_functype_t* func_type =
      wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_func_t* host = wasm_func_new(store, func_type, negate);
  wasm_functype_delete(func_type);
  check(wasm_table_set(table, 1, wasm_func_as_ref(host)), "the element is not written");
  printf("with the host's function it gives %" PRId32 "\n", call(through, 1, 5));
  wasm_func_delete(host);

  bool fits = wasm_table_grow(table, 3, square);
  bool too_much = wasm_table_grow(table, 6, NULL);
  printf("grown by 3: %s, by 6 more: %s\n", fits ? "yes" : "no", too_much ? "yes" : "no");
  wasm_ref_delete(square);
  printf("element 4 of 5 gives %" PRId32 "\n", call(through, 4, 5));

  wasm_val_t values[] = {WASM_I32_VAL(5), WASM_I32_VAL(5)};
  wasm_val_t result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(values), results = WASM_ARRAY_VEC(result);
  wasm_trap_t* trap = wasm_func_call(through, &args, &results);
  check(trap != NULL, "the call returned");
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  printf("an index of 5 traps: %s\n", message.data);
  wasm_name_delete(&message);
  wasm_trap_delete(trap);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_table_delete(table);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
