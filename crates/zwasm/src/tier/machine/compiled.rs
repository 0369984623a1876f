//! The machine code of a module's functions.
//!
//! Code belongs to the module and is shared by its instances and their threads.
//! There are variants of it, made as needed: for each compiler one that leaves the
//! bounds of memories to guard pages, and one that checks them, for instances with a
//! memory that has no guard pages. A function that could not be compiled is remembered as such.

use std::ops::Range;
#[cfg(optimizer)]
use std::sync::atomic::AtomicU32;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use super::code_memory::{Chunk, World};
use super::environment::ModuleEnvironment;
#[cfg(optimizer)]
use super::native;
use super::signals;
use super::tell::{Told, tell};
use super::{host, link};
use crate::code::catches::CatchTable;
use crate::code::translate::{frame_bytes, translate};
use crate::code::{Code, Text};
#[cfg(feature = "trace")]
use crate::error::Error;
use crate::error::{ErrorKind, Result, Trap};
use crate::module::Inner;
#[cfg(optimizer)]
use crate::store::vmctx::FuncRecord;
#[cfg(optimizer)]
use crate::tier::promote::Promotions;
use crate::tier::{Tier, Variant};
use crate::tuning::{CALLING_INSTANCES, CODE_ALIGN, CODE_GROUP};
#[cfg(optimizer)]
use crate::tuning::{MAX_CELLS, MAX_REPLACEMENTS};
#[cfg(optimizer)]
use zwasm_compiler::Asking;
use zwasm_compiler::code::{CompiledCode, LoopEntry};
#[cfg(all(optimizer, feature = "trace"))]
use zwasm_compiler::target::Isa;
use zwasm_compiler::{CELL, CompileError, Counting, baseline};
#[cfg(optimizer)]
use zwasm_regir::Inst;
use zwasm_regir::{Function, Inlined, Label, SourceLoc};

/// The code of all functions that a module defines, in one variant.
type Functions = Box<[OnceLock<Option<Box<Code>>>]>;

/// The machine code of a module, by the numbers of its variants.
#[derive(Default)]
pub(crate) struct Compiled {
    variants: [OnceLock<Functions>; Variant::COUNT],
    #[cfg(optimizer)]
    replacements: OnceLock<Box<[OnceLock<Box<Replacement>>]>>,
    /// How many instances have called each function, as far as that matters.
    callers: OnceLock<Box<[AtomicU8]>>,
    /// How long each function has run in baseline code. Microseconds.
    #[cfg(optimizer)]
    spent: OnceLock<Box<[AtomicU32]>>,
    /// How many cells the call sites of baseline code have.
    #[cfg(optimizer)]
    cells: AtomicU32,
    /// What is asked for and known of functions to be optimized.
    #[cfg(optimizer)]
    pub(crate) promotions: Promotions,
}

impl Tier {
    const ALL: &[Tier] = &[
        Tier::Baseline,
        #[cfg(optimizer)]
        Tier::Optimized,
    ];
}

impl Variant {
    /// How many there are.
    const COUNT: usize = Tier::ALL.len() * 2;

    /// Compiles and maps a function; none if there is no memory for it, or the engine may
    /// not have more.
    fn compile(
        self,
        module: &Inner,
        defined: u32,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Code>, CompileError> {
        match self.tier {
            Tier::Baseline => {
                let mut group = Group::default();
                group.add(module, defined, self.guarded, stop)?;
                Ok(group.map(module).pop())
            }
            #[cfg(optimizer)]
            Tier::Optimized => native::compile(module, defined, self.guarded, None, stop).map(Some),
        }
    }

    /// The variant's place among them.
    fn number(self) -> usize {
        self.tier as usize * 2 + usize::from(self.guarded)
    }
}

/// The machine code of one function.
pub(crate) struct MachineCode {
    /// Holds this function, and perhaps others.
    chunk: Arc<Chunk>,
    /// Where the function's bytes are in it.
    range: Range<usize>,
    /// The loop headers, by label.
    loops: Box<[LoopEntry]>,
    /// The offsets from which on code belongs to another Wasm instruction.
    sources: Box<[(u32, SourceLoc)]>,
    /// The calls that have cells: where in the module, and the type that each asks for.
    #[cfg_attr(not(optimizer), expect(dead_code, reason = "nothing is optimized"))]
    sites: Box<[(u32, u32)]>,
    /// The first of the cells among those of the module.
    #[cfg_attr(not(optimizer), expect(dead_code, reason = "nothing is optimized"))]
    first_cell: u32,
    /// Whether it never asks for better code.
    #[cfg(optimizer)]
    pub(crate) is_silent: bool,
}

impl Compiled {
    /// The code of a defined function; none if it cannot be compiled. If it is to be
    /// guarded, the instance's memories are. `stop` is asked now and then whether to
    /// give up.
    ///
    /// # Errors
    ///
    /// An interrupt when it was to give up; that is not remembered.
    pub(crate) fn get(
        &self,
        module: &Inner,
        defined: u32,
        variant: Variant,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<&Code>> {
        let variant = possible(variant);
        let cell = &self.functions(module, variant)[defined as usize];
        if cell.get().is_none() {
            let code = match variant.compile(module, defined, stop) {
                Ok(code) => code.map(Box::new),
                Err(CompileError::Unsupported) => None,
                Err(CompileError::Stopped) => return Err(Trap::Interrupt.into()),
            };
            // If another thread was faster, its code is as good.
            let _ = cell.set(code);
        }
        Ok(cell.get().and_then(|code| code.as_deref()))
    }

    /// Compiles every function, by the optimizing compiler if that is how the engine starts
    /// functions, and what that refuses by the baseline compiler. The bytes of machine code.
    pub(crate) fn all(&self, module: &Inner, guarded: bool) -> usize {
        #[cfg(optimizer)]
        if module.engine.config().strategy == crate::tier::Strategy::Optimizing {
            let get = |defined, tier| {
                self.get(module, defined, Variant { tier, guarded }, &|| false).ok().flatten()
            };
            let bytes = |defined| {
                let code = get(defined, Tier::Optimized).or_else(|| get(defined, Tier::Baseline));
                code.map_or(0, Code::len)
            };
            return (0..module.bodies.len() as u32).map(bytes).sum();
        }
        let variant = possible(Variant { tier: Tier::Baseline, guarded });
        let functions = self.functions(module, variant);
        let mut group = Group::default();
        for (defined, cell) in functions.iter().enumerate() {
            let never = &|| false;
            if cell.get().is_none()
                && group.add(module, defined as u32, variant.guarded, never).is_err()
            {
                let _ = cell.set(None);
            }
            if group.bytes.len() >= CODE_GROUP || defined + 1 == functions.len() {
                for code in std::mem::take(&mut group).map(module) {
                    let _ = functions[code.defined as usize].set(Some(Box::new(code)));
                }
            }
        }
        functions.iter().filter_map(|cell| cell.get()?.as_deref()).map(Code::len).sum()
    }

    /// How many functions there is optimized code for.
    #[cfg(optimizer)]
    pub(crate) fn optimized(&self) -> usize {
        let of = |functions: &Functions| {
            functions.iter().filter(|code| matches!(code.get(), Some(Some(_)))).count()
        };
        let numbers =
            [false, true].map(|guarded| Variant { tier: Tier::Optimized, guarded }.number());
        numbers.iter().filter_map(|number| self.variants[*number].get()).map(of).sum()
    }

    /// Optimized code that goes on from frames of a function at the loop header with this
    /// label; none if it cannot be compiled.
    ///
    /// # Errors
    ///
    /// As [`Compiled::get`].
    #[cfg(optimizer)]
    pub(crate) fn replacement(
        &self,
        module: &Inner,
        defined: u32,
        guarded: bool,
        label: Label,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<&Code>> {
        let guarded = guarded && signals::install();
        let all = self
            .replacements
            .get_or_init(|| module.bodies.iter().map(|_| OnceLock::new()).collect());
        let mut place = &all[defined as usize];
        let mut before = 0;
        while let Some(other) = place.get() {
            if (other.guarded, other.label) == (guarded, label) {
                return Ok(other.code.as_ref());
            }
            place = &other.next;
            before += 1;
        }
        if before >= MAX_REPLACEMENTS {
            return Ok(None);
        }
        let code = match native::compile(module, defined, guarded, Some(label), stop) {
            Ok(code) => Some(code),
            Err(CompileError::Unsupported) => None,
            Err(CompileError::Stopped) => return Err(Trap::Interrupt.into()),
        };
        let mut made = Box::new(Replacement { guarded, label, code, next: OnceLock::new() });
        // Another thread may have made something meanwhile, which this is behind then.
        while let Err(again) = place.set(made) {
            made = again;
            let Some(other) = place.get() else { return Ok(None) };
            place = &other.next;
        }
        Ok(place.get().and_then(|made| made.code.as_ref()))
    }

    /// Counts an instance that calls a function: whether so many have done so that it is
    /// worth compiling, however little each of them does.
    pub(crate) fn meet(&self, module: &Inner, defined: u32) -> bool {
        let none = || module.bodies.iter().map(|_| AtomicU8::new(0)).collect();
        let count = &self.callers.get_or_init(none)[defined as usize];
        // One that is lost among threads does not matter.
        let before = count.load(Ordering::Relaxed);
        count.store(before.saturating_add(1), Ordering::Relaxed);
        before >= CALLING_INSTANCES
    }

    /// A function has run in baseline code for so many nanoseconds.
    #[cfg(optimizer)]
    pub(crate) fn spend(&self, module: &Inner, defined: u32, time: i64) {
        let none = || module.bodies.iter().map(|_| AtomicU32::new(0)).collect();
        let spent = &self.spent.get_or_init(none)[defined as usize];
        let time = u32::try_from(time / 1000).unwrap_or(0);
        // It starts anew after an hour, and then it was not to be optimized.
        spent.fetch_add(time, Ordering::Relaxed);
    }

    /// How long a function has run in baseline code. Nanoseconds.
    #[cfg(optimizer)]
    pub(crate) fn spent(&self, defined: u32) -> i64 {
        let all = self.spent.get();
        all.map_or(0, |all| i64::from(all[defined as usize].load(Ordering::Relaxed)) * 1000)
    }

    /// What has become of a function in a variant: none if nobody has asked for it.
    pub(crate) fn made(&self, defined: u32, variant: Variant) -> Option<Option<&Code>> {
        let functions = self.variants[possible(variant).number()].get()?;
        functions[defined as usize].get().map(|code| code.as_deref())
    }

    /// The same of the code for frames at a loop header.
    #[cfg(optimizer)]
    pub(crate) fn made_replacement(
        &self,
        defined: u32,
        guarded: bool,
        label: Label,
    ) -> Option<Option<&Code>> {
        let guarded = guarded && signals::install();
        let mut place = &self.replacements.get()?[defined as usize];
        let mut before = 0;
        while let Some(other) = place.get() {
            if (other.guarded, other.label) == (guarded, label) {
                return Some(other.code.as_ref());
            }
            place = &other.next;
            before += 1;
        }
        (before >= MAX_REPLACEMENTS).then_some(None)
    }

    /// What baseline code of a function does to be optimized, if it is to be, and where the
    /// function's record is; it gets its cells.
    fn counting(
        &self,
        module: &Inner,
        defined: u32,
        function: &Function,
    ) -> Option<(Counting, u32)> {
        #[cfg(optimizer)]
        if crate::tier::counts_in_baseline(module.engine.config()) {
            let has_cell =
                |inst: &&Inst| matches!(inst, Inst::CallIndirect { .. } | Inst::CallRef { .. });
            let sites = function.insts.iter().filter(has_cell).count() as u32;
            let add = |cells: u32| cells.checked_add(sites).filter(|sum| *sum <= MAX_CELLS);
            let first = self.cells.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
            let record = module.record_offset(defined);
            let counter = record + std::mem::offset_of!(FuncRecord, patience) as u32;
            let asking = match crate::tier::samples(module.engine.config()) {
                true => Asking::Sampled,
                false => Asking::Counter(counter),
            };
            return Some((Counting { asking, cells: first * CELL }, record));
        }
        let _ = (module, defined, function);
        None
    }

    fn functions(&self, module: &Inner, variant: Variant) -> &Functions {
        let functions = &self.variants[variant.number()];
        functions.get_or_init(|| module.bodies.iter().map(|_| OnceLock::new()).collect())
    }
}

/// Code for the rest of a function from a loop header on. A function has a few of them,
/// each of which leads to the next.
#[cfg(optimizer)]
struct Replacement {
    guarded: bool,
    label: Label,
    /// None if it could not be compiled.
    code: Option<Code>,
    next: OnceLock<Box<Replacement>>,
}

/// The variant, checked where faults cannot be handled.
fn possible(variant: Variant) -> Variant {
    Variant { guarded: variant.guarded && signals::install(), ..variant }
}

/// Compiled functions whose code is mapped together.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    relocations: Vec<u32>,
    members: Vec<Member>,
}

/// A function of a group, and where its bytes are.
struct Member {
    defined: u32,
    header: u32,
    catches: CatchTable,
    range: Range<usize>,
    loops: Box<[LoopEntry]>,
    sources: Box<[(u32, SourceLoc)]>,
    inlined: Vec<Inlined>,
    sites: Box<[(u32, u32)]>,
    first_cell: u32,
    is_silent: bool,
}

fn compile(
    module: &Inner,
    defined: u32,
    guarded: bool,
    stop: &dyn Fn() -> bool,
) -> Result<(Function, CompiledCode, u32), CompileError> {
    let function = translate(module, defined, stop).map_err(|error| {
        let stopped = error.kind() == ErrorKind::Interrupted;
        if stopped { CompileError::Stopped } else { CompileError::Unsupported }
    })?;
    let target = host::target(module.engine.config().code.oldest_processor);
    let counting = module.compiled.counting(module, defined, &function);
    let env = ModuleEnvironment::new(module, &function, guarded, target, stop);
    let env = env.that_counts(counting);
    let code = baseline::compile(&function, &env, false)?;
    #[cfg(feature = "trace")]
    module.engine.config().observer.tell(
        crate::observe::Trace::JIT,
        format_args!(
            "f{} compiled: {} instructions, {} bytes",
            module.func_index(defined),
            function.insts.len(),
            code.bytes.len()
        ),
    );
    // Frames change hands between the tiers, so their sizes must be the same.
    let first = code.bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    match first == Some(frame_bytes(&function)) {
        true => Ok((function, code, counting.map_or(0, |(counting, _)| counting.cells / CELL))),
        false => Err(CompileError::Unsupported),
    }
}

/// The machine code of a function, as text with a line for each instruction: optimized if
/// that is how the engine starts it, and it can be.
///
/// # Errors
///
/// Those of [`translate`], and if the function cannot be compiled for the target, which
/// is this machine unless it is named as [`host::named`] says.
#[cfg(feature = "trace")]
pub(crate) fn listing(module: &Inner, defined: u32, target: Option<&str>) -> Result<String> {
    let cannot = |what: &str| Error::of_kind(ErrorKind::Unsupported, what);
    let config = module.engine.config();
    let target = match target {
        Some(name) => host::named(name).ok_or_else(|| cannot("there is no such target"))?,
        None => host::target(config.code.oldest_processor),
    };
    let never = &|| false;
    #[cfg(optimizer)]
    if config.strategy.optimizes_at_once(defined, module.body(defined).len())
        && target.isa == Isa::X64
        && let Some((code, inlined)) = native::listed(module, defined, target)
    {
        let lines = code.listing.unwrap_or_default();
        return Ok(text("optimized", lines, &code.sources, &inlined));
    }
    let function = translate(module, defined, never)?;
    let guarded = config.guard_pages;
    let env = ModuleEnvironment::new(module, &function, guarded, target, never);
    let code = baseline::compile(&function, &env, true)
        .map_err(|_| cannot("the function cannot be compiled"))?;
    let lines = code.listing.unwrap_or_default();
    Ok(text("baseline", lines, &code.sources, &function.inlined))
}

/// A listing with the tier, and for each line its offset and the WebAssembly instruction
/// that it comes from, where that is another than before.
#[cfg(feature = "trace")]
fn text(
    tier: &str,
    lines: Vec<(u32, String)>,
    sources: &[(u32, SourceLoc)],
    inlined: &[Inlined],
) -> String {
    let mut places = sources.iter().peekable();
    let mut text = format!("{tier}:\n");
    for (offset, line) in lines {
        let mut place = None;
        while let Some((_, wasm)) = places.next_if(|(from, _)| *from <= offset) {
            place = Some(wasm.offset(inlined));
        }
        let place = place.map_or_else(String::new, |wasm| format!("@{wasm:#x}"));
        text.push_str(&format!("{place:>9} {offset:#07x}  {line}\n"));
    }
    text
}

impl Group {
    /// Compiles a function.
    fn add(
        &mut self,
        module: &Inner,
        defined: u32,
        guarded: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), CompileError> {
        let (function, code, first_cell) = compile(module, defined, guarded, stop)?;
        let CompiledCode {
            bytes,
            relocations,
            loops,
            landings,
            regions,
            sites,
            sources,
            is_silent,
            ..
        } = code;
        let site = |(source, ty): (SourceLoc, u32)| (source.offset(&function.inlined), ty);
        let landing = |label: Label| {
            let landing = landings.binary_search_by_key(&label.0, |(at, _)| at.0);
            // A clause whose label was not compiled is in code that is never reached.
            landing.map_or(0, |index| landings[index].1)
        };
        let start = self.bytes.len().next_multiple_of(CODE_ALIGN);
        self.bytes.resize(start, 0);
        self.bytes.extend_from_slice(&bytes);
        let linked = link::link(
            Some(module),
            &relocations,
            &mut self.bytes[start..],
            start,
            &mut self.relocations,
        );
        linked.ok_or(CompileError::Unsupported)?;
        self.members.push(Member {
            defined,
            header: function.frame.header,
            catches: CatchTable::new(&function, regions, landing),
            range: start..start + bytes.len(),
            loops: loops.into(),
            sources: sources.into(),
            // Only debuggers are told of lines.
            inlined: if module.engine.config().code.debug_info {
                function.inlined.clone()
            } else {
                Vec::new()
            },
            sites: sites.into_iter().map(site).collect(),
            first_cell,
            is_silent,
        });
        Ok(())
    }

    /// Maps the code, and keeps what belongs to each function; nothing if there is
    /// no memory for it, or the engine may not have more.
    fn map(self, module: &Inner) -> Vec<Code> {
        if self.members.is_empty() {
            return Vec::new();
        }
        let Some(mut chunk) =
            Chunk::new(World::Slots, Some(&module.engine), &self.bytes, &self.relocations)
        else {
            return Vec::new();
        };
        // The word that leads to the first instruction, behind the one of the frame's size,
        // still is an offset into the code.
        let entry = |range: &Range<usize>| {
            let word = self.bytes.get(range.start + 8..)?.first_chunk()?;
            usize::try_from(u64::from_ne_bytes(*word)).ok().filter(|entry| range.contains(entry))
        };
        let members = self.members.iter().filter_map(|member| {
            Some(Told {
                defined: member.defined,
                range: entry(&member.range)?..member.range.end,
                start: member.range.start,
                sources: &member.sources,
                inlined: &member.inlined,
            })
        });
        tell(module, &mut chunk, "", members);
        let chunk = Arc::new(chunk);
        let code = |member: Member| {
            let Member {
                defined,
                header,
                catches,
                range,
                loops,
                sources,
                inlined: _,
                sites,
                first_cell,
                is_silent,
            } = member;
            let chunk = chunk.clone();
            #[cfg(not(optimizer))]
            let _ = is_silent;
            let text = MachineCode {
                chunk,
                range,
                loops,
                sources,
                sites,
                first_cell,
                #[cfg(optimizer)]
                is_silent,
            };
            Code { defined, header, catches, text: Text::Machine(text) }
        };
        self.members.into_iter().map(code).collect()
    }
}

impl MachineCode {
    /// The first byte.
    pub(crate) fn start(&self) -> *const u8 {
        self.chunk.start().wrapping_add(self.range.start)
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    /// The calls that have cells, where in the module and with the type that each asks
    /// for, and the first of their cells.
    #[cfg(optimizer)]
    pub(crate) fn sites(&self) -> (&[(u32, u32)], usize) {
        (&self.sites, self.first_cell as usize)
    }

    /// Where the code at an offset came from.
    pub(crate) fn source(&self, position: usize) -> Option<SourceLoc> {
        let after = self.sources.partition_point(|(from, _)| *from as usize <= position);
        Some(self.sources[..after].last()?.1)
    }

    /// The offset of the word through which an interpreter at the loop header with
    /// this label continues.
    pub(crate) fn loop_entry(&self, label: u32) -> Option<usize> {
        self.loop_at(Label(label)).map(|each| each.word as usize)
    }

    /// The header of the loop that the loop with this label is in.
    #[cfg(optimizer)]
    pub(crate) fn around(&self, label: Label) -> Option<Label> {
        self.loop_at(label)?.around
    }

    fn loop_at(&self, label: Label) -> Option<&LoopEntry> {
        let found = self.loops.binary_search_by_key(&label.0, |each| each.label.0);
        self.loops.get(found.ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_has_a_place_of_its_own() {
        let both = |&tier| [false, true].map(|guarded| Variant { tier, guarded }.number());
        assert!(Tier::ALL.iter().flat_map(both).eq(0..Variant::COUNT));
    }
}
