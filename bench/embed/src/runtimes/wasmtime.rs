//! wasmtime.

#[path = "../rows/calls.rs"]
mod calls;
#[path = "../rows/instances.rs"]
mod instances;
#[path = "../rows/wasi.rs"]
mod wasi;

use ::wasmtime as runtime;
use runtime::{Engine, FuncType, Linker, ValType};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};

use crate::measure::Row;

pub fn rows() -> Vec<Row> {
    [calls::ROWS, instances::ROWS, wasi::ROWS].concat()
}

/// A linker that has WASI, and data of a store for it.
fn wasi(engine: &Engine) -> (Linker<WasiP1Ctx>, WasiP1Ctx) {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi).expect("WASI is defined once");
    (linker, WasiCtxBuilder::new().build_p1())
}

/// The type of a function with one parameter and one result.
fn func_type(engine: &Engine, params: [ValType; 1], results: [ValType; 1]) -> FuncType {
    FuncType::new(engine, params, results)
}
