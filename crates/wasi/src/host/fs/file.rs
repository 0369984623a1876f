//! Operations on an open descriptor, whatever it is open on.

use std::io::{ErrorKind, IoSlice, IoSliceMut, SeekFrom};

use super::{FileKind, Flags, SetTime, Stat};
use crate::Capabilities;
use crate::host::poll::{self, Direction};
use crate::host::sys::{self, BorrowedFd};
use crate::host::{Host, Result};

/// A descriptor of the host, and how the guest came by it, which decides what
/// capability using it needs.
#[derive(Clone, Copy)]
pub(crate) struct Handle<'a> {
    pub fd: BorrowedFd<'a>,
    pub origin: Origin,
}

/// How a guest came by a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// Opened by path.
    Path {
        kind: FileKind,
        /// Below a directory in which nothing may be changed.
        read_only: bool,
        /// Answers `AGAIN` rather than wait.
        nonblock: bool,
    },
    /// One of the standard streams.
    Stdio,
    /// A connection.
    Socket,
}

impl Handle<'_> {
    /// Checks that the guest may do to this what it needs one of the capabilities
    /// `any` for, were it a file.
    fn require(self, host: &Host, any: Capabilities) -> Result {
        host.require(match self.origin {
            Origin::Path { .. } => any,
            Origin::Stdio => Capabilities::STDIO,
            Origin::Socket => Capabilities::NET,
        })
    }

    /// The same for something that changes the file.
    fn require_change(self, host: &Host) -> Result {
        self.require(host, Capabilities::WRITE)?;
        match self.origin {
            Origin::Path { read_only: true, .. } => Err(ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(()),
        }
    }

    /// Whether using this could wait for somebody else.
    fn waits(self) -> bool {
        match self.origin {
            Origin::Path { kind, nonblock, .. } => kind != FileKind::RegularFile && !nonblock,
            // `stdio` and `net` do the waiting for these.
            Origin::Stdio | Origin::Socket => false,
        }
    }
}

/// How a range of a file will be used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Advice {
    Normal,
    Sequential,
    Random,
    WillNeed,
    DontNeed,
    NoReuse,
}

/// What a descriptor that may wait takes at once without waiting, once it is
/// ready: Linux's `PIPE_BUF`.
pub(crate) const ATOMIC_WRITE: usize = 4096;

/// Reads at the descriptor's position and advances it; may read less.
pub(crate) fn read(host: &Host, file: Handle<'_>, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    file.require(host, Capabilities::READ)?;
    if file.waits() {
        poll::wait_if_interruptible(host, file.fd, Direction::Read)?;
    }
    Ok(sys::readv(file.fd, buffers)?)
}

/// Reads at `offset`; may read less.
pub(crate) fn read_at(
    host: &Host,
    file: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> Result<usize> {
    file.require(host, Capabilities::READ)?;
    Ok(sys::preadv(file.fd, buffers, offset)?)
}

/// Writes at the descriptor's position, or at the end of a file open for
/// appending; may write less.
pub(crate) fn write(host: &Host, file: Handle<'_>, buffers: &[IoSlice<'_>]) -> Result<usize> {
    file.require_change(host)?;
    if file.waits() && host.interrupt.event().is_some() {
        poll::wait_ready(host, file.fd, Direction::Write)?;
        let Some(first) = buffers.iter().find(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let first = &first[..first.len().min(ATOMIC_WRITE)];
        return Ok(sys::write(file.fd, first)?);
    }
    Ok(sys::writev(file.fd, buffers)?)
}

/// Writes at `offset`, also in a file open for appending; may write less.
pub(crate) fn write_at(
    host: &Host,
    file: Handle<'_>,
    buffers: &[IoSlice<'_>],
    offset: u64,
    appending: bool,
) -> Result<usize> {
    file.require_change(host)?;
    Ok(sys::pwritev(file.fd, buffers, offset, appending)?)
}

/// Writes at the end, wherever that is; may write less.
#[cfg(feature = "component")]
pub(crate) fn append(host: &Host, file: Handle<'_>, buffers: &[IoSlice<'_>]) -> Result<usize> {
    file.require_change(host)?;
    Ok(sys::append(file.fd, buffers)?)
}

/// Moves the descriptor's position and returns it.
pub(crate) fn seek(host: &Host, file: Handle<'_>, to: SeekFrom) -> Result<u64> {
    file.require(host, Capabilities::READ | Capabilities::WRITE)?;
    Ok(sys::seek(file.fd, to)?)
}

/// The descriptor's position.
pub(crate) fn tell(host: &Host, file: Handle<'_>) -> Result<u64> {
    file.require(host, Capabilities::READ | Capabilities::WRITE)?;
    Ok(sys::seek(file.fd, SeekFrom::Current(0))?)
}

/// Tells the host how a range will be used; to its end when `len` is 0.
pub(crate) fn advise(
    host: &Host,
    file: Handle<'_>,
    offset: u64,
    len: u64,
    advice: Advice,
) -> Result {
    file.require(host, Capabilities::READ | Capabilities::WRITE)?;
    Ok(sys::advise(file.fd, offset, len, advice)?)
}

/// Reserves space for a range, growing the file to its end where that is
/// beyond it.
pub(crate) fn allocate(host: &Host, file: Handle<'_>, offset: u64, len: u64) -> Result {
    file.require_change(host)?;
    Ok(sys::allocate(file.fd, offset, len)?)
}

/// Cuts or extends (with zeros) the file to `size`.
pub(crate) fn set_size(host: &Host, file: Handle<'_>, size: u64) -> Result {
    file.require_change(host)?;
    Ok(sys::set_size(file.fd, size)?)
}

/// Waits until data and metadata are on the disk.
pub(crate) fn sync(host: &Host, file: Handle<'_>) -> Result {
    file.require(host, Capabilities::WRITE)?;
    Ok(sys::fsync(file.fd)?)
}

/// Waits until data is on the disk.
pub(crate) fn sync_data(host: &Host, file: Handle<'_>) -> Result {
    file.require(host, Capabilities::WRITE)?;
    Ok(sys::fdatasync(file.fd)?)
}

/// Sets the time of last access and of last modification.
pub(crate) fn set_times(
    host: &Host,
    file: Handle<'_>,
    accessed: SetTime,
    modified: SetTime,
) -> Result {
    file.require_change(host)?;
    Ok(sys::set_times(file.fd, accessed, modified)?)
}

/// What the host knows of the file behind the descriptor.
pub(crate) fn stat(host: &Host, file: Handle<'_>) -> Result<Stat> {
    file.require(host, Capabilities::READ | Capabilities::WRITE | Capabilities::PATH)?;
    Ok(sys::stat(file.fd)?)
}

/// What kind of thing a descriptor is: part of opening it, and therefore free.
pub(crate) fn kind(fd: BorrowedFd<'_>) -> Result<FileKind> {
    Ok(sys::kind(fd)?)
}

/// The descriptor's own state, which is the guest's and free.
pub(crate) fn flags(fd: BorrowedFd<'_>) -> Result<Flags> {
    Ok(sys::flags(fd)?)
}

/// Switches appending and blocking of an open descriptor. Its durability
/// (`sync`, `dsync`) is fixed when it is opened and not touched.
pub(crate) fn set_flags(fd: BorrowedFd<'_>, append: bool, nonblock: bool) -> Result {
    Ok(sys::set_flags(fd, append, nonblock)?)
}
