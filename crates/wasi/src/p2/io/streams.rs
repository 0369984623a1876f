//! Streams of bytes.
//!
//! A stream is one of the host's kinds behind [`Input`] or [`Output`]; what the guest
//! has is a handle to it, and a [`Pollable`](super::poll::Pollable) that is its child.
//! Whatever a stream holds for a guest is bounded by what one call moves: [`CHUNK`].

use std::io;
use std::sync::Arc;

use zwasm::{Error, Result, Trap};
use zwasm_component::Resource;

use super::IoError;
use super::poll::{Pollable, Source};
use crate::ctx::State;
use crate::host::Failure;
use crate::p2::WasiCtxView;
use crate::p2::table::{Answer, Failed, Store, interface};
use crate::p2::wit::wit_variant;

/// The most that one call reads or writes, in bytes.
pub(crate) const CHUNK: usize = 64 << 10;

/// The most that one call writes that waits for it: the limit of the specification.
const BLOCKING_CHUNK: usize = 4096;

wit_variant! {
    /// Why a stream does not do what it is asked to.
    StreamError {
        /// It went wrong; the error tells what.
        LastOperationFailed(error: Resource<IoError>) = "last-operation-failed",
        /// It is at its end.
        Closed = "closed",
    }
}

/// The same before the guest has a resource of it.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The stream is at its end.
    Closed,
    /// It went wrong.
    Failed(io::Error),
    /// The guest does not get control back.
    Stop(Error),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Broken {
        match failure {
            Failure::Refused => Broken::Failed(io::ErrorKind::PermissionDenied.into()),
            Failure::Interrupted => Broken::Stop(Trap::Interrupt.into()),
            Failure::System(error) => Broken::Failed(error),
        }
    }
}

/// What a kind of stream answers.
pub(crate) type Streamed<T = ()> = std::result::Result<T, Broken>;

/// A kind of stream that can be read.
pub(crate) trait Input: Source {
    /// Reads what there is, at most `len` bytes, without waiting: nothing if there is
    /// nothing yet.
    fn read(&self, state: &State, len: usize) -> Streamed<Vec<u8>>;
}

/// A kind of stream that can be written.
pub(crate) trait Output: Source {
    /// How much can be written at once now; none if it has to be waited for.
    fn check_write(&self, state: &State) -> Streamed<usize>;

    /// Writes all of the bytes, which are no more than was permitted.
    fn write(&self, state: &State, bytes: &[u8]) -> Streamed;

    /// Has what was written handed on. Until it is, nothing may be written.
    fn flush(&self, state: &State) -> Streamed;

    /// Has what was written handed on, before the guest has no stream any more. Whether it is;
    /// if not it has to be waited for.
    fn close(&self, _: &State) -> Streamed<bool> {
        Ok(true)
    }
}

/// A stream for a guest to read.
pub struct InputStream(pub(crate) Arc<dyn Input>);

/// A stream for a guest to write.
pub struct OutputStream(pub(crate) Arc<dyn Output>);

interface! {
    /// Defines `wasi:io/streams`.
    fn define_streams = "wasi:io/streams@0.2.12" {
        resource "input-stream": InputStream;
        resource "output-stream": OutputStream, closed by close;
        "[method]input-stream.read" = read(stream, len);
        "[method]input-stream.blocking-read" as waits = blocking_read(stream, len);
        "[method]input-stream.skip" = skip(stream, len);
        "[method]input-stream.blocking-skip" as waits = blocking_skip(stream, len);
        "[method]input-stream.subscribe" = subscribe_input(stream);
        "[method]output-stream.check-write" = check_write(stream);
        "[method]output-stream.write" = write(stream, bytes);
        "[method]output-stream.blocking-write-and-flush" as waits = blocking_write_and_flush(stream, bytes);
        "[method]output-stream.flush" = flush(stream);
        "[method]output-stream.blocking-flush" as waits = blocking_flush(stream);
        "[method]output-stream.subscribe" = subscribe_output(stream);
        "[method]output-stream.write-zeroes" = write_zeroes(stream, len);
        "[method]output-stream.blocking-write-zeroes-and-flush" as waits = blocking_write_zeroes_and_flush(stream, len);
        "[method]output-stream.splice" = splice(stream, from, len);
        "[method]output-stream.blocking-splice" as waits = blocking_splice(stream, from, len);
    }
}

/// Gets rid of a stream. What can not be handed on is lost, as the guest can see if it
/// flushes.
async fn close(store: &mut dyn Store, stream: OutputStream) -> Result<()> {
    loop {
        let closed = match stream.0.close(&store.view().ctx.0) {
            Ok(false) => wait_for(store, stream.0.clone()).await.map(|()| false),
            closed => closed,
        };
        match closed {
            Ok(false) => {}
            Ok(true) | Err(Broken::Closed | Broken::Failed(_)) => return Ok(()),
            Err(Broken::Stop(error)) => return Err(error),
        }
    }
}

/// Waits until a stream is ready.
async fn wait_for(store: &mut dyn Store, source: Arc<dyn Source>) -> Streamed {
    store.wait(&[source]).await?;
    Ok(())
}

/// What the guest is told.
fn tell<T>(cx: &mut WasiCtxView<'_>, result: Streamed<T>) -> Answer<T, StreamError> {
    Err(match result {
        Ok(value) => return Ok(value),
        Err(Broken::Closed) => Failed::With(StreamError::Closed),
        Err(Broken::Failed(error)) => {
            Failed::With(StreamError::LastOperationFailed(cx.push(IoError(error))?))
        }
        Err(Broken::Stop(error)) => Failed::Stop(error),
    })
}

/// A length that one call moves.
fn chunk(len: u64) -> usize {
    usize::try_from(len).unwrap_or(CHUNK).min(CHUNK)
}

fn read(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<Vec<u8>, StreamError> {
    let result = cx.table.get(&stream)?.0.read(&cx.ctx.0, chunk(len));
    tell(cx, result)
}

async fn blocking_read(
    store: &mut dyn Store,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<Vec<u8>, StreamError> {
    let input = store.view().table.get(&stream)?.0.clone();
    let result = read_some(store, &input, chunk(len)).await;
    tell(&mut store.view(), result)
}

/// Reads what there is, waiting for the first byte if any are wanted.
async fn read_some(store: &mut dyn Store, input: &Arc<dyn Input>, len: usize) -> Streamed<Vec<u8>> {
    loop {
        let bytes = input.read(&store.view().ctx.0, len)?;
        if !bytes.is_empty() || len == 0 {
            return Ok(bytes);
        }
        wait_for(store, input.clone()).await?;
    }
}

fn skip(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    Ok(read(cx, stream, len)?.len() as u64)
}

async fn blocking_skip(
    store: &mut dyn Store,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    Ok(blocking_read(store, stream, len).await?.len() as u64)
}

fn subscribe_input(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<InputStream>,
) -> Result<(Resource<Pollable>,)> {
    let source: Arc<dyn Source> = cx.table.get(&stream)?.0.clone();
    Ok((cx.push_child(Pollable(source), &stream)?,))
}

fn subscribe_output(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
) -> Result<(Resource<Pollable>,)> {
    let source: Arc<dyn Source> = cx.table.get(&stream)?.0.clone();
    Ok((cx.push_child(Pollable(source), &stream)?,))
}

fn check_write(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
) -> Answer<u64, StreamError> {
    let result = cx.table.get(&stream)?.0.check_write(&cx.ctx.0);
    Ok(tell(cx, result)? as u64)
}

fn write(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
    bytes: Vec<u8>,
) -> Answer<(), StreamError> {
    let result = cx.table.get(&stream)?.0.write(&cx.ctx.0, &bytes);
    tell(cx, result)
}

async fn blocking_write_and_flush(
    store: &mut dyn Store,
    stream: Resource<OutputStream>,
    bytes: Vec<u8>,
) -> Answer<(), StreamError> {
    check_blocking("blocking-write-and-flush", bytes.len() as u64)?;
    let output = store.view().table.get(&stream)?.0.clone();
    let result = write_all(store, &output, &bytes).await;
    tell(&mut store.view(), result)
}

/// Waits until all is written and handed on.
async fn write_all(store: &mut dyn Store, output: &Arc<dyn Output>, mut bytes: &[u8]) -> Streamed {
    while !bytes.is_empty() {
        let permitted = permit(store, output).await?.min(bytes.len());
        output.write(&store.view().ctx.0, &bytes[..permitted])?;
        bytes = &bytes[permitted..];
    }
    flush_all(store, output).await
}

/// Waits until all that was written is handed on.
async fn flush_all(store: &mut dyn Store, output: &Arc<dyn Output>) -> Streamed {
    output.flush(&store.view().ctx.0)?;
    match permit(store, output).await {
        // What was written is, whatever comes after it.
        Ok(_) | Err(Broken::Closed) => Ok(()),
        Err(broken) => Err(broken),
    }
}

/// Waits until something can be written, and says how much.
async fn permit(store: &mut dyn Store, output: &Arc<dyn Output>) -> Streamed<usize> {
    loop {
        match output.check_write(&store.view().ctx.0)? {
            0 => wait_for(store, output.clone()).await?,
            permitted => return Ok(permitted),
        }
    }
}

fn check_blocking(name: &str, len: u64) -> Result<()> {
    match len <= BLOCKING_CHUNK as u64 {
        true => Ok(()),
        false => Err(Error::msg(format!(
            "'{name}' takes at most {BLOCKING_CHUNK} bytes at once, and not {len}"
        ))),
    }
}

fn flush(cx: &mut WasiCtxView<'_>, stream: Resource<OutputStream>) -> Answer<(), StreamError> {
    let result = cx.table.get(&stream)?.0.flush(&cx.ctx.0);
    tell(cx, result)
}

async fn blocking_flush(
    store: &mut dyn Store,
    stream: Resource<OutputStream>,
) -> Answer<(), StreamError> {
    let output = store.view().table.get(&stream)?.0.clone();
    let result = flush_all(store, &output).await;
    tell(&mut store.view(), result)
}

fn write_zeroes(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
    len: u64,
) -> Answer<(), StreamError> {
    let output = &*cx.table.get(&stream)?.0;
    let result = match output.check_write(&cx.ctx.0) {
        Ok(permitted) if len > permitted as u64 => Err(Broken::Stop(Error::msg(format!(
            "'write-zeroes' was permitted {permitted} bytes, and not {len}"
        )))),
        Ok(_) => output.write(&cx.ctx.0, &vec![0; len as usize]),
        Err(broken) => Err(broken),
    };
    tell(cx, result)
}

async fn blocking_write_zeroes_and_flush(
    store: &mut dyn Store,
    stream: Resource<OutputStream>,
    len: u64,
) -> Answer<(), StreamError> {
    check_blocking("blocking-write-zeroes-and-flush", len)?;
    let output = store.view().table.get(&stream)?.0.clone();
    let zeros = &[0; BLOCKING_CHUNK][..len as usize];
    let result = write_all(store, &output, zeros).await;
    tell(&mut store.view(), result)
}

fn splice(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
    from: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    let (output, input) = (&*cx.table.get(&stream)?.0, &*cx.table.get(&from)?.0);
    let state = &*cx.ctx.0;
    let moved = || {
        let permitted = output.check_write(state)?.min(chunk(len));
        if permitted == 0 {
            return Ok(0);
        }
        let bytes = input.read(state, permitted)?;
        if !bytes.is_empty() {
            output.write(state, &bytes)?;
        }
        Ok(bytes.len() as u64)
    };
    let result = moved();
    tell(cx, result)
}

async fn blocking_splice(
    store: &mut dyn Store,
    stream: Resource<OutputStream>,
    from: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    let output = store.view().table.get(&stream)?.0.clone();
    let input = store.view().table.get(&from)?.0.clone();
    let result = move_some(store, &output, &input, chunk(len)).await;
    tell(&mut store.view(), result)
}

/// Waits until something can be written and something read, and moves it.
async fn move_some(
    store: &mut dyn Store,
    output: &Arc<dyn Output>,
    input: &Arc<dyn Input>,
    len: usize,
) -> Streamed<u64> {
    let permitted = permit(store, output).await?.min(len);
    if permitted == 0 {
        return Ok(0);
    }
    let bytes = read_some(store, input, permitted).await?;
    write_all(store, output, &bytes).await?;
    Ok(bytes.len() as u64)
}
