//! Stores borrow stacks, and give them back.
//!
//! A store has no stack before the guest is called. Then it borrows one of the engine's
//! pool and keeps it until it is dropped, so that later calls cost nothing more. If many
//! stores have one, those that come later give theirs back when the outermost call
//! returns: a host with tens of thousands of stores needs about as many stacks as threads
//! call the guest.
//!
//! # Safety
//!
//! Without a stack, the addresses that say where frames must end are null, so that no call
//! finds room for one; and there is nothing on the stack that anything could refer to.

use std::ptr;
#[cfg(optimizer)]
use std::sync::atomic::Ordering;

use crate::error::Result;
use crate::store::StoreCore;
use crate::tuning;

impl StoreCore {
    /// Borrows a stack, unless the store has one.
    ///
    /// # Errors
    ///
    /// If there is none left, or no memory for one.
    ///
    /// # Safety
    ///
    /// `this` is valid, and the user's data is not borrowed.
    #[inline]
    pub(crate) unsafe fn prepare_stack(this: *mut StoreCore) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { if (*this).stack.is_some() { Ok(()) } else { StoreCore::borrow_stack(this) } }
    }

    /// # Safety
    ///
    /// As [`StoreCore::prepare_stack`].
    #[cold]
    unsafe fn borrow_stack(this: *mut StoreCore) -> Result<()> {
        // SAFETY: by the contract; contexts live as long as the store.
        unsafe {
            // One stack has a limit of its own; how many there are is the guest's doing.
            if (*this).is_beside() {
                let config = (*this).engine.config();
                let both = 1 + usize::from(config.strategy.may_optimize());
                let all = config.max_stack.saturating_mul(both);
                StoreCore::check_total(this, "a stack", all)?;
                (*this).hold(all);
            }
            let (stack, scarce) = (*this).engine.pool().lend_stack()?;
            // What is counted is kept; and many instances take long to tell.
            let may_rest = scarce && !(*this).is_beside();
            let few = (*this).all_instances().len() <= tuning::RESTING_INSTANCES;
            (*this).rests = may_rest && few;
            (*this).value_top = stack.value_base();
            (*this).value_end = stack.value_end();
            (*this).native_limit = stack.native_limit();
            (*this).limit_host();
            StoreCore::end_frames_at(this, stack.value_limit());
            (*this).stack = Some(stack);
            Ok(())
        }
    }

    /// Gives the stack back.
    ///
    /// # Safety
    ///
    /// `this` is valid, and nothing runs in it.
    #[cold]
    pub(crate) unsafe fn return_stack(this: *mut StoreCore) {
        // SAFETY: by the contract.
        unsafe {
            let Some(stack) = (*this).stack.take() else { return };
            (*this).rests = false;
            (*this).value_top = ptr::null_mut();
            (*this).value_end = ptr::null_mut();
            (*this).native_limit = 0;
            StoreCore::end_frames_at(this, ptr::null_mut());
            (*this).engine.pool().return_stack(stack);
        }
    }

    /// Has no guest frame go beyond `limit`.
    ///
    /// # Safety
    ///
    /// `this` is valid.
    pub(super) unsafe fn end_frames_at(this: *mut StoreCore, limit: *mut u64) {
        // SAFETY: by the contract; contexts live as long as the store.
        unsafe {
            (*this).stack_limit = limit;
            for instance in (*this).all_instances() {
                let instance = &*instance.as_ptr();
                let vm = instance.vmctx.as_ptr();
                (*vm).stack_limit = limit;
                // Of those that are asked where they are, other threads write the word.
                #[cfg(optimizer)]
                if !instance.is_asked {
                    (*vm).call_limit.store(limit.addr() as u64, Ordering::Relaxed);
                }
            }
            #[cfg(optimizer)]
            {
                let limits = &(*this).limits;
                limits.samples.move_limit(limit);
            }
        }
    }
}
