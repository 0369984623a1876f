//! Growth that is decided by a future; and what is asked of a limiter of either kind at once.
//!
//! Memories and tables grow in functions of the runtime's that guests call as they call the
//! host, so that a guest can wait there: on the fiber of the host's call, if that is a future.
//! What the limiter answers when it is first polled holds in any call. All else is asked
//! of it as of one that is no future.

#[cfg(feature = "async")]
use std::future::Future;
#[cfg(feature = "async")]
use std::pin::Pin;

use super::StoreCore;
use super::limiter::ResourceLimiter;
use crate::error::{Error, Result};
#[cfg(feature = "async")]
use crate::stack::waiting;

/// A [`ResourceLimiter`] that may wait before it decides; see
/// [`Store::limiter_async`](crate::Store::limiter_async). Its two methods that are futures are
/// written as `async-trait` writes `async fn`: with that, or by hand:
///
/// ```
/// use std::pin::Pin;
/// use zwasm::{ResourceLimiterAsync, Result};
/// # async fn ask(bytes: usize) -> bool { bytes < 1 << 20 }
/// struct Asks;
///
/// type Decision<'a> = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;
///
/// impl ResourceLimiterAsync for Asks {
///     fn memory_growing<'a, 'b>(
///         &'a mut self,
///         _current: usize,
///         desired: usize,
///         _maximum: Option<usize>,
///     ) -> Decision<'b>
///     where
///         'a: 'b,
///         Self: 'b,
///     {
///         Box::pin(async move { Ok(ask(desired).await) })
///     }
///
///     fn table_growing<'a, 'b>(
///         &'a mut self,
///         _current: usize,
///         desired: usize,
///         _maximum: Option<usize>,
///     ) -> Decision<'b>
///     where
///         'a: 'b,
///         Self: 'b,
///     {
///         Box::pin(async move { Ok(desired < 1000) })
///     }
/// }
/// ```
#[cfg(feature = "async")]
pub trait ResourceLimiterAsync: Send {
    /// As [`ResourceLimiter::memory_growing`].
    fn memory_growing<'life0, 'async_trait>(
        &'life0 mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait;

    /// As [`ResourceLimiter::memory_grow_failed`].
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        let _ = error;
        Ok(())
    }

    /// As [`ResourceLimiter::table_growing`].
    fn table_growing<'life0, 'async_trait>(
        &'life0 mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait;

    /// As [`ResourceLimiter::table_grow_failed`].
    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        let _ = error;
        Ok(())
    }

    /// As [`ResourceLimiter::gc_heap_growing`].
    fn gc_heap_growing(&mut self, current: usize, desired: usize) -> Result<bool> {
        let _ = (current, desired);
        Ok(true)
    }

    /// As [`ResourceLimiter::exceptions_growing`].
    fn exceptions_growing(&mut self, current: usize, desired: usize) -> Result<bool> {
        let _ = (current, desired);
        Ok(true)
    }

    /// As [`ResourceLimiter::total_size`].
    fn total_size(&self) -> usize {
        usize::MAX
    }

    /// As [`ResourceLimiter::instances`].
    fn instances(&self) -> usize {
        usize::MAX
    }

    /// As [`ResourceLimiter::tables`].
    fn tables(&self) -> usize {
        usize::MAX
    }

    /// As [`ResourceLimiter::memories`].
    fn memories(&self) -> usize {
        usize::MAX
    }
}

/// What both kinds of limiters answer at once.
pub(super) trait AtOnce {
    fn memory_grow_failed(&mut self, error: Error) -> Result<()>;
    fn table_grow_failed(&mut self, error: Error) -> Result<()>;
    fn gc_heap_growing(&mut self, current: usize, desired: usize) -> Result<bool>;
    fn exceptions_growing(&mut self, current: usize, desired: usize) -> Result<bool>;
    fn total_size(&self) -> usize;
    fn instances(&self) -> usize;
    fn tables(&self) -> usize;
    fn memories(&self) -> usize;
}

macro_rules! at_once {
    ($limiter:ident) => {
        impl AtOnce for &mut dyn $limiter {
            fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
                $limiter::memory_grow_failed(&mut **self, error)
            }
            fn table_grow_failed(&mut self, error: Error) -> Result<()> {
                $limiter::table_grow_failed(&mut **self, error)
            }
            fn gc_heap_growing(&mut self, current: usize, desired: usize) -> Result<bool> {
                $limiter::gc_heap_growing(&mut **self, current, desired)
            }
            fn exceptions_growing(&mut self, current: usize, desired: usize) -> Result<bool> {
                $limiter::exceptions_growing(&mut **self, current, desired)
            }
            fn total_size(&self) -> usize {
                $limiter::total_size(&**self)
            }
            fn instances(&self) -> usize {
                $limiter::instances(&**self)
            }
            fn tables(&self) -> usize {
                $limiter::tables(&**self)
            }
            fn memories(&self) -> usize {
                $limiter::memories(&**self)
            }
        }
    };
}

at_once!(ResourceLimiter);
#[cfg(feature = "async")]
at_once!(ResourceLimiterAsync);

/// Shows the limiter, found in the data of the store, to the function given.
type Find = dyn FnMut(*mut StoreCore, &mut dyn FnMut(&mut dyn ResourceLimiter)) + Send + Sync;
#[cfg(feature = "async")]
type FindAsync =
    dyn FnMut(*mut StoreCore, &mut dyn FnMut(&mut dyn ResourceLimiterAsync)) + Send + Sync;

/// How the embedder's limiter is found.
pub(crate) enum FindLimiter {
    AtOnce(Box<Find>),
    #[cfg(feature = "async")]
    Waits(Box<FindAsync>),
}

/// What is to grow.
#[derive(Clone, Copy)]
pub(super) enum Growing {
    Memory,
    Table,
}

impl StoreCore {
    /// Asks the limiter what it knows at once; none if there is no limiter.
    ///
    /// # Safety
    ///
    /// `this` is valid, and the user's data is not borrowed.
    pub(super) unsafe fn ask<R>(
        this: *mut StoreCore,
        question: impl FnOnce(&mut dyn AtOnce) -> R,
    ) -> Option<R> {
        let (mut question, mut answer) = (Some(question), None);
        let mut ask = |limiter: &mut dyn AtOnce| {
            answer = question.take().map(|question| question(limiter));
        };
        // SAFETY: the closures look at nothing of the store but the data.
        match unsafe { (*this).limiter.as_mut()? } {
            FindLimiter::AtOnce(find) => find(this, &mut |mut limiter| ask(&mut limiter)),
            #[cfg(feature = "async")]
            FindLimiter::Waits(find) => find(this, &mut |mut limiter| ask(&mut limiter)),
        }
        answer
    }

    /// Whether the limiter allows a memory or a table to grow, which may have to be waited
    /// for; without one everything is allowed.
    ///
    /// # Errors
    ///
    /// The limiter's, and if it is to be waited for in a call that is no future.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::ask`]; and all frames between the guest, or the start of the call, and
    /// here are of this crate.
    pub(super) unsafe fn may_grow(
        this: *mut StoreCore,
        what: Growing,
        [current, desired]: [usize; 2],
        maximum: Option<usize>,
    ) -> Result<bool> {
        let mut answer = Ok(true);
        // SAFETY: by the contract. The closure that finds the limiter is looked at as the
        // object that it is: other parts of the store change while it is waited for.
        unsafe {
            match &mut (*this).limiter {
                None => {}
                Some(FindLimiter::AtOnce(find)) => find(this, &mut |limiter| {
                    answer = match what {
                        Growing::Memory => limiter.memory_growing(current, desired, maximum),
                        Growing::Table => limiter.table_growing(current, desired, maximum),
                    };
                }),
                #[cfg(feature = "async")]
                Some(FindLimiter::Waits(find)) => {
                    let find = &raw mut **find;
                    (*find)(this, &mut |limiter| {
                        let future = match what {
                            Growing::Memory => limiter.memory_growing(current, desired, maximum),
                            Growing::Table => limiter.table_growing(current, desired, maximum),
                        };
                        answer = waiting::at_once_or_wait(this, false, future).flatten();
                    });
                }
            }
        }
        answer
    }
}
