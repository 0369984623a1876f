//! Values of WebAssembly as words of the command line, and back.
//!
//! Integers: decimal or `0x` hexadecimal, anywhere in the signed or unsigned
//! range of the type, printed as signed decimals. Floats: decimals, `inf`,
//! `nan`; printed with the fewest digits that read back as the same value, and
//! with an exponent outside 1e-6..1e21, the bounds JavaScript made familiar.
//! Vectors: one 128-bit integer, printed in hexadecimal. References: `null`.

use std::fmt::{Display, LowerExp};

use zwasm::{Engine, Val, ValType};

/// Reads a word as a value of type `ty`, which may name types of the engine.
///
/// # Errors
/// A phrase that follows the word in a message: "is not an i32".
pub fn parse(engine: &Engine, word: &str, ty: ValType) -> Result<Val, String> {
    let value = match ty {
        ValType::I32 => integer(word, 32).map(|bits| Val::I32(bits as i32)),
        ValType::I64 => integer(word, 64).map(|bits| Val::I64(bits as i64)),
        ValType::V128 => integer(word, 128).map(Val::V128),
        ValType::F32 => match word.parse::<f32>() {
            Ok(value) if value.is_infinite() && has_digits(word) => Err(Wrong::Range),
            Ok(value) => Ok(Val::F32(value.to_bits())),
            Err(_) => Err(Wrong::Form),
        },
        ValType::F64 => match word.parse::<f64>() {
            Ok(value) if value.is_infinite() && has_digits(word) => Err(Wrong::Range),
            Ok(value) => Ok(Val::F64(value.to_bits())),
            Err(_) => Err(Wrong::Form),
        },
        ValType::Ref(ty) if word == "null" => Val::null(engine, ty).ok_or(Wrong::Form),
        ValType::Ref(_) => Err(Wrong::Form),
    };
    value.map_err(|wrong| match (wrong, ty) {
        (Wrong::Range, _) => format!("is out of range for {ty}"),
        (Wrong::Form, ValType::Ref(reference)) => match Val::null(engine, reference) {
            Some(_) => format!("is no {ty} that can be written here: only 'null' can"),
            None => format!("is not possible: no {ty} can be written here"),
        },
        (Wrong::Form, ValType::V128) => "is not a v128".into(),
        (Wrong::Form, _) => format!("is not an {ty}"),
    })
}

enum Wrong {
    Form,
    Range,
}

/// An integer of `bits` bits, signed or unsigned, zero-extended.
fn integer(word: &str, bits: u32) -> Result<u128, Wrong> {
    let (negative, digits) = match word.as_bytes().first() {
        Some(b'-') => (true, &word[1..]),
        Some(b'+') => (false, &word[1..]),
        _ => (false, word),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Wrong::Form);
    }
    let magnitude = u128::from_str_radix(digits, radix).map_err(|_| Wrong::Range)?;
    let max = u128::MAX >> (128 - bits);
    let limit = if negative { max / 2 + 1 } else { max };
    if magnitude > limit {
        return Err(Wrong::Range);
    }
    Ok(if negative { magnitude.wrapping_neg() & max } else { magnitude })
}

/// Tells a number too large for its type from a word for infinity.
fn has_digits(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The text of a value.
pub fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => {
            let value = f32::from_bits(*bits);
            float(value, value.into())
        }
        Val::F64(bits) => {
            let value = f64::from_bits(*bits);
            float(value, value)
        }
        Val::V128(value) => format!("{value:#034x}"),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) => {
            "null".into()
        }
        Val::FuncRef(Some(_)) => "funcref".into(),
        Val::ExternRef(Some(_)) => "externref".into(),
        Val::AnyRef(Some(_)) => "anyref".into(),
        Val::ExnRef(Some(_)) => "exnref".into(),
    }
}

fn float(value: impl Display + LowerExp, wide: f64) -> String {
    let magnitude = wide.abs();
    if wide.is_nan() {
        "nan".into()
    } else if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(word: &str, ty: ValType) -> Result<Val, String> {
        super::parse(&Engine::default(), word, ty)
    }

    fn int(word: &str, ty: ValType) -> i64 {
        match parse(word, ty) {
            Ok(Val::I32(value)) => value.into(),
            Ok(Val::I64(value)) => value,
            other => panic!("{word}: {other:?}"),
        }
    }

    fn error(word: &str, ty: ValType) -> String {
        parse(word, ty).expect_err(word)
    }

    fn f64_text(value: f64) -> String {
        show(&Val::F64(value.to_bits()))
    }

    fn f32_text(value: f32) -> String {
        show(&Val::F32(value.to_bits()))
    }

    #[test]
    fn integers_in_both_ranges() {
        for (word, value) in [
            ("0", 0),
            ("-0", 0),
            ("+7", 7),
            ("-5", -5),
            ("2147483647", i32::MAX),
            ("2147483648", i32::MIN),
            ("4294967295", -1),
            ("-2147483648", i32::MIN),
            ("0xff", 255),
            ("0XFFFFFFFF", -1),
            ("-0x80000000", i32::MIN),
            ("0000000000000000000000000000000000000000000001", 1),
        ] {
            assert_eq!(int(word, ValType::I32), value.into(), "{word}");
        }
        assert_eq!(int("9223372036854775807", ValType::I64), i64::MAX);
        assert_eq!(int("18446744073709551615", ValType::I64), -1);
        assert_eq!(int("-9223372036854775808", ValType::I64), i64::MIN);
        assert_eq!(int("0xffffffffffffffff", ValType::I64), -1);
    }

    #[test]
    fn integers_refused() {
        for word in [
            "4294967296",
            "-2147483649",
            "0x100000000",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(error(word, ValType::I32), "is out of range for i32", "{word}");
        }
        assert_eq!(error("18446744073709551616", ValType::I64), "is out of range for i64");
        for word in
            ["", "-", "+", "abc", "1.5", "0x", "1e3", "--1", "+-1", " 1", "1 ", "0x-1", "٣", "null"]
        {
            assert_eq!(error(word, ValType::I32), "is not an i32", "{word}");
        }
    }

    #[test]
    fn floats() {
        let bits = |word: &str| match parse(word, ValType::F64) {
            Ok(Val::F64(bits)) => f64::from_bits(bits),
            other => panic!("{word}: {other:?}"),
        };
        assert_eq!(bits("3.15"), 3.15);
        assert_eq!(bits("-6.3"), -6.3);
        assert_eq!(bits("5"), 5.0);
        assert_eq!(bits(".5"), 0.5);
        assert_eq!(bits("1e300"), 1e300);
        assert_eq!(bits("-inf"), f64::NEG_INFINITY);
        assert_eq!(bits("Infinity"), f64::INFINITY);
        assert!(bits("nan").is_nan() && bits("-NaN").is_sign_negative());
        assert!(bits("-0").is_sign_negative());
        assert_eq!(error("1e400", ValType::F64), "is out of range for f64");
        assert_eq!(error("-1e39", ValType::F32), "is out of range for f32");
        assert_eq!(error("pi", ValType::F64), "is not an f64");
        assert_eq!(error("", ValType::F32), "is not an f32");
    }

    #[test]
    fn floats_print_shortest() {
        for (value, text) in [
            (6.3, "6.3"),
            (-3.15, "-3.15"),
            (4.0, "4"),
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
            (1e20, "100000000000000000000"),
            (1e21, "1e21"),
            (1e300, "1e300"),
            (-1.5e-300, "-1.5e-300"),
            (f64::MAX, "1.7976931348623157e308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
        ] {
            assert_eq!(f64_text(value), text);
        }
        assert_eq!(f32_text(0.1), "0.1");
        assert_eq!(f32_text(3.15), "3.15");
        assert_eq!(f32_text(16777216.0), "16777216");
        assert_eq!(f32_text(f32::MAX), "3.4028235e38");
        assert_eq!(f32_text(f32::NAN), "nan");
    }

    #[test]
    fn printed_numbers_read_back() {
        for value in [1e300, 1e-7, 0.1, -2.5, 123456789.125, f64::MIN_POSITIVE, f64::INFINITY] {
            let text = f64_text(value);
            assert!(matches!(parse(&text, ValType::F64), Ok(Val::F64(b)) if b == value.to_bits()));
        }
        let vector = Val::V128(0x0123_4567_89ab_cdef_u128);
        assert_eq!(show(&vector), "0x00000000000000000123456789abcdef");
        assert!(matches!(
            parse(&show(&vector), ValType::V128),
            Ok(Val::V128(0x0123_4567_89ab_cdef))
        ));
    }

    #[test]
    fn integers_print_signed() {
        assert_eq!(show(&Val::I32(-1)), "-1");
        assert_eq!(show(&Val::I64(i64::MIN)), "-9223372036854775808");
    }
}
