//! The rows of the scalar op tables.
//!
//! A row is `Name { columns } [meaning];`. A callback that needs only names takes rows as
//! `$name:ident $facts:tt $meaning:tt;` and never learns what else is in them, so that a
//! column or a part of the meaning is added without it.
//!
//! Columns, the first two being in every row:
//!
//! - `wasm`: the opcode, `0xFCxx` for the prefixed ones; what has one from `0x100` to
//!   `0x1FF` is no instruction of WebAssembly: the translation puts it behind others;
//! - `text`: the name in the text format;
//! - `commutes`: whether the operands may be exchanged (not if it computes with floats: of
//!   two NaN, the first is the result);
//! - `nan`: whether it computes a NaN, rather than moves one at most;
//! - `traps`: whether it may trap;
//! - `not`: the comparison with the opposite answer (none for ordered floats, where NaN
//!   answers no to both);
//! - `swap`: the comparison for exchanged operands, where it is another.
//!
//! The meaning is a pure expression with the types of operands and result. It yields the
//! result, or a `Result` with a [`TrapCode`](crate::TrapCode). Of a load it is applied to
//! the little-endian integer read from memory, of a store it makes the one to be written;
//! how many bytes an access has follows from that type.

/// Hands every one-operand op to `$callback`.
#[macro_export]
macro_rules! for_each_unary {
    ($callback:ident) => {
        $callback! {
            I32Clz { wasm: 0x67, text: "i32.clz" } [|a: u32| -> u32 = a.leading_zeros()];
            I32Ctz { wasm: 0x68, text: "i32.ctz" } [|a: u32| -> u32 = a.trailing_zeros()];
            I32Popcnt { wasm: 0x69, text: "i32.popcnt" } [|a: u32| -> u32 = a.count_ones()];
            I64Clz { wasm: 0x79, text: "i64.clz" } [|a: u64| -> u64 = u64::from(a.leading_zeros())];
            I64Ctz { wasm: 0x7A, text: "i64.ctz" } [|a: u64| -> u64 = u64::from(a.trailing_zeros())];
            I64Popcnt { wasm: 0x7B, text: "i64.popcnt" } [|a: u64| -> u64 = u64::from(a.count_ones())];
            F32Abs { wasm: 0x8B, text: "f32.abs" } [|a: f32| -> f32 = a.abs()];
            F32Neg { wasm: 0x8C, text: "f32.neg" } [|a: f32| -> f32 = -a];
            F32Ceil { wasm: 0x8D, text: "f32.ceil", nan: true } [|a: f32| -> f32 = single::ceil(a)];
            F32Floor { wasm: 0x8E, text: "f32.floor", nan: true } [|a: f32| -> f32 = single::floor(a)];
            F32Trunc { wasm: 0x8F, text: "f32.trunc", nan: true } [|a: f32| -> f32 = single::trunc(a)];
            F32Nearest { wasm: 0x90, text: "f32.nearest", nan: true } [|a: f32| -> f32 = single::nearest(a)];
            F32Sqrt { wasm: 0x91, text: "f32.sqrt", nan: true } [|a: f32| -> f32 = a.sqrt()];
            F64Abs { wasm: 0x99, text: "f64.abs" } [|a: f64| -> f64 = a.abs()];
            F64Neg { wasm: 0x9A, text: "f64.neg" } [|a: f64| -> f64 = -a];
            F64Ceil { wasm: 0x9B, text: "f64.ceil", nan: true } [|a: f64| -> f64 = double::ceil(a)];
            F64Floor { wasm: 0x9C, text: "f64.floor", nan: true } [|a: f64| -> f64 = double::floor(a)];
            F64Trunc { wasm: 0x9D, text: "f64.trunc", nan: true } [|a: f64| -> f64 = double::trunc(a)];
            F64Nearest { wasm: 0x9E, text: "f64.nearest", nan: true } [|a: f64| -> f64 = double::nearest(a)];
            F64Sqrt { wasm: 0x9F, text: "f64.sqrt", nan: true } [|a: f64| -> f64 = a.sqrt()];
            I32WrapI64 { wasm: 0xA7, text: "i32.wrap_i64" } [|a: u64| -> u32 = a as u32];
            I32TruncF32S { wasm: 0xA8, text: "i32.trunc_f32_s", traps: true } [|a: f32| -> u32 = checked_trunc(a.into(), -2147483649.0, 2147483648.0).map(|a| a as i32 as u32)];
            I32TruncF32U { wasm: 0xA9, text: "i32.trunc_f32_u", traps: true } [|a: f32| -> u32 = checked_trunc(a.into(), -1.0, 4294967296.0).map(|a| a as u32)];
            I32TruncF64S { wasm: 0xAA, text: "i32.trunc_f64_s", traps: true } [|a: f64| -> u32 = checked_trunc(a, -2147483649.0, 2147483648.0).map(|a| a as i32 as u32)];
            I32TruncF64U { wasm: 0xAB, text: "i32.trunc_f64_u", traps: true } [|a: f64| -> u32 = checked_trunc(a, -1.0, 4294967296.0).map(|a| a as u32)];
            I64ExtendI32S { wasm: 0xAC, text: "i64.extend_i32_s" } [|a: u32| -> u64 = i64::from(a as i32) as u64];
            I64ExtendI32U { wasm: 0xAD, text: "i64.extend_i32_u" } [|a: u32| -> u64 = u64::from(a)];
            I64TruncF32S { wasm: 0xAE, text: "i64.trunc_f32_s", traps: true } [|a: f32| -> u64 = checked_trunc(a.into(), BELOW_I64, 9223372036854775808.0).map(|a| a as i64 as u64)];
            I64TruncF32U { wasm: 0xAF, text: "i64.trunc_f32_u", traps: true } [|a: f32| -> u64 = checked_trunc(a.into(), -1.0, 18446744073709551616.0).map(|a| a as u64)];
            I64TruncF64S { wasm: 0xB0, text: "i64.trunc_f64_s", traps: true } [|a: f64| -> u64 = checked_trunc(a, BELOW_I64, 9223372036854775808.0).map(|a| a as i64 as u64)];
            I64TruncF64U { wasm: 0xB1, text: "i64.trunc_f64_u", traps: true } [|a: f64| -> u64 = checked_trunc(a, -1.0, 18446744073709551616.0).map(|a| a as u64)];
            F32ConvertI32S { wasm: 0xB2, text: "f32.convert_i32_s" } [|a: u32| -> f32 = a as i32 as f32];
            F32ConvertI32U { wasm: 0xB3, text: "f32.convert_i32_u" } [|a: u32| -> f32 = a as f32];
            F32ConvertI64S { wasm: 0xB4, text: "f32.convert_i64_s" } [|a: u64| -> f32 = a as i64 as f32];
            F32ConvertI64U { wasm: 0xB5, text: "f32.convert_i64_u" } [|a: u64| -> f32 = a as f32];
            F32DemoteF64 { wasm: 0xB6, text: "f32.demote_f64", nan: true } [|a: f64| -> f32 = a as f32];
            F64ConvertI32S { wasm: 0xB7, text: "f64.convert_i32_s" } [|a: u32| -> f64 = f64::from(a as i32)];
            F64ConvertI32U { wasm: 0xB8, text: "f64.convert_i32_u" } [|a: u32| -> f64 = f64::from(a)];
            F64ConvertI64S { wasm: 0xB9, text: "f64.convert_i64_s" } [|a: u64| -> f64 = a as i64 as f64];
            F64ConvertI64U { wasm: 0xBA, text: "f64.convert_i64_u" } [|a: u64| -> f64 = a as f64];
            F64PromoteF32 { wasm: 0xBB, text: "f64.promote_f32", nan: true } [|a: f32| -> f64 = f64::from(a)];
            I32ReinterpretF32 { wasm: 0xBC, text: "i32.reinterpret_f32" } [|a: f32| -> u32 = a.to_bits()];
            I64ReinterpretF64 { wasm: 0xBD, text: "i64.reinterpret_f64" } [|a: f64| -> u64 = a.to_bits()];
            F32ReinterpretI32 { wasm: 0xBE, text: "f32.reinterpret_i32" } [|a: u32| -> f32 = f32::from_bits(a)];
            F64ReinterpretI64 { wasm: 0xBF, text: "f64.reinterpret_i64" } [|a: u64| -> f64 = f64::from_bits(a)];
            I32Extend8S { wasm: 0xC0, text: "i32.extend8_s" } [|a: u32| -> u32 = a as i8 as i32 as u32];
            I32Extend16S { wasm: 0xC1, text: "i32.extend16_s" } [|a: u32| -> u32 = a as i16 as i32 as u32];
            I64Extend8S { wasm: 0xC2, text: "i64.extend8_s" } [|a: u64| -> u64 = a as i8 as i64 as u64];
            I64Extend16S { wasm: 0xC3, text: "i64.extend16_s" } [|a: u64| -> u64 = a as i16 as i64 as u64];
            I64Extend32S { wasm: 0xC4, text: "i64.extend32_s" } [|a: u64| -> u64 = a as i32 as i64 as u64];
            F32Canonical { wasm: 0x100, text: "f32.canonical" } [|a: f32| -> f32 = single::canonical(a)];
            F64Canonical { wasm: 0x101, text: "f64.canonical" } [|a: f64| -> f64 = double::canonical(a)];
            I32TruncSatF32S { wasm: 0xFC00, text: "i32.trunc_sat_f32_s" } [|a: f32| -> u32 = a as i32 as u32];
            I32TruncSatF32U { wasm: 0xFC01, text: "i32.trunc_sat_f32_u" } [|a: f32| -> u32 = a as u32];
            I32TruncSatF64S { wasm: 0xFC02, text: "i32.trunc_sat_f64_s" } [|a: f64| -> u32 = a as i32 as u32];
            I32TruncSatF64U { wasm: 0xFC03, text: "i32.trunc_sat_f64_u" } [|a: f64| -> u32 = a as u32];
            I64TruncSatF32S { wasm: 0xFC04, text: "i64.trunc_sat_f32_s" } [|a: f32| -> u64 = a as i64 as u64];
            I64TruncSatF32U { wasm: 0xFC05, text: "i64.trunc_sat_f32_u" } [|a: f32| -> u64 = a as u64];
            I64TruncSatF64S { wasm: 0xFC06, text: "i64.trunc_sat_f64_s" } [|a: f64| -> u64 = a as i64 as u64];
            I64TruncSatF64U { wasm: 0xFC07, text: "i64.trunc_sat_f64_u" } [|a: f64| -> u64 = a as u64];
        }
    };
}

/// Hands every two-operand op that is not a comparison to `$callback`.
#[macro_export]
macro_rules! for_each_binary {
    ($callback:ident) => {
        $callback! {
            I32Add { wasm: 0x6A, text: "i32.add", commutes: true } [|a, b: u32| -> u32 = a.wrapping_add(b)];
            I32Sub { wasm: 0x6B, text: "i32.sub" } [|a, b: u32| -> u32 = a.wrapping_sub(b)];
            I32Mul { wasm: 0x6C, text: "i32.mul", commutes: true } [|a, b: u32| -> u32 = a.wrapping_mul(b)];
            I32DivS { wasm: 0x6D, text: "i32.div_s", traps: true } [|a, b: u32| -> u32 = div_s32(a as i32, b as i32)];
            I32DivU { wasm: 0x6E, text: "i32.div_u", traps: true } [|a, b: u32| -> u32 = a.checked_div(b).ok_or(TrapCode::IntegerDivisionByZero)];
            I32RemS { wasm: 0x6F, text: "i32.rem_s", traps: true } [|a, b: u32| -> u32 = if b == 0 { Err(TrapCode::IntegerDivisionByZero) } else { Ok((a as i32).wrapping_rem(b as i32) as u32) }];
            I32RemU { wasm: 0x70, text: "i32.rem_u", traps: true } [|a, b: u32| -> u32 = a.checked_rem(b).ok_or(TrapCode::IntegerDivisionByZero)];
            I32And { wasm: 0x71, text: "i32.and", commutes: true } [|a, b: u32| -> u32 = a & b];
            I32Or { wasm: 0x72, text: "i32.or", commutes: true } [|a, b: u32| -> u32 = a | b];
            I32Xor { wasm: 0x73, text: "i32.xor", commutes: true } [|a, b: u32| -> u32 = a ^ b];
            I32Shl { wasm: 0x74, text: "i32.shl" } [|a, b: u32| -> u32 = a.wrapping_shl(b)];
            I32ShrS { wasm: 0x75, text: "i32.shr_s" } [|a, b: u32| -> u32 = (a as i32).wrapping_shr(b) as u32];
            I32ShrU { wasm: 0x76, text: "i32.shr_u" } [|a, b: u32| -> u32 = a.wrapping_shr(b)];
            I32Rotl { wasm: 0x77, text: "i32.rotl" } [|a, b: u32| -> u32 = a.rotate_left(b & 31)];
            I32Rotr { wasm: 0x78, text: "i32.rotr" } [|a, b: u32| -> u32 = a.rotate_right(b & 31)];
            I64Add { wasm: 0x7C, text: "i64.add", commutes: true } [|a, b: u64| -> u64 = a.wrapping_add(b)];
            I64Sub { wasm: 0x7D, text: "i64.sub" } [|a, b: u64| -> u64 = a.wrapping_sub(b)];
            I64Mul { wasm: 0x7E, text: "i64.mul", commutes: true } [|a, b: u64| -> u64 = a.wrapping_mul(b)];
            I64DivS { wasm: 0x7F, text: "i64.div_s", traps: true } [|a, b: u64| -> u64 = div_s64(a as i64, b as i64)];
            I64DivU { wasm: 0x80, text: "i64.div_u", traps: true } [|a, b: u64| -> u64 = a.checked_div(b).ok_or(TrapCode::IntegerDivisionByZero)];
            I64RemS { wasm: 0x81, text: "i64.rem_s", traps: true } [|a, b: u64| -> u64 = if b == 0 { Err(TrapCode::IntegerDivisionByZero) } else { Ok((a as i64).wrapping_rem(b as i64) as u64) }];
            I64RemU { wasm: 0x82, text: "i64.rem_u", traps: true } [|a, b: u64| -> u64 = a.checked_rem(b).ok_or(TrapCode::IntegerDivisionByZero)];
            I64And { wasm: 0x83, text: "i64.and", commutes: true } [|a, b: u64| -> u64 = a & b];
            I64Or { wasm: 0x84, text: "i64.or", commutes: true } [|a, b: u64| -> u64 = a | b];
            I64Xor { wasm: 0x85, text: "i64.xor", commutes: true } [|a, b: u64| -> u64 = a ^ b];
            I64Shl { wasm: 0x86, text: "i64.shl" } [|a, b: u64| -> u64 = a.wrapping_shl(b as u32)];
            I64ShrS { wasm: 0x87, text: "i64.shr_s" } [|a, b: u64| -> u64 = (a as i64).wrapping_shr(b as u32) as u64];
            I64ShrU { wasm: 0x88, text: "i64.shr_u" } [|a, b: u64| -> u64 = a.wrapping_shr(b as u32)];
            I64Rotl { wasm: 0x89, text: "i64.rotl" } [|a, b: u64| -> u64 = a.rotate_left(b as u32 & 63)];
            I64Rotr { wasm: 0x8A, text: "i64.rotr" } [|a, b: u64| -> u64 = a.rotate_right(b as u32 & 63)];
            F32Add { wasm: 0x92, text: "f32.add", nan: true } [|a, b: f32| -> f32 = single::add(a, b)];
            F32Sub { wasm: 0x93, text: "f32.sub", nan: true } [|a, b: f32| -> f32 = a - b];
            F32Mul { wasm: 0x94, text: "f32.mul", nan: true } [|a, b: f32| -> f32 = single::mul(a, b)];
            F32Div { wasm: 0x95, text: "f32.div", nan: true } [|a, b: f32| -> f32 = a / b];
            F32Min { wasm: 0x96, text: "f32.min", nan: true } [|a, b: f32| -> f32 = single::min(a, b)];
            F32Max { wasm: 0x97, text: "f32.max", nan: true } [|a, b: f32| -> f32 = single::max(a, b)];
            F32Copysign { wasm: 0x98, text: "f32.copysign" } [|a, b: f32| -> f32 = a.copysign(b)];
            F64Add { wasm: 0xA0, text: "f64.add", nan: true } [|a, b: f64| -> f64 = double::add(a, b)];
            F64Sub { wasm: 0xA1, text: "f64.sub", nan: true } [|a, b: f64| -> f64 = a - b];
            F64Mul { wasm: 0xA2, text: "f64.mul", nan: true } [|a, b: f64| -> f64 = double::mul(a, b)];
            F64Div { wasm: 0xA3, text: "f64.div", nan: true } [|a, b: f64| -> f64 = a / b];
            F64Min { wasm: 0xA4, text: "f64.min", nan: true } [|a, b: f64| -> f64 = double::min(a, b)];
            F64Max { wasm: 0xA5, text: "f64.max", nan: true } [|a, b: f64| -> f64 = double::max(a, b)];
            F64Copysign { wasm: 0xA6, text: "f64.copysign" } [|a, b: f64| -> f64 = a.copysign(b)];
        }
    };
}

/// Hands every comparison to `$callback`.
#[macro_export]
macro_rules! for_each_compare {
    ($callback:ident) => {
        $callback! {
            I32Eq { wasm: 0x46, text: "i32.eq", not: Some(CompareOp::I32Ne) } [|a, b: u32| -> bool = a == b];
            I32Ne { wasm: 0x47, text: "i32.ne", not: Some(CompareOp::I32Eq) } [|a, b: u32| -> bool = a != b];
            I32LtS { wasm: 0x48, text: "i32.lt_s", not: Some(CompareOp::I32GeS), swap: Some(CompareOp::I32GtS) } [|a, b: u32| -> bool = (a as i32) < b as i32];
            I32LtU { wasm: 0x49, text: "i32.lt_u", not: Some(CompareOp::I32GeU), swap: Some(CompareOp::I32GtU) } [|a, b: u32| -> bool = a < b];
            I32GtS { wasm: 0x4A, text: "i32.gt_s", not: Some(CompareOp::I32LeS), swap: Some(CompareOp::I32LtS) } [|a, b: u32| -> bool = a as i32 > b as i32];
            I32GtU { wasm: 0x4B, text: "i32.gt_u", not: Some(CompareOp::I32LeU), swap: Some(CompareOp::I32LtU) } [|a, b: u32| -> bool = a > b];
            I32LeS { wasm: 0x4C, text: "i32.le_s", not: Some(CompareOp::I32GtS), swap: Some(CompareOp::I32GeS) } [|a, b: u32| -> bool = a as i32 <= b as i32];
            I32LeU { wasm: 0x4D, text: "i32.le_u", not: Some(CompareOp::I32GtU), swap: Some(CompareOp::I32GeU) } [|a, b: u32| -> bool = a <= b];
            I32GeS { wasm: 0x4E, text: "i32.ge_s", not: Some(CompareOp::I32LtS), swap: Some(CompareOp::I32LeS) } [|a, b: u32| -> bool = a as i32 >= b as i32];
            I32GeU { wasm: 0x4F, text: "i32.ge_u", not: Some(CompareOp::I32LtU), swap: Some(CompareOp::I32LeU) } [|a, b: u32| -> bool = a >= b];
            I64Eq { wasm: 0x51, text: "i64.eq", not: Some(CompareOp::I64Ne) } [|a, b: u64| -> bool = a == b];
            I64Ne { wasm: 0x52, text: "i64.ne", not: Some(CompareOp::I64Eq) } [|a, b: u64| -> bool = a != b];
            I64LtS { wasm: 0x53, text: "i64.lt_s", not: Some(CompareOp::I64GeS), swap: Some(CompareOp::I64GtS) } [|a, b: u64| -> bool = (a as i64) < b as i64];
            I64LtU { wasm: 0x54, text: "i64.lt_u", not: Some(CompareOp::I64GeU), swap: Some(CompareOp::I64GtU) } [|a, b: u64| -> bool = a < b];
            I64GtS { wasm: 0x55, text: "i64.gt_s", not: Some(CompareOp::I64LeS), swap: Some(CompareOp::I64LtS) } [|a, b: u64| -> bool = a as i64 > b as i64];
            I64GtU { wasm: 0x56, text: "i64.gt_u", not: Some(CompareOp::I64LeU), swap: Some(CompareOp::I64LtU) } [|a, b: u64| -> bool = a > b];
            I64LeS { wasm: 0x57, text: "i64.le_s", not: Some(CompareOp::I64GtS), swap: Some(CompareOp::I64GeS) } [|a, b: u64| -> bool = a as i64 <= b as i64];
            I64LeU { wasm: 0x58, text: "i64.le_u", not: Some(CompareOp::I64GtU), swap: Some(CompareOp::I64GeU) } [|a, b: u64| -> bool = a <= b];
            I64GeS { wasm: 0x59, text: "i64.ge_s", not: Some(CompareOp::I64LtS), swap: Some(CompareOp::I64LeS) } [|a, b: u64| -> bool = a as i64 >= b as i64];
            I64GeU { wasm: 0x5A, text: "i64.ge_u", not: Some(CompareOp::I64LtU), swap: Some(CompareOp::I64LeU) } [|a, b: u64| -> bool = a >= b];
            F32Eq { wasm: 0x5B, text: "f32.eq", not: Some(CompareOp::F32Ne) } [|a, b: f32| -> bool = a == b];
            F32Ne { wasm: 0x5C, text: "f32.ne", not: Some(CompareOp::F32Eq) } [|a, b: f32| -> bool = a != b];
            F32Lt { wasm: 0x5D, text: "f32.lt", swap: Some(CompareOp::F32Gt) } [|a, b: f32| -> bool = a < b];
            F32Gt { wasm: 0x5E, text: "f32.gt", swap: Some(CompareOp::F32Lt) } [|a, b: f32| -> bool = a > b];
            F32Le { wasm: 0x5F, text: "f32.le", swap: Some(CompareOp::F32Ge) } [|a, b: f32| -> bool = a <= b];
            F32Ge { wasm: 0x60, text: "f32.ge", swap: Some(CompareOp::F32Le) } [|a, b: f32| -> bool = a >= b];
            F64Eq { wasm: 0x61, text: "f64.eq", not: Some(CompareOp::F64Ne) } [|a, b: f64| -> bool = a == b];
            F64Ne { wasm: 0x62, text: "f64.ne", not: Some(CompareOp::F64Eq) } [|a, b: f64| -> bool = a != b];
            F64Lt { wasm: 0x63, text: "f64.lt", swap: Some(CompareOp::F64Gt) } [|a, b: f64| -> bool = a < b];
            F64Gt { wasm: 0x64, text: "f64.gt", swap: Some(CompareOp::F64Lt) } [|a, b: f64| -> bool = a > b];
            F64Le { wasm: 0x65, text: "f64.le", swap: Some(CompareOp::F64Ge) } [|a, b: f64| -> bool = a <= b];
            F64Ge { wasm: 0x66, text: "f64.ge", swap: Some(CompareOp::F64Le) } [|a, b: f64| -> bool = a >= b];
        }
    };
}

/// Hands every scalar load to `$callback`: the type read from memory, and how
/// it is extended to the type of the result.
#[macro_export]
macro_rules! for_each_load {
    ($callback:ident) => {
        $callback! {
            I32Load { wasm: 0x28, text: "i32.load" } [|a: u32| -> u32 = a];
            I64Load { wasm: 0x29, text: "i64.load" } [|a: u64| -> u64 = a];
            F32Load { wasm: 0x2A, text: "f32.load" } [|a: u32| -> f32 = f32::from_bits(a)];
            F64Load { wasm: 0x2B, text: "f64.load" } [|a: u64| -> f64 = f64::from_bits(a)];
            I32Load8S { wasm: 0x2C, text: "i32.load8_s" } [|a: u8| -> u32 = a as i8 as i32 as u32];
            I32Load8U { wasm: 0x2D, text: "i32.load8_u" } [|a: u8| -> u32 = u32::from(a)];
            I32Load16S { wasm: 0x2E, text: "i32.load16_s" } [|a: u16| -> u32 = a as i16 as i32 as u32];
            I32Load16U { wasm: 0x2F, text: "i32.load16_u" } [|a: u16| -> u32 = u32::from(a)];
            I64Load8S { wasm: 0x30, text: "i64.load8_s" } [|a: u8| -> u64 = a as i8 as i64 as u64];
            I64Load8U { wasm: 0x31, text: "i64.load8_u" } [|a: u8| -> u64 = u64::from(a)];
            I64Load16S { wasm: 0x32, text: "i64.load16_s" } [|a: u16| -> u64 = a as i16 as i64 as u64];
            I64Load16U { wasm: 0x33, text: "i64.load16_u" } [|a: u16| -> u64 = u64::from(a)];
            I64Load32S { wasm: 0x34, text: "i64.load32_s" } [|a: u32| -> u64 = a as i32 as i64 as u64];
            I64Load32U { wasm: 0x35, text: "i64.load32_u" } [|a: u32| -> u64 = u64::from(a)];
        }
    };
}

/// Hands every scalar store to `$callback`: the type of the operand, and how it
/// is narrowed to the type written to memory.
#[macro_export]
macro_rules! for_each_store {
    ($callback:ident) => {
        $callback! {
            I32Store { wasm: 0x36, text: "i32.store" } [|a: u32| -> u32 = a];
            I64Store { wasm: 0x37, text: "i64.store" } [|a: u64| -> u64 = a];
            F32Store { wasm: 0x38, text: "f32.store" } [|a: f32| -> u32 = a.to_bits()];
            F64Store { wasm: 0x39, text: "f64.store" } [|a: f64| -> u64 = a.to_bits()];
            I32Store8 { wasm: 0x3A, text: "i32.store8" } [|a: u32| -> u8 = a as u8];
            I32Store16 { wasm: 0x3B, text: "i32.store16" } [|a: u32| -> u16 = a as u16];
            I64Store8 { wasm: 0x3C, text: "i64.store8" } [|a: u64| -> u8 = a as u8];
            I64Store16 { wasm: 0x3D, text: "i64.store16" } [|a: u64| -> u16 = a as u16];
            I64Store32 { wasm: 0x3E, text: "i64.store32" } [|a: u64| -> u32 = a as u32];
        }
    };
}
