//! The optimizing compiler: register IR to SSA, passes, machine code with native frames.

use crate::code::NativeCode;
pub use crate::ssa::build::Entry;
use crate::{CompileError, Environment, lower, opt, ssa};
use zwasm_regir::Function;

/// Compiles a function. With `listing`, the instructions are kept as text.
///
/// # Errors
///
/// If it becomes too large or takes too long, so that the function stays where it is, and
/// if the environment says to stop.
pub fn compile(
    function: &Function,
    env: &dyn Environment,
    entry: Entry,
    listing: bool,
) -> Result<NativeCode, CompileError> {
    let mut func = ssa::build::build(function, env, entry)?;
    opt::run(&mut func, env)?;
    lower::lower(&mut func, env, entry, listing)
}
