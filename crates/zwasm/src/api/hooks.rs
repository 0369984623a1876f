//! A hook that is called whenever control passes between host and guest.

#[cfg(feature = "async")]
use std::{future::Future, pin::Pin};

use super::store::{Store, StoreContextMut};
use crate::error::Result;
#[cfg(feature = "async")]
use crate::stack::waiting;
use crate::store::StoreCore;
pub use crate::store::hooks::CallHook;
use crate::store::hooks::Hook;

impl<T> Store<T> {
    /// Has `hook` called whenever the guest is entered or left. Its error stops the guest.
    /// Calls that the hook itself makes call no hook.
    ///
    /// ```
    /// use zwasm::{CallHook, Engine, Func, Store};
    /// let mut store = Store::new(&Engine::default(), 0);
    /// store.call_hook(|mut store, hook| {
    ///     *store.data_mut() += i32::from(hook == CallHook::CallingWasm);
    ///     Ok(())
    /// });
    /// let func = Func::wrap(&mut store, || {});
    /// func.call(&mut store, &[], &mut [])?;
    /// assert_eq!(*store.data(), 1);
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    pub fn call_hook(
        &mut self,
        mut hook: impl FnMut(StoreContextMut<'_, T>, CallHook) -> Result<()> + Send + Sync + 'static,
    ) {
        // SAFETY: the hook is for stores with this data, and called while the guest waits.
        let call = move |core: *mut StoreCore, what: CallHook| unsafe {
            hook(StoreContextMut::from_core(core), what)
        };
        self.core_mut().set_hook(Hook { call: Box::new(call), waits: false });
    }

    /// As [`Store::call_hook`], with a hook that may wait. It does so in calls that are
    /// futures, like [`Func::call_async`](crate::Func::call_async); in others, and where a host
    /// function that is no future lies between, the guest is stopped with an error if the
    /// hook is not done at once.
    #[cfg(feature = "async")]
    pub fn call_hook_async(&mut self, hook: impl CallHookHandler<T> + Sync + 'static) {
        let call = move |core: *mut StoreCore, what: CallHook| {
            // The guest's call of a host function has its record then.
            let in_host = match what {
                CallHook::CallingHost | CallHook::ReturningFromHost => true,
                CallHook::CallingWasm | CallHook::ReturningFromWasm => false,
            };
            // SAFETY: the hook is for stores with this data, and called while the guest waits.
            unsafe {
                let future = hook.handle_call_event(StoreContextMut::from_core(core), what);
                waiting::at_once_or_wait(core, in_host, future).flatten()
            }
        };
        self.core_mut().set_hook(Hook { call: Box::new(call), waits: true });
    }
}

/// A hook that may wait; see [`Store::call_hook_async`]. Its method is written as
/// `async-trait` writes `async fn`: with that, or by hand:
///
/// ```
/// use std::pin::Pin;
/// use zwasm::{CallHook, CallHookHandler, Result, Store, StoreContextMut};
/// struct Counts;
///
/// impl CallHookHandler<u32> for Counts {
///     fn handle_call_event<'a, 'b, 'c>(
///         &'a self,
///         mut store: StoreContextMut<'b, u32>,
///         hook: CallHook,
///     ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>
///     where
///         'a: 'c,
///         'b: 'c,
///         Self: 'c,
///     {
///         Box::pin(async move {
///             std::future::ready(()).await;
///             *store.data_mut() += u32::from(hook.entering_host());
///             Ok(())
///         })
///     }
/// }
///
/// let mut store = Store::new(&zwasm::Engine::default(), 0);
/// store.call_hook_async(Counts);
/// ```
#[cfg(feature = "async")]
pub trait CallHookHandler<T>: Send {
    /// What is done where control passes. Its error stops the guest.
    fn handle_call_event<'life0, 'life1, 'async_trait>(
        &'life0 self,
        store: StoreContextMut<'life1, T>,
        hook: CallHook,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait;
}
