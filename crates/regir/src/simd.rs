//! The vector instructions of the slot form.
//!
//! A `v128` operand is named by the first of its two slots and is never an
//! immediate; scalars among the operands may be.

use core::fmt::{self, Display, Formatter};

use crate::inst::{Operand, Slot};
use crate::simd_ops::{BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp};

/// The width of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Width {
    /// 8 bits.
    B8,
    /// 16 bits.
    B16,
    /// 32 bits.
    B32,
    /// 64 bits.
    B64,
}

impl Width {
    /// How many bytes a lane has.
    pub const fn bytes(self) -> u32 {
        1 << self as u32
    }
}

/// A vector instruction.
#[allow(missing_docs, reason = "field names are explained in the header of `inst`")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SimdInst {
    /// Loads an immediate, given in two halves.
    Const { dst: Slot, halves: [u64; 2] },
    /// Copies a vector.
    Copy { dst: Slot, src: Slot },
    /// `cond != 0 ? a : b`.
    Select { dst: Slot, cond: Slot, a: Slot, b: Slot },
    /// `global.get`.
    GlobalGet { dst: Slot, global: u32 },
    /// `global.set`.
    GlobalSet { global: u32, value: Slot },
    /// Returns one vector.
    Return { value: Slot },
    /// An op on one vector.
    Unary { op: UnaryOp, dst: Slot, a: Slot },
    /// An op on two vectors.
    Binary { op: BinaryOp, dst: Slot, a: Slot, b: Slot },
    /// An op on three vectors.
    Ternary { op: TernaryOp, dst: Slot, a: Slot, b: Slot, c: Slot },
    /// A shift.
    Shift { op: ShiftOp, dst: Slot, a: Slot, count: Operand },
    /// An op from a vector to an `i32`.
    Test { op: TestOp, dst: Slot, a: Slot },
    /// An op from a scalar to a vector.
    Splat { op: SplatOp, dst: Slot, a: Slot },
    /// Takes a lane out.
    Extract { op: ExtractOp, dst: Slot, a: Slot, lane: u8 },
    /// Replaces a lane by the low bits of the slot `value`.
    Replace { width: Width, dst: Slot, a: Slot, value: Slot, lane: u8 },
    /// `i8x16.shuffle`; lanes from 16 on are those of `b`.
    Shuffle { dst: Slot, a: Slot, b: Slot, lanes: [u8; 16] },
    /// A load from memory `mem` at `addr + offset`.
    Load { op: LoadOp, dst: Slot, addr: Operand, mem: u32, offset: u64 },
    /// A load that replaces one lane of `a`.
    LoadLane { width: Width, dst: Slot, a: Slot, lane: u8, addr: Operand, mem: u32, offset: u64 },
    /// A store to memory `mem` at `addr + offset`.
    Store { addr: Operand, value: Slot, mem: u32, offset: u64 },
    /// A store of one lane.
    StoreLane { width: Width, value: Slot, lane: u8, addr: Operand, mem: u32, offset: u64 },
}

impl SimdInst {
    /// As [`crate::Inst::dst_mut`]; the destination of a vector is two slots.
    pub fn dst_mut(&mut self) -> Option<&mut Slot> {
        match self {
            SimdInst::Const { dst, .. }
            | SimdInst::Copy { dst, .. }
            | SimdInst::Select { dst, .. }
            | SimdInst::GlobalGet { dst, .. }
            | SimdInst::Unary { dst, .. }
            | SimdInst::Binary { dst, .. }
            | SimdInst::Ternary { dst, .. }
            | SimdInst::Shift { dst, .. }
            | SimdInst::Test { dst, .. }
            | SimdInst::Splat { dst, .. }
            | SimdInst::Extract { dst, .. }
            | SimdInst::Replace { dst, .. }
            | SimdInst::Shuffle { dst, .. }
            | SimdInst::Load { dst, .. }
            | SimdInst::LoadLane { dst, .. } => Some(dst),
            SimdInst::GlobalSet { .. }
            | SimdInst::Return { .. }
            | SimdInst::Store { .. }
            | SimdInst::StoreLane { .. } => None,
        }
    }
}

impl Display for SimdInst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            SimdInst::Const { dst, halves: [low, high] } => {
                write!(f, "{dst} = v128.const {high:#018x}{low:016x}")
            }
            SimdInst::Copy { dst, src } => write!(f, "{dst} = v128.copy {src}"),
            SimdInst::Select { dst, cond, a, b } => {
                write!(f, "{dst} = v128.select {cond} {a} {b}")
            }
            SimdInst::GlobalGet { dst, global } => {
                write!(f, "{dst} = v128.global.get g{global}")
            }
            SimdInst::GlobalSet { global, value } => {
                write!(f, "v128.global.set g{global} {value}")
            }
            SimdInst::Return { value } => write!(f, "v128.return {value}"),
            SimdInst::Unary { op, dst, a } => write!(f, "{dst} = {} {a}", op.text()),
            SimdInst::Binary { op, dst, a, b } => write!(f, "{dst} = {} {a} {b}", op.text()),
            SimdInst::Ternary { op, dst, a, b, c } => {
                write!(f, "{dst} = {} {a} {b} {c}", op.text())
            }
            SimdInst::Shift { op, dst, a, count } => {
                write!(f, "{dst} = {} {a} {count}", op.text())
            }
            SimdInst::Test { op, dst, a } => write!(f, "{dst} = {} {a}", op.text()),
            SimdInst::Splat { op, dst, a } => write!(f, "{dst} = {} {a}", op.text()),
            SimdInst::Extract { op, dst, a, lane } => {
                write!(f, "{dst} = {} {a} {lane}", op.text())
            }
            SimdInst::Replace { width, dst, a, value, lane } => {
                write!(f, "{dst} = v128.replace{} {a} {lane} {value}", width.bytes() * 8)
            }
            SimdInst::Shuffle { dst, a, b, lanes } => {
                write!(f, "{dst} = i8x16.shuffle {a} {b} {lanes:?}")
            }
            SimdInst::Load { op, dst, addr, mem, offset } => {
                write!(f, "{dst} = {} m{mem}[{addr} + {offset:#x}]", op.text())
            }
            SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset } => {
                let bits = width.bytes() * 8;
                write!(f, "{dst} = v128.load{bits}_lane m{mem}[{addr} + {offset:#x}] {a} {lane}")
            }
            SimdInst::Store { addr, value, mem, offset } => {
                write!(f, "v128.store m{mem}[{addr} + {offset:#x}] {value}")
            }
            SimdInst::StoreLane { width, value, lane, addr, mem, offset } => {
                let bits = width.bytes() * 8;
                write!(f, "v128.store{bits}_lane m{mem}[{addr} + {offset:#x}] {value} {lane}")
            }
        }
    }
}
