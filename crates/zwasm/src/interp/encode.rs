//! From the slot form to threaded code.
//!
//! One pass over the instructions. For each it picks the handler for the forms
//! of its operands: a slot, an immediate, or the accumulator when the operand is
//! what the instruction just before computed. Every result is stored in its slot
//! as well, so that the accumulator is only ever a shortcut and no instruction
//! depends on another one having used it. Comparisons are fused with the branch
//! that follows, copies with the copy that follows.
//!
//! An instruction is a handler word and an operand word of four 16-bit fields;
//! the upper two may together be a 32-bit immediate, memory offset or branch
//! distance. Larger immediates follow in words of their own. What lies too far off
//! for 16 bits comes to them (`far`).

mod call;
mod far;
mod gc;
mod memory;
#[cfg(feature = "simd")]
mod simd;

use super::handlers::numeric::Form;
#[cfg(feature = "trace")]
use super::handlers::observe;
use super::handlers::warmth;
use super::handlers::{Handler, check, control, exceptions, globals_tables, numeric};
use crate::code::catches::CatchTable;
use crate::code::translate::frame_bytes;
use crate::code::{Code, Text};
use crate::module::Inner;
use crate::module::places::Place;
use zwasm_regir::inst::{NEAR_SLOTS, SCRATCH_SLOTS, WideOp};
use zwasm_regir::object::{Kind, word};
use zwasm_regir::uses::Run;
use zwasm_regir::{BinaryOp, CompareOp, Function, Inst, Label, Operand, Slot, Type, work};

/// Encodes a function. `visit` is told the word each instruction starts at and
/// the index of the slot-form instruction it came from.
pub(super) fn encode(
    module: &Inner,
    defined: u32,
    function: &Function,
    visit: impl FnMut(usize, usize),
) -> Code {
    let mut encoder = Encoder {
        module,
        #[cfg(feature = "trace")]
        watched: module.observed.watch(defined, function),
        function,
        words: Vec::with_capacity(function.insts.len() * 2 + 1),
        labels: vec![usize::MAX; function.label_heights.len()],
        leads_to: leads_to(function),
        fixups: Vec::new(),
        held: Held::default(),
        left: None,
        checked: module.engine.config().check_held.then(|| module.func_index(defined)),
        place: 0,
        regions: Vec::new(),
        #[cfg(compiler)]
        marks: None,
        counter: None,
    };
    encoder.words.push(frame_bytes(function));
    encoder.observe(function.insts.len());
    encoder.count_entry(defined);
    encoder.insts(visit);
    encoder.patch();
    work::count(encoder.words.len() + encoder.fixups.len());
    let labels = &encoder.labels;
    let place = |label: Label| (labels[label.0 as usize] * size_of::<u64>()) as u32;
    Code {
        defined,
        header: function.frame.header,
        catches: CatchTable::new(function, encoder.regions, place),
        text: Text::Threaded(encoder.words.into()),
    }
}

/// What a place in the words of threaded code names that this process gave out.
#[cfg(compiler)]
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    /// A whole word: the address of a handler.
    Handler,
    /// Half a word: the canonical number of a type of the module.
    Number(u32),
    /// Half a word: the first word of the headers of a type's objects.
    Header(u32),
}

/// The interpreter's code that looks for optimized code when the counter of the record at
/// an offset is below zero: at the function's entry, or at the loop header with a label.
#[cfg(optimizer)]
pub(crate) fn encode_promotion(record: u32, header: Option<Label>) -> (Vec<u64>, Vec<(u32, Mark)>) {
    let header = header.map_or(crate::tier::ENTRY, |label| label.0);
    let handler: Handler = warmth::optimize;
    let words = vec![handler as usize as u64, u64::from(header) | u64::from(record) << 32];
    (words, vec![(0, Mark::Handler)])
}

/// The interpreter's code of one instruction that is not a branch or return, with
/// all operands in slots, as part of other code of the function; and the offsets in
/// bytes of what it names.
#[cfg(compiler)]
pub(crate) fn encode_one(
    module: &Inner,
    function: &Function,
    inst: &Inst,
) -> (Vec<u64>, Vec<(u32, Mark)>) {
    let mut encoder = Encoder {
        module,
        function,
        #[cfg(feature = "trace")]
        watched: None,
        words: Vec::new(),
        marks: Some(Vec::new()),
        labels: Vec::new(),
        leads_to: Vec::new(),
        fixups: Vec::new(),
        held: Held::default(),
        left: None,
        checked: None,
        place: 0,
        regions: Vec::new(),
        counter: None,
    };
    encoder.inst(inst);
    (encoder.words, encoder.marks.unwrap_or_default())
}

/// The first instruction behind each label that is not a label itself.
fn leads_to(function: &Function) -> Vec<usize> {
    let mut leads_to = vec![function.insts.len(); function.label_heights.len()];
    let mut next = function.insts.len();
    for (index, inst) in function.insts.iter().enumerate().rev() {
        work::count(1);
        match inst {
            Inst::Label { label, .. } => leads_to[label.0 as usize] = next,
            Inst::TryBegin { .. } | Inst::TryEnd { .. } => {}
            _ => next = index,
        }
    }
    leads_to
}

/// A branch whose target was not known when it was encoded.
struct Fixup {
    /// The word the distance counts from.
    from: usize,
    /// Where the distance goes, in 32-bit units.
    place: usize,
    target: Label,
}

/// Which slots' values the accumulators hold.
#[derive(Default)]
pub(super) struct Held {
    int: Option<Slot>,
    double: Option<Slot>,
    single: Option<Slot>,
}

impl Held {
    fn of(&mut self, ty: Type) -> &mut Option<Slot> {
        match ty {
            Type::F64 => &mut self.double,
            Type::F32 => &mut self.single,
            _ => &mut self.int,
        }
    }

    /// How to copy a slot: its form in the tables of copies, and the type whose
    /// accumulator holds the value afterwards.
    fn copy_form(&self, src: Slot) -> (usize, Type) {
        if self.int == Some(src) {
            (1, BITS)
        } else if self.double == Some(src) {
            (2, Type::F64)
        } else if self.single == Some(src) {
            (3, Type::F32)
        } else {
            (0, BITS)
        }
    }

    /// So many slots get new values.
    fn forget(&mut self, from: Slot, count: u32) {
        for held in [&mut self.int, &mut self.double, &mut self.single] {
            held.take_if(|slot| *slot >= from && slot.0 - from.0 < count);
        }
    }
}

/// A handler that moves bits without caring for their type leaves them in the
/// integer accumulator.
pub(super) const BITS: Type = Type::I64;

pub(super) struct Encoder<'a> {
    pub(super) module: &'a Inner,
    #[cfg(feature = "trace")]
    watched: Option<&'a crate::observe::Watched>,
    function: &'a Function,
    pub(super) words: Vec<u64>,
    /// The word of each label.
    labels: Vec<usize>,
    /// The first instruction behind each label that is not a label itself.
    leads_to: Vec<usize>,
    fixups: Vec<Fixup>,
    held: Held,
    /// The slot whose value the instruction being encoded leaves in an accumulator.
    left: Option<(Slot, Type)>,
    /// The function, if what the accumulators hold is to be checked.
    checked: Option<u32>,
    /// The index of the instruction being encoded.
    place: usize,
    /// The bytes from which on another try is the innermost, or none.
    regions: Vec<(u32, Option<u32>)>,
    /// The offsets of what the words name, if they are wanted.
    #[cfg(compiler)]
    marks: Option<Vec<(u32, Mark)>>,
    /// The offset of the record whose counter entries and loops count down.
    counter: Option<u32>,
}

/// Four fields of an operand word.
pub(super) fn fields(a: u32, b: u32, c: u32, d: u32) -> u64 {
    let field = |value: u32, shift: u32| {
        debug_assert!(value < NEAR_SLOTS, "slot {value} is too far off");
        u64::from(value as u16) << shift
    };
    field(a, 0) | field(b, 16) | field(c, 32) | field(d, 48)
}

/// Two halves of a word.
pub(super) fn halves(lower: u32, upper: u32) -> u64 {
    u64::from(lower) | u64::from(upper) << 32
}

/// Two fields and the upper half of an operand word.
pub(super) fn with_upper(a: u32, b: u32, upper: u32) -> u64 {
    fields(a, b, 0, 0) | u64::from(upper) << 32
}

impl Encoder<'_> {
    fn count_entry(&mut self, defined: u32) {
        let strategy = self.module.engine.config().strategy;
        if strategy.counts() {
            let record = self.module.record_offset(defined);
            self.counter = Some(record);
            let weight = strategy.entry_weight(self.module.body(defined).len());
            self.op(warmth::count_entry, with_upper(weight, 0, record));
        }
    }

    fn insts(&mut self, mut visit: impl FnMut(usize, usize)) {
        let mut index = 0;
        while let Some(inst) = self.function.insts.get(index) {
            work::count(1);
            visit(self.words.len(), index);
            self.place = index;
            if !self.observe(index) && !self.has_window() && self.fused(index) {
                index += 2;
            } else {
                self.inst(inst);
                index += 1;
            }
        }
    }

    /// Puts before an instruction, or behind the last before the function, what
    /// observes it; whether anything does.
    #[cfg(feature = "trace")]
    fn observe(&mut self, place: usize) -> bool {
        let Some(watched) = self.watched else { return false };
        // What is no code has nothing to be executed.
        let marks = matches!(
            self.function.insts.get(place),
            Some(Inst::Label { .. } | Inst::TryBegin { .. } | Inst::TryEnd { .. })
        );
        let observer = &self.module.engine.config().observer;
        if !marks && observer.counts() {
            self.op(observe::count, watched.counter(place) as u64);
        }
        if !marks && observer.watches() {
            self.op(observe::watch, u64::from(watched.defined) | (place as u64) << 32);
        }
        true
    }

    #[cfg(not(feature = "trace"))]
    fn observe(&mut self, _: usize) -> bool {
        false
    }

    /// Encodes two instructions as one, if they go together.
    fn fused(&mut self, index: usize) -> bool {
        let insts = &self.function.insts;
        match (insts[index], insts.get(index + 1)) {
            (Inst::Compare { op, dst, a, b }, Some(&Inst::BrIf { cond, negate, target }))
                if dst == cond && dst.0 >= self.function.frame.stack =>
            {
                self.br_compare(op, a, b, negate, target);
                true
            }
            (Inst::Copy { dst, src }, Some(&Inst::Copy { dst: dst2, src: src2 }))
                if !self.returns(dst2, index + 2) =>
            {
                self.held.forget(dst, 1);
                let (form, ty) = self.copy_form(src2);
                self.op(numeric::COPY_PAIR[form], fields(dst.0, src.0, dst2.0, src2.0));
                self.held.forget(dst2, 1);
                *self.held.of(ty) = Some(dst2);
                true
            }
            (Inst::Copy { dst, src }, Some(&Inst::Br { .. })) if self.returns(dst, index + 1) => {
                self.inst(&Inst::ReturnValue { value: Operand::Slot(src) });
                true
            }
            (Inst::Const { dst, value }, Some(&Inst::Br { .. }))
                if self.returns(dst, index + 1) =>
            {
                self.inst(&Inst::ReturnValue { value: Operand::Const(value) });
                true
            }
            _ => false,
        }
    }

    /// The return that a label leads to without anything in between.
    fn return_at(&self, label: Label) -> Option<Inst> {
        let inst = self.function.insts.get(self.leads_to[label.0 as usize])?;
        matches!(inst, Inst::Return | Inst::ReturnValue { .. }).then_some(*inst)
    }

    /// Whether the instruction at `index` is a branch to a return of `slot`.
    fn returns(&self, slot: Slot, index: usize) -> bool {
        let Some(&Inst::Br { target }) = self.function.insts.get(index) else { return false };
        self.return_at(target) == Some(Inst::ReturnValue { value: Operand::Slot(slot) })
    }

    pub(super) fn op(&mut self, handler: Handler, operands: u64) {
        #[cfg(compiler)]
        self.mark(0, Mark::Handler);
        self.words.push(handler as usize as u64);
        self.words.push(operands);
    }

    /// What stands so many bytes into the next word.
    #[cfg(compiler)]
    fn mark(&mut self, byte: u32, mark: Mark) {
        let at = (self.words.len() * size_of::<u64>()) as u32 + byte;
        if let Some(marks) = &mut self.marks {
            marks.push((at, mark));
        }
    }

    /// Appends a table or slot and the canonical type of the function that it holds.
    pub(super) fn with_type(&mut self, table: u32, ty: u32) {
        #[cfg(compiler)]
        self.mark(4, Mark::Number(ty));
        self.words.push(halves(table, self.module.types[ty as usize]));
    }

    /// Appends the first word of the headers of a type's objects, and another half.
    pub(super) fn with_header(&mut self, ty: u32, kind: Kind, upper: u32) {
        #[cfg(compiler)]
        self.mark(0, Mark::Header(ty));
        self.words.push(halves(word(self.module.types[ty as usize], kind), upper));
    }

    /// How to give an operand of type `ty`, and its slot if it has one.
    pub(super) fn form(&mut self, operand: Operand, ty: Type) -> (Form, u32) {
        match operand {
            Operand::Const(_) => (Form::Imm, 0),
            Operand::Slot(slot) if *self.held.of(ty) == Some(slot) => {
                self.check(slot, ty);
                (Form::Acc, slot.0)
            }
            Operand::Slot(slot) => (Form::Slot, slot.0),
        }
    }

    /// As [`Held::copy_form`].
    fn copy_form(&mut self, src: Slot) -> (usize, Type) {
        let (form, ty) = self.held.copy_form(src);
        if form != 0 {
            self.check(src, ty);
        }
        (form, ty)
    }

    /// An accumulator is about to be read for a slot. More than one check of the
    /// same does no harm.
    fn check(&mut self, slot: Slot, ty: Type) {
        if let Some(function) = self.checked {
            self.op(check::of(ty), with_upper(slot.0, 0, self.place as u32));
            self.words.push(u64::from(function));
        }
    }

    /// The slot of an operand for a handler that knows no other form.
    pub(super) fn in_slot(&mut self, operand: Operand, scratch: u32) -> u32 {
        match operand {
            Operand::Slot(slot) => slot.0,
            Operand::Const(value) => {
                let slot = self.scratch() + scratch;
                self.op(numeric::const64, fields(slot, 0, 0, 0));
                self.words.push(value);
                self.held.int = None;
                slot
            }
        }
    }

    pub(super) fn constant(&mut self, operand: Operand) {
        if let Operand::Const(value) = operand {
            self.words.push(value);
        }
    }

    /// The instruction leaves its result in an accumulator as well.
    pub(super) fn leaves(&mut self, dst: Slot, ty: Type) {
        self.left = Some((dst, ty));
    }

    /// The first of the slots that nothing else uses.
    fn scratch(&self) -> u32 {
        let frame = &self.function.frame;
        if self.has_window() { frame.window_start() } else { frame.size }
    }

    fn inst(&mut self, inst: &Inst) {
        if self.has_window() && self.is_far(inst) {
            return self.far(inst);
        }
        self.emit(inst);
        if let Some(Run { from, length }) = inst.writes() {
            // Of three locals that are zeroed the slot behind is as well.
            let behind = u32::from(matches!(inst, Inst::Zero { count: 3, .. }));
            self.held.forget(from, self.module.slots_of(length).saturating_add(behind));
        }
        if let Some((dst, ty)) = self.left.take() {
            *self.held.of(ty) = Some(dst);
        }
    }

    fn emit(&mut self, inst: &Inst) {
        match *inst {
            Inst::Label { label, loop_header } => {
                self.labels[label.0 as usize] = self.words.len();
                self.held = Held::default();
                if loop_header && let Some(record) = self.counter {
                    self.op(warmth::count_loop, u64::from(label.0) | u64::from(record) << 32);
                }
            }
            Inst::Zero { from, count } => {
                // The slot behind the locals may be overwritten too: the operand
                // stack is empty when locals are zeroed.
                let handler = match count {
                    1 => numeric::zero1,
                    2 => numeric::zero2,
                    3 | 4 => numeric::zero4,
                    _ => numeric::zero,
                };
                self.op(handler, with_upper(from.0, 0, count));
            }
            Inst::Const { dst, value } => {
                match u32::try_from(value) {
                    Ok(value) => self.op(numeric::const32, with_upper(dst.0, 0, value)),
                    Err(_) => {
                        self.op(numeric::const64, fields(dst.0, 0, 0, 0));
                        self.words.push(value);
                    }
                }
                self.leaves(dst, BITS);
            }
            Inst::Copy { dst, src } => {
                let (form, ty) = self.copy_form(src);
                self.op(numeric::COPY[form], fields(dst.0, src.0, 0, 0));
                self.leaves(dst, ty);
            }
            Inst::CopySlots { dst, src, count } => self.copy_slots(dst.0, src.0, count),
            Inst::Unary { op, dst, a } => {
                let (form, slot) = self.form(Operand::Slot(a), op.operand());
                let handler = numeric::UNARY[op as usize][form as usize];
                self.op(handler, fields(dst.0, slot, 0, 0));
                self.leaves(dst, op.result());
            }
            Inst::Binary { op, dst, a, b } => self.binary(op, dst, a, b),
            Inst::Compare { op, dst, a, b } => self.compare(op, dst, a, b),
            Inst::Select { dst, cond, a, b, .. } => {
                let (form, cond) = self.form(Operand::Slot(cond), Type::I32);
                let (a_form, a_slot) = slot_or_imm(a);
                let (b_form, b_slot) = slot_or_imm(b);
                let handler = numeric::SELECT[form as usize * 4 + a_form * 2 + b_form];
                self.op(handler, fields(dst.0, a_slot, b_slot, cond));
                self.constant(a);
                self.constant(b);
                self.leaves(dst, BITS);
            }
            Inst::Wide { op, base } => {
                let handler = match op {
                    WideOp::Add128 => numeric::add128,
                    WideOp::Sub128 => numeric::sub128,
                    WideOp::MulWideS => numeric::mul_wide_s,
                    WideOp::MulWideU => numeric::mul_wide_u,
                };
                self.op(handler, fields(base.0, 0, 0, 0));
            }
            Inst::Load { op, dst, addr, mem, offset } => self.load(op, dst, addr, mem, offset),
            Inst::Store { op, addr, value, mem, offset } => {
                self.store(op, addr, value, mem, offset);
            }
            Inst::Atomic { .. }
            | Inst::AtomicWait { .. }
            | Inst::AtomicNotify { .. }
            | Inst::AtomicFence => self.atomic(inst),
            Inst::MemorySize { dst, mem } => self.memory_size(dst, mem),
            Inst::MemoryGrow { base, mem } => self.memory_grow(base, mem),
            Inst::Bulk { op, base } => self.bulk(op, base),
            Inst::GlobalGet { dst, global } => {
                let (imported, place) = self.module.global_place(global).indexed();
                self.op(globals_tables::GLOBAL_GET[imported], with_upper(dst.0, 0, place));
                self.leaves(dst, BITS);
            }
            Inst::GlobalSet { global, value } => {
                let (imported, place) = self.module.global_place(global).indexed();
                let (form, slot) = slot_or_imm(value);
                let handler = globals_tables::GLOBAL_SET[imported][form];
                self.op(handler, with_upper(slot, 0, place));
                self.constant(value);
            }
            Inst::TableGet { dst, index, table } => {
                let index = self.in_slot(index, 0);
                let handler = match self.module.holds_functions(table) {
                    true => globals_tables::table_get_function,
                    false => globals_tables::table_get,
                };
                self.op(handler, with_upper(dst.0, index, table));
                self.leaves(dst, BITS);
            }
            Inst::TableSet { index, value, table } => {
                let index = self.in_slot(index, 0);
                let value = self.in_slot(value, 1);
                let handler = match self.module.holds_functions(table) {
                    true => globals_tables::table_set_function,
                    false => globals_tables::table_set,
                };
                self.op(handler, with_upper(index, value, table));
            }
            Inst::TableSize { dst, table } => {
                self.op(globals_tables::table_size, with_upper(dst.0, 0, table));
                self.leaves(dst, BITS);
            }
            // Only the optimizing compiler's translations have it.
            Inst::TableHolds { dst, .. } => self.inst(&Inst::Const { dst, value: 0 }),
            Inst::RefFunc { dst, func } => {
                match self.module.func_place(func) {
                    Place::Own(offset) => {
                        self.op(globals_tables::ref_func, with_upper(dst.0, 0, offset))
                    }
                    Place::Imported(index) => {
                        self.op(globals_tables::ref_func_imported, with_upper(dst.0, 0, index));
                    }
                }
                self.leaves(dst, BITS);
            }
            Inst::Gc { .. }
            | Inst::StructGet { .. }
            | Inst::StructSet { .. }
            | Inst::ArrayGet { .. }
            | Inst::ArraySet { .. }
            | Inst::ArrayLen { .. }
            | Inst::RefTest { .. }
            | Inst::RefCast { .. }
            | Inst::I31New { .. }
            | Inst::I31Get { .. } => self.gc(inst),
            Inst::RefAsNonNull { src } => {
                self.op(globals_tables::ref_as_non_null, fields(src.0, 0, 0, 0))
            }
            #[cfg(feature = "simd")]
            Inst::Simd(inst) => self.simd(inst),
            Inst::Br { target } => match self.return_at(target) {
                Some(ret) => self.inst(&ret),
                None => self.branch(control::br, 0, 0, target),
            },
            Inst::BrIf { cond, negate, target } => {
                let (form, cond) = self.form(Operand::Slot(cond), Type::I32);
                let handler = control::BR_IF[form as usize][usize::from(negate)];
                self.branch(handler, cond, 0, target);
            }
            Inst::BrTable { index, first, count } => self.br_table(index, first, count),
            Inst::Unreachable => self.op(control::unreachable, 0),
            Inst::Return => self.op(control::ret, fields(self.function.frame.header, 0, 0, 0)),
            Inst::ReturnValue { value } => {
                let (form, slot) = self.form(value, BITS);
                let handler = control::RET_VALUE[form as usize];
                self.op(handler, fields(self.function.frame.header, slot, 0, 0));
                self.constant(value);
            }
            Inst::ReturnSlots { from, count } => {
                let operands = with_upper(self.function.frame.header, from.0, count);
                self.op(control::ret_slots, operands);
            }
            Inst::Call { .. } | Inst::CallIndirect { .. } | Inst::CallRef { .. } => {
                self.call(inst);
                self.held = Held::default();
            }
            Inst::ReturnCall { .. }
            | Inst::ReturnCallIndirect { .. }
            | Inst::ReturnCallRef { .. } => self.return_call(inst),
            Inst::Throw { tag, base } => {
                self.op(exceptions::throw, halves(base.0, tag));
            }
            Inst::ThrowRef { src } => self.op(exceptions::throw_ref, fields(src.0, 0, 0, 0)),
            Inst::TryBegin { region } => self.region(Some(region)),
            Inst::TryEnd { region } => {
                self.region(self.function.tries[region as usize].parent);
            }
            Inst::Fuel { cost } => self.op(control::fuel, with_upper(0, 0, cost)),
            Inst::Epoch => {
                let end = self.function.frame.size + SCRATCH_SLOTS;
                self.op(control::epoch, halves(end, 0));
            }
        }
    }

    /// From here on another try is the innermost.
    fn region(&mut self, region: Option<u32>) {
        self.regions.push(((self.words.len() * size_of::<u64>()) as u32, region));
    }

    fn binary(&mut self, op: BinaryOp, dst: Slot, mut a: Operand, mut b: Operand) {
        let ty = op.result();
        if op.commutes() {
            let b_first = matches!(a, Operand::Const(_))
                || (self.form(b, ty).0 == Form::Acc && self.form(a, ty).0 != Form::Acc);
            if b_first {
                (a, b) = (b, a);
            }
        }
        let (a_form, a_slot) = self.form(a, ty);
        let (mut b_form, b_slot) = self.form(b, ty);
        if a_form == Form::Acc && b_form == Form::Acc {
            b_form = Form::Slot;
        }
        let handler = numeric::BINARY[op as usize][a_form as usize * 3 + b_form as usize];
        self.op_pair(handler, dst.0, a_slot, b_slot, b, ty);
        self.constant(a);
        self.leaves(dst, ty);
    }

    /// An op on two operands of which the second may be an immediate: a narrow
    /// one goes into the operand word, a wide one into a word of its own.
    fn op_pair(&mut self, handler: Handler, dst: u32, a: u32, b: u32, operand: Operand, ty: Type) {
        match (operand, ty) {
            (Operand::Const(value), Type::I32 | Type::F32) => {
                self.op(handler, with_upper(dst, a, value as u32));
            }
            _ => {
                self.op(handler, fields(dst, a, b, 0));
                self.constant(operand);
            }
        }
    }

    /// A comparison with its accumulator operand first and its immediate second.
    fn ordered(
        &mut self,
        op: CompareOp,
        a: Operand,
        b: Operand,
    ) -> (CompareOp, Operand, Operand, usize) {
        let ty = op.operand();
        let b_first = matches!(a, Operand::Const(_))
            || (self.form(b, ty).0 == Form::Acc && self.form(a, ty).0 != Form::Acc);
        let (op, a, b) = if b_first { (op.swap(), b, a) } else { (op, a, b) };
        let acc = self.form(a, ty).0 == Form::Acc;
        let imm = matches!(b, Operand::Const(_));
        (op, a, b, usize::from(acc) * 2 + usize::from(imm))
    }

    fn compare(&mut self, op: CompareOp, dst: Slot, a: Operand, b: Operand) {
        let (op, a, b, form) = self.ordered(op, a, b);
        let handler = numeric::COMPARE[op as usize][form];
        self.op_pair(handler, dst.0, slot_of(a), slot_of(b), b, op.operand());
        self.leaves(dst, Type::I32);
    }

    fn br_compare(&mut self, op: CompareOp, a: Operand, b: Operand, negate: bool, to: Label) {
        let (op, a, b, form) = self.ordered(op, a, b);
        let handler = control::BR_COMPARE[op as usize][usize::from(negate)][form];
        self.branch(handler, slot_of(a), slot_of(b), to);
        self.constant(b);
    }

    /// An instruction with two fields and a branch distance.
    fn branch(&mut self, handler: Handler, a: u32, b: u32, target: Label) {
        let from = self.words.len();
        self.op(handler, fields(a, b, 0, 0));
        self.fixups.push(Fixup { from, place: (from + 1) * 2 + 1, target });
    }

    fn br_table(&mut self, index: Slot, first: u32, count: u32) {
        let (form, index) = self.form(Operand::Slot(index), Type::I32);
        let from = self.words.len();
        self.op(control::BR_TABLE[form as usize], with_upper(index, 0, count - 1));
        self.words.resize(from + 2 + (count as usize).div_ceil(2), 0);
        for entry in 0..count as usize {
            let target = self.function.br_targets[first as usize + entry];
            self.fixups.push(Fixup { from, place: (from + 2) * 2 + entry, target });
        }
    }

    /// Writes the distances of all branches.
    fn patch(&mut self) {
        for Fixup { from, place, target } in &self.fixups {
            let distance = (self.labels[target.0 as usize] as i64 - *from as i64) * 8;
            let shift = (place % 2) * 32;
            self.words[place / 2] |= u64::from(distance as i32 as u32) << shift;
        }
    }
}

fn slot_of(operand: Operand) -> u32 {
    match operand {
        Operand::Slot(slot) => slot.0,
        Operand::Const(_) => 0,
    }
}

/// 0 and the slot, or 1 for an immediate.
fn slot_or_imm(operand: Operand) -> (usize, u32) {
    match operand {
        Operand::Slot(slot) => (0, slot.0),
        Operand::Const(_) => (1, 0),
    }
}
