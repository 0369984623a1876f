//! Waiting as a future: a thread that all guests share waits in place of theirs.
//!
//! Whoever is polled looks for itself what is ready. If nothing is, it leaves what it waits
//! for and its waker in a list, and the thread waits for all of the list at once, asking each
//! source as the loop of one guest does. It wakes those for which anything has happened, and
//! so needs not know whether that makes them ready: they look again. A wait takes time that
//! grows with the length of the list.
//!
//! The thread is there as long as the list is not empty, and a little longer.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{io, thread};

use super::poll::{Interest, Source, are_ready, join};
use crate::host::clocks::Clock;
use crate::host::poll::{Need, Waiter};
use crate::host::sys::{self, Event};
use crate::host::{self, Failure, Host};
use crate::{Capabilities, WasiCtx};

/// How long the thread stays when nobody waits, in nanoseconds.
const LINGERS: u64 = 1_000_000_000;

/// How long it does nothing after the system has refused to wait.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until at least one of the sources is ready; tells of each whether it is.
pub(crate) struct Wait {
    ctx: WasiCtx,
    sources: Arc<[Arc<dyn Source>]>,
    ticket: Option<Ticket>,
}

impl Wait {
    /// Waits for these.
    pub(crate) fn new(ctx: WasiCtx, sources: &[Arc<dyn Source>]) -> Wait {
        Wait { ctx, sources: sources.into(), ticket: None }
    }
}

impl Future for Wait {
    type Output = host::Result<Vec<bool>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // What has woken it took it out of the list; whoever polls for another reason may
        // have another waker.
        self.ticket = None;
        let state = &*self.ctx.0;
        let ready = are_ready(state, &self.sources)?;
        if ready.contains(&true) {
            return Poll::Ready(Ok(ready));
        }
        if state.host.interrupt.requested() {
            return Poll::Ready(Err(Failure::Interrupted));
        }
        state.host.background.go_on(&state.host, &mut Vec::new())?;
        let entry = Arc::new(Entry {
            ctx: self.ctx.clone(),
            sources: self.sources.clone(),
            waker: context.waker().clone(),
        });
        self.ticket = Some(watch(entry)?);
        Poll::Pending
    }
}

/// Somebody who waits.
struct Entry {
    ctx: WasiCtx,
    sources: Arc<[Arc<dyn Source>]>,
    waker: Waker,
}

/// Who waits, and whether there is a thread.
#[derive(Default)]
struct List {
    next: u64,
    entries: BTreeMap<u64, Arc<Entry>>,
    is_watched: bool,
}

static LIST: Mutex<List> =
    Mutex::new(List { next: 0, entries: BTreeMap::new(), is_watched: false });

fn list() -> MutexGuard<'static, List> {
    // Nothing leaves it half-changed.
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the thread that the list is another.
fn changed() -> io::Result<&'static Event> {
    static CHANGED: OnceLock<Event> = OnceLock::new();
    if CHANGED.get().is_none() {
        // Of two that are made at once, one is closed again.
        let _ = CHANGED.set(Event::new()?);
    }
    CHANGED.get().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A place in the list.
struct Ticket(u64);

impl Drop for Ticket {
    fn drop(&mut self) {
        let removed = list().entries.remove(&self.0);
        // What it holds is dropped when the list can be used again.
        drop(removed);
    }
}

/// Puts somebody into the list.
fn watch(entry: Arc<Entry>) -> io::Result<Ticket> {
    let event = changed()?;
    let mut list = list();
    if !list.is_watched {
        thread::Builder::new().name("zwasm-wasi".into()).spawn(move || run(event))?;
        list.is_watched = true;
    }
    let id = list.next;
    list.next += 1;
    list.entries.insert(id, entry);
    drop(list);
    event.set();
    Ok(Ticket(id))
}

/// Has whoever is left ask again, should the thread end by a panic.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        let left = {
            let mut list = list();
            list.is_watched = false;
            std::mem::take(&mut list.entries)
        };
        left.into_values().for_each(|entry| entry.waker.wake_by_ref());
    }
}

/// What the thread does.
fn run(changed: &Event) {
    let ends = Ends;
    let host = Host::new(Capabilities::NONE);
    loop {
        changed.clear();
        let entries: Vec<_> =
            list().entries.iter().map(|(id, entry)| (*id, entry.clone())).collect();
        if entries.is_empty() {
            let mut waiter = Waiter::new(&host);
            waiter.add_event(changed);
            let _ = waiter.wait(Some(LINGERS));
            let mut list = list();
            if list.entries.is_empty() {
                list.is_watched = false;
                // Nobody is left for it.
                std::mem::forget(ends);
                return;
            }
            continue;
        }
        for id in turn(&host, changed, &entries) {
            let removed = list().entries.remove(&id);
            if let Some(entry) = removed {
                entry.waker.wake_by_ref();
            }
        }
    }
}

/// What is asked of somebody's sources before a wait.
struct Asked<'a> {
    interests: Vec<Interest<'a>>,
    /// What goes on for the guest meanwhile needs this. That is nobody's to hear of.
    background: Vec<Need>,
    has_failed: bool,
}

impl<'a> Asked<'a> {
    fn new(entry: &'a Entry) -> Asked<'a> {
        let state = &*entry.ctx.0;
        let mut background = Vec::new();
        let gone_on = state.host.background.go_on(&state.host, &mut background);
        let interests = entry.sources.iter().map(|source| source.interest(state)).collect();
        Asked { interests, background, has_failed: gone_on.is_err() }
    }
}

/// Where the answer for somebody is found after a wait.
struct Place {
    is_ready: bool,
    places: Vec<usize>,
    until: u64,
}

impl Place {
    fn new<'a>(entry: &'a Entry, asked: &'a Asked<'a>, waiter: &mut Waiter<'a>) -> Place {
        let mut place = Place { is_ready: asked.has_failed, places: Vec::new(), until: u64::MAX };
        if let Some(event) = entry.ctx.0.host.interrupt.event() {
            place.places.push(waiter.add_event(event));
        }
        for interest in &asked.interests {
            match interest {
                Interest::Ready => place.is_ready = true,
                Interest::Never => {}
                Interest::Until(moment) => place.until = place.until.min(*moment),
                Interest::Descriptor(fd, direction) | Interest::Progress(fd, direction) => {
                    place.places.push(waiter.add(*fd, *direction));
                }
                Interest::Any(needs) => {
                    let until = &mut place.until;
                    let mut sooner = |moment| *until = (*until).min(moment);
                    let all = needs.iter().filter_map(|need| join(waiter, need, &mut sooner));
                    place.places.extend(all);
                }
            }
        }
        place
    }

    fn has_happened(&self, waiter: &Waiter<'_>, now: u64) -> bool {
        let ready = |place: &usize| waiter.ready(*place).is_some();
        self.is_ready || self.until <= now || self.places.iter().any(ready)
    }
}

/// Waits once for all of them, and says for whom something has happened.
fn turn(host: &Host, changed: &Event, entries: &[(u64, Arc<Entry>)]) -> Vec<u64> {
    let asked: Vec<_> = entries.iter().map(|(_, entry)| Asked::new(entry)).collect();
    let mut waiter = Waiter::new(host);
    waiter.add_event(changed);
    let mut until = u64::MAX;
    let mut places = Vec::with_capacity(entries.len());
    for ((_, entry), asked) in entries.iter().zip(&asked) {
        let place = Place::new(entry, asked, &mut waiter);
        let mut sooner = |moment| until = until.min(moment);
        sooner(if place.is_ready { 0 } else { place.until });
        for need in &asked.background {
            join(&mut waiter, need, &mut sooner);
        }
        places.push(place);
    }
    let timeout = (until != u64::MAX).then(|| until.saturating_sub(sys::now(Clock::Monotonic)));
    if waiter.wait(timeout).is_err() {
        thread::sleep(PAUSE);
    }
    let now = sys::now(Clock::Monotonic);
    let woken = entries.iter().zip(&places).filter(|(_, place)| place.has_happened(&waiter, now));
    woken.map(|((id, _), _)| *id).collect()
}
