//! Optimized code of functions, as those who walk frames know it.

use std::sync::Arc;

use super::code_memory::{Chunk, World};
use super::environment::ModuleEnvironment;
use super::stubs::{self, Stubs};
use super::tell::{Told, tell};
use super::{host, link};
use crate::code::catches::{CatchTable, Clause};
use crate::code::translate::translate_with;
use crate::code::{Code, Text};
use crate::error::ErrorKind;
use crate::module::Inner;
use zwasm_compiler::code::Landing;
use zwasm_compiler::optimize::{self, Entry};
#[cfg(feature = "trace")]
use zwasm_compiler::target::Target;
use zwasm_compiler::{CompileError, code};
use zwasm_regir::source::Inlined;
use zwasm_regir::{Function, Inlining, Inst, Label, SourceLoc};

/// The native code of one function.
pub(crate) struct NativeCode {
    chunk: Arc<Chunk>,
    len: usize,
    /// The offset of the entry.
    entry: u32,
    /// Bytes from the frame pointer down to the stack pointer.
    frame: u32,
    /// The stubs of the function's signature.
    stubs: &'static Stubs,
    landings: Box<[Landing]>,
    /// The offsets from which on code belongs to another Wasm instruction.
    sources: Box<[(u32, SourceLoc)]>,
    /// The calls that were inlined.
    inlined: Box<[Inlined]>,
}

/// Compiles a function for a kind of instances; for frames of its other tiers at a loop
/// header, by its label there, or for its start.
///
/// # Errors
///
/// If it cannot be compiled or mapped, or `stop` says to give up.
pub(super) fn compile(
    module: &Inner,
    defined: u32,
    guarded: bool,
    header: Option<Label>,
    stop: &dyn Fn() -> bool,
) -> Result<Code, CompileError> {
    #[cfg(feature = "trace")]
    let start = crate::sys::thread_time();
    let made = compile_silently(module, defined, guarded, header, stop);
    #[cfg(feature = "trace")]
    {
        let what = if header.is_some() { " from a loop on" } else { "" };
        let became = match &made {
            Ok(Code { text: Text::Native(code), .. }) => {
                format!("optimized{what}: {} calls inlined, {} bytes", code.inlined.len(), code.len)
            }
            Ok(_) => format!("optimized{what}"),
            Err(CompileError::Unsupported) => {
                format!("left behind{what}: too much for the optimizing compiler")
            }
            Err(CompileError::Stopped) => format!("given up{what}: nobody wants it any more"),
        };
        let (func, bytes) = (module.func_index(defined), module.body(defined).len());
        let time = (crate::sys::thread_time() - start) / 1000;
        module.engine.config().observer.tell(
            crate::observe::Trace::JIT,
            format_args!("f{func} {became}, of {bytes} bytes of code, {time} us"),
        );
    }
    made
}

fn compile_silently(
    module: &Inner,
    defined: u32,
    guarded: bool,
    header: Option<Label>,
    stop: &dyn Fn() -> bool,
) -> Result<Code, CompileError> {
    let ty = module.funcs[module.func_index(defined) as usize];
    let stubs = stubs::of(module.signature(ty), module.engine.config().consume_fuel)
        .ok_or(CompileError::Unsupported)?;
    let translated = |inlining| {
        translate_with(module, defined, inlining, stop).map_err(|error| match error.kind() {
            ErrorKind::Interrupted => CompileError::Stopped,
            _ => CompileError::Unsupported,
        })
    };
    let function = translated(Inlining::Large)?;
    let entry = match header {
        None => Entry::Start,
        Some(label) => {
            let other = translated(Inlining::Small)?;
            let label = counterpart(&function, &other, label).ok_or(CompileError::Unsupported)?;
            Entry::Loop { label, frame: other.frame }
        }
    };
    let target = host::target(module.engine.config().code.oldest_processor);
    let mut env = ModuleEnvironment::new(module, &function, guarded, target, stop);
    env.own = header.is_none().then(|| module.func_index(defined));
    let code = optimize::compile(&function, &env, entry, false)?;
    map(module, defined, code, function.inlined, stubs).ok_or(CompileError::Unsupported)
}

/// The code of a function with its listing, and the calls that were inlined; none if it
/// cannot be compiled.
#[cfg(feature = "trace")]
pub(super) fn listed(
    module: &Inner,
    defined: u32,
    target: Target,
) -> Option<(code::NativeCode, Vec<Inlined>)> {
    let never = &|| false;
    let function = translate_with(module, defined, Inlining::Large, never).ok()?;
    let guarded = module.engine.config().guard_pages;
    let env = ModuleEnvironment::new(module, &function, guarded, target, never);
    let code = optimize::compile(&function, &env, Entry::Start, true).ok()?;
    Some((code, function.inlined))
}

/// The label of the loop header in one translation of a function that has the label `of` in
/// another.
fn counterpart(function: &Function, other: &Function, of: Label) -> Option<Label> {
    let header = Inst::Label { label: of, loop_header: true };
    let index = other.insts.iter().position(|inst| *inst == header)?;
    let place = other.sources[index].offset(&other.inlined);
    let mut insts = function.insts.iter().zip(&function.sources);
    insts.find_map(|(inst, source)| match *inst {
        Inst::Label { label, loop_header: true }
            if !source.is_inlined() && source.offset(&[]) == place =>
        {
            Some(label)
        }
        _ => None,
    })
}

/// Maps compiled code; none if there is no memory for it, or the engine may not have more.
fn map(
    module: &Inner,
    defined: u32,
    code: code::NativeCode,
    inlined: Vec<Inlined>,
    stubs: &'static Stubs,
) -> Option<Code> {
    let code::NativeCode { mut bytes, relocations, entry, frame, landings, sources, .. } = code;
    let mut own = Vec::new();
    link::link(Some(module), &relocations, &mut bytes, 0, &mut own)?;
    let mut chunk = Chunk::new(World::Native, Some(&module.engine), &bytes, &own)?;
    let told = Told {
        defined,
        range: entry as usize..bytes.len(),
        start: 0,
        sources: &sources,
        inlined: &inlined,
    };
    tell(module, &mut chunk, " (optimized)", [told].into_iter());
    let native = NativeCode {
        chunk: Arc::new(chunk),
        len: bytes.len(),
        entry,
        frame,
        stubs,
        landings: landings.into(),
        sources: sources.into(),
        inlined: inlined.into(),
    };
    Some(Code { defined, header: 0, catches: CatchTable::none(), text: Text::Native(native) })
}

impl NativeCode {
    /// The first byte.
    pub(crate) fn start(&self) -> *const u8 {
        self.chunk.start()
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What is called with arguments in registers.
    pub(crate) fn entry(&self) -> *const u8 {
        self.start().wrapping_add(self.entry as usize)
    }

    /// Where a frame of slots at the loop header goes on whose replacement this is: the
    /// word to jump through, with the frame as it is, and what the accumulator has to be.
    pub(crate) fn replace(&self) -> (*const u64, u64) {
        (self.stubs.replace(), self.entry() as u64)
    }

    /// What function records point at.
    pub(crate) fn body(&self) -> *const u64 {
        self.stubs.body()
    }

    /// Bytes from the frame pointer down to the stack pointer.
    pub(crate) fn frame(&self) -> usize {
        self.frame as usize
    }

    /// The clauses around the call that the offset is part of, innermost first.
    pub(crate) fn clauses(&self, position: usize) -> impl Iterator<Item = Clause> {
        // Landings are by where the call returns to.
        let first = self.landings.partition_point(|landing| landing.call as usize <= position);
        let call = self.landings.get(first).map(|landing| landing.call);
        let is_it = call.filter(|call| *call as usize == position + 1);
        let all = self.landings[first..].iter();
        all.take_while(move |landing| Some(landing.call) == is_it).map(|landing| Clause {
            tag: landing.tag,
            by_ref: landing.by_ref,
            base: 0,
            target: landing.target,
        })
    }

    /// The module offsets of the instruction at an offset, and of the inlined calls around
    /// it, innermost first.
    pub(crate) fn offsets(&self, position: usize) -> Box<[u32]> {
        let after = self.sources.partition_point(|(from, _)| *from as usize <= position);
        match self.sources[..after].last() {
            Some((_, source)) => source.offsets(&self.inlined).collect(),
            None => Box::default(),
        }
    }
}

#[cfg(all(test, feature = "wat"))]
mod tests;
