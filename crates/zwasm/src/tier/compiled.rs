//! The machine code of a module's functions.
//!
//! Code belongs to the module and is shared by its instances and their threads.
//! There are two variants of it, made as needed: one leaves the bounds of memories
//! to guard pages, the other checks them, for instances with a memory that has no
//! guard pages. A function that could not be compiled is remembered as such.

use std::sync::OnceLock;

use super::code_memory::Chunk;
use super::environment::ModuleEnvironment;
use super::signals;
use crate::code::catches::CatchTable;
use crate::code::{Code, Text};
#[cfg(feature = "trace")]
use crate::error::{Error, ErrorKind, Result};
use crate::interp;
use crate::module::Inner;
use zwasm_compiler::{CompiledCode, baseline};
use zwasm_regir::{Function, Label};

/// A variant of the code of all functions that a module defines.
type Variant = Box<[OnceLock<Option<Box<Code>>>]>;

/// The machine code of a module.
#[derive(Default)]
pub(crate) struct Compiled {
    checked: OnceLock<Variant>,
    guarded: OnceLock<Variant>,
}

/// The machine code of one function.
pub(crate) struct MachineCode {
    chunk: Chunk,
    /// Loop headers by label, and the offsets of the words to continue through.
    loops: Box<[(Label, u32)]>,
    /// The offsets from which on code belongs to another Wasm instruction.
    offsets: Box<[(u32, u32)]>,
}

impl Compiled {
    /// The code of a defined function, for an instance whose memories are guarded
    /// or not; none if it cannot be compiled.
    pub(crate) fn get(&self, module: &Inner, defined: u32, guarded: bool) -> Option<&Code> {
        let guarded = guarded && signals::install();
        let variant = if guarded { &self.guarded } else { &self.checked };
        let variant =
            variant.get_or_init(|| module.bodies.iter().map(|_| OnceLock::new()).collect());
        let code = variant[defined as usize].get_or_init(|| compile(module, defined, guarded));
        code.as_deref()
    }
}

fn compile(module: &Inner, defined: u32, guarded: bool) -> Option<Box<Code>> {
    let function = interp::code::translate(module, defined).ok()?;
    let env = ModuleEnvironment::new(module, &function, guarded);
    let code = baseline::compile(&function, &env, false)?;
    #[cfg(feature = "trace")]
    module.engine.config().observer.tell(
        crate::observe::Trace::JIT,
        format_args!(
            "f{} compiled: {} instructions, {} bytes",
            module.imported_funcs + defined,
            function.insts.len(),
            code.bytes.len()
        ),
    );
    // Frames change hands between the tiers, so their sizes must be the same.
    let first = code.bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    (first == Some(interp::encode::frame_bytes(&function))).then_some(())?;
    install(&function, defined, code)
}

/// The machine code of a function, as text with a line for each instruction.
///
/// # Errors
///
/// Those of [`interp::code::translate`], and if the function cannot be compiled.
#[cfg(feature = "trace")]
pub(crate) fn listing(module: &Inner, defined: u32) -> Result<String> {
    let function = interp::code::translate(module, defined)?;
    let env = ModuleEnvironment::new(module, &function, module.engine.config().guard_pages);
    let code = baseline::compile(&function, &env, true)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "the function cannot be compiled"))?;
    let lines = code.listing.unwrap_or_default();
    Ok(lines.iter().map(|(offset, text)| format!("{offset:#07x}  {text}\n")).collect())
}

/// Maps code and keeps what belongs to it.
fn install(function: &Function, defined: u32, code: CompiledCode) -> Option<Box<Code>> {
    let CompiledCode { bytes, relocations, loops, landings, regions, offsets, .. } = code;
    let chunk = Chunk::new(&bytes, &relocations)?;
    let landing = |label: Label| {
        let landing = landings.iter().find(|(at, _)| *at == label);
        // A clause whose label was not compiled is in code that is never reached.
        landing.map_or(0, |(_, offset)| *offset)
    };
    Some(Box::new(Code {
        defined,
        header: function.frame.header,
        catches: CatchTable::new(function, regions, landing),
        text: Text::Machine(MachineCode { chunk, loops: loops.into(), offsets: offsets.into() }),
    }))
}

impl MachineCode {
    /// The first byte.
    pub(crate) fn start(&self) -> *const u8 {
        self.chunk.start()
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.chunk.len()
    }

    /// The module offset of the Wasm instruction that the code at an offset
    /// belongs to.
    pub(crate) fn wasm_offset(&self, position: usize) -> Option<u32> {
        let after = self.offsets.partition_point(|(from, _)| *from as usize <= position);
        Some(self.offsets[..after].last()?.1)
    }
}

impl Code {
    /// The offset of the word through which an interpreter at the loop header with
    /// this label continues.
    pub(crate) fn loop_entry(&self, label: u32) -> Option<usize> {
        let Text::Machine(code) = &self.text else { return None };
        let entry = code.loops.iter().find(|(at, _)| *at == Label(label));
        entry.map(|(_, offset)| *offset as usize)
    }
}
