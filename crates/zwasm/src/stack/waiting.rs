//! Futures of the host that the guest waits for, on a fiber that is itself polled.
//!
//! Whoever polls a call resumes its fiber and leaves the waker in the store meanwhile. What
//! waits on the fiber polls its own future with that, and suspends as long as there is no
//! answer. Calls nest: a host function's future may hold a call, which has a fiber of its own,
//! is polled on the outer one, and hands the waker on. A fiber that is no future itself may be
//! resumed on behalf of one that is: where something waits on the inner one, both suspend.
//!
//! # Safety
//!
//! A waker is borrowed from a poll that is in progress, and is found only by what runs on the
//! fiber which that has resumed: when it is left, the one before it is put back. Nothing but
//! frames of this crate, of those that have given their word, and futures, lies on the stack of
//! a fiber that waits: one that has host functions of the embedder's between its start and what
//! wants to wait is refused, as is what waits in a hook. All of these may go to other threads.

use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

use super::fiber::{self, Done, Key, Resumer};
use crate::error::{Error, Result};
use crate::store::StoreCore;

/// The innermost poll of a call in a store.
#[derive(Clone, Copy)]
pub(crate) struct Polled {
    waker: *const Waker,
    /// What it has resumed.
    fiber: Option<u64>,
    /// Whether that has suspended for a future.
    waits: bool,
    /// Turns that others had not.
    put_off: u32,
}

impl Polled {
    /// Nobody polls.
    pub(crate) const NONE: Polled =
        Polled { waker: ptr::null(), fiber: None, waits: false, put_off: 0 };
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
        let polled = Polled { waker, fiber: Some(key.number()), waits: false, put_off: 0 };
        let outer = std::mem::replace(&mut (*core).polled, polled);
        let done = fiber::resume(core, key);
        (*core).polled = outer;
        done
    }
}

/// Has a fiber go on, as [`fiber::resume`]. If a call that is being polled may wait here, so
/// may what runs on that fiber: it waits, and this waits with it.
///
/// # Errors
///
/// As there, and [`Cancelled`](fiber::Cancelled).
///
/// # Safety
///
/// As [`wait_beyond`].
pub(crate) unsafe fn relay(core: *mut StoreCore, key: Key) -> Result<Option<Done>> {
    // SAFETY: by the contract; the waker is that of the poll that goes on.
    unsafe {
        while may_wait(core, 0) {
            let outer = (*core).polled;
            (*core).polled = Polled { fiber: Some(key.number()), waits: false, ..outer };
            let done = fiber::resume(core, key);
            let waits = std::mem::replace(&mut (*core).polled, outer).waits;
            match done? {
                None if waits => {}
                done => return Ok(done),
            }
            // What waits there lasts no longer than the call does.
            fiber::set_resumer(core, key, Resumer::Future);
            let left = leave(core);
            fiber::set_resumer(core, key, Resumer::Handle);
            if let Err(error) = left {
                // What waits there borrows the store, for as long as the call does.
                fiber::cancel(core, key);
                return Err(error);
            }
        }
        fiber::resume(core, key)
    }
}

/// Whether others may have their turn later, as what runs is part of a call that is polled,
/// but cannot wait just here: it goes on, but not for ever, only so many times.
///
/// # Safety
///
/// `core` is valid and ours alone.
pub(crate) unsafe fn put_off(core: *mut StoreCore, most: u32) -> bool {
    // SAFETY: by the contract.
    unsafe {
        let core = &mut *core;
        let current = core.fibers.current();
        let may = current.is_some()
            && core.polled.fiber == current
            && core.barriers > 0
            && core.polled.put_off < most;
        core.polled.put_off += u32::from(may);
        may
    }
}

/// What a future gives, for which the call that is being polled waits, in a host function or
/// in what is done on behalf of the guest.
///
/// # Errors
///
/// If no call is being polled, or something between may not wait; and
/// [`Cancelled`](fiber::Cancelled).
///
/// # Safety
///
/// `core` is valid and ours alone, but for what the future borrows; and the frames between
/// the guest and here can go to other threads, as can those of host functions that
/// [`pass`](fiber::pass).
pub(crate) unsafe fn wait_for<R>(
    core: *mut StoreCore,
    future: Pin<Box<dyn Future<Output = R> + Send + '_>>,
) -> Result<R> {
    // SAFETY: by the contract.
    unsafe { wait(core, 1, future) }
}

/// As [`wait_for`], where no host function lies between the guest, or the start of the fiber,
/// and here, or only such as [`pass`](fiber::pass).
///
/// # Errors
///
/// Likewise.
///
/// # Safety
///
/// Likewise.
pub(crate) unsafe fn wait_beyond<R>(
    core: *mut StoreCore,
    future: Pin<Box<dyn Future<Output = R> + Send + '_>>,
) -> Result<R> {
    // SAFETY: by the contract.
    unsafe { wait(core, 0, future) }
}

/// What a future answers when it is first polled, or else what it is waited for, as by
/// [`wait_for`] where the guest waits `in_host`, and otherwise as by [`wait_beyond`].
///
/// # Errors
///
/// Likewise.
///
/// # Safety
///
/// Likewise.
pub(crate) unsafe fn at_once_or_wait<R>(
    core: *mut StoreCore,
    in_host: bool,
    mut future: Pin<Box<dyn Future<Output = R> + Send + '_>>,
) -> Result<R> {
    // SAFETY: by the contract.
    unsafe {
        if check(core, in_host.into()).is_err() {
            let poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(result) = fiber::barrier(core, poll) {
                return Ok(result);
            }
        }
        wait(core, in_host.into(), future)
    }
}

/// Whether [`wait_beyond`] can wait.
///
/// # Safety
///
/// `core` is valid.
pub(crate) unsafe fn can_wait_beyond(core: *mut StoreCore) -> bool {
    // SAFETY: by the contract.
    unsafe { may_wait(core, 0) && fiber::check(core).is_ok() }
}

/// # Safety
///
/// As [`wait_for`]; `own` is how many host functions there are that may wait and do not pass.
unsafe fn wait<R>(
    core: *mut StoreCore,
    own: u32,
    mut future: Pin<Box<dyn Future<Output = R> + Send + '_>>,
) -> Result<R> {
    // SAFETY: by the contract; the waker is that of the poll that has resumed the fiber last.
    unsafe {
        loop {
            check(core, own)?;
            let waker = (*core).polled.waker;
            // What it calls that is no future has its frames beneath.
            let poll = || future.as_mut().poll(&mut Context::from_waker(&*waker));
            if let Poll::Ready(result) = fiber::barrier(core, poll) {
                return Ok(result);
            }
            leave(core)?;
        }
    }
}

/// Suspends on behalf of a future.
///
/// # Safety
///
/// As [`wait_for`].
unsafe fn leave(core: *mut StoreCore) -> Result<()> {
    // SAFETY: by the contract.
    unsafe {
        (*core).polled.waits = true;
        fiber::suspend(core)
    }
}

/// Whether what runs may wait.
///
/// # Safety
///
/// `core` is valid.
unsafe fn check(core: *mut StoreCore, own: u32) -> Result<()> {
    // SAFETY: by the contract.
    unsafe {
        if !may_wait(core, own) {
            return Err(Error::msg(
                "cannot wait in a synchronous call: store configuration requires that `*_async` \
                 functions are used instead",
            ));
        }
        fiber::check(core)
    }
}

/// Whether a call that is being polled has come here without a host function that may not be
/// waited across, but for so many.
///
/// # Safety
///
/// `core` is valid.
unsafe fn may_wait(core: *mut StoreCore, own: u32) -> bool {
    // SAFETY: by the contract; records of host functions live until these return.
    unsafe {
        let current = (*core).fibers.current();
        if current.is_none() || (*core).polled.fiber != current {
            return false;
        }
        let (mut host, mut left) = ((*core).host_frame, (*core).passable + own);
        while !host.is_null() {
            let Some(rest) = left.checked_sub(1) else { return false };
            (host, left) = ((*host).previous, rest);
        }
        true
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
