//! wasmi.

#[path = "../rows/calls.rs"]
mod calls;

use runtime::{Engine, FuncType, ValType};

use crate::measure::Row;

/// What rows name, where wasmi has it differently.
mod runtime {
    pub use ::wasmi::*;
}

pub fn rows() -> Vec<Row> {
    calls::ROWS.to_vec()
}

/// The type of a function with one parameter and one result, which belongs to no engine.
fn func_type(_: &Engine, params: [ValType; 1], results: [ValType; 1]) -> FuncType {
    FuncType::new(params, results)
}
