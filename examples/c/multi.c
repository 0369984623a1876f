/* Functions with several results, on both sides.
 *
 * run: multi
 * expect: the host swaps 1 and 2.5
 * expect: the guest returns 2.5 1 7 */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"swap\" (func $swap (param i32 f64) (result f64 i32)))"
    "  (func (export \"run\") (param i32 f64 i64) (result f64 i32 i64)"
    "    (call $swap (local.get 0) (local.get 1))"
    "    (local.get 2)))";

static own wasm_trap_t* swap(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  printf("the host swaps %" PRId32 " and %.1f\n", args->data[0].of.i32, args->data[1].of.f64);
  wasm_val_copy(&results->data[0], &args->data[1]);
  wasm_val_copy(&results->data[1], &args->data[0]);
  return NULL;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_functype_t* type = wasm_functype_new_2_2(
      wasm_valtype_new_i32(), wasm_valtype_new_f64(), wasm_valtype_new_f64(),
      wasm_valtype_new_i32());
  wasm_func_t* func = wasm_func_new(store, type, swap);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_func_delete(func);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  wasm_val_t values[] = {WASM_I32_VAL(1), WASM_F64_VAL(2.5), WASM_I64_VAL(7)};
  wasm_val_t out[3] = {WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(values), results = WASM_ARRAY_VEC(out);
  check_trap(wasm_func_call(func_at(&exports, 0), &args, &results), "the call trapped");
  printf("the guest returns %.1f %" PRId32 " %" PRId64 "\n", out[0].of.f64, out[1].of.i32,
         out[2].of.i64);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
