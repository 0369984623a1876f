//! What loops use: which locals are worth a register at a loop's header.
//!
//! One look over a function's branches finds the loops; the locals that the body
//! of each mentions most get registers, as many as the allocator can spare. A loop
//! that calls each time round keeps nothing, because the callee would not; a call
//! that a branch passes over is taken for rare. A body is looked at only so far: a
//! large one is not where registers at the header matter.

use super::state::Class;
use crate::{CompileError, Environment, tuning};
use zwasm_regir::uses::{Length, Run};
use zwasm_regir::{Function, Inst, Label, Type, work};

/// A local that a loop keeps in a register.
#[derive(Clone, Copy)]
pub(crate) struct LoopValue {
    pub(crate) slot: u32,
    pub(crate) class: Class,
    /// Whether the loop changes it.
    pub(crate) written: bool,
    uses: u32,
}

/// How many registers a loop's header may hold values in.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) ints: usize,
    pub(crate) floats: usize,
}

/// Where a loop is in the text.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) label: Label,
    /// The header.
    pub(super) start: usize,
    /// The last branch back to it.
    pub(super) end: usize,
}

/// A loop, by the label of its header.
struct Loop {
    label: Label,
    /// The header of the loop that it is in.
    around: Option<Label>,
    values: Vec<LoopValue>,
}

/// The loops of a function, by the label of the header.
pub(crate) struct Loops {
    /// Where they are, in order.
    pub(super) ranges: Vec<Range>,
    /// Where each label is.
    pub(super) places: Vec<usize>,
    /// What else is known of them, in order of labels.
    loops: Vec<Loop>,
    /// The headers of loops without loops in them, in order.
    innermost: Vec<Label>,
}

impl Loops {
    /// The values a loop keeps in registers.
    pub(crate) fn values(&self, label: Label) -> Vec<LoopValue> {
        self.find(label).map_or_else(Vec::new, |each| each.values.clone())
    }

    /// The header of the loop that a loop is in.
    pub(super) fn around(&self, label: Label) -> Option<Label> {
        self.find(label)?.around
    }

    fn find(&self, label: Label) -> Option<&Loop> {
        let found = self.loops.binary_search_by_key(&label.0, |each| each.label.0);
        Some(&self.loops[found.ok()?])
    }

    /// Whether a loop has none inside.
    pub(crate) fn is_innermost(&self, label: Label) -> bool {
        self.innermost.binary_search_by_key(&label.0, |label| label.0).is_ok()
    }

    /// Looks at all loops of a function.
    ///
    /// # Errors
    ///
    /// When the environment says to stop.
    pub(crate) fn of(
        function: &Function,
        env: &dyn Environment,
        room: Room,
    ) -> Result<Loops, CompileError> {
        // Where each loop's header is, and the last branch back to it.
        let mut headers: Vec<Range> = Vec::new();
        let mut header_of = vec![usize::MAX; function.label_heights.len()];
        let mut places = vec![0; function.label_heights.len()];
        for (index, inst) in function.insts.iter().enumerate() {
            work::count(1);
            if let Inst::Label { label, .. } = *inst {
                places[label.0 as usize] = index;
            }
            let mut back = |label: Label| {
                if let Some(range) = headers.get_mut(header_of[label.0 as usize]) {
                    range.end = index;
                }
            };
            match *inst {
                Inst::Br { target } | Inst::BrIf { target, .. } => back(target),
                Inst::BrTable { first, count, .. } => {
                    let targets = &function.br_targets[first as usize..(first + count) as usize];
                    targets.iter().copied().for_each(back);
                }
                Inst::Label { label, loop_header: true } => {
                    header_of[label.0 as usize] = headers.len();
                    headers.push(Range { label, start: index, end: index });
                }
                _ => {}
            }
        }
        let mut loops = Vec::new();
        let mut innermost = Vec::new();
        if !headers.is_empty() {
            let classes = classes(function);
            // A branch back to an outer loop may lie in an inner one, which then ends later:
            // only the innermost tells whether it has ended.
            let mut open: Vec<Range> = Vec::new();
            for (number, &Range { label, start, end }) in headers.iter().enumerate() {
                if (number + 1) % tuning::UNASKED == 0 && env.stopped() {
                    return Err(CompileError::Stopped);
                }
                while open.pop_if(|each| each.end < start).is_some() {}
                let around = open.last().map(|each| each.label);
                open.push(headers[number]);
                let is_innermost = headers.get(number + 1).is_none_or(|next| next.start > end);
                if is_innermost {
                    innermost.push(label);
                }
                let end = end.min(start + tuning::LOOP_SCAN);
                let rare = if is_innermost { &*places } else { &[] };
                let values = if always_calls(function, rare, start, end) {
                    Vec::new()
                } else {
                    values(function, &classes, label, start..end, room)
                };
                loops.push(Loop { label, around, values });
            }
            loops.sort_by_cached_key(|each| u64::from(each.label.0));
        }
        innermost.sort_by_cached_key(|label| u64::from(label.0));
        Ok(Loops { ranges: headers, places, loops, innermost })
    }
}

/// The class of each local by its slot.
fn classes(function: &Function) -> Vec<Option<Class>> {
    let frame = &function.frame;
    let mut classes = vec![None; frame.stack as usize];
    let mut slot = 0;
    for &(count, ty) in &function.locals {
        for _ in 0..count {
            work::count(1);
            if slot == frame.params {
                slot = frame.locals;
            }
            classes[slot as usize] = Some(match ty {
                Type::F32 | Type::F64 => Class::Float,
                Type::V128 => Class::Vector,
                Type::I32 | Type::I64 | Type::Ref => Class::Int,
            });
            slot += ty.slots();
        }
    }
    classes
}

/// Whether no branch passes over some call of a loop's body.
fn always_calls(function: &Function, places: &[usize], start: usize, end: usize) -> bool {
    let insts = &function.insts;
    let mut passed_to = start;
    for index in start..end {
        work::count(1);
        let place = |label: Label| places.get(label.0 as usize).copied().unwrap_or(start);
        let mut pass = |label: Label| passed_to = passed_to.max(place(label));
        match insts[index] {
            Inst::Br { target } | Inst::BrIf { target, .. } => pass(target),
            Inst::BrTable { first, count, .. } => {
                let targets = &function.br_targets[first as usize..(first + count) as usize];
                targets.iter().copied().for_each(pass);
            }
            _ => {}
        }
        if index >= passed_to
            && super::leaves(&insts[index])
            && !matches!(insts.get(index + 1), Some(Inst::Unreachable))
        {
            return true;
        }
    }
    false
}

fn values(
    function: &Function,
    classes: &[Option<Class>],
    label: Label,
    range: core::ops::Range<usize>,
    room: Room,
) -> Vec<LoopValue> {
    let core::ops::Range { start, end } = range;
    let insts = &function.insts;
    let whole = end < start + tuning::LOOP_SCAN;
    let mut values: Vec<LoopValue> = Vec::new();
    for inst in &insts[start..=end.min(insts.len() - 1)] {
        work::count(1);
        let mut mention = |slot: u32, written| {
            let Some(Some(class)) = classes.get(slot as usize).copied() else { return };
            work::count(values.len());
            match values.iter_mut().find(|value| value.slot == slot) {
                Some(value) => {
                    value.uses += 1;
                    value.written |= written;
                }
                None => values.push(LoopValue { slot, class, written, uses: 1 }),
            }
        };
        // Locals are named one by one; longer runs are of the operand stack, but for
        // what is zeroed and the second halves of vectors.
        inst.reads(&mut |run| mention(run.from.0, false));
        if let Some(Run { from, length }) = inst.writes() {
            mention(from.0, true);
            if let (Inst::Zero { .. }, Length::Slots(count)) = (inst, length) {
                (from.0 + 1..from.0 + count).for_each(|slot| mention(slot, true));
            }
        }
    }
    let height = function.label_heights[label.0 as usize];
    values.retain(|value| value.slot < height);
    values.sort_by_cached_key(|value| u64::MAX - u64::from(value.uses));
    let Room { mut ints, mut floats } = room;
    values.retain(|value| {
        let room = if value.class == Class::Int { &mut ints } else { &mut floats };
        let has_room = *room > 0;
        *room -= usize::from(has_room);
        has_room
    });
    if !whole {
        for value in &mut values {
            value.written = true;
        }
    }
    values
}
