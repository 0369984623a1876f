/* A module that calls a function of the host's, from its bytes on. Only wasm.h is
 * needed.
 *
 * run: hello
 * expect: the guest calls
 * expect: done */

#include <stdio.h>

#include "wasm.h"

/* (module
 *   (import "" "hello" (func $hello))
 *   (func (export "run") (call $hello))) */
static const char BYTES[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,             /* the header */
    0x01, 0x04, 0x01, 0x60, 0x00, 0x00,                         /* type 0: func */
    0x02, 0x0a, 0x01, 0x00, 0x05, 'h', 'e', 'l', 'l', 'o', 0x00, 0x00, /* import */
    0x03, 0x02, 0x01, 0x00,                                     /* func 1: type 0 */
    0x07, 0x07, 0x01, 0x03, 'r', 'u', 'n', 0x00, 0x01,          /* export */
    0x0a, 0x06, 0x01, 0x04, 0x00, 0x10, 0x00, 0x0b,             /* call 0 */
};

static wasm_trap_t* hello(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  printf("the guest calls\n");
  return NULL;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, sizeof BYTES, BYTES);
  wasm_module_t* module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  if (!module) {
    fprintf(stderr, "the module is not valid\n");
    return 1;
  }

  wasm_functype_t* type = wasm_functype_new_0_0();
  wasm_func_t* func = wasm_func_new(store, type, hello);
  wasm_functype_delete(type);

  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  wasm_func_delete(func);
  wasm_module_delete(module);
  if (!instance) {
    fprintf(stderr, "the module cannot be instantiated\n");
    return 1;
  }

  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  wasm_trap_t* trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), &none, &none);
  if (trap) {
    fprintf(stderr, "the call trapped\n");
    return 1;
  }
  printf("done\n");

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
