//! Values that a loop reads get a name of their own there.
//!
//! Calls and handlers leave nothing in registers, so that a value that lives across one
//! has a place in the frame, and the allocator, which knows nothing of loops, may well
//! leave it there where a loop without calls reads it each time. So in front of each
//! outermost loop without calls what it reads from outside is copied: the copy lives in
//! the loop only, and is worth a register. In a function without calls nothing is done.

use super::Context;
use super::world;
use crate::ssa::{Block, Def, Func, Inst, Op, Terminator, Value};
use crate::tuning;
use smallvec::smallvec;

pub(super) fn run(func: &mut Func, context: &Context) {
    let graph = &context.graph;
    let mut calls = vec![false; graph.loops.len()];
    let mut any = false;
    for &block in &graph.order {
        let leaves = |inst: &Inst| context.effects(&func.inst(*inst).op).leaves;
        if func.block(block).insts.iter().any(leaves) {
            any = true;
            if let Some(inner) = graph.innermost[block.0 as usize] {
                calls[inner as usize] = true;
            }
        }
    }
    if !any || graph.loops.is_empty() {
        return;
    }
    for index in (0..graph.loops.len()).rev() {
        if let Some(parent) = graph.loops[index].parent {
            calls[parent as usize] |= calls[index];
        }
    }
    // For each loop the outermost one around it without calls.
    let mut region: Vec<Option<u32>> = vec![None; graph.loops.len()];
    for index in 0..graph.loops.len() {
        let around = graph.loops[index].parent.and_then(|parent| region[parent as usize]);
        region[index] = around.or((!calls[index]).then_some(index as u32));
    }
    let mut blocks: Vec<Vec<Block>> = vec![Vec::new(); graph.loops.len()];
    for &block in &graph.order {
        let inner = graph.innermost[block.0 as usize];
        if let Some(outer) = inner.and_then(|inner| region[inner as usize]) {
            blocks[outer as usize].push(block);
        }
    }
    let mut home = vec![func.entry; func.insts.len()];
    for &block in &graph.order {
        for inst in &func.block(block).insts {
            home[inst.0 as usize] = block;
        }
    }
    let mut names = Names { of: vec![None; func.values.len()], known: Vec::new(), home };
    for (index, blocks) in blocks.iter().enumerate() {
        if !blocks.is_empty() {
            names.copy_into(func, context, graph.loops[index].header, blocks);
        }
    }
}

/// The copies of the loop looked at.
struct Names {
    of: Vec<Option<Value>>,
    /// The values that have one.
    known: Vec<Value>,
    /// For each instruction the block that it is in.
    home: Vec<Block>,
}

impl Names {
    fn copy_into(&mut self, func: &mut Func, context: &Context, header: Block, blocks: &[Block]) {
        let mut copies = Vec::new();
        for &block in blocks {
            for index in 0..func.block(block).insts.len() {
                let inst = func.block(block).insts[index];
                let mut args = core::mem::take(&mut func.inst_mut(inst).args);
                for arg in &mut args {
                    *arg = self.name(func, context, header, *arg, &mut copies);
                }
                func.inst_mut(inst).args = args;
            }
            let mut terminator =
                core::mem::replace(&mut func.block_mut(block).terminator, Terminator::None);
            terminator.args_mut(&mut |arg| {
                *arg = self.name(func, context, header, *arg, &mut copies);
            });
            func.block_mut(block).terminator = terminator;
        }
        for value in self.known.drain(..) {
            self.of[value.0 as usize] = None;
        }
        if !copies.is_empty() {
            let (front, _) = world::in_front(func, context, header);
            func.block_mut(front).insts.extend(copies);
        }
    }

    /// What a value is called in the loop.
    fn name(
        &mut self,
        func: &mut Func,
        context: &Context,
        header: Block,
        value: Value,
        copies: &mut Vec<Inst>,
    ) -> Value {
        let Some(known) = self.of.get(value.0 as usize) else { return value };
        if let Some(name) = *known {
            return name;
        }
        let block = match func.def(value) {
            Def::Param(block, _) => block,
            Def::Result(inst, _) if context.is_at_hand(&func.inst(inst).op) => return value,
            Def::Result(inst, _) => self.home[inst.0 as usize],
        };
        let is_outside = !context.graph.dominates(header, block);
        if !is_outside || copies.len() == tuning::LOOP_COPIES {
            return value;
        }
        let ty = func.ty(value);
        let copy = func.add_inst(Op::Copy, smallvec![value], &[ty], func.block(header).source);
        let name = func.inst(copy).results[0];
        copies.push(copy);
        self.of[value.0 as usize] = Some(name);
        self.known.push(value);
        name
    }
}
