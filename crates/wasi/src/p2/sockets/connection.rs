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
use crate::p2::io::poll::{Interest, Source, wait_for};
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
            return Err(Broken::Stop(Error::msg(format_args!(
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

    fn close(&self, state: &State) -> Streamed {
        loop {
            let mut inner = self.0.lock();
            if inner.left.is_empty() || self.push(state, &mut inner)? {
                return Ok(());
            }
            drop(inner);
            wait_for(state, self)?;
        }
    }
}
