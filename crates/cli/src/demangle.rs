//! Names of functions as their authors wrote them.
//!
//! Linkers write most names out already, C++ among them; Rust tells them not to. What is
//! read here are Rust's own scheme (v0, see `rust_names`), the one that it had from C++,
//! and of C++ itself names without templates: of functions, where they are, not what they
//! take. Others are shown as they are.

use crate::rust_names;

/// A name as it was written, if it was encoded in a way that is known.
pub fn demangle(name: &str) -> Option<String> {
    if let Some(encoded) = name.strip_prefix("_R") {
        return rust_names::read(encoded);
    }
    let rest = name.strip_prefix("__Z").or_else(|| name.strip_prefix("_Z"))?;
    let (parts, parameters) = match rest.strip_prefix('N') {
        Some(nested) => nested_parts(nested.trim_start_matches(['r', 'V', 'K']))?,
        None => {
            let (part, rest) = counted(rest)?;
            (vec![part.to_owned()], rest)
        }
    };
    match parts.as_slice() {
        // Rust puts a hash behind its names.
        [path @ .., hash] if is_hash(hash) && !path.is_empty() => {
            Some(path.iter().map(|part| unescaped(part)).collect::<Vec<_>>().join("::"))
        }
        // Types of parameters follow, `v` if there are none.
        _ if !parameters.is_empty() && !parameters.starts_with('I') => Some(parts.join("::")),
        _ => None,
    }
}

/// The parts of a nested name, and what is behind it.
fn nested_parts(mut rest: &str) -> Option<(Vec<String>, &str)> {
    let mut parts: Vec<String> = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix('E') {
            return (!parts.is_empty()).then_some((parts, behind));
        }
        let is = |start: &str| rest.get(..2) == Some(start);
        if ["C1", "C2", "C3"].iter().any(|it| is(it)) {
            parts.push(parts.last()?.clone());
            rest = &rest[2..];
        } else if ["D0", "D1", "D2"].iter().any(|it| is(it)) {
            parts.push(format!("~{}", parts.last()?));
            rest = &rest[2..];
        } else {
            let (part, behind) = counted(rest)?;
            parts.push(if part == "_GLOBAL__N_1" { "(anonymous)".into() } else { part.into() });
            rest = behind;
        }
    }
}

/// A part behind its length.
fn counted(text: &str) -> Option<(&str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let length: usize = text[..digits].parse().ok()?;
    let rest = &text[digits..];
    Some((rest.get(..length)?, rest.get(length..)?))
}

fn is_hash(part: &str) -> bool {
    part.len() == 17 && part.starts_with('h') && part[1..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// What Rust writes for characters that names cannot have.
const ESCAPES: [(&str, &str); 8] = [
    ("SP", "@"),
    ("BP", "*"),
    ("RF", "&"),
    ("LT", "<"),
    ("GT", ">"),
    ("LP", "("),
    ("RP", ")"),
    ("C", ","),
];

fn unescaped(part: &str) -> String {
    let mut text = String::new();
    // An escape in front is made a name by what stands before it.
    let mut rest = if part.starts_with("_$") { &part[1..] } else { part };
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix("..") {
            text += "::";
            rest = behind;
        } else if let Some((escape, behind)) =
            rest.strip_prefix('$').and_then(|inner| inner.split_once('$'))
            && let Some(character) = escaped(escape)
        {
            text += &character;
            rest = behind;
        } else {
            let end = rest.char_indices().nth(1).map_or(rest.len(), |(at, _)| at);
            text += &rest[..end];
            rest = &rest[end..];
        }
    }
    text
}

fn escaped(escape: &str) -> Option<String> {
    if let Some(code) = escape.strip_prefix('u') {
        return char::from_u32(u32::from_str_radix(code, 16).ok()?).map(String::from);
    }
    let known = ESCAPES.iter().find(|(name, _)| *name == escape)?;
    Some(known.1.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"),
            (
                "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
                "<alloc::string::String as core::fmt::Debug>::fmt",
            ),
            (
                "_ZN3app4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
                "app::main::{{closure}}",
            ),
            ("_ZN3foo3barEv", "foo::bar"),
            ("_ZNK3foo3barEii", "foo::bar"),
            ("_Z4workPKc", "work"),
            ("_ZN5ShapeC2Ev", "Shape::Shape"),
            ("_ZN5ShapeD0Ev", "Shape::~Shape"),
            ("_ZN12_GLOBAL__N_14helpEv", "(anonymous)::help"),
        ] {
            assert_eq!(demangle(name).as_deref(), Some(expected), "{name}");
        }
        for name in [
            "main",
            "_Z",
            "_ZN",
            "_ZNE",
            "_ZN3foo",
            "_ZN99fooE",
            "_ZN3fooE",
            "_ZNSt6vectorIiE4pushEv",
            "_Z3maxIiET_S0_S0_",
            "_ZN99999999999999999999999fooE",
            "_ZN3ééé3barEv",
            "core::fmt::write",
        ] {
            assert_eq!(demangle(name), None, "{name}");
        }
    }
}
