//! What each loop changes, so that passes know what still holds at its header.

use super::Context;
use crate::ssa::effects::{Part, Touch};
use crate::ssa::{Block, Edge, Func, Terminator};
use crate::tuning;

/// What is changed, by its parts; few, or everything.
#[derive(Clone, Default)]
pub(super) struct Changes {
    parts: Vec<Part>,
    everything: bool,
}

impl Changes {
    fn add(&mut self, touch: Touch) {
        match touch {
            Touch::Nothing => {}
            Touch::One(part) => self.add_part(part),
            Touch::Two(one, two) => {
                self.add_part(one);
                self.add_part(two);
            }
            Touch::Everything => self.everything = true,
        }
    }

    fn add_part(&mut self, part: Part) {
        if self.everything || self.parts.contains(&part) {
            return;
        }
        self.everything = self.parts.len() == tuning::LOOP_PARTS;
        self.parts.push(part);
    }

    /// Whether something of what is touched is changed.
    pub(super) fn meet(&self, touch: Touch) -> bool {
        touch != Touch::Nothing
            && (self.everything || self.parts.iter().any(|part| touch.has(*part)))
    }
}

/// What each loop changes, inner loops included.
pub(super) fn of_loops(func: &Func, context: &Context) -> Vec<Changes> {
    let graph = &context.graph;
    let mut changes = vec![Changes::default(); graph.loops.len()];
    for &block in &graph.order {
        if let Some(inner) = graph.innermost[block.0 as usize] {
            for &inst in &func.block(block).insts {
                changes[inner as usize].add(context.effects(&func.inst(inst).op).writes);
            }
        }
    }
    // Inner loops come behind outer ones.
    for index in (0..graph.loops.len()).rev() {
        if let Some(parent) = graph.loops[index].parent {
            let inner = changes[index].clone();
            let outer = &mut changes[parent as usize];
            outer.everything |= inner.everything;
            inner.parts.into_iter().for_each(|part| outer.add_part(part));
        }
    }
    changes
}

/// The loop that a block is the header of.
pub(super) fn headed_by(context: &Context, block: Block) -> Option<u32> {
    let inner = context.graph.innermost[block.0 as usize]?;
    (context.graph.loops[inner as usize].header == block).then_some(inner)
}

/// The block in front of a loop, which leads nowhere else, and whether it has been made.
pub(super) fn in_front(func: &mut Func, context: &Context, header: Block) -> (Block, bool) {
    let graph = &context.graph;
    let before: Vec<Block> = graph
        .predecessors(header)
        .iter()
        .copied()
        .filter(|from| !graph.dominates(header, *from))
        .collect();
    if let [from] = before[..]
        && matches!(func.block(from).terminator, Terminator::Jump(_))
    {
        return (from, false);
    }
    let front = func.add_block();
    func.block_mut(front).source = func.block(header).source;
    let types: Vec<_> = func.block(header).params.iter().map(|param| func.ty(*param)).collect();
    let args = types.into_iter().map(|ty| func.add_param(front, ty)).collect();
    func.block_mut(front).terminator = Terminator::Jump(Edge { block: header, args });
    for from in before {
        func.block_mut(from).terminator.edges_mut(&mut |edge| {
            if edge.block == header {
                edge.block = front;
            }
        });
    }
    (front, true)
}
