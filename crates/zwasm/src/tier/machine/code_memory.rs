//! Memory for machine code.
//!
//! Two regions of address space for the whole process, one for baseline code and one for
//! native code and its stubs, so that an address is known to be in either by two
//! comparisons. Code is copied into fresh pages while
//! they can be written, and then they are made executable, once: no page is ever
//! both, or changes while code in it may run. When the code is dropped, its pages
//! are given back to the system, and their addresses to the region.
//!
//! Chunks are whole pages. That wastes half a page for each function, and keeps
//! code of different modules, which end at different times, apart. The code in them begins at
//! different offsets: what processors keep of instructions has few places for lines with the
//! same offset, and the entries of functions would want the same ones.
//!
//! # Safety
//!
//! The pages between `start` and `start + len` of a [`Chunk`] are its own from its
//! creation to its drop, and nothing writes to them after its creation.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use crate::engine::Engine;
use crate::sys::{Access, Mapping, icache, page_size};
use crate::tuning::{CODE_LINE, CODE_REGION, MIN_CODE_REGION, SKEW};

/// The region, and the ranges of it that nobody has, by their start.
struct Region {
    mapping: Mapping,
    /// What the system protects at a time.
    page: usize,
    free: Mutex<BTreeMap<usize, usize>>,
    /// How many chunks there have been.
    chunks: AtomicUsize,
}

/// What calls what is in a region, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum World {
    /// Code that is entered and left as handlers are.
    Slots,
    /// Code with native frames, and the stubs that lead to and from it.
    #[cfg(optimizer)]
    Native,
}

/// How many regions there are.
const WORLDS: usize = if cfg!(optimizer) { 2 } else { 1 };

/// The process's regions, reserved when they are first needed; none if there is no
/// address space for one.
static REGIONS: [OnceLock<Option<Region>>; WORLDS] = [const { OnceLock::new() }; WORLDS];

fn region(world: World) -> Option<&'static Region> {
    let reserve = || {
        let mut len = CODE_REGION;
        while len >= MIN_CODE_REGION {
            if let Ok(mapping) = Mapping::reserve(len) {
                let free = Mutex::new(BTreeMap::from([(0, len)]));
                let chunks = AtomicUsize::new(0);
                return Some(Region { mapping, page: page_size(), free, chunks });
            }
            len /= 2;
        }
        None
    };
    REGIONS[world as usize].get_or_init(reserve).as_ref()
}

/// Where machine code of a world can be, if there is any. Can be asked in a signal
/// handler.
pub(super) fn addresses(world: World) -> Option<Range<usize>> {
    let mapping = &REGIONS[world as usize].get()?.as_ref()?.mapping;
    let start = mapping.base() as usize;
    Some(start..start + mapping.len())
}

impl Region {
    fn free(&self) -> MutexGuard<'_, BTreeMap<usize, usize>> {
        // Nothing in here leaves the map half-changed.
        self.free.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The offset of `len` bytes that are the caller's from now on: the first that
    /// are free, so that code stays together.
    fn take(&self, len: usize) -> Option<usize> {
        let mut free = self.free();
        let (&start, &size) = free.iter().find(|(_, size)| **size >= len)?;
        free.remove(&start);
        if size > len {
            free.insert(start + len, size - len);
        }
        Some(start)
    }

    /// Where in its pages the code of a chunk begins that leaves so many bytes of them.
    fn skew(&self, slack: usize) -> usize {
        let number = self.chunks.fetch_add(1, Ordering::Relaxed);
        // Neighbours are far from each other, and every place is taken in turn.
        number.wrapping_mul(SKEW) % (slack / CODE_LINE + 1) * CODE_LINE
    }

    /// Gives a range back, and joins it with those beside it.
    fn give(&self, mut start: usize, mut len: usize) {
        let mut free = self.free();
        if let Some(after) = free.remove(&(start + len)) {
            len += after;
        }
        if let Some((&before, &size)) = free.range(..start).next_back()
            && before + size == start
        {
            start = before;
            len += size;
        }
        free.insert(start, len);
    }
}

/// Executable memory with code in it.
pub(super) struct Chunk {
    region: &'static Region,
    offset: usize,
    /// Where in its pages the code begins.
    skew: usize,
    len: usize,
    /// Who has it among its code; none for what the process has.
    engine: Option<Engine>,
    /// What debuggers know of it.
    #[cfg(all(feature = "gdb", target_os = "linux"))]
    told: Option<super::gdb::Registration>,
}

impl Chunk {
    /// Copies code into fresh memory, makes the words at the offsets in
    /// `relocations`, which hold offsets into the code, addresses, and makes it
    /// executable. None if there is no memory left, or the engine may not have more.
    pub(super) fn new(
        world: World,
        engine: Option<&Engine>,
        bytes: &[u8],
        relocations: &[u32],
    ) -> Option<Chunk> {
        let region = region(world)?;
        let pages = bytes.len().checked_next_multiple_of(region.page).filter(|len| *len > 0)?;
        if engine.is_some_and(|engine| !engine.take_code(pages as u64)) {
            return None;
        }
        let Some(offset) = region.take(pages) else {
            engine.inspect(|engine| engine.give_code(pages as u64));
            return None;
        };
        // From here on dropping the chunk gives the pages back.
        let skew = region.skew(pages - bytes.len());
        let chunk = Chunk {
            region,
            offset,
            skew,
            len: bytes.len(),
            engine: engine.cloned(),
            #[cfg(all(feature = "gdb", target_os = "linux"))]
            told: None,
        };
        region.mapping.protect(offset, pages, Access::ReadWrite).ok()?;
        let start = chunk.start().cast_mut();
        // SAFETY: the pages are mapped, writable and nobody else's yet.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        for &at in relocations {
            let at = at as usize;
            let word = bytes.get(at..)?.first_chunk().map(|word| u64::from_ne_bytes(*word))?;
            // SAFETY: the word is within the copy.
            unsafe { start.add(at).cast::<u64>().write_unaligned(start as u64 + word) };
        }
        region.mapping.protect(offset, pages, Access::ReadExecute).ok()?;
        icache::publish(start, bytes.len());
        Some(chunk)
    }

    /// Lets debuggers know of the functions in it, whose lines name these files.
    #[cfg(all(feature = "gdb", target_os = "linux"))]
    pub(super) fn tell_debuggers(&mut self, functions: &[super::dwarf::Function], files: &[&str]) {
        let start = self.start() as u64;
        self.told = Some(super::gdb::Registration::new(start, self.len, functions, files));
    }

    /// The first byte of the code.
    pub(super) fn start(&self) -> *const u8 {
        self.region.mapping.base().wrapping_add(self.offset + self.skew)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let pages = self.len.next_multiple_of(self.region.page);
        if let Some(engine) = &self.engine {
            engine.give_code(pages as u64);
        }
        // Addresses that could not be emptied are not used again.
        if self.region.mapping.discard(self.offset, pages).is_ok() {
            self.region.give(self.offset, pages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    /// A region of its own, so that tests do not depend on each other.
    fn region(len: usize) -> Region {
        let mapping = Mapping::reserve(len).expect("there is address space");
        let free = Mutex::new(BTreeMap::from([(0, len)]));
        Region { mapping, page: page_size(), free, chunks: AtomicUsize::new(0) }
    }

    #[test]
    fn ranges_are_joined_when_they_come_back() {
        let page = page_size();
        let region = region(4 * page);
        let all: Vec<usize> = (0..4).map(|_| region.take(page).expect("room")).collect();
        assert_eq!(all, [0, page, 2 * page, 3 * page]);
        assert_eq!(region.take(page), None);
        for offset in [page, 3 * page, 2 * page] {
            region.give(offset, page);
        }
        assert_eq!(region.take(4 * page), None);
        assert_eq!(region.take(3 * page), Some(page));
        region.give(page, 3 * page);
        region.give(0, page);
        assert_eq!(region.take(4 * page), Some(0));
    }

    #[test]
    fn code_runs_where_it_is_mapped() {
        // lea rax, [rip + 1]; ret; a word that holds its own offset
        #[cfg(target_arch = "x86_64")]
        let mut bytes = vec![0x48, 0x8d, 0x05, 1, 0, 0, 0, 0xc3];
        // adr x0, pc + 8; ret
        #[cfg(target_arch = "aarch64")]
        let mut bytes = [0x1000_0040_u32, 0xd65f_03c0].map(u32::to_le_bytes).concat();
        bytes.extend(8u64.to_ne_bytes());
        let chunk = Chunk::new(World::Slots, Some(&Engine::default()), &bytes, &[8])
            .expect("there is memory");
        let range = addresses(World::Slots).expect("there is code");
        assert!(range.contains(&(chunk.start() as usize)));
        // SAFETY: the code is a function of this type.
        let code: extern "C" fn() -> *const u64 = unsafe { std::mem::transmute(chunk.start()) };
        let word = code();
        assert_eq!(word as usize, chunk.start() as usize + 8);
        // SAFETY: the word is part of the code.
        assert_eq!(unsafe { *word }, word as u64);
    }

    #[test]
    fn a_relocation_outside_is_refused() {
        let engine = Engine::default();
        assert!(Chunk::new(World::Slots, Some(&engine), &[0xc3; 8], &[1]).is_none());
        assert!(Chunk::new(World::Slots, Some(&engine), &[], &[]).is_none());
    }

    #[test]
    fn an_engine_has_so_much_code() {
        let engine =
            Engine::new(Config::new().max_code(3 * page_size() as u64)).expect("it is valid");
        let code = |pages: usize| {
            Chunk::new(World::Slots, Some(&engine), &vec![0xc3; pages * page_size()], &[])
        };
        let two = code(2).expect("there is room");
        assert!(code(2).is_none());
        let one = code(1).expect("there is room");
        assert!(Chunk::new(World::Slots, Some(&engine), &[0xc3], &[]).is_none());
        drop(two);
        // What was refused or could not be made takes nothing.
        assert!(Chunk::new(World::Slots, Some(&engine), &[0xc3; 8], &[1]).is_none());
        let two = code(2).expect("there is room again");
        assert!(Chunk::new(World::Slots, Some(&engine), &[0xc3], &[]).is_none());
        drop((one, two));
        assert!(code(3).is_some());
    }
}
