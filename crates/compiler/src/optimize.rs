//! The optimizing compiler: register IR to SSA, passes, machine code with native frames.

use crate::code::NativeCode;
use crate::ssa::Func;
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
    let mut func = optimize(function, env, entry, &mut |_, _| {})?;
    lower::lower(&mut func, env, entry, listing)
}

/// Makes the SSA form that machine code is made from, and shows it to `observe` after each
/// pass, with its name.
///
/// # Errors
///
/// Those of [`compile`].
pub fn optimize(
    function: &Function,
    env: &dyn Environment,
    entry: Entry,
    observe: &mut dyn FnMut(&str, &Func),
) -> Result<Func, CompileError> {
    let mut func = build(function, env, entry)?;
    opt::run_observed(&mut func, env, observe)?;
    Ok(func)
}

/// Makes the SSA form of a function, as it is before all passes.
///
/// # Errors
///
/// Those of [`compile`].
pub fn build(
    function: &Function,
    env: &dyn Environment,
    entry: Entry,
) -> Result<Func, CompileError> {
    let func = ssa::build::build(function, env, entry)?;
    if cfg!(debug_assertions) {
        ssa::verify::verify(&func, env, "build");
    }
    Ok(func)
}
