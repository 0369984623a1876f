//! The vector op table: every op on `v128`, declared once.
//!
//! Rows are as in [`crate::ops`], with the opcode that follows the prefix `0xFD`
//! and lane arrays as types; the array that fits an op's lanes is the vector read
//! little-endian. The expressions are the reference definitions: an interpreter
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

use crate::lanes::{F32x4, F64x2, I8x16, I16x8, I32x4, I64x2, Lanes, U8x16, U16x8, U32x4, U64x2};
use crate::lanes::{all_true, bitmask, both, dot_i8, each, high, join, low, pairs, q15_mul};
use crate::ops::{Scalar, op_enum, type_of};
use crate::round::{double, single};

/// Hands every op from one vector to one vector to `$callback`.
///
/// What has an opcode from `0x200` on is no instruction of WebAssembly: the
/// translation puts it behind others.
#[macro_export]
macro_rules! for_each_simd_unary {
    ($callback:ident) => {
        $callback! {
            V128Not 0x4d "v128.not" (U64x2) -> U64x2 = |a| each(a, |a| !a);
            F32x4DemoteF64x2Zero 0x5e "f32x4.demote_f64x2_zero" (F64x2) -> F32x4 = |a| [a[0] as f32, a[1] as f32, 0.0, 0.0];
            F64x2PromoteLowF32x4 0x5f "f64x2.promote_low_f32x4" (F32x4) -> F64x2 = |a| [f64::from(a[0]), f64::from(a[1])];
            I8x16Abs 0x60 "i8x16.abs" (I8x16) -> I8x16 = |a| each(a, i8::wrapping_abs);
            I8x16Neg 0x61 "i8x16.neg" (I8x16) -> I8x16 = |a| each(a, i8::wrapping_neg);
            I8x16Popcnt 0x62 "i8x16.popcnt" (U8x16) -> U8x16 = |a| each(a, |a| a.count_ones() as u8);
            F32x4Ceil 0x67 "f32x4.ceil" (F32x4) -> F32x4 = |a| each(a, single::ceil);
            F32x4Floor 0x68 "f32x4.floor" (F32x4) -> F32x4 = |a| each(a, single::floor);
            F32x4Trunc 0x69 "f32x4.trunc" (F32x4) -> F32x4 = |a| each(a, single::trunc);
            F32x4Nearest 0x6a "f32x4.nearest" (F32x4) -> F32x4 = |a| each(a, single::nearest);
            F64x2Ceil 0x74 "f64x2.ceil" (F64x2) -> F64x2 = |a| each(a, double::ceil);
            F64x2Floor 0x75 "f64x2.floor" (F64x2) -> F64x2 = |a| each(a, double::floor);
            F64x2Trunc 0x7a "f64x2.trunc" (F64x2) -> F64x2 = |a| each(a, double::trunc);
            I16x8ExtaddPairwiseI8x16S 0x7c "i16x8.extadd_pairwise_i8x16_s" (I8x16) -> I16x8 = |a| pairs(a, |a, b| i16::from(a) + i16::from(b));
            I16x8ExtaddPairwiseI8x16U 0x7d "i16x8.extadd_pairwise_i8x16_u" (U8x16) -> U16x8 = |a| pairs(a, |a, b| u16::from(a) + u16::from(b));
            I32x4ExtaddPairwiseI16x8S 0x7e "i32x4.extadd_pairwise_i16x8_s" (I16x8) -> I32x4 = |a| pairs(a, |a, b| i32::from(a) + i32::from(b));
            I32x4ExtaddPairwiseI16x8U 0x7f "i32x4.extadd_pairwise_i16x8_u" (U16x8) -> U32x4 = |a| pairs(a, |a, b| u32::from(a) + u32::from(b));
            I16x8Abs 0x80 "i16x8.abs" (I16x8) -> I16x8 = |a| each(a, i16::wrapping_abs);
            I16x8Neg 0x81 "i16x8.neg" (I16x8) -> I16x8 = |a| each(a, i16::wrapping_neg);
            I16x8ExtendLowI8x16S 0x87 "i16x8.extend_low_i8x16_s" (I8x16) -> I16x8 = |a| each(low(a), i16::from);
            I16x8ExtendHighI8x16S 0x88 "i16x8.extend_high_i8x16_s" (I8x16) -> I16x8 = |a| each(high(a), i16::from);
            I16x8ExtendLowI8x16U 0x89 "i16x8.extend_low_i8x16_u" (U8x16) -> U16x8 = |a| each(low(a), u16::from);
            I16x8ExtendHighI8x16U 0x8a "i16x8.extend_high_i8x16_u" (U8x16) -> U16x8 = |a| each(high(a), u16::from);
            F64x2Nearest 0x94 "f64x2.nearest" (F64x2) -> F64x2 = |a| each(a, double::nearest);
            I32x4Abs 0xa0 "i32x4.abs" (I32x4) -> I32x4 = |a| each(a, i32::wrapping_abs);
            I32x4Neg 0xa1 "i32x4.neg" (I32x4) -> I32x4 = |a| each(a, i32::wrapping_neg);
            I32x4ExtendLowI16x8S 0xa7 "i32x4.extend_low_i16x8_s" (I16x8) -> I32x4 = |a| each(low(a), i32::from);
            I32x4ExtendHighI16x8S 0xa8 "i32x4.extend_high_i16x8_s" (I16x8) -> I32x4 = |a| each(high(a), i32::from);
            I32x4ExtendLowI16x8U 0xa9 "i32x4.extend_low_i16x8_u" (U16x8) -> U32x4 = |a| each(low(a), u32::from);
            I32x4ExtendHighI16x8U 0xaa "i32x4.extend_high_i16x8_u" (U16x8) -> U32x4 = |a| each(high(a), u32::from);
            I64x2Abs 0xc0 "i64x2.abs" (I64x2) -> I64x2 = |a| each(a, i64::wrapping_abs);
            F32x4Canonical 0x200 "f32x4.canonical" (F32x4) -> F32x4 = |a| each(a, single::canonical);
            F64x2Canonical 0x201 "f64x2.canonical" (F64x2) -> F64x2 = |a| each(a, double::canonical);
            I64x2Neg 0xc1 "i64x2.neg" (I64x2) -> I64x2 = |a| each(a, i64::wrapping_neg);
            I64x2ExtendLowI32x4S 0xc7 "i64x2.extend_low_i32x4_s" (I32x4) -> I64x2 = |a| each(low(a), i64::from);
            I64x2ExtendHighI32x4S 0xc8 "i64x2.extend_high_i32x4_s" (I32x4) -> I64x2 = |a| each(high(a), i64::from);
            I64x2ExtendLowI32x4U 0xc9 "i64x2.extend_low_i32x4_u" (U32x4) -> U64x2 = |a| each(low(a), u64::from);
            I64x2ExtendHighI32x4U 0xca "i64x2.extend_high_i32x4_u" (U32x4) -> U64x2 = |a| each(high(a), u64::from);
            F32x4Abs 0xe0 "f32x4.abs" (F32x4) -> F32x4 = |a| each(a, f32::abs);
            F32x4Neg 0xe1 "f32x4.neg" (F32x4) -> F32x4 = |a| each(a, |a| -a);
            F32x4Sqrt 0xe3 "f32x4.sqrt" (F32x4) -> F32x4 = |a| each(a, f32::sqrt);
            F64x2Abs 0xec "f64x2.abs" (F64x2) -> F64x2 = |a| each(a, f64::abs);
            F64x2Neg 0xed "f64x2.neg" (F64x2) -> F64x2 = |a| each(a, |a| -a);
            F64x2Sqrt 0xef "f64x2.sqrt" (F64x2) -> F64x2 = |a| each(a, f64::sqrt);
            I32x4TruncSatF32x4S 0xf8 "i32x4.trunc_sat_f32x4_s" (F32x4) -> I32x4 = |a| each(a, |a| a as i32);
            I32x4TruncSatF32x4U 0xf9 "i32x4.trunc_sat_f32x4_u" (F32x4) -> U32x4 = |a| each(a, |a| a as u32);
            F32x4ConvertI32x4S 0xfa "f32x4.convert_i32x4_s" (I32x4) -> F32x4 = |a| each(a, |a| a as f32);
            F32x4ConvertI32x4U 0xfb "f32x4.convert_i32x4_u" (U32x4) -> F32x4 = |a| each(a, |a| a as f32);
            I32x4TruncSatF64x2SZero 0xfc "i32x4.trunc_sat_f64x2_s_zero" (F64x2) -> I32x4 = |a| [a[0] as i32, a[1] as i32, 0, 0];
            I32x4TruncSatF64x2UZero 0xfd "i32x4.trunc_sat_f64x2_u_zero" (F64x2) -> U32x4 = |a| [a[0] as u32, a[1] as u32, 0, 0];
            F64x2ConvertLowI32x4S 0xfe "f64x2.convert_low_i32x4_s" (I32x4) -> F64x2 = |a| [f64::from(a[0]), f64::from(a[1])];
            F64x2ConvertLowI32x4U 0xff "f64x2.convert_low_i32x4_u" (U32x4) -> F64x2 = |a| [f64::from(a[0]), f64::from(a[1])];
        }
    };
}

/// Hands every op from two vectors to one to `$callback`.
#[macro_export]
macro_rules! for_each_simd_binary {
    ($callback:ident) => {
        $callback! {
            I8x16Swizzle 0x0e "i8x16.swizzle" (U8x16) -> U8x16 = |a, b| each(b, |lane| if lane < 16 { a[usize::from(lane)] } else { 0 });
            I8x16Eq 0x23 "i8x16.eq" (U8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a == b));
            I8x16Ne 0x24 "i8x16.ne" (U8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a != b));
            I8x16LtS 0x25 "i8x16.lt_s" (I8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a < b));
            I8x16LtU 0x26 "i8x16.lt_u" (U8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a < b));
            I8x16GtS 0x27 "i8x16.gt_s" (I8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a > b));
            I8x16GtU 0x28 "i8x16.gt_u" (U8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a > b));
            I8x16LeS 0x29 "i8x16.le_s" (I8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a <= b));
            I8x16LeU 0x2a "i8x16.le_u" (U8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a <= b));
            I8x16GeS 0x2b "i8x16.ge_s" (I8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a >= b));
            I8x16GeU 0x2c "i8x16.ge_u" (U8x16) -> I8x16 = |a, b| both(a, b, |a, b| -i8::from(a >= b));
            I16x8Eq 0x2d "i16x8.eq" (U16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a == b));
            I16x8Ne 0x2e "i16x8.ne" (U16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a != b));
            I16x8LtS 0x2f "i16x8.lt_s" (I16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a < b));
            I16x8LtU 0x30 "i16x8.lt_u" (U16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a < b));
            I16x8GtS 0x31 "i16x8.gt_s" (I16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a > b));
            I16x8GtU 0x32 "i16x8.gt_u" (U16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a > b));
            I16x8LeS 0x33 "i16x8.le_s" (I16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a <= b));
            I16x8LeU 0x34 "i16x8.le_u" (U16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a <= b));
            I16x8GeS 0x35 "i16x8.ge_s" (I16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a >= b));
            I16x8GeU 0x36 "i16x8.ge_u" (U16x8) -> I16x8 = |a, b| both(a, b, |a, b| -i16::from(a >= b));
            I32x4Eq 0x37 "i32x4.eq" (U32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a == b));
            I32x4Ne 0x38 "i32x4.ne" (U32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a != b));
            I32x4LtS 0x39 "i32x4.lt_s" (I32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a < b));
            I32x4LtU 0x3a "i32x4.lt_u" (U32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a < b));
            I32x4GtS 0x3b "i32x4.gt_s" (I32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a > b));
            I32x4GtU 0x3c "i32x4.gt_u" (U32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a > b));
            I32x4LeS 0x3d "i32x4.le_s" (I32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a <= b));
            I32x4LeU 0x3e "i32x4.le_u" (U32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a <= b));
            I32x4GeS 0x3f "i32x4.ge_s" (I32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a >= b));
            I32x4GeU 0x40 "i32x4.ge_u" (U32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a >= b));
            F32x4Eq 0x41 "f32x4.eq" (F32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a == b));
            F32x4Ne 0x42 "f32x4.ne" (F32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a != b));
            F32x4Lt 0x43 "f32x4.lt" (F32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a < b));
            F32x4Gt 0x44 "f32x4.gt" (F32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a > b));
            F32x4Le 0x45 "f32x4.le" (F32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a <= b));
            F32x4Ge 0x46 "f32x4.ge" (F32x4) -> I32x4 = |a, b| both(a, b, |a, b| -i32::from(a >= b));
            F64x2Eq 0x47 "f64x2.eq" (F64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a == b));
            F64x2Ne 0x48 "f64x2.ne" (F64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a != b));
            F64x2Lt 0x49 "f64x2.lt" (F64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a < b));
            F64x2Gt 0x4a "f64x2.gt" (F64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a > b));
            F64x2Le 0x4b "f64x2.le" (F64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a <= b));
            F64x2Ge 0x4c "f64x2.ge" (F64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a >= b));
            V128And 0x4e "v128.and" (U64x2) -> U64x2 = |a, b| both(a, b, |a, b| a & b);
            V128Andnot 0x4f "v128.andnot" (U64x2) -> U64x2 = |a, b| both(a, b, |a, b| a & !b);
            V128Or 0x50 "v128.or" (U64x2) -> U64x2 = |a, b| both(a, b, |a, b| a | b);
            V128Xor 0x51 "v128.xor" (U64x2) -> U64x2 = |a, b| both(a, b, |a, b| a ^ b);
            I8x16NarrowI16x8S 0x65 "i8x16.narrow_i16x8_s" (I16x8) -> I8x16 = |a, b| join(a, b, |a| a.clamp(i8::MIN.into(), i8::MAX.into()) as i8);
            I8x16NarrowI16x8U 0x66 "i8x16.narrow_i16x8_u" (I16x8) -> U8x16 = |a, b| join(a, b, |a| a.clamp(0, u8::MAX.into()) as u8);
            I8x16Add 0x6e "i8x16.add" (U8x16) -> U8x16 = |a, b| both(a, b, u8::wrapping_add);
            I8x16AddSatS 0x6f "i8x16.add_sat_s" (I8x16) -> I8x16 = |a, b| both(a, b, i8::saturating_add);
            I8x16AddSatU 0x70 "i8x16.add_sat_u" (U8x16) -> U8x16 = |a, b| both(a, b, u8::saturating_add);
            I8x16Sub 0x71 "i8x16.sub" (U8x16) -> U8x16 = |a, b| both(a, b, u8::wrapping_sub);
            I8x16SubSatS 0x72 "i8x16.sub_sat_s" (I8x16) -> I8x16 = |a, b| both(a, b, i8::saturating_sub);
            I8x16SubSatU 0x73 "i8x16.sub_sat_u" (U8x16) -> U8x16 = |a, b| both(a, b, u8::saturating_sub);
            I8x16MinS 0x76 "i8x16.min_s" (I8x16) -> I8x16 = |a, b| both(a, b, i8::min);
            I8x16MinU 0x77 "i8x16.min_u" (U8x16) -> U8x16 = |a, b| both(a, b, u8::min);
            I8x16MaxS 0x78 "i8x16.max_s" (I8x16) -> I8x16 = |a, b| both(a, b, i8::max);
            I8x16MaxU 0x79 "i8x16.max_u" (U8x16) -> U8x16 = |a, b| both(a, b, u8::max);
            I8x16AvgrU 0x7b "i8x16.avgr_u" (U8x16) -> U8x16 = |a, b| both(a, b, |a, b| (u16::from(a) + u16::from(b)).div_ceil(2) as u8);
            I16x8Q15mulrSatS 0x82 "i16x8.q15mulr_sat_s" (I16x8) -> I16x8 = |a, b| both(a, b, q15_mul);
            I16x8NarrowI32x4S 0x85 "i16x8.narrow_i32x4_s" (I32x4) -> I16x8 = |a, b| join(a, b, |a| a.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
            I16x8NarrowI32x4U 0x86 "i16x8.narrow_i32x4_u" (I32x4) -> U16x8 = |a, b| join(a, b, |a| a.clamp(0, u16::MAX.into()) as u16);
            I16x8Add 0x8e "i16x8.add" (U16x8) -> U16x8 = |a, b| both(a, b, u16::wrapping_add);
            I16x8AddSatS 0x8f "i16x8.add_sat_s" (I16x8) -> I16x8 = |a, b| both(a, b, i16::saturating_add);
            I16x8AddSatU 0x90 "i16x8.add_sat_u" (U16x8) -> U16x8 = |a, b| both(a, b, u16::saturating_add);
            I16x8Sub 0x91 "i16x8.sub" (U16x8) -> U16x8 = |a, b| both(a, b, u16::wrapping_sub);
            I16x8SubSatS 0x92 "i16x8.sub_sat_s" (I16x8) -> I16x8 = |a, b| both(a, b, i16::saturating_sub);
            I16x8SubSatU 0x93 "i16x8.sub_sat_u" (U16x8) -> U16x8 = |a, b| both(a, b, u16::saturating_sub);
            I16x8Mul 0x95 "i16x8.mul" (U16x8) -> U16x8 = |a, b| both(a, b, u16::wrapping_mul);
            I16x8MinS 0x96 "i16x8.min_s" (I16x8) -> I16x8 = |a, b| both(a, b, i16::min);
            I16x8MinU 0x97 "i16x8.min_u" (U16x8) -> U16x8 = |a, b| both(a, b, u16::min);
            I16x8MaxS 0x98 "i16x8.max_s" (I16x8) -> I16x8 = |a, b| both(a, b, i16::max);
            I16x8MaxU 0x99 "i16x8.max_u" (U16x8) -> U16x8 = |a, b| both(a, b, u16::max);
            I16x8AvgrU 0x9b "i16x8.avgr_u" (U16x8) -> U16x8 = |a, b| both(a, b, |a, b| (u32::from(a) + u32::from(b)).div_ceil(2) as u16);
            I16x8ExtmulLowI8x16S 0x9c "i16x8.extmul_low_i8x16_s" (I8x16) -> I16x8 = |a, b| both(low(a), low(b), |a, b| i16::from(a) * i16::from(b));
            I16x8ExtmulHighI8x16S 0x9d "i16x8.extmul_high_i8x16_s" (I8x16) -> I16x8 = |a, b| both(high(a), high(b), |a, b| i16::from(a) * i16::from(b));
            I16x8ExtmulLowI8x16U 0x9e "i16x8.extmul_low_i8x16_u" (U8x16) -> U16x8 = |a, b| both(low(a), low(b), |a, b| u16::from(a) * u16::from(b));
            I16x8ExtmulHighI8x16U 0x9f "i16x8.extmul_high_i8x16_u" (U8x16) -> U16x8 = |a, b| both(high(a), high(b), |a, b| u16::from(a) * u16::from(b));
            I32x4Add 0xae "i32x4.add" (U32x4) -> U32x4 = |a, b| both(a, b, u32::wrapping_add);
            I32x4Sub 0xb1 "i32x4.sub" (U32x4) -> U32x4 = |a, b| both(a, b, u32::wrapping_sub);
            I32x4Mul 0xb5 "i32x4.mul" (U32x4) -> U32x4 = |a, b| both(a, b, u32::wrapping_mul);
            I32x4MinS 0xb6 "i32x4.min_s" (I32x4) -> I32x4 = |a, b| both(a, b, i32::min);
            I32x4MinU 0xb7 "i32x4.min_u" (U32x4) -> U32x4 = |a, b| both(a, b, u32::min);
            I32x4MaxS 0xb8 "i32x4.max_s" (I32x4) -> I32x4 = |a, b| both(a, b, i32::max);
            I32x4MaxU 0xb9 "i32x4.max_u" (U32x4) -> U32x4 = |a, b| both(a, b, u32::max);
            I32x4DotI16x8S 0xba "i32x4.dot_i16x8_s" (I16x8) -> I32x4 = |a, b| pairs(both(a, b, |a, b| i32::from(a) * i32::from(b)), i32::wrapping_add);
            I32x4ExtmulLowI16x8S 0xbc "i32x4.extmul_low_i16x8_s" (I16x8) -> I32x4 = |a, b| both(low(a), low(b), |a, b| i32::from(a) * i32::from(b));
            I32x4ExtmulHighI16x8S 0xbd "i32x4.extmul_high_i16x8_s" (I16x8) -> I32x4 = |a, b| both(high(a), high(b), |a, b| i32::from(a) * i32::from(b));
            I32x4ExtmulLowI16x8U 0xbe "i32x4.extmul_low_i16x8_u" (U16x8) -> U32x4 = |a, b| both(low(a), low(b), |a, b| u32::from(a) * u32::from(b));
            I32x4ExtmulHighI16x8U 0xbf "i32x4.extmul_high_i16x8_u" (U16x8) -> U32x4 = |a, b| both(high(a), high(b), |a, b| u32::from(a) * u32::from(b));
            I64x2Add 0xce "i64x2.add" (U64x2) -> U64x2 = |a, b| both(a, b, u64::wrapping_add);
            I64x2Sub 0xd1 "i64x2.sub" (U64x2) -> U64x2 = |a, b| both(a, b, u64::wrapping_sub);
            I64x2Mul 0xd5 "i64x2.mul" (U64x2) -> U64x2 = |a, b| both(a, b, u64::wrapping_mul);
            I64x2Eq 0xd6 "i64x2.eq" (I64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a == b));
            I64x2Ne 0xd7 "i64x2.ne" (I64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a != b));
            I64x2LtS 0xd8 "i64x2.lt_s" (I64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a < b));
            I64x2GtS 0xd9 "i64x2.gt_s" (I64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a > b));
            I64x2LeS 0xda "i64x2.le_s" (I64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a <= b));
            I64x2GeS 0xdb "i64x2.ge_s" (I64x2) -> I64x2 = |a, b| both(a, b, |a, b| -i64::from(a >= b));
            I64x2ExtmulLowI32x4S 0xdc "i64x2.extmul_low_i32x4_s" (I32x4) -> I64x2 = |a, b| both(low(a), low(b), |a, b| i64::from(a) * i64::from(b));
            I64x2ExtmulHighI32x4S 0xdd "i64x2.extmul_high_i32x4_s" (I32x4) -> I64x2 = |a, b| both(high(a), high(b), |a, b| i64::from(a) * i64::from(b));
            I64x2ExtmulLowI32x4U 0xde "i64x2.extmul_low_i32x4_u" (U32x4) -> U64x2 = |a, b| both(low(a), low(b), |a, b| u64::from(a) * u64::from(b));
            I64x2ExtmulHighI32x4U 0xdf "i64x2.extmul_high_i32x4_u" (U32x4) -> U64x2 = |a, b| both(high(a), high(b), |a, b| u64::from(a) * u64::from(b));
            F32x4Add 0xe4 "f32x4.add" (F32x4) -> F32x4 = |a, b| both(a, b, single::add);
            F32x4Sub 0xe5 "f32x4.sub" (F32x4) -> F32x4 = |a, b| both(a, b, |a, b| a - b);
            F32x4Mul 0xe6 "f32x4.mul" (F32x4) -> F32x4 = |a, b| both(a, b, single::mul);
            F32x4Div 0xe7 "f32x4.div" (F32x4) -> F32x4 = |a, b| both(a, b, |a, b| a / b);
            F32x4Min 0xe8 "f32x4.min" (F32x4) -> F32x4 = |a, b| both(a, b, single::lane_min);
            F32x4Max 0xe9 "f32x4.max" (F32x4) -> F32x4 = |a, b| both(a, b, single::lane_max);
            F32x4Pmin 0xea "f32x4.pmin" (F32x4) -> F32x4 = |a, b| both(a, b, |a, b| if b < a { b } else { a });
            F32x4Pmax 0xeb "f32x4.pmax" (F32x4) -> F32x4 = |a, b| both(a, b, |a, b| if a < b { b } else { a });
            F64x2Add 0xf0 "f64x2.add" (F64x2) -> F64x2 = |a, b| both(a, b, double::add);
            F64x2Sub 0xf1 "f64x2.sub" (F64x2) -> F64x2 = |a, b| both(a, b, |a, b| a - b);
            F64x2Mul 0xf2 "f64x2.mul" (F64x2) -> F64x2 = |a, b| both(a, b, double::mul);
            F64x2Div 0xf3 "f64x2.div" (F64x2) -> F64x2 = |a, b| both(a, b, |a, b| a / b);
            F64x2Min 0xf4 "f64x2.min" (F64x2) -> F64x2 = |a, b| both(a, b, double::lane_min);
            F64x2Max 0xf5 "f64x2.max" (F64x2) -> F64x2 = |a, b| both(a, b, double::lane_max);
            F64x2Pmin 0xf6 "f64x2.pmin" (F64x2) -> F64x2 = |a, b| both(a, b, |a, b| if b < a { b } else { a });
            F64x2Pmax 0xf7 "f64x2.pmax" (F64x2) -> F64x2 = |a, b| both(a, b, |a, b| if a < b { b } else { a });
            I16x8RelaxedDotI8x16I7x16S 0x112 "i16x8.relaxed_dot_i8x16_i7x16_s" (I8x16) -> I16x8 = |a, b| dot_i8(a, b);
        }
    };
}

/// Hands every op from three vectors to one to `$callback`: the types of the
/// first two and of the third.
#[macro_export]
macro_rules! for_each_simd_ternary {
    ($callback:ident) => {
        $callback! {
            V128Bitselect 0x52 "v128.bitselect" (U64x2, U64x2) -> U64x2 = |a, b, c| [(a[0] & c[0]) | (b[0] & !c[0]), (a[1] & c[1]) | (b[1] & !c[1])];
            F32x4RelaxedMadd 0x105 "f32x4.relaxed_madd" (F32x4, F32x4) -> F32x4 = |a, b, c| both(c, both(a, b, single::mul), single::add);
            F32x4RelaxedNmadd 0x106 "f32x4.relaxed_nmadd" (F32x4, F32x4) -> F32x4 = |a, b, c| both(c, both(a, b, single::mul), |c, ab| c - ab);
            F64x2RelaxedMadd 0x107 "f64x2.relaxed_madd" (F64x2, F64x2) -> F64x2 = |a, b, c| both(c, both(a, b, double::mul), double::add);
            F64x2RelaxedNmadd 0x108 "f64x2.relaxed_nmadd" (F64x2, F64x2) -> F64x2 = |a, b, c| both(c, both(a, b, double::mul), |c, ab| c - ab);
            I32x4RelaxedDotI8x16I7x16AddS 0x113 "i32x4.relaxed_dot_i8x16_i7x16_add_s" (I8x16, I32x4) -> I32x4 = |a, b, c| both(pairs(dot_i8(a, b), |a, b| i32::from(a) + i32::from(b)), c, i32::wrapping_add);
        }
    };
}

/// Hands every shift to `$callback`; the count is taken modulo the lane's width.
#[macro_export]
macro_rules! for_each_simd_shift {
    ($callback:ident) => {
        $callback! {
            I8x16Shl 0x6b "i8x16.shl" (U8x16) -> U8x16 = |a, n| each(a, |a| a.wrapping_shl(n));
            I8x16ShrS 0x6c "i8x16.shr_s" (I8x16) -> I8x16 = |a, n| each(a, |a| a.wrapping_shr(n));
            I8x16ShrU 0x6d "i8x16.shr_u" (U8x16) -> U8x16 = |a, n| each(a, |a| a.wrapping_shr(n));
            I16x8Shl 0x8b "i16x8.shl" (U16x8) -> U16x8 = |a, n| each(a, |a| a.wrapping_shl(n));
            I16x8ShrS 0x8c "i16x8.shr_s" (I16x8) -> I16x8 = |a, n| each(a, |a| a.wrapping_shr(n));
            I16x8ShrU 0x8d "i16x8.shr_u" (U16x8) -> U16x8 = |a, n| each(a, |a| a.wrapping_shr(n));
            I32x4Shl 0xab "i32x4.shl" (U32x4) -> U32x4 = |a, n| each(a, |a| a.wrapping_shl(n));
            I32x4ShrS 0xac "i32x4.shr_s" (I32x4) -> I32x4 = |a, n| each(a, |a| a.wrapping_shr(n));
            I32x4ShrU 0xad "i32x4.shr_u" (U32x4) -> U32x4 = |a, n| each(a, |a| a.wrapping_shr(n));
            I64x2Shl 0xcb "i64x2.shl" (U64x2) -> U64x2 = |a, n| each(a, |a| a.wrapping_shl(n));
            I64x2ShrS 0xcc "i64x2.shr_s" (I64x2) -> I64x2 = |a, n| each(a, |a| a.wrapping_shr(n));
            I64x2ShrU 0xcd "i64x2.shr_u" (U64x2) -> U64x2 = |a, n| each(a, |a| a.wrapping_shr(n));
        }
    };
}

/// Hands every op from a vector to an `i32` to `$callback`.
#[macro_export]
macro_rules! for_each_simd_test {
    ($callback:ident) => {
        $callback! {
            V128AnyTrue 0x53 "v128.any_true" (U64x2) -> u32 = |a| u32::from(a[0] | a[1] != 0);
            I8x16AllTrue 0x63 "i8x16.all_true" (U8x16) -> u32 = |a| all_true(a);
            I8x16Bitmask 0x64 "i8x16.bitmask" (I8x16) -> u32 = |a| bitmask(a);
            I16x8AllTrue 0x83 "i16x8.all_true" (U16x8) -> u32 = |a| all_true(a);
            I16x8Bitmask 0x84 "i16x8.bitmask" (I16x8) -> u32 = |a| bitmask(a);
            I32x4AllTrue 0xa3 "i32x4.all_true" (U32x4) -> u32 = |a| all_true(a);
            I32x4Bitmask 0xa4 "i32x4.bitmask" (I32x4) -> u32 = |a| bitmask(a);
            I64x2AllTrue 0xc3 "i64x2.all_true" (U64x2) -> u32 = |a| all_true(a);
            I64x2Bitmask 0xc4 "i64x2.bitmask" (I64x2) -> u32 = |a| bitmask(a);
        }
    };
}

/// Hands every op from a scalar to a vector to `$callback`.
#[macro_export]
macro_rules! for_each_simd_splat {
    ($callback:ident) => {
        $callback! {
            I8x16Splat 0x0f "i8x16.splat" (u32) -> U8x16 = |a| [a as u8; 16];
            I16x8Splat 0x10 "i16x8.splat" (u32) -> U16x8 = |a| [a as u16; 8];
            I32x4Splat 0x11 "i32x4.splat" (u32) -> U32x4 = |a| [a; 4];
            I64x2Splat 0x12 "i64x2.splat" (u64) -> U64x2 = |a| [a; 2];
            F32x4Splat 0x13 "f32x4.splat" (f32) -> F32x4 = |a| [a; 4];
            F64x2Splat 0x14 "f64x2.splat" (f64) -> F64x2 = |a| [a; 2];
        }
    };
}

/// Hands every op that takes a lane out to `$callback`: the lane's type and how
/// it is extended to the type of the result.
#[macro_export]
macro_rules! for_each_simd_extract {
    ($callback:ident) => {
        $callback! {
            I8x16ExtractLaneS 0x15 "i8x16.extract_lane_s" i8 -> u32 = |a| i32::from(a) as u32;
            I8x16ExtractLaneU 0x16 "i8x16.extract_lane_u" u8 -> u32 = |a| u32::from(a);
            I16x8ExtractLaneS 0x18 "i16x8.extract_lane_s" i16 -> u32 = |a| i32::from(a) as u32;
            I16x8ExtractLaneU 0x19 "i16x8.extract_lane_u" u16 -> u32 = |a| u32::from(a);
            I32x4ExtractLane 0x1b "i32x4.extract_lane" u32 -> u32 = |a| a;
            I64x2ExtractLane 0x1d "i64x2.extract_lane" u64 -> u64 = |a| a;
            F32x4ExtractLane 0x1f "f32x4.extract_lane" f32 -> f32 = |a| a;
            F64x2ExtractLane 0x21 "f64x2.extract_lane" f64 -> f64 = |a| a;
        }
    };
}

/// Hands every load of a vector to `$callback`: the type read from memory, and
/// the vector made of it.
#[macro_export]
macro_rules! for_each_simd_load {
    ($callback:ident) => {
        $callback! {
            V128Load 0x00 "v128.load" U64x2 -> U64x2 = |a| a;
            V128Load8x8S 0x01 "v128.load8x8_s" [i8; 8] -> I16x8 = |a| each(a, i16::from);
            V128Load8x8U 0x02 "v128.load8x8_u" [u8; 8] -> U16x8 = |a| each(a, u16::from);
            V128Load16x4S 0x03 "v128.load16x4_s" [i16; 4] -> I32x4 = |a| each(a, i32::from);
            V128Load16x4U 0x04 "v128.load16x4_u" [u16; 4] -> U32x4 = |a| each(a, u32::from);
            V128Load32x2S 0x05 "v128.load32x2_s" [i32; 2] -> I64x2 = |a| each(a, i64::from);
            V128Load32x2U 0x06 "v128.load32x2_u" [u32; 2] -> U64x2 = |a| each(a, u64::from);
            V128Load8Splat 0x07 "v128.load8_splat" u8 -> U8x16 = |a| [a; 16];
            V128Load16Splat 0x08 "v128.load16_splat" u16 -> U16x8 = |a| [a; 8];
            V128Load32Splat 0x09 "v128.load32_splat" u32 -> U32x4 = |a| [a; 4];
            V128Load64Splat 0x0a "v128.load64_splat" u64 -> U64x2 = |a| [a; 2];
            V128Load32Zero 0x5c "v128.load32_zero" u32 -> U32x4 = |a| [a, 0, 0, 0];
            V128Load64Zero 0x5d "v128.load64_zero" u64 -> U64x2 = |a| [a, 0];
        }
    };
}

impl UnaryOp {
    /// The op that makes a NaN this op computes canonical; none if this op computes
    /// none, but at most moves it.
    pub fn canonical(self) -> Option<UnaryOp> {
        use UnaryOp::*;
        match self {
            F32x4Ceil | F32x4Floor | F32x4Trunc | F32x4Nearest | F32x4Sqrt
            | F32x4DemoteF64x2Zero => Some(F32x4Canonical),
            F64x2Ceil | F64x2Floor | F64x2Trunc | F64x2Nearest | F64x2Sqrt
            | F64x2PromoteLowF32x4 => Some(F64x2Canonical),
            F32x4Canonical
            | F64x2Canonical
            | V128Not
            | I8x16Abs
            | I8x16Neg
            | I8x16Popcnt
            | I16x8ExtaddPairwiseI8x16S
            | I16x8ExtaddPairwiseI8x16U
            | I32x4ExtaddPairwiseI16x8S
            | I32x4ExtaddPairwiseI16x8U
            | I16x8Abs
            | I16x8Neg
            | I16x8ExtendLowI8x16S
            | I16x8ExtendHighI8x16S
            | I16x8ExtendLowI8x16U
            | I16x8ExtendHighI8x16U
            | I32x4Abs
            | I32x4Neg
            | I32x4ExtendLowI16x8S
            | I32x4ExtendHighI16x8S
            | I32x4ExtendLowI16x8U
            | I32x4ExtendHighI16x8U
            | I64x2Abs
            | I64x2Neg
            | I64x2ExtendLowI32x4S
            | I64x2ExtendHighI32x4S
            | I64x2ExtendLowI32x4U
            | I64x2ExtendHighI32x4U
            | F32x4Abs
            | F32x4Neg
            | F64x2Abs
            | F64x2Neg
            | I32x4TruncSatF32x4S
            | I32x4TruncSatF32x4U
            | F32x4ConvertI32x4S
            | F32x4ConvertI32x4U
            | I32x4TruncSatF64x2SZero
            | I32x4TruncSatF64x2UZero
            | F64x2ConvertLowI32x4S
            | F64x2ConvertLowI32x4U => None,
        }
    }
}

impl BinaryOp {
    /// As [`UnaryOp::canonical`].
    pub fn canonical(self) -> Option<UnaryOp> {
        use BinaryOp::*;
        match self {
            F32x4Add | F32x4Sub | F32x4Mul | F32x4Div | F32x4Min | F32x4Max => {
                Some(UnaryOp::F32x4Canonical)
            }
            F64x2Add | F64x2Sub | F64x2Mul | F64x2Div | F64x2Min | F64x2Max => {
                Some(UnaryOp::F64x2Canonical)
            }
            I8x16Swizzle
            | I8x16Eq
            | I8x16Ne
            | I8x16LtS
            | I8x16LtU
            | I8x16GtS
            | I8x16GtU
            | I8x16LeS
            | I8x16LeU
            | I8x16GeS
            | I8x16GeU
            | I16x8Eq
            | I16x8Ne
            | I16x8LtS
            | I16x8LtU
            | I16x8GtS
            | I16x8GtU
            | I16x8LeS
            | I16x8LeU
            | I16x8GeS
            | I16x8GeU
            | I32x4Eq
            | I32x4Ne
            | I32x4LtS
            | I32x4LtU
            | I32x4GtS
            | I32x4GtU
            | I32x4LeS
            | I32x4LeU
            | I32x4GeS
            | I32x4GeU
            | F32x4Eq
            | F32x4Ne
            | F32x4Lt
            | F32x4Gt
            | F32x4Le
            | F32x4Ge
            | F64x2Eq
            | F64x2Ne
            | F64x2Lt
            | F64x2Gt
            | F64x2Le
            | F64x2Ge
            | V128And
            | V128Andnot
            | V128Or
            | V128Xor
            | I8x16NarrowI16x8S
            | I8x16NarrowI16x8U
            | I8x16Add
            | I8x16AddSatS
            | I8x16AddSatU
            | I8x16Sub
            | I8x16SubSatS
            | I8x16SubSatU
            | I8x16MinS
            | I8x16MinU
            | I8x16MaxS
            | I8x16MaxU
            | I8x16AvgrU
            | I16x8Q15mulrSatS
            | I16x8NarrowI32x4S
            | I16x8NarrowI32x4U
            | I16x8Add
            | I16x8AddSatS
            | I16x8AddSatU
            | I16x8Sub
            | I16x8SubSatS
            | I16x8SubSatU
            | I16x8Mul
            | I16x8MinS
            | I16x8MinU
            | I16x8MaxS
            | I16x8MaxU
            | I16x8AvgrU
            | I16x8ExtmulLowI8x16S
            | I16x8ExtmulHighI8x16S
            | I16x8ExtmulLowI8x16U
            | I16x8ExtmulHighI8x16U
            | I32x4Add
            | I32x4Sub
            | I32x4Mul
            | I32x4MinS
            | I32x4MinU
            | I32x4MaxS
            | I32x4MaxU
            | I32x4DotI16x8S
            | I32x4ExtmulLowI16x8S
            | I32x4ExtmulHighI16x8S
            | I32x4ExtmulLowI16x8U
            | I32x4ExtmulHighI16x8U
            | I64x2Add
            | I64x2Sub
            | I64x2Mul
            | I64x2Eq
            | I64x2Ne
            | I64x2LtS
            | I64x2GtS
            | I64x2LeS
            | I64x2GeS
            | I64x2ExtmulLowI32x4S
            | I64x2ExtmulHighI32x4S
            | I64x2ExtmulLowI32x4U
            | I64x2ExtmulHighI32x4U
            | F32x4Pmin
            | F32x4Pmax
            | F64x2Pmin
            | F64x2Pmax
            | I16x8RelaxedDotI8x16I7x16S => None,
        }
    }
}

impl TernaryOp {
    /// As [`UnaryOp::canonical`].
    pub fn canonical(self) -> Option<UnaryOp> {
        use TernaryOp::*;
        match self {
            F32x4RelaxedMadd | F32x4RelaxedNmadd => Some(UnaryOp::F32x4Canonical),
            F64x2RelaxedMadd | F64x2RelaxedNmadd => Some(UnaryOp::F64x2Canonical),
            V128Bitselect | I32x4RelaxedDotI8x16I7x16AddS => None,
        }
    }
}

/// The strict op that a relaxed op is; other opcodes stay what they are.
pub const fn strict(opcode: u32) -> u32 {
    match opcode {
        // A swizzle.
        0x100 => 0x0E,
        // Truncations that saturate.
        0x101 => 0xF8,
        0x102 => 0xF9,
        0x103 => 0xFC,
        0x104 => 0xFD,
        // Lane selections by every bit of the mask.
        0x109..=0x10C => 0x52,
        // Minimum and maximum.
        0x10D => 0xE8,
        0x10E => 0xE9,
        0x10F => 0xF4,
        0x110 => 0xF5,
        // The rounding multiplication that saturates.
        0x111 => 0x82,
        _ => opcode,
    }
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
        ($trait:ident $($name:ident $text:literal $a:ty, $r:ty, $x:ident $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
        ($($name:ident $opcode:literal $text:literal ($a:ty) -> $r:ty = |$x:ident| $body:expr;)*) => {
            one_operand! { Unary $($name $text $a, $r, $x $body;)* }
        };
    }
    for_each_simd_unary!(unary);

    macro_rules! splat {
        ($($name:ident $opcode:literal $text:literal ($a:ty) -> $r:ty = |$x:ident| $body:expr;)*) => {
            one_operand! { Splat $($name $text $a, $r, $x $body;)* }
        };
    }
    for_each_simd_splat!(splat);

    macro_rules! test {
        ($($name:ident $opcode:literal $text:literal ($a:ty) -> u32 = |$x:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_simd_test!(test);

    macro_rules! binary {
        ($($name:ident $opcode:literal $text:literal ($a:ty) -> $r:ty = |$x:ident, $y:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_simd_binary!(binary);

    macro_rules! ternary {
        ($($name:ident $opcode:literal $text:literal ($a:ty, $c:ty) -> $r:ty = |$x:ident, $y:ident, $z:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_simd_ternary!(ternary);

    macro_rules! shift {
        ($($name:ident $opcode:literal $text:literal ($a:ty) -> $r:ty = |$x:ident, $n:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_simd_shift!(shift);

    macro_rules! from_memory {
        ($trait:ident $($name:ident $text:literal $m:ty, $r:ty, $x:ident $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
        ($($name:ident $opcode:literal $text:literal $m:ident -> $r:ident = |$x:ident| $body:expr;)*) => {
            from_memory! { Extract $($name $text $m, $r, $x $body;)* }
        };
    }
    for_each_simd_extract!(extract);

    macro_rules! load {
        ($($name:ident $opcode:literal $text:literal $m:tt -> $r:ident = |$x:ident| $body:expr;)*) => {
            from_memory! { Load $($name $text $m, $r, $x $body;)* }
        };
    }
    for_each_simd_load!(load);
}

/// Declares one class of ops: an enum with name, opcode and lookup.
macro_rules! simd_enum {
    (
        $(#[$doc:meta])* $enum:ident:
        $($name:ident $opcode:literal $text:literal $types:tt -> $r:ident = |$($x:ident),*| $body:expr;)*
    ) => {
        op_enum! { $(#[$doc])* $enum { $($name $opcode $text)* } }
    };
}

macro_rules! unary_enum {
    ($($rows:tt)*) => {
        simd_enum! {
            /// Ops from one vector to one vector.
            UnaryOp: $($rows)*
        }
    };
}
for_each_simd_unary!(unary_enum);

macro_rules! binary_enum {
    ($($rows:tt)*) => {
        simd_enum! {
            /// Ops from two vectors to one.
            BinaryOp: $($rows)*
        }
    };
}
for_each_simd_binary!(binary_enum);

macro_rules! ternary_enum {
    ($($rows:tt)*) => {
        simd_enum! {
            /// Ops from three vectors to one.
            TernaryOp: $($rows)*
        }
    };
}
for_each_simd_ternary!(ternary_enum);

macro_rules! shift_enum {
    ($($rows:tt)*) => {
        simd_enum! {
            /// Shifts of all lanes by one count.
            ShiftOp: $($rows)*
        }
    };
}
for_each_simd_shift!(shift_enum);

macro_rules! test_enum {
    ($($rows:tt)*) => {
        simd_enum! {
            /// Ops from a vector to an `i32`.
            TestOp: $($rows)*
        }
    };
}
for_each_simd_test!(test_enum);

macro_rules! load_enum {
    ($($rows:tt)*) => {
        simd_enum! {
            /// Loads of a vector.
            LoadOp: $($rows)*
        }
    };
}
for_each_simd_load!(load_enum);

macro_rules! splat_enum {
    ($($name:ident $opcode:literal $text:literal ($a:ident) -> $r:ident = |$x:ident| $body:expr;)*) => {
        op_enum! {
            /// Ops from a scalar to a vector.
            SplatOp { $($name $opcode $text)* }
        }

        impl SplatOp {
            /// The operand's type.
            pub const fn operand(self) -> crate::types::Type {
                match self { $(SplatOp::$name => type_of!($a),)* }
            }
        }
    };
}
for_each_simd_splat!(splat_enum);

macro_rules! extract_enum {
    ($($name:ident $opcode:literal $text:literal $m:ident -> $r:ident = |$x:ident| $body:expr;)*) => {
        op_enum! {
            /// Ops that take a lane out.
            ExtractOp { $($name $opcode $text)* }
        }

        impl ExtractOp {
            /// The result's type.
            pub const fn result(self) -> crate::types::Type {
                match self { $(ExtractOp::$name => type_of!($r),)* }
            }

            /// How many bytes a lane has.
            pub const fn lane_bytes(self) -> u32 {
                match self { $(ExtractOp::$name => size_of::<$m>() as u32,)* }
            }
        }
    };
}
for_each_simd_extract!(extract_enum);

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
