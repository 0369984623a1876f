//! Linear memories.
//!
//! A 32-bit memory normally has its whole address space reserved, so that growing
//! never moves it and compiled code can rely on the guard that follows.
//! Other memories, all with `Config::guard_pages(false)`, and those that come when the
//! process has many, may move when they grow: small ones lie many to a mapping, see
//! [`super::arena`], and large ones are mapped at their size. What threads share is in
//! [`super::shared`].

use std::sync::Arc;

use super::arena::Cell;
use super::pool::{Kind, Lease, Pool, Ticket};
#[cfg(feature = "threads")]
use super::shared::SharedCore;
use crate::engine::{Config, Engine};
use crate::error::{Error, ErrorKind, Result};
use crate::module::image::MemoryImage;
use crate::sys::Mapping;
use crate::types::MemoryType;

/// A memory of a store, or a store's view of a shared one.
#[repr(C)]
pub(crate) struct MemoryInst {
    /// The first byte.
    pub(crate) base: *mut u8,
    /// The size in bytes; of a shared memory the size when last looked at.
    pub(crate) len: usize,
    pub(crate) ty: MemoryType,
    /// The largest size in bytes.
    max_len: u64,
    /// The bytes that the store has counted for it.
    pub(super) counted: usize,
    backing: Backing,
    _ticket: Option<Ticket>,
}

/// Who owns the bytes.
enum Backing {
    /// This memory, in address space for all it can grow to, with guard pages.
    Reserved(Lease),
    /// This memory and others.
    Small(Cell),
    /// This memory, with no room to grow in place.
    Exact(Mapping),
    #[cfg(feature = "threads")]
    Shared(Arc<SharedCore>),
}

impl Backing {
    /// A place for `len` bytes without guard pages; none if the system has no memory.
    fn unguarded(len: usize, pool: &Pool) -> Option<Backing> {
        let cell = if len > 0 { pool.cell(len) } else { None };
        cell.map(Backing::Small).or_else(|| Mapping::zeroed(len).ok().map(Backing::Exact))
    }

    /// The first byte.
    fn base(&self) -> *mut u8 {
        match self {
            Backing::Reserved(room) => room.base(),
            Backing::Small(cell) => cell.base(),
            Backing::Exact(mapping) => mapping.base(),
            #[cfg(feature = "threads")]
            Backing::Shared(core) => core.base(),
        }
    }
}

/// The size a memory starts with and the one it ends with, in bytes.
pub(super) struct Limits {
    pub(super) len: usize,
    pub(super) max_len: u64,
}

fn bytes(ty: MemoryType, pages: u64) -> Option<u64> {
    let shift = u32::from(ty.page_size_log2);
    pages.checked_shl(shift).filter(|bytes| bytes >> shift == pages)
}

fn limit(config: &Config) -> u64 {
    config.max_memory.min(isize::MAX as u64)
}

/// The error for a memory that cannot be allocated.
#[cold]
pub(super) fn too_large(ty: MemoryType, config: &Config) -> Error {
    let limit = limit(config);
    let (kind, why) = match bytes(ty, ty.minimum) {
        Some(bytes) if bytes <= limit => (ErrorKind::OutOfMemory, String::from("out of memory")),
        _ => (ErrorKind::Limit, format!("the limit is {limit} bytes")),
    };
    let (pages, page_size) = (ty.minimum, ty.page_size());
    Error::of_kind(kind, format!("cannot allocate a memory of {pages} x {page_size} bytes ({why})"))
}

impl Limits {
    pub(super) fn of(ty: MemoryType, config: &Config) -> Result<Limits> {
        let addressable = if ty.memory64 { u64::MAX } else { 1 << 32 };
        let declared = ty.maximum.map_or(u64::MAX, |max| bytes(ty, max).unwrap_or(u64::MAX));
        let most = declared.min(addressable);
        let len = bytes(ty, ty.minimum);
        if len.is_some_and(|len| len > most) {
            return Err(Error::msg("a memory's minimum is beyond its maximum or its addresses"));
        }
        let len = len.filter(|len| *len <= limit(config));
        let len = len.ok_or_else(|| too_large(ty, config))? as usize;
        Ok(Limits { len, max_len: most.min(limit(config)) })
    }

    /// The size in bytes of a memory of `pages` that grows by `delta`, if it may.
    pub(super) fn grown(ty: MemoryType, pages: u64, delta: u64, max_len: u64) -> Option<usize> {
        let len = bytes(ty, pages.checked_add(delta)?)?;
        usize::try_from(len).ok().filter(|_| len <= max_len)
    }
}

impl MemoryInst {
    /// A memory of no bytes, for instances that have none.
    pub(crate) fn none() -> MemoryInst {
        let mapping = Mapping::empty();
        MemoryInst {
            base: mapping.base(),
            len: 0,
            ty: MemoryType::new(0, Some(0)),
            max_len: 0,
            counted: 0,
            backing: Backing::Exact(mapping),
            _ticket: None,
        }
    }

    /// A memory of its minimal size; the bytes of an image show in it if that can be.
    pub(crate) fn new(
        ty: MemoryType,
        engine: &Engine,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<MemoryInst> {
        let config = engine.config();
        #[cfg(feature = "threads")]
        if ty.shared {
            return Ok(MemoryInst::shared(Arc::new(SharedCore::new(ty, config)?)));
        }
        let Limits { len, max_len } = Limits::of(ty, config)?;
        let pool = engine.pool();
        let ticket = pool.ticket(Kind::Memories)?;
        let reserves = config.guard_pages && MemoryInst::can_be_guarded(ty);
        // Where address space is scarce the checked form serves as well.
        let reserved = if reserves { pool.room(len, image).map(Backing::Reserved) } else { None };
        let backing = reserved.or_else(|| Backing::unguarded(len, pool));
        let backing = backing.ok_or_else(|| too_large(ty, config))?;
        let base = backing.base();
        Ok(MemoryInst { base, len, ty, max_len, counted: 0, backing, _ticket: ticket })
    }

    /// Whether memories of this type can have guard pages: all that a 32-bit index
    /// reaches is reserved, and what is no page of the memory cannot be accessed.
    pub(crate) fn can_be_guarded(ty: MemoryType) -> bool {
        !ty.memory64 && ty.page_size_log2 == 16
    }

    /// Whether the memory has guard pages.
    pub(crate) fn is_guarded(&self) -> bool {
        match &self.backing {
            Backing::Reserved(_) => true,
            Backing::Small(_) | Backing::Exact(_) => false,
            #[cfg(feature = "threads")]
            Backing::Shared(core) => core.is_guarded(),
        }
    }

    /// A view of a shared memory.
    #[cfg(feature = "threads")]
    pub(crate) fn shared(core: Arc<SharedCore>) -> MemoryInst {
        MemoryInst {
            base: core.base(),
            len: core.len(),
            ty: core.ty(),
            max_len: 0,
            counted: 0,
            backing: Backing::Shared(core),
            _ticket: None,
        }
    }

    /// The shared memory that this is a view of.
    #[cfg(feature = "threads")]
    pub(crate) fn as_shared(&self) -> Option<&Arc<SharedCore>> {
        match &self.backing {
            Backing::Shared(core) => Some(core),
            _ => None,
        }
    }

    /// Looks whether another thread has grown the memory.
    pub(crate) fn refresh(&mut self) -> bool {
        #[cfg(feature = "threads")]
        if let Backing::Shared(core) = &self.backing {
            let old = std::mem::replace(&mut self.len, core.len());
            return self.len > old;
        }
        false
    }

    /// The size in pages, of a shared memory when last looked at.
    pub(crate) fn pages(&self) -> u64 {
        (self.len >> self.ty.page_size_log2) as u64
    }

    /// Grows by `delta` pages. The old size, or none if that is not possible.
    pub(crate) fn grow(&mut self, delta: u64, pool: &Arc<Pool>) -> Option<u64> {
        let old = self.pages();
        let len = || Limits::grown(self.ty, old, delta, self.max_len);
        match &mut self.backing {
            Backing::Reserved(room) => {
                let len = len()?;
                room.grow(len)?;
                self.len = len;
            }
            Backing::Small(cell) => {
                let len = len()?;
                if !cell.grow(len) {
                    self.move_to(Backing::unguarded(len, pool)?);
                }
                self.len = len;
            }
            Backing::Exact(mapping) => {
                let len = len()?;
                if self.len == 0 {
                    self.move_to(Backing::unguarded(len, pool)?);
                } else if delta > 0 {
                    mapping.resize(len).ok()?;
                    self.base = mapping.base();
                }
                self.len = len;
            }
            #[cfg(feature = "threads")]
            Backing::Shared(core) => {
                let old = core.grow(delta);
                self.len = core.len();
                return old;
            }
        }
        Some(old)
    }

    /// Moves the contents to a larger place.
    fn move_to(&mut self, backing: Backing) {
        // SAFETY: the new place has room for them, and nothing is borrowed of the old one.
        unsafe { backing.base().copy_from_nonoverlapping(self.base, self.len) };
        self.base = backing.base();
        self.backing = backing;
    }

    /// Whether it began with an image.
    pub(crate) fn has_image(&self) -> bool {
        matches!(&self.backing, Backing::Reserved(room) if room.has_image())
    }

    /// Has it be as if it had not begun with an image: nobody has written to it.
    pub(crate) fn hide_image(&mut self) -> std::io::Result<()> {
        match &mut self.backing {
            Backing::Reserved(room) => room.hide_image(),
            Backing::Small(_) | Backing::Exact(_) => Ok(()),
            #[cfg(feature = "threads")]
            Backing::Shared(_) => Ok(()),
        }
    }

    /// Copies to the memory; false if the range is not within it.
    pub(crate) fn init(&mut self, start: u64, bytes: &[u8]) -> bool {
        self.refresh();
        let room = (self.len as u64).checked_sub(start);
        if room.is_none_or(|room| room < bytes.len() as u64) {
            return false;
        }
        // SAFETY: the range is mapped, and no slice of it is borrowed: of a memory
        // of the store that would borrow the store, of a shared one there are none.
        unsafe { self.base.add(start as usize).copy_from(bytes.as_ptr(), bytes.len()) };
        true
    }

    /// The contents.
    ///
    /// # Safety
    ///
    /// The memory is not shared, and nothing writes to it while the slice lives.
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes from `base` are mapped; the rest is the contract.
        unsafe { std::slice::from_raw_parts(self.base, self.len) }
    }

    /// The contents, to be written.
    ///
    /// # Safety
    ///
    /// The memory is not shared, and nothing else uses it while the slice lives.
    pub(crate) unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.len) }
    }
}
