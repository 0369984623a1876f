//! Fuel and epochs: a few instructions each, and the rest behind the function.

use super::Compiler;
use super::late::Late;
use super::select::Select;
use super::state::Class;
use crate::asm::{Rm, at};
use crate::isa::{Relation, Size};
use zwasm_regir::{Inst, TrapCode};

impl<A: Select> Compiler<'_, A> {
    /// Pays, or traps.
    pub(crate) fn fuel(&mut self, cost: u32) {
        let Ok(immediate) = i32::try_from(cost) else {
            return self.call_handler(&Inst::Fuel { cost });
        };
        let layout = self.layout;
        self.asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.limits as i32), Size::B8);
        let fuel = at(A::INT_SCRATCH, layout.limits_fuel as i32);
        let is_negative = self.asm.charge(fuel, immediate);
        self.trap_if(is_negative, TrapCode::OutOfFuel);
    }

    /// Compares the epoch with the deadline. Where that is reached, the handler is
    /// asked, and the way on finds everything as it was.
    pub(crate) fn epoch(&mut self) {
        let layout = self.layout;
        let limits = self.alloc(Class::Int, None);
        let slow = self.slow(&Inst::Epoch, None);
        self.asm.load(limits, at(A::VMCTX, layout.limits as i32), Size::B8);
        self.asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.epoch as i32), Size::B8);
        self.asm.load(A::INT_SCRATCH, at(A::INT_SCRATCH, 0), Size::B8);
        let deadline = Rm::Mem(at(limits, layout.limits_epoch_deadline as i32));
        let condition = self.asm.compare(Relation::AboveOrEqual, true, A::INT_SCRATCH, deadline);
        self.asm.jump_if(condition, slow.label);
        self.asm.bind(slow.resume);
        self.late.push(Late::Slow(Box::new(slow)));
    }
}
