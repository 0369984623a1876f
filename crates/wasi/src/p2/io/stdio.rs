//! The standard streams as streams.

use std::io::{IoSlice, IoSliceMut};
use std::sync::atomic::{AtomicBool, Ordering};

use super::poll::{Interest, Source, is_ready};
use super::streams::{Broken, CHUNK, Input, Output, Streamed};
use crate::ctx::State;
use crate::host::poll::Direction;
use crate::host::stdio::Stream;

/// Standard input.
#[derive(Default)]
pub(crate) struct Stdin {
    /// Whether its end was seen.
    ended: AtomicBool,
}

impl Source for Stdin {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        match state.stdio.fd(Stream::In) {
            Some(fd) if !self.ended.load(Ordering::Relaxed) => {
                Interest::Descriptor(fd, Direction::Read)
            }
            // Of an embedder's stream only trying could tell.
            _ => Interest::Ready,
        }
    }
}

impl Input for Stdin {
    fn read(&self, state: &State, len: usize) -> Streamed<Vec<u8>> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(Broken::Closed);
        }
        if len == 0 || !is_ready(state, self)? {
            return Ok(Vec::new());
        }
        let mut bytes = vec![0; len];
        let read = state.stdio.read(&state.host, &mut [IoSliceMut::new(&mut bytes)])?;
        if read == 0 {
            self.ended.store(true, Ordering::Relaxed);
            return Err(Broken::Closed);
        }
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// Standard output or standard error.
///
/// A write is over when the host has taken it, as it is in preview 1: what
/// [`Stdio`](crate::host::stdio::Stdio) gathers then is for it to hand on, and flushing
/// after each line, as C libraries do, costs no system call a line.
pub(crate) struct Stdout(pub(crate) Stream);

impl Source for Stdout {
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a> {
        match state.stdio.fd(self.0) {
            Some(fd) => Interest::Descriptor(fd, Direction::Write),
            None => Interest::Ready,
        }
    }
}

impl Output for Stdout {
    fn check_write(&self, _: &State) -> Streamed<usize> {
        Ok(CHUNK)
    }

    fn write(&self, state: &State, bytes: &[u8]) -> Streamed {
        let mut left = bytes;
        while !left.is_empty() {
            let written = state.stdio.write(&state.host, self.0, &mut [IoSlice::new(left)])?;
            left = left.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn flush(&self, _: &State) -> Streamed {
        Ok(())
    }
}
