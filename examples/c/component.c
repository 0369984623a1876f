/* A component: it is given a function and WASI, called with values made here and with
 * ones that are written as text.
 *
 * run: component
 * expect: import log: func(message: string);
 * expect: ["pear", "apple"] cost ok(7)
 * expect: log: bricks are not sold
 * expect: ["bricks"] cost err("unknown") */

#include <string.h>

#include "example.h"

/* Adds up prices: 5 for what begins with a p, 2 for what begins with an a. */
static const char TEXT[] =
    "(component"
    "  (import \"log\" (func $log (param \"message\" string)))"
    "  (core module $libc"
    "    (memory (export \"memory\") 1)"
    "    (global $end (mut i32) (i32.const 1024))"
    "    (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)"
    "      (local $at i32)"
    "      (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))"
    "      (global.set $end (i32.add (local.get $at) (local.get 3)))"
    "      (local.get $at)))"
    "  (core instance $libc (instantiate $libc))"
    "  (alias core export $libc \"memory\" (core memory $memory))"
    "  (core func $log (canon lower (func $log) (memory $memory)))"
    "  (core module $shop"
    "    (import \"libc\" \"memory\" (memory 1))"
    "    (import \"host\" \"log\" (func $log (param i32 i32)))"
    "    (data (i32.const 0) \"bricks are not sold\")"
    "    (data (i32.const 32) \"unknown\")"
    /* 64: whether there is an error, then the sum or the error's address and length. */
    "    (func (export \"cost\") (param $item i32) (param $left i32) (result i32)"
    "      (local $letter i32)"
    "      (i64.store (i32.const 64) (i64.const 0))"
    "      (block $done (loop $next"
    "        (br_if $done (i32.eqz (local.get $left)))"
    "        (local.set $letter (i32.load8_u (i32.load (local.get $item))))"
    "        (if (i32.eq (local.get $letter) (i32.const 98)) (then"
    "          (call $log (i32.const 0) (i32.const 19))"
    "          (i64.store (i32.const 64) (i64.const 0x2000000001))"
    "          (i32.store (i32.const 72) (i32.const 7))"
    "          (br $done)))"
    "        (i32.store (i32.const 68) (i32.add (i32.load (i32.const 68))"
    "          (select (i32.const 5) (i32.const 2)"
    "            (i32.eq (local.get $letter) (i32.const 112)))))"
    "        (local.set $item (i32.add (local.get $item) (i32.const 8)))"
    "        (local.set $left (i32.sub (local.get $left) (i32.const 1)))"
    "        (br $next)))"
    "      (i32.const 64)))"
    "  (core instance $shop (instantiate $shop"
    "    (with \"libc\" (instance $libc))"
    "    (with \"host\" (instance (export \"log\" (func $log))))))"
    "  (func (export \"cost\") (param \"items\" (list string))"
    "    (result (result u32 (error string)))"
    "    (canon lift (core func $shop \"cost\") (memory $memory)"
    "      (realloc (core func $libc \"realloc\")))))";

static own wasm_trap_t* log_message(
    void* env, const zwasm_component_val_vec_t* args, zwasm_component_val_vec_t* results) {
  (void)results;
  const wasm_name_t* message = &args->data[0].of.string;
  printf("%s: %.*s\n", (const char*)env, (int)message->size, message->data);
  return NULL;
}

/* A value as text. */
static void print(const zwasm_component_val_t* value, const char* after) {
  wasm_name_t text;
  check(zwasm_component_val_to_text(value, &text), "the value has no text");
  printf("%.*s%s", (int)text.size, text.data, after);
  wasm_name_delete(&text);
}

static void cost(const zwasm_component_func_t* func, const zwasm_component_val_vec_t* args) {
  zwasm_component_val_t place;
  zwasm_component_val_vec_t results = {1, &place};
  check_trap(zwasm_component_func_call(func, args, &results), "the call failed");
  print(&args->data[0], " cost ");
  print(&place, "\n");
  zwasm_component_val_delete(&place);
}

int main(void) {
  wasm_engine_t* engine = wasm_engine_new();
  wasm_store_t* store = wasm_store_new(engine);

  wasm_byte_vec_t text;
  wasm_byte_vec_new(&text, sizeof TEXT - 1, TEXT);
  zwasm_component_t* component = zwasm_component_new(engine, &text);
  check(component != NULL, "the component is not valid");
  wasm_byte_vec_delete(&text);
  wasm_name_t wit;
  zwasm_component_wit(component, &wit);
  const char* import = strstr(wit.data, "import");
  printf("%.*s\n", (int)strcspn(import, "\n"), import);
  wasm_name_delete(&wit);

  zwasm_component_linker_t* linker = zwasm_component_linker_new(engine);
  check(zwasm_component_linker_define_wasi(linker), "WASI is not defined");
  check(
      zwasm_component_linker_define_func(linker, NULL, "log", log_message, "log", NULL),
      "the function is not defined");
  wasm_trap_t* trap = NULL;
  zwasm_component_instance_t* instance =
      zwasm_component_linker_instantiate(linker, store, component, &trap);
  check_trap(trap, "the component cannot be instantiated");
  zwasm_component_linker_delete(linker);
  zwasm_component_delete(component);

  zwasm_component_func_t* func = zwasm_component_instance_func(instance, "cost");
  check(func != NULL, "there is no such function");
  zwasm_component_val_t items[2] = {
      {.kind = ZWASM_COMPONENT_STRING}, {.kind = ZWASM_COMPONENT_STRING}};
  wasm_name_new_from_string(&items[0].of.string, "pear");
  wasm_name_new_from_string(&items[1].of.string, "apple");
  zwasm_component_val_t list = {.kind = ZWASM_COMPONENT_LIST};
  zwasm_component_val_vec_new(&list.of.list, 2, items);
  zwasm_component_val_vec_t args = {1, &list};
  cost(func, &args);
  zwasm_component_val_delete(&list);

  check(
      zwasm_component_func_args_from_text(func, "cost([\"bricks\"])", &args),
      "the arguments are not valid");
  cost(func, &args);
  zwasm_component_val_vec_delete(&args);

  zwasm_component_func_delete(func);
  zwasm_component_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
