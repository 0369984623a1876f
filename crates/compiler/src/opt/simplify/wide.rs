//! Products of 128 bits that are computed in parts of 32.
//!
//! WebAssembly without wide arithmetic has no instruction for them, so that compilers
//! multiply the halves and add up:
//!
//! ```text
//! t = high(a) * low(b) + high(low(a) * low(b))
//! s = low(a) * high(b) + low(t)
//! upper = high(a) * high(b) + high(t) + high(s)
//! lower = s << 32 | low(low(a) * low(b))
//! ```
//!
//! or, with the middle terms added at once,
//!
//! ```text
//! s = high(low(a) * low(b)) + low(low(a) * high(b)) + low(high(a) * low(b))
//! upper = high(a) * high(b) + high(low(a) * high(b)) + high(high(a) * low(b)) + high(s)
//! ```
//!
//! Both halves are found by themselves, each becomes a multiplication with a result of
//! 128 bits, and value numbering finds that these are the same.

use super::super::ints::{Int, mask};
use super::{Outcome, Simplifier};
use crate::ssa::Value;
use crate::tuning;
use zwasm_regir::inst::WideOp;
use zwasm_regir::{Type, UnaryOp};

impl Simplifier<'_> {
    /// A sum that contains the upper half of a product.
    pub(super) fn upper_product(&mut self, a: Value, b: Value) -> Option<Outcome> {
        let mut terms = Vec::new();
        self.terms(a, &mut terms);
        self.terms(b, &mut terms);
        if terms.len() < 3 {
            return None;
        }
        for index in 0..terms.len() {
            let Some((Int::Mul, x, y)) = self.as_int(terms[index]) else { continue };
            let (Some(x), Some(y)) = (self.upper_of(x), self.upper_of(y)) else { continue };
            let rest = self.upper_terms(&terms, x, y).or_else(|| self.upper_terms(&terms, y, x));
            let Some(mut rest) = rest else { continue };
            let left_out = rest.iter().position(|term| *term == index)?;
            rest.swap_remove(left_out);
            let mut sum = self.emit_wide(WideOp::MulWideU, x.min(y), x.max(y))[1];
            for index in rest {
                sum = self.emit_binary(Int::Add.on(Type::I64), sum, terms[index]);
            }
            return Some(Outcome::Same(sum));
        }
        None
    }

    /// The indices of terms that do not belong to the upper half of a product; the product
    /// of the upper halves is still among them.
    fn upper_terms(&self, terms: &[Value], a: Value, b: Value) -> Option<Vec<usize>> {
        let uppers: Vec<Option<Value>> = terms.iter().map(|term| self.upper_of(*term)).collect();
        let find = |wanted: &dyn Fn(Value) -> bool| {
            uppers.iter().position(|upper| upper.is_some_and(wanted))
        };
        let used =
            |gone: &[usize]| Some((0..terms.len()).filter(|index| !gone.contains(index)).collect());
        // In steps.
        for (s, upper) in uppers.iter().enumerate() {
            let Some(sum) = *upper else { continue };
            let Some(t) = self.second_sum(sum, a, b) else { continue };
            if let Some(t) = find(&|upper| upper == t) {
                return used(&[s, t]);
            }
        }
        // At once.
        let first = find(&|upper| self.is_partial(upper, a, false, b, true))?;
        let second = find(&|upper| self.is_partial(upper, a, true, b, false))?;
        let third = find(&|upper| self.is_middle(upper, a, b))?;
        used(&[first, second, third])
    }

    /// The value `t` if a value is `s`, both as in the header of this file.
    fn second_sum(&self, sum: Value, a: Value, b: Value) -> Option<Value> {
        let (Int::Add, left, right) = self.as_int(sum)? else { return None };
        let [t] = [(left, right), (right, left)]
            .into_iter()
            .filter(|(product, _)| self.is_partial(*product, a, false, b, true))
            .filter_map(|(_, low)| self.lower_of(low))
            .collect::<Vec<_>>()[..]
        else {
            return None;
        };
        let (Int::Add, left, right) = self.as_int(t)? else { return None };
        let is_first = |product, carried| {
            self.is_partial(product, a, true, b, false)
                && self
                    .upper_of(carried)
                    .is_some_and(|low| self.is_partial(low, a, false, b, false))
        };
        (is_first(left, right) || is_first(right, left)).then_some(t)
    }

    /// Whether a value is the sum in the middle, with the terms added at once.
    fn is_middle(&self, sum: Value, a: Value, b: Value) -> bool {
        let mut terms = Vec::new();
        self.terms(sum, &mut terms);
        let has = |wanted: &dyn Fn(Value) -> bool| terms.iter().any(|term| wanted(*term));
        let low_of = |term, upper_a, upper_b| {
            self.lower_of(term).is_some_and(|term| self.is_partial(term, a, upper_a, b, upper_b))
        };
        terms.len() == 3
            && has(&|term| low_of(term, false, true))
            && has(&|term| low_of(term, true, false))
            && has(&|term| {
                self.upper_of(term).is_some_and(|low| self.is_partial(low, a, false, b, false))
            })
    }

    /// `s << 32 | low(low(a) * low(b))`: the lower half of a product.
    pub(super) fn lower_product(&mut self, left: Value, right: Value) -> Option<Outcome> {
        let (shifted, low) = match (self.as_int_by_const(left), self.as_int_by_const(right)) {
            (Some((Int::Shl, shifted, 32)), _) => (shifted, right),
            (_, Some((Int::Shl, shifted, 32))) => (shifted, left),
            _ => return None,
        };
        // The factors are known by their lower halves here; which values they are the halves
        // of say those that their upper halves are taken of.
        let (a, b) = self.lowest_factors(low)?;
        let (one, other) = self.whole_factors(shifted)?;
        let [a, b, x, y] = [a, b, one, other].map(|value| self.unmasked(value));
        if (a, b) != (x, y) && (a, b) != (y, x) {
            return None;
        }
        let found = [(one, other), (other, one)].into_iter().any(|(a, b)| {
            self.second_sum(shifted, a, b).is_some() || self.is_middle(shifted, a, b)
        });
        found.then(|| {
            let [lower, _] = self.emit_wide(WideOp::MulWideU, one.min(other), one.max(other));
            Outcome::Same(lower)
        })
    }

    /// The two values of whose upper halves there are products in the middle sum.
    fn whole_factors(&self, sum: Value) -> Option<(Value, Value)> {
        let mut open = vec![sum];
        let mut found = Vec::new();
        for _ in 0..tuning::SUM_TERMS {
            let Some(value) = open.pop() else { break };
            let value = self.lower_of(value).unwrap_or(value);
            match self.as_int(value) {
                Some((Int::Add, left, right)) => open.extend([left, right]),
                Some((Int::Mul, left, right)) => {
                    found.extend(self.upper_of(left).or_else(|| self.upper_of(right)));
                }
                _ => {}
            }
        }
        match found[..] {
            [one, other] => Some((one, other)),
            _ => None,
        }
    }

    /// The values of whose product of lower halves a value is the lower half. That is
    /// computed in 32 bits by then.
    fn lowest_factors(&self, low: Value) -> Option<(Value, Value)> {
        if let Some(product) = self.lower_of(low) {
            let (Int::Mul, x, y) = self.as_int(product)? else { return None };
            return Some((self.lower_of(x)?, self.lower_of(y)?));
        }
        let (UnaryOp::I64ExtendI32U, product) = self.as_unary(low)? else { return None };
        let (Int::Mul, x, y) = self.as_int(product)? else { return None };
        let (UnaryOp::I32WrapI64, x) = self.as_unary(x)? else { return None };
        let (UnaryOp::I32WrapI64, y) = self.as_unary(y)? else { return None };
        Some((x, y))
    }

    /// Whether a value is the product of halves of two others.
    fn is_partial(&self, product: Value, a: Value, upper_a: bool, b: Value, upper_b: bool) -> bool {
        let Some((Int::Mul, left, right)) = self.as_int(product) else { return false };
        let is_half = |half, of, upper| {
            if upper {
                return self.upper_of(half) == Some(of);
            }
            let whole = self.lower_of(half);
            whole.is_some_and(|whole| self.unmasked(whole) == self.unmasked(of))
        };
        (is_half(left, a, upper_a) && is_half(right, b, upper_b))
            || (is_half(right, a, upper_a) && is_half(left, b, upper_b))
    }

    /// A value without masks that leave its lower half alone: they are left out where only
    /// that half is wanted.
    fn unmasked(&self, value: Value) -> Value {
        match self.as_int_by_const(value) {
            Some((Int::And, whole, bits)) if bits as u32 == u32::MAX => whole,
            _ => value,
        }
    }

    /// What a value is the upper 32 bits of.
    fn upper_of(&self, value: Value) -> Option<Value> {
        match self.as_int_by_const(value)? {
            (Int::ShrU, whole, 32) => Some(whole),
            _ => None,
        }
    }

    /// What a value is the lower 32 bits of.
    fn lower_of(&self, value: Value) -> Option<Value> {
        if let Some((Int::And, whole, bits)) = self.as_int_by_const(value)
            && bits == mask(Type::I32)
        {
            return Some(whole);
        }
        let (UnaryOp::I64ExtendI32U, low) = self.as_unary(value)? else { return None };
        let (UnaryOp::I32WrapI64, whole) = self.as_unary(low)? else { return None };
        Some(whole)
    }

    /// The terms of a sum, if there are few.
    fn terms(&self, sum: Value, terms: &mut Vec<Value>) {
        let mut open = vec![sum];
        let mut looked_at = 0;
        while let Some(sum) = open.pop() {
            looked_at += 1;
            match self.as_int(sum) {
                Some((Int::Add, left, right)) if looked_at < tuning::SUM_TERMS => {
                    open.extend([right, left]);
                }
                _ => terms.push(sum),
            }
        }
    }
}
