//! 128-bit integer arithmetic: numbers in two consecutive slots, low half first.

use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::Primitives;
use crate::isa::aarch64::regs::Width;
use crate::isa::aarch64::{Assembler, VALUE, inst};
use zwasm_regir::inst::WideOp;
use zwasm_regir::{Operand, Slot};

impl Compiler<'_, Assembler> {
    pub(super) fn wide_op(&mut self, op: WideOp, base: Slot) {
        let half = |index: u32| Slot(base.0 + index);
        match op {
            WideOp::Add128 | WideOp::Sub128 => {
                let [a, b, c, d] =
                    [0, 1, 2, 3].map(|index| self.operand(Operand::Slot(half(index)), Class::Int));
                (0..4).for_each(|index| self.consume(half(index)));
                // The high half is read when the low half of the result is there.
                let low = self.alloc(Class::Int, None);
                let high = self.alloc(Class::Int, None);
                let (first, second) = match op {
                    WideOp::Add128 => {
                        (inst::adds(Width::X, low, a, c), inst::adc(Width::X, high, b, d))
                    }
                    _ => (inst::subs(Width::X, low, a, c), inst::sbc(Width::X, high, b, d)),
                };
                self.asm.emit(first);
                self.asm.emit(second);
                self.define(low, half(0), Class::Int);
                self.define(high, half(1), Class::Int);
            }
            WideOp::MulWideS | WideOp::MulWideU => {
                let [a, b] =
                    [0, 1].map(|index| self.operand(Operand::Slot(half(index)), Class::Int));
                self.consume(half(0));
                self.consume(half(1));
                let low = self.alloc(Class::Int, None);
                let high = self.alloc(Class::Int, None);
                let multiply = if op == WideOp::MulWideS { inst::smulh } else { inst::umulh };
                self.asm.emit(multiply(VALUE, a, b));
                self.asm.emit(inst::mul(Width::X, low, a, b));
                self.asm.mov(high, VALUE);
                self.define(low, half(0), Class::Int);
                self.define(high, half(1), Class::Int);
            }
        }
    }
}
