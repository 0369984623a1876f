//! The shape of the control flow: predecessors, order, dominators, loops.
//!
//! Dominators are found as Lengauer and Tarjan do ("A Fast Algorithm for Finding
//! Dominators in a Flowgraph", 1979, the simple variant): `n log n` whatever the guest
//! makes of the graph, where simpler algorithms walk up a deep tree for every edge. All
//! walks are loops, for the guest chooses how deep they go.

use super::{Block, Edge, Func, Terminator};

/// The control-flow graph of a function.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The blocks that control may get to, in reverse postorder: each behind those that
    /// dominate it. Where that leaves a choice it is the order of their numbers, so that
    /// bodies of loops stay together.
    pub order: Vec<Block>,
    /// For each block its place in the order; none if nothing leads to it.
    pub place: Vec<Option<u32>>,
    /// For each block its immediate dominator; none for the entry and what is not reached.
    pub dominator: Vec<Option<Block>>,
    /// The blocks in preorder of the dominator tree: those that a block dominates come
    /// right behind it.
    pub tree: Vec<Block>,
    /// For each block the innermost loop it is in.
    pub innermost: Vec<Option<u32>>,
    /// The loops; outer ones come before inner ones.
    pub loops: Vec<Loop>,
    /// For each block where in the tree it is, and where what it dominates ends.
    spans: Vec<(u32, u32)>,
    /// The predecessors of all blocks, and for each block where its own begin.
    edges: Vec<Block>,
    first_edge: Vec<u32>,
    /// The successors of all blocks, in order.
    successors: Vec<Block>,
}

/// A natural loop. A cycle that is entered at several blocks is none.
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
    /// The blocks that a block dominates, itself first, in preorder.
    pub fn dominated(&self, block: Block) -> &[Block] {
        let (start, end) = self.spans[at(block)];
        &self.tree[start as usize..end as usize]
    }

    /// Finds it out.
    pub fn of(func: &Func) -> Graph {
        let count = func.blocks.len();
        let mut graph = Graph {
            place: vec![None; count],
            dominator: vec![None; count],
            innermost: vec![None; count],
            spans: vec![(0, 0); count],
            ..Graph::default()
        };
        let walk = Walk::of(func);
        graph.order = walk.finished.iter().rev().copied().collect();
        for (place, &block) in graph.order.iter().enumerate() {
            graph.place[at(block)] = Some(place as u32);
        }
        graph.find_edges(func);
        graph.find_dominators(&walk);
        graph.grow_tree();
        graph.find_loops();
        graph
    }

    /// The predecessors of a block that control may get to, one for each edge.
    pub fn predecessors(&self, block: Block) -> &[Block] {
        &self.edges[self.edges_of(block)]
    }

    fn edges_of(&self, block: Block) -> core::ops::Range<usize> {
        self.first_edge[at(block)] as usize..self.first_edge[at(block) + 1] as usize
    }

    fn find_edges(&mut self, func: &Func) {
        // Where each block's edges end, which is where they begin when all are there: they
        // are put from the last to the first.
        let mut ends = vec![0u32; func.blocks.len() + 1];
        let mut successors = Vec::with_capacity(self.order.len() * 2);
        let each = |block: Block, visit: &mut dyn FnMut(Block)| {
            func.block(block).terminator.successors(visit);
        };
        for &block in &self.order {
            each(block, &mut |to| {
                ends[at(to)] += 1;
                successors.push(to);
            });
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        self.edges = vec![Block(0); sum as usize];
        for &block in self.order.iter().rev() {
            each(block, &mut |to| {
                ends[at(to)] -= 1;
                self.edges[ends[at(to)] as usize] = block;
            });
        }
        self.first_edge = ends;
        self.successors = successors;
    }

    /// Whether nothing has changed since.
    pub fn describes(&self, func: &Func) -> bool {
        let mut known = self.successors.iter();
        let mut same = self.place.len() == func.blocks.len();
        for &block in &self.order {
            let terminator = &func.block(block).terminator;
            terminator.successors(&mut |to| same &= known.next() == Some(&to));
        }
        same && known.next().is_none()
    }

    /// Whether one block dominates another; each dominates itself. Not asked of blocks that
    /// nothing leads to.
    pub fn dominates(&self, above: Block, below: Block) -> bool {
        let ((first, end), (below, _)) = (self.spans[at(above)], self.spans[at(below)]);
        first <= below && below < end
    }

    /// Whether one block comes before another in the order.
    pub fn is_before(&self, first: Block, second: Block) -> bool {
        self.place[at(first)] < self.place[at(second)]
    }

    /// Whether control may get to a block.
    pub fn is_reached(&self, block: Block) -> bool {
        self.place[at(block)].is_some()
    }

    /// How many loops a block is in.
    pub fn depth(&self, block: Block) -> u32 {
        self.innermost[at(block)].map_or(0, |inner| self.loops[inner as usize].depth)
    }

    /// Whether a loop contains a block.
    pub fn contains(&self, outer: u32, block: Block) -> bool {
        let mut inner = self.innermost[at(block)];
        while let Some(each) = inner.filter(|each| *each > outer) {
            inner = self.loops[each as usize].parent;
        }
        inner == Some(outer)
    }

    fn find_dominators(&mut self, walk: &Walk) {
        let count = walk.started.len();
        let mut forest = Forest::new(count);
        // The vertices whose semidominator is this one, as lists.
        let mut waiting = vec![NONE; count];
        let mut next = vec![NONE; count];
        // The immediate dominator, or a vertex that has the same one.
        let mut found = vec![0; count];
        for vertex in (1..count as u32).rev() {
            let parent = walk.parent[vertex as usize];
            for &block in self.predecessors(walk.started[vertex as usize]) {
                let best = forest.best(walk.number[at(block)]);
                let semi = forest.semi[best as usize];
                let own = &mut forest.semi[vertex as usize];
                *own = semi.min(*own);
            }
            let semi = forest.semi[vertex as usize] as usize;
            next[vertex as usize] = core::mem::replace(&mut waiting[semi], vertex);
            forest.ancestor[vertex as usize] = parent;
            let mut each = core::mem::replace(&mut waiting[parent as usize], NONE);
            while each != NONE {
                let best = forest.best(each);
                let above = forest.semi[best as usize] < forest.semi[each as usize];
                found[each as usize] = if above { best } else { parent };
                each = next[each as usize];
            }
        }
        for vertex in 1..count {
            if found[vertex] != forest.semi[vertex] {
                found[vertex] = found[found[vertex] as usize];
            }
            let dominator = walk.started[found[vertex] as usize];
            self.dominator[at(walk.started[vertex])] = Some(dominator);
        }
    }

    fn grow_tree(&mut self) {
        // Sizes of subtrees first: then each block's place follows from its parent's.
        let mut size = vec![1; self.place.len()];
        for &block in self.order.iter().rev() {
            if let Some(parent) = self.dominator[at(block)] {
                size[at(parent)] += size[at(block)];
            }
        }
        self.tree = self.order.clone();
        let mut free = vec![1; self.place.len()];
        for &block in &self.order {
            let first = self.dominator[at(block)].map_or(0, |parent| {
                let first = self.spans[at(parent)].0 + free[at(parent)];
                free[at(parent)] += size[at(block)];
                first
            });
            self.spans[at(block)] = (first, first + size[at(block)]);
            self.tree[first as usize] = block;
        }
    }

    fn find_loops(&mut self) {
        // From the innermost outwards; the outermost loop found so far that a loop is in,
        // with paths that get shorter as they are walked.
        let mut outermost: Vec<u32> = Vec::new();
        let mut work = Vec::new();
        for &header in self.order.iter().rev() {
            let back = self.predecessors(header).iter();
            work.extend(back.copied().filter(|latch| self.dominates(header, *latch)));
            if work.is_empty() {
                continue;
            }
            let this = self.loops.len() as u32;
            self.loops.push(Loop { header, parent: None, depth: 0 });
            outermost.push(this);
            self.innermost[at(header)] = Some(this);
            while let Some(block) = work.pop() {
                let entered = match self.innermost[at(block)] {
                    None => {
                        self.innermost[at(block)] = Some(this);
                        block
                    }
                    Some(inner) => {
                        let inner = root(&mut outermost, inner);
                        if inner == this {
                            continue;
                        }
                        outermost[inner as usize] = this;
                        self.loops[inner as usize].parent = Some(this);
                        self.loops[inner as usize].header
                    }
                };
                work.extend(self.predecessors(entered));
            }
        }
        let last = (self.loops.len() as u32).wrapping_sub(1);
        self.loops.reverse();
        for index in 0..self.loops.len() {
            let parent = self.loops[index].parent.map(|parent| last - parent);
            let depth = parent.map_or(0, |parent| self.loops[parent as usize].depth);
            self.loops[index].parent = parent;
            self.loops[index].depth = depth + 1;
        }
        for inner in self.innermost.iter_mut().flatten() {
            *inner = last - *inner;
        }
    }
}

const NONE: u32 = u32::MAX;

fn at(block: Block) -> usize {
    block.0 as usize
}

/// The end of a chain of links, which lead there directly afterwards.
fn root(links: &mut [u32], from: u32) -> u32 {
    let mut end = from;
    while links[end as usize] != end {
        end = links[end as usize];
    }
    let mut each = from;
    while each != end {
        each = core::mem::replace(&mut links[each as usize], end);
    }
    end
}

/// A walk in depth-first order.
struct Walk {
    /// The blocks in the order in which they were reached, which numbers them as vertices.
    started: Vec<Block>,
    /// For each block its vertex.
    number: Vec<u32>,
    /// For each vertex that from which it was reached.
    parent: Vec<u32>,
    /// The blocks in the order in which they were left.
    finished: Vec<Block>,
}

impl Walk {
    fn of(func: &Func) -> Walk {
        let mut walk = Walk {
            started: Vec::new(),
            number: vec![NONE; func.blocks.len()],
            parent: Vec::new(),
            finished: Vec::new(),
        };
        // Blocks being walked, with where their successors start among those to go to.
        let mut open = Vec::new();
        let mut ahead = Vec::new();
        walk.start(func, func.entry, 0, &mut open, &mut ahead);
        while let Some(&(block, first)) = open.last() {
            if ahead.len() == first {
                open.pop();
                walk.finished.push(block);
            } else if let Some(next) = ahead.pop().filter(|next| walk.number[at(*next)] == NONE) {
                let parent = walk.number[at(block)];
                walk.start(func, next, parent, &mut open, &mut ahead);
            }
        }
        walk
    }

    fn start(
        &mut self,
        func: &Func,
        block: Block,
        parent: u32,
        open: &mut Vec<(Block, usize)>,
        ahead: &mut Vec<Block>,
    ) {
        self.number[at(block)] = self.started.len() as u32;
        self.started.push(block);
        self.parent.push(parent);
        let first = ahead.len();
        func.block(block).terminator.successors(&mut |to| ahead.push(to));
        // What stands last is left first and thus comes last in the order.
        if !ahead[first..].is_sorted() {
            ahead[first..].sort_by_cached_key(|block| u64::from(block.0));
        }
        open.push((block, first));
    }
}

/// Trees of vertices that have been dealt with, for the best vertex on a path.
struct Forest {
    /// The semidominator, so far.
    semi: Vec<u32>,
    /// A vertex above in the tree; none at its root.
    ancestor: Vec<u32>,
    /// The vertex with the least semidominator between this one and the ancestor.
    label: Vec<u32>,
    path: Vec<u32>,
}

impl Forest {
    fn new(count: usize) -> Forest {
        let each: Vec<u32> = (0..count as u32).collect();
        Forest { semi: each.clone(), ancestor: vec![NONE; count], label: each, path: Vec::new() }
    }

    /// The vertex with the least semidominator from here up to below the tree's root.
    fn best(&mut self, vertex: u32) -> u32 {
        let mut each = vertex;
        while self.ancestor[each as usize] != NONE {
            self.path.push(each);
            each = self.ancestor[each as usize];
        }
        let root = each;
        // The topmost is compared with nothing: its ancestor is the root.
        self.path.pop();
        while let Some(each) = self.path.pop() {
            let above = self.ancestor[each as usize] as usize;
            let (own, other) = (self.label[each as usize], self.label[above]);
            if self.semi[other as usize] < self.semi[own as usize] {
                self.label[each as usize] = other;
            }
            self.ancestor[each as usize] = root;
        }
        self.label[vertex as usize]
    }
}

/// Puts a block on each edge from a block with several edges to one with several, so that
/// there is a place for what happens on that edge alone. Edges of a table that are the same
/// share theirs; where all ways lead to the same place, there is a jump instead.
pub fn split_critical_edges(func: &mut Func) {
    let count = func.blocks.len();
    let mut edges_in = vec![0u32; count];
    for block in &func.blocks {
        block.terminator.successors(&mut |to| edges_in[at(to)] += 1);
    }
    // For each block the one put before it last, and what that comes behind.
    let mut split: Vec<(u32, Block)> = vec![(NONE, Block(0)); count];
    for index in 0..count {
        let mut terminator =
            core::mem::replace(&mut func.blocks[index].terminator, Terminator::None);
        let source = func.blocks[index].source;
        let mut put = |edge: &mut Edge| {
            if edges_in[at(edge.block)] < 2 {
                return;
            }
            let (behind, last) = split[at(edge.block)];
            let same = behind == index as u32
                && matches!(&func.block(last).terminator, Terminator::Jump(other) if other == edge);
            let block = if same { last } else { func.add_block() };
            if !same {
                split[at(edge.block)] = (index as u32, block);
                func.block_mut(block).source = source;
                let edge = core::mem::take(edge);
                func.block_mut(block).terminator = Terminator::Jump(edge);
            }
            *edge = Edge { block, args: Vec::new() };
        };
        // What decides nothing is a jump.
        match &mut terminator {
            Terminator::Branch { then, otherwise, .. } if then == otherwise => {
                terminator = Terminator::Jump(core::mem::take(then));
            }
            Terminator::Table { edges, .. } if edges.len() == 1 => {
                terminator = Terminator::Jump(core::mem::take(&mut edges[0]));
            }
            Terminator::Branch { .. }
            | Terminator::Jump(_)
            | Terminator::Table { .. }
            | Terminator::Return(_)
            | Terminator::TailCall { .. }
            | Terminator::Trap(_)
            | Terminator::Throw { .. }
            | Terminator::ThrowRef { .. }
            | Terminator::Try { .. }
            | Terminator::None => {}
        }
        match &mut terminator {
            Terminator::Branch { then, otherwise, .. } => {
                put(then);
                put(otherwise);
            }
            Terminator::Table { edges, .. } => edges.iter_mut().for_each(put),
            Terminator::Jump(_)
            | Terminator::Return(_)
            | Terminator::TailCall { .. }
            | Terminator::Trap(_)
            | Terminator::Throw { .. }
            | Terminator::ThrowRef { .. }
            | Terminator::Try { .. }
            | Terminator::None => {}
        }
        func.blocks[index].terminator = terminator;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A function whose blocks branch to these blocks.
    fn func(targets: &[Vec<u32>]) -> Func {
        let mut func = Func::default();
        for to in targets {
            let block = func.add_block();
            let cond = func.add_param(block, zwasm_regir::Type::I32);
            let edge = |to: &u32| Edge { block: Block(*to), args: Vec::new() };
            func.block_mut(block).terminator = match &to[..] {
                [] => Terminator::Return(Default::default()),
                [to] => Terminator::Jump(edge(to)),
                to => Terminator::Table { index: cond, edges: to.iter().map(edge).collect() },
            };
        }
        func
    }

    /// The blocks that control gets to when it cannot pass one.
    fn reached(targets: &[Vec<u32>], without: Option<u32>) -> BTreeSet<u32> {
        let mut reached = BTreeSet::new();
        let mut work = vec![0];
        while let Some(block) = work.pop() {
            if Some(block) != without && reached.insert(block) {
                work.extend(&targets[block as usize]);
            }
        }
        reached
    }

    /// The blocks of the loop of a header, by its definition.
    fn natural_loop(targets: &[Vec<u32>], graph: &Graph, header: u32) -> BTreeSet<u32> {
        let reaches = |from: u32| {
            let mut without = targets.to_vec();
            without[header as usize].clear();
            let (mut seen, mut work) = (BTreeSet::new(), vec![from]);
            while let Some(block) = work.pop() {
                if seen.insert(block) {
                    work.extend(&without[block as usize]);
                }
            }
            seen
        };
        let all = 0..targets.len() as u32;
        let latches: Vec<u32> = all
            .clone()
            .filter(|from| {
                targets[*from as usize].contains(&header)
                    && graph.is_reached(Block(*from))
                    && graph.dominates(Block(header), Block(*from))
            })
            .collect();
        let inside = |block: &u32| {
            graph.is_reached(Block(*block))
                && graph.dominates(Block(header), Block(*block))
                && (*block == header && !latches.is_empty()
                    || latches
                        .iter()
                        .any(|latch| *latch != header && reaches(*block).contains(latch)))
        };
        all.filter(inside).collect()
    }

    #[test]
    fn random_graphs_are_what_the_definitions_say() {
        let mut seed = 1u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % below
        };
        let mut loops = 0;
        for _ in 0..500 {
            let count = 2 + random(14);
            let targets: Vec<Vec<u32>> = (0..count)
                .map(|_| (0..random(4)).map(|_| 1 + random(count - 1) as u32).collect())
                .collect();
            let graph = Graph::of(&func(&targets));
            let all = reached(&targets, None);
            assert_eq!(all.len(), graph.order.len());
            for &block in &all {
                let dominated = &all - &reached(&targets, Some(block));
                for &other in &all {
                    let dominates = graph.dominates(Block(block), Block(other));
                    assert_eq!(dominates, dominated.contains(&other), "{targets:?}");
                }
                let behind = graph.tree.iter().skip_while(|each| each.0 != block);
                let behind: BTreeSet<u32> =
                    behind.take(dominated.len()).map(|each| each.0).collect();
                assert_eq!(behind, dominated);
                if let Some(above) = graph.dominator[block as usize] {
                    assert!(above != Block(block) && graph.dominates(above, Block(block)));
                    assert!(graph.place[at(above)] < graph.place[block as usize]);
                    let between = all.iter().filter(|each| {
                        **each != block
                            && **each != above.0
                            && graph.dominates(above, Block(**each))
                            && graph.dominates(Block(**each), Block(block))
                    });
                    assert_eq!(between.count(), 0);
                }
                let inside = natural_loop(&targets, &graph, block);
                let found = graph.loops.iter().position(|each| each.header.0 == block);
                assert_eq!(found.is_some(), !inside.is_empty(), "{targets:?}");
                if let Some(found) = found {
                    loops += 1;
                    for &other in &all {
                        let contains = graph.contains(found as u32, Block(other));
                        assert_eq!(contains, inside.contains(&other), "{targets:?} {block}");
                    }
                }
            }
        }
        assert!(loops > 100);
    }

    /// Graphs on which simpler algorithms take the square of the size.
    #[test]
    fn deep_graphs_take_little() {
        let size = 100_000;
        // A chain, each block of which also leads to the end.
        let chain = (0..size).map(|at| if at < size - 2 { vec![size - 1, at + 1] } else { vec![] });
        // Loops in loops.
        let loops = (0..size).map(|at| match at {
            at if at < size / 2 => vec![at + 1],
            at if at < size - 1 => vec![size - 1 - at, at + 1],
            _ => vec![],
        });
        // A chain, from both ends of which all other blocks are reached.
        let half = size / 2;
        let ends = (0..size).map(|at| match at {
            at if at > half => vec![],
            at if at == 0 || at == half => {
                (1.max(at + 1)..size).rev().filter(|to| *to > half || *to == at + 1).collect()
            }
            at => vec![at + 1],
        });
        let graph = Graph::of(&func(&chain.collect::<Vec<_>>()));
        assert_eq!(graph.dominator[size as usize - 1], Some(Block(0)));
        let graph = Graph::of(&func(&loops.collect::<Vec<_>>()));
        assert_eq!(graph.loops.last().map(|each| each.depth), Some(half - 1));
        let graph = Graph::of(&func(&ends.collect::<Vec<_>>()));
        assert_eq!(graph.dominator[size as usize - 1], Some(Block(0)));
    }

    #[test]
    fn critical_edges_are_split_once() {
        let targets = [vec![1, 2, 2, 2], vec![2, 3], vec![3], vec![]];
        let mut func = func(&targets);
        split_critical_edges(&mut func);
        let graph = Graph::of(&func);
        for &block in &graph.order {
            let mut edges = 0;
            func.block(block).terminator.successors(&mut |_| edges += 1);
            func.block(block).terminator.successors(&mut |to| {
                let shared = graph.predecessors(to).iter().any(|from| *from != block);
                assert!(edges < 2 || !shared, "{block} to {to}");
            });
        }
        // One for the three edges of the table, two for the other block.
        assert_eq!(func.blocks.len(), 4 + 3);
    }
}
