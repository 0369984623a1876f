//! Calls that wait: futures, for any executor, and host functions that are futures.
//!
//! A call has a stack of its own, on which it is made as a synchronous one is. Polling it goes
//! on there; a host function that is a future is polled there, and as long as that is pending,
//! so is the call. A component's tasks take turns within the call; when none of them can go
//! on, but a function of the host's is not finished, the call is pending until that is woken.

use std::future::Future;

use zwasm::{AsContextMut, Result, StoreContextMut};

use crate::abi::stack::{polled, wait_for};
use crate::types::ComponentFunc;
use crate::{
    Check, Component, ComponentNamedList, Func, Instance, InstancePre, Lift, Linker,
    LinkerInstance, Lower, RawCall, ResourceAny, ResourceType, TypedFunc, Val,
};

impl Func {
    /// As [`Func::call`], where functions of the host's may wait: those of
    /// [`LinkerInstance::func_wrap_async`]. A future that is dropped ends the call where it
    /// waits, and the component cannot be entered again.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        polled(store.as_context_mut(), move |store| self.call(store, params, results)).await
    }

    /// Nothing; see [`Func::post_return`].
    ///
    /// # Errors
    ///
    /// None.
    pub async fn post_return_async(&self, _store: impl AsContextMut<Data: Send>) -> Result<()> {
        Ok(())
    }
}

impl<Params, Return> TypedFunc<Params, Return>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift + 'static,
{
    /// As [`TypedFunc::call`], where functions of the host's may wait; see
    /// [`Func::call_async`].
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
    /// use zwasm::{Engine, Store, StoreContextMut};
    /// use zwasm_component::{Component, Linker};
    /// let engine = Engine::default();
    /// let component = Component::new(&engine, r#"(component
    ///     (import "fetch" (func $fetch (param "key" u32) (result u32)))
    ///     (core func $fetch (canon lower (func $fetch)))
    ///     (core module $m
    ///         (import "" "fetch" (func $fetch (param i32) (result i32)))
    ///         (func (export "next") (param i32) (result i32)
    ///             (i32.add (call $fetch (local.get 0)) (i32.const 1))))
    ///     (core instance $m (instantiate $m
    ///         (with "" (instance (export "fetch" (func $fetch))))))
    ///     (func (export "next") (param "key" u32) (result u32)
    ///         (canon lift (core func $m "next"))))"#)?;
    /// let mut linker = Linker::new(&engine);
    /// linker.root().func_wrap_async("fetch", |store: StoreContextMut<'_, u32>, (key,): (u32,)| {
    ///     Box::new(async move {
    ///         std::future::ready(()).await;
    ///         Ok((key + *store.data(),))
    ///     })
    /// })?;
    /// let mut store = Store::new(&engine, 20);
    /// let next = block_on(async {
    ///     let instance = linker.instantiate_async(&mut store, &component).await?;
    ///     let next = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "next")?;
    ///     next.call_async(&mut store, (21,)).await
    /// })?;
    /// assert_eq!(next, (42,));
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        params: Params,
    ) -> Result<Return> {
        polled(store.as_context_mut(), move |store| self.call(store, params)).await
    }

    /// Nothing; see [`Func::post_return`].
    ///
    /// # Errors
    ///
    /// None.
    pub async fn post_return_async(&self, _store: impl AsContextMut<Data: Send>) -> Result<()> {
        Ok(())
    }
}

impl ResourceAny {
    /// As [`ResourceAny::resource_drop`], where the destructor may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn resource_drop_async(self, mut store: impl AsContextMut<Data: Send>) -> Result<()> {
        polled(store.as_context_mut(), move |store| self.resource_drop(store)).await
    }
}

impl<T: Send + 'static> InstancePre<T> {
    /// As [`InstancePre::instantiate`], where start functions may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn instantiate_async(
        &self,
        mut store: impl AsContextMut<Data = T>,
    ) -> Result<Instance> {
        polled(store.as_context_mut(), move |store| self.instantiate(store)).await
    }
}

impl<T: Send + 'static> Linker<T> {
    /// As [`Linker::instantiate`], where start functions may wait.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no stack.
    pub async fn instantiate_async(
        &self,
        store: impl AsContextMut<Data = T>,
        component: &Component,
    ) -> Result<Instance> {
        self.instantiate_pre(component)?.instantiate_async(store).await
    }
}

impl<T: Send + 'static> LinkerInstance<'_, T> {
    /// As [`LinkerInstance::func_wrap`], from a closure that gives a future of the result. The
    /// function can be called within calls that are futures, as by [`TypedFunc::call_async`]:
    /// another call is stopped with an error. Nothing else goes on in the store while it
    /// waits.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn func_wrap_async<Params, Return, F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(
                StoreContextMut<'_, T>,
                Params,
            ) -> Box<dyn Future<Output = Result<Return>> + Send + '_>
            + Send
            + Sync
            + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        self.func_raw::<Params, Return>(name, move |mut store, call| {
            let params = call.args::<Params>(&mut store)?;
            let future = |store| Box::into_pin(func(store, params));
            let result = wait_for(store.as_context_mut(), future)??;
            call.finish(&mut store, &result)
        })
    }

    /// As [`LinkerInstance::func_new`], from a closure that gives a future; see
    /// [`LinkerInstance::func_wrap_async`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn func_new_async<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(
                StoreContextMut<'a, T>,
                ComponentFunc,
                &'a [Val],
                &'a mut [Val],
            ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        self.func_new(name, move |mut store, ty, params, results| {
            let future = |store| Box::into_pin(func(store, ty, params, results));
            wait_for(store.as_context_mut(), future)?
        })
    }

    /// As [`LinkerInstance::func_checked`], from a closure that gives a future; see
    /// [`LinkerInstance::func_wrap_async`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn func_checked_async<F>(
        &mut self,
        name: &str,
        params: Check,
        results: Check,
        func: F,
    ) -> Result<()>
    where
        F: for<'a> Fn(
                StoreContextMut<'a, T>,
                &'a mut RawCall<'_>,
            ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        self.func_checked(name, params, results, move |mut store, call| {
            wait_for(store.as_context_mut(), |store| Box::into_pin(func(store, call)))?
        })
    }

    /// As [`LinkerInstance::resource`], with a destructor that gives a future; see
    /// [`LinkerInstance::func_wrap_async`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn resource_async<F>(&mut self, name: &str, ty: ResourceType, dtor: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, u32) -> Box<dyn Future<Output = Result<()>> + Send + '_>
            + Send
            + Sync
            + 'static,
    {
        self.resource(name, ty, move |mut store, rep| {
            wait_for(store.as_context_mut(), |store| Box::into_pin(dtor(store, rep)))?
        })
    }
}
