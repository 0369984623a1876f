//! From register IR to SSA, in one walk over the instructions.
//!
//! The slots of the frame are the variables (Braun et al., "Simple and Efficient
//! Construction of Static Single Assignment Form", CC 2013): each block remembers which
//! value a slot has, and a slot that is read where several blocks meet becomes a
//! parameter if they disagree.

use super::Func;
use crate::{CompileError, Environment};
use zwasm_regir::{Frame, Function, Label};

/// Where a function is entered.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// At its start, with arguments.
    Start,
    /// At a loop header, from a frame whose slots hold everything (on-stack replacement).
    Loop {
        /// The header's label.
        label: Label,
        /// The layout of that frame: that of another translation of the same function,
        /// whose operand stack may start elsewhere.
        frame: Frame,
    },
}

/// Builds the SSA form of a function.
///
/// # Errors
///
/// If the environment says to stop, or the function is too large.
pub fn build(
    function: &Function,
    env: &dyn Environment,
    entry: Entry,
) -> Result<Func, CompileError> {
    let _ = (function, env, entry);
    todo!()
}
