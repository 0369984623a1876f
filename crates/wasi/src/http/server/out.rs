//! Bytes on their way to a socket.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use crate::host::sys::{self, AsFd, OwnedFd};

/// From so many bytes on, a piece is sent from where it is, and not copied behind others.
const LARGE: usize = 4096;

/// The pieces that are sent by one call, at most.
const AT_ONCE: usize = 8;

/// Bytes to be sent, in pieces.
#[derive(Default)]
pub(super) struct Out {
    pieces: VecDeque<Vec<u8>>,
    /// How much of the first is sent.
    sent: usize,
    /// What is left of all.
    len: usize,
}

impl Out {
    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets what is left.
    pub(super) fn clear(&mut self) {
        *self = Out::default();
    }

    /// Adds bytes that a function writes.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let small = |piece: &&mut Vec<u8>| piece.len() < LARGE;
        if self.pieces.back_mut().as_ref().is_none_or(|piece| !small(piece)) {
            self.pieces.push_back(Vec::new());
        }
        if let Some(last) = self.pieces.back_mut() {
            let before = last.len();
            write(last);
            self.len += last.len() - before;
        }
    }

    /// Adds bytes.
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if bytes.len() < LARGE {
            return self.write(|out| out.extend_from_slice(&bytes));
        }
        self.len += bytes.len();
        self.pieces.push_back(bytes);
    }

    /// Sends what can be sent without waiting. `WouldBlock` if something is left.
    pub(super) fn send(&mut self, socket: &OwnedFd) -> io::Result<()> {
        while self.len > 0 {
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            let mut count = 0;
            for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                let from = if count == 0 { self.sent } else { 0 };
                *slice = IoSlice::new(&piece[from..]);
                count += 1;
            }
            match sys::send(socket.as_fd(), &slices[..count]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => self.took(sent),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn took(&mut self, bytes: usize) {
        self.len -= bytes;
        self.sent += bytes;
        while let Some(first) = self.pieces.front()
            && self.sent >= first.len()
        {
            self.sent -= first.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn pieces_come_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = OwnedFd::from(listener.accept().unwrap().0);
        let (mut out, mut all) = (Out::default(), Vec::new());
        for (at, size) in [3, 5000, 0, 70_000, 1, 4095, 4096, 9].into_iter().cycle().enumerate() {
            let piece = vec![at as u8; size];
            all.extend_from_slice(&piece);
            match at % 2 {
                0 => out.push(piece),
                _ => out.write(|out| out.extend_from_slice(&piece)),
            }
            if all.len() > 8 << 20 {
                break;
            }
        }
        assert_eq!(out.len(), all.len());
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            client.read_to_end(&mut got).unwrap();
            got
        });
        while let Err(error) = out.send(&server) {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            std::thread::yield_now();
        }
        assert!(out.is_empty() && out.pieces.is_empty());
        drop(server);
        assert!(reader.join().unwrap() == all);
    }
}
