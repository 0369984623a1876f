//! Throwing. The handlers leave the frames to the unwinder, which names the
//! place to continue at in the store, or stops the guest.

use super::{handlers, leave_with, trap};
use crate::stack::unwind;
use zwasm_regir::TrapCode;

handlers! {
    /// Throws an exception of the tag in the upper half, with the values from the
    /// slot in the lower half on.
    #[cold]
    fn throw(regs) {
        leave_with!(regs, unwind::throw(regs.ip, regs.fp, regs.vm, regs.upper(), regs.far_slot()))
    }

    /// Throws the exception in field 0.
    #[cold]
    fn throw_ref(regs) {
        if *regs.slot(0) == 0 {
            trap!(regs, TrapCode::NullReference)
        }
        leave_with!(regs, unwind::raise(regs.ip, regs.fp, regs.vm, *regs.slot(0)))
    }
}
