//! A hook of the embedder's that is called whenever control passes between host and guest.

use super::StoreCore;
use crate::error::Result;
use crate::stack::fiber;

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

/// The embedder's hook.
pub(crate) struct Hook {
    pub(crate) call: Box<dyn FnMut(*mut StoreCore, CallHook) -> Result<()> + Send + Sync>,
    /// Whether it is a future, which is waited for.
    pub(crate) waits: bool,
}

impl StoreCore {
    /// Has a hook called from now on.
    pub(crate) fn set_hook(&mut self, hook: Hook) {
        self.call_hook = Some(hook);
        self.limit_host();
    }

    /// Whether a hook is to be called.
    pub(crate) fn is_hooked(&self) -> bool {
        self.call_hook.is_some()
    }

    /// Has the host do something that may call the guest while the slots below `top` are in
    /// use.
    ///
    /// # Safety
    ///
    /// `this` is valid and ours alone, and the slots below lie on its value stack.
    pub(crate) unsafe fn above<R>(
        this: *mut StoreCore,
        top: *mut u64,
        work: impl FnOnce() -> R,
    ) -> R {
        /// Brings all back as it was, even if the host panics.
        struct Above {
            store: *mut StoreCore,
            value_top: *mut u64,
            rests: bool,
        }

        impl Drop for Above {
            fn drop(&mut self) {
                // SAFETY: the store outlives what is done.
                unsafe {
                    (*self.store).value_top = self.value_top;
                    (*self.store).rests = self.rests;
                }
            }
        }

        // SAFETY: by the contract. The stack is not given back meanwhile.
        let _above = unsafe {
            let value_top = std::mem::replace(&mut (*this).value_top, top);
            let rests = std::mem::replace(&mut (*this).rests, false);
            Above { store: this, value_top, rests }
        };
        work()
    }

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
            let waits = hook.waits;
            let mut taken = Taken { store: this, hook: Some(hook) };
            let mut call = || taken.hook.as_mut().map_or(Ok(()), |hook| (hook.call)(this, what));
            match waits {
                true => call(),
                // Nothing waits in it, for its frames are the embedder's.
                false => fiber::barrier(this, call),
            }
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
        let store = unsafe { &mut *self.store };
        if store.call_hook.is_none() {
            store.call_hook = self.hook.take();
        }
        // Stacks may have been switched meanwhile.
        store.limit_host();
    }
}
