//! What selection wants to know of values before it starts, found in one walk forward.

use super::layout::Layout;
use crate::Environment;
use crate::ssa::{Block, Def, Func, Inst, InstData, Op, Value};
use zwasm_regir::{BinaryOp, UnaryOp};

/// Facts about values and instructions.
pub(super) struct Facts {
    /// For each value the one whose register it has.
    root: Vec<Value>,
    /// How often each root is read, up to two; more than once if it is read in a loop that
    /// it comes from outside of.
    uses: Vec<u8>,
    /// Instructions with the same number are in the same block, and nothing that has an
    /// effect stands between them; each such instruction belongs to what is in front.
    region: Vec<u32>,
    /// For each block the region of its end.
    end: Vec<u32>,
}

impl Facts {
    /// Finds them out.
    pub(super) fn of(func: &Func, layout: &Layout, env: &dyn Environment) -> Facts {
        let mut facts = Facts {
            root: (0..func.values.len() as u32).map(Value).collect(),
            uses: vec![0; func.values.len()],
            region: vec![0; func.insts.len()],
            end: vec![0; func.blocks.len()],
        };
        let moves = |mem: u32| env.memory(mem).guard.is_none();
        // Where in the order a value is defined.
        let mut born = vec![0; func.values.len()];
        let mut region = 0;
        for (place, (&block, &head)) in layout.blocks.iter().zip(&layout.heads).enumerate() {
            region += 1;
            func.block(block).params.iter().for_each(|param| born[param.0 as usize] = place as u32);
            for &inst in &func.block(block).insts {
                let data = func.inst(inst);
                let is_effect = !data.op.effects(&moves).is_removable();
                data.results.iter().for_each(|each| born[each.0 as usize] = place as u32);
                match (facts.is_same(func, data), &data.args[..], &data.results[..]) {
                    (true, &[arg, ..], &[result]) => {
                        facts.root[result.0 as usize] = facts.root(arg);
                        if is_effect {
                            facts.count(arg, &born, head);
                        }
                    }
                    (_, args, _) => {
                        args.iter().for_each(|arg| facts.count(*arg, &born, head));
                    }
                }
                facts.region[inst.0 as usize] = region;
                if is_effect {
                    region += 1;
                }
            }
            facts.end[block.0 as usize] = region;
            func.block(block).terminator.args(&mut |value| facts.count(value, &born, head));
        }
        facts
    }

    /// Whether a result is the first argument, in the same register.
    fn is_same(&self, func: &Func, data: &InstData) -> bool {
        match data.op {
            // The upper half of a 32-bit integer's register is zero.
            Op::Unary(UnaryOp::I64ExtendI32U) | Op::RefCast(_) | Op::RefAsNonNull => true,
            Op::Unary(UnaryOp::I32WrapI64) => self.has_zeros_above(func, data.args[0]),
            _ => false,
        }
    }

    /// Whether what defines a number of 64 bits clears the upper half.
    fn has_zeros_above(&self, func: &Func, value: Value) -> bool {
        let Some(data) = func.def_inst(self.root(value)) else { return false };
        let constant = |index: usize| func.constant(self.root(data.args[index]));
        match data.op {
            Op::Binary(BinaryOp::I64ShrU) => constant(1).is_some_and(|count| count & 63 >= 32),
            Op::Binary(BinaryOp::I64And) => constant(1).is_some_and(|mask| mask >> 32 == 0),
            _ => false,
        }
    }

    /// Counts a reader in a loop whose header has a place.
    fn count(&mut self, value: Value, born: &[u32], head: u32) {
        let root = self.root[value.0 as usize].0 as usize;
        let readers = if born[root] < head { 2 } else { 1 };
        self.uses[root] = self.uses[root].saturating_add(readers);
    }

    /// The value whose register a value has.
    pub(super) fn root(&self, value: Value) -> Value {
        self.root[value.0 as usize]
    }

    /// Whether a value is read once.
    pub(super) fn is_single(&self, value: Value) -> bool {
        self.uses[self.root(value).0 as usize] == 1
    }

    /// The region of an instruction.
    pub(super) fn region(&self, inst: Inst) -> u32 {
        self.region[inst.0 as usize]
    }

    /// The region of a block's terminator.
    pub(super) fn end(&self, block: Block) -> u32 {
        self.end[block.0 as usize]
    }

    /// The instruction that defines a value.
    pub(super) fn inst_of(&self, func: &Func, value: Value) -> Option<Inst> {
        match func.def(self.root(value)) {
            Def::Result(inst, _) => Some(inst),
            Def::Param(..) => None,
        }
    }
}
