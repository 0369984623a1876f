//! Branch hints: the custom section `metadata.code.branch_hint`.
//!
//! No custom section makes a module invalid. One that cannot be read is passed over,
//! and so is a hint for what is no branch; the first of these is remembered, because
//! the official suite calls the section invalid.

use std::ops::Range;

use zwasm_regir::opcodes::Opcode;
use zwasm_regir::reader::{Malformed, Reader};

use crate::error::{Error, Result};

/// The section's name.
pub(super) const SECTION: &str = "metadata.code.branch_hint";

const IF: u8 = Opcode::If as u8;
const BR_IF: u8 = Opcode::BrIf as u8;

struct Hint {
    func: u32,
    /// Where the branch is in the function's body.
    offset: u32,
    taken: bool,
}

/// The hints of a module.
#[derive(Default)]
pub(crate) struct Hints {
    /// Ordered by function and offset.
    hints: Vec<Hint>,
    /// Where in the module the first hint for what is no branch points.
    wrong: Option<usize>,
}

impl Hints {
    /// Reads a section; what cannot be read gives no hints.
    pub(super) fn decode(section: &[u8]) -> Hints {
        read(section).unwrap_or_default()
    }

    /// Whether the branch of `func` at `offset` is expected to be taken.
    pub(crate) fn get(&self, func: u32, offset: u32) -> Option<bool> {
        let key = (func, offset);
        let found = self.hints.binary_search_by_key(&key, |hint| (hint.func, hint.offset)).ok()?;
        Some(self.hints[found].taken)
    }

    /// Keeps the hints for an `if` or `br_if`.
    pub(super) fn resolve(&mut self, module: &[u8], imported: u32, bodies: &[Range<u32>]) {
        let wrong = &mut self.wrong;
        self.hints.retain(|hint| {
            let defined = hint.func.checked_sub(imported).map(|index| index as usize);
            let body = defined.and_then(|index| bodies.get(index));
            let range = body.map_or(0..0, |body| body.start as usize..body.end as usize);
            let code = module.get(range.clone()).unwrap_or_default();
            let right = matches!(code.get(hint.offset as usize), Some(&(IF | BR_IF)));
            if !right {
                wrong.get_or_insert(range.start.saturating_add(hint.offset as usize));
            }
            right
        });
    }

    /// Whether all hints were for branches.
    pub(super) fn check(&self) -> Result<()> {
        match self.wrong {
            Some(at) => Err(Error::invalid("a branch hint for what is no branch", at)),
            None => Ok(()),
        }
    }
}

fn read(section: &[u8]) -> Result<Hints, Malformed> {
    let mut reader = Reader::new(section);
    let mut hints: Vec<Hint> = Vec::new();
    for _ in 0..reader.u32()? {
        let func = reader.u32()?;
        for _ in 0..reader.u32()? {
            let offset = reader.u32()?;
            let (size, value) = (reader.u32()?, reader.byte()?);
            let ordered = hints.last().is_none_or(|last| (last.func, last.offset) < (func, offset));
            if size != 1 || value > 1 || !ordered {
                return Err(Malformed);
            }
            hints.push(Hint { func, offset, taken: value == 1 });
        }
    }
    if reader.is_empty() { Ok(Hints { hints, wrong: None }) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_found_by_function_and_offset() {
        let read = || Hints::decode(&[2, 1, 2, 5, 1, 1, 9, 1, 0, 4, 1, 0, 1, 1]);
        let hints = read();
        assert_eq!(hints.get(1, 5), Some(true));
        assert_eq!(hints.get(1, 9), Some(false));
        assert_eq!(hints.get(4, 0), Some(true));
        assert_eq!(hints.get(4, 5), None);
        let module = [0x0B, IF, 0, 0, 0, 0, 0, 0, 0, 0, BR_IF, 0];
        let resolved = |module: &[u8], imported, bodies: &[Range<u32>]| {
            let mut hints = read();
            hints.resolve(module, imported, bodies);
            (hints.get(1, 5), hints.get(1, 9), hints.get(4, 0), hints.check().is_ok())
        };
        let found = resolved(&module, 1, &[1..12, 0..0, 0..0, 1..2]);
        assert_eq!(found, (None, Some(false), Some(true), false));
        let module = [0, 0, 0, 0, 0, IF, 0, 0, 0, BR_IF, IF];
        let found = resolved(&module, 1, &[0..10, 0..0, 0..0, 10..11]);
        assert_eq!(found, (Some(true), Some(false), Some(true), true));
        let found = resolved(&module, 2, &[0..10, 0..0, 0..0, 10..11]);
        assert_eq!(found, (None, None, None, false));
    }

    #[test]
    fn sections_that_cannot_be_read_give_none() {
        for section in [
            &[1u8][..],
            &[1, 0, 1, 5, 2, 1],
            &[1, 0, 1, 5, 1, 2],
            &[0, 0],
            &[1, 0, 2, 5, 1, 1, 5, 1, 1],
        ] {
            assert!(Hints::decode(section).hints.is_empty());
        }
    }
}
