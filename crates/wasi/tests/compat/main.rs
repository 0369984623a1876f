//! Programs written for wasmtime's WASI, from what its documentation says. They are compiled
//! against either, and behave the same.
//!
//! Against wasmtime: `cargo test -p zwasm-compat --features against-wasmtime`.

extern crate zwasm as engine;
extern crate zwasm_wasi as wasi;

mod programs;
