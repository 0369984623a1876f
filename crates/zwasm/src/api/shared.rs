//! Memories that stores on several threads use at once.

use std::cell::UnsafeCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::externs::MemoryAccessError;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::store::shared::{SharedCore, WaitResult, bad_address};
use crate::types::MemoryType;

/// A linear memory that instances in any number of stores of an engine can share.
/// Cheap to clone; clones are the same memory.
///
/// Other threads may change the contents at any time, so that there are no slices
/// of them, only copies.
///
/// ```
/// use zwasm::{Engine, Instance, MemoryType, Module, SharedMemory, Store};
/// let engine = Engine::default();
/// let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1))?;
/// let module = Module::new(&engine, r#"(module
///     (memory (import "env" "memory") 1 1 shared)
///     (func (export "add") (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))))"#)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| -> zwasm::Result<()> {
///             let mut store = Store::new(&engine, ());
///             let instance = Instance::new(&mut store, &module, &[memory.clone().into()])?;
///             instance.get_typed_func::<(), ()>(&mut store, "add")?.call(&mut store, ())
///         });
///     }
/// });
/// let mut sum = [0; 4];
/// memory.read(0, &mut sum)?;
/// assert_eq!(sum, [2, 0, 0, 0]);
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedMemory {
    pub(crate) core: Arc<SharedCore>,
    engine: Engine,
}

impl SharedMemory {
    /// A new memory for stores of this engine.
    ///
    /// # Errors
    ///
    /// If the type is not shared, or [`ErrorKind::Limit`] if the memory cannot be
    /// allocated.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<SharedMemory> {
        if !ty.is_shared() || ty.maximum().is_none_or(|maximum| maximum < ty.minimum()) {
            return Err(Error::msg("a shared memory has a shared type with a valid maximum"));
        }
        let core = Arc::new(SharedCore::new(ty, engine.config())?);
        Ok(SharedMemory { core, engine: engine.clone() })
    }

    pub(crate) fn from_core(core: &Arc<SharedCore>, engine: &Engine) -> SharedMemory {
        SharedMemory { core: core.clone(), engine: engine.clone() }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The type.
    pub fn ty(&self) -> MemoryType {
        self.core.ty()
    }

    /// The size in pages.
    pub fn size(&self) -> u64 {
        self.core.pages()
    }

    /// The size in bytes.
    pub fn data_size(&self) -> usize {
        self.core.len()
    }

    /// Grows by `delta` pages; the old size in pages.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if that is beyond its maximum or a limit.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        self.core.grow(delta).ok_or_else(|| {
            Error::of_kind(ErrorKind::Limit, format!("failed to grow memory by `{delta}`"))
        })
    }

    /// The address of the contents, for code that is not Rust. It stays the same
    /// when the memory grows; other threads may write there at any time.
    pub fn data_ptr(&self) -> *mut u8 {
        self.core.base()
    }

    /// Copies from the memory. Where another thread writes meanwhile, each byte is
    /// an old or a new one.
    ///
    /// # Errors
    ///
    /// If the range is not within it.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> Result<(), MemoryAccessError> {
        self.core.read(offset, buffer).then_some(()).ok_or(MemoryAccessError::OUTSIDE)
    }

    /// Copies to the memory.
    ///
    /// # Errors
    ///
    /// If the range is not within it.
    pub fn write(&self, offset: usize, buffer: &[u8]) -> Result<(), MemoryAccessError> {
        self.core.write(offset, buffer).then_some(()).ok_or(MemoryAccessError::OUTSIDE)
    }

    /// The contents, for code that is not Rust or reads and writes them with atomic
    /// operations: other threads may write there at any time.
    pub fn data(&self) -> &[UnsafeCell<u8>] {
        if self.core.len() == 0 {
            return &[];
        }
        // SAFETY: the memory is mapped where it is as long as `self` lives and never
        // shrinks, and cells are what others may write to.
        unsafe { std::slice::from_raw_parts(self.core.base().cast(), self.core.len()) }
    }

    /// Bytes in a page.
    pub fn page_size(&self) -> u64 {
        self.ty().page_size()
    }

    /// As `memory.atomic.notify`: wakes up to `count` threads that wait at an
    /// address; how many.
    ///
    /// # Errors
    ///
    /// The instruction's traps; likewise below.
    pub fn atomic_notify(&self, address: u64, count: u32) -> Result<u32, Trap> {
        self.core.notify(address, count).ok_or_else(|| Trap::from_code(bad_address(address, 4)))
    }

    /// As `memory.atomic.wait32`; without a timeout, waits for ever.
    pub fn atomic_wait32(
        &self,
        address: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.core.wait32(None, address, expected, timeout).map_err(Trap::from_code)
    }

    /// As `memory.atomic.wait64`; without a timeout, waits for ever.
    pub fn atomic_wait64(
        &self,
        address: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.core.wait64(None, address, expected, timeout).map_err(Trap::from_code)
    }
}

impl PartialEq for SharedMemory {
    fn eq(&self, other: &SharedMemory) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }
}

impl Eq for SharedMemory {}

impl Hash for SharedMemory {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.core).hash(state);
    }
}

impl std::fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedMemory({})", self.ty())
    }
}
