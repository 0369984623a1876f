/* A start function runs when its module is instantiated; here it traps.
 *
 * run: start
 * expect: there is no instance
 * expect: message: unreachable
 * expect: in function 1 called by 0
 * expect: the memory has what it wrote: 77 */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (memory (import \"host\" \"memory\") 1)"
    "  (func $start (call $fail))"
    "  (func $fail (i32.store8 (i32.const 5) (i32.const 77)) (unreachable))"
    "  (start $start))";

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_limits_t limits = {1, wasm_limits_max_default};
  wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  wasm_memory_t* memory = wasm_memory_new(store, type);
  wasm_memorytype_delete(type);

  wasm_module_t* module = compile(store, TEXT);
  wasm_extern_t* externs[] = {wasm_memory_as_extern(memory)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_trap_t* trap = NULL;
  wasm_instance_t* instance = wasm_instance_new(store, module, &imports, &trap);
  printf("there is %s instance\n", instance ? "an" : "no");
  check(trap != NULL, "there is no trap");

  wasm_message_t message;
  wasm_trap_message(trap, &message);
  printf("message: %s\n", message.data);
  wasm_name_delete(&message);
  wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  check(trace.size == 2, "the trace has not two frames");
  printf("in function %" PRIu32 " called by %" PRIu32 "\n",
         wasm_frame_func_index(trace.data[0]), wasm_frame_func_index(trace.data[1]));
  wasm_frame_vec_delete(&trace);
  wasm_trap_delete(trap);
  printf("the memory has what it wrote: %d\n", wasm_memory_data(memory)[5]);

  wasm_module_delete(module);
  wasm_memory_delete(memory);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
