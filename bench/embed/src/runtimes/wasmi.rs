//! wasmi.

#[path = "../rows/calls.rs"]
mod calls;

use crate::measure::Row;

/// What rows name, where wasmi has it differently.
mod runtime {
    pub use ::wasmi::*;
}

pub fn rows() -> Vec<Row> {
    calls::ROWS.to_vec()
}
