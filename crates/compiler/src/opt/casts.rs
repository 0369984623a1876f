//! Casts, tests and null checks whose answer is known: by what made the reference, by a
//! cast or access that comes first on every way, by a branch.
//!
//! One walk over the dominator tree, which forgets what it has learnt in a subtree when it
//! leaves that. A cast that stays is a check and nothing more: what it gives is what it was
//! given, so that an object has one name whatever it has been cast to.

use super::Context;
use super::aliases::Aliases;
use crate::ssa::{Block, Func, Inst, InstData, Op, Terminator, Value};
use crate::{Environment, HeapType};
use zwasm_regir::CompareOp;
use zwasm_regir::gc::{GcOp, HeapTarget, RefTarget};

pub(super) fn run(func: &mut Func, context: &Context) {
    let asks = |inst: &InstData| {
        matches!(inst.op, Op::RefTest(_) | Op::RefCast(_) | Op::RefAsNonNull | Op::ArrayLen)
    };
    if !func.insts.iter().any(asks) {
        return;
    }
    let mut pass = Casts {
        env: context.env,
        facts: vec![Fact::default(); func.values.len()],
        undo: Vec::new(),
        aliases: Aliases::default(),
        func,
    };
    let mut open: Vec<(Block, usize)> = Vec::new();
    for &block in &context.graph.tree {
        while let Some(&(above, len)) = open.last()
            && !context.graph.dominates(above, block)
        {
            open.pop();
            for (value, fact) in pass.undo.drain(len..).rev() {
                pass.facts[value.0 as usize] = fact;
            }
        }
        open.push((block, pass.undo.len()));
        if let &[from] = context.graph.predecessors(block) {
            pass.decided(from, block);
        }
        let mut insts = core::mem::take(&mut pass.func.block_mut(block).insts);
        insts.retain(|inst| pass.stays(*inst));
        pass.func.block_mut(block).insts = insts;
    }
    let mut aliases = pass.aliases;
    aliases.apply(func);
}

/// What is known of a reference.
#[derive(Clone, Copy, Default)]
struct Fact {
    non_null: bool,
    /// What it refers to, if to anything.
    heap: Option<HeapTarget>,
    /// Whether that is no subtype of it.
    exact: bool,
}

struct Casts<'a> {
    env: &'a dyn Environment,
    func: &'a mut Func,
    facts: Vec<Fact>,
    /// What was known before, in the order of the walk.
    undo: Vec<(Value, Fact)>,
    aliases: Aliases,
}

impl Casts<'_> {
    fn learn(&mut self, value: Value, fact: Fact) {
        let before = core::mem::replace(&mut self.facts[value.0 as usize], fact);
        self.undo.push((value, before));
    }

    fn learn_non_null(&mut self, value: Value) {
        let fact = self.facts[value.0 as usize];
        if !fact.non_null {
            self.learn(value, Fact { non_null: true, ..fact });
        }
    }

    /// A reference has passed a check.
    fn learn_passed(&mut self, value: Value, target: RefTarget) {
        let mut fact = self.facts[value.0 as usize];
        fact.non_null |= !target.nullable;
        // What is known is kept if it says more.
        if !fact.heap.is_some_and(|heap| self.implies(heap, target.heap)) {
            fact.heap = Some(target.heap);
            fact.exact = false;
        }
        self.learn(value, fact);
    }

    /// Whether whatever one target is, the other one is, too.
    fn implies(&self, sub: HeapTarget, sup: HeapTarget) -> bool {
        let kind = |ty: u32| self.env.heap_type(ty);
        match (sub, sup) {
            (HeapTarget::Bottom, _) | (_, HeapTarget::Top) => true,
            (HeapTarget::Type(sub), HeapTarget::Type(sup)) => self.env.is_subtype(sub, sup),
            (HeapTarget::Type(ty), HeapTarget::Eq) => !kind(ty).is_func,
            (HeapTarget::Type(ty), HeapTarget::Struct) => {
                matches!(kind(ty), HeapType { is_func: false, is_array: false, .. })
            }
            (HeapTarget::Type(ty), HeapTarget::Array) => kind(ty).is_array,
            (HeapTarget::I31 | HeapTarget::Struct | HeapTarget::Array, HeapTarget::Eq) => true,
            _ => sub == sup,
        }
    }

    /// Whether a reference passes a check, if that is known.
    fn answer(&self, value: Value, target: RefTarget) -> Option<bool> {
        if self.func.constant(value) == Some(0) {
            return Some(target.nullable);
        }
        let fact = self.facts[value.0 as usize];
        let is = match fact.heap {
            Some(heap) => self.implies(heap, target.heap),
            None => target.heap == HeapTarget::Top,
        };
        match is {
            true => (target.nullable || fact.non_null).then_some(true),
            false => (fact.exact && fact.non_null).then_some(false),
        }
    }

    /// Learns what a branch from one block to another has decided.
    fn decided(&mut self, from: Block, to: Block) {
        let Terminator::Branch { cond, ref then, .. } = self.func.block(from).terminator else {
            return;
        };
        let is_then = then.block == to;
        let Some(data) = self.func.def_inst(cond) else { return };
        let reference = |index: usize| data.args.get(index).copied();
        match (data.op, reference(0)) {
            (Op::RefTest(target), Some(value)) => match is_then {
                true => self.learn_passed(value, target),
                false if target.nullable => self.learn_non_null(value),
                false => {}
            },
            (Op::Compare(op @ (CompareOp::I64Eq | CompareOp::I64Ne)), Some(value)) => {
                let null = reference(1).and_then(|other| self.func.constant(other)) == Some(0);
                if null && is_then == (op == CompareOp::I64Ne) {
                    self.learn_non_null(value);
                }
            }
            _ => {}
        }
    }

    /// Looks at an instruction; whether it stays.
    fn stays(&mut self, inst: Inst) -> bool {
        let data = &mut self.func.insts[inst.0 as usize];
        for arg in &mut data.args {
            *arg = self.aliases.get(*arg);
        }
        let (op, first) = (data.op, data.args.first().copied());
        let result = data.results.first().copied();
        match (op, first) {
            (Op::RefCast(target), Some(value)) => return self.check(inst, value, target),
            (Op::RefAsNonNull, Some(value)) => {
                let target = RefTarget { nullable: false, heap: HeapTarget::Top };
                return self.check(inst, value, target);
            }
            (Op::RefTest(target), Some(value)) => {
                if let Some(passes) = self.answer(value, target) {
                    let data = self.func.inst_mut(inst);
                    data.op = Op::Const(passes.into());
                    data.args.clear();
                }
            }
            (Op::Compare(op @ (CompareOp::I64Eq | CompareOp::I64Ne)), Some(value)) => {
                let null = self.func.constant(self.func.inst(inst).args[1]) == Some(0);
                if null && self.facts[value.0 as usize].non_null {
                    let data = self.func.inst_mut(inst);
                    data.op = Op::Const((op == CompareOp::I64Ne).into());
                    data.args.clear();
                }
            }
            (Op::ArrayLen, Some(value)) => {
                if let Some(length) = self.made_length(value) {
                    let data = self.func.inst_mut(inst);
                    match length {
                        Ok(length) => {
                            let result = data.results[0];
                            self.aliases.set(result, length);
                            return false;
                        }
                        Err(count) => {
                            data.op = Op::Const(count.into());
                            data.args.clear();
                        }
                    }
                } else {
                    self.learn_non_null(value);
                }
            }
            (Op::StructGet { ty, .. } | Op::StructSet { ty, .. }, Some(value))
            | (Op::ArrayGet { ty, .. } | Op::ArraySet { ty }, Some(value)) => {
                let heap = HeapTarget::Type(ty);
                self.learn_passed(value, RefTarget { nullable: false, heap });
            }
            (Op::I31Get(_), Some(value)) => self.learn_non_null(value),
            (Op::I31New, _) => self.made(result, HeapTarget::I31, true),
            (Op::RefFunc(func), _) => {
                self.made(result, HeapTarget::Type(self.env.func_type(func)), false);
            }
            (Op::Gc(op), _) => {
                if let Some(ty) = made_type(op) {
                    self.made(result, HeapTarget::Type(ty), true);
                }
            }
            _ => {}
        }
        true
    }

    /// Learns of what has just been made.
    fn made(&mut self, result: Option<Value>, heap: HeapTarget, exact: bool) {
        if let Some(value) = result {
            self.learn(value, Fact { non_null: true, heap: Some(heap), exact });
        }
    }

    /// Looks at a cast; whether it stays.
    fn check(&mut self, inst: Inst, value: Value, target: RefTarget) -> bool {
        let result = self.func.inst(inst).results[0];
        self.aliases.set(result, value);
        match self.answer(value, target) {
            Some(true) => false,
            Some(false) | None => {
                self.learn_passed(value, target);
                true
            }
        }
    }

    /// How long an array is, if what makes it is known: a value, or a number.
    fn made_length(&self, array: Value) -> Option<Result<Value, u32>> {
        let data = self.func.def_inst(array)?;
        match data.op {
            Op::Gc(GcOp::ArrayNew { .. }) => Some(Ok(data.args[1])),
            Op::Gc(GcOp::ArrayNewDefault { .. }) => Some(Ok(data.args[0])),
            Op::Gc(GcOp::ArrayNewFixed { count, .. }) => Some(Err(count)),
            Op::Gc(GcOp::ArrayNewData { .. } | GcOp::ArrayNewElem { .. }) => Some(Ok(data.args[1])),
            _ => None,
        }
    }
}

/// The type of the object that an op makes.
fn made_type(op: GcOp) -> Option<u32> {
    match op {
        GcOp::StructNew { ty }
        | GcOp::StructNewDefault { ty }
        | GcOp::ArrayNew { ty }
        | GcOp::ArrayNewDefault { ty }
        | GcOp::ArrayNewFixed { ty, .. }
        | GcOp::ArrayNewData { ty, .. }
        | GcOp::ArrayNewElem { ty, .. } => Some(ty),
        GcOp::ArrayFill { .. }
        | GcOp::ArrayCopy { .. }
        | GcOp::ArrayInitData { .. }
        | GcOp::ArrayInitElem { .. } => None,
    }
}
