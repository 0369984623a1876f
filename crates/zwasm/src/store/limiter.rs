//! Limits that the embedder decides about as the guest asks for more.
//!
//! The limiter is part of the user's data; the store keeps a closure that finds
//! it there. Everything that makes or grows a memory, table or instance comes
//! through the functions below, for the guest as for the host.

use std::sync::Arc;

use super::gc::layout::holds_functions;
use super::growth::{AtOnce, FindLimiter, Growing};
use super::{MemoryInst, StoreCore, TableInst, total};
use crate::error::{Error, ErrorKind, Result};
use crate::module::image::MemoryImage;
use crate::types::{MemoryType, TableType};

/// Decides what a store may have; see [`Store::limiter`](crate::Store::limiter). All sizes of memories and
/// of the heap are in bytes, those of tables in elements.
pub trait ResourceLimiter: Send {
    /// Whether a memory may grow from `current` to `desired` bytes, or be made with
    /// that many. Growth that is denied fails for the guest as the specification
    /// has it; an error stops the guest.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// Says that a memory did not grow although it was allowed to. An error stops
    /// the guest.
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        let _ = error;
        Ok(())
    }

    /// As [`ResourceLimiter::memory_growing`], for a table.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// As [`ResourceLimiter::memory_grow_failed`], for a table.
    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        let _ = error;
        Ok(())
    }

    /// Whether the heap of garbage-collected objects may grow. If not, what cannot be
    /// collected has to suffice: the guest stops when an object finds no room.
    fn gc_heap_growing(&mut self, current: usize, desired: usize) -> Result<bool> {
        let _ = (current, desired);
        Ok(true)
    }

    /// Whether exceptions may take `desired` bytes instead of `current`. If not, what
    /// nothing refers to any more has to suffice: the guest stops when one finds no
    /// room.
    fn exceptions_growing(&mut self, current: usize, desired: usize) -> Result<bool> {
        let _ = (current, desired);
        Ok(true)
    }

    /// The most bytes that memories, tables, objects, exceptions and instances of the
    /// store may take together.
    fn total_size(&self) -> usize {
        usize::MAX
    }

    /// The most instances the store may have.
    fn instances(&self) -> usize {
        usize::MAX
    }

    /// The most tables the store may have.
    fn tables(&self) -> usize {
        usize::MAX
    }

    /// The most memories the store may have.
    fn memories(&self) -> usize {
        usize::MAX
    }
}

fn bytes(ty: MemoryType, pages: u64) -> usize {
    usize::try_from(pages.saturating_mul(ty.page_size())).unwrap_or(usize::MAX)
}

impl StoreCore {
    /// Has a limiter decide from now on.
    pub(crate) fn limit(&mut self, find: FindLimiter) {
        self.limiter = Some(find);
        self.gc.heap.limit_growth();
        self.exceptions.limit_growth();
    }

    /// Whether the limiter allows something; without one everything is allowed.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::ask`]; likewise below.
    unsafe fn permit(
        this: *mut StoreCore,
        question: impl FnOnce(&mut dyn AtOnce) -> Result<bool>,
    ) -> Result<bool> {
        // SAFETY: by the contract.
        unsafe { StoreCore::ask(this, question).unwrap_or(Ok(true)) }
    }

    /// Makes sure that this many more instances, tables and memories are allowed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`].
    pub(crate) unsafe fn check_counts(
        this: *mut StoreCore,
        [instances, tables, memories]: [usize; 3],
    ) -> Result<()> {
        // SAFETY: by the contract.
        unsafe {
            let question = |limiter: &mut dyn AtOnce| {
                [limiter.instances(), limiter.tables(), limiter.memories()]
            };
            let Some(limits) = StoreCore::ask(this, question) else { return Ok(()) };
            let core = &*this;
            let wanted = [
                core.instances.len() + instances,
                core.tables.len() + tables,
                core.memories.len() + memories,
            ];
            let more = [instances > 0, tables > 0, memories > 0];
            for (index, what) in ["instances", "tables", "memories"].into_iter().enumerate() {
                if more[index] && wanted[index] > limits[index] {
                    let message = format!("a store may have {} {what}", limits[index]);
                    return Err(Error::of_kind(ErrorKind::Limit, message));
                }
            }
            Ok(())
        }
    }

    /// Makes a memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] or [`ErrorKind::OutOfMemory`]; likewise below.
    pub(crate) unsafe fn new_memory(
        this: *mut StoreCore,
        ty: MemoryType,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<MemoryInst> {
        let maximum = ty.maximum.map(|pages| bytes(ty, pages));
        let size = bytes(ty, ty.minimum);
        // SAFETY: by the contract.
        unsafe {
            if !StoreCore::may_grow(this, Growing::Memory, [0, size], maximum)? {
                let message =
                    format!("memory minimum size of {} pages exceeds memory limits", ty.minimum);
                return Err(Error::of_kind(ErrorKind::Limit, message));
            }
            // What is too large by itself is an error of its own.
            if size as u64 <= (*this).engine.config().max_memory {
                StoreCore::check_total(this, "a memory", size)?;
            }
            MemoryInst::new(ty, &(*this).engine, image)
        }
    }

    /// Makes a table filled with the reference `init`.
    pub(crate) unsafe fn new_table(
        this: *mut StoreCore,
        ty: TableType,
        init: u64,
    ) -> Result<TableInst> {
        let maximum = ty.maximum.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        let size = usize::try_from(ty.minimum).unwrap_or(usize::MAX);
        // SAFETY: by the contract.
        unsafe {
            if !StoreCore::may_grow(this, Growing::Table, [0, size], maximum)? {
                let message = format!("table minimum size of {size} elements exceeds table limits");
                return Err(Error::of_kind(ErrorKind::Limit, message));
            }
            if ty.minimum <= (*this).engine.config().max_table_elements {
                StoreCore::check_total(this, "a table", size.saturating_mul(size_of::<u64>()))?;
            }
            let engine = &(*this).engine;
            let mut table = TableInst::new(ty, holds_functions(engine, ty), 0, engine)?;
            if init != 0 {
                let element = table.element(&(*this).functions, init);
                table.elements_mut().fill(element);
            }
            Ok(table)
        }
    }

    /// As [`StoreCore::beyond_total`], for something that is to grow to the size
    /// `desired`: what is beyond a limit of its own is not beyond this one.
    unsafe fn beyond_all(
        this: *mut StoreCore,
        desired: usize,
        limits: [Option<usize>; 2],
        more: usize,
    ) -> Option<usize> {
        let may = limits.into_iter().flatten().all(|limit| desired <= limit);
        // SAFETY: by the contract.
        if may { unsafe { StoreCore::beyond_total(this, more) } } else { None }
    }

    /// Grows a memory by `delta` pages. The old size, or none if that is not
    /// possible; an error if the limiter wants the guest to stop.
    pub(crate) unsafe fn grow_memory(
        this: *mut StoreCore,
        memory: *mut MemoryInst,
        delta: u64,
    ) -> Result<Option<u64>> {
        // SAFETY: by the contract; the memory is the store's.
        unsafe {
            (*memory).refresh();
            let (ty, current) = ((*memory).ty, (*memory).len);
            let desired = bytes(ty, (*memory).pages().saturating_add(delta));
            let maximum = ty.maximum.map(|pages| bytes(ty, pages));
            if !StoreCore::may_grow(this, Growing::Memory, [current, desired], maximum)? {
                return Ok(None);
            }
            let more = desired.saturating_sub((*this).counted(&*memory));
            let limits = [maximum, usize::try_from((*this).engine.config().max_memory).ok()];
            let beyond = StoreCore::beyond_all(this, desired, limits, more);
            let old =
                if beyond.is_none() { (*memory).grow(delta, (*this).engine.pool()) } else { None };
            (*this).count_memory(&mut *memory);
            if old.is_none() {
                let why = match beyond {
                    Some(limit) => total::beyond("a memory", more, limit),
                    None => ungrown("memory", desired, limits, "bytes"),
                };
                (*this).total.refuse(&why);
                StoreCore::ask(this, |limiter| limiter.memory_grow_failed(why)).transpose()?;
            }
            Ok(old)
        }
    }

    /// Grows a table by `delta` elements set to the reference `init`; as [`StoreCore::grow_memory`].
    pub(crate) unsafe fn grow_table(
        this: *mut StoreCore,
        table: *mut TableInst,
        delta: u64,
        init: u64,
    ) -> Result<Option<u64>> {
        // SAFETY: by the contract; the table is the store's.
        unsafe {
            let (ty, current) = ((*table).ty, (*table).len);
            let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
            let desired = size((current as u64).saturating_add(delta));
            let maximum = ty.maximum.map(size);
            if !StoreCore::may_grow(this, Growing::Table, [current, desired], maximum)? {
                return Ok(None);
            }
            let (before, more) = ((*table).bytes(), (*table).bytes_to_grow(desired));
            let limits =
                [maximum, usize::try_from((*this).engine.config().max_table_elements).ok()];
            let beyond = StoreCore::beyond_all(this, desired, limits, more);
            let init = (*table).element(&(*this).functions, init);
            let old = if beyond.is_none() { (*table).grow(delta, init) } else { None };
            (*this).hold((*table).bytes() - before);
            if old.is_none() {
                let why = match beyond {
                    Some(limit) => total::beyond("a table", more, limit),
                    None => ungrown("table", desired, limits, "elements"),
                };
                (*this).total.refuse(&why);
                StoreCore::ask(this, |limiter| limiter.table_grow_failed(why)).transpose()?;
            }
            Ok(old)
        }
    }

    /// Asks whether the heap may grow so that an object of `size` bytes fits.
    pub(crate) unsafe fn grow_heap(this: *mut StoreCore, size: usize) -> Result<()> {
        // SAFETY: by the contract.
        unsafe {
            let Some(desired) = (*this).gc.heap.wants(size) else { return Ok(()) };
            let current = (*this).gc.heap.size();
            let granted = (*this).gc.heap.granted();
            let beyond = StoreCore::beyond_total(this, desired.saturating_sub(granted));
            (*this).gc.refused = beyond;
            if beyond.is_none()
                && StoreCore::permit(this, |limiter| limiter.gc_heap_growing(current, desired))?
            {
                (*this).gc.heap.allow(desired);
            }
            Ok(())
        }
    }

    /// Asks whether exceptions may take `bytes` more than they do; whether they may.
    pub(super) unsafe fn grow_exceptions(this: *mut StoreCore, bytes: usize) -> Result<bool> {
        // SAFETY: by the contract.
        unsafe {
            let Some(desired) = (*this).exceptions.wants(bytes) else { return Ok(true) };
            let current = (*this).exceptions.granted();
            let allowed = StoreCore::beyond_total(this, desired - current).is_none()
                && StoreCore::permit(this, |limiter| limiter.exceptions_growing(current, desired))?;
            if allowed {
                (*this).exceptions.allow(desired);
            }
            Ok(allowed)
        }
    }
}

/// Why something could not grow to the size `desired`, with the limits of its own type
/// and of the engine's configuration.
fn ungrown(what: &str, desired: usize, [own, configured]: [Option<usize>; 2], unit: &str) -> Error {
    let beyond = |limit: &usize| desired > *limit;
    let (kind, why) = match (own.filter(beyond), configured.filter(beyond)) {
        (Some(own), _) => (ErrorKind::OutOfMemory, format!("its maximum is {own} {unit}")),
        (_, Some(limit)) => (ErrorKind::Limit, format!("the limit is {limit} {unit}")),
        (None, None) => (ErrorKind::OutOfMemory, String::from("out of memory")),
    };
    Error::of_kind(kind, format!("cannot grow a {what} to {desired} {unit} ({why})"))
}
