//! How a future that the store's calls poll comes to the store.
//!
//! A future is polled with a waker and nothing else. So whoever polls one lends it the store
//! for that time: the store's address lies in a variable of the thread, and is taken from
//! there by whoever makes use of the store.
//!
//! # Safety
//!
//! The variable holds the address of a context that nobody else uses:
//!
//! - [`lend`] owns the context, uses it for nothing, and puts back what the variable held
//!   before it returns or unwinds. So what lies there is alive.
//! - [`borrow`] empties the variable while it gives the context away, so that it is given to
//!   one at a time. What it does meanwhile may lend the store anew, which is the borrower's
//!   to lend, and only that is there to be found then. Afterwards the address is back.
//! - Both happen on one thread, and nothing suspends the stack that they are on before they
//!   return: they call code of the embedder's, beneath which nothing may wait (`abi::stack`).
//!   What is started there on stacks of its own returns to there. So the variable's values
//!   nest, as calls do, and another thread finds another variable.
//! - Stacks that are switched by others than this crate are not to be switched there either:
//!   whoever does so promises that in an `unsafe` block of its own.
//! - The data of a store is of one type. A context of a store with this number has that
//!   type, which whoever knows the number was given with it.
//!
//! Nothing in this depends on when futures are dropped, or whether: what is kept of a store
//! is only its number.
#![allow(unsafe_code, reason = "the store's lifetime is that of a call; see above")]

use std::cell::Cell;
use std::ptr::NonNull;

use zwasm::{AsContextMut, StoreContextMut};

use crate::state::Components;

/// A context that is lent on this thread.
#[derive(Clone, Copy)]
struct Lent {
    /// The number of its store's components.
    store: u64,
    /// A `StoreContextMut` of the store.
    context: NonNull<()>,
}

thread_local! {
    static LENT: Cell<Option<Lent>> = const { Cell::new(None) };
}

/// Changes the variable. Calls of this are not merged with what is around them, as stacks go
/// from thread to thread, and the variable's address does not go with them.
#[inline(never)]
fn replace(lent: Option<Lent>) -> Option<Lent> {
    LENT.replace(lent)
}

/// Puts back what the variable held.
struct Restore(Option<Lent>);

impl Drop for Restore {
    fn drop(&mut self) {
        replace(self.0);
    }
}

/// The number of a store, by which [`borrow`] knows it.
pub(super) fn number<T: 'static>(store: &mut StoreContextMut<'_, T>) -> u64 {
    store.attachment::<Components>().id()
}

/// Does something during which the store can be borrowed.
pub(crate) fn lend<T: 'static, R>(
    mut store: StoreContextMut<'_, T>,
    work: impl FnOnce() -> R,
) -> R {
    let number = number(&mut store);
    let context = NonNull::from(&mut store).cast();
    let _restore = Restore(replace(Some(Lent { store: number, context })));
    work()
}

/// Borrows the store with a number, whose data is a `T`.
///
/// # Panics
///
/// If it is not lent here and now, or is borrowed already.
///
/// # Safety
///
/// The number is of a store with such data.
#[track_caller]
pub(super) unsafe fn borrow<T: 'static, R>(
    store: u64,
    work: impl FnOnce(StoreContextMut<'_, T>) -> R,
) -> R {
    let lent = replace(None);
    let _restore = Restore(lent);
    let Some(lent) = lent.filter(|lent| lent.store == store) else {
        panic!(
            "an `Accessor` gives access to its store only while its future is polled by the \
             store's own calls, and not within `Accessor::with`"
        );
    };
    // SAFETY: it is alive and nobody else uses it, and its data is of this type; see the
    // module. The reference does not outlive this call, as `work` is for any lifetime.
    let context = unsafe { lent.context.cast::<StoreContextMut<'_, T>>().as_mut() };
    work(context.as_context_mut())
}
