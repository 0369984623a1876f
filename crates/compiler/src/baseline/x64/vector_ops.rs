//! Arithmetic on vectors.
//!
//! Most ops are an instruction, or two with a comparison turned around; tables say
//! which. The others are short sequences. Where those are long, they follow what
//! has become customary: conversions of unsigned numbers by halves, 64-bit products
//! by partial products, minimum and maximum in both orders to see zeros and NaN.
//!
//! In the sequences `d` is the destination, which is none of the operands, and
//! `s` the scratch register.

use crate::asm::{Mem, Reg, Rm};
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::x64::float::Rounding;
use crate::isa::x64::vector::*;
use crate::isa::x64::{Assembler, FLOAT_SCRATCH};
use zwasm_regir::round::{double, single};
use zwasm_regir::simd_ops::{BinaryOp, ShiftOp, TernaryOp, UnaryOp};
use zwasm_regir::{Operand, Slot};

// The predicates of comparisons of floats.
const EQUAL: u8 = 0;
const LESS: u8 = 1;
const LESS_OR_EQUAL: u8 = 2;
const UNORDERED: u8 = 3;
const NOT_EQUAL: u8 = 4;

/// Selects the upper half of a vector, in 32-bit lanes.
const UPPER: u8 = 0xEE;

const TWO_TO_31_SINGLE: u32 = 0x4F00_0000;
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;

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
        _ => Sequence,
    }
}

impl Form {
    /// The instruction, if it is one, and its immediate.
    fn one_instruction(self) -> Option<(Vector, Option<u8>)> {
        match self {
            Form::Plain(inst) | Form::Swapped(inst) => Some((inst, None)),
            Form::Compare(inst, imm) | Form::CompareSwapped(inst, imm) => Some((inst, Some(imm))),
            _ => None,
        }
    }

    fn is_swapped(self) -> bool {
        matches!(self, Form::Swapped(_) | Form::CompareSwapped(..))
    }
}

/// The instruction for ops on one vector that are one, and its immediate.
fn one_instruction(op: UnaryOp) -> Option<(Vector, Option<u8>)> {
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

/// The shift of a lane's width, by a count in a register, and the width in bits.
fn shift_inst(op: ShiftOp) -> (Vector, u32) {
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

impl Compiler<'_, Assembler> {
    pub(super) fn vector_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        if let Some((inst, imm)) = one_instruction(op) {
            let src = self.vector_operand(a);
            self.consume(a);
            let d = self.result(dst);
            match imm {
                Some(imm) => self.asm.v2i(inst, d, src, imm),
                None => self.asm.v2(inst, d, src),
            }
            return self.define(d, dst, Class::Vector);
        }
        let with_literal = match op {
            V128Not => Some((PXOR, self.literal64(u64::MAX))),
            F32x4Abs => Some((ANDPS, self.literal32(i32::MAX as u32))),
            F64x2Abs => Some((ANDPS, self.literal64(i64::MAX as u64))),
            F32x4Neg => Some((XORPS, self.literal32(1 << 31))),
            F64x2Neg => Some((XORPS, self.literal64(1 << 63))),
            I16x8ExtaddPairwiseI8x16U => Some((PMADDUBSW, self.literal8(1))),
            I32x4ExtaddPairwiseI16x8S => Some((PMADDWD, self.literal16(1))),
            _ => None,
        };
        let src = self.vector_operand(a);
        self.consume(a);
        if let Some((inst, literal)) = with_literal {
            let d = self.result(dst);
            self.asm.v3(inst, d, src, literal);
            return self.define(d, dst, Class::Vector);
        }
        let d = self.alloc(Class::Vector, Some(dst.0));
        match op {
            I8x16Neg => self.negate(PSUBB, d, src),
            I16x8Neg => self.negate(PSUBW, d, src),
            I32x4Neg => self.negate(PSUBD, d, src),
            I64x2Neg => self.negate(PSUBQ, d, src),
            I16x8ExtendHighI8x16S => self.extend_upper(PMOVSXBW, d, src),
            I16x8ExtendHighI8x16U => self.extend_upper(PMOVZXBW, d, src),
            I32x4ExtendHighI16x8S => self.extend_upper(PMOVSXWD, d, src),
            I32x4ExtendHighI16x8U => self.extend_upper(PMOVZXWD, d, src),
            I64x2ExtendHighI32x4S => self.extend_upper(PMOVSXDQ, d, src),
            I64x2ExtendHighI32x4U => self.extend_upper(PMOVZXDQ, d, src),
            I8x16Popcnt => self.count_ones(d, src),
            _ => self.unary_sequence(op, d, src),
        }
        self.define(d, dst, Class::Vector);
    }

    fn negate(&mut self, subtract: Vector, d: Reg, a: Reg) {
        self.clear(d);
        self.asm.v3(subtract, d, d, a);
    }

    fn extend_upper(&mut self, extend: Vector, d: Reg, a: Reg) {
        self.asm.v2i(PSHUFD, d, a, UPPER);
        self.asm.v2(extend, d, d);
    }

    /// Looks up both halves of each byte.
    fn count_ones(&mut self, d: Reg, a: Reg) {
        let s = FLOAT_SCRATCH;
        let upper = self.alloc(Class::Vector, None);
        let low_bits = self.literal8(0x0F);
        let counts = self.literal([0x0302_0201_0201_0100, 0x0403_0302_0302_0201]);
        self.asm.v_shift(PSRLW, upper, a, 4);
        self.asm.v3(PAND, upper, upper, low_bits);
        self.asm.v3(PAND, s, a, low_bits);
        self.asm.v2(MOVAPS, d, counts);
        self.asm.v3(PSHUFB, d, d, s);
        self.asm.v2(MOVAPS, s, counts);
        self.asm.v3(PSHUFB, s, s, upper);
        self.asm.v3(PADDB, d, d, s);
    }

    fn unary_sequence(&mut self, op: UnaryOp, d: Reg, a: Reg) {
        use UnaryOp::*;
        let s = FLOAT_SCRATCH;
        match op {
            F32x4Canonical => {
                let nan = self.literal32(single::canonical(f32::NAN).to_bits());
                self.asm.v3i(CMPPS, s, a, a, UNORDERED);
                self.asm.v3(ANDNPS, d, s, a);
                self.asm.v3(ANDPS, s, s, nan);
                self.asm.v3(ORPS, d, d, s);
            }
            F64x2Canonical => {
                let nan = self.literal64(double::canonical(f64::NAN).to_bits());
                self.asm.v3i(CMPPD, s, a, a, UNORDERED);
                self.asm.v3(ANDNPS, d, s, a);
                self.asm.v3(ANDPS, s, s, nan);
                self.asm.v3(ORPS, d, d, s);
            }
            I64x2Abs => {
                // The sign in all bits.
                self.asm.v2i(PSHUFD, s, a, 0xF5);
                self.asm.v_shift(PSRAD, s, s, 31);
                self.asm.v3(PXOR, d, a, s);
                self.asm.v3(PSUBQ, d, d, s);
            }
            I16x8ExtaddPairwiseI8x16S => {
                // The first operand's bytes are unsigned.
                let ones = self.literal8(1);
                self.asm.v2(MOVAPS, d, ones);
                self.asm.v3(PMADDUBSW, d, d, a);
            }
            I32x4ExtaddPairwiseI16x8U => {
                // As signed numbers, each less by 2^15.
                let (sign, ones, less) =
                    (self.literal16(1 << 15), self.literal16(1), self.literal32(1 << 16));
                self.asm.v3(PXOR, d, a, sign);
                self.asm.v3(PMADDWD, d, d, ones);
                self.asm.v3(PADDD, d, d, less);
            }
            I32x4TruncSatF32x4S => {
                // Zero for NaN; the failure value becomes the largest number.
                let bound = self.literal32(TWO_TO_31_SINGLE);
                self.asm.v3i(CMPPS, s, a, a, EQUAL);
                self.asm.v3(ANDPS, d, a, s);
                self.asm.v2(MOVAPS, s, bound);
                self.asm.v3i(CMPPS, s, s, d, LESS_OR_EQUAL);
                self.asm.v2(CVTTPS2DQ, d, d);
                self.asm.v3(PXOR, d, d, s);
            }
            I32x4TruncSatF32x4U => {
                // What a number is above 2^31 is converted on its own and added.
                let bound = self.literal32(TWO_TO_31_SINGLE);
                let above = self.alloc(Class::Vector, None);
                self.clear(s);
                self.asm.v3(MAXPS, d, a, s);
                self.asm.v2(MOVAPS, s, bound);
                self.asm.v3(SUBPS, above, d, s);
                self.asm.v3i(CMPPS, s, s, above, LESS_OR_EQUAL);
                self.asm.v2(CVTTPS2DQ, above, above);
                self.asm.v3(PXOR, above, above, s);
                self.clear(s);
                self.asm.v3(PMAXSD, above, above, s);
                self.asm.v2(CVTTPS2DQ, d, d);
                self.asm.v3(PADDD, d, d, above);
            }
            F32x4ConvertI32x4U => {
                // The lower half of the bits and half of the upper are exact, and
                // only the last sum rounds.
                self.clear(s);
                self.asm.v3i(PBLENDW, s, s, a, 0x55);
                self.asm.v3(PSUBD, d, a, s);
                self.asm.v2(CVTDQ2PS, s, s);
                self.asm.v_shift(PSRLD, d, d, 1);
                self.asm.v2(CVTDQ2PS, d, d);
                self.asm.v3(ADDPS, d, d, d);
                self.asm.v3(ADDPS, d, d, s);
            }
            I32x4TruncSatF64x2SZero => {
                // A NaN takes part in a minimum with zero, which wins.
                let largest = self.literal64(f64::from(i32::MAX).to_bits());
                self.asm.v3i(CMPPD, s, a, a, EQUAL);
                self.asm.v3(ANDPS, s, s, largest);
                self.asm.v3(MINPD, d, a, s);
                self.asm.v2(CVTTPD2DQ, d, d);
            }
            I32x4TruncSatF64x2UZero => {
                // Added to 2^52, a number stands in the low bits.
                let (largest, shift) =
                    (self.literal64(f64::from(u32::MAX).to_bits()), self.literal64(TWO_TO_52));
                self.clear(s);
                self.asm.v3(MAXPD, d, a, s);
                self.asm.v3(MINPD, d, d, largest);
                self.asm.v2i(ROUNDPD, d, d, Rounding::Truncate.quiet());
                self.asm.v3(ADDPD, d, d, shift);
                self.asm.v3i(SHUFPS, d, d, s, 0x88);
            }
            F64x2ConvertLowI32x4U => {
                let (upper, shift) =
                    (self.literal32((TWO_TO_52 >> 32) as u32), self.literal64(TWO_TO_52));
                self.asm.v3(UNPCKLPS, d, a, upper);
                self.asm.v3(SUBPD, d, d, shift);
            }
            _ => self.failed = true,
        }
    }

    pub(super) fn vector_binary(&mut self, op: BinaryOp, dst: Slot, a: Slot, b: Slot) {
        let s = FLOAT_SCRATCH;
        let form = form(op);
        if let Some((inst, imm)) = form.one_instruction() {
            let (a, b) = if form.is_swapped() { (b, a) } else { (a, b) };
            return self.in_one(dst, a, b, inst, imm);
        }
        let (a, b) = self.vector_operands(a, b);
        let d = match form {
            Form::Not(inst) => {
                self.asm.v3(inst, s, a, b);
                self.inverted(dst, s)
            }
            Form::Bound(bound, equal) => {
                self.asm.v3(bound, s, a, b);
                let d = self.result(dst);
                self.asm.v3(equal, d, a, s);
                d
            }
            Form::NotBound(bound, equal) => {
                self.asm.v3(bound, s, a, b);
                self.asm.v3(equal, s, s, a);
                self.inverted(dst, s)
            }
            _ => {
                let d = self.alloc(Class::Vector, Some(dst.0));
                self.binary_sequence(op, d, a, b);
                d
            }
        };
        self.define(d, dst, Class::Vector);
    }

    /// The result that is the opposite of `a`.
    fn inverted(&mut self, dst: Slot, a: Reg) -> Reg {
        let ones = self.literal64(u64::MAX);
        let d = self.result(dst);
        self.asm.v3(PXOR, d, a, ones);
        d
    }

    /// Compiles an op one of whose operands is the vector at `place`, which is
    /// asked for when the other is in its register. False if that cannot be.
    pub(super) fn binary_with_loaded(
        &mut self,
        op: BinaryOp,
        dst: Slot,
        operands: [Slot; 2],
        loaded: Slot,
        place: impl FnOnce(&mut Self) -> Mem,
    ) -> bool {
        let form = form(op);
        let Some((inst, imm)) = form.one_instruction() else { return false };
        let [mut a, mut b] = operands;
        if form.is_swapped() || a == loaded && op.commutes() {
            (a, b) = (b, a);
        }
        if b != loaded || a == loaded {
            return false;
        }
        let first = self.vector_operand(a);
        let second = place(self);
        self.consume(a);
        let d = self.result(dst);
        self.asm.three_operands(inst, d, first, second.into(), imm);
        self.define(d, dst, Class::Vector);
        true
    }

    /// Two operands, read for the last time if they are temporaries.
    fn vector_operands(&mut self, a: Slot, b: Slot) -> (Reg, Reg) {
        let operands = (self.vector_operand(a), self.vector_operand(b));
        self.consume(a);
        self.consume(b);
        operands
    }

    fn binary_sequence(&mut self, op: BinaryOp, d: Reg, a: Reg, b: Reg) {
        use BinaryOp::*;
        let s = FLOAT_SCRATCH;
        match op {
            I8x16Swizzle => {
                // Indices from 16 on get their highest bit.
                let more = self.literal8(0x70);
                self.asm.v3(PADDUSB, s, b, more);
                self.asm.v3(PSHUFB, d, a, s);
            }
            I16x8Q15mulrSatS => {
                // The only product that does not fit wraps to the smallest number.
                let smallest = self.literal16(1 << 15);
                self.asm.v3(PMULHRSW, d, a, b);
                self.asm.v3(PCMPEQW, s, d, smallest);
                self.asm.v3(PXOR, d, d, s);
            }
            I64x2Mul => {
                let cross = self.alloc(Class::Vector, None);
                self.asm.v_shift(PSRLQ, s, a, 32);
                self.asm.v3(PMULUDQ, s, s, b);
                self.asm.v_shift(PSRLQ, cross, b, 32);
                self.asm.v3(PMULUDQ, cross, cross, a);
                self.asm.v3(PADDQ, s, s, cross);
                self.asm.v_shift(PSLLQ, s, s, 32);
                self.asm.v3(PMULUDQ, d, a, b);
                self.asm.v3(PADDQ, d, d, s);
            }
            I64x2LtS => self.greater_64(d, b, a),
            I64x2GtS => self.greater_64(d, a, b),
            I64x2LeS | I64x2GeS => {
                let (a, b) = if op == I64x2LeS { (a, b) } else { (b, a) };
                let ones = self.literal64(u64::MAX);
                self.greater_64(d, a, b);
                self.asm.v3(PXOR, d, d, ones);
            }
            I16x8ExtmulLowI8x16S | I16x8ExtmulLowI8x16U => {
                let extend = if op == I16x8ExtmulLowI8x16S { PMOVSXBW } else { PMOVZXBW };
                self.asm.v2(extend, s, a);
                self.asm.v2(extend, d, b);
                self.asm.v3(PMULLW, d, d, s);
            }
            I16x8ExtmulHighI8x16S | I16x8ExtmulHighI8x16U => {
                let extend = if op == I16x8ExtmulHighI8x16S { PMOVSXBW } else { PMOVZXBW };
                self.extend_upper(extend, s, a);
                self.extend_upper(extend, d, b);
                self.asm.v3(PMULLW, d, d, s);
            }
            I32x4ExtmulLowI16x8S => self.multiply_16(PMULHW, PUNPCKLWD, d, a, b),
            I32x4ExtmulHighI16x8S => self.multiply_16(PMULHW, PUNPCKHWD, d, a, b),
            I32x4ExtmulLowI16x8U => self.multiply_16(PMULHUW, PUNPCKLWD, d, a, b),
            I32x4ExtmulHighI16x8U => self.multiply_16(PMULHUW, PUNPCKHWD, d, a, b),
            I64x2ExtmulLowI32x4S => self.multiply_32(PMULDQ, 0x50, d, a, b),
            I64x2ExtmulHighI32x4S => self.multiply_32(PMULDQ, 0xFA, d, a, b),
            I64x2ExtmulLowI32x4U => self.multiply_32(PMULUDQ, 0x50, d, a, b),
            I64x2ExtmulHighI32x4U => self.multiply_32(PMULUDQ, 0xFA, d, a, b),
            F32x4Min => {
                self.both_orders(MINPS, d, a, b);
                self.asm.v3(ORPS, s, s, d);
                self.canonical_nan(CMPPS, PSRLD, 10, d);
            }
            F64x2Min => {
                self.both_orders(MINPD, d, a, b);
                self.asm.v3(ORPS, s, s, d);
                self.canonical_nan(CMPPD, PSRLQ, 13, d);
            }
            F32x4Max => {
                self.both_orders(MAXPS, d, a, b);
                self.merge_maxima(SUBPS, d);
                self.canonical_nan(CMPPS, PSRLD, 10, d);
            }
            F64x2Max => {
                self.both_orders(MAXPD, d, a, b);
                self.merge_maxima(SUBPD, d);
                self.canonical_nan(CMPPD, PSRLQ, 13, d);
            }
            I16x8RelaxedDotI8x16I7x16S => self.dot_bytes(d, a, b),
            _ => self.failed = true,
        }
    }

    /// `a > b` of signed 64-bit lanes.
    fn greater_64(&mut self, d: Reg, a: Reg, b: Reg) {
        if self.asm.features.avx {
            return self.asm.v3(PCMPGTQ, d, a, b);
        }
        // If the upper halves are equal, the borrow of the lower ones decides.
        let s = FLOAT_SCRATCH;
        self.asm.v3(PSUBQ, s, b, a);
        self.asm.v3(PCMPEQD, d, a, b);
        self.asm.v3(PAND, s, s, d);
        self.asm.v3(PCMPGTD, d, a, b);
        self.asm.v3(POR, d, d, s);
        self.asm.v2i(PSHUFD, d, d, 0xF5);
    }

    /// Products of 16-bit lanes from their lower and upper halves.
    fn multiply_16(&mut self, upper: Vector, interleave: Vector, d: Reg, a: Reg, b: Reg) {
        let s = FLOAT_SCRATCH;
        self.asm.v3(PMULLW, d, a, b);
        self.asm.v3(upper, s, a, b);
        self.asm.v3(interleave, d, d, s);
    }

    /// Products of the 32-bit lanes that `lanes` brings to even places.
    fn multiply_32(&mut self, multiply: Vector, lanes: u8, d: Reg, a: Reg, b: Reg) {
        let s = FLOAT_SCRATCH;
        self.asm.v2i(PSHUFD, s, a, lanes);
        self.asm.v2i(PSHUFD, d, b, lanes);
        self.asm.v3(multiply, d, d, s);
    }

    /// `s = inst(a, b)` and `d = inst(b, a)`: they differ where one is NaN, or both
    /// are zero.
    fn both_orders(&mut self, inst: Vector, d: Reg, a: Reg, b: Reg) {
        self.asm.v3(inst, FLOAT_SCRATCH, a, b);
        self.asm.v3(inst, d, b, a);
    }

    /// Joins maxima that differ: NaN wins, and otherwise the positive zero.
    fn merge_maxima(&mut self, subtract: Vector, d: Reg) {
        let s = FLOAT_SCRATCH;
        self.asm.v3(XORPS, d, d, s);
        self.asm.v3(ORPS, s, s, d);
        self.asm.v3(subtract, s, s, d);
    }

    /// `d = s` with every NaN made canonical; `d` has a NaN only where `s` has.
    fn canonical_nan(&mut self, compare: Vector, shift: Vector, kept: u8, d: Reg) {
        let s = FLOAT_SCRATCH;
        self.asm.v3i(compare, d, d, s, UNORDERED);
        self.asm.v3(ORPS, s, s, d);
        self.asm.v_shift(shift, d, d, kept);
        self.asm.v3(ANDNPS, d, d, s);
    }

    /// Saturated sums of two products of signed bytes.
    fn dot_bytes(&mut self, d: Reg, a: Reg, b: Reg) {
        let s = FLOAT_SCRATCH;
        let other = self.alloc(Class::Vector, None);
        self.asm.v_shift(PSLLW, s, a, 8);
        self.asm.v_shift(PSRAW, s, s, 8);
        self.asm.v_shift(PSLLW, other, b, 8);
        self.asm.v_shift(PSRAW, other, other, 8);
        self.asm.v3(PMULLW, s, s, other);
        self.asm.v_shift(PSRAW, d, a, 8);
        self.asm.v_shift(PSRAW, other, b, 8);
        self.asm.v3(PMULLW, d, d, other);
        self.asm.v3(PADDSW, d, d, s);
    }

    pub(super) fn vector_ternary(&mut self, op: TernaryOp, dst: Slot, [a, b, c]: [Slot; 3]) {
        use TernaryOp::*;
        let s = FLOAT_SCRATCH;
        let third = self.vector_operand(c);
        let (a, b) = self.vector_operands(a, b);
        self.consume(c);
        // The last step of each: an instruction with an operand and the scratch
        // register.
        let (inst, operand) = match op {
            V128Bitselect => {
                self.asm.v3(PXOR, s, a, b);
                self.asm.v3(PAND, s, s, third);
                (PXOR, b)
            }
            F32x4RelaxedMadd | F32x4RelaxedNmadd => {
                self.asm.v3(MULPS, s, a, b);
                (if op == F32x4RelaxedMadd { ADDPS } else { SUBPS }, third)
            }
            F64x2RelaxedMadd | F64x2RelaxedNmadd => {
                self.asm.v3(MULPD, s, a, b);
                (if op == F64x2RelaxedMadd { ADDPD } else { SUBPD }, third)
            }
            I32x4RelaxedDotI8x16I7x16AddS => {
                let ones = self.literal16(1);
                let sums = self.alloc(Class::Vector, None);
                self.dot_bytes(sums, a, b);
                self.asm.v3(PMADDWD, s, sums, ones);
                (PADDD, third)
            }
        };
        let d = self.result(dst);
        self.asm.v3(inst, d, operand, s);
        self.define(d, dst, Class::Vector);
    }

    pub(super) fn vector_shift(&mut self, op: ShiftOp, dst: Slot, a: Slot, count: Operand) {
        let (inst, width) = shift_inst(op);
        let constant = match self.resolve(count) {
            Operand::Const(value) => Some((value as u32 % width) as u8),
            Operand::Slot(_) => None,
        };
        if constant == Some(0) {
            self.consume_operand(count);
            return self.unchanged(dst, a);
        }
        let src = self.vector_operand(a);
        let (bytes, signed_64) = (width == 8, op == ShiftOp::I64x2ShrS);
        if !bytes && !signed_64 {
            let d = match constant {
                Some(shift) => {
                    self.consume_operand(count);
                    self.consume(a);
                    let d = self.result(dst);
                    self.asm.v_shift(inst, d, src, shift);
                    d
                }
                None => {
                    self.shift_count(count, width, 0);
                    self.consume(a);
                    let d = self.result(dst);
                    self.asm.v3(inst, d, src, FLOAT_SCRATCH);
                    d
                }
            };
            return self.define(d, dst, Class::Vector);
        }
        match constant {
            Some(_) => self.consume_operand(count),
            // Bytes with sign are shifted in the upper halves of 16 bits.
            None => self.shift_count(count, width, if op == ShiftOp::I8x16ShrS { 8 } else { 0 }),
        }
        self.consume(a);
        let d = self.alloc(Class::Vector, Some(dst.0));
        match (constant, op) {
            (Some(shift), ShiftOp::I64x2ShrS) => {
                let sign = self.literal64(1 << 63 >> shift);
                self.asm.v_shift(PSRLQ, d, src, shift);
                self.extend_sign(d, sign);
            }
            (Some(shift), ShiftOp::I8x16ShrS) => {
                let s = FLOAT_SCRATCH;
                self.asm.v3(PUNPCKHBW, s, src, src);
                self.asm.v_shift(PSRAW, s, s, shift + 8);
                self.asm.v3(PUNPCKLBW, d, src, src);
                self.asm.v_shift(PSRAW, d, d, shift + 8);
                self.asm.v3(PACKSSWB, d, d, s);
            }
            (Some(shift), _) => {
                // The bits that come from the neighbour are cleared.
                let kept = if op == ShiftOp::I8x16Shl { 0xFF << shift } else { 0xFF >> shift };
                let kept = self.literal8(kept);
                self.asm.v_shift(inst, d, src, shift);
                self.asm.v3(PAND, d, d, kept);
            }
            (None, _) => self.shift_variable(op, d, src),
        }
        self.define(d, dst, Class::Vector);
    }

    /// Extends the sign of shifted 64-bit lanes; `sign` is where it is now.
    fn extend_sign(&mut self, d: Reg, sign: Rm) {
        self.asm.v3(PXOR, d, d, sign);
        self.asm.v3(PSUBQ, d, d, sign);
    }

    /// The shifts that have no instruction, by the count in the scratch register.
    fn shift_variable(&mut self, op: ShiftOp, d: Reg, a: Reg) {
        let s = FLOAT_SCRATCH;
        let other = self.alloc(Class::Vector, None);
        match op {
            ShiftOp::I64x2ShrS => {
                let sign = self.literal64(1 << 63);
                self.asm.v2(MOVAPS, other, sign);
                self.asm.v3(PSRLQ, other, other, s);
                self.asm.v3(PSRLQ, d, a, s);
                self.extend_sign(d, other.into());
            }
            ShiftOp::I8x16ShrS => {
                self.asm.v3(PUNPCKHBW, other, a, a);
                self.asm.v3(PSRAW, other, other, s);
                self.asm.v3(PUNPCKLBW, d, a, a);
                self.asm.v3(PSRAW, d, d, s);
                self.asm.v3(PACKSSWB, d, d, other);
            }
            _ => {
                // Bytes of as many zeros and then ones: what is shifted out by a
                // left shift, and what a right shift leaves.
                self.asm.v3(PCMPEQD, other, other, other);
                self.asm.v_shift(PSRLW, other, other, 8);
                self.asm.v3(PSRLW, other, other, s);
                self.asm.v3(PACKUSWB, other, other, other);
                if op == ShiftOp::I8x16Shl {
                    self.asm.v3(PAND, d, a, other);
                    self.asm.v3(PSLLW, d, d, s);
                } else {
                    self.asm.v3(PSRLW, d, a, s);
                    self.asm.v3(PAND, d, d, other);
                }
            }
        }
    }
}
