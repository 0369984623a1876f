//! Machine code: made, mapped, entered, and its faults.
//!
//! A build without a compiler has `none.rs` in place of this module, with the same
//! names.

mod code_memory;
mod compiled;
mod entry;
mod environment;
mod host;
mod link;
mod signals;

#[cfg(feature = "trace")]
pub(crate) use compiled::listing;
pub(crate) use compiled::{Compiled, MachineCode};
pub(crate) use entry::enter;

/// Whether there is a compiler.
pub(crate) const AVAILABLE: bool = true;
