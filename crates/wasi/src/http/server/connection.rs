//! A connection: requests that come in, one after the other, and what goes back.
//!
//! A connection is a state that is advanced by [`Inner::step`] as far as it goes without
//! waiting, by whichever thread has its [`Turn`]. Requests that are sent before the last
//! one is answered stay in the buffer, and then in the system's, until it is: nothing is
//! read ahead but what one call brings.
//!
//! A guest begins when its request's head is there, with two exceptions and one reason for
//! them: a guest that waits for the client holds a thread. A body that says that it is
//! short is received first, and one that is long until there is some of it. A body in
//! chunks may be one half of a conversation, and one that the client asks leave to send
//! may not be wanted: then the guest begins at once.
//!
//! A connection that is closed while the client still sends is reset, and the client may
//! never see the answer. So the server's half is closed first, and what the client sends
//! is thrown away for a moment ([`Stage::Linger`]).

use std::cell::RefCell;
use std::io::{ErrorKind, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::head::{self, Head};
use super::out::Out;
use super::reply::{self, Refusal};
use super::serving::{Body, Reply};
use super::{GATHER, LINGER, Limits, Report};
use crate::host::budget::Budget;
use crate::host::clocks::Clock;
use crate::host::sys::{self, AsFd, OwnedFd};
use crate::http::decode::{Decoder, Framing, Next, Received};
use crate::http::error::Error;
use crate::http::{RECEIVE, SKIP};

thread_local! {
    /// What is received first: one that is made each time would be cleared each time.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Nanoseconds of the monotonic clock.
pub(super) fn now() -> u64 {
    sys::now(Clock::Monotonic)
}

/// A moment so long after another.
pub(super) fn after(moment: u64, time: Option<Duration>) -> u64 {
    let time = time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    time.map_or(u64::MAX, |time| moment.saturating_add(time))
}

/// Who may do something: one thread at a time, and again if it was asked for meanwhile.
#[derive(Default)]
pub(super) struct Turn(AtomicU8);

const FREE: u8 = 0;
const TAKEN: u8 = 1;
const ASKED: u8 = 2;

impl Turn {
    /// Takes the turn, or asks whoever has it to go on.
    pub(super) fn take(&self) -> bool {
        let next = |state| if state == FREE { TAKEN } else { ASKED };
        let before =
            self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| Some(next(state)));
        before == Ok(FREE)
    }

    /// Gives the turn back; not if somebody has asked to go on.
    pub(super) fn give(&self) -> bool {
        let next = |state| if state == ASKED { TAKEN } else { FREE };
        let before =
            self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| Some(next(state)));
        before != Ok(ASKED)
    }
}

/// A connection.
pub(super) struct Connection {
    pub token: u64,
    pub turn: Turn,
    /// That something has happened since the last step.
    pub news: AtomicBool,
    /// When it is given up, if nobody has a turn before. Nanoseconds.
    pub deadline: AtomicU64,
    inner: Mutex<Inner>,
}

/// What is to be done next.
pub(super) enum Step {
    /// Nothing before something happens. Whether it is that something can be sent.
    Wait(bool),
    /// A guest answers this.
    Run(Box<Head>),
    /// The connection is closed.
    Close,
}

/// Where a connection is.
enum Stage {
    /// Before the end of a head.
    Head,
    /// Before enough of the body is there. The head is none once the guest has it.
    Gather(Option<Box<Head>>),
    /// A guest has the request.
    Guest,
    /// Before the response is sent, and the request received.
    Drain,
    /// Until the client has seen that it is over, or for so long.
    Linger(u64),
    Closed,
}

pub(super) struct Inner {
    pub socket: Arc<OwnedFd>,
    pub peer: SocketAddr,
    pub limits: Arc<Limits>,
    pub budget: Budget,
    stage: Stage,
    /// Which request of the connection this is.
    pub serial: u64,
    pub received: Received,
    /// How far there is no end of a head in what is received.
    seen: usize,
    /// Whether all that the system had was received.
    drained: bool,
    pub out: Out,
    /// When bytes last went one way or the other.
    pub moved: u64,
    /// When the head began to come or, before that, when the last request was done.
    began: u64,
    /// The first line of the request.
    line: Vec<u8>,
    pub body: Body,
    /// Bytes of the body that were taken, or thrown away.
    pub taken: u64,
    /// Whether the client waits to be told to send the body.
    pub expects: bool,
    pub modern: bool,
    pub keep: bool,
    pub is_head: bool,
    pub reply: Reply,
    pub status: u16,
    /// Bytes of the response's body.
    pub sent: u64,
    failure: Option<zwasm::Error>,
    /// What has become of a request, until it is told.
    report: Option<Report>,
}

impl Connection {
    pub(super) fn new(
        socket: OwnedFd,
        peer: SocketAddr,
        token: u64,
        limits: &Arc<Limits>,
    ) -> Connection {
        let began = now();
        Connection {
            token,
            turn: Turn::default(),
            news: AtomicBool::new(false),
            deadline: AtomicU64::new(after(began, Some(limits.head_time))),
            inner: Mutex::new(Inner {
                socket: Arc::new(socket),
                peer,
                limits: limits.clone(),
                budget: Budget::new(crate::http::BUDGET),
                stage: Stage::Head,
                serial: 0,
                received: Received::default(),
                seen: 0,
                drained: false,
                out: Out::default(),
                moved: began,
                began,
                line: Vec::new(),
                body: Body::Done(None),
                taken: 0,
                expects: false,
                modern: true,
                keep: true,
                is_head: false,
                reply: Reply::None,
                status: 0,
                sent: 0,
                failure: None,
                report: None,
            }),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes as far as it can, and tells what became of a request if that is known now.
    pub(super) fn step(&self, stopping: bool) -> (Step, Option<Report>) {
        let mut inner = self.lock();
        if self.news.swap(false, Ordering::AcqRel) {
            inner.drained = false;
        }
        let step = inner.step(stopping);
        self.deadline.store(inner.deadline(), Ordering::Relaxed);
        (step, inner.report.take())
    }

    /// Gives up what takes too long; whoever calls this has the turn.
    pub(super) fn expire(&self, moment: u64) {
        let mut inner = self.lock();
        // Something may have happened meanwhile.
        if inner.deadline() <= moment {
            inner.expire();
        }
    }

    /// Sends what a guest that runs has written, if nobody is at it.
    pub(super) fn flush(&self) {
        if let Ok(mut inner) = self.inner.try_lock()
            && matches!(inner.stage, Stage::Guest)
        {
            inner.push();
        }
    }

    /// Says that the guest is done with the request.
    pub(super) fn finish(&self, outcome: zwasm::Result<()>) {
        self.lock().finish(outcome);
    }
}

impl Inner {
    /// Goes as far as it can without waiting.
    fn step(&mut self, stopping: bool) -> Step {
        loop {
            if !self.out.is_empty() {
                match self.send() {
                    Ok(()) => {}
                    Err(ErrorKind::WouldBlock) => return Step::Wait(true),
                    Err(_) => {
                        self.tell();
                        return Step::Close;
                    }
                }
            }
            let step = match &mut self.stage {
                Stage::Head => self.head(stopping),
                Stage::Gather(head) => match head.take() {
                    Some(head) => self.gather(head),
                    None => Some(Step::Close),
                },
                // Its thread goes on.
                Stage::Guest => Some(Step::Wait(false)),
                Stage::Drain => self.drain(stopping),
                Stage::Linger(_) => self.linger(),
                Stage::Closed => Some(Step::Close),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// When the connection is given up if nothing happens.
    fn deadline(&self) -> u64 {
        let limits = &self.limits;
        let idle = after(self.moved, Some(limits.idle));
        if !self.out.is_empty() {
            return idle;
        }
        match self.stage {
            Stage::Head if self.received.bytes().is_empty() && self.serial > 0 => idle,
            Stage::Head => after(self.began, Some(limits.head_time)),
            Stage::Gather(_) | Stage::Drain => idle.min(after(self.began, limits.time)),
            Stage::Guest => u64::MAX,
            Stage::Linger(until) => until,
            Stage::Closed => 0,
        }
    }

    fn expire(&mut self) {
        let begun = !self.received.bytes().is_empty();
        match self.stage {
            Stage::Head if begun && self.out.is_empty() => self.refuse(Refusal::Timeout),
            Stage::Gather(_) => self.refuse(Refusal::Timeout),
            Stage::Guest => {}
            Stage::Head | Stage::Drain | Stage::Linger(_) | Stage::Closed => {
                self.tell();
                self.stage = Stage::Closed;
                self.out.clear();
            }
        }
    }

    /// Receives the head of a request.
    fn head(&mut self, stopping: bool) -> Option<Step> {
        // The first byte alone may have been the beginning of one.
        if self.seen <= 1 {
            match head::empty_lines(self.received.bytes()) {
                Ok(0) => {}
                Ok(len) => {
                    self.received.take(len);
                    self.seen = 0;
                }
                Err(refusal) => {
                    self.refuse(refusal);
                    return None;
                }
            }
        }
        let bytes = self.received.bytes();
        let max = self.limits.head;
        match head::end(bytes, &mut self.seen) {
            Ok(Some(len)) if len <= max => {
                self.begin(len, stopping);
                return None;
            }
            Ok(None) if bytes.len() <= max => {}
            Ok(_) => {
                self.refuse(Refusal::HeadTooLarge);
                return None;
            }
            Err(refusal) => {
                self.refuse(refusal);
                return None;
            }
        }
        let empty = bytes.is_empty();
        if self.received.ended || (stopping && empty) {
            return Some(Step::Close);
        }
        if self.drained || !self.receive() {
            return Some(Step::Wait(false));
        }
        if empty {
            self.began = self.moved;
        }
        None
    }

    /// Begins a request, whose head has so many bytes.
    fn begin(&mut self, len: usize, stopping: bool) {
        let bytes = self.received.take(len);
        self.seen = 0;
        self.serial += 1;
        self.line.clear();
        let line = bytes.iter().position(|&byte| byte == b'\r').unwrap_or(0);
        self.line.extend_from_slice(&bytes[..line]);
        (self.reply, self.status, self.sent, self.taken) = (Reply::None, 0, 0, 0);
        self.failure = None;
        match head::parse(bytes, &self.budget) {
            Ok(head) => {
                self.is_head = head.method.name() == "HEAD";
                (self.modern, self.keep) = (head.modern, head.keep && !stopping);
                self.expects = head.expects;
                self.body = match head.framing {
                    Framing::None => Body::Done(None),
                    framing => Body::Open(Decoder::new(framing)),
                };
                match head.framing {
                    Framing::Length(length) if length > self.limits.body => {
                        self.refuse(Refusal::BodyTooLarge);
                    }
                    _ => self.stage = Stage::Gather(Some(Box::new(head))),
                }
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Receives some of the body, if that is better done before the guest begins.
    fn gather(&mut self, head: Box<Head>) -> Option<Step> {
        let wanted = match head.framing {
            Framing::Length(length) if !head.expects => length.min(GATHER),
            _ => 0,
        };
        let there = self.received.bytes().len() as u64;
        if there >= wanted || self.received.ended {
            self.stage = Stage::Guest;
            return Some(Step::Run(head));
        }
        self.stage = Stage::Gather(Some(head));
        if self.drained || !self.receive() { Some(Step::Wait(false)) } else { None }
    }

    /// What comes when the guest is done.
    fn finish(&mut self, outcome: zwasm::Result<()>) {
        self.end_reply();
        self.failure = outcome.err();
        let refusal = match (&self.body, &self.failure) {
            (Body::TooLarge, _) => Refusal::BodyTooLarge,
            (_, Some(error)) if error.kind() == zwasm::ErrorKind::Interrupted => Refusal::TooLong,
            // Whatever the guest made of it.
            (Body::Failed(Error::ReadTimeout), _) => Refusal::Timeout,
            (Body::Failed(_), _) => Refusal::BadRequest,
            (Body::Open(_) | Body::Done(_), _) => Refusal::Failed,
        };
        if matches!(self.reply, Reply::None) {
            if self.failure.is_none() {
                self.failure = Some(zwasm::Error::msg("the guest gave no response"));
            }
            self.status = refusal.status();
            self.keep &= matches!(self.body, Body::Done(_) | Body::Open(_));
            let (is_head, keep) = (self.is_head, self.keep);
            self.out.write(|out| reply::refuse(out, refusal, is_head, keep));
            self.reply = Reply::Done;
        }
        self.stage = Stage::Drain;
    }

    /// Ends a request: its response is sent.
    fn drain(&mut self, stopping: bool) -> Option<Step> {
        self.tell();
        if matches!(self.reply, Reply::Broken) {
            return Some(Step::Close);
        }
        if !self.skip() {
            return Some(Step::Wait(false));
        }
        let whole = matches!(self.body, Body::Done(_));
        if whole && self.keep && !stopping {
            self.stage = Stage::Head;
            self.moved = now();
            self.began = self.moved;
            return None;
        }
        if whole && self.drained && self.received.bytes().is_empty() {
            return Some(Step::Close);
        }
        self.say_goodbye();
        None
    }

    /// Skips what is left of the body, if that is not much; false if it has to be waited
    /// for.
    fn skip(&mut self) -> bool {
        let start = self.taken;
        loop {
            let Body::Open(decoder) = &mut self.body else { return true };
            // What the client was not told to send may never come.
            if self.expects || self.taken - start > SKIP as u64 {
                self.keep = false;
                return true;
            }
            match decoder.next(&mut self.received, &self.budget) {
                Ok(Next::Bytes(there)) => drop(self.take(there)),
                Ok(Next::End) => self.body = Body::Done(None),
                Ok(Next::More) if self.drained || !self.receive() => return false,
                Ok(Next::More) => {}
                Err(error) => self.body = Body::Failed(error),
            }
        }
    }

    /// Answers without a guest, and closes the connection.
    fn refuse(&mut self, refusal: Refusal) {
        if matches!(self.stage, Stage::Head) && self.line.is_empty() {
            let bytes = self.received.bytes();
            let line = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len());
            self.line.extend_from_slice(&bytes[..line.min(256)]);
        }
        self.status = refusal.status();
        let is_head = self.is_head;
        self.out.write(|out| reply::refuse(out, refusal, is_head, false));
        self.report();
        self.say_goodbye();
    }

    /// Sends nothing more, once what there is is sent.
    fn say_goodbye(&mut self) {
        self.stage = Stage::Linger(after(now(), Some(LINGER)));
        self.keep = true;
    }

    /// Waits until the client has seen that nothing more comes.
    fn linger(&mut self) -> Option<Step> {
        if std::mem::take(&mut self.keep) {
            let _ = sys::shutdown(self.socket.as_fd(), Shutdown::Write);
        }
        self.received.clear();
        if self.received.ended {
            return Some(Step::Close);
        }
        self.taken += RECEIVE as u64;
        if self.drained || !self.receive() { Some(Step::Wait(false)) } else { None }
    }

    /// Tells what became of the request.
    fn tell(&mut self) {
        if self.status != 0 && !matches!(self.stage, Stage::Linger(_)) {
            self.report();
        }
    }

    fn report(&mut self) {
        self.report = Some(Report {
            peer: self.peer,
            line: String::from_utf8_lossy(&self.line).into_owned(),
            status: std::mem::take(&mut self.status),
            sent: self.sent,
            time: Duration::from_nanos(now().saturating_sub(self.began)),
            error: self.failure.take(),
        });
        self.line.clear();
    }

    /// Receives something, or the end; whether it did.
    pub(super) fn receive(&mut self) -> bool {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(RECEIVE, 0);
            loop {
                match sys::receive(self.socket.as_fd(), &mut [IoSliceMut::new(buffer)], false) {
                    Ok(len @ 1..) => {
                        self.received.push(&buffer[..len]);
                        self.moved = now();
                        return true;
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.drained = true;
                        return false;
                    }
                    Ok(0) | Err(_) => {
                        self.received.ended = true;
                        self.drained = true;
                        return true;
                    }
                }
            }
        })
    }

    /// Sends what there is to be sent.
    pub(super) fn send(&mut self) -> std::result::Result<(), ErrorKind> {
        let left = self.out.len();
        let sent = self.out.send(&self.socket);
        if self.out.len() < left {
            self.moved = now();
        }
        sent.map_err(|error| {
            if error.kind() != ErrorKind::WouldBlock {
                self.out.clear();
            }
            error.kind()
        })
    }

    /// Takes bytes of the body, which are there.
    pub(super) fn take(&mut self, len: usize) -> &[u8] {
        if let Body::Open(decoder) = &mut self.body {
            decoder.took(len);
        }
        self.taken += len as u64;
        self.received.take(len)
    }
}
