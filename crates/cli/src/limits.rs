//! What a guest may use of the machine: fuel, time, memory.
//!
//! The time is watched by a thread that sleeps until it is over and then interrupts
//! the store, which ends what the guest computes and wakes it where it waits. A
//! call of the system that nothing wakes, opening a pipe that nobody writes to say,
//! may still hold it: after a moment of grace the process ends all the same.

use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use zwasm::{Config, ErrorKind, InterruptHandle, Store};
use zwasm_wasi::WasiCtx;

use crate::args::Run;
use crate::failure::{Failure, write_error};

/// Instructions in a sandbox, unless told otherwise.
const SANDBOX_FUEL: u64 = 1_000_000_000;

/// Bytes of memory in a sandbox, unless told otherwise.
const SANDBOX_MEMORY: u64 = 256 << 20;

/// Bytes in a sandbox beside what the memory and the heap may have: for tables,
/// exceptions and instances.
const SANDBOX_REST: u64 = 16 << 20;

/// What the guest has to end by itself in, once its time is over.
const GRACE: Duration = Duration::from_millis(50);

/// The limits of a run.
#[derive(Clone, Copy)]
pub struct Limits {
    fuel: Option<u64>,
    timeout: Option<Duration>,
    memory: Option<u64>,
    heap: Option<u64>,
    total: Option<u64>,
    /// Bytes of call stack, set or not.
    stack: usize,
}

impl Limits {
    /// What the options ask for.
    pub fn of(options: &Run) -> Limits {
        let in_sandbox = |value| options.sandbox.then_some(value);
        let memory = options.max_memory.or(in_sandbox(SANDBOX_MEMORY));
        // In a sandbox, as much as one memory and what was asked for by name.
        let sandbox_total = memory
            .unwrap_or(0)
            .max(SANDBOX_MEMORY)
            .saturating_add(options.max_gc_heap.unwrap_or(0))
            .saturating_add(SANDBOX_REST);
        let mut config = Config::new();
        if let Some(bytes) = options.max_stack {
            config.max_stack(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Limits {
            fuel: options.fuel.or(in_sandbox(SANDBOX_FUEL)),
            timeout: options.timeout,
            memory,
            heap: options.max_gc_heap,
            total: options.max_total.or(in_sandbox(sandbox_total)),
            stack: config.stack_bytes(),
        }
    }

    /// Sets what the engine has to know.
    pub fn configure(&self, config: &mut Config) {
        config.consume_fuel(self.fuel.is_some());
        config.epoch_interruption(self.timeout.is_some());
        config.max_memory(self.memory.unwrap_or(u64::MAX));
        config.max_total(self.total.unwrap_or(u64::MAX));
        config.max_gc_heap(self.heap.unwrap_or(u64::MAX));
        config.max_stack(self.stack);
    }

    /// Imposes the limits on a store whose guest is about to run; the time counts
    /// from `start`, for as long as the result lives.
    ///
    /// # Errors
    /// When the system gives nothing to watch the time with.
    pub fn impose(&self, store: &mut Store<WasiCtx>, start: Instant) -> Result<Watchdog, Failure> {
        if let Some(fuel) = self.fuel {
            store.set_fuel(fuel)?;
        }
        let Some(timeout) = self.timeout else { return Ok(Watchdog(None)) };
        let unwatched = |error| Failure::runtime(format!("cannot watch the time: {error}"));
        let wasi = store.data().interrupt_handle().map_err(unwatched)?;
        store.add_interrupt_waker(move || wasi.interrupt());
        let shared = Arc::new(Shared::default());
        let (watched, handle) = (shared.clone(), store.interrupt_handle());
        thread::Builder::new()
            .name("timeout".into())
            .spawn(move || watch(&watched, &handle, start, timeout))
            .map_err(unwatched)?;
        Ok(Watchdog(Some(shared)))
    }

    /// Says which limit a failure comes from, if it was one of these.
    pub fn explain(&self, failure: &mut Failure) {
        match (failure.kind(), self.fuel, self.timeout) {
            (Some(ErrorKind::OutOfFuel), Some(fuel), _) => {
                failure.add(&format!(" (the limit is {fuel}, see --fuel)"));
            }
            (Some(ErrorKind::Interrupted), _, Some(timeout)) => failure.add(&over(timeout)),
            (Some(ErrorKind::StackOverflow), ..) => {
                failure.add(&format!(" (the limit is {} bytes, see --max-stack)", self.stack));
            }
            (Some(ErrorKind::Limit), ..) => {
                let flag = self.flag(failure.message());
                failure.add(flag);
            }
            _ => {}
        }
    }

    /// A reference to the option that set the limit a message tells of; nothing for
    /// limits that no option sets.
    pub fn flag(&self, message: &str) -> &'static str {
        // What the messages of the engine have of their own.
        let tells = |part: &str| message.contains(part);
        if tells(" bytes in all)") {
            ", see --max-total"
        } else if self.heap.is_some() && tells("garbage-collected memory") {
            ", see --max-gc-heap"
        } else if self.memory.is_some() && (tells("allocate a memory") || tells("grow a memory")) {
            ", see --max-memory"
        } else {
            ""
        }
    }
}

fn over(timeout: Duration) -> String {
    format!(" (the limit is {} ms, see --timeout)", timeout.as_millis())
}

#[derive(Default)]
struct Shared {
    done: Mutex<bool>,
    told: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the guest is done or the time has come; the lock, and whether it
    /// is done.
    fn wait_until(&self, end: Option<Instant>) -> (MutexGuard<'_, bool>, bool) {
        let mut done = self.lock();
        while !*done {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return (done, false);
            }
            let left = left.unwrap_or(Duration::MAX);
            let waited = self.told.wait_timeout(done, left);
            done = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        (done, true)
    }
}

/// Watches the time until it is dropped.
pub struct Watchdog(Option<Arc<Shared>>);

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            *shared.lock() = true;
            shared.told.notify_one();
        }
    }
}

fn watch(shared: &Shared, handle: &InterruptHandle, start: Instant, timeout: Duration) {
    // A time beyond what the clock can tell never comes.
    let end = start.checked_add(timeout);
    let (lock, done) = shared.wait_until(end);
    drop(lock);
    if done {
        return;
    }
    handle.interrupt();
    let (_lock, done) = shared.wait_until(Some(Instant::now() + GRACE));
    if done {
        return;
    }
    // With the lock held nobody else gets to say how it ended.
    let failure = Failure::runtime(format!("trap: interrupted{}", over(timeout)));
    write_error(&failure);
    exit(failure.code().into());
}
