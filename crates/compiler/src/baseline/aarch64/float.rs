//! Floating-point arithmetic and conversions.

use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::aarch64::regs::{Cond, Float};
use crate::isa::aarch64::{Assembler, Condition, inst};
use zwasm_regir::{BinaryOp, CompareOp, Inst, Operand, Slot, Type, UnaryOp};

impl Compiler<'_, Assembler> {
    pub(super) fn float_binary(&mut self, op: BinaryOp, dst: Slot, a: Operand, b: Operand) {
        self.call_handler(&Inst::Binary { op, dst, a, b });
    }

    pub(super) fn float_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        self.call_handler(&Inst::Unary { op, dst, a });
    }

    /// Compares; the operands are consumed. Each condition is false for operands of which
    /// one is NaN, but for that of inequality.
    pub(super) fn float_compare(&mut self, op: CompareOp, a: Operand, b: Operand) -> Condition {
        use CompareOp::*;
        let float = precision(op.operand());
        let (op, a, b) = if self.is_zero(float, a) { (op.swap(), b, a) } else { (op, a, b) };
        let first = self.operand(a, Class::Float);
        if self.is_zero(float, b) {
            self.asm.emit(inst::fcmp_zero(float, first));
        } else {
            let second = self.operand(b, Class::Float);
            self.asm.emit(inst::fcmp(float, first, second));
        }
        self.consume_operand(a);
        self.consume_operand(b);
        Condition::Flag(match op {
            F32Eq | F64Eq => Cond::Eq,
            F32Ne | F64Ne => Cond::Ne,
            F32Lt | F64Lt => Cond::Mi,
            F32Le | F64Le => Cond::Ls,
            F32Gt | F64Gt => Cond::Gt,
            _ => Cond::Ge,
        })
    }

    /// Whether an operand is a constant that is zero of either sign.
    fn is_zero(&self, float: Float, operand: Operand) -> bool {
        match (self.resolve(operand), float) {
            (Operand::Const(value), Float::S) => f32::from_bits(value as u32) == 0.0,
            (Operand::Const(value), Float::D) => f64::from_bits(value) == 0.0,
            (Operand::Slot(_), _) => false,
        }
    }
}

/// The precision of a type's numbers.
fn precision(ty: Type) -> Float {
    if ty == Type::F32 { Float::S } else { Float::D }
}
