//! Atomic accesses: operands and results. The instructions are in
//! [`crate::isa::x64::atomic`].
//!
//! Alignment is checked on the effective address, before the bounds, as the handlers do.

use crate::asm::at;
use crate::baseline::Compiler;
use crate::baseline::select::AtomicAccess;
use crate::baseline::state::Class;
use crate::isa::x64::atomic::{Form, form};
use crate::isa::x64::{Assembler, FRAME, RAX};
use crate::isa::{Alu, Primitives, Size};
use zwasm_regir::Operand;

impl Compiler<'_, Assembler> {
    /// An access that is not a load or store yields the old value.
    pub(super) fn atomic_access(&mut self, access: AtomicAccess) {
        let AtomicAccess { op, dst, addr, a, b, mem, offset } = access;
        let size = op.size();
        match form(op) {
            Form::Load => {
                let place = self.aligned(mem, addr, offset, size);
                let reg = self.alloc(Class::Int, None);
                self.asm.load(reg, place, Size::of(size));
                self.consume(addr);
                self.define(reg, dst, Class::Int);
            }
            Form::CompareExchange => {
                self.claim(RAX);
                let new = self.operand(Operand::Slot(b), Class::Int);
                self.load_into(RAX, Operand::Slot(a));
                let place = self.aligned(mem, addr, offset, size);
                self.asm.atomic_compare_exchange(op, place, new);
                self.consume(b);
                self.consume(a);
                self.consume(addr);
                self.define(RAX, dst, Class::Int);
            }
            Form::Combine(alu) => self.combine(alu, access),
            Form::Exchange => {
                let reg = self.alloc(Class::Int, None);
                self.load_into(reg, Operand::Slot(a));
                self.asm.atomic_operand(op, reg);
                let place = self.aligned(mem, addr, offset, size);
                self.asm.atomic_exchange(op, place, reg);
                self.consume(a);
                self.consume(addr);
                if op.has_result() {
                    self.define(reg, dst, Class::Int);
                }
            }
        }
    }

    /// A fence.
    pub(super) fn fence(&mut self) {
        self.asm.atomic_fence(at(FRAME, 0));
    }

    fn combine(&mut self, alu: Alu, access: AtomicAccess) {
        let AtomicAccess { op, dst, addr, a, mem, offset, .. } = access;
        let size = op.size();
        self.claim(RAX);
        let operand = self.operand(Operand::Slot(a), Class::Int);
        let new = self.alloc(Class::Int, None);
        let place = self.aligned(mem, addr, offset, size);
        self.asm.atomic_combine(alu, size, place, operand, new);
        self.consume(a);
        self.consume(addr);
        self.define(RAX, dst, Class::Int);
    }
}
