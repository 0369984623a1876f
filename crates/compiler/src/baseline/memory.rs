//! Scalar loads and stores.

use super::Compiler;
use super::select::Select;
use super::state::{Class, Location};
use crate::isa::Size;
use zwasm_regir::{Inst, LoadOp, Operand, Slot, StoreOp};

impl<A: Select> Compiler<'_, A> {
    pub(crate) fn load(&mut self, op: LoadOp, dst: Slot, addr: Operand, mem: u32, offset: u64) {
        if self.needs_handler(mem, offset) {
            return self.call_handler(&Inst::Load { op, dst, addr, mem, offset });
        }
        let place = self.bounded(mem, addr, offset, op.size());
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
            I32Load8S => self.asm.load_signed(reg, place, Size::B1, false),
            I32Load16S => self.asm.load_signed(reg, place, Size::B2, false),
            I64Load8S => self.asm.load_signed(reg, place, Size::B1, true),
            I64Load16S => self.asm.load_signed(reg, place, Size::B2, true),
            I64Load32S => self.asm.load_signed(reg, place, Size::B4, true),
            I32Load | I64Load | F32Load | F64Load | I32Load8U | I32Load16U | I64Load8U
            | I64Load16U | I64Load32U => self.asm.load(reg, place, Size::of(op.size())),
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
        let size = Size::of(op.size());
        let constant = match self.resolve(value) {
            Operand::Const(value) => Some(value).filter(|value| self.asm.can_store(*value, size)),
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
        let place = self.bounded_store(mem, addr, offset, op.size());
        match (reg, constant) {
            (Some(reg), _) => self.asm.store(place, reg, size),
            (None, constant) => self.asm.store_constant(place, constant.unwrap_or(0), size),
        }
        self.consume_operand(addr);
        self.consume_operand(value);
    }
}
