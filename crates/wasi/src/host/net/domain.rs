//! Names of hosts: their syntax, and names that are not ASCII.
//!
//! The latter are looked up in an ASCII form, Punycode. What names mean the same is told
//! by large tables in general; here it is letter case only, which is what matters for
//! names as they are typed. RFC 3492, RFC 5890.

use std::net::IpAddr;

/// The bytes of a name, and of a label in it, at most.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// What a name of a host is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum HostName {
    /// An address, which needs no looking up.
    Address(IpAddr),
    /// A name in ASCII.
    Domain(String),
}

impl HostName {
    /// Takes a name apart; none if it is neither a name nor an address. An address of
    /// IPv6 may be in brackets.
    pub(crate) fn parse(name: &str) -> Option<HostName> {
        // Longer than any that could become short enough.
        if name.len() > 4 * MAX_NAME {
            return None;
        }
        let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        match (inner, inner.unwrap_or(name).parse::<IpAddr>()) {
            (Some(_), Ok(IpAddr::V4(_)) | Err(_)) => None,
            (_, Ok(address)) => Some(HostName::Address(address)),
            (None, Err(_)) => ascii(name).map(HostName::Domain),
        }
    }
}

fn ascii(name: &str) -> Option<String> {
    // All of these are dots in one script or another.
    const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

    let name = name.strip_suffix(DOTS).unwrap_or(name);
    let mut out = String::new();
    for label in name.split(DOTS) {
        if !out.is_empty() {
            out.push('.');
        }
        let start = out.len();
        let label: Vec<char> = label.chars().flat_map(char::to_lowercase).collect();
        if label.is_empty() || label.iter().any(|&c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        if label.iter().all(char::is_ascii) {
            out.extend(label);
        } else {
            out.push_str("xn--");
            punycode(&label, &mut out)?;
        }
        if out.len() - start > MAX_LABEL || out.len() > MAX_NAME {
            return None;
        }
    }
    // What means something else in an address of the web.
    let forbidden = |c: char| "#%/:<>?@[\\]^|".contains(c);
    (!out.is_empty() && !out.contains(forbidden)).then_some(out)
}

/// Appends a label in Punycode. The time it takes grows with the square of the label, of
/// which no more is looked at than a name may be long.
///
/// RFC 3492, section 6.3.
fn punycode(label: &[char], out: &mut String) -> Option<()> {
    const BASE: u32 = 36;
    const T_MIN: u32 = 1;
    const T_MAX: u32 = 26;

    let adapt = |delta: u32, points: u32, first: bool| {
        let mut delta = if first { delta / 700 } else { delta / 2 };
        delta += delta / points;
        let mut k = 0;
        while delta > (BASE - T_MIN) * T_MAX / 2 {
            delta /= BASE - T_MIN;
            k += BASE;
        }
        k + (BASE - T_MIN + 1) * delta / (delta + 38)
    };
    let digit = |value: u32| char::from(if value < 26 { b'a' } else { b'0' - 26 } + value as u8);

    if label.len() > MAX_LABEL {
        return None;
    }
    out.extend(label.iter().filter(|c| c.is_ascii()));
    let basic = label.iter().filter(|c| c.is_ascii()).count() as u32;
    if basic > 0 {
        out.push('-');
    }
    let (mut point, mut delta, mut bias, mut done) = (128, 0u32, 72, basic);
    while (done as usize) < label.len() {
        let next = label.iter().map(|&c| c as u32).filter(|&c| c >= point).min()?;
        delta = delta.checked_add((next - point).checked_mul(done + 1)?)?;
        point = next;
        for &c in label {
            let c = c as u32;
            if c < point {
                delta = delta.checked_add(1)?;
            }
            if c != point {
                continue;
            }
            let (mut q, mut k) = (delta, BASE);
            loop {
                let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
                if q < t {
                    break;
                }
                out.push(digit(t + (q - t) % (BASE - t)));
                q = (q - t) / (BASE - t);
                k += BASE;
            }
            out.push(digit(q));
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done += 1;
        }
        delta = delta.checked_add(1)?;
        point += 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ascii() {
        let domain = |name| match HostName::parse(name) {
            Some(HostName::Domain(domain)) => domain,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(domain("Example.COM."), "example.com");
        assert_eq!(domain("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(domain("BÜCHER.example"), "xn--bcher-kva.example");
        assert_eq!(domain("münchen。de"), "xn--mnchen-3ya.de");
        assert_eq!(domain("例え.テスト"), "xn--r8jz45g.xn--zckzah");
        assert_eq!(domain("почемужеонинеговорятпорусски"), "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l");
        assert_eq!(domain("_dmarc.x-y"), "_dmarc.x-y");
    }

    #[test]
    fn addresses_are_no_names() {
        let address = |text: &str| Some(HostName::Address(text.parse().unwrap()));
        assert_eq!(HostName::parse("127.0.0.1"), address("127.0.0.1"));
        assert_eq!(HostName::parse("::1"), address("::1"));
        assert_eq!(HostName::parse("[::1]"), address("::1"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let (label, name) = ("a".repeat(64), "a.".repeat(127) + "a");
        let wide = "ü".repeat(70);
        let bad = [
            "",
            ".",
            "..",
            "a..b",
            "a b",
            "a\0b",
            "a/b",
            "user@host",
            "host:80",
            "[127.0.0.1]",
            "[::1",
            "a%b",
            "\u{7f}",
            "a\nb",
            &label,
            &name,
            &wide,
            &"x".repeat(100_000),
        ];
        for name in bad {
            assert_eq!(HostName::parse(name), None, "{name:?}");
        }
        assert!(HostName::parse(&"a.".repeat(126)).is_some());
    }
}
