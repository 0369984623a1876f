//! Reading and writing.

use rustix::fd::AsFd;
use std::io;

use super::fds::{Descriptor, File, Object, Std};
use super::rights::{FD_READ, FD_SEEK, FD_WRITE};
use super::{Args, Errno, Memory, Result};
use crate::WasiCtx;
use crate::host::fs::{FileKind, file};
use crate::host::poll::{self, Direction};
use crate::host::stdio::Stdio;

pub(super) fn fd_read(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (stdio, descriptor) = (&mut cx.stdio, cx.fds.get(args.u32(0), FD_READ)?);
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    mem.check(args.u32(3), 1, 4)?;
    let read = match &descriptor.object {
        Object::Std(std) => {
            check_ready(stdio, *std, Direction::Read)?;
            mem.scatter(buffers, false, &mut |slices, _| stdio.read(slices))
        }
        // Only a regular file gives all it has without waiting for more.
        Object::File(open) => {
            let whole = open.kind == FileKind::RegularFile;
            mem.scatter(buffers, whole, &mut |slices, _| file::read(open.fd.as_fd(), slices))
        }
        Object::Dir(_) => Err(Errno::Badf),
    };
    Ok(mem.write_u32(args.u32(3), read?)?)
}

pub(super) fn fd_write(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (stdio, descriptor) = (&mut cx.stdio, cx.fds.get(args.u32(0), FD_WRITE)?);
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    mem.check(args.u32(3), 1, 4)?;
    let written = match &descriptor.object {
        Object::Std(std) => {
            check_ready(stdio, *std, Direction::Write)?;
            mem.gather(buffers, &mut |slices, _| stdio.write(std.stream, slices))
        }
        Object::File(open) => {
            mem.gather(buffers, &mut |slices, _| file::write(open.fd.as_fd(), slices))
        }
        Object::Dir(_) => Err(Errno::Badf),
    };
    Ok(mem.write_u32(args.u32(3), written?)?)
}

pub(super) fn fd_pread(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.get(args.u32(0), FD_READ | FD_SEEK)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    let offset = args.u64(3);
    mem.check(args.u32(4), 1, 4)?;
    let fd = descriptor.object.fd(&cx.stdio).ok_or(Errno::Spipe)?;
    let read = mem.scatter(buffers, true, &mut |slices, done| {
        file::read_at(fd, slices, advance(offset, done)?)
    })?;
    Ok(mem.write_u32(args.u32(4), read)?)
}

pub(super) fn fd_pwrite(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.get(args.u32(0), FD_WRITE | FD_SEEK)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    let offset = args.u64(3);
    mem.check(args.u32(4), 1, 4)?;
    flush(&mut cx.stdio, descriptor)?;
    let fd = descriptor.object.fd(&cx.stdio).ok_or(Errno::Spipe)?;
    let appending = match &descriptor.object {
        Object::File(File { append, .. }) => *append,
        // Whoever started this process may have opened it in any way.
        _ => file::flags(fd)?.append,
    };
    let written = mem.gather(buffers, &mut |slices, done| {
        file::write_at(fd, slices, advance(offset, done)?, appending)
    })?;
    Ok(mem.write_u32(args.u32(4), written)?)
}

/// Hands what is buffered for this descriptor to the host, before something
/// looks at the file behind it.
pub(super) fn flush(stdio: &mut Stdio, descriptor: &Descriptor) -> Result<(), Errno> {
    match descriptor.object {
        Object::Std(_) => Ok(stdio.flush()?),
        _ => Ok(()),
    }
}

/// That a standard stream the guest wants not to wait for is ready.
fn check_ready(stdio: &Stdio, std: Std, direction: Direction) -> Result<(), Errno> {
    match stdio.fd(std.stream) {
        Some(fd) if std.nonblock && !poll::is_ready(fd, direction)? => Err(Errno::Again),
        _ => Ok(()),
    }
}

fn advance(offset: u64, done: u32) -> io::Result<u64> {
    offset.checked_add(done.into()).ok_or(io::ErrorKind::InvalidInput.into())
}
