/* What wasmtime.h and wasi.h promise. Prints nothing when all holds. Nothing but these
 * headers is needed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasm.h>
#include <wasi.h>
#include <wasmtime.h>

static int failures = 0;

#define EXPECT(condition)                                                         \
  do {                                                                            \
    if (!(condition)) {                                                           \
      printf("line %d: not so: %s\n", __LINE__, #condition);                      \
      failures++;                                                                 \
    }                                                                             \
  } while (0)

static wasm_engine_t* engine;
static wasmtime_store_t* store;
static wasmtime_context_t* context;

/* Whether a text is in bytes. */
static bool contains(const wasm_byte_vec_t* bytes, const char* text) {
  size_t len = strlen(text);
  for (size_t i = 0; i + len <= bytes->size; i++) {
    if (memcmp(bytes->data + i, text, len) == 0) return true;
  }
  printf("there is no \"%s\" in \"%.*s\"\n", text, (int)bytes->size, bytes->data);
  return false;
}

/* Whether there is an error that says this; it is deleted. */
static bool says(wasmtime_error_t* error, const char* text) {
  if (!error) return false;
  wasm_name_t message;
  wasmtime_error_message(error, &message);
  bool found = contains(&message, text);
  wasm_name_delete(&message);
  wasmtime_error_delete(error);
  return found;
}

static bool fine(wasmtime_error_t* error) {
  return !error || (says(error, "no error"), false);
}

#define NOT_FINE(error) EXPECT(error_is_there(error))

static bool error_is_there(wasmtime_error_t* error) {
  bool there = error != NULL;
  wasmtime_error_delete(error);
  return there;
}

/* Whether there is a trap with this code and message; it is deleted. */
static bool trapped(wasm_trap_t* trap, wasmtime_trap_code_t expected, const char* text) {
  if (!trap) return false;
  wasmtime_trap_code_t code = 255;
  bool same = wasmtime_trap_code(trap, &code) && code == expected;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  bool found = contains(&message, text) && message.data[message.size - 1] == 0;
  wasm_name_delete(&message);
  wasm_trap_delete(trap);
  return same && found;
}

static wasmtime_module_t* compile_for(wasm_engine_t* of, const char* text) {
  wasm_byte_vec_t binary;
  wasmtime_module_t* module = NULL;
  EXPECT(fine(wasmtime_wat2wasm(text, strlen(text), &binary)));
  EXPECT(fine(wasmtime_module_new(of, (uint8_t*)binary.data, binary.size, &module)));
  wasm_byte_vec_delete(&binary);
  return module;
}

static wasmtime_module_t* compile(const char* text) {
  return compile_for(engine, text);
}

static wasmtime_instance_t instantiate_in(
    wasmtime_context_t* in, wasm_engine_t* of, const char* text) {
  wasmtime_module_t* module = compile_for(of, text);
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_instance_new(in, module, NULL, 0, &instance, &trap)));
  EXPECT(trap == NULL);
  wasmtime_module_delete(module);
  return instance;
}

static wasmtime_instance_t instantiate(const char* text) {
  return instantiate_in(context, engine, text);
}

static wasmtime_extern_t export_in(
    wasmtime_context_t* in, const wasmtime_instance_t* instance, const char* name) {
  wasmtime_extern_t item = {0};
  EXPECT(wasmtime_instance_export_get(in, instance, name, strlen(name), &item));
  return item;
}

static wasmtime_extern_t export(const wasmtime_instance_t* instance, const char* name) {
  return export_in(context, instance, name);
}

static wasmtime_func_t func_of(const char* text, const char* name) {
  wasmtime_instance_t instance = instantiate(text);
  wasmtime_extern_t item = export(&instance, name);
  EXPECT(item.kind == WASMTIME_EXTERN_FUNC);
  return item.of.func;
}

static wasm_trap_t* run(const wasmtime_func_t* func) {
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_func_call(context, func, NULL, 0, NULL, 0, &trap)));
  return trap;
}

static int finalized = 0;

static void finalize(void* data) {
  finalized += *(int*)data;
}

/* ---- Errors ------------------------------------------------------------- */

static void errors_say_what_is_wrong(void) {
  wasmtime_error_t* error = wasmtime_error_new("of C's own");
  int status;
  EXPECT(!wasmtime_error_exit_status(error, &status));
  wasm_frame_vec_t frames;
  wasmtime_error_wasm_trace(error, &frames);
  EXPECT(frames.size == 0);
  wasm_frame_vec_delete(&frames);
  EXPECT(says(error, "of C's own"));
  wasmtime_error_delete(NULL);

  wasmtime_module_t* module = NULL;
  static const uint8_t bad[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 99};
  EXPECT(says(wasmtime_module_new(engine, bad, sizeof bad, &module), "invalid module"));
  EXPECT(module == NULL);
  EXPECT(says(wasmtime_module_validate(engine, bad, sizeof bad), "invalid module"));
  EXPECT(fine(wasmtime_module_validate(engine, bad, 8)));
  NOT_FINE(wasmtime_module_new(engine, NULL, 0, &module));
  wasm_byte_vec_t binary;
  EXPECT(says(wasmtime_wat2wasm("(module", 7, &binary), "expected"));

  wasmtime_func_t func = func_of(
      "(module (func (export \"f\") (param i32) (result i32) local.get 0))", "f");
  wasm_trap_t* trap = NULL;
  wasmtime_val_t arg = {.kind = WASMTIME_I64, .of.i64 = 1}, result;
  EXPECT(says(wasmtime_func_call(context, &func, NULL, 0, &result, 1, &trap), "argument"));
  EXPECT(says(wasmtime_func_call(context, &func, &arg, 1, &result, 1, &trap), "type mismatch"));
  EXPECT(says(wasmtime_func_call(context, &func, &arg, 1, NULL, 0, &trap), "result"));
  arg.kind = 77;
  EXPECT(says(wasmtime_func_call(context, &func, &arg, 1, &result, 1, &trap), "kind 77"));
  wasmtime_val_raw_t none[1];
  NOT_FINE(wasmtime_func_call_unchecked(context, &func, none, 0, &trap));
  EXPECT(trap == NULL);

  module = compile("(module (import \"a\" \"b\" (func)))");
  wasmtime_instance_t instance;
  EXPECT(says(wasmtime_instance_new(context, module, NULL, 0, &instance, &trap), "imports"));
  wasmtime_module_delete(module);
}

/* ---- Traps ---------------------------------------------------------------- */

static void traps_have_codes_and_frames(void) {
  wasmtime_func_t func = func_of(
      "(module $guest"
      "  (func $inner unreachable)"
      "  (func $outer (export \"f\") call $inner))", "f");
  wasm_trap_t* trap = run(&func);
  EXPECT(trap != NULL);
  wasm_frame_vec_t frames;
  wasm_trap_trace(trap, &frames);
  EXPECT(frames.size == 2);
  const wasm_name_t* name = wasmtime_frame_func_name(frames.data[0]);
  EXPECT(name && name->size == 5 && memcmp(name->data, "inner", 5) == 0);
  name = wasmtime_frame_module_name(frames.data[1]);
  EXPECT(name && name->size == 5 && memcmp(name->data, "guest", 5) == 0);
  EXPECT(wasm_frame_func_index(frames.data[1]) == 1);
  wasm_frame_vec_delete(&frames);
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED,
                 "wasm trap: wasm `unreachable` instruction executed"));

  func = func_of("(module (func (export \"f\") (param i32) (result i32)"
                 "  (i32.div_s (i32.const 1) (local.get 0))))", "f");
  wasmtime_val_raw_t values[1] = {{.i32 = 0}};
  EXPECT(fine(wasmtime_func_call_unchecked(context, &func, values, 1, &trap)));
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO, "divide by zero"));
  func = func_of("(module (func $f (export \"f\") call $f))", "f");
  EXPECT(trapped(run(&func), WASMTIME_TRAP_CODE_STACK_OVERFLOW, "call stack exhausted"));

  /* One at the start of a module. */
  wasmtime_module_t* module = compile("(module (func $f unreachable) (start $f))");
  wasmtime_instance_t instance;
  trap = NULL;
  EXPECT(fine(wasmtime_instance_new(context, module, NULL, 0, &instance, &trap)));
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED, "unreachable"));
  wasmtime_module_delete(module);

  trap = wasmtime_trap_new("a reason", 8);
  wasmtime_trap_code_t code;
  EXPECT(!wasmtime_trap_code(trap, &code));
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  EXPECT(strcmp(message.data, "a reason") == 0);
  wasm_name_delete(&message);
  wasm_trap_trace(trap, &frames);
  EXPECT(frames.size == 0);
  wasm_frame_vec_delete(&frames);
  wasm_trap_delete(trap);
  EXPECT(trapped(wasmtime_trap_new_code(WASMTIME_TRAP_CODE_BAD_SIGNATURE),
                 WASMTIME_TRAP_CODE_BAD_SIGNATURE, "indirect call type mismatch"));
}

static wasm_trap_t* stop(
    void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults) {
  (void)caller, (void)args, (void)results;
  EXPECT(nargs == 0 && nresults == 0);
  if (env) return wasmtime_trap_new_code(*(wasmtime_trap_code_t*)env);
  return wasmtime_trap_new("the host has had enough", 23);
}

static wasmtime_instance_t with_import(const char* text, const wasmtime_func_t* func) {
  wasmtime_module_t* module = compile(text);
  wasmtime_extern_t import = {.kind = WASMTIME_EXTERN_FUNC, .of.func = *func};
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_instance_new(context, module, &import, 1, &instance, &trap)));
  EXPECT(trap == NULL);
  wasmtime_module_delete(module);
  return instance;
}

static void the_host_stops_the_guest(void) {
  static const char TEXT[] =
      "(module (import \"\" \"\" (func $stop)) (func (export \"f\") call $stop))";
  wasm_functype_t* type = wasm_functype_new_0_0();
  static wasmtime_trap_code_t code = WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS;
  wasmtime_func_t message, number;
  wasmtime_func_new(context, type, stop, NULL, NULL, &message);
  wasmtime_func_new(context, type, stop, &code, NULL, &number);
  wasm_functype_delete(type);

  wasmtime_instance_t instance = with_import(TEXT, &message);
  wasmtime_func_t func = export(&instance, "f").of.func;
  wasm_trap_t* trap = NULL;
  wasmtime_error_t* error = wasmtime_func_call(context, &func, NULL, 0, NULL, 0, &trap);
  EXPECT(trap == NULL && error != NULL);
  wasm_frame_vec_t frames;
  wasmtime_error_wasm_trace(error, &frames);
  EXPECT(frames.size == 1);
  wasm_frame_vec_delete(&frames);
  EXPECT(says(error, "the host has had enough"));

  instance = with_import(TEXT, &number);
  func = export(&instance, "f").of.func;
  EXPECT(trapped(run(&func), code, "out of bounds table access"));
}

/* ---- Exceptions ------------------------------------------------------------ */

static wasm_trap_t* throw(
    void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults) {
  (void)nargs, (void)results, (void)nresults;
  wasmtime_context_t* here = wasmtime_caller_context(caller);
  wasmtime_exnref_t exn;
  EXPECT(fine(wasmtime_exnref_new(here, env, args, 1, &exn)));
  wasm_trap_t* trap = wasmtime_context_set_exception(here, &exn);
  wasmtime_exnref_unroot(&exn);
  return trap;
}

static void exceptions_cross(void) {
  wasm_valtype_t* params[] = {wasm_valtype_new_i32()};
  wasm_valtype_vec_t param_vec, result_vec;
  wasm_valtype_vec_new(&param_vec, 1, params);
  wasm_valtype_vec_new_empty(&result_vec);
  wasm_functype_t* type = wasm_functype_new(&param_vec, &result_vec);
  wasmtime_func_t thrower;
  static wasmtime_tag_t tag;
  wasm_tagtype_t* tag_type = wasm_tagtype_new(wasm_functype_copy(type));
  EXPECT(fine(wasmtime_tag_new(context, tag_type, &tag)));
  wasm_tagtype_delete(tag_type);
  wasmtime_func_new(context, type, throw, &tag, NULL, &thrower);
  wasm_functype_delete(type);
  tag_type = wasmtime_tag_type(context, &tag);
  EXPECT(wasm_functype_params(wasm_tagtype_functype(tag_type))->size == 1);
  wasm_tagtype_delete(tag_type);
  EXPECT(wasmtime_tag_eq(context, &tag, &tag));

  wasmtime_module_t* module = compile(
      "(module (import \"\" \"throw\" (func $throw (param i32)))"
      "  (import \"\" \"tag\" (tag $tag (param i32)))"
      "  (func (export \"catch\") (result i32)"
      "    (block $caught (result i32)"
      "      (try_table (catch $tag $caught) (call $throw (i32.const 41)))"
      "      (i32.const 0)))"
      "  (func (export \"pass\") (throw $tag (i32.const 5)))"
      "  (func (export \"again\") (param exnref) (throw_ref (local.get 0))))");
  wasmtime_extern_t imports[] = {
      {.kind = WASMTIME_EXTERN_FUNC, .of.func = thrower},
      {.kind = WASMTIME_EXTERN_TAG, .of.tag = tag}};
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_instance_new(context, module, imports, 2, &instance, &trap)));
  wasmtime_module_delete(module);
  wasmtime_func_t func = export(&instance, "catch").of.func;
  wasmtime_val_t result;
  EXPECT(fine(wasmtime_func_call(context, &func, NULL, 0, &result, 1, &trap)));
  EXPECT(trap == NULL && result.kind == WASMTIME_I32 && result.of.i32 == 41);

  func = export(&instance, "pass").of.func;
  trap = run(&func);
  EXPECT(trap != NULL);
  wasm_trap_delete(trap);
  EXPECT(wasmtime_context_has_exception(context));
  wasmtime_exnref_t exn;
  EXPECT(wasmtime_context_take_exception(context, &exn));
  EXPECT(!wasmtime_context_has_exception(context));
  wasmtime_tag_t thrown;
  EXPECT(fine(wasmtime_exnref_tag(context, &exn, &thrown)));
  EXPECT(wasmtime_tag_eq(context, &tag, &thrown));
  EXPECT(wasmtime_exnref_field_count(context, &exn) == 1);
  EXPECT(fine(wasmtime_exnref_field(context, &exn, 0, &result)));
  EXPECT(result.of.i32 == 5);
  NOT_FINE(wasmtime_exnref_field(context, &exn, 1, &result));
  wasmtime_exnref_t again;
  wasmtime_exnref_from_raw(context, wasmtime_exnref_to_raw(context, &exn), &again);
  EXPECT(wasmtime_exnref_field_count(context, &again) == 1);
  wasmtime_exnref_unroot(&again);
  func = export(&instance, "again").of.func;
  wasmtime_val_raw_t values[1] = {{.exnref = wasmtime_exnref_to_raw(context, &exn)}};
  EXPECT(fine(wasmtime_func_call_unchecked(context, &func, values, 1, &trap)));
  EXPECT(trap != NULL);
  wasm_trap_delete(trap);
  EXPECT(wasmtime_context_take_exception(context, &again));
  EXPECT(fine(wasmtime_exnref_field(context, &again, 0, &result)) && result.of.i32 == 5);
  wasmtime_exnref_unroot(&again);
  wasmtime_exnref_unroot(&exn);
}

/* ---- Values ----------------------------------------------------------------- */

static wasm_trap_t* swap(
    void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults) {
  (void)caller;
  EXPECT(nargs == 2 && nresults == 2 && args[0].kind == WASMTIME_V128);
  ++*(int*)env;
  results[0] = args[1];
  results[1] = args[0];
  return NULL;
}

static wasm_trap_t* swap_raw(
    void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)caller;
  EXPECT(count == 2);
  ++*(int*)env;
  wasmtime_val_raw_t vector = values[0];
  values[0] = values[1];
  values[1] = vector;
  return NULL;
}

static wasm_functype_t* swapping(void) {
  wasm_valtype_t* params[] = {wasmtime_wasm_valtype_v128(), wasm_valtype_new_f64()};
  wasm_valtype_t* results[] = {wasm_valtype_new_f64(), wasmtime_wasm_valtype_v128()};
  wasm_valtype_vec_t param_vec, result_vec;
  wasm_valtype_vec_new(&param_vec, 2, params);
  wasm_valtype_vec_new(&result_vec, 2, results);
  return wasm_functype_new(&param_vec, &result_vec);
}

static void vectors_cross_both_ways(void) {
  static const char TEXT[] =
      "(module (type $t (func (param v128 f64) (result f64 v128)))"
      "  (import \"\" \"\" (func $swap (type $t)))"
      "  (func (export \"f\") (type $t) (call $swap (local.get 0) (local.get 1))))";
  static int calls = 0;
  wasm_functype_t* type = swapping();
  wasmtime_func_t typed, raw;
  wasmtime_func_new(context, type, swap, &calls, NULL, &typed);
  wasmtime_func_new_unchecked(context, type, swap_raw, &calls, NULL, &raw);
  wasm_functype_delete(type);
  const wasmtime_func_t* funcs[] = {&typed, &raw};
  for (int i = 0; i < 2; i++) {
    wasmtime_instance_t instance = with_import(TEXT, funcs[i]);
    wasmtime_func_t func = export(&instance, "f").of.func;
    wasmtime_val_t args[2] = {{.kind = WASMTIME_V128}, {.kind = WASMTIME_F64, .of.f64 = -1.5}};
    for (int lane = 0; lane < 16; lane++) args[0].of.v128[lane] = (uint8_t)(lane * 7 + 1);
    wasmtime_val_t results[2];
    wasm_trap_t* trap = NULL;
    EXPECT(fine(wasmtime_func_call(context, &func, args, 2, results, 2, &trap)));
    EXPECT(trap == NULL);
    EXPECT(results[0].kind == WASMTIME_F64 && results[0].of.f64 == -1.5);
    EXPECT(results[1].kind == WASMTIME_V128);
    EXPECT(memcmp(results[1].of.v128, args[0].of.v128, 16) == 0);

    wasmtime_val_raw_t values[2];
    memcpy(values[0].v128, args[0].of.v128, 16);
    values[1].f64 = 2.25;
    EXPECT(fine(wasmtime_func_call_unchecked(context, &func, values, 2, &trap)));
    EXPECT(trap == NULL && values[0].f64 == 2.25);
    EXPECT(memcmp(values[1].v128, args[0].of.v128, 16) == 0);
  }
  EXPECT(calls == 4);
  wasm_valtype_t *one = wasmtime_wasm_valtype_v128(), *other = wasm_valtype_new_i64();
  EXPECT(wasmtime_wasm_valtype_equal(one, one) && !wasmtime_wasm_valtype_equal(one, other));
  wasm_valtype_delete(one);
  wasm_valtype_delete(other);
  wasmtime_val_t copy, vector = {.kind = WASMTIME_V128, .of.v128 = {9}};
  wasmtime_val_clone(&vector, &copy);
  EXPECT(copy.kind == WASMTIME_V128 && copy.of.v128[0] == 9 && copy.of.v128[1] == 0);
  wasmtime_val_unroot(&copy);
}

static wasm_trap_t* wrong(
    void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults) {
  (void)env, (void)caller, (void)args, (void)nargs, (void)nresults;
  results[0] = (wasmtime_val_t){.kind = WASMTIME_I64};
  return NULL;
}

static wasm_trap_t* count_raw(
    void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)caller;
  EXPECT(count == 1);
  values[0].i32 = ++*(int*)env;
  return NULL;
}

static void results_of_wrong_types_are_found_out(void) {
  wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasmtime_func_t func;
  wasmtime_func_new(context, type, wrong, NULL, NULL, &func);
  wasm_functype_delete(type);
  wasmtime_val_t result;
  wasm_trap_t* trap = NULL;
  EXPECT(says(wasmtime_func_call(context, &func, NULL, 0, &result, 1, &trap), "incompatible"));
  type = wasmtime_func_type(context, &func);
  EXPECT(wasm_functype_results(type)->size == 1);
  /* A type is for any engine. */
  wasm_engine_t* other_engine = wasm_engine_new();
  wasmtime_store_t* other = wasmtime_store_new(other_engine, NULL, NULL);
  wasmtime_context_t* in = wasmtime_store_context(other);
  static int calls = 0;
  wasmtime_func_new_unchecked(in, type, count_raw, &calls, NULL, &func);
  wasm_functype_delete(type);
  EXPECT(!wasmtime_funcref_is_null(&func));
  EXPECT(fine(wasmtime_func_call(in, &func, NULL, 0, &result, 1, &trap)));
  EXPECT(result.of.i32 == 1 && calls == 1);
  wasmtime_store_delete(other);
  wasm_engine_delete(other_engine);
}

static void references_live_as_long_as_they_are_rooted(void) {
  static int one = 1;
  finalized = 0;
  wasmtime_func_t func = func_of(
      "(module (table (export \"t\") 2 externref)"
      "  (func (export \"f\") (param externref) (result externref)"
      "    (table.set (i32.const 0) (local.get 0)) (table.get (i32.const 0))))", "f");
  wasmtime_val_t arg = {.kind = WASMTIME_EXTERNREF}, result, null = {.kind = WASMTIME_EXTERNREF};
  EXPECT(wasmtime_externref_new(context, &one, finalize, &arg.of.externref));
  EXPECT(!wasmtime_externref_is_null(&arg.of.externref));
  EXPECT(wasmtime_externref_data(context, &arg.of.externref) == &one);
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_func_call(context, &func, &arg, 1, &result, 1, &trap)));
  EXPECT(result.kind == WASMTIME_EXTERNREF);
  EXPECT(wasmtime_externref_data(context, &result.of.externref) == &one);
  uint32_t raw = wasmtime_externref_to_raw(context, &result.of.externref);
  EXPECT(raw != 0);
  wasmtime_val_raw_t values[1] = {{.externref = raw}};
  EXPECT(fine(wasmtime_func_call_unchecked(context, &func, values, 1, &trap)));
  wasmtime_externref_t again, copy;
  wasmtime_externref_from_raw(context, values[0].externref, &again);
  EXPECT(wasmtime_externref_data(context, &again) == &one);
  wasmtime_externref_clone(&again, &copy);
  wasmtime_externref_unroot(&again);
  wasmtime_val_unroot(&result);
  wasmtime_val_unroot(&arg);
  /* Out of the table. */
  EXPECT(fine(wasmtime_func_call(context, &func, &null, 1, &result, 1, &trap)));
  EXPECT(wasmtime_externref_is_null(&result.of.externref));
  wasmtime_val_unroot(&result);
  EXPECT(fine(wasmtime_context_gc(context)));
  EXPECT(finalized == 0 && wasmtime_externref_data(context, &copy) == &one);
  wasmtime_externref_unroot(&copy);
  EXPECT(fine(wasmtime_context_gc(context)));
  EXPECT(finalized == 1);
  wasmtime_externref_from_raw(context, 0, &again);
  EXPECT(wasmtime_externref_is_null(&again));
  EXPECT(wasmtime_externref_data(context, &again) == NULL);

  /* A root may outlive the store. */
  wasmtime_store_t* other = wasmtime_store_new(engine, &one, finalize);
  EXPECT(wasmtime_externref_new(wasmtime_store_context(other), &one, finalize, &copy));
  wasmtime_store_delete(other);
  EXPECT(finalized == 3);
  EXPECT(wasmtime_externref_data(context, &copy) == NULL);
  wasmtime_externref_unroot(&copy);
}

static void objects_of_the_guest_cross(void) {
  wasmtime_instance_t instance = instantiate(
      "(module (type $s (struct (field (mut i32)))) (type $a (array (mut i8)))"
      "  (func (export \"struct\") (result anyref) (struct.new $s (i32.const 3)))"
      "  (func (export \"array\") (result anyref) (array.new_default $a (i32.const 3)))"
      "  (func (export \"get\") (param anyref) (result i32)"
      "    (struct.get $s 0 (ref.cast (ref $s) (local.get 0)))))");
  wasmtime_func_t make = export(&instance, "struct").of.func;
  wasmtime_func_t array = export(&instance, "array").of.func;
  wasmtime_func_t get = export(&instance, "get").of.func;
  wasmtime_val_t object, result;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_func_call(context, &make, NULL, 0, &object, 1, &trap)));
  EXPECT(object.kind == WASMTIME_ANYREF);
  EXPECT(wasmtime_anyref_is_struct(context, &object.of.anyref));
  EXPECT(wasmtime_anyref_is_eqref(context, &object.of.anyref));
  EXPECT(!wasmtime_anyref_is_array(context, &object.of.anyref));
  EXPECT(!wasmtime_anyref_is_i31(context, &object.of.anyref));
  EXPECT(fine(wasmtime_context_gc(context)));
  EXPECT(fine(wasmtime_func_call(context, &get, &object, 1, &result, 1, &trap)));
  EXPECT(result.of.i32 == 3);
  wasmtime_val_raw_t values[1];
  values[0].anyref = wasmtime_anyref_to_raw(context, &object.of.anyref);
  EXPECT(fine(wasmtime_func_call_unchecked(context, &get, values, 1, &trap)));
  EXPECT(values[0].i32 == 3);
  wasmtime_val_unroot(&object);
  EXPECT(fine(wasmtime_func_call(context, &array, NULL, 0, &object, 1, &trap)));
  EXPECT(wasmtime_anyref_is_array(context, &object.of.anyref));
  EXPECT(fine(wasmtime_func_call(context, &get, &object, 1, &result, 1, &trap)));
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_CAST_FAILURE, "cast failure"));
  wasmtime_structref_t structure;
  EXPECT(!wasmtime_anyref_as_struct(context, &object.of.anyref, &structure));
  EXPECT(wasmtime_structref_is_null(&structure));
  NOT_FINE(wasmtime_structref_field(context, &structure, 0, &result));
  wasmtime_arrayref_t elements;
  wasmtime_eqref_t eq;
  EXPECT(wasmtime_anyref_as_eqref(context, &object.of.anyref, &eq));
  wasmtime_val_unroot(&object);
  EXPECT(wasmtime_eqref_as_array(context, &eq, &elements));
  wasmtime_eqref_unroot(&eq);
  uint32_t len = 0;
  EXPECT(fine(wasmtime_arrayref_len(context, &elements, &len)) && len == 3);
  result = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = 258};
  NOT_FINE(wasmtime_arrayref_set(context, &elements, 3, &result));
  EXPECT(fine(wasmtime_arrayref_set(context, &elements, 2, &result)));
  EXPECT(fine(wasmtime_arrayref_get(context, &elements, 2, &result)) && result.of.i32 == 2);
  wasmtime_arrayref_to_anyref(&elements, &object.of.anyref);
  wasmtime_arrayref_unroot(&elements);
  EXPECT(wasmtime_anyref_is_array(context, &object.of.anyref));
  wasmtime_anyref_unroot(&object.of.anyref);
  EXPECT(fine(wasmtime_func_call(context, &make, NULL, 0, &object, 1, &trap)));
  EXPECT(wasmtime_anyref_as_struct(context, &object.of.anyref, &structure));
  wasmtime_val_unroot(&object);
  result.of.i32 = 77;
  EXPECT(fine(wasmtime_structref_set_field(context, &structure, 0, &result)));
  EXPECT(fine(wasmtime_structref_field(context, &structure, 0, &result)));
  EXPECT(result.kind == WASMTIME_I32 && result.of.i32 == 77);
  NOT_FINE(wasmtime_structref_field(context, &structure, 1, &result));
  wasmtime_structref_unroot(&structure);

  wasmtime_anyref_t small;
  uint32_t unsigned_value;
  int32_t signed_value;
  wasmtime_anyref_from_i31(context, UINT32_MAX, &small);
  EXPECT(wasmtime_anyref_is_i31(context, &small));
  EXPECT(wasmtime_anyref_i31_get_u(context, &small, &unsigned_value));
  EXPECT(wasmtime_anyref_i31_get_s(context, &small, &signed_value));
  EXPECT(unsigned_value == 0x7fffffff && signed_value == -1);
  wasmtime_anyref_unroot(&small);
  wasmtime_anyref_set_null(&small);
  EXPECT(wasmtime_anyref_is_null(&small) && !wasmtime_anyref_is_i31(context, &small));
}

/* ---- Tables, globals, memories ------------------------------------------------ */

static void items_can_be_made_and_changed(void) {
  wasm_globaltype_t* type = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
  wasmtime_val_t val = {.kind = WASMTIME_I64, .of.i64 = 7}, out;
  wasmtime_global_t global;
  EXPECT(fine(wasmtime_global_new(context, type, &val, &global)));
  wasm_globaltype_delete(type);
  type = wasmtime_global_type(context, &global);
  EXPECT(wasm_globaltype_mutability(type) == WASM_VAR);
  wasm_globaltype_delete(type);
  val.of.i64 = -8;
  EXPECT(fine(wasmtime_global_set(context, &global, &val)));
  wasmtime_global_get(context, &global, &out);
  EXPECT(out.kind == WASMTIME_I64 && out.of.i64 == -8);
  val.kind = WASMTIME_I32;
  NOT_FINE(wasmtime_global_set(context, &global, &val));

  wasm_limits_t limits = {1, 5};
  wasm_tabletype_t* table_type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasmtime_val_t null = {.kind = WASMTIME_FUNCREF};
  wasmtime_table_t table;
  EXPECT(fine(wasmtime_table_new(context, table_type, &null, &table)));
  NOT_FINE(wasmtime_table_new(context, table_type, &val, &table));
  wasm_tabletype_delete(table_type);
  uint64_t old = 99;
  EXPECT(fine(wasmtime_table_grow(context, &table, 3, &null, &old)));
  EXPECT(old == 1 && wasmtime_table_size(context, &table) == 4);
  EXPECT(fine(wasmtime_table_grow(context, &table, 1, &null, NULL)));
  NOT_FINE(wasmtime_table_grow(context, &table, 1, &null, &old));
  EXPECT(old == 1);
  NOT_FINE(wasmtime_table_set(context, &table, 5, &null));
  EXPECT(!wasmtime_table_get(context, &table, 5, &out));
  EXPECT(wasmtime_table_get(context, &table, 4, &out));
  EXPECT(out.kind == WASMTIME_FUNCREF && wasmtime_funcref_is_null(&out.of.funcref));
  table_type = wasmtime_table_type(context, &table);
  EXPECT(wasm_tabletype_limits(table_type)->max == 5);
  wasm_tabletype_delete(table_type);
  wasmtime_func_t func = func_of("(module (func (export \"f\")))", "f"), same;
  wasmtime_func_from_raw(context, wasmtime_func_to_raw(context, &func), &same);
  EXPECT(run(&same) == NULL);
  EXPECT(wasmtime_func_to_raw(context, &null.of.funcref) == NULL);
  wasmtime_func_from_raw(context, NULL, &same);
  EXPECT(wasmtime_funcref_is_null(&same));

  wasm_memorytype_t* memory_type;
  EXPECT(fine(wasmtime_memorytype_new(1, true, 3, true, false, 16, &memory_type)));
  uint64_t max = 0;
  EXPECT(wasmtime_memorytype_minimum(memory_type) == 1);
  EXPECT(wasmtime_memorytype_maximum(memory_type, &max) && max == 3);
  EXPECT(wasmtime_memorytype_is64(memory_type) && !wasmtime_memorytype_isshared(memory_type));
  EXPECT(wasmtime_memorytype_page_size(memory_type) == 65536);
  wasmtime_memory_t memory;
  EXPECT(fine(wasmtime_memory_new(context, memory_type, &memory)));
  wasm_memorytype_delete(memory_type);
  NOT_FINE(wasmtime_memorytype_new(1, false, 0, false, false, 3, &memory_type));
  wasmtime_memory_data(context, &memory)[65535] = 77;
  EXPECT(fine(wasmtime_memory_grow(context, &memory, 2, &old)));
  EXPECT(old == 1 && wasmtime_memory_size(context, &memory) == 3);
  EXPECT(wasmtime_memory_data_size(context, &memory) == 3 * 65536);
  EXPECT(wasmtime_memory_data(context, &memory)[65535] == 77);
  NOT_FINE(wasmtime_memory_grow(context, &memory, 1, &old));
  EXPECT(wasmtime_memory_page_size_log2(context, &memory) == 16);
}

static void shared_memories_are_owned(void) {
  wasm_memorytype_t* type;
  EXPECT(fine(wasmtime_memorytype_new(1, true, 2, false, true, 16, &type)));
  wasmtime_sharedmemory_t* memory;
  EXPECT(fine(wasmtime_sharedmemory_new(engine, type, &memory)));
  wasm_memorytype_delete(type);
  wasmtime_module_t* module = compile(
      "(module (import \"\" \"\" (memory 1 2 shared)) (export \"m\" (memory 0))"
      "  (func (export \"f\") (i32.store (i32.const 4) (i32.const 258))))");
  wasmtime_extern_t import = {.kind = WASMTIME_EXTERN_SHAREDMEMORY};
  import.of.sharedmemory = memory;
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_instance_new(context, module, &import, 1, &instance, &trap)));
  wasmtime_module_delete(module);
  wasmtime_extern_t item = export(&instance, "m");
  EXPECT(item.kind == WASMTIME_EXTERN_SHAREDMEMORY);
  EXPECT(wasmtime_sharedmemory_data(item.of.sharedmemory) == wasmtime_sharedmemory_data(memory));
  wasm_externtype_t* item_type = wasmtime_extern_type(context, &item);
  EXPECT(wasm_externtype_kind(item_type) == WASM_EXTERN_MEMORY);
  wasm_externtype_delete(item_type);
  wasmtime_extern_delete(&item);
  wasmtime_func_t func = export(&instance, "f").of.func;
  EXPECT(run(&func) == NULL);
  wasmtime_sharedmemory_t* clone = wasmtime_sharedmemory_clone(memory);
  wasmtime_sharedmemory_delete(memory);
  EXPECT(wasmtime_sharedmemory_data(clone)[4] == 2 && wasmtime_sharedmemory_data(clone)[5] == 1);
  uint64_t old;
  EXPECT(fine(wasmtime_sharedmemory_grow(clone, 1, &old)));
  EXPECT(old == 1 && wasmtime_sharedmemory_size(clone) == 2);
  NOT_FINE(wasmtime_sharedmemory_grow(clone, 1, &old));
  wasmtime_sharedmemory_delete(clone);
}

/* ---- Another store --------------------------------------------------------------- */

static void what_is_of_another_store_is_found_out(void) {
  wasmtime_store_t* other_store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t* other = wasmtime_store_context(other_store);
  static const char TEXT[] =
      "(module (func (export \"f\")) (memory (export \"m\") 1)"
      "  (table (export \"t\") 1 funcref) (global (export \"g\") i32 (i32.const 1)))";
  wasmtime_instance_t instance = instantiate_in(other, engine, TEXT);
  wasmtime_extern_t func = export_in(other, &instance, "f");
  wasmtime_extern_t memory = export_in(other, &instance, "m");
  wasmtime_extern_t table = export_in(other, &instance, "t");
  wasmtime_extern_t global = export_in(other, &instance, "g"), item;
  const char* WRONG = "wrong store";
  wasm_trap_t* trap = NULL;
  EXPECT(says(wasmtime_func_call(context, &func.of.func, NULL, 0, NULL, 0, &trap), WRONG));
  EXPECT(says(
      wasmtime_func_call_unchecked(context, &func.of.func, NULL, 0, &trap), WRONG));
  EXPECT(wasmtime_func_type(context, &func.of.func) == NULL);
  EXPECT(wasmtime_func_to_raw(context, &func.of.func) == NULL);
  EXPECT(wasmtime_memory_data(context, &memory.of.memory) == NULL);
  EXPECT(wasmtime_memory_data_size(context, &memory.of.memory) == 0);
  uint64_t old;
  EXPECT(says(wasmtime_memory_grow(context, &memory.of.memory, 1, &old), WRONG));
  EXPECT(wasmtime_table_size(context, &table.of.table) == 0);
  wasmtime_val_t val = {.kind = WASMTIME_FUNCREF, .of.funcref = func.of.func}, out;
  EXPECT(!wasmtime_table_get(context, &table.of.table, 0, &out));
  EXPECT(says(wasmtime_table_set(context, &table.of.table, 0, &val), WRONG));
  wasmtime_global_get(context, &global.of.global, &out);
  EXPECT(wasmtime_global_type(context, &global.of.global) == NULL);
  EXPECT(!wasmtime_instance_export_get(context, &instance, "f", 1, &item));
  EXPECT(wasmtime_extern_type(context, &func) == NULL);
  wasmtime_instance_t own = instantiate(TEXT);
  wasmtime_extern_t own_table = export(&own, "t");
  EXPECT(says(wasmtime_table_set(context, &own_table.of.table, 0, &val), WRONG));
  wasmtime_externref_t reference;
  EXPECT(wasmtime_externref_new(other, &val, NULL, &reference));
  EXPECT(wasmtime_externref_to_raw(context, &reference) == 0);
  wasmtime_externref_unroot(&reference);
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  EXPECT(says(wasmtime_linker_define(linker, context, "a", 1, "b", 1, &func), WRONG));
  EXPECT(says(wasmtime_linker_define_instance(linker, context, "a", 1, &instance), WRONG));
  EXPECT(fine(wasmtime_linker_define(linker, other, "a", 1, "b", 1, &func)));
  wasmtime_module_t* module = compile("(module (import \"a\" \"b\" (func)))");
  wasmtime_instance_t none;
  EXPECT(says(wasmtime_linker_instantiate(linker, context, module, &none, &trap), "store"));
  wasmtime_module_delete(module);
  wasmtime_linker_delete(linker);
  wasmtime_store_delete(other_store);
  /* Gone. */
  EXPECT(says(wasmtime_func_call(context, &func.of.func, NULL, 0, NULL, 0, &trap), WRONG));
}

/* ---- Modules ------------------------------------------------------------------------ */

static void modules_are_seen_and_saved(void) {
  wasmtime_module_t* module = compile(
      "(module (import \"a\" \"b\" (func (param i32))) (memory (export \"m\") 1)"
      "  (func (export \"f\")))");
  wasm_importtype_vec_t imports;
  wasm_exporttype_vec_t exports;
  wasmtime_module_imports(module, &imports);
  wasmtime_module_exports(module, &exports);
  EXPECT(imports.size == 1 && exports.size == 2);
  EXPECT(wasm_externtype_kind(wasm_exporttype_type(exports.data[0])) == WASM_EXTERN_MEMORY);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  void *start, *end;
  wasmtime_module_image_range(module, &start, &end);
  EXPECT(start < end);

  wasm_byte_vec_t bytes;
  EXPECT(fine(wasmtime_module_serialize(module, &bytes)));
  wasmtime_module_t *again = NULL, *clone = wasmtime_module_clone(module);
  wasmtime_module_delete(module);
  EXPECT(fine(wasmtime_module_deserialize(engine, (uint8_t*)bytes.data, bytes.size, &again)));
  wasmtime_module_exports(again, &exports);
  EXPECT(exports.size == 2);
  wasm_exporttype_vec_delete(&exports);
  wasmtime_module_delete(again);
  again = NULL;
  NOT_FINE(wasmtime_module_deserialize(engine, (uint8_t*)bytes.data, bytes.size / 2, &again));
  NOT_FINE(wasmtime_module_deserialize(engine, (const uint8_t*)"nonsense", 8, &again));
  NOT_FINE(wasmtime_module_deserialize_file(engine, "/there/is/no/such/file", &again));
  EXPECT(again == NULL);
  wasm_byte_vec_delete(&bytes);
  wasmtime_module_delete(clone);
  wasmtime_module_delete(NULL);
}

static void exports_are_found_by_number(void) {
  wasmtime_instance_t instance = instantiate(
      "(module (func (export \"one\")) (memory (export \"two\") 1) (tag (export \"three\")))");
  static const char* const NAMES[] = {"one", "two", "three"};
  static const wasmtime_extern_kind_t KINDS[] = {
      WASMTIME_EXTERN_FUNC, WASMTIME_EXTERN_MEMORY, WASMTIME_EXTERN_TAG};
  char* name;
  size_t len, i = 0;
  wasmtime_extern_t item;
  for (; wasmtime_instance_export_nth(context, &instance, i, &name, &len, &item); i++) {
    EXPECT(i < 3 && len == strlen(NAMES[i]) && memcmp(name, NAMES[i], len) == 0);
    EXPECT(item.kind == KINDS[i]);
    wasmtime_extern_delete(&item);
  }
  EXPECT(i == 3);
  EXPECT(!wasmtime_instance_export_get(context, &instance, "four", 4, &item));
}

/* ---- Callers --------------------------------------------------------------------------- */

static wasm_trap_t* greet(
    void* env, wasmtime_caller_t* caller, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults) {
  EXPECT(nargs == 2 && nresults == 1);
  wasmtime_context_t* here = wasmtime_caller_context(caller);
  EXPECT(here == context);
  wasmtime_extern_t item;
  EXPECT(!wasmtime_caller_export_get(caller, "none", 4, &item));
  EXPECT(wasmtime_caller_export_get(caller, "memory", 6, &item));
  const uint8_t* data = wasmtime_memory_data(here, &item.of.memory);
  memcpy(env, data + args[0].of.i32, (size_t)args[1].of.i32);
  /* Back into the guest. */
  EXPECT(wasmtime_caller_export_get(caller, "back", 4, &item));
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_func_call(here, &item.of.func, args + 1, 1, results, 1, &trap)));
  return trap;
}

static void functions_know_their_caller(void) {
  char text[6] = {0};
  wasm_functype_t* type = wasm_functype_new_2_1(
      wasm_valtype_new_i32(), wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasmtime_func_t func;
  wasmtime_func_new(context, type, greet, text, NULL, &func);
  wasm_functype_delete(type);
  wasmtime_instance_t instance = with_import(
      "(module (import \"\" \"\" (func $greet (param i32 i32) (result i32)))"
      "  (memory (export \"memory\") 1) (data (i32.const 8) \"hello\")"
      "  (func (export \"back\") (param i32) (result i32)"
      "    (i32.mul (local.get 0) (i32.const 3)))"
      "  (func (export \"f\") (result i32) (call $greet (i32.const 8) (i32.const 5))))",
      &func);
  func = export(&instance, "f").of.func;
  wasmtime_val_t result;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_func_call(context, &func, NULL, 0, &result, 1, &trap)));
  EXPECT(strcmp(text, "hello") == 0 && result.of.i32 == 15);
}

/* ---- Linkers ------------------------------------------------------------------------------ */

static wasm_trap_t* add_raw(
    void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)caller;
  EXPECT(count == 1);
  values[0].i32 += *(int*)env;
  return NULL;
}

static void linkers_link(void) {
  static int ten = 10;
  finalized = 0;
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  wasm_functype_t* type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  EXPECT(fine(wasmtime_linker_define_func_unchecked(
      linker, "host", 4, "add", 3, type, add_raw, &ten, finalize)));
  EXPECT(says(wasmtime_linker_define_func_unchecked(
      linker, "host", 4, "add", 3, type, add_raw, &ten, finalize), "defined twice"));
  EXPECT(finalized == 10);
  wasmtime_linker_allow_shadowing(linker, true);
  EXPECT(fine(wasmtime_linker_define_func_unchecked(
      linker, "host", 4, "add", 3, type, add_raw, &ten, finalize)));
  EXPECT(finalized == 20);
  NOT_FINE(wasmtime_linker_define_func(
      linker, "\xff", 1, "add", 3, type, stop, NULL, NULL));
  wasm_functype_delete(type);
  type = wasm_functype_new_0_0();
  EXPECT(fine(wasmtime_linker_define_func(
      linker, "host", 4, "stop", 4, type, stop, NULL, NULL)));
  wasm_functype_delete(type);

  /* A reactor, and a command whose every call starts anew. */
  wasmtime_module_t* reactor = compile(
      "(module (global $n (mut i32) (i32.const 0))"
      "  (func (export \"_initialize\") (global.set $n (i32.const 5)))"
      "  (func (export \"next\") (result i32)"
      "    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))");
  wasmtime_module_t* command = compile(
      "(module (import \"host\" \"add\" (func $add (param i32) (result i32)))"
      "  (global $n (mut i32) (i32.const 0)) (func (export \"_start\"))"
      "  (func (export \"next\") (result i32)"
      "    (global.set $n (call $add (global.get $n))) (global.get $n)))");
  EXPECT(fine(wasmtime_linker_module(linker, context, "reactor", 7, reactor)));
  EXPECT(fine(wasmtime_linker_module(linker, context, "command", 7, command)));
  static const char* const MODULES[] = {"reactor", "command"};
  static const int SECOND[] = {7, 10};
  wasm_trap_t* trap = NULL;
  wasmtime_extern_t item;
  for (int i = 0; i < 2; i++) {
    wasmtime_val_t result;
    EXPECT(wasmtime_linker_get(linker, context, MODULES[i], 7, "next", 4, &item));
    EXPECT(fine(wasmtime_func_call(context, &item.of.func, NULL, 0, &result, 1, &trap)));
    EXPECT(fine(wasmtime_func_call(context, &item.of.func, NULL, 0, &result, 1, &trap)));
    EXPECT(result.of.i32 == SECOND[i]);
  }
  EXPECT(!wasmtime_linker_get(linker, context, "none", 4, "next", 4, &item));
  wasmtime_func_t program;
  EXPECT(fine(wasmtime_linker_get_default(linker, context, "command", 7, &program)));
  EXPECT(run(&program) == NULL);
  wasmtime_module_delete(reactor);

  /* In another store, and by an instance. */
  wasmtime_store_t* other_store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t* other = wasmtime_store_context(other_store);
  wasmtime_instance_pre_t* pre;
  EXPECT(fine(wasmtime_linker_instantiate_pre(linker, command, &pre)));
  wasmtime_module_delete(command);
  wasmtime_module_t* same = wasmtime_instance_pre_module(pre);
  wasm_importtype_vec_t imports;
  wasmtime_module_imports(same, &imports);
  EXPECT(imports.size == 1);
  wasm_importtype_vec_delete(&imports);
  wasmtime_module_delete(same);
  wasmtime_instance_t instance;
  EXPECT(fine(wasmtime_instance_pre_instantiate(pre, other, &instance, &trap)));
  EXPECT(fine(wasmtime_instance_pre_instantiate(pre, context, &instance, &trap)));
  wasmtime_instance_pre_delete(pre);
  EXPECT(fine(wasmtime_linker_define_instance(linker, context, "inner", 5, &instance)));
  EXPECT(wasmtime_linker_get(linker, context, "inner", 5, "next", 4, &item));
  wasmtime_store_delete(other_store);

  /* What is not defined. */
  wasmtime_module_t* wanting = compile(
      "(module (import \"x\" \"y\" (func $y (result i32))) (func (export \"f\") (drop (call $y))))");
  EXPECT(says(wasmtime_linker_instantiate(linker, context, wanting, &instance, &trap), "unknown import"));
  wasmtime_linker_t* copy = wasmtime_linker_clone(linker);
  EXPECT(fine(wasmtime_linker_define_unknown_imports_as_traps(linker, wanting)));
  EXPECT(fine(wasmtime_linker_instantiate(linker, context, wanting, &instance, &trap)));
  program = export(&instance, "f").of.func;
  NOT_FINE(wasmtime_func_call(context, &program, NULL, 0, NULL, 0, &trap));
  EXPECT(fine(wasmtime_linker_define_unknown_imports_as_default_values(copy, context, wanting)));
  EXPECT(fine(wasmtime_linker_instantiate(copy, context, wanting, &instance, &trap)));
  program = export(&instance, "f").of.func;
  EXPECT(run(&program) == NULL);
  wasmtime_module_delete(wanting);
  wasmtime_linker_delete(copy);
  wasmtime_linker_delete(linker);
  wasmtime_linker_delete(NULL);
}

/* ---- Limits -------------------------------------------------------------------------------- */

static const char LOOP[] = "(module (func (export \"f\") (loop br 0)))";

static void fuel_runs_out(void) {
  uint64_t fuel;
  NOT_FINE(wasmtime_context_set_fuel(context, 1));
  NOT_FINE(wasmtime_context_get_fuel(context, &fuel));
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_consume_fuel_set(config, true);
  wasm_engine_t* of = wasm_engine_new_with_config(config);
  wasmtime_store_t* burning = wasmtime_store_new(of, NULL, NULL);
  wasmtime_context_t* in = wasmtime_store_context(burning);
  EXPECT(fine(wasmtime_context_set_fuel(in, 10000)));
  wasmtime_instance_t instance = instantiate_in(in, of, LOOP);
  wasmtime_extern_t f = export_in(in, &instance, "f");
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_func_call(in, &f.of.func, NULL, 0, NULL, 0, &trap)));
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_OUT_OF_FUEL, "all fuel consumed"));
  EXPECT(fine(wasmtime_context_get_fuel(in, &fuel)) && fuel == 0);
  wasmtime_store_delete(burning);
  wasm_engine_delete(of);
}

static wasm_trap_t* tick(
    void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)caller, (void)values;
  EXPECT(count == 0);
  wasmtime_engine_increment_epoch(env);
  return NULL;
}

static wasmtime_error_t* later(
    wasmtime_context_t* in, void* data, uint64_t* delta, wasmtime_update_deadline_kind_t* kind) {
  EXPECT(*kind == WASMTIME_UPDATE_DEADLINE_CONTINUE);
  int* left = data;
  EXPECT(wasmtime_context_get_data(in) == data);
  if (--*left == 0) return wasmtime_error_new("it took too long");
  *delta = 2;
  return NULL;
}

static void deadlines_stop_the_guest(void) {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_epoch_interruption_set(config, true);
  wasm_engine_t* of = wasm_engine_new_with_config(config);
  wasm_engine_t* clone = wasmtime_engine_clone(of);
  int left = 5;
  wasmtime_store_t* timed = wasmtime_store_new(of, &left, NULL);
  wasmtime_context_t* in = wasmtime_store_context(timed);
  wasmtime_instance_t instance = instantiate_in(in, of, LOOP);
  wasmtime_extern_t f = export_in(in, &instance, "f");
  wasm_trap_t* trap = NULL;
  /* At first the deadline is at once. */
  EXPECT(fine(wasmtime_func_call(in, &f.of.func, NULL, 0, NULL, 0, &trap)));
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_INTERRUPT, "interrupt"));
  wasmtime_context_set_epoch_deadline(in, 2);
  wasmtime_engine_increment_epoch(clone);
  wasmtime_engine_increment_epoch(of);
  EXPECT(fine(wasmtime_func_call(in, &f.of.func, NULL, 0, NULL, 0, &trap)));
  EXPECT(trapped(trap, WASMTIME_TRAP_CODE_INTERRUPT, "interrupt"));
  /* Now every round is an epoch, and the host decides at every second one. */
  wasmtime_linker_t* linker = wasmtime_linker_new(of);
  wasm_functype_t* type = wasm_functype_new_0_0();
  EXPECT(fine(wasmtime_linker_define_func_unchecked(linker, "", 0, "", 0, type, tick, of, NULL)));
  wasm_functype_delete(type);
  wasmtime_module_t* module = compile_for(
      of, "(module (import \"\" \"\" (func $tick)) (func (export \"f\")"
          "  (loop (call $tick) (br 0))))");
  EXPECT(fine(wasmtime_linker_instantiate(linker, in, module, &instance, &trap)));
  wasmtime_linker_delete(linker);
  wasmtime_module_delete(module);
  f = export_in(in, &instance, "f");
  wasmtime_store_epoch_deadline_callback(timed, later, &left, NULL);
  EXPECT(says(wasmtime_func_call(in, &f.of.func, NULL, 0, NULL, 0, &trap), "it took too long"));
  EXPECT(left == 0);
  EXPECT(!wasmtime_engine_is_pulley(of));
  wasmtime_store_delete(timed);
  wasm_engine_delete(of);
  wasm_engine_delete(clone);
}

static void stores_have_limits_and_data(void) {
  static int one = 1, hundred = 100;
  finalized = 0;
  wasmtime_store_t* small = wasmtime_store_new(engine, &one, finalize);
  wasmtime_context_t* in = wasmtime_store_context(small);
  EXPECT(wasmtime_store_context(small) == in);
  EXPECT(wasmtime_context_get_data(in) == &one);
  wasmtime_context_set_data(in, &hundred);
  EXPECT(wasmtime_context_get_data(in) == &hundred);
  wasmtime_store_limiter(small, 65536, 10, 2, -1, -1);
  wasm_limits_t limits = {1, 5};
  wasm_memorytype_t* type = wasm_memorytype_new(&limits);
  wasmtime_memory_t memory;
  uint64_t old;
  EXPECT(fine(wasmtime_memory_new(in, type, &memory)));
  NOT_FINE(wasmtime_memory_grow(in, &memory, 1, &old));
  wasm_memorytype_delete(type);
  instantiate_in(in, engine, "(module)");
  instantiate_in(in, engine, "(module)");
  wasmtime_module_t* module = compile("(module)");
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  NOT_FINE(wasmtime_instance_new(in, module, NULL, 0, &instance, &trap));
  wasmtime_module_delete(module);
  EXPECT(finalized == 0);
  wasmtime_store_delete(small);
  EXPECT(finalized == 100);
  wasmtime_store_delete(NULL);
}

static void configurations_configure(void) {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_wasm_simd_set(config, false);
  wasmtime_config_wasm_relaxed_simd_set(config, false);
  wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_CRANELIFT);
  wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
  wasmtime_config_max_wasm_stack_set(config, 1 << 20);
  wasmtime_config_debug_info_set(config, false);
  wasmtime_config_memory_reservation_set(config, 0);
  NOT_FINE(wasmtime_config_target_set(config, ""));
  wasm_engine_t* of = wasm_engine_new_with_config(config);
  EXPECT(of != NULL);
  wasm_byte_vec_t binary;
  static const char TEXT[] = "(module (func (param v128)))";
  EXPECT(fine(wasmtime_wat2wasm(TEXT, strlen(TEXT), &binary)));
  EXPECT(says(wasmtime_module_validate(of, (uint8_t*)binary.data, binary.size), "SIMD"));
  EXPECT(fine(wasmtime_module_validate(engine, (uint8_t*)binary.data, binary.size)));
  wasm_engine_delete(of);
  config = wasm_config_new();
  EXPECT(fine(wasmtime_config_target_set(config, "mips-unknown-none")));
  of = wasm_engine_new_with_config(config);
  EXPECT(says(wasmtime_module_validate(of, (uint8_t*)binary.data, binary.size), "host"));
  wasm_byte_vec_delete(&binary);
  wasm_engine_delete(of);
}

/* ---- WASI ------------------------------------------------------------------------------------ */

typedef struct {
  char bytes[64];
  size_t size;
  int finalized;
} output_t;

static ptrdiff_t keep(void* data, const unsigned char* bytes, size_t size) {
  output_t* output = data;
  if (output->size + size > sizeof output->bytes) return -28;
  memcpy(output->bytes + output->size, bytes, size);
  output->size += size;
  return (ptrdiff_t)size;
}

static void forget(void* data) {
  ((output_t*)data)->finalized++;
}

static void wasi_gives_what_it_is_told(void) {
  wasmtime_store_t* own = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t* in = wasmtime_store_context(own);
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  EXPECT(fine(wasmtime_linker_define_wasi(linker)));
  /* Copies its input and its second argument to its output, and exits with 7. */
  wasmtime_module_t* module = compile(
      "(module"
      "  (import \"wasi_snapshot_preview1\" \"fd_read\""
      "    (func $read (param i32 i32 i32 i32) (result i32)))"
      "  (import \"wasi_snapshot_preview1\" \"fd_write\""
      "    (func $write (param i32 i32 i32 i32) (result i32)))"
      "  (import \"wasi_snapshot_preview1\" \"args_get\""
      "    (func $args (param i32 i32) (result i32)))"
      "  (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
      "  (memory (export \"memory\") 1)"
      "  (func $out (param i32 i32)"
      "    (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1))"
      "    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))"
      "  (func (export \"_start\")"
      "    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 64))"
      "    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"
      "    (call $out (i32.const 64) (i32.load (i32.const 8)))"
      "    (drop (call $args (i32.const 16) (i32.const 256)))"
      "    (call $out (i32.load (i32.const 20)) (i32.const 4))"
      "    (call $exit (i32.const 7))))");
  static output_t output;
  wasi_config_t* config = wasi_config_new();
  const char* args[] = {"program", "args"};
  const char* bad[] = {"\xff"};
  const char* names[] = {"NAME"};
  const char* values[] = {"value"};
  EXPECT(wasi_config_set_argv(config, 2, args));
  EXPECT(!wasi_config_set_argv(config, 1, bad));
  EXPECT(wasi_config_set_env(config, 1, names, values));
  EXPECT(!wasi_config_set_env(config, 1, names, bad));
  wasm_byte_vec_t input;
  wasm_byte_vec_new(&input, 6, "input ");
  wasi_config_set_stdin_bytes(config, &input);
  wasi_config_set_stdout_custom(config, keep, &output, forget);
  EXPECT(!wasi_config_set_stdin_file(config, "/there/is/no/such/file"));
  EXPECT(!wasi_config_set_stderr_file(config, "/there/is/no/such/file"));
  EXPECT(!wasi_config_preopen_dir(config, "/there/is/no/such/folder", "/", false));
  wasi_config_inherit_stderr(config);
  EXPECT(fine(wasmtime_context_set_wasi(in, config)));

  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  EXPECT(fine(wasmtime_linker_instantiate(linker, in, module, &instance, &trap)));
  wasmtime_extern_t start = export_in(in, &instance, "_start");
  wasmtime_error_t* error = wasmtime_func_call(in, &start.of.func, NULL, 0, NULL, 0, &trap);
  EXPECT(error != NULL && trap == NULL);
  int status = 0;
  EXPECT(wasmtime_error_exit_status(error, &status) && status == 7);
  wasmtime_error_delete(error);
  EXPECT(output.size == 10 && memcmp(output.bytes, "input args", 10) == 0);
  EXPECT(output.finalized == 0);
  EXPECT(fine(wasmtime_context_set_wasi(in, wasi_config_new())));
  EXPECT(output.finalized == 1);
  wasmtime_module_delete(module);
  wasmtime_linker_delete(linker);
  wasmtime_store_delete(own);
  wasi_config_delete(wasi_config_new());
  wasi_config_delete(NULL);
}

int main(void) {
  engine = wasm_engine_new();
  store = wasmtime_store_new(engine, NULL, NULL);
  context = wasmtime_store_context(store);
  errors_say_what_is_wrong();
  traps_have_codes_and_frames();
  the_host_stops_the_guest();
  exceptions_cross();
  vectors_cross_both_ways();
  results_of_wrong_types_are_found_out();
  references_live_as_long_as_they_are_rooted();
  objects_of_the_guest_cross();
  items_can_be_made_and_changed();
  shared_memories_are_owned();
  what_is_of_another_store_is_found_out();
  modules_are_seen_and_saved();
  exports_are_found_by_number();
  functions_know_their_caller();
  linkers_link();
  fuel_runs_out();
  deadlines_stop_the_guest();
  stores_have_limits_and_data();
  configurations_configure();
  wasi_gives_what_it_is_told();
  wasmtime_store_delete(store);
  wasm_engine_delete(engine);
  return failures != 0;
}
