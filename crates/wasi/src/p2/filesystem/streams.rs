//! Files as streams.
//!
//! A stream of a file with positions has one of its own, and never waits. What has no
//! positions, a pipe say, is read and written as it comes.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::{File, retry};
use super::types::ErrorCode;
use crate::ctx::State;
use crate::host::fs::file;
use crate::host::poll::Direction;
use crate::host::sys::AsFd;
use crate::p1::Errno;
use crate::p2::io::poll::{Interest, Source, is_ready};
use crate::p2::io::streams::{Broken, CHUNK, Input, Output, Streamed};

/// Where a stream stands.
#[derive(Clone, Copy)]
enum Position {
    At(u64),
    End,
    /// Nothing can be read or written any more.
    Closed,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing leaves it half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waiting for a file: only what has no positions makes one wait.
fn interest(file: &File, direction: Direction) -> Interest<'_> {
    match file.has_positions() {
        true => Interest::Ready,
        false => Interest::Descriptor(file.fd.as_fd(), direction),
    }
}

/// A file that is read.
pub(crate) struct FileInput {
    file: Arc<File>,
    position: Mutex<Position>,
}

impl FileInput {
    pub(crate) fn new(file: Arc<File>, offset: u64) -> FileInput {
        FileInput { file, position: Mutex::new(Position::At(offset)) }
    }
}

impl Source for FileInput {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        match *lock(&self.position) {
            Position::Closed => Interest::Ready,
            Position::At(_) | Position::End => interest(&self.file, Direction::Read),
        }
    }
}

impl Input for FileInput {
    fn read(&self, state: &State, len: usize) -> Streamed<Vec<u8>> {
        let waits = !self.file.has_positions();
        if waits && !is_ready(state, self)? {
            return Ok(Vec::new());
        }
        let mut position = lock(&self.position);
        let Position::At(offset) = *position else { return Err(Broken::Closed) };
        if len == 0 {
            return Ok(Vec::new());
        }
        let mut bytes = vec![0; len];
        let buffers = &mut [IoSliceMut::new(&mut bytes)];
        // Unless something was read.
        *position = Position::Closed;
        let read = retry(|| match waits {
            true => file::read(&state.host, self.file.handle(), buffers),
            false => file::read_at(&state.host, self.file.handle(), buffers, offset),
        })?;
        if read == 0 {
            return Err(Broken::Closed);
        }
        *position = Position::At(offset.saturating_add(read as u64));
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// A file that is written.
pub(crate) struct FileOutput {
    file: Arc<File>,
    position: Mutex<Position>,
}

impl FileOutput {
    /// From an offset on.
    pub(crate) fn at(file: Arc<File>, offset: u64) -> FileOutput {
        FileOutput { file, position: Mutex::new(Position::At(offset)) }
    }

    /// At the end, wherever that is each time.
    pub(crate) fn at_end(file: Arc<File>) -> FileOutput {
        FileOutput { file, position: Mutex::new(Position::End) }
    }
}

impl Source for FileOutput {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        match *lock(&self.position) {
            Position::Closed => Interest::Ready,
            Position::At(_) | Position::End => interest(&self.file, Direction::Write),
        }
    }
}

impl Output for FileOutput {
    fn check_write(&self, state: &State) -> Streamed<usize> {
        if matches!(*lock(&self.position), Position::Closed) {
            return Err(Broken::Closed);
        }
        match self.file.has_positions() || is_ready(state, self)? {
            true => Ok(CHUNK),
            false => Ok(0),
        }
    }

    fn write(&self, state: &State, mut bytes: &[u8]) -> Streamed {
        let mut position = lock(&self.position);
        while !bytes.is_empty() {
            let buffers = &[IoSlice::new(bytes)];
            let (host, handle) = (&state.host, self.file.handle());
            let written = retry(|| match *position {
                Position::Closed => Ok(0),
                _ if !self.file.has_positions() => file::write(host, handle, buffers),
                Position::End => file::append(host, handle, buffers),
                Position::At(offset) => file::write_at(host, handle, buffers, offset, false),
            });
            match (*position, written) {
                (Position::Closed, _) => return Err(Broken::Closed),
                (_, Ok(0)) => {
                    *position = Position::Closed;
                    return Err(Broken::Failed(ErrorKind::WriteZero.into()));
                }
                (_, Err(failure)) => {
                    *position = Position::Closed;
                    return Err(failure.into());
                }
                (at, Ok(written)) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    if let Position::At(offset) = at {
                        *position = Position::At(offset.saturating_add(written as u64));
                    }
                }
            }
        }
        Ok(())
    }

    fn flush(&self, _: &State) -> Streamed {
        match *lock(&self.position) {
            Position::Closed => Err(Broken::Closed),
            Position::At(_) | Position::End => Ok(()),
        }
    }
}

/// The code of an error of a stream, if the system has one for it.
pub(crate) fn code_of(error: &io::Error) -> Option<ErrorCode> {
    match error.get_ref() {
        // What somebody else made up is no error of files.
        Some(_) => None,
        None => Some(Errno::from(copy(error)).into()),
    }
}

/// The same error once more, which the type itself has no way to make.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}
