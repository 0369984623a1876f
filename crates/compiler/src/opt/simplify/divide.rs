//! Division and remainder by constants: shifts, or multiplication by the reciprocal.
//!
//! For a divisor `d` that is no power of two, `2^p / d`, rounded up to `m`, is the
//! reciprocal with an error of at most 1; with `p` large enough that `x * d` stays below
//! `2^p` for all `x`, the error never reaches the quotient (Granlund and Montgomery,
//! "Division by Invariant Integers using Multiplication", 1994).

use super::super::ints::{Int, IntCompare, mask, signed, width};
use super::{Outcome, Simplifier};
use crate::ssa::{Op, Value};
use smallvec::smallvec;
use zwasm_regir::inst::WideOp;
use zwasm_regir::{Type, UnaryOp};

impl Simplifier<'_> {
    pub(super) fn divide(
        &mut self,
        op: Int,
        ty: Type,
        a: Value,
        b: Value,
        y: Option<u64>,
    ) -> Outcome {
        let (known_a, known_b) = (self.known(a), self.known(b));
        if known_a.is_positive(ty) && known_b.is_positive(ty) {
            match op {
                Int::DivS => return self.become_binary(Int::DivU, ty, a, b),
                Int::RemS => return self.become_binary(Int::RemU, ty, a, b),
                _ => {}
            }
        }
        let Some(y) = y else {
            let narrow = mask(Type::I32);
            let is_unsigned = matches!(op, Int::DivU | Int::RemU);
            if ty == Type::I64 && is_unsigned && known_a.max <= narrow && known_b.max <= narrow {
                let a = self.emit_unary(UnaryOp::I32WrapI64, a);
                let b = self.emit_unary(UnaryOp::I32WrapI64, b);
                let result = self.emit_binary(op.on(Type::I32), a, b);
                return self.become_unary(UnaryOp::I64ExtendI32U, result);
            }
            return Outcome::Keep;
        };
        if y == 0 {
            return Outcome::Keep;
        }
        match op {
            Int::DivU if y == 1 => Outcome::Same(a),
            Int::RemU if y == 1 => self.become_const(ty, 0),
            Int::DivU if y.is_power_of_two() => {
                self.become_with(Int::ShrU, ty, a, u64::from(y.trailing_zeros()))
            }
            Int::RemU if y.is_power_of_two() => self.become_with(Int::And, ty, a, y - 1),
            Int::DivU => {
                let quotient = self.quotient(ty, a, y);
                Outcome::Same(quotient)
            }
            Int::RemU => {
                let quotient = self.quotient(ty, a, y);
                self.rest(ty, a, quotient, y)
            }
            Int::RemS if signed(ty, y).unsigned_abs() == 1 => self.become_const(ty, 0),
            Int::DivS if y == 1 => Outcome::Same(a),
            // The quotient may not fit, which traps.
            Int::DivS if signed(ty, y) == -1 => Outcome::Keep,
            Int::DivS => {
                let quotient = self.signed_quotient(ty, a, signed(ty, y));
                Outcome::Same(quotient)
            }
            Int::RemS => {
                let quotient = self.signed_quotient(ty, a, signed(ty, y));
                self.rest(ty, a, quotient, y)
            }
            _ => Outcome::Keep,
        }
    }

    /// What division leaves.
    fn rest(&mut self, ty: Type, a: Value, quotient: Value, y: u64) -> Outcome {
        let by = self.emit_const(ty, y);
        let product = self.emit_binary(Int::Mul.on(ty), quotient, by);
        self.become_binary(Int::Sub, ty, a, product)
    }

    fn emit_by(&mut self, op: Int, ty: Type, a: Value, bits: u64) -> Value {
        let b = self.emit_const(ty, bits);
        self.emit_binary(op.on(ty), a, b)
    }

    /// The upper half of a product.
    fn high(&mut self, op: WideOp, a: Value, b: u64) -> Value {
        let b = self.emit_const(Type::I64, b);
        self.emit_wide(op, a, b)[1]
    }

    /// The quotient of numbers without sign; the divisor is no power of two.
    fn quotient(&mut self, ty: Type, a: Value, divisor: u64) -> Value {
        if ty == Type::I32 {
            let a = self.emit_unary(UnaryOp::I64ExtendI32U, a);
            let quotient = self.quotient_32(a, divisor);
            return self.emit_unary(UnaryOp::I32WrapI64, quotient);
        }
        if self.known(a).max <= mask(Type::I32) && divisor <= mask(Type::I32) {
            return self.quotient_32(a, divisor);
        }
        let bits = 64 - divisor.leading_zeros();
        if bits == 64 {
            let by = self.emit_const(ty, divisor);
            let once = Op::Compare(IntCompare::GeU.on(ty));
            let once = self.emit(once, smallvec![a, by], Type::I32);
            return self.emit_unary(UnaryOp::I64ExtendI32U, once);
        }
        let even = divisor.trailing_zeros();
        if let Some((reciprocal, shift)) = fitting(divisor, 64, 64) {
            let high = self.high(WideOp::MulWideU, a, reciprocal);
            return self.emit_by(Int::ShrU, ty, high, u64::from(shift));
        }
        if even > 0 {
            let (a, divisor) = (self.emit_by(Int::ShrU, ty, a, even.into()), divisor >> even);
            if let Some((reciprocal, shift)) = fitting(divisor, 64 - even, 64) {
                let high = self.high(WideOp::MulWideU, a, reciprocal);
                return self.emit_by(Int::ShrU, ty, high, u64::from(shift));
            }
        }
        let reciprocal = (1u128 << (64 + bits)) / u128::from(divisor) + 1;
        // It has 65 bits: what the highest multiplies is added, without overflow.
        let high = self.high(WideOp::MulWideU, a, reciprocal as u64);
        let less = self.emit_binary(Int::Sub.on(ty), a, high);
        let half = self.emit_by(Int::ShrU, ty, less, 1);
        let sum = self.emit_binary(Int::Add.on(ty), half, high);
        self.emit_by(Int::ShrU, ty, sum, u64::from(bits - 1))
    }

    /// The quotient of a number of 32 bits in 64 by another.
    fn quotient_32(&mut self, a: Value, divisor: u64) -> Value {
        if let Some((reciprocal, shift)) = fitting(divisor, 32, 32) {
            let product = self.emit_by(Int::Mul, Type::I64, a, reciprocal);
            return self.emit_by(Int::ShrU, Type::I64, product, u64::from(32 + shift));
        }
        self.high(WideOp::MulWideU, a, u64::MAX / divisor + 1)
    }

    /// The quotient of numbers with sign, rounded towards zero; the divisor is neither 0
    /// nor 1 nor -1.
    fn signed_quotient(&mut self, ty: Type, a: Value, divisor: i64) -> Value {
        let bits = width(ty);
        let size = divisor.unsigned_abs();
        let quotient = if size.is_power_of_two() {
            // Negative numbers are rounded up by what is added before the shift.
            let shift = size.trailing_zeros();
            let sign = self.emit_by(Int::ShrS, ty, a, u64::from(shift - 1));
            let more = self.emit_by(Int::ShrU, ty, sign, u64::from(bits - shift));
            let sum = self.emit_binary(Int::Add.on(ty), a, more);
            self.emit_by(Int::ShrS, ty, sum, u64::from(shift))
        } else {
            let log = 64 - (size - 1).leading_zeros();
            let reciprocal = ((1u128 << (bits - 1 + log)) / u128::from(size) + 1) as u64;
            let floor = if ty == Type::I32 {
                let wide = self.emit_unary(UnaryOp::I64ExtendI32S, a);
                let product = self.emit_by(Int::Mul, Type::I64, wide, reciprocal);
                let floor = self.emit_by(Int::ShrS, Type::I64, product, u64::from(31 + log));
                self.emit_unary(UnaryOp::I32WrapI64, floor)
            } else {
                // As a number with sign the reciprocal is 2^64 less.
                let high = self.high(WideOp::MulWideS, a, reciprocal);
                let sum = self.emit_binary(Int::Add.on(ty), high, a);
                self.emit_by(Int::ShrS, ty, sum, u64::from(log - 1))
            };
            let up = self.emit_by(Int::ShrU, ty, a, u64::from(bits - 1));
            self.emit_binary(Int::Add.on(ty), floor, up)
        };
        if divisor > 0 {
            return quotient;
        }
        let zero = self.emit_const(ty, 0);
        self.emit_binary(Int::Sub.on(ty), zero, quotient)
    }

    /// Adds a multiplication with both halves of its result.
    pub(super) fn emit_wide(&mut self, op: WideOp, a: Value, b: Value) -> [Value; 2] {
        let types = [Type::I64, Type::I64];
        let inst = self.func.add_inst(Op::Wide(op), smallvec![a, b], &types, self.source);
        self.out.push(inst);
        let results = &self.func.inst(inst).results;
        [results[0], results[1]]
    }
}

/// The reciprocal that divides numbers of `bits` bits and has `room` bits itself, with the
/// shift behind `room`, if there is one.
fn fitting(divisor: u64, bits: u32, room: u32) -> Option<(u64, u32)> {
    (0..64 - divisor.leading_zeros()).find_map(|shift| {
        let power = 1u128 << (room + shift);
        let reciprocal = power / u128::from(divisor) + 1;
        let error = reciprocal * u128::from(divisor) - power;
        let exact = error << bits <= power;
        (exact && reciprocal < 1 << room).then_some((reciprocal as u64, shift))
    })
}
