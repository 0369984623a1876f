//! A request while a guest answers it: its body on the way in, the response on the way
//! out.
//!
//! What a guest writes is gathered until there is much of it, the guest waits for
//! something, or it is done: most responses are small and leave in one piece, with their
//! length in the head. A guest that goes on computing does not hold up what it has
//! written: a clock sends it a few milliseconds later ([`Connection::flush`]).

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::connection::{Connection, Inner, after, now};
use super::reply::{self, Frame, Sent};
use crate::host::poll::{Direction, Need};
use crate::host::{Host, Result};
use crate::http::BODY_BUFFER;
use crate::http::body::{End, Outlet};
use crate::http::decode::{Decoder, Next};
use crate::http::error::Error;
use crate::http::fields::Fields;
use crate::http::flow::{Flow, Piece, Trailers, Want};

/// The body of a request.
pub(super) enum Body {
    Open(Decoder),
    Done(Option<Fields>),
    Failed(Error),
    /// It has more bytes than it may.
    TooLarge,
}

/// The response to a request.
pub(super) enum Reply {
    /// There is none yet.
    None,
    /// The guest has given it. Nothing of it is sent.
    Given(Box<Given>),
    /// Its head is sent.
    Body {
        sent: Sent,
        outlet: Arc<Outlet>,
    },
    Done,
    /// It will never be whole.
    Broken,
}

/// A response without its body.
pub(super) struct Given {
    status: u16,
    headers: Fields,
    outlet: Option<Arc<Outlet>>,
}

/// How long a body is, as far as that is known.
enum Length {
    /// So many bytes. They are in the head, or are all there.
    Known(u64),
    /// Nobody knows yet.
    Open,
    /// It broke off before anything was sent.
    Broken,
}

impl Given {
    fn length(&self) -> Length {
        let Some(outlet) = &self.outlet else {
            return match self.headers.content_length() {
                Some(1..) => Length::Broken,
                Some(0) | None => Length::Known(0),
            };
        };
        let said = outlet.length();
        outlet.look(|there, end| match end {
            End::Aborted | End::Gone => Length::Broken,
            End::Finished(None) => Length::Known(said.unwrap_or(there as u64)),
            End::Open | End::Finished(Some(_)) => said.map_or(Length::Open, Length::Known),
        })
    }
}

impl Inner {
    /// Takes the response.
    fn respond(&mut self, status: u16, headers: Fields, outlet: Option<Arc<Outlet>>) {
        if matches!(self.reply, Reply::None) {
            self.reply = Reply::Given(Box::new(Given { status, headers, outlet }));
        }
    }

    /// Whether it is time to send what the guest has written.
    fn is_much(&self) -> bool {
        let outlet = match &self.reply {
            Reply::Given(given) => given.outlet.as_ref(),
            Reply::Body { outlet, .. } => Some(outlet),
            Reply::None | Reply::Done | Reply::Broken => None,
        };
        outlet.is_some_and(|outlet| outlet.look(|there, _| there >= BODY_BUFFER))
    }

    /// Sends what the guest has written.
    pub(super) fn push(&mut self) {
        loop {
            self.refill();
            if self.out.is_empty() {
                return;
            }
            match self.send() {
                Ok(()) => {}
                Err(ErrorKind::WouldBlock) => return,
                Err(_) => return self.break_off(),
            }
        }
    }

    /// The client gets nothing more.
    fn break_off(&mut self) {
        self.out.clear();
        if let Reply::Body { outlet, .. } = &self.reply {
            outlet.close();
        }
        if let Reply::Given(given) = &self.reply
            && let Some(outlet) = &given.outlet
        {
            outlet.close();
        }
        self.reply = Reply::Broken;
    }

    /// Ends the response as the guest has left it.
    pub(super) fn end_reply(&mut self) {
        match &self.reply {
            Reply::Given(given) => {
                if let Some(outlet) = &given.outlet {
                    outlet.abort();
                }
            }
            Reply::Body { outlet, .. } => outlet.abort(),
            Reply::None | Reply::Done | Reply::Broken => {}
        }
        // With its last bytes, as far as the buffers of the system take them.
        self.refill();
        while matches!(self.reply, Reply::Body { .. }) {
            let Reply::Body { outlet, .. } = &self.reply else { return };
            if outlet.look(|there, end| there == 0 && matches!(end, End::Aborted | End::Gone)) {
                let _ = self.send();
                return self.break_off();
            }
            self.refill_all();
        }
    }

    /// Makes what there is of a response bytes to be sent, unless there are many of these.
    fn refill(&mut self) {
        if self.out.len() < BODY_BUFFER {
            self.refill_all();
        }
    }

    fn refill_all(&mut self) {
        if matches!(self.reply, Reply::Given(_)) {
            self.write_head();
        }
        let Reply::Body { sent, outlet } = &self.reply else { return };
        let sent = *sent;
        let bytes = outlet.take();
        if !bytes.is_empty() && sent != Sent::None {
            self.sent += bytes.len() as u64;
            if sent == Sent::Chunked {
                let len = bytes.len();
                self.out.write(|out| out.extend_from_slice(format!("{len:x}\r\n").as_bytes()));
                self.out.push(bytes);
                self.out.write(|out| out.extend_from_slice(b"\r\n"));
            } else {
                self.out.push(bytes);
            }
        }
        let end = outlet.look(|there, end| match end {
            End::Finished(trailers) if there == 0 => Some(Some(trailers.clone())),
            End::Aborted if there == 0 => Some(None),
            End::Finished(_) | End::Aborted | End::Open | End::Gone => None,
        });
        match end {
            Some(Some(trailers)) => {
                outlet.close();
                if sent == Sent::Chunked {
                    self.out.write(|out| {
                        out.extend_from_slice(b"0\r\n");
                        if let Some(trailers) = &trailers {
                            trailers.write(out, true);
                        }
                        out.extend_from_slice(b"\r\n");
                    });
                }
                self.reply = Reply::Done;
            }
            Some(None) if sent == Sent::None => self.reply = Reply::Done,
            Some(None) | None => {}
        }
    }

    /// Writes the head of the response.
    fn write_head(&mut self) {
        let Reply::Given(given) = std::mem::replace(&mut self.reply, Reply::None) else { return };
        let bare = self.is_head || matches!(given.status, 204 | 304);
        let (said, sent) = match given.length() {
            Length::Known(0) if bare => (Sent::None, Sent::None),
            Length::Known(length) if self.is_head => (Sent::Known(length), Sent::None),
            _ if bare => (Sent::None, Sent::None),
            Length::Broken => return,
            Length::Known(length) => (Sent::Known(length), Sent::Known(length)),
            Length::Open if self.modern => (Sent::Chunked, Sent::Chunked),
            Length::Open => {
                self.keep = false;
                (Sent::Close, Sent::Close)
            }
        };
        self.status = given.status;
        // A body that the client was not told to send may come or not.
        self.keep &= !self.expects;
        let frame = Frame { sent: said, modern: self.modern, keep: self.keep };
        self.out.write(|out| reply::write(out, given.status, Some(&given.headers), frame));
        self.reply = match given.outlet {
            Some(outlet) => Reply::Body { sent, outlet },
            None => Reply::Done,
        };
    }

    /// Receives some of the body unless there is some.
    fn look_for_body(&mut self) -> Next {
        loop {
            let Body::Open(decoder) = &mut self.body else { return Next::End };
            match decoder.next(&mut self.received, &self.budget) {
                Ok(Next::Bytes(there)) if self.taken + there as u64 > self.limits.body => {
                    self.body = Body::TooLarge;
                    self.keep = false;
                }
                Ok(Next::Bytes(there)) => return Next::Bytes(there),
                Ok(Next::More) => {
                    if std::mem::take(&mut self.expects) && self.out.is_empty() {
                        self.out.write(|out| {
                            out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                        });
                        let _ = self.send();
                    }
                    if !self.receive() {
                        if now() < self.patience() {
                            return Next::More;
                        }
                        self.fail(Error::ReadTimeout);
                    }
                }
                Ok(Next::End) => self.body = Body::Done(decoder.trailers()),
                Err(Error::Incomplete) => self.fail(Error::Terminated),
                Err(Error::TrailersSize(_)) => self.fail(Error::Protocol),
                Err(error) => self.fail(error),
            }
        }
    }

    fn fail(&mut self, error: Error) {
        self.body = Body::Failed(error);
        self.keep = false;
    }

    /// Until when the client has time to send or receive something.
    fn patience(&self) -> u64 {
        after(self.moved, Some(self.limits.idle))
    }
}

/// A request, for whoever answers it.
pub(crate) struct Served {
    /// Guests may keep a request longer than it lasts.
    connection: Weak<Connection>,
    /// Which request of the connection it is.
    serial: u64,
    /// Whether its time is over.
    over: AtomicBool,
    /// What stops whoever computes the answer.
    interrupt: Mutex<Option<Stop>>,
}

/// Stops whoever computes an answer, or says that it is time to stop. It is called again as
/// long as that does not help.
pub(crate) type Stop = Box<dyn Fn() + Send>;

impl Served {
    pub(super) fn new(connection: &Arc<Connection>) -> Served {
        let serial = connection.lock().serial;
        let connection = Arc::downgrade(connection);
        Served { connection, serial, over: AtomicBool::new(false), interrupt: Mutex::default() }
    }

    /// Does something with the connection, if the request is still the present one.
    fn with<T>(&self, with: impl FnOnce(&mut Inner) -> T) -> Option<T> {
        let connection = self.connection.upgrade()?;
        let mut inner = connection.lock();
        (inner.serial == self.serial).then(|| with(&mut inner))
    }

    /// Gives the response, once.
    pub(crate) fn respond(
        self: &Arc<Served>,
        status: u16,
        headers: Fields,
        outlet: Option<Arc<Outlet>>,
    ) {
        if let Some(outlet) = &outlet {
            let flow: Weak<Served> = Arc::downgrade(self);
            outlet.connect(flow);
        }
        self.with(|inner| inner.respond(status, headers, outlet));
    }

    /// Has the computation stopped when the time of the request is over.
    pub(crate) fn interrupt_with(&self, stop: Stop) {
        let mut slot = self.interrupt.lock().unwrap_or_else(PoisonError::into_inner);
        if self.over.load(Ordering::Acquire) {
            stop();
        }
        *slot = Some(stop);
    }

    /// Stops the computation.
    pub(super) fn time_is_over(&self) {
        let slot = self.interrupt.lock().unwrap_or_else(PoisonError::into_inner);
        self.over.store(true, Ordering::Release);
        if let Some(stop) = &*slot {
            stop();
        }
    }
}

impl Flow for Served {
    fn push(&self, _: &Host) -> Result {
        self.with(|inner| {
            if inner.is_much() {
                inner.push();
            }
        });
        Ok(())
    }

    fn read(&self, _: &Host, len: usize) -> Result<Piece> {
        let piece = self.with(|inner| match inner.look_for_body() {
            Next::Bytes(there) => Piece::Bytes(inner.take(there.min(len)).to_vec()),
            Next::More => Piece::Later,
            Next::End => match &inner.body {
                Body::Failed(error) => Piece::Failed(error.clone()),
                Body::TooLarge => Piece::Failed(Error::RequestBodySize(inner.limits.body)),
                Body::Done(_) | Body::Open(_) => Piece::End,
            },
        });
        Ok(piece.unwrap_or(Piece::Failed(Error::Terminated)))
    }

    fn trailers(&self, _: &Host) -> Result<Trailers> {
        let trailers = self.with(|inner| {
            loop {
                match inner.look_for_body() {
                    Next::Bytes(there) => drop(inner.take(there)),
                    Next::More => return None,
                    Next::End => {
                        return Some(match &mut inner.body {
                            Body::Failed(error) => Err(error.clone()),
                            Body::TooLarge => Err(Error::RequestBodySize(inner.limits.body)),
                            Body::Done(trailers) => Ok(trailers.take()),
                            Body::Open(_) => Ok(None),
                        });
                    }
                }
            }
        });
        Ok(trailers.unwrap_or(Some(Err(Error::Terminated))))
    }

    fn sent(&self) -> Option<std::result::Result<(), Error>> {
        let sent = self.with(|inner| match &inner.reply {
            Reply::None | Reply::Given(_) | Reply::Body { .. } => None,
            Reply::Done => Some(Ok(())),
            Reply::Broken => Some(Err(Error::Terminated)),
        });
        sent.unwrap_or(Some(Err(Error::Terminated)))
    }

    fn is_ready(&self, _: &Host, want: Want, needs: &mut Vec<Need>) -> Result<bool> {
        let ready = self.with(|inner| {
            let ready = match want {
                Want::Send => false,
                Want::Head => true,
                Want::Body => inner.look_for_body() != Next::More,
                Want::End => loop {
                    match inner.look_for_body() {
                        Next::Bytes(there) => drop(inner.take(there)),
                        next => break next == Next::End,
                    }
                },
            };
            if ready {
                return true;
            }
            inner.push();
            let mut need = |direction| {
                needs.push(Need::Stream(inner.socket.clone(), direction));
                needs.push(Need::Until(after(inner.moved, Some(inner.limits.idle))));
            };
            match want {
                Want::Send if inner.out.is_empty() => {}
                Want::Send if now() >= after(inner.moved, Some(inner.limits.idle)) => {
                    inner.break_off();
                }
                Want::Send => need(Direction::Write),
                Want::Head | Want::Body | Want::End => need(Direction::Read),
            }
            false
        });
        Ok(ready.unwrap_or(want != Want::Send))
    }
}

/// What is written goes out whenever the guest waits, whatever for.
impl crate::host::background::Task for Served {
    fn go_on(&self, host: &Host, needs: &mut Vec<Need>) -> Result<bool> {
        self.is_ready(host, Want::Send, needs)?;
        Ok(true)
    }
}
