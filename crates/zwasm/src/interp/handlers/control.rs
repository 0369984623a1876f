//! Branches and returns, and what stops loops and calls in time.

use std::sync::atomic::Ordering;

use super::{
    Handler, InAcc, InSlot, InWord, Lane, Source, done, handlers, jump, next, tail, trap, words,
};
use crate::stack::stop::Outcome;
use crate::stack::walk::Cursor;
use crate::store::StoreCore;
use crate::store::vmctx::VmCtx;
use zwasm_regir::ops::{Compare, meaning};
use zwasm_regir::{CompareOp, TrapCode};

/// Continues where a frame's header says. The accumulator is free after a call.
macro_rules! leave {
    ($regs:ident, $header:ident) => {{
        $regs.acc = *$header.add(2);
        $regs.ip = *$header as *const u64;
        $regs.fp = *$header.add(1) as *mut u64;
        if $regs.acc != $regs.vm as u64 {
            $crate::interp::handlers::tail!($regs, $crate::interp::handlers::control::back)
        }
        $crate::interp::handlers::jump!($regs)
    }};
}
#[cfg(feature = "simd")]
pub(super) use leave;

handlers! {
    fn br(regs) {
        regs.branch();
        jump!(regs)
    }

    /// Branches if the condition is not zero, or is zero with `NEGATE`.
    fn br_if[C: Source, const NEGATE: bool](regs) {
        let cond: u32 = C::get(&regs, 0);
        if (cond != 0) != NEGATE {
            regs.branch();
            jump!(regs)
        }
        next!(regs, 2)
    }

    /// Branches if a comparison holds, or does not with `NEGATE`.
    fn br_compare[O: Compare<A: Lane>, A: Source, B: Source, const NEGATE: bool](regs) {
        if O::eval(A::get(&regs, 0), B::get(&regs, 1)) != NEGATE {
            regs.branch();
            jump!(regs)
        }
        next!(regs, 2 + words::<B, O::A>())
    }

    /// Branches by a table of 32-bit distances behind the operand word.
    fn br_table[I: Source](regs) {
        let index: u32 = I::get(&regs, 0);
        let last = regs.upper();
        let index = if index < last { index } else { last };
        let distance = *regs.ip.add(2).cast::<i32>().add(index as usize);
        regs.ip = regs.ip.byte_offset(distance as isize);
        jump!(regs)
    }

    fn unreachable(regs) {
        trap!(regs, TrapCode::Unreachable)
    }

    /// Returns; results are in place. Field 0 is the header.
    fn ret(regs) {
        let header = regs.slot(0);
        leave!(regs, header)
    }

    /// Returns one value. Field 0 is the header.
    fn ret_value[V: Source](regs) {
        let value: u64 = V::get(&regs, 1);
        *regs.fp = value;
        let header = regs.slot(0);
        leave!(regs, header)
    }

    /// Returns the slots from field 1 on, as many as the upper half says.
    fn ret_slots(regs) {
        let from = regs.slot(1);
        let mut at = 0;
        while at < regs.upper() as usize {
            regs.fp.add(at).write_volatile(*from.add(at));
            at += 1;
        }
        let header = regs.slot(0);
        leave!(regs, header)
    }

    /// Pays the cost in the upper half.
    fn fuel(regs) {
        let fuel = &(*(*regs.vm).limits).fuel;
        let left = fuel.load(Ordering::Relaxed).wrapping_sub(i64::from(regs.upper()));
        fuel.store(left, Ordering::Relaxed);
        if left < 0 {
            tail!(regs, out_of_fuel)
        }
        next!(regs, 2)
    }

    /// Stops at the deadline. The lower half is where the frame ends.
    fn epoch(regs) {
        let now = (*(*regs.vm).epoch).load(Ordering::Relaxed);
        if now >= (*(*regs.vm).limits).epoch_deadline.load(Ordering::Relaxed) {
            tail!(regs, deadline)
        }
        next!(regs, 2)
    }

    /// Asks the embedder, and executes the check again.
    #[cold]
    #[inline(never)]
    fn deadline(regs) {
        done!(regs, deadline_reached(regs.ip, regs.fp, regs.vm, regs.far_slot()));
        regs.reload();
        jump!(regs)
    }

    /// Goes on behind a check that has found less fuel than was to be paid, if it is there
    /// all the same.
    #[cold]
    #[inline(never)]
    fn out_of_fuel(regs) {
        done!(regs, refuel(regs.ip, regs.fp, regs.vm, regs.acc));
        regs.reload();
        next!(regs, 2)
    }

    /// Continues in the instance that `acc` names, at `ip`.
    #[cold]
    #[inline(never)]
    fn back(regs) {
        regs.vm = regs.acc as *mut _;
        regs.reload();
        jump!(regs)
    }
}

/// Whether the guest goes on although its deadline is reached.
#[inline(never)]
unsafe extern "C" fn deadline_reached(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
    top: *mut u64,
) -> Outcome {
    // SAFETY: the store runs the guest here, and the frame ends at `top`.
    unsafe { StoreCore::deadline_reached((*vm).store, Cursor { ip, fp, vm }, top).into() }
}

/// Whether the guest goes on although its fuel is used. A reference in the accumulator is to
/// be found behind the frame.
#[inline(never)]
unsafe extern "C" fn refuel(ip: *const u64, fp: *mut u64, vm: *mut VmCtx, acc: u64) -> Outcome {
    // SAFETY: the store runs the guest here, and behind the frame is the reserve.
    unsafe {
        let place = Cursor { ip, fp, vm };
        let end = place.frame_end();
        *end = acc;
        StoreCore::out_of_fuel((*vm).store, place, end.add(1)).into()
    }
}

/// Handlers of `br_if`: condition in slot or accumulator, plain or negated.
pub(in crate::interp) static BR_IF: [[Handler; 2]; 2] = [
    [br_if::<InSlot, false>, br_if::<InSlot, true>],
    [br_if::<InAcc, false>, br_if::<InAcc, true>],
];

/// Handlers of `br_table`: index in slot or accumulator.
pub(in crate::interp) static BR_TABLE: [Handler; 2] = [br_table::<InSlot>, br_table::<InAcc>];

/// Handlers of the return of one value: in a slot, the accumulator, immediate.
pub(in crate::interp) static RET_VALUE: [Handler; 3] =
    [ret_value::<InSlot>, ret_value::<InAcc>, ret_value::<InWord<2>>];

/// The four forms of a fused comparison.
const fn br_forms<O: Compare<A: Lane>, const NEGATE: bool>() -> [Handler; 4] {
    [
        br_compare::<O, InSlot, InSlot, NEGATE>,
        br_compare::<O, InSlot, InWord<2>, NEGATE>,
        br_compare::<O, InAcc, InSlot, NEGATE>,
        br_compare::<O, InAcc, InWord<2>, NEGATE>,
    ]
}

macro_rules! br_compare_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        const PLAIN: [[Handler; 4]; CompareOp::ALL.len()] =
            [$(br_forms::<meaning::$name, false>(),)*];
        const NEGATED: [[Handler; 4]; CompareOp::ALL.len()] =
            [$(br_forms::<meaning::$name, true>(),)*];
    };
}
zwasm_regir::for_each_compare!(br_compare_table);

/// Handlers of comparisons fused with a branch: by op, plain or negated, and form.
/// Where the opposite comparison exists it serves as the negation.
pub(in crate::interp) static BR_COMPARE: [[[Handler; 4]; 2]; CompareOp::ALL.len()] = {
    let mut table = [[PLAIN[0]; 2]; CompareOp::ALL.len()];
    let mut op = 0;
    while op < table.len() {
        let negated = match CompareOp::ALL[op].negate() {
            Some(not) => PLAIN[not as usize],
            None => NEGATED[op],
        };
        table[op] = [PLAIN[op], negated];
        op += 1;
    }
    table
};
