//! Linear memories.
//!
//! A 32-bit memory normally reserves its whole address space, so that growing
//! never moves it (compiled code will also rely on the guard that follows).
//! Other memories, and all with `Config::guard_pages(false)`, are mapped at their
//! size and may move when they grow.

use crate::engine::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::Mapping;
use crate::tuning;
use crate::types::MemoryType;

/// A memory of a store.
#[repr(C)]
pub(crate) struct MemoryInst {
    /// The first byte.
    pub(crate) base: *mut u8,
    /// The size in bytes.
    pub(crate) len: usize,
    pub(crate) ty: MemoryType,
    reserved: bool,
    /// The largest size in bytes.
    max_len: u64,
    mapping: Mapping,
}

impl MemoryInst {
    /// A memory of no bytes, for instances that have none.
    pub(crate) fn none() -> MemoryInst {
        let mapping = Mapping::empty();
        MemoryInst {
            base: mapping.base(),
            len: 0,
            ty: MemoryType::new(0, Some(0)),
            reserved: false,
            max_len: 0,
            mapping,
        }
    }

    /// Maps a memory of its minimal size.
    pub(crate) fn new(ty: MemoryType, config: &Config) -> Result<MemoryInst> {
        let shift = u32::from(ty.page_size_log2);
        let bytes = |pages: u64| pages.checked_shl(shift).filter(|b| b >> shift == pages);
        let limit = config.max_memory.min(isize::MAX as u64);
        let too_large = || {
            Error::new(
                ErrorKind::Limit,
                format!(
                    "cannot allocate a memory of {} x {} bytes (the limit is {limit} bytes)",
                    ty.minimum,
                    ty.page_size()
                ),
            )
        };
        let len = bytes(ty.minimum).filter(|len| *len <= limit).ok_or_else(too_large)? as usize;
        let addressable = if ty.memory64 { u64::MAX } else { 1 << 32 };
        let declared = ty.maximum.map_or(u64::MAX, |max| bytes(max).unwrap_or(u64::MAX));
        let max_len = declared.min(addressable).min(limit);
        let mut reserved = config.guard_pages && !ty.memory64 && shift == 16;
        let mapping = if reserved {
            // Where address space is scarce the checked form serves as well.
            Mapping::reserve(tuning::MEMORY32_RESERVATION).and_then(|mut mapping| {
                mapping.commit(0, len)?;
                Ok(mapping)
            })
        } else {
            Mapping::zeroed(len)
        };
        let mapping = match mapping {
            Err(_) if reserved => {
                reserved = false;
                Mapping::zeroed(len)
            }
            mapping => mapping,
        };
        let mapping = mapping.map_err(|_| too_large())?;
        Ok(MemoryInst { base: mapping.base(), len, ty, reserved, max_len, mapping })
    }

    /// The size in pages.
    pub(crate) fn pages(&self) -> u64 {
        (self.len >> self.ty.page_size_log2) as u64
    }

    /// Grows by `delta` pages. The old size, or none if that is not possible.
    pub(crate) fn grow(&mut self, delta: u64) -> Option<u64> {
        let old = self.pages();
        let pages = old.checked_add(delta)?;
        let shift = u32::from(self.ty.page_size_log2);
        let len = pages.checked_shl(shift).filter(|len| len >> shift == pages)?;
        if len > self.max_len {
            return None;
        }
        let len = usize::try_from(len).ok()?;
        if delta > 0 {
            if self.reserved {
                self.mapping.commit(self.len, len - self.len).ok()?;
            } else {
                self.mapping.resize(len).ok()?;
            }
            self.base = self.mapping.base();
            self.len = len;
        }
        Some(old)
    }

    /// The contents.
    ///
    /// # Safety
    ///
    /// Nothing writes to the memory while the slice lives.
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes from `base` are mapped; the rest is the contract.
        unsafe { std::slice::from_raw_parts(self.base, self.len) }
    }

    /// The contents, to be written.
    ///
    /// # Safety
    ///
    /// Nothing else uses the memory while the slice lives.
    pub(crate) unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.len) }
    }
}
