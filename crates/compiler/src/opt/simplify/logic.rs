//! Rules for bits: masks, shifts and rotations.

use super::super::ints::{Int, IntCompare, mask, width};
use super::{Outcome, Simplifier};
use crate::ssa::{Op, Value};
use smallvec::smallvec;
use zwasm_regir::{Type, UnaryOp};

impl Simplifier<'_> {
    pub(super) fn and(&mut self, ty: Type, a: Value, b: Value, y: Option<u64>) -> Outcome {
        if a == b {
            return Outcome::Same(a);
        }
        let Some(y) = y else { return Outcome::Keep };
        if y == 0 {
            return Outcome::Same(b);
        }
        // All bits that the other has are in a mask without gaps.
        let known = self.known(a).max;
        let needed = if known == 0 { 0 } else { u64::MAX >> known.leading_zeros() };
        if needed & !y == 0 {
            return Outcome::Same(a);
        }
        if ty == Type::I64 && y == mask(Type::I32) {
            let low = self.emit_unary(UnaryOp::I32WrapI64, a);
            return self.become_unary(UnaryOp::I64ExtendI32U, low);
        }
        if let Some((Int::And, a, more)) = self.as_int_by_const(a) {
            return self.become_with(Int::And, ty, a, more & y);
        }
        // Sign extension does not matter below the sign.
        if let Some((op, a)) = self.as_unary(a) {
            let bits = match op {
                UnaryOp::I32Extend8S | UnaryOp::I64Extend8S => 8,
                UnaryOp::I32Extend16S | UnaryOp::I64Extend16S => 16,
                UnaryOp::I64Extend32S => 32,
                _ => 64,
            };
            if bits < 64 && y >> bits == 0 {
                return self.become_with(Int::And, ty, a, y);
            }
            // A mask of 32 bits is cheaper than one of 64.
            if op == UnaryOp::I64ExtendI32U {
                let mask = self.emit_const(Type::I32, y);
                let low = self.emit_binary(Int::And.on(Type::I32), a, mask);
                return self.become_unary(UnaryOp::I64ExtendI32U, low);
            }
        }
        Outcome::Keep
    }

    pub(super) fn or(&mut self, ty: Type, a: Value, b: Value, y: Option<u64>) -> Outcome {
        if a == b {
            return Outcome::Same(a);
        }
        match (y, self.as_int_by_const(a)) {
            (Some(0), _) => return Outcome::Same(a),
            (Some(y), _) if y == mask(ty) => return Outcome::Same(b),
            (Some(y), Some((Int::Or, a, more))) => {
                return self.become_with(Int::Or, ty, a, more | y);
            }
            _ => {}
        }
        if ty == Type::I64
            && let Some(product) = self.lower_product(a, b)
        {
            return product;
        }
        let better = self.rotation(ty, a, b).or_else(|| self.byte_swap(ty, a, b));
        better.unwrap_or(Outcome::Keep)
    }

    pub(super) fn xor(&mut self, ty: Type, a: Value, b: Value, y: Option<u64>) -> Outcome {
        if a == b {
            return self.become_const(ty, 0);
        }
        match y {
            Some(0) => return Outcome::Same(a),
            Some(1) if ty == Type::I32 => {
                if let Some((op, left, right)) = self.as_compare(a)
                    && let Some(not) = op.negate()
                {
                    return Outcome::Become(Op::Compare(not), smallvec![left, right]);
                }
            }
            _ => {}
        }
        if let (Some(y), Some((Int::Xor, a, more))) = (y, self.as_int_by_const(a)) {
            return self.become_with(Int::Xor, ty, a, more ^ y);
        }
        if let Some((Int::Xor, left, right)) = self.as_int(a) {
            if left == b {
                return Outcome::Same(right);
            }
            if right == b {
                return Outcome::Same(left);
            }
        }
        self.rotation(ty, a, b).unwrap_or(Outcome::Keep)
    }

    /// Two shifts of the same value whose results have no bit in common, put together.
    pub(super) fn rotation(&mut self, ty: Type, a: Value, b: Value) -> Option<Outcome> {
        let bits = u64::from(width(ty));
        let (first, second) = (self.as_int_by_const(a)?, self.as_int_by_const(b)?);
        let (((Int::Shl, x, left), (Int::ShrU, y, right))
        | ((Int::ShrU, y, right), (Int::Shl, x, left))) = (first, second)
        else {
            return None;
        };
        let fits = x == y && left < bits && right < bits && left + right == bits;
        fits.then(|| self.become_with(Int::Rotl, ty, x, left))
    }

    pub(super) fn shift(
        &mut self,
        op: Int,
        ty: Type,
        a: Value,
        b: Value,
        y: Option<u64>,
    ) -> Outcome {
        let bits = width(ty);
        let Some(y) = y else {
            // The machine masks the count itself.
            return match self.as_int_by_const(b) {
                Some((Int::And, count, mask)) if !mask & u64::from(bits - 1) == 0 => {
                    self.become_binary(op, ty, a, count)
                }
                _ => Outcome::Keep,
            };
        };
        let count = y & u64::from(bits - 1);
        if count == 0 {
            return Outcome::Same(a);
        }
        if count != y {
            return self.become_with(op, ty, a, count);
        }
        let whole = u64::from(bits);
        let inner = self.as_int_by_const(a).filter(|(_, _, inner)| *inner < whole);
        match (op, inner) {
            (Int::Shl, Some((Int::Shl, a, inner))) | (Int::ShrU, Some((Int::ShrU, a, inner))) => {
                if count + inner >= whole {
                    return self.become_const(ty, 0);
                }
                self.become_with(op, ty, a, count + inner)
            }
            (Int::ShrS, Some((Int::ShrS, a, inner))) => {
                self.become_with(op, ty, a, (count + inner).min(whole - 1))
            }
            (Int::ShrU, Some((Int::Shl, a, inner))) if inner == count => {
                self.become_with(Int::And, ty, a, mask(ty) >> count)
            }
            (Int::Shl, Some((Int::ShrU | Int::ShrS, a, inner))) if inner == count => {
                self.become_with(Int::And, ty, a, (mask(ty) << count) & mask(ty))
            }
            (Int::ShrS, Some((Int::Shl, a, inner))) if inner == count => {
                match (ty, bits as u64 - count) {
                    (Type::I32, 8) => self.become_unary(UnaryOp::I32Extend8S, a),
                    (Type::I32, 16) => self.become_unary(UnaryOp::I32Extend16S, a),
                    (Type::I64, 8) => self.become_unary(UnaryOp::I64Extend8S, a),
                    (Type::I64, 16) => self.become_unary(UnaryOp::I64Extend16S, a),
                    (Type::I64, 32) => self.become_unary(UnaryOp::I64Extend32S, a),
                    _ => Outcome::Keep,
                }
            }
            (Int::Rotl | Int::Rotr, Some((inner_op @ (Int::Rotl | Int::Rotr), a, inner))) => {
                let inner = if inner_op == op { inner } else { whole - inner };
                self.become_with(op, ty, a, (count + inner) % whole)
            }
            (Int::ShrU, _) if self.known(a).max >> count == 0 => self.become_const(ty, 0),
            (Int::ShrS, _) if self.known(a).is_positive(ty) => {
                self.become_binary(Int::ShrU, ty, a, b)
            }
            _ => Outcome::Keep,
        }
    }

    /// The answer of a comparison that is known for how few bits its operands have.
    pub(super) fn answer(&self, op: IntCompare, ty: Type, a: Value, b: Value) -> Option<bool> {
        let (x, y) = (self.known(a), self.known(b));
        let least = self.constant(b).unwrap_or(0);
        match op {
            IntCompare::LtU if x.max < least => Some(true),
            IntCompare::LeU if x.max <= least => Some(true),
            IntCompare::GtU if x.max <= least => Some(false),
            IntCompare::GeU if x.max < least => Some(false),
            IntCompare::Eq if x.max < least => Some(false),
            IntCompare::Ne if x.max < least => Some(true),
            IntCompare::LtS | IntCompare::LeS | IntCompare::GtS | IntCompare::GeS
                if x.is_positive(ty) && y.is_positive(ty) =>
            {
                let unsigned = match op {
                    IntCompare::LtS => IntCompare::LtU,
                    IntCompare::LeS => IntCompare::LeU,
                    IntCompare::GtS => IntCompare::GtU,
                    _ => IntCompare::GeU,
                };
                self.answer(unsigned, ty, a, b)
            }
            IntCompare::LtS | IntCompare::LeS if x.is_positive(ty) && self.is_negative(ty, b) => {
                Some(false)
            }
            IntCompare::GtS | IntCompare::GeS if x.is_positive(ty) && self.is_negative(ty, b) => {
                Some(true)
            }
            _ => None,
        }
    }

    fn is_negative(&self, ty: Type, value: Value) -> bool {
        self.constant(value).is_some_and(|bits| bits > mask(ty) >> 1)
    }
}
