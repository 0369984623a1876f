//! Arithmetic, comparisons, copies and selection.

use super::float::meaning;
use super::{InAcc, InImm, InSlot, InWord, Lane, Source, handlers, next, no_form, trap, words};
use crate::interp::handlers::Handler;
use zwasm_regir::BinaryOp;
use zwasm_regir::ops::{Binary, Compare, Unary};

/// How an operand of an instruction is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(in crate::interp) enum Form {
    Slot = 0,
    Acc = 1,
    Imm = 2,
}

handlers! {
    fn unary[O: Unary<A: Lane, R: Lane>, A: Source](regs) {
        match O::eval(A::get(&regs, 1)) {
            Ok(value) => regs.result(value),
            Err(code) => trap!(regs, code),
        }
        next!(regs, 2)
    }

    fn binary[O: Binary<A: Lane, R: Lane>, A: Source, B: Source](regs) {
        match O::eval(A::get(&regs, 1), B::get(&regs, 2)) {
            Ok(value) => regs.result(value),
            Err(code) => trap!(regs, code),
        }
        next!(regs, 2 + words::<A, O::A>() + words::<B, O::A>())
    }

    fn compare[O: Compare<A: Lane>, A: Source, B: Source](regs) {
        let value = O::eval(A::get(&regs, 1), B::get(&regs, 2));
        regs.result(u32::from(value));
        next!(regs, 2 + words::<B, O::A>())
    }

    /// Copies a slot, or an accumulator of type `T`.
    fn copy[T: Lane, S: Source](regs) {
        let value: T = S::get(&regs, 1);
        regs.result(value);
        next!(regs, 2)
    }

    /// Two copies, one after the other; the second perhaps of an accumulator.
    fn copy_pair[T: Lane, S: Source](regs) {
        *regs.slot(0) = *regs.slot(1);
        let value: T = S::get(&regs, 3);
        *regs.slot(2) = value.to_slot();
        value.set_acc(&mut regs);
        next!(regs, 2)
    }

    /// An immediate of 32 bits, zero-extended.
    fn const32(regs) {
        let value = u64::from(regs.upper());
        regs.result(value);
        next!(regs, 2)
    }

    fn const64(regs) {
        let value = regs.word(2);
        regs.result(value);
        next!(regs, 3)
    }

    /// Zeroes one slot.
    fn zero1(regs) {
        *regs.slot(0) = 0;
        next!(regs, 2)
    }

    fn zero2(regs) {
        let slot = regs.slot(0);
        *slot = 0;
        *slot.add(1) = 0;
        next!(regs, 2)
    }

    fn zero4(regs) {
        let slot = regs.slot(0);
        *slot = 0;
        *slot.add(1) = 0;
        *slot.add(2) = 0;
        *slot.add(3) = 0;
        next!(regs, 2)
    }

    /// Zeroes any number of slots. Volatile, lest the loop become a library call.
    fn zero(regs) {
        let mut slot = regs.slot(0);
        let end = slot.add(regs.upper() as usize);
        while slot < end {
            slot.write_volatile(0);
            slot = slot.add(1);
        }
        next!(regs, 2)
    }

    /// `cond ? a : b`, the condition in field 3.
    fn select[C: Source, A: Source, B: Source](regs) {
        let cond: u32 = C::get(&regs, 3);
        let a: u64 = A::get(&regs, 1);
        let b: u64 = B::get(&regs, 2);
        regs.result(if cond != 0 { a } else { b });
        next!(regs, 2 + A::WIDE + B::WIDE)
    }

    fn add128(regs) {
        let base = regs.slot(0);
        let value = wide(base).wrapping_add(wide(base.add(2)));
        set_wide(base, value);
        next!(regs, 2)
    }

    fn sub128(regs) {
        let base = regs.slot(0);
        let value = wide(base).wrapping_sub(wide(base.add(2)));
        set_wide(base, value);
        next!(regs, 2)
    }

    fn mul_wide_s(regs) {
        let base = regs.slot(0);
        let value = i128::from(*base as i64) * i128::from(*base.add(1) as i64);
        set_wide(base, value as u128);
        next!(regs, 2)
    }

    fn mul_wide_u(regs) {
        let base = regs.slot(0);
        let value = u128::from(*base) * u128::from(*base.add(1));
        set_wide(base, value);
        next!(regs, 2)
    }
}

/// The 128-bit number in two slots.
#[inline(always)]
unsafe fn wide(base: *mut u64) -> u128 {
    // SAFETY: the frame has both slots.
    unsafe { u128::from(*base) | u128::from(*base.add(1)) << 64 }
}

#[inline(always)]
unsafe fn set_wide(base: *mut u64, value: u128) {
    // SAFETY: the frame has both slots.
    unsafe {
        *base = value as u64;
        *base.add(1) = (value >> 64) as u64;
    }
}

/// Handlers of `copy`: a slot, or the accumulator for bits, `f64` and `f32`.
pub(in crate::interp) static COPY: [Handler; 4] =
    [copy::<u64, InSlot>, copy::<u64, InAcc>, copy::<f64, InAcc>, copy::<f32, InAcc>];

/// Handlers of `copy_pair`, by the form of the second copy.
pub(in crate::interp) static COPY_PAIR: [Handler; 4] = [
    copy_pair::<u64, InSlot>,
    copy_pair::<u64, InAcc>,
    copy_pair::<f64, InAcc>,
    copy_pair::<f32, InAcc>,
];

macro_rules! unary_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the one-operand ops, by op and form.
        pub(in crate::interp) static UNARY: &[[Handler; 2]] = &[$([
            unary::<meaning::$name, InSlot>,
            unary::<meaning::$name, InAcc>,
        ],)*];
    };
}
zwasm_regir::for_each_unary!(unary_table);

/// The handlers of a two-operand op: three forms of the first operand by three
/// of the second. A commuting op has its immediate or accumulator in one place
/// only; two immediates or accumulators do not occur.
const fn binary_forms<O: Binary<A: Lane, R: Lane>>(op: BinaryOp) -> [Handler; 9] {
    if op.commutes() {
        [
            binary::<O, InSlot, InSlot>,
            no_form,
            binary::<O, InSlot, InImm>,
            binary::<O, InAcc, InSlot>,
            no_form,
            binary::<O, InAcc, InImm>,
            no_form,
            no_form,
            no_form,
        ]
    } else {
        [
            binary::<O, InSlot, InSlot>,
            binary::<O, InSlot, InAcc>,
            binary::<O, InSlot, InImm>,
            binary::<O, InAcc, InSlot>,
            no_form,
            binary::<O, InAcc, InImm>,
            binary::<O, InWord<2>, InSlot>,
            binary::<O, InWord<2>, InAcc>,
            no_form,
        ]
    }
}

macro_rules! binary_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the two-operand ops, by op and forms.
        pub(in crate::interp) static BINARY: &[[Handler; 9]] =
            &[$(binary_forms::<meaning::$name>(BinaryOp::$name),)*];
    };
}
zwasm_regir::for_each_binary!(binary_table);

macro_rules! compare_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the comparisons, by op; slot or accumulator against slot
        /// or immediate.
        pub(in crate::interp) static COMPARE: &[[Handler; 4]] = &[$([
            compare::<meaning::$name, InSlot, InSlot>,
            compare::<meaning::$name, InSlot, InImm>,
            compare::<meaning::$name, InAcc, InSlot>,
            compare::<meaning::$name, InAcc, InImm>,
        ],)*];
    };
}
zwasm_regir::for_each_compare!(compare_table);

/// Handlers of `select`: condition in slot or accumulator; each value in a slot
/// or immediate.
pub(in crate::interp) static SELECT: [Handler; 8] = [
    select::<InSlot, InSlot, InSlot>,
    select::<InSlot, InSlot, InWord<2>>,
    select::<InSlot, InWord<2>, InSlot>,
    select::<InSlot, InWord<2>, InWord<3>>,
    select::<InAcc, InSlot, InSlot>,
    select::<InAcc, InSlot, InWord<2>>,
    select::<InAcc, InWord<2>, InSlot>,
    select::<InAcc, InWord<2>, InWord<3>>,
];
