//! What is selected per instruction set: the ops, on operands that are in slots,
//! registers or known.
//!
//! Each method compiles one instruction: it gets its operands, emits code, and defines
//! the result.

use super::Compiler;
use super::state::Class;
use crate::asm::Reg;
use crate::isa::Primitives;
#[cfg(feature = "simd")]
use zwasm_regir::Inst;
use zwasm_regir::inst::WideOp;
#[cfg(feature = "simd")]
use zwasm_regir::simd::Width;
#[cfg(feature = "simd")]
use zwasm_regir::simd_ops;
use zwasm_regir::{AtomicOp, BinaryOp, CompareOp, Operand, Slot, UnaryOp};

/// The fields of an atomic access.
#[derive(Clone, Copy)]
pub(crate) struct AtomicAccess {
    pub(crate) op: AtomicOp,
    pub(crate) dst: Slot,
    pub(crate) addr: Slot,
    pub(crate) a: Slot,
    pub(crate) b: Slot,
    pub(crate) mem: u32,
    pub(crate) offset: u64,
}

/// Where in memory an instruction reads or writes.
#[cfg(feature = "simd")]
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(crate) addr: Operand,
    pub(crate) mem: u32,
    pub(crate) offset: u64,
}

/// An instruction set that ops are selected for.
pub(crate) trait Select: Primitives {
    /// An op on one operand.
    fn unary(c: &mut Compiler<'_, Self>, op: UnaryOp, dst: Slot, a: Slot);
    /// An op on two operands.
    fn binary(c: &mut Compiler<'_, Self>, op: BinaryOp, dst: Slot, a: Operand, b: Operand);
    /// A comparison whose result is wanted as a number.
    fn comparison(c: &mut Compiler<'_, Self>, op: CompareOp, dst: Slot, a: Operand, b: Operand);
    /// A comparison whose result decides at once. The operands are consumed.
    fn condition(
        c: &mut Compiler<'_, Self>,
        op: CompareOp,
        a: Operand,
        b: Operand,
    ) -> Self::Condition;
    /// Whether a 32-bit value is not zero; it is consumed.
    fn is_set(c: &mut Compiler<'_, Self>, slot: Slot) -> Self::Condition;
    /// `dst = condition ? first : second`; the three registers are different. `condition`
    /// emits what decides, and nothing that moves a value is emitted behind it.
    fn choose<'a>(
        c: &mut Compiler<'a, Self>,
        class: Class,
        dst: Reg,
        first: Reg,
        second: Reg,
        condition: impl FnOnce(&mut Compiler<'a, Self>) -> Self::Condition,
    );
    /// 128-bit integer arithmetic on numbers in two consecutive slots, low half first.
    fn wide(c: &mut Compiler<'_, Self>, op: WideOp, base: Slot);
    /// An atomic access that has code of its own.
    fn atomic(c: &mut Compiler<'_, Self>, access: AtomicAccess);
    /// A fence.
    fn atomic_fence(c: &mut Compiler<'_, Self>);
    /// Compiles two instructions at once, of which the second uses the first's result in
    /// a way of its own; whether it did.
    #[cfg(feature = "simd")]
    fn pair(c: &mut Compiler<'_, Self>, first: &Inst, second: &Inst) -> bool;

    /// A vector known beforehand.
    #[cfg(feature = "simd")]
    fn vector_constant(c: &mut Compiler<'_, Self>, dst: Reg, halves: [u64; 2]);
    #[cfg(feature = "simd")]
    fn vector_unary(c: &mut Compiler<'_, Self>, op: simd_ops::UnaryOp, dst: Slot, a: Slot);
    #[cfg(feature = "simd")]
    fn vector_binary(
        c: &mut Compiler<'_, Self>,
        op: simd_ops::BinaryOp,
        dst: Slot,
        a: Slot,
        b: Slot,
    );
    #[cfg(feature = "simd")]
    fn vector_ternary(
        c: &mut Compiler<'_, Self>,
        op: simd_ops::TernaryOp,
        dst: Slot,
        abc: [Slot; 3],
    );
    #[cfg(feature = "simd")]
    fn vector_shift(
        c: &mut Compiler<'_, Self>,
        op: simd_ops::ShiftOp,
        dst: Slot,
        a: Slot,
        count: Operand,
    );
    /// A test of a vector, as a number.
    #[cfg(feature = "simd")]
    fn vector_test(c: &mut Compiler<'_, Self>, op: simd_ops::TestOp, dst: Slot, a: Slot);
    #[cfg(feature = "simd")]
    fn splat(c: &mut Compiler<'_, Self>, op: simd_ops::SplatOp, dst: Slot, a: Slot);
    #[cfg(feature = "simd")]
    fn extract_lane(
        c: &mut Compiler<'_, Self>,
        op: simd_ops::ExtractOp,
        dst: Slot,
        a: Slot,
        lane: u8,
    );
    #[cfg(feature = "simd")]
    fn replace_lane(
        c: &mut Compiler<'_, Self>,
        width: Width,
        dst: Slot,
        a: Slot,
        value: Slot,
        lane: u8,
    );
    #[cfg(feature = "simd")]
    fn shuffle(c: &mut Compiler<'_, Self>, dst: Slot, a: Slot, b: Slot, lanes: [u8; 16]);
    /// A load of a vector, or of less that becomes one.
    #[cfg(feature = "simd")]
    fn vector_load(c: &mut Compiler<'_, Self>, op: simd_ops::LoadOp, dst: Slot, from: Address);
    #[cfg(feature = "simd")]
    fn load_lane(
        c: &mut Compiler<'_, Self>,
        width: Width,
        dst: Slot,
        a: Slot,
        lane: u8,
        from: Address,
    );
    #[cfg(feature = "simd")]
    fn store_lane(c: &mut Compiler<'_, Self>, width: Width, value: Slot, lane: u8, to: Address);
}

/// Implements [`Select`] for an assembler by methods of its [`Compiler`], which stand in the
/// files of its instruction set.
macro_rules! select_by_methods {
    ($assembler:ty) => {
        const _: () = {
            use $crate::asm::Reg;
            use $crate::baseline::Compiler;
            #[cfg(feature = "simd")]
            use $crate::baseline::select::Address;
            use $crate::baseline::select::{AtomicAccess, Select};
            use $crate::baseline::state::Class;
            #[cfg(feature = "simd")]
            use zwasm_regir::Inst;
            use zwasm_regir::inst::WideOp;
            #[cfg(feature = "simd")]
            use zwasm_regir::simd::Width;
            #[cfg(feature = "simd")]
            use zwasm_regir::simd_ops;
            use zwasm_regir::{BinaryOp, CompareOp, Operand, Slot, UnaryOp};

            impl Select for $assembler {
                fn unary(c: &mut Compiler<'_, Self>, op: UnaryOp, dst: Slot, a: Slot) {
                    c.unary(op, dst, a);
                }

                fn binary(
                    c: &mut Compiler<'_, Self>,
                    op: BinaryOp,
                    dst: Slot,
                    a: Operand,
                    b: Operand,
                ) {
                    c.binary(op, dst, a, b);
                }

                fn comparison(
                    c: &mut Compiler<'_, Self>,
                    op: CompareOp,
                    dst: Slot,
                    a: Operand,
                    b: Operand,
                ) {
                    c.compare_to(op, dst, a, b);
                }

                fn condition(
                    c: &mut Compiler<'_, Self>,
                    op: CompareOp,
                    a: Operand,
                    b: Operand,
                ) -> Self::Condition {
                    c.compare_flags(op, a, b)
                }

                fn is_set(c: &mut Compiler<'_, Self>, slot: Slot) -> Self::Condition {
                    c.test_flags(slot)
                }

                fn choose<'a>(
                    c: &mut Compiler<'a, Self>,
                    class: Class,
                    dst: Reg,
                    first: Reg,
                    second: Reg,
                    condition: impl FnOnce(&mut Compiler<'a, Self>) -> Self::Condition,
                ) {
                    c.move_if(class, dst, first, second, condition);
                }

                fn wide(c: &mut Compiler<'_, Self>, op: WideOp, base: Slot) {
                    c.wide_op(op, base);
                }

                fn atomic(c: &mut Compiler<'_, Self>, access: AtomicAccess) {
                    c.atomic_access(access);
                }

                fn atomic_fence(c: &mut Compiler<'_, Self>) {
                    c.fence();
                }

                #[cfg(feature = "simd")]
                fn pair(c: &mut Compiler<'_, Self>, first: &Inst, second: &Inst) -> bool {
                    c.pair(first, second)
                }

                #[cfg(feature = "simd")]
                fn vector_constant(c: &mut Compiler<'_, Self>, dst: Reg, halves: [u64; 2]) {
                    c.constant_in(dst, halves);
                }

                #[cfg(feature = "simd")]
                fn vector_unary(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::UnaryOp,
                    dst: Slot,
                    a: Slot,
                ) {
                    c.vector_unary(op, dst, a);
                }

                #[cfg(feature = "simd")]
                fn vector_binary(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::BinaryOp,
                    dst: Slot,
                    a: Slot,
                    b: Slot,
                ) {
                    c.vector_binary(op, dst, a, b);
                }

                #[cfg(feature = "simd")]
                fn vector_ternary(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::TernaryOp,
                    dst: Slot,
                    abc: [Slot; 3],
                ) {
                    c.vector_ternary(op, dst, abc);
                }

                #[cfg(feature = "simd")]
                fn vector_shift(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::ShiftOp,
                    dst: Slot,
                    a: Slot,
                    count: Operand,
                ) {
                    c.vector_shift(op, dst, a, count);
                }

                #[cfg(feature = "simd")]
                fn vector_test(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::TestOp,
                    dst: Slot,
                    a: Slot,
                ) {
                    c.vector_test(op, dst, a);
                }

                #[cfg(feature = "simd")]
                fn splat(c: &mut Compiler<'_, Self>, op: simd_ops::SplatOp, dst: Slot, a: Slot) {
                    c.splat_slot(op, dst, a);
                }

                #[cfg(feature = "simd")]
                fn extract_lane(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::ExtractOp,
                    dst: Slot,
                    a: Slot,
                    lane: u8,
                ) {
                    c.extract_lane(op, dst, a, lane);
                }

                #[cfg(feature = "simd")]
                fn replace_lane(
                    c: &mut Compiler<'_, Self>,
                    width: Width,
                    dst: Slot,
                    a: Slot,
                    value: Slot,
                    lane: u8,
                ) {
                    c.replace_lane(width, dst, a, value, lane);
                }

                #[cfg(feature = "simd")]
                fn shuffle(
                    c: &mut Compiler<'_, Self>,
                    dst: Slot,
                    a: Slot,
                    b: Slot,
                    lanes: [u8; 16],
                ) {
                    c.shuffle(dst, a, b, lanes);
                }

                #[cfg(feature = "simd")]
                fn vector_load(
                    c: &mut Compiler<'_, Self>,
                    op: simd_ops::LoadOp,
                    dst: Slot,
                    from: Address,
                ) {
                    c.load_vector(op, dst, from);
                }

                #[cfg(feature = "simd")]
                fn load_lane(
                    c: &mut Compiler<'_, Self>,
                    width: Width,
                    dst: Slot,
                    a: Slot,
                    lane: u8,
                    from: Address,
                ) {
                    c.load_lane(width, dst, a, lane, from);
                }

                #[cfg(feature = "simd")]
                fn store_lane(
                    c: &mut Compiler<'_, Self>,
                    width: Width,
                    value: Slot,
                    lane: u8,
                    to: Address,
                ) {
                    c.store_lane(width, value, lane, to);
                }
            }
        };
    };
}
pub(super) use select_by_methods;
