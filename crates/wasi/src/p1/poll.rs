//! Waiting for several things at once.
//!
//! What can not be waited for (no such descriptor, a clock that stands still)
//! fails the call, as engines do, and not the one event.

use super::clock::clock;
use super::rights::{FD_READ, FD_WRITE, POLL_FD_READWRITE};
use super::{Args, Errno, Memory, Result};
use crate::WasiCtx;
use crate::host::clocks::{self, Clock};
use crate::host::poll::{Direction, Ready, Waiter};

const CLOCK: u8 = 0;
const FD_READ_EVENT: u8 = 1;
const FD_WRITE_EVENT: u8 = 2;

/// The size of an event, in both ABIs.
const EVENT_SIZE: u32 = 32;

/// Where the fields of a subscription lie.
struct Layout {
    size: u32,
    clock: u32,
}

/// Between the tag and the clock's number there was an identifier once.
const LAYOUT: Layout = Layout { size: 48, clock: 16 };
const UNSTABLE_LAYOUT: Layout = Layout { size: 56, clock: 24 };

/// What one subscription waits for.
struct Wait {
    userdata: u64,
    event: u8,
    source: Source,
}

enum Source {
    /// Until the clock shows this.
    Until(Clock, u64),
    /// For this number in the waiter.
    Fd(usize),
    /// For an embedder's stream, of which only trying could tell.
    Stream,
}

pub(super) fn poll_oneoff(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    poll(cx, mem, args, &LAYOUT)
}

pub(super) fn unstable_poll_oneoff(
    cx: &mut WasiCtx,
    mem: &mut Memory<'_>,
    args: Args<'_>,
) -> Result {
    poll(cx, mem, args, &UNSTABLE_LAYOUT)
}

fn poll(cx: &mut WasiCtx, mem: &mut Memory<'_>, args: Args<'_>, layout: &Layout) -> Result {
    let (subscriptions, events, count) = (args.u32(0), args.u32(1), args.u32(2));
    if count == 0 {
        return Err(Errno::Inval.into());
    }
    // What is inside the memory also bounds what is allocated below.
    mem.check(subscriptions, count, layout.size)?;
    mem.check(events, count, EVENT_SIZE)?;
    mem.check(args.u32(3), 1, 4)?;

    let _ = cx.stdio.flush();
    let mut waiter = Waiter::default();
    let mut waits = Vec::with_capacity(count as usize);
    for index in 0..count {
        let subscription = subscriptions + index * layout.size;
        waits.push(subscribe(cx, mem, subscription, layout, &mut waiter)?);
    }

    let happened = loop {
        waiter.wait(waits.iter().filter_map(|wait| wait.source.left()).min())?;
        let mut happened = 0;
        for wait in &waits {
            if let Some(ready) = wait.source.outcome(&waiter) {
                mem.write(events + happened * EVENT_SIZE, &wait.event(ready))?;
                happened += 1;
            }
        }
        if happened > 0 {
            break happened;
        }
    };
    Ok(mem.write_u32(args.u32(3), happened)?)
}

/// Reads a subscription.
fn subscribe<'a>(
    cx: &'a WasiCtx,
    mem: &Memory<'_>,
    at: u32,
    layout: &Layout,
    waiter: &mut Waiter<'a>,
) -> Result<Wait, Errno> {
    let userdata = mem.u64(at, 0)?;
    let [event] = mem.array(at, 8)?;
    let source = match event {
        CLOCK => {
            let id = mem.u32(at, layout.clock)?;
            let timeout = mem.u64(at, layout.clock + 8)?;
            let flags = u16::from_le_bytes(mem.array(at, layout.clock + 24)?);
            until(id, timeout, flags)?
        }
        FD_READ_EVENT | FD_WRITE_EVENT => {
            let (direction, right) = match event {
                FD_READ_EVENT => (Direction::Read, FD_READ),
                _ => (Direction::Write, FD_WRITE),
            };
            let descriptor = cx.fds.get(mem.u32(at, 16)?, right | POLL_FD_READWRITE)?;
            match descriptor.object.fd(&cx.stdio) {
                Some(fd) => Source::Fd(waiter.add(fd, direction)),
                None => Source::Stream,
            }
        }
        _ => return Err(Errno::Inval),
    };
    Ok(Wait { userdata, event, source })
}

/// A subscription to a clock.
fn until(id: u32, timeout: u64, flags: u16) -> Result<Source, Errno> {
    const ABSOLUTE: u16 = 1 << 0;

    let clock = clock(id)?;
    if !matches!(clock, Clock::Realtime | Clock::Monotonic) {
        // Processor time stands still while waiting for it.
        return Err(Errno::Notsup);
    }
    match flags {
        0 => Ok(Source::Until(clock, clocks::now(clock).saturating_add(timeout))),
        ABSOLUTE => Ok(Source::Until(clock, timeout)),
        _ => Err(Errno::Inval),
    }
}

impl Source {
    /// The nanoseconds until this is sure to have happened.
    fn left(&self) -> Option<u64> {
        match self {
            Source::Until(clock, end) => Some(end.saturating_sub(clocks::now(*clock))),
            Source::Fd(_) => None,
            Source::Stream => Some(0),
        }
    }

    /// What came of it, if it has happened.
    fn outcome(&self, waiter: &Waiter<'_>) -> Option<Ready> {
        match self {
            Source::Until(clock, end) => {
                (clocks::now(*clock) >= *end).then_some(Ready { bytes: 0, hangup: false })
            }
            Source::Fd(index) => waiter.ready(*index),
            Source::Stream => Some(Ready { bytes: 1, hangup: false }),
        }
    }
}

impl Wait {
    /// The event that tells the guest.
    fn event(&self, ready: Ready) -> [u8; EVENT_SIZE as usize] {
        let mut bytes = [0; EVENT_SIZE as usize];
        bytes[0..8].copy_from_slice(&self.userdata.to_le_bytes());
        bytes[10] = self.event;
        bytes[16..24].copy_from_slice(&ready.bytes.to_le_bytes());
        bytes[24] = u8::from(ready.hangup);
        bytes
    }
}
