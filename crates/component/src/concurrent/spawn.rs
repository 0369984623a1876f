//! Tasks of the host's, which belong to a store.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use zwasm::{AsContextMut, Result, StoreContextMut};

use super::{Accessor, lend};
use crate::task::host::spawn_later;
use crate::{HasData, HasSelf};

/// What [`Accessor::spawn`] begins.
pub trait AccessorTask<T: 'static, D = HasSelf<T>>: Send + 'static
where
    D: HasData + ?Sized,
{
    /// The task.
    ///
    /// An error ends whichever call of the host's lets guests of the store run then.
    fn run(self, accessor: &Accessor<T, D>) -> impl Future<Output = Result<()>> + Send;
}

#[derive(Default)]
struct State {
    aborted: bool,
    ended: bool,
    /// Wakes the task.
    task: Option<Waker>,
    /// Wakes who waits for its end.
    waiter: Option<Waker>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing leaves it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that was begun: a future that is ready when the task has ended, however it has.
/// The task goes on if this is dropped.
pub struct JoinHandle(Arc<Shared>);

impl JoinHandle {
    /// Ends the task where it waits: its future is dropped at its next turn instead of being
    /// polled.
    pub fn abort(&self) {
        let waker = {
            let mut state = self.0.lock();
            state.aborted = true;
            state.task.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for JoinHandle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.ended {
            return Poll::Ready(());
        }
        state.waiter = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The task's side, which tells when it is dropped.
struct Running(Arc<Shared>);

impl Running {
    /// Whether it is to go on, and be woken by this if it is aborted later.
    fn goes_on(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock();
        state.task = Some(waker.clone());
        !state.aborted
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.lock();
            state.ended = true;
            state.waiter.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

type Task = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Begins a task, whose first turn comes later.
pub(super) fn spawn<T: 'static, D: HasData + ?Sized>(
    store: StoreContextMut<'_, T>,
    accessor: Accessor<T, D>,
    task: impl AccessorTask<T, D>,
) -> JoinHandle {
    let shared = Arc::<Shared>::default();
    let running = Running(shared.clone());
    let future: Task = Box::pin(async move { task.run(&accessor).await });
    // The lock is for sharing only: nobody else has it.
    let mut future = Mutex::new(Some(future));
    let poll = move |mut store: StoreContextMut<'_, T>, context: &mut Context<'_>| {
        let future = future.get_mut().unwrap_or_else(PoisonError::into_inner);
        let goes_on = running.goes_on(context.waker());
        let polled = lend(store.as_context_mut(), || match future {
            Some(task) if goes_on => task.as_mut().poll(context),
            Some(_) | None => Poll::Ready(Ok(())),
        });
        if polled.is_ready() {
            lend(store, || *future = None);
        }
        polled
    };
    spawn_later(store, Box::new(poll));
    JoinHandle(shared)
}
