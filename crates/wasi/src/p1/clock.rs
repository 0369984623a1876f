//! Reading clocks.

use super::{Args, Errno, Memory, Result, State};
use crate::host::clocks::{self, Clock};

/// The clock a guest means by a number.
pub(super) fn clock(id: u32) -> Result<Clock, Errno> {
    Ok(match id {
        0 => Clock::Realtime,
        1 => Clock::Monotonic,
        2 => Clock::ProcessCpu,
        3 => Clock::ThreadCpu,
        _ => return Err(Errno::Inval),
    })
}

pub(super) fn clock_res_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let clock = clock(args.u32(0))?;
    Ok(mem.write_u64(args.u32(1), clocks::resolution(&cx.host, clock)?)?)
}

/// The second argument, the precision the guest can do with, is of no use:
/// reading a clock exactly costs no more.
pub(super) fn clock_time_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let clock = clock(args.u32(0))?;
    Ok(mem.write_u64(args.u32(2), clocks::now(&cx.host, clock)?)?)
}
