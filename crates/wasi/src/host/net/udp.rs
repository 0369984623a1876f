//! Datagrams.

use std::io::ErrorKind;
use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::socket::{Socket, ip};
use crate::host::{Host, Result};

/// No datagram is larger.
pub(crate) const MAX_DATAGRAM: usize = 65535;

impl Socket {
    /// From now on exchanges datagrams with one address only, or with any if there is none.
    /// Nothing is sent.
    pub(crate) fn associate(&self, host: &Host, remote: Option<SocketAddr>) -> Result {
        let socket = self.using(host)?;
        let Some(remote) = remote else {
            return match rustix::net::connect_unspec(socket) {
                // So the BSDs say that it is done.
                #[cfg(target_vendor = "apple")]
                Err(Errno::INVAL | Errno::AFNOSUPPORT) => Ok(()),
                result => Ok(result?),
            };
        };
        match rustix::net::connect(socket, &remote) {
            // Linux does not change by itself to the interface that leads there.
            Err(Errno::INVAL) => {
                self.associate(host, None)?;
                rustix::net::connect(socket, &remote)?;
            }
            Err(Errno::AFNOSUPPORT) => return Err(ErrorKind::InvalidInput.into()),
            result => result?,
        }
        Ok(())
    }

    /// Receives a datagram into the buffer, and says how long it is and whose.
    /// `WouldBlock` when there is none yet.
    pub(crate) fn receive_from(
        &self,
        host: &Host,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr)> {
        let socket = self.using(host)?;
        loop {
            match rustix::net::recvfrom(socket, &mut *buffer, RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok((len, _, address)) => {
                    return Ok((len, ip(address.ok_or(ErrorKind::NotConnected)?)?));
                }
            }
        }
    }

    /// Sends a datagram, to the address the socket is associated with if none is given.
    /// `WouldBlock` when that is not possible yet.
    pub(crate) fn send_to(&self, host: &Host, bytes: &[u8], remote: Option<SocketAddr>) -> Result {
        let socket = self.using(host)?;
        loop {
            let sent = match remote {
                Some(remote) => rustix::net::sendto(socket, bytes, SendFlags::empty(), &remote),
                None => rustix::net::send(socket, bytes, SendFlags::empty()),
            };
            match sent {
                Err(Errno::INTR) => {}
                result => return Ok(result.map(drop)?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Family;
    use super::super::socket::{Kind, Purpose};
    use super::super::tcp::would_block;
    use super::*;
    use crate::Capabilities;
    use crate::host::poll::{self, Direction};
    use crate::host::sys::AsFd;
    use std::net::Ipv4Addr;

    fn udp(host: &Host) -> (Socket, SocketAddr) {
        let socket = Socket::new(host, Kind::Datagram, Family::V4, Purpose::Guest).unwrap();
        socket.bind(host, Kind::Datagram, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = socket.local(host).unwrap();
        (socket, address)
    }

    #[test]
    fn datagrams_keep_their_borders() {
        let host = Host::new(Capabilities::NET);
        let ((one, from), (other, to)) = (udp(&host), udp(&host));
        let mut buffer = [0; 64];
        assert!(would_block(&other.receive_from(&host, &mut buffer).unwrap_err()));
        for message in [&b"first"[..], b"", b"third"] {
            one.send_to(&host, message, Some(to)).unwrap();
        }
        for message in [&b"first"[..], b"", b"third"] {
            poll::wait_ready(&host, other.as_fd(), Direction::Read).unwrap();
            let (len, whose) = other.receive_from(&host, &mut buffer).unwrap();
            assert_eq!((&buffer[..len], whose), (message, from));
        }
        one.associate(&host, Some(to)).unwrap();
        assert_eq!(one.remote(&host).unwrap(), to);
        one.send_to(&host, b"there", None).unwrap();
        poll::wait_ready(&host, other.as_fd(), Direction::Read).unwrap();
        assert_eq!(other.receive_from(&host, &mut buffer).unwrap().0, 5);
        one.associate(&host, None).unwrap();
        assert!(one.remote(&host).is_err() && one.send_to(&host, b"where", None).is_err());
        let long = vec![0; MAX_DATAGRAM];
        assert!(one.send_to(&host, &long, Some(to)).is_err());
    }
}
