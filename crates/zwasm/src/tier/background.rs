//! The thread that optimizes what an engine's modules run, and finds out what runs long.
//!
//! It starts when there is something to do for the first time, and ends with the engine.
//! While it has nothing to compile it has each store with baseline code say where it is,
//! every [`TICK`]. A store that has not done so since the last time does not run such code,
//! and is left alone until it does: so the thread sleeps while no guest runs.
//!
//! It keeps neither engine nor modules: what is to be compiled when its module is gone is
//! dropped, and given up if the module goes meanwhile. What has been compiled stays in the
//! module, where the stores that run it look.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Instant;

use super::promote::Request;
use crate::module::{Inner, Module};
use crate::store::limits::Limits;
use crate::tuning::{BACKGROUND_QUEUE, BACKGROUND_STACK, TICK};

/// Something to be compiled.
pub(super) struct Job {
    module: Weak<Inner>,
    request: Request,
}

impl Job {
    pub(super) fn new(module: &Module, request: Request) -> Job {
        Job { module: module.downgrade(), request }
    }
}

/// What an engine and its thread share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something in the queue, or it is closed.
    changed: Condvar,
    /// The engine is gone.
    closed: AtomicBool,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// The limits of the stores that are asked where they are.
    sampled: Vec<Weak<Limits>>,
    /// When they are asked next, if there are any.
    due: Option<Instant>,
    /// Whether there is a thread.
    started: bool,
}

/// The engine's side.
#[derive(Default)]
pub(crate) struct Background(Arc<Shared>);

impl Background {
    /// Has something compiled. False if there is too much to do already, or no thread.
    pub(super) fn ask(&self, job: Job) -> bool {
        let mut queue = self.0.queue();
        if queue.jobs.len() >= BACKGROUND_QUEUE || !self.0.start(&mut queue) {
            return false;
        }
        queue.jobs.push_back(job);
        self.0.changed.notify_one();
        true
    }

    /// Asks a store's baseline code where it is from now on.
    pub(crate) fn sample(&self, limits: &Arc<Limits>) {
        let mut queue = self.0.queue();
        if self.0.start(&mut queue) {
            queue.sampled.push(Arc::downgrade(limits));
            // With others there it wakes in time.
            if queue.sampled.len() == 1 {
                self.0.changed.notify_one();
            }
        }
    }
}

impl Queue {
    fn ask_for_samples(&mut self) {
        self.due = None;
        self.sampled.retain(|each| each.upgrade().is_some_and(|limits| limits.samples.ask()));
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        self.0.closed.store(true, Ordering::Relaxed);
        queue.jobs.clear();
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in here leaves it half-changed.
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Starts the thread, unless there is one. False if that is not possible.
    fn start(self: &Arc<Self>, queue: &mut Queue) -> bool {
        if !queue.started {
            let shared = self.clone();
            let thread = std::thread::Builder::new()
                .name("zwasm-optimizer".to_owned())
                .stack_size(BACKGROUND_STACK)
                .spawn(move || shared.run());
            queue.started = thread.is_ok();
        }
        queue.started
    }

    /// What the thread does.
    fn run(&self) {
        while let Some(Job { module, request }) = self.next() {
            let Some(module) = module.upgrade() else { continue };
            // This thread is the last to hold it if the others have let go.
            let stop = || Arc::strong_count(&module) == 1 || self.closed.load(Ordering::Relaxed);
            let _settled = Settled { module: &module, request };
            // The module has the code, or that there is none.
            let _ = request.make(&module, &stop);
            // It is put into use at once.
            self.queue().ask_for_samples();
        }
    }

    /// Waits for something to do; none if the engine is gone.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.sampled.is_empty() {
                queue = self.changed.wait(queue).unwrap_or_else(|poisoned| poisoned.into_inner());
                continue;
            }
            // Whatever comes meanwhile puts nothing off: where stores come without end, those
            // that are gone are to be forgotten.
            let now = Instant::now();
            let due = *queue.due.get_or_insert(now + TICK);
            if due <= now {
                queue.ask_for_samples();
                continue;
            }
            let waited = self.changed.wait_timeout(queue, due - now);
            (queue, _) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

/// Says that a request has been dealt with, however that ended.
struct Settled<'a> {
    module: &'a Inner,
    request: Request,
}

impl Drop for Settled<'_> {
    fn drop(&mut self) {
        self.module.compiled.promotions.settle(self.request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_that_are_gone_are_forgotten_while_others_come() {
        let background = Background::default();
        let (start, mut came) = (Instant::now(), 0);
        while start.elapsed() < 50 * TICK {
            background.sample(&Arc::new(Limits::new(false)));
            came += 1;
            // More often than they are asked.
            std::thread::sleep(TICK / 20);
        }
        let known = background.0.queue().sampled.len();
        assert!(known < came / 2, "{known} of {came} are known");
    }
}
