//! Moves what a loop computes the same each time in front of it.
//!
//! Loops are looked at from the inside out, so that what leaves an inner one is looked at
//! again in the outer one. What only computes moves whenever its arguments come from
//! outside, reads if in addition nothing in the loop changes what they read, and what may
//! trap if it is certainly executed, before anything else that is seen from outside: it
//! stands in the header, or straight behind it, and only what moves as well is in front.
//!
//! Ops that cost next to nothing, constants, comparisons, extensions and what computes with
//! a constant, move only for others that need them: a register held through the loop, or a
//! spill slot, is dearer.

use super::Context;
use super::ints::Int;
use super::world::{self, Changes};
use crate::ssa::effects::Touch;
use crate::ssa::{Block, Def, Func, Inst, Op, Terminator, Value};
use zwasm_regir::UnaryOp;

pub(super) fn run(func: &mut Func, context: &Context) {
    let graph = &context.graph;
    if graph.loops.is_empty() {
        return;
    }
    let changes = world::of_loops(func, context);
    // The blocks of each loop that are in no inner one, in order; headers of inner ones
    // stand for what has been put in front of them.
    let mut inside: Vec<Vec<Block>> = vec![Vec::new(); graph.loops.len()];
    for &block in &graph.order {
        if let Some(inner) = graph.innermost[block.0 as usize] {
            if world::headed_by(context, block).is_some()
                && let Some(parent) = graph.loops[inner as usize].parent
            {
                inside[parent as usize].push(block);
            }
            inside[inner as usize].push(block);
        }
    }
    let mut home = vec![func.entry; func.insts.len()];
    for &block in &graph.order {
        for inst in &func.block(block).insts {
            home[inst.0 as usize] = block;
        }
    }
    let mut hoister = Hoister {
        lazy: vec![None; func.insts.len()],
        moved: vec![false; func.insts.len()],
        front: vec![None; func.blocks.len()],
        func,
        context,
        home,
    };
    for index in (0..graph.loops.len() as u32).rev() {
        hoister.one_loop(index, &inside[index as usize], &changes[index as usize]);
    }
}

struct Hoister<'a> {
    func: &'a mut Func,
    context: &'a Context<'a>,
    /// For each instruction a block that dominates where it stands, in the same loops.
    home: Vec<Block>,
    /// For each instruction the loop that it leaves if something needs it.
    lazy: Vec<Option<u32>>,
    moved: Vec<bool>,
    /// For each header of a loop the block that was made in front of it.
    front: Vec<Option<Block>>,
}

impl Hoister<'_> {
    fn one_loop(&mut self, index: u32, blocks: &[Block], changes: &Changes) {
        let header = self.context.graph.loops[index as usize].header;
        let mut hoisted = Vec::new();
        // Whether nothing before is seen from outside, where each is certainly executed.
        let mut clean = true;
        let mut certain = Some(header);
        let mut looked_at = Vec::with_capacity(blocks.len());
        for &block in blocks {
            let inner = block != header && world::headed_by(self.context, block).is_some();
            let front = self.front[block.0 as usize].filter(|_| inner);
            let here = if inner { front } else { Some(block) };
            let Some(here) = here else {
                if certain == Some(block) {
                    certain = None;
                }
                continue;
            };
            looked_at.push(here);
            let is_certain = certain == Some(block) && !inner;
            for number in 0..self.func.block(here).insts.len() {
                let inst = self.func.block(here).insts[number];
                let first = is_certain && clean;
                if self.may_leave(inst, index, header, changes, first) {
                    self.leave(inst, index, header, &mut hoisted);
                } else {
                    let effects = self.context.effects_of(self.func, self.func.inst(inst));
                    let stays = effects.traps || effects.leaves || effects.writes != Touch::Nothing;
                    clean &= !stays;
                }
            }
            if is_certain {
                certain = self.straight_on(here, header);
            }
        }
        if hoisted.is_empty() {
            return;
        }
        for block in looked_at {
            let moved = &self.moved;
            self.func.block_mut(block).insts.retain(|inst| !moved[inst.0 as usize]);
        }
        for inst in &hoisted {
            self.moved[inst.0 as usize] = false;
        }
        let (front, made) = world::in_front(self.func, self.context, header);
        self.front[header.0 as usize] = made.then_some(front);
        self.func.block_mut(front).insts.extend(hoisted);
    }

    /// The block that is certainly executed behind one.
    fn straight_on(&self, block: Block, header: Block) -> Option<Block> {
        match &self.func.block(block).terminator {
            Terminator::Jump(edge) if edge.block != header => Some(edge.block),
            _ => None,
        }
    }

    fn is_outside(&self, value: Value, header: Block) -> bool {
        let block = match self.func.def(value) {
            Def::Result(inst, _) => self.home[inst.0 as usize],
            Def::Param(block, _) => block,
        };
        // What dominates its use in the loop is in it if the header dominates it.
        !self.context.graph.dominates(header, block)
    }

    /// Whether an instruction moves out of a loop by itself. If it only does so for
    /// others, that is noted.
    fn may_leave(
        &mut self,
        inst: Inst,
        index: u32,
        header: Block,
        changes: &Changes,
        first: bool,
    ) -> bool {
        let data = self.func.inst(inst);
        let effects = self.context.effects_of(self.func, data);
        let moves = effects.writes == Touch::Nothing
            && !effects.leaves
            && (first || !effects.traps)
            && !changes.meet(effects.reads)
            && !self.context.is_shared(&data.op)
            && !matches!(data.op, Op::FrameSlot(_) | Op::Landed(_));
        let is_lazy = |value: Value| match self.func.def(value) {
            Def::Result(inst, _) => self.lazy[inst.0 as usize] == Some(index),
            Def::Param(..) => false,
        };
        let invariant =
            moves && data.args.iter().all(|arg| self.is_outside(*arg, header) || is_lazy(*arg));
        if !invariant {
            return false;
        }
        let cheap = match data.op {
            Op::Const(_) | Op::Compare(_) => true,
            Op::Unary(op) => matches!(op, UnaryOp::I64ExtendI32U | UnaryOp::I32WrapI64),
            Op::Binary(op) => {
                let slow =
                    |op| matches!(op, Int::Mul | Int::DivS | Int::DivU | Int::RemS | Int::RemU);
                let simple = Int::of(op).is_some_and(|(op, _)| !slow(op));
                simple && self.func.constant(data.args[1]).is_some()
            }
            _ => false,
        };
        if cheap {
            self.lazy[inst.0 as usize] = Some(index);
        }
        !cheap
    }

    /// Takes an instruction out, behind those that it needs.
    fn leave(&mut self, inst: Inst, index: u32, header: Block, hoisted: &mut Vec<Inst>) {
        let outside = self.context.graph.dominator[header.0 as usize].unwrap_or(self.func.entry);
        let mut work = vec![inst];
        while let Some(&inst) = work.last() {
            let mut waits = false;
            for number in 0..self.func.inst(inst).args.len() {
                let arg = self.func.inst(inst).args[number];
                let Def::Result(needed, _) = self.func.def(arg) else { continue };
                if self.lazy[needed.0 as usize] != Some(index) {
                    continue;
                }
                // Constants stay where they are used: another one is made.
                if matches!(self.func.inst(needed).op, Op::Const(_)) {
                    let data = self.func.inst(needed).clone();
                    let ty = self.func.ty(arg);
                    let copy = self.func.add_inst(data.op, data.args, &[ty], data.source);
                    self.func.inst_mut(inst).args[number] = self.func.inst(copy).results[0];
                    self.home.push(outside);
                    self.lazy.push(None);
                    self.moved.push(false);
                    hoisted.push(copy);
                } else {
                    work.push(needed);
                    waits = true;
                }
            }
            if !waits {
                work.pop();
                if !self.moved[inst.0 as usize] {
                    self.moved[inst.0 as usize] = true;
                    self.lazy[inst.0 as usize] = None;
                    self.home[inst.0 as usize] = outside;
                    hoisted.push(inst);
                }
            }
        }
    }
}
