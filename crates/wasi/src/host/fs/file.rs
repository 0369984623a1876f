//! Operations on an open descriptor, whatever it is open on.

use rustix::fd::BorrowedFd;
use rustix::fs::{self, Advice, FallocateFlags, OFlags, SeekFrom, Timestamps};
use rustix::io::{preadv, pwritev, readv, writev};
use std::io::{IoSlice, IoSliceMut, Result};
use std::num::NonZeroU64;

use super::{FileKind, Flags, SetTime, Stat};
use crate::host::clocks;

/// Reads at the descriptor's position and advances it; may read less.
pub(crate) fn read(fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    Ok(readv(fd, buffers)?)
}

/// Reads at `offset`; may read less.
pub(crate) fn read_at(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> Result<usize> {
    Ok(preadv(fd, buffers, offset)?)
}

/// Writes at the descriptor's position, or at the end of a file open for
/// appending; may write less.
pub(crate) fn write(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> Result<usize> {
    Ok(writev(fd, buffers)?)
}

/// Writes at `offset`, also in a file open for appending; may write less.
///
/// Linux appends whatever the offset when the descriptor is open for
/// appending, so `appending` lifts that flag for the one call.
pub(crate) fn write_at(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    offset: u64,
    appending: bool,
) -> Result<usize> {
    if !appending {
        return Ok(pwritev(fd, buffers, offset)?);
    }
    let flags = fs::fcntl_getfl(fd)?;
    fs::fcntl_setfl(fd, flags - OFlags::APPEND)?;
    let written = pwritev(fd, buffers, offset);
    fs::fcntl_setfl(fd, flags)?;
    Ok(written?)
}

/// Moves the descriptor's position and returns it.
pub(crate) fn seek(fd: BorrowedFd<'_>, to: SeekFrom) -> Result<u64> {
    Ok(fs::seek(fd, to)?)
}

/// The descriptor's position.
pub(crate) fn tell(fd: BorrowedFd<'_>) -> Result<u64> {
    Ok(fs::tell(fd)?)
}

/// Tells the host how a range will be used; to its end when `len` is 0.
pub(crate) fn advise(fd: BorrowedFd<'_>, offset: u64, len: u64, advice: Advice) -> Result<()> {
    Ok(fs::fadvise(fd, offset, NonZeroU64::new(len), advice)?)
}

/// Reserves space for a range, growing the file to its end where that is
/// beyond it.
pub(crate) fn allocate(fd: BorrowedFd<'_>, offset: u64, len: u64) -> Result<()> {
    Ok(fs::fallocate(fd, FallocateFlags::empty(), offset, len)?)
}

/// Cuts or extends (with zeros) the file to `size`.
pub(crate) fn set_size(fd: BorrowedFd<'_>, size: u64) -> Result<()> {
    Ok(fs::ftruncate(fd, size)?)
}

/// Waits until data and metadata are on the disk.
pub(crate) fn sync(fd: BorrowedFd<'_>) -> Result<()> {
    Ok(fs::fsync(fd)?)
}

/// Waits until data is on the disk.
pub(crate) fn sync_data(fd: BorrowedFd<'_>) -> Result<()> {
    Ok(fs::fdatasync(fd)?)
}

/// Sets the time of last access and of last modification.
pub(crate) fn set_times(fd: BorrowedFd<'_>, accessed: SetTime, modified: SetTime) -> Result<()> {
    let times = Timestamps { last_access: accessed.into(), last_modification: modified.into() };
    Ok(fs::futimens(fd, &times)?)
}

/// What the host knows of the file behind the descriptor.
pub(crate) fn stat(fd: BorrowedFd<'_>) -> Result<Stat> {
    let stat = fs::fstat(fd)?;
    #[allow(clippy::useless_conversion)] // It has 32 bits on AArch64.
    let nlink = stat.st_nlink.into();
    let time = |secs: i64, nanos: u64| {
        clocks::nanoseconds(fs::Timespec { tv_sec: secs, tv_nsec: nanos as _ })
    };
    Ok(Stat {
        dev: stat.st_dev,
        ino: stat.st_ino,
        kind: FileKind::from(fs::FileType::from_raw_mode(stat.st_mode)),
        nlink,
        size: stat.st_size as u64,
        accessed: time(stat.st_atime, stat.st_atime_nsec),
        modified: time(stat.st_mtime, stat.st_mtime_nsec),
        changed: time(stat.st_ctime, stat.st_ctime_nsec),
    })
}

/// The descriptor's state.
pub(crate) fn flags(fd: BorrowedFd<'_>) -> Result<Flags> {
    let flags = fs::fcntl_getfl(fd)?;
    let sync = flags.contains(OFlags::SYNC);
    Ok(Flags {
        append: flags.contains(OFlags::APPEND),
        nonblock: flags.contains(OFlags::NONBLOCK),
        dsync: !sync && flags.contains(OFlags::DSYNC),
        sync,
    })
}

/// Switches appending and blocking of an open descriptor. Its durability
/// (`sync`, `dsync`) is fixed when it is opened and not touched.
pub(crate) fn set_flags(fd: BorrowedFd<'_>, append: bool, nonblock: bool) -> Result<()> {
    let mut flags = fs::fcntl_getfl(fd)?;
    flags.set(OFlags::APPEND, append);
    flags.set(OFlags::NONBLOCK, nonblock);
    Ok(fs::fcntl_setfl(fd, flags)?)
}
