//! Watching the guest: the slot form of its functions, traces of what it does,
//! and counts of what it executes.
//!
//! In an engine that watches or counts, the interpreter's code has a handler
//! before every instruction that reports it or adds to a counter, and nothing is
//! fused, so that what is told is the slot form as `--dump-regir` prints it. In
//! any other engine the code is what it would be without this module, and only
//! the module's table of counters, which is empty then, knows of it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use zwasm_regir::{Function, Inst, Slot};

use crate::code::translate::translate;
use crate::engine::Config;
use crate::error::{Error, Result};
use crate::module::{Inner, Module};
use crate::stack::backtrace::capture;
use crate::store::AsContext;

/// What to trace, see [`Config::trace`]: a set of categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace(u8);

impl Trace {
    /// The slot form of each function, when it is first called.
    pub const REGIR: Trace = Trace(1 << 0);
    /// Every instruction, with the values it reads.
    pub const EXEC: Trace = Trace(1 << 1);
    /// The instructions that use memories, with the values they read.
    pub const MEM: Trace = Trace(1 << 2);
    /// Entering and leaving functions.
    pub const CALL: Trace = Trace(1 << 3);
    /// What the compilers do.
    pub const JIT: Trace = Trace(1 << 4);

    /// The categories with their names.
    pub const ALL: &[(&str, Trace)] = &[
        ("jit", Trace::JIT),
        ("regir", Trace::REGIR),
        ("exec", Trace::EXEC),
        ("mem", Trace::MEM),
        ("call", Trace::CALL),
    ];

    /// Adds the categories of another set.
    pub fn insert(&mut self, other: Trace) {
        self.0 |= other.0;
    }

    /// Whether every category of another set is in this one.
    pub fn contains(self, other: Trace) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some category of another set is in this one.
    fn meets(self, other: Trace) -> bool {
        self.0 & other.0 != 0
    }
}

/// What takes the lines of a trace.
type Sink = dyn Fn(&str) + Send + Sync;

/// What an engine observes, as its configuration says.
#[derive(Clone, Default)]
pub(crate) struct Observer {
    trace: Trace,
    sink: Option<Arc<Sink>>,
    counts: bool,
}

impl Debug for Observer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("trace", &self.trace)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Observer {
    /// Whether instructions are reported one by one.
    pub(crate) fn watches(&self) -> bool {
        self.trace.meets(Trace(Trace::EXEC.0 | Trace::MEM.0 | Trace::CALL.0))
    }

    /// Whether instructions are counted.
    pub(crate) fn counts(&self) -> bool {
        self.counts
    }

    /// Whether the interpreter has to run everything.
    pub(crate) fn needs_interpreter(&self) -> bool {
        self.watches() || self.counts
    }

    /// Reports a line of a category, if that is traced.
    pub(crate) fn tell(&self, category: Trace, text: fmt::Arguments<'_>) {
        if let (true, Some(sink)) = (self.trace.contains(category), &self.sink) {
            let name = Trace::ALL.iter().find(|(_, each)| *each == category);
            let name = name.map_or("", |(name, _)| name);
            // The guest's frames, through which a panic cannot go, may be further out.
            let _ = catch_unwind(AssertUnwindSafe(|| sink(&format!("[{name}] {text}"))));
        }
    }
}

impl Config {
    /// Reports what the guest does to `sink`, in lines of text. Their form may
    /// change. Instructions, memory accesses and calls are reported by the
    /// interpreter, which then runs everything. A panic of `sink` ends where it is called.
    pub fn trace(
        &mut self,
        what: Trace,
        sink: impl Fn(&str) + Send + Sync + 'static,
    ) -> &mut Config {
        self.observer.trace = what;
        self.observer.sink = Some(Arc::new(sink));
        self
    }

    /// Counts what modules execute, see [`Module::profile`]. The interpreter then
    /// runs everything, at about half its speed.
    pub fn profile(&mut self, enable: bool) -> &mut Config {
        self.observer.counts = enable;
        self
    }
}

/// The functions of a module that are being observed, by their place among those
/// that it defines.
#[derive(Default)]
pub(crate) struct Observed(Vec<OnceLock<Box<Watched>>>);

/// A function being observed.
pub(crate) struct Watched {
    /// Its place among the functions that the module defines.
    pub(crate) defined: u32,
    function: Function,
    /// How often each instruction was executed and, last, the function entered.
    counts: Box<[AtomicU64]>,
}

impl Observed {
    /// Room for the functions of a module, if the engine observes them.
    pub(crate) fn new(observer: &Observer, functions: usize) -> Observed {
        let functions = if observer.needs_interpreter() { functions } else { 0 };
        Observed((0..functions).map(|_| OnceLock::new()).collect())
    }

    /// The observed form of a function, made when asked for first.
    pub(crate) fn watch(&self, defined: u32, function: &Function) -> Option<&Watched> {
        let cell = self.0.get(defined as usize)?;
        Some(cell.get_or_init(|| {
            let counts = (0..=function.insts.len()).map(|_| AtomicU64::new(0)).collect();
            Box::new(Watched { defined, function: function.clone(), counts })
        }))
    }

    fn get(&self, defined: u32) -> Option<&Watched> {
        self.0.get(defined as usize)?.get().map(|watched| &**watched)
    }
}

impl Watched {
    /// Where entering the function is counted among the instructions.
    pub(crate) fn entry(&self) -> usize {
        self.function.insts.len()
    }

    /// The counter of an instruction or, behind the last, of entering the function.
    pub(crate) fn counter(&self, place: usize) -> *const AtomicU64 {
        &raw const self.counts[place]
    }
}

/// Reports an instruction that is about to be executed, or that a function has
/// been entered. `value` reads a slot.
pub(crate) fn report(module: &Module, defined: u32, place: usize, value: &dyn Fn(Slot) -> u64) {
    let inner = module.inner();
    let observer = &inner.engine.config().observer;
    let Some(watched) = inner.observed.get(defined) else { return };
    let func = inner.func_index(defined);
    let Some(inst) = watched.function.insts.get(place) else {
        let mut values = String::new();
        for slot in 0..watched.function.frame.params {
            // Writing to a String cannot fail.
            let _ = write!(values, " {:#x}", value(Slot(slot)));
        }
        return observer.tell(Trace::CALL, format_args!("{}{values}", title(module, func)));
    };
    if let Inst::Return | Inst::ReturnValue { .. } | Inst::ReturnSlots { .. } = inst {
        observer.tell(Trace::CALL, format_args!("{} returns", title(module, func)));
    }
    let category = match inst {
        Inst::Label { .. } => return,
        _ if observer.trace.contains(Trace::EXEC) => Trace::EXEC,
        _ if uses_memory(inst) => Trace::MEM,
        _ => return,
    };
    let mut values = String::new();
    inst.reads(&mut |run| {
        for slot in (run.from.0..run.from.0 + inner.slots_of(run.length)).map(Slot) {
            let _ = write!(values, " {slot}={:#x}", value(slot));
        }
    });
    let source = watched.function.sources.get(place).copied().unwrap_or_default();
    let offset = source.offset(&watched.function.inlined);
    let gap = if values.is_empty() { "" } else { "  ;" };
    observer.tell(category, format_args!("f{func}+{offset:#x} {inst}{gap}{values}"));
}

/// Reports the slot form of a function that is about to run.
pub(crate) fn report_translated(module: &Inner, defined: u32, function: &Function) {
    let func = module.func_index(defined);
    let observer = &module.engine.config().observer;
    let text = function.to_string();
    observer.tell(Trace::REGIR, format_args!("function f{func}: {}", text.trim_end()));
}

fn title(module: &Module, func: u32) -> String {
    match module.function_name(func) {
        Some(name) => format!("f{func} <{}>", name.escape_debug()),
        None => format!("f{func}"),
    }
}

fn uses_memory(inst: &Inst) -> bool {
    use zwasm_regir::inst::Bulk;
    match inst {
        Inst::Load { .. }
        | Inst::Store { .. }
        | Inst::Atomic { .. }
        | Inst::AtomicWait { .. }
        | Inst::AtomicNotify { .. }
        | Inst::MemoryGrow { .. } => true,
        Inst::Bulk { op, .. } => {
            matches!(
                op,
                Bulk::MemoryFill { .. } | Bulk::MemoryCopy { .. } | Bulk::MemoryInit { .. }
            )
        }
        #[cfg(feature = "simd")]
        Inst::Simd(inst) => {
            use zwasm_regir::simd::SimdInst;
            matches!(
                inst,
                SimdInst::Load { .. }
                    | SimdInst::LoadLane { .. }
                    | SimdInst::Store { .. }
                    | SimdInst::StoreLane { .. }
            )
        }
        _ => false,
    }
}

/// A function of the guest's in the middle of being executed, see [`Sample`].
#[derive(Clone, Debug)]
pub struct SampledFrame {
    /// The function's module.
    pub module: Module,
    /// Its index in the module.
    pub func: u32,
    /// Whether it runs as machine code.
    pub compiled: bool,
}

/// What the guest of a store is executing.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The functions, the one that was called last first; of a deep stack, only so
    /// many.
    pub frames: Vec<SampledFrame>,
}

impl Sample {
    /// What the guest is executing that called the host function that asks, or
    /// that a callback at a deadline holds up. Inlined functions are part of their
    /// callers here: to tell them apart takes longer than a sample may.
    pub fn take(store: impl AsContext) -> Sample {
        let core = store.as_context().core();
        // SAFETY: the store is borrowed, so the frames behind its host functions
        // are as they were when these were called.
        let backtrace = unsafe { capture(None, (*core).host_frame) };
        let frames = backtrace.places.iter().map(|place| {
            let (module, func, compiled) = place.function();
            SampledFrame { module: module.clone(), func, compiled }
        });
        Sample { frames: frames.collect() }
    }
}

/// What a module has executed so far, see [`Config::profile`].
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The functions that were called, those that executed most first.
    pub functions: Vec<FunctionProfile>,
    /// How often each instruction of the register IR was executed, by its name,
    /// the most frequent first.
    pub opcodes: Vec<(String, u64)>,
}

/// What a function has executed so far.
#[derive(Clone, Debug)]
pub struct FunctionProfile {
    /// Its index in the module.
    pub func: u32,
    /// Its name, from the name section.
    pub name: Option<String>,
    /// How often it was called.
    pub calls: u64,
    /// How many instructions of the register IR it executed, its callees' not
    /// included.
    pub instructions: u64,
}

impl Module {
    /// What the module has executed so far in all its instances; nothing, if its
    /// engine does not count.
    pub fn profile(&self) -> Profile {
        let inner = self.inner();
        let mut functions = Vec::new();
        let mut opcodes = BTreeMap::<String, u64>::new();
        for defined in 0..inner.bodies.len() as u32 {
            let Some(watched) = inner.observed.get(defined) else { continue };
            let mut instructions = 0;
            let counts = watched.counts.iter().map(|count| count.load(Ordering::Relaxed));
            for (inst, count) in watched.function.insts.iter().zip(counts) {
                if count > 0 {
                    instructions += count;
                    *opcodes.entry(opcode(inst)).or_default() += count;
                }
            }
            let calls = watched.counts[watched.entry()].load(Ordering::Relaxed);
            let func = inner.func_index(defined);
            if calls > 0 {
                let name = self.function_name(func);
                functions.push(FunctionProfile { func, name, calls, instructions });
            }
        }
        functions.sort_by_key(|function| (u64::MAX - function.instructions, function.func));
        let mut opcodes: Vec<_> = opcodes.into_iter().collect();
        opcodes.sort_by_key(|(_, count)| u64::MAX - count);
        Profile { functions, opcodes }
    }

    /// The name of a function from the name section.
    pub fn func_name(&self, func: u32) -> Option<String> {
        self.function_name(func)
    }

    /// Whether two handles are the same module.
    pub fn same(a: &Module, b: &Module) -> bool {
        std::ptr::eq(a.inner(), b.inner())
    }

    /// The register IR of a function, as text whose form may change.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, or one that this build
    /// does not run.
    pub fn regir(&self, func: u32) -> Result<String> {
        let defined = self.defined(func)?;
        Ok(format!(
            "function {}: {}",
            title(self, func),
            translate(self.inner(), defined, &|| false)?
        ))
    }

    /// The machine code that the compiler makes of a function, as text whose form
    /// may change.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, or this build has no
    /// compiler for the processor.
    pub fn machine_code(&self, func: u32) -> Result<String> {
        let defined = self.defined(func)?;
        let listing = crate::tier::listing(self.inner(), defined, None)?;
        Ok(format!("function {}:\n{listing}", title(self, func)))
    }

    /// As [`Module::machine_code`], for another processor: `x64` or `aarch64`, with the
    /// names of features behind it, each after a `+`.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, or this build cannot make code
    /// for the target.
    #[doc(hidden)]
    pub fn machine_code_for(&self, func: u32, target: &str) -> Result<String> {
        let defined = self.defined(func)?;
        let listing = crate::tier::listing(self.inner(), defined, Some(target))?;
        Ok(format!("function {}:\n{listing}", title(self, func)))
    }

    /// The place of a function among those that the module defines.
    fn defined(&self, func: u32) -> Result<u32> {
        let inner = self.inner();
        let (first, count) = (inner.imported_funcs, inner.bodies.len() as u32);
        let defined = inner.defined_func(func).filter(|defined| *defined < count);
        defined.ok_or_else(|| {
            Error::msg(match count {
                0 => "the module defines no functions".into(),
                _ if func < first => format!("function {func} is imported and has no code here"),
                _ => format!("no function {func}: the module has {first} to {}", first + count - 1),
            })
        })
    }
}

/// The name of an instruction, taken from its text: what follows the destination.
fn opcode(inst: &Inst) -> String {
    let text = inst.to_string();
    let meaning = text.split_once(" = ").map_or(&*text, |(_, meaning)| meaning);
    match inst {
        Inst::Copy { .. } => "copy".into(),
        Inst::Const { .. } => "const".into(),
        _ => meaning.split(' ').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Engine, Instance, Store};

    const WAT: &str = r#"(module
      (import "" "" (func))
      (memory 1)
      (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func (export "run") (param i32) (result i32) (local $sum i32)
        (loop $next
          (i32.store (i32.const 16) (call $double (local.get 0)))
          (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 16))))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $sum))
      (func $never))"#;

    /// Runs `run` with the argument 10 and gives its module.
    fn run(config: &Config) -> Module {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, WAT).unwrap();
        let mut store = Store::new(&engine, ());
        let import = crate::Func::wrap(&mut store, || ());
        let instance = Instance::new(&mut store, &module, &[import.into()]).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, 10).unwrap(), 110);
        module
    }

    #[test]
    fn counts() {
        let profile = run(Config::new().profile(true)).profile();
        let calls: Vec<_> = profile.functions.iter().map(|each| (each.func, each.calls)).collect();
        assert_eq!(calls, [(2, 1), (1, 10)]);
        assert_eq!(profile.functions[1].name.as_deref(), Some("double"));
        let count = |name: &str| {
            profile.opcodes.iter().find(|(each, _)| each == name).map_or(0, |(_, count)| *count)
        };
        for (name, expected) in [
            ("i32.mul", 10),
            ("i32.add", 10),
            ("i32.load", 10),
            ("i32.store", 10),
            ("br_if", 10),
            ("call", 10),
            ("return", 11),
        ] {
            assert_eq!(count(name), expected, "{name}: {:?}", profile.opcodes);
        }
        let total: u64 = profile.opcodes.iter().map(|(_, count)| count).sum();
        let by_function: u64 = profile.functions.iter().map(|each| each.instructions).sum();
        assert_eq!(total, by_function);
        assert!(run(&Config::new()).profile().functions.is_empty());
    }

    fn traced(what: Trace) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        run(Config::new().trace(what, move |line| sink.lock().unwrap().push(line.to_owned())));
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn traces() {
        let calls = traced(Trace::CALL);
        assert_eq!(
            calls[..3],
            ["[call] f2 0xa", "[call] f1 <double> 0xa", "[call] f1 <double> returns"]
        );
        assert_eq!(calls.len(), 22);
        let memory = traced(Trace::MEM);
        assert_eq!(memory.len(), 20);
        assert!(
            memory[0].starts_with("[mem] f2+0x") && memory[0].ends_with("=0x14"),
            "{}",
            memory[0]
        );
        let mut both = Trace::EXEC;
        both.insert(Trace::REGIR);
        let all = traced(both);
        assert!(all[0].starts_with("[regir] function f2: frame params 1"), "{}", all[0]);
        assert_eq!(all.iter().filter(|line| line.contains("= i32.mul s0 0x2  ; s0=")).count(), 10);
        assert!(traced(Trace::default()).is_empty());
    }

    #[test]
    fn samples() {
        assert_eq!(sampled(false), [1, 2]);
        assert_eq!(sampled(true), [2]);
    }

    /// The functions that a sample has when a host function takes it.
    fn sampled(inlining: bool) -> Vec<u32> {
        let engine = Engine::new(Config::new().inlining(inlining)).unwrap();
        let module = Module::new(
            &engine,
            r#"(module (import "" "" (func $host))
                 (func $inner (call $host)) (func (export "run") (call $inner)))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, Sample::default());
        let take = |mut caller: crate::Caller<'_, Sample>| {
            let sample = Sample::take(&caller);
            *caller.data_mut() = sample;
        };
        let host = crate::Func::wrap(&mut store, take);
        let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap();
        let frames = &store.data().frames;
        assert!(frames.iter().all(|frame| Module::same(&frame.module, &module)));
        assert_eq!(module.func_name(1).as_deref(), Some("inner"));
        assert!(Sample::take(&store).frames.is_empty());
        frames.iter().map(|frame| frame.func).collect()
    }

    #[test]
    fn slot_form() {
        let module = run(&Config::new());
        assert!(module.regir(1).unwrap().starts_with("function f1 <double>: frame params 1"));
        assert!(module.regir(0).unwrap_err().to_string().contains("is imported"));
        assert!(module.regir(4).unwrap_err().to_string().contains("1 to 3"));
        let empty = Module::new(&Engine::default(), "(module)").unwrap();
        assert!(empty.regir(0).unwrap_err().to_string().contains("no functions"));
    }
}
