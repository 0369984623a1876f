//! What compiling makes: bytes, and what has to be written into them when it is known
//! where they are.
//!
//! The bytes name no address and no number that this process gave out, so that they are
//! the same wherever and whenever they are made. What they need of that kind is said by
//! relocations.

use zwasm_regir::{Label, SourceLoc};

/// A field of the code that is written when the code is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The offset of the field.
    pub at: u32,
    /// What the field looks like.
    pub field: Field,
    /// What it becomes.
    pub value: Value,
}

/// The shape of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 64 bits, in the host's order.
    Word64,
    /// 32 bits, in the host's order.
    Word32,
    /// AArch64: the immediates of a `movz` and the `movk` behind it, 32 bits in all.
    Moves,
}

/// What a field becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The address of an offset in the code itself.
    Own(u32),
    /// The address of a handler of the interpreter, by the number that the environment
    /// gave it.
    Handler(i64),
    /// The canonical number of a type of the module, by its index, in a form.
    Type(u32, TypeForm),
}

/// What is written of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeForm {
    /// Its canonical number.
    Number,
    /// The first word of the headers of its objects.
    Header,
}

/// A compiled function.
///
/// `bytes` starts with the two words of a body: the frame's size in bytes and the
/// address of the entry.
#[derive(Clone, Debug, Default)]
pub struct CompiledCode {
    /// Machine code and the words among it; 16-byte aligned when mapped.
    pub bytes: Vec<u8>,
    /// What has to be written into the bytes.
    pub relocations: Vec<Relocation>,
    /// For each loop header, its label and the offset of the word through which an
    /// interpreter at that header, with all values in their slots, continues here.
    pub loops: Vec<(Label, u32)>,
    /// For each label that a catch clause names, in order, the offset of such a word.
    pub landings: Vec<(Label, u32)>,
    /// The offsets from which on another try is the innermost, or none; ascending.
    pub regions: Vec<(u32, Option<u32>)>,
    /// The offsets from which on code belongs to another Wasm instruction; ascending.
    pub sources: Vec<(u32, SourceLoc)>,
    /// The instructions as text with their offsets, if they were asked for.
    pub listing: Option<Vec<(u32, String)>>,
}
