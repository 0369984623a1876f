//! Floating-point arithmetic and conversions.
//!
//! Conversions to integers that are out of range raise their trap out of line,
//! where the reason is looked for. The lower half of an `f32`'s register is its
//! slot: the instructions used leave bits 32 to 63 as they are in the destination,
//! which was an `f32` before or has been cleared.
//!
//! Which NaN an op yields is as [`zwasm_regir::round`] says, which is what the
//! instructions do with operands in their order.

use crate::asm::{Reg, Rm};
use crate::baseline::Compiler;
use crate::baseline::late::Late;
use crate::baseline::state::Class;
use crate::isa::x64::{Assembler, Cond, Condition, FLOAT_SCRATCH, INT_SCRATCH, emit};
use crate::isa::{Alu, Primitives};
use zwasm_regir::round::{double, single};
use zwasm_regir::{BinaryOp, CompareOp, Operand, Slot, TrapCode, Type, UnaryOp};

/// The predicates of `cmpss` and the like.
pub(super) const NEAREST: u8 = 0;
pub(super) const FLOOR: u8 = 1;
pub(super) const CEIL: u8 = 2;
pub(super) const TRUNCATE: u8 = 3;
/// Rounds without reporting that it did.
const QUIET: u8 = 8;

const SIGN_32: u64 = 1 << 31;
const SIGN_64: u64 = 1 << 63;

impl Compiler<'_, Assembler> {
    fn float_operand(&mut self, operand: Operand) -> Rm {
        match self.resolve(operand) {
            Operand::Slot(slot) => self.rm(slot.0, Class::Float),
            Operand::Const(_) => Rm::Reg(self.operand(operand, Class::Float)),
        }
    }

    /// Whether an operand is a constant that is not NaN. Only then the operands of
    /// sums and products may be exchanged: of two NaN, the first is the result.
    fn is_number(&self, ty: Type, operand: Operand) -> bool {
        match self.resolve(operand) {
            Operand::Const(value) if ty == Type::F32 => !f32::from_bits(value as u32).is_nan(),
            Operand::Const(value) => !f64::from_bits(value).is_nan(),
            Operand::Slot(_) => false,
        }
    }

    pub(super) fn float_binary(&mut self, op: BinaryOp, dst: Slot, a: Operand, b: Operand) {
        use BinaryOp::*;
        let (a, b) = match op {
            F32Add | F64Add | F32Mul | F64Mul if self.is_number(op.result(), a) => (b, a),
            _ => (a, b),
        };
        let src = match op {
            F32Min | F64Min | F32Max | F64Max | F32Copysign | F64Copysign => {
                Rm::Reg(self.operand(b, Class::Float))
            }
            _ => self.float_operand(b),
        };
        let reg = self.take(a, Class::Float, dst.0);
        match op {
            F32Add => emit!(self.asm, addss_a(reg, src)),
            F64Add => emit!(self.asm, addsd_a(reg, src)),
            F32Sub => emit!(self.asm, subss_a(reg, src)),
            F64Sub => emit!(self.asm, subsd_a(reg, src)),
            F32Mul => emit!(self.asm, mulss_a(reg, src)),
            F64Mul => emit!(self.asm, mulsd_a(reg, src)),
            F32Div => emit!(self.asm, divss_a(reg, src)),
            F64Div => emit!(self.asm, divsd_a(reg, src)),
            F32Copysign => self.copysign(reg, src, SIGN_32),
            F64Copysign => self.copysign(reg, src, SIGN_64),
            F32Min | F64Min | F32Max | F64Max => self.minmax(op, reg, src),
            _ => self.failed = true,
        }
        self.consume_operand(b);
        self.define(reg, dst, Class::Float);
    }

    fn copysign(&mut self, reg: Reg, src: Rm, sign: u64) {
        self.asm.constant(FLOAT_SCRATCH, sign);
        emit!(self.asm, andps_a(FLOAT_SCRATCH, src));
        // The magnitude, with the sign bit cleared by shifting it out.
        match sign {
            SIGN_32 => {
                emit!(self.asm, pslld_b(reg, 1u8));
                emit!(self.asm, psrld_b(reg, 1u8));
            }
            _ => {
                emit!(self.asm, psllq_b(reg, 1u8));
                emit!(self.asm, psrlq_b(reg, 1u8));
            }
        }
        emit!(self.asm, orps_a(reg, Rm::Reg(FLOAT_SCRATCH)));
    }

    /// The processor's minimum treats zeros and NaN otherwise than Wasm does.
    fn minmax(&mut self, op: BinaryOp, reg: Reg, src: Rm) {
        let single = matches!(op, BinaryOp::F32Min | BinaryOp::F32Max);
        let minimum = matches!(op, BinaryOp::F32Min | BinaryOp::F64Min);
        let (differ, nan, done) =
            (self.asm.new_label(), self.asm.new_label(), self.asm.new_label());
        match single {
            true => emit!(self.asm, ucomiss_a(reg, src)),
            false => emit!(self.asm, ucomisd_a(reg, src)),
        }
        self.asm.jcc(Cond::NotEqual, differ);
        self.asm.jcc(Cond::Parity, nan);
        // Equal: they differ at most in the sign of zero.
        match minimum {
            true => emit!(self.asm, orps_a(reg, src)),
            false => emit!(self.asm, andps_a(reg, src)),
        }
        self.asm.jump(done);
        self.asm.bind(nan);
        match single {
            true => emit!(self.asm, addss_a(reg, src)),
            false => emit!(self.asm, addsd_a(reg, src)),
        }
        self.asm.jump(done);
        self.asm.bind(differ);
        match (single, minimum) {
            (true, true) => emit!(self.asm, minss_a(reg, src)),
            (true, false) => emit!(self.asm, maxss_a(reg, src)),
            (false, true) => emit!(self.asm, minsd_a(reg, src)),
            (false, false) => emit!(self.asm, maxsd_a(reg, src)),
        }
        self.asm.bind(done);
    }

    pub(super) fn float_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        match op {
            F32Abs | F64Abs | F32Neg | F64Neg => {
                let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
                match op {
                    F32Abs => {
                        emit!(self.asm, pslld_b(reg, 1u8));
                        emit!(self.asm, psrld_b(reg, 1u8));
                    }
                    F64Abs => {
                        emit!(self.asm, psllq_b(reg, 1u8));
                        emit!(self.asm, psrlq_b(reg, 1u8));
                    }
                    _ => {
                        let sign = if op == F32Neg { SIGN_32 } else { SIGN_64 };
                        self.asm.constant(FLOAT_SCRATCH, sign);
                        emit!(self.asm, xorps_a(reg, Rm::Reg(FLOAT_SCRATCH)));
                    }
                }
                self.define(reg, dst, Class::Float);
            }
            F32Canonical | F64Canonical => self.canonical(op == F32Canonical, dst, a),
            F32Ceil => self.round(true, CEIL, dst, a),
            F64Ceil => self.round(false, CEIL, dst, a),
            F32Floor => self.round(true, FLOOR, dst, a),
            F64Floor => self.round(false, FLOOR, dst, a),
            F32Trunc => self.round(true, TRUNCATE, dst, a),
            F64Trunc => self.round(false, TRUNCATE, dst, a),
            F32Nearest => self.round(true, NEAREST, dst, a),
            F64Nearest => self.round(false, NEAREST, dst, a),
            F32Sqrt | F64Sqrt => {
                let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
                match op {
                    F32Sqrt => emit!(self.asm, sqrtss_a(reg, Rm::Reg(reg))),
                    _ => emit!(self.asm, sqrtsd_a(reg, Rm::Reg(reg))),
                }
                self.define(reg, dst, Class::Float);
            }
            F32ConvertI32S | F32ConvertI64S | F64ConvertI32S | F64ConvertI64S | F32ConvertI32U
            | F64ConvertI32U => {
                let src = self.int_operand(a);
                self.consume(a);
                let reg = self.alloc(Class::Float, Some(dst.0));
                emit!(self.asm, xorps_a(reg, Rm::Reg(reg)));
                match op {
                    F32ConvertI32S => emit!(self.asm, cvtsi2ssl_a(reg, src)),
                    F64ConvertI32S => emit!(self.asm, cvtsi2sdl_a(reg, src)),
                    // A 32-bit number is zero-extended, so it can be read as a
                    // signed one of 64.
                    F32ConvertI64S | F32ConvertI32U => emit!(self.asm, cvtsi2ssq_a(reg, src)),
                    _ => emit!(self.asm, cvtsi2sdq_a(reg, src)),
                }
                self.define(reg, dst, Class::Float);
            }
            F32ConvertI64U | F64ConvertI64U => self.convert_u64(op == F32ConvertI64U, dst, a),
            F32DemoteF64 | F64PromoteF32 => {
                let src = self.float_operand(Operand::Slot(a));
                self.consume(a);
                let reg = self.alloc(Class::Float, Some(dst.0));
                emit!(self.asm, xorps_a(reg, Rm::Reg(reg)));
                match op {
                    F32DemoteF64 => emit!(self.asm, cvtsd2ss_a(reg, src)),
                    _ => emit!(self.asm, cvtss2sd_a(reg, src)),
                }
                self.define(reg, dst, Class::Float);
            }
            I32TruncF32S | I32TruncF64S | I32TruncF32U | I32TruncF64U => {
                let signed = matches!(op, I32TruncF32S | I32TruncF64S);
                self.truncate_32(op.operand() == Type::F32, signed, dst, a);
            }
            I64TruncF32S | I64TruncF64S => self.truncate_i64(op.operand() == Type::F32, dst, a),
            I64TruncF32U | I64TruncF64U => self.truncate_u64(op.operand() == Type::F32, dst, a),
            I32TruncSatF32S | I32TruncSatF64S => {
                self.saturate(op.operand() == Type::F32, false, dst, a);
            }
            I64TruncSatF32S | I64TruncSatF64S => {
                self.saturate(op.operand() == Type::F32, true, dst, a);
            }
            I32TruncSatF32U | I32TruncSatF64U => {
                self.saturate_u32(op.operand() == Type::F32, dst, a)
            }
            _ => self.call_handler(&zwasm_regir::Inst::Unary { op, dst, a }),
        }
    }

    /// Puts one NaN in the place of all.
    fn canonical(&mut self, single: bool, dst: Slot, a: Slot) {
        let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
        let number = self.asm.new_label();
        self.asm.compare_floats(single, reg, Rm::Reg(reg));
        self.asm.jcc(Cond::NoParity, number);
        let nan = match single {
            true => single::canonical(f32::NAN).to_bits().into(),
            false => double::canonical(f64::NAN).to_bits(),
        };
        self.asm.constant(reg, nan);
        self.asm.bind(number);
        self.define(reg, dst, Class::Float);
    }

    /// An integer operand of a conversion.
    fn int_operand(&mut self, a: Slot) -> Rm {
        match self.resolve(Operand::Slot(a)) {
            Operand::Slot(slot) => self.rm(slot.0, Class::Int),
            Operand::Const(_) => Rm::Reg(self.operand(Operand::Slot(a), Class::Int)),
        }
    }

    fn round(&mut self, single: bool, mode: u8, dst: Slot, a: Slot) {
        let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
        match single {
            true => emit!(self.asm, roundss_rmi(reg, Rm::Reg(reg), mode | QUIET)),
            false => emit!(self.asm, roundsd_rmi(reg, Rm::Reg(reg), mode | QUIET)),
        }
        self.define(reg, dst, Class::Float);
    }

    /// Numbers above the signed ones are halved (the lost bit kept for rounding),
    /// converted, and doubled.
    fn convert_u64(&mut self, single: bool, dst: Slot, a: Slot) {
        let src = self.operand(Operand::Slot(a), Class::Int);
        self.consume(a);
        let reg = self.alloc(Class::Float, Some(dst.0));
        let low = self.alloc(Class::Int, None);
        let (large, done) = (self.asm.new_label(), self.asm.new_label());
        emit!(self.asm, xorps_a(reg, Rm::Reg(reg)));
        emit!(self.asm, testq_mr(Rm::Reg(src), src));
        self.asm.jcc(Cond::Sign, large);
        match single {
            true => emit!(self.asm, cvtsi2ssq_a(reg, Rm::Reg(src))),
            false => emit!(self.asm, cvtsi2sdq_a(reg, Rm::Reg(src))),
        }
        self.asm.jump(done);
        self.asm.bind(large);
        self.asm.mov(INT_SCRATCH, src);
        self.asm.mov(low, src);
        emit!(self.asm, shrq_mi(Rm::Reg(INT_SCRATCH), 1u8));
        self.asm.alu_rm_immediate(Alu::And, false, Rm::Reg(low), 1);
        self.asm.alu(Alu::Or, true, INT_SCRATCH, Rm::Reg(low));
        match single {
            true => {
                emit!(self.asm, cvtsi2ssq_a(reg, Rm::Reg(INT_SCRATCH)));
                emit!(self.asm, addss_a(reg, Rm::Reg(reg)));
            }
            false => {
                emit!(self.asm, cvtsi2sdq_a(reg, Rm::Reg(INT_SCRATCH)));
                emit!(self.asm, addsd_a(reg, Rm::Reg(reg)));
            }
        }
        self.asm.bind(done);
        self.define(reg, dst, Class::Float);
    }

    fn convert_to_i64(&mut self, single: bool, dst: Reg, src: Reg) {
        match single {
            true => emit!(self.asm, cvttss2si_aq(dst, Rm::Reg(src))),
            false => emit!(self.asm, cvttsd2si_aq(dst, Rm::Reg(src))),
        }
    }

    /// A trap whose reason depends on whether `src` is a number.
    fn trap_conversion(&mut self, single: bool, cond: Cond, src: Reg) {
        let label = self.asm.new_label();
        let overflow = self.trap_label(TrapCode::IntegerOverflow);
        let nan = self.trap_label(TrapCode::BadConversionToInteger);
        self.asm.jcc(cond, label);
        self.late.push(Late::Conversion { label, single, src, overflow, nan });
    }

    /// Converts to 64 bits, and checks that 32 would have done.
    fn truncate_32(&mut self, single: bool, signed: bool, dst: Slot, a: Slot) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.convert_to_i64(single, reg, src);
        match signed {
            true => emit!(self.asm, movslq_rm(INT_SCRATCH, Rm::Reg(reg))),
            false => emit!(self.asm, movl_rm(INT_SCRATCH, Rm::Reg(reg))),
        }
        self.asm.cmp(true, INT_SCRATCH, Rm::Reg(reg));
        self.trap_conversion(single, Cond::NotEqual, src);
        if signed {
            emit!(self.asm, movl_rm(reg, Rm::Reg(reg)));
        }
        self.define(reg, dst, Class::Int);
    }

    fn truncate_i64(&mut self, single: bool, dst: Slot, a: Slot) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.convert_to_i64(single, reg, src);
        let done = self.asm.new_label();
        // The number that failure leaves is a possible result, too.
        self.asm.cmp_immediate(true, Rm::Reg(reg), 1);
        self.asm.jcc(Cond::NoOverflow, done);
        let smallest = if single {
            u64::from((-9223372036854775808f32).to_bits())
        } else {
            (-9223372036854775808f64).to_bits()
        };
        self.asm.constant(FLOAT_SCRATCH, smallest);
        self.asm.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        self.trap_conversion(single, Cond::NotEqual, src);
        self.trap_conversion(single, Cond::Parity, src);
        self.asm.bind(done);
        self.define(reg, dst, Class::Int);
    }

    /// What is 2^63 or more is converted less that much.
    fn truncate_u64(&mut self, single: bool, dst: Slot, a: Slot) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        let (large, done) = (self.asm.new_label(), self.asm.new_label());
        let bound = if single {
            u64::from(9223372036854775808f32.to_bits())
        } else {
            9223372036854775808f64.to_bits()
        };
        self.asm.constant(FLOAT_SCRATCH, bound);
        self.asm.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        self.trap_conversion(single, Cond::Parity, src);
        self.asm.jcc(Cond::AboveOrEqual, large);
        self.convert_to_i64(single, reg, src);
        emit!(self.asm, testq_mr(Rm::Reg(reg), reg));
        self.trap_conversion(single, Cond::Sign, src);
        self.asm.jump(done);
        self.asm.bind(large);
        // The difference in the scratch register: minus (bound - src).
        match single {
            true => emit!(self.asm, subss_a(FLOAT_SCRATCH, Rm::Reg(src))),
            false => emit!(self.asm, subsd_a(FLOAT_SCRATCH, Rm::Reg(src))),
        }
        self.convert_to_i64(single, reg, FLOAT_SCRATCH);
        emit!(self.asm, negq_m(Rm::Reg(reg)));
        self.trap_conversion(single, Cond::Sign, src);
        self.asm.constant(INT_SCRATCH, SIGN_64);
        self.asm.alu(Alu::Xor, true, reg, Rm::Reg(INT_SCRATCH));
        self.asm.bind(done);
        self.define(reg, dst, Class::Int);
    }

    /// The conversion's failure value is the lower bound; the rest is compared for.
    fn saturate(&mut self, single: bool, wide: bool, dst: Slot, a: Slot) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        let done = self.asm.new_label();
        match (wide, single) {
            (true, _) => self.convert_to_i64(single, reg, src),
            (false, true) => emit!(self.asm, cvttss2si_a(reg, Rm::Reg(src))),
            (false, false) => emit!(self.asm, cvttsd2si_a(reg, Rm::Reg(src))),
        }
        self.asm.cmp_immediate(wide, Rm::Reg(reg), 1);
        self.asm.jcc(Cond::NoOverflow, done);
        // Zero for NaN, the largest number for what is positive.
        emit!(self.asm, xorps_a(FLOAT_SCRATCH, Rm::Reg(FLOAT_SCRATCH)));
        self.asm.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        let number = self.asm.new_label();
        self.asm.jcc(Cond::NoParity, number);
        emit!(self.asm, xorl_rm(reg, Rm::Reg(reg)));
        self.asm.jump(done);
        self.asm.bind(number);
        self.asm.jcc(Cond::BelowOrEqual, done);
        self.asm.constant(reg, if wide { i64::MAX as u64 } else { i32::MAX as u64 });
        self.asm.bind(done);
        self.define(reg, dst, Class::Int);
    }

    fn saturate_u32(&mut self, single: bool, dst: Slot, a: Slot) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        let done = self.asm.new_label();
        self.convert_to_i64(single, reg, src);
        emit!(self.asm, movl_rm(INT_SCRATCH, Rm::Reg(reg)));
        self.asm.cmp(true, INT_SCRATCH, Rm::Reg(reg));
        self.asm.jcc(Cond::Equal, done);
        // Out of range: zero below it and for NaN, the largest number above.
        emit!(self.asm, xorps_a(FLOAT_SCRATCH, Rm::Reg(FLOAT_SCRATCH)));
        emit!(self.asm, xorl_rm(reg, Rm::Reg(reg)));
        self.asm.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        self.asm.jcc(Cond::BelowOrEqual, done);
        self.asm.constant(reg, u64::from(u32::MAX));
        self.asm.bind(done);
        self.define(reg, dst, Class::Int);
    }

    pub(super) fn float_compare(&mut self, op: CompareOp, a: Operand, b: Operand) -> Condition {
        use CompareOp::*;
        let single = op.operand() == Type::F32;
        // "Below" is also set when a NaN takes part, "above" is not.
        let (op, a, b) = match op {
            F32Lt | F64Lt | F32Le | F64Le => (op.swap(), b, a),
            _ => (op, a, b),
        };
        let first = self.operand(a, Class::Float);
        let second = self.float_operand(b);
        self.asm.compare_floats(single, first, second);
        self.consume_operand(a);
        self.consume_operand(b);
        match op {
            F32Eq | F64Eq => Condition::OrderedEqual,
            F32Ne | F64Ne => Condition::NotEqualOrUnordered,
            F32Gt | F64Gt => Condition::Flag(Cond::Above),
            _ => Condition::Flag(Cond::AboveOrEqual),
        }
    }
}
