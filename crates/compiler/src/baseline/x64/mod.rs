//! Selects x86-64 instructions for ops.

mod atomic;
mod float;
mod integer;
#[cfg(feature = "simd")]
mod vector;
#[cfg(feature = "simd")]
mod vector_memory;
#[cfg(feature = "simd")]
mod vector_ops;
#[cfg(feature = "simd")]
mod vector_shuffle;
mod wide;

use super::Compiler;
#[cfg(feature = "simd")]
use super::select::Address;
use super::select::{AtomicAccess, Select};
use super::state::Class;
use crate::asm::Reg;
use crate::isa::x64::{Assembler, Condition};
#[cfg(feature = "simd")]
use zwasm_regir::Inst;
use zwasm_regir::inst::WideOp;
#[cfg(feature = "simd")]
use zwasm_regir::simd::Width;
#[cfg(feature = "simd")]
use zwasm_regir::simd_ops;
use zwasm_regir::{BinaryOp, CompareOp, Operand, Slot, UnaryOp};

type Compile<'a> = Compiler<'a, Assembler>;

impl Select for Assembler {
    fn unary(c: &mut Compile<'_>, op: UnaryOp, dst: Slot, a: Slot) {
        c.unary(op, dst, a);
    }

    fn binary(c: &mut Compile<'_>, op: BinaryOp, dst: Slot, a: Operand, b: Operand) {
        c.binary(op, dst, a, b);
    }

    fn comparison(c: &mut Compile<'_>, op: CompareOp, dst: Slot, a: Operand, b: Operand) {
        c.compare_to(op, dst, a, b);
    }

    fn condition(c: &mut Compile<'_>, op: CompareOp, a: Operand, b: Operand) -> Condition {
        c.compare_flags(op, a, b)
    }

    fn is_set(c: &mut Compile<'_>, slot: Slot) -> Condition {
        c.test_flags(slot)
    }

    fn choose<'a>(
        c: &mut Compile<'a>,
        class: Class,
        dst: Reg,
        first: Reg,
        second: Reg,
        condition: impl FnOnce(&mut Compile<'a>) -> Condition,
    ) {
        c.move_if(class, dst, first, second, condition);
    }

    fn wide(c: &mut Compile<'_>, op: WideOp, base: Slot) {
        c.wide_op(op, base);
    }

    fn atomic(c: &mut Compile<'_>, access: AtomicAccess) {
        c.atomic_access(access);
    }

    fn atomic_fence(c: &mut Compile<'_>) {
        c.fence();
    }

    #[cfg(feature = "simd")]
    fn pair(c: &mut Compile<'_>, first: &Inst, second: &Inst) -> bool {
        c.pair(first, second)
    }

    #[cfg(feature = "simd")]
    fn vector_constant(c: &mut Compile<'_>, dst: Reg, halves: [u64; 2]) {
        c.constant_in(dst, halves);
    }

    #[cfg(feature = "simd")]
    fn vector_unary(c: &mut Compile<'_>, op: simd_ops::UnaryOp, dst: Slot, a: Slot) {
        c.vector_unary(op, dst, a);
    }

    #[cfg(feature = "simd")]
    fn vector_binary(c: &mut Compile<'_>, op: simd_ops::BinaryOp, dst: Slot, a: Slot, b: Slot) {
        c.vector_binary(op, dst, a, b);
    }

    #[cfg(feature = "simd")]
    fn vector_ternary(c: &mut Compile<'_>, op: simd_ops::TernaryOp, dst: Slot, abc: [Slot; 3]) {
        c.vector_ternary(op, dst, abc);
    }

    #[cfg(feature = "simd")]
    fn vector_shift(
        c: &mut Compile<'_>,
        op: simd_ops::ShiftOp,
        dst: Slot,
        a: Slot,
        count: Operand,
    ) {
        c.vector_shift(op, dst, a, count);
    }

    #[cfg(feature = "simd")]
    fn vector_test(c: &mut Compile<'_>, op: simd_ops::TestOp, dst: Slot, a: Slot) {
        c.vector_test(op, dst, a);
    }

    #[cfg(feature = "simd")]
    fn splat(c: &mut Compile<'_>, op: simd_ops::SplatOp, dst: Slot, a: Slot) {
        c.splat_slot(op, dst, a);
    }

    #[cfg(feature = "simd")]
    fn extract_lane(c: &mut Compile<'_>, op: simd_ops::ExtractOp, dst: Slot, a: Slot, lane: u8) {
        c.extract_lane(op, dst, a, lane);
    }

    #[cfg(feature = "simd")]
    fn replace_lane(c: &mut Compile<'_>, width: Width, dst: Slot, a: Slot, value: Slot, lane: u8) {
        c.replace_lane(width, dst, a, value, lane);
    }

    #[cfg(feature = "simd")]
    fn shuffle(c: &mut Compile<'_>, dst: Slot, a: Slot, b: Slot, lanes: [u8; 16]) {
        c.shuffle(dst, a, b, lanes);
    }

    #[cfg(feature = "simd")]
    fn vector_load(c: &mut Compile<'_>, op: simd_ops::LoadOp, dst: Slot, from: Address) {
        c.load_vector(op, dst, from);
    }

    #[cfg(feature = "simd")]
    fn load_lane(c: &mut Compile<'_>, width: Width, dst: Slot, a: Slot, lane: u8, from: Address) {
        c.load_lane(width, dst, a, lane, from);
    }

    #[cfg(feature = "simd")]
    fn store_lane(c: &mut Compile<'_>, width: Width, value: Slot, lane: u8, to: Address) {
        c.store_lane(width, value, lane, to);
    }
}
