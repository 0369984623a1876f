//! What stands before each instruction of observed code, see `crate::observe`.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Regs, handlers, next};
use crate::observe;

handlers! {
    /// Adds to the counter that word 1 points at; other threads may, too, and a
    /// count lost to them does not matter.
    fn count(regs) {
        let counter = &*(regs.word(1) as *const AtomicU64);
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        next!(regs, 2)
    }

    /// Reports the place in the upper half of the function in the lower.
    #[cold]
    fn watch(regs) {
        report(&regs);
        next!(regs, 2)
    }
}

#[inline(never)]
unsafe extern "C" fn report(regs: &Regs) {
    // SAFETY: the `vmctx` of a frame is that of a live instance, and the frame has
    // all slots that its code names.
    unsafe {
        let Some(module) = (*regs.vm).module() else { return };
        let (defined, place) = (regs.word(1) as u32, regs.upper() as usize);
        observe::report(module, defined, place, &|slot| *regs.fp.add(slot.0 as usize));
    }
}
