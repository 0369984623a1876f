//! A hook of the embedder's that is called whenever control passes between host and guest.

use super::StoreCore;
use crate::error::Result;

/// Where control passes; see [`Store::call_hook`](crate::Store::call_hook).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallHook {
    /// The host calls a function of the guest.
    CallingWasm,
    /// A function of the guest returns to the host.
    ReturningFromWasm,
    /// The guest calls a function of the host.
    CallingHost,
    /// A function of the host returns to the guest.
    ReturningFromHost,
}

impl CallHook {
    /// Whether the host runs from here on.
    pub fn entering_host(&self) -> bool {
        matches!(self, CallHook::ReturningFromWasm | CallHook::CallingHost)
    }

    /// Whether the guest runs from here on.
    pub fn exiting_host(&self) -> bool {
        !self.entering_host()
    }
}

/// What calls the embedder's hook.
pub(crate) type Hook = Box<dyn FnMut(*mut StoreCore, CallHook) -> Result<()> + Send + Sync>;

impl StoreCore {
    /// Calls the hook, if there is one. It is not called for what it does itself.
    ///
    /// # Safety
    ///
    /// `this` is valid and ours alone, and the user's data is not borrowed.
    #[cold]
    pub(crate) unsafe fn pass(this: *mut StoreCore, what: CallHook) -> Result<()> {
        // SAFETY: by the contract; while it runs the hook is nowhere else.
        unsafe {
            let Some(mut hook) = (*this).call_hook.take() else { return Ok(()) };
            let outcome = hook(this, what);
            (*this).call_hook.get_or_insert(hook);
            outcome
        }
    }
}
