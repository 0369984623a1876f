//! From SSA to machine code: selection of instructions, allocation of registers,
//! emission. What is the same for every instruction set stands here.
//!
//! Selection goes through the blocks from the last to the first and through each from
//! its end, so that it knows whether and by whom a value is used. What several
//! instructions of SSA become in one of the machine's is decided by the last of them.
//! Registers are allocated by `regalloc2`, whose algorithm wants critical edges split and
//! blocks in an order that keeps loops together.

mod facts;
mod layout;
mod machine;
mod moves;
mod nulls;
pub mod shape;
#[cfg(test)]
mod tests;
pub mod x64;

pub use crate::tuning::MAX_SCRATCH_SLOTS;

use crate::code::NativeCode;
use crate::ssa::Func;
use crate::ssa::build::Entry;
use crate::target::Isa;
use crate::{CompileError, Environment, Threaded};

/// The clauses around a call.
pub(crate) struct Clauses {
    /// Tag, whether the exception itself is wanted, and the block, innermost first.
    pub(crate) list: Vec<(Option<u32>, bool, u32)>,
}

/// Threaded code for a handler.
pub(crate) struct Scratch {
    pub(crate) threaded: Threaded,
}

/// Compiles a function.
///
/// # Errors
///
/// If it becomes too large or takes too long, or the environment says to stop.
pub fn lower(
    func: &mut Func,
    env: &dyn Environment,
    entry: Entry,
    listing: bool,
) -> Result<NativeCode, CompileError> {
    crate::ssa::graph::split_critical_edges(func);
    match env.target().isa {
        Isa::X64 => x64::compile(func, env, matches!(entry, Entry::Start), listing),
        Isa::Aarch64 => Err(CompileError::Unsupported),
    }
}
