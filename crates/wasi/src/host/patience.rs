//! How long a guest may wait, and telling somebody that it does.
//!
//! An interruption takes an event, which is a descriptor; a guest that lives for one
//! request and is interrupted at a time that is known from the start does without.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::clocks::Clock;
use super::{Failure, Result, sys};

/// Who has something else to do while a guest waits.
pub(crate) trait Bystander: Send + Sync {
    /// A guest waits from now on.
    fn waits(&self);
    /// It does no longer.
    fn goes_on(&self);
}

/// How long a guest may wait.
#[derive(Default)]
pub(crate) struct Patience {
    bystander: OnceLock<Arc<dyn Bystander>>,
    /// Until when, on the monotonic clock.
    until: AtomicU64,
}

impl Patience {
    /// Sets until when, on the monotonic clock, and who hears of it, which is said once.
    pub(crate) fn set(&self, until: u64, bystander: Arc<dyn Bystander>) {
        self.extend(until);
        let _ = self.bystander.set(bystander);
    }

    /// Sets only until when.
    pub(crate) fn extend(&self, until: u64) {
        self.until.store(until, Ordering::Relaxed);
    }

    /// Waits by a function that is given how long it may take at most, in nanoseconds.
    pub(crate) fn wait<T>(
        &self,
        timeout: Option<u64>,
        wait: impl FnOnce(Option<u64>) -> Result<T>,
    ) -> Result<T> {
        let Some(bystander) = self.bystander.get().filter(|_| timeout != Some(0)) else {
            return wait(timeout);
        };
        let until = self.until.load(Ordering::Relaxed);
        let left = until.saturating_sub(sys::now(Clock::Monotonic));
        if left == 0 {
            return Err(Failure::Interrupted);
        }
        bystander.waits();
        let outcome = wait(Some(timeout.map_or(left, |timeout| timeout.min(left))));
        bystander.goes_on();
        outcome
    }
}
