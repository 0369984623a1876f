/* What the examples share: failing with a reason, and modules given as text. */

#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "zwasm.h"

#define own

/* Ends the program, with the library's reason, unless `ok`. */
static inline void check(bool ok, const char* what) {
  if (ok) return;
  const char* reason = zwasm_last_error();
  fprintf(stderr, "%s: %s\n", what, reason ? reason : "no reason is known");
  exit(1);
}

/* Ends the program if there is a trap. */
static inline void check_trap(own wasm_trap_t* trap, const char* what) {
  if (!trap) return;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  fprintf(stderr, "%s: %s\n", what, message.data);
  exit(1);
}

static inline own wasm_module_t* compile(wasm_store_t* store, const char* text) {
  wasm_byte_vec_t binary;
  check(zwasm_wat2wasm(text, &binary), "the text is not a module");
  wasm_module_t* module = wasm_module_new(store, &binary);
  check(module != NULL, "the module is not valid");
  wasm_byte_vec_delete(&binary);
  return module;
}

/* Compiles and instantiates; the module is needed no longer then. */
static inline own wasm_instance_t* instantiate(
    wasm_store_t* store, const char* text, const wasm_extern_vec_t* imports) {
  wasm_module_t* module = compile(store, text);
  wasm_trap_t* trap = NULL;
  wasm_instance_t* instance = wasm_instance_new(store, module, imports, &trap);
  check_trap(trap, "the module cannot be instantiated");
  wasm_module_delete(module);
  return instance;
}

/* A function of an instance, by its place among the exports. */
static inline wasm_func_t* func_at(const wasm_extern_vec_t* exports, size_t index) {
  wasm_func_t* func =
      index < exports->size ? wasm_extern_as_func(exports->data[index]) : NULL;
  check(func != NULL, "there is no such exported function");
  return func;
}

/* Calls a function of 32-bit integers with at most two arguments and at most one
 * result, which is returned. */
static inline int32_t call(const wasm_func_t* func, int32_t a, int32_t b) {
  wasm_val_t values[2] = {WASM_I32_VAL(a), WASM_I32_VAL(b)};
  wasm_val_t result[1] = {WASM_I32_VAL(0)};
  wasm_val_vec_t args = {wasm_func_param_arity(func), values};
  wasm_val_vec_t results = {wasm_func_result_arity(func), result};
  check_trap(wasm_func_call(func, &args, &results), "the call trapped");
  return result[0].of.i32;
}

#endif
