//! Integer arithmetic.

use super::{Address, Data, Inst, Load, Ops, Select, Src};
use crate::isa::x64::integer::Shift;
use crate::isa::x64::{Cond, Condition, INT_SCRATCH, RAX, RCX, RDX, emit};
use crate::isa::{Alu, Primitives, Size};
use crate::lower::machine::{
    read, read_any, read_any_late, read_in, read_late, write, write_early, write_early_in,
    write_in, write_over,
};
use crate::ssa::{InstData, Op, Value};
use regalloc2::VReg;
use zwasm_regir::inst::WideOp;
use zwasm_regir::{BinaryOp, CompareOp, TrapCode, Type, UnaryOp};

use super::regs::preg;

/// Set in the data of a sequence whose operand is in memory.
const MEMORY: u64 = 1 << 32;

/// A comparison of numbers without a sign whose answer the carry flag is, or its opposite.
struct Compared {
    wide: bool,
    a: Value,
    /// One, if it is no value.
    b: Option<Value>,
    /// Whether the answer is that there is a carry.
    carries: bool,
}

impl Select<'_> {
    /// An op on two operands.
    pub(super) fn binary(&mut self, op: BinaryOp, data: &InstData) {
        use BinaryOp::*;
        let wide = op.result() == Type::I64;
        match op {
            I32Add | I64Add => self.add(wide, data),
            I32Sub | I64Sub => self.subtract(wide, data),
            I32And | I64And => self.and(wide, data),
            I32Or | I64Or => self.alu(Alu::Or, wide, data),
            I32Xor | I64Xor => self.xor(wide, data),
            I32Mul | I64Mul => self.multiply(wide, data),
            I32DivS | I64DivS => self.divide(wide, true, false, data),
            I32DivU | I64DivU => self.divide(wide, false, false, data),
            I32RemS | I64RemS => self.divide(wide, true, true, data),
            I32RemU | I64RemU => self.divide(wide, false, true, data),
            I32Shl | I64Shl => self.shift(Shift::Left, wide, data),
            I32ShrS | I64ShrS => self.shift(Shift::RightSigned, wide, data),
            I32ShrU | I64ShrU => self.shift(Shift::RightUnsigned, wide, data),
            I32Rotl | I64Rotl => self.shift(Shift::RotateLeft, wide, data),
            I32Rotr | I64Rotr => self.shift(Shift::RotateRight, wide, data),
            F32Add | F32Sub | F32Mul | F32Div | F32Min | F32Max | F32Copysign | F64Add | F64Sub
            | F64Mul | F64Div | F64Min | F64Max | F64Copysign => self.float_binary(op, data),
        }
    }

    /// A register with an operand of an op of this width.
    pub(super) fn operand(&mut self, value: Value, wide: bool) -> VReg {
        if wide { self.reg(value) } else { self.reg_32(value) }
    }

    /// Operands in the order that needs the fewest instructions, if their order is free:
    /// what can be part of the instruction second, what can be overwritten first.
    pub(super) fn ordered(&self, wide: bool, a: Value, b: Value) -> (Value, Value) {
        let size = if wide { Size::B8 } else { Size::B4 };
        let fits = |value| self.immediate(value, wide).is_some() || self.can_take(value, size);
        let swap = if fits(b) { false } else { fits(a) || self.is_kept(a) && !self.is_kept(b) };
        if swap { (b, a) } else { (a, b) }
    }

    /// Whether a value is wanted elsewhere.
    pub(super) fn is_kept(&self, value: Value) -> bool {
        !self.facts.is_single(value)
    }

    /// `op(a, b)`, the result over the first.
    pub(super) fn alu(&mut self, op: Alu, wide: bool, data: &InstData) {
        let (mut a, mut b) = (data.args[0], data.args[1]);
        if op != Alu::Sub {
            (a, b) = self.ordered(wide, a, b);
        }
        let dst = self.result(data);
        let first = self.operand(a, wide);
        let mut ops = Ops::of(&[write_over(dst, 1), read(first)]);
        let src = self.src(b, wide, &mut ops);
        self.put_ops(Inst::Alu { op, wide, src }, &ops);
    }

    /// Sums have three operands where the first is wanted elsewhere.
    fn add(&mut self, wide: bool, data: &InstData) {
        if self.with_carry(Alu::Add, wide, data) {
            return;
        }
        let (a, b) = self.ordered(wide, data.args[0], data.args[1]);
        if let Some(disp) = self.immediate(b, wide) {
            if self.is_kept(a) {
                return self.lea(wide, data, a, None, disp);
            }
        } else if let Some((index, scale)) = self.scaled(b, wide) {
            return self.lea(wide, data, a, Some((index, scale)), 0);
        } else if let Some((index, scale)) = self.scaled(a, wide) {
            return self.lea(wide, data, b, Some((index, scale)), 0);
        } else if self.is_kept(a)
            && self.is_kept(b)
            && !self.can_take(b, if wide { Size::B8 } else { Size::B4 })
        {
            return self.lea(wide, data, a, Some((b, 0)), 0);
        }
        self.alu(Alu::Add, wide, data);
    }

    /// What a value is that many times, if it is a small power of two.
    fn scaled(&self, value: Value, wide: bool) -> Option<(Value, u8)> {
        let InstData { op, args, .. } = self.single_def(value)?;
        match (op, wide) {
            (Op::Binary(BinaryOp::I32Shl), false) | (Op::Binary(BinaryOp::I64Shl), true) => {
                let count = self.func.constant(self.facts.root(args[1]))?;
                (1..=3).contains(&count).then_some((args[0], count as u8))
            }
            _ => None,
        }
    }

    fn lea(
        &mut self,
        wide: bool,
        data: &InstData,
        base: Value,
        index: Option<(Value, u8)>,
        disp: i32,
    ) {
        let dst = self.result(data);
        let base = self.operand(base, wide);
        let mut ops = Ops::of(&[write(dst), read(base)]);
        let mut address = Address::operand(disp);
        if let Some((index, scale)) = index {
            let index = self.operand(index, wide);
            ops.push(read(index));
            address.scale = Some(scale);
        }
        self.put_ops(Inst::Lea { wide, address }, &ops);
    }

    /// A sum or difference with the answer of a comparison that the carry flag tells, as
    /// carries and borrows of numbers with several words are written; whether it is one.
    fn with_carry(&mut self, op: Alu, wide: bool, data: &InstData) -> bool {
        let [a, b] = data.args[..] else { return false };
        let (other, compared) = match (self.carry(b), self.carry(a)) {
            (Some(compared), _) => (a, compared),
            (None, Some(compared)) if op == Alu::Add => (b, compared),
            _ => return false,
        };
        let dst = self.result(data);
        // Of a sum of three the carry is added with the second.
        let inner = match self.single_def(other) {
            Some(InstData { op: Op::Binary(inner), args, .. }) => match (op, inner, wide) {
                (Alu::Add, BinaryOp::I32Add, false)
                | (Alu::Add, BinaryOp::I64Add, true)
                | (Alu::Sub, BinaryOp::I32Sub, false)
                | (Alu::Sub, BinaryOp::I64Sub, true) => Some((args[0], args[1])),
                _ => None,
            },
            _ => None,
        };
        let inner = inner.filter(|_| compared.carries);
        let (first, second) = inner.map_or((other, None), |(first, second)| (first, Some(second)));
        let first = self.operand(first, wide);
        let second = second.map(|second| self.operand(second, wide));
        let known = compared.b.and_then(|b| self.immediate(b, compared.wide));
        let byte = known.and_then(|with| self.byte_of(compared.a, compared.wide, with));
        let left = self.operand(byte.unwrap_or(compared.a), compared.wide);
        let mut ops = Ops::of(&[read(left)]);
        let right = match compared.b {
            Some(b) => self.src(b, compared.wide, &mut ops),
            None => Src::Imm(1),
        };
        let size = match (byte, compared.wide) {
            (Some(_), _) => Size::B1,
            (None, false) => Size::B4,
            (None, true) => Size::B8,
        };
        self.put_ops(Inst::Cmp { size, a: Src::Operand, b: right }, &ops);
        let mut ops = Ops::of(&[write_over(dst, 1), read(first)]);
        second.into_iter().for_each(|second| ops.push(read(second)));
        let bits = u64::from(wide)
            | u64::from((op == Alu::Sub) == compared.carries) << 1
            | u64::from(second.is_some()) << 2
            | u64::from(!compared.carries) << 3;
        let sequence: super::Sequence = |e, regs, data| {
            let bit = |index: u64| data.bits >> index & 1 != 0;
            let dst = regs.over();
            if bit(2) {
                let src = regs.reg();
                match (bit(0), bit(1)) {
                    (false, false) => emit!(e.asm, adcl_rm(dst, src)),
                    (true, false) => emit!(e.asm, adcq_rm(dst, src)),
                    (false, true) => emit!(e.asm, sbbl_rm(dst, src)),
                    (true, true) => emit!(e.asm, sbbq_rm(dst, src)),
                }
                return;
            }
            let value = if bit(3) { -1i8 } else { 0 };
            match (bit(0), bit(1)) {
                (false, false) => emit!(e.asm, adcl_mi_sxb(dst, value)),
                (true, false) => emit!(e.asm, adcq_mi_sxb(dst, value)),
                (false, true) => emit!(e.asm, sbbl_mi_sxb(dst, value)),
                (true, true) => emit!(e.asm, sbbq_mi_sxb(dst, value)),
            }
        };
        self.put_ops(Inst::Plain(sequence, Data::bits(bits)), &ops);
        true
    }

    /// What a value is the answer of that the carry flag tells, if nobody else wants it.
    fn carry(&self, value: Value) -> Option<Compared> {
        let InstData { op: Op::Compare(op), args, .. } = self.single_def(value)? else {
            return None;
        };
        let wide = op.operand() == Type::I64;
        let (a, b) = (args[0], args[1]);
        let (a, b, carries) = match op {
            CompareOp::I32LtU | CompareOp::I64LtU => (a, Some(b), true),
            CompareOp::I32GtU | CompareOp::I64GtU => (b, Some(a), true),
            CompareOp::I32GeU | CompareOp::I64GeU => (a, Some(b), false),
            CompareOp::I32LeU | CompareOp::I64LeU => (b, Some(a), false),
            // Zero alone is less than one.
            CompareOp::I32Eq | CompareOp::I64Eq if self.immediate(b, wide) == Some(0) => {
                (a, None, true)
            }
            CompareOp::I32Ne | CompareOp::I64Ne if self.immediate(b, wide) == Some(0) => {
                (a, None, false)
            }
            _ => return None,
        };
        Some(Compared { wide, a, b, carries })
    }

    fn subtract(&mut self, wide: bool, data: &InstData) {
        let (a, b) = (data.args[0], data.args[1]);
        if self.with_carry(Alu::Sub, wide, data) {
            return;
        }
        if self.immediate(a, wide) == Some(0) {
            let dst = self.result(data);
            let src = self.operand(b, wide);
            return self.put(Inst::Negate { wide }, &[write_over(dst, 1), read(src)]);
        }
        match self.immediate(b, wide).and_then(i32::checked_neg) {
            Some(disp) if self.is_kept(a) => self.lea(wide, data, a, None, disp),
            _ => self.alu(Alu::Sub, wide, data),
        }
    }

    fn xor(&mut self, wide: bool, data: &InstData) {
        let (a, b) = self.ordered(wide, data.args[0], data.args[1]);
        if self.immediate(b, wide) == Some(-1) {
            let dst = self.result(data);
            let src = self.operand(a, wide);
            return self.put(Inst::Not { wide }, &[write_over(dst, 1), read(src)]);
        }
        self.alu(Alu::Xor, wide, data);
    }

    fn and(&mut self, wide: bool, data: &InstData) {
        let (a, b) = self.ordered(wide, data.args[0], data.args[1]);
        let mask = self.func.constant(self.facts.root(b));
        let load = match mask {
            Some(0xFF) => Some(Load::Zero(Size::B1)),
            Some(0xFFFF) => Some(Load::Zero(Size::B2)),
            Some(0xFFFF_FFFF) if wide => Some(Load::Zero(Size::B4)),
            _ => None,
        };
        if let Some(load) = load {
            let dst = self.result(data);
            let src = self.operand(a, wide);
            return self.put(Inst::Load { load, src: Src::Operand }, &[write(dst), read(src)]);
        }
        // The upper half of the result is zero either way.
        if let Some(mask) = mask.filter(|mask| wide && i32::try_from(*mask).is_ok()) {
            let dst = self.result(data);
            let src = self.reg(a);
            let inst = Inst::Alu { op: Alu::And, wide: false, src: Src::Imm(mask as i32) };
            return self.put(inst, &[write_over(dst, 1), read(src)]);
        }
        if self.features.bmi1 {
            if let Some(inverted) = self.inverted(b, wide) {
                return self.and_not(wide, data, inverted, a);
            }
            if let Some(inverted) = self.inverted(a, wide) {
                return self.and_not(wide, data, inverted, b);
            }
        }
        self.alu(Alu::And, wide, data);
    }

    /// What a value is the complement of.
    fn inverted(&self, value: Value, wide: bool) -> Option<Value> {
        let InstData { op, args, .. } = self.single_def(value)?;
        let is_xor = match op {
            Op::Binary(BinaryOp::I32Xor) => !wide,
            Op::Binary(BinaryOp::I64Xor) => wide,
            _ => false,
        };
        (is_xor && self.immediate(args[1], wide) == Some(-1)).then(|| args[0])
    }

    fn and_not(&mut self, wide: bool, data: &InstData, inverted: Value, other: Value) {
        let dst = self.result(data);
        let inverted = self.operand(inverted, wide);
        let other = self.operand(other, wide);
        self.plain(
            |e, regs, data| {
                let (dst, inverted, other) = (regs.reg(), regs.reg(), regs.reg());
                match data.bits != 0 {
                    false => emit!(e.asm, andnl_rvm(dst, inverted, other)),
                    true => emit!(e.asm, andnq_rvm(dst, inverted, other)),
                }
            },
            Data::bits(wide.into()),
            &[write(dst), read(inverted), read(other)],
        );
    }

    fn multiply(&mut self, wide: bool, data: &InstData) {
        let (a, b) = self.ordered(wide, data.args[0], data.args[1]);
        let dst = self.result(data);
        let Some(by) = self.immediate(b, wide) else {
            let first = self.operand(a, wide);
            let mut ops = Ops::of(&[write_over(dst, 1), read(first)]);
            let src = self.src(b, wide, &mut ops);
            return self.put_ops(Inst::Mul { wide, src }, &ops);
        };
        if by > 0 && by.count_ones() == 1 {
            let src = self.operand(a, wide);
            let count = by.trailing_zeros() as u8;
            let inst = Inst::Shift { op: Shift::Left, wide, count };
            return self.put(inst, &[write_over(dst, 1), read(src)]);
        }
        if let 3 | 5 | 9 = by {
            let src = self.operand(a, wide);
            let address = Address::indexed((by - 1).trailing_zeros() as u8, 0);
            return self.put(Inst::Lea { wide, address }, &[write(dst), read(src), read(src)]);
        }
        let mut ops = Ops::of(&[write(dst)]);
        let size = if wide { Size::B8 } else { Size::B4 };
        let src = self.src_rm(a, size, &mut ops);
        self.put_ops(Inst::MulImm { wide, src, by }, &ops);
    }

    fn shift(&mut self, op: Shift, wide: bool, data: &InstData) {
        let (a, count) = (data.args[0], data.args[1]);
        let dst = self.result(data);
        if let Some(count) = self.func.constant(self.facts.root(count)) {
            let src = self.operand(a, wide);
            let bits = if wide { 64 } else { 32 };
            let count = count as u8 & (bits - 1);
            if self.features.bmi2 && op.rotates() {
                let right = if let Shift::RotateLeft = op { (bits - count) % bits } else { count };
                return self.plain(
                    |e, regs, data| {
                        let (dst, src, count) = (regs.reg(), regs.reg(), data.bits as u8);
                        match data.bits >> 8 != 0 {
                            false => emit!(e.asm, rorxl_rmi(dst, src, count)),
                            true => emit!(e.asm, rorxq_rmi(dst, src, count)),
                        }
                    },
                    Data::bits(u64::from(right) | u64::from(wide) << 8),
                    &[write(dst), read(src)],
                );
            }
            let inst = Inst::Shift { op, wide, count };
            return self.put(inst, &[write_over(dst, 1), read(src)]);
        }
        let count = self.masked(count, wide);
        let count = self.reg_32(count);
        if self.features.bmi2 && !op.rotates() {
            let mut ops = Ops::of(&[write(dst), read(count)]);
            let src = self.src_rm(a, if wide { Size::B8 } else { Size::B4 }, &mut ops);
            return self.put_ops(Inst::ShiftAny { op, wide, src }, &ops);
        }
        let src = self.operand(a, wide);
        let operands = [write_over(dst, 1), read(src), read_in(count, preg(RCX))];
        self.put(Inst::ShiftBy { op, wide }, &operands);
    }

    /// A count without a mask that changes nothing, as the processor masks it.
    fn masked(&self, count: Value, wide: bool) -> Value {
        match self.single_def(count) {
            Some(InstData {
                op: Op::Binary(BinaryOp::I32And | BinaryOp::I64And), args, ..
            }) => {
                let mask = self.func.constant(self.facts.root(args[1]));
                let all = if wide { 63 } else { 31 };
                if mask.is_some_and(|mask| mask & all == all) { args[0] } else { count }
            }
            _ => count,
        }
    }

    fn divide(&mut self, wide: bool, signed: bool, remainder: bool, data: &InstData) {
        let (a, b) = (data.args[0], data.args[1]);
        let known = self.func.constant(self.facts.root(b));
        let known = known.map(|value| if wide { value } else { u64::from(value as u32) });
        let dst = self.result(data);
        let dividend = self.operand(a, wide);
        let divisor = self.operand(b, wide);
        let (lost, rax, rdx) = (self.fresh(Type::I64), preg(RAX), preg(RDX));
        let (quotient, rest) = if remainder {
            (write_in(lost, rax), write_early_in(dst, rdx))
        } else {
            (write_in(dst, rax), write_early_in(lost, rdx))
        };
        let operands = [quotient, rest, read_in(dividend, rax), read_late(divisor)];
        // Constants need not be looked at.
        let minus_one = if wide { u64::MAX } else { u64::from(u32::MAX) };
        let may_be_zero = known.is_none_or(|value| value == 0);
        let may_overflow = signed && known.is_none_or(|value| value == minus_one);
        let bits = u64::from(wide)
            | u64::from(signed) << 1
            | u64::from(remainder) << 2
            | u64::from(may_be_zero) << 3
            | u64::from(may_overflow) << 4;
        self.sequence(
            |e, regs, data| {
                let bit = |index: u64| data.bits >> index & 1 != 0;
                let (wide, signed, remainder) = (bit(0), bit(1), bit(2));
                let (_, _, _) = (regs.reg(), regs.reg(), regs.reg());
                let divisor = regs.reg();
                if bit(3) {
                    e.asm.test(wide, divisor);
                    e.trap_if(Condition::Flag(Cond::Equal), TrapCode::IntegerDivisionByZero);
                }
                let done = e.asm.new_label();
                if bit(4) {
                    let usual = e.asm.new_label();
                    e.asm.cmp_immediate(wide, divisor.into(), -1);
                    e.asm.jcc(Cond::NotEqual, usual);
                    if remainder {
                        emit!(e.asm, xorl_rm(RDX, RDX));
                        e.asm.jump(done);
                    } else {
                        // Only the smallest number overflows when one is subtracted.
                        e.asm.cmp_immediate(wide, RAX.into(), 1);
                        e.trap_if(Condition::Flag(Cond::Overflow), TrapCode::IntegerOverflow);
                    }
                    e.asm.bind(usual);
                }
                e.asm.divide(wide, signed, divisor.into());
                e.asm.bind(done);
            },
            Data::bits(bits),
            &operands,
        );
    }

    pub(super) fn byte_swap(&mut self, data: &InstData) {
        let wide = self.func.ty(data.results[0]) == Type::I64;
        let dst = self.result(data);
        let src = self.operand(data.args[0], wide);
        self.plain(
            |e, regs, data| {
                let dst = regs.over();
                match data.bits != 0 {
                    false => emit!(e.asm, bswapl_o(dst)),
                    true => emit!(e.asm, bswapq_o(dst)),
                }
            },
            Data::bits(wide.into()),
            &[write_over(dst, 1), read(src)],
        );
    }

    /// The same in another register, or the same register where the operand is not needed
    /// any more.
    pub(super) fn copy(&mut self, data: &InstData) {
        let dst = self.result(data);
        let src = self.reg(data.args[0]);
        self.put(Inst::Copy, &[write_over(dst, 1), read(src)]);
    }

    /// An op on one operand.
    pub(super) fn unary(&mut self, op: UnaryOp, data: &InstData) {
        use UnaryOp::*;
        match op {
            // Whoever reads it reads the operand.
            I64ExtendI32U => {}
            I32WrapI64 | I32Extend8S | I32Extend16S | I64Extend8S | I64Extend16S | I64Extend32S
            | I64ExtendI32S | I32Clz | I64Clz | I32Ctz | I64Ctz => self.moved(op, data),
            I32Popcnt | I64Popcnt if self.features.popcnt => self.moved(op, data),
            I32Popcnt | I64Popcnt => self.count_ones(op == I64Popcnt, data),
            I32ReinterpretF32 | I64ReinterpretF64 | F32ReinterpretI32 | F64ReinterpretI64 => {
                let dst = self.result(data);
                let src = self.reg(data.args[0]);
                self.put(Inst::Move, &[write(dst), read(src)]);
            }
            _ => self.float_unary(op, data),
        }
    }

    /// A move with a change.
    fn moved(&mut self, op: UnaryOp, data: &InstData) {
        use UnaryOp::*;
        let dst = self.result(data);
        let mut ops = Ops::of(&[write(dst)]);
        let size = if op.operand() == Type::I64 { Size::B8 } else { Size::B4 };
        let part = matches!(
            op,
            I32WrapI64 | I32Extend8S | I32Extend16S | I64Extend8S | I64Extend16S | I64Extend32S
        );
        let src = if part {
            // All of what is loaded is read, as any byte of it may be out of bounds.
            ops.push(read(self.reg(data.args[0])));
            Src::Operand
        } else {
            self.src_rm(data.args[0], size, &mut ops)
        };
        let bits = op as u64;
        let data = match src {
            Src::Mem(address) => Data { bits: bits | MEMORY, address },
            Src::Operand | Src::Imm(_) | Src::Label(_) => Data::bits(bits),
        };
        let sequence: super::Sequence = |e, regs, data| {
            let dst = regs.reg();
            let src = match data.bits & MEMORY {
                0 => regs.rm(),
                _ => regs.mem(data.address).into(),
            };
            let op = UnaryOp::ALL[(data.bits & !MEMORY) as usize];
            if !e.asm.move_changed(op, dst, src) {
                e.asm.count_zeros(op, dst, src);
            }
        };
        let inst = match op {
            // They may have to put something in its place for zero.
            UnaryOp::I32Clz | UnaryOp::I64Clz | UnaryOp::I32Ctz | UnaryOp::I64Ctz => {
                Inst::Seq(sequence, data)
            }
            _ => Inst::Plain(sequence, data),
        };
        self.put_ops(inst, &ops);
    }

    /// Counts ones in ever longer groups of bits (Warren, "Hacker's Delight", 5-1).
    fn count_ones(&mut self, wide: bool, data: &InstData) {
        let dst = self.result(data);
        let src = self.reg(data.args[0]);
        let other = self.fresh(Type::I64);
        self.sequence(
            |e, regs, data| {
                let wide = data.bits != 0;
                let (dst, src, other) = (regs.reg(), regs.reg(), regs.reg());
                let mask = |pattern: u64| if wide { pattern } else { pattern as u32 as u64 };
                let asm = &mut e.asm;
                // dst = src - (src >> 1 & 0101..)
                asm.mov(other, src);
                asm.shift_by(Shift::RightUnsigned, wide, other, 1);
                asm.constant(INT_SCRATCH, mask(0x5555_5555_5555_5555));
                asm.alu(Alu::And, wide, other, INT_SCRATCH.into());
                asm.mov(dst, src);
                asm.alu(Alu::Sub, wide, dst, other.into());
                // dst = (dst & 0011..) + (dst >> 2 & 0011..)
                asm.constant(INT_SCRATCH, mask(0x3333_3333_3333_3333));
                asm.mov(other, dst);
                asm.alu(Alu::And, wide, dst, INT_SCRATCH.into());
                asm.shift_by(Shift::RightUnsigned, wide, other, 2);
                asm.alu(Alu::And, wide, other, INT_SCRATCH.into());
                asm.alu(Alu::Add, wide, dst, other.into());
                // dst = dst + (dst >> 4) & 00001111..
                asm.mov(other, dst);
                asm.shift_by(Shift::RightUnsigned, wide, other, 4);
                asm.alu(Alu::Add, wide, dst, other.into());
                asm.constant(INT_SCRATCH, mask(0x0F0F_0F0F_0F0F_0F0F));
                asm.alu(Alu::And, wide, dst, INT_SCRATCH.into());
                // The sum of the bytes, in the uppermost.
                asm.constant(INT_SCRATCH, mask(0x0101_0101_0101_0101));
                asm.multiply(wide, dst, INT_SCRATCH.into());
                asm.shift_by(Shift::RightUnsigned, wide, dst, if wide { 56 } else { 24 });
            },
            Data::bits(wide.into()),
            &[write_early(dst), read(src), write_early(other)],
        );
    }

    /// Ops on 128 bits.
    pub(super) fn wide(&mut self, op: WideOp, data: &InstData) {
        let low = self.vreg(data.results[0]);
        let high = self.vreg(data.results[1]);
        match op {
            WideOp::Add128 | WideOp::Sub128 => {
                let [a, b, c, d] = [0, 1, 2, 3].map(|index| self.reg(data.args[index]));
                self.plain(
                    |e, regs, data| {
                        let (low, high) = (regs.over(), regs.over());
                        let (c, d) = (regs.rm(), regs.rm());
                        if data.bits == 0 {
                            e.asm.alu(Alu::Add, true, low, c);
                            emit!(e.asm, adcq_rm(high, d));
                        } else {
                            e.asm.alu(Alu::Sub, true, low, c);
                            emit!(e.asm, sbbq_rm(high, d));
                        }
                    },
                    Data::bits((op == WideOp::Sub128).into()),
                    &[
                        write_over(low, 1),
                        read(a),
                        write_over(high, 3),
                        read(b),
                        read_any(c),
                        // It may be what the lower half overwrites.
                        read_any_late(d),
                    ],
                );
            }
            WideOp::MulWideS | WideOp::MulWideU => {
                let [a, b] = [0, 1].map(|index| self.reg(data.args[index]));
                let (rax, rdx) = (preg(RAX), preg(RDX));
                self.plain(
                    |e, regs, data| {
                        let (_, _, _) = (regs.reg(), regs.reg(), regs.reg());
                        let factor = regs.rm();
                        e.asm.multiply_wide(data.bits != 0, factor);
                    },
                    Data::bits((op == WideOp::MulWideS).into()),
                    &[write_in(low, rax), write_in(high, rdx), read_in(a, rax), read_any(b)],
                );
            }
        }
    }
}
