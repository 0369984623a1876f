//! Jumps through a table that tell few cases apart become branches.
//!
//! A jump through a table takes seven instructions and the processor's best guess at an
//! address. Four comparisons are hardly more, are foreseen one by one, and what decides the
//! first of them is known on many ways to it: a machine with a few states need not look at
//! the state that it has just been given. A case here is a run of neighbours in the table
//! that lead to the same place; the place where all greater numbers lead is what is left.

use super::Context;
use super::ints::{Int, IntCompare};
use crate::ssa::{Block, Edge, Func, Likely, Op, Terminator, Value};
use crate::tuning;
use smallvec::smallvec;
use zwasm_regir::Type;

/// Neighbours in a table that lead to the same place: the first one, how many they are, and
/// which edge it is.
type Case = (u32, u32, usize);

pub(super) fn run(func: &mut Func, context: &Context) {
    for &block in &context.graph.order {
        let Terminator::Table { index, edges } = &func.block(block).terminator else { continue };
        let index = *index;
        if func.constant(index).is_some() {
            continue;
        }
        if let Some(cases) = cases(edges) {
            let edges = edges.clone();
            branch(func, block, index, &edges, &cases);
        }
    }
}

/// The cases of a table, if they are few.
fn cases(edges: &[Edge]) -> Option<Vec<Case>> {
    let rest = edges.last()?;
    let same = |a: &Edge, b: &Edge| a.block == b.block && a.args == b.args;
    let mut cases: Vec<Case> = Vec::new();
    for (number, edge) in edges.iter().enumerate() {
        if same(edge, rest) {
            continue;
        }
        if let Some((first, len, of)) = cases.last_mut()
            && (*first + *len) as usize == number
            && same(edge, &edges[*of])
        {
            *len += 1;
            continue;
        }
        if cases.len() == tuning::TABLE_CASES {
            return None;
        }
        cases.push((number as u32, 1, number));
    }
    Some(cases)
}

/// Ends a block with branches instead of a table.
fn branch(func: &mut Func, mut block: Block, index: Value, edges: &[Edge], cases: &[Case]) {
    let source = func.block(block).source;
    let Some(rest) = edges.last() else { return };
    for (at, &(first, len, of)) in cases.iter().enumerate() {
        let put = |func: &mut Func, op: Op, args| {
            let inst = func.add_inst(op, args, &[Type::I32], source);
            func.block_mut(block).insts.push(inst);
            func.inst(inst).results[0]
        };
        let number = |value: u32| Op::Const(value.into());
        let (compare, from, with) = match (first, len) {
            (_, 1) => (IntCompare::Eq, index, first),
            (0, _) => (IntCompare::LtU, index, len),
            _ => {
                let by = put(func, number(first), smallvec![]);
                let from = put(func, Op::Binary(Int::Sub.on(Type::I32)), smallvec![index, by]);
                (IntCompare::LtU, from, len)
            }
        };
        let with = put(func, number(with), smallvec![]);
        let cond = put(func, Op::Compare(compare.on(Type::I32)), smallvec![from, with]);
        let is_last = at + 1 == cases.len();
        let otherwise = if is_last {
            rest.clone()
        } else {
            let next = func.add_block();
            func.block_mut(next).source = source;
            Edge { block: next, args: Vec::new() }
        };
        let next = otherwise.block;
        let then = edges[of].clone();
        func.block_mut(block).terminator =
            Terminator::Branch { cond, then, otherwise, likely: Likely::Unknown };
        block = next;
    }
    if cases.is_empty() {
        func.block_mut(block).terminator = Terminator::Jump(rest.clone());
    }
}
