//! Atomic accesses.

use crate::baseline::Compiler;
use crate::baseline::select::AtomicAccess;
use crate::isa::aarch64::regs::Barrier;
use crate::isa::aarch64::{Assembler, inst};
use zwasm_regir::Inst;

impl Compiler<'_, Assembler> {
    pub(super) fn atomic_access(&mut self, access: AtomicAccess) {
        let AtomicAccess { op, dst, addr, a, b, mem, offset } = access;
        self.call_handler(&Inst::Atomic { op, dst, addr, a, b, mem, offset });
    }

    pub(super) fn fence(&mut self) {
        self.asm.emit(inst::dmb(Barrier::Ish));
    }
}
