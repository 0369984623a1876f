//! Making structures and small arrays.
//!
//! An object is allocated by moving the window's cursor. When the window is full,
//! or an array is larger than it is worth code, the interpreter's handler does the
//! whole instruction out of line (and perhaps collects), with every live value in
//! its slot, and the registers are loaded again behind it. Nothing can collect
//! before the object's contents are written.

use super::asm::{AsmLabel, Cond, Mem, Reg, Rm, at, emit};
use super::control::Late;
use super::gc::{HEADER, LENGTH, class_of, scale};
use super::integer::Alu;
use super::{FLOAT_SCRATCH, INT_SCRATCH, VMCTX};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
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

impl Compiler<'_> {
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

    /// Allocates; what is not a small object is the interpreter's.
    pub(crate) fn gc(&mut self, op: GcOp, base: Slot) {
        let inst = Inst::Gc { op, base };
        if !self.cpu.bmi2 {
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
        emit!(self.asm, movl_oi(INT_SCRATCH, structure.word));
        emit!(self.asm, movq_mr(Rm::Mem(at(object, 0)), INT_SCRATCH));
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
        self.load_constant(FLOAT_SCRATCH, 0);
        self.rounded_size(INT_SCRATCH, count, scale(storage), None);
        self.asm.bind(again);
        let place = Mem { base: fresh.object, index: Some((INT_SCRATCH, 0)), disp: -GRANULE };
        emit!(self.asm, movups_b(Rm::Mem(place), FLOAT_SCRATCH));
        self.alu_immediate(Alu::Sub, true, Rm::Reg(INT_SCRATCH), GRANULE);
        self.asm.jcc(Cond::NotEqual, again);
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
        emit!(self.asm, movl_rm(INT_SCRATCH, Rm::Reg(count)));
        emit!(self.asm, testl_mr(Rm::Reg(count), count));
        self.asm.jcc(Cond::Equal, done);
        self.asm.bind(again);
        let place = Mem {
            base: fresh.object,
            index: Some((INT_SCRATCH, scale(storage))),
            disp: HEADER - (1 << scale(storage)),
        };
        self.store_cell(storage, place, value);
        self.alu_immediate(Alu::Sub, false, Rm::Reg(INT_SCRATCH), 1);
        self.asm.jcc(Cond::NotEqual, again);
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
            self.alu_immediate(Alu::Cmp, false, Rm::Reg(count), most);
            self.asm.jcc(Cond::Above, slow.label);
        }
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(at(VMCTX, layout.store as i32))));
        let cursor = at(INT_SCRATCH, layout.heap_cursor as i32);
        emit!(self.asm, movq_rm(reference, Rm::Mem(cursor)));
        match extent {
            Extent::Fixed(size) => emit!(self.asm, leaq_rm(end, at(reference, size))),
            Extent::Array(count, scale) => self.rounded_size(end, count, scale, Some(reference)),
        }
        self.alu(Alu::Cmp, true, end, Rm::Mem(at(INT_SCRATCH, layout.heap_limit as i32)));
        self.asm.jcc(Cond::Above, slow.label);
        let resume = slow.resume;
        self.late.push(Late::Slow(Box::new(slow)));
        emit!(self.asm, movq_mr(Rm::Mem(cursor), end));
        // The bit that says that an object starts here: of the granules' bits, 32
        // are in a word.
        self.move_reg(INT_SCRATCH, reference);
        emit!(self.asm, shrl_mi(Rm::Reg(INT_SCRATCH), object::GRANULE.ilog2() as u8));
        self.load_constant(end, 1);
        emit!(self.asm, shlxl_rmv(end, Rm::Reg(end), INT_SCRATCH));
        emit!(self.asm, shrl_mi(Rm::Reg(INT_SCRATCH), 5u8));
        emit!(self.asm, shll_mi(Rm::Reg(INT_SCRATCH), 2u8));
        self.alu(Alu::Add, true, INT_SCRATCH, Rm::Mem(at(VMCTX, layout.heap as i32)));
        let starts = at(INT_SCRATCH, -(layout.heap_starts as i32));
        emit!(self.asm, orl_mr(Rm::Mem(starts), end));
        let object = end;
        emit!(self.asm, movq_rm(object, Rm::Mem(at(VMCTX, layout.heap as i32))));
        self.alu(Alu::Add, true, object, Rm::Reg(reference));
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
                emit!(self.asm, leaq_rm(into, Mem { base, index: Some((count, scale)), disp }));
            }
            None => {
                self.move_reg(into, count);
                if scale > 0 {
                    emit!(self.asm, shlq_mi(Rm::Reg(into), scale));
                }
                self.alu_immediate(Alu::Add, true, Rm::Reg(into), disp);
            }
        }
        self.alu_immediate(Alu::And, true, Rm::Reg(into), -GRANULE);
    }

    fn array_header(&mut self, object: Reg, ty: u32, length: Length) {
        let word = self.env.heap_type(ty).word;
        emit!(self.asm, movl_mi(Rm::Mem(at(object, 0)), word));
        let place = Rm::Mem(at(object, LENGTH));
        match length {
            Length::Constant(length) => emit!(self.asm, movl_mi(place, length)),
            Length::Register(length) => emit!(self.asm, movl_mr(place, length)),
        }
    }

    /// Clears an object of so many bytes behind its header.
    fn clear_contents(&mut self, object: Reg, size: i32) {
        self.load_constant(FLOAT_SCRATCH, 0);
        let mut offset = HEADER;
        while offset + 16 <= size {
            emit!(self.asm, movups_b(Rm::Mem(at(object, offset)), FLOAT_SCRATCH));
            offset += 16;
        }
        if offset < size {
            emit!(self.asm, movsd_c_m(at(object, offset), FLOAT_SCRATCH));
        }
    }

    /// Writes a slot's value to a field, leaving all registers but the scratch
    /// registers as they are: the slow path has been told what they hold.
    fn init_field(&mut self, storage: Storage, place: Mem, slot: u32) {
        let in_frame = |this: &mut Self, class: Class| {
            let reg = if class == Class::Vector { FLOAT_SCRATCH } else { INT_SCRATCH };
            this.load_slot(reg, slot, class);
            reg
        };
        let src = match self.state.location(slot) {
            Location::Const(value) if storage != Storage::V128 => {
                self.load_constant(INT_SCRATCH, value);
                INT_SCRATCH
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
