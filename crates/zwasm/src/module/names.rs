//! The name section, read only when a backtrace needs it.

use zwasm_regir::reader::{Malformed, Reader};

/// The module's own name.
pub(crate) fn module_name(section: &[u8]) -> Option<String> {
    let mut reader = Reader::new(subsection(section, 0)?);
    string(&mut reader).ok()
}

/// The name of a function.
pub(crate) fn function_name(section: &[u8], func: u32) -> Option<String> {
    let mut reader = Reader::new(subsection(section, 1)?);
    for _ in 0..reader.u32().ok()? {
        let index = reader.u32().ok()?;
        let name = string(&mut reader).ok()?;
        if index == func {
            return Some(name);
        }
    }
    None
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
        assert_eq!(module_name(&section).as_deref(), Some("m"));
        assert_eq!(function_name(&section, 3).as_deref(), Some("g"));
        assert_eq!(function_name(&section, 1), None);
        assert_eq!(function_name(&section[..9], 3), None);
    }
}
