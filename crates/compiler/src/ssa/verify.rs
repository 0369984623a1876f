//! Checks that a function is what SSA promises; between passes in debug builds.

use super::Func;
use crate::Environment;

/// Panics with what is wrong, if something is: a use that its definition does not
/// dominate, an edge with other arguments than its block has parameters, a type that its
/// op does not take, a block without terminator, a pointer into an object that lives
/// across a call.
pub fn verify(func: &Func, env: &dyn Environment, after: &str) {
    let _ = (func, env, after);
    todo!()
}
