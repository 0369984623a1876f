//! Integer arithmetic: operands and results. What is longer than an instruction is in
//! [`crate::isa::x64::integer`].

use crate::asm::{Mem, Reg, Rm};
use crate::baseline::Compiler;
use crate::baseline::state::{Class, Location};
use crate::isa::x64::integer::{Shift, condition, immediate};
use crate::isa::x64::{Assembler, Cond, Condition, INT_SCRATCH, RAX, RCX, RDX, emit};
use crate::isa::{Alu, Primitives};
use zwasm_regir::{BinaryOp, CompareOp, Operand, Slot, TrapCode, Type, UnaryOp};

impl Compiler<'_, Assembler> {
    /// An op on two operands.
    pub(super) fn binary(&mut self, op: BinaryOp, dst: Slot, a: Operand, b: Operand) {
        use BinaryOp::*;
        match op {
            I32Add => self.arithmetic(Alu::Add, false, dst, a, b),
            I64Add => self.arithmetic(Alu::Add, true, dst, a, b),
            I32Sub => self.arithmetic(Alu::Sub, false, dst, a, b),
            I64Sub => self.arithmetic(Alu::Sub, true, dst, a, b),
            I32And => self.arithmetic(Alu::And, false, dst, a, b),
            I64And => self.arithmetic(Alu::And, true, dst, a, b),
            I32Or => self.arithmetic(Alu::Or, false, dst, a, b),
            I64Or => self.arithmetic(Alu::Or, true, dst, a, b),
            I32Xor => self.arithmetic(Alu::Xor, false, dst, a, b),
            I64Xor => self.arithmetic(Alu::Xor, true, dst, a, b),
            I32Mul => self.multiply(false, dst, a, b),
            I64Mul => self.multiply(true, dst, a, b),
            I32DivS => self.divide(false, true, false, dst, a, b),
            I64DivS => self.divide(true, true, false, dst, a, b),
            I32DivU => self.divide(false, false, false, dst, a, b),
            I64DivU => self.divide(true, false, false, dst, a, b),
            I32RemS => self.divide(false, true, true, dst, a, b),
            I64RemS => self.divide(true, true, true, dst, a, b),
            I32RemU => self.divide(false, false, true, dst, a, b),
            I64RemU => self.divide(true, false, true, dst, a, b),
            I32Shl => self.shift(Shift::Left, false, dst, a, b),
            I64Shl => self.shift(Shift::Left, true, dst, a, b),
            I32ShrS => self.shift(Shift::RightSigned, false, dst, a, b),
            I64ShrS => self.shift(Shift::RightSigned, true, dst, a, b),
            I32ShrU => self.shift(Shift::RightUnsigned, false, dst, a, b),
            I64ShrU => self.shift(Shift::RightUnsigned, true, dst, a, b),
            I32Rotl => self.shift(Shift::RotateLeft, false, dst, a, b),
            I64Rotl => self.shift(Shift::RotateLeft, true, dst, a, b),
            I32Rotr => self.shift(Shift::RotateRight, false, dst, a, b),
            I64Rotr => self.shift(Shift::RotateRight, true, dst, a, b),
            _ => self.float_binary(op, dst, a, b),
        }
    }

    /// Whether an operand's register can become the result's.
    fn reusable(&self, operand: Operand, dst: Slot) -> bool {
        matches!(operand, Operand::Slot(slot) if slot == dst || self.is_temporary(slot.0))
    }

    /// Operands in the order that needs the fewest moves, if their order is free:
    /// a constant second, a register to reuse first.
    pub(super) fn ordered(&self, dst: Slot, a: Operand, b: Operand) -> (Operand, Operand) {
        let constant = matches!(self.resolve(a), Operand::Const(_));
        let other = matches!(self.resolve(b), Operand::Const(_));
        let swap = if constant || other {
            constant
        } else {
            !self.reusable(a, dst) && self.reusable(b, dst)
        };
        if swap { (b, a) } else { (a, b) }
    }

    fn arithmetic(&mut self, op: Alu, wide: bool, dst: Slot, a: Operand, b: Operand) {
        let (a, b) = if op == Alu::Sub { (a, b) } else { self.ordered(dst, a, b) };
        if let Operand::Const(value) = self.resolve(b)
            && let Some(value) = immediate(value, wide)
        {
            self.consume_operand(b);
            let distance = match op {
                Alu::Add => Some(value),
                Alu::Sub => value.checked_neg(),
                _ => None,
            };
            if let Some(distance) = distance
                && let Operand::Slot(slot) = self.resolve(a)
                && !self.reusable(a, dst)
                && let Location::Reg(_) = self.state.location(slot.0)
            {
                let base = self.reg(slot.0, Class::Int);
                self.address_of(wide, dst, Mem { base, index: None, disp: distance });
                return;
            }
            let reg = self.take(a, Class::Int, dst.0);
            if op == Alu::And && wide && value >= 0 {
                // The upper half of the result is zero either way.
                self.asm.alu_rm_immediate(op, false, Rm::Reg(reg), value);
            } else {
                self.asm.alu_rm_immediate(op, wide, Rm::Reg(reg), value);
            }
            self.define(reg, dst, Class::Int);
            return;
        }
        let (src, slot) = match self.resolve(b) {
            Operand::Slot(slot) => (self.rm(slot.0, Class::Int), Some(slot)),
            Operand::Const(_) => (Rm::Reg(self.operand(b, Class::Int)), None),
        };
        if op == Alu::Add
            && let Rm::Reg(index) = src
            && let Operand::Slot(first) = self.resolve(a)
            && !self.reusable(a, dst)
            && let Location::Reg(_) = self.state.location(first.0)
        {
            let base = self.reg(first.0, Class::Int);
            self.consume_operand(b);
            self.address_of(wide, dst, Mem { base, index: Some((index, 0)), disp: 0 });
            return;
        }
        let reg = self.take(a, Class::Int, dst.0);
        self.asm.alu(op, wide, reg, src);
        if let Some(slot) = slot {
            self.consume(slot);
        }
        self.define(reg, dst, Class::Int);
    }

    /// Computes a sum with an instruction for addresses, which has three operands.
    fn address_of(&mut self, wide: bool, dst: Slot, mem: Mem) {
        let reg = self.alloc(Class::Int, Some(dst.0));
        match wide {
            false => emit!(self.asm, leal_rm(reg, mem)),
            true => emit!(self.asm, leaq_rm(reg, mem)),
        }
        self.define(reg, dst, Class::Int);
    }

    fn multiply(&mut self, wide: bool, dst: Slot, a: Operand, b: Operand) {
        let (a, b) = self.ordered(dst, a, b);
        if let Operand::Const(value) = self.resolve(b)
            && let Some(factor) = immediate(value, wide)
        {
            self.consume_operand(b);
            if factor > 0 && (factor as u32).is_power_of_two() {
                let reg = self.take(a, Class::Int, dst.0);
                let count = factor.trailing_zeros() as u8;
                self.asm.shift_by(Shift::Left, wide, reg, count);
                self.define(reg, dst, Class::Int);
                return;
            }
            let src = match self.resolve(a) {
                Operand::Slot(slot) => self.rm(slot.0, Class::Int),
                Operand::Const(_) => Rm::Reg(self.operand(a, Class::Int)),
            };
            self.consume_operand(a);
            let reg = self.alloc(Class::Int, Some(dst.0));
            self.asm.multiply_by(wide, reg, src, factor);
            self.define(reg, dst, Class::Int);
            return;
        }
        let src = match self.resolve(b) {
            Operand::Slot(slot) => self.rm(slot.0, Class::Int),
            Operand::Const(_) => Rm::Reg(self.operand(b, Class::Int)),
        };
        let reg = self.take(a, Class::Int, dst.0);
        self.asm.multiply(wide, reg, src);
        self.consume_operand(b);
        self.define(reg, dst, Class::Int);
    }

    fn shift(&mut self, op: Shift, wide: bool, dst: Slot, a: Operand, b: Operand) {
        if let Operand::Const(count) = self.resolve(b) {
            self.consume_operand(b);
            let reg = self.take(a, Class::Int, dst.0);
            let count = count as u8 & if wide { 63 } else { 31 };
            if count != 0 {
                self.asm.shift_by(op, wide, reg, count);
            }
            self.define(reg, dst, Class::Int);
            return;
        }
        let count = self.operand(b, Class::Int);
        if self.asm.shifts_freely() && !op.rotates() {
            let src = match self.resolve(a) {
                Operand::Slot(slot) => self.rm(slot.0, Class::Int),
                Operand::Const(_) => Rm::Reg(self.operand(a, Class::Int)),
            };
            self.consume_operand(a);
            self.consume_operand(b);
            let reg = self.alloc(Class::Int, Some(dst.0));
            self.asm.shift_freely(op, wide, reg, src, count);
            self.define(reg, dst, Class::Int);
            return;
        }
        let reg = self.take(a, Class::Int, dst.0);
        if reg == RCX {
            self.asm.mov(INT_SCRATCH, reg);
            if count != RCX {
                self.asm.mov(RCX, count);
            }
            self.asm.shift_by_cl(op, wide, INT_SCRATCH);
            self.asm.mov(RCX, INT_SCRATCH);
        } else if count == RCX {
            self.asm.shift_by_cl(op, wide, reg);
        } else {
            let saved = self.state.used().contains(RCX) || self.state.locked.contains(RCX);
            if saved {
                self.asm.mov(INT_SCRATCH, RCX);
            }
            self.asm.mov(RCX, count);
            self.asm.shift_by_cl(op, wide, reg);
            if saved {
                self.asm.mov(RCX, INT_SCRATCH);
            }
        }
        self.consume_operand(b);
        self.define(reg, dst, Class::Int);
    }

    /// Makes a certain register free, and keeps it so for this instruction.
    pub(super) fn claim(&mut self, reg: Reg) {
        if let Some(held) = self.state.held(reg) {
            match self.state.free(held.class, None).filter(|free| *free != reg) {
                Some(free) => {
                    self.asm.mov(free, reg);
                    self.state.release(reg);
                    let locked = self.state.locked;
                    self.state.bind(free, held.slot, held.class, held.dirty);
                    self.state.locked = locked;
                }
                None => {
                    self.spill(reg);
                    self.state.release(reg);
                }
            }
        }
        self.state.lock(reg);
    }

    fn divide(
        &mut self,
        wide: bool,
        signed: bool,
        remainder: bool,
        dst: Slot,
        a: Operand,
        b: Operand,
    ) {
        let known = match self.resolve(b) {
            Operand::Const(value) if wide => Some(value),
            Operand::Const(value) => Some(u64::from(value as u32)),
            Operand::Slot(_) => None,
        };
        if let Some(value) = known
            && !signed
            && value.is_power_of_two()
        {
            self.consume_operand(b);
            let reg = self.take(a, Class::Int, dst.0);
            if !remainder {
                let count = value.trailing_zeros() as u8;
                if count != 0 {
                    self.asm.shift_by(Shift::RightUnsigned, wide, reg, count);
                }
            } else if let Ok(mask) = i32::try_from(value - 1) {
                self.asm.alu_rm_immediate(Alu::And, false, Rm::Reg(reg), mask);
            } else {
                self.asm.constant(INT_SCRATCH, value - 1);
                self.asm.alu(Alu::And, true, reg, Rm::Reg(INT_SCRATCH));
            }
            self.define(reg, dst, Class::Int);
            return;
        }
        if let Some(value) = known
            && !wide
            && value > 1
            && (!signed || value <= i32::MAX as u64)
        {
            self.consume_operand(b);
            return match signed {
                false => self.divide_u32(dst, a, value as u32, remainder),
                true => self.divide_i32(dst, a, value as u32, remainder),
            };
        }
        self.claim(RAX);
        self.claim(RDX);
        let divisor = self.operand(b, Class::Int);
        self.load_into(RAX, a);
        let minus_one = if wide { u64::MAX } else { u64::from(u32::MAX) };
        if known.is_none_or(|value| value == 0) {
            let zero = self.asm.is_zero(divisor, wide);
            self.trap_if(zero, TrapCode::IntegerDivisionByZero);
        }
        let done = self.asm.new_label();
        if signed && known.is_none_or(|value| value == minus_one) {
            let usual = self.asm.new_label();
            self.asm.cmp_immediate(wide, Rm::Reg(divisor), -1);
            self.asm.jcc(Cond::NotEqual, usual);
            if remainder {
                emit!(self.asm, xorl_rm(RDX, Rm::Reg(RDX)));
                self.asm.jump(done);
            } else {
                // Only the smallest number overflows when one is subtracted.
                self.asm.cmp_immediate(wide, Rm::Reg(RAX), 1);
                self.trap_if(Condition::Flag(Cond::Overflow), TrapCode::IntegerOverflow);
            }
            self.asm.bind(usual);
        }
        self.asm.divide(wide, signed, Rm::Reg(divisor));
        self.asm.bind(done);
        self.consume_operand(a);
        self.consume_operand(b);
        self.define(if remainder { RDX } else { RAX }, dst, Class::Int);
    }

    fn divide_u32(&mut self, dst: Slot, a: Operand, divisor: u32, remainder: bool) {
        self.claim(RAX);
        self.claim(RDX);
        let dividend = self.operand(a, Class::Int);
        self.asm.divide_u32(dividend, divisor, remainder);
        self.consume_operand(a);
        self.define(if remainder { RAX } else { RDX }, dst, Class::Int);
    }

    fn divide_i32(&mut self, dst: Slot, a: Operand, divisor: u32, remainder: bool) {
        let dividend = self.operand(a, Class::Int);
        let quotient = self.alloc(Class::Int, None);
        self.asm.divide_i32(quotient, dividend, divisor, remainder);
        self.consume_operand(a);
        self.define(quotient, dst, Class::Int);
    }

    /// An op on one operand.
    pub(super) fn unary(&mut self, op: UnaryOp, dst: Slot, a: Slot) {
        use UnaryOp::*;
        match op {
            I32Clz | I64Clz | I32Ctz | I64Ctz => {
                let (reg, src) = self.unary_operands(dst, a);
                self.asm.count_zeros(op, reg, src);
                self.define(reg, dst, Class::Int);
            }
            I32Popcnt | I64Popcnt if !self.asm.features.popcnt => {
                self.call_handler(&zwasm_regir::Inst::Unary { op, dst, a });
            }
            I32WrapI64 | I32Extend8S | I32Extend16S | I64Extend8S | I64Extend16S | I64Extend32S
            | I64ExtendI32S | I32Popcnt | I64Popcnt => {
                let (reg, src) = self.unary_operands(dst, a);
                if !self.asm.move_changed(op, reg, src) {
                    self.failed = true;
                }
                self.define(reg, dst, Class::Int);
            }
            I64ExtendI32U | I32ReinterpretF32 | I64ReinterpretF64 => {
                let reg = self.take(Operand::Slot(a), Class::Int, dst.0);
                self.define(reg, dst, Class::Int);
            }
            F32ReinterpretI32 | F64ReinterpretI64 => {
                let reg = self.take(Operand::Slot(a), Class::Float, dst.0);
                self.define(reg, dst, Class::Float);
            }
            _ => self.float_unary(op, dst, a),
        }
    }

    /// A new register for `dst`, and the operand it is computed from, consumed.
    fn unary_operands(&mut self, dst: Slot, a: Slot) -> (Reg, Rm) {
        let src = match self.resolve(Operand::Slot(a)) {
            Operand::Slot(slot) => self.rm(slot.0, Class::Int),
            Operand::Const(_) => Rm::Reg(self.operand(Operand::Slot(a), Class::Int)),
        };
        self.consume(a);
        (self.alloc(Class::Int, Some(dst.0)), src)
    }

    /// Compares; the flags tell the result as the condition says. The operands are
    /// consumed.
    pub(super) fn compare_flags(&mut self, op: CompareOp, a: Operand, b: Operand) -> Condition {
        let ty = op.operand();
        if matches!(ty, Type::F32 | Type::F64) {
            return self.float_compare(op, a, b);
        }
        let wide = ty == Type::I64;
        let swap = matches!(self.resolve(a), Operand::Const(_));
        let (op, a, b) = if swap { (op.swap(), b, a) } else { (op, a, b) };
        // Tests of a reference against null leave the reference where it is.
        let keeps = op == CompareOp::I64Eq && self.resolve(b) == Operand::Const(0);
        match self.resolve(b) {
            Operand::Const(value) if immediate(value, wide).is_some() => {
                let value = immediate(value, wide).unwrap_or(0);
                let first = match self.resolve(a) {
                    Operand::Slot(slot) => self.rm(slot.0, Class::Int),
                    Operand::Const(_) => Rm::Reg(self.operand(a, Class::Int)),
                };
                match first {
                    Rm::Reg(reg) if value == 0 => self.asm.test(wide, reg),
                    _ => self.asm.cmp_immediate(wide, first, value),
                }
            }
            _ => {
                let first = self.operand(a, Class::Int);
                let second = match self.resolve(b) {
                    Operand::Slot(slot) => self.rm(slot.0, Class::Int),
                    Operand::Const(_) => Rm::Reg(self.operand(b, Class::Int)),
                };
                self.asm.cmp(wide, first, second);
            }
        }
        if !keeps {
            self.consume_operand(a);
        }
        self.consume_operand(b);
        Condition::Flag(condition(op))
    }

    /// A comparison whose result is wanted as a number.
    pub(super) fn compare_to(&mut self, op: CompareOp, dst: Slot, a: Operand, b: Operand) {
        let condition = self.compare_flags(op, a, b);
        let reg = self.alloc(Class::Int, Some(dst.0));
        self.asm.set(condition, reg);
        self.define(reg, dst, Class::Int);
    }

    /// The flags for a value that is zero or not.
    pub(super) fn test_flags(&mut self, slot: Slot) -> Condition {
        match self.rm(slot.0, Class::Int) {
            Rm::Reg(reg) => emit!(self.asm, testl_mr(Rm::Reg(reg), reg)),
            mem => self.asm.cmp_immediate(false, mem, 0),
        }
        self.consume(slot);
        Condition::Flag(Cond::NotEqual)
    }

    /// `dst = condition ? first : second`.
    pub(super) fn move_if(
        &mut self,
        class: Class,
        dst: Reg,
        first: Reg,
        second: Reg,
        flags: impl FnOnce(&mut Self) -> Condition,
    ) {
        self.asm.mov(dst, second);
        match (flags(self), class) {
            (Condition::Flag(cond), Class::Int) => self.asm.cmov(cond, dst, first),
            (condition, _) => {
                let skip = self.asm.new_label().near();
                self.asm.jump_if(!condition, skip);
                self.asm.mov(dst, first);
                self.asm.bind(skip);
            }
        }
    }
}
