/* A memory, read and written from both sides; growing; one that the host makes.
 *
 * run: memory
 * expect: 2 pages, 131072 bytes
 * expect: the guest reads 42, the host 43
 * expect: a string of the guest's: hello
 * expect: grown to 3 pages, no further: yes
 * expect: the host's memory has 1 page and takes 0 more */

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (memory (export \"memory\") 2 3)"
    "  (data (i32.const 0x100) \"hello\")"
    "  (func (export \"load\") (param i32) (result i32) (i32.load8_s (local.get 0)))"
    "  (func (export \"store\") (param i32 i32)"
    "    (i32.store8 (local.get 0) (local.get 1))))";

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_memory_t* memory = wasm_extern_as_memory(exports.data[0]);
  check(memory != NULL, "the first export is not a memory");

  printf("%" PRIu32 " pages, %zu bytes\n", wasm_memory_size(memory),
         wasm_memory_data_size(memory));

  byte_t* data = wasm_memory_data(memory);
  data[0x1000] = 42;
  int32_t read = call(func_at(&exports, 1), 0x1000, 0);
  call(func_at(&exports, 2), 0x1001, 43);
  printf("the guest reads %" PRId32 ", the host %d\n", read, data[0x1001]);
  printf("a string of the guest's: %.5s\n", data + 0x100);

  check(wasm_memory_grow(memory, 1), "the memory does not grow");
  bool further = wasm_memory_grow(memory, 1);
  printf("grown to %" PRIu32 " pages, no further: %s\n", wasm_memory_size(memory),
         further ? "no" : "yes");
  /* The memory may have moved. */
  check(wasm_memory_data(memory)[0x1000] == 42, "the contents are not the same");

  wasm_limits_t limits = {1, 1};
  wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  wasm_memory_t* own_memory = wasm_memory_new(store, type);
  wasm_memorytype_delete(type);
  printf("the host's memory has %" PRIu32 " page and takes %d more\n",
         wasm_memory_size(own_memory), wasm_memory_grow(own_memory, 1));
  wasm_memory_delete(own_memory);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
