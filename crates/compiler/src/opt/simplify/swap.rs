//! Byte swaps, which WebAssembly has no instruction for: shifts, masks and rotations by
//! whole bytes, put together.
//!
//! Each byte of a value is followed to the byte of another that it is, or to zero. If
//! the bytes of the whole come from one value in the opposite order, it is that value
//! swapped. A swap takes few steps to follow, so that more are not made.

use super::super::ints::{Int, width};
use super::{Outcome, Simplifier};
use crate::ssa::{Op, Value};
use crate::tuning::SWAP_STEPS;
use smallvec::smallvec;
use zwasm_regir::Type;

/// Which byte of the source each is; [`ZERO`] if none.
type Bytes = [u8; 8];
const ZERO: u8 = u8::MAX;

/// Where the bytes of a value come from.
#[derive(Clone, Copy)]
struct Origin {
    source: Value,
    bytes: Bytes,
}

impl Simplifier<'_> {
    /// The byte swap that the union of two values is, if it is one.
    pub(super) fn byte_swap(&self, ty: Type, a: Value, b: Value) -> Option<Outcome> {
        let mut steps = SWAP_STEPS;
        let all = self.union(ty, a, b, &mut steps)?;
        let count = width(ty) as usize / 8;
        let is_swap = (0..count).all(|at| usize::from(all.bytes[at]) == count - 1 - at);
        (is_swap && self.func.ty(all.source) == ty)
            .then(|| Outcome::Become(Op::ByteSwap, smallvec![all.source]))
    }

    fn union(&self, ty: Type, a: Value, b: Value, steps: &mut u32) -> Option<Origin> {
        let (a, b) = (self.origin(ty, a, steps)?, self.origin(ty, b, steps)?);
        let mut bytes = a.bytes;
        for (byte, other) in bytes.iter_mut().zip(b.bytes) {
            match (*byte, other) {
                (_, ZERO) => {}
                (ZERO, other) => *byte = other,
                _ => return None,
            }
        }
        (a.source == b.source).then_some(Origin { source: a.source, bytes })
    }

    /// Follows a value through what moves its bytes. What does not is a source itself.
    fn origin(&self, ty: Type, value: Value, steps: &mut u32) -> Option<Origin> {
        *steps = steps.checked_sub(1)?;
        if let Some((Int::Or, a, b)) = self.as_int(value) {
            return self.union(ty, a, b, steps);
        }
        let count = width(ty) as usize / 8;
        let moved = self.as_int_by_const(value).and_then(|(op, a, by)| {
            // Of a whole byte each; the result's byte `at` is the operand's with that number.
            let step = (by / 8) as usize % count;
            let from = |at: usize| match op {
                Int::Shl => at.checked_sub(step),
                Int::ShrU => Some(at + step).filter(|at| *at < count),
                Int::Rotl => Some((at + count - step) % count),
                Int::Rotr => Some((at + step) % count),
                _ => (by >> (at * 8) & 0xFF == 0xFF).then_some(at),
            };
            let fits = match op {
                Int::Shl | Int::ShrU | Int::Rotl | Int::Rotr => {
                    by.is_multiple_of(8) && by < u64::from(width(ty))
                }
                Int::And => (0..count).all(|at| matches!(by >> (at * 8) & 0xFF, 0 | 0xFF)),
                _ => false,
            };
            if !fits {
                return None;
            }
            let mut places = [None; 8];
            (0..count).for_each(|at| places[at] = from(at));
            Some((a, places))
        });
        let Some((a, places)) = moved else {
            let byte = |at: usize| if at < count { at as u8 } else { ZERO };
            return Some(Origin { source: value, bytes: core::array::from_fn(byte) });
        };
        let inner = self.origin(ty, a, steps)?;
        let byte = |at: usize| places[at].map_or(ZERO, |from| inner.bytes[from]);
        Some(Origin { source: inner.source, bytes: core::array::from_fn(byte) })
    }
}
