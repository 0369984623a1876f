/* What the headers promise and no example shows. Prints nothing when all holds. */

#include <pthread.h>

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

static wasm_engine_t* engine;
static wasm_store_t* store;

static wasm_instance_t* simple(const char* text) {
  wasm_extern_vec_t none = WASM_EMPTY_VEC;
  return instantiate(store, text, &none);
}

static wasm_func_t* exported(const wasm_instance_t* instance, const char* name) {
  wasm_extern_t* export = zwasm_instance_export(instance, name);
  EXPECT(export != NULL);
  return wasm_extern_as_func(export);
}

/* Whether a trap has this message; the trap is deleted. */
static bool says(wasm_trap_t* trap, const char* expected) {
  if (!trap) return false;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  bool same = strcmp(message.data, expected) == 0;
  if (!same) printf("the message is: %s\n", message.data);
  wasm_name_delete(&message);
  wasm_trap_delete(trap);
  return same;
}

static void nothing_is_deleted(void) {
  wasm_config_delete(NULL);
  wasm_engine_delete(NULL);
  wasm_store_delete(NULL);
  wasm_valtype_delete(NULL);
  wasm_functype_delete(NULL);
  wasm_importtype_delete(NULL);
  wasm_ref_delete(NULL);
  wasm_func_delete(NULL);
  wasm_trap_delete(NULL);
  wasm_frame_delete(NULL);
  wasm_shared_module_delete(NULL);
  wasm_val_delete(NULL);
  wasm_extern_vec_delete(NULL);
  zwasm_linker_delete(NULL);
  zwasm_wasi_delete(NULL);
  EXPECT(wasm_ref_copy(NULL) == NULL);
  EXPECT(wasm_ref_as_func(NULL) == NULL);
  EXPECT(wasm_extern_as_memory(NULL) == NULL);
}

static void vectors_own_their_elements(void) {
  wasm_valtype_t* types[] = {wasm_valtype_new_i32(), wasm_valtype_new_funcref()};
  wasm_valtype_vec_t vec, copy;
  wasm_valtype_vec_new(&vec, 2, types);
  wasm_valtype_vec_copy(&copy, &vec);
  EXPECT(copy.size == 2 && copy.data[1] != vec.data[1]);
  EXPECT(wasm_valtype_kind(copy.data[1]) == WASM_FUNCREF);
  wasm_valtype_vec_delete(&vec);
  EXPECT(vec.size == 0);
  wasm_valtype_vec_delete(&vec);
  EXPECT(wasm_valtype_is_num(copy.data[0]) && wasm_valtype_is_ref(copy.data[1]));
  wasm_valtype_vec_delete(&copy);

  wasm_extern_vec_t empty;
  wasm_extern_vec_new_uninitialized(&empty, 3);
  EXPECT(empty.size == 3 && empty.data[2] == NULL);
  wasm_extern_vec_delete(&empty);
  wasm_extern_vec_new_empty(&empty);
  EXPECT(empty.size == 0);

  wasm_byte_vec_t huge;
  wasm_byte_vec_new_uninitialized(&huge, SIZE_MAX);
  EXPECT(huge.size == 0);
}

static void types_are_taken_apart(void) {
  EXPECT(wasm_valtype_new(77) == NULL);
  wasm_limits_t limits = {1, 2};
  EXPECT(wasm_tabletype_new(wasm_valtype_new_i32(), &limits) == NULL);

  wasm_name_t module, name;
  wasm_name_new_from_string(&module, "env");
  wasm_name_new_from_string(&name, "mem");
  wasm_importtype_t* import = wasm_importtype_new(
      &module, &name, wasm_memorytype_as_externtype(wasm_memorytype_new(&limits)));
  wasm_importtype_t* copy = wasm_importtype_copy(import);
  wasm_importtype_delete(import);
  EXPECT(wasm_importtype_name(copy)->size == 3);
  const wasm_externtype_t* type = wasm_importtype_type(copy);
  EXPECT(wasm_externtype_as_functype_const(type) == NULL);
  const wasm_memorytype_t* memory = wasm_externtype_as_memorytype_const(type);
  EXPECT(wasm_memorytype_limits(memory)->max == 2);
  EXPECT(!zwasm_memorytype_is64(memory));
  wasm_importtype_delete(copy);

  wasm_memorytype_t* wide = zwasm_memorytype_new64(1, UINT64_MAX);
  EXPECT(zwasm_memorytype_is64(wide));
  EXPECT(wasm_memorytype_limits(wide)->max == wasm_limits_max_default);
  wasm_memory_t* made = wasm_memory_new(store, wide);
  EXPECT(made && wasm_memory_size(made) == 1);
  wasm_memory_delete(made);
  wasm_memorytype_delete(wide);

  wasm_limits_t wrong = {5, 1};
  wasm_memorytype_t* wrong_type = wasm_memorytype_new(&wrong);
  EXPECT(wasm_memory_new(store, wrong_type) == NULL);
  wasm_memorytype_delete(wrong_type);
  wasm_tabletype_t* wrong_table = wasm_tabletype_new(wasm_valtype_new_funcref(), &wrong);
  EXPECT(wasm_table_new(store, wrong_table, NULL) == NULL);
  wasm_tabletype_delete(wrong_table);
}

static own wasm_trap_t* swap_lanes(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  uint8_t lanes[16], swapped[16];
  EXPECT(zwasm_val_v128(&args->data[0], lanes));
  for (int i = 0; i < 16; i++) swapped[i] = lanes[15 - i];
  EXPECT(zwasm_val_v128(&results->data[0], lanes) && lanes[0] == 0 && lanes[15] == 0);
  zwasm_val_new_v128(&results->data[0], swapped);
  return NULL;
}

static void vectors_cross(void) {
  wasm_functype_t* type =
      wasm_functype_new_1_1(wasm_valtype_new(ZWASM_V128), wasm_valtype_new(ZWASM_V128));
  wasm_func_t* host = wasm_func_new(store, type, swap_lanes);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(host)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(
      store,
      "(module (import \"\" \"\" (func $swap (param v128) (result v128)))"
      "  (global (export \"g\") (mut v128) (v128.const i64x2 0 7))"
      "  (func (export \"f\") (param v128) (result v128) (call $swap (local.get 0))))",
      &imports);
  uint8_t lanes[16], out[16];
  for (int i = 0; i < 16; i++) lanes[i] = (uint8_t)(i + 1);
  wasm_val_t value[1], result[1], copy;
  zwasm_val_new_v128(&value[0], lanes);
  wasm_val_vec_t args = WASM_ARRAY_VEC(value), results = WASM_ARRAY_VEC(result);
  wasm_func_t* f = exported(instance, "f");
  EXPECT(wasm_func_call(f, &args, &results) == NULL);
  EXPECT(result[0].kind == ZWASM_V128 && zwasm_val_v128(&result[0], out));
  for (int i = 0; i < 16; i++) EXPECT(out[i] == 16 - i);
  wasm_val_copy(&copy, &result[0]);
  wasm_val_delete(&result[0]);
  EXPECT(zwasm_val_v128(&copy, out) && out[0] == 16);
  wasm_extern_t* item = zwasm_instance_export(instance, "g");
  wasm_global_t* global = wasm_extern_as_global(item);
  wasm_global_set(global, &copy);
  wasm_val_delete(&copy);
  wasm_global_get(global, &copy);
  EXPECT(zwasm_val_v128(&copy, out) && out[15] == 1);
  wasm_val_t number = WASM_I64_VAL(5);
  EXPECT(!zwasm_val_v128(&number, out) && out[15] == 1);
  /* A vector without a pointer is zero. */
  wasm_val_t zero = {.kind = ZWASM_V128, .of = {.ref = NULL}};
  EXPECT(zwasm_val_v128(&zero, out) && out[15] == 0);
  wasm_val_delete(&copy);
  wasm_val_delete(&value[0]);
  wasm_extern_delete(item);
  wasm_func_delete(f);
  wasm_func_delete(host);
  wasm_instance_delete(instance);
}

static void objects_are_looked_into(void) {
  wasm_instance_t* instance = simple(
      "(module"
      "  (type $s (struct (field i32) (field (mut i8)) (field (mut anyref)) (field v128)))"
      "  (type $a (array (mut f64)))"
      "  (func (export \"struct\") (result anyref) (struct.new $s (i32.const 3) (i32.const 200)"
      "    (array.new $a (f64.const 1.5) (i32.const 4)) (v128.const i64x2 9 0)))"
      "  (func (export \"second\") (param anyref) (result i32)"
      "    (struct.get_s $s 1 (ref.cast (ref $s) (local.get 0)))))");
  wasm_func_t* make = exported(instance, "struct");
  wasm_func_t* second = exported(instance, "second");
  wasm_val_t object[1], result[1], value;
  wasm_val_vec_t none = WASM_EMPTY_VEC, objects = WASM_ARRAY_VEC(object);
  wasm_val_vec_t results = WASM_ARRAY_VEC(result);
  EXPECT(wasm_func_call(make, &none, &objects) == NULL);
  wasm_ref_t* structure = object[0].of.ref;
  EXPECT(zwasm_ref_objectkind(structure) == ZWASM_OBJECT_STRUCT);
  EXPECT(zwasm_ref_length(structure) == 4);
  EXPECT(zwasm_ref_get(structure, 0, &value) && value.kind == WASM_I32 && value.of.i32 == 3);
  EXPECT(zwasm_ref_get(structure, 1, &value) && value.of.i32 == 200);
  EXPECT(!zwasm_ref_get(structure, 4, &value));
  EXPECT(!zwasm_ref_set(structure, 0, &value));
  value.of.i32 = -3;
  EXPECT(zwasm_ref_set(structure, 1, &value));
  EXPECT(wasm_func_call(second, &objects, &results) == NULL && result[0].of.i32 == -3);
  uint8_t lanes[16];
  EXPECT(zwasm_ref_get(structure, 3, &value) && zwasm_val_v128(&value, lanes) && lanes[0] == 9);
  wasm_val_delete(&value);

  wasm_val_t array;
  EXPECT(zwasm_ref_get(structure, 2, &array) && array.kind == ZWASM_ANYREF);
  EXPECT(zwasm_ref_objectkind(array.of.ref) == ZWASM_OBJECT_ARRAY);
  EXPECT(zwasm_ref_length(array.of.ref) == 4);
  value = (wasm_val_t)WASM_F64_VAL(2.5);
  EXPECT(zwasm_ref_set(array.of.ref, 3, &value) && !zwasm_ref_set(array.of.ref, 4, &value));
  EXPECT(!zwasm_ref_set(array.of.ref, SIZE_MAX, &value));
  EXPECT(zwasm_ref_get(array.of.ref, 3, &value) && value.of.f64 == 2.5);
  value = (wasm_val_t)WASM_I32_VAL(1);
  EXPECT(!zwasm_ref_set(array.of.ref, 0, &value));

  int32_t integer;
  EXPECT(!zwasm_ref_i31(array.of.ref, &integer));
  wasm_val_t small = {.kind = ZWASM_ANYREF, .of = {.ref = zwasm_ref_new_i31(store, -7)}};
  EXPECT(zwasm_ref_objectkind(small.of.ref) == ZWASM_OBJECT_I31);
  EXPECT(zwasm_ref_i31(small.of.ref, &integer) && integer == -7);
  EXPECT(zwasm_ref_length(small.of.ref) == 0 && !zwasm_ref_get(small.of.ref, 0, &value));
  EXPECT(zwasm_ref_set(structure, 2, &small));
  EXPECT(zwasm_ref_objectkind(NULL) == ZWASM_OBJECT_NONE);
  EXPECT(zwasm_ref_objectkind(wasm_instance_as_ref(instance)) == ZWASM_OBJECT_NONE);
  wasm_val_delete(&small);
  wasm_val_delete(&array);
  wasm_val_delete(&object[0]);
  wasm_func_delete(make);
  wasm_func_delete(second);
  wasm_instance_delete(instance);
}

static void bad_calls_are_traps(void) {
  wasm_instance_t* instance = simple(
      "(module (func (export \"f\") (param i32 externref) (result i64) (i64.const 1))"
      "  (func (export \"v\") (result v128) (v128.const i64x2 1 2)))");
  wasm_func_t* f = exported(instance, "f");
  wasm_val_t values[] = {WASM_I32_VAL(1), WASM_INIT_VAL};
  wasm_val_t result[1] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(values), results = WASM_ARRAY_VEC(result);
  wasm_val_vec_t none = WASM_EMPTY_VEC;
  EXPECT(wasm_func_call(f, &args, &results) == NULL);
  EXPECT(result[0].kind == WASM_I64 && result[0].of.i64 == 1);
  EXPECT(says(wasm_func_call(f, &none, &results), "expected 2 arguments, got 0"));
  EXPECT(says(wasm_func_call(f, &args, NULL), "expected 1 results, got 0"));
  values[0] = (wasm_val_t)WASM_F32_VAL(1);
  wasm_trap_t* trap = wasm_func_call(f, &args, &results);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_HOST);
  wasm_trap_delete(trap);
  values[0] = (wasm_val_t)WASM_INIT_VAL;
  wasm_trap_delete(trap = wasm_func_call(f, &args, &results));
  EXPECT(trap != NULL);
  values[0].kind = 200;
  EXPECT(says(wasm_func_call(f, &args, &results), "expected a value of type i32, got a reference"));
  values[0].kind = 9;
  EXPECT(says(wasm_func_call(f, &args, &results), "no value is of kind 9"));
  wasm_func_t* v = exported(instance, "v");
  wasm_functype_t* type = wasm_func_type(v);
  EXPECT(wasm_valtype_kind(wasm_functype_results(type)->data[0]) == ZWASM_V128);
  wasm_functype_delete(type);
  /* A global has the kind of an external, but is no function. */
  wasm_global_t* global = (wasm_global_t*)wasm_func_as_extern(f);
  wasm_val_t value;
  wasm_global_get(global, &value);
  EXPECT(strcmp(zwasm_last_error(), "the object is not a global") == 0);
  wasm_func_delete(f);
  wasm_func_delete(v);
  wasm_instance_delete(instance);
}

static void bad_modules_have_reasons(void) {
  wasm_byte_vec_t bytes;
  wasm_byte_vec_new(&bytes, 4, "\0asm");
  EXPECT(!wasm_module_validate(store, &bytes));
  EXPECT(wasm_module_new(store, &bytes) == NULL);
  EXPECT(strstr(zwasm_last_error(), "invalid module") != NULL);
  EXPECT(wasm_module_deserialize(store, &bytes) == NULL);
  wasm_byte_vec_delete(&bytes);
  EXPECT(!zwasm_wat2wasm("(module (func (i32.const)))", &bytes));
  EXPECT(bytes.size == 0);

  wasm_module_t* module = compile(store, "(module (import \"a\" \"b\" (func)))");
  wasm_extern_vec_t none = WASM_EMPTY_VEC;
  wasm_trap_t* trap = NULL;
  EXPECT(wasm_instance_new(store, module, &none, &trap) == NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_LINK);
  EXPECT(says(trap, "wrong number of imports provided, 0 != 1"));
  wasm_extern_t* null[] = {NULL};
  wasm_extern_vec_t nulls = WASM_ARRAY_VEC(null);
  EXPECT(wasm_instance_new(store, module, &nulls, &trap) == NULL);
  wasm_trap_delete(trap);
  /* Something of another store. */
  wasm_store_t* other = wasm_store_new(engine);
  wasm_limits_t limits = {1, 1};
  wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  wasm_memory_t* memory = wasm_memory_new(other, type);
  wasm_memorytype_delete(type);
  wasm_extern_t* foreign[] = {wasm_memory_as_extern(memory)};
  wasm_extern_vec_t foreigns = WASM_ARRAY_VEC(foreign);
  EXPECT(wasm_instance_new(store, module, &foreigns, &trap) == NULL);
  EXPECT(says(trap, "cross-`Store` use is not supported: a handle was used with another store than its own"));
  wasm_store_delete(other);
  /* The memory keeps its store. */
  EXPECT(wasm_memory_size(memory) == 1);
  wasm_memory_delete(memory);
  wasm_module_delete(module);
}

static void objects_of_the_guest_come_and_go(void) {
  wasm_instance_t* instance = simple(
      "(module (type $box (struct (field (mut i32))))"
      "  (func (export \"new\") (param i32) (result anyref)"
      "    (struct.new $box (local.get 0)))"
      "  (func (export \"get\") (param anyref) (result i32)"
      "    (struct.get $box 0 (ref.cast (ref $box) (local.get 0))))"
      "  (func (export \"out\") (param anyref) (result externref)"
      "    (extern.convert_any (local.get 0)))"
      "  (func (export \"in\") (param externref) (result anyref)"
      "    (any.convert_extern (local.get 0)))"
      "  (func (export \"small\") (result i31ref) (ref.i31 (i32.const 5))))");
  wasm_func_t* make = exported(instance, "new");
  wasm_func_t* get = exported(instance, "get");
  wasm_val_t arg[1] = {WASM_I32_VAL(11)}, first[1], second[1], number[1];
  wasm_val_vec_t args = WASM_ARRAY_VEC(arg), firsts = WASM_ARRAY_VEC(first);
  wasm_val_vec_t seconds = WASM_ARRAY_VEC(second), numbers = WASM_ARRAY_VEC(number);
  EXPECT(wasm_func_call(make, &args, &firsts) == NULL);
  arg[0].of.i32 = 22;
  EXPECT(wasm_func_call(make, &args, &seconds) == NULL);
  EXPECT(first[0].kind == ZWASM_ANYREF);
  EXPECT(!wasm_ref_same(first[0].of.ref, second[0].of.ref));
  EXPECT(wasm_func_call(get, &firsts, &numbers) == NULL && number[0].of.i32 == 11);

  /* As an externref and back it is the same. */
  wasm_val_t outside[1], inside[1];
  wasm_val_vec_t outsides = WASM_ARRAY_VEC(outside), insides = WASM_ARRAY_VEC(inside);
  wasm_func_t* out = exported(instance, "out");
  wasm_func_t* in = exported(instance, "in");
  EXPECT(wasm_func_call(out, &seconds, &outsides) == NULL);
  EXPECT(outside[0].kind == WASM_EXTERNREF);
  EXPECT(wasm_func_call(in, &outsides, &insides) == NULL);
  EXPECT(wasm_ref_same(inside[0].of.ref, second[0].of.ref));
  int info = 0;
  wasm_ref_set_host_info(second[0].of.ref, &info);
  EXPECT(wasm_ref_get_host_info(inside[0].of.ref) == &info);
  EXPECT(wasm_ref_get_host_info(first[0].of.ref) == NULL);

  /* A foreign object is one of the host's inside as well. */
  wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_val_t given[1] = {WASM_REF_VAL(wasm_foreign_as_ref(foreign))};
  wasm_val_vec_t givens = WASM_ARRAY_VEC(given);
  wasm_val_delete(&inside[0]);
  EXPECT(wasm_func_call(in, &givens, &insides) == NULL);
  EXPECT(inside[0].kind == ZWASM_ANYREF);
  EXPECT(wasm_ref_as_foreign(inside[0].of.ref) != NULL);
  EXPECT(wasm_ref_same(inside[0].of.ref, given[0].of.ref));
  wasm_trap_t* trap = wasm_func_call(get, &insides, &numbers);
  EXPECT(says(trap, "cast failure"));
  /* So is any other reference. */
  given[0].of.ref = wasm_instance_as_ref(instance);
  wasm_val_delete(&inside[0]);
  EXPECT(wasm_func_call(in, &givens, &insides) == NULL);
  EXPECT(wasm_instance_same(wasm_ref_as_instance(inside[0].of.ref), instance));

  wasm_foreign_delete(foreign);
  wasm_val_delete(&first[0]);
  wasm_val_delete(&second[0]);
  wasm_val_delete(&outside[0]);
  wasm_val_delete(&inside[0]);
  EXPECT(first[0].kind == WASM_I32);
  wasm_func_delete(make);
  wasm_func_delete(get);
  wasm_func_delete(out);
  wasm_func_delete(in);
  wasm_instance_delete(instance);
}

/* Calls the function in `env` and passes on what it throws. */
static own wasm_trap_t* through(
    void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  return wasm_func_call(env, args, results);
}

static void exceptions_pass_through_the_host(void) {
  wasm_tagtype_t* tag_type = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
  wasm_extern_t* tag = zwasm_tag_new(store, tag_type);
  wasm_tagtype_delete(tag_type);
  EXPECT(tag && wasm_extern_kind(tag) == WASM_EXTERN_TAG);
  wasm_extern_t* only_tag[] = {tag};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(only_tag);
  wasm_instance_t* thrower = instantiate(
      store,
      "(module (import \"\" \"t\" (tag $t (param i32)))"
      "  (func (export \"throw\") (throw $t (i32.const 9))))",
      &imports);
  wasm_func_t* throws = exported(thrower, "throw");
  wasm_functype_t* type = wasm_functype_new_0_0();
  wasm_func_t* host = wasm_func_new_with_env(store, type, through, throws, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* both[] = {tag, wasm_func_as_extern(host)};
  wasm_extern_vec_t imports2 = WASM_ARRAY_VEC(both);
  wasm_instance_t* catcher = instantiate(
      store,
      "(module (import \"\" \"t\" (tag $t (param i32))) (import \"\" \"f\" (func $f))"
      "  (func (export \"catch\") (result i32)"
      "    (block $h (result i32)"
      "      (try_table (catch $t $h) (call $f)) (i32.const 0))))",
      &imports2);
  wasm_func_t* catches = exported(catcher, "catch");
  EXPECT(call(catches, 0, 0) == 9);
  wasm_func_delete(catches);

  wasm_trap_t* trap = wasm_func_call(throws, NULL, NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_EXCEPTION);
  EXPECT(says(trap, "uncaught exception with i32 9"));
  wasm_extern_delete(tag);
  wasm_func_delete(host);
  wasm_func_delete(throws);
  wasm_instance_delete(thrower);
  wasm_instance_delete(catcher);
}

/* The type of an import has a supertype, which no type made here has. */
static void an_import_can_be_made_with_its_type(void) {
  wasm_module_t* module = compile(
      store,
      "(module (type $base (sub (func))) (type $sub (sub $base (func)))"
      "  (import \"\" \"f\" (func (type $sub))))");
  wasm_importtype_vec_t needs;
  wasm_module_imports(module, &needs);
  EXPECT(needs.size == 1);
  const wasm_externtype_t* type = wasm_importtype_type(needs.data[0]);
  wasm_func_t* made = wasm_func_new_with_env(
      store, wasm_externtype_as_functype_const(type), through, NULL, NULL);
  wasm_functype_t* plain_type = wasm_functype_new_0_0();
  wasm_func_t* plain = wasm_func_new_with_env(store, plain_type, through, NULL, NULL);
  wasm_extern_t *fits[] = {wasm_func_as_extern(made)}, *does_not[] = {wasm_func_as_extern(plain)};
  wasm_extern_vec_t right = WASM_ARRAY_VEC(fits), wrong = WASM_ARRAY_VEC(does_not);
  wasm_instance_t* instance = wasm_instance_new(store, module, &right, NULL);
  EXPECT(instance != NULL);
  EXPECT(wasm_instance_new(store, module, &wrong, NULL) == NULL);
  wasm_importtype_vec_delete(&needs);
  wasm_functype_delete(plain_type);
  wasm_func_delete(made);
  wasm_func_delete(plain);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
}

static void exceptions_are_values(void) {
  wasm_instance_t* instance = simple(
      "(module (tag $t (param i32))"
      "  (func (export \"catch\") (result exnref)"
      "    (block $h (result exnref)"
      "      (try_table (catch_all_ref $h) (throw $t (i32.const 3))) (unreachable)))"
      "  (func (export \"throw\") (param exnref) (throw_ref (local.get 0))))");
  wasm_func_t* catches = exported(instance, "catch");
  wasm_func_t* throws = exported(instance, "throw");
  wasm_val_t exn[1];
  wasm_val_vec_t exns = WASM_ARRAY_VEC(exn), none = WASM_EMPTY_VEC;
  EXPECT(wasm_func_call(catches, &none, &exns) == NULL);
  EXPECT(exn[0].kind == ZWASM_EXNREF && exn[0].of.ref);
  EXPECT(says(wasm_func_call(throws, &exns, &none), "uncaught exception with i32 3"));
  wasm_val_t copy;
  wasm_val_copy(&copy, &exn[0]);
  EXPECT(wasm_ref_same(copy.of.ref, exn[0].of.ref));
  wasm_val_delete(&copy);
  wasm_val_delete(&exn[0]);
  wasm_func_delete(catches);
  wasm_func_delete(throws);
  wasm_instance_delete(instance);
}

static void nan_is_canonical(void) {
  wasm_config_t* config = wasm_config_new();
  zwasm_config_deterministic(config, true);
  wasm_engine_t* deterministic = wasm_engine_new_with_config(config);
  wasm_store_t* outer = store;
  store = wasm_store_new(deterministic);
  wasm_instance_t* instance = simple(
      "(module (func (export \"f\") (param f32) (result i32)"
      "  (i32.reinterpret_f32 (f32.add (local.get 0) (local.get 0)))))");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_val_t argument = {.kind = WASM_F32, .of = {.f32 = -__builtin_nanf("")}};
  wasm_val_t result = WASM_INIT_VAL;
  wasm_val_vec_t arguments = {1, &argument}, results = {1, &result};
  EXPECT(!wasm_func_call(wasm_extern_as_func(exports.data[0]), &arguments, &results));
  EXPECT(result.of.i32 == 0x7FC00000);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(deterministic);
  store = outer;
}

static void limits_hold(void) {
  wasm_config_t* config = wasm_config_new();
  zwasm_config_max_memory(config, 2 * MEMORY_PAGE_SIZE);
  zwasm_config_max_table_elements(config, 10);
  zwasm_config_max_stack(config, 1 << 17);
  zwasm_config_max_gc_heap(config, 1 << 16);
  zwasm_config_max_code(config, 1 << 12);
  zwasm_config_guard_pages(config, false);
  zwasm_config_signals_based_traps(config, false);
  EXPECT(zwasm_config_feature(config, "simd", false));
  EXPECT(!zwasm_config_feature(config, "flight", true));
  EXPECT(!zwasm_config_strategy(config, 200));
  wasm_engine_t* limited = wasm_engine_new_with_config(config);
  wasm_store_t* outer = store;
  store = wasm_store_new(limited);
  wasm_instance_t* instance = simple(
      "(module (memory (export \"m\") 1) (table (export \"t\") 1 funcref)"
      "  (type $a (array i8))"
      "  (func $deep (export \"deep\") (call $deep))"
      "  (func (export \"big\") (drop (array.new $a (i32.const 0) (i32.const 100000)))))");
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  EXPECT(wasm_memory_grow(wasm_extern_as_memory(exports.data[0]), 1));
  EXPECT(!wasm_memory_grow(wasm_extern_as_memory(exports.data[0]), 1));
  EXPECT(!wasm_table_grow(wasm_extern_as_table(exports.data[1]), 10, NULL));
  wasm_trap_t* trap = wasm_func_call(func_at(&exports, 2), NULL, NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_STACK_OVERFLOW);
  wasm_frame_t* frame = wasm_trap_origin(trap);
  const wasm_name_t* name = zwasm_frame_func_name(frame);
  EXPECT(name && name->size == 4 && memcmp(name->data, "deep", 4) == 0);
  wasm_frame_t* copy = wasm_frame_copy(frame);
  wasm_frame_delete(frame);
  EXPECT(wasm_frame_func_index(copy) == 0);
  wasm_frame_delete(copy);
  EXPECT(says(trap, "call stack exhausted"));
  trap = wasm_func_call(func_at(&exports, 3), NULL, NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_LIMIT);
  wasm_trap_delete(trap);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  wasm_engine_delete(limited);
  store = outer;

  config = wasm_config_new();
  zwasm_config_max_stack(config, 1);
  EXPECT(wasm_engine_new_with_config(config) == NULL);
}

/* Whether growing by a page fails, and what is made beyond the limit is a trap. */
static void holds_two_pages_in_all(wasm_store_t* limited) {
  wasm_store_t* outer = store;
  store = limited;
  wasm_instance_t* instance = simple("(module (memory (export \"m\") 1))");
  wasm_extern_t* export = zwasm_instance_export(instance, "m");
  wasm_memory_t* memory = wasm_extern_as_memory(export);
  EXPECT(wasm_memory_grow(memory, 0));
  EXPECT(!wasm_memory_grow(memory, 1));
  EXPECT(wasm_memory_size(memory) == 1);
  wasm_byte_vec_t binary;
  EXPECT(zwasm_wat2wasm("(module (memory 1))", &binary));
  wasm_module_t* module = wasm_module_new(store, &binary);
  wasm_trap_t* trap = NULL;
  wasm_extern_vec_t none = WASM_EMPTY_VEC;
  EXPECT(wasm_instance_new(store, module, &none, &trap) == NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_LIMIT);
  wasm_trap_delete(trap);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&binary);
  wasm_extern_delete(export);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  store = outer;
}

static void limits_in_all_hold(void) {
  const uint64_t total = MEMORY_PAGE_SIZE * 2 - 1;
  wasm_config_t* config = wasm_config_new();
  zwasm_config_max_total(config, total);
  wasm_engine_t* limited = wasm_engine_new_with_config(config);
  holds_two_pages_in_all(wasm_store_new(limited));
  wasm_engine_delete(limited);

  zwasm_store_limits_t limits = ZWASM_NO_LIMITS;
  limits.total_bytes = total;
  wasm_store_t* one = wasm_store_new(engine);
  zwasm_store_set_limits(one, &limits);
  holds_two_pages_in_all(one);

  /* Exceptions have a limit of their own. */
  wasm_store_t* outer = store;
  store = wasm_store_new(engine);
  limits = (zwasm_store_limits_t)ZWASM_NO_LIMITS;
  limits.exceptions_bytes = 0;
  zwasm_store_set_limits(store, &limits);
  wasm_instance_t* instance = simple(
      "(module (tag $e) (func (export \"f\")"
      "  (block $h (try_table (catch_all $h) (throw $e)))))");
  wasm_func_t* func = exported(instance, "f");
  wasm_trap_t* trap = wasm_func_call(func, NULL, NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_LIMIT);
  wasm_trap_delete(trap);
  wasm_func_delete(func);
  wasm_instance_delete(instance);
  wasm_store_delete(store);
  store = outer;
}

static bool last_error_has(const char* words) {
  const char* reason = zwasm_last_error();
  return reason && strstr(reason, words);
}

/* Types of one engine's modules where another's are wanted. */
static void types_of_another_engine_are_refused(void) {
  wasm_engine_t* other = wasm_engine_new();
  wasm_store_t* elsewhere = wasm_store_new(other);
  wasm_byte_vec_t binary;
  EXPECT(zwasm_wat2wasm(
      "(module (type $s (struct (field i64)))"
      "  (import \"\" \"f\" (func (param (ref null $s))))"
      "  (import \"\" \"g\" (global (ref null $s)))"
      "  (import \"\" \"t\" (table 1 (ref null $s)))"
      "  (import \"\" \"e\" (tag (param (ref null $s)))))", &binary));
  wasm_module_t* module = wasm_module_new(elsewhere, &binary);
  wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  const wasm_externtype_t* types[4];
  for (int i = 0; i < 4; i++) types[i] = wasm_importtype_type(imports.data[i]);
  const wasm_functype_t* func = wasm_externtype_as_functype_const(types[0]);
  const wasm_globaltype_t* global = wasm_externtype_as_globaltype_const(types[1]);
  const wasm_tabletype_t* table = wasm_externtype_as_tabletype_const(types[2]);
  const wasm_tagtype_t* tag = wasm_externtype_as_tagtype_const(types[3]);
  wasm_val_t null = WASM_REF_VAL(NULL);
  EXPECT(wasm_func_new(store, func, NULL) == NULL && last_error_has("wrong engine"));
  EXPECT(wasm_global_new(store, global, &null) == NULL && last_error_has("wrong engine"));
  EXPECT(wasm_table_new(store, table, NULL) == NULL && last_error_has("wrong engine"));
  EXPECT(zwasm_tag_new(store, tag) == NULL && last_error_has("wrong engine"));
  wasm_table_t* fitting = wasm_table_new(elsewhere, table, NULL);
  EXPECT(fitting != NULL);
  wasm_table_delete(fitting);
  wasm_importtype_vec_delete(&imports);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&binary);
  wasm_store_delete(elsewhere);
  wasm_engine_delete(other);
}

/* A reference of another store goes through the guest and stays what it was. */
static void a_reference_stays_in_its_store(void) {
  wasm_instance_t* echo = simple(
      "(module (global $g (mut externref) (ref.null extern))"
      "  (func (export \"put\") (param externref) (global.set $g (local.get 0)))"
      "  (func (export \"get\") (result externref) (global.get $g)))");
  wasm_func_t* put = exported(echo, "put");
  wasm_func_t* get = exported(echo, "get");
  wasm_store_t* elsewhere = wasm_store_new(engine);
  wasm_extern_vec_t none = WASM_EMPTY_VEC;
  wasm_instance_t* other = instantiate(
      elsewhere, "(module (func (export \"f\") (result i32) (i32.const 6)))", &none);
  wasm_func_t* func = exported(other, "f");

  wasm_val_t given[1] = {WASM_REF_VAL(wasm_func_as_ref(func))};
  wasm_val_t back[1] = {WASM_INIT_VAL};
  wasm_val_vec_t arguments = WASM_ARRAY_VEC(given), results = WASM_ARRAY_VEC(back);
  wasm_val_vec_t nothing = WASM_EMPTY_VEC;
  EXPECT(!wasm_func_call(put, &arguments, &nothing));
  EXPECT(!wasm_func_call(get, &nothing, &results));
  wasm_func_t* same = wasm_ref_as_func(back[0].of.ref);
  EXPECT(same && wasm_func_result_arity(same) == 1);
  EXPECT(call(same, 0, 0) == 6);
  EXPECT(wasm_ref_same(back[0].of.ref, wasm_func_as_ref(func)));
  wasm_val_delete(&back[0]);
  /* As a function it is none of this store's. */
  wasm_extern_t* imports[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t foreigns = WASM_ARRAY_VEC(imports);
  wasm_byte_vec_t binary;
  EXPECT(zwasm_wat2wasm("(module (import \"\" \"f\" (func (result i32))))", &binary));
  wasm_module_t* module = wasm_module_new(store, &binary);
  EXPECT(wasm_instance_new(store, module, &foreigns, NULL) == NULL);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&binary);

  wasm_func_delete(func);
  wasm_instance_delete(other);
  wasm_store_delete(elsewhere);
  wasm_trap_t* trap = wasm_func_call(get, &nothing, &results);
  EXPECT(trap && last_error_has("has been deleted"));
  wasm_trap_delete(trap);
  wasm_func_delete(put);
  wasm_func_delete(get);
  wasm_instance_delete(echo);
}

static zwasm_linker_t* running;
static bool defined;

static wasm_trap_t* define_more(const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  defined = zwasm_linker_define_wasi(running);
  return NULL;
}

static void a_linker_that_runs_is_not_changed(void) {
  running = zwasm_linker_new(engine);
  wasm_functype_t* type = wasm_functype_new_0_0();
  wasm_func_t* func = wasm_func_new(store, type, define_more);
  wasm_functype_delete(type);
  EXPECT(zwasm_linker_define(running, "m", "f", wasm_func_as_extern(func)));
  wasm_byte_vec_t binary;
  EXPECT(zwasm_wat2wasm("(module (import \"m\" \"f\" (func $f)) (start $f))", &binary));
  wasm_module_t* module = wasm_module_new(store, &binary);
  defined = true;
  wasm_instance_t* instance = zwasm_linker_instantiate(running, store, module, NULL);
  EXPECT(instance != NULL && !defined && last_error_has("instantiating"));
  EXPECT(zwasm_linker_define_wasi(running));
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_byte_vec_delete(&binary);
  wasm_func_delete(func);
  zwasm_linker_delete(running);
}

static void names_link_modules(void) {
  wasm_instance_t* first = simple(
      "(module (func (export \"one\") (result i32) (i32.const 1))"
      "  (memory (export \"memory\") 1))");
  zwasm_linker_t* linker = zwasm_linker_new(engine);
  EXPECT(zwasm_linker_define_instance(linker, "first", first));
  EXPECT(!zwasm_linker_define_instance(linker, "first", first));
  EXPECT(strstr(zwasm_last_error(), "twice") != NULL);
  zwasm_linker_allow_shadowing(linker, true);
  wasm_extern_t* one = zwasm_instance_export(first, "one");
  EXPECT(zwasm_linker_define(linker, "first", "one", one));
  EXPECT(!zwasm_linker_define(linker, "first", NULL, one));
  EXPECT(!zwasm_linker_define(linker, "first", "\xff", one));
  wasm_extern_delete(one);
  EXPECT(zwasm_instance_export(first, "two") == NULL);
  wasm_module_t* module = compile(
      store,
      "(module (import \"first\" \"one\" (func $one (result i32)))"
      "  (func (export \"two\") (result i32) (i32.add (call $one) (call $one))))");
  wasm_trap_t* trap = NULL;
  wasm_instance_t* second = zwasm_linker_instantiate(linker, store, module, &trap);
  EXPECT(second != NULL && trap == NULL);
  wasm_func_t* two = exported(second, "two");
  EXPECT(call(two, 0, 0) == 2);
  wasm_module_delete(module);
  module = compile(store, "(module (import \"first\" \"three\" (func)))");
  EXPECT(zwasm_linker_instantiate(linker, store, module, &trap) == NULL);
  EXPECT(trap && zwasm_trap_error(trap) == ZWASM_ERROR_LINK);
  wasm_trap_delete(trap);
  wasm_module_delete(module);
  zwasm_linker_delete(linker);
  wasm_func_delete(two);
  wasm_instance_delete(first);
  wasm_instance_delete(second);
}

static void shared_memories_are_memories(void) {
  wasm_limits_t limits = {1, 2};
  wasm_memorytype_t* type = zwasm_memorytype_new_shared(&limits);
  EXPECT(zwasm_memorytype_is_shared(type));
  wasm_memory_t* memory = wasm_memory_new(store, type);
  wasm_memorytype_delete(type);
  EXPECT(memory != NULL);
  wasm_extern_t* externs[] = {wasm_memory_as_extern(memory)};
  EXPECT(wasm_extern_as_memory(externs[0]) == memory);
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  wasm_instance_t* instance = instantiate(
      store,
      "(module (memory (export \"m\") (import \"\" \"m\") 1 2 shared)"
      "  (func (export \"load\") (result i32) (i32.atomic.load (i32.const 8))))",
      &imports);
  wasm_memory_data(memory)[8] = 6;
  wasm_func_t* load = exported(instance, "load");
  EXPECT(call(load, 0, 0) == 6);
  wasm_extern_t* again = zwasm_instance_export(instance, "m");
  EXPECT(wasm_memory_same(wasm_extern_as_memory(again), memory));
  EXPECT(wasm_memory_grow(memory, 1) && wasm_memory_data_size(memory) == 2 * MEMORY_PAGE_SIZE);
  EXPECT(!wasm_memory_grow(memory, 1));
  wasm_extern_delete(again);
  wasm_func_delete(load);
  wasm_memory_delete(memory);
  wasm_instance_delete(instance);
}

static void references_can_be_wrong(void) {
  wasm_limits_t limits = {1, 4};
  wasm_tabletype_t* type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_foreign_t* foreign = wasm_foreign_new(store);
  EXPECT(wasm_table_new(store, type, wasm_foreign_as_ref(foreign)) == NULL);
  wasm_table_t* table = wasm_table_new(store, type, NULL);
  wasm_tabletype_delete(type);
  EXPECT(!wasm_table_set(table, 0, wasm_foreign_as_ref(foreign)));
  EXPECT(!wasm_table_set(table, 1, NULL));
  EXPECT(wasm_table_get(table, 1) == NULL);
  EXPECT(wasm_ref_as_func(wasm_foreign_as_ref(foreign)) == NULL);
  EXPECT(wasm_ref_as_extern(wasm_table_as_ref(table)) != NULL);
  wasm_foreign_delete(foreign);
  wasm_table_delete(table);
}

static int finalized = 0;
static void count(void* data) { finalized += *(int*)data; }

/* Sets host information in the finalizer of other host information. */
static void replace(void* data) {
  static int two = 2;
  wasm_foreign_set_host_info_with_finalizer(data, &two, count);
}

static void finalizers_run_once(void) {
  int one = 1;
  wasm_foreign_t* foreign = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &one, count);
  wasm_foreign_set_host_info_with_finalizer(foreign, foreign, replace);
  EXPECT(finalized == 1);
  wasm_foreign_set_host_info(foreign, NULL);
  EXPECT(finalized == 1);
  wasm_foreign_delete(foreign);
  EXPECT(finalized == 3);

  wasm_module_t* module = compile(store, "(module)");
  wasm_module_set_host_info_with_finalizer(module, &one, count);
  wasm_module_t* copy = wasm_module_copy(module);
  wasm_module_delete(module);
  EXPECT(wasm_module_get_host_info(copy) == &one);
  wasm_module_delete(copy);
  EXPECT(finalized == 4);
}

static void wasi_grants_what_it_is_told(void) {
  zwasm_wasi_t* wasi = zwasm_wasi_new();
  EXPECT(!zwasm_wasi_preopen_dir(wasi, "/no such directory", "/", true));
  EXPECT(strstr(zwasm_last_error(), "/no such directory") != NULL);
  EXPECT(zwasm_wasi_preopen_dir(wasi, "/", "/", false));
  EXPECT(!zwasm_wasi_arg(wasi, NULL));
  EXPECT(zwasm_wasi_env(wasi, "NAME", "value"));
  zwasm_wasi_inherit_env(wasi);
  zwasm_wasi_inherit_stdio(wasi);
  zwasm_store_set_wasi(store, wasi);
  EXPECT(zwasm_store_flush(store));

  /* Random numbers need no permission, changing a directory does: error 76. */
  zwasm_linker_t* linker = zwasm_linker_new(engine);
  EXPECT(zwasm_linker_define_wasi(linker));
  wasm_module_t* module = compile(
      store,
      "(module"
      "  (import \"wasi_snapshot_preview1\" \"random_get\""
      "    (func $random (param i32 i32) (result i32)))"
      "  (import \"wasi_snapshot_preview1\" \"path_remove_directory\""
      "    (func $remove (param i32 i32 i32) (result i32)))"
      "  (memory (export \"memory\") 1) (data (i32.const 0) \"no such directory\")"
      "  (func (export \"random\") (result i32)"
      "    (call $random (i32.const 64) (i32.const 8)))"
      "  (func (export \"remove\") (result i32)"
      "    (call $remove (i32.const 3) (i32.const 0) (i32.const 17))))");
  for (int allowed = 0; allowed < 2; allowed++) {
    wasi = zwasm_wasi_new();
    EXPECT(!zwasm_wasi_allow(wasi, "flight"));
    EXPECT(zwasm_wasi_allow(wasi, allowed ? "path" : "read"));
    EXPECT(zwasm_wasi_preopen_dir(wasi, "/", "/", false));
    zwasm_store_set_wasi(store, wasi);
    wasm_instance_t* instance = zwasm_linker_instantiate(linker, store, module, NULL);
    wasm_func_t* random = exported(instance, "random");
    wasm_func_t* remove = exported(instance, "remove");
    EXPECT(call(random, 0, 0) == 0);
    EXPECT(call(remove, 0, 0) == (allowed ? 44 : 76));
    wasm_func_delete(random);
    wasm_func_delete(remove);
    wasm_instance_delete(instance);
  }
  zwasm_store_set_wasi(store, NULL);
  wasm_module_delete(module);
  zwasm_linker_delete(linker);
}

/* Deletes the last references that C has while the guest runs. */
typedef struct {
  wasm_store_t* store;
  wasm_instance_t* instance;
} all;

static own wasm_trap_t* delete_all(
    void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results) {
  (void)args;
  (void)results;
  all* everything = env;
  wasm_instance_delete(everything->instance);
  wasm_store_delete(everything->store);
  return NULL;
}

static void a_running_store_lives_on(void) {
  all everything = {wasm_store_new(engine), NULL};
  wasm_functype_t* type = wasm_functype_new_0_0();
  wasm_func_t* func =
      wasm_func_new_with_env(everything.store, type, delete_all, &everything, NULL);
  wasm_functype_delete(type);
  wasm_extern_t* externs[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);
  everything.instance = instantiate(
      everything.store,
      "(module (import \"\" \"f\" (func $f))"
      "  (func (export \"run\") (result i32) (call $f) (i32.const 4)))",
      &imports);
  wasm_func_delete(func);
  wasm_func_t* run = exported(everything.instance, "run");
  EXPECT(call(run, 0, 0) == 4);
  wasm_func_delete(run);
}

/* When the process ends, or a thread, what the library has for the thread is gone before
   functions of C's are called for the last time, such as destructors of C++. */
static void count_end(void* info) {
  ++*(int*)info;
}

static void at_the_end(void* passed) {
  wasm_store_t* ending = passed;
  int finalized = 0;
  wasm_foreign_t* foreign = wasm_foreign_new(ending);
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_end);
  wasm_foreign_delete(foreign);
  EXPECT(finalized == 1);
  wasm_byte_vec_t no_module = WASM_EMPTY_VEC;
  EXPECT(!wasm_module_validate(ending, &no_module));
  EXPECT(wasm_module_new(ending, &no_module) == NULL);
  zwasm_last_error();
  wasm_store_delete(ending);
}

static pthread_key_t thread_end;

static void* end_thread(void* arg) {
  (void)arg;
  pthread_setspecific(thread_end, wasm_store_new(engine));
  return NULL;
}

static void a_thread_may_end_with_a_store(void) {
  EXPECT(pthread_key_create(&thread_end, at_the_end) == 0);
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, end_thread, NULL) == 0);
  EXPECT(pthread_join(thread, NULL) == 0);
}

static void end_process(void) {
  at_the_end(store);
  wasm_engine_delete(engine);
  if (failures != 0) {
    fflush(stdout);
    _Exit(1);
  }
}

int main(void) {
  engine = wasm_engine_new();
  store = wasm_store_new(engine);
  EXPECT(zwasm_last_error() == NULL);
  EXPECT(zwasm_version()[0] != '\0');
  nothing_is_deleted();
  vectors_own_their_elements();
  types_are_taken_apart();
  bad_calls_are_traps();
  vectors_cross();
  objects_are_looked_into();
  bad_modules_have_reasons();
  objects_of_the_guest_come_and_go();
  exceptions_pass_through_the_host();
  an_import_can_be_made_with_its_type();
  exceptions_are_values();
  nan_is_canonical();
  limits_hold();
  limits_in_all_hold();
  types_of_another_engine_are_refused();
  a_reference_stays_in_its_store();
  a_linker_that_runs_is_not_changed();
  names_link_modules();
  shared_memories_are_memories();
  references_can_be_wrong();
  finalizers_run_once();
  wasi_grants_what_it_is_told();
  a_running_store_lives_on();
  a_thread_may_end_with_a_store();
  /* It deletes what is left. */
  EXPECT(atexit(end_process) == 0);
  return failures != 0;
}
