//! What differs between operating systems: address space, and faults of the process.
//!
//! # Safety
//!
//! A [`Mapping`] owns its address range from creation to drop. Its pages are
//! either inaccessible or plain zero-initialised memory; handing out pointers
//! into it is safe, dereferencing them is the caller's business.

#[cfg(all(compiler, not(windows)))]
pub(crate) mod signals;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
pub(crate) use unix::Mapping;
#[cfg(windows)]
pub(crate) use windows::Mapping;
#[cfg(all(compiler, windows))]
pub(crate) use windows::exceptions as signals;

/// What may be done with pages.
#[cfg(compiler)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadExecute,
}
