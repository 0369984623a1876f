//! What the specification calls an error, and what this engine and its parsers call it.
//!
//! The reference interpreter compares messages by prefix: its own has to begin with the
//! script's. Here ours has to, or the specification's message for ours, which the tables
//! below give where the two differ. They are derived from the official scripts, of all
//! versions, and hold nothing that those do not need. Three rules make them small:
//!
//! - Ours often say before a colon what they are about (`invalid var_u32: integer too
//!   large`), so what follows a colon counts as a beginning as well.
//! - A prefix ends where a word ends: `unknown local 1` is none of `unknown local 12`.
//! - Which of the reference's two messages a syntax error gets depends on the token alone:
//!   its lexer refuses words it does not know, and its parser known ones out of place.

use crate::script;
use wast::core::Instruction;
use wast::lexer::{Token, TokenKind};

/// Beginnings of our messages, and the specification's messages for them.
pub(crate) type Table = &'static [(&'static str, &'static [&'static str])];

/// Whether an error that says `got` is the one that a script calls `expected`.
pub(crate) fn agree(expected: &str, got: &str, tables: &[Table]) -> bool {
    // Names in quotes are the script's own words.
    let is_ours = |at: usize| got[..at].matches(['"', '`']).count().is_multiple_of(2);
    let colons = got.match_indices(": ").filter(|(at, _)| is_ours(*at));
    let after_colons = colons.map(|(at, colon)| &got[at + colon.len()..]);
    std::iter::once(got).chain(after_colons).any(|got| {
        let mut rows = tables.iter().copied().flatten().filter(|(ours, _)| got.starts_with(ours));
        begins(got, expected)
            || rows.any(|(_, theirs)| theirs.iter().any(|theirs| begins(theirs, expected)))
    })
}

/// Whether an error about a component, that says `got`, is the one that a script calls
/// `expected`: whether it has those words, or its beginning is one of ours for them. A
/// script that says nothing takes any.
pub(crate) fn says(expected: &str, got: &str, tables: &[Table]) -> bool {
    let holds = |got: &str| {
        let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let (first, last) = (expected.chars().next(), expected.chars().next_back());
        got.match_indices(expected).any(|(at, found)| {
            let (before, after) = (&got[..at], &got[at + found.len()..]);
            let joined_before = is_word(first) && is_word(before.chars().next_back());
            let joined_after = is_word(last) && is_word(after.chars().next());
            !joined_before && !joined_after
        })
    };
    expected.is_empty() || holds(got) || agree(expected, got, tables)
}

/// Whether `message` begins with the words of `expected`.
fn begins(message: &str, expected: &str) -> bool {
    let rest = message.strip_prefix(expected);
    !expected.is_empty() && rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Binaries that the grammar does not have.
pub(crate) const MALFORMED: Table = &[
    ("unexpected end-of-file", &["unexpected end of section or function"]),
    // The specification's reader looks into a section that is longer than the file.
    ("unexpected end-of-file in the framing", &["length out of bounds", "malformed import kind"]),
    ("unexpected end-of-file in an export", &["length out of bounds"]),
    // A byte that means something today, and then the end.
    ("unexpected end-of-file in an import", &["malformed import kind"]),
    ("unexpected end-of-file in a memory", &["malformed limits flags"]),
    ("unexpected end-of-file in a global", &["illegal opcode"]),
    (
        "control frames remain at end of function body or expression",
        &[
            "unexpected end",
            "unexpected end of section or function",
            "END opcode expected",
            "section size mismatch",
        ],
    ),
    ("section out of order", &["unexpected content after last section", "junk after last section"]),
    (
        "function and code section have inconsistent lengths",
        &["unexpected content after last section"],
    ),
    (
        "function section has non-zero count but code section is absent",
        &["function and code section have inconsistent lengths"],
    ),
    (
        "function section is absent but code section has non-zero count",
        &["function and code section have inconsistent lengths"],
    ),
    (
        "data count is non-zero but data section is absent",
        &["data count and data section have inconsistent lengths"],
    ),
    ("expected section, got wasm magic number", &["length out of bounds"]),
    ("illegal opcode: 0xff", &["illegal opcode ff"]),
    ("invalid external kind", &["malformed import kind"]),
    ("invalid type: leading byte 0xe0", &["integer representation too long"]),
    ("malformed memop", &["malformed memop flags"]),
    ("invalid memory limits flags", &["malformed limits flags", "malformed limits flag"]),
    ("invalid table resizable limits flags", &["malformed limits flags", "malformed limits flag"]),
    ("malformed global flags", &["malformed mutability", "invalid mutability"]),
    ("shared globals require", &["malformed mutability", "invalid mutability"]),
    ("malformed section id", &["invalid section id"]),
    ("malformed UTF-8 encoding", &["invalid UTF-8 encoding"]),
    ("shared tables require", &["tables cannot be shared (yet)"]),
];

/// Quoted text that our parser encodes, and what the encoded module has that the grammar
/// does not; the specification's parser refuses the text.
pub(crate) const QUOTED: Table = &[
    ("legacy_exceptions feature required", &["unexpected token"]),
    ("section out of order", &["multiple start sections"]),
    ("integer too large", &["i32 constant out of range"]),
];

/// Text that does not parse; see [`of_text`].
pub(crate) const TEXT: Table = &[
    ("unexpected character", &["illegal character"]),
    ("unexpected end-of-file", &["unclosed string"]),
    ("invalid character in string", &["empty annotation id", "empty identifier"]),
    ("mismatching labels between end and block", &["mismatching label"]),
    ("malformed lane index", &["i8 constant out of range"]),
    ("invalid u8 number", &["i8 constant out of range", "malformed lane index"]),
    ("invalid u64 number", &["i64 constant out of range"]),
    ("invalid i32 number", &["wrong number of lane literals"]),
    ("expected a u8, found a number", &["i8 constant out of range", "malformed lane index"]),
    ("expected a u8, found `(`", &["invalid lane length", "wrong number of lane indices"]),
    ("expected a u8, found `)`", &["invalid lane length", "wrong number of lane indices"]),
    (
        "expected an instruction, found a number",
        &["invalid lane length", "wrong number of lane indices", "wrong number of lane literals"],
    ),
    ("expected a i8, found `)`", &["wrong number of lane literals"]),
    ("expected a i16, found `)`", &["wrong number of lane literals"]),
    ("expected a i32, found `)`", &["wrong number of lane literals"]),
    ("expected a i64, found `)`", &["wrong number of lane literals"]),
    ("expected a float, found `)`", &["wrong number of lane literals"]),
    (
        "expected a string",
        &["@custom annotation: missing section name", "@custom annotation: unexpected token"],
    ),
    ("expected `before` or `after`", &["@custom annotation: malformed placement"]),
    ("expected a valid section name", &["@custom annotation: malformed section kind"]),
    (
        "malformed UTF-8 encoding",
        &["invalid UTF-8 encoding", "@custom annotation: malformed UTF-8 encoding"],
    ),
    ("misplaced @name annotation", &["@name annotation: multiple module"]),
    (
        "misplaced @metadata.code.branch_hint annotation",
        &["@metadata.code.branch_hint annotation: not in a function"],
    ),
];

/// Modules that validation refuses.
pub(crate) const INVALID: Table = &[
    (
        "atomic instructions must always specify maximum alignment",
        &["atomic alignment must be natural"],
    ),
    ("array is immutable", &["immutable array"]),
    ("struct field is immutable", &["immutable field"]),
    ("global is immutable", &["immutable global"]),
    ("SIMD index out of bounds", &["invalid lane index"]),
    ("invalid start function type", &["start function"]),
    ("sub type must match super type", &["sub type 1 does not match super type"]),
    (
        "memory size must be at most 0x10000 65536-byte pages",
        &["memory size must be at most 65536 pages (4GiB)"],
    ),
    ("invalid array.init_elem instruction: element segment", &["type mismatch"]),
    (
        "type mismatch: expected i32 but nothing on stack",
        &["type mismatch: instruction requires [i32] but stack has []"],
    ),
    (
        "type mismatch: expected i32, found i64",
        &["type mismatch: instruction requires [i32] but stack has [i64]"],
    ),
];

/// Custom sections that say something wrong.
pub(crate) const CUSTOM: Table = &[(
    "a branch hint for what is no branch",
    &["@metadata.code.branch_hint annotation: invalid target"],
)];

/// Imports that do not fit.
pub(crate) const UNLINKABLE: Table = &[("expected memory", &["memory types incompatible"])];

/// Text of components that does not parse; see [`of_text`].
pub(crate) const COMPONENT_TEXT: Table = &[
    ("duplicate `implements` attribute", &["unexpected token"]),
    ("duplicate `external-id` attribute", &["unexpected token"]),
];

/// Imports of components that do not fit, in wasmtime's words.
pub(crate) const COMPONENT_UNLINKABLE: Table = &[
    ("unknown import", &["was not found"]),
    (
        "import 'i' is to be a core module: what is defined is an instance",
        &["expected module found instance"],
    ),
    (
        "import 'i' is to be func(): what is defined is an instance",
        &["expected function found instance"],
    ),
    ("it does not export 'the-export', func", &["module export `the-export` not defined"]),
    (
        "it imports 'env' 'something', which it does not get",
        &["module import `env::something` not defined"],
    ),
    (
        "its export 'f' is func, not func (param i32)",
        &[
            "expected type `(func (param i32))`, found type `(func)`",
            "export `f` has the wrong type",
        ],
    ),
    ("its export 'f' is func, not global", &["expected global found func"]),
    ("its export 't' is table 1 funcref, not func", &["expected func found table"]),
    ("its export 'm' is memory 1, not func", &["expected func found memory"]),
    ("its export 'g' is global i32, not func", &["expected func found global"]),
    ("its export 't' is table 1 funcref, not table", &["export `t` has the wrong type"]),
    ("its export 'm' is memory 1, not memory", &["export `m` has the wrong type"]),
    ("its export 'g' is global i32, not global", &["export `g` has the wrong type"]),
    ("it imports '' '' as func, and gets global", &["expected func found global"]),
    ("it imports '' '' as table 1 funcref, and gets func", &["expected table found func"]),
    ("it imports '' '' as memory 1, and gets func", &["expected memory found func"]),
    ("it imports '' '' as global i32, and gets func", &["expected global found func"]),
    ("it imports '' '' as func, and gets func", WRONG_IMPORT),
    ("it imports '' '' as table 1 funcref, and gets table", WRONG_IMPORT),
    ("it imports '' '' as memory 1, and gets memory", WRONG_IMPORT),
    ("it imports '' '' as global i32, and gets global", WRONG_IMPORT),
];

const WRONG_IMPORT: &[&str] = &["module import `::` has the wrong type"];

/// What wasmtime's scripts call traps and imports that do not fit.
pub(crate) const WASMTIME: Table = &[
    ("indirect call type mismatch", &["call type mismatch"]),
    ("undefined element", &["out of bounds"]),
    ("out of bounds table access", &["undefined element"]),
    ("unreachable", &["wasm `unreachable` instruction executed"]),
    (
        "expected global i64, found global i32",
        &["expected global of type `i64`, found global of type `i32`"],
    ),
    (
        "expected global (mut i32), found global i32",
        &["expected mutable global, found immutable global"],
    ),
    (
        "expected global i32, found global (mut i32)",
        &["expected immutable global, found mutable global"],
    ),
    (
        "expected table 1 funcref, found table 0 funcref",
        &["expected table limits (min: 1, max: none) doesn't match provided table limits \
             (min: 0, max: none)"],
    ),
    (
        "expected table 0 funcref, found table 0 externref",
        &["expected table of type `funcref`, found table of type `externref`"],
    ),
    (
        "expected memory 1, found memory 0",
        &["expected memory limits (min: 1, max: none) doesn't match provided memory limits \
             (min: 0, max: none)"],
    ),
    (
        "expected func (param i32), found func",
        &["expected type `(func (param i32))`, found type `(func)`"],
    ),
    (
        "expected func (param i32 i32) (result f64), found func (param f32) (result i32 i64)",
        &["expected type `(func (param i32 i32) (result f64))`, \
             found type `(func (param f32) (result i32 i64))`"],
    ),
];

/// The message of an error in `text`: before the parser's own words what the reference
/// says of the token there, if the error is about that.
pub(crate) fn of_text(error: &wast::Error, text: &str) -> String {
    let message = error.message();
    if error.lex_error().is_some() {
        return message;
    }
    let found = Found::at(text, error.span().offset());
    let (syntax, own) = match message.as_str() {
        "unexpected token" | "unknown operator or unexpected token" => (true, ""),
        own => match own.strip_prefix("unexpected token, ") {
            Some(own) => (true, own),
            None => (SYNTAX.iter().any(|start| own.starts_with(start)), own),
        },
    };
    let theirs = match &found {
        Found::Unknown(word) => format!("unknown operator {word}"),
        _ if !syntax => return message,
        Found::Annotation(name) => format!("misplaced {name} annotation"),
        Found::Other(_) => "unexpected token".into(),
    };
    let (Found::Unknown(found) | Found::Annotation(found) | Found::Other(found)) = found;
    match own {
        "" => theirs,
        own => format!("{theirs}: {own}, found {found}"),
    }
}

/// How our parser begins what it says of a token out of place.
const SYNTAX: [&str; 3] = ["expected ", "extra tokens remaining", "result before parameter"];

/// What stands where an error is.
enum Found {
    /// A word that the reference does not know.
    Unknown(String),
    /// An annotation, by its `@name`.
    Annotation(String),
    /// Anything else.
    Other(String),
}

impl Found {
    fn at(text: &str, offset: usize) -> Self {
        let after = |offset: usize| match script::lexer(text).iter(offset).next() {
            Some(Ok(token)) => Some(token),
            _ => None,
        };
        let Some(token) = after(offset) else {
            return Self::Other("the end".into());
        };
        let word = |token: Token| token.src(text).to_string();
        match token.kind {
            TokenKind::LParen => match after(offset + 1) {
                Some(token) if token.kind == TokenKind::Annotation => Self::Annotation(word(token)),
                _ => Self::Other("`(`".into()),
            },
            TokenKind::Annotation if text[..offset].ends_with('(') => Self::Annotation(word(token)),
            TokenKind::Annotation | TokenKind::Reserved => Self::Unknown(word(token)),
            TokenKind::Keyword if is_known(token.keyword(text)) => Self::Other(word(token)),
            TokenKind::Keyword => Self::Unknown(word(token)),
            TokenKind::Integer(_) | TokenKind::Float(_) => Self::Other("a number".into()),
            TokenKind::String => Self::Other("a string".into()),
            TokenKind::Id => Self::Other("an identifier".into()),
            TokenKind::RParen => Self::Other("`)`".into()),
            TokenKind::LineComment | TokenKind::BlockComment | TokenKind::Whitespace => {
                Self::Other("a space".into())
            }
        }
    }
}

/// Whether the text format has this keyword.
fn is_known(keyword: &str) -> bool {
    let argument = ["offset=", "align="].iter().find_map(|start| keyword.strip_prefix(start));
    let is_instruction = || {
        let buffer = script::buffer(keyword).ok()?;
        match wast::parser::parse::<Instruction<'_>>(&buffer) {
            Ok(_) => None,
            Err(error) => Some(error.message()),
        }
    };
    match argument {
        Some(number) => number.starts_with(|first: char| first.is_ascii_digit()),
        None => {
            KEYWORDS.split(' ').any(|known| known == keyword)
                || is_instruction().is_none_or(|error| !error.starts_with("unknown operator"))
        }
    }
}

/// The keywords of the text format and of scripts that are no instructions.
const KEYWORDS: &str = "\
    align any anyref array arrayref assert_exception assert_exhaustion assert_invalid \
    assert_invalid_custom assert_malformed assert_malformed_custom assert_return assert_trap \
    assert_unlinkable binary catch catch_all catch_all_ref catch_ref data declare definition \
    either elem eq eqref exn exnref export extern externref f32 f32x4 f64 f64x2 field final \
    func funcref get global i16 i16x8 i31 i31ref i32 i32x4 i64 i64x2 i8 i8x16 import input \
    instance invoke item local memory module mut nan:arithmetic nan:canonical noexn noextern \
    nofunc none null nullexnref nullexternref nullfuncref nullref offset output pagesize param \
    quote rec ref register result script shared start struct structref sub table tag then type \
    v128";

#[cfg(test)]
mod tests {
    use super::{COMPONENT_UNLINKABLE, MALFORMED, TEXT, agree, of_text, says};

    #[test]
    fn messages_agree_by_their_beginnings() {
        for (expected, got, right) in [
            ("unknown local", "unknown local 12: out of bounds", true),
            ("unknown local 12", "unknown local 12: out of bounds", true),
            ("unknown local 1", "unknown local 12: out of bounds", false),
            ("unknown loc", "unknown local 12: out of bounds", false),
            ("out of bounds", "unknown local 12: out of bounds", true),
            ("local 12", "unknown local 12: out of bounds", false),
            ("unknown local 12: out of bounds of", "unknown local 12: out of bounds", false),
            ("", "unknown local 12", false),
            ("duplicate name", "duplicate name `a: unknown import` is there", true),
            ("unknown import", "duplicate name `a: unknown import` is there", false),
            ("unknown import", "duplicate name \"a: unknown import\" is there", false),
            ("malformed mutability", "malformed global flags", true),
            ("malformed mut", "malformed global flags", false),
            ("malformed mutability", "malformed section id", false),
        ] {
            assert_eq!(agree(expected, got, &[MALFORMED]), right, "{expected}: {got}");
        }
    }

    #[test]
    fn components_words_may_be_anywhere() {
        let got = "invalid component: import name `a-1` is not in kebab case (at byte offset 0x2)";
        for (expected, right) in [
            ("is not in kebab case", true),
            ("not in kebab", true),
            ("not in keb", false),
            ("t in kebab case", false),
            ("`a-1` is not", true),
            ("kebab case (at", true),
            ("", true),
            ("not valid", false),
        ] {
            assert_eq!(says(expected, got, &[]), right, "{expected}");
        }
        assert!(says("was not found", "unknown import 'a'", &[COMPONENT_UNLINKABLE]));
    }

    #[test]
    fn a_syntax_error_is_worded_by_its_token() {
        for (text, message) in [
            ("(func i32.bogus)", "unknown operator i32.bogus"),
            ("(func 0x)", "unknown operator 0x: expected an instruction, found 0x"),
            ("(func nop0$l)", "unknown operator nop0$l"),
            ("(func (param))) ", "unexpected token: extra tokens remaining after parse, found `)`"),
            ("(func param)", "unexpected token"),
            ("(func (nop)", "unexpected token: expected `)`, found the end"),
            ("(func (i32.const (nop)))", "unexpected token: expected a i32, found `(`"),
            ("(func (i32.const 1.5))", "unexpected token: expected a i32, found a number"),
            ("(func (i32.const \"\"))", "unexpected token: expected a i32, found a string"),
            ("(func (i32.const nop))", "unexpected token: expected a i32, found nop"),
            ("(func (i32.const nope))", "unknown operator nope: expected a i32, found nope"),
            ("(func $f) (func $f)", "duplicate func identifier"),
            ("(func (i32.const 0x100000000))", "invalid i32 number: constant out of range"),
            ("(@custom)", "expected a string, found `)`"),
        ] {
            let buffer = crate::script::buffer(text).unwrap();
            let parsed = wast::parser::parse::<wast::Wat<'_>>(&buffer);
            let error = parsed.and_then(|mut wat| wat.encode()).unwrap_err();
            let got = of_text(&error, text);
            assert!(got.starts_with(message) || agree(message, &got, &[TEXT]), "{text}: {got}");
        }
    }
}
