//! Machine code: made, mapped, entered, and its faults.
//!
//! A build without a compiler has `none.rs` in place of this module, with the same
//! names.

mod code_memory;
mod compiled;
#[cfg(all(feature = "gdb", target_os = "linux"))]
mod dwarf;
mod entry;
mod environment;
#[cfg(all(feature = "gdb", target_os = "linux"))]
mod gdb;
#[cfg(optimizer)]
mod generic;
mod host;
mod link;
#[cfg(optimizer)]
mod native;
mod refuel;
#[cfg(optimizer)]
mod routines;
mod signals;
#[cfg(all(optimizer, feature = "trace"))]
mod ssa;
#[cfg(optimizer)]
mod stubs;
mod tell;

#[cfg(feature = "trace")]
pub(crate) use compiled::listing;
pub(crate) use compiled::{Compiled, MachineCode};
pub(crate) use entry::enter;
#[cfg(optimizer)]
pub(crate) use native::NativeCode;
#[cfg(optimizer)]
pub(crate) use routines::{land_in_native, land_in_slots, resolver, restore};
#[cfg(all(optimizer, feature = "trace"))]
pub(crate) use ssa::{ssa, ssa_of_loops};
#[cfg(optimizer)]
pub(crate) use stubs::returns_to_slots;

/// Whether there is a compiler.
pub(crate) const AVAILABLE: bool = true;
