//! Leaves out parameters that are passed the same value by all edges, or themselves, and
//! gives those that stay to the edges.
//!
//! Whether one is left out may depend on another that is looked at later, if a loop leads
//! back; so all are looked at again, a few times. What is left then is correct, and rare.

use super::Builder;
use crate::ssa::{Block, Def, Terminator, Value};
use crate::tuning;
use zwasm_regir::work;

impl Builder<'_> {
    /// Sets the parameters of blocks and what edges pass.
    pub(super) fn set_params(&mut self) {
        let mut replaced = self.replaced();
        let phis = core::mem::take(&mut self.variables.phis);
        let passed = core::mem::take(&mut self.variables.passed);
        // By block: the parameters that stay, with where what they are passed begins.
        let mut params: Vec<Vec<(Value, usize)>> = vec![Vec::new(); self.plan.blocks.len()];
        let mut first = 0;
        for phi in &phis {
            if replaced[phi.value.0 as usize] == phi.value {
                params[phi.block as usize].push((phi.value, first));
            }
            first += self.plan.blocks[phi.block as usize].predecessors.len();
        }
        // By block that control comes from: what it passes to which. A table has thousands of
        // edges, so each block's are looked at once, and not for each block that they lead to.
        let mut args: Vec<Vec<(Block, Vec<Value>)>> = vec![Vec::new(); self.plan.blocks.len()];
        for (number, params) in params.into_iter().enumerate() {
            let block = Block(number as u32);
            if block == self.func.entry {
                continue;
            }
            // Those that are replaced are among them so far.
            self.func.blocks[number].params = params.iter().map(|(value, _)| *value).collect();
            if params.is_empty() {
                continue;
            }
            for (index, from) in self.plan.blocks[number].predecessors.iter().enumerate() {
                work::count(params.len());
                let passes =
                    params.iter().map(|(_, first)| find(&mut replaced, passed[first + index]));
                args[*from as usize].push((block, passes.collect()));
            }
            for (index, (value, _)) in params.iter().enumerate() {
                self.func.values[value.0 as usize].def = Def::Param(block, index as u32);
            }
        }
        for (from, args) in self.func.blocks.iter_mut().zip(args) {
            if args.is_empty() {
                continue;
            }
            from.terminator.edges_mut(&mut |edge| {
                work::count(1);
                if let Ok(at) = args.binary_search_by_key(&edge.block.0, |(to, _)| to.0) {
                    edge.args = args[at].1.clone();
                }
            });
        }
        self.replace(&mut replaced);
    }

    /// For each value the one that it is replaced by, or itself.
    fn replaced(&self) -> Vec<Value> {
        let mut replaced: Vec<Value> = (0..self.func.values.len() as u32).map(Value).collect();
        for _ in 0..tuning::PARAM_ROUNDS {
            let mut first = 0;
            let mut changed = false;
            for phi in &self.variables.phis {
                let end = first + self.plan.blocks[phi.block as usize].predecessors.len();
                work::count(end - first);
                let passed = &self.variables.passed[first..end];
                first = end;
                if replaced[phi.value.0 as usize] != phi.value {
                    continue;
                }
                let mut only = None;
                let differ = passed.iter().any(|value| {
                    let value = find(&mut replaced, *value);
                    value != phi.value && *only.get_or_insert(value) != value
                });
                if let (false, Some(only)) = (differ, only) {
                    replaced[phi.value.0 as usize] = only;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        replaced
    }

    /// Replaces what is read.
    fn replace(&mut self, replaced: &mut [Value]) {
        if self.func.values.len()
            == replaced
                .iter()
                .enumerate()
                .filter(|(index, value)| value.0 as usize == *index)
                .count()
        {
            return;
        }
        for inst in &mut self.func.insts {
            inst.args.iter_mut().for_each(|arg| *arg = find(replaced, *arg));
        }
        for block in &mut self.func.blocks {
            if let Terminator::Jump(_) = block.terminator {
                // What edges pass is replaced already.
                continue;
            }
            block.terminator.args_mut(&mut |arg| *arg = find(replaced, *arg));
        }
    }
}

/// The value that one is replaced by in the end; the way there gets shorter.
fn find(replaced: &mut [Value], value: Value) -> Value {
    let mut value = value;
    loop {
        let next = replaced[value.0 as usize];
        if next == value {
            return value;
        }
        let after = replaced[next.0 as usize];
        replaced[value.0 as usize] = after;
        value = after;
    }
}
