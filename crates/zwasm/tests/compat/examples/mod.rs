//! Programs in the shape of wasmtime's public examples, each in a file of its own with one
//! line that names the crate.

mod anyref;
mod externref;
mod fib_debug;
mod fuel;
mod gcd;
mod hello;
mod interrupt;
mod linking;
mod memory;
mod multi;
mod multimemory;
mod serialize;
mod threads;
