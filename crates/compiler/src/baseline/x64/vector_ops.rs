//! Arithmetic on vectors: operands and results. Which instructions an op is, and what
//! registers it needs, is in [`crate::isa::x64::vector_ops`].

use crate::asm::{Mem, Reg};
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::x64::vector_ops::*;
use crate::isa::x64::{Assembler, FLOAT_SCRATCH};
use zwasm_regir::simd_ops::{BinaryOp, ShiftOp, TernaryOp, UnaryOp};
use zwasm_regir::{Operand, Slot};

/// More registers than any op needs to work with.
const TEMPS: usize = 2;

impl Compiler<'_, Assembler> {
    pub(super) fn vector_unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        let needs = unary_needs(op);
        let src = self.vector_operand(a);
        self.consume(a);
        let (d, temps) = self.vector_registers(needs, dst);
        self.asm.vector_unary(op, d, src, &temps[..needs.temps]);
        self.define(d, dst, Class::Vector);
    }

    pub(super) fn vector_binary(&mut self, op: BinaryOp, dst: Slot, a: Slot, b: Slot) {
        if let Some(one) = binary_instruction(op) {
            return self.in_one(dst, a, b, one);
        }
        let needs = binary_needs(op);
        let (a, b) = self.vector_operands(a, b);
        let (d, temps) = self.vector_registers(needs, dst);
        self.asm.vector_binary(op, d, a, b, &temps[..needs.temps]);
        self.define(d, dst, Class::Vector);
    }

    /// Compiles an op one of whose operands is the vector at `place`, which is
    /// asked for when the other is in its register. False if that cannot be.
    pub(super) fn binary_with_loaded(
        &mut self,
        op: BinaryOp,
        dst: Slot,
        operands: [Slot; 2],
        loaded: Slot,
        place: impl FnOnce(&mut Self) -> Mem,
    ) -> bool {
        let Some(One { inst, imm, swapped }) = binary_instruction(op) else { return false };
        let [mut a, mut b] = operands;
        if swapped || a == loaded && op.commutes() {
            (a, b) = (b, a);
        }
        if b != loaded || a == loaded {
            return false;
        }
        let first = self.vector_operand(a);
        let second = place(self);
        self.consume(a);
        let d = self.result(dst);
        self.asm.three_operands(inst, d, first, second.into(), imm);
        self.define(d, dst, Class::Vector);
        true
    }

    /// Two operands, read for the last time if they are temporaries.
    fn vector_operands(&mut self, a: Slot, b: Slot) -> (Reg, Reg) {
        let operands = (self.vector_operand(a), self.vector_operand(b));
        self.consume(a);
        self.consume(b);
        operands
    }

    /// The registers that an op needs: that of the result, and those to work with.
    fn vector_registers(&mut self, needs: Needs, dst: Slot) -> (Reg, [Reg; TEMPS]) {
        let d = needs.apart.then(|| self.alloc(Class::Vector, Some(dst.0)));
        let mut temps = [FLOAT_SCRATCH; TEMPS];
        for temp in &mut temps[..needs.temps] {
            *temp = self.alloc(Class::Vector, None);
        }
        (d.unwrap_or_else(|| self.result(dst)), temps)
    }

    pub(super) fn vector_ternary(&mut self, op: TernaryOp, dst: Slot, [a, b, c]: [Slot; 3]) {
        let needs = ternary_needs(op);
        let third = self.vector_operand(c);
        let (first, second) = self.vector_operands(a, b);
        self.consume(c);
        let (d, temps) = self.vector_registers(needs, dst);
        self.asm.vector_ternary(op, d, [first, second, third], &temps[..needs.temps]);
        self.define(d, dst, Class::Vector);
    }

    pub(super) fn vector_shift(&mut self, op: ShiftOp, dst: Slot, a: Slot, count: Operand) {
        let constant = match self.resolve(count) {
            Operand::Const(value) => Some((value as u32 % shift_width(op)) as u8),
            Operand::Slot(_) => None,
        };
        if constant == Some(0) {
            self.consume_operand(count);
            return self.unchanged(dst, a);
        }
        let src = self.vector_operand(a);
        let needs = match constant {
            Some(_) => shift_by_needs(op),
            None => {
                let count = self.operand(count, Class::Int);
                self.asm.vector_shift_count(op, count);
                shift_needs(op)
            }
        };
        self.consume_operand(count);
        self.consume(a);
        let (d, temps) = self.vector_registers(needs, dst);
        match constant {
            Some(count) => self.asm.vector_shift_by(op, d, src, count),
            None => self.asm.vector_shift(op, d, src, &temps[..needs.temps]),
        }
        self.define(d, dst, Class::Vector);
    }
}
