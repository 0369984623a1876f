//! Memories that several threads use at once.
//!
//! A [`SharedCore`] is the memory itself: one reservation at the largest size the
//! memory can have, so that its base never changes, and a length that only grows.
//! Each store that uses it has a [`super::MemoryInst`] of its own, with a copy of
//! base and length for its code. Such a copy of the length may be old, and old
//! means too small: code that finds an access out of bounds reads the true length
//! before it traps. So no access ever synchronises, and growing is invisible until
//! somebody needs what was grown.
//!
//! # Races
//!
//! What threads of guests do to these bytes at the same time is up to them: the
//! specification gives racing accesses some value and no more. For the host it
//! must be harmless, which it is because
//! - no reference is ever made to the bytes, neither here nor in the interpreter
//!   nor for embedders: `Memory`, which hands out slices, is never a shared memory;
//! - the guest's plain accesses are volatile accesses through raw pointers (see
//!   `interp::handlers::memory`), for which LLVM says that a race gives a value
//!   that depends on the machine, where the same access without `volatile` would
//!   be free to give a different value at each use. One access is one instruction
//!   of the machine, read once into a register and then as good as any number;
//! - bulk operations and the host's copies are calls of `memmove` and `memset` on
//!   raw pointers; the host looks only at its copy;
//! - the guest's atomic accesses are those of `std::sync::atomic`;
//! - the bytes are mapped for the guest, and nothing of the host's lies in them.
//!   The true length stands outside, as an atomic of its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::StoreCore;
use super::memory::{self, MemoryInst, too_large};
use crate::engine::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::Mapping;
use crate::tuning;
use crate::types::MemoryType;
use zwasm_regir::TrapCode;

/// A memory that threads share.
pub(crate) struct SharedCore {
    base: *mut u8,
    len: AtomicUsize,
    ty: MemoryType,
    max_len: u64,
    /// Bytes of address space.
    reserved: usize,
    /// Held while the memory grows.
    mapping: Mutex<Mapping>,
    parked: Mutex<VecDeque<Parked>>,
    next_ticket: AtomicU64,
}

// SAFETY: the base is only a number; see the module header for the bytes there.
unsafe impl Send for SharedCore {}
// SAFETY: as above; everything else synchronises itself.
unsafe impl Sync for SharedCore {}

/// A thread that waits, in the order of arrival.
struct Parked {
    address: usize,
    ticket: u64,
    wake: Arc<Condvar>,
}

/// How a wait ended; the numbers are the guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WaitResult {
    /// Another thread notified the address.
    Ok = 0,
    /// The memory did not hold the expected value.
    Mismatch = 1,
    /// The time ran out.
    TimedOut = 2,
}

/// Page sizes of hosts divide this.
const COMMIT_UNIT: usize = 64 << 10;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here leaves its data half-changed.
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl SharedCore {
    /// Reserves address space for the largest size and maps the smallest.
    pub(crate) fn new(ty: MemoryType, config: &Config) -> Result<SharedCore> {
        if !config.shared_memory {
            let message = "shared memories are not enabled: see `Config::shared_memory`";
            return Err(Error::of_kind(ErrorKind::Unsupported, message));
        }
        let limits = memory::Limits::of(ty, config)?;
        let mut size = limits.max_len.min(tuning::MAX_SHARED_RESERVATION);
        let page = COMMIT_UNIT as u64;
        size = size.max(limits.len as u64).div_ceil(page) * page;
        if config.guard_pages && MemoryInst::can_be_guarded(ty) {
            size = tuning::MEMORY32_RESERVATION as u64;
        }
        // A host with little address space gets a memory that grows less.
        let mut mapping = loop {
            let whole = usize::try_from(size).map_err(|_| too_large(ty, config))?;
            match Mapping::reserve(whole) {
                Ok(mapping) => break mapping,
                Err(_) if size / 2 >= (limits.len as u64).max(page) => {
                    size = (size / 2).div_ceil(page) * page;
                }
                Err(_) => return Err(too_large(ty, config)),
            }
        };
        mapping.commit(0, limits.len).map_err(|_| too_large(ty, config))?;
        Ok(SharedCore {
            base: mapping.base(),
            len: AtomicUsize::new(limits.len),
            ty,
            max_len: limits.max_len.min(size),
            reserved: mapping.len(),
            mapping: Mutex::new(mapping),
            parked: Mutex::default(),
            next_ticket: AtomicU64::new(0),
        })
    }

    pub(crate) fn ty(&self) -> MemoryType {
        self.ty
    }

    /// Whether the memory has guard pages.
    pub(crate) fn is_guarded(&self) -> bool {
        self.reserved >= tuning::MEMORY32_RESERVATION && MemoryInst::can_be_guarded(self.ty)
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base
    }

    /// The size in bytes, which never shrinks.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::SeqCst)
    }

    pub(crate) fn pages(&self) -> u64 {
        (self.len() >> self.ty.page_size_log2) as u64
    }

    /// Grows by `delta` pages. The old size, or none if that is not possible.
    pub(crate) fn grow(&self, delta: u64) -> Option<u64> {
        let mut mapping = lock(&self.mapping);
        let old = self.len();
        let pages = (old >> self.ty.page_size_log2) as u64;
        let len = memory::Limits::grown(self.ty, pages, delta, self.max_len)?;
        if len > old {
            // Pages may be smaller than the host's, which is then mapped already.
            let start = old - old % COMMIT_UNIT;
            mapping.commit(start, len - start).ok()?;
            self.len.store(len, Ordering::SeqCst);
        }
        Some(pages)
    }

    /// Copies from the memory; false if the range is not within it.
    pub(crate) fn read(&self, offset: usize, buffer: &mut [u8]) -> bool {
        let inside = offset.checked_add(buffer.len()).is_some_and(|end| end <= self.len());
        if inside {
            // SAFETY: the range is mapped, and the buffer is not in the memory.
            unsafe { buffer.as_mut_ptr().copy_from(self.base.add(offset), buffer.len()) };
        }
        inside
    }

    /// Copies to the memory; false if the range is not within it.
    pub(crate) fn write(&self, offset: usize, buffer: &[u8]) -> bool {
        let inside = offset.checked_add(buffer.len()).is_some_and(|end| end <= self.len());
        if inside {
            // SAFETY: as above.
            unsafe { self.base.add(offset).copy_from(buffer.as_ptr(), buffer.len()) };
        }
        inside
    }

    /// The cell of `N` bytes at an address, if it is aligned and inside.
    fn cell(&self, address: u64, size: usize) -> Option<*mut u8> {
        let end = address.checked_add(size as u64)?;
        let inside = end <= self.len() as u64 && address.is_multiple_of(size as u64);
        // SAFETY: the address is inside the mapping.
        inside.then(|| unsafe { self.base.add(address as usize) })
    }

    /// Waits until the address is notified, if it holds `expected`.
    ///
    /// # Errors
    ///
    /// The trap if the address is not aligned or outside, or if the guest of `store`,
    /// which waits, has to stop.
    pub(crate) fn wait32(
        self: &Arc<Self>,
        store: Option<&StoreCore>,
        address: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, TrapCode> {
        let cell = self.cell(address, 4).ok_or_else(|| bad_address(address, 4))?.cast::<u32>();
        // SAFETY: the cell is aligned and stays mapped; see the module header.
        let cell = unsafe { AtomicU32::from_ptr(cell) };
        let holds = || cell.load(Ordering::SeqCst) == expected;
        self.wait(store, address as usize, timeout, &holds)
    }

    /// As [`SharedCore::wait32`], for 64 bits.
    pub(crate) fn wait64(
        self: &Arc<Self>,
        store: Option<&StoreCore>,
        address: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, TrapCode> {
        let cell = self.cell(address, 8).ok_or_else(|| bad_address(address, 8))?.cast::<u64>();
        // SAFETY: as above.
        let cell = unsafe { AtomicU64::from_ptr(cell) };
        let holds = || cell.load(Ordering::SeqCst) == expected;
        self.wait(store, address as usize, timeout, &holds)
    }

    fn wait(
        self: &Arc<Self>,
        store: Option<&StoreCore>,
        address: usize,
        timeout: Option<Duration>,
        holds: &dyn Fn() -> bool,
    ) -> Result<WaitResult, TrapCode> {
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let Some(store) = store else {
            return self.park(ticket, address, timeout, holds, &Waiter::host());
        };
        let core = self.clone();
        let wake = Arc::new(move || core.wake(ticket));
        let waiter = Waiter {
            must_stop: &|| store.must_stop(),
            look: store.has_deadline().then_some(tuning::WAIT_LOOK),
        };
        store.limits.waiting(wake, || self.park(ticket, address, timeout, holds, &waiter))
    }

    /// Has the thread with this ticket look around, if it waits.
    fn wake(&self, ticket: u64) {
        let parked = lock(&self.parked);
        if let Some(entry) = parked.iter().find(|entry| entry.ticket == ticket) {
            entry.wake.notify_one();
        }
    }

    /// The comparison and the start of waiting are one step for every notifier,
    /// because both hold the lock.
    fn park(
        &self,
        ticket: u64,
        address: usize,
        timeout: Option<Duration>,
        holds: &dyn Fn() -> bool,
        waiter: &Waiter<'_>,
    ) -> Result<WaitResult, TrapCode> {
        // A time beyond what the clock can tell never comes.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut parked = lock(&self.parked);
        if !holds() {
            return Ok(WaitResult::Mismatch);
        }
        let wake = Arc::new(Condvar::new());
        parked.push_back(Parked { address, ticket, wake: wake.clone() });
        loop {
            if (waiter.must_stop)() {
                parked.retain(|entry| entry.ticket != ticket);
                return Err(TrapCode::Interrupt);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            parked = match [left, waiter.look].into_iter().flatten().min() {
                None => wake.wait(parked).unwrap_or_else(|poisoned| poisoned.into_inner()),
                Some(left) => {
                    let waited = wake.wait_timeout(parked, left);
                    waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0
                }
            };
            // Whoever notifies takes the entry out: a wake-up without that is
            // spurious, or the end of the time.
            let Some(entry) = parked.iter().position(|entry| entry.ticket == ticket) else {
                return Ok(WaitResult::Ok);
            };
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                parked.remove(entry);
                return Ok(WaitResult::TimedOut);
            }
        }
    }

    /// Wakes up to `count` threads that wait at an address, those that came
    /// first; how many. None if the address is not aligned or outside.
    pub(crate) fn notify(&self, address: u64, count: u32) -> Option<u32> {
        self.cell(address, 4)?;
        let mut woken = 0;
        lock(&self.parked).retain(|entry| {
            let wake = entry.address as u64 == address && woken < count;
            if wake {
                woken += 1;
                entry.wake.notify_one();
            }
            !wake
        });
        Some(woken)
    }
}

/// Who waits.
struct Waiter<'a> {
    must_stop: &'a dyn Fn() -> bool,
    /// How often to ask that, if not only when woken.
    look: Option<Duration>,
}

impl Waiter<'_> {
    /// The host, which nothing stops.
    fn host() -> Waiter<'static> {
        Waiter { must_stop: &|| false, look: None }
    }
}

/// The trap for an address that is not aligned or outside.
pub(crate) fn bad_address(address: u64, size: u64) -> TrapCode {
    match address.is_multiple_of(size) {
        true => TrapCode::MemoryOutOfBounds,
        false => TrapCode::UnalignedAtomic,
    }
}

/// A guest's timeout in nanoseconds; negative is without end.
pub(crate) fn timeout(nanoseconds: u64) -> Option<Duration> {
    let limited = nanoseconds as i64 >= 0;
    limited.then(|| Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(min: u32, max: u32) -> Arc<SharedCore> {
        let ty = MemoryType::shared(min, max);
        Arc::new(SharedCore::new(ty, &Config::new()).expect("a memory"))
    }

    #[test]
    fn growth_keeps_the_base_and_ends_at_the_maximum() {
        let memory = memory(1, 3);
        let base = memory.base();
        assert_eq!(memory.grow(1), Some(1));
        assert_eq!(memory.grow(2), None);
        assert_eq!(memory.grow(1), Some(2));
        assert_eq!(memory.grow(0), Some(3));
        assert_eq!((memory.pages(), memory.base()), (3, base));
    }

    #[test]
    fn threads_grow_one_after_the_other() {
        let memory = memory(0, 64);
        let mut sizes: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..16).filter_map(|_| memory.grow(1)).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        sizes.sort_unstable();
        assert_eq!(sizes, (0..64).collect::<Vec<u64>>());
    }

    #[test]
    fn waits_end_by_value_time_or_notice() {
        let memory = memory(1, 1);
        let soon = Some(Duration::from_millis(1));
        assert_eq!(memory.wait32(None, 0, 1, None), Ok(WaitResult::Mismatch));
        assert_eq!(memory.wait64(None, 8, 0, soon), Ok(WaitResult::TimedOut));
        assert_eq!(memory.wait32(None, 2, 0, soon), Err(TrapCode::UnalignedAtomic));
        assert_eq!(memory.wait64(None, 65536, 0, soon), Err(TrapCode::MemoryOutOfBounds));
        assert_eq!(memory.notify(65536, 1), None);
        std::thread::scope(|scope| {
            let wait = || memory.wait32(None, 4, 0, None);
            let waits: Vec<_> = (0..3).map(|_| scope.spawn(wait)).collect();
            while lock(&memory.parked).len() < 3 {
                std::thread::yield_now();
            }
            assert_eq!(memory.notify(8, 9), Some(0));
            assert_eq!(memory.notify(4, 1), Some(1));
            assert_eq!(memory.notify(4, 9), Some(2));
            for wait in waits {
                assert_eq!(wait.join().expect("no panic"), Ok(WaitResult::Ok));
            }
        });
    }
}
