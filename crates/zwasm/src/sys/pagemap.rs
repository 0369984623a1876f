//! Which pages of this process hold something, as Linux tells: eight bytes for each page in
//! the file `/proc/self/pagemap`, whose uppermost bits say whether the page is in memory or
//! swapped out. A page that is neither was never written to, or was given back.
//!
//! Clearing the few pages that a guest has used takes a tenth of what it takes to give all
//! of them back and to have them again one fault at a time.
//!
//! # Safety
//!
//! A page that is said to hold nothing is not cleared, so a wrong answer would show one
//! guest what another had. The file tells of the process that opened it: a child that
//! inherits it does not ask. What emulates the system may tell of other addresses: before
//! the file is trusted, it has to be right about pages of which some were written to, and
//! with each question about one more.
//!
//! Source: Linux, `Documentation/admin-guide/mm/pagemap.rst`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use super::Mapping;
use super::unix::page_size;
use crate::tuning;

/// The file, and the process that it tells of.
struct Pagemap {
    file: File,
    process: u32,
}

/// Bits of an entry: the page is in memory, or swapped out.
const HOLDS: u64 = 0b11 << 62;

/// Entries that are read at a time.
const ENTRIES: usize = 512;

/// The page map of this process, if it can be believed.
fn of_this_process() -> Option<&'static Pagemap> {
    static PAGEMAP: OnceLock<Option<Pagemap>> = OnceLock::new();
    let pagemap = PAGEMAP.get_or_init(Pagemap::open).as_ref()?;
    (pagemap.process == std::process::id()).then_some(pagemap)
}

/// Whether it can be told which pages hold something.
pub(crate) fn is_there() -> bool {
    of_this_process().is_some()
}

/// Has pages at the start of a mapping be zeros and stay, as long as no more of them hold
/// something than these bytes take: how far it came. None if it is not known which do.
pub(super) fn clear(mapping: &Mapping, len: usize, kept: usize) -> Option<usize> {
    let pagemap = of_this_process()?;
    let page = page_size();
    let end = len.min(tuning::MEMORY_LOOKED_AT) / page * page;
    if end == 0 {
        return None;
    }
    // SAFETY: the range lies within the mapping, can be written, and nobody uses it.
    unsafe { mapping.base().write_volatile(0) };
    let (mut at, mut left) = (0, kept / page);
    let mut entries = [[0; 8]; ENTRIES];
    while at < end {
        let entries = &mut entries[..((end - at) / page).min(ENTRIES)];
        pagemap.read(mapping.base().addr() + at, entries)?;
        for entry in entries {
            if holds(entry) {
                if left == 0 {
                    return Some(at);
                }
                left -= 1;
                // SAFETY: as above.
                unsafe { mapping.base().add(at).write_bytes(0, page) };
            } else if at == 0 {
                // It was just written to.
                return None;
            }
            at += page;
        }
    }
    Some(at)
}

fn holds(entry: &[u8; 8]) -> bool {
    u64::from_ne_bytes(*entry) & HOLDS != 0
}

impl Pagemap {
    fn open() -> Option<Pagemap> {
        let process = std::process::id();
        let pagemap = Pagemap { file: File::open("/proc/self/pagemap").ok()?, process };
        // Whoever guesses is wrong about one of them.
        const WRITTEN: u64 = 0x9d2c_5680_ca6b_e1f3;
        let page = page_size();
        let mapping = Mapping::zeroed(64 * page).ok()?;
        mapping.stay_small();
        let is_written = |index: usize| WRITTEN >> index & 1 != 0;
        for index in (0..64).filter(|index| is_written(*index)) {
            // SAFETY: the mapping is this function's own, and has so many pages.
            unsafe { mapping.base().add(index * page).write_volatile(1) };
        }
        let mut entries = [[0; 8]; 64];
        pagemap.read(mapping.base().addr(), &mut entries)?;
        let mut right = entries.iter().enumerate();
        right.all(|(index, entry)| holds(entry) == is_written(index)).then_some(pagemap)
    }

    /// Reads the entries of the pages from an address on.
    fn read(&self, address: usize, entries: &mut [[u8; 8]]) -> Option<()> {
        let offset = (address / page_size()) as u64 * size_of::<u64>() as u64;
        self.file.read_exact_at(entries.as_flattened_mut(), offset).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all of it is zeros.
    fn is_clear(mapping: &Mapping) -> bool {
        // SAFETY: nobody writes to the mapping meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(mapping.base(), mapping.len()) };
        bytes.iter().all(|byte| *byte == 0)
    }

    fn written(mapping: &Mapping, pages: impl Iterator<Item = usize>) {
        for page in pages {
            // SAFETY: the tests name pages of the mapping.
            unsafe { mapping.base().add(page * page_size() + page % 4096).write_volatile(7) };
        }
    }

    #[test]
    fn pages_that_were_written_to_are_cleared_and_stay() {
        let page = page_size();
        let mapping = Mapping::zeroed(1500 * page).unwrap();
        mapping.stay_small();
        for step in [1, 2, 7, 511, 512, 513, 1499] {
            written(&mapping, (0..1500).step_by(step));
            let Some(far) = clear(&mapping, 1500 * page, usize::MAX) else {
                assert!(!is_there());
                return;
            };
            assert_eq!(far, (1500 * page).min(tuning::MEMORY_LOOKED_AT));
            mapping.reset(far, mapping.len() - far).unwrap();
            assert!(is_clear(&mapping), "every {step}th");
        }
    }

    #[test]
    fn no_more_stays_than_may() {
        let page = page_size();
        let mapping = Mapping::zeroed(64 * page).unwrap();
        mapping.stay_small();
        written(&mapping, 10..20);
        // The first page counts, for it is written to.
        match clear(&mapping, 64 * page, 5 * page) {
            Some(far) => assert_eq!(far, 14 * page),
            None => assert!(!is_there()),
        }
        written(&mapping, 10..20);
        mapping.clear(64 * page, 5 * page, true).unwrap();
        assert!(is_clear(&mapping));
        assert_eq!(clear(&mapping, 64 * page, 0).unwrap_or(0), 0);
    }
}
