//! The op table: every numeric and memory op, declared once.
//!
//! A row gives the op's name (the parser world's CamelCase), its opcode
//! (`0xFCxx` for the prefixed ones), its text, its types and its meaning as a
//! pure expression. Each `for_each_*` macro hands its rows to a callback macro,
//! and everything that is per op (the enums here, opcode decoding, display, and
//! the interpreter's handlers for each operand form) is derived from them.
//!
//! An expression yields either the result or a `Result` with a [`TrapCode`].

use crate::round::{double, single};
use crate::types::TrapCode;

/// Hands every one-operand op to `$callback`.
///
/// What has an opcode from `0x100` on is no instruction of WebAssembly: the
/// translation puts it behind others.
#[macro_export]
macro_rules! for_each_unary {
    ($callback:ident) => {
        $callback! {
            I32Clz 0x67 "i32.clz" (u32) -> u32 = |a| a.leading_zeros();
            I32Ctz 0x68 "i32.ctz" (u32) -> u32 = |a| a.trailing_zeros();
            I32Popcnt 0x69 "i32.popcnt" (u32) -> u32 = |a| a.count_ones();
            I64Clz 0x79 "i64.clz" (u64) -> u64 = |a| u64::from(a.leading_zeros());
            I64Ctz 0x7A "i64.ctz" (u64) -> u64 = |a| u64::from(a.trailing_zeros());
            I64Popcnt 0x7B "i64.popcnt" (u64) -> u64 = |a| u64::from(a.count_ones());
            F32Abs 0x8B "f32.abs" (f32) -> f32 = |a| a.abs();
            F32Neg 0x8C "f32.neg" (f32) -> f32 = |a| -a;
            F32Ceil 0x8D "f32.ceil" (f32) -> f32 = |a| single::ceil(a);
            F32Floor 0x8E "f32.floor" (f32) -> f32 = |a| single::floor(a);
            F32Trunc 0x8F "f32.trunc" (f32) -> f32 = |a| single::trunc(a);
            F32Nearest 0x90 "f32.nearest" (f32) -> f32 = |a| single::nearest(a);
            F32Sqrt 0x91 "f32.sqrt" (f32) -> f32 = |a| a.sqrt();
            F64Abs 0x99 "f64.abs" (f64) -> f64 = |a| a.abs();
            F64Neg 0x9A "f64.neg" (f64) -> f64 = |a| -a;
            F64Ceil 0x9B "f64.ceil" (f64) -> f64 = |a| double::ceil(a);
            F64Floor 0x9C "f64.floor" (f64) -> f64 = |a| double::floor(a);
            F64Trunc 0x9D "f64.trunc" (f64) -> f64 = |a| double::trunc(a);
            F64Nearest 0x9E "f64.nearest" (f64) -> f64 = |a| double::nearest(a);
            F64Sqrt 0x9F "f64.sqrt" (f64) -> f64 = |a| a.sqrt();
            I32WrapI64 0xA7 "i32.wrap_i64" (u64) -> u32 = |a| a as u32;
            I32TruncF32S 0xA8 "i32.trunc_f32_s" (f32) -> u32 = |a| checked_trunc(a.into(), -2147483649.0, 2147483648.0).map(|a| a as i32 as u32);
            I32TruncF32U 0xA9 "i32.trunc_f32_u" (f32) -> u32 = |a| checked_trunc(a.into(), -1.0, 4294967296.0).map(|a| a as u32);
            I32TruncF64S 0xAA "i32.trunc_f64_s" (f64) -> u32 = |a| checked_trunc(a, -2147483649.0, 2147483648.0).map(|a| a as i32 as u32);
            I32TruncF64U 0xAB "i32.trunc_f64_u" (f64) -> u32 = |a| checked_trunc(a, -1.0, 4294967296.0).map(|a| a as u32);
            I64ExtendI32S 0xAC "i64.extend_i32_s" (u32) -> u64 = |a| i64::from(a as i32) as u64;
            I64ExtendI32U 0xAD "i64.extend_i32_u" (u32) -> u64 = |a| u64::from(a);
            I64TruncF32S 0xAE "i64.trunc_f32_s" (f32) -> u64 = |a| checked_trunc(a.into(), BELOW_I64, 9223372036854775808.0).map(|a| a as i64 as u64);
            I64TruncF32U 0xAF "i64.trunc_f32_u" (f32) -> u64 = |a| checked_trunc(a.into(), -1.0, 18446744073709551616.0).map(|a| a as u64);
            I64TruncF64S 0xB0 "i64.trunc_f64_s" (f64) -> u64 = |a| checked_trunc(a, BELOW_I64, 9223372036854775808.0).map(|a| a as i64 as u64);
            I64TruncF64U 0xB1 "i64.trunc_f64_u" (f64) -> u64 = |a| checked_trunc(a, -1.0, 18446744073709551616.0).map(|a| a as u64);
            F32ConvertI32S 0xB2 "f32.convert_i32_s" (u32) -> f32 = |a| a as i32 as f32;
            F32ConvertI32U 0xB3 "f32.convert_i32_u" (u32) -> f32 = |a| a as f32;
            F32ConvertI64S 0xB4 "f32.convert_i64_s" (u64) -> f32 = |a| a as i64 as f32;
            F32ConvertI64U 0xB5 "f32.convert_i64_u" (u64) -> f32 = |a| a as f32;
            F32DemoteF64 0xB6 "f32.demote_f64" (f64) -> f32 = |a| a as f32;
            F64ConvertI32S 0xB7 "f64.convert_i32_s" (u32) -> f64 = |a| f64::from(a as i32);
            F64ConvertI32U 0xB8 "f64.convert_i32_u" (u32) -> f64 = |a| f64::from(a);
            F64ConvertI64S 0xB9 "f64.convert_i64_s" (u64) -> f64 = |a| a as i64 as f64;
            F64ConvertI64U 0xBA "f64.convert_i64_u" (u64) -> f64 = |a| a as f64;
            F64PromoteF32 0xBB "f64.promote_f32" (f32) -> f64 = |a| f64::from(a);
            I32ReinterpretF32 0xBC "i32.reinterpret_f32" (f32) -> u32 = |a| a.to_bits();
            I64ReinterpretF64 0xBD "i64.reinterpret_f64" (f64) -> u64 = |a| a.to_bits();
            F32ReinterpretI32 0xBE "f32.reinterpret_i32" (u32) -> f32 = |a| f32::from_bits(a);
            F64ReinterpretI64 0xBF "f64.reinterpret_i64" (u64) -> f64 = |a| f64::from_bits(a);
            I32Extend8S 0xC0 "i32.extend8_s" (u32) -> u32 = |a| a as i8 as i32 as u32;
            I32Extend16S 0xC1 "i32.extend16_s" (u32) -> u32 = |a| a as i16 as i32 as u32;
            I64Extend8S 0xC2 "i64.extend8_s" (u64) -> u64 = |a| a as i8 as i64 as u64;
            I64Extend16S 0xC3 "i64.extend16_s" (u64) -> u64 = |a| a as i16 as i64 as u64;
            I64Extend32S 0xC4 "i64.extend32_s" (u64) -> u64 = |a| a as i32 as i64 as u64;
            F32Canonical 0x100 "f32.canonical" (f32) -> f32 = |a| single::canonical(a);
            F64Canonical 0x101 "f64.canonical" (f64) -> f64 = |a| double::canonical(a);
            I32TruncSatF32S 0xFC00 "i32.trunc_sat_f32_s" (f32) -> u32 = |a| a as i32 as u32;
            I32TruncSatF32U 0xFC01 "i32.trunc_sat_f32_u" (f32) -> u32 = |a| a as u32;
            I32TruncSatF64S 0xFC02 "i32.trunc_sat_f64_s" (f64) -> u32 = |a| a as i32 as u32;
            I32TruncSatF64U 0xFC03 "i32.trunc_sat_f64_u" (f64) -> u32 = |a| a as u32;
            I64TruncSatF32S 0xFC04 "i64.trunc_sat_f32_s" (f32) -> u64 = |a| a as i64 as u64;
            I64TruncSatF32U 0xFC05 "i64.trunc_sat_f32_u" (f32) -> u64 = |a| a as u64;
            I64TruncSatF64S 0xFC06 "i64.trunc_sat_f64_s" (f64) -> u64 = |a| a as i64 as u64;
            I64TruncSatF64U 0xFC07 "i64.trunc_sat_f64_u" (f64) -> u64 = |a| a as u64;
        }
    };
}

/// Hands every two-operand op that is not a comparison to `$callback`.
///
/// `commutes` says whether the operands may be exchanged.
#[macro_export]
macro_rules! for_each_binary {
    ($callback:ident) => {
        $callback! {
            I32Add 0x6A "i32.add" (u32) -> u32 commutes true = |a, b| a.wrapping_add(b);
            I32Sub 0x6B "i32.sub" (u32) -> u32 commutes false = |a, b| a.wrapping_sub(b);
            I32Mul 0x6C "i32.mul" (u32) -> u32 commutes true = |a, b| a.wrapping_mul(b);
            I32DivS 0x6D "i32.div_s" (u32) -> u32 commutes false = |a, b| div_s32(a as i32, b as i32);
            I32DivU 0x6E "i32.div_u" (u32) -> u32 commutes false = |a, b| a.checked_div(b).ok_or(TrapCode::IntegerDivisionByZero);
            I32RemS 0x6F "i32.rem_s" (u32) -> u32 commutes false = |a, b| if b == 0 { Err(TrapCode::IntegerDivisionByZero) } else { Ok((a as i32).wrapping_rem(b as i32) as u32) };
            I32RemU 0x70 "i32.rem_u" (u32) -> u32 commutes false = |a, b| a.checked_rem(b).ok_or(TrapCode::IntegerDivisionByZero);
            I32And 0x71 "i32.and" (u32) -> u32 commutes true = |a, b| a & b;
            I32Or 0x72 "i32.or" (u32) -> u32 commutes true = |a, b| a | b;
            I32Xor 0x73 "i32.xor" (u32) -> u32 commutes true = |a, b| a ^ b;
            I32Shl 0x74 "i32.shl" (u32) -> u32 commutes false = |a, b| a.wrapping_shl(b);
            I32ShrS 0x75 "i32.shr_s" (u32) -> u32 commutes false = |a, b| (a as i32).wrapping_shr(b) as u32;
            I32ShrU 0x76 "i32.shr_u" (u32) -> u32 commutes false = |a, b| a.wrapping_shr(b);
            I32Rotl 0x77 "i32.rotl" (u32) -> u32 commutes false = |a, b| a.rotate_left(b & 31);
            I32Rotr 0x78 "i32.rotr" (u32) -> u32 commutes false = |a, b| a.rotate_right(b & 31);
            I64Add 0x7C "i64.add" (u64) -> u64 commutes true = |a, b| a.wrapping_add(b);
            I64Sub 0x7D "i64.sub" (u64) -> u64 commutes false = |a, b| a.wrapping_sub(b);
            I64Mul 0x7E "i64.mul" (u64) -> u64 commutes true = |a, b| a.wrapping_mul(b);
            I64DivS 0x7F "i64.div_s" (u64) -> u64 commutes false = |a, b| div_s64(a as i64, b as i64);
            I64DivU 0x80 "i64.div_u" (u64) -> u64 commutes false = |a, b| a.checked_div(b).ok_or(TrapCode::IntegerDivisionByZero);
            I64RemS 0x81 "i64.rem_s" (u64) -> u64 commutes false = |a, b| if b == 0 { Err(TrapCode::IntegerDivisionByZero) } else { Ok((a as i64).wrapping_rem(b as i64) as u64) };
            I64RemU 0x82 "i64.rem_u" (u64) -> u64 commutes false = |a, b| a.checked_rem(b).ok_or(TrapCode::IntegerDivisionByZero);
            I64And 0x83 "i64.and" (u64) -> u64 commutes true = |a, b| a & b;
            I64Or 0x84 "i64.or" (u64) -> u64 commutes true = |a, b| a | b;
            I64Xor 0x85 "i64.xor" (u64) -> u64 commutes true = |a, b| a ^ b;
            I64Shl 0x86 "i64.shl" (u64) -> u64 commutes false = |a, b| a.wrapping_shl(b as u32);
            I64ShrS 0x87 "i64.shr_s" (u64) -> u64 commutes false = |a, b| (a as i64).wrapping_shr(b as u32) as u64;
            I64ShrU 0x88 "i64.shr_u" (u64) -> u64 commutes false = |a, b| a.wrapping_shr(b as u32);
            I64Rotl 0x89 "i64.rotl" (u64) -> u64 commutes false = |a, b| a.rotate_left(b as u32 & 63);
            I64Rotr 0x8A "i64.rotr" (u64) -> u64 commutes false = |a, b| a.rotate_right(b as u32 & 63);
            F32Add 0x92 "f32.add" (f32) -> f32 commutes false = |a, b| single::add(a, b);
            F32Sub 0x93 "f32.sub" (f32) -> f32 commutes false = |a, b| a - b;
            F32Mul 0x94 "f32.mul" (f32) -> f32 commutes false = |a, b| single::mul(a, b);
            F32Div 0x95 "f32.div" (f32) -> f32 commutes false = |a, b| a / b;
            F32Min 0x96 "f32.min" (f32) -> f32 commutes false = |a, b| single::min(a, b);
            F32Max 0x97 "f32.max" (f32) -> f32 commutes false = |a, b| single::max(a, b);
            F32Copysign 0x98 "f32.copysign" (f32) -> f32 commutes false = |a, b| a.copysign(b);
            F64Add 0xA0 "f64.add" (f64) -> f64 commutes false = |a, b| double::add(a, b);
            F64Sub 0xA1 "f64.sub" (f64) -> f64 commutes false = |a, b| a - b;
            F64Mul 0xA2 "f64.mul" (f64) -> f64 commutes false = |a, b| double::mul(a, b);
            F64Div 0xA3 "f64.div" (f64) -> f64 commutes false = |a, b| a / b;
            F64Min 0xA4 "f64.min" (f64) -> f64 commutes false = |a, b| double::min(a, b);
            F64Max 0xA5 "f64.max" (f64) -> f64 commutes false = |a, b| double::max(a, b);
            F64Copysign 0xA6 "f64.copysign" (f64) -> f64 commutes false = |a, b| a.copysign(b);
        }
    };
}

/// Hands every comparison to `$callback`.
///
/// `not` names the op with the opposite answer (none for ordered floats, where
/// NaN answers no to both), `swap` the op for exchanged operands.
#[macro_export]
macro_rules! for_each_compare {
    ($callback:ident) => {
        $callback! {
            I32Eq 0x46 "i32.eq" (u32) not [I32Ne] swap I32Eq = |a, b| a == b;
            I32Ne 0x47 "i32.ne" (u32) not [I32Eq] swap I32Ne = |a, b| a != b;
            I32LtS 0x48 "i32.lt_s" (u32) not [I32GeS] swap I32GtS = |a, b| (a as i32) < b as i32;
            I32LtU 0x49 "i32.lt_u" (u32) not [I32GeU] swap I32GtU = |a, b| a < b;
            I32GtS 0x4A "i32.gt_s" (u32) not [I32LeS] swap I32LtS = |a, b| a as i32 > b as i32;
            I32GtU 0x4B "i32.gt_u" (u32) not [I32LeU] swap I32LtU = |a, b| a > b;
            I32LeS 0x4C "i32.le_s" (u32) not [I32GtS] swap I32GeS = |a, b| a as i32 <= b as i32;
            I32LeU 0x4D "i32.le_u" (u32) not [I32GtU] swap I32GeU = |a, b| a <= b;
            I32GeS 0x4E "i32.ge_s" (u32) not [I32LtS] swap I32LeS = |a, b| a as i32 >= b as i32;
            I32GeU 0x4F "i32.ge_u" (u32) not [I32LtU] swap I32LeU = |a, b| a >= b;
            I64Eq 0x51 "i64.eq" (u64) not [I64Ne] swap I64Eq = |a, b| a == b;
            I64Ne 0x52 "i64.ne" (u64) not [I64Eq] swap I64Ne = |a, b| a != b;
            I64LtS 0x53 "i64.lt_s" (u64) not [I64GeS] swap I64GtS = |a, b| (a as i64) < b as i64;
            I64LtU 0x54 "i64.lt_u" (u64) not [I64GeU] swap I64GtU = |a, b| a < b;
            I64GtS 0x55 "i64.gt_s" (u64) not [I64LeS] swap I64LtS = |a, b| a as i64 > b as i64;
            I64GtU 0x56 "i64.gt_u" (u64) not [I64LeU] swap I64LtU = |a, b| a > b;
            I64LeS 0x57 "i64.le_s" (u64) not [I64GtS] swap I64GeS = |a, b| a as i64 <= b as i64;
            I64LeU 0x58 "i64.le_u" (u64) not [I64GtU] swap I64GeU = |a, b| a <= b;
            I64GeS 0x59 "i64.ge_s" (u64) not [I64LtS] swap I64LeS = |a, b| a as i64 >= b as i64;
            I64GeU 0x5A "i64.ge_u" (u64) not [I64LtU] swap I64LeU = |a, b| a >= b;
            F32Eq 0x5B "f32.eq" (f32) not [F32Ne] swap F32Eq = |a, b| a == b;
            F32Ne 0x5C "f32.ne" (f32) not [F32Eq] swap F32Ne = |a, b| a != b;
            F32Lt 0x5D "f32.lt" (f32) not [] swap F32Gt = |a, b| a < b;
            F32Gt 0x5E "f32.gt" (f32) not [] swap F32Lt = |a, b| a > b;
            F32Le 0x5F "f32.le" (f32) not [] swap F32Ge = |a, b| a <= b;
            F32Ge 0x60 "f32.ge" (f32) not [] swap F32Le = |a, b| a >= b;
            F64Eq 0x61 "f64.eq" (f64) not [F64Ne] swap F64Eq = |a, b| a == b;
            F64Ne 0x62 "f64.ne" (f64) not [F64Eq] swap F64Ne = |a, b| a != b;
            F64Lt 0x63 "f64.lt" (f64) not [] swap F64Gt = |a, b| a < b;
            F64Gt 0x64 "f64.gt" (f64) not [] swap F64Lt = |a, b| a > b;
            F64Le 0x65 "f64.le" (f64) not [] swap F64Ge = |a, b| a <= b;
            F64Ge 0x66 "f64.ge" (f64) not [] swap F64Le = |a, b| a >= b;
        }
    };
}

/// Hands every scalar load to `$callback`: the type read from memory, and how
/// it is extended to the type of the result.
#[macro_export]
macro_rules! for_each_load {
    ($callback:ident) => {
        $callback! {
            I32Load 0x28 "i32.load" u32 -> u32 = |a| a;
            I64Load 0x29 "i64.load" u64 -> u64 = |a| a;
            F32Load 0x2A "f32.load" u32 -> f32 = |a| f32::from_bits(a);
            F64Load 0x2B "f64.load" u64 -> f64 = |a| f64::from_bits(a);
            I32Load8S 0x2C "i32.load8_s" u8 -> u32 = |a| a as i8 as i32 as u32;
            I32Load8U 0x2D "i32.load8_u" u8 -> u32 = |a| u32::from(a);
            I32Load16S 0x2E "i32.load16_s" u16 -> u32 = |a| a as i16 as i32 as u32;
            I32Load16U 0x2F "i32.load16_u" u16 -> u32 = |a| u32::from(a);
            I64Load8S 0x30 "i64.load8_s" u8 -> u64 = |a| a as i8 as i64 as u64;
            I64Load8U 0x31 "i64.load8_u" u8 -> u64 = |a| u64::from(a);
            I64Load16S 0x32 "i64.load16_s" u16 -> u64 = |a| a as i16 as i64 as u64;
            I64Load16U 0x33 "i64.load16_u" u16 -> u64 = |a| u64::from(a);
            I64Load32S 0x34 "i64.load32_s" u32 -> u64 = |a| a as i32 as i64 as u64;
            I64Load32U 0x35 "i64.load32_u" u32 -> u64 = |a| u64::from(a);
        }
    };
}

/// Hands every scalar store to `$callback`: the type of the operand, and how it
/// is narrowed to the type written to memory.
#[macro_export]
macro_rules! for_each_store {
    ($callback:ident) => {
        $callback! {
            I32Store 0x36 "i32.store" u32 -> u32 = |a| a;
            I64Store 0x37 "i64.store" u64 -> u64 = |a| a;
            F32Store 0x38 "f32.store" f32 -> u32 = |a| a.to_bits();
            F64Store 0x39 "f64.store" f64 -> u64 = |a| a.to_bits();
            I32Store8 0x3A "i32.store8" u32 -> u8 = |a| a as u8;
            I32Store16 0x3B "i32.store16" u32 -> u16 = |a| a as u16;
            I64Store8 0x3C "i64.store8" u64 -> u8 = |a| a as u8;
            I64Store16 0x3D "i64.store16" u64 -> u16 = |a| a as u16;
            I64Store32 0x3E "i64.store32" u64 -> u32 = |a| a as u32;
        }
    };
}

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
    /// The value as its slot holds it, zero-extended.
    fn to_slot(self) -> u64;
    /// The value from its slot; bits above its width are ignored.
    fn from_slot(bits: u64) -> Self;
}

impl Scalar for u32 {
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

/// Declares one class of ops: an enum with name, opcode and lookup.
macro_rules! op_enum {
    ($(#[$doc:meta])* $enum:ident { $($name:ident $opcode:literal $text:literal)* }) => {
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

            /// The op with this opcode, as its table writes opcodes.
            pub const fn from_opcode(opcode: u16) -> Option<$enum> {
                match opcode { $($opcode => Some($enum::$name),)* _ => None }
            }
        }
    };
}

macro_rules! type_of {
    (u32) => {
        crate::types::Type::I32
    };
    (u64) => {
        crate::types::Type::I64
    };
    (f32) => {
        crate::types::Type::F32
    };
    (f64) => {
        crate::types::Type::F64
    };
}

#[cfg(feature = "simd")]
pub(crate) use {op_enum, type_of};

/// The meanings, one unit type per op.
pub mod meaning {
    use super::*;

    macro_rules! unary {
        ($($name:ident $opcode:literal $text:literal ($a:ty) -> $r:ty = |$x:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_unary!(unary);

    macro_rules! binary {
        ($($name:ident $opcode:literal $text:literal ($a:ident) -> $r:ident commutes $c:literal = |$x:ident, $y:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_binary!(binary);

    macro_rules! compare {
        ($($name:ident $opcode:literal $text:literal ($a:ty) not [$($not:ident)?] swap $swap:ident = |$x:ident, $y:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_compare!(compare);

    macro_rules! load {
        ($($name:ident $opcode:literal $text:literal $m:ident -> $r:ty = |$x:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_load!(load);

    macro_rules! store {
        ($($name:ident $opcode:literal $text:literal $a:ident -> $m:ident = |$x:ident| $body:expr;)*) => {$(
            #[doc = concat!("`", $text, "`")]
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
    for_each_store!(store);
}

macro_rules! unary_enum {
    ($($name:ident $opcode:literal $text:literal ($a:ident) -> $r:ident = |$x:ident| $body:expr;)*) => {
        op_enum! {
            /// One-operand ops.
            UnaryOp { $($name $opcode $text)* }
        }

        impl UnaryOp {
            /// The operand's type.
            pub const fn operand(self) -> crate::types::Type {
                match self { $(UnaryOp::$name => type_of!($a),)* }
            }

            /// The result's type.
            pub const fn result(self) -> crate::types::Type {
                match self { $(UnaryOp::$name => type_of!($r),)* }
            }

            /// The op that makes a NaN this op computes canonical; none if this op
            /// computes none, but at most moves it.
            pub fn canonical(self) -> Option<UnaryOp> {
                use UnaryOp::*;
                match self {
                    F32Ceil | F32Floor | F32Trunc | F32Nearest | F32Sqrt | F32DemoteF64 => {
                        Some(F32Canonical)
                    }
                    F64Ceil | F64Floor | F64Trunc | F64Nearest | F64Sqrt | F64PromoteF32 => {
                        Some(F64Canonical)
                    }
                    I32Clz | I32Ctz | I32Popcnt | I64Clz | I64Ctz | I64Popcnt | F32Abs
                        | F32Neg | F64Abs | F64Neg | I32WrapI64 | I32TruncF32S | I32TruncF32U
                        | I32TruncF64S | I32TruncF64U | I64ExtendI32S | I64ExtendI32U
                        | I64TruncF32S | I64TruncF32U | I64TruncF64S | I64TruncF64U
                        | F32ConvertI32S | F32ConvertI32U | F32ConvertI64S | F32ConvertI64U
                        | F64ConvertI32S | F64ConvertI32U | F64ConvertI64S | F64ConvertI64U
                        | I32ReinterpretF32 | I64ReinterpretF64 | F32ReinterpretI32
                        | F64ReinterpretI64 | I32Extend8S | I32Extend16S | I64Extend8S
                        | I64Extend16S | I64Extend32S | F32Canonical | F64Canonical
                        | I32TruncSatF32S | I32TruncSatF32U | I32TruncSatF64S | I32TruncSatF64U
                        | I64TruncSatF32S | I64TruncSatF32U | I64TruncSatF64S | I64TruncSatF64U => None,
                }
            }
        }
    };
}

for_each_unary!(unary_enum);

macro_rules! binary_enum {
    ($($name:ident $opcode:literal $text:literal ($a:ident) -> $r:ident commutes $c:literal = |$x:ident, $y:ident| $body:expr;)*) => {
        op_enum! {
            /// Two-operand ops that are not comparisons.
            BinaryOp { $($name $opcode $text)* }
        }

        impl BinaryOp {
            /// The type of both operands and of the result.
            pub const fn result(self) -> crate::types::Type {
                match self { $(BinaryOp::$name => type_of!($r),)* }
            }

            /// As [`UnaryOp::canonical`].
            pub fn canonical(self) -> Option<UnaryOp> {
                use BinaryOp::*;
                match self {
                    F32Add | F32Sub | F32Mul | F32Div | F32Min | F32Max => {
                        Some(UnaryOp::F32Canonical)
                    }
                    F64Add | F64Sub | F64Mul | F64Div | F64Min | F64Max => {
                        Some(UnaryOp::F64Canonical)
                    }
                    I32Add | I32Sub | I32Mul | I32DivS | I32DivU | I32RemS | I32RemU
                        | I32And | I32Or | I32Xor | I32Shl | I32ShrS | I32ShrU | I32Rotl
                        | I32Rotr | I64Add | I64Sub | I64Mul | I64DivS | I64DivU | I64RemS
                        | I64RemU | I64And | I64Or | I64Xor | I64Shl | I64ShrS | I64ShrU
                        | I64Rotl | I64Rotr | F32Copysign | F64Copysign => None,
                }
            }

            /// Whether the operands may be exchanged.
            pub const fn commutes(self) -> bool {
                match self { $(BinaryOp::$name => $c,)* }
            }
        }
    };
}
for_each_binary!(binary_enum);

macro_rules! compare_enum {
    (@not) => { None };
    (@not $not:ident) => { Some(CompareOp::$not) };
    ($($name:ident $opcode:literal $text:literal ($a:ident) not [$($not:ident)?] swap $swap:ident = |$x:ident, $y:ident| $body:expr;)*) => {
        op_enum! {
            /// Comparisons; the result is an `i32` of 0 or 1.
            CompareOp { $($name $opcode $text)* }
        }

        impl CompareOp {
            /// The type of both operands.
            pub const fn operand(self) -> crate::types::Type {
                match self { $(CompareOp::$name => type_of!($a),)* }
            }

            /// The comparison with the opposite answer, where there is one.
            pub const fn negate(self) -> Option<CompareOp> {
                match self { $(CompareOp::$name => compare_enum!(@not $($not)?),)* }
            }

            /// The comparison that gives the same answer for exchanged operands.
            pub const fn swap(self) -> CompareOp {
                match self { $(CompareOp::$name => CompareOp::$swap,)* }
            }
        }
    };
}
for_each_compare!(compare_enum);

macro_rules! load_enum {
    ($($name:ident $opcode:literal $text:literal $m:ident -> $r:ident = |$x:ident| $body:expr;)*) => {
        op_enum! {
            /// Scalar loads.
            LoadOp { $($name $opcode $text)* }
        }

        impl LoadOp {
            /// The result's type.
            pub const fn result(self) -> crate::types::Type {
                match self { $(LoadOp::$name => type_of!($r),)* }
            }
        }
    };
}
for_each_load!(load_enum);

macro_rules! store_enum {
    ($($name:ident $opcode:literal $text:literal $a:ident -> $m:ident = |$x:ident| $body:expr;)*) => {
        op_enum! {
            /// Scalar stores.
            StoreOp { $($name $opcode $text)* }
        }

        impl StoreOp {
            /// The type of the value stored.
            pub const fn operand(self) -> crate::types::Type {
                match self { $(StoreOp::$name => type_of!($a),)* }
            }
        }
    };
}
for_each_store!(store_enum);

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
