//! Branches that only choose between two numbers become selections.
//!
//! A branch around next to nothing costs little where processors foresee which way it goes,
//! and a dozen cycles where they do not, as when what is compared has been read from
//! memory to be sorted. A selection always takes a cycle. So a branch whose ways meet
//! again at once, with one number that differs, computed by an instruction or two at most,
//! is a selection. Floats are not chosen so: the processor has no instruction for it.
//! Nor is what the block where they meet decides by, for the way of a branch tells more
//! of the next one than a number does; nor one of two constants, for the same reason.

use super::Context;
use super::branches;
use super::ints::Int;
use crate::ssa::graph::Graph;
use crate::ssa::{Block, Edge, Func, Inst, Likely, Op, Terminator, Value};
use crate::tuning;
use zwasm_regir::{Type, UnaryOp};

pub(super) fn run(func: &mut Func, context: &Context) {
    let mut changed = false;
    // From the last on, so that what is chosen in a block may be chosen from in front of it.
    for &block in context.graph.order.iter().rev() {
        changed |= choose(func, context, block);
    }
    if changed {
        branches::merge(func, &Graph::of(func));
    }
}

/// One way of a branch.
struct Way {
    /// The block in between, if there is one.
    between: Option<Block>,
    /// How many instructions it has.
    cost: usize,
    /// Where it leads.
    edge: Edge,
}

/// The way that an edge takes, if next to nothing is on it.
fn way(func: &Func, context: &Context, edge: &Edge) -> Way {
    let direct = || Way { between: None, cost: 0, edge: edge.clone() };
    let data = func.block(edge.block);
    let [_] = *context.graph.predecessors(edge.block) else { return direct() };
    let Terminator::Jump(next) = &data.terminator else { return direct() };
    let is_cheap = |inst: &Inst| cost(func, *inst).is_some();
    if !data.params.is_empty() || !data.insts.iter().all(is_cheap) {
        return direct();
    }
    let cost = data.insts.iter().filter_map(|inst| cost(func, *inst)).sum();
    Way { between: Some(edge.block), cost, edge: next.clone() }
}

/// What an instruction costs that may be executed for nothing; none if it may not.
fn cost(func: &Func, inst: Inst) -> Option<usize> {
    match func.inst(inst).op {
        Op::Const(_) => Some(0),
        Op::Unary(UnaryOp::I64ExtendI32U | UnaryOp::I32WrapI64 | UnaryOp::I64ExtendI32S) => Some(1),
        Op::Binary(op) => match Int::of(op)?.0 {
            Int::Add | Int::Sub | Int::And | Int::Or | Int::Xor => Some(1),
            Int::Shl | Int::ShrS | Int::ShrU | Int::Rotl | Int::Rotr => Some(1),
            Int::Mul | Int::DivS | Int::DivU | Int::RemS | Int::RemU => None,
        },
        _ => None,
    }
}

/// Makes the branch at a block's end a selection, if it is worth it.
fn choose(func: &mut Func, context: &Context, block: Block) -> bool {
    let data = func.block(block);
    let source = data.source;
    let Terminator::Branch { cond, ref then, ref otherwise, likely: Likely::Unknown } =
        data.terminator
    else {
        return false;
    };
    let (then, otherwise) = (way(func, context, then), way(func, context, otherwise));
    let to = then.edge.block;
    if to != otherwise.edge.block
        || to == block
        || then.cost + otherwise.cost > tuning::CHOICE_INSTS
    {
        return false;
    }
    let pairs = || then.edge.args.iter().zip(&otherwise.edge.args).enumerate();
    let differs = |(_, (a, b)): &(usize, (&Value, &Value))| a != b;
    let mut differing = pairs().filter(differs);
    let chosen = differing.next().map(|(number, (a, b))| (number, *a, *b));
    let is_choice = |&(number, a, b): &(usize, Value, Value)| {
        let known = |value| func.constant(value).is_some();
        let decides = match func.block(to).terminator {
            Terminator::Branch { cond: value, .. } | Terminator::Table { index: value, .. } => {
                value == func.block(to).params[number]
            }
            _ => false,
        };
        matches!(func.ty(a), Type::I32 | Type::I64) && !decides && !(known(a) && known(b))
    };
    if differing.next().is_some() || !chosen.iter().all(is_choice) {
        return false;
    }
    let mut args = then.edge.args.clone();
    let mut insts = Vec::new();
    for way in [&then, &otherwise] {
        if let Some(between) = way.between {
            insts.append(&mut func.block_mut(between).insts);
        }
    }
    if let Some((number, a, b)) = chosen {
        let ty = func.ty(a);
        let selected = func.add_inst(Op::Select, smallvec::smallvec![cond, a, b], &[ty], source);
        args[number] = func.inst(selected).results[0];
        insts.push(selected);
    }
    let data = func.block_mut(block);
    data.insts.append(&mut insts);
    data.terminator = Terminator::Jump(Edge { block: to, args });
    true
}
