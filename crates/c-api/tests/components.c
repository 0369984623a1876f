/* What zwasm.h promises of components and no example shows. Prints nothing when all
 * holds. `ECHO` is the path of a
 * component. */

#include <string.h>

#include "../../../examples/c/example.h"

static int failures = 0;

#define EXPECT(condition)                                                         \
  do {                                                                            \
    if (!(condition)) {                                                           \
      const char* reason = zwasm_last_error();                                    \
      printf("line %d: not so: %s (%s)\n", __LINE__, #condition, reason ? reason : ""); \
      failures++;                                                                 \
    }                                                                             \
  } while (0)

typedef zwasm_component_val_t val_t;
typedef zwasm_component_val_vec_t vals_t;

static wasm_engine_t* engine;
static wasm_store_t* store;

static zwasm_component_t* load(const char* path) {
  static char text[1 << 16];
  FILE* file = fopen(path, "rb");
  check(file != NULL, path);
  size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  wasm_byte_vec_t bytes;
  wasm_byte_vec_new(&bytes, size, text);
  zwasm_component_t* component = zwasm_component_new(engine, &bytes);
  check(component != NULL, path);
  wasm_byte_vec_delete(&bytes);
  return component;
}

/* Whether a trap has these words in its message; the trap is deleted. */
static bool says(wasm_trap_t* trap, const char* expected) {
  if (!trap) return false;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  bool found = strstr(message.data, expected) != NULL;
  if (!found) printf("the message is: %s\n", message.data);
  wasm_name_delete(&message);
  wasm_trap_delete(trap);
  return found;
}

static bool is_text(const val_t* value, const char* expected) {
  wasm_name_t text;
  if (!zwasm_component_val_to_text(value, &text)) return false;
  bool same = text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
  if (!same) printf("the value is: %.*s\n", (int)text.size, text.data);
  wasm_name_delete(&text);
  return same;
}

static val_t string(const char* text) {
  val_t value = {.kind = ZWASM_COMPONENT_STRING};
  wasm_name_new_from_string(&value.of.string, text);
  return value;
}

static void nothing_is_deleted(void) {
  zwasm_component_delete(NULL);
  zwasm_component_linker_delete(NULL);
  zwasm_component_instance_delete(NULL);
  zwasm_component_func_delete(NULL);
  zwasm_component_resource_delete(NULL);
  zwasm_component_val_delete(NULL);
  zwasm_component_val_free(NULL);
  zwasm_component_val_vec_delete(NULL);
  EXPECT(zwasm_component_resource_copy(NULL) == NULL);
}

/* One value that has all kinds of owners in it, and copies that do not share. */
static void values_own_what_they_hold(void) {
  val_t inner = string("x");
  val_t variant = {.kind = ZWASM_COMPONENT_VARIANT};
  wasm_name_new_from_string(&variant.of.variant.name, "some-case");
  variant.of.variant.payload = zwasm_component_val_new(&inner);
  EXPECT(inner.kind == ZWASM_COMPONENT_BOOL && !inner.of.boolean);
  val_t option = {.kind = ZWASM_COMPONENT_OPTION};
  option.of.option = zwasm_component_val_new(&variant);
  val_t flags = {.kind = ZWASM_COMPONENT_FLAGS};
  wasm_name_t names[2];
  wasm_name_new_from_string(&names[0], "read");
  wasm_name_new_from_string(&names[1], "write");
  zwasm_component_name_vec_new(&flags.of.flags, 2, names);
  zwasm_component_field_t fields[2];
  wasm_name_new_from_string(&fields[0].name, "a");
  fields[0].val = option;
  wasm_name_new_from_string(&fields[1].name, "b");
  fields[1].val = flags;
  val_t record = {.kind = ZWASM_COMPONENT_RECORD};
  zwasm_component_field_vec_new(&record.of.record, 2, fields);
  val_t result = {.kind = ZWASM_COMPONENT_RESULT};
  result.of.result.is_err = true;
  result.of.result.payload = zwasm_component_val_new(&record);

  val_t copy;
  zwasm_component_val_copy(&copy, &result);
  zwasm_component_val_delete(&result);
  EXPECT(result.kind == ZWASM_COMPONENT_BOOL);
  zwasm_component_val_delete(&result);
  EXPECT(is_text(&copy, "err({a: some(some-case(\"x\")), b: {read, write}})"));
  zwasm_component_val_delete(&copy);

  vals_t vec;
  zwasm_component_val_vec_new_uninitialized(&vec, 2);
  EXPECT(vec.size == 2 && vec.data[1].kind == ZWASM_COMPONENT_BOOL);
  vec.data[0] = string("freed with the vector");
  zwasm_component_val_vec_delete(&vec);
  EXPECT(vec.size == 0);
  val_t bad = {.kind = ZWASM_COMPONENT_CHAR, .of = {.character = 0x110000}};
  EXPECT(!is_text(&bad, ""));
  EXPECT(strstr(zwasm_last_error(), "no Unicode scalar value"));
  bad.kind = 200;
  EXPECT(!is_text(&bad, ""));
}

static int calls = 0;
static int finalized = 0;

static void finalize(void* env) {
  EXPECT(env == &finalized);
  finalized++;
}

/* Gives back its first argument. */
static wasm_trap_t* same(void* env, const vals_t* args, vals_t* results) {
  EXPECT(env == &finalized);
  calls++;
  if (results->size == 1) zwasm_component_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}

static wasm_trap_t* last(void* env, const vals_t* args, vals_t* results) {
  (void)env;
  vals_t list = args->data[0].of.list;
  val_t option = {.kind = ZWASM_COMPONENT_OPTION};
  if (list.size > 0) {
    val_t value;
    zwasm_component_val_copy(&value, &list.data[list.size - 1]);
    option.of.option = zwasm_component_val_new(&value);
  }
  results->data[0] = option;
  return NULL;
}

static wasm_trap_t* length(void* env, const vals_t* args, vals_t* results) {
  (void)env;
  results->data[0].kind = ZWASM_COMPONENT_U32;
  results->data[0].of.u32 = (uint32_t)args->data[0].of.string.size;
  return NULL;
}

static wasm_trap_t* refuse(void* env, const vals_t* args, vals_t* results) {
  (void)env, (void)args, (void)results;
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "the host refuses");
  wasm_trap_t* trap = wasm_trap_new(store, &message);
  wasm_name_delete(&message);
  return trap;
}

static const char KINDS[] = "test:echo/kinds";

/* A linker with all that the guest imports; `rename` is what one function is. */
static zwasm_component_linker_t* echo_linker(zwasm_component_callback_t rename) {
  zwasm_component_linker_t* linker = zwasm_component_linker_new(engine);
  void* env = &finalized;
  const struct {
    const char* name;
    zwasm_component_callback_t call;
  } functions[] = {
      {"move-point", same}, {"rename", rename}, {"largest", last},
      {"paint", same},      {"restrict", same}};
  for (size_t i = 0; i < 5; i++) {
    EXPECT(zwasm_component_linker_define_func(
        linker, KINDS, functions[i].name, functions[i].call, env, finalize));
  }
  EXPECT(zwasm_component_linker_define_func(linker, NULL, "answer", length, NULL, NULL));
  return linker;
}

static zwasm_component_instance_t* instance_of(
    const zwasm_component_linker_t* linker, const zwasm_component_t* component) {
  wasm_trap_t* trap = NULL;
  zwasm_component_instance_t* instance =
      zwasm_component_linker_instantiate(linker, store, component, &trap);
  check_trap(trap, "the component cannot be instantiated");
  return instance;
}

/* Calls a function as text says; whether the result is this text. */
static bool gives(
    const zwasm_component_instance_t* instance, const char* name, const char* call,
    const char* expected) {
  zwasm_component_func_t* func = zwasm_component_instance_func(instance, name);
  if (!func) return false;
  vals_t args;
  if (!zwasm_component_func_args_from_text(func, call, &args)) return false;
  val_t place;
  vals_t results = {1, &place};
  wasm_trap_t* trap = zwasm_component_func_call(func, &args, &results);
  bool same = !trap && is_text(&place, expected);
  if (trap) {
    wasm_trap_delete(trap);
  } else {
    zwasm_component_val_delete(&place);
  }
  zwasm_component_val_vec_delete(&args);
  zwasm_component_func_delete(func);
  return same;
}

static void values_go_both_ways(void) {
  zwasm_component_t* echo = load(ECHO);
  zwasm_component_linker_t* linker = echo_linker(same);
  EXPECT(!zwasm_component_linker_define_func(linker, NULL, "answer", length, NULL, NULL));
  EXPECT(strstr(zwasm_last_error(), "defined twice"));
  zwasm_component_instance_t* instance = instance_of(linker, echo);
  zwasm_component_linker_delete(linker);

  EXPECT(gives(instance, "run", "run(\"five!\")", "5"));
  EXPECT(gives(instance, "test:echo/kinds#move-point", "f({x: -1, y-coordinate: 2}, (3, 4))",
               "{x: -1, y-coordinate: 2}"));
  EXPECT(gives(instance, "test:echo/kinds#rename",
               "f({name: \"n\", at: {x: 1, y-coordinate: 2}, tags: [\"\", \"t\"]}, \"u\")",
               "{name: \"n\", at: {x: 1, y-coordinate: 2}, tags: [\"\", \"t\"]}"));
  EXPECT(gives(instance, "test:echo/kinds#largest", "f([dot, circle(1.5)])",
               "some(circle(1.5))"));
  EXPECT(gives(instance, "test:echo/kinds#largest", "f([])", "none"));
  EXPECT(gives(instance, "test:echo/kinds#restrict", "f({read, really-execute})",
               "{read, really-execute}"));
  EXPECT(calls == 3);

  /* `paint` gives a shape where a result is wanted. */
  zwasm_component_func_t* func =
      zwasm_component_instance_func(instance, "test:echo/kinds#paint");
  EXPECT(zwasm_component_func_param_count(func) == 2);
  EXPECT(zwasm_component_func_result_count(func) == 1);
  wasm_name_t name;
  EXPECT(zwasm_component_func_param_name(func, 1, &name));
  EXPECT(name.size == 1 && name.data[0] == 'c');
  wasm_name_delete(&name);
  EXPECT(!zwasm_component_func_param_name(func, 2, &name) && name.size == 0);
  vals_t args;
  EXPECT(!zwasm_component_func_args_from_text(func, "paint(dot, green)", &args));
  EXPECT(args.size == 0 && strstr(zwasm_last_error(), "green"));
  EXPECT(!zwasm_component_func_args_from_text(func, "paint(dot)", &args));
  EXPECT(zwasm_component_func_args_from_text(func, "paint(dot, red)", &args));
  val_t place;
  vals_t results = {1, &place};
  EXPECT(says(zwasm_component_func_call(func, &args, NULL), "result"));
  vals_t few = {1, args.data};
  EXPECT(says(zwasm_component_func_call(func, &few, &results), "argument"));
  zwasm_component_val_vec_delete(&args);
  zwasm_component_func_delete(func);

  EXPECT(zwasm_component_instance_func(instance, "walk") == NULL);
  EXPECT(strstr(zwasm_last_error(), "walk"));
  zwasm_component_instance_delete(instance);
  zwasm_component_delete(echo);
}

static void a_trap_of_the_host_stops_the_guest(void) {
  zwasm_component_t* echo = load(ECHO);
  zwasm_component_linker_t* linker = echo_linker(refuse);
  zwasm_component_instance_t* instance = instance_of(linker, echo);
  zwasm_component_func_t* func =
      zwasm_component_instance_func(instance, "test:echo/kinds#rename");
  vals_t args;
  EXPECT(zwasm_component_func_args_from_text(
      func, "f({name: \"\", at: {x: 0, y-coordinate: 0}, tags: []}, \"\")", &args));
  val_t place;
  vals_t results = {1, &place};
  EXPECT(says(zwasm_component_func_call(func, &args, &results), "the host refuses"));
  zwasm_component_val_vec_delete(&args);
  zwasm_component_func_delete(func);
  zwasm_component_instance_delete(instance);
  zwasm_component_linker_delete(linker);
  zwasm_component_delete(echo);
}

static void missing_imports_are_named(void) {
  zwasm_component_t* echo = load(ECHO);
  zwasm_component_linker_t* linker = zwasm_component_linker_new(engine);
  EXPECT(zwasm_component_linker_define_wasi(linker));
  wasm_trap_t* trap = NULL;
  EXPECT(zwasm_component_linker_instantiate(linker, store, echo, &trap) == NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_LINK);
  EXPECT(says(trap, "test:echo/kinds"));
  EXPECT(zwasm_component_linker_instantiate(linker, store, echo, NULL) == NULL);
  zwasm_component_linker_delete(linker);
  zwasm_component_delete(echo);
  wasm_byte_vec_t bytes;
  wasm_name_new_from_string(&bytes, "(component (oops))");
  EXPECT(zwasm_component_new(engine, &bytes) == NULL);
  EXPECT(strlen(zwasm_last_error()) > 0);
  wasm_byte_vec_delete(&bytes);
}

/* A resource that is a number, and how many of them there are. */
static const char NUMBERS[] =
    "(component"
    "  (core module $m"
    "    (global $left (mut i32) (i32.const 0))"
    "    (func (export \"count\") (result i32) (global.get $left))"
    "    (func (export \"up\") (global.set $left (i32.add (global.get $left) (i32.const 1))))"
    "    (func (export \"down\") (param i32)"
    "      (global.set $left (i32.sub (global.get $left) (i32.const 1))))"
    "    (func (export \"get\") (param i32) (result i32) (local.get 0)))"
    "  (core instance $m (instantiate $m))"
    "  (type $number' (resource (rep i32) (dtor (core func $m \"down\"))))"
    "  (core func $new (canon resource.new $number'))"
    "  (core func $drop (canon resource.drop $number'))"
    "  (core module $n"
    "    (import \"m\" \"up\" (func $up))"
    "    (import \"m\" \"new\" (func $new (param i32) (result i32)))"
    "    (import \"m\" \"drop\" (func $drop (param i32)))"
    "    (func (export \"make\") (param i32) (result i32)"
    "      (call $up) (call $new (local.get 0)))"
    "    (func (export \"take\") (param i32) (call $drop (local.get 0))))"
    "  (core instance $n (instantiate $n (with \"m\" (instance"
    "    (export \"up\" (func $m \"up\")) (export \"new\" (func $new))"
    "    (export \"drop\" (func $drop))))))"
    "  (export $number \"number\" (type $number'))"
    "  (func (export \"make\") (param \"value\" u32) (result (own $number))"
    "    (canon lift (core func $n \"make\")))"
    "  (func (export \"get\") (param \"of\" (borrow $number)) (result u32)"
    "    (canon lift (core func $m \"get\")))"
    "  (func (export \"take\") (param \"it\" (own $number)) (canon lift (core func $n \"take\")))"
    "  (func (export \"count\") (result u32) (canon lift (core func $m \"count\"))))";

/* The result of a function of one argument, or of none. */
static val_t result_of(
    const zwasm_component_instance_t* instance, const char* name, val_t* argument) {
  zwasm_component_func_t* func = zwasm_component_instance_func(instance, name);
  check(func != NULL, name);
  vals_t args = {argument ? 1 : 0, argument};
  val_t place = {.kind = ZWASM_COMPONENT_BOOL};
  vals_t results = {zwasm_component_func_result_count(func), &place};
  check_trap(zwasm_component_func_call(func, &args, &results), name);
  zwasm_component_func_delete(func);
  return place;
}

static uint32_t numbers_left(const zwasm_component_instance_t* instance) {
  val_t count = result_of(instance, "count", NULL);
  EXPECT(count.kind == ZWASM_COMPONENT_U32);
  return count.of.u32;
}

static void resources_live_until_they_are_dropped(void) {
  wasm_byte_vec_t text;
  wasm_byte_vec_new(&text, sizeof NUMBERS - 1, NUMBERS);
  zwasm_component_t* component = zwasm_component_new(engine, &text);
  check(component != NULL, "the component is not valid");
  wasm_byte_vec_delete(&text);
  zwasm_component_linker_t* linker = zwasm_component_linker_new(engine);
  zwasm_component_instance_t* instance = instance_of(linker, component);

  val_t seven = {.kind = ZWASM_COMPONENT_U32, .of = {.u32 = 7}};
  val_t number = result_of(instance, "make", &seven);
  EXPECT(number.kind == ZWASM_COMPONENT_RESOURCE);
  EXPECT(zwasm_component_resource_is_owned(number.of.resource));
  EXPECT(!is_text(&number, ""));
  EXPECT(result_of(instance, "get", &number).of.u32 == 7);
  EXPECT(numbers_left(instance) == 1);
  /* A copy is the same handle, and to delete it drops nothing. */
  zwasm_component_resource_t* copy = zwasm_component_resource_copy(number.of.resource);
  zwasm_component_val_delete(&number);
  EXPECT(numbers_left(instance) == 1);
  check_trap(zwasm_component_resource_drop(copy), "the resource is not dropped");
  EXPECT(numbers_left(instance) == 0);
  EXPECT(says(zwasm_component_resource_drop(copy), ""));
  zwasm_component_resource_delete(copy);

  /* A function that owns its argument takes it. */
  number = result_of(instance, "make", &seven);
  EXPECT(numbers_left(instance) == 1);
  result_of(instance, "take", &number);
  EXPECT(numbers_left(instance) == 0);
  EXPECT(says(zwasm_component_resource_drop(number.of.resource), ""));
  zwasm_component_val_delete(&number);

  zwasm_component_instance_delete(instance);
  zwasm_component_linker_delete(linker);
  zwasm_component_delete(component);
}

int main(void) {
  engine = wasm_engine_new();
  store = wasm_store_new(engine);
  nothing_is_deleted();
  values_own_what_they_hold();
  values_go_both_ways();
  a_trap_of_the_host_stops_the_guest();
  missing_imports_are_named();
  resources_live_until_they_are_dropped();
  wasm_store_delete(store);
  /* Of two linkers: five functions of the first, and of the second all but one. */
  EXPECT(finalized == 10);
  wasm_engine_delete(engine);
  return failures != 0;
}
