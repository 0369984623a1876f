//! Futures of the host that the guest waits for, on a fiber that is itself polled.
//!
//! Whoever polls a call resumes its fiber and leaves the waker in the store meanwhile. What
//! waits on the fiber polls its own future with that, and suspends as long as there is no
//! answer. Calls nest: a host function's future may hold a call, which has a fiber of its own,
//! is polled on the outer one, and hands the waker on.
//!
//! # Safety
//!
//! A waker is borrowed from a poll that is in progress, and is found only by what runs on the
//! fiber which that has resumed: when it is left, the one before it is put back. Nothing but
//! frames of this crate, and futures, lies on the stack of a fiber that waits: one that has
//! host functions of the embedder's between its start and what wants to wait is refused, as
//! is what waits in a hook. All of these may go to other threads.

use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

use super::fiber::{self, Done, Key};
use crate::error::{Error, Result};
use crate::store::StoreCore;

/// The innermost poll of a call in a store.
#[derive(Clone, Copy)]
pub(crate) struct Polled {
    waker: *const Waker,
    /// What it has resumed.
    fiber: Option<u64>,
}

impl Polled {
    /// Nobody polls.
    pub(crate) const NONE: Polled = Polled { waker: ptr::null(), fiber: None };
}

/// Has a fiber go on, as [`fiber::resume`], on behalf of a poll.
///
/// # Errors
///
/// As there.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn poll(core: *mut StoreCore, key: Key, waker: &Waker) -> Result<Option<Done>> {
    // SAFETY: by the contract; a panic on the fiber does not get here.
    unsafe {
        let polled = Polled { waker, fiber: Some(key.number()) };
        let outer = std::mem::replace(&mut (*core).polled, polled);
        let done = fiber::resume(core, key);
        (*core).polled = outer;
        done
    }
}

/// What a future gives, for which the call that is being polled waits.
///
/// # Errors
///
/// If no call is being polled, or something between may not wait; and
/// [`Cancelled`](fiber::Cancelled).
///
/// # Safety
///
/// `core` is valid and ours alone, but for what the future borrows; and the frames between
/// the guest and here are of this crate, and can go to other threads.
pub(crate) unsafe fn wait_for<R>(
    core: *mut StoreCore,
    mut future: Pin<Box<dyn Future<Output = R> + Send + '_>>,
) -> Result<R> {
    // SAFETY: by the contract; the waker is that of the poll that has resumed the fiber last.
    unsafe {
        loop {
            check(core)?;
            let waker = &*(*core).polled.waker;
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(waker)) {
                return Ok(result);
            }
            fiber::suspend(core)?;
        }
    }
}

/// Whether what runs may wait.
///
/// # Safety
///
/// `core` is valid.
unsafe fn check(core: *mut StoreCore) -> Result<()> {
    // SAFETY: by the contract; records of host functions live until these return.
    unsafe {
        let polled = (*core).polled;
        let current = (*core).fibers.current();
        let host = (*core).host_frame;
        let outermost = host.is_null() || (*host).previous.is_null();
        if current.is_none() || polled.fiber != current || !outermost {
            return Err(Error::msg(
                "cannot wait in a synchronous call: store configuration requires that `*_async` \
                 functions are used instead",
            ));
        }
        fiber::check(core)
    }
}

/// A future that is ready when it is polled again.
#[derive(Default)]
pub(crate) struct Turn {
    is_over: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.is_over, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
