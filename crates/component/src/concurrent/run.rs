//! Letting guests go on beside a future of the host's, and its calls of them.
//!
//! The future, and what goes on in the store, take turns. Guests have theirs on a stack of
//! its own, so that what they call can wait; the future is polled where the executor polls,
//! and only if it was woken. When nobody can go on, the executor is told to come back when
//! somebody is woken: the future, or a function of the host's.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use zwasm::{AsContextMut, Error, Result, StoreContextMut};

use super::{Accessor, AccessorTask, AsAccessor, JoinHandle, Lending, spawn};
use crate::abi::call::lower_vals;
use crate::abi::stack::polled;
use crate::state::Components;
use crate::task::{LowerLater, Promised, Turns, lift_for_host, turns};
use crate::{ComponentNamedList, Func, Lift, Lower, TypedFunc, Val};

/// Stores in which guests run beside futures of the host's.
pub trait RunConcurrent: AsContextMut<Data: Send> {
    /// Polls a future of the host's and lets guests go on meanwhile: the calls that it makes
    /// with [`TypedFunc::call_concurrent`], what earlier calls have left behind, functions
    /// of the host's and tasks. The result is the future's; what goes on beside it then waits
    /// for the next call of this, or any other, that lets guests of the store run.
    ///
    /// It runs on any executor, and goes on when it is polled. Guests that do not wait are
    /// interrupted only as the engine's fuel and epochs have it. If neither the future nor
    /// anybody else can go on, it is pending. A loop of [`set_loop`](crate::set_loop) is
    /// waited for then first, which keeps the thread.
    ///
    /// ```
    /// # fn block_on<R>(future: impl Future<Output = R>) -> R {
    /// #     let mut future = std::pin::pin!(future);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop {
    /// #         if let std::task::Poll::Ready(result) = future.as_mut().poll(&mut context) {
    /// #             return result;
    /// #         }
    /// #     }
    /// # }
    /// use zwasm::{Engine, Result, Store};
    /// use zwasm_component::{Component, Linker, RunConcurrent};
    /// let engine = Engine::default();
    /// let component = Component::new(&engine, r#"(component
    ///     (core module $m
    ///         (func (export "double") (param i32) (result i32)
    ///             (i32.mul (local.get 0) (i32.const 2))))
    ///     (core instance $m (instantiate $m))
    ///     (func (export "double") (param "x" u32) (result u32)
    ///         (canon lift (core func $m "double"))))"#)?;
    /// let mut store = Store::new(&engine, 5);
    /// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    /// let double = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "double")?;
    /// let sum = block_on(store.run_concurrent(async |accessor| -> Result<u32> {
    ///     let first = accessor.with(|mut access| *access.get());
    ///     let first = double.call_concurrent(accessor, (first,));
    ///     let second = double.call_concurrent(accessor, (7,));
    ///     // An executor's `join!` would have both go on at once.
    ///     Ok(second.await?.0 + first.await?.0)
    /// }))?;
    /// assert_eq!(sum?, 24);
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// If this is dropped, so is the future; a guest that just waits for a function of
    /// [`func_wrap_async`](crate::LinkerInstance::func_wrap_async), in which nothing else goes
    /// on in the store, ends as with [`TypedFunc::call_async`].
    ///
    /// # Errors
    ///
    /// What stopped a guest or a task, whoever has called it, and if there is no stack. The
    /// future is dropped then, and the calls of the component that has trapped have ended;
    /// what goes on in others does so the next time.
    fn run_concurrent<R>(
        &mut self,
        work: impl AsyncFnOnce(&Accessor<Self::Data>) -> R,
    ) -> impl Future<Output = Result<R>>;

    /// Begins a task; see [`Accessor::spawn`].
    fn spawn(&mut self, task: impl AccessorTask<Self::Data>) -> JoinHandle;
}

impl<C: AsContextMut<Data: Send>> RunConcurrent for C {
    fn run_concurrent<R>(
        &mut self,
        work: impl AsyncFnOnce(&Accessor<C::Data>) -> R,
    ) -> impl Future<Output = Result<R>> {
        let store = self.as_context_mut();
        async move {
            let mut store = store;
            let accessor = Accessor::new(&mut store);
            let future = Box::pin(work(&accessor));
            run(Lending::new(store, future)).await
        }
    }

    fn spawn(&mut self, task: impl AccessorTask<C::Data>) -> JoinHandle {
        let mut store = self.as_context_mut();
        let accessor = Accessor::new(&mut store);
        spawn::spawn(store, accessor, task)
    }
}

/// Whether the host's future was woken, and who polls that.
struct Root {
    woken: AtomicBool,
    executor: Mutex<Waker>,
}

impl Root {
    fn set_executor(&self, waker: &Waker) {
        self.executor.lock().unwrap_or_else(PoisonError::into_inner).clone_from(waker);
    }
}

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        let executor = self.executor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        executor.wake();
    }
}

/// Polls a future and lets guests go on.
pub(super) async fn run<T: Send + 'static, R, F>(mut lending: Lending<'_, T, F>) -> Result<R>
where
    F: Future<Output = R> + ?Sized,
{
    let root = Arc::new(Root {
        woken: AtomicBool::new(true),
        executor: Mutex::new(Waker::noop().clone()),
    });
    let waker = Waker::from(root.clone());
    let woken = lending.store.attachment::<Components>().tasks.host.woken();
    loop {
        poll_fn(|context| {
            root.set_executor(context.waker());
            Poll::Ready(())
        })
        .await;
        if root.woken.swap(false, Ordering::Acquire) {
            let mut context = Context::from_waker(&waker);
            if let Poll::Ready(result) = Pin::new(&mut lending).poll(&mut context) {
                return Ok(result);
            }
        }
        let mut idle = lending.store.attachment::<Components>().is_idle();
        if !idle {
            let root = root.clone();
            let work = move |mut store: StoreContextMut<'_, T>| turns(&mut store, &root.woken);
            idle = match polled(lending.store.as_context_mut(), work).await? {
                Turns::Idle => true,
                Turns::Taken => false,
            };
        }
        let mut yielded = false;
        poll_fn(|context| {
            root.set_executor(context.waker());
            if root.woken.load(Ordering::Acquire) || yielded {
                return Poll::Ready(());
            }
            if !idle {
                // The executor has others to poll.
                yielded = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            woken.poll(context)
        })
        .await;
    }
}

/// Makes a call that begins when its turn comes.
fn promise(
    accessor: &impl AsAccessor,
    func: Func,
    lower: LowerLater,
    lift: crate::task::HostLift,
) -> Result<Promised> {
    accessor.as_accessor().with(|mut access| {
        let mut store = access.as_context_mut();
        store.attachment::<Components>().promise_call(func, lower, lift)
    })
}

impl Func {
    /// As [`Func::call_async`], beside other calls; see [`TypedFunc::call_concurrent`].
    ///
    /// # Errors
    ///
    /// Likewise.
    ///
    /// # Panics
    ///
    /// Likewise.
    pub async fn call_concurrent(
        self,
        accessor: impl AsAccessor,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let expected = accessor.as_accessor().with(|access| self.try_ty(access))?.results().len();
        if expected != results.len() {
            let got = results.len();
            return Err(Error::msg(format!("expected {expected} result(s), got {got}")));
        }
        let params = params.to_vec();
        let lower: LowerLater =
            Box::new(move |cx, ty, at| lower_vals(cx, ty, at, &params, "argument"));
        let result = promise(&accessor, self, lower, lift_for_host::<Val>)?.await?;
        if let Ok(Val::Tuple(values)) = result.downcast::<Val>().map(|value| *value) {
            for (place, value) in results.iter_mut().zip(values) {
                *place = value;
            }
        }
        Ok(())
    }
}

impl<Params, Return> TypedFunc<Params, Return>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift + 'static,
{
    /// Calls the function beside other calls: within
    /// [`run_concurrent`](RunConcurrent::run_concurrent), or a function or task of the host's
    /// with an [`Accessor`]. It begins once this is polled and the guest takes calls, in the
    /// order in which that is so. A component is not entered while it waits in a synchronous
    /// function of the host's.
    ///
    /// If this is dropped before the result is there, the call goes on, and nobody has the
    /// result.
    ///
    /// # Errors
    ///
    /// If the component has trapped, before or meanwhile, the arguments cannot be lowered, or
    /// the function is of another store.
    ///
    /// # Panics
    ///
    /// If the accessor cannot be used; see [`Accessor::with`].
    pub async fn call_concurrent(self, accessor: impl AsAccessor, params: Params) -> Result<Return>
    where
        Params: 'static,
    {
        let lower: LowerLater = Box::new(move |cx, ty, at| params.lower(cx, ty, at));
        let result = promise(&accessor, *self.func(), lower, lift_for_host::<Return>)?.await?;
        let result = result.downcast::<Return>().map(|value| *value);
        result.map_err(|_| Error::msg("the function returned something else"))
    }
}
