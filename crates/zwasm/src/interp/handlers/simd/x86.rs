//! The ops that x86-64 does better with instructions chosen by hand.
//!
//! A level is a module of ops under their names; it takes the ops of the level
//! below and puts its own in the place of some. Each is compared with the reference
//! definition in the tests.

#[path = "portable.rs"]
mod portable;

/// SSE2, which every x86-64 machine has.
pub(super) mod baseline {
    pub use super::portable::baseline::*;
}

/// SSE4.2 and what came before it. Only handlers compiled for it may use these.
pub(super) mod sse4 {
    pub use super::baseline::*;
}
