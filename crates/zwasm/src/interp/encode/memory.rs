//! Encoding of loads and stores, atomic accesses and bulk operations.

use super::{BITS, Encoder, Form, fields, with_upper};
#[cfg(feature = "threads")]
use crate::interp::handlers::atomic;
#[cfg(not(feature = "threads"))]
use crate::interp::handlers::control;
use crate::interp::handlers::{Handler, bulk, memory};
use zwasm_regir::inst::Bulk;
use zwasm_regir::{Inst, LoadOp, Operand, Slot, StoreOp, Type};

impl Encoder<'_> {
    /// The offset as a fast access can carry it, if memory and offset allow one.
    pub(super) fn fast_offset(&self, mem: u32, offset: u64) -> Option<u32> {
        u32::try_from(offset).ok().filter(|_| self.module.is_fast_memory(mem))
    }

    pub(super) fn load(&mut self, op: LoadOp, dst: Slot, addr: Operand, mem: u32, offset: u64) {
        let handlers = &memory::LOAD[op as usize];
        match (self.fast_offset(mem, offset), self.form(addr, Type::I32)) {
            (Some(offset), (Form::Imm, _)) => {
                self.op(handlers[2], fields(dst.0, 0, 0, 0));
                self.words.push(constant_address(addr, offset));
            }
            (Some(offset), (form, slot)) => {
                self.op(handlers[form as usize], with_upper(dst.0, slot, offset));
            }
            (None, _) => {
                let addr = self.in_slot(addr, 0);
                self.op(handlers[3], with_upper(dst.0, addr, mem));
                self.words.push(offset);
            }
        }
        self.leaves(dst, op.result());
    }

    pub(super) fn store(
        &mut self,
        op: StoreOp,
        addr: Operand,
        value: Operand,
        mem: u32,
        offset: u64,
    ) {
        let Some(offset) = self.fast_offset(mem, offset) else {
            let addr = self.in_slot(addr, 0);
            let value = self.in_slot(value, 1);
            self.op(memory::STORE_ANY[op as usize], with_upper(addr, value, mem));
            self.words.push(offset);
            return;
        };
        let (addr_form, addr_slot) = self.form(addr, Type::I32);
        let (value_form, value_slot) = self.form(value, op.operand());
        let handler = memory::STORE[op as usize][addr_form as usize][value_form as usize];
        if addr_form == Form::Imm {
            self.op(handler, fields(0, value_slot, 0, 0));
            self.words.push(constant_address(addr, offset));
        } else {
            self.op(handler, with_upper(addr_slot, value_slot, offset));
        }
        self.constant(value);
    }

    pub(super) fn memory_size(&mut self, dst: Slot, mem: u32) {
        let handler = match self.module.memories[mem as usize].is_shared() {
            false => memory::memory_size,
            true => memory::memory_size_shared,
        };
        self.op(handler, with_upper(dst.0, 0, mem));
        self.leaves(dst, BITS);
    }

    pub(super) fn memory_grow(&mut self, base: Slot, mem: u32) {
        self.op(memory::memory_grow, with_upper(base.0, 0, mem));
    }

    #[cfg(feature = "threads")]
    pub(super) fn atomic(&mut self, inst: &Inst) {
        match *inst {
            Inst::Atomic { op, dst, addr, a, b, mem, offset } => {
                let [fast, any] = atomic::ATOMIC[op as usize];
                let operands = fields(dst.0, addr.0, a.0, b.0);
                match self.fast_offset(mem, offset) {
                    Some(offset) => {
                        self.op(fast, operands);
                        self.words.push(u64::from(offset));
                    }
                    None => {
                        self.op(any, operands);
                        self.words.extend([offset, u64::from(mem)]);
                    }
                }
                if op.has_result() {
                    self.leaves(dst, BITS);
                }
            }
            Inst::AtomicWait { wide, dst, addr, expected, timeout, mem, offset } => {
                let handler = if wide { atomic::wait64 } else { atomic::wait32 };
                self.op(handler, fields(dst.0, addr.0, expected.0, timeout.0));
                self.words.extend([offset, u64::from(mem)]);
                self.leaves(dst, BITS);
            }
            Inst::AtomicNotify { dst, addr, count, mem, offset } => {
                self.op(atomic::notify, fields(dst.0, addr.0, count.0, 0));
                self.words.extend([offset, u64::from(mem)]);
                self.leaves(dst, BITS);
            }
            _ => self.op(atomic::atomic_fence, 0),
        }
    }

    /// A build without threads refuses modules with these instructions.
    #[cfg(not(feature = "threads"))]
    pub(super) fn atomic(&mut self, _: &Inst) {
        self.op(control::unreachable, 0);
    }

    pub(super) fn bulk(&mut self, op: Bulk, base: Slot) {
        let base = base.0;
        let (handler, upper, word): (Handler, u32, Option<u32>) = match op {
            Bulk::MemoryFill { mem } => (bulk::memory_fill, mem, None),
            Bulk::MemoryCopy { dst, src } => (bulk::memory_copy, dst, Some(src)),
            Bulk::MemoryInit { mem, data } => (bulk::memory_init, mem, Some(data)),
            Bulk::DataDrop { data } => (bulk::data_drop, data, None),
            Bulk::TableFill { table } => (bulk::table_fill, table, None),
            Bulk::TableCopy { dst, src } => (bulk::table_copy, dst, Some(src)),
            Bulk::TableInit { table, elem } => (bulk::table_init, table, Some(elem)),
            Bulk::ElemDrop { elem } => (bulk::elem_drop, elem, None),
            Bulk::TableGrow { table } => (bulk::table_grow, table, None),
        };
        self.op(handler, with_upper(base, 0, upper));
        self.words.extend(word.map(u64::from));
    }
}

/// The address of an access at a constant: it may lie beyond 32 bits.
fn constant_address(addr: Operand, offset: u32) -> u64 {
    match addr {
        Operand::Const(addr) => u64::from(addr as u32) + u64::from(offset),
        Operand::Slot(_) => u64::from(offset),
    }
}
