//! Jumps, traps, handlers, and what is emitted behind the function.

use super::asm::{AsmLabel, Cond, Mem, Reg, Rm, at, emit};
use super::integer::Alu;
use super::{FRAME, INT_SCRATCH, MEMORY, MEMORY_LEN, RAX, RCX, RDX, VMCTX};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Joined};
use crate::tuning;
use std::rc::Rc;
use zwasm_regir::{Inst, Slot, SourceLoc, TrapCode};

/// What the flags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Flag(Cond),
    /// After a comparison of floats.
    OrderedEqual,
    /// After a comparison of floats.
    NotEqualOrUnordered,
}

impl Condition {
    /// The opposite.
    pub(crate) fn not(self) -> Condition {
        match self {
            Condition::Flag(cond) => Condition::Flag(cond.not()),
            Condition::OrderedEqual => Condition::NotEqualOrUnordered,
            Condition::NotEqualOrUnordered => Condition::OrderedEqual,
        }
    }
}

/// Code that is rarely executed, emitted behind the function.
pub(crate) enum Late {
    /// Raises a trap at a place.
    Trap { label: AsmLabel, code: TrapCode, site: AsmLabel },
    /// A failed conversion: one trap for what is not a number, another for the rest.
    Conversion { label: AsmLabel, single: bool, src: Reg, overflow: AsmLabel, nan: AsmLabel },
    /// An indirect call whose types are not the same: threaded code decides.
    Threaded {
        label: AsmLabel,
        words: Vec<u64>,
        resume: AsmLabel,
        source: SourceLoc,
        region: Option<u32>,
    },
    /// The interpreter executes an instruction whose usual case is compiled.
    Slow(Box<Slow>),
    /// A way into a loop for an interpreter.
    Loop { word: AsmLabel, joined: Rc<[Joined]>, header: AsmLabel },
    /// A word through which a label is reached.
    Landing { word: AsmLabel, target: AsmLabel },
}

/// An instruction that the interpreter executes when its usual case, compiled, does
/// not apply: all values go to their slots before and come back behind it.
pub(crate) struct Slow {
    pub(crate) label: AsmLabel,
    pub(crate) resume: AsmLabel,
    words: Vec<u64>,
    constants: Vec<(u32, u64)>,
    values: Vec<Joined>,
    /// Where the result is wanted, and its slot. Slots from there on are not live
    /// behind the instruction.
    result: Option<(Reg, u32)>,
    source: SourceLoc,
    region: Option<u32>,
}

impl Compiler<'_> {
    /// Prepares for the interpreter to execute `inst`. If it has a result, that is
    /// in a register in compiled code, and its operands start at the slot given with
    /// that. What is in registers must not change between this and where the slow
    /// case leaves.
    pub(super) fn slow(&mut self, inst: &Inst, result: Option<(Reg, Slot)>) -> Slow {
        let mut words = Vec::new();
        self.env.threaded(inst, &mut words);
        self.state.forget_narrow();
        let held = |reg| self.state.held(reg).map(|held| Joined { reg, held });
        Slow {
            label: self.asm.new_label(),
            resume: self.asm.new_label(),
            words,
            constants: self.state.constants().to_vec(),
            values: self.state.used().iter().filter_map(held).collect(),
            result: result.map(|(reg, slot)| (reg, slot.0)),
            source: self.source(),
            region: self.code.regions.last().and_then(|(_, region)| *region),
        }
    }

    fn slow_case(&mut self, slow: &Slow) {
        let position = self.asm.offset();
        self.code.sources.push((position, slow.source));
        self.code.regions.push((position, slow.region));
        self.asm.bind(slow.label);
        for &(slot, value) in &slow.constants {
            self.store_constant(slot, value);
        }
        for Joined { reg, held } in slow.values.iter().filter(|each| each.held.dirty) {
            self.store_slot(held.slot, *reg, held.class);
        }
        let back = self.asm.new_label();
        self.run_threaded(&slow.words, back);
        self.asm.bind(back);
        let live = slow.result.map_or(u32::MAX, |(_, slot)| slot);
        for Joined { reg, held } in slow.values.iter().filter(|each| each.held.slot < live) {
            self.load_slot(*reg, held.slot, held.class);
        }
        if let Some((reg, slot)) = slow.result {
            self.load_slot(reg, slot, Class::Int);
        }
        self.asm.jmp(slow.resume);
    }

    pub(crate) fn jump_if(&mut self, condition: Condition, label: AsmLabel) {
        match condition {
            Condition::Flag(cond) => self.asm.jcc(cond, label),
            Condition::OrderedEqual => {
                let skip = self.asm.new_label();
                self.asm.jcc(Cond::Parity, skip);
                self.asm.jcc(Cond::Equal, label);
                self.asm.bind(skip);
            }
            Condition::NotEqualOrUnordered => {
                self.asm.jcc(Cond::Parity, label);
                self.asm.jcc(Cond::NotEqual, label);
            }
        }
    }

    pub(crate) fn jump_unless(&mut self, condition: Condition, label: AsmLabel) {
        self.jump_if(condition.not(), label);
    }

    /// Jumps through a table; what is beyond its end goes to the last entry. The
    /// register `target` is free.
    pub(crate) fn jump_table(&mut self, index: Reg, target: Reg, entries: &[AsmLabel]) {
        let last = entries.len() as i32 - 1;
        let table = self.asm.new_label();
        self.load_constant(INT_SCRATCH, last as u64);
        self.alu_immediate(Alu::Cmp, false, Rm::Reg(index), last);
        self.asm.cmov(Cond::Below, INT_SCRATCH, index);
        emit!(self.asm, leaq_rm(target, table));
        let entry = Mem { base: target, index: Some((INT_SCRATCH, 2)), disp: 0 };
        emit!(self.asm, movslq_rm(INT_SCRATCH, Rm::Mem(entry)));
        self.alu(Alu::Add, true, target, Rm::Reg(INT_SCRATCH));
        emit!(self.asm, jmpq_m(Rm::Reg(target)));
        self.asm.align(4);
        self.asm.bind(table);
        self.asm.table(entries);
    }

    pub(crate) fn align_loop(&mut self) {
        self.asm.align_with_nops(tuning::LOOP_ALIGN);
    }

    /// The label of code that raises a trap of the current instruction. The trap's
    /// place is where the code is now, so the jump that leads there has to follow:
    /// behind it may be where the next instruction starts.
    pub(crate) fn trap_label(&mut self, code: TrapCode) -> AsmLabel {
        let (label, site) = (self.asm.new_label(), self.asm.new_label());
        self.asm.bind(site);
        self.late.push(Late::Trap { label, code, site });
        label
    }

    pub(crate) fn trap_if(&mut self, cond: Cond, code: TrapCode) {
        let label = self.trap_label(code);
        self.asm.jcc(cond, label);
    }

    pub(crate) fn trap(&mut self, code: TrapCode) {
        let label = self.trap_label(code);
        self.asm.jmp(label);
    }

    /// Has the interpreter execute an instruction: all values go to their slots,
    /// its threaded code is run, and a word behind that leads back.
    pub(crate) fn call_handler(&mut self, inst: &Inst) {
        self.flush(u32::MAX);
        let mut words = Vec::new();
        self.env.threaded(inst, &mut words);
        let resume = self.asm.new_label();
        self.run_threaded(&words, resume);
        self.asm.bind(resume);
    }

    /// As [`Compiler::call_handler`], for an instruction that does not return here.
    pub(crate) fn leave_to_handler(&mut self, inst: &Inst) {
        self.flush(u32::MAX);
        let mut words = Vec::new();
        self.env.threaded(inst, &mut words);
        let start = self.asm.new_label();
        self.enter_threaded(start);
        self.threaded_words(start, &words);
        self.reachable = false;
    }

    /// Runs threaded code, and goes on at `resume` when it is done.
    fn run_threaded(&mut self, words: &[u64], resume: AsmLabel) {
        let start = self.asm.new_label();
        self.enter_threaded(start);
        self.threaded_words(start, words);
        self.asm.address(resume);
    }

    fn enter_threaded(&mut self, start: AsmLabel) {
        emit!(self.asm, leaq_rm(RDX, start));
        emit!(self.asm, jmpq_m(start));
    }

    fn threaded_words(&mut self, start: AsmLabel, words: &[u64]) {
        self.asm.align(8);
        self.asm.bind(start);
        for word in words {
            self.asm.word(*word);
        }
    }

    /// Reads base and size of memory 0 of the `vmctx`; `reg` is overwritten.
    pub(super) fn reload_memory(&mut self, reg: Reg) {
        let layout = self.layout;
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(VMCTX, layout.memory0 as i32))));
        emit!(self.asm, movq_rm(MEMORY, Rm::Mem(at(reg, layout.memory_base as i32))));
        emit!(self.asm, movq_rm(MEMORY_LEN, Rm::Mem(at(reg, layout.memory_len as i32))));
    }

    /// Returns; the results are in their slots.
    pub(crate) fn leave(&mut self) {
        let header = (self.function.frame.header * 8) as i32;
        let other = *self.other_instance.get_or_insert_with(|| self.asm.new_label());
        emit!(self.asm, movq_rm(RDX, Rm::Mem(at(FRAME, header))));
        emit!(self.asm, movq_rm(RAX, Rm::Mem(at(FRAME, header + 16))));
        emit!(self.asm, movq_rm(FRAME, Rm::Mem(at(FRAME, header + 8))));
        self.alu(Alu::Cmp, true, RAX, Rm::Reg(VMCTX));
        self.asm.jcc(Cond::NotEqual, other);
        emit!(self.asm, jmpq_m(Rm::Mem(at(RDX, 0))));
        self.reachable = false;
        self.state.clear();
    }

    /// The two words in front of the code, and the entry.
    pub(crate) fn prologue(&mut self, frame_slots: u32) {
        let entry = self.asm.new_label();
        self.asm.word(u64::from(frame_slots) * 8);
        self.asm.address(entry);
        self.asm.bind(entry);
    }

    /// What belongs behind the code.
    pub(crate) fn epilogue(&mut self) {
        let raise = self.asm.new_label();
        let mut raises = false;
        if let Some(other) = self.other_instance {
            self.asm.bind(other);
            self.move_reg(VMCTX, RAX);
            self.reload_memory(RAX);
            emit!(self.asm, jmpq_m(Rm::Mem(at(RDX, 0))));
        }
        // Conversions first: they refer to traps.
        let mut late = std::mem::take(&mut self.late);
        late.sort_by_key(|late| matches!(late, Late::Trap { .. }));
        for late in late {
            match late {
                Late::Trap { label, code, site } => {
                    raises = true;
                    self.asm.bind(label);
                    emit!(self.asm, leaq_rm(RDX, site));
                    self.load_constant(RCX, u64::from(code as u32));
                    emit!(self.asm, jmpq_m(raise));
                }
                Late::Conversion { label, single, src, overflow, nan } => {
                    self.asm.bind(label);
                    match single {
                        true => emit!(self.asm, ucomiss_a(src, Rm::Reg(src))),
                        false => emit!(self.asm, ucomisd_a(src, Rm::Reg(src))),
                    }
                    self.asm.jcc(Cond::Parity, nan);
                    self.asm.jmp(overflow);
                }
                Late::Threaded { label, words, resume, source, region } => {
                    let position = self.asm.offset();
                    self.code.sources.push((position, source));
                    self.code.regions.push((position, region));
                    self.asm.bind(label);
                    self.run_threaded(&words, resume);
                }
                Late::Slow(slow) => self.slow_case(&slow),
                Late::Loop { word, joined, header } => {
                    let stub = self.asm.new_label();
                    self.asm.align(8);
                    self.asm.bind(word);
                    self.asm.address(stub);
                    self.asm.bind(stub);
                    for &Joined { reg, held } in &*joined {
                        self.load_slot(reg, held.slot, held.class);
                    }
                    self.asm.jmp(header);
                }
                Late::Landing { word, target } => {
                    self.asm.align(8);
                    self.asm.bind(word);
                    self.asm.address(target);
                }
            }
        }
        if raises {
            self.asm.align(8);
            self.asm.bind(raise);
            let address = self.env.raise();
            self.asm.word(address);
        }
        #[cfg(feature = "simd")]
        self.asm.place_literals();
    }
}
