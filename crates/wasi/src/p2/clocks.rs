//! `wasi:clocks`: the time of day, the monotonic clock and the time zone.

use std::sync::Arc;

use zwasm::Result;
use zwasm_component::{Linker, Resource};

use super::io::poll::{Moment, Pollable};
use super::table::{interface, stop};
use super::wit::wit_record;
use super::{WasiCtxView, WasiView};
use crate::ctx::State;
use crate::host::clocks::{self, Clock};

/// Nanoseconds in a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

wit_record! {
    /// A moment, or a duration.
    Datetime {
        /// Since 1970.
        seconds: u64 = "seconds",
        /// Less than a second.
        nanoseconds: u32 = "nanoseconds",
    }
}

impl Datetime {
    /// So many nanoseconds.
    pub(crate) fn from_nanoseconds(nanoseconds: u64) -> Datetime {
        let (seconds, nanoseconds) = (nanoseconds / SECOND, (nanoseconds % SECOND) as u32);
        Datetime { seconds, nanoseconds }
    }

    /// The nanoseconds, unless they are too many. More of them than a second has are more
    /// seconds.
    pub(crate) fn nanoseconds(&self) -> Option<u64> {
        self.seconds.checked_mul(SECOND)?.checked_add(self.nanoseconds.into())
    }
}

wit_record! {
    /// How people tell the time.
    TimezoneDisplay {
        /// Seconds east of UTC.
        utc_offset: i32 = "utc-offset",
        /// Its short name.
        name: String = "name",
        /// Whether clocks are put forward.
        in_daylight_saving_time: bool = "in-daylight-saving-time",
    }
}

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_monotonic_clock(linker)?;
    define_wall_clock(linker)?;
    define_timezone(linker)
}

interface! {
    fn define_monotonic_clock = "wasi:clocks/monotonic-clock@0.2.12" {
        "now" = monotonic_now();
        "resolution" = monotonic_resolution();
        "subscribe-instant" = subscribe_instant(when);
        "subscribe-duration" = subscribe_duration(duration);
    }
}

interface! {
    fn define_wall_clock = "wasi:clocks/wall-clock@0.2.12" {
        "now" = wall_now();
        "resolution" = wall_resolution();
    }
}

interface! {
    fn define_timezone = "wasi:clocks/timezone@0.2.12" {
        "display" = display(when);
        "utc-offset" = utc_offset(when);
    }
}

pub(crate) fn now(state: &State, clock: Clock) -> Result<u64> {
    clocks::now(&state.host, clock).map_err(|failure| stop(failure, "read a clock"))
}

pub(crate) fn resolution(state: &State, clock: Clock) -> Result<u64> {
    clocks::resolution(&state.host, clock).map_err(|failure| stop(failure, "read a clock"))
}

pub(crate) fn monotonic_now(cx: &mut WasiCtxView<'_>) -> Result<(u64,)> {
    Ok((now(&cx.ctx.0, Clock::Monotonic)?,))
}

pub(crate) fn monotonic_resolution(cx: &mut WasiCtxView<'_>) -> Result<(u64,)> {
    Ok((resolution(&cx.ctx.0, Clock::Monotonic)?,))
}

fn subscribe_instant(cx: &mut WasiCtxView<'_>, when: u64) -> Result<(Resource<Pollable>,)> {
    // Waiting for a clock is reading it.
    now(&cx.ctx.0, Clock::Monotonic)?;
    Ok((cx.push(Pollable(Arc::new(Moment(when))))?,))
}

fn subscribe_duration(cx: &mut WasiCtxView<'_>, duration: u64) -> Result<(Resource<Pollable>,)> {
    let when = now(&cx.ctx.0, Clock::Monotonic)?.saturating_add(duration);
    Ok((cx.push(Pollable(Arc::new(Moment(when))))?,))
}

fn wall_now(cx: &mut WasiCtxView<'_>) -> Result<(Datetime,)> {
    Ok((Datetime::from_nanoseconds(now(&cx.ctx.0, Clock::Realtime)?),))
}

fn wall_resolution(cx: &mut WasiCtxView<'_>) -> Result<(Datetime,)> {
    Ok((Datetime::from_nanoseconds(resolution(&cx.ctx.0, Clock::Realtime)?),))
}

/// Where the host is, is none of the guest's business: everywhere it is UTC, which is
/// what the specification has a host say that does not know its zone.
fn display(_: &mut WasiCtxView<'_>, _: Datetime) -> Result<(TimezoneDisplay,)> {
    let name = "UTC".to_owned();
    Ok((TimezoneDisplay { utc_offset: 0, name, in_daylight_saving_time: false },))
}

fn utc_offset(_: &mut WasiCtxView<'_>, _: Datetime) -> Result<(i32,)> {
    Ok((0,))
}
