//! Lines of source, from debugging information (DWARF 2 to 5, `.debug_line`).
//!
//! The section is a row of units. Each has a table of files and a program for a small
//! machine, which writes out rows of address, file and line in the order of addresses. What
//! is asked for is found by running all programs once and keeping no rows: the answer to
//! many questions at once costs one pass over the section. The tables of files are read
//! only in units that have an answer.
//!
//! Which functions were inlined stands elsewhere (`.debug_info`), and is not read: the line
//! is the one that the code was written in.
//!
//! The section is the guest's, and may hold anything. Each step of reading it uses up a
//! byte, and what makes no sense ends a unit.
//!
//! This runs when something went wrong, and is kept small: what reads bytes is never inlined.

#[cfg(all(feature = "gdb", target_os = "linux"))]
pub(crate) mod table;

use std::fmt::{self, Display, Formatter};

use super::Module;
use crate::error::WasmBacktrace;
use crate::tuning::LINE_WORK;

/// A place in the source of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file, as the compiler called it.
    pub file: String,
    /// The line, from 1; 0 if the code belongs to none.
    pub line: u32,
    /// The column, from 1; 0 if the compiler told of none.
    pub column: u32,
}

/// As editors and compilers write it: `src/main.rs:12:5`.
impl Display for SourceLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match self.column {
            0 => Ok(()),
            column => write!(f, ":{column}"),
        }
    }
}

/// Bytes read one after the other.
#[derive(Clone)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[inline(never)]
    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of up to 8 bytes.
    #[inline(never)]
    fn fixed(&mut self, size: u64) -> Option<u64> {
        let bytes = self.take(size)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    #[inline(never)]
    fn unsigned(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            if shift < 64 {
                number |= u64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte < 0x80 {
                return Some(number);
            }
        }
    }

    #[inline(never)]
    fn signed(&mut self) -> Option<i64> {
        let (mut number, mut shift) = (0_i64, 0);
        loop {
            let byte = self.byte()?;
            if shift < 64 {
                number |= i64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte < 0x80 {
                let negative = byte & 0x40 != 0 && shift < 64;
                return Some(if negative { number | -1 << shift } else { number });
            }
        }
    }

    /// A text that ends with a zero.
    #[inline(never)]
    fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.take(end as u64)?;
        self.byte()?;
        Some(text)
    }
}

/// The sections that are read.
struct Sections<'a> {
    /// Where in the module the contents of the code section are, to which addresses are
    /// relative.
    code: usize,
    lines: &'a [u8],
    /// `.debug_str` and `.debug_line_str`.
    texts: [&'a [u8]; 2],
}

const STR: usize = 0;
const LINE_STR: usize = 1;

impl Module {
    /// The lines that the instructions at some offsets in the module come from, as its
    /// debugging information tells: nothing where it has none. See
    /// [`FrameInfo::module_offset`](crate::FrameInfo::module_offset).
    pub fn source_lines(&self, offsets: &[usize]) -> Vec<Option<SourceLine>> {
        let mut found = vec![None; offsets.len()];
        if let Some(sections) = sections(self.binary()) {
            search(&sections, offsets, &mut found);
        }
        found
    }
}

impl Module {
    /// The lines that functions of the module begin in, as its debugging information tells:
    /// nothing where it has none, and for imported functions.
    pub fn function_lines(&self, funcs: &[u32]) -> Vec<Option<SourceLine>> {
        let inner = self.inner();
        let offset = |func: &u32| {
            let body = inner.bodies.get(func.checked_sub(inner.imported_funcs)? as usize)?;
            Some(body.start as usize)
        };
        // No function is at the beginning of the module.
        let offsets: Vec<_> = funcs.iter().map(|func| offset(func).unwrap_or(0)).collect();
        self.source_lines(&offsets)
    }
}

impl WasmBacktrace {
    /// The lines of source that the first frames were executing, up to `most` of them, as
    /// the debugging information of their modules tells.
    pub fn source_lines(&self, most: usize) -> Vec<Option<SourceLine>> {
        let frames = &self.frames()[..most.min(self.frames().len())];
        let mut lines = vec![None; frames.len()];
        let mut modules: Vec<&Module> = Vec::new();
        for frame in frames {
            if !modules.iter().any(|module| std::ptr::eq(module.inner(), frame.module().inner())) {
                modules.push(frame.module());
            }
        }
        for module in modules {
            let own = || {
                let all = frames.iter().enumerate();
                all.filter(|(_, frame)| std::ptr::eq(module.inner(), frame.module().inner()))
            };
            // No instruction is at the beginning of a module.
            let offsets: Vec<_> =
                own().map(|(_, frame)| frame.module_offset().unwrap_or(0)).collect();
            for ((at, _), line) in own().zip(module.source_lines(&offsets)) {
                lines[at] = line;
            }
        }
        lines
    }
}

/// The sections of a valid module, if it has lines.
#[cold]
fn sections(module: &[u8]) -> Option<Sections<'_>> {
    let mut sections = Sections { code: 0, lines: &[], texts: [&[]; 2] };
    let mut reader = Reader(module.get(8..)?);
    while let Some(id) = reader.byte() {
        let size = reader.unsigned()?;
        let contents = reader.take(size)?;
        match id {
            0 => {
                let mut custom = Reader(contents);
                let length = custom.unsigned()?;
                match custom.take(length)? {
                    b".debug_line" => sections.lines = custom.0,
                    b".debug_str" => sections.texts[STR] = custom.0,
                    b".debug_line_str" => sections.texts[LINE_STR] = custom.0,
                    _ => {}
                }
            }
            10 => sections.code = module.len() - reader.0.len() - contents.len(),
            _ => {}
        }
    }
    (!sections.lines.is_empty()).then_some(sections)
}

#[cold]
fn search(sections: &Sections<'_>, offsets: &[usize], found: &mut [Option<SourceLine>]) {
    // What is asked for, by address.
    let mut wanted: Vec<(u64, usize)> = offsets
        .iter()
        .enumerate()
        .filter_map(|(index, offset)| Some((offset.checked_sub(sections.code)? as u64, index)))
        .collect();
    wanted.sort_unstable();
    // Stretches of a sensible section do not overlap.
    let mut work = LINE_WORK;
    let mut answered = vec![false; offsets.len()];
    let mut units = Reader(sections.lines);
    while let Some((contents, is_64)) = unit(&mut units) {
        let Some(unit) = Unit::read(contents, is_64) else { continue };
        let mut hits = Vec::new();
        // What a program has written before it makes no sense counts.
        let _ = unit.run(&mut |from, to, file, line, column| {
            let first = wanted.partition_point(|(address, _)| *address < from);
            for (address, index) in &wanted[first..] {
                if *address >= to || work == 0 {
                    break;
                }
                work -= 1;
                if !std::mem::replace(&mut answered[*index], true) {
                    hits.push((*index, file, line, column));
                }
            }
        });
        let files = if hits.is_empty() { None } else { unit.files(sections) };
        for (index, file, line, column) in hits {
            let file = files.as_ref().and_then(|files| files.path(file)).unwrap_or_default();
            found[index] = Some(SourceLine { file, line, column });
        }
    }
}

/// The contents of the next unit, and whether its offsets have 64 bits.
fn unit<'a>(units: &mut Reader<'a>) -> Option<(Reader<'a>, bool)> {
    let length = units.fixed(4)?;
    let is_64 = length == 0xffff_ffff;
    let length = if is_64 { units.fixed(8)? } else { length };
    Some((Reader(units.take(length)?), is_64))
}

struct Unit<'a> {
    version: u64,
    /// Bytes of an offset.
    offset: u64,
    min_length: u64,
    line_base: i64,
    line_range: u64,
    opcode_base: u8,
    /// How many arguments each of the standard opcodes has, from 1.
    lengths: &'a [u8],
    tables: Reader<'a>,
    program: Reader<'a>,
}

impl<'a> Unit<'a> {
    fn read(mut bytes: Reader<'a>, is_64: bool) -> Option<Self> {
        let offset = if is_64 { 8 } else { 4 };
        let version = bytes.fixed(2)?;
        if !(2..=5).contains(&version) {
            return None;
        }
        if version >= 5 {
            // Sizes of an address and a segment's number.
            bytes.take(2)?;
        }
        let length = bytes.fixed(offset)?;
        let mut header = Reader(bytes.take(length)?);
        let min_length = header.byte()?.into();
        if version >= 4 {
            // Operations of an instruction.
            header.byte()?;
        }
        // Whether rows begin statements.
        header.byte()?;
        let line_base = i64::from(header.byte()? as i8);
        let line_range = u64::from(header.byte()?);
        let opcode_base = header.byte()?;
        let lengths = header.take(u64::from(opcode_base.checked_sub(1)?))?;
        if line_range == 0 {
            return None;
        }
        Some(Unit {
            version,
            offset,
            min_length,
            line_base,
            line_range,
            opcode_base,
            lengths,
            tables: header,
            program: bytes,
        })
    }

    /// Runs the program; `row` is told of each stretch of addresses with one file, line
    /// and column.
    #[cold]
    fn run(&self, row: &mut dyn FnMut(u64, u64, u64, u32, u32)) -> Option<()> {
        const FIRST: (u64, u64, i64, u64) = (0, 1, 1, 0);
        let mut program = self.program.clone();
        let (mut address, mut file, mut line, mut column) = FIRST;
        // The row before, in the same sequence.
        let mut before = None;
        // A sequence that begins at 0, where no function is, is of code that the linker
        // has left out.
        let mut exists = false;
        let mut emit = |exists: bool, now: Option<(u64, u64, i64, u64)>, to: u64| {
            if let Some((from, file, line, column)) = before
                && exists
                && from < to
            {
                let small = |number: i64| u32::try_from(number).unwrap_or(0);
                row(from, to, file, small(line), small(column as i64));
            }
            before = now;
        };
        loop {
            if program.0.is_empty() {
                return Some(());
            }
            let opcode = program.byte()?;
            match opcode {
                0 => {
                    let length = program.unsigned()?;
                    let mut arguments = Reader(program.take(length)?);
                    match arguments.byte()? {
                        1 => {
                            emit(exists, None, address);
                            (address, file, line, column) = FIRST;
                            exists = false;
                        }
                        2 => {
                            address = arguments.fixed(length.checked_sub(1)?.min(8))?;
                            exists = address != 0;
                        }
                        _ => {}
                    }
                }
                _ if opcode >= self.opcode_base => {
                    let adjusted = u64::from(opcode - self.opcode_base);
                    address = self.advance(address, adjusted / self.line_range);
                    line = line.wrapping_add(self.line_base + (adjusted % self.line_range) as i64);
                    emit(exists, Some((address, file, line, column)), address);
                }
                1 => emit(exists, Some((address, file, line, column)), address),
                2 => address = self.advance(address, program.unsigned()?),
                3 => line = line.wrapping_add(program.signed()?),
                4 => file = program.unsigned()?,
                5 => column = program.unsigned()?,
                8 => {
                    let most = u64::from(255 - self.opcode_base);
                    address = self.advance(address, most / self.line_range);
                }
                9 => address = address.wrapping_add(program.fixed(2)?),
                _ => {
                    for _ in 0..*self.lengths.get(usize::from(opcode) - 1)? {
                        program.unsigned()?;
                    }
                }
            }
        }
    }

    fn advance(&self, address: u64, operations: u64) -> u64 {
        address.wrapping_add(operations.wrapping_mul(self.min_length))
    }

    /// The table of files, as far as it makes sense.
    fn files(&self, sections: &Sections<'a>) -> Option<Files<'a>> {
        let mut tables = self.tables.clone();
        if self.version >= 5 {
            let directories = self.entries(&mut tables, sections)?;
            let directories = directories.into_iter().map(|(name, _)| name).collect();
            let files = self.entries(&mut tables, sections)?;
            return Some(Files { first: 0, directories, files });
        }
        let mut directories = Vec::new();
        loop {
            match tables.text()? {
                [] => break,
                directory => directories.push(directory),
            }
        }
        let mut files = Vec::new();
        let mut file = || {
            let name = tables.text().filter(|name| !name.is_empty())?;
            let directory = tables.unsigned()?;
            // Time and size.
            tables.unsigned()?;
            tables.unsigned()?;
            Some((name, directory))
        };
        while let Some(file) = file() {
            files.push(file);
        }
        Some(Files { first: 1, directories, files })
    }

    /// A table of version 5: each entry's name and the number of its directory.
    fn entries(
        &self,
        tables: &mut Reader<'a>,
        sections: &Sections<'a>,
    ) -> Option<Vec<(&'a [u8], u64)>> {
        let mut formats = Vec::new();
        for _ in 0..tables.byte()? {
            formats.push((tables.unsigned()?, tables.unsigned()?));
        }
        let count = tables.unsigned()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let left = tables.0.len();
            let mut entry = (&[][..], 0);
            for &(kind, form) in &formats {
                let (text, number) = self.value(tables, sections, form)?;
                match kind {
                    1 => entry.0 = text,
                    2 => entry.1 = number,
                    _ => {}
                }
            }
            // A table of nothing would have no end.
            if tables.0.len() == left {
                return None;
            }
            entries.push(entry);
        }
        Some(entries)
    }

    /// A value in one of the forms that these tables use: a text or a number.
    fn value(
        &self,
        tables: &mut Reader<'a>,
        sections: &Sections<'a>,
        form: u64,
    ) -> Option<(&'a [u8], u64)> {
        let text = |section: usize, at: u64| {
            let text = sections.texts[section].get(usize::try_from(at).ok()?..)?;
            Reader(text).text()
        };
        let none = &[][..];
        Some(match form {
            0x08 => (tables.text()?, 0),
            0x0e => (text(STR, tables.fixed(self.offset)?)?, 0),
            0x1f => (text(LINE_STR, tables.fixed(self.offset)?)?, 0),
            0x0b => (none, tables.fixed(1)?),
            0x05 => (none, tables.fixed(2)?),
            0x06 => (none, tables.fixed(4)?),
            0x07 => (none, tables.fixed(8)?),
            0x0f => (none, tables.unsigned()?),
            0x1e => (tables.take(16)?, 0),
            0x09 => {
                let length = tables.unsigned()?;
                (tables.take(length)?, 0)
            }
            _ => return None,
        })
    }
}

/// The table of files of a unit.
struct Files<'a> {
    /// The number of the first one, and of the first directory.
    first: u64,
    directories: Vec<&'a [u8]>,
    /// Names, and the numbers of their directories.
    files: Vec<(&'a [u8], u64)>,
}

impl Files<'_> {
    /// The name of a file, with its directory's before it.
    fn path(&self, index: u64) -> Option<String> {
        let number = |index: u64| usize::try_from(index.checked_sub(self.first)?).ok();
        let (name, directory) = *self.files.get(number(index)?)?;
        let directory = number(directory).and_then(|at| self.directories.get(at).copied());
        if self.first == 1 {
            return Some(joined(&[directory.unwrap_or_default(), name]));
        }
        let directory = directory?;
        // The first is where the compiler ran.
        let base = self.directories.first().copied().unwrap_or_default();
        let base = if directory.starts_with(b"/") || directory == base { &[] } else { base };
        Some(joined(&[base, directory, name]))
    }
}

/// Parts of a path, without those that an absolute one behind them makes void.
fn joined(parts: &[&[u8]]) -> String {
    let mut path = String::new();
    for part in parts {
        if part.starts_with(b"/") {
            path.clear();
        } else if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(&String::from_utf8_lossy(part));
    }
    path
}
