//! Tells a malformed binary from an invalid one.
//!
//! The engine reports the first thing wrong with a module, whichever that is. The
//! specification has two kinds: a *malformed* binary is none that the grammar can
//! read, an *invalid* one is read and then refused by a rule about its types. So the
//! binary is read here once more, the whole of it and without a single rule: what
//! fails then is malformed. Reading is `wasmparser`'s; what its reader leaves to its
//! validator though the grammar says it (data count, unknown sections) is done here.

use wasmparser::{
    BinaryReaderError, ElementItems, ElementSectionReader, FromReader, FunctionBody, Operator,
    Parser, Payload, SectionLimited, WasmFeatures,
};

/// Why no module is encoded like this.
#[derive(Debug)]
pub(crate) struct Malformed {
    /// What is wrong.
    pub message: String,
    /// The byte offset where that was noticed.
    pub offset: u64,
}

impl Malformed {
    fn new(message: &str, offset: u64) -> Self {
        // A list in the message is spread over several lines.
        let message = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        Self { message, offset }
    }

    /// Says of what a byte is wrong first, as the specification of modules does.
    fn reworded(mut self) -> Self {
        let byte = self.message.strip_prefix("invalid leading byte (");
        if let Some((byte, thing)) = byte.and_then(|rest| rest.split_once(") for ")) {
            self.message = format!("invalid {thing}: leading byte {byte}");
        }
        self
    }

    /// Says what the bytes end in the middle of, if that is what is wrong.
    fn within(mut self, part: &str) -> Self {
        if self.message == END {
            self.message = format!("{END} in {part}");
        }
        self
    }
}

/// What our reader says when there is nothing more to read.
const END: &str = "unexpected end-of-file";

impl From<BinaryReaderError> for Malformed {
    fn from(error: BinaryReaderError) -> Self {
        Self::new(error.message(), error.offset())
    }
}

type Result<T, E = Malformed> = std::result::Result<T, E>;

/// Reads the whole module.
///
/// # Errors
/// The first thing that no module has.
pub(crate) fn decode(bytes: &[u8], features: WasmFeatures) -> Result<()> {
    let malformed = match sections(bytes, features) {
        Err(error) if error.message.starts_with(END) => error,
        result => return result.map_err(Malformed::reworded),
    };
    Err(match cut_number(bytes, malformed.offset) {
        Some(message) => Malformed::new(message, malformed.offset),
        None => malformed,
    })
}

/// What is wrong with the number that ends behind `end`, where the section does.
///
/// Our reader never looks behind the section. The specification's reads the number
/// first and compares sizes later.
fn cut_number(bytes: &[u8], end: u64) -> Option<&'static str> {
    let (inside, behind) = bytes.split_at_checked(usize::try_from(end).ok()?)?;
    let goes_on = |byte: &&u8| **byte >= 0x80;
    let length = match inside.iter().rev().take_while(goes_on).count() {
        0 => return None,
        inside => inside + behind.iter().position(|byte| !goes_on(&byte))? + 1,
    };
    // Numbers have 32 or 64 bits, seven to a byte.
    match length {
        0..5 => None,
        5 | 10 => Some("integer too large"),
        _ => Some("integer representation too long"),
    }
}

fn sections(bytes: &[u8], features: WasmFeatures) -> Result<()> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut counts_data = false;
    for payload in parser.parse_all(bytes) {
        let payload = payload.map_err(|error| Malformed::from(error).within("the framing"))?;
        let (part, read) = match payload {
            Payload::TypeSection(section) => ("a type", items(section)),
            Payload::ImportSection(section) => {
                ("an import", section.into_imports().try_for_each(ignore))
            }
            Payload::FunctionSection(section) => ("a function", items(section)),
            Payload::TableSection(section) => ("a table", items(section)),
            Payload::MemorySection(section) => ("a memory", items(section)),
            Payload::TagSection(section) => ("a tag", items(section)),
            Payload::GlobalSection(section) => ("a global", items(section)),
            Payload::ExportSection(section) => ("an export", items(section)),
            Payload::ElementSection(section) => ("an element segment", elements(section)),
            Payload::DataCountSection { .. } => {
                counts_data = true;
                continue;
            }
            Payload::CodeSectionEntry(body) => ("a body", function(&body, counts_data)),
            Payload::DataSection(section) => ("a data segment", items(section)),
            Payload::CoreTypeSection(section) => ("a core type", items(section)),
            Payload::ComponentTypeSection(section) => ("a component's type", items(section)),
            Payload::ComponentImportSection(section) => ("a component's import", items(section)),
            Payload::ComponentExportSection(section) => ("a component's export", items(section)),
            Payload::ComponentCanonicalSection(section) => ("a canonical function", items(section)),
            Payload::ComponentAliasSection(section) => ("an alias", items(section)),
            Payload::ComponentInstanceSection(section) => ("an instance", items(section)),
            Payload::InstanceSection(section) => ("a core instance", items(section)),
            Payload::UnknownSection { range, .. } => {
                return Err(Malformed::new("malformed section id", range.start));
            }
            // What is left has no parts of its own, or is a custom section, whose content is
            // free.
            _ => continue,
        };
        read.map_err(|error| error.within(part))?;
    }
    Ok(())
}

/// Reads the whole component, with the modules and components within.
///
/// # Errors
/// The first thing that no component has.
pub(crate) fn decode_component(bytes: &[u8], features: WasmFeatures) -> Result<()> {
    if Parser::is_core_wasm(bytes) {
        return Err(Malformed::new("expected a version header for a component", 4));
    }
    sections(bytes, features)
}

fn elements(section: ElementSectionReader<'_>) -> Result<()> {
    for element in section {
        match element?.items {
            ElementItems::Functions(functions) => items(functions)?,
            ElementItems::Expressions(_, expressions) => items(expressions)?,
        }
    }
    Ok(())
}

fn items<'a, T: FromReader<'a>>(section: SectionLimited<'a, T>) -> Result<()> {
    section.into_iter().try_for_each(ignore)
}

fn ignore<T>(item: Result<T, BinaryReaderError>) -> Result<()> {
    item?;
    Ok(())
}

fn function(body: &FunctionBody<'_>, counts_data: bool) -> Result<()> {
    body.get_locals_reader()?.into_iter().try_for_each(ignore)?;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        let uses_data = matches!(
            operator,
            Operator::MemoryInit { .. }
                | Operator::DataDrop { .. }
                | Operator::ArrayNewData { .. }
                | Operator::ArrayInitData { .. }
        );
        if uses_data && !counts_data {
            return Err(Malformed::new("data count section required", offset));
        }
    }
    ignore(operators.finish())
}

#[cfg(test)]
mod tests {
    use super::decode;
    use wasmparser::WasmFeatures;

    fn says(bytes: &[u8]) -> Option<String> {
        let module = [b"\0asm\x01\0\0\0", bytes].concat();
        decode(&module, WasmFeatures::WASM3).err().map(|malformed| malformed.message)
    }

    const TYPE: &[u8] = b"\x01\x05\x01\x60\x00\x01\x7f";
    const FUNC: &[u8] = b"\x03\x02\x01\x00";

    fn body(code: &[u8]) -> Option<String> {
        let body = [&[0], code, &[0x0b]].concat();
        let section = [&[10, body.len() as u8 + 2, 1, body.len() as u8], &body[..]].concat();
        says(&[TYPE, FUNC, &section].concat())
    }

    #[test]
    fn what_is_invalid_is_not_malformed() {
        assert_eq!(body(b"\x42\x00"), None); // i64.const 0, where an i32 is wanted.
        assert_eq!(body(b"\x20\x07\x10\x09\x0c\x05"), None); // Indices of nothing.
        assert_eq!(says(b"\x03\x02\x01\x07\x0a\x04\x01\x02\x00\x0b"), None);
        assert_eq!(says(b"\x08\x01\x07"), None);
        assert_eq!(says(b"\x05\x05\x01\x00\xff\xff\x7f"), None);
    }

    #[test]
    fn what_comes_after_something_invalid_is_read() {
        assert_eq!(body(b"\x42\x00\xff").as_deref(), Some("illegal opcode: 0xff"));
        let message = body(b"\x42\x00\xfc\x09\x00");
        assert_eq!(message.as_deref(), Some("data count section required"));
    }

    #[test]
    fn every_section_is_read() {
        for (section, message) in [
            (&b"\x0e\x00"[..], "malformed section id"),
            (b"\x01\x04\x01\x60\x00\x01", "unexpected end-of-file in a type"),
            (b"\x02\x06\x01\x00\x00\x09\x00\x00", "invalid external kind: leading byte 0x9"),
            (b"\x03\x02\x02\x00", "unexpected end-of-file in a function"),
            (b"\x04\x04\x01\x70\x10\x00", "invalid table resizable limits flags"),
            (b"\x05\x03\x01\x10\x00", "invalid memory limits flags"),
            (b"\x06\x06\x01\x7f\x04\x41\x00\x0b", "malformed global flags"),
            (b"\x07\x05\x01\x01\xff\x00\x00", "malformed UTF-8 encoding"),
            (b"\x09\x02\x01\x09", "invalid flags byte in element segment"),
            (b"\x09\x04\x01\x01\x00\x01", "unexpected end-of-file in an element segment"),
            (b"\x09\x04\x01\x05\x70\x01", "unexpected end-of-file in an element segment"),
            (b"\x0b\x02\x01\x09", "invalid flags byte in data segment"),
            (b"\x0d\x03\x01\x01\x00", "invalid tag attributes"),
        ] {
            assert_eq!(says(section).as_deref(), Some(message), "{section:02x?}");
        }
    }

    #[test]
    fn a_number_goes_on_behind_its_section() {
        let memory = |size: u8, number: &[u8]| says(&[&[5, size, 1, 0], number].concat());
        let number = [0x80; 9];
        let ended = |end: u8| [&number[..], &[end]].concat();
        assert_eq!(memory(7, &ended(0x40)).as_deref(), Some("integer too large"));
        let longer = [0x80, 0x80].repeat(5);
        let longer = [&longer[..], &[0]].concat();
        assert_eq!(memory(8, &longer).as_deref(), Some("integer representation too long"));
        assert_eq!(
            memory(4, &[0x80, 0x80, 0x00]).as_deref(),
            Some("unexpected end-of-file in a memory")
        );
        assert_eq!(memory(8, &number).as_deref(), Some("unexpected end-of-file in a memory"));
    }
}
