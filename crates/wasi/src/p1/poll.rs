//! Waiting for several things at once.
//!
//! What can not be waited for (no such descriptor, a clock that stands still)
//! fails the call, as engines do, and not the one event. Waiting for more than the host
//! would remember stops the guest: no program means to.

use super::clock::clock;
use super::fds::Descriptor;
use super::rights::{FD_READ, FD_WRITE, POLL_FD_READWRITE};
use super::{Args, Errno, Memory, Result, State, Stop};
use crate::host::clocks::{self, Clock};
use crate::host::poll::{Direction, Ready, Waiter};
use crate::host::{self, Host};

const CLOCK: u8 = 0;
const FD_READ_EVENT: u8 = 1;
const FD_WRITE_EVENT: u8 = 2;

/// The most things that can be waited for at once. What each takes here is larger than
/// what it takes in the guest; no program waits for nearly as many.
pub(crate) const MAX_SUBSCRIPTIONS: u32 = 16384;

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
    /// Until this can be read or written.
    Descriptor(Descriptor, Direction),
}

pub(super) fn poll_oneoff(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    poll(cx, mem, args, &LAYOUT)
}

pub(super) fn unstable_poll_oneoff(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    poll(cx, mem, args, &UNSTABLE_LAYOUT)
}

fn poll(cx: &State, mem: &mut Memory<'_>, args: Args<'_>, layout: &Layout) -> Result {
    let (subscriptions, events, count) = (args.u32(0), args.u32(1), args.u32(2));
    if count == 0 {
        return Err(Errno::Inval.into());
    }
    mem.check(subscriptions, count, layout.size)?;
    mem.check(events, count, EVENT_SIZE)?;
    mem.check(args.u32(3), 1, 4)?;
    if count > MAX_SUBSCRIPTIONS {
        return Err(Stop::Subscriptions(count));
    }

    let _ = cx.stdio.flush(&cx.host);
    let mut waits = Vec::with_capacity(count as usize);
    for index in 0..count {
        waits.push(subscribe(cx, mem, subscriptions + index * layout.size, layout)?);
    }
    let mut waiter = Waiter::new(&cx.host);
    let places: Vec<_> = waits.iter().map(|wait| wait.source.join(cx, &mut waiter)).collect();

    let happened = loop {
        let mut left = None;
        for (wait, _) in waits.iter().zip(&places).filter(|(_, place)| place.is_none()) {
            let own = wait.source.left(&cx.host)?;
            left = Some(left.map_or(own, |left: u64| left.min(own)));
        }
        waiter.wait(left)?;
        let mut happened = 0;
        for (wait, place) in waits.iter().zip(&places) {
            let ready = match place {
                Some(place) => waiter.ready(*place),
                None => wait.source.passed(&cx.host)?,
            };
            if let Some(ready) = ready {
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
fn subscribe(cx: &State, mem: &Memory<'_>, at: u32, layout: &Layout) -> Result<Wait> {
    let userdata = mem.u64(at, 0)?;
    let [event] = mem.array(at, 8)?;
    let source = match event {
        CLOCK => {
            let id = mem.u32(at, layout.clock)?;
            let timeout = mem.u64(at, layout.clock + 8)?;
            let flags = u16::from_le_bytes(mem.array(at, layout.clock + 24)?);
            until(&cx.host, id, timeout, flags)?
        }
        FD_READ_EVENT | FD_WRITE_EVENT => {
            let (direction, right) = match event {
                FD_READ_EVENT => (Direction::Read, FD_READ),
                _ => (Direction::Write, FD_WRITE),
            };
            let descriptor = cx.fds.get(mem.u32(at, 16)?, right | POLL_FD_READWRITE)?;
            Source::Descriptor(descriptor, direction)
        }
        _ => return Err(Errno::Inval.into()),
    };
    Ok(Wait { userdata, event, source })
}

/// A subscription to a clock.
fn until(host: &Host, id: u32, timeout: u64, flags: u16) -> Result<Source> {
    const ABSOLUTE: u16 = 1 << 0;

    let clock = clock(id)?;
    if !matches!(clock, Clock::Realtime | Clock::Monotonic) {
        // Processor time stands still while waiting for it.
        return Err(Errno::Notsup.into());
    }
    let now = clocks::now(host, clock)?;
    match flags {
        0 => Ok(Source::Until(clock, now.saturating_add(timeout))),
        ABSOLUTE => Ok(Source::Until(clock, timeout)),
        _ => Err(Errno::Inval.into()),
    }
}

impl Source {
    /// Joins the waiter, where waiting for a descriptor of the host tells when
    /// this has happened.
    fn join<'a>(&'a self, cx: &'a State, waiter: &mut Waiter<'a>) -> Option<usize> {
        match self {
            Source::Until(..) => None,
            Source::Descriptor(descriptor, direction) => {
                Some(waiter.add(descriptor.object.handle(&cx.stdio)?.fd, *direction))
            }
        }
    }

    /// The nanoseconds until something that has not joined the waiter has
    /// happened. For an embedder's stream that is now: only trying could tell.
    fn left(&self, host: &Host) -> host::Result<u64> {
        match self {
            Source::Until(clock, end) => Ok(end.saturating_sub(clocks::now(host, *clock)?)),
            Source::Descriptor(..) => Ok(0),
        }
    }

    /// What came of something that has not joined the waiter, if it has happened.
    fn passed(&self, host: &Host) -> host::Result<Option<Ready>> {
        let bytes = u64::from(matches!(self, Source::Descriptor(..)));
        Ok((self.left(host)? == 0).then_some(Ready { bytes, hangup: false }))
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
