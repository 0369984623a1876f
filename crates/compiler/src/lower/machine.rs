//! Instructions of a processor as the register allocator sees them: which virtual
//! registers each reads and writes, and where it wants them.
//!
//! Selection goes from the end of the function to its start, so that it knows who uses a
//! value before it comes to what defines it. The records here are filled in that order
//! and turned around once at the end. What an instruction is, is not known here: the
//! allocator is compiled once for all instruction sets.

use crate::tuning::KEPT_MACHINE_INSTS;
use core::cell::RefCell;
use regalloc2::{
    Algorithm, Block, Ctx, Function, Inst, InstRange, MachineEnv, Operand, OperandConstraint,
    OperandKind, OperandPos, Output, PReg, PRegSet, RegClass, RegallocOptions, VReg,
};

/// What an instruction is to the flow of control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Control goes on to the next one.
    Next,
    /// It ends its block, and control goes to one of the block's successors.
    Branch,
    /// It ends its block, and control leaves the function.
    Leave,
}

/// An instruction: where its operands are, and what else it does.
#[derive(Clone, Copy)]
struct Record {
    first: u32,
    count: u16,
    flow: Flow,
    clobbers: u8,
}

/// A run of a list.
type Run = core::ops::Range<u32>;

/// A block: runs of the lists below.
#[derive(Clone, Default)]
struct BlockRecord {
    insts: Run,
    params: Run,
    successors: Run,
    predecessors: Run,
}

/// A function for the register allocator.
#[derive(Default)]
pub(super) struct Machine {
    insts: Vec<Record>,
    operands: Vec<Operand>,
    blocks: Vec<BlockRecord>,
    params: Vec<VReg>,
    successors: Vec<Block>,
    /// For each successor, what is passed to its parameters.
    passed: Vec<Run>,
    args: Vec<VReg>,
    predecessors: Vec<Block>,
    clobbers: Vec<PRegSet>,
    vregs: usize,
    /// Words of a spilled vector register.
    pub(super) float_words: usize,
}

/// Registers in disjoint sets.
struct Sets {
    /// For each register another one of its set, or itself: ways that end at the same one.
    above: Vec<u32>,
    /// For what ways end at, how many there are.
    sizes: Vec<u32>,
}

impl Sets {
    fn root(&mut self, vreg: VReg) -> usize {
        let mut each = vreg.vreg();
        loop {
            let next = self.above[each];
            if next as usize == each {
                return each;
            }
            self.above[each] = self.above[next as usize];
            each = next as usize;
        }
    }

    /// Makes two sets one; how many are in it, or zero if they are one already.
    fn join(&mut self, a: VReg, b: VReg) -> u64 {
        let (mut above, mut below) = (self.root(a), self.root(b));
        if above == below {
            return 0;
        }
        if self.sizes[above] < self.sizes[below] {
            core::mem::swap(&mut above, &mut below);
        }
        self.above[below] = above as u32;
        self.sizes[above] += self.sizes[below];
        u64::from(self.sizes[above])
    }
}

fn at(run: &Run) -> core::ops::Range<usize> {
    run.start as usize..run.end as usize
}

impl Machine {
    /// An empty function of so many blocks. Instructions clobber nothing, or one of these
    /// sets.
    pub(super) fn new(blocks: usize, clobbers: Vec<PRegSet>) -> Machine {
        let blocks = vec![BlockRecord::default(); blocks];
        Machine { blocks, clobbers, float_words: 1, ..Machine::default() }
    }

    /// A new virtual register.
    pub(super) fn vreg(&mut self, class: RegClass) -> VReg {
        self.vregs += 1;
        VReg::new(self.vregs - 1, class)
    }

    /// Appends an instruction, with an operand more if it has one. `clobbers` is the number
    /// of a set.
    pub(super) fn inst(
        &mut self,
        flow: Flow,
        operands: &[Operand],
        more: Option<Operand>,
        clobbers: u8,
    ) {
        let first = self.operands.len() as u32;
        self.operands.extend_from_slice(operands);
        self.operands.extend(more);
        let count = (self.operands.len() as u32 - first) as u16;
        self.insts.push(Record { first, count, flow, clobbers });
    }

    /// How many instructions there are.
    pub(super) fn len(&self) -> usize {
        self.insts.len()
    }

    /// The instructions from the one with this number on are in the wrong order.
    pub(super) fn reverse(&mut self, from: usize) {
        self.insts[from..].reverse();
    }

    /// The instructions from the one with this number on are a block, last to first.
    pub(super) fn block(&mut self, block: usize, from: usize) {
        self.blocks[block].insts = from as u32..self.insts.len() as u32;
    }

    /// Adds parameters of a block, all at once.
    pub(super) fn params(&mut self, block: usize, params: impl Iterator<Item = VReg>) {
        let first = self.params.len() as u32;
        self.params.extend(params);
        self.blocks[block].params = first..self.params.len() as u32;
    }

    /// Adds a successor to a block, before those of any other block are added, and what
    /// is passed to it.
    pub(super) fn successor(&mut self, block: usize, to: usize, args: impl Iterator<Item = VReg>) {
        let first = self.args.len() as u32;
        self.args.extend(args);
        self.passed.push(first..self.args.len() as u32);
        let index = self.successors.len() as u32;
        self.successors.push(Block::new(to));
        let run = &mut self.blocks[block].successors;
        if run.start == run.end {
            run.start = index;
        }
        run.end = index + 1;
    }

    /// How many values live at each instruction, summed over all, as far as the order of
    /// instructions tells: from where a register is first named to where it is last named.
    /// The allocator compares what lives at the same time.
    pub(super) fn lives(&self) -> u64 {
        let mut spans = vec![(u32::MAX, 0); self.vregs];
        let mut name = |vreg: VReg, index: u32| {
            if let Some((first, last)) = spans.get_mut(vreg.vreg()) {
                *first = index.min(*first);
                *last = index.max(*last);
            }
        };
        for (index, inst) in self.insts.iter().enumerate() {
            let run = inst.first..inst.first + u32::from(inst.count);
            self.operands[at(&run)].iter().for_each(|operand| name(operand.vreg(), index as u32));
        }
        for block in &self.blocks {
            let insts = &block.insts;
            self.params[at(&block.params)].iter().for_each(|param| name(*param, insts.start));
            for successor in at(&block.successors) {
                let args = &self.args[at(&self.passed[successor])];
                args.iter().for_each(|arg| name(*arg, insts.end - 1));
            }
        }
        spans.iter().map(|(first, last)| u64::from(last.saturating_sub(*first))).sum()
    }

    /// What it takes to give one register to values of which one becomes the other, because
    /// an instruction overwrites what it reads or an edge passes it to a parameter. The
    /// allocator keeps those that have found each other in lists, and sorts a list whenever
    /// it gets longer.
    pub(super) fn merges(&self) -> u64 {
        let mut sets = Sets { above: (0..self.vregs as u32).collect(), sizes: vec![1; self.vregs] };
        let mut sum = 0;
        for inst in &self.insts {
            let operands = &self.operands[at(&(inst.first..inst.first + u32::from(inst.count)))];
            for operand in operands {
                if let OperandConstraint::Reuse(read) = operand.constraint() {
                    sum += sets.join(operand.vreg(), operands[read].vreg());
                }
            }
        }
        for (to, passed) in self.successors.iter().zip(&self.passed) {
            let params = &self.params[at(&self.blocks[to.index()].params)];
            for (param, arg) in params.iter().zip(&self.args[at(passed)]) {
                sum += sets.join(*param, *arg);
            }
        }
        sum
    }

    /// All is there: puts instructions in order and finds predecessors.
    pub(super) fn finish(&mut self) {
        self.insts.reverse();
        let count = self.insts.len() as u32;
        for block in &mut self.blocks {
            block.insts = count - block.insts.end..count - block.insts.start;
        }
        let mut degree = vec![0u32; self.blocks.len() + 1];
        for to in &self.successors {
            degree[to.index()] += 1;
        }
        let mut first = 0;
        for (block, degree) in self.blocks.iter_mut().zip(&degree) {
            block.predecessors = first..first;
            first += degree;
        }
        self.predecessors = vec![Block::invalid(); self.successors.len()];
        for from in 0..self.blocks.len() {
            for each in at(&self.blocks[from].successors) {
                let run = &mut self.blocks[self.successors[each].index()].predecessors;
                self.predecessors[run.end as usize] = Block::new(from);
                run.end += 1;
            }
        }
    }

    /// The instructions of a block.
    pub(super) fn insts_of(&self, block: usize) -> core::ops::Range<usize> {
        at(&self.blocks[block].insts)
    }

    /// Where control may go from a block.
    pub(super) fn successors_of(&self, block: usize) -> &[Block] {
        &self.successors[at(&self.blocks[block].successors)]
    }
}

impl Function for Machine {
    fn num_insts(&self) -> usize {
        self.insts.len()
    }

    fn num_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn entry_block(&self) -> Block {
        Block::new(0)
    }

    fn block_insns(&self, block: Block) -> InstRange {
        let run = &self.blocks[block.index()].insts;
        InstRange::new(Inst::new(run.start as usize), Inst::new(run.end as usize))
    }

    fn block_succs(&self, block: Block) -> &[Block] {
        self.successors_of(block.index())
    }

    fn block_preds(&self, block: Block) -> &[Block] {
        &self.predecessors[at(&self.blocks[block.index()].predecessors)]
    }

    fn block_params(&self, block: Block) -> &[VReg] {
        &self.params[at(&self.blocks[block.index()].params)]
    }

    fn is_ret(&self, inst: Inst) -> bool {
        self.insts[inst.index()].flow == Flow::Leave
    }

    fn is_branch(&self, inst: Inst) -> bool {
        self.insts[inst.index()].flow == Flow::Branch
    }

    fn branch_blockparams(&self, block: Block, _: Inst, successor: usize) -> &[VReg] {
        let first = self.blocks[block.index()].successors.start as usize;
        &self.args[at(&self.passed[first + successor])]
    }

    fn inst_operands(&self, inst: Inst) -> &[Operand] {
        let Record { first, count, .. } = self.insts[inst.index()];
        &self.operands[first as usize..first as usize + usize::from(count)]
    }

    fn inst_clobbers(&self, inst: Inst) -> PRegSet {
        self.clobbers[usize::from(self.insts[inst.index()].clobbers)]
    }

    fn num_vregs(&self) -> usize {
        self.vregs
    }

    fn spillslot_size(&self, class: RegClass) -> usize {
        match class {
            RegClass::Int => 1,
            RegClass::Float | RegClass::Vector => self.float_words,
        }
    }
}

thread_local! {
    /// Memory that the allocator works in, which one function after the other takes instead
    /// of asking for it in hundreds of pieces.
    static CONTEXT: RefCell<Ctx> = RefCell::default();
}

/// Allocates registers; those in `scratch` may be changed by any instruction.
///
/// # Errors
///
/// If the allocator finds no solution.
pub(super) fn allocate(
    machine: &Machine,
    registers: &MachineEnv,
    scratch: &[PReg],
) -> Result<Output, regalloc2::RegAllocError> {
    // A static, so that the allocator's other algorithm is found never to run.
    static OPTIONS: RegallocOptions = RegallocOptions {
        verbose_log: false,
        validate_ssa: cfg!(debug_assertions),
        algorithm: Algorithm::Ion,
    };
    let mut output = CONTEXT.with(|context| {
        // Nothing in here allocates registers again.
        let mut context = context.borrow_mut();
        let output = regalloc2::run_with_ctx(machine, registers, &OPTIONS, &mut context);
        let output = output.cloned();
        if output.is_err() || machine.len() > KEPT_MACHINE_INSTS {
            *context = Ctx::default();
        }
        output
    })?;
    super::moves::remove(machine, &mut output, scratch);
    #[cfg(debug_assertions)]
    {
        let mut checker = regalloc2::checker::Checker::new(machine, registers);
        checker.prepare(&output);
        if let Err(errors) = checker.run() {
            panic!("registers are allocated wrongly: {errors:?}");
        }
    }
    Ok(output)
}

/// A value read, in a register.
pub(super) fn read(vreg: VReg) -> Operand {
    Operand::reg_use(vreg)
}

/// A value read after results have been written.
pub(super) fn read_late(vreg: VReg) -> Operand {
    Operand::reg_use_at_end(vreg)
}

/// A value read, wherever it is.
pub(super) fn read_any(vreg: VReg) -> Operand {
    Operand::new(vreg, OperandConstraint::Any, OperandKind::Use, OperandPos::Early)
}

/// The same, read after results have been written.
pub(super) fn read_any_late(vreg: VReg) -> Operand {
    Operand::new(vreg, OperandConstraint::Any, OperandKind::Use, OperandPos::Late)
}

/// A value read, in a certain register.
pub(super) fn read_in(vreg: VReg, reg: PReg) -> Operand {
    Operand::reg_fixed_use(vreg, reg)
}

/// A value written.
pub(super) fn write(vreg: VReg) -> Operand {
    Operand::reg_def(vreg)
}

/// A value written while others are still read.
pub(super) fn write_early(vreg: VReg) -> Operand {
    Operand::reg_def_at_start(vreg)
}

/// A value written to the register that the operand with this index is read from.
pub(super) fn write_over(vreg: VReg, read: usize) -> Operand {
    Operand::reg_reuse_def(vreg, read)
}

/// A value written, in a certain register.
pub(super) fn write_in(vreg: VReg, reg: PReg) -> Operand {
    Operand::reg_fixed_def(vreg, reg)
}

/// A value written while others are still read, in a certain register.
pub(super) fn write_early_in(vreg: VReg, reg: PReg) -> Operand {
    Operand::new(vreg, OperandConstraint::FixedReg(reg), OperandKind::Def, OperandPos::Early)
}
