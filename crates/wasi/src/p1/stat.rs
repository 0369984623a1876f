//! What is known of a descriptor, of the file behind it, and of a path; and
//! changing that.

use super::fds::Object;
use super::io::flush;
use super::path::SYMLINK_FOLLOW;
use super::rights::{
    FD_FDSTAT_SET_FLAGS, FD_FILESTAT_GET, FD_FILESTAT_SET_TIMES, PATH_FILESTAT_GET,
    PATH_FILESTAT_SET_TIMES,
};
use super::{Args, Errno, Memory, Result, State};
use crate::host::fs::{FileKind, Flags, SetTime, Stat, file};
use crate::host::sys::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

const APPEND: u32 = 1 << 0;
const DSYNC: u32 = 1 << 1;
pub(super) const NONBLOCK: u32 = 1 << 2;
const RSYNC: u32 = 1 << 3;
const SYNC: u32 = 1 << 4;

/// All descriptor flags.
pub(super) const FDFLAGS: u32 = APPEND | DSYNC | NONBLOCK | RSYNC | SYNC;

/// Descriptor flags for the host. Reads that are as durable as writes
/// (`RSYNC`) are, as in Linux, what `SYNC` asks for.
pub(super) fn host_flags(flags: u32) -> Flags {
    Flags {
        append: flags & APPEND != 0,
        nonblock: flags & NONBLOCK != 0,
        dsync: flags & DSYNC != 0,
        sync: flags & (SYNC | RSYNC) != 0,
    }
}

fn guest_flags(flags: Flags) -> u32 {
    let bit = |set: bool, flag: u32| if set { flag } else { 0 };
    bit(flags.append, APPEND)
        | bit(flags.nonblock, NONBLOCK)
        | bit(flags.dsync, DSYNC)
        | bit(flags.sync, SYNC)
}

pub(super) fn fd_fdstat_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.any(args.u32(0))?;
    let (kind, flags) = match &descriptor.object {
        Object::Std(std) => (std.kind, only_nonblock(cx.stdio.nonblock(std.stream))),
        Object::File(open) => (open.kind, file::flags(open.fd.as_fd())?),
        Object::Dir(directory) => (FileKind::Directory, file::flags(directory.dir.as_fd())?),
        Object::Socket(socket) => (FileKind::Socket, only_nonblock(&socket.nonblock)),
    };
    let mut bytes = [0; 24];
    bytes[0] = kind as u8;
    bytes[2..4].copy_from_slice(&(guest_flags(flags) as u16).to_le_bytes());
    bytes[8..16].copy_from_slice(&descriptor.base.to_le_bytes());
    bytes[16..].copy_from_slice(&descriptor.inheriting.to_le_bytes());
    Ok(mem.write(args.u32(1), &bytes)?)
}

/// The flags of what has no other than this one.
fn only_nonblock(nonblock: &AtomicBool) -> Flags {
    Flags { nonblock: nonblock.load(Ordering::Relaxed), ..Flags::default() }
}

/// Changes appending and waiting; how durable writes are is settled when a file
/// is opened.
pub(super) fn fd_fdstat_set_flags(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let new = host_flags(args.flags(1, FDFLAGS)?);
    let descriptor = cx.fds.get(args.u32(0), FD_FDSTAT_SET_FLAGS)?;
    let set_nonblock = |nonblock: &AtomicBool| {
        if (Flags { nonblock: false, ..new }) != Flags::default() {
            return Err(Errno::Notsup.into());
        }
        nonblock.store(new.nonblock, Ordering::Relaxed);
        Ok(())
    };
    let fd = match &descriptor.object {
        Object::Std(std) => return set_nonblock(cx.stdio.nonblock(std.stream)),
        Object::Socket(socket) => return set_nonblock(&socket.nonblock),
        Object::File(open) => open.fd.as_fd(),
        Object::Dir(directory) => directory.dir.as_fd(),
    };
    let old = file::flags(fd)?;
    if (new.sync, new.dsync) != (old.sync, old.dsync) {
        return Err(Errno::Notsup.into());
    }
    file::set_flags(fd, new.append, new.nonblock)?;
    if let Object::File(open) = &descriptor.object {
        open.append.store(new.append, Ordering::Relaxed);
        open.nonblock.store(new.nonblock, Ordering::Relaxed);
    }
    Ok(())
}

/// Rights can be given away, never taken.
pub(super) fn fd_fdstat_set_rights(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    Ok(cx.fds.set_rights(args.u32(0), args.u64(1), args.u64(2))?)
}

/// The length of a file's record in the older ABI.
const UNSTABLE_LEN: usize = 56;

/// A file's record as it lies in guest memory.
fn layout(stat: &Stat) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[0..8].copy_from_slice(&stat.dev.to_le_bytes());
    bytes[8..16].copy_from_slice(&stat.ino.to_le_bytes());
    bytes[16] = stat.kind as u8;
    bytes[24..32].copy_from_slice(&stat.nlink.to_le_bytes());
    bytes[32..40].copy_from_slice(&stat.size.to_le_bytes());
    bytes[40..48].copy_from_slice(&stat.accessed.to_le_bytes());
    bytes[48..56].copy_from_slice(&stat.modified.to_le_bytes());
    bytes[56..64].copy_from_slice(&stat.changed.to_le_bytes());
    bytes
}

/// The same in the older ABI, in the first [`UNSTABLE_LEN`] bytes: the number
/// of links had 32 bits, and stood where there is padding now.
fn unstable_layout(stat: &Stat) -> [u8; 64] {
    let mut bytes = layout(stat);
    let nlink = u32::try_from(stat.nlink).unwrap_or(u32::MAX);
    bytes[20..24].copy_from_slice(&nlink.to_le_bytes());
    bytes.copy_within(32..64, 24);
    bytes
}

pub(super) fn fd_filestat_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let stat = stat_fd(cx, args)?;
    Ok(mem.write(args.u32(1), &layout(&stat))?)
}

pub(super) fn unstable_fd_filestat_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let stat = stat_fd(cx, args)?;
    Ok(mem.write(args.u32(1), &unstable_layout(&stat)[..UNSTABLE_LEN])?)
}

fn stat_fd(cx: &State, args: Args<'_>) -> Result<Stat> {
    let descriptor = cx.fds.get(args.u32(0), FD_FILESTAT_GET)?;
    flush(cx, &descriptor)?;
    match descriptor.object.handle(&cx.stdio) {
        Some(file) => Ok(file::stat(&cx.host, file)?),
        None => Ok(Stat::STREAM),
    }
}

pub(super) fn path_filestat_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let stat = stat_path(cx, mem, args)?;
    Ok(mem.write(args.u32(4), &layout(&stat))?)
}

pub(super) fn unstable_path_filestat_get(
    cx: &State,
    mem: &mut Memory<'_>,
    args: Args<'_>,
) -> Result {
    let stat = stat_path(cx, mem, args)?;
    Ok(mem.write(args.u32(4), &unstable_layout(&stat)[..UNSTABLE_LEN])?)
}

fn stat_path(cx: &State, mem: &Memory<'_>, args: Args<'_>) -> Result<Stat> {
    let follow = args.flags(1, SYMLINK_FOLLOW)? != 0;
    let path = mem.str(args.u32(2), args.u32(3))?;
    let directory = cx.fds.dir(args.u32(0), PATH_FILESTAT_GET)?;
    Ok(directory.dir.stat(&cx.host, &path, follow)?)
}

pub(super) fn fd_filestat_set_times(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (accessed, modified) = times(args, 1)?;
    let descriptor = cx.fds.get(args.u32(0), FD_FILESTAT_SET_TIMES)?;
    flush(cx, &descriptor)?;
    let file = descriptor.object.handle(&cx.stdio).ok_or(Errno::Inval)?;
    Ok(file::set_times(&cx.host, file, accessed, modified)?)
}

pub(super) fn path_filestat_set_times(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let follow = args.flags(1, SYMLINK_FOLLOW)? != 0;
    let path = mem.str(args.u32(2), args.u32(3))?;
    let (accessed, modified) = times(args, 4)?;
    let directory = cx.fds.dir(args.u32(0), PATH_FILESTAT_SET_TIMES)?;
    Ok(directory.dir.set_times(&cx.host, &path, follow, accessed, modified)?)
}

/// Three arguments from `first` on: access time, modification time, and flags
/// that say what to do with each.
fn times(args: Args<'_>, first: usize) -> Result<(SetTime, SetTime), Errno> {
    let flags = args.flags(first + 2, 0b1111)?;
    let time = |value: u64, flags: u32| match flags & 0b11 {
        0b00 => Ok(SetTime::Keep),
        0b01 => Ok(SetTime::To(value)),
        0b10 => Ok(SetTime::Now),
        _ => Err(Errno::Inval),
    };
    Ok((time(args.u64(first), flags)?, time(args.u64(first + 1), flags >> 2)?))
}
