//! Calls of the host that wait their turn, and whose results come to it without the store.
//!
//! Such a call is a task like any other from the moment that it is made, so that it begins in
//! order with the calls that guests make. Its arguments are kept as they are and written
//! into the guest's memory when it begins. Its result goes into a cell that the host and
//! the store share: the host may forget the call, which goes on all the same, and a call
//! that never ends, as its component has trapped or its store is gone, tells so when the
//! task is dropped.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use zwasm::{Error, Result};

use super::{Caller, HostLift, HostResult, Key, Resume, TaskState, Wait};
use crate::abi::call::lower_args;
use crate::abi::{AnyStore, LowerContext};
use crate::state::{Components, Export};
use crate::types::InterfaceType;
use crate::{Func, Place};

/// Writes arguments, once they can be.
pub(crate) type LowerLater =
    Box<dyn FnMut(&mut LowerContext<'_>, InterfaceType, Place) -> Result<()> + Send + Sync>;

#[derive(Default)]
struct Cell {
    result: Option<Result<HostResult>>,
    waker: Option<Waker>,
}

fn lock(cell: &Mutex<Cell>) -> MutexGuard<'_, Cell> {
    // Nothing leaves it half-changed.
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The store's side of a call. If it is dropped first, the call has failed.
pub(super) struct Promise(Option<Arc<Mutex<Cell>>>);

impl Promise {
    /// Gives the host the result, the first time.
    pub(super) fn settle(&mut self, result: Result<HostResult>) {
        let Some(shared) = self.0.take() else { return };
        let waker = {
            let mut cell = lock(&shared);
            cell.result = Some(result);
            cell.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.settle(Err(Error::msg("the call has ended with its component, or with its store")));
    }
}

/// The host's side of a call: its result, once it is there.
pub(crate) struct Promised(Arc<Mutex<Cell>>);

impl Future for Promised {
    type Output = Result<HostResult>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut cell = lock(&self.0);
        match cell.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                cell.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl super::Tasks {
    /// Whether calls were put off.
    pub(crate) fn has_put_off(&self) -> bool {
        !self.put_off.is_empty()
    }
}

impl Components {
    /// Makes a call of the host's that begins when its turn comes.
    ///
    /// # Errors
    ///
    /// If the function is of another store, its component has trapped, or there are too
    /// many threads.
    pub(crate) fn promise_call(
        &mut self,
        func: Func,
        lower: LowerLater,
        lift: HostLift,
    ) -> Result<Promised> {
        let export = self.func(func)?.clone();
        let instance = export.lifted.options.instance;
        if self.is_poisoned(instance) {
            return Err(Error::trap_msg("cannot enter component instance"));
        }
        let shared = Arc::<Mutex<Cell>>::default();
        let caller = Caller::Promise { lift, promise: Promise(Some(shared.clone())) };
        let task = self.add_task(&export, caller, None);
        self.task(task)?.lower = Some(lower);
        match self.tasks.add_thread(task, instance, Resume::Call) {
            Ok(thread) => self.start_waiting(thread, Wait::Turn)?,
            Err(error) => {
                self.tasks.tasks.remove(task);
                return Err(error);
            }
        }
        Ok(Promised(shared))
    }

    /// Whether a thread that would begin such a call has to be put off, as code of the
    /// component is on the stack. It is resumed when that has left.
    pub(super) fn put_off(&mut self, key: Key) -> bool {
        let Some(thread) = self.tasks.threads.get(key) else { return false };
        let instance = thread.instance;
        let task = self.tasks.tasks.get(thread.task);
        let put_off = task.is_some_and(|task| task.lower.is_some()) && self.is_entered(instance);
        if put_off {
            self.tasks.put_off.push(key);
        }
        put_off
    }

    /// Code of a component has left the stack: calls that were put off get a turn.
    pub(crate) fn resume_put_off(&mut self) {
        for thread in std::mem::take(&mut self.tasks.put_off) {
            self.tasks.enqueue(thread);
        }
    }
}

/// Writes the arguments of a call that begins. Tells if the host's values are at fault: then
/// the call has ended, and the guest is as it was.
///
/// # Errors
///
/// If the task is gone.
pub(super) fn write_args(
    store: &mut dyn AnyStore,
    task: Key,
    callee: &Export,
    lower: &mut LowerLater,
    args: &mut [u64],
) -> Result<bool> {
    let depth = store.state().depth();
    let lowered = lower_args(store, callee, lower, args);
    let state = store.state();
    match lowered {
        Ok(()) => {
            let scope = callee.signature.borrows.then(|| state.keep_scope()).flatten();
            state.task(task)?.scope = scope;
            Ok(true)
        }
        Err(error) => {
            state.unwind(depth);
            let task = state.task(task)?;
            task.state = TaskState::Resolved;
            if let Caller::Promise { promise, .. } = &mut task.caller {
                promise.settle(Err(error));
            }
            Ok(false)
        }
    }
}
