//! Waiting: one loop for whatever can be waited for.
//!
//! A [`Source`] says what it waits for as things stand: a time, or a descriptor of the
//! host. The loop asks all of them, waits for the first, and asks again. A guest that
//! can be interrupted is interrupted here.

use std::sync::Arc;

use zwasm::{Error, Result};
use zwasm_component::Resource;

use crate::ctx::State;
use crate::host::clocks::{self, Clock};
use crate::host::poll::{Direction, Need, Waiter};
use crate::host::sys::{self, AsFd, BorrowedFd};
use crate::host::{self, Host};
use crate::p2::WasiCtxView;
use crate::p2::table::{Store, interface, stop};

/// The most things that can be waited for at once: no program waits for nearly as many.
const MAX_POLLABLES: usize = 16384;

/// What something waits for.
pub(crate) enum Interest<'a> {
    /// Nothing: it is ready.
    Ready,
    /// What will not happen.
    Never,
    /// Until the monotonic clock shows this.
    Until(u64),
    /// Until this can be read or written.
    Descriptor(BorrowedFd<'a>, Direction),
    /// The same, but whether it is ready then is to be asked again.
    Progress(BorrowedFd<'a>, Direction),
    /// The first of these, after which it is to be asked again.
    Any(Vec<Need>),
}

/// Something that can be waited for.
pub(crate) trait Source: Send + Sync {
    /// What it waits for as things stand.
    fn interest<'a>(&'a self, state: &'a State) -> Interest<'a>;
}

/// A resource for a guest to wait for.
pub struct Pollable(pub(crate) Arc<dyn Source>);

/// A moment of the monotonic clock.
pub(crate) struct Moment(pub(crate) u64);

impl Source for Moment {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        match self.0 {
            u64::MAX => Interest::Never,
            moment => Interest::Until(moment),
        }
    }
}

/// Waits in this thread until at least one of the sources is ready, and tells of each whether
/// it is.
pub(crate) fn wait(state: &State, sources: &[&dyn Source]) -> host::Result<Vec<bool>> {
    // A prompt must be seen before its answer is waited for.
    let _ = state.stdio.flush(&state.host);
    loop {
        let ready = look(state, sources, true)?;
        if ready.contains(&true) {
            return Ok(ready);
        }
    }
}

/// Waits until a source is ready.
#[cfg(test)]
pub(crate) fn wait_for(state: &State, source: &dyn Source) -> host::Result {
    wait(state, &[source]).map(drop)
}

/// Which of the sources are ready now.
pub(crate) fn are_ready(state: &State, sources: &[Arc<dyn Source>]) -> host::Result<Vec<bool>> {
    let sources: Vec<_> = sources.iter().map(|source| &**source).collect();
    look(state, &sources, false)
}

/// Whether a source is ready now.
pub(crate) fn is_ready(state: &State, source: &dyn Source) -> host::Result<bool> {
    Ok(look(state, &[source], false)?.contains(&true))
}

/// Which of the sources are ready; `patient` waits for something to happen first,
/// though it may be nothing that makes one ready.
fn look(state: &State, sources: &[&dyn Source], patient: bool) -> host::Result<Vec<bool>> {
    let interests: Vec<_> = sources.iter().map(|source| source.interest(state)).collect();
    let mut ready = vec![false; sources.len()];
    let mut places = Vec::new();
    let mut moments = Vec::new();
    let mut needs = Vec::new();
    if patient {
        state.host.background.go_on(&state.host, &mut needs)?;
    }
    let mut waiter = Waiter::new(&state.host);
    let mut timeout: Option<u64> = None;
    let mut sooner = |time: u64| timeout = Some(timeout.map_or(time, |other| other.min(time)));
    for (index, interest) in interests.iter().enumerate() {
        match interest {
            Interest::Ready => ready[index] = true,
            Interest::Never => {}
            Interest::Until(moment) => {
                sooner(moment.saturating_sub(monotonic(&state.host)?));
                moments.push((index, *moment));
            }
            Interest::Descriptor(fd, direction) => {
                places.push((index, waiter.add(*fd, *direction), true));
            }
            Interest::Progress(fd, direction) => {
                places.push((index, waiter.add(*fd, *direction), false));
            }
            Interest::Any(needs) if patient => {
                let mut until =
                    |moment: u64| sooner(moment.saturating_sub(sys::now(Clock::Monotonic)));
                for need in needs {
                    join(&mut waiter, need, &mut until);
                }
            }
            Interest::Any(_) => {}
        }
    }
    let mut until = |moment: u64| sooner(moment.saturating_sub(sys::now(Clock::Monotonic)));
    for need in &needs {
        join(&mut waiter, need, &mut until);
    }
    if ready.contains(&true) || !patient {
        timeout = Some(0);
    }
    if !places.is_empty() || timeout != Some(0) {
        #[cfg(feature = "serve")]
        state.host.patience.wait(timeout, |timeout| waiter.wait(timeout))?;
        #[cfg(not(feature = "serve"))]
        waiter.wait(timeout)?;
    }
    if !moments.is_empty() {
        let now = monotonic(&state.host)?;
        moments.iter().for_each(|(index, moment)| ready[*index] = *moment <= now);
    }
    for (index, place, is_all) in places {
        if waiter.ready(place).is_some() {
            // What has progressed may be ready, which only asking again tells.
            let settled = is_all || matches!(sources[index].interest(state), Interest::Ready);
            ready[index] = settled;
        }
    }
    Ok(ready)
}

/// Has the waiter wait for what something needs, and `until` hear of moments of the monotonic
/// clock; its number among what is waited for. It is the host's own, which takes no capability.
pub(super) fn join<'a>(
    waiter: &mut Waiter<'a>,
    need: &'a Need,
    until: &mut impl FnMut(u64),
) -> Option<usize> {
    match need {
        Need::Socket(socket, direction) => Some(waiter.add(socket.as_fd(), *direction)),
        Need::Lookup(lookup) => lookup.event().map(|event| waiter.add_event(event)),
        #[cfg(feature = "serve")]
        Need::Stream(stream, direction) => Some(waiter.add(stream.as_fd(), *direction)),
        #[cfg(feature = "serve")]
        Need::Event(event) => Some(waiter.add_event(event)),
        Need::Until(moment) => {
            until(*moment);
            None
        }
    }
}

fn monotonic(host: &Host) -> host::Result<u64> {
    clocks::now(host, Clock::Monotonic)
}

interface! {
    /// Defines `wasi:io/poll`.
    fn define_poll = "wasi:io/poll@0.2.12" {
        resource "pollable": Pollable;
        "[method]pollable.ready" = ready(pollable);
        "[method]pollable.block" as waits = block(pollable);
        "poll" as waits = poll(pollables);
    }
}

fn ready(cx: &mut WasiCtxView<'_>, pollable: Resource<Pollable>) -> Result<(bool,)> {
    let source = &*cx.table.get(&pollable)?.0;
    Ok((is_ready(&cx.ctx.0, source).map_err(|failure| stop(failure, "wait"))?,))
}

async fn block(store: &mut dyn Store, pollable: Resource<Pollable>) -> Result<()> {
    let source = store.view().table.get(&pollable)?.0.clone();
    store.wait(&[source]).await.map(drop).map_err(|failure| stop(failure, "wait"))
}

async fn poll(store: &mut dyn Store, pollables: Vec<Resource<Pollable>>) -> Result<(Vec<u32>,)> {
    if pollables.is_empty() {
        return Err(Error::msg("the program polls nothing, which would never end"));
    }
    if pollables.len() > MAX_POLLABLES {
        let count = pollables.len();
        return Err(Error::limit(format_args!(
            "the program polls {count} things at once (the fixed limit is {MAX_POLLABLES})"
        )));
    }
    let mut sources = Vec::with_capacity(pollables.len());
    for pollable in &pollables {
        sources.push(store.view().table.get(pollable)?.0.clone());
    }
    let ready = store.wait(&sources).await.map_err(|failure| stop(failure, "wait"))?;
    let indices = (0..).zip(ready).filter(|(_, ready)| *ready);
    Ok((indices.map(|(index, _)| index).collect(),))
}
