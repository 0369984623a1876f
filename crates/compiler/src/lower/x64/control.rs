//! Ends of blocks but for calls, and starts.

use super::memory::Place;
use super::{Inst, Load, Ops, Select, Src};
use crate::isa::x64::Assembler;
use crate::isa::{Primitives, Size};
use crate::lower::machine::{Flow, read, read_in, write, write_early, write_in};
use crate::lower::shape::{self, Passed};
use crate::ssa::{Block, Edge, Terminator, Value};
use regalloc2::Operand;
use zwasm_regir::{Signature, Type};

use super::regs::{PASSED, all_but, preg};

impl Select<'_> {
    /// The place of a block in the order.
    pub(super) fn place_of(&self, block: Block) -> usize {
        self.blocks.place[block.0 as usize].map_or(0, |place| place as usize)
    }

    /// Adds a successor of the block that is selected.
    fn edge(&mut self, place: usize, edge: &Edge) {
        let args: Vec<_> = edge.args.iter().map(|arg| self.reg(*arg)).collect();
        self.successor(place, edge.block, args);
    }

    /// Adds the successors of a table, each once, as nothing is passed where several edges
    /// go; for each edge, which it is.
    fn successors(&mut self, place: usize, edges: &[Edge]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..edges.len() as u32).collect();
        order.sort_by_cached_key(|each| u64::from(edges[*each as usize].block.0));
        let mut list = vec![0; edges.len()];
        let mut last: Option<(Block, u32)> = None;
        for each in order {
            let edge = &edges[each as usize];
            let number = match last {
                Some((block, number)) if block == edge.block => number,
                _ => {
                    self.edge(place, edge);
                    last.map_or(0, |(_, number)| number + 1)
                }
            };
            last = Some((edge.block, number));
            list[each as usize] = number;
        }
        list
    }

    pub(super) fn successor(&mut self, place: usize, to: Block, args: Vec<regalloc2::VReg>) {
        let to = self.place_of(to);
        self.machine.successor(place, to, args.into_iter());
    }

    pub(super) fn terminator(&mut self, place: usize, terminator: &Terminator) {
        match terminator {
            Terminator::Jump(edge) => {
                self.edge(place, edge);
                self.put_as(Inst::Jump, Flow::Branch, &[], 0);
            }
            // Blocks are put into edges that pass values, so that these pass none.
            Terminator::Branch { then, otherwise, .. } if then.block == otherwise.block => {
                self.edge(place, then);
                self.put_as(Inst::Jump, Flow::Branch, &[], 0);
            }
            Terminator::Branch { cond, then, otherwise, .. } => {
                self.edge(place, then);
                self.edge(place, otherwise);
                if self.branch_by_cast(*cond) {
                    return;
                }
                let condition = self.flags(*cond);
                self.put_as(Inst::Branch(condition), Flow::Branch, &[], 0);
            }
            Terminator::Table { index, edges } => self.table(place, *index, edges),
            Terminator::Return(values) => self.leave(values),
            Terminator::Trap(code) => self.put_as(Inst::Trap(*code), Flow::Leave, &[], 0),
            Terminator::TailCall { callee, args } => self.tail_call(*callee, args),
            Terminator::Throw { tag, args, clauses } => self.throw(place, *tag, args, clauses),
            Terminator::ThrowRef { exception, clauses } => {
                self.throw_ref(place, *exception, clauses);
            }
            // A call stands in front of the first, and functions are complete.
            Terminator::Try { .. } | Terminator::None => {
                self.failed = Some(crate::CompileError::Unsupported);
            }
        }
    }

    /// Jumps to one of many.
    fn table(&mut self, place: usize, index: Value, edges: &[Edge]) {
        let list = self.successors(place, edges);
        if list.iter().all(|each| *each == 0) {
            return self.put_as(Inst::Jump, Flow::Branch, &[], 0);
        }
        self.tables.push(list);
        // The upper half of the register is part of an address.
        let index = self.reg(index);
        let target = self.fresh(Type::I64);
        let table = Inst::Table { entries: self.tables.len() as u32 - 1 };
        self.put_as(table, Flow::Branch, &[read(index), write_early(target)], 0);
    }

    /// Returns.
    fn leave(&mut self, values: &[Value]) {
        let func = self.func;
        let signature = Signature { params: &[], results: &func.results };
        let places = shape::results(signature, &PASSED);
        let mut operands: Vec<Operand> = Vec::new();
        let mut top = None;
        for (value, passed) in values.iter().zip(places) {
            let reg = self.reg(*value);
            match passed {
                Passed::Reg(place) => operands.push(read_in(reg, preg(place))),
                Passed::Slot(slot) => {
                    let top = *top.get_or_insert_with(|| self.value_top());
                    self.store_slot(top, slot, *value, reg);
                }
            }
        }
        self.put_as(Inst::Return, Flow::Leave, &operands, 0);
    }

    /// Where the values are that find no register.
    pub(super) fn value_top(&mut self) -> regalloc2::VReg {
        let store = self.word_of_vmctx(self.layout.store);
        self.word_at(store, self.layout.value_top)
    }

    /// The bytes of a value in slots.
    fn slot_size(ty: Type) -> Size {
        if ty == Type::V128 { Size::B16 } else { Size::B8 }
    }

    pub(super) fn store_slot(
        &mut self,
        frame: regalloc2::VReg,
        slot: u32,
        value: Value,
        reg: regalloc2::VReg,
    ) {
        let size = Self::slot_size(self.func.ty(value));
        let place = Place::at(frame, (slot * 8) as i32);
        let mut ops = Ops::of(&[read(reg)]);
        place.push(&mut ops);
        self.put_ops(Inst::Store { size, address: place.address }, &ops);
    }

    /// Loads a value that is read from a slot.
    pub(super) fn load_slot(&mut self, frame: regalloc2::VReg, slot: u32, value: Value) {
        let dst = self.vreg(value);
        let load = Load::Zero(Self::slot_size(self.func.ty(value)));
        let place = Place::at(frame, (slot * 8) as i32);
        let mut ops = Ops::of(&[write(dst)]);
        place.push(&mut ops);
        self.put_ops(Inst::Load { load, src: Src::Mem(place.address) }, &ops);
    }

    /// Whether something reads a value.
    pub(super) fn is_read(&self, value: Value) -> bool {
        self.vregs[value.0 as usize].is_some()
    }

    /// What stands in front of a block's instructions.
    pub(super) fn start(&mut self, place: usize, block: Block) {
        if place == 0 {
            return self.entry(block);
        }
        self.arrive(place);
    }

    /// The function's parameters, or the frame that on-stack replacement leaves.
    fn entry(&mut self, block: Block) {
        let func = self.func;
        if !self.with_args {
            let slots = self.slots.map(|slots| write_in(slots, preg(Assembler::FRAME)));
            let operands: Vec<Operand> = slots.into_iter().collect();
            return self.put_as(Inst::Args, Flow::Next, &operands, 0);
        }
        let params = &func.block(block).params;
        let types: Vec<Type> = params.iter().map(|param| func.ty(*param)).collect();
        let signature = Signature { params: &types, results: &[] };
        let mut operands: Vec<Operand> = Vec::new();
        let mut overflow = Vec::new();
        for (&param, passed) in params.iter().zip(shape::params(signature, &PASSED)) {
            if !self.is_read(param) {
                continue;
            }
            match passed {
                Passed::Reg(place) => {
                    let dst = self.vreg(param);
                    operands.push(write_in(dst, preg(place)));
                }
                Passed::Slot(slot) => overflow.push((slot, param)),
            }
        }
        self.put_as(Inst::Args, Flow::Next, &operands, 0);
        if !overflow.is_empty() {
            let top = self.value_top();
            for (slot, param) in overflow {
                self.load_slot(top, slot, param);
            }
        }
    }

    /// A slot of the frame that on-stack replacement enters from.
    pub(super) fn frame_slot(&mut self, slot: u32, data: &crate::ssa::InstData) {
        let frame = match self.slots {
            Some(frame) => frame,
            None => self.fresh(Type::I64),
        };
        self.slots = Some(frame);
        self.load_slot(frame, slot, data.results[0]);
    }

    /// The set of registers that a call with these results clobbers.
    pub(super) fn clobbered(results: &[Passed]) -> u8 {
        let (mut ints, mut floats) = (0, 0);
        for passed in results {
            match passed {
                Passed::Reg(reg) if reg.is_vector() => floats += 1,
                Passed::Reg(_) => ints += 1,
                Passed::Slot(_) => {}
            }
        }
        all_but(ints, floats)
    }
}
