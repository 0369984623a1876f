//! The words of a store's stack that may be references: what collections look through.
//!
//! Frames of slots end where whoever collects says. Native frames keep references across
//! calls, so the native stack is looked through too, from the innermost world of slots
//! outwards, frames of host functions between two activations included: a word that
//! happens to look like a reference keeps an object longer than needed, and does nothing else.
//!
//! What lies below the innermost world of slots are frames of the runtime. They are left
//! out, for they have holes in which words of native frames stand that are long gone: the
//! head of a list, found there, would keep all of it.

use super::Stack;
use crate::store::StoreCore;

/// Words of a stack. They are read one by one: what runs meanwhile has its own locals
/// among them.
pub(crate) struct Words {
    next: *const u64,
    end: *const u64,
}

impl Words {
    fn new(start: *const u64, end: *const u64) -> Words {
        Words { next: start, end: end.max(start) }
    }

    /// How many bytes are left.
    pub(crate) fn bytes(&self) -> usize {
        self.end as usize - self.next as usize
    }
}

impl Iterator for Words {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.next >= self.end {
            return None;
        }
        let word = self.next;
        self.next = self.next.wrapping_add(1);
        // SAFETY: the words were taken from the stack that is in use, by
        // `StoreCore::stacks`, and are mapped as long as the store lives.
        Some(unsafe { word.read_volatile() })
    }
}

impl StoreCore {
    /// The words in use of the value stack, whose frames end at `top`, and of the native
    /// stack.
    ///
    /// # Safety
    ///
    /// `this` is valid until the words are used no more.
    pub(crate) unsafe fn stacks(this: *const StoreCore, top: *const u64) -> [Words; 2] {
        // SAFETY: by the contract.
        unsafe {
            let Some(stack) = &(*this).stack else {
                return [(); 2].map(|()| Words::new(std::ptr::null(), std::ptr::null()));
            };
            // Handlers that say where frames end at most may name more than there is.
            let slots = Words::new(stack.value_base(), top.min((*this).value_end));
            [slots, native(this, stack)]
        }
    }
}

/// The words of the native stack that may belong to frames of the guest.
///
/// # Safety
///
/// The store is valid, and the stack is its own.
#[cfg(optimizer)]
unsafe fn native(store: *const StoreCore, stack: &Stack) -> Words {
    // SAFETY: by the contract.
    let (runs, bottom) = unsafe { ((*store).on_stack, (*store).native_bottom) };
    let end = stack.native_top() as *const u64;
    Words::new(if runs { bottom as *const u64 } else { end }, end)
}

/// There is no code with native frames.
#[cfg(not(optimizer))]
unsafe fn native(_: *const StoreCore, stack: &Stack) -> Words {
    let end = stack.value_base();
    Words::new(end, end)
}
