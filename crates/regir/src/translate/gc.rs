//! The opcodes of garbage collection (prefix 0xFB).

use super::{Malformed, Result, Stop, Translator};
use crate::gc::{Extend, GcOp, HeapTarget, RefTarget};
use crate::inst::{Inst, Operand, Slot};
use crate::object::Storage;
use crate::opcodes::GcOperator;
use crate::opcodes::immediates::HeapType;
use crate::ops::CompareOp;
use crate::types::Type;

impl Translator<'_> {
    /// `ref.eq`: references are zero-extended, so their slots are compared.
    pub(super) fn ref_eq(&mut self) -> core::result::Result<(), Stop> {
        if !self.types.has_gc() {
            return Err(UNSUPPORTED);
        }
        let (a, b) = self.pop_pair()?;
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::Compare { op: CompareOp::I64Eq, dst, a, b });
        Ok(())
    }

    /// Translates an instruction behind the prefix.
    pub(super) fn gc_operator(&mut self, operator: GcOperator) -> core::result::Result<(), Stop> {
        if !self.types.has_gc() {
            return Err(UNSUPPORTED);
        }
        match operator {
            GcOperator::StructNew { ty } => {
                self.pay_struct(ty);
                let fields = self.types.storage(ty);
                self.gc_op(fields.len(), GcOp::StructNew { ty }, true)?;
            }
            GcOperator::StructNewDefault { ty } => {
                self.pay_struct(ty);
                self.gc_op(0, GcOp::StructNewDefault { ty }, true)?;
            }
            GcOperator::StructGet { ty, field } | GcOperator::StructGetU { ty, field } => {
                self.struct_get(ty, field, Extend::Zero)?;
            }
            GcOperator::StructGetS { ty, field } => self.struct_get(ty, field, Extend::Sign)?,
            GcOperator::StructSet { ty, field } => {
                let value = self.pop_operand()?;
                let object = self.pop_slot()?;
                self.emit(Inst::StructSet { object, value, ty, field });
            }
            GcOperator::ArrayNew { ty } => self.gc_op(2, GcOp::ArrayNew { ty }, true)?,
            GcOperator::ArrayNewDefault { ty } => {
                self.gc_op(1, GcOp::ArrayNewDefault { ty }, true)?;
            }
            GcOperator::ArrayNewFixed { ty, count } => {
                self.gc_op(count as usize, GcOp::ArrayNewFixed { ty, count }, true)?;
            }
            GcOperator::ArrayNewData { ty, data } => {
                self.gc_op(2, GcOp::ArrayNewData { ty, data }, true)?;
            }
            GcOperator::ArrayNewElem { ty, elem } => {
                self.gc_op(2, GcOp::ArrayNewElem { ty, elem }, true)?;
            }
            GcOperator::ArrayGet { ty } | GcOperator::ArrayGetU { ty } => {
                self.array_get(ty, Extend::Zero)?;
            }
            GcOperator::ArrayGetS { ty } => self.array_get(ty, Extend::Sign)?,
            GcOperator::ArraySet { ty } => {
                let value = self.pop_operand()?;
                let index = self.pop_operand()?;
                let object = self.pop_slot()?;
                self.emit(Inst::ArraySet { object, index, value, ty });
            }
            GcOperator::ArrayLen => {
                let object = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                self.emit(Inst::ArrayLen { dst, object });
            }
            GcOperator::ArrayFill { ty } => self.gc_op(4, GcOp::ArrayFill { ty }, false)?,
            GcOperator::ArrayCopy { dst, src } => {
                self.gc_op(5, GcOp::ArrayCopy { dst, src }, false)?;
            }
            GcOperator::ArrayInitData { ty, data } => {
                self.gc_op(4, GcOp::ArrayInitData { ty, data }, false)?;
            }
            GcOperator::ArrayInitElem { ty, elem } => {
                self.gc_op(4, GcOp::ArrayInitElem { ty, elem }, false)?;
            }
            GcOperator::RefTest { ty } => self.ref_test(ref_target(false, ty)?)?,
            GcOperator::RefTestNull { ty } => self.ref_test(ref_target(true, ty)?)?,
            GcOperator::RefCast { ty } => self.ref_cast(ref_target(false, ty)?)?,
            GcOperator::RefCastNull { ty } => self.ref_cast(ref_target(true, ty)?)?,
            GcOperator::BrOnCast { flags, depth, to, .. } => {
                self.br_on_cast(false, depth, ref_target(flags & 2 != 0, to)?)?;
            }
            GcOperator::BrOnCastFail { flags, depth, to, .. } => {
                self.br_on_cast(true, depth, ref_target(flags & 2 != 0, to)?)?;
            }
            // Internal and external references are the same.
            GcOperator::AnyConvertExtern | GcOperator::ExternConvertAny => {}
            GcOperator::RefI31 => {
                let src = self.pop_slot()?;
                let dst = self.push_temp(Type::Ref);
                self.emit(Inst::I31New { dst, src });
            }
            GcOperator::I31GetS => self.i31_get(Extend::Sign)?,
            GcOperator::I31GetU => self.i31_get(Extend::Zero)?,
        }
        Ok(())
    }

    fn gc_op(&mut self, operands: usize, op: GcOp, result: bool) -> Result<()> {
        let base = self.consecutive(operands)?;
        if result {
            self.push_temp(Type::Ref);
        }
        self.emit(Inst::Gc { op, base });
        Ok(())
    }

    fn element(&self, ty: u32, field: u32) -> Result<Storage> {
        self.types.storage(ty).get(field as usize).copied().ok_or(Malformed)
    }

    fn struct_get(&mut self, ty: u32, field: u32, extend: Extend) -> Result<()> {
        let object = self.pop_slot()?;
        let dst = self.push_temp(self.element(ty, field)?.kind());
        self.emit(Inst::StructGet { dst, object, ty, field, extend });
        Ok(())
    }

    fn array_get(&mut self, ty: u32, extend: Extend) -> Result<()> {
        let index = self.pop_operand()?;
        let object = self.pop_slot()?;
        let dst = self.push_temp(self.element(ty, 0)?.kind());
        self.emit(Inst::ArrayGet { dst, object, index, ty, extend });
        Ok(())
    }

    fn i31_get(&mut self, extend: Extend) -> Result<()> {
        let src = self.pop_slot()?;
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::I31Get { dst, src, extend });
        Ok(())
    }

    fn ref_test(&mut self, target: RefTarget) -> Result<()> {
        let src = self.pop_slot()?;
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::RefTest { dst, src, target });
        Ok(())
    }

    fn ref_cast(&mut self, target: RefTarget) -> Result<()> {
        let src = self.top_slot()?;
        self.emit(Inst::RefCast { src, target });
        Ok(())
    }

    /// The slot of the topmost value, which stays on the stack.
    pub(super) fn top_slot(&mut self) -> Result<Slot> {
        let entry = *self.stack.last().ok_or(Malformed)?;
        Ok(match self.operand(entry) {
            Operand::Slot(slot) => slot,
            Operand::Const(_) => {
                self.flush_top(1)?;
                Slot(entry.slot)
            }
        })
    }

    /// Branches with the reference on top if it has the type, or has not.
    fn br_on_cast(&mut self, fail: bool, depth: u32, target: RefTarget) -> Result<()> {
        let src = self.top_slot()?;
        let dst = Slot(self.top());
        self.high = self.high.max(dst.0 + 1);
        self.emit(Inst::RefTest { dst, src, target });
        self.branch_to(dst, fail, depth)
    }
}

/// What a build without these instructions says of them.
const UNSUPPORTED: Stop = Stop::Unsupported("garbage collection");

fn ref_target(nullable: bool, ty: HeapType) -> Result<RefTarget> {
    let heap = HeapTarget::decode(ty.0).ok_or(Malformed)?;
    Ok(RefTarget { nullable, heap })
}
