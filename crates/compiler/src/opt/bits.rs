//! How many bits of an integer carry anything: for each value a bound on it as a number
//! without sign and as one with.
//!
//! Values are looked at in the order of their definitions. A parameter has the widest of
//! what is passed to it, or all its bits if a back edge passes it something that is not
//! known yet.

use super::ints::{Int, mask, signed, width};
#[cfg(feature = "simd")]
use crate::ssa::VectorOp;
use crate::ssa::{Func, InstData, Op, Value};
use zwasm_regir::{LoadOp, Type, UnaryOp};

/// Bounds of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The largest number without sign that it can be.
    pub(super) max: u64,
    /// With this many bits, the highest being the sign, it can be written.
    pub(super) signed: u32,
}

impl Known {
    /// Nothing is known.
    pub(super) fn any(ty: Type) -> Known {
        Known { max: mask(ty), signed: width(ty) }
    }

    /// The number, and what follows for it with a sign.
    pub(super) fn up_to(ty: Type, max: u64) -> Known {
        let max = max.min(mask(ty));
        Known { max, signed: (65 - max.leading_zeros()).min(width(ty)) }
    }

    fn sign_extended(ty: Type, bits: u32) -> Known {
        let bits = bits.min(width(ty));
        Known { max: mask(ty), signed: bits }
    }

    /// A constant.
    fn constant(ty: Type, bits: u64) -> Known {
        let number = signed(ty, bits);
        let same = if number < 0 { number.leading_ones() } else { number.leading_zeros() };
        Known { max: bits & mask(ty), signed: 65 - same }
    }

    fn or(self, other: Known) -> Known {
        Known { max: self.max.max(other.max), signed: self.signed.max(other.signed) }
    }

    /// Whether its sign bit is clear.
    pub(super) fn is_positive(self, ty: Type) -> bool {
        self.max <= mask(ty) >> 1
    }
}

/// What is known of the values seen so far.
pub(super) struct Bits {
    known: Vec<Option<Known>>,
}

impl Bits {
    /// Nothing is known of anything.
    pub(super) fn new(func: &Func) -> Bits {
        Bits { known: vec![None; func.values.len()] }
    }

    /// What is known of a value.
    pub(super) fn of(&self, func: &Func, value: Value) -> Known {
        let known = self.known.get(value.0 as usize).copied().flatten();
        known.unwrap_or_else(|| Known::any(func.ty(value)))
    }

    /// Notes what is known of a value.
    pub(super) fn set(&mut self, value: Value, known: Known) {
        let index = value.0 as usize;
        if index >= self.known.len() {
            self.known.resize(index + 1, None);
        }
        self.known[index] = Some(known);
    }

    /// Adds what an edge passes for a parameter.
    pub(super) fn join(&mut self, func: &Func, param: Value, arg: Value) {
        let arg = self.of(func, arg);
        let joined = self.known[param.0 as usize].map_or(arg, |known| known.or(arg));
        self.known[param.0 as usize] = Some(joined);
    }

    /// Forgets what is known of a value.
    pub(super) fn forget(&mut self, value: Value) {
        self.known[value.0 as usize] = None;
    }

    /// Looks at an instruction whose arguments are known.
    pub(super) fn define(&mut self, func: &Func, inst: &InstData) {
        let &[result] = &inst.results[..] else { return };
        let ty = func.ty(result);
        if !matches!(ty, Type::I32 | Type::I64) {
            return;
        }
        let arg = |number: usize| self.of(func, inst.args[number]);
        let known = match inst.op {
            Op::Const(bits) => Known::constant(ty, bits),
            Op::Compare(_) | Op::RefTest(_) => Known::up_to(ty, 1),
            Op::Select => arg(1).or(arg(2)),
            Op::Unary(op) => of_unary(op, ty, arg(0)),
            Op::Binary(op) => match Int::of(op) {
                Some((op, ty)) => of_binary(op, ty, arg(0), arg(1), func.constant(inst.args[1])),
                None => return,
            },
            Op::Load(op, _) => of_load(op, ty),
            // Addresses and lengths of what is in memory have fewer bits than there are.
            Op::MemoryBase(_) => Known::up_to(ty, u64::MAX >> 1),
            Op::MemoryLen(_) => Known::up_to(ty, 1 << 48),
            #[cfg(feature = "simd")]
            Op::Vector(VectorOp::Test(_)) => Known::up_to(ty, 0xFFFF),
            _ => return,
        };
        self.set(result, known);
    }
}

fn of_unary(op: UnaryOp, ty: Type, a: Known) -> Known {
    match op {
        UnaryOp::I32Clz | UnaryOp::I32Ctz | UnaryOp::I32Popcnt => Known::up_to(ty, 32),
        UnaryOp::I64Clz | UnaryOp::I64Ctz | UnaryOp::I64Popcnt => Known::up_to(ty, 64),
        UnaryOp::I64ExtendI32U => Known::up_to(ty, a.max),
        UnaryOp::I64ExtendI32S if a.is_positive(Type::I32) => Known::up_to(ty, a.max),
        UnaryOp::I64ExtendI32S => Known::sign_extended(ty, a.signed),
        UnaryOp::I32WrapI64 if a.max <= mask(Type::I32) => Known::up_to(ty, a.max),
        UnaryOp::I32WrapI64 => Known::sign_extended(ty, a.signed),
        UnaryOp::I32Extend8S | UnaryOp::I64Extend8S => narrow(ty, a, 8),
        UnaryOp::I32Extend16S | UnaryOp::I64Extend16S => narrow(ty, a, 16),
        UnaryOp::I64Extend32S => narrow(ty, a, 32),
        _ => Known::any(ty),
    }
}

/// What is sign-extended from so many bits.
fn narrow(ty: Type, a: Known, bits: u32) -> Known {
    if a.max >> (bits - 1) == 0 { a } else { Known::sign_extended(ty, bits.min(a.signed)) }
}

/// The bits below the highest one that is set, and it.
fn filled(max: u64) -> u64 {
    if max == 0 { 0 } else { u64::MAX >> max.leading_zeros() }
}

fn of_binary(op: Int, ty: Type, a: Known, b: Known, constant: Option<u64>) -> Known {
    let bits = width(ty);
    let at_most = |max: Option<u64>| match max {
        Some(max) if max <= mask(ty) => Known::up_to(ty, max),
        _ => Known::any(ty),
    };
    let count = constant.map(|count| count as u32 & (bits - 1));
    match op {
        Int::Add => {
            let sum = at_most(a.max.checked_add(b.max));
            let signed = (a.signed.max(b.signed) + 1).min(bits).min(sum.signed);
            Known { max: sum.max, signed }
        }
        Int::Sub => Known::sign_extended(ty, a.signed.max(b.signed) + 1),
        Int::Mul => {
            let product = at_most(a.max.checked_mul(b.max));
            Known { max: product.max, signed: (a.signed + b.signed).min(product.signed) }
        }
        Int::And => {
            let known = Known::up_to(ty, a.max.min(b.max));
            Known { max: known.max, signed: known.signed.min(a.signed.max(b.signed)) }
        }
        Int::Or | Int::Xor => {
            let known = Known::up_to(ty, filled(a.max | b.max));
            Known { max: known.max, signed: known.signed.min(a.signed.max(b.signed)) }
        }
        Int::Shl => match count {
            Some(count) if a.max <= mask(ty) >> count => Known::up_to(ty, a.max << count),
            Some(count) => Known::sign_extended(ty, a.signed + count),
            None => Known::any(ty),
        },
        Int::ShrU => match count {
            Some(count) => Known::up_to(ty, a.max >> count),
            None => Known::up_to(ty, a.max),
        },
        Int::ShrS if a.is_positive(ty) => Known::up_to(ty, a.max >> count.unwrap_or(0)),
        Int::ShrS => Known::sign_extended(ty, a.signed.saturating_sub(count.unwrap_or(0)).max(1)),
        Int::DivU => Known::up_to(ty, a.max / constant.unwrap_or(1).max(1)),
        Int::RemU => Known::up_to(ty, a.max.min(b.max.saturating_sub(1))),
        Int::DivS if a.is_positive(ty) && b.is_positive(ty) => Known::up_to(ty, a.max),
        Int::RemS if a.is_positive(ty) => Known::up_to(ty, a.max),
        Int::DivS | Int::RemS | Int::Rotl | Int::Rotr => Known::any(ty),
    }
}

fn of_load(op: LoadOp, ty: Type) -> Known {
    match op {
        LoadOp::I32Load8U | LoadOp::I64Load8U => Known::up_to(ty, 0xFF),
        LoadOp::I32Load16U | LoadOp::I64Load16U => Known::up_to(ty, 0xFFFF),
        LoadOp::I64Load32U => Known::up_to(ty, mask(Type::I32)),
        LoadOp::I32Load8S | LoadOp::I64Load8S => Known::sign_extended(ty, 8),
        LoadOp::I32Load16S | LoadOp::I64Load16S => Known::sign_extended(ty, 16),
        LoadOp::I64Load32S => Known::sign_extended(ty, 32),
        LoadOp::I32Load | LoadOp::I64Load | LoadOp::F32Load | LoadOp::F64Load => Known::any(ty),
    }
}
