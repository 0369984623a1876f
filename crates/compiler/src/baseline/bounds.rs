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

use super::Compiler;
use super::late::Outside;
use super::select::Select;
use super::state::Class;
use crate::asm::{Mem, Reg, Rm, at};
use crate::isa::{Alu, Relation, Size};
use crate::tuning::ACCESS_BYTES;
use zwasm_regir::{Operand, Slot, TrapCode};

impl<A: Select> Compiler<'_, A> {
    /// Whether an access has no code of its own: it would be compared with a size,
    /// and threads may have grown the memory since that was read, which the handlers
    /// know to look for.
    pub(crate) fn needs_handler(&self, mem: u32, offset: u64) -> bool {
        self.env.memory(mem).shared && self.guarded(mem, offset).is_none()
    }

    /// The displacement of accesses that a guard bounds.
    fn guarded(&self, mem: u32, offset: u64) -> Option<i32> {
        let memory = self.env.memory(mem);
        let guard = memory.guard.filter(|_| mem == 0 && !memory.is_64)?;
        let end = offset.checked_add(ACCESS_BYTES)?;
        (end <= u64::from(guard)).then(|| i32::try_from(offset).ok())?
    }

    /// The operand for an access of `size` bytes at `addr + offset`. The scratch
    /// register may be part of it.
    pub(crate) fn bounded(&mut self, mem: u32, addr: Operand, offset: u64, size: u64) -> Mem {
        let memory = self.env.memory(mem);
        if let Operand::Const(addr) = self.resolve(addr) {
            return self.bounded_constant(mem, addr, offset, size);
        }
        let index = self.operand(addr, Class::Int);
        if let Some(disp) = self.guarded(mem, offset) {
            return Mem { base: A::MEMORY, index: Some((index, 0)), disp };
        }
        // The end of the access must not lie beyond the end of the memory.
        match offset.checked_add(size) {
            Some(end) if !memory.is_64 => match i32::try_from(end) {
                Ok(end) => {
                    self.asm.address_of(A::INT_SCRATCH, at(index, end), true);
                }
                // Both are below 2^33.
                Err(_) => {
                    self.asm.constant(A::INT_SCRATCH, end);
                    self.asm.alu(Alu::Add, true, A::INT_SCRATCH, Rm::Reg(index));
                }
            },
            Some(end) => {
                self.asm.constant(A::INT_SCRATCH, end);
                let carry = self.asm.add_carries(A::INT_SCRATCH, index);
                self.trap_if(carry, TrapCode::MemoryOutOfBounds);
            }
            None => {
                // No address reaches it.
                self.trap(TrapCode::MemoryOutOfBounds);
            }
        }
        let (base, len) = self.memory(mem);
        let condition = self.asm.compare(Relation::Above, true, A::INT_SCRATCH, len);
        self.outside_if(condition, Outside { mem, end: A::INT_SCRATCH, size: size as u32 });
        // The end is checked; the access starts `size` bytes before it.
        let base = self.memory_base(base);
        Mem { base, index: Some((A::INT_SCRATCH, 0)), disp: -(size as i32) }
    }

    /// As `bounded`, for a store, which writes nothing if it is not within the memory as a
    /// whole: not all processors see to that where a guard stops it in the middle. What
    /// is aligned it stops at the beginning.
    pub(crate) fn bounded_store(&mut self, mem: u32, addr: Operand, offset: u64, size: u64) -> Mem {
        let place = self.bounded(mem, addr, offset, size);
        let guard = mem == 0 && self.env.memory(mem).guard.is_some();
        let aligned = match self.resolve(addr) {
            Operand::Const(addr) => addr.wrapping_add(offset).is_multiple_of(size),
            Operand::Slot(_) => size == 1,
        };
        if guard && !aligned { self.asm.reach(place, size) } else { place }
    }

    fn bounded_constant(&mut self, mem: u32, addr: u64, offset: u64, size: u64) -> Mem {
        let memory = self.env.memory(mem);
        let addr = if memory.is_64 { addr } else { u64::from(addr as u32) };
        let start = addr.checked_add(offset);
        if let (0, Some(guard), Some(start)) = (mem, memory.guard, start)
            && start + ACCESS_BYTES <= (1 << 32) + u64::from(guard)
        {
            return match i32::try_from(start) {
                Ok(disp) => at(A::MEMORY, disp),
                Err(_) => {
                    self.asm.constant(A::INT_SCRATCH, start);
                    Mem { base: A::MEMORY, index: Some((A::INT_SCRATCH, 0)), disp: 0 }
                }
            };
        }
        // The end of what cannot be reached is above the size of any memory.
        let end = start.and_then(|start| start.checked_add(size));
        self.asm.constant(A::INT_SCRATCH, end.unwrap_or(u64::MAX));
        let (base, len) = self.memory(mem);
        let condition = self.asm.compare(Relation::Above, true, A::INT_SCRATCH, len);
        match end {
            Some(_) => {
                let outside = Outside { mem, end: A::INT_SCRATCH, size: size as u32 };
                self.outside_if(condition, outside);
            }
            None => self.trap_if(condition, TrapCode::MemoryOutOfBounds),
        }
        let base = self.memory_base(base);
        Mem { base, index: Some((A::INT_SCRATCH, 0)), disp: -(size as i32) }
    }

    /// As `bounded`, after a trap if the address is no multiple of the size.
    pub(crate) fn aligned(&mut self, mem: u32, addr: Slot, offset: u64, size: u64) -> Mem {
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
                    self.asm.constant(A::INT_SCRATCH, offset);
                    let carry = self.asm.add_carries(A::INT_SCRATCH, start);
                    // An address that wraps around is out of bounds, not unaligned.
                    if is_64 {
                        self.trap_if(carry, TrapCode::MemoryOutOfBounds);
                    }
                    start = A::INT_SCRATCH;
                }
                let aligned = self.asm.are_clear(start, size as u8 - 1);
                self.trap_if(!aligned, TrapCode::UnalignedAtomic);
            }
        }
        self.bounded(mem, operand, offset, size)
    }

    /// Traps unless so many bytes of memory 0 from a zero-extended 32-bit place on are within
    /// it, as [`Compiler::ends_within`]. The scratch register is overwritten.
    pub(crate) fn within(&mut self, start: Reg, bytes: u32) {
        self.asm.address_of(A::INT_SCRATCH, at(start, bytes as i32), true);
        self.ends_in_memory(A::INT_SCRATCH, start);
    }

    /// The same of as many bytes as another register says, zero-extended too; `end` gets
    /// where they end. Only for a memory that has 32-bit addresses and is not shared, whose
    /// length in its register is right then. Neither sum can wrap.
    pub(crate) fn ends_within(&mut self, end: Reg, start: Reg, bytes: Reg) {
        let place = Mem { base: start, index: Some((bytes, 0)), disp: 0 };
        self.asm.address_of(end, place, true);
        self.ends_in_memory(end, start);
    }

    fn ends_in_memory(&mut self, end: Reg, start: Reg) {
        let len = Rm::Reg(A::MEMORY_LEN);
        let condition = self.asm.compare(Relation::Above, true, end, len);
        self.outside_if(condition, Outside { mem: 0, end: start, size: 0 });
    }

    /// Where a memory is described, none for memory 0, and its size.
    fn memory(&mut self, mem: u32) -> (Option<Reg>, Rm) {
        if mem == 0 {
            return (None, Rm::Reg(A::MEMORY_LEN));
        }
        let layout = self.layout;
        let reg = self.alloc(Class::Int, None);
        self.asm.load(reg, at(A::VMCTX, layout.memories as i32), Size::B8);
        self.asm.load(reg, at(reg, (mem * 8) as i32), Size::B8);
        (Some(reg), Rm::Mem(at(reg, layout.memory_len as i32)))
    }

    fn memory_base(&mut self, memory: Option<Reg>) -> Reg {
        let Some(reg) = memory else { return A::MEMORY };
        let base = self.layout.memory_base as i32;
        self.asm.load(reg, at(reg, base), Size::B8);
        reg
    }
}
