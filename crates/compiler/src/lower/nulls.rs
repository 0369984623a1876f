//! Null checks that need not be made, because each way to them has seen that the reference
//! is none: by an op that traps otherwise, or by a branch.
//!
//! One walk over the dominator tree, which forgets what it found in a subtree when it
//! leaves that.

use super::facts::Facts;
use crate::ssa::graph::Graph;
use crate::ssa::{Block, Func, Inst, InstData, Op, Terminator, Value};
use zwasm_regir::CompareOp;

/// What is known of the references that instructions check.
pub(super) struct Nulls {
    /// For each instruction whether its reference is not null; empty if none checks one.
    known: Vec<bool>,
}

impl Nulls {
    /// Finds it out.
    pub(super) fn of(func: &Func, graph: &Graph, facts: &Facts) -> Nulls {
        if !func.insts.iter().any(|inst| checked(inst).is_some()) {
            return Nulls { known: Vec::new() };
        }
        let mut known = vec![false; func.insts.len()];
        let mut seen = Seen { non_null: vec![false; func.values.len()], order: Vec::new() };
        let mut open: Vec<(Block, usize)> = Vec::new();
        for &block in &graph.tree {
            while let Some(&(above, len)) = open.last()
                && !graph.dominates(above, block)
            {
                open.pop();
                seen.forget(len);
            }
            open.push((block, seen.order.len()));
            if let &[above] = graph.predecessors(block)
                && let Some(value) = excluded(func, facts, above, block)
            {
                seen.note(facts.root(value));
            }
            for &inst in &func.block(block).insts {
                let data = func.inst(inst);
                if let Some(value) = checked(data) {
                    known[inst.0 as usize] = seen.note(facts.root(value));
                }
                if let Op::Gc(_) | Op::RefFunc(_) | Op::I31New = data.op {
                    data.results.iter().for_each(|result| {
                        seen.note(*result);
                    });
                }
            }
        }
        Nulls { known }
    }

    /// Whether the reference that an instruction checks is not null.
    pub(super) fn is_known(&self, inst: Inst) -> bool {
        self.known.get(inst.0 as usize).is_some_and(|known| *known)
    }
}

/// The values that are not null.
struct Seen {
    non_null: Vec<bool>,
    /// They, in the order of the walk.
    order: Vec<Value>,
}

impl Seen {
    /// A value is not null from here on; whether that was known.
    fn note(&mut self, value: Value) -> bool {
        let known = std::mem::replace(&mut self.non_null[value.0 as usize], true);
        if !known {
            self.order.push(value);
        }
        known
    }

    /// Forgets all but the first.
    fn forget(&mut self, len: usize) {
        for value in self.order.drain(len..) {
            self.non_null[value.0 as usize] = false;
        }
    }
}

/// The reference that an instruction traps on if it is null.
fn checked(data: &InstData) -> Option<Value> {
    let checks = match data.op {
        Op::StructGet { .. }
        | Op::StructSet { .. }
        | Op::ArrayGet { .. }
        | Op::ArraySet { .. }
        | Op::ArrayLen
        | Op::RefAsNonNull
        | Op::I31Get(_) => true,
        Op::RefCast(target) => !target.nullable,
        _ => false,
    };
    data.args.first().copied().filter(|_| checks)
}

/// The reference that is not null if a block's branch goes to another.
fn excluded(func: &Func, facts: &Facts, from: Block, to: Block) -> Option<Value> {
    let Terminator::Branch { cond, then, .. } = &func.block(from).terminator else { return None };
    let is_then = then.block == to;
    let data = func.def_inst(*cond)?;
    match data.op {
        Op::Compare(op @ (CompareOp::I64Eq | CompareOp::I64Ne)) => {
            let is_null = func.constant(facts.root(data.args[1])) == Some(0);
            (is_null && is_then == (op == CompareOp::I64Ne)).then_some(data.args[0])
        }
        Op::RefTest(target) => (!target.nullable && is_then).then_some(data.args[0]),
        _ => None,
    }
}
