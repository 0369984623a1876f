//! Who decides what a store may have.

use super::store::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StoreCore;
use crate::store::growth::FindLimiter;
#[cfg(feature = "async")]
use crate::store::growth::ResourceLimiterAsync;
use crate::store::limiter::ResourceLimiter;

/// A [`ResourceLimiter`] with fixed limits; [`StoreLimitsBuilder`] makes it.
///
/// ```
/// use zwasm::{Engine, Instance, Module, Store, StoreLimits, StoreLimitsBuilder};
/// let engine = Engine::default();
/// let limits = StoreLimitsBuilder::new().memory_size(1 << 20).instances(1).build();
/// let mut store = Store::new(&engine, limits);
/// store.limiter(|limits| limits);
/// let module = Module::new(&engine, r#"(module (memory 1)
///     (func (export "grow") (result i32) (memory.grow (i32.const 16))))"#)?;
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let grow = instance.get_typed_func::<(), i32>(&mut store, "grow")?;
/// assert_eq!(grow.call(&mut store, ())?, -1);
/// assert!(Instance::new(&mut store, &module, &[]).is_err());
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StoreLimits {
    memory_size: Option<usize>,
    table_elements: Option<usize>,
    gc_heap_size: Option<usize>,
    exceptions_size: Option<usize>,
    total_size: usize,
    instances: usize,
    tables: usize,
    memories: usize,
    trap_on_grow_failure: bool,
}

impl Default for StoreLimits {
    /// No limits.
    fn default() -> StoreLimits {
        StoreLimits {
            memory_size: None,
            table_elements: None,
            gc_heap_size: None,
            exceptions_size: None,
            total_size: usize::MAX,
            instances: usize::MAX,
            tables: usize::MAX,
            memories: usize::MAX,
            trap_on_grow_failure: false,
        }
    }
}

impl StoreLimits {
    fn decide(
        &self,
        what: &str,
        desired: usize,
        maximum: Option<usize>,
        limit: Option<usize>,
    ) -> Result<bool> {
        let fits = [limit, maximum].into_iter().flatten().all(|limit| desired <= limit);
        if !fits && self.trap_on_grow_failure {
            let message = format!("a {what} may not grow to {desired}");
            return Err(Error::of_kind(ErrorKind::Limit, message));
        }
        Ok(fits)
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.decide("memory", desired, maximum, self.memory_size)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        if self.trap_on_grow_failure { Err(error) } else { Ok(()) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.decide("table", desired, maximum, self.table_elements)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        if self.trap_on_grow_failure { Err(error) } else { Ok(()) }
    }

    fn gc_heap_growing(&mut self, _: usize, desired: usize) -> Result<bool> {
        Ok(self.gc_heap_size.is_none_or(|limit| desired <= limit))
    }

    fn exceptions_growing(&mut self, _: usize, desired: usize) -> Result<bool> {
        Ok(self.exceptions_size.is_none_or(|limit| desired <= limit))
    }

    fn total_size(&self) -> usize {
        self.total_size
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

/// Builds [`StoreLimits`].
#[derive(Clone, Debug, Default)]
pub struct StoreLimitsBuilder(StoreLimits);

impl StoreLimitsBuilder {
    /// No limits yet.
    pub fn new() -> StoreLimitsBuilder {
        StoreLimitsBuilder::default()
    }

    /// The most bytes of each memory.
    pub fn memory_size(mut self, bytes: usize) -> StoreLimitsBuilder {
        self.0.memory_size = Some(bytes);
        self
    }

    /// The most elements of each table.
    pub fn table_elements(mut self, elements: usize) -> StoreLimitsBuilder {
        self.0.table_elements = Some(elements);
        self
    }

    /// The most bytes of the heap of garbage-collected objects.
    pub fn gc_heap_size(mut self, bytes: usize) -> StoreLimitsBuilder {
        self.0.gc_heap_size = Some(bytes);
        self
    }

    /// The most bytes of exceptions.
    pub fn exceptions_size(mut self, bytes: usize) -> StoreLimitsBuilder {
        self.0.exceptions_size = Some(bytes);
        self
    }

    /// The most bytes of everything together: memories, tables, objects, exceptions
    /// and instances.
    pub fn total_size(mut self, bytes: usize) -> StoreLimitsBuilder {
        self.0.total_size = bytes;
        self
    }

    /// The most instances.
    pub fn instances(mut self, count: usize) -> StoreLimitsBuilder {
        self.0.instances = count;
        self
    }

    /// The most tables.
    pub fn tables(mut self, count: usize) -> StoreLimitsBuilder {
        self.0.tables = count;
        self
    }

    /// The most memories.
    pub fn memories(mut self, count: usize) -> StoreLimitsBuilder {
        self.0.memories = count;
        self
    }

    /// Whether growth that fails stops the guest with an error.
    pub fn trap_on_grow_failure(mut self, trap: bool) -> StoreLimitsBuilder {
        self.0.trap_on_grow_failure = trap;
        self
    }

    /// The limits.
    pub fn build(self) -> StoreLimits {
        self.0
    }
}

impl<T> Store<T> {
    /// Has the limiter that `limiter` finds in the user's data decide about
    /// memories, tables, instances and the heap, those made from now on.
    pub fn limiter(
        &mut self,
        mut limiter: impl (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static,
    ) {
        let find = move |core: *mut StoreCore, visit: &mut dyn FnMut(&mut dyn ResourceLimiter)| {
            // SAFETY: the core is that of a store with this data, which nothing else
            // uses while the core asks.
            visit(limiter(unsafe { Store::data_of(core) }));
        };
        self.core_mut().limit(FindLimiter::AtOnce(Box::new(find)));
    }

    /// As [`Store::limiter`], with a limiter that may wait before it decides whether a memory
    /// or a table grows, or is made. It does so in calls that are futures, like
    /// [`Func::call_async`](crate::Func::call_async) and [`Memory::grow_async`](crate::Memory::grow_async);
    /// in others, and where a host function that is no future lies between, the guest is
    /// stopped with an error if the limiter has no answer at once.
    #[cfg(feature = "async")]
    pub fn limiter_async(
        &mut self,
        mut limiter: impl (FnMut(&mut T) -> &mut dyn ResourceLimiterAsync) + Send + Sync + 'static,
    ) where
        T: Send,
    {
        let find = move |core: *mut StoreCore,
                         visit: &mut dyn FnMut(&mut dyn ResourceLimiterAsync)| {
            // SAFETY: the core is that of a store with this data, which nothing else
            // uses while the core asks, and which the call that waits has borrowed.
            visit(limiter(unsafe { Store::data_of(core) }));
        };
        self.core_mut().limit(FindLimiter::Waits(Box::new(find)));
    }
}
