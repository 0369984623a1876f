//! Integer arithmetic that is longer than an instruction, or has many forms; on registers.

use super::{Assembler, Cond, Condition, INT_SCRATCH, RAX, RCX, RDX, emit};
use crate::asm::{Reg, Rm};
use crate::isa::{Alu, Primitives};
use zwasm_regir::{CompareOp, UnaryOp};

/// How a register is shifted or rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    Left,
    RightSigned,
    RightUnsigned,
    RotateLeft,
    RotateRight,
}

impl Shift {
    /// Whether what is shifted out comes in at the other end.
    pub(crate) fn rotates(self) -> bool {
        matches!(self, Shift::RotateLeft | Shift::RotateRight)
    }
}

/// A constant as an instruction can carry it: sign-extended from 32 bits.
pub(crate) fn immediate(value: u64, wide: bool) -> Option<i32> {
    match wide {
        false => Some(value as u32 as i32),
        true => i32::try_from(value as i64).ok(),
    }
}

/// The condition of a comparison of integers.
pub(crate) fn condition(op: CompareOp) -> Cond {
    use CompareOp::*;
    match op {
        I32Eq | I64Eq => Cond::Equal,
        I32Ne | I64Ne => Cond::NotEqual,
        I32LtS | I64LtS => Cond::Less,
        I32LtU | I64LtU => Cond::Below,
        I32GtS | I64GtS => Cond::Greater,
        I32GtU | I64GtU => Cond::Above,
        I32LeS | I64LeS => Cond::LessOrEqual,
        I32LeU | I64LeU => Cond::BelowOrEqual,
        I32GeS | I64GeS => Cond::GreaterOrEqual,
        _ => Cond::AboveOrEqual,
    }
}

impl Assembler {
    /// Shifts a register by a constant.
    pub(crate) fn shift_by(&mut self, op: Shift, wide: bool, reg: Reg, count: u8) {
        let rm = Rm::Reg(reg);
        match (op, wide) {
            (Shift::Left, false) => emit!(*self, shll_mi(rm, count)),
            (Shift::Left, true) => emit!(*self, shlq_mi(rm, count)),
            (Shift::RightSigned, false) => emit!(*self, sarl_mi(rm, count)),
            (Shift::RightSigned, true) => emit!(*self, sarq_mi(rm, count)),
            (Shift::RightUnsigned, false) => emit!(*self, shrl_mi(rm, count)),
            (Shift::RightUnsigned, true) => emit!(*self, shrq_mi(rm, count)),
            (Shift::RotateLeft, false) => emit!(*self, roll_mi(rm, count)),
            (Shift::RotateLeft, true) => emit!(*self, rolq_mi(rm, count)),
            (Shift::RotateRight, false) => emit!(*self, rorl_mi(rm, count)),
            (Shift::RotateRight, true) => emit!(*self, rorq_mi(rm, count)),
        }
    }

    /// Shifts a register by `cl`.
    pub(crate) fn shift_by_cl(&mut self, op: Shift, wide: bool, reg: Reg) {
        let rm = Rm::Reg(reg);
        match (op, wide) {
            (Shift::Left, false) => emit!(*self, shll_mc(rm, RCX)),
            (Shift::Left, true) => emit!(*self, shlq_mc(rm, RCX)),
            (Shift::RightSigned, false) => emit!(*self, sarl_mc(rm, RCX)),
            (Shift::RightSigned, true) => emit!(*self, sarq_mc(rm, RCX)),
            (Shift::RightUnsigned, false) => emit!(*self, shrl_mc(rm, RCX)),
            (Shift::RightUnsigned, true) => emit!(*self, shrq_mc(rm, RCX)),
            (Shift::RotateLeft, false) => emit!(*self, roll_mc(rm, RCX)),
            (Shift::RotateLeft, true) => emit!(*self, rolq_mc(rm, RCX)),
            (Shift::RotateRight, false) => emit!(*self, rorl_mc(rm, RCX)),
            (Shift::RotateRight, true) => emit!(*self, rorq_mc(rm, RCX)),
        }
    }

    /// Whether a shift by the count in a register needs no certain registers.
    pub(crate) fn shifts_freely(&self) -> bool {
        self.features.bmi2
    }

    /// Shifts by the count in a register, which leaves the flags alone; not rotates, and only
    /// if [`Assembler::shifts_freely`].
    pub(crate) fn shift_freely(&mut self, op: Shift, wide: bool, dst: Reg, src: Rm, count: Reg) {
        match (op, wide) {
            (Shift::Left, false) => emit!(*self, shlxl_rmv(dst, src, count)),
            (Shift::Left, true) => emit!(*self, shlxq_rmv(dst, src, count)),
            (Shift::RightSigned, false) => emit!(*self, sarxl_rmv(dst, src, count)),
            (Shift::RightSigned, true) => emit!(*self, sarxq_rmv(dst, src, count)),
            (_, false) => emit!(*self, shrxl_rmv(dst, src, count)),
            (_, true) => emit!(*self, shrxq_rmv(dst, src, count)),
        }
    }

    /// Multiplies by a constant.
    pub(crate) fn multiply_by(&mut self, wide: bool, dst: Reg, src: Rm, factor: i32) {
        match wide {
            false => emit!(*self, imull_rmi(dst, src, factor as u32)),
            true => emit!(*self, imulq_rmi_sxl(dst, src, factor)),
        }
    }

    /// `dst = dst * src`.
    pub(crate) fn multiply(&mut self, wide: bool, dst: Reg, src: Rm) {
        match wide {
            false => emit!(*self, imull_rm(dst, src)),
            true => emit!(*self, imulq_rm(dst, src)),
        }
    }

    /// Divides `rax`; the quotient goes to `rax` and the remainder to `rdx`. The divisor is
    /// in neither, and neither zero nor, if the dividend is the smallest number, -1.
    pub(crate) fn divide(&mut self, wide: bool, signed: bool, divisor: Rm) {
        // The code names a trap of the processor's that cannot occur any more.
        let trap = cranelift_assembler_x64::TrapCode(std::num::NonZeroU8::MIN);
        match (signed, wide) {
            (false, false) => {
                emit!(*self, xorl_rm(RDX, Rm::Reg(RDX)));
                emit!(*self, divl_m(RAX, RDX, divisor, trap));
            }
            (false, true) => {
                emit!(*self, xorl_rm(RDX, Rm::Reg(RDX)));
                emit!(*self, divq_m(RAX, RDX, divisor, trap));
            }
            (true, false) => {
                emit!(*self, cltd_zo(RDX, RAX));
                emit!(*self, idivl_m(RAX, RDX, divisor, trap));
            }
            (true, true) => {
                emit!(*self, cqto_zo(RDX, RAX));
                emit!(*self, idivq_m(RAX, RDX, divisor, trap));
            }
        }
    }

    /// `rdx:rax = rax * factor`, which is not in `rdx`.
    pub(crate) fn multiply_wide(&mut self, signed: bool, factor: Rm) {
        match signed {
            true => emit!(*self, imulq_m(RAX, RDX, factor)),
            false => emit!(*self, mulq_m(RAX, RDX, factor)),
        }
    }

    /// Divides by a constant that is no power of two: the upper half of the product
    /// with 2^64 divided by it, rounded up (Lemire, Kaser and Kurz, "Faster remainder
    /// by direct computation", 2019). The quotient is in `rdx`, the remainder, if that is
    /// wanted, in `rax`; the dividend is in neither.
    pub(crate) fn divide_u32(&mut self, dividend: Reg, divisor: u32, remainder: bool) {
        self.constant(RAX, u64::MAX / u64::from(divisor) + 1);
        self.multiply_wide(false, Rm::Reg(dividend));
        if remainder {
            emit!(*self, imull_rmi(INT_SCRATCH, Rm::Reg(RDX), divisor));
            emit!(*self, movl_rm(RAX, Rm::Reg(dividend)));
            self.alu(Alu::Sub, false, RAX, Rm::Reg(INT_SCRATCH));
        }
    }

    /// Divides by a positive constant: a product rounded down, and one more for
    /// negative dividends (Granlund and Montgomery, "Division by invariant integers
    /// using multiplication", 1994, theorem 5.1). It fits 64 bits. The registers are
    /// different; `dst` is the quotient or the remainder.
    pub(crate) fn divide_i32(&mut self, dst: Reg, dividend: Reg, divisor: u32, remainder: bool) {
        let bits = 32 - (divisor - 1).leading_zeros();
        let shift = 31 + bits;
        let factor = (1u64 << shift) / u64::from(divisor) + 1;
        self.constant(INT_SCRATCH, factor);
        emit!(*self, movslq_rm(dst, Rm::Reg(dividend)));
        emit!(*self, imulq_rm(dst, Rm::Reg(INT_SCRATCH)));
        emit!(*self, sarq_mi(Rm::Reg(dst), shift as u8));
        emit!(*self, movl_rm(INT_SCRATCH, Rm::Reg(dividend)));
        emit!(*self, sarl_mi(Rm::Reg(INT_SCRATCH), 31u8));
        self.alu(Alu::Sub, false, dst, Rm::Reg(INT_SCRATCH));
        if remainder {
            emit!(*self, imull_rmi(INT_SCRATCH, Rm::Reg(dst), divisor));
            emit!(*self, movl_rm(dst, Rm::Reg(dividend)));
            self.alu(Alu::Sub, false, dst, Rm::Reg(INT_SCRATCH));
        }
    }

    /// Ops that are a move with a change: wrapping and extending, and counting ones where
    /// the processor can; whether the op is one.
    pub(crate) fn move_changed(&mut self, op: UnaryOp, dst: Reg, src: Rm) -> bool {
        use UnaryOp::*;
        match op {
            I32WrapI64 => emit!(*self, movl_rm(dst, src)),
            I32Extend8S => emit!(*self, movsbl_rm(dst, src)),
            I32Extend16S => emit!(*self, movswl_rm(dst, src)),
            I64Extend8S => emit!(*self, movsbq_rm(dst, src)),
            I64Extend16S => emit!(*self, movswq_rm(dst, src)),
            I64Extend32S | I64ExtendI32S => emit!(*self, movslq_rm(dst, src)),
            I32Popcnt if self.features.popcnt => emit!(*self, popcntl_rm(dst, src)),
            I64Popcnt if self.features.popcnt => emit!(*self, popcntq_rm(dst, src)),
            _ => return false,
        }
        true
    }

    /// Counts leading or trailing zeros. Without the instruction for it, the scratch
    /// register is overwritten.
    pub(crate) fn count_zeros(&mut self, op: UnaryOp, dst: Reg, src: Rm) {
        use UnaryOp::*;
        let wide = matches!(op, I64Clz | I64Ctz);
        let leading = matches!(op, I32Clz | I64Clz);
        match (op, self.features.lzcnt, self.features.bmi1) {
            (I32Clz, true, _) => emit!(*self, lzcntl_rm(dst, src)),
            (I64Clz, true, _) => emit!(*self, lzcntq_rm(dst, src)),
            (I32Ctz, _, true) => emit!(*self, tzcntl_a(dst, src)),
            (I64Ctz, _, true) => emit!(*self, tzcntq_a(dst, src)),
            _ => {
                // What the scan leaves for zero is replaced: with a number that
                // becomes the width when the index is turned around below.
                let (for_zero, last) = match (leading, wide) {
                    (true, false) => (63, 31),
                    (true, true) => (127, 63),
                    (false, false) => (32, 0),
                    (false, true) => (64, 0),
                };
                self.constant(INT_SCRATCH, for_zero);
                match (leading, wide) {
                    (true, false) => emit!(*self, bsrl_rm(dst, src)),
                    (true, true) => emit!(*self, bsrq_rm(dst, src)),
                    (false, false) => emit!(*self, bsfl_rm(dst, src)),
                    (false, true) => emit!(*self, bsfq_rm(dst, src)),
                }
                self.cmov(Cond::Equal, dst, INT_SCRATCH);
                if leading {
                    self.alu_immediate(Alu::Xor, false, dst, last);
                }
            }
        }
    }

    /// Makes a condition a number. The scratch register may be overwritten; the register
    /// must not be one that the comparison still needs.
    pub(crate) fn set(&mut self, condition: Condition, dst: Reg) {
        match condition {
            Condition::Flag(cond) => self.setcc(cond, dst),
            Condition::OrderedEqual => {
                self.setcc(Cond::Equal, dst);
                self.setcc(Cond::NoParity, INT_SCRATCH);
                self.alu(Alu::And, false, dst, Rm::Reg(INT_SCRATCH));
            }
            Condition::NotEqualOrUnordered => {
                self.setcc(Cond::NotEqual, dst);
                self.setcc(Cond::Parity, INT_SCRATCH);
                self.alu(Alu::Or, false, dst, Rm::Reg(INT_SCRATCH));
            }
        }
        emit!(*self, movzbl_rm(dst, Rm::Reg(dst)));
    }
}
