//! Loads and stores of vectors and lanes.

use super::vector::{OnOne, elem};
use crate::asm::{Mem, Reg};
use crate::baseline::Compiler;
use crate::baseline::select::Address;
use crate::baseline::state::Class;
use crate::isa::aarch64::regs::{Elem, Lanes};
use crate::isa::aarch64::{Assembler, vec};
use crate::isa::{Primitives, Size};
use zwasm_regir::Slot;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::LoadOp;

impl Compiler<'_, Assembler> {
    pub(super) fn load_vector(&mut self, op: LoadOp, dst: Slot, from: Address) {
        let Address { addr, mem, offset } = from;
        let place = self.bounded(mem, addr, offset, op.size());
        let reg = self.alloc(Class::Vector, Some(dst.0));
        use LoadOp::*;
        match op {
            V128Load | V128Load32Zero | V128Load64Zero => {
                self.asm.load(reg, place, Size::of(op.size()));
            }
            V128Load8x8S => self.load_extended(vec::sxtl, Lanes::B8, reg, place),
            V128Load8x8U => self.load_extended(vec::uxtl, Lanes::B8, reg, place),
            V128Load16x4S => self.load_extended(vec::sxtl, Lanes::H4, reg, place),
            V128Load16x4U => self.load_extended(vec::uxtl, Lanes::H4, reg, place),
            V128Load32x2S => self.load_extended(vec::sxtl, Lanes::S2, reg, place),
            V128Load32x2U => self.load_extended(vec::uxtl, Lanes::S2, reg, place),
            V128Load8Splat => self.load_splat(Lanes::B16, reg, place),
            V128Load16Splat => self.load_splat(Lanes::H8, reg, place),
            V128Load32Splat => self.load_splat(Lanes::S4, reg, place),
            V128Load64Splat => self.load_splat(Lanes::D2, reg, place),
        }
        self.consume_operand(addr);
        self.define(reg, dst, Class::Vector);
    }

    fn load_extended(&mut self, extend: OnOne, lanes: Lanes, reg: Reg, place: Mem) {
        self.asm.load(reg, place, Size::B8);
        self.asm.emit(extend(lanes, reg, reg));
    }

    fn load_splat(&mut self, lanes: Lanes, reg: Reg, place: Mem) {
        let address = self.asm.address(place);
        self.asm.emit(vec::ld1r(lanes, reg, address));
    }

    pub(super) fn load_lane(&mut self, width: Width, dst: Slot, a: Slot, lane: u8, from: Address) {
        let Address { addr, mem, offset } = from;
        self.vector_operand(a);
        let place = self.bounded(mem, addr, offset, u64::from(width.bytes()));
        self.consume_operand(addr);
        let reg = self.vector_over(dst, a);
        let address = self.asm.address(place);
        self.asm.emit(vec::ld1_lane(elem(width), reg, lane, address));
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn store_lane(&mut self, width: Width, value: Slot, lane: u8, to: Address) {
        let Address { addr, mem, offset } = to;
        let reg = self.vector_operand(value);
        let place = self.bounded_store(mem, addr, offset, u64::from(width.bytes()));
        let elem = elem(width);
        if lane == 0 {
            let size = match elem {
                Elem::B => Size::B1,
                Elem::H => Size::B2,
                Elem::S => Size::B4,
                Elem::D => Size::B8,
            };
            self.asm.store(place, reg, size);
        } else {
            let address = self.asm.address(place);
            self.asm.emit(vec::st1_lane(elem, reg, lane, address));
        }
        self.consume_operand(addr);
        self.consume(value);
    }
}
