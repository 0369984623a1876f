//! Rules for vectors: constants in all lanes are constants.

use super::{Outcome, Simplifier};
use crate::ssa::{Inst, Op, Values, VectorOp};
use zwasm_regir::lanes::Lanes;
use zwasm_regir::ops::Scalar;
use zwasm_regir::simd_ops::{Splat, SplatOp, meaning};

impl Simplifier<'_> {
    pub(super) fn vector(&mut self, op: VectorOp, inst: Inst) -> Outcome {
        let args = &self.func.inst(inst).args;
        match op {
            VectorOp::Splat(op) => match self.constant(args[0]) {
                Some(bits) => Outcome::Become(Op::VectorConst(splat(op, bits)), Values::new()),
                None => Outcome::Keep,
            },
            VectorOp::Unary(_)
            | VectorOp::Binary(_)
            | VectorOp::Ternary(_)
            | VectorOp::Shift(_)
            | VectorOp::Test(_)
            | VectorOp::Extract(..)
            | VectorOp::Replace(..)
            | VectorOp::Shuffle(_) => Outcome::Keep,
        }
    }
}

/// A scalar in all lanes, as two halves.
fn splat(op: SplatOp, bits: u64) -> [u64; 2] {
    fn eval<O: Splat>(bits: u64) -> [u8; 16] {
        O::eval(O::A::from_slot(bits)).to_bytes()
    }
    macro_rules! fold {
        ($($name:ident $facts:tt $meaning:tt;)*) => {
            match op { $(SplatOp::$name => eval::<meaning::$name>(bits),)* }
        };
    }
    let bytes = zwasm_regir::for_each_simd_splat!(fold);
    let whole = u128::from_le_bytes(bytes);
    [whole as u64, (whole >> 64) as u64]
}
