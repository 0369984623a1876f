/* When the finalizers of host information run: those of a foreign object when
 * nothing refers to it any more, those of an instance with its store.
 *
 * run: finalize
 * expect: 1000 instances live in each of two stores
 * expect: without their references: 2000
 * expect: without the first store: 1000
 * expect: the information of an instance is found again: 7
 * expect: without the second store: 0
 * expect: a foreign object is freed with its last reference: yes */

#include "example.h"

enum { INSTANCES = 1000 };

static const char TEXT[] = "(module (func (export \"f\")))";

static int live = 0;

static void finalize(void* data) {
  free(data);
  live--;
}

static void fill(wasm_store_t* store) {
  wasm_module_t* module = compile(store, TEXT);
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  for (int i = 0; i < INSTANCES; i++) {
    wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    check(instance != NULL, "the module cannot be instantiated");
    int* number = malloc(sizeof *number);
    check(number != NULL, "out of memory");
    *number = i;
    wasm_instance_set_host_info_with_finalizer(instance, number, finalize);
    live++;
    wasm_instance_delete(instance);
  }
  wasm_module_delete(module);
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* stores[2] = {wasm_store_new(engine), wasm_store_new(engine)};
  fill(stores[0]);
  fill(stores[1]);
  printf("%d instances live in each of two stores\n", INSTANCES);
  printf("without their references: %d\n", live);
  wasm_store_delete(stores[0]);
  printf("without the first store: %d\n", live);

  int seven = 7;
  wasm_extern_vec_t imports = WASM_EMPTY_VEC;
  wasm_instance_t* instance = instantiate(stores[1], TEXT, &imports);
  wasm_instance_set_host_info(instance, &seven);
  wasm_instance_t* copy = wasm_instance_copy(instance);
  wasm_instance_delete(instance);
  printf("the information of an instance is found again: %d\n",
         *(int*)wasm_instance_get_host_info(copy));
  wasm_instance_delete(copy);

  wasm_foreign_t* foreign = wasm_foreign_new(stores[1]);
  wasm_store_delete(stores[1]);
  printf("without the second store: %d\n", live);

  live++;
  wasm_foreign_set_host_info_with_finalizer(foreign, NULL, finalize);
  wasm_foreign_delete(foreign);
  printf("a foreign object is freed with its last reference: %s\n", live == 0 ? "yes" : "no");

  wasm_engine_delete(engine);
  return 0;
}
