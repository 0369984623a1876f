//! Fuel and epochs: a few instructions each, and the rest behind the function.
//!
//! Code that pays fuel keeps what is left in a register of its own, which is right
//! throughout. The word in the store's limits may be stale; whoever leaves the code writes
//! it, and whoever comes in reads it. At labels it is taken for stale, so that the ways to
//! them need not agree.

use super::Compiler;
use super::late::Late;
use super::select::Select;
use super::state::Class;
use crate::asm::{Rm, at};
use crate::isa::{Relation, Size};
use zwasm_regir::Inst;

impl<A: Select> Compiler<'_, A> {
    /// Pays. If that is more than is active, the runtime says whether the code goes on, which
    /// then finds all registers as they were, and the fuel that is active now.
    pub(crate) fn fuel(&mut self, cost: u32) {
        let is_negative = self.asm.pay(A::FUEL, cost);
        self.fuel_is_stale = true;
        let (label, resume) = (self.asm.new_label(), self.asm.new_label());
        self.asm.jump_if(is_negative, label);
        self.asm.bind(resume);
        self.late.push(Late::Fuel { label, resume });
    }

    /// Reads what is left, in code that pays; the scratch register is overwritten.
    pub(crate) fn load_fuel(&mut self) {
        if self.metered {
            let layout = self.layout;
            self.asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.limits as i32), Size::B8);
            let fuel = at(A::INT_SCRATCH, layout.limits_fuel as i32);
            self.asm.load(A::FUEL, fuel, Size::B8);
            self.fuel_is_stale = false;
        }
    }

    /// Writes what is left, in code that pays; the scratch register is overwritten.
    pub(crate) fn store_fuel(&mut self) {
        if self.metered {
            let layout = self.layout;
            self.asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.limits as i32), Size::B8);
            let fuel = at(A::INT_SCRATCH, layout.limits_fuel as i32);
            self.asm.store(fuel, A::FUEL, Size::B8);
        }
    }

    /// The same, where the code is gone through in order.
    pub(crate) fn bring_fuel(&mut self) {
        if self.fuel_is_stale {
            self.store_fuel();
            self.fuel_is_stale = false;
        }
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
