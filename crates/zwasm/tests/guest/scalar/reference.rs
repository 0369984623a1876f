//! What each op is to yield, in plain Rust, by its name: nothing is taken from the
//! tables but the names, and a name that is missing here fails the test.

use Expected::{Bits, Nan32, Nan64, Trap};
use zwasm::Trap::{BadConversionToInteger, IntegerDivisionByZero, IntegerOverflow};

/// What an instruction is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Yield these bits.
    Bits(u64),
    /// Compute a NaN of 32 bits.
    Nan32,
    /// Compute a NaN of 64 bits.
    Nan64,
    Trap(zwasm::Trap),
}

impl Expected {
    /// What follows from the bits, if there are any.
    pub fn map(self, f: impl FnOnce(u64) -> u64) -> Expected {
        match self {
            Bits(bits) => Bits(f(bits)),
            other => other,
        }
    }

    /// Whether these bits will do.
    pub fn allows(self, bits: u64, deterministic: bool) -> bool {
        match self {
            Bits(expected) => bits == expected,
            Nan32 if deterministic => bits == 0x7FC0_0000,
            Nan32 => bits >> 32 == 0 && bits & 0x7FC0_0000 == 0x7FC0_0000,
            Nan64 if deterministic => bits == 0x7FF8_0000_0000_0000,
            Nan64 => bits & 0x7FF8_0000_0000_0000 == 0x7FF8_0000_0000_0000,
            Trap(_) => false,
        }
    }
}

fn int(value: impl Into<i64>) -> Expected {
    Bits(value.into() as u64)
}

/// An `i32`, whose slot has zeros above.
fn word(value: u32) -> Expected {
    Bits(value.into())
}

fn moved32(value: f32) -> Expected {
    word(value.to_bits())
}

fn moved64(value: f64) -> Expected {
    Bits(value.to_bits())
}

fn single(value: f32) -> Expected {
    if value.is_nan() { Nan32 } else { moved32(value) }
}

fn double(value: f64) -> Expected {
    if value.is_nan() { Nan64 } else { moved64(value) }
}

/// A number as an integer of a range; what is above the maximum by less than 1 counts.
fn truncated(value: f64, min: i128, max: i128) -> Expected {
    if value.is_nan() {
        return Trap(BadConversionToInteger);
    }
    // Exact: a double beyond 2⁶⁴ is cut to something that is beyond, too.
    let whole = value.trunc() as i128;
    if (min..=max).contains(&whole) { Bits(whole as u64) } else { Trap(IntegerOverflow) }
}

fn saturated(value: f64, min: i128, max: i128) -> Expected {
    let whole = if value.is_nan() { 0 } else { value.trunc() as i128 };
    Bits(whole.clamp(min, max) as u64)
}

/// A whole number in 32 bits, as a slot has it.
fn low(expected: Expected) -> Expected {
    expected.map(|bits| bits & 0xFFFF_FFFF)
}

const I32: (i128, i128) = (i32::MIN as i128, i32::MAX as i128);
const U32: (i128, i128) = (0, u32::MAX as i128);
const I64: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
const U64: (i128, i128) = (0, u64::MAX as i128);

/// What a one-operand op does to the bits of a slot.
pub fn unary(op: &str, bits: u64) -> Expected {
    let (w, l) = (bits as u32, bits);
    let (s, d) = (f32::from_bits(w), f64::from_bits(l));
    // Every single is a double.
    let wide = f64::from(s);
    match op {
        "i32.eqz" => word((w == 0).into()),
        "i64.eqz" => word((l == 0).into()),
        "i32.clz" => word(w.leading_zeros()),
        "i32.ctz" => word(w.trailing_zeros()),
        "i32.popcnt" => word(w.count_ones()),
        "i64.clz" => word(l.leading_zeros()),
        "i64.ctz" => word(l.trailing_zeros()),
        "i64.popcnt" => word(l.count_ones()),
        "f32.abs" => word(w & 0x7FFF_FFFF),
        "f32.neg" => word(w ^ 0x8000_0000),
        "f32.ceil" => single(s.ceil()),
        "f32.floor" => single(s.floor()),
        "f32.trunc" => single(s.trunc()),
        "f32.nearest" => single(s.round_ties_even()),
        "f32.sqrt" => single(s.sqrt()),
        "f64.abs" => Bits(l & !(1 << 63)),
        "f64.neg" => Bits(l ^ 1 << 63),
        "f64.ceil" => double(d.ceil()),
        "f64.floor" => double(d.floor()),
        "f64.trunc" => double(d.trunc()),
        "f64.nearest" => double(d.round_ties_even()),
        "f64.sqrt" => double(d.sqrt()),
        "i32.wrap_i64" => word(w),
        "i32.trunc_f32_s" => low(truncated(wide, I32.0, I32.1)),
        "i32.trunc_f32_u" => low(truncated(wide, U32.0, U32.1)),
        "i32.trunc_f64_s" => low(truncated(d, I32.0, I32.1)),
        "i32.trunc_f64_u" => low(truncated(d, U32.0, U32.1)),
        "i64.trunc_f32_s" => truncated(wide, I64.0, I64.1),
        "i64.trunc_f32_u" => truncated(wide, U64.0, U64.1),
        "i64.trunc_f64_s" => truncated(d, I64.0, I64.1),
        "i64.trunc_f64_u" => truncated(d, U64.0, U64.1),
        "i32.trunc_sat_f32_s" => low(saturated(wide, I32.0, I32.1)),
        "i32.trunc_sat_f32_u" => low(saturated(wide, U32.0, U32.1)),
        "i32.trunc_sat_f64_s" => low(saturated(d, I32.0, I32.1)),
        "i32.trunc_sat_f64_u" => low(saturated(d, U32.0, U32.1)),
        "i64.trunc_sat_f32_s" => saturated(wide, I64.0, I64.1),
        "i64.trunc_sat_f32_u" => saturated(wide, U64.0, U64.1),
        "i64.trunc_sat_f64_s" => saturated(d, I64.0, I64.1),
        "i64.trunc_sat_f64_u" => saturated(d, U64.0, U64.1),
        "i64.extend_i32_s" => int(w as i32),
        "i64.extend_i32_u" => word(w),
        "f32.convert_i32_s" => single(w as i32 as f32),
        "f32.convert_i32_u" => single(w as f32),
        "f32.convert_i64_s" => single(l as i64 as f32),
        "f32.convert_i64_u" => single(l as f32),
        "f64.convert_i32_s" => double(w as i32 as f64),
        "f64.convert_i32_u" => double(w as f64),
        "f64.convert_i64_s" => double(l as i64 as f64),
        "f64.convert_i64_u" => double(l as f64),
        "f32.demote_f64" => single(d as f32),
        "f64.promote_f32" => double(wide),
        "i32.reinterpret_f32" | "f32.reinterpret_i32" => word(w),
        "i64.reinterpret_f64" | "f64.reinterpret_i64" => Bits(l),
        "i32.extend8_s" => low(int(w as i8)),
        "i32.extend16_s" => low(int(w as i16)),
        "i64.extend8_s" => int(l as i8),
        "i64.extend16_s" => int(l as i16),
        "i64.extend32_s" => int(l as i32),
        _ => panic!("what does {op} do?"),
    }
}

/// The smaller (or, swapped, the larger) of two floats: zeros have an order, and a NaN
/// wins.
macro_rules! least {
    ($a:expr, $b:expr, $first:expr, $zero:expr) => {
        if $a.is_nan() || $b.is_nan() {
            $a + $b
        } else if $a == $b {
            // Of zeros with different signs, one in particular.
            if $a.is_sign_negative() == $zero { $a } else { $b }
        } else if $first {
            $a
        } else {
            $b
        }
    };
}

/// What a two-operand op does to the bits of two slots.
pub fn binary(op: &str, a: u64, b: u64) -> Expected {
    let (wa, wb) = (a as u32, b as u32);
    let (ia, ib) = (wa as i32, wb as i32);
    let (la, lb) = (a as i64, b as i64);
    let (sa, sb) = (f32::from_bits(wa), f32::from_bits(wb));
    let (da, db) = (f64::from_bits(a), f64::from_bits(b));
    let (turn, turn64) = (wb % 32, (b % 64) as u32);
    let by = |zero: bool, result: Option<u64>| match result {
        _ if zero => Trap(IntegerDivisionByZero),
        None => Trap(IntegerOverflow),
        Some(bits) => Bits(bits),
    };
    let (zero, zero64) = (wb == 0, b == 0);
    match op {
        "i32.add" => word(wa.wrapping_add(wb)),
        "i32.sub" => word(wa.wrapping_sub(wb)),
        "i32.mul" => word((u64::from(wa) * u64::from(wb)) as u32),
        "i32.div_s" => low(by(zero, ia.checked_div(ib).map(|x| x as u64))),
        "i32.div_u" => by(zero, wa.checked_div(wb).map(u64::from)),
        "i32.rem_s" => low(by(zero, i64::from(ia).checked_rem(ib.into()).map(|x| x as u64))),
        "i32.rem_u" => by(zero, wa.checked_rem(wb).map(u64::from)),
        "i32.and" => word(wa & wb),
        "i32.or" => word(wa | wb),
        "i32.xor" => word(wa ^ wb),
        "i32.shl" => word(wa << turn),
        "i32.shr_s" => word((ia >> turn) as u32),
        "i32.shr_u" => word(wa >> turn),
        "i32.rotl" => word(wa.rotate_left(turn)),
        "i32.rotr" => word(wa.rotate_right(turn)),
        "i64.add" => Bits(a.wrapping_add(b)),
        "i64.sub" => Bits(a.wrapping_sub(b)),
        "i64.mul" => Bits((u128::from(a) * u128::from(b)) as u64),
        "i64.div_s" => by(zero64, la.checked_div(lb).map(|x| x as u64)),
        "i64.div_u" => by(zero64, a.checked_div(b)),
        "i64.rem_s" => by(zero64, i128::from(la).checked_rem(lb.into()).map(|x| x as u64)),
        "i64.rem_u" => by(zero64, a.checked_rem(b)),
        "i64.and" => Bits(a & b),
        "i64.or" => Bits(a | b),
        "i64.xor" => Bits(a ^ b),
        "i64.shl" => Bits(a << turn64),
        "i64.shr_s" => Bits((la >> turn64) as u64),
        "i64.shr_u" => Bits(a >> turn64),
        "i64.rotl" => Bits(a.rotate_left(turn64)),
        "i64.rotr" => Bits(a.rotate_right(turn64)),
        "f32.add" => single(sa + sb),
        "f32.sub" => single(sa - sb),
        "f32.mul" => single(sa * sb),
        "f32.div" => single(sa / sb),
        "f32.min" => single(least!(sa, sb, sa < sb, true)),
        "f32.max" => single(least!(sa, sb, sa > sb, false)),
        "f32.copysign" => word(wa & 0x7FFF_FFFF | wb & 0x8000_0000),
        "f64.add" => double(da + db),
        "f64.sub" => double(da - db),
        "f64.mul" => double(da * db),
        "f64.div" => double(da / db),
        "f64.min" => double(least!(da, db, da < db, true)),
        "f64.max" => double(least!(da, db, da > db, false)),
        "f64.copysign" => Bits(a & !(1 << 63) | b & 1 << 63),
        "i32.eq" => word((wa == wb).into()),
        "i32.ne" => word((wa != wb).into()),
        "i32.lt_s" => word((ia < ib).into()),
        "i32.lt_u" => word((wa < wb).into()),
        "i32.gt_s" => word((ia > ib).into()),
        "i32.gt_u" => word((wa > wb).into()),
        "i32.le_s" => word((ia <= ib).into()),
        "i32.le_u" => word((wa <= wb).into()),
        "i32.ge_s" => word((ia >= ib).into()),
        "i32.ge_u" => word((wa >= wb).into()),
        "i64.eq" => word((a == b).into()),
        "i64.ne" => word((a != b).into()),
        "i64.lt_s" => word((la < lb).into()),
        "i64.lt_u" => word((a < b).into()),
        "i64.gt_s" => word((la > lb).into()),
        "i64.gt_u" => word((a > b).into()),
        "i64.le_s" => word((la <= lb).into()),
        "i64.le_u" => word((a <= b).into()),
        "i64.ge_s" => word((la >= lb).into()),
        "i64.ge_u" => word((a >= b).into()),
        "f32.eq" => word((sa == sb).into()),
        "f32.ne" => word((sa != sb).into()),
        "f32.lt" => word((sa < sb).into()),
        "f32.gt" => word((sa > sb).into()),
        "f32.le" => word((sa <= sb).into()),
        "f32.ge" => word((sa >= sb).into()),
        "f64.eq" => word((da == db).into()),
        "f64.ne" => word((da != db).into()),
        "f64.lt" => word((da < db).into()),
        "f64.gt" => word((da > db).into()),
        "f64.le" => word((da <= db).into()),
        "f64.ge" => word((da >= db).into()),
        _ => panic!("what does {op} do?"),
    }
}
