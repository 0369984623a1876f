//! Vectors: what is the same for every instruction set.

use super::Compiler;
use super::select::{Address, Select};
use super::state::Class;
use crate::asm::Reg;
use crate::isa::Size;
use zwasm_regir::simd::SimdInst;
use zwasm_regir::simd_ops::{LoadOp, SplatOp};
use zwasm_regir::{Inst, Operand, Slot};

impl<A: Select> Compiler<'_, A> {
    pub(crate) fn simd(&mut self, inst: &SimdInst) {
        match *inst {
            SimdInst::Load { mem, offset, .. }
            | SimdInst::LoadLane { mem, offset, .. }
            | SimdInst::Store { mem, offset, .. }
            | SimdInst::StoreLane { mem, offset, .. }
                if self.needs_handler(mem, offset) =>
            {
                self.call_handler(&Inst::Simd(*inst));
            }
            SimdInst::Const { dst, halves } => self.vector_constant(dst, halves),
            SimdInst::Copy { dst, src } => self.vector_copy(dst, src),
            SimdInst::Select { dst, cond, a, b } => {
                self.vector_select(dst, a, b, |this| A::is_set(this, cond));
            }
            SimdInst::GlobalGet { dst, global } => {
                let reg = self.alloc(Class::Vector, Some(dst.0));
                let place = self.global_place(global);
                self.asm.load(reg, place, Size::B16);
                self.define(reg, dst, Class::Vector);
            }
            SimdInst::GlobalSet { global, value } => {
                let reg = self.vector_operand(value);
                let place = self.global_place(global);
                self.asm.store(place, reg, Size::B16);
                self.consume(value);
            }
            SimdInst::Return { value } => {
                let reg = self.vector_operand(value);
                self.store_slot(0, reg, Class::Vector);
                self.leave();
            }
            SimdInst::Unary { op, dst, a } => A::vector_unary(self, op, dst, a),
            SimdInst::Binary { op, dst, a, b } => A::vector_binary(self, op, dst, a, b),
            SimdInst::Ternary { op, dst, a, b, c } => A::vector_ternary(self, op, dst, [a, b, c]),
            SimdInst::Shift { op, dst, a, count } => A::vector_shift(self, op, dst, a, count),
            SimdInst::Test { op, dst, a } => A::vector_test(self, op, dst, a),
            SimdInst::Splat { op, dst, a } => self.splat(op, dst, a),
            SimdInst::Extract { op, dst, a, lane } => A::extract_lane(self, op, dst, a, lane),
            SimdInst::Replace { width, dst, a, value, lane } => {
                A::replace_lane(self, width, dst, a, value, lane);
            }
            SimdInst::Shuffle { dst, a, b, lanes } => A::shuffle(self, dst, a, b, lanes),
            SimdInst::Load { op, dst, addr, mem, offset } => {
                self.vector_load(op, dst, Address { addr, mem, offset });
            }
            SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset } => {
                A::load_lane(self, width, dst, a, lane, Address { addr, mem, offset });
            }
            SimdInst::Store { addr, value, mem, offset } => {
                let reg = self.vector_operand(value);
                let place = self.bounded_store(mem, addr, offset, 16);
                self.asm.store(place, reg, Size::B16);
                self.consume_operand(addr);
                self.consume(value);
            }
            SimdInst::StoreLane { width, value, lane, addr, mem, offset } => {
                A::store_lane(self, width, value, lane, Address { addr, mem, offset });
            }
        }
    }

    /// The vector in a slot, in a register that stays as it is.
    pub(crate) fn vector_operand(&mut self, slot: Slot) -> Reg {
        self.reg(slot.0, Class::Vector)
    }

    fn vector_constant(&mut self, dst: Slot, halves: [u64; 2]) {
        let reg = self.alloc(Class::Vector, Some(dst.0));
        A::vector_constant(self, reg, halves);
        self.define(reg, dst, Class::Vector);
    }

    /// The source may be read again.
    pub(crate) fn vector_copy(&mut self, dst: Slot, src: Slot) {
        let reg = self.vector_operand(src);
        let new = self.alloc(Class::Vector, Some(dst.0));
        self.asm.mov(new, reg);
        self.define(new, dst, Class::Vector);
    }

    /// `condition ? a : b`, after what `condition` emits to decide it.
    pub(crate) fn vector_select(
        &mut self,
        dst: Slot,
        a: Slot,
        b: Slot,
        condition: impl FnOnce(&mut Self) -> A::Condition,
    ) {
        let first = self.vector_operand(a);
        let second = self.vector_operand(b);
        let reg = self.alloc(Class::Vector, None);
        A::choose(self, Class::Vector, reg, first, second, condition);
        self.consume(a);
        self.consume(b);
        self.define(reg, dst, Class::Vector);
    }

    fn splat(&mut self, op: SplatOp, dst: Slot, a: Slot) {
        let Operand::Const(value) = self.resolve(Operand::Slot(a)) else {
            return A::splat(self, op, dst, a);
        };
        self.consume(a);
        let half = match op {
            SplatOp::I8x16Splat => u64::from(value as u8) * 0x0101_0101_0101_0101,
            SplatOp::I16x8Splat => u64::from(value as u16) * 0x0001_0001_0001_0001,
            SplatOp::I32x4Splat | SplatOp::F32x4Splat => u64::from(value as u32) * 0x1_0000_0001,
            SplatOp::I64x2Splat | SplatOp::F64x2Splat => value,
        };
        self.vector_constant(dst, [half; 2]);
    }

    pub(crate) fn vector_load(&mut self, op: LoadOp, dst: Slot, from: Address) {
        A::vector_load(self, op, dst, from);
    }

    /// Compiles two instructions at once, of which the second uses what the first has
    /// just made. Whether it did.
    pub(super) fn simd_pair(&mut self, first: &Inst, second: &Inst) -> bool {
        match (*first, *second) {
            (
                Inst::Compare { op, dst, a, b },
                Inst::Simd(SimdInst::Select { dst: into, cond, a: yes, b: no }),
            ) if cond == dst && self.is_temporary(dst.0) => {
                self.vector_select(into, yes, no, |this| A::condition(this, op, a, b));
            }
            (
                Inst::Load { op, dst, addr, mem, offset },
                Inst::Simd(SimdInst::Splat { op: splat, dst: into, a }),
            ) if a == dst && self.is_temporary(dst.0) && !self.needs_handler(mem, offset) => {
                let Some(op) = splat.of_loaded(op) else { return false };
                self.vector_load(op, into, Address { addr, mem, offset });
            }
            _ => return A::pair(self, first, second),
        }
        true
    }
}
