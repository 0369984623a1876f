//! The programs of `crates/wasi/tests/compat`, compiled against wasmtime's WASI.

extern crate wasmtime as engine;
extern crate wasmtime_wasi as wasi;

#[path = "../../wasi/tests/compat/programs.rs"]
mod programs;
