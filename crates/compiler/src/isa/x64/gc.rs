//! Structures, arrays, 31-bit integers and casts.
//!
//! The address of an object exists only within one instruction, in the scratch
//! register: heap base plus reference. A structure is allocated by moving the
//! window's cursor; when the window is full the interpreter's handler makes room
//! (and perhaps collects) out of line, with every live value in its slot, and the
//! registers are loaded again behind it. Whatever works on ranges is a handler.

use super::asm::{AsmLabel, Cond, Mem, Reg, Rm, at, emit};
use super::control::Late;
use super::integer::Alu;
use super::{INT_SCRATCH, VMCTX};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
use crate::{HeapType, StructType};
use zwasm_regir::gc::{Extend, GcOp, HeapTarget, RefTarget};
use zwasm_regir::{Inst, Operand, Slot, Storage, TrapCode, Type};

/// Bytes of an object's header.
const HEADER: i32 = 8;
/// The offset of an array's length in its header.
const LENGTH: i32 = 4;

fn class_of(storage: Storage) -> Class {
    match storage.kind() {
        Type::F32 | Type::F64 => Class::Float,
        Type::V128 => Class::Vector,
        _ => Class::Int,
    }
}

/// The logarithm of the bytes that a value takes in an object.
fn scale(storage: Storage) -> u8 {
    match storage {
        Storage::I8 => 0,
        Storage::I16 => 1,
        Storage::I32 | Storage::F32 | Storage::HeapRef => 2,
        Storage::I64 | Storage::F64 | Storage::WideRef => 3,
        Storage::V128 => 4,
    }
}

impl Compiler<'_> {
    /// Loads the heap's base into the scratch register.
    fn heap(&mut self) -> Reg {
        let heap = at(VMCTX, self.layout.heap as i32);
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(heap)));
        INT_SCRATCH
    }

    /// A reference in a register, after a trap if it is null.
    fn non_null(&mut self, object: Slot, code: TrapCode) -> Reg {
        let reg = self.operand(Operand::Slot(object), Class::Int);
        emit!(self.asm, testl_mr(Rm::Reg(reg), reg));
        self.trap_if(Cond::Equal, code);
        reg
    }

    fn load_cell(&mut self, storage: Storage, extend: Extend, dst: Reg, place: Mem) {
        let src = Rm::Mem(place);
        match (storage, extend) {
            (Storage::I8, Extend::Zero) => emit!(self.asm, movzbl_rm(dst, src)),
            (Storage::I8, Extend::Sign) => emit!(self.asm, movsbl_rm(dst, src)),
            (Storage::I16, Extend::Zero) => emit!(self.asm, movzwl_rm(dst, src)),
            (Storage::I16, Extend::Sign) => emit!(self.asm, movswl_rm(dst, src)),
            (Storage::I32 | Storage::HeapRef, _) => emit!(self.asm, movl_rm(dst, src)),
            (Storage::I64 | Storage::WideRef, _) => emit!(self.asm, movq_rm(dst, src)),
            (Storage::F32, _) => emit!(self.asm, movss_a_m(dst, place)),
            (Storage::F64, _) => emit!(self.asm, movsd_a_m(dst, place)),
            (Storage::V128, _) => emit!(self.asm, movups_a(dst, src)),
        }
    }

    /// A value to be stored: in a register of the class that suits it.
    fn cell_value(&mut self, storage: Storage, value: Operand) -> Reg {
        let class = match (class_of(storage), self.resolve(value)) {
            (Class::Float, Operand::Slot(slot)) => match self.state.location(slot.0) {
                Location::Reg(reg) if !reg.is_vector() => Class::Int,
                _ => Class::Float,
            },
            (Class::Float, Operand::Const(_)) => Class::Int,
            (class, _) => class,
        };
        self.operand(value, class)
    }

    fn store_cell(&mut self, storage: Storage, place: Mem, src: Reg) {
        let dst = Rm::Mem(place);
        match scale(storage) {
            0 => emit!(self.asm, movb_mr(dst, src)),
            1 => emit!(self.asm, movw_mr(dst, src)),
            2 if src.is_vector() => emit!(self.asm, movss_c_m(place, src)),
            2 => emit!(self.asm, movl_mr(dst, src)),
            3 if src.is_vector() => emit!(self.asm, movsd_c_m(place, src)),
            3 => emit!(self.asm, movq_mr(dst, src)),
            _ => emit!(self.asm, movups_b(dst, src)),
        }
    }

    pub(crate) fn struct_get(
        &mut self,
        dst: Slot,
        object: Slot,
        ty: u32,
        field: u32,
        extend: Extend,
    ) {
        let (storage, offset) = self.env.field(ty, field);
        let Ok(offset) = i32::try_from(offset) else {
            return self.call_handler(&Inst::StructGet { dst, object, ty, field, extend });
        };
        let reference = self.non_null(object, TrapCode::NullStructReference);
        let base = self.heap();
        self.consume(object);
        let class = class_of(storage);
        let reg = self.alloc(class, Some(dst.0));
        self.load_cell(
            storage,
            extend,
            reg,
            Mem { base, index: Some((reference, 0)), disp: offset },
        );
        self.define(reg, dst, class);
    }

    pub(crate) fn struct_set(&mut self, object: Slot, value: Operand, ty: u32, field: u32) {
        let (storage, offset) = self.env.field(ty, field);
        let Ok(offset) = i32::try_from(offset) else {
            return self.call_handler(&Inst::StructSet { object, value, ty, field });
        };
        let src = self.cell_value(storage, value);
        let reference = self.non_null(object, TrapCode::NullStructReference);
        let base = self.heap();
        self.store_cell(storage, Mem { base, index: Some((reference, 0)), disp: offset }, src);
        self.consume(object);
        self.consume_operand(value);
    }

    /// The place of an element, after the checks; the scratch register is part of it.
    fn element(&mut self, object: Slot, index: Operand, storage: Storage) -> Mem {
        let index = self.operand(index, Class::Int);
        let reference = self.non_null(object, TrapCode::NullArrayReference);
        let base = self.heap();
        self.alu(Alu::Add, true, base, Rm::Reg(reference));
        self.alu(Alu::Cmp, false, index, Rm::Mem(at(base, LENGTH)));
        self.trap_if(Cond::AboveOrEqual, TrapCode::ArrayOutOfBounds);
        Mem { base, index: Some((index, scale(storage))), disp: HEADER }
    }

    pub(crate) fn array_get(
        &mut self,
        dst: Slot,
        object: Slot,
        index: Operand,
        ty: u32,
        extend: Extend,
    ) {
        let (storage, _) = self.env.field(ty, 0);
        if storage == Storage::V128 {
            return self.call_handler(&Inst::ArrayGet { dst, object, index, ty, extend });
        }
        let place = self.element(object, index, storage);
        self.consume(object);
        self.consume_operand(index);
        let class = class_of(storage);
        let reg = self.alloc(class, Some(dst.0));
        self.load_cell(storage, extend, reg, place);
        self.define(reg, dst, class);
    }

    pub(crate) fn array_set(&mut self, object: Slot, index: Operand, value: Operand, ty: u32) {
        let (storage, _) = self.env.field(ty, 0);
        if storage == Storage::V128 {
            return self.call_handler(&Inst::ArraySet { object, index, value, ty });
        }
        let src = self.cell_value(storage, value);
        let place = self.element(object, index, storage);
        self.store_cell(storage, place, src);
        self.consume(object);
        self.consume_operand(index);
        self.consume_operand(value);
    }

    pub(crate) fn array_len(&mut self, dst: Slot, object: Slot) {
        let reference = self.non_null(object, TrapCode::NullArrayReference);
        let base = self.heap();
        self.consume(object);
        let reg = self.alloc(Class::Int, Some(dst.0));
        let length = Mem { base, index: Some((reference, 0)), disp: LENGTH };
        emit!(self.asm, movl_rm(reg, Rm::Mem(length)));
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn i31_new(&mut self, dst: Slot, src: Slot) {
        let value = self.operand(Operand::Slot(src), Class::Int);
        self.consume(src);
        let reg = self.alloc(Class::Int, Some(dst.0));
        let doubled = Mem { base: value, index: Some((value, 0)), disp: 1 };
        emit!(self.asm, leal_rm(reg, doubled));
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn i31_get(&mut self, dst: Slot, src: Slot, extend: Extend) {
        self.non_null(src, TrapCode::NullI31Reference);
        let reg = self.take(Operand::Slot(src), Class::Int, dst.0);
        match extend {
            Extend::Sign => emit!(self.asm, sarl_mi(Rm::Reg(reg), 1u8)),
            Extend::Zero => emit!(self.asm, shrl_mi(Rm::Reg(reg), 1u8)),
        }
        self.define(reg, dst, Class::Int);
    }

    /// Jumps to `fails` unless a reference has a type; goes on or to `passes` if so.
    fn check(&mut self, reference: Reg, target: RefTarget, passes: AsmLabel, fails: AsmLabel) {
        // Before the first jump, behind which nothing may be moved.
        let found = self.alloc(Class::Int, None);
        emit!(self.asm, testl_mr(Rm::Reg(reference), reference));
        self.asm.jcc(Cond::Equal, if target.nullable { passes } else { fails });
        let layout = self.layout;
        let is_i31 = |this: &mut Self| {
            emit!(this.asm, testb_mi(Rm::Reg(reference), 1u8));
        };
        let header = |base: Reg| Mem { base, index: Some((reference, 0)), disp: 0 };
        match target.heap {
            HeapTarget::Top => {}
            HeapTarget::Bottom => self.asm.jmp(fails),
            HeapTarget::I31 => {
                is_i31(self);
                self.asm.jcc(Cond::Equal, fails);
            }
            HeapTarget::Eq => {
                is_i31(self);
                self.asm.jcc(Cond::NotEqual, passes);
                let base = self.heap();
                let word = self.env.extern_word() as i32;
                self.alu_immediate(Alu::Cmp, false, Rm::Mem(header(base)), word);
                self.asm.jcc(Cond::Equal, fails);
            }
            HeapTarget::Struct | HeapTarget::Array => {
                is_i31(self);
                self.asm.jcc(Cond::NotEqual, fails);
                let base = self.heap();
                let kind = if target.heap == HeapTarget::Struct { 0 } else { 1 };
                emit!(self.asm, movl_rm(base, Rm::Mem(header(base))));
                self.alu_immediate(Alu::And, false, Rm::Reg(base), 3);
                self.alu_immediate(Alu::Cmp, false, Rm::Reg(base), kind);
                self.asm.jcc(Cond::NotEqual, fails);
            }
            HeapTarget::Type(ty) => {
                let HeapType { word, is_final, depth } = self.env.heap_type(ty);
                is_i31(self);
                self.asm.jcc(Cond::NotEqual, fails);
                let base = self.heap();
                if is_final {
                    self.alu_immediate(Alu::Cmp, false, Rm::Mem(header(base)), word as i32);
                    self.asm.jcc(Cond::NotEqual, fails);
                    return;
                }
                emit!(self.asm, movl_rm(found, Rm::Mem(header(base))));
                self.alu_immediate(Alu::Cmp, false, Rm::Reg(found), word as i32);
                self.asm.jcc(Cond::Equal, passes);
                let external = self.env.extern_word() as i32;
                self.alu_immediate(Alu::Cmp, false, Rm::Reg(found), external);
                self.asm.jcc(Cond::Equal, fails);
                // A display has eight entries of four bytes.
                emit!(self.asm, shrl_mi(Rm::Reg(found), 2u8));
                emit!(self.asm, shll_mi(Rm::Reg(found), 5u8));
                emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(at(VMCTX, layout.store as i32))));
                let displays = at(INT_SCRATCH, layout.displays as i32);
                emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(displays)));
                let entry =
                    Mem { base: INT_SCRATCH, index: Some((found, 0)), disp: depth as i32 * 4 };
                self.alu_immediate(Alu::Cmp, false, Rm::Mem(entry), (word >> 2) as i32);
                self.asm.jcc(Cond::NotEqual, fails);
            }
        }
    }

    /// Whether a type can be told from a reference without the interpreter.
    fn is_simple(&self, target: RefTarget) -> bool {
        match target.heap {
            HeapTarget::Type(ty) => {
                let HeapType { depth, is_final, .. } = self.env.heap_type(ty);
                is_final || depth < crate::DISPLAY
            }
            _ => true,
        }
    }

    pub(crate) fn ref_test(&mut self, dst: Slot, src: Slot, target: RefTarget) {
        if !self.is_simple(target) {
            return self.call_handler(&Inst::RefTest { dst, src, target });
        }
        let reference = self.operand(Operand::Slot(src), Class::Int);
        let (passes, fails, done) =
            (self.asm.new_label(), self.asm.new_label(), self.asm.new_label());
        let reg = self.alloc(Class::Int, None);
        self.check(reference, target, passes, fails);
        self.asm.bind(passes);
        self.load_constant(reg, 1);
        self.asm.jmp(done);
        self.asm.bind(fails);
        self.load_constant(reg, 0);
        self.asm.bind(done);
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn ref_cast(&mut self, src: Slot, target: RefTarget) {
        if !self.is_simple(target) {
            return self.call_handler(&Inst::RefCast { src, target });
        }
        let reference = self.operand(Operand::Slot(src), Class::Int);
        let passes = self.asm.new_label();
        let fails = self.trap_label(TrapCode::CastFailure);
        self.check(reference, target, passes, fails);
        self.asm.bind(passes);
    }

    /// Allocates; what is not a small structure is the interpreter's.
    pub(crate) fn gc(&mut self, op: GcOp, base: Slot) {
        let inst = Inst::Gc { op, base };
        let (ty, default) = match op {
            GcOp::StructNew { ty } => (ty, false),
            GcOp::StructNewDefault { ty } => (ty, true),
            _ => return self.call_handler(&inst),
        };
        let object = self.env.struct_type(ty);
        if !object.is_small || !self.cpu.bmi2 {
            return self.call_handler(&inst);
        }
        self.struct_new(&inst, base, &object, default);
    }

    fn struct_new(&mut self, inst: &Inst, base: Slot, object: &StructType, default: bool) {
        let layout = self.layout;
        let size = object.size as i32;
        let reference = self.alloc(Class::Int, None);
        let end = self.alloc(Class::Int, None);
        let slow = self.slow(inst, Some((reference, base)));
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(at(VMCTX, layout.store as i32))));
        let cursor = at(INT_SCRATCH, layout.heap_cursor as i32);
        emit!(self.asm, movq_rm(reference, Rm::Mem(cursor)));
        emit!(self.asm, leaq_rm(end, at(reference, size)));
        self.alu(Alu::Cmp, true, end, Rm::Mem(at(INT_SCRATCH, layout.heap_limit as i32)));
        self.asm.jcc(Cond::Above, slow.label);
        let resume = slow.resume;
        self.late.push(Late::Slow(Box::new(slow)));
        emit!(self.asm, movq_mr(Rm::Mem(cursor), end));
        // The bit that says that an object starts here: of the granules' bits, 32
        // are in a word.
        self.move_reg(INT_SCRATCH, reference);
        emit!(self.asm, shrl_mi(Rm::Reg(INT_SCRATCH), 4u8));
        self.load_constant(end, 1);
        emit!(self.asm, shlxl_rmv(end, Rm::Reg(end), INT_SCRATCH));
        emit!(self.asm, shrl_mi(Rm::Reg(INT_SCRATCH), 5u8));
        emit!(self.asm, shll_mi(Rm::Reg(INT_SCRATCH), 2u8));
        self.alu(Alu::Add, true, INT_SCRATCH, Rm::Mem(at(VMCTX, layout.heap as i32)));
        let starts = at(INT_SCRATCH, -(layout.heap_starts as i32));
        emit!(self.asm, orl_mr(Rm::Mem(starts), end));
        // From here on `end` is the object's address.
        emit!(self.asm, movq_rm(end, Rm::Mem(at(VMCTX, layout.heap as i32))));
        self.alu(Alu::Add, true, end, Rm::Reg(reference));
        emit!(self.asm, movl_oi(INT_SCRATCH, object.word));
        emit!(self.asm, movq_mr(Rm::Mem(at(end, 0)), INT_SCRATCH));
        if default {
            let zero = super::FLOAT_SCRATCH;
            self.load_constant(zero, 0);
            let mut offset = HEADER;
            while offset + 16 <= size {
                emit!(self.asm, movups_b(Rm::Mem(at(end, offset)), zero));
                offset += 16;
            }
            if offset < size {
                emit!(self.asm, movsd_c_m(at(end, offset), zero));
            }
        } else {
            let mut slot = base.0;
            for &(storage, offset) in &object.fields {
                self.init_field(storage, at(end, offset as i32), slot);
                slot += storage.kind().slots();
            }
        }
        self.state.truncate(base.0);
        self.asm.bind(resume);
        self.define(reference, base, Class::Int);
    }

    /// Writes a slot's value to a field, leaving all registers but the scratch
    /// registers as they are: the slow path has been told what they hold.
    fn init_field(&mut self, storage: Storage, place: Mem, slot: u32) {
        let in_frame = |this: &mut Self, class: Class| {
            let reg = if class == Class::Vector { super::FLOAT_SCRATCH } else { INT_SCRATCH };
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
