//! What each instruction reads and writes.
//!
//! Whoever remembers a slot's value beside the slot asks here what to forget. The
//! matches are exhaustive, so that a new instruction has to say what it does. How
//! many slots some instructions read depends on types of the module; then the
//! length of the run says on which.
//!
//! Not said here: what is in slots when control arrives somewhere else. At a label
//! and behind a call nothing is remembered.

use crate::gc::GcOp;
use crate::inst::{Bulk, Inst, Operand, Slot, WideOp};
#[cfg(feature = "simd")]
use crate::simd::SimdInst;

/// How many slots a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many.
    Slots(u32),
    /// Those of the parameters of a function type.
    Params(u32),
    /// Those of the parameters of a function.
    ParamsOf(u32),
    /// Those of the values of a tag.
    Tag(u32),
    /// Those of the fields of a structure type.
    Fields(u32),
    /// Those of one field of a structure type.
    Field {
        /// The structure type.
        ty: u32,
        /// The field.
        field: u32,
    },
    /// Those of so many elements of an array type, and so many more.
    Elements {
        /// The array type.
        ty: u32,
        /// The number of elements.
        count: u32,
        /// Slots that hold no element.
        more: u32,
    },
    /// All to the end of the frame.
    Rest,
}

/// Consecutive slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first.
    pub from: Slot,
    /// How many there are.
    pub length: Length,
}

impl Run {
    fn one(slot: Slot) -> Run {
        Run { from: slot, length: Length::Slots(1) }
    }

    fn of(from: Slot, count: u32) -> Run {
        Run { from, length: Length::Slots(count) }
    }
}

/// Visits the slot of an operand that has one.
fn read(operand: Operand, visit: &mut dyn FnMut(Run)) {
    read_long(operand, Length::Slots(1), visit);
}

/// Visits the slots of an operand that has some.
fn read_long(operand: Operand, length: Length, visit: &mut dyn FnMut(Run)) {
    if let Operand::Slot(from) = operand {
        visit(Run { from, length });
    }
}

/// Visits the slot of an operand that has one, to be changed.
fn rename(operand: &mut Operand, visit: &mut dyn FnMut(&mut Slot)) {
    if let Operand::Slot(slot) = operand {
        visit(slot);
    }
}

impl Inst {
    /// Visits every field that names a slot, or the first of a run.
    pub fn slots_mut(&mut self, visit: &mut dyn FnMut(&mut Slot)) {
        match self {
            Inst::Label { .. }
            | Inst::AtomicFence
            | Inst::Br { .. }
            | Inst::Unreachable
            | Inst::Return
            | Inst::TryBegin { .. }
            | Inst::TryEnd { .. }
            | Inst::Fuel { .. }
            | Inst::Epoch => {}
            Inst::Zero { from: slot, .. }
            | Inst::Const { dst: slot, .. }
            | Inst::Wide { base: slot, .. }
            | Inst::MemorySize { dst: slot, .. }
            | Inst::MemoryGrow { base: slot, .. }
            | Inst::Bulk { base: slot, .. }
            | Inst::GlobalGet { dst: slot, .. }
            | Inst::TableSize { dst: slot, .. }
            | Inst::RefFunc { dst: slot, .. }
            | Inst::Gc { base: slot, .. }
            | Inst::RefCast { src: slot, .. }
            | Inst::RefAsNonNull { src: slot }
            | Inst::BrIf { cond: slot, .. }
            | Inst::BrTable { index: slot, .. }
            | Inst::ReturnSlots { from: slot, .. }
            | Inst::Call { base: slot, .. }
            | Inst::ReturnCall { base: slot, .. }
            | Inst::Throw { base: slot, .. }
            | Inst::ThrowRef { src: slot } => visit(slot),
            Inst::Copy { dst, src: a }
            | Inst::CopySlots { dst, src: a, .. }
            | Inst::Unary { dst, a, .. }
            | Inst::StructGet { dst, object: a, .. }
            | Inst::ArrayLen { dst, object: a }
            | Inst::RefTest { dst, src: a, .. }
            | Inst::I31New { dst, src: a }
            | Inst::I31Get { dst, src: a, .. }
            | Inst::CallRef { callee: dst, base: a, .. }
            | Inst::ReturnCallRef { callee: dst, base: a, .. } => {
                visit(dst);
                visit(a);
            }
            Inst::Binary { dst, a, b, .. } | Inst::Compare { dst, a, b, .. } => {
                visit(dst);
                rename(a, visit);
                rename(b, visit);
            }
            Inst::Select { dst, cond, a, b, .. } => {
                visit(dst);
                visit(cond);
                rename(a, visit);
                rename(b, visit);
            }
            Inst::Load { dst: slot, addr: operand, .. }
            | Inst::TableGet { dst: slot, index: operand, .. }
            | Inst::TableHolds { dst: slot, index: operand, .. }
            | Inst::StructSet { object: slot, value: operand, .. }
            | Inst::CallIndirect { base: slot, index: operand, .. }
            | Inst::ReturnCallIndirect { base: slot, index: operand, .. } => {
                visit(slot);
                rename(operand, visit);
            }
            Inst::Store { addr: a, value: b, .. } | Inst::TableSet { index: a, value: b, .. } => {
                rename(a, visit);
                rename(b, visit);
            }
            Inst::GlobalSet { value, .. } | Inst::ReturnValue { value } => rename(value, visit),
            Inst::ArrayGet { dst, object, index, .. } => {
                visit(dst);
                visit(object);
                rename(index, visit);
            }
            Inst::ArraySet { object, index, value, .. } => {
                visit(object);
                rename(index, visit);
                rename(value, visit);
            }
            Inst::Atomic { dst, addr, a, b, .. }
            | Inst::AtomicWait { dst, addr, expected: a, timeout: b, .. } => {
                [dst, addr, a, b].into_iter().for_each(visit);
            }
            Inst::AtomicNotify { dst, addr, count, .. } => {
                [dst, addr, count].into_iter().for_each(visit);
            }
            #[cfg(feature = "simd")]
            Inst::Simd(inst) => inst.slots_mut(visit),
        }
    }

    /// Names the slots that the instruction reads.
    pub fn reads(&self, visit: &mut dyn FnMut(Run)) {
        match *self {
            Inst::Label { .. }
            | Inst::Zero { .. }
            | Inst::Const { .. }
            | Inst::AtomicFence
            | Inst::MemorySize { .. }
            | Inst::GlobalGet { .. }
            | Inst::TableSize { .. }
            | Inst::RefFunc { .. }
            | Inst::Br { .. }
            | Inst::Unreachable
            | Inst::Return
            | Inst::TryBegin { .. }
            | Inst::TryEnd { .. }
            | Inst::Fuel { .. }
            | Inst::Epoch => {}
            Inst::Copy { src: slot, .. }
            | Inst::Unary { a: slot, .. }
            | Inst::MemoryGrow { base: slot, .. }
            | Inst::StructGet { object: slot, .. }
            | Inst::ArrayLen { object: slot, .. }
            | Inst::RefTest { src: slot, .. }
            | Inst::RefCast { src: slot, .. }
            | Inst::I31New { src: slot, .. }
            | Inst::I31Get { src: slot, .. }
            | Inst::RefAsNonNull { src: slot }
            | Inst::BrIf { cond: slot, .. }
            | Inst::BrTable { index: slot, .. }
            | Inst::ThrowRef { src: slot } => visit(Run::one(slot)),
            Inst::Binary { a, b, .. } | Inst::Compare { a, b, .. } => {
                read(a, visit);
                read(b, visit);
            }
            Inst::Select { cond, a, b, .. } => {
                read(a, visit);
                read(b, visit);
                visit(Run::one(cond));
            }
            Inst::Wide { op, base } => visit(Run::of(
                base,
                match op {
                    WideOp::Add128 | WideOp::Sub128 => 4,
                    WideOp::MulWideS | WideOp::MulWideU => 2,
                },
            )),
            Inst::Load { addr, .. } => read(addr, visit),
            Inst::Store { addr, value, .. } => {
                read(addr, visit);
                read(value, visit);
            }
            Inst::Atomic { op, addr, a, b, .. } => {
                visit(Run::one(addr));
                [a, b].iter().take(op.operands()).for_each(|slot| visit(Run::one(*slot)));
            }
            Inst::AtomicWait { addr, expected, timeout, .. } => {
                [addr, expected, timeout].iter().for_each(|slot| visit(Run::one(*slot)));
            }
            Inst::AtomicNotify { addr, count, .. } => {
                visit(Run::one(addr));
                visit(Run::one(count));
            }
            Inst::Bulk { op, base } => visit(Run::of(
                base,
                match op {
                    Bulk::MemoryFill { .. }
                    | Bulk::MemoryCopy { .. }
                    | Bulk::MemoryInit { .. }
                    | Bulk::TableFill { .. }
                    | Bulk::TableCopy { .. }
                    | Bulk::TableInit { .. } => 3,
                    Bulk::TableGrow { .. } => 2,
                    Bulk::DataDrop { .. } | Bulk::ElemDrop { .. } => 0,
                },
            )),
            Inst::GlobalSet { value, .. } | Inst::ReturnValue { value } => read(value, visit),
            Inst::TableGet { index, .. } | Inst::TableHolds { index, .. } => read(index, visit),
            Inst::TableSet { index, value, .. } => {
                read(index, visit);
                read(value, visit);
            }
            Inst::Gc { op, base } => visit(Run { from: base, length: op.operands() }),
            Inst::StructSet { object, value, ty, field } => {
                visit(Run::one(object));
                read_long(value, Length::Field { ty, field }, visit);
            }
            Inst::ArrayGet { object, index, .. } => {
                visit(Run::one(object));
                read(index, visit);
            }
            Inst::ArraySet { object, index, value, ty } => {
                visit(Run::one(object));
                read(index, visit);
                read_long(value, Length::Elements { ty, count: 1, more: 0 }, visit);
            }
            #[cfg(feature = "simd")]
            Inst::Simd(inst) => inst.reads(visit),
            Inst::CopySlots { src: from, count, .. } | Inst::ReturnSlots { from, count } => {
                visit(Run::of(from, count));
            }
            Inst::Call { func, base } | Inst::ReturnCall { func, base } => {
                visit(Run { from: base, length: Length::ParamsOf(func) });
            }
            Inst::CallIndirect { ty, index, base, .. }
            | Inst::ReturnCallIndirect { ty, index, base, .. } => {
                read(index, visit);
                visit(Run { from: base, length: Length::Params(ty) });
            }
            Inst::CallRef { ty, callee, base } | Inst::ReturnCallRef { ty, callee, base } => {
                visit(Run::one(callee));
                visit(Run { from: base, length: Length::Params(ty) });
            }
            Inst::Throw { tag, base } => visit(Run { from: base, length: Length::Tag(tag) }),
        }
    }

    /// Names the slots that have other values behind the instruction, if control
    /// gets there: there are none of what returns, throws or jumps. A callee's
    /// frame overlaps everything from its arguments on.
    pub fn writes(&self) -> Option<Run> {
        match *self {
            Inst::Zero { from, count } | Inst::CopySlots { dst: from, count, .. } => {
                Some(Run::of(from, count))
            }
            Inst::Const { dst, .. }
            | Inst::Copy { dst, .. }
            | Inst::Unary { dst, .. }
            | Inst::Binary { dst, .. }
            | Inst::Compare { dst, .. }
            | Inst::Select { dst, .. }
            | Inst::Load { dst, .. }
            | Inst::AtomicWait { dst, .. }
            | Inst::AtomicNotify { dst, .. }
            | Inst::MemorySize { dst, .. }
            | Inst::MemoryGrow { base: dst, .. }
            | Inst::GlobalGet { dst, .. }
            | Inst::TableGet { dst, .. }
            | Inst::TableSize { dst, .. }
            | Inst::TableHolds { dst, .. }
            | Inst::RefFunc { dst, .. }
            | Inst::ArrayLen { dst, .. }
            | Inst::RefTest { dst, .. }
            | Inst::I31New { dst, .. }
            | Inst::I31Get { dst, .. } => Some(Run::one(dst)),
            Inst::StructGet { dst, ty, field, .. } => {
                Some(Run { from: dst, length: Length::Field { ty, field } })
            }
            Inst::ArrayGet { dst, ty, .. } => {
                Some(Run { from: dst, length: Length::Elements { ty, count: 1, more: 0 } })
            }
            Inst::Atomic { op, dst, .. } => op.has_result().then_some(Run::one(dst)),
            Inst::Wide { base, .. } => Some(Run::of(base, 2)),
            Inst::Bulk { op, base } => match op {
                Bulk::TableGrow { .. } => Some(Run::one(base)),
                Bulk::MemoryFill { .. }
                | Bulk::MemoryCopy { .. }
                | Bulk::MemoryInit { .. }
                | Bulk::DataDrop { .. }
                | Bulk::TableFill { .. }
                | Bulk::TableCopy { .. }
                | Bulk::TableInit { .. }
                | Bulk::ElemDrop { .. } => None,
            },
            Inst::Gc { op, base } => op.makes_object().then_some(Run::one(base)),
            #[cfg(feature = "simd")]
            Inst::Simd(inst) => inst.writes(),
            Inst::Call { base, .. }
            | Inst::CallIndirect { base, .. }
            | Inst::CallRef { base, .. } => Some(Run { from: base, length: Length::Rest }),
            Inst::Label { .. }
            | Inst::Store { .. }
            | Inst::AtomicFence
            | Inst::GlobalSet { .. }
            | Inst::TableSet { .. }
            | Inst::StructSet { .. }
            | Inst::ArraySet { .. }
            | Inst::RefCast { .. }
            | Inst::RefAsNonNull { .. }
            | Inst::Br { .. }
            | Inst::BrIf { .. }
            | Inst::BrTable { .. }
            | Inst::Unreachable
            | Inst::Return
            | Inst::ReturnValue { .. }
            | Inst::ReturnSlots { .. }
            | Inst::ReturnCall { .. }
            | Inst::ReturnCallIndirect { .. }
            | Inst::ReturnCallRef { .. }
            | Inst::Throw { .. }
            | Inst::ThrowRef { .. }
            | Inst::TryBegin { .. }
            | Inst::TryEnd { .. }
            | Inst::Fuel { .. }
            | Inst::Epoch => None,
        }
    }
}

impl GcOp {
    /// The slots of the operands.
    fn operands(self) -> Length {
        let elements = |ty, count, more| Length::Elements { ty, count, more };
        match self {
            GcOp::StructNew { ty } => Length::Fields(ty),
            GcOp::StructNewDefault { .. } => Length::Slots(0),
            GcOp::ArrayNew { ty } => elements(ty, 1, 1),
            GcOp::ArrayNewDefault { .. } => Length::Slots(1),
            GcOp::ArrayNewFixed { ty, count } => elements(ty, count, 0),
            GcOp::ArrayNewData { .. } | GcOp::ArrayNewElem { .. } => Length::Slots(2),
            GcOp::ArrayFill { ty } => elements(ty, 1, 3),
            GcOp::ArrayCopy { .. } => Length::Slots(5),
            GcOp::ArrayInitData { .. } | GcOp::ArrayInitElem { .. } => Length::Slots(4),
        }
    }

    /// Whether a reference to a new object replaces the operands.
    fn makes_object(self) -> bool {
        match self {
            GcOp::StructNew { .. }
            | GcOp::StructNewDefault { .. }
            | GcOp::ArrayNew { .. }
            | GcOp::ArrayNewDefault { .. }
            | GcOp::ArrayNewFixed { .. }
            | GcOp::ArrayNewData { .. }
            | GcOp::ArrayNewElem { .. } => true,
            GcOp::ArrayFill { .. }
            | GcOp::ArrayCopy { .. }
            | GcOp::ArrayInitData { .. }
            | GcOp::ArrayInitElem { .. } => false,
        }
    }
}

#[cfg(feature = "simd")]
impl SimdInst {
    fn slots_mut(&mut self, visit: &mut dyn FnMut(&mut Slot)) {
        match self {
            SimdInst::Const { dst: slot, .. }
            | SimdInst::GlobalGet { dst: slot, .. }
            | SimdInst::GlobalSet { value: slot, .. }
            | SimdInst::Return { value: slot } => visit(slot),
            SimdInst::Copy { dst, src: a }
            | SimdInst::Unary { dst, a, .. }
            | SimdInst::Test { dst, a, .. }
            | SimdInst::Splat { dst, a, .. }
            | SimdInst::Extract { dst, a, .. } => {
                visit(dst);
                visit(a);
            }
            SimdInst::Select { dst, cond: a, a: b, b: c }
            | SimdInst::Ternary { dst, a, b, c, .. } => {
                [dst, a, b, c].into_iter().for_each(visit);
            }
            SimdInst::Binary { dst, a, b, .. }
            | SimdInst::Shuffle { dst, a, b, .. }
            | SimdInst::Replace { dst, a, value: b, .. } => {
                [dst, a, b].into_iter().for_each(visit);
            }
            SimdInst::Shift { dst, a, count: operand, .. }
            | SimdInst::LoadLane { dst, a, addr: operand, .. } => {
                visit(dst);
                visit(a);
                rename(operand, visit);
            }
            SimdInst::Load { dst: slot, addr, .. }
            | SimdInst::Store { value: slot, addr, .. }
            | SimdInst::StoreLane { value: slot, addr, .. } => {
                visit(slot);
                rename(addr, visit);
            }
        }
    }

    fn reads(&self, visit: &mut dyn FnMut(Run)) {
        let vector = |slot| Run::of(slot, 2);
        match *self {
            SimdInst::Const { .. } | SimdInst::GlobalGet { .. } => {}
            SimdInst::Copy { src: a, .. }
            | SimdInst::GlobalSet { value: a, .. }
            | SimdInst::Return { value: a }
            | SimdInst::Unary { a, .. }
            | SimdInst::Test { a, .. }
            | SimdInst::Extract { a, .. } => visit(vector(a)),
            SimdInst::Splat { a, .. } => visit(Run::one(a)),
            SimdInst::Select { cond, a, b, .. } => {
                [Run::one(cond), vector(a), vector(b)].into_iter().for_each(visit);
            }
            SimdInst::Binary { a, b, .. } | SimdInst::Shuffle { a, b, .. } => {
                [a, b].map(vector).into_iter().for_each(visit);
            }
            SimdInst::Ternary { a, b, c, .. } => {
                [a, b, c].map(vector).into_iter().for_each(visit);
            }
            SimdInst::Shift { a, count, .. } => {
                read(count, visit);
                visit(vector(a));
            }
            SimdInst::Replace { a, value, .. } => {
                [vector(a), Run::one(value)].into_iter().for_each(visit);
            }
            SimdInst::Load { addr, .. } => read(addr, visit),
            SimdInst::LoadLane { a, addr, .. } => {
                read(addr, visit);
                visit(vector(a));
            }
            SimdInst::Store { addr, value, .. } | SimdInst::StoreLane { addr, value, .. } => {
                read(addr, visit);
                visit(vector(value));
            }
        }
    }

    fn writes(&self) -> Option<Run> {
        match *self {
            SimdInst::Const { dst, .. }
            | SimdInst::Copy { dst, .. }
            | SimdInst::Select { dst, .. }
            | SimdInst::GlobalGet { dst, .. }
            | SimdInst::Unary { dst, .. }
            | SimdInst::Binary { dst, .. }
            | SimdInst::Ternary { dst, .. }
            | SimdInst::Shift { dst, .. }
            | SimdInst::Splat { dst, .. }
            | SimdInst::Replace { dst, .. }
            | SimdInst::Shuffle { dst, .. }
            | SimdInst::Load { dst, .. }
            | SimdInst::LoadLane { dst, .. } => Some(Run::of(dst, 2)),
            SimdInst::Test { dst, .. } | SimdInst::Extract { dst, .. } => Some(Run::one(dst)),
            SimdInst::GlobalSet { .. }
            | SimdInst::Return { .. }
            | SimdInst::Store { .. }
            | SimdInst::StoreLane { .. } => None,
        }
    }
}
