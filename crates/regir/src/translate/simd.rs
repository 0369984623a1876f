//! The vector instructions, behind the prefix `0xFD`.

use super::{Malformed, Result, Translator};
use crate::inst::{Inst, Operand, Slot};
use crate::simd::{SimdInst, Width};
use crate::simd_ops::{
    BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp, strict,
};
use crate::types::Type;

/// What follows an opcode in the code.
enum Immediates {
    None,
    Lane,
    Memory,
    MemoryAndLane,
    Vector,
}

impl Immediates {
    fn of(opcode: u32) -> Immediates {
        match opcode {
            0x00..=0x0B | 0x5C | 0x5D => Immediates::Memory,
            0x0C | 0x0D => Immediates::Vector,
            0x15..=0x22 => Immediates::Lane,
            0x54..=0x5B => Immediates::MemoryAndLane,
            _ => Immediates::None,
        }
    }
}

const WIDTHS: [Width; 4] = [Width::B8, Width::B16, Width::B32, Width::B64];

impl Translator<'_> {
    fn simd(&mut self, inst: SimdInst) {
        self.emit(Inst::Simd(inst));
    }

    fn push_vector(&mut self) -> Slot {
        self.push_temp(Type::V128)
    }

    /// A lane's number, checked against the lanes of that width.
    fn lane(&mut self, bytes: u32) -> Result<u8> {
        let lane = self.body.reader.byte()?;
        if u32::from(lane) * bytes < 16 { Ok(lane) } else { Err(Malformed) }
    }

    /// Translates a vector instruction.
    pub(super) fn vector(&mut self) -> Result<()> {
        let opcode = u16::try_from(self.body.reader.u32()?).map_err(|_| Malformed)?;
        let opcode = strict(opcode);
        match opcode {
            0x0B => {
                let (mem, offset) = self.memarg()?;
                let value = self.pop_slot()?;
                let addr = self.pop_operand()?;
                self.simd(SimdInst::Store { addr, value, mem, offset });
            }
            0x0C => {
                let low = u64::from_le_bytes(self.body.reader.array()?);
                let high = u64::from_le_bytes(self.body.reader.array()?);
                let dst = self.push_vector();
                self.simd(SimdInst::Const { dst, halves: [low, high] });
            }
            0x0D => {
                let lanes = self.body.reader.array()?;
                if lanes.iter().any(|&lane| lane >= 32) {
                    return Err(Malformed);
                }
                let b = self.pop_slot()?;
                let a = self.pop_slot()?;
                let dst = self.push_vector();
                self.simd(SimdInst::Shuffle { dst, a, b, lanes });
            }
            0x17 => self.replace_lane(Width::B8)?,
            0x1A => self.replace_lane(Width::B16)?,
            0x1C | 0x20 => self.replace_lane(Width::B32)?,
            0x1E | 0x22 => self.replace_lane(Width::B64)?,
            0x54..=0x57 => {
                let width = WIDTHS[(opcode - 0x54) as usize];
                let (mem, offset) = self.memarg()?;
                let lane = self.lane(width.bytes())?;
                let a = self.pop_slot()?;
                let addr = self.pop_operand()?;
                let dst = self.push_vector();
                self.simd(SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset });
            }
            0x58..=0x5B => {
                let width = WIDTHS[(opcode - 0x58) as usize];
                let (mem, offset) = self.memarg()?;
                let lane = self.lane(width.bytes())?;
                let value = self.pop_slot()?;
                let addr = self.pop_operand()?;
                self.simd(SimdInst::StoreLane { width, value, lane, addr, mem, offset });
            }
            _ => return self.vector_op(opcode),
        }
        Ok(())
    }

    fn replace_lane(&mut self, width: Width) -> Result<()> {
        let lane = self.lane(width.bytes())?;
        let value = self.pop_slot()?;
        let a = self.pop_slot()?;
        let dst = self.push_vector();
        self.simd(SimdInst::Replace { width, dst, a, value, lane });
        Ok(())
    }

    /// Makes the result in `dst` canonical by `op`, if it may have NaN and that
    /// matters.
    fn canonical_lanes(&mut self, dst: Slot, op: Option<UnaryOp>) {
        if let Some(op) = op.filter(|_| self.checks.canonical_nans) {
            self.simd(SimdInst::Unary { op, dst, a: dst });
        }
    }

    /// An op of one of the tables.
    fn vector_op(&mut self, opcode: u16) -> Result<()> {
        if let Some(op) = BinaryOp::from_opcode(opcode) {
            let b = self.pop_slot()?;
            let a = self.pop_slot()?;
            let dst = self.push_vector();
            self.simd(SimdInst::Binary { op, dst, a, b });
            self.canonical_lanes(dst, op.canonical());
        } else if let Some(op) = UnaryOp::from_opcode(opcode) {
            let a = self.pop_slot()?;
            let dst = self.push_vector();
            self.simd(SimdInst::Unary { op, dst, a });
            self.canonical_lanes(dst, op.canonical());
        } else if let Some(op) = LoadOp::from_opcode(opcode) {
            let (mem, offset) = self.memarg()?;
            let addr = self.pop_operand()?;
            let dst = self.push_vector();
            self.simd(SimdInst::Load { op, dst, addr, mem, offset });
        } else if let Some(op) = ShiftOp::from_opcode(opcode) {
            let count = self.pop_operand()?;
            let a = self.pop_slot()?;
            let dst = self.push_vector();
            self.simd(SimdInst::Shift { op, dst, a, count });
        } else if let Some(op) = TestOp::from_opcode(opcode) {
            let a = self.pop_slot()?;
            let dst = self.push_temp(Type::I32);
            self.simd(SimdInst::Test { op, dst, a });
        } else if let Some(op) = SplatOp::from_opcode(opcode) {
            let a = self.pop_slot()?;
            let dst = self.push_vector();
            self.simd(SimdInst::Splat { op, dst, a });
        } else if let Some(op) = ExtractOp::from_opcode(opcode) {
            let lane = self.lane(op.lane_bytes())?;
            let a = self.pop_slot()?;
            let dst = self.push_temp(op.result());
            self.simd(SimdInst::Extract { op, dst, a, lane });
        } else if let Some(op) = TernaryOp::from_opcode(opcode) {
            let c = self.pop_slot()?;
            let b = self.pop_slot()?;
            let a = self.pop_slot()?;
            let dst = self.push_vector();
            self.simd(SimdInst::Ternary { op, dst, a, b, c });
            self.canonical_lanes(dst, op.canonical());
        } else {
            return Err(Malformed);
        }
        Ok(())
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

    /// Passes over the immediates of a vector instruction.
    pub(super) fn skip_vector(&mut self) -> Result<()> {
        match Immediates::of(self.body.reader.u32()?) {
            Immediates::None => {}
            Immediates::Lane => {
                self.body.reader.byte()?;
            }
            Immediates::Memory => {
                self.memarg()?;
            }
            Immediates::MemoryAndLane => {
                self.memarg()?;
                self.body.reader.byte()?;
            }
            Immediates::Vector => {
                self.body.reader.array::<16>()?;
            }
        }
        Ok(())
    }
}
