//! Sending a message that a guest has made, or passes on: its body is emptied into the
//! connection, and whoever waits for the outcome is told.
//!
//! It is work that goes on by itself. Whoever began it has a [`Fate`] of it: what calls
//! for a request being sent learns by it that it was begun, and gives it up when nobody
//! wants the response any more; what answers a request learns that the answer is done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use zwasm::Result;
use zwasm_component::{FutureReader, FutureWriter, StreamReader};

use super::body::{Behind, Body, Ending, Made, code, unsent};
use crate::ctx::State;
use crate::http::body::Outlet;
use crate::http::fields::Fields;
use crate::http::flow::{Flow, Want};
use crate::p2::http::body::{BodyReader, BodyWriter, Message, Wanted, interest, push};
use crate::p2::http::fields::no_room;
use crate::p2::http::types::ErrorCode;
use crate::p2::io::poll::{Interest, Source};
use crate::p2::io::streams::{Broken, CHUNK, Input, Output};
use crate::p2::table::stop;
use crate::p3::pump::Consumer;
use crate::p3::reactor::Waiting;
use crate::p3::table::Store;

/// How a transmission stands.
#[derive(Default)]
pub(super) struct Fate(Mutex<Known>);

#[derive(Default)]
struct Known {
    begun: bool,
    over: Option<Ending>,
    /// Why nobody wants it any more.
    given_up: Option<ErrorCode>,
    /// Who waits for it.
    watcher: Option<Waker>,
    /// What transmits.
    worker: Option<Waker>,
}

impl Fate {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, tell: impl FnOnce(&mut Known)) {
        let mut known = self.lock();
        tell(&mut known);
        let watcher = known.watcher.take();
        drop(known);
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// Waits until the message is under way.
    pub(super) fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        let mut known = self.lock();
        match &known.over {
            Some(Err(error)) => return Poll::Ready(Err(error.clone())),
            _ if known.begun => return Poll::Ready(Ok(())),
            Some(Ok(())) | None => {}
        }
        known.watcher = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Waits until nothing more is transmitted.
    #[cfg(feature = "serve")]
    pub(super) fn poll_over(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        let mut known = self.lock();
        if let Some(over) = &known.over {
            return Poll::Ready(over.clone());
        }
        known.watcher = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Why the message was not sent, as far as the guest is to blame.
    pub(super) fn own_error(&self) -> Option<ErrorCode> {
        self.lock().over.clone().and_then(|over| over.err())
    }

    /// Has nothing more transmitted.
    pub(super) fn give_up(&self, why: ErrorCode) {
        let mut known = self.lock();
        known.given_up.get_or_insert(why);
        let worker = known.worker.take();
        drop(known);
        if let Some(worker) = worker {
            worker.wake();
        }
    }
}

/// Begins to transmit a message whose body, if it has one, comes out of an outlet.
pub(super) type Begin = Box<
    dyn FnOnce(&State, Option<Arc<Outlet>>) -> Result<std::result::Result<Arc<dyn Flow>, ErrorCode>>
        + Send
        + Sync,
>;

/// Transmits a message with this body, whose head says that it has this length.
pub(super) fn transmit(
    store: &mut dyn Store,
    body: Body,
    message: Message,
    length: Option<u64>,
    begin: Begin,
) -> Result<Arc<Fate>> {
    let fate = Arc::new(Fate::default());
    let mut work = Transmission::new(body, message, length, begin, fate.clone());
    store.spawn(Box::new(move |store, cx| work.poll(store, cx)))?;
    Ok(fate)
}

/// What transmits a message.
struct Transmission {
    message: Message,
    length: Option<u64>,
    begin: Option<Begin>,
    fate: Arc<Fate>,
    /// The guest's contents and trailers, as long as they are not closed.
    contents: Option<StreamReader<u8>>,
    trailers: Option<FutureReader<Behind>>,
    sent: Option<FutureWriter<Ending>>,
    /// What a body that is passed on comes from.
    from: Option<Arc<dyn Flow>>,
    flow: Option<Arc<dyn Flow>>,
    outlet: Option<Arc<Outlet>>,
    step: Step,
    waiting: Waiting,
}

/// What is to be done next.
enum Step {
    /// Waiting for the trailers of a body that has nothing else.
    Early,
    /// Sending the head.
    Begin(Option<Fields>),
    Consume(Consumer),
    Relay(Relay),
    /// Waiting for what is behind the contents.
    Behind,
    /// Waiting until everything is sent.
    Drain,
    /// Telling how it was.
    Tell(Option<Ending>),
}

impl Transmission {
    fn new(
        body: Body,
        message: Message,
        length: Option<u64>,
        begin: Begin,
        fate: Arc<Fate>,
    ) -> Transmission {
        let (contents, trailers, sent, from) = match body {
            Body::Made(Made { contents, trailers, sent }) => {
                (contents, Some(trailers), Some(sent), None)
            }
            Body::Received(flow) => (None, None, None, Some(flow)),
        };
        let is_early = contents.is_none() && from.is_none();
        let step = if is_early { Step::Early } else { Step::Begin(None) };
        let (begin, waiting) = (Some(begin), Waiting::default());
        let (flow, outlet) = (None, None);
        Transmission {
            message,
            length,
            begin,
            fate,
            contents,
            trailers,
            sent,
            from,
            flow,
            outlet,
            step,
            waiting,
        }
    }

    fn poll(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut known = self.fate.lock();
        let given_up = known.given_up.take();
        known.worker = Some(cx.waker().clone());
        drop(known);
        if let Some(why) = given_up
            && !matches!(self.step, Step::Tell(_))
        {
            self.end(store, Err(why))?;
        }
        loop {
            match &mut self.step {
                Step::Early => match ready!(self.poll_trailers(store, cx))? {
                    Ok(trailers) => self.step = Step::Begin(trailers),
                    Err(error) => self.end(store, Err(error))?,
                },
                Step::Begin(trailers) => {
                    let trailers = trailers.take();
                    self.begin(store, trailers)?;
                }
                Step::Consume(consumer) => {
                    let consumed = ready!(consumer.poll(store, cx))?;
                    self.contents_end(store, consumed.map_err(code))?;
                }
                Step::Relay(relay) => {
                    let relayed = ready!(relay.poll(store, cx))?;
                    self.contents_end(store, relayed)?;
                }
                Step::Behind => {
                    let behind = match &self.from {
                        None => ready!(self.poll_trailers(store, cx))?,
                        Some(from) => {
                            let from = from.clone();
                            ready!(self.poll_passed_on(store, cx, &from))?
                        }
                    };
                    self.finish(store, behind)?;
                }
                Step::Drain => {
                    let Some(flow) = &self.flow else { return Poll::Ready(Ok(())) };
                    match flow.sent() {
                        Some(ended) => {
                            let ended = ended.map_err(|error| ErrorCode::from(&error));
                            self.end(store, ended)?;
                        }
                        None => {
                            self.waiting.on(store, Arc::new(Drained(flow.clone())), cx);
                            return Poll::Pending;
                        }
                    }
                }
                Step::Tell(ending) => {
                    if let Some(sent) = self.sent
                        && ending.is_some()
                    {
                        ready!(sent.poll_write_in(store.access(), cx, ending))?;
                        sent.close_in(store.access())?;
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Ends it: nothing more is taken from the guest, which is told.
    fn end(&mut self, store: &mut dyn Store, ending: Ending) -> Result<()> {
        if let Some(contents) = self.contents.take() {
            contents.any().close_in(store.access())?;
        }
        if let Some(trailers) = self.trailers.take() {
            trailers.any().close_in(store.access())?;
        }
        if let Some(outlet) = &self.outlet {
            outlet.abort();
            push(outlet, &store.view().ctx.0).map_err(|failure| stop(failure, "send"))?;
        }
        (self.flow, self.outlet, self.from) = (None, None, None);
        (self.waiting, self.begin) = (Waiting::default(), None);
        self.step = Step::Tell(Some(ending.clone()));
        self.fate.tell(|known| known.over = Some(ending));
        Ok(())
    }

    /// Takes what a guest has put behind a body.
    fn poll_trailers(
        &mut self,
        store: &mut dyn Store,
        cx: &mut Context<'_>,
    ) -> Poll<Result<std::result::Result<Option<Fields>, ErrorCode>>> {
        let Some(trailers) = self.trailers else { return Poll::Ready(Ok(Ok(None))) };
        let behind = ready!(trailers.poll_read_in(store.access(), cx))?;
        self.trailers = None;
        trailers.any().close_in(store.access())?;
        Poll::Ready(Ok(match behind {
            Some(Ok(Some(trailers))) => Ok(Some(store.view().table.delete(trailers)?.fields)),
            Some(Ok(None)) => Ok(None),
            Some(Err(error)) => Err(error),
            None => Err(unsent()),
        }))
    }

    /// Takes what is behind a body that is passed on.
    fn poll_passed_on(
        &mut self,
        store: &mut dyn Store,
        cx: &mut Context<'_>,
        from: &Arc<dyn Flow>,
    ) -> Poll<Result<std::result::Result<Option<Fields>, ErrorCode>>> {
        let behind = from.trailers(&store.view().ctx.0.host);
        Poll::Ready(match behind.map_err(|failure| stop(failure, "receive"))? {
            Some(behind) => Ok(behind.map_err(|error| ErrorCode::from(&error))),
            None => {
                self.waiting.on(store, Arc::new(Wanted(from.clone(), Want::End)), cx);
                return Poll::Pending;
            }
        })
    }

    /// Sends the head. Contents come behind it, or nothing but these trailers.
    fn begin(&mut self, store: &mut dyn Store, trailers: Option<Fields>) -> Result<()> {
        let state = store.view().ctx.0.clone();
        let has_contents = self.contents.is_some() || self.from.is_some();
        if has_contents || trailers.is_some() {
            let budget = &state.host.budget;
            let outlet = Outlet::promised(budget, self.length).ok_or_else(no_room)?;
            self.outlet = Some(outlet);
        }
        let Some(begin) = self.begin.take() else { return Ok(()) };
        let flow = match begin(&state, self.outlet.clone())? {
            Ok(flow) => flow,
            Err(error) => return self.end(store, Err(error)),
        };
        self.flow = Some(flow);
        let Some(outlet) = &self.outlet else {
            self.step = Step::Drain;
            self.fate.tell(|known| known.begun = true);
            return Ok(());
        };
        let output = Arc::new(BodyWriter::new(outlet.clone(), self.message));
        self.step = match (self.contents, &self.from) {
            (Some(contents), _) => Step::Consume(Consumer::new(contents, output)),
            (None, Some(from)) => Step::Relay(Relay::new(from.clone(), output)),
            (None, None) => return self.finish(store, Ok(trailers)),
        };
        self.fate.tell(|known| known.begun = true);
        Ok(())
    }

    /// The contents are at their end, or broke off.
    fn contents_end(&mut self, store: &mut dyn Store, how: Ending) -> Result<()> {
        if let Err(error) = how {
            return self.end(store, Err(error));
        }
        if let Some(contents) = self.contents.take() {
            contents.any().close_in(store.access())?;
        }
        self.step = Step::Behind;
        Ok(())
    }

    /// The body is whole, or will never be.
    fn finish(
        &mut self,
        store: &mut dyn Store,
        behind: std::result::Result<Option<Fields>, ErrorCode>,
    ) -> Result<()> {
        let Some(outlet) = self.outlet.clone() else { return Ok(()) };
        let finished = behind.and_then(|trailers| {
            let finished = outlet.finish(trailers);
            finished.map_err(|wrong| ErrorCode::from(&self.message.wrong_length(wrong)))
        });
        if let Err(error) = finished {
            return self.end(store, Err(error));
        }
        push(&outlet, &store.view().ctx.0).map_err(|failure| stop(failure, "send"))?;
        // It needs no end any more.
        self.outlet = None;
        self.step = Step::Drain;
        self.fate.tell(|known| known.begun = true);
        Ok(())
    }
}

/// Waits until everything is sent.
struct Drained(Arc<dyn Flow>);

impl Source for Drained {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        let waits = interest(&*self.0, state, Want::Send);
        if self.0.sent().is_some() { Interest::Ready } else { waits }
    }
}

/// Passes the contents of a body on that was received.
struct Relay {
    input: Arc<BodyReader>,
    output: Arc<BodyWriter>,
    bytes: Vec<u8>,
    written: usize,
    waiting: Waiting,
}

impl Relay {
    fn new(from: Arc<dyn Flow>, output: Arc<BodyWriter>) -> Relay {
        let (input, waiting) = (Arc::new(BodyReader::new(from)), Waiting::default());
        Relay { input, output, bytes: Vec::new(), written: 0, waiting }
    }

    fn poll(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Poll<Result<Ending>> {
        let state = store.view().ctx.0.clone();
        loop {
            let left = self.bytes.get(self.written..).unwrap_or_default();
            let is_reading = left.is_empty();
            let moved = if is_reading {
                self.input.read(&state, CHUNK).map(|bytes| {
                    (self.bytes, self.written) = (bytes, 0);
                    self.bytes.len()
                })
            } else {
                self.output.check_write(&state).and_then(|room| {
                    let now = left.get(..room).unwrap_or(left);
                    self.output.write(&state, now)?;
                    self.written += now.len();
                    Ok(now.len())
                })
            };
            match moved {
                Ok(0) => {
                    let source: Arc<dyn Source> =
                        if is_reading { self.input.clone() } else { self.output.clone() };
                    self.waiting.on(store, source, cx);
                    return Poll::Pending;
                }
                Ok(_) => {}
                Err(Broken::Closed) if is_reading => return Poll::Ready(Ok(Ok(()))),
                Err(Broken::Closed) => {
                    return Poll::Ready(Ok(Err(ErrorCode::ConnectionTerminated)));
                }
                Err(Broken::Failed(error)) => return Poll::Ready(Ok(Err(code(error)))),
                Err(Broken::Stop(error)) => return Poll::Ready(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fate_is_told_once_it_is_known() {
        let cx = &mut Context::from_waker(Waker::noop());
        let fate = Fate::default();
        assert!(fate.poll_begun(cx).is_pending() && fate.own_error().is_none());
        fate.tell(|known| known.begun = true);
        assert!(matches!(fate.poll_begun(cx), Poll::Ready(Ok(()))));
        // What goes wrong later is known of as well.
        fate.tell(|known| known.over = Some(Err(ErrorCode::LoopDetected)));
        assert!(matches!(fate.poll_begun(cx), Poll::Ready(Err(ErrorCode::LoopDetected))));
        assert!(matches!(fate.own_error(), Some(ErrorCode::LoopDetected)));
        let early = Fate::default();
        early.tell(|known| known.over = Some(Ok(())));
        assert!(early.poll_begun(cx).is_pending());
    }
}
