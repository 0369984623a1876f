/* wasm.h: the standard C API for WebAssembly, as zwasm provides it.
 *
 * Names, types and meanings are those of the WebAssembly C API, so that programs
 * written for it compile and run unchanged. What only zwasm has is in zwasm.h.
 *
 * Ownership. `own` marks what passes from one side to the other: an `own`
 * parameter is the library's from the call on, an `own` result or `own` output
 * parameter is the caller's, to be freed by the `_delete` function of its type.
 * Everything else is borrowed for the call. A vector that is owned owns its
 * elements. Deleting a reference does not end what it refers to: that lives as long
 * as anything refers to it, and what a store made at least as long as the store.
 *
 * Pointers are not null unless a comment says so; every `_delete` accepts null.
 *
 * Threads. An engine, and a shared module, may be used by any number of threads at
 * once. A store, and all that was made in it, is used by one thread at a time.
 *
 * A function that fails returns null or false; zwasm_last_error() says why. */

#ifndef WASM_H
#define WASM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#define WASM_API_EXTERN
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define own

/* ---- Machine types ------------------------------------------------------- */

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;

/* ---- How types are declared ---------------------------------------------- */

/* An opaque type that is owned through a pointer. */
#define WASM_DECLARE_OWN(name)                                                    \
  typedef struct wasm_##name##_t wasm_##name##_t;                                 \
  WASM_API_EXTERN void wasm_##name##_delete(own wasm_##name##_t*);

/* A vector. `new_uninitialized` makes one to be filled in: its elements are zero
 * or null until then. `new` takes the elements over from an array, `copy` copies
 * them as well. `delete` leaves the vector empty. */
#define WASM_DECLARE_VEC(name, ptr_or_none)                                       \
  typedef struct wasm_##name##_vec_t {                                            \
    size_t size;                                                                  \
    wasm_##name##_t ptr_or_none* data;                                            \
  } wasm_##name##_vec_t;                                                          \
  WASM_API_EXTERN void wasm_##name##_vec_new_empty(                               \
      own wasm_##name##_vec_t* out);                                              \
  WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(                       \
      own wasm_##name##_vec_t* out, size_t);                                      \
  WASM_API_EXTERN void wasm_##name##_vec_new(                                     \
      own wasm_##name##_vec_t* out, size_t,                                       \
      own wasm_##name##_t ptr_or_none const[]);                                   \
  WASM_API_EXTERN void wasm_##name##_vec_copy(                                    \
      own wasm_##name##_vec_t* out, const wasm_##name##_vec_t*);                  \
  WASM_API_EXTERN void wasm_##name##_vec_delete(own wasm_##name##_vec_t*);

/* A description of a type. */
#define WASM_DECLARE_TYPE(name)                                                   \
  WASM_DECLARE_OWN(name)                                                          \
  WASM_DECLARE_VEC(name, *)                                                       \
  WASM_API_EXTERN own wasm_##name##_t* wasm_##name##_copy(                        \
      const wasm_##name##_t*);

/* A reference. `same` compares what is referred to. A pointer of the host's can be
 * attached to that; all references to the same thing see it. The finalizer runs
 * when it is replaced, or what it is attached to is gone: for a module, a trap or a
 * foreign object when nothing refers to it any more, otherwise with the store. It may
 * run in the middle of anything the store does, and so must not use the store. */
#define WASM_DECLARE_REF_BASE(name)                                               \
  WASM_DECLARE_OWN(name)                                                          \
  WASM_API_EXTERN own wasm_##name##_t* wasm_##name##_copy(                        \
      const wasm_##name##_t*);                                                    \
  WASM_API_EXTERN bool wasm_##name##_same(                                        \
      const wasm_##name##_t*, const wasm_##name##_t*);                            \
  WASM_API_EXTERN void* wasm_##name##_get_host_info(const wasm_##name##_t*);      \
  WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t*, void*);      \
  WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(                \
      wasm_##name##_t*, void*, void (*)(void*));

/* A reference that is a wasm_ref_t. The casts borrow: they return their argument,
 * or null if it is of another kind. */
#define WASM_DECLARE_REF(name)                                                    \
  WASM_DECLARE_REF_BASE(name)                                                     \
  WASM_API_EXTERN wasm_ref_t* wasm_##name##_as_ref(wasm_##name##_t*);             \
  WASM_API_EXTERN wasm_##name##_t* wasm_ref_as_##name(wasm_ref_t*);               \
  WASM_API_EXTERN const wasm_ref_t* wasm_##name##_as_ref_const(                   \
      const wasm_##name##_t*);                                                    \
  WASM_API_EXTERN const wasm_##name##_t* wasm_ref_as_##name##_const(              \
      const wasm_ref_t*);

/* A reference that can be taken to another store, on another thread. */
#define WASM_DECLARE_SHARABLE_REF(name)                                           \
  WASM_DECLARE_REF(name)                                                          \
  WASM_DECLARE_OWN(shared_##name)                                                 \
  WASM_API_EXTERN own wasm_shared_##name##_t* wasm_##name##_share(                \
      const wasm_##name##_t*);                                                    \
  WASM_API_EXTERN own wasm_##name##_t* wasm_##name##_obtain(                      \
      wasm_store_t*, const wasm_shared_##name##_t*);

/* ---- Bytes and names ----------------------------------------------------- */

typedef byte_t wasm_byte_t;
WASM_DECLARE_VEC(byte, )

/* UTF-8, without a NUL. */
typedef wasm_byte_vec_t wasm_name_t;

#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

static inline void wasm_name_new_from_string(own wasm_name_t* out, const char* s) {
  wasm_byte_vec_new(out, strlen(s), s);
}

/* With the NUL. */
static inline void wasm_name_new_from_string_nt(own wasm_name_t* out, const char* s) {
  wasm_byte_vec_new(out, strlen(s) + 1, s);
}

/* ---- Configurations, engines, stores ------------------------------------- */

WASM_DECLARE_OWN(config)
WASM_API_EXTERN own wasm_config_t* wasm_config_new(void);

WASM_DECLARE_OWN(engine)
WASM_API_EXTERN own wasm_engine_t* wasm_engine_new(void);
WASM_API_EXTERN own wasm_engine_t* wasm_engine_new_with_config(own wasm_config_t*);

WASM_DECLARE_OWN(store)
WASM_API_EXTERN own wasm_store_t* wasm_store_new(wasm_engine_t*);

/* ---- Types of values ------------------------------------------------------ */

typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum { WASM_CONST, WASM_VAR };

/* In pages of 64 KiB for memories, in elements for tables. */
typedef struct wasm_limits_t {
  uint32_t min;
  uint32_t max;
} wasm_limits_t;

static const uint32_t wasm_limits_max_default = 0xffffffff;

/* zwasm.h has more kinds. */
typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum {
  WASM_I32,
  WASM_I64,
  WASM_F32,
  WASM_F64,
  WASM_EXTERNREF = 128,
  WASM_FUNCREF,
  /* What WASM_EXTERNREF was called first. */
  WASM_ANYREF = WASM_EXTERNREF
};

WASM_DECLARE_TYPE(valtype)

WASM_API_EXTERN own wasm_valtype_t* wasm_valtype_new(wasm_valkind_t);
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t*);

static inline bool wasm_valkind_is_num(wasm_valkind_t kind) {
  return kind < WASM_EXTERNREF;
}

static inline bool wasm_valkind_is_ref(wasm_valkind_t kind) {
  return kind >= WASM_EXTERNREF;
}

static inline bool wasm_valtype_is_num(const wasm_valtype_t* type) {
  return wasm_valkind_is_num(wasm_valtype_kind(type));
}

static inline bool wasm_valtype_is_ref(const wasm_valtype_t* type) {
  return wasm_valkind_is_ref(wasm_valtype_kind(type));
}

/* ---- Types of externals --------------------------------------------------- */

WASM_DECLARE_TYPE(functype)

WASM_API_EXTERN own wasm_functype_t* wasm_functype_new(
    own wasm_valtype_vec_t* params, own wasm_valtype_vec_t* results);
WASM_API_EXTERN const wasm_valtype_vec_t* wasm_functype_params(const wasm_functype_t*);
WASM_API_EXTERN const wasm_valtype_vec_t* wasm_functype_results(const wasm_functype_t*);

WASM_DECLARE_TYPE(globaltype)

WASM_API_EXTERN own wasm_globaltype_t* wasm_globaltype_new(
    own wasm_valtype_t*, wasm_mutability_t);
WASM_API_EXTERN const wasm_valtype_t* wasm_globaltype_content(const wasm_globaltype_t*);
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t*);

WASM_DECLARE_TYPE(tabletype)

WASM_API_EXTERN own wasm_tabletype_t* wasm_tabletype_new(
    own wasm_valtype_t*, const wasm_limits_t*);
WASM_API_EXTERN const wasm_valtype_t* wasm_tabletype_element(const wasm_tabletype_t*);
WASM_API_EXTERN const wasm_limits_t* wasm_tabletype_limits(const wasm_tabletype_t*);

WASM_DECLARE_TYPE(memorytype)

WASM_API_EXTERN own wasm_memorytype_t* wasm_memorytype_new(const wasm_limits_t*);
WASM_API_EXTERN const wasm_limits_t* wasm_memorytype_limits(const wasm_memorytype_t*);

WASM_DECLARE_TYPE(tagtype)

WASM_API_EXTERN own wasm_tagtype_t* wasm_tagtype_new(own wasm_functype_t*);
WASM_API_EXTERN const wasm_functype_t* wasm_tagtype_functype(const wasm_tagtype_t*);

typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum {
  WASM_EXTERN_FUNC,
  WASM_EXTERN_GLOBAL,
  WASM_EXTERN_TABLE,
  WASM_EXTERN_MEMORY,
  WASM_EXTERN_TAG
};

WASM_DECLARE_TYPE(externtype)

WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t*);

/* These casts borrow as those of references do. */
#define WASM_DECLARE_EXTERNTYPE_CASTS(name)                                       \
  WASM_API_EXTERN wasm_externtype_t* wasm_##name##_as_externtype(                 \
      wasm_##name##_t*);                                                          \
  WASM_API_EXTERN wasm_##name##_t* wasm_externtype_as_##name(wasm_externtype_t*); \
  WASM_API_EXTERN const wasm_externtype_t* wasm_##name##_as_externtype_const(     \
      const wasm_##name##_t*);                                                    \
  WASM_API_EXTERN const wasm_##name##_t* wasm_externtype_as_##name##_const(       \
      const wasm_externtype_t*);

WASM_DECLARE_EXTERNTYPE_CASTS(functype)
WASM_DECLARE_EXTERNTYPE_CASTS(globaltype)
WASM_DECLARE_EXTERNTYPE_CASTS(tabletype)
WASM_DECLARE_EXTERNTYPE_CASTS(memorytype)
WASM_DECLARE_EXTERNTYPE_CASTS(tagtype)

WASM_DECLARE_TYPE(importtype)

WASM_API_EXTERN own wasm_importtype_t* wasm_importtype_new(
    own wasm_name_t* module, own wasm_name_t* name, own wasm_externtype_t*);
WASM_API_EXTERN const wasm_name_t* wasm_importtype_module(const wasm_importtype_t*);
WASM_API_EXTERN const wasm_name_t* wasm_importtype_name(const wasm_importtype_t*);
WASM_API_EXTERN const wasm_externtype_t* wasm_importtype_type(const wasm_importtype_t*);

WASM_DECLARE_TYPE(exporttype)

WASM_API_EXTERN own wasm_exporttype_t* wasm_exporttype_new(
    own wasm_name_t*, own wasm_externtype_t*);
WASM_API_EXTERN const wasm_name_t* wasm_exporttype_name(const wasm_exporttype_t*);
WASM_API_EXTERN const wasm_externtype_t* wasm_exporttype_type(const wasm_exporttype_t*);

/* ---- Values and references ------------------------------------------------ */

struct wasm_ref_t;

/* A value owns the reference in it. Null is the null reference. */
typedef struct wasm_val_t {
  wasm_valkind_t kind;
  union {
    int32_t i32;
    int64_t i64;
    float32_t f32;
    float64_t f64;
    struct wasm_ref_t* ref;
  } of;
} wasm_val_t;

WASM_API_EXTERN void wasm_val_delete(own wasm_val_t*);
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t* out, const wasm_val_t*);

WASM_DECLARE_VEC(val, )

WASM_DECLARE_REF_BASE(ref)

/* ---- Traps and frames ----------------------------------------------------- */

WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)

WASM_API_EXTERN own wasm_frame_t* wasm_frame_copy(const wasm_frame_t*);

/* Borrowed from the frame. */
WASM_API_EXTERN struct wasm_instance_t* wasm_frame_instance(const wasm_frame_t*);
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t*);

/* Byte offsets of the instruction in its function's body and in the module;
 * SIZE_MAX if they are not known. */
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t*);
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t*);

/* With a NUL at its end. */
typedef wasm_name_t wasm_message_t;

WASM_DECLARE_REF(trap)

WASM_API_EXTERN own wasm_trap_t* wasm_trap_new(wasm_store_t*, const wasm_message_t*);
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t*, own wasm_message_t* out);

/* The innermost frame; null if the guest was not running. */
WASM_API_EXTERN own wasm_frame_t* wasm_trap_origin(const wasm_trap_t*);

/* All frames, innermost first. */
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t*, own wasm_frame_vec_t* out);

/* ---- Foreign objects ------------------------------------------------------ */

/* An object of the host's that the guest can hold as an externref. */
WASM_DECLARE_REF(foreign)

WASM_API_EXTERN own wasm_foreign_t* wasm_foreign_new(wasm_store_t*);

/* ---- Modules --------------------------------------------------------------- */

WASM_DECLARE_SHARABLE_REF(module)

WASM_API_EXTERN own wasm_module_t* wasm_module_new(
    wasm_store_t*, const wasm_byte_vec_t* binary);
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t*, const wasm_byte_vec_t* binary);
WASM_API_EXTERN void wasm_module_imports(
    const wasm_module_t*, own wasm_importtype_vec_t* out);
WASM_API_EXTERN void wasm_module_exports(
    const wasm_module_t*, own wasm_exporttype_vec_t* out);

/* Bytes that `deserialize` of the same version of the library accepts. */
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t*, own wasm_byte_vec_t* out);
WASM_API_EXTERN own wasm_module_t* wasm_module_deserialize(
    wasm_store_t*, const wasm_byte_vec_t*);

/* ---- Functions -------------------------------------------------------------- */

WASM_DECLARE_REF(func)

/* A function of the host's. It fills in `results`, whose elements are zero or null
 * before, and returns null; or it returns a trap. */
typedef own wasm_trap_t* (*wasm_func_callback_t)(
    const wasm_val_vec_t* args, own wasm_val_vec_t* results);
typedef own wasm_trap_t* (*wasm_func_callback_with_env_t)(
    void* env, const wasm_val_vec_t* args, wasm_val_vec_t* results);

WASM_API_EXTERN own wasm_func_t* wasm_func_new(
    wasm_store_t*, const wasm_functype_t*, wasm_func_callback_t);

/* The finalizer may be null. It gets `env` when the store is gone. */
WASM_API_EXTERN own wasm_func_t* wasm_func_new_with_env(
    wasm_store_t*, const wasm_functype_t*, wasm_func_callback_with_env_t, void* env,
    void (*finalizer)(void*));

WASM_API_EXTERN own wasm_functype_t* wasm_func_type(const wasm_func_t*);
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t*);
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t*);

/* Null, and the results are written; or a trap, and they are not. The sizes of both
 * vectors are those of the function's type; null is an empty vector. */
WASM_API_EXTERN own wasm_trap_t* wasm_func_call(
    const wasm_func_t*, const wasm_val_vec_t* args, wasm_val_vec_t* results);

/* ---- Globals ---------------------------------------------------------------- */

WASM_DECLARE_REF(global)

WASM_API_EXTERN own wasm_global_t* wasm_global_new(
    wasm_store_t*, const wasm_globaltype_t*, const wasm_val_t*);
WASM_API_EXTERN own wasm_globaltype_t* wasm_global_type(const wasm_global_t*);
WASM_API_EXTERN void wasm_global_get(const wasm_global_t*, own wasm_val_t* out);
WASM_API_EXTERN void wasm_global_set(wasm_global_t*, const wasm_val_t*);

/* ---- Tables ----------------------------------------------------------------- */

WASM_DECLARE_REF(table)

typedef uint32_t wasm_table_size_t;

/* References that are put into a table may be null; null also comes out where there
 * is no such element. */
WASM_API_EXTERN own wasm_table_t* wasm_table_new(
    wasm_store_t*, const wasm_tabletype_t*, wasm_ref_t* init);
WASM_API_EXTERN own wasm_tabletype_t* wasm_table_type(const wasm_table_t*);
WASM_API_EXTERN own wasm_ref_t* wasm_table_get(const wasm_table_t*, wasm_table_size_t index);
WASM_API_EXTERN bool wasm_table_set(wasm_table_t*, wasm_table_size_t index, wasm_ref_t*);
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t*);
WASM_API_EXTERN bool wasm_table_grow(
    wasm_table_t*, wasm_table_size_t delta, wasm_ref_t* init);

/* ---- Memories --------------------------------------------------------------- */

WASM_DECLARE_REF(memory)

typedef uint32_t wasm_memory_pages_t;

static const size_t MEMORY_PAGE_SIZE = 0x10000;

WASM_API_EXTERN own wasm_memory_t* wasm_memory_new(wasm_store_t*, const wasm_memorytype_t*);
WASM_API_EXTERN own wasm_memorytype_t* wasm_memory_type(const wasm_memory_t*);

/* Good until the memory grows. */
WASM_API_EXTERN byte_t* wasm_memory_data(wasm_memory_t*);
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t*);
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t*);
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t*, wasm_memory_pages_t delta);

/* ---- Externals -------------------------------------------------------------- */

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)

WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t*);
WASM_API_EXTERN own wasm_externtype_t* wasm_extern_type(const wasm_extern_t*);

#define WASM_DECLARE_EXTERN_CASTS(name)                                           \
  WASM_API_EXTERN wasm_extern_t* wasm_##name##_as_extern(wasm_##name##_t*);       \
  WASM_API_EXTERN wasm_##name##_t* wasm_extern_as_##name(wasm_extern_t*);         \
  WASM_API_EXTERN const wasm_extern_t* wasm_##name##_as_extern_const(             \
      const wasm_##name##_t*);                                                    \
  WASM_API_EXTERN const wasm_##name##_t* wasm_extern_as_##name##_const(           \
      const wasm_extern_t*);

WASM_DECLARE_EXTERN_CASTS(func)
WASM_DECLARE_EXTERN_CASTS(global)
WASM_DECLARE_EXTERN_CASTS(table)
WASM_DECLARE_EXTERN_CASTS(memory)

/* ---- Instances -------------------------------------------------------------- */

WASM_DECLARE_REF(instance)

/* The imports are in the order of the module's. If there is no instance and the last
 * parameter is not null, the reason is written there; otherwise null is. */
WASM_API_EXTERN own wasm_instance_t* wasm_instance_new(
    wasm_store_t*, const wasm_module_t*, const wasm_extern_vec_t* imports,
    own wasm_trap_t**);

/* In the order of the module's exports. */
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t*, own wasm_extern_vec_t* out);

/* ---- Shorthands -------------------------------------------------------------- */

#define WASM_EMPTY_VEC {0, NULL}
#define WASM_ARRAY_VEC(array) {sizeof(array) / sizeof(*(array)), array}

#define WASM_I32_VAL(i) {.kind = WASM_I32, .of = {.i32 = i}}
#define WASM_I64_VAL(i) {.kind = WASM_I64, .of = {.i64 = i}}
#define WASM_F32_VAL(z) {.kind = WASM_F32, .of = {.f32 = z}}
#define WASM_F64_VAL(z) {.kind = WASM_F64, .of = {.f64 = z}}
#define WASM_REF_VAL(r) {.kind = WASM_EXTERNREF, .of = {.ref = r}}
#define WASM_INIT_VAL {.kind = WASM_EXTERNREF, .of = {.ref = NULL}}

static inline own wasm_valtype_t* wasm_valtype_new_i32(void) {
  return wasm_valtype_new(WASM_I32);
}

static inline own wasm_valtype_t* wasm_valtype_new_i64(void) {
  return wasm_valtype_new(WASM_I64);
}

static inline own wasm_valtype_t* wasm_valtype_new_f32(void) {
  return wasm_valtype_new(WASM_F32);
}

static inline own wasm_valtype_t* wasm_valtype_new_f64(void) {
  return wasm_valtype_new(WASM_F64);
}

static inline own wasm_valtype_t* wasm_valtype_new_externref(void) {
  return wasm_valtype_new(WASM_EXTERNREF);
}

static inline own wasm_valtype_t* wasm_valtype_new_anyref(void) {
  return wasm_valtype_new(WASM_ANYREF);
}

static inline own wasm_valtype_t* wasm_valtype_new_funcref(void) {
  return wasm_valtype_new(WASM_FUNCREF);
}

/* wasm_functype_new_P_R makes the type of P parameters and R results, which follow. */

static inline own wasm_functype_t* wasm_functype_new_from_arrays(
    size_t params_size, own wasm_valtype_t* const params[],
    size_t results_size, own wasm_valtype_t* const results[]) {
  wasm_valtype_vec_t params_vec, results_vec;
  wasm_valtype_vec_new(&params_vec, params_size, params);
  wasm_valtype_vec_new(&results_vec, results_size, results);
  return wasm_functype_new(&params_vec, &results_vec);
}

static inline own wasm_functype_t* wasm_functype_new_0_0(void) {
  return wasm_functype_new_from_arrays(0, NULL, 0, NULL);
}

static inline own wasm_functype_t* wasm_functype_new_1_0(own wasm_valtype_t* p) {
  wasm_valtype_t* params[1] = {p};
  return wasm_functype_new_from_arrays(1, params, 0, NULL);
}

static inline own wasm_functype_t* wasm_functype_new_2_0(
    own wasm_valtype_t* p1, own wasm_valtype_t* p2) {
  wasm_valtype_t* params[2] = {p1, p2};
  return wasm_functype_new_from_arrays(2, params, 0, NULL);
}

static inline own wasm_functype_t* wasm_functype_new_3_0(
    own wasm_valtype_t* p1, own wasm_valtype_t* p2, own wasm_valtype_t* p3) {
  wasm_valtype_t* params[3] = {p1, p2, p3};
  return wasm_functype_new_from_arrays(3, params, 0, NULL);
}

static inline own wasm_functype_t* wasm_functype_new_0_1(own wasm_valtype_t* r) {
  wasm_valtype_t* results[1] = {r};
  return wasm_functype_new_from_arrays(0, NULL, 1, results);
}

static inline own wasm_functype_t* wasm_functype_new_1_1(
    own wasm_valtype_t* p, own wasm_valtype_t* r) {
  wasm_valtype_t* params[1] = {p};
  wasm_valtype_t* results[1] = {r};
  return wasm_functype_new_from_arrays(1, params, 1, results);
}

static inline own wasm_functype_t* wasm_functype_new_2_1(
    own wasm_valtype_t* p1, own wasm_valtype_t* p2, own wasm_valtype_t* r) {
  wasm_valtype_t* params[2] = {p1, p2};
  wasm_valtype_t* results[1] = {r};
  return wasm_functype_new_from_arrays(2, params, 1, results);
}

static inline own wasm_functype_t* wasm_functype_new_3_1(
    own wasm_valtype_t* p1, own wasm_valtype_t* p2, own wasm_valtype_t* p3,
    own wasm_valtype_t* r) {
  wasm_valtype_t* params[3] = {p1, p2, p3};
  wasm_valtype_t* results[1] = {r};
  return wasm_functype_new_from_arrays(3, params, 1, results);
}

static inline own wasm_functype_t* wasm_functype_new_0_2(
    own wasm_valtype_t* r1, own wasm_valtype_t* r2) {
  wasm_valtype_t* results[2] = {r1, r2};
  return wasm_functype_new_from_arrays(0, NULL, 2, results);
}

static inline own wasm_functype_t* wasm_functype_new_1_2(
    own wasm_valtype_t* p, own wasm_valtype_t* r1, own wasm_valtype_t* r2) {
  wasm_valtype_t* params[1] = {p};
  wasm_valtype_t* results[2] = {r1, r2};
  return wasm_functype_new_from_arrays(1, params, 2, results);
}

static inline own wasm_functype_t* wasm_functype_new_2_2(
    own wasm_valtype_t* p1, own wasm_valtype_t* p2, own wasm_valtype_t* r1,
    own wasm_valtype_t* r2) {
  wasm_valtype_t* params[2] = {p1, p2};
  wasm_valtype_t* results[2] = {r1, r2};
  return wasm_functype_new_from_arrays(2, params, 2, results);
}

static inline own wasm_functype_t* wasm_functype_new_3_2(
    own wasm_valtype_t* p1, own wasm_valtype_t* p2, own wasm_valtype_t* p3,
    own wasm_valtype_t* r1, own wasm_valtype_t* r2) {
  wasm_valtype_t* params[3] = {p1, p2, p3};
  wasm_valtype_t* results[2] = {r1, r2};
  return wasm_functype_new_from_arrays(3, params, 2, results);
}

/* A pointer as a number of the guest's. */

static inline void wasm_val_init_ptr(own wasm_val_t* out, void* p) {
#if UINTPTR_MAX == UINT32_MAX
  out->kind = WASM_I32;
  out->of.i32 = (int32_t)(intptr_t)p;
#else
  out->kind = WASM_I64;
  out->of.i64 = (int64_t)(intptr_t)p;
#endif
}

static inline void* wasm_val_ptr(const wasm_val_t* val) {
#if UINTPTR_MAX == UINT32_MAX
  return (void*)(intptr_t)val->of.i32;
#else
  return (void*)(intptr_t)val->of.i64;
#endif
}

#undef own

#ifdef __cplusplus
}
#endif

#endif /* WASM_H */
