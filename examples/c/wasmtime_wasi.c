/* A program of WASI for wasmtime's API: it gets arguments and its output is kept; it ends
 * itself, which is an error with an exit status, and it may not run for ever.
 *
 * run: wasmtime_wasi
 * expect: the guest says: hello
 * expect: it exits with 3
 * expect: it is stopped: all fuel consumed by WebAssembly */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasi.h>
#include <wasmtime.h>

static const char TEXT[] =
    "(module"
    "  (import \"wasi_snapshot_preview1\" \"args_get\""
    "    (func $args_get (param i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"fd_write\""
    "    (func $write (param i32 i32 i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
    "  (memory (export \"memory\") 1)"
    "  (func (export \"_start\")"
    "    (drop (call $args_get (i32.const 32) (i32.const 64)))"
    "    (i32.store (i32.const 0) (i32.load (i32.const 36)))"
    "    (i32.store (i32.const 4) (i32.const 5))"
    "    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"
    "    (call $exit (i32.const 3)))"
    "  (func (export \"spin\") (loop br 0)))";

static void check(wasmtime_error_t* error) {
  if (!error) return;
  wasm_name_t message;
  wasmtime_error_message(error, &message);
  fprintf(stderr, "%.*s\n", (int)message.size, message.data);
  exit(1);
}

static ptrdiff_t say(void* data, const unsigned char* bytes, size_t size) {
  printf("%s: %.*s\n", (const char*)data, (int)size, (const char*)bytes);
  return (ptrdiff_t)size;
}

int main(void) {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_consume_fuel_set(config, true);
  wasm_engine_t* engine = wasm_engine_new_with_config(config);
  wasmtime_store_t* store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t* context = wasmtime_store_context(store);
  check(wasmtime_context_set_fuel(context, 1000000));

  wasi_config_t* wasi = wasi_config_new();
  const char* args[] = {"guest", "hello"};
  static char who[] = "the guest says";
  if (!wasi_config_set_argv(wasi, 2, args)) return 1;
  wasi_config_set_stdout_custom(wasi, say, who, NULL);
  check(wasmtime_context_set_wasi(context, wasi));

  wasm_byte_vec_t binary;
  wasmtime_module_t* module;
  check(wasmtime_wat2wasm(TEXT, strlen(TEXT), &binary));
  check(wasmtime_module_new(engine, (const uint8_t*)binary.data, binary.size, &module));
  wasm_byte_vec_delete(&binary);
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  check(wasmtime_linker_define_wasi(linker));
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  check(wasmtime_linker_instantiate(linker, context, module, &instance, &trap));
  wasmtime_linker_delete(linker);
  wasmtime_module_delete(module);

  wasmtime_extern_t item;
  if (!wasmtime_instance_export_get(context, &instance, "_start", 6, &item)) return 1;
  wasmtime_error_t* error =
      wasmtime_func_call(context, &item.of.func, NULL, 0, NULL, 0, &trap);
  int status;
  if (!error || !wasmtime_error_exit_status(error, &status)) return 1;
  printf("it exits with %d\n", status);
  wasmtime_error_delete(error);

  if (!wasmtime_instance_export_get(context, &instance, "spin", 4, &item)) return 1;
  check(wasmtime_func_call(context, &item.of.func, NULL, 0, NULL, 0, &trap));
  wasmtime_trap_code_t code;
  if (!trap || !wasmtime_trap_code(trap, &code)) return 1;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  const char* reason = strstr(message.data, "all fuel");
  printf("it is stopped: %s\n", code == WASMTIME_TRAP_CODE_OUT_OF_FUEL ? reason : "?");
  wasm_name_delete(&message);
  wasm_trap_delete(trap);

  wasmtime_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
