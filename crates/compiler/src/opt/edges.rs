//! The edges that lead to each block, each found without looking at the others.

use crate::ssa::graph::Graph;
use crate::ssa::{Block, Edge, Func, Terminator, Value};

/// For each block the edges that lead to it and pass values.
pub(super) struct Edges {
    /// Where the edges to each block start.
    first: Vec<u32>,
    /// The block that an edge leaves, and its number there.
    from: Vec<(Block, u32)>,
}

impl Edges {
    /// Finds those that control may take.
    pub(super) fn of(func: &Func, graph: &Graph) -> Edges {
        let mut first = vec![0u32; func.blocks.len() + 1];
        let each = |visit: &mut dyn FnMut(Block, Block, u32)| {
            for &block in &graph.order {
                let mut number = 0;
                all(&func.block(block).terminator, &mut |edge| {
                    visit(block, edge.block, number);
                    number += 1;
                });
            }
        };
        each(&mut |_, to, _| first[to.0 as usize + 1] += 1);
        for index in 1..first.len() {
            first[index] += first[index - 1];
        }
        let mut next = first.clone();
        let mut from = vec![(Block(0), 0); *first.last().unwrap_or(&0) as usize];
        each(&mut |block, to, number| {
            from[next[to.0 as usize] as usize] = (block, number);
            next[to.0 as usize] += 1;
        });
        Edges { first, from }
    }

    /// The edges to a block, as the blocks they leave and their numbers there.
    pub(super) fn to(&self, block: Block) -> &[(Block, u32)] {
        let index = block.0 as usize;
        &self.from[self.first[index] as usize..self.first[index + 1] as usize]
    }

    /// What an edge passes for a parameter.
    pub(super) fn arg(func: &Func, (from, number): (Block, u32), param: u32) -> Value {
        match edge(&func.block(from).terminator, number) {
            Some(edge) => edge.args[param as usize],
            None => unreachable!("it was found there"),
        }
    }
}

/// Visits the edges of a terminator that pass values, in order.
pub(super) fn all(terminator: &Terminator, visit: &mut dyn FnMut(&Edge)) {
    match terminator {
        Terminator::Jump(edge) => visit(edge),
        Terminator::Branch { then, otherwise, .. } => {
            visit(then);
            visit(otherwise);
        }
        Terminator::Table { edges, .. } => edges.iter().for_each(visit),
        Terminator::Return(_)
        | Terminator::TailCall { .. }
        | Terminator::Trap(_)
        | Terminator::Throw { .. }
        | Terminator::ThrowRef { .. }
        | Terminator::Try { .. }
        | Terminator::None => {}
    }
}

/// The edge with a number, in that order.
fn edge(terminator: &Terminator, number: u32) -> Option<&Edge> {
    match (terminator, number) {
        (Terminator::Jump(edge), 0) => Some(edge),
        (Terminator::Branch { then, .. }, 0) => Some(then),
        (Terminator::Branch { otherwise, .. }, 1) => Some(otherwise),
        (Terminator::Table { edges, .. }, number) => edges.get(number as usize),
        _ => None,
    }
}
