//! What differs between Unix systems: one module each for Linux and for those that
//! have its calls not, with the same functions in both.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod others;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::*;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use others::*;

use rustix::fs::FileType;
use std::ffi::CStr;

/// One name in a directory, as the system tells it.
pub(crate) struct RawEntry<'a> {
    pub name: &'a CStr,
    pub ino: u64,
    pub kind: FileType,
    /// The position of the entry behind it: below 2⁶³, and 0 is the start.
    pub next: u64,
}
