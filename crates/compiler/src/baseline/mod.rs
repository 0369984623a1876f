//! The baseline compiler: one forward pass over the register IR.

use crate::{CompiledCode, Environment};
use zwasm_regir::Function;

/// Compiles a function. With `listing`, the instructions are kept as text.
pub fn compile(function: &Function, env: &dyn Environment, listing: bool) -> CompiledCode {
    let _ = (function, env, listing);
    CompiledCode::default()
}
