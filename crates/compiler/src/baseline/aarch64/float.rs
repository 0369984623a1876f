//! Floating-point arithmetic and conversions.
//!
//! Instructions on 32 bits clear the rest of their register, so that its lower half is
//! the slot. Which NaN an op yields is what the instruction gives: of two, a signalling
//! one first, then the first; one of its own is positive. Handlers for this processor
//! use the same instructions.
//!
//! Conversions to integers saturate and make zero of NaN, which is what the ops that do
//! not trap are defined to do. The others compare: what is out of range raises its trap
//! out of line, where the reason is looked for.

use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::late::Late;
use crate::baseline::state::Class;
use crate::isa::Primitives;
use crate::isa::aarch64::regs::{Cond, Extend, Float, Lanes, Width};
use crate::isa::aarch64::{
    Assembler, Condition, FLOAT_SCRATCH, Inst as Word, VALUE, inst, vec, width,
};
use zwasm_regir::round::{double, single};
use zwasm_regir::{BinaryOp, CompareOp, Inst, Operand, Slot, TrapCode, Type, UnaryOp};

/// The flags that a conditional comparison leaves if its condition does not hold: for
/// [`Cond::Eq`] and [`Cond::Vs`].
const ZERO: u8 = 4;
const OVERFLOW: u8 = 1;

impl Compiler<'_, Assembler> {
    pub(super) fn float_binary(&mut self, op: BinaryOp, dst: Slot, a: Operand, b: Operand) {
        use BinaryOp::*;
        let float = precision(op.result());
        let inst = match op {
            F32Add | F64Add => inst::fadd,
            F32Sub | F64Sub => inst::fsub,
            F32Mul | F64Mul => inst::fmul,
            F32Div | F64Div => inst::fdiv,
            F32Min | F64Min => inst::fmin,
            F32Max | F64Max => inst::fmax,
            F32Copysign | F64Copysign => return self.copysign(float, dst, a, b),
            _ => return self.call_handler(&Inst::Binary { op, dst, a, b }),
        };
        let first = self.operand(a, Class::Float);
        let second = self.operand(b, Class::Float);
        self.consume_operand(a);
        self.consume_operand(b);
        let reg = self.float_result(dst);
        self.asm.emit(inst(float, reg, first, second));
        self.define(reg, dst, Class::Float);
    }

    /// As [`Compiler::int_result`].
    fn float_result(&mut self, dst: Slot) -> Reg {
        self.state.locked = Default::default();
        self.alloc(Class::Float, Some(dst.0))
    }

    /// Shifts the sign down to the lowest bit, and inserts it from there.
    fn copysign(&mut self, float: Float, dst: Slot, a: Operand, b: Operand) {
        let sign = self.operand(b, Class::Float);
        let reg = self.take(a, Class::Float, dst.0);
        let (lanes, distance) = match float {
            Float::S => (Lanes::S2, 31),
            Float::D => (Lanes::D2, 63),
        };
        self.asm.emit(vec::ushr(lanes, FLOAT_SCRATCH, sign, distance));
        self.asm.emit(vec::sli(lanes, reg, FLOAT_SCRATCH, distance));
        self.consume_operand(b);
        self.define(reg, dst, Class::Float);
    }

    pub(super) fn float_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        let inst: fn(Float, Reg, Reg) -> Word = match op {
            F32Abs | F64Abs => inst::fabs,
            F32Neg | F64Neg => inst::fneg,
            F32Sqrt | F64Sqrt => inst::fsqrt,
            F32Ceil | F64Ceil => inst::frintp,
            F32Floor | F64Floor => inst::frintm,
            F32Trunc | F64Trunc => inst::frintz,
            F32Nearest | F64Nearest => inst::frintn,
            F32DemoteF64 => |_, dst, src| inst::fcvt_to_s(dst, src),
            F64PromoteF32 => |_, dst, src| inst::fcvt_to_d(dst, src),
            F32Canonical | F64Canonical => return self.canonical(precision(op.result()), dst, a),
            F32ConvertI32S | F32ConvertI64S | F64ConvertI32S | F64ConvertI64S => {
                return self.convert(inst::scvtf, op, dst, a);
            }
            F32ConvertI32U | F32ConvertI64U | F64ConvertI32U | F64ConvertI64U => {
                return self.convert(inst::ucvtf, op, dst, a);
            }
            I32TruncSatF32S | I32TruncSatF64S | I64TruncSatF32S | I64TruncSatF64S => {
                return self.saturate(inst::fcvtzs, op, dst, a);
            }
            I32TruncSatF32U | I32TruncSatF64U | I64TruncSatF32U | I64TruncSatF64U => {
                return self.saturate(inst::fcvtzu, op, dst, a);
            }
            I32TruncF32S | I32TruncF64S => return self.truncate_32(true, op, dst, a),
            I32TruncF32U | I32TruncF64U => return self.truncate_32(false, op, dst, a),
            I64TruncF32S | I64TruncF64S => return self.truncate_i64(op, dst, a),
            I64TruncF32U | I64TruncF64U => return self.truncate_u64(op, dst, a),
            _ => return self.call_handler(&Inst::Unary { op, dst, a }),
        };
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        let reg = self.float_result(dst);
        self.asm.emit(inst(precision(op.result()), reg, src));
        self.define(reg, dst, Class::Float);
    }

    /// Puts one NaN in the place of all.
    fn canonical(&mut self, float: Float, dst: Slot, a: Slot) {
        let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
        let number = self.asm.new_label();
        self.asm.emit(inst::fcmp(float, reg, reg));
        self.asm.jump_if(Condition::Flag(Cond::Vc), number);
        let nan = match float {
            Float::S => single::canonical(f32::NAN).to_bits().into(),
            Float::D => double::canonical(f64::NAN).to_bits(),
        };
        self.asm.constant(reg, nan);
        self.asm.bind(number);
        self.define(reg, dst, Class::Float);
    }

    /// From an integer.
    fn convert(
        &mut self,
        inst: fn(Width, Float, Reg, Reg) -> Word,
        op: UnaryOp,
        dst: Slot,
        a: Slot,
    ) {
        let src = self.operand(Operand::Slot(a), Class::Int);
        self.consume(a);
        let reg = self.float_result(dst);
        let from = width(op.operand() == Type::I64);
        self.asm.emit(inst(from, precision(op.result()), reg, src));
        self.define(reg, dst, Class::Float);
    }

    /// To the nearest integer there is, zero for NaN.
    fn saturate(
        &mut self,
        inst: fn(Width, Float, Reg, Reg) -> Word,
        op: UnaryOp,
        dst: Slot,
        a: Slot,
    ) {
        let (src, reg) = self.truncated(dst, a);
        let to = width(op.result() == Type::I64);
        self.asm.emit(inst(to, precision(op.operand()), reg, src));
        self.define(reg, dst, Class::Int);
    }

    /// The float that becomes an integer, consumed, and a register for the result.
    fn truncated(&mut self, dst: Slot, a: Slot) -> (Reg, Reg) {
        let src = self.operand(Operand::Slot(a), Class::Float);
        self.consume(a);
        (src, self.int_result(dst))
    }

    /// A trap whose reason depends on whether `src` is a number.
    fn trap_conversion(&mut self, float: Float, cond: Cond, src: Reg) {
        let label = self.asm.new_label();
        let overflow = self.trap_label(TrapCode::IntegerOverflow);
        let nan = self.trap_label(TrapCode::BadConversionToInteger);
        self.asm.jump_if(Condition::Flag(cond), label);
        self.late.push(Late::Conversion { label, single: float == Float::S, src, overflow, nan });
    }

    /// Converts to 64 bits, and checks that 32 would have done and that it was a number.
    fn truncate_32(&mut self, signed: bool, op: UnaryOp, dst: Slot, a: Slot) {
        let float = precision(op.operand());
        let (src, reg) = self.truncated(dst, a);
        let (wide, extend) = if signed { (VALUE, Extend::Sxtw) } else { (reg, Extend::Uxtw) };
        self.asm.emit(inst::fcvtzs(Width::X, float, wide, src));
        self.asm.emit(inst::cmp_ext(Width::X, wide, wide, (extend, 0)));
        self.asm.emit(inst::fccmp(float, src, src, OVERFLOW, Cond::Eq));
        self.trap_conversion(float, Cond::Vs, src);
        if signed {
            self.asm.narrow(reg, wide);
        }
        self.define(reg, dst, Class::Int);
    }

    /// The lower bound can be compared with. The largest integer is no float, so that it
    /// is the result only of what is above it.
    fn truncate_i64(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        let float = precision(op.operand());
        let (src, reg) = self.truncated(dst, a);
        self.float_constant(float, FLOAT_SCRATCH, -9223372036854775808.0);
        self.asm.emit(inst::fcvtzs(Width::X, float, reg, src));
        self.asm.emit(inst::fcmp(float, src, FLOAT_SCRATCH));
        self.asm.emit(inst::ccmn_imm(Width::X, reg, 1, OVERFLOW, Cond::Ge));
        self.trap_conversion(float, Cond::Vs, src);
        self.define(reg, dst, Class::Int);
    }

    /// As for signed integers.
    fn truncate_u64(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        let float = precision(op.operand());
        let (src, reg) = self.truncated(dst, a);
        self.float_constant(float, FLOAT_SCRATCH, -1.0);
        self.asm.emit(inst::fcvtzu(Width::X, float, reg, src));
        self.asm.emit(inst::fcmp(float, src, FLOAT_SCRATCH));
        self.asm.emit(inst::ccmn_imm(Width::X, reg, 1, ZERO, Cond::Gt));
        self.trap_conversion(float, Cond::Eq, src);
        self.define(reg, dst, Class::Int);
    }

    fn float_constant(&mut self, float: Float, dst: Reg, value: f64) {
        let bits = match float {
            Float::S => (value as f32).to_bits().into(),
            Float::D => value.to_bits(),
        };
        self.asm.constant(dst, bits);
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
