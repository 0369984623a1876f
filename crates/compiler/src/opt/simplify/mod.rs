//! Simplification of single instructions: constants folded, identities, canonical forms.
//!
//! One walk over all blocks in reverse postorder, so that what an instruction works with
//! has been simplified before. An instruction is replaced by a value that exists already,
//! or becomes another one, with new ones before it where needed, and is looked at again.
//! Rules look at the definitions of arguments, no deeper than a few steps, so that each
//! instruction costs the same. How many bits carry anything ([`Bits`]) is found out on the
//! way.
//!
//! Constants stand on the right, subtraction of a constant is addition, and conditions of
//! selections and branches are what is compared with zero, not the comparison.

mod arithmetic;
mod compare;
mod convert;
mod divide;
mod logic;
mod swap;
#[cfg(feature = "simd")]
mod vector;
mod wide;

use super::aliases::Aliases;
use super::bits::{Bits, Known};
use super::ints::{Int, IntCompare, mask};
use super::{Context, fold};
use crate::ssa::{Block, Edge, Func, Inst, Likely, Op, Terminator, Value, Values};
use crate::tuning;
use smallvec::smallvec;
use zwasm_regir::{BinaryOp, CompareOp, SourceLoc, Type, UnaryOp};

/// What becomes of an instruction.
pub(super) enum Outcome {
    /// It stays as it is.
    Keep,
    /// This value is its result.
    Same(Value),
    /// It does this instead, and is looked at again.
    Become(Op, Values),
}

/// Simplifies a function.
pub(super) fn run(func: &mut Func, context: &Context) {
    let bits = Bits::new(func);
    let mut simplifier = Simplifier {
        func,
        context,
        bits,
        aliases: Aliases::default(),
        out: Vec::new(),
        source: SourceLoc::default(),
    };
    let mut seen = vec![0u32; simplifier.func.blocks.len()];
    for &block in &context.graph.order {
        let all = context.graph.predecessors(block).len() as u32;
        simplifier.block(block, seen[block.0 as usize] == all);
        simplifier.pass_on(block, &mut seen);
    }
    let mut aliases = simplifier.aliases;
    aliases.apply(func);
}

struct Simplifier<'a> {
    func: &'a mut Func,
    context: &'a Context<'a>,
    bits: Bits,
    aliases: Aliases,
    /// The instructions of the block so far.
    out: Vec<Inst>,
    /// Where new ones come from.
    source: SourceLoc,
}

impl Simplifier<'_> {
    fn block(&mut self, block: Block, params_known: bool) {
        if !params_known {
            for index in 0..self.func.block(block).params.len() {
                let param = self.func.block(block).params[index];
                self.bits.forget(param);
            }
        }
        let insts = core::mem::take(&mut self.func.block_mut(block).insts);
        for inst in insts {
            self.inst(inst);
        }
        self.func.block_mut(block).insts = core::mem::take(&mut self.out);
        let mut terminator =
            core::mem::replace(&mut self.func.block_mut(block).terminator, Terminator::None);
        terminator.args_mut(&mut |arg| *arg = self.aliases.get(*arg));
        self.func.block_mut(block).terminator = self.terminator(terminator);
    }

    fn inst(&mut self, inst: Inst) {
        self.source = self.func.inst(inst).source;
        let data = &mut self.func.insts[inst.0 as usize];
        for arg in &mut data.args {
            *arg = self.aliases.get(*arg);
        }
        // Each rule makes an instruction simpler, but nothing depends on that.
        for _ in 0..tuning::SIMPLER {
            match self.simpler(inst) {
                Outcome::Keep => break,
                Outcome::Same(value) => {
                    let result = self.func.inst(inst).results[0];
                    self.aliases.set(result, value);
                    return;
                }
                Outcome::Become(op, args) => {
                    let data = self.func.inst_mut(inst);
                    data.op = op;
                    data.args = args;
                }
            }
        }
        self.bits.define(self.func, &self.func.insts[inst.0 as usize]);
        self.out.push(inst);
    }

    /// What becomes of an instruction by the first rule that fits.
    fn simpler(&mut self, inst: Inst) -> Outcome {
        let data = self.func.inst(inst);
        match data.op {
            Op::Unary(op) => {
                let a = data.args[0];
                self.unary(op, a)
            }
            Op::Binary(op) => {
                let (a, b) = (data.args[0], data.args[1]);
                self.binary(op, a, b)
            }
            Op::Compare(op) => {
                let (a, b) = (data.args[0], data.args[1]);
                self.compare(op, a, b)
            }
            Op::Select => {
                let (cond, a, b) = (data.args[0], data.args[1], data.args[2]);
                self.select(cond, a, b)
            }
            Op::Wide(_) => Outcome::Keep,
            Op::Load(_, access) => {
                let extra = access.checked;
                self.address(inst, access, extra)
            }
            Op::Store(_, access) => {
                let extra = access.checked;
                self.address(inst, access, extra)
            }
            #[cfg(feature = "simd")]
            Op::VectorLoad(_, access)
            | Op::VectorStore(access)
            | Op::LoadLane(_, _, access)
            | Op::StoreLane(_, _, access) => {
                let extra = access.checked;
                self.address(inst, access, extra)
            }
            #[cfg(feature = "simd")]
            Op::Vector(op) => self.vector(op, inst),
            _ => Outcome::Keep,
        }
    }

    /// Notes what the edges of a block pass on.
    fn pass_on(&mut self, block: Block, seen: &mut [u32]) {
        let mut edges = Vec::new();
        let data = self.func.block_mut(block);
        data.terminator.edges_mut(&mut |edge| edges.push(edge.clone()));
        for Edge { block: to, args } in edges {
            // What is passed back comes too late.
            if !self.context.graph.is_before(block, to) {
                continue;
            }
            let block = to;
            seen[block.0 as usize] += 1;
            for (index, arg) in args.into_iter().enumerate() {
                let param = self.func.block(block).params[index];
                self.bits.join(self.func, param, arg);
            }
        }
    }

    /// Adds an instruction with one result before the one looked at.
    fn emit(&mut self, op: Op, args: Values, ty: Type) -> Value {
        let inst = self.func.add_inst(op, args, &[ty], self.source);
        self.bits.define(self.func, &self.func.insts[inst.0 as usize]);
        self.out.push(inst);
        self.func.inst(inst).results[0]
    }

    fn emit_const(&mut self, ty: Type, bits: u64) -> Value {
        self.emit(Op::Const(bits & mask(ty)), Values::new(), ty)
    }

    fn emit_unary(&mut self, op: UnaryOp, a: Value) -> Value {
        if let Some(bits) = self.constant(a).and_then(|a| fold::unary(op, a)) {
            return self.emit(Op::Const(bits), Values::new(), op.result());
        }
        self.emit(Op::Unary(op), smallvec![a], op.result())
    }

    fn emit_binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Value {
        if let (Some(x), Some(y)) = (self.constant(a), self.constant(b))
            && let Some(bits) = fold::binary(op, x, y)
        {
            return self.emit(Op::Const(bits), Values::new(), op.result());
        }
        self.emit(Op::Binary(op), smallvec![a, b], op.result())
    }

    /// A constant instead of an instruction.
    fn become_const(&self, ty: Type, bits: u64) -> Outcome {
        Outcome::Become(Op::Const(bits & mask(ty)), Values::new())
    }

    fn become_binary(&self, op: Int, ty: Type, a: Value, b: Value) -> Outcome {
        Outcome::Become(Op::Binary(op.on(ty)), smallvec![a, b])
    }

    /// The same with a constant on the right.
    fn become_with(&mut self, op: Int, ty: Type, a: Value, bits: u64) -> Outcome {
        let b = self.emit_const(ty, bits);
        self.become_binary(op, ty, a, b)
    }

    fn become_unary(&self, op: UnaryOp, a: Value) -> Outcome {
        Outcome::Become(Op::Unary(op), smallvec![a])
    }

    fn constant(&self, value: Value) -> Option<u64> {
        self.func.constant(value)
    }

    fn known(&self, value: Value) -> Known {
        self.bits.of(self.func, value)
    }

    /// The op and operands that a value is of, if they are integers.
    fn as_int(&self, value: Value) -> Option<(Int, Value, Value)> {
        let inst = self.func.def_inst(value)?;
        match inst.op {
            Op::Binary(op) => Some((Int::of(op)?.0, inst.args[0], inst.args[1])),
            _ => None,
        }
    }

    /// The op, left operand and right constant that a value is of.
    fn as_int_by_const(&self, value: Value) -> Option<(Int, Value, u64)> {
        let (op, a, b) = self.as_int(value)?;
        Some((op, a, self.constant(b)?))
    }

    fn as_unary(&self, value: Value) -> Option<(UnaryOp, Value)> {
        let inst = self.func.def_inst(value)?;
        match inst.op {
            Op::Unary(op) => Some((op, inst.args[0])),
            _ => None,
        }
    }

    fn as_compare(&self, value: Value) -> Option<(CompareOp, Value, Value)> {
        let inst = self.func.def_inst(value)?;
        match inst.op {
            Op::Compare(op) => Some((op, inst.args[0], inst.args[1])),
            _ => None,
        }
    }

    /// What is not zero when a condition is not, and whether it is the other way round:
    /// comparisons with zero say nothing more.
    fn truth(&self, mut cond: Value) -> (Value, bool) {
        let mut negated = false;
        for _ in 0..tuning::SIMPLER {
            let Some((op, a, b)) = self.as_compare(cond) else { break };
            if self.constant(b) != Some(0) {
                break;
            }
            match IntCompare::of(op) {
                Some((IntCompare::Eq, Type::I32)) => negated = !negated,
                Some((IntCompare::Ne, Type::I32)) => {}
                _ => break,
            }
            cond = a;
        }
        (cond, negated)
    }

    fn select(&mut self, cond: Value, a: Value, b: Value) -> Outcome {
        if a == b {
            return Outcome::Same(a);
        }
        if let Some(cond) = self.constant(cond) {
            return Outcome::Same(if cond as u32 != 0 { a } else { b });
        }
        let (root, negated) = self.truth(cond);
        if root != cond {
            let (a, b) = if negated { (b, a) } else { (a, b) };
            return Outcome::Become(Op::Select, smallvec![root, a, b]);
        }
        let ty = self.func.ty(a);
        if !matches!(ty, Type::I32 | Type::I64) {
            return Outcome::Keep;
        }
        match (self.constant(a), self.constant(b)) {
            (Some(1), Some(0)) => self.become_flag(CompareOp::I32Ne, cond, ty),
            (Some(0), Some(1)) => self.become_flag(CompareOp::I32Eq, cond, ty),
            (Some(x), Some(y)) if x == y => Outcome::Same(a),
            _ => Outcome::Keep,
        }
    }

    /// What compares a condition with zero, in an integer type.
    fn become_flag(&mut self, op: CompareOp, cond: Value, ty: Type) -> Outcome {
        let zero = self.emit_const(Type::I32, 0);
        if ty == Type::I32 {
            return Outcome::Become(Op::Compare(op), smallvec![cond, zero]);
        }
        let flag = self.emit(Op::Compare(op), smallvec![cond, zero], Type::I32);
        self.become_unary(UnaryOp::I64ExtendI32U, flag)
    }

    fn terminator(&mut self, terminator: Terminator) -> Terminator {
        match terminator {
            Terminator::Branch { cond, then, otherwise, likely } => {
                if let Some(cond) = self.constant(cond) {
                    return Terminator::Jump(if cond as u32 != 0 { then } else { otherwise });
                }
                if then == otherwise {
                    return Terminator::Jump(then);
                }
                let (cond, negated) = self.truth(cond);
                if negated {
                    let likely = match likely {
                        Likely::Unknown => Likely::Unknown,
                        Likely::Then => Likely::Otherwise,
                        Likely::Otherwise => Likely::Then,
                    };
                    return Terminator::Branch { cond, then: otherwise, otherwise: then, likely };
                }
                Terminator::Branch { cond, then, otherwise, likely }
            }
            Terminator::Table { index, mut edges } => {
                if let Some(index) = self.constant(index) {
                    let last = edges.len() - 1;
                    let index = last.min(index as u32 as usize);
                    return Terminator::Jump(edges.swap_remove(index));
                }
                // Those before the last one that go where it goes say nothing.
                while edges.len() > 1 && edges[edges.len() - 2] == edges[edges.len() - 1] {
                    edges.pop();
                }
                if edges.len() == 1 {
                    return Terminator::Jump(edges.swap_remove(0));
                }
                if edges.len() == 2 {
                    let otherwise = edges.swap_remove(1);
                    let then = edges.swap_remove(0);
                    // The first is for zero.
                    return Terminator::Branch {
                        cond: index,
                        then: otherwise,
                        otherwise: then,
                        likely: Likely::Unknown,
                    };
                }
                Terminator::Table { index, edges }
            }
            other => other,
        }
    }
}
