//! Fuel and epochs: a few instructions each, and the rest behind the function.

use super::asm::{Cond, Rm, at, emit};
use super::integer::Alu;
use super::{INT_SCRATCH, Late, VMCTX};
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use zwasm_regir::{Inst, TrapCode};

impl Compiler<'_> {
    /// Pays, or traps.
    pub(crate) fn fuel(&mut self, cost: u32) {
        let Ok(immediate) = i32::try_from(cost) else {
            return self.call_handler(&Inst::Fuel { cost });
        };
        let layout = self.layout;
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(at(VMCTX, layout.limits as i32))));
        let fuel = Rm::Mem(at(INT_SCRATCH, layout.limits_fuel as i32));
        self.alu_immediate(Alu::Sub, true, fuel, immediate);
        self.trap_if(Cond::Sign, TrapCode::OutOfFuel);
    }

    /// Compares the epoch with the deadline. Where that is reached, the handler is
    /// asked, and the way on finds everything as it was.
    pub(crate) fn epoch(&mut self) {
        let layout = self.layout;
        let limits = self.alloc(Class::Int, None);
        let slow = self.slow(&Inst::Epoch, None);
        emit!(self.asm, movq_rm(limits, Rm::Mem(at(VMCTX, layout.limits as i32))));
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(at(VMCTX, layout.epoch as i32))));
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(at(INT_SCRATCH, 0))));
        let deadline = Rm::Mem(at(limits, layout.limits_epoch_deadline as i32));
        self.alu(Alu::Cmp, true, INT_SCRATCH, deadline);
        self.asm.jcc(Cond::AboveOrEqual, slow.label);
        self.asm.bind(slow.resume);
        self.late.push(Late::Slow(Box::new(slow)));
    }
}
