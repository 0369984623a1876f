//! Stacks on which threads of components wait: fibers of the store.
//!
//! # Safety
//!
//! Suspending asks that all that lies on the stack between its start and there may go to
//! other threads with the store. On a stack of ours that is the guest's frames, and those of
//! this crate, which hold contexts, keys and what is shared by `Arc`, all of which may. No
//! frame of an embedder's function is among them: only code of the instance that a thread
//! belongs to has it wait, an embedder's function that is called by it cannot come back into
//! its component, and what it calls in others has a stack of its own where it can wait.
#![allow(unsafe_code, reason = "suspending is unsafe; see above")]

use std::task::Poll;

use zwasm::fiber::{self, Fiber};
use zwasm::{AsContext, AsContextMut, Result, StoreContextMut};

use super::OnStack;

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
    match stack.0.resume(store.as_context_mut())? {
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
