//! References kept alive by tokens.
//!
//! The owner of a token needs no access to the store to let go of what it keeps:
//! dropping it, on any thread, is enough. The store notices when it next looks,
//! at a collection or when the list has doubled.

use std::sync::{Arc, Weak};

use crate::tuning::MIN_HELD;

/// Keeps a reference, which it also is: objects are never moved.
pub(crate) type Token = Arc<u64>;

/// References, each with the token that keeps it.
#[derive(Default)]
pub(crate) struct Held {
    /// By the number of each, which rises.
    entries: Vec<Entry>,
    next: u64,
    /// Length at which entries without a token are looked for.
    limit: usize,
}

struct Entry {
    number: u64,
    reference: u64,
    token: Weak<u64>,
}

impl Held {
    /// Keeps a reference as long as a clone of the returned token lives. The number finds
    /// it so long, and never another one.
    pub(crate) fn hold(&mut self, reference: u64) -> (u64, Token) {
        if self.entries.len() >= self.limit {
            self.clear_dead();
            self.limit = (self.entries.len() * 2).max(MIN_HELD);
        }
        let (number, token) = (self.next, Arc::new(reference));
        self.next += 1;
        self.entries.push(Entry { number, reference, token: Arc::downgrade(&token) });
        (number, token)
    }

    /// The reference with this number, if it is kept.
    pub(crate) fn find(&self, number: u64) -> Option<u64> {
        let found = self.entries.binary_search_by_key(&number, |entry| entry.number).ok()?;
        let entry = &self.entries[found];
        (entry.token.strong_count() > 0).then_some(entry.reference)
    }

    /// The references that are kept.
    pub(crate) fn references(&mut self) -> impl Iterator<Item = u64> + '_ {
        self.clear_dead();
        self.entries.iter().map(|entry| entry.reference)
    }

    fn clear_dead(&mut self) {
        self.entries.retain(|entry| entry.token.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_token_keeps_is_forgotten() {
        let mut held = Held::default();
        let (number, kept) = held.hold(1);
        let (other, dropped) = held.hold(2);
        assert_eq!((held.find(number), held.find(other)), (Some(1), Some(2)));
        drop(dropped);
        assert_eq!((held.find(number), held.find(other)), (Some(1), None));
        assert_eq!(held.references().collect::<Vec<_>>(), [1]);
        for reference in 0..10 * MIN_HELD as u64 {
            held.hold(reference);
        }
        assert!(held.entries.len() <= 2 * MIN_HELD);
        drop(kept);
        assert_eq!((held.references().count(), held.find(number)), (0, None));
    }
}
