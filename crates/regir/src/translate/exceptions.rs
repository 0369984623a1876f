//! Exceptions: throws, and tries with their catch clauses.
//!
//! A `try_table` is a block whose body lies between two markers. A clause is a
//! branch that only the unwinder takes: it writes the values into the canonical
//! slots of the clause's label and continues there. Nothing has to be moved
//! before, because opening the block brought the operands below into their
//! slots and locals are always in theirs; so a try costs nothing until
//! something is thrown.

use super::control::Kind;
use super::{Malformed, Result, Translator};
use crate::inst::{Catch, Inst, Label, Slot, Try};
use crate::opcodes::immediates::{BlockType, Catches, Clause};
use crate::types::slots_of;

impl Translator<'_> {
    pub(super) fn throw(&mut self, tag: u32) -> Result<()> {
        let params = self.types.signature(self.types.tag_type(tag)).params.len();
        let base = self.consecutive(params)?;
        self.emit(Inst::Throw { tag, base });
        self.reachable = false;
        Ok(())
    }

    pub(super) fn throw_ref(&mut self) -> Result<()> {
        let src = self.pop_slot()?;
        self.emit(Inst::ThrowRef { src });
        self.reachable = false;
        Ok(())
    }

    pub(super) fn try_table(&mut self, ty: BlockType, catches: Catches) -> Result<()> {
        let first = self.function.catches.len() as u32;
        for clause in catches.clauses(&self.body.reader) {
            let catch = self.catch(clause)?;
            self.function.catches.push(catch);
        }
        let count = self.function.catches.len() as u32 - first;
        let region = self.function.tries.len() as u32;
        let parent = self.region.replace(region);
        self.function.tries.push(Try { parent, first, count });
        self.open(Kind::Try(region), ty)?;
        self.emit(Inst::TryBegin { region });
        Ok(())
    }

    pub(super) fn end_try(&mut self, region: u32) {
        self.emit(Inst::TryEnd { region });
        self.region = self.function.tries[region as usize].parent;
    }

    fn catch(&mut self, clause: Clause) -> Result<Catch> {
        let Clause { tag, by_ref, depth } = clause;
        let target = self.target(depth)?;
        let (target, base) = if self.controls[target].kind == Kind::Function {
            (self.returning(), self.function.frame.stack)
        } else {
            let control = &mut self.controls[target];
            control.branched = true;
            (control.label, control.slot)
        };
        Ok(Catch { tag, by_ref, target, base: Slot(base) })
    }

    /// The label behind which the function returns what was caught.
    fn returning(&mut self) -> Label {
        match self.caught_return {
            Some(label) => label,
            None => {
                let results = slots_of(self.controls[0].signature.results());
                let label = self.new_label(self.function.frame.stack + results);
                self.caught_return = Some(label);
                label
            }
        }
    }

    /// Returns what clauses that leave the function have put on an empty stack.
    pub(super) fn land_returns(&mut self) -> Result<()> {
        let Some(label) = self.caught_return else { return Ok(()) };
        self.place(label);
        let signature = self.controls.first().ok_or(Malformed)?.signature;
        self.high = self.high.max(self.function.frame.stack + slots_of(signature.results()));
        self.reset_stack(0, signature.results());
        self.emit_return()
    }
}
