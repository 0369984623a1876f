//! What a binary is made of: its sections, the memories it declares, what its custom
//! sections tell of the tools that made it.
//!
//! The binary is valid, but what is in custom sections nobody has checked: of one that
//! cannot be read, as much is shown as can.

/// A section of a module.
pub struct Section<'a> {
    /// What it is called: by the specification or, a custom one, by itself.
    pub name: &'a str,
    pub is_custom: bool,
    /// Where its contents begin in the module.
    pub offset: usize,
    /// The contents; of a custom section behind its name.
    pub contents: &'a [u8],
    /// The number of things in it, where it is a list.
    pub count: Option<u64>,
}

/// The names of sections by their numbers.
const NAMES: [&str; 14] = [
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
    "tag",
];

/// The bytes in front of the first section.
const HEADER: usize = 8;

/// Bytes read one after the other.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// An unsigned number of up to 64 bits in LEB128.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// The things in a list, up to the first that cannot be read.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        let count = self.number().unwrap_or(0);
        (0..count).map_while(|_| one(self)).collect()
    }
}

fn reader(bytes: &[u8]) -> Reader<'_> {
    Reader { bytes, at: 0 }
}

/// The sections of a module, in order.
pub fn sections(module: &[u8]) -> Vec<Section<'_>> {
    let mut all = Vec::new();
    let mut reader = Reader { bytes: module, at: HEADER };
    while let Some(section) = section(&mut reader) {
        all.push(section);
    }
    all
}

fn section<'a>(module: &mut Reader<'a>) -> Option<Section<'a>> {
    let id = module.byte()?;
    let size = module.number()?;
    let mut offset = module.at;
    let mut contents = module.take(size)?;
    let mut name = *NAMES.get(usize::from(id))?;
    if id == 0 {
        let mut inner = reader(contents);
        name = inner.text()?;
        (offset, contents) = (offset + inner.at, &contents[inner.at..]);
    }
    // The start section has an index, the other two no list.
    let is_list = !matches!(id, 0 | 8 | 12);
    let count = is_list.then(|| reader(contents).number()).flatten();
    Some(Section { name, is_custom: id == 0, offset, contents, count })
}

/// The custom section with a name, if there is one.
fn custom<'a>(sections: &[Section<'a>], name: &str) -> Option<&'a [u8]> {
    let found = sections.iter().find(|section| section.is_custom && section.name == name);
    found.map(|section| section.contents)
}

/// What the tools that made a module tell of themselves: fields, each with names and
/// versions.
pub fn producers<'a>(sections: &[Section<'a>]) -> Vec<(&'a str, Vec<(&'a str, &'a str)>)> {
    let Some(contents) = custom(sections, "producers") else { return Vec::new() };
    reader(contents).list(|fields| {
        let field = fields.text()?;
        Some((field, fields.list(|values| Some((values.text()?, values.text()?)))))
    })
}

/// The features that the compiler was allowed to use.
pub fn target_features<'a>(sections: &[Section<'a>]) -> Vec<&'a str> {
    let Some(contents) = custom(sections, "target_features") else { return Vec::new() };
    let all = reader(contents).list(|features| Some((features.byte()?, features.text()?)));
    all.into_iter().filter(|(prefix, _)| matches!(prefix, b'+' | b'=')).map(|(_, it)| it).collect()
}

/// A memory that a module declares, in pages.
pub struct Memory {
    pub minimum: u64,
    pub maximum: Option<u64>,
    /// Bytes of a page.
    pub page: u64,
}

/// The memories that a module declares, without those it imports.
pub fn memories(sections: &[Section<'_>]) -> Vec<Memory> {
    let found = sections.iter().find(|section| !section.is_custom && section.name == "memory");
    let Some(section) = found else { return Vec::new() };
    reader(section.contents).list(|memories| {
        let flags = memories.byte()?;
        let minimum = memories.number()?;
        let maximum = if flags & 1 != 0 { Some(memories.number()?) } else { None };
        let page = if flags & 8 != 0 { 1_u64.checked_shl(memories.byte()?.into())? } else { 65536 };
        Some(Memory { minimum, maximum, page })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module() {
        let mut module = wat::parse_str("(func) (func) (memory 2 9) (start 1)").unwrap();
        module.extend(b"\0\x1f\x09producers\x01\x08language\x01\x04Rust\x042021");
        module.extend(b"\0\x1a\x0ftarget_features\x02+\x03abc-\x02de");
        let all = sections(&module);
        let names: Vec<_> = all.iter().map(|section| (section.name, section.count)).collect();
        let expected = [
            ("type", Some(1)),
            ("function", Some(2)),
            ("memory", Some(1)),
            ("start", None),
            ("code", Some(2)),
            ("producers", None),
            ("target_features", None),
        ];
        assert_eq!(names, expected);
        assert_eq!(all[0].offset, 10);
        assert_eq!(producers(&all), [("language", vec![("Rust", "2021")])]);
        assert_eq!(target_features(&all), ["abc"]);
        let memory = &memories(&all)[0];
        assert_eq!((memory.minimum, memory.maximum, memory.page), (2, Some(9), 65536));
    }

    #[test]
    fn what_cannot_be_read() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        assert!(sections(&module).is_empty());
        module.extend(b"\0\x10\x09producers\xff\xff\xff\xff\x0f\x01");
        assert!(producers(&sections(&module)).is_empty());
        for end in 0..module.len() {
            let _ = producers(&sections(&module[..end]));
        }
    }
}
