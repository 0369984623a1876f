//! Trees that grow from the root, with jumps towards it.
//!
//! Each node has its parent and one more ancestor, so chosen that any ancestor is found
//! in steps logarithmic to the depth (Myers, "An applicative random-access stack", 1983).

use zwasm_regir::work;

/// A tree; nodes are numbered in the order in which they are added, the root is 0.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    jump: u32,
    depth: u32,
}

impl Tree {
    /// Adds a node below another; the first is the root, whatever is given.
    pub(super) fn grow(&mut self, parent: u32) {
        let node = match self.nodes.get(parent as usize) {
            None => Node { parent: 0, jump: 0, depth: 0 },
            Some(above) => {
                let depth = above.depth + 1;
                let jump = self.nodes[above.jump as usize];
                let even =
                    above.depth - jump.depth == jump.depth - self.nodes[jump.jump as usize].depth;
                Node { parent, jump: if even { jump.jump } else { parent }, depth }
            }
        };
        self.nodes.push(node);
    }

    /// The node above one; that of the root is itself.
    pub(super) fn parent(&self, node: u32) -> u32 {
        self.nodes[node as usize].parent
    }

    /// The lowest node that is above both, or one of them.
    pub(super) fn common(&self, mut a: u32, mut b: u32) -> u32 {
        let depth = |node: u32| self.nodes[node as usize].depth;
        if depth(a) < depth(b) {
            core::mem::swap(&mut a, &mut b);
        }
        let level = depth(b);
        if depth(a) > level {
            a = self.lowest(a, |node| depth(node) <= level);
        }
        while a != b {
            work::count(1);
            let (x, y) = (self.nodes[a as usize], self.nodes[b as usize]);
            (a, b) = if x.jump == y.jump { (x.parent, y.parent) } else { (x.jump, y.jump) };
        }
        a
    }

    /// The lowest node, from one upwards, of which something holds that then holds of all
    /// above it; the root if it holds of none.
    pub(super) fn lowest(&self, node: u32, holds: impl Fn(u32) -> bool) -> u32 {
        let mut node = node;
        while node != 0 && !holds(node) {
            work::count(1);
            let Node { parent, jump, .. } = self.nodes[node as usize];
            node = if holds(jump) { parent } else { jump };
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn ancestors_are_found() {
        let mut tree = Tree::default();
        let mut parents = vec![0];
        tree.grow(0);
        let mut seed = 7u32;
        for node in 1..3000u32 {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            // Now deep, now wide.
            let parent = if seed >> 31 == 0 { node - 1 } else { (seed >> 8) % node };
            tree.grow(parent);
            parents.push(parent);
        }
        let above = |mut node: u32| {
            let mut all = vec![node];
            while node != 0 {
                node = parents[node as usize];
                all.push(node);
            }
            all
        };
        for a in (0..3000).step_by(7) {
            let of_a = above(a);
            for b in (0..3000).step_by(61) {
                let common = *above(b).iter().find(|each| of_a.contains(each)).unwrap();
                assert_eq!(tree.common(a, b), common);
            }
            for limit in [0, 1, 10, 100, 1000, 3000] {
                let found = of_a.iter().find(|each| **each <= limit).unwrap();
                assert_eq!(tree.lowest(a, |node| node <= limit), *found);
            }
        }
    }
}
