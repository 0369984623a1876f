//! Loads and stores of vectors and lanes.

use super::simd::insert;
use super::vector::*;
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::{LoadOp, SplatOp};
use zwasm_regir::{Operand, Slot};

impl Compiler<'_> {
    pub(super) fn vector_load(
        &mut self,
        op: LoadOp,
        dst: Slot,
        addr: Operand,
        mem: u32,
        offset: u64,
    ) {
        let src = self.bounded(mem, addr, offset, op.size());
        let reg = self.alloc(Class::Vector, Some(dst.0));
        use LoadOp::*;
        match op {
            V128Load => self.v2(MOVUPS, reg, src),
            V128Load8x8S => self.v2(PMOVSXBW, reg, src),
            V128Load8x8U => self.v2(PMOVZXBW, reg, src),
            V128Load16x4S => self.v2(PMOVSXWD, reg, src),
            V128Load16x4U => self.v2(PMOVZXWD, reg, src),
            V128Load32x2S => self.v2(PMOVSXDQ, reg, src),
            V128Load32x2U => self.v2(PMOVZXDQ, reg, src),
            V128Load32Zero => self.v2(MOVSS, reg, src),
            V128Load64Zero => self.v2(MOVSD, reg, src),
            V128Load64Splat => self.v2(MOVDDUP, reg, src),
            V128Load32Splat if self.cpu.avx => self.v2(VBROADCASTSS, reg, src),
            V128Load32Splat => {
                self.v2(MOVSS, reg, src);
                self.broadcast_low(SplatOp::I32x4Splat, reg);
            }
            V128Load8Splat if self.cpu.avx2 => self.v2(VPBROADCASTB, reg, src),
            V128Load16Splat if self.cpu.avx2 => self.v2(VPBROADCASTW, reg, src),
            V128Load8Splat => {
                self.clear(reg);
                self.v3i(PINSRB, reg, reg, src, 0);
                self.broadcast_low(SplatOp::I8x16Splat, reg);
            }
            V128Load16Splat => {
                self.clear(reg);
                self.v3i(PINSRW, reg, reg, src, 0);
                self.broadcast_low(SplatOp::I16x8Splat, reg);
            }
        }
        self.consume_operand(addr);
        self.define(reg, dst, Class::Vector);
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of the instruction")]
    pub(super) fn load_lane(
        &mut self,
        width: Width,
        dst: Slot,
        a: Slot,
        lane: u8,
        addr: Operand,
        mem: u32,
        offset: u64,
    ) {
        let src = self.vector_operand(a);
        let place = self.bounded(mem, addr, offset, u64::from(width.bytes()));
        self.consume(a);
        self.consume_operand(addr);
        let reg = self.result(dst);
        self.v3i(insert(width), reg, src, place, lane);
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn vector_store(&mut self, addr: Operand, value: Slot, mem: u32, offset: u64) {
        let reg = self.vector_operand(value);
        let place = self.bounded(mem, addr, offset, 16);
        self.v2(MOVUPS_STORE, reg, place);
        self.consume_operand(addr);
        self.consume(value);
    }

    pub(super) fn store_lane(
        &mut self,
        width: Width,
        value: Slot,
        lane: u8,
        addr: Operand,
        mem: u32,
        offset: u64,
    ) {
        let reg = self.vector_operand(value);
        let place = self.bounded(mem, addr, offset, u64::from(width.bytes()));
        match (width, lane) {
            (Width::B32, 0) => self.v2(MOVSS_STORE, reg, place),
            (Width::B64, 0) => self.v2(MOVSD_STORE, reg, place),
            (Width::B8, _) => self.v2i(PEXTRB, reg, place, lane),
            (Width::B16, _) => self.v2i(PEXTRW, reg, place, lane),
            (Width::B32, _) => self.v2i(PEXTRD, reg, place, lane),
            (Width::B64, _) => self.v2i(PEXTRQ, reg, place, lane),
        }
        self.consume_operand(addr);
        self.consume(value);
    }
}
