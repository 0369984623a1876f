//! Rules for conversions, and what they make of the ops around them.

use super::super::ints::{Int, mask};
use super::{Outcome, Simplifier, fold};
use crate::ssa::{Op, Value, Values};
use zwasm_regir::{Type, UnaryOp};

impl Simplifier<'_> {
    pub(super) fn unary(&mut self, op: UnaryOp, a: Value) -> Outcome {
        if let Some(bits) = self.constant(a).and_then(|a| fold::unary(op, a)) {
            return Outcome::Become(Op::Const(bits), Values::new());
        }
        let known = self.known(a);
        let inner = self.as_unary(a);
        match (op, inner) {
            (UnaryOp::I32WrapI64, Some((UnaryOp::I64ExtendI32U | UnaryOp::I64ExtendI32S, a))) => {
                Outcome::Same(a)
            }
            (UnaryOp::I32WrapI64, Some((UnaryOp::I64Extend32S, a))) => self.become_unary(op, a),
            (UnaryOp::I32WrapI64, _) => self.wrap(a),

            (UnaryOp::I64ExtendI32U, Some((UnaryOp::I32WrapI64, a)))
                if self.known(a).max <= mask(Type::I32) =>
            {
                Outcome::Same(a)
            }
            (UnaryOp::I64ExtendI32S, _) if known.is_positive(Type::I32) => {
                self.become_unary(UnaryOp::I64ExtendI32U, a)
            }
            (UnaryOp::I64ExtendI32S, Some((UnaryOp::I32WrapI64, a))) => {
                self.become_unary(UnaryOp::I64Extend32S, a)
            }

            (UnaryOp::I64Extend32S, _) if known.signed <= 32 => Outcome::Same(a),
            (UnaryOp::I64Extend32S, Some((UnaryOp::I64ExtendI32U, a))) => {
                self.become_unary(UnaryOp::I64ExtendI32S, a)
            }
            (UnaryOp::I32Extend16S | UnaryOp::I64Extend16S, _) if known.signed <= 16 => {
                Outcome::Same(a)
            }
            (UnaryOp::I32Extend8S | UnaryOp::I64Extend8S, _) if known.signed <= 8 => {
                Outcome::Same(a)
            }
            (UnaryOp::I32Extend8S, Some((UnaryOp::I32Extend16S, a)))
            | (UnaryOp::I64Extend8S, Some((UnaryOp::I64Extend16S | UnaryOp::I64Extend32S, a)))
            | (UnaryOp::I64Extend16S, Some((UnaryOp::I64Extend32S, a))) => self.become_unary(op, a),
            (
                UnaryOp::I32Extend8S
                | UnaryOp::I32Extend16S
                | UnaryOp::I64Extend8S
                | UnaryOp::I64Extend16S
                | UnaryOp::I64Extend32S,
                None,
            ) => self.extend_masked(op, a),

            (UnaryOp::I32ReinterpretF32, Some((UnaryOp::F32ReinterpretI32, a)))
            | (UnaryOp::F32ReinterpretI32, Some((UnaryOp::I32ReinterpretF32, a)))
            | (UnaryOp::I64ReinterpretF64, Some((UnaryOp::F64ReinterpretI64, a)))
            | (UnaryOp::F64ReinterpretI64, Some((UnaryOp::I64ReinterpretF64, a)))
            | (UnaryOp::F32Neg, Some((UnaryOp::F32Neg, a)))
            | (UnaryOp::F64Neg, Some((UnaryOp::F64Neg, a))) => Outcome::Same(a),
            (UnaryOp::F32Abs, Some((UnaryOp::F32Abs, _)))
            | (UnaryOp::F64Abs, Some((UnaryOp::F64Abs, _)))
            | (UnaryOp::F32Canonical, Some((UnaryOp::F32Canonical, _)))
            | (UnaryOp::F64Canonical, Some((UnaryOp::F64Canonical, _))) => Outcome::Same(a),
            (UnaryOp::F32Abs, Some((UnaryOp::F32Neg, a)))
            | (UnaryOp::F64Abs, Some((UnaryOp::F64Neg, a))) => self.become_unary(op, a),
            _ => Outcome::Keep,
        }
    }

    /// The lower half of something that is computed: what does not carry downwards is
    /// computed in 32 bits, where the operands are there already.
    fn wrap(&mut self, a: Value) -> Outcome {
        let Some((op, left, right)) = self.as_int(a) else { return Outcome::Keep };
        let by_const = self.constant(right);
        match (op, by_const) {
            (Int::And, Some(mask)) if mask as u32 == u32::MAX => {
                return self.become_unary(UnaryOp::I32WrapI64, left);
            }
            (Int::Shl, Some(count)) if count < 32 => {}
            (Int::Add | Int::Sub | Int::Mul | Int::And | Int::Or | Int::Xor, _) => {}
            _ => return Outcome::Keep,
        }
        let (Some(left), Some(right)) = (self.low_half(left), self.low_half(right)) else {
            return Outcome::Keep;
        };
        let [left, right] = [left, right].map(|half| match half {
            Half::Value(value) => value,
            Half::Const(bits) => self.emit_const(Type::I32, bits),
        });
        self.become_binary(op, Type::I32, left, right)
    }

    fn low_half(&self, value: Value) -> Option<Half> {
        if let Some(bits) = self.constant(value) {
            return Some(Half::Const(bits));
        }
        match self.as_unary(value)? {
            (UnaryOp::I64ExtendI32U | UnaryOp::I64ExtendI32S, half) => Some(Half::Value(half)),
            _ => None,
        }
    }

    /// A mask that leaves the bits that are extended does nothing.
    fn extend_masked(&mut self, op: UnaryOp, a: Value) -> Outcome {
        let bits = match op {
            UnaryOp::I32Extend8S | UnaryOp::I64Extend8S => 8,
            UnaryOp::I32Extend16S | UnaryOp::I64Extend16S => 16,
            _ => 32,
        };
        match self.as_int_by_const(a) {
            Some((Int::And, a, mask)) if !mask & ((1 << bits) - 1) == 0 => self.become_unary(op, a),
            _ => Outcome::Keep,
        }
    }
}

/// The lower 32 bits of something, that cost nothing.
enum Half {
    Value(Value),
    Const(u64),
}
