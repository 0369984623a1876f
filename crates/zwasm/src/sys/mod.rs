//! What differs between operating systems: address space.
//!
//! # Safety
//!
//! A [`Mapping`] owns its address range from creation to drop. Its pages are
//! either inaccessible or plain zero-initialised memory; handing out pointers
//! into it is safe, dereferencing them is the caller's business.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::Mapping;
