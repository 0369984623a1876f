//! What bytes go through: a connection as it is, or one with TLS.

use std::sync::Arc;

use super::error::Error;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::host::net::socket::Socket;
use crate::host::poll::{Direction, Need};
use crate::host::{Host, Result};

/// A connection that is open.
pub(super) enum Transport {
    Plain(Arc<Socket>),
    #[cfg(feature = "tls")]
    Tls(Box<Tls>),
}

impl Transport {
    /// Begins to talk TLS with a host of this name.
    #[cfg(feature = "tls")]
    pub(super) fn secure(socket: Arc<Socket>, name: &str) -> std::result::Result<Transport, Error> {
        Ok(Transport::Tls(Box::new(Tls::new(socket, name)?)))
    }

    /// The same, which this build can not.
    #[cfg(not(feature = "tls"))]
    pub(super) fn secure(_: Arc<Socket>, _: &str) -> std::result::Result<Transport, Error> {
        Err(no_tls())
    }

    /// Comes to terms with the other side. `WouldBlock` until that is done.
    pub(super) fn agree(&mut self, host: &Host) -> Result {
        match self {
            Transport::Plain(_) => {
                let _ = host;
                Ok(())
            }
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.agree(host),
        }
    }

    /// Sends what was to be sent before, as far as that is possible.
    pub(super) fn flush(&mut self, host: &Host) -> Result {
        match self {
            Transport::Plain(_) => {
                let _ = host;
                Ok(())
            }
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.flush(host),
        }
    }

    /// Receives what there is; 0 at the end. `WouldBlock` when there is nothing yet.
    pub(super) fn receive(&mut self, host: &Host, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Transport::Plain(socket) => socket.receive(host, buffer),
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.receive(host, buffer),
        }
    }

    /// Sends what can be sent. `WouldBlock` when that is nothing.
    pub(super) fn send(&mut self, host: &Host, bytes: &[u8]) -> Result<usize> {
        match self {
            Transport::Plain(socket) => socket.send(host, bytes),
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.send(host, bytes),
        }
    }

    /// What receiving or sending waits for.
    pub(super) fn needs(&self, receive: bool, send: bool, needs: &mut Vec<Need>) {
        let (socket, receive, send) = match self {
            Transport::Plain(socket) => (socket, receive, send),
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.needs(receive, send),
        };
        if receive {
            needs.push(Need::Socket(socket.clone(), Direction::Read));
        }
        if send {
            needs.push(Need::Socket(socket.clone(), Direction::Write));
        }
    }
}

/// That TLS is not built in.
#[cfg(not(feature = "tls"))]
pub(super) fn no_tls() -> Error {
    Error::Other(String::from("this build can not do 'https': it is without the feature 'tls'"))
}
