//! Vectors: constants, tests, what leads to and from scalars, and memory.
//!
//! Registers may be the same unless it is said that they differ. All may overwrite the
//! vector scratch register.

use super::vector::*;
use super::{Assembler, Cond, FLOAT_SCRATCH, emit};
use crate::asm::{Mem, Reg, Rm};
use crate::isa::Primitives;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::{ExtractOp, LoadOp, SplatOp, TestOp};

/// The instruction that replaces a lane by an integer.
pub(crate) fn insert(width: Width) -> Vector {
    match width {
        Width::B8 => PINSRB,
        Width::B16 => PINSRW,
        Width::B32 => PINSRD,
        Width::B64 => PINSRQ,
    }
}

/// Whether a test is one of flags.
pub(crate) fn is_flag(op: TestOp) -> bool {
    use TestOp::*;
    matches!(op, V128AnyTrue | I8x16AllTrue | I16x8AllTrue | I32x4AllTrue | I64x2AllTrue)
}

/// Whether a splat is one of a float, which is in a vector register.
pub(crate) fn splats_float(op: SplatOp) -> bool {
    matches!(op, SplatOp::F32x4Splat | SplatOp::F64x2Splat)
}

impl Assembler {
    /// Clears a vector.
    pub(super) fn clear(&mut self, reg: Reg) {
        self.v3(PXOR, reg, reg, reg);
    }

    /// Loads a constant.
    pub(crate) fn vector_constant(&mut self, reg: Reg, halves: [u64; 2]) {
        match halves {
            [0, 0] => self.clear(reg),
            [u64::MAX, u64::MAX] => self.v3(PCMPEQD, reg, reg, reg),
            _ => {
                let literal = self.literal(halves);
                self.v2(MOVAPS, reg, literal);
            }
        }
    }

    /// A test that is a flag; says which.
    pub(crate) fn vector_flag(&mut self, op: TestOp, a: Reg) -> Cond {
        let equal = match op {
            TestOp::I8x16AllTrue => PCMPEQB,
            TestOp::I16x8AllTrue => PCMPEQW,
            TestOp::I32x4AllTrue => PCMPEQD,
            TestOp::I64x2AllTrue => PCMPEQQ,
            TestOp::V128AnyTrue
            | TestOp::I8x16Bitmask
            | TestOp::I16x8Bitmask
            | TestOp::I32x4Bitmask
            | TestOp::I64x2Bitmask => {
                self.v2(PTEST, a, a);
                return Cond::NotEqual;
            }
        };
        let zero = FLOAT_SCRATCH;
        self.clear(zero);
        self.v3(equal, zero, zero, a);
        self.v2(PTEST, zero, zero);
        Cond::Equal
    }

    /// A test that is none of flags.
    pub(crate) fn vector_bitmask(&mut self, op: TestOp, d: Reg, a: Reg) {
        match op {
            TestOp::I8x16Bitmask => self.v2(PMOVMSKB, d, a),
            TestOp::I32x4Bitmask => self.v2(MOVMSKPS, d, a),
            TestOp::I64x2Bitmask => self.v2(MOVMSKPD, d, a),
            // The signs survive the saturation.
            _ => {
                self.v3(PACKSSWB, FLOAT_SCRATCH, a, a);
                self.v2(PMOVMSKB, d, FLOAT_SCRATCH);
                emit!(*self, movzbl_rm(d, Rm::Reg(d)));
            }
        }
    }

    /// Copies a float to all lanes.
    pub(crate) fn splat_float(&mut self, op: SplatOp, d: Reg, a: Reg) {
        match op {
            SplatOp::F32x4Splat => self.v3i(SHUFPS, d, a, a, 0),
            _ => self.v2(MOVDDUP, d, a),
        }
    }

    /// Copies an integer to all lanes.
    pub(crate) fn splat_integer(&mut self, op: SplatOp, d: Reg, a: Rm) {
        match op {
            SplatOp::I64x2Splat => self.v2(MOVQ, d, a),
            _ => self.v2(MOVD, d, a),
        }
        self.broadcast_low(op, d);
    }

    /// Copies the lowest lane to all others.
    fn broadcast_low(&mut self, op: SplatOp, reg: Reg) {
        match op {
            SplatOp::I8x16Splat if self.features.avx2 => self.v2(VPBROADCASTB, reg, reg),
            SplatOp::I16x8Splat if self.features.avx2 => self.v2(VPBROADCASTW, reg, reg),
            SplatOp::I8x16Splat => {
                self.clear(FLOAT_SCRATCH);
                self.v3(PSHUFB, reg, reg, FLOAT_SCRATCH);
            }
            SplatOp::I16x8Splat => {
                self.v2i(PSHUFLW, reg, reg, 0);
                self.v2i(PSHUFD, reg, reg, 0);
            }
            SplatOp::I32x4Splat | SplatOp::F32x4Splat => self.v2i(PSHUFD, reg, reg, 0),
            SplatOp::I64x2Splat | SplatOp::F64x2Splat => self.v2i(PSHUFD, reg, reg, 0x44),
        }
    }

    /// Takes out a lane that is a float. In the upper half of an `f32`'s register are zeros,
    /// of an `f64`'s anything.
    pub(crate) fn extract_float(&mut self, op: ExtractOp, d: Reg, a: Reg, lane: u8) {
        match (op, lane) {
            // The lane comes first, and the others become zero.
            (ExtractOp::F32x4ExtractLane, _) => self.v3i(INSERTPS, d, a, a, lane << 6 | 0xE),
            (_, 0) if d == a => {}
            (_, 0) => self.mov(d, a),
            _ => self.v2i(PSHUFD, d, a, 0xEE),
        }
    }

    /// Takes out a lane that is an integer.
    pub(crate) fn extract_integer(&mut self, op: ExtractOp, d: Reg, a: Reg, lane: u8) {
        use ExtractOp::*;
        match op {
            I8x16ExtractLaneS | I8x16ExtractLaneU => self.v2i(PEXTRB, a, d, lane),
            I16x8ExtractLaneS | I16x8ExtractLaneU => self.v2i(PEXTRW, a, d, lane),
            I64x2ExtractLane if lane == 0 => self.v2(MOVQ_STORE, a, d),
            I64x2ExtractLane => self.v2i(PEXTRQ, a, d, lane),
            _ if lane == 0 => self.v2(MOVD_STORE, a, d),
            _ => self.v2i(PEXTRD, a, d, lane),
        }
        match op {
            I8x16ExtractLaneS => emit!(*self, movsbl_rm(d, Rm::Reg(d))),
            I16x8ExtractLaneS => emit!(*self, movswl_rm(d, Rm::Reg(d))),
            _ => {}
        }
    }

    /// Replaces a lane by an integer, in a register or in memory.
    pub(crate) fn replace_integer(&mut self, width: Width, d: Reg, a: Reg, value: Rm, lane: u8) {
        self.v3i(insert(width), d, a, value, lane);
    }

    /// Replaces a lane of 32 or 64 bits by a float. Without VEX the destination must not be
    /// the float's register, unless that is `a`.
    pub(crate) fn replace_float(&mut self, width: Width, d: Reg, a: Reg, value: Reg, lane: u8) {
        match (width, lane) {
            (Width::B32, _) => self.v3i(INSERTPS, d, a, value, lane << 4),
            (_, 0) => self.v3(MOVSD, d, a, value),
            _ => self.v3(UNPCKLPD, d, a, value),
        }
    }

    /// A load of a vector, or of less that becomes one.
    pub(crate) fn vector_load(&mut self, op: LoadOp, d: Reg, from: Mem) {
        use LoadOp::*;
        match op {
            V128Load => self.v2(MOVUPS, d, from),
            V128Load8x8S => self.v2(PMOVSXBW, d, from),
            V128Load8x8U => self.v2(PMOVZXBW, d, from),
            V128Load16x4S => self.v2(PMOVSXWD, d, from),
            V128Load16x4U => self.v2(PMOVZXWD, d, from),
            V128Load32x2S => self.v2(PMOVSXDQ, d, from),
            V128Load32x2U => self.v2(PMOVZXDQ, d, from),
            V128Load32Zero => self.v2(MOVSS, d, from),
            V128Load64Zero => self.v2(MOVSD, d, from),
            V128Load64Splat => self.v2(MOVDDUP, d, from),
            V128Load32Splat if self.features.avx => self.v2(VBROADCASTSS, d, from),
            V128Load32Splat => {
                self.v2(MOVSS, d, from);
                self.broadcast_low(SplatOp::I32x4Splat, d);
            }
            V128Load8Splat if self.features.avx2 => self.v2(VPBROADCASTB, d, from),
            V128Load16Splat if self.features.avx2 => self.v2(VPBROADCASTW, d, from),
            V128Load8Splat => {
                self.clear(d);
                self.v3i(PINSRB, d, d, from, 0);
                self.broadcast_low(SplatOp::I8x16Splat, d);
            }
            V128Load16Splat => {
                self.clear(d);
                self.v3i(PINSRW, d, d, from, 0);
                self.broadcast_low(SplatOp::I16x8Splat, d);
            }
        }
    }

    /// Stores a lane.
    pub(crate) fn store_lane(&mut self, width: Width, to: Mem, src: Reg, lane: u8) {
        match (width, lane) {
            (Width::B32, 0) => self.v2(MOVSS_STORE, src, to),
            (Width::B64, 0) => self.v2(MOVSD_STORE, src, to),
            (Width::B8, _) => self.v2i(PEXTRB, src, to, lane),
            (Width::B16, _) => self.v2i(PEXTRW, src, to, lane),
            (Width::B32, _) => self.v2i(PEXTRD, src, to, lane),
            (Width::B64, _) => self.v2i(PEXTRQ, src, to, lane),
        }
    }
}
