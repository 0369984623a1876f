//! One forward pass from a validated body to the slot form.
//!
//! The translator simulates the operand stack. An entry is a value in its
//! *canonical slot* (the one its stack height gives it), or a local or constant
//! that has not been copied anywhere yet: `local.get` and constants emit
//! nothing, and the instruction that consumes the entry names the local or the
//! immediate itself. Three rules keep that sound:
//!
//! 1. Writing a local first copies it into the canonical slot of every entry
//!    that still refers to it. Those entries are chained per local, so this
//!    costs one step per entry however deep the stack is.
//! 2. Entering a block copies all entries of the enclosing one into their
//!    canonical slots, so that both arms of a join agree about them and a loop
//!    header sees nothing but slots.
//! 3. Branches and block ends move the values they carry into the canonical
//!    slots of their target.
//!
//! `local.set` of a value just computed redirects the computing instruction to
//! the local's slot instead of copying.
//!
//! Calls of small functions are replaced by their bodies (`inline`).

mod atomic;
mod control;
mod exceptions;
mod fuel;
mod gc;
mod inline;
mod operators;
mod plan;
#[cfg(feature = "simd")]
mod simd;

use crate::inst::{
    Frame, Function, Inst, Label, MAX_FRAME_SLOTS, NEAR_SLOTS, Operand, SCRATCH_SLOTS, Slot,
};
use crate::object::Storage;
use crate::opcodes::immediates::{Immediate, Locals};
use crate::reader::{Malformed, Reader};
use crate::source::SourceLoc;
use crate::tuning::{INLINE_SLOTS, RESERVE_AT_ONCE, WORK_UNASKED};
use crate::types::{Signature, Type};
use crate::work;
use control::Control;

/// What the translator has to know of the module around a function.
pub trait Types {
    /// The kinds of the function type with this index.
    fn signature(&self, ty: u32) -> Signature<'_>;
    /// The index of the type of a function.
    fn func_type(&self, func: u32) -> u32;
    /// The kind of a global.
    fn global_type(&self, global: u32) -> Type;
    /// The kind of a memory's addresses and sizes: `I32` or `I64`.
    fn memory_index(&self, memory: u32) -> Type;
    /// The kind of a table's indices and sizes: `I32` or `I64`.
    fn table_index(&self, table: u32) -> Type;
    /// The fields of a structure type, or the element of an array type.
    fn storage(&self, ty: u32) -> &[Storage];
    /// Bytes of the fields of a structure type.
    fn struct_bytes(&self, ty: u32) -> usize {
        self.storage(ty).iter().map(|field| field.size()).sum()
    }
    /// Whether instructions on objects are translated.
    fn has_gc(&self) -> bool;
    /// The index of the type of a tag.
    fn tag_type(&self, tag: u32) -> u32;
    /// The body of a function, from the local declarations on, and the module offset
    /// of its first byte, if its calls may be replaced by it.
    fn inlinable(&self, func: u32) -> Option<(&[u8], u32)> {
        let _ = func;
        None
    }
    /// How hot the call of a function at a module offset is, with so many loops around
    /// it, compared with other calls; none if it is never executed, as far as is known.
    fn heat(&self, func: u32, call: u32, loops: u32) -> Option<u32> {
        let _ = (func, call);
        Some(loops)
    }
    /// The function that nearly all executions of the `call_indirect` or `call_ref` at a
    /// module offset call, if there is one and it is the module's own. It has the type
    /// that the call asks for.
    fn call_target(&self, call: u32) -> Option<u32> {
        let _ = call;
        None
    }
    /// The most slots that a frame may have, at most [`MAX_FRAME_SLOTS`].
    fn max_slots(&self) -> u32 {
        MAX_FRAME_SLOTS
    }
    /// Whether frames have a window that do not need one.
    fn always_window(&self) -> bool {
        false
    }
    /// What is checked besides what the specification asks for.
    fn checks(&self) -> Checks {
        Checks::default()
    }
}

/// How much is inlined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inlining {
    /// Small functions, in frames that interpreter and baseline code share.
    #[default]
    Small,
    /// What a budget allows that grows with the function: for the optimizing compiler,
    /// for which copies are free. It makes frames of its own; so these have no window.
    Large,
}

/// Checks that are translated only when somebody wants them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// [`Inst::Fuel`] wherever a straight run of instructions starts.
    pub fuel: bool,
    /// [`Inst::Epoch`] at function entries and loop headers.
    pub epochs: bool,
    /// Ops behind those that compute a NaN, which make it canonical.
    pub canonical_nans: bool,
}

/// Why a body could not be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranslateError {
    /// The body uses an instruction that this engine does not execute.
    Unsupported {
        /// The proposal it belongs to.
        feature: &'static str,
        /// Offset of the instruction in the body.
        offset: usize,
    },
    /// The body is not valid WebAssembly.
    Malformed {
        /// Offset in the body.
        offset: usize,
    },
    /// No stack has room for the frame.
    FrameTooLarge,
    /// It was asked to stop.
    Stopped,
}

/// How an operand-stack entry's value is held.
#[derive(Clone, Copy, Debug)]
enum Value {
    /// In the entry's canonical slot.
    Temp,
    /// In a local; `below` is the next lower stack index that refers to it.
    Local { index: u32, below: u32 },
    /// An immediate.
    Const(u64),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    slot: u32,
    ty: Type,
    value: Value,
}

/// The end of a chain of entries that refer to a local.
const NONE: u32 = u32::MAX;

struct Local {
    slot: u32,
    ty: Type,
    /// The value of a parameter that an inlined call gives a constant.
    constant: Option<u64>,
    /// The highest stack index that refers to this local.
    top: u32,
}

/// A body being translated: the function's, or that of one inlined into it.
struct Body<'a> {
    reader: Reader<'a>,
    /// The first byte.
    start: SourceLoc,
    /// Body offset of the instruction being translated.
    at: usize,
    /// Local 0 among all locals.
    first_local: usize,
    /// The body as a block among the open ones.
    control: usize,
    /// Its number in the plan of what is inlined, if there is one.
    planned: usize,
}

impl<'a> Body<'a> {
    fn new(bytes: &'a [u8], start: SourceLoc) -> Self {
        let reader = Reader::new(bytes);
        Body { reader, start, at: 0, first_local: 0, control: 0, planned: 0 }
    }
}

/// The state of one translation.
pub struct Translator<'a> {
    types: &'a dyn Types,
    body: Body<'a>,
    function: Function,
    stack: Vec<Entry>,
    /// Entries below this index are known to be in their canonical slots.
    flushed: usize,
    locals: Vec<Local>,
    controls: Vec<Control<'a>>,
    inlining: inline::State<'a>,
    /// False after a branch, until the block it ended is closed.
    reachable: bool,
    /// Blocks opened in unreachable code and not closed yet.
    skipped_blocks: u32,
    /// The innermost open `try_table`.
    region: Option<u32>,
    /// Where catch clauses that leave the function land.
    caught_return: Option<Label>,
    checks: Checks,
    /// The [`Inst::Fuel`] that pays for the next instruction; none where a run
    /// starts.
    fuel: Option<usize>,
    high: u32,
    max_slots: u32,
    stop: &'a dyn Fn() -> bool,
    /// Instructions and operands translated since it was asked last.
    work: usize,
    /// The longest run of slots that leaves the frame by a return or tail call.
    longest: u32,
}

type Result<T> = core::result::Result<T, Malformed>;

/// Failure inside the translator, before an offset is attached.
enum Stop {
    Malformed,
    Unsupported(&'static str),
    /// The frame has to have slots for what is inlined.
    NeedsSlots,
    /// The frame has to have a window.
    NeedsWindow,
    /// No stack has room for the frame.
    FrameTooLarge,
    /// The translation was asked to stop.
    Stopped,
}

/// Slots that the operands and results of any instruction fit that is not a return
/// or tail call.
const OPERAND_SLOTS: u32 = 14;

impl From<Malformed> for TranslateError {
    fn from(_: Malformed) -> Self {
        TranslateError::Malformed { offset: 0 }
    }
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Stop::Malformed
    }
}

impl<'a> Translator<'a> {
    /// Translates a body, given as its bytes from the local declarations on;
    /// `offset` is the module offset of the first of them. `stop` is asked now and
    /// then whether to give up.
    ///
    /// # Errors
    ///
    /// If it gave up, the body has what it does not know, or its frame is too large.
    pub fn translate(
        types: &'a dyn Types,
        ty: u32,
        body: &'a [u8],
        offset: u32,
        inlining: Inlining,
        stop: &'a dyn Fn() -> bool,
    ) -> core::result::Result<Function, TranslateError> {
        let mut slots = if body.len() > RESERVE_AT_ONCE { INLINE_SLOTS } else { 0 };
        let mut window = 0;
        loop {
            let state = match inlining {
                Inlining::Small => inline::State::new(slots, offset, body.len()),
                Inlining::Large => inline::State::planned(types, body, offset)?,
            };
            let mut translator = Translator::new(types, body, offset, state, stop);
            translator.function.frame.window = window;
            return match translator.run(types.signature(ty)) {
                Ok(()) => Ok(translator.function),
                Err(Stop::NeedsSlots) => {
                    slots = INLINE_SLOTS;
                    continue;
                }
                Err(Stop::NeedsWindow) => {
                    window = SCRATCH_SLOTS + OPERAND_SLOTS + translator.longest;
                    continue;
                }
                Err(Stop::FrameTooLarge) => Err(TranslateError::FrameTooLarge),
                Err(Stop::Stopped) => Err(TranslateError::Stopped),
                Err(Stop::Malformed) => {
                    Err(TranslateError::Malformed { offset: translator.body.at })
                }
                Err(Stop::Unsupported(feature)) => {
                    Err(TranslateError::Unsupported { feature, offset: translator.body.at })
                }
            };
        }
    }

    /// At the start of a body.
    fn new(
        types: &'a dyn Types,
        body: &'a [u8],
        offset: u32,
        inlining: inline::State<'a>,
        stop: &'a dyn Fn() -> bool,
    ) -> Self {
        Translator {
            types,
            body: Body::new(body, SourceLoc::of_body(offset)),
            function: Function::default(),
            stack: Vec::new(),
            flushed: 0,
            locals: Vec::new(),
            controls: Vec::new(),
            inlining,
            reachable: true,
            skipped_blocks: 0,
            region: None,
            caught_return: None,
            checks: types.checks(),
            fuel: None,
            high: 0,
            max_slots: types.max_slots().min(MAX_FRAME_SLOTS),
            longest: 0,
            stop,
            work: 0,
        }
    }

    fn run(&mut self, signature: Signature<'a>) -> core::result::Result<(), Stop> {
        self.function.results = signature.results.to_vec();
        let zeroed = self.declare_locals(signature)?;
        self.open_function(signature);
        self.check_entry(zeroed);
        self.operators()?;
        if self.high > self.max_slots {
            return Err(Stop::FrameTooLarge);
        }
        let frame = &mut self.function.frame;
        frame.size = self.high;
        let far = frame.size + SCRATCH_SLOTS > NEAR_SLOTS || self.types.always_window();
        let wants_window = far && !self.inlining.is_planned();
        if wants_window && frame.window == 0 { Err(Stop::NeedsWindow) } else { Ok(()) }
    }

    /// Translates the instructions of a body that was opened last.
    fn operators(&mut self) -> core::result::Result<(), Stop> {
        while self.controls.len() > self.body.control {
            work::count(1);
            self.body.at = self.body.reader.position();
            self.operator()?;
            self.work += 1;
            if self.work >= WORK_UNASKED {
                self.work = 0;
                self.ask()?;
            }
        }
        Ok(())
    }

    /// Gives up if that is wanted, or the frame is too large already.
    #[cold]
    fn ask(&self) -> core::result::Result<(), Stop> {
        if (self.stop)() {
            return Err(Stop::Stopped);
        }
        if self.high > self.max_slots { Err(Stop::FrameTooLarge) } else { Ok(()) }
    }

    /// Declares parameters and locals; the slots of locals that are not parameters.
    fn declare_locals(&mut self, signature: Signature<'a>) -> Result<u32> {
        let window = self.function.frame.window;
        let mut frame = Frame::of(signature);
        frame.window = window;
        frame.locals += window;
        let mut slot = 0;
        for &ty in signature.params {
            self.declare(1, ty, &mut slot);
        }
        let mut slot = frame.locals;
        for (count, ty) in Locals::read(&mut self.body.reader)?.groups(&self.body.reader) {
            self.declare(count, ty, &mut slot);
        }
        frame.stack = self.inlining.reserve(slot);
        self.high = frame.stack;
        self.function.frame = frame;
        let zeroed = slot - frame.locals;
        if zeroed > 0 {
            self.emit(Inst::Zero { from: Slot(frame.locals), count: zeroed });
        }
        Ok(zeroed)
    }

    fn declare(&mut self, count: u32, ty: Type, slot: &mut u32) {
        if count > 0 {
            self.function.locals.push((count, ty));
        }
        for _ in 0..count {
            work::count(1);
            self.locals.push(Local { slot: *slot, ty, constant: None, top: NONE });
            *slot += ty.slots();
        }
    }

    fn emit(&mut self, inst: Inst) {
        work::count(1);
        self.function.insts.push(inst);
        self.function.sources.push(self.body.start.at(self.body.at));
    }

    /// A label at which the slots below `height` hold values.
    fn new_label(&mut self, height: u32) -> Label {
        self.function.label_heights.push(height);
        Label(self.function.label_heights.len() as u32 - 1)
    }

    fn place(&mut self, label: Label) {
        self.emit(Inst::Label { label, loop_header: false });
        self.fuel = None;
    }

    /// The canonical slot of the next value pushed.
    fn top(&self) -> u32 {
        self.stack.last().map_or(self.function.frame.stack, |entry| entry.slot + entry.ty.slots())
    }

    /// Whether a slot belongs to the operand stack.
    fn is_temporary(&self, slot: Slot) -> bool {
        slot.0 >= self.function.frame.stack
    }

    fn push(&mut self, ty: Type, value: Value) -> Slot {
        work::count(1);
        let slot = self.top();
        self.stack.push(Entry { slot, ty, value });
        self.high = self.high.max(slot + ty.slots());
        Slot(slot)
    }

    /// Pushes a value that the instruction emitted next computes.
    fn push_temp(&mut self, ty: Type) -> Slot {
        self.push(ty, Value::Temp)
    }

    fn push_const(&mut self, ty: Type, bits: u64) {
        self.push(ty, Value::Const(bits));
    }

    fn pop(&mut self) -> Result<Entry> {
        work::count(1);
        let entry = self.stack.pop().ok_or(Malformed)?;
        self.flushed = self.flushed.min(self.stack.len());
        if let Value::Local { index, below } = entry.value {
            self.locals[index as usize].top = below;
        }
        Ok(entry)
    }

    fn pop_operand(&mut self) -> Result<Operand> {
        let entry = self.pop()?;
        Ok(self.operand(entry))
    }

    fn operand(&self, entry: Entry) -> Operand {
        match entry.value {
            Value::Temp => Operand::Slot(Slot(entry.slot)),
            Value::Local { index, .. } => Operand::Slot(Slot(self.locals[index as usize].slot)),
            Value::Const(bits) => Operand::Const(bits),
        }
    }

    /// Pops a value that has to be in a slot.
    fn pop_slot(&mut self) -> Result<Slot> {
        let entry = self.pop()?;
        Ok(match self.operand(entry) {
            Operand::Slot(slot) => slot,
            Operand::Const(value) => {
                let dst = Slot(entry.slot);
                self.emit(Inst::Const { dst, value });
                dst
            }
        })
    }

    /// Pops two operands of which at most one is an immediate.
    fn pop_pair(&mut self) -> Result<(Operand, Operand)> {
        let b = self.pop_operand()?;
        let entry = self.pop()?;
        let mut a = self.operand(entry);
        if let (Operand::Const(value), Operand::Const(_)) = (a, b) {
            let dst = Slot(entry.slot);
            self.emit(Inst::Const { dst, value });
            a = Operand::Slot(dst);
        }
        Ok((a, b))
    }

    fn copy(&mut self, dst: u32, ty: Type, operand: Operand) {
        match operand {
            Operand::Const(value) => self.emit(Inst::Const { dst: Slot(dst), value }),
            Operand::Slot(Slot(src)) if src == dst => {}
            #[cfg(feature = "simd")]
            Operand::Slot(Slot(src)) if ty == Type::V128 => self.vector_copy(dst, src),
            Operand::Slot(Slot(src)) => {
                for half in 0..ty.slots() {
                    self.emit(Inst::Copy { dst: Slot(dst + half), src: Slot(src + half) });
                }
            }
        }
    }

    /// Brings the top `count` entries into their canonical slots.
    fn flush_top(&mut self, count: usize) -> Result<()> {
        let from = self.stack.len().checked_sub(count).ok_or(Malformed)?;
        self.flush_from(from);
        Ok(())
    }

    /// Brings every entry into its canonical slot.
    fn flush_all(&mut self) {
        self.flush_from(self.flushed);
        self.flushed = self.stack.len();
    }

    /// Drops entries that are all in their canonical slots.
    fn truncate(&mut self, height: usize) {
        self.stack.truncate(height);
        self.flushed = self.flushed.min(height);
    }

    /// The canonical slot of the entry at a stack index, or of the next one.
    fn slot_at(&self, height: usize) -> u32 {
        self.stack.get(height).map_or_else(|| self.top(), |entry| entry.slot)
    }

    /// Brings the entries from stack index `from` into their canonical slots.
    /// Top down, because the topmost reference heads each local's chain.
    fn flush_from(&mut self, from: usize) {
        for index in (from.max(self.flushed)..self.stack.len()).rev() {
            work::count(1);
            let entry = self.stack[index];
            if let Value::Local { index: local, below } = entry.value {
                self.locals[local as usize].top = below;
            }
            let operand = self.operand(entry);
            self.copy(entry.slot, entry.ty, operand);
            self.stack[index].value = Value::Temp;
        }
    }

    /// Copies a local about to be written into every entry that refers to it.
    fn preserve(&mut self, local: u32) {
        let Local { slot, ty, top, .. } = self.locals[local as usize];
        let mut index = top;
        while index != NONE {
            work::count(1);
            let entry = self.stack[index as usize];
            let Value::Local { below, .. } = entry.value else { break };
            self.copy(entry.slot, ty, Operand::Slot(Slot(slot)));
            self.stack[index as usize].value = Value::Temp;
            index = below;
        }
        self.locals[local as usize].top = NONE;
    }

    /// The index among all locals of one of the body's.
    fn local(&self, local: u32) -> Result<u32> {
        let index = self.body.first_local + local as usize;
        if index < self.locals.len() { Ok(index as u32) } else { Err(Malformed) }
    }

    fn local_get(&mut self, local: u32) -> Result<()> {
        let index = self.local(local)?;
        let position = self.stack.len() as u32;
        let local = &mut self.locals[index as usize];
        let ty = local.ty;
        if let Some(bits) = local.constant {
            self.push_const(ty, bits);
            return Ok(());
        }
        let below = core::mem::replace(&mut local.top, position);
        self.push(ty, Value::Local { index, below });
        Ok(())
    }

    /// Writes a popped value to a local. True if the instruction that computed
    /// it was redirected, so that its canonical slot does not hold it.
    fn write_local(&mut self, index: u32, entry: Entry) -> bool {
        if let Value::Local { index: source, .. } = entry.value
            && source == index
        {
            return false;
        }
        let pending = self.locals[index as usize].top != NONE;
        self.preserve(index);
        let slot = self.locals[index as usize].slot;
        if let Value::Temp = entry.value
            && !pending
            && let Some(dst) = self.function.insts.last_mut().and_then(Inst::dst_mut)
            && dst.0 == entry.slot
        {
            *dst = Slot(slot);
            return true;
        }
        let operand = self.operand(entry);
        self.copy(slot, entry.ty, operand);
        false
    }

    fn local_set(&mut self, local: u32) -> Result<()> {
        let index = self.local(local)?;
        let entry = self.pop()?;
        self.write_local(index, entry);
        Ok(())
    }

    fn local_tee(&mut self, local: u32) -> Result<()> {
        let index = self.local(local)?;
        let entry = self.pop()?;
        let redirected = self.write_local(index, entry);
        let (source, value) = match entry.value {
            _ if redirected => (Some(index), entry.value),
            Value::Local { index, .. } => (Some(index), entry.value),
            value => (None, value),
        };
        match source {
            Some(index) => {
                let position = self.stack.len() as u32;
                let local = &mut self.locals[index as usize];
                let below = core::mem::replace(&mut local.top, position);
                self.push(entry.ty, Value::Local { index, below });
            }
            None => {
                self.push(entry.ty, value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
