//! Making structures and small arrays.
//!
//! An object is allocated by moving the window's cursor. When the window is full,
//! or an array is larger than it is worth code, the interpreter's handler does the
//! whole instruction out of line (and perhaps collects), with every live value in
//! its slot, and the registers are loaded again behind it. Nothing can collect
//! before the object's contents are written.

use super::Compiler;
use super::late::Late;
use super::objects::{class_of, scale, size};
use super::select::Select;
use super::state::{Class, Location};
use crate::asm::{AsmLabel, Mem, Reg, at};
use crate::heap::{self, Extent, HEADER, Length};
use crate::tuning::{
    ARRAY_INLINE_BYTES, ARRAY_INLINE_ELEMENTS, STRUCT_INLINE_BYTES, STRUCT_INLINE_FIELDS,
};
use zwasm_regir::gc::GcOp;
use zwasm_regir::object;
use zwasm_regir::{Inst, Operand, Slot, Storage};

/// Whether an instruction usually is compiled, and then leaves registers alone.
pub(crate) fn is_allocation(op: GcOp) -> bool {
    matches!(
        op,
        GcOp::StructNew { .. }
            | GcOp::StructNewDefault { .. }
            | GcOp::ArrayNew { .. }
            | GcOp::ArrayNewDefault { .. }
            | GcOp::ArrayNewFixed { .. }
    )
}

/// An object that was allocated and has no contents yet.
struct Fresh {
    /// Will be the result.
    reference: Reg,
    /// The object's address.
    object: Reg,
    /// Where the slow case comes back with the reference: everything is as it is
    /// after the allocation, without the operands.
    resume: AsmLabel,
}

impl<A: Select> Compiler<'_, A> {
    /// Allocates; what is not a small object is the interpreter's.
    pub(crate) fn gc(&mut self, op: GcOp, base: Slot) {
        let inst = Inst::Gc { op, base };
        match op {
            GcOp::StructNew { ty } | GcOp::StructNewDefault { ty } => {
                self.struct_new(&inst, base, ty, op == GcOp::StructNewDefault { ty });
            }
            // The handlers charge fuel by size.
            _ if self.env.consumes_fuel() => self.call_handler(&inst),
            GcOp::ArrayNewFixed { ty, count } => self.array_new_fixed(&inst, base, ty, count),
            GcOp::ArrayNewDefault { ty } => self.array_new_default(&inst, base, ty),
            GcOp::ArrayNew { ty } => self.array_new(&inst, base, ty),
            _ => self.call_handler(&inst),
        }
    }

    fn struct_new(&mut self, inst: &Inst, base: Slot, ty: u32, default: bool) {
        let structure = self.env.struct_type(ty);
        let is_short = match default {
            true => structure.size <= STRUCT_INLINE_BYTES,
            false => structure.fields <= STRUCT_INLINE_FIELDS,
        };
        if !structure.is_small || !is_short {
            return self.call_handler(inst);
        }
        let size = structure.size as i32;
        let fresh = self.allocate(inst, base, Extent::Fixed(size));
        let object = fresh.object;
        heap::struct_header(&mut self.asm, object, ty);
        if default {
            heap::clear_contents(&mut self.asm, object, size);
        } else {
            let mut slot = base.0;
            for field in 0..structure.fields as u32 {
                let (storage, offset) = self.env.field(ty, field);
                self.init_field(storage, at(object, offset as i32), slot);
                slot += storage.kind().slots();
            }
        }
        self.finish(&fresh, base);
    }

    fn array_new_fixed(&mut self, inst: &Inst, base: Slot, ty: u32, count: u32) {
        let (storage, _) = self.env.field(ty, 0);
        if count > ARRAY_INLINE_ELEMENTS {
            return self.call_handler(inst);
        }
        let size = size_of_array(storage, count);
        let fresh = self.allocate(inst, base, Extent::Fixed(size));
        heap::array_header(&mut self.asm, fresh.object, ty, Length::Constant(count));
        for index in 0..count {
            let place = at(fresh.object, HEADER + (index << scale(storage)) as i32);
            self.init_field(storage, place, base.0 + index * storage.kind().slots());
        }
        self.finish(&fresh, base);
    }

    fn array_new_default(&mut self, inst: &Inst, base: Slot, ty: u32) {
        let (storage, _) = self.env.field(ty, 0);
        let length = Operand::Slot(base);
        if let Operand::Const(count) = self.resolve(length) {
            let count = count as u32;
            if count > ARRAY_INLINE_BYTES >> scale(storage) {
                return self.call_handler(inst);
            }
            let size = size_of_array(storage, count);
            let fresh = self.allocate(inst, base, Extent::Fixed(size));
            heap::array_header(&mut self.asm, fresh.object, ty, Length::Constant(count));
            heap::clear_contents(&mut self.asm, fresh.object, size);
            return self.finish(&fresh, base);
        }
        if storage == Storage::V128 {
            return self.call_handler(inst);
        }
        let count = self.operand(length, Class::Int);
        let fresh = self.allocate(inst, base, Extent::Array(count, scale(storage)));
        heap::clear_array(&mut self.asm, fresh.object, count, scale(storage));
        heap::array_header(&mut self.asm, fresh.object, ty, Length::Register(count));
        self.finish(&fresh, base);
    }

    fn array_new(&mut self, inst: &Inst, base: Slot, ty: u32) {
        let (storage, _) = self.env.field(ty, 0);
        let length = Operand::Slot(Slot(base.0 + storage.kind().slots()));
        let large = |count| count as u32 > ARRAY_INLINE_BYTES >> scale(storage);
        match self.resolve(length) {
            _ if storage == Storage::V128 => return self.call_handler(inst),
            Operand::Const(count) if large(count) => return self.call_handler(inst),
            _ => {}
        }
        let value = self.cell_value(storage, Operand::Slot(base));
        let count = self.operand(length, Class::Int);
        let fresh = self.allocate(inst, base, Extent::Array(count, scale(storage)));
        heap::array_header(&mut self.asm, fresh.object, ty, Length::Register(count));
        heap::fill_array(&mut self.asm, fresh.object, count, value, size(storage));
        self.finish(&fresh, base);
    }

    /// Takes an object's bytes from the window; the operands are still where they were.
    fn allocate(&mut self, inst: &Inst, base: Slot, extent: Extent) -> Fresh {
        let reference = self.alloc(Class::Int, None);
        let object = self.alloc(Class::Int, None);
        let slow = self.slow(inst, Some((reference, base)));
        heap::take_room(&mut self.asm, &self.layout, reference, object, extent, slow.label);
        let resume = slow.resume;
        self.late.push(Late::Slow(Box::new(slow)));
        Fresh { reference, object, resume }
    }

    /// The contents are written, and the slow case joins.
    fn finish(&mut self, fresh: &Fresh, base: Slot) {
        self.state.truncate(base.0);
        self.asm.bind(fresh.resume);
        self.define(fresh.reference, base, Class::Int);
    }

    /// Writes a slot's value to a field, leaving all registers but the scratch
    /// registers as they are: the slow path has been told what they hold.
    fn init_field(&mut self, storage: Storage, place: Mem, slot: u32) {
        let in_frame = |this: &mut Self, class: Class| {
            let reg = if class == Class::Vector { A::FLOAT_SCRATCH } else { A::INT_SCRATCH };
            this.load_slot(reg, slot, class);
            reg
        };
        let src = match self.state.location(slot) {
            Location::Const(value) if storage != Storage::V128 => {
                self.asm.constant(A::INT_SCRATCH, value);
                A::INT_SCRATCH
            }
            Location::Reg(reg) => {
                let vector = self.state.held(reg).is_some_and(|held| held.class == Class::Vector);
                if vector == (storage == Storage::V128) && (!reg.is_vector() || scale(storage) >= 2)
                {
                    reg
                } else {
                    // Moved half by half, or a float where bytes are wanted.
                    self.spill(reg);
                    self.spill_slot(slot);
                    in_frame(self, class_of(storage))
                }
            }
            _ => {
                self.spill_slot(slot);
                if storage == Storage::V128 {
                    self.spill_slot(slot + 1);
                }
                in_frame(self, if storage == Storage::V128 { Class::Vector } else { Class::Int })
            }
        };
        self.store_cell(storage, place, src);
    }
}

/// Bytes of an array with few elements, as the heap counts them.
fn size_of_array(storage: Storage, count: u32) -> i32 {
    object::array_size(storage, count).next_multiple_of(object::GRANULE as u64) as i32
}
