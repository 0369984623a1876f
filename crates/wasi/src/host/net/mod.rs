//! Sockets: those a guest is given to accept connections on, and those it makes.
//!
//! Below are the operations on a descriptor that is a connection or accepts some, which
//! wait by themselves. A [`socket::Socket`] never waits: what it waits for joins a
//! [`Waiter`](super::poll::Waiter). It remembers what it was made for, and with it the
//! capability that using it needs. There is no other way to an address from here.

#[cfg(feature = "component")]
pub(crate) mod address;
#[cfg(feature = "component")]
pub(crate) mod domain;
#[cfg(feature = "component")]
pub(crate) mod lookup;
#[cfg(feature = "component")]
pub(crate) mod options;
#[cfg(feature = "component")]
pub(crate) mod socket;
#[cfg(feature = "component")]
pub(crate) mod tcp;
#[cfg(feature = "component")]
pub(crate) mod udp;

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::Shutdown;

#[cfg(feature = "component")]
use super::fs::room::Room;
use super::poll::{self, Direction};
use super::sys::{self, BorrowedFd, OwnedFd};
use super::{Host, Result};
use crate::Capabilities;

/// The sockets that a guest can have at once, whatever the system would let it have.
#[cfg(feature = "component")]
const MAX_SOCKETS: usize = 4096;

/// What a guest has of the network.
#[cfg(feature = "component")]
pub(crate) struct Network {
    pub(crate) resolver: lookup::Resolver,
    /// For so many more sockets there is room.
    pub(crate) room: Room,
}

#[cfg(feature = "component")]
impl Default for Network {
    fn default() -> Network {
        Network { resolver: lookup::Resolver::default(), room: Room::for_places(MAX_SOCKETS) }
    }
}

/// How to receive.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ReceiveHow {
    /// Leave what was received to be received again.
    pub peek: bool,
    /// Wait until the buffers are full.
    pub all: bool,
}

/// Accepts a connection, waiting for one unless `nonblock`.
pub(crate) fn accept(host: &Host, listener: BorrowedFd<'_>, nonblock: bool) -> Result<OwnedFd> {
    host.require(Capabilities::NET)?;
    loop {
        if !nonblock {
            poll::wait_ready(host, listener, Direction::Read)?;
        }
        // Whoever connected may be gone again, and accepting then has to wait.
        let error = match sys::accept(listener) {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
            ErrorKind::WouldBlock if !nonblock => {}
            _ => return Err(error.into()),
        }
    }
}

/// Receives into `buffers`, waiting for the first byte unless `nonblock`, and with
/// `how.all` for the last. 0 at the end.
///
/// The host's sockets never wait by themselves, so that every wait is one that
/// can be interrupted.
pub(crate) fn receive(
    host: &Host,
    socket: BorrowedFd<'_>,
    mut buffers: &mut [IoSliceMut<'_>],
    how: ReceiveHow,
    nonblock: bool,
) -> Result<usize> {
    host.require(Capabilities::NET)?;
    let mut total = 0;
    loop {
        match sys::receive(socket, buffers, how.peek) {
            Ok(received) => {
                total += received;
                IoSliceMut::advance_slices(&mut buffers, received);
                if received == 0 || how.peek || !how.all || buffers.is_empty() {
                    return Ok(total);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) if total > 0 && nonblock => return Ok(total),
            Err(error) if error.kind() == ErrorKind::WouldBlock && !nonblock => {
                poll::wait_ready(host, socket, Direction::Read)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sends from `buffers`, waiting until something can be sent unless `nonblock`;
/// may send less. That nobody will receive it is an error and no signal.
pub(crate) fn send(
    host: &Host,
    socket: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    nonblock: bool,
) -> Result<usize> {
    host.require(Capabilities::NET)?;
    loop {
        match sys::send(socket, buffers) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock && !nonblock => {
                poll::wait_ready(host, socket, Direction::Write)?;
            }
            result => return Ok(result?),
        }
    }
}

/// Ends receiving, sending or both.
pub(crate) fn close_way(host: &Host, socket: BorrowedFd<'_>, way: Shutdown) -> Result {
    host.require(Capabilities::NET)?;
    Ok(sys::shutdown(socket, way)?)
}
