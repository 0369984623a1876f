//! Instructions that are one op each, and those left to handlers.

use super::Builder;
use super::variables::{Record, Want};
use crate::ssa::{Handler, Op, Value, Values};
use crate::tuning::BULK_INLINE_BYTES;
use smallvec::smallvec;
use zwasm_regir::inst::{Bulk, WideOp};
use zwasm_regir::types::slots_of;
use zwasm_regir::{CompareOp, Inst as SlotInst, Operand, Slot, Type};

impl Builder<'_> {
    /// Adds what an instruction of the slot form does.
    pub(super) fn inst(&mut self, index: usize) {
        let function = self.function;
        match function.insts[index] {
            // It has no position.
            SlotInst::Label { .. } => return,
            SlotInst::TryBegin { .. } | SlotInst::TryEnd { .. } => {}
            SlotInst::Zero { from, count } => {
                (from.0..from.0 + count).for_each(|slot| self.write(slot, Record::Const(0)));
            }
            SlotInst::Const { dst, value } => self.write(dst.0, Record::Const(value)),
            SlotInst::Copy { dst, src } => self.copy_slots(dst.0, src.0, 1),
            SlotInst::CopySlots { dst, src, count } => self.copy_slots(dst.0, src.0, count),
            SlotInst::Unary { op, dst, a } => {
                let a = self.slot(a, op.operand());
                self.compute(dst.0, Op::Unary(op), smallvec![a], op.result());
            }
            SlotInst::Binary { op, dst, a, b } => {
                let args = smallvec![self.operand(a, op.result()), self.operand(b, op.result())];
                self.compute(dst.0, Op::Binary(op), args, op.result());
            }
            SlotInst::Compare { op, dst, a, b } => {
                let want = match op {
                    CompareOp::I64Eq | CompareOp::I64Ne => Want::WORD,
                    _ => Want::of(op.operand()),
                };
                let args = smallvec![self.operand_as(a, want), self.operand_as(b, want)];
                self.compute(dst.0, Op::Compare(op), args, Type::I32);
            }
            SlotInst::Select { ty, dst, cond, a, b } => {
                let args =
                    smallvec![self.slot(cond, Type::I32), self.operand(a, ty), self.operand(b, ty)];
                self.compute(dst.0, Op::Select, args, ty);
            }
            SlotInst::Wide { op, base } => self.wide(op, base),
            SlotInst::Load { op, dst, addr, mem, offset } => self.load(op, dst, addr, mem, offset),
            SlotInst::Store { op, addr, value, mem, offset } => {
                self.store(op, addr, value, mem, offset);
            }
            SlotInst::Atomic { op, dst, addr, a, b, mem, offset } => {
                self.atomic(op, dst, addr, [a, b], mem, offset);
            }
            SlotInst::AtomicWait { wide, dst, addr, expected, timeout, mem, offset } => {
                let expected_type = if wide { Type::I64 } else { Type::I32 };
                let args = smallvec![
                    self.slot(addr, self.index(mem)),
                    self.slot(expected, expected_type),
                    self.slot(timeout, Type::I64),
                ];
                let inst = SlotInst::AtomicWait {
                    wide,
                    dst: Slot(0),
                    addr: Slot(0),
                    expected: Slot(1),
                    timeout: Slot(2),
                    mem,
                    offset,
                };
                self.handler(inst, args, Some((dst, Type::I32)));
            }
            SlotInst::AtomicNotify { dst, addr, count, mem, offset } => {
                let args = smallvec![self.slot(addr, self.index(mem)), self.slot(count, Type::I32)];
                let (dst_slot, addr, count) = (Slot(0), Slot(0), Slot(1));
                let inst = SlotInst::AtomicNotify { dst: dst_slot, addr, count, mem, offset };
                self.handler(inst, args, Some((dst, Type::I32)));
            }
            SlotInst::AtomicFence => {
                self.emit(Op::AtomicFence, Values::new(), &[]);
            }
            SlotInst::MemorySize { dst, mem } => {
                self.compute(dst.0, Op::MemorySize(mem), Values::new(), self.index(mem));
            }
            SlotInst::MemoryGrow { base, mem } => {
                let ty = self.index(mem);
                let args = smallvec![self.slot(base, ty)];
                let inst = SlotInst::MemoryGrow { base: Slot(0), mem };
                self.handler(inst, args, Some((base, ty)));
            }
            SlotInst::Bulk { op, base } => self.bulk(op, base),
            SlotInst::GlobalGet { dst, global } => {
                let ty = self.env.global_type(global);
                self.compute(dst.0, Op::GlobalGet(global), Values::new(), ty);
            }
            SlotInst::GlobalSet { global, value } => {
                let value = self.operand(value, self.env.global_type(global));
                self.emit(Op::GlobalSet(global), smallvec![value], &[]);
            }
            SlotInst::TableGet { dst, index, table } => {
                let index = self.operand(index, self.table_index(table));
                self.compute(dst.0, Op::TableGet(table), smallvec![index], Type::Ref);
            }
            SlotInst::TableSet { index, value, table } => {
                let index = self.operand(index, self.table_index(table));
                let value = self.operand(value, Type::Ref);
                self.emit(Op::TableSet(table), smallvec![index, value], &[]);
            }
            SlotInst::TableSize { dst, table } => {
                let ty = self.table_index(table);
                self.compute(dst.0, Op::TableSize(table), Values::new(), ty);
            }
            SlotInst::TableHolds { dst, index, table, func } => {
                let index = self.operand(index, self.table_index(table));
                self.compute(dst.0, Op::TableHolds { table, func }, smallvec![index], Type::I32);
            }
            SlotInst::RefFunc { dst, func } => {
                self.compute(dst.0, Op::RefFunc(func), Values::new(), Type::Ref);
            }
            SlotInst::Gc { .. }
            | SlotInst::StructGet { .. }
            | SlotInst::StructSet { .. }
            | SlotInst::ArrayGet { .. }
            | SlotInst::ArraySet { .. }
            | SlotInst::ArrayLen { .. }
            | SlotInst::RefTest { .. }
            | SlotInst::RefCast { .. }
            | SlotInst::I31New { .. }
            | SlotInst::I31Get { .. }
            | SlotInst::RefAsNonNull { .. } => self.object(&function.insts[index]),
            #[cfg(feature = "simd")]
            SlotInst::Simd(inst) => self.vector(inst),
            SlotInst::Fuel { cost } => {
                self.emit(Op::Fuel(cost), Values::new(), &[]);
            }
            SlotInst::Epoch => {
                self.emit(Op::Epoch, Values::new(), &[]);
                self.forget_memories();
            }
            SlotInst::Br { .. }
            | SlotInst::BrIf { .. }
            | SlotInst::BrTable { .. }
            | SlotInst::Unreachable
            | SlotInst::Return
            | SlotInst::ReturnValue { .. }
            | SlotInst::ReturnSlots { .. }
            | SlotInst::Call { .. }
            | SlotInst::CallIndirect { .. }
            | SlotInst::CallRef { .. }
            | SlotInst::ReturnCall { .. }
            | SlotInst::ReturnCallIndirect { .. }
            | SlotInst::ReturnCallRef { .. }
            | SlotInst::Throw { .. }
            | SlotInst::ThrowRef { .. } => self.leave(&function.insts[index]),
        }
        self.at += 1;
    }

    /// The value of a slot, as of a type.
    pub(super) fn slot(&mut self, slot: Slot, ty: Type) -> Value {
        self.read(slot.0, Want::of(ty))
    }

    /// The value of an operand, as of a type.
    pub(super) fn operand(&mut self, operand: Operand, ty: Type) -> Value {
        self.operand_as(operand, Want::of(ty))
    }

    fn operand_as(&mut self, operand: Operand, want: Want) -> Value {
        match operand {
            Operand::Slot(slot) => self.read(slot.0, want),
            Operand::Const(bits) => self.bits(bits, want.first()),
        }
    }

    /// The values of consecutive slots.
    pub(super) fn slots(&mut self, base: Slot, types: &[Type]) -> Values {
        let mut slot = base.0;
        let read = |ty: &Type| {
            let value = self.read(slot, Want::of(*ty));
            slot += ty.slots();
            value
        };
        types.iter().map(read).collect()
    }

    fn wide(&mut self, op: WideOp, base: Slot) {
        let operands = match op {
            WideOp::Add128 | WideOp::Sub128 => 4,
            WideOp::MulWideS | WideOp::MulWideU => 2,
        };
        let args = self.slots(base, &[Type::I64; 4][..operands]);
        let inst = self.emit(Op::Wide(op), args, &[Type::I64; 2]);
        let [low, high] = self.func.inst(inst).results[..] else { return };
        self.define(base.0, low);
        self.define(base.0 + 1, high);
    }

    /// The type of a memory's addresses.
    pub(super) fn index(&self, mem: u32) -> Type {
        if self.env.memory(mem).is_64 { Type::I64 } else { Type::I32 }
    }

    /// The type of a table's indices.
    pub(super) fn table_index(&self, table: u32) -> Type {
        if self.env.table_is_64(table) { Type::I64 } else { Type::I32 }
    }

    fn bulk(&mut self, op: Bulk, base: Slot) {
        // A length has 64 bits if all that it counts have.
        let both = |a, b| if a == Type::I64 { b } else { Type::I32 };
        let types: &[Type] = &match op {
            Bulk::MemoryFill { mem } => [self.index(mem), Type::I32, self.index(mem)],
            Bulk::MemoryCopy { dst, src } => {
                let (dst, src) = (self.index(dst), self.index(src));
                [dst, src, both(dst, src)]
            }
            Bulk::MemoryInit { mem, .. } => [self.index(mem), Type::I32, Type::I32],
            Bulk::TableFill { table } => {
                [self.table_index(table), Type::Ref, self.table_index(table)]
            }
            Bulk::TableCopy { dst, src } => {
                let (dst, src) = (self.table_index(dst), self.table_index(src));
                [dst, src, both(dst, src)]
            }
            Bulk::TableInit { table, .. } => [self.table_index(table), Type::I32, Type::I32],
            Bulk::TableGrow { table } => {
                let ty = self.table_index(table);
                let args = self.slots(base, &[Type::Ref, ty]);
                let inst = SlotInst::Bulk { op, base: Slot(0) };
                return self.handler(inst, args, Some((base, ty)));
            }
            Bulk::DataDrop { .. } | Bulk::ElemDrop { .. } => {
                return self.handler(SlotInst::Bulk { op, base: Slot(0) }, Values::new(), None);
            }
        };
        let args = self.slots(base, types);
        if let Some((op, mem)) = self.plain_bulk(op, args[2]) {
            let mut all: Values = smallvec![self.memory_base(mem), self.memory_len(mem)];
            all.extend(args);
            self.emit(op, all, &[]);
            return;
        }
        self.handler(SlotInst::Bulk { op, base: Slot(0) }, args, None);
    }

    /// The op that a bulk operation of a length is, and its memory, if its ranges can be
    /// compared with the memory's length here, and it may be short.
    fn plain_bulk(&self, op: Bulk, count: Value) -> Option<(Op, u32)> {
        let (op, mem) = match op {
            Bulk::MemoryCopy { dst, src } if dst == src => (Op::MemoryCopy(dst), dst),
            Bulk::MemoryFill { mem } => (Op::MemoryFill(mem), mem),
            _ => return None,
        };
        let memory = self.env.memory(mem);
        let is_short = match self.func.constant(count) {
            Some(bytes) => bytes <= BULK_INLINE_BYTES.into(),
            None => !self.env.consumes_fuel(),
        };
        (is_short && !memory.is_64 && !memory.shared).then_some((op, mem))
    }

    /// Leaves an instruction to its handler, on slots from 0 on that hold the arguments and
    /// then the result, which goes to a slot here.
    pub(super) fn handler(&mut self, inst: SlotInst, args: Values, result: Option<(Slot, Type)>) {
        let operands: u32 = args.iter().map(|value| self.func.ty(*value).slots()).sum();
        let types = result.map(|(_, ty)| ty);
        let slots = operands.max(slots_of(types.as_slice()));
        let grows = matches!(inst, SlotInst::MemoryGrow { .. });
        let op = Op::Handler(Handler { inst, slots });
        let inst = self.emit(op, args, types.as_slice());
        if let (Some((dst, _)), &[value]) = (result, &self.func.inst(inst).results[..]) {
            self.define(dst.0, value);
        }
        if grows {
            self.forget_memories();
        }
    }
}
