//! Calls.
//!
//! As the interpreter's (`docs/calling-convention.md`): the header of the new
//! frame gets the address of a word that leads back here, and the callee is
//! entered through its record's body, whatever executes it.

use super::Compiler;
use super::late::Late;
use super::moves::offset;
use super::select::Select;
use super::state::{Class, Location};
use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::code::TypeForm;
use crate::heap;
use crate::isa::{Alu, Relation, Size, TypeWord};
use crate::tuning::MOVES_INLINE;
use crate::{HeapType, Place};
use zwasm_regir::{Inst, Operand, Slot, TrapCode};

impl<A: Select> Compiler<'_, A> {
    /// Brings everything to its slot that outlives a call with arguments from
    /// `base`.
    fn flush_for_call(&mut self, ty: u32, base: Slot) {
        let params = self.env.frame(ty).params;
        self.flush(base.0 + params);
    }

    /// Calls function `func`.
    pub(crate) fn call(&mut self, func: u32, base: Slot) {
        let ty = self.env.func_type(func);
        self.flush_for_call(ty, base);
        let switch = self.direct_callee(func);
        self.enter(ty, base, switch);
    }

    /// Loads the record of a function into `rcx` and its body into `rax`.
    fn direct_callee(&mut self, func: u32) -> Switch {
        let layout = self.layout;
        match self.env.func(func) {
            Place::Own(offset) => {
                let body = at(A::VMCTX, (offset + layout.record_body) as i32);
                self.asm.address_of(A::ACC, at(A::VMCTX, offset as i32), true);
                self.asm.load(A::BODY, body, Size::B8);
                Switch::Never
            }
            Place::Imported(index) => {
                let funcs = at(A::VMCTX, layout.imported_funcs as i32);
                self.asm.load(A::ACC, funcs, Size::B8);
                self.asm.load(A::ACC, at(A::ACC, (index * 8) as i32), Size::B8);
                self.asm.load(A::BODY, at(A::ACC, layout.record_body as i32), Size::B8);
                Switch::Always
            }
        }
    }

    /// Calls what a table holds.
    pub(crate) fn call_indirect(&mut self, ty: u32, table: u32, index: Operand, base: Slot) {
        let inst = Inst::CallIndirect { ty, table, index, base };
        let resume = self.asm.new_label();
        self.table_callee(ty, table, index, base, &inst, resume);
        self.note_callee(ty);
        self.load_body();
        self.enter(ty, base, Switch::Perhaps);
        self.asm.bind(resume);
    }

    /// Loads the record that a table's element leads to into `rcx`. If it is not of the type `ty`, the interpreter executes `inst`, which traps.
    fn table_callee(
        &mut self,
        ty: u32,
        table: u32,
        index: Operand,
        base: Slot,
        inst: &Inst,
        resume: AsmLabel,
    ) {
        let layout = self.layout;
        // The rare way reads the index from its slot.
        if let Operand::Slot(slot) = index {
            self.spill_slot(slot.0);
        }
        let params = self.env.frame(ty).params;
        self.spill_below(base.0 + params);
        self.load_into(A::BODY, index);
        self.state.clear();
        if !self.env.table_is_64(table) {
            self.asm.narrow(A::BODY, A::BODY);
        }
        let tables = at(A::VMCTX, layout.tables as i32);
        self.asm.load(A::IP, tables, Size::B8);
        self.asm.load(A::IP, at(A::IP, (table * 8) as i32), Size::B8);
        let condition = self.asm.compare(
            Relation::AboveOrEqual,
            true,
            A::BODY,
            Rm::Mem(at(A::IP, layout.table_len as i32)),
        );
        self.trap_if(condition, TrapCode::UndefinedElement);
        self.asm.load(A::IP, at(A::IP, layout.table_base as i32), Size::B8);
        let element = Mem { base: A::IP, index: Some((A::BODY, 3)), disp: 0 };
        self.asm.load(A::ACC, element, Size::B8);
        self.checked_callee(ty, TrapCode::UninitializedElement, inst, resume);
    }

    /// Looks whether the function whose record is in `rcx` is of the type `ty`. If it is
    /// not, the interpreter executes `inst`, which traps.
    fn checked_callee(&mut self, ty: u32, null: TrapCode, inst: &Inst, resume: AsmLabel) {
        let layout = self.layout;
        let threaded = self.threaded(inst);
        let zero = self.asm.is_zero(A::ACC, true);
        self.trap_if(zero, null);
        let found = at(A::ACC, layout.record_type as i32);
        let word = TypeWord { index: ty, form: TypeForm::Number };
        let mut is_same = self.asm.is_type(Rm::Mem(found), word);
        let (slow, same) = (self.asm.new_label(), self.asm.new_label().near());
        let HeapType { is_final, depth, .. } = self.env.heap_type(ty);
        if !is_final {
            self.asm.jump_if(is_same, same);
            self.asm.load(A::BODY, found, Size::B4);
            is_same = heap::has_supertype(&mut self.asm, &self.layout, A::BODY, ty, depth);
        }
        self.asm.jump_if(!is_same, slow);
        self.asm.bind(same);
        let source = self.source();
        let region = self.code.regions.last().and_then(|(_, region)| *region);
        self.late.push(Late::Threaded { label: slow, threaded, resume, source, region });
    }

    /// Loads the body of the function whose record is in `rcx` into `rax`.
    fn load_body(&mut self) {
        self.asm.load(A::BODY, at(A::ACC, self.layout.record_body as i32), Size::B8);
    }

    /// Calls a function reference.
    pub(crate) fn call_ref(&mut self, ty: u32, callee: Slot, base: Slot) {
        let inst = Inst::CallRef { ty, callee, base };
        let resume = self.asm.new_label();
        self.reference_callee(ty, callee, base, &inst, resume);
        self.note_callee(ty);
        self.load_body();
        self.enter(ty, base, Switch::Perhaps);
        self.asm.bind(resume);
    }

    /// As [`Compiler::table_callee`], of a reference.
    fn reference_callee(
        &mut self,
        ty: u32,
        callee: Slot,
        base: Slot,
        inst: &Inst,
        resume: AsmLabel,
    ) {
        // The rare way reads the reference from its slot.
        self.spill_slot(callee.0);
        let params = self.env.frame(ty).params;
        self.spill_below(base.0 + params);
        self.load_into(A::ACC, Operand::Slot(callee));
        self.state.clear();
        let layout = self.layout;
        self.asm.narrow(A::ACC, A::ACC);
        let count = at(A::VMCTX, layout.function_count as i32);
        let condition = self.asm.compare(Relation::AboveOrEqual, false, A::ACC, Rm::Mem(count));
        self.trap_if(condition, TrapCode::NullFunctionReference);
        self.asm.load(A::IP, at(A::VMCTX, layout.functions as i32), Size::B8);
        let record = Mem { base: A::IP, index: Some((A::ACC, 3)), disp: 0 };
        self.asm.load(A::ACC, record, Size::B8);
        self.checked_callee(ty, TrapCode::NullFunctionReference, inst, resume);
    }

    /// Replaces this frame by a call of `func`.
    pub(crate) fn return_call(&mut self, func: u32, base: Slot) {
        let ty = self.env.func_type(func);
        let callee = self.env.frame(ty);
        if callee.header == self.function.frame.header {
            self.move_values(base.0, callee.params);
            let switch = self.direct_callee(func);
            self.check_stack(A::FRAME);
            self.jump_to_callee(switch);
        } else {
            self.flush_for_call(ty, base);
            let switch = self.direct_callee(func);
            self.replace(ty, base, switch);
        }
    }

    /// Replaces this frame by a call of what a table holds.
    pub(crate) fn return_call_indirect(&mut self, ty: u32, table: u32, index: Operand, base: Slot) {
        let inst = Inst::ReturnCallIndirect { ty, table, index, base };
        // The rare way, through the interpreter, does not come back.
        let resume = self.asm.new_label();
        self.table_callee(ty, table, index, base, &inst, resume);
        self.load_body();
        self.asm.bind(resume);
        self.replace(ty, base, Switch::Perhaps);
    }

    /// Replaces this frame by a call of a function reference.
    pub(crate) fn return_call_ref(&mut self, ty: u32, callee: Slot, base: Slot) {
        let inst = Inst::ReturnCallRef { ty, callee, base };
        let resume = self.asm.new_label();
        self.reference_callee(ty, callee, base, &inst, resume);
        self.load_body();
        self.asm.bind(resume);
        self.replace(ty, base, Switch::Perhaps);
    }

    /// Moves the arguments to the frame's start and the header to where the callee
    /// has it, and enters the function whose record is in `rcx` and body in `rax`.
    fn replace(&mut self, ty: u32, base: Slot, switch: Switch) {
        let callee = self.env.frame(ty);
        let own = self.function.frame.header;
        self.check_stack(A::FRAME);
        let header = [A::CALLEE_FRAME, A::IP, A::SPARE];
        if callee.header != own {
            for (index, reg) in header.into_iter().enumerate() {
                self.load_slot(reg, own + index as u32, Class::Int);
            }
        }
        self.move_slots(0, base.0, callee.params);
        if callee.header != own {
            for (index, reg) in header.into_iter().enumerate() {
                self.store_slot(callee.header + index as u32, reg, Class::Int);
            }
        }
        self.jump_to_callee(switch);
    }

    /// Compares where the frame of the body in `rax` would end, were it at `frame`, with
    /// the limit of calls. If that is beyond, the body becomes one that finds out why.
    fn check_stack(&mut self, frame: Reg) {
        let (label, resume) = (self.asm.new_label(), self.asm.new_label());
        self.asm.load(A::IP, at(A::BODY, 0), Size::B8);
        self.asm.alu(Alu::Add, true, A::IP, Rm::Reg(frame));
        let limit = at(A::VMCTX, self.layout.call_limit as i32);
        let condition = self.asm.compare(Relation::Above, true, A::IP, Rm::Mem(limit));
        self.asm.jump_if(condition, label);
        self.asm.bind(resume);
        self.late.push(Late::Beyond { label, resume });
    }

    /// Enters the body in `rax`, whose record is in `rcx`, with the frame as it is.
    fn jump_to_callee(&mut self, switch: Switch) {
        self.bring_fuel();
        self.switch(switch, Left::ForGood);
        self.asm.address_of(A::IP, at(A::BODY, 8), true);
        self.asm.jump_through(A::IP);
        self.reachable = false;
        self.state.clear();
    }

    /// Copies slots to the frame's start whose values may be in registers still.
    fn move_values(&mut self, from: u32, count: u32) {
        if count > MOVES_INLINE {
            self.flush(from + count);
            return self.move_slots(0, from, count);
        }
        let mut index = 0;
        while index < count {
            match self.state.location(from + index) {
                Location::Reg(reg) => {
                    let class = self.state.held(reg).map_or(Class::Int, |held| held.class);
                    self.store_slot(index, reg, class);
                    index += if class == Class::Vector { 2 } else { 1 };
                    continue;
                }
                Location::Const(value) => self.store_constant(index, value),
                Location::Frame | Location::Upper(_) => {
                    self.load_slot(A::INT_SCRATCH, from + index, Class::Int);
                    self.store_slot(index, A::INT_SCRATCH, Class::Int);
                }
            }
            index += 1;
        }
        self.state.clear();
    }

    /// Enters the function whose record is in `rcx` and whose body is in `rax`.
    fn enter(&mut self, ty: u32, base: Slot, switch: Switch) {
        let header = base.0 + self.env.frame(ty).header;
        self.asm.address_of(A::CALLEE_FRAME, self.slot(base.0), true);
        self.check_stack(A::CALLEE_FRAME);
        let word = self.asm.new_label();
        self.asm.label_address(A::IP, word);
        self.bring_fuel();
        self.asm.write_header(offset(header));
        self.asm.mov(A::FRAME, A::CALLEE_FRAME);
        self.switch(switch, Left::ToReturn);
        self.asm.address_of(A::IP, at(A::BODY, 8), true);
        self.asm.jump_through(A::IP);
        self.asm.align(8);
        self.asm.bind(word);
        let back = self.asm.new_label();
        self.asm.address(back);
        self.asm.bind(back);
        self.load_fuel();
    }

    /// Takes over the instance of the record in `rcx`, if it is another.
    fn switch(&mut self, switch: Switch, left: Left) {
        match switch {
            Switch::Never => {}
            Switch::Always => self.switch_instance(left),
            Switch::Perhaps => {
                let same = self.asm.new_label().near();
                let condition = self.asm.compare(
                    Relation::Equal,
                    true,
                    A::VMCTX,
                    Rm::Mem(at(A::ACC, self.layout.record_vmctx as i32)),
                );
                self.asm.jump_if(condition, same);
                self.switch_instance(left);
                self.asm.bind(same);
            }
        }
    }

    /// Takes over the instance of the record in `rcx`.
    fn switch_instance(&mut self, left: Left) {
        let vmctx = at(A::ACC, self.layout.record_vmctx as i32);
        match left {
            Left::ToReturn => self.asm.load(A::VMCTX, vmctx, Size::B8),
            Left::ForGood => {
                self.asm.mov(A::IP, A::VMCTX);
                self.asm.load(A::VMCTX, vmctx, Size::B8);
                let caller = at(A::VMCTX, self.layout.tail_caller as i32);
                self.asm.store(caller, A::IP, Size::B8);
            }
        }
        self.reload_memory(A::INT_SCRATCH);
    }

    /// Returns one value.
    pub(crate) fn return_value(&mut self, value: Operand) {
        match self.resolve(value) {
            Operand::Const(value) => self.store_constant(0, value),
            Operand::Slot(Slot(0)) => self.spill_slot(0),
            Operand::Slot(from) => {
                let location = self.state.location(from.0);
                let class = match location {
                    Location::Reg(reg) if reg.is_vector() => Class::Float,
                    _ => Class::Int,
                };
                let reg = self.reg(from.0, class);
                self.store_slot(0, reg, class);
            }
        }
        self.leave();
    }

    /// Returns the slots from `from`.
    pub(crate) fn return_slots(&mut self, from: Slot, count: u32) {
        self.spill_below(from.0 + count);
        self.state.clear();
        self.move_slots(0, from.0, count);
        self.leave();
    }
}

/// What becomes of the frame that a call leaves.
#[derive(Clone, Copy)]
enum Left {
    /// The callee's header says who called.
    ToReturn,
    /// A tail call replaces it, and says who called in the callee's context.
    ForGood,
}

/// Whether a call enters another instance.
enum Switch {
    Never,
    Perhaps,
    Always,
}
