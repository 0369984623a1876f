//! The runtimes, each with the rows that it has.

#[cfg(feature = "wasmi")]
mod wasmi;
#[cfg(feature = "wasmtime")]
mod wasmtime;
mod zwasm;

use crate::measure::Row;

/// All runtimes of this build; ours is the first.
pub fn all() -> Vec<(&'static str, Vec<Row>)> {
    vec![
        ("zwasm", zwasm::rows()),
        #[cfg(feature = "wasmtime")]
        ("wasmtime", wasmtime::rows()),
        #[cfg(feature = "wasmi")]
        ("wasmi", wasmi::rows()),
    ]
}
