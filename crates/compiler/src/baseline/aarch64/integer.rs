//! Integer arithmetic.

use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::aarch64::imm::Imm12;
use crate::isa::aarch64::regs::{Cond, Float, Lanes, Width};
use crate::isa::aarch64::{
    Assembler, Condition, FLOAT_SCRATCH, VALUE, alu_short, inst, vec, width,
};
use crate::isa::{Alu, Primitives};
use zwasm_regir::{BinaryOp, CompareOp, Operand, Slot, TrapCode, Type, UnaryOp};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shift {
    Left,
    RightSigned,
    RightUnsigned,
    RotateLeft,
    RotateRight,
}

/// A division.
#[derive(Clone, Copy)]
struct Division {
    wide: bool,
    signed: bool,
    remainder: bool,
}

impl Compiler<'_, Assembler> {
    /// An op on two operands.
    pub(super) fn binary(&mut self, op: BinaryOp, dst: Slot, a: Operand, b: Operand) {
        use BinaryOp::*;
        let division = |wide, signed, remainder| Division { wide, signed, remainder };
        match op {
            I32Add => self.arithmetic(Alu::Add, false, dst, a, b),
            I64Add => self.arithmetic(Alu::Add, true, dst, a, b),
            I32Sub => self.arithmetic(Alu::Sub, false, dst, a, b),
            I64Sub => self.arithmetic(Alu::Sub, true, dst, a, b),
            I32And => self.arithmetic(Alu::And, false, dst, a, b),
            I64And => self.arithmetic(Alu::And, true, dst, a, b),
            I32Or => self.arithmetic(Alu::Or, false, dst, a, b),
            I64Or => self.arithmetic(Alu::Or, true, dst, a, b),
            I32Xor => self.arithmetic(Alu::Xor, false, dst, a, b),
            I64Xor => self.arithmetic(Alu::Xor, true, dst, a, b),
            I32Mul => self.multiply(false, dst, a, b),
            I64Mul => self.multiply(true, dst, a, b),
            I32DivS => self.divide(division(false, true, false), dst, a, b),
            I64DivS => self.divide(division(true, true, false), dst, a, b),
            I32DivU => self.divide(division(false, false, false), dst, a, b),
            I64DivU => self.divide(division(true, false, false), dst, a, b),
            I32RemS => self.divide(division(false, true, true), dst, a, b),
            I64RemS => self.divide(division(true, true, true), dst, a, b),
            I32RemU => self.divide(division(false, false, true), dst, a, b),
            I64RemU => self.divide(division(true, false, true), dst, a, b),
            I32Shl => self.shift_op(Shift::Left, false, dst, a, b),
            I64Shl => self.shift_op(Shift::Left, true, dst, a, b),
            I32ShrS => self.shift_op(Shift::RightSigned, false, dst, a, b),
            I64ShrS => self.shift_op(Shift::RightSigned, true, dst, a, b),
            I32ShrU => self.shift_op(Shift::RightUnsigned, false, dst, a, b),
            I64ShrU => self.shift_op(Shift::RightUnsigned, true, dst, a, b),
            I32Rotl => self.shift_op(Shift::RotateLeft, false, dst, a, b),
            I64Rotl => self.shift_op(Shift::RotateLeft, true, dst, a, b),
            I32Rotr => self.shift_op(Shift::RotateRight, false, dst, a, b),
            I64Rotr => self.shift_op(Shift::RotateRight, true, dst, a, b),
            F32Add | F32Sub | F32Mul | F32Div | F32Min | F32Max | F32Copysign | F64Add | F64Sub
            | F64Mul | F64Div | F64Min | F64Max | F64Copysign => self.float_binary(op, dst, a, b),
        }
    }

    /// Two operands in registers, consumed, and a register for the result, which may be
    /// one of theirs.
    fn three(&mut self, dst: Slot, a: Operand, b: Operand) -> [Reg; 3] {
        let first = self.operand(a, Class::Int);
        let second = self.operand(b, Class::Int);
        self.consume_operand(a);
        self.consume_operand(b);
        [self.int_result(dst), first, second]
    }

    /// A register for a result that the last instruction of an op writes: all operands
    /// have been read by then, so theirs will do.
    pub(super) fn int_result(&mut self, dst: Slot) -> Reg {
        self.state.locked = Default::default();
        self.alloc(Class::Int, Some(dst.0))
    }

    /// A constant operand, if it is one.
    fn known(&self, operand: Operand, wide: bool) -> Option<u64> {
        match self.resolve(operand) {
            Operand::Const(value) if wide => Some(value),
            Operand::Const(value) => Some(u64::from(value as u32)),
            Operand::Slot(_) => None,
        }
    }

    fn arithmetic(&mut self, op: Alu, wide: bool, dst: Slot, a: Operand, b: Operand) {
        let swap = op != Alu::Sub && self.known(a, wide).is_some();
        let (a, b) = if swap { (b, a) } else { (a, b) };
        if let Some(value) = self.known(b, wide)
            && alu_short(op, width(wide), VALUE, VALUE, value).is_some()
        {
            let first = self.operand(a, Class::Int);
            self.consume_operand(a);
            self.consume_operand(b);
            let reg = self.int_result(dst);
            self.asm.alu_constant(op, width(wide), reg, first, value);
            return self.define(reg, dst, Class::Int);
        }
        let [reg, first, second] = self.three(dst, a, b);
        self.asm.alu_registers(op, width(wide), reg, first, second);
        self.define(reg, dst, Class::Int);
    }

    fn multiply(&mut self, wide: bool, dst: Slot, a: Operand, b: Operand) {
        let swap = self.known(a, wide).is_some();
        let (a, b) = if swap { (b, a) } else { (a, b) };
        if let Some(value) = self.known(b, wide)
            && value.is_power_of_two()
        {
            let first = self.operand(a, Class::Int);
            self.consume_operand(a);
            self.consume_operand(b);
            let reg = self.int_result(dst);
            let count = value.trailing_zeros() as u8;
            self.asm.emit(inst::lsl_imm(width(wide), reg, first, count));
            return self.define(reg, dst, Class::Int);
        }
        let [reg, first, second] = self.three(dst, a, b);
        self.asm.emit(inst::mul(width(wide), reg, first, second));
        self.define(reg, dst, Class::Int);
    }

    fn shift_op(&mut self, op: Shift, wide: bool, dst: Slot, a: Operand, b: Operand) {
        let width = width(wide);
        if let Some(count) = self.known(b, wide) {
            let first = self.operand(a, Class::Int);
            self.consume_operand(a);
            self.consume_operand(b);
            let reg = self.int_result(dst);
            let bits = width.bits() as u8;
            let count = count as u8 & (bits - 1);
            self.asm.emit(match op {
                Shift::Left => inst::lsl_imm(width, reg, first, count),
                Shift::RightSigned => inst::asr_imm(width, reg, first, count),
                Shift::RightUnsigned => inst::lsr_imm(width, reg, first, count),
                Shift::RotateLeft => inst::ror_imm(width, reg, first, (bits - count) & (bits - 1)),
                Shift::RotateRight => inst::ror_imm(width, reg, first, count),
            });
            return self.define(reg, dst, Class::Int);
        }
        let [reg, first, mut count] = self.three(dst, a, b);
        if op == Shift::RotateLeft {
            self.asm.emit(inst::neg(width, VALUE, count));
            count = VALUE;
        }
        self.asm.emit(match op {
            Shift::Left => inst::lsl(width, reg, first, count),
            Shift::RightSigned => inst::asr(width, reg, first, count),
            Shift::RightUnsigned => inst::lsr(width, reg, first, count),
            Shift::RotateLeft | Shift::RotateRight => inst::ror(width, reg, first, count),
        });
        self.define(reg, dst, Class::Int);
    }

    /// A division by zero and an overflow give results that have to be looked for; the
    /// processor does not trap.
    fn divide(&mut self, division: Division, dst: Slot, a: Operand, b: Operand) {
        let Division { wide, signed, remainder } = division;
        let width = width(wide);
        let known = self.known(b, wide);
        if let Some(value) = known
            && !signed
            && value.is_power_of_two()
        {
            let first = self.operand(a, Class::Int);
            self.consume_operand(a);
            self.consume_operand(b);
            let reg = self.int_result(dst);
            if remainder {
                self.asm.alu_constant(Alu::And, width, reg, first, value - 1);
            } else {
                let count = value.trailing_zeros() as u8;
                self.asm.emit(inst::lsr_imm(width, reg, first, count));
            }
            return self.define(reg, dst, Class::Int);
        }
        let dividend = self.operand(a, Class::Int);
        let divisor = self.operand(b, Class::Int);
        if known.is_none_or(|value| value == 0) {
            let zero = self.asm.is_zero(divisor, wide);
            self.trap_if(zero, TrapCode::IntegerDivisionByZero);
        }
        let minus_one = if wide { u64::MAX } else { u64::from(u32::MAX) };
        if signed && !remainder && known.is_none_or(|value| value == minus_one) {
            // Only the smallest number divided by minus one overflows: the first has a
            // remainder of overflow when one is subtracted, the second is zero plus one.
            self.asm.emit(inst::cmn_imm(width, divisor, ONE));
            let other = inst::ccmp_imm(width, dividend, 1, 0, Cond::Eq);
            self.asm.emit(other);
            self.trap_if(Condition::Flag(Cond::Vs), TrapCode::IntegerOverflow);
        }
        self.consume_operand(a);
        self.consume_operand(b);
        let divide = if signed { inst::sdiv } else { inst::udiv };
        // The remainder of minus one comes out right: the quotient wraps.
        let reg = self.int_result(dst);
        if remainder {
            self.asm.emit(divide(width, VALUE, dividend, divisor));
            self.asm.emit(inst::msub(width, reg, VALUE, divisor, dividend));
        } else {
            self.asm.emit(divide(width, reg, dividend, divisor));
        }
        self.define(reg, dst, Class::Int);
    }

    /// An op on one operand.
    pub(super) fn unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        match op {
            I64ExtendI32U | I32ReinterpretF32 | I64ReinterpretF64 => {
                let reg = self.take(Operand::Slot(a), Class::Int, dst.0);
                self.define(reg, dst, Class::Int);
            }
            F32ReinterpretI32 | F64ReinterpretI64 => {
                let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
                self.define(reg, dst, Class::Float);
            }
            I32Clz | I64Clz | I32Ctz | I64Ctz | I32Popcnt | I64Popcnt | I32WrapI64
            | I32Extend8S | I32Extend16S | I64Extend8S | I64Extend16S | I64Extend32S
            | I64ExtendI32S => self.int_unary(op, dst, a),
            _ => self.float_unary(op, dst, a),
        }
    }

    fn int_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        let src = self.operand(Operand::Slot(a), Class::Int);
        self.consume(a);
        let reg = self.int_result(dst);
        let w = width(op.operand() == Type::I64);
        match op {
            I32Clz | I64Clz => self.asm.emit(inst::clz(w, reg, src)),
            I32Ctz | I64Ctz => {
                self.asm.emit(inst::rbit(w, VALUE, src));
                self.asm.emit(inst::clz(w, reg, VALUE));
            }
            I32Popcnt | I64Popcnt => {
                self.asm.emit(inst::fmov_from_general(w, FLOAT_SCRATCH, src));
                self.asm.emit(vec::cnt(Lanes::B8, FLOAT_SCRATCH, FLOAT_SCRATCH));
                self.asm.emit(vec::addv(Lanes::B8, FLOAT_SCRATCH, FLOAT_SCRATCH));
                self.asm.emit(inst::fmov_to_general(Width::W, reg, FLOAT_SCRATCH));
            }
            I32WrapI64 => self.asm.narrow(reg, src),
            I32Extend8S => self.asm.emit(inst::sxtb(Width::W, reg, src)),
            I32Extend16S => self.asm.emit(inst::sxth(Width::W, reg, src)),
            I64Extend8S => self.asm.emit(inst::sxtb(Width::X, reg, src)),
            I64Extend16S => self.asm.emit(inst::sxth(Width::X, reg, src)),
            _ => self.asm.emit(inst::sxtw(reg, src)),
        }
        self.define(reg, dst, Class::Int);
    }

    /// Compares; the operands are consumed.
    pub(super) fn compare_flags(&mut self, op: CompareOp, a: Operand, b: Operand) -> Condition {
        let ty = op.operand();
        if matches!(ty, Type::F32 | Type::F64) {
            return self.float_compare(op, a, b);
        }
        let wide = ty == Type::I64;
        let swap = self.known(a, wide).is_some();
        let (op, a, b) = if swap { (op.swap(), b, a) } else { (op, a, b) };
        let first = self.operand(a, Class::Int);
        let known = self.known(b, wide);
        let width = width(wide);
        use CompareOp::*;
        let condition = match (op, known) {
            (I32Eq | I64Eq, Some(0)) => Condition::Zero(width, first),
            (I32Ne | I64Ne, Some(0)) => Condition::NonZero(width, first),
            _ => {
                match known {
                    Some(value) => self.asm.compare_constant(width, first, value),
                    None => {
                        let second = self.operand(b, Class::Int);
                        self.asm.emit(inst::cmp(width, first, second));
                    }
                }
                Condition::Flag(match op {
                    I32Eq | I64Eq => Cond::Eq,
                    I32Ne | I64Ne => Cond::Ne,
                    I32LtS | I64LtS => Cond::Lt,
                    I32LtU | I64LtU => Cond::Lo,
                    I32GtS | I64GtS => Cond::Gt,
                    I32GtU | I64GtU => Cond::Hi,
                    I32LeS | I64LeS => Cond::Le,
                    I32LeU | I64LeU => Cond::Ls,
                    I32GeS | I64GeS => Cond::Ge,
                    _ => Cond::Hs,
                })
            }
        };
        // Tests of a reference against null leave the reference where it is.
        let keeps = op == I64Eq && known == Some(0);
        if !keeps {
            self.consume_operand(a);
        }
        self.consume_operand(b);
        condition
    }

    /// A comparison whose result is wanted as a number.
    pub(super) fn compare_to(&mut self, op: CompareOp, dst: Slot, a: Operand, b: Operand) {
        let condition = self.compare_flags(op, a, b);
        let cond = self.asm.in_flags(condition);
        let reg = self.int_result(dst);
        self.asm.emit(inst::cset(Width::W, reg, cond));
        self.define(reg, dst, Class::Int);
    }

    /// Whether a 32-bit value is not zero.
    pub(super) fn test_flags(&mut self, slot: Slot) -> Condition {
        let reg = self.operand(Operand::Slot(slot), Class::Int);
        self.consume(slot);
        Condition::NonZero(Width::W, reg)
    }

    /// `dst = condition ? first : second`.
    pub(super) fn move_if(
        &mut self,
        class: Class,
        dst: Reg,
        first: Reg,
        second: Reg,
        condition: impl FnOnce(&mut Self) -> Condition,
    ) {
        let condition = condition(self);
        match class {
            Class::Int => {
                let cond = self.asm.in_flags(condition);
                self.asm.emit(inst::csel(Width::X, dst, first, second, cond));
            }
            Class::Float => {
                let cond = self.asm.in_flags(condition);
                self.asm.emit(inst::fcsel(Float::D, dst, first, second, cond));
            }
            Class::Vector => {
                let skip = self.asm.new_label();
                self.asm.mov(dst, first);
                self.asm.jump_if(condition, skip);
                self.asm.mov(dst, second);
                self.asm.bind(skip);
            }
        }
    }
}

/// One.
const ONE: Imm12 = match Imm12::new(1) {
    Some(one) => one,
    None => Imm12::ZERO,
};
