//! Fibers: closures that run on stacks of their own, on which the guest can wait. For the
//! crates above this one.
//!
//! ```
//! use std::task::Poll;
//! use zwasm::{Engine, Func, Store, fiber, fiber::Fiber};
//! let mut store = Store::new(&Engine::default(), 0);
//! let wait = Func::wrap(&mut store, |mut caller: zwasm::Caller<'_, i32>| {
//!     // SAFETY: nothing lies between the fiber's start and here.
//!     unsafe { fiber::suspend(&mut caller)? };
//!     *caller.data_mut() += 1;
//!     Ok::<(), zwasm::Error>(())
//! });
//! let mut fiber = Fiber::new(&mut store, move |mut store| {
//!     wait.call(&mut store, &[], &mut [])?;
//!     zwasm::error::Ok("done")
//! })?;
//! assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
//! assert_eq!(*store.data(), 0);
//! assert_eq!(fiber.resume(&mut store)?, Poll::Ready("done"));
//! assert_eq!(*store.data(), 1);
//! # Ok::<(), zwasm::Error>(())
//! ```

use std::any::Any;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::Poll;

#[cfg(feature = "async")]
pub use super::asynchronous::{can_wait_beyond, polled, wait_beyond, wait_for};
use super::store::{AsContext, AsContextMut, StoreContextMut};
use crate::error::{Error, Result, WasmBacktrace};
pub use crate::stack::fiber::Cancelled;
use crate::stack::fiber::{self, Abandoned, Key, Resumer};
#[cfg(feature = "async")]
use crate::stack::waiting;
use crate::store::StoreCore;

/// A closure that runs in a store, on a stack of its own, and gives an `R` at last.
///
/// One that is dropped before it has ended is cancelled the next time that its store has to
/// do with fibers, or when that is dropped; [`Fiber::cancel`] does so at once.
pub struct Fiber<R> {
    store: NonZeroU64,
    /// None when it has ended.
    key: Option<Key>,
    abandoned: Arc<Abandoned>,
    result: PhantomData<fn() -> R>,
}

impl<R: Send + 'static> Fiber<R> {
    /// A fiber that runs a closure when it is resumed.
    ///
    /// # Errors
    ///
    /// If there is no stack for it: [`ErrorKind::Limit`](crate::ErrorKind::Limit) or
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub fn new<C: AsContextMut>(
        mut store: C,
        work: impl FnOnce(StoreContextMut<'_, C::Data>) -> Result<R> + Send + 'static,
    ) -> Result<Fiber<R>> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive. The closure is for stores with its data, and has
        // one while whoever resumes it waits.
        unsafe {
            let work = move |core| -> Box<dyn Any + Send> {
                Box::new(work(StoreContextMut::from_core(core)))
            };
            let key = fiber::make(core, Resumer::Handle, Box::new(work))?;
            let abandoned = (*core).fibers.abandoned().clone();
            Ok(Fiber { store: (*core).id, key: Some(key), abandoned, result: PhantomData })
        }
    }

    /// Has the closure go on until something in it suspends, or until it returns. If it
    /// panics, so does this.
    ///
    /// # Errors
    ///
    /// What the closure gives, or if it runs or has returned before, and if the store is
    /// another one.
    pub fn resume(&mut self, mut store: impl AsContextMut) -> Result<Poll<R>> {
        let (core, key) = self.find(store.as_context_mut())?;
        // SAFETY: the context is exclusive.
        let done = unsafe { fiber::resume(core, key)? };
        self.look_at(done)
    }

    /// As [`Fiber::resume`], on behalf of a call that is a future, if it is one that runs now:
    /// then what waits in the closure for a future of the host has the call wait.
    ///
    /// # Errors
    ///
    /// Likewise, and [`Cancelled`].
    ///
    /// # Safety
    ///
    /// As [`suspend`].
    #[cfg(feature = "async")]
    pub unsafe fn relay(&mut self, mut store: impl AsContextMut) -> Result<Poll<R>> {
        let (core, key) = self.find(store.as_context_mut())?;
        // SAFETY: the context is exclusive; the rest is the contract.
        let done = unsafe { waiting::relay(core, key)? };
        self.look_at(done)
    }

    fn look_at(&mut self, done: Option<fiber::Done>) -> Result<Poll<R>> {
        let Some(done) = done else { return Ok(Poll::Pending) };
        self.key = None;
        let result = done.unwrap_or_else(|panic| resume_unwind(panic));
        let result = result.downcast::<Result<R>>().map_err(|_| ended())?;
        (*result).map(Poll::Ready)
    }

    /// Ends the fiber: where it waits, suspending gives [`Cancelled`], and so it does from
    /// then on, until the closure returns. What it gives, or its panic, is dropped. One that
    /// was not resumed yet is dropped with all that it owns.
    ///
    /// # Errors
    ///
    /// If the store is another one.
    pub fn cancel(mut self, mut store: impl AsContextMut) -> Result<()> {
        if self.key.is_none() {
            return Ok(());
        }
        let (core, key) = self.find(store.as_context_mut())?;
        self.key = None;
        // SAFETY: the context is exclusive.
        unsafe { fiber::cancel(core, key) };
        Ok(())
    }

    /// The guest's frames where the fiber waits.
    ///
    /// # Errors
    ///
    /// If it runs or has ended, or the store is another one.
    pub fn backtrace(&self, mut store: impl AsContextMut) -> Result<WasmBacktrace> {
        let (core, key) = self.find(store.as_context_mut())?;
        // SAFETY: the context is exclusive.
        unsafe { fiber::frames(core, key) }
    }

    fn find<T>(&self, store: StoreContextMut<'_, T>) -> Result<(*mut StoreCore, Key)> {
        let core = store.core();
        // SAFETY: the context keeps the store.
        if unsafe { (*core).id } != self.store {
            return Err(Error::msg("the fiber is of another store"));
        }
        Ok((core, self.key.ok_or_else(ended)?))
    }
}

impl<R> Drop for Fiber<R> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.abandoned.add(key);
        }
    }
}

#[cold]
fn ended() -> Error {
    Error::msg("the fiber has ended")
}

/// Gives control back to whoever has resumed the fiber that runs, until it is resumed again.
///
/// # Errors
///
/// If no fiber runs, or within [`unsuspendable`]; [`Cancelled`] if the fiber is to end.
///
/// # Safety
///
/// If the store can go to other threads, so can all that is in the frames between the
/// fiber's start and here, and nothing there depends on the thread. Closures of the
/// embedder's do not bear that: their calls into the store are made [`unsuspendable`].
pub unsafe fn suspend(mut store: impl AsContextMut) -> Result<()> {
    // SAFETY: the context is exclusive; the rest is the contract.
    unsafe { fiber::suspend(store.as_context_mut().core()) }
}

/// Whether what runs may [`suspend`].
///
/// # Errors
///
/// As there.
pub fn check(mut store: impl AsContextMut) -> Result<()> {
    // SAFETY: the context keeps the store.
    unsafe { fiber::check(store.as_context_mut().core()) }
}

/// Whether what runs is on a [`Fiber`] of the store.
pub fn is_inside(store: impl AsContext) -> bool {
    store.as_context().core_ref().fibers.inside_handled()
}

/// Does something in a host function that what the guest calls meanwhile may wait across.
///
/// # Safety
///
/// As [`suspend`], for the frames of the host function that the guest has called last, which
/// does this once.
pub unsafe fn pass<C: AsContextMut, R>(
    mut store: C,
    work: impl FnOnce(StoreContextMut<'_, C::Data>) -> R,
) -> R {
    let core = store.as_context_mut().core();
    // SAFETY: the context is exclusive, and lent while the closure runs; the rest is the
    // contract.
    unsafe { fiber::pass(core, || work(StoreContextMut::from_core(core))) }
}

/// Whether what runs is on a stack of its own, whoever resumes it.
pub fn is_on_stack(store: impl AsContext) -> bool {
    store.as_context().core_ref().fibers.inside()
}

/// Does something during which nothing may [`suspend`].
pub fn unsuspendable<C: AsContextMut, R>(
    mut store: C,
    work: impl FnOnce(StoreContextMut<'_, C::Data>) -> R,
) -> R {
    let core = store.as_context_mut().core();
    // SAFETY: the context is exclusive, and lent while the closure runs.
    unsafe { fiber::barrier(core, || work(StoreContextMut::from_core(core))) }
}

/// Cancels the fibers that were dropped while they waited.
pub fn reap(mut store: impl AsContextMut) {
    // SAFETY: the context is exclusive.
    unsafe { fiber::reap(store.as_context_mut().core()) }
}
