//! Operations on paths: opening, creating, renaming, linking, removing.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::fds::{Descriptor, Directory, File, Object};
use super::rights::{self, Rights};
use super::stat::{FDFLAGS, host_flags};
use super::{Args, Errno, Memory, Result, State};
use crate::host::fs::dir::OpenHow;
use crate::host::fs::{FileKind, file};
use crate::host::sys::{self, AsFd};

/// The lookup flag to follow a symbolic link in a path's last component.
pub(super) const SYMLINK_FOLLOW: u32 = 1 << 0;

pub(super) fn path_open(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    const CREATE: u32 = 1 << 0;
    const DIRECTORY: u32 = 1 << 1;
    const EXCLUSIVE: u32 = 1 << 2;
    const TRUNCATE: u32 = 1 << 3;

    let lookup = args.flags(1, SYMLINK_FOLLOW)?;
    let path = mem.str(args.u32(2), args.u32(3))?;
    let open = args.flags(4, CREATE | DIRECTORY | EXCLUSIVE | TRUNCATE)?;
    let (base, inheriting) = (args.u64(5) & rights::ALL, args.u64(6) & rights::ALL);
    let flags = host_flags(args.flags(7, FDFLAGS)?);
    mem.check(args.u32(8), 1, 4)?;

    let (create, truncate) = (open & CREATE != 0, open & TRUNCATE != 0);
    let only_directory = open & DIRECTORY != 0;
    if create && only_directory {
        return Err(Errno::Inval.into());
    }

    let mut needed = rights::PATH_OPEN;
    let mut needed_inheriting = base | inheriting;
    if create {
        needed |= rights::PATH_CREATE_FILE;
    }
    if truncate {
        needed |= rights::PATH_FILESTAT_SET_SIZE;
    }
    if flags.sync {
        needed_inheriting |= rights::FD_SYNC;
    }
    if flags.dsync {
        needed_inheriting |= rights::FD_DATASYNC;
    }
    let (directory, passed_on) = cx.fds.dir_and_inheriting(args.u32(0), needed)?;
    if needed_inheriting & !passed_on != 0 {
        return Err(Errno::Notcapable.into());
    }

    let read = base & rights::FD_READ != 0;
    let write = base & rights::FD_WRITE != 0;
    let fd = directory.dir.open(
        &cx.host,
        &path,
        OpenHow {
            read,
            // Hosts truncate only what they open for writing.
            write: write || truncate,
            create,
            exclusive: open & EXCLUSIVE != 0,
            truncate,
            directory: only_directory,
            follow: lookup != 0,
            flags,
        },
    )?;

    let kind = file::kind(fd.as_fd())?;
    let descriptor = if kind == FileKind::Directory {
        let dir = Arc::new(directory.dir.below(fd)?);
        let object = Object::Dir(Arc::new(Directory { dir, preopen: None }));
        Descriptor { object, base: passed_on & rights::DIRECTORY, inheriting: passed_on }
    } else {
        let terminal = sys::is_terminal(fd.as_fd(), kind);
        let applicable = rights::of_file(kind, terminal, read, write);
        let object = Object::File(Arc::new(File {
            fd,
            kind,
            read_only: directory.dir.read_only(),
            append: AtomicBool::new(flags.append),
            nonblock: AtomicBool::new(flags.nonblock),
        }));
        Descriptor { object, base: passed_on & applicable, inheriting: 0 }
    };
    let fd = cx.fds.open(&cx.host, descriptor)?;
    Ok(mem.write_u32(args.u32(8), fd)?)
}

/// The first three arguments of the functions that do one thing with one path:
/// a directory and a path below it.
fn dir_and_path<'a>(
    cx: &State,
    mem: &'a Memory<'_>,
    args: Args<'_>,
    needed: Rights,
) -> Result<(Arc<Directory>, Cow<'a, str>), Errno> {
    let path = mem.str(args.u32(1), args.u32(2))?;
    Ok((cx.fds.dir(args.u32(0), needed)?, path))
}

pub(super) fn path_create_directory(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (directory, path) = dir_and_path(cx, mem, args, rights::PATH_CREATE_DIRECTORY)?;
    Ok(directory.dir.create_dir(&cx.host, &path)?)
}

pub(super) fn path_remove_directory(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (directory, path) = dir_and_path(cx, mem, args, rights::PATH_REMOVE_DIRECTORY)?;
    Ok(directory.dir.remove_dir(&cx.host, &path)?)
}

pub(super) fn path_unlink_file(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (directory, path) = dir_and_path(cx, mem, args, rights::PATH_UNLINK_FILE)?;
    Ok(directory.dir.unlink(&cx.host, &path)?)
}

/// What does not fit the buffer is cut off.
pub(super) fn path_readlink(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (buffer, len, result) = (args.u32(3), args.u32(4), args.u32(5));
    let (directory, path) = dir_and_path(cx, mem, args, rights::PATH_READLINK)?;
    let mut target = directory.dir.read_link(&cx.host, &path)?;
    target.truncate(len as usize);
    mem.check(buffer, len, 1)?;
    mem.write(buffer, &target)?;
    Ok(mem.write_u32(result, target.len() as u32)?)
}

/// Links always name the link, never what it leads to: following would need a
/// race-free way to look the target up, which hosts do not offer.
pub(super) fn path_link(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    args.flags(1, 0)?;
    let from = mem.str(args.u32(2), args.u32(3))?;
    let to = mem.str(args.u32(5), args.u32(6))?;
    let from_dir = cx.fds.dir(args.u32(0), rights::PATH_LINK_SOURCE)?;
    let to_dir = cx.fds.dir(args.u32(4), rights::PATH_LINK_TARGET)?;
    Ok(from_dir.dir.hard_link(&cx.host, &from, &to_dir.dir, &to)?)
}

pub(super) fn path_rename(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let from = mem.str(args.u32(1), args.u32(2))?;
    let to = mem.str(args.u32(4), args.u32(5))?;
    let from_dir = cx.fds.dir(args.u32(0), rights::PATH_RENAME_SOURCE)?;
    let to_dir = cx.fds.dir(args.u32(3), rights::PATH_RENAME_TARGET)?;
    Ok(from_dir.dir.rename(&cx.host, &from, &to_dir.dir, &to)?)
}

pub(super) fn path_symlink(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let target = mem.str(args.u32(0), args.u32(1))?;
    let path = mem.str(args.u32(3), args.u32(4))?;
    let directory = cx.fds.dir(args.u32(2), rights::PATH_SYMLINK)?;
    Ok(directory.dir.symlink(&cx.host, &target, &path)?)
}
