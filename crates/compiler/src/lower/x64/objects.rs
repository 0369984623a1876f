//! Fields and elements, 31-bit integers and casts. Objects are made in
//! [`super::allocate`].
//!
//! # The cage
//!
//! An address of an object is the heap's base plus a number of 32 bits. A reference whose
//! register may hold more, because what defines it does not clear the upper half, is cut
//! where it is used; so are the places of elements. So no value of a register, whatever it
//! was meant to be, leads out of the heap's region.
//!
//! The heap's base is loaded once for each run of instructions between two that may make
//! the heap's region, which all leave the function or allocate. It is no pointer into an
//! object; those exist only within an instruction.

use super::emit::{Emitter, Regs};
use super::memory::Place;
use super::{Address, Inst, Load, Ops, Select, Src};
use crate::CompileError;
use crate::heap::{Check, HEADER, LENGTH};
use crate::isa::x64::{Cond, Condition};
use crate::isa::{Primitives, Size};
use crate::lower::machine::{Flow, read, write, write_early, write_over};
use crate::ssa::{InstData, Op, Value};
use regalloc2::VReg;
use zwasm_regir::gc::{Extend, RefTarget};
use zwasm_regir::{Storage, TrapCode, Type, object};

/// The bytes that a value takes in an object.
pub(super) fn size(storage: Storage) -> Size {
    Size::of(storage.size() as u64)
}

fn kind(storage: Storage, extend: Extend) -> Load {
    match (extend, storage) {
        (Extend::Sign, Storage::I8 | Storage::I16) => Load::Sign32(size(storage)),
        (Extend::Sign | Extend::Zero, _) => Load::Zero(size(storage)),
    }
}

/// A check of a reference, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cast {
    /// `[t, a]`: traps if it fails.
    Trap(Check),
    /// `[=, t, a]`: whether it passes.
    Test(Check),
}

impl Cast {
    /// Emits it on the registers given.
    pub(super) fn emit(self, e: &mut Emitter<'_>, regs: &mut Regs<'_>) {
        let passes = e.asm.new_label();
        match self {
            Cast::Trap(check) => {
                let (found, reference) = (regs.reg(), regs.reg());
                let fails = e.trap(TrapCode::CastFailure);
                check.emit(&mut e.asm, e.layout, reference, found, passes, fails);
                e.asm.bind(passes);
            }
            Cast::Test(check) => {
                let (dst, found, reference) = (regs.reg(), regs.reg(), regs.reg());
                let (fails, done) = (e.asm.new_label(), e.asm.new_label());
                check.emit(&mut e.asm, e.layout, reference, found, passes, fails);
                e.asm.bind(passes);
                e.asm.constant(dst, 1);
                e.asm.jump(done);
                e.asm.bind(fails);
                e.asm.constant(dst, 0);
                e.asm.bind(done);
            }
        }
    }
}

impl Select<'_> {
    /// The heap's base.
    fn heap(&mut self) -> VReg {
        match self.heap {
            Some(heap) => heap,
            None => {
                let heap = self.fresh(Type::I64);
                self.heap = Some(heap);
                heap
            }
        }
    }

    /// What has been selected wants the heap's base, and what comes before it may change
    /// that: loads it.
    pub(super) fn load_heap(&mut self) {
        if let Some(heap) = self.heap.take() {
            let src = Src::Mem(Address::vmctx(self.layout.heap));
            self.put(Inst::Load { load: Load::Zero(Size::B8), src }, &[write(heap)]);
        }
    }

    /// Whether what defines a reference clears the upper half of its register.
    fn is_narrow(&self, value: Value) -> bool {
        let Some(data) = self.def(value) else { return false };
        match data.op {
            Op::Const(bits) => u32::try_from(bits).is_ok(),
            Op::StructGet { ty, field, .. } => size(self.env.field(ty, field).0) == Size::B4,
            Op::ArrayGet { ty, .. } => size(self.env.field(ty, 0).0) == Size::B4,
            Op::RefFunc(_) | Op::I31New => true,
            _ => false,
        }
    }

    /// A reference, cut to 32 bits, after a trap if it is null.
    fn non_null(&mut self, value: Value, code: TrapCode) -> VReg {
        let mut reg = self.reg(value);
        if !self.is_narrow(value) {
            let cut = self.fresh(Type::Ref);
            let load = Load::Zero(Size::B4);
            self.put(Inst::Load { load, src: Src::Operand }, &[write(cut), read(reg)]);
            reg = cut;
        }
        if !self.non_null {
            self.put(Inst::TestZero { wide: false }, &[read(reg)]);
            let condition = Condition::Flag(Cond::Equal);
            self.put(Inst::TrapIf { condition, code }, &[]);
        }
        reg
    }

    fn load_cell(&mut self, storage: Storage, extend: Extend, place: Place, data: &InstData) {
        let dst = self.result(data);
        let mut ops = Ops::of(&[write(dst)]);
        place.push(&mut ops);
        let inst = Inst::Load { load: kind(storage, extend), src: Src::Mem(place.address) };
        self.put_ops(inst, &ops);
    }

    /// What is stored: a constant that an instruction can have in it, or a register.
    fn stored_cell(&mut self, storage: Storage, value: Value) -> Result<i32, VReg> {
        let constant = match storage {
            Storage::V128 => None,
            Storage::I64 | Storage::F64 | Storage::WideRef => self.immediate(value, true),
            Storage::I8
            | Storage::I16
            | Storage::I32
            | Storage::F32
            | Storage::HeapRef
            | Storage::FuncRef => self.immediate(value, false),
        };
        match (constant, storage.kind()) {
            (Some(value), _) => Ok(value),
            (None, Type::I32) => Err(self.reg_32(value)),
            (None, _) => Err(self.reg(value)),
        }
    }

    fn store_cell(&mut self, storage: Storage, place: Place, value: Result<i32, VReg>) {
        let (size, address) = (size(storage), place.address);
        let mut ops = Ops::of(&[]);
        let inst = match value {
            Ok(value) => Inst::StoreImm { size, address, value },
            Err(src) => {
                ops.push(read(src));
                Inst::Store { size, address }
            }
        };
        place.push(&mut ops);
        self.put_ops(inst, &ops);
    }

    /// Writes a value into an object that has just been made.
    pub(super) fn init_cell(&mut self, storage: Storage, object: VReg, at: i32, value: Value) {
        let value = self.stored_cell(storage, value);
        self.store_cell(storage, Place::at(object, at), value);
    }

    /// A field of the object that is the first argument.
    fn field(&mut self, ty: u32, field: u32, data: &InstData) -> Option<(Storage, Place)> {
        let (storage, offset) = self.env.field(ty, field);
        let Ok(offset) = i32::try_from(offset) else {
            // No structure is so large.
            self.failed = Some(CompileError::Unsupported);
            return None;
        };
        let reference = self.non_null(data.args[0], TrapCode::NullStructReference);
        let heap = self.heap();
        Some((storage, Place::indexed(heap, reference, 0, offset)))
    }

    pub(super) fn struct_get(&mut self, ty: u32, field: u32, extend: Extend, data: &InstData) {
        if let Some((storage, place)) = self.field(ty, field, data) {
            self.load_cell(storage, extend, place, data);
        }
    }

    pub(super) fn struct_set(&mut self, ty: u32, field: u32, data: &InstData) {
        let (storage, _) = self.env.field(ty, field);
        let value = self.stored_cell(storage, data.args[1]);
        if let Some((storage, place)) = self.field(ty, field, data) {
            self.store_cell(storage, place, value);
        }
    }

    /// The length of an array.
    fn length(&mut self, reference: VReg) -> Place {
        let heap = self.heap();
        Place::indexed(heap, reference, 0, LENGTH)
    }

    /// The element of the array that is the first argument, at the index that is the
    /// second, after the checks.
    fn array_element(&mut self, storage: Storage, data: &InstData) -> Place {
        let reference = self.non_null(data.args[0], TrapCode::NullArrayReference);
        let length = self.length(reference);
        let constant = self.immediate(data.args[1], false);
        let index = self.reg_32(data.args[1]);
        let (mut ops, inst, cond) = match constant {
            Some(value) => (
                Ops::of(&[]),
                Inst::Cmp { size: Size::B4, a: Src::Mem(length.address), b: Src::Imm(value) },
                Cond::BelowOrEqual,
            ),
            None => (
                Ops::of(&[read(index)]),
                Inst::Cmp { size: Size::B4, a: Src::Operand, b: Src::Mem(length.address) },
                Cond::AboveOrEqual,
            ),
        };
        length.push(&mut ops);
        self.put_ops(inst, &ops);
        let condition = Condition::Flag(cond);
        self.put(Inst::TrapIf { condition, code: TrapCode::ArrayOutOfBounds }, &[]);
        let mut scaled = (index, storage.scale() as u8);
        if storage == Storage::V128 {
            // Twice what an address can multiply by.
            let twice = self.fresh(Type::I32);
            self.lea_32(twice, index, index, 0, 0);
            scaled = (twice, 3);
        }
        let offset = self.fresh(Type::I32);
        self.lea_32(offset, reference, scaled.0, scaled.1, 0);
        let heap = self.heap();
        Place::indexed(heap, offset, 0, HEADER)
    }

    /// `dst = base + (index << scale) + disp`, 32 bits.
    fn lea_32(&mut self, dst: VReg, base: VReg, index: VReg, scale: u8, disp: i32) {
        let inst = Inst::Lea { wide: false, address: Address::indexed(scale, disp) };
        self.put(inst, &[write(dst), read(base), read(index)]);
    }

    pub(super) fn array_get(&mut self, ty: u32, extend: Extend, data: &InstData) {
        let (storage, _) = self.env.field(ty, 0);
        let place = self.array_element(storage, data);
        self.load_cell(storage, extend, place, data);
    }

    pub(super) fn array_set(&mut self, ty: u32, data: &InstData) {
        let (storage, _) = self.env.field(ty, 0);
        let value = self.stored_cell(storage, data.args[2]);
        let place = self.array_element(storage, data);
        self.store_cell(storage, place, value);
    }

    pub(super) fn array_len(&mut self, data: &InstData) {
        let reference = self.non_null(data.args[0], TrapCode::NullArrayReference);
        let length = self.length(reference);
        self.load_cell(Storage::I32, Extend::Zero, length, data);
    }

    pub(super) fn i31_new(&mut self, data: &InstData) {
        let value = self.reg_32(data.args[0]);
        let dst = self.result(data);
        self.lea_32(dst, value, value, 0, object::I31 as i32);
    }

    pub(super) fn i31_get(&mut self, extend: Extend, data: &InstData) {
        use crate::isa::x64::integer::Shift;
        let reference = self.non_null(data.args[0], TrapCode::NullI31Reference);
        let op = match extend {
            Extend::Sign => Shift::RightSigned,
            Extend::Zero => Shift::RightUnsigned,
        };
        let dst = self.result(data);
        let inst = Inst::Shift { op, wide: false, count: object::I31_SHIFT as u8 };
        self.put(inst, &[write_over(dst, 1), read(reference)]);
    }

    pub(super) fn ref_test(&mut self, target: RefTarget, data: &InstData) {
        let check = Check::of(target, self.env);
        let (dst, found) = (self.result(data), self.fresh(Type::Ref));
        let reference = self.reg(data.args[0]);
        let operands = [write_early(dst), write_early(found), read(reference)];
        self.put(Inst::Cast(Cast::Test(check)), &operands);
    }

    /// Ends a block by a test of a reference that is wanted for that only; whether it did.
    pub(super) fn branch_by_cast(&mut self, cond: Value) -> bool {
        let Some(&InstData { op: Op::RefTest(target), ref args, .. }) = self.single_def(cond)
        else {
            return false;
        };
        let check = Check::of(target, self.env);
        let (found, reference) = (self.fresh(Type::Ref), self.reg(args[0]));
        let operands = [write_early(found), read(reference)];
        self.put_as(Inst::BranchCast(check), Flow::Branch, &operands, 0);
        true
    }

    pub(super) fn ref_cast(&mut self, target: RefTarget, data: &InstData) {
        let check = Check::of(target, self.env);
        let found = self.fresh(Type::Ref);
        let reference = self.reg(data.args[0]);
        self.put(Inst::Cast(Cast::Trap(check)), &[write_early(found), read(reference)]);
    }
}
