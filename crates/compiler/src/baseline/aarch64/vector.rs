//! Vectors.

use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::select::Address;
use crate::isa::Primitives;
use crate::isa::aarch64::Assembler;
use zwasm_regir::simd::{SimdInst, Width};
use zwasm_regir::simd_ops::{
    BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp,
};
use zwasm_regir::{Inst, Operand, Slot};

impl Compiler<'_, Assembler> {
    fn by_handler(&mut self, inst: SimdInst) {
        self.call_handler(&Inst::Simd(inst));
    }

    pub(super) fn constant_in(&mut self, reg: Reg, halves: [u64; 2]) {
        self.asm.constant(reg, halves[0]);
        self.asm.mov_constant(
            crate::isa::aarch64::regs::Width::X,
            crate::isa::aarch64::VALUE,
            halves[1],
        );
        self.asm.emit(crate::isa::aarch64::vec::ins(
            crate::isa::aarch64::regs::Elem::D,
            reg,
            1,
            crate::isa::aarch64::VALUE,
        ));
    }

    pub(super) fn vector_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        self.by_handler(SimdInst::Unary { op, dst, a });
    }

    pub(super) fn vector_binary(&mut self, op: BinaryOp, dst: Slot, a: Slot, b: Slot) {
        self.by_handler(SimdInst::Binary { op, dst, a, b });
    }

    pub(super) fn vector_ternary(&mut self, op: TernaryOp, dst: Slot, [a, b, c]: [Slot; 3]) {
        self.by_handler(SimdInst::Ternary { op, dst, a, b, c });
    }

    pub(super) fn vector_shift(&mut self, op: ShiftOp, dst: Slot, a: Slot, count: Operand) {
        self.by_handler(SimdInst::Shift { op, dst, a, count });
    }

    pub(super) fn vector_test(&mut self, op: TestOp, dst: Slot, a: Slot) {
        self.by_handler(SimdInst::Test { op, dst, a });
    }

    pub(super) fn splat_slot(&mut self, op: SplatOp, dst: Slot, a: Slot) {
        self.by_handler(SimdInst::Splat { op, dst, a });
    }

    pub(super) fn extract_lane(&mut self, op: ExtractOp, dst: Slot, a: Slot, lane: u8) {
        self.by_handler(SimdInst::Extract { op, dst, a, lane });
    }

    pub(super) fn replace_lane(&mut self, width: Width, dst: Slot, a: Slot, value: Slot, lane: u8) {
        self.by_handler(SimdInst::Replace { width, dst, a, value, lane });
    }

    pub(super) fn shuffle(&mut self, dst: Slot, a: Slot, b: Slot, lanes: [u8; 16]) {
        self.by_handler(SimdInst::Shuffle { dst, a, b, lanes });
    }

    pub(super) fn load_vector(&mut self, op: LoadOp, dst: Slot, from: Address) {
        let Address { addr, mem, offset } = from;
        self.by_handler(SimdInst::Load { op, dst, addr, mem, offset });
    }

    pub(super) fn load_lane(&mut self, width: Width, dst: Slot, a: Slot, lane: u8, from: Address) {
        let Address { addr, mem, offset } = from;
        self.by_handler(SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset });
    }

    pub(super) fn store_lane(&mut self, width: Width, value: Slot, lane: u8, to: Address) {
        let Address { addr, mem, offset } = to;
        self.by_handler(SimdInst::StoreLane { width, value, lane, addr, mem, offset });
    }
}
