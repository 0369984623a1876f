//! What an engine keeps of stores that are gone, for those to come, and how much all of
//! its stores have at a time.
//!
//! Mapping and unmapping a stack or a memory takes longer than all else that an instance
//! takes, and threads that do so wait for each other. So both come from here and go back
//! to here, cleared, up to a number. A memory with guard pages goes back as a [`Room`],
//! with what of it can be accessed; a module's memories begin with the same size each
//! time, so that most find a room that needs no change. The largest memories and those
//! that are many at a time take the system's calls as before.
//!
//! # Safety
//!
//! The bytes of a room that can be accessed are zeros, or those of an image, whenever it is in
//! the pool, and the others cannot be accessed.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::arena::{Arena, Cell};
use crate::engine::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::module::image::MemoryImage;
use crate::pooling::{Enabled, PoolConcurrencyLimitError};
use crate::stack::Stack;
use crate::sys::Mapping;
use crate::tuning;

/// What a pool counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Instances,
    Memories,
    Tables,
    Stacks,
    Heaps,
}

/// All kinds, in their order.
const KINDS: [(Kind, &str); 5] = [
    (Kind::Instances, "core instances"),
    (Kind::Memories, "memories"),
    (Kind::Tables, "tables"),
    (Kind::Stacks, "stacks"),
    (Kind::Heaps, "GC heaps"),
];

/// The pool of an engine. What is taken from it keeps it.
pub(crate) struct Pool {
    /// Whether what stores have is counted; stacks are anyway.
    counts: bool,
    /// How many there may be of each kind, and how many there are.
    limits: [usize; KINDS.len()],
    taken: [AtomicUsize; KINDS.len()],
    /// How many unused stacks and rooms are kept of each, and how many of their bytes.
    warm: usize,
    stack_kept: usize,
    memory_kept: usize,
    /// Whether those are looked for that a guest has used, and how many memories came back
    /// before that is worth finding out how.
    looks: bool,
    cleared: AtomicUsize,
    stack_bytes: usize,
    /// Whether stacks have room for native frames of the guest.
    native: bool,
    stacks: Mutex<Vec<Stack>>,
    /// Bytes for values on a fiber's stack, and such stacks.
    fiber_values: usize,
    fiber_stacks: Mutex<Vec<Stack>>,
    rooms: Mutex<Vec<Room>>,
    arena: Arc<Arena>,
}

/// Keeps something counted.
pub(crate) struct Ticket {
    pool: Arc<Pool>,
    kind: Kind,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pool.taken[self.kind as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here leaves its data half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool with nothing in it.
    pub(crate) fn new(config: &Config) -> Pool {
        let pooling = config.pooling.as_ref();
        let limits = pooling.map(|limits| {
            [
                limits.total_core_instances,
                limits.total_memories,
                limits.total_tables,
                limits.total_stacks,
                limits.total_gc_heaps,
            ]
        });
        Pool {
            counts: pooling.is_some(),
            limits: limits.map_or([usize::MAX; KINDS.len()], |all| all.map(|most| most as usize)),
            taken: Default::default(),
            warm: pooling.map_or(tuning::WARM, |pool| pool.max_unused_warm_slots as usize),
            stack_kept: pooling.map_or(tuning::STACK_KEPT, |pool| pool.stack_keep_resident),
            memory_kept: pooling.map_or(tuning::MEMORY_KEPT, |pool| pool.memory_keep_resident),
            looks: pooling.is_none_or(|pool| pool.pagemap_scan != Enabled::No),
            cleared: AtomicUsize::new(0),
            stack_bytes: config.max_stack,
            native: config.strategy.may_optimize(),
            stacks: Mutex::default(),
            fiber_values: config.max_stack.min(config.fiber_stack),
            fiber_stacks: Mutex::default(),
            rooms: Mutex::default(),
            arena: Arc::default(),
        }
    }

    /// How many there are of a kind, which is counted.
    pub(crate) fn taken(&self, kind: Kind) -> usize {
        self.taken[kind as usize].load(Ordering::Relaxed)
    }

    /// How many stacks and rooms wait to be used.
    pub(crate) fn unused(&self) -> (usize, usize) {
        (lock(&self.stacks).len(), lock(&self.rooms).len())
    }

    fn take(&self, kind: Kind) -> Result<usize> {
        let (limit, what) = (self.limits[kind as usize], KINDS[kind as usize].1);
        let taken = self.taken[kind as usize].fetch_add(1, Ordering::Relaxed) + 1;
        if taken <= limit {
            return Ok(taken);
        }
        self.taken[kind as usize].fetch_sub(1, Ordering::Relaxed);
        let reached = PoolConcurrencyLimitError { limit, what };
        Err(Error::of_kind(ErrorKind::Limit, reached.to_string()).detail(reached))
    }

    /// Counts one more of a kind, if this is counted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`], with a [`PoolConcurrencyLimitError`].
    pub(crate) fn ticket(self: &Arc<Pool>, kind: Kind) -> Result<Option<Ticket>> {
        if !self.counts {
            return Ok(None);
        }
        self.take(kind)?;
        Ok(Some(Ticket { pool: self.clone(), kind }))
    }

    /// A stack, and whether they are scarce.
    ///
    /// # Errors
    ///
    /// As [`Pool::ticket`], or [`ErrorKind::OutOfMemory`].
    pub(crate) fn lend_stack(&self) -> Result<(Stack, bool)> {
        let taken = self.take(Kind::Stacks)?;
        let idle = lock(&self.stacks).pop();
        let new = || Stack::new(self.stack_bytes, tuning::NATIVE_STACK, self.native);
        let stack = idle.map_or_else(new, Ok).map_err(|error| self.unmapped(error))?;
        Ok((stack, taken > self.idle_stacks()))
    }

    /// How many stacks stores may have that do not run.
    fn idle_stacks(&self) -> usize {
        tuning::IDLE_STACKS.min(self.limits[Kind::Stacks as usize] / 2)
    }

    /// Whether there are more than stores may have that do not run.
    pub(crate) fn are_stacks_scarce(&self) -> bool {
        self.taken(Kind::Stacks) > self.idle_stacks()
    }

    /// There is no memory for a stack, which is counted.
    fn unmapped(&self, error: io::Error) -> Error {
        self.taken[Kind::Stacks as usize].fetch_sub(1, Ordering::Relaxed);
        Error::of_kind(ErrorKind::OutOfMemory, format!("cannot map a stack: {error}"))
    }

    /// Bytes of a fiber's stack that frames may use.
    pub(crate) fn fiber_bytes(&self) -> usize {
        let values = self.fiber_values;
        tuning::FIBER_NATIVE_STACK + values + if self.native { values } else { 0 }
    }

    /// A stack for a fiber.
    ///
    /// # Errors
    ///
    /// As [`Pool::lend_stack`].
    pub(crate) fn lend_fiber_stack(&self) -> Result<Stack> {
        self.take(Kind::Stacks)?;
        let idle = lock(&self.fiber_stacks).pop();
        let new = || Stack::new(self.fiber_values, tuning::FIBER_NATIVE_STACK, self.native);
        idle.map_or_else(new, Ok).map_err(|error| self.unmapped(error))
    }

    /// Takes a fiber's stack back that nothing runs on.
    pub(crate) fn return_fiber_stack(&self, mut stack: Stack) {
        self.taken[Kind::Stacks as usize].fetch_sub(1, Ordering::Relaxed);
        if stack.shed(tuning::FIBER_STACK_KEPT).is_ok() {
            keep(&self.fiber_stacks, stack, tuning::WARM_FIBERS);
        }
    }

    /// Takes a stack back that nothing runs on.
    pub(crate) fn return_stack(&self, mut stack: Stack) {
        self.taken[Kind::Stacks as usize].fetch_sub(1, Ordering::Relaxed);
        if stack.shed(self.stack_kept).is_ok() {
            keep(&self.stacks, stack, self.warm);
        }
    }

    /// Address space for a memory with guard pages, `len` bytes of which can be accessed;
    /// none if the system has none, or the process has many. The bytes of an image show in it
    /// if that can be.
    pub(crate) fn room(
        self: &Arc<Pool>,
        len: usize,
        image: Option<&Arc<MemoryImage>>,
    ) -> Option<Lease> {
        let same = |room: &Room| room.len == len && room.shows(image);
        let found = {
            let mut rooms = lock(&self.rooms);
            let best = rooms.iter().rposition(same).or(rooms.len().checked_sub(1));
            best.map(|best| rooms.swap_remove(best))
        };
        let mut room = found.map_or_else(Room::new, Some)?;
        if !room.shows(image) {
            room.hide().ok()?;
        }
        room.resize(len).ok()?;
        if let Some(image) = image
            && room.image.is_none()
            && room.mapping.show(image.start, &image.image).is_ok()
        {
            room.image = Some(image.clone());
        }
        Some(Lease { room: Some(room), pool: self.clone() })
    }

    /// A small piece of memory without guard pages.
    pub(crate) fn cell(&self, len: usize) -> Option<Cell> {
        self.arena.cell(len)
    }
}

/// Keeps something that is not used, unless there are many.
fn keep<T>(all: &Mutex<Vec<T>>, one: T, most: usize) {
    let mut all = lock(all);
    if all.len() < most {
        all.push(one);
    } else {
        // Unmapping is not waited for.
        drop(all);
        drop(one);
    }
}

/// Address space for a 32-bit memory with its guard pages.
struct Room {
    mapping: Mapping,
    /// Bytes from the start that can be accessed.
    len: usize,
    /// What shows in it.
    image: Option<Arc<MemoryImage>>,
}

/// How many rooms the process has.
static ROOMS: AtomicUsize = AtomicUsize::new(0);

impl Room {
    fn new() -> Option<Room> {
        let one_more = |rooms: usize| (rooms < tuning::MAX_ROOMS).then_some(rooms + 1);
        ROOMS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        // It counts from here on, mapped or not.
        let mut room = Room { mapping: Mapping::empty(), len: 0, image: None };
        room.mapping = Mapping::reserve(tuning::MEMORY32_RESERVATION).ok()?;
        Some(room)
    }

    /// Has `len` bytes accessible; those that were not are zeros.
    fn resize(&mut self, len: usize) -> io::Result<()> {
        match len.checked_sub(self.len) {
            Some(more) => self.mapping.commit(self.len, more)?,
            None => self.mapping.discard(len, self.len - len)?,
        }
        self.len = len;
        Ok(())
    }

    /// Whether just this image shows.
    fn shows(&self, image: Option<&Arc<MemoryImage>>) -> bool {
        self.image.as_ref().map(Arc::as_ptr) == image.map(Arc::as_ptr)
    }

    /// Has zeros in place of an image.
    fn hide(&mut self) -> io::Result<()> {
        if let Some(image) = self.image.take() {
            self.mapping.hide(image.start, image.image.len())?;
        }
        Ok(())
    }

    /// Has all bytes be zeros, or those of the image. So many of those before the image stay
    /// in memory.
    fn clear(&self, kept: usize, looks: bool) -> io::Result<()> {
        let zeros = self.image.as_ref().map_or(self.len, |image| image.start.min(self.len));
        self.mapping.clear(zeros, kept, looks)?;
        self.mapping.reset(zeros, self.len - zeros)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        ROOMS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A room in use.
pub(crate) struct Lease {
    /// None when it is dropped.
    room: Option<Room>,
    pool: Arc<Pool>,
}

impl Lease {
    /// The first byte.
    pub(crate) fn base(&self) -> *mut u8 {
        self.room.as_ref().map_or(std::ptr::null_mut(), |room| room.mapping.base())
    }

    /// Whether an image shows.
    pub(crate) fn has_image(&self) -> bool {
        self.room.as_ref().is_some_and(|room| room.image.is_some())
    }

    /// Has zeros in place of an image.
    pub(crate) fn hide_image(&mut self) -> io::Result<()> {
        self.room.as_mut().map_or(Ok(()), Room::hide)
    }

    /// Makes more bytes accessible, `len` in all.
    pub(crate) fn grow(&mut self, len: usize) -> Option<()> {
        self.room.as_mut()?.resize(len).ok()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(room) = self.room.take() else { return };
        let pool = &self.pool;
        let before = pool.cleared.fetch_add(1, Ordering::Relaxed);
        let looks = pool.looks && before >= tuning::CLEARED_BLINDLY;
        // One that cannot be cleared is unmapped.
        if room.clear(pool.memory_kept, looks).is_ok() {
            keep(&pool.rooms, room, pool.warm);
        }
    }
}
