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

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::fs::file::ATOMIC_WRITE;
use super::fs::{FileKind, file};
use super::poll::{self, Direction};
use super::sys::{self, AsFd, BorrowedFd, OwnedFd};
use super::{Host, Result};
use crate::Capabilities;

/// The bytes of standard output that are gathered at most.
const CAPACITY: usize = 32 * 1024;

/// The standard streams of a guest, which its threads share: two that write take
/// turns.
pub(crate) struct Stdio {
    stdin: Input,
    stdout: Mutex<Output>,
    stderr: Mutex<Output>,
    /// Which the guest does not want to wait for. Kept here and not set on the
    /// host's descriptors, which the process shares with whoever started it.
    nonblock: [AtomicBool; 3],
    /// What they are, once somebody has asked.
    kinds: [OnceLock<(FileKind, bool)>; 3],
}

/// Which of the standard streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    In = 0,
    Out = 1,
    Err = 2,
}

impl Stdio {
    pub(crate) fn new(stdin: Input, stdout: Output, stderr: Output) -> Stdio {
        Stdio {
            stdin,
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            nonblock: Default::default(),
            kinds: Default::default(),
        }
    }

    /// The host's descriptor behind a stream, if there is one.
    pub(crate) fn fd(&self, stream: Stream) -> Option<BorrowedFd<'_>> {
        match stream {
            Stream::In => self.stdin.fd(),
            Stream::Out => lock(&self.stdout).fd(),
            Stream::Err => lock(&self.stderr).fd(),
        }
    }

    /// What kind of file is behind a stream, and whether it is a terminal. Guests of a server
    /// share the streams, and the system is asked once.
    pub(crate) fn kind(&self, stream: Stream) -> (FileKind, bool) {
        *self.kinds[stream as usize].get_or_init(|| {
            let fd = self.fd(stream);
            let kind = fd.and_then(|fd| file::kind(fd).ok()).unwrap_or(FileKind::Unknown);
            (kind, fd.is_some_and(|fd| sys::is_terminal(fd, kind)))
        })
    }

    /// Whether the guest does not want to wait for a stream.
    pub(crate) fn nonblock(&self, stream: Stream) -> &AtomicBool {
        &self.nonblock[stream as usize]
    }

    /// Reads standard input, waiting for the first byte; 0 at the end.
    pub(crate) fn read(&self, host: &Host, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        host.require(Capabilities::STDIO)?;
        self.check_ready(host, Stream::In, Direction::Read)?;
        // A prompt must be seen before its answer is waited for. That it can
        // not be written is no reason not to read.
        let _ = self.flush(host);
        self.stdin.read(host, buffers)
    }

    /// Writes all of `buffers`; less only when an error came after a part.
    pub(crate) fn write(
        &self,
        host: &Host,
        stream: Stream,
        buffers: &mut [IoSlice<'_>],
    ) -> Result<usize> {
        host.require(Capabilities::STDIO)?;
        self.check_ready(host, stream, Direction::Write)?;
        match stream {
            Stream::In => Err(sys::bad_descriptor().into()),
            Stream::Out => lock(&self.stdout).write(host, buffers),
            Stream::Err => {
                // Both often go to the same place, where order matters.
                let _ = lock(&self.stdout).flush(host);
                lock(&self.stderr).write(host, buffers)
            }
        }
    }

    /// Hands everything written so far to the host. What an error keeps from
    /// being written stays for the next attempt.
    pub(crate) fn flush(&self, host: &Host) -> Result {
        let stdout = lock(&self.stdout).flush(host);
        stdout.and(lock(&self.stderr).flush(host))
    }

    /// That a stream the guest wants not to wait for is ready.
    fn check_ready(&self, host: &Host, stream: Stream, direction: Direction) -> Result {
        if !self.nonblock(stream).load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.fd(stream) {
            Some(fd) if !poll::is_ready(host, fd, direction)? => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A stream of the embedder's that panicked is as good as before.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where standard input comes from.
pub(crate) enum Input {
    Inherited(BorrowedFd<'static>),
    Owned(OwnedFd),
    Custom(Mutex<Box<dyn Read + Send>>),
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
        Input::Inherited(sys::stdin())
    }

    /// A stream of the embedder's.
    pub(crate) fn custom(reader: Box<dyn Read + Send>) -> Input {
        Input::Custom(Mutex::new(reader))
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Input::Inherited(fd) => Some(*fd),
            Input::Owned(fd) => Some(fd.as_fd()),
            Input::Custom(_) => None,
        }
    }

    fn read(&self, host: &Host, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        let fd = match self {
            Input::Custom(reader) => {
                let room = buffers.iter().map(|buffer| buffer.len()).sum();
                // The embedder's reader may claim more than it was given room for.
                return Ok(lock(reader).read_vectored(buffers)?.min(room));
            }
            Input::Inherited(fd) => *fd,
            Input::Owned(fd) => fd.as_fd(),
        };
        loop {
            poll::wait_if_interruptible(host, fd, Direction::Read)?;
            match sys::readv(fd, buffers) {
                // Whoever shares the stream with us made it non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    poll::wait_ready(host, fd, Direction::Read)?;
                }
                result => return Ok(result?),
            }
        }
    }
}

impl Output {
    /// The process's own standard output.
    pub(crate) fn inherit_stdout() -> Output {
        let fd = sys::stdout();
        let terminal = file::kind(fd).is_ok_and(|kind| sys::is_terminal(fd, kind));
        let pace = (!terminal).then(Pace::default);
        Output { sink: Sink::Inherited(fd), pending: Vec::new(), pace }
    }

    /// The process's own standard error.
    pub(crate) fn inherit_stderr() -> Output {
        let sink = Sink::Inherited(sys::stderr());
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

    fn write(&mut self, host: &Host, buffers: &mut [IoSlice<'_>]) -> Result<usize> {
        let len = buffers.iter().map(|buffer| buffer.len()).sum::<usize>();
        if let Some(pace) = &mut self.pace
            && len < CAPACITY
            && !pace.allows_now()
        {
            if self.pending.len() + len > CAPACITY {
                self.flush_pending(host)?;
            }
            self.pending.reserve_exact(CAPACITY - self.pending.len());
            for buffer in buffers {
                self.pending.extend_from_slice(buffer);
            }
            return Ok(len);
        }
        self.flush_pending(host)?;
        match &mut self.sink {
            &mut Sink::Inherited(fd) => write_all(host, fd, buffers),
            Sink::Custom(writer) => {
                for buffer in buffers.iter() {
                    writer.write_all(buffer)?;
                }
                Ok(len)
            }
        }
    }

    fn flush(&mut self, host: &Host) -> Result {
        self.flush_pending(host)?;
        match &mut self.sink {
            Sink::Inherited(_) => Ok(()),
            Sink::Custom(writer) => Ok(writer.flush()?),
        }
    }

    fn flush_pending(&mut self, host: &Host) -> Result {
        let Sink::Inherited(fd) = self.sink else { return Ok(()) };
        while !self.pending.is_empty() {
            let written = write_all(host, fd, &mut [IoSlice::new(&self.pending)])?;
            self.pending.drain(..written);
        }
        Ok(())
    }
}

/// Writes all of `buffers`, waiting where the descriptor does not block; less
/// only when an error came after a part.
fn write_all(host: &Host, fd: BorrowedFd<'_>, mut buffers: &mut [IoSlice<'_>]) -> Result<usize> {
    let mut total = 0;
    // A large write to a full pipe waits inside the system, where no interruption
    // reaches it.
    let careful = host.interrupt.event().is_some()
        && file::kind(fd).is_ok_and(|kind| kind != FileKind::RegularFile);
    // Drops leading empty buffers, and thereby decides whether there are any.
    IoSlice::advance_slices(&mut buffers, 0);
    while !buffers.is_empty() {
        let result = if careful {
            poll::wait_ready(host, fd, Direction::Write)?;
            let first = &buffers[0][..buffers[0].len().min(ATOMIC_WRITE)];
            sys::write(fd, first)
        } else {
            sys::writev(fd, buffers)
        };
        match result {
            Ok(0) if total == 0 => return Err(io::ErrorKind::WriteZero.into()),
            Ok(0) => break,
            Ok(written) => {
                total += written;
                IoSlice::advance_slices(&mut buffers, written);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll::wait_ready(host, fd, Direction::Write)?;
            }
            Err(_) if total > 0 => break,
            Err(error) => return Err(error.into()),
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
    use crate::host::Failure;
    use std::io::{PipeReader, pipe};
    use std::thread;

    /// Standard output as it is when it goes to a pipe.
    fn piped() -> (PipeReader, Output) {
        let (reader, writer) = pipe().unwrap();
        let writer: &'static OwnedFd = Box::leak(Box::new(sys::opened(writer.into())));
        let sink = Sink::Inherited(writer.as_fd());
        (reader, Output { sink, pending: Vec::new(), pace: Some(Pace::default()) })
    }

    fn write(output: &mut Output, bytes: &[u8]) -> Result<usize> {
        let host = Host::new(Capabilities::STDIO);
        output.write(&host, &mut [IoSlice::new(bytes), IoSlice::new(&[])])
    }

    fn flush(output: &mut Output) -> Result {
        output.flush(&Host::new(Capabilities::STDIO))
    }

    fn kind(failure: Failure) -> io::ErrorKind {
        match failure {
            Failure::System(error) => error.kind(),
            other => panic!("{other:?}"),
        }
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
        flush(&mut output).unwrap();
        // Where a call takes longer than a credit is earned in, there is nothing to gather.
        assert!(gathered || cfg!(windows));
        assert!(arrived.join().unwrap() == expected);
    }

    #[test]
    fn what_is_gathered_comes_before_what_is_large() {
        let (mut reader, mut output) = piped();
        exhaust(&mut output);
        write(&mut output, b"small").unwrap();
        assert_eq!(output.pending, b"small");
        let large = vec![b'x'; CAPACITY];
        let arrived = thread::spawn(move || read(&mut reader, 5 + CAPACITY));
        assert_eq!(write(&mut output, &large).unwrap(), large.len());
        assert_eq!(arrived.join().unwrap()[..6], *b"smallx");
    }

    /// No pipe of Windows can be made so by its other end.
    #[cfg(unix)]
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
        let failure = write(&mut output, b"x").unwrap_err();
        assert_eq!(kind(failure), io::ErrorKind::BrokenPipe);
        exhaust(&mut output);
        write(&mut output, b"kept").unwrap();
        for _ in 0..2 {
            assert_eq!(kind(flush(&mut output).unwrap_err()), io::ErrorKind::BrokenPipe);
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
