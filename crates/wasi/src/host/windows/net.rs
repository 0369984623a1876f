//! Connections.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;

use super::{BorrowedFd, OwnedFd, bad_descriptor};

/// Accepts a connection that never waits by itself.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (connection, _) = listener.listener().ok_or_else(bad_descriptor)?.accept()?;
    connection.set_nonblocking(true)?;
    Ok(connection.into())
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
