//! Calls.
//!
//! As the interpreter's (`docs/calling-convention.md`): the header of the new
//! frame gets the address of a word that leads back here, and the callee is
//! entered through its record's body, whatever executes it.

use super::asm::{AsmLabel, Cond, Mem, Reg, Rm, at, emit};
use super::control::Late;
use super::integer::Alu;
use super::moves::slot;
use super::{FRAME, INT_SCRATCH, R10, RAX, RBX, RCX, RDX, VMCTX};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
use crate::tuning::MOVES_INLINE;
use crate::{HeapType, Place};
use zwasm_regir::{Inst, Operand, Slot, TrapCode};

impl Compiler<'_> {
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
                let body = at(VMCTX, (offset + layout.record_body) as i32);
                emit!(self.asm, leaq_rm(RCX, at(VMCTX, offset as i32)));
                emit!(self.asm, movq_rm(RAX, Rm::Mem(body)));
                Switch::Never
            }
            Place::Imported(index) => {
                let funcs = at(VMCTX, layout.imported_funcs as i32);
                emit!(self.asm, movq_rm(RCX, Rm::Mem(funcs)));
                emit!(self.asm, movq_rm(RCX, Rm::Mem(at(RCX, (index * 8) as i32))));
                emit!(self.asm, movq_rm(RAX, Rm::Mem(at(RCX, layout.record_body as i32))));
                Switch::Always
            }
        }
    }

    /// Calls what a table holds.
    pub(crate) fn call_indirect(&mut self, ty: u32, table: u32, index: Operand, base: Slot) {
        let inst = Inst::CallIndirect { ty, table, index, base };
        let resume = self.asm.new_label();
        self.table_callee(ty, table, index, base, &inst, resume);
        self.enter(ty, base, Switch::Perhaps);
        self.asm.bind(resume);
    }

    /// Loads the record that a table's element leads to into `rcx` and its body into
    /// `rax`. If it is not of the type `ty`, the interpreter executes `inst`, which traps.
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
        self.load_into(RAX, index);
        self.state.clear();
        if !self.env.table_is_64(table) {
            emit!(self.asm, movl_rm(RAX, Rm::Reg(RAX)));
        }
        let tables = at(VMCTX, layout.tables as i32);
        emit!(self.asm, movq_rm(RDX, Rm::Mem(tables)));
        emit!(self.asm, movq_rm(RDX, Rm::Mem(at(RDX, (table * 8) as i32))));
        self.alu(Alu::Cmp, true, RAX, Rm::Mem(at(RDX, layout.table_len as i32)));
        self.trap_if(Cond::AboveOrEqual, TrapCode::UndefinedElement);
        emit!(self.asm, movq_rm(RDX, Rm::Mem(at(RDX, layout.table_base as i32))));
        let element = Mem { base: RDX, index: Some((RAX, 3)), disp: 0 };
        emit!(self.asm, movq_rm(RCX, Rm::Mem(element)));
        self.checked_callee(ty, TrapCode::UninitializedElement, inst, resume);
    }

    /// Loads the body of the function whose record is in `rcx` into `rax`. If it is not
    /// of the type `ty`, the interpreter executes `inst`, which traps.
    fn checked_callee(&mut self, ty: u32, null: TrapCode, inst: &Inst, resume: AsmLabel) {
        let layout = self.layout;
        let mut words = Vec::new();
        self.env.threaded(inst, &mut words);
        emit!(self.asm, testq_mr(Rm::Reg(RCX), RCX));
        self.trap_if(Cond::Equal, null);
        let canonical = self.env.canonical_type(ty);
        let found = Rm::Mem(at(RCX, layout.record_type as i32));
        self.alu_immediate(Alu::Cmp, false, found, canonical as i32);
        let (slow, same) = (self.asm.new_label(), self.asm.new_label());
        let HeapType { is_final, depth, .. } = self.env.heap_type(ty);
        if !is_final {
            self.asm.jcc(Cond::Equal, same);
            emit!(self.asm, movl_rm(RAX, found));
            self.has_supertype(RAX, INT_SCRATCH, canonical, depth);
        }
        self.asm.jcc(Cond::NotEqual, slow);
        self.asm.bind(same);
        let source = self.source();
        let region = self.code.regions.last().and_then(|(_, region)| *region);
        self.late.push(Late::Threaded { label: slow, words, resume, source, region });
        emit!(self.asm, movq_rm(RAX, Rm::Mem(at(RCX, layout.record_body as i32))));
    }

    /// Calls a function reference.
    pub(crate) fn call_ref(&mut self, ty: u32, callee: Slot, base: Slot) {
        let inst = Inst::CallRef { ty, callee, base };
        let resume = self.asm.new_label();
        self.reference_callee(ty, callee, base, &inst, resume);
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
        self.load_into(RCX, Operand::Slot(callee));
        self.state.clear();
        let layout = self.layout;
        emit!(self.asm, movl_rm(RCX, Rm::Reg(RCX)));
        let count = at(VMCTX, layout.function_count as i32);
        self.alu(Alu::Cmp, false, RCX, Rm::Mem(count));
        self.trap_if(Cond::AboveOrEqual, TrapCode::NullFunctionReference);
        emit!(self.asm, movq_rm(RDX, Rm::Mem(at(VMCTX, layout.functions as i32))));
        let record = Mem { base: RDX, index: Some((RCX, 3)), disp: 0 };
        emit!(self.asm, movq_rm(RCX, Rm::Mem(record)));
        self.checked_callee(ty, TrapCode::NullFunctionReference, inst, resume);
    }

    /// Replaces this frame by a call of `func`.
    pub(crate) fn return_call(&mut self, func: u32, base: Slot) {
        let ty = self.env.func_type(func);
        let callee = self.env.frame(ty);
        if callee.header == self.function.frame.header {
            self.move_values(base.0, callee.params);
            let switch = self.direct_callee(func);
            self.check_stack(FRAME);
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
        self.asm.bind(resume);
        self.replace(ty, base, Switch::Perhaps);
    }

    /// Replaces this frame by a call of a function reference.
    pub(crate) fn return_call_ref(&mut self, ty: u32, callee: Slot, base: Slot) {
        let inst = Inst::ReturnCallRef { ty, callee, base };
        let resume = self.asm.new_label();
        self.reference_callee(ty, callee, base, &inst, resume);
        self.asm.bind(resume);
        self.replace(ty, base, Switch::Perhaps);
    }

    /// Moves the arguments to the frame's start and the header to where the callee
    /// has it, and enters the function whose record is in `rcx` and body in `rax`.
    fn replace(&mut self, ty: u32, base: Slot, switch: Switch) {
        let callee = self.env.frame(ty);
        let own = self.function.frame.header;
        self.check_stack(FRAME);
        let header = [R10, RDX, RBX];
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

    /// Traps if the frame of the body in `rax` does not fit at `frame`.
    fn check_stack(&mut self, frame: Reg) {
        emit!(self.asm, movq_rm(RDX, Rm::Mem(at(RAX, 0))));
        self.alu(Alu::Add, true, RDX, Rm::Reg(frame));
        let limit = at(VMCTX, self.layout.stack_limit as i32);
        self.alu(Alu::Cmp, true, RDX, Rm::Mem(limit));
        self.trap_if(Cond::Above, TrapCode::StackOverflow);
    }

    /// Enters the body in `rax`, whose record is in `rcx`, with the frame as it is.
    fn jump_to_callee(&mut self, switch: Switch) {
        self.switch(switch, Left::ForGood);
        emit!(self.asm, leaq_rm(RDX, at(RAX, 8)));
        emit!(self.asm, jmpq_m(Rm::Mem(at(RDX, 0))));
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
                    self.load_slot(INT_SCRATCH, from + index, Class::Int);
                    self.store_slot(index, INT_SCRATCH, Class::Int);
                }
            }
            index += 1;
        }
        self.state.clear();
    }

    /// Enters the function whose record is in `rcx` and whose body is in `rax`.
    fn enter(&mut self, ty: u32, base: Slot, switch: Switch) {
        let header = base.0 + self.env.frame(ty).header;
        emit!(self.asm, leaq_rm(R10, slot(base.0)));
        self.check_stack(R10);
        let word = self.asm.new_label();
        emit!(self.asm, leaq_rm(RDX, word));
        emit!(self.asm, movq_mr(Rm::Mem(slot(header)), RDX));
        emit!(self.asm, movq_mr(Rm::Mem(slot(header + 1)), FRAME));
        emit!(self.asm, movq_mr(Rm::Mem(slot(header + 2)), VMCTX));
        self.move_reg(FRAME, R10);
        self.switch(switch, Left::ToReturn);
        emit!(self.asm, leaq_rm(RDX, at(RAX, 8)));
        emit!(self.asm, jmpq_m(Rm::Mem(at(RDX, 0))));
        self.asm.align(8);
        self.asm.bind(word);
        let back = self.asm.new_label();
        self.asm.address(back);
        self.asm.bind(back);
    }

    /// Takes over the instance of the record in `rcx`, if it is another.
    fn switch(&mut self, switch: Switch, left: Left) {
        match switch {
            Switch::Never => {}
            Switch::Always => self.switch_instance(left),
            Switch::Perhaps => {
                let same = self.asm.new_label();
                self.alu(Alu::Cmp, true, VMCTX, Rm::Mem(at(RCX, self.layout.record_vmctx as i32)));
                self.asm.jcc(Cond::Equal, same);
                self.switch_instance(left);
                self.asm.bind(same);
            }
        }
    }

    /// Takes over the instance of the record in `rcx`.
    fn switch_instance(&mut self, left: Left) {
        let vmctx = Rm::Mem(at(RCX, self.layout.record_vmctx as i32));
        match left {
            Left::ToReturn => emit!(self.asm, movq_rm(VMCTX, vmctx)),
            Left::ForGood => {
                self.move_reg(RDX, VMCTX);
                emit!(self.asm, movq_rm(VMCTX, vmctx));
                let caller = at(VMCTX, self.layout.tail_caller as i32);
                emit!(self.asm, movq_mr(Rm::Mem(caller), RDX));
            }
        }
        self.reload_memory(INT_SCRATCH);
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
