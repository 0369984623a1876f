//! Instructions that the interpreter's handlers execute, on a scratch frame at the top of
//! the value stack: its first word is the runtime's, and the slots follow.

use super::{Inst, Select};
use crate::CompileError;
use crate::lower::Scratch;
use crate::lower::machine::{Flow, read_in, write_early};
use crate::ssa::{Clause, Handler, InstData, Value};
use zwasm_regir::{Inst as SlotInst, Operand as SlotOperand, Slot, Type};

use crate::tuning::MAX_SCRATCH_SLOTS;

use super::regs::{all_but, preg};
use crate::isa::Primitives;
use crate::isa::x64::Assembler;

impl Select<'_> {
    /// The number of the threaded code of an instruction.
    pub(super) fn scratch(&mut self, inst: &SlotInst, slots: u32) -> u32 {
        let threaded = self.env.threaded_on_scratch(inst, slots);
        self.scratches.push(Scratch { threaded });
        self.scratches.len() as u32 - 1
    }

    /// Stores values to the slots of a scratch frame, and puts the instruction that
    /// leaves.
    fn leave_with(
        &mut self,
        inst: &SlotInst,
        slots: u32,
        args: &[Value],
        put: impl FnOnce(&mut Self, u32, regalloc2::Operand),
    ) {
        if slots > MAX_SCRATCH_SLOTS {
            self.failed = Some(CompileError::Unsupported);
            return;
        }
        self.calls = true;
        let code = self.scratch(inst, slots);
        let values: Vec<_> = args.iter().map(|arg| (*arg, self.reg(*arg))).collect();
        let frame = self.value_top();
        // Behind the first word.
        let mut slot = 1;
        for (value, reg) in values {
            self.store_slot(frame, slot, value, reg);
            slot += self.func.ty(value).slots();
        }
        put(self, code, read_in(frame, preg(Assembler::FRAME)));
    }

    pub(super) fn handler(&mut self, handler: Handler, data: &InstData) {
        self.run_handler(&handler.inst, handler.slots, &data.args);
        if data.results.iter().any(|result| self.is_read(*result)) {
            let frame = self.value_top();
            let mut slot = 1;
            for &result in &data.results {
                if self.is_read(result) {
                    self.load_slot(frame, slot, result);
                }
                slot += self.func.ty(result).slots();
            }
        }
    }

    /// Executes an instruction whose operands are in the slots from the first on.
    pub(super) fn run_handler(&mut self, inst: &SlotInst, slots: u32, args: &[Value]) {
        self.leave_with(inst, slots, args, |select, code, frame| {
            select.put_as(Inst::Handler { code }, Flow::Next, &[frame], all_but(0, 0));
        });
    }

    /// Throws, with the clauses around.
    fn throw_with(
        &mut self,
        place: usize,
        inst: &SlotInst,
        slots: u32,
        args: &[Value],
        clauses: &[Clause],
    ) {
        let (flow, clauses) = if clauses.is_empty() {
            (Flow::Leave, None)
        } else {
            (Flow::Branch, Some(self.clauses(place, clauses)))
        };
        self.leave_with(inst, slots, args, |select, code, frame| {
            select.put_as(Inst::Throw { code, clauses }, flow, &[frame], all_but(0, 0));
        });
    }

    pub(super) fn throw(&mut self, place: usize, tag: u32, args: &[Value], clauses: &[Clause]) {
        let slots = self.env.frame(self.env.tag_type(tag)).params;
        let inst = SlotInst::Throw { tag, base: Slot(0) };
        self.throw_with(place, &inst, slots, args, clauses);
    }

    pub(super) fn throw_ref(&mut self, place: usize, exception: Value, clauses: &[Clause]) {
        self.throw_with(place, &SlotInst::ThrowRef { src: Slot(0) }, 1, &[exception], clauses);
    }

    /// The value of an exception that has been caught.
    pub(super) fn landed(&mut self, slot: u32, data: &InstData) {
        let frame = self.value_top();
        self.load_slot(frame, slot, data.results[0]);
    }

    /// Sets an element of a table of functions, whose record has to be looked up.
    pub(super) fn function_to_table(&mut self, table: u32, data: &InstData) {
        let [index, value] = [0, 1].map(|slot| SlotOperand::Slot(Slot(slot)));
        self.run_handler(&SlotInst::TableSet { index, value, table }, 2, &data.args);
    }

    /// Compares the epoch with the deadline.
    pub(super) fn epoch(&mut self) {
        self.calls = true;
        let code = self.scratch(&SlotInst::Epoch, 0);
        let limits = self.fresh(Type::I64);
        self.put(Inst::Epoch { code }, &[write_early(limits)]);
    }
}
