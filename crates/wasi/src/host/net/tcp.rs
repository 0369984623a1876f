//! Connections, made and accepted.

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};

use rustix::io::Errno;
use rustix::net::sockopt;

use super::socket::Socket;
use crate::host::poll::{self, Direction};
use crate::host::sys::{self, AsFd};
use crate::host::{Failure, Host, Result};

impl Socket {
    /// Begins to accept connections, and remembers so many that were not taken yet. If it
    /// does so already, it remembers another number from now on.
    pub(crate) fn listen(&self, host: &Host, backlog: i32) -> Result {
        Ok(rustix::net::listen(self.using(host)?, backlog)?)
    }

    /// Takes a connection, which has the options of this socket. `WouldBlock` when there
    /// is none.
    pub(crate) fn accept(&self, host: &Host) -> Result<Socket> {
        self.using(host)?;
        let fd = loop {
            match sys::accept(self.fd.as_fd()).map_err(std::io::Error::from) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(aborted(error).into()),
                Ok(fd) => break fd,
            }
        };
        let connection = Socket { fd, ..*self };
        sys::inherit(self, &connection)?;
        Ok(connection)
    }

    /// Begins to connect. That it is done is known when the socket can be written to; then
    /// [`finish_connect`](Self::finish_connect) tells how it ended.
    pub(crate) fn start_connect(&self, host: &Host, address: SocketAddr) -> Result {
        match rustix::net::connect(self.using(host)?, &address) {
            // Windows says that it would block.
            Ok(()) | Err(Errno::INPROGRESS | Errno::WOULDBLOCK | Errno::INTR) => Ok(()),
            // That there is no port to connect from, on Linux.
            Err(Errno::ADDRNOTAVAIL) => Err(std::io::Error::from(ErrorKind::AddrInUse).into()),
            Err(Errno::AFNOSUPPORT) => Err(std::io::Error::from(ErrorKind::InvalidInput).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// How connecting ended. `WouldBlock` when it did not yet.
    pub(crate) fn finish_connect(&self, host: &Host) -> Result {
        let socket = self.using(host)?;
        if !poll::is_ready(host, self.fd.as_fd(), Direction::Write)? {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(sockopt::socket_error(socket)??)
    }

    /// Has what is sent go out at once, even if it is little.
    pub(crate) fn set_no_delay(&self, host: &Host) -> Result {
        Ok(sockopt::set_tcp_nodelay(self.using(host)?, true)?)
    }

    /// Receives what there is; 0 at the end. `WouldBlock` when there is nothing yet.
    pub(crate) fn receive(&self, host: &Host, buffer: &mut [u8]) -> Result<usize> {
        self.using(host)?;
        loop {
            match sys::receive(self.fd.as_fd(), &mut [IoSliceMut::new(buffer)], false) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return Ok(result?),
            }
        }
    }

    /// Sends what can be sent. `WouldBlock` when that is nothing.
    pub(crate) fn send(&self, host: &Host, bytes: &[u8]) -> Result<usize> {
        self.using(host)?;
        loop {
            match sys::send(self.fd.as_fd(), &[IoSlice::new(bytes)]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return Ok(result?),
            }
        }
    }

    /// Ends receiving, sending or both.
    pub(crate) fn shutdown(&self, host: &Host, way: Shutdown) -> Result {
        self.using(host)?;
        Ok(sys::shutdown(self.fd.as_fd(), way)?)
    }
}

/// What accepting failed with. Linux reports errors of the connection itself, where others
/// say that it is gone.
fn aborted(error: std::io::Error) -> std::io::Error {
    match Errno::from_io_error(&error) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(
            Errno::CONNRESET
            | Errno::NETRESET
            | Errno::HOSTUNREACH
            | Errno::HOSTDOWN
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::PROTO
            | Errno::NOPROTOOPT
            | Errno::NONET
            | Errno::OPNOTSUPP,
        ) => ErrorKind::ConnectionAborted.into(),
        _ => error,
    }
}

/// Whether nothing is wrong but that it has to be waited for.
pub(crate) fn would_block(failure: &Failure) -> bool {
    matches!(failure, Failure::System(error) if error.kind() == ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::super::address::Family;
    use super::super::socket::{Kind, Purpose};
    use super::*;
    use crate::Capabilities;
    use std::net::Ipv4Addr;

    fn host() -> Host {
        Host::new(Capabilities::NET)
    }

    fn tcp(host: &Host) -> Socket {
        Socket::new(host, Kind::Stream, Family::V4, Purpose::Guest).unwrap()
    }

    fn listener(host: &Host) -> (Socket, SocketAddr) {
        let listener = tcp(host);
        listener.bind(host, Kind::Stream, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        listener.listen(host, 8).unwrap();
        let address = listener.local(host).unwrap();
        (listener, address)
    }

    #[test]
    fn a_connection_is_made_without_waiting() {
        let host = host();
        let (listener, address) = listener(&host);
        assert!(would_block(&listener.accept(&host).err().unwrap()));
        let client = tcp(&host);
        client.start_connect(&host, address).unwrap();
        poll::wait_ready(&host, client.as_fd(), Direction::Write).unwrap();
        client.finish_connect(&host).unwrap();
        poll::wait_ready(&host, listener.as_fd(), Direction::Read).unwrap();
        let server = listener.accept(&host).unwrap();
        assert_eq!(server.remote(&host).unwrap(), client.local(&host).unwrap());
        assert_eq!(client.remote(&host).unwrap(), address);
        let mut buffer = [0; 8];
        assert!(would_block(&server.receive(&host, &mut buffer).unwrap_err()));
        assert_eq!(client.send(&host, b"hello").unwrap(), 5);
        poll::wait_ready(&host, server.as_fd(), Direction::Read).unwrap();
        assert_eq!(server.receive(&host, &mut buffer).unwrap(), 5);
        client.shutdown(&host, Shutdown::Write).unwrap();
        poll::wait_ready(&host, server.as_fd(), Direction::Read).unwrap();
        assert_eq!(server.receive(&host, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn nobody_there_is_found_out_when_connecting_is_finished() {
        let host = host();
        let (gone, address) = listener(&host);
        drop(gone);
        let client = tcp(&host);
        client.start_connect(&host, address).unwrap();
        poll::wait_ready(&host, client.as_fd(), Direction::Write).unwrap();
        match client.finish_connect(&host) {
            Err(Failure::System(error)) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_purpose_has_its_capability() {
        let none = Host::new(Capabilities::default());
        let refused = |host: &Host, purpose| {
            Socket::new(host, Kind::Stream, Family::V4, purpose).err().map(|failure| {
                assert!(matches!(failure, Failure::Refused));
            })
        };
        assert!(refused(&none, Purpose::Guest).is_some());
        assert!(refused(&none, Purpose::Http).is_some());
        assert_eq!(none.refused(), Capabilities::NET | Capabilities::HTTP);
        let http = Host::new(Capabilities::HTTP);
        assert!(refused(&http, Purpose::Guest).is_some());
        let own = Socket::new(&http, Kind::Stream, Family::V4, Purpose::Http).unwrap();
        // What was made for one guest is of no use to another.
        assert!(own.local(&http).is_ok() && own.local(&none).is_err());
        assert!(own.receive(&none, &mut []).is_err() && own.send(&none, &[]).is_err());
    }
}
