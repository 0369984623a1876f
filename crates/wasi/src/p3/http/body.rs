//! Bodies of messages as a guest has them: a stream, and a future behind it.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use zwasm::Result;
use zwasm_component::{
    FutureReader, FutureWriter, Resource, StreamReader, StreamWriter, future_in, stream_in,
};

use crate::http::error::Error;
use crate::http::flow::{Flow, Want};
use crate::p2::http::body::{BodyReader, Wanted};
use crate::p2::http::fields::Headers;
use crate::p2::http::types::ErrorCode;
use crate::p2::table::stop;
use crate::p3::pump::{Producer, resolve};
use crate::p3::reactor::Waiting;
use crate::p3::table::Store;

/// How something ends that has no result but that.
pub(super) type Ending = std::result::Result<(), ErrorCode>;

/// What is behind a body: trailers or none, or why it broke off.
pub(super) type Behind = std::result::Result<Option<Resource<Headers>>, ErrorCode>;

/// A body as a guest gets it.
pub(super) type Consumed = (StreamReader<u8>, FutureReader<Behind>);

/// The body of a message.
pub(super) enum Body {
    /// A guest has made it.
    Made(Made),
    /// It was received.
    Received(Arc<dyn Flow>),
}

/// What a guest has made a body of.
pub(super) struct Made {
    /// The bytes; none is no bytes.
    pub(super) contents: Option<StreamReader<u8>>,
    pub(super) trailers: FutureReader<Behind>,
    /// Who wants to know whether the message was sent.
    pub(super) sent: FutureWriter<Ending>,
}

/// That a message was not sent.
#[cold]
pub(super) fn unsent() -> ErrorCode {
    ErrorCode::InternalError(Some(String::from("the message was dropped without being sent")))
}

impl Body {
    /// Gets rid of a body whose message was not sent.
    pub(super) fn close(self, store: &mut dyn Store) -> Result<()> {
        match self {
            Body::Made(Made { contents, trailers, sent }) => {
                if let Some(contents) = contents {
                    contents.any().close_in(store.access())?;
                }
                trailers.any().close_in(store.access())?;
                resolve(store, sent, Err(unsent()))
            }
            Body::Received(_) => Ok(()),
        }
    }

    /// Gives the body to a guest, which says by `handled` how it got on with it.
    pub(super) fn consume(
        self,
        store: &mut dyn Store,
        handled: FutureReader<Ending>,
    ) -> Result<Consumed> {
        match self {
            Body::Made(Made { contents, trailers, sent }) => {
                let contents = match contents {
                    Some(contents) => contents,
                    None => {
                        let (writer, contents) = stream_in(store.access())?;
                        writer.close_in(store.access())?;
                        contents
                    }
                };
                store.spawn(Box::new(move |store, cx| {
                    let said = ready!(handled.poll_read_in(store.access(), cx))?;
                    handled.any().close_in(store.access())?;
                    Poll::Ready(resolve(store, sent, said.unwrap_or_else(|| Err(unsent()))))
                }))?;
                Ok((contents, trailers))
            }
            Body::Received(flow) => {
                let (writer, contents) = stream_in(store.access())?;
                let (future, trailers) = future_in(store.access())?;
                let mut receiving = Receiving::new(flow, writer, future, handled);
                store.spawn(Box::new(move |store, cx| receiving.poll(store, cx)))?;
                Ok((contents, trailers))
            }
        }
    }
}

/// Fills the body of a message that a guest has received.
struct Receiving {
    flow: Arc<dyn Flow>,
    contents: Producer,
    writer: StreamWriter<u8>,
    future: FutureWriter<Behind>,
    /// What the guest says of the message, until it has.
    handled: Option<FutureReader<Ending>>,
    step: Step,
    waiting: Waiting,
}

enum Step {
    /// Filling the stream.
    Contents,
    /// Looking for what is behind it.
    Search,
    /// Giving it to the guest.
    Give(Option<Behind>),
}

impl Receiving {
    fn new(
        flow: Arc<dyn Flow>,
        writer: StreamWriter<u8>,
        future: FutureWriter<Behind>,
        handled: FutureReader<Ending>,
    ) -> Receiving {
        let contents = Producer::new(Arc::new(BodyReader::new(flow.clone())), writer);
        let (handled, waiting) = (Some(handled), Waiting::default());
        Receiving { flow, contents, writer, future, handled, step: Step::Contents, waiting }
    }

    fn poll(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.listen(store, cx)?;
        loop {
            match &mut self.step {
                Step::Contents => {
                    // What went wrong the flow says again.
                    let _ = ready!(self.contents.poll(store, cx))?;
                    self.writer.close_in(store.access())?;
                    self.step = Step::Search;
                }
                Step::Search => {
                    let found = ready!(self.search(store, cx))?;
                    self.step = Step::Give(found);
                }
                Step::Give(behind) => {
                    if behind.is_some() {
                        ready!(self.future.poll_write_in(store.access(), cx, behind))?;
                    }
                    // Nobody else gets trailers that nobody wants.
                    if let Some(Ok(Some(trailers))) = behind.take() {
                        store.view().table.delete(trailers)?;
                    }
                    self.future.close_in(store.access())?;
                    if let Some(handled) = self.handled.take() {
                        handled.any().close_in(store.access())?;
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Looks what the guest says of the message. If that is an error, it gets no more of it.
    fn listen(&mut self, store: &mut dyn Store, cx: &mut Context<'_>) -> Result<()> {
        let Some(handled) = self.handled else { return Ok(()) };
        let Poll::Ready(said) = handled.poll_read_in(store.access(), cx)? else { return Ok(()) };
        self.handled = None;
        handled.any().close_in(store.access())?;
        if let Some(Err(error)) = said
            && let Step::Contents | Step::Search = self.step
        {
            if let Step::Contents = self.step {
                self.writer.close_in(store.access())?;
            }
            self.step = Step::Give(Some(Err(error)));
        }
        Ok(())
    }

    /// Finds what is behind the body, skipping what is left of that, unless nobody wants to
    /// know it: then nothing.
    fn search(
        &mut self,
        store: &mut dyn Store,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Behind>>> {
        if self.future.is_closed_in(store.access())? {
            return Poll::Ready(Ok(None));
        }
        let mut view = store.view();
        let found = self.flow.trailers(&view.ctx.0.host);
        Poll::Ready(match found.map_err(|failure| stop(failure, "receive"))? {
            Some(Ok(None)) => Ok(Some(Ok(None))),
            Some(Ok(Some(fields))) => {
                view.push(Headers::of(&fields)).map(|all| Some(Ok(Some(all))))
            }
            Some(Err(error)) => Ok(Some(Err(ErrorCode::from(&error)))),
            None => {
                self.waiting.on(store, Arc::new(Wanted(self.flow.clone(), Want::End)), cx);
                ready!(self.future.poll_closed_in(store.access(), cx))?;
                Ok(None)
            }
        })
    }
}

/// What an error of the host's streams is as one of HTTP.
pub(super) fn code(error: std::io::Error) -> ErrorCode {
    ErrorCode::from(&Error::transmitting(error))
}
