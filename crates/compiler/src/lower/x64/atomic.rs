//! Atomic accesses.
//!
//! Alignment is checked on the effective address, before the bounds, as the handlers do.
//! How an access is done is said in [`crate::isa::x64::atomic`].

use super::emit::Emitter;
use super::regs::preg;
use super::{Address, Data, Inst, Load, Ops, Select, Src};
use crate::isa::x64::atomic::{Form, form};
use crate::isa::x64::{Cond, Condition, RAX, RBP};
use crate::isa::{Alu, Size};
use crate::lower::machine::{
    read, read_in, write, write_early, write_early_in, write_in, write_over,
};
use crate::ssa::{Access, InstData, Value};
use crate::{CompileError, asm::at};
use zwasm_regir::{AtomicKind, AtomicOp, TrapCode, Type};

/// What a sequence is told: an op, by its place among all.
fn op_of(data: Data) -> AtomicOp {
    AtomicOp::ALL[data.bits as usize]
}

impl Select<'_> {
    /// An atomic access; one that is not a load or store yields the old value.
    pub(super) fn atomic(&mut self, op: AtomicOp, access: Access, data: &InstData) {
        // Its length may have grown since it was read.
        if access.checked && self.env.memory(access.mem).shared {
            self.failed = Some(CompileError::Unsupported);
            return;
        }
        let size = op.size();
        let (place, operands) = data.args.split_at(if access.checked { 3 } else { 2 });
        let first = operands.first().map(|value| self.atomic_operand(op, *value));
        let second = operands.get(1).map(|value| self.atomic_operand(op, *value));
        self.aligned(access, place[1], size);
        match (form(op), first, second) {
            (Form::Exchange, Some(operand), _) => {
                let operand = match op.kind() {
                    AtomicKind::Sub => {
                        let negated = self.fresh(op.value());
                        self.put(
                            Inst::Negate { wide: op.value() == Type::I64 },
                            &[write_over(negated, 1), read(operand)],
                        );
                        negated
                    }
                    _ => operand,
                };
                let place = self.place(access, place, size);
                let dst = match op.has_result() {
                    true => self.result(data),
                    false => self.fresh(op.value()),
                };
                let mut ops = Ops::of(&[write_over(dst, 1), read(operand)]);
                place.push(&mut ops);
                self.put_atomic(op, place.address, &ops, |e, regs, data| {
                    let reg = regs.over();
                    let place = regs.mem(data.address);
                    e.asm.atomic_exchange(op_of(data), place, reg);
                });
            }
            (Form::CompareExchange, Some(expected), Some(new)) => {
                let place = self.place(access, place, size);
                let dst = self.result(data);
                let rax = preg(RAX);
                let mut ops = Ops::of(&[write_in(dst, rax), read_in(expected, rax), read(new)]);
                place.push(&mut ops);
                self.put_atomic(op, place.address, &ops, |e, regs, data| {
                    let _in_rax = (regs.reg(), regs.reg());
                    let new = regs.reg();
                    let place = regs.mem(data.address);
                    e.asm.atomic_compare_exchange(op_of(data), place, new);
                });
            }
            (Form::Combine(_), Some(operand), _) => {
                let place = self.place(access, place, size);
                let dst = self.result(data);
                let new = self.fresh(op.value());
                let written = [write_early_in(dst, preg(RAX)), write_early(new)];
                let mut ops = Ops::of(&[written[0], written[1], read(operand)]);
                place.push(&mut ops);
                self.put_atomic(op, place.address, &ops, |e, regs, data| {
                    let op = op_of(data);
                    let _in_rax = regs.reg();
                    let (new, operand) = (regs.reg(), regs.reg());
                    let place = regs.mem(data.address);
                    if let Form::Combine(alu) = form(op) {
                        e.asm.atomic_combine(alu, op.size(), place, operand, new);
                    }
                });
            }
            (Form::Load, ..) => {
                let place = self.place(access, place, size);
                let dst = self.result(data);
                let mut ops = Ops::of(&[write(dst)]);
                place.push(&mut ops);
                let load = Load::Zero(Size::of(size));
                self.put_ops(Inst::Load { load, src: Src::Mem(place.address) }, &ops);
            }
            (Form::Exchange | Form::CompareExchange | Form::Combine(_), ..) => {
                debug_assert!(false, "{op:?} has operands");
            }
        }
    }

    /// An operand, of which only the lower bytes count.
    fn atomic_operand(&mut self, op: AtomicOp, value: Value) -> regalloc2::VReg {
        // What is compared or combined shows in the result.
        let lower = op.value() == Type::I32
            && matches!(op.kind(), AtomicKind::Store | AtomicKind::Xchg | AtomicKind::Add);
        if lower { self.reg_32(value) } else { self.reg(value) }
    }

    fn put_atomic(&mut self, op: AtomicOp, address: Address, ops: &Ops, sequence: super::Sequence) {
        let place = AtomicOp::ALL.iter().position(|each| *each == op).unwrap_or(0);
        self.put_ops(Inst::Seq(sequence, Data { bits: place as u64, address }), ops);
    }

    /// Traps if an address is no multiple of the size.
    fn aligned(&mut self, access: Access, addr: Value, size: u64) {
        if size == 1 {
            return;
        }
        let is_64 = self.env.memory(access.mem).is_64;
        let unless_aligned = |select: &mut Self| {
            let condition = Condition::Flag(Cond::NotEqual);
            select.put(Inst::TrapIf { condition, code: TrapCode::UnalignedAtomic }, &[]);
        };
        if let Some(addr) = self.func.constant(self.facts.root(addr)) {
            let addr = if is_64 { addr } else { u64::from(addr as u32) };
            if addr.checked_add(access.offset).is_some_and(|start| !start.is_multiple_of(size)) {
                self.sequence(trap_unaligned, Data::bits(0), &[]);
            }
            return;
        }
        let mut start = self.reg(addr);
        if is_64 && access.offset != 0 {
            // An address that wraps around is out of bounds, not unaligned.
            let offset = self.constant(Type::I64, access.offset);
            let sum = self.fresh(Type::I64);
            let inst = Inst::Alu { op: Alu::Add, wide: true, src: Src::Operand };
            self.put(inst, &[write_over(sum, 1), read(offset), read(start)]);
            let condition = Condition::Flag(Cond::Below);
            self.put(Inst::TrapIf { condition, code: TrapCode::MemoryOutOfBounds }, &[]);
            start = sum;
        } else if let disp @ 1.. = (access.offset % size) as i32 {
            let sum = self.fresh(Type::I32);
            let address = Address::operand(disp);
            self.put(Inst::Lea { wide: false, address }, &[write(sum), read(start)]);
            start = sum;
        }
        let mask = size as u32 - 1;
        self.put(Inst::TestImm { size: Size::B1, a: Src::Operand, mask }, &[read(start)]);
        unless_aligned(self);
    }

    /// A fence: any access that locks is one, here of a word of our own.
    pub(super) fn atomic_fence(&mut self) {
        self.sequence(|e, _, _| e.asm.atomic_fence(at(RBP, 0)), Data::bits(0), &[]);
    }
}

fn trap_unaligned(e: &mut Emitter<'_>, _: &mut super::emit::Regs<'_>, _: Data) {
    use crate::isa::Primitives;
    let label = e.trap(TrapCode::UnalignedAtomic);
    e.asm.jump(label);
}
