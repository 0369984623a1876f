//! Instructions that only optimised code has: on places in memory, and of native frames.

use super::{Assembler, Cond, FLOAT_SCRATCH, INT_SCRATCH, emit};
use crate::asm::{Mem, Reg, Rm};
use crate::isa::{Alu, Primitives, Size};

impl Assembler {
    /// `mem = mem op src`, of 4 or 8 bytes.
    pub(crate) fn alu_memory(&mut self, op: Alu, size: Size, mem: Mem, src: Reg) {
        let dst = Rm::Mem(mem);
        match (op, size == Size::B8) {
            (Alu::Add, false) => emit!(*self, addl_mr(dst, src)),
            (Alu::Add, true) => emit!(*self, addq_mr(dst, src)),
            (Alu::Sub, false) => emit!(*self, subl_mr(dst, src)),
            (Alu::Sub, true) => emit!(*self, subq_mr(dst, src)),
            (Alu::And, false) => emit!(*self, andl_mr(dst, src)),
            (Alu::And, true) => emit!(*self, andq_mr(dst, src)),
            (Alu::Or, false) => emit!(*self, orl_mr(dst, src)),
            (Alu::Or, true) => emit!(*self, orq_mr(dst, src)),
            (Alu::Xor, false) => emit!(*self, xorl_mr(dst, src)),
            (Alu::Xor, true) => emit!(*self, xorq_mr(dst, src)),
        }
    }

    /// Compares 4 or 8 bytes, at most one operand being in memory.
    pub(crate) fn compare_sized(&mut self, size: Size, a: Rm, b: Rm) {
        let wide = size == Size::B8;
        match (a, b) {
            (Rm::Reg(a), b) => self.cmp(wide, a, b),
            (a, Rm::Reg(b)) if wide => emit!(*self, cmpq_mr(a, b)),
            (a, Rm::Reg(b)) => emit!(*self, cmpl_mr(a, b)),
            (_, b) => self.cmp(wide, INT_SCRATCH, b),
        }
    }

    /// Compares 1 to 8 bytes with a constant.
    pub(crate) fn compare_sized_immediate(&mut self, size: Size, a: Rm, value: i32) {
        match size {
            Size::B1 => emit!(*self, cmpb_mi(a, value as u8)),
            Size::B2 => emit!(*self, cmpw_mi(a, value as u16)),
            Size::B4 | Size::B8 | Size::B16 => self.cmp_immediate(size == Size::B8, a, value),
        }
    }

    /// Whether bits of a number of 1, 4 or 8 bytes are zero, by a mask of less than 32 bits.
    pub(crate) fn test_immediate(&mut self, size: Size, a: Rm, mask: u32) {
        match size {
            Size::B1 => emit!(*self, testb_mi(a, mask as u8)),
            Size::B2 | Size::B4 => emit!(*self, testl_mi(a, mask)),
            Size::B8 | Size::B16 => emit!(*self, testq_mi(a, mask as i32)),
        }
    }

    /// Moves a number whose lower bytes are extended.
    pub(crate) fn extend(&mut self, dst: Reg, src: Rm, size: Size) {
        match size {
            Size::B1 => emit!(*self, movzbl_rm(dst, src)),
            Size::B2 => emit!(*self, movzwl_rm(dst, src)),
            Size::B4 => emit!(*self, movl_rm(dst, src)),
            Size::B8 | Size::B16 => emit!(*self, movq_rm(dst, src)),
        }
    }

    /// Converts to the nearest unsigned number of 64 bits: what is 2^63 or more is converted
    /// less that much.
    pub(crate) fn saturate_u64(&mut self, single: bool, dst: Reg, src: Reg) {
        const SIGN: u64 = 1 << 63;
        let (large, nothing, done) =
            (self.new_label().near(), self.new_label().near(), self.new_label().near());
        let bound = match single {
            true => u64::from(9223372036854775808f32.to_bits()),
            false => 9223372036854775808f64.to_bits(),
        };
        self.constant(FLOAT_SCRATCH, bound);
        self.compare_floats(single, src, Rm::Reg(FLOAT_SCRATCH));
        self.jcc(Cond::Parity, nothing);
        self.jcc(Cond::AboveOrEqual, large);
        self.convert_to_i64(single, dst, src);
        self.test(true, dst);
        self.jcc(Cond::NoSign, done);
        self.bind(nothing);
        emit!(*self, xorl_rm(dst, dst));
        self.jump(done);
        self.bind(large);
        // The difference in the scratch register: minus (bound - src).
        match single {
            true => emit!(*self, subss_a(FLOAT_SCRATCH, src)),
            false => emit!(*self, subsd_a(FLOAT_SCRATCH, src)),
        }
        self.convert_to_i64(single, dst, FLOAT_SCRATCH);
        emit!(*self, negq_m(dst));
        self.constant(INT_SCRATCH, SIGN);
        // What is too large still has the sign, of failure, and becomes all ones.
        let fits = self.new_label().near();
        self.jcc(Cond::NoSign, fits);
        self.constant(dst, SIGN - 1);
        self.bind(fits);
        self.alu(Alu::Xor, true, dst, Rm::Reg(INT_SCRATCH));
        self.bind(done);
    }
}
