//! The stack a store runs on.
//!
//! One mapping: the value stack at its low end grows up, the native stack at
//! its high end grows down, and inaccessible pages lie between. Frames of
//! interpreted and baseline code lie on the value stack; handlers, host
//! functions and optimised code use the native stack. Nothing of the
//! guest ever depends on the stack of the host's thread, so depth is the same
//! in every embedder. Stores borrow their stacks from the engine's pool: see [`lending`].
//!
//! # Safety
//!
//! The mapping outlives every frame on it, because a store is dropped, and gives its stack
//! back, only when nothing runs there; and only one activation chain uses it at a
//! time, because running takes the store exclusively. [`fiber`] has the rules for the stacks
//! of a store that wait.

pub(crate) mod activation;
pub(crate) mod backtrace;
pub(crate) mod fiber;
mod lending;
pub(crate) mod roots;
pub(crate) mod stop;
pub(crate) mod unwind;
#[cfg(feature = "async")]
pub(crate) mod waiting;
pub(crate) mod walk;

use std::io;
use std::num::NonZeroUsize;

#[cfg(windows)]
use corosensei::stack::StackTebFields;
use corosensei::stack::{Stack as NativeStack, StackPointer};

use crate::sys::Mapping;
use crate::tuning;

/// Bytes between the two stacks that cannot be accessed; a page is 64 KiB at most.
const GUARD: usize = 64 << 10;

/// Bytes that frames do not leave blank, however little they write.
const SIGN: usize = 512;

/// A stack for a store.
pub(crate) struct Stack {
    mapping: Mapping,
    value_bytes: usize,
    /// How often it was given back.
    returns: u32,
}

impl Stack {
    /// Maps a stack with `max_stack` bytes for values, `base` for native frames, and with
    /// `native` as many for the guest's native frames as for values.
    pub(crate) fn new(max_stack: usize, base: usize, native: bool) -> io::Result<Stack> {
        let page = GUARD;
        let value_bytes = max_stack
            .checked_next_multiple_of(page)
            .filter(|bytes| *bytes < usize::MAX / 4)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let native = base + if native { value_bytes } else { 0 };
        let mapping = Mapping::zeroed(value_bytes + GUARD + native)?;
        mapping.stay_small();
        mapping.discard(value_bytes, GUARD)?;
        Ok(Stack { mapping, value_bytes, returns: 0 })
    }

    /// Gives memory back that deep frames have used: all but about so many bytes where the
    /// value stack and the native stack begin. Asking the system takes long, so that is done
    /// if there are signs of frames further on, and now and then without.
    pub(crate) fn shed(&mut self, kept: usize) -> io::Result<()> {
        let kept = kept.checked_next_multiple_of(GUARD).unwrap_or(usize::MAX);
        let values = kept.min(self.value_bytes);
        let native = self.value_bytes + GUARD;
        let natives = (self.mapping.len() - native).saturating_sub(kept);
        self.returns = self.returns.wrapping_add(1);
        let shallow = self.is_blank(values, self.value_bytes)
            && self.is_blank((native + natives).saturating_sub(SIGN).max(native), native + natives);
        if shallow && !self.returns.is_multiple_of(tuning::SHED_EVERY) {
            return Ok(());
        }
        self.mapping.reset(values, self.value_bytes - values)?;
        self.mapping.reset(native, natives)
    }

    /// Whether the first bytes of a range, which lies in one of the stacks, hold zeros.
    fn is_blank(&self, start: usize, end: usize) -> bool {
        let words = end.min(start + SIGN).saturating_sub(start) / size_of::<u64>();
        let first: *const u64 = self.mapping.base().wrapping_add(start).cast();
        // SAFETY: the words are mapped, and nothing runs on the stack.
        (0..words).all(|word| unsafe { first.add(word).read_volatile() == 0 })
    }

    /// The first slot of the value stack.
    pub(crate) fn value_base(&self) -> *mut u64 {
        self.mapping.base().cast()
    }

    /// Where frames must end.
    pub(crate) fn value_limit(&self) -> *mut u64 {
        self.mapping.base().wrapping_add(self.value_bytes - tuning::VALUE_STACK_RESERVE).cast()
    }

    /// The end of the value stack, its reserve included.
    pub(crate) fn value_end(&self) -> *mut u64 {
        self.mapping.base().wrapping_add(self.value_bytes).cast()
    }

    /// About where the native stack is used from on, if what asks runs on it.
    #[inline(never)]
    pub(crate) fn sp(&self) -> Option<usize> {
        let marker = 0u8;
        let sp = &raw const marker as usize;
        let Native { top, bottom } = self.native();
        (bottom + GUARD..top).contains(&sp).then_some(sp)
    }

    /// Where the native stack is used first.
    pub(crate) fn native_top(&self) -> usize {
        self.native().top
    }

    /// The native stack pointer below which no host function is called.
    pub(crate) fn native_limit(&self) -> usize {
        self.mapping.base() as usize + self.value_bytes + GUARD + tuning::HOST_STACK_RESERVE
    }

    /// The native stack, to switch to.
    pub(crate) fn native(&self) -> Native {
        let base = self.mapping.base() as usize;
        Native { top: base + self.mapping.len(), bottom: base + self.value_bytes }
    }
}

/// The bounds of a native stack.
pub(crate) struct Native {
    top: usize,
    bottom: usize,
}

fn pointer(address: usize) -> StackPointer {
    NonZeroUsize::new(address).unwrap_or(NonZeroUsize::MIN)
}

// SAFETY: the bounds are those of a mapping that outlives the switch (see the
// module header), are page-aligned, and include the guard at the low end.
unsafe impl NativeStack for Native {
    fn base(&self) -> StackPointer {
        pointer(self.top)
    }

    fn limit(&self) -> StackPointer {
        pointer(self.bottom)
    }

    // What the system takes the thread's stack for meanwhile: all of it is committed,
    // so that it has nothing to grow.
    #[cfg(windows)]
    fn teb_fields(&self) -> StackTebFields {
        StackTebFields {
            StackBase: self.top,
            StackLimit: self.bottom + GUARD,
            DeallocationStack: self.bottom,
            GuaranteedStackBytes: 0,
        }
    }

    #[cfg(windows)]
    fn update_teb_fields(&mut self, _stack_limit: usize, _guaranteed_stack_bytes: usize) {}
}
