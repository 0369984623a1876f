//! Small memories without guard pages, many to a mapping.
//!
//! Systems limit how many mappings a process has, and each takes whole pages: a host with
//! tens of thousands of small memories has neither. They are *cells* here: pieces of large
//! mappings, of sizes that are powers of two, each for one memory, and cleared before it
//! is another's. Every access to them is compared with the memory's length, so that which
//! cell is the next one does not matter.
//!
//! # Safety
//!
//! A cell is handed out once until it is given back, keeps the mapping that it lies in, and
//! holds zeros when it is handed out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys::Mapping;
use crate::tuning::{ARENA, LARGEST_CELL, MEMORY_KEPT, SMALLEST_CELL, WARM};

/// How many sizes there are.
const CLASSES: usize = (LARGEST_CELL / SMALLEST_CELL).ilog2() as usize + 1;

/// Cells of this size and more are aligned to pages of any size. They give their pages back
/// to the system when they are cleared, unless few are free.
const ALIGNED: usize = 64 << 10;

/// The mappings of an engine, and which of their cells are free.
#[derive(Default)]
pub(crate) struct Arena(Mutex<Cells>);

#[derive(Default)]
struct Cells {
    /// What cells are cut from, and how many of its bytes were.
    last: Option<Arc<Mapping>>,
    used: usize,
    /// Cells that have been given back.
    free: [Vec<Place>; CLASSES],
}

/// A piece of a mapping, by its offset there.
type Place = (Arc<Mapping>, usize);

/// A piece of a mapping, given back when dropped.
pub(crate) struct Cell {
    arena: Arc<Arena>,
    place: Place,
    class: usize,
    /// Bytes from the start that may be no zeros.
    used: usize,
}

impl Arena {
    fn lock(&self) -> MutexGuard<'_, Cells> {
        // Nothing in here leaves the lists half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cell of at least this many bytes; none if that is more than cells have, or the
    /// system has no memory.
    pub(crate) fn cell(self: &Arc<Arena>, len: usize) -> Option<Cell> {
        let size = len.checked_next_power_of_two()?.max(SMALLEST_CELL);
        if size > LARGEST_CELL {
            return None;
        }
        let class = (size / SMALLEST_CELL).ilog2() as usize;
        let mut cells = self.lock();
        let place = match cells.free[class].pop() {
            Some(place) => place,
            None => cells.cut(size)?,
        };
        Some(Cell { arena: self.clone(), place, class, used: len })
    }
}

impl Cells {
    /// The next piece of the last mapping, or the first of another one.
    fn cut(&mut self, size: usize) -> Option<Place> {
        let start = self.used.next_multiple_of(size);
        let (mapping, start) = match &self.last {
            Some(mapping) if start + size <= ARENA => (mapping.clone(), start),
            _ => {
                let mapping = Mapping::zeroed(ARENA).ok()?;
                mapping.stay_small();
                (self.last.insert(Arc::new(mapping)).clone(), 0)
            }
        };
        self.used = start + size;
        Some((mapping, start))
    }
}

impl Cell {
    pub(crate) fn base(&self) -> *mut u8 {
        self.place.0.base().wrapping_add(self.place.1)
    }

    /// Has the memory be of `len` bytes, no fewer than before; false if that is more than
    /// the cell has.
    pub(crate) fn grow(&mut self, len: usize) -> bool {
        let fits = len <= SMALLEST_CELL << self.class;
        if fits {
            self.used = len;
        }
        fits
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        let size = SMALLEST_CELL << self.class;
        let few = size <= MEMORY_KEPT && self.arena.lock().free[self.class].len() < WARM;
        if few || size < ALIGNED {
            // SAFETY: the cell is this one's, and nobody uses it any more.
            unsafe { self.base().write_bytes(0, self.used) };
        } else if self.place.0.reset(self.place.1, size).is_err() {
            // A cell that cannot be cleared is lost.
            return;
        }
        self.arena.lock().free[self.class].push(self.place.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(cell: &Cell, len: usize) {
        // SAFETY: the cell has so many bytes.
        unsafe { cell.base().write_bytes(0xA5, len) }
    }

    fn zeros(cell: &Cell, len: usize) -> bool {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(cell.base(), len) }.iter().all(|byte| *byte == 0)
    }

    #[test]
    fn cells_are_cleared_whatever_their_size_and_however_they_grew() {
        let arena = Arc::new(Arena::default());
        for len in [1, 100, 4096, 4097, 32 << 10, (32 << 10) + 1, 64 << 10, LARGEST_CELL] {
            let mut cell = arena.cell(len).expect("a cell");
            let size = SMALLEST_CELL << cell.class;
            let base = cell.base();
            assert!(size >= len && zeros(&cell, size), "{len}");
            assert!(cell.grow(size) && !cell.grow(size + 1));
            fill(&cell, size);
            drop(cell);
            let again = arena.cell(len).expect("a cell");
            assert_eq!(again.base(), base, "{len}");
            assert!(zeros(&again, size), "{len}");
        }
        assert!(arena.cell(LARGEST_CELL + 1).is_none());
    }

    #[test]
    fn no_two_cells_overlap() {
        let arena = Arc::new(Arena::default());
        let lens = [64 << 10, 10, 1 << 20, 5000, LARGEST_CELL, 64 << 10];
        let cells: Vec<Cell> =
            (0..60).map(|index| arena.cell(lens[index % 6]).expect("a cell")).collect();
        let mut ranges: Vec<(usize, usize)> =
            cells.iter().map(|cell| (cell.base() as usize, SMALLEST_CELL << cell.class)).collect();
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
        assert!(ranges.iter().map(|range| range.1).sum::<usize>() > ARENA);
    }

    #[test]
    fn cells_keep_their_arena() {
        let arena = Arc::new(Arena::default());
        let cell = arena.cell(100).expect("a cell");
        drop(arena);
        fill(&cell, 100);
    }
}
