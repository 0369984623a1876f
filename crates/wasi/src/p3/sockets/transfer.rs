//! What goes on at a TCP socket beside the guest: its connections come in through a stream,
//! and its bytes go and come through streams.
//!
//! Nothing is read ahead: what comes is received when the guest reads. That it does shows
//! in a write of nothing, which is done when the other end is read.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use zwasm::Result;
use zwasm_component::{FutureWriter, Resource, StreamReader, StreamWriter};

use super::error::ErrorCode;
use super::tcp::{Tcp, TcpSocket};
use super::wait_for;
use crate::host::Failure;
use crate::host::net::tcp::would_block;
use crate::host::poll::Direction;
use crate::p2::sockets::Place;
use crate::p2::table::Failed;
use crate::p3::pump::{self, resolve};
use crate::p3::reactor::Waiting;
use crate::p3::table::Store;

/// The bytes that are taken from a stream or a socket at once.
const CHUNK: usize = 64 << 10;

/// What a transfer ends with.
pub(super) type Ending = pump::Ending<ErrorCode>;

/// What the guest is told of a failure, unless it is stopped by it.
fn code(failure: Failure) -> Result<ErrorCode> {
    match Failed::from(failure) {
        Failed::With(code) => Ok(code),
        Failed::Stop(error) => Err(error),
    }
}

/// Sends what comes out of a stream.
pub(super) struct Sending {
    tcp: Arc<Tcp>,
    data: StreamReader<u8>,
    /// What was read, and how much of it was sent.
    bytes: Vec<u8>,
    sent: usize,
    ended: bool,
    writer: FutureWriter<Ending>,
    waiting: Waiting,
}

impl Sending {
    pub(super) fn new(
        tcp: Arc<Tcp>,
        data: StreamReader<u8>,
        writer: FutureWriter<Ending>,
    ) -> Sending {
        Sending {
            tcp,
            data,
            bytes: Vec::new(),
            sent: 0,
            ended: false,
            writer,
            waiting: Waiting::default(),
        }
    }

    pub(super) fn poll(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let state = store.view().ctx.0.clone();
        let ending = loop {
            if self.sent < self.bytes.len() {
                match self.tcp.socket.send(&state.host, &self.bytes[self.sent..]) {
                    Ok(sent) => self.sent += sent,
                    Err(failure) if would_block(&failure) => {
                        wait_for(&mut self.waiting, store, &self.tcp.socket, Direction::Write, cx);
                        return Poll::Pending;
                    }
                    Err(failure) => {
                        break Err(code(failure)?);
                    }
                }
            } else if self.ended {
                // Whom it would have told may be gone.
                let _ = self.tcp.socket.shutdown(&state.host, Shutdown::Write);
                break Ok(());
            } else {
                self.bytes.clear();
                self.sent = 0;
                let more = self.data.poll_read_in(store.access(), cx, &mut self.bytes, CHUNK);
                self.ended = !ready!(more)?;
            }
        };
        self.data.any().close_in(store.access())?;
        Poll::Ready(resolve(store, self.writer, ending))
    }
}

/// What is done next for a stream that a guest reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Finding out whether the guest reads.
    Ask,
    /// Taking something from the socket.
    Take,
    /// Giving it to the guest.
    Give,
}

impl Step {
    /// What comes after something, or nothing, was written into the stream.
    fn next(self, all_given: bool) -> Step {
        match self {
            Step::Ask | Step::Take => Step::Take,
            Step::Give if all_given => Step::Ask,
            Step::Give => Step::Give,
        }
    }
}

/// Receives into a stream.
pub(super) struct Receiving {
    tcp: Arc<Tcp>,
    data: StreamWriter<u8>,
    /// What was received and is not taken.
    bytes: VecDeque<u8>,
    step: Step,
    writer: FutureWriter<Ending>,
    waiting: Waiting,
}

impl Receiving {
    pub(super) fn new(
        tcp: Arc<Tcp>,
        data: StreamWriter<u8>,
        writer: FutureWriter<Ending>,
    ) -> Receiving {
        Receiving {
            tcp,
            data,
            bytes: VecDeque::new(),
            step: Step::Ask,
            writer,
            waiting: Waiting::default(),
        }
    }

    pub(super) fn poll(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let state = store.view().ctx.0.clone();
        let ending = loop {
            if self.step != Step::Take {
                if !ready!(self.data.poll_write_in(store.access(), cx, &mut self.bytes))? {
                    let _ = self.tcp.socket.shutdown(&state.host, Shutdown::Read);
                    break Ok(());
                }
                self.step = self.step.next(self.bytes.is_empty());
                continue;
            }
            let mut bytes = vec![0; CHUNK];
            match self.tcp.socket.receive(&state.host, &mut bytes) {
                Ok(0) => break Ok(()),
                Ok(received) => {
                    bytes.truncate(received);
                    (self.bytes, self.step) = (bytes.into(), Step::Give);
                }
                Err(failure) if would_block(&failure) => {
                    wait_for(&mut self.waiting, store, &self.tcp.socket, Direction::Read, cx);
                    ready!(self.data.poll_closed_in(store.access(), cx))?;
                    self.step = Step::Ask;
                }
                Err(failure) => break Err(code(failure)?),
            }
        };
        self.data.close_in(store.access())?;
        Poll::Ready(resolve(store, self.writer, ending))
    }
}

/// Accepts connections into a stream.
pub(super) struct Accepting {
    /// The socket, until nobody wants its connections any more.
    tcp: Option<Arc<Tcp>>,
    connections: StreamWriter<Resource<TcpSocket>>,
    /// What was accepted and is not taken.
    accepted: VecDeque<Resource<TcpSocket>>,
    step: Step,
    waiting: Waiting,
}

impl Accepting {
    pub(super) fn new(tcp: Arc<Tcp>, connections: StreamWriter<Resource<TcpSocket>>) -> Accepting {
        Accepting {
            tcp: Some(tcp),
            connections,
            accepted: VecDeque::new(),
            step: Step::Ask,
            waiting: Waiting::default(),
        }
    }

    pub(super) fn poll(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let state = store.view().ctx.0.clone();
        while let Some(tcp) = &self.tcp {
            if self.step != Step::Take {
                let taken = self.connections.poll_write_in(store.access(), cx, &mut self.accepted);
                if !ready!(taken)? {
                    break;
                }
                self.step = self.step.next(self.accepted.is_empty());
                continue;
            }
            match tcp.socket.accept(&state.host) {
                Ok(socket) => {
                    // One for which there is no place is closed at once.
                    let Ok(place) = Place::take(&state.host) else { continue };
                    let tcp = TcpSocket(Arc::new(Tcp::accepted(socket, place)));
                    self.accepted.push_back(store.view().push(tcp)?);
                    self.step = Step::Give;
                }
                Err(failure) if would_block(&failure) => {
                    wait_for(&mut self.waiting, store, &tcp.socket, Direction::Read, cx);
                    ready!(self.connections.poll_closed_in(store.access(), cx))?;
                    break;
                }
                // A connection that was gone before it was accepted.
                Err(Failure::System(error)) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(failure) => {
                    code(failure)?;
                    break;
                }
            }
        }
        for socket in self.accepted.drain(..) {
            drop(store.view().table.delete(socket)?);
        }
        self.release();
        Poll::Ready(self.connections.close_in(store.access()))
    }

    /// Lets go of the socket.
    fn release(&mut self) {
        (self.tcp, self.waiting) = (None, Waiting::default());
    }
}

/// What accepts connections, shared by the work that does and the list of all of them.
pub(super) struct Shared(Arc<Mutex<Accepting>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Accepting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that accept connections for a guest.
///
/// A guest that drops a stream of connections may bind another socket to the same address
/// at once, before the work that fills the stream gets to know of it.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Vec<Weak<Mutex<Accepting>>>>);

impl Listeners {
    fn list(&self) -> MutexGuard<'_, Vec<Weak<Mutex<Accepting>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, accepting: Accepting) -> Shared {
        let accepting = Arc::new(Mutex::new(accepting));
        let mut list = self.list();
        list.retain(|other| other.strong_count() > 0);
        list.push(Arc::downgrade(&accepting));
        Shared(accepting)
    }

    /// Lets go of the sockets whose connections nobody wants; whether there were any.
    pub(super) fn release(&self, store: &mut dyn Store) -> Result<bool> {
        let all: Vec<_> = self.list().iter().filter_map(Weak::upgrade).map(Shared).collect();
        let mut released = false;
        for accepting in all {
            let mut accepting = accepting.lock();
            if accepting.tcp.is_some() && accepting.connections.is_closed_in(store.access())? {
                accepting.release();
                released = true;
            }
        }
        Ok(released)
    }
}
