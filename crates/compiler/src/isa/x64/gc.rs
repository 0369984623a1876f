//! Fields and elements, 31-bit integers and casts.
//!
//! The address of an object exists only within one instruction: the heap's base in
//! the scratch register, plus a reference. References and the places of elements are
//! cut to 32 bits where they are used, so that no value of a register, whatever it
//! was meant to be, leads out of the heap's region. Objects are made in [`super::allocate`];
//! whatever works on ranges is a handler.

use super::asm::{AsmLabel, Cond, Mem, Reg, Rm, at, emit};
use super::integer::Alu;
use super::{INT_SCRATCH, VMCTX};
use crate::HeapType;
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
use zwasm_regir::gc::{Extend, HeapTarget, RefTarget};
use zwasm_regir::object::{self, Kind};
use zwasm_regir::{Inst, Operand, Slot, Storage, TrapCode, Type};

pub(super) const HEADER: i32 = object::HEADER as i32;
pub(super) const LENGTH: i32 = object::LENGTH as i32;

pub(super) fn class_of(storage: Storage) -> Class {
    match storage.kind() {
        Type::F32 | Type::F64 => Class::Float,
        Type::V128 => Class::Vector,
        _ => Class::Int,
    }
}

/// The logarithm of the bytes that a value takes in an object.
pub(super) fn scale(storage: Storage) -> u8 {
    storage.scale() as u8
}

impl Compiler<'_> {
    /// Loads the heap's base into the scratch register.
    fn heap(&mut self) -> Reg {
        let heap = at(VMCTX, self.layout.heap as i32);
        emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(heap)));
        INT_SCRATCH
    }

    /// A reference in a register, cut to 32 bits, after a trap if it is null.
    fn non_null(&mut self, object: Slot, code: TrapCode) -> Reg {
        let reg = self.operand(Operand::Slot(object), Class::Int);
        if !self.state.is_narrow(reg) {
            emit!(self.asm, movl_rm(reg, Rm::Reg(reg)));
            self.state.set_narrow(reg);
        }
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
            (Storage::I32 | Storage::HeapRef | Storage::FuncRef, _) => {
                emit!(self.asm, movl_rm(dst, src))
            }
            (Storage::I64 | Storage::WideRef, _) => emit!(self.asm, movq_rm(dst, src)),
            (Storage::F32, _) => emit!(self.asm, movss_a_m(dst, place)),
            (Storage::F64, _) => emit!(self.asm, movsd_a_m(dst, place)),
            (Storage::V128, _) => emit!(self.asm, movups_a(dst, src)),
        }
    }

    /// Makes what [`Compiler::load_cell`] loaded the value of a slot.
    fn define_cell(&mut self, reg: Reg, dst: Slot, storage: Storage) {
        self.define(reg, dst, class_of(storage));
        if storage == Storage::HeapRef {
            self.state.set_narrow(reg);
        }
    }

    /// A value to be stored: in a register of the class that suits it.
    pub(super) fn cell_value(&mut self, storage: Storage, value: Operand) -> Reg {
        if let (Storage::V128, Operand::Slot(slot)) = (storage, value) {
            return self.reg(slot.0, Class::Vector);
        }
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

    pub(super) fn store_cell(&mut self, storage: Storage, place: Mem, src: Reg) {
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
        self.define_cell(reg, dst, storage);
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

    /// The offset of an element in a register, for the value of `dst` if that is given,
    /// and its place, after the checks. The scratch register is part of it.
    fn element(
        &mut self,
        object: Slot,
        index: Operand,
        storage: Storage,
        dst: Option<u32>,
    ) -> (Reg, Mem) {
        let index = self.operand(index, Class::Int);
        let reference = self.non_null(object, TrapCode::NullArrayReference);
        let base = self.heap();
        let length = Mem { base, index: Some((reference, 0)), disp: LENGTH };
        self.alu(Alu::Cmp, false, index, Rm::Mem(length));
        self.trap_if(Cond::AboveOrEqual, TrapCode::ArrayOutOfBounds);
        let offset = self.alloc(Class::Int, dst);
        let mut scaled = (index, scale(storage));
        if storage == Storage::V128 {
            // Twice what an address can multiply by.
            emit!(self.asm, leal_rm(offset, Mem { base: index, index: Some((index, 0)), disp: 0 }));
            scaled = (offset, 3);
        }
        let element = Mem { base: reference, index: Some(scaled), disp: 0 };
        emit!(self.asm, leal_rm(offset, element));
        (offset, Mem { base, index: Some((offset, 0)), disp: HEADER })
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
        let class = class_of(storage);
        let own = (class == Class::Int).then_some(dst.0);
        let (offset, place) = self.element(object, index, storage, own);
        self.consume(object);
        self.consume_operand(index);
        let reg = match own {
            Some(_) => offset,
            None => self.alloc(class, Some(dst.0)),
        };
        self.load_cell(storage, extend, reg, place);
        self.define_cell(reg, dst, storage);
    }

    pub(crate) fn array_set(&mut self, object: Slot, index: Operand, value: Operand, ty: u32) {
        let (storage, _) = self.env.field(ty, 0);
        let src = self.cell_value(storage, value);
        let (_, place) = self.element(object, index, storage, None);
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
        let doubled = Mem { base: value, index: Some((value, 0)), disp: object::I31 as i32 };
        emit!(self.asm, leal_rm(reg, doubled));
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn i31_get(&mut self, dst: Slot, src: Slot, extend: Extend) {
        self.non_null(src, TrapCode::NullI31Reference);
        let reg = self.take(Operand::Slot(src), Class::Int, dst.0);
        match extend {
            Extend::Sign => emit!(self.asm, sarl_mi(Rm::Reg(reg), object::I31_SHIFT as u8)),
            Extend::Zero => emit!(self.asm, shrl_mi(Rm::Reg(reg), object::I31_SHIFT as u8)),
        }
        self.define(reg, dst, Class::Int);
    }

    /// Jumps to `fails` unless a reference has a type; goes on or to `passes` if so.
    fn check(&mut self, reference: Reg, target: RefTarget, passes: AsmLabel, fails: AsmLabel) {
        // Before the first jump, behind which nothing may be moved.
        let found = self.alloc(Class::Int, None);
        emit!(self.asm, movl_rm(found, Rm::Reg(reference)));
        emit!(self.asm, testl_mr(Rm::Reg(found), found));
        self.asm.jcc(Cond::Equal, if target.nullable { passes } else { fails });
        let layout = self.layout;
        let is_i31 = |this: &mut Self| {
            emit!(this.asm, testb_mi(Rm::Reg(found), object::I31 as u8));
        };
        let header = |base: Reg| Mem { base, index: Some((found, 0)), disp: 0 };
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
                let word = object::EXTERN_WORD as i32;
                self.alu_immediate(Alu::Cmp, false, Rm::Mem(header(base)), word);
                self.asm.jcc(Cond::Equal, fails);
            }
            HeapTarget::Struct | HeapTarget::Array => {
                is_i31(self);
                self.asm.jcc(Cond::NotEqual, fails);
                let base = self.heap();
                let kind = match target.heap {
                    HeapTarget::Struct => Kind::Struct,
                    _ => Kind::Array,
                };
                emit!(self.asm, movl_rm(base, Rm::Mem(header(base))));
                self.alu_immediate(Alu::And, false, Rm::Reg(base), object::KIND as i32);
                self.alu_immediate(Alu::Cmp, false, Rm::Reg(base), kind as i32);
                self.asm.jcc(Cond::NotEqual, fails);
            }
            HeapTarget::Type(ty) => {
                let HeapType { word, is_final, is_func, depth } = self.env.heap_type(ty);
                let word_of_reference = if is_func {
                    let count = at(VMCTX, layout.function_count as i32);
                    self.alu(Alu::Cmp, false, found, Rm::Mem(count));
                    self.asm.jcc(Cond::AboveOrEqual, fails);
                    let functions = at(VMCTX, layout.functions as i32);
                    emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(functions)));
                    let record = Mem { base: INT_SCRATCH, index: Some((found, 3)), disp: 0 };
                    emit!(self.asm, movq_rm(INT_SCRATCH, Rm::Mem(record)));
                    emit!(self.asm, testq_mr(Rm::Reg(INT_SCRATCH), INT_SCRATCH));
                    self.asm.jcc(Cond::Equal, fails);
                    at(INT_SCRATCH, layout.record_type as i32)
                } else {
                    is_i31(self);
                    self.asm.jcc(Cond::NotEqual, fails);
                    header(self.heap())
                };
                // Records have the number itself.
                let word = if is_func { object::number(word) } else { word };
                if is_final {
                    self.alu_immediate(Alu::Cmp, false, Rm::Mem(word_of_reference), word as i32);
                    self.asm.jcc(Cond::NotEqual, fails);
                    return;
                }
                emit!(self.asm, movl_rm(found, Rm::Mem(word_of_reference)));
                self.alu_immediate(Alu::Cmp, false, Rm::Reg(found), word as i32);
                self.asm.jcc(Cond::Equal, passes);
                if !is_func {
                    emit!(self.asm, shrl_mi(Rm::Reg(found), object::KIND_BITS as u8));
                }
                let number = if is_func { word } else { object::number(word) };
                self.has_supertype(found, INT_SCRATCH, number, depth);
                self.asm.jcc(Cond::NotEqual, fails);
            }
        }
    }

    /// Compares what the display of the type whose number is in `found` has at a depth
    /// with a type.
    pub(super) fn has_supertype(&mut self, found: Reg, scratch: Reg, number: u32, depth: u32) {
        let layout = self.layout;
        emit!(self.asm, movq_rm(scratch, Rm::Mem(at(VMCTX, layout.store as i32))));
        self.alu(Alu::And, false, found, Rm::Mem(at(scratch, layout.display_mask as i32)));
        emit!(self.asm, movq_rm(scratch, Rm::Mem(at(scratch, layout.displays as i32))));
        let start = Mem { base: scratch, index: Some((found, 2)), disp: 0 };
        emit!(self.asm, movl_rm(found, Rm::Mem(start)));
        let entry = Mem { base: scratch, index: Some((found, 2)), disp: depth as i32 * 4 };
        self.alu_immediate(Alu::Cmp, false, Rm::Mem(entry), number as i32);
    }

    pub(crate) fn ref_test(&mut self, dst: Slot, src: Slot, target: RefTarget) {
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
        let reference = self.operand(Operand::Slot(src), Class::Int);
        let passes = self.asm.new_label();
        let fails = self.trap_label(TrapCode::CastFailure);
        self.check(reference, target, passes, fails);
        self.asm.bind(passes);
    }
}
