//! References kept alive by tokens.
//!
//! The owner of a token needs no access to the store to let go of what it keeps:
//! dropping it, on any thread, is enough. The store notices when it next looks,
//! at a collection or when the list has doubled.

use std::sync::{Arc, Weak};

use crate::tuning::MIN_HELD;

/// References, each with the token that keeps it.
#[derive(Default)]
pub(crate) struct Held {
    entries: Vec<(u64, Weak<()>)>,
    /// Length at which entries without a token are looked for.
    limit: usize,
}

impl Held {
    /// Keeps a reference as long as a clone of the returned token lives.
    pub(crate) fn hold(&mut self, reference: u64) -> Arc<()> {
        if self.entries.len() >= self.limit {
            self.clear_dead();
            self.limit = (self.entries.len() * 2).max(MIN_HELD);
        }
        let token = Arc::new(());
        self.entries.push((reference, Arc::downgrade(&token)));
        token
    }

    /// The references that are kept.
    pub(crate) fn references(&mut self) -> impl Iterator<Item = u64> + '_ {
        self.clear_dead();
        self.entries.iter().map(|(reference, _)| *reference)
    }

    fn clear_dead(&mut self) {
        self.entries.retain(|(_, token)| token.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_token_keeps_is_forgotten() {
        let mut held = Held::default();
        let kept = held.hold(1);
        drop(held.hold(2));
        assert_eq!(held.references().collect::<Vec<_>>(), [1]);
        for reference in 0..10 * MIN_HELD as u64 {
            held.hold(reference);
        }
        assert!(held.entries.len() <= 2 * MIN_HELD);
        drop(kept);
        assert_eq!(held.references().count(), 0);
    }
}
