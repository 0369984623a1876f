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
            let Some(hook) = (*this).call_hook.take() else { return Ok(()) };
            let mut taken = Taken { store: this, hook: Some(hook) };
            taken.hook.as_mut().map_or(Ok(()), |hook| hook(this, what))
        }
    }
}

/// A hook while it runs. It goes back also when it panics, unless it has left another one.
struct Taken {
    store: *mut StoreCore,
    hook: Option<Hook>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        // SAFETY: the store outlives what runs in it, and the hook, which had it, has ended.
        let place = unsafe { &mut (*self.store).call_hook };
        if place.is_none() {
            *place = self.hook.take();
        }
    }
}
