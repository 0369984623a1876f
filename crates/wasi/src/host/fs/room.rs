//! How much of directories is remembered for a guest.
//!
//! What a guest's cookies for places in directories stand for is kept while the
//! directories are open. All directories of a guest share one [`Room`], so that it can
//! not have the host remember without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many places are remembered for one guest: some ten megabytes.
const ROOM: usize = 1 << 18;

/// For how many more places there is room.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<AtomicUsize>);

impl Default for Room {
    fn default() -> Room {
        Room::for_places(ROOM)
    }
}

impl Room {
    pub(crate) fn for_places(count: usize) -> Room {
        Room(Arc::new(AtomicUsize::new(count)))
    }

    /// Takes the room for one place; false if there is none.
    pub(crate) fn take(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    /// Gives the room for so many places back.
    pub(crate) fn give(&self, count: usize) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

/// Room for one thing, taken as long as this exists.
#[cfg(feature = "component")]
#[derive(Debug)]
pub(crate) struct Place(Room);

#[cfg(feature = "component")]
impl Room {
    /// Takes the room for one thing; none if there is none.
    pub(crate) fn place(&self) -> Option<Place> {
        self.take().then(|| Place(self.clone()))
    }
}

#[cfg(feature = "component")]
impl Drop for Place {
    fn drop(&mut self) {
        self.0.give(1);
    }
}

#[cfg(all(test, feature = "component"))]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let room = Room::for_places(2);
        let first = room.place().unwrap();
        let _second = room.place().unwrap();
        assert!(room.place().is_none());
        drop(first);
        assert!(room.place().is_some());
    }
}
