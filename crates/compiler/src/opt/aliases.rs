//! Values that stand for others: what a pass has found to be the same.
//!
//! A pass that walks blocks in reverse postorder sees each definition before its uses, but
//! for those that back edges pass. It asks here for each argument, and has the rest
//! rewritten in one sweep at its end.

use crate::ssa::{Func, Value};

/// For each value the one that stands for it.
#[derive(Default)]
pub(super) struct Aliases {
    /// The value itself where nothing else is known; those beyond the end as well.
    to: Vec<Value>,
    any: bool,
}

impl Aliases {
    /// Has `value` stand for `gone`, which is used nowhere from then on.
    pub(super) fn set(&mut self, gone: Value, value: Value) {
        let value = self.get(value);
        if value == gone {
            return;
        }
        let needed = gone.0.max(value.0) as usize + 1;
        self.to.extend((self.to.len()..needed).map(|number| Value(number as u32)));
        self.to[gone.0 as usize] = value;
        self.any = true;
    }

    /// The value that stands for one.
    pub(super) fn get(&mut self, value: Value) -> Value {
        let next = |aliases: &Aliases, value: Value| {
            aliases.to.get(value.0 as usize).copied().unwrap_or(value)
        };
        let mut root = value;
        while next(self, root) != root {
            root = next(self, root);
        }
        // What was found is found at once the next time.
        let mut at = value;
        while at != root {
            let after = next(self, at);
            self.to[at.0 as usize] = root;
            at = after;
        }
        root
    }

    /// Rewrites all uses.
    pub(super) fn apply(&mut self, func: &mut Func) {
        if !self.any {
            return;
        }
        for inst in &mut func.insts {
            for arg in &mut inst.args {
                *arg = self.get(*arg);
            }
        }
        for block in &mut func.blocks {
            block.terminator.args_mut(&mut |arg| *arg = self.get(*arg));
        }
    }
}
