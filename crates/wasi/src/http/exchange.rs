//! One request and its response over a connection of their own.
//!
//! An exchange does what can be done without waiting whenever somebody asks it for
//! something: it looks the name up, connects, sends what there is to be sent and receives
//! what is wanted. In the end it says what it waits for. The two directions are
//! independent: a response may come before the request is whole, and a request whose
//! body nobody wants any more may still have a response.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::body::{End, Outlet};
use super::decode::{Decoder, Next, Received, TooLong};
use super::error::Error;
use super::fields::Fields;
use super::flow::{Flow, Piece, Trailers, Want};
use super::request::{Length, Method, Request, Scheme};
use super::response::{self, Response};
use super::transport::Transport;
use super::{ATTEMPT, DEFAULT_TIMEOUT, MAX_ADDRESSES, MAX_PROVISIONAL, MAX_SECTION, RECEIVE, SKIP};
use crate::Capabilities;
use crate::host::background::{self, Task};
use crate::host::budget::{Budget, Share};
use crate::host::clocks::Clock;
use crate::host::net::address::Family;
use crate::host::net::domain::HostName;
use crate::host::net::lookup::Lookup;
use crate::host::net::socket::{Kind, Purpose, Socket};
use crate::host::net::tcp::would_block;
use crate::host::poll::{Direction, Need};
use crate::host::{Failure, Host, Result, sys};

/// How long things may take, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// To connect.
    pub connect: u64,
    /// To receive the head of the response.
    pub first_byte: u64,
    /// To receive the next piece of its body.
    pub between_bytes: u64,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        let time = DEFAULT_TIMEOUT;
        Timeouts { connect: time, first_byte: time, between_bytes: time }
    }
}

/// An exchange.
pub(crate) struct Exchange(Mutex<Inner>);

struct Inner {
    stage: Stage,
    /// When the present stage has to be over.
    deadline: u64,
    timeouts: Timeouts,
    /// Bytes to be sent.
    out: VecDeque<u8>,
    sending: Sending,
    /// Whether nothing is sent any more although something is left.
    lost: bool,
    outlet: Option<Arc<Outlet>>,
    /// Whether somebody waits for the response, so that more of the body may not come
    /// before it.
    awaited: bool,
    received: Received,
    receiving: Receiving,
    /// The response, until it is taken.
    response: Option<Response>,
    method: Method,
    budget: Budget,
    _share: Share,
}

enum Stage {
    LookUp(Lookup),
    Connect(Attempt),
    /// Coming to terms.
    Agree(Transport),
    Open(Transport),
    Closed,
}

/// An attempt to connect.
struct Attempt {
    socket: Arc<Socket>,
    /// When the next address is tried.
    until: u64,
    /// Those that are left.
    rest: VecDeque<SocketAddr>,
}

enum Sending {
    /// The head, when it is known how long the body is.
    Head(Request),
    Body {
        chunked: bool,
    },
    Done,
}

enum Receiving {
    /// The head, after so many that are provisional.
    Head(u32),
    Body(Decoder),
    Done(Option<Fields>),
    Failed(Error),
}

fn now() -> u64 {
    sys::now(Clock::Monotonic)
}

impl Exchange {
    /// Begins an exchange.
    pub(crate) fn start(
        host: &Host,
        request: Request,
        outlet: Option<Arc<Outlet>>,
        timeouts: Timeouts,
    ) -> std::result::Result<Arc<Exchange>, Error> {
        host.require(Capabilities::HTTP).map_err(|_| Error::Denied)?;
        request.check()?;
        let said = request.headers.content_length();
        if outlet.is_none() && said.is_some_and(|length| length > 0) {
            return Err(Error::RequestBodySize(0));
        }
        #[cfg(not(feature = "tls"))]
        if request.scheme == Scheme::Https {
            return Err(super::transport::no_tls());
        }
        let name = HostName::parse(request.authority.host()).ok_or(Error::Target)?;
        let share = host.budget.take(2 * MAX_SECTION).ok_or(Error::TooMany)?;
        let lookup = host.network.resolver.look_up(host, &name, Purpose::Http);
        let lookup = lookup.map_err(|failure| match failure {
            Failure::System(error) => Error::Lookup(error.to_string()),
            Failure::Refused | Failure::Interrupted => Error::Denied,
        })?;
        let exchange = Arc::new_cyclic(|exchange: &Weak<Exchange>| {
            if let Some(outlet) = &outlet {
                outlet.connect(exchange.clone());
            }
            Exchange(Mutex::new(Inner {
                stage: Stage::LookUp(lookup),
                deadline: now().saturating_add(timeouts.connect),
                timeouts,
                out: VecDeque::new(),
                method: request.method.clone(),
                sending: Sending::Head(request),
                lost: false,
                outlet,
                awaited: false,
                received: Received::default(),
                receiving: Receiving::Head(0),
                response: None,
                budget: host.budget.clone(),
                _share: share,
            }))
        });
        background::add(host, &exchange);
        Ok(exchange)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The response, or why there is none; none if it has to be waited for. A response is
    /// given once.
    pub(crate) fn response(
        &self,
        host: &Host,
    ) -> Result<Option<std::result::Result<Response, Error>>> {
        let mut inner = self.lock();
        inner.look_for_head(host)?;
        Ok(match (inner.response.take(), &inner.receiving) {
            (Some(response), _) => Some(Ok(response)),
            (None, Receiving::Failed(error)) => Some(Err(error.clone())),
            (None, _) => None,
        })
    }
}

impl Flow for Exchange {
    fn push(&self, host: &Host) -> Result {
        self.lock().push(host)
    }

    fn read(&self, host: &Host, len: usize) -> Result<Piece> {
        let mut inner = self.lock();
        Ok(match inner.look_for_body(host)? {
            Next::Bytes(there) => Piece::Bytes(inner.take(there.min(len)).to_vec()),
            Next::More => Piece::Later,
            Next::End => match &inner.receiving {
                Receiving::Failed(error) => Piece::Failed(error.clone()),
                _ => Piece::End,
            },
        })
    }

    fn trailers(&self, host: &Host) -> Result<Trailers> {
        let mut inner = self.lock();
        if inner.look_for_end(host)? != Next::End {
            return Ok(None);
        }
        Ok(Some(match &mut inner.receiving {
            Receiving::Failed(error) => Err(error.clone()),
            Receiving::Done(trailers) => Ok(trailers.take()),
            Receiving::Head(_) | Receiving::Body(_) => Ok(None),
        }))
    }

    fn sent(&self) -> Option<std::result::Result<(), Error>> {
        let inner = self.lock();
        match (inner.lost, &inner.receiving) {
            (true, Receiving::Failed(error)) => Some(Err(error.clone())),
            (true, Receiving::Head(_) | Receiving::Body(_) | Receiving::Done(_)) => {
                Some(Err(Error::Terminated))
            }
            (false, _) => inner.is_sent().then_some(Ok(())),
        }
    }

    fn is_ready(&self, host: &Host, want: Want, needs: &mut Vec<Need>) -> Result<bool> {
        let mut inner = self.lock();
        let ready = match want {
            Want::Send => {
                inner.push(host)?;
                false
            }
            Want::Head => {
                inner.look_for_head(host)?;
                inner.response.is_some() || !matches!(inner.receiving, Receiving::Head(_))
            }
            Want::Body => inner.look_for_body(host)? != Next::More,
            Want::End => match inner.look_for_end(host)? {
                Next::End => true,
                Next::More => false,
                Next::Bytes(_) => {
                    // There may be no end to it, so others have a turn.
                    needs.push(Need::Until(0));
                    return Ok(false);
                }
            },
        };
        if !ready {
            inner.needs(want, needs);
        }
        Ok(ready)
    }
}

impl Inner {
    /// Gives up.
    fn fail(&mut self, error: Error) {
        self.stage = Stage::Closed;
        self.received.clear();
        if !matches!(self.receiving, Receiving::Done(_)) {
            self.receiving = Receiving::Failed(error);
        }
        self.sent();
    }

    /// Sends nothing any more.
    fn sent(&mut self) {
        self.lost |= !self.is_sent();
        self.out = VecDeque::new();
        self.sending = Sending::Done;
        if let Some(outlet) = self.outlet.take() {
            outlet.close();
        }
    }

    /// Whether there is nothing left to be sent.
    fn is_sent(&self) -> bool {
        matches!(self.sending, Sending::Done) && self.out.is_empty()
    }

    /// Closes the connection when it has served its purpose.
    fn close_if_done(&mut self) {
        if matches!(self.receiving, Receiving::Done(_)) && self.is_sent() {
            self.stage = Stage::Closed;
        }
    }

    /// Comes as close to an open connection as it can; whether there is one.
    fn open(&mut self, host: &Host) -> Result<bool> {
        loop {
            let late = now() >= self.deadline;
            match &mut self.stage {
                Stage::Closed => return Ok(false),
                Stage::Open(_) => return Ok(true),
                Stage::LookUp(lookup) => {
                    let port = match &self.sending {
                        Sending::Head(request) => request.authority.port(request.scheme),
                        Sending::Body { .. } | Sending::Done => 0,
                    };
                    match lookup.addresses() {
                        None if late => self.fail(Error::LookupTimeout),
                        None => return Ok(false),
                        Some(Err(error)) => self.fail(Error::Lookup(error.to_string())),
                        Some(Ok(addresses)) => {
                            let addresses = addresses.iter().take(MAX_ADDRESSES);
                            let rest = addresses.map(|ip| SocketAddr::new(*ip, port)).collect();
                            self.connect(host, rest, Error::Lookup(String::from("it has none")))?;
                        }
                    }
                }
                Stage::Connect(attempt) => {
                    let over = now() >= attempt.until && !attempt.rest.is_empty();
                    let error = match attempt.socket.finish_connect(host) {
                        Ok(()) => {
                            let socket = attempt.socket.clone();
                            self.agree(host, socket);
                            continue;
                        }
                        Err(failure) if would_block(&failure) => match (late, over) {
                            (true, _) => return Ok(self.late(Error::ConnectTimeout)),
                            (false, true) => Error::ConnectTimeout,
                            (false, false) => return Ok(false),
                        },
                        Err(Failure::System(error)) => Error::connecting(&error),
                        Err(failure) => return Err(failure),
                    };
                    let rest = std::mem::take(&mut attempt.rest);
                    self.connect(host, rest, error)?;
                }
                Stage::Agree(transport) => match transport.agree(host) {
                    Ok(()) => {
                        self.deadline = now().saturating_add(self.timeouts.first_byte);
                        if let Stage::Agree(transport) =
                            std::mem::replace(&mut self.stage, Stage::Closed)
                        {
                            self.stage = Stage::Open(transport);
                        }
                    }
                    Err(failure) if would_block(&failure) => match late {
                        true => self.fail(Error::ConnectTimeout),
                        false => return Ok(false),
                    },
                    Err(Failure::System(error)) => self.fail(Error::transmitting(error)),
                    Err(failure) => return Err(failure),
                },
            }
        }
    }

    fn late(&mut self, error: Error) -> bool {
        self.fail(error);
        false
    }

    /// Tries the next address; without one, the error is what there is to say.
    fn connect(&mut self, host: &Host, mut rest: VecDeque<SocketAddr>, error: Error) -> Result {
        let mut error = error;
        while let Some(address) = rest.pop_front() {
            let family = Family::of(address);
            let start = || {
                let socket = Socket::new(host, Kind::Stream, family, Purpose::Http)?;
                socket.start_connect(host, address)?;
                Ok(socket)
            };
            match start() {
                Ok(socket) => {
                    let until = now().saturating_add(ATTEMPT);
                    let socket = Arc::new(socket);
                    self.stage = Stage::Connect(Attempt { socket, until, rest });
                    return Ok(());
                }
                Err(Failure::System(failure)) => error = Error::connecting(&failure),
                Err(failure) => return Err(failure),
            }
        }
        self.fail(error);
        Ok(())
    }

    /// Begins to come to terms with whom it is connected to.
    fn agree(&mut self, host: &Host, socket: Arc<Socket>) {
        // What is sent is gathered here.
        let _ = socket.set_no_delay(host);
        let transport = match &self.sending {
            Sending::Head(request) if request.scheme == Scheme::Https => {
                Transport::secure(socket, request.authority.host())
            }
            Sending::Head(_) | Sending::Body { .. } | Sending::Done => Ok(Transport::Plain(socket)),
        };
        match transport {
            Ok(transport) => self.stage = Stage::Agree(transport),
            Err(error) => self.fail(error),
        }
    }

    /// Sends what can be sent.
    fn push(&mut self, host: &Host) -> Result {
        if !self.open(host)? {
            return Ok(());
        }
        loop {
            let empty = self.out.is_empty() && !self.refill();
            let Stage::Open(transport) = &mut self.stage else { break };
            let sent = match empty {
                true => transport.flush(host).map(|()| 0),
                false => transport.send(host, self.out.as_slices().0),
            };
            match sent {
                Ok(_) if empty => break,
                Ok(sent) => drop(self.out.drain(..sent)),
                Err(failure) if would_block(&failure) => break,
                // There may be a response all the same.
                Err(Failure::System(_)) => self.sent(),
                Err(failure) => return Err(failure),
            }
        }
        self.close_if_done();
        Ok(())
    }

    /// Finds more to be sent; whether there is any.
    fn refill(&mut self) -> bool {
        let aborted = |_, end: &End| matches!(end, End::Aborted);
        if self.outlet.as_ref().is_some_and(|outlet| outlet.look(aborted)) {
            // The other side learns of it, too: the request breaks off.
            self.fail(Error::Protocol);
            return false;
        }
        let next = match &self.sending {
            Sending::Done => return false,
            Sending::Head(request) => {
                let Some(length) = self.length() else { return false };
                self.out = request.head(length).into();
                match length {
                    Length::None => None,
                    Length::Known(_) => Some(Sending::Body { chunked: false }),
                    Length::Chunked => Some(Sending::Body { chunked: true }),
                }
            }
            Sending::Body { chunked } => match self.outlet.as_ref().map(|outlet| outlet.take()) {
                Some(bytes) if !bytes.is_empty() => {
                    self.out = frame(bytes, *chunked);
                    return true;
                }
                _ => {
                    let trailers = |_, end: &End| match end {
                        End::Finished(trailers) => Some(trailers.clone()),
                        End::Open | End::Aborted | End::Gone => None,
                    };
                    let trailers = self.outlet.as_ref().and_then(|outlet| outlet.look(trailers));
                    let Some(trailers) = trailers else { return false };
                    if *chunked {
                        self.out = last_chunk(trailers.as_ref()).into();
                    }
                    None
                }
            },
        };
        match next {
            Some(sending) => self.sending = sending,
            None => {
                self.sending = Sending::Done;
                if let Some(outlet) = self.outlet.take() {
                    outlet.close();
                }
            }
        }
        !self.out.is_empty()
    }

    /// How long the body is, if that is known by now: if it is short and finished, exactly.
    fn length(&self) -> Option<Length> {
        let Some(outlet) = &self.outlet else { return Some(Length::None) };
        if let Some(length) = outlet.length() {
            return Some(Length::Known(length));
        }
        outlet.look(|there, end| match end {
            End::Finished(None) if there == 0 => Some(Length::None),
            End::Finished(None) => Some(Length::Known(there as u64)),
            End::Finished(Some(_)) => Some(Length::Chunked),
            End::Open if there > 0 => Some(Length::Chunked),
            // Requests to get something do not have a body as a rule.
            End::Open if self.awaited => match self.method.name() {
                "GET" | "HEAD" if !outlet.is_promised() => Some(Length::None),
                _ => Some(Length::Chunked),
            },
            End::Open => None,
            End::Aborted | End::Gone => Some(Length::Chunked),
        })
    }

    /// Receives something; whether it did.
    fn receive(&mut self, host: &Host) -> Result<bool> {
        let Stage::Open(transport) = &mut self.stage else { return Ok(false) };
        let mut buffer = [0; RECEIVE];
        match transport.receive(host, &mut buffer) {
            Ok(0) => self.received.ended = true,
            Ok(len) => {
                self.received.push(&buffer[..len]);
                if matches!(self.receiving, Receiving::Body(_)) {
                    self.deadline = now().saturating_add(self.timeouts.between_bytes);
                }
            }
            Err(failure) if would_block(&failure) => {
                if now() >= self.deadline {
                    self.fail(Error::ReadTimeout);
                }
                return Ok(false);
            }
            Err(Failure::System(error)) => {
                self.fail(Error::transmitting(error));
                return Ok(false);
            }
            Err(failure) => return Err(failure),
        }
        Ok(true)
    }

    /// Receives as much of the head as there is.
    fn look_for_head(&mut self, host: &Host) -> Result {
        self.awaited = true;
        self.push(host)?;
        while let Receiving::Head(provisional) = self.receiving {
            let ended = self.received.ended;
            let head = match self.received.section(MAX_SECTION) {
                Ok(Some(head)) => head,
                Ok(None) if ended => {
                    let nothing = self.received.bytes().is_empty() && provisional == 0;
                    self.fail(if nothing { Error::Terminated } else { Error::Incomplete });
                    break;
                }
                Ok(None) => match self.receive(host)? {
                    true => continue,
                    false => break,
                },
                Err(TooLong) => {
                    self.fail(Error::HeadSize(MAX_SECTION as u32));
                    break;
                }
            };
            match response::parse(head, &self.method, &self.budget) {
                Ok((response, framing)) => match response.status {
                    // Nobody asked to talk anything else.
                    101 => self.fail(Error::Protocol),
                    100..=199 if provisional >= MAX_PROVISIONAL => self.fail(Error::Protocol),
                    100..=199 => self.receiving = Receiving::Head(provisional + 1),
                    _ => {
                        self.response = Some(response);
                        self.receiving = Receiving::Body(Decoder::new(framing));
                        self.deadline = now().saturating_add(self.timeouts.between_bytes);
                    }
                },
                Err(error) => self.fail(error),
            }
        }
        Ok(())
    }

    /// Receives some of the body unless there is some.
    fn look_for_body(&mut self, host: &Host) -> Result<Next> {
        self.push(host)?;
        loop {
            let Receiving::Body(decoder) = &mut self.receiving else { return Ok(Next::End) };
            match decoder.next(&mut self.received, &self.budget) {
                Ok(Next::Bytes(there)) => return Ok(Next::Bytes(there)),
                Ok(Next::More) => {
                    if !self.receive(host)? && matches!(self.receiving, Receiving::Body(_)) {
                        return Ok(Next::More);
                    }
                }
                Ok(Next::End) => {
                    self.receiving = Receiving::Done(decoder.trailers());
                    self.received.clear();
                    self.close_if_done();
                }
                Err(error) => self.fail(error),
            }
        }
    }

    /// Skips some of the body, to its end if there is one.
    fn look_for_end(&mut self, host: &Host) -> Result<Next> {
        let mut left = SKIP;
        loop {
            match self.look_for_body(host)? {
                Next::Bytes(there) if there <= left => {
                    self.take(there);
                    left -= there;
                }
                next => return Ok(next),
            }
        }
    }

    /// Takes bytes of the body, which are there.
    fn take(&mut self, len: usize) -> &[u8] {
        if let Receiving::Body(decoder) = &mut self.receiving {
            decoder.took(len);
        }
        self.received.take(len)
    }

    /// What it waits for.
    fn needs(&self, want: Want, needs: &mut Vec<Need>) {
        // What only has to go out has no time by which it must.
        let deadline = |needs: &mut Vec<Need>, moment| {
            if want != Want::Send {
                needs.push(Need::Until(moment));
            }
        };
        match &self.stage {
            Stage::Closed => {}
            Stage::LookUp(lookup) => {
                needs.push(Need::Lookup(lookup.clone()));
                deadline(needs, self.deadline);
            }
            Stage::Connect(attempt) => {
                needs.push(Need::Socket(attempt.socket.clone(), Direction::Write));
                let next = if attempt.rest.is_empty() { self.deadline } else { attempt.until };
                needs.push(Need::Until(next.min(self.deadline)));
            }
            Stage::Agree(transport) => {
                transport.needs(true, false, needs);
                deadline(needs, self.deadline);
            }
            Stage::Open(transport) => {
                transport.needs(want != Want::Send, !self.out.is_empty(), needs);
                deadline(needs, self.deadline);
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.sent();
    }
}

/// Bytes of a body as they are sent.
fn frame(bytes: Vec<u8>, chunked: bool) -> VecDeque<u8> {
    if !chunked {
        return bytes.into();
    }
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(&bytes);
    framed.extend_from_slice(b"\r\n");
    framed.into()
}

/// The end of a body in chunks.
fn last_chunk(trailers: Option<&Fields>) -> Vec<u8> {
    let mut out = b"0\r\n".to_vec();
    if let Some(trailers) = trailers {
        trailers.write(&mut out, true);
    }
    out.extend_from_slice(b"\r\n");
    out
}

impl Task for Exchange {
    fn go_on(&self, host: &Host, needs: &mut Vec<Need>) -> Result<bool> {
        self.is_ready(host, Want::Send, needs)?;
        let inner = self.lock();
        Ok(!matches!(inner.stage, Stage::Closed))
    }
}
