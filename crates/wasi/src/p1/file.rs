//! Operations on a descriptor's position, size and durability, and on its
//! place in the table.

use std::io::SeekFrom;

use super::io::flush;
use super::rights::{
    FD_ADVISE, FD_ALLOCATE, FD_DATASYNC, FD_FILESTAT_SET_SIZE, FD_SEEK, FD_SYNC, FD_TELL, Rights,
};
use super::{Args, Errno, Memory, Result, State};
use crate::host::fs::file::{self, Advice, Handle};
use crate::host::{self, Host};

/// Does something with the host's descriptor behind `fd`, of which `right` is
/// required, with nothing buffered in front of it.
fn with<R>(
    cx: &State,
    fd: u32,
    right: Rights,
    work: impl FnOnce(&Host, Handle<'_>) -> host::Result<R>,
) -> Result<R> {
    let descriptor = cx.fds.get(fd, right)?;
    flush(cx, &descriptor)?;
    let file = descriptor.object.handle(&cx.stdio).ok_or(Errno::Inval)?;
    Ok(work(&cx.host, file)?)
}

pub(super) fn fd_advise(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let advice = match args.u32(3) {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval.into()),
    };
    with(cx, args.u32(0), FD_ADVISE, |host, file| {
        file::advise(host, file, args.u64(1), args.u64(2), advice)
    })
}

pub(super) fn fd_allocate(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    with(cx, args.u32(0), FD_ALLOCATE, |host, file| {
        file::allocate(host, file, args.u64(1), args.u64(2))
    })
}

pub(super) fn fd_close(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let closed = cx.fds.remove(args.u32(0))?;
    flush(cx, &closed)
}

pub(super) fn fd_renumber(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    match cx.fds.renumber(args.u32(0), args.u32(1))? {
        Some(closed) => flush(cx, &closed),
        None => Ok(()),
    }
}

pub(super) fn fd_sync(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    with(cx, args.u32(0), FD_SYNC, file::sync)
}

pub(super) fn fd_datasync(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    with(cx, args.u32(0), FD_DATASYNC, file::sync_data)
}

pub(super) fn fd_filestat_set_size(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    with(cx, args.u32(0), FD_FILESTAT_SET_SIZE, |host, file| {
        file::set_size(host, file, args.u64(1))
    })
}

pub(super) fn fd_tell(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let at = with(cx, args.u32(0), right_to_tell(cx, args.u32(0)), file::tell)?;
    Ok(mem.write_u64(args.u32(1), at)?)
}

pub(super) fn fd_seek(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let whence = match args.u32(2) {
        0 => Whence::Set,
        1 => Whence::Current,
        2 => Whence::End,
        _ => return Err(Errno::Inval.into()),
    };
    seek(cx, mem, args, whence)
}

pub(super) fn unstable_fd_seek(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
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

fn seek(cx: &State, mem: &mut Memory<'_>, args: Args<'_>, whence: Whence) -> Result {
    let (offset, result) = (args.u64(1) as i64, args.u32(3));
    mem.check(result, 1, 8)?;
    // Asking where one is takes less than going somewhere.
    let right = match whence {
        Whence::Current if offset == 0 => right_to_tell(cx, args.u32(0)),
        _ => FD_SEEK,
    };
    let to = match whence {
        Whence::Set => SeekFrom::Start(u64::try_from(offset).or(Err(Errno::Inval))?),
        Whence::Current => SeekFrom::Current(offset),
        Whence::End => SeekFrom::End(offset),
    };
    let at = with(cx, args.u32(0), right, |host, file| file::seek(host, file, to))?;
    Ok(mem.write_u64(result, at)?)
}

/// The right to tell the position, which the right to seek includes.
fn right_to_tell(cx: &State, fd: u32) -> Rights {
    match cx.fds.get(fd, FD_SEEK) {
        Ok(_) => FD_SEEK,
        Err(_) => FD_TELL,
    }
}
