//! The atomic instructions, behind the prefix `0xFE`.

use super::{Malformed, Result, Translator};
use crate::atomic_ops::AtomicOp;
use crate::inst::Inst;
use crate::types::Type;

const NOTIFY: u32 = 0;
const WAIT32: u32 = 1;
const WAIT64: u32 = 2;
const FENCE: u32 = 3;

impl Translator<'_> {
    pub(super) fn atomic(&mut self) -> Result<()> {
        match self.body.reader.u32()? {
            NOTIFY => {
                let (mem, offset) = self.memarg()?;
                let count = self.pop_slot()?;
                let addr = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                self.emit(Inst::AtomicNotify { dst, addr, count, mem, offset });
            }
            opcode @ (WAIT32 | WAIT64) => {
                let wide = opcode == WAIT64;
                let (mem, offset) = self.memarg()?;
                let timeout = self.pop_slot()?;
                let expected = self.pop_slot()?;
                let addr = self.pop_slot()?;
                let dst = self.push_temp(Type::I32);
                self.emit(Inst::AtomicWait { wide, dst, addr, expected, timeout, mem, offset });
            }
            FENCE => {
                self.body.reader.byte()?;
                self.emit(Inst::AtomicFence);
            }
            opcode => {
                let op =
                    u16::try_from(opcode).ok().and_then(AtomicOp::from_opcode).ok_or(Malformed)?;
                self.atomic_access(op)?;
            }
        }
        Ok(())
    }

    fn atomic_access(&mut self, op: AtomicOp) -> Result<()> {
        let (mem, offset) = self.memarg()?;
        let second = if op.operands() == 2 { Some(self.pop_slot()?) } else { None };
        let first = if op.operands() >= 1 { Some(self.pop_slot()?) } else { None };
        let addr = self.pop_slot()?;
        // What an op does not have is never read or written.
        let (a, b) = (first.unwrap_or(addr), second.unwrap_or(addr));
        let dst = if op.has_result() { self.push_temp(op.value()) } else { addr };
        self.emit(Inst::Atomic { op, dst, addr, a, b, mem, offset });
        Ok(())
    }

    /// Passes over an atomic instruction that cannot be reached.
    pub(super) fn skip_atomic(&mut self) -> Result<()> {
        match self.body.reader.u32()? {
            FENCE => {
                self.body.reader.byte()?;
            }
            _ => {
                self.memarg()?;
            }
        }
        Ok(())
    }
}
