//! From SSA to machine code: selection of instructions, allocation of registers,
//! emission. What is the same for every instruction set stands here.

pub mod shape;
pub mod x64;

use crate::code::NativeCode;
use crate::ssa::Func;
use crate::{CompileError, Environment};
use zwasm_regir::Function;

/// Compiles a function. `origin` is what it was built from.
///
/// # Errors
///
/// If it becomes too large or takes too long, or the environment says to stop.
pub fn lower(
    func: &Func,
    origin: &Function,
    env: &dyn Environment,
    listing: bool,
) -> Result<NativeCode, CompileError> {
    let _ = (func, origin, env, listing);
    todo!()
}
