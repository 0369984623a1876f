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
  /* Only in types: a wasm_val_t has no room for a vector. */
  ZWASM_V128 = 4,
  /* References to objects and integers of the guest's heap. */
  ZWASM_ANYREF = 130,
  /* References to exceptions. */
  ZWASM_EXNREF = 131
};

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

#undef own

#ifdef __cplusplus
}
#endif

#endif /* ZWASM_H */
