//! What is kept for a guest of things of one kind, all in all.
//!
//! Fields, bodies and exchanges are each bounded, and so are streams, but a guest can have
//! many of them. So each takes what it may need from one budget, and gives it back when it
//! is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that are left.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicUsize>);

/// Bytes taken from a budget.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Budget {
        Budget(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Takes so many bytes; none if they are not left.
    pub(crate) fn take(&self, bytes: usize) -> Option<Share> {
        self.withdraw(bytes).then(|| Share { budget: self.clone(), bytes })
    }

    /// Whether so many bytes were left, which are not any more.
    fn withdraw(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Share {
    /// Takes as many bytes again.
    pub(crate) fn again(&self) -> Option<Share> {
        self.budget.take(self.bytes)
    }

    /// Takes more bytes, or gives some back, so that it is so many; whether they are
    /// left.
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            if !self.budget.withdraw(more) {
                return false;
            }
        } else {
            self.budget.0.fetch_add(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        const BUDGET: usize = 1000;
        let budget = Budget::new(BUDGET);
        let left = |budget: &Budget| budget.0.load(Ordering::Relaxed);
        let mut share = budget.take(BUDGET - 10).unwrap();
        assert!(budget.take(11).is_none() && share.again().is_none());
        assert!(!share.resize(BUDGET + 1) && share.resize(BUDGET) && share.resize(5));
        assert_eq!(left(&budget), BUDGET - 5);
        let again = share.again().unwrap();
        assert_eq!(left(&budget), BUDGET - 10);
        drop((share, again));
        assert_eq!(left(&budget), BUDGET);
        // Nothing holds the budget itself any more.
        assert_eq!(Arc::strong_count(&budget.0), 1);
    }
}
