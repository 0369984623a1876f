//! The vector op table: every op on `v128`, declared once.
//!
//! Rows are in [`table`], and what is derived from them is as in [`crate::ops`]. The
//! meanings are the reference definitions: an interpreter
//! or compiler may use instructions of the machine instead, and a test holds the
//! two against each other.
//!
//! # Relaxed ops
//!
//! The relaxed ops leave results open in corner cases; here they are fixed, the
//! same on every machine and in every tier. Most *are* a strict op, and decode to
//! it ([`strict`]). Of the others, multiply-add rounds twice, which machines
//! without fused multiply-add can do as fast as any, and the dot products take
//! both operands as signed and saturate the 16-bit sums.

pub mod table;

use crate::lanes::{F32x4, F64x2, I8x16, I16x8, I32x4, I64x2, Lanes, U8x16, U16x8, U32x4, U64x2};
use crate::lanes::{all_true, bitmask, both, dot_i8, each, high, join, low, pairs, q15_mul};
use crate::ops::{Facts, Scalar, op_enum, op_facts};
use crate::round::{double, single};
use crate::types::Type;

/// The relaxed ops that are a strict one, and which.
pub const RELAXED: [(u16, u16); 14] = [
    // A swizzle.
    (0x100, BinaryOp::I8x16Swizzle.opcode()),
    // Truncations that saturate.
    (0x101, UnaryOp::I32x4TruncSatF32x4S.opcode()),
    (0x102, UnaryOp::I32x4TruncSatF32x4U.opcode()),
    (0x103, UnaryOp::I32x4TruncSatF64x2SZero.opcode()),
    (0x104, UnaryOp::I32x4TruncSatF64x2UZero.opcode()),
    // Lane selections by every bit of the mask.
    (0x109, TernaryOp::V128Bitselect.opcode()),
    (0x10A, TernaryOp::V128Bitselect.opcode()),
    (0x10B, TernaryOp::V128Bitselect.opcode()),
    (0x10C, TernaryOp::V128Bitselect.opcode()),
    // Minimum and maximum.
    (0x10D, BinaryOp::F32x4Min.opcode()),
    (0x10E, BinaryOp::F32x4Max.opcode()),
    (0x10F, BinaryOp::F64x2Min.opcode()),
    (0x110, BinaryOp::F64x2Max.opcode()),
    // The rounding multiplication that saturates.
    (0x111, BinaryOp::I16x8Q15mulrSatS.opcode()),
];

/// The strict op that a relaxed op is; other opcodes stay what they are.
pub fn strict(opcode: u16) -> u16 {
    let found = RELAXED.iter().find(|(relaxed, _)| *relaxed == opcode);
    found.map_or(opcode, |(_, strict)| *strict)
}

/// The meaning of an op from one vector to one vector.
pub trait Unary {
    /// The operand's type.
    type A: Lanes;
    /// The result's type.
    type R: Lanes;
    /// Computes the result.
    fn eval(a: Self::A) -> Self::R;
}

/// The meaning of an op from two vectors to one.
pub trait Binary {
    /// The operands' type.
    type A: Lanes;
    /// The result's type.
    type R: Lanes;
    /// Computes the result.
    fn eval(a: Self::A, b: Self::A) -> Self::R;
}

/// The meaning of an op from three vectors to one.
pub trait Ternary {
    /// The type of the first two operands.
    type A: Lanes;
    /// The type of the third operand and of the result.
    type C: Lanes;
    /// Computes the result.
    fn eval(a: Self::A, b: Self::A, c: Self::C) -> Self::C;
}

/// The meaning of a shift.
pub trait Shift {
    /// The type of operand and result.
    type A: Lanes;
    /// Computes the result; the count is any number.
    fn eval(a: Self::A, count: u32) -> Self::A;
}

/// The meaning of an op from a vector to an `i32`.
pub trait Test {
    /// The operand's type.
    type A: Lanes;
    /// Computes the result.
    fn eval(a: Self::A) -> u32;
}

/// The meaning of an op from a scalar to a vector.
pub trait Splat {
    /// The operand's type.
    type A: Scalar;
    /// The result's type.
    type R: Lanes;
    /// Computes the result.
    fn eval(a: Self::A) -> Self::R;
}

/// The meaning of taking a lane out.
pub trait Extract {
    /// The lane's type.
    type M: Copy;
    /// The result's type.
    type R: Scalar;
    /// Extends the lane.
    fn extend(lane: Self::M) -> Self::R;
}

/// The meaning of a load, after the bytes are read.
pub trait Load {
    /// What is read from memory, little-endian.
    type M: Copy;
    /// The result's type.
    type R: Lanes;
    /// Makes the vector.
    fn extend(raw: Self::M) -> Self::R;
}

/// The meanings, one unit type per op.
pub mod meaning {
    use super::*;

    macro_rules! one_operand {
        ($trait:ident $($name:ident $facts:tt [|$x:ident: $a:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl $trait for $name {
                type A = $a;
                type R = $r;
                #[inline(always)]
                fn eval($x: $a) -> $r {
                    $body
                }
            }
        )*};
    }

    macro_rules! unary {
        ($($rows:tt)*) => { one_operand! { Unary $($rows)* } };
    }
    crate::for_each_simd_unary!(unary);

    macro_rules! splat {
        ($($rows:tt)*) => { one_operand! { Splat $($rows)* } };
    }
    crate::for_each_simd_splat!(splat);

    macro_rules! test {
        ($($name:ident $facts:tt [|$x:ident: $a:ty| -> u32 = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Test for $name {
                type A = $a;
                #[inline(always)]
                fn eval($x: $a) -> u32 {
                    $body
                }
            }
        )*};
    }
    crate::for_each_simd_test!(test);

    macro_rules! binary {
        ($($name:ident $facts:tt [|$x:ident, $y:ident: $a:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Binary for $name {
                type A = $a;
                type R = $r;
                #[inline(always)]
                fn eval($x: $a, $y: $a) -> $r {
                    $body
                }
            }
        )*};
    }
    crate::for_each_simd_binary!(binary);

    macro_rules! ternary {
        ($($name:ident $facts:tt
            [|$x:ident, $y:ident: $a:ty, $z:ident: $c:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Ternary for $name {
                type A = $a;
                type C = $c;
                #[inline(always)]
                fn eval($x: $a, $y: $a, $z: $c) -> $r {
                    $body
                }
            }
        )*};
    }
    crate::for_each_simd_ternary!(ternary);

    macro_rules! shift {
        ($($name:ident $facts:tt [|$x:ident: $a:ty, $n:ident| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl Shift for $name {
                type A = $a;
                #[inline(always)]
                fn eval($x: $a, $n: u32) -> $r {
                    $body
                }
            }
        )*};
    }
    crate::for_each_simd_shift!(shift);

    macro_rules! from_memory {
        ($trait:ident $($name:ident $facts:tt [|$x:ident: $m:ty| -> $r:ty = $body:expr];)*) => {$(
            #[doc = concat!("That of `", stringify!($name), "`.")]
            pub struct $name;
            impl $trait for $name {
                type M = $m;
                type R = $r;
                #[inline(always)]
                fn extend($x: $m) -> $r {
                    $body
                }
            }
        )*};
    }

    macro_rules! extract {
        ($($rows:tt)*) => { from_memory! { Extract $($rows)* } };
    }
    crate::for_each_simd_extract!(extract);

    macro_rules! load {
        ($($rows:tt)*) => { from_memory! { Load $($rows)* } };
    }
    crate::for_each_simd_load!(load);
}

/// Declares a class of ops that compute vectors, of which some are NaN.
macro_rules! computing {
    ($(#[$doc:meta])* $enum:ident $trait:ident $result:ident:
        $($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! { $(#[$doc])* $enum: $($name $facts $meaning;)* }
        op_facts! { $enum Facts: $($name $facts $meaning;)* }

        impl $enum {
            /// The op that makes a NaN this op computes canonical; none if this op
            /// computes none, but at most moves it.
            pub const fn canonical(self) -> Option<UnaryOp> {
                if !self.facts().nan {
                    return None;
                }
                let single = match self {
                    $($enum::$name => <meaning::$name as $trait>::$result::LANE_BYTES == 4,)*
                };
                Some(if single { UnaryOp::F32x4Canonical } else { UnaryOp::F64x2Canonical })
            }
        }
    };
}

macro_rules! unary_enum {
    ($($rows:tt)*) => {
        computing! {
            /// Ops from one vector to one vector.
            UnaryOp Unary R: $($rows)*
        }
    };
}
crate::for_each_simd_unary!(unary_enum);

macro_rules! binary_enum {
    ($($rows:tt)*) => {
        computing! {
            /// Ops from two vectors to one.
            BinaryOp Binary R: $($rows)*
        }
    };
}
crate::for_each_simd_binary!(binary_enum);

impl BinaryOp {
    /// Whether the operands may be exchanged. For AArch64 not those of `min` and `max` of
    /// floats, where which NaN wins depends on their order.
    pub const fn commutes(self) -> bool {
        self.facts().commutes
    }
}

macro_rules! ternary_enum {
    ($($rows:tt)*) => {
        computing! {
            /// Ops from three vectors to one.
            TernaryOp Ternary C: $($rows)*
        }
    };
}
crate::for_each_simd_ternary!(ternary_enum);

macro_rules! shift_enum {
    ($($rows:tt)*) => {
        op_enum! {
            /// Shifts of all lanes by one count.
            ShiftOp: $($rows)*
        }
    };
}
crate::for_each_simd_shift!(shift_enum);

macro_rules! test_enum {
    ($($rows:tt)*) => {
        op_enum! {
            /// Ops from a vector to an `i32`.
            TestOp: $($rows)*
        }
    };
}
crate::for_each_simd_test!(test_enum);

macro_rules! load_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Loads of a vector.
            LoadOp: $($name $facts $meaning;)*
        }

        impl LoadOp {
            /// Bytes that are read.
            pub const fn size(self) -> u64 {
                match self { $(LoadOp::$name => size_of::<<meaning::$name as Load>::M>() as u64,)* }
            }
        }
    };
}
crate::for_each_simd_load!(load_enum);

macro_rules! splat_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Ops from a scalar to a vector.
            SplatOp: $($name $facts $meaning;)*
        }

        impl SplatOp {
            /// The operand's type.
            pub const fn operand(self) -> Type {
                match self { $(SplatOp::$name => <meaning::$name as Splat>::A::TYPE,)* }
            }
        }
    };
}
crate::for_each_simd_splat!(splat_enum);

macro_rules! extract_enum {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        op_enum! {
            /// Ops that take a lane out.
            ExtractOp: $($name $facts $meaning;)*
        }

        impl ExtractOp {
            /// The result's type.
            pub const fn result(self) -> Type {
                match self { $(ExtractOp::$name => <meaning::$name as Extract>::R::TYPE,)* }
            }

            /// How many bytes a lane has.
            pub const fn lane_bytes(self) -> u32 {
                match self {
                    $(ExtractOp::$name => size_of::<<meaning::$name as Extract>::M>() as u32,)*
                }
            }
        }
    };
}
crate::for_each_simd_extract!(extract_enum);

impl SplatOp {
    /// The load of copies of a lane that a load of a scalar and this are.
    pub const fn of_loaded(self, load: crate::ops::LoadOp) -> Option<LoadOp> {
        use crate::ops::LoadOp::*;
        Some(match (load, self) {
            (I32Load8S | I32Load8U, SplatOp::I8x16Splat) => LoadOp::V128Load8Splat,
            (I32Load16S | I32Load16U, SplatOp::I16x8Splat) => LoadOp::V128Load16Splat,
            (I32Load, SplatOp::I32x4Splat) | (F32Load, SplatOp::F32x4Splat) => {
                LoadOp::V128Load32Splat
            }
            (I64Load, SplatOp::I64x2Splat) | (F64Load, SplatOp::F64x2Splat) => {
                LoadOp::V128Load64Splat
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_names_one_op() {
        let mut seen = std::collections::HashSet::new();
        for opcode in 0..=0x113 {
            let names = [
                UnaryOp::from_opcode(opcode).map(UnaryOp::text),
                BinaryOp::from_opcode(opcode).map(BinaryOp::text),
                TernaryOp::from_opcode(opcode).map(TernaryOp::text),
                ShiftOp::from_opcode(opcode).map(ShiftOp::text),
                TestOp::from_opcode(opcode).map(TestOp::text),
                LoadOp::from_opcode(opcode).map(LoadOp::text),
                SplatOp::from_opcode(opcode).map(SplatOp::text),
                ExtractOp::from_opcode(opcode).map(ExtractOp::text),
            ];
            assert!(names.iter().flatten().count() <= 1, "opcode {opcode:#x}");
            for name in names.into_iter().flatten() {
                assert!(seen.insert(name), "{name} has two opcodes");
            }
        }
        // The rest are the constant, the shuffle, six `replace_lane`, the store
        // and eight accesses of lanes; fourteen relaxed ops are strict ones.
        assert_eq!(seen.len() + 17 + 14, 256);
    }

    #[test]
    fn what_commutes_says_so() {
        /// Vectors whose lanes differ, and two different NaN of each width.
        fn vectors() -> Vec<[u8; 16]> {
            let mixed = [0u8, 1, 0x3F, 0x7F, 0x80, 0xC1, 0xFF]
                .map(|byte| std::array::from_fn(|at| byte.wrapping_mul(at as u8 | 1) ^ at as u8));
            let single = [0x7FC0_0001u32, 0xFFC0_0002].map(|nan| [nan; 4].to_bytes());
            let double = [0x7FF8_0000_0000_0001u64, 0xFFF8_0000_0000_0002];
            let double = double.map(|nan| [nan; 2].to_bytes());
            mixed.into_iter().chain(single).chain(double).collect()
        }
        fn commutes<O: Binary>() -> bool {
            let all = vectors();
            all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b))).all(|(a, b)| {
                let eval = |a, b| O::eval(Lanes::from_bytes(a), Lanes::from_bytes(b)).to_bytes();
                eval(a, b) == eval(b, a)
            })
        }
        macro_rules! check {
            ($($name:ident $facts:tt $meaning:tt;)*) => {$(
                let op = BinaryOp::$name;
                let ordered = cfg!(target_arch = "aarch64") && op.canonical().is_some();
                let said = op.commutes() && !ordered;
                assert_eq!(said, commutes::<meaning::$name>(), "{}", op.text());
            )*};
        }
        crate::for_each_simd_binary!(check);
    }

    #[test]
    fn relaxed_choices() {
        assert_eq!(meaning::I8x16Swizzle::eval([7; 16], [16; 16]), [0; 16]);
        let least = i8::MIN;
        let dot = meaning::I16x8RelaxedDotI8x16I7x16S::eval([least; 16], [least; 16]);
        assert_eq!(dot, [i16::MAX; 8]);
        // Fused, the square would keep its last bit.
        let x = 1.0 + f32::EPSILON;
        let squared = meaning::F32x4RelaxedMadd::eval([x; 4], [x; 4], [-(x * x); 4]);
        assert_eq!(squared, [0.0; 4]);
    }

    #[test]
    fn saturation_and_rounding() {
        use meaning::*;
        assert_eq!(I16x8Q15mulrSatS::eval([i16::MIN; 8], [i16::MIN; 8]), [i16::MAX; 8]);
        assert_eq!(I8x16NarrowI16x8U::eval([-1; 8], [256; 8])[7..9], [0, 255]);
        assert_eq!(I8x16AvgrU::eval([255; 16], [254; 16]), [255; 16]);
        assert_eq!(I32x4TruncSatF32x4U::eval([-1.0, f32::NAN, 4e9, 1e10])[..2], [0, 0]);
        assert_eq!(I32x4DotI16x8S::eval([i16::MIN; 8], [i16::MIN; 8]), [i32::MIN; 4]);
    }
}
