//! The JSON that the command prints.

use zwasm::ValType;

use crate::values::Shown;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Format {
    /// As words for people.
    #[default]
    Words,
    /// As JSON, whose numbers are all that WebAssembly's are.
    Json,
    /// The same, but integers that a 64-bit float does not hold are strings: many
    /// readers of JSON, JavaScript's first of all, would round them.
    SafeJson,
}

/// The integers up to this magnitude are floats of 64 bits, each another one.
const MAX_SAFE: u64 = (1 << 53) - 1;

impl Format {
    /// Whether it is JSON of either kind.
    pub fn is_json(self) -> bool {
        self != Format::Words
    }

    /// A number as JSON: its digits, or a string of them.
    pub fn number(self, number: impl Into<i128>) -> String {
        let number = number.into();
        let text = number.to_string();
        match self {
            Format::SafeJson if number.unsigned_abs() > MAX_SAFE.into() => quote(&text),
            _ => text,
        }
    }
}

/// A text as a JSON string, with its quotes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Items as a JSON array.
pub fn array(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    format!("[{}]", items.join(", "))
}

/// Value types as a JSON array of their names.
pub fn types(types: impl Iterator<Item = ValType>) -> String {
    array(types.map(|ty| quote(&ty.to_string())))
}

/// Values as a JSON array. What is no number in JSON, like infinity, a vector or
/// a reference, is the string that would be printed otherwise; null is `null`.
pub fn results(values: &[Shown], format: Format) -> String {
    array(values.iter().map(|value| shown(value, format)))
}

/// One of them.
pub fn shown(value: &Shown, format: Format) -> String {
    match value {
        Shown::Integer(integer) => format.number(*integer),
        Shown::Float(digits) => digits.clone(),
        Shown::Null => "null".into(),
        Shown::Word(word) => quote(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes() {
        assert_eq!(quote("a\"b\\c\n\u{1}é"), "\"a\\\"b\\\\c\\n\\u0001é\"");
        let word = |word: &str| Shown::Word(word.into());
        let half = Shown::Float("0.5".into());
        let values = [Shown::Integer(i64::MIN), half, word("inf"), Shown::Null];
        let both = |format| results(&values, format);
        assert_eq!(both(Format::Json), "[-9223372036854775808, 0.5, \"inf\", null]");
        assert_eq!(both(Format::SafeJson), "[\"-9223372036854775808\", 0.5, \"inf\", null]");
        for (number, text) in [
            (0, "0"),
            ((1 << 53) - 1, "9007199254740991"),
            (1 << 53, "\"9007199254740992\""),
            (1 - (1 << 53), "-9007199254740991"),
            (-(1 << 53), "\"-9007199254740992\""),
            (i128::from(u64::MAX), "\"18446744073709551615\""),
        ] {
            assert_eq!(Format::SafeJson.number(number), text);
            assert_eq!(Format::Json.number(number), text.replace('"', ""));
        }
        assert_eq!(types([ValType::I32, ValType::F64].into_iter()), "[\"i32\", \"f64\"]");
    }
}
