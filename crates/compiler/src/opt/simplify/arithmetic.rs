//! Rules for integer arithmetic, and for the addresses it makes.

use super::super::ints::{Int, mask, width};
use super::{Outcome, Simplifier, fold};
use crate::ssa::{Access, Inst, Op, Value, Values};
use crate::tuning;
use zwasm_regir::{BinaryOp, Type};

impl Simplifier<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Outcome {
        let (x, y) = (self.constant(a), self.constant(b));
        if let (Some(x), Some(y)) = (x, y)
            && let Some(bits) = fold::binary(op, x, y)
        {
            return Outcome::Become(Op::Const(bits), Values::new());
        }
        let Some((int, ty)) = Int::of(op) else { return Outcome::Keep };
        if op.commutes() && x.is_some() && y.is_none() {
            return self.become_binary(int, ty, b, a);
        }
        match int {
            Int::Add => self.add(ty, a, b, y),
            Int::Sub => self.sub(ty, a, b, x, y),
            Int::Mul => self.mul(ty, a, b, y),
            Int::DivS | Int::DivU | Int::RemS | Int::RemU => self.divide(int, ty, a, b, y),
            Int::And => self.and(ty, a, b, y),
            Int::Or => self.or(ty, a, b, y),
            Int::Xor => self.xor(ty, a, b, y),
            Int::Shl | Int::ShrS | Int::ShrU | Int::Rotl | Int::Rotr => {
                self.shift(int, ty, a, b, y)
            }
        }
    }

    fn add(&mut self, ty: Type, a: Value, b: Value, y: Option<u64>) -> Outcome {
        if let Some(y) = y {
            if y == 0 {
                return Outcome::Same(a);
            }
            match self.as_int(a) {
                Some((Int::Add, a, more)) if self.constant(more).is_some() => {
                    let more = self.constant(more).unwrap_or(0);
                    return self.become_with(Int::Add, ty, a, more.wrapping_add(y));
                }
                Some((Int::Sub, from, less)) if self.constant(from).is_some() => {
                    let from = self.constant(from).unwrap_or(0);
                    let from = self.emit_const(ty, from.wrapping_add(y));
                    return self.become_binary(Int::Sub, ty, from, less);
                }
                _ => return Outcome::Keep,
            }
        }
        if let Some(rotated) = self.rotation(ty, a, b) {
            return rotated;
        }
        if ty == Type::I64
            && let Some(product) = self.upper_product(a, b).or_else(|| self.lower_product(a, b))
        {
            return product;
        }
        if let Some((Int::Sub, from, less)) = self.as_int(a) {
            if less == b {
                return Outcome::Same(from);
            }
            if self.constant(from) == Some(0) {
                return self.become_binary(Int::Sub, ty, b, less);
            }
        }
        if let Some((Int::Sub, from, less)) = self.as_int(b) {
            if less == a {
                return Outcome::Same(from);
            }
            if self.constant(from) == Some(0) {
                return self.become_binary(Int::Sub, ty, a, less);
            }
        }
        Outcome::Keep
    }

    fn sub(&mut self, ty: Type, a: Value, b: Value, x: Option<u64>, y: Option<u64>) -> Outcome {
        if a == b {
            return self.become_const(ty, 0);
        }
        if let Some(y) = y {
            return self.become_with(Int::Add, ty, a, y.wrapping_neg());
        }
        if let Some((Int::Add, left, right)) = self.as_int(a) {
            if left == b {
                return Outcome::Same(right);
            }
            if right == b {
                return Outcome::Same(left);
            }
        }
        match (x, self.as_int_by_const(b)) {
            (Some(x), Some((Int::Add, b, more))) => {
                let from = self.emit_const(ty, x.wrapping_sub(more));
                return self.become_binary(Int::Sub, ty, from, b);
            }
            (None, Some((Int::Add, less, more))) if less == a => {
                return self.become_const(ty, more.wrapping_neg());
            }
            _ => {}
        }
        match self.as_int(b) {
            Some((Int::Sub, from, less)) if from == a => Outcome::Same(less),
            Some((Int::Sub, from, less)) if self.constant(from) == Some(0) => {
                self.become_binary(Int::Add, ty, a, less)
            }
            _ => Outcome::Keep,
        }
    }

    fn mul(&mut self, ty: Type, a: Value, b: Value, y: Option<u64>) -> Outcome {
        let Some(y) = y else { return Outcome::Keep };
        if y == 0 {
            return Outcome::Same(b);
        }
        if y == 1 {
            return Outcome::Same(a);
        }
        if y == mask(ty) {
            let zero = self.emit_const(ty, 0);
            return self.become_binary(Int::Sub, ty, zero, a);
        }
        if y.is_power_of_two() {
            return self.become_with(Int::Shl, ty, a, u64::from(y.trailing_zeros()));
        }
        match self.as_int_by_const(a) {
            Some((Int::Mul, a, more)) => {
                self.become_with(Int::Mul, ty, a, more.wrapping_mul(y) & mask(ty))
            }
            Some((Int::Shl, a, count)) => {
                let count = count & u64::from(width(ty) - 1);
                self.become_with(Int::Mul, ty, a, (y << count) & mask(ty))
            }
            _ => Outcome::Keep,
        }
    }

    /// Moves what is added to an address into the access, where the sum cannot wrap.
    pub(super) fn address(&mut self, inst: Inst, access: Access, checked: bool) -> Outcome {
        let addr = self.func.inst(inst).args[1];
        let Some((Int::Add, base, more)) = self.as_int_by_const(addr) else {
            return Outcome::Keep;
        };
        let ty = self.func.ty(addr);
        let Some(largest) = self.known(base).max.checked_add(more) else { return Outcome::Keep };
        let Some(offset) = access.offset.checked_add(more) else { return Outcome::Keep };
        // Guard pages bound offsets up to some size only, and instructions hold 31 bits.
        let room = match self.context.env.memory(access.mem).guard {
            Some(guard) if !checked => u64::from(guard).saturating_sub(tuning::ACCESS_BYTES),
            _ => u64::from(u32::MAX >> 1),
        };
        if largest > mask(ty) || offset > room.min(u64::from(u32::MAX >> 1)) {
            return Outcome::Keep;
        }
        let data = self.func.inst_mut(inst);
        data.args[1] = base;
        if let Some(access) = data.op.access_mut() {
            access.offset = offset;
        }
        let (op, args) = (data.op, data.args.clone());
        Outcome::Become(op, args)
    }
}
