//! Rules for comparisons.

use super::super::ints::{Int, IntCompare};
use super::{Outcome, Simplifier, fold};
use crate::ssa::{Op, Value};
use smallvec::smallvec;
use zwasm_regir::{CompareOp, Type, UnaryOp};

impl Simplifier<'_> {
    pub(super) fn compare(&mut self, op: CompareOp, a: Value, b: Value) -> Outcome {
        let (x, y) = (self.constant(a), self.constant(b));
        if let (Some(x), Some(y)) = (x, y) {
            return self.become_const(Type::I32, u64::from(fold::compare(op, x, y)));
        }
        let Some((int, ty)) = IntCompare::of(op) else { return Outcome::Keep };
        if x.is_some() {
            return Outcome::Become(Op::Compare(op.swap()), smallvec![b, a]);
        }
        if a == b {
            let equal = fold::compare(op, 0, 0);
            return self.become_const(Type::I32, u64::from(equal));
        }
        if let Some(answer) = self.answer(int, ty, a, b) {
            return self.become_const(Type::I32, u64::from(answer));
        }
        if let Some(simpler) = self.narrower(int, a, b) {
            return simpler;
        }
        let Some(y) = y else { return Outcome::Keep };
        match (int, y) {
            (IntCompare::LtU, 1) | (IntCompare::LeU, 0) => {
                return self.with_const(IntCompare::Eq, ty, a, 0);
            }
            (IntCompare::GeU, 1) | (IntCompare::GtU, 0) => {
                return self.with_const(IntCompare::Ne, ty, a, 0);
            }
            (IntCompare::LtU, 0) => return self.become_const(Type::I32, 0),
            (IntCompare::GeU, 0) => return self.become_const(Type::I32, 1),
            _ => {}
        }
        if int.is_equality() { self.equal(int, ty, a, y) } else { Outcome::Keep }
    }

    fn with_const(&mut self, op: IntCompare, ty: Type, a: Value, bits: u64) -> Outcome {
        let b = self.emit_const(ty, bits);
        Outcome::Become(Op::Compare(op.on(ty)), smallvec![a, b])
    }

    /// Equality with a constant.
    fn equal(&mut self, op: IntCompare, ty: Type, a: Value, y: u64) -> Outcome {
        // An answer compared with 0 or 1 is that answer or the opposite one.
        if let (Some((inner, left, right)), 0 | 1) = (self.as_compare(a), y) {
            let same = (op == IntCompare::Ne) == (y == 0);
            if same {
                return Outcome::Same(a);
            }
            if let Some(not) = inner.negate() {
                return Outcome::Become(Op::Compare(not), smallvec![left, right]);
            }
        }
        match self.as_int(a) {
            Some((Int::Sub | Int::Xor, left, right)) if y == 0 => {
                Outcome::Become(Op::Compare(op.on(ty)), smallvec![left, right])
            }
            // A sum or difference with a constant is left alone: often it is the counter of a
            // loop, whose old value would live on beside the new one.
            // A single bit is clear or set.
            Some((Int::And, _, bit)) if y != 0 && self.constant(bit) == Some(y) => {
                if !y.is_power_of_two() {
                    return Outcome::Keep;
                }
                let opposite = if op == IntCompare::Eq { IntCompare::Ne } else { IntCompare::Eq };
                self.with_const(opposite, ty, a, 0)
            }
            _ => Outcome::Keep,
        }
    }

    /// The same comparison of 32 bits, if both operands are extended from that.
    fn narrower(&mut self, op: IntCompare, a: Value, b: Value) -> Option<Outcome> {
        let (extension, left) = self.as_unary(a)?;
        let zero = match extension {
            UnaryOp::I64ExtendI32U => true,
            UnaryOp::I64ExtendI32S => false,
            _ => return None,
        };
        // A zero-extended operand has no sign.
        let op = match (op, zero) {
            (IntCompare::LtS, true) => IntCompare::LtU,
            (IntCompare::LeS, true) => IntCompare::LeU,
            (IntCompare::GtS, true) => IntCompare::GtU,
            (IntCompare::GeS, true) => IntCompare::GeU,
            (op, _) => op,
        };
        let right = match self.constant(b) {
            Some(bits) => {
                let back =
                    if zero { u64::from(bits as u32) } else { i64::from(bits as i32) as u64 };
                if back != bits {
                    return None;
                }
                self.emit_const(Type::I32, bits)
            }
            None => match self.as_unary(b)? {
                (other, right) if other == extension => right,
                _ => return None,
            },
        };
        Some(Outcome::Become(Op::Compare(op.on(Type::I32)), smallvec![left, right]))
    }
}
