//! Accesses to memories.
//!
//! # DANGER
//!
//! Whether an access is compared with the memory's length is decided here. It is not if
//! guard pages bound it: for a 32-bit memory that has some, and an offset that stays below
//! them however large the address, which is a zero-extended number of 32 bits.

use super::Builder;
use crate::ssa::{Access, Op, Value, Values};
use crate::tuning::ACCESS_BYTES;
use smallvec::smallvec;
use zwasm_regir::{AtomicOp, Inst as SlotInst, LoadOp, Operand, Slot, StoreOp, Type};

/// What an access is made with.
pub(super) enum Place {
    /// An op with these arguments, to which more are added.
    Op(Access, Values),
    /// Its handler: the access would be compared with a length, and threads may have grown
    /// the memory since that was read, which handlers know to look for. The address.
    Handler(Value),
}

impl Builder<'_> {
    pub(super) fn place(&mut self, addr: Operand, mem: u32, offset: u64) -> Place {
        let memory = self.env.memory(mem);
        let addr = self.operand(addr, self.index(mem));
        let end = offset.checked_add(ACCESS_BYTES);
        let guard = memory.guard.filter(|_| !memory.is_64);
        let is_guarded = guard.zip(end).is_some_and(|(guard, end)| end <= u64::from(guard));
        if memory.shared && !is_guarded {
            return Place::Handler(addr);
        }
        let access = Access { mem, offset, checked: !is_guarded };
        let mut args = smallvec![self.memory_base(mem), addr];
        if access.checked {
            args.push(self.memory_len(mem));
        }
        Place::Op(access, args)
    }

    pub(super) fn memory_base(&mut self, mem: u32) -> Value {
        if let Some((known, value)) = self.base
            && known == mem
        {
            return value;
        }
        let value = self.pure(Op::MemoryBase(mem), Values::new(), Type::I64);
        self.base = Some((mem, value));
        value
    }

    pub(super) fn memory_len(&mut self, mem: u32) -> Value {
        if let Some((known, value)) = self.len
            && known == mem
        {
            return value;
        }
        let value = self.pure(Op::MemoryLen(mem), Values::new(), Type::I64);
        self.len = Some((mem, value));
        value
    }

    /// After what may have made a memory grow.
    pub(super) fn forget_memories(&mut self) {
        (self.base, self.len) = (None, None);
    }

    pub(super) fn load(&mut self, op: LoadOp, dst: Slot, addr: Operand, mem: u32, offset: u64) {
        match self.place(addr, mem, offset) {
            Place::Op(access, args) => {
                self.compute(dst.0, Op::Load(op, access), args, op.result());
            }
            Place::Handler(addr) => {
                let slot = Operand::Slot(Slot(0));
                let inst = SlotInst::Load { op, dst: Slot(0), addr: slot, mem, offset };
                self.handler(inst, smallvec![addr], Some((dst, op.result())));
            }
        }
    }

    pub(super) fn store(
        &mut self,
        op: StoreOp,
        addr: Operand,
        value: Operand,
        mem: u32,
        offset: u64,
    ) {
        let value = self.operand(value, op.operand());
        match self.place(addr, mem, offset) {
            Place::Op(access, mut args) => {
                args.push(value);
                self.emit(Op::Store(op, access), args, &[]);
            }
            Place::Handler(addr) => {
                let [first, second] = [0, 1].map(|slot| Operand::Slot(Slot(slot)));
                let inst = SlotInst::Store { op, addr: first, value: second, mem, offset };
                self.handler(inst, smallvec![addr, value], None);
            }
        }
    }

    pub(super) fn atomic(
        &mut self,
        op: AtomicOp,
        dst: Slot,
        addr: Slot,
        operands: [Slot; 2],
        mem: u32,
        offset: u64,
    ) {
        let ty = op.value();
        let operands = operands[..op.operands()].iter();
        let operands: Vec<Value> = operands.map(|slot| self.slot(*slot, ty)).collect();
        let result = op.has_result().then_some((dst, ty));
        match self.place(Operand::Slot(addr), mem, offset) {
            Place::Op(access, mut args) => {
                args.extend(operands);
                let types: &[Type] = if result.is_some() { &[ty] } else { &[] };
                let inst = self.emit(Op::Atomic(op, access), args, types);
                if let &[value] = &self.func.inst(inst).results[..] {
                    self.define(dst.0, value);
                }
            }
            Place::Handler(addr) => {
                let [dst, addr_slot, a, b] = [0, 0, 1, 2].map(Slot);
                let inst = SlotInst::Atomic { op, dst, addr: addr_slot, a, b, mem, offset };
                let args = [addr].into_iter().chain(operands).collect();
                self.handler(inst, args, result);
            }
        }
    }
}
