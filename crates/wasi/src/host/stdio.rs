//! The three standard streams.
//!
//! Each is the process's own or any `Read`/`Write` of the embedder's. Only the
//! process's own standard output is buffered, and only when it is no terminal.
//!
//! What a guest writes must not be lost when it is killed, hangs or computes
//! for an hour, and must not cost a system call a line either. So writes go
//! straight through as long as they come at a modest pace ([`Pace`]), and are
//! gathered only while they come faster. What is gathered is written when the
//! buffer is full, as soon as the pace allows it, before standard input or a
//! poll may block, before standard error is written, and at the end.

use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::io::{self, IoSlice, IoSliceMut, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::fs::file;
use super::poll::{self, Direction};

/// The bytes of standard output that are gathered at most.
const CAPACITY: usize = 32 * 1024;

/// The standard streams of a guest.
pub(crate) struct Stdio {
    pub stdin: Input,
    pub stdout: Output,
    pub stderr: Output,
}

/// Which of the standard streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    In,
    Out,
    Err,
}

impl Stdio {
    /// The host's descriptor behind a stream, if there is one.
    pub(crate) fn fd(&self, stream: Stream) -> Option<BorrowedFd<'static>> {
        match stream {
            Stream::In => self.stdin.fd(),
            Stream::Out => self.stdout.fd(),
            Stream::Err => self.stderr.fd(),
        }
    }

    /// Reads standard input, waiting for the first byte; 0 at the end.
    pub(crate) fn read(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        // A prompt must be seen before its answer is waited for. That it can
        // not be written is no reason not to read.
        let _ = self.flush();
        self.stdin.read(buffers)
    }

    /// Writes all of `buffers`; less only when an error came after a part.
    pub(crate) fn write(
        &mut self,
        stream: Stream,
        buffers: &mut [IoSlice<'_>],
    ) -> io::Result<usize> {
        match stream {
            Stream::In => Err(Errno::BADF.into()),
            Stream::Out => self.stdout.write(buffers),
            Stream::Err => {
                // Both often go to the same place, where order matters.
                let _ = self.stdout.flush();
                self.stderr.write(buffers)
            }
        }
    }

    /// Hands everything written so far to the host. What an error keeps from
    /// being written stays for the next attempt.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush().and(self.stderr.flush())
    }
}

/// Where standard input comes from.
pub(crate) enum Input {
    Inherited(BorrowedFd<'static>),
    Custom(Box<dyn Read + Send>),
}

/// Where standard output or standard error go.
pub(crate) struct Output {
    sink: Sink,
    /// Empty unless the guest is writing fast; never above [`CAPACITY`].
    pending: Vec<u8>,
    /// `None` when every write goes straight through.
    pace: Option<Pace>,
}

enum Sink {
    Inherited(BorrowedFd<'static>),
    Custom(Box<dyn Write + Send>),
}

impl Input {
    /// The process's own standard input.
    pub(crate) fn inherit() -> Input {
        Input::Inherited(rustix::stdio::stdin())
    }

    fn fd(&self) -> Option<BorrowedFd<'static>> {
        match self {
            Input::Inherited(fd) => Some(*fd),
            Input::Custom(_) => None,
        }
    }

    fn read(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self {
            Input::Custom(reader) => reader.read_vectored(buffers),
            Input::Inherited(fd) => loop {
                match file::read(*fd, buffers) {
                    // Whoever shares the stream with us made it non-blocking.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        poll::wait_ready(*fd, Direction::Read)?;
                    }
                    result => return result,
                }
            },
        }
    }
}

impl Output {
    /// The process's own standard output.
    pub(crate) fn inherit_stdout() -> Output {
        let fd = rustix::stdio::stdout();
        let pace = (!fd.is_terminal()).then(Pace::default);
        Output { sink: Sink::Inherited(fd), pending: Vec::new(), pace }
    }

    /// The process's own standard error.
    pub(crate) fn inherit_stderr() -> Output {
        let sink = Sink::Inherited(rustix::stdio::stderr());
        Output { sink, pending: Vec::new(), pace: None }
    }

    /// A stream of the embedder's; buffering it is up to them.
    pub(crate) fn custom(writer: Box<dyn Write + Send>) -> Output {
        Output { sink: Sink::Custom(writer), pending: Vec::new(), pace: None }
    }

    fn fd(&self) -> Option<BorrowedFd<'static>> {
        match &self.sink {
            Sink::Inherited(fd) => Some(*fd),
            Sink::Custom(_) => None,
        }
    }

    fn write(&mut self, buffers: &mut [IoSlice<'_>]) -> io::Result<usize> {
        let len = buffers.iter().map(|buffer| buffer.len()).sum::<usize>();
        if let Some(pace) = &mut self.pace
            && len < CAPACITY
            && !pace.allows_now()
        {
            if self.pending.len() + len > CAPACITY {
                self.flush_pending()?;
            }
            self.pending.reserve_exact(CAPACITY - self.pending.len());
            for buffer in buffers {
                self.pending.extend_from_slice(buffer);
            }
            return Ok(len);
        }
        self.flush_pending()?;
        match &mut self.sink {
            Sink::Inherited(fd) => write_all(*fd, buffers),
            Sink::Custom(writer) => {
                for buffer in buffers.iter() {
                    writer.write_all(buffer)?;
                }
                Ok(len)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_pending()?;
        match &mut self.sink {
            Sink::Inherited(_) => Ok(()),
            Sink::Custom(writer) => writer.flush(),
        }
    }

    fn flush_pending(&mut self) -> io::Result<()> {
        let Sink::Inherited(fd) = &self.sink else { return Ok(()) };
        while !self.pending.is_empty() {
            let written = write_all(*fd, &mut [IoSlice::new(&self.pending)])?;
            self.pending.drain(..written);
        }
        Ok(())
    }
}

/// Writes all of `buffers`, waiting where the descriptor does not block; less
/// only when an error came after a part.
fn write_all(fd: BorrowedFd<'_>, mut buffers: &mut [IoSlice<'_>]) -> io::Result<usize> {
    let mut total = 0;
    // Drops leading empty buffers, and thereby decides whether there are any.
    IoSlice::advance_slices(&mut buffers, 0);
    while !buffers.is_empty() {
        match file::write(fd, buffers) {
            Ok(0) if total == 0 => return Err(io::ErrorKind::WriteZero.into()),
            Ok(0) => break,
            Ok(written) => {
                total += written;
                IoSlice::advance_slices(&mut buffers, written);
            }
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::INTR) => {}
                Some(Errno::AGAIN) => poll::wait_ready(fd, Direction::Write)?,
                _ if total > 0 => break,
                _ => return Err(error),
            },
        }
    }
    Ok(total)
}

/// Tells a guest that prints from one that pours: every write costs a credit,
/// and credits come back with time.
struct Pace {
    credit: u32,
    since: Option<Instant>,
}

impl Pace {
    /// The writes that may come at once, enough for most programs' whole life.
    const BURST: u32 = 256;
    /// The time that earns a credit: at 5 to 10 µs for a system call, a guest
    /// that pours spends a tenth of its time in them at most.
    const MICROS: u128 = 100;

    fn allows_now(&mut self) -> bool {
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        let earned = now.duration_since(since).as_micros() / Self::MICROS;
        if earned > 0 {
            self.credit = self.credit.saturating_add(earned as u32).min(Self::BURST);
            self.since = Some(now);
        }
        let allows = self.credit > 0;
        self.credit -= u32::from(allows);
        allows
    }
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { credit: Pace::BURST, since: None }
    }
}

/// A stream in memory: give a clone of it to a guest as standard output or
/// standard error, and read back what came.
///
/// For standard input, any `Read` will do: `io::Cursor`, or `io::empty()`.
#[derive(Clone, Default, Debug)]
pub struct MemoryPipe(Arc<Mutex<Vec<u8>>>);

impl MemoryPipe {
    /// An empty stream.
    pub fn new() -> MemoryPipe {
        MemoryPipe::default()
    }

    /// Everything written so far.
    pub fn contents(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for MemoryPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use std::io::{PipeReader, PipeWriter, pipe};
    use std::thread;

    /// Standard output as it is when it goes to a pipe.
    fn piped() -> (PipeReader, Output) {
        let (reader, writer) = pipe().unwrap();
        let writer: &'static PipeWriter = Box::leak(Box::new(writer));
        let sink = Sink::Inherited(writer.as_fd());
        (reader, Output { sink, pending: Vec::new(), pace: Some(Pace::default()) })
    }

    fn write(output: &mut Output, bytes: &[u8]) -> io::Result<usize> {
        output.write(&mut [IoSlice::new(bytes), IoSlice::new(&[])])
    }

    /// Makes the next write one too many.
    fn exhaust(output: &mut Output) {
        output.pace = Some(Pace { credit: 0, since: None });
    }

    fn read(reader: &mut PipeReader, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_few_writes_go_straight_through() {
        let (mut reader, mut output) = piped();
        for _ in 0..100 {
            assert_eq!(write(&mut output, b"line\n").unwrap(), 5);
            assert!(output.pending.is_empty());
        }
        assert_eq!(read(&mut reader, 500), b"line\n".repeat(100));
    }

    #[test]
    fn many_writes_are_gathered_and_all_arrive() {
        let (mut reader, mut output) = piped();
        let expected: Vec<u8> = (0..100_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let len = expected.len();
        let arrived = thread::spawn(move || read(&mut reader, len));
        let mut gathered = false;
        for line in expected.split_inclusive(|&byte| byte == b'\n') {
            assert_eq!(write(&mut output, line).unwrap(), line.len());
            gathered |= !output.pending.is_empty();
            assert!(output.pending.capacity() <= CAPACITY);
        }
        output.flush().unwrap();
        assert!(gathered);
        assert!(arrived.join().unwrap() == expected);
    }

    #[test]
    fn what_is_gathered_comes_before_what_is_large() {
        let (mut reader, mut output) = piped();
        exhaust(&mut output);
        write(&mut output, b"small").unwrap();
        assert_eq!(output.pending, b"small");
        let large = vec![b'x'; CAPACITY];
        assert_eq!(write(&mut output, &large).unwrap(), large.len());
        assert_eq!(read(&mut reader, 6), b"smallx");
    }

    #[test]
    fn a_full_pipe_that_does_not_block_is_waited_for() {
        let (mut reader, mut output) = piped();
        rustix::io::ioctl_fionbio(output.fd().unwrap(), true).unwrap();
        let large: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
        let len = large.len();
        let arrived = thread::spawn(move || read(&mut reader, len));
        assert_eq!(write(&mut output, &large).unwrap(), len);
        assert!(arrived.join().unwrap() == large);
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error_and_loses_nothing_silently() {
        let (reader, mut output) = piped();
        drop(reader);
        let error = write(&mut output, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        exhaust(&mut output);
        write(&mut output, b"kept").unwrap();
        for _ in 0..2 {
            assert_eq!(output.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(output.pending, b"kept");
        }
    }

    #[test]
    fn an_embedder_sees_every_write_at_once() {
        let pipe = MemoryPipe::new();
        let mut output = Output::custom(Box::new(pipe.clone()));
        for _ in 0..1000 {
            write(&mut output, b"x").unwrap();
        }
        assert_eq!(pipe.contents().len(), 1000);
    }
}
