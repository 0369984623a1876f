/* wasmtime.h: the C API of wasmtime 48, as far as zwasm has it.
 *
 * Names, signatures, ownership and the sizes of structures are wasmtime's, so that programs
 * written for it compile unchanged, with `-lzwasm` in place of `-lwasmtime`. What is left
 * out: asynchronous calls, components (zwasm.h has those), the profiler of guests, pools,
 * caches, memories of the host's making, and types of structures and arrays, so that these
 * are made by guests only. All of it is in this file; the files in wasmtime/ lead here.
 *
 * Errors. A function that can fail returns an error for the caller to delete, or null.
 * Where the guest runs there is a trap, too: what the guest did wrong is a trap, anything
 * else an error, as a missing import, arguments of wrong types, or the guest's leaving
 * through WASI; the other of both is null. Out parameters are not written if there is an
 * error or a trap.
 *
 * Stores. What belongs to a store is passed by value as a few numbers, which need not be
 * deleted, and each function is given the store by its context. With another store's
 * context it fails; where it cannot, it gives 0, null or false, and zwasm_last_error() says
 * why. The numbers are not for the caller to make or change. A context is good as long as
 * its store, and for one thread at a time. A function that the guest calls may use the
 * context that its caller gives; a finalizer may use none.
 *
 * Pointers are not null unless a comment says so. A pointer to an array of no elements may
 * be. A function that the guest calls returns: neither longjmp nor an exception of C++ may
 * leave it. */

#ifndef WASMTIME_API_H
#define WASMTIME_API_H

#include "wasm.h"
#include "wasi.h"
#include "wasmtime/conf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version whose interface this is. */
#define WASMTIME_VERSION "48.0.8"
#define WASMTIME_VERSION_MAJOR 48
#define WASMTIME_VERSION_MINOR 0
#define WASMTIME_VERSION_PATCH 8

/* ---- Errors --------------------------------------------------------------- */

typedef struct wasmtime_error wasmtime_error_t;

WASM_API_EXTERN wasmtime_error_t* wasmtime_error_new(const char* message);
WASM_API_EXTERN void wasmtime_error_delete(wasmtime_error_t*);

/* With all that caused it, and the guest's frames; without a NUL at the end. */
WASM_API_EXTERN void wasmtime_error_message(const wasmtime_error_t*, wasm_name_t* out);

/* Whether the guest ended itself through WASI, and with what exit code. */
WASM_API_EXTERN bool wasmtime_error_exit_status(const wasmtime_error_t*, int* status);

/* The guest's frames, innermost first. */
WASM_API_EXTERN void wasmtime_error_wasm_trace(
    const wasmtime_error_t*, wasm_frame_vec_t* out);

/* ---- Traps ---------------------------------------------------------------- */

typedef uint8_t wasmtime_trap_code_t;

enum wasmtime_trap_code_enum {
  WASMTIME_TRAP_CODE_STACK_OVERFLOW = 0,
  WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS = 1,
  /* An atomic access that is not aligned. */
  WASMTIME_TRAP_CODE_HEAP_MISALIGNED = 2,
  WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS = 3,
  WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL = 4,
  /* An indirect call of a function of another type. */
  WASMTIME_TRAP_CODE_BAD_SIGNATURE = 5,
  WASMTIME_TRAP_CODE_INTEGER_OVERFLOW = 6,
  WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO = 7,
  WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER = 8,
  WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED = 9,
  /* A deadline was reached. */
  WASMTIME_TRAP_CODE_INTERRUPT = 10,
  WASMTIME_TRAP_CODE_OUT_OF_FUEL = 11,
  WASMTIME_TRAP_CODE_ATOMIC_WAIT_NON_SHARED_MEMORY = 12,
  WASMTIME_TRAP_CODE_NULL_REFERENCE = 13,
  WASMTIME_TRAP_CODE_ARRAY_OUT_OF_BOUNDS = 14,
  WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE = 15,
  WASMTIME_TRAP_CODE_CAST_FAILURE = 16
};

/* A trap for a function that the guest calls to return. One that comes out of the guest
 * with a message of the host's is an error with that message. */
WASM_API_EXTERN wasm_trap_t* wasmtime_trap_new(const char* message, size_t message_len);

/* Null for a number that is none of the above. */
WASM_API_EXTERN wasm_trap_t* wasmtime_trap_new_code(wasmtime_trap_code_t);

/* False for a trap of the host's with a message, and for an exception. */
WASM_API_EXTERN bool wasmtime_trap_code(const wasm_trap_t*, wasmtime_trap_code_t* code);

/* Borrowed from the frame; null if the module has no such name. */
WASM_API_EXTERN const wasm_name_t* wasmtime_frame_func_name(const wasm_frame_t*);
WASM_API_EXTERN const wasm_name_t* wasmtime_frame_module_name(const wasm_frame_t*);

/* ---- Configurations ------------------------------------------------------- */

typedef uint8_t wasmtime_strategy_t;

enum wasmtime_strategy_enum {
  /* The interpreter, and the compilers for what runs often. */
  WASMTIME_STRATEGY_AUTO,
  WASMTIME_STRATEGY_CRANELIFT,
  /* Functions are compiled, in one pass, when they are first called. */
  WASMTIME_STRATEGY_WINCH
};

typedef uint8_t wasmtime_opt_level_t;

enum wasmtime_opt_level_enum {
  WASMTIME_OPT_LEVEL_NONE,
  WASMTIME_OPT_LEVEL_SPEED,
  WASMTIME_OPT_LEVEL_SPEED_AND_SIZE
};

typedef uint8_t wasmtime_profiling_strategy_t;

enum wasmtime_profiling_strategy_enum {
  WASMTIME_PROFILING_STRATEGY_NONE,
  WASMTIME_PROFILING_STRATEGY_JITDUMP,
  WASMTIME_PROFILING_STRATEGY_VTUNE,
  /* A map of the machine code for `perf`: the only one that has an effect. */
  WASMTIME_PROFILING_STRATEGY_PERFMAP
};

#define WASMTIME_CONFIG_PROP(ret, name, ty)                                       \
  WASM_API_EXTERN ret wasmtime_config_##name##_set(wasm_config_t*, ty);

/* Whether debuggers are told of machine code. */
WASMTIME_CONFIG_PROP(void, debug_info, bool)

/* Whether code consumes fuel, about one for each instruction. */
WASMTIME_CONFIG_PROP(void, consume_fuel, bool)

/* Whether code looks, at function entries and loop headers, if its deadline is reached. A
 * new store's is at once. */
WASMTIME_CONFIG_PROP(void, epoch_interruption, bool)

/* Bytes of stack for the guest's frames. */
WASMTIME_CONFIG_PROP(void, max_wasm_stack, size_t)

/* Features of WebAssembly: on unless switched off. */
WASMTIME_CONFIG_PROP(void, wasm_threads, bool)
WASMTIME_CONFIG_PROP(void, wasm_tail_call, bool)
WASMTIME_CONFIG_PROP(void, wasm_reference_types, bool)
WASMTIME_CONFIG_PROP(void, wasm_function_references, bool)
WASMTIME_CONFIG_PROP(void, wasm_gc, bool)
WASMTIME_CONFIG_PROP(void, wasm_simd, bool)
WASMTIME_CONFIG_PROP(void, wasm_relaxed_simd, bool)
WASMTIME_CONFIG_PROP(void, wasm_bulk_memory, bool)
WASMTIME_CONFIG_PROP(void, wasm_multi_value, bool)
WASMTIME_CONFIG_PROP(void, wasm_multi_memory, bool)
WASMTIME_CONFIG_PROP(void, wasm_memory64, bool)
WASMTIME_CONFIG_PROP(void, wasm_wide_arithmetic, bool)
WASMTIME_CONFIG_PROP(void, wasm_branch_hinting, bool)
WASMTIME_CONFIG_PROP(void, wasm_exceptions, bool)
WASMTIME_CONFIG_PROP(void, wasm_custom_page_sizes, bool)
WASMTIME_CONFIG_PROP(void, gc_support, bool)

WASMTIME_CONFIG_PROP(void, strategy, wasmtime_strategy_t)

/* Whether every NaN that is computed is the canonical one. */
WASMTIME_CONFIG_PROP(void, cranelift_nan_canonicalization, bool)
WASMTIME_CONFIG_PROP(void, profiler, wasmtime_profiling_strategy_t)

/* 0 has every access to a memory checked; otherwise 32-bit memories reserve 4 GiB of
 * address space, with guard pages. */
WASMTIME_CONFIG_PROP(void, memory_reservation, uint64_t)
WASMTIME_CONFIG_PROP(void, memory_guard_size, uint64_t)
WASMTIME_CONFIG_PROP(void, signals_based_traps, bool)

/* For another processor or system than those here no module can be made. */
WASMTIME_CONFIG_PROP(wasmtime_error_t*, target, const char*)

/* Without effect: the compilers have one level each, results of relaxed operations are
 * always the same, large modules are always validated by several threads, a memory moves
 * only if it has no guard pages and is copied into, calls are synchronous, and there is
 * nothing to verify or unwind. */
WASMTIME_CONFIG_PROP(void, cranelift_opt_level, wasmtime_opt_level_t)
WASMTIME_CONFIG_PROP(void, cranelift_debug_verifier, bool)
WASMTIME_CONFIG_PROP(void, wasm_relaxed_simd_deterministic, bool)
WASMTIME_CONFIG_PROP(void, parallel_compilation, bool)
WASMTIME_CONFIG_PROP(void, memory_may_move, bool)
WASMTIME_CONFIG_PROP(void, memory_reservation_for_growth, uint64_t)
WASMTIME_CONFIG_PROP(void, memory_init_cow, bool)
WASMTIME_CONFIG_PROP(void, concurrency_support, bool)
WASMTIME_CONFIG_PROP(void, native_unwind_info, bool)
WASMTIME_CONFIG_PROP(void, macos_use_mach_ports, bool)
WASMTIME_CONFIG_PROP(void, shared_memory, bool)

/* ---- Engines -------------------------------------------------------------- */

/* The same engine; both are to be deleted. */
WASM_API_EXTERN wasm_engine_t* wasmtime_engine_clone(const wasm_engine_t*);

/* Starts the next epoch: from any thread, and from handlers of signals. */
WASM_API_EXTERN void wasmtime_engine_increment_epoch(const wasm_engine_t*);

/* False. */
WASM_API_EXTERN bool wasmtime_engine_is_pulley(const wasm_engine_t*);

/* ---- Stores --------------------------------------------------------------- */

typedef struct wasmtime_store wasmtime_store_t;
typedef struct wasmtime_context wasmtime_context_t;

/* The finalizer may be null. It gets the store's data when the store is deleted. */
WASM_API_EXTERN wasmtime_store_t* wasmtime_store_new(
    wasm_engine_t*, void* data, void (*finalizer)(void*));
WASM_API_EXTERN void wasmtime_store_delete(wasmtime_store_t*);

/* Always the same for a store. */
WASM_API_EXTERN wasmtime_context_t* wasmtime_store_context(wasmtime_store_t*);

/* Limits what is made in the store from now on: bytes of each memory, elements of each
 * table, and how many there may be of the rest. A number below 0 is no limit. */
WASM_API_EXTERN void wasmtime_store_limiter(
    wasmtime_store_t*, int64_t memory_size, int64_t table_elements, int64_t instances,
    int64_t tables, int64_t memories);

WASM_API_EXTERN void* wasmtime_context_get_data(const wasmtime_context_t*);

/* The finalizer stays, and gets what is the data then. */
WASM_API_EXTERN void wasmtime_context_set_data(wasmtime_context_t*, void* data);

/* Collects what the guest and the host's roots do not refer to. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_context_gc(wasmtime_context_t*);

/* An error if the engine's code does not consume fuel. A store starts with none. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_context_set_fuel(
    wasmtime_context_t*, uint64_t fuel);
WASM_API_EXTERN wasmtime_error_t* wasmtime_context_get_fuel(
    const wasmtime_context_t*, uint64_t* fuel);

/* What a guest of WASI is given, which is taken, in place of what it had. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_context_set_wasi(
    wasmtime_context_t*, wasi_config_t*);

/* Sets the deadline to so many epochs from now. */
WASM_API_EXTERN void wasmtime_context_set_epoch_deadline(
    wasmtime_context_t*, uint64_t ticks_beyond_current);

typedef uint8_t wasmtime_update_deadline_kind_t;
#define WASMTIME_UPDATE_DEADLINE_CONTINUE 0
/* For asynchronous calls, of which there are none: it stops the guest. */
#define WASMTIME_UPDATE_DEADLINE_YIELD 1

/* Has a function decide about a guest that reaches its deadline: it returns an error, which
 * stops the guest, or writes how many epochs the next deadline is away. */
WASM_API_EXTERN void wasmtime_store_epoch_deadline_callback(
    wasmtime_store_t*,
    wasmtime_error_t* (*func)(
        wasmtime_context_t*, void* data, uint64_t* epoch_deadline_delta,
        wasmtime_update_deadline_kind_t* update_kind),
    void* data, void (*finalizer)(void*));

/* ---- Modules -------------------------------------------------------------- */

typedef struct wasmtime_module wasmtime_module_t;

/* From the binary format; wasmtime_wat2wasm() makes it of text. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_module_new(
    wasm_engine_t*, const uint8_t* wasm, size_t wasm_len, wasmtime_module_t** out);
WASM_API_EXTERN void wasmtime_module_delete(wasmtime_module_t*);

/* The same module; both are to be deleted. */
WASM_API_EXTERN wasmtime_module_t* wasmtime_module_clone(const wasmtime_module_t*);
WASM_API_EXTERN wasmtime_error_t* wasmtime_module_validate(
    wasm_engine_t*, const uint8_t* wasm, size_t wasm_len);
WASM_API_EXTERN void wasmtime_module_imports(
    const wasmtime_module_t*, wasm_importtype_vec_t* out);
WASM_API_EXTERN void wasmtime_module_exports(
    const wasmtime_module_t*, wasm_exporttype_vec_t* out);

/* Bytes that `deserialize` of the same version accepts. It checks them: any bytes may be
 * given to it. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_module_serialize(
    const wasmtime_module_t*, wasm_byte_vec_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_module_deserialize(
    wasm_engine_t*, const uint8_t* bytes, size_t bytes_len, wasmtime_module_t** out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_module_deserialize_file(
    wasm_engine_t*, const char* path, wasmtime_module_t** out);

/* Where the module lies in memory. */
WASM_API_EXTERN void wasmtime_module_image_range(
    const wasmtime_module_t*, void** start, void** end);

WASM_API_EXTERN wasmtime_error_t* wasmtime_wat2wasm(
    const char* wat, size_t wat_len, wasm_byte_vec_t* out);

/* ---- Memories that threads share ------------------------------------------ */

/* Of no store, and to be deleted. Sizes are in pages, of data in bytes. */
typedef struct wasmtime_sharedmemory wasmtime_sharedmemory_t;

WASM_API_EXTERN wasmtime_error_t* wasmtime_sharedmemory_new(
    const wasm_engine_t*, const wasm_memorytype_t*, wasmtime_sharedmemory_t** out);
WASM_API_EXTERN void wasmtime_sharedmemory_delete(wasmtime_sharedmemory_t*);
WASM_API_EXTERN wasmtime_sharedmemory_t* wasmtime_sharedmemory_clone(
    const wasmtime_sharedmemory_t*);
WASM_API_EXTERN wasm_memorytype_t* wasmtime_sharedmemory_type(
    const wasmtime_sharedmemory_t*);

/* Never moves. */
WASM_API_EXTERN uint8_t* wasmtime_sharedmemory_data(const wasmtime_sharedmemory_t*);
WASM_API_EXTERN size_t wasmtime_sharedmemory_data_size(const wasmtime_sharedmemory_t*);
WASM_API_EXTERN uint64_t wasmtime_sharedmemory_size(const wasmtime_sharedmemory_t*);
WASM_API_EXTERN wasmtime_error_t* wasmtime_sharedmemory_grow(
    const wasmtime_sharedmemory_t*, uint64_t delta, uint64_t* prev_size);

/* ---- What a store owns ---------------------------------------------------- */

/* Null, as a value, if `store_id` is 0. */
typedef struct wasmtime_func {
  uint64_t store_id;
  void* __private;
} wasmtime_func_t;

typedef struct wasmtime_table {
  struct {
    uint64_t store_id;
    uint32_t __private1;
  };
  uint32_t __private2;
} wasmtime_table_t;

typedef struct wasmtime_memory {
  struct {
    uint64_t store_id;
    uint32_t __private1;
  };
  uint32_t __private2;
} wasmtime_memory_t;

typedef struct wasmtime_global {
  uint64_t store_id;
  uint32_t __private1;
  uint32_t __private2;
  uint32_t __private3;
} wasmtime_global_t;

typedef struct wasmtime_tag {
  struct {
    uint64_t store_id;
    uint32_t __private1;
  };
  uint32_t __private2;
} wasmtime_tag_t;

typedef struct wasmtime_instance {
  uint64_t store_id;
  size_t __private;
} wasmtime_instance_t;

typedef uint8_t wasmtime_extern_kind_t;
#define WASMTIME_EXTERN_FUNC 0
#define WASMTIME_EXTERN_GLOBAL 1
#define WASMTIME_EXTERN_TABLE 2
#define WASMTIME_EXTERN_MEMORY 3
#define WASMTIME_EXTERN_SHAREDMEMORY 4
#define WASMTIME_EXTERN_TAG 5

typedef union wasmtime_extern_union {
  wasmtime_func_t func;
  wasmtime_global_t global;
  wasmtime_table_t table;
  wasmtime_memory_t memory;
  struct wasmtime_sharedmemory* sharedmemory;
  wasmtime_tag_t tag;
} wasmtime_extern_union_t;

/* What functions write is the caller's to delete: a shared memory is owned. What they are
 * given stays the caller's. */
typedef struct wasmtime_extern {
  wasmtime_extern_kind_t kind;
  wasmtime_extern_union_t of;
} wasmtime_extern_t;

WASM_API_EXTERN void wasmtime_extern_delete(wasmtime_extern_t*);

/* For the caller to delete. */
WASM_API_EXTERN wasm_externtype_t* wasmtime_extern_type(
    wasmtime_context_t*, const wasmtime_extern_t*);

/* ---- Values --------------------------------------------------------------- */

typedef uint8_t wasmtime_valkind_t;
#define WASMTIME_I32 0
#define WASMTIME_I64 1
#define WASMTIME_F32 2
#define WASMTIME_F64 3
#define WASMTIME_V128 4
#define WASMTIME_FUNCREF 5
#define WASMTIME_EXTERNREF 6
#define WASMTIME_ANYREF 7
#define WASMTIME_EXNREF 8

/* The type of vectors, which wasm.h has no kind for; whether two types are the same. */
WASM_API_EXTERN wasm_valtype_t* wasmtime_wasm_valtype_v128(void);
WASM_API_EXTERN bool wasmtime_wasm_valtype_equal(
    const wasm_valtype_t*, const wasm_valtype_t*);

/* The first lane first. */
typedef uint8_t wasmtime_v128[16];

/* References. What is referred to lives until the reference is unrooted, which its owner
 * does; the store may be gone by then. Null if `store_id` is 0. */
#define WASMTIME_DECLARE_REF(name)                                                \
  typedef struct wasmtime_##name {                                                \
    uint64_t store_id;                                                            \
    uint32_t __private1;                                                          \
    uint32_t __private2;                                                          \
    void* __private3;                                                             \
  } wasmtime_##name##_t;                                                          \
  static inline void wasmtime_##name##_set_null(wasmtime_##name##_t* ref) {       \
    ref->store_id = 0;                                                            \
  }                                                                               \
  static inline bool wasmtime_##name##_is_null(const wasmtime_##name##_t* ref) {  \
    return ref->store_id == 0;                                                    \
  }                                                                               \
  WASM_API_EXTERN void wasmtime_##name##_clone(                                   \
      const wasmtime_##name##_t*, wasmtime_##name##_t* out);                      \
  WASM_API_EXTERN void wasmtime_##name##_unroot(wasmtime_##name##_t*);

/* As numbers, for values without types. */
#define WASMTIME_DECLARE_RAW(name)                                                \
  WASM_API_EXTERN void wasmtime_##name##_from_raw(                                \
      wasmtime_context_t*, uint32_t raw, wasmtime_##name##_t* out);               \
  WASM_API_EXTERN uint32_t wasmtime_##name##_to_raw(                              \
      wasmtime_context_t*, const wasmtime_##name##_t*);

WASMTIME_DECLARE_REF(anyref)
WASMTIME_DECLARE_REF(eqref)
WASMTIME_DECLARE_REF(structref)
WASMTIME_DECLARE_REF(arrayref)
WASMTIME_DECLARE_REF(externref)
WASMTIME_DECLARE_REF(exnref)
WASMTIME_DECLARE_RAW(anyref)
WASMTIME_DECLARE_RAW(externref)
WASMTIME_DECLARE_RAW(exnref)
#undef WASMTIME_DECLARE_REF
#undef WASMTIME_DECLARE_RAW

static inline void wasmtime_funcref_set_null(wasmtime_func_t* func) {
  func->store_id = 0;
}

static inline bool wasmtime_funcref_is_null(const wasmtime_func_t* func) {
  return func->store_id == 0;
}

typedef union wasmtime_valunion {
  int32_t i32;
  int64_t i64;
  float32_t f32;
  float64_t f64;
  wasmtime_anyref_t anyref;
  wasmtime_externref_t externref;
  wasmtime_exnref_t exnref;
  wasmtime_func_t funcref;
  wasmtime_v128 v128;
} wasmtime_valunion_t;

/* What functions write is the caller's to unroot. What they are given stays the caller's. */
typedef struct wasmtime_val {
  wasmtime_valkind_t kind;
  wasmtime_valunion_t of;
} wasmtime_val_t;

/* Only needed for references that are not to functions. */
WASM_API_EXTERN void wasmtime_val_unroot(wasmtime_val_t*);
WASM_API_EXTERN void wasmtime_val_clone(const wasmtime_val_t*, wasmtime_val_t* out);

/* A value without its type. A reference is a number here, 0 for null, that keeps nothing:
 * it is good until objects are next collected. */
typedef union wasmtime_val_raw {
  int32_t i32;
  int64_t i64;
  float32_t f32;
  float64_t f64;
  wasmtime_v128 v128;
  uint32_t anyref;
  uint32_t externref;
  uint32_t exnref;
  void* funcref;
} wasmtime_val_raw_t;

/* A value of the host's for the guest to hold. The finalizer may be null; it gets `data`
 * when nothing refers to the value any more. False if there is no room for it. */
WASM_API_EXTERN bool wasmtime_externref_new(
    wasmtime_context_t*, void* data, void (*finalizer)(void*), wasmtime_externref_t* out);

/* The data; null if the guest made the value. */
WASM_API_EXTERN void* wasmtime_externref_data(
    wasmtime_context_t*, const wasmtime_externref_t*);

/* An integer of 31 bits, of which the upper one is cut off, as a reference. */
WASM_API_EXTERN void wasmtime_anyref_from_i31(
    wasmtime_context_t*, uint32_t i31val, wasmtime_anyref_t* out);
WASM_API_EXTERN void wasmtime_eqref_from_i31(
    wasmtime_context_t*, uint32_t i31val, wasmtime_eqref_t* out);

/* All these are false for null. What `as` writes is the caller's to unroot; null if the
 * reference is of another type. */
WASM_API_EXTERN bool wasmtime_anyref_is_i31(wasmtime_context_t*, const wasmtime_anyref_t*);
WASM_API_EXTERN bool wasmtime_anyref_i31_get_u(
    wasmtime_context_t*, const wasmtime_anyref_t*, uint32_t* out);
WASM_API_EXTERN bool wasmtime_anyref_i31_get_s(
    wasmtime_context_t*, const wasmtime_anyref_t*, int32_t* out);
WASM_API_EXTERN bool wasmtime_anyref_is_eqref(wasmtime_context_t*, const wasmtime_anyref_t*);
WASM_API_EXTERN bool wasmtime_anyref_as_eqref(
    wasmtime_context_t*, const wasmtime_anyref_t*, wasmtime_eqref_t* out);
WASM_API_EXTERN bool wasmtime_anyref_is_struct(wasmtime_context_t*, const wasmtime_anyref_t*);
WASM_API_EXTERN bool wasmtime_anyref_as_struct(
    wasmtime_context_t*, const wasmtime_anyref_t*, wasmtime_structref_t* out);
WASM_API_EXTERN bool wasmtime_anyref_is_array(wasmtime_context_t*, const wasmtime_anyref_t*);
WASM_API_EXTERN bool wasmtime_anyref_as_array(
    wasmtime_context_t*, const wasmtime_anyref_t*, wasmtime_arrayref_t* out);
WASM_API_EXTERN bool wasmtime_eqref_is_i31(wasmtime_context_t*, const wasmtime_eqref_t*);
WASM_API_EXTERN bool wasmtime_eqref_i31_get_u(
    wasmtime_context_t*, const wasmtime_eqref_t*, uint32_t* out);
WASM_API_EXTERN bool wasmtime_eqref_i31_get_s(
    wasmtime_context_t*, const wasmtime_eqref_t*, int32_t* out);
WASM_API_EXTERN bool wasmtime_eqref_is_struct(wasmtime_context_t*, const wasmtime_eqref_t*);
WASM_API_EXTERN bool wasmtime_eqref_as_struct(
    wasmtime_context_t*, const wasmtime_eqref_t*, wasmtime_structref_t* out);
WASM_API_EXTERN bool wasmtime_eqref_is_array(wasmtime_context_t*, const wasmtime_eqref_t*);
WASM_API_EXTERN bool wasmtime_eqref_as_array(
    wasmtime_context_t*, const wasmtime_eqref_t*, wasmtime_arrayref_t* out);

/* The same reference, which is the caller's to unroot as well. */
WASM_API_EXTERN void wasmtime_eqref_to_anyref(const wasmtime_eqref_t*, wasmtime_anyref_t* out);
WASM_API_EXTERN void wasmtime_structref_to_anyref(
    const wasmtime_structref_t*, wasmtime_anyref_t* out);
WASM_API_EXTERN void wasmtime_structref_to_eqref(
    const wasmtime_structref_t*, wasmtime_eqref_t* out);
WASM_API_EXTERN void wasmtime_arrayref_to_anyref(
    const wasmtime_arrayref_t*, wasmtime_anyref_t* out);
WASM_API_EXTERN void wasmtime_arrayref_to_eqref(
    const wasmtime_arrayref_t*, wasmtime_eqref_t* out);

/* Fields and elements, packed ones as WASMTIME_I32. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_structref_field(
    wasmtime_context_t*, const wasmtime_structref_t*, size_t index, wasmtime_val_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_structref_set_field(
    wasmtime_context_t*, const wasmtime_structref_t*, size_t index, const wasmtime_val_t*);
WASM_API_EXTERN wasmtime_error_t* wasmtime_arrayref_len(
    wasmtime_context_t*, const wasmtime_arrayref_t*, uint32_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_arrayref_get(
    wasmtime_context_t*, const wasmtime_arrayref_t*, uint32_t index, wasmtime_val_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_arrayref_set(
    wasmtime_context_t*, const wasmtime_arrayref_t*, uint32_t index, const wasmtime_val_t*);

/* ---- Exceptions ----------------------------------------------------------- */

WASM_API_EXTERN wasmtime_error_t* wasmtime_tag_new(
    wasmtime_context_t*, const wasm_tagtype_t*, wasmtime_tag_t* out);
WASM_API_EXTERN wasm_tagtype_t* wasmtime_tag_type(
    const wasmtime_context_t*, const wasmtime_tag_t*);
WASM_API_EXTERN bool wasmtime_tag_eq(
    const wasmtime_context_t*, const wasmtime_tag_t*, const wasmtime_tag_t*);

WASM_API_EXTERN wasmtime_error_t* wasmtime_exnref_new(
    wasmtime_context_t*, const wasmtime_tag_t*, const wasmtime_val_t* fields, size_t nfields,
    wasmtime_exnref_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_exnref_tag(
    wasmtime_context_t*, const wasmtime_exnref_t*, wasmtime_tag_t* out);
WASM_API_EXTERN size_t wasmtime_exnref_field_count(
    wasmtime_context_t*, const wasmtime_exnref_t*);
WASM_API_EXTERN wasmtime_error_t* wasmtime_exnref_field(
    wasmtime_context_t*, const wasmtime_exnref_t*, size_t index, wasmtime_val_t* out);

/* A trap for a function that the guest calls to return: it throws the exception. */
WASM_API_EXTERN wasm_trap_t* wasmtime_context_set_exception(
    wasmtime_context_t*, const wasmtime_exnref_t*);

/* The exception that has stopped the guest last, once. */
WASM_API_EXTERN bool wasmtime_context_take_exception(
    wasmtime_context_t*, wasmtime_exnref_t* out);
WASM_API_EXTERN bool wasmtime_context_has_exception(wasmtime_context_t*);

/* ---- Functions ------------------------------------------------------------ */

/* What a function that is called knows of who called it; good until it returns. */
typedef struct wasmtime_caller wasmtime_caller_t;

WASM_API_EXTERN wasmtime_context_t* wasmtime_caller_context(wasmtime_caller_t*);

/* What the calling instance exports under a name. */
WASM_API_EXTERN bool wasmtime_caller_export_get(
    wasmtime_caller_t*, const char* name, size_t name_len, wasmtime_extern_t* out);

/* It writes all results, of the right kinds, and returns null; or it returns a trap, which
 * is taken. References among its results are taken, those among its arguments are not its
 * own. */
typedef wasm_trap_t* (*wasmtime_func_callback_t)(
    void* env, wasmtime_caller_t*, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults);

/* The same without types: results go where the arguments are, from index 0. It answers for
 * it that they are of its types. */
typedef wasm_trap_t* (*wasmtime_func_unchecked_callback_t)(
    void* env, wasmtime_caller_t*, wasmtime_val_raw_t* args_and_results,
    size_t num_args_and_results);

/* The finalizer may be null; it gets `env` when the store is gone. */
WASM_API_EXTERN void wasmtime_func_new(
    wasmtime_context_t*, const wasm_functype_t*, wasmtime_func_callback_t, void* env,
    void (*finalizer)(void*), wasmtime_func_t* out);
WASM_API_EXTERN void wasmtime_func_new_unchecked(
    wasmtime_context_t*, const wasm_functype_t*, wasmtime_func_unchecked_callback_t, void* env,
    void (*finalizer)(void*), wasmtime_func_t* out);

/* For the caller to delete. */
WASM_API_EXTERN wasm_functype_t* wasmtime_func_type(
    const wasmtime_context_t*, const wasmtime_func_t*);

WASM_API_EXTERN wasmtime_error_t* wasmtime_func_call(
    wasmtime_context_t*, const wasmtime_func_t*, const wasmtime_val_t* args, size_t nargs,
    wasmtime_val_t* results, size_t nresults, wasm_trap_t** trap);

/* The same without types: the caller answers for it that the arguments are of the
 * function's. There is room for them and for the results, whichever are more. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_func_call_unchecked(
    wasmtime_context_t*, const wasmtime_func_t*, wasmtime_val_raw_t* args_and_results,
    size_t args_and_results_len, wasm_trap_t** trap);

/* A function as a value without type; null is null. */
WASM_API_EXTERN void wasmtime_func_from_raw(
    wasmtime_context_t*, void* raw, wasmtime_func_t* out);
WASM_API_EXTERN void* wasmtime_func_to_raw(wasmtime_context_t*, const wasmtime_func_t*);

/* ---- Globals -------------------------------------------------------------- */

WASM_API_EXTERN wasmtime_error_t* wasmtime_global_new(
    wasmtime_context_t*, const wasm_globaltype_t*, const wasmtime_val_t*,
    wasmtime_global_t* out);
WASM_API_EXTERN wasm_globaltype_t* wasmtime_global_type(
    const wasmtime_context_t*, const wasmtime_global_t*);
WASM_API_EXTERN void wasmtime_global_get(
    wasmtime_context_t*, const wasmtime_global_t*, wasmtime_val_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_global_set(
    wasmtime_context_t*, const wasmtime_global_t*, const wasmtime_val_t*);

/* ---- Tables --------------------------------------------------------------- */

WASM_API_EXTERN wasmtime_error_t* wasmtime_table_new(
    wasmtime_context_t*, const wasm_tabletype_t*, const wasmtime_val_t* init,
    wasmtime_table_t* out);
WASM_API_EXTERN wasm_tabletype_t* wasmtime_table_type(
    const wasmtime_context_t*, const wasmtime_table_t*);

/* False if there is no such element. */
WASM_API_EXTERN bool wasmtime_table_get(
    wasmtime_context_t*, const wasmtime_table_t*, uint64_t index, wasmtime_val_t* out);
WASM_API_EXTERN wasmtime_error_t* wasmtime_table_set(
    wasmtime_context_t*, const wasmtime_table_t*, uint64_t index, const wasmtime_val_t*);
WASM_API_EXTERN uint64_t wasmtime_table_size(
    const wasmtime_context_t*, const wasmtime_table_t*);

/* `prev_size` may be null. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_table_grow(
    wasmtime_context_t*, const wasmtime_table_t*, uint64_t delta, const wasmtime_val_t* init,
    uint64_t* prev_size);

/* ---- Memories ------------------------------------------------------------- */

/* Sizes are in pages, of 2 to the power of `page_size_log2` bytes: 0, or 16 as usual. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_memorytype_new(
    uint64_t min, bool max_present, uint64_t max, bool is_64, bool shared,
    uint8_t page_size_log2, wasm_memorytype_t** out);
WASM_API_EXTERN uint64_t wasmtime_memorytype_minimum(const wasm_memorytype_t*);
WASM_API_EXTERN bool wasmtime_memorytype_maximum(const wasm_memorytype_t*, uint64_t* max);
WASM_API_EXTERN bool wasmtime_memorytype_is64(const wasm_memorytype_t*);
WASM_API_EXTERN bool wasmtime_memorytype_isshared(const wasm_memorytype_t*);
WASM_API_EXTERN uint64_t wasmtime_memorytype_page_size(const wasm_memorytype_t*);
WASM_API_EXTERN uint8_t wasmtime_memorytype_page_size_log2(const wasm_memorytype_t*);

WASM_API_EXTERN wasmtime_error_t* wasmtime_memory_new(
    wasmtime_context_t*, const wasm_memorytype_t*, wasmtime_memory_t* out);
WASM_API_EXTERN wasm_memorytype_t* wasmtime_memory_type(
    const wasmtime_context_t*, const wasmtime_memory_t*);

/* Good until the memory grows, which the guest can do whenever it runs. */
WASM_API_EXTERN uint8_t* wasmtime_memory_data(wasmtime_context_t*, const wasmtime_memory_t*);
WASM_API_EXTERN size_t wasmtime_memory_data_size(
    const wasmtime_context_t*, const wasmtime_memory_t*);
WASM_API_EXTERN uint64_t wasmtime_memory_size(
    const wasmtime_context_t*, const wasmtime_memory_t*);

/* `prev_size` may be null. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_memory_grow(
    wasmtime_context_t*, const wasmtime_memory_t*, uint64_t delta, uint64_t* prev_size);
WASM_API_EXTERN uint64_t wasmtime_memory_page_size(
    wasmtime_context_t*, const wasmtime_memory_t*);
WASM_API_EXTERN uint8_t wasmtime_memory_page_size_log2(
    wasmtime_context_t*, const wasmtime_memory_t*);

/* ---- Instances ------------------------------------------------------------ */

/* The imports are in the order of the module's. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_instance_new(
    wasmtime_context_t*, const wasmtime_module_t*, const wasmtime_extern_t* imports,
    size_t nimports, wasmtime_instance_t* out, wasm_trap_t** trap);
WASM_API_EXTERN bool wasmtime_instance_export_get(
    wasmtime_context_t*, const wasmtime_instance_t*, const char* name, size_t name_len,
    wasmtime_extern_t* out);

/* False if there are no more. The name is the instance's, and has no NUL at its end. */
WASM_API_EXTERN bool wasmtime_instance_export_nth(
    wasmtime_context_t*, const wasmtime_instance_t*, size_t index, char** name,
    size_t* name_len, wasmtime_extern_t* out);

/* A module whose imports have been looked up, for any store of the engine. */
typedef struct wasmtime_instance_pre wasmtime_instance_pre_t;

WASM_API_EXTERN void wasmtime_instance_pre_delete(wasmtime_instance_pre_t*);
WASM_API_EXTERN wasmtime_error_t* wasmtime_instance_pre_instantiate(
    const wasmtime_instance_pre_t*, wasmtime_context_t*, wasmtime_instance_t* out,
    wasm_trap_t** trap);

/* For the caller to delete. */
WASM_API_EXTERN wasmtime_module_t* wasmtime_instance_pre_module(
    const wasmtime_instance_pre_t*);

/* ---- Linkers -------------------------------------------------------------- */

typedef struct wasmtime_linker wasmtime_linker_t;

WASM_API_EXTERN wasmtime_linker_t* wasmtime_linker_new(wasm_engine_t*);

/* Another linker with the same definitions. */
WASM_API_EXTERN wasmtime_linker_t* wasmtime_linker_clone(const wasmtime_linker_t*);
WASM_API_EXTERN void wasmtime_linker_delete(wasmtime_linker_t*);

/* Whether a later definition of a name may replace an earlier one: at first it may not. */
WASM_API_EXTERN void wasmtime_linker_allow_shadowing(wasmtime_linker_t*, bool allow);

WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define(
    wasmtime_linker_t*, wasmtime_context_t*, const char* module, size_t module_len,
    const char* name, size_t name_len, const wasmtime_extern_t*);

/* Functions of no store, which every store that needs them gets. The finalizer may be null;
 * it gets `data` when neither the linker nor a store has the function any more. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define_func(
    wasmtime_linker_t*, const char* module, size_t module_len, const char* name,
    size_t name_len, const wasm_functype_t*, wasmtime_func_callback_t, void* data,
    void (*finalizer)(void*));
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define_func_unchecked(
    wasmtime_linker_t*, const char* module, size_t module_len, const char* name,
    size_t name_len, const wasm_functype_t*, wasmtime_func_unchecked_callback_t, void* data,
    void (*finalizer)(void*));

/* WASI preview 1; wasmtime_context_set_wasi() says what it grants, which is nothing before. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define_wasi(wasmtime_linker_t*);

/* All that an instance exports, under the name of a module. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define_instance(
    wasmtime_linker_t*, wasmtime_context_t*, const char* name, size_t name_len,
    const wasmtime_instance_t*);

/* The same for a module: if it exports `_start` each call of one of its functions
 * instantiates it anew, else it is instantiated now and its `_initialize` called. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_module(
    wasmtime_linker_t*, wasmtime_context_t*, const char* name, size_t name_len,
    const wasmtime_module_t*);

/* Imports of a module that are not defined: functions that stop the guest, or zeros. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define_unknown_imports_as_traps(
    wasmtime_linker_t*, const wasmtime_module_t*);
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_define_unknown_imports_as_default_values(
    wasmtime_linker_t*, wasmtime_context_t*, const wasmtime_module_t*);

WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_instantiate(
    const wasmtime_linker_t*, wasmtime_context_t*, const wasmtime_module_t*,
    wasmtime_instance_t* out, wasm_trap_t** trap);
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_instantiate_pre(
    const wasmtime_linker_t*, const wasmtime_module_t*, wasmtime_instance_pre_t** out);

/* The function of a module that is its program: that with the empty name, `_start`, or one
 * that does nothing. */
WASM_API_EXTERN wasmtime_error_t* wasmtime_linker_get_default(
    const wasmtime_linker_t*, wasmtime_context_t*, const char* name, size_t name_len,
    wasmtime_func_t* out);

/* False if the name is not defined. */
WASM_API_EXTERN bool wasmtime_linker_get(
    const wasmtime_linker_t*, wasmtime_context_t*, const char* module, size_t module_len,
    const char* name, size_t name_len, wasmtime_extern_t* out);

#ifdef __cplusplus
}
#endif

#endif /* WASMTIME_API_H */
