//! Open descriptors.

use rustix::fd::BorrowedFd;
use rustix::fs::{self, FileType, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::io::{self, IoSlice, IoSliceMut, IsTerminal};

use super::time;
use crate::host::fs::{FileKind, Flags, SetTime, Stat};

impl From<FileType> for FileKind {
    fn from(kind: FileType) -> FileKind {
        match kind {
            FileType::RegularFile => FileKind::RegularFile,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::SymbolicLink,
            FileType::CharacterDevice => FileKind::CharacterDevice,
            FileType::BlockDevice => FileKind::BlockDevice,
            FileType::Socket => FileKind::Socket,
            FileType::Fifo | FileType::Unknown => FileKind::Unknown,
        }
    }
}

impl From<SetTime> for Timespec {
    fn from(time: SetTime) -> Timespec {
        match time {
            SetTime::Keep => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            SetTime::Now => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
            SetTime::To(nanoseconds) => time::timespec(nanoseconds),
        }
    }
}

/// Reads at the position and advances it; may read less.
pub(crate) fn readv(fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    Ok(rustix::io::readv(fd, buffers)?)
}

/// Reads at `offset`; may read less.
pub(crate) fn preadv(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> io::Result<usize> {
    Ok(rustix::io::preadv(fd, buffers, offset)?)
}

/// Writes at the position, or at the end of what is open for appending; may write less.
pub(crate) fn writev(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    Ok(rustix::io::writev(fd, buffers)?)
}

/// The same with one buffer.
pub(crate) fn write(fd: BorrowedFd<'_>, buffer: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(fd, buffer)?)
}

/// Writes at `offset`, also to what is open for appending; may write less.
///
/// Linux appends whatever the offset when the descriptor is open for
/// appending, so that flag is lifted for the one call.
pub(crate) fn pwritev(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    offset: u64,
    appending: bool,
) -> io::Result<usize> {
    if !appending {
        return Ok(rustix::io::pwritev(fd, buffers, offset)?);
    }
    let flags = fs::fcntl_getfl(fd)?;
    fs::fcntl_setfl(fd, flags - OFlags::APPEND)?;
    let written = rustix::io::pwritev(fd, buffers, offset);
    fs::fcntl_setfl(fd, flags)?;
    Ok(written?)
}

/// Writes at the end, wherever that is; may write less.
#[cfg(feature = "component")]
pub(crate) fn append(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match rustix::io::pwritev2(fd, buffers, 0, rustix::io::ReadWriteFlags::APPEND) {
        // Not all kernels and file systems can.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {}
        written => return Ok(written?),
    }
    // What is open for appending writes there whatever its position, which nobody uses.
    let flags = fs::fcntl_getfl(fd)?;
    fs::fcntl_setfl(fd, flags | OFlags::APPEND)?;
    let written = rustix::io::writev(fd, buffers);
    fs::fcntl_setfl(fd, flags)?;
    Ok(written?)
}

/// Moves the position and returns it.
pub(crate) fn seek(fd: BorrowedFd<'_>, to: io::SeekFrom) -> io::Result<u64> {
    let to = match to {
        io::SeekFrom::Start(offset) => fs::SeekFrom::Start(offset),
        io::SeekFrom::Current(offset) => fs::SeekFrom::Current(offset),
        io::SeekFrom::End(offset) => fs::SeekFrom::End(offset),
    };
    Ok(fs::seek(fd, to)?)
}

/// Cuts or extends (with zeros) the file to `size`.
pub(crate) fn set_size(fd: BorrowedFd<'_>, size: u64) -> io::Result<()> {
    Ok(fs::ftruncate(fd, size)?)
}

/// Sets the time of last access and of last modification.
pub(crate) fn set_times(
    fd: BorrowedFd<'_>,
    accessed: SetTime,
    modified: SetTime,
) -> io::Result<()> {
    let times = Timestamps { last_access: accessed.into(), last_modification: modified.into() };
    Ok(fs::futimens(fd, &times)?)
}

/// What the system knows of the file.
pub(crate) fn stat(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    let stat = fs::fstat(fd)?;
    // The types of these fields differ between systems and processors.
    macro_rules! time {
        ($seconds:ident, $nanoseconds:ident) => {
            time::nanoseconds(Timespec { tv_sec: stat.$seconds, tv_nsec: stat.$nanoseconds as _ })
        };
    }
    #[allow(clippy::unnecessary_cast, reason = "as above")]
    Ok(Stat {
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        kind: FileKind::from(FileType::from_raw_mode(stat.st_mode)),
        nlink: stat.st_nlink as u64,
        size: stat.st_size as u64,
        accessed: time!(st_atime, st_atime_nsec),
        modified: time!(st_mtime, st_mtime_nsec),
        changed: time!(st_ctime, st_ctime_nsec),
    })
}

/// What kind of thing a descriptor is.
pub(crate) fn kind(fd: BorrowedFd<'_>) -> io::Result<FileKind> {
    Ok(FileType::from_raw_mode(fs::fstat(fd)?.st_mode).into())
}

/// Whether a descriptor of this kind is a terminal.
pub(crate) fn is_terminal(fd: BorrowedFd<'_>, kind: FileKind) -> bool {
    kind == FileKind::CharacterDevice && fd.is_terminal()
}

/// The descriptor's own state.
pub(crate) fn flags(fd: BorrowedFd<'_>) -> io::Result<Flags> {
    let flags = fs::fcntl_getfl(fd)?;
    let sync = flags.contains(OFlags::SYNC);
    Ok(Flags {
        append: flags.contains(OFlags::APPEND),
        nonblock: flags.contains(OFlags::NONBLOCK),
        dsync: !sync && flags.contains(OFlags::DSYNC),
        sync,
    })
}

/// Switches appending and blocking.
pub(crate) fn set_flags(fd: BorrowedFd<'_>, append: bool, nonblock: bool) -> io::Result<()> {
    let mut flags = fs::fcntl_getfl(fd)?;
    flags.set(OFlags::APPEND, append);
    flags.set(OFlags::NONBLOCK, nonblock);
    Ok(fs::fcntl_setfl(fd, flags)?)
}
