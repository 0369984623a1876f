//! The heap's region: blocks of lines, filled by bumping a cursor.
//!
//! One reservation holds four gibibytes of heap and, below it, its side tables:
//! a bit per granule for where objects start, one for which are marked, a byte
//! per line for which lines hold marked objects. A reference is the offset of an
//! object in the region. Blocks are handed out from offset 0x9000_0000 upwards
//! first, because hardly any integer on the value stack looks like such an
//! offset; only then follow the lower ones.
//!
//! Whoever uses a reference cuts it to 32 bits, and behind the region lies a guard
//! longer than any structure. So a number that is taken for a reference, should that
//! ever happen, leads to the guest's own objects or to memory that nobody may touch.
//! Before there is a region, its base is where no memory can be.
//!
//! Where objects start that were made in a window since the last collection is not noted
//! when they are made: they follow each other, so a walk from the start of the window finds
//! them. That is done when a word of the stack may refer into one.
//!
//! The heap never moves objects. After a collection the cursor runs through the
//! blocks again and fills each run of unmarked lines (a *hole*); blocks without
//! marked lines are free as a whole. Objects larger than a quarter of a block
//! take whole blocks of their own. Two allocation windows exist, so that an
//! object that does not fit the current hole does not waste the rest of it.
//!
//! # Safety
//!
//! Chunks of the region are committed before any block in them is used, with
//! their part of the side tables; all offsets handed out lie in committed chunks.

use super::layout::{Layout, Layouts};
use crate::sys::Mapping;
use crate::tuning::HEAP_STEP;
use std::io;
use zwasm_regir::object::{GRANULE, HEADER, LENGTH};
use zwasm_regir::work;

/// Bytes of a line, the unit of reclaiming.
const LINE: usize = 256;
/// Bytes of a block.
pub(crate) const BLOCK: usize = 32 << 10;
const LINES: usize = BLOCK / LINE;
/// Objects larger than this have blocks of their own.
pub(crate) const LARGE: usize = BLOCK / 4;
/// Bytes that a reference can address.
pub(crate) const REGION: usize = 1 << 32;
/// Bytes behind the region that nobody may touch: more than a field's offset can be,
/// of the 10,000 that a structure can have.
const GUARD: usize = 256 << 10;
/// What the region's base is before it exists: no address that a program can have.
const NOWHERE: usize = 0x0080_0000_0000_0000;
/// Bytes committed at a time: their side tables are whole pages of any size.
const CHUNK: usize = 16 << 20;
const BLOCKS: usize = REGION / BLOCK;
/// The block that is used first.
const FIRST: usize = 0x9000_0000 / BLOCK;
/// Blocks from the first one to the region's end.
const UPPER: usize = BLOCKS - FIRST;

/// Distance of the bits of object starts below the heap's base.
const STARTS: usize = REGION / GRANULE / 8;
/// Distance of the mark bits below the heap's base.
const MARKS: usize = 2 * STARTS;
/// Distance of the bytes of marked lines below the heap's base.
const LINE_MARKS: usize = MARKS + REGION / LINE;
/// Bytes of side tables.
const TABLES: usize = LINE_MARKS;

/// What a block is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Free,
    /// Objects of up to [`LARGE`] bytes.
    Small,
    /// The same, in use only since the last collection: it has no holes.
    Fresh,
    /// The first block of a large object; that many blocks in all.
    Large(u32),
    /// A further block of a large object.
    Rest,
}

/// A free range to allocate in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Window {
    /// The next object's offset.
    pub(crate) cursor: usize,
    /// Where the range ends.
    pub(crate) limit: usize,
    /// Where the range starts.
    start: usize,
}

impl Window {
    fn new(start: usize, limit: usize) -> Window {
        Window { cursor: start, limit, start }
    }

    fn fits(&self, size: usize) -> bool {
        self.limit - self.cursor >= size
    }
}

/// The heap of a store.
pub(crate) struct Heap {
    /// Where objects are allocated; handlers do so themselves.
    pub(crate) window: Window,
    /// The other window.
    spare: Window,
    /// What windows given up since the last collection have objects in: start and bytes.
    /// While a collection goes on they are in order, and without bytes once the starts
    /// of their objects are noted.
    filled: Vec<(u32, u32)>,
    mapping: Mapping,
    /// What blocks are used for, in the order in which they are handed out.
    blocks: Vec<Use>,
    committed: Box<[bool]>,
    /// Where the search for holes continues: block and line.
    scan: (usize, usize),
    /// Where the search for free blocks continues.
    free_scan: usize,
    /// Bytes handed out to windows and large objects since the last collection.
    pub(crate) allocated: usize,
    /// The most blocks.
    max_blocks: usize,
    /// The blocks that a limiter has allowed so far.
    allowed_blocks: usize,
}

/// The physical number of the block that is handed out as number `index`.
fn place(index: usize) -> usize {
    if index < UPPER { FIRST + index } else { index - UPPER + 1 }
}

impl Heap {
    /// A heap for up to `max` bytes of objects; it has no region yet.
    pub(crate) fn new(max: u64) -> Heap {
        let max_blocks = usize::try_from(max / BLOCK as u64).unwrap_or(BLOCKS).min(BLOCKS - 1);
        Heap {
            window: Window::default(),
            spare: Window::default(),
            filled: Vec::new(),
            mapping: Mapping::empty(),
            blocks: Vec::new(),
            committed: Box::default(),
            scan: (0, 0),
            free_scan: 0,
            allocated: 0,
            max_blocks,
            allowed_blocks: usize::MAX,
        }
    }

    /// Reserves the region, which there is not.
    pub(crate) fn reserve(&mut self) -> io::Result<()> {
        self.mapping = Mapping::reserve(TABLES + REGION + GUARD)?;
        self.committed = vec![false; REGION / CHUNK].into();
        Ok(())
    }

    /// Whether there is a region.
    pub(crate) fn is_reserved(&self) -> bool {
        !self.committed.is_empty()
    }

    /// The most bytes of objects.
    pub(crate) fn max(&self) -> usize {
        self.max_blocks * BLOCK
    }

    /// Lets the heap grow only as it is [allowed](Heap::allow) to from now on.
    pub(crate) fn limit_growth(&mut self) {
        self.allowed_blocks = self.blocks.len();
    }

    /// How many bytes the heap should be allowed to have before an object of `size`
    /// bytes is made; none if that is so or can never be.
    pub(crate) fn wants(&self, size: usize) -> Option<usize> {
        if self.allowed_blocks == usize::MAX {
            return None;
        }
        let end = self.end_of_run(self.blocks.len(), size.div_ceil(BLOCK))?;
        let step = self.blocks.len() + HEAP_STEP / BLOCK;
        (end > self.allowed_blocks).then(|| end.max(step).min(self.max_blocks) * BLOCK)
    }

    /// Lets the heap have this many bytes.
    pub(crate) fn allow(&mut self, bytes: usize) {
        self.allowed_blocks = bytes / BLOCK;
    }

    /// The bytes that a limiter has allowed, or else the bytes of all blocks.
    pub(crate) fn granted(&self) -> usize {
        match self.allowed_blocks {
            usize::MAX => self.size(),
            allowed => allowed * BLOCK,
        }
    }

    /// The address of offset 0.
    pub(crate) fn base(&self) -> *mut u8 {
        match self.committed.is_empty() {
            true => std::ptr::without_provenance_mut(NOWHERE),
            false => self.mapping.base().wrapping_add(TABLES),
        }
    }

    /// Bytes of all blocks that have ever been used.
    pub(crate) fn size(&self) -> usize {
        self.blocks.len() * BLOCK
    }

    /// Notes that a window has objects up to its cursor.
    fn retire(&mut self, window: Window) {
        if window.cursor > window.start {
            self.filled.push((window.start as u32, (window.cursor - window.start) as u32));
        }
    }

    /// Notes where the objects start that were made in the same window as one that may start
    /// at an offset. Only while a collection goes on.
    pub(crate) fn find_starts(&mut self, offset: u64, layouts: &Layouts) {
        let behind = self.filled.partition_point(|&(start, _)| u64::from(start) <= offset);
        let Some(range) = behind.checked_sub(1).map(|index| &mut self.filled[index]) else {
            return;
        };
        let (mut at, end) = (range.0 as usize, range.0 as usize + range.1 as usize);
        if offset >= end as u64 {
            return;
        }
        range.1 = 0;
        while at < end {
            work::count(1);
            self.set_start(at);
            // SAFETY: an object lies here, or what a forged reference has made of it, in
            // blocks that are committed.
            let (word, length) = unsafe {
                let object = self.base().add(at);
                (object.cast::<u32>().read(), object.add(LENGTH).cast::<u32>().read())
            };
            let size = match *layouts.of(word) {
                Layout::None => HEADER,
                Layout::Struct { size, .. } => size as usize,
                Layout::Array { element, .. } => HEADER + length as usize * element as usize,
            };
            at = at.saturating_add(size.next_multiple_of(GRANULE));
        }
    }

    /// Whether `offset` is where a live object starts; one made in a window since the last
    /// collection only if [`Heap::find_starts`] has noted it.
    pub(crate) fn is_object(&self, offset: u64) -> bool {
        let offset = offset as usize;
        let committed = self.committed.get(offset / CHUNK).copied().unwrap_or(false);
        if !committed || !offset.is_multiple_of(GRANULE) {
            return false;
        }
        // SAFETY: the chunk's side tables are committed.
        unsafe { *self.base().sub(STARTS).add(offset / (8 * GRANULE)) & bit(offset) != 0 }
    }

    /// Says that an object starts at an offset.
    pub(crate) fn set_start(&mut self, offset: usize) {
        // SAFETY: the offset was handed out, so its side tables are committed.
        unsafe { *self.base().sub(STARTS).add(offset / (8 * GRANULE)) |= bit(offset) }
    }

    /// Whether the object at an offset is marked.
    pub(crate) fn is_marked(&self, offset: usize) -> bool {
        // SAFETY: as above; only objects are asked for.
        unsafe { *self.base().sub(MARKS).add(offset / (8 * GRANULE)) & bit(offset) != 0 }
    }

    /// Marks the object at an offset; false if it was marked.
    #[inline]
    pub(crate) fn mark(&mut self, offset: usize) -> bool {
        // SAFETY: as above.
        unsafe {
            let byte = self.base().sub(MARKS).add(offset / (8 * GRANULE));
            let fresh = *byte & bit(offset) == 0;
            *byte |= bit(offset);
            fresh
        }
    }

    /// Marks the lines of an object of `size` bytes.
    #[inline]
    pub(crate) fn mark_lines(&mut self, offset: usize, size: usize) {
        if size > LARGE {
            return;
        }
        let (first, last) = (offset / LINE, (offset + size - 1) / LINE);
        for line in first..=last {
            // SAFETY: the object lies in committed blocks.
            unsafe { *self.base().sub(LINE_MARKS).add(line) = 1 }
        }
    }

    /// Makes room for an object of up to [`LARGE`] bytes in the window. False if
    /// `may_grow` blocks are used up (or the system has no memory): collect first.
    pub(crate) fn refill(&mut self, size: usize, budget: usize) -> bool {
        if self.spare.fits(size) {
            std::mem::swap(&mut self.window, &mut self.spare);
            return true;
        }
        if self.allocated >= budget {
            return false;
        }
        if size <= LINE
            && let Some(hole) = self.next_hole()
        {
            self.retire(self.window);
            self.window = hole;
            self.allocated += hole.limit - hole.cursor;
            return true;
        }
        let Some(index) = self.free_run(1) else { return false };
        self.blocks[index] = Use::Fresh;
        let start = place(index) * BLOCK;
        // What is left of the window serves smaller objects.
        if self.window.limit - self.window.cursor > self.spare.limit - self.spare.cursor {
            std::mem::swap(&mut self.window, &mut self.spare);
        }
        self.retire(self.window);
        self.window = Window::new(start, start + BLOCK);
        self.allocated += BLOCK;
        true
    }

    /// A place for an object of more than [`LARGE`] bytes.
    pub(crate) fn large(&mut self, size: usize, budget: usize) -> Option<usize> {
        let count = size.div_ceil(BLOCK);
        if self.allocated > 0 && self.allocated.saturating_add(size) > budget {
            return None;
        }
        let index = self.free_run(count)?;
        self.blocks[index] = Use::Large(count as u32);
        self.blocks[index + 1..index + count].fill(Use::Rest);
        self.allocated += count * BLOCK;
        Some(place(index) * BLOCK)
    }

    /// The next run of unmarked lines in blocks that the cursor has not passed.
    fn next_hole(&mut self) -> Option<Window> {
        while let Some(&block) = self.blocks.get(self.scan.0) {
            let (index, from) = self.scan;
            let start = place(index) * BLOCK;
            match block {
                Use::Free => {
                    self.scan = (index + 1, 0);
                    self.blocks[index] = Use::Small;
                    return Some(Window::new(start, start + BLOCK));
                }
                Use::Small if from < LINES => {
                    // SAFETY: the block is in use, so its side tables are committed.
                    let marks = unsafe {
                        let marks = self.base().sub(LINE_MARKS).add(start / LINE);
                        std::slice::from_raw_parts(marks, LINES)
                    };
                    let free = (from..LINES).find(|&line| marks[line] == 0);
                    if let Some(first) = free {
                        let end = (first..LINES).find(|&line| marks[line] != 0).unwrap_or(LINES);
                        self.scan = (index, end);
                        return Some(Window::new(start + first * LINE, start + end * LINE));
                    }
                    self.scan = (index + 1, 0);
                }
                _ => self.scan = (index + 1, 0),
            }
        }
        None
    }

    /// Finds `count` free blocks in a row, behind all others if need be.
    fn free_run(&mut self, count: usize) -> Option<usize> {
        let mut run = 0;
        for index in self.free_scan..self.blocks.len() {
            run = match self.blocks[index] {
                Use::Free if index != UPPER => run + 1,
                Use::Free => 1,
                _ => 0,
            };
            if run == count {
                if count == 1 {
                    self.free_scan = index + 1;
                }
                return Some(index + 1 - count);
            }
        }
        if count == 1 {
            self.free_scan = self.blocks.len();
        }
        // A run at the end may be extended.
        let end = self.end_of_run(self.blocks.len() - run, count)?;
        if end > self.allowed_blocks {
            return None;
        }
        let start = end - count;
        self.commit(start, end).ok()?;
        self.blocks.resize(end.max(self.blocks.len()), Use::Free);
        Some(start)
    }

    /// Where `count` blocks from `start` on end; they follow the region's end if they
    /// would cross it.
    fn end_of_run(&self, start: usize, count: usize) -> Option<usize> {
        let end = start.checked_add(count)?;
        let end = if start < UPPER && end > UPPER { UPPER.checked_add(count)? } else { end };
        (end <= self.max_blocks).then_some(end)
    }

    /// Commits the chunks of some blocks and their side tables.
    fn commit(&mut self, start: usize, end: usize) -> io::Result<()> {
        // Blocks passed over at the seam are committed as well: they are free.
        for index in self.blocks.len().min(start)..end {
            let chunk = place(index) * BLOCK / CHUNK;
            if self.committed[chunk] {
                continue;
            }
            let mut table = |distance: usize, unit: usize| {
                self.mapping.commit(TABLES - distance + chunk * (CHUNK / unit), CHUNK / unit)
            };
            table(STARTS, GRANULE * 8)?;
            table(MARKS, GRANULE * 8)?;
            table(LINE_MARKS, LINE)?;
            table(0, 1)?;
            self.committed[chunk] = true;
        }
        Ok(())
    }

    /// Gives up the windows and clears all marks, for marking to begin.
    pub(crate) fn begin(&mut self) {
        self.retire(self.window);
        self.retire(self.spare);
        self.window = Window::default();
        self.spare = Window::default();
        self.filled.sort_by_cached_key(|(start, _)| u64::from(*start));
        for index in 0..self.blocks.len() {
            let start = place(index) * BLOCK;
            // SAFETY: all blocks are committed.
            unsafe {
                self.base()
                    .sub(MARKS)
                    .add(start / (8 * GRANULE))
                    .write_bytes(0, BLOCK / (8 * GRANULE));
                self.base().sub(LINE_MARKS).add(start / LINE).write_bytes(0, LINES);
            }
        }
    }

    /// Frees what is not marked; the bytes of lines and blocks that stay in use.
    pub(crate) fn sweep(&mut self) -> usize {
        let mut live = 0;
        self.filled.clear();
        for index in 0..self.blocks.len() {
            let start = place(index) * BLOCK;
            match self.blocks[index] {
                Use::Free | Use::Rest => continue,
                Use::Small | Use::Fresh => {
                    // SAFETY: all blocks are committed.
                    let lines = unsafe {
                        let marks = self.base().sub(LINE_MARKS).add(start / LINE);
                        std::slice::from_raw_parts(marks, LINES)
                    };
                    let used = lines.iter().map(|&mark| usize::from(mark)).sum::<usize>();
                    self.blocks[index] = if used == 0 { Use::Free } else { Use::Small };
                    live += used * LINE;
                }
                Use::Large(count) if self.is_marked(start) => live += count as usize * BLOCK,
                Use::Large(count) => {
                    self.blocks[index..index + count as usize].fill(Use::Free);
                }
            }
            // SAFETY: as above. An object is live if it is marked.
            unsafe {
                let marks = self.base().sub(MARKS).add(start / (8 * GRANULE));
                self.base()
                    .sub(STARTS)
                    .add(start / (8 * GRANULE))
                    .copy_from(marks, BLOCK / (8 * GRANULE));
            }
        }
        self.scan = (0, 0);
        self.free_scan = 0;
        self.allocated = 0;
        live
    }

    /// Shows the contents of all blocks in use.
    pub(crate) fn for_each_word_run(&self, mut visit: impl FnMut(&[u64])) {
        for (index, block) in self.blocks.iter().enumerate() {
            if *block != Use::Free {
                // SAFETY: all blocks are committed, and nothing writes to them now.
                visit(unsafe {
                    let start = self.base().add(place(index) * BLOCK).cast::<u64>();
                    std::slice::from_raw_parts(start, BLOCK / 8)
                });
            }
        }
    }

    /// How many blocks have ever been used.
    pub(crate) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The marked object that starts at a granule of a block, if there is one.
    pub(crate) fn marked_at(&self, block: usize, granule: usize) -> Option<usize> {
        let offset = place(block) * BLOCK + granule * GRANULE;
        self.is_marked(offset).then_some(offset)
    }
}

/// The bit of an offset in the byte of a side table.
#[inline]
fn bit(offset: usize) -> u8 {
    1 << (offset / GRANULE % 8)
}
