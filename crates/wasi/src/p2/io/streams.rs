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
use super::poll::{Pollable, Source, wait_for};
use crate::ctx::State;
use crate::host::Failure;
use crate::p2::WasiCtxView;
use crate::p2::table::{Answer, Failed, interface};
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

    /// Waits until what was written is handed on, before the guest has no stream any more.
    fn close(&self, _: &State) -> Streamed {
        Ok(())
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
        resource "output-stream": OutputStream, dropped by close;
        "[method]input-stream.read" = read(stream, len);
        "[method]input-stream.blocking-read" = blocking_read(stream, len);
        "[method]input-stream.skip" = skip(stream, len);
        "[method]input-stream.blocking-skip" = blocking_skip(stream, len);
        "[method]input-stream.subscribe" = subscribe_input(stream);
        "[method]output-stream.check-write" = check_write(stream);
        "[method]output-stream.write" = write(stream, bytes);
        "[method]output-stream.blocking-write-and-flush" = blocking_write_and_flush(stream, bytes);
        "[method]output-stream.flush" = flush(stream);
        "[method]output-stream.blocking-flush" = blocking_flush(stream);
        "[method]output-stream.subscribe" = subscribe_output(stream);
        "[method]output-stream.write-zeroes" = write_zeroes(stream, len);
        "[method]output-stream.blocking-write-zeroes-and-flush"
            = blocking_write_zeroes_and_flush(stream, len);
        "[method]output-stream.splice" = splice(stream, from, len);
        "[method]output-stream.blocking-splice" = blocking_splice(stream, from, len);
    }
}

/// Gets rid of a stream. What can not be handed on is lost, as the guest can see if it
/// flushes.
fn close(cx: &mut WasiCtxView<'_>, stream: OutputStream) -> Result<()> {
    match stream.0.close(&cx.ctx.0) {
        Ok(()) | Err(Broken::Closed | Broken::Failed(_)) => Ok(()),
        Err(Broken::Stop(error)) => Err(error),
    }
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

fn blocking_read(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<Vec<u8>, StreamError> {
    let result = read_some(&cx.ctx.0, &*cx.table.get(&stream)?.0, chunk(len));
    tell(cx, result)
}

/// Reads what there is, waiting for the first byte if any are wanted.
fn read_some(state: &State, input: &dyn Input, len: usize) -> Streamed<Vec<u8>> {
    loop {
        let bytes = input.read(state, len)?;
        if !bytes.is_empty() || len == 0 {
            return Ok(bytes);
        }
        wait_for(state, input)?;
    }
}

fn skip(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    Ok(read(cx, stream, len)?.len() as u64)
}

fn blocking_skip(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    Ok(blocking_read(cx, stream, len)?.len() as u64)
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

fn blocking_write_and_flush(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
    bytes: Vec<u8>,
) -> Answer<(), StreamError> {
    check_blocking("blocking-write-and-flush", bytes.len() as u64)?;
    let result = write_all(&cx.ctx.0, &*cx.table.get(&stream)?.0, &bytes);
    tell(cx, result)
}

/// Waits until all is written and handed on.
fn write_all(state: &State, output: &dyn Output, mut bytes: &[u8]) -> Streamed {
    while !bytes.is_empty() {
        let permitted = permit(state, output)?.min(bytes.len());
        output.write(state, &bytes[..permitted])?;
        bytes = &bytes[permitted..];
    }
    flush_all(state, output)
}

/// Waits until all that was written is handed on.
fn flush_all(state: &State, output: &dyn Output) -> Streamed {
    output.flush(state)?;
    match permit(state, output) {
        // What was written is, whatever comes after it.
        Ok(_) | Err(Broken::Closed) => Ok(()),
        Err(broken) => Err(broken),
    }
}

/// Waits until something can be written, and says how much.
fn permit(state: &State, output: &dyn Output) -> Streamed<usize> {
    loop {
        match output.check_write(state)? {
            0 => wait_for(state, output)?,
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

fn blocking_flush(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
) -> Answer<(), StreamError> {
    let result = flush_all(&cx.ctx.0, &*cx.table.get(&stream)?.0);
    tell(cx, result)
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

fn blocking_write_zeroes_and_flush(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
    len: u64,
) -> Answer<(), StreamError> {
    check_blocking("blocking-write-zeroes-and-flush", len)?;
    let zeros = &[0; BLOCKING_CHUNK][..len as usize];
    let result = write_all(&cx.ctx.0, &*cx.table.get(&stream)?.0, zeros);
    tell(cx, result)
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

fn blocking_splice(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutputStream>,
    from: Resource<InputStream>,
    len: u64,
) -> Answer<u64, StreamError> {
    let (output, input) = (&*cx.table.get(&stream)?.0, &*cx.table.get(&from)?.0);
    let state = &*cx.ctx.0;
    let moved = || {
        let permitted = permit(state, output)?.min(chunk(len));
        if permitted == 0 {
            return Ok(0);
        }
        let bytes = read_some(state, input, permitted)?;
        write_all(state, output, &bytes)?;
        Ok(bytes.len() as u64)
    };
    let result = moved();
    tell(cx, result)
}
