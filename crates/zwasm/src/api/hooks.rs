//! A hook that is called whenever control passes between host and guest.

use super::store::{Store, StoreContextMut};
use crate::error::Result;
use crate::store::StoreCore;
pub use crate::store::hooks::CallHook;

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
        self.core_mut().set_hook(Box::new(call));
    }
}
