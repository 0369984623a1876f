//! Throwing. The handlers leave the frames to the unwinder, which names the
//! place to continue at in the store, or stops the guest.

use super::{STOPPED, handlers, jump, trap};
use crate::stack::unwind;
use zwasm_regir::TrapCode;

/// Continues where the unwinder says.
macro_rules! land {
    ($regs:ident) => {{
        let landing = &raw const (*(*$regs.vm).store).landing;
        $regs.ip = (*landing).ip;
        $regs.fp = (*landing).fp;
        $regs.vm = (*landing).vm;
        $regs.reload();
        jump!($regs)
    }};
}
pub(super) use land;

handlers! {
    /// Throws an exception of the tag in the upper half, with the values from the
    /// slot in the lower half on.
    #[cold]
    fn throw(regs) {
        if !unwind::throw(regs.ip, regs.fp, regs.vm, regs.upper(), regs.far_slot()) {
            return STOPPED;
        }
        land!(regs)
    }

    /// Throws the exception in field 0.
    #[cold]
    fn throw_ref(regs) {
        if *regs.slot(0) == 0 {
            trap!(regs, TrapCode::NullReference)
        }
        if !unwind::raise(regs.ip, regs.fp, regs.vm, *regs.slot(0)) {
            return STOPPED;
        }
        land!(regs)
    }
}
