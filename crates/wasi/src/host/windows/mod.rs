//! Windows.
//!
//! What a guest has open is a handle, a socket, or this process's console, and keeps
//! here what other systems keep with the descriptor: whether it appends. Console and
//! pipes cannot be waited for together with sockets, so waiting looks at them again and
//! again; see [`poll`].

mod console;
mod dir;
mod event;
mod file;
mod names;
mod net;
mod poll;
mod time;

pub(crate) use dir::{Directory, Listings, below, open, preopen, rename, stat_of, symlink, unlink};
pub(crate) use event::Event;
#[cfg(feature = "component")]
pub(crate) use file::append;
pub(crate) use file::{
    AsFd, BorrowedFd, OwnedFd, advise, allocate, fdatasync, flags, fsync, is_terminal, kind,
    preadv, pwritev, readv, seek, set_flags, set_size, set_times, stat, stderr, stdin, stdout,
    write, writev,
};
pub(crate) use names::check_name;
pub(crate) use net::{accept, as_socket, inherit, receive, send, shutdown, socket};
pub(crate) use poll::Waiter;
pub(crate) use std::os::windows::io::BorrowedSocket;
pub(crate) use time::{now, resolution};

use std::io;

/// What an embedder can give a guest as a stream.
pub(crate) type StreamFd = std::os::windows::io::OwnedHandle;

/// Takes such a stream.
pub(crate) fn opened(stream: StreamFd) -> OwnedFd {
    OwnedFd::from(stream)
}

/// The error for a descriptor that is not open for this: the code of sockets, which have
/// the only one that says so.
pub(crate) fn bad_descriptor() -> io::Error {
    io::Error::from_raw_os_error(10009)
}

/// Fills the buffer, or a part of it, with random bytes, and says how much.
pub(crate) fn random(buffer: &mut [u8]) -> io::Result<usize> {
    /// Between two looks at whether the guest is to stop.
    const AT_ONCE: usize = 1 << 20;

    let len = buffer.len().min(AT_ONCE);
    zwasm_win32::random(&mut buffer[..len])?;
    Ok(len)
}
