//! The two frames of the binary format, sections and function bodies, read
//! leniently: whatever is cut off ends the list.

use std::ops::Range;

/// The identifiers of sections.
pub(super) mod id {
    pub(crate) const EXPORT: u8 = 7;
    pub(crate) const START: u8 = 8;
    pub(crate) const ELEMENT: u8 = 9;
    pub(crate) const CODE: u8 = 10;
    pub(crate) const DATA: u8 = 11;
    pub(crate) const DATA_COUNT: u8 = 12;
    /// The sections of a component that are a module, or a component.
    pub(crate) const WITHIN: [u8; 2] = [1, 4];
}

/// A section: its identifier, where it begins, and its content.
pub(super) struct Section {
    pub id: u8,
    pub start: usize,
    pub body: Range<usize>,
}

/// Whether the header is that of a component.
#[must_use]
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.get(6) == Some(&1)
}

/// The sections up to the first one that is cut off.
pub(super) fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut at = 8;
    while let Some(&id) = bytes.get(at)
        && let Some(body) = framed(bytes, at + 1)
    {
        let start = at;
        at = body.end;
        sections.push(Section { id, start, body });
    }
    sections
}

/// The functions of a code section: where the length begins, and the body.
pub(super) fn functions(code: &[u8]) -> Vec<(usize, Range<usize>)> {
    let mut functions = Vec::new();
    let Some((_, mut at)) = leb(code, 0) else {
        return functions;
    };
    while let Some(body) = framed(code, at) {
        let start = at;
        at = body.end;
        functions.push((start, body));
    }
    functions
}

/// The bytes after the length at `at`, when they are all there.
fn framed(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let (length, start) = leb(bytes, at)?;
    let end = start.checked_add(length)?;
    (end <= bytes.len()).then_some(start..end)
}

/// The unsigned LEB128 number of at most five bytes at `at`, and its end.
pub(super) fn leb(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (index, &byte) in bytes.get(at..)?.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, at + index + 1));
        }
    }
    None
}

/// Appends a number in unsigned LEB128.
pub(super) fn push_leb(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends bytes after their length.
pub(super) fn push_framed(bytes: &mut Vec<u8>, body: &[u8]) {
    push_leb(bytes, body.len());
    bytes.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_up_to_the_first_that_is_cut_off() {
        let module = [
            0, b'a', b's', b'm', 1, 0, 0, 0, // header
            1, 4, 1, 0x60, 0, 0, // one type
            3, 2, 1, 0, // one function
            10, 4, 1, 2, 0, 0x0b, // one body
        ];
        let found = sections(&module);
        assert_eq!(found.iter().map(|section| section.id).collect::<Vec<_>>(), [1, 3, id::CODE]);
        assert_eq!(functions(&module[found[2].body.clone()]), [(1, 2..4)]);
        assert_eq!(sections(&module[..module.len() - 1]).len(), 2);
        assert!(sections(b"(module)").is_empty());
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for value in [0, 127, 128, 300, 65_536, 0xffff_ffff] {
            let mut bytes = Vec::new();
            push_leb(&mut bytes, value);
            assert_eq!(leb(&bytes, 0), Some((value, bytes.len())));
        }
        assert_eq!(leb(&[0x80; 6], 0), None);
        assert_eq!(leb(&[], 3), None);
    }
}
