//! 128-bit integer arithmetic: numbers in two consecutive slots, low half first.

use crate::asm::Rm;
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::x64::{Assembler, INT_SCRATCH, RAX, RDX, emit};
use crate::isa::{Alu, Primitives};
use zwasm_regir::inst::WideOp;
use zwasm_regir::{Operand, Slot};

impl Compiler<'_, Assembler> {
    pub(super) fn wide_op(&mut self, op: WideOp, base: Slot) {
        let half = |index: u32| Slot(base.0 + index);
        match op {
            WideOp::Add128 | WideOp::Sub128 => {
                let [c, d] =
                    [2, 3].map(|index| self.operand(Operand::Slot(half(index)), Class::Int));
                let low = self.take(Operand::Slot(half(0)), Class::Int, base.0);
                let high = self.take(Operand::Slot(half(1)), Class::Int, base.0 + 1);
                if op == WideOp::Add128 {
                    self.asm.alu(Alu::Add, true, low, Rm::Reg(c));
                    emit!(self.asm, adcq_rm(high, Rm::Reg(d)));
                } else {
                    self.asm.alu(Alu::Sub, true, low, Rm::Reg(c));
                    emit!(self.asm, sbbq_rm(high, Rm::Reg(d)));
                }
                self.consume(half(2));
                self.consume(half(3));
                self.define(low, half(0), Class::Int);
                self.define(high, half(1), Class::Int);
            }
            WideOp::MulWideS | WideOp::MulWideU => {
                self.claim(RAX);
                self.claim(RDX);
                let factor = self.operand(Operand::Slot(half(1)), Class::Int);
                self.load_into(INT_SCRATCH, Operand::Slot(half(0)));
                self.asm.mov(RAX, INT_SCRATCH);
                self.asm.multiply_wide(op == WideOp::MulWideS, Rm::Reg(factor));
                self.define(RAX, half(0), Class::Int);
                self.define(RDX, half(1), Class::Int);
            }
        }
    }
}
