//! Values of WebAssembly as words of the command line, and back.
//!
//! Numbers are read as the text format writes them (see `number`), integers anywhere
//! in the signed or unsigned range of the type. They are printed as signed decimals,
//! floats with the fewest digits that read back as the same value, and with an
//! exponent outside 1e-6..1e21, the bounds JavaScript made familiar. Vectors: one
//! 128-bit integer, printed in hexadecimal. References: `null`; one that is printed
//! may also be an integer of 31 bits, else it is the name of what it refers to.

use std::fmt::{self, Display, Formatter, LowerExp};

use zwasm::{AnyRef, AsContext, Val, ValType};

use crate::number::{self, Wrong};

/// Reads a word as a value of type `ty`.
///
/// # Errors
/// A phrase that follows the word in a message: "is not an i32".
pub fn parse(word: &str, ty: &ValType) -> Result<Val, String> {
    let value = match ty {
        ValType::I32 => number::integer(word, 32).map(|bits| Val::I32(bits as i32)),
        ValType::I64 => number::integer(word, 64).map(|bits| Val::I64(bits as i64)),
        ValType::V128 => number::integer(word, 128).map(|bits| Val::V128(bits.into())),
        ValType::F32 => number::f32(word).map(Val::F32),
        ValType::F64 => number::f64(word).map(Val::F64),
        ValType::Ref(_) if word == "null" => ty.default_value().ok_or(Wrong::Form),
        ValType::Ref(_) => Err(Wrong::Form),
    };
    value.map_err(|wrong| match (wrong, ty) {
        (Wrong::Range, _) => format!("is out of range for {ty}"),
        (Wrong::Form, ValType::Ref(_)) => match ty.default_value() {
            Some(_) => format!("is no {ty} that can be written here: only 'null' can"),
            None => format!("is not possible: no {ty} can be written here"),
        },
        (Wrong::Form, ValType::V128) => "is not a v128: one integer of 128 bits".into(),
        (Wrong::Form, _) => format!("is not an {ty}"),
    })
}

/// A value as it is printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    Integer(i64),
    /// A float that is a number.
    Float(String),
    Null,
    /// Anything else: not a number, infinity, a vector, a reference.
    Word(String),
}

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Integer(value) => write!(f, "{value}"),
            Shown::Float(text) | Shown::Word(text) => f.write_str(text),
            Shown::Null => f.write_str("null"),
        }
    }
}

/// A value of a store as it is printed.
pub fn show(store: impl AsContext, value: &Val) -> Shown {
    match value {
        Val::I32(value) => Shown::Integer((*value).into()),
        Val::I64(value) => Shown::Integer(*value),
        Val::F32(bits) => {
            let value = f32::from_bits(*bits);
            float(value, value.into())
        }
        Val::F64(bits) => {
            let value = f64::from_bits(*bits);
            float(value, value)
        }
        Val::V128(value) => Shown::Word(format!("{:#034x}", value.as_u128())),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) => {
            Shown::Null
        }
        Val::FuncRef(Some(_)) => Shown::Word("funcref".into()),
        Val::ExternRef(Some(_)) => Shown::Word("externref".into()),
        Val::AnyRef(Some(reference)) => internal(&store, reference),
        Val::ExnRef(Some(_)) => Shown::Word("exnref".into()),
    }
}

/// An integer, or the kind of object.
fn internal(store: &impl AsContext, reference: &AnyRef) -> Shown {
    if let Ok(Some(integer)) = reference.as_i31(store) {
        return Shown::Integer(integer.get_i32().into());
    }
    let is_struct = matches!(reference.as_struct(store), Ok(Some(_)));
    let is_array = matches!(reference.as_array(store), Ok(Some(_)));
    Shown::Word(match (is_struct, is_array) {
        (true, _) => "structref".into(),
        (_, true) => "arrayref".into(),
        _ => "anyref".into(),
    })
}

/// A float, of which the other argument is the value in 64 bits.
pub fn float(value: impl Display + LowerExp, wide: f64) -> Shown {
    let magnitude = wide.abs();
    if wide.is_nan() {
        Shown::Word("nan".into())
    } else if wide.is_infinite() {
        Shown::Word(value.to_string())
    } else if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        Shown::Float(value.to_string())
    } else {
        Shown::Float(format!("{value:e}"))
    }
}

#[cfg(test)]
mod tests {
    use zwasm::{Engine, Store};

    use super::*;

    fn show(value: &Val) -> String {
        super::show(Store::new(&Engine::default(), ()), value).to_string()
    }

    fn parse(word: &str, ty: ValType) -> Result<Val, String> {
        super::parse(word, &ty)
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
        let vector = Val::from(0x0123_4567_89ab_cdef_u128);
        assert_eq!(show(&vector), "0x00000000000000000123456789abcdef");
        assert!(matches!(
            parse(&show(&vector), ValType::V128),
            Ok(Val::V128(same)) if same.as_u128() == 0x0123_4567_89ab_cdef
        ));
    }

    #[test]
    fn integers_print_signed() {
        assert_eq!(show(&Val::I32(-1)), "-1");
        assert_eq!(show(&Val::I64(i64::MIN)), "-9223372036854775808");
    }
}
