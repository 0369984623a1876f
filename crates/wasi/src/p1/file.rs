//! Operations on a descriptor's position, size and durability, and on its
//! place in the table.

use rustix::fs::{Advice, SeekFrom};

use super::io::flush;
use super::rights::{
    FD_ADVISE, FD_ALLOCATE, FD_DATASYNC, FD_FILESTAT_SET_SIZE, FD_SEEK, FD_SYNC, FD_TELL, Rights,
};
use super::{Args, Errno, Memory, Result};
use crate::WasiCtx;
use crate::host::fs::file;
use rustix::fd::BorrowedFd;

/// The host's descriptor behind `fd`, of which `right` is required, with
/// nothing buffered in front of it.
fn host_fd(cx: &mut WasiCtx, fd: u32, right: Rights) -> Result<BorrowedFd<'_>, Errno> {
    let descriptor = cx.fds.get(fd, right)?;
    flush(&mut cx.stdio, descriptor)?;
    descriptor.object.fd(&cx.stdio).ok_or(Errno::Inval)
}

pub(super) fn fd_advise(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let advice = match args.u32(3) {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval.into()),
    };
    let fd = host_fd(cx, args.u32(0), FD_ADVISE)?;
    Ok(file::advise(fd, args.u64(1), args.u64(2), advice)?)
}

pub(super) fn fd_allocate(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let fd = host_fd(cx, args.u32(0), FD_ALLOCATE)?;
    Ok(file::allocate(fd, args.u64(1), args.u64(2))?)
}

pub(super) fn fd_close(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let closed = cx.fds.remove(args.u32(0))?;
    Ok(flush(&mut cx.stdio, &closed)?)
}

pub(super) fn fd_renumber(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    match cx.fds.renumber(args.u32(0), args.u32(1))? {
        Some(closed) => Ok(flush(&mut cx.stdio, &closed)?),
        None => Ok(()),
    }
}

pub(super) fn fd_sync(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    Ok(file::sync(host_fd(cx, args.u32(0), FD_SYNC)?)?)
}

pub(super) fn fd_datasync(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    Ok(file::sync_data(host_fd(cx, args.u32(0), FD_DATASYNC)?)?)
}

pub(super) fn fd_filestat_set_size(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let fd = host_fd(cx, args.u32(0), FD_FILESTAT_SET_SIZE)?;
    Ok(file::set_size(fd, args.u64(1))?)
}

pub(super) fn fd_tell(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let fd = tellable(cx, args.u32(0))?;
    Ok(mem.write_u64(args.u32(1), file::tell(fd)?)?)
}

pub(super) fn fd_seek(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let whence = match args.u32(2) {
        0 => Whence::Set,
        1 => Whence::Current,
        2 => Whence::End,
        _ => return Err(Errno::Inval.into()),
    };
    seek(cx, mem, args, whence)
}

pub(super) fn unstable_fd_seek(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let whence = match args.u32(2) {
        0 => Whence::Current,
        1 => Whence::End,
        2 => Whence::Set,
        _ => return Err(Errno::Inval.into()),
    };
    seek(cx, mem, args, whence)
}

enum Whence {
    Set,
    Current,
    End,
}

fn seek(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>, whence: Whence) -> Result {
    let (offset, result) = (args.u64(1) as i64, args.u32(3));
    mem.check(result, 1, 8)?;
    // Asking where one is takes less than going somewhere.
    let fd = match whence {
        Whence::Current if offset == 0 => tellable(cx, args.u32(0))?,
        _ => host_fd(cx, args.u32(0), FD_SEEK)?,
    };
    let to = match whence {
        Whence::Set => SeekFrom::Start(u64::try_from(offset).or(Err(Errno::Inval))?),
        Whence::Current => SeekFrom::Current(offset),
        Whence::End => SeekFrom::End(offset),
    };
    Ok(mem.write_u64(result, file::seek(fd, to)?)?)
}

/// Like [`host_fd`], with the right to tell the position.
fn tellable(cx: &mut WasiCtx, fd: u32) -> Result<BorrowedFd<'_>, Errno> {
    let right = match cx.fds.get(fd, FD_SEEK) {
        Ok(_) => FD_SEEK,
        Err(_) => FD_TELL,
    };
    host_fd(cx, fd, right)
}
