/* A module as bytes, taken to another engine.
 *
 * run: serialize
 * expect: the module comes back and adds to 42
 * expect: half of the bytes are refused */

#include "example.h"

static const char TEXT[] =
    "(module (func (export \"add\") (param i32 i32) (result i32)"
    "  (i32.add (local.get 0) (local.get 1))))";

static own wasm_byte_vec_t serialized(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = compile(store, TEXT);
  wasm_byte_vec_t bytes;
  wasm_module_serialize(module, &bytes);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return bytes;
}

int main(void) {
  wasm_byte_vec_t bytes = serialized();
  check(bytes.size > 0, "there are no bytes");

  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = wasm_module_deserialize(store, &bytes);
  check(module != NULL, "the bytes are not a module");
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
  check(instance != NULL, "the module cannot be instantiated");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  printf("the module comes back and adds to %" PRId32 "\n", call(func_at(&exports, 0), 20, 22));

  wasm_byte_vec_t half = {bytes.size / 2, bytes.data};
  wasm_module_t* refused = wasm_module_deserialize(store, &half);
  printf("half of the bytes are %s\n", refused ? "accepted" : "refused");
  wasm_module_delete(refused);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&bytes);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
