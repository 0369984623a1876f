//! The op table: every numeric and memory op, declared once.
//!
//! Each `for_each_*` macro of [`table`] hands its rows to a callback macro, and
//! everything that is per op is derived from them: the enums here with what their
//! columns say, the meanings as types ([`meaning`]), opcode decoding, display, and the
//! interpreter's handlers for each operand form.

pub mod table;

use crate::round::{double, single};
use crate::types::{TrapCode, Type};

/// The largest `f64` below the range of `i64`.
const BELOW_I64: f64 = -9223372036854777856.0;

/// Truncates `x` when it lies strictly between `low` and `high`.
#[inline(always)]
fn checked_trunc(x: f64, low: f64, high: f64) -> Result<f64, TrapCode> {
    if x > low && x < high {
        Ok(x)
    } else if x.is_nan() {
        Err(TrapCode::BadConversionToInteger)
    } else {
        Err(TrapCode::IntegerOverflow)
    }
}

#[inline(always)]
fn div_s32(a: i32, b: i32) -> Result<u32, TrapCode> {
    if b == 0 {
        return Err(TrapCode::IntegerDivisionByZero);
    }
    a.checked_div(b).map(|q| q as u32).ok_or(TrapCode::IntegerOverflow)
}

#[inline(always)]
fn div_s64(a: i64, b: i64) -> Result<u64, TrapCode> {
    if b == 0 {
        return Err(TrapCode::IntegerDivisionByZero);
    }
    a.checked_div(b).map(|q| q as u64).ok_or(TrapCode::IntegerOverflow)
}

/// A value an op computes with: one slot of a frame.
pub trait Scalar: Copy {
    /// Its type as far as slots care.
    const TYPE: Type;
    /// The value as its slot holds it, zero-extended.
    fn to_slot(self) -> u64;
    /// The value from its slot; bits above its width are ignored.
    fn from_slot(bits: u64) -> Self;
}

impl Scalar for u32 {
    const TYPE: Type = Type::I32;

    #[inline(always)]
    fn to_slot(self) -> u64 {
        u64::from(self)
    }
    #[inline(always)]
    fn from_slot(bits: u64) -> Self {
        bits as u32
    }
}

impl Scalar for u64 {
    const TYPE: Type = Type::I64;

    #[inline(always)]
    fn to_slot(self) -> u64 {
        self
    }
    #[inline(always)]
    fn from_slot(bits: u64) -> Self {
        bits
    }
}

impl Scalar for f32 {
    const TYPE: Type = Type::F32;

    #[inline(always)]
    fn to_slot(self) -> u64 {
        u64::from(self.to_bits())
    }
    #[inline(always)]
    fn from_slot(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
}

impl Scalar for f64 {
    const TYPE: Type = Type::F64;

    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn from_slot(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}

/// Lets a row's expression yield a plain result or one that may trap.
trait Outcome<R> {
    fn outcome(self) -> Result<R, TrapCode>;
}

impl<R: Scalar> Outcome<R> for R {
    #[inline(always)]
    fn outcome(self) -> Result<R, TrapCode> {
        Ok(self)
    }
}

impl<R> Outcome<R> for Result<R, TrapCode> {
    #[inline(always)]
    fn outcome(self) -> Result<R, TrapCode> {
        self
    }
}

/// The meaning of a one-operand op.
pub trait Unary {
    /// The operand's type.
    type A: Scalar;
    /// The result's type.
    type R: Scalar;
    /// Computes the result.
    fn eval(a: Self::A) -> Result<Self::R, TrapCode>;
}

/// The meaning of a two-operand op.
pub trait Binary {
    /// The operands' type.
    type A: Scalar;
    /// The result's type.
    type R: Scalar;
    /// Computes the result.
    fn eval(a: Self::A, b: Self::A) -> Result<Self::R, TrapCode>;
}

/// The meaning of a comparison.
pub trait Compare {
    /// The operands' type.
    type A: Scalar;
    /// Answers the question.
    fn eval(a: Self::A, b: Self::A) -> bool;
}

/// The meaning of a load, after the bytes are read.
pub trait Load {
    /// The integer read from memory, little-endian.
    type M: Copy;
    /// The result's type.
    type R: Scalar;
    /// Extends what was read.
    fn extend(raw: Self::M) -> Self::R;
}

/// The meaning of a store, before the bytes are written.
pub trait Store {
    /// The operand's type.
    type A: Scalar;
    /// The integer written to memory, little-endian.
    type M: Copy;
    /// Narrows the operand.
    fn narrow(value: Self::A) -> Self::M;
}

/// Declares one class of ops: an enum with opcode, text and lookup.
macro_rules! op_enum {
    (
        $(#[$doc:meta])* $enum:ident:
        $($name:ident { wasm: $wasm:literal, text: $text:literal $($more:tt)* } $meaning:tt;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $enum {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl $enum {
            /// Every op of this class, in table order.
            pub const ALL: &'static [$enum] = &[$($enum::$name,)*];

            /// The op's name in the text format.
            pub const fn text(self) -> &'static str {
                match self { $($enum::$name => $text,)* }
            }

            /// The op's opcode, as its table writes opcodes.
            pub const fn opcode(self) -> u16 {
                match self { $($enum::$name => $wasm,)* }
            }

            /// The op with this opcode.
            pub const fn from_opcode(opcode: u16) -> Option<$enum> {
                match opcode { $($wasm => Some($enum::$name),)* _ => None }
            }
        }
    };
}

/// Gives a class of ops the columns behind the first two, as the fields of a structure.
macro_rules! op_facts {
    (
        $enum:ident $facts:ident:
        $($name:ident {
            wasm: $wasm:literal, text: $text:literal $(, $column:ident: $value:expr)*
        } $meaning:tt;)*
    ) => {
        impl $enum {
            const fn facts(self) -> $facts {
                const TABLE: &[$facts] = &[$({
                    #[allow(unused_mut, reason = "not every row has such columns")]
                    let mut facts = $facts::NONE;
                    $(facts.$column = $value;)*
                    facts
                },)*];
                TABLE[self as usize]
            }
        }
    };
}

pub(crate) use op_enum;
#[cfg(feature = "simd")]
pub(crate) use op_facts;

/// The columns of ops that compute.
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) commutes: bool,
    pub(crate) nan: bool,
    pub(crate) traps: bool,
}

impl Facts {
    pub(crate) const NONE: Facts = Facts { commutes: false, nan: false, traps: false };
}

/// The columns of comparisons.
#[derive(Clone, Copy)]
struct CompareFacts {
    not: Option<CompareOp>,
    swap: Option<CompareOp>,
}

impl CompareFacts {
    const NONE: CompareFacts = CompareFacts { not: None, swap: None };
}

/// The meanings, one unit type per op.
pub mod meaning {
    use super::*;

    macro_rules! unary {
        ($($name:ident $facts:tt [|$x:ident: $a:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Unary for $name {
                type A = $a;
                type R = $r;
                #[inline(always)]
                fn eval($x: $a) -> Result<$r, TrapCode> {
                    Outcome::<$r>::outcome($body)
                }
            }
        )*};
    }
    crate::for_each_unary!(unary);

    macro_rules! binary {
        ($($name:ident $facts:tt [|$x:ident, $y:ident: $a:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Binary for $name {
                type A = $a;
                type R = $r;
                #[inline(always)]
                fn eval($x: $a, $y: $a) -> Result<$r, TrapCode> {
                    Outcome::<$r>::outcome($body)
                }
            }
        )*};
    }
    crate::for_each_binary!(binary);

    macro_rules! compare {
        ($($name:ident $facts:tt [|$x:ident, $y:ident: $a:ty| -> bool = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Compare for $name {
                type A = $a;
                #[inline(always)]
                fn eval($x: $a, $y: $a) -> bool {
                    $body
                }
            }
        )*};
    }
    crate::for_each_compare!(compare);

    macro_rules! load {
        ($($name:ident $facts:tt [|$x:ident: $m:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Load for $name {
                type M = $m;
                type R = $r;
                #[inline(always)]
                fn extend($x: $m) -> $r {
                    $body
                }
            }
        )*};
    }
    crate::for_each_load!(load);

    macro_rules! store {
        ($($name:ident $facts:tt [|$x:ident: $a:ty| -> $m:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Store for $name {
                type A = $a;
                type M = $m;
                #[inline(always)]
                fn narrow($x: $a) -> $m {
                    $body
                }
            }
        )*};
    }
    crate::for_each_store!(store);
}

macro_rules! unary_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// One-operand ops.
            UnaryOp: $($name $facts $meaning;)*
        }
        op_facts! { UnaryOp Facts: $($name $facts $meaning;)* }

        impl UnaryOp {
            /// The operand's type.
            pub const fn operand(self) -> Type {
                match self { $(UnaryOp::$name => <meaning::$name as Unary>::A::TYPE,)* }
            }

            /// The result's type.
            pub const fn result(self) -> Type {
                match self { $(UnaryOp::$name => <meaning::$name as Unary>::R::TYPE,)* }
            }
        }
    };
}
crate::for_each_unary!(unary_enum);

impl UnaryOp {
    /// Whether it may trap.
    pub const fn traps(self) -> bool {
        self.facts().traps
    }

    /// The op that makes a NaN this op computes canonical; none if this op computes
    /// none, but at most moves it.
    pub const fn canonical(self) -> Option<UnaryOp> {
        if self.facts().nan { UnaryOp::canonical_of(self.result()) } else { None }
    }

    const fn canonical_of(ty: Type) -> Option<UnaryOp> {
        match ty {
            Type::F32 => Some(UnaryOp::F32Canonical),
            Type::F64 => Some(UnaryOp::F64Canonical),
            Type::I32 | Type::I64 | Type::V128 | Type::Ref => None,
        }
    }
}

macro_rules! binary_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Two-operand ops that are not comparisons.
            BinaryOp: $($name $facts $meaning;)*
        }
        op_facts! { BinaryOp Facts: $($name $facts $meaning;)* }

        impl BinaryOp {
            /// The type of both operands and of the result.
            pub const fn result(self) -> Type {
                match self { $(BinaryOp::$name => <meaning::$name as Binary>::R::TYPE,)* }
            }
        }
    };
}
crate::for_each_binary!(binary_enum);

impl BinaryOp {
    /// Whether the operands may be exchanged.
    pub const fn commutes(self) -> bool {
        self.facts().commutes
    }

    /// Whether it may trap.
    pub const fn traps(self) -> bool {
        self.facts().traps
    }

    /// As [`UnaryOp::canonical`].
    pub const fn canonical(self) -> Option<UnaryOp> {
        if self.facts().nan { UnaryOp::canonical_of(self.result()) } else { None }
    }
}

macro_rules! compare_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Comparisons; the result is an `i32` of 0 or 1.
            CompareOp: $($name $facts $meaning;)*
        }
        op_facts! { CompareOp CompareFacts: $($name $facts $meaning;)* }

        impl CompareOp {
            /// The type of both operands.
            pub const fn operand(self) -> Type {
                match self { $(CompareOp::$name => <meaning::$name as Compare>::A::TYPE,)* }
            }
        }
    };
}
crate::for_each_compare!(compare_enum);

impl CompareOp {
    /// The comparison with the opposite answer, where there is one.
    pub const fn negate(self) -> Option<CompareOp> {
        self.facts().not
    }

    /// The comparison that gives the same answer for exchanged operands.
    pub const fn swap(self) -> CompareOp {
        match self.facts().swap {
            Some(other) => other,
            None => self,
        }
    }
}

macro_rules! load_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Scalar loads.
            LoadOp: $($name $facts $meaning;)*
        }

        impl LoadOp {
            /// The result's type.
            pub const fn result(self) -> Type {
                match self { $(LoadOp::$name => <meaning::$name as Load>::R::TYPE,)* }
            }

            /// Bytes that are read.
            pub const fn size(self) -> u64 {
                match self { $(LoadOp::$name => size_of::<<meaning::$name as Load>::M>() as u64,)* }
            }
        }
    };
}
crate::for_each_load!(load_enum);

macro_rules! store_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Scalar stores.
            StoreOp: $($name $facts $meaning;)*
        }

        impl StoreOp {
            /// The type of the value stored.
            pub const fn operand(self) -> Type {
                match self { $(StoreOp::$name => <meaning::$name as Store>::A::TYPE,)* }
            }

            /// Bytes that are written.
            pub const fn size(self) -> u64 {
                match self { $(StoreOp::$name => size_of::<<meaning::$name as Store>::M>() as u64,)* }
            }
        }
    };
}
crate::for_each_store!(store_enum);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_names_one_op() {
        let mut seen = std::collections::HashSet::new();
        for opcode in (0..=0x101).chain(0xFC00..=0xFC07) {
            let names = [
                UnaryOp::from_opcode(opcode).map(UnaryOp::text),
                BinaryOp::from_opcode(opcode).map(BinaryOp::text),
                CompareOp::from_opcode(opcode).map(CompareOp::text),
                LoadOp::from_opcode(opcode).map(LoadOp::text),
                StoreOp::from_opcode(opcode).map(StoreOp::text),
            ];
            assert!(names.iter().flatten().count() <= 1, "opcode {opcode:#x}");
            for name in names.into_iter().flatten() {
                assert!(seen.insert(name), "{name} has two opcodes");
            }
        }
        let total = UnaryOp::ALL.len()
            + BinaryOp::ALL.len()
            + CompareOp::ALL.len()
            + LoadOp::ALL.len()
            + StoreOp::ALL.len();
        assert_eq!(seen.len(), total);
    }

    #[test]
    fn negation_and_swap_are_involutions() {
        for &op in CompareOp::ALL {
            assert_eq!(op.swap().swap(), op);
            if let Some(not) = op.negate() {
                assert_eq!(not.negate(), Some(op));
            }
        }
    }

    /// Bits that are edge values of some type.
    fn edges() -> Vec<u64> {
        let mut edges = vec![0, 1, 2, 31, 32, 1 << 31, u64::from(u32::MAX), 1 << 63, u64::MAX];
        edges.extend([0x8000_0001, 0x7FFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0001]);
        edges.extend([1.5f32, -0.0, 3e9, f32::INFINITY, f32::NAN].map(|x| u64::from(x.to_bits())));
        edges.extend([1.5f64, -0.0, 3e19, f64::INFINITY, f64::NAN].map(f64::to_bits));
        // NaN whose bits differ.
        edges.extend([0x7FC0_0001, 0xFFC0_0002, 0x7FF8_0000_0000_0001, 0xFFF8_0000_0000_0002]);
        edges
    }

    /// What ops on two operands give, by their names.
    fn binary_results(a: u64, b: u64) -> Vec<Result<u64, TrapCode>> {
        fn eval<O: Binary>(a: u64, b: u64) -> Result<u64, TrapCode> {
            O::eval(O::A::from_slot(a), O::A::from_slot(b)).map(Scalar::to_slot)
        }
        macro_rules! results {
            ($($name:ident $facts:tt $meaning:tt;)*) => { vec![$(eval::<meaning::$name>(a, b),)*] };
        }
        crate::for_each_binary!(results)
    }

    fn unary_results(a: u64) -> Vec<Result<u64, TrapCode>> {
        fn eval<O: Unary>(a: u64) -> Result<u64, TrapCode> {
            O::eval(O::A::from_slot(a)).map(Scalar::to_slot)
        }
        macro_rules! results {
            ($($name:ident $facts:tt $meaning:tt;)*) => { vec![$(eval::<meaning::$name>(a),)*] };
        }
        crate::for_each_unary!(results)
    }

    #[test]
    fn columns_say_what_the_meanings_do() {
        let edges = edges();
        let mut commutes = vec![true; BinaryOp::ALL.len()];
        let mut traps = vec![false; BinaryOp::ALL.len()];
        for (&a, &b) in edges.iter().flat_map(|a| edges.iter().map(move |b| (a, b))) {
            let exchanged = binary_results(b, a);
            for (index, result) in binary_results(a, b).into_iter().enumerate() {
                commutes[index] &= result == exchanged[index];
                traps[index] |= result.is_err();
            }
        }
        for (index, &op) in BinaryOp::ALL.iter().enumerate() {
            assert_eq!(op.commutes(), commutes[index], "{}", op.text());
            assert_eq!(op.traps(), traps[index], "{}", op.text());
        }
        for (index, &op) in UnaryOp::ALL.iter().enumerate() {
            let trapped = edges.iter().any(|a| unary_results(*a)[index].is_err());
            assert_eq!(op.traps(), trapped, "{}", op.text());
        }
    }

    #[test]
    fn ops_on_floats_make_nans_unless_they_move_bits() {
        let moves = ["abs", "neg", "copysign", "canonical", "convert", "reinterpret"];
        let expected = |text: &str, result: Type| match result {
            Type::F32 | Type::F64 => !moves.iter().any(|name| text.contains(name)),
            Type::I32 | Type::I64 | Type::V128 | Type::Ref => false,
        };
        for &op in UnaryOp::ALL {
            assert_eq!(op.canonical().is_some(), expected(op.text(), op.result()), "{}", op.text());
        }
        for &op in BinaryOp::ALL {
            assert_eq!(op.canonical().is_some(), expected(op.text(), op.result()), "{}", op.text());
        }
    }

    #[test]
    fn accesses_have_the_size_in_their_names() {
        let size = |text: &str| match text.split_once('.') {
            Some((_, op)) if op.contains('8') => 1,
            Some((_, op)) if op.contains("16") => 2,
            Some((_, op)) if op.contains("32") => 4,
            Some(("i32" | "f32", _)) => 4,
            _ => 8,
        };
        for &op in LoadOp::ALL {
            assert_eq!(op.size(), size(op.text()), "{}", op.text());
        }
        for &op in StoreOp::ALL {
            assert_eq!(op.size(), size(op.text()), "{}", op.text());
        }
    }

    #[test]
    fn trapping_conversions_hold_their_edges() {
        use meaning::*;
        assert_eq!(I32TruncF64S::eval(2147483647.9), Ok(i32::MAX as u32));
        assert_eq!(I32TruncF64S::eval(2147483648.0), Err(TrapCode::IntegerOverflow));
        assert_eq!(I32TruncF64S::eval(-2147483648.9), Ok(i32::MIN as u32));
        assert_eq!(I32TruncF32U::eval(-0.9), Ok(0));
        assert_eq!(I32TruncF32U::eval(f32::NAN), Err(TrapCode::BadConversionToInteger));
        assert_eq!(I64TruncF64S::eval(-9223372036854775808.0), Ok(i64::MIN as u64));
        assert_eq!(I32DivS::eval(i32::MIN as u32, -1i32 as u32), Err(TrapCode::IntegerOverflow));
        assert_eq!(I32RemS::eval(i32::MIN as u32, -1i32 as u32), Ok(0));
    }
}
