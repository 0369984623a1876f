//! zwasm.

#[path = "../rows/calls.rs"]
mod calls;
#[path = "../rows/instances.rs"]
mod instances;
#[path = "../rows/wasi.rs"]
mod wasi;

use ::zwasm as runtime;
use runtime::{Engine, FuncType, Linker, ValType};
use zwasm_wasi::{Capabilities, WasiCtx};

use crate::measure::Row;

pub fn rows() -> Vec<Row> {
    [calls::ROWS, instances::ROWS, wasi::ROWS].concat()
}

/// A linker that has WASI, and data of a store for it.
fn wasi(engine: &Engine) -> (Linker<WasiCtx>, WasiCtx) {
    let mut linker = Linker::new(engine);
    zwasm_wasi::add_to_linker(&mut linker, |wasi| wasi).expect("WASI is defined once");
    (linker, WasiCtx::builder().allow(Capabilities::CLOCK).build())
}

/// The type of a function with one parameter and one result.
fn func_type(engine: &Engine, params: [ValType; 1], results: [ValType; 1]) -> FuncType {
    FuncType::new(engine, params, results)
}
