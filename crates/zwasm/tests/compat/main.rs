//! Programs written for wasmtime, from what its documentation says. They are compiled
//! against either crate, which the lines below name, and behave the same.
//!
//! Against wasmtime: `cargo test -p zwasm-compat --features against-wasmtime`.

#![cfg(any(
    all(feature = "gc", feature = "wat", feature = "threads", feature = "simd"),
    feature = "against-wasmtime"
))]

#[cfg(feature = "against-wasmtime")]
extern crate wasmtime as engine;
#[cfg(not(feature = "against-wasmtime"))]
extern crate zwasm as engine;

mod calls;
mod errors;
mod examples;
mod limits;
mod linking;
mod modules;
mod programs;
mod references;
mod tables;
mod types;
