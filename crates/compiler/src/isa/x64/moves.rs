//! Moving values between registers, slots and constants.

use super::asm::{Mem, Reg, Rm, at, emit};
use super::{FRAME, INT_SCRATCH};
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::tuning::MOVES_INLINE;

/// A slot of the frame.
pub(super) fn slot(slot: u32) -> Mem {
    // A frame has at most 2^27 slots.
    at(FRAME, (slot * 8) as i32)
}

impl Class {
    /// Some register of the class, for code that is thrown away.
    pub(crate) fn any(self) -> Reg {
        match self {
            Class::Int => super::INT_REGS[0],
            Class::Float | Class::Vector => super::FLOAT_REGS[0],
        }
    }
}

impl Compiler<'_> {
    pub(crate) fn slot_operand(&self, index: u32) -> Rm {
        slot(index).into()
    }

    /// Copies a register, from one file to the other if need be.
    pub(crate) fn move_reg(&mut self, dst: Reg, src: Reg) {
        match (dst.is_vector(), src.is_vector()) {
            (false, false) => emit!(self.asm, movq_mr(Rm::Reg(dst), src)),
            (true, true) => emit!(self.asm, movaps_a(dst, Rm::Reg(src))),
            (true, false) => emit!(self.asm, movq_a(dst, Rm::Reg(src))),
            (false, true) => emit!(self.asm, movq_b(Rm::Reg(dst), src)),
        }
    }

    pub(crate) fn load_slot(&mut self, reg: Reg, index: u32, class: Class) {
        let mem = slot(index);
        match class {
            Class::Int => emit!(self.asm, movq_rm(reg, Rm::Mem(mem))),
            Class::Float => emit!(self.asm, movsd_a_m(reg, mem)),
            Class::Vector => emit!(self.asm, movups_a(reg, Rm::Mem(mem))),
        }
    }

    pub(crate) fn store_slot(&mut self, index: u32, reg: Reg, class: Class) {
        let mem = slot(index);
        match class {
            Class::Int => emit!(self.asm, movq_mr(Rm::Mem(mem), reg)),
            Class::Float => emit!(self.asm, movsd_c_m(mem, reg)),
            Class::Vector => emit!(self.asm, movups_b(Rm::Mem(mem), reg)),
        }
    }

    /// Loads a constant; the flags stay as they are.
    pub(crate) fn load_constant(&mut self, reg: Reg, value: u64) {
        if reg.is_vector() {
            if value == 0 {
                emit!(self.asm, xorps_a(reg, Rm::Reg(reg)));
            } else {
                self.load_constant(INT_SCRATCH, value);
                self.move_reg(reg, INT_SCRATCH);
            }
        } else if let Ok(value) = u32::try_from(value) {
            emit!(self.asm, movl_oi(reg, value));
        } else if let Ok(value) = i32::try_from(value as i64) {
            emit!(self.asm, movq_mi_sxl(Rm::Reg(reg), value));
        } else {
            emit!(self.asm, movabsq_oi(reg, value));
        }
    }

    /// Writes a constant to a slot; the flags stay as they are.
    pub(crate) fn store_constant(&mut self, index: u32, value: u64) {
        match i32::try_from(value as i64) {
            Ok(value) => emit!(self.asm, movq_mi_sxl(Rm::Mem(slot(index)), value)),
            Err(_) => {
                self.load_constant(INT_SCRATCH, value);
                emit!(self.asm, movq_mr(Rm::Mem(slot(index)), INT_SCRATCH));
            }
        }
    }

    /// Copies `count` slots from `from` down to `dst`. One by one: they were just written
    /// one by one, and a wider load would have to wait for that.
    pub(crate) fn move_slots(&mut self, dst: u32, from: u32, count: u32) {
        if count <= MOVES_INLINE {
            for index in 0..count {
                self.load_slot(INT_SCRATCH, from + index, Class::Int);
                self.store_slot(dst + index, INT_SCRATCH, Class::Int);
            }
            return;
        }
        // The index runs from below zero to the end of the slots.
        let value = super::FLOAT_SCRATCH;
        let behind = |first: u32| {
            let disp = ((first + count) * 8) as i32;
            Mem { base: FRAME, index: Some((INT_SCRATCH, 3)), disp }
        };
        let top = self.asm.new_label();
        emit!(self.asm, movq_mi_sxl(Rm::Reg(INT_SCRATCH), -(count as i32)));
        self.asm.bind(top);
        emit!(self.asm, movsd_a_m(value, behind(from)));
        emit!(self.asm, movsd_c_m(behind(dst), value));
        emit!(self.asm, addq_mi_sxl(Rm::Reg(INT_SCRATCH), 1i32));
        self.asm.jcc(super::asm::Cond::NotEqual, top);
    }

    /// Clears `count` slots.
    pub(crate) fn zero_slots(&mut self, from: u32, count: u32) {
        if count <= 2 {
            for index in from..from + count {
                emit!(self.asm, movq_mi_sxl(Rm::Mem(slot(index)), 0i32));
            }
            return;
        }
        let zero = super::FLOAT_SCRATCH;
        emit!(self.asm, xorps_a(zero, Rm::Reg(zero)));
        if count > 64 {
            // A loop: the counter runs from the end of the slots to their start.
            let top = self.asm.new_label();
            let even = count & !1;
            emit!(self.asm, movl_oi(INT_SCRATCH, even * 8));
            self.asm.bind(top);
            let mem =
                Mem { base: FRAME, index: Some((INT_SCRATCH, 0)), disp: (from * 8) as i32 - 16 };
            emit!(self.asm, movups_b(Rm::Mem(mem), zero));
            emit!(self.asm, subq_mi_sxl(Rm::Reg(INT_SCRATCH), 16i32));
            self.asm.jcc(super::asm::Cond::NotEqual, top);
        } else {
            for index in (from..from + (count & !1)).step_by(2) {
                emit!(self.asm, movups_b(Rm::Mem(slot(index)), zero));
            }
        }
        if count & 1 != 0 {
            emit!(self.asm, movsd_c_m(slot(from + count - 1), zero));
        }
    }
}
