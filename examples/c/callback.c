/* Functions of the host's with arguments, results and a pointer of their own; one
 * calls back into the guest.
 *
 * run: callback
 * expect: print 12
 * expect: 12 + 30 = 42
 * expect: twice 21 is 42
 * expect: the counter is freed at 2 */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"print\" (func $print (param i32) (result i32)))"
    "  (import \"host\" \"more\" (func $more (result i32)))"
    "  (import \"host\" \"twice\" (func $twice (param funcref i32) (result i32)))"
    "  (func (export \"sum\") (param i32 i32) (result i32)"
    "    (i32.add"
    "      (call $print (local.get 0))"
    "      (i32.sub (local.get 1) (call $more))))"
    "  (func $double (param i32) (result i32)"
    "    (i32.mul (local.get 0) (i32.sub (i32.const 4) (call $more))))"
    "  (elem declare func $double)"
    "  (func (export \"callback\") (param i32) (result i32)"
    "    (call $twice (ref.func $double) (local.get 0))))";

/* Prints its argument and returns it. */
static own wasm_trap_t* print(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  printf("print %" PRId32 "\n", args->data[0].of.i32);
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}

/* Counts the calls in what `env` points at. */
static own wasm_trap_t* more(
    void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  int32_t* count = env;
  *count += 1;
  results->data[0] = (wasm_val_t)WASM_I32_VAL(*count);
  return NULL;
}

static void free_count(void* env) {
  int32_t* count = env;
  printf("the counter is freed at %" PRId32 "\n", *count);
  free(count);
}

/* Calls the function it is given. */
static own wasm_trap_t* twice(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  wasm_func_t* func = wasm_ref_as_func(args->data[0].of.ref);
  wasm_val_vec_t inner = {1, &args->data[1]};
  return wasm_func_call(func, &inner, results);
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_functype_t* print_type =
      wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_functype_t* more_type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_functype_t* twice_type = wasm_functype_new_2_1(
      wasm_valtype_new_funcref(), wasm_valtype_new_i32(), wasm_valtype_new_i32());
  int32_t* count = malloc(sizeof *count);
  check(count != NULL, "out of memory");
  *count = 0;
  wasm_func_t* funcs[] = {
      wasm_func_new(store, print_type, print),
      wasm_func_new_with_env(store, more_type, more, count, free_count),
      wasm_func_new(store, twice_type, twice),
  };
  wasm_functype_delete(print_type);
  wasm_functype_delete(more_type);
  wasm_functype_delete(twice_type);

  wasm_extern_t* externs[3];
  for (int i = 0; i < 3; i++) externs[i] = wasm_func_as_extern(funcs[i]);
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  for (int i = 0; i < 3; i++) wasm_func_delete(funcs[i]);

  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  printf("12 + 30 = %" PRId32 "\n", call(func_at(&exports, 0), 12, 31));
  printf("twice 21 is %" PRId32 "\n", call(func_at(&exports, 1), 21, 0));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
