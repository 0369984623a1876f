//! A socket that a guest makes, or that is made for it.

use std::io::ErrorKind;
use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketType, sockopt};

use super::address::Family;
use crate::Capabilities;
use crate::host::sys::{self, AsFd, BorrowedFd, OwnedFd};
use crate::host::{Host, Result};

/// What a socket is for, which decides what capability using it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// For the guest, as a socket.
    Guest,
    /// For requests that are sent for the guest.
    Http,
}

impl Purpose {
    /// What using such a socket needs.
    pub(super) fn capability(self) -> Capabilities {
        match self {
            Purpose::Guest => Capabilities::NET,
            Purpose::Http => Capabilities::HTTP,
        }
    }
}

/// What a socket transmits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Bytes, through a connection.
    Stream,
    /// Messages.
    Datagram,
}

/// A socket. It never waits.
pub(crate) struct Socket {
    pub(super) fd: OwnedFd,
    pub(super) family: Family,
    pub(super) purpose: Purpose,
}

impl Socket {
    /// Makes a socket. One of IPv6 does not do IPv4 as well.
    pub(crate) fn new(host: &Host, kind: Kind, family: Family, purpose: Purpose) -> Result<Socket> {
        host.require(purpose.capability())?;
        let ty = match kind {
            Kind::Stream => SocketType::STREAM,
            Kind::Datagram => SocketType::DGRAM,
        };
        let domain = match family {
            Family::V4 => rustix::net::AddressFamily::INET,
            Family::V6 => rustix::net::AddressFamily::INET6,
        };
        let socket = Socket { fd: sys::socket(domain, ty)?, family, purpose };
        if family == Family::V6 {
            sockopt::set_ipv6_v6only(sys::as_socket(socket.fd.as_fd())?, true)?;
        }
        Ok(socket)
    }

    /// Checks that the guest may use the socket, and gives what the system knows it by.
    pub(super) fn using(&self, host: &Host) -> Result<sys::BorrowedSocket<'_>> {
        host.require(self.purpose.capability())?;
        Ok(sys::as_socket(self.fd.as_fd())?)
    }

    /// The kind of addresses it works with.
    pub(crate) fn family(&self) -> Family {
        self.family
    }

    /// Binds the socket to an address of this machine; to a free port if that is 0.
    pub(crate) fn bind(&self, host: &Host, kind: Kind, address: SocketAddr) -> Result {
        let socket = self.using(host)?;
        // A port that was in use a moment ago can be had again. On Windows this is always
        // so, and the option means another thing.
        #[cfg(not(windows))]
        if kind == Kind::Stream {
            sockopt::set_socket_reuseaddr(socket, true)?;
        }
        #[cfg(windows)]
        let _ = kind;
        rustix::net::bind(socket, &address).map_err(|error| match error {
            Errno::AFNOSUPPORT => Errno::INVAL,
            // So Windows says that there is no free port.
            #[cfg(windows)]
            Errno::NOBUFS => Errno::ADDRINUSE,
            error => error,
        })?;
        Ok(())
    }

    /// The address the socket is bound to.
    pub(crate) fn local(&self, host: &Host) -> Result<SocketAddr> {
        ip(rustix::net::getsockname(self.using(host)?)?)
    }

    /// The address the socket is connected to.
    pub(crate) fn remote(&self, host: &Host) -> Result<SocketAddr> {
        let address = rustix::net::getpeername(self.using(host)?)?;
        ip(address.ok_or(ErrorKind::NotConnected)?)
    }
}

/// An address as far as it is one of the internet.
pub(super) fn ip(address: SocketAddrAny) -> Result<SocketAddr> {
    Ok(address.try_into()?)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
