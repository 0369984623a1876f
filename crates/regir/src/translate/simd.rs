//! The vector instructions, behind the prefix `0xFD`.

use super::{Malformed, Result, Translator};
use crate::inst::{Inst, Operand, Slot};
use crate::opcodes::VectorOperator;
use crate::opcodes::immediates::MemArg;
use crate::simd::{SimdInst, Width};
use crate::simd_ops::UnaryOp;
use crate::types::Type;

impl Translator<'_> {
    fn simd(&mut self, inst: SimdInst) {
        self.emit(Inst::Simd(inst));
    }

    fn push_vector(&mut self) -> Slot {
        self.push_temp(Type::V128)
    }

    /// Translates a vector instruction.
    pub(super) fn vector(&mut self, operator: VectorOperator) -> Result<()> {
        match operator {
            VectorOperator::V128Store { memory: MemArg { mem, offset } } => {
                let value = self.pop_slot()?;
                let addr = self.pop_operand()?;
                self.simd(SimdInst::Store { addr, value, mem, offset });
            }
            VectorOperator::V128Const { bytes } => {
                let bits = u128::from_le_bytes(bytes);
                let dst = self.push_vector();
                self.simd(SimdInst::Const { dst, halves: [bits as u64, (bits >> 64) as u64] });
            }
            VectorOperator::I8x16Shuffle { lanes } => {
                if lanes.iter().any(|&lane| lane >= 32) {
                    return Err(Malformed);
                }
                let b = self.pop_slot()?;
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Shuffle { dst, a, b, lanes });
            }
            VectorOperator::I8x16ReplaceLane { lane } => self.replace_lane(Width::B8, lane)?,
            VectorOperator::I16x8ReplaceLane { lane } => self.replace_lane(Width::B16, lane)?,
            VectorOperator::I32x4ReplaceLane { lane }
            | VectorOperator::F32x4ReplaceLane { lane } => self.replace_lane(Width::B32, lane)?,
            VectorOperator::I64x2ReplaceLane { lane }
            | VectorOperator::F64x2ReplaceLane { lane } => self.replace_lane(Width::B64, lane)?,
            VectorOperator::V128Load8Lane { memory, lane } => {
                self.load_lane(Width::B8, memory, lane)?;
            }
            VectorOperator::V128Load16Lane { memory, lane } => {
                self.load_lane(Width::B16, memory, lane)?;
            }
            VectorOperator::V128Load32Lane { memory, lane } => {
                self.load_lane(Width::B32, memory, lane)?;
            }
            VectorOperator::V128Load64Lane { memory, lane } => {
                self.load_lane(Width::B64, memory, lane)?;
            }
            VectorOperator::V128Store8Lane { memory, lane } => {
                self.store_lane(Width::B8, memory, lane)?;
            }
            VectorOperator::V128Store16Lane { memory, lane } => {
                self.store_lane(Width::B16, memory, lane)?;
            }
            VectorOperator::V128Store32Lane { memory, lane } => {
                self.store_lane(Width::B32, memory, lane)?;
            }
            VectorOperator::V128Store64Lane { memory, lane } => {
                self.store_lane(Width::B64, memory, lane)?;
            }
            VectorOperator::Binary(op) => {
                let b = self.pop_slot()?;
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Binary { op, dst, a, b });
                self.canonical_lanes(dst, op.canonical());
            }
            VectorOperator::Unary(op) => {
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Unary { op, dst, a });
                self.canonical_lanes(dst, op.canonical());
            }
            VectorOperator::Load(op, MemArg { mem, offset }) => {
                let addr = self.pop_operand()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Load { op, dst, addr, mem, offset });
            }
            VectorOperator::Shift(op) => {
                let count = self.pop_operand()?;
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Shift { op, dst, a, count });
            }
            VectorOperator::Test(op) => {
                let a = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                self.simd(SimdInst::Test { op, dst, a });
            }
            VectorOperator::Splat(op) => {
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Splat { op, dst, a });
            }
            VectorOperator::Extract(op, lane) => {
                check_lane(lane, op.lane_bytes())?;
                let a = self.pop_slot()?;
                let dst = self.push_temp(op.result());
                self.simd(SimdInst::Extract { op, dst, a, lane });
            }
            VectorOperator::Ternary(op) => {
                let c = self.pop_slot()?;
                let b = self.pop_slot()?;
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Ternary { op, dst, a, b, c });
                self.canonical_lanes(dst, op.canonical());
            }
        }
        Ok(())
    }

    fn replace_lane(&mut self, width: Width, lane: u8) -> Result<()> {
        check_lane(lane, width.bytes())?;
        let value = self.pop_slot()?;
        let a = self.pop_slot()?;
        let dst = self.push_vector();
        self.simd(SimdInst::Replace { width, dst, a, value, lane });
        Ok(())
    }

    fn load_lane(&mut self, width: Width, memory: MemArg, lane: u8) -> Result<()> {
        let MemArg { mem, offset } = memory;
        check_lane(lane, width.bytes())?;
        let a = self.pop_slot()?;
        let addr = self.pop_operand()?;
        let dst = self.push_vector();
        self.simd(SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset });
        Ok(())
    }

    fn store_lane(&mut self, width: Width, memory: MemArg, lane: u8) -> Result<()> {
        let MemArg { mem, offset } = memory;
        check_lane(lane, width.bytes())?;
        let value = self.pop_slot()?;
        let addr = self.pop_operand()?;
        self.simd(SimdInst::StoreLane { width, value, lane, addr, mem, offset });
        Ok(())
    }

    /// Makes the result in `dst` canonical by `op`, if it may have NaN and that
    /// matters.
    fn canonical_lanes(&mut self, dst: Slot, op: Option<UnaryOp>) {
        if let Some(op) = op.filter(|_| self.checks.canonical_nans) {
            self.simd(SimdInst::Unary { op, dst, a: dst });
        }
    }

    /// `select` between vectors; the condition is popped already.
    pub(super) fn vector_select(&mut self, cond: Slot) -> Result<()> {
        let b = self.pop_slot()?;
        let a = self.pop_slot()?;
        let dst = self.push_vector();
        self.simd(SimdInst::Select { dst, cond, a, b });
        Ok(())
    }

    pub(super) fn vector_global_get(&mut self, global: u32) {
        let dst = self.push_vector();
        self.simd(SimdInst::GlobalGet { dst, global });
    }

    pub(super) fn vector_global_set(&mut self, global: u32) -> Result<()> {
        let value = self.pop_slot()?;
        self.simd(SimdInst::GlobalSet { global, value });
        Ok(())
    }

    /// Copies a vector between two places; it is never an immediate.
    pub(super) fn vector_copy(&mut self, dst: u32, src: u32) {
        self.simd(SimdInst::Copy { dst: Slot(dst), src: Slot(src) });
    }

    /// Returns the one vector on top of the stack, which stays.
    pub(super) fn vector_return(&mut self, value: Operand) -> Result<()> {
        let Operand::Slot(value) = value else { return Err(Malformed) };
        self.simd(SimdInst::Return { value });
        Ok(())
    }
}

/// Checks a lane's number against the lanes of that width.
fn check_lane(lane: u8, bytes: u32) -> Result<()> {
    if u32::from(lane) * bytes < 16 { Ok(()) } else { Err(Malformed) }
}
