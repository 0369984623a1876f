//! Globals, tables, and other state of the instance.

use super::asm::{Cond, Mem, Reg, Rm, at, emit};
use super::integer::Alu;
use super::{INT_SCRATCH, MEMORY_LEN, VMCTX};
use crate::Place;
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
use zwasm_regir::{Inst, Operand, Slot, TrapCode, Type};

impl Compiler<'_> {
    /// Where a global's value is; the scratch register may be part of it.
    pub(super) fn global_place(&mut self, global: u32) -> Mem {
        let value = self.layout.global_value;
        match self.env.global(global) {
            Place::Own(offset) => at(VMCTX, (offset + value) as i32),
            Place::Imported(index) => {
                let globals = at(VMCTX, self.layout.globals as i32);
                emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(globals)));
                let global = at(INT_SCRATCH, (index * 8) as i32);
                emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(global)));
                at(INT_SCRATCH, value as i32)
            }
        }
    }

    pub(crate) fn global_get(&mut self, dst: Slot, global: u32) {
        let class = match self.env.global_type(global) {
            Type::F32 | Type::F64 => Class::Float,
            _ => Class::Int,
        };
        let reg = self.alloc(class, Some(dst.0));
        let place = self.global_place(global);
        match class {
            Class::Int => emit!(self.asm, movq_rm(reg, Rm::Mem(place))),
            _ => emit!(self.asm, movsd_a_m(reg, place)),
        }
        self.define(reg, dst, class);
    }

    pub(crate) fn global_set(&mut self, global: u32, value: Operand) {
        let class = match self.resolve(value) {
            Operand::Slot(slot) => match self.state.location(slot.0) {
                Location::Reg(reg) if reg.is_vector() => Class::Float,
                _ => Class::Int,
            },
            Operand::Const(_) => Class::Int,
        };
        let reg = self.operand(value, class);
        let place = self.global_place(global);
        match class {
            Class::Int => emit!(self.asm, movq_mr(Rm::Mem(place), reg)),
            _ => emit!(self.asm, movsd_c_m(place, reg)),
        }
        self.consume_operand(value);
    }

    pub(crate) fn memory_size(&mut self, dst: Slot, mem: u32) {
        let memory = self.env.memory(mem);
        if mem != 0 || memory.shared {
            return self.call_handler(&Inst::MemorySize { dst, mem });
        }
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.move_reg(reg, MEMORY_LEN);
        if memory.page_size_log2 != 0 {
            emit!(self.asm, shrq_mi(Rm::Reg(reg), memory.page_size_log2));
        }
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn table_get(&mut self, dst: Slot, index: Operand, table: u32) {
        let (reg, element) = self.element_of_table(index, table);
        emit!(self.asm, movq_rm(reg, Rm::Mem(element)));
        if self.env.table_holds_functions(table) {
            let null = self.asm.new_label();
            emit!(self.asm, testq_mr(Rm::Reg(reg), reg));
            self.asm.jcc(Cond::Equal, null);
            let number = at(reg, self.layout.record_number as i32);
            emit!(self.asm, movl_rm(reg, Rm::Mem(number)));
            self.asm.bind(null);
        }
        self.consume_operand(index);
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn table_set(&mut self, index: Operand, value: Operand, table: u32) {
        // The record of a function has to be looked up.
        if self.env.table_holds_functions(table) {
            return self.call_handler(&Inst::TableSet { index, value, table });
        }
        let src = self.operand(value, Class::Int);
        let (_, element) = self.element_of_table(index, table);
        emit!(self.asm, movq_mr(Rm::Mem(element), src));
        self.consume_operand(index);
        self.consume_operand(value);
    }

    /// An element of a table, after the check; and a register that is part of it
    /// and may be overwritten.
    fn element_of_table(&mut self, index: Operand, table: u32) -> (Reg, Mem) {
        let layout = self.layout;
        let index = self.operand(index, Class::Int);
        let reg = self.alloc(Class::Int, None);
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(VMCTX, layout.tables as i32))));
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, (table * 8) as i32))));
        self.alu(Alu::Cmp, true, index, Rm::Mem(at(reg, layout.table_len as i32)));
        self.trap_if(Cond::AboveOrEqual, TrapCode::TableOutOfBounds);
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, layout.table_base as i32))));
        (reg, Mem { base: reg, index: Some((index, 3)), disp: 0 })
    }

    pub(crate) fn table_size(&mut self, dst: Slot, table: u32) {
        let layout = self.layout;
        let reg = self.alloc(Class::Int, Some(dst.0));
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(VMCTX, layout.tables as i32))));
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, (table * 8) as i32))));
        emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, layout.table_len as i32))));
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn ref_func(&mut self, dst: Slot, func: u32) {
        let reg = self.alloc(Class::Int, Some(dst.0));
        match self.env.func(func) {
            Place::Own(offset) => {
                let number = at(VMCTX, (offset + self.layout.record_number) as i32);
                emit!(self.asm, movl_rm(reg, Rm::Mem(number)));
            }
            Place::Imported(index) => {
                let funcs = at(VMCTX, self.layout.imported_funcs as i32);
                emit!(self.asm, movq_rm(reg, Rm::Mem(funcs)));
                emit!(self.asm, movq_rm(reg, Rm::Mem(at(reg, (index * 8) as i32))));
                let number = at(reg, self.layout.record_number as i32);
                emit!(self.asm, movl_rm(reg, Rm::Mem(number)));
            }
        }
        self.define(reg, dst, Class::Int);
    }

    /// Traps when a reference is null.
    pub(crate) fn ref_as_non_null(&mut self, src: Slot) {
        let reg = self.reg(src.0, Class::Int);
        emit!(self.asm, testq_mr(Rm::Reg(reg), reg));
        self.trap_if(Cond::Equal, TrapCode::NullReference);
    }
}
