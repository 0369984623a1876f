//! Floating-point arithmetic and conversions, on registers.
//!
//! The lower half of an `f32`'s register is its slot: the instructions used leave bits
//! 32 to 63 as they are in the destination, which was an `f32` before or has been
//! cleared.
//!
//! Which NaN an op yields is as [`zwasm_regir::round`] says, which is what the
//! instructions do with operands in their order.
//!
//! Both scratch registers may be overwritten. Where a conversion fails, `fail` is called
//! behind the comparison with the condition that says so; it emits a jump and nothing
//! that changes a register.

use super::{Assembler, Cond, FLOAT_SCRATCH, INT_SCRATCH, emit};
use crate::asm::{Reg, Rm};
use crate::isa::{Alu, Primitives};
use zwasm_regir::round::{double, single};
use zwasm_regir::{BinaryOp, UnaryOp};

/// How instructions round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Rounding {
    Nearest = 0,
    Floor = 1,
    Ceil = 2,
    Truncate = 3,
}

impl Rounding {
    /// The immediate of instructions that round, without reporting that they did.
    pub(crate) fn quiet(self) -> u8 {
        self as u8 | 8
    }
}

const SIGN_32: u64 = 1 << 31;
const SIGN_64: u64 = 1 << 63;

/// Whether the operand of an op on two floats may be in memory. The sequences read it
/// twice, or wider than it is.
pub(crate) fn reads_memory(op: BinaryOp) -> bool {
    use BinaryOp::*;
    !matches!(op, F32Min | F64Min | F32Max | F64Max | F32Copysign | F64Copysign)
}

impl Assembler {
    /// `reg = op(reg, src)`; whether there is such an op on floats. The registers may be the
    /// same.
    pub(crate) fn float_binary(&mut self, op: BinaryOp, reg: Reg, src: Rm) -> bool {
        use BinaryOp::*;
        match op {
            F32Add => emit!(*self, addss_a(reg, src)),
            F64Add => emit!(*self, addsd_a(reg, src)),
            F32Sub => emit!(*self, subss_a(reg, src)),
            F64Sub => emit!(*self, subsd_a(reg, src)),
            F32Mul => emit!(*self, mulss_a(reg, src)),
            F64Mul => emit!(*self, mulsd_a(reg, src)),
            F32Div => emit!(*self, divss_a(reg, src)),
            F64Div => emit!(*self, divsd_a(reg, src)),
            F32Copysign => self.copysign(reg, src, SIGN_32),
            F64Copysign => self.copysign(reg, src, SIGN_64),
            F32Min => self.minmax(true, true, reg, src),
            F64Min => self.minmax(false, true, reg, src),
            F32Max => self.minmax(true, false, reg, src),
            F64Max => self.minmax(false, false, reg, src),
            _ => return false,
        }
        true
    }

    fn copysign(&mut self, reg: Reg, src: Rm, sign: u64) {
        self.constant(FLOAT_SCRATCH, sign);
        emit!(*self, andps_a(FLOAT_SCRATCH, src));
        // The magnitude, with the sign bit cleared by shifting it out.
        self.float_abs(sign == SIGN_32, reg);
        emit!(*self, orps_a(reg, Rm::Reg(FLOAT_SCRATCH)));
    }

    /// The processor's minimum treats zeros and NaN otherwise than Wasm does.
    fn minmax(&mut self, single: bool, minimum: bool, reg: Reg, src: Rm) {
        let (differ, nan, done) =
            (self.new_label().near(), self.new_label().near(), self.new_label().near());
        self.compare_floats(single, reg, src);
        self.jcc(Cond::NotEqual, differ);
        self.jcc(Cond::Parity, nan);
        // Equal: they differ at most in the sign of zero.
        match minimum {
            true => emit!(*self, orps_a(reg, src)),
            false => emit!(*self, andps_a(reg, src)),
        }
        self.jump(done);
        self.bind(nan);
        match single {
            true => emit!(*self, addss_a(reg, src)),
            false => emit!(*self, addsd_a(reg, src)),
        }
        self.jump(done);
        self.bind(differ);
        match (single, minimum) {
            (true, true) => emit!(*self, minss_a(reg, src)),
            (true, false) => emit!(*self, maxss_a(reg, src)),
            (false, true) => emit!(*self, minsd_a(reg, src)),
            (false, false) => emit!(*self, maxsd_a(reg, src)),
        }
        self.bind(done);
    }

    /// Clears the sign.
    pub(crate) fn float_abs(&mut self, single: bool, reg: Reg) {
        match single {
            true => {
                emit!(*self, pslld_b(reg, 1u8));
                emit!(*self, psrld_b(reg, 1u8));
            }
            false => {
                emit!(*self, psllq_b(reg, 1u8));
                emit!(*self, psrlq_b(reg, 1u8));
            }
        }
    }

    /// Flips the sign.
    pub(crate) fn float_negate(&mut self, single: bool, reg: Reg) {
        self.constant(FLOAT_SCRATCH, if single { SIGN_32 } else { SIGN_64 });
        emit!(*self, xorps_a(reg, Rm::Reg(FLOAT_SCRATCH)));
    }

    /// Puts one NaN in the place of all.
    pub(crate) fn canonical_float(&mut self, single: bool, reg: Reg) {
        let number = self.new_label().near();
        self.compare_floats(single, reg, Rm::Reg(reg));
        self.jcc(Cond::NoParity, number);
        let nan = match single {
            true => single::canonical(f32::NAN).to_bits().into(),
            false => double::canonical(f64::NAN).to_bits(),
        };
        self.constant(reg, nan);
        self.bind(number);
    }

    /// Rounds to an integer; of an `f32` into a register that held one.
    pub(crate) fn float_round(&mut self, single: bool, mode: Rounding, dst: Reg, src: Rm) {
        match single {
            true => emit!(*self, roundss_rmi(dst, src, mode.quiet())),
            false => emit!(*self, roundsd_rmi(dst, src, mode.quiet())),
        }
    }

    /// The square root; of an `f32` into a register that held one.
    pub(crate) fn float_sqrt(&mut self, single: bool, dst: Reg, src: Rm) {
        match single {
            true => emit!(*self, sqrtss_a(dst, src)),
            false => emit!(*self, sqrtsd_a(dst, src)),
        }
    }

    /// Conversions from an integer, but for those of unsigned ones of 64 bits.
    pub(crate) fn convert_integer(&mut self, op: UnaryOp, dst: Reg, src: Rm) {
        use UnaryOp::*;
        emit!(*self, xorps_a(dst, Rm::Reg(dst)));
        match op {
            F32ConvertI32S => emit!(*self, cvtsi2ssl_a(dst, src)),
            F64ConvertI32S => emit!(*self, cvtsi2sdl_a(dst, src)),
            // A 32-bit number is zero-extended, so it can be read as a signed one of 64.
            F32ConvertI64S | F32ConvertI32U => emit!(*self, cvtsi2ssq_a(dst, src)),
            _ => emit!(*self, cvtsi2sdq_a(dst, src)),
        }
    }

    /// Converts one kind of float to the other, the result being `single`; the registers
    /// are different.
    pub(crate) fn convert_float(&mut self, single: bool, dst: Reg, src: Rm) {
        emit!(*self, xorps_a(dst, Rm::Reg(dst)));
        match single {
            true => emit!(*self, cvtsd2ss_a(dst, src)),
            false => emit!(*self, cvtss2sd_a(dst, src)),
        }
    }

    /// Numbers above the signed ones are halved (the lost bit kept for rounding),
    /// converted, and doubled. The register `low` is overwritten; all are different.
    pub(crate) fn convert_u64(&mut self, single: bool, dst: Reg, src: Reg, low: Reg) {
        let (large, done) = (self.new_label().near(), self.new_label().near());
        emit!(*self, xorps_a(dst, Rm::Reg(dst)));
        self.test(true, src);
        self.jcc(Cond::Sign, large);
        match single {
            true => emit!(*self, cvtsi2ssq_a(dst, Rm::Reg(src))),
            false => emit!(*self, cvtsi2sdq_a(dst, Rm::Reg(src))),
        }
        self.jump(done);
        self.bind(large);
        self.mov(INT_SCRATCH, src);
        self.mov(low, src);
        emit!(*self, shrq_mi(Rm::Reg(INT_SCRATCH), 1u8));
        self.alu_immediate(Alu::And, false, low, 1);
        self.alu(Alu::Or, true, INT_SCRATCH, Rm::Reg(low));
        match single {
            true => {
                emit!(*self, cvtsi2ssq_a(dst, Rm::Reg(INT_SCRATCH)));
                emit!(*self, addss_a(dst, Rm::Reg(dst)));
            }
            false => {
                emit!(*self, cvtsi2sdq_a(dst, Rm::Reg(INT_SCRATCH)));
                emit!(*self, addsd_a(dst, Rm::Reg(dst)));
            }
        }
        self.bind(done);
    }

    pub(super) fn convert_to_i64(&mut self, single: bool, dst: Reg, src: Reg) {
        match single {
            true => emit!(*self, cvttss2si_aq(dst, Rm::Reg(src))),
            false => emit!(*self, cvttsd2si_aq(dst, Rm::Reg(src))),
        }
    }

    /// Converts to 64 bits, and checks that 32 would have done.
    pub(crate) fn truncate_32(
        &mut self,
        single: bool,
        signed: bool,
        dst: Reg,
        src: Reg,
        fail: &mut dyn FnMut(&mut Assembler, Cond),
    ) {
        self.convert_to_i64(single, dst, src);
        match signed {
            true => emit!(*self, movslq_rm(INT_SCRATCH, Rm::Reg(dst))),
            false => emit!(*self, movl_rm(INT_SCRATCH, Rm::Reg(dst))),
        }
        self.cmp(true, INT_SCRATCH, Rm::Reg(dst));
        fail(self, Cond::NotEqual);
        if signed {
            emit!(*self, movl_rm(dst, Rm::Reg(dst)));
        }
    }

    /// Converts to a signed number of 64 bits.
    pub(crate) fn truncate_i64(
        &mut self,
        single: bool,
        dst: Reg,
        src: Reg,
        fail: &mut dyn FnMut(&mut Assembler, Cond),
    ) {
        self.convert_to_i64(single, dst, src);
        let done = self.new_label().near();
        // The number that failure leaves is a possible result, too.
        self.cmp_immediate(true, Rm::Reg(dst), 1);
        self.jcc(Cond::NoOverflow, done);
        let smallest = if single {
            u64::from((-9223372036854775808f32).to_bits())
        } else {
            (-9223372036854775808f64).to_bits()
        };
        self.constant(FLOAT_SCRATCH, smallest);
        self.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        fail(self, Cond::NotEqual);
        fail(self, Cond::Parity);
        self.bind(done);
    }

    /// Converts to an unsigned number of 64 bits: what is 2^63 or more is converted less
    /// that much.
    pub(crate) fn truncate_u64(
        &mut self,
        single: bool,
        dst: Reg,
        src: Reg,
        fail: &mut dyn FnMut(&mut Assembler, Cond),
    ) {
        let (large, done) = (self.new_label().near(), self.new_label().near());
        let bound = if single {
            u64::from(9223372036854775808f32.to_bits())
        } else {
            9223372036854775808f64.to_bits()
        };
        self.constant(FLOAT_SCRATCH, bound);
        self.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        fail(self, Cond::Parity);
        self.jcc(Cond::AboveOrEqual, large);
        self.convert_to_i64(single, dst, src);
        self.test(true, dst);
        fail(self, Cond::Sign);
        self.jump(done);
        self.bind(large);
        // The difference in the scratch register: minus (bound - src).
        match single {
            true => emit!(*self, subss_a(FLOAT_SCRATCH, Rm::Reg(src))),
            false => emit!(*self, subsd_a(FLOAT_SCRATCH, Rm::Reg(src))),
        }
        self.convert_to_i64(single, dst, FLOAT_SCRATCH);
        emit!(*self, negq_m(Rm::Reg(dst)));
        fail(self, Cond::Sign);
        self.constant(INT_SCRATCH, SIGN_64);
        self.alu(Alu::Xor, true, dst, Rm::Reg(INT_SCRATCH));
        self.bind(done);
    }

    /// Converts to the nearest signed number, `wide` or not. The conversion's failure value
    /// is the lower bound; the rest is compared for.
    pub(crate) fn saturate(&mut self, single: bool, wide: bool, dst: Reg, src: Reg) {
        let done = self.new_label().near();
        match (wide, single) {
            (true, _) => self.convert_to_i64(single, dst, src),
            (false, true) => emit!(*self, cvttss2si_a(dst, Rm::Reg(src))),
            (false, false) => emit!(*self, cvttsd2si_a(dst, Rm::Reg(src))),
        }
        self.cmp_immediate(wide, Rm::Reg(dst), 1);
        self.jcc(Cond::NoOverflow, done);
        // Zero for NaN, the largest number for what is positive.
        emit!(*self, xorps_a(FLOAT_SCRATCH, Rm::Reg(FLOAT_SCRATCH)));
        self.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        let number = self.new_label().near();
        self.jcc(Cond::NoParity, number);
        emit!(*self, xorl_rm(dst, Rm::Reg(dst)));
        self.jump(done);
        self.bind(number);
        self.jcc(Cond::BelowOrEqual, done);
        self.constant(dst, if wide { i64::MAX as u64 } else { i32::MAX as u64 });
        self.bind(done);
    }

    /// Converts to the nearest unsigned number of 32 bits.
    pub(crate) fn saturate_u32(&mut self, single: bool, dst: Reg, src: Reg) {
        let done = self.new_label().near();
        self.convert_to_i64(single, dst, src);
        emit!(*self, movl_rm(INT_SCRATCH, Rm::Reg(dst)));
        self.cmp(true, INT_SCRATCH, Rm::Reg(dst));
        self.jcc(Cond::Equal, done);
        // Out of range: zero below it and for NaN, the largest number above.
        emit!(*self, xorps_a(FLOAT_SCRATCH, Rm::Reg(FLOAT_SCRATCH)));
        emit!(*self, xorl_rm(dst, Rm::Reg(dst)));
        self.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        self.jcc(Cond::BelowOrEqual, done);
        self.constant(dst, u64::from(u32::MAX));
        self.bind(done);
    }
}
