//! Moving bytes between a guest's stream and one of the host.
//!
//! Each direction is work that goes on by itself and ends by resolving a future. What the
//! host is read for is read only when a guest reads: the stream is first offered nothing,
//! which is taken when there is a reader. What a guest has written is in the host's hands
//! when the guest is told so, or waits for the host in a pump. Either way no more than a
//! chunk is held, which is taken from a budget of the context's; when nothing is left of
//! that, next to nothing is held, and more steps are taken.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use zwasm::Result;
use zwasm_component::{
    ComponentType, FutureReader, FutureWriter, Lift, Lower, StreamReader, StreamWriter, future_in,
    stream_in,
};

use super::reactor::Waiting;
use super::table::Store;
use crate::host::budget::Share;
use crate::p2::io::streams::{Broken, CHUNK, Input, Output};
use crate::p2::table::Code;

/// The bytes that all streams of a context hold, in chunks.
pub(crate) const BUDGET: usize = 16 << 20;

/// The most that a stream holds for which nothing is left of the budget, in bytes: less than
/// it takes itself.
const LEAST: usize = 512;

/// What a transfer ends with.
pub(crate) type Ending<E> = std::result::Result<(), E>;

/// The errors of an interface, as futures resolve to them.
pub(crate) trait Resolves:
    Code + ComponentType + Lift + Lower + Send + Sync + 'static
{
}
impl<E: Code + ComponentType + Lift + Lower + Send + Sync + 'static> Resolves for E {}

/// Has a future resolve to a value, when it is read.
pub(crate) fn resolve<V>(store: &mut dyn Store, writer: FutureWriter<V>, value: V) -> Result<()>
where
    V: Lift + Lower + Send + Sync + 'static,
{
    let mut value = Some(value);
    store.spawn(Box::new(move |store, cx| poll_resolve(store, cx, writer, &mut value)))
}

fn poll_resolve<V: Lift + Lower + 'static>(
    store: &mut dyn Store,
    cx: &mut Context<'_>,
    writer: FutureWriter<V>,
    value: &mut Option<V>,
) -> Poll<Result<()>> {
    let written = ready!(writer.poll_write_in(store.access(), cx, value));
    // That nobody reads it is no error.
    Poll::Ready(written.and_then(|_| writer.close_in(store.access())))
}

/// A stream of what is read from the host, and how that ended.
pub(crate) fn produce<E: Resolves>(
    store: &mut dyn Store,
    input: std::result::Result<Arc<dyn Input>, E>,
) -> Result<(StreamReader<u8>, FutureReader<Ending<E>>)> {
    let (writer, stream) = stream_in::<u8>(store.access())?;
    let (future, ending) = future_in::<Ending<E>>(store.access())?;
    match input {
        Ok(input) => {
            let mut producer = Producer::new(input, writer);
            store.spawn(Box::new(move |store, cx| {
                let ended = ready!(producer.poll(store, cx))?;
                writer.close_in(store.access())?;
                resolve(store, future, ended.map_err(E::system))?;
                Poll::Ready(Ok(()))
            }))?;
        }
        Err(error) => {
            writer.close_in(store.access())?;
            resolve(store, future, Err(error))?;
        }
    }
    Ok((stream, ending))
}

/// Has what comes out of a stream written to the host, and tells how that ended.
pub(crate) fn consume<E: Resolves>(
    store: &mut dyn Store,
    data: StreamReader<u8>,
    output: std::result::Result<Arc<dyn Output>, E>,
) -> Result<FutureReader<Ending<E>>> {
    let (future, ending) = future_in::<Ending<E>>(store.access())?;
    match output {
        Ok(output) => {
            let mut consumer = Consumer::new(data, output);
            store.spawn(Box::new(move |store, cx| {
                let ended = ready!(consumer.poll(store, cx))?;
                data.any().close_in(store.access())?;
                resolve(store, future, ended.map_err(E::system))?;
                Poll::Ready(Ok(()))
            }))?;
        }
        Err(error) => {
            data.any().close_in(store.access())?;
            resolve(store, future, Err(error))?;
        }
    }
    Ok(ending)
}

/// How much may be held, and what of the budget that is.
fn room(store: &mut dyn Store) -> (usize, Option<Share>) {
    match store.view().ctx.0.pumps.take(CHUNK) {
        Some(share) => (CHUNK, Some(share)),
        None => (LEAST, None),
    }
}

/// Reads from the host for a guest.
pub(crate) struct Producer {
    input: Arc<dyn Input>,
    writer: StreamWriter<u8>,
    /// What was read and not taken yet.
    bytes: VecDeque<u8>,
    share: Option<Share>,
    stage: Stage,
    waiting: Waiting,
}

/// What is to be done next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Finding out whether somebody reads.
    Ask,
    /// Reading from the host.
    Read,
    /// Giving it away.
    Give,
}

impl Producer {
    pub(crate) fn new(input: Arc<dyn Input>, writer: StreamWriter<u8>) -> Producer {
        let (bytes, waiting) = (VecDeque::new(), Waiting::default());
        Producer { input, writer, bytes, share: None, stage: Stage::Ask, waiting }
    }

    /// Goes on until nothing more comes, or nobody reads it; tells how that was.
    pub(crate) fn poll(
        &mut self,
        store: &mut dyn Store,
        cx: &mut Context<'_>,
    ) -> Poll<Result<std::result::Result<(), io::Error>>> {
        loop {
            match self.stage {
                Stage::Ask | Stage::Give => {
                    let written = self.writer.poll_write_in(store.access(), cx, &mut self.bytes);
                    if !ready!(written)? {
                        return Poll::Ready(Ok(Ok(())));
                    }
                    self.share.take_if(|_| self.bytes.is_empty());
                    self.stage = match (self.stage, self.bytes.is_empty()) {
                        (Stage::Ask, _) => Stage::Read,
                        (_, true) => Stage::Ask,
                        (_, false) => Stage::Give,
                    };
                }
                Stage::Read => {
                    let state = store.view().ctx.0.clone();
                    let (most, share) = room(store);
                    match self.input.read(&state, most) {
                        Ok(bytes) if bytes.is_empty() => {
                            self.waiting.on(store, self.input.clone(), cx);
                            ready!(self.writer.poll_closed_in(store.access(), cx))?;
                            return Poll::Ready(Ok(Ok(())));
                        }
                        Ok(bytes) => {
                            (self.bytes, self.share) = (bytes.into(), share);
                            self.stage = Stage::Give;
                        }
                        Err(Broken::Closed) => return Poll::Ready(Ok(Ok(()))),
                        Err(Broken::Failed(error)) => return Poll::Ready(Ok(Err(error))),
                        Err(Broken::Stop(error)) => return Poll::Ready(Err(error)),
                    }
                }
            }
        }
    }
}

/// Writes to the host for a guest.
pub(crate) struct Consumer {
    data: StreamReader<u8>,
    output: Arc<dyn Output>,
    /// What was taken from the guest, and how much of that is written.
    bytes: Vec<u8>,
    written: usize,
    share: Option<Share>,
    /// How much the guest may write.
    room: usize,
    /// Whether the guest writes no more.
    ended: bool,
    waiting: Waiting,
}

impl Consumer {
    pub(crate) fn new(data: StreamReader<u8>, output: Arc<dyn Output>) -> Consumer {
        let (bytes, waiting) = (Vec::new(), Waiting::default());
        Consumer { data, output, bytes, written: 0, share: None, room: 0, ended: false, waiting }
    }

    /// Goes on until the guest writes no more, or nothing more can be written; tells how
    /// that was.
    pub(crate) fn poll(
        &mut self,
        store: &mut dyn Store,
        cx: &mut Context<'_>,
    ) -> Poll<Result<std::result::Result<(), io::Error>>> {
        loop {
            let left = self.bytes.get(self.written..).unwrap_or_default();
            if left.is_empty() {
                if self.ended {
                    return Poll::Ready(Ok(Ok(())));
                }
                if self.room == 0 {
                    (self.bytes, self.written, self.share) = (Vec::new(), 0, None);
                    (self.room, self.share) = room(store);
                }
                let read = self.data.poll_read_in(store.access(), cx, &mut self.bytes, self.room);
                self.ended = !ready!(read)?;
                self.room = 0;
                continue;
            }
            let state = store.view().ctx.0.clone();
            let written = self.output.check_write(&state).and_then(|room| {
                let now = left.get(..room).unwrap_or(left);
                self.output.write(&state, now).map(|()| now.len())
            });
            match written {
                Ok(0) => {
                    self.waiting.on(store, self.output.clone(), cx);
                    return Poll::Pending;
                }
                Ok(written) => self.written += written,
                Err(Broken::Closed) => {
                    return Poll::Ready(Ok(Err(io::ErrorKind::BrokenPipe.into())));
                }
                Err(Broken::Failed(error)) => return Poll::Ready(Ok(Err(error))),
                Err(Broken::Stop(error)) => return Poll::Ready(Err(error)),
            }
        }
    }
}
