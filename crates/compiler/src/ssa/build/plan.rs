//! The blocks of a function before anything is put into them: where they start and end,
//! how control gets from one to another, what dominates what, which loops there are, and
//! where each slot is written.
//!
//! All of that follows from one walk over the instructions, because they are in the order
//! of the text of structured code: all edges but those back to the header of a loop lead
//! forward, and all that can be reached only through a block lies behind it. So the
//! dominator of a block is known as soon as the block starts, from those of the edges
//! that lead there, and a loop is what lies between its header and the last edge back.
//!
//! Each instruction has a *position*, and so has each clause of a call inside a try, whose
//! block lies between the call and what it returns to. Code that nothing leads to has none.

use super::entry::{Segment, segments};
use super::tree::Tree;
use crate::{CompileError, Environment, tuning};
use zwasm_regir::types::slots_of;
use zwasm_regir::uses::{Length, Run};
use zwasm_regir::{Function, Inst, Label, work};

/// No block, loop or write.
pub(super) const NONE: u32 = u32::MAX;

/// What a block is made from.
#[derive(Clone, Debug)]
pub(super) enum Code {
    /// The instructions with these indices.
    Insts(core::ops::Range<usize>),
    /// As that, behind a call inside a try, whose results are written at the start.
    Returned(core::ops::Range<usize>),
    /// What a clause catches, by its index among all clauses.
    Landing(usize),
    /// Nothing.
    Empty,
}

/// A block to be.
pub(super) struct Planned {
    pub(super) code: Code,
    /// The position of its first instruction.
    pub(super) start: u32,
    /// The position behind its last one.
    pub(super) end: u32,
    /// Where control goes, in `Plan::successors`: what a jump leads to; of a branch its
    /// target, then what follows; of a table one block, or one for each entry; of a call inside a
    /// try what it returns to, then those of clauses; of a throw those of clauses.
    pub(super) successors: core::ops::Range<usize>,
    /// Where control comes from, each block once.
    pub(super) predecessors: Vec<u32>,
    /// The innermost loop around it.
    pub(super) inner: u32,
}

/// A loop: what lies between these two positions.
pub(super) struct Extent {
    pub(super) header: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// All writes to slots, by slot.
#[derive(Default)]
pub(super) struct Writes {
    /// For each slot where its writes begin in `at`, and behind them an end.
    first: Vec<u32>,
    /// Their positions, ascending for each slot.
    pub(super) at: Vec<u32>,
}

impl Writes {
    fn new(slots: u32, pairs: &[(u32, u32)]) -> Writes {
        let mut first = vec![0; slots as usize + 2];
        for (slot, _) in pairs {
            first[*slot as usize + 2] += 1;
        }
        for slot in 2..first.len() {
            first[slot] += first[slot - 1];
        }
        let mut at = vec![0; pairs.len()];
        for (slot, position) in pairs {
            let next = &mut first[*slot as usize + 1];
            at[*next as usize] = *position;
            *next += 1;
        }
        first.pop();
        Writes { first, at }
    }

    /// The writes of a slot.
    pub(super) fn of(&self, slot: u32) -> core::ops::Range<u32> {
        self.first[slot as usize]..self.first[slot as usize + 1]
    }

    /// The first write of a slot at or behind a position; the end of its writes if there
    /// is none.
    pub(super) fn next(&self, slot: u32, position: u32) -> u32 {
        let range = self.of(slot);
        let of_slot = &self.at[range.start as usize..range.end as usize];
        range.start + of_slot.partition_point(|at| *at < position) as u32
    }
}

/// The blocks of a function.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) blocks: Vec<Planned>,
    pub(super) successors: Vec<u32>,
    /// The tree of dominators.
    pub(super) dominators: Tree,
    /// The loops in the order of their headers.
    pub(super) loops: Vec<Extent>,
    /// The tree of loops. Its root is no loop: loop `n` is node `n + 1`.
    pub(super) nesting: Tree,
    pub(super) writes: Writes,
}

impl Plan {
    /// Makes the plan. If `header` is given, the function is entered there.
    pub(super) fn of(
        function: &Function,
        env: &dyn Environment,
        header: Option<Label>,
    ) -> Result<Plan, CompileError> {
        let segments = segments(function, header)?;
        let labels = function.label_heights.len();
        let mut planner = Planner {
            function,
            env,
            plan: Plan::default(),
            at: 0,
            open: None,
            pending: vec![Vec::new(); labels],
            placed: vec![(0, NONE); labels],
            tables: vec![(NONE, 0, NONE); labels],
            back: Vec::new(),
            written: Vec::new(),
            catching: catching(function),
            landings: 0,
            segment: 0,
        };
        planner.segments(&segments)?;
        let Planner { mut plan, back, written, pending, open, .. } = planner;
        if open.is_some() || pending.iter().any(|edges| !edges.is_empty()) {
            return Err(CompileError::Unsupported);
        }
        plan.writes = Writes::new(function.frame.size, &written);
        plan.find_loops(back);
        Ok(plan)
    }

    /// Finds how far loops reach and how they nest, from their headers with the ends of
    /// the edges back to them.
    fn find_loops(&mut self, mut back: Vec<(u32, u32)>) {
        back.sort_by_cached_key(|(header, _)| u64::from(*header));
        for (header, end) in back {
            match self.loops.last_mut() {
                Some(last) if last.header == header => last.end = last.end.max(end),
                _ => {
                    let start = self.blocks[header as usize].start;
                    self.loops.push(Extent { header, start, end });
                }
            }
        }
        // The last edge back to an outer loop may lie in an inner one, which then belongs
        // to it as a whole.
        let mut parent = vec![NONE; self.loops.len()];
        let mut roots: Vec<usize> = Vec::new();
        for index in (0..self.loops.len()).rev() {
            while let Some(root) =
                roots.pop_if(|root| self.loops[*root].start < self.loops[index].end)
            {
                parent[root] = index as u32;
                self.loops[index].end = self.loops[index].end.max(self.loops[root].end);
            }
            roots.push(index);
        }
        self.nesting.grow(0);
        for parent in parent {
            self.nesting.grow(if parent == NONE { 0 } else { parent + 1 });
        }
        let mut open: Vec<u32> = Vec::new();
        let mut next = 0;
        for (index, block) in self.blocks.iter_mut().enumerate() {
            while open.pop_if(|inner| self.loops[*inner as usize].end <= block.start).is_some() {}
            if self.loops.get(next).is_some_and(|each| each.header as usize == index) {
                open.push(next as u32);
                next += 1;
            }
            block.inner = open.last().copied().unwrap_or(NONE);
        }
    }
}

/// An edge to a place not reached yet: the block it comes from, and its index among all
/// successors.
type Pending = (u32, usize);

struct Planner<'a> {
    function: &'a Function,
    env: &'a dyn Environment,
    plan: Plan,
    /// The next position.
    at: u32,
    /// The block being made, if control gets here.
    open: Option<u32>,
    /// For each label the edges that lead there.
    pending: Vec<Vec<Pending>>,
    /// For each label the segment it was seen in last, and its block.
    placed: Vec<(usize, u32)>,
    /// For each label the last table that names it, how often, and its block for that.
    tables: Vec<(u32, u32, u32)>,
    /// Headers, and the end of a block that leads back there.
    back: Vec<(u32, u32)>,
    /// Slots and positions.
    written: Vec<(u32, u32)>,
    /// As [`catching`] says.
    catching: Vec<Option<u32>>,
    landings: usize,
    segment: usize,
}

impl Planner<'_> {
    fn segments(&mut self, segments: &[Segment]) -> Result<(), CompileError> {
        let mut continued: Vec<Vec<Pending>> = vec![Vec::new(); segments.len()];
        let first = self.start(Code::Insts(segments[0].insts.clone()), 0);
        self.open = Some(first);
        for (number, segment) in segments.iter().enumerate() {
            self.segment = number;
            let edges = core::mem::take(&mut continued[number]);
            if !edges.is_empty() {
                let block = self.join(Code::Insts(segment.insts.clone()), edges);
                self.open = Some(block);
            }
            self.insts(segment)?;
            if let Some(block) = self.open.take() {
                let end = segment.insts.end;
                let behind = segments[number + 1..].iter().position(|each| each.insts.start == end);
                let behind = behind.ok_or(CompileError::Unsupported)?;
                self.finish(block, end);
                let edge = self.reserve(block);
                continued[number + 1 + behind].push(edge);
            }
        }
        Ok(())
    }

    fn insts(&mut self, segment: &Segment) -> Result<(), CompileError> {
        let mut region = segment.region;
        for index in segment.insts.clone() {
            if index % tuning::UNASKED == 0 && self.env.stopped() {
                return Err(CompileError::Stopped);
            }
            work::count(1);
            let inst = &self.function.insts[index];
            match *inst {
                Inst::Label { label, loop_header } => {
                    self.label(index, label, loop_header, segment);
                    continue;
                }
                Inst::TryBegin { region: inner } => region = Some(inner),
                Inst::TryEnd { region: inner } => {
                    region = self.function.tries[inner as usize].parent;
                }
                _ => {}
            }
            if let Some(block) = self.open {
                self.inst(block, index, segment.insts.end, region)?;
            }
        }
        Ok(())
    }

    fn label(&mut self, index: usize, label: Label, loop_header: bool, segment: &Segment) {
        let mut edges = core::mem::take(&mut self.pending[label.0 as usize]);
        if edges.is_empty() && !loop_header {
            // Nothing leads here but what stands before it.
            return;
        }
        if let Some(block) = self.open.take() {
            self.finish(block, index);
            let edge = self.reserve(block);
            edges.push(edge);
        }
        if edges.is_empty() {
            return;
        }
        let block = self.join(Code::Insts(index + 1..segment.insts.end), edges);
        self.placed[label.0 as usize] = (self.segment, block);
        self.open = Some(block);
    }

    fn inst(
        &mut self,
        block: u32,
        index: usize,
        end: usize,
        region: Option<u32>,
    ) -> Result<(), CompileError> {
        let inst = &self.function.insts[index];
        let position = self.at;
        self.at += 1;
        match *inst {
            Inst::Br { target } => {
                self.finish(block, index + 1);
                self.edge(block, target);
                self.open = None;
            }
            Inst::BrIf { target, .. } => {
                self.finish(block, index + 1);
                self.edge(block, target);
                let edge = self.reserve(block);
                let next = self.join(Code::Insts(index + 1..end), vec![edge]);
                self.open = Some(next);
            }
            Inst::BrTable { first, count, .. } => {
                self.finish(block, index + 1);
                self.table(block, first as usize..first as usize + count as usize);
                self.open = None;
            }
            Inst::Unreachable
            | Inst::Return
            | Inst::ReturnValue { .. }
            | Inst::ReturnSlots { .. }
            | Inst::ReturnCall { .. }
            | Inst::ReturnCallIndirect { .. }
            | Inst::ReturnCallRef { .. } => {
                self.finish(block, index + 1);
                self.open = None;
            }
            #[cfg(feature = "simd")]
            Inst::Simd(zwasm_regir::simd::SimdInst::Return { .. }) => {
                self.finish(block, index + 1);
                self.open = None;
            }
            Inst::Throw { .. } | Inst::ThrowRef { .. } => {
                self.finish(block, index + 1);
                let clauses = self.clauses(region);
                let edges: Vec<Pending> = clauses.iter().map(|_| self.reserve(block)).collect();
                self.landings(&clauses, edges)?;
                self.open = None;
            }
            Inst::Call { .. } | Inst::CallIndirect { .. } | Inst::CallRef { .. } => {
                let clauses = self.clauses(region);
                if clauses.is_empty() {
                    self.write(inst, position);
                } else {
                    self.finish(block, index + 1);
                    let returns = self.reserve(block);
                    let edges: Vec<Pending> = clauses.iter().map(|_| self.reserve(block)).collect();
                    self.landings(&clauses, edges)?;
                    let next = self.join(Code::Returned(index + 1..end), vec![returns]);
                    self.write(inst, self.at);
                    self.at += 1;
                    self.open = Some(next);
                }
            }
            _ => self.write(inst, position),
        }
        if self.written.len() > tuning::SSA_WRITES {
            return Err(CompileError::Unsupported);
        }
        Ok(())
    }

    /// The clauses around an instruction in a try.
    fn clauses(&self, region: Option<u32>) -> Vec<usize> {
        clauses(self.function, &self.catching, region).collect()
    }

    /// Makes the blocks of clauses, to which these edges lead.
    fn landings(&mut self, clauses: &[usize], edges: Vec<Pending>) -> Result<(), CompileError> {
        for (&index, edge) in clauses.iter().zip(edges) {
            self.landings += 1;
            if self.landings > tuning::SSA_LANDINGS {
                return Err(CompileError::Unsupported);
            }
            let catch = self.function.catches[index];
            let landing = self.join(Code::Landing(index), vec![edge]);
            let values = catch
                .tag
                .map_or(0, |tag| slots_of(self.env.signature(self.env.tag_type(tag)).params));
            let slots = catch.base.0..catch.base.0 + values + u32::from(catch.by_ref);
            work::count(1 + slots.len());
            self.written.extend(slots.map(|slot| (slot, self.at)));
            self.at += 1;
            self.close(landing);
            self.edge(landing, catch.target);
        }
        Ok(())
    }

    /// Makes the edges of a table: one, if all entries are the same; else those to the same
    /// label share a block, if there are several, so that what they pass is said once.
    fn table(&mut self, block: u32, targets: core::ops::Range<usize>) {
        let function = self.function;
        let targets = &function.br_targets[targets];
        if let [target, others @ ..] = targets
            && others.iter().all(|other| other == target)
        {
            return self.edge(block, *target);
        }
        for target in targets {
            let named = &mut self.tables[target.0 as usize];
            *named = if named.0 == block { (block, named.1 + 1, NONE) } else { (block, 1, NONE) };
        }
        let mut shared: Vec<(Label, Vec<Pending>)> = Vec::new();
        for target in targets {
            let (_, count, number) = &mut self.tables[target.0 as usize];
            if *count == 1 {
                self.edge(block, *target);
                continue;
            }
            if *number == NONE {
                *number = shared.len() as u32;
                shared.push((*target, Vec::new()));
            }
            let number = *number as usize;
            let edge = self.reserve(block);
            shared[number].1.push(edge);
        }
        for (target, edges) in shared {
            let stub = self.join(Code::Empty, edges);
            self.close(stub);
            self.edge(stub, target);
        }
    }

    /// An edge from a block, which is finished, to a label.
    fn edge(&mut self, from: u32, target: Label) {
        let edge = self.reserve(from);
        let (segment, header) = self.placed[target.0 as usize];
        if header == NONE || segment != self.segment {
            self.pending[target.0 as usize].push(edge);
            return;
        }
        self.connect(edge, header);
        self.back.push((header, self.plan.blocks[from as usize].end));
    }

    /// An edge from a block, which is finished, to one that is still to be made.
    fn reserve(&mut self, from: u32) -> Pending {
        let index = self.plan.successors.len();
        self.plan.successors.push(NONE);
        self.plan.blocks[from as usize].successors.end = index + 1;
        (from, index)
    }

    fn connect(&mut self, (from, index): Pending, to: u32) {
        work::count(1);
        self.plan.successors[index] = to;
        let predecessors = &mut self.plan.blocks[to as usize].predecessors;
        // All edges of a block are made one behind the other.
        if predecessors.last() != Some(&from) {
            predecessors.push(from);
        }
    }

    /// A block that these edges lead to.
    fn join(&mut self, code: Code, edges: Vec<Pending>) -> u32 {
        let dominators = &self.plan.dominators;
        let sources = edges.iter().map(|(from, _)| *from);
        let dominator = sources.reduce(|a, b| dominators.common(a, b));
        let block = self.start(code, dominator.unwrap_or(0));
        for edge in edges {
            self.connect(edge, block);
        }
        block
    }

    fn start(&mut self, code: Code, dominator: u32) -> u32 {
        self.plan.dominators.grow(dominator);
        self.plan.blocks.push(Planned {
            code,
            start: self.at,
            end: self.at,
            successors: 0..0,
            predecessors: Vec::new(),
            inner: NONE,
        });
        self.plan.blocks.len() as u32 - 1
    }

    /// Ends a block before the instruction at an index.
    fn finish(&mut self, block: u32, index: usize) {
        if let Code::Insts(insts) | Code::Returned(insts) =
            &mut self.plan.blocks[block as usize].code
        {
            insts.end = index;
        }
        self.close(block);
    }

    fn close(&mut self, block: u32) {
        let next = self.plan.successors.len();
        let block = &mut self.plan.blocks[block as usize];
        block.end = self.at;
        block.successors = next..next;
    }

    /// Notes the slots that an instruction writes.
    fn write(&mut self, inst: &Inst, position: u32) {
        written(inst, self.env, &mut |from, count| {
            work::count(count as usize);
            self.written.extend((from..from + count).map(|slot| (slot, position)));
        });
    }
}

/// The slots that an instruction writes, as the first and how many. A cast gives its
/// operand a value of its own, so that what depends on it having succeeded says so.
pub(super) fn written(inst: &Inst, env: &dyn Environment, visit: &mut dyn FnMut(u32, u32)) {
    if let Inst::RefCast { src, .. } | Inst::RefAsNonNull { src } = *inst {
        return visit(src.0, 1);
    }
    let Some(Run { from, length }) = inst.writes() else { return };
    let count = match length {
        Length::Slots(count) => count,
        Length::Field { ty, field } => env.field(ty, field).0.kind().slots(),
        Length::Elements { ty, .. } => env.field(ty, 0).0.kind().slots(),
        // Of what a callee leaves behind, only its results are values.
        Length::Rest => match *inst {
            Inst::Call { func, .. } => slots_of(env.signature(env.func_type(func)).results),
            Inst::CallIndirect { ty, .. } | Inst::CallRef { ty, .. } => {
                slots_of(env.signature(ty).results)
            }
            _ => 0,
        },
        Length::Params(_) | Length::ParamsOf(_) | Length::Tag(_) | Length::Fields(_) => 0,
    };
    visit(from.0, count);
}

/// For each try the innermost one, from it outwards, that has clauses.
fn catching(function: &Function) -> Vec<Option<u32>> {
    let mut catching: Vec<Option<u32>> = Vec::with_capacity(function.tries.len());
    for (region, each) in function.tries.iter().enumerate() {
        // Tries are numbered from the outside inwards.
        let around = each.parent.and_then(|parent| catching.get(parent as usize).copied()?);
        catching.push(if each.count > 0 { Some(region as u32) } else { around });
    }
    catching
}

/// The clauses of a try and of those around it, by their indices, in the order in which
/// they are tried, up to one that catches all.
fn clauses<'a>(
    function: &'a Function,
    catching: &'a [Option<u32>],
    region: Option<u32>,
) -> impl Iterator<Item = usize> + 'a {
    let from = |region: Option<u32>| region.and_then(|region| catching[region as usize]);
    let around = move |region: &u32| from(function.tries[*region as usize].parent);
    let tries = core::iter::successors(from(region), around);
    let clauses = tries.flat_map(|region| {
        work::count(1);
        let region = function.tries[region as usize];
        region.first as usize..(region.first + region.count) as usize
    });
    let mut caught = false;
    clauses.take_while(move |index| {
        let before = caught;
        caught |= function.catches[*index].tag.is_none();
        !before
    })
}
