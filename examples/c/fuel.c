/* A guest on fuel, and within limits: both are the host's, store by store.
 *
 * run: fuel
 * expect: fib(10) is 55
 * expect: it took the same fuel again: yes
 * expect: fib(40) stops: out of fuel
 * expect: with new fuel, fib(10) is 55
 * expect: the memory grows by 1: yes, by 5: no */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (memory 1)"
    "  (func $fib (export \"fib\") (param i32) (result i32)"
    "    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))"
    "      (then (local.get 0))"
    "      (else (i32.add"
    "        (call $fib (i32.sub (local.get 0) (i32.const 1)))"
    "        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"
    "  (func (export \"grow\") (param i32) (result i32)"
    "    (memory.grow (local.get 0))))";

static uint64_t fuel_left(const wasm_store_t* store) {
  uint64_t fuel;
  check(zwasm_store_get_fuel(store, &fuel), "there is no fuel");
  return fuel;
}

int main(void) {
  wasm_config_t* config = wasm_config_new();
  zwasm_config_consume_fuel(config, true);
  wasm_engine_t* engine = wasm_engine_new_with_config(config);
  wasm_store_t* store = wasm_store_new(engine);
  zwasm_store_limits_t limits = ZWASM_NO_LIMITS;
  limits.memory_bytes = 3 * MEMORY_PAGE_SIZE;
  zwasm_store_set_limits(store, &limits);
  check(zwasm_store_set_fuel(store, 10000), "the engine takes no fuel");

  wasm_extern_vec_t imports = WASM_EMPTY_VEC, exports;
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_instance_exports(instance, &exports);
  wasm_func_t* fib = func_at(&exports, 0);

  uint64_t full = fuel_left(store);
  printf("fib(10) is %" PRId32 "\n", call(fib, 10, 0));
  uint64_t once = fuel_left(store);
  call(fib, 10, 0);
  uint64_t twice = fuel_left(store);
  check(once < full, "the call took no fuel");
  printf("it took the same fuel again: %s\n", full - once == once - twice ? "yes" : "no");

  wasm_val_t arg[1] = {WASM_I32_VAL(40)}, result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
  wasm_trap_t* trap = wasm_func_call(fib, &args, &results);
  bool out_of_fuel = trap && zwasm_trap_error(trap) == ZWASM_ERROR_OUT_OF_FUEL;
  printf("fib(40) stops: %s\n", out_of_fuel ? "out of fuel" : "for another reason");
  wasm_trap_delete(trap);

  check(zwasm_store_set_fuel(store, 10000), "the engine takes no fuel");
  printf("with new fuel, fib(10) is %" PRId32 "\n", call(fib, 10, 0));

  wasm_func_t* grow = func_at(&exports, 1);
  bool by_one = call(grow, 1, 0) == 1, by_five = call(grow, 5, 0) == 2;
  printf("the memory grows by 1: %s, by 5: %s\n", by_one ? "yes" : "no",
         by_five ? "yes" : "no");

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
