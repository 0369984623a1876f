//! Emission: instructions whose registers are known become bytes.
//!
//! Blocks come in the order given, rare ones last. Behind them stands what is executed
//! rarely, then literals, jump tables and threaded code.

use super::Literal;
use super::allocate::Slow;
use super::bulk::Long;
use super::inst::{Address, Base, Callee, Inst, Src};
use super::regs::{FUEL, MEMORY, reg};
use super::traps::Cause;
use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::code::{KEPT, Landing, NativeCode, Routine};
use crate::isa::x64::{
    Assembler, Cond, Condition, INT_SCRATCH, R10, RBP, RDI, RDX, RSI, RSP, emit,
};
use crate::isa::{Alu, Primitives, Size};
use crate::lower::machine::Machine;
use crate::lower::{Clauses, Scratch};
use crate::target::Features;
use crate::tuning::{CODE_LINE, SMALL_LOOP, UNCHECKED_FRAME, WIDE_LOOP_ALIGN};
use crate::{CompileError, Environment, VmLayout};
use regalloc2::{Allocation, Edit, InstOrEdit, Output};
use zwasm_regir::{SourceLoc, TrapCode};

/// Literals that are looked at for one to use again.
const RECENT_WORDS: usize = 32;

/// The registers of an instruction, taken one by one.
pub(crate) struct Regs<'a> {
    allocations: core::slice::Iter<'a, Allocation>,
    frame: i32,
}

impl Regs<'_> {
    /// The next register.
    pub(crate) fn reg(&mut self) -> Reg {
        match self.rm() {
            Rm::Reg(reg) => reg,
            // The allocator puts nothing else where a register is wanted.
            Rm::Mem(_) | Rm::Label(_) => INT_SCRATCH,
        }
    }

    /// The next operand, which may be spilled.
    pub(crate) fn rm(&mut self) -> Rm {
        match self.allocations.next() {
            Some(allocation) => place(*allocation, self.frame),
            None => Rm::Reg(INT_SCRATCH),
        }
    }

    /// The next operand is one that the last result was written over.
    pub(crate) fn over(&mut self) -> Reg {
        let reg = self.reg();
        self.allocations.next();
        reg
    }

    /// A place in memory.
    pub(crate) fn mem(&mut self, address: Address) -> Mem {
        let base = match address.base {
            Base::Operand => self.reg(),
            Base::Vmctx => RDI,
            Base::Memory => MEMORY,
        };
        let index = address.scale.map(|scale| (self.reg(), scale));
        Mem { base, index, disp: address.disp }
    }

    /// What an instruction reads that is no constant.
    pub(super) fn src(&mut self, src: Src) -> Rm {
        match src {
            Src::Mem(address) => Rm::Mem(self.mem(address)),
            Src::Label(label) => Rm::Label(label),
            Src::Operand | Src::Imm(_) => self.rm(),
        }
    }
}

/// Where the allocator put a value.
pub(super) fn place(allocation: Allocation, frame: i32) -> Rm {
    if let Some(preg) = allocation.as_reg() {
        return Rm::Reg(reg(preg));
    }
    let slot = allocation.as_stack().map_or(0, |slot| slot.index());
    Rm::Mem(at(RBP, slot as i32 * 8 - frame))
}

/// What a word behind the code holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Bits(u64),
    Routine(Routine),
}

/// What stands behind the function's blocks.
pub(super) enum Late {
    /// Traps.
    Trap(Cause),
    /// The deadline is reached: the handler of the threaded code with this number, and on at
    /// the label.
    Epoch { code: u32, resume: AsmLabel },
    /// Something cost more fuel than is active: on at the label, if there is more.
    Fuel { resume: AsmLabel },
    /// The callee in the scratch register is of another instance: on at the label, in that.
    Enter { resume: AsmLabel },
    /// It was: on at the label, in one's own.
    Leave { resume: AsmLabel },
    /// A failed conversion: one trap for what is not a number, another for the rest.
    Conversion { single: bool, src: Reg, overflow: AsmLabel, nan: AsmLabel },
    /// A handler makes an object.
    Slow(Slow),
    /// A handler moves many bytes.
    Long(Long),
}

/// The machine code of one function while it is made.
pub(crate) struct Emitter<'a> {
    pub(crate) asm: Assembler,
    pub(crate) layout: &'a VmLayout,
    /// Whether the code pays fuel, and has what is left in a register.
    pub(super) metered: bool,
    /// Bytes from the frame pointer down to the stack pointer.
    pub(super) frame: i32,
    /// Whether memory 0 has its register.
    pinned: bool,
    pub(super) source: SourceLoc,
    pub(super) late: Vec<(AsmLabel, SourceLoc, Late)>,
    words: Vec<(Word, AsmLabel)>,
    tables: Vec<(AsmLabel, Vec<AsmLabel>)>,
    /// The labels of blocks, as the jumps that name them want them.
    blocks: Vec<AsmLabel>,
    /// Where the entry is, for the function's calls of itself.
    entry: AsmLabel,
    /// For each piece of threaded code where it is, and where it leads back to.
    scratches: Vec<(AsmLabel, AsmLabel)>,
    landings: Vec<(u32, Option<u32>, bool, AsmLabel)>,
    sources: Vec<(u32, SourceLoc)>,
}

/// A function to be emitted.
pub(super) struct Emission<'a> {
    pub(super) machine: &'a Machine,
    pub(super) insts: &'a [Inst],
    /// For each instruction where it came from.
    pub(super) sources: &'a [SourceLoc],
    pub(super) output: &'a Output,
    /// The blocks in the order of emission, and whether each is aligned.
    pub(super) order: &'a [(u32, bool)],
    pub(super) clauses: &'a [Clauses],
    pub(super) tables: &'a [Vec<u32>],
    pub(super) scratches: &'a [Scratch],
    /// Labels of literals that selection has named, in the order of their numbers.
    pub(super) literals: &'a [Literal],
    /// Whether the function pays fuel.
    pub(super) metered: bool,
    /// Whether the function calls, so that its frame keeps the `vmctx`.
    pub(super) calls: bool,
    /// Whether the frame is cleared: what calls of before have left there could look like
    /// references, and keep objects for as long as the function runs.
    pub(super) clears: bool,
}

impl Emission<'_> {
    /// Makes the code.
    ///
    /// # Errors
    ///
    /// If a jump does not reach its label.
    pub(super) fn run(
        &self,
        env: &dyn Environment,
        features: Features,
        listing: bool,
    ) -> Result<NativeCode, CompileError> {
        let words = self.output.num_spillslots + usize::from(self.calls);
        let frame =
            i32::try_from(words.next_multiple_of(2) * 8).map_err(|_| CompileError::Unsupported)?;
        let mut asm = Assembler::new(features, true, listing);
        // Selection has given literals the first labels.
        for _ in self.literals {
            asm.new_label();
        }
        let entry = asm.new_label();
        let scratches = self.scratches.iter().map(|_| (asm.new_label(), asm.new_label())).collect();
        let blocks = (0..self.order.len()).map(|_| asm.new_label()).collect();
        let mut emitter = Emitter {
            asm,
            layout: env.layout(),
            metered: self.metered,
            frame,
            pinned: env.memory_is_pinned(),
            source: SourceLoc::default(),
            late: Vec::new(),
            words: Vec::new(),
            tables: Vec::new(),
            blocks,
            entry,
            scratches,
            landings: Vec::new(),
            sources: Vec::new(),
        };
        self.blocks(&mut emitter);
        emitter.late();
        let data = emitter.asm.offset();
        emitter.data(self);
        emitter.finish(frame as u32, data)
    }

    /// Emits the blocks.
    fn blocks(&self, emitter: &mut Emitter<'_>) {
        let leads = self.thread_jumps(emitter);
        let entry = emitter.entry;
        emitter.asm.bind(entry);
        if let Some(source) = self.sources.first() {
            emitter.at(*source);
        }
        emitter.prologue(self.calls, self.clears);
        // What is left out leaves its alignment to what comes next.
        let mut waits = false;
        let stays = |&(block, align): &(u32, bool)| {
            let align = core::mem::take(&mut waits) || align;
            let stays = leads[block as usize] == block;
            waits = align && !stays;
            stays.then_some((block, align))
        };
        let mut order = self.order.iter().filter_map(stays).peekable();
        while let Some((block, align)) = order.next() {
            let next = order.peek().map(|(next, _)| *next);
            if align {
                let round = self.round(block as usize, next, &leads);
                let small = round.is_some_and(|insts| insts <= SMALL_LOOP);
                emitter.asm.align_with_nops(if small { CODE_LINE } else { WIDE_LOOP_ALIGN });
            }
            let label = emitter.blocks[block as usize];
            emitter.asm.bind(label);
            self.block(emitter, block as usize, next.map(|next| emitter.blocks[next as usize]));
        }
    }

    /// How many instructions a round has of a loop that starts with a block, if that and the
    /// next one are all of it.
    fn round(&self, block: usize, next: Option<u32>, leads: &[u32]) -> Option<usize> {
        let again = |from: usize| {
            let mut to = self.machine.successors_of(from).iter();
            to.any(|to| leads[to.index()] as usize == block)
        };
        let len = |block: usize| self.machine.insts_of(block).len();
        match next.map(|next| next as usize) {
            _ if again(block) => Some(len(block)),
            Some(next) if again(next) => Some(len(block) + len(next)),
            _ => None,
        }
    }

    /// Where a block leads that does nothing but jump.
    fn is_jump(&self, block: usize) -> Option<usize> {
        let insts = self.machine.insts_of(block);
        let only = insts.len() == 1 && matches!(self.insts[insts.start], Inst::Jump);
        let first = regalloc2::ProgPoint::before(regalloc2::Inst::new(insts.start));
        let edits = &self.output.edits;
        let moves = |at: usize| edits.get(at).is_some_and(|(point, _)| *point == first);
        let at = || edits.partition_point(|(point, _)| *point < first);
        (only && !moves(at())).then(|| self.machine.successors_of(block)[0].index())
    }

    /// Lets jumps to blocks that do nothing but jump name where those lead to, so that they
    /// can be left out; gives for each block where it leads, itself if it stays.
    fn thread_jumps(&self, emitter: &mut Emitter<'_>) -> Vec<u32> {
        const UNKNOWN: u32 = u32::MAX;
        let mut leads: Vec<u32> = vec![UNKNOWN; self.order.len()];
        let mut chain = Vec::new();
        for start in 0..leads.len() {
            let mut block = start;
            while leads[block] == UNKNOWN {
                // A ring of jumps leads to whichever of them was met first.
                leads[block] = block as u32;
                let Some(to) = self.is_jump(block) else { break };
                chain.push(block);
                block = to;
            }
            let end = leads[block];
            for block in chain.drain(..) {
                leads[block] = end;
            }
        }
        let labels = emitter.blocks.clone();
        for (label, lead) in emitter.blocks.iter_mut().zip(&leads) {
            *label = labels[*lead as usize];
        }
        leads
    }

    fn block(&self, emitter: &mut Emitter<'_>, block: usize, next: Option<AsmLabel>) {
        for each in self.output.block_insts_and_edits(self.machine, regalloc2::Block::new(block)) {
            match each {
                InstOrEdit::Edit(Edit::Move { from, to }) => {
                    emitter.shift(*from, *to, self.machine.float_words);
                }
                InstOrEdit::Inst(inst) => {
                    emitter.at(self.sources[inst.index()]);
                    let allocations = self.output.inst_allocs(inst).iter();
                    let mut regs = Regs { allocations, frame: emitter.frame };
                    let inst = &self.insts[inst.index()];
                    if !emitter.inst(inst, &mut regs) {
                        self.control(emitter, inst, &mut regs, block, next);
                    }
                }
            }
        }
    }

    /// What ends a block, or may.
    fn control(
        &self,
        emitter: &mut Emitter<'_>,
        inst: &Inst,
        regs: &mut Regs<'_>,
        block: usize,
        next: Option<AsmLabel>,
    ) {
        let successors = self.machine.successors_of(block);
        let label = |emitter: &Emitter<'_>, index: usize| emitter.blocks[successors[index].index()];
        match *inst {
            Inst::Jump => {
                let to = label(emitter, 0);
                emitter.jump_unless_next(to, next);
            }
            Inst::Branch(condition) => {
                let (then, otherwise) = (label(emitter, 0), label(emitter, 1));
                if next == Some(then) {
                    emitter.asm.jump_if(!condition, otherwise);
                } else {
                    emitter.asm.jump_if(condition, then);
                    emitter.jump_unless_next(otherwise, next);
                }
            }
            Inst::BranchCast(check) => {
                let (then, otherwise) = (label(emitter, 0), label(emitter, 1));
                let (found, reference) = (regs.reg(), regs.reg());
                check.emit(&mut emitter.asm, emitter.layout, reference, found, then, otherwise);
                emitter.jump_unless_next(then, next);
            }
            Inst::Table { entries } => {
                let (index, target) = (regs.reg(), regs.reg());
                let entries = self.tables[entries as usize].iter();
                let entries = entries.map(|each| label(emitter, *each as usize)).collect();
                emitter.jump_table(index, target, entries);
            }
            Inst::Call { callee, clauses } => {
                emitter.call(callee);
                let Some(clauses) = clauses else { return };
                let to = label(emitter, 0);
                self.landings(emitter, clauses);
                emitter.restore_vmctx(callee);
                emitter.jump_unless_next(to, next);
            }
            Inst::Throw { code, clauses } => {
                emitter.leave_for(code, Routine::Throw);
                if let Some(clauses) = clauses {
                    self.landings(emitter, clauses);
                }
            }
            _ => {}
        }
    }

    /// The clauses around a call that has just been emitted.
    fn landings(&self, emitter: &mut Emitter<'_>, clauses: u32) {
        let call = emitter.asm.offset();
        for clause in &self.clauses[clauses as usize].list {
            let target = emitter.blocks[clause.2 as usize];
            emitter.landings.push((call, clause.0, clause.1, target));
        }
    }
}

impl<'a> Emitter<'a> {
    /// What follows belongs to another WebAssembly instruction.
    fn at(&mut self, source: SourceLoc) {
        if self.source == source && !self.sources.is_empty() {
            return;
        }
        self.source = source;
        let offset = self.asm.offset();
        match self.sources.last_mut() {
            Some((at, last)) if *at == offset => *last = source,
            _ => self.sources.push((offset, source)),
        }
    }

    fn jump_unless_next(&mut self, to: AsmLabel, next: Option<AsmLabel>) {
        if next != Some(to) {
            self.asm.jump(to);
        }
    }

    pub(super) fn push_late(&mut self, late: Late) -> AsmLabel {
        let label = self.asm.new_label();
        self.late.push((label, self.source, late));
        label
    }

    fn pooled(&mut self, word: Word) -> AsmLabel {
        let recent = self.words.iter().rev().take(RECENT_WORDS);
        if let Some((_, label)) = recent.into_iter().find(|(each, _)| *each == word) {
            return *label;
        }
        let label = self.asm.new_label();
        self.words.push((word, label));
        label
    }

    /// The label of eight bytes of data behind the code.
    pub(crate) fn literal(&mut self, bits: u64) -> AsmLabel {
        self.pooled(Word::Bits(bits))
    }

    /// The label of a word with the address of a routine.
    pub(crate) fn routine(&mut self, routine: Routine) -> AsmLabel {
        self.pooled(Word::Routine(routine))
    }

    /// Makes the frame, if the stack has room for it.
    fn prologue(&mut self, calls: bool, clears: bool) {
        emit!(self.asm, pushq_o(RBP));
        self.asm.mov(RBP, RSP);
        let is_small = self.frame <= UNCHECKED_FRAME;
        if is_small && self.frame > 0 {
            self.asm.alu_immediate(Alu::Sub, true, RSP, self.frame);
        }
        if calls || !is_small {
            self.asm.load(INT_SCRATCH, at(RDI, self.layout.store as i32), Size::B8);
            let limit = at(INT_SCRATCH, self.layout.native_limit as i32);
            if is_small {
                self.asm.cmp(true, RSP, Rm::Mem(limit));
            } else {
                // The trap wants a stack pointer that is not far below. No argument is in
                // this register.
                self.asm.address_of(R10, at(RSP, -self.frame), true);
                self.asm.cmp(true, R10, Rm::Mem(limit));
            }
            self.trap_if(Condition::Flag(Cond::Below), TrapCode::StackOverflow);
            if !is_small {
                self.asm.mov(RSP, R10);
            }
        }
        if clears {
            self.asm.clear_words(RSP, 0, self.frame as u32 / 8);
        }
        if calls {
            self.asm.store(at(RBP, -8), RDI, Size::B8);
        }
    }

    /// Takes the frame down.
    fn unwind(&mut self) {
        if self.frame > 0 {
            self.asm.mov(RSP, RBP);
        }
        emit!(self.asm, popq_o(RBP));
    }

    pub(super) fn epilogue(&mut self) {
        self.unwind();
        self.asm.ret();
    }

    /// Loads the record of a callee into its register, where one that is an operand is.
    fn record(&mut self, callee: Callee) {
        match callee {
            Callee::Itself | Callee::Record => {}
            Callee::Own(offset) => self.asm.address_of(INT_SCRATCH, at(RDI, offset as i32), true),
            Callee::Imported(index) => {
                let funcs = at(RDI, self.layout.imported_funcs as i32);
                self.asm.load(INT_SCRATCH, funcs, Size::B8);
                self.asm.load(INT_SCRATCH, at(INT_SCRATCH, (index * 8) as i32), Size::B8);
            }
        }
    }

    pub(super) fn call(&mut self, callee: Callee) {
        if callee == Callee::Itself {
            let entry = self.entry;
            self.asm.call(entry);
            return;
        }
        self.record(callee);
        match instance(callee) {
            Instance::Same => {}
            Instance::Likely => {
                let resume = self.asm.new_label();
                let late = self.push_late(Late::Enter { resume });
                let vmctx = at(INT_SCRATCH, self.layout.record_vmctx as i32);
                self.asm.cmp(true, RDI, Rm::Mem(vmctx));
                self.asm.jcc(Cond::NotEqual, late);
                self.asm.bind(resume);
            }
            Instance::Other => self.go_over(),
        }
        let code = at(INT_SCRATCH, self.layout.record_code as i32);
        emit!(self.asm, callq_m(code));
    }

    pub(super) fn restore_vmctx(&mut self, callee: Callee) {
        match instance(callee) {
            Instance::Same => {}
            Instance::Likely if self.pinned => {
                let resume = self.asm.new_label();
                let late = self.push_late(Late::Leave { resume });
                self.asm.cmp(true, RDI, Rm::Mem(at(RBP, -8)));
                self.asm.jcc(Cond::NotEqual, late);
                self.asm.bind(resume);
            }
            Instance::Likely | Instance::Other => self.come_back(),
        }
    }

    /// Into the instance of the callee in the scratch register.
    fn go_over(&mut self) {
        self.asm.load(RDI, at(INT_SCRATCH, self.layout.record_vmctx as i32), Size::B8);
        self.load_memory();
    }

    /// Back into one's own instance.
    fn come_back(&mut self) {
        self.asm.load(RDI, at(RBP, -8), Size::B8);
        if self.pinned {
            self.load_memory();
        }
    }

    /// Loads the register of memory 0, whether the instance pins it or not.
    fn load_memory(&mut self) {
        self.asm.load(MEMORY, at(RDI, self.layout.memory0 as i32), Size::B8);
        self.asm.load(MEMORY, at(MEMORY, self.layout.memory_base as i32), Size::B8);
    }

    pub(super) fn tail_call(&mut self, callee: Callee) {
        self.record(callee);
        self.unwind();
        match callee {
            Callee::Itself => {
                let entry = self.entry;
                return self.asm.jump(entry);
            }
            Callee::Own(_) => {}
            Callee::Imported(_) | Callee::Record => {
                let vmctx = at(INT_SCRATCH, self.layout.record_vmctx as i32);
                let (same, restored) = (self.asm.new_label(), self.asm.new_label());
                self.asm.cmp(true, RDI, Rm::Mem(vmctx));
                self.asm.jcc(Cond::Equal, same);
                let restore = self.routine(Routine::Restore);
                // No argument is in this register.
                emit!(self.asm, movq_rm(R10, restore));
                self.asm.cmp(true, R10, Rm::Mem(at(RSP, 0)));
                self.asm.jcc(Cond::Equal, restored);
                emit!(self.asm, pushq_o(RDI));
                emit!(self.asm, pushq_o(R10));
                self.asm.bind(restored);
                self.asm.mov(R10, RDI);
                self.go_over();
                self.asm.store(at(RDI, self.layout.tail_caller as i32), R10, Size::B8);
                self.asm.bind(same);
            }
        }
        emit!(self.asm, jmpq_m(at(INT_SCRATCH, self.layout.record_code as i32)));
    }

    /// Runs threaded code on the scratch frame whose address is in its register.
    pub(super) fn leave_for(&mut self, code: u32, routine: Routine) {
        let (threaded, back) = self.scratches[code as usize];
        let routine_returns = routine == Routine::Handler;
        let routine = self.routine(routine);
        self.store_fuel();
        self.asm.store(at(RSI, 0), RBP, Size::B8);
        self.asm.alu_immediate(Alu::Add, true, RSI, 8);
        self.asm.label_address(RDX, threaded);
        emit!(self.asm, callq_m(routine));
        self.asm.bind(back);
        if routine_returns {
            // The frame of slots is still there, and leads to ours.
            self.asm.load(RBP, at(RSI, -8), Size::B8);
            self.asm.address_of(RSP, at(RBP, -self.frame), true);
            if self.pinned {
                self.asm.mov(MEMORY, Assembler::MEMORY);
            }
            self.load_fuel();
        }
    }

    /// Reads what is left of the fuel, in code that pays.
    pub(super) fn load_fuel(&mut self) {
        if self.metered {
            load_fuel(&mut self.asm, self.layout, INT_SCRATCH);
        }
    }

    /// Writes what is left of the fuel for whoever is not native code, in code that pays.
    fn store_fuel(&mut self) {
        if self.metered {
            store_fuel(&mut self.asm, self.layout, INT_SCRATCH);
        }
    }

    /// Runs threaded code on a scratch frame, where nobody expects it: all registers are
    /// kept, until [`Emitter::bring`]. `rsi` is the scratch frame then.
    pub(super) fn keep(&mut self, code: u32) {
        let (threaded, back) = self.scratches[code as usize];
        let routine = self.routine(Routine::Keep);
        self.store_fuel();
        self.asm.label_address(INT_SCRATCH, threaded);
        emit!(self.asm, callq_m(routine));
        self.asm.bind(back);
        self.asm.load(RBP, at(RSI, -8), Size::B8);
        self.asm.address_of(RSP, at(RBP, -self.frame - KEPT), true);
    }

    /// Brings all registers back but the scratch register.
    pub(super) fn bring(&mut self) {
        let routine = self.routine(Routine::Bring);
        emit!(self.asm, callq_m(routine));
    }

    fn jump_table(&mut self, index: Reg, target: Reg, entries: Vec<AsmLabel>) {
        let last = entries.len() as i32 - 1;
        let table = self.asm.new_label();
        self.asm.constant(INT_SCRATCH, last as u64);
        self.asm.cmp_immediate(false, Rm::Reg(index), last);
        self.asm.cmov(Cond::Below, INT_SCRATCH, index);
        self.asm.label_address(target, table);
        let entry = Mem { base: target, index: Some((INT_SCRATCH, 2)), disp: 0 };
        emit!(self.asm, movslq_rm(INT_SCRATCH, entry));
        self.asm.alu(Alu::Add, true, target, Rm::Reg(INT_SCRATCH));
        emit!(self.asm, jmpq_m(target));
        self.tables.push((table, entries));
    }

    /// What is rarely executed.
    fn late(&mut self) {
        let late = std::mem::take(&mut self.late);
        for (label, source, late) in late {
            self.at(source);
            self.asm.bind(label);
            match late {
                Late::Trap(cause) => self.raise(cause),
                Late::Epoch { code, resume } => {
                    self.keep(code);
                    self.bring();
                    self.load_fuel();
                    self.asm.jump(resume);
                }
                Late::Fuel { resume } => {
                    let refuel = self.routine(Routine::Refuel);
                    emit!(self.asm, callq_m(refuel));
                    self.asm.jump(resume);
                }
                Late::Enter { resume } => {
                    self.go_over();
                    self.asm.jump(resume);
                }
                Late::Leave { resume } => {
                    self.come_back();
                    self.asm.jump(resume);
                }
                Late::Conversion { single, src, overflow, nan } => {
                    self.asm.jump_if_nan(single, src, nan);
                    self.asm.jump(overflow);
                }
                Late::Slow(slow) => self.slow_allocation(&slow),
                Late::Long(long) => self.long_bulk(&long),
            }
        }
    }

    /// Where an object is made for which there is no room.
    pub(super) fn push_slow(&mut self, label: AsmLabel, slow: Slow) {
        self.late.push((label, self.source, Late::Slow(slow)));
    }

    /// The label of code that has a handler move many bytes.
    pub(super) fn push_long(&mut self, long: Long) -> AsmLabel {
        self.push_late(Late::Long(long))
    }

    /// Literals, tables and threaded code.
    fn data(&mut self, emission: &Emission<'_>) {
        self.asm.align(16);
        #[cfg(feature = "simd")]
        self.asm.place_literals();
        for (index, literal) in emission.literals.iter().enumerate() {
            let label = AsmLabel(index as u32);
            match *literal {
                Literal::Word(bits) => {
                    self.asm.align(8);
                    self.asm.bind(label);
                    self.asm.word(bits);
                }
                #[cfg(feature = "simd")]
                Literal::Pair([low, high]) => {
                    self.asm.align(16);
                    self.asm.bind(label);
                    self.asm.word(low);
                    self.asm.word(high);
                }
            }
        }
        self.asm.align(8);
        for (word, label) in std::mem::take(&mut self.words) {
            self.asm.bind(label);
            match word {
                Word::Bits(bits) => self.asm.word(bits),
                Word::Routine(routine) => self.asm.routine(routine),
            }
        }
        for (label, entries) in std::mem::take(&mut self.tables) {
            self.asm.bind(label);
            self.asm.table(&entries);
        }
        self.asm.align(8);
        for (scratch, (label, back)) in emission.scratches.iter().zip(self.scratches.clone()) {
            self.asm.bind(label);
            self.asm.threaded(&scratch.threaded, &"");
            // What does not come back needs a word all the same.
            self.asm.address(back);
        }
    }

    /// Resolves labels.
    fn finish(self, frame: u32, data: u32) -> Result<NativeCode, CompileError> {
        let entry = self.asm.position(self.entry);
        let landing = |(call, tag, by_ref, target): &(u32, Option<u32>, bool, AsmLabel)| Landing {
            call: *call,
            tag: *tag,
            by_ref: *by_ref,
            target: self.asm.position(*target),
        };
        let mut landings: Vec<Landing> = self.landings.iter().map(landing).collect();
        landings.sort_by_cached_key(|landing| u64::from(landing.call));
        let Emitter { asm, sources, .. } = self;
        let finished = asm.finish().map_err(|_| CompileError::Unsupported)?;
        Ok(NativeCode {
            bytes: finished.bytes,
            relocations: finished.relocations,
            entry,
            frame,
            landings,
            data,
            sources,
            listing: finished.listing,
        })
    }
}

/// Reads what is left of the fuel from the store's limits; `scratch` is overwritten.
pub(super) fn load_fuel(asm: &mut Assembler, layout: &VmLayout, scratch: Reg) {
    asm.load(scratch, at(RDI, layout.limits as i32), Size::B8);
    asm.load(FUEL, at(scratch, layout.limits_fuel as i32), Size::B8);
}

/// Writes what is left of the fuel to the store's limits; `scratch` is overwritten.
pub(super) fn store_fuel(asm: &mut Assembler, layout: &VmLayout, scratch: Reg) {
    asm.load(scratch, at(RDI, layout.limits as i32), Size::B8);
    asm.store(at(scratch, layout.limits_fuel as i32), FUEL, Size::B8);
}

/// In which instance a callee runs.
enum Instance {
    /// The caller's.
    Same,
    /// The caller's, but for rare cases.
    Likely,
    /// Mostly another, or none.
    Other,
}

fn instance(callee: Callee) -> Instance {
    match callee {
        Callee::Itself | Callee::Own(_) => Instance::Same,
        Callee::Record => Instance::Likely,
        Callee::Imported(_) => Instance::Other,
    }
}
