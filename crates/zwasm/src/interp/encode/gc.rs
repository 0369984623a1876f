//! Encoding of the instructions on objects and references.

use super::{BITS, Encoder, Form, fields, halves, with_upper};
use crate::interp::handlers::gc;
use crate::interp::objects;
use crate::store::gc::heap::LARGE;
use crate::tuning::INLINE_FIELDS;
use crate::types::Composite;
use zwasm_regir::gc::{Extend, GcOp, HeapTarget, RefTarget};
use zwasm_regir::object::{GRANULE, Kind};
use zwasm_regir::uses::Length;
use zwasm_regir::{Inst, Operand, Slot, Storage, Type, work};

impl Encoder<'_> {
    /// Encodes an instruction on objects or references.
    pub(super) fn gc(&mut self, inst: &Inst) {
        match *inst {
            Inst::Gc { op: GcOp::StructNew { ty }, base } => self.struct_new(ty, base),
            Inst::Gc { op: GcOp::StructNewDefault { ty }, base } => {
                let size = self.module.layouts[ty as usize].1;
                let size = size.next_multiple_of(GRANULE);
                if size <= LARGE && !self.is_far_slot(base.0) {
                    self.op(gc::struct_new_default, with_upper(base.0, 0, size as u32));
                    self.with_header(ty, Kind::Struct, 0);
                    self.leaves(base, BITS);
                } else {
                    let operation = objects::Operation::StructNewDefault as u32;
                    self.op(gc::op, halves(base.0, 0));
                    self.with_header(ty, Kind::Struct, size as u32);
                    self.words.push(halves(operation, 0));
                }
            }
            Inst::Gc { op, base } => self.gc_op(op, base),
            Inst::StructGet { dst, object, ty, field, extend } => {
                let (storage, offset) = self.field(ty, field);
                if storage == Storage::V128 {
                    self.op(gc::struct_get_v128, with_upper(dst.0, object.0, offset));
                    return;
                }
                let (form, slot) = self.form(Operand::Slot(object), BITS);
                let handler = gc::struct_gets(storage, extend)[form as usize];
                self.op(handler, with_upper(dst.0, slot, offset));
                self.leaves(dst, BITS);
            }
            Inst::StructSet { object, value, ty, field } => {
                let (storage, offset) = self.field(ty, field);
                if storage == Storage::V128 {
                    let value = self.in_slot(value, 0);
                    self.op(gc::struct_set_v128, with_upper(object.0, value, offset));
                    return;
                }
                let (form, slot) = self.form(value, BITS);
                let handler = gc::struct_sets(storage)[form as usize];
                self.op(handler, with_upper(object.0, slot, offset));
                self.constant(value);
            }
            Inst::ArrayGet { dst, object, index, ty, extend } => {
                let storage = self.module.storages[ty as usize][0];
                if storage == Storage::V128 {
                    let index = self.in_slot(index, 0);
                    self.op(gc::array_get_v128, fields(dst.0, object.0, index, 0));
                    return;
                }
                let (form, index) = match self.form(index, Type::I32) {
                    (Form::Imm, _) => (Form::Slot, self.in_slot(index, 0)),
                    other => other,
                };
                let handler = gc::array_gets(storage, extend)[form as usize];
                self.op(handler, fields(dst.0, object.0, index, 0));
                self.leaves(dst, BITS);
            }
            Inst::ArraySet { object, index, value, ty } => {
                let storage = self.module.storages[ty as usize][0];
                let index = self.in_slot(index, 0);
                if storage == Storage::V128 {
                    let value = self.in_slot(value, 1);
                    self.op(gc::array_set_v128, fields(object.0, index, value, 0));
                    return;
                }
                let (form, slot) = self.form(value, BITS);
                let handler = gc::array_sets(storage)[form as usize];
                self.op(handler, fields(object.0, index, slot, 0));
                self.constant(value);
            }
            Inst::ArrayLen { dst, object } => {
                self.op(gc::array_len, fields(dst.0, object.0, 0, 0));
                self.leaves(dst, Type::I32);
            }
            Inst::RefTest { dst, src, target } => {
                self.ref_check(0, dst.0, src.0, target);
                self.leaves(dst, Type::I32);
            }
            Inst::RefCast { src, target } => self.ref_check(1, src.0, 0, target),
            Inst::I31New { dst, src } => {
                self.op(gc::i31_new, fields(dst.0, src.0, 0, 0));
                self.leaves(dst, BITS);
            }
            Inst::I31Get { dst, src, extend } => {
                let handler = match extend {
                    Extend::Sign => gc::i31_get_s,
                    Extend::Zero => gc::i31_get_u,
                };
                self.op(handler, fields(dst.0, src.0, 0, 0));
                self.leaves(dst, Type::I32);
            }
            _ => {}
        }
    }

    /// What a field holds, and its offset.
    fn field(&self, ty: u32, field: u32) -> (Storage, u32) {
        let storages = &self.module.storages[ty as usize];
        (storages[field as usize], self.module.layouts[ty as usize].0[field as usize])
    }

    fn struct_new(&mut self, ty: u32, base: Slot) {
        let (offsets, size) = &self.module.layouts[ty as usize];
        let size = size.next_multiple_of(GRANULE);
        let storages = &self.module.storages[ty as usize];
        let slots = self.module.slots_of(Length::Fields(ty));

        if size > LARGE || storages.len() > INLINE_FIELDS || self.is_far_slot(base.0) {
            // Out of line the reference goes to its slot only.
            self.op(gc::struct_new_large, halves(base.0, slots));
            self.with_header(ty, Kind::Struct, size as u32);
            self.words.push(u64::from(ty));
            return;
        }
        let words = storages.iter().all(|&storage| storage.size() == 4);
        let handler = match storages.len() {
            1 if words => gc::struct_new_words::<1>,
            2 if words => gc::struct_new_words::<2>,
            3 if words => gc::struct_new_words::<3>,
            4 if words => gc::struct_new_words::<4>,
            _ => gc::struct_new,
        };
        work::count(offsets.len());
        let places: Vec<u32> = offsets
            .iter()
            .zip(storages)
            .map(|(offset, &storage)| offset | storage.scale() << 28)
            .collect();
        self.op(handler, with_upper(base.0, slots, size as u32));
        self.with_header(ty, Kind::Struct, 0);
        if !(words && (1..=4).contains(&places.len())) {
            for pair in places.chunks(2) {
                let second = pair.get(1).copied().unwrap_or(0);
                self.words.push(halves(pair[0], second));
            }
        }
        self.leaves(base, BITS);
    }

    fn gc_op(&mut self, op: GcOp, base: Slot) {
        let Some((operation, other)) = objects::operation(op) else { return };
        let (ty, before, values, after) = match op {
            GcOp::ArrayNew { ty } => (ty, 0, 1, 1),
            GcOp::ArrayNewDefault { ty } => (ty, 0, 0, 1),
            GcOp::ArrayNewFixed { ty, count } => (ty, 0, count, 0),
            GcOp::ArrayNewData { ty, .. } | GcOp::ArrayNewElem { ty, .. } => (ty, 0, 0, 2),
            GcOp::ArrayFill { ty } => (ty, 2, 1, 1),
            GcOp::ArrayCopy { dst, .. } => (dst, 5, 0, 0),
            GcOp::ArrayInitData { ty, .. } | GcOp::ArrayInitElem { ty, .. } => (ty, 4, 0, 0),
            GcOp::StructNew { .. } | GcOp::StructNewDefault { .. } => return,
        };
        let storage = self.module.storages[ty as usize][0];
        let slots = before + values * storage.kind().slots() + after;
        self.op(gc::op, halves(base.0, slots));
        self.with_header(ty, Kind::Array, other);
        self.words.push(halves(operation as u32, storage as u32));
    }

    /// A test (`which` is 0) or cast (1).
    fn ref_check(&mut self, which: usize, a: u32, b: u32, target: RefTarget) {
        let (handlers, ty) = match target.heap {
            HeapTarget::Type(index) => {
                let id = self.module.types[index as usize];
                let types = self.module.engine.types();
                let types = types.read();
                let ty = types.get(id);
                let (kind, handlers) = match ty.composite {
                    Composite::Func(_) => (Kind::Struct, gc::FUNC),
                    Composite::Struct(_) if ty.is_final => (Kind::Struct, gc::FINAL),
                    Composite::Array(_) if ty.is_final => (Kind::Array, gc::FINAL),
                    Composite::Struct(_) => (Kind::Struct, gc::TYPE),
                    Composite::Array(_) => (Kind::Array, gc::TYPE),
                };
                (handlers, Some((index, kind, types.depth(id) as u32)))
            }
            other => (gc::abstract_tests(other), None),
        };
        self.op(handlers[which], fields(a, b, u32::from(target.nullable), 0));
        match ty {
            Some((index, kind, depth)) => self.with_header(index, kind, depth),
            None => self.words.push(0),
        }
    }
}
