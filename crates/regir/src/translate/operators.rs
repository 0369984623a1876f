//! The switch over instructions.

use super::control::{Callee, Kind};
use super::{Result, Stop, Translator};
use crate::inst::{Bulk, Inst, Operand, Slot, WideOp};
use crate::opcodes::Operator;
use crate::ops::{CompareOp, UnaryOp};
use crate::types::Type;

impl Translator<'_> {
    /// Translates the next instruction.
    pub(super) fn operator(&mut self) -> core::result::Result<(), Stop> {
        if !self.reachable {
            return self.skip();
        }
        if self.checks.fuel {
            self.pay(self.body.reader.peek()?);
        }
        match self.body.reader.operator_inline()? {
            Operator::Unreachable => {
                self.emit(Inst::Unreachable);
                self.reachable = false;
            }
            Operator::Nop => {}
            Operator::Block { ty } => self.open(Kind::Block, ty)?,
            Operator::Loop { ty } => self.open(Kind::Loop, ty)?,
            Operator::If { ty } => self.r#if(ty)?,
            Operator::Else => self.r#else()?,
            Operator::Throw { tag } => self.throw(tag)?,
            Operator::ThrowRef => self.throw_ref()?,
            Operator::End => self.end()?,
            Operator::Br { depth } => self.br(depth)?,
            Operator::BrIf { depth } => self.br_if(depth)?,
            Operator::BrTable { targets } => self.br_table(targets)?,
            Operator::Return => self.r#return()?,
            Operator::Call { func } => {
                if !self.inline(func)? {
                    let signature = self.types.signature(self.types.func_type(func));
                    self.call(Callee::Direct(func), signature)?;
                }
            }
            Operator::ReturnCall { func } => {
                let signature = self.types.signature(self.types.func_type(func));
                self.return_call(Callee::Direct(func), signature)?;
            }
            Operator::CallIndirect { ty, table } => {
                let index = self.pop_operand()?;
                self.call_dynamic(Callee::Table { ty, table, index }, self.types.signature(ty))?;
            }
            Operator::ReturnCallIndirect { ty, table } => {
                let index = self.pop_operand()?;
                self.return_call(Callee::Table { ty, table, index }, self.types.signature(ty))?;
            }
            Operator::CallRef { ty } => {
                let callee = self.pop_slot()?;
                self.call_dynamic(Callee::Reference { ty, callee }, self.types.signature(ty))?;
            }
            Operator::ReturnCallRef { ty } => {
                let callee = self.pop_slot()?;
                self.return_call(Callee::Reference { ty, callee }, self.types.signature(ty))?;
            }
            Operator::Drop => {
                self.pop()?;
            }
            Operator::Select | Operator::SelectTyped { .. } => self.select()?,
            Operator::TryTable { ty, catches } => self.try_table(ty, catches)?,
            Operator::LocalGet { local } => self.local_get(local)?,
            Operator::LocalSet { local } => self.local_set(local)?,
            Operator::LocalTee { local } => self.local_tee(local)?,
            Operator::GlobalGet { global } => self.global_get(global)?,
            Operator::GlobalSet { global } => self.global_set(global)?,
            Operator::TableGet { table } => {
                let index = self.pop_operand()?;
                let dst = self.push_temp(Type::Ref);
                self.emit(Inst::TableGet { dst, index, table });
            }
            Operator::TableSet { table } => {
                let value = self.pop_operand()?;
                let index = self.pop_operand()?;
                self.emit(Inst::TableSet { index, value, table });
            }
            Operator::Load(op, place) => {
                let addr = self.pop_operand()?;
                let dst = self.push_temp(op.result());
                self.emit(Inst::Load { op, dst, addr, mem: place.mem, offset: place.offset });
            }
            Operator::Store(op, place) => {
                let value = self.pop_operand()?;
                let addr = self.pop_operand()?;
                self.emit(Inst::Store { op, addr, value, mem: place.mem, offset: place.offset });
            }
            Operator::MemorySize { mem } => {
                let dst = self.push_temp(self.types.memory_index(mem));
                self.emit(Inst::MemorySize { dst, mem });
            }
            Operator::MemoryGrow { mem } => {
                let base = self.consecutive(1)?;
                self.push_temp(self.types.memory_index(mem));
                self.emit(Inst::MemoryGrow { base, mem });
            }
            Operator::I32Const { value } => self.push_const(Type::I32, u64::from(value as u32)),
            Operator::I64Const { value } => self.push_const(Type::I64, value as u64),
            Operator::F32Const { bytes } => {
                self.push_const(Type::F32, u64::from(u32::from_le_bytes(bytes)));
            }
            Operator::F64Const { bytes } => self.push_const(Type::F64, u64::from_le_bytes(bytes)),
            Operator::I32Eqz => self.eqz()?,
            Operator::I64Eqz | Operator::RefIsNull => self.compare_zero(CompareOp::I64Eq)?,
            Operator::Unary(op) => {
                let a = self.pop_slot()?;
                let dst = self.push_temp(op.result());
                self.emit(Inst::Unary { op, dst, a });
                self.canonical(dst, op.canonical());
            }
            Operator::Binary(op) => {
                let (a, b) = self.pop_pair()?;
                let dst = self.push_temp(op.result());
                self.emit(Inst::Binary { op, dst, a, b });
                self.canonical(dst, op.canonical());
            }
            Operator::Compare(op) => {
                let (a, b) = self.pop_pair()?;
                let dst = self.push_temp(Type::I32);
                self.emit(Inst::Compare { op, dst, a, b });
            }
            Operator::RefNull { .. } => self.push_const(Type::Ref, 0),
            Operator::RefFunc { func } => {
                let dst = self.push_temp(Type::Ref);
                self.emit(Inst::RefFunc { dst, func });
            }
            Operator::RefEq => self.ref_eq()?,
            Operator::RefAsNonNull => {
                let src = self.top_slot()?;
                self.emit(Inst::RefAsNonNull { src });
            }
            Operator::BrOnNull { depth } => self.br_on_null(depth)?,
            Operator::BrOnNonNull { depth } => self.br_on_non_null(depth)?,
            Operator::MemoryInit { data, mem } => self.bulk(3, Bulk::MemoryInit { mem, data })?,
            Operator::DataDrop { data } => self.bulk(0, Bulk::DataDrop { data })?,
            Operator::MemoryCopy { dst, src } => self.bulk(3, Bulk::MemoryCopy { dst, src })?,
            Operator::MemoryFill { mem } => self.bulk(3, Bulk::MemoryFill { mem })?,
            Operator::TableInit { elem, table } => self.bulk(3, Bulk::TableInit { table, elem })?,
            Operator::ElemDrop { elem } => self.bulk(0, Bulk::ElemDrop { elem })?,
            Operator::TableCopy { dst, src } => self.bulk(3, Bulk::TableCopy { dst, src })?,
            Operator::TableGrow { table } => {
                self.bulk(2, Bulk::TableGrow { table })?;
                self.push_temp(self.types.table_index(table));
            }
            Operator::TableSize { table } => {
                let dst = self.push_temp(self.types.table_index(table));
                self.emit(Inst::TableSize { dst, table });
            }
            Operator::TableFill { table } => self.bulk(3, Bulk::TableFill { table })?,
            Operator::I64Add128 => self.wide(4, WideOp::Add128)?,
            Operator::I64Sub128 => self.wide(4, WideOp::Sub128)?,
            Operator::I64MulWideS => self.wide(2, WideOp::MulWideS)?,
            Operator::I64MulWideU => self.wide(2, WideOp::MulWideU)?,
            Operator::AtomicNotify { memory } => self.atomic_notify(memory)?,
            Operator::AtomicWait32 { memory } => self.atomic_wait(false, memory)?,
            Operator::AtomicWait64 { memory } => self.atomic_wait(true, memory)?,
            Operator::AtomicFence { .. } => self.emit(Inst::AtomicFence),
            Operator::Atomic(op, memory) => self.atomic_access(op, memory)?,
            Operator::Gc(operator) => self.gc_operator(operator)?,
            #[cfg(feature = "simd")]
            Operator::Vector(operator) => self.vector(operator)?,
            #[cfg(not(feature = "simd"))]
            Operator::Vector(_) => return Err(Stop::Unsupported("SIMD")),
        }
        Ok(())
    }

    /// Passes over an instruction that cannot be reached: only what opens and closes
    /// blocks matters.
    fn skip(&mut self) -> core::result::Result<(), Stop> {
        match self.body.reader.operator()? {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => self.skipped_blocks += 1,
            Operator::Else if self.skipped_blocks == 0 => self.r#else()?,
            Operator::End if self.skipped_blocks == 0 => self.end()?,
            Operator::End => self.skipped_blocks -= 1,
            #[cfg(not(feature = "simd"))]
            Operator::Vector(_) => return Err(Stop::Unsupported("SIMD")),
            _ => {}
        }
        Ok(())
    }

    fn global_get(&mut self, global: u32) -> core::result::Result<(), Stop> {
        let ty = self.types.global_type(global);
        #[cfg(feature = "simd")]
        if ty == Type::V128 {
            self.vector_global_get(global);
            return Ok(());
        }
        self.scalar_only(ty)?;
        let dst = self.push_temp(ty);
        self.emit(Inst::GlobalGet { dst, global });
        Ok(())
    }

    fn global_set(&mut self, global: u32) -> core::result::Result<(), Stop> {
        let ty = self.types.global_type(global);
        #[cfg(feature = "simd")]
        if ty == Type::V128 {
            return Ok(self.vector_global_set(global)?);
        }
        self.scalar_only(ty)?;
        let value = self.pop_operand()?;
        self.emit(Inst::GlobalSet { global, value });
        Ok(())
    }

    fn scalar_only(&self, ty: Type) -> core::result::Result<(), Stop> {
        if ty == Type::V128 { Err(Stop::Unsupported("SIMD")) } else { Ok(()) }
    }

    /// Makes the result in `dst` canonical by `op`, if it may be NaN and that matters.
    fn canonical(&mut self, dst: Slot, op: Option<UnaryOp>) {
        if let Some(op) = op.filter(|_| self.checks.canonical_nans) {
            self.emit(Inst::Unary { op, dst, a: dst });
        }
    }

    /// `i32.eqz`: turns a comparison just made around, where that is the same.
    fn eqz(&mut self) -> Result<()> {
        if let Some(entry) = self.stack.last()
            && let super::Value::Temp = entry.value
            && let Some(Inst::Compare { op, dst, .. }) = self.function.insts.last_mut()
            && dst.0 == entry.slot
            && let Some(not) = op.negate()
        {
            *op = not;
            return Ok(());
        }
        self.compare_zero(CompareOp::I32Eq)
    }

    fn compare_zero(&mut self, op: CompareOp) -> Result<()> {
        let a = Operand::Slot(self.pop_slot()?);
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::Compare { op, dst, a, b: Operand::Const(0) });
        Ok(())
    }

    fn select(&mut self) -> core::result::Result<(), Stop> {
        let cond = self.pop_slot()?;
        #[cfg(feature = "simd")]
        if self.stack.last().is_some_and(|entry| entry.ty == Type::V128) {
            return Ok(self.vector_select(cond)?);
        }
        let b = self.pop_operand()?;
        let entry = self.pop()?;
        self.scalar_only(entry.ty)?;
        let a = self.operand(entry);
        let dst = self.push_temp(entry.ty);
        self.emit(Inst::Select { ty: entry.ty, dst, cond, a, b });
        Ok(())
    }

    /// Pops `count` operands into consecutive slots.
    pub(super) fn consecutive(&mut self, count: usize) -> Result<Slot> {
        self.flush_top(count)?;
        let height = self.stack.len() - count;
        let base = self.slot_at(height);
        self.truncate(height);
        Ok(Slot(base))
    }

    fn bulk(&mut self, operands: usize, op: Bulk) -> Result<()> {
        let base = self.consecutive(operands)?;
        self.emit(Inst::Bulk { op, base });
        Ok(())
    }

    fn wide(&mut self, operands: usize, op: WideOp) -> Result<()> {
        let base = self.consecutive(operands)?;
        self.push_temp(Type::I64);
        self.push_temp(Type::I64);
        self.emit(Inst::Wide { op, base });
        Ok(())
    }
}
