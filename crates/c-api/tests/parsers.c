/* Parsers in one store, in the way in which tree-sitter runs languages: modules that are
 * laid out when they are loaded share a memory and a table, which grow for each of them;
 * what the guest calls are functions without types, some through the table; what the host
 * calls is found in the table. Prints nothing when all holds. Only wasmtime.h is needed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasm.h>
#include <wasmtime.h>

static void fail(const char* what, wasmtime_error_t* error, wasm_trap_t* trap) {
  wasm_name_t message = {0, NULL};
  if (error) wasmtime_error_message(error, &message);
  if (trap) wasm_trap_message(trap, &message);
  printf("%s: %.*s\n", what, (int)message.size, message.data);
  exit(1);
}

static void check(const char* what, wasmtime_error_t* error, wasm_trap_t* trap) {
  if (error || trap) fail(what, error, trap);
}

static void expect(bool holds, const char* what) {
  if (!holds) fail(what, NULL, NULL);
}

/* What every language is linked with. */
static const char LIBRARY[] =
    "(module $library"
    "  (import \"env\" \"memory\" (memory 1))"
    "  (import \"env\" \"abort\" (func $abort))"
    "  (global $heap (mut i32) (i32.const 0))"
    "  (func (export \"reset_heap\") (param i32) (global.set $heap (local.get 0)))"
    "  (func (export \"malloc\") (param i32) (result i32)"
    "    (if (i32.gt_u (local.get 0) (i32.const 4096)) (then (call $abort)))"
    "    (global.get $heap)"
    "    (global.set $heap (i32.add (global.get $heap) (local.get 0)))))";

/* A language whose words are of the letters between two. A lexer is a place in memory with
 * the letter ahead, the kind of the word, and places in the table of the functions that it
 * calls. What `language` gives is where the table's first place is said. */
static const char LANGUAGE[] =
    "(module $language"
    "  (type $lex (func (param i32 i32) (result i32)))"
    "  (type $advance (func (param i32 i32)))"
    "  (import \"env\" \"memory\" (memory 1))"
    "  (import \"env\" \"__indirect_function_table\" (table 1 funcref))"
    "  (import \"env\" \"__memory_base\" (global $memory_base i32))"
    "  (import \"env\" \"__table_base\" (global $table_base i32))"
    "  (import \"env\" \"malloc\" (func $malloc (param i32) (result i32)))"
    "  (func $is_ours (param $letter i32) (result i32)"
    "    (i32.and (i32.ge_u (local.get $letter) (i32.const %d))"
    "             (i32.le_u (local.get $letter) (i32.const %d))))"
    "  (func $lex (type $lex) (local $count i32)"
    "    (i32.store (call $malloc (i32.const 8)) (local.get 1))"
    "    (loop $again"
    "      (if (call $is_ours (i32.load (local.get 0))) (then"
    "        (call_indirect (type $advance) (local.get 0) (i32.const 0)"
    "          (i32.load offset=8 (local.get 0)))"
    "        (local.set $count (i32.add (local.get $count) (i32.const 1)))"
    "        (br $again))))"
    "    (i32.store offset=4 (local.get 0) (i32.load offset=4 (global.get $memory_base)))"
    "    (i32.ne (local.get $count) (i32.const 0)))"
    "  (func $skip (type $lex)"
    "    (call_indirect (type $advance) (local.get 0) (i32.const 1)"
    "      (i32.load offset=8 (local.get 0)))"
    "    (i32.const 1))"
    "  (elem (global.get $table_base) func $lex $skip)"
    "  (data (global.get $memory_base) \"\\00\\00\\00\\00\\%02x\\00\\00\\00\")"
    "  (func (export \"language\") (result i32)"
    "    (i32.store (global.get $memory_base) (global.get $table_base))"
    "    (global.get $memory_base)))";

enum { LANGUAGES = 60, LEXER = 1024, FIRST_BASE = 2048, BASE_SIZE = 2048, TABLE_SIZE = 2 };

typedef struct {
  wasm_engine_t* engine;
  wasmtime_store_t* store;
  wasmtime_context_t* context;
  wasmtime_memory_t memory;
  wasmtime_table_t table;
  wasmtime_func_t malloc, reset_heap;
  /* The text, and how far it is read. */
  const char* text;
  size_t at, skipped;
} parser_t;

static void write_u32(parser_t* self, uint32_t address, uint32_t value) {
  uint8_t* data = wasmtime_memory_data(self->context, &self->memory);
  memcpy(data + address, &value, sizeof value);
}

static uint32_t read_u32(parser_t* self, uint32_t address) {
  uint32_t value;
  expect(address + 4 <= wasmtime_memory_data_size(self->context, &self->memory), "an address");
  memcpy(&value, wasmtime_memory_data(self->context, &self->memory) + address, sizeof value);
  return value;
}

/* The guest goes on to the next letter. */
static wasm_trap_t* advance(
    void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  parser_t* self = env;
  expect(count == 2, "two values");
  expect(wasmtime_caller_context(caller) == self->context, "the same context");
  expect(values[0].i32 == LEXER, "the lexer");
  if (!self->text[self->at]) return wasmtime_trap_new("the text has ended", 18);
  if (values[1].i32) self->skipped++;
  self->at++;
  write_u32(self, LEXER, (uint8_t)self->text[self->at]);
  return NULL;
}

static wasm_trap_t* aborted(
    void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t count) {
  (void)env, (void)caller, (void)values;
  expect(count == 0, "no values");
  return wasmtime_trap_new("Wasm module called abort", 24);
}

static wasmtime_module_t* compile(parser_t* self, const char* text) {
  wasm_byte_vec_t binary;
  wasmtime_module_t* module;
  check("the text", wasmtime_wat2wasm(text, strlen(text), &binary), NULL);
  check("the module", wasmtime_module_new(
      self->engine, (const uint8_t*)binary.data, binary.size, &module), NULL);
  wasm_byte_vec_delete(&binary);
  return module;
}

/* The imports of a module by their names, for wasmtime_instance_new(). */
static wasmtime_instance_t instantiate(
    parser_t* self, const wasmtime_module_t* module, size_t count, const char* const names[],
    const wasmtime_extern_t externs[]) {
  wasm_importtype_vec_t types;
  wasmtime_module_imports(module, &types);
  wasmtime_extern_t imports[8];
  expect(types.size <= 8, "few imports");
  for (size_t i = 0; i < types.size; i++) {
    const wasm_name_t* name = wasm_importtype_name(types.data[i]);
    size_t found = 0;
    while (found < count && (strlen(names[found]) != name->size ||
                             memcmp(names[found], name->data, name->size) != 0)) {
      found++;
    }
    expect(found < count, "an import that is known");
    imports[i] = externs[found];
  }
  wasmtime_instance_t instance;
  wasm_trap_t* trap = NULL;
  wasmtime_error_t* error = wasmtime_instance_new(
      self->context, module, imports, types.size, &instance, &trap);
  check("the instance", error, trap);
  wasm_importtype_vec_delete(&types);
  return instance;
}

static wasmtime_func_t exported(
    parser_t* self, const wasmtime_instance_t* instance, const char* name) {
  wasmtime_extern_t item;
  char* export;
  size_t len;
  for (size_t i = 0;
       wasmtime_instance_export_nth(self->context, instance, i, &export, &len, &item); i++) {
    if (len == strlen(name) && memcmp(export, name, len) == 0) {
      expect(item.kind == WASMTIME_EXTERN_FUNC, "a function");
      return item.of.func;
    }
    wasmtime_extern_delete(&item);
  }
  fail("no such export", NULL, NULL);
  return item.of.func;
}

static wasmtime_func_t host(
    parser_t* self, wasm_functype_t* type, wasmtime_func_unchecked_callback_t code) {
  wasmtime_func_t func;
  wasmtime_func_new_unchecked(self->context, type, code, self, NULL, &func);
  wasm_functype_delete(type);
  return func;
}

static int32_t call(parser_t* self, const wasmtime_func_t* func, int32_t a, int32_t b) {
  wasmtime_val_raw_t values[2] = {{.i32 = a}, {.i32 = b}};
  wasm_trap_t* trap = NULL;
  wasmtime_error_t* error =
      wasmtime_func_call_unchecked(self->context, func, values, 2, &trap);
  check("the call", error, trap);
  return values[0].i32;
}

static wasmtime_extern_t constant(parser_t* self, int32_t value) {
  wasm_globaltype_t* type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST);
  wasmtime_val_t val = {.kind = WASMTIME_I32, .of.i32 = value};
  wasmtime_extern_t item = {.kind = WASMTIME_EXTERN_GLOBAL};
  check("the global", wasmtime_global_new(self->context, type, &val, &item.of.global), NULL);
  wasm_globaltype_delete(type);
  return item;
}

/* Lays a language out and loads it; the place in the table of its lexing function. */
static uint32_t load(parser_t* self, const wasmtime_module_t* module, uint32_t nth) {
  wasmtime_val_t null = {.kind = WASMTIME_FUNCREF};
  uint64_t table_base, old_pages;
  check("the table", wasmtime_table_grow(
      self->context, &self->table, TABLE_SIZE, &null, &table_base), NULL);
  uint32_t base = FIRST_BASE + nth * BASE_SIZE;
  size_t size = wasmtime_memory_data_size(self->context, &self->memory);
  if (base + 2 * BASE_SIZE > size) {
    check("the memory", wasmtime_memory_grow(
        self->context, &self->memory, 1, &old_pages), NULL);
    expect(old_pages * MEMORY_PAGE_SIZE == size, "pages");
  }
  call(self, &self->reset_heap, (int32_t)(base + BASE_SIZE), 0);

  const char* names[] = {
      "memory", "__indirect_function_table", "__memory_base", "__table_base", "malloc"};
  wasmtime_extern_t externs[] = {
      {.kind = WASMTIME_EXTERN_MEMORY, .of.memory = self->memory},
      {.kind = WASMTIME_EXTERN_TABLE, .of.table = self->table},
      constant(self, (int32_t)base),
      constant(self, (int32_t)table_base),
      {.kind = WASMTIME_EXTERN_FUNC, .of.func = self->malloc}};
  wasmtime_instance_t instance = instantiate(self, module, 5, names, externs);
  wasmtime_func_t language = exported(self, &instance, "language");
  expect(call(self, &language, 0, 0) == (int32_t)base, "where the language is");
  expect(read_u32(self, base) == table_base, "where its functions are");
  return (uint32_t)table_base;
}

static wasmtime_func_t at(parser_t* self, uint32_t index) {
  wasmtime_val_t val;
  expect(wasmtime_table_get(self->context, &self->table, index, &val), "an element");
  expect(val.kind == WASMTIME_FUNCREF, "of functions");
  expect(!wasmtime_funcref_is_null(&val.of.funcref), "that is not null");
  return val.of.funcref;
}

/* How many words a language finds in a text, and whether they are of its kind. */
static size_t words(parser_t* self, uint32_t lexer, uint32_t kind, const char* text) {
  wasmtime_func_t lex = at(self, lexer), skip = at(self, lexer + 1);
  size_t found = 0;
  self->text = text;
  self->at = self->skipped = 0;
  write_u32(self, LEXER, (uint8_t)text[0]);
  while (text[self->at]) {
    if (call(self, &lex, LEXER, (int32_t)found)) {
      expect(read_u32(self, LEXER + 4) == kind, "the kind of the word");
      found++;
    } else {
      call(self, &skip, LEXER, 0);
    }
  }
  return found;
}

int main(void) {
  parser_t parser = {0}, *self = &parser;
  self->engine = wasm_engine_new();
  self->store = wasmtime_store_new(self->engine, self, NULL);
  self->context = wasmtime_store_context(self->store);
  expect(wasmtime_context_get_data(self->context) == self, "the store's data");

  wasm_limits_t limits = {1, 2000}, table_limits = {1, wasm_limits_max_default};
  wasm_memorytype_t* memory_type = wasm_memorytype_new(&limits);
  check("memory", wasmtime_memory_new(self->context, memory_type, &self->memory), NULL);
  wasm_memorytype_delete(memory_type);
  wasm_tabletype_t* table_type =
      wasm_tabletype_new(wasm_valtype_new(WASM_FUNCREF), &table_limits);
  wasmtime_val_t null = {.kind = WASMTIME_FUNCREF};
  check("table", wasmtime_table_new(self->context, table_type, &null, &self->table), NULL);
  wasm_tabletype_delete(table_type);

  wasmtime_func_t abort_func = host(self, wasm_functype_new_0_0(), aborted);
  wasmtime_func_t advance_func = host(
      self, wasm_functype_new_2_0(wasm_valtype_new_i32(), wasm_valtype_new_i32()), advance);

  wasmtime_module_t* library = compile(self, LIBRARY);
  const char* names[] = {"memory", "abort"};
  wasmtime_extern_t externs[] = {
      {.kind = WASMTIME_EXTERN_MEMORY, .of.memory = self->memory},
      {.kind = WASMTIME_EXTERN_FUNC, .of.func = abort_func}};
  wasmtime_instance_t instance = instantiate(self, library, 2, names, externs);
  wasmtime_module_delete(library);
  self->malloc = exported(self, &instance, "malloc");
  self->reset_heap = exported(self, &instance, "reset_heap");

  /* What lexers call is in the table. */
  uint64_t place;
  check("table", wasmtime_table_grow(self->context, &self->table, 1, &null, &place), NULL);
  wasmtime_val_t val = {.kind = WASMTIME_FUNCREF, .of.funcref = advance_func};
  check("table", wasmtime_table_set(self->context, &self->table, place, &val), NULL);
  write_u32(self, LEXER + 8, (uint32_t)place);

  char text[sizeof LANGUAGE + 64];
  snprintf(text, sizeof text, LANGUAGE, 'a', 'z', 1);
  wasmtime_module_t* letters = compile(self, text);
  snprintf(text, sizeof text, LANGUAGE, '0', '9', 2);
  wasmtime_module_t* digits = compile(self, text);

  /* One module after the other, again and again, in the same store. */
  uint32_t lexers[LANGUAGES];
  for (uint32_t i = 0; i < LANGUAGES; i++) {
    lexers[i] = load(self, i % 2 ? digits : letters, i);
  }
  wasmtime_module_delete(letters);
  wasmtime_module_delete(digits);
  expect(wasmtime_table_size(self->context, &self->table) == 2 + LANGUAGES * TABLE_SIZE,
         "the size of the table");
  for (int round = 0; round < 20; round++) {
    for (uint32_t i = 0; i < LANGUAGES; i++) {
      call(self, &self->reset_heap, FIRST_BASE + LANGUAGES * BASE_SIZE, 0);
      size_t found = words(self, lexers[i], 1 + i % 2, "let x1 = 23 + y45; in 6");
      expect(found == 4, "the words");
      expect(self->skipped > 0, "what is between them");
    }
  }

  /* What the guest is stopped for by the host is an error that says so. */
  wasmtime_val_raw_t large[1] = {{.i32 = 5000}};
  wasm_trap_t* trap = NULL;
  wasmtime_error_t* error =
      wasmtime_func_call_unchecked(self->context, &self->malloc, large, 1, &trap);
  expect(error && !trap, "an error");
  wasm_name_t message;
  wasmtime_error_message(error, &message);
  wasm_byte_vec_t copy;
  wasm_byte_vec_new_uninitialized(&copy, message.size + 1);
  memcpy(copy.data, message.data, message.size);
  copy.data[message.size] = 0;
  expect(strstr(copy.data, "Wasm module called abort") != NULL, "its message");
  wasm_byte_vec_delete(&copy);
  wasm_byte_vec_delete(&message);
  wasm_frame_vec_t frames;
  wasmtime_error_wasm_trace(error, &frames);
  expect(frames.size == 1, "one frame");
  const wasm_name_t* name = wasmtime_frame_module_name(frames.data[0]);
  expect(name && name->size == 7 && memcmp(name->data, "library", 7) == 0, "its module");
  wasm_frame_vec_delete(&frames);
  wasmtime_error_delete(error);
  expect(call(self, &self->malloc, 16, 0) != 0, "the store is as before");

  wasmtime_store_delete(self->store);
  wasm_engine_delete(self->engine);
  return 0;
}
