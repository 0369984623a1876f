//! The half of an assembler that is the same for every instruction set: bytes, labels,
//! words among the code, and the listing.
//!
//! A label that is not known yet leaves a fixup. What a fixup of an instruction looks
//! like is the instruction set's business (`patch`); words and tables are data and the
//! same everywhere. Addresses stand only in words, each with a relocation that says of
//! what: see [`crate::code`].

mod operand;

use crate::Threaded;
#[cfg(feature = "optimize")]
use crate::code::Routine;
use crate::code::{Field, Relocation, Value};
pub(crate) use operand::{Mem, Reg, Rm, at};

/// A position in the code, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AsmLabel(pub(crate) u32);

/// The bit of a label that says that it is near.
const NEAR: u32 = 1 << 31;

impl AsmLabel {
    /// The same position, for jumps forward that are thought to be short. Where one is not, it
    /// is out of reach.
    pub(crate) fn near(self) -> AsmLabel {
        AsmLabel(self.0 | NEAR)
    }

    #[cfg(feature = "x64")]
    pub(crate) fn is_near(self) -> bool {
        self.0 & NEAR != 0
    }

    fn index(self) -> usize {
        (self.0 & !NEAR) as usize
    }
}

impl std::fmt::Display for AsmLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "L{}", self.index())
    }
}

/// A place that a label's position goes to once it is known.
struct Fixup {
    place: u32,
    label: AsmLabel,
    kind: FixupKind,
}

enum FixupKind {
    /// An instruction, of a kind that the instruction set counts.
    Instruction(u8),
    /// A 64-bit offset that becomes an address.
    Address,
    /// A 32-bit distance from the first entry of its table.
    Table { start: u32 },
}

/// Where an unbound label is.
const UNBOUND: u32 = u32::MAX;

/// A byte that fills what is never executed.
const FILLER: u8 = 0xCC;

/// Literals that are looked at for one to use again: functions with very many of them
/// repeat few.
#[cfg(feature = "simd")]
const RECENT_LITERALS: usize = 64;

/// The code of one function while it is made.
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    fixups: Vec<Fixup>,
    labels: Vec<u32>,
    relocations: Vec<Relocation>,
    #[cfg(feature = "simd")]
    literals: Vec<([u64; 2], AsmLabel)>,
    listing: Option<Vec<(u32, String)>>,
}

/// A label that an instruction cannot reach.
#[derive(Debug)]
pub(crate) struct OutOfReach;

/// Code whose labels are resolved.
pub(crate) struct Finished {
    pub(crate) bytes: Vec<u8>,
    pub(crate) relocations: Vec<Relocation>,
    pub(crate) listing: Option<Vec<(u32, String)>>,
}

impl Buffer {
    pub(crate) fn new(listing: bool) -> Buffer {
        Buffer {
            bytes: Vec::new(),
            fixups: Vec::new(),
            labels: Vec::new(),
            relocations: Vec::new(),
            #[cfg(feature = "simd")]
            literals: Vec::new(),
            listing: listing.then(Vec::new),
        }
    }

    /// Whether instructions are kept as text.
    pub(crate) fn lists(&self) -> bool {
        self.listing.is_some()
    }

    /// Keeps a line of text for what comes next.
    #[cold]
    pub(crate) fn list(&mut self, text: String) {
        let offset = self.offset();
        if let Some(listing) = &mut self.listing {
            listing.push((offset, text));
        }
    }

    /// The offset of the next byte.
    pub(crate) fn offset(&self) -> u32 {
        self.bytes.len() as u32
    }

    pub(crate) fn new_label(&mut self) -> AsmLabel {
        self.labels.push(UNBOUND);
        AsmLabel(self.labels.len() as u32 - 1)
    }

    /// Binds a label to the next byte.
    pub(crate) fn bind(&mut self, label: AsmLabel) {
        self.labels[label.index()] = self.offset();
        if self.lists() {
            self.list(format!("{label}:"));
        }
    }

    /// The offset a label is bound to, if it is bound yet.
    #[cfg(feature = "x64")]
    pub(crate) fn bound(&self, label: AsmLabel) -> Option<u32> {
        Some(self.position(label)).filter(|position| *position != UNBOUND)
    }

    /// The offset a label is bound to.
    pub(crate) fn position(&self, label: AsmLabel) -> u32 {
        self.labels[label.index()]
    }

    /// The next bytes are an instruction that names a label.
    pub(crate) fn refer(&mut self, label: AsmLabel, kind: u8) {
        let place = self.offset();
        self.fixups.push(Fixup { place, label, kind: FixupKind::Instruction(kind) });
    }

    /// The field at an offset is to become what `value` says when the code is mapped.
    pub(crate) fn relocate(&mut self, at: u32, field: Field, value: Value) {
        self.relocations.push(Relocation { at, field, value });
    }

    /// Appends a word of data.
    pub(crate) fn word(&mut self, value: u64) {
        if self.lists() {
            self.list(format!("word {value:#x}"));
        }
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends a word that says where a handler is. In a listing it stands for `what`.
    pub(crate) fn handler(&mut self, id: i64, what: &dyn std::fmt::Display) {
        if self.lists() {
            self.list(format!("handler {what}"));
        }
        self.relocate(self.offset(), Field::Word64, Value::Handler(id));
        self.bytes.extend_from_slice(&[0; 8]);
    }

    /// Appends threaded code. In a listing handlers stand for `what`.
    pub(crate) fn threaded(&mut self, code: &Threaded, what: &dyn std::fmt::Display) {
        let first = self.offset();
        let mut relocations = code.relocations.iter().peekable();
        for (index, word) in code.words.iter().enumerate() {
            let end = (index as u32 + 1) * 8;
            match relocations.next_if(|each| each.at < end) {
                Some(Relocation { value: Value::Handler(id), .. }) => self.handler(*id, what),
                Some(Relocation { at, field, value }) => {
                    self.relocate(first + at, *field, *value);
                    self.word(*word);
                }
                None => self.word(*word),
            }
        }
    }

    /// Appends the address of a routine of the runtime.
    #[cfg(feature = "optimize")]
    pub(crate) fn routine(&mut self, routine: Routine) {
        if self.lists() {
            self.list(format!("routine {routine:?}"));
        }
        self.relocate(self.offset(), Field::Word64, Value::Runtime(routine));
        self.bytes.extend_from_slice(&[0; 8]);
    }

    /// Appends the address of a label.
    pub(crate) fn address(&mut self, label: AsmLabel) {
        if self.lists() {
            self.list(format!("address {label}"));
        }
        let place = self.offset();
        self.fixups.push(Fixup { place, label, kind: FixupKind::Address });
        self.bytes.extend_from_slice(&[0; 8]);
    }

    /// Appends a table of distances from its own start.
    pub(crate) fn table(&mut self, labels: &[AsmLabel]) {
        let start = self.offset();
        for &label in labels {
            if self.lists() {
                self.list(format!("entry {label}"));
            }
            let place = self.offset();
            self.fixups.push(Fixup { place, label, kind: FixupKind::Table { start } });
            self.bytes.extend_from_slice(&[0; 4]);
        }
    }

    /// The label of 16 bytes of data, which will stand aligned behind the code.
    #[cfg(feature = "simd")]
    pub(crate) fn literal(&mut self, halves: [u64; 2]) -> AsmLabel {
        let recent = self.literals.iter().rev().take(RECENT_LITERALS);
        if let Some((_, label)) = recent.into_iter().find(|(each, _)| *each == halves) {
            return *label;
        }
        let label = self.new_label();
        self.literals.push((halves, label));
        label
    }

    /// Appends the literals.
    #[cfg(feature = "simd")]
    pub(crate) fn place_literals(&mut self) {
        let literals = std::mem::take(&mut self.literals);
        if !literals.is_empty() {
            self.align(16);
        }
        for (halves, label) in literals {
            self.bind(label);
            for half in halves {
                self.word(half);
            }
        }
    }

    /// Fills up with bytes that are never executed until the offset is a multiple
    /// of `align`.
    pub(crate) fn align(&mut self, align: usize) {
        let len = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(len, FILLER);
    }

    /// Resolves all labels. `patch` makes the instruction that the bytes start with, of
    /// one of the kinds given to [`Buffer::refer`], name what is so far from its start;
    /// whether it can.
    ///
    /// # Errors
    ///
    /// If an instruction cannot reach its label.
    pub(crate) fn finish(
        mut self,
        patch: fn(u8, &mut [u8], i64) -> bool,
    ) -> Result<Finished, OutOfReach> {
        for Fixup { place, label, kind } in &self.fixups {
            let target = self.labels[label.index()];
            let at = *place as usize;
            match kind {
                FixupKind::Instruction(kind) => {
                    let distance = i64::from(target) - i64::from(*place);
                    if !patch(*kind, &mut self.bytes[at..], distance) {
                        return Err(OutOfReach);
                    }
                }
                FixupKind::Address => {
                    let value = Value::Own(target);
                    self.relocations.push(Relocation { at: *place, field: Field::Word64, value });
                }
                FixupKind::Table { start } => {
                    self.bytes[at..at + 4]
                        .copy_from_slice(&target.wrapping_sub(*start).to_le_bytes());
                }
            }
        }
        Ok(Finished { bytes: self.bytes, relocations: self.relocations, listing: self.listing })
    }
}
