//! Counting, so that what runs long is optimised; and whom calls through tables and
//! references call.
//!
//! A function has a counter, of its instance, from which each entry and each arrival at a
//! loop header takes what it probably costs until the next: the instructions on the way,
//! those behind branches divided by how many ways there are. So the counter tells the time
//! spent here, whatever the function looks like. Below zero the runtime is asked, which
//! may have better code to go on with.
//!
//! Where somebody else measures the time, code does not count: the runtime is asked when no
//! frame is below the limit of calls. Loop headers compare their frame with it; at entries
//! nothing is done, for every call has made that comparison.
//!
//! A call site has a cell, of the instance too, with the last callee and how often that
//! was another than before. While it stays the same a call costs a comparison more.

use super::Compiler;
use super::control::Interpreted;
use super::late::{Late, Slow};
use super::loops::Range;
use super::select::Select;
use crate::asm::{Rm, at};
use crate::environment::{Asking, Counting};
use crate::isa::{Alu, Relation, Size};
use crate::tuning::{CALL_WEIGHT, HANDLER_WEIGHT, MAX_UNLIKELY, SILENT_INSTS};
use zwasm_regir::{Function, Inst, Label, work};

/// What entering a function, and arriving at each of its loops, takes from the counter.
#[derive(Default)]
pub(super) struct Weights {
    entry: i32,
    /// In the order of labels.
    loops: Vec<(Label, i32)>,
}

/// Weights are summed in parts of an instruction, so that those that are rarely executed
/// count.
const PARTS: u64 = 1 << MAX_UNLIKELY;

impl Weights {
    /// Those of a function with these loops, by where they start.
    pub(super) fn of(function: &Function, loops: &[Range], places: &[usize]) -> Weights {
        let mut sums = vec![0; loops.len()];
        let mut entry = PARTS;
        // The loops that are open, and the stretches that some way passes over: where each
        // ends, and the number of ways as a power of two.
        let mut open: Vec<usize> = Vec::new();
        let mut passed: Vec<(usize, u32)> = Vec::new();
        let mut next = 0;
        for (index, inst) in function.insts.iter().enumerate() {
            work::count(1);
            while open.last().is_some_and(|&each| loops[each].end < index) {
                open.pop();
            }
            while passed.last().is_some_and(|(end, _)| *end <= index) {
                passed.pop();
            }
            if loops.get(next).is_some_and(|each| each.start == index) {
                open.push(next);
                next += 1;
            }
            let unlikely: u32 = passed.iter().rev().map(|(_, ways)| ways).sum();
            let sum = open.last().map_or(&mut entry, |each| &mut sums[*each]);
            *sum += (weight(inst) * PARTS) >> unlikely.min(MAX_UNLIKELY);
            // Leaving a loop is rare, and says nothing about what follows in it.
            let end = open.last().map_or(usize::MAX, |each| loops[*each].end);
            let place = |label: Label| places[label.0 as usize];
            let (to, ways) = match *inst {
                Inst::Br { target } | Inst::BrIf { target, .. } => (place(target), 1),
                Inst::BrTable { first, count, .. } => {
                    let targets = &function.br_targets[first as usize..(first + count) as usize];
                    work::count(targets.len());
                    let within = targets.iter().map(|label| place(*label)).filter(|to| *to <= end);
                    (within.max().unwrap_or(0), count.ilog2())
                }
                _ => continue,
            };
            let around = passed.last().map_or(usize::MAX, |(end, _)| *end);
            if to > index && to <= end && to <= around && passed.len() < MAX_UNLIKELY as usize {
                passed.push((to, ways));
            }
        }
        let whole = |sum: u64| (sum / PARTS).clamp(1, i32::MAX as u64) as i32;
        let each = |(range, sum): (&Range, u64)| (range.label, whole(sum));
        let mut loops: Vec<_> = loops.iter().zip(sums).map(each).collect();
        loops.sort_by_cached_key(|(label, _)| u64::from(label.0));
        Weights { entry: whole(entry), loops }
    }

    /// What an arrival at a loop's header takes.
    fn of_loop(&self, label: Label) -> Option<i32> {
        let index = self.loops.binary_search_by_key(&label.0, |(label, _)| label.0).ok()?;
        Some(self.loops[index].1)
    }
}

/// What an instruction costs, compared with the simplest.
fn weight(inst: &Inst) -> u64 {
    match inst {
        Inst::Label { .. } | Inst::TryBegin { .. } | Inst::TryEnd { .. } => 0,
        Inst::Call { .. } | Inst::CallIndirect { .. } | Inst::CallRef { .. } => CALL_WEIGHT,
        inst if super::leaves(inst) => HANDLER_WEIGHT,
        Inst::Gc { .. } => CALL_WEIGHT,
        _ => 1,
    }
}

impl<A: Select> Compiler<'_, A> {
    /// Counts an entry; everything is in slots.
    pub(super) fn count_entry(&mut self) {
        let counter = match self.counting {
            Some(Counting { asking: Asking::Counter(counter), .. }) => counter,
            Some(Counting { asking: Asking::Sampled, .. }) => {
                self.code.is_silent = self.is_short();
                return;
            }
            None => return,
        };
        let threaded = self.promotion(None);
        let (label, resume) = (self.asm.new_label(), self.asm.new_label());
        let is_due = self.asm.charge(at(A::VMCTX, counter as i32), self.weights.entry);
        self.asm.jump_if(is_due, label);
        self.asm.bind(resume);
        let source = self.function.sources.first().copied().unwrap_or_default();
        self.late.push(Late::Threaded { label, threaded, resume, source, region: None });
    }

    /// Whether the function does so little that only its callers are worth asking for: going
    /// there and back costs more than optimizing it gains.
    fn is_short(&self) -> bool {
        let insts = &self.function.insts;
        self.loops.ranges.is_empty()
            && insts.len() <= SILENT_INSTS
            && insts.iter().all(|inst| weight(inst) <= 1)
    }

    /// Counts an arrival at a loop header.
    pub(super) fn count_loop(&mut self, label: Label) {
        let Some(Counting { asking, .. }) = self.counting else { return };
        let threaded = self.promotion(Some(label));
        let slow: Slow = self.slow_threaded(threaded, None);
        let is_due = match asking {
            Asking::Counter(counter) => {
                let weight = self.weights.of_loop(label).unwrap_or(1);
                self.asm.charge(at(A::VMCTX, counter as i32), weight)
            }
            Asking::Sampled => {
                let limit = Rm::Mem(at(A::VMCTX, self.layout.call_limit as i32));
                self.asm.compare(Relation::Above, true, A::FRAME, limit)
            }
        };
        self.asm.jump_if(is_due, slow.label);
        self.asm.bind(slow.resume);
        self.late.push(Late::Slow(Box::new(slow)));
    }

    fn promotion(&self, header: Option<Label>) -> Interpreted {
        let text = if self.asm.lists() { "promote".to_owned() } else { String::new() };
        Interpreted { code: self.env.promotion(header), text }
    }

    /// Remembers whom the call being compiled calls, whose record is in the accumulator;
    /// the body's register is overwritten.
    pub(super) fn note_callee(&mut self, ty: u32) {
        let Some(Counting { cells, .. }) = self.counting else { return };
        let site = self.code.sites.len() as u32;
        let Ok(cell) = i32::try_from(cells + site * CELL) else { return };
        self.code.sites.push((self.source(), ty));
        let (label, resume) = (self.asm.new_label(), self.asm.new_label());
        self.asm.load(A::BODY, at(A::VMCTX, self.layout.feedback as i32), Size::B8);
        let last = Rm::Mem(at(A::BODY, cell));
        let is_other = self.asm.compare(Relation::NotEqual, false, A::ACC, last);
        self.asm.jump_if(is_other, label);
        self.asm.bind(resume);
        self.late.push(Late::Callee { label, resume, cell });
    }

    /// What becomes of a cell when another callee is met: the lower half of its record's
    /// address, and one change more.
    pub(super) fn change_callee(&mut self, cell: i32) {
        let changes = at(A::BODY, cell + 4);
        self.asm.store(at(A::BODY, cell), A::ACC, Size::B4);
        self.asm.load(A::INT_SCRATCH, changes, Size::B4);
        self.asm.alu_immediate(Alu::Add, false, A::INT_SCRATCH, 1);
        self.asm.store(changes, A::INT_SCRATCH, Size::B4);
    }
}

/// Bytes of a cell.
pub const CELL: u32 = 8;
