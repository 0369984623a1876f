//! A TCP socket: what it is at a time, and the streams of its connection.
//!
//! A stream takes what it permitted to be written, and what the system does not take at
//! once waits here. It goes out when the guest does anything with the stream, or waits for
//! anything; and before the guest has got rid of the stream.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zwasm::Error;

use super::network::ErrorCode;
use super::{Place, SocketAnswer};
use crate::ctx::State;
use crate::host::background::{self, Task};
use crate::host::net::socket::Socket;
use crate::host::net::tcp::would_block;
use crate::host::poll::{Direction, Need};
use crate::host::sys::AsFd;
use crate::host::{Failure, Host, Result};
use crate::p2::io::poll::{Interest, Source};
use crate::p2::io::streams::{Broken, Input, Output, Streamed};
use crate::p2::table::Failed;

/// The bytes that may be written at once, and wait to go out at most.
const PERMIT: usize = 16 << 10;

/// The connections that wait to be accepted, unless the guest says otherwise.
const BACKLOG: i32 = 128;

/// A socket.
pub(super) struct Tcp {
    pub(super) socket: Arc<Socket>,
    inner: Mutex<Inner>,
    _place: Place,
}

/// What a socket is at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Unbound,
    Bound,
    Listening,
    Connecting,
    Connected,
    /// Connecting failed, and nothing becomes of it any more.
    Closed(ErrorCode),
}

/// What was started and is to be finished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Bind,
    Connect,
    Listen,
}

/// What changes about a socket.
pub(super) struct Inner {
    pub(super) stage: Stage,
    pub(super) operation: Option<Operation>,
    pub(super) backlog: i32,
    /// Whether nothing is received any more.
    deaf: bool,
    /// How sending stands.
    sending: Sending,
    /// What may be written in the next call.
    permitted: usize,
    /// What was written and waits to go out.
    left: VecDeque<u8>,
    /// Whether it goes on when the guest waits for something else.
    in_background: bool,
}

/// How sending stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sending {
    Open,
    /// When what is left has gone out, it is closed.
    Closing,
    Closed,
}

impl Inner {
    /// That nothing else was started.
    pub(super) fn begin(&self) -> SocketAnswer {
        match self.operation {
            Some(_) => Err(Failed::With(ErrorCode::ConcurrencyConflict)),
            None => Ok(()),
        }
    }

    /// Finishes what was started.
    pub(super) fn finish(&mut self, operation: Operation) -> SocketAnswer {
        if self.operation != Some(operation) {
            return Err(Failed::With(ErrorCode::NotInProgress));
        }
        self.operation = None;
        Ok(())
    }

    /// Whether it accepts connections.
    pub(super) fn is_listening(&self) -> bool {
        matches!(self.stage, Stage::Listening) && self.operation.is_none()
    }
}

impl Tcp {
    pub(super) fn new(socket: Socket, stage: Stage, place: Place) -> Tcp {
        let inner = Inner {
            stage,
            operation: None,
            backlog: BACKLOG,
            deaf: false,
            sending: Sending::Open,
            permitted: 0,
            left: VecDeque::new(),
            in_background: false,
        };
        Tcp { socket: Arc::new(socket), inner: Mutex::new(inner), _place: place }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what is left, as far as that is possible now; whether nothing is left.
    fn push(&self, host: &Host, inner: &mut Inner) -> Result<bool> {
        while !inner.left.is_empty() {
            match self.socket.send(host, inner.left.as_slices().0) {
                Ok(sent) => drop(inner.left.drain(..sent)),
                Err(failure) if would_block(&failure) => return Ok(false),
                Err(failure) => {
                    // Nothing more can be sent; the guest is told once.
                    (inner.left, inner.sending) = (VecDeque::new(), Sending::Closed);
                    return Err(failure);
                }
            }
        }
        if inner.sending == Sending::Closing {
            inner.sending = Sending::Closed;
            // Whom it would have told may be gone.
            let _ = self.socket.shutdown(host, Shutdown::Write);
        }
        Ok(true)
    }

    /// Closes one way or both.
    pub(super) fn shutdown(&self, host: &Host, way: Shutdown) -> Result {
        let mut inner = self.lock();
        if way != Shutdown::Write && !std::mem::replace(&mut inner.deaf, true) {
            let _ = self.socket.shutdown(host, Shutdown::Read);
        }
        if way != Shutdown::Read && inner.sending == Sending::Open {
            inner.sending = Sending::Closing;
            let _ = self.push(host, &mut inner);
        }
        Ok(())
    }
}

impl Source for Tcp {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        let inner = self.lock();
        match inner.stage {
            Stage::Connecting => Interest::Descriptor(self.socket.as_fd(), Direction::Write),
            Stage::Listening if inner.is_listening() => {
                Interest::Descriptor(self.socket.as_fd(), Direction::Read)
            }
            Stage::Unbound
            | Stage::Bound
            | Stage::Listening
            | Stage::Connected
            | Stage::Closed(_) => Interest::Ready,
        }
    }
}

impl Task for Tcp {
    fn go_on(&self, host: &Host, needs: &mut Vec<Need>) -> Result<bool> {
        let mut inner = self.lock();
        match self.push(host, &mut inner) {
            Ok(false) => needs.push(Need::Socket(self.socket.clone(), Direction::Write)),
            Ok(true) | Err(Failure::System(_)) => inner.in_background = false,
            Err(failure) => return Err(failure),
        }
        Ok(inner.in_background)
    }
}

/// What comes through a connection.
pub(super) struct Receiver(pub(super) Arc<Tcp>);

impl Source for Receiver {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        match self.0.lock().deaf {
            true => Interest::Ready,
            false => Interest::Descriptor(self.0.socket.as_fd(), Direction::Read),
        }
    }
}

impl Input for Receiver {
    fn read(&self, state: &State, len: usize) -> Streamed<Vec<u8>> {
        if self.0.lock().deaf {
            return Err(Broken::Closed);
        }
        let mut bytes = vec![0; len];
        if len == 0 {
            return Ok(bytes);
        }
        match self.0.socket.receive(&state.host, &mut bytes) {
            Ok(received @ 1..) => {
                bytes.truncate(received);
                Ok(bytes)
            }
            Ok(0) => {
                self.0.lock().deaf = true;
                Err(Broken::Closed)
            }
            Err(failure) if would_block(&failure) => Ok(Vec::new()),
            Err(failure) => {
                self.0.lock().deaf = true;
                Err(failure.into())
            }
        }
    }
}

/// What goes through a connection.
pub(super) struct Sender(pub(super) Arc<Tcp>);

impl Sender {
    /// Sends what is left; whether nothing is.
    fn push(&self, state: &State, inner: &mut Inner) -> Streamed<bool> {
        if inner.sending == Sending::Closed {
            return Err(Broken::Closed);
        }
        let done = self.0.push(&state.host, inner).map_err(broken)?;
        if !done && !inner.in_background {
            inner.in_background = true;
            background::add(&state.host, &self.0);
        }
        Ok(done)
    }
}

/// What sending failed with. That nobody receives is the end of the stream.
fn broken(failure: Failure) -> Broken {
    match failure {
        Failure::System(error) if error.kind() == ErrorKind::BrokenPipe => Broken::Closed,
        failure => failure.into(),
    }
}

impl Source for Sender {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        let mut inner = self.0.lock();
        match inner.sending {
            // Failing is being ready, and is told to whoever asks what can be written.
            Sending::Open if inner.left.is_empty() => Interest::Ready,
            Sending::Closed => Interest::Ready,
            Sending::Open | Sending::Closing => match self.push(state, &mut inner) {
                Ok(false) => Interest::Progress(self.0.socket.as_fd(), Direction::Write),
                Ok(true) => Interest::Ready,
                Err(_) => Interest::Ready,
            },
        }
    }
}

impl Output for Sender {
    fn check_write(&self, state: &State) -> Streamed<usize> {
        let mut inner = self.0.lock();
        inner.permitted = 0;
        if self.push(state, &mut inner)? {
            if inner.sending != Sending::Open {
                return Err(Broken::Closed);
            }
            inner.permitted = PERMIT;
        }
        Ok(inner.permitted)
    }

    fn write(&self, state: &State, bytes: &[u8]) -> Streamed {
        let mut inner = self.0.lock();
        if inner.sending != Sending::Open {
            return Err(Broken::Closed);
        }
        let permitted = std::mem::take(&mut inner.permitted);
        if bytes.len() > permitted {
            let len = bytes.len();
            return Err(Broken::Stop(Error::msg(format!(
                "'write' was permitted {permitted} bytes, and not {len}"
            ))));
        }
        inner.left.extend(bytes);
        self.push(state, &mut inner).map(drop)
    }

    fn flush(&self, state: &State) -> Streamed {
        let mut inner = self.0.lock();
        inner.permitted = 0;
        self.push(state, &mut inner).map(drop)
    }

    fn close(&self, state: &State) -> Streamed<bool> {
        let mut inner = self.0.lock();
        Ok(inner.left.is_empty() || self.push(state, &mut inner)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::net::socket::{Kind, Purpose};
    use crate::p2::io::poll::{Moment, is_ready, wait, wait_for};
    use crate::{Capabilities, WasiCtx};
    use std::io::Read;
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::thread::{sleep, spawn};
    use std::time::Duration;

    fn context() -> WasiCtx {
        WasiCtx::builder().caps(Capabilities::NET | Capabilities::CLOCK).build()
    }

    /// A connection, and its other end.
    fn connection(state: &State) -> (Arc<Tcp>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let host = &state.host;
        let family = crate::host::net::address::Family::of(address);
        let socket = Socket::new(host, Kind::Stream, family, Purpose::Guest).unwrap();
        socket.set_send_buffer(host, 4096).unwrap();
        socket.start_connect(host, address).unwrap();
        let tcp = Tcp::new(socket, Stage::Connecting, Place::take(host).unwrap());
        wait(state, &[&tcp]).unwrap();
        tcp.socket.finish_connect(host).unwrap();
        tcp.lock().stage = Stage::Connected;
        (Arc::new(tcp), listener.accept().unwrap().0)
    }

    fn ok<T>(result: Streamed<T>) -> T {
        result.unwrap_or_else(|broken| panic!("{broken:?}"))
    }

    /// Writes until the system takes no more, and says how much that was.
    fn fill(state: &State, sender: &Sender) -> usize {
        let mut written = 0;
        loop {
            match ok(sender.check_write(state)) {
                0 => return written,
                permitted => {
                    assert!(permitted <= PERMIT);
                    ok(sender.write(state, &vec![b'x'; permitted]));
                    written += permitted;
                }
            }
            assert!(sender.0.lock().left.len() <= PERMIT);
        }
    }

    #[test]
    fn what_does_not_go_out_waits_and_holds_the_guest_back() {
        let context = context();
        let (tcp, mut peer) = connection(&context.0);
        let sender = Sender(tcp.clone());
        let written = fill(&context.0, &sender);
        assert!(!tcp.lock().left.is_empty() && !is_ready(&context.0, &sender).unwrap());
        // What was not permitted stops the guest, and so does writing twice.
        assert!(matches!(sender.write(&context.0, b"x"), Err(Broken::Stop(_))));
        let reader = spawn(move || {
            sleep(Duration::from_millis(20));
            let mut all = vec![0; written];
            peer.read_exact(&mut all).unwrap();
            peer
        });
        wait_for(&context.0, &sender).unwrap();
        while !tcp.lock().left.is_empty() {
            wait_for(&context.0, &sender).unwrap();
            ok(sender.check_write(&context.0));
        }
        reader.join().unwrap();
    }

    #[test]
    fn it_goes_out_while_the_guest_waits_for_something_else() {
        let context = context();
        let (tcp, mut peer) = connection(&context.0);
        let sender = Sender(tcp.clone());
        let written = fill(&context.0, &sender);
        // The end goes out behind it.
        tcp.shutdown(&context.0.host, Shutdown::Write).unwrap();
        assert!(matches!(sender.write(&context.0, b""), Err(Broken::Closed)));
        let reader = spawn(move || {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            all.len()
        });
        while !reader.is_finished() {
            let now = crate::host::sys::now(crate::host::clocks::Clock::Monotonic);
            wait(&context.0, &[&Moment(now + 1_000_000)]).unwrap();
        }
        assert_eq!(reader.join().unwrap(), written);
        assert!(matches!(sender.check_write(&context.0), Err(Broken::Closed)));
        assert!(!tcp.lock().in_background);
    }

    /// Closes a stream, waiting until that is done.
    fn close(state: &State, sender: &Sender) -> Streamed {
        while !sender.close(state)? {
            wait_for(state, sender)?;
        }
        Ok(())
    }

    #[test]
    fn a_stream_is_dropped_when_all_has_gone_out() {
        let context = context();
        let (tcp, mut peer) = connection(&context.0);
        let sender = Sender(tcp.clone());
        let written = fill(&context.0, &sender);
        let reader = spawn(move || {
            sleep(Duration::from_millis(20));
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            all.len()
        });
        ok(close(&context.0, &sender));
        assert!(tcp.lock().left.is_empty());
        drop((sender, tcp));
        assert_eq!(reader.join().unwrap(), written);
    }

    #[test]
    fn dropping_a_stream_is_interrupted() {
        let context = context();
        let handle = context.interrupt_handle().unwrap();
        let (tcp, _peer) = connection(&context.0);
        let sender = Sender(tcp);
        fill(&context.0, &sender);
        let interrupter = spawn(move || {
            sleep(Duration::from_millis(20));
            handle.interrupt();
        });
        assert!(matches!(close(&context.0, &sender), Err(Broken::Stop(_))));
        interrupter.join().unwrap();
    }

    #[test]
    fn a_peer_that_is_gone_ends_both_ways() {
        let context = context();
        let (tcp, peer) = connection(&context.0);
        let (receiver, sender) = (Receiver(tcp.clone()), Sender(tcp));
        assert!(ok(receiver.read(&context.0, 10)).is_empty());
        drop(peer);
        wait_for(&context.0, &receiver).unwrap();
        assert!(matches!(receiver.read(&context.0, 10), Err(Broken::Closed)));
        for _ in 0..1000 {
            let outcome = sender.check_write(&context.0);
            match outcome.and_then(|_| sender.write(&context.0, b"x")) {
                Ok(()) => sleep(Duration::from_millis(1)),
                Err(_) => {
                    assert!(matches!(sender.check_write(&context.0), Err(Broken::Closed)));
                    return;
                }
            }
        }
        panic!("nobody notices");
    }

    #[test]
    fn a_guest_has_only_so_many_sockets() {
        let context = context();
        let places: Vec<_> =
            std::iter::from_fn(|| Place::take(&context.0.host).ok()).take(100_000).collect();
        assert!(places.len() < 100_000);
        assert!(context.limit_reached().unwrap().contains("sockets"));
        drop(places);
        assert!(Place::take(&context.0.host).is_ok());
    }
}
