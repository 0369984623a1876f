//! Atomic accesses.
//!
//! Loads are plain: the processor orders them as WebAssembly asks, given that
//! stores exchange. What combines without an instruction of its own is a loop around
//! a compare and exchange. Alignment is checked on the effective address, before
//! the bounds, as the handlers do.

use super::asm::{Cond, Mem, Reg, Rm, at, emit};
use super::integer::Alu;
use super::{FRAME, INT_SCRATCH, RAX};
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use zwasm_regir::{AtomicKind, AtomicOp, Inst, Operand, Slot, TrapCode, Type};

impl Compiler<'_> {
    /// An access that is not a load or store yields the old value.
    #[allow(clippy::too_many_arguments, reason = "the fields of the instruction")]
    pub(crate) fn atomic(
        &mut self,
        op: AtomicOp,
        dst: Slot,
        addr: Slot,
        a: Slot,
        b: Slot,
        mem: u32,
        offset: u64,
    ) {
        if self.needs_handler(mem, offset) {
            return self.call_handler(&Inst::Atomic { op, dst, addr, a, b, mem, offset });
        }
        let size = op.size();
        match op.kind() {
            AtomicKind::Load => {
                let place = self.aligned(mem, addr, offset, size);
                let reg = self.alloc(Class::Int, None);
                match size {
                    1 => emit!(self.asm, movzbl_rm(reg, Rm::Mem(place))),
                    2 => emit!(self.asm, movzwl_rm(reg, Rm::Mem(place))),
                    4 => emit!(self.asm, movl_rm(reg, Rm::Mem(place))),
                    _ => emit!(self.asm, movq_rm(reg, Rm::Mem(place))),
                }
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
            AtomicKind::And => self.combine(Alu::And, op, dst, addr, a, mem, offset),
            AtomicKind::Or => self.combine(Alu::Or, op, dst, addr, a, mem, offset),
            AtomicKind::Xor => self.combine(Alu::Xor, op, dst, addr, a, mem, offset),
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
    pub(crate) fn atomic_fence(&mut self) {
        emit!(self.asm, lock_orl_mi_sxb(at(FRAME, 0), 0i8));
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of the instruction")]
    fn combine(
        &mut self,
        alu: Alu,
        op: AtomicOp,
        dst: Slot,
        addr: Slot,
        a: Slot,
        mem: u32,
        offset: u64,
    ) {
        let size = op.size();
        self.claim(RAX);
        let operand = self.operand(Operand::Slot(a), Class::Int);
        let new = self.alloc(Class::Int, None);
        let place = self.aligned(mem, addr, offset, size);
        match size {
            1 => emit!(self.asm, movzbl_rm(RAX, Rm::Mem(place))),
            2 => emit!(self.asm, movzwl_rm(RAX, Rm::Mem(place))),
            4 => emit!(self.asm, movl_rm(RAX, Rm::Mem(place))),
            _ => emit!(self.asm, movq_rm(RAX, Rm::Mem(place))),
        }
        let again = self.asm.new_label();
        self.asm.bind(again);
        self.move_reg(new, RAX);
        self.alu(alu, true, new, Rm::Reg(operand));
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

    /// As `bounded`, after a trap if the address is no multiple of the size.
    fn aligned(&mut self, mem: u32, addr: Slot, offset: u64, size: u64) -> Mem {
        let operand = Operand::Slot(addr);
        let is_64 = self.env.memory(mem).is_64;
        match self.resolve(operand) {
            _ if size == 1 => {}
            Operand::Const(addr) => {
                let addr = if is_64 { addr } else { u64::from(addr as u32) };
                if addr.checked_add(offset).is_some_and(|start| !start.is_multiple_of(size)) {
                    self.trap(TrapCode::UnalignedAtomic);
                }
            }
            Operand::Slot(_) => {
                let mut start = self.operand(operand, Class::Int);
                let is_added = offset != 0 && (is_64 || !offset.is_multiple_of(size));
                if is_added {
                    self.load_constant(INT_SCRATCH, offset);
                    self.alu(Alu::Add, true, INT_SCRATCH, Rm::Reg(start));
                    // An address that wraps around is out of bounds, not unaligned.
                    if is_64 {
                        self.trap_if(Cond::Below, TrapCode::MemoryOutOfBounds);
                    }
                    start = INT_SCRATCH;
                }
                emit!(self.asm, testb_mi(Rm::Reg(start), size as u8 - 1));
                self.trap_if(Cond::NotEqual, TrapCode::UnalignedAtomic);
            }
        }
        self.bounded(mem, operand, offset, size)
    }
}
