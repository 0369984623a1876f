//! Global value numbering: what has been computed already is not computed again.
//!
//! The dominator tree is walked in preorder with a table of what the blocks above have
//! computed; what a block added is taken out again when the walk leaves what it
//! dominates. Ops that may trap but do nothing else are shared as well: the first has
//! trapped if the second would.

use super::Context;
use super::aliases::Aliases;
use crate::ssa::effects::{Effects, Touch};
use crate::ssa::{Block, Func, Inst, InstData, Op};
use crate::tuning;
use core::hash::{Hash, Hasher};

pub(super) fn run(func: &mut Func, context: &Context) {
    let mut aliases = Aliases::default();
    let mut table = Table::new(func.insts.len());
    let mut open: Vec<(Block, usize)> = Vec::new();
    for &block in &context.graph.tree {
        while let Some(&(above, from)) = open.last()
            && !context.graph.dominates(above, block)
        {
            table.shrink(from);
            open.pop();
        }
        open.push((block, table.entries.len()));
        let insts = core::mem::take(&mut func.block_mut(block).insts);
        let kept = insts.into_iter().filter(|&inst| {
            let data = &mut func.insts[inst.0 as usize];
            data.args.iter_mut().for_each(|arg| *arg = aliases.get(*arg));
            order_operands(func, inst);
            let data = func.inst(inst);
            if !is_shared(context.effects(&data.op), &data.op) {
                return true;
            }
            let Some(same) = table.find_or_add(func, inst) else { return true };
            for index in 0..func.inst(inst).results.len() {
                aliases.set(func.inst(inst).results[index], func.inst(same).results[index]);
            }
            false
        });
        let kept = kept.collect();
        func.block_mut(block).insts = kept;
    }
    aliases.apply(func);
}

/// Whether what an op gives depends on its arguments alone. An object is another one each
/// time it is made.
fn is_shared(effects: Effects, op: &Op) -> bool {
    effects.reads == Touch::Nothing
        && effects.writes == Touch::Nothing
        && !effects.leaves
        && !matches!(op, Op::FrameSlot(_) | Op::Landed(_) | Op::Copy)
}

/// Puts operands that may be exchanged in the order of their numbers, but for constants,
/// which stay on the right.
fn order_operands(func: &mut Func, inst: Inst) {
    let [a, b] = func.inst(inst).args[..] else { return };
    if a <= b || func.constant(b).is_some() {
        return;
    }
    let data = func.inst_mut(inst);
    match data.op {
        Op::Binary(op) if op.commutes() => data.args.swap(0, 1),
        Op::Compare(op) => {
            data.op = Op::Compare(op.swap());
            data.args.swap(0, 1);
        }
        _ => {}
    }
}

/// What has been computed by the blocks above.
struct Table {
    /// For each hash the last entry that has it.
    heads: Vec<u32>,
    /// Instructions with their hashes and the entry before them that has the same.
    entries: Vec<(Inst, u32, u32)>,
}

const NONE: u32 = u32::MAX;

impl Table {
    fn new(insts: usize) -> Table {
        Table { heads: vec![NONE; insts.next_power_of_two().max(16)], entries: Vec::new() }
    }

    /// The instruction that computes the same; if there is none, this one is added.
    fn find_or_add(&mut self, func: &Func, inst: Inst) -> Option<Inst> {
        let data = func.inst(inst);
        let hash = hash(data) & (self.heads.len() as u32 - 1);
        let mut at = self.heads[hash as usize];
        for _ in 0..tuning::SAME_HASH {
            if at == NONE {
                break;
            }
            let (other, _, next) = self.entries[at as usize];
            if is_same(func, func.inst(other), data) {
                return Some(other);
            }
            at = next;
        }
        let last = core::mem::replace(&mut self.heads[hash as usize], self.entries.len() as u32);
        self.entries.push((inst, hash, last));
        None
    }

    /// Takes out what was added last.
    fn shrink(&mut self, to: usize) {
        while self.entries.len() > to {
            if let Some((_, hash, before)) = self.entries.pop() {
                self.heads[hash as usize] = before;
            }
        }
    }
}

/// Equal ops on equal arguments, of the same type: that of a constant is not in its op.
fn is_same(func: &Func, a: &InstData, b: &InstData) -> bool {
    a.op == b.op
        && a.args == b.args
        && a.results.len() == b.results.len()
        && a.results.iter().zip(&b.results).all(|(a, b)| func.ty(*a) == func.ty(*b))
}

/// A hash of what is compared. Constants and the numeric ops, of which there are many,
/// are told apart; others by their arguments.
fn hash(data: &InstData) -> u32 {
    let mut hasher = Mix(0);
    core::mem::discriminant(&data.op).hash(&mut hasher);
    match data.op {
        Op::Const(bits) => hasher.write_u64(bits),
        Op::Unary(op) => op.hash(&mut hasher),
        Op::Binary(op) => op.hash(&mut hasher),
        Op::Compare(op) => op.hash(&mut hasher),
        #[cfg(feature = "simd")]
        Op::VectorConst([low, high]) => {
            hasher.write_u64(low);
            hasher.write_u64(high);
        }
        Op::RefFunc(index) | Op::MemoryBase(index) => hasher.write_u32(index),
        _ => {}
    }
    for arg in &data.args {
        hasher.write_u32(arg.0);
    }
    (hasher.finish() >> 32) as u32
}

/// Multiplies and rotates: good enough for a table that compares anyway.
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
