//! `wasi:clocks`: the time of day and the monotonic clock, which can be waited for.

use std::sync::Arc;
use std::task::Poll;

use zwasm::Result;
use zwasm_component::Linker;

use super::reactor::Waiting;
use super::table::{Poller, Store, interface};
use crate::host::clocks::Clock;
use crate::p2::clocks::{SECOND, monotonic_now, monotonic_resolution, now, resolution};
use crate::p2::io::poll::Moment;
use crate::p2::wit::wit_record;
use crate::{WasiCtxView, WasiView};

wit_record! {
    /// A moment.
    Instant {
        /// Since 1970, or before it.
        seconds: i64 = "seconds",
        /// Less than a second, and always forward.
        nanoseconds: u32 = "nanoseconds",
    }
}

impl Instant {
    /// So many nanoseconds after 1970.
    pub(crate) fn from_nanoseconds(nanoseconds: u64) -> Instant {
        let (seconds, nanoseconds) = (nanoseconds / SECOND, (nanoseconds % SECOND) as u32);
        Instant { seconds: seconds as i64, nanoseconds }
    }

    /// The nanoseconds since 1970, unless they are too many or it was before. More of them
    /// than a second has are more seconds.
    pub(crate) fn nanoseconds(&self) -> Option<u64> {
        let seconds = u64::try_from(self.seconds).ok()?;
        seconds.checked_mul(SECOND)?.checked_add(self.nanoseconds.into())
    }
}

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    define_monotonic_clock(linker)?;
    define_system_clock(linker)
}

interface! {
    fn define_types = "wasi:clocks/types@0.3.0" {}
}

interface! {
    fn define_monotonic_clock = "wasi:clocks/monotonic-clock@0.3.0" {
        "now" = monotonic_now();
        "get-resolution" = monotonic_resolution();
        "wait-until" as wait = wait_until(when);
        "wait-for" as wait = wait_for(duration);
    }
}

interface! {
    fn define_system_clock = "wasi:clocks/system-clock@0.3.0" {
        "now" = system_now();
        "get-resolution" = system_resolution();
    }
}

fn system_now(cx: &mut WasiCtxView<'_>) -> Result<(Instant,)> {
    Ok((Instant::from_nanoseconds(now(&cx.ctx.0, Clock::Realtime)?),))
}

fn system_resolution(cx: &mut WasiCtxView<'_>) -> Result<(u64,)> {
    Ok((resolution(&cx.ctx.0, Clock::Realtime)?,))
}

fn wait_until(store: &mut dyn Store, when: u64) -> Result<Poller<Result<()>>> {
    // Waiting for a clock is reading it.
    now(&store.view().ctx.0, Clock::Monotonic)?;
    Ok(until(when))
}

fn wait_for(store: &mut dyn Store, duration: u64) -> Result<Poller<Result<()>>> {
    let now = now(&store.view().ctx.0, Clock::Monotonic)?;
    Ok(until(now.saturating_add(duration)))
}

/// Ready when the monotonic clock shows a time.
fn until(when: u64) -> Poller<Result<()>> {
    let mut waiting = Waiting::default();
    Box::new(move |store, cx| match now(&store.view().ctx.0, Clock::Monotonic) {
        Ok(now) if now < when => {
            waiting.on(store, Arc::new(Moment(when)), cx);
            Poll::Pending
        }
        Ok(_) => Poll::Ready(Ok(())),
        Err(error) => Poll::Ready(Err(error)),
    })
}
