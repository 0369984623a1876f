//! The shape of the control flow made simpler.
//!
//! In one pass each: parameters for which all edges pass the same become that value;
//! branches on what a dominating branch has decided become jumps; edges to blocks that
//! only go elsewhere go there at once, also where a block decides by what an edge passes
//! to it and that is a constant; and a block that one other leads to, and only to it, is
//! put behind that one. Blocks of clauses are left alone: their edges carry nothing.

use super::Context;
use super::aliases::Aliases;
use super::edges::Edges;
use crate::ssa::graph::Graph;
use crate::ssa::{Block, Edge, Func, Terminator, Value};
use crate::tuning;

pub(super) fn run(func: &mut Func, context: &Context) {
    drop_params(func, &context.graph);
    decide(func, &context.graph);
    thread(func, &context.graph);
    let changed = (!context.graph.describes(func)).then(|| Graph::of(func));
    let graph = changed.as_ref().unwrap_or(&context.graph);
    drop_params(func, graph);
    merge(func, graph);
}

/// Replaces parameters for which all edges pass the same value, or the parameter itself.
fn drop_params(func: &mut Func, graph: &Graph) {
    let edges = Edges::of(func, graph);
    let mut aliases = Aliases::default();
    let mut gone = vec![false; func.values.len()];
    // What replaces one parameter may make another one superfluous; twice finds nearly all.
    for _ in 0..tuning::PARAM_ROUNDS {
        let mut changed = false;
        for &block in &graph.order {
            if block == func.entry {
                continue;
            }
            for (number, &param) in func.block(block).params.iter().enumerate() {
                if gone[param.0 as usize] {
                    continue;
                }
                let mut only = None;
                let same = edges.to(block).iter().all(|&edge| {
                    let arg = aliases.get(Edges::arg(func, edge, number as u32));
                    arg == param || *only.get_or_insert(arg) == arg
                });
                if let (true, Some(only)) = (same, only) {
                    gone[param.0 as usize] = true;
                    aliases.set(param, only);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    remove_params(func, graph, &gone);
    aliases.apply(func);
}

/// Removes parameters, and what edges pass for them.
fn remove_params(func: &mut Func, graph: &Graph, gone: &[bool]) {
    let is_gone = |value: Value| gone.get(value.0 as usize) == Some(&true);
    for &block in &graph.order {
        let mut terminator =
            core::mem::replace(&mut func.block_mut(block).terminator, Terminator::None);
        terminator.edges_mut(&mut |edge| {
            let mut params = func.blocks[edge.block.0 as usize].params.iter();
            edge.args.retain(|_| params.next().is_some_and(|param| !is_gone(*param)));
        });
        func.block_mut(block).terminator = terminator;
    }
    for &block in &graph.order {
        if func.block(block).params.iter().any(|param| is_gone(*param)) {
            func.block_mut(block).params.retain(|param| !is_gone(*param));
            func.number_params(block);
        }
    }
}

/// Makes jumps of branches on what a branch above has decided.
fn decide(func: &mut Func, graph: &Graph) {
    let mut known: Vec<Option<bool>> = vec![None; func.values.len()];
    let mut open: Vec<(Block, Option<Value>)> = Vec::new();
    for &block in &graph.tree {
        while let Some(&(above, learnt)) = open.last()
            && !graph.dominates(above, block)
        {
            if let Some(cond) = learnt {
                known[cond.0 as usize] = None;
            }
            open.pop();
        }
        let mut learnt = None;
        if let &[from] = graph.predecessors(block)
            && let Terminator::Branch { cond, ref then, .. } = func.block(from).terminator
            && known[cond.0 as usize].is_none()
        {
            known[cond.0 as usize] = Some(then.block == block);
            learnt = Some(cond);
        }
        open.push((block, learnt));
        let terminator = &mut func.block_mut(block).terminator;
        if let Terminator::Branch { cond, then, otherwise, .. } = terminator
            && let Some(taken) = known[cond.0 as usize]
        {
            let edge = core::mem::take(if taken { then } else { otherwise });
            *terminator = Terminator::Jump(edge);
        }
    }
}

/// Sends edges past blocks that do nothing but go elsewhere.
fn thread(func: &mut Func, graph: &Graph) {
    let uses = count_uses(func, graph);
    // A block may be passed if what it defines is read by its own terminator only. Headers
    // of loops stay, so that loops have one entry.
    let mut passable = vec![false; func.blocks.len()];
    for &block in &graph.order {
        let data = func.block(block);
        let decides = matches!(data.terminator, Terminator::Jump(_) | Terminator::Branch { .. });
        if data.insts.is_empty() && decides && data.params.len() <= tuning::THREAD_PARAMS {
            let mut own = 0;
            data.terminator.args(&mut |arg| own += u32::from(data.params.contains(&arg)));
            let all: u32 = data.params.iter().map(|param| uses[param.0 as usize]).sum();
            passable[block.0 as usize] = all == own;
        }
    }
    for each in &graph.loops {
        passable[each.header.0 as usize] = false;
    }
    for &block in &graph.order {
        let mut terminator =
            core::mem::replace(&mut func.block_mut(block).terminator, Terminator::None);
        terminator.edges_mut(&mut |edge| {
            for _ in 0..tuning::THREAD_STEPS {
                if edge.block == block || !passable[edge.block.0 as usize] {
                    break;
                }
                match past(func, edge) {
                    Some(next) => *edge = next,
                    None => break,
                }
            }
        });
        func.block_mut(block).terminator = terminator;
    }
}

/// The edge that is taken behind another one, if that says which.
fn past(func: &Func, edge: &Edge) -> Option<Edge> {
    let data = func.block(edge.block);
    let passed = |value: Value| {
        let number = data.params.iter().position(|param| *param == value);
        number.map_or(value, |number| edge.args[number])
    };
    let next = match &data.terminator {
        Terminator::Jump(next) => next,
        Terminator::Branch { cond, then, otherwise, .. } => match func.constant(passed(*cond))? {
            bits if bits as u32 != 0 => then,
            _ => otherwise,
        },
        _ => return None,
    };
    let args = next.args.iter().map(|arg| passed(*arg)).collect();
    Some(Edge { block: next.block, args })
}

/// How often each value is read by what control may get to.
pub(super) fn count_uses(func: &Func, graph: &Graph) -> Vec<u32> {
    let mut uses = vec![0u32; func.values.len()];
    for &block in &graph.order {
        let data = func.block(block);
        for inst in &data.insts {
            func.inst(*inst).args.iter().for_each(|arg| uses[arg.0 as usize] += 1);
        }
        data.terminator.args(&mut |arg| uses[arg.0 as usize] += 1);
    }
    uses
}

/// Puts blocks behind the only one that leads to them, if it leads nowhere else.
pub(super) fn merge(func: &mut Func, graph: &Graph) {
    let mut aliases = Aliases::default();
    let mut merged = vec![false; func.blocks.len()];
    for &block in &graph.order {
        if merged[block.0 as usize] {
            continue;
        }
        let mut insts = core::mem::take(&mut func.block_mut(block).insts);
        while let Terminator::Jump(edge) = &func.block(block).terminator {
            let next = edge.block;
            if next == block || graph.predecessors(next).len() != 1 {
                break;
            }
            merged[next.0 as usize] = true;
            let args = edge.args.clone();
            let data = func.block_mut(next);
            insts.append(&mut data.insts);
            let params = core::mem::take(&mut data.params);
            let terminator = core::mem::replace(&mut data.terminator, Terminator::None);
            let source = data.source;
            for (param, arg) in params.into_iter().zip(args) {
                aliases.set(param, arg);
            }
            let data = func.block_mut(block);
            data.terminator = terminator;
            data.source = source;
        }
        func.block_mut(block).insts = insts;
    }
    aliases.apply(func);
}
