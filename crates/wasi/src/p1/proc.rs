//! Ending, yielding, and randomness.

use super::{Args, Errno, Memory, Result, State, Stop};
use crate::host::random;
use crate::{Capabilities, I32Exit};

pub(super) fn proc_exit(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    cx.host.require(Capabilities::EXIT).or(Err(Stop::ExitRefused))?;
    Err(Stop::Exit(I32Exit(args.u32(0) as i32)))
}

/// Does to the guest what the signal does to a process that does not handle it.
/// The host, which may be running other guests, gets no signal.
pub(super) fn proc_raise(cx: &State, _: &mut Memory<'_>, args: Args<'_>) -> Result {
    const CHILD: u32 = 16;
    const CONTINUE: u32 = 17;
    const STOP: u32 = 18;
    const TTY_OUTPUT: u32 = 21;
    const URGENT: u32 = 22;
    const WINDOW_CHANGE: u32 = 27;
    const LAST: u32 = 30;

    cx.host.require(Capabilities::PROC)?;
    match args.u32(0) {
        0 | CHILD | CONTINUE | URGENT | WINDOW_CHANGE => Ok(()),
        STOP..=TTY_OUTPUT => Err(Errno::Notsup.into()),
        signal @ ..=LAST => Err(Stop::Exit(I32Exit(128 + signal as i32))),
        _ => Err(Errno::Inval.into()),
    }
}

pub(super) fn sched_yield(_: &State, _: &mut Memory<'_>, _: Args<'_>) -> Result {
    std::thread::yield_now();
    Ok(())
}

pub(super) fn random_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    mem.fill(args.u32(0), args.u32(1), |bytes| random::fill(&cx.host, bytes))
}
