//! Calls of all kinds.
//!
//! Arguments and results are where `docs/calling-convention.md` says: operands in certain
//! registers, and the overflow, which is written right in front of a call and read right
//! behind it. A call keeps no register, so that whatever lives across it is spilled.

use super::memory::Place;
use super::{Address, Callee, Data, Inst, Ops, Select, Src};
use crate::asm::{Mem, Rm, at};
use crate::code::TypeForm;
use crate::isa::x64::{Cond, Condition, INT_SCRATCH};
use crate::isa::{Alu, Primitives, Size, TypeWord};
use crate::lower::Clauses;
use crate::lower::machine::{Flow, read, read_in, write, write_early, write_in};
use crate::lower::shape::{self, Passed};
use crate::ssa::{self, Block, Clause, InstData, Op, Value};
use crate::{HeapType, Place as Found};
use regalloc2::{Operand, VReg};
use zwasm_regir::{TrapCode, Type};

use super::regs::{PASSED, preg};

/// Whom a call calls, once that is known or found.
struct Target {
    callee: Callee,
    record: Option<VReg>,
    ty: u32,
}

impl Select<'_> {
    pub(super) fn call(&mut self, data: &InstData) {
        self.call_as(data, Flow::Next, None);
        self.overflow_results(data);
    }

    /// A call that ends its block.
    pub(super) fn call_in_try(
        &mut self,
        place: usize,
        data: &InstData,
        returns: Block,
        clauses: &[Clause],
    ) {
        self.successor(place, returns, Vec::new());
        let clauses = self.clauses(place, clauses);
        self.call_as(data, Flow::Branch, Some(clauses));
    }

    /// Adds the blocks of clauses as successors.
    pub(super) fn clauses(&mut self, place: usize, clauses: &[Clause]) -> u32 {
        let mut list = Vec::new();
        for clause in clauses {
            self.successor(place, clause.block, Vec::new());
            let to = self.place_of(clause.block);
            list.push((clause.tag, clause.by_ref, to as u32));
        }
        self.clauses.push(Clauses { list });
        self.clauses.len() as u32 - 1
    }

    /// What a block starts with that something else led to than a jump.
    pub(super) fn arrive(&mut self, place: usize) {
        let func = self.func;
        let block = self.blocks.blocks[place];
        let Some(from) = self.arrivals[place] else { return };
        let data = func.block(from);
        match (&data.terminator, data.insts.last()) {
            (ssa::Terminator::Try { returns, .. }, Some(call)) if *returns == block => {
                self.overflow_results(func.inst(*call));
            }
            _ => {}
        }
    }

    /// Loads the results that are in the overflow.
    fn overflow_results(&mut self, data: &InstData) {
        let ty = self.type_of(data.op);
        let mut top = None;
        let places = shape::results(self.env.signature(ty), &PASSED);
        for (&result, passed) in data.results.iter().zip(places) {
            if let Passed::Slot(slot) = passed
                && self.is_read(result)
            {
                let top = *top.get_or_insert_with(|| self.value_top());
                self.load_slot(top, slot, result);
            }
        }
    }

    /// The type of the function that a call calls.
    fn type_of(&self, op: Op) -> u32 {
        match op {
            Op::Call { func } => self.env.func_type(func),
            Op::CallIndirect { ty, .. } | Op::CallRef { ty } => ty,
            _ => 0,
        }
    }

    fn call_as(&mut self, data: &InstData, flow: Flow, clauses: Option<u32>) {
        self.calls = true;
        let found = match data.op {
            Op::CallIndirect { ty, table } => self.indirect(ty, table, &data.args),
            Op::CallRef { ty } => self.by_reference(ty, &data.args),
            Op::Call { func } => self.direct(func),
            _ => return,
        };
        let mut operands = self.arguments(&found, &data.args);
        let results = shape::results(self.env.signature(found.ty), &PASSED);
        for (&result, passed) in data.results.iter().zip(&results) {
            if let Passed::Reg(reg) = passed {
                let dst = self.vreg(result);
                operands.push(write_in(dst, preg(*reg)));
            }
        }
        let inst = Inst::Call { callee: found.callee, clauses };
        self.put_as(inst, flow, &operands, Self::clobbered(&results));
    }

    pub(super) fn tail_call(&mut self, callee: ssa::Callee, args: &[Value]) {
        let found = match callee {
            ssa::Callee::Direct { func } => self.direct(func),
            ssa::Callee::Indirect { ty, table } => self.indirect(ty, table, args),
            ssa::Callee::Ref { ty } => self.by_reference(ty, args),
        };
        let operands = self.arguments(&found, args);
        self.put_as(Inst::TailCall { callee: found.callee }, Flow::Leave, &operands, 0);
    }

    /// The operands of a call that are read, after the arguments in the overflow are
    /// stored.
    fn arguments(&mut self, found: &Target, args: &[Value]) -> Vec<Operand> {
        let places = shape::params(self.env.signature(found.ty), &PASSED);
        let record = found.record.map(|record| read_in(record, preg(INT_SCRATCH)));
        let mut operands: Vec<Operand> = record.into_iter().collect();
        let mut top = None;
        for (&arg, passed) in args.iter().zip(places) {
            let reg = self.reg(arg);
            match passed {
                Passed::Reg(place) => operands.push(read_in(reg, preg(place))),
                Passed::Slot(slot) => {
                    let top = *top.get_or_insert_with(|| self.value_top());
                    self.store_slot(top, slot, arg, reg);
                }
            }
        }
        operands
    }

    fn direct(&mut self, func: u32) -> Target {
        let ty = self.env.func_type(func);
        let callee = match self.env.func(func) {
            // Code for on-stack replacement is no code to be called.
            Found::Own(_) if self.with_args && self.env.own_func() == Some(func) => Callee::Itself,
            Found::Own(offset) => Callee::Own(offset),
            Found::Imported(index) => Callee::Imported(index),
        };
        Target { callee, record: None, ty }
    }

    /// The callee that a table has at an index, which is the last argument.
    fn indirect(&mut self, ty: u32, table: u32, args: &[Value]) -> Target {
        let index = args.last().copied().unwrap_or(Value(0));
        let place = self.element(table, index, TrapCode::UndefinedElement);
        self.checked_callee(place, ty, TrapCode::UninitializedElement)
    }

    /// The callee that a reference is, which is the last argument.
    fn by_reference(&mut self, ty: u32, args: &[Value]) -> Target {
        let reference = args.last().copied().unwrap_or(Value(0));
        let reference = self.reg_32(reference);
        // Whatever the register holds above is not looked at.
        let number = self.fresh(Type::I32);
        let load = super::Load::Zero(Size::B4);
        let narrow = Inst::Load { load, src: Src::Operand };
        self.put(narrow, &[write(number), read(reference)]);
        let count = Src::Mem(Address::vmctx(self.layout.function_count));
        self.put(Inst::Cmp { size: Size::B4, a: Src::Operand, b: count }, &[read(number)]);
        let code = TrapCode::NullFunctionReference;
        let condition = Condition::Flag(Cond::AboveOrEqual);
        self.put(Inst::TrapIf { condition, code }, &[]);
        let functions = self.word_of_vmctx(self.layout.functions);
        self.checked_callee(Place::indexed(functions, number, 3, 0), ty, code)
    }

    /// The callee whose record is at a place, after traps if there is none and if it is
    /// not of the type.
    fn checked_callee(&mut self, place: Place, ty: u32, null: TrapCode) -> Target {
        let record = self.fresh(Type::I64);
        let mut ops = Ops::of(&[write(record)]);
        place.push(&mut ops);
        self.put_ops(super::instance::load_word(place.address), &ops);
        self.put(Inst::TestZero { wide: true }, &[read(record)]);
        let condition = Condition::Flag(Cond::Equal);
        self.put(Inst::TrapIf { condition, code: null }, &[]);
        let HeapType { is_final, depth, .. } = self.env.heap_type(ty);
        let bits = u64::from(ty) | u64::from(depth) << 32 | u64::from(is_final) << 63;
        let id = self.fresh(Type::I64);
        self.sequence(
            |e, regs, data| {
                let (record, found) = (regs.reg(), regs.reg());
                let ty = data.bits as u32;
                let depth = (data.bits >> 32) as u32 & 0x7FFF_FFFF;
                let is_final = data.bits >> 63 != 0;
                let word = TypeWord { index: ty, form: TypeForm::Number };
                let place = at(record, e.layout.record_type as i32);
                let is_same = e.asm.is_type(Rm::Mem(place), word);
                let same = e.asm.new_label();
                if is_final {
                    e.trap_if(!is_same, TrapCode::BadSignature);
                } else {
                    e.asm.jump_if(is_same, same);
                    e.asm.load(found, place, Size::B4);
                    let is_below = e.has_supertype(found, ty, depth);
                    e.trap_if(!is_below, TrapCode::BadSignature);
                }
                e.asm.bind(same);
            },
            Data::bits(bits),
            &[read(record), write_early(id)],
        );
        Target { callee: Callee::Record, record: Some(record), ty }
    }
}

impl super::emit::Emitter<'_> {
    /// Whether what the display of the type whose number is in `found` has at a depth is a
    /// type of the module. The scratch register is overwritten.
    pub(crate) fn has_supertype(
        &mut self,
        found: crate::asm::Reg,
        ty: u32,
        depth: u32,
    ) -> Condition {
        let layout = self.layout;
        let asm = &mut self.asm;
        asm.load(INT_SCRATCH, at(crate::isa::x64::RDI, layout.store as i32), Size::B8);
        asm.alu(Alu::And, false, found, Rm::Mem(at(INT_SCRATCH, layout.display_mask as i32)));
        asm.load(INT_SCRATCH, at(INT_SCRATCH, layout.displays as i32), Size::B8);
        let start = Mem { base: INT_SCRATCH, index: Some((found, 2)), disp: 0 };
        asm.load(found, start, Size::B4);
        let entry = Mem { base: INT_SCRATCH, index: Some((found, 2)), disp: depth as i32 * 4 };
        asm.is_type(Rm::Mem(entry), TypeWord { index: ty, form: TypeForm::Number })
    }
}
