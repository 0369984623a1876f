/* Traps of the guest's and of the host's, with their frames.
 *
 * run: trap
 * expect: message: the host refuses
 * expect: origin: function 1 at 1
 * expect: trace: 1 2
 * expect: the same trap: yes
 * expect: message: integer divide by zero
 * expect: origin: function 3 at 5
 * expect: trace: 3
 * expect: in the instance: yes */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (import \"\" \"fail\" (func $fail (result i32)))"
    "  (func $inner (result i32) (call $fail))"
    "  (func (export \"fail\") (result i32) (call $inner))"
    "  (func (export \"divide\") (result i32) (i32.div_s (i32.const 1) (i32.const 0))))";

/* The trap that `fail` raises, to be compared with the one that arrives. */
static wasm_trap_t* raised;

static own wasm_trap_t* fail(
    void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  wasm_name_t message;
  wasm_name_new_from_string_nt(&message, "the host refuses");
  wasm_trap_t* trap = wasm_trap_new(env, &message);
  wasm_name_delete(&message);
  raised = wasm_trap_copy(trap);
  return trap;
}

static own wasm_trap_t* trap_of(const wasm_func_t* func) {
  wasm_val_t result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(result);
  wasm_trap_t* trap = wasm_func_call(func, &args, &results);
  check(trap != NULL, "the call returned");

  wasm_message_t message;
  wasm_trap_message(trap, &message);
  printf("message: %s\n", message.data);
  wasm_name_delete(&message);

  wasm_frame_t* origin = wasm_trap_origin(trap);
  check(origin != NULL, "the trap has no origin");
  printf("origin: function %" PRIu32 " at %zu\n", wasm_frame_func_index(origin),
         wasm_frame_func_offset(origin));
  wasm_frame_delete(origin);

  wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  printf("trace:");
  for (size_t i = 0; i < trace.size; i++) {
    printf(" %" PRIu32, wasm_frame_func_index(trace.data[i]));
  }
  printf("\n");
  wasm_frame_vec_delete(&trace);
  return trap;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t* func = wasm_func_new_with_env(store, type, fail, store, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_func_delete(func);

  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  wasm_trap_t* trap = trap_of(func_at(&exports, 0));
  printf("the same trap: %s\n", wasm_trap_same(trap, raised) ? "yes" : "no");
  wasm_trap_delete(trap);
  wasm_trap_delete(raised);

  trap = trap_of(func_at(&exports, 1));
  wasm_frame_t* origin = wasm_trap_origin(trap);
  bool inside = wasm_instance_same(wasm_frame_instance(origin), instance);
  printf("in the instance: %s\n", inside ? "yes" : "no");
  wasm_frame_delete(origin);
  wasm_trap_delete(trap);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
