/* A program for wasmtime's API: a linker gives a module what it imports, and an error or a
 * trap says what went wrong. Only wasmtime.h is needed.
 *
 * run: wasmtime
 * expect: the guest is at 3
 * expect: the guest is at 2
 * expect: the guest is at 1
 * expect: it counted 3
 * expect: it traps: wasm trap: integer divide by zero */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmtime.h>

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"at\" (func $at (param i32)))"
    "  (func (export \"count\") (param i32) (result i32) (local i32)"
    "    (loop $again"
    "      (call $at (local.get 0))"
    "      (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
    "      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
    "    (local.get 1))"
    "  (func (export \"divide\") (param i32) (result i32)"
    "    (i32.div_u (i32.const 1) (local.get 0))))";

static wasm_trap_t* at(
    void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults) {
  (void)caller, (void)nargs, (void)results, (void)nresults;
  printf("%s %d\n", (const char*)env, args[0].of.i32);
  return NULL;
}

/* Ends the program if there is an error. */
static void check(wasmtime_error_t* error) {
  if (!error) return;
  wasm_name_t message;
  wasmtime_error_message(error, &message);
  fprintf(stderr, "%.*s\n", (int)message.size, message.data);
  exit(1);
}

static wasm_trap_t* call(
    wasmtime_context_t* context, const wasmtime_instance_t* instance, const char* name,
    int32_t arg, int32_t* result) {
  wasmtime_extern_t item;
  if (!wasmtime_instance_export_get(context, instance, name, strlen(name), &item)) exit(1);
  wasmtime_val_t in = {.kind = WASMTIME_I32, .of = {.i32 = arg}}, out;
  wasm_trap_t* trap = NULL;
  check(wasmtime_func_call(context, &item.of.func, &in, 1, &out, 1, &trap));
  if (!trap) *result = out.of.i32;
  return trap;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasmtime_store_t* store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t* context = wasmtime_store_context(store);

  wasm_byte_vec_t binary;
  wasmtime_module_t* module;
  check(wasmtime_wat2wasm(TEXT, strlen(TEXT), &binary));
  check(wasmtime_module_new(engine, (const uint8_t*)binary.data, binary.size, &module));
  wasm_byte_vec_delete(&binary);

  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  static char text[] = "the guest is at";
  check(wasmtime_linker_define_func(linker, "host", 4, "at", 2, type, at, text, NULL));
  wasm_functype_delete(type);

  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  check(wasmtime_linker_instantiate(linker, context, module, &instance, &trap));
  wasmtime_linker_delete(linker);
  wasmtime_module_delete(module);

  int32_t counted = 0;
  if (call(context, &instance, "count", 3, &counted)) return 1;
  printf("it counted %d\n", counted);

  trap = call(context, &instance, "divide", 0, &counted);
  if (!trap) return 1;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  const char* reason = strstr(message.data, "wasm trap");
  printf("it traps: %s\n", reason ? reason : message.data);
  wasm_name_delete(&message);
  wasm_trap_delete(trap);

  wasmtime_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
