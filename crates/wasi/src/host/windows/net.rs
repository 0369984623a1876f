//! Connections.

use rustix::net::{AddressFamily, SocketType};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::windows::io::BorrowedSocket;
use std::sync::OnceLock;

use super::{BorrowedFd, OwnedFd, bad_descriptor};
#[cfg(feature = "component")]
use crate::host::net::socket::Socket;

/// A descriptor as a socket.
pub(crate) fn as_socket(fd: BorrowedFd<'_>) -> io::Result<BorrowedSocket<'_>> {
    fd.as_socket().ok_or_else(bad_descriptor)
}

/// Makes a socket that never waits by itself.
pub(crate) fn socket(family: AddressFamily, ty: SocketType) -> io::Result<OwnedFd> {
    /// Whether the system's part for sockets was started, as it has to be once.
    static STARTED: OnceLock<()> = OnceLock::new();

    if STARTED.get().is_none() {
        rustix::net::wsa_startup()?;
        let _ = STARTED.set(());
    }
    let socket = rustix::net::socket(family, ty, None)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(match ty {
        SocketType::DGRAM => UdpSocket::from(socket).into(),
        _ => TcpStream::from(socket).into(),
    })
}

/// Accepts a connection that never waits by itself.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let connection = rustix::net::accept(as_socket(listener)?)?;
    rustix::io::ioctl_fionbio(&connection, true)?;
    Ok(TcpStream::from(connection).into())
}

/// Gives a connection the options of the socket that accepted it: it has them.
#[cfg(feature = "component")]
pub(crate) fn inherit(_: &Socket, _: &Socket) -> io::Result<()> {
    Ok(())
}

/// Receives what there is, without waiting; with `peek` it stays there.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    peek: bool,
) -> io::Result<usize> {
    let mut connection = socket.connection().ok_or_else(bad_descriptor)?;
    if !peek {
        return connection.read_vectored(buffers);
    }
    match buffers.iter_mut().find(|buffer| !buffer.is_empty()) {
        // What does not fit is still there.
        Some(buffer) => match connection.peek(buffer) {
            Err(error) if error.raw_os_error() == Some(10040) => Ok(buffer.len()),
            result => result,
        },
        None => Ok(0),
    }
}

/// Sends what can be sent without waiting.
pub(crate) fn send(socket: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut connection = socket.connection().ok_or_else(bad_descriptor)?;
    match connection.write_vectored(buffers) {
        Err(error) if error.kind() == ErrorKind::ConnectionAborted => {
            // Others say that the pipe is broken.
            Err(ErrorKind::BrokenPipe.into())
        }
        result => result,
    }
}

/// Ends receiving, sending or both.
pub(crate) fn shutdown(socket: BorrowedFd<'_>, way: Shutdown) -> io::Result<()> {
    socket.connection().ok_or_else(bad_descriptor)?.shutdown(way)
}
