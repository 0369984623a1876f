//! The name section, read only when somebody asks for a name.

use std::ops::Range;
use std::sync::OnceLock;

use zwasm_regir::reader::{Malformed, Reader};
use zwasm_regir::work;

/// The module's own name, found when it is asked for first.
#[derive(Default)]
pub(crate) struct ModuleName(OnceLock<Option<String>>);

impl ModuleName {
    /// The name in a section that is always the same.
    pub(crate) fn get(&self, section: &[u8]) -> Option<&str> {
        let name = || string(&mut Reader::new(subsection(section, 0)?)).ok();
        self.0.get_or_init(name).as_deref()
    }
}

/// Where the names of functions are, found when one is asked for first: who asks for
/// one often asks for all.
#[derive(Default)]
pub(crate) struct FunctionNames(OnceLock<Named>);

/// Functions with names, in order, and where the name of each is in the section.
type Named = Box<[(u32, Range<u32>)]>;

impl FunctionNames {
    /// The name of a function in a section that is always the same.
    pub(crate) fn get(&self, section: &[u8], func: u32) -> Option<String> {
        let names = self.0.get_or_init(|| function_names(section));
        // The first, should a function have several.
        let (found, range) = names.get(names.partition_point(|(each, _)| *each < func))?;
        let bytes = section.get(range.start as usize..range.end as usize)?;
        (*found == func).then(|| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The functions with names, up to what is malformed.
fn function_names(section: &[u8]) -> Named {
    let mut names = Vec::new();
    let Some(contents) = subsection(section, 1) else { return names.into() };
    let start = contents.as_ptr() as usize - section.as_ptr() as usize;
    let mut reader = Reader::new(contents);
    let count = reader.u32().unwrap_or(0);
    let mut at = reader.position();
    let entry = |at: usize| {
        let mut reader = Reader::new(contents.get(at..)?);
        let (func, len) = (reader.u32().ok()?, reader.u32().ok()? as usize);
        let name = at + reader.position();
        contents.get(name..)?.get(..len)?;
        Some((func, name, name + len))
    };
    for _ in 0..count {
        work::count(1);
        let Some((func, name, end)) = entry(at) else { break };
        names.push((func, (start + name) as u32..(start + end) as u32));
        at = end;
    }
    names.sort_by_cached_key(|(func, _)| u64::from(*func));
    names.into()
}

/// The contents of the subsection with this id.
fn subsection(section: &[u8], id: u8) -> Option<&[u8]> {
    let mut reader = Reader::new(section);
    while !reader.is_empty() {
        let found = reader.byte().ok()?;
        let size = reader.u32().ok()? as usize;
        let contents = section.get(reader.position()..)?.get(..size)?;
        if found == id {
            return Some(contents);
        }
        reader = Reader::new(section);
        let next = contents.as_ptr() as usize - section.as_ptr() as usize + size;
        for _ in 0..next {
            reader.byte().ok()?;
        }
    }
    None
}

fn string(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    let length = reader.u32()?;
    let mut bytes = Vec::new();
    for _ in 0..length {
        bytes.push(reader.byte()?);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_behind_other_subsections() {
        let section =
            [&[0u8, 2, 1, b'm'][..], &[9, 1, 0], &[1, 7, 2, 0, 1, b'f', 3, 1, b'g']].concat();
        assert_eq!(ModuleName::default().get(&section), Some("m"));
        let name = |section: &[u8], func| FunctionNames::default().get(section, func);
        assert_eq!(name(&section, 0).as_deref(), Some("f"));
        assert_eq!(name(&section, 3).as_deref(), Some("g"));
        assert_eq!(name(&section, 1), None);
        assert_eq!(name(&section, 4), None);
        for end in 0..section.len() {
            assert_eq!(name(&section[..end], 3), None);
        }
    }

    #[test]
    fn of_several_names_the_first_counts() {
        let section = [1, 10, 3, 2, 1, b'f', 1, 1, b'g', 2, 1, b'h'];
        let names = FunctionNames::default();
        assert_eq!(names.get(&section, 2).as_deref(), Some("f"));
        assert_eq!(names.get(&section, 1).as_deref(), Some("g"));
    }
}
