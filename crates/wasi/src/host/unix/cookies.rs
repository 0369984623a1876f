//! Small numbers for the positions in a directory.
//!
//! The kernel's own positions are 64 bits wide (on ext4 they are hashes), but
//! the `long` in which a 32-bit guest's `telldir` keeps one is not. A guest
//! gets the numbers 1, 2, 3, … instead, in the order in which it first sees the
//! positions. A position keeps its number as long as the directory is open, so
//! that rewinding and reading again change none.
//!
//! Positions for which there is no [`Room`] are handed out as they are, with all bits
//! flipped, which sets the highest, which no position has: such a cookie is good for
//! whoever keeps all of it, and no directory is too large.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::host::fs::room::Room;

/// The cookies of one open directory.
#[derive(Default, Debug)]
pub(super) struct Cookies {
    /// The position that each cookie stands for, from cookie 1 on.
    positions: Vec<u64>,
    cookies: HashMap<u64, u64>,
    /// Where the room for them came from, and goes when the directory is closed.
    room: Option<Room>,
}

impl Cookies {
    /// The cookie of a position; `room` is the same each time.
    pub(super) fn of(&mut self, position: u64, room: &Room) -> u64 {
        let room = self.room.get_or_insert_with(|| room.clone());
        match self.cookies.entry(position) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(_) if !room.take() => !position,
            Entry::Vacant(entry) => {
                self.positions.push(position);
                *entry.insert(self.positions.len() as u64)
            }
        }
    }

    /// The position of a cookie; none for one that was never handed out.
    pub(super) fn position(&self, cookie: u64) -> Option<u64> {
        if cookie == 0 {
            return Some(0);
        }
        if cookie > i64::MAX as u64 {
            return Some(!cookie);
        }
        self.positions.get(usize::try_from(cookie - 1).ok()?).copied()
    }
}

impl Drop for Cookies {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.give(self.positions.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_keeps_its_cookie() {
        let (mut cookies, room) = (Cookies::default(), Room::default());
        let hash = |index: u64| index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
        for _ in 0..2 {
            for index in 1..100 {
                assert_eq!(cookies.of(hash(index), &room), index);
            }
        }
        for index in 1..100 {
            assert_eq!(cookies.position(index), Some(hash(index)));
        }
        assert_eq!(cookies.position(0), Some(0));
        assert_eq!(cookies.position(100), None);
        assert_eq!(cookies.position(i64::MAX as u64), None);
    }

    #[test]
    fn positions_without_room_still_lead_back() {
        let room = Room::for_places(10);
        let (mut first, mut second) = (Cookies::default(), Cookies::default());
        for position in 1..=9 {
            assert_eq!(first.of(position << 40, &room), position);
        }
        assert_eq!(second.of(3, &room), 1);
        for position in [1, 7, i64::MAX as u64] {
            for cookies in [&mut first, &mut second] {
                let cookie = cookies.of(position, &room);
                assert!(cookie > i64::MAX as u64);
                assert_eq!(cookies.position(cookie), Some(position));
            }
        }
        assert_eq!(first.of(5 << 40, &room), 5);
        assert_eq!((first.positions.len(), first.cookies.len()), (9, 9));

        // Closing a directory makes room.
        drop(first);
        assert_eq!(second.of(7, &room), 2);
    }
}
