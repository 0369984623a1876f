//! The engines that run a module: ours in every mode, and those of others.

pub mod ours;
#[cfg(feature = "wasmtime-oracle")]
mod strict;
pub mod wasmi;
#[cfg(feature = "wasmtime-oracle")]
pub mod wasmtime;

use crate::outcome::Outcome;
use crate::plan::Plan;

/// An engine of others, to compare with.
pub trait Oracle {
    /// Whether every NaN that it computes is the canonical one.
    fn has_one_nan(&self) -> bool;

    /// Runs a module; none if the engine does not know all of its features.
    fn run(&self, bytes: &[u8], plan: &Plan) -> Option<Outcome>;
}

/// What a host function fails with.
const HOST_FAILURE: &str = "the host has no such value";
