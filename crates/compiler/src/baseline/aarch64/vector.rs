//! Vectors: operands and results, moves, tests, and what leads to and from scalars.
//!
//! Arithmetic is in [`super::vector_ops`], lanes' orders in [`super::vector_shuffle`],
//! memory in [`super::vector_memory`]. An op whose last instruction alone writes the
//! result takes its register from [`Compiler::vector_result`], which may be an operand's.
//! Instructions that change a part of their destination get a copy of the operand, or the
//! operand itself where nobody reads it again: [`Compiler::vector_over`].
//!
//! What is in between is in the scratch registers [`S`] and [`T`]; of the general ones, what
//! a condition looks at is in `INT_SCRATCH`, which moves behind it leave alone.

use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location, RegSet};
use crate::isa::aarch64::regs::{Access, Elem, Lanes, Shift, Width, ZR};
use crate::isa::aarch64::vector_imm::vector_constant;
use crate::isa::aarch64::{
    Assembler, Condition, FLOAT_SCRATCH, INT_SCRATCH, Inst, VALUE, VECTOR_SCRATCH, inst, vec,
};
use crate::isa::{Alu, Primitives};
use zwasm_regir::simd::{SimdInst, Width as LaneWidth};
use zwasm_regir::simd_ops::{BinaryOp, ExtractOp, SplatOp, TestOp, UnaryOp};
use zwasm_regir::{Inst as IrInst, Operand, Slot};

/// The scratch registers.
pub(super) const S: Reg = FLOAT_SCRATCH;
pub(super) const T: Reg = VECTOR_SCRATCH;

/// An instruction with one operand.
pub(super) type OnOne = fn(Lanes, Reg, Reg) -> Inst;
/// An instruction with two operands.
pub(super) type OnTwo = fn(Lanes, Reg, Reg, Reg) -> Inst;

/// A lane of the IR.
pub(super) fn elem(width: LaneWidth) -> Elem {
    match width {
        LaneWidth::B8 => Elem::B,
        LaneWidth::B16 => Elem::H,
        LaneWidth::B32 => Elem::S,
        LaneWidth::B64 => Elem::D,
    }
}

impl Compiler<'_, Assembler> {
    /// Compiles two instructions at once, of which the second decides by the test that the
    /// first makes, or adds to what it computes. Whether it did.
    pub(super) fn pair(&mut self, first: &IrInst, second: &IrInst) -> bool {
        match (*first, *second) {
            (
                IrInst::Simd(SimdInst::Test { op, dst, a }),
                IrInst::BrIf { cond, negate, target },
            ) if cond == dst && self.is_temporary(dst.0) && is_decision(op) => {
                let condition = self.decide(op, a);
                self.branch_if(if negate { !condition } else { condition }, target);
            }
            (
                IrInst::Simd(SimdInst::Test { op, dst, a }),
                IrInst::Select { dst: into, cond, a: yes, b: no, .. },
            ) if cond == dst && self.is_temporary(dst.0) && is_decision(op) => {
                self.select(into, yes, no, |this| this.decide(op, a));
            }
            (
                IrInst::Simd(SimdInst::Test { op, dst, a }),
                IrInst::Simd(SimdInst::Select { dst: into, cond, a: yes, b: no }),
            ) if cond == dst && self.is_temporary(dst.0) && is_decision(op) => {
                self.vector_select(into, yes, no, |this| this.decide(op, a));
            }
            (
                IrInst::Simd(SimdInst::Binary { op, dst, a, b }),
                IrInst::Simd(SimdInst::Binary { op: sum, dst: into, a: x, b: y }),
            ) if self.is_temporary(dst.0) && (x == dst) != (y == dst) => {
                let Some((inst, lanes)) = added_product(op, sum) else { return false };
                let (first, second) = (self.vector_operand(a), self.vector_operand(b));
                let d = self.vector_over(into, if x == dst { y } else { x });
                self.asm.emit(inst(lanes, d, first, second));
                self.consume(a);
                self.consume(b);
                self.define(d, into, Class::Vector);
            }
            (
                IrInst::Simd(SimdInst::Unary { op, dst, a }),
                IrInst::Simd(SimdInst::Binary { op: sum, dst: into, a: x, b: y }),
            ) if self.is_temporary(dst.0) && (x == dst) != (y == dst) => {
                let Some((inst, lanes)) = added_pairs(op, sum) else { return false };
                let src = self.vector_operand(a);
                let d = self.vector_over(into, if x == dst { y } else { x });
                self.asm.emit(inst(lanes, d, src));
                self.consume(a);
                self.define(d, into, Class::Vector);
            }
            _ => return false,
        }
        true
    }

    /// A register for the result of the last instruction of an op: all operands have been
    /// asked for, and the result may be put over one of them.
    pub(super) fn vector_result(&mut self, dst: Slot) -> Reg {
        self.state.locked = RegSet::default();
        self.alloc(Class::Vector, Some(dst.0))
    }

    /// Whether nobody reads an operand again once the result is there.
    pub(super) fn is_last_use(&self, operand: Slot, dst: Slot) -> bool {
        operand == dst || self.is_temporary(operand.0)
    }

    /// An operand in a register of which the result is made by changing a part of it. All
    /// other operands have been asked for; this one is consumed.
    pub(super) fn vector_over(&mut self, dst: Slot, a: Slot) -> Reg {
        let src = self.vector_operand(a);
        if self.is_last_use(a, dst) {
            self.state.release(src);
            return src;
        }
        let reg = self.alloc(Class::Vector, Some(dst.0));
        self.asm.mov(reg, src);
        reg
    }

    /// Two operands in registers, consumed.
    pub(super) fn vector_operands(&mut self, a: Slot, b: Slot) -> (Reg, Reg) {
        let operands = (self.vector_operand(a), self.vector_operand(b));
        self.consume(a);
        self.consume(b);
        operands
    }

    /// The result of an op that leaves its operand as it is.
    pub(super) fn unchanged(&mut self, dst: Slot, a: Slot) {
        if self.is_temporary(a.0) {
            let reg = self.vector_operand(a);
            return self.define(reg, dst, Class::Vector);
        }
        self.vector_copy(dst, a);
    }

    /// A constant, made by an instruction or loaded.
    pub(super) fn constant_in(&mut self, reg: Reg, halves: [u64; 2]) {
        self.asm.vector_constant(reg, halves);
    }

    /// Emits a test that decides, and says by what.
    fn decide(&mut self, op: TestOp, a: Slot) -> Condition {
        let src = self.vector_operand(a);
        self.consume(a);
        let smallest = |lanes| vec::uminv(lanes, S, src);
        match op {
            TestOp::I8x16AllTrue => self.asm.emit(smallest(Lanes::B16)),
            TestOp::I16x8AllTrue => self.asm.emit(smallest(Lanes::H8)),
            TestOp::I32x4AllTrue => self.asm.emit(smallest(Lanes::S4)),
            TestOp::I64x2AllTrue => {
                // No lane may be zero.
                self.asm.emit(vec::cmeq_zero(Lanes::D2, S, src));
                self.asm.emit(vec::umaxp(Lanes::S4, S, S, S));
                self.asm.emit(inst::fmov_to_general(Width::X, INT_SCRATCH, S));
                return Condition::Zero(Width::X, INT_SCRATCH);
            }
            TestOp::V128AnyTrue
            | TestOp::I8x16Bitmask
            | TestOp::I16x8Bitmask
            | TestOp::I32x4Bitmask
            | TestOp::I64x2Bitmask => {
                // Half of the lanes have whatever bits all have.
                self.asm.emit(vec::umaxp(Lanes::S4, S, src, src));
                self.asm.emit(inst::fmov_to_general(Width::X, INT_SCRATCH, S));
                return Condition::NonZero(Width::X, INT_SCRATCH);
            }
        }
        self.asm.emit(inst::fmov_to_general(Width::W, INT_SCRATCH, S));
        Condition::NonZero(Width::W, INT_SCRATCH)
    }

    pub(super) fn vector_test(&mut self, op: TestOp, dst: Slot, a: Slot) {
        if is_decision(op) {
            let condition = self.decide(op, a);
            let cond = self.asm.in_flags(condition);
            let reg = self.alloc(Class::Int, Some(dst.0));
            self.asm.emit(inst::cset(Width::W, reg, cond));
            return self.define(reg, dst, Class::Int);
        }
        let src = self.vector_operand(a);
        self.consume(a);
        let reg = self.alloc(Class::Int, Some(dst.0));
        match op {
            TestOp::I8x16Bitmask => {
                // Each byte keeps the bit that it becomes, and three times neighbours are
                // added: two bytes are left, again and again.
                self.weigh_signs(Lanes::B16, src, [0x8040_2010_0804_0201; 2]);
                for _ in 0..3 {
                    self.asm.emit(vec::addp(Lanes::B16, S, S, S));
                }
                self.asm.emit(vec::umov(Elem::H, reg, S, 0));
            }
            TestOp::I16x8Bitmask => {
                self.weigh_signs(Lanes::H8, src, [0x0008_0004_0002_0001, 0x0080_0040_0020_0010]);
                self.asm.emit(vec::addv(Lanes::H8, S, S));
                self.asm.emit(inst::fmov_to_general(Width::W, reg, S));
            }
            TestOp::I32x4Bitmask => {
                self.weigh_signs(Lanes::S4, src, [0x0000_0002_0000_0001, 0x0000_0008_0000_0004]);
                self.asm.emit(vec::addv(Lanes::S4, S, S));
                self.asm.emit(inst::fmov_to_general(Width::W, reg, S));
            }
            TestOp::V128AnyTrue
            | TestOp::I8x16AllTrue
            | TestOp::I16x8AllTrue
            | TestOp::I32x4AllTrue
            | TestOp::I64x2AllTrue
            | TestOp::I64x2Bitmask => {
                self.asm.emit(inst::fmov_to_general(Width::X, VALUE, src));
                self.asm.emit(vec::umov(Elem::D, INT_SCRATCH, src, 1));
                self.asm.emit(inst::lsr_imm(Width::X, VALUE, VALUE, 63));
                self.asm.emit(inst::lsr_imm(Width::X, INT_SCRATCH, INT_SCRATCH, 63));
                let twice = (Shift::Lsl, 1);
                self.asm.emit(inst::add_shifted(Width::W, reg, VALUE, INT_SCRATCH, twice));
            }
        }
        self.define(reg, dst, Class::Int);
    }

    /// The weight of each lane in [`S`] if the lane is negative, otherwise zero.
    fn weigh_signs(&mut self, lanes: Lanes, src: Reg, weights: [u64; 2]) {
        self.asm.vector_constant(T, weights);
        self.asm.emit(vec::cmlt_zero(lanes, S, src));
        self.asm.emit(vec::and(Lanes::B16, S, S, T));
    }

    pub(super) fn splat_slot(&mut self, op: SplatOp, dst: Slot, a: Slot) {
        let (lanes, float) = match op {
            SplatOp::I8x16Splat => (Lanes::B16, false),
            SplatOp::I16x8Splat => (Lanes::H8, false),
            SplatOp::I32x4Splat => (Lanes::S4, false),
            SplatOp::I64x2Splat => (Lanes::D2, false),
            SplatOp::F32x4Splat => (Lanes::S4, true),
            SplatOp::F64x2Splat => (Lanes::D2, true),
        };
        // From whichever bank the value is in.
        let in_vector = match self.state.location(a.0) {
            Location::Reg(reg) => reg.is_vector(),
            Location::Frame | Location::Const(_) | Location::Upper(_) => float,
        };
        let src = self.reg(a.0, if in_vector { Class::Float } else { Class::Int });
        self.consume(a);
        let reg = self.vector_result(dst);
        self.asm.emit(match in_vector {
            true => vec::dup_lane(lanes, reg, src, 0),
            false => vec::dup(lanes, reg, src),
        });
        self.define(reg, dst, Class::Vector);
    }

    pub(super) fn extract_lane(&mut self, op: ExtractOp, dst: Slot, a: Slot, lane: u8) {
        use ExtractOp::*;
        let src = self.vector_operand(a);
        self.consume(a);
        if let F32x4ExtractLane | F64x2ExtractLane = op {
            let reg = self.vector_result(dst);
            // The lane comes first, and what else a slot has becomes zero.
            match op {
                F64x2ExtractLane if lane == 0 && reg == src => {}
                F64x2ExtractLane => self.asm.emit(vec::dup_scalar(Elem::D, reg, src, lane)),
                _ => self.asm.emit(vec::dup_scalar(Elem::S, reg, src, lane)),
            }
            return self.define(reg, dst, Class::Float);
        }
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.asm.emit(match op {
            I8x16ExtractLaneS => vec::smov(Width::W, Elem::B, reg, src, lane),
            I8x16ExtractLaneU => vec::umov(Elem::B, reg, src, lane),
            I16x8ExtractLaneS => vec::smov(Width::W, Elem::H, reg, src, lane),
            I16x8ExtractLaneU => vec::umov(Elem::H, reg, src, lane),
            I32x4ExtractLane | F32x4ExtractLane if lane == 0 => {
                inst::fmov_to_general(Width::W, reg, src)
            }
            I64x2ExtractLane | F64x2ExtractLane if lane == 0 => {
                inst::fmov_to_general(Width::X, reg, src)
            }
            I32x4ExtractLane | F32x4ExtractLane => vec::umov(Elem::S, reg, src, lane),
            I64x2ExtractLane | F64x2ExtractLane => vec::umov(Elem::D, reg, src, lane),
        });
        self.define(reg, dst, Class::Int);
    }

    pub(super) fn replace_lane(
        &mut self,
        width: LaneWidth,
        dst: Slot,
        a: Slot,
        value: Slot,
        lane: u8,
    ) {
        let elem = elem(width);
        self.vector_operand(a);
        let in_vector = matches!(
            self.state.location(value.0),
            Location::Reg(reg) if reg.is_vector() && matches!(width, LaneWidth::B32 | LaneWidth::B64)
        );
        let src = match self.resolve(Operand::Slot(value)) {
            Operand::Const(0) => ZR,
            _ if in_vector => self.reg(value.0, Class::Float),
            known => self.operand(known, Class::Int),
        };
        self.consume(value);
        let reg = self.vector_over(dst, a);
        self.asm.emit(match in_vector {
            true => vec::ins_lane(elem, reg, lane, src, 0),
            false => vec::ins(elem, reg, lane, src),
        });
        self.define(reg, dst, Class::Vector);
    }

    /// A shift's count in all lanes of [`S`], modulo the lanes' width, negative for a shift
    /// to the right.
    pub(super) fn shift_count(&mut self, count: Operand, lanes: Lanes, right: bool) {
        let reg = self.operand(count, Class::Int);
        let mask = u64::from(lanes.elem().bits()) - 1;
        self.asm.alu_constant(Alu::And, Width::W, VALUE, reg, mask);
        if right {
            self.asm.emit(inst::neg(Width::W, VALUE, VALUE));
        }
        self.asm.emit(vec::dup(lanes, S, VALUE));
        self.consume_operand(count);
    }
}

impl Assembler {
    /// Puts a constant into a vector register.
    pub(super) fn vector_constant(&mut self, dst: Reg, halves: [u64; 2]) {
        match vector_constant(dst, halves) {
            Some(inst) => self.emit(inst),
            None => {
                let label = self.literal(halves);
                self.load_from_label(inst::ldr_literal_q(dst), label, |base| {
                    inst::access_unscaled(Access::LdVq, dst, base, 0)
                });
            }
        }
    }
}

/// Whether a test has two results.
fn is_decision(op: TestOp) -> bool {
    use TestOp::*;
    matches!(op, V128AnyTrue | I8x16AllTrue | I16x8AllTrue | I32x4AllTrue | I64x2AllTrue)
}

/// The instruction that adds a product of integers to its destination.
fn added_product(product: BinaryOp, sum: BinaryOp) -> Option<(OnTwo, Lanes)> {
    use BinaryOp::*;
    use Lanes::{B8, B16, H4, H8, S2, S4};
    Some(match (product, sum) {
        (I16x8Mul, I16x8Add) => (vec::mla, H8),
        (I32x4Mul, I32x4Add) => (vec::mla, S4),
        (I16x8ExtmulLowI8x16S, I16x8Add) => (vec::smlal, B8),
        (I16x8ExtmulHighI8x16S, I16x8Add) => (vec::smlal, B16),
        (I16x8ExtmulLowI8x16U, I16x8Add) => (vec::umlal, B8),
        (I16x8ExtmulHighI8x16U, I16x8Add) => (vec::umlal, B16),
        (I32x4ExtmulLowI16x8S, I32x4Add) => (vec::smlal, H4),
        (I32x4ExtmulHighI16x8S, I32x4Add) => (vec::smlal, H8),
        (I32x4ExtmulLowI16x8U, I32x4Add) => (vec::umlal, H4),
        (I32x4ExtmulHighI16x8U, I32x4Add) => (vec::umlal, H8),
        (I64x2ExtmulLowI32x4S, I64x2Add) => (vec::smlal, S2),
        (I64x2ExtmulHighI32x4S, I64x2Add) => (vec::smlal, S4),
        (I64x2ExtmulLowI32x4U, I64x2Add) => (vec::umlal, S2),
        (I64x2ExtmulHighI32x4U, I64x2Add) => (vec::umlal, S4),
        _ => return None,
    })
}

/// The instruction that adds sums of neighbouring lanes to its destination.
fn added_pairs(pairs: UnaryOp, sum: BinaryOp) -> Option<(OnOne, Lanes)> {
    use Lanes::{B16, H8};
    Some(match (pairs, sum) {
        (UnaryOp::I16x8ExtaddPairwiseI8x16S, BinaryOp::I16x8Add) => (vec::sadalp, B16),
        (UnaryOp::I16x8ExtaddPairwiseI8x16U, BinaryOp::I16x8Add) => (vec::uadalp, B16),
        (UnaryOp::I32x4ExtaddPairwiseI16x8S, BinaryOp::I32x4Add) => (vec::sadalp, H8),
        (UnaryOp::I32x4ExtaddPairwiseI16x8U, BinaryOp::I32x4Add) => (vec::uadalp, H8),
        _ => return None,
    })
}
