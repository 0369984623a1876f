//! Host code that runs beside guests: futures that come to the store between, but not across,
//! the points where they wait.
//!
//! A future holds an [`Accessor`], which knows a store by its number, and is lent the store
//! whenever it is polled by one of the store's own calls (`scope`). There are three kinds:
//! the one that a host gives to [`RunConcurrent::run_concurrent`] (`run`), functions that
//! guests call (`linker`), and tasks, which are spawned by either (`spawn`).

mod linker;
mod run;
mod scope;
mod spawn;

pub use run::RunConcurrent;
pub(crate) use scope::lend;
pub use spawn::{AccessorTask, JoinHandle};

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use zwasm::{AsContext, AsContextMut, StoreContext, StoreContextMut};

use crate::{HasData, HasSelf};

/// Access to a store for a future that runs beside guests and others of its kind.
///
/// The store is there while the future is polled, and other futures have it while that waits:
/// so it is had only within [`Accessor::with`], which cannot wait. A future is given an
/// accessor by [`RunConcurrent::run_concurrent`],
/// [`LinkerInstance::func_wrap_concurrent`](crate::LinkerInstance::func_wrap_concurrent) and
/// [`AccessorTask::run`]. One accessor of a store is as good as another of the same store, on
/// whichever thread the future is polled.
///
/// `D` says what [`Access::get`] makes of the store's data; see [`HasData`].
pub struct Accessor<T: 'static, D = HasSelf<T>>
where
    D: HasData + ?Sized,
{
    /// The store's number, which only stores with data of type `T` have.
    store: u64,
    get_data: fn(&mut T) -> D::Data<'_>,
}

impl<T: 'static> Accessor<T> {
    pub(crate) fn new(store: &mut StoreContextMut<'_, T>) -> Accessor<T> {
        Accessor { store: scope::number(store), get_data: |data| data }
    }
}

impl<T: 'static, D: HasData + ?Sized> Accessor<T, D> {
    /// Does something with the store.
    ///
    /// # Panics
    ///
    /// If the future that does so is not polled by the store's own calls, at this moment and on
    /// this thread; and within another `with` of the same store.
    #[track_caller]
    #[allow(unsafe_code, reason = "the number goes with the type of the data")]
    pub fn with<R>(&self, work: impl FnOnce(Access<'_, T, D>) -> R) -> R {
        let get_data = self.get_data;
        // SAFETY: accessors with a number are made of a store, whose data is a `T`, and of
        // each other.
        unsafe { scope::borrow(self.store, |store| work(Access { store, get_data })) }
    }

    /// What makes `D` of the store's data.
    pub fn getter(&self) -> fn(&mut T) -> D::Data<'_> {
        self.get_data
    }

    /// An accessor to something else in the store's data.
    pub fn with_getter<E: HasData>(&self, get_data: fn(&mut T) -> E::Data<'_>) -> Accessor<T, E> {
        Accessor { store: self.store, get_data }
    }

    /// Begins a task, which goes on beside this future and after its end: whenever guests of
    /// the store run.
    ///
    /// # Panics
    ///
    /// As [`Accessor::with`].
    #[track_caller]
    pub fn spawn(&self, task: impl AccessorTask<T, D>) -> JoinHandle {
        self.with(|mut access| access.spawn(task))
    }
}

/// What has an [`Accessor`].
pub trait AsAccessor {
    /// The data of the store.
    type Data: 'static;
    /// What the accessor gets of that.
    type AccessorData: HasData + ?Sized;

    /// The accessor.
    fn as_accessor(&self) -> &Accessor<Self::Data, Self::AccessorData>;
}

impl<A: AsAccessor + ?Sized> AsAccessor for &A {
    type Data = A::Data;
    type AccessorData = A::AccessorData;

    fn as_accessor(&self) -> &Accessor<A::Data, A::AccessorData> {
        A::as_accessor(self)
    }
}

impl<T: 'static, D: HasData + ?Sized> AsAccessor for Accessor<T, D> {
    type Data = T;
    type AccessorData = D;

    fn as_accessor(&self) -> &Accessor<T, D> {
        self
    }
}

/// A store, and what a host has in its data: what [`Accessor::with`] gives.
pub struct Access<'a, T: 'static, D: HasData + ?Sized = HasSelf<T>> {
    store: StoreContextMut<'a, T>,
    get_data: fn(&mut T) -> D::Data<'_>,
}

impl<'a, T: 'static, D: HasData + ?Sized> Access<'a, T, D> {
    /// Of its parts.
    pub fn new(
        store: StoreContextMut<'a, T>,
        get_data: fn(&mut T) -> D::Data<'_>,
    ) -> Access<'a, T, D> {
        Access { store, get_data }
    }

    /// The store's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// What the host has in the store's data.
    pub fn get(&mut self) -> D::Data<'_> {
        (self.get_data)(self.store.data_mut())
    }

    /// What makes that of the store's data.
    pub fn getter(&self) -> fn(&mut T) -> D::Data<'_> {
        self.get_data
    }

    /// Begins a task; see [`Accessor::spawn`].
    pub fn spawn(&mut self, task: impl AccessorTask<T, D>) -> JoinHandle {
        let accessor = Accessor { store: scope::number(&mut self.store), get_data: self.get_data };
        spawn::spawn(self.store.as_context_mut(), accessor, task)
    }
}

impl<T: 'static, D: HasData + ?Sized> AsContext for Access<'_, T, D> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static, D: HasData + ?Sized> AsContextMut for Access<'_, T, D> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

/// A future that is lent a store whenever it is polled, and when it is dropped.
struct Lending<'a, T: 'static, F: Future + ?Sized> {
    store: StoreContextMut<'a, T>,
    future: Option<Pin<Box<F>>>,
}

impl<'a, T: 'static, F: Future + ?Sized> Lending<'a, T, F> {
    fn new(store: StoreContextMut<'a, T>, future: Pin<Box<F>>) -> Self {
        Lending { store, future: Some(future) }
    }
}

impl<T: 'static, F: Future + ?Sized> Future for Lending<'_, T, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Lending { store, future } = &mut *self;
        match future {
            Some(future) => lend(store.as_context_mut(), || future.as_mut().poll(context)),
            None => Poll::Pending,
        }
    }
}

impl<T: 'static, F: Future + ?Sized> Drop for Lending<'_, T, F> {
    fn drop(&mut self) {
        let future = self.future.take();
        lend(self.store.as_context_mut(), || drop(future));
    }
}
