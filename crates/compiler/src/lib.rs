//! From register IR to machine code.
//!
//! Knows the layout of what code addresses ([`VmLayout`]) and asks the runtime
//! about the module through [`Environment`]; knows nothing else of the runtime.
//! The result is plain bytes for a [`target::Target`], which need not be this machine,
//! and relocations: who maps them executable, and when, is not decided here.
//!
//! Compiled code speaks the interpreter's convention (`docs/calling-convention.md`):
//! it is entered like a handler, with the same registers, by a jump through the
//! word that the instruction pointer names, and leaves the same way. An op that
//! is not worth code of its own is therefore a jump to the interpreter's handler
//! with the instruction's threaded code and, behind it, a word that leads back.

#![forbid(unsafe_code)]

mod asm;
pub mod baseline;
mod bulk;
pub mod code;
mod environment;
mod heap;
mod isa;
#[cfg(feature = "optimize")]
pub mod lower;
#[cfg(feature = "optimize")]
pub mod opt;
#[cfg(feature = "optimize")]
pub mod optimize;
#[cfg(feature = "optimize")]
pub mod ssa;
pub mod target;
#[cfg(all(test, feature = "optimize"))]
mod testing;
mod tuning;

pub use baseline::counting::CELL;
pub use environment::{
    Asking, Counting, Environment, HeapType, MemoryInfo, Place, StructType, Threaded, VmLayout,
};

/// Why there is no machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// The function has to be interpreted.
    Unsupported,
    /// The environment said so.
    Stopped,
}
