//! Functions of the host's that run beside guests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use zwasm::{AsContextMut, Result, StoreContextMut};

use super::run::run;
use super::{Accessor, Lending, lend};
use crate::abi::stack::wait_for;
use crate::types::ComponentFunc;
use crate::{
    AnyStore, ComponentNamedList, Lift, LinkerInstance, Lower, RawCall, ResourceType, Val,
};

type Pending<R> = Pin<Box<dyn Future<Output = Result<R>> + Send>>;

/// Gives the guest a function's result.
type Finish<R> = fn(&mut RawCall<'_>, &mut dyn AnyStore, &R) -> Result<()>;

/// Has a call wait for a future: as a task of its own, or, if the function is of a
/// synchronous type, as a call of the host's that lets others go on meanwhile.
fn answer<T: Send + 'static, R: 'static>(
    mut store: StoreContextMut<'_, T>,
    call: &mut RawCall<'_>,
    future: Pending<R>,
    finish: Finish<R>,
) -> Result<()> {
    if !call.may_wait() {
        let result =
            wait_for(store.as_context_mut(), |store| Box::pin(run(Lending::new(store, future))))???;
        return finish(call, &mut store, &result);
    }
    // The lock is for sharing only: nobody else has it.
    let mut future = Mutex::new(future);
    call.pend(move |mut store: StoreContextMut<'_, T>, call, context| {
        let future = future.get_mut().unwrap_or_else(PoisonError::into_inner);
        match lend(store.as_context_mut(), || future.as_mut().poll(context)) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => {
                Poll::Ready(result.and_then(|result| finish(call, &mut store, &result)))
            }
        }
    });
    Ok(())
}

impl<T: Send + 'static> LinkerInstance<'_, T> {
    /// As [`LinkerInstance::func_wrap`], from a closure that gives a future, which comes to
    /// the store through an [`Accessor`]: other guests, and other functions like this, go on
    /// while it waits.
    ///
    /// A guest that calls the function asynchronously goes on itself; if it calls it
    /// synchronously, its task waits, and the others in it go on. The future is dropped if
    /// the guest cancels the call. Where the function's type is synchronous, the guest's call
    /// has to be a future, as with [`LinkerInstance::func_wrap_async`]; its component is not
    /// entered meanwhile, others are.
    ///
    /// ```
    /// # use zwasm::{Engine, Result};
    /// use zwasm_component::{Accessor, Linker};
    /// let mut linker = Linker::<u32>::new(&Engine::default());
    /// linker.root().func_wrap_concurrent("count", |accessor: &Accessor<u32>, (by,): (u32,)| {
    ///     Box::pin(async move {
    ///         std::future::ready(()).await;
    ///         Ok((accessor.with(|mut access| {
    ///             *access.get() += by;
    ///             *access.get()
    ///         }),))
    ///     })
    /// })?;
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn func_wrap_concurrent<Params, Return, F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(
                &'a Accessor<T>,
                Params,
            ) -> Pin<Box<dyn Future<Output = Result<Return>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        let func = Arc::new(func);
        self.func_raw::<Params, Return>(name, move |mut store, call| {
            let params = call.args::<Params>(&mut store)?;
            let (func, accessor) = (func.clone(), Accessor::new(&mut store));
            let future = Box::pin(async move { func(&accessor, params).await });
            answer(store, call, future, |call, store, result: &Return| call.finish(store, result))
        })
    }

    /// As [`LinkerInstance::func_new`], from a closure that gives a future; see
    /// [`LinkerInstance::func_wrap_concurrent`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn func_new_concurrent<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(
                &'a Accessor<T>,
                ComponentFunc,
                &'a [Val],
                &'a mut [Val],
            ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        let func = Arc::new(func);
        self.func_any(name, move |mut store, call| {
            let (ty, params) = (call.ty(), call.vals(&mut store)?);
            let (func, accessor) = (func.clone(), Accessor::new(&mut store));
            let future = Box::pin(async move {
                let mut results = vec![Val::Tuple(Vec::new()); ty.results().len()];
                func(&accessor, ty, &params, &mut results).await?;
                Ok(results)
            });
            answer(store, call, future, |call, store, results: &Vec<Val>| {
                store.unsuspendable(&mut |store| call.finish_vals(store, results))
            })
        })
    }

    /// As [`LinkerInstance::resource`], with a destructor that gives a future, for which the
    /// guest waits.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn resource_concurrent<F>(&mut self, name: &str, ty: ResourceType, dtor: F) -> Result<()>
    where
        F: for<'a> Fn(
                &'a Accessor<T>,
                u32,
            ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        let dtor = Arc::new(dtor);
        self.resource(name, ty, move |mut store, rep| {
            let (dtor, accessor) = (dtor.clone(), Accessor::new(&mut store));
            let future: Pending<()> = Box::pin(async move { dtor(&accessor, rep).await });
            wait_for(store.as_context_mut(), |store| Box::pin(run(Lending::new(store, future))))??
        })
    }
}
