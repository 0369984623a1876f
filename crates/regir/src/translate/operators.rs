//! The opcode switch.

use super::control::Callee;
use super::{Malformed, Result, Stop, Translator, value_type};
use crate::inst::{Bulk, Inst, Operand, Slot, WideOp};
use crate::ops::{BinaryOp, CompareOp, LoadOp, StoreOp, UnaryOp};
use crate::types::{Signature, Type};

/// The alignment bit that says a memory index follows.
pub(super) const MEMORY_INDEX: u32 = 1 << 6;

impl<'a> Translator<'a> {
    /// Translates the next instruction.
    pub(super) fn operator(&mut self) -> core::result::Result<(), Stop> {
        let opcode = self.body.reader.byte()?;
        if !self.reachable {
            return self.skip(opcode);
        }
        self.pay(opcode);
        match opcode {
            0x00 => {
                self.emit(Inst::Unreachable);
                self.reachable = false;
            }
            0x01 => {}
            0x02 => self.block()?,
            0x03 => self.r#loop()?,
            0x04 => self.r#if()?,
            0x05 => self.r#else()?,
            0x08 => self.throw()?,
            0x0A => self.throw_ref()?,
            0x0B => self.end()?,
            0x0C => self.br()?,
            0x0D => self.br_if()?,
            0x0E => self.br_table()?,
            0x0F => self.r#return()?,
            0x10 | 0x12 => {
                let func = self.body.reader.u32()?;
                if opcode == 0x10 && self.inline(func)? {
                    return Ok(());
                }
                let signature = self.types.signature(self.types.func_type(func));
                self.any_call(opcode == 0x12, Callee::Direct(func), signature)?;
            }
            0x11 | 0x13 => {
                let ty = self.body.reader.u32()?;
                let table = self.body.reader.u32()?;
                let index = self.pop_operand()?;
                let signature = self.types.signature(ty);
                self.any_call(opcode == 0x13, Callee::Table { ty, table, index }, signature)?;
            }
            0x14 | 0x15 => {
                let ty = self.body.reader.u32()?;
                let callee = self.pop_slot()?;
                let signature = self.types.signature(ty);
                self.any_call(opcode == 0x15, Callee::Reference { ty, callee }, signature)?;
            }
            0x1A => {
                self.pop()?;
            }
            0x1B => self.select()?,
            0x1C => {
                self.select_types()?;
                self.select()?;
            }
            0x1F => self.try_table()?,
            0x20 => self.local_get()?,
            0x21 => self.local_set()?,
            0x22 => self.local_tee()?,
            0x23 => {
                let global = self.body.reader.u32()?;
                let ty = self.types.global_type(global);
                #[cfg(feature = "simd")]
                if ty == Type::V128 {
                    self.vector_global_get(global);
                    return Ok(());
                }
                self.scalar_only(ty)?;
                let dst = self.push_temp(ty);
                self.emit(Inst::GlobalGet { dst, global });
            }
            0x24 => {
                let global = self.body.reader.u32()?;
                let ty = self.types.global_type(global);
                #[cfg(feature = "simd")]
                if ty == Type::V128 {
                    return Ok(self.vector_global_set(global)?);
                }
                self.scalar_only(ty)?;
                let value = self.pop_operand()?;
                self.emit(Inst::GlobalSet { global, value });
            }
            0x25 => {
                let table = self.body.reader.u32()?;
                let index = self.pop_operand()?;
                let dst = self.push_temp(Type::Ref);
                self.emit(Inst::TableGet { dst, index, table });
            }
            0x26 => {
                let table = self.body.reader.u32()?;
                let value = self.pop_operand()?;
                let index = self.pop_operand()?;
                self.emit(Inst::TableSet { index, value, table });
            }
            0x28..=0x35 => self.load(opcode)?,
            0x36..=0x3E => self.store(opcode)?,
            0x3F => {
                let mem = self.body.reader.u32()?;
                let dst = self.push_temp(self.types.memory_index(mem));
                self.emit(Inst::MemorySize { dst, mem });
            }
            0x40 => {
                let mem = self.body.reader.u32()?;
                let base = self.consecutive(1)?;
                self.push_temp(self.types.memory_index(mem));
                self.emit(Inst::MemoryGrow { base, mem });
            }
            0x41 => {
                let value = self.body.reader.i64()? as u32;
                self.push_const(Type::I32, u64::from(value));
            }
            0x42 => {
                let value = self.body.reader.i64()? as u64;
                self.push_const(Type::I64, value);
            }
            0x43 => {
                let bits = u32::from_le_bytes(self.body.reader.array()?);
                self.push_const(Type::F32, u64::from(bits));
            }
            0x44 => {
                let bits = u64::from_le_bytes(self.body.reader.array()?);
                self.push_const(Type::F64, bits);
            }
            0x45 => self.eqz()?,
            0x50 => self.compare_zero(CompareOp::I64Eq)?,
            0x46..=0xC4 => self.numeric(u16::from(opcode))?,
            0xD0 => {
                self.body.reader.i64()?;
                self.push_const(Type::Ref, 0);
            }
            0xD1 => self.compare_zero(CompareOp::I64Eq)?,
            0xD2 => {
                let func = self.body.reader.u32()?;
                let dst = self.push_temp(Type::Ref);
                self.emit(Inst::RefFunc { dst, func });
            }
            0xD3 | 0xFB if !self.types.has_gc() => {
                return Err(Stop::Unsupported("garbage collection"));
            }
            0xD3 => self.ref_eq()?,
            0xFB => self.gc_operator()?,
            0xD4 => self.ref_as_non_null()?,
            0xD5 => self.br_on_null()?,
            0xD6 => self.br_on_non_null()?,
            0xFC => self.prefixed()?,
            #[cfg(feature = "simd")]
            0xFD => self.vector()?,
            #[cfg(not(feature = "simd"))]
            0xFD => return Err(Stop::Unsupported("SIMD")),
            0xFE => self.atomic()?,
            _ => return Err(Stop::Malformed),
        }
        Ok(())
    }

    fn any_call(&mut self, tail: bool, callee: Callee, signature: Signature<'a>) -> Result<()> {
        if tail { self.return_call(callee, signature) } else { self.call(callee, signature) }
    }

    fn scalar_only(&self, ty: Type) -> core::result::Result<(), Stop> {
        if ty == Type::V128 { Err(Stop::Unsupported("SIMD")) } else { Ok(()) }
    }

    fn numeric(&mut self, opcode: u16) -> Result<()> {
        if let Some(op) = BinaryOp::from_opcode(opcode) {
            let (a, b) = self.pop_pair()?;
            let dst = self.push_temp(op.result());
            self.emit(Inst::Binary { op, dst, a, b });
            self.canonical(dst, op.canonical());
        } else if let Some(op) = CompareOp::from_opcode(opcode) {
            let (a, b) = self.pop_pair()?;
            let dst = self.push_temp(Type::I32);
            self.emit(Inst::Compare { op, dst, a, b });
        } else if let Some(op) = UnaryOp::from_opcode(opcode) {
            let a = self.pop_slot()?;
            let dst = self.push_temp(op.result());
            self.emit(Inst::Unary { op, dst, a });
            self.canonical(dst, op.canonical());
        } else {
            return Err(Malformed);
        }
        Ok(())
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
        self.emit(Inst::Select { dst, cond, a, b });
        Ok(())
    }

    fn select_types(&mut self) -> Result<()> {
        for _ in 0..self.body.reader.u32()? {
            value_type(&mut self.body.reader)?;
        }
        Ok(())
    }

    pub(super) fn memarg(&mut self) -> Result<(u32, u64)> {
        let align = self.body.reader.u32()?;
        let mem = if align & MEMORY_INDEX != 0 { self.body.reader.u32()? } else { 0 };
        let offset = self.body.reader.u64()?;
        Ok((mem, offset))
    }

    fn load(&mut self, opcode: u8) -> Result<()> {
        let op = LoadOp::from_opcode(u16::from(opcode)).ok_or(Malformed)?;
        let (mem, offset) = self.memarg()?;
        let addr = self.pop_operand()?;
        let dst = self.push_temp(op.result());
        self.emit(Inst::Load { op, dst, addr, mem, offset });
        Ok(())
    }

    fn store(&mut self, opcode: u8) -> Result<()> {
        let op = StoreOp::from_opcode(u16::from(opcode)).ok_or(Malformed)?;
        let (mem, offset) = self.memarg()?;
        let value = self.pop_operand()?;
        let addr = self.pop_operand()?;
        self.emit(Inst::Store { op, addr, value, mem, offset });
        Ok(())
    }

    fn ref_as_non_null(&mut self) -> Result<()> {
        let src = self.top_slot()?;
        self.emit(Inst::RefAsNonNull { src });
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

    fn prefixed(&mut self) -> Result<()> {
        let sub = self.body.reader.u32()?;
        match sub {
            0..=7 => self.numeric(0xFC00 | sub as u16)?,
            8 => {
                let data = self.body.reader.u32()?;
                let mem = self.body.reader.u32()?;
                self.bulk(3, Bulk::MemoryInit { mem, data })?;
            }
            9 => {
                let data = self.body.reader.u32()?;
                self.bulk(0, Bulk::DataDrop { data })?;
            }
            10 => {
                let dst = self.body.reader.u32()?;
                let src = self.body.reader.u32()?;
                self.bulk(3, Bulk::MemoryCopy { dst, src })?;
            }
            11 => {
                let mem = self.body.reader.u32()?;
                self.bulk(3, Bulk::MemoryFill { mem })?;
            }
            12 => {
                let elem = self.body.reader.u32()?;
                let table = self.body.reader.u32()?;
                self.bulk(3, Bulk::TableInit { table, elem })?;
            }
            13 => {
                let elem = self.body.reader.u32()?;
                self.bulk(0, Bulk::ElemDrop { elem })?;
            }
            14 => {
                let dst = self.body.reader.u32()?;
                let src = self.body.reader.u32()?;
                self.bulk(3, Bulk::TableCopy { dst, src })?;
            }
            15 => {
                let table = self.body.reader.u32()?;
                self.bulk(2, Bulk::TableGrow { table })?;
                self.push_temp(self.types.table_index(table));
            }
            16 => {
                let table = self.body.reader.u32()?;
                let dst = self.push_temp(self.types.table_index(table));
                self.emit(Inst::TableSize { dst, table });
            }
            17 => {
                let table = self.body.reader.u32()?;
                self.bulk(3, Bulk::TableFill { table })?;
            }
            19 => self.wide(4, WideOp::Add128)?,
            20 => self.wide(4, WideOp::Sub128)?,
            21 => self.wide(2, WideOp::MulWideS)?,
            22 => self.wide(2, WideOp::MulWideU)?,
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// Passes over an instruction that cannot be reached.
    fn skip(&mut self, opcode: u8) -> core::result::Result<(), Stop> {
        match opcode {
            0x02..=0x04 => {
                self.skip_block_type()?;
                self.skipped_blocks += 1;
            }
            0x05 if self.skipped_blocks == 0 => self.r#else()?,
            0x0B if self.skipped_blocks == 0 => self.end()?,
            0x0B => self.skipped_blocks -= 1,
            0x00 | 0x01 | 0x05 | 0x0A | 0x0F | 0x1A | 0x1B | 0x45..=0xC4 | 0xD1 | 0xD3 | 0xD4 => {}
            0x0E => {
                for _ in 0..self.body.reader.u32()? {
                    self.body.reader.u32()?;
                }
                self.body.reader.u32()?;
            }
            0x1F => {
                self.skip_block_type()?;
                self.skip_catches()?;
                self.skipped_blocks += 1;
            }
            0x08
            | 0x0C
            | 0x0D
            | 0x10
            | 0x12
            | 0x14
            | 0x15
            | 0x20..=0x26
            | 0x3F
            | 0x40
            | 0xD2
            | 0xD5
            | 0xD6 => {
                self.body.reader.u32()?;
            }
            0x11 | 0x13 => {
                self.body.reader.u32()?;
                self.body.reader.u32()?;
            }
            0x1C => self.select_types()?,
            0x28..=0x3E => {
                self.memarg()?;
            }
            0x41 | 0x42 | 0xD0 => {
                self.body.reader.i64()?;
            }
            0x43 => {
                self.body.reader.array::<4>()?;
            }
            0x44 => {
                self.body.reader.array::<8>()?;
            }
            0xFC => {
                let immediates = match self.body.reader.u32()? {
                    0..=7 | 19..=22 => 0,
                    8 | 10 | 12 | 14 => 2,
                    9 | 11 | 13 | 15..=17 => 1,
                    _ => return Err(Stop::Malformed),
                };
                for _ in 0..immediates {
                    self.body.reader.u32()?;
                }
            }
            0xFB => self.skip_gc()?,
            #[cfg(feature = "simd")]
            0xFD => self.skip_vector()?,
            #[cfg(not(feature = "simd"))]
            0xFD => return Err(Stop::Unsupported("SIMD")),
            0xFE => self.skip_atomic()?,
            _ => return Err(Stop::Malformed),
        }
        Ok(())
    }

    fn skip_block_type(&mut self) -> Result<()> {
        if self.body.reader.peek()? & 0xC0 == 0x40 {
            value_type(&mut self.body.reader)?;
        } else {
            self.body.reader.i64()?;
        }
        Ok(())
    }
}
