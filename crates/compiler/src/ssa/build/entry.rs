//! Which instructions are built, and in which order: all of them, or what on-stack
//! replacement executes from the header of a loop on.
//!
//! A loop inside others that is entered from outside would make these loops with two
//! entries, in which nothing could be moved or relied on. So what is left of the round of
//! each loop around is built of its own, as if it stood before that loop, and then the
//! loop as it is:
//!
//! ```text
//! outer  a  inner  b  end     inner b   outer a inner b end
//! ```
//!
//! Edges go to the next copy of their label. All of them lead forward but those to a
//! header around them in the same segment, as in a function that is entered at its start.

use crate::{CompileError, tuning};
use core::ops::Range;
use zwasm_regir::{Function, Inst, Label, work};

/// Consecutive instructions.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) insts: Range<usize>,
    /// The try that the first of them is in.
    pub(super) region: Option<u32>,
}

/// The segments of a function that is entered at a loop header, if one is given.
pub(super) fn segments(
    function: &Function,
    header: Option<Label>,
) -> Result<Vec<Segment>, CompileError> {
    let all = 0..function.insts.len();
    let Some(header) = header else { return Ok(vec![Segment { insts: all, region: None }]) };
    let loops = Loops::of(function);
    let &Some(entry) = loops.place.get(header.0 as usize).ok_or(CompileError::Unsupported)? else {
        return Err(CompileError::Unsupported);
    };
    let mut segments = Vec::new();
    let (mut from, mut sum) = (entry, 0);
    let mut push = |insts: Range<usize>| {
        sum += insts.len();
        if !insts.is_empty() {
            segments.push(Segment { insts, region: None });
        }
        sum <= all.len() * tuning::OSR_COPIES
    };
    for around in loops.around(entry) {
        if !push(from..around.end) || !push(around.clone()) {
            return Err(CompileError::Unsupported);
        }
        from = around.end;
    }
    push(from..all.end);
    set_regions(function, &mut segments);
    Ok(segments)
}

/// Where the loops of a function are.
struct Loops {
    /// For each label the index of its instruction, if it is the header of a loop.
    place: Vec<Option<usize>>,
    /// For each label the index behind the last instruction that leads back to it.
    end: Vec<usize>,
}

impl Loops {
    fn of(function: &Function) -> Loops {
        let labels = function.label_heights.len();
        let mut loops = Loops { place: vec![None; labels], end: vec![0; labels] };
        for (index, inst) in function.insts.iter().enumerate() {
            work::count(1);
            let mut leads_to = |label: Label| loops.end[label.0 as usize] = index + 1;
            match *inst {
                Inst::Label { label, loop_header: true } => {
                    loops.place[label.0 as usize] = Some(index);
                }
                Inst::Br { target } | Inst::BrIf { target, .. } => leads_to(target),
                Inst::BrTable { first, count, .. } => {
                    let range = first as usize..first as usize + count as usize;
                    function.br_targets[range].iter().copied().for_each(leads_to);
                }
                // What its body throws.
                Inst::TryEnd { region } => {
                    let region = function.tries[region as usize];
                    let range =
                        region.first as usize..region.first as usize + region.count as usize;
                    function.catches[range].iter().for_each(|catch| leads_to(catch.target));
                }
                _ => {}
            }
        }
        loops
    }

    /// The loops around a header, from the innermost outwards, each with all of those
    /// inside it.
    fn around(&self, entry: usize) -> Vec<Range<usize>> {
        let ranges = self.place.iter().zip(&self.end);
        let mut all: Vec<Range<usize>> = ranges
            .filter_map(|(place, end)| Some((*place)?..*end))
            .filter(|all| !all.is_empty())
            .collect();
        all.sort_by_cached_key(|each| each.start as u64);
        // As in `Plan::find_loops`: an edge back to an outer loop may lie in an inner one.
        let mut roots: Vec<Range<usize>> = Vec::new();
        let mut around = Vec::new();
        for mut each in all.into_iter().rev() {
            while let Some(root) = roots.pop_if(|root| root.start < each.end) {
                each.end = each.end.max(root.end);
            }
            if each.start < entry && entry < each.end {
                around.push(each.clone());
            }
            roots.push(each);
        }
        around
    }
}

/// Finds the tries that segments start in.
fn set_regions(function: &Function, segments: &mut [Segment]) {
    let mut order: Vec<&mut Segment> = segments.iter_mut().collect();
    order.sort_by_cached_key(|segment| segment.insts.start as u64);
    let (mut region, mut index) = (None, 0);
    for segment in order {
        for inst in &function.insts[index..segment.insts.start] {
            match *inst {
                Inst::TryBegin { region: inner } => region = Some(inner),
                Inst::TryEnd { region: inner } => {
                    region = function.tries[inner as usize].parent;
                }
                _ => {}
            }
        }
        index = segment.insts.start;
        segment.region = region;
    }
}
