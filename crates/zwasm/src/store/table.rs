//! Tables of references.
//!
//! A table of functions holds the addresses of their records, so that a call through
//! it need not look a number up: what is in a table was checked when it was written.

use super::functions::Functions;
use super::pool::{Kind, Ticket};
use super::vmctx::FuncRecord;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::types::TableType;

/// A table of a store. Elements are references as slots hold them, or the addresses of
/// function records.
#[repr(C)]
pub(crate) struct TableInst {
    /// The first element.
    pub(crate) base: *mut u64,
    /// How many there are.
    pub(crate) len: usize,
    /// Whether indices are 64 bits wide.
    pub(crate) is_64: bool,
    /// Whether elements are functions.
    pub(crate) holds_functions: bool,
    pub(crate) ty: TableType,
    max_len: u64,
    elements: Vec<u64>,
    _ticket: Option<Ticket>,
}

impl TableInst {
    /// A table of its minimal size filled with an element.
    pub(crate) fn new(
        ty: TableType,
        holds_functions: bool,
        init: u64,
        engine: &Engine,
    ) -> Result<TableInst> {
        let config = engine.config();
        let addressable = if ty.table64 { u64::MAX } else { u64::from(u32::MAX) };
        let max_len =
            ty.maximum.unwrap_or(u64::MAX).min(addressable).min(config.max_table_elements);
        let mut table = TableInst {
            base: std::ptr::null_mut(),
            len: 0,
            is_64: ty.table64,
            holds_functions,
            ty,
            max_len,
            elements: Vec::new(),
            _ticket: engine.pool().ticket(Kind::Tables)?,
        };
        let limit = config.max_table_elements;
        if ty.minimum > ty.maximum.unwrap_or(u64::MAX).min(addressable) {
            return Err(Error::msg("a table's minimum is beyond its maximum or its indices"));
        }
        let (kind, why) = if ty.minimum > limit {
            (ErrorKind::Limit, format!("the limit is {limit}"))
        } else if table.grow(ty.minimum, init).is_some() {
            return Ok(table);
        } else {
            (ErrorKind::OutOfMemory, String::from("out of memory"))
        };
        let message = format!("cannot allocate a table of {} elements ({why})", ty.minimum);
        Err(Error::of_kind(kind, message))
    }

    /// Whether its maximum lets it grow by `delta` elements.
    pub(crate) fn may_grow(&self, delta: u64) -> bool {
        (self.len as u64).checked_add(delta).is_some_and(|len| len <= self.max_len)
    }

    /// Its size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.len * size_of::<u64>()
    }

    /// The bytes that growing to `len` elements takes at most beyond what there is:
    /// when the elements have to move, both places exist for a while.
    pub(super) fn bytes_to_grow(&self, len: usize) -> usize {
        let moved = if len > self.elements.capacity() { self.len } else { 0 };
        len.saturating_sub(self.len).saturating_add(moved).saturating_mul(size_of::<u64>())
    }

    /// The element for a reference as slots hold it.
    pub(crate) fn element(&self, functions: &Functions, reference: u64) -> u64 {
        match self.holds_functions {
            true => functions.get(reference).map_or(0, |record| record.as_ptr() as u64),
            false => reference,
        }
    }

    /// The reference of an element as slots hold it.
    pub(crate) fn reference(&self, element: u64) -> u64 {
        match self.holds_functions && element != 0 {
            // SAFETY: the element is a record, which lives as long as the store.
            true => u64::from(unsafe { (*(element as *const FuncRecord)).number }),
            false => element,
        }
    }

    /// Grows by `delta` elements. The old size, or none if that is not possible.
    pub(crate) fn grow(&mut self, delta: u64, init: u64) -> Option<u64> {
        let old = self.len as u64;
        let len = old.checked_add(delta).filter(|len| *len <= self.max_len)?;
        let delta = usize::try_from(delta).ok()?;
        self.elements.try_reserve(delta).ok()?;
        self.elements.resize(len as usize, init);
        self.base = self.elements.as_mut_ptr();
        self.len = self.elements.len();
        Some(old)
    }

    /// The elements.
    pub(crate) fn elements(&self) -> &[u64] {
        // SAFETY: `base` and `len` are those of `elements`; code writes elements
        // through `base`, but not while the store is borrowed for this.
        unsafe { slice(self.base, self.len) }
    }

    /// The elements, to be written.
    pub(crate) fn elements_mut(&mut self) -> &mut [u64] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.len) }
    }
}

/// # Safety
///
/// `base` points at `len` elements, unless there are none.
unsafe fn slice<'a>(base: *const u64, len: usize) -> &'a [u64] {
    if len == 0 {
        return &[];
    }
    // SAFETY: by the contract.
    unsafe { std::slice::from_raw_parts(base, len) }
}
