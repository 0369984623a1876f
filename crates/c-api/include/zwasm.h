/* zwasm.h: what zwasm has beyond the standard C API.
 *
 * The conventions are those of wasm.h. Strings are UTF-8 and end with a NUL.
 *
 * A function that the guest calls returns: neither longjmp nor an exception of C++ may
 * leave it. A finalizer runs when no function of the library does, and may call any. */

#ifndef ZWASM_H
#define ZWASM_H

#include "wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define own

/* ---- The library --------------------------------------------------------- */

/* Such as "0.1.0". */
WASM_API_EXTERN const char* zwasm_version(void);

/* Why the latest function that failed on this thread did; null if none has. Good
 * until another one fails. Also set where wasm.h only says null or false. */
WASM_API_EXTERN const char* zwasm_last_error(void);

/* Assembles a module from its text. */
WASM_API_EXTERN bool zwasm_wat2wasm(const char* text, own wasm_byte_vec_t* out);

/* ---- More kinds of values ------------------------------------------------- */

enum zwasm_valkind_enum {
  /* A wasm_val_t has no room for a vector: it owns one elsewhere, as it owns a reference. */
  ZWASM_V128 = 4,
  /* References to objects and integers of the guest's heap. */
  ZWASM_ANYREF = 130,
  /* References to exceptions. */
  ZWASM_EXNREF = 131
};

/* The 16 bytes of a vector, the first lane first. The second function is false for a value
 * of another kind. */
WASM_API_EXTERN void zwasm_val_new_v128(own wasm_val_t* out, const uint8_t bytes[16]);
WASM_API_EXTERN bool zwasm_val_v128(const wasm_val_t*, uint8_t out[16]);

/* ---- Objects of the guest's heap ------------------------------------------ */

/* What a reference of kind ZWASM_ANYREF is to. */
typedef uint8_t zwasm_objectkind_t;
enum zwasm_objectkind_enum {
  /* Null, or no value of the guest's. */
  ZWASM_OBJECT_NONE,
  /* An integer of 31 bits. */
  ZWASM_OBJECT_I31,
  ZWASM_OBJECT_STRUCT,
  ZWASM_OBJECT_ARRAY
};

/* The reference may be null. */
WASM_API_EXTERN zwasm_objectkind_t zwasm_ref_objectkind(const wasm_ref_t*);

/* The upper bit is cut off. The second function is false for what is no such integer. */
WASM_API_EXTERN own wasm_ref_t* zwasm_ref_new_i31(wasm_store_t*, int32_t value);
WASM_API_EXTERN bool zwasm_ref_i31(const wasm_ref_t*, int32_t* out);

/* The fields of a structure or the elements of an array: how many there are, and each,
 * packed ones as WASM_I32. False if there is no such one, it is constant, or the value is
 * not of its type. */
WASM_API_EXTERN size_t zwasm_ref_length(const wasm_ref_t*);
WASM_API_EXTERN bool zwasm_ref_get(const wasm_ref_t*, size_t index, own wasm_val_t* out);
WASM_API_EXTERN bool zwasm_ref_set(wasm_ref_t*, size_t index, const wasm_val_t*);

/* ---- What runs the code ------------------------------------------------------ */

typedef uint8_t zwasm_strategy_t;
enum zwasm_strategy_enum {
  /* The interpreter, and the compiler for what runs often. */
  ZWASM_STRATEGY_AUTO,
  ZWASM_STRATEGY_INTERPRETER,
  /* Functions are compiled, in one pass, when they are first called. */
  ZWASM_STRATEGY_BASELINE
};

/* An engine cannot be made with a strategy that the library was built without. */
WASM_API_EXTERN bool zwasm_config_strategy(wasm_config_t*, zwasm_strategy_t);

/* Whether compiled code finds out by signals (SIGSEGV, SIGBUS) that it left a memory,
 * or checks every access. The handler hands on signals that are not its own. */
WASM_API_EXTERN void zwasm_config_signals_based_traps(wasm_config_t*, bool enable);

/* ---- Limits, for all stores of an engine ----------------------------------- */

/* Bytes of stack for the guest's frames; deeper recursion traps. */
WASM_API_EXTERN void zwasm_config_max_stack(wasm_config_t*, size_t bytes);

/* Bytes of each memory: growth beyond fails. */
WASM_API_EXTERN void zwasm_config_max_memory(wasm_config_t*, uint64_t bytes);

/* Elements of each table. */
WASM_API_EXTERN void zwasm_config_max_table_elements(wasm_config_t*, uint64_t elements);

/* Bytes of garbage-collected objects in each store. */
WASM_API_EXTERN void zwasm_config_max_gc_heap(wasm_config_t*, uint64_t bytes);

/* Bytes of memories, tables, objects, exceptions and instances in each store together:
 * growth beyond fails, and what is made beyond stops with ZWASM_ERROR_LIMIT. */
WASM_API_EXTERN void zwasm_config_max_total(wasm_config_t*, uint64_t bytes);

/* Bytes of machine code of all modules together; what would be more is interpreted. */
WASM_API_EXTERN void zwasm_config_max_code(wasm_config_t*, uint64_t bytes);

/* Whether 32-bit memories reserve 4 GiB of address space each, or every access is
 * checked and they take the room they need. */
WASM_API_EXTERN void zwasm_config_guard_pages(wasm_config_t*, bool enable);

/* Whether every NaN that is computed is the canonical one, so that results have the
 * same bits on every processor. */
WASM_API_EXTERN void zwasm_config_deterministic(wasm_config_t*, bool enable);

/* Switches a feature by the name that the command `zwasm features` prints. */
WASM_API_EXTERN bool zwasm_config_feature(wasm_config_t*, const char* name, bool enable);

/* ---- Limits, for one store --------------------------------------------------- */

/* SIZE_MAX is no limit. */
typedef struct zwasm_store_limits_t {
  /* Of each memory, each table, the heap of objects, and the exceptions. */
  size_t memory_bytes;
  size_t table_elements;
  size_t gc_heap_bytes;
  size_t exceptions_bytes;
  /* Of all these and the instances together. */
  size_t total_bytes;
  /* How many there may be. */
  size_t instances;
  size_t tables;
  size_t memories;
  /* Whether growth that fails stops the guest, instead of telling it. */
  bool trap_on_grow_failure;
} zwasm_store_limits_t;

#define ZWASM_NO_LIMITS                                                           \
  {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, false}

/* For what is made in the store from now on. */
WASM_API_EXTERN void zwasm_store_set_limits(wasm_store_t*, const zwasm_store_limits_t*);

/* ---- Fuel -------------------------------------------------------------------- */

/* Whether code consumes fuel, about one for each instruction. A guest without any
 * left stops with ZWASM_ERROR_OUT_OF_FUEL. A store starts with none. */
WASM_API_EXTERN void zwasm_config_consume_fuel(wasm_config_t*, bool enable);

/* False if the engine's code does not consume fuel. */
WASM_API_EXTERN bool zwasm_store_set_fuel(wasm_store_t*, uint64_t fuel);
WASM_API_EXTERN bool zwasm_store_get_fuel(const wasm_store_t*, uint64_t* out);

/* ---- Deadlines and interruption ------------------------------------------------- */

/* Whether code looks, at function entries and loop headers, if it should stop. */
WASM_API_EXTERN void zwasm_config_epoch_interruption(wasm_config_t*, bool enable);

/* An engine counts epochs, when it is told to, from any thread. What runs in a store
 * whose deadline is reached stops with ZWASM_ERROR_INTERRUPTED. */
WASM_API_EXTERN void zwasm_engine_increment_epoch(wasm_engine_t*);
WASM_API_EXTERN void zwasm_store_set_epoch_deadline(wasm_store_t*, uint64_t ticks_from_now);

/* Stops a store's guest from any thread: where it looks, and where it waits in a call
 * of the WASI context that the store has when the handle is made. */
typedef struct zwasm_interrupt_t zwasm_interrupt_t;

WASM_API_EXTERN own zwasm_interrupt_t* zwasm_interrupt_new(wasm_store_t*);
WASM_API_EXTERN void zwasm_interrupt_delete(own zwasm_interrupt_t*);

/* What the store runs stops, and all that it is asked to run, until the interruption
 * is cleared, on the store's thread while it runs nothing. */
WASM_API_EXTERN void zwasm_interrupt(const zwasm_interrupt_t*);
WASM_API_EXTERN void zwasm_interrupt_clear(const zwasm_interrupt_t*, wasm_store_t*);

/* ---- Types ------------------------------------------------------------------ */

/* A memory with 64-bit addresses, and one that threads share. UINT64_MAX is no
 * maximum. */
WASM_API_EXTERN own wasm_memorytype_t* zwasm_memorytype_new64(uint64_t min, uint64_t max);
WASM_API_EXTERN own wasm_memorytype_t* zwasm_memorytype_new_shared(const wasm_limits_t*);
WASM_API_EXTERN bool zwasm_memorytype_is64(const wasm_memorytype_t*);
WASM_API_EXTERN bool zwasm_memorytype_is_shared(const wasm_memorytype_t*);

/* An exception tag, to be imported. */
WASM_API_EXTERN own wasm_extern_t* zwasm_tag_new(wasm_store_t*, const wasm_tagtype_t*);

/* ---- Traps ------------------------------------------------------------------- */

typedef uint8_t zwasm_error_t;
enum zwasm_error_enum {
  /* The host: a function of its own failed, or it misused the API. */
  ZWASM_ERROR_HOST,
  /* The guest trapped for another reason than the next three. */
  ZWASM_ERROR_TRAP,
  /* Its calls did not fit on the stack. */
  ZWASM_ERROR_STACK_OVERFLOW,
  /* It has used up its fuel. */
  ZWASM_ERROR_OUT_OF_FUEL,
  /* It reached its deadline, or was interrupted. */
  ZWASM_ERROR_INTERRUPTED,
  /* It threw an exception that nothing caught. */
  ZWASM_ERROR_EXCEPTION,
  /* A configured limit does not allow it. */
  ZWASM_ERROR_LIMIT,
  /* The system has no memory for it. */
  ZWASM_ERROR_OUT_OF_MEMORY,
  /* An import is missing or has another type. */
  ZWASM_ERROR_LINK,
  /* The module needs what this build cannot run. */
  ZWASM_ERROR_UNSUPPORTED
};

WASM_API_EXTERN zwasm_error_t zwasm_trap_error(const wasm_trap_t*);

/* Whether the guest ended itself through WASI, and with what exit code. `status`
 * may be null. */
WASM_API_EXTERN bool zwasm_trap_exit_status(const wasm_trap_t*, int32_t* status);

/* The function's name, borrowed from the frame; null if the module has none. */
WASM_API_EXTERN const wasm_name_t* zwasm_frame_func_name(const wasm_frame_t*);

/* ---- Linking by name ------------------------------------------------------------ */

typedef struct zwasm_linker_t zwasm_linker_t;

WASM_API_EXTERN own zwasm_linker_t* zwasm_linker_new(wasm_engine_t*);
WASM_API_EXTERN void zwasm_linker_delete(own zwasm_linker_t*);

/* Whether a later definition of a name may replace an earlier one. */
WASM_API_EXTERN void zwasm_linker_allow_shadowing(zwasm_linker_t*, bool allow);

WASM_API_EXTERN bool zwasm_linker_define(
    zwasm_linker_t*, const char* module, const char* name, const wasm_extern_t*);

/* Everything that an instance exports. */
WASM_API_EXTERN bool zwasm_linker_define_instance(
    zwasm_linker_t*, const char* module, const wasm_instance_t*);

/* WASI preview 1; zwasm_store_set_wasi() says what it grants. */
WASM_API_EXTERN bool zwasm_linker_define_wasi(zwasm_linker_t*);

/* As wasm_instance_new(), with the imports looked up by name. */
WASM_API_EXTERN own wasm_instance_t* zwasm_linker_instantiate(
    const zwasm_linker_t*, wasm_store_t*, const wasm_module_t*, own wasm_trap_t**);

/* What is exported under a name; null if nothing is. */
WASM_API_EXTERN own wasm_extern_t* zwasm_instance_export(
    const wasm_instance_t*, const char* name);

/* ---- WASI ------------------------------------------------------------------------- */

/* What a guest is given: at first nothing. */
typedef struct zwasm_wasi_t zwasm_wasi_t;

WASM_API_EXTERN own zwasm_wasi_t* zwasm_wasi_new(void);
WASM_API_EXTERN void zwasm_wasi_delete(own zwasm_wasi_t*);

/* Lets the guest do more than use its standard streams, clocks and randomness, and
 * exit: "read", "write", "path", "env", "proc", "net", or "all". A directory takes one
 * of the first three to be of use. False, and no change, for another name. */
WASM_API_EXTERN bool zwasm_wasi_allow(zwasm_wasi_t*, const char* capability);

/* The first argument is the program's name. */
WASM_API_EXTERN bool zwasm_wasi_arg(zwasm_wasi_t*, const char* arg);
WASM_API_EXTERN bool zwasm_wasi_env(zwasm_wasi_t*, const char* name, const char* value);
WASM_API_EXTERN void zwasm_wasi_inherit_env(zwasm_wasi_t*);
WASM_API_EXTERN void zwasm_wasi_inherit_stdio(zwasm_wasi_t*);

/* These bytes, which are copied, as standard input. */
WASM_API_EXTERN void zwasm_wasi_stdin(zwasm_wasi_t*, const wasm_byte_vec_t*);

/* Standard output and error are kept; zwasm_store_stdout() and zwasm_store_stderr()
 * give what has been written so far. */
WASM_API_EXTERN void zwasm_wasi_capture_output(zwasm_wasi_t*);

/* A directory of the host's with all below it, under a name for the guest. What it
 * may do there depends on its capabilities. */
WASM_API_EXTERN bool zwasm_wasi_preopen_dir(
    zwasm_wasi_t*, const char* host, const char* guest, bool read_only);

/* Gives all this to the guest of a store, in place of what it had. */
WASM_API_EXTERN void zwasm_store_set_wasi(wasm_store_t*, own zwasm_wasi_t*);

WASM_API_EXTERN void zwasm_store_stdout(const wasm_store_t*, own wasm_byte_vec_t* out);
WASM_API_EXTERN void zwasm_store_stderr(const wasm_store_t*, own wasm_byte_vec_t* out);

/* Writes out what is still buffered of the guest's output: to be called when the
 * guest has ended and its standard output is this process's. */
WASM_API_EXTERN bool zwasm_store_flush(wasm_store_t*);

/* ---- Components -------------------------------------------------------------------- */

/* A component, loaded and validated. It is needed no longer when it is instantiated. */
typedef struct zwasm_component_t zwasm_component_t;

/* From binary or, unless the library was built without it, text. Null if it is none. */
WASM_API_EXTERN own zwasm_component_t* zwasm_component_new(
    wasm_engine_t*, const wasm_byte_vec_t*);
WASM_API_EXTERN void zwasm_component_delete(own zwasm_component_t*);

/* What it imports and exports, as WIT. */
WASM_API_EXTERN void zwasm_component_wit(const zwasm_component_t*, own wasm_name_t* out);

/* -- Values -- */

typedef uint8_t zwasm_component_valkind_t;
enum zwasm_component_valkind_enum {
  ZWASM_COMPONENT_BOOL,
  ZWASM_COMPONENT_S8,
  ZWASM_COMPONENT_U8,
  ZWASM_COMPONENT_S16,
  ZWASM_COMPONENT_U16,
  ZWASM_COMPONENT_S32,
  ZWASM_COMPONENT_U32,
  ZWASM_COMPONENT_S64,
  ZWASM_COMPONENT_U64,
  ZWASM_COMPONENT_F32,
  ZWASM_COMPONENT_F64,
  ZWASM_COMPONENT_CHAR,
  ZWASM_COMPONENT_STRING,
  ZWASM_COMPONENT_LIST,
  ZWASM_COMPONENT_RECORD,
  ZWASM_COMPONENT_TUPLE,
  ZWASM_COMPONENT_VARIANT,
  ZWASM_COMPONENT_ENUM,
  ZWASM_COMPONENT_OPTION,
  ZWASM_COMPONENT_RESULT,
  ZWASM_COMPONENT_FLAGS,
  ZWASM_COMPONENT_RESOURCE,
  ZWASM_COMPONENT_MAP,
  /* A list whose length belongs to its type. */
  ZWASM_COMPONENT_FIXED_LENGTH_LIST
};

typedef struct zwasm_component_val_t zwasm_component_val_t;
typedef struct zwasm_component_field_t zwasm_component_field_t;
typedef struct zwasm_component_resource_t zwasm_component_resource_t;

typedef struct zwasm_component_val_vec_t {
  size_t size;
  zwasm_component_val_t* data;
} zwasm_component_val_vec_t;

typedef struct zwasm_component_field_vec_t {
  size_t size;
  zwasm_component_field_t* data;
} zwasm_component_field_vec_t;

typedef struct zwasm_component_name_vec_t {
  size_t size;
  wasm_name_t* data;
} zwasm_component_name_vec_t;

/* A value owns what it holds: its vectors, and the values that it points to. Vectors and
 * names that are put into one were made by functions of their kind, as
 * wasm_name_new_from_string(), without a NUL at the end; values that it is to point to,
 * by zwasm_component_val_new(). */
struct zwasm_component_val_t {
  zwasm_component_valkind_t kind;
  union {
    bool boolean;
    int8_t s8;
    uint8_t u8;
    int16_t s16;
    uint16_t u16;
    int32_t s32;
    uint32_t u32;
    int64_t s64;
    uint64_t u64;
    float32_t f32;
    float64_t f64;
    /* A Unicode scalar value. */
    uint32_t character;
    /* UTF-8. */
    own wasm_name_t string;
    /* Lists of both kinds, and tuples. */
    own zwasm_component_val_vec_t list;
    own zwasm_component_val_vec_t tuple;
    /* Tuples of a key and a value. */
    own zwasm_component_val_vec_t map;
    /* All fields, in the order of the type. */
    own zwasm_component_field_vec_t record;
    struct {
      own wasm_name_t name;
      /* Null if the case has none. */
      own zwasm_component_val_t* payload;
    } variant;
    /* The name of the case. */
    own wasm_name_t enumeration;
    /* Null for none. */
    own zwasm_component_val_t* option;
    struct {
      bool is_err;
      /* Null if the type has none. */
      own zwasm_component_val_t* payload;
    } result;
    /* The names of those that are set. */
    own zwasm_component_name_vec_t flags;
    own zwasm_component_resource_t* resource;
  } of;
};

struct zwasm_component_field_t {
  own wasm_name_t name;
  own zwasm_component_val_t val;
};

/* Frees what a value holds, but not the value: it is the bool false then. */
WASM_API_EXTERN void zwasm_component_val_delete(own zwasm_component_val_t*);

/* A copy that owns what it holds; of resources it has the same handles. */
WASM_API_EXTERN void zwasm_component_val_copy(
    own zwasm_component_val_t* out, const zwasm_component_val_t*);

/* Moves a value to where another can point to it: what is left is the bool false. */
WASM_API_EXTERN own zwasm_component_val_t* zwasm_component_val_new(
    own zwasm_component_val_t*);

/* For a value of zwasm_component_val_new() that no other value owns. */
WASM_API_EXTERN void zwasm_component_val_free(own zwasm_component_val_t*);

/* The value as WAVE, the text format of values; false if it has a resource in it. */
WASM_API_EXTERN bool zwasm_component_val_to_text(
    const zwasm_component_val_t*, own wasm_name_t* out);

/* As the vectors of wasm.h: elements that are new are the bool false. */
#define ZWASM_COMPONENT_DECLARE_VEC(name, element)                                      \
  WASM_API_EXTERN void zwasm_component_##name##_vec_new_empty(                          \
      own zwasm_component_##name##_vec_t* out);                                         \
  WASM_API_EXTERN void zwasm_component_##name##_vec_new_uninitialized(                  \
      own zwasm_component_##name##_vec_t* out, size_t);                                 \
  WASM_API_EXTERN void zwasm_component_##name##_vec_new(                                \
      own zwasm_component_##name##_vec_t* out, size_t, own element const[]);            \
  WASM_API_EXTERN void zwasm_component_##name##_vec_copy(                               \
      own zwasm_component_##name##_vec_t* out, const zwasm_component_##name##_vec_t*);  \
  WASM_API_EXTERN void zwasm_component_##name##_vec_delete(                             \
      own zwasm_component_##name##_vec_t*);

ZWASM_COMPONENT_DECLARE_VEC(val, zwasm_component_val_t)
ZWASM_COMPONENT_DECLARE_VEC(field, zwasm_component_field_t)
ZWASM_COMPONENT_DECLARE_VEC(name, wasm_name_t)

/* A handle to a resource. A function takes the handle that it owns as an argument away:
 * after the call it is worth nothing. Deleting a handle frees memory of this process and
 * does not drop the resource: zwasm_component_resource_drop() does, once, if the handle
 * is its owner, and gives a borrowed handle back. */
WASM_API_EXTERN bool zwasm_component_resource_is_owned(const zwasm_component_resource_t*);
WASM_API_EXTERN own wasm_trap_t* zwasm_component_resource_drop(
    const zwasm_component_resource_t*);
WASM_API_EXTERN own zwasm_component_resource_t* zwasm_component_resource_copy(
    const zwasm_component_resource_t*);
WASM_API_EXTERN void zwasm_component_resource_delete(own zwasm_component_resource_t*);

/* -- Imports -- */

typedef struct zwasm_component_linker_t zwasm_component_linker_t;

WASM_API_EXTERN own zwasm_component_linker_t* zwasm_component_linker_new(wasm_engine_t*);
WASM_API_EXTERN void zwasm_component_linker_delete(own zwasm_component_linker_t*);

/* Whether a later definition of a name may replace an earlier one. */
WASM_API_EXTERN void zwasm_component_linker_allow_shadowing(
    zwasm_component_linker_t*, bool allow);

/* WASI 0.2; zwasm_store_set_wasi() says what it grants. */
WASM_API_EXTERN bool zwasm_component_linker_define_wasi(zwasm_component_linker_t*);

/* A function that the guest calls, of whatever type it is imported with: it writes as many
 * results as there are, which are the bool false before. Arguments are borrowed. */
typedef own wasm_trap_t* (*zwasm_component_callback_t)(
    void* env, const zwasm_component_val_vec_t* args, own zwasm_component_val_vec_t* results);

/* Defines a function of an instance, such as "namespace:package/interface@1.0.0"; or, if
 * that is null, one that the component imports by itself. The finalizer, which may be null,
 * gets `env` when the linker and all that was instantiated with it is gone, or at once if
 * this fails. */
WASM_API_EXTERN bool zwasm_component_linker_define_func(
    zwasm_component_linker_t*, const char* instance, const char* name,
    zwasm_component_callback_t, void* env, void (*finalizer)(void*));

/* -- Instances and their functions -- */

typedef struct zwasm_component_instance_t zwasm_component_instance_t;
typedef struct zwasm_component_func_t zwasm_component_func_t;

/* Null, and a trap unless that is null, if imports are missing or the guest stopped. What is
 * instantiated lives as long as the store; deleting says that C has no use for it. */
WASM_API_EXTERN own zwasm_component_instance_t* zwasm_component_linker_instantiate(
    const zwasm_component_linker_t*, wasm_store_t*, const zwasm_component_t*,
    own wasm_trap_t**);
WASM_API_EXTERN void zwasm_component_instance_delete(own zwasm_component_instance_t*);

/* A function by its name, "name" or "namespace:package/interface@1.0.0#name"; null if
 * there is none. */
WASM_API_EXTERN own zwasm_component_func_t* zwasm_component_instance_func(
    const zwasm_component_instance_t*, const char* name);
WASM_API_EXTERN void zwasm_component_func_delete(own zwasm_component_func_t*);

/* There is one result, or none. */
WASM_API_EXTERN size_t zwasm_component_func_param_count(const zwasm_component_func_t*);
WASM_API_EXTERN size_t zwasm_component_func_result_count(const zwasm_component_func_t*);
WASM_API_EXTERN bool zwasm_component_func_param_name(
    const zwasm_component_func_t*, size_t index, own wasm_name_t* out);

/* The arguments of a call that is written as WAVE, such as `f(1, "x", {a: true})`. The name
 * is only for the message of an error. */
WASM_API_EXTERN bool zwasm_component_func_args_from_text(
    const zwasm_component_func_t*, const char* call, own zwasm_component_val_vec_t* out);

/* Arguments are borrowed; handles in them that the function owns are taken. `results` has
 * places for all results, whose old values are not looked at; they are not written if there
 * is a trap. */
WASM_API_EXTERN own wasm_trap_t* zwasm_component_func_call(
    const zwasm_component_func_t*, const zwasm_component_val_vec_t* args,
    own zwasm_component_val_vec_t* results);

#undef ZWASM_COMPONENT_DECLARE_VEC
#undef own

#ifdef __cplusplus
}
#endif

#endif /* ZWASM_H */
