//! Compiles `crates/zwasm/tests/compat` and `crates/wasi/tests/compat` against wasmtime, with
//! the feature `against-wasmtime`: the same programs, told apart by the lines that name the
//! crates.
