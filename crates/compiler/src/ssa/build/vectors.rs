//! Vector instructions.

use super::Builder;
use super::accesses::Place;
use super::variables::Want;
use crate::ssa::{Op, Terminator, Values, VectorOp};
use smallvec::smallvec;
use zwasm_regir::simd::SimdInst;
use zwasm_regir::{Inst as SlotInst, Operand, Slot, Type};

const V128: Type = Type::V128;

impl Builder<'_> {
    pub(super) fn vector(&mut self, inst: SimdInst) {
        match inst {
            SimdInst::Const { dst, halves } => {
                self.compute(dst.0, Op::VectorConst(halves), Values::new(), V128);
            }
            SimdInst::Copy { dst, src } => self.copy_slots(dst.0, src.0, 2),
            SimdInst::Select { dst, cond, a, b } => {
                let args =
                    smallvec![self.slot(cond, Type::I32), self.slot(a, V128), self.slot(b, V128)];
                self.compute(dst.0, Op::Select, args, V128);
            }
            SimdInst::GlobalGet { dst, global } => {
                self.compute(dst.0, Op::GlobalGet(global), Values::new(), V128);
            }
            SimdInst::GlobalSet { global, value } => {
                let value = self.slot(value, V128);
                self.emit(Op::GlobalSet(global), smallvec![value], &[]);
            }
            SimdInst::Return { value } => {
                let value = self.slot(value, V128);
                self.end(Terminator::Return(smallvec![value]));
            }
            SimdInst::Unary { op, dst, a } => self.lanes(dst, VectorOp::Unary(op), &[a]),
            SimdInst::Binary { op, dst, a, b } => self.lanes(dst, VectorOp::Binary(op), &[a, b]),
            SimdInst::Ternary { op, dst, a, b, c } => {
                self.lanes(dst, VectorOp::Ternary(op), &[a, b, c]);
            }
            SimdInst::Shuffle { dst, a, b, lanes } => {
                self.lanes(dst, VectorOp::Shuffle(lanes), &[a, b]);
            }
            SimdInst::Shift { op, dst, a, count } => {
                let args = smallvec![self.slot(a, V128), self.operand(count, Type::I32)];
                self.compute(dst.0, Op::Vector(VectorOp::Shift(op)), args, V128);
            }
            SimdInst::Test { op, dst, a } => {
                let args = smallvec![self.slot(a, V128)];
                self.compute(dst.0, Op::Vector(VectorOp::Test(op)), args, Type::I32);
            }
            SimdInst::Splat { op, dst, a } => {
                let args = smallvec![self.slot(a, op.operand())];
                self.compute(dst.0, Op::Vector(VectorOp::Splat(op)), args, V128);
            }
            SimdInst::Extract { op, dst, a, lane } => {
                let args = smallvec![self.slot(a, V128)];
                let op_lane = Op::Vector(VectorOp::Extract(op, lane));
                self.compute(dst.0, op_lane, args, op.result());
            }
            SimdInst::Replace { width, dst, a, value, lane } => {
                let args = smallvec![self.slot(a, V128), self.read(value.0, Want::lane(width))];
                self.compute(dst.0, Op::Vector(VectorOp::Replace(width, lane)), args, V128);
            }
            SimdInst::Load { .. }
            | SimdInst::LoadLane { .. }
            | SimdInst::Store { .. }
            | SimdInst::StoreLane { .. } => self.vector_access(inst),
        }
    }

    /// An op on vectors alone.
    fn lanes(&mut self, dst: Slot, op: VectorOp, operands: &[Slot]) {
        let args = operands.iter().map(|slot| self.slot(*slot, V128)).collect();
        self.compute(dst.0, Op::Vector(op), args, V128);
    }

    fn vector_access(&mut self, inst: SimdInst) {
        // In a scratch frame the address comes first.
        let [first, second] = [0, 1].map(Slot);
        let addr_slot = Operand::Slot(first);
        match inst {
            SimdInst::Load { op, dst, addr, mem, offset } => match self.place(addr, mem, offset) {
                Place::Op(access, args) => {
                    self.compute(dst.0, Op::VectorLoad(op, access), args, V128);
                }
                Place::Handler(addr) => {
                    let inst = SimdInst::Load { op, dst: first, addr: addr_slot, mem, offset };
                    self.handler(SlotInst::Simd(inst), smallvec![addr], Some((dst, V128)));
                }
            },
            SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset } => {
                let vector = self.slot(a, V128);
                match self.place(addr, mem, offset) {
                    Place::Op(access, mut args) => {
                        args.push(vector);
                        self.compute(dst.0, Op::LoadLane(width, lane, access), args, V128);
                    }
                    Place::Handler(addr) => {
                        let inst = SimdInst::LoadLane {
                            width,
                            dst: first,
                            a: second,
                            lane,
                            addr: addr_slot,
                            mem,
                            offset,
                        };
                        self.handler(
                            SlotInst::Simd(inst),
                            smallvec![addr, vector],
                            Some((dst, V128)),
                        );
                    }
                }
            }
            SimdInst::Store { addr, value, mem, offset } => {
                let vector = self.slot(value, V128);
                match self.place(addr, mem, offset) {
                    Place::Op(access, mut args) => {
                        args.push(vector);
                        self.emit(Op::VectorStore(access), args, &[]);
                    }
                    Place::Handler(addr) => {
                        let inst = SimdInst::Store { addr: addr_slot, value: second, mem, offset };
                        self.handler(SlotInst::Simd(inst), smallvec![addr, vector], None);
                    }
                }
            }
            SimdInst::StoreLane { width, value, lane, addr, mem, offset } => {
                let vector = self.slot(value, V128);
                match self.place(addr, mem, offset) {
                    Place::Op(access, mut args) => {
                        args.push(vector);
                        self.emit(Op::StoreLane(width, lane, access), args, &[]);
                    }
                    Place::Handler(addr) => {
                        let (value, addr_operand) = (second, addr_slot);
                        let inst = SimdInst::StoreLane {
                            width,
                            value,
                            lane,
                            addr: addr_operand,
                            mem,
                            offset,
                        };
                        self.handler(SlotInst::Simd(inst), smallvec![addr, vector], None);
                    }
                }
            }
            _ => {}
        }
    }
}
