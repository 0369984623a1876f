//! Bounds checks of memory accesses.
//!
//! # DANGER
//!
//! Everything that keeps a guest inside its memories is in this file. An address
//! comes from here only if the access it is for
//! - lies within the first 4 GiB plus guard of a reservation that faults wherever
//!   the memory does not reach, because the index is a zero-extended 32-bit number
//!   and offset and size stay below the guard; or
//! - has been compared with the memory's size as a whole, in arithmetic that
//!   cannot wrap.
//!
//! The invariant that 32-bit values are zero-extended in registers and slots is
//! what makes the first case sound; see the header of [`super`].

use super::asm::{Cond, Mem, Reg, Rm, at, emit};
use super::integer::Alu;
use super::{INT_SCRATCH, MEMORY, MEMORY_LEN, VMCTX};
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use zwasm_regir::{Operand, TrapCode};

/// Bytes of the largest access.
const LARGEST_ACCESS: u64 = 16;

impl Compiler<'_> {
    /// Whether an access has no code of its own: it would be compared with a size,
    /// and threads may have grown the memory since that was read, which the handlers
    /// know to look for.
    pub(super) fn needs_handler(&self, mem: u32, offset: u64) -> bool {
        self.env.memory(mem).shared && self.guarded(mem, offset).is_none()
    }

    /// The displacement of accesses that a guard bounds.
    fn guarded(&self, mem: u32, offset: u64) -> Option<i32> {
        let memory = self.env.memory(mem);
        let guard = memory.guard.filter(|_| mem == 0 && !memory.is_64)?;
        let end = offset.checked_add(LARGEST_ACCESS)?;
        (end <= u64::from(guard)).then(|| i32::try_from(offset).ok())?
    }

    /// The operand for an access of `size` bytes at `addr + offset`. The scratch
    /// register may be part of it.
    pub(super) fn bounded(&mut self, mem: u32, addr: Operand, offset: u64, size: u64) -> Mem {
        let memory = self.env.memory(mem);
        if let Operand::Const(addr) = self.resolve(addr) {
            return self.bounded_constant(mem, addr, offset, size);
        }
        let index = self.operand(addr, Class::Int);
        if let Some(disp) = self.guarded(mem, offset) {
            return Mem { base: MEMORY, index: Some((index, 0)), disp };
        }
        // The end of the access must not lie beyond the end of the memory.
        match offset.checked_add(size) {
            Some(end) if !memory.is_64 => match i32::try_from(end) {
                Ok(end) => emit!(self.asm, leaq_rm(INT_SCRATCH, at(index, end))),
                // Both are below 2^33.
                Err(_) => {
                    self.load_constant(INT_SCRATCH, end);
                    self.alu(Alu::Add, true, INT_SCRATCH, Rm::Reg(index));
                }
            },
            Some(end) => {
                self.load_constant(INT_SCRATCH, end);
                self.alu(Alu::Add, true, INT_SCRATCH, Rm::Reg(index));
                self.trap_if(Cond::Below, TrapCode::MemoryOutOfBounds);
            }
            None => {
                // No address reaches it.
                emit!(self.asm, xorl_rm(INT_SCRATCH, Rm::Reg(INT_SCRATCH)));
                self.alu_immediate(Alu::Cmp, true, Rm::Reg(INT_SCRATCH), 0);
                self.trap_if(Cond::Equal, TrapCode::MemoryOutOfBounds);
            }
        }
        let (base, len) = self.memory(mem);
        self.alu(Alu::Cmp, true, INT_SCRATCH, len);
        self.trap_if(Cond::Above, TrapCode::MemoryOutOfBounds);
        // The end is checked; the access starts `size` bytes before it.
        let base = self.memory_base(base);
        Mem { base, index: Some((INT_SCRATCH, 0)), disp: -(size as i32) }
    }

    fn bounded_constant(&mut self, mem: u32, addr: u64, offset: u64, size: u64) -> Mem {
        let memory = self.env.memory(mem);
        let addr = if memory.is_64 { addr } else { u64::from(addr as u32) };
        let start = addr.checked_add(offset);
        if let (0, Some(guard), Some(start)) = (mem, memory.guard, start)
            && start + LARGEST_ACCESS <= (1 << 32) + u64::from(guard)
        {
            return match i32::try_from(start) {
                Ok(disp) => at(MEMORY, disp),
                Err(_) => {
                    self.load_constant(INT_SCRATCH, start);
                    Mem { base: MEMORY, index: Some((INT_SCRATCH, 0)), disp: 0 }
                }
            };
        }
        // The end of what cannot be reached is above the size of any memory.
        let end = start.and_then(|start| start.checked_add(size)).unwrap_or(u64::MAX);
        self.load_constant(INT_SCRATCH, end);
        let (base, len) = self.memory(mem);
        self.alu(Alu::Cmp, true, INT_SCRATCH, len);
        self.trap_if(Cond::Above, TrapCode::MemoryOutOfBounds);
        let base = self.memory_base(base);
        Mem { base, index: Some((INT_SCRATCH, 0)), disp: -(size as i32) }
    }

    /// Where a memory is described, none for memory 0, and its size.
    fn memory(&mut self, mem: u32) -> (Option<Reg>, Rm) {
        if mem == 0 {
            return (None, Rm::Reg(MEMORY_LEN));
        }
        let layout = self.layout;
        let reg = self.alloc(Class::Int, None);
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(VMCTX, layout.memories as i32))));
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, (mem * 8) as i32))));
        (Some(reg), Rm::Mem(at(reg, layout.memory_len as i32)))
    }

    fn memory_base(&mut self, memory: Option<Reg>) -> Reg {
        let Some(reg) = memory else { return MEMORY };
        let base = self.layout.memory_base as i32;
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, base))));
        reg
    }
}
