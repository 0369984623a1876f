//! Loads and stores of vectors and lanes.

use crate::asm::Rm;
use crate::baseline::Compiler;
use crate::baseline::select::Address;
use crate::baseline::state::Class;
use crate::isa::x64::Assembler;
use zwasm_regir::Slot;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::LoadOp;

impl Compiler<'_, Assembler> {
    pub(super) fn load_vector(&mut self, op: LoadOp, dst: Slot, from: Address) {
        let Address { addr, mem, offset } = from;
        let src = self.bounded(mem, addr, offset, op.size());
        let reg = self.alloc(Class::Vector, Some(dst.0));
        self.asm.vector_load(op, reg, src);
        self.consume_operand(addr);
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn load_lane(&mut self, width: Width, dst: Slot, a: Slot, lane: u8, from: Address) {
        let Address { addr, mem, offset } = from;
        let src = self.vector_operand(a);
        let place = self.bounded(mem, addr, offset, u64::from(width.bytes()));
        self.consume(a);
        self.consume_operand(addr);
        let reg = self.result(dst);
        self.asm.replace_integer(width, reg, src, Rm::Mem(place), lane);
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn store_lane(&mut self, width: Width, value: Slot, lane: u8, to: Address) {
        let Address { addr, mem, offset } = to;
        let reg = self.vector_operand(value);
        let place = self.bounded_store(mem, addr, offset, u64::from(width.bytes()));
        self.asm.store_lane(width, place, reg, lane);
        self.consume_operand(addr);
        self.consume(value);
    }
}
