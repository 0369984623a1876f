//! Numbers with units, as options take them: bytes, times, counts.
//!
//! What is written must be whole in the smallest unit: `1.5K` is 1536 bytes, `1.5` none.

use std::time::Duration;

const BYTES: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kb", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1 << 30),
    ("gib", 1 << 30),
];

const COUNTS: &[(&str, u64)] = &[("", 1), ("k", 1_000), ("m", 1_000_000), ("g", 1_000_000_000)];

/// In nanoseconds. A time without a unit is in milliseconds, and whole.
const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// A number of bytes, with units of powers of 1024.
pub fn bytes(text: &str) -> Option<u64> {
    scaled(&text.to_ascii_lowercase(), BYTES)?.try_into().ok()
}

/// A number of things, with units of powers of 1000 or an exponent.
pub fn count(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let count = match text.split_once('e') {
        Some((number, exponent)) if exponent.bytes().all(|b| b.is_ascii_digit()) => {
            let unit = 10_u64.checked_pow(exponent.parse().ok()?)?;
            scaled(number, &[("", unit)])
        }
        _ => scaled(&text, COUNTS),
    };
    count?.try_into().ok()
}

/// A time.
pub fn time(text: &str) -> Option<Duration> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_millis);
    }
    let nanoseconds = scaled(text, TIMES)?;
    let seconds = (nanoseconds / 1_000_000_000).try_into().ok()?;
    Some(Duration::new(seconds, (nanoseconds % 1_000_000_000) as u32))
}

/// A decimal number times the unit behind it, if that is whole.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = units.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (fraction.is_empty() && number.contains('.')) {
        return None;
    }
    let whole = u128::from(whole.parse::<u64>().ok()?) * u128::from(unit);
    if fraction.is_empty() {
        return Some(whole);
    }
    let scale = 10_u128.checked_pow(fraction.len().try_into().ok()?)?;
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit);
    (part % scale == 0).then(|| whole + part / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", 0),
            ("16777216", 1 << 24),
            ("64k", 64 << 10),
            ("64KiB", 64 << 10),
            ("4G", 4 << 30),
            ("1.5M", 3 << 19),
            ("0.5kb", 512),
            ("18446744073709551615b", u64::MAX),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in "1.5|-1|+1|K||.|1.|.5K|0.1K|1_0|4T|1 K|99999999999G|18446744073709551616|1.5.5M"
            .split('|')
        {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!(bytes(&format!("1.{}K", "0".repeat(60))), None);
    }

    #[test]
    fn counts() {
        for (text, expected) in
            [("1000", 1000), ("1M", 1_000_000), ("2.5k", 2500), ("1e9", 1_000_000_000)]
        {
            assert_eq!(count(text), Some(expected), "{text}");
        }
        for text in ["1.5", "e9", "1e", "1e20", "1e-3", "1e9k", "20000000000G", "x"] {
            assert_eq!(count(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, milliseconds) in
            [("250", 250), ("250ms", 250), ("1s", 1000), ("1.5s", 1500), ("2m", 120_000)]
        {
            assert_eq!(time(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(time("1h"), Some(Duration::from_secs(3600)));
        assert_eq!(time("1.5us"), Some(Duration::from_nanos(1500)));
        assert_eq!(time("18446744073709551615"), Some(Duration::from_millis(u64::MAX)));
        assert_eq!(time("18446744073709551615h"), None);
        for text in ["1.5", "-1", "s", "", "1S", "1 s", "1d", "1.5ns"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
