//! The machine's vector instructions and sequences, before and after registers are
//! allocated.

use super::Src;
use super::emit::{Emitter, Regs};
use super::inst::Address;
use crate::asm::Reg;
use crate::isa::x64::vector::Vector;
use crate::isa::x64::vector_lanes::is_flag;
use crate::isa::x64::vector_ops::{Needs, binary_needs, shift_needs, ternary_needs, unary_needs};
use crate::isa::x64::{Cond, Condition, FLOAT_SCRATCH};
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::{
    BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp,
};

/// An instruction. The lists are those of operands: `=` is written, `t` are registers to
/// work with, as many as the op needs, `a` to `c` are read, `@` are those of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum VectorInst {
    /// `[=]`: all zeros or all ones.
    Fill { ones: bool },
    /// `[=, a or @]`.
    Two { inst: Vector, imm: Option<u8>, src: Src },
    /// `[=, a, b or @]` with VEX, else `[= over a, a, b or @]`.
    Three { inst: Vector, imm: Option<u8>, src: Src },
    /// `[=, t.., a]`.
    Unary(UnaryOp),
    /// `[=, t.., a, b]`.
    Binary(BinaryOp),
    /// `[=, t.., a, b, c]`.
    Ternary(TernaryOp),
    /// `[=, a]`.
    ShiftBy(ShiftOp, u8),
    /// `[=, t.., a, count]`.
    Shift(ShiftOp),
    /// `[a]`: leaves the result in the flags.
    Flag(TestOp),
    /// `[=, a]`.
    Test(TestOp),
    /// `[=, a]`: of a float.
    SplatFloat(SplatOp),
    /// `[=, a or @]`: of an integer.
    SplatInteger { op: SplatOp, src: Src },
    /// `[=, a]`.
    ExtractFloat(ExtractOp, u8),
    /// `[=, a]`.
    ExtractInteger(ExtractOp, u8),
    /// `[=, a, b]` with VEX, else `[= over a, a, b]`: by a float.
    ReplaceFloat(Width, u8),
    /// `[=, @]`.
    Load { op: LoadOp, address: Address },
    /// `[a, @]`.
    StoreLane { width: Width, lane: u8, address: Address },
}

/// Whether a test leaves its result in the flags, and how.
pub(super) fn flag(op: TestOp) -> Option<Condition> {
    let cond = match op {
        TestOp::V128AnyTrue => Cond::NotEqual,
        _ => Cond::Equal,
    };
    is_flag(op).then_some(Condition::Flag(cond))
}

impl VectorInst {
    /// Emits it on the registers given.
    pub(super) fn emit(self, e: &mut Emitter<'_>, regs: &mut Regs<'_>) {
        match self {
            VectorInst::Fill { ones } => {
                let d = regs.reg();
                let half = if ones { u64::MAX } else { 0 };
                e.asm.vector_constant(d, [half; 2]);
            }
            VectorInst::Two { inst, imm, src } => {
                let d = regs.reg();
                let src = regs.src(src);
                match imm {
                    Some(imm) => e.asm.v2i(inst, d, src, imm),
                    None => e.asm.v2(inst, d, src),
                }
            }
            VectorInst::Three { inst, imm, src } => {
                let (d, a) = (regs.reg(), regs.reg());
                let b = regs.src(src);
                e.asm.three_operands(inst, d, a, b, imm);
            }
            VectorInst::Unary(op) => {
                let (d, temps) = result(unary_needs(op), regs);
                let a = regs.reg();
                e.asm.vector_unary(op, d, a, &temps);
            }
            VectorInst::Binary(op) => {
                let (d, temps) = result(binary_needs(op), regs);
                let (a, b) = (regs.reg(), regs.reg());
                e.asm.vector_binary(op, d, a, b, &temps);
            }
            VectorInst::Ternary(op) => {
                let (d, temps) = result(ternary_needs(op), regs);
                let abc = [regs.reg(), regs.reg(), regs.reg()];
                e.asm.vector_ternary(op, d, abc, &temps);
            }
            VectorInst::ShiftBy(op, count) => {
                let (d, a) = (regs.reg(), regs.reg());
                e.asm.vector_shift_by(op, d, a, count);
            }
            VectorInst::Shift(op) => {
                let (d, temps) = result(shift_needs(op), regs);
                let (a, count) = (regs.reg(), regs.reg());
                e.asm.vector_shift_count(op, count);
                e.asm.vector_shift(op, d, a, &temps);
            }
            VectorInst::Flag(op) => {
                let a = regs.reg();
                e.asm.vector_flag(op, a);
            }
            VectorInst::Test(op) => {
                let (d, a) = (regs.reg(), regs.reg());
                match flag(op) {
                    Some(condition) => {
                        e.asm.vector_flag(op, a);
                        e.asm.set(condition, d);
                    }
                    None => e.asm.vector_bitmask(op, d, a),
                }
            }
            VectorInst::SplatFloat(op) => {
                let (d, a) = (regs.reg(), regs.reg());
                e.asm.splat_float(op, d, a);
            }
            VectorInst::SplatInteger { op, src } => {
                let d = regs.reg();
                let src = regs.src(src);
                e.asm.splat_integer(op, d, src);
            }
            VectorInst::ExtractFloat(op, lane) => {
                let (d, a) = (regs.reg(), regs.reg());
                e.asm.extract_float(op, d, a, lane);
            }
            VectorInst::ExtractInteger(op, lane) => {
                let (d, a) = (regs.reg(), regs.reg());
                e.asm.extract_integer(op, d, a, lane);
            }
            VectorInst::ReplaceFloat(width, lane) => {
                let (d, a, value) = (regs.reg(), regs.reg(), regs.reg());
                e.asm.replace_float(width, d, a, value, lane);
            }
            VectorInst::Load { op, address } => {
                let d = regs.reg();
                let mem = regs.mem(address);
                e.asm.vector_load(op, d, mem);
            }
            VectorInst::StoreLane { width, lane, address } => {
                let src = regs.reg();
                let mem = regs.mem(address);
                e.asm.store_lane(width, mem, src, lane);
            }
        }
    }
}

/// The registers that are written.
fn result(needs: Needs, regs: &mut Regs<'_>) -> (Reg, [Reg; 2]) {
    let d = regs.reg();
    let mut temps = [FLOAT_SCRATCH; 2];
    temps[..needs.temps].fill_with(|| regs.reg());
    (d, temps)
}
