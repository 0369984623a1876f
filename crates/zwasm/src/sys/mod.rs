//! What differs between operating systems: address space, and signals.
//!
//! # Safety
//!
//! A [`Mapping`] owns its address range from creation to drop. Its pages are
//! either inaccessible or plain zero-initialised memory; handing out pointers
//! into it is safe, dereferencing them is the caller's business.

#[cfg(compiler)]
pub(crate) mod signals;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::Mapping;

/// What may be done with pages.
#[cfg(compiler)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadExecute,
}
