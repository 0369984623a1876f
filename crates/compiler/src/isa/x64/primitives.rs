//! The primitives: an instruction or a short sequence each.

use super::assembler::{Assembler, Cond, Shown, emit, patch};
use super::*;
use crate::asm::{AsmLabel, Buffer, Finished, Mem, OutOfReach, Rm, at};
use crate::code::{Field, TypeForm, Value};
use crate::isa::{Alu, Primitives, Relation, Shift, Size, TypeWord, without};
use crate::target::Features;
use crate::tuning::{CLEARS_INLINE, MOVES_INLINE};
use std::fmt::Write as _;

/// What the flags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Flag(Cond),
    /// After a comparison of floats.
    OrderedEqual,
    /// After a comparison of floats.
    NotEqualOrUnordered,
}

impl std::ops::Not for Condition {
    type Output = Condition;

    fn not(self) -> Condition {
        match self {
            Condition::Flag(cond) => Condition::Flag(cond.not()),
            Condition::OrderedEqual => Condition::NotEqualOrUnordered,
            Condition::NotEqualOrUnordered => Condition::OrderedEqual,
        }
    }
}

fn flag(relation: Relation) -> Condition {
    Condition::Flag(match relation {
        Relation::Equal => Cond::Equal,
        Relation::NotEqual => Cond::NotEqual,
        Relation::Above => Cond::Above,
        Relation::AboveOrEqual => Cond::AboveOrEqual,
    })
}

impl Shown for TypeWord {
    fn show(&self, out: &mut String) {
        let _ = match self.form {
            TypeForm::Number => write!(out, "type {}", self.index),
            TypeForm::Header => write!(out, "header of type {}", self.index),
        };
    }
}

impl Assembler {
    /// `dst = dst op value`.
    pub(crate) fn alu_rm_immediate(&mut self, op: Alu, wide: bool, dst: Rm, value: i32) {
        if let Ok(byte) = i8::try_from(value) {
            match (op, wide) {
                (Alu::Add, false) => emit!(*self, addl_mi_sxb(dst, byte)),
                (Alu::Add, true) => emit!(*self, addq_mi_sxb(dst, byte)),
                (Alu::Sub, false) => emit!(*self, subl_mi_sxb(dst, byte)),
                (Alu::Sub, true) => emit!(*self, subq_mi_sxb(dst, byte)),
                (Alu::And, false) => emit!(*self, andl_mi_sxb(dst, byte)),
                (Alu::And, true) => emit!(*self, andq_mi_sxb(dst, byte)),
                (Alu::Or, false) => emit!(*self, orl_mi_sxb(dst, byte)),
                (Alu::Or, true) => emit!(*self, orq_mi_sxb(dst, byte)),
                (Alu::Xor, false) => emit!(*self, xorl_mi_sxb(dst, byte)),
                (Alu::Xor, true) => emit!(*self, xorq_mi_sxb(dst, byte)),
            }
            return;
        }
        let unsigned = value as u32;
        match (op, wide) {
            (Alu::Add, false) => emit!(*self, addl_mi(dst, unsigned)),
            (Alu::Add, true) => emit!(*self, addq_mi_sxl(dst, value)),
            (Alu::Sub, false) => emit!(*self, subl_mi(dst, unsigned)),
            (Alu::Sub, true) => emit!(*self, subq_mi_sxl(dst, value)),
            (Alu::And, false) => emit!(*self, andl_mi(dst, unsigned)),
            (Alu::And, true) => emit!(*self, andq_mi_sxl(dst, value)),
            (Alu::Or, false) => emit!(*self, orl_mi(dst, unsigned)),
            (Alu::Or, true) => emit!(*self, orq_mi_sxl(dst, value)),
            (Alu::Xor, false) => emit!(*self, xorl_mi(dst, unsigned)),
            (Alu::Xor, true) => emit!(*self, xorq_mi_sxl(dst, value)),
        }
    }

    /// Compares.
    pub(crate) fn cmp(&mut self, wide: bool, a: Reg, b: Rm) {
        match wide {
            false => emit!(*self, cmpl_rm(a, b)),
            true => emit!(*self, cmpq_rm(a, b)),
        }
    }

    /// Compares with a constant.
    pub(crate) fn cmp_immediate(&mut self, wide: bool, a: Rm, value: i32) {
        match (i8::try_from(value), wide) {
            (Ok(byte), false) => emit!(*self, cmpl_mi_sxb(a, byte)),
            (Ok(byte), true) => emit!(*self, cmpq_mi_sxb(a, byte)),
            (Err(_), false) => emit!(*self, cmpl_mi(a, value as u32)),
            (Err(_), true) => emit!(*self, cmpq_mi(a, value)),
        }
    }

    /// Compares a register with zero.
    pub(crate) fn test(&mut self, wide: bool, reg: Reg) {
        match wide {
            false => emit!(*self, testl_mr(Rm::Reg(reg), reg)),
            true => emit!(*self, testq_mr(Rm::Reg(reg), reg)),
        }
    }

    /// Compares floats.
    pub(crate) fn compare_floats(&mut self, single: bool, a: Reg, b: Rm) {
        match single {
            true => emit!(*self, ucomiss_a(a, b)),
            false => emit!(*self, ucomisd_a(a, b)),
        }
    }

    /// The last four bytes, an instruction's, are a type.
    fn ends_in_type(&mut self, word: TypeWord) {
        let value = Value::Type(word.index, word.form);
        let at = self.offset() - 4;
        self.relocate(at, Field::Word32, value);
    }
}

impl Primitives for Assembler {
    const VMCTX: Reg = RDI;
    const FRAME: Reg = FRAME;
    const MEMORY: Reg = R8;
    const MEMORY_LEN: Reg = R9;
    const IP: Reg = RDX;
    const ACC: Reg = RCX;
    const BODY: Reg = RAX;
    const CALLEE_FRAME: Reg = R10;
    const SPARE: Reg = RBX;
    // Those that shifts and divisions need come last.
    const INT_REGS: &'static [Reg] = &[RBX, RBP, R10, R12, R13, R14, R15, RAX, RDX, RCX];
    const METERED_INT_REGS: &'static [Reg] =
        &without::<{ Self::INT_REGS.len() - 1 }>(Self::INT_REGS, Self::FUEL);
    const FUEL: Reg = R15;
    const RESUME: Reg = INT_SCRATCH;
    const FLOAT_REGS: &'static [Reg] = &[
        Reg::vector(0),
        Reg::vector(1),
        Reg::vector(2),
        Reg::vector(3),
        Reg::vector(4),
        Reg::vector(5),
        Reg::vector(6),
        Reg::vector(7),
        Reg::vector(8),
        Reg::vector(9),
        Reg::vector(10),
        Reg::vector(11),
        Reg::vector(12),
        Reg::vector(13),
        Reg::vector(14),
    ];
    const INT_SCRATCH: Reg = INT_SCRATCH;
    const FLOAT_SCRATCH: Reg = FLOAT_SCRATCH;

    type Condition = Condition;

    fn new(features: Features, far: bool, listing: bool) -> Assembler {
        Assembler { buffer: Buffer::new(listing), features, far }
    }

    fn finish(self) -> Result<Finished, OutOfReach> {
        self.buffer.finish(patch)
    }

    fn mov(&mut self, dst: Reg, src: Reg) {
        match (dst.is_vector(), src.is_vector()) {
            (false, false) => emit!(*self, movq_mr(Rm::Reg(dst), src)),
            (true, true) => emit!(*self, movaps_a(dst, Rm::Reg(src))),
            (true, false) => emit!(*self, movq_a(dst, Rm::Reg(src))),
            (false, true) => emit!(*self, movq_b(Rm::Reg(dst), src)),
        }
    }

    fn narrow(&mut self, dst: Reg, src: Reg) {
        emit!(*self, movl_rm(dst, Rm::Reg(src)));
    }

    fn constant(&mut self, dst: Reg, value: u64) {
        if dst.is_vector() {
            if value == 0 {
                emit!(*self, xorps_a(dst, Rm::Reg(dst)));
            } else {
                self.constant(INT_SCRATCH, value);
                self.mov(dst, INT_SCRATCH);
            }
        } else if let Ok(value) = u32::try_from(value) {
            emit!(*self, movl_oi(dst, value));
        } else if let Ok(value) = i32::try_from(value as i64) {
            emit!(*self, movq_mi_sxl(Rm::Reg(dst), value));
        } else {
            emit!(*self, movabsq_oi(dst, value));
        }
    }

    fn type_constant(&mut self, dst: Reg, word: TypeWord) {
        emit!(*self, movl_oi(dst, word));
        self.ends_in_type(word);
    }

    fn load(&mut self, dst: Reg, mem: Mem, size: Size) {
        let src = Rm::Mem(mem);
        match (size, dst.is_vector()) {
            (Size::B1, _) => emit!(*self, movzbl_rm(dst, src)),
            (Size::B2, _) => emit!(*self, movzwl_rm(dst, src)),
            (Size::B4, false) => emit!(*self, movl_rm(dst, src)),
            (Size::B4, true) => emit!(*self, movss_a_m(dst, mem)),
            (Size::B8, false) => emit!(*self, movq_rm(dst, src)),
            (Size::B8, true) => emit!(*self, movsd_a_m(dst, mem)),
            (Size::B16, _) => emit!(*self, movups_a(dst, src)),
        }
    }

    fn load_signed(&mut self, dst: Reg, mem: Mem, size: Size, wide: bool) {
        let src = Rm::Mem(mem);
        match (size, wide) {
            (Size::B1, false) => emit!(*self, movsbl_rm(dst, src)),
            (Size::B1, true) => emit!(*self, movsbq_rm(dst, src)),
            (Size::B2, false) => emit!(*self, movswl_rm(dst, src)),
            (Size::B2, true) => emit!(*self, movswq_rm(dst, src)),
            (_, false) => emit!(*self, movl_rm(dst, src)),
            (_, true) => emit!(*self, movslq_rm(dst, src)),
        }
    }

    fn store(&mut self, mem: Mem, src: Reg, size: Size) {
        let dst = Rm::Mem(mem);
        match (size, src.is_vector()) {
            (Size::B1, _) => emit!(*self, movb_mr(dst, src)),
            (Size::B2, _) => emit!(*self, movw_mr(dst, src)),
            (Size::B4, false) => emit!(*self, movl_mr(dst, src)),
            (Size::B4, true) => emit!(*self, movss_c_m(mem, src)),
            (Size::B8, false) => emit!(*self, movq_mr(dst, src)),
            (Size::B8, true) => emit!(*self, movsd_c_m(mem, src)),
            (Size::B16, _) => emit!(*self, movups_b(dst, src)),
        }
    }

    fn can_store(&self, value: u64, size: Size) -> bool {
        size != Size::B8 || i32::try_from(value as i64).is_ok()
    }

    fn store_constant(&mut self, mem: Mem, value: u64, size: Size) {
        let dst = Rm::Mem(mem);
        match size {
            Size::B1 => emit!(*self, movb_mi(dst, value as u8)),
            Size::B2 => emit!(*self, movw_mi(dst, value as u16)),
            Size::B4 => emit!(*self, movl_mi(dst, value as u32)),
            Size::B8 | Size::B16 => match i32::try_from(value as i64) {
                Ok(value) => emit!(*self, movq_mi_sxl(dst, value)),
                Err(_) => {
                    self.constant(INT_SCRATCH, value);
                    emit!(*self, movq_mr(dst, INT_SCRATCH));
                }
            },
        }
    }

    fn store_type(&mut self, mem: Mem, word: TypeWord) {
        emit!(*self, movl_mi(Rm::Mem(mem), word));
        self.ends_in_type(word);
    }

    fn copy_words(&mut self, base: Reg, dst: i32, src: i32, count: u32) {
        // One by one: they were just written one by one, and a wider load would have to
        // wait for that.
        if count <= MOVES_INLINE {
            for index in 0..count as i32 {
                self.load(INT_SCRATCH, at(base, src + index * 8), Size::B8);
                self.store(at(base, dst + index * 8), INT_SCRATCH, Size::B8);
            }
            return;
        }
        // The index runs from below zero to the end of the words.
        let behind = |first: i32| {
            let disp = first + (count * 8) as i32;
            Mem { base, index: Some((INT_SCRATCH, 3)), disp }
        };
        let top = self.new_label();
        emit!(*self, movq_mi_sxl(Rm::Reg(INT_SCRATCH), -(count as i32)));
        self.bind(top);
        self.load(FLOAT_SCRATCH, behind(src), Size::B8);
        self.store(behind(dst), FLOAT_SCRATCH, Size::B8);
        emit!(*self, addq_mi_sxl(Rm::Reg(INT_SCRATCH), 1i32));
        self.jcc(Cond::NotEqual, top);
    }

    fn clear_words(&mut self, base: Reg, dst: i32, count: u32) {
        if count <= 2 {
            for index in 0..count as i32 {
                emit!(*self, movq_mi_sxl(Rm::Mem(at(base, dst + index * 8)), 0i32));
            }
            return;
        }
        let zero = FLOAT_SCRATCH;
        self.constant(zero, 0);
        let even = (count & !1) as i32 * 8;
        if count > CLEARS_INLINE {
            // The counter runs from the end of the words to their start.
            let top = self.new_label();
            emit!(*self, movl_oi(INT_SCRATCH, even as u32));
            self.bind(top);
            let mem = Mem { base, index: Some((INT_SCRATCH, 0)), disp: dst - 16 };
            self.store(mem, zero, Size::B16);
            emit!(*self, subq_mi_sxl(Rm::Reg(INT_SCRATCH), 16i32));
            self.jcc(Cond::NotEqual, top);
        } else {
            for offset in (0..even).step_by(16) {
                self.store(at(base, dst + offset), zero, Size::B16);
            }
        }
        if count & 1 != 0 {
            self.store(at(base, dst + even), zero, Size::B8);
        }
    }

    fn write_header(&mut self, disp: i32) {
        for (index, reg) in [Self::IP, FRAME, Self::VMCTX].into_iter().enumerate() {
            self.store(at(FRAME, disp + index as i32 * 8), reg, Size::B8);
        }
    }

    fn read_header(&mut self, disp: i32) {
        self.load(Self::IP, at(FRAME, disp), Size::B8);
        self.load(Self::BODY, at(FRAME, disp + 16), Size::B8);
        self.load(FRAME, at(FRAME, disp + 8), Size::B8);
    }

    fn address_of(&mut self, dst: Reg, mem: Mem, wide: bool) {
        match wide {
            false => emit!(*self, leal_rm(dst, mem)),
            true => emit!(*self, leaq_rm(dst, mem)),
        }
    }

    fn alu(&mut self, op: Alu, wide: bool, dst: Reg, src: Rm) {
        match (op, wide) {
            (Alu::Add, false) => emit!(*self, addl_rm(dst, src)),
            (Alu::Add, true) => emit!(*self, addq_rm(dst, src)),
            (Alu::Sub, false) => emit!(*self, subl_rm(dst, src)),
            (Alu::Sub, true) => emit!(*self, subq_rm(dst, src)),
            (Alu::And, false) => emit!(*self, andl_rm(dst, src)),
            (Alu::And, true) => emit!(*self, andq_rm(dst, src)),
            (Alu::Or, false) => emit!(*self, orl_rm(dst, src)),
            (Alu::Or, true) => emit!(*self, orq_rm(dst, src)),
            (Alu::Xor, false) => emit!(*self, xorl_rm(dst, src)),
            (Alu::Xor, true) => emit!(*self, xorq_rm(dst, src)),
        }
    }

    fn alu_immediate(&mut self, op: Alu, wide: bool, dst: Reg, value: i32) {
        self.alu_rm_immediate(op, wide, Rm::Reg(dst), value);
    }

    fn shift(&mut self, op: Shift, wide: bool, reg: Reg, count: u8) {
        let rm = Rm::Reg(reg);
        match (op, wide) {
            (Shift::Left, false) => emit!(*self, shll_mi(rm, count)),
            (Shift::Left, true) => emit!(*self, shlq_mi(rm, count)),
            (Shift::RightSigned, false) => emit!(*self, sarl_mi(rm, count)),
            (Shift::RightSigned, true) => emit!(*self, sarq_mi(rm, count)),
            (Shift::RightUnsigned, false) => emit!(*self, shrl_mi(rm, count)),
            (Shift::RightUnsigned, true) => emit!(*self, shrq_mi(rm, count)),
        }
    }

    fn compare(&mut self, relation: Relation, wide: bool, a: Reg, b: Rm) -> Condition {
        self.cmp(wide, a, b);
        flag(relation)
    }

    fn compare_immediate(
        &mut self,
        relation: Relation,
        wide: bool,
        a: Rm,
        value: i32,
    ) -> Condition {
        self.cmp_immediate(wide, a, value);
        flag(relation)
    }

    fn is_type(&mut self, a: Rm, word: TypeWord) -> Condition {
        emit!(*self, cmpl_mi(a, word));
        self.ends_in_type(word);
        Condition::Flag(Cond::Equal)
    }

    fn is_zero(&mut self, reg: Reg, wide: bool) -> Condition {
        self.test(wide, reg);
        Condition::Flag(Cond::Equal)
    }

    fn are_clear(&mut self, reg: Reg, bits: u8) -> Condition {
        emit!(*self, testb_mi(Rm::Reg(reg), bits));
        Condition::Flag(Cond::Equal)
    }

    fn add_carries(&mut self, dst: Reg, src: Reg) -> Condition {
        self.alu(Alu::Add, true, dst, Rm::Reg(src));
        Condition::Flag(Cond::Below)
    }

    fn count_down(&mut self, reg: Reg) -> Condition {
        self.alu_immediate(Alu::Sub, false, reg, 1);
        Condition::Flag(Cond::NotEqual)
    }

    fn pay(&mut self, reg: Reg, cost: u32) -> Condition {
        match i32::try_from(cost) {
            Ok(cost) => self.alu_immediate(Alu::Sub, true, reg, cost),
            Err(_) => {
                self.constant(INT_SCRATCH, u64::from(cost));
                self.alu(Alu::Sub, true, reg, Rm::Reg(INT_SCRATCH));
            }
        }
        // Of the conditions that tell, the one that many processors fuse with the jump.
        Condition::Flag(Cond::Less)
    }

    fn charge(&mut self, mem: Mem, cost: i32) -> Condition {
        self.alu_rm_immediate(Alu::Sub, true, Rm::Mem(mem), cost);
        Condition::Flag(Cond::Sign)
    }

    fn jump(&mut self, label: AsmLabel) {
        self.jmp(label);
    }

    fn jump_if(&mut self, condition: Condition, label: AsmLabel) {
        match condition {
            Condition::Flag(cond) => self.jcc(cond, label),
            Condition::OrderedEqual => {
                let skip = self.new_label().near();
                self.jcc(Cond::Parity, skip);
                self.jcc(Cond::Equal, label);
                self.bind(skip);
            }
            Condition::NotEqualOrUnordered => {
                self.jcc(Cond::Parity, label);
                self.jcc(Cond::NotEqual, label);
            }
        }
    }

    fn jump_if_nan(&mut self, single: bool, reg: Reg, label: AsmLabel) {
        self.compare_floats(single, reg, Rm::Reg(reg));
        self.jcc(Cond::Parity, label);
    }

    fn jump_through(&mut self, word: Reg) {
        emit!(*self, jmpq_m(Rm::Mem(at(word, 0))));
    }

    fn jump_through_label(&mut self, word: AsmLabel) {
        emit!(*self, jmpq_m(word));
    }

    fn label_address(&mut self, dst: Reg, label: AsmLabel) {
        emit!(*self, leaq_rm(dst, label));
    }

    fn jump_table(&mut self, index: Reg, target: Reg, entries: &[AsmLabel]) {
        let last = entries.len() as i32 - 1;
        let table = self.new_label();
        self.constant(INT_SCRATCH, last as u64);
        self.cmp_immediate(false, Rm::Reg(index), last);
        self.cmov(Cond::Below, INT_SCRATCH, index);
        self.label_address(target, table);
        let entry = Mem { base: target, index: Some((INT_SCRATCH, 2)), disp: 0 };
        emit!(*self, movslq_rm(INT_SCRATCH, Rm::Mem(entry)));
        self.alu(Alu::Add, true, target, Rm::Reg(INT_SCRATCH));
        emit!(*self, jmpq_m(Rm::Reg(target)));
        self.align(4);
        self.bind(table);
        self.table(entries);
    }

    fn align_with_nops(&mut self, align: usize) {
        self.fill_with_nops(align);
    }
}
