//! The baseline compiler: one forward pass over the register IR.
//!
//! Frames are the interpreter's. Within a block values stay in registers
//! (`state`, `operands`), across branches they meet in agreed places
//! (`joins`), and loops keep their busiest locals in registers (`loops`).
//! Calls and handlers find everything in slots. What an op becomes is written
//! down per instruction set, in `isa`.
//!
//! The trade-off: nothing is known of what comes later, except at loop headers.
//! That makes compiling nearly free, and leaves moves and stores that the
//! optimising compiler would avoid.

#[cfg(feature = "aarch64")]
mod aarch64;
mod allocate;
mod bounds;
mod bulk;
mod calls;
mod checks;
mod control;
pub(crate) mod counting;
mod instance;
mod joins;
mod late;
mod loops;
mod memory;
mod moves;
mod objects;
mod operands;
mod select;
#[cfg(feature = "simd")]
mod simd;
mod state;
#[cfg(feature = "x64")]
mod x64;

use crate::asm::{AsmLabel, OutOfReach};
use crate::code::{CompiledCode, LoopEntry};
use crate::target::Isa;
use crate::{Asking, CompileError, Counting, Environment, VmLayout, tuning};
use counting::Weights;
use joins::Join;
use late::Late;
use loops::{Loops, Room};
use select::{AtomicAccess, Select};
use state::{Class, Location, RegSet, State};
use std::rc::Rc;
use zwasm_regir::inst::Death;
#[cfg(feature = "simd")]
use zwasm_regir::simd::SimdInst;
#[cfg(debug_assertions)]
use zwasm_regir::uses::{Length, Run};
use zwasm_regir::{Function, Inst, Label, Operand, Slot, SourceLoc, TrapCode, work};

/// The state of one compilation.
pub(crate) struct Compiler<'a, A> {
    pub(crate) function: &'a Function,
    pub(crate) env: &'a dyn Environment,
    pub(crate) layout: VmLayout,
    pub(crate) asm: A,
    pub(crate) state: State,
    pub(crate) loops: Loops,
    joins: Vec<Join>,
    pub(crate) late: Vec<Late>,
    /// Where it counts, if it does.
    counting: Option<Counting>,
    weights: Weights,
    /// Where a return to another instance goes.
    pub(crate) other_instance: Option<AsmLabel>,
    /// Whether the code pays fuel.
    pub(crate) metered: bool,
    /// Whether the fuel in the store's limits may not be what the register says.
    pub(crate) fuel_is_stale: bool,
    /// Whether control can get to the instruction being compiled.
    pub(crate) reachable: bool,
    /// The instruction being compiled, or the first of two.
    pub(crate) index: usize,
    /// The deaths of slots that are still to come.
    deaths: &'a [Death],
    /// The instructions that are left to their handlers.
    by_handler: &'a [usize],
    /// Whether an instruction found no register, so that its code is wrong.
    pub(crate) failed: bool,
    pub(crate) code: CompiledCode,
}

/// Compiles a function. With `listing`, the instructions are kept as text.
///
/// # Errors
///
/// If that is not possible or would become too much, so that the function has to be
/// interpreted, and if the environment says to stop.
pub fn compile(
    function: &Function,
    env: &dyn Environment,
    listing: bool,
) -> Result<CompiledCode, CompileError> {
    match env.target().isa {
        #[cfg(feature = "x64")]
        Isa::X64 => compile_for::<crate::isa::x64::Assembler>(function, env, listing),
        #[cfg(feature = "aarch64")]
        Isa::Aarch64 => compile_for::<crate::isa::aarch64::Assembler>(function, env, listing),
        // Instruction sets that were left out of this build.
        #[allow(unreachable_patterns, reason = "none is left out if all features are on")]
        _ => Err(CompileError::Unsupported),
    }
}

/// Why an attempt to compile a function has to be made again in another way.
enum Again {
    /// The instruction with this index needs more registers than there are.
    ByHandler(usize),
    /// A jump does not reach its target.
    Far,
    /// It is to be given up.
    Never(CompileError),
}

impl From<CompileError> for Again {
    fn from(error: CompileError) -> Again {
        Again::Never(error)
    }
}

impl From<OutOfReach> for Again {
    fn from(_: OutOfReach) -> Again {
        Again::Far
    }
}

fn compile_for<A: Select>(
    function: &Function,
    env: &dyn Environment,
    listing: bool,
) -> Result<CompiledCode, CompileError> {
    let mut by_handler = Vec::new();
    let mut far = false;
    loop {
        match attempt::<A>(function, env, listing, far, &by_handler) {
            Ok(code) => return Ok(code),
            Err(Again::ByHandler(index))
                if !by_handler.contains(&index) && by_handler.len() < tuning::BY_HANDLER =>
            {
                by_handler.push(index);
            }
            Err(Again::Far) if !far => far = true,
            Err(Again::ByHandler(_) | Again::Far) => return Err(CompileError::Unsupported),
            Err(Again::Never(error)) => return Err(error),
        }
    }
}

fn attempt<A: Select>(
    function: &Function,
    env: &dyn Environment,
    listing: bool,
    far: bool,
    by_handler: &[usize],
) -> Result<CompiledCode, Again> {
    let slots = function.frame.size + env.scratch_slots();
    let mut asm = A::new(env.target().features, far, listing);
    let joins = (0..function.label_heights.len())
        .map(|_| Join { asm: asm.new_label(), joined: None })
        .collect();
    let metered = env.consumes_fuel();
    let ints = if metered { A::METERED_INT_REGS } else { A::INT_REGS };
    let room = Room {
        ints: ints.len() - tuning::FREE_INTS,
        floats: A::FLOAT_REGS.len() - tuning::FREE_FLOATS,
    };
    let loops = Loops::of(function, env, room)?;
    let counting = env.counting();
    let weights = match counting {
        Some(Counting { asking: Asking::Counter(_), .. }) => {
            Weights::of(function, &loops.ranges, &loops.places)
        }
        Some(Counting { asking: Asking::Sampled, .. }) | None => Weights::default(),
    };
    let mut compiler = Compiler {
        function,
        env,
        layout: *env.layout(),
        asm,
        state: State::new(slots as usize, ints, A::FLOAT_REGS),
        loops,
        joins,
        late: Vec::new(),
        counting,
        weights,
        other_instance: None,
        metered,
        fuel_is_stale: false,
        reachable: true,
        index: 0,
        deaths: &function.deaths,
        by_handler,
        failed: false,
        code: CompiledCode::default(),
    };
    compiler.run(slots)?;
    let finished = compiler.asm.finish()?;
    work::count(finished.bytes.len());
    let mut code = compiler.code;
    code.bytes = finished.bytes;
    code.relocations = finished.relocations;
    code.listing = finished.listing;
    Ok(code)
}

impl<A: Select> Compiler<'_, A> {
    fn run(&mut self, slots: u32) -> Result<(), Again> {
        self.prologue(slots);
        self.count_entry();
        // A throw finds its handler by walking frames, so handlers expect slots.
        let mut landings: Vec<(Label, AsmLabel)> = Vec::new();
        for catch in &self.function.catches {
            // The first clause that names a label makes its landing.
            let joined = &mut self.joins[catch.target.0 as usize].joined;
            if joined.replace(Rc::new([])).is_none() {
                let word = self.asm.new_label();
                let target = self.joins[catch.target.0 as usize].asm;
                landings.push((catch.target, word));
                self.late.push(Late::Landing { word, target });
            }
        }
        let mut loops: Vec<(Label, AsmLabel)> = Vec::new();
        let mut index = 0;
        let mut asked = tuning::UNASKED;
        while let Some(inst) = self.function.insts.get(index) {
            work::count(1);
            if index >= asked {
                asked = index + tuning::UNASKED;
                self.ask()?;
            }
            self.index = index;
            let source = self.function.sources[index];
            if self.code.sources.last().is_none_or(|(_, last)| *last != source) {
                self.code.sources.push((self.asm.offset(), source));
            }
            self.bury(index);
            if let Inst::Label { label, loop_header: true } = *inst {
                self.place(label, true);
                self.count_loop(label);
                let word = self.asm.new_label();
                let join = &self.joins[label.0 as usize];
                let joined = join.joined.clone().unwrap_or_else(|| Rc::new([]));
                self.late.push(Late::Loop { word, joined, header: join.asm });
                loops.push((label, word));
                index += 1;
            } else {
                #[cfg(debug_assertions)]
                let then = self.state.now();
                let count = self.insts(index);
                if self.failed {
                    return Err(Again::ByHandler(index));
                }
                index += count;
                // Of two compiled at once the first leaves its result in flags.
                #[cfg(debug_assertions)]
                self.check_written(&self.function.insts[index - 1], then);
            }
            self.state.locked = RegSet::default();
        }
        self.limit()?;
        self.epilogue();
        let asm = &self.asm;
        let entry = |(label, word)| {
            let around = self.loops.around(label);
            LoopEntry { label, around, word: asm.position(word) }
        };
        self.code.loops = loops.into_iter().map(entry).collect();
        self.code.loops.sort_by_cached_key(|each| u64::from(each.label.0));
        landings.sort_by_cached_key(|(label, _)| u64::from(label.0));
        let landing = |(label, word)| (label, asm.position(word));
        self.code.landings = landings.into_iter().map(landing).collect();
        Ok(self.limit()?)
    }

    /// Makes sure that nothing is remembered of what slots held before an instruction
    /// wrote them, which `regir::uses` tells.
    #[cfg(debug_assertions)]
    fn check_written(&self, inst: &Inst, then: u32) {
        if let Some(Run { from, length: Length::Slots(count) }) = inst.writes() {
            let mut slots = from.0..from.0 + count;
            let is_fresh = |slot| self.state.is_since(slot, then);
            assert!(slots.all(is_fresh), "{inst} writes a slot that is not forgotten");
        }
    }

    /// Gives up if the environment says so, or there is too much code.
    fn ask(&self) -> Result<(), CompileError> {
        if self.env.stopped() { Err(CompileError::Stopped) } else { self.limit() }
    }

    /// Gives up if there is too much code.
    fn limit(&self) -> Result<(), CompileError> {
        let bytes = self.asm.offset() as usize + self.late.len() * tuning::LATE_BYTES;
        if bytes > self.env.max_code() { Err(CompileError::Unsupported) } else { Ok(()) }
    }

    /// Compiles the instruction at `index`, perhaps with the next. How many.
    fn insts(&mut self, index: usize) -> usize {
        let insts = &self.function.insts;
        if self.by_handler.contains(&index) && has_handler(&insts[index]) {
            self.call_handler(&insts[index]);
            return 1;
        }
        if let Inst::Compare { op, dst, a, b } = insts[index]
            && self.is_temporary(dst.0)
        {
            let flags = |this: &mut Self| {
                let condition = A::condition(this, op, a, b);
                this.bury(index + 1);
                condition
            };
            match insts.get(index + 1) {
                Some(&Inst::BrIf { cond, negate, target }) if cond == dst => {
                    let condition = flags(self);
                    self.branch_if(if negate { !condition } else { condition }, target);
                    return 2;
                }
                Some(&Inst::Select { dst: into, cond, a: first, b: second, .. }) if cond == dst => {
                    self.select(into, first, second, flags);
                    return 2;
                }
                _ => {}
            }
        }
        #[cfg(feature = "simd")]
        if let Some(next) = insts.get(index + 1)
            // A result could have the slot of what dies between the two.
            && self.deaths.first().is_none_or(|death| death.before > index + 1)
            && self.simd_pair(&insts[index], next)
        {
            return 2;
        }
        self.inst(&insts[index]);
        1
    }

    /// Forgets the values that are dead before the instruction at `index`, which
    /// emits nothing. Of two compiled at once, those dead before the second come
    /// before it writes: it may write one of these slots.
    #[inline]
    fn bury(&mut self, index: usize) {
        while let Some(death) = self.deaths.first()
            && death.before <= index
        {
            self.forget_dead(*death);
        }
    }

    #[cold]
    fn forget_dead(&mut self, death: Death) {
        for slot in death.from.0..death.from.0 + death.count {
            work::count(1);
            self.state.forget(slot);
        }
        self.deaths = &self.deaths[1..];
    }

    /// Where the instruction being compiled came from.
    pub(crate) fn source(&self) -> SourceLoc {
        self.code.sources.last().map_or_else(SourceLoc::default, |(_, source)| *source)
    }

    fn inst(&mut self, inst: &Inst) {
        match *inst {
            Inst::Label { label, loop_header } => self.place(label, loop_header),
            Inst::Zero { from, count } if count <= 16 => {
                for slot in from.0..from.0 + count {
                    self.constant(slot, 0);
                }
            }
            Inst::Zero { from, count } => {
                (from.0..from.0 + count).for_each(|slot| self.state.forget(slot));
                self.zero_slots(from.0, count);
            }
            Inst::Const { dst, value } => self.constant(dst.0, value),
            Inst::Copy { dst, src } => self.copy(dst, src),
            Inst::CopySlots { dst, src, count } => self.copy_slots(dst.0, src.0, count),
            Inst::Unary { op, dst, a } => A::unary(self, op, dst, a),
            Inst::Binary { op, dst, a, b } => A::binary(self, op, dst, a, b),
            Inst::Compare { op, dst, a, b } => A::comparison(self, op, dst, a, b),
            Inst::Select { dst, cond, a, b, .. } => {
                self.select(dst, a, b, |this| A::is_set(this, cond));
            }
            Inst::Load { op, dst, addr, mem, offset } => self.load(op, dst, addr, mem, offset),
            Inst::Store { op, addr, value, mem, offset } => {
                self.store(op, addr, value, mem, offset);
            }
            Inst::Atomic { mem, offset, .. } if self.needs_handler(mem, offset) => {
                self.call_handler(inst);
            }
            Inst::Atomic { op, dst, addr, a, b, mem, offset } => {
                A::atomic(self, AtomicAccess { op, dst, addr, a, b, mem, offset });
            }
            Inst::AtomicFence => A::atomic_fence(self),
            Inst::Bulk { op, base } => self.bulk(inst, op, base),
            Inst::MemorySize { dst, mem } => self.memory_size(dst, mem),
            Inst::GlobalGet { dst, global } => self.global_get(dst, global),
            Inst::GlobalSet { global, value } => self.global_set(global, value),
            Inst::TableGet { dst, index, table } => self.table_get(dst, index, table),
            Inst::TableSet { index, value, table } => self.table_set(index, value, table),
            Inst::TableSize { dst, table } => self.table_size(dst, table),
            // Only the optimizing compiler's translations have it.
            Inst::TableHolds { dst, .. } => self.constant(dst.0, 0),
            Inst::RefFunc { dst, func } => self.ref_func(dst, func),
            Inst::RefAsNonNull { src } => self.ref_as_non_null(src),
            Inst::Gc { op, base } => self.gc(op, base),
            Inst::StructGet { dst, object, ty, field, extend } => {
                self.struct_get(dst, object, ty, field, extend);
            }
            Inst::StructSet { object, value, ty, field } => {
                self.struct_set(object, value, ty, field);
            }
            Inst::ArrayGet { dst, object, index, ty, extend } => {
                self.array_get(dst, object, index, ty, extend);
            }
            Inst::ArraySet { object, index, value, ty } => {
                self.array_set(object, index, value, ty);
            }
            Inst::ArrayLen { dst, object } => self.array_len(dst, object),
            Inst::RefTest { dst, src, target } => self.ref_test(dst, src, target),
            Inst::RefCast { src, target } => self.ref_cast(src, target),
            Inst::I31New { dst, src } => self.i31_new(dst, src),
            Inst::I31Get { dst, src, extend } => self.i31_get(dst, src, extend),
            Inst::Wide { op, base } => A::wide(self, op, base),
            Inst::Br { target } => self.branch(target),
            Inst::BrIf { cond, negate, target } => {
                let condition = A::is_set(self, cond);
                self.branch_if(if negate { !condition } else { condition }, target);
            }
            Inst::BrTable { index, first, count } => {
                let targets = &self.function.br_targets[first as usize..(first + count) as usize];
                if let [target] = targets {
                    self.consume(index);
                    self.branch(*target);
                } else {
                    let reg = self.operand(Operand::Slot(index), Class::Int);
                    self.consume(index);
                    self.branch_table(reg, targets);
                }
            }
            Inst::Unreachable => {
                self.trap(TrapCode::Unreachable);
                self.reachable = false;
                self.state.clear();
            }
            Inst::Return => self.leave(),
            Inst::ReturnValue { value } => self.return_value(value),
            Inst::ReturnSlots { from, count } => self.return_slots(from, count),
            Inst::Call { func, base } => self.call(func, base),
            Inst::CallIndirect { ty, table, index, base } => {
                self.call_indirect(ty, table, index, base);
            }
            Inst::CallRef { ty, callee, base } => self.call_ref(ty, callee, base),
            Inst::ReturnCall { func, base } => self.return_call(func, base),
            Inst::ReturnCallIndirect { ty, table, index, base } => {
                self.return_call_indirect(ty, table, index, base);
            }
            Inst::ReturnCallRef { ty, callee, base } => self.return_call_ref(ty, callee, base),
            Inst::Throw { .. } | Inst::ThrowRef { .. } => self.leave_to_handler(inst),
            Inst::TryBegin { region } => {
                self.code.regions.push((self.asm.offset(), Some(region)));
            }
            Inst::TryEnd { region } => {
                let parent = self.function.tries[region as usize].parent;
                self.code.regions.push((self.asm.offset(), parent));
            }
            #[cfg(feature = "simd")]
            Inst::Simd(ref inst) => self.simd(inst),
            Inst::Fuel { cost } => self.fuel(cost),
            Inst::Epoch => self.epoch(),
            _ => self.call_handler(inst),
        }
    }

    /// Brings values below `height` to their slots, and leaves them where they are
    /// as well.
    pub(crate) fn spill_below(&mut self, height: u32) {
        while let Some(&(slot, value)) =
            self.state.constants().iter().find(|(slot, _)| *slot < height)
        {
            work::count(self.state.constants().len());
            self.store_constant(slot, value);
            self.state.forget(slot);
        }
        for reg in self.state.used().iter() {
            if self.state.held(reg).is_some_and(|held| held.slot < height) {
                self.spill(reg);
            }
        }
    }

    /// Makes a slot a constant that is not written yet. Of too many, the first goes to
    /// its slot: what looks at all of them costs the same whatever the function.
    fn constant(&mut self, slot: u32, value: u64) {
        self.state.bind_constant(slot, value);
        if self.state.constants().len() > tuning::CONSTANTS {
            let (first, value) = self.state.constants()[0];
            self.store_constant(first, value);
            self.state.forget(first);
        }
    }

    fn copy_slots(&mut self, dst: u32, from: u32, count: u32) {
        self.spill_below(from + count);
        for reg in self.state.used().iter() {
            if let Some(held) = self.state.held(reg) {
                let end = held.slot + if held.class == Class::Vector { 2 } else { 1 };
                if end > dst && held.slot < dst + count {
                    self.spill(reg);
                    self.state.release(reg);
                }
            }
        }
        self.move_slots(dst, from, count);
    }

    fn copy(&mut self, dst: Slot, src: Slot) {
        match self.state.location(src.0) {
            Location::Const(value) => self.constant(dst.0, value),
            Location::Reg(reg)
                if self.state.held(reg).is_some_and(|h| h.class != Class::Vector) =>
            {
                self.state.lock(reg);
                let class = if reg.is_vector() { Class::Float } else { Class::Int };
                let new = self.alloc(class, Some(dst.0));
                self.asm.mov(new, reg);
                self.define(new, dst, class);
            }
            _ => {
                self.spill_slot(src.0);
                let new = self.alloc(Class::Int, Some(dst.0));
                self.load_slot(new, src.0, Class::Int);
                self.define(new, dst, Class::Int);
            }
        }
    }
}

/// Whether an instruction leaves compiled code, so that nothing stays in
/// registers.
pub(crate) fn leaves(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::Call { .. }
            | Inst::CallIndirect { .. }
            | Inst::CallRef { .. }
            | Inst::AtomicWait { .. }
            | Inst::AtomicNotify { .. }
            | Inst::MemoryGrow { .. }
    ) || matches!(inst, Inst::Bulk { op, .. } if !bulk::may_be_short(*op))
        || matches!(inst, Inst::Gc { op, .. } if !allocate::is_allocation(*op))
}

/// Whether an instruction can be left to its handler: it is no branch, return or label,
/// and all its operands are in slots.
fn has_handler(inst: &Inst) -> bool {
    #[cfg(feature = "simd")]
    if let Inst::Simd(SimdInst::Return { .. }) = inst {
        return false;
    }
    !matches!(
        inst,
        Inst::Label { .. }
            | Inst::Br { .. }
            | Inst::BrIf { .. }
            | Inst::BrTable { .. }
            | Inst::Return
            | Inst::ReturnValue { .. }
            | Inst::ReturnSlots { .. }
            | Inst::ReturnCall { .. }
            | Inst::ReturnCallIndirect { .. }
            | Inst::ReturnCallRef { .. }
            | Inst::Call { .. }
            | Inst::CallIndirect { .. }
            | Inst::CallRef { .. }
            | Inst::Throw { .. }
            | Inst::ThrowRef { .. }
            | Inst::TryBegin { .. }
            | Inst::TryEnd { .. }
    )
}
