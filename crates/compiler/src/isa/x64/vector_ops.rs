//! Ops on vectors: which are one instruction, and what registers the others need.
//!
//! Most ops are an instruction, or two with a comparison turned around; tables say
//! which. The others are short sequences on registers ([`super::vector_sequences`]).
//! Both compilers ask here what an op needs, find registers, and have it emitted.
//!
//! An op of one instruction puts its result anywhere. Without VEX the result must not be
//! in the second operand's register unless it is the first's as well: that is
//! [`Assembler::v3`]'s condition. All ops may overwrite the vector scratch register.

use super::float::Rounding;
use super::vector::*;
use super::{Assembler, FLOAT_SCRATCH, INT_SCRATCH};
use crate::asm::Reg;
use crate::isa::{Alu, Primitives};
use zwasm_regir::simd_ops::{BinaryOp, ShiftOp, TernaryOp, UnaryOp};

/// What registers an op needs beside its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Whether the result's register must be none of the operands'.
    pub(crate) apart: bool,
    /// Vector registers to work with, which are none of the operands' either.
    pub(crate) temps: usize,
}

impl Needs {
    /// Those of an op that reads its operands for the last time when it writes the result.
    const NOTHING: Needs = Needs { apart: false, temps: 0 };

    const fn apart(temps: usize) -> Needs {
        Needs { apart: true, temps }
    }
}

/// An op of two operands that is one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct One {
    pub(crate) inst: Vector,
    pub(crate) imm: Option<u8>,
    /// Whether the op's second operand is the instruction's first.
    pub(crate) swapped: bool,
}

// The predicates of comparisons of floats.
pub(super) const EQUAL: u8 = 0;
pub(super) const LESS: u8 = 1;
pub(super) const LESS_OR_EQUAL: u8 = 2;
pub(super) const UNORDERED: u8 = 3;
pub(super) const NOT_EQUAL: u8 = 4;

/// An op on two vectors.
#[derive(Clone, Copy)]
enum Form {
    /// `inst(a, b)`.
    Plain(Vector),
    /// `inst(b, a)`.
    Swapped(Vector),
    /// `!inst(a, b)`.
    Not(Vector),
    /// Which of the two is the greater or less, compared with `a`.
    Bound(Vector, Vector),
    /// The opposite.
    NotBound(Vector, Vector),
    /// A comparison of floats.
    Compare(Vector, u8),
    /// A comparison of floats with `a` and `b` exchanged.
    CompareSwapped(Vector, u8),
    Sequence,
}

fn form(op: BinaryOp) -> Form {
    use BinaryOp::*;
    use Form::*;
    match op {
        I8x16Eq => Plain(PCMPEQB),
        I8x16Ne => Not(PCMPEQB),
        I8x16LtS => Swapped(PCMPGTB),
        I8x16LtU => NotBound(PMAXUB, PCMPEQB),
        I8x16GtS => Plain(PCMPGTB),
        I8x16GtU => NotBound(PMINUB, PCMPEQB),
        I8x16LeS => Bound(PMINSB, PCMPEQB),
        I8x16LeU => Bound(PMINUB, PCMPEQB),
        I8x16GeS => Bound(PMAXSB, PCMPEQB),
        I8x16GeU => Bound(PMAXUB, PCMPEQB),
        I16x8Eq => Plain(PCMPEQW),
        I16x8Ne => Not(PCMPEQW),
        I16x8LtS => Swapped(PCMPGTW),
        I16x8LtU => NotBound(PMAXUW, PCMPEQW),
        I16x8GtS => Plain(PCMPGTW),
        I16x8GtU => NotBound(PMINUW, PCMPEQW),
        I16x8LeS => Bound(PMINSW, PCMPEQW),
        I16x8LeU => Bound(PMINUW, PCMPEQW),
        I16x8GeS => Bound(PMAXSW, PCMPEQW),
        I16x8GeU => Bound(PMAXUW, PCMPEQW),
        I32x4Eq => Plain(PCMPEQD),
        I32x4Ne => Not(PCMPEQD),
        I32x4LtS => Swapped(PCMPGTD),
        I32x4LtU => NotBound(PMAXUD, PCMPEQD),
        I32x4GtS => Plain(PCMPGTD),
        I32x4GtU => NotBound(PMINUD, PCMPEQD),
        I32x4LeS => Bound(PMINSD, PCMPEQD),
        I32x4LeU => Bound(PMINUD, PCMPEQD),
        I32x4GeS => Bound(PMAXSD, PCMPEQD),
        I32x4GeU => Bound(PMAXUD, PCMPEQD),
        I64x2Eq => Plain(PCMPEQQ),
        I64x2Ne => Not(PCMPEQQ),
        F32x4Eq => Compare(CMPPS, EQUAL),
        F32x4Ne => Compare(CMPPS, NOT_EQUAL),
        F32x4Lt => Compare(CMPPS, LESS),
        F32x4Gt => CompareSwapped(CMPPS, LESS),
        F32x4Le => Compare(CMPPS, LESS_OR_EQUAL),
        F32x4Ge => CompareSwapped(CMPPS, LESS_OR_EQUAL),
        F64x2Eq => Compare(CMPPD, EQUAL),
        F64x2Ne => Compare(CMPPD, NOT_EQUAL),
        F64x2Lt => Compare(CMPPD, LESS),
        F64x2Gt => CompareSwapped(CMPPD, LESS),
        F64x2Le => Compare(CMPPD, LESS_OR_EQUAL),
        F64x2Ge => CompareSwapped(CMPPD, LESS_OR_EQUAL),
        V128And => Plain(PAND),
        V128Andnot => Swapped(PANDN),
        V128Or => Plain(POR),
        V128Xor => Plain(PXOR),
        I8x16NarrowI16x8S => Plain(PACKSSWB),
        I8x16NarrowI16x8U => Plain(PACKUSWB),
        I16x8NarrowI32x4S => Plain(PACKSSDW),
        I16x8NarrowI32x4U => Plain(PACKUSDW),
        I8x16Add => Plain(PADDB),
        I8x16AddSatS => Plain(PADDSB),
        I8x16AddSatU => Plain(PADDUSB),
        I8x16Sub => Plain(PSUBB),
        I8x16SubSatS => Plain(PSUBSB),
        I8x16SubSatU => Plain(PSUBUSB),
        I8x16MinS => Plain(PMINSB),
        I8x16MinU => Plain(PMINUB),
        I8x16MaxS => Plain(PMAXSB),
        I8x16MaxU => Plain(PMAXUB),
        I8x16AvgrU => Plain(PAVGB),
        I16x8Add => Plain(PADDW),
        I16x8AddSatS => Plain(PADDSW),
        I16x8AddSatU => Plain(PADDUSW),
        I16x8Sub => Plain(PSUBW),
        I16x8SubSatS => Plain(PSUBSW),
        I16x8SubSatU => Plain(PSUBUSW),
        I16x8Mul => Plain(PMULLW),
        I16x8MinS => Plain(PMINSW),
        I16x8MinU => Plain(PMINUW),
        I16x8MaxS => Plain(PMAXSW),
        I16x8MaxU => Plain(PMAXUW),
        I16x8AvgrU => Plain(PAVGW),
        I32x4Add => Plain(PADDD),
        I32x4Sub => Plain(PSUBD),
        I32x4Mul => Plain(PMULLD),
        I32x4MinS => Plain(PMINSD),
        I32x4MinU => Plain(PMINUD),
        I32x4MaxS => Plain(PMAXSD),
        I32x4MaxU => Plain(PMAXUD),
        I32x4DotI16x8S => Plain(PMADDWD),
        I64x2Add => Plain(PADDQ),
        I64x2Sub => Plain(PSUBQ),
        F32x4Add => Plain(ADDPS),
        F32x4Sub => Plain(SUBPS),
        F32x4Mul => Plain(MULPS),
        F32x4Div => Plain(DIVPS),
        // The processor's minimum gives the second operand unless the first is less.
        F32x4Pmin => Swapped(MINPS),
        F32x4Pmax => Swapped(MAXPS),
        F64x2Add => Plain(ADDPD),
        F64x2Sub => Plain(SUBPD),
        F64x2Mul => Plain(MULPD),
        F64x2Div => Plain(DIVPD),
        F64x2Pmin => Swapped(MINPD),
        F64x2Pmax => Swapped(MAXPD),
        I8x16Swizzle
        | I16x8Q15mulrSatS
        | I64x2Mul
        | I64x2LtS
        | I64x2GtS
        | I64x2LeS
        | I64x2GeS
        | I16x8ExtmulLowI8x16S
        | I16x8ExtmulHighI8x16S
        | I16x8ExtmulLowI8x16U
        | I16x8ExtmulHighI8x16U
        | I32x4ExtmulLowI16x8S
        | I32x4ExtmulHighI16x8S
        | I32x4ExtmulLowI16x8U
        | I32x4ExtmulHighI16x8U
        | I64x2ExtmulLowI32x4S
        | I64x2ExtmulHighI32x4S
        | I64x2ExtmulLowI32x4U
        | I64x2ExtmulHighI32x4U
        | F32x4Min
        | F64x2Min
        | F32x4Max
        | F64x2Max
        | I16x8RelaxedDotI8x16I7x16S => Sequence,
    }
}

/// The instruction for ops on two vectors that are one.
pub(crate) fn binary_instruction(op: BinaryOp) -> Option<One> {
    match form(op) {
        Form::Plain(inst) => Some(One { inst, imm: None, swapped: false }),
        Form::Swapped(inst) => Some(One { inst, imm: None, swapped: true }),
        Form::Compare(inst, imm) => Some(One { inst, imm: Some(imm), swapped: false }),
        Form::CompareSwapped(inst, imm) => Some(One { inst, imm: Some(imm), swapped: true }),
        Form::Not(_) | Form::Bound(..) | Form::NotBound(..) | Form::Sequence => None,
    }
}

/// What an op on two vectors needs that is not one instruction.
pub(crate) fn binary_needs(op: BinaryOp) -> Needs {
    use BinaryOp::*;
    match (form(op), op) {
        (Form::Sequence, I64x2Mul | I16x8RelaxedDotI8x16I7x16S) => Needs::apart(1),
        (Form::Sequence, _) => Needs::apart(0),
        _ => Needs::NOTHING,
    }
}

/// The instruction for ops on one vector that are one, and its immediate.
pub(crate) fn unary_instruction(op: UnaryOp) -> Option<(Vector, Option<u8>)> {
    use UnaryOp::*;
    let round = |inst, mode: Rounding| Some((inst, Some(mode.quiet())));
    let inst = match op {
        I8x16Abs => PABSB,
        I16x8Abs => PABSW,
        I32x4Abs => PABSD,
        I16x8ExtendLowI8x16S => PMOVSXBW,
        I16x8ExtendLowI8x16U => PMOVZXBW,
        I32x4ExtendLowI16x8S => PMOVSXWD,
        I32x4ExtendLowI16x8U => PMOVZXWD,
        I64x2ExtendLowI32x4S => PMOVSXDQ,
        I64x2ExtendLowI32x4U => PMOVZXDQ,
        F32x4Ceil => return round(ROUNDPS, Rounding::Ceil),
        F32x4Floor => return round(ROUNDPS, Rounding::Floor),
        F32x4Trunc => return round(ROUNDPS, Rounding::Truncate),
        F32x4Nearest => return round(ROUNDPS, Rounding::Nearest),
        F64x2Ceil => return round(ROUNDPD, Rounding::Ceil),
        F64x2Floor => return round(ROUNDPD, Rounding::Floor),
        F64x2Trunc => return round(ROUNDPD, Rounding::Truncate),
        F64x2Nearest => return round(ROUNDPD, Rounding::Nearest),
        F32x4Sqrt => SQRTPS,
        F64x2Sqrt => SQRTPD,
        F32x4ConvertI32x4S => CVTDQ2PS,
        F64x2ConvertLowI32x4S => CVTDQ2PD,
        F64x2PromoteLowF32x4 => CVTPS2PD,
        F32x4DemoteF64x2Zero => CVTPD2PS,
        _ => return None,
    };
    Some((inst, None))
}

/// Whether the instruction for an op on one vector reads all 16 bytes, so that what it reads
/// may be in memory if a load of 16 bytes may.
#[cfg(feature = "optimize")]
pub(crate) fn reads_whole(op: UnaryOp) -> bool {
    use UnaryOp::*;
    !matches!(
        op,
        I16x8ExtendLowI8x16S
            | I16x8ExtendLowI8x16U
            | I32x4ExtendLowI16x8S
            | I32x4ExtendLowI16x8U
            | I64x2ExtendLowI32x4S
            | I64x2ExtendLowI32x4U
            | F64x2ConvertLowI32x4S
            | F64x2PromoteLowF32x4
    )
}

/// The instruction and its second operand for ops on one vector that combine it with a
/// constant.
pub(crate) fn unary_with_literal(op: UnaryOp) -> Option<(Vector, [u64; 2])> {
    use UnaryOp::*;
    Some(match op {
        V128Not => (PXOR, literal64(u64::MAX)),
        F32x4Abs => (ANDPS, literal32(i32::MAX as u32)),
        F64x2Abs => (ANDPS, literal64(i64::MAX as u64)),
        F32x4Neg => (XORPS, literal32(1 << 31)),
        F64x2Neg => (XORPS, literal64(1 << 63)),
        I16x8ExtaddPairwiseI8x16U => (PMADDUBSW, literal8(1)),
        I32x4ExtaddPairwiseI16x8S => (PMADDWD, literal16(1)),
        _ => return None,
    })
}

/// What an op on one vector needs.
pub(crate) fn unary_needs(op: UnaryOp) -> Needs {
    match op {
        _ if unary_instruction(op).is_some() || unary_with_literal(op).is_some() => Needs::NOTHING,
        UnaryOp::I8x16Popcnt | UnaryOp::I32x4TruncSatF32x4U => Needs::apart(1),
        _ => Needs::apart(0),
    }
}

/// What an op on three vectors needs.
pub(crate) fn ternary_needs(op: TernaryOp) -> Needs {
    match op {
        TernaryOp::I32x4RelaxedDotI8x16I7x16AddS => Needs { temps: 2, ..Needs::NOTHING },
        TernaryOp::V128Bitselect
        | TernaryOp::F32x4RelaxedMadd
        | TernaryOp::F32x4RelaxedNmadd
        | TernaryOp::F64x2RelaxedMadd
        | TernaryOp::F64x2RelaxedNmadd => Needs::NOTHING,
    }
}

/// The shift of a lane's width, by a count in a register, and the width in bits.
fn shift_instruction(op: ShiftOp) -> (Vector, u32) {
    use ShiftOp::*;
    match op {
        I8x16Shl => (PSLLW, 8),
        I8x16ShrS => (PSRAW, 8),
        I8x16ShrU => (PSRLW, 8),
        I16x8Shl => (PSLLW, 16),
        I16x8ShrS => (PSRAW, 16),
        I16x8ShrU => (PSRLW, 16),
        I32x4Shl => (PSLLD, 32),
        I32x4ShrS => (PSRAD, 32),
        I32x4ShrU => (PSRLD, 32),
        I64x2Shl => (PSLLQ, 64),
        I64x2ShrS | I64x2ShrU => (PSRLQ, 64),
    }
}

/// The width of the lanes that are shifted, in bits: counts are taken modulo that.
pub(crate) fn shift_width(op: ShiftOp) -> u32 {
    shift_instruction(op).1
}

/// Whether a shift is one instruction, by a constant or the count in a register.
fn shifts_at_once(op: ShiftOp) -> bool {
    shift_width(op) != 8 && op != ShiftOp::I64x2ShrS
}

/// What a shift by a constant other than zero needs.
pub(crate) fn shift_by_needs(op: ShiftOp) -> Needs {
    if shifts_at_once(op) { Needs::NOTHING } else { Needs::apart(0) }
}

/// What a shift by a count in a register needs.
pub(crate) fn shift_needs(op: ShiftOp) -> Needs {
    if shifts_at_once(op) { Needs::NOTHING } else { Needs::apart(1) }
}

/// A constant of equal halves.
pub(super) fn literal64(half: u64) -> [u64; 2] {
    [half; 2]
}

/// A constant of equal 32-bit lanes.
pub(super) fn literal32(lane: u32) -> [u64; 2] {
    literal64(u64::from(lane) * 0x1_0000_0001)
}

/// A constant of equal 16-bit lanes.
pub(super) fn literal16(lane: u16) -> [u64; 2] {
    literal32(u32::from(lane) * 0x1_0001)
}

/// A constant of equal bytes.
pub(super) fn literal8(lane: u8) -> [u64; 2] {
    literal16(u16::from(lane) * 0x101)
}

impl Assembler {
    /// An op on one vector, with registers as [`unary_needs`] says.
    pub(crate) fn vector_unary(&mut self, op: UnaryOp, d: Reg, a: Reg, temps: &[Reg]) {
        if let Some((inst, imm)) = unary_instruction(op) {
            return match imm {
                Some(imm) => self.v2i(inst, d, a, imm),
                None => self.v2(inst, d, a),
            };
        }
        if let Some((inst, literal)) = unary_with_literal(op) {
            let literal = self.literal(literal);
            return self.v3(inst, d, a, literal);
        }
        self.unary_sequence(op, d, a, temps);
    }

    /// An op on two vectors that is not one instruction, with registers as [`binary_needs`]
    /// says.
    pub(crate) fn vector_binary(&mut self, op: BinaryOp, d: Reg, a: Reg, b: Reg, temps: &[Reg]) {
        let s = FLOAT_SCRATCH;
        match form(op) {
            Form::Plain(_) | Form::Swapped(_) | Form::Compare(..) | Form::CompareSwapped(..) => {
                debug_assert!(false, "one instruction");
            }
            Form::Not(inst) => {
                self.v3(inst, s, a, b);
                self.inverted(d, s);
            }
            Form::Bound(bound, equal) => {
                self.v3(bound, s, a, b);
                self.v3(equal, d, a, s);
            }
            Form::NotBound(bound, equal) => {
                self.v3(bound, s, a, b);
                self.v3(equal, s, s, a);
                self.inverted(d, s);
            }
            Form::Sequence => self.binary_sequence(op, d, a, b, temps),
        }
    }

    /// The opposite of `a`.
    fn inverted(&mut self, d: Reg, a: Reg) {
        let ones = self.literal(literal64(u64::MAX));
        self.v3(PXOR, d, a, ones);
    }

    /// An op on three vectors, with registers as [`ternary_needs`] says.
    pub(crate) fn vector_ternary(&mut self, op: TernaryOp, d: Reg, abc: [Reg; 3], temps: &[Reg]) {
        use TernaryOp::*;
        let s = FLOAT_SCRATCH;
        let [a, b, c] = abc;
        // The last step of each: an instruction with an operand and the scratch
        // register.
        let (inst, operand) = match op {
            V128Bitselect => {
                self.v3(PXOR, s, a, b);
                self.v3(PAND, s, s, c);
                (PXOR, b)
            }
            F32x4RelaxedMadd | F32x4RelaxedNmadd => {
                self.v3(MULPS, s, a, b);
                (if op == F32x4RelaxedMadd { ADDPS } else { SUBPS }, c)
            }
            F64x2RelaxedMadd | F64x2RelaxedNmadd => {
                self.v3(MULPD, s, a, b);
                (if op == F64x2RelaxedMadd { ADDPD } else { SUBPD }, c)
            }
            I32x4RelaxedDotI8x16I7x16AddS => {
                let ones = self.literal(literal16(1));
                let [sums, other] = [temps[0], temps[1]];
                self.dot_bytes(sums, a, b, other);
                self.v3(PMADDWD, s, sums, ones);
                (PADDD, c)
            }
        };
        self.v3(inst, d, operand, s);
    }

    /// A shift by a constant, less than the lanes' width and not zero, with registers as
    /// [`shift_by_needs`] says.
    pub(crate) fn vector_shift_by(&mut self, op: ShiftOp, d: Reg, a: Reg, count: u8) {
        let (inst, _) = shift_instruction(op);
        match op {
            ShiftOp::I64x2ShrS => {
                let sign = self.literal(literal64(1 << 63 >> count));
                self.v_shift(PSRLQ, d, a, count);
                self.extend_sign(d, sign.into());
            }
            ShiftOp::I8x16ShrS => {
                let s = FLOAT_SCRATCH;
                self.v3(PUNPCKHBW, s, a, a);
                self.v_shift(PSRAW, s, s, count + 8);
                self.v3(PUNPCKLBW, d, a, a);
                self.v_shift(PSRAW, d, d, count + 8);
                self.v3(PACKSSWB, d, d, s);
            }
            ShiftOp::I8x16Shl | ShiftOp::I8x16ShrU => {
                // The bits that come from the neighbour are cleared.
                let kept = if op == ShiftOp::I8x16Shl { 0xFF << count } else { 0xFF >> count };
                let kept = self.literal(literal8(kept));
                self.v_shift(inst, d, a, count);
                self.v3(PAND, d, d, kept);
            }
            ShiftOp::I16x8Shl
            | ShiftOp::I16x8ShrS
            | ShiftOp::I16x8ShrU
            | ShiftOp::I32x4Shl
            | ShiftOp::I32x4ShrS
            | ShiftOp::I32x4ShrU
            | ShiftOp::I64x2Shl
            | ShiftOp::I64x2ShrU => self.v_shift(inst, d, a, count),
        }
    }

    /// Prepares for [`Assembler::vector_shift`]: brings the count to the vector scratch
    /// register. The other is overwritten.
    pub(crate) fn vector_shift_count(&mut self, op: ShiftOp, count: Reg) {
        self.narrow(INT_SCRATCH, count);
        self.alu_immediate(Alu::And, false, INT_SCRATCH, shift_width(op) as i32 - 1);
        // Bytes with sign are shifted in the upper halves of 16 bits.
        if op == ShiftOp::I8x16ShrS {
            self.alu_immediate(Alu::Add, false, INT_SCRATCH, 8);
        }
        self.v2(MOVD, FLOAT_SCRATCH, INT_SCRATCH);
    }

    /// A shift by the count in the scratch register, with registers as [`shift_needs`] says.
    pub(crate) fn vector_shift(&mut self, op: ShiftOp, d: Reg, a: Reg, temps: &[Reg]) {
        if shifts_at_once(op) {
            let (inst, _) = shift_instruction(op);
            return self.v3(inst, d, a, FLOAT_SCRATCH);
        }
        self.shift_sequence(op, d, a, temps);
    }
}
