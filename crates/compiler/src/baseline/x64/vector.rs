//! Vectors: operands and results, moves, and what leads to and from scalars.
//!
//! Arithmetic is in [`super::vector_ops`], lanes' orders in [`super::vector_shuffle`],
//! memory in [`super::vector_memory`]. An op whose code is a single instruction takes
//! its result's register from [`Compiler::result`], which may be an operand's;
//! longer sequences get one of their own, or keep what is in between in the scratch
//! register and end with such an instruction.

use crate::asm::{Reg, Rm};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location, RegSet};
use crate::isa::x64::vector::*;
use crate::isa::x64::{Assembler, Cond, Condition, FLOAT_SCRATCH, INT_SCRATCH, emit};
use crate::isa::{Alu, Primitives};
use zwasm_regir::simd::{SimdInst, Width};
use zwasm_regir::simd_ops::{ExtractOp, LoadOp, SplatOp, TestOp};
use zwasm_regir::{Inst, Operand, Slot};

impl Compiler<'_, Assembler> {
    /// Compiles two instructions at once, of which the second uses what the first
    /// leaves in the flags, or loads. Whether it did.
    pub(super) fn pair(&mut self, first: &Inst, second: &Inst) -> bool {
        match (*first, *second) {
            (Inst::Simd(SimdInst::Test { op, dst, a }), Inst::BrIf { cond, negate, target })
                if cond == dst && self.is_temporary(dst.0) && is_flag(op) =>
            {
                let condition = Condition::Flag(self.flag_test(op, a));
                self.branch_if(if negate { !condition } else { condition }, target);
            }
            (
                Inst::Simd(SimdInst::Test { op, dst, a }),
                Inst::Select { dst: into, cond, a: yes, b: no },
            ) if cond == dst && self.is_temporary(dst.0) && is_flag(op) => {
                self.select(into, yes, no, |this| Condition::Flag(this.flag_test(op, a)));
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
    pub(super) fn in_one(&mut self, dst: Slot, a: Slot, b: Slot, inst: Vector, imm: Option<u8>) {
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

    /// A literal as an operand.
    pub(super) fn literal(&mut self, halves: [u64; 2]) -> Rm {
        self.asm.literal(halves).into()
    }

    /// A literal of equal halves.
    pub(super) fn literal64(&mut self, half: u64) -> Rm {
        self.literal([half; 2])
    }

    /// A literal of equal 32-bit lanes.
    pub(super) fn literal32(&mut self, lane: u32) -> Rm {
        self.literal64(u64::from(lane) * 0x1_0000_0001)
    }

    /// A literal of equal 16-bit lanes.
    pub(super) fn literal16(&mut self, lane: u16) -> Rm {
        self.literal32(u32::from(lane) * 0x1_0001)
    }

    /// A literal of equal bytes.
    pub(super) fn literal8(&mut self, lane: u8) -> Rm {
        self.literal16(u16::from(lane) * 0x101)
    }

    /// Clears a register.
    pub(super) fn clear(&mut self, reg: Reg) {
        self.asm.v3(PXOR, reg, reg, reg);
    }

    pub(super) fn constant_in(&mut self, reg: Reg, halves: [u64; 2]) {
        match halves {
            [0, 0] => self.clear(reg),
            [u64::MAX, u64::MAX] => self.asm.v3(PCMPEQD, reg, reg, reg),
            _ => {
                let literal = self.literal(halves);
                self.asm.v2(MOVAPS, reg, literal);
            }
        }
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
    fn flag_test(&mut self, op: TestOp, a: Slot) -> Cond {
        let reg = self.vector_operand(a);
        self.consume(a);
        let equal = match op {
            TestOp::I8x16AllTrue => PCMPEQB,
            TestOp::I16x8AllTrue => PCMPEQW,
            TestOp::I32x4AllTrue => PCMPEQD,
            TestOp::I64x2AllTrue => PCMPEQQ,
            _ => {
                self.asm.v2(PTEST, reg, reg);
                return Cond::NotEqual;
            }
        };
        let zero = FLOAT_SCRATCH;
        self.clear(zero);
        self.asm.v3(equal, zero, zero, reg);
        self.asm.v2(PTEST, zero, zero);
        Cond::Equal
    }

    pub(super) fn vector_test(&mut self, op: TestOp, dst: Slot, a: Slot) {
        if is_flag(op) {
            let cond = self.flag_test(op, a);
            let reg = self.alloc(Class::Int, Some(dst.0));
            self.asm.setcc(cond, reg);
            emit!(self.asm, movzbl_rm(reg, Rm::Reg(reg)));
            return self.define(reg, dst, Class::Int);
        }
        let src = self.vector_operand(a);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        match op {
            TestOp::I8x16Bitmask => self.asm.v2(PMOVMSKB, reg, src),
            TestOp::I32x4Bitmask => self.asm.v2(MOVMSKPS, reg, src),
            TestOp::I64x2Bitmask => self.asm.v2(MOVMSKPD, reg, src),
            // The signs survive the saturation.
            _ => {
                self.asm.v3(PACKSSWB, FLOAT_SCRATCH, src, src);
                self.asm.v2(PMOVMSKB, reg, FLOAT_SCRATCH);
                emit!(self.asm, movzbl_rm(reg, Rm::Reg(reg)));
            }
        }
        self.define(reg, dst, Class::Int);
    }

    pub(super) fn splat_slot(&mut self, op: SplatOp, dst: Slot, a: Slot) {
        if matches!(op, SplatOp::F32x4Splat | SplatOp::F64x2Splat) {
            let src = self.reg(a.0, Class::Float);
            self.consume(a);
            let reg = self.result(dst);
            match op {
                SplatOp::F32x4Splat => self.asm.v3i(SHUFPS, reg, src, src, 0),
                _ => self.asm.v2(MOVDDUP, reg, src),
            }
            return self.define(reg, dst, Class::Vector);
        }
        let src = self.rm(a.0, Class::Int);
        self.consume(a);
        let reg = self.alloc(Class::Vector, Some(dst.0));
        match op {
            SplatOp::I64x2Splat => self.asm.v2(MOVQ, reg, src),
            _ => self.asm.v2(MOVD, reg, src),
        }
        self.broadcast_low(op, reg);
        self.define(reg, dst, Class::Vector);
    }

    /// Copies the lowest lane to all others.
    pub(super) fn broadcast_low(&mut self, op: SplatOp, reg: Reg) {
        match op {
            SplatOp::I8x16Splat if self.asm.features.avx2 => self.asm.v2(VPBROADCASTB, reg, reg),
            SplatOp::I16x8Splat if self.asm.features.avx2 => self.asm.v2(VPBROADCASTW, reg, reg),
            SplatOp::I8x16Splat => {
                self.clear(FLOAT_SCRATCH);
                self.asm.v3(PSHUFB, reg, reg, FLOAT_SCRATCH);
            }
            SplatOp::I16x8Splat => {
                self.asm.v2i(PSHUFLW, reg, reg, 0);
                self.asm.v2i(PSHUFD, reg, reg, 0);
            }
            SplatOp::I32x4Splat | SplatOp::F32x4Splat => self.asm.v2i(PSHUFD, reg, reg, 0),
            SplatOp::I64x2Splat | SplatOp::F64x2Splat => self.asm.v2i(PSHUFD, reg, reg, 0x44),
        }
    }

    pub(super) fn extract_lane(&mut self, op: ExtractOp, dst: Slot, a: Slot, lane: u8) {
        use ExtractOp::*;
        let src = self.vector_operand(a);
        self.consume(a);
        if let F32x4ExtractLane | F64x2ExtractLane = op {
            let reg = self.result(dst);
            match (op, lane) {
                // The lane comes first, and the others become zero.
                (F32x4ExtractLane, lane) => self.asm.v3i(INSERTPS, reg, src, src, lane << 6 | 0xE),
                (_, 0) if reg == src => {}
                (_, 0) => self.asm.mov(reg, src),
                _ => self.asm.v2i(PSHUFD, reg, src, 0xEE),
            }
            return self.define(reg, dst, Class::Float);
        }
        let reg = self.alloc(Class::Int, Some(dst.0));
        match op {
            I8x16ExtractLaneS | I8x16ExtractLaneU => self.asm.v2i(PEXTRB, src, reg, lane),
            I16x8ExtractLaneS | I16x8ExtractLaneU => self.asm.v2i(PEXTRW, src, reg, lane),
            I64x2ExtractLane if lane == 0 => self.asm.v2(MOVQ_STORE, src, reg),
            I64x2ExtractLane => self.asm.v2i(PEXTRQ, src, reg, lane),
            _ if lane == 0 => self.asm.v2(MOVD_STORE, src, reg),
            _ => self.asm.v2i(PEXTRD, src, reg, lane),
        }
        match op {
            I8x16ExtractLaneS => emit!(self.asm, movsbl_rm(reg, Rm::Reg(reg))),
            I16x8ExtractLaneS => emit!(self.asm, movswl_rm(reg, Rm::Reg(reg))),
            _ => {}
        }
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
            match (width, lane) {
                (Width::B32, _) => self.asm.v3i(INSERTPS, reg, src, lane_src, lane << 4),
                (_, 0) => self.asm.v3(MOVSD, reg, src, lane_src),
                _ => self.asm.v3(UNPCKLPD, reg, src, lane_src),
            }
            return self.define(reg, dst, Class::Vector);
        }
        let lane_src = Rm::Reg(self.operand(Operand::Slot(value), Class::Int));
        self.consume(a);
        self.consume(value);
        let reg = self.result(dst);
        self.asm.v3i(insert(width), reg, src, lane_src, lane);
        self.define(reg, dst, Class::Vector);
    }

    /// A shift's count in the low half of the scratch register: `count % width`,
    /// plus `more`.
    pub(super) fn shift_count(&mut self, count: Operand, width: u32, more: u32) {
        let reg = self.operand(count, Class::Int);
        emit!(self.asm, movl_rm(INT_SCRATCH, Rm::Reg(reg)));
        let scratch = Rm::Reg(INT_SCRATCH);
        self.asm.alu_rm_immediate(Alu::And, false, scratch, width as i32 - 1);
        if more != 0 {
            self.asm.alu_rm_immediate(Alu::Add, false, scratch, more as i32);
        }
        self.asm.v2(MOVD, FLOAT_SCRATCH, INT_SCRATCH);
        self.consume_operand(count);
    }
}

/// The instruction that replaces a lane by an integer.
pub(super) fn insert(width: Width) -> Vector {
    match width {
        Width::B8 => PINSRB,
        Width::B16 => PINSRW,
        Width::B32 => PINSRD,
        Width::B64 => PINSRQ,
    }
}

/// Whether a test is one of flags.
fn is_flag(op: TestOp) -> bool {
    use TestOp::*;
    matches!(op, V128AnyTrue | I8x16AllTrue | I16x8AllTrue | I32x4AllTrue | I64x2AllTrue)
}
