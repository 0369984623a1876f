//! Ending, yielding, and randomness.

use super::{Args, Errno, Memory, Result, Stop};
use crate::host::random;
use crate::{I32Exit, WasiCtx};

pub(super) fn proc_exit(_: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    Err(Stop::Exit(I32Exit(args.u32(0) as i32)))
}

/// Does to the guest what the signal does to a process that does not handle it.
/// The host, which may be running other guests, gets no signal.
pub(super) fn proc_raise(_: &mut WasiCtx, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    const CHILD: u32 = 16;
    const CONTINUE: u32 = 17;
    const STOP: u32 = 18;
    const TTY_OUTPUT: u32 = 21;
    const URGENT: u32 = 22;
    const WINDOW_CHANGE: u32 = 27;
    const LAST: u32 = 30;

    match args.u32(0) {
        0 | CHILD | CONTINUE | URGENT | WINDOW_CHANGE => Ok(()),
        STOP..=TTY_OUTPUT => Err(Errno::Notsup.into()),
        signal @ ..=LAST => Err(Stop::Exit(I32Exit(128 + signal as i32))),
        _ => Err(Errno::Inval.into()),
    }
}

pub(super) fn sched_yield(_: &mut WasiCtx, _: &mut Memory<'_>, _: Args<'_>) -> Result {
    std::thread::yield_now();
    Ok(())
}

pub(super) fn random_get(_: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    Ok(mem.fill(args.u32(0), args.u32(1), random::fill)?)
}
