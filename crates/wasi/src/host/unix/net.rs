//! Connections.

use rustix::fd::BorrowedFd;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recvmsg, sendmsg};
use std::io::{self, IoSlice, IoSliceMut};

use super::NO_SIGNAL;

/// A descriptor as a socket, which it is.
#[cfg(feature = "component")]
pub(crate) fn as_socket(fd: BorrowedFd<'_>) -> io::Result<BorrowedFd<'_>> {
    Ok(fd)
}

/// Receives what there is, without waiting; with `peek` it stays there.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    peek: bool,
) -> io::Result<usize> {
    let mut flags = RecvFlags::DONTWAIT;
    flags.set(RecvFlags::PEEK, peek);
    Ok(recvmsg(socket, buffers, &mut Default::default(), flags)?.bytes)
}

/// Sends what can be sent without waiting. That nobody will receive it is an error and
/// no signal.
pub(crate) fn send(socket: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = SendFlags::DONTWAIT | NO_SIGNAL;
    Ok(sendmsg(socket, buffers, &mut SendAncillaryBuffer::default(), flags)?)
}

/// Ends receiving, sending or both.
pub(crate) fn shutdown(socket: BorrowedFd<'_>, way: std::net::Shutdown) -> io::Result<()> {
    let way = match way {
        std::net::Shutdown::Read => Shutdown::Read,
        std::net::Shutdown::Write => Shutdown::Write,
        std::net::Shutdown::Both => Shutdown::Both,
    };
    Ok(rustix::net::shutdown(socket, way)?)
}
