//! How long a guest may wait, and telling somebody that it does.
//!
//! An interruption takes an event, which is a descriptor; a guest that lives for one
//! request and is interrupted at a time that is known from the start does without.

use std::sync::Arc;
use std::sync::OnceLock;

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
pub(crate) struct Patience(OnceLock<(u64, Arc<dyn Bystander>)>);

impl Patience {
    /// Sets until when, on the monotonic clock, and who hears of it; once.
    pub(crate) fn set(&self, until: u64, bystander: Arc<dyn Bystander>) {
        let _ = self.0.set((until, bystander));
    }

    /// Waits by a function that is given how long it may take at most, in nanoseconds.
    pub(crate) fn wait<T>(
        &self,
        timeout: Option<u64>,
        wait: impl FnOnce(Option<u64>) -> Result<T>,
    ) -> Result<T> {
        let Some((until, bystander)) = self.0.get().filter(|_| timeout != Some(0)) else {
            return wait(timeout);
        };
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
