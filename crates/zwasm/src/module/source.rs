//! What the bytes of a file are: a module or a component, binary or text, or something
//! else.
//!
//! A binary is known by its first eight bytes. A text begins with a parenthesis or
//! a comment, behind a byte order mark and a line `#!…`, which names the command
//! that runs the file as a script. Everything else is named in the error, so that
//! whoever took the wrong file, or the right one half-way, reads which one it was.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::tuning;

/// What every binary begins with, and the version that follows in a module.
const MAGIC: &[u8] = b"\0asm";
const VERSION: [u8; 4] = [1, 0, 0, 0];

/// What is read from bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Component => "component",
        }
    }
}

/// The bytes in front of the first section.
const HEADER: usize = MAGIC.len() + VERSION.len();

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a module or component can be read from.
#[derive(Debug, PartialEq)]
pub(super) enum Source<'a> {
    Binary,
    /// A text without its byte order mark. Of a first line `#!…` the line break is
    /// left, so that places in the text are those in the file.
    Text(&'a [u8]),
}

/// Whether bytes are a component, as far as their beginning tells.
pub fn is_component(bytes: &[u8]) -> bool {
    match recognize(bytes, false) {
        Ok(Source::Binary) => binary_kind(bytes) == Some(Kind::Component),
        Ok(Source::Text(text)) => text_kind(text) == Kind::Component,
        Err(_) => false,
    }
}

/// The binary form of what is read from bytes, binary or text. Errors in a text name the
/// file.
///
/// # Errors
///
/// If the bytes are something else than what is wanted, or the text is wrong.
pub fn to_binary<'a>(
    wanted: Kind,
    bytes: Cow<'a, [u8]>,
    name: Option<&Path>,
) -> Result<Cow<'a, [u8]>> {
    let named_as_text = name.and_then(Path::extension).is_some_and(|extension| extension == "wat");
    match recognize(&bytes, named_as_text)? {
        Source::Text(text) if text_kind(text) == wanted => {
            assemble(wanted, text, name).map(Cow::Owned)
        }
        Source::Text(_) => Err(unwanted(wanted)),
        Source::Binary => Ok(bytes),
    }
}

/// Reads a file.
///
/// # Errors
///
/// [`ErrorKind::Io`] if it cannot be read, or is larger than any module may be.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    // It is not mapped: who truncates a file that is ends the processes that look at it, and
    // who writes to it changes what was validated.
    let expected = file.metadata().map_or(0, |data| data.len()).min(tuning::MAX_MODULE_BYTES);
    read_into(Vec::with_capacity(expected as usize + 1), &mut file, path)
}

/// Reads a stream, which errors call by a name.
///
/// # Errors
///
/// As [`read_file`].
pub fn read(reader: &mut dyn Read, name: &Path) -> Result<Vec<u8>> {
    read_into(Vec::new(), reader, name)
}

fn read_into(mut bytes: Vec<u8>, reader: &mut dyn Read, name: &Path) -> Result<Vec<u8>> {
    // A device or pipe need not end, so its size cannot be asked for.
    let mut limited = reader.take(tuning::MAX_MODULE_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if bytes.len() as u64 > tuning::MAX_MODULE_BYTES {
        let limit = tuning::MAX_MODULE_BYTES;
        return Err(unreadable(name, &format_args!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

fn unreadable(name: &Path, why: &dyn Display) -> Error {
    Error::of_kind(ErrorKind::Io, format!("cannot read {}: {why}", name.display()))
}

#[cfg(feature = "wat")]
fn assemble(kind: Kind, text: &[u8], path: Option<&Path>) -> Result<Vec<u8>> {
    let what = kind.name();
    let invalid =
        |message: String| Error::of_kind(ErrorKind::Invalid, format!("invalid {what}: {message}"));
    let text = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        invalid(format!("neither binary nor text: not UTF-8 at byte offset {at:#x}"))
    })?;
    wat::parse_str(text).map_err(|mut error| {
        if let Some(path) = path {
            error.set_path(path);
        }
        invalid(text_error(&error.to_string()))
    })
}

#[cfg(not(feature = "wat"))]
fn assemble(kind: Kind, _: &[u8], _: Option<&Path>) -> Result<Vec<u8>> {
    let what = kind.name();
    Err(Error::of_kind(
        ErrorKind::Unsupported,
        format!("this build reads no text {what}s (it was built without the feature `wat`)"),
    ))
}

/// Brings the text parser's error, whose excerpt of the source takes several
/// lines, into one.
#[cfg(feature = "wat")]
fn text_error(error: &str) -> String {
    let message = error.lines().next().unwrap_or_default();
    let line_with = |mark: &str| {
        error.lines().find_map(|line| Some(line.trim_start().split_once(mark)?.1.trim()))
    };
    let place = line_with("--> ").map_or(String::new(), |place| format!("{place}: "));
    let source = error
        .lines()
        .filter(|line| line.trim_start().starts_with(|first: char| first.is_ascii_digit()))
        .find_map(|line| Some(line.split_once(" | ")?.1.trim()));
    let excerpt = source.map_or(String::new(), |source| {
        let shown: String = source.chars().take(EXCERPT_CHARS).collect();
        format!(" in `{shown}`")
    });
    format!("{place}{message}{excerpt}")
}

/// How much of a faulty line of text an error shows.
#[cfg(feature = "wat")]
const EXCERPT_CHARS: usize = 60;

/// Tells a binary from a text, one of which the bytes have to be. What is named as a
/// text needs no other sign of being one.
///
/// # Errors
///
/// What the bytes are instead.
fn recognize(bytes: &[u8], named_as_text: bool) -> Result<Source<'_>> {
    if bytes.starts_with(MAGIC) {
        return Ok(Source::Binary);
    }
    let unmarked = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let script = unmarked.starts_with(b"#!");
    let text = match script {
        true => &unmarked[end_of_line(unmarked)..],
        false => unmarked,
    };
    if text.trim_ascii_start().starts_with(MAGIC) {
        let what = if script { "a line '#!'" } else { "other bytes" };
        let advice = "take off what is before it";
        return Err(other(&format!("a binary module behind {what}"), advice));
    }
    let first = &text[blank(text)..];
    let begins_as_text = first.starts_with(b"(") || (first.is_empty() && text.contains(&b';'));
    let named_as_text = named_as_text && !script && !bytes.is_empty();
    // Some of what begins like a text is none.
    if (begins_as_text || named_as_text) && magic(bytes).is_none() {
        return Ok(Source::Text(text));
    }
    Err(foreign(bytes))
}

/// Which kind of binary the bytes are, if they are one.
fn binary_kind(bytes: &[u8]) -> Option<Kind> {
    match bytes.strip_prefix(MAGIC)?.get(..VERSION.len())? {
        version if version == VERSION => Some(Kind::Module),
        // The second half of the version tells what kind of binary it is.
        [low, high, 1, 0] if (*low, *high) != (0, 0) => Some(Kind::Component),
        _ => None,
    }
}

/// Makes sure that the bytes begin as a binary of this kind does.
///
/// # Errors
///
/// What they are instead.
pub fn check_binary(wanted: Kind, bytes: &[u8]) -> Result<()> {
    match (binary_kind(bytes), bytes.get(MAGIC.len()..HEADER)) {
        (Some(kind), _) if kind == wanted => Ok(()),
        (Some(_), _) => Err(unwanted(wanted)),
        (None, Some(version)) if bytes.starts_with(MAGIC) => {
            let version = u32::from_le_bytes([version[0], version[1], version[2], version[3]]);
            Err(other(
                &format!("a binary of version {version}"),
                "only version 1 can be read; build it for that one",
            ))
        }
        _ => Err(foreign(bytes)),
    }
}

/// The length of the first line, without its line break.
fn end_of_line(text: &[u8]) -> usize {
    text.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len())
}

/// The length of the white space and the comments at the beginning.
fn blank(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_ascii_start().len();
        match &text[at..] {
            [b';', b';', ..] => at += end_of_line(&text[at..]),
            [b'(', b';', ..] => match comment(&text[at..]) {
                Some(length) => at += length,
                None => return at,
            },
            _ => return at,
        }
    }
}

/// The length of a comment in parentheses, which others may be nested in; none if
/// it does not end.
fn comment(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = text.get(at..at + 2) {
        match pair {
            b"(;" => depth += 1,
            b";)" if depth == 1 => return Some(at + 2),
            b";)" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    None
}

/// Which kind of thing a text is of: if it does not say, a module.
fn text_kind(text: &[u8]) -> Kind {
    let inside = text[blank(text)..].strip_prefix(b"(").unwrap_or_default();
    let rest = inside[blank(inside)..].strip_prefix(b"component");
    match rest {
        Some(rest) if !rest.first().is_some_and(|byte| is_word(*byte)) => Kind::Component,
        _ => Kind::Module,
    }
}

/// Whether a byte may be part of a keyword of the text format.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),;[]{}".contains(&byte)
}

/// The error for a module where a component is wanted, or the other way round.
fn unwanted(wanted: Kind) -> Error {
    let message = match wanted {
        Kind::Module => {
            "expected a WebAssembly module but was given a WebAssembly component: build the program for \
             'wasm32-wasip1', or take the core module out of it \
             ('wasm-tools component unbundle')"
        }
        Kind::Component => {
            "expected a WebAssembly component but was given a WebAssembly module: build the program for \
             'wasm32-wasip2', or make a component of it ('wasm-tools component new')"
        }
    };
    Error::of_kind(ErrorKind::Unsupported, message)
}

fn other(what: &str, advice: &str) -> Error {
    let message = format!(
        "invalid module: this is {what}, where zwasm takes WebAssembly, binary (.wasm) or \
         text (.wat): {advice}"
    );
    Error::of_kind(ErrorKind::Invalid, message)
}

/// Kinds of files that begin with bytes of their own: the bytes, what they mean, and
/// what to do.
const MAGICS: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "compressed with gzip", "unpack it first ('gunzip')"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it first ('unzip')"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first ('unzstd')"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it first ('unxz')"),
    (b"BZh", "compressed with bzip2", "unpack it first ('bunzip2')"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"!<arch>\n", "a static library", "link it to a module first"),
    (b"BC\xc0\xde", "LLVM bitcode", "compile and link it to a module first"),
    (b"MZ", "a program for Windows", COMPILE),
    (b"\xcf\xfa\xed\xfe", "a program for macOS", COMPILE),
    (b"\xce\xfa\xed\xfe", "a program for macOS", COMPILE),
    (b"\xca\xfe\xba\xbe", "a Java class or a program for macOS", COMPILE),
    (b"\0aot", "a module compiled ahead of time for another runtime", ORIGINAL),
    (b"\0wasmer", "a module compiled ahead of time for another runtime", ORIGINAL),
    (b"wasmer", "a module compiled ahead of time for another runtime", ORIGINAL),
    (b"%PDF", "a PDF document", "take another file"),
    (b"\x89PNG", "a picture", "take another file"),
    (b"\xff\xd8\xff", "a picture", "take another file"),
    (b"\xff\xfe\0\0", "UTF-32", UTF8),
    (b"\0\0\xfe\xff", "UTF-32", UTF8),
    (b"\xff\xfe", "UTF-16", UTF8),
    (b"\xfe\xff", "UTF-16", UTF8),
];

const COMPILE: &str = "compile its source for WebAssembly";
const ORIGINAL: &str = "take the module it was compiled from";
const UTF8: &str = "save it as UTF-8";

/// The same for texts. Letters may be small or large.
const TEXTS: &[(&str, &str, &str)] = &[
    ("<!doctype html", "an HTML page", "look at the address it was loaded from"),
    ("<html", "an HTML page", "look at the address it was loaded from"),
    ("<", "HTML or XML", "look at the address it was loaded from"),
    ("version https://git-lfs", "a pointer of Git LFS", "fetch the file ('git lfs pull')"),
    ("AGFzbQ", "a module in base64", "decode it first ('base64 -d')"),
    ("0061736d", "a module in hexadecimal", "decode it first ('xxd -r -p')"),
    ("{", "JSON", "take another file"),
    ("#!", "a script for another program", "run it with that"),
    ("//", SOURCE, COMPILE),
    ("/*", SOURCE, COMPILE),
    ("#include", SOURCE, COMPILE),
    ("import ", SOURCE, COMPILE),
    ("export ", SOURCE, COMPILE),
    ("const ", SOURCE, COMPILE),
    ("let ", SOURCE, COMPILE),
    ("var ", SOURCE, COMPILE),
    ("function ", SOURCE, COMPILE),
    ("async ", SOURCE, COMPILE),
    ("\"use strict\"", SOURCE, COMPILE),
    ("'use strict'", SOURCE, COMPILE),
    ("console.", SOURCE, COMPILE),
    ("package ", SOURCE, COMPILE),
    ("use ", SOURCE, COMPILE),
    ("fn ", SOURCE, COMPILE),
    ("pub ", SOURCE, COMPILE),
    ("def ", SOURCE, COMPILE),
    ("int ", SOURCE, COMPILE),
];

const SOURCE: &str = "source code in another language, JavaScript or the like";

/// What the bytes are, and what to do, if their beginning tells.
fn magic(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.starts_with(b"\x7fELF") {
        // What wasmtime compiles ahead of time is one as well, with such sections.
        let compiled = bytes.windows(9).any(|name| name == b".wasmtime");
        return Some(match compiled {
            true => ("a module that wasmtime compiled ahead of time (.cwasm)", ORIGINAL),
            false => ("an ELF file: a program or library of this or another system", COMPILE),
        });
    }
    let known = MAGICS.iter().find(|(start, ..)| bytes.starts_with(start));
    known.map(|(_, what, advice)| (*what, *advice)).or_else(|| match bytes {
        _ if bytes.get(257..262) == Some(b"ustar") => {
            Some(("a tar archive", "unpack it first ('tar xf')"))
        }
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if is_printable(*a) && is_printable(*b) => {
            Some(("UTF-16", UTF8))
        }
        _ => None,
    })
}

/// The error for bytes that are no module, binary or text.
fn foreign(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return other("an empty file", "write or fetch it again");
    }
    if MAGIC.starts_with(bytes) || bytes.starts_with(MAGIC) {
        let what = format!("a binary that ends after {} of its first 8 bytes", bytes.len());
        return other(&what, "write or fetch it again");
    }
    if let Some((what, advice)) = magic(bytes) {
        return other(what, advice);
    }
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
    if text.is_empty() {
        return other("a file with nothing but white space", "write or fetch it again");
    }
    let starts = |start: &str| {
        text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start.as_bytes()))
    };
    if let Some((_, what, advice)) = TEXTS.iter().find(|(start, ..)| starts(start)) {
        return other(what, advice);
    }
    let sample = &text[..text.len().min(SAMPLE)];
    // A letter may be cut off at the end.
    let utf8 =
        std::str::from_utf8(sample).map_or_else(|error| error.error_len().is_none(), |_| true);
    if utf8 && sample.iter().all(|byte| is_printable(*byte)) {
        return other("another text", "one of WebAssembly begins with '(module'");
    }
    let first: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let what = format!("something that begins with the bytes {}", first.join(" "));
    other(&what, "a binary module begins with 00 61 73 6d")
}

fn is_printable(byte: u8) -> bool {
    !byte.is_ascii_control() || byte.is_ascii_whitespace()
}

/// How many bytes tell whether a file is a text.
const SAMPLE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Option<&[u8]> {
        match recognize(bytes, false) {
            Ok(Source::Text(text)) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn texts() {
        for whole in ["(module)", " \n(func)", ";; c\n(module)", "(; ; (; ;) ;)(module)", ";; c"] {
            assert_eq!(text(whole.as_bytes()), Some(whole.as_bytes()), "{whole}");
        }
        assert_eq!(text(b"\xef\xbb\xbf(module)"), Some(&b"(module)"[..]));
        assert_eq!(text(b"#!/usr/bin/env zwasm\n(module)"), Some(&b"\n(module)"[..]));
        assert_eq!(text(b"\xef\xbb\xbf#!zwasm\r\n;; c\n(func)"), Some(&b"\r\n;; c\n(func)"[..]));
        for no_text in ["", " ", "#!/bin/sh\necho", "#!/bin/sh", "; c", "module", "\u{feff}x"] {
            assert_eq!(text(no_text.as_bytes()), None, "{no_text}");
        }
        // The name decides where the bytes do not.
        assert_eq!(recognize(b"modul", true).ok(), Some(Source::Text(b"modul")));
        assert_eq!(recognize(b" ", true).ok(), Some(Source::Text(b" ")));
        assert!(recognize(b"", true).is_err());
        assert!(recognize(b"\x1f\x8b", true).is_err());
    }

    #[test]
    fn components() {
        for component in ["(component)", "( (; c ;) component $c)", ";; c\n(component(;c;))"] {
            assert!(is_component(component.as_bytes()), "{component}");
            let error = to_binary(Kind::Module, component.as_bytes().into(), None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{component}");
        }
        for module in ["(components)", "(module $component)", "(component", "component"] {
            let component = module == "(component";
            assert_eq!(is_component(module.as_bytes()), component, "{module}");
        }
        let (module, component) = (b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0");
        assert!(is_component(component) && !is_component(module));
        for (kind, right, wrong) in
            [(Kind::Module, module, component), (Kind::Component, component, module)]
        {
            assert_eq!(check_binary(kind, right).ok(), Some(()));
            let error = check_binary(kind, wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let error = check_binary(kind, b"\0asm\0\0\x01\0").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn comments_cost_what_they_are_long() {
        let nested = "(;".repeat(1 << 20) + &";)".repeat(1 << 20) + "(module)";
        assert_eq!(blank(nested.as_bytes()), 4 << 20);
        assert_eq!(blank("(; (;".as_bytes()), 0);
        let many = ";;\n".repeat(1 << 20);
        assert_eq!(blank(many.as_bytes()), many.len());
    }

    #[test]
    fn no_mark_hides_another() {
        for (index, (start, ..)) in MAGICS.iter().enumerate() {
            let first = MAGICS.iter().position(|(other, ..)| start.starts_with(other));
            assert_eq!(first, Some(index), "{start:?}");
        }
        for (index, (start, ..)) in TEXTS.iter().enumerate() {
            let first = TEXTS.iter().position(|(other, ..)| start.starts_with(other));
            assert_eq!(first, Some(index), "{start:?}");
        }
    }
}
