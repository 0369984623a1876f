//! Scalar loads and stores.

use super::asm::{Rm, emit};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
use zwasm_regir::{Inst, LoadOp, Operand, Slot, StoreOp};

impl Compiler<'_> {
    pub(crate) fn load(&mut self, op: LoadOp, dst: Slot, addr: Operand, mem: u32, offset: u64) {
        if self.needs_handler(mem, offset) {
            return self.call_handler(&Inst::Load { op, dst, addr, mem, offset });
        }
        let place = self.bounded(mem, addr, offset, op.size());
        let src = Rm::Mem(place);
        let class = match op {
            LoadOp::F32Load | LoadOp::F64Load => Class::Float,
            _ => Class::Int,
        };
        // The address may be loaded into itself.
        let reg = match addr {
            Operand::Slot(slot)
                if class == Class::Int && (slot == dst || self.is_temporary(slot.0)) =>
            {
                match self.state.location(slot.0) {
                    Location::Reg(reg) if !reg.is_vector() => {
                        self.state.release(reg);
                        reg
                    }
                    _ => self.alloc(class, Some(dst.0)),
                }
            }
            _ => self.alloc(class, Some(dst.0)),
        };
        use LoadOp::*;
        match op {
            I32Load | I64Load32U => emit!(self.asm, movl_rm(reg, src)),
            I64Load => emit!(self.asm, movq_rm(reg, src)),
            F32Load => emit!(self.asm, movss_a_m(reg, place)),
            F64Load => emit!(self.asm, movsd_a_m(reg, place)),
            I32Load8S => emit!(self.asm, movsbl_rm(reg, src)),
            I32Load8U | I64Load8U => emit!(self.asm, movzbl_rm(reg, src)),
            I32Load16S => emit!(self.asm, movswl_rm(reg, src)),
            I32Load16U | I64Load16U => emit!(self.asm, movzwl_rm(reg, src)),
            I64Load8S => emit!(self.asm, movsbq_rm(reg, src)),
            I64Load16S => emit!(self.asm, movswq_rm(reg, src)),
            I64Load32S => emit!(self.asm, movslq_rm(reg, src)),
        }
        self.consume_operand(addr);
        self.define(reg, dst, class);
    }

    pub(crate) fn store(
        &mut self,
        op: StoreOp,
        addr: Operand,
        value: Operand,
        mem: u32,
        offset: u64,
    ) {
        if self.needs_handler(mem, offset) {
            return self.call_handler(&Inst::Store { op, addr, value, mem, offset });
        }
        let narrow = |value: u64| match op {
            StoreOp::I64Store | StoreOp::F64Store => i32::try_from(value as i64).ok(),
            _ => Some(value as u32 as i32),
        };
        let constant = match self.resolve(value) {
            Operand::Const(value) => narrow(value),
            Operand::Slot(_) => None,
        };
        let reg = match constant {
            Some(_) => None,
            // A float computed in a vector register is stored from there.
            None => Some(match (self.resolve(value), op) {
                (Operand::Slot(slot), StoreOp::F32Store | StoreOp::F64Store) => {
                    match self.state.location(slot.0) {
                        Location::Reg(reg) if !reg.is_vector() => self.reg(slot.0, Class::Int),
                        _ => self.reg(slot.0, Class::Float),
                    }
                }
                _ => self.operand(value, Class::Int),
            }),
        };
        let place = self.bounded(mem, addr, offset, op.size());
        let dst = Rm::Mem(place);
        use StoreOp::*;
        match (reg, constant) {
            (None, constant) => {
                let value = constant.unwrap_or(0);
                match op {
                    I32Store8 | I64Store8 => emit!(self.asm, movb_mi(dst, value as u8)),
                    I32Store16 | I64Store16 => emit!(self.asm, movw_mi(dst, value as u16)),
                    I32Store | F32Store | I64Store32 => emit!(self.asm, movl_mi(dst, value as u32)),
                    I64Store | F64Store => emit!(self.asm, movq_mi_sxl(dst, value)),
                }
            }
            (Some(reg), _) if reg.is_vector() => match op {
                F32Store => emit!(self.asm, movss_c_m(place, reg)),
                _ => emit!(self.asm, movsd_c_m(place, reg)),
            },
            (Some(reg), _) => match op {
                I32Store8 | I64Store8 => emit!(self.asm, movb_mr(dst, reg)),
                I32Store16 | I64Store16 => emit!(self.asm, movw_mr(dst, reg)),
                I32Store | F32Store | I64Store32 => emit!(self.asm, movl_mr(dst, reg)),
                I64Store | F64Store => emit!(self.asm, movq_mr(dst, reg)),
            },
        }
        self.consume_operand(addr);
        self.consume_operand(value);
    }
}
