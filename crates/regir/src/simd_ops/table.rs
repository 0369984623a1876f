//! The rows of the vector op tables, in the form of those in [`crate::ops`].
//!
//! `wasm` is the opcode behind the prefix `0xFD`; what has one from `0x200` on is no
//! instruction of WebAssembly: the translation puts it behind others. The other columns
//! are `text`, `commutes` and `nan`. Types are lane arrays: the array that fits an op's
//! lanes is the vector read little-endian.

/// Hands every op from one vector to one vector to `$callback`.
#[macro_export]
macro_rules! for_each_simd_unary {
    ($callback:ident) => {
        $callback! {
            V128Not { wasm: 0x4D, text: "v128.not" } [|a: U64x2| -> U64x2 = each(a, |a| !a)];
            F32x4DemoteF64x2Zero { wasm: 0x5E, text: "f32x4.demote_f64x2_zero", nan: true } [|a: F64x2| -> F32x4 = [a[0] as f32, a[1] as f32, 0.0, 0.0]];
            F64x2PromoteLowF32x4 { wasm: 0x5F, text: "f64x2.promote_low_f32x4", nan: true } [|a: F32x4| -> F64x2 = [f64::from(a[0]), f64::from(a[1])]];
            I8x16Abs { wasm: 0x60, text: "i8x16.abs" } [|a: I8x16| -> I8x16 = each(a, i8::wrapping_abs)];
            I8x16Neg { wasm: 0x61, text: "i8x16.neg" } [|a: I8x16| -> I8x16 = each(a, i8::wrapping_neg)];
            I8x16Popcnt { wasm: 0x62, text: "i8x16.popcnt" } [|a: U8x16| -> U8x16 = each(a, |a| a.count_ones() as u8)];
            F32x4Ceil { wasm: 0x67, text: "f32x4.ceil", nan: true } [|a: F32x4| -> F32x4 = each(a, single::ceil)];
            F32x4Floor { wasm: 0x68, text: "f32x4.floor", nan: true } [|a: F32x4| -> F32x4 = each(a, single::floor)];
            F32x4Trunc { wasm: 0x69, text: "f32x4.trunc", nan: true } [|a: F32x4| -> F32x4 = each(a, single::trunc)];
            F32x4Nearest { wasm: 0x6A, text: "f32x4.nearest", nan: true } [|a: F32x4| -> F32x4 = each(a, single::nearest)];
            F64x2Ceil { wasm: 0x74, text: "f64x2.ceil", nan: true } [|a: F64x2| -> F64x2 = each(a, double::ceil)];
            F64x2Floor { wasm: 0x75, text: "f64x2.floor", nan: true } [|a: F64x2| -> F64x2 = each(a, double::floor)];
            F64x2Trunc { wasm: 0x7A, text: "f64x2.trunc", nan: true } [|a: F64x2| -> F64x2 = each(a, double::trunc)];
            I16x8ExtaddPairwiseI8x16S { wasm: 0x7C, text: "i16x8.extadd_pairwise_i8x16_s" } [|a: I8x16| -> I16x8 = pairs(a, |a, b| i16::from(a) + i16::from(b))];
            I16x8ExtaddPairwiseI8x16U { wasm: 0x7D, text: "i16x8.extadd_pairwise_i8x16_u" } [|a: U8x16| -> U16x8 = pairs(a, |a, b| u16::from(a) + u16::from(b))];
            I32x4ExtaddPairwiseI16x8S { wasm: 0x7E, text: "i32x4.extadd_pairwise_i16x8_s" } [|a: I16x8| -> I32x4 = pairs(a, |a, b| i32::from(a) + i32::from(b))];
            I32x4ExtaddPairwiseI16x8U { wasm: 0x7F, text: "i32x4.extadd_pairwise_i16x8_u" } [|a: U16x8| -> U32x4 = pairs(a, |a, b| u32::from(a) + u32::from(b))];
            I16x8Abs { wasm: 0x80, text: "i16x8.abs" } [|a: I16x8| -> I16x8 = each(a, i16::wrapping_abs)];
            I16x8Neg { wasm: 0x81, text: "i16x8.neg" } [|a: I16x8| -> I16x8 = each(a, i16::wrapping_neg)];
            I16x8ExtendLowI8x16S { wasm: 0x87, text: "i16x8.extend_low_i8x16_s" } [|a: I8x16| -> I16x8 = each(low(a), i16::from)];
            I16x8ExtendHighI8x16S { wasm: 0x88, text: "i16x8.extend_high_i8x16_s" } [|a: I8x16| -> I16x8 = each(high(a), i16::from)];
            I16x8ExtendLowI8x16U { wasm: 0x89, text: "i16x8.extend_low_i8x16_u" } [|a: U8x16| -> U16x8 = each(low(a), u16::from)];
            I16x8ExtendHighI8x16U { wasm: 0x8A, text: "i16x8.extend_high_i8x16_u" } [|a: U8x16| -> U16x8 = each(high(a), u16::from)];
            F64x2Nearest { wasm: 0x94, text: "f64x2.nearest", nan: true } [|a: F64x2| -> F64x2 = each(a, double::nearest)];
            I32x4Abs { wasm: 0xA0, text: "i32x4.abs" } [|a: I32x4| -> I32x4 = each(a, i32::wrapping_abs)];
            I32x4Neg { wasm: 0xA1, text: "i32x4.neg" } [|a: I32x4| -> I32x4 = each(a, i32::wrapping_neg)];
            I32x4ExtendLowI16x8S { wasm: 0xA7, text: "i32x4.extend_low_i16x8_s" } [|a: I16x8| -> I32x4 = each(low(a), i32::from)];
            I32x4ExtendHighI16x8S { wasm: 0xA8, text: "i32x4.extend_high_i16x8_s" } [|a: I16x8| -> I32x4 = each(high(a), i32::from)];
            I32x4ExtendLowI16x8U { wasm: 0xA9, text: "i32x4.extend_low_i16x8_u" } [|a: U16x8| -> U32x4 = each(low(a), u32::from)];
            I32x4ExtendHighI16x8U { wasm: 0xAA, text: "i32x4.extend_high_i16x8_u" } [|a: U16x8| -> U32x4 = each(high(a), u32::from)];
            I64x2Abs { wasm: 0xC0, text: "i64x2.abs" } [|a: I64x2| -> I64x2 = each(a, i64::wrapping_abs)];
            F32x4Canonical { wasm: 0x200, text: "f32x4.canonical" } [|a: F32x4| -> F32x4 = each(a, single::canonical)];
            F64x2Canonical { wasm: 0x201, text: "f64x2.canonical" } [|a: F64x2| -> F64x2 = each(a, double::canonical)];
            I64x2Neg { wasm: 0xC1, text: "i64x2.neg" } [|a: I64x2| -> I64x2 = each(a, i64::wrapping_neg)];
            I64x2ExtendLowI32x4S { wasm: 0xC7, text: "i64x2.extend_low_i32x4_s" } [|a: I32x4| -> I64x2 = each(low(a), i64::from)];
            I64x2ExtendHighI32x4S { wasm: 0xC8, text: "i64x2.extend_high_i32x4_s" } [|a: I32x4| -> I64x2 = each(high(a), i64::from)];
            I64x2ExtendLowI32x4U { wasm: 0xC9, text: "i64x2.extend_low_i32x4_u" } [|a: U32x4| -> U64x2 = each(low(a), u64::from)];
            I64x2ExtendHighI32x4U { wasm: 0xCA, text: "i64x2.extend_high_i32x4_u" } [|a: U32x4| -> U64x2 = each(high(a), u64::from)];
            F32x4Abs { wasm: 0xE0, text: "f32x4.abs" } [|a: F32x4| -> F32x4 = each(a, f32::abs)];
            F32x4Neg { wasm: 0xE1, text: "f32x4.neg" } [|a: F32x4| -> F32x4 = each(a, |a| -a)];
            F32x4Sqrt { wasm: 0xE3, text: "f32x4.sqrt", nan: true } [|a: F32x4| -> F32x4 = each(a, f32::sqrt)];
            F64x2Abs { wasm: 0xEC, text: "f64x2.abs" } [|a: F64x2| -> F64x2 = each(a, f64::abs)];
            F64x2Neg { wasm: 0xED, text: "f64x2.neg" } [|a: F64x2| -> F64x2 = each(a, |a| -a)];
            F64x2Sqrt { wasm: 0xEF, text: "f64x2.sqrt", nan: true } [|a: F64x2| -> F64x2 = each(a, f64::sqrt)];
            I32x4TruncSatF32x4S { wasm: 0xF8, text: "i32x4.trunc_sat_f32x4_s" } [|a: F32x4| -> I32x4 = each(a, |a| a as i32)];
            I32x4TruncSatF32x4U { wasm: 0xF9, text: "i32x4.trunc_sat_f32x4_u" } [|a: F32x4| -> U32x4 = each(a, |a| a as u32)];
            F32x4ConvertI32x4S { wasm: 0xFA, text: "f32x4.convert_i32x4_s" } [|a: I32x4| -> F32x4 = each(a, |a| a as f32)];
            F32x4ConvertI32x4U { wasm: 0xFB, text: "f32x4.convert_i32x4_u" } [|a: U32x4| -> F32x4 = each(a, |a| a as f32)];
            I32x4TruncSatF64x2SZero { wasm: 0xFC, text: "i32x4.trunc_sat_f64x2_s_zero" } [|a: F64x2| -> I32x4 = [a[0] as i32, a[1] as i32, 0, 0]];
            I32x4TruncSatF64x2UZero { wasm: 0xFD, text: "i32x4.trunc_sat_f64x2_u_zero" } [|a: F64x2| -> U32x4 = [a[0] as u32, a[1] as u32, 0, 0]];
            F64x2ConvertLowI32x4S { wasm: 0xFE, text: "f64x2.convert_low_i32x4_s" } [|a: I32x4| -> F64x2 = [f64::from(a[0]), f64::from(a[1])]];
            F64x2ConvertLowI32x4U { wasm: 0xFF, text: "f64x2.convert_low_i32x4_u" } [|a: U32x4| -> F64x2 = [f64::from(a[0]), f64::from(a[1])]];
        }
    };
}

/// Hands every op from two vectors to one to `$callback`.
#[macro_export]
macro_rules! for_each_simd_binary {
    ($callback:ident) => {
        $callback! {
            I8x16Swizzle { wasm: 0x0E, text: "i8x16.swizzle" } [|a, b: U8x16| -> U8x16 = each(b, |lane| if lane < 16 { a[usize::from(lane)] } else { 0 })];
            I8x16Eq { wasm: 0x23, text: "i8x16.eq", commutes: true } [|a, b: U8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a == b))];
            I8x16Ne { wasm: 0x24, text: "i8x16.ne", commutes: true } [|a, b: U8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a != b))];
            I8x16LtS { wasm: 0x25, text: "i8x16.lt_s" } [|a, b: I8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a < b))];
            I8x16LtU { wasm: 0x26, text: "i8x16.lt_u" } [|a, b: U8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a < b))];
            I8x16GtS { wasm: 0x27, text: "i8x16.gt_s" } [|a, b: I8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a > b))];
            I8x16GtU { wasm: 0x28, text: "i8x16.gt_u" } [|a, b: U8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a > b))];
            I8x16LeS { wasm: 0x29, text: "i8x16.le_s" } [|a, b: I8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a <= b))];
            I8x16LeU { wasm: 0x2A, text: "i8x16.le_u" } [|a, b: U8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a <= b))];
            I8x16GeS { wasm: 0x2B, text: "i8x16.ge_s" } [|a, b: I8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a >= b))];
            I8x16GeU { wasm: 0x2C, text: "i8x16.ge_u" } [|a, b: U8x16| -> I8x16 = both(a, b, |a, b| -i8::from(a >= b))];
            I16x8Eq { wasm: 0x2D, text: "i16x8.eq", commutes: true } [|a, b: U16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a == b))];
            I16x8Ne { wasm: 0x2E, text: "i16x8.ne", commutes: true } [|a, b: U16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a != b))];
            I16x8LtS { wasm: 0x2F, text: "i16x8.lt_s" } [|a, b: I16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a < b))];
            I16x8LtU { wasm: 0x30, text: "i16x8.lt_u" } [|a, b: U16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a < b))];
            I16x8GtS { wasm: 0x31, text: "i16x8.gt_s" } [|a, b: I16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a > b))];
            I16x8GtU { wasm: 0x32, text: "i16x8.gt_u" } [|a, b: U16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a > b))];
            I16x8LeS { wasm: 0x33, text: "i16x8.le_s" } [|a, b: I16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a <= b))];
            I16x8LeU { wasm: 0x34, text: "i16x8.le_u" } [|a, b: U16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a <= b))];
            I16x8GeS { wasm: 0x35, text: "i16x8.ge_s" } [|a, b: I16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a >= b))];
            I16x8GeU { wasm: 0x36, text: "i16x8.ge_u" } [|a, b: U16x8| -> I16x8 = both(a, b, |a, b| -i16::from(a >= b))];
            I32x4Eq { wasm: 0x37, text: "i32x4.eq", commutes: true } [|a, b: U32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a == b))];
            I32x4Ne { wasm: 0x38, text: "i32x4.ne", commutes: true } [|a, b: U32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a != b))];
            I32x4LtS { wasm: 0x39, text: "i32x4.lt_s" } [|a, b: I32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a < b))];
            I32x4LtU { wasm: 0x3A, text: "i32x4.lt_u" } [|a, b: U32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a < b))];
            I32x4GtS { wasm: 0x3B, text: "i32x4.gt_s" } [|a, b: I32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a > b))];
            I32x4GtU { wasm: 0x3C, text: "i32x4.gt_u" } [|a, b: U32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a > b))];
            I32x4LeS { wasm: 0x3D, text: "i32x4.le_s" } [|a, b: I32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a <= b))];
            I32x4LeU { wasm: 0x3E, text: "i32x4.le_u" } [|a, b: U32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a <= b))];
            I32x4GeS { wasm: 0x3F, text: "i32x4.ge_s" } [|a, b: I32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a >= b))];
            I32x4GeU { wasm: 0x40, text: "i32x4.ge_u" } [|a, b: U32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a >= b))];
            F32x4Eq { wasm: 0x41, text: "f32x4.eq", commutes: true } [|a, b: F32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a == b))];
            F32x4Ne { wasm: 0x42, text: "f32x4.ne", commutes: true } [|a, b: F32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a != b))];
            F32x4Lt { wasm: 0x43, text: "f32x4.lt" } [|a, b: F32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a < b))];
            F32x4Gt { wasm: 0x44, text: "f32x4.gt" } [|a, b: F32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a > b))];
            F32x4Le { wasm: 0x45, text: "f32x4.le" } [|a, b: F32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a <= b))];
            F32x4Ge { wasm: 0x46, text: "f32x4.ge" } [|a, b: F32x4| -> I32x4 = both(a, b, |a, b| -i32::from(a >= b))];
            F64x2Eq { wasm: 0x47, text: "f64x2.eq", commutes: true } [|a, b: F64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a == b))];
            F64x2Ne { wasm: 0x48, text: "f64x2.ne", commutes: true } [|a, b: F64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a != b))];
            F64x2Lt { wasm: 0x49, text: "f64x2.lt" } [|a, b: F64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a < b))];
            F64x2Gt { wasm: 0x4A, text: "f64x2.gt" } [|a, b: F64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a > b))];
            F64x2Le { wasm: 0x4B, text: "f64x2.le" } [|a, b: F64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a <= b))];
            F64x2Ge { wasm: 0x4C, text: "f64x2.ge" } [|a, b: F64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a >= b))];
            V128And { wasm: 0x4E, text: "v128.and", commutes: true } [|a, b: U64x2| -> U64x2 = both(a, b, |a, b| a & b)];
            V128Andnot { wasm: 0x4F, text: "v128.andnot" } [|a, b: U64x2| -> U64x2 = both(a, b, |a, b| a & !b)];
            V128Or { wasm: 0x50, text: "v128.or", commutes: true } [|a, b: U64x2| -> U64x2 = both(a, b, |a, b| a | b)];
            V128Xor { wasm: 0x51, text: "v128.xor", commutes: true } [|a, b: U64x2| -> U64x2 = both(a, b, |a, b| a ^ b)];
            I8x16NarrowI16x8S { wasm: 0x65, text: "i8x16.narrow_i16x8_s" } [|a, b: I16x8| -> I8x16 = join(a, b, |a| a.clamp(i8::MIN.into(), i8::MAX.into()) as i8)];
            I8x16NarrowI16x8U { wasm: 0x66, text: "i8x16.narrow_i16x8_u" } [|a, b: I16x8| -> U8x16 = join(a, b, |a| a.clamp(0, u8::MAX.into()) as u8)];
            I8x16Add { wasm: 0x6E, text: "i8x16.add", commutes: true } [|a, b: U8x16| -> U8x16 = both(a, b, u8::wrapping_add)];
            I8x16AddSatS { wasm: 0x6F, text: "i8x16.add_sat_s", commutes: true } [|a, b: I8x16| -> I8x16 = both(a, b, i8::saturating_add)];
            I8x16AddSatU { wasm: 0x70, text: "i8x16.add_sat_u", commutes: true } [|a, b: U8x16| -> U8x16 = both(a, b, u8::saturating_add)];
            I8x16Sub { wasm: 0x71, text: "i8x16.sub" } [|a, b: U8x16| -> U8x16 = both(a, b, u8::wrapping_sub)];
            I8x16SubSatS { wasm: 0x72, text: "i8x16.sub_sat_s" } [|a, b: I8x16| -> I8x16 = both(a, b, i8::saturating_sub)];
            I8x16SubSatU { wasm: 0x73, text: "i8x16.sub_sat_u" } [|a, b: U8x16| -> U8x16 = both(a, b, u8::saturating_sub)];
            I8x16MinS { wasm: 0x76, text: "i8x16.min_s", commutes: true } [|a, b: I8x16| -> I8x16 = both(a, b, i8::min)];
            I8x16MinU { wasm: 0x77, text: "i8x16.min_u", commutes: true } [|a, b: U8x16| -> U8x16 = both(a, b, u8::min)];
            I8x16MaxS { wasm: 0x78, text: "i8x16.max_s", commutes: true } [|a, b: I8x16| -> I8x16 = both(a, b, i8::max)];
            I8x16MaxU { wasm: 0x79, text: "i8x16.max_u", commutes: true } [|a, b: U8x16| -> U8x16 = both(a, b, u8::max)];
            I8x16AvgrU { wasm: 0x7B, text: "i8x16.avgr_u", commutes: true } [|a, b: U8x16| -> U8x16 = both(a, b, |a, b| (u16::from(a) + u16::from(b)).div_ceil(2) as u8)];
            I16x8Q15mulrSatS { wasm: 0x82, text: "i16x8.q15mulr_sat_s", commutes: true } [|a, b: I16x8| -> I16x8 = both(a, b, q15_mul)];
            I16x8NarrowI32x4S { wasm: 0x85, text: "i16x8.narrow_i32x4_s" } [|a, b: I32x4| -> I16x8 = join(a, b, |a| a.clamp(i16::MIN.into(), i16::MAX.into()) as i16)];
            I16x8NarrowI32x4U { wasm: 0x86, text: "i16x8.narrow_i32x4_u" } [|a, b: I32x4| -> U16x8 = join(a, b, |a| a.clamp(0, u16::MAX.into()) as u16)];
            I16x8Add { wasm: 0x8E, text: "i16x8.add", commutes: true } [|a, b: U16x8| -> U16x8 = both(a, b, u16::wrapping_add)];
            I16x8AddSatS { wasm: 0x8F, text: "i16x8.add_sat_s", commutes: true } [|a, b: I16x8| -> I16x8 = both(a, b, i16::saturating_add)];
            I16x8AddSatU { wasm: 0x90, text: "i16x8.add_sat_u", commutes: true } [|a, b: U16x8| -> U16x8 = both(a, b, u16::saturating_add)];
            I16x8Sub { wasm: 0x91, text: "i16x8.sub" } [|a, b: U16x8| -> U16x8 = both(a, b, u16::wrapping_sub)];
            I16x8SubSatS { wasm: 0x92, text: "i16x8.sub_sat_s" } [|a, b: I16x8| -> I16x8 = both(a, b, i16::saturating_sub)];
            I16x8SubSatU { wasm: 0x93, text: "i16x8.sub_sat_u" } [|a, b: U16x8| -> U16x8 = both(a, b, u16::saturating_sub)];
            I16x8Mul { wasm: 0x95, text: "i16x8.mul", commutes: true } [|a, b: U16x8| -> U16x8 = both(a, b, u16::wrapping_mul)];
            I16x8MinS { wasm: 0x96, text: "i16x8.min_s", commutes: true } [|a, b: I16x8| -> I16x8 = both(a, b, i16::min)];
            I16x8MinU { wasm: 0x97, text: "i16x8.min_u", commutes: true } [|a, b: U16x8| -> U16x8 = both(a, b, u16::min)];
            I16x8MaxS { wasm: 0x98, text: "i16x8.max_s", commutes: true } [|a, b: I16x8| -> I16x8 = both(a, b, i16::max)];
            I16x8MaxU { wasm: 0x99, text: "i16x8.max_u", commutes: true } [|a, b: U16x8| -> U16x8 = both(a, b, u16::max)];
            I16x8AvgrU { wasm: 0x9B, text: "i16x8.avgr_u", commutes: true } [|a, b: U16x8| -> U16x8 = both(a, b, |a, b| (u32::from(a) + u32::from(b)).div_ceil(2) as u16)];
            I16x8ExtmulLowI8x16S { wasm: 0x9C, text: "i16x8.extmul_low_i8x16_s", commutes: true } [|a, b: I8x16| -> I16x8 = both(low(a), low(b), |a, b| i16::from(a) * i16::from(b))];
            I16x8ExtmulHighI8x16S { wasm: 0x9D, text: "i16x8.extmul_high_i8x16_s", commutes: true } [|a, b: I8x16| -> I16x8 = both(high(a), high(b), |a, b| i16::from(a) * i16::from(b))];
            I16x8ExtmulLowI8x16U { wasm: 0x9E, text: "i16x8.extmul_low_i8x16_u", commutes: true } [|a, b: U8x16| -> U16x8 = both(low(a), low(b), |a, b| u16::from(a) * u16::from(b))];
            I16x8ExtmulHighI8x16U { wasm: 0x9F, text: "i16x8.extmul_high_i8x16_u", commutes: true } [|a, b: U8x16| -> U16x8 = both(high(a), high(b), |a, b| u16::from(a) * u16::from(b))];
            I32x4Add { wasm: 0xAE, text: "i32x4.add", commutes: true } [|a, b: U32x4| -> U32x4 = both(a, b, u32::wrapping_add)];
            I32x4Sub { wasm: 0xB1, text: "i32x4.sub" } [|a, b: U32x4| -> U32x4 = both(a, b, u32::wrapping_sub)];
            I32x4Mul { wasm: 0xB5, text: "i32x4.mul", commutes: true } [|a, b: U32x4| -> U32x4 = both(a, b, u32::wrapping_mul)];
            I32x4MinS { wasm: 0xB6, text: "i32x4.min_s", commutes: true } [|a, b: I32x4| -> I32x4 = both(a, b, i32::min)];
            I32x4MinU { wasm: 0xB7, text: "i32x4.min_u", commutes: true } [|a, b: U32x4| -> U32x4 = both(a, b, u32::min)];
            I32x4MaxS { wasm: 0xB8, text: "i32x4.max_s", commutes: true } [|a, b: I32x4| -> I32x4 = both(a, b, i32::max)];
            I32x4MaxU { wasm: 0xB9, text: "i32x4.max_u", commutes: true } [|a, b: U32x4| -> U32x4 = both(a, b, u32::max)];
            I32x4DotI16x8S { wasm: 0xBA, text: "i32x4.dot_i16x8_s", commutes: true } [|a, b: I16x8| -> I32x4 = pairs(both(a, b, |a, b| i32::from(a) * i32::from(b)), i32::wrapping_add)];
            I32x4ExtmulLowI16x8S { wasm: 0xBC, text: "i32x4.extmul_low_i16x8_s", commutes: true } [|a, b: I16x8| -> I32x4 = both(low(a), low(b), |a, b| i32::from(a) * i32::from(b))];
            I32x4ExtmulHighI16x8S { wasm: 0xBD, text: "i32x4.extmul_high_i16x8_s", commutes: true } [|a, b: I16x8| -> I32x4 = both(high(a), high(b), |a, b| i32::from(a) * i32::from(b))];
            I32x4ExtmulLowI16x8U { wasm: 0xBE, text: "i32x4.extmul_low_i16x8_u", commutes: true } [|a, b: U16x8| -> U32x4 = both(low(a), low(b), |a, b| u32::from(a) * u32::from(b))];
            I32x4ExtmulHighI16x8U { wasm: 0xBF, text: "i32x4.extmul_high_i16x8_u", commutes: true } [|a, b: U16x8| -> U32x4 = both(high(a), high(b), |a, b| u32::from(a) * u32::from(b))];
            I64x2Add { wasm: 0xCE, text: "i64x2.add", commutes: true } [|a, b: U64x2| -> U64x2 = both(a, b, u64::wrapping_add)];
            I64x2Sub { wasm: 0xD1, text: "i64x2.sub" } [|a, b: U64x2| -> U64x2 = both(a, b, u64::wrapping_sub)];
            I64x2Mul { wasm: 0xD5, text: "i64x2.mul", commutes: true } [|a, b: U64x2| -> U64x2 = both(a, b, u64::wrapping_mul)];
            I64x2Eq { wasm: 0xD6, text: "i64x2.eq", commutes: true } [|a, b: I64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a == b))];
            I64x2Ne { wasm: 0xD7, text: "i64x2.ne", commutes: true } [|a, b: I64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a != b))];
            I64x2LtS { wasm: 0xD8, text: "i64x2.lt_s" } [|a, b: I64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a < b))];
            I64x2GtS { wasm: 0xD9, text: "i64x2.gt_s" } [|a, b: I64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a > b))];
            I64x2LeS { wasm: 0xDA, text: "i64x2.le_s" } [|a, b: I64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a <= b))];
            I64x2GeS { wasm: 0xDB, text: "i64x2.ge_s" } [|a, b: I64x2| -> I64x2 = both(a, b, |a, b| -i64::from(a >= b))];
            I64x2ExtmulLowI32x4S { wasm: 0xDC, text: "i64x2.extmul_low_i32x4_s", commutes: true } [|a, b: I32x4| -> I64x2 = both(low(a), low(b), |a, b| i64::from(a) * i64::from(b))];
            I64x2ExtmulHighI32x4S { wasm: 0xDD, text: "i64x2.extmul_high_i32x4_s", commutes: true } [|a, b: I32x4| -> I64x2 = both(high(a), high(b), |a, b| i64::from(a) * i64::from(b))];
            I64x2ExtmulLowI32x4U { wasm: 0xDE, text: "i64x2.extmul_low_i32x4_u", commutes: true } [|a, b: U32x4| -> U64x2 = both(low(a), low(b), |a, b| u64::from(a) * u64::from(b))];
            I64x2ExtmulHighI32x4U { wasm: 0xDF, text: "i64x2.extmul_high_i32x4_u", commutes: true } [|a, b: U32x4| -> U64x2 = both(high(a), high(b), |a, b| u64::from(a) * u64::from(b))];
            F32x4Add { wasm: 0xE4, text: "f32x4.add", nan: true } [|a, b: F32x4| -> F32x4 = both(a, b, single::add)];
            F32x4Sub { wasm: 0xE5, text: "f32x4.sub", nan: true } [|a, b: F32x4| -> F32x4 = both(a, b, |a, b| a - b)];
            F32x4Mul { wasm: 0xE6, text: "f32x4.mul", nan: true } [|a, b: F32x4| -> F32x4 = both(a, b, single::mul)];
            F32x4Div { wasm: 0xE7, text: "f32x4.div", nan: true } [|a, b: F32x4| -> F32x4 = both(a, b, |a, b| a / b)];
            F32x4Min { wasm: 0xE8, text: "f32x4.min", commutes: true, nan: true } [|a, b: F32x4| -> F32x4 = both(a, b, single::lane_min)];
            F32x4Max { wasm: 0xE9, text: "f32x4.max", commutes: true, nan: true } [|a, b: F32x4| -> F32x4 = both(a, b, single::lane_max)];
            F32x4Pmin { wasm: 0xEA, text: "f32x4.pmin" } [|a, b: F32x4| -> F32x4 = both(a, b, |a, b| if b < a { b } else { a })];
            F32x4Pmax { wasm: 0xEB, text: "f32x4.pmax" } [|a, b: F32x4| -> F32x4 = both(a, b, |a, b| if a < b { b } else { a })];
            F64x2Add { wasm: 0xF0, text: "f64x2.add", nan: true } [|a, b: F64x2| -> F64x2 = both(a, b, double::add)];
            F64x2Sub { wasm: 0xF1, text: "f64x2.sub", nan: true } [|a, b: F64x2| -> F64x2 = both(a, b, |a, b| a - b)];
            F64x2Mul { wasm: 0xF2, text: "f64x2.mul", nan: true } [|a, b: F64x2| -> F64x2 = both(a, b, double::mul)];
            F64x2Div { wasm: 0xF3, text: "f64x2.div", nan: true } [|a, b: F64x2| -> F64x2 = both(a, b, |a, b| a / b)];
            F64x2Min { wasm: 0xF4, text: "f64x2.min", commutes: true, nan: true } [|a, b: F64x2| -> F64x2 = both(a, b, double::lane_min)];
            F64x2Max { wasm: 0xF5, text: "f64x2.max", commutes: true, nan: true } [|a, b: F64x2| -> F64x2 = both(a, b, double::lane_max)];
            F64x2Pmin { wasm: 0xF6, text: "f64x2.pmin" } [|a, b: F64x2| -> F64x2 = both(a, b, |a, b| if b < a { b } else { a })];
            F64x2Pmax { wasm: 0xF7, text: "f64x2.pmax" } [|a, b: F64x2| -> F64x2 = both(a, b, |a, b| if a < b { b } else { a })];
            I16x8RelaxedDotI8x16I7x16S { wasm: 0x112, text: "i16x8.relaxed_dot_i8x16_i7x16_s", commutes: true } [|a, b: I8x16| -> I16x8 = dot_i8(a, b)];
        }
    };
}

/// Hands every op from three vectors to one to `$callback`: the types of the
/// first two and of the third.
#[macro_export]
macro_rules! for_each_simd_ternary {
    ($callback:ident) => {
        $callback! {
            V128Bitselect { wasm: 0x52, text: "v128.bitselect" } [|a, b: U64x2, c: U64x2| -> U64x2 = [(a[0] & c[0]) | (b[0] & !c[0]), (a[1] & c[1]) | (b[1] & !c[1])]];
            F32x4RelaxedMadd { wasm: 0x105, text: "f32x4.relaxed_madd", nan: true } [|a, b: F32x4, c: F32x4| -> F32x4 = both(c, both(a, b, single::mul), single::add)];
            F32x4RelaxedNmadd { wasm: 0x106, text: "f32x4.relaxed_nmadd", nan: true } [|a, b: F32x4, c: F32x4| -> F32x4 = both(c, both(a, b, single::mul), |c, ab| c - ab)];
            F64x2RelaxedMadd { wasm: 0x107, text: "f64x2.relaxed_madd", nan: true } [|a, b: F64x2, c: F64x2| -> F64x2 = both(c, both(a, b, double::mul), double::add)];
            F64x2RelaxedNmadd { wasm: 0x108, text: "f64x2.relaxed_nmadd", nan: true } [|a, b: F64x2, c: F64x2| -> F64x2 = both(c, both(a, b, double::mul), |c, ab| c - ab)];
            I32x4RelaxedDotI8x16I7x16AddS { wasm: 0x113, text: "i32x4.relaxed_dot_i8x16_i7x16_add_s" } [|a, b: I8x16, c: I32x4| -> I32x4 = both(pairs(dot_i8(a, b), |a, b| i32::from(a) + i32::from(b)), c, i32::wrapping_add)];
        }
    };
}

/// Hands every shift to `$callback`; the count is taken modulo the lane's width.
#[macro_export]
macro_rules! for_each_simd_shift {
    ($callback:ident) => {
        $callback! {
            I8x16Shl { wasm: 0x6B, text: "i8x16.shl" } [|a: U8x16, n| -> U8x16 = each(a, |a| a.wrapping_shl(n))];
            I8x16ShrS { wasm: 0x6C, text: "i8x16.shr_s" } [|a: I8x16, n| -> I8x16 = each(a, |a| a.wrapping_shr(n))];
            I8x16ShrU { wasm: 0x6D, text: "i8x16.shr_u" } [|a: U8x16, n| -> U8x16 = each(a, |a| a.wrapping_shr(n))];
            I16x8Shl { wasm: 0x8B, text: "i16x8.shl" } [|a: U16x8, n| -> U16x8 = each(a, |a| a.wrapping_shl(n))];
            I16x8ShrS { wasm: 0x8C, text: "i16x8.shr_s" } [|a: I16x8, n| -> I16x8 = each(a, |a| a.wrapping_shr(n))];
            I16x8ShrU { wasm: 0x8D, text: "i16x8.shr_u" } [|a: U16x8, n| -> U16x8 = each(a, |a| a.wrapping_shr(n))];
            I32x4Shl { wasm: 0xAB, text: "i32x4.shl" } [|a: U32x4, n| -> U32x4 = each(a, |a| a.wrapping_shl(n))];
            I32x4ShrS { wasm: 0xAC, text: "i32x4.shr_s" } [|a: I32x4, n| -> I32x4 = each(a, |a| a.wrapping_shr(n))];
            I32x4ShrU { wasm: 0xAD, text: "i32x4.shr_u" } [|a: U32x4, n| -> U32x4 = each(a, |a| a.wrapping_shr(n))];
            I64x2Shl { wasm: 0xCB, text: "i64x2.shl" } [|a: U64x2, n| -> U64x2 = each(a, |a| a.wrapping_shl(n))];
            I64x2ShrS { wasm: 0xCC, text: "i64x2.shr_s" } [|a: I64x2, n| -> I64x2 = each(a, |a| a.wrapping_shr(n))];
            I64x2ShrU { wasm: 0xCD, text: "i64x2.shr_u" } [|a: U64x2, n| -> U64x2 = each(a, |a| a.wrapping_shr(n))];
        }
    };
}

/// Hands every op from a vector to an `i32` to `$callback`.
#[macro_export]
macro_rules! for_each_simd_test {
    ($callback:ident) => {
        $callback! {
            V128AnyTrue { wasm: 0x53, text: "v128.any_true" } [|a: U64x2| -> u32 = u32::from(a[0] | a[1] != 0)];
            I8x16AllTrue { wasm: 0x63, text: "i8x16.all_true" } [|a: U8x16| -> u32 = all_true(a)];
            I8x16Bitmask { wasm: 0x64, text: "i8x16.bitmask" } [|a: I8x16| -> u32 = bitmask(a)];
            I16x8AllTrue { wasm: 0x83, text: "i16x8.all_true" } [|a: U16x8| -> u32 = all_true(a)];
            I16x8Bitmask { wasm: 0x84, text: "i16x8.bitmask" } [|a: I16x8| -> u32 = bitmask(a)];
            I32x4AllTrue { wasm: 0xA3, text: "i32x4.all_true" } [|a: U32x4| -> u32 = all_true(a)];
            I32x4Bitmask { wasm: 0xA4, text: "i32x4.bitmask" } [|a: I32x4| -> u32 = bitmask(a)];
            I64x2AllTrue { wasm: 0xC3, text: "i64x2.all_true" } [|a: U64x2| -> u32 = all_true(a)];
            I64x2Bitmask { wasm: 0xC4, text: "i64x2.bitmask" } [|a: I64x2| -> u32 = bitmask(a)];
        }
    };
}

/// Hands every op from a scalar to a vector to `$callback`.
#[macro_export]
macro_rules! for_each_simd_splat {
    ($callback:ident) => {
        $callback! {
            I8x16Splat { wasm: 0x0F, text: "i8x16.splat" } [|a: u32| -> U8x16 = [a as u8; 16]];
            I16x8Splat { wasm: 0x10, text: "i16x8.splat" } [|a: u32| -> U16x8 = [a as u16; 8]];
            I32x4Splat { wasm: 0x11, text: "i32x4.splat" } [|a: u32| -> U32x4 = [a; 4]];
            I64x2Splat { wasm: 0x12, text: "i64x2.splat" } [|a: u64| -> U64x2 = [a; 2]];
            F32x4Splat { wasm: 0x13, text: "f32x4.splat" } [|a: f32| -> F32x4 = [a; 4]];
            F64x2Splat { wasm: 0x14, text: "f64x2.splat" } [|a: f64| -> F64x2 = [a; 2]];
        }
    };
}

/// Hands every op that takes a lane out to `$callback`: the lane's type and how
/// it is extended to the type of the result.
#[macro_export]
macro_rules! for_each_simd_extract {
    ($callback:ident) => {
        $callback! {
            I8x16ExtractLaneS { wasm: 0x15, text: "i8x16.extract_lane_s" } [|a: i8| -> u32 = i32::from(a) as u32];
            I8x16ExtractLaneU { wasm: 0x16, text: "i8x16.extract_lane_u" } [|a: u8| -> u32 = u32::from(a)];
            I16x8ExtractLaneS { wasm: 0x18, text: "i16x8.extract_lane_s" } [|a: i16| -> u32 = i32::from(a) as u32];
            I16x8ExtractLaneU { wasm: 0x19, text: "i16x8.extract_lane_u" } [|a: u16| -> u32 = u32::from(a)];
            I32x4ExtractLane { wasm: 0x1B, text: "i32x4.extract_lane" } [|a: u32| -> u32 = a];
            I64x2ExtractLane { wasm: 0x1D, text: "i64x2.extract_lane" } [|a: u64| -> u64 = a];
            F32x4ExtractLane { wasm: 0x1F, text: "f32x4.extract_lane" } [|a: f32| -> f32 = a];
            F64x2ExtractLane { wasm: 0x21, text: "f64x2.extract_lane" } [|a: f64| -> f64 = a];
        }
    };
}

/// Hands every load of a vector to `$callback`: the type read from memory, and
/// the vector made of it.
#[macro_export]
macro_rules! for_each_simd_load {
    ($callback:ident) => {
        $callback! {
            V128Load { wasm: 0x00, text: "v128.load" } [|a: U64x2| -> U64x2 = a];
            V128Load8x8S { wasm: 0x01, text: "v128.load8x8_s" } [|a: [i8; 8]| -> I16x8 = each(a, i16::from)];
            V128Load8x8U { wasm: 0x02, text: "v128.load8x8_u" } [|a: [u8; 8]| -> U16x8 = each(a, u16::from)];
            V128Load16x4S { wasm: 0x03, text: "v128.load16x4_s" } [|a: [i16; 4]| -> I32x4 = each(a, i32::from)];
            V128Load16x4U { wasm: 0x04, text: "v128.load16x4_u" } [|a: [u16; 4]| -> U32x4 = each(a, u32::from)];
            V128Load32x2S { wasm: 0x05, text: "v128.load32x2_s" } [|a: [i32; 2]| -> I64x2 = each(a, i64::from)];
            V128Load32x2U { wasm: 0x06, text: "v128.load32x2_u" } [|a: [u32; 2]| -> U64x2 = each(a, u64::from)];
            V128Load8Splat { wasm: 0x07, text: "v128.load8_splat" } [|a: u8| -> U8x16 = [a; 16]];
            V128Load16Splat { wasm: 0x08, text: "v128.load16_splat" } [|a: u16| -> U16x8 = [a; 8]];
            V128Load32Splat { wasm: 0x09, text: "v128.load32_splat" } [|a: u32| -> U32x4 = [a; 4]];
            V128Load64Splat { wasm: 0x0A, text: "v128.load64_splat" } [|a: u64| -> U64x2 = [a; 2]];
            V128Load32Zero { wasm: 0x5C, text: "v128.load32_zero" } [|a: u32| -> U32x4 = [a, 0, 0, 0]];
            V128Load64Zero { wasm: 0x5D, text: "v128.load64_zero" } [|a: u64| -> U64x2 = [a, 0]];
        }
    };
}
