//! Unix, and what differs between systems of that kind: one module each for Linux and
//! for those that have its calls not, with the same functions in both.

mod cookies;
mod dir;
mod file;
mod net;
mod poll;
mod time;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod others;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::*;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use others::*;

pub(crate) use dir::{
    Directory, Listings, below, check_name, open, preopen, rename, stat_of, symlink, unlink,
};
#[cfg(feature = "component")]
pub(crate) use file::append;
pub(crate) use file::{
    flags, is_terminal, kind, preadv, pwritev, readv, seek, set_flags, set_size, set_times, stat,
    write, writev,
};
#[cfg(feature = "component")]
pub(crate) use net::as_socket;
pub(crate) use net::{receive, send, shutdown};
pub(crate) use poll::Waiter;
#[cfg(feature = "component")]
pub(crate) use rustix::fd::BorrowedFd as BorrowedSocket;
pub(crate) use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
pub(crate) use rustix::stdio::{stderr, stdin, stdout};
pub(crate) use time::{now, resolution};

use rustix::fs::FileType;
use std::ffi::CStr;
use std::io;

/// What an embedder can give a guest as a stream.
pub(crate) type StreamFd = std::os::fd::OwnedFd;

/// Takes such a stream.
pub(crate) fn opened(stream: StreamFd) -> OwnedFd {
    stream
}

/// The error for a descriptor that is not open for this.
pub(crate) fn bad_descriptor() -> io::Error {
    rustix::io::Errno::BADF.into()
}

/// One name in a directory, as the system tells it.
pub(crate) struct RawEntry<'a> {
    pub name: &'a CStr,
    pub ino: u64,
    pub kind: FileType,
    /// The position of the entry behind it: below 2⁶³, and 0 is the start.
    pub next: u64,
}
