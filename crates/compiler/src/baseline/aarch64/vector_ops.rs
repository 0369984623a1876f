//! Arithmetic on vectors.
//!
//! Most ops are an instruction, or two with a comparison turned around; tables say which.
//! The others are short sequences. What relaxed ops leave open, and which lanes saturate,
//! is as in the reference definitions. A NaN that is computed is the processor's.

use super::vector::{OnOne, OnTwo, S, T};
use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::state::{Class, RegSet};
use crate::isa::Primitives;
use crate::isa::aarch64::regs::Lanes;
use crate::isa::aarch64::{Assembler, vec};
use Lanes::{B8, B16, D2, H4, H8, S2, S4};
use zwasm_regir::round::{double, single};
use zwasm_regir::simd_ops::{BinaryOp, ShiftOp, TernaryOp, UnaryOp};
use zwasm_regir::{Operand, Slot};

/// An op on one vector.
#[derive(Clone, Copy)]
enum Unary {
    One(OnOne, Lanes),
    /// An instruction, and another on what it makes.
    Twice([(OnOne, Lanes); 2]),
    /// Makes every NaN the one whose bits fill half a register.
    Canonical(Lanes, u64),
}

fn unary_form(op: UnaryOp) -> Unary {
    use Unary::*;
    use UnaryOp::*;
    match op {
        V128Not => One(vec::mvn, B16),
        F32x4DemoteF64x2Zero => One(vec::fcvtn, S2),
        F64x2PromoteLowF32x4 => One(vec::fcvtl, S2),
        I8x16Abs => One(vec::abs, B16),
        I8x16Neg => One(vec::neg, B16),
        I8x16Popcnt => One(vec::cnt, B16),
        F32x4Ceil => One(vec::frintp, S4),
        F32x4Floor => One(vec::frintm, S4),
        F32x4Trunc => One(vec::frintz, S4),
        F32x4Nearest => One(vec::frintn, S4),
        F64x2Ceil => One(vec::frintp, D2),
        F64x2Floor => One(vec::frintm, D2),
        F64x2Trunc => One(vec::frintz, D2),
        F64x2Nearest => One(vec::frintn, D2),
        I16x8ExtaddPairwiseI8x16S => One(vec::saddlp, B16),
        I16x8ExtaddPairwiseI8x16U => One(vec::uaddlp, B16),
        I32x4ExtaddPairwiseI16x8S => One(vec::saddlp, H8),
        I32x4ExtaddPairwiseI16x8U => One(vec::uaddlp, H8),
        I16x8Abs => One(vec::abs, H8),
        I16x8Neg => One(vec::neg, H8),
        I16x8ExtendLowI8x16S => One(vec::sxtl, B8),
        I16x8ExtendHighI8x16S => One(vec::sxtl, B16),
        I16x8ExtendLowI8x16U => One(vec::uxtl, B8),
        I16x8ExtendHighI8x16U => One(vec::uxtl, B16),
        I32x4Abs => One(vec::abs, S4),
        I32x4Neg => One(vec::neg, S4),
        I32x4ExtendLowI16x8S => One(vec::sxtl, H4),
        I32x4ExtendHighI16x8S => One(vec::sxtl, H8),
        I32x4ExtendLowI16x8U => One(vec::uxtl, H4),
        I32x4ExtendHighI16x8U => One(vec::uxtl, H8),
        I64x2Abs => One(vec::abs, D2),
        I64x2Neg => One(vec::neg, D2),
        I64x2ExtendLowI32x4S => One(vec::sxtl, S2),
        I64x2ExtendHighI32x4S => One(vec::sxtl, S4),
        I64x2ExtendLowI32x4U => One(vec::uxtl, S2),
        I64x2ExtendHighI32x4U => One(vec::uxtl, S4),
        F32x4Canonical => {
            Canonical(S4, u64::from(single::canonical(f32::NAN).to_bits()) * 0x1_0000_0001)
        }
        F64x2Canonical => Canonical(D2, double::canonical(f64::NAN).to_bits()),
        F32x4Abs => One(vec::fabs, S4),
        F32x4Neg => One(vec::fneg, S4),
        F32x4Sqrt => One(vec::fsqrt, S4),
        F64x2Abs => One(vec::fabs, D2),
        F64x2Neg => One(vec::fneg, D2),
        F64x2Sqrt => One(vec::fsqrt, D2),
        // Conversions saturate, and of NaN give zero.
        I32x4TruncSatF32x4S => One(vec::fcvtzs, S4),
        I32x4TruncSatF32x4U => One(vec::fcvtzu, S4),
        F32x4ConvertI32x4S => One(vec::scvtf, S4),
        F32x4ConvertI32x4U => One(vec::ucvtf, S4),
        I32x4TruncSatF64x2SZero => Twice([(vec::fcvtzs, D2), (vec::sqxtn, S2)]),
        I32x4TruncSatF64x2UZero => Twice([(vec::fcvtzu, D2), (vec::uqxtn, S2)]),
        F64x2ConvertLowI32x4S => Twice([(vec::sxtl, S2), (vec::scvtf, D2)]),
        F64x2ConvertLowI32x4U => Twice([(vec::uxtl, S2), (vec::ucvtf, D2)]),
    }
}

/// Emits `d = a op b`.
type Sequence = fn(&mut Assembler, Reg, Reg, Reg);

/// An op on two vectors.
#[derive(Clone, Copy)]
enum Binary {
    /// `inst(a, b)`.
    Plain(OnTwo, Lanes),
    /// `inst(b, a)`.
    Swapped(OnTwo, Lanes),
    /// `!inst(a, b)`.
    Not(OnTwo, Lanes),
    /// The result may be put over an operand.
    Over(Sequence),
    /// The result's register is none of the operands'.
    Apart(Sequence),
}

fn binary_form(op: BinaryOp) -> Binary {
    use Binary::*;
    use BinaryOp::*;
    match op {
        // Beyond the end of the table are zeros.
        I8x16Swizzle => Plain(vec::tbl1, B16),
        I8x16Eq => Plain(vec::cmeq, B16),
        I8x16Ne => Not(vec::cmeq, B16),
        I8x16LtS => Swapped(vec::cmgt, B16),
        I8x16LtU => Swapped(vec::cmhi, B16),
        I8x16GtS => Plain(vec::cmgt, B16),
        I8x16GtU => Plain(vec::cmhi, B16),
        I8x16LeS => Swapped(vec::cmge, B16),
        I8x16LeU => Swapped(vec::cmhs, B16),
        I8x16GeS => Plain(vec::cmge, B16),
        I8x16GeU => Plain(vec::cmhs, B16),
        I16x8Eq => Plain(vec::cmeq, H8),
        I16x8Ne => Not(vec::cmeq, H8),
        I16x8LtS => Swapped(vec::cmgt, H8),
        I16x8LtU => Swapped(vec::cmhi, H8),
        I16x8GtS => Plain(vec::cmgt, H8),
        I16x8GtU => Plain(vec::cmhi, H8),
        I16x8LeS => Swapped(vec::cmge, H8),
        I16x8LeU => Swapped(vec::cmhs, H8),
        I16x8GeS => Plain(vec::cmge, H8),
        I16x8GeU => Plain(vec::cmhs, H8),
        I32x4Eq => Plain(vec::cmeq, S4),
        I32x4Ne => Not(vec::cmeq, S4),
        I32x4LtS => Swapped(vec::cmgt, S4),
        I32x4LtU => Swapped(vec::cmhi, S4),
        I32x4GtS => Plain(vec::cmgt, S4),
        I32x4GtU => Plain(vec::cmhi, S4),
        I32x4LeS => Swapped(vec::cmge, S4),
        I32x4LeU => Swapped(vec::cmhs, S4),
        I32x4GeS => Plain(vec::cmge, S4),
        I32x4GeU => Plain(vec::cmhs, S4),
        I64x2Eq => Plain(vec::cmeq, D2),
        I64x2Ne => Not(vec::cmeq, D2),
        I64x2LtS => Swapped(vec::cmgt, D2),
        I64x2GtS => Plain(vec::cmgt, D2),
        I64x2LeS => Swapped(vec::cmge, D2),
        I64x2GeS => Plain(vec::cmge, D2),
        F32x4Eq => Plain(vec::fcmeq, S4),
        F32x4Ne => Not(vec::fcmeq, S4),
        F32x4Lt => Swapped(vec::fcmgt, S4),
        F32x4Gt => Plain(vec::fcmgt, S4),
        F32x4Le => Swapped(vec::fcmge, S4),
        F32x4Ge => Plain(vec::fcmge, S4),
        F64x2Eq => Plain(vec::fcmeq, D2),
        F64x2Ne => Not(vec::fcmeq, D2),
        F64x2Lt => Swapped(vec::fcmgt, D2),
        F64x2Gt => Plain(vec::fcmgt, D2),
        F64x2Le => Swapped(vec::fcmge, D2),
        F64x2Ge => Plain(vec::fcmge, D2),
        V128And => Plain(vec::and, B16),
        V128Andnot => Plain(vec::bic, B16),
        V128Or => Plain(vec::orr, B16),
        V128Xor => Plain(vec::eor, B16),
        I8x16NarrowI16x8S => Apart(|asm, d, a, b| asm.narrow_lanes(vec::sqxtn, [B8, B16], d, a, b)),
        I8x16NarrowI16x8U => {
            Apart(|asm, d, a, b| asm.narrow_lanes(vec::sqxtun, [B8, B16], d, a, b))
        }
        I16x8NarrowI32x4S => Apart(|asm, d, a, b| asm.narrow_lanes(vec::sqxtn, [H4, H8], d, a, b)),
        I16x8NarrowI32x4U => Apart(|asm, d, a, b| asm.narrow_lanes(vec::sqxtun, [H4, H8], d, a, b)),
        I8x16Add => Plain(vec::add, B16),
        I8x16AddSatS => Plain(vec::sqadd, B16),
        I8x16AddSatU => Plain(vec::uqadd, B16),
        I8x16Sub => Plain(vec::sub, B16),
        I8x16SubSatS => Plain(vec::sqsub, B16),
        I8x16SubSatU => Plain(vec::uqsub, B16),
        I8x16MinS => Plain(vec::smin, B16),
        I8x16MinU => Plain(vec::umin, B16),
        I8x16MaxS => Plain(vec::smax, B16),
        I8x16MaxU => Plain(vec::umax, B16),
        I8x16AvgrU => Plain(vec::urhadd, B16),
        I16x8Q15mulrSatS => Plain(vec::sqrdmulh, H8),
        I16x8Add => Plain(vec::add, H8),
        I16x8AddSatS => Plain(vec::sqadd, H8),
        I16x8AddSatU => Plain(vec::uqadd, H8),
        I16x8Sub => Plain(vec::sub, H8),
        I16x8SubSatS => Plain(vec::sqsub, H8),
        I16x8SubSatU => Plain(vec::uqsub, H8),
        I16x8Mul => Plain(vec::mul, H8),
        I16x8MinS => Plain(vec::smin, H8),
        I16x8MinU => Plain(vec::umin, H8),
        I16x8MaxS => Plain(vec::smax, H8),
        I16x8MaxU => Plain(vec::umax, H8),
        I16x8AvgrU => Plain(vec::urhadd, H8),
        I16x8ExtmulLowI8x16S => Plain(vec::smull, B8),
        I16x8ExtmulHighI8x16S => Plain(vec::smull, B16),
        I16x8ExtmulLowI8x16U => Plain(vec::umull, B8),
        I16x8ExtmulHighI8x16U => Plain(vec::umull, B16),
        I32x4Add => Plain(vec::add, S4),
        I32x4Sub => Plain(vec::sub, S4),
        I32x4Mul => Plain(vec::mul, S4),
        I32x4MinS => Plain(vec::smin, S4),
        I32x4MinU => Plain(vec::umin, S4),
        I32x4MaxS => Plain(vec::smax, S4),
        I32x4MaxU => Plain(vec::umax, S4),
        I32x4DotI16x8S => Over(|asm, d, a, b| {
            asm.emit(vec::smull(H4, S, a, b));
            asm.emit(vec::smull(H8, T, a, b));
            asm.emit(vec::addp(S4, d, S, T));
        }),
        I32x4ExtmulLowI16x8S => Plain(vec::smull, H4),
        I32x4ExtmulHighI16x8S => Plain(vec::smull, H8),
        I32x4ExtmulLowI16x8U => Plain(vec::umull, H4),
        I32x4ExtmulHighI16x8U => Plain(vec::umull, H8),
        I64x2Add => Plain(vec::add, D2),
        I64x2Sub => Plain(vec::sub, D2),
        I64x2Mul => Apart(|asm, d, a, b| {
            // The lower halves' product, and above it the sum of the mixed ones.
            asm.emit(vec::rev64(S4, S, b));
            asm.emit(vec::mul(S4, S, S, a));
            asm.emit(vec::uaddlp(S4, S, S));
            asm.emit(vec::shl(D2, d, S, 32));
            asm.emit(vec::xtn(S2, S, a));
            asm.emit(vec::xtn(S2, T, b));
            asm.emit(vec::umlal(S2, d, S, T));
        }),
        I64x2ExtmulLowI32x4S => Plain(vec::smull, S2),
        I64x2ExtmulHighI32x4S => Plain(vec::smull, S4),
        I64x2ExtmulLowI32x4U => Plain(vec::umull, S2),
        I64x2ExtmulHighI32x4U => Plain(vec::umull, S4),
        F32x4Add => Plain(vec::fadd, S4),
        F32x4Sub => Plain(vec::fsub, S4),
        F32x4Mul => Plain(vec::fmul, S4),
        F32x4Div => Plain(vec::fdiv, S4),
        F32x4Min => Plain(vec::fmin, S4),
        F32x4Max => Plain(vec::fmax, S4),
        F32x4Pmin => Apart(|asm, d, a, b| asm.choose_lanes(S4, d, (a, b), (b, a))),
        F32x4Pmax => Apart(|asm, d, a, b| asm.choose_lanes(S4, d, (b, a), (b, a))),
        F64x2Add => Plain(vec::fadd, D2),
        F64x2Sub => Plain(vec::fsub, D2),
        F64x2Mul => Plain(vec::fmul, D2),
        F64x2Div => Plain(vec::fdiv, D2),
        F64x2Min => Plain(vec::fmin, D2),
        F64x2Max => Plain(vec::fmax, D2),
        F64x2Pmin => Apart(|asm, d, a, b| asm.choose_lanes(D2, d, (a, b), (b, a))),
        F64x2Pmax => Apart(|asm, d, a, b| asm.choose_lanes(D2, d, (b, a), (b, a))),
        I16x8RelaxedDotI8x16I7x16S => Over(|asm, d, a, b| asm.dot_bytes(d, d, a, b)),
    }
}

impl Assembler {
    /// The lanes of both operands, each half as wide.
    fn narrow_lanes(&mut self, inst: OnOne, halves: [Lanes; 2], d: Reg, a: Reg, b: Reg) {
        self.emit(inst(halves[0], d, a));
        self.emit(inst(halves[1], d, b));
    }

    /// Of each lane the first choice if the first float is greater, else the second.
    fn choose_lanes(&mut self, lanes: Lanes, d: Reg, floats: (Reg, Reg), choices: (Reg, Reg)) {
        self.emit(vec::fcmgt(lanes, d, floats.0, floats.1));
        self.emit(vec::bsl(B16, d, choices.0, choices.1));
    }

    /// Saturated sums of two products of signed bytes. The register `even` is free once the
    /// operands are read.
    fn dot_bytes(&mut self, d: Reg, even: Reg, a: Reg, b: Reg) {
        self.emit(vec::smull(B8, S, a, b));
        self.emit(vec::smull(B16, T, a, b));
        self.emit(vec::uzp1(H8, even, S, T));
        self.emit(vec::uzp2(H8, S, S, T));
        self.emit(vec::sqadd(H8, d, even, S));
    }
}

/// How a shift goes.
#[derive(Clone, Copy)]
enum Direction {
    Left,
    RightSigned,
    RightUnsigned,
}

fn shift_form(op: ShiftOp) -> (Direction, Lanes) {
    use Direction::*;
    use ShiftOp::*;
    match op {
        I8x16Shl => (Left, B16),
        I8x16ShrS => (RightSigned, B16),
        I8x16ShrU => (RightUnsigned, B16),
        I16x8Shl => (Left, H8),
        I16x8ShrS => (RightSigned, H8),
        I16x8ShrU => (RightUnsigned, H8),
        I32x4Shl => (Left, S4),
        I32x4ShrS => (RightSigned, S4),
        I32x4ShrU => (RightUnsigned, S4),
        I64x2Shl => (Left, D2),
        I64x2ShrS => (RightSigned, D2),
        I64x2ShrU => (RightUnsigned, D2),
    }
}

impl Compiler<'_, Assembler> {
    pub(super) fn vector_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        let src = self.vector_operand(a);
        self.consume(a);
        let d = match unary_form(op) {
            Unary::One(inst, lanes) => {
                let d = self.vector_result(dst);
                self.asm.emit(inst(lanes, d, src));
                d
            }
            Unary::Twice([(first, narrow), (second, wide)]) => {
                let d = self.vector_result(dst);
                self.asm.emit(first(narrow, d, src));
                self.asm.emit(second(wide, d, d));
                d
            }
            Unary::Canonical(lanes, nan) => {
                let d = self.alloc(Class::Vector, Some(dst.0));
                self.asm.vector_constant(S, [nan; 2]);
                self.asm.emit(vec::fcmeq(lanes, d, src, src));
                self.asm.emit(vec::bsl(B16, d, src, S));
                d
            }
        };
        self.define(d, dst, Class::Vector);
    }

    pub(super) fn vector_binary(&mut self, op: BinaryOp, dst: Slot, a: Slot, b: Slot) {
        let (first, second) = self.vector_operands(a, b);
        let form = binary_form(op);
        let d = match form {
            Binary::Apart(_) => self.alloc(Class::Vector, Some(dst.0)),
            Binary::Plain(..) | Binary::Swapped(..) | Binary::Not(..) | Binary::Over(_) => {
                self.vector_result(dst)
            }
        };
        match form {
            Binary::Plain(inst, lanes) => self.asm.emit(inst(lanes, d, first, second)),
            Binary::Swapped(inst, lanes) => self.asm.emit(inst(lanes, d, second, first)),
            Binary::Not(inst, lanes) => {
                self.asm.emit(inst(lanes, d, first, second));
                self.asm.emit(vec::mvn(B16, d, d));
            }
            Binary::Over(sequence) | Binary::Apart(sequence) => {
                sequence(&mut self.asm, d, first, second);
            }
        }
        self.define(d, dst, Class::Vector);
    }

    pub(super) fn vector_ternary(&mut self, op: TernaryOp, dst: Slot, [a, b, c]: [Slot; 3]) {
        use TernaryOp::*;
        if op == V128Bitselect {
            return self.bitselect(dst, a, b, c);
        }
        let third = self.vector_operand(c);
        let (first, second) = self.vector_operands(a, b);
        self.consume(c);
        // The last instruction, with an operand and the scratch register.
        let (inst, lanes): (OnTwo, Lanes) = match op {
            F32x4RelaxedMadd => (vec::fadd, S4),
            F32x4RelaxedNmadd => (vec::fsub, S4),
            F64x2RelaxedMadd => (vec::fadd, D2),
            F64x2RelaxedNmadd => (vec::fsub, D2),
            I32x4RelaxedDotI8x16I7x16AddS | V128Bitselect => {
                // The operands are read when the result's register is needed.
                self.state.locked = RegSet::default();
                self.state.lock(third);
                let d = self.alloc(Class::Vector, Some(dst.0));
                self.asm.dot_bytes(S, d, first, second);
                self.asm.emit(vec::saddlp(H8, S, S));
                self.asm.emit(vec::add(S4, d, third, S));
                return self.define(d, dst, Class::Vector);
            }
        };
        // Rounded twice.
        self.asm.emit(vec::fmul(lanes, S, first, second));
        let d = self.vector_result(dst);
        self.asm.emit(inst(lanes, d, third, S));
        self.define(d, dst, Class::Vector);
    }

    /// The bits of `yes` where those of `mask` are ones, elsewhere those of `no`. There is
    /// an instruction for each operand that can become the result.
    fn bitselect(&mut self, dst: Slot, yes: Slot, no: Slot, mask: Slot) {
        let regs = [yes, no, mask].map(|slot| self.vector_operand(slot));
        let [a, b, c] = regs;
        let d = if self.is_last_use(mask, dst) {
            self.asm.emit(vec::bsl(B16, c, a, b));
            c
        } else if self.is_last_use(no, dst) {
            self.asm.emit(vec::bit(B16, b, a, c));
            b
        } else if self.is_last_use(yes, dst) {
            self.asm.emit(vec::bif(B16, a, b, c));
            a
        } else {
            let d = self.alloc(Class::Vector, Some(dst.0));
            self.asm.mov(d, c);
            self.asm.emit(vec::bsl(B16, d, a, b));
            d
        };
        for slot in [yes, no, mask] {
            self.consume(slot);
        }
        self.define(d, dst, Class::Vector);
    }

    pub(super) fn vector_shift(&mut self, op: ShiftOp, dst: Slot, a: Slot, count: Operand) {
        let (direction, lanes) = shift_form(op);
        let constant = match self.resolve(count) {
            Operand::Const(value) => Some((value as u32 % lanes.elem().bits()) as u8),
            Operand::Slot(_) => None,
        };
        if constant == Some(0) {
            self.consume_operand(count);
            return self.unchanged(dst, a);
        }
        let src = self.vector_operand(a);
        match constant {
            Some(_) => self.consume_operand(count),
            None => self.shift_count(count, lanes, !matches!(direction, Direction::Left)),
        }
        self.consume(a);
        let d = self.vector_result(dst);
        self.asm.emit(match (direction, constant) {
            (Direction::Left, Some(count)) => vec::shl(lanes, d, src, count),
            (Direction::RightSigned, Some(count)) => vec::sshr(lanes, d, src, count),
            (Direction::RightUnsigned, Some(count)) => vec::ushr(lanes, d, src, count),
            (Direction::Left | Direction::RightUnsigned, None) => vec::ushl(lanes, d, src, S),
            (Direction::RightSigned, None) => vec::sshl(lanes, d, src, S),
        });
        self.define(d, dst, Class::Vector);
    }
}
