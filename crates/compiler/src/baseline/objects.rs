//! Fields and elements, 31-bit integers and casts.
//!
//! The address of an object exists only within one instruction: the heap's base in
//! the scratch register, plus a reference. References and the places of elements are
//! cut to 32 bits where they are used, as [`crate::heap`] says. Objects are made in
//! [`super::allocate`]; whatever works on ranges is a handler.

use super::Compiler;
use super::select::Select;
use super::state::{Class, Location};
use crate::asm::{AsmLabel, Mem, Reg, Rm};
use crate::heap::{self, Check, HEADER, LENGTH};
use crate::isa::{Relation, Shift, Size};
use zwasm_regir::gc::{Extend, RefTarget};
use zwasm_regir::object;
use zwasm_regir::{Inst, Operand, Slot, Storage, TrapCode, Type};

pub(crate) fn class_of(storage: Storage) -> Class {
    match storage.kind() {
        Type::F32 | Type::F64 => Class::Float,
        Type::V128 => Class::Vector,
        _ => Class::Int,
    }
}

/// The logarithm of the bytes that a value takes in an object.
pub(crate) fn scale(storage: Storage) -> u8 {
    storage.scale() as u8
}

/// The bytes that a value takes in an object.
pub(crate) fn size(storage: Storage) -> Size {
    Size::of(storage.size() as u64)
}

impl<A: Select> Compiler<'_, A> {
    fn heap(&mut self) -> Reg {
        heap::base(&mut self.asm, &self.layout)
    }

    /// A reference in a register, cut to 32 bits, after a trap if it is null.
    fn non_null(&mut self, object: Slot, code: TrapCode) -> Reg {
        let reg = self.operand(Operand::Slot(object), Class::Int);
        if !self.state.is_narrow(reg) {
            self.asm.narrow(reg, reg);
            self.state.set_narrow(reg);
        }
        let zero = self.asm.is_zero(reg, false);
        self.trap_if(zero, code);
        reg
    }

    fn load_cell(&mut self, storage: Storage, extend: Extend, dst: Reg, place: Mem) {
        match extend {
            Extend::Sign if scale(storage) < 2 => {
                self.asm.load_signed(dst, place, size(storage), false);
            }
            Extend::Sign | Extend::Zero => self.asm.load(dst, place, size(storage)),
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
    pub(crate) fn cell_value(&mut self, storage: Storage, value: Operand) -> Reg {
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

    pub(crate) fn store_cell(&mut self, storage: Storage, place: Mem, src: Reg) {
        self.asm.store(place, src, size(storage));
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
        let condition = self.asm.compare(Relation::AboveOrEqual, false, index, Rm::Mem(length));
        self.trap_if(condition, TrapCode::ArrayOutOfBounds);
        let offset = self.alloc(Class::Int, dst);
        let mut scaled = (index, scale(storage));
        if storage == Storage::V128 {
            // Twice what an address can multiply by.
            self.asm.address_of(
                offset,
                Mem { base: index, index: Some((index, 0)), disp: 0 },
                false,
            );
            scaled = (offset, 3);
        }
        let element = Mem { base: reference, index: Some(scaled), disp: 0 };
        self.asm.address_of(offset, element, false);
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
        self.asm.load(reg, length, Size::B4);
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn i31_new(&mut self, dst: Slot, src: Slot) {
        let value = self.operand(Operand::Slot(src), Class::Int);
        self.consume(src);
        let reg = self.alloc(Class::Int, Some(dst.0));
        let doubled = Mem { base: value, index: Some((value, 0)), disp: object::I31 as i32 };
        self.asm.address_of(reg, doubled, false);
        self.define(reg, dst, Class::Int);
    }

    pub(crate) fn i31_get(&mut self, dst: Slot, src: Slot, extend: Extend) {
        self.non_null(src, TrapCode::NullI31Reference);
        let reg = self.take(Operand::Slot(src), Class::Int, dst.0);
        match extend {
            Extend::Sign => self.asm.shift(Shift::RightSigned, false, reg, object::I31_SHIFT as u8),
            Extend::Zero => {
                self.asm.shift(Shift::RightUnsigned, false, reg, object::I31_SHIFT as u8);
            }
        }
        self.define(reg, dst, Class::Int);
    }

    /// Jumps to `fails` unless a reference has a type; goes on or to `passes` if so.
    fn check(&mut self, reference: Reg, target: RefTarget, passes: AsmLabel, fails: AsmLabel) {
        // Before the first jump, behind which nothing may be moved.
        let found = self.alloc(Class::Int, None);
        let check = Check::of(target, self.env);
        check.emit(&mut self.asm, &self.layout, reference, found, passes, fails);
    }

    pub(crate) fn ref_test(&mut self, dst: Slot, src: Slot, target: RefTarget) {
        let reference = self.operand(Operand::Slot(src), Class::Int);
        let (passes, fails, done) =
            (self.asm.new_label(), self.asm.new_label(), self.asm.new_label().near());
        let reg = self.alloc(Class::Int, None);
        self.check(reference, target, passes, fails);
        self.asm.bind(passes);
        self.asm.constant(reg, 1);
        self.asm.jump(done);
        self.asm.bind(fails);
        self.asm.constant(reg, 0);
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
