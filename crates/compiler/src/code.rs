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
    /// The address of a routine of the runtime.
    #[cfg(feature = "optimize")]
    Runtime(Routine),
}

/// A routine of the runtime that native code calls or leaves to; what each wants is said
/// in `docs/calling-convention.md`.
#[cfg(feature = "optimize")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routine {
    /// Ends the activation with the trap in `ecx`; called, so that the return address says
    /// where.
    Trap,
    /// Runs threaded code, whose address is in `rdx`, on the scratch frame in `rsi`; called, and
    /// returns through the word behind that code.
    Handler,
    /// Throws: as `Handler`, but does not return here.
    Throw,
    /// Keeps all registers on the stack, [`KEPT`] bytes below the frame, and runs threaded
    /// code, whose address is in `r11`, on a scratch frame at the value top; called, and
    /// returns as `Handler`.
    Keep,
    /// Brings the registers back but `r11`, when the stack pointer is [`KEPT`] bytes below the
    /// frame; called, and returns with the stack pointer at the frame's end.
    Bring,
    /// Something cost more fuel than is active: keeps all registers, and returns with them if
    /// there is more; called.
    Refuel,
    /// Where a function returns to that was called by a tail call from another instance.
    Restore,
    /// Where handlers return to from the bottom of a world of slots.
    Ending,
    /// Ends a call of the host as the outcome in `rax` says, which is not that it went well;
    /// jumped to from a stub's frame, with the host function's context in `rdi`.
    Ended,
}

/// Bytes that [`Routine::Keep`] leaves below a frame: its return address, twelve registers
/// and fifteen of vectors.
#[cfg(feature = "optimize")]
pub const KEPT: i32 = 8 + 12 * 8 + 15 * 16;

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
    /// The loop headers, by label.
    pub loops: Vec<LoopEntry>,
    /// For each label that a catch clause names, in order, the offset of such a word.
    pub landings: Vec<(Label, u32)>,
    /// The offsets from which on another try is the innermost, or none; ascending.
    pub regions: Vec<(u32, Option<u32>)>,
    /// The calls that have a cell, in the order of these, and the type that each asks for.
    pub sites: Vec<(SourceLoc, u32)>,
    /// Whether it never asks for better code where it is measured how long functions run.
    pub is_silent: bool,
    /// The offsets from which on code belongs to another Wasm instruction; ascending.
    pub sources: Vec<(u32, SourceLoc)>,
    /// The instructions as text with their offsets, if they were asked for.
    pub listing: Option<Vec<(u32, String)>>,
}

/// A loop of a compiled function.
#[derive(Clone, Copy, Debug)]
pub struct LoopEntry {
    /// The header's label.
    pub label: Label,
    /// The label of the header of the loop that it is in.
    pub around: Option<Label>,
    /// The offset of the word through which an interpreter at the header, with all values
    /// in their slots, continues here.
    pub word: u32,
}

/// A function compiled with native frames, by the optimizing compiler.
#[cfg(feature = "optimize")]
#[derive(Clone, Debug, Default)]
pub struct NativeCode {
    /// Machine code, literals, and threaded code for handlers; 16-byte aligned when
    /// mapped.
    pub bytes: Vec<u8>,
    /// What has to be written into the bytes.
    pub relocations: Vec<Relocation>,
    /// The offset of the entry: with arguments in registers; that of on-stack replacement
    /// takes the frame left behind in `rsi` and nothing else.
    pub entry: u32,
    /// Bytes from the frame pointer down to the stack pointer, the same at every call.
    pub frame: u32,
    /// The clauses around calls and throws, by the offset they return to, ascending.
    pub landings: Vec<Landing>,
    /// The offset from which on the bytes are threaded code and data, and no instructions.
    pub data: u32,
    /// The offsets from which on code belongs to another Wasm instruction; ascending.
    pub sources: Vec<(u32, SourceLoc)>,
    /// The instructions as text with their offsets, if they were asked for.
    pub listing: Option<Vec<(u32, String)>>,
}

/// A clause of a call or throw of native code.
#[cfg(feature = "optimize")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The offset that the call returns to. Those of one call are in the order in which
    /// they are tried.
    pub call: u32,
    /// The tag that it catches; all exceptions without one.
    pub tag: Option<u32>,
    /// Whether the exception itself is wanted, behind the values.
    pub by_ref: bool,
    /// The offset to continue at, with the frame as it is at the call.
    pub target: u32,
}
