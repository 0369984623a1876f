/* Globals of the host's and of the guest's, read and written from both sides.
 *
 * run: global
 * expect: the guest sees 7 and 1.5
 * expect: the host sees 8 and 2.5
 * expect: a constant stays 7
 * expect: the guest's own is 40, then 41 */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"const\" (global $const i32))"
    "  (import \"host\" \"count\" (global $count (mut i32)))"
    "  (import \"host\" \"ratio\" (global $ratio (mut f64)))"
    "  (global $own (export \"own\") (mut i32) (i32.const 40))"
    "  (func (export \"const\") (result i32) (global.get $const))"
    "  (func (export \"ratio\") (result f64) (global.get $ratio))"
    "  (func (export \"step\")"
    "    (global.set $count (i32.add (global.get $count) (i32.const 1)))"
    "    (global.set $ratio (f64.add (global.get $ratio) (f64.const 1))))"
    "  (func (export \"own-value\") (result i32) (global.get $own)))";

static own wasm_global_t* new_global(
    wasm_store_t* store, wasm_mutability_t mutability, wasm_val_t value) {
  wasm_globaltype_t* type = wasm_globaltype_new(wasm_valtype_new(value.kind), mutability);
  wasm_global_t* global = wasm_global_new(store, type, &value);
  check(global != NULL, "no global can be made");
  wasm_globaltype_delete(type);
  return global;
}

static wasm_val_t get(const wasm_global_t* global) {
  wasm_val_t value;
  wasm_global_get(global, &value);
  return value;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_global_t* constant = new_global(store, WASM_CONST, (wasm_val_t)WASM_I32_VAL(7));
  wasm_global_t* count = new_global(store, WASM_VAR, (wasm_val_t)WASM_I32_VAL(7));
  wasm_global_t* ratio = new_global(store, WASM_VAR, (wasm_val_t)WASM_F64_VAL(1.5));
  wasm_extern_t* externs[] = {wasm_global_as_extern(constant), wasm_global_as_extern(count),
                              wasm_global_as_extern(ratio)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_global_t* own_global = wasm_extern_as_global(exports.data[0]);

  wasm_val_t result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(result);
  check_trap(wasm_func_call(func_at(&exports, 2), &none, &results), "the call trapped");
  printf("the guest sees %" PRId32 " and %.1f\n", call(func_at(&exports, 1), 0, 0),
         result[0].of.f64);

  call(func_at(&exports, 3), 0, 0);
  printf("the host sees %" PRId32 " and %.1f\n", get(count).of.i32, get(ratio).of.f64);

  wasm_val_t other = WASM_I32_VAL(9);
  wasm_global_set(constant, &other);
  printf("a constant stays %" PRId32 "\n", get(constant).of.i32);

  int32_t before = get(own_global).of.i32;
  wasm_val_t value = WASM_I32_VAL(41);
  wasm_global_set(own_global, &value);
  printf("the guest's own is %" PRId32 ", then %" PRId32 "\n", before,
         call(func_at(&exports, 4), 0, 0));

  wasm_global_delete(constant);
  wasm_global_delete(count);
  wasm_global_delete(ratio);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
