//! Globals, tables, and other state of the instance.

use super::emit::Late;
use super::memory::Place;
use super::regs::FUEL;
use super::{Address, Data, Inst, Load, Ops, Select, Src};
use crate::asm::{Mem, Rm, at};
use crate::isa::x64::{Cond, Condition, INT_SCRATCH, RDI};
use crate::isa::{Primitives, Size};
use crate::lower::machine::{read, write, write_early};
use crate::ssa::{InstData, Value};
use crate::{CompileError, Place as Found};
use regalloc2::VReg;
use zwasm_regir::{TrapCode, Type};

/// A load of eight bytes.
pub(super) fn load_word(address: Address) -> Inst {
    Inst::Load { load: Load::Zero(Size::B8), src: Src::Mem(address) }
}

impl Select<'_> {
    /// What the word at a distance from a register holds.
    pub(super) fn word_at(&mut self, base: VReg, offset: u32) -> VReg {
        let dst = self.fresh(Type::I64);
        self.put(load_word(Address::operand(offset as i32)), &[write(dst), read(base)]);
        dst
    }

    /// What the word at an offset in the `vmctx` holds.
    pub(super) fn word_of_vmctx(&mut self, offset: u32) -> VReg {
        let dst = self.fresh(Type::I64);
        self.put(load_word(Address::vmctx(offset)), &[write(dst)]);
        dst
    }

    /// What a pointer in an array of pointers in the `vmctx` points at.
    fn listed(&mut self, list: u32, index: u32) -> VReg {
        let list = self.word_of_vmctx(list);
        self.word_at(list, index * 8)
    }

    /// Where a global's value is.
    pub(super) fn global_place(&mut self, global: u32) -> Place {
        let value = self.layout.global_value;
        match self.env.global(global) {
            Found::Own(offset) => Place::vmctx(offset + value),
            Found::Imported(index) => {
                let global = self.listed(self.layout.globals, index);
                Place::at(global, value as i32)
            }
        }
    }

    fn cell(ty: Type) -> Size {
        if ty == Type::V128 { Size::B16 } else { Size::B8 }
    }

    pub(super) fn global_get(&mut self, global: u32, data: &InstData) {
        let dst = self.result(data);
        let place = self.global_place(global);
        let size = Self::cell(self.env.global_type(global));
        let mut ops = Ops::of(&[write(dst)]);
        place.push(&mut ops);
        let load = Load::Zero(size);
        self.put_ops(Inst::Load { load, src: Src::Mem(place.address) }, &ops);
    }

    pub(super) fn global_set(&mut self, global: u32, data: &InstData) {
        let ty = self.env.global_type(global);
        let value = data.args[0];
        let small = match ty {
            Type::V128 => None,
            _ => self.immediate(value, true),
        };
        let mut ops = Ops::of(&[]);
        if small.is_none() {
            let src = self.reg(value);
            ops.push(read(src));
        }
        let place = self.global_place(global);
        place.push(&mut ops);
        let (size, address) = (Self::cell(ty), place.address);
        match small {
            Some(value) => self.put_ops(Inst::StoreImm { size, address, value }, &ops),
            None => self.put_ops(Inst::Store { size, address }, &ops),
        }
    }

    /// A table, the index in it, and a trap if that is beyond its end.
    pub(super) fn element(&mut self, table: u32, index: Value, code: TrapCode) -> Place {
        let layout = self.layout;
        // One of 32 bits is zero above them.
        let index = self.reg(index);
        let table = self.listed(layout.tables, table);
        let len = Src::Mem(Address::operand(layout.table_len as i32));
        let compare = Inst::Cmp { size: Size::B8, a: Src::Operand, b: len };
        self.put(compare, &[read(index), read(table)]);
        let condition = Condition::Flag(Cond::AboveOrEqual);
        self.put(Inst::TrapIf { condition, code }, &[]);
        let base = self.word_at(table, layout.table_base);
        Place::indexed(base, index, 3, 0)
    }

    pub(super) fn table_get(&mut self, table: u32, data: &InstData) {
        let dst = self.result(data);
        let place = self.element(table, data.args[0], TrapCode::TableOutOfBounds);
        if !self.env.table_holds_functions(table) {
            let mut ops = Ops::of(&[write(dst)]);
            place.push(&mut ops);
            return self.put_ops(load_word(place.address), &ops);
        }
        // The number of the function, if there is one.
        let mut ops = Ops::of(&[write_early(dst)]);
        place.push(&mut ops);
        let data = Data { bits: self.layout.record_number.into(), address: place.address };
        let sequence: super::Sequence = |e, regs, data| {
            let dst = regs.reg();
            let element = regs.mem(data.address);
            e.asm.load(dst, element, Size::B8);
            let null = e.asm.new_label();
            e.asm.test(true, dst);
            e.asm.jcc(Cond::Equal, null);
            e.asm.load(dst, at(dst, data.bits as i32), Size::B4);
            e.asm.bind(null);
        };
        self.put_ops(Inst::Seq(sequence, data), &ops);
    }

    pub(super) fn table_set(&mut self, table: u32, data: &InstData) {
        // The record of a function has to be looked up.
        if self.env.table_holds_functions(table) {
            return self.function_to_table(table, data);
        }
        let src = self.reg(data.args[1]);
        let place = self.element(table, data.args[0], TrapCode::TableOutOfBounds);
        let mut ops = Ops::of(&[read(src)]);
        place.push(&mut ops);
        self.put_ops(Inst::Store { size: Size::B8, address: place.address }, &ops);
    }

    pub(super) fn table_size(&mut self, table: u32, data: &InstData) {
        let dst = self.result(data);
        let table = self.listed(self.layout.tables, table);
        let address = Address::operand(self.layout.table_len as i32);
        self.put(load_word(address), &[write(dst), read(table)]);
    }

    /// Whether a table holds a function of the instance: its record, at an index.
    pub(super) fn table_holds(&mut self, table: u32, func: u32, data: &InstData) {
        let Found::Own(record) = self.env.func(func) else {
            self.failed = Some(CompileError::Unsupported);
            return;
        };
        let dst = self.result(data);
        let index = self.reg(data.args[0]);
        let table = self.listed(self.layout.tables, table);
        let sequence: super::Sequence = |e, regs, data| {
            let (dst, table, index) = (regs.reg(), regs.reg(), regs.reg());
            let layout = e.layout;
            let beyond = e.asm.new_label();
            e.asm.constant(dst, 0);
            e.asm.cmp(true, index, Rm::Mem(at(table, layout.table_len as i32)));
            e.asm.jcc(Cond::AboveOrEqual, beyond);
            e.asm.load(dst, at(table, layout.table_base as i32), Size::B8);
            e.asm.address_of(INT_SCRATCH, at(RDI, data.bits as i32), true);
            let element = Mem { base: dst, index: Some((index, 3)), disp: 0 };
            e.asm.cmp(true, INT_SCRATCH, Rm::Mem(element));
            // Leaves the condition alone.
            e.asm.constant(dst, 0);
            e.asm.setcc(Cond::Equal, dst);
            e.asm.bind(beyond);
        };
        let operands = [write_early(dst), read(table), read(index)];
        self.put_ops(Inst::Seq(sequence, Data::bits(record.into())), &Ops::of(&operands));
    }

    pub(super) fn ref_func(&mut self, func: u32, data: &InstData) {
        let dst = self.result(data);
        let number = self.layout.record_number;
        let place = match self.env.func(func) {
            Found::Own(offset) => Place::vmctx(offset + number),
            Found::Imported(index) => {
                let record = self.listed(self.layout.imported_funcs, index);
                Place::at(record, number as i32)
            }
        };
        let mut ops = Ops::of(&[write(dst)]);
        place.push(&mut ops);
        let load = Load::Zero(Size::B4);
        self.put_ops(Inst::Load { load, src: Src::Mem(place.address) }, &ops);
    }

    /// Traps when a reference is null.
    pub(super) fn ref_as_non_null(&mut self, data: &InstData) {
        if self.non_null {
            return;
        }
        let reg = self.reg(data.args[0]);
        self.put(Inst::TestZero { wide: true }, &[read(reg)]);
        let condition = Condition::Flag(Cond::Equal);
        self.put(Inst::TrapIf { condition, code: TrapCode::NullReference }, &[]);
    }

    /// Pays for what comes next. If that is more than is active, the runtime says whether the
    /// code goes on, which then finds all registers as they were, and the fuel that is active
    /// now.
    pub(super) fn fuel(&mut self, cost: u32) {
        let sequence: super::Sequence = |e, _, data| {
            let is_negative = e.asm.pay(FUEL, data.bits as u32);
            let resume = e.asm.new_label();
            let late = e.push_late(Late::Fuel { resume });
            e.asm.jump_if(is_negative, late);
            e.asm.bind(resume);
        };
        let data = Data::bits(cost.into());
        match i32::try_from(cost) {
            Ok(_) => self.plain(sequence, data, &[]),
            Err(_) => self.sequence(sequence, data, &[]),
        }
    }
}
