//! What instructions cannot reach whose operands have 16 bits: copies between near
//! and far slots, and calls whose frames begin far off.

use super::call::{checked, element, enter, enter_other, function, is_subtype, record};
use super::{handlers, jump, next, tail, trap};
use crate::store::vmctx::FuncRecord;
use zwasm_regir::TrapCode;

handlers! {
    /// Copies as many slots as word 2 says from the slot in the upper half to that in
    /// the lower. Volatile, lest the loop become a library call.
    fn copy(regs) {
        let from = regs.fp.add(regs.upper() as usize);
        let to = regs.far_slot();
        let mut at = 0;
        while at < regs.word(2) as usize {
            to.add(at).write_volatile(*from.add(at));
            at += 1;
        }
        next!(regs, 3)
    }

    /// Zeroes as many slots as the upper half says from that in the lower on.
    fn zero(regs) {
        let mut slot = regs.far_slot();
        let end = slot.add(regs.upper() as usize);
        while slot < end {
            slot.write_volatile(0);
            slot = slot.add(1);
        }
        next!(regs, 2)
    }

    /// Finds a function of this instance; the upper half is its record's offset. Like
    /// the next ones it leaves the record in `acc` for `call`, which follows.
    fn own_callee(regs) {
        regs.acc = regs.vm.byte_add(regs.upper() as usize) as u64;
        next!(regs, 2)
    }

    /// Finds an imported function; the upper half is its index.
    fn imported_callee(regs) {
        regs.acc = *(*regs.vm).imported_funcs.add(regs.upper() as usize) as u64;
        next!(regs, 2)
    }

    /// Finds what a table holds; field 0 is the index, word 2 table and type.
    fn table_callee(regs) {
        regs.acc = element!(regs, *regs.slot(0), subtype_callee) as u64;
        next!(regs, 3)
    }

    /// Finds the function of the reference in field 0; the upper half of word 2 is the
    /// type.
    fn reference_callee(regs) {
        let record = function(regs.vm, *regs.slot(0));
        let null = TrapCode::NullFunctionReference;
        regs.acc = checked!(regs, record, null, subtype_callee) as u64;
        next!(regs, 3)
    }

    /// Goes on with `acc`, if its type is a subtype of the expected.
    #[cold]
    #[inline(never)]
    fn subtype_callee(regs) {
        if !is_subtype(&regs) {
            trap!(regs, TrapCode::BadSignature)
        }
        next!(regs, 3)
    }

    /// Calls the function in `acc`: the lower half is where its frame starts, the upper
    /// its header.
    fn call(regs) {
        let header = regs.fp.add(regs.upper() as usize);
        enter!(regs, record(&regs), 2, regs.far_slot(), header)
    }
}
