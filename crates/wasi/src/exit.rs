//! How a guest ends: the error that `proc_exit` travels as.

use std::{error, fmt};

/// The exit code a guest gave to `proc_exit`.
///
/// Not a failure in itself: a guest that exits unwinds through its host as an
/// error carrying this value, code 0 included. `proc_raise` of a signal that
/// ends a process leaves the same way, with 128 plus the signal's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct I32Exit(pub i32);

impl fmt::Display for I32Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exited with code {}", self.0)
    }
}

impl error::Error for I32Exit {}
