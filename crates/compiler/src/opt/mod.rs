//! The passes over SSA, and their order.

use crate::ssa::Func;
use crate::{CompileError, Environment};

/// Runs the passes.
///
/// # Errors
///
/// If the environment says to stop.
pub fn run(func: &mut Func, env: &dyn Environment) -> Result<(), CompileError> {
    let _ = (func, env);
    Ok(())
}
