//! All lines of a module, for debuggers, which are told of each function that is compiled:
//! reading the section for each would cost the square of the program.
//!
//! The table is made when the first function is told of. It has a row for each that the
//! section writes, which takes at least a byte of it there.

use std::collections::HashMap;

use super::{Reader, Unit, sections, unit};

/// Lines by address.
#[derive(Default)]
pub(crate) struct LineTable {
    /// Where in the module the contents of the code section are.
    code: usize,
    /// Ascending.
    rows: Vec<Row>,
    files: Vec<String>,
}

/// A stretch of code of one line.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    from: u64,
    to: u64,
    /// The file, by its position in the list.
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl LineTable {
    /// Of a valid module.
    #[cold]
    pub(crate) fn new(module: &[u8]) -> LineTable {
        let mut table = LineTable::default();
        let Some(sections) = sections(module) else { return table };
        table.code = sections.code;
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut units = Reader(sections.lines);
        while let Some((contents, is_64)) = unit(&mut units) {
            let Some(unit) = Unit::read(contents, is_64) else { continue };
            let first = table.rows.len();
            // What a program has written before it makes no sense counts.
            let _ = unit.run(&mut |from, to, file, line, column| {
                // A number that is too high is of no file.
                let file = u32::try_from(file).unwrap_or(u32::MAX);
                table.rows.push(Row { from, to, file, line, column });
            });
            if first == table.rows.len() {
                continue;
            }
            let Some(files) = unit.files(&sections) else {
                table.rows.truncate(first);
                continue;
            };
            let mut numbers: HashMap<u32, u32> = HashMap::new();
            for row in &mut table.rows[first..] {
                row.file = *numbers.entry(row.file).or_insert_with(|| {
                    let path = files.path(row.file.into()).unwrap_or_default();
                    let next = table.files.len() as u32;
                    *known.entry(path).or_insert_with_key(|path| {
                        table.files.push(path.clone());
                        next
                    })
                });
            }
        }
        // Of two that begin together the one written first is found, as elsewhere.
        table.rows.reverse();
        table.rows.sort_by_key(|row| row.from);
        table
    }

    /// Whether there are no lines.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The line of the instruction at an offset in the module.
    pub(crate) fn find(&self, offset: usize) -> Option<Row> {
        let address = offset.checked_sub(self.code)? as u64;
        let after = self.rows.partition_point(|row| row.from <= address);
        self.rows[..after].last().copied().filter(|row| address < row.to)
    }

    /// The name of a row's file.
    pub(crate) fn file(&self, row: Row) -> &str {
        &self.files[row.file as usize]
    }
}
