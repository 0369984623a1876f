//! Vectors: operands and results, moves, and what leads to and from scalars.
//!
//! Arithmetic is in [`super::vector_ops`], lanes' orders in [`super::vector_shuffle`],
//! memory in [`super::vector_memory`]. An op that reads its operands for the last time when
//! it writes the result takes that's register from [`Compiler::result`], which may be an
//! operand's; others get one of their own.

use crate::asm::{Reg, Rm};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location, RegSet};
use crate::isa::x64::vector_lanes::{is_flag, splats_float};
use crate::isa::x64::vector_ops::One;
use crate::isa::x64::{Assembler, Condition};
use zwasm_regir::simd::{SimdInst, Width};
use zwasm_regir::simd_ops::{ExtractOp, LoadOp, SplatOp, TestOp};
use zwasm_regir::{Inst, Operand, Slot, Type};

impl Compiler<'_, Assembler> {
    /// Compiles two instructions at once, of which the second uses what the first
    /// leaves in the flags, or loads. Whether it did.
    pub(super) fn pair(&mut self, first: &Inst, second: &Inst) -> bool {
        match (*first, *second) {
            (Inst::Simd(SimdInst::Test { op, dst, a }), Inst::BrIf { cond, negate, target })
                if cond == dst && self.is_temporary(dst.0) && is_flag(op) =>
            {
                let condition = self.flag_test(op, a);
                self.branch_if(if negate { !condition } else { condition }, target);
            }
            (
                Inst::Simd(SimdInst::Test { op, dst, a }),
                Inst::Select { dst: into, cond, a: yes, b: no, .. },
            ) if cond == dst && self.is_temporary(dst.0) && is_flag(op) => {
                self.select(into, yes, no, |this| this.flag_test(op, a));
            }
            (
                Inst::Simd(SimdInst::Load { op: LoadOp::V128Load, dst, addr, mem, offset }),
                Inst::Simd(SimdInst::Binary { op, dst: into, a, b }),
            ) if self.asm.features.avx
                && self.is_temporary(dst.0)
                && !self.needs_handler(mem, offset) =>
            {
                return self.binary_with_loaded(op, into, [a, b], dst, |this| {
                    let place = this.bounded(mem, addr, offset, 16);
                    this.consume_operand(addr);
                    place
                });
            }
            _ => return false,
        }
        true
    }

    /// A vector for the last operand of an instruction. Without VEX, instructions
    /// read only aligned memory.
    pub(super) fn vector_rm(&mut self, slot: Slot) -> Rm {
        let in_frame = |slot| self.state.location(slot) == Location::Frame;
        if self.asm.features.avx
            && self.is_temporary(slot.0)
            && in_frame(slot.0)
            && in_frame(slot.0 + 1)
        {
            return self.slot_rm(slot.0);
        }
        self.vector_operand(slot).into()
    }

    /// A register for the result of the last instruction of an op: all operands
    /// have been asked for, and the result may be put over one of them.
    pub(super) fn result(&mut self, dst: Slot) -> Reg {
        self.state.locked = RegSet::default();
        self.alloc(Class::Vector, Some(dst.0))
    }

    /// An op on two vectors by one instruction.
    pub(super) fn in_one(&mut self, dst: Slot, a: Slot, b: Slot, one: One) {
        let One { inst, imm, swapped } = one;
        let (a, b) = if swapped { (b, a) } else { (a, b) };
        let first = self.vector_operand(a);
        let second = self.vector_rm(b);
        self.consume(a);
        self.consume(b);
        // Without VEX the first operand is overwritten, and the second must not be.
        let reg = match second {
            Rm::Reg(second) if !self.asm.features.avx && second != first => {
                self.state.locked = RegSet::default();
                self.state.lock(second);
                self.alloc(Class::Vector, Some(dst.0))
            }
            _ => self.result(dst),
        };
        self.asm.three_operands(inst, reg, first, second, imm);
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn constant_in(&mut self, reg: Reg, halves: [u64; 2]) {
        self.asm.vector_constant(reg, halves);
    }

    /// The result of an op that leaves its operand as it is.
    pub(super) fn unchanged(&mut self, dst: Slot, a: Slot) {
        if self.is_temporary(a.0) {
            let reg = self.vector_operand(a);
            return self.define(reg, dst, Class::Vector);
        }
        self.vector_copy(dst, a);
    }

    /// Emits a test that is a flag, and says which.
    fn flag_test(&mut self, op: TestOp, a: Slot) -> Condition {
        let reg = self.vector_operand(a);
        self.consume(a);
        Condition::Flag(self.asm.vector_flag(op, reg))
    }

    pub(super) fn vector_test(&mut self, op: TestOp, dst: Slot, a: Slot) {
        if is_flag(op) {
            let condition = self.flag_test(op, a);
            let reg = self.alloc(Class::Int, Some(dst.0));
            self.asm.set(condition, reg);
            return self.define(reg, dst, Class::Int);
        }
        let src = self.vector_operand(a);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.asm.vector_bitmask(op, reg, src);
        self.define(reg, dst, Class::Int);
    }

    pub(super) fn splat_slot(&mut self, op: SplatOp, dst: Slot, a: Slot) {
        let reg = if splats_float(op) {
            let src = self.reg(a.0, Class::Float);
            self.consume(a);
            let reg = self.result(dst);
            self.asm.splat_float(op, reg, src);
            reg
        } else {
            let src = self.rm(a.0, Class::Int);
            self.consume(a);
            let reg = self.alloc(Class::Vector, Some(dst.0));
            self.asm.splat_integer(op, reg, src);
            reg
        };
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn extract_lane(&mut self, op: ExtractOp, dst: Slot, a: Slot, lane: u8) {
        let src = self.vector_operand(a);
        self.consume(a);
        if matches!(op.result(), Type::F32 | Type::F64) {
            let reg = self.result(dst);
            self.asm.extract_float(op, reg, src, lane);
            return self.define(reg, dst, Class::Float);
        }
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.asm.extract_integer(op, reg, src, lane);
        self.define(reg, dst, Class::Int);
    }

    pub(super) fn replace_lane(&mut self, width: Width, dst: Slot, a: Slot, value: Slot, lane: u8) {
        let src = self.vector_operand(a);
        let in_vector = matches!(
            self.state.location(value.0),
            Location::Reg(reg) if reg.is_vector() && matches!(width, Width::B32 | Width::B64)
        );
        if in_vector {
            let lane_src = self.reg(value.0, Class::Float);
            self.consume(a);
            self.consume(value);
            let reg = self.alloc(Class::Vector, Some(dst.0));
            self.asm.replace_float(width, reg, src, lane_src, lane);
            return self.define(reg, dst, Class::Vector);
        }
        let lane_src = Rm::Reg(self.operand(Operand::Slot(value), Class::Int));
        self.consume(a);
        self.consume(value);
        let reg = self.result(dst);
        self.asm.replace_integer(width, reg, src, lane_src, lane);
        self.define(reg, dst, Class::Vector);
    }
}
