//! Calls that wait: futures, for any executor, and host functions that are futures.
//!
//! A call runs on a [fiber](crate::fiber). Polling it resumes that; a host function polls its
//! own future there, and suspends the fiber as long as that is pending. So the guest notices
//! nothing, and the executor's thread does not wait.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::boundary::{Visits, host_code};
use super::caller::{Caller, dynamic_code};
use super::externs::{Extern, Memory};
use super::func::{Func, TypedFunc, same_engine};
use super::instance::Instance;
use super::linker::{InstancePre, Linker};
use super::store::{AsContext, AsContextMut, Store, StoreContextMut};
use super::table::Table;
use super::types::{FuncType, TableType};
use super::val::{Ref, Val};
use super::wasm_ty::{WasmParams, WasmResults, WasmRet};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::stack::activation::HostCall;
use crate::stack::fiber::{self, Key, Resumer, Work};
use crate::stack::waiting;
use crate::store::limits::UpdateDeadline;
use crate::store::{HostCode, StoreCore};
use crate::types::MemoryType;

/// The parameters of a host function that is a future: a tuple of types, or one.
pub trait WasmTyList: WasmParams + WasmResults {}

impl<P: WasmParams + WasmResults> WasmTyList for P {}

/// Something that runs on a fiber, polled. If it is dropped before it has ended it is
/// unwound.
struct OnFiber<'a, R> {
    core: *mut StoreCore,
    /// None when it has ended.
    key: Option<Key>,
    store: PhantomData<&'a mut ()>,
    result: PhantomData<fn() -> R>,
}

// SAFETY: it borrows the store exclusively, whose data can go to other threads, and so can all
// that lies on the fiber: see `crate::stack::waiting`.
unsafe impl<R> Send for OnFiber<'_, R> {}

impl<'a, R: Send + 'static> OnFiber<'a, R> {
    fn new<T: Send>(
        store: &'a mut StoreContextMut<'_, T>,
        work: impl FnOnce(*mut StoreCore) -> Result<R> + Send + 'static,
    ) -> Result<OnFiber<'a, R>> {
        let core = store.core();
        let work: Work = Box::new(move |core| Box::new(work(core)));
        // SAFETY: the context is exclusive.
        let key = unsafe { fiber::make(core, Resumer::Future, work)? };
        Ok(OnFiber { core, key: Some(key), store: PhantomData, result: PhantomData })
    }

    /// The same for what has borrowed something.
    fn borrowing<T: Send>(
        store: StoreContextMut<'a, T>,
        work: impl FnOnce(StoreContextMut<'_, T>) -> Result<R> + Send + 'a,
    ) -> Result<OnFiber<'a, R>> {
        type Borrowing<'a> = Box<dyn FnOnce(*mut StoreCore) -> Box<dyn Any + Send> + Send + 'a>;
        let core = store.core();
        // SAFETY: the fiber's context is exclusive, and of a store with this data.
        let work: Borrowing<'a> =
            Box::new(move |core| Box::new(work(unsafe { StoreContextMut::from_core(core) })));
        // SAFETY: dropping this, which is not done later than what is borrowed lives, ends the
        // fiber. If this is forgotten the fiber is not resumed any more.
        let key = unsafe {
            let work = std::mem::transmute::<Borrowing<'a>, Work>(work);
            fiber::make(core, Resumer::Future, work)?
        };
        Ok(OnFiber { core, key: Some(key), store: PhantomData, result: PhantomData })
    }
}

/// Runs a closure on a stack of its own, which may wait there: a future, for the crates above
/// this one.
///
/// # Errors
///
/// If there is no stack for it.
///
/// # Safety
///
/// All that is in the closure's frames when it waits may go to other threads, and nothing
/// there depends on the thread. Closures of the embedder's do not bear that: their calls into
/// the store are made [`unsuspendable`](super::fiber::unsuspendable), unless the guest makes
/// them.
pub unsafe fn polled<'a, T: Send, R: Send + 'static>(
    store: StoreContextMut<'a, T>,
    work: impl FnOnce(StoreContextMut<'_, T>) -> Result<R> + Send + 'a,
) -> Result<impl Future<Output = Result<R>> + Send + 'a> {
    OnFiber::borrowing(store, work)
}

/// Waits in a host function for a future, if the guest was called by one.
///
/// # Errors
///
/// If it was not, or something between may not wait; and
/// [`Cancelled`](super::fiber::Cancelled).
///
/// # Safety
///
/// As [`suspend`](super::fiber::suspend), for the frames of the host function that the guest
/// has called last.
pub unsafe fn wait_for<'a, T, R>(
    store: StoreContextMut<'a, T>,
    future: impl FnOnce(StoreContextMut<'a, T>) -> Pin<Box<dyn Future<Output = R> + Send + 'a>>,
) -> Result<R> {
    let core = store.core();
    // SAFETY: the context is exclusive, and lent to the future; the rest is the contract.
    unsafe { waiting::wait_for(core, future(store)) }
}

/// Whether [`wait_beyond`] can wait here.
pub fn can_wait_beyond(store: impl AsContext) -> bool {
    // SAFETY: the context keeps the store.
    unsafe { waiting::can_wait_beyond(store.as_context().core()) }
}

/// The same where no host function is between the guest, or the start of what is polled, and
/// here, or only such as [`pass`](super::fiber::pass).
///
/// # Errors
///
/// Likewise.
///
/// # Safety
///
/// Likewise.
pub unsafe fn wait_beyond<T, R>(
    store: StoreContextMut<'_, T>,
    future: Pin<Box<dyn Future<Output = R> + Send + '_>>,
) -> Result<R> {
    // SAFETY: the context is exclusive; the rest is the contract.
    unsafe { waiting::wait_beyond(store.core(), future) }
}

impl<R: Send + 'static> Future for OnFiber<'_, R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        let ended = || Error::msg("the call has ended");
        let Some(key) = self.key else { return Poll::Ready(Err(ended())) };
        // SAFETY: the store is borrowed exclusively.
        let done = match unsafe { waiting::poll(self.core, key, context.waker()) } {
            Ok(None) => return Poll::Pending,
            Ok(Some(done)) => done,
            Err(error) => return Poll::Ready(Err(error)),
        };
        self.key = None;
        let result = done.unwrap_or_else(|panic| resume_unwind(panic));
        Poll::Ready(result.downcast::<Result<R>>().map_or_else(|_| Err(ended()), |result| *result))
    }
}

impl<R> Drop for OnFiber<'_, R> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            // SAFETY: the store is borrowed exclusively.
            unsafe { fiber::cancel(self.core, key) };
        }
    }
}

/// The code of a host function whose closure gives a future of its results.
fn wrapped<T, F, P, R>(func: F) -> HostCode
where
    F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = R> + Send + 'a>
        + Send
        + Sync
        + 'static,
    P: WasmTyList,
    R: WasmRet,
    T: Send + 'static,
{
    host_code::<Visits, _>(move |call: HostCall| {
        // SAFETY: the frame of the call has these slots, and its arguments have the function's
        // types.
        unsafe {
            let params = <P as WasmResults>::load(call.store, call.slots);
            let future = Box::into_pin(func(Caller::new(call), params));
            waiting::wait_for(call.store, future)?.store(call.store, call.slots)
        }
    })
}

/// The same over dynamically typed values.
fn dynamic<T, F>(ty: &FuncType, func: F) -> HostCode
where
    F: for<'a> Fn(
            Caller<'a, T>,
            &'a [Val],
            &'a mut [Val],
        ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
        + Send
        + Sync
        + 'static,
    T: Send + 'static,
{
    dynamic_code(ty.inner().clone(), move |caller, params, results| {
        let core = caller.core();
        let future = Box::into_pin(func(caller, params, results));
        // SAFETY: the guest waits for this; values can go to other threads.
        unsafe { waiting::wait_for(core, future)? }
    })
}

/// The type of such a function.
fn type_of<P: WasmTyList, R: WasmRet>(engine: &Engine) -> FuncType {
    FuncType::new(engine, <P as WasmParams>::types(), R::types())
}

impl Func {
    /// A host function from a closure that gives a future of the results. It can be called by
    /// what is called asynchronously, as by [`Func::call_async`]: another call is stopped with
    /// an error.
    pub fn wrap_async<T, F, P, R>(mut store: impl AsContextMut<Data = T>, func: F) -> Func
    where
        F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = R> + Send + 'a>
            + Send
            + Sync
            + 'static,
        P: WasmTyList,
        R: WasmRet,
        T: Send + 'static,
    {
        let context = store.as_context_mut();
        let ty = type_of::<P, R>(context.engine());
        // SAFETY: the closure is for stores with this data.
        unsafe { Func::from_code(context.core(), ty.inner(), wrapped(func)) }
    }

    /// The same over values of a type known at run time.
    ///
    /// # Panics
    ///
    /// If the type names one of another engine.
    #[track_caller]
    pub fn new_async<T, F>(mut store: impl AsContextMut<Data = T>, ty: FuncType, func: F) -> Func
    where
        F: for<'a> Fn(
                Caller<'a, T>,
                &'a [Val],
                &'a mut [Val],
            ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
        T: Send + 'static,
    {
        let context = store.as_context_mut();
        if let Err(error) = same_engine(&ty, context.engine()) {
            panic!("{error}");
        }
        let code = dynamic(&ty, func);
        // SAFETY: the context is exclusive, and the closure is for stores with its data.
        unsafe { Func::from_code(context.core(), ty.inner(), code) }
    }

    /// Calls the function on a stack of its own, so that host functions which are futures
    /// can wait: those of [`Func::wrap_async`]. A future that is dropped ends the call where
    /// it waits: everything in it is dropped.
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
    /// use zwasm::{Caller, Engine, Func, Store, Val};
    /// let mut store = Store::new(&Engine::default(), 20);
    /// let get = Func::wrap_async(&mut store, |caller: Caller<'_, i32>, (x,): (i32,)| {
    ///     Box::new(async move {
    ///         std::future::ready(()).await;
    ///         x + *caller.data()
    ///     })
    /// });
    /// let mut results = [Val::I32(0)];
    /// block_on(get.call_async(&mut store, &[Val::I32(1)], &mut results))?;
    /// assert_eq!(results[0].i32(), Some(21));
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Func::call`], and if there is no stack.
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let mut context = store.as_context_mut();
        let (func, given, wanted) = (*self, params.to_vec(), results.len());
        // Handles of the fiber are gone with it, so the slots are read here.
        let slots = OnFiber::new(&mut context, move |core| {
            // SAFETY: the fiber's context is exclusive.
            unsafe { func.call_in(core, &given, wanted, |_, slots| Box::<[u64]>::from(slots)) }
        })?
        .await?;
        // SAFETY: the context is exclusive, and there was no collection since the call.
        unsafe { self.read_results(context.core(), &slots, results) }
    }
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// As [`Func::call_async`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub async fn call_async(&self, mut store: impl AsContextMut<Data: Send>, params: P) -> Result<R>
    where
        P: Send + 'static,
        R: 'static,
    {
        let mut context = store.as_context_mut();
        let func = *self;
        let slots = OnFiber::new(&mut context, move |core| {
            // SAFETY: the fiber's context is exclusive.
            unsafe { func.call_in(core, params, |_, slots| Box::<[u64]>::from(slots)) }
        })?
        .await?;
        // SAFETY: as above; the slots hold values of the results' types.
        unsafe { Ok(R::load(context.core(), slots.as_ptr())) }
    }
}

impl Instance {
    /// As [`Instance::new`], where the start function may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn new_async(
        mut store: impl AsContextMut<Data: Send>,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let mut context = store.as_context_mut();
        let (module, imports) = (module.clone(), imports.to_vec());
        OnFiber::new(&mut context, move |core| {
            // SAFETY: the fiber's context is exclusive.
            unsafe { Instance::new_in(core, &module, &imports) }
        })?
        .await
    }
}

impl Memory {
    /// As [`Memory::new`], where a limiter may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn new_async(
        mut store: impl AsContextMut<Data: Send>,
        ty: MemoryType,
    ) -> Result<Memory> {
        OnFiber::borrowing(store.as_context_mut(), move |store| Memory::new(store, ty))?.await
    }

    /// As [`Memory::grow`], where a limiter may wait: that of
    /// [`Store::limiter_async`].
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn grow_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        delta: u64,
    ) -> Result<u64> {
        OnFiber::borrowing(store.as_context_mut(), move |store| self.grow(store, delta))?.await
    }
}

impl Table {
    /// As [`Table::new`], where a limiter may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn new_async(
        mut store: impl AsContextMut<Data: Send>,
        ty: TableType,
        init: Ref,
    ) -> Result<Table> {
        OnFiber::borrowing(store.as_context_mut(), move |store| Table::new(store, ty, init))?.await
    }

    /// As [`Table::grow`], where a limiter may wait: that of [`Store::limiter_async`].
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn grow_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        delta: u64,
        init: Ref,
    ) -> Result<u64> {
        let context = store.as_context_mut();
        OnFiber::borrowing(context, move |store| self.grow(store, delta, init))?.await
    }
}

impl<T: Send + 'static> Linker<T> {
    /// Defines a name as a host function that is a future; see [`Func::wrap_async`].
    ///
    /// # Errors
    ///
    /// As [`Linker::define`].
    pub fn func_wrap_async<F, P, R>(
        &mut self,
        module: &str,
        name: &str,
        func: F,
    ) -> Result<&mut Self>
    where
        F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = R> + Send + 'a>
            + Send
            + Sync
            + 'static,
        P: WasmTyList,
        R: WasmRet,
    {
        let ty = type_of::<P, R>(self.engine());
        self.insert_host(module, name, &ty, wrapped(func))
    }

    /// The same over values of a type known at run time.
    ///
    /// # Errors
    ///
    /// As [`Linker::func_new`].
    pub fn func_new_async<F>(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: F,
    ) -> Result<&mut Self>
    where
        F: for<'a> Fn(
                Caller<'a, T>,
                &'a [Val],
                &'a mut [Val],
            ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        same_engine(&ty, self.engine())?;
        let code = dynamic(&ty, func);
        self.insert_host(module, name, &ty, code)
    }

    /// As [`Linker::instantiate`], where the start function may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn instantiate_async(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let found = self.found(module)?;
        let mut context = store.as_context_mut();
        OnFiber::new(&mut context, move |core| {
            // SAFETY: the fiber's context is exclusive, and its data this linker's.
            unsafe { found.instantiate_in(core, false) }
        })?
        .await
    }

    /// As [`Linker::module`], where what it runs may wait, and so may a command's functions.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub async fn module_async(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        module: &Module,
    ) -> Result<&mut Self> {
        let Some(starts) = Self::is_reactor(module)? else {
            return self.command(module, |linker, name, ty, pre, of| {
                let call = move |mut caller: Caller<'_, T>, params: &[Val], results: &mut [Val]| {
                    let core = caller.core();
                    let (pre, of) = (pre.clone(), of.clone());
                    let called = async move {
                        let instance = pre.instantiate_async(&mut caller).await?;
                        let func = instance.get_func(&mut caller, &of);
                        let func = func.ok_or_else(|| Error::msg(format!("no function `{of}`")))?;
                        func.call_async(&mut caller, params, results).await
                    };
                    // SAFETY: the guest waits for this; values can go to other threads.
                    unsafe { waiting::wait_for(core, Box::pin(called))? }
                };
                linker.func_new(module_name, name, ty, call).map(drop)
            });
        };
        let mut store = store.as_context_mut();
        let instance = self.instantiate_async(store.as_context_mut(), module).await?;
        if starts {
            let start = instance.get_typed_func::<(), ()>(store.as_context_mut(), "_initialize")?;
            start.call_async(store.as_context_mut(), ()).await?;
        }
        self.define_reactor(store, module_name, instance)
    }
}

impl<T: Send + 'static> InstancePre<T> {
    /// As [`InstancePre::instantiate`], where the start function may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn instantiate_async(
        &self,
        mut store: impl AsContextMut<Data = T>,
    ) -> Result<Instance> {
        let pre = self.clone();
        let mut context = store.as_context_mut();
        OnFiber::new(&mut context, move |core| {
            // SAFETY: the fiber's context is exclusive, and its data the linker's.
            unsafe { pre.instantiate_in(core, true) }
        })?
        .await
    }
}

impl<T> Store<T> {
    /// Has a guest that was called asynchronously give others a turn whenever it has used so
    /// much fuel; it goes on when it is polled again, which it asks for at once. All fuel is
    /// that of [`Store::set_fuel`], as without this: when it is gone the guest traps, at the
    /// same place. None, as in a new store, has it go on without turns.
    ///
    /// A straight run of instructions is paid for before it begins, and one that costs more
    /// than is left until the next turn comes after that, however much it costs. A guest that
    /// was called synchronously is stopped with an error when it would give others a turn.
    ///
    /// ```
    /// use std::task::{Context, Waker};
    /// use zwasm::{Config, Engine, Instance, Module, Store};
    /// let mut config = Config::new();
    /// config.consume_fuel(true);
    /// let engine = Engine::new(&config)?;
    /// let module = Module::new(
    ///     &engine,
    ///     r#"(module (func (export "count") (param i32)
    ///         (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
    /// )?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let count = instance.get_typed_func::<i32, ()>(&mut store, "count")?;
    /// store.set_fuel(10_000)?;
    /// store.fuel_async_yield_interval(Some(1_000))?;
    /// let mut turns = 0;
    /// {
    ///     let mut call = std::pin::pin!(count.call_async(&mut store, 1_000));
    ///     let mut context = Context::from_waker(Waker::noop());
    ///     while call.as_mut().poll(&mut context).is_pending() {
    ///         turns += 1;
    ///     }
    /// }
    /// assert_eq!((turns, 10_000 - store.get_fuel()?), (4, 5_001));
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Config::consume_fuel`](crate::Config::consume_fuel), or
    /// the interval is 0.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.core_mut().set_fuel_interval(interval)
    }

    /// Has a guest that reaches its deadline give others a turn, and go on with a deadline so
    /// many epochs later; it must have been called asynchronously.
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        let ask = move |_| Ok(UpdateDeadline::Yield(delta));
        self.core_mut().ask_at_deadline(Some(Box::new(ask)));
    }
}

impl<T> StoreContextMut<'_, T> {
    /// As [`Store::epoch_deadline_async_yield_and_update`].
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        let ask = move |_| Ok(UpdateDeadline::Yield(delta));
        // SAFETY: the context is exclusive.
        unsafe { (*self.core()).ask_at_deadline(Some(Box::new(ask))) };
    }
}
