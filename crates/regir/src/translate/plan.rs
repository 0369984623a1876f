//! Which calls are inlined for the optimizing compiler.
//!
//! It is decided before anything is translated. All calls of the function wait in a
//! queue, the most promising first, and with each that is accepted the calls of its body
//! join them, as long as a budget lasts, which grows with the function. Promising is what
//! is hot ([`Types::heat`], by default the number of loops around it) and small. So the
//! budget goes to inner loops, wherever in the text they are, and a small function that
//! calls itself is unrolled evenly.
//!
//! Nearly everything may be inlined: loops, tries, vectors, but for tail calls, whose
//! callee would replace more than the frame of the function inlined. A call through a
//! table or reference is inlined if nearly all of its calls go to one function
//! ([`Types::call_target`]); the body then stands behind a check of that.

use std::collections::BinaryHeap;

use super::Types;
use super::inline::{Allowed, Shape};
use crate::opcodes::Operator;
use crate::opcodes::immediates::{Immediate, Locals};
use crate::reader::{Malformed, Reader};
use crate::tuning::{
    PLAN_ANYWHERE, PLAN_BUDGET, PLAN_DEPTH, PLAN_HEAT_BITS, PLAN_IN_LOOP, PLAN_MAX_BUDGET,
    PLAN_MAX_HEAT, PLAN_PRODUCT, PLAN_RECURSIONS, PLAN_SCANS,
};
use crate::types::{Signature, Type};
use crate::work;

/// The bodies to be inlined into a function. It is the first of them itself.
pub(super) struct Plan<'a> {
    bodies: Vec<Planned<'a>>,
    /// The slots that parameters and locals of bodies need, those inside others on top.
    pub(super) slots: u32,
}

/// A body to be inlined.
pub(super) struct Planned<'a> {
    pub(super) func: u32,
    pub(super) body: &'a [u8],
    /// The module offset of its first byte.
    pub(super) offset: u32,
    pub(super) shape: Shape,
    /// The body it is inlined into.
    parent: usize,
    depth: usize,
    /// Loops around it, also in the bodies it is inlined into.
    loops: u32,
    /// Slots of the bodies it is in.
    below: u32,
    /// The calls in it that are replaced, by their offsets, and the bodies that replace
    /// them.
    calls: Vec<(usize, usize)>,
}

/// A call in a body.
struct Call {
    /// The offset in the body.
    at: usize,
    /// Loops around it in the body.
    loops: u32,
    callee: Callee,
}

/// Whom it calls.
enum Callee {
    Known(u32),
    /// A function of a type, found at run time.
    Typed(u32),
}

/// A call that may be inlined; the greatest is the most promising.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: core::cmp::Reverse<usize>,
    /// The later of two equals is the lesser, so that the order is a matter of the text.
    order: core::cmp::Reverse<usize>,
    func: u32,
    parent: usize,
    at: usize,
    loops: u32,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        types: &'a dyn Types,
        body: &'a [u8],
        offset: u32,
    ) -> Result<Plan<'a>, Malformed> {
        let mut planner = Planner {
            types,
            queue: BinaryHeap::new(),
            order: 0,
            bodies: vec![Planned {
                func: u32::MAX,
                body,
                offset,
                shape: Shape::default(),
                parent: 0,
                depth: 0,
                loops: 0,
                below: 0,
                calls: Vec::new(),
            }],
        };
        planner.add_calls_of(0)?;
        planner.run(body.len())?;
        let mut bodies = planner.bodies;
        for body in &mut bodies {
            body.calls.sort_by_cached_key(|(at, _)| *at as u64);
        }
        let slots = bodies.iter().map(|body| body.below + body.shape.slots).max().unwrap_or(0);
        Ok(Plan { bodies, slots })
    }

    /// The body that replaces the call at an offset of a body.
    pub(super) fn at(&self, body: usize, at: usize) -> Option<usize> {
        let calls = &self.bodies[body].calls;
        let index = calls.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(calls[index].1)
    }

    pub(super) fn body(&self, body: usize) -> &Planned<'a> {
        &self.bodies[body]
    }
}

struct Planner<'a> {
    types: &'a dyn Types,
    queue: BinaryHeap<Candidate>,
    /// How many candidates there were.
    order: usize,
    bodies: Vec<Planned<'a>>,
}

impl<'a> Planner<'a> {
    /// Takes candidates as long as their bodies fit.
    fn run(&mut self, len: usize) -> Result<(), Malformed> {
        let mut budget = len.saturating_mul(2).clamp(PLAN_BUDGET, PLAN_MAX_BUDGET);
        // Bodies may be looked at and refused, but not without end.
        let mut looked = budget * PLAN_SCANS;
        let allowed = Allowed::planned(self.types);
        while let Some(candidate) = self.queue.pop() {
            work::count(1);
            let Candidate { func, parent, .. } = candidate;
            let Some((body, offset)) = self.types.inlinable(func) else { continue };
            let signature = self.types.signature(self.types.func_type(func));
            let wide = signature.params.iter().filter(|ty| **ty == Type::I64).count() >= 4;
            let least = if wide { body.len() / PLAN_PRODUCT } else { body.len() };
            if least > budget || self.is_too_deep(parent, offset) {
                continue;
            }
            let Some(left) = looked.checked_sub(body.len()) else { break };
            looked = left;
            let Some(shape) = Shape::of(signature, body, allowed)? else { continue };
            let taken = if wide && shape.is_wide_product() { least } else { body.len() };
            let Some(rest) = budget.checked_sub(taken) else { continue };
            budget = rest;
            self.accept(candidate, body, offset, shape)?;
        }
        Ok(())
    }

    fn is_too_deep(&self, parent: usize, offset: u32) -> bool {
        let mut recursions = 0;
        let mut body = &self.bodies[parent];
        let depth = body.depth;
        loop {
            recursions += usize::from(body.offset == offset);
            if body.depth == 0 {
                return depth >= PLAN_DEPTH || recursions > PLAN_RECURSIONS;
            }
            body = &self.bodies[body.parent];
        }
    }

    fn accept(
        &mut self,
        candidate: Candidate,
        body: &'a [u8],
        offset: u32,
        shape: Shape,
    ) -> Result<(), Malformed> {
        let Candidate { func, parent, at, loops, .. } = candidate;
        let around = &self.bodies[parent];
        let (depth, below) = (around.depth + 1, around.below + around.shape.slots);
        let index = self.bodies.len();
        let calls = Vec::new();
        self.bodies.push(Planned { func, body, offset, shape, parent, depth, loops, below, calls });
        self.bodies[parent].calls.push((at, index));
        if depth < PLAN_DEPTH { self.add_calls_of(index) } else { Ok(()) }
    }

    /// Adds the calls of an accepted body to the candidates.
    fn add_calls_of(&mut self, parent: usize) -> Result<(), Malformed> {
        let Planned { body, offset, loops: around, .. } = self.bodies[parent];
        each_call(body, &mut |Call { at, loops, callee }| {
            let (loops, site) = (around + loops, offset + at as u32);
            let func = match callee {
                Callee::Known(func) => Some(func),
                Callee::Typed(ty) => self.types.call_target(site).filter(|&func| {
                    let found = self.types.signature(self.types.func_type(func));
                    is_same(self.types.signature(ty), found)
                }),
            };
            let Some(func) = func else { return };
            let Some((body, _)) = self.types.inlinable(func) else { return };
            let Some(heat) = self.types.heat(func, site, loops) else { return };
            if body.len() > if heat > 0 { PLAN_IN_LOOP } else { PLAN_ANYWHERE } {
                return;
            }
            let heat = heat.min(PLAN_MAX_HEAT);
            let rank = (body.len() << (PLAN_MAX_HEAT * PLAN_HEAT_BITS)) >> (heat * PLAN_HEAT_BITS);
            let (rank, order) = (core::cmp::Reverse(rank), core::cmp::Reverse(self.order));
            self.order += 1;
            self.queue.push(Candidate { rank, order, func, parent, at, loops });
        })
    }
}

fn is_same(a: Signature<'_>, b: Signature<'_>) -> bool {
    a.params == b.params && a.results == b.results
}

/// Visits the calls of a body that are no tail calls.
fn each_call(body: &[u8], visit: &mut dyn FnMut(Call)) -> Result<(), Malformed> {
    let mut reader = Reader::new(body);
    Locals::read(&mut reader)?;
    // Whether the blocks that are open are loops.
    let mut open: Vec<bool> = Vec::new();
    let mut loops = 0;
    while !reader.is_empty() {
        work::count(1);
        let at = reader.position();
        let callee = match reader.operator()? {
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                open.push(false);
                continue;
            }
            Operator::Loop { .. } => {
                open.push(true);
                loops += 1;
                continue;
            }
            Operator::End => {
                loops -= u32::from(open.pop() == Some(true));
                continue;
            }
            Operator::Call { func } => Callee::Known(func),
            Operator::CallIndirect { ty, .. } | Operator::CallRef { ty } => Callee::Typed(ty),
            _ => continue,
        };
        visit(Call { at, loops, callee });
    }
    Ok(())
}
