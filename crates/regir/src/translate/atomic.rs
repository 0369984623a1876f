//! The atomic instructions, behind the prefix `0xFE`.

use super::{Result, Translator};
use crate::atomic_ops::AtomicOp;
use crate::inst::Inst;
use crate::opcodes::immediates::MemArg;
use crate::types::Type;

impl Translator<'_> {
    pub(super) fn atomic_notify(&mut self, memory: MemArg) -> Result<()> {
        let MemArg { mem, offset } = memory;
        let count = self.pop_slot()?;
        let addr = self.pop_slot()?;
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::AtomicNotify { dst, addr, count, mem, offset });
        Ok(())
    }

    pub(super) fn atomic_wait(&mut self, wide: bool, memory: MemArg) -> Result<()> {
        let MemArg { mem, offset } = memory;
        let timeout = self.pop_slot()?;
        let expected = self.pop_slot()?;
        let addr = self.pop_slot()?;
        let dst = self.push_temp(Type::I32);
        self.emit(Inst::AtomicWait { wide, dst, addr, expected, timeout, mem, offset });
        Ok(())
    }

    pub(super) fn atomic_access(&mut self, op: AtomicOp, memory: MemArg) -> Result<()> {
        let MemArg { mem, offset } = memory;
        let second = if op.operands() == 2 { Some(self.pop_slot()?) } else { None };
        let first = if op.operands() >= 1 { Some(self.pop_slot()?) } else { None };
        let addr = self.pop_slot()?;
        // What an op does not have is never read or written.
        let (a, b) = (first.unwrap_or(addr), second.unwrap_or(addr));
        let dst = if op.has_result() { self.push_temp(op.value()) } else { addr };
        self.emit(Inst::Atomic { op, dst, addr, a, b, mem, offset });
        Ok(())
    }
}
