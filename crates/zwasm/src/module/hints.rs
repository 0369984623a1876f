//! Branch hints: the custom section `metadata.code.branch_hint`.
//!
//! A section that cannot be read is passed over, as custom sections are. One that
//! can be read must name branches: the official suite calls a hint for anything
//! else invalid.

use std::ops::Range;

use zwasm_regir::reader::{Malformed, Reader};

use crate::error::{Error, Result};

/// The section's name.
pub(super) const SECTION: &str = "metadata.code.branch_hint";

const IF: u8 = 0x04;
const BR_IF: u8 = 0x0D;

struct Hint {
    func: u32,
    /// Where the branch is in the function's body.
    offset: u32,
    taken: bool,
}

/// The hints of a module, ordered by function and offset.
#[derive(Default)]
pub(crate) struct Hints(Vec<Hint>);

impl Hints {
    /// Reads a section; what cannot be read gives no hints.
    pub(super) fn decode(section: &[u8]) -> Hints {
        read(section).unwrap_or_default()
    }

    /// Whether the branch of `func` at `offset` is expected to be taken.
    pub(crate) fn get(&self, func: u32, offset: u32) -> Option<bool> {
        let key = (func, offset);
        let found = self.0.binary_search_by_key(&key, |hint| (hint.func, hint.offset)).ok()?;
        Some(self.0[found].taken)
    }

    /// Checks that every hint is for an `if` or `br_if`.
    pub(super) fn check(&self, module: &[u8], imported: u32, bodies: &[Range<u32>]) -> Result<()> {
        for hint in &self.0 {
            let defined = hint.func.checked_sub(imported).map(|index| index as usize);
            let body = defined.and_then(|index| bodies.get(index));
            let range = body.map_or(0..0, |body| body.start as usize..body.end as usize);
            let code = module.get(range.clone()).unwrap_or_default();
            if !matches!(code.get(hint.offset as usize), Some(&(IF | BR_IF))) {
                let at = range.start.saturating_add(hint.offset as usize);
                return Err(Error::invalid("a branch hint for what is no branch", at));
            }
        }
        Ok(())
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
    if reader.is_empty() { Ok(Hints(hints)) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_found_by_function_and_offset() {
        let hints = Hints::decode(&[2, 1, 2, 5, 1, 1, 9, 1, 0, 4, 1, 0, 1, 1]);
        assert_eq!(hints.get(1, 5), Some(true));
        assert_eq!(hints.get(1, 9), Some(false));
        assert_eq!(hints.get(4, 0), Some(true));
        assert_eq!(hints.get(4, 5), None);
        let module = [0x0B, IF, 0, 0, 0, 0, 0, 0, 0, 0, BR_IF, 0];
        assert!(hints.check(&module, 1, &[1..12, 0..0, 0..0, 1..2]).is_err());
        let module = [0, 0, 0, 0, 0, IF, 0, 0, 0, BR_IF, IF];
        assert!(hints.check(&module, 1, &[0..10, 0..0, 0..0, 10..11]).is_ok());
        assert!(hints.check(&module, 2, &[0..10, 0..0, 0..0, 10..11]).is_err());
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
            assert!(Hints::decode(section).0.is_empty());
        }
    }
}
