//! Ops on vectors that are short sequences of instructions.
//!
//! Where those are long, they follow what has become customary: conversions of unsigned
//! numbers by halves, 64-bit products by partial products, minimum and maximum in both
//! orders to see zeros and NaN.
//!
//! In the sequences `d` is the destination, which is none of the operands, `s` the
//! scratch register, and `temps` are as many registers as [`super::vector_ops`] says.

use super::float::Rounding;
use super::vector::*;
use super::vector_ops::{
    EQUAL, LESS_OR_EQUAL, UNORDERED, literal8, literal16, literal32, literal64,
};
use super::{Assembler, FLOAT_SCRATCH};
use crate::asm::{Reg, Rm};
use zwasm_regir::round::{double, single};
use zwasm_regir::simd_ops::{BinaryOp, ShiftOp, UnaryOp};

/// Selects the upper half of a vector, in 32-bit lanes.
const UPPER: u8 = 0xEE;

const TWO_TO_31_SINGLE: u32 = 0x4F00_0000;
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;

impl Assembler {
    fn vector_literal(&mut self, halves: [u64; 2]) -> Rm {
        self.literal(halves).into()
    }

    fn vector64(&mut self, half: u64) -> Rm {
        self.vector_literal(literal64(half))
    }

    fn vector32(&mut self, lane: u32) -> Rm {
        self.vector_literal(literal32(lane))
    }

    fn vector16(&mut self, lane: u16) -> Rm {
        self.vector_literal(literal16(lane))
    }

    fn vector8(&mut self, lane: u8) -> Rm {
        self.vector_literal(literal8(lane))
    }

    fn negate(&mut self, subtract: Vector, d: Reg, a: Reg) {
        self.clear(d);
        self.v3(subtract, d, d, a);
    }

    fn extend_upper(&mut self, extend: Vector, d: Reg, a: Reg) {
        self.v2i(PSHUFD, d, a, UPPER);
        self.v2(extend, d, d);
    }

    /// Looks up both halves of each byte.
    fn count_bits(&mut self, d: Reg, a: Reg, upper: Reg) {
        let s = FLOAT_SCRATCH;
        let low_bits = self.vector8(0x0F);
        let counts = self.vector_literal([0x0302_0201_0201_0100, 0x0403_0302_0302_0201]);
        self.v_shift(PSRLW, upper, a, 4);
        self.v3(PAND, upper, upper, low_bits);
        self.v3(PAND, s, a, low_bits);
        self.v2(MOVAPS, d, counts);
        self.v3(PSHUFB, d, d, s);
        self.v2(MOVAPS, s, counts);
        self.v3(PSHUFB, s, s, upper);
        self.v3(PADDB, d, d, s);
    }

    /// An op on one vector.
    pub(super) fn unary_sequence(&mut self, op: UnaryOp, d: Reg, a: Reg, temps: &[Reg]) {
        use UnaryOp::*;
        let s = FLOAT_SCRATCH;
        match op {
            I8x16Neg => self.negate(PSUBB, d, a),
            I16x8Neg => self.negate(PSUBW, d, a),
            I32x4Neg => self.negate(PSUBD, d, a),
            I64x2Neg => self.negate(PSUBQ, d, a),
            I16x8ExtendHighI8x16S => self.extend_upper(PMOVSXBW, d, a),
            I16x8ExtendHighI8x16U => self.extend_upper(PMOVZXBW, d, a),
            I32x4ExtendHighI16x8S => self.extend_upper(PMOVSXWD, d, a),
            I32x4ExtendHighI16x8U => self.extend_upper(PMOVZXWD, d, a),
            I64x2ExtendHighI32x4S => self.extend_upper(PMOVSXDQ, d, a),
            I64x2ExtendHighI32x4U => self.extend_upper(PMOVZXDQ, d, a),
            I8x16Popcnt => self.count_bits(d, a, temps[0]),
            F32x4Canonical => {
                let nan = self.vector32(single::canonical(f32::NAN).to_bits());
                self.v3i(CMPPS, s, a, a, UNORDERED);
                self.v3(ANDNPS, d, s, a);
                self.v3(ANDPS, s, s, nan);
                self.v3(ORPS, d, d, s);
            }
            F64x2Canonical => {
                let nan = self.vector64(double::canonical(f64::NAN).to_bits());
                self.v3i(CMPPD, s, a, a, UNORDERED);
                self.v3(ANDNPS, d, s, a);
                self.v3(ANDPS, s, s, nan);
                self.v3(ORPS, d, d, s);
            }
            I64x2Abs => {
                // The sign in all bits.
                self.v2i(PSHUFD, s, a, 0xF5);
                self.v_shift(PSRAD, s, s, 31);
                self.v3(PXOR, d, a, s);
                self.v3(PSUBQ, d, d, s);
            }
            I16x8ExtaddPairwiseI8x16S => {
                // The first operand's bytes are unsigned.
                let ones = self.vector8(1);
                self.v2(MOVAPS, d, ones);
                self.v3(PMADDUBSW, d, d, a);
            }
            I32x4ExtaddPairwiseI16x8U => {
                // As signed numbers, each less by 2^15.
                let (sign, ones, less) =
                    (self.vector16(1 << 15), self.vector16(1), self.vector32(1 << 16));
                self.v3(PXOR, d, a, sign);
                self.v3(PMADDWD, d, d, ones);
                self.v3(PADDD, d, d, less);
            }
            I32x4TruncSatF32x4S => {
                // Zero for NaN; the failure value becomes the largest number.
                let bound = self.vector32(TWO_TO_31_SINGLE);
                self.v3i(CMPPS, s, a, a, EQUAL);
                self.v3(ANDPS, d, a, s);
                self.v2(MOVAPS, s, bound);
                self.v3i(CMPPS, s, s, d, LESS_OR_EQUAL);
                self.v2(CVTTPS2DQ, d, d);
                self.v3(PXOR, d, d, s);
            }
            I32x4TruncSatF32x4U => {
                // What a number is above 2^31 is converted on its own and added.
                let bound = self.vector32(TWO_TO_31_SINGLE);
                let above = temps[0];
                self.clear(s);
                self.v3(MAXPS, d, a, s);
                self.v2(MOVAPS, s, bound);
                self.v3(SUBPS, above, d, s);
                self.v3i(CMPPS, s, s, above, LESS_OR_EQUAL);
                self.v2(CVTTPS2DQ, above, above);
                self.v3(PXOR, above, above, s);
                self.clear(s);
                self.v3(PMAXSD, above, above, s);
                self.v2(CVTTPS2DQ, d, d);
                self.v3(PADDD, d, d, above);
            }
            F32x4ConvertI32x4U => {
                // The lower half of the bits and half of the upper are exact, and
                // only the last sum rounds.
                self.clear(s);
                self.v3i(PBLENDW, s, s, a, 0x55);
                self.v3(PSUBD, d, a, s);
                self.v2(CVTDQ2PS, s, s);
                self.v_shift(PSRLD, d, d, 1);
                self.v2(CVTDQ2PS, d, d);
                self.v3(ADDPS, d, d, d);
                self.v3(ADDPS, d, d, s);
            }
            I32x4TruncSatF64x2SZero => {
                // A NaN takes part in a minimum with zero, which wins.
                let largest = self.vector64(f64::from(i32::MAX).to_bits());
                self.v3i(CMPPD, s, a, a, EQUAL);
                self.v3(ANDPS, s, s, largest);
                self.v3(MINPD, d, a, s);
                self.v2(CVTTPD2DQ, d, d);
            }
            I32x4TruncSatF64x2UZero => {
                // Added to 2^52, a number stands in the low bits.
                let (largest, shift) =
                    (self.vector64(f64::from(u32::MAX).to_bits()), self.vector64(TWO_TO_52));
                self.clear(s);
                self.v3(MAXPD, d, a, s);
                self.v3(MINPD, d, d, largest);
                self.v2i(ROUNDPD, d, d, Rounding::Truncate.quiet());
                self.v3(ADDPD, d, d, shift);
                self.v3i(SHUFPS, d, d, s, 0x88);
            }
            F64x2ConvertLowI32x4U => {
                let (upper, shift) =
                    (self.vector32((TWO_TO_52 >> 32) as u32), self.vector64(TWO_TO_52));
                self.v3(UNPCKLPS, d, a, upper);
                self.v3(SUBPD, d, d, shift);
            }
            _ => debug_assert!(false, "{op:?} is one instruction"),
        }
    }

    /// An op on two vectors.
    pub(super) fn binary_sequence(&mut self, op: BinaryOp, d: Reg, a: Reg, b: Reg, temps: &[Reg]) {
        use BinaryOp::*;
        let s = FLOAT_SCRATCH;
        match op {
            I8x16Swizzle => {
                // Indices from 16 on get their highest bit.
                let more = self.vector8(0x70);
                self.v3(PADDUSB, s, b, more);
                self.v3(PSHUFB, d, a, s);
            }
            I16x8Q15mulrSatS => {
                // The only product that does not fit wraps to the smallest number.
                let smallest = self.vector16(1 << 15);
                self.v3(PMULHRSW, d, a, b);
                self.v3(PCMPEQW, s, d, smallest);
                self.v3(PXOR, d, d, s);
            }
            I64x2Mul => {
                let cross = temps[0];
                self.v_shift(PSRLQ, s, a, 32);
                self.v3(PMULUDQ, s, s, b);
                self.v_shift(PSRLQ, cross, b, 32);
                self.v3(PMULUDQ, cross, cross, a);
                self.v3(PADDQ, s, s, cross);
                self.v_shift(PSLLQ, s, s, 32);
                self.v3(PMULUDQ, d, a, b);
                self.v3(PADDQ, d, d, s);
            }
            I64x2LtS => self.greater_64(d, b, a),
            I64x2GtS => self.greater_64(d, a, b),
            I64x2LeS | I64x2GeS => {
                let (a, b) = if op == I64x2LeS { (a, b) } else { (b, a) };
                let ones = self.vector64(u64::MAX);
                self.greater_64(d, a, b);
                self.v3(PXOR, d, d, ones);
            }
            I16x8ExtmulLowI8x16S | I16x8ExtmulLowI8x16U => {
                let extend = if op == I16x8ExtmulLowI8x16S { PMOVSXBW } else { PMOVZXBW };
                self.v2(extend, s, a);
                self.v2(extend, d, b);
                self.v3(PMULLW, d, d, s);
            }
            I16x8ExtmulHighI8x16S | I16x8ExtmulHighI8x16U => {
                let extend = if op == I16x8ExtmulHighI8x16S { PMOVSXBW } else { PMOVZXBW };
                self.extend_upper(extend, s, a);
                self.extend_upper(extend, d, b);
                self.v3(PMULLW, d, d, s);
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
                self.v3(ORPS, s, s, d);
                self.canonical_nan(CMPPS, PSRLD, 10, d);
            }
            F64x2Min => {
                self.both_orders(MINPD, d, a, b);
                self.v3(ORPS, s, s, d);
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
            I16x8RelaxedDotI8x16I7x16S => self.dot_bytes(d, a, b, temps[0]),
            _ => debug_assert!(false, "{op:?} is one instruction or two"),
        }
    }

    /// `a > b` of signed 64-bit lanes.
    fn greater_64(&mut self, d: Reg, a: Reg, b: Reg) {
        if self.features.avx {
            return self.v3(PCMPGTQ, d, a, b);
        }
        // If the upper halves are equal, the borrow of the lower ones decides.
        let s = FLOAT_SCRATCH;
        self.v3(PSUBQ, s, b, a);
        self.v3(PCMPEQD, d, a, b);
        self.v3(PAND, s, s, d);
        self.v3(PCMPGTD, d, a, b);
        self.v3(POR, d, d, s);
        self.v2i(PSHUFD, d, d, 0xF5);
    }

    /// Products of 16-bit lanes from their lower and upper halves.
    fn multiply_16(&mut self, upper: Vector, interleave: Vector, d: Reg, a: Reg, b: Reg) {
        let s = FLOAT_SCRATCH;
        self.v3(PMULLW, d, a, b);
        self.v3(upper, s, a, b);
        self.v3(interleave, d, d, s);
    }

    /// Products of the 32-bit lanes that `lanes` brings to even places.
    fn multiply_32(&mut self, multiply: Vector, lanes: u8, d: Reg, a: Reg, b: Reg) {
        let s = FLOAT_SCRATCH;
        self.v2i(PSHUFD, s, a, lanes);
        self.v2i(PSHUFD, d, b, lanes);
        self.v3(multiply, d, d, s);
    }

    /// `s = inst(a, b)` and `d = inst(b, a)`: they differ where one is NaN, or both
    /// are zero.
    fn both_orders(&mut self, inst: Vector, d: Reg, a: Reg, b: Reg) {
        self.v3(inst, FLOAT_SCRATCH, a, b);
        self.v3(inst, d, b, a);
    }

    /// Joins maxima that differ: NaN wins, and otherwise the positive zero.
    fn merge_maxima(&mut self, subtract: Vector, d: Reg) {
        let s = FLOAT_SCRATCH;
        self.v3(XORPS, d, d, s);
        self.v3(ORPS, s, s, d);
        self.v3(subtract, s, s, d);
    }

    /// `d = s` with every NaN made canonical; `d` has a NaN only where `s` has.
    fn canonical_nan(&mut self, compare: Vector, shift: Vector, kept: u8, d: Reg) {
        let s = FLOAT_SCRATCH;
        self.v3i(compare, d, d, s, UNORDERED);
        self.v3(ORPS, s, s, d);
        self.v_shift(shift, d, d, kept);
        self.v3(ANDNPS, d, d, s);
    }

    /// Saturated sums of two products of signed bytes.
    pub(super) fn dot_bytes(&mut self, d: Reg, a: Reg, b: Reg, other: Reg) {
        let s = FLOAT_SCRATCH;
        self.v_shift(PSLLW, s, a, 8);
        self.v_shift(PSRAW, s, s, 8);
        self.v_shift(PSLLW, other, b, 8);
        self.v_shift(PSRAW, other, other, 8);
        self.v3(PMULLW, s, s, other);
        self.v_shift(PSRAW, d, a, 8);
        self.v_shift(PSRAW, other, b, 8);
        self.v3(PMULLW, d, d, other);
        self.v3(PADDSW, d, d, s);
    }

    /// Extends the sign of shifted 64-bit lanes; `sign` is where it is now.
    pub(super) fn extend_sign(&mut self, d: Reg, sign: Rm) {
        self.v3(PXOR, d, d, sign);
        self.v3(PSUBQ, d, d, sign);
    }

    /// The shifts that have no instruction, by the count in the scratch register.
    pub(super) fn shift_sequence(&mut self, op: ShiftOp, d: Reg, a: Reg, temps: &[Reg]) {
        let s = FLOAT_SCRATCH;
        let other = temps[0];
        match op {
            ShiftOp::I64x2ShrS => {
                let sign = self.vector64(1 << 63);
                self.v2(MOVAPS, other, sign);
                self.v3(PSRLQ, other, other, s);
                self.v3(PSRLQ, d, a, s);
                self.extend_sign(d, other.into());
            }
            ShiftOp::I8x16ShrS => {
                self.v3(PUNPCKHBW, other, a, a);
                self.v3(PSRAW, other, other, s);
                self.v3(PUNPCKLBW, d, a, a);
                self.v3(PSRAW, d, d, s);
                self.v3(PACKSSWB, d, d, other);
            }
            _ => {
                // Bytes of as many zeros and then ones: what is shifted out by a
                // left shift, and what a right shift leaves.
                self.v3(PCMPEQD, other, other, other);
                self.v_shift(PSRLW, other, other, 8);
                self.v3(PSRLW, other, other, s);
                self.v3(PACKUSWB, other, other, other);
                if op == ShiftOp::I8x16Shl {
                    self.v3(PAND, d, a, other);
                    self.v3(PSLLW, d, d, s);
                } else {
                    self.v3(PSRLW, d, a, s);
                    self.v3(PAND, d, d, other);
                }
            }
        }
    }
}
