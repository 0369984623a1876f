//! The order of blocks.
//!
//! Registers are allocated in reverse postorder, but for loops, whose blocks stand
//! together: the allocator tells from the order how often a block is executed. Each block
//! stands behind those that dominate it all the same, for the header of a loop, where the
//! loop stands, comes before whatever its blocks dominate.
//!
//! In memory, blocks that are rarely executed come behind all others: those that trap or
//! throw, where exceptions land, where a branch nearly never goes, and what is reached
//! from such blocks only or leads to such blocks only. A block that does nothing but lead
//! back to a loop's header, where the allocator has moves to put, stands in front of the
//! header: whoever decides to go round again goes there by one jump.

use crate::ssa::graph::Graph;
use crate::ssa::{Block, Func, Likely, Terminator};

/// Blocks in the order of allocation and in that of memory, by their places in the first.
pub(super) struct Layout {
    /// The blocks that control may get to.
    pub(super) blocks: Vec<Block>,
    /// For each block its place in that list; none if nothing leads to it.
    pub(super) place: Vec<Option<u32>>,
    /// For each in the list the place of the header of the innermost loop that it is in; 0 if
    /// it is in none.
    pub(super) heads: Vec<u32>,
    /// The order in memory, and whether a block is the header of an innermost loop.
    pub(super) memory: Vec<(u32, bool)>,
}

impl Layout {
    /// Orders the blocks.
    pub(super) fn of(func: &Func, graph: &Graph) -> Layout {
        let blocks = together(graph);
        let mut place = vec![None; func.blocks.len()];
        for (at, block) in blocks.iter().enumerate() {
            place[block.0 as usize] = Some(at as u32);
        }
        let rare = rare(func, &blocks, &place);
        let mut is_inner = vec![true; graph.loops.len()];
        for each in &graph.loops {
            if let Some(parent) = each.parent {
                is_inner[parent as usize] = false;
            }
        }
        let mut align = vec![false; func.blocks.len()];
        for (each, is_inner) in graph.loops.iter().zip(is_inner) {
            align[each.header.0 as usize] = is_inner;
        }
        let entry = |at: usize| (at as u32, align[blocks[at].0 as usize]);
        let all = || 0..blocks.len();
        let usual = all().filter(|at| !rare[*at]).map(entry);
        let unusual = all().filter(|at| rare[*at]).map(|at| (at as u32, false));
        let mut memory: Vec<(u32, bool)> = usual.chain(unusual).collect();
        turn_loops(func, graph, &blocks, &mut memory);
        let head = |block: &Block| {
            let inner = graph.innermost[block.0 as usize]?;
            place[graph.loops[inner as usize].header.0 as usize]
        };
        let heads = blocks.iter().map(|block| head(block).unwrap_or(0)).collect();
        Layout { blocks, place, heads, memory }
    }
}

/// Puts the blocks that lead back to headers in front of them.
fn turn_loops(func: &Func, graph: &Graph, blocks: &[Block], memory: &mut Vec<(u32, bool)>) {
    // For each header the place of the only block that leads back to it, if that is empty.
    let mut back: Vec<Option<u32>> = vec![None; func.blocks.len()];
    let mut is_header = vec![false; func.blocks.len()];
    graph.loops.iter().for_each(|each| is_header[each.header.0 as usize] = true);
    for each in &graph.loops {
        let header = each.header;
        let inside = |from: &&Block| graph.dominates(header, **from);
        let mut from = graph.predecessors(header).iter().filter(inside);
        if let (Some(&only), None) = (from.next(), from.next())
            && !is_header[only.0 as usize]
            && func.block(only).insts.is_empty()
            && matches!(func.block(only).terminator, Terminator::Jump(_))
        {
            back[header.0 as usize] = Some(only.0);
        }
    }
    let mut moves = vec![false; func.blocks.len()];
    back.iter().flatten().for_each(|only| moves[*only as usize] = true);
    let mut turned = Vec::with_capacity(memory.len());
    let mut place = vec![0; func.blocks.len()];
    for &(at, _) in memory.iter() {
        place[blocks[at as usize].0 as usize] = at;
    }
    for &(at, align) in memory.iter() {
        let block = blocks[at as usize].0 as usize;
        if moves[block] {
            continue;
        }
        match back[block] {
            Some(only) => turned.extend([(place[only as usize], align), (at, false)]),
            None => turned.push((at, align)),
        }
    }
    *memory = turned;
}

/// The blocks in order, those of each loop together.
fn together(graph: &Graph) -> Vec<Block> {
    #[derive(Clone, Copy)]
    enum Item {
        Block(Block),
        Loop(u32),
    }
    // What is in each loop, and last what is in none; a loop where its header is.
    let none = graph.loops.len();
    let mut items: Vec<Vec<Item>> = vec![Vec::new(); none + 1];
    let index = |inner: Option<u32>| inner.map_or(none, |inner| inner as usize);
    for &block in &graph.order {
        let inner = graph.innermost[block.0 as usize];
        if let Some(inner) = inner.filter(|inner| graph.loops[*inner as usize].header == block) {
            items[index(graph.loops[inner as usize].parent)].push(Item::Loop(inner));
        }
        items[index(inner)].push(Item::Block(block));
    }
    let mut order = Vec::with_capacity(graph.order.len());
    let mut open = vec![std::mem::take(&mut items[none]).into_iter()];
    while let Some(last) = open.last_mut() {
        match last.next() {
            Some(Item::Block(block)) => order.push(block),
            Some(Item::Loop(inner)) => {
                open.push(std::mem::take(&mut items[inner as usize]).into_iter());
            }
            None => drop(open.pop()),
        }
    }
    order
}

/// Which blocks are rarely executed, by their places in the order.
fn rare(func: &Func, blocks: &[Block], place: &[Option<u32>]) -> Vec<bool> {
    let mut rare = vec![false; blocks.len()];
    // Whether a block is reached by a way that is usual: found in order, so that only the
    // ways back in loops are not known, which change nothing.
    let mut usual = vec![false; blocks.len()];
    usual[0] = true;
    let place = |block: Block| place[block.0 as usize].map_or(0, |place| place as usize);
    for (at, &block) in blocks.iter().enumerate() {
        let terminator = &func.block(block).terminator;
        let ends = matches!(
            terminator,
            Terminator::Trap(_) | Terminator::Throw { .. } | Terminator::ThrowRef { .. }
        );
        rare[at] = at != 0 && (ends || !usual[at]);
        if rare[at] {
            continue;
        }
        match terminator {
            Terminator::Branch { then, otherwise, likely, .. } => {
                usual[place(then.block)] |= *likely != Likely::Otherwise;
                usual[place(otherwise.block)] |= *likely != Likely::Then;
            }
            Terminator::Try { returns, .. } => usual[place(*returns)] = true,
            other => other.successors(&mut |to| usual[place(to)] = true),
        }
    }
    for (at, &block) in blocks.iter().enumerate().skip(1).rev() {
        let (mut all, mut any) = (true, false);
        func.block(block).terminator.successors(&mut |to| {
            any = true;
            all &= rare[place(to)];
        });
        rare[at] |= any && all;
    }
    rare
}
