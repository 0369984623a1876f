//! Removes what nobody uses.
//!
//! Starts from what has effects and from what terminators read, and marks whatever these
//! need. A parameter is needed if it is used, not if it is passed; what edges pass for
//! others is dropped with it. A wide multiplication of which only the lower half is used
//! becomes an ordinary one.

use super::Context;
use super::edges::Edges;
use crate::ssa::{Def, Func, Op, Terminator, Value};
use zwasm_regir::BinaryOp;
use zwasm_regir::inst::WideOp;

pub(super) fn run(func: &mut Func, context: &Context) {
    let mut marks = Marks { live: vec![false; func.values.len()], work: Vec::new() };
    let mut needed = vec![false; func.insts.len()];
    for &block in &context.graph.order {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            if !context.effects_of(func, data).is_removable() {
                needed[inst.0 as usize] = true;
                data.args.iter().for_each(|arg| marks.mark(*arg));
            }
        }
        decisions(&func.block(block).terminator, &mut |value| marks.mark(value));
    }
    // Every parameter of the entry stays: they are the function's.
    for &param in &func.block(func.entry).params {
        marks.mark(param);
    }
    let edges = Edges::of(func, &context.graph);
    while let Some(value) = marks.work.pop() {
        match func.def(value) {
            Def::Result(inst, _) => {
                if !core::mem::replace(&mut needed[inst.0 as usize], true) {
                    func.inst(inst).args.iter().for_each(|arg| marks.mark(*arg));
                }
            }
            Def::Param(block, number) => {
                for &edge in edges.to(block) {
                    marks.mark(Edges::arg(func, edge, number));
                }
            }
        }
    }
    sweep(func, context, &marks.live, &needed);
}

struct Marks {
    live: Vec<bool>,
    work: Vec<Value>,
}

impl Marks {
    fn mark(&mut self, value: Value) {
        if !core::mem::replace(&mut self.live[value.0 as usize], true) {
            self.work.push(value);
        }
    }
}

/// Visits what a terminator reads itself.
fn decisions(terminator: &Terminator, visit: &mut dyn FnMut(Value)) {
    match terminator {
        Terminator::Branch { cond, .. } => visit(*cond),
        Terminator::Table { index, .. } => visit(*index),
        Terminator::Return(args)
        | Terminator::TailCall { args, .. }
        | Terminator::Throw { args, .. } => args.iter().for_each(|arg| visit(*arg)),
        Terminator::ThrowRef { exception, .. } => visit(*exception),
        Terminator::Jump(_) | Terminator::Trap(_) | Terminator::Try { .. } | Terminator::None => {}
    }
}

fn sweep(func: &mut Func, context: &Context, live: &[bool], needed: &[bool]) {
    let is_live = |value: Value| live[value.0 as usize];
    for &block in &context.graph.order {
        let mut terminator =
            core::mem::replace(&mut func.block_mut(block).terminator, Terminator::None);
        terminator.edges_mut(&mut |edge| {
            let params = &func.blocks[edge.block.0 as usize].params;
            let mut kept = params.iter().map(|param| is_live(*param));
            edge.args.retain(|_| kept.next() == Some(true));
        });
        func.block_mut(block).terminator = terminator;
    }
    for &block in &context.graph.order {
        let mut params = core::mem::take(&mut func.block_mut(block).params);
        params.retain(|param| is_live(*param));
        for (number, param) in params.iter().enumerate() {
            func.values[param.0 as usize].def = Def::Param(block, number as u32);
        }
        let mut insts = core::mem::take(&mut func.block_mut(block).insts);
        insts.retain(|inst| needed[inst.0 as usize]);
        for inst in &insts {
            let data = func.inst_mut(*inst);
            let product = matches!(data.op, Op::Wide(WideOp::MulWideS | WideOp::MulWideU));
            if product && !is_live(data.results[1]) {
                data.op = Op::Binary(BinaryOp::I64Mul);
                data.results.truncate(1);
            }
        }
        let data = func.block_mut(block);
        data.params = params;
        data.insts = insts;
    }
}
