//! What a guest may use of the machine: fuel, time, memory.
//!
//! The time is watched by a thread that sleeps until it is over and then interrupts
//! the store, which ends what the guest computes and wakes it where it waits. What
//! cannot be interrupted, loading a module or opening a pipe that nobody writes to
//! say, may still hold it: after a moment of grace the process ends all the same.

use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use zwasm::{Config, Error, ErrorKind, InterruptHandle, Store};

use crate::args::Run;
use crate::failure::{Failure, write_error};
use crate::guest::Guest;

/// Instructions in a sandbox, unless told otherwise.
const SANDBOX_FUEL: u64 = 1_000_000_000;

/// Bytes of memory in a sandbox, unless told otherwise.
const SANDBOX_MEMORY: u64 = 256 << 20;

/// Bytes in a sandbox beside what the memory and the heap may have: for tables,
/// exceptions and instances.
const SANDBOX_REST: u64 = 16 << 20;

/// Bytes of machine code in a sandbox, unless told otherwise.
const SANDBOX_CODE: u64 = 64 << 20;

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
    code: Option<u64>,
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
            code: options.max_code.or(in_sandbox(SANDBOX_CODE)),
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
        if let Some(bytes) = self.code {
            config.max_code(bytes);
        }
    }

    /// Watches the time from now on, if it is limited, for as long as the result lives.
    ///
    /// # Errors
    /// When the system gives nothing to watch the time with.
    pub fn watch_time(&self) -> Result<Watchdog, Failure> {
        let Some(timeout) = self.timeout else { return Ok(Watchdog(None)) };
        // A time beyond what the clock can tell never comes.
        let end = Instant::now().checked_add(timeout);
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        thread::Builder::new()
            .name("timeout".into())
            .spawn(move || watch(&watched, end, timeout))
            .map_err(unwatched)?;
        Ok(Watchdog(Some(shared)))
    }

    /// Imposes the limits on a store whose guest is about to run.
    ///
    /// # Errors
    /// When the system gives nothing to interrupt it with.
    pub fn impose(&self, store: &mut Store<Guest>, watchdog: &Watchdog) -> Result<(), Failure> {
        self.fuel(store)?;
        if let Some(shared) = &watchdog.0 {
            let wasi = store.data().wasi.interrupt_handle().map_err(unwatched)?;
            store.add_interrupt_waker(move || wasi.interrupt());
            shared.lock().guest = Some(store.interrupt_handle());
        }
        Ok(())
    }

    /// Whether fuel is limited.
    #[cfg(feature = "serve")]
    pub fn has_fuel(&self) -> bool {
        self.fuel.is_some()
    }

    /// Imposes the limit of fuel alone.
    ///
    /// # Errors
    /// None, since the engine knows of it.
    pub fn fuel(&self, store: &mut Store<Guest>) -> Result<(), Error> {
        match self.fuel {
            Some(fuel) => store.set_fuel(fuel),
            None => Ok(()),
        }
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

fn unwatched(error: std::io::Error) -> Failure {
    Failure::runtime(format!("cannot watch the time: {error}"))
}

fn over(timeout: Duration) -> String {
    format!(" (the limit is {} ms, see --timeout)", timeout.as_millis())
}

#[derive(Default)]
struct Shared {
    run: Mutex<Watched>,
    told: Condvar,
}

/// What is being watched.
#[derive(Default)]
struct Watched {
    done: bool,
    /// What the guest is interrupted by, once there is one.
    guest: Option<InterruptHandle>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all is done or the time has come; the lock if it is not done.
    fn wait_until(&self, end: Option<Instant>) -> Option<MutexGuard<'_, Watched>> {
        let mut run = self.lock();
        while !run.done {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Some(run);
            }
            let left = left.unwrap_or(Duration::MAX);
            let waited = self.told.wait_timeout(run, left);
            run = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }
}

/// Watches the time until it is dropped.
pub struct Watchdog(Option<Arc<Shared>>);

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.lock().done = true;
            shared.told.notify_one();
        }
    }
}

fn watch(shared: &Shared, end: Option<Instant>, timeout: Duration) {
    let Some(run) = shared.wait_until(end) else { return };
    let guest = run.guest.clone();
    drop(run);
    if let Some(guest) = guest {
        guest.interrupt();
    }
    let Some(_run) = shared.wait_until(Some(Instant::now() + GRACE)) else { return };
    // With the lock held nobody else gets to say how it ended.
    let failure = Failure::runtime(format!("trap: interrupted{}", over(timeout)));
    write_error(&failure);
    exit(failure.code().into());
}
