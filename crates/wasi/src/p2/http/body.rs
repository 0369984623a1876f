//! Bodies of messages, and what is behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use zwasm::{Error, Result};
use zwasm_component::Resource;

use super::fields::Headers;
use super::types::ErrorCode;
use crate::ctx::State;
use crate::host;
use crate::http::body::{Outlet, WrongLength};
use crate::http::error::Error as HttpError;
use crate::http::flow::{Flow, Piece, Want};
use crate::p2::WasiCtxView;
use crate::p2::io::poll::{Interest, Pollable, Source};
use crate::p2::io::streams::{Broken, Input, InputStream, Output, OutputStream, Streamed};
use crate::p2::table::{Answer, Failed, stop};

/// A result that does not say why there is none.
pub(crate) type Attempt<T = ()> = Answer<T, ()>;

/// What waits for something of a flow.
pub(crate) struct Wanted(pub(crate) Arc<dyn Flow>, pub(crate) Want);

impl Source for Wanted {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        interest(&*self.0, state, self.1)
    }
}

/// What somebody who wants something of a flow waits for.
pub(crate) fn interest<'a>(flow: &dyn Flow, state: &State, want: Want) -> Interest<'a> {
    let mut needs = Vec::new();
    match flow.is_ready(&state.host, want, &mut needs) {
        Ok(true) => Interest::Ready,
        // A guest that is to stop stops where it waits.
        Ok(false) | Err(_) => Interest::Any(needs),
    }
}

/// The body of a message that was received.
pub(crate) struct IncomingBody {
    flow: Arc<dyn Flow>,
    /// Whether the guest has got its contents.
    taken: bool,
}

impl IncomingBody {
    pub(crate) fn new(flow: Arc<dyn Flow>) -> IncomingBody {
        IncomingBody { flow, taken: false }
    }
}

/// Its contents.
pub(crate) struct BodyReader {
    flow: Arc<dyn Flow>,
    /// Whether the guest was told that there is no more.
    ended: AtomicBool,
}

impl BodyReader {
    /// Those of a message that a flow receives.
    pub(crate) fn new(flow: Arc<dyn Flow>) -> BodyReader {
        BodyReader { flow, ended: AtomicBool::new(false) }
    }
}

impl Source for BodyReader {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        match self.ended.load(Ordering::Relaxed) {
            true => Interest::Ready,
            false => interest(&*self.flow, state, Want::Body),
        }
    }
}

impl Input for BodyReader {
    fn read(&self, state: &State, len: usize) -> Streamed<Vec<u8>> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(Broken::Closed);
        }
        if len == 0 {
            return Ok(Vec::new());
        }
        let broken = match self.flow.read(&state.host, len)? {
            Piece::Bytes(bytes) => return Ok(bytes),
            Piece::Later => return Ok(Vec::new()),
            Piece::End => Broken::Closed,
            Piece::Failed(error) => Broken::Failed(error.into()),
        };
        self.ended.store(true, Ordering::Relaxed);
        Err(broken)
    }
}

pub(crate) fn read_body(
    cx: &mut WasiCtxView<'_>,
    body: Resource<IncomingBody>,
) -> Attempt<Resource<InputStream>> {
    let incoming = cx.table.get_mut(&body)?;
    if std::mem::replace(&mut incoming.taken, true) {
        return Err(Failed::With(()));
    }
    let flow = incoming.flow.clone();
    Ok(cx.push_child(InputStream(Arc::new(BodyReader::new(flow))), &body)?)
}

pub(crate) fn finish_reading(
    cx: &mut WasiCtxView<'_>,
    body: Resource<IncomingBody>,
) -> Result<(Resource<FutureTrailers>,)> {
    // Its contents are a child, which the guest must have dropped.
    let body = cx.table.delete(body)?;
    Ok((cx.push(FutureTrailers { flow: body.flow, taken: false })?,))
}

/// What is behind a body.
pub(crate) struct FutureTrailers {
    flow: Arc<dyn Flow>,
    /// Whether the guest has got it.
    taken: bool,
}

pub(crate) fn subscribe_trailers(
    cx: &mut WasiCtxView<'_>,
    trailers: Resource<FutureTrailers>,
) -> Result<(Resource<Pollable>,)> {
    let flow = cx.table.get(&trailers)?.flow.clone();
    let source = Wanted(flow, Want::End);
    Ok((cx.push_child(Pollable(Arc::new(source)), &trailers)?,))
}

/// What may come later, and only once.
pub(crate) type Later<T> = Option<std::result::Result<std::result::Result<T, ErrorCode>, ()>>;

pub(crate) fn get_trailers(
    cx: &mut WasiCtxView<'_>,
    trailers: Resource<FutureTrailers>,
) -> Result<(Later<Option<Resource<Headers>>>,)> {
    let future = cx.table.get_mut(&trailers)?;
    if future.taken {
        return Ok((Some(Err(())),));
    }
    let answer = future.flow.trailers(&cx.ctx.0.host);
    let Some(result) = answer.map_err(|failure| stop(failure, "receive"))? else {
        return Ok((None,));
    };
    future.taken = true;
    Ok((Some(Ok(match result {
        Ok(None) => Ok(None),
        Ok(Some(fields)) => Ok(Some(cx.push(Headers::of(&fields))?)),
        Err(error) => Err(ErrorCode::from(&error)),
    })),))
}

/// Whose body it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Message {
    Request,
    Response,
}

impl Message {
    /// That a body is not as long as was said.
    pub(crate) fn wrong_length(self, WrongLength(size): WrongLength) -> HttpError {
        match self {
            Message::Request => HttpError::RequestBodySize(size),
            Message::Response => HttpError::ResponseBodySize(size),
        }
    }
}

/// The body of a message that is sent.
pub(crate) struct OutgoingBody {
    outlet: Arc<Outlet>,
    message: Message,
    /// Whether the guest has got what it can write to.
    taken: bool,
}

impl OutgoingBody {
    pub(crate) fn new(outlet: Arc<Outlet>, message: Message) -> OutgoingBody {
        OutgoingBody { outlet, message, taken: false }
    }
}

/// What is written to it.
pub(crate) struct BodyWriter {
    outlet: Arc<Outlet>,
    message: Message,
    /// What may be written in the next call.
    permitted: AtomicUsize,
}

impl BodyWriter {
    /// What writes the body of a message.
    pub(crate) fn new(outlet: Arc<Outlet>, message: Message) -> BodyWriter {
        BodyWriter { outlet, message, permitted: AtomicUsize::new(0) }
    }
}

/// Sends what can be sent of a body, if somebody sends it.
pub(crate) fn push(outlet: &Outlet, state: &State) -> host::Result {
    outlet.flow().map_or(Ok(()), |flow| flow.push(&state.host))
}

impl Source for BodyWriter {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        let is_full = |outlet: &Outlet| outlet.room() == Some(0);
        match self.outlet.flow() {
            Some(flow) if is_full(&self.outlet) => {
                // What it waits for is there, even if room is made now.
                let needs = interest(&*flow, state, Want::Send);
                if is_full(&self.outlet) { needs } else { Interest::Ready }
            }
            // Nobody takes it yet.
            None if is_full(&self.outlet) => Interest::Never,
            Some(_) | None => Interest::Ready,
        }
    }
}

impl Output for BodyWriter {
    fn check_write(&self, state: &State) -> Streamed<usize> {
        push(&self.outlet, state)?;
        let permitted = self.outlet.room().ok_or(Broken::Closed)?;
        self.permitted.store(permitted, Ordering::Relaxed);
        Ok(permitted)
    }

    fn write(&self, state: &State, bytes: &[u8]) -> Streamed {
        let permitted = self.permitted.swap(0, Ordering::Relaxed);
        if bytes.len() > permitted {
            let len = bytes.len();
            return Err(Broken::Stop(Error::msg(format!(
                "'write' was permitted {permitted} bytes, and not {len}"
            ))));
        }
        if self.outlet.room().is_none() {
            return Err(Broken::Closed);
        }
        let written = self.outlet.write(bytes);
        written.map_err(|wrong| Broken::Failed(self.message.wrong_length(wrong).into()))?;
        Ok(push(&self.outlet, state)?)
    }

    /// What is written is as good as sent: it may have to wait for a request to be made of
    /// it.
    fn flush(&self, state: &State) -> Streamed {
        push(&self.outlet, state)?;
        if self.outlet.room().is_none() { Err(Broken::Closed) } else { Ok(()) }
    }
}

pub(crate) fn write_body(
    cx: &mut WasiCtxView<'_>,
    body: Resource<OutgoingBody>,
) -> Attempt<Resource<OutputStream>> {
    let outgoing = cx.table.get_mut(&body)?;
    if std::mem::replace(&mut outgoing.taken, true) {
        return Err(Failed::With(()));
    }
    let (outlet, message) = (outgoing.outlet.clone(), outgoing.message);
    let writer = BodyWriter::new(outlet, message);
    Ok(cx.push_child(OutputStream(Arc::new(writer)), &body)?)
}

pub(crate) fn finish_writing(
    cx: &mut WasiCtxView<'_>,
    body: Resource<OutgoingBody>,
    trailers: Option<Resource<Headers>>,
) -> Answer<(), ErrorCode> {
    // What it is written with is a child, which the guest must have dropped.
    let body = cx.table.delete(body)?;
    let trailers = match trailers {
        Some(trailers) => Some(cx.table.delete(trailers)?.fields),
        None => None,
    };
    let finished = body.outlet.finish(trailers);
    push(&body.outlet, &cx.ctx.0).map_err(|failure| stop(failure, "send"))?;
    finished.map_err(|wrong| Failed::With(ErrorCode::from(&body.message.wrong_length(wrong))))
}

/// Gets rid of a body that is not finished: its message breaks off.
pub(crate) fn abort(cx: &mut WasiCtxView<'_>, body: OutgoingBody) -> Result<()> {
    body.outlet.abort();
    push(&body.outlet, &cx.ctx.0).map_err(|failure| stop(failure, "send"))
}
