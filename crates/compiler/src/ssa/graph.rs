//! The shape of the control flow: predecessors, order, dominators, loops.

use super::{Block, Func};

/// The control-flow graph of a function.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The blocks that control may get to, in reverse postorder: each behind those that
    /// dominate it.
    pub order: Vec<Block>,
    /// For each block its place in the order; none if nothing leads to it.
    pub place: Vec<Option<u32>>,
    /// For each block its predecessors, one for each edge.
    pub predecessors: Vec<Vec<Block>>,
    /// For each block its immediate dominator; none for the entry and what is not reached.
    pub dominator: Vec<Option<Block>>,
    /// For each block the innermost loop it is in.
    pub innermost: Vec<Option<u32>>,
    /// The loops; outer ones come before inner ones.
    pub loops: Vec<Loop>,
}

/// A natural loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Its header, which dominates all of it.
    pub header: Block,
    /// The loop around it.
    pub parent: Option<u32>,
    /// How many loops it is in, itself included.
    pub depth: u32,
}

impl Graph {
    /// Finds it out.
    pub fn of(func: &Func) -> Graph {
        let _ = func;
        todo!()
    }

    /// Whether one block dominates another.
    pub fn dominates(&self, above: Block, below: Block) -> bool {
        let _ = (above, below);
        todo!()
    }
}
