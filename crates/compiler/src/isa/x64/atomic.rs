//! Atomic accesses, on registers.
//!
//! Loads are plain: the processor orders them as WebAssembly asks, given that
//! stores exchange. What combines without an instruction of its own is a loop around
//! a compare and exchange, whose old value is in `rax`.
//!
//! The place is not part of any register that is written here, unless it is said.

use super::{Assembler, Cond, RAX, emit};
use crate::asm::{Mem, Reg, Rm};
use crate::isa::{Alu, Primitives, Size};
use zwasm_regir::{AtomicKind, AtomicOp, Type};

/// How an access is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A load: [`Assembler::load`].
    Load,
    /// An instruction that exchanges a register with the cell:
    /// [`Assembler::atomic_exchange`].
    Exchange,
    /// [`Assembler::atomic_compare_exchange`].
    CompareExchange,
    /// A loop: [`Assembler::atomic_combine`].
    Combine(Alu),
}

/// How an access is done.
pub(crate) fn form(op: AtomicOp) -> Form {
    match op.kind() {
        AtomicKind::Load => Form::Load,
        AtomicKind::Store | AtomicKind::Xchg | AtomicKind::Add | AtomicKind::Sub => Form::Exchange,
        AtomicKind::And => Form::Combine(Alu::And),
        AtomicKind::Or => Form::Combine(Alu::Or),
        AtomicKind::Xor => Form::Combine(Alu::Xor),
        AtomicKind::Cmpxchg => Form::CompareExchange,
    }
}

impl Assembler {
    /// Prepares the operand of [`Assembler::atomic_exchange`], before it is known where the
    /// cell is.
    pub(crate) fn atomic_operand(&mut self, op: AtomicOp, reg: Reg) {
        if op.kind() == AtomicKind::Sub {
            emit!(*self, negq_m(Rm::Reg(reg)));
        }
    }

    /// Stores, exchanges or adds what is in a register, which then has the old value.
    pub(crate) fn atomic_exchange(&mut self, op: AtomicOp, place: Mem, reg: Reg) {
        let size = op.size();
        match (op.kind(), size) {
            (AtomicKind::Add | AtomicKind::Sub, 1) => emit!(*self, lock_xaddb_mr(place, reg)),
            (AtomicKind::Add | AtomicKind::Sub, 2) => emit!(*self, lock_xaddw_mr(place, reg)),
            (AtomicKind::Add | AtomicKind::Sub, 4) => emit!(*self, lock_xaddl_mr(place, reg)),
            (AtomicKind::Add | AtomicKind::Sub, _) => emit!(*self, lock_xaddq_mr(place, reg)),
            (_, 1) => emit!(*self, xchgb_rm(reg, place)),
            (_, 2) => emit!(*self, xchgw_rm(reg, place)),
            (_, 4) => emit!(*self, xchgl_rm(reg, place)),
            _ => emit!(*self, xchgq_rm(reg, place)),
        }
        if op.has_result() {
            self.atomic_extend(size, Type::I32, reg);
        }
    }

    /// Stores `new` if the cell is what `rax` has, which then has the old value.
    pub(crate) fn atomic_compare_exchange(&mut self, op: AtomicOp, place: Mem, new: Reg) {
        self.compare_exchange(op.size(), place, new);
        // Where nothing was loaded, the expected value is what was given.
        self.atomic_extend(op.size(), op.value(), RAX);
    }

    /// Combines the cell with `operand`; the old value is in `rax`. The register `new` is
    /// overwritten.
    pub(crate) fn atomic_combine(
        &mut self,
        alu: Alu,
        size: u64,
        place: Mem,
        operand: Reg,
        new: Reg,
    ) {
        self.load(RAX, place, Size::of(size));
        let again = self.new_label();
        self.bind(again);
        self.mov(new, RAX);
        self.alu(alu, true, new, Rm::Reg(operand));
        self.compare_exchange(size, place, new);
        self.jcc(Cond::NotEqual, again);
    }

    /// Stores `new` if `rax` is what is there, else loads that into `rax`.
    fn compare_exchange(&mut self, size: u64, place: Mem, new: Reg) {
        match size {
            1 => emit!(*self, lock_cmpxchgb_mr(place, new, RAX)),
            2 => emit!(*self, lock_cmpxchgw_mr(place, new, RAX)),
            4 => emit!(*self, lock_cmpxchgl_mr(place, new, RAX)),
            _ => emit!(*self, lock_cmpxchgq_mr(place, new, RAX)),
        }
    }

    /// Clears what an instruction of `size` bytes left above its result. One of
    /// four bytes clears the rest itself, unless it wrote nothing: `ty` is that of
    /// what the register held.
    fn atomic_extend(&mut self, size: u64, ty: Type, reg: Reg) {
        match (size, ty) {
            (1, _) => emit!(*self, movzbl_rm(reg, Rm::Reg(reg))),
            (2, _) => emit!(*self, movzwl_rm(reg, Rm::Reg(reg))),
            (4, Type::I64) => emit!(*self, movl_rm(reg, Rm::Reg(reg))),
            _ => {}
        }
    }

    /// A fence: any access that locks is one, here of a word of our own.
    pub(crate) fn atomic_fence(&mut self, word: Mem) {
        emit!(*self, lock_orl_mi_sxb(word, 0i8));
    }
}
