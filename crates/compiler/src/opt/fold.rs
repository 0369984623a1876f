//! What ops on constants give, by the meanings in the op tables.
//!
//! A NaN is left to the machine: which of two NaN an op passes on is for the instruction
//! to say.

use zwasm_regir::ops::{Binary, Compare, Scalar, Unary, meaning};
use zwasm_regir::{BinaryOp, CompareOp, Type, UnaryOp};

/// What a one-operand op gives; nothing if it traps.
pub(super) fn unary(op: UnaryOp, a: u64) -> Option<u64> {
    fn eval<O: Unary>(a: u64) -> Option<u64> {
        O::eval(O::A::from_slot(a)).ok().map(Scalar::to_slot)
    }
    macro_rules! fold {
        ($($name:ident $facts:tt $meaning:tt;)*) => {
            match op { $(UnaryOp::$name => eval::<meaning::$name>(a),)* }
        };
    }
    let result = zwasm_regir::for_each_unary!(fold)?;
    (op.canonical().is_none() || !is_nan(op.result(), result)).then_some(result)
}

/// What a two-operand op gives; nothing if it traps.
pub(super) fn binary(op: BinaryOp, a: u64, b: u64) -> Option<u64> {
    fn eval<O: Binary>(a: u64, b: u64) -> Option<u64> {
        O::eval(O::A::from_slot(a), O::A::from_slot(b)).ok().map(Scalar::to_slot)
    }
    macro_rules! fold {
        ($($name:ident $facts:tt $meaning:tt;)*) => {
            match op { $(BinaryOp::$name => eval::<meaning::$name>(a, b),)* }
        };
    }
    let result = zwasm_regir::for_each_binary!(fold)?;
    (op.canonical().is_none() || !is_nan(op.result(), result)).then_some(result)
}

/// What a comparison answers.
pub(super) fn compare(op: CompareOp, a: u64, b: u64) -> bool {
    fn eval<O: Compare>(a: u64, b: u64) -> bool {
        O::eval(O::A::from_slot(a), O::A::from_slot(b))
    }
    macro_rules! fold {
        ($($name:ident $facts:tt $meaning:tt;)*) => {
            match op { $(CompareOp::$name => eval::<meaning::$name>(a, b),)* }
        };
    }
    zwasm_regir::for_each_compare!(fold)
}

fn is_nan(ty: Type, bits: u64) -> bool {
    match ty {
        Type::F32 => f32::from_slot(bits).is_nan(),
        Type::F64 => f64::from_slot(bits).is_nan(),
        Type::I32 | Type::I64 | Type::V128 | Type::Ref => false,
    }
}
