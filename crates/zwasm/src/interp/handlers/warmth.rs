//! Counting how often code runs, until it is worth compiling.
//!
//! A record's counter goes down at every entry and loop header of the interpreted
//! function; below zero the function is promoted, and the interpreter continues in
//! the compiled code, whose frames are its own.

use super::{handlers, jump, next, tail};
use crate::store::vmctx::FuncRecord;
use crate::tier;
use crate::tuning::LOOP_WEIGHT;

handlers! {
    /// Counts an entry: field 0 is its weight, the upper half the record's offset.
    fn count_entry(regs) {
        let record: *mut FuncRecord = regs.vm.byte_add(regs.upper() as usize).cast();
        (*record).hot -= regs.field(0) as i32;
        if (*record).hot < 0 {
            tail!(regs, promote_entry)
        }
        next!(regs, 2)
    }

    /// Counts an arrival at the loop header whose label is in the lower half; the
    /// upper half is the record's offset.
    fn count_loop(regs) {
        let record: *mut FuncRecord = regs.vm.byte_add(regs.upper() as usize).cast();
        (*record).hot -= LOOP_WEIGHT;
        if (*record).hot < 0 {
            tail!(regs, promote_loop)
        }
        next!(regs, 2)
    }

    /// Continues compiled from the entry on, if that can be.
    #[cold]
    #[inline(never)]
    fn promote_entry(regs) {
        let record = regs.vm.byte_add(regs.upper() as usize).cast();
        if let Some(ip) = tier::promote(record, tier::ENTRY) {
            regs.ip = ip.as_ptr();
            jump!(regs)
        }
        next!(regs, 2)
    }

    /// Continues compiled from the loop header on, if that can be.
    #[cold]
    #[inline(never)]
    fn promote_loop(regs) {
        let record = regs.vm.byte_add(regs.upper() as usize).cast();
        if let Some(ip) = tier::promote(record, regs.word(1) as u32) {
            regs.ip = ip.as_ptr();
            jump!(regs)
        }
        next!(regs, 2)
    }

    /// Continues optimized, if that can be: at the entry or the loop header in the lower
    /// half; the upper half is the record's offset.
    #[cfg(optimizer)]
    #[cold]
    #[inline(never)]
    fn optimize(regs) {
        let record = regs.vm.byte_add(regs.upper() as usize).cast();
        if let Some(ip) = tier::go_on(record, regs.word(1) as u32) {
            regs.ip = ip.as_ptr();
            regs.acc = (*(*regs.vm).store).replaced_acc;
            jump!(regs)
        }
        next!(regs, 2)
    }
}
