//! Making structures and small arrays.
//!
//! An object is allocated by moving the window's cursor. When the window is full,
//! or an array is larger than it is worth code, the interpreter's handler does the
//! whole instruction out of line (and perhaps collects), with every live value in
//! its slot, and the registers are loaded again behind it. Nothing can collect
//! before the object's contents are written.

use super::Compiler;
use super::late::Late;
use super::objects::{HEADER, LENGTH, class_of, scale};
use super::select::Select;
use super::state::{Class, Location};
use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::code::TypeForm;
use crate::isa::{Alu, Relation, Shift, Size, TypeWord};
use crate::tuning::{
    ARRAY_INLINE_BYTES, ARRAY_INLINE_ELEMENTS, STRUCT_INLINE_BYTES, STRUCT_INLINE_FIELDS,
};
use zwasm_regir::gc::GcOp;
use zwasm_regir::object;
use zwasm_regir::{Inst, Operand, Slot, Storage};

const GRANULE: i32 = object::GRANULE as i32;

/// How large an object is.
#[derive(Clone, Copy)]
enum Extent {
    /// So many bytes.
    Fixed(i32),
    /// An array of as many elements as a register says, and the logarithm of their
    /// size.
    Array(Reg, u8),
}

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
        if !self.asm.shifts_freely() {
            return self.call_handler(&inst);
        }
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
        let word = TypeWord { index: ty, form: TypeForm::Header };
        self.asm.type_constant(A::INT_SCRATCH, word);
        self.asm.store(at(object, 0), A::INT_SCRATCH, Size::B8);
        if default {
            self.clear_contents(object, size);
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
        self.array_header(fresh.object, ty, Length::Constant(count));
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
            self.array_header(fresh.object, ty, Length::Constant(count));
            self.clear_contents(fresh.object, size);
            return self.finish(&fresh, base);
        }
        if storage == Storage::V128 {
            return self.call_handler(inst);
        }
        let count = self.operand(length, Class::Int);
        let fresh = self.allocate(inst, base, Extent::Array(count, scale(storage)));
        // From the end to the start, header included.
        let again = self.asm.new_label();
        self.asm.constant(A::FLOAT_SCRATCH, 0);
        self.rounded_size(A::INT_SCRATCH, count, scale(storage), None);
        self.asm.bind(again);
        let place = Mem { base: fresh.object, index: Some((A::INT_SCRATCH, 0)), disp: -GRANULE };
        self.asm.store(place, A::FLOAT_SCRATCH, Size::B16);
        let more = self.asm.count_down(true, A::INT_SCRATCH, GRANULE);
        self.asm.jump_if(more, again);
        self.array_header(fresh.object, ty, Length::Register(count));
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
        self.array_header(fresh.object, ty, Length::Register(count));
        let (again, done) = (self.asm.new_label(), self.asm.new_label());
        self.asm.narrow(A::INT_SCRATCH, count);
        let zero = self.asm.is_zero(count, false);
        self.asm.jump_if(zero, done);
        self.asm.bind(again);
        let place = Mem {
            base: fresh.object,
            index: Some((A::INT_SCRATCH, scale(storage))),
            disp: HEADER - (1 << scale(storage)),
        };
        self.store_cell(storage, place, value);
        let more = self.asm.count_down(false, A::INT_SCRATCH, 1);
        self.asm.jump_if(more, again);
        self.asm.bind(done);
        self.finish(&fresh, base);
    }

    /// Takes an object's bytes from the window and notes that it starts there; the
    /// operands are still where they were.
    fn allocate(&mut self, inst: &Inst, base: Slot, extent: Extent) -> Fresh {
        let layout = self.layout;
        let reference = self.alloc(Class::Int, None);
        let end = self.alloc(Class::Int, None);
        let slow = self.slow(inst, Some((reference, base)));
        if let Extent::Array(count, scale) = extent {
            let most = (ARRAY_INLINE_BYTES >> scale) as i32;
            let condition =
                self.asm.compare_immediate(Relation::Above, false, Rm::Reg(count), most);
            self.asm.jump_if(condition, slow.label);
        }
        self.asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.store as i32), Size::B8);
        let cursor = at(A::INT_SCRATCH, layout.heap_cursor as i32);
        self.asm.load(reference, cursor, Size::B8);
        match extent {
            Extent::Fixed(size) => {
                self.asm.address_of(end, at(reference, size), true);
            }
            Extent::Array(count, scale) => self.rounded_size(end, count, scale, Some(reference)),
        }
        let condition = self.asm.compare(
            Relation::Above,
            true,
            end,
            Rm::Mem(at(A::INT_SCRATCH, layout.heap_limit as i32)),
        );
        self.asm.jump_if(condition, slow.label);
        let resume = slow.resume;
        self.late.push(Late::Slow(Box::new(slow)));
        self.asm.store(cursor, end, Size::B8);
        // The bit that says that an object starts here: of the granules' bits, 32
        // are in a word.
        self.asm.mov(A::INT_SCRATCH, reference);
        self.asm.shift(Shift::RightUnsigned, false, A::INT_SCRATCH, object::GRANULE.ilog2() as u8);
        self.asm.bit(end, A::INT_SCRATCH);
        self.asm.shift(Shift::RightUnsigned, false, A::INT_SCRATCH, 5);
        self.asm.shift(Shift::Left, false, A::INT_SCRATCH, 2);
        self.asm.alu(Alu::Add, true, A::INT_SCRATCH, Rm::Mem(at(A::VMCTX, layout.heap as i32)));
        let starts = at(A::INT_SCRATCH, -(layout.heap_starts as i32));
        self.asm.or_to_memory(starts, end);
        let object = end;
        self.asm.load(object, at(A::VMCTX, layout.heap as i32), Size::B8);
        self.asm.alu(Alu::Add, true, object, Rm::Reg(reference));
        Fresh { reference, object, resume }
    }

    /// The contents are written, and the slow case joins.
    fn finish(&mut self, fresh: &Fresh, base: Slot) {
        self.state.truncate(base.0);
        self.asm.bind(fresh.resume);
        self.define(fresh.reference, base, Class::Int);
    }

    /// The bytes of an array with so many elements, rounded to granules, and added
    /// to another register, which is a multiple of granules.
    fn rounded_size(&mut self, into: Reg, count: Reg, scale: u8, plus: Option<Reg>) {
        let disp = HEADER + GRANULE - 1;
        match plus {
            Some(base) => {
                let size = Mem { base, index: Some((count, scale)), disp };
                self.asm.address_of(into, size, true);
            }
            None => {
                self.asm.mov(into, count);
                if scale > 0 {
                    self.asm.shift(Shift::Left, true, into, scale);
                }
                self.asm.alu_immediate(Alu::Add, true, into, disp);
            }
        }
        self.asm.alu_immediate(Alu::And, true, into, -GRANULE);
    }

    fn array_header(&mut self, object: Reg, ty: u32, length: Length) {
        let word = TypeWord { index: ty, form: TypeForm::Header };
        self.asm.store_type(at(object, 0), word);
        let place = at(object, LENGTH);
        match length {
            Length::Constant(length) => {
                self.asm.store_constant(place, u64::from(length), Size::B4);
            }
            Length::Register(length) => self.asm.store(place, length, Size::B4),
        }
    }

    /// Clears an object of so many bytes behind its header.
    fn clear_contents(&mut self, object: Reg, size: i32) {
        self.asm.constant(A::FLOAT_SCRATCH, 0);
        let mut offset = HEADER;
        while offset + 16 <= size {
            self.asm.store(at(object, offset), A::FLOAT_SCRATCH, Size::B16);
            offset += 16;
        }
        if offset < size {
            self.asm.store(at(object, offset), A::FLOAT_SCRATCH, Size::B8);
        }
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

/// The length of an array.
#[derive(Clone, Copy)]
enum Length {
    Constant(u32),
    Register(Reg),
}

/// Bytes of an array with few elements, as the heap counts them.
fn size_of_array(storage: Storage, count: u32) -> i32 {
    object::array_size(storage, count).next_multiple_of(object::GRANULE as u64) as i32
}
