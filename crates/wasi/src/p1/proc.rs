//! Ending, yielding, and randomness.

use std::cell::Cell;

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

/// Yields of a thread of which one is the system's. Asking the system costs as much as
/// twenty other calls, and a thread that spins has others wait no longer for it: the
/// calls between are over before another processor could have noticed.
const YIELDS: u32 = 16;

pub(super) fn sched_yield(_: &State, _: &mut Memory<'_>, _: Args<'_>) -> Result {
    thread_local!(static LEFT: Cell<u32> = const { Cell::new(0) });
    if LEFT.with(turn) {
        std::thread::yield_now();
    }
    Ok(())
}

/// Counts a yield; whether it is one of those that are the system's, as the first is.
fn turn(left: &Cell<u32>) -> bool {
    let last = left.get() == 0;
    left.set(if last { YIELDS - 1 } else { left.get() - 1 });
    last
}

pub(super) fn random_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    mem.fill(args.u32(0), args.u32(1), |bytes| random::fill(&cx.host, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_spins_lets_others_run() {
        let left = Cell::new(0);
        let turns: Vec<bool> = (0..YIELDS * 3).map(|_| turn(&left)).collect();
        let due = |at: usize| at.is_multiple_of(YIELDS as usize);
        assert!(turns.iter().enumerate().all(|(at, turn)| *turn == due(at)));
    }
}
