//! What is set from when somebody interrupts to when that is taken back.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A flag that can be waited for.
#[derive(Default)]
pub(crate) struct Event {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        Ok(Event::default())
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    pub(crate) fn clear(&self) {
        *self.lock() = false;
    }

    /// Waits until it is set, but no longer than this; whether it is.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
