//! Loads and stores of vectors and lanes.

use super::vector::elem;
use crate::baseline::Compiler;
use crate::baseline::select::Address;
use crate::baseline::state::Class;
use crate::isa::aarch64::regs::{Elem, Lanes};
use crate::isa::aarch64::{Assembler, vec};
use crate::isa::{Primitives, Size};
use zwasm_regir::Slot;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::LoadOp;

/// What becomes of the bytes that a load reads.
enum Form {
    /// They are the vector, or its lower lanes; zeros follow.
    Whole(Size),
    /// Eight bytes are extended with their signs.
    Signed(Lanes),
    /// Eight bytes are extended with zeros.
    Unsigned(Lanes),
    /// They become all lanes.
    Splat(Lanes),
}

fn form(op: LoadOp) -> Form {
    use Form::*;
    use LoadOp::*;
    match op {
        V128Load => Whole(Size::B16),
        V128Load8x8S => Signed(Lanes::B8),
        V128Load8x8U => Unsigned(Lanes::B8),
        V128Load16x4S => Signed(Lanes::H4),
        V128Load16x4U => Unsigned(Lanes::H4),
        V128Load32x2S => Signed(Lanes::S2),
        V128Load32x2U => Unsigned(Lanes::S2),
        V128Load8Splat => Splat(Lanes::B16),
        V128Load16Splat => Splat(Lanes::H8),
        V128Load32Splat => Splat(Lanes::S4),
        V128Load64Splat => Splat(Lanes::D2),
        V128Load32Zero => Whole(Size::B4),
        V128Load64Zero => Whole(Size::B8),
    }
}

impl Form {
    /// How many bytes are read.
    fn bytes(&self) -> u64 {
        match self {
            Form::Whole(Size::B1) => 1,
            Form::Whole(Size::B2) => 2,
            Form::Whole(Size::B4) => 4,
            Form::Whole(Size::B8) | Form::Signed(_) | Form::Unsigned(_) => 8,
            Form::Whole(Size::B16) => 16,
            Form::Splat(lanes) => u64::from(lanes.elem().bits() / 8),
        }
    }
}

impl Compiler<'_, Assembler> {
    pub(super) fn load_vector(&mut self, op: LoadOp, dst: Slot, from: Address) {
        let Address { addr, mem, offset } = from;
        let form = form(op);
        let place = self.bounded(mem, addr, offset, form.bytes());
        let reg = self.alloc(Class::Vector, Some(dst.0));
        match form {
            Form::Whole(size) => self.asm.load(reg, place, size),
            Form::Signed(lanes) => {
                self.asm.load(reg, place, Size::B8);
                self.asm.emit(vec::sxtl(lanes, reg, reg));
            }
            Form::Unsigned(lanes) => {
                self.asm.load(reg, place, Size::B8);
                self.asm.emit(vec::uxtl(lanes, reg, reg));
            }
            Form::Splat(lanes) => {
                let address = self.asm.address(place);
                self.asm.emit(vec::ld1r(lanes, reg, address));
            }
        }
        self.consume_operand(addr);
        self.define(reg, dst, Class::Vector);
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
