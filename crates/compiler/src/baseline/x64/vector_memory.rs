//! Loads and stores of vectors and lanes.

use super::vector::insert;
use crate::baseline::Compiler;
use crate::baseline::select::Address;
use crate::baseline::state::Class;
use crate::isa::x64::Assembler;
use crate::isa::x64::vector::*;
use zwasm_regir::Slot;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::{LoadOp, SplatOp};

impl Compiler<'_, Assembler> {
    pub(super) fn load_vector(&mut self, op: LoadOp, dst: Slot, from: Address) {
        let Address { addr, mem, offset } = from;
        let src = self.bounded(mem, addr, offset, op.size());
        let reg = self.alloc(Class::Vector, Some(dst.0));
        use LoadOp::*;
        match op {
            V128Load => self.asm.v2(MOVUPS, reg, src),
            V128Load8x8S => self.asm.v2(PMOVSXBW, reg, src),
            V128Load8x8U => self.asm.v2(PMOVZXBW, reg, src),
            V128Load16x4S => self.asm.v2(PMOVSXWD, reg, src),
            V128Load16x4U => self.asm.v2(PMOVZXWD, reg, src),
            V128Load32x2S => self.asm.v2(PMOVSXDQ, reg, src),
            V128Load32x2U => self.asm.v2(PMOVZXDQ, reg, src),
            V128Load32Zero => self.asm.v2(MOVSS, reg, src),
            V128Load64Zero => self.asm.v2(MOVSD, reg, src),
            V128Load64Splat => self.asm.v2(MOVDDUP, reg, src),
            V128Load32Splat if self.asm.features.avx => self.asm.v2(VBROADCASTSS, reg, src),
            V128Load32Splat => {
                self.asm.v2(MOVSS, reg, src);
                self.broadcast_low(SplatOp::I32x4Splat, reg);
            }
            V128Load8Splat if self.asm.features.avx2 => self.asm.v2(VPBROADCASTB, reg, src),
            V128Load16Splat if self.asm.features.avx2 => self.asm.v2(VPBROADCASTW, reg, src),
            V128Load8Splat => {
                self.clear(reg);
                self.asm.v3i(PINSRB, reg, reg, src, 0);
                self.broadcast_low(SplatOp::I8x16Splat, reg);
            }
            V128Load16Splat => {
                self.clear(reg);
                self.asm.v3i(PINSRW, reg, reg, src, 0);
                self.broadcast_low(SplatOp::I16x8Splat, reg);
            }
        }
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
        self.asm.v3i(insert(width), reg, src, place, lane);
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn store_lane(&mut self, width: Width, value: Slot, lane: u8, to: Address) {
        let Address { addr, mem, offset } = to;
        let reg = self.vector_operand(value);
        let place = self.bounded_store(mem, addr, offset, u64::from(width.bytes()));
        match (width, lane) {
            (Width::B32, 0) => self.asm.v2(MOVSS_STORE, reg, place),
            (Width::B64, 0) => self.asm.v2(MOVSD_STORE, reg, place),
            (Width::B8, _) => self.asm.v2i(PEXTRB, reg, place, lane),
            (Width::B16, _) => self.asm.v2i(PEXTRW, reg, place, lane),
            (Width::B32, _) => self.asm.v2i(PEXTRD, reg, place, lane),
            (Width::B64, _) => self.asm.v2i(PEXTRQ, reg, place, lane),
        }
        self.consume_operand(addr);
        self.consume(value);
    }
}
