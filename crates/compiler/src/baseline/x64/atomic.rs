//! Atomic accesses.
//!
//! Loads are plain: the processor orders them as WebAssembly asks, given that
//! stores exchange. What combines without an instruction of its own is a loop around
//! a compare and exchange. Alignment is checked on the effective address, before
//! the bounds, as the handlers do.

use crate::asm::{Mem, Reg, Rm, at};
use crate::baseline::Compiler;
use crate::baseline::select::AtomicAccess;
use crate::baseline::state::Class;
use crate::isa::x64::{Assembler, Cond, FRAME, RAX, emit};
use crate::isa::{Alu, Primitives, Size};
use zwasm_regir::{AtomicKind, Operand, Type};

impl Compiler<'_, Assembler> {
    /// An access that is not a load or store yields the old value.
    pub(super) fn atomic_access(&mut self, access: AtomicAccess) {
        let AtomicAccess { op, dst, addr, a, b, mem, offset } = access;
        let size = op.size();
        match op.kind() {
            AtomicKind::Load => {
                let place = self.aligned(mem, addr, offset, size);
                let reg = self.alloc(Class::Int, None);
                self.asm.load(reg, place, Size::of(size));
                self.consume(addr);
                self.define(reg, dst, Class::Int);
            }
            AtomicKind::Cmpxchg => {
                self.claim(RAX);
                let new = self.operand(Operand::Slot(b), Class::Int);
                self.load_into(RAX, Operand::Slot(a));
                let place = self.aligned(mem, addr, offset, size);
                self.compare_exchange(size, place, new);
                // Where nothing was loaded, the expected value is what was given.
                self.extend(size, op.value(), RAX);
                self.consume(b);
                self.consume(a);
                self.consume(addr);
                self.define(RAX, dst, Class::Int);
            }
            AtomicKind::And => self.combine(Alu::And, access),
            AtomicKind::Or => self.combine(Alu::Or, access),
            AtomicKind::Xor => self.combine(Alu::Xor, access),
            kind @ (AtomicKind::Store | AtomicKind::Xchg | AtomicKind::Add | AtomicKind::Sub) => {
                let reg = self.alloc(Class::Int, None);
                self.load_into(reg, Operand::Slot(a));
                if kind == AtomicKind::Sub {
                    emit!(self.asm, negq_m(Rm::Reg(reg)));
                }
                let place = self.aligned(mem, addr, offset, size);
                match (kind, size) {
                    (AtomicKind::Add | AtomicKind::Sub, 1) => {
                        emit!(self.asm, lock_xaddb_mr(place, reg));
                    }
                    (AtomicKind::Add | AtomicKind::Sub, 2) => {
                        emit!(self.asm, lock_xaddw_mr(place, reg));
                    }
                    (AtomicKind::Add | AtomicKind::Sub, 4) => {
                        emit!(self.asm, lock_xaddl_mr(place, reg));
                    }
                    (AtomicKind::Add | AtomicKind::Sub, _) => {
                        emit!(self.asm, lock_xaddq_mr(place, reg));
                    }
                    (_, 1) => emit!(self.asm, xchgb_rm(reg, place)),
                    (_, 2) => emit!(self.asm, xchgw_rm(reg, place)),
                    (_, 4) => emit!(self.asm, xchgl_rm(reg, place)),
                    _ => emit!(self.asm, xchgq_rm(reg, place)),
                }
                self.consume(a);
                self.consume(addr);
                if op.has_result() {
                    self.extend(size, Type::I32, reg);
                    self.define(reg, dst, Class::Int);
                }
            }
        }
    }

    /// A fence: any access that locks is one, here of a slot of our own.
    pub(super) fn fence(&mut self) {
        emit!(self.asm, lock_orl_mi_sxb(at(FRAME, 0), 0i8));
    }

    fn combine(&mut self, alu: Alu, access: AtomicAccess) {
        let AtomicAccess { op, dst, addr, a, mem, offset, .. } = access;
        let size = op.size();
        self.claim(RAX);
        let operand = self.operand(Operand::Slot(a), Class::Int);
        let new = self.alloc(Class::Int, None);
        let place = self.aligned(mem, addr, offset, size);
        self.asm.load(RAX, place, Size::of(size));
        let again = self.asm.new_label();
        self.asm.bind(again);
        self.asm.mov(new, RAX);
        self.asm.alu(alu, true, new, Rm::Reg(operand));
        self.compare_exchange(size, place, new);
        self.asm.jcc(Cond::NotEqual, again);
        self.consume(a);
        self.consume(addr);
        self.define(RAX, dst, Class::Int);
    }

    /// Stores `new` if `rax` is what is there, else loads that into `rax`.
    fn compare_exchange(&mut self, size: u64, place: Mem, new: Reg) {
        match size {
            1 => emit!(self.asm, lock_cmpxchgb_mr(place, new, RAX)),
            2 => emit!(self.asm, lock_cmpxchgw_mr(place, new, RAX)),
            4 => emit!(self.asm, lock_cmpxchgl_mr(place, new, RAX)),
            _ => emit!(self.asm, lock_cmpxchgq_mr(place, new, RAX)),
        }
    }

    /// Clears what an instruction of `size` bytes left above its result. One of
    /// four bytes clears the rest itself, unless it wrote nothing: `ty` is that of
    /// what the register held.
    fn extend(&mut self, size: u64, ty: Type, reg: Reg) {
        match (size, ty) {
            (1, _) => emit!(self.asm, movzbl_rm(reg, Rm::Reg(reg))),
            (2, _) => emit!(self.asm, movzwl_rm(reg, Rm::Reg(reg))),
            (4, Type::I64) => emit!(self.asm, movl_rm(reg, Rm::Reg(reg))),
            _ => {}
        }
    }
}
