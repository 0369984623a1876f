//! Compiles `crates/zwasm/tests/compat` against wasmtime, with the feature
//! `against-wasmtime`: the same programs, told apart by the crate that one line names.
