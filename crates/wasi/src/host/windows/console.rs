//! This process's console.
//!
//! It takes and gives text in an encoding of its own; the standard library translates.
//! Nothing tells whether a line can be read without waiting, and waiting for one can
//! not be interrupted: so a thread reads, when something is asked for, and what it has
//! read is taken from here.

use std::io::{self, ErrorKind, IoSliceMut, Read, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::host::stdio::Stream;

/// What was typed and not read yet.
struct Typed {
    bytes: Vec<u8>,
    /// How reading went on behind them: at its end, or with an error.
    end: Option<io::Result<()>>,
    /// Whether the thread is reading.
    reading: bool,
}

static TYPED: Mutex<Typed> = Mutex::new(Typed { bytes: Vec::new(), end: None, reading: false });
static CHANGED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Typed> {
    TYPED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Typed {
    fn is_ready(&self) -> bool {
        !self.bytes.is_empty() || self.end.is_some()
    }

    /// Has something read, unless there is something.
    fn ask(&mut self) -> io::Result<()> {
        if self.is_ready() || self.reading {
            return Ok(());
        }
        thread::Builder::new().name(String::from("console")).spawn(read_once)?;
        self.reading = true;
        Ok(())
    }
}

fn read_once() {
    let mut buffer = vec![0; 8192];
    let result = io::stdin().read(&mut buffer);
    let mut typed = lock();
    typed.reading = false;
    match result {
        Ok(0) => typed.end = Some(Ok(())),
        Ok(read) => typed.bytes.extend_from_slice(&buffer[..read]),
        Err(error) => typed.end = Some(Err(error)),
    }
    CHANGED.notify_all();
}

/// How many bytes can be read without waiting, if reading need not wait. Has something
/// read otherwise.
pub(super) fn readable() -> Option<u64> {
    let mut typed = lock();
    if typed.ask().is_err() {
        // Reading tells.
        return Some(0);
    }
    typed.is_ready().then_some(typed.bytes.len() as u64)
}

/// Reads what was typed, waiting for a line; 0 at an end, behind which there can be
/// more.
pub(super) fn read(buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let mut typed = lock();
    typed.ask()?;
    while !typed.is_ready() {
        typed = CHANGED.wait(typed).unwrap_or_else(PoisonError::into_inner);
        typed.ask()?;
    }
    if typed.bytes.is_empty() {
        return typed.end.take().unwrap_or(Ok(())).map(|()| 0);
    }
    let mut total = 0;
    for buffer in buffers {
        let count = buffer.len().min(typed.bytes.len() - total);
        buffer[..count].copy_from_slice(&typed.bytes[total..total + count]);
        total += count;
    }
    typed.bytes.drain(..total);
    Ok(total)
}

/// Writes text. Bytes that are none are replaced.
pub(super) fn write(stream: Stream, bytes: &[u8]) -> io::Result<usize> {
    let mut out: Box<dyn Write> = match stream {
        Stream::Err => Box::new(io::stderr()),
        Stream::Out | Stream::In => Box::new(io::stdout()),
    };
    let written = match out.write(bytes) {
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            out.write_all(String::from_utf8_lossy(bytes).as_bytes())?;
            bytes.len()
        }
        result => result?,
    };
    out.flush()?;
    Ok(written)
}
