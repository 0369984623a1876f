//! Stacks on which threads of components wait, and calls that are futures: fibers of the
//! store.
//!
//! A call that is a future has a stack, on which what it calls waits by suspending. If the
//! call is a task, its threads have stacks of their own, which are resumed on that one: what
//! waits there for a future of the host has both suspend.
//!
//! # Safety
//!
//! Suspending asks that all that lies on the stack between its start and there may go to
//! other threads with the store. On a stack of ours that is the guest's frames, and those of
//! this crate, which hold contexts, keys and what is shared by `Arc`, all of which may. No
//! frame of an embedder's function is among them:
//!
//! - where a thread waits, only code of the instance that it belongs to has it wait, an
//!   embedder's function that is called by it cannot come back into its component, and what
//!   it calls in others has a stack of its own where it can wait;
//! - where a future is waited for, functions that the guest calls are looked at one by one:
//!   only those of this crate that call no code of an embedder's [`pass`];
//! - values of the host's are written by code of the embedder's, which is [`unsuspendable`];
//!   so are functions of the host's that are not finished, where they are asked from there
//!   ([`embedders`]), and not through a core function.
#![allow(unsafe_code, reason = "suspending is unsafe; see above")]

#[cfg(feature = "async")]
use std::{future::Future, pin::Pin};

use std::task::Poll;

use zwasm::fiber::{self, Fiber};
use zwasm::{AsContext, AsContextMut, Result, StoreContextMut};

use super::{AnyStore, OnStack};

/// A stack on which something waits.
#[doc(hidden)]
pub struct Stack(Fiber<()>);

/// Runs something on a stack of its own until it ends, or waits.
pub(super) fn start<T>(store: &mut StoreContextMut<'_, T>, run: OnStack) -> Result<Option<Stack>> {
    let fiber = Fiber::new(store.as_context_mut(), move |mut store| run(&mut store))?;
    resume(store, Stack(fiber))
}

/// Goes on with what waits on a stack.
pub(super) fn resume<T>(
    store: &mut StoreContextMut<'_, T>,
    mut stack: Stack,
) -> Result<Option<Stack>> {
    #[cfg(feature = "async")]
    // SAFETY: see the module.
    let polled = unsafe { stack.0.relay(store.as_context_mut())? };
    #[cfg(not(feature = "async"))]
    let polled = stack.0.resume(store.as_context_mut())?;
    match polled {
        Poll::Pending => Ok(Some(stack)),
        Poll::Ready(()) => Ok(None),
    }
}

/// Leaves the stack until it is resumed.
pub(super) fn suspend<T>(store: &mut StoreContextMut<'_, T>) -> Result<bool> {
    if !fiber::is_inside(store.as_context()) {
        return Ok(false);
    }
    // SAFETY: see the module.
    unsafe { fiber::suspend(store.as_context_mut())? };
    Ok(true)
}

/// Ends what waits on a stack.
pub(super) fn unwind<T>(store: &mut StoreContextMut<'_, T>, stack: Stack) {
    // It is a stack of this store's.
    let _ = stack.0.cancel(store.as_context_mut());
}

/// Does the work of a function that the guest calls and that calls no code of the embedder's:
/// the guest may wait meanwhile.
pub(crate) fn pass<T, R>(
    store: StoreContextMut<'_, T>,
    work: impl FnOnce(StoreContextMut<'_, T>) -> R,
) -> R {
    // SAFETY: see the module.
    unsafe { fiber::pass(store, work) }
}

/// Does what calls code of the embedder's.
pub(super) fn unsuspendable<T>(
    store: &mut StoreContextMut<'_, T>,
    work: &mut dyn FnMut(&mut dyn AnyStore) -> Result<()>,
) -> Result<()> {
    // Most calls are on none, and have nothing to wait with.
    match fiber::is_on_stack(&*store) {
        true => fiber::unsuspendable(store.as_context_mut(), |mut store| work(&mut store)),
        false => work(store),
    }
}

/// Calls code of the embedder's where the guest may wait otherwise.
pub(crate) fn embedders<T, R>(
    store: StoreContextMut<'_, T>,
    work: impl FnOnce(StoreContextMut<'_, T>) -> R,
) -> R {
    match fiber::is_on_stack(&store) {
        true => fiber::unsuspendable(store, work),
        false => work(store),
    }
}

/// Waits for a future, if what runs belongs to a call that is one. Tells if not.
#[cfg(feature = "async")]
pub(super) fn wait_beyond<T>(
    store: &mut StoreContextMut<'_, T>,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Result<bool> {
    if !fiber::can_wait_beyond(store.as_context()) {
        return Ok(false);
    }
    // SAFETY: see the module.
    unsafe { fiber::wait_beyond(store.as_context_mut(), future)? };
    Ok(true)
}

/// Waits in a function of the host's, whose closure has returned a future.
///
/// # Errors
///
/// If the guest's call is none, or something between may not wait.
#[cfg(feature = "async")]
pub(crate) fn wait_for<'a, T, R>(
    store: StoreContextMut<'a, T>,
    future: impl FnOnce(StoreContextMut<'a, T>) -> Pin<Box<dyn Future<Output = R> + Send + 'a>>,
) -> Result<R> {
    // SAFETY: see the module.
    unsafe { fiber::wait_for(store, future) }
}

/// Does something of this crate's as a future.
///
/// # Errors
///
/// What it gives, and if there is no stack for it.
#[cfg(feature = "async")]
pub(crate) async fn polled<T: Send, R: Send + 'static>(
    store: StoreContextMut<'_, T>,
    work: impl FnOnce(StoreContextMut<'_, T>) -> Result<R> + Send,
) -> Result<R> {
    // SAFETY: see the module.
    unsafe { fiber::polled(store, work)? }.await
}
