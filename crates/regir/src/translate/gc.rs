//! The opcodes of garbage collection (prefix 0xFB).

use super::{Malformed, Result, Stop, Translator};
use crate::gc::{Extend, GcOp, HeapTarget, RefTarget};
use crate::inst::{Inst, Operand, Slot};
use crate::object::Storage;
use crate::ops::CompareOp;
use crate::types::Type;

impl Translator<'_> {
    /// `ref.eq`: references are zero-extended, so their slots are compared.
    pub(super) fn ref_eq(&mut self) -> Result<()> {
        let (a, b) = self.pop_pair()?;
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::Compare { op: CompareOp::I64Eq, dst, a, b });
        Ok(())
    }

    /// Translates an instruction behind the prefix.
    pub(super) fn gc_operator(&mut self) -> core::result::Result<(), Stop> {
        match self.body.reader.u32()? {
            0 => {
                let ty = self.body.reader.u32()?;
                self.pay_struct(ty);
                let fields = self.types.storage(ty);
                self.gc_op(fields.len(), GcOp::StructNew { ty }, true)?;
            }
            1 => {
                let ty = self.body.reader.u32()?;
                self.pay_struct(ty);
                self.gc_op(0, GcOp::StructNewDefault { ty }, true)?;
            }
            2 | 4 => self.struct_get(Extend::Zero)?,
            3 => self.struct_get(Extend::Sign)?,
            5 => {
                let ty = self.body.reader.u32()?;
                let field = self.body.reader.u32()?;
                let value = self.pop_operand()?;
                let object = self.pop_slot()?;
                self.emit(Inst::StructSet { object, value, ty, field });
            }
            6 => {
                let ty = self.body.reader.u32()?;
                self.gc_op(2, GcOp::ArrayNew { ty }, true)?;
            }
            7 => {
                let ty = self.body.reader.u32()?;
                self.gc_op(1, GcOp::ArrayNewDefault { ty }, true)?;
            }
            8 => {
                let ty = self.body.reader.u32()?;
                let count = self.body.reader.u32()?;
                self.gc_op(count as usize, GcOp::ArrayNewFixed { ty, count }, true)?;
            }
            9 => {
                let ty = self.body.reader.u32()?;
                let data = self.body.reader.u32()?;
                self.gc_op(2, GcOp::ArrayNewData { ty, data }, true)?;
            }
            10 => {
                let ty = self.body.reader.u32()?;
                let elem = self.body.reader.u32()?;
                self.gc_op(2, GcOp::ArrayNewElem { ty, elem }, true)?;
            }
            11 | 13 => self.array_get(Extend::Zero)?,
            12 => self.array_get(Extend::Sign)?,
            14 => {
                let ty = self.body.reader.u32()?;
                let value = self.pop_operand()?;
                let index = self.pop_operand()?;
                let object = self.pop_slot()?;
                self.emit(Inst::ArraySet { object, index, value, ty });
            }
            15 => {
                let object = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                self.emit(Inst::ArrayLen { dst, object });
            }
            16 => {
                let ty = self.body.reader.u32()?;
                self.gc_op(4, GcOp::ArrayFill { ty }, false)?;
            }
            17 => {
                let dst = self.body.reader.u32()?;
                let src = self.body.reader.u32()?;
                self.gc_op(5, GcOp::ArrayCopy { dst, src }, false)?;
            }
            18 => {
                let ty = self.body.reader.u32()?;
                let data = self.body.reader.u32()?;
                self.gc_op(4, GcOp::ArrayInitData { ty, data }, false)?;
            }
            19 => {
                let ty = self.body.reader.u32()?;
                let elem = self.body.reader.u32()?;
                self.gc_op(4, GcOp::ArrayInitElem { ty, elem }, false)?;
            }
            sub @ (20 | 21) => {
                let target = self.ref_target(sub == 21)?;
                let src = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                self.emit(Inst::RefTest { dst, src, target });
            }
            sub @ (22 | 23) => {
                let target = self.ref_target(sub == 23)?;
                let src = self.top_slot()?;
                self.emit(Inst::RefCast { src, target });
            }
            24 => self.br_on_cast(false)?,
            25 => self.br_on_cast(true)?,
            // Internal and external references are the same.
            26 | 27 => {}
            28 => {
                let src = self.pop_slot()?;
                let dst = self.push_temp(Type::Ref);
                self.emit(Inst::I31New { dst, src });
            }
            sub @ (29 | 30) => {
                let src = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                let extend = if sub == 29 { Extend::Sign } else { Extend::Zero };
                self.emit(Inst::I31Get { dst, src, extend });
            }
            _ => return Err(Stop::Malformed),
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

    fn struct_get(&mut self, extend: Extend) -> Result<()> {
        let ty = self.body.reader.u32()?;
        let field = self.body.reader.u32()?;
        let object = self.pop_slot()?;
        let dst = self.push_temp(self.element(ty, field)?.kind());
        self.emit(Inst::StructGet { dst, object, ty, field, extend });
        Ok(())
    }

    fn array_get(&mut self, extend: Extend) -> Result<()> {
        let ty = self.body.reader.u32()?;
        let index = self.pop_operand()?;
        let object = self.pop_slot()?;
        let dst = self.push_temp(self.element(ty, 0)?.kind());
        self.emit(Inst::ArrayGet { dst, object, index, ty, extend });
        Ok(())
    }

    fn ref_target(&mut self, nullable: bool) -> Result<RefTarget> {
        let heap = HeapTarget::decode(self.body.reader.i64()?).ok_or(Malformed)?;
        Ok(RefTarget { nullable, heap })
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

    /// Branches with the reference on top if it has the second type, or has not.
    fn br_on_cast(&mut self, fail: bool) -> Result<()> {
        let flags = self.body.reader.byte()?;
        let depth = self.body.reader.u32()?;
        self.body.reader.i64()?;
        let target = self.ref_target(flags & 2 != 0)?;
        let src = self.top_slot()?;
        let dst = Slot(self.top());
        self.high = self.high.max(dst.0 + 1);
        self.emit(Inst::RefTest { dst, src, target });
        self.branch_to(dst, fail, depth)
    }

    /// Passes over the immediates of an instruction behind the prefix.
    pub(super) fn skip_gc(&mut self) -> Result<()> {
        match self.body.reader.u32()? {
            0 | 1 | 6 | 7 | 11..=14 | 16 => {
                self.body.reader.u32()?;
            }
            2..=5 | 8..=10 | 17..=19 => {
                self.body.reader.u32()?;
                self.body.reader.u32()?;
            }
            20..=23 => {
                self.body.reader.i64()?;
            }
            24 | 25 => {
                self.body.reader.byte()?;
                self.body.reader.u32()?;
                self.body.reader.i64()?;
                self.body.reader.i64()?;
            }
            15 | 26..=30 => {}
            _ => return Err(Malformed),
        }
        Ok(())
    }
}
