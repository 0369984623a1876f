//! Fields and elements, 31-bit integers and casts.
//!
//! The address of an object exists only within one instruction: the heap's base in
//! the scratch register, plus a reference. References and the places of elements are
//! cut to 32 bits where they are used, so that no value of a register, whatever it
//! was meant to be, leads out of the heap's region. Objects are made in [`super::allocate`];
//! whatever works on ranges is a handler.

use super::Compiler;
use super::select::Select;
use super::state::{Class, Location};
use crate::HeapType;
use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::code::TypeForm;
use crate::isa::{Alu, Relation, Shift, Size, TypeWord};
use zwasm_regir::gc::{Extend, HeapTarget, RefTarget};
use zwasm_regir::object::{self, Kind};
use zwasm_regir::{Inst, Operand, Slot, Storage, TrapCode, Type};

pub(super) const HEADER: i32 = object::HEADER as i32;
pub(super) const LENGTH: i32 = object::LENGTH as i32;

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
fn size(storage: Storage) -> Size {
    Size::of(storage.size() as u64)
}

impl<A: Select> Compiler<'_, A> {
    /// Loads the heap's base into the scratch register.
    fn heap(&mut self) -> Reg {
        let heap = at(A::VMCTX, self.layout.heap as i32);
        self.asm.load(A::INT_SCRATCH, heap, Size::B8);
        A::INT_SCRATCH
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
        self.asm.narrow(found, reference);
        let zero = self.asm.is_zero(found, false);
        self.asm.jump_if(zero, if target.nullable { passes } else { fails });
        let layout = self.layout;
        // Whether the reference is one to an object.
        let is_object = |this: &mut Self| this.asm.are_clear(found, object::I31 as u8);
        let header = |base: Reg| Mem { base, index: Some((found, 0)), disp: 0 };
        match target.heap {
            HeapTarget::Top => {}
            HeapTarget::Bottom => self.asm.jump(fails),
            HeapTarget::I31 => {
                let is_object = is_object(self);
                self.asm.jump_if(is_object, fails);
            }
            HeapTarget::Eq => {
                let is_object = is_object(self);
                self.asm.jump_if(!is_object, passes);
                let base = self.heap();
                let word = object::EXTERN_WORD as i32;
                let condition =
                    self.asm.compare_immediate(Relation::Equal, false, Rm::Mem(header(base)), word);
                self.asm.jump_if(condition, fails);
            }
            HeapTarget::Struct | HeapTarget::Array => {
                let is_object = is_object(self);
                self.asm.jump_if(!is_object, fails);
                let base = self.heap();
                let kind = match target.heap {
                    HeapTarget::Struct => Kind::Struct,
                    _ => Kind::Array,
                };
                self.asm.load(base, header(base), Size::B4);
                self.asm.alu_immediate(Alu::And, false, base, object::KIND as i32);
                let kind = kind as i32;
                let condition =
                    self.asm.compare_immediate(Relation::NotEqual, false, Rm::Reg(base), kind);
                self.asm.jump_if(condition, fails);
            }
            HeapTarget::Type(ty) => {
                let HeapType { is_final, is_func, depth } = self.env.heap_type(ty);
                let word_of_reference = if is_func {
                    let count = at(A::VMCTX, layout.function_count as i32);
                    let condition =
                        self.asm.compare(Relation::AboveOrEqual, false, found, Rm::Mem(count));
                    self.asm.jump_if(condition, fails);
                    let functions = at(A::VMCTX, layout.functions as i32);
                    self.asm.load(A::INT_SCRATCH, functions, Size::B8);
                    let record = Mem { base: A::INT_SCRATCH, index: Some((found, 3)), disp: 0 };
                    self.asm.load(A::INT_SCRATCH, record, Size::B8);
                    let zero = self.asm.is_zero(A::INT_SCRATCH, true);
                    self.asm.jump_if(zero, fails);
                    at(A::INT_SCRATCH, layout.record_type as i32)
                } else {
                    let is_object = is_object(self);
                    self.asm.jump_if(!is_object, fails);
                    header(self.heap())
                };
                // Records have the number itself.
                let form = if is_func { TypeForm::Number } else { TypeForm::Header };
                let word = TypeWord { index: ty, form };
                if is_final {
                    let is_same = self.asm.is_type(Rm::Mem(word_of_reference), word);
                    self.asm.jump_if(!is_same, fails);
                    return;
                }
                self.asm.load(found, word_of_reference, Size::B4);
                let is_same = self.asm.is_type(Rm::Reg(found), word);
                self.asm.jump_if(is_same, passes);
                if !is_func {
                    self.asm.shift(Shift::RightUnsigned, false, found, object::KIND_BITS as u8);
                }
                let inherits = self.has_supertype(found, ty, depth);
                self.asm.jump_if(!inherits, fails);
            }
        }
    }

    /// Whether what the display of the type whose number is in `found` has at a depth is a
    /// type of the module. The scratch register is overwritten.
    pub(crate) fn has_supertype(&mut self, found: Reg, ty: u32, depth: u32) -> A::Condition {
        let layout = self.layout;
        let scratch = A::INT_SCRATCH;
        self.asm.load(scratch, at(A::VMCTX, layout.store as i32), Size::B8);
        self.asm.alu(Alu::And, false, found, Rm::Mem(at(scratch, layout.display_mask as i32)));
        self.asm.load(scratch, at(scratch, layout.displays as i32), Size::B8);
        let start = Mem { base: scratch, index: Some((found, 2)), disp: 0 };
        self.asm.load(found, start, Size::B4);
        let entry = Mem { base: scratch, index: Some((found, 2)), disp: depth as i32 * 4 };
        self.asm.is_type(Rm::Mem(entry), TypeWord { index: ty, form: TypeForm::Number })
    }

    pub(crate) fn ref_test(&mut self, dst: Slot, src: Slot, target: RefTarget) {
        let reference = self.operand(Operand::Slot(src), Class::Int);
        let (passes, fails, done) =
            (self.asm.new_label(), self.asm.new_label(), self.asm.new_label());
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
