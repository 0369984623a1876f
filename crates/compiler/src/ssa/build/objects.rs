//! Instructions on objects and other references.

use super::Builder;
use crate::ssa::Op;
use smallvec::smallvec;
use zwasm_regir::gc::GcOp;
use zwasm_regir::{Inst as SlotInst, Slot, Type};

impl Builder<'_> {
    pub(super) fn object(&mut self, inst: &SlotInst) {
        match *inst {
            SlotInst::Gc { op, base } => self.gc(op, base),
            SlotInst::StructGet { dst, object, ty, field, extend } => {
                let object = self.slot(object, Type::Ref);
                let result = self.env.field(ty, field).0.kind();
                let op = Op::StructGet { ty, field, extend };
                self.compute(dst.0, op, smallvec![object], result);
            }
            SlotInst::StructSet { object, value, ty, field } => {
                let object = self.slot(object, Type::Ref);
                let value = self.operand(value, self.env.field(ty, field).0.kind());
                self.emit(Op::StructSet { ty, field }, smallvec![object, value], &[]);
            }
            SlotInst::ArrayGet { dst, object, index, ty, extend } => {
                let args = smallvec![self.slot(object, Type::Ref), self.operand(index, Type::I32)];
                let result = self.element(ty);
                self.compute(dst.0, Op::ArrayGet { ty, extend }, args, result);
            }
            SlotInst::ArraySet { object, index, value, ty } => {
                let element = self.element(ty);
                let args = smallvec![
                    self.slot(object, Type::Ref),
                    self.operand(index, Type::I32),
                    self.operand(value, element),
                ];
                self.emit(Op::ArraySet { ty }, args, &[]);
            }
            SlotInst::ArrayLen { dst, object } => {
                let object = self.slot(object, Type::Ref);
                self.compute(dst.0, Op::ArrayLen, smallvec![object], Type::I32);
            }
            SlotInst::RefTest { dst, src, target } => {
                let src = self.slot(src, Type::Ref);
                self.compute(dst.0, Op::RefTest(target), smallvec![src], Type::I32);
            }
            SlotInst::RefCast { src, target } => {
                let value = self.slot(src, Type::Ref);
                self.compute(src.0, Op::RefCast(target), smallvec![value], Type::Ref);
            }
            SlotInst::RefAsNonNull { src } => {
                let value = self.slot(src, Type::Ref);
                self.compute(src.0, Op::RefAsNonNull, smallvec![value], Type::Ref);
            }
            SlotInst::I31New { dst, src } => {
                let src = self.slot(src, Type::I32);
                self.compute(dst.0, Op::I31New, smallvec![src], Type::Ref);
            }
            SlotInst::I31Get { dst, src, extend } => {
                let src = self.slot(src, Type::Ref);
                self.compute(dst.0, Op::I31Get(extend), smallvec![src], Type::I32);
            }
            _ => {}
        }
    }

    /// The type of an array's elements in slots.
    fn element(&self, ty: u32) -> Type {
        self.env.field(ty, 0).0.kind()
    }

    fn gc(&mut self, op: GcOp, base: Slot) {
        const REF: Type = Type::Ref;
        const INT: Type = Type::I32;
        let types: Vec<Type> = match op {
            GcOp::StructNew { ty } => {
                let fields = self.env.struct_type(ty).fields as u32;
                (0..fields).map(|field| self.env.field(ty, field).0.kind()).collect()
            }
            GcOp::StructNewDefault { .. } => vec![],
            GcOp::ArrayNew { ty } => vec![self.element(ty), INT],
            GcOp::ArrayNewDefault { .. } => vec![INT],
            GcOp::ArrayNewFixed { ty, count } => vec![self.element(ty); count as usize],
            GcOp::ArrayNewData { .. } | GcOp::ArrayNewElem { .. } => vec![INT; 2],
            GcOp::ArrayFill { ty } => vec![REF, INT, self.element(ty), INT],
            GcOp::ArrayCopy { .. } => vec![REF, INT, REF, INT, INT],
            GcOp::ArrayInitData { .. } | GcOp::ArrayInitElem { .. } => vec![REF, INT, INT, INT],
        };
        let makes = SlotInst::Gc { op, base }.writes().is_some();
        let args = self.slots(base, &types);
        let results: &[Type] = if makes { &[REF] } else { &[] };
        let inst = self.emit(Op::Gc(op), args, results);
        if let &[value] = &self.func.inst(inst).results[..] {
            self.define(base.0, value);
        }
    }
}
