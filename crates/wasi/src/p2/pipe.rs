//! Streams in memory for a guest's standard input and output.
//!
//! ```
//! use zwasm_wasi::WasiCtxBuilder;
//! use zwasm_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
//! let stdout = MemoryOutputPipe::new(4096);
//! let wasi = WasiCtxBuilder::new()
//!     .stdin(MemoryInputPipe::new("a line\n"))
//!     .stdout(stdout.clone())
//!     .build_p1();
//! # drop(wasi);
//! assert!(stdout.contents().is_empty());
//! ```

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes for a guest to read. Clones read the same stream.
#[derive(Clone, Debug)]
pub struct MemoryInputPipe(Arc<Mutex<io::Cursor<Vec<u8>>>>);

impl MemoryInputPipe {
    /// A stream of these bytes, and then its end.
    pub fn new(bytes: impl Into<Vec<u8>>) -> MemoryInputPipe {
        MemoryInputPipe(Arc::new(Mutex::new(io::Cursor::new(bytes.into()))))
    }

    /// Whether all bytes have been read.
    pub fn is_empty(&self) -> bool {
        let stream = locked(&self.0);
        stream.position() >= stream.get_ref().len() as u64
    }
}

impl Read for MemoryInputPipe {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        locked(&self.0).read(bytes)
    }
}

/// Takes what a guest writes, up to so many bytes. Give the guest a clone, and read here
/// what came. [`MemoryPipe`](crate::MemoryPipe) has no limit.
#[derive(Clone, Debug)]
pub struct MemoryOutputPipe {
    capacity: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

impl MemoryOutputPipe {
    /// A stream with room for so many bytes: writing fails when it is full.
    pub fn new(capacity: usize) -> MemoryOutputPipe {
        MemoryOutputPipe { capacity, written: Arc::default() }
    }

    /// Everything written so far.
    pub fn contents(&self) -> Vec<u8> {
        locked(&self.written).clone()
    }

    /// What was written, without a copy, if there is no clone of this any more.
    pub fn try_into_inner(self) -> Option<Vec<u8>> {
        let written = Arc::into_inner(self.written)?;
        Some(written.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for MemoryOutputPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = locked(&self.written);
        let room = self.capacity.saturating_sub(written.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "write beyond capacity of MemoryOutputPipe",
            ));
        }
        let taken = bytes.len().min(room);
        written.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a panic elsewhere left is whole: nothing here panics between two changes.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_read_the_same_stream() {
        let mut pipe = MemoryInputPipe::new(*b"abc");
        let mut other = pipe.clone();
        let mut byte = [0];
        assert_eq!(pipe.read(&mut byte).unwrap(), 1);
        let mut rest = String::new();
        other.read_to_string(&mut rest).unwrap();
        assert_eq!((byte, rest.as_str(), pipe.is_empty()), ([b'a'], "bc", true));
    }

    #[test]
    fn a_full_pipe_takes_no_more_and_keeps_what_it_has() {
        let pipe = MemoryOutputPipe::new(4);
        let mut guest = pipe.clone();
        assert_eq!(guest.write(b"abcdef").unwrap(), 4);
        assert_eq!(guest.write(b"").unwrap(), 0);
        assert_eq!(guest.write(b"g").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(pipe.contents(), b"abcd");
        assert!(guest.try_into_inner().is_none());
        assert_eq!(pipe.try_into_inner().unwrap(), b"abcd");
    }
}
