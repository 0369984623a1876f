//! Waiting: what functions wait for while no guest can go on.
//!
//! Whatever waits has its source and its waker in a list, and a ticket, which takes them
//! out again. The loop asks the sources what they wait for, waits for the first of all of
//! them at once, for time and an interruption besides, and wakes those that are ready,
//! which takes them out of the list: who still waits asks again. A wait takes time that
//! grows with the length of the list.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use zwasm::Result;
use zwasm_component::Loop;

use super::table::Store;
use crate::WasiCtx;
use crate::p2::io::poll::{self, Source};
use crate::p2::table::stop;

/// What is waited for.
#[derive(Default)]
pub(crate) struct Reactor(Mutex<Waits>);

#[derive(Default)]
struct Waits {
    next: u64,
    waits: BTreeMap<u64, (Arc<dyn Source>, Waker)>,
}

impl Reactor {
    fn lock(&self) -> MutexGuard<'_, Waits> {
        // Nothing leaves it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes somebody when the source is ready, once.
    fn watch(self: &Arc<Reactor>, source: Arc<dyn Source>, waker: Waker) -> Ticket {
        let mut waits = self.lock();
        let id = waits.next;
        waits.next += 1;
        waits.waits.insert(id, (source, waker));
        Ticket { reactor: self.clone(), id }
    }
}

/// A place in the list.
struct Ticket {
    reactor: Arc<Reactor>,
    id: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let removed = self.reactor.lock().waits.remove(&self.id);
        // A source is dropped when the list can be used again.
        drop(removed);
    }
}

/// That something is waited for, or not.
#[derive(Default)]
pub(crate) struct Waiting(Option<Ticket>);

impl Waiting {
    /// Waits for a source, and for nothing else any more.
    pub(crate) fn on(
        &mut self,
        store: &mut dyn Store,
        source: Arc<dyn Source>,
        cx: &mut Context<'_>,
    ) {
        self.0 = None;
        self.0 = Some(store.view().ctx.0.reactor.watch(source, cx.waker().clone()));
    }
}

/// Sources that are looked at for each time that the loop is asked to: of more, fewer times.
const LOOKED_AT: usize = 64;

/// How a store waits.
pub(crate) struct Looper {
    ctx: WasiCtx,
    /// How often it was asked to look since it did.
    asked: usize,
}

impl Looper {
    pub(crate) fn new(ctx: WasiCtx) -> Looper {
        Looper { ctx, asked: 0 }
    }

    /// What is waited for, by its numbers.
    fn watched(&self) -> (Vec<u64>, Vec<Arc<dyn Source>>) {
        let waits = self.ctx.0.reactor.lock();
        waits.waits.iter().map(|(id, (source, _))| (*id, source.clone())).unzip()
    }

    /// Wakes those that are ready.
    fn wake(&self, ids: &[u64], ready: &[bool]) {
        for (id, _) in ids.iter().zip(ready).filter(|(_, ready)| **ready) {
            let removed = self.ctx.0.reactor.lock().waits.remove(id);
            if let Some((_, waker)) = removed {
                waker.wake();
            }
        }
    }
}

impl Loop for Looper {
    fn wait(&mut self) -> Result<bool> {
        let (ids, sources) = self.watched();
        if ids.is_empty() {
            return Ok(false);
        }
        let sources: Vec<&dyn Source> = sources.iter().map(|source| &**source).collect();
        let ready = poll::wait(&self.ctx.0, &sources).map_err(|failure| stop(failure, "wait"))?;
        self.wake(&ids, &ready);
        Ok(true)
    }

    fn look(&mut self) -> Result<()> {
        self.asked += 1;
        if self.asked * LOOKED_AT < self.ctx.0.reactor.lock().waits.len() {
            return Ok(());
        }
        self.asked = 0;
        let (ids, sources) = self.watched();
        if !ids.is_empty() {
            let ready = poll::are_ready(&self.ctx.0, &sources);
            self.wake(&ids, &ready.map_err(|failure| stop(failure, "wait"))?);
        }
        Ok(())
    }
}
