//! Reading and writing.

use std::sync::atomic::Ordering;

use super::fds::{Descriptor, Object};
use super::rights::{FD_READ, FD_SEEK, FD_WRITE};
use super::{Args, Errno, Memory, Result, State, Stop};
use crate::host::fs::{FileKind, file};
use crate::host::net::{self, ReceiveHow};
use crate::host::sys::AsFd;
use crate::host::{self, Failure};

pub(super) fn fd_read(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.get(args.u32(0), FD_READ)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    mem.check(args.u32(3), 1, 4)?;
    let read = match &descriptor.object {
        Object::Std(_) => {
            mem.scatter(buffers, false, &mut |slices, _| cx.stdio.read(&cx.host, slices))
        }
        // Only a regular file gives all it has without waiting for more.
        Object::File(open) => {
            let whole = open.kind == FileKind::RegularFile;
            mem.scatter(buffers, whole, &mut |slices, _| {
                file::read(&cx.host, open.handle(), slices)
            })
        }
        Object::Socket(socket) => mem.scatter(buffers, false, &mut |slices, _| {
            let nonblock = socket.nonblock.load(Ordering::Relaxed);
            net::receive(&cx.host, socket.fd.as_fd(), slices, ReceiveHow::default(), nonblock)
        }),
        Object::Dir(_) => Err(Errno::Badf.into()),
    };
    Ok(mem.write_u32(args.u32(3), read?)?)
}

pub(super) fn fd_write(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.get(args.u32(0), FD_WRITE)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    mem.check(args.u32(3), 1, 4)?;
    let written = match &descriptor.object {
        Object::Std(std) => {
            mem.gather(buffers, &mut |slices, _| cx.stdio.write(&cx.host, std.stream, slices))
        }
        Object::File(open) => {
            mem.gather(buffers, &mut |slices, _| file::write(&cx.host, open.handle(), slices))
        }
        Object::Socket(socket) => mem.gather(buffers, &mut |slices, _| {
            let nonblock = socket.nonblock.load(Ordering::Relaxed);
            net::send(&cx.host, socket.fd.as_fd(), slices, nonblock)
        }),
        Object::Dir(_) => Err(Errno::Badf.into()),
    };
    Ok(mem.write_u32(args.u32(3), written?)?)
}

pub(super) fn fd_pread(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.get(args.u32(0), FD_READ | FD_SEEK)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    let offset = args.u64(3);
    mem.check(args.u32(4), 1, 4)?;
    let file = descriptor.object.handle(&cx.stdio).ok_or(Errno::Spipe)?;
    let read = mem.scatter(buffers, true, &mut |slices, done| {
        file::read_at(&cx.host, file, slices, advance(offset, done)?)
    })?;
    Ok(mem.write_u32(args.u32(4), read)?)
}

pub(super) fn fd_pwrite(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let descriptor = cx.fds.get(args.u32(0), FD_WRITE | FD_SEEK)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    let offset = args.u64(3);
    mem.check(args.u32(4), 1, 4)?;
    flush(cx, &descriptor)?;
    let file = descriptor.object.handle(&cx.stdio).ok_or(Errno::Spipe)?;
    let appending = match &descriptor.object {
        Object::File(open) => open.append.load(Ordering::Relaxed),
        // Whoever started this process may have opened it in any way.
        _ => file::flags(file.fd)?.append,
    };
    let written = mem.gather(buffers, &mut |slices, done| {
        file::write_at(&cx.host, file, slices, advance(offset, done)?, appending)
    })?;
    Ok(mem.write_u32(args.u32(4), written)?)
}

/// Hands what is buffered for this descriptor to the host, before something
/// looks at the file behind it.
pub(super) fn flush(cx: &State, descriptor: &Descriptor) -> Result<(), Stop> {
    match descriptor.object {
        Object::Std(_) => Ok(cx.stdio.flush(&cx.host)?),
        _ => Ok(()),
    }
}

fn advance(offset: u64, done: u32) -> host::Result<u64> {
    let end = offset.checked_add(done.into());
    end.ok_or(Failure::System(std::io::ErrorKind::InvalidInput.into()))
}
