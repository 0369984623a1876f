//! Globals, tables, and other state of the instance.

use super::Compiler;
use super::select::Select;
use super::state::{Class, Location};
use crate::Place;
use crate::asm::{Mem, Reg, Rm, at};
use crate::isa::{Relation, Shift, Size};
use zwasm_regir::{Inst, Operand, Slot, TrapCode, Type};

impl<A: Select> Compiler<'_, A> {
    /// Where a global's value is; the scratch register may be part of it.
    pub(crate) fn global_place(&mut self, global: u32) -> Mem {
        let value = self.layout.global_value;
        match self.env.global(global) {
            Place::Own(offset) => at(A::VMCTX, (offset + value) as i32),
            Place::Imported(index) => {
                let globals = at(A::VMCTX, self.layout.globals as i32);
                self.asm.load(A::INT_SCRATCH, globals, Size::B8);
                let global = at(A::INT_SCRATCH, (index * 8) as i32);
                self.asm.load(A::INT_SCRATCH, global, Size::B8);
                at(A::INT_SCRATCH, value as i32)
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
        self.asm.load(reg, place, Size::B8);
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
        self.asm.store(place, reg, Size::B8);
        self.consume_operand(value);
    }

    pub(crate) fn memory_size(&mut self, dst: Slot, mem: u32) {
        let memory = self.env.memory(mem);
        if memory.shared {
            return self.call_handler(&Inst::MemorySize { dst, mem });
        }
        let reg = self.alloc(Class::Int, Some(dst.0));
        match mem {
            0 => self.asm.mov(reg, A::MEMORY_LEN),
            _ => {
                self.asm.load(reg, at(A::VMCTX, self.layout.memories as i32), Size::B8);
                self.asm.load(reg, at(reg, (mem * 8) as i32), Size::B8);
                self.asm.load(reg, at(reg, self.layout.memory_len as i32), Size::B8);
            }
        }
        if memory.page_size_log2 != 0 {
            self.asm.shift(Shift::RightUnsigned, true, reg, memory.page_size_log2);
        }
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn table_get(&mut self, dst: Slot, index: Operand, table: u32) {
        let (reg, element) = self.element_of_table(index, table);
        self.asm.load(reg, element, Size::B8);
        if self.env.table_holds_functions(table) {
            let null = self.asm.new_label().near();
            let zero = self.asm.is_zero(reg, true);
            self.asm.jump_if(zero, null);
            let number = at(reg, self.layout.record_number as i32);
            self.asm.load(reg, number, Size::B4);
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
        self.asm.store(element, src, Size::B8);
        self.consume_operand(index);
        self.consume_operand(value);
    }

    /// An element of a table, after the check; and a register that is part of it
    /// and may be overwritten.
    fn element_of_table(&mut self, index: Operand, table: u32) -> (Reg, Mem) {
        let layout = self.layout;
        let index = self.operand(index, Class::Int);
        let reg = self.alloc(Class::Int, None);
        self.asm.load(reg, at(A::VMCTX, layout.tables as i32), Size::B8);
        self.asm.load(reg, at(reg, (table * 8) as i32), Size::B8);
        let condition = self.asm.compare(
            Relation::AboveOrEqual,
            true,
            index,
            Rm::Mem(at(reg, layout.table_len as i32)),
        );
        self.trap_if(condition, TrapCode::TableOutOfBounds);
        self.asm.load(reg, at(reg, layout.table_base as i32), Size::B8);
        (reg, Mem { base: reg, index: Some((index, 3)), disp: 0 })
    }

    pub(crate) fn table_size(&mut self, dst: Slot, table: u32) {
        let layout = self.layout;
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.asm.load(reg, at(A::VMCTX, layout.tables as i32), Size::B8);
        self.asm.load(reg, at(reg, (table * 8) as i32), Size::B8);
        self.asm.load(reg, at(reg, layout.table_len as i32), Size::B8);
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn ref_func(&mut self, dst: Slot, func: u32) {
        let reg = self.alloc(Class::Int, Some(dst.0));
        match self.env.func(func) {
            Place::Own(offset) => {
                let number = at(A::VMCTX, (offset + self.layout.record_number) as i32);
                self.asm.load(reg, number, Size::B4);
            }
            Place::Imported(index) => {
                let funcs = at(A::VMCTX, self.layout.imported_funcs as i32);
                self.asm.load(reg, funcs, Size::B8);
                self.asm.load(reg, at(reg, (index * 8) as i32), Size::B8);
                let number = at(reg, self.layout.record_number as i32);
                self.asm.load(reg, number, Size::B4);
            }
        }
        self.define(reg, dst, Class::Int);
    }

    /// Traps when a reference is null.
    pub(crate) fn ref_as_non_null(&mut self, src: Slot) {
        let reg = self.reg(src.0, Class::Int);
        let zero = self.asm.is_zero(reg, true);
        self.trap_if(zero, TrapCode::NullReference);
    }
}
