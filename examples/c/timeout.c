/* Stopping a guest that would run for ever: by another thread, and at a deadline.
 *
 * run: timeout
 * expect: interrupted
 * expect: still interrupted
 * expect: after clearing it, the guest answers 7
 * expect: at the deadline: interrupted */

#include <pthread.h>
#include <time.h>

#include "example.h"

static const char TEXT[] =
    "(module"
    "  (func (export \"spin\") (loop $again (br $again)))"
    "  (func (export \"answer\") (result i32) (i32.const 7)))";

static void wait_a_little(void) {
  struct timespec moment = {0, 20 * 1000 * 1000};
  nanosleep(&moment, NULL);
}

static void* interrupt(void* handle) {
  wait_a_little();
  zwasm_interrupt(handle);
  return NULL;
}

static void* tick(void* engine) {
  wait_a_little();
  zwasm_engine_increment_epoch(engine);
  return NULL;
}

/* Calls a function that is to be stopped, while another thread runs. */
static const char* how(const wasm_func_t* func, void* (*meanwhile)(void*), void* arg) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, meanwhile, arg) == 0, "no thread starts");
  wasm_trap_t* trap = wasm_func_call(func, NULL, NULL);
  pthread_join(thread, NULL);
  bool stopped = trap && zwasm_trap_error(trap) == ZWASM_ERROR_INTERRUPTED;
  wasm_trap_delete(trap);
  return stopped ? "interrupted" : "not interrupted";
}

int main(void) {
  wasm_config_t* config = wasm_config_new();
  zwasm_config_epoch_interruption(config, true);
  wasm_engine_t* engine = wasm_engine_new_with_config(config);
  wasm_store_t* store = wasm_store_new(engine);
  wasm_extern_vec_t imports = WASM_EMPTY_VEC, exports;
  wasm_instance_t* instance = instantiate(store, TEXT, &imports);
  wasm_instance_exports(instance, &exports);
  wasm_func_t* spin = func_at(&exports, 0);

  zwasm_interrupt_t* handle = zwasm_interrupt_new(store);
  check(handle != NULL, "there is no handle");
  printf("%s\n", how(spin, interrupt, handle));
  wasm_trap_t* trap = wasm_func_call(spin, NULL, NULL);
  printf("still %s\n", trap ? "interrupted" : "running");
  wasm_trap_delete(trap);
  zwasm_interrupt_clear(handle, store);
  printf("after clearing it, the guest answers %" PRId32 "\n",
         call(func_at(&exports, 1), 0, 0));
  zwasm_interrupt_delete(handle);

  zwasm_store_set_epoch_deadline(store, 1);
  printf("at the deadline: %s\n", how(spin, tick, engine));

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
