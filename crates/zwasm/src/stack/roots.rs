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
use super::fiber::StackState;
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
    /// The words in use of all stacks: of the value stack in use, whose frames end at `top`,
    /// of its native stack, and of those of the fibers and resumers that wait.
    ///
    /// # Safety
    ///
    /// `this` is valid until the words are used no more.
    pub(crate) unsafe fn stacks(this: *const StoreCore, top: *const u64) -> Vec<Words> {
        let mut all = Vec::new();
        // SAFETY: by the contract.
        unsafe {
            if let Some(stack) = &(*this).stack {
                #[cfg(optimizer)]
                let (runs, bottom) = ((*this).on_stack, (*this).native_bottom);
                #[cfg(not(optimizer))]
                let (runs, bottom) = (false, 0);
                let bottom = if runs { bottom } else { stack.native_top() };
                // Handlers that say where frames end at most may name more than there is.
                add(&mut all, stack, top.min((*this).value_end), bottom);
            }
            for (stack, top, bottom) in (*this).fibers.stacks().filter_map(StackState::extent) {
                add(&mut all, stack, top, bottom);
            }
        }
        all
    }
}

/// Adds the words of a stack that may belong to frames of the guest: without an optimizing
/// compiler there are no native ones.
fn add(all: &mut Vec<Words>, stack: &Stack, top: *const u64, bottom: usize) {
    all.push(Words::new(stack.value_base(), top));
    if cfg!(optimizer) {
        all.push(Words::new(bottom as *const u64, stack.native_top() as *const u64));
    }
}
