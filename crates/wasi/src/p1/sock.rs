//! Sockets. No descriptor of a guest can be one, so that the only question is
//! whether there is such a descriptor at all.

use super::{Args, Errno, Memory, Result};
use crate::WasiCtx;

pub(super) fn sock_accept(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    not_a_socket(cx, args)
}

pub(super) fn sock_recv(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    not_a_socket(cx, args)
}

pub(super) fn sock_send(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    not_a_socket(cx, args)
}

pub(super) fn sock_shutdown(cx: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    not_a_socket(cx, args)
}

fn not_a_socket(cx: &WasiCtx, args: Args<'_>) -> Result {
    cx.fds.any(args.u32(0))?;
    Err(Errno::Notsock.into())
}
