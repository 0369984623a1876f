//! Lines of source and functions of compiled code as debugging information (DWARF 4), which a
//! debugger finds in the object file that it is given.
//!
//! There is one unit for each object file: the functions by name and range, and a program
//! that writes a row wherever the line changes. Addresses are absolute, for the object file
//! says where its code is and is not relocated.
//!
//! What stands in a function that was inlined has the line of the inlined function, and the
//! name of the one that it is in.

use std::ops::Range;

/// A compiled function.
pub(super) struct Function {
    /// What debuggers call it.
    pub(super) name: String,
    /// Where in the code its instructions are; the first is where it is entered.
    pub(super) range: Range<usize>,
    /// From where in the code on it is of which line, ascending.
    pub(super) lines: Vec<(usize, Line)>,
}

/// A place in the source.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The file by its position in the list.
    pub(super) file: u32,
    /// From 1; 0 for what is of no line.
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Sections of debugging information.
pub(super) struct Dwarf {
    pub(super) info: Vec<u8>,
    pub(super) abbreviations: Vec<u8>,
    pub(super) lines: Vec<u8>,
}

/// The attributes of a unit, and those of a function.
const UNIT: u8 = 1;
const FUNCTION: u8 = 2;
const ABBREVIATIONS: &[u8] = &[
    // A compilation unit with children: producer, language, name, low and high address, lines.
    UNIT, 0x11, 1, 0x25, 0x08, 0x13, 0x05, 0x03, 0x08, 0x11, 0x01, 0x12, 0x07, 0x10, 0x17, 0, 0,
    // A subprogram without: name, low and high address, that it is global, file, line.
    FUNCTION, 0x2e, 0, 0x03, 0x08, 0x11, 0x01, 0x12, 0x07, 0x3f, 0x19, 0x3a, 0x0f, 0x3b, 0x0f, 0, 0,
    0,
];
/// C99: a debugger wants to know how expressions are written.
const LANGUAGE: u16 = 0x0c;
const VERSION: u16 = 4;
const ADDRESS_BYTES: u8 = 8;

/// The sections for code from `start` on.
pub(super) fn sections(start: u64, len: u64, functions: &[Function], files: &[&str]) -> Dwarf {
    let mut info = Vec::new();
    info.extend(VERSION.to_le_bytes());
    // Where the abbreviations are.
    info.extend(0_u32.to_le_bytes());
    info.push(ADDRESS_BYTES);
    info.push(UNIT);
    text(&mut info, "zwasm");
    info.extend(LANGUAGE.to_le_bytes());
    text(&mut info, files.first().copied().unwrap_or_default());
    info.extend(start.to_le_bytes());
    info.extend(len.to_le_bytes());
    // Where the lines are.
    info.extend(0_u32.to_le_bytes());
    for Function { name, range, lines } in functions {
        info.push(FUNCTION);
        text(&mut info, name);
        info.extend((start + range.start as u64).to_le_bytes());
        info.extend((range.len() as u64).to_le_bytes());
        let first = lines.iter().map(|(_, line)| *line).find(|line| line.line > 0);
        let first = first.unwrap_or_default();
        number(&mut info, u64::from(first.file) + 1);
        number(&mut info, first.line.into());
    }
    info.push(0);
    Dwarf {
        info: sized(info),
        abbreviations: ABBREVIATIONS.to_vec(),
        lines: sized(program(start, functions, files)),
    }
}

/// The table of files, and the program that writes the lines.
fn program(start: u64, functions: &[Function], files: &[&str]) -> Vec<u8> {
    // The size of instructions, operations in them, rows begin statements, what special
    // opcodes would mean, how many standard ones there are, and their arguments; no
    // directories.
    let mut header = vec![1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0];
    for file in files {
        text(&mut header, file);
        // Directory, time and size.
        header.extend([0, 0, 0]);
    }
    header.push(0);
    let mut bytes = VERSION.to_le_bytes().to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    for Function { range, lines, .. } in functions {
        // The address of a sequence.
        bytes.extend([0, 1 + ADDRESS_BYTES, 2]);
        bytes.extend((start + range.start as u64).to_le_bytes());
        let mut now = (range.start, Line { file: 0, line: 1, column: 0 });
        let mut written = None;
        for &(at, line) in lines {
            let at = at.clamp(now.0, range.end);
            if written == Some(line) || at == range.end {
                continue;
            }
            advance(&mut bytes, at - now.0);
            if line.file != now.1.file {
                bytes.push(4);
                number(&mut bytes, u64::from(line.file) + 1);
            }
            if line.column != now.1.column {
                bytes.push(5);
                number(&mut bytes, line.column.into());
            }
            if line.line != now.1.line {
                bytes.push(3);
                signed(&mut bytes, i64::from(line.line) - i64::from(now.1.line));
            }
            // A row.
            bytes.push(1);
            (now, written) = ((at, line), Some(line));
        }
        advance(&mut bytes, range.end - now.0);
        // The end of the sequence.
        bytes.extend([0, 1, 1]);
    }
    bytes
}

fn advance(bytes: &mut Vec<u8>, by: usize) {
    if by > 0 {
        bytes.push(2);
        number(bytes, by as u64);
    }
}

/// A section of one unit, whose length comes first.
fn sized(unit: Vec<u8>) -> Vec<u8> {
    let mut section = (unit.len() as u32).to_le_bytes().to_vec();
    section.extend(unit);
    section
}

/// Appends a text that ends with a zero and has none.
fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.bytes().filter(|byte| *byte != 0));
    // An empty name ends a table of files.
    if text.bytes().all(|byte| byte == 0) {
        bytes.push(b'?');
    }
    bytes.push(0);
}

fn number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn signed(bytes: &mut Vec<u8>, mut number: i64) {
    while !(-0x40..0x40).contains(&number) {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8 & 0x7f);
}

#[cfg(all(test, feature = "addr2line"))]
mod tests {
    use super::*;
    use crate::module::lines::table::LineTable;

    /// What is written is read as the guest's own sections are.
    #[test]
    fn lines_are_found_again() {
        let line = |file, line, column| Line { file, line, column };
        let function = |range, lines| Function { name: "f".to_owned(), range, lines };
        let functions = [
            function(
                16..100,
                vec![(8, line(0, 70_000, 3)), (40, line(1, 2, 0)), (60, line(1, 2, 0))],
            ),
            function(
                128..200,
                vec![(140, line(1, 9, 1)), (150, Line::default()), (400, line(0, 1, 1))],
            ),
        ];
        let files = ["a.c", "src/b.c"];
        let section = sections(0x7000_0000, 200, &functions, &files).lines;
        let mut module = b"\0asm\x01\0\0\0\0".to_vec();
        let mut contents = b"\x0b.debug_line".to_vec();
        contents.extend(section);
        number(&mut module, contents.len() as u64);
        module.extend(contents);
        let table = LineTable::new(&module);
        let found = |at: usize| {
            let row = table.find(0x7000_0000 + at)?;
            Some((table.file(row).to_owned(), row.line, row.column))
        };
        let at = |file: &str, line, column| Some((file.to_owned(), line, column));
        for (place, expected) in [
            (15, None),
            (16, at("a.c", 70_000, 3)),
            (39, at("a.c", 70_000, 3)),
            (40, at("src/b.c", 2, 0)),
            (99, at("src/b.c", 2, 0)),
            (100, None),
            (139, None),
            (140, at("src/b.c", 9, 1)),
            (150, at("a.c", 0, 0)),
            (199, at("a.c", 0, 0)),
            (200, None),
        ] {
            assert_eq!(found(place), expected, "{place}");
        }
    }
}
