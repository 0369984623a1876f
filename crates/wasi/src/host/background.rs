//! What goes on for a guest while it waits for something else.
//!
//! What a guest has handed over to be sent goes out whenever the guest waits, whatever for.
//! What has something left to do is in a list for as long, and asked at each wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::poll::Need;
use super::{Host, Result};

/// Something that goes on.
pub(crate) trait Task: Send + Sync {
    /// Does what can be done now, and says what it waits for; whether it has more to do.
    fn go_on(&self, host: &Host, needs: &mut Vec<Need>) -> Result<bool>;
}

/// What goes on for a guest.
#[derive(Default)]
pub(crate) struct Background(Mutex<Vec<Weak<dyn Task>>>);

impl Background {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<dyn Task>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds something, for as long as somebody has it and it has something to do.
    pub(crate) fn add(&self, task: Weak<dyn Task>) {
        let mut tasks = self.lock();
        // One in a while looks at all of them.
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| task.strong_count() > 0);
        }
        tasks.push(task);
    }

    /// Has everything go on, and says what it waits for.
    pub(crate) fn go_on(&self, host: &Host, needs: &mut Vec<Need>) -> Result {
        // Those that begin meanwhile are added to the list.
        let tasks: Vec<_> = std::mem::take(&mut *self.lock());
        let mut outcome = Ok(());
        let mut left = Vec::new();
        for task in tasks {
            let Some(strong) = task.upgrade() else { continue };
            match strong.go_on(host, needs) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(failure) => outcome = Err(failure),
            }
            left.push(task);
        }
        self.lock().append(&mut left);
        outcome
    }
}

/// Adds something that is not in the list yet, as it says itself.
pub(crate) fn add<T: Task + 'static>(host: &Host, task: &Arc<T>) {
    let weak: Weak<T> = Arc::downgrade(task);
    host.background.add(weak);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capabilities;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Has so much left to do.
    struct Left(AtomicUsize);

    impl Task for Left {
        fn go_on(&self, _: &Host, needs: &mut Vec<Need>) -> Result<bool> {
            needs.push(Need::Until(0));
            Ok(self.0.fetch_sub(1, Ordering::Relaxed) > 1)
        }
    }

    #[test]
    fn what_goes_on_goes_on_until_it_is_done_or_dropped() {
        let host = Host::new(Capabilities::NONE);
        let (two, many) = (Arc::new(Left(2.into())), Arc::new(Left(9.into())));
        add(&host, &two);
        add(&host, &many);
        let turn = || {
            let mut needs = Vec::new();
            host.background.go_on(&host, &mut needs).unwrap();
            needs.len()
        };
        assert_eq!((turn(), turn(), turn()), (2, 2, 1));
        drop(many);
        assert_eq!(turn(), 0);
        assert!(host.background.lock().is_empty());
    }
}
