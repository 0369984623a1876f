//! Darwin and the BSDs: what they have in place of Linux's own calls.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, Dir, DirEntry, FallocateFlags, OFlags};
use rustix::io::{Errno, FdFlags, Result};
use rustix::net::sockopt;
#[cfg(feature = "component")]
use rustix::net::{AddressFamily, SocketType};
use std::fs::File;
use std::io::Read;

use super::RawEntry;
use crate::host::fs::file::Advice;
#[cfg(feature = "component")]
use crate::host::net::address::Family;
#[cfg(feature = "component")]
use crate::host::net::socket::Socket;

#[cfg(target_vendor = "apple")]
pub(crate) use darwin::*;
#[cfg(not(target_vendor = "apple"))]
pub(crate) use rustix::fs::{fdatasync, fsync};

/// Sockets from [`accept`] never signal.
pub(crate) const NO_SIGNAL: rustix::net::SendFlags = rustix::net::SendFlags::empty();

/// Whether a descriptor with these flags is for looking up paths only: there are none.
pub(crate) fn is_for_paths_only(_: OFlags) -> bool {
    false
}

/// Tells the system how a range will be used; to its end when `len` is 0.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn advise(_: BorrowedFd<'_>, _: u64, _: u64, _: Advice) -> Result<()> {
    Ok(())
}

/// Reserves space for a range, growing the file to its end where that is beyond it.
pub(crate) fn allocate(fd: BorrowedFd<'_>, offset: u64, len: u64) -> Result<()> {
    let end = offset.checked_add(len).ok_or(Errno::FBIG)?;
    // Darwin's call cuts a file that is longer.
    if len > 0 && fs::fstat(fd)?.st_size as u64 >= end {
        return Ok(());
    }
    fs::fallocate(fd, FallocateFlags::empty(), offset, len)
}

/// Makes a socket that never waits by itself.
#[cfg(feature = "component")]
pub(crate) fn socket(family: AddressFamily, ty: SocketType) -> Result<OwnedFd> {
    let socket = rustix::net::socket(family, ty, None)?;
    sockopt::set_socket_nosigpipe(&socket, true)?;
    quiet(&socket)?;
    Ok(socket)
}

/// Gives a connection the options of the socket that accepted it, as far as it has not
/// got them.
#[cfg(feature = "component")]
pub(crate) fn inherit(listener: &Socket, connection: &Socket) -> Result<()> {
    let (from, to) = (listener.as_fd(), connection.as_fd());
    let receive = sockopt::socket_recv_buffer_size(from)?;
    if receive != sockopt::socket_recv_buffer_size(to)? {
        sockopt::set_socket_recv_buffer_size(to, receive)?;
    }
    let send = sockopt::socket_send_buffer_size(from)?;
    if send != sockopt::socket_send_buffer_size(to)? {
        sockopt::set_socket_send_buffer_size(to, send)?;
    }
    if listener.family() == Family::V6 {
        sockopt::set_ipv6_unicast_hops(to, Some(sockopt::ipv6_unicast_hops(from)?))?;
    }
    sockopt::set_tcp_keepidle(to, sockopt::tcp_keepidle(from)?)
}

/// Accepts a connection that never waits by itself.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> Result<OwnedFd> {
    let socket = rustix::net::accept(listener)?;
    sockopt::set_socket_nosigpipe(&socket, true)?;
    quiet(&socket)?;
    Ok(socket)
}

/// Makes a descriptor one that does not wait, and that no other program inherits.
fn quiet(fd: impl AsFd) -> Result<()> {
    rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    fs::fcntl_setfl(&fd, fs::fcntl_getfl(&fd)? | OFlags::NONBLOCK)
}

/// Fills a part of the buffer with random bytes, and says how much.
pub(crate) fn random(buffer: &mut [u8]) -> Result<usize> {
    let read = |buffer| File::open("/dev/urandom")?.read(buffer);
    read(buffer).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// A descriptor that is readable from when it is set to when it is cleared: a pipe.
pub(crate) struct Event {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Event {
    pub(crate) fn new() -> Result<Event> {
        let (reader, writer) = rustix::pipe::pipe()?;
        quiet(&reader)?;
        quiet(&writer)?;
        Ok(Event { reader, writer })
    }

    pub(crate) fn set(&self) {
        // It fails only when the pipe is full, and then it is readable.
        let _ = rustix::io::write(&self.writer, &[1]);
    }

    pub(crate) fn clear(&self) {
        // Until nothing is left: then it fails.
        while matches!(rustix::io::read(&self.reader, &mut [0; 64]), Ok(read) if read > 0) {}
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// Where reading a directory stands.
///
/// Positions are counted, since the system's own are good for one stream only. Whoever
/// goes on reads the next entries of the same stream, whatever came and went; going
/// back counts anew, and then what was removed meanwhile shifts what is behind it.
#[derive(Default)]
pub(crate) struct Listing(Option<Stream>);

struct Stream {
    dir: Dir,
    /// The position of the next entry.
    position: u64,
    /// The entry there, if it was read before and not wanted.
    unwanted: Option<DirEntry>,
}

impl Stream {
    fn next(&mut self) -> Option<Result<DirEntry>> {
        self.unwanted.take().map(Ok).or_else(|| self.dir.read())
    }
}

impl Listing {
    /// Calls `entry` for every name from `position` on until it returns false.
    pub(crate) fn read(
        &mut self,
        fd: BorrowedFd<'_>,
        position: u64,
        _: usize,
        entry: &mut dyn FnMut(RawEntry<'_>) -> bool,
    ) -> Result<()> {
        if self.0.as_ref().is_none_or(|stream| position == 0 || position < stream.position) {
            self.0 = Some(Stream { dir: Dir::read_from(fd)?, position: 0, unwanted: None });
        }
        let Some(stream) = &mut self.0 else { return Ok(()) };
        while let Some(each) = stream.next() {
            let each = each?;
            if stream.position < position {
                stream.position += 1;
                continue;
            }
            let more = entry(RawEntry {
                name: each.file_name(),
                ino: each.ino(),
                kind: each.file_type(),
                next: stream.position + 1,
            });
            if !more {
                stream.unwanted = Some(each);
                break;
            }
            stream.position += 1;
        }
        Ok(())
    }
}

#[cfg(target_vendor = "apple")]
mod darwin {
    use super::*;

    /// Waits until data is on the disk: `fsync` stops at the disk's own memory.
    pub(crate) fn fdatasync(fd: BorrowedFd<'_>) -> Result<()> {
        fsync(fd)
    }

    /// Waits until data and metadata are on the disk.
    pub(crate) fn fsync(fd: BorrowedFd<'_>) -> Result<()> {
        match fs::fcntl_fullfsync(fd) {
            // Not every file system can.
            Err(Errno::NOTSUP | Errno::NOTTY | Errno::INVAL) => fs::fsync(fd),
            result => result,
        }
    }

    /// Tells the system how a range will be used; to its end when `len` is 0. It wants
    /// to know only what will be needed.
    pub(crate) fn advise(fd: BorrowedFd<'_>, offset: u64, len: u64, advice: Advice) -> Result<()> {
        match advice {
            Advice::WillNeed => fs::fcntl_rdadvise(fd, offset, len),
            Advice::Normal
            | Advice::Sequential
            | Advice::Random
            | Advice::DontNeed
            | Advice::NoReuse => Ok(()),
        }
    }
}
