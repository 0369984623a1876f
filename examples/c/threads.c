/* One module on many threads: each has a store of its own and obtains the module
 * that was compiled once.
 *
 * run: threads
 * expect: 8 threads ran the module 50 times each
 * expect: the sum is 11400 */

#include <pthread.h>

#include "example.h"

enum { THREADS = 8, RUNS = 50 };

static const char TEXT[] =
    "(module"
    "  (import \"host\" \"add\" (func $add (param i32)))"
    "  (global $number (import \"host\" \"number\") i32)"
    "  (func (export \"run\") (call $add (i32.add (global.get $number) (i32.const 25)))))";

typedef struct {
  wasm_engine_t* engine;
  wasm_shared_module_t* module;
  int32_t number;
  int32_t sum;
} thread_args;

static own wasm_trap_t* add(void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)results;
  thread_args* thread = env;
  thread->sum += args->data[0].of.i32;
  return NULL;
}

static void* run(void* env) {
  thread_args* thread = env;
  wasm_store_t* store = wasm_store_new(thread->engine);
  wasm_module_t* module = wasm_module_obtain(store, thread->module);
  check(module != NULL, "the module cannot be obtained");

  wasm_functype_t* func_type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  wasm_func_t* func = wasm_func_new_with_env(store, func_type, add, thread, NULL);
  wasm_functype_delete(func_type);
  wasm_globaltype_t* global_type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST);
  wasm_val_t number = WASM_I32_VAL(thread->number);
  wasm_global_t* global = wasm_global_new(store, global_type, &number);
  wasm_globaltype_delete(global_type);

  for (int i = 0; i < RUNS; i++) {
    wasm_extern_t* externs[] = {wasm_func_as_extern(func), wasm_global_as_extern(global)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
    wasm_instance_t* instance = wasm_instance_new(store, module, &imports, NULL);
    check(instance != NULL, "the module cannot be instantiated");
    wasm_extern_vec_t exports;
    wasm_instance_exports(instance, &exports);
    call(func_at(&exports, 0), 0, 0);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
  }

  wasm_func_delete(func);
  wasm_global_delete(global);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return NULL;
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);
  wasm_module_t* module = compile(store, TEXT);
  wasm_shared_module_t* shared = wasm_module_share(module);
  wasm_module_delete(module);
  wasm_store_delete(store);

  pthread_t threads[THREADS];
  thread_args args[THREADS];
  for (int i = 0; i < THREADS; i++) {
    args[i] = (thread_args){engine, shared, i, 0};
    check(pthread_create(&threads[i], NULL, run, &args[i]) == 0, "no thread starts");
  }
  int32_t sum = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    sum += args[i].sum;
  }
  printf("%d threads ran the module %d times each\n", THREADS, RUNS);
  printf("the sum is %" PRId32 "\n", sum);

  wasm_shared_module_delete(shared);
  wasm_engine_delete(engine);
  return 0;
}
