//! Comparisons, and what is done by their answers: a number, a choice, the flags for a branch.

use super::{Inst, Ops, Select, Src};
use crate::isa::Size;
use crate::isa::x64::integer::condition;
use crate::isa::x64::{Cond, Condition};
use crate::lower::machine::{read, write, write_over};
use crate::ssa::{InstData, Op, Value};
use zwasm_regir::{BinaryOp, CompareOp, Type};

/// The condition that says the same of numbers without a sign.
fn unsigned(condition: Cond) -> Cond {
    match condition {
        Cond::Less => Cond::Below,
        Cond::LessOrEqual => Cond::BelowOrEqual,
        Cond::Greater => Cond::Above,
        Cond::GreaterOrEqual => Cond::AboveOrEqual,
        other => other,
    }
}

impl Select<'_> {
    /// A comparison whose result is wanted as a number.
    pub(super) fn compare(&mut self, data: &InstData) {
        let dst = self.result(data);
        let condition = self.compare_flags(data);
        self.put(Inst::Set(condition), &[write(dst)]);
    }

    /// Compares; the flags tell the result as the condition says, up to the next
    /// instruction that is put.
    fn compare_flags(&mut self, data: &InstData) -> Condition {
        let Op::Compare(op) = data.op else { return Condition::Flag(Cond::NotEqual) };
        let (a, b) = (data.args[0], data.args[1]);
        match op.operand() {
            Type::F32 | Type::F64 => self.float_compare(op, a, b),
            ty => self.integer_compare(op, ty == Type::I64, a, b),
        }
    }

    fn integer_compare(&mut self, op: CompareOp, wide: bool, a: Value, b: Value) -> Condition {
        let size = if wide { Size::B8 } else { Size::B4 };
        let fits = |value| self.immediate(value, wide).is_some() || self.can_take(value, size);
        let (op, a, b) = if fits(a) && !fits(b) { (op.swap(), b, a) } else { (op, a, b) };
        let condition = condition(op);
        let known = self.immediate(b, wide);
        if let Some(value @ 0..=255) = known
            && self.can_take(a, Size::B1)
        {
            // Both are no less than zero, with a sign or without.
            let mut ops = Ops::of(&[]);
            let a = self.src_rm(a, Size::B1, &mut ops);
            self.put_ops(Inst::Cmp { size: Size::B1, a, b: Src::Imm(value) }, &ops);
            return Condition::Flag(unsigned(condition));
        }
        match known {
            Some(0) => self.compare_with_zero(wide, a, condition),
            Some(value) if let Some(byte) = self.byte_of(a, wide, value) => {
                let byte = self.operand(byte, wide);
                let inst = Inst::Cmp { size: Size::B1, a: Src::Operand, b: Src::Imm(value) };
                self.put(inst, &[read(byte)]);
                return Condition::Flag(unsigned(condition));
            }
            Some(value) => {
                let mut ops = Ops::of(&[]);
                let a = self.src_rm(a, size, &mut ops);
                self.put_ops(Inst::Cmp { size, a, b: Src::Imm(value) }, &ops);
            }
            None => {
                let first = self.operand(a, wide);
                let mut ops = Ops::of(&[read(first)]);
                let b = self.src(b, wide, &mut ops);
                self.put_ops(Inst::Cmp { size, a: Src::Operand, b }, &ops);
            }
        }
        Condition::Flag(condition)
    }

    /// The value whose lowest byte another is, if that is compared with one.
    pub(super) fn byte_of(&self, value: Value, wide: bool, with: i32) -> Option<Value> {
        let and = if wide { BinaryOp::I64And } else { BinaryOp::I32And };
        let data = self.single_def(value).filter(|data| data.op == Op::Binary(and))?;
        let is_byte = self.immediate(data.args[1], wide) == Some(0xFF);
        (is_byte && (0..=0xFF).contains(&with)).then_some(data.args[0])
    }

    /// Compares with zero, for a condition: of a value that is the intersection of two, those.
    fn compare_with_zero(&mut self, wide: bool, value: Value, condition: Cond) {
        let size = if wide { Size::B8 } else { Size::B4 };
        let both = match self.single_def(value) {
            Some(InstData { op: Op::Binary(BinaryOp::I32And), args, .. }) if !wide => {
                Some((args[0], args[1]))
            }
            Some(InstData { op: Op::Binary(BinaryOp::I64And), args, .. }) if wide => {
                Some((args[0], args[1]))
            }
            _ => None,
        };
        if let Some((a, b)) = both {
            let (a, b) = if self.immediate(a, wide).is_some() { (b, a) } else { (a, b) };
            // Without a sign to extend, 32 bits do for 64.
            let mask = self.immediate(b, wide).filter(|mask| !wide || *mask >= 0);
            let Some(mask) = mask else {
                let (a, b) = (self.operand(a, wide), self.operand(b, wide));
                return self.put(Inst::Test { wide }, &[read(a), read(b)]);
            };
            let mask = mask as u32;
            // The uppermost bit of a byte is its sign.
            let unsigned = matches!(condition, Cond::Equal | Cond::NotEqual);
            let bits = if unsigned { u8::BITS } else { u8::BITS - 1 };
            let least = if mask >> bits == 0 { Size::B1 } else { Size::B4 };
            let size = if self.can_take(a, least) { least } else { size };
            let mut ops = Ops::of(&[]);
            let a = self.src_rm(a, size, &mut ops);
            // All of what is loaded is read, as any byte of it may be out of bounds.
            let size = if let Src::Mem(_) = a { size } else { least };
            return self.put_ops(Inst::TestImm { size, a, mask }, &ops);
        }
        if self.can_take(value, size) {
            let mut ops = Ops::of(&[]);
            let a = self.src_rm(value, size, &mut ops);
            return self.put_ops(Inst::Cmp { size, a, b: Src::Imm(0) }, &ops);
        }
        let reg = self.operand(value, wide);
        self.put(Inst::TestZero { wide }, &[read(reg)]);
    }

    /// The flags for a value that is zero or not.
    pub(super) fn flags(&mut self, cond: Value) -> Condition {
        if let Some(data) = self.single_def(cond) {
            // The opposite of another test.
            let opposite = match data.op {
                Op::Compare(CompareOp::I32Eq) => Some(0),
                Op::Binary(BinaryOp::I32Xor) => Some(1),
                _ => None,
            };
            if opposite.is_some()
                && self.immediate(data.args[1], false) == opposite
                && let Some(inner) = self.single_def(data.args[0])
                && let Some(condition) = self.test_flags(inner)
            {
                return !condition;
            }
            if let Some(condition) = self.test_flags(data) {
                return condition;
            }
        }
        self.compare_with_zero(false, cond, Cond::NotEqual);
        Condition::Flag(Cond::NotEqual)
    }

    /// Puts an op whose result the flags tell, if it is one.
    fn test_flags(&mut self, data: &InstData) -> Option<Condition> {
        #[cfg(feature = "simd")]
        if let Op::Vector(_) = data.op {
            return self.vector_flag(data);
        }
        matches!(data.op, Op::Compare(_)).then(|| self.compare_flags(data))
    }

    /// `cond != 0 ? a : b`.
    pub(super) fn select(&mut self, data: &InstData) {
        let ty = self.func.ty(data.results[0]);
        let dst = self.result(data);
        let (a, b) = (self.reg(data.args[1]), self.reg(data.args[2]));
        let condition = self.flags(data.args[0]);
        match (ty, condition) {
            (Type::I32 | Type::I64 | Type::Ref, Condition::Flag(cond)) => {
                self.put(Inst::Cmov(cond), &[write_over(dst, 1), read(b), read(a)]);
            }
            (Type::I32 | Type::I64 | Type::Ref, Condition::NotEqualOrUnordered) => {
                let either = self.fresh(ty);
                self.put(Inst::Cmov(Cond::NotEqual), &[write_over(either, 1), read(b), read(a)]);
                self.put(Inst::Cmov(Cond::Parity), &[write_over(dst, 1), read(either), read(a)]);
            }
            (Type::I32 | Type::I64 | Type::Ref, Condition::OrderedEqual) => {
                let either = self.fresh(ty);
                self.put(Inst::Cmov(Cond::NotEqual), &[write_over(either, 1), read(a), read(b)]);
                self.put(Inst::Cmov(Cond::Parity), &[write_over(dst, 1), read(either), read(b)]);
            }
            (Type::F32 | Type::F64 | Type::V128, _) => {
                self.put(Inst::FloatCmov(condition), &[write_over(dst, 1), read(b), read(a)]);
            }
        }
    }
}
