/* A WASI program with arguments and input of the host's choice, and its output
 * caught. Imports are found by name.
 *
 * run: wasi
 * expect: the guest wrote: 5 bytes came in
 * expect: and ended itself with 3 */

#include "example.h"

/* Copies "N bytes came in", N being one digit, to standard output; exits with the
 * number of its arguments. */
static const char TEXT[] =
    "(module"
    "  (import \"wasi_snapshot_preview1\" \"fd_read\""
    "    (func $read (param i32 i32 i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"fd_write\""
    "    (func $write (param i32 i32 i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"args_sizes_get\""
    "    (func $sizes (param i32 i32) (result i32)))"
    "  (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
    "  (memory (export \"memory\") 1)"
    /* 0: buffer and length of the input; 8: the same of the output; 16: a result. */
    "  (data (i32.const 0) \"\\00\\01\\00\\00\\09\\00\\00\\00\\80\\00\\00\\00\\10\\00\\00\\00\")"
    "  (data (i32.const 0x80) \"0 bytes came in\\n\")"
    "  (func (export \"_start\")"
    "    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))"
    "    (i32.store8 (i32.const 0x80)"
    "      (i32.add (i32.const 0x30) (i32.load (i32.const 16))))"
    "    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))"
    "    (drop (call $sizes (i32.const 16) (i32.const 20)))"
    "    (call $exit (i32.load (i32.const 16)))))";

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  zwasm_wasi_t* wasi = zwasm_wasi_new();
  zwasm_wasi_arg(wasi, "program");
  zwasm_wasi_arg(wasi, "one");
  zwasm_wasi_arg(wasi, "two");
  wasm_byte_vec_t input;
  wasm_name_new_from_string(&input, "12345");
  zwasm_wasi_stdin(wasi, &input);
  wasm_byte_vec_delete(&input);
  zwasm_wasi_capture_output(wasi);
  zwasm_store_set_wasi(store, wasi);

  zwasm_linker_t* linker = zwasm_linker_new(engine);
  check(zwasm_linker_define_wasi(linker), "WASI is not defined");
  wasm_module_t* module = compile(store, TEXT);
  wasm_trap_t* trap = NULL;
  wasm_instance_t* instance = zwasm_linker_instantiate(linker, store, module, &trap);
  check_trap(trap, "the module cannot be instantiated");
  wasm_module_delete(module);
  zwasm_linker_delete(linker);

  wasm_extern_t* start = zwasm_instance_export(instance, "_start");
  check(start != NULL, "this is not a program");
  trap = wasm_func_call(wasm_extern_as_func(start), NULL, NULL);
  wasm_extern_delete(start);

  wasm_byte_vec_t output;
  zwasm_store_stdout(store, &output);
  printf("the guest wrote: %.*s", (int)output.size, output.data);
  wasm_byte_vec_delete(&output);
  int32_t status = 0;
  check(trap && zwasm_trap_exit_status(trap, &status), "the guest did not exit");
  printf("and ended itself with %" PRId32 "\n", status);

  wasm_trap_delete(trap);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
