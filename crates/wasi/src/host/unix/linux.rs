//! Linux.

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, FallocateFlags, OFlags, RawDir, SeekFrom};
use rustix::io::{Errno, Result};
#[cfg(feature = "component")]
use rustix::net::{AddressFamily, SocketType, socket_with};
use rustix::net::{SocketFlags, accept_with};
use rustix::rand::{GetRandomFlags, getrandom};
use std::mem::MaybeUninit;
use std::num::NonZeroU64;

use super::RawEntry;
use crate::host::fs::file::Advice;
#[cfg(feature = "component")]
use crate::host::net::socket::Socket;

pub(crate) use rustix::fs::{fdatasync, fsync};

/// That nobody will receive what is sent is an error and no signal.
pub(crate) const NO_SIGNAL: rustix::net::SendFlags = rustix::net::SendFlags::NOSIGNAL;

/// Whether a descriptor with these flags is for looking up paths only.
pub(crate) fn is_for_paths_only(flags: OFlags) -> bool {
    flags.contains(OFlags::PATH)
}

/// Tells the system how a range will be used; to its end when `len` is 0.
pub(crate) fn advise(fd: BorrowedFd<'_>, offset: u64, len: u64, advice: Advice) -> Result<()> {
    let advice = match advice {
        Advice::Normal => fs::Advice::Normal,
        Advice::Sequential => fs::Advice::Sequential,
        Advice::Random => fs::Advice::Random,
        Advice::WillNeed => fs::Advice::WillNeed,
        Advice::DontNeed => fs::Advice::DontNeed,
        Advice::NoReuse => fs::Advice::NoReuse,
    };
    fs::fadvise(fd, offset, NonZeroU64::new(len), advice)
}

/// Reserves space for a range, growing the file to its end where that is beyond it.
pub(crate) fn allocate(fd: BorrowedFd<'_>, offset: u64, len: u64) -> Result<()> {
    fs::fallocate(fd, FallocateFlags::empty(), offset, len)
}

/// Makes a socket that never waits by itself.
#[cfg(feature = "component")]
pub(crate) fn socket(family: AddressFamily, ty: SocketType) -> Result<OwnedFd> {
    socket_with(family, ty, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

/// Gives a connection the options of the socket that accepted it: it has them.
#[cfg(feature = "component")]
pub(crate) fn inherit(_: &Socket, _: &Socket) -> Result<()> {
    Ok(())
}

/// Accepts a connection that never waits by itself.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> Result<OwnedFd> {
    accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
}

/// Fills a part of the buffer with random bytes, and says how much.
pub(crate) fn random(buffer: &mut [u8]) -> Result<usize> {
    getrandom(buffer, GetRandomFlags::empty())
}

/// A descriptor that is readable from when it is set to when it is cleared.
pub(crate) struct Event(OwnedFd);

impl Event {
    pub(crate) fn new() -> Result<Event> {
        Ok(Event(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(crate) fn set(&self) {
        // It fails only when the counter is full, and then it is readable.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    pub(crate) fn clear(&self) {
        // It fails only when it is not set.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What reading a directory has to remember: nothing, since the kernel's own positions
/// can be gone back to.
#[derive(Default)]
pub(crate) struct Listing;

impl Listing {
    /// Calls `entry` for every name from `position` on until it returns false.
    /// `ahead` is how much to read at a time, in bytes, roughly.
    pub(crate) fn read(
        &mut self,
        fd: BorrowedFd<'_>,
        position: u64,
        ahead: usize,
        entry: &mut dyn FnMut(RawEntry<'_>) -> bool,
    ) -> Result<()> {
        // The smallest holds the longest name there is with its header.
        let mut buffer = [MaybeUninit::<u8>::uninit(); 8192];
        let ahead = ahead.clamp(512, buffer.len());
        match fs::seek(fd, SeekFrom::Start(position)) {
            // Where there can be no entry there is none: past the end, too.
            Err(Errno::INVAL) => return Ok(()),
            position => position?,
        };
        let mut raw = RawDir::new(fd, &mut buffer[..ahead]);
        while let Some(each) = raw.next() {
            let each = each?;
            let more = entry(RawEntry {
                name: each.file_name(),
                ino: each.ino(),
                kind: each.file_type(),
                next: each.next_entry_cookie(),
            });
            if !more {
                break;
            }
        }
        Ok(())
    }
}
