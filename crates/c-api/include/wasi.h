/* wasi.h: what a guest of WASI is given, with wasmtime's names.
 *
 * At first that is nothing but clocks, random numbers and the right to exit. Strings are
 * UTF-8 and end with a NUL; what is given is copied unless a comment says otherwise. A
 * function that returns false has changed nothing; zwasm_last_error() says why. */

#ifndef WASI_H
#define WASI_H

#include "wasm.h"
#include "wasmtime/conf.h"

#ifndef WASI_API_EXTERN
#define WASI_API_EXTERN WASM_API_EXTERN
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wasi_config_t wasi_config_t;

/* For the caller to delete, unless wasmtime_context_set_wasi() takes it. */
WASI_API_EXTERN wasi_config_t* wasi_config_new(void);
WASI_API_EXTERN void wasi_config_delete(wasi_config_t*);

/* Adds arguments; the first of all is the program's name. */
WASI_API_EXTERN bool wasi_config_set_argv(wasi_config_t*, size_t argc, const char* argv[]);
WASI_API_EXTERN void wasi_config_inherit_argv(wasi_config_t*);

/* Adds environment variables. */
WASI_API_EXTERN bool wasi_config_set_env(
    wasi_config_t*, size_t envc, const char* names[], const char* values[]);
WASI_API_EXTERN void wasi_config_inherit_env(wasi_config_t*);

/* Standard input: a file, bytes, which are taken, or that of this process. */
WASI_API_EXTERN bool wasi_config_set_stdin_file(wasi_config_t*, const char* path);
WASI_API_EXTERN void wasi_config_set_stdin_bytes(wasi_config_t*, wasm_byte_vec_t* bytes);
WASI_API_EXTERN void wasi_config_inherit_stdin(wasi_config_t*);

/* Standard output and error: a file, which is made or emptied; that of this process; or a
 * function, which returns how many of the bytes it took or, below 0, an error number of the
 * system's. The finalizer may be null. */
WASI_API_EXTERN bool wasi_config_set_stdout_file(wasi_config_t*, const char* path);
WASI_API_EXTERN void wasi_config_inherit_stdout(wasi_config_t*);
WASI_API_EXTERN void wasi_config_set_stdout_custom(
    wasi_config_t*, ptrdiff_t (*write)(void* data, const unsigned char* bytes, size_t size),
    void* data, void (*finalizer)(void*));
WASI_API_EXTERN bool wasi_config_set_stderr_file(wasi_config_t*, const char* path);
WASI_API_EXTERN void wasi_config_inherit_stderr(wasi_config_t*);
WASI_API_EXTERN void wasi_config_set_stderr_custom(
    wasi_config_t*, ptrdiff_t (*write)(void* data, const unsigned char* bytes, size_t size),
    void* data, void (*finalizer)(void*));

/* A directory of the host's with all below it, under a name for the guest, which may
 * change what is there if `fs_mutable`. */
WASI_API_EXTERN bool wasi_config_preopen_dir(
    wasi_config_t*, const char* host_path, const char* guest_path, bool fs_mutable);

/* The network of this machine. Names of hosts are part of it: the second function has no
 * effect. */
WASI_API_EXTERN void wasi_config_inherit_network(wasi_config_t*);
WASI_API_EXTERN void wasi_config_allow_ip_name_lookup(wasi_config_t*, bool enable);

#ifdef __cplusplus
}
#endif

#endif /* WASI_H */
