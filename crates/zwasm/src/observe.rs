//! Watching the guest: the slot form of its functions, traces of what it does,
//! and counts of what it executes.
//!
//! In an engine that watches or counts, the interpreter's code has a handler
//! before every instruction that reports it or adds to a counter, and nothing is
//! fused, so that what is told is the slot form as `--dump-regir` prints it. In
//! any other engine the code is what it would be without this module, and only
//! the module's table of counters, which is empty then, knows of it.

use std::fmt::{self, Debug, Formatter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use zwasm_regir::{Function, Inst, Slot};

use crate::engine::Config;
use crate::module::{Inner, Module};

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

    pub(crate) fn get(&self, defined: u32) -> Option<&Watched> {
        self.0.get(defined as usize)?.get().map(|watched| &**watched)
    }
}

impl Watched {
    /// The instructions, and how often each was executed.
    pub(crate) fn executed(&self) -> impl Iterator<Item = (&Inst, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        self.function.insts.iter().zip(counts)
    }

    /// How often the function was entered.
    pub(crate) fn calls(&self) -> u64 {
        self.counts[self.entry()].load(Ordering::Relaxed)
    }

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

pub(crate) fn title(module: &Module, func: u32) -> String {
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
