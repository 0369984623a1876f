//! Floating-point arithmetic and conversions: operands and results. The sequences are in
//! [`crate::isa::x64::float`].
//!
//! Conversions to integers that are out of range raise their trap out of line,
//! where the reason is looked for. The lower half of an `f32`'s register is its
//! slot.

use crate::asm::{Reg, Rm};
use crate::baseline::Compiler;
use crate::baseline::control::trap_label;
use crate::baseline::late::Late;
use crate::baseline::state::Class;
use crate::isa::x64::float::{Rounding, reads_memory};
use crate::isa::x64::{Assembler, Cond, Condition};
use zwasm_regir::{BinaryOp, CompareOp, Operand, Slot, TrapCode, Type, UnaryOp};

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
        let src = match reads_memory(op) {
            true => self.float_operand(b),
            false => Rm::Reg(self.operand(b, Class::Float)),
        };
        let reg = self.take(a, Class::Float, dst.0);
        if !self.asm.float_binary(op, reg, src) {
            self.failed = true;
        }
        self.consume_operand(b);
        self.define(reg, dst, Class::Float);
    }

    pub(super) fn float_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        let single = op.operand() == Type::F32;
        match op {
            F32Abs | F64Abs => self.in_place(dst, a, |asm, reg| asm.float_abs(single, reg)),
            F32Neg | F64Neg => self.in_place(dst, a, |asm, reg| asm.float_negate(single, reg)),
            F32Canonical | F64Canonical => {
                self.in_place(dst, a, |asm, reg| asm.canonical_float(single, reg));
            }
            F32Ceil | F64Ceil => self.round(single, Rounding::Ceil, dst, a),
            F32Floor | F64Floor => self.round(single, Rounding::Floor, dst, a),
            F32Trunc | F64Trunc => self.round(single, Rounding::Truncate, dst, a),
            F32Nearest | F64Nearest => self.round(single, Rounding::Nearest, dst, a),
            F32Sqrt | F64Sqrt => {
                self.in_place(dst, a, |asm, reg| asm.float_sqrt(single, reg, Rm::Reg(reg)));
            }
            F32ConvertI32S | F32ConvertI64S | F64ConvertI32S | F64ConvertI64S | F32ConvertI32U
            | F64ConvertI32U => {
                let src = self.int_operand(a);
                self.consume(a);
                let reg = self.alloc(Class::Float, Some(dst.0));
                self.asm.convert_integer(op, reg, src);
                self.define(reg, dst, Class::Float);
            }
            F32ConvertI64U | F64ConvertI64U => {
                let src = self.operand(Operand::Slot(a), Class::Int);
                self.consume(a);
                let reg = self.alloc(Class::Float, Some(dst.0));
                let low = self.alloc(Class::Int, None);
                self.asm.convert_u64(op == F32ConvertI64U, reg, src, low);
                self.define(reg, dst, Class::Float);
            }
            F32DemoteF64 | F64PromoteF32 => {
                let src = self.float_operand(Operand::Slot(a));
                self.consume(a);
                let reg = self.alloc(Class::Float, Some(dst.0));
                self.asm.convert_float(op == F32DemoteF64, reg, src);
                self.define(reg, dst, Class::Float);
            }
            I32TruncF32S | I32TruncF64S | I32TruncF32U | I32TruncF64U => {
                let signed = matches!(op, I32TruncF32S | I32TruncF64S);
                self.convert_to_integer(dst, a, |asm, reg, src, late| {
                    asm.truncate_32(single, signed, reg, src, &mut |asm, cond| {
                        trap_conversion(asm, late, single, cond, src);
                    });
                });
            }
            I64TruncF32S | I64TruncF64S => {
                self.convert_to_integer(dst, a, |asm, reg, src, late| {
                    asm.truncate_i64(single, reg, src, &mut |asm, cond| {
                        trap_conversion(asm, late, single, cond, src);
                    });
                })
            }
            I64TruncF32U | I64TruncF64U => {
                self.convert_to_integer(dst, a, |asm, reg, src, late| {
                    asm.truncate_u64(single, reg, src, &mut |asm, cond| {
                        trap_conversion(asm, late, single, cond, src);
                    });
                })
            }
            I32TruncSatF32S | I32TruncSatF64S => {
                self.convert_to_integer(dst, a, |asm, reg, src, _| {
                    asm.saturate(single, false, reg, src)
                });
            }
            I64TruncSatF32S | I64TruncSatF64S => {
                self.convert_to_integer(dst, a, |asm, reg, src, _| {
                    asm.saturate(single, true, reg, src)
                });
            }
            I32TruncSatF32U | I32TruncSatF64U => {
                self.convert_to_integer(dst, a, |asm, reg, src, _| {
                    asm.saturate_u32(single, reg, src)
                });
            }
            _ => self.call_handler(&zwasm_regir::Inst::Unary { op, dst, a }),
        }
    }

    /// An op whose result replaces its operand.
    fn in_place(&mut self, dst: Slot, a: Slot, emit: impl FnOnce(&mut Assembler, Reg)) {
        let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
        emit(&mut self.asm, reg);
        self.define(reg, dst, Class::Float);
    }

    fn round(&mut self, single: bool, mode: Rounding, dst: Slot, a: Slot) {
        self.in_place(dst, a, |asm, reg| asm.float_round(single, mode, reg, Rm::Reg(reg)));
    }

    /// A conversion to an integer.
    fn convert_to_integer(
        &mut self,
        dst: Slot,
        a: Slot,
        emit: impl FnOnce(&mut Assembler, Reg, Reg, &mut Vec<Late>),
    ) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        emit(&mut self.asm, reg, src, &mut self.late);
        self.define(reg, dst, Class::Int);
    }

    /// An integer operand of a conversion.
    fn int_operand(&mut self, a: Slot) -> Rm {
        match self.resolve(Operand::Slot(a)) {
            Operand::Slot(slot) => self.rm(slot.0, Class::Int),
            Operand::Const(_) => Rm::Reg(self.operand(Operand::Slot(a), Class::Int)),
        }
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

/// A trap whose reason depends on whether `src` is a number.
fn trap_conversion(asm: &mut Assembler, late: &mut Vec<Late>, single: bool, cond: Cond, src: Reg) {
    let label = asm.new_label();
    let overflow = trap_label(asm, late, TrapCode::IntegerOverflow);
    let nan = trap_label(asm, late, TrapCode::BadConversionToInteger);
    asm.jcc(cond, label);
    late.push(Late::Conversion { label, single, src, overflow, nan });
}
