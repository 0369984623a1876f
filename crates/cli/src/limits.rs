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

/// Bytes of machine code in a sandbox, unless told otherwise.
const SANDBOX_CODE: u64 = 64 << 20;

/// What the guest has to end by itself in, once its time is over.
const GRACE: Duration = Duration::from_millis(50);

fn fuel(options: &Run) -> Option<u64> {
    options.fuel.or(options.sandbox.then_some(SANDBOX_FUEL))
}

fn max_memory(options: &Run) -> Option<u64> {
    options.max_memory.or(options.sandbox.then_some(SANDBOX_MEMORY))
}

/// What everything may take together: in a sandbox, as much as one memory and what
/// was asked for by name.
fn max_total(options: &Run) -> Option<u64> {
    options.max_total.or_else(|| {
        let memory = max_memory(options).filter(|_| options.sandbox)?;
        let heap = options.max_gc_heap.unwrap_or(0);
        Some(memory.max(SANDBOX_MEMORY).saturating_add(heap).saturating_add(SANDBOX_REST))
    })
}

/// Sets what the engine has to know.
pub fn configure(options: &Run, config: &mut Config) {
    config.consume_fuel(fuel(options).is_some());
    config.epoch_interruption(options.timeout.is_some());
    if let Some(bytes) = max_memory(options) {
        config.max_memory(bytes);
    }
    if let Some(bytes) = max_total(options) {
        config.max_total(bytes);
    }
    if let Some(bytes) = options.max_stack {
        config.max_stack(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(bytes) = options.max_gc_heap {
        config.max_gc_heap(bytes);
    }
    if let Some(bytes) = options.max_code.or(options.sandbox.then_some(SANDBOX_CODE)) {
        config.max_code(bytes);
    }
}

/// Watches the time from now on, if it is limited, for as long as the result lives.
///
/// # Errors
/// When the system gives nothing to watch the time with.
pub fn watch_time(options: &Run) -> Result<Watchdog, Failure> {
    let Some(timeout) = options.timeout else { return Ok(Watchdog(None)) };
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
pub fn impose(
    options: &Run,
    store: &mut Store<WasiCtx>,
    watchdog: &Watchdog,
) -> Result<(), Failure> {
    if let Some(fuel) = fuel(options) {
        store.set_fuel(fuel)?;
    }
    if let Some(shared) = &watchdog.0 {
        let wasi = store.data().interrupt_handle().map_err(unwatched)?;
        store.add_interrupt_waker(move || wasi.interrupt());
        shared.lock().guest = Some(store.interrupt_handle());
    }
    Ok(())
}

fn unwatched(error: std::io::Error) -> Failure {
    Failure::runtime(format!("cannot watch the time: {error}"))
}

/// What an error about the limit of everything together says.
const IN_ALL: &str = " bytes in all)";

/// Says which limit a failure comes from, if it was one of these.
pub fn explain(options: &Run, failure: &mut Failure) {
    match (failure.kind(), fuel(options), options.timeout) {
        (Some(ErrorKind::OutOfFuel), Some(fuel), _) => {
            failure.add(&format!(" (the limit is {fuel}, see --fuel)"));
        }
        (Some(ErrorKind::Interrupted), _, Some(timeout)) => failure.add(&over(timeout)),
        (Some(ErrorKind::Limit), ..) if failure.message().contains(IN_ALL) => {
            failure.add(", see --max-total");
        }
        _ => {}
    }
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
