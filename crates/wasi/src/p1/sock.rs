//! Sockets: accepting connections and talking through them.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fds::{Descriptor, Object, Socket};
use super::rights::{self, FD_READ, FD_WRITE, Rights, SOCK_ACCEPT, SOCK_SHUTDOWN};
use super::stat::{FDFLAGS, NONBLOCK};
use super::{Args, Errno, Memory, Result, State};
use crate::host::net::{self, ReceiveHow};
use crate::host::sys::AsFd;

/// The socket `fd`, of which `needed` is required.
fn socket(cx: &State, fd: u32, needed: Rights) -> Result<Arc<Socket>, Errno> {
    let descriptor = cx.fds.any(fd)?;
    let Object::Socket(socket) = &descriptor.object else { return Err(Errno::Notsock) };
    // Accepting takes a listener, everything else a connection.
    match (needed == SOCK_ACCEPT, socket.listening) {
        (true, false) => return Err(Errno::Inval),
        (false, true) => return Err(Errno::Notconn),
        _ => descriptor.require(needed)?,
    }
    Ok(socket.clone())
}

pub(super) fn sock_accept(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let listener = socket(cx, args.u32(0), SOCK_ACCEPT)?;
    let flags = args.flags(1, FDFLAGS)?;
    if flags & !NONBLOCK != 0 {
        return Err(Errno::Inval.into());
    }
    mem.check(args.u32(2), 1, 4)?;
    let passed_on = cx.fds.any(args.u32(0))?.inheriting;
    let nonblock = listener.nonblock.load(Ordering::Relaxed);
    let fd = net::accept(&cx.host, listener.fd.as_fd(), nonblock)?;
    let nonblock = AtomicBool::new(flags & NONBLOCK != 0);
    let object = Object::Socket(Arc::new(Socket { fd, listening: false, nonblock }));
    let base = rights::CONNECTION & passed_on;
    let fd = cx.fds.open(&cx.host, Descriptor { object, base, inheriting: 0 })?;
    Ok(mem.write_u32(args.u32(2), fd)?)
}

pub(super) fn sock_recv(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    const PEEK: u32 = 1 << 0;
    const WAIT_ALL: u32 = 1 << 1;

    let socket = socket(cx, args.u32(0), FD_READ)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    let flags = args.flags(3, PEEK | WAIT_ALL)?;
    mem.check(args.u32(4), 1, 4)?;
    mem.check(args.u32(5), 1, 2)?;
    let how = ReceiveHow { peek: flags & PEEK != 0, all: flags & WAIT_ALL != 0 };
    let nonblock = socket.nonblock.load(Ordering::Relaxed);
    let received = mem.scatter(buffers, how.all && !how.peek, &mut |slices, _| {
        net::receive(&cx.host, socket.fd.as_fd(), slices, how, nonblock)
    })?;
    mem.write_u32(args.u32(4), received)?;
    // The flags that come back: streams are never cut off.
    Ok(mem.write(args.u32(5), &[0; 2])?)
}

pub(super) fn sock_send(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let socket = socket(cx, args.u32(0), FD_WRITE)?;
    let buffers = mem.buffers(args.u32(1), args.u32(2))?;
    args.flags(3, 0)?;
    mem.check(args.u32(4), 1, 4)?;
    let nonblock = socket.nonblock.load(Ordering::Relaxed);
    let sent = mem.gather(buffers, &mut |slices, _| {
        net::send(&cx.host, socket.fd.as_fd(), slices, nonblock)
    })?;
    Ok(mem.write_u32(args.u32(4), sent)?)
}

pub(super) fn sock_shutdown(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    let socket = socket(cx, args.u32(0), SOCK_SHUTDOWN)?;
    let way = match args.u32(1) {
        1 => Shutdown::Read,
        2 => Shutdown::Write,
        3 => Shutdown::Both,
        _ => return Err(Errno::Inval.into()),
    };
    Ok(net::close_way(&cx.host, socket.fd.as_fd(), way)?)
}
