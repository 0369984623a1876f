//! Numbers as the text format of WebAssembly writes them.
//!
//! Integers are decimal or hexadecimal, floats as well; between two digits there may
//! be an underscore. Floats may be `inf`, `nan` and `nan:0x…` with the bits of its
//! fraction. Decimals are read by the standard library, which rounds exactly, and so
//! are hexadecimals here: the digits are taken as one integer, of which what is
//! shifted out decides, ties going to the even neighbour.

/// Why a word is no number of the type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wrong {
    /// It is written otherwise.
    Form,
    /// It does not fit.
    Range,
}

/// An integer of `bits` bits, signed or unsigned, zero-extended.
///
/// # Errors
/// Why the word is none; likewise below.
pub fn integer(word: &str, bits: u32) -> Result<u128, Wrong> {
    let (negative, digits) = sign(word);
    let (digits, radix) = match hexadecimal(digits) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    let digits = without_underscores(digits, radix)?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Wrong::Form);
    }
    let magnitude = u128::from_str_radix(&digits, radix).map_err(|_| Wrong::Range)?;
    let max = u128::MAX >> (128 - bits);
    let limit = if negative { max / 2 + 1 } else { max };
    if magnitude > limit {
        return Err(Wrong::Range);
    }
    Ok(if negative { magnitude.wrapping_neg() & max } else { magnitude })
}

/// The bits of a 32-bit float.
///
/// # Errors
/// As [`integer`].
pub fn f32(word: &str) -> Result<u32, Wrong> {
    let decimal = |digits: &str| digits.parse::<f32>().ok().map(|value| value.to_bits().into());
    float(word, SINGLE, &decimal).map(|bits| bits as u32)
}

/// The bits of a 64-bit float.
///
/// # Errors
/// As [`integer`].
pub fn f64(word: &str) -> Result<u64, Wrong> {
    let decimal = |digits: &str| digits.parse::<f64>().ok().map(f64::to_bits);
    float(word, DOUBLE, &decimal)
}

/// Whether a word without digits in front is a float all the same, behind a sign or
/// not: an infinity or a NaN.
pub fn is_named(word: &str) -> bool {
    let name = sign(word).1;
    is_infinity(name) || name.get(..3).is_some_and(|start| is_nan(start, &name[3..]))
}

fn is_infinity(name: &str) -> bool {
    ["inf", "infinity"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_nan(start: &str, rest: &str) -> bool {
    start.eq_ignore_ascii_case("nan") && (rest.is_empty() || rest.starts_with(':'))
}

fn sign(word: &str) -> (bool, &str) {
    match word.as_bytes().first() {
        Some(b'-') => (true, &word[1..]),
        Some(b'+') => (false, &word[1..]),
        _ => (false, word),
    }
}

fn hexadecimal(digits: &str) -> Option<&str> {
    digits.strip_prefix("0x").or(digits.strip_prefix("0X"))
}

/// The word without its underscores, each of which stands between two digits.
fn without_underscores(word: &str, radix: u32) -> Result<String, Wrong> {
    let is_digit = |at: Option<&u8>| at.is_some_and(|byte| char::from(*byte).is_digit(radix));
    let bytes = word.as_bytes();
    let misplaced = |(at, byte): (usize, &u8)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        *byte == b'_' && !(is_digit(before) && is_digit(bytes.get(at + 1)))
    };
    match bytes.iter().enumerate().any(misplaced) {
        true => Err(Wrong::Form),
        false => Ok(word.replace('_', "")),
    }
}

/// A binary format of IEEE 754.
#[derive(Clone, Copy)]
struct Format {
    /// Bits of the fraction.
    fraction: u32,
    /// Bits of the exponent.
    exponent: u32,
}

const SINGLE: Format = Format { fraction: 23, exponent: 8 };
const DOUBLE: Format = Format { fraction: 52, exponent: 11 };

impl Format {
    fn infinity(self) -> u64 {
        ((1 << self.exponent) - 1) << self.fraction
    }

    /// The exponent of the lowest bit of the smallest numbers.
    fn lowest(self) -> i64 {
        2 - (1 << (self.exponent - 1)) - i64::from(self.fraction)
    }
}

fn float(word: &str, format: Format, decimal: &dyn Fn(&str) -> Option<u64>) -> Result<u64, Wrong> {
    let (negative, magnitude) = sign(word);
    let bits = if is_infinity(magnitude) {
        format.infinity()
    } else if is_named(magnitude) {
        format.infinity() | payload(&magnitude[3..], format)?
    } else if let Some(digits) = hexadecimal(magnitude) {
        rounded(digits, format)?
    } else {
        let digits = without_underscores(magnitude, 10)?;
        let signed = digits.starts_with(['+', '-']);
        if signed || !digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
            return Err(Wrong::Form);
        }
        let bits = decimal(&digits).ok_or(Wrong::Form)?;
        if bits == format.infinity() {
            return Err(Wrong::Range);
        }
        bits
    };
    Ok(bits | u64::from(negative) << (format.fraction + format.exponent))
}

/// The fraction of a NaN, from what follows the word: nothing, `:canonical` or the
/// fraction itself.
fn payload(rest: &str, format: Format) -> Result<u64, Wrong> {
    if rest.is_empty() || rest == ":canonical" {
        return Ok(1 << (format.fraction - 1));
    }
    let digits = rest.strip_prefix(':').filter(|digits| hexadecimal(digits).is_some());
    match integer(digits.ok_or(Wrong::Form)?, format.fraction)? {
        0 => Err(Wrong::Range),
        fraction => Ok(fraction as u64),
    }
}

/// More bits than any format and its rounding need.
const ENOUGH: u64 = 1 << 58;

/// The number that hexadecimal digits stand for, with the exponent of two behind
/// them if there is one.
fn rounded(word: &str, format: Format) -> Result<u64, Wrong> {
    let (digits, exponent) = match word.split_once(['p', 'P']) {
        Some((digits, exponent)) => (digits, power(exponent)?),
        None => (word, 0),
    };
    let digits = without_underscores(digits, 16)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if whole.is_empty() {
        return Err(Wrong::Form);
    }
    // The digits are `mantissa` times two to the power of `exponent`, and more if `more`.
    let (mut mantissa, mut exponent, mut more) = (0_u64, exponent, false);
    for (digit, after_point) in
        whole.chars().map(|c| (c, false)).chain(fraction.chars().map(|c| (c, true)))
    {
        let digit = digit.to_digit(16).ok_or(Wrong::Form)?;
        if mantissa < ENOUGH {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if after_point { 4 } else { 0 };
        } else {
            more |= digit != 0;
            exponent += if after_point { 0 } else { 4 };
        }
    }
    if mantissa == 0 {
        return Ok(0);
    }
    (mantissa, exponent) = (mantissa << 1 | u64::from(more), exponent - 1);
    let top = exponent + i64::from(mantissa.ilog2());
    let unit = (top - i64::from(format.fraction)).max(format.lowest());
    let units = match unit - exponent {
        left @ ..=0 => mantissa << -left,
        right @ 1..=63 => {
            let (floor, rest) = (mantissa >> right, mantissa & ((1 << right) - 1));
            let half = 1 << (right - 1);
            floor + u64::from(rest > half || (rest == half && floor % 2 == 1))
        }
        // Less than half of the smallest number.
        64.. => 0,
    };
    // A leading bit of the units counts as one more in the exponent, as does a carry.
    let scale = unit - format.lowest();
    let bits = u64::try_from(scale).ok().and_then(|scale| {
        scale.checked_mul(1 << format.fraction).and_then(|scaled| scaled.checked_add(units))
    });
    bits.filter(|bits| *bits < format.infinity()).ok_or(Wrong::Range)
}

/// An exponent in decimal digits. What is beyond all bounds is cut off: no digits
/// that fit a command line make up for it.
fn power(word: &str) -> Result<i64, Wrong> {
    const BEYOND: i64 = 1 << 48;
    let (negative, digits) = sign(word);
    let digits = without_underscores(digits, 10)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Form);
    }
    let magnitude = digits.parse().unwrap_or(BEYOND).min(BEYOND);
    Ok(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for (word, bits, value) in [
            ("1_000", 32, Ok(1000)),
            ("0xFF_ff", 32, Ok(0xffff)),
            ("-0x8000_0000", 32, Ok(0x8000_0000)),
            ("+0x1", 64, Ok(1)),
            ("-1", 64, Ok(u128::from(u64::MAX))),
            ("0xffffffff_ffffffff_ffffffff_ffffffff", 128, Ok(u128::MAX)),
            ("0x1_0000_0000", 32, Err(Wrong::Range)),
            ("1_", 32, Err(Wrong::Form)),
            ("_1", 32, Err(Wrong::Form)),
            ("1__0", 32, Err(Wrong::Form)),
            ("0_x1", 32, Err(Wrong::Form)),
            ("0x_1", 32, Err(Wrong::Form)),
            ("-_1", 32, Err(Wrong::Form)),
            ("1_a", 32, Err(Wrong::Form)),
            ("0b1", 32, Err(Wrong::Form)),
        ] {
            assert_eq!(integer(word, bits), value, "{word}");
        }
    }

    #[test]
    fn hexadecimal_floats() {
        for (word, value) in [
            ("0x1.8p3", 12.0),
            ("-0x1.8P+3", -12.0),
            ("0x1", 1.0),
            ("0x.p1", f64::NAN),
            ("0x1.", 1.0),
            ("0xA.8", 10.5),
            ("0x1_0.8_0p0_1", 33.0),
            ("-0x0p0", -0.0),
            ("0x0p99999999999999999999", 0.0),
            ("-0x1p-1074", -5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.000001p-1075", 5e-324),
            ("0x1.8p-1074", 1e-323),
            ("0x1p-99999999999999999999", 0.0),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1.fffffffffffff7ffffffffffffp1023", f64::MAX),
            ("0x0.fffffffffffff8p-1022", f64::MIN_POSITIVE),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000080000000000000000000001p0", 1.0 + f64::EPSILON),
            ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
            ("0x0.0000000000000000000000000000000001p136", 1.0),
            ("0x10000000000000000000000000000000000p-136", 1.0),
        ] {
            match f64(word) {
                Ok(bits) => assert_eq!(bits, value.to_bits(), "{word}"),
                Err(wrong) => assert!(wrong == Wrong::Form && value.is_nan(), "{word}"),
            }
        }
        for word in ["0x1p1024", "0x1.fffffffffffff8p1023", "0x1p99999999999999999999"] {
            assert_eq!(f64(word), Err(Wrong::Range), "{word}");
        }
        assert_eq!(f32("0x1.fffffep127"), Ok(f32::MAX.to_bits()));
        assert_eq!(f32("0x1.fffffefffp127"), Ok(f32::MAX.to_bits()));
        assert_eq!(f32("0x1.ffffffp127"), Err(Wrong::Range));
        assert_eq!(f32("0x1p-149"), Ok(1));
        assert_eq!(f32("-0x1p-150"), Ok(1 << 31));
        for word in [
            "0x",
            "0xp1",
            "0x1p",
            "0x1p+",
            "0x1.8p3.0",
            "0xg",
            "0x1_.8",
            "0x1._8",
            "0x1p_1",
            "0x-1",
        ] {
            assert_eq!(f64(word), Err(Wrong::Form), "{word}");
        }
    }

    /// Hexadecimals say exactly which number they mean, so that rounding one to 32
    /// bits is converting it.
    #[test]
    fn rounding_is_that_of_the_processor() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..200_000_u64 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Exponents around those of the smallest and the largest 32-bit floats, and
            // fractions near the middle of two.
            let exponent = match round % 3 {
                0 => state >> 32 & 0x7ff,
                1 => 1023 - 152 + (state >> 32) % 30,
                _ => 1023 + 125 + (state >> 32) % 4,
            };
            let mask = if round % 2 == 0 { !0 } else { !0 << 28 };
            let value = f64::from_bits((exponent % 0x7ff) << 52 | (state & mask) >> 12);
            let bits = value.to_bits();
            let (lead, exponent) = match bits >> 52 {
                0 => (0, -1022),
                biased => (1, biased as i64 - 1023),
            };
            let word = format!("0x{lead}.{:013x}p{exponent}", bits & ((1 << 52) - 1));
            assert_eq!(f64(&word), Ok(bits), "{word}");
            let single = value as f32;
            let expected =
                if single.is_finite() { Ok(single.to_bits()) } else { Err(Wrong::Range) };
            assert_eq!(f32(&word), expected, "{word}");
        }
    }

    #[test]
    fn named_floats() {
        assert_eq!(f32("nan"), Ok(0x7fc0_0000));
        assert_eq!(f32("-nan:canonical"), Ok(0xffc0_0000));
        assert_eq!(f32("nan:0x1"), Ok(0x7f80_0001));
        assert_eq!(f32("+nan:0x7f_ffff"), Ok(0x7fff_ffff));
        assert_eq!(f64("-nan:0xf_ffff_ffff_ffff"), Ok(u64::MAX));
        assert_eq!(f64("-inf"), Ok(f64::NEG_INFINITY.to_bits()));
        assert_eq!(f32("nan:0x800000"), Err(Wrong::Range));
        assert_eq!(f64("nan:0x0"), Err(Wrong::Range));
        for word in ["nan:", "nan:1", "nan:arithmetic", "nan:0x", "nan:-0x1", "nano", "in", "na"] {
            assert_eq!(f64(word), Err(Wrong::Form), "{word}");
        }
        for word in ["nan", "-nan:0x1", "+inf", "-Infinity", "NaN"] {
            assert!(is_named(word), "{word}");
        }
        for word in ["", "-", "nanny", "na", "info", "1", "é€"] {
            assert!(!is_named(word), "{word}");
        }
    }

    #[test]
    fn decimals() {
        assert_eq!(f64("1_000.2_5e-0_1"), Ok(100.025_f64.to_bits()));
        assert_eq!(f32("16777217"), Ok(16_777_216_f32.to_bits()));
        for word in ["1_.0", "1._0", "1e_1", "_1", "e1", ".", "1e", "--1", "+-1", "0b1"] {
            assert_eq!(f64(word), Err(Wrong::Form), "{word}");
        }
        assert_eq!(f32("3.5e38"), Err(Wrong::Range));
    }
}
