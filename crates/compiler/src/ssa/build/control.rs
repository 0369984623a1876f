//! Calls, and how blocks end.

use super::Builder;
use super::plan::Code;
use crate::ssa::{Block, Callee, Clause, Edge, Likely, Op, Terminator, Value, Values};
use smallvec::smallvec;
use zwasm_regir::inst::Catch;
use zwasm_regir::types::slots_of;
use zwasm_regir::{Inst as SlotInst, Slot, TrapCode, Type};

impl Builder<'_> {
    /// Adds a call, or what ends a block.
    pub(super) fn leave(&mut self, inst: &SlotInst) {
        match *inst {
            SlotInst::Br { .. } => self.jump(),
            SlotInst::BrIf { cond, negate, .. } => {
                let cond = self.slot(cond, Type::I32);
                let (target, next) = (self.edge(0), self.edge(1));
                let (then, otherwise) = if negate { (next, target) } else { (target, next) };
                let likely = Likely::Unknown;
                self.end(Terminator::Branch { cond, then, otherwise, likely });
            }
            SlotInst::BrTable { .. } if self.successors().len() == 1 => self.jump(),
            SlotInst::BrTable { index, .. } => {
                let index = self.slot(index, Type::I32);
                let edges: Vec<Edge> = (0..self.successors().len()).map(|n| self.edge(n)).collect();
                self.end(Terminator::Table { index, edges });
            }
            SlotInst::Unreachable => self.end(Terminator::Trap(TrapCode::Unreachable)),
            SlotInst::Return => self.end(Terminator::Return(Values::new())),
            SlotInst::ReturnValue { value } => {
                let ty = self.function.results.first().copied().unwrap_or(Type::I64);
                let value = self.operand(value, ty);
                self.end(Terminator::Return(smallvec![value]));
            }
            SlotInst::ReturnSlots { from, .. } => {
                let function = self.function;
                let values = self.slots(from, &function.results);
                self.end(Terminator::Return(values));
            }
            SlotInst::Call { func, base } => {
                self.call(Op::Call { func }, self.env.func_type(func), base, None);
            }
            SlotInst::CallIndirect { ty, table, index, base } => {
                let index = self.operand(index, self.table_index(table));
                self.call(Op::CallIndirect { ty, table }, ty, base, Some(index));
            }
            SlotInst::CallRef { ty, callee, base } => {
                let callee = self.slot(callee, Type::Ref);
                self.call(Op::CallRef { ty }, ty, base, Some(callee));
            }
            SlotInst::ReturnCall { func, base } => {
                self.tail_call(Callee::Direct { func }, self.env.func_type(func), base, None);
            }
            SlotInst::ReturnCallIndirect { ty, table, index, base } => {
                let index = self.operand(index, self.table_index(table));
                self.tail_call(Callee::Indirect { ty, table }, ty, base, Some(index));
            }
            SlotInst::ReturnCallRef { ty, callee, base } => {
                let callee = self.slot(callee, Type::Ref);
                self.tail_call(Callee::Ref { ty }, ty, base, Some(callee));
            }
            SlotInst::Throw { tag, base } => {
                let env = self.env;
                let args = self.slots(base, env.signature(env.tag_type(tag)).params);
                let clauses = self.clauses(0);
                self.end(Terminator::Throw { tag, args, clauses });
            }
            SlotInst::ThrowRef { src } => {
                let exception = self.slot(src, Type::Ref);
                let clauses = self.clauses(0);
                self.end(Terminator::ThrowRef { exception, clauses });
            }
            _ => {}
        }
    }

    fn successors(&self) -> &[u32] {
        let block = &self.plan.blocks[self.block as usize];
        &self.plan.successors[block.successors.clone()]
    }

    /// The edge to a successor; what it passes is found at the end.
    fn edge(&self, number: usize) -> Edge {
        Edge { block: Block(self.successors()[number]), args: Vec::new() }
    }

    pub(super) fn end(&mut self, terminator: Terminator) {
        let block = &mut self.func.blocks[self.block as usize];
        block.terminator = terminator;
        block.source = self.source;
    }

    fn jump(&mut self) {
        self.end(Terminator::Jump(self.edge(0)));
    }

    /// Lets a block that has no end yet go on.
    pub(super) fn end_block(&mut self) {
        if self.func.blocks[self.block as usize].terminator == Terminator::None {
            self.jump();
        }
    }

    /// The clauses whose blocks are the successors from one on.
    fn clauses(&self, from: usize) -> Vec<Clause> {
        let blocks = self.successors()[from..].iter();
        let clause = |&block: &u32| {
            let Code::Landing(index) = self.plan.blocks[block as usize].code else {
                unreachable!("a clause leads to its block");
            };
            let Catch { tag, by_ref, .. } = self.function.catches[index];
            Clause { tag, by_ref, block: Block(block) }
        };
        blocks.map(clause).collect()
    }

    fn call(&mut self, op: Op, ty: u32, base: Slot, callee: Option<Value>) {
        let signature = self.env.signature(ty);
        let mut args = self.slots(base, signature.params);
        args.extend(callee);
        let inst = self.emit(op, args, signature.results);
        self.forget_memories();
        let mut slot = base.0;
        let mut returned = Vec::with_capacity(signature.results.len());
        for (value, ty) in self.func.inst(inst).results.iter().zip(signature.results) {
            returned.push((slot, *value));
            slot += ty.slots();
        }
        if self.successors().len() > 1 && self.at + 1 == self.plan.blocks[self.block as usize].end {
            self.end(Terminator::Try {
                returns: Block(self.successors()[0]),
                clauses: self.clauses(1),
            });
            self.returned = returned;
        } else {
            returned.into_iter().for_each(|(slot, value)| self.define(slot, value));
        }
    }

    fn tail_call(&mut self, callee: Callee, ty: u32, base: Slot, target: Option<Value>) {
        let mut args = self.slots(base, self.env.signature(ty).params);
        args.extend(target);
        self.end(Terminator::TailCall { callee, args });
    }

    /// What a clause's block starts with.
    pub(super) fn landing(&mut self, clause: usize) {
        let catch = self.function.catches[clause];
        let env = self.env;
        let values = catch.tag.map_or(&[][..], |tag| env.signature(env.tag_type(tag)).params);
        let reference = catch.by_ref.then_some(&Type::Ref);
        let mut slot = 0;
        for &ty in values.iter().chain(reference) {
            self.compute(catch.base.0 + slot, Op::Landed(slot), Values::new(), ty);
            slot += ty.slots();
        }
        debug_assert_eq!(slot, slots_of(values) + u32::from(catch.by_ref));
    }
}
