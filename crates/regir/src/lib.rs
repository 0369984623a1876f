//! The register IR of zwasm.
//!
//! A validated WebAssembly function body is translated in one forward pass into
//! the *slot form*: instructions over the 8-byte slots of a frame, with operands
//! that are slots or immediates. The slot form is not fused and not allocated to
//! registers; it is what the interpreter encodes into threaded code and what a
//! compiler reads.
//!
//! - [`ops`] declares every numeric and memory op once, with its opcode, text,
//!   types and meaning; enums, decoding, display and the interpreter's handlers
//!   are derived from that table.
//! - [`atomic_ops`] does the same for the atomic accesses.
//! - `simd_ops` and `simd` are the same for vectors (feature `simd`).
//! - [`opcodes`] reads the instructions of WebAssembly with their immediates.
//! - [`inst`] is the instruction set of the slot form.
//! - [`translate`] turns a body into a [`inst::Function`].
//! - [`source`] says which Wasm instruction an instruction came from.
//! - [`uses`] says what an instruction reads and writes.
//! - [`object`] is how objects lie in the collected heap.
//! - [`display`] prints it.
//! - [`work`] counts steps for tests.
#![forbid(unsafe_code)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "zwasm runs on 64-bit processors only: a slot of its frames holds an address or a \
     64-bit value, and a guest's memory takes 4 GiB of address space"
);
#[cfg(not(target_endian = "little"))]
compile_error!(
    "zwasm runs on little-endian processors only: a guest's memory is accessed as it lies \
     in the host's, and WebAssembly's is little-endian"
);

pub mod atomic_ops;
pub mod display;
pub mod gc;
pub mod inst;
#[cfg(feature = "simd")]
pub mod lanes;
pub mod object;
pub mod opcodes;
pub mod ops;
pub mod reader;
pub mod round;
#[cfg(feature = "simd")]
pub mod simd;
#[cfg(feature = "simd")]
pub mod simd_ops;
pub mod source;
pub mod translate;
mod tuning;
pub mod types;
pub mod uses;
pub mod work;

pub use atomic_ops::{AtomicKind, AtomicOp};
pub use inst::{Frame, Function, Inst, Label, Operand, Slot};
pub use object::Storage;
pub use ops::{BinaryOp, CompareOp, LoadOp, StoreOp, UnaryOp};
pub use source::{Inlined, SourceLoc};
pub use translate::{Checks, Inlining, TranslateError, Translator, Types};
pub use types::{Signature, TrapCode, Type};
