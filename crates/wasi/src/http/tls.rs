//! TLS over a connection that never waits.
//!
//! The session keeps what it has to send and what it received and did not understand yet;
//! here bytes are moved between it and the socket as far as that is possible at the time.
//! Who the other side is is judged by the certificates of Mozilla's programme, which are
//! built in.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::BODY_BUFFER;
use super::error::Error;
use crate::host::net::socket::Socket;
use crate::host::{Failure, Host, Result};

/// A session over a connection.
pub(super) struct Tls {
    socket: Arc<Socket>,
    session: ClientConnection,
}

/// The socket for the session to read and write.
struct Raw<'a>(&'a Socket, &'a Host);

fn io_result<T>(result: Result<T>) -> io::Result<T> {
    result.map_err(|failure| match failure {
        Failure::System(error) => error,
        Failure::Refused | Failure::Interrupted => ErrorKind::PermissionDenied.into(),
    })
}

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        io_result(self.0.receive(self.1, buffer))
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io_result(self.0.send(self.1, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How sessions are made: once for all of them.
fn config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let make = || {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        with_roots(roots)
    };
    CONFIG.get_or_init(make).clone()
}

fn with_roots(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions);
    // The provider has ciphers for both.
    let builder = builder.expect("versions of TLS that the provider knows");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn error(error: rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::Certificate
        }
        rustls::Error::AlertReceived(alert) => {
            Error::Alert { id: alert.into(), message: format!("{alert:?}") }
        }
        _ => Error::Tls,
    }
}

impl Tls {
    /// Begins a session with a host of this name.
    pub(super) fn new(socket: Arc<Socket>, name: &str) -> std::result::Result<Tls, Error> {
        Tls::configured(socket, name, config())
    }

    fn configured(
        socket: Arc<Socket>,
        name: &str,
        config: Arc<ClientConfig>,
    ) -> std::result::Result<Tls, Error> {
        let name = ServerName::try_from(name.to_owned()).map_err(|_| Error::Target)?;
        let mut session = ClientConnection::new(config, name).map_err(error)?;
        session.set_buffer_limit(Some(BODY_BUFFER));
        Ok(Tls { socket, session })
    }

    /// Comes to terms with the other side.
    pub(super) fn agree(&mut self, host: &Host) -> Result {
        while self.session.is_handshaking() {
            self.flush(host)?;
            if self.session.is_handshaking() && !self.fill(host)? {
                return Err(io::Error::from(Error::Terminated).into());
            }
        }
        self.flush(host)
    }

    /// Receives something for the session; whether there was anything but the end.
    fn fill(&mut self, host: &Host) -> Result<bool> {
        let received = self.session.read_tls(&mut Raw(&self.socket, host))?;
        if let Err(failure) = self.session.process_new_packets() {
            // The other side is told what was wrong, if it listens.
            let _ = self.session.write_tls(&mut Raw(&self.socket, host));
            return Err(io::Error::from(error(failure)).into());
        }
        Ok(received > 0)
    }

    /// Sends what the session has to send. `WouldBlock` when that is not possible yet.
    pub(super) fn flush(&mut self, host: &Host) -> Result {
        while self.session.wants_write() {
            self.session.write_tls(&mut Raw(&self.socket, host))?;
        }
        Ok(())
    }

    pub(super) fn receive(&mut self, host: &Host, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Ok(received) => return Ok(received),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The connection ended and nobody said that it would.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(io::Error::from(Error::Incomplete).into());
                }
                Err(error) => return Err(error.into()),
            }
            self.fill(host)?;
        }
    }

    pub(super) fn send(&mut self, host: &Host, bytes: &[u8]) -> Result<usize> {
        let sent = self.session.writer().write(bytes)?;
        match self.flush(host) {
            Err(failure) if sent == 0 => return Err(failure),
            Err(Failure::System(error)) if error.kind() == ErrorKind::WouldBlock => {}
            result => result?,
        }
        if sent == 0 {
            // There is room now.
            return Ok(self.session.writer().write(bytes)?);
        }
        Ok(sent)
    }

    pub(super) fn needs(&self, receive: bool, send: bool) -> (&Arc<Socket>, bool, bool) {
        (&self.socket, receive, send || self.session.wants_write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capabilities;
    use crate::host::net::address::Family;
    use crate::host::net::socket::{Kind, Purpose};
    use crate::host::net::tcp::would_block;
    use crate::host::poll::{self, Direction};
    use crate::host::sys::AsFd;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection, Stream};
    use std::net::TcpListener;
    use std::thread::spawn;

    /// A certificate for `localhost` that nobody but itself has signed, and its key.
    const CERTIFICATE: &[u8] = include_bytes!("tls/localhost.pem");
    const KEY: &[u8] = include_bytes!("tls/localhost.key");

    /// Talks to a server that sends back what it gets, once.
    fn talk(name: &str, trusted: bool) -> std::result::Result<Vec<u8>, Error> {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let served = spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut session = ServerConnection::new(Arc::new(server)).unwrap();
            let mut stream = Stream::new(&mut session, &mut socket);
            let mut buffer = vec![0; 100_000];
            if stream.read_exact(&mut buffer).is_ok() {
                stream.write_all(&buffer).unwrap();
                session.send_close_notify();
                let _ = session.complete_io(&mut socket);
            }
        });

        let host = Host::new(Capabilities::HTTP);
        let socket = Socket::new(&host, Kind::Stream, Family::V4, Purpose::Http).unwrap();
        socket.start_connect(&host, address).unwrap();
        poll::wait_ready(&host, socket.as_fd(), Direction::Write).unwrap();
        let mut roots = RootCertStore::empty();
        if trusted {
            roots.add(certificate).unwrap();
        }
        let socket = Arc::new(socket);
        let mut tls = Tls::configured(socket.clone(), name, with_roots(roots))?;
        let mut patiently = |act: &mut dyn FnMut(&mut Tls) -> Result<usize>| loop {
            match act(&mut tls) {
                Ok(done) => return Ok(done),
                Err(failure) if would_block(&failure) => {
                    let (_, _, send) = tls.needs(true, false);
                    let direction = if send { Direction::Write } else { Direction::Read };
                    poll::wait_ready(&host, socket.as_fd(), direction).unwrap();
                }
                Err(Failure::System(error)) => return Err(Error::transmitting(error)),
                Err(failure) => panic!("{failure:?}"),
            }
        };
        patiently(&mut |tls| tls.agree(&host).map(|()| 0))?;
        let message: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let mut sent = 0;
        while sent < message.len() {
            sent += patiently(&mut |tls| tls.send(&host, &message[sent..]))?;
        }
        let mut answer = Vec::new();
        let mut buffer = [0; 5000];
        loop {
            match patiently(&mut |tls| tls.receive(&host, &mut buffer))? {
                0 => break,
                len => answer.extend_from_slice(&buffer[..len]),
            }
        }
        served.join().unwrap();
        assert!(answer == message);
        Ok(answer)
    }

    #[test]
    fn what_is_sent_in_secret_comes_back() {
        assert_eq!(talk("localhost", true).unwrap().len(), 100_000);
    }

    #[test]
    fn who_can_not_say_who_he_is_is_not_talked_to() {
        assert_eq!(talk("localhost", false), Err(Error::Certificate));
        assert_eq!(talk("example.com", true), Err(Error::Certificate));
        assert_eq!(talk("a b", true), Err(Error::Target));
    }
}
